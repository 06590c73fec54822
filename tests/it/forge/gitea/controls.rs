//! The check is checked: a good exchange of each operation that the adapter uses is spoiled in every way
//! that matters, and the check has to see it.

use axum::body::Bytes;
use serde_json::{Value, json};
use towpath::forge::{Forge as _, MergeHow, Permission, Proposal, Reaction, StatusLine, StatusState};
use towpath_core::act::PushAnswer;

use super::super::schema::{Api, Exchange};
use super::state::Rule;
use super::{Place, branch, proposal, repo};

/// Every operation that the adapter calls.
const OPERATIONS: [&str; 28] = [
    "GET /orgs/{org}/labels",
    "GET /orgs/{org}/teams",
    "GET /repos/{owner}/{repo}",
    "GET /repos/{owner}/{repo}/branch_protections",
    "GET /repos/{owner}/{repo}/branches",
    "GET /repos/{owner}/{repo}/branches/{branch}",
    "GET /repos/{owner}/{repo}/collaborators/{collaborator}/permission",
    "GET /repos/{owner}/{repo}/commits",
    "GET /repos/{owner}/{repo}/commits/{ref}/status",
    "GET /repos/{owner}/{repo}/git/commits/{sha}",
    "GET /repos/{owner}/{repo}/hooks",
    "GET /repos/{owner}/{repo}/issues/{index}/comments",
    "GET /repos/{owner}/{repo}/labels",
    "GET /repos/{owner}/{repo}/pulls",
    "GET /repos/{owner}/{repo}/pulls/{index}",
    "GET /repos/{owner}/{repo}/pulls/{index}/reviews",
    "GET /repos/{owner}/{repo}/statuses/{sha}",
    "GET /settings/api",
    "GET /teams/{id}/members",
    "GET /user",
    "GET /user/repos",
    "GET /version",
    "PATCH /repos/{owner}/{repo}/issues/comments/{id}",
    "PATCH /repos/{owner}/{repo}/pulls/{index}",
    "POST /repos/{owner}/{repo}/issues/comments/{id}/reactions",
    "POST /repos/{owner}/{repo}/issues/{index}/comments",
    "POST /repos/{owner}/{repo}/issues/{index}/labels",
    "POST /repos/{owner}/{repo}/labels",
];
/// Those that the list above has no room for in its order: what makes and moves requests.
const MOVES: [&str; 5] = [
    "POST /repos/{owner}/{repo}/pulls",
    "POST /repos/{owner}/{repo}/pulls/{index}/merge",
    "POST /repos/{owner}/{repo}/pulls/{index}/requested_reviewers",
    "POST /repos/{owner}/{repo}/statuses/{sha}",
    "PUT /repos/{owner}/{repo}/branches/{branch}",
];

/// A place where every call of the adapter has been made, and answered well.
async fn everything() -> Place {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    {
        let mut state = place.state();
        state.people[0].rights = "admin";
        state.teams = vec![(90, "release".to_owned(), vec!["ana".to_owned(), "towpath".to_owned()])];
        let url = |run: u32| format!("/shop/checkout/actions/runs/{run}/jobs/0");
        state.report_of(None, head, "CI", "success", "one.yml", &url(1));
        state.report_of(None, head, "CI", "success", "two.yml", &url(2));
        state.org_labels = vec![(71, "release".to_owned())];
        let (branch, pushers) = ("master".to_owned(), vec!["towpath".to_owned()]);
        let checks = Some(vec!["CI".to_owned()]);
        state.protect(Rule { branch, mergers: pushers.clone(), pushers, checks, approvals: 0, up_to_date: false });
    }
    let forge = place.forge();
    forge.checks(&repo(), head).await.expect("read");
    forge.required(&repo(), &branch("master")).await.expect("read");
    forge.authors(&repo(), &[head]).await.expect("read");
    let four: Vec<_> = (0..4).map(|at| place.push("develop", &format!("f{at}"))).collect();
    forge.authors(&repo(), &four).await.expect("read");
    forge.branches(&repo()).await.expect("read");
    forge.members(&repo(), "release").await.expect("read");
    forge.repositories().await.expect("read");
    forge.findings(&repo(), &[(branch("staging"), false), (branch("master"), true)]).await;
    let wanted = Proposal {
        labels: vec!["release".to_owned(), "new".to_owned()],
        reviewers: vec!["ana".to_owned()],
        ..proposal()
    };
    let number = forge.open(&repo(), &wanted).await.expect("opened");
    forge.ask_reviewers(&repo(), number, &wanted.reviewers).await.expect("asked");
    place.state().review("ana", number, "APPROVED");
    place.state().pull(number).reviews[0].official = false;
    forge.requests(&repo(), &wanted.head, &wanted.base).await.expect("read");
    let other = Proposal { title: "other".to_owned(), labels: vec!["more".to_owned()], ..wanted };
    forge.describe(&repo(), number, &other).await.expect("described");
    for text in ["<!-- m --> one", "<!-- m --> two"] {
        forge.comment(&repo(), number, "<!-- m -->", text).await.expect("said");
    }
    let said = place.state().say("ana", number, "well");
    for _ in 0..2 {
        forge.react(&repo(), number, said.unsigned_abs(), Reaction::Done).await.expect("heard");
    }
    assert_eq!(forge.permission(&repo(), "ana").await, Ok(Permission::Write));
    let line = StatusLine {
        context: "towpath/x".to_owned(),
        state: StatusState::Pending,
        description: "d".to_owned(),
        url: None,
    };
    forge.status(&repo(), head, &line).await.expect("written");
    place.merge(number, head, MergeHow::FastForward).await;
    assert_eq!(place.tip("staging"), Some(head));
    place.state().version = "1.26.0".to_owned();
    let next = place.push("towpath/checkout/staging", "b");
    let moved = place.forge().advance(&repo(), &branch("staging"), head, next).await;
    assert_eq!((moved, place.tip("staging")), (Some(PushAnswer::Moved), Some(next)));
    place
}

#[tokio::test]
async fn every_operation_of_the_adapter_is_held_against_the_description_and_the_check_sees_what_is_wrong() {
    let place = everything().await;
    place.watch.assert_good(40);
    let Some(api) = place.watch.api() else { return };
    let seen = place.watch.seen();
    let mut expected: Vec<&str> = OPERATIONS.into_iter().chain(MOVES).collect();
    expected.sort_unstable();
    assert_eq!(seen.checked.keys().map(String::as_str).collect::<Vec<_>>(), expected);
    let mut controls = 0;
    for ((operation, status), good) in seen.samples.iter().filter(|((_, status), _)| *status < 300) {
        assert_eq!(api.check(good).1, Vec::<String>::new(), "{operation}");
        for (how, spoiled) in spoiled(good) {
            controls += 1;
            assert!(!api.check(&spoiled).1.is_empty(), "{operation} {status}: nobody sees {how}");
        }
    }
    assert!(controls >= 5 * expected.len(), "only {controls} controls");
    println!("{controls} controls over {} operations", expected.len());
}

/// A good exchange, wrong in one way each.
fn spoiled(good: &Exchange) -> Vec<(String, Exchange)> {
    let mut all = Vec::new();
    let mut say = |how: String, change: &dyn Fn(&mut Exchange)| {
        let mut exchange = good.clone();
        change(&mut exchange);
        all.push((how, exchange));
    };
    say("another status".to_owned(), &|e| e.status = 418);
    say("another success".to_owned(), &|e| e.status = 202);
    say("another path".to_owned(), &|e| e.path.insert_str("/api/v1".len(), "/colour"));
    say("an unknown query".to_owned(), &|e| e.query = "colour=red".to_owned());
    if !good.response.is_empty() {
        let body: Value = serde_json::from_slice(&good.response).expect("JSON");
        say("another content type".to_owned(), &|e| e.content_type = "text/html".to_owned());
        say("a text for an answer".to_owned(), &|e| e.response = Bytes::from_static(b"\"soon\""));
        say("half an answer".to_owned(), &|e| e.response = e.response.slice(..e.response.len() / 2));
        let object = if body.is_array() { &body[0] } else { &body };
        for name in object.as_object().into_iter().flat_map(|fields| fields.keys()) {
            // What is null here, or described without a type, may be anything.
            if object[name].is_null() || name == "metadata" {
                continue;
            }
            let wrong = if object[name].is_array() { json!({ "is": 1 }) } else { json!([[1]]) };
            say(format!("`{name}` of another type"), &|e| e.response = with(&body, name, wrong.clone()));
        }
        if object.is_object() {
            say("a field that there is not".to_owned(), &|e| e.response = with(&body, "colour", json!(1)));
        }
    } else {
        say("a body where there is none".to_owned(), &|e| {
            e.response = Bytes::from_static(b"{}");
            e.content_type = "application/json".to_owned();
        });
    }
    if !good.request.is_empty() {
        let body: Value = serde_json::from_slice(&good.request).expect("JSON");
        say("no JSON".to_owned(), &|e| e.request = Bytes::from_static(b"{"));
        say("a field that there is not".to_owned(), &|e| e.request = with(&body, "colour", json!(1)));
        for name in body.as_object().into_iter().flat_map(|fields| fields.keys()) {
            let wrong = json!({ "is": [1] });
            say(format!("`{name}` of another type sent"), &|e| e.request = with(&body, name, wrong.clone()));
        }
    }
    all
}

fn with(body: &Value, name: &str, value: Value) -> Bytes {
    let mut body = body.clone();
    let object = if body.is_array() { &mut body[0] } else { &mut body };
    object[name] = value;
    Bytes::from(body.to_string())
}

#[tokio::test]
async fn words_that_the_description_does_not_know_are_seen() {
    let place = everything().await;
    let Some(api) = place.watch.api() else { return };
    let samples = place.watch.seen().samples;
    let wrong = |api: &Api, operation: &str, status: u16, change: &dyn Fn(&mut Value, &mut Value)| {
        let mut exchange = samples[&(operation.to_owned(), status)].clone();
        let read = |bytes: &Bytes| serde_json::from_slice(bytes).unwrap_or(Value::Null);
        let (mut sent, mut came) = (read(&exchange.request), read(&exchange.response));
        change(&mut sent, &mut came);
        // What was not sent stays unsent: a body where there was none would be seen for itself.
        for (bytes, value) in [(&mut exchange.request, sent), (&mut exchange.response, came)] {
            if !bytes.is_empty() {
                *bytes = Bytes::from(value.to_string());
            }
        }
        !api.check(&exchange).1.is_empty()
    };
    let merge = "POST /repos/{owner}/{repo}/pulls/{index}/merge";
    assert!(wrong(api, merge, 200, &|sent, _| sent["Do"] = json!("ff")));
    assert!(wrong(api, merge, 200, &|sent, _| drop(sent.as_object_mut().expect("sent").remove("Do"))));
    let status = "POST /repos/{owner}/{repo}/statuses/{sha}";
    assert!(wrong(api, status, 201, &|sent, _| sent["state"] = json!("green")));
    let statuses = "GET /repos/{owner}/{repo}/statuses/{sha}";
    assert!(wrong(api, statuses, 200, &|_, came| came[0]["status"] = json!("green")));
    let pulls = "GET /repos/{owner}/{repo}/pulls/{index}";
    assert!(wrong(api, pulls, 200, &|_, came| came["state"] = json!("merged")));
    assert!(wrong(api, pulls, 200, &|_, came| came["number"] = json!("1")));
    assert!(wrong(api, pulls, 200, &|_, came| came["title"] = Value::Null), "a text is never null in Go");
    assert!(!wrong(api, pulls, 200, &|_, came| came["merged_by"] = Value::Null), "a pointer may be");
}
