//! What is known and told of commits before they enter an environment by time alone.
//!
//! Not here: which they are (`decide`), and whether it is time to tell of them (`see`).

use serde::{Deserialize, Serialize};

use super::co_author::CoAuthor;
use super::id::CommitId;
use super::ledger::Event;
use super::time::{Instant, Now};

/// What time alone will let into an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// The candidates that enter within the time of the heads-up if nothing happens, newest first: each
    /// enters later than all below it.
    pub soon: Vec<Soon>,
    /// When another one may come to be among them by time alone.
    pub next: Option<Instant>,
}

/// A candidate that waits for time and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Soon {
    /// The commit.
    pub commit: CommitId,
    /// When it enters, by the wall.
    pub at: Instant,
}

/// A heads-up that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadsUpTold {
    /// The newest commit that it named.
    pub newest: CommitId,
    /// When that was to enter.
    pub at: Instant,
    /// At which look it was told.
    pub told: Now,
}

/// A commit as it is told of before it enters an environment. The texts are whatever somebody pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coming {
    /// The commit.
    pub id: CommitId,
    /// The author's name as written in it, cut.
    pub author: String,
    /// The author's e-mail as written in it; empty where it is longer than any address.
    pub email: String,
    /// Who its message says wrote it as well, machines among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_authors: Vec<CoAuthor>,
    /// The first line of its message, cut.
    pub subject: String,
}

impl Event {
    /// How many commits a heads-up names.
    pub const COMING_MAX: usize = 10;
}
