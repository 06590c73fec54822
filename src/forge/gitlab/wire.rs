//! What GitLab writes in JSON, as far as we read it.
//!
//! Readers are tolerant of what is absent, null, new or of another version, and strict about the little
//! that decides: an item without its id, or a field of another type, makes the whole answer unreadable.
//! Words stay words. Field names are those of <https://docs.gitlab.com/api/api_resources/>.
//!
//! Not here: what the words mean (each beside its use).

mod graph;

use serde::Deserialize;

use crate::forge::client::read::or_default;

pub(super) use graph::*;

/// A person or a bot.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct User {
    /// Its number.
    #[serde(default)]
    pub id: Option<u64>,
    /// The name that people log in with.
    #[serde(default)]
    pub username: Option<String>,
    /// `active`, `blocked`, `deactivated`, …
    #[serde(default)]
    pub state: Option<String>,
    /// The address that they show to everybody, a confirmed one; mostly empty.
    #[serde(default)]
    pub public_email: Option<String>,
}

/// Somebody of whom it matters who it is.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Account {
    /// Its number.
    pub id: u64,
    /// The name that they log in with.
    pub username: String,
}

/// A run of CI.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Pipeline {
    /// Grows with each.
    pub id: u64,
    /// The branch or tag, or `refs/merge-requests/N/head`.
    #[serde(default, rename = "ref")]
    pub reference: Option<String>,
    /// `running`, `success`, …; looked at only where it ran nothing.
    #[serde(default)]
    pub status: Option<String>,
    /// What began it: `push`, `schedule`, `merge_request_event`, `external`, …
    #[serde(default)]
    pub source: Option<String>,
    /// Its page.
    #[serde(default)]
    pub web_url: Option<String>,
}

/// A job, or a status that something outside of GitLab reported.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Status {
    /// Grows with each.
    pub id: u64,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The branch or tag of its pipeline.
    #[serde(default, rename = "ref")]
    pub reference: Option<String>,
    /// `success`, `failed`, `manual`, …
    #[serde(default)]
    pub status: Option<String>,
    /// Whether the project says that its failure is none.
    #[serde(default)]
    pub allow_failure: Option<bool>,
    /// RFC 3339.
    #[serde(default)]
    pub finished_at: Option<String>,
    /// Where to read more.
    #[serde(default)]
    pub target_url: Option<String>,
    /// What it says.
    #[serde(default)]
    pub description: Option<String>,
    /// Which pipeline it is of. Older versions do not say.
    #[serde(default)]
    pub pipeline_id: Option<u64>,
}

/// A merge request.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Request {
    /// The number that people see.
    pub iid: u64,
    /// `opened`, `closed`, `locked` (for the moment of a merge), `merged`.
    pub state: String,
    /// Its head, as far as GitLab has noticed.
    #[serde(default)]
    pub sha: Option<String>,
    /// Where from, within the project below.
    #[serde(default)]
    pub source_branch: Option<String>,
    /// Where to.
    #[serde(default)]
    pub target_branch: Option<String>,
    /// Whose branch the source is; null where that project is gone.
    #[serde(default)]
    pub source_project_id: Option<u64>,
    /// Whose branch the target is.
    #[serde(default)]
    pub target_project_id: Option<u64>,
    /// Title.
    #[serde(default)]
    pub title: Option<String>,
    /// Whether it is not ready, by its title; since 13.1.
    #[serde(default)]
    pub draft: Option<bool>,
    /// The same in older versions.
    #[serde(default)]
    pub work_in_progress: Option<bool>,
    /// Body.
    #[serde(default)]
    pub description: Option<String>,
    /// Names of labels.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    /// Its page.
    #[serde(default)]
    pub web_url: Option<String>,
    /// Who merged it.
    #[serde(default)]
    pub merge_user: Option<User>,
    /// The same in older versions.
    #[serde(default)]
    pub merged_by: Option<User>,
    /// Who closed it.
    #[serde(default)]
    pub closed_by: Option<User>,
    /// What the merge made; null where it was a fast-forward.
    #[serde(default)]
    pub merge_commit_sha: Option<String>,
    /// What a squash made.
    #[serde(default)]
    pub squash_commit_sha: Option<String>,
    /// Whether "Squash commits" is ticked.
    #[serde(default)]
    pub squash: Option<bool>,
    /// The same after the project's settings; older versions do not say.
    #[serde(default)]
    pub squash_on_merge: Option<bool>,
    /// Whether and why not it can be merged; since 15.6.
    #[serde(default)]
    pub detailed_merge_status: Option<String>,
    /// The same, coarser, in all versions.
    #[serde(default)]
    pub merge_status: Option<String>,
    /// Why a merge that was begun did not happen.
    #[serde(default)]
    pub merge_error: Option<String>,
}

/// Who approved a merge request.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Approvals {
    /// Each once.
    #[serde(default)]
    pub approved_by: Option<Vec<Approval>>,
}

/// One person's approval.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Approval {
    /// Who.
    #[serde(default)]
    pub user: Option<User>,
    /// When; older versions do not say.
    #[serde(default)]
    pub approved_at: Option<String>,
}

/// Somebody who was asked for a review.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Reviewer {
    /// Who.
    pub user: Account,
    /// `unreviewed`, `reviewed`, `approved`, `requested_changes`, …
    #[serde(default)]
    pub state: Option<String>,
}

/// A diff of a merge request, made at each push to its source branch.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Version {
    /// Grows with each.
    pub id: u64,
    /// Of which head.
    #[serde(default)]
    pub head_commit_sha: Option<String>,
    /// RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
}

/// A comment, or what GitLab notes itself.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Note {
    /// Its number, by which it is edited.
    pub id: u64,
    /// What it says.
    #[serde(default)]
    pub body: Option<String>,
    /// Who wrote or did it.
    #[serde(default)]
    pub author: Option<User>,
    /// RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// Whether GitLab wrote it about something that somebody did.
    #[serde(default)]
    pub system: Option<bool>,
}

/// A branch.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Branch {
    /// Its tip.
    #[serde(default)]
    pub commit: Option<Tip>,
    /// Whether a rule covers it.
    #[serde(default)]
    pub protected: Option<bool>,
    /// Whether whoever asks may push to it.
    #[serde(default)]
    pub can_push: Option<bool>,
}

/// A branch's tip.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Tip {
    /// The commit's id.
    #[serde(default)]
    pub id: Option<String>,
}

/// A rule for branches.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Protection {
    /// Who may merge.
    #[serde(default)]
    pub merge_access_levels: Option<Vec<Access>>,
    /// Whether those who may push may do so with force.
    #[serde(default)]
    pub allow_force_push: Option<bool>,
}

/// Who a rule lets do something: a role and all above it, a person, or a group.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Access {
    /// 0 is nobody, 30 developers, 40 maintainers, 60 administrators; null beside the others.
    #[serde(default)]
    pub access_level: Option<u64>,
    /// That person.
    #[serde(default)]
    pub user_id: Option<u64>,
    /// That group's members.
    #[serde(default)]
    pub group_id: Option<u64>,
}

/// A project, as far as its settings matter. Settings are null to those who may not see them.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Project {
    /// `merge`, `rebase_merge` (semi-linear), `ff`.
    #[serde(default)]
    pub merge_method: Option<String>,
    /// `never`, `always`, `default_on`, `default_off`.
    #[serde(default)]
    pub squash_option: Option<String>,
    /// "Pipelines must succeed".
    #[serde(default)]
    pub only_allow_merge_if_pipeline_succeeds: Option<bool>,
    /// "All threads must be resolved".
    #[serde(default)]
    pub only_allow_merge_if_all_discussions_are_resolved: Option<bool>,
    /// Read-only.
    #[serde(default)]
    pub archived: Option<bool>,
    /// Fed from elsewhere.
    #[serde(default)]
    pub mirror: Option<bool>,
    /// Whether there can be requests.
    #[serde(default)]
    pub merge_requests_enabled: Option<bool>,
    /// What whoever asks may do.
    #[serde(default)]
    pub permissions: Option<Permissions>,
}

/// A project in a list.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Listed {
    /// Stays when it is renamed.
    pub id: u64,
    /// Where it is now.
    pub path_with_namespace: String,
    /// Read-only. What keeps a project from being taken has to be there: what is not said is not "no".
    pub archived: bool,
    /// Fed from elsewhere; in paid tiers alone.
    #[serde(default)]
    pub mirror: Option<bool>,
    /// When it is deleted, if it is to be. <https://docs.gitlab.com/api/projects/#delete-a-project>
    #[serde(default)]
    pub marked_for_deletion_on: Option<String>,
    /// The same in older versions.
    #[serde(default)]
    pub marked_for_deletion_at: Option<String>,
    /// There where it is a fork of one that may be seen.
    #[serde(default)]
    pub forked_from_project: Option<serde_json::Value>,
    /// There where it is a fork, of whatever: `lib/api/entities/project.rb` of gitlabhq shows it of forks alone. Older
    /// versions have it not.
    #[serde(default)]
    pub mr_default_target_self: Option<serde_json::Value>,
}

/// The roles of whoever asks.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Permissions {
    /// In the project itself.
    #[serde(default)]
    pub project_access: Option<Role>,
    /// By a group.
    #[serde(default)]
    pub group_access: Option<Role>,
}

/// A role.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Role {
    /// 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner.
    #[serde(default)]
    pub access_level: Option<u64>,
}

/// A member of a group.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Member {
    /// Its number.
    pub id: u64,
    /// The name that they log in with.
    pub username: String,
    /// Of the account: `active`, `blocked`, …
    #[serde(default)]
    pub state: Option<String>,
    /// Of the membership: `active`, or `awaiting` somebody's yes.
    #[serde(default)]
    pub membership_state: Option<String>,
    /// As of [`Role`]; 5 is "minimal access", which is access to nothing.
    #[serde(default)]
    pub access_level: Option<u64>,
    /// The day on which it ends; null where it never does.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// An emoji that somebody gave to a note.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Award {
    /// Its number.
    pub id: u64,
    /// Which: `eyes`.
    pub name: String,
    /// Who.
    #[serde(default)]
    pub user: Option<User>,
}

/// A token, as it sees itself.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Token {
    /// `api`, `read_api`, `write_repository`, …
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// A day; null where it never ends.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// A webhook of the project; told to maintainers only.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Hook {
    /// Its number.
    pub id: u64,
    /// Where it is sent.
    #[serde(default)]
    pub url: Option<String>,
    /// What it is sent for.
    #[serde(default)]
    pub push_events: Option<bool>,
    /// See above.
    #[serde(default)]
    pub pipeline_events: Option<bool>,
    /// See above.
    #[serde(default)]
    pub merge_requests_events: Option<bool>,
    /// See above: comments.
    #[serde(default)]
    pub note_events: Option<bool>,
    /// Only for branches of this name or pattern; empty for all.
    #[serde(default)]
    pub push_events_branch_filter: Option<String>,
    /// `executable`, `temporarily_disabled`, `disabled`.
    #[serde(default)]
    pub alert_status: Option<String>,
    /// Until when it is switched off after failures.
    #[serde(default)]
    pub disabled_until: Option<String>,
    /// Whether the other end's certificate is looked at.
    #[serde(default)]
    pub enable_ssl_verification: Option<bool>,
}

/// What is read of a webhook's body.
#[derive(Debug, Deserialize)]
pub(super) struct HookBody {
    /// None for events that concern no project.
    #[serde(default)]
    pub project: Option<HookProject>,
    /// Where system hooks have it.
    #[serde(default)]
    pub path_with_namespace: Option<String>,
}

/// The project that a webhook is about.
#[derive(Debug, Deserialize)]
pub(super) struct HookProject {
    /// `group/subgroup/name`.
    #[serde(default)]
    pub path_with_namespace: Option<String>,
}

/// One of `GET /projects/:id/events`.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    /// When.
    #[serde(default)]
    pub created_at: Option<String>,
    /// Of a push.
    #[serde(default)]
    pub push_data: Option<PushData>,
}

/// See [`Event`].
#[derive(Debug, Deserialize)]
pub(super) struct PushData {
    /// `branch` or `tag`.
    #[serde(default, deserialize_with = "or_default")]
    pub ref_type: String,
    /// Its name; null where one event stands for several.
    #[serde(default, rename = "ref")]
    pub of: Option<String>,
    /// Null where it was made.
    #[serde(default)]
    pub commit_from: Option<String>,
    /// Null where it was deleted.
    #[serde(default)]
    pub commit_to: Option<String>,
}
