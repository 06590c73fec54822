//! Comments under pull requests: which hook tells of one, what somebody may do, and our reactions.
//!
//! A request is an issue to GitHub: what is said under it comes as `issue_comment`, with `pull_request` in the issue.
//! What is said on lines of code, or with a review, comes as other events and is not listened to.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#issue_comment>

use http::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::{GitHub, headed, wire};
use crate::forge::client::{Call, Fault, stamp};
use crate::forge::said::is_login;
use crate::forge::{CommentSeen, Permission, Reaction, RepoPath};

/// The event that tells of comments.
pub(super) const EVENT: &str = "issue_comment";

#[derive(Deserialize)]
struct Payload {
    action: String,
    issue: Issue,
    comment: Comment,
    repository: wire::FullName,
    sender: User,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    state: String,
    repository_url: String,
    /// Only there if it is a request.
    pull_request: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    body: String,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    created_at: String,
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    /// `User`, `Bot`, `Organization`, `Mannequin`.
    #[serde(rename = "type")]
    kind: String,
}

/// What somebody said, if the body of an [`EVENT`] tells of that. One that cannot be read tells of nothing: it has
/// been verified, and still wakes.
pub(super) fn heard(json: &[u8]) -> Option<CommentSeen> {
    let Payload { action, issue, comment, repository, sender } = serde_json::from_slice(json).ok()?;
    // The URL of the API, wherever that is. An issue that was transferred belongs to another repository.
    let home = format!("/repos/{}", repository.full_name.to_lowercase());
    let on_a_request = issue.pull_request.is_some() && issue.state == "open";
    let here = repository.full_name.contains('/') && issue.repository_url.to_lowercase().ends_with(&home);
    let by_a_person = comment.user.kind == "User" && sender.id == comment.user.id;
    if action != "created" || !on_a_request || !here || !by_a_person {
        return None;
    }
    let seen = CommentSeen {
        number: issue.number,
        id: comment.id,
        author: comment.user.login,
        author_id: Some(comment.user.id),
        body: comment.body,
        url: comment.html_url,
        at: stamp(&comment.created_at),
    };
    seen.checked()
}

impl GitHub {
    /// What somebody may do. Everybody may read what is public.
    /// <https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user>
    pub(super) async fn permission_of(&self, repo: &RepoPath, login: &str) -> Result<Permission, Fault> {
        if !is_login(login) {
            return Ok(Permission::None);
        }
        let url = self.repo_url(repo, &["collaborators", login, "permission"], &[])?;
        let asked = self.send(&headed(Call::get("permission", url)).urgent()).await;
        let told: wire::Permission = match asked {
            Ok(answer) => answer.json()?,
            Err(Fault::Said { status: 404, .. }) => return Ok(Permission::None),
            Err(fault) => return Err(fault),
        };
        let unreadable = |what: &str| Fault::Unreadable { words: format!("permission: {what}") };
        if told.user.as_ref().is_some_and(|user| !user.login.eq_ignore_ascii_case(login)) {
            return Err(unreadable("it is somebody else's"));
        }
        meaning(&told).ok_or_else(|| unreadable("a word that is not known"))
    }

    /// A reaction that we have given already is answered 200 in place of 201.
    pub(super) async fn put_reaction(
        &self,
        repo: &RepoPath,
        comment: u64,
        reaction: Reaction,
    ) -> Result<(), Fault> {
        let content = match reaction {
            Reaction::Seen => "eyes",
            Reaction::Done => "+1",
            Reaction::Refused => "-1",
        };
        let url = self.repo_url(repo, &["issues", "comments", &comment.to_string(), "reactions"], &[])?;
        self.done("react", Method::POST, url, &json!({ "content": content })).await
    }
}

/// `permission` has the steps that there were first: to it `maintain` is `write`, and `triage` `read`. `role_name`
/// has them all, and the names of an organisation's own roles, which say nothing: those are what they were made of,
/// and `permission` says what that is. So the role only makes a step of `permission` finer, and never raises it.
fn meaning(told: &wire::Permission) -> Option<Permission> {
    let base = match told.permission.as_str() {
        "admin" => Permission::Admin,
        "write" => Permission::Write,
        "read" => Permission::Read,
        "none" => Permission::None,
        _ => return None,
    };
    Some(match (base, told.role_name.as_str()) {
        (Permission::Admin | Permission::Write, "maintain") => Permission::Maintain,
        (base, "write") => base.min(Permission::Write),
        (base, "triage" | "read") => base.min(Permission::Read),
        (_, "none") => Permission::None,
        (base, _) => base,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_never_gives_more_than_the_permission() {
        for (permission, role, expected) in [
            ("admin", "admin", Some(Permission::Admin)),
            ("write", "maintain", Some(Permission::Maintain)),
            ("write", "write", Some(Permission::Write)),
            ("read", "triage", Some(Permission::Read)),
            ("read", "read", Some(Permission::Read)),
            ("none", "none", Some(Permission::None)),
            ("none", "", Some(Permission::None)),
            // An older Enterprise Server tells no role.
            ("write", "", Some(Permission::Write)),
            // Roles of one's own, whatever they are called.
            ("write", "deployer", Some(Permission::Write)),
            ("read", "Admin", Some(Permission::Read)),
            ("read", "admin", Some(Permission::Read)),
            ("read", "maintain", Some(Permission::Read)),
            ("none", "maintain", Some(Permission::None)),
            ("admin", "read", Some(Permission::Read)),
            ("admin", "none", Some(Permission::None)),
            ("maintain", "maintain", None),
            ("", "admin", None),
            ("owner", "admin", None),
        ] {
            let said =
                wire::Permission { permission: permission.to_owned(), role_name: role.to_owned(), user: None };
            assert_eq!(meaning(&said), expected, "{permission} {role}");
        }
    }
}
