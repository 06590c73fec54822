//! The clauses of the migration gate.
//!
//! What was found comes from the repository and is hostile until shown.

use super::inert::{name, shown};
use super::{Words, count, id, list};
use crate::decide::gates::migrations::Against;
use crate::model::{CompatFinding, CompatSaid, EnvName, StillUsed};

impl Words<'_> {
    /// What stands against a commit in the gate on migrations, a line each, none twice.
    pub fn against<'w>(&self, against: impl IntoIterator<Item = &'w Against>) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for one in against {
            let line = match one {
                Against::Found(finding) => self.finding(Some(finding), 0),
                Against::More(more) => count(*more, "finding more", "findings more"),
                Against::Unseen(env) => {
                    format!("what {} held before Towpath first saw it may still run", name(env.as_str()))
                }
                Against::NotKnown => "something that could not be judged".to_owned(),
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    /// What was found, with where it stands.
    pub(super) fn finding(&self, finding: Option<&CompatFinding>, more: u32) -> String {
        let others = match more {
            0 => String::new(),
            more => format!(" (and {} more)", count(more, "finding", "findings")),
        };
        let Some(finding) = finding else {
            return format!("more was found than is kept{others}");
        };
        let place = name(format!("{}:{}", finding.path, finding.line));
        let used = finding.used_at.as_ref().map(|at| format!(", used in {}", name(at))).unwrap_or_default();
        let doubt = if finding.breaks { "" } else { ", which a person has to look at" };
        let message = shown(finding.message.trim().trim_end_matches('.'), CompatSaid::WORDS_MAX);
        format!("{place} {message}{used}{doubt} [{}]{others}", shown(&finding.rule, 60))
    }

    /// Code that still uses a name, and what takes its place.
    pub(super) fn still(&self, still: &[StillUsed]) -> String {
        let one = |one: &StillUsed| {
            let (env, commit) = (env(&one.env), id(one.commit));
            match (one.by, one.until) {
                (Some(by), _) => format!("{env} still runs {commit}, until {} comes", id(by)),
                (None, Some(until)) => format!("{commit} may still run in {env} until {}", self.at(until)),
                (None, None) => format!("{commit} may still run in {env}"),
            }
        };
        list(still.iter().map(one), "and")
    }
}

fn env(env: &EnvName) -> String {
    name(env.as_str())
}
