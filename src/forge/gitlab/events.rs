//! Who moved a branch when, as GitLab keeps it.

use towpath_core::model::{BranchName, CommitId};

use super::api::{Api, PER_PAGE, path};
use super::wire;
use crate::forge::client::{Fault, ago, stamp};
use crate::forge::{Pushed, RepoPath};

/// See `Forge::pushes`: of the newest hundred pushes to whatever branch or tag, those to this one.
/// <https://docs.gitlab.com/api/events/#list-all-visible-events-for-a-project>
///
/// A push of more than a few branches at once is one event that names none of them
/// (`push_event_activities_limit`), so nothing before it is told.
pub(super) async fn pushes(api: &Api, repo: &RepoPath, branch: &BranchName) -> Result<Vec<Pushed>, Fault> {
    let query = [("action", "pushed"), ("sort", "desc"), ("per_page", &*PER_PAGE.to_string())];
    let answer = api.answer("events", &path(repo, &["events"]), &query).await?;
    let all: Vec<wire::Event> = answer.json()?;
    let mut pushes = Vec::new();
    for event in all {
        // Whatever it is, it may have been of this branch.
        let Some((data, of)) = event.push_data.and_then(|mut data| data.of.take().map(|of| (data, of))) else {
            break;
        };
        if data.ref_type != "branch" || of != branch.as_str() {
            continue;
        }
        let Some(ago) = ago(answer.date, event.created_at.as_deref().and_then(stamp)) else { break };
        pushes.push(Pushed { before: commit(data.commit_from), after: commit(data.commit_to), ago });
    }
    Ok(pushes)
}

fn commit(id: Option<String>) -> Option<CommitId> {
    id?.parse().ok()
}
