//! What Towpath would have done, and what people did beside it: the two records that `compare`
//! puts next to each other.
//!
//! Kept for edges that are only observed and for those that are acted on: there, too, people push
//! by hand. Not here: which of the two was right (`crate::compare`).

use serde::{Deserialize, Serialize};

use super::id::{CommitId, EnvName};
use super::time::{Instant, Now};
use super::verdict::Verdict;

/// A move that was decided on. On an observed edge it is not made; elsewhere it mostly is within
/// the same tick.
///
/// A decision that flaps is one row that begins again, and a target that leaves `old` settles all
/// its rows: so there are never more rows than commits that could have moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldMove {
    /// Where the target is.
    pub old: CommitId,
    /// Where it would go.
    pub new: CommitId,
    /// At which look that was first decided.
    pub began: Now,
    /// At which look it was no longer decided, unless it still is.
    pub ended: Option<Now>,
    /// How often it began.
    pub times: u32,
}

/// A move of a target that was not ours, with how Towpath saw it then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandMove {
    /// The environment.
    pub env: EnvName,
    /// At which look it was seen.
    pub at: Now,
    /// When the flow had been looked at before: the move was made after that.
    pub after: Option<Instant>,
    /// Where the target was.
    pub old: CommitId,
    /// Where it is.
    pub new: CommitId,
    /// Which way it went.
    pub way: Way,
    /// What Towpath had decided while the target was at `old`.
    pub would: Would,
    /// What Towpath would have said of `new` at that look, had nobody moved it.
    pub stood: Stood,
}

/// Which way a target was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// To a commit that contains the old tip.
    Forward,
    /// To a commit that the old tip contains.
    Back,
    /// To a commit on another line of history.
    Aside,
}

/// What Towpath had decided while the target was where people moved it from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Would {
    /// Since when it would have made this very move.
    pub same: Option<Instant>,
    /// The first move that would have gone further, and have brought this commit with it.
    pub further: Option<Wanted>,
    /// The first move that would have gone a part of the way.
    pub part: Option<Wanted>,
}

/// A commit, and since when Towpath would have moved the target to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The commit.
    pub new: CommitId,
    /// At which look that was first decided.
    pub since: Instant,
}

/// What stood against a move when it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stood {
    /// Nothing: it could have moved at that look.
    Nothing,
    /// This.
    Against {
        /// The commit that was judged: the moved one or, where Towpath would not have stopped
        /// there, the oldest candidate that contains it.
        of: CommitId,
        /// The worst that was found.
        verdict: Verdict,
    },
    /// The source did not have the commit.
    NotOnSource,
    /// The source has it, and was never seen to hold it or anything above it as its tip.
    NeverTip,
    /// It was not judged, because it was not a way forward.
    NotForward,
}
