//! What people have ordered and what stands until it expires, lands or is lifted.
//!
//! Plain rows. Who may give which order is decided where commands are carried out, not here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::flow::GateKind;
use super::id::{Actor, CommitId, EnvName, FlowName, OrderId, PolicyDigest};
use super::ledger::IntentRow;
use super::time::{Instant, Trusted};

/// Everything that stands and bears on one flow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Pauses and freezes, oldest first. Expired ones may still be listed.
    pub pauses: Vec<Pause>,
    /// Holds, oldest first.
    pub holds: Vec<Hold>,
    /// `promote` orders.
    pub promotes: Vec<Promote>,
    /// `override` orders.
    pub overrides: Vec<Override>,
    /// Approvals.
    pub approvals: Vec<Approval>,
    /// Refused pushes, at most one for each edge.
    pub backoffs: Vec<Backoff>,
}

/// Where a pause or freeze reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every flow.
    All,
    /// One flow.
    Flow(FlowName),
    /// One edge.
    Edge(FlowName, EnvName),
    /// That environment of every flow.
    Environment(EnvName),
}

/// When a pause ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// At that instant, by itself.
    At(Instant),
    /// When somebody resumes.
    Resumed,
}

/// A pause or a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Its id.
    pub id: OrderId,
    /// Which of the two.
    pub kind: PauseKind,
    /// Where.
    pub scope: Scope,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Instant,
    /// Until when.
    pub until: Until,
    /// The rewind or rollback that caused it, if one did: undone together with its hold.
    pub cause: Option<OrderId>,
    /// The same instant as `at` by the clock that only counts time that has passed; none in rows of an
    /// older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Trusted>,
}

/// Pause or freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PauseKind {
    /// Automation stops; people may still `promote`.
    Pause,
    /// Everything stops.
    Freeze,
}

/// Stops a commit and everything that contains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its id.
    pub id: OrderId,
    /// What is held.
    pub what: Held,
    /// Only in that flow; none means in every flow that has the commit.
    pub flow: Option<FlowName>,
    /// Only on entry to that environment.
    pub env: Option<EnvName>,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Instant,
    /// A candidate that contains this commit passes all the same.
    pub fixed_by: Option<CommitId>,
}

/// What a hold covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// One commit.
    Commit(CommitId),
    /// Every commit that `lost` contains and `kept` does not: what a rollback took away.
    Range {
        /// The tip before.
        lost: CommitId,
        /// The tip after.
        kept: CommitId,
    },
}

/// A standing order for one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promote {
    /// Its id.
    pub id: OrderId,
    /// The flow.
    pub flow: FlowName,
    /// The target environment.
    pub env: EnvName,
    /// The candidate.
    pub commit: CommitId,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Instant,
    /// Until when.
    pub until: Instant,
}

/// Passes one gate for one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Its id.
    pub id: OrderId,
    /// The gate.
    pub gate: GateKind,
    /// The flow.
    pub flow: FlowName,
    /// The target environment.
    pub env: EnvName,
    /// The candidate.
    pub commit: CommitId,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Instant,
    /// Until when.
    pub until: Instant,
    /// The request that was for the commit before that: as long as it is, the order stands.
    #[serde(default)]
    pub request: Option<u64>,
    /// For the gate on migrations: what was found when it was given, by [`CompatKey`](super::CompatKey) and
    /// finding. It passes nothing else.
    #[serde(default)]
    pub accepts: Vec<String>,
}

/// One person's approval of one candidate for one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its id.
    pub id: OrderId,
    /// The flow.
    pub flow: FlowName,
    /// The target environment.
    pub env: EnvName,
    /// Exactly this commit.
    pub commit: CommitId,
    /// By whom.
    pub by: Actor,
    /// Their e-mail (git's `user.email` where they ran the command), lower-cased, if known.
    pub email: Option<String>,
    /// Their other addresses, likewise, where the config says which are theirs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<String>,
    /// When.
    pub at: Instant,
}

/// A refused push and when to try it again; or one of which it cannot be told what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// The flow.
    pub flow: FlowName,
    /// The target environment.
    pub env: EnvName,
    /// The server's words.
    pub words: String,
    /// How many times in a row this was refused.
    pub count: u32,
    /// When to try again.
    pub until: Instant,
    /// The target's tip then; another one ends the back-off.
    pub old: CommitId,
    /// What was pushed; another candidate ends the back-off.
    pub new: CommitId,
    /// The config then; another one ends the back-off.
    pub policy: PolicyDigest,
}

impl Scope {
    /// Whether it covers that edge.
    pub fn covers(&self, flow: &FlowName, env: &EnvName) -> bool {
        match self {
            Self::All => true,
            Self::Flow(f) => f == flow,
            Self::Edge(f, e) => f == flow && e == env,
            Self::Environment(e) => e == env,
        }
    }

    /// Whether it covers anything in that flow; `envs` are the flow's targets.
    pub fn touches<'a>(&self, flow: &FlowName, mut envs: impl Iterator<Item = &'a EnvName>) -> bool {
        match self {
            Self::All => true,
            Self::Flow(f) | Self::Edge(f, _) => f == flow,
            Self::Environment(e) => envs.any(|env| env == e),
        }
    }
}

impl Until {
    /// Whether it has come.
    pub fn is_over(self, wall: Instant) -> bool {
        match self {
            Self::At(at) => at <= wall,
            Self::Resumed => false,
        }
    }
}

impl Backoff {
    /// `until` of a push that is not tried again before a person says so.
    pub const FOR_A_PERSON: Instant = Instant(i64::MAX);

    /// Nobody knows what the push did (its process ended, or the answer was lost), and the branch is
    /// where it was. It may have moved and been taken back, and what a person took back stays so.
    /// `words` are what git said, if anything.
    pub fn in_doubt(row: &IntentRow, words: String) -> Self {
        Self {
            flow: row.flow.clone(),
            env: row.env.clone(),
            words,
            count: 0,
            until: Self::FOR_A_PERSON,
            old: row.old,
            new: row.new,
            policy: row.policy.clone(),
        }
    }

    /// Whether only a person may end it.
    pub fn is_in_doubt(&self) -> bool {
        self.until == Self::FOR_A_PERSON
    }
}

impl Pause {
    /// Whether it stands and covers that edge.
    pub fn stands_on(&self, flow: &FlowName, env: &EnvName, wall: Instant) -> bool {
        !self.until.is_over(wall) && self.scope.covers(flow, env)
    }
}

impl Hold {
    /// Whether it bears on entry to that environment; which commits it covers is the graph's matter.
    pub fn bears_on(&self, flow: &FlowName, env: &EnvName) -> bool {
        self.flow.as_ref().is_none_or(|f| f == flow) && self.env.as_ref().is_none_or(|e| e == env)
    }
}
