//! From the report of a check to the fact that the gate rests on.
//!
//! Not here: what the gate makes of it (`towpath-core`).

use towpath_compat::rules::{Family, list_rules};
use towpath_compat::{CompatReport, Finding, Verdict};
use towpath_core::model::{CompatFinding, CompatSaid, Instant};
use towpath_core::text::one_line;

use super::accepted::{self, Accepted};

/// The rule's id under which it is told that acceptances could not be read.
const ACCEPTED: &str = "accepted";

/// The fact, with what people have accepted at an instant.
pub fn said(mut report: CompatReport, accepted: &Accepted, now: Instant) -> CompatSaid {
    accepted.apply(&mut report, now);
    let unused = |finding: &&Finding| {
        finding.verdict == Verdict::Compatible && finding.accepted_by.is_none() && asks(finding)
    };
    let mut said = CompatSaid {
        unused: count(report.findings.iter().filter(unused).count()),
        migrations: count(report.migrations),
        ..CompatSaid::default()
    };
    let mut findings: Vec<CompatFinding> =
        report.findings.iter().filter(|finding| finding.verdict != Verdict::Compatible).map(finding_of).collect();
    // What breaks and no other code can help comes first, then in the order of the migrations. What one of the
    // two questions passes over comes last, so that nothing else is cut off for it.
    findings.sort_by_key(|finding| (!finding.breaks, finding.history, finding.by_use));
    if let Some((line, what)) = accepted.problem.as_ref().filter(|_| !findings.is_empty()) {
        findings.push(CompatFinding {
            breaks: false,
            by_use: true,
            // It tells why the others stand, and is passed over where they are.
            history: findings.iter().all(|finding| finding.history),
            rule: ACCEPTED.to_owned(),
            object: String::new(),
            path: accepted::PATH.to_owned(),
            line: *line,
            message: format!("says nothing that can be used: {what}"),
            used_at: None,
        });
    }
    said.more = count(findings.len().saturating_sub(CompatSaid::FINDINGS_MAX));
    findings.truncate(CompatSaid::FINDINGS_MAX);
    said.findings = findings;
    said
}

/// Whether the finding was settled by what running code uses.
fn asks(finding: &Finding) -> bool {
    !finding.evidence.is_empty()
}

fn finding_of(finding: &Finding) -> CompatFinding {
    let used = finding.evidence.iter().flat_map(|evidence| &evidence.hits).next();
    CompatFinding {
        breaks: finding.verdict == Verdict::Incompatible,
        by_use: asks(finding),
        history: list_rules().iter().any(|rule| rule.id == finding.rule && rule.family == Family::History),
        rule: finding.rule.clone(),
        object: one_line(&finding.object, 200),
        path: one_line(&finding.at.path, 300),
        line: finding.at.line,
        message: one_line(&finding.message, CompatSaid::WORDS_MAX),
        used_at: used.map(|hit| format!("{}:{}", one_line(&hit.at.path, 300), hit.at.line)),
    }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}
