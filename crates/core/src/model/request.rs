//! Merge requests as facts: what the forge shows of the request of an edge, and what we remember of
//! having put into it.
//!
//! Not here: the words in a request's body (`explain::request`), and when one is opened or merged
//! (`decide::request`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::id::{Actor, BranchName, CommitId, EnvName, FlowName};
use super::seen::Tip;
use super::time::{Now, Trusted};

/// How requests into an environment are handled: `[flow.environment.request]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRules {
    /// When a request is opened.
    pub open: OpenWhen,
    /// Who merges.
    pub merge: MergeBy,
    /// Login names to ask, and teams with an `@` before them.
    pub reviewers: Vec<String>,
    /// Labels to put on it.
    pub labels: Vec<String>,
    /// Its title; none means our own.
    pub title: Option<String>,
}

impl Default for RequestRules {
    fn default() -> Self {
        Self {
            open: OpenWhen::Ready,
            merge: MergeBy::Towpath,
            reviewers: Vec::new(),
            labels: Vec::new(),
            title: None,
        }
    }
}

/// When a request is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenWhen {
    /// When every gate but approvals, window and schedule passes.
    Ready,
    /// As soon as there is a candidate that nothing blocks.
    AtOnce,
}

/// Who merges a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MergeBy {
    /// Towpath, when every gate passes.
    Towpath,
    /// People.
    Person,
}

/// What the names of branches begin with that only Towpath moves.
pub const REQUEST_BRANCHES: &str = "towpath/";

/// The branch that only Towpath moves, from which requests into `env` are opened.
pub fn request_branch(flow: &FlowName, env: &EnvName) -> BranchName {
    BranchName::new(format!("{REQUEST_BRANCHES}{flow}/{env}"))
}

/// What the forge shows of the requests of one edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Where the request branch is.
    pub branch: Tip,
    /// The open request from that branch into the target's; of several the oldest.
    pub open: Option<OpenRequest>,
    /// The newest request that is no longer open, if it was closed without having been merged.
    pub closed: Option<ClosedRequest>,
    /// Ways of merging that this forge and project have.
    pub ways: Ways,
}

/// Ways of merging that a forge and project have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// The target can be moved to the head itself, and the request then counts as merged.
    pub fast_forward: bool,
    /// A merge commit can be made.
    pub merge_commit: bool,
    /// We may push to the target, and close a request whose head is in it.
    #[serde(default)]
    pub push: bool,
}

/// An open request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRequest {
    /// The number that people see.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Its head as the forge has it.
    pub head: CommitId,
    /// Approvals that stand, of any head: the newest word of each person.
    pub approvals: Vec<RequestApproval>,
    /// People whose newest word is that something must be changed first.
    pub objections: Vec<Actor>,
    /// Somebody marked it as not ready.
    #[serde(default)]
    pub draft: bool,
}

/// An approval on a forge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestApproval {
    /// The login name.
    pub by: Actor,
    /// Their e-mail, lower-cased, where it is known.
    pub email: Option<String>,
    /// What it is bound to.
    pub given: Given,
    /// Whose account that is, where the config has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<AccountHolder>,
}

/// A person whose account on a forge is, as the config has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountHolder {
    /// Their name.
    pub name: Actor,
    /// All their addresses, lower-cased.
    pub emails: BTreeSet<String>,
    /// All their accounts on that forge, lower-cased.
    pub logins: BTreeSet<String>,
}

/// What an approval on a forge is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// To that head.
    For(CommitId),
    /// To no head, but it is known when it was given.
    At(Trusted),
    /// To nothing: it cannot be counted.
    Unbound,
}

/// A request that was closed without having been merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedRequest {
    /// The number that people see.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Its last head.
    pub head: CommitId,
    /// Who closed it, where the forge says so.
    pub by: Option<Actor>,
}

/// What we put onto a request branch: durable before it is pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The head that we want there.
    pub head: CommitId,
    /// The head that we had there before.
    pub before: Option<CommitId>,
    /// When it was put there.
    pub at: Now,
    /// When it was first seen there after that. An approval that is bound to no commit counts only
    /// if it came later.
    pub confirmed: Option<Now>,
    /// A closed request that somebody said to go on without: the number.
    pub passed_over: Option<u64>,
    /// The request of which people were told that it is for this head.
    #[serde(default)]
    pub announced: Option<u64>,
    /// The request whose reviewers were asked: once is enough, also where people took somebody off it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
    /// Until when what puts it there may be under way; none if it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Trusted>,
    /// The last request whose head we pushed to the target, which does not end it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<PushedRequest>,
}

/// A request whose head we pushed to the target instead of having it merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRequest {
    /// The request.
    pub number: u64,
    /// Its head.
    pub head: CommitId,
    /// Whether it is still to be closed.
    pub open: bool,
}

impl Proposed {
    /// Whether we put that commit there.
    pub fn put(&self, head: CommitId) -> bool {
        self.head == head || self.before == Some(head)
    }
}

/// A request that is just being opened, or whose head is being moved: an order that comes now does not stop it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Underway {
    /// The flow.
    pub flow: FlowName,
    /// The environment that the request is into.
    pub env: EnvName,
    /// The head to be.
    pub head: CommitId,
    /// Until when it may still come.
    pub until: Trusted,
}

/// Merging a request instead of pushing: part of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merging {
    /// The request.
    pub number: u64,
    /// How.
    pub how: MergeHow,
}

/// How a request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MergeHow {
    /// The target becomes the head itself.
    FastForward,
    /// A merge commit of target and head.
    MergeCommit,
    /// The target is pushed to the head itself, and the request is closed afterwards.
    Push,
}

/// Which of a forge's people wrote some commits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorLogins {
    /// Their login names.
    pub logins: BTreeSet<Actor>,
    /// Whether the forge knows the author of some of them not.
    pub unlinked: bool,
    /// Which those are, where the forge says it: of each address one commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strangers: Vec<Stranger>,
}

/// A commit whose author, or co-author, has no account that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// Which.
    pub commit: CommitId,
    /// The author's address by git, in lower case. None until it was looked at.
    pub email: Option<String>,
    /// Whether that is the address of a `Co-authored-by:` line in its message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub co_author: bool,
}

/// The checks that a forge requires on a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequiredChecks {
    /// These.
    Named(BTreeSet<RequiredCheck>),
    /// Everything that is reported.
    All,
}

/// One check that a forge's rule requires.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequiredCheck {
    /// Its name, or a pattern (`*` stands for anything).
    pub name: String,
    /// Whose results count alone, as [`CiItem::origin`](super::CiItem::origin) begins; anybody's where it is none.
    pub by: Option<String>,
}

impl RequiredCheck {
    /// A check by that name or pattern, whoever reports it.
    pub fn of_anybody(name: impl Into<String>) -> Self {
        Self { name: name.into(), by: None }
    }
}
