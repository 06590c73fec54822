//! Reviews: who approves, who objects, and for which commit.
//!
//! A person's newest word counts, the forge's own flags beside it:
//! * `commit_id` is the head that it was given for, and the only thing that an approval is bound by.
//!   `stale` says that the head has moved since; such approvals stay listed, and it is the caller who
//!   compares.
//! * `dismissed` takes a word's weight away. The word before it does not come back.
//! * `official` says that the server itself counts the review: its author may write, or is on the
//!   rule's list. Anybody who can read may review, so what is not official counts only if the
//!   person has the right to write. (Older Gitea calls nothing official on a branch without a
//!   rule.)
//! * `REQUEST_REVIEW` after an approval asks for a new one: the approval is gone. An objection stays.
//!
//! `models/issues/review.go` of go-gitea/gitea. Not here: how many approvals are enough.

use std::collections::BTreeMap;

use towpath_core::model::CommitId;

use super::wire;
use crate::forge::{ApprovalSeen, HeadBound};

/// What the reviews of a request come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// People whose newest word approves.
    pub approvals: Vec<Word>,
    /// People whose newest word is that something has to change.
    pub objections: Vec<Word>,
}

/// One person's newest word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Who, and for what.
    pub seen: ApprovalSeen,
    /// Whether the server itself counts it.
    pub official: bool,
}

/// Which of the words decide; all others (comments, unfinished ones, new words) change nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Approves,
    Objects,
    Asked,
}

fn meaning(state: Option<&str>) -> Option<Meaning> {
    match state {
        Some("APPROVED") => Some(Meaning::Approves),
        Some("REQUEST_CHANGES") => Some(Meaning::Objects),
        Some("REQUEST_REVIEW") => Some(Meaning::Asked),
        _ => None,
    }
}

/// The newest word of each person.
pub(super) fn fold(mut reviews: Vec<wire::Review>) -> Words {
    reviews.sort_by_key(|review| review.id);
    let mut standing: BTreeMap<String, Option<(Meaning, Word)>> = BTreeMap::new();
    for review in reviews {
        let Some(user) = review.user else { continue };
        let login = user.login.unwrap_or_default();
        let Some(meaning) = meaning(review.state.as_deref()) else { continue };
        // Accounts that are gone share one name; nobody stands behind it.
        if login.is_empty() || login.eq_ignore_ascii_case("ghost") {
            continue;
        }
        let entry = standing.entry(login.to_lowercase()).or_default();
        if meaning == Meaning::Asked {
            if entry.as_ref().is_some_and(|(had, _)| *had == Meaning::Approves) {
                *entry = None;
            }
            continue;
        }
        let commit = review.commit_id.as_deref().and_then(|id| id.parse::<CommitId>().ok());
        let seen = ApprovalSeen {
            by: login,
            email: user.email.filter(|email| is_address(email)),
            head: commit.map_or(HeadBound::Unbound, HeadBound::Commit),
        };
        let word = Word { seen, official: review.official == Some(true) };
        *entry = (review.dismissed != Some(true)).then_some((meaning, word));
    }
    let mut words = Words::default();
    for (meaning, word) in standing.into_values().flatten() {
        match meaning {
            Meaning::Approves => words.approvals.push(word),
            Meaning::Objects => words.objections.push(word),
            Meaning::Asked => {}
        }
    }
    words
}

/// Who hides their address is told as `login@noreply.HOST`. That is nobody's address in a commit
/// that was made at home, so taking it for one could make an author of the range look like a stranger.
fn is_address(email: &str) -> bool {
    email.split_once('@').is_some_and(|(_, host)| !host.is_empty() && !host.starts_with("noreply."))
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HEAD: &str = "1111111111111111111111111111111111111111";
    const OLD: &str = "2222222222222222222222222222222222222222";

    fn review(id: i64, by: &str, state: &str, more: Value) -> Value {
        let mut value = json!({
            "id": id, "user": {"login": by, "email": format!("{by}@example.com")}, "state": state,
            "commit_id": HEAD, "official": true, "stale": false, "dismissed": false,
        });
        for (key, is) in more.as_object().unwrap() {
            value[key] = is.clone();
        }
        value
    }

    fn read(of: Value) -> (Vec<String>, Vec<String>) {
        let words = fold(serde_json::from_value(of).unwrap());
        let names = |words: Vec<Word>| words.into_iter().map(|word| word.seen.by).collect();
        (names(words.approvals), names(words.objections))
    }

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_newest_word_of_each_person_counts() {
        let none = json!({});
        let all = json!([
            review(9, "bo", "APPROVED", none.clone()),
            review(1, "ana", "APPROVED", none.clone()),
            review(2, "ana", "REQUEST_CHANGES", none.clone()),
            review(3, "bo", "REQUEST_CHANGES", none.clone()),
            review(4, "cy", "APPROVED", none.clone()),
            review(5, "cy", "COMMENT", none.clone()),
            review(6, "di", "PENDING", none.clone()),
            review(7, "ed", "Approved", none.clone()),
        ]);
        assert_eq!(read(all), (names(&["bo", "cy"]), names(&["ana"])));
    }

    #[test]
    fn dismissed_words_weigh_nothing_and_bring_none_back() {
        let gone = json!({"dismissed": true});
        let all = json!([
            review(1, "ana", "APPROVED", json!({})),
            review(2, "ana", "REQUEST_CHANGES", gone.clone()),
            review(3, "bo", "APPROVED", gone),
        ]);
        assert_eq!(read(all), (names(&[]), names(&[])));
    }

    #[test]
    fn asking_again_takes_an_approval_but_no_objection() {
        let none = json!({});
        let all = json!([
            review(1, "ana", "APPROVED", none.clone()),
            review(2, "ana", "REQUEST_REVIEW", none.clone()),
            review(3, "bo", "REQUEST_CHANGES", none.clone()),
            review(4, "bo", "REQUEST_REVIEW", none.clone()),
            {"id": 5, "user": null, "team": {"id": 1}, "state": "REQUEST_REVIEW"},
        ]);
        assert_eq!(read(all), (names(&[]), names(&["bo"])));
    }

    #[test]
    fn an_approval_is_bound_to_its_commit_and_stays_listed_when_stale() {
        let all = json!([
            review(1, "ana", "APPROVED", json!({"commit_id": OLD, "stale": true})),
            review(2, "bo", "APPROVED", json!({"commit_id": ""})),
            review(
                3,
                "cy",
                "APPROVED",
                json!({"official": false, "user": {"login": "cy", "email": "cy@noreply.git.example"}})
            ),
        ]);
        let words = fold(serde_json::from_value(all).unwrap());
        let [ana, bo, cy] = &words.approvals[..] else { panic!("{words:?}") };
        assert_eq!(ana.seen.head, HeadBound::Commit(OLD.parse().unwrap()));
        assert_eq!(ana.seen.email.as_deref(), Some("ana@example.com"));
        assert_eq!(bo.seen.head, HeadBound::Unbound);
        assert!(bo.official && !cy.official);
        assert_eq!(cy.seen.email, None, "an address that is hidden is not known");
    }

    #[test]
    fn accounts_that_are_gone_say_nothing() {
        let none = json!({});
        let all = json!([review(1, "Ghost", "APPROVED", none.clone()), review(2, "", "APPROVED", none)]);
        assert_eq!(read(all), (names(&[]), names(&[])));
    }
}
