//! A Gitea that has no merge by fast-forward (before 1.22): the approved head is pushed, and its request closed
//! afterwards.

use serde_json::json;
use towpath::clock::Clock;
use towpath::config::Config;
use towpath::engine::tick::Pass;
use towpath::forge::{CallFault, Forge as _};
use towpath::setup::{Need, Setup};
use towpath_core::explain::Words;
use towpath_core::model::{CommitId, Ways};

use super::e2e::Day;
use super::gitea::faults::Fault;
use super::gitea::{self, branch, repo};
use super::hosts::{Gitea, Host as _};

/// The example on an old server.
async fn day() -> Day<Gitea> {
    let day = Day::<Gitea>::new("docplanner-gitea.toml", |text| text).await;
    let mut state = day.host.0.state();
    (state.version, state.settings.fast_forward) = ("1.21.11".to_owned(), None);
    drop(state);
    day
}

/// A commit that is green, on staging and in an open request, which is approved.
async fn approved(day: &Day<Gitea>, file: &str, nth: usize) -> CommitId {
    let one = day.push(file);
    day.green(one);
    day.looks(15).await;
    assert_eq!((day.host.tip("staging"), day.host.requests()), (one, nth));
    day.host.approve("bo", day.host.number(nth));
    one
}

fn said(day: &Day<Gitea>, pass: &Pass) -> String {
    let flow = &day.setup.config.flows[0].flow;
    let words = Words { zone: flow.zone, now: pass.seen.now.wall, flow, remote_word: "origin", lasting: false };
    let plan = pass.after.as_ref().unwrap_or(&pass.plan);
    let decision = plan.decisions.last().expect("of production");
    format!("{} {:?}", words.verdict(&decision.verdict), words.explain(decision).todo)
}

/// The request was closed by us and never merged, and says why.
fn closed(day: &Day<Gitea>, nth: usize, head: CommitId) {
    let number = day.host.number(nth);
    let pull = day.host.0.state().pull(number).clone();
    assert!(pull.closed && pull.merged.is_none(), "{pull:?}");
    let comments = day.host.comments(number);
    let [comment] = &comments[..] else { panic!("one comment of ours: {comments:?}") };
    for part in [&head.to_string(), "pushed master", "closed the request"] {
        assert!(comment.contains(part), "{part}: {comment}");
    }
}

#[tokio::test]
async fn three_promotions_in_a_row_are_pushed_and_their_requests_closed() {
    let mut day = day().await;
    let one = approved(&day, "one", 1).await;
    day.looks(35).await;
    assert_eq!(day.host.tip("master"), one, "not a merge of it");
    closed(&day, 1, one);

    // The second is pushed, and the process ends before it could close the request.
    let two = approved(&day, "two", 2).await;
    let path = format!("PATCH /api/v1/repos/shop/checkout/pulls/{}", day.host.number(2));
    day.host.0.faults.plan(&path, Fault::Status(503, "down"), 1_000);
    day.looks(35).await;
    assert_eq!(day.host.tip("master"), two);
    let second = day.host.number(2);
    assert!(!day.host.0.state().pull(second).closed, "nobody could close it");
    // What comes next does not go into the same request.
    let next = day.push("three");
    day.green(next);
    day.looks(15).await;
    assert_eq!((day.host.tip("staging"), day.host.requests()), (next, 2), "it waits for the other to be closed");
    let config = Config::load(&day.dir.path().join("towpath.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    day.setup = Setup::open(config, Clock::Manual(day.clock.clone()), Need::Create).await.expect("a setup");
    day.host.0.faults.clear();
    day.look().await;
    closed(&day, 2, two);

    day.looks(5).await;
    assert_eq!(day.host.requests(), 3, "and then there is another one");
    day.host.approve("bo", day.host.number(3));
    let pass = day.looks(40).await;
    assert_eq!(day.host.tip("master"), next, "{}", said(&day, &pass));
    closed(&day, 3, next);
    // Nothing more is asked about what is over, and no person closed anything.
    let before = day.host.0.calls("/pulls");
    let pass = day.looks(5).await;
    assert_eq!(day.host.0.calls("/pulls"), before, "{}", said(&day, &pass));
    assert!(!said(&day, &pass).contains("closed"), "{}", said(&day, &pass));
    assert_eq!(pass.ledger.proposed.values().filter_map(|row| row.pushed).filter(|pushed| pushed.open).count(), 0);
    day.host.assert_good(60);
}

/// While the push arrives, somebody else moves the target: the reference is the judge.
#[tokio::test]
async fn a_lost_race_moves_nothing_and_closes_only_what_is_in() {
    for same in [false, true] {
        let day = day().await;
        let one = approved(&day, "one", 1).await;
        let to = {
            let state = day.host.0.state();
            let root = state.repo.tip("master").expect("master");
            let to = if same { one } else { state.repo.commit(&[root], "hotfix", &[("fix", "fix")]) };
            let done = state.repo.dir.join("raced");
            let script = format!(
                "if test \"$1\" = refs/heads/master && ! test -e '{done}'; then touch '{done}'; \
                 git update-ref refs/heads/master {to}; fi",
                done = done.display()
            );
            state.repo.hook("update", &script);
            to
        };
        let pass = day.looks(35).await;
        assert_eq!(day.host.tip("master"), to, "{}", said(&day, &pass));
        let landed = pass.ledger.last_moves.contains_key(&"production".into());
        assert!(!landed, "no move of ours is counted");
        if same {
            closed(&day, 1, one);
        } else {
            let number = day.host.number(1);
            assert!(!day.host.0.state().pull(number).closed);
            let said = said(&day, &pass);
            assert!(said.contains("a change made on the target itself"), "{said}");
        }
    }
}

/// An approval that is taken back, or a request that is closed by a person, stops the push as it stops a merge.
#[tokio::test]
async fn what_is_approved_no_more_is_not_pushed() {
    let day = day().await;
    let root = day.host.tip("master");
    let one = approved(&day, "one", 1).await;
    let number = day.host.number(1);
    day.looks(10).await;
    for review in &mut day.host.0.state().pull(number).reviews {
        review.dismissed = true;
    }
    day.looks(40).await;
    assert_eq!(day.host.tip("master"), root);
    day.host.approve("bo", number);
    day.host.0.state().close(number);
    let pass = day.looks(5).await;
    assert_eq!(day.host.tip("master"), root);
    assert!(said(&day, &pass).contains("closed"), "{}", said(&day, &pass));
    day.host.0.state().reopen(number);
    day.looks(5).await;
    assert_eq!(day.host.tip("master"), one);
    closed(&day, 1, one);
}

#[tokio::test]
async fn gitea_tells_whether_it_may_be_pushed_where_it_does_not_merge_so() {
    let place = gitea::Place::new().await;
    let ways = async || place.forge().ways(&repo(), &branch("staging")).await.expect("told");
    assert_eq!(ways().await, Ways { fast_forward: true, merge_commit: true, push: false });
    assert_eq!(place.calls("/branches/staging"), 0, "it is not asked");
    place.state().settings.fast_forward = Some(false);
    assert_eq!(
        ways().await,
        Ways { fast_forward: false, merge_commit: true, push: false },
        "somebody switched it off"
    );
    assert_eq!(place.calls("/branches/staging"), 0, "nor then");
    place.state().settings.fast_forward = None;
    assert_eq!(ways().await, Ways { fast_forward: false, merge_commit: true, push: true });
    for changed in [json!({ "required_approvals": 1 }), json!({ "user_can_push": false })] {
        let (key, value) = changed.as_object().and_then(|all| all.iter().next()).expect("one");
        let (key, value) = (key.clone(), value.clone());
        let change = Fault::changed(move |body| body[&key] = value.clone());
        place.faults.plan("/branches/staging", change, 1);
        assert!(!ways().await.push, "{changed}");
    }
    let of_eve = place.forge_as("eve").ways(&repo(), &branch("staging")).await.expect("told");
    assert!(!of_eve.push, "she may only read");
    place.faults.plan(
        "/branches/staging",
        Fault::changed(|body| drop(body.as_object_mut().expect("a branch").remove("user_can_push"))),
        1,
    );
    assert!(!ways().await.push, "an old one does not say so");
    let gone = place.forge().ways(&repo(), &branch("gone")).await.expect("told");
    assert!(!gone.push);
}

#[tokio::test]
async fn closing_is_done_once_and_never_of_another_head() {
    let place = gitea::Place::new().await;
    let forge = place.forge();
    let head = place.push("develop", "one");
    place.set("towpath/checkout/staging", head);
    let number = forge.open(&repo(), &gitea::proposal()).await.expect("opened");
    let moved = forge.close(&repo(), number, place.root).await;
    assert!(matches!(moved, Err(CallFault::NotSent { .. })), "{moved:?}");
    assert_eq!(place.calls("PATCH"), 0);
    place.faults.plan("PATCH", Fault::DoneAndDropped, 1);
    forge.close(&repo(), number, head).await.expect_err("no answer came");
    assert!(place.state().pull(number).closed);
    forge.close(&repo(), number, head).await.expect("it is closed");
    assert_eq!(place.calls("PATCH"), 1, "once");
    place.state().reopen(number);
    place.faults.plan(
        "PATCH",
        Fault::Status(412, "cannot change state of this pull request, it was already merged"),
        1,
    );
    forge.close(&repo(), number, head).await.expect("marked as merged meanwhile");
    place.state().merge("bo", number, "merge").expect("merged");
    forge.close(&repo(), number, head).await.expect("it is merged");
    let gone = forge.close(&repo(), 99, head).await;
    assert!(matches!(gone, Err(CallFault::Refused { .. })), "{gone:?}");
}
