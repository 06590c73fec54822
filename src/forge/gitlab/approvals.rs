//! Approvals and objections of a merge request.
//!
//! GitLab binds an approval to no commit, and on its free tier enforces none: they are counted by us. What
//! can be had is when one was given, by GitLab's clock, and who counts it compares that with when the head
//! was put there ([`HeadBound::Ago`]):
//! * `approved_at`, in newer versions (#335669);
//! * else the note that GitLab writes ("approved this merge request"), the newest of that person;
//! * else nothing, and it does not count ([`HeadBound::Unbound`]).
//!
//! Who approved before the head moved has to revoke and approve again: GitLab takes no second approval of one
//! person. (`reset_approvals_on_push`, of the paid tiers, revokes by itself.)
//!
//! No e-mail is taken for the approver's: GitLab shows others only a public one, which need not be the one
//! that their commits bear. Bots of access tokens and accounts that are not active approve nothing.
//!
//! An objection is a reviewer's "requested changes" (16.9; the list of reviewers is older).
//!
//! Not here: how many are enough.

use std::collections::BTreeMap;

use towpath_core::model::Instant;

use super::api::{Api, path};
use super::wire;
use crate::forge::client::{Fault, ago, stamp};
use crate::forge::{ApprovalSeen, HeadBound, RepoPath};

/// What GitLab notes of an approval. It is written in English, whatever language people use it in
/// (`app/services/system_notes/merge_requests_service.rb`).
const APPROVED: &str = "approved this merge request";

/// What people said of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub approvals: Vec<ApprovalSeen>,
    pub objections: Vec<String>,
}

/// Reads what stands.
pub(super) async fn read(api: &Api, repo: &RepoPath, number: u64) -> Result<Words, Fault> {
    let number = number.to_string();
    let at = |rest: &'static str| ["merge_requests", number.as_str(), rest];
    let answer = api.answer("approvals", &path(repo, &at("approvals")), &[]).await?;
    let said: wire::Approvals = answer.json()?;
    let Some(approvals) = said.approved_by else {
        return Err(Fault::Unreadable { words: "approvals: it does not say by whom".to_owned() });
    };
    let unsaid = |approval: &wire::Approval| approval.approved_at.as_deref().and_then(stamp).is_none();
    let noted =
        if approvals.iter().any(unsaid) { noted(notes(api, repo, &number).await?) } else { BTreeMap::new() };
    let reviewers = api.list::<wire::Reviewer>("reviewers", &path(repo, &at("reviewers")), &[]).await?.items;
    Ok(fold(approvals, &noted, reviewers, answer.date))
}

/// Every note of a request, oldest first.
pub(super) async fn notes(api: &Api, repo: &RepoPath, number: &str) -> Result<Vec<wire::Note>, Fault> {
    let at = path(repo, &["merge_requests", number, "notes"]);
    Ok(api.list::<wire::Note>("notes", &at, &[("order_by", "created_at"), ("sort", "asc")]).await?.items)
}

/// When each person's approval was noted last.
fn noted(notes: Vec<wire::Note>) -> BTreeMap<String, Instant> {
    let mut last = BTreeMap::new();
    for note in notes {
        // Anybody can write those words; only GitLab writes them as itself.
        if note.system != Some(true) || note.body.as_deref().map(str::trim) != Some(APPROVED) {
            continue;
        }
        let by = note.author.and_then(|author| author.username);
        if let (Some(by), Some(at)) = (by, note.created_at.as_deref().and_then(stamp)) {
            let had = last.entry(by).or_insert(at);
            *had = at.max(*had);
        }
    }
    last
}

fn fold(
    approvals: Vec<wire::Approval>,
    noted: &BTreeMap<String, Instant>,
    reviewers: Vec<wire::Reviewer>,
    date: Option<Instant>,
) -> Words {
    let mut words = Words::default();
    for approval in approvals {
        let Some(by) = approval.user.and_then(person) else { continue };
        let at = approval.approved_at.as_deref().and_then(stamp).or_else(|| noted.get(&by).copied());
        let head = match (at, ago(date, at)) {
            (Some(at), Some(ago)) => HeadBound::Ago { at, ago },
            _ => HeadBound::Unbound,
        };
        words.approvals.push(ApprovalSeen { by, email: None, head });
    }
    let objects = |reviewer: &wire::Reviewer| reviewer.state.as_deref() == Some("requested_changes");
    words.objections = reviewers.into_iter().filter(objects).map(|reviewer| reviewer.user.username).collect();
    words
}

/// The name of a person whose word counts.
fn person(user: wire::User) -> Option<String> {
    let active = user.state.as_deref().is_none_or(|state| state == "active");
    user.username.filter(|name| active && !name.is_empty() && !is_bot(name))
}

/// Whether it is the user of an access token: `project_17_bot`, `group_9_bot_0a1b2c`.
/// <https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects>
fn is_bot(name: &str) -> bool {
    let rest = name.strip_prefix("project_").or_else(|| name.strip_prefix("group_"));
    rest.and_then(|rest| rest.split_once('_')).is_some_and(|(number, rest)| {
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        // Further ones of a project were `project_17_bot1` before they were `project_17_bot_0a1b2c`.
        let of_bot = |rest: &str| rest.is_empty() || rest.starts_with(|c: char| c == '_' || c.is_ascii_digit());
        digits && rest.strip_prefix("bot").is_some_and(of_bot)
    })
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};
    use towpath_core::model::Span;

    use super::*;

    fn read(approvals: Value, notes: Value, reviewers: Value) -> Words {
        let noted = noted(serde_json::from_value(notes).unwrap());
        let date = stamp("2026-11-21T10:00:00Z");
        fold(serde_json::from_value(approvals).unwrap(), &noted, serde_json::from_value(reviewers).unwrap(), date)
    }

    fn by(name: &str) -> Value {
        json!({"id": 1, "username": name, "state": "active"})
    }

    fn note(name: &str, body: &str, system: bool, minute: u32) -> Value {
        json!({
            "id": minute, "author": by(name), "body": body, "system": system,
            "created_at": format!("2026-11-21T09:{minute:02}:00.000Z"),
        })
    }

    fn bound(words: &Words) -> Vec<(&str, Option<Span>)> {
        let ago = |approval: &ApprovalSeen| match approval.head {
            HeadBound::Ago { ago, .. } => Some(ago),
            HeadBound::Unbound => None,
            HeadBound::Commit(_) => panic!("GitLab does not say"),
        };
        words.approvals.iter().map(|approval| (approval.by.as_str(), ago(approval))).collect()
    }

    #[test]
    fn an_approval_is_bound_by_when_it_was_given() {
        let approvals = json!([
            {"user": by("ana"), "approved_at": "2026-11-21T09:59:00.500Z"},
            {"user": by("bo")},
            {"user": by("cy"), "approved_at": null},
            {"user": by("di"), "approved_at": "2026-11-21T11:00:00Z"},
        ]);
        let notes = json!([
            note("bo", APPROVED, true, 10),
            note("bo", "unapproved this merge request", true, 20),
            note("bo", APPROVED, true, 30),
            note("cy", APPROVED, false, 40),
            note("ana", APPROVED, true, 5),
        ]);
        let words = read(approvals, notes, json!([]));
        let expected = [
            ("ana", Some(Span::from_ms(59_500))),
            ("bo", Some(Span::from_mins(30))),
            ("cy", None),
            // From the future: its age is not known.
            ("di", None),
        ];
        assert_eq!(bound(&words), expected);
        assert!(words.approvals.iter().all(|approval| approval.email.is_none()));
    }

    #[test]
    fn only_people_with_a_living_account_approve() {
        let approvals = json!([
            {"user": {"username": "gone", "state": "blocked"}}, {"user": null}, {"user": {"username": ""}},
            {"user": by("project_17_bot")}, {"user": by("group_9_bot_0a1b2c")}, {"user": by("project_2_bot3")},
            {"user": by("project_bot")}, {"user": by("project_3_bottom")},
            {"user": {"username": "old"}},
        ]);
        let words = read(approvals, json!([]), json!([]));
        assert_eq!(bound(&words), [("project_bot", None), ("project_3_bottom", None), ("old", None)]);
    }

    #[test]
    fn requested_changes_are_an_objection_and_other_words_none() {
        let reviewers = json!([
            {"user": by("ana"), "state": "requested_changes"}, {"user": by("bo"), "state": "approved"},
            {"user": by("cy"), "state": "unreviewed"}, {"user": by("di"), "state": null},
        ]);
        assert_eq!(read(json!([]), json!([]), reviewers).objections, ["ana"]);
    }
}
