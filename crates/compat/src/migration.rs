//! A framework's migrations as a tree has them: what an extractor gives and the judgement takes.
//!
//! Not here: finding them ([`crate::frameworks`]) and judging them.

use std::any::Any;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex};

use crate::operation::Step;
use crate::sql::Dialect;
use crate::tree::{ContentId, Tree};
use crate::{CompatReport, Place};

/// One migration: what the framework applies and records as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// What the framework knows it by, unique in its history: a version, a revision id, a directory's
    /// name, `file::author::id` of a change set, `app.0002_name`.
    pub key: String,
    /// What its version orders by where the framework compares versions; `None` where a graph or a
    /// list decides. Compared piece by piece.
    pub version: Option<Vec<u64>>,
    /// The file.
    pub path: String,
    /// Where in the file it begins.
    pub line: u32,
    /// What names its content: of its file, or of its part of it.
    pub content: ContentId,
    /// What its up part does, in order.
    pub steps: Arc<Vec<Step>>,
    /// When it runs.
    pub runs: Runs,
    /// Whether its steps become visible together (one transaction) or one by one.
    pub together: bool,
}

/// What begins the content's id of a migration whose sum its framework was told to take for valid
/// whatever it is: it is never found edited.
pub const ANY_CONTENT: &str = "any:";

/// When a framework runs a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Once; an edit of an applied one is not run again.
    Once,
    /// Again whenever its content changed: Flyway's `R__`, Liquibase's `runOnChange`.
    WhenChanged,
    /// Each time: Liquibase's `runAlways`.
    Always,
    /// Never on a database that has older ones: Flyway's baseline `B__`.
    Never,
    /// Once, where nothing was applied before: a baseline with which the history begins. A database
    /// that has others never runs it.
    First,
}

/// What is wrong with a history by itself, whatever a range adds: one of the history rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The history rule's id: `two-heads`, `duplicate-version`, `stale-sum`, `stale-journal`, `unreadable`.
    pub rule: &'static str,
    /// Where.
    pub at: Place,
    /// One sentence: what is wrong, with names.
    pub words: String,
}

/// All of a framework's migrations in one place of a tree, in the order in which it applies them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// In the framework's own order.
    pub migrations: Vec<Migration>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// What bounds the reading, before anything is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all migrations together.
    pub all_bytes: u64,
    /// Migrations of one history.
    pub migrations: usize,
    /// Statements of one file.
    pub statements: usize,
    /// How deep brackets, blocks and elements may nest.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 8 << 20, all_bytes: 256 << 20, migrations: 50_000, statements: 100_000, nesting: 200 }
    }
}

/// What an extractor reads with.
pub struct Context<'a> {
    /// The commit's files.
    pub tree: &'a dyn Tree,
    /// The dialect of this history.
    pub dialect: Dialect,
    /// What bounds it.
    pub limits: Limits,
    /// What was read before.
    pub memo: &'a Memo,
}

/// What names steps: the framework, the dialect, the content.
type StepsKey = (&'static str, Dialect, ContentId);

/// What a framework keeps of a file.
type Part = Arc<dyn Any + Send + Sync>;

/// Steps by content, so that the second of two trees that share their files is not read again.
#[derive(Debug, Default)]
pub struct Memo {
    steps: Mutex<HashMap<StepsKey, Arc<Vec<Step>>>>,
    together: Mutex<HashMap<(&'static str, ContentId), bool>>,
    parts: Mutex<HashMap<(&'static str, ContentId), Part>>,
    answers: Mutex<HashMap<[u64; 2], CompatReport>>,
    /// Sums of questions are made with keys that nobody can know: none is made to look like another.
    sums: [RandomState; 2],
}

/// How many answers are remembered: then it is begun anew.
const ANSWERS: usize = 256;

impl Memo {
    /// The answer to a question that is all of what is hashed, found now if it was not before.
    pub fn answer(&self, question: impl Hash, find: impl FnOnce() -> CompatReport) -> CompatReport {
        let key = self.sums.each_ref().map(|sum| sum.hash_one(&question));
        if let Some(report) = self.answers.lock().ok().and_then(|known| known.get(&key).cloned()) {
            return report;
        }
        let report = find();
        if let Ok(mut known) = self.answers.lock() {
            if known.len() >= ANSWERS {
                known.clear();
            }
            known.insert(key, report.clone());
        }
        report
    }

    /// What a framework keeps of a file whose steps depend on other files too (Django's need the
    /// models so far). What `read` gives may depend on the content only.
    pub fn part<T: Send + Sync + 'static>(
        &self,
        framework: &'static str,
        content: &ContentId,
        read: impl FnOnce() -> T,
    ) -> Arc<T> {
        let key = (framework, content.clone());
        let known = self.parts.lock().ok().and_then(|parts| parts.get(&key).cloned());
        if let Some(part) = known.and_then(|part| part.downcast::<T>().ok()) {
            return part;
        }
        let part = Arc::new(read());
        if let Ok(mut parts) = self.parts.lock() {
            parts.insert(key, Arc::clone(&part) as Arc<dyn Any + Send + Sync>);
        }
        part
    }

    /// The steps of this content, read now if they were not before. What `read` gives may depend on
    /// the framework, the dialect and the content only: not on the path, not on other files.
    pub fn steps(
        &self,
        framework: &'static str,
        dialect: Dialect,
        content: &ContentId,
        read: impl FnOnce() -> Vec<Step>,
    ) -> Arc<Vec<Step>> {
        let key = (framework, dialect, content.clone());
        if let Some(steps) = self.steps.lock().ok().and_then(|steps| steps.get(&key).cloned()) {
            return steps;
        }
        let steps = Arc::new(read());
        if let Ok(mut known) = self.steps.lock() {
            known.insert(key, Arc::clone(&steps));
        }
        steps
    }

    /// Whether the framework wraps this content in one transaction, read now if it was not before.
    pub fn together(&self, framework: &'static str, content: &ContentId, read: impl FnOnce() -> bool) -> bool {
        let key = (framework, content.clone());
        if let Some(together) = self.together.lock().ok().and_then(|known| known.get(&key).copied()) {
            return together;
        }
        let together = read();
        if let Ok(mut known) = self.together.lock() {
            known.insert(key, together);
        }
        together
    }
}
