//! Three promotions in a row, one of them merged by a person with a merge commit: what the adapter sees
//! and does of each. (The engine's own day is in the scenarios.)

use towpath::forge::{Forge as _, HeadBound, MergeHow, RequestState};
use towpath_core::act::PushAnswer;
use towpath_core::model::{CiState, CommitId, Span, Ways};

use super::{Place, branch, proposal, repo};

/// A commit on `develop`, green; and the head of the request there.
fn candidate(place: &Place, file: &str) -> CommitId {
    let commit = place.push("develop", file);
    place.state().ran(commit, "develop", "build", "success");
    place.set("towpath/checkout/staging", commit);
    commit
}

#[tokio::test]
async fn three_promotions_one_of_them_by_a_person() {
    let place = Place::new().await;
    let forge = place.forge();
    let wanted = proposal();
    let requests = async || forge.requests(&repo(), &wanted.head, &wanted.base).await.expect("read");

    // By Towpath, as a fast-forward.
    let one = candidate(&place, "one");
    let checks = forge.checks(&repo(), one).await.expect("read");
    assert_eq!(checks.iter().map(|check| check.state).collect::<Vec<_>>(), [CiState::Green]);
    assert_eq!(
        forge.ways(&repo(), &branch("staging")).await,
        Ok(Ways { push: false, fast_forward: true, merge_commit: false })
    );
    let first = forge.open(&repo(), &wanted).await.expect("opened");
    place.state().approve("ana", first);
    let given = requests().await[0].approvals[0].head.clone();
    assert!(matches!(given, HeadBound::Ago { ago, .. } if ago < Span::from_mins(1)), "{given:?}");
    assert_eq!(place.merge(first, one, MergeHow::FastForward).await, PushAnswer::Moved);
    let seen = requests().await;
    assert_eq!((seen.len(), seen[0].state, seen[0].merged_as), (1, RequestState::Merged, Some(one)));
    assert_eq!((place.tip("staging"), place.tip("towpath/checkout/staging")), (Some(one), Some(one)));

    // By a person, with a merge commit, after the project's method was changed.
    place.state().settings.method = "merge";
    let two = candidate(&place, "two");
    let second = forge.open(&repo(), &wanted).await.expect("the first is no longer open");
    let made = place.state().merge("bo", second, false).expect("merged");
    let seen = requests().await;
    assert_eq!((seen[0].number, seen[0].state, seen[0].merged_as), (second, RequestState::Merged, Some(made)));
    assert_eq!((seen[0].ended_by.as_deref(), seen[0].head), (Some("bo"), two));
    assert_eq!(place.tip("staging"), Some(made));

    // By Towpath, with a merge commit: the target has one of its own now.
    let three = candidate(&place, "three");
    let third = forge.open(&repo(), &wanted).await.expect("opened");
    place.state().close("ana", third);
    assert_eq!((requests().await[0].state, requests().await[0].ended_by.clone()), {
        (RequestState::Closed, Some("ana".to_owned()))
    });
    place.state().reopen(third);
    assert_eq!(requests().await[0].state, RequestState::Open);
    assert_eq!(place.merge(third, three, MergeHow::MergeCommit).await, PushAnswer::Moved);
    let tip = place.tip("staging").expect("there").to_string();
    let parents = place.state().repo.git(["rev-list", "--parents", "-n1", &tip]);
    assert_eq!(parents, format!("{tip} {made} {three}"));
    let states: Vec<_> = requests().await.iter().map(|request| (request.number, request.state)).collect();
    assert_eq!(states, [third, second, first].map(|number| (number, RequestState::Merged)));

    // A squash by a person is a merge of something else, and seen as such.
    candidate(&place, "four");
    let fourth = forge.open(&repo(), &wanted).await.expect("opened");
    let squashed = place.state().merge("ana", fourth, true).expect("merged");
    let seen = requests().await;
    assert_eq!(
        (seen[0].state, seen[0].merged_as, seen[0].ended_by.as_deref()),
        (RequestState::Merged, Some(squashed), Some("ana"))
    );
    place.watch.assert_good(35);
}
