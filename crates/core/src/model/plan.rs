//! What was decided: a value that can be printed, saved and compared before anything is done.

use serde::{Deserialize, Serialize};

use super::heads_up::Ahead;
use super::id::{CommitId, EnvName, FlowName, OrderId, PolicyDigest};
use super::request::Merging;
use super::seen::Tip;
use super::time::{Instant, Now};
use super::verdict::{Judged, Verdict};

/// The decisions of a flow at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The flow.
    pub flow: FlowName,
    /// The instant.
    pub now: Now,
    /// The config it was decided under.
    pub policy: PolicyDigest,
    /// One for each edge, source-most first. Acted on target-most first.
    pub decisions: Vec<Decision>,
}

/// What was decided for one edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The target environment.
    pub env: EnvName,
    /// Where the source is.
    pub source: Tip,
    /// Where the target is.
    pub target: Tip,
    /// What is to be done now, if anything.
    pub action: Option<Action>,
    /// The edge's verdict: that of its lead, or of the edge itself where it has none.
    pub verdict: Verdict,
    /// The candidate that can move soonest, with everything that was checked of it.
    pub lead: Option<Candidate>,
    /// Newer candidates that are further from moving, newest first, at most [`Decision::BESIDE_MAX`].
    pub beside: Vec<Candidate>,
    /// Where everything newer is blocked: the newest candidate that would pass if it had CI, and
    /// has none because it never was a push tip.
    pub unproven: Option<Candidate>,
    /// The earliest instant at which the verdict may change by time alone.
    pub next: Option<Instant>,
    /// How many candidates were judged on dear facts.
    pub looked_at: u32,
    /// How many commits of the source the target lacks and could get.
    pub waiting: u32,
    /// Which of those came onto the source first: how far behind the target is.
    #[serde(default)]
    pub oldest: Option<Oldest>,
    /// What time alone will let in, where people are told before it enters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<Ahead>,
}

/// The commit that has waited longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oldest {
    /// The commit.
    pub commit: CommitId,
    /// When it came onto the source, by the wall.
    pub since: Instant,
    /// When somebody is told that it waits, or was, where that is configured.
    #[serde(default)]
    pub alarm: Option<Instant>,
}

impl Decision {
    /// How many newer candidates are named beside the lead.
    pub const BESIDE_MAX: usize = 3;
}

/// A candidate and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The commit.
    pub commit: CommitId,
    /// Its author's name, as written in it.
    pub author: String,
    /// Its first line.
    pub subject: String,
    /// Every check, in the order of [`super::verdict::Check`].
    pub judged: Vec<Judged>,
}

/// The one thing that a decision wants done. Everything needed is in it: acting makes no choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Move the target branch from exactly `old` forward to `new`.
    FastForward {
        /// Where it must be.
        old: CommitId,
        /// Where it goes.
        new: CommitId,
        /// The `promote` order that this rests on.
        promote: Option<OrderId>,
        /// The `override` orders that this rests on.
        overrides: Vec<OrderId>,
        /// Merge this request instead of pushing.
        #[serde(default)]
        merge: Option<Merging>,
    },
    /// Put a candidate into the request of the edge: move the request branch, and open the request
    /// where there is none.
    Propose {
        /// The candidate.
        head: CommitId,
        /// Where the request branch is; none where it does not exist.
        from: Option<CommitId>,
        /// The open request.
        request: Option<u64>,
    },
}

impl Action {
    /// The move of the target branch that it makes, if it makes one.
    pub const fn moves(&self) -> Option<(CommitId, CommitId)> {
        match self {
            Self::FastForward { old, new, .. } => Some((*old, *new)),
            Self::Propose { .. } => None,
        }
    }
}

impl Candidate {
    /// Its worst verdict: what keeps it from moving, or the pass of the last check.
    pub fn verdict(&self) -> Option<&Verdict> {
        // `max_by_key` returns the last of equals; the first failing check is what people expect.
        self.judged.iter().rev().max_by_key(|j| j.verdict.distance()).map(|j| &j.verdict)
    }
}
