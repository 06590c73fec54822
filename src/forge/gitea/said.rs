//! Comments under pull requests: which hook tells of one, what somebody may do, and our reactions.
//!
//! A request is an issue here: what is said under it comes as the event `issue_comment`, with `is_pull` (in the
//! settings, and in `X-Gitea-Event-Type`, it is `pull_request_comment`). What is said on lines of code comes as
//! `pull_request_comment` and is not listened to. (`modules/webhook/type.go`, `IssueCommentPayload` in
//! `modules/structs/hook.go`.)
//!
//! The API calls nobody a bot; the servers' own accounts (Actions, "ghost") have numbers below nought.

use ::http::Method;
use serde::Deserialize;

use super::api::Api;
use super::{path, wire};
use crate::forge::client::{Fault, stamp};
use crate::forge::said::is_login;
use crate::forge::{CommentSeen, Permission, Reaction, RepoPath};

/// The event that tells of comments.
pub(super) const EVENT: &str = "issue_comment";

#[derive(Deserialize)]
struct Payload {
    action: String,
    #[serde(default)]
    is_pull: bool,
    issue: Issue,
    comment: Comment,
    repository: wire::HookRepository,
    sender: User,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    state: String,
    /// Which one it belongs to; older versions do not say.
    #[serde(default)]
    repository: Option<wire::HookRepository>,
}

#[derive(Deserialize)]
struct Comment {
    id: i64,
    body: String,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    created_at: String,
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    login: String,
}

/// What somebody said, if the body of an [`EVENT`] tells of that. One that cannot be read tells of nothing: it has
/// been verified, and still wakes.
pub(super) fn heard(json: &[u8]) -> Option<CommentSeen> {
    let Payload { action, is_pull, issue, comment, repository, sender } = serde_json::from_slice(json).ok()?;
    let here = issue.repository.is_none_or(|of| of.full_name.eq_ignore_ascii_case(&repository.full_name));
    let by_a_person = comment.user.id > 0 && sender.id == comment.user.id;
    if action != "created" || !is_pull || issue.state != "open" || !here || !by_a_person {
        return None;
    }
    let seen = CommentSeen {
        number: issue.number,
        id: u64::try_from(comment.id).ok()?,
        author: comment.user.login,
        author_id: Some(u64::try_from(comment.user.id).ok()?),
        body: comment.body,
        url: comment.html_url,
        at: stamp(&comment.created_at),
    };
    seen.checked()
}

/// See `Forge::permission`. The server tells it to administrators of the repository alone (403 to others).
pub(super) async fn permission(api: &Api, repo: &RepoPath, login: &str) -> Result<Permission, Fault> {
    if !is_login(login) {
        return Ok(Permission::None);
    }
    let told: wire::Permission =
        match api.get_urgent("permission", &path(repo, &["collaborators", login, "permission"])).await {
            Ok(answer) => answer.json()?,
            Err(Fault::Said { status: 404, .. }) => return Ok(Permission::None),
            Err(fault) => return Err(fault),
        };
    let unreadable = |what: &str| Fault::Unreadable { words: format!("permission: {what}") };
    let user = told.user.as_ref();
    let name = user.and_then(|user| user.login.as_deref());
    if name.is_some_and(|name| !name.eq_ignore_ascii_case(login)) {
        return Err(unreadable("it is somebody else's"));
    }
    if user.is_some_and(|user| user.prohibit_login == Some(true)) {
        return Ok(Permission::None);
    }
    match told.permission.as_deref() {
        Some("owner" | "admin") => Ok(Permission::Admin),
        Some("write") => Ok(Permission::Write),
        Some("read") => Ok(Permission::Read),
        Some("none") => Ok(Permission::None),
        _ => Err(unreadable("a word that is not known")),
    }
}

/// See `Forge::react`. One that we have given already is answered 200 in place of 201; one that the server's settings
/// leave out (`[ui] REACTIONS`) is refused.
pub(super) async fn react(api: &Api, repo: &RepoPath, comment: u64, reaction: Reaction) -> Result<(), Fault> {
    let content = match reaction {
        Reaction::Seen => "eyes",
        Reaction::Done => "+1",
        Reaction::Refused => "-1",
    };
    let id = comment.to_string();
    let at = path(repo, &["issues", "comments", &id, "reactions"]);
    api.act("react", Method::POST, &at, &serde_json::json!({ "content": content })).await.map(|_| ())
}
