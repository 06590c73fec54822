//! Questions of the gate, answered by a process of their own.
//!
//! Whoever asks starts this very program as `check-migrations --questions` and writes a line of JSON for
//! each question; the answers come back in the same order, a line each. What a repository holds is not
//! trusted: a file that makes a reader run wild ends that process and nothing else.
//!
//! Not here: starting it and what its end means (`checker`), and what is judged (`towpath-compat`).

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;

use git2::{Oid, Repository};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use towpath_compat::CompatReport;
use towpath_compat::check::{self, Running, Settings, check_with};
use towpath_compat::frameworks::detect;
use towpath_compat::migration::Memo;
use towpath_compat::sql::Dialect;
use towpath_compat::tree::Tree;
use towpath_core::model::CommitId;
use towpath_core::text::one_line;

use super::{Cannot, GitTree, commit_of, open};

/// A question about commits of one repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Question {
    /// The commits whose migrations the database has.
    pub base: Vec<String>,
    /// The commit whose migrations will be applied.
    pub head: String,
    /// The commit whose code runs meanwhile.
    pub running: String,
    /// Only this framework.
    pub framework: Option<String>,
    /// This dialect.
    pub dialect: Option<String>,
    /// The path of a file in the repository that holds the base's schema.
    pub schema: Option<String>,
    /// Only migrations under these paths.
    pub paths: Vec<String>,
}

/// What bounds the process. Written to it before the first question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Memory of its own, in bytes. Mapped files do not count: a repository's packs may be large.
    pub memory: u64,
    /// Processor time, in seconds.
    pub processor: u64,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What was found.
    Report(CompatReport),
    /// Why it cannot be answered.
    Cannot(Unanswered),
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// In words.
    pub words: String,
    /// Whether it stays so until a person does something; else asking again may help.
    pub lasting: bool,
}

impl Unanswered {
    /// Asking again may help.
    pub fn passing(words: impl Into<String>) -> Self {
        Self { words: words.into(), lasting: false }
    }

    /// A person has to act.
    pub fn lasting(words: impl Into<String>) -> Self {
        Self { words: words.into(), lasting: true }
    }
}

impl From<Cannot> for Unanswered {
    fn from(cannot: Cannot) -> Self {
        let words = cannot.to_string();
        match cannot {
            // Neither the cache nor the remote has it: what was fetched before it was asked for.
            Cannot::NoCommit(_) | Cannot::Foreign { .. } => Self::lasting(words),
            Cannot::NoRepository(_) | Cannot::File { .. } | Cannot::Git(_) => Self::passing(words),
        }
    }
}

/// Answers every question that comes in, until there are no more.
///
/// # Errors
/// If the repository cannot be opened, or whoever asks is gone.
pub fn answer_all(repository: &Path, input: impl BufRead, mut output: impl Write) -> Result<(), Cannot> {
    let file = |error| Cannot::File { path: "the questions".to_owned(), error };
    let mut lines = input.lines();
    if let Some(bounds) = lines.next() {
        let bounds = bounds.map_err(file)?;
        bound(serde_json::from_str(&bounds).map_err(|error| file(error.into()))?);
    }
    // As the service opens its mirror, which may belong to another user; a folder with a work tree as people do.
    let repository = Repository::open_bare(repository).or_else(|_| open(repository))?;
    let mut answering = Answering { repository: &repository, trees: BTreeMap::new(), memo: Memo::default() };
    for line in lines {
        let answer = match serde_json::from_str(&line.map_err(file)?) {
            Ok(question) => answering.answer(&question).unwrap_or_else(|cannot| Answer::Cannot(cannot.into())),
            Err(error) => Answer::Cannot(Unanswered::passing(error.to_string())),
        };
        let mut line = serde_json::to_vec(&answer).unwrap_or_default();
        line.push(b'\n');
        output.write_all(&line).and_then(|()| output.flush()).map_err(file)?;
    }
    Ok(())
}

/// Lowers what this process may use; what is lower already stays. Where a limit cannot be set, the one who
/// asks still ends a process that does not answer in time.
fn bound(bounds: Bounds) {
    // The first signal at the processor's limit says what it is about; the one of the hard limit does not.
    let limits = [
        (Resource::Data, bounds.memory, bounds.memory),
        (Resource::Cpu, bounds.processor, bounds.processor.saturating_add(5)),
        (Resource::Core, 0, 0),
    ];
    for (resource, most, at_all) in limits {
        let present = getrlimit(resource);
        let lower = |limit: Option<u64>, most: u64| Some(limit.map_or(most, |limit| limit.min(most)));
        let limit = Rlimit { current: lower(present.current, most), maximum: lower(present.maximum, at_all) };
        let _ = setrlimit(resource, limit);
    }
}

struct Answering<'a> {
    repository: &'a Repository,
    trees: BTreeMap<Oid, GitTree<'a>>,
    memo: Memo,
}

impl Answering<'_> {
    /// Reads the tree of a commit, once.
    fn read(&mut self, words: &str) -> Result<Oid, Cannot> {
        let commit = commit_of(self.repository, words)?;
        if !self.trees.contains_key(&commit.id()) {
            self.trees.insert(commit.id(), GitTree::read(self.repository, &commit.tree()?)?);
        }
        Ok(commit.id())
    }

    fn answer(&mut self, question: &Question) -> Result<Answer, Cannot> {
        let mut base = question.base.iter().map(|words| self.read(words)).collect::<Result<Vec<_>, _>>()?;
        base.dedup();
        let head = self.read(&question.head)?;
        let running = self.read(&question.running)?;
        let name = question.running.parse().map_or_else(|_| question.running.clone(), |id: CommitId| id.short());
        let (Some(head), Some(running)) = (self.trees.get(&head), self.trees.get(&running)) else {
            return Ok(Answer::Cannot(Unanswered::passing("a tree was read and is not there")));
        };
        let trees: Vec<(Oid, &GitTree<'_>)> =
            base.iter().filter_map(|id| self.trees.get(id).map(|tree| (*id, tree))).collect();
        if let Some(nothing) = nothing_there(question, head, &trees) {
            return Ok(Answer::Cannot(Unanswered::lasting(nothing)));
        }
        let schema = match &question.schema {
            None => None,
            Some(path) => match self.schema(path, &trees) {
                Some(text) => Some((path.clone(), text)),
                // It comes with the candidate: until then the migrations tell what there is.
                None if head.entry(path).is_some() => None,
                None => {
                    let words = format!("there is no file `{}` in it", one_line(path, 200));
                    return Ok(Answer::Cannot(Unanswered::lasting(words)));
                }
            },
        };
        let settings = Settings {
            framework: question.framework.clone(),
            dialect: question.dialect.as_deref().and_then(Dialect::of_word),
            paths: question.paths.clone(),
            schema,
            ..Settings::default()
        };
        let asked = check::Question {
            base: trees.iter().map(|(_, tree)| *tree as &dyn Tree).collect(),
            head,
            running: vec![Running { name, tree: running }],
            settings,
        };
        Ok(Answer::Report(check_with(&asked, &self.memo)))
    }

    /// The text of the file that holds the schema, of the base that has the others' commits too.
    fn schema(&self, path: &str, base: &[(Oid, &GitTree<'_>)]) -> Option<String> {
        let above = |one: Oid, other: Oid| {
            one == other || self.repository.graph_descendant_of(one, other).unwrap_or_default()
        };
        let newest = base.iter().find(|(one, _)| base.iter().all(|(other, _)| above(*one, *other)));
        newest.or(base.first())?.1.text(path).ok()
    }
}

/// Whoever names a framework or paths means something that is there: a slip would switch the check off.
fn nothing_there(question: &Question, head: &GitTree<'_>, base: &[(Oid, &GitTree<'_>)]) -> Option<String> {
    if question.framework.is_none() && question.paths.is_empty() {
        return None;
    }
    let finds = |tree: &GitTree<'_>| !detect(tree, question.framework.as_deref(), &question.paths).is_empty();
    if finds(head) || base.iter().any(|(_, tree)| finds(tree)) {
        return None;
    }
    let framework = question.framework.iter().map(|name| format!("`framework = \"{}\"`", one_line(name, 60)));
    let paths = (!question.paths.is_empty()).then(|| "`paths`".to_owned());
    let words: Vec<String> = framework.chain(paths).collect();
    Some(format!("{} of `gates.migrations` finds no migrations", words.join(" with ")))
}
