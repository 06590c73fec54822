//! Approvals and objections of a merge request.
//!
//! GitLab binds an approval to no commit, and on its free tier enforces none: they are counted by us. What
//! can be had is when one was given, by GitLab's clock, and who counts it compares that with when the head
//! was put there ([`HeadBound::Ago`]):
//! * `approved_at`, in newer versions (#335669);
//! * else the note that GitLab writes ("approved this merge request"), the newest of that person;
//! * else nothing, and it does not count ([`HeadBound::Unbound`]).
//!
//! That comparison alone would count the approval of something that stood there for a while and was replaced
//! by what had been there before: the branch looks as if it had never moved. But GitLab makes a **version** (a diff)
//! at each push to the source branch, whatever it puts there, and shows people the newest. So an approval counts only
//! if it was given after the newest version was made, and that is of the request's head. GitLab makes one too
//! when the request is reopened or pointed elsewhere, when the target is pushed with force and when commits of the
//! request come to it by another way (`reload_diff_if_branch_changed` in `app/models/merge_request.rb` of gitlabhq,
//! `reopen_service.rb` and `refresh_service.rb` in its `app/services/merge_requests`): then whoever approved has to
//! do so again.
//! <https://docs.gitlab.com/api/merge_requests/#get-merge-request-diff-versions>
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

use towpath_core::model::{CommitId, Instant};

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

/// By GitLab's clock.
#[derive(Clone, Copy)]
struct Times {
    /// Since when people see what is the request's head; none where that cannot be told.
    seen_from: Option<Instant>,
    /// When the approvals were read.
    answered: Option<Instant>,
}

/// Since when the newest diff is that of the head.
fn seen_from(newest: Vec<wire::Version>, head: CommitId) -> Option<Instant> {
    let newest = newest.into_iter().next()?;
    let of = newest.head_commit_sha.and_then(|sha| sha.parse::<CommitId>().ok());
    newest.created_at.as_deref().and_then(stamp).filter(|_| of == Some(head))
}

/// Reads what stands of an open request whose head is that one.
pub(super) async fn read(api: &Api, repo: &RepoPath, number: u64, head: CommitId) -> Result<Words, Fault> {
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
    // After the approvals: what was put there since is then newer than all of them.
    let seen_from = if approvals.is_empty() {
        None
    } else {
        let at = path(repo, &at("versions"));
        seen_from(api.first::<wire::Version>("versions", &at, &[], 1).await?, head)
    };
    Ok(fold(approvals, &noted, reviewers, Times { seen_from, answered: answer.date }))
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
    times: Times,
) -> Words {
    let mut words = Words::default();
    for approval in approvals {
        let Some(by) = approval.user.and_then(person) else { continue };
        let at = approval.approved_at.as_deref().and_then(stamp).or_else(|| noted.get(&by).copied());
        let at = at.filter(|at| times.seen_from.is_some_and(|from| *at > from));
        let head = match (at, ago(times.answered, at)) {
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
        let times = Times { seen_from: stamp("2026-11-21T09:00:00Z"), answered: date };
        fold(serde_json::from_value(approvals).unwrap(), &noted, serde_json::from_value(reviewers).unwrap(), times)
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
    fn an_approval_counts_from_when_the_head_was_shown() {
        let head = "1".repeat(40);
        let from = |newest: Value| seen_from(serde_json::from_value(newest).unwrap(), head.parse().unwrap());
        let version = |sha: &str, at: &str| json!([{"id": 1, "head_commit_sha": sha, "created_at": at}]);
        let at = "2026-11-21T09:30:00.000Z";
        assert_eq!(from(version(&head, at)), stamp(at));
        for none in [json!([]), version(&"2".repeat(40), at), version(&head, "soon"), json!([{"id": 1}])] {
            assert_eq!(from(none.clone()), None, "{none}");
        }
        let approvals = json!([
            {"user": by("ana"), "approved_at": "2026-11-21T09:29:59.999Z"},
            {"user": by("bo"), "approved_at": at},
            {"user": by("cy"), "approved_at": "2026-11-21T09:30:00.001Z"},
        ]);
        for (seen_from, expected) in [(stamp(at), [false, false, true]), (None, [false; 3])] {
            let times = Times { seen_from, answered: stamp("2026-11-21T10:00:00Z") };
            let words = fold(serde_json::from_value(approvals.clone()).unwrap(), &BTreeMap::new(), vec![], times);
            assert_eq!(bound(&words).into_iter().map(|(_, ago)| ago.is_some()).collect::<Vec<_>>(), expected);
        }
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
