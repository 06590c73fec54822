//! What Towpath says on GitLab: its comment and its statuses.
//!
//! **Where a status goes.** GitLab hangs every status into a pipeline: the newest of the commit and the
//! reference that was named, or a new one of the source `external`
//! (`app/services/ci/create_commit_status_service.rb`). Were ours hung into the pipeline of a push, a
//! pending one would keep that pipeline running, "pipelines must succeed" would then wait for us while we
//! wait for it, and a failed one would make it red. So the reference that we name is none that exists,
//! [`REFERENCE`], the same for all: the first status of a commit makes a pipeline of its own there, all later ones
//! join it, and every other pipeline stays as it is. (Naming a `pipeline_id` does no better: the
//! status would be in that pipeline; and a wrong one made yet another pipeline, #443254.) A request's own
//! pipelines are looked for by its source branch, and are not these.
//!
//! A status that is so already is not written again: GitLab would list it twice, or refuse to go from
//! pending to pending.
//!
//! Not here: the sentences.

use ::http::Method;
use serde::Serialize;
use towpath_core::model::CommitId;

use super::api::{Api, path};
use super::{approvals, wire};
use crate::forge::client::Fault;
use crate::forge::{CallFault, RepoPath, StatusLine, StatusState};

/// The reference of our statuses. No branch may have the name: a pipeline of that branch would get them.
const REFERENCE: &str = "towpath-status";

/// What GitLab takes of a description.
const DESCRIPTION_MAX: usize = 255;

/// See `Forge::comment`.
pub(super) async fn comment(
    api: &Api,
    repo: &RepoPath,
    number: u64,
    marker: &str,
    body: &str,
) -> Result<(), CallFault> {
    let number = number.to_string();
    let notes = approvals::notes(api, repo, &number).await.map_err(Fault::before)?;
    let me = api.whoami().await.map_err(Fault::before)?.username;
    // Somebody may have copied our comment, marker and all.
    let is_ours = |note: &&wire::Note| {
        let by = note.author.as_ref().and_then(|author| author.username.as_deref());
        let marked = note.body.as_deref().is_some_and(|text| text.starts_with(marker));
        marked && note.system != Some(true) && by.is_some() && by == me.as_deref()
    };
    let new = serde_json::json!({ "body": body });
    match notes.iter().find(is_ours) {
        Some(had) if had.body.as_deref().map(str::trim) == Some(body.trim()) => Ok(()),
        Some(had) => {
            let id = had.id.to_string();
            let at = path(repo, &["merge_requests", &number, "notes", &id]);
            api.act("edit-comment", Method::PUT, &at, &new).await.map(|_| ()).map_err(Fault::call)
        }
        None => {
            let at = path(repo, &["merge_requests", &number, "notes"]);
            api.act("comment", Method::POST, &at, &new).await.map(|_| ()).map_err(Fault::call)
        }
    }
}

#[derive(Serialize)]
struct Status<'a> {
    name: &'a str,
    state: &'static str,
    #[serde(rename = "ref")]
    reference: &'static str,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_url: Option<&'a str>,
}

/// See `Forge::status`.
pub(super) async fn status(
    api: &Api,
    repo: &RepoPath,
    commit: CommitId,
    line: &StatusLine,
) -> Result<(), CallFault> {
    // The words for writing and for reading are the same.
    let state = match line.state {
        StatusState::Pending => "pending",
        StatusState::Success => "success",
        StatusState::Failure => "failed",
    };
    let description: String = line.description.chars().take(DESCRIPTION_MAX).collect();
    let sha = commit.to_string();
    let at = path(repo, &["repository", "commits", &sha, "statuses"]);
    let query = [("ref", REFERENCE), ("name", line.context.as_str())];
    let had = api.list::<wire::Status>("our-statuses", &at, &query).await.map_err(Fault::before)?.items;
    let named = |had: &&wire::Status| had.name.as_deref() == Some(line.context.as_str());
    let newest = had.iter().filter(named).max_by_key(|had| had.id);
    let is_so = newest.is_some_and(|had| {
        let pending = state == "pending" && had.status.as_deref() == Some(state);
        pending || (had.status.as_deref() == Some(state) && had.description.as_deref() == Some(&description))
    });
    if is_so {
        return Ok(());
    }
    let name = line.context.as_str();
    let body = Status { name, state, reference: REFERENCE, description, target_url: line.url.as_deref() };
    api.act("status", Method::POST, &path(repo, &["statuses", &sha]), &body).await.map(|_| ()).map_err(Fault::call)
}
