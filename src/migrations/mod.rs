//! Schema migrations in a git repository: would a range of commits break the code that runs?
//!
//! Fetches what `towpath-compat` asks for out of git's objects, and lays out its answer for people and
//! for the tools that show findings on a diff. Nothing of the repository is run or checked out.
//!
//! Not here: what is compatible (`towpath-compat`), and what a gate makes of it (`towpath-core`).

mod accepted;
mod checker;
mod history;
mod question;
mod render;
mod said;
mod tree;

use std::path::Path;

use git2::{Commit, ErrorCode, Repository, RepositoryOpenFlags};
use towpath_compat::CompatReport;
use towpath_compat::check::{Running, Settings, check};
use towpath_core::text::one_line;

pub use accepted::{Accepted, PATH as ACCEPTED_PATH, entries};
pub use checker::{Checker, Told};
pub use history::{HistoryOf, Step, Steps, of_history};
pub use question::{Bounds, Question, Unanswered, answer_all};
pub use render::{Shown, github, gitlab, sarif};
pub use said::said;
pub use tree::GitTree;

/// Why a question about a repository cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum Cannot {
    /// There is no repository.
    #[error("`{0}` is no git repository")]
    NoRepository(String),
    /// It belongs to another user, and git does not trust it.
    #[error("git does not trust `{path}`: {words}")]
    Foreign {
        /// The folder.
        path: String,
        /// What git said.
        words: String,
    },
    /// The words name no commit.
    #[error("`{0}` is no commit of this repository")]
    NoCommit(String),
    /// A file on this machine cannot be read.
    #[error("`{path}` cannot be read: {error}")]
    File {
        /// The file.
        path: String,
        /// What was the matter.
        error: std::io::Error,
    },
    /// Git's objects are missing or damaged.
    #[error("the repository cannot be read: {0}")]
    Git(#[from] git2::Error),
}

impl Cannot {
    /// How to mend it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoRepository(_) => Some("stand in one, or name it with `--repo DIR`"),
            Self::NoCommit(_) => {
                Some("a branch, a tag or an id; a shallow clone lacks most of them: `git fetch --unshallow`")
            }
            Self::Foreign { .. } => {
                Some("`git config --global --add safe.directory DIR`, if you trust what is in it")
            }
            Self::File { .. } | Self::Git(_) => None,
        }
    }
}

/// The repository in or above that folder.
///
/// # Errors
/// If there is none.
pub fn open(folder: &Path) -> Result<Repository, Cannot> {
    let nothing: [&Path; 0] = [];
    let path = || one_line(&folder.to_string_lossy(), 200);
    Repository::open_ext(folder, RepositoryOpenFlags::empty(), nothing).map_err(|error| match error.code() {
        ErrorCode::Owner => Cannot::Foreign { path: path(), words: one_line(error.message(), 200) },
        _ => Cannot::NoRepository(path()),
    })
}

/// The commit of somebody's words: a branch, a tag, an id, `HEAD~3`.
///
/// # Errors
/// If there is none.
pub fn commit_of<'a>(repository: &'a Repository, words: &str) -> Result<Commit<'a>, Cannot> {
    let found = repository.revparse_single(words).and_then(|object| object.peel_to_commit());
    found.map_err(|error| match error.code() {
        ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::Ambiguous | ErrorCode::Peel => {
            Cannot::NoCommit(one_line(words, 100))
        }
        _ => Cannot::Git(error),
    })
}

/// What people call a commit.
pub fn short(commit: &Commit<'_>) -> String {
    commit.id().to_string().chars().take(8).collect()
}

/// A question about commits.
pub struct Asked<'a> {
    /// The commits whose migrations the database has.
    pub base: Vec<Commit<'a>>,
    /// The commit whose migrations will be applied.
    pub head: Commit<'a>,
    /// The commits whose code runs meanwhile.
    pub running: Vec<Commit<'a>>,
    /// What the owner said of the migrations.
    pub settings: Settings,
}

/// Asks.
///
/// # Errors
/// If git's objects cannot be read.
pub fn ask(repository: &Repository, asked: &Asked<'_>) -> Result<CompatReport, Cannot> {
    let read =
        |commit: &Commit<'_>| -> Result<GitTree<'_>, Cannot> { Ok(GitTree::read(repository, &commit.tree()?)?) };
    let base = asked.base.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let head = read(&asked.head)?;
    let running = asked.running.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let names = asked.running.iter().map(short);
    let running = running.iter().zip(names).map(|(tree, name)| Running { name, tree }).collect();
    let base = base.iter().map(|tree| tree as &dyn towpath_compat::tree::Tree).collect();
    Ok(check(&towpath_compat::check::Question { base, head: &head, running, settings: asked.settings.clone() }))
}
