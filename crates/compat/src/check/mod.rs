//! The whole question: what a range does, judged against what runs.
//!
//! Finds the histories of both trees, takes what the head has and the base has not, replays the
//! base into a model, applies the range, and asks the rules. Not here: the rules themselves.

mod dumps;
mod evidence;
mod find;
mod history;
mod replay;
mod unused;

#[cfg(test)]
mod tests;

use std::hash::{Hash, Hasher};

use crate::CompatReport;
use crate::migration::{Limits, Memo};
use crate::sql::Dialect;
use crate::tree::Tree;

/// Code that runs.
pub struct Running<'a> {
    /// What people call it: the commit's short id, perhaps with its environment.
    pub name: String,
    /// Its files.
    pub tree: &'a dyn Tree,
}

/// What the repository's owner said about its migrations.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Only this framework.
    pub framework: Option<String>,
    /// This dialect, whatever the files say.
    pub dialect: Option<Dialect>,
    /// Only histories under these paths.
    pub paths: Vec<String>,
    /// The base's schema as a file of SQL or Rails' `schema.rb`; (path, text).
    pub schema: Option<(String, String)>,
    /// What bounds the reading.
    pub limits: Limits,
}

/// What is asked.
pub struct Question<'a> {
    /// Trees whose migrations the database has, all of them.
    pub base: Vec<&'a dyn Tree>,
    /// The tree whose migrations will be applied.
    pub head: &'a dyn Tree,
    /// The code that runs while they are.
    pub running: Vec<Running<'a>>,
    /// What the owner said.
    pub settings: Settings,
}

/// The answer. Never panics; what cannot be read is a finding of rule `unreadable`.
pub fn check(question: &Question<'_>) -> CompatReport {
    check_with(question, &Memo::default())
}

/// The answer, with what was read before: a repository's history is judged step by step. The same
/// question about the same trees is not judged again.
pub fn check_with(question: &Question<'_>, memo: &Memo) -> CompatReport {
    memo.answer(question, || judged(question, memo))
}

/// All that an answer depends on: what a content is follows from its id.
impl Hash for Question<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let trees = [self.head].into_iter().chain(self.base.iter().copied());
        for tree in trees.chain(self.running.iter().map(|running| running.tree)) {
            tree.entries().len().hash(state);
            for entry in tree.entries() {
                (&entry.path, &entry.content).hash(state);
            }
        }
        self.base.len().hash(state);
        self.running.iter().for_each(|running| running.name.hash(state));
        format!("{:?}", self.settings).hash(state);
    }
}

fn judged(question: &Question<'_>, memo: &Memo) -> CompatReport {
    let (mut drafts, mut migrations) = (vec![], 0);
    for located in find::changed(question) {
        drafts.extend(history::judge(question, &located, memo, &mut migrations));
    }
    CompatReport { migrations, findings: evidence::settle(question, drafts) }
}
