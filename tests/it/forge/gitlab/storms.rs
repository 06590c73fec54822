//! The adapter while GitLab, a proxy or the line misbehaves. What is not known is never green, never
//! "none" and never done twice.

use std::time::Duration;

use serde_json::{Value, json};
use towpath::forge::client::Options;
use towpath::forge::{CallFault, Forge as _, MergeHow, Proposal, StatusLine, StatusState};
use towpath_core::act::PushAnswer;
use towpath_core::model::{CiState, CommitId, Span, Unknown, UnknownWhy};

use super::super::gitea::faults::Fault;
use super::{Place, branch, proposal, repo};

/// A place where every list has something on two pages.
async fn full() -> (Place, CommitId) {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    {
        let mut state = place.state();
        state.page_max = 2;
        state.tells.approved_at = false;
        for on in ["develop", "towpath/checkout/staging", "x"] {
            let push = state.pipeline("push", head, on, "created");
            state.job(push, "build", if on == "x" { "failed" } else { "success" }, false);
        }
        for _ in 0..3 {
            let number = state.open("towpath", "towpath/checkout/staging", "staging", "t", "b");
            for by in ["ana", "bo"] {
                state.approve(by, number);
                state.unapprove(by, number);
                state.approve(by, number);
            }
            for (by, word) in [("ana", "requested_changes"), ("bo", "unreviewed"), ("eve", "requested_changes")] {
                state.review(by, number, word);
            }
        }
        let of = |name: &str| (name.to_owned(), 30, "active");
        state.groups.insert("shop/release".to_owned(), vec![of("ana"), of("bo"), of("eve")]);
        state.authors.insert(head, "ana".to_owned());
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
        "ways" => forge.ways(&repo(), &branch("staging")).await.map(|seen| format!("{seen:?}")),
        "members" => forge.members(&repo(), "release").await.map(|seen| format!("{seen:?}")),
        other => panic!("{other}"),
    }
}

/// Each read, and the calls that it is made of, on the page that is spoiled.
const READS: [(&str, &str); 16] = [
    ("checks", "/pipelines?"),
    ("checks", "/pipelines?sha=PAGE2"),
    ("checks", "/statuses?"),
    ("checks", "/statuses?PAGE2"),
    ("requests", "state=opened"),
    ("requests", "state=opened&sort=asc&per_page=100&page=2"),
    ("requests", "state=all"),
    ("requests", "v4/user"),
    ("requests", "/approvals"),
    ("requests", "/reviewers?per_page=100&page=2"),
    ("requests", "/versions"),
    ("requests", "/notes?"),
    ("requests", "/notes?order_by=created_at&sort=asc&per_page=100&page=2"),
    ("required", "checkout"),
    ("ways", "checkout"),
    ("members", "/members/all?per_page=100&page=2"),
];

/// The place in `METHOD /path?query` that a row means.
fn place_of(at: &str, head: CommitId) -> String {
    match at {
        "/pipelines?sha=PAGE2" => format!("/pipelines?sha={head}&order_by=id&sort=asc&per_page=100&page=2"),
        "/statuses?PAGE2" => "/statuses?order_by=id&sort=asc&per_page=100&page=2".to_owned(),
        at => at.to_owned(),
    }
}

#[tokio::test]
async fn a_read_that_is_spoiled_anywhere_is_unknown() {
    let (place, head) = full().await;
    let faults = [
        ("503", Fault::Status(503, "down")),
        ("half of it", Fault::Truncated),
        ("another type", Fault::changed(|body| *body = json!("soon"))),
        ("an object for a list, or a list for one", {
            Fault::changed(|body| *body = if body.is_array() { json!({ "message": "soon" }) } else { json!([]) })
        }),
        ("a field of another type", Fault::changed(spoil)),
        ("nothing in it", Fault::changed(|body| *body = if body.is_array() { json!([]) } else { json!({}) })),
    ];
    for (what, at) in READS {
        let at = &place_of(at, head);
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
    place.watch.assert_good(400);
    assert!(place.watch.seen().on_purpose >= READS.len() * faults.len());
}

/// Makes the ids and names of what decides into something else.
fn spoil(body: &mut Value) {
    let first = if body.is_array() { &mut body[0] } else { body };
    for key in
        ["id", "iid", "username", "user", "approved_by", "merge_method", "only_allow_merge_if_pipeline_succeeds"]
    {
        if first.get(key).is_some() {
            first[key] = json!({ "is": first[key].clone() });
        }
    }
}

#[tokio::test]
async fn without_links_a_list_is_read_by_its_total_or_not_at_all() {
    let (place, head) = full().await;
    let good = read(&place, head, "checks").await.expect("good");
    place.state().tells.links = false;
    // Pages that are shorter than asked for and no word of a next one: what the total says is missing.
    let short = read(&place, head, "checks").await.expect_err("a page is missing");
    assert!(format!("{short:?}").contains("a page is missing"), "{short:?}");
    place.state().page_max = 100;
    assert_eq!(read(&place, head, "checks").await, Ok(good));
}

#[tokio::test]
async fn a_fault_that_passes_is_passed_over() {
    let (place, head) = full().await;
    for (what, at) in READS {
        place.faults.plan(&place_of(at, head), Fault::Status(502, "bad gateway"), 2);
        assert!(read(&place, head, what).await.is_ok(), "{what} at {at}");
        place.faults.clear();
    }
}

#[tokio::test]
async fn words_and_nulls_that_nobody_knows_are_never_green() {
    let place = Place::new().await;
    place.state().ran(place.root, "develop", "build", "success");
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
        place.faults.plan("/statuses", Fault::changed(change), 1);
        let seen = forge.checks(&repo(), place.root).await.expect("read");
        assert_eq!(seen.iter().map(|check| check.state).collect::<Vec<_>>(), [CiState::Running]);
    }
    // What is new beside it, or null where nothing hangs on it, is passed over.
    let harmless = Fault::changed(|body| {
        body[0]["new"] = json!([1]);
        for key in ["finished_at", "target_url", "allow_failure", "author", "ref"] {
            body[0][key] = Value::Null;
        }
    });
    place.faults.plan("/statuses", harmless, 1);
    let seen = forge.checks(&repo(), place.root).await.expect("read");
    assert_eq!((seen[0].state, seen[0].origin.as_str(), seen[0].finished_ago), (CiState::Green, "push", None));
}

#[tokio::test]
async fn a_server_that_wants_us_later_is_not_asked_meanwhile() {
    let place = Place::new().await;
    let forge = place.forge();
    place.faults.plan("/pipelines", Fault::TooMany(30), 1);
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
    place.faults.plan("/statuses", Fault::Trickled, 9);
    let late = place.forge_with("towpath", options).checks(&repo(), place.root).await.expect_err("late");
    assert!(matches!(late.why, UnknownWhy::TimedOut { .. }), "{late:?}");
}

#[tokio::test]
async fn what_acts_is_sent_once_and_what_was_done_is_found() {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    let forge = place.forge();
    place.faults.plan("POST /api/v4/projects/shop%2Fback%2Fcheckout/merge_requests", Fault::DoneAndDropped, 1);
    let lost = forge.open(&repo(), &proposal()).await;
    assert!(matches!(lost, Err(CallFault::NoAnswer { .. })), "{lost:?}");
    assert_eq!(place.calls("POST"), 1);
    let wanted = proposal();
    let found = forge.requests(&repo(), &wanted.head, &wanted.base).await.expect("read");
    assert_eq!(found.len(), 1);
    let again = forge.open(&repo(), &wanted).await;
    assert!(matches!(again, Err(CallFault::Exists { .. })), "{again:?}");

    place.faults.plan("merge_requests/1/notes", Fault::Status(500, ""), 3);
    let before = forge.comment(&repo(), 1, "<!-- m -->", "<!-- m --> a").await;
    assert!(matches!(before, Err(CallFault::NotSent { .. })), "{before:?}");
    place.faults.plan("POST /api/v4/projects/shop%2Fback%2Fcheckout/merge_requests/1", Fault::DoneAndDropped, 1);
    let lost = forge.comment(&repo(), 1, "<!-- m -->", "<!-- m --> a").await;
    assert!(matches!(lost, Err(CallFault::NoAnswer { .. })), "{lost:?}");
    forge.comment(&repo(), 1, "<!-- m -->", "<!-- m --> b").await.expect("said");
    let notes: Vec<String> = place.state().request(1).notes.iter().map(|note| note.body.clone()).collect();
    assert_eq!(notes, ["<!-- m --> b"]);

    let line = StatusLine {
        context: "towpath/x".to_owned(),
        state: StatusState::Success,
        description: "d".to_owned(),
        url: None,
    };
    place.faults.plan("POST /api/v4/projects/shop%2Fback%2Fcheckout/statuses", Fault::DoneAndDropped, 1);
    let lost = forge.status(&repo(), head, &line).await;
    assert!(matches!(lost, Err(CallFault::NoAnswer { .. })), "{lost:?}");
    forge.status(&repo(), head, &line).await.expect("there already");
    assert_eq!(place.state().jobs.len(), 1);

    place.faults.plan("merge_requests/1/merge", Fault::DoneAndDropped, 1);
    let lost = place.merge(1, head, MergeHow::FastForward).await;
    assert!(matches!(lost, PushAnswer::NoAnswer { .. }), "{lost:?}");
    assert_eq!((place.tip("staging"), place.calls("PUT")), (Some(head), 2));
    assert_eq!(place.merge(1, head, MergeHow::FastForward).await, PushAnswer::UpToDate);
}

#[tokio::test]
async fn a_write_that_was_not_answered_well_is_not_taken_for_done_or_refused() {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    let forge = place.forge();
    for fault in [Fault::Status(500, ""), Fault::Status(502, "bad gateway"), Fault::Truncated] {
        place.faults.plan("POST ", fault, 1);
        let unclear = forge.open(&repo(), &proposal()).await;
        assert!(matches!(unclear, Err(CallFault::NoAnswer { .. })), "{unclear:?}");
        place.state().requests.clear();
    }
    // A read that fails before the write: nothing was sent.
    place.faults.plan("checkout", Fault::Status(500, ""), 3);
    let labelled = Proposal { labels: vec!["x".to_owned()], ..proposal() };
    let before = forge.open(&repo(), &labelled).await;
    assert!(matches!(before, Err(CallFault::NotSent { .. })), "{before:?}");
    place.faults.clear();
    let number = forge.open(&repo(), &proposal()).await.expect("opened");
    for (at, fault) in [
        ("merge_requests/", Fault::Status(500, "")),
        ("merge_requests/", Fault::changed(|body| *body = json!([]))),
        ("branches/staging", Fault::Truncated),
        ("checkout", Fault::Truncated),
    ] {
        place.faults.plan(at, fault, 3);
        let before = place.merge(number, head, MergeHow::FastForward).await;
        assert!(matches!(before, PushAnswer::NotSent { .. }), "{at}: {before:?}");
        place.faults.clear();
    }
    assert_eq!(place.calls("PUT"), 0);
    place.faults.plan("/merge_requests/1/merge", Fault::Status(504, "gateway timeout"), 1);
    let unclear = place.merge(number, head, MergeHow::FastForward).await;
    assert!(matches!(unclear, PushAnswer::NoAnswer { .. }), "{unclear:?}");
    assert_eq!(place.tip("staging"), Some(place.root));
}
