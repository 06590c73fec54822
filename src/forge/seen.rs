//! The values that adapters and everybody else exchange. Plain data; texts in them came from outside
//! and are hostile until shown.

use std::fmt;

use towpath_core::model::{BranchName, CheckName, CiState, CommitId, Instant, RequiredCheck, Span};

use super::said::CommentSeen;

/// A repository as the forge names it: `owner/name`, or with more parts (GitLab's subgroups).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(String);

impl RepoPath {
    /// The path; slashes at its ends and a `.git` are dropped. Adapters escape each part for URLs.
    pub fn new(path: &str) -> Self {
        let path = path.trim_matches('/');
        Self(path.strip_suffix(".git").unwrap_or(path).to_owned())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between slashes.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A repository as a list of the forge has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoSeen {
    /// What stays when it is renamed: the forge's own number.
    pub id: String,
    /// Where it is now.
    pub path: RepoPath,
    /// What it is, where that is not a repository that people develop in.
    pub aside: Option<Aside>,
}

impl RepoSeen {
    /// One of which the list says something odd; its path is at `path_at`.
    pub(super) fn odd(item: &serde_json::Value, path_at: &str) -> Self {
        let id = item["id"].as_u64().map(|id| id.to_string()).unwrap_or_default();
        Self { id, path: RepoPath::new(item[path_at].as_str().unwrap_or_default()), aside: Some(Aside::Odd) }
    }
}

/// What a repository may be, beside one that people develop in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside {
    /// Read-only.
    Archived,
    /// A copy of another one, with branches of the same names.
    Fork,
    /// Fed from elsewhere.
    Mirror,
    /// To be deleted in some days.
    Doomed,
    /// What the list has of it is not what it has of others: nothing is known of it. Number and path are those that it
    /// has, or empty.
    Odd,
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Archived => "it is archived",
            Self::Fork => "it is a fork",
            Self::Doomed => "it is scheduled for deletion",
            Self::Mirror => "it is a mirror of another repository",
            Self::Odd => "what the forge's list has of it cannot be read",
        })
    }
}

/// A movement of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Where the branch was; none where it was not.
    pub before: Option<CommitId>,
    /// Where it was then; none where it was deleted.
    pub after: Option<CommitId>,
    /// How long ago that was: the `Date` header of the forge's own answer minus its stamp, never our clock.
    pub ago: Span,
}

/// One result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSeen {
    /// Its name.
    pub name: CheckName,
    /// Who reported it: an app, a pipeline's source, a person; tells equal names apart.
    pub origin: String,
    /// The branch it ran on, where the forge says so.
    pub on: Option<BranchName>,
    /// After the forge's table has been applied. What is not understood is running, never green.
    pub state: CiState,
    /// How long ago it finished: the `Date` header of the forge's own answer minus its stamp, never
    /// our clock. None where it is not finished or no stamp was given; never negative.
    pub finished_ago: Option<Span>,
    /// Where to read more.
    pub url: Option<String>,
}

/// The checks that the forge's rules require on a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Required {
    /// These.
    Checks(Vec<RequiredCheck>),
    /// The forge has a rule that names no check: everything that is reported must pass.
    Everything,
}

/// A merge request or pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSeen {
    /// The number that people see.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Open, merged or closed.
    pub state: RequestState,
    /// The head as the forge has it now.
    pub head: CommitId,
    /// Title and body as they are, to find our marker and what has to be brought up to date.
    pub title: String,
    /// See [`Self::title`].
    pub body: String,
    /// Approvals that stand: the newest word of each person, not dismissed.
    pub approvals: Vec<ApprovalSeen>,
    /// People whose newest word is that something must be changed first.
    pub objections: Vec<String>,
    /// Whether it is marked as not ready: a draft, or "WIP" where titles say so.
    pub draft: bool,
    /// Who closed or merged it, where it is no longer open and the forge says so.
    pub ended_by: Option<String>,
    /// What the merge made, where it is merged.
    pub merged_as: Option<CommitId>,
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Open, drafts included.
    Open,
    /// Merged, in whatever way.
    Merged,
    /// Closed without having been merged.
    Closed,
}

/// An approval on the forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalSeen {
    /// The login name.
    pub by: String,
    /// The e-mail, where the forge tells it.
    pub email: Option<String>,
    /// Which head it was given for.
    pub head: HeadBound,
}

/// For which head an approval was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadBound {
    /// The forge says for which commit.
    Commit(CommitId),
    /// The forge says only when: by its own clock, and how long before its answer.
    Ago {
        /// By the forge's clock.
        at: Instant,
        /// The forge's `Date` minus that.
        ago: Span,
    },
    /// The forge says neither; it cannot be counted.
    Unbound,
}

/// What a request is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The branch that only Towpath moves.
    pub head: BranchName,
    /// The target branch.
    pub base: BranchName,
    /// One line, escaped for the forge already.
    pub title: String,
    /// Escaped already; holds our marker.
    pub body: String,
    /// Labels to be there; others stay.
    pub labels: Vec<String>,
    /// Login names, and teams with an `@` before them.
    pub reviewers: Vec<String>,
}

/// A commit status of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusLine {
    /// `towpath/<flow>/<environment>`.
    pub context: String,
    /// Pending, success or failure.
    pub state: StatusState,
    /// One line; adapters cut it to what the forge takes.
    pub description: String,
    /// Where to read more.
    pub url: Option<String>,
}

/// The state of a commit status of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusState {
    /// It waits.
    Pending,
    /// It landed.
    Success,
    /// It is blocked.
    Failure,
}

/// Why a call that changes something did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallFault {
    /// The forge said no; nothing was done.
    #[error("the forge refuses: {words}")]
    Refused {
        /// Its words.
        words: String,
    },
    /// Such a thing exists already.
    #[error("the forge has this already: {words}")]
    Exists {
        /// Its words.
        words: String,
    },
    /// Nothing reached the forge, or it said to come later.
    #[error("the forge was not reached: {words}")]
    NotSent {
        /// What was said.
        words: String,
        /// Not before that long from now, where the forge said so.
        retry_after: Option<Span>,
    },
    /// It may have been done or not.
    #[error("no answer from the forge: {words}")]
    NoAnswer {
        /// What was said.
        words: String,
    },
}

/// Something that `doctor` found on the forge's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it stops Towpath, or is worth knowing.
    pub stops: bool,
    /// What was found.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// A webhook that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookSeen {
    /// Unique for each delivery; a redelivery repeats it. None where the forge gives none.
    pub delivery: Option<String>,
    /// The repository it is about; none for events that concern no repository.
    pub repo: Option<RepoPath>,
    /// The event's name, for metrics.
    pub event: String,
    /// What somebody has just said under a request, if it tells of that and it is listened to.
    pub said: Option<CommentSeen>,
}

/// Why a webhook is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HookRefused {
    /// No signature.
    #[error("there is no signature")]
    Unsigned,
    /// None of the secrets made it.
    #[error("the signature is of no configured secret")]
    Forged,
    /// Its time is outside the window.
    #[error("it is too old, or from the future")]
    Stale,
    /// Verified, but not what this forge sends.
    #[error("it cannot be read")]
    Unreadable,
}
