//! The adapter while the server, a proxy or the line misbehaves. What is not known is never green, never
//! "none" and never done twice.

use std::time::Duration;

use serde_json::{Value, json};
use towpath::forge::client::Options;
use towpath::forge::{CallFault, Forge as _, MergeHow, Proposal};
use towpath_core::act::PushAnswer;
use towpath_core::model::{CiState, CommitId, Span, Unknown, UnknownWhy};

use super::faults::Fault;
use super::{Place, branch, proposal, repo};

/// A place where every read has something on two pages.
async fn full() -> (Place, CommitId) {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    {
        let mut state = place.state();
        state.page_max = 2;
        for name in ["build", "test", "lint"] {
            state.report(Some("ana"), head, name, if name == "lint" { "failure" } else { "success" });
        }
        for _ in 0..3 {
            let number = state.open("towpath", "towpath/checkout/staging", "staging", "t", "b");
            state.close(number);
        }
        for base in ["staging", "master"] {
            let number = state.open("towpath", "towpath/checkout/staging", base, "t", "b");
            for (by, word) in [("ana", "APPROVED"), ("bo", "APPROVED"), ("ana", "REQUEST_CHANGES")] {
                state.review(by, number, word);
            }
        }
        for _ in 0..2 {
            state.open("ana", "towpath/checkout/staging", "staging", "another", "b");
        }
        let all = ["ana", "bo", "eve"].map(str::to_owned).to_vec();
        let owners = vec!["towpath".to_owned()];
        state.teams =
            vec![(90, "Owners".to_owned(), owners), (91, "b".to_owned(), vec![]), (92, "release".to_owned(), all)];
    }
    (place, head)
}

/// Everything that is read, as text; `Err` if any of it is unknown.
async fn read(place: &Place, head: CommitId, what: &str) -> Result<String, Unknown> {
    let forge = place.forge();
    let proposal = proposal();
    match what {
        "checks" => forge.checks(&repo(), head).await.map(|seen| format!("{seen:?}")),
        "requests" => forge.requests(&repo(), &proposal.head, &proposal.base).await.map(|seen| format!("{seen:?}")),
        "required" => forge.required(&repo(), &branch("staging")).await.map(|seen| format!("{seen:?}")),
        "members" => forge.members(&repo(), "release").await.map(|seen| format!("{seen:?}")),
        "branches" => forge.branches(&repo()).await.map(|seen| format!("{seen:?}")),
        other => panic!("{other}"),
    }
}

/// Each read, and the calls that it is made of, on the page that is spoiled.
const READS: [(&str, &str); 13] = [
    ("checks", "/statuses/"),
    ("checks", "page=2"),
    ("requests", "state=open"),
    ("requests", "state=open&sort=oldest&base=staging&head=towpath%2Fcheckout%2Fstaging&page=2"),
    ("requests", "state=closed"),
    ("requests", "state=closed&sort=recentupdate&base=staging&head=towpath%2Fcheckout%2Fstaging&page=2"),
    ("requests", "/reviews"),
    ("requests", "/reviews?page=2"),
    ("required", "/branches/staging"),
    ("members", "/orgs/shop/teams?page=2"),
    ("members", "/teams/92/members"),
    ("members", "/teams/92/members?page=2"),
    ("branches", "/branches?page=2"),
];

#[tokio::test]
async fn a_read_that_is_spoiled_anywhere_is_unknown() {
    let (place, head) = full().await;
    let faults = [
        ("503", Fault::Status(503, "down")),
        ("half of it", Fault::Truncated),
        ("another type", Fault::changed(|body| *body = json!("soon"))),
        ("an object", Fault::changed(|body| *body = json!({ "message": "soon" }))),
        ("a field of another type", Fault::changed(spoil)),
        (
            "a page without items",
            Fault::changed(|body| {
                if body.is_array() {
                    *body = json!([]);
                } else {
                    *body = json!({});
                }
            }),
        ),
    ];
    for (what, at) in READS {
        let good = read(&place, head, what).await.expect("good");
        for (name, fault) in &faults {
            // The same on each of the client's repetitions.
            place.faults.plan(at, fault.clone(), 3);
            let spoiled = read(&place, head, what).await;
            assert!(spoiled.is_err(), "{what} at {at}, {name}: {spoiled:?}");
            place.faults.clear();
            assert_eq!(read(&place, head, what).await.as_ref(), Ok(&good), "{what} at {at}, after {name}");
        }
    }
    place.watch.assert_good(200);
    assert!(place.watch.seen().on_purpose >= READS.len() * faults.len());
}

/// Makes the ids and names of what decides into something else.
fn spoil(body: &mut Value) {
    let first = if body.is_array() { &mut body[0] } else { body };
    for key in ["id", "number", "name", "login", "protected"] {
        if first.get(key).is_some() {
            first[key] = json!({ "is": first[key].clone() });
        }
    }
}

#[tokio::test]
async fn a_fault_that_passes_is_passed_over() {
    let (place, head) = full().await;
    for (what, at) in READS {
        place.faults.plan(at, Fault::Status(502, "bad gateway"), 2);
        assert!(read(&place, head, what).await.is_ok(), "{what} at {at}");
        place.faults.clear();
    }
}

#[tokio::test]
async fn words_and_nulls_that_nobody_knows_are_never_green() {
    let place = Place::new().await;
    place.state().report(Some("ana"), place.root, "build", "success");
    let forge = place.forge();
    let changes: [fn(&mut Value); 5] = [
        |body| body[0]["status"] = json!("splendid"),
        |body| body[0]["status"] = json!(""),
        |body| body[0]["status"] = Value::Null,
        |body| {
            body[0].as_object_mut().expect("a status").remove("status");
        },
        |body| body[0]["status"] = json!("Success"),
    ];
    for change in changes {
        place.faults.plan("/statuses/", Fault::changed(change), 1);
        let seen = forge.checks(&repo(), place.root).await.expect("read");
        assert_eq!(seen.iter().map(|check| check.state).collect::<Vec<_>>(), [CiState::Running]);
    }
    // What is new beside it, or null where nothing hangs on it, is passed over.
    let harmless = Fault::changed(|body| {
        body[0]["new"] = json!([1]);
        body[0]["creator"] = Value::Null;
        body[0]["updated_at"] = Value::Null;
        body[0]["target_url"] = Value::Null;
    });
    place.faults.plan("/statuses/", harmless, 1);
    let seen = forge.checks(&repo(), place.root).await.expect("read");
    assert_eq!((seen[0].state, seen[0].origin.as_str(), seen[0].finished_ago), (CiState::Green, "", None));
}

#[tokio::test]
async fn a_server_that_wants_us_later_is_not_asked_meanwhile() {
    let place = Place::new().await;
    let forge = place.forge();
    place.faults.plan("/statuses/", Fault::TooMany(30), 1);
    let later = forge.checks(&repo(), place.root).await.expect_err("limited");
    assert!(matches!(later.why, UnknownWhy::Limited { .. }), "{later:?}");
    let asked = place.calls("/");
    assert!(forge.checks(&repo(), place.root).await.is_err());
    assert_eq!(place.calls("/"), asked, "nothing was sent");
    assert!(forge.rests().is_some_and(|rest| rest > Span::from_secs(20)), "{:?}", forge.rests());
    let not_sent = forge.open(&repo(), &proposal()).await;
    assert!(matches!(not_sent, Err(CallFault::NotSent { retry_after: Some(_), .. })), "{not_sent:?}");
}

#[tokio::test]
async fn a_body_that_never_ends_ends_with_the_deadline() {
    let place = Place::new().await;
    let options = Options { deadline: Duration::from_millis(300), ..Options::default() };
    place.faults.plan("/statuses/", Fault::Trickled, 9);
    let late = place.forge_with("towpath", options).checks(&repo(), place.root).await.expect_err("late");
    assert!(matches!(late.why, UnknownWhy::TimedOut { .. }), "{late:?}");
}

#[tokio::test]
async fn old_answers_are_old_but_bind_nothing() {
    // A stale list shows the head as it was; merging asks again, and the server knows the head.
    let (place, head) = full().await;
    let before = read(&place, head, "requests").await.expect("read");
    let new = place.push("towpath/checkout/staging", "b");
    place.faults.plan("state=open", Fault::Stale, 9);
    place.faults.plan("state=closed", Fault::Stale, 9);
    place.faults.plan("/reviews", Fault::Stale, 9);
    assert_eq!(read(&place, head, "requests").await, Ok(before));
    let lost = place.merge(4, head, MergeHow::FastForward).await;
    assert!(matches!(lost, PushAnswer::LostRace { .. }), "{lost:?}");
    assert_eq!((place.tip("staging"), place.tip("towpath/checkout/staging")), (Some(place.root), Some(new)));
}

#[tokio::test]
async fn what_acts_is_sent_once_and_what_was_done_is_found() {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    let forge = place.forge();
    place.faults.plan("POST /api/v1/repos/shop/checkout/pulls", Fault::DoneAndDropped, 1);
    let lost = forge.open(&repo(), &proposal()).await;
    assert!(matches!(lost, Err(CallFault::NoAnswer { .. })), "{lost:?}");
    assert_eq!(place.calls("POST"), 1);
    let found =
        forge.requests(&repo(), &branch("towpath/checkout/staging"), &branch("staging")).await.expect("read");
    assert_eq!(found.len(), 1);
    let again = forge.open(&repo(), &proposal()).await;
    assert!(matches!(again, Err(CallFault::Exists { .. })), "{again:?}");

    place.faults.plan("POST /api/v1/repos/shop/checkout/issues/1/comments", Fault::DoneAndDropped, 1);
    let lost = forge.comment(&repo(), 1, "<!-- m -->", "<!-- m --> a").await;
    assert!(matches!(lost, Err(CallFault::NoAnswer { .. })), "{lost:?}");
    forge.comment(&repo(), 1, "<!-- m -->", "<!-- m --> b").await.expect("said");
    let comments: Vec<String> = place.state().pull(1).comments.iter().map(|c| c.body.clone()).collect();
    assert_eq!(comments, ["<!-- m --> b"]);

    place.faults.plan("/merge", Fault::DoneAndDropped, 1);
    let lost = place.merge(1, head, MergeHow::FastForward).await;
    assert!(matches!(lost, PushAnswer::NoAnswer { .. }), "{lost:?}");
    assert_eq!((place.tip("staging"), place.calls("/merge")), (Some(head), 1));
    assert_eq!(place.merge(1, head, MergeHow::FastForward).await, PushAnswer::UpToDate);
}

#[tokio::test]
async fn a_write_that_was_not_answered_well_is_not_taken_for_done_or_refused() {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    let forge = place.forge();
    for fault in [Fault::Status(500, ""), Fault::Status(502, "bad gateway"), Fault::Truncated] {
        place.faults.plan("POST /api/v1/repos/shop/checkout/pulls", fault, 1);
        let unclear = forge.open(&repo(), &proposal()).await;
        assert!(matches!(unclear, Err(CallFault::NoAnswer { .. })), "{unclear:?}");
        place.state().pulls.clear();
    }
    // A read that fails before the write: nothing was sent.
    place.faults.plan("/labels", Fault::Status(500, ""), 3);
    let labelled = Proposal { labels: vec!["x".to_owned()], ..proposal() };
    let before = forge.open(&repo(), &labelled).await;
    assert!(matches!(before, Err(CallFault::NotSent { .. })), "{before:?}");
    assert_eq!(place.calls("POST /api/v1/repos/shop/checkout/labels"), 0);
    let number = forge.open(&repo(), &proposal()).await.expect("opened");
    for (at, fault) in [
        ("GET /api/v1/repos/shop/checkout/pulls/", Fault::Status(500, "")),
        ("GET /api/v1/repos/shop/checkout/pulls/", Fault::changed(|body| *body = json!([]))),
        ("GET /api/v1/repos/shop/checkout", Fault::Truncated),
    ] {
        place.faults.plan(at, fault, 3);
        let before = place.merge(number, head, MergeHow::MergeCommit).await;
        assert!(matches!(before, PushAnswer::NotSent { .. }), "{before:?}");
        place.faults.clear();
    }
    assert_eq!(place.calls("/merge"), 0);
    place.faults.plan("/merge", Fault::Status(504, "gateway timeout"), 1);
    let unclear = place.merge(number, head, MergeHow::MergeCommit).await;
    assert!(matches!(unclear, PushAnswer::NoAnswer { .. }), "{unclear:?}");
    assert_eq!(place.tip("staging"), Some(place.root));
}

/// A label that stands on a page that did not come is not taken for one that there is not, and made anew.
#[tokio::test]
async fn a_label_on_a_page_that_is_missing_is_not_made_again() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let forge = place.forge();
    let number = forge.open(&repo(), &proposal()).await.expect("opened");
    {
        let mut state = place.state();
        state.page_max = 2;
        let label = |at: i64, name: &str| (at, name.to_owned());
        state.labels = vec![label(61, "a"), label(62, "b"), label(63, "ours")];
        state.org_labels = vec![label(71, "c"), label(72, "d"), label(73, "theirs")];
    }
    let wanted = Proposal { labels: vec!["ours".to_owned(), "theirs".to_owned()], ..proposal() };
    let faults = [
        ("503", Fault::Status(503, "down")),
        ("half of it", Fault::Truncated),
        ("another type", Fault::changed(|body| *body = json!("soon"))),
        ("a page without items", Fault::changed(|body| *body = json!([]))),
    ];
    for at in ["/repos/shop/checkout/labels?page=2", "/orgs/shop/labels?page=2"] {
        for (name, fault) in &faults {
            place.faults.plan(at, fault.clone(), 3);
            let before = forge.describe(&repo(), number, &wanted).await;
            assert!(matches!(before, Err(CallFault::NotSent { .. })), "{at}, {name}: {before:?}");
            place.faults.clear();
        }
    }
    assert_eq!(
        (place.calls("POST /api/v1/repos/shop/checkout/labels"), place.state().pull(1).labels.len()),
        (0, 0)
    );
    forge.describe(&repo(), number, &wanted).await.expect("they are there");
    assert_eq!(place.state().pull(1).labels, [63, 73]);
    assert_eq!(place.calls("POST /api/v1/repos/shop/checkout/labels"), 0, "and none is made");
}

/// That there is no webhook is not said of a list of which a page did not come.
#[tokio::test]
async fn a_webhook_on_a_page_that_is_missing_is_not_missed() {
    let place = Place::new().await;
    {
        let mut state = place.state();
        state.page_max = 2;
        state.people[0].rights = "admin";
        let hook = |id: u32, url: &str| {
            let events = ["push", "status", "pull_request", "pull_request_review", "issue_comment"];
            json!({
                "id": id, "type": "gitea", "active": true, "events": events, "branch_filter": "",
                "config": { "url": url, "content_type": "json" }, "authorization_header": "",
                "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-01T00:00:00Z",
            })
        };
        let other = "https://ci.example.com/build";
        state.hooks = vec![hook(1, other), hook(2, other), hook(3, "https://towpath.example.com/hooks/git")];
    }
    let said = async || {
        let found = place.forge().findings(&repo(), &[(branch("staging"), false)]).await;
        found.into_iter().map(|one| one.what).filter(|what| what.contains("webhook")).collect::<Vec<_>>()
    };
    let good = said().await;
    assert!(!good.iter().any(|what| what.contains("there is no webhook")), "{good:?}");
    for (name, fault) in [
        ("503", Fault::Status(503, "down")),
        ("half of it", Fault::Truncated),
        ("a page without items", Fault::changed(|body| *body = json!([]))),
    ] {
        place.faults.plan("/hooks?page=2", fault, 3);
        let found = said().await;
        assert!(found.iter().all(|what| what.contains("whether there is a webhook")), "{name}: {found:?}");
        assert_eq!(found.len(), 1, "{name}");
        place.faults.clear();
    }
    assert_eq!(said().await, good);
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_limits_is_read_all_the_same() {
    let (place, head) = full().await;
    let good = read(&place, head, "checks").await;
    for at in ["/settings/api", "/version"] {
        place.faults.plan(at, Fault::Status(403, "sign in"), 99);
        assert_eq!(read(&place, head, "checks").await, good, "{at}");
        assert!(read(&place, head, "requests").await.is_ok(), "{at}");
        place.faults.clear();
    }
}
