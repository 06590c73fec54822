//! What Gitea and Forgejo write in JSON, as far as we read it.
//!
//! Readers are tolerant of what is absent, null, new or of another version, and strict about the
//! little that decides: an item without its id, or a field of another type, makes the whole answer
//! unreadable. Field names are those of `modules/structs` in go-gitea/gitea and of Forgejo's
//! `swagger.v1.json` (17.0.0-dev, in the crate `forgejo-api` 0.12.0).
//!
//! Not here: what the words mean (each beside its use).

use serde::Deserialize;

/// A person, a bot, or an organisation.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct User {
    /// The name that people log in with. Empty for Gitea's "ghost".
    #[serde(default)]
    pub login: Option<String>,
    /// The real address, or `login@noreply.…` where the person hides it.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the account is shut out; told to administrators of the server only.
    #[serde(default)]
    pub prohibit_login: Option<bool>,
}

/// One row of a commit's statuses. The state is in `status`; `state` is the combined one's.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Status {
    /// Grows with each status that is written: the newest is the one with the greatest.
    pub id: i64,
    /// `pending`, `success`, `error`, `failure`, `warning`, `skipped`, or anything else.
    #[serde(default)]
    pub status: Option<String>,
    /// The check's name.
    #[serde(default)]
    pub context: Option<String>,
    /// What is said of it.
    #[serde(default)]
    pub description: Option<String>,
    /// Null for Gitea's own Actions (it has no account).
    #[serde(default)]
    pub creator: Option<User>,
    /// Where to read more; a path without host for Actions.
    #[serde(default)]
    pub target_url: Option<String>,
    /// RFC 3339.
    #[serde(default)]
    pub updated_at: Option<String>,
}

/// The newest status of each context, of one page. `state` and `total_count` are of the page, too,
/// and are not read.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Combined {
    /// Null where there are none; older versions answer no body at all then.
    #[serde(default)]
    pub statuses: Option<Vec<Status>>,
}

/// A branch.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Branch {
    /// Its name.
    pub name: String,
    /// Its tip.
    #[serde(default)]
    pub commit: Option<Tip>,
    /// Whether a rule covers it.
    #[serde(default)]
    pub protected: Option<bool>,
    /// Whether the rule wants checks.
    #[serde(default)]
    pub enable_status_check: Option<bool>,
    /// Which: glob patterns. None of them: all that are reported.
    #[serde(default)]
    pub status_check_contexts: Option<Vec<String>>,
    /// How many approvals the rule wants before a request is merged.
    #[serde(default)]
    pub required_approvals: Option<i64>,
    /// Whether whoever asks may push to it.
    #[serde(default)]
    pub user_can_push: Option<bool>,
    /// Whether whoever asks may merge requests into it.
    #[serde(default)]
    pub user_can_merge: Option<bool>,
    /// The rule's name; told to administrators of the repository only.
    #[serde(default)]
    pub effective_branch_protection_name: Option<String>,
}

/// A branch's tip.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tip {
    /// The commit's id.
    #[serde(default)]
    pub id: Option<String>,
}

/// A pull request. `mergeable` is not read: it is false while the server computes, and has been seen
/// to stay false (go-gitea/gitea#25849).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pull {
    /// The number that people see.
    pub number: u64,
    /// `open` or `closed`; merged ones are closed.
    pub state: String,
    /// Whether it has been merged.
    #[serde(default)]
    pub merged: Option<bool>,
    /// Its page.
    #[serde(default)]
    pub html_url: Option<String>,
    /// Whether its title begins with a word of the server's for "not ready"; since Gitea 1.22.
    #[serde(default)]
    pub draft: Option<bool>,
    /// Title.
    #[serde(default)]
    pub title: Option<String>,
    /// Body.
    #[serde(default)]
    pub body: Option<String>,
    /// When it was opened. RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// When anything of it changed last.
    #[serde(default)]
    pub updated_at: Option<String>,
    /// Labels.
    #[serde(default)]
    pub labels: Option<Vec<Label>>,
    /// What the merge made.
    #[serde(default)]
    pub merge_commit_sha: Option<String>,
    /// Who merged it.
    #[serde(default)]
    pub merged_by: Option<User>,
    /// What is to be merged.
    pub head: PullEnd,
    /// Where to.
    pub base: PullEnd,
}

/// One end of a pull request.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PullEnd {
    /// The branch's name. Stays when the branch is deleted.
    #[serde(default)]
    pub label: Option<String>,
    /// The branch's name, or `refs/pull/N/head` once the branch is deleted.
    #[serde(default, rename = "ref")]
    pub reference: Option<String>,
    /// Where it is now; empty where the server could not find out.
    #[serde(default)]
    pub sha: Option<String>,
    /// Which repository; -1 where it is gone.
    #[serde(default)]
    pub repo_id: Option<i64>,
}

/// A label.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Label {
    /// Labels are given to requests by id.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// A review.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Review {
    /// Grows with each.
    pub id: i64,
    /// Null for a review that was asked of a team.
    #[serde(default)]
    pub user: Option<User>,
    /// The team that was asked.
    #[serde(default)]
    pub team: Option<AskedTeam>,
    /// `APPROVED`, `REQUEST_CHANGES`, `COMMENT`, `PENDING`, `REQUEST_REVIEW`, or anything else.
    #[serde(default)]
    pub state: Option<String>,
    /// The head that it was given for.
    #[serde(default)]
    pub commit_id: Option<String>,
    /// Whether the server counts it.
    #[serde(default)]
    pub official: Option<bool>,
    /// Whether somebody took its weight away.
    #[serde(default)]
    pub dismissed: Option<bool>,
}

/// What somebody may do in a repository.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Permission {
    /// `none`, `read`, `write`, `admin`, `owner`.
    #[serde(default)]
    pub permission: Option<String>,
    /// Whose it is.
    #[serde(default)]
    pub user: Option<User>,
}

/// A comment on an issue or request.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Comment {
    /// Its id, by which it is edited.
    pub id: i64,
    /// What it says.
    #[serde(default)]
    pub body: Option<String>,
    /// Who wrote it.
    #[serde(default)]
    pub user: Option<User>,
}

/// A commit (`GET /repos/{o}/{r}/git/commits/{sha}`, and of a list).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Commit {
    /// Its id.
    pub sha: String,
    /// Whose account the author's e-mail is; null where it is nobody's.
    #[serde(default)]
    pub author: Option<User>,
}

/// A repository.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Repository {
    /// What whoever asks may do.
    #[serde(default)]
    pub permissions: Option<Permissions>,
    /// Read-only.
    #[serde(default)]
    pub archived: Option<bool>,
    /// Fed from elsewhere: it cannot be pushed to.
    #[serde(default)]
    pub mirror: Option<bool>,
    /// Whether the server's own CI runs here. Absent before Gitea 1.21 and Forgejo 1.21.
    #[serde(default)]
    pub has_actions: Option<bool>,
    /// Whether there can be requests.
    #[serde(default)]
    pub has_pull_requests: Option<bool>,
    /// The merge style `merge`.
    #[serde(default)]
    pub allow_merge_commits: Option<bool>,
    /// The merge style `fast-forward-only`. Absent before Gitea 1.22 and Forgejo 7.
    #[serde(default)]
    pub allow_fast_forward_only_merge: Option<bool>,
    /// What the button does unless somebody chooses.
    #[serde(default)]
    pub default_merge_style: Option<String>,
}

/// A repository in a list. What keeps one from being taken has to be there: what is not said is not "no".
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Listed {
    /// Stays when it is renamed.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
    /// Read-only.
    pub archived: bool,
    /// Made of another one.
    pub fork: bool,
    /// Fed from elsewhere.
    pub mirror: bool,
}

/// What whoever asks may do in a repository.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Permissions {
    /// Write to it.
    #[serde(default)]
    pub push: Option<bool>,
    /// Everything, asking what others may do included.
    #[serde(default)]
    pub admin: Option<bool>,
}

/// A rule for branches; told to administrators of the repository only.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Protection {
    /// Its name, a glob pattern.
    #[serde(default)]
    pub rule_name: Option<String>,
    /// Requests whose head lacks commits of the base cannot be merged.
    #[serde(default)]
    pub block_on_outdated_branch: Option<bool>,
    /// Commits on it must be signed.
    #[serde(default)]
    pub require_signed_commits: Option<bool>,
    /// Whether anybody may push with force. Gitea since 1.23; Forgejo has no such setting.
    #[serde(default)]
    pub enable_force_push: Option<bool>,
    /// Whether only those may who are listed.
    #[serde(default)]
    pub enable_force_push_allowlist: Option<bool>,
    /// Who is listed by name; teams can be, too.
    #[serde(default)]
    pub force_push_allowlist_usernames: Option<Vec<String>>,
}

/// A member of a team.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Member {
    /// The account.
    pub id: i64,
    /// The name that they log in with.
    pub login: String,
}

/// A webhook as the repository has it; told to its administrators only.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Hook {
    /// Its id.
    pub id: i64,
    /// Whether it is switched on.
    #[serde(default)]
    pub active: Option<bool>,
    /// What it is sent for.
    #[serde(default)]
    pub events: Option<Vec<String>>,
    /// `url` and `content_type`, among others.
    #[serde(default)]
    pub config: Option<std::collections::BTreeMap<String, String>>,
}

/// A team of an organisation.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Team {
    /// By which its members are asked for.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// A team that was asked for a review.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AskedTeam {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
}

/// The server's limits.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Limits {
    /// No page is longer than this.
    #[serde(default)]
    pub max_response_items: Option<i64>,
}

/// The server's version.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Version {
    /// `1.24.7`, or Forgejo's `13.0.2+gitea-1.22.0`.
    pub version: String,
}

/// What is read of a webhook's body.
#[derive(Debug, Deserialize)]
pub(super) struct HookBody {
    /// None for events that concern no repository.
    #[serde(default)]
    pub repository: Option<HookRepository>,
}

/// The repository that a webhook is about.
#[derive(Debug, Deserialize)]
pub(super) struct HookRepository {
    /// `owner/name`.
    pub full_name: String,
}
