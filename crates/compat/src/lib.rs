//! Would this range of schema migrations break the code that is running?
//!
//! `tree` is what is read, `frameworks` find and extract, `sql` reads statements, `operation` is what
//! they do, `schema` replays them, `rules` judge, `evidence` looks whether running code still uses a
//! name, `check` asks it all.
//!
//! Not here, ever: I/O. Strings come in, values go out, and the user's code is never run.

pub mod check;
pub mod evidence;
pub mod frameworks;
pub mod migration;
pub mod operation;
pub mod rules;
pub mod schema;
pub mod sql;
pub mod tree;

use serde::{Deserialize, Serialize};

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

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id; `unreadable` where a file could not be read.
    pub rule: String,
    /// What it amounts to.
    pub verdict: Verdict,
    /// Where in the migration.
    pub at: Place,
    /// One sentence.
    pub message: String,
    /// The running code that still uses the name.
    pub evidence: Vec<Place>,
    /// How sure the evidence is.
    pub grade: Grade,
    /// The way out.
    pub advice: String,
}

/// Everything that was found of one range.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompatReport {
    /// In the order of the migrations.
    pub findings: Vec<Finding>,
}

impl CompatReport {
    /// The worst of the findings.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Compatible)
    }
}

#[cfg(test)]
mod tests {
    use super::{CompatReport, Finding, Grade, Place, Verdict};

    #[test]
    fn the_worst_finding_is_the_verdict() {
        let finding = |verdict| Finding {
            rule: "drop-column".to_owned(),
            verdict,
            at: Place { path: "migrations/2.sql".to_owned(), line: 1 },
            message: String::new(),
            evidence: vec![],
            grade: Grade::E3,
            advice: String::new(),
        };
        let report =
            |verdicts: &[Verdict]| CompatReport { findings: verdicts.iter().copied().map(finding).collect() };
        assert_eq!(report(&[]).verdict(), Verdict::Compatible);
        assert_eq!(report(&[Verdict::NeedsReview, Verdict::Compatible]).verdict(), Verdict::NeedsReview);
        assert_eq!(report(&[Verdict::NeedsReview, Verdict::Incompatible]).verdict(), Verdict::Incompatible);
    }
}
