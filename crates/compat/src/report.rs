//! The answer: findings, in the words and the JSON of `check-migrations` and of the gate.
//!
//! Also acceptances, which turn a finding that people looked at into one that no longer blocks. Not
//! here: how anything is found, and reading the file in which acceptances are kept.

use serde::{Deserialize, Serialize};

use crate::evidence::Hit;

/// Changes whenever the same trees may be judged otherwise than before: a key of caches.
pub const RULES_VERSION: u32 = 4;

/// The version of the report's JSON.
pub const SCHEMA_VERSION: u32 = 1;

/// What is said of a range as a whole. In the order in which they win where several hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing that runs breaks.
    Compatible,
    /// A person has to look: something could not be read, or cannot be told.
    NeedsReview,
    /// Something that runs breaks.
    Incompatible,
}

/// How sure it is that running code uses a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// The name occurs nowhere.
    E0,
    /// It occurs only where it cannot be a use.
    E1,
    /// It occurs where it may be a use.
    E2,
    /// It is used.
    E3,
}

/// Where something is in a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The path from the repository's root.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
}

/// What one running commit's code says of a name that goes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningEvidence {
    /// What people call the commit.
    pub commit: String,
    /// How sure it is that its code uses the name; `None`: no code was found to search.
    pub grade: Option<Grade>,
    /// The forms of the name that were looked for.
    pub forms: Vec<String>,
    /// The places that decide, strongest first.
    pub hits: Vec<Hit>,
    /// How many files were searched.
    pub files: usize,
    /// The rule of an object mapper that decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapper: Option<String>,
}

/// Who accepted a finding, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedBy {
    /// Their name.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Milliseconds since the epoch; from then on the finding stands again.
    pub until: i64,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id; `unreadable` where something could not be read.
    pub rule: String,
    /// What it amounts to. `Compatible`: it would break, and evidence says nobody uses it.
    pub verdict: Verdict,
    /// Where in the migration: `path` and `line`.
    #[serde(flatten)]
    pub at: Place,
    /// What the framework knows the migration by; empty where it is not about one.
    pub migration: String,
    /// What names the content of the migration's file or part; empty where there is none.
    pub blob: String,
    /// What it is about: `users`, `users.nick_name`.
    pub object: String,
    /// The statement's own text, cut.
    pub statement: String,
    /// One sentence.
    pub message: String,
    /// What running code relies on, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it will meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What each running commit's code says, where the rule asks.
    pub evidence: Vec<RunningEvidence>,
    /// The worst grade among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// The way out.
    pub advice: String,
    /// Who accepted it; its verdict is then `Compatible`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_by: Option<AcceptedBy>,
}

/// Everything that was found of one range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompatReport {
    /// How many migrations the range brings.
    pub migrations: usize,
    /// In the order of the migrations.
    pub findings: Vec<Finding>,
}

impl CompatReport {
    /// The worst of the findings.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Compatible)
    }

    /// Whether something could not be read.
    pub fn unreadable(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.rule == crate::rules::UNREADABLE && finding.verdict != Verdict::Compatible)
    }

    /// The findings with the acceptances that hold at an instant applied. An acceptance is exact:
    /// another content of the migration is another question.
    pub fn accept(&mut self, acceptances: &[Acceptance], now: i64) {
        for finding in &mut self.findings {
            let found = acceptances.iter().find(|acceptance| acceptance.covers(finding, now));
            if let Some(acceptance) = found.filter(|_| finding.verdict != Verdict::Compatible) {
                finding.verdict = Verdict::Compatible;
                finding.accepted_by = Some(AcceptedBy {
                    who: acceptance.who.clone(),
                    reason: acceptance.reason.clone(),
                    until: acceptance.until,
                });
            }
        }
    }
}

/// How the report stands in JSON.
#[derive(Serialize, Deserialize)]
struct Written {
    schema_version: u32,
    rules_version: u32,
    verdict: Verdict,
    migrations: usize,
    findings: Vec<Finding>,
}

impl Serialize for CompatReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written {
            schema_version: SCHEMA_VERSION,
            rules_version: RULES_VERSION,
            verdict: self.verdict(),
            migrations: self.migrations,
            findings: self.findings.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CompatReport {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        if written.schema_version != SCHEMA_VERSION {
            let known = format!("a report of version {} is not known here", written.schema_version);
            return Err(serde::de::Error::custom(known));
        }
        Ok(Self { migrations: written.migrations, findings: written.findings })
    }
}

/// One line of `.towpath/accepted.toml`: a finding that people looked at and take on themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The rule's id.
    pub rule: String,
    /// The finding's object.
    pub object: String,
    /// The migration's path.
    pub path: String,
    /// The content's id, whole.
    pub blob: String,
    /// Why it is harmless.
    pub reason: String,
    /// Who says so.
    pub who: String,
    /// Milliseconds since the epoch, from which on it no longer holds.
    pub until: i64,
}

impl Acceptance {
    /// Whether it is about this finding and still holds at an instant. A finding without a content
    /// cannot be accepted: nothing would tie the acceptance to what was looked at.
    pub fn covers(&self, finding: &Finding, now: i64) -> bool {
        !self.blob.is_empty()
            && now < self.until
            && self.rule == finding.rule
            && self.object == finding.object
            && self.path == finding.at.path
            && self.blob == finding.blob
    }
}

#[cfg(test)]
mod tests {
    use super::{Acceptance, CompatReport, Finding, Grade, Hit, Place, RunningEvidence, Verdict};

    fn finding(verdict: Verdict) -> Finding {
        Finding {
            rule: "drop-column".to_owned(),
            verdict,
            at: Place { path: "migrations/2.sql".to_owned(), line: 3 },
            migration: "2".to_owned(),
            blob: "ab12".to_owned(),
            object: "users.nick_name".to_owned(),
            statement: "ALTER TABLE users DROP nick_name".to_owned(),
            message: "drops column users.nick_name, which a1b2c3d still uses".to_owned(),
            before: Some("varchar(40)".to_owned()),
            after: None,
            evidence: vec![RunningEvidence {
                commit: "a1b2c3d".to_owned(),
                grade: Some(Grade::E3),
                forms: vec!["nick_name".to_owned()],
                hits: vec![Hit {
                    at: Place { path: "app/user.py".to_owned(), line: 9 },
                    text: "nick_name = Column()".to_owned(),
                }],
                files: 4,
                mapper: None,
            }],
            grade: Some(Grade::E3),
            advice: "stop using it first".to_owned(),
            accepted_by: None,
        }
    }

    #[test]
    fn the_worst_finding_is_the_verdict() {
        let report = |verdicts: &[Verdict]| CompatReport {
            migrations: 1,
            findings: verdicts.iter().copied().map(finding).collect(),
        };
        assert_eq!(report(&[]).verdict(), Verdict::Compatible);
        assert_eq!(report(&[Verdict::NeedsReview, Verdict::Compatible]).verdict(), Verdict::NeedsReview);
        assert_eq!(report(&[Verdict::NeedsReview, Verdict::Incompatible]).verdict(), Verdict::Incompatible);
    }

    #[test]
    fn the_json_has_path_and_line_beside_the_rule_and_reads_back() {
        let report = CompatReport { migrations: 1, findings: vec![finding(Verdict::Incompatible)] };
        let text = serde_json::to_string(&report).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["schema_version"], 1);
        assert_eq!(value["verdict"], "incompatible");
        assert_eq!(value["findings"][0]["path"], "migrations/2.sql");
        assert_eq!(value["findings"][0]["line"], 3);
        assert_eq!(value["findings"][0]["evidence"][0]["grade"], "E3");
        assert_eq!(value["findings"][0]["evidence"][0]["commit"], "a1b2c3d");
        assert_eq!(serde_json::from_str::<CompatReport>(&text).unwrap(), report);
        let other = text.replace("\"schema_version\":1", "\"schema_version\":9");
        assert!(serde_json::from_str::<CompatReport>(&other).is_err());
    }

    #[test]
    fn an_acceptance_holds_for_exactly_what_was_looked_at() {
        let good = Acceptance {
            rule: "drop-column".to_owned(),
            object: "users.nick_name".to_owned(),
            path: "migrations/2.sql".to_owned(),
            blob: "ab12".to_owned(),
            reason: "the report that used it is gone".to_owned(),
            who: "ana".to_owned(),
            until: 1_000,
        };
        let accepted = |acceptance: &Acceptance, now| {
            let mut report = CompatReport { migrations: 1, findings: vec![finding(Verdict::Incompatible)] };
            report.accept(std::slice::from_ref(acceptance), now);
            (report.verdict() == Verdict::Compatible, report.findings[0].accepted_by.is_some())
        };
        assert_eq!(accepted(&good, 999), (true, true));
        assert_eq!(accepted(&good, 1_000), (false, false), "expired");
        for other in [
            Acceptance { rule: "drop-table".to_owned(), ..good.clone() },
            Acceptance { object: "users.email".to_owned(), ..good.clone() },
            Acceptance { path: "migrations/3.sql".to_owned(), ..good.clone() },
            Acceptance { blob: "ab".to_owned(), ..good.clone() },
            Acceptance { blob: String::new(), ..good.clone() },
        ] {
            assert_eq!(accepted(&other, 1), (false, false), "{other:?}");
        }
    }
}
