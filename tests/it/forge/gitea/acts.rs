//! What the adapter does, judged on what is so afterwards.

use towpath::forge::{CallFault, Forge as _, MergeHow, Proposal, StatusLine, StatusState};
use towpath_core::act::PushAnswer;
use towpath_core::model::CommitId;

use super::faults::Fault;
use super::state::{Comment, NAME, OWNER, Rule};
use super::{Place, branch, proposal, repo};
use crate::support::git_fixture::git_command;

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_request_is_opened_once_with_labels_and_reviewers() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    {
        let mut state = place.state();
        state.labels = vec![(70, "promotion".to_owned())];
        state.org_labels = vec![(71, "Release".to_owned())];
        state.teams = vec![(90, "ops".to_owned(), vec![])];
    }
    let wanted = Proposal {
        labels: names(&["promotion", "release", "new"]),
        reviewers: names(&["ana", "@shop/ops"]),
        ..proposal()
    };
    let forge = place.forge();
    let number = forge.open(&repo(), &wanted).await.expect("opened");
    forge.ask_reviewers(&repo(), number, &wanted.reviewers).await.expect("asked");
    {
        let mut state = place.state();
        let made = state.labels[1].clone();
        assert_eq!(made.1, "new");
        let pull = state.pull(number);
        assert_eq!((pull.title.as_str(), pull.by.as_str()), ("Promote to staging", "towpath"));
        assert_eq!(pull.labels, [70, 71, made.0]);
        assert_eq!(pull.asked, names(&["ana", "@ops"]));
    }
    let again = forge.open(&repo(), &wanted).await;
    assert!(matches!(&again, Err(CallFault::Exists { words }) if words.contains("issue_id: 1")), "{again:?}");
    assert_eq!(place.state().pulls.len(), 1);
    place.watch.assert_good(8);
}

#[tokio::test]
async fn those_are_asked_who_neither_are_nor_have_reviewed_and_one_that_is_not_there_spoils_it_for_nobody() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    place.state().teams = vec![(90, "ops".to_owned(), vec![]), (91, "release".to_owned(), vec![])];
    let forge = place.forge();
    assert_eq!(forge.open(&repo(), &proposal()).await, Ok(1));
    place.state().review("bo", 1, "COMMENT");
    let all = names(&["nobody", "ana", "@nowhere", "BO", "@shop/Ops", "@release"]);
    let asked = async || {
        let answer = forge.ask_reviewers(&repo(), 1, &all).await;
        let seen = place.state().pull(1).asked.clone();
        (answer, seen, place.calls("requested_reviewers"))
    };
    // A server that is away is no answer: the next look asks the rest. Each that was asked is seen.
    place.state().teams[0].1 = "Ops".to_owned();
    place.faults.plan("requested_reviewers", Fault::Status(404, "nobody"), 1);
    place.faults.plan("requested_reviewers", Fault::DoneAndDropped, 1);
    let (lost, seen, calls) = asked().await;
    assert!(matches!(lost, Err(CallFault::NoAnswer { .. })), "{lost:?}");
    assert_eq!((seen, calls), (names(&["ana"]), 1), "one was answered for by the fault");
    let (answer, seen, calls) = asked().await;
    assert_eq!((answer, seen, calls), (Ok(()), names(&["ana", "@Ops", "@release"]), 5));
    // Those whom the forge does not know are refused again; nobody else is called.
    let (answer, seen, calls) = asked().await;
    assert_eq!((answer, seen, calls), (Ok(()), names(&["ana", "@Ops", "@release"]), 7));
    place.watch.assert_good(8);
}

#[tokio::test]
async fn a_request_without_its_branch_is_refused() {
    let place = Place::new().await;
    let refused = place.forge().open(&repo(), &proposal()).await;
    assert!(matches!(refused, Err(CallFault::Refused { .. })), "{refused:?}");
    place.push("towpath/checkout/staging", "a");
    place.state().settings.archived = true;
    let refused = place.forge().open(&repo(), &proposal()).await;
    assert!(matches!(&refused, Err(CallFault::Refused { words }) if words.contains("archived")), "{refused:?}");
    place.watch.assert_good(2);
}

#[tokio::test]
async fn a_request_is_brought_up_to_date_and_left_alone_where_it_is() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let forge = place.forge();
    let number = forge.open(&repo(), &proposal()).await.expect("opened");
    // As a browser saves it.
    place.state().pull(number).body = "<!-- towpath -->\r\nthree commits\r\n".to_owned();
    forge.describe(&repo(), number, &proposal()).await.expect("described");
    assert_eq!((place.calls("PATCH"), place.calls("POST")), (0, 1));
    let other = Proposal { title: "Promote 4".to_owned(), labels: names(&["promotion"]), ..proposal() };
    forge.describe(&repo(), number, &other).await.expect("described");
    assert_eq!(place.calls("PATCH"), 1);
    forge.describe(&repo(), number, &other).await.expect("described");
    assert_eq!(place.calls("PATCH"), 1);
    let mut state = place.state();
    let label = state.labels[0].0;
    let pull = state.pull(number);
    assert_eq!((pull.title.as_str(), &pull.labels), ("Promote 4", &vec![label]));
    assert!(pull.body.contains("three commits"));
    drop(state);
    place.watch.assert_good(8);
}

#[tokio::test]
async fn a_mark_that_it_is_not_ready_is_seen_and_left_to_people() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let forge = place.forge();
    let number = forge.open(&repo(), &proposal()).await.expect("opened");
    let draft = async || {
        let found = forge.requests(&repo(), &proposal().head, &proposal().base).await.expect("read");
        found[0].draft
    };
    assert!(!draft().await);
    place.state().pull(number).title = "WIP: Promote 3".to_owned();
    assert!(draft().await);
    let other = Proposal { title: "Promote 4".to_owned(), ..proposal() };
    forge.describe(&repo(), number, &other).await.expect("described");
    assert_eq!(place.state().pull(number).title, "WIP: Promote 4");
    assert!(draft().await);
    place.state().pull(number).title = "Promote 4".to_owned();
    forge.describe(&repo(), number, &other).await.expect("described");
    assert!(!draft().await);
    place.watch.assert_good(8);
}

/// A request whose head is one commit above `staging`.
async fn ready(place: &Place) -> (u64, CommitId) {
    let head = place.push("towpath/checkout/staging", "a");
    let number = place.forge().open(&repo(), &proposal()).await.expect("opened");
    (number, head)
}

async fn merge(place: &Place, number: u64, head: CommitId, how: MergeHow) -> PushAnswer {
    place.merge(number, head, how).await
}

#[tokio::test]
async fn a_fast_forward_makes_the_base_the_head_itself() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    assert_eq!(merge(&place, number, head, MergeHow::FastForward).await, PushAnswer::Moved);
    assert_eq!(place.tip("staging"), Some(head));
    assert_eq!(place.tip("towpath/checkout/staging"), Some(head), "the branch is ours, and stays");
    assert_eq!(merge(&place, number, head, MergeHow::FastForward).await, PushAnswer::UpToDate);
    place.watch.assert_good(8);
}

#[tokio::test]
async fn a_merge_commit_has_base_and_head_as_parents() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    let base = place.push("staging", "hotfix");
    assert_eq!(merge(&place, number, head, MergeHow::MergeCommit).await, PushAnswer::Moved);
    let made = place.tip("staging").expect("there").to_string();
    let parents = place.state().repo.git(["rev-list", "--parents", "-n1", &made]);
    assert_eq!(parents, format!("{made} {base} {head}"));
    place.watch.assert_good(6);
}

#[tokio::test]
async fn where_there_is_no_fast_forward_a_merge_commit_is_made_and_never_a_squash() {
    for setting in [None, Some(false)] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.state().settings.fast_forward = setting;
        assert_eq!(merge(&place, number, head, MergeHow::FastForward).await, PushAnswer::Moved);
        let made = place.tip("staging").expect("there").to_string();
        let parents = place.state().repo.git(["rev-list", "--parents", "-n1", &made]);
        assert_eq!(parents, format!("{made} {} {head}", place.root));
        place.watch.assert_good(6);
    }
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    (place.state().settings.fast_forward, place.state().settings.merge_commits) = (None, false);
    let refused = merge(&place, number, head, MergeHow::FastForward).await;
    assert!(matches!(&refused, PushAnswer::Refused { words } if words.contains("allows no merge")), "{refused:?}");
    assert_eq!((place.tip("staging"), place.calls("/merge")), (Some(place.root), 0));
}

#[tokio::test]
async fn a_head_that_moved_is_not_merged() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    place.push("towpath/checkout/staging", "unseen");
    let lost = merge(&place, number, head, MergeHow::FastForward).await;
    assert!(matches!(lost, PushAnswer::LostRace { .. }), "{lost:?}");
    assert_eq!((place.tip("staging"), place.calls("/merge")), (Some(place.root), 0));
    // It moves after we looked: what we read of the request is old. The server still knows the head.
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    let old = head.to_string();
    place.push("towpath/checkout/staging", "unseen");
    let says_old = super::faults::Fault::changed(move |body| body["head"]["sha"] = serde_json::json!(old));
    place.faults.plan("GET /api/v1/repos/shop/checkout/pulls/1", says_old, 1);
    let lost = merge(&place, number, head, MergeHow::FastForward).await;
    assert!(matches!(&lost, PushAnswer::LostRace { words } if words.contains("head out of date")), "{lost:?}");
    assert_eq!((place.tip("staging"), place.calls("/merge")), (Some(place.root), 1));
    place.watch.assert_good(5);
}

#[tokio::test]
async fn a_base_that_moves_at_the_last_moment_is_a_lost_race() {
    for how in [MergeHow::FastForward, MergeHow::MergeCommit] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        let theirs = place.push("hotfix", "theirs");
        place.state().race = Some(theirs);
        let lost = merge(&place, number, head, how).await;
        assert!(matches!(lost, PushAnswer::LostRace { .. }), "{lost:?}");
        assert_eq!(place.tip("staging"), Some(theirs));
        assert!(place.state().pull(number).merged.is_none());
        place.watch.assert_good(6);
    }
}

#[tokio::test]
async fn a_target_that_moved_before_is_not_merged_into() {
    for how in [MergeHow::FastForward, MergeHow::MergeCommit] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        let theirs = place.push("staging", "theirs");
        let lost = place.forge().merge(&repo(), number, &branch("staging"), place.root, head, how).await;
        assert!(matches!(&lost, PushAnswer::LostRace { words } if words.contains("target")), "{lost:?}");
        let other = place.forge().merge(&repo(), number, &branch("master"), place.root, head, how).await;
        assert!(matches!(other, PushAnswer::Refused { .. }), "{other:?}");
        assert_eq!((place.tip("staging"), place.calls("/merge")), (Some(theirs), 0));
        place.watch.assert_good(4);
    }
}

#[tokio::test]
async fn a_fast_forward_that_is_none_any_more_moves_nothing() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    let theirs = place.push("staging", "theirs");
    let answer = merge(&place, number, head, MergeHow::FastForward).await;
    assert!(matches!(answer, PushAnswer::NoAnswer { .. }), "{answer:?}");
    assert_eq!(place.tip("staging"), Some(theirs));
    place.watch.assert_good(6);
}

#[tokio::test]
async fn while_the_server_computes_it_is_asked_again_later() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    place.state().computing = 2;
    for _ in 0..2 {
        let later = merge(&place, number, head, MergeHow::FastForward).await;
        assert!(matches!(&later, PushAnswer::NotSent { words } if words.contains("try again later")), "{later:?}");
        assert_eq!(place.tip("staging"), Some(place.root));
    }
    assert_eq!(merge(&place, number, head, MergeHow::FastForward).await, PushAnswer::Moved);
    place.watch.assert_good(12);
}

#[tokio::test]
async fn refusals_say_why_and_change_nothing() {
    type Spoil = fn(&Place);
    let table: [(&str, Spoil); 4] = [
        ("not allowed to merge", |place| protect(place, &[], 0)),
        ("archived", |place| place.state().settings.archived = true),
        ("closed", |place| place.state().close(1)),
        ("conflict", |place| {
            place.push("staging", "a");
            place.state().repo.commit(&[place.root], "clash", &[("a", "other")]);
            let clash = place.tip("clash").expect("there");
            place.set("staging", clash);
        }),
    ];
    for (words, spoil) in table {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        spoil(&place);
        let before = place.tip("staging");
        let refused = merge(&place, number, head, MergeHow::MergeCommit).await;
        let told = matches!(&refused, PushAnswer::Refused { words: said } if said.to_lowercase().contains(words));
        assert!(told, "{words}: {refused:?}");
        assert_eq!(place.tip("staging"), before);
        place.watch.assert_good(4);
    }
}

/// Who approves a moment later does not wait for an hour: it is asked again soon, as where the server still computes.
#[tokio::test]
async fn what_a_rule_of_the_server_lacks_is_not_refused_for_long() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    protect(&place, &["towpath"], 1);
    for _ in 0..2 {
        let later = merge(&place, number, head, MergeHow::FastForward).await;
        assert!(matches!(&later, PushAnswer::NotSent { words } if words.contains("enough approvals")), "{later:?}");
        assert_eq!(place.tip("staging"), Some(place.root));
    }
    place.state().review("bo", number, "APPROVED");
    assert_eq!(merge(&place, number, head, MergeHow::FastForward).await, PushAnswer::Moved);
    place.watch.assert_good(10);
}

fn protect(place: &Place, mergers: &[&str], approvals: usize) {
    let rule = Rule {
        branch: "staging".to_owned(),
        pushers: vec!["towpath".to_owned()],
        mergers: names(mergers),
        checks: None,
        approvals,
        up_to_date: false,
    };
    place.state().protect(rule);
}

#[tokio::test]
async fn a_server_that_would_merge_any_head_is_not_asked_to() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    place.state().version = "1.16.9".to_owned();
    let refused = merge(&place, number, head, MergeHow::MergeCommit).await;
    assert!(matches!(&refused, PushAnswer::Refused { words } if words.contains("1.17")), "{refused:?}");
    assert_eq!(place.calls("/merge"), 0);
}

#[tokio::test]
async fn there_is_one_comment_of_ours_and_others_are_left_alone() {
    let place = Place::new().await;
    let (number, _) = ready(&place).await;
    let copied = Comment::new(900, "eve", "<!-- mark --> mine", 0);
    place.state().pull(number).comments.push(copied);
    // Even where we could edit what others wrote.
    place.state().people[0].rights = "admin";
    let forge = place.forge();
    for text in ["<!-- mark --> one", "<!-- mark --> two", "<!-- mark --> two"] {
        forge.comment(&repo(), number, "<!-- mark -->", text).await.expect("said");
    }
    let comments: Vec<(String, String)> =
        place.state().pull(number).comments.iter().map(|c| (c.by.clone(), c.body.clone())).collect();
    let of = |by: &str, text: &str| (by.to_owned(), text.to_owned());
    assert_eq!(comments, [of("eve", "<!-- mark --> mine"), of("towpath", "<!-- mark --> two")]);
    assert_eq!((place.calls("PATCH"), place.calls("/comments")), (1, 5));
    place.watch.assert_good(8);
}

#[tokio::test]
async fn a_status_of_ours_is_written_and_is_no_check() {
    let place = Place::new().await;
    let forge = place.forge();
    for (state, word) in
        [(StatusState::Pending, "pending"), (StatusState::Failure, "failure"), (StatusState::Success, "success")]
    {
        let line = StatusLine {
            context: "towpath/checkout/staging".to_owned(),
            state,
            description: "é".repeat(400),
            url: Some("https://towpath.example/x".to_owned()),
        };
        forge.status(&repo(), place.root, &line).await.expect("written");
        let row = place.state().rows.last().cloned().expect("a row");
        assert_eq!((row.state.as_str(), row.description.chars().count()), (word, 255));
    }
    assert_eq!(forge.checks(&repo(), place.root).await, Ok(Vec::new()));
    let nowhere: CommitId = "1".repeat(40).parse().expect("an id");
    let line = StatusLine {
        context: "towpath/x".to_owned(),
        state: StatusState::Pending,
        description: String::new(),
        url: None,
    };
    let refused = forge.status(&repo(), nowhere, &line).await;
    assert!(matches!(refused, Err(CallFault::Refused { .. })), "{refused:?}");
    let refused = place.forge_as("eve").status(&repo(), place.root, &line).await;
    assert!(matches!(refused, Err(CallFault::Refused { .. })), "{refused:?}");
    place.watch.assert_good(6);
}

#[tokio::test(flavor = "multi_thread")]
async fn git_over_http_obeys_protection_and_leases() {
    let place = Place::new().await;
    let new = place.push("develop", "a");
    protect(&place, &[], 0);
    let url = place.forge().git_url(&repo());
    assert_eq!(url, format!("{}/{OWNER}/{NAME}.git", place.url));
    let dir = place.state().repo.dir.clone();
    let push = |login: &str, old: CommitId| {
        let header = format!("http.extraHeader=Authorization: token token-of-{login}");
        let (lease, spec) =
            (format!("--force-with-lease=refs/heads/staging:{old}"), format!("{new}:refs/heads/staging"));
        let args = ["-c", &header, "push", "--porcelain", "--atomic", &lease, &url, &spec];
        git_command(&dir).args(args).output().expect("git runs")
    };
    let refused = push("ana", place.root);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && words.contains("protected branch staging"), "{words}");
    assert_eq!(place.tip("staging"), Some(place.root));
    assert!(!push("towpath", new).status.success(), "a lease on another commit");
    assert!(!push("stranger", place.root).status.success());
    assert_eq!(place.tip("staging"), Some(place.root));
    let output = push("towpath", place.root);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.tip("staging"), Some(new));
    assert_eq!(branch("staging").as_str(), "staging");
}
