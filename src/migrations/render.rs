//! How findings look: for people as a compiler shows an error, and in the formats of code scanning.
//!
//! Texts of the repository are made inert here. Not here: what is found.

use annotate_snippets::{AnnotationKind, Group, Level as Word, Origin, Renderer, Snippet};
use serde_json::{Value as Json, json};
use towpath_compat::rules::list_rules;
use towpath_compat::{CompatReport, Finding, RunningEvidence, Verdict};
use towpath_core::text::{hex, one_line};

/// A longer line is not quoted.
const LINE_MOST: usize = 400;

/// How many places of use are shown of a commit.
const HITS_MOST: usize = 3;

/// A text from the repository on one line, harmless for a terminal.
fn inert(text: &str) -> String {
    one_line(text, LINE_MOST)
}

/// How findings are shown to people.
pub struct Shown<'a> {
    /// With colours, for a terminal.
    pub styled: bool,
    /// A line of a migration's file at the head: path, and line from 1.
    pub line: &'a dyn Fn(&str, u32) -> Option<String>,
}

impl Shown<'_> {
    /// Every finding, the compatible ones last and short.
    pub fn text(&self, report: &CompatReport) -> String {
        let renderer = if self.styled { Renderer::styled() } else { Renderer::plain() };
        let (fine, matter): (Vec<_>, Vec<_>) =
            report.findings.iter().partition(|finding| finding.verdict == Verdict::Compatible);
        let mut out = String::new();
        for finding in &matter {
            out.push_str(&self.one(finding, &renderer));
            out.push_str("\n\n");
        }
        for finding in &fine {
            let who = finding
                .accepted_by
                .as_ref()
                .map(|by| format!(" (accepted by {}: {})", inert(&by.who), inert(&by.reason)));
            let why = who.unwrap_or_else(|| " (no running code uses it)".to_owned());
            out.push_str(&format!(
                "fine: {}:{} {}{why}\n",
                inert(&finding.at.path),
                finding.at.line,
                inert(&finding.message)
            ));
        }
        if !fine.is_empty() {
            out.push('\n');
        }
        out
    }

    fn one(&self, finding: &Finding, renderer: &Renderer) -> String {
        let word = match finding.verdict {
            Verdict::Incompatible => Word::ERROR,
            Verdict::NeedsReview | Verdict::Compatible => Word::WARNING.with_name("review"),
        };
        let title = format!("{} [{}]", inert(&finding.message), finding.rule);
        let mut group = Group::with_title(word.primary_title(title));
        let path = inert(&finding.at.path);
        let line = usize::try_from(finding.at.line).unwrap_or(1).max(1);
        let text = (self.line)(&finding.at.path, finding.at.line).map(|text| inert(&text));
        group = match text.filter(|text| !text.is_empty()) {
            None => group.element(Origin::path(path).line(line)),
            Some(text) => {
                let caret = AnnotationKind::Primary.span(0..text.len());
                group.element(Snippet::source(text).line_start(line).path(path).annotation(caret))
            }
        };
        for note in notes(finding) {
            group = group.element(Word::NOTE.message(note));
        }
        if !finding.advice.is_empty() {
            group = group.element(Word::HELP.message(inert_lines(&finding.advice)));
        }
        renderer.render(&[group])
    }
}

fn inert_lines(text: &str) -> String {
    text.lines().map(inert).collect::<Vec<_>>().join("\n")
}

/// Old and new state, and what running code says.
fn notes(finding: &Finding) -> Vec<String> {
    let state = match (&finding.before, &finding.after) {
        (Some(before), Some(after)) => Some(format!("it was: {}; it will be: {}", inert(before), inert(after))),
        (Some(before), None) => Some(format!("it was: {}", inert(before))),
        (None, Some(after)) => Some(format!("it will be: {}", inert(after))),
        (None, None) => None,
    };
    state.into_iter().chain(finding.evidence.iter().map(used)).collect()
}

fn used(evidence: &RunningEvidence) -> String {
    let commit = inert(&evidence.commit);
    let Some(grade) = evidence.grade else {
        return format!("{commit} has no code here to search, so nothing shows that the name is unused");
    };
    let files = if evidence.files == 1 { "1 file".to_owned() } else { format!("{} files", evidence.files) };
    let searched = format!(
        "{files} searched for {}",
        evidence.forms.iter().take(4).map(|form| inert(form)).collect::<Vec<_>>().join(", ")
    );
    let mapper = evidence.mapper.as_ref().map(|rule| format!("; {}", inert(rule))).unwrap_or_default();
    let mut note = format!("{commit}: {grade:?}, {searched}{mapper}");
    for hit in evidence.hits.iter().take(HITS_MOST) {
        note.push_str(&format!("\n  {}:{}: {}", inert(&hit.at.path), hit.at.line, inert(&hit.text)));
    }
    if evidence.hits.len() > HITS_MOST {
        note.push_str(&format!("\n  and {} more", evidence.hits.len() - HITS_MOST));
    }
    note
}

/// What a finding is told by where its line moves: rule, file, object and what was there.
fn fingerprint(finding: &Finding) -> String {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    for part in [&finding.rule, &finding.at.path, &finding.object, &finding.statement] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize()[..16])
}

fn message(finding: &Finding) -> String {
    let notes = notes(finding).into_iter().map(|note| format!("\n{note}")).collect::<String>();
    let advice =
        if finding.advice.is_empty() { String::new() } else { format!("\n{}", inert_lines(&finding.advice)) };
    format!("{}{notes}{advice}", inert(&finding.message))
}

/// Those that somebody has to look at.
fn open(report: &CompatReport) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(|finding| finding.verdict != Verdict::Compatible)
}

/// SARIF 2.1.0, as GitHub's code scanning and others read it.
pub fn sarif(report: &CompatReport) -> Json {
    let rules: Vec<Json> = list_rules()
        .iter()
        .map(|rule| {
            json!({ "id": rule.id, "shortDescription": { "text": rule.what }, "fullDescription": { "text": rule.why },
                "help": { "text": rule.recipe.join("\n") } })
        })
        .collect();
    let results: Vec<Json> = open(report)
        .map(|finding| {
            let level = if finding.verdict == Verdict::Incompatible { "error" } else { "warning" };
            json!({
                "ruleId": finding.rule,
                "level": level,
                "message": { "text": message(finding) },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": uri(&finding.at.path), "uriBaseId": "%SRCROOT%" },
                    "region": { "startLine": finding.at.line.max(1) },
                } }],
                "partialFingerprints": { "towpath/v1": fingerprint(finding) },
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "towpath", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}

/// A path as a relative reference of a URI.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// GitLab's code quality report: a list, shown on the lines of the diff.
pub fn gitlab(report: &CompatReport) -> Json {
    let issue = |finding: &Finding| {
        let severity = if finding.verdict == Verdict::Incompatible { "blocker" } else { "major" };
        json!({
            "description": message(finding),
            "check_name": finding.rule,
            "fingerprint": fingerprint(finding),
            "severity": severity,
            "location": { "path": finding.at.path, "lines": { "begin": finding.at.line.max(1) } },
        })
    };
    Json::Array(open(report).map(issue).collect())
}

/// Workflow commands of GitHub Actions, which put each finding on its line.
pub fn github(report: &CompatReport) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    open(report)
        .map(|finding| {
            let kind = if finding.verdict == Verdict::Incompatible { "error" } else { "warning" };
            let (file, line) = (property(&inert(&finding.at.path)), finding.at.line.max(1));
            let title = property(&format!("towpath: {}", finding.rule));
            format!("::{kind} file={file},line={line},title={title}::{}\n", data(&message(finding)))
        })
        .collect()
}
