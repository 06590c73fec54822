//! What Towpath says on the forge: its comment and its statuses; and who is in a team.
//!
//! Not here: the sentences, and who wrote commits (`authors`).

use ::http::Method;
use serde::Serialize;
use towpath_core::model::{CommitId, Unknown, UnknownWhy};

use super::api::{Api, Counted};
use super::{path, wire};
use crate::forge::client::Fault;
use crate::forge::{CallFault, RepoPath, StatusLine, StatusState};

/// Descriptions stand in one line of a list; a longer one is no longer read.
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
    let at = path(repo, &["issues", &number, "comments"]);
    // All in one answer: neither server pages comments. Should one begin to, the count tells.
    let answer = api.get("comments", &at, &[]).await.map_err(Fault::before)?;
    let all = answer.json::<Option<Vec<wire::Comment>>>().map_err(Fault::before)?.unwrap_or_default();
    if answer.total.is_some_and(|total| total > all.len() as u64) {
        let words = format!("only {} of {} comments came", all.len(), answer.total.unwrap_or_default());
        return Err(CallFault::NotSent { words, retry_after: None });
    }
    let me = api.whoami().await.map_err(Fault::before)?;
    // Somebody may have copied our comment, marker and all.
    let is_ours = |comment: &&wire::Comment| {
        let by = comment.user.as_ref().and_then(|user| user.login.as_deref());
        comment.body.as_deref().is_some_and(|text| text.starts_with(marker)) && by.is_some() && by == me.as_deref()
    };
    let new = serde_json::json!({ "body": body });
    match all.iter().find(is_ours) {
        Some(had) if had.body.as_deref().map(str::trim) == Some(body.trim()) => Ok(()),
        Some(had) => {
            let id = had.id.to_string();
            let at = path(repo, &["issues", "comments", &id]);
            api.act("edit-comment", Method::PATCH, &at, &new).await.map(|_| ()).map_err(Fault::call)
        }
        None => api.act("comment", Method::POST, &at, &new).await.map(|_| ()).map_err(Fault::call),
    }
}

#[derive(Serialize)]
struct Status<'a> {
    context: &'a str,
    state: &'static str,
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
    let state = match line.state {
        StatusState::Pending => "pending",
        StatusState::Success => "success",
        StatusState::Failure => "failure",
    };
    let description: String = line.description.chars().take(DESCRIPTION_MAX).collect();
    let body = Status { context: &line.context, state, description, target_url: line.url.as_deref() };
    let sha = commit.to_string();
    let at = path(repo, &["statuses", &sha]);
    // What stands already would stand there twice. One page is enough: ours is among the newest, or is written again.
    let answer = api.get("statuses", &at, &[("sort", "recentupdate")]).await;
    let had = answer
        .and_then(|answer| answer.json::<Option<Vec<wire::Status>>>())
        .map_err(Fault::before)?
        .unwrap_or_default();
    let newest = had.iter().filter(|row| row.context.as_deref() == Some(body.context)).max_by_key(|row| row.id);
    let same = |row: &wire::Status| {
        row.status.as_deref() == Some(body.state) && row.description.as_deref() == Some(&*body.description)
    };
    if newest.is_some_and(same) {
        return Ok(());
    }
    api.act("status", Method::POST, &at, &body).await.map(|_| ()).map_err(Fault::call)
}

/// See `Forge::members`. `team` is a team of the repository's owner, or `organisation/team`.
pub(super) async fn members(api: &Api, repo: &RepoPath, team: &str) -> Result<Vec<String>, Unknown> {
    let owner = repo.parts().next().unwrap_or_default();
    let (organisation, name) = team.split_once('/').unwrap_or((owner, team));
    let at = ["orgs", organisation, "teams"];
    let teams = match api.list::<wire::Team>("teams", &at, &[], Counted::Exactly).await {
        Ok((teams, _)) => teams,
        Err(Fault::Said { status: 404, .. }) => return Err(no_team(organisation, name)),
        Err(Fault::Said { status: 403, words }) => return Err(untold(organisation, name, &words)),
        Err(fault) => return Err(fault.unknown()),
    };
    let found = teams.iter().find(|team| team.name.eq_ignore_ascii_case(name));
    let id = found.ok_or_else(|| no_team(organisation, name))?.id.to_string();
    let at = ["teams", id.as_str(), "members"];
    let members = match api.list::<wire::Member>("team-members", &at, &[], Counted::Exactly).await {
        Ok((members, _)) => members,
        Err(Fault::Said { status: 403, words }) => return Err(untold(organisation, name, &words)),
        Err(fault) => return Err(fault.unknown()),
    };
    Ok(members.into_iter().map(|member| member.login).collect())
}

/// The teams of an organisation are told to its members, and who is in one to those who are in it and to the
/// organisation's owners (`reqOrgMembership` and `reqTeamMembership` in `routers/api/v1/api.go`). The right to
/// write to the repository is neither. A token with too few scopes is refused by the same status, and says so itself.
fn untold(organisation: &str, name: &str, words: &str) -> Unknown {
    let words = if words.contains("scope") {
        format!("{words}: the token needs `read:organization`")
    } else {
        format!(
            "{words}: Towpath's user has to be in the team `@{}/{}`, or an owner of the organisation",
            organisation.escape_debug(),
            name.escape_debug()
        )
    };
    Unknown::lasting(UnknownWhy::CredentialsRefused { words })
}

fn no_team(organisation: &str, name: &str) -> Unknown {
    let words = format!(
        "there is no team `{}` in an organisation `{}`, or the token may not see it (it needs `read:organization`)",
        name.escape_debug(),
        organisation.escape_debug()
    );
    Unknown::lasting(UnknownWhy::NoRepository { words })
}
