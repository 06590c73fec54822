//! `.towpath/accepted.toml`: findings that people looked at and take on themselves.
//!
//! The file is the repository's own and so is reviewed like code. Each entry names exactly what was looked
//! at, the content of the migration included, and ends by itself. Not here: what an acceptance covers
//! (`towpath_compat::Acceptance`), and which commit the file is read from.

use chrono::{Days, NaiveDate, NaiveTime};
use git2::{Oid, Repository};
use serde::Deserialize;
use toml::value::Datetime;
use towpath_compat::{Acceptance, CompatReport, Finding, Verdict};
use towpath_core::model::{CommitId, Instant};
use towpath_core::text::one_line;

/// Where it is.
pub const PATH: &str = ".towpath/accepted.toml";

/// No larger file is read, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    rows: Vec<Acceptance>,
    /// What is wrong with it, and in which line; nothing is accepted then.
    pub problem: Option<(u32, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    accepted: Vec<toml::Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    rule: String,
    object: String,
    path: String,
    blob: String,
    reason: String,
    who: String,
    until: Datetime,
}

impl Accepted {
    /// What a text says. One wrong entry makes all of it wrong: what somebody meant is not guessed.
    pub fn parse(text: &str) -> Self {
        let wrong =
            |at: usize, what: &str| Self { rows: Vec::new(), problem: Some((line(text, at), one_line(what, 300))) };
        if text.len() > BYTES_MAX {
            return wrong(0, &format!("it is larger than {} KiB", BYTES_MAX >> 10));
        }
        let written: Written = match toml::from_str(text) {
            Ok(written) => written,
            Err(error) => return wrong(error.span().map_or(0, |span| span.start), error.message()),
        };
        let mut rows = Vec::new();
        for row in written.accepted {
            let at = row.span().start;
            let row = row.into_inner();
            let texts = [
                ("rule", &row.rule),
                ("path", &row.path),
                ("blob", &row.blob),
                ("reason", &row.reason),
                ("who", &row.who),
            ];
            if let Some((key, _)) = texts.into_iter().find(|(_, text)| text.trim().is_empty()) {
                return wrong(at, &format!("`{key}` is empty"));
            }
            let Some(until) = end(&row.until) else {
                return wrong(
                    at,
                    "`until` must be a date such as 2027-03-31; the acceptance holds through that day (UTC)",
                );
            };
            let Row { rule, object, path, blob, reason, who, .. } = row;
            rows.push(Acceptance { rule, object, path, blob, reason, who, until });
        }
        Self { rows, problem: None }
    }

    /// What the file says at a commit; nothing where there is none.
    pub fn at(repository: &Repository, commit: CommitId) -> Self {
        let tree = Oid::from_str(&commit.to_string())
            .and_then(|id| repository.find_commit(id))
            .and_then(|commit| commit.tree());
        match tree {
            Ok(tree) => Self::of(repository, &tree),
            Err(error) => Self { rows: Vec::new(), problem: Some((1, one_line(error.message(), 300))) },
        }
    }

    /// What the file says in a tree.
    pub fn of(repository: &Repository, tree: &git2::Tree<'_>) -> Self {
        // Only the way to it is read, not the whole tree.
        let Ok(entry) = tree.get_path(std::path::Path::new(PATH)) else { return Self::default() };
        let wrong = |what: &str| Self { rows: Vec::new(), problem: Some((1, what.to_owned())) };
        if entry.filemode() & 0o170_000 != 0o100_000 {
            return wrong("it is no file");
        }
        let size = repository.odb().and_then(|odb| odb.read_header(entry.id())).map(|(size, _)| size);
        if size.is_ok_and(|size| size > BYTES_MAX) {
            // Not even unpacked: it may be much larger than what was pushed.
            return wrong(&format!("it is larger than {} KiB", BYTES_MAX >> 10));
        }
        match repository.find_blob(entry.id()) {
            Ok(blob) => match std::str::from_utf8(blob.content()) {
                Ok(text) => Self::parse(text),
                Err(_) => wrong("it is no UTF-8"),
            },
            Err(error) => wrong(error.message()),
        }
    }

    /// The report with what is accepted at an instant.
    pub fn apply(&self, report: &mut CompatReport, now: Instant) {
        report.accept(&self.rows, now.0);
    }
}

/// Entries that would accept what a report still has, ready to be pasted; who, why and until when is for
/// people to say. What has no content to be tied to cannot be accepted.
pub fn entries(report: &CompatReport) -> String {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut out = String::new();
    let open = |finding: &&Finding| finding.verdict != Verdict::Compatible && !finding.blob.is_empty();
    for finding in report.findings.iter().filter(open) {
        let rows = [
            ("rule", &finding.rule),
            ("object", &finding.object),
            ("path", &finding.at.path),
            ("blob", &finding.blob),
        ];
        out.push_str(&format!("# {}\n[[accepted]]\n", one_line(&finding.message, 300)));
        for (key, value) in rows {
            out.push_str(&format!("{key} = {}\n", text(value)));
        }
        out.push_str("reason = \"\"\nwho = \"\"\nuntil =\n\n");
    }
    out
}

/// The first millisecond at which it no longer holds: a day is meant whole.
fn end(until: &Datetime) -> Option<i64> {
    let date = until.date.filter(|_| until.time.is_none() && until.offset.is_none())?;
    let day = NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())?;
    let next = day.checked_add_days(Days::new(1))?;
    Some(next.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
}

fn line(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use towpath_compat::Place;

    use super::*;

    const ROW: &str = "[[accepted]]\nrule = \"drop-column\"\nobject = \"users.nick\"\npath = \"db/2.sql\"\nblob = \"ab12\"\n\
                       reason = \"nothing reads it\"\nwho = \"ana\"\nuntil = 2026-03-31\n";

    fn report() -> CompatReport {
        let finding = Finding {
            rule: "drop-column".to_owned(),
            verdict: Verdict::Incompatible,
            at: Place { path: "db/2.sql".to_owned(), line: 1 },
            migration: "2".to_owned(),
            blob: "ab12".to_owned(),
            object: "users.nick".to_owned(),
            statement: String::new(),
            message: String::new(),
            before: None,
            after: None,
            evidence: Vec::new(),
            grade: None,
            advice: String::new(),
            accepted_by: None,
        };
        CompatReport { migrations: 1, findings: vec![finding] }
    }

    #[test]
    fn it_holds_through_its_last_day_and_for_exactly_what_it_names() {
        let day = |text: &str| Instant(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
        let stands = |text: &str, now| {
            let (accepted, mut report) = (Accepted::parse(text), report());
            assert_eq!(accepted.problem, None);
            accepted.apply(&mut report, now);
            report.verdict() == Verdict::Incompatible
        };
        assert!(!stands(ROW, day("2026-03-31T23:59:59.999Z")));
        assert!(stands(ROW, day("2026-04-01T00:00:00Z")));
        assert!(stands(&ROW.replace("ab12", "ab13"), Instant(0)), "another content is another question");
        assert!(stands("", Instant(0)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_nothing_is_accepted() {
        let twice = format!("{ROW}\n{ROW}");
        for (text, line, says) in [
            (ROW.replace("2026-03-31", "\"soon\""), 8, ""),
            (ROW.replace("2026-03-31", "2026-03-31T10:00:00Z"), 1, "`until` must be a date"),
            (twice.replacen("who = \"ana\"", "who = \" \"", 2), 1, "`who` is empty"),
            (format!("{ROW}{}", ROW.replace("blob", "blub")), 13, "blub"),
            (format!("{ROW}sure = true\n"), 9, "sure"),
            ("accepted = 3".to_owned(), 1, ""),
            (format!("{ROW}{}", "#".repeat(BYTES_MAX)), 1, "larger than 1024 KiB"),
        ] {
            let accepted = Accepted::parse(&text);
            let (at, what) = accepted.problem.clone().expect("it is wrong");
            assert!(at == line && what.contains(says), "{at} {what}: {text:.400}");
            let mut report = report();
            accepted.apply(&mut report, Instant(0));
            assert_eq!(report.verdict(), Verdict::Incompatible);
        }
    }
}
