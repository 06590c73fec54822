//! The check is checked: a good exchange of each operation that the adapter uses is spoiled in every way
//! that matters, and the check has to see it.

use axum::body::Bytes;
use serde_json::{Value, json};
use towpath::forge::{Forge as _, MergeHow, Permission, Proposal, Reaction, StatusLine, StatusState};

use super::super::schema::{Api, Exchange};
use super::state::Push;
use super::{Place, branch, proposal, repo, spec};

/// Every operation that the adapter calls; all that are described, and no others.
const OPERATIONS: [&str; 28] = [
    "GET /v4/groups/{id}/members/all",
    "GET /v4/personal_access_tokens/self",
    "GET /v4/projects",
    "GET /v4/projects/{id}",
    "GET /v4/projects/{id}/events",
    "GET /v4/projects/{id}/hooks",
    "GET /v4/projects/{id}/members/all/{user_id}",
    "GET /v4/projects/{id}/merge_requests",
    "GET /v4/projects/{id}/merge_requests/{merge_request_iid}",
    "GET /v4/projects/{id}/merge_requests/{merge_request_iid}/approvals",
    "GET /v4/projects/{id}/merge_requests/{merge_request_iid}/notes",
    "GET /v4/projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}/award_emoji",
    "GET /v4/projects/{id}/merge_requests/{merge_request_iid}/reviewers",
    "GET /v4/projects/{id}/merge_requests/{merge_request_iid}/versions",
    "GET /v4/projects/{id}/pipelines",
    "GET /v4/projects/{id}/protected_branches/{name}",
    "GET /v4/projects/{id}/repository/branches/{branch}",
    "GET /v4/projects/{id}/repository/commits/{sha}/statuses",
    "GET /v4/user",
    "GET /v4/users",
    "POST /graphql",
    "POST /v4/projects/{id}/merge_requests",
    "POST /v4/projects/{id}/merge_requests/{merge_request_iid}/notes",
    "POST /v4/projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}/award_emoji",
    "POST /v4/projects/{id}/statuses/{sha}",
    "PUT /v4/projects/{id}/merge_requests/{merge_request_iid}",
    "PUT /v4/projects/{id}/merge_requests/{merge_request_iid}/merge",
    "PUT /v4/projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}",
];

/// A place where every call of the adapter has been made, and answered well.
async fn everything() -> Place {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    {
        let mut state = place.state();
        state.groups.insert("shop/release".to_owned(), vec![("ana".to_owned(), 30, "active")]);
        state.ran(head, "develop", "build", "success");
        state.protect("master", &[], &["towpath"]);
        state.authors.insert(head, "ana".to_owned());
        state.hooks = vec![json!({
            "id": 5, "url": "https://towpath.example/hooks/lab", "project_id": 1, "created_at": "2026-11-21T10:00:00Z",
            "push_events": true, "push_events_branch_filter": "", "tag_push_events": false,
            "merge_requests_events": true, "note_events": true, "job_events": false, "pipeline_events": true,
            "deployment_events": false, "enable_ssl_verification": true, "alert_status": "executable",
            "disabled_until": null, "url_variables": [],
        })];
    }
    let forge = place.forge();
    forge.checks(&repo(), head).await.expect("read");
    forge.required(&repo(), &branch("master")).await.expect("read");
    forge.members(&repo(), "release").await.expect("read");
    let pushed = Push { on: Some("staging"), kind: "branch", before: None, after: Some(head), at: 0 };
    place.state().pushes = vec![pushed];
    forge.pushes(&repo(), &branch("staging")).await.expect("read");
    forge.repositories().await.expect("read");
    forge.authors(&repo(), &[head]).await.expect("read");
    forge.findings(&repo(), &[(branch("staging"), false), (branch("master"), true)]).await;
    let wanted = Proposal { labels: vec!["release".to_owned()], reviewers: vec!["bo".to_owned()], ..proposal() };
    let number = forge.open(&repo(), &wanted).await.expect("opened");
    place.state().approve("ana", number);
    place.state().tells.approved_at = false;
    forge.requests(&repo(), &wanted.head, &wanted.base).await.expect("read");
    let other = Proposal { title: "other".to_owned(), labels: vec!["more".to_owned()], ..wanted };
    forge.describe(&repo(), number, &other).await.expect("described");
    for text in ["<!-- m --> one", "<!-- m --> two"] {
        forge.comment(&repo(), number, "<!-- m -->", text).await.expect("said");
    }
    let said = place.state().say("ana", number, "well");
    for _ in 0..2 {
        forge.react(&repo(), number, said, Reaction::Seen).await.expect("heard");
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
    place
}

#[tokio::test]
async fn every_operation_of_the_adapter_is_held_against_the_description_and_the_check_sees_what_is_wrong() {
    let place = everything().await;
    place.watch.assert_good(30);
    let api = place.watch.api().expect("it is in the repository");
    let seen = place.watch.seen();
    assert_eq!(seen.checked.keys().map(String::as_str).collect::<Vec<_>>(), OPERATIONS);
    let mut controls = 0;
    for ((operation, status), good) in seen.samples.iter().filter(|((_, status), _)| *status < 300) {
        assert_eq!(api.check(good).1, Vec::<String>::new(), "{operation}");
        for (how, spoiled) in spoiled(good) {
            controls += 1;
            assert!(!api.check(&spoiled).1.is_empty(), "{operation} {status}: nobody sees {how}");
        }
    }
    assert!(controls >= 12 * OPERATIONS.len(), "only {controls} controls");
    println!("{controls} controls over {} operations", OPERATIONS.len());
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
    say("another success".to_owned(), &|e| e.status = if e.status == 200 { 202 } else { 200 });
    say("another path".to_owned(), &|e| e.path.insert_str("/api".len(), "/colour"));
    say("an unknown query".to_owned(), &|e| e.query = "colour=red".to_owned());
    let body: Value = serde_json::from_slice(&good.response).expect("JSON");
    say("another content type".to_owned(), &|e| e.content_type = "text/html".to_owned());
    say("a text for an answer".to_owned(), &|e| e.response = Bytes::from_static(b"\"soon\""));
    say("half an answer".to_owned(), &|e| e.response = e.response.slice(..e.response.len() / 2));
    let object = if body.is_array() { &body[0] } else { &body };
    assert!(object.is_object(), "there is something to spoil");
    say("a field that there is not".to_owned(), &|e| e.response = with(&body, "colour", json!(1)));
    for name in object.as_object().expect("an object").keys() {
        let wrong = if object[name].is_array() { json!({ "is": 1 }) } else { json!([[1]]) };
        say(format!("`{name}` of another type"), &|e| e.response = with(&body, name, wrong.clone()));
    }
    if good.request.is_empty() {
        say("a body that nobody wants".to_owned(), &|e| e.request = Bytes::from_static(b"{\"a\":1}"));
        return all;
    }
    let body: Value = serde_json::from_slice(&good.request).expect("JSON");
    say("no body".to_owned(), &|e| e.request = Bytes::new());
    say("no JSON".to_owned(), &|e| e.request = Bytes::from_static(b"{"));
    say("a field sent that there is not".to_owned(), &|e| e.request = with(&body, "colour", json!(1)));
    for name in body.as_object().into_iter().flat_map(|fields| fields.keys()) {
        let wrong = json!([[1]]);
        say(format!("`{name}` of another type sent"), &|e| e.request = with(&body, name, wrong.clone()));
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
async fn words_and_fields_that_the_description_does_not_know_are_seen() {
    let place = everything().await;
    let api = place.watch.api().expect("it is in the repository");
    let samples = place.watch.seen().samples;
    let wrong = |api: &Api, operation: &str, change: &dyn Fn(&mut Value, &mut Value)| {
        let of = samples.iter().find(|((name, status), _)| name == operation && *status < 300);
        let mut exchange = of.expect("a sample").1.clone();
        let read = |bytes: &Bytes| serde_json::from_slice(bytes).unwrap_or(Value::Null);
        let (mut sent, mut came) = (read(&exchange.request), read(&exchange.response));
        change(&mut sent, &mut came);
        for (bytes, value) in [(&mut exchange.request, sent), (&mut exchange.response, came)] {
            if !bytes.is_empty() {
                *bytes = Bytes::from(value.to_string());
            }
        }
        !api.check(&exchange).1.is_empty()
    };
    let one = "/v4/projects/{id}/merge_requests/{merge_request_iid}";
    let merge = format!("PUT {one}/merge");
    assert!(wrong(api, &merge, &|sent, _| sent["sha"] = json!("HEAD")));
    assert!(wrong(api, &merge, &|_, came| came["state"] = json!("done")));
    let status = "POST /v4/projects/{id}/statuses/{sha}";
    assert!(wrong(api, status, &|sent, _| sent["state"] = json!("failure")));
    assert!(wrong(api, status, &|sent, _| drop(sent.as_object_mut().expect("sent").remove("state"))));
    assert!(wrong(api, status, &|sent, _| sent["description"] = json!("x".repeat(256))));
    let request = format!("GET {one}");
    assert!(wrong(api, &request, &|_, came| came["detailed_merge_status"] = json!("fine")));
    assert!(wrong(api, &request, &|_, came| came["iid"] = json!("1")));
    assert!(wrong(api, &request, &|_, came| drop(came.as_object_mut().expect("it").remove("sha"))));
    assert!(!wrong(api, &request, &|_, came| came["sha"] = Value::Null));
    let pipelines = "GET /v4/projects/{id}/pipelines";
    assert!(wrong(api, pipelines, &|_, came| came[0]["source"] = json!("cron")));
    let statuses = "GET /v4/projects/{id}/repository/commits/{sha}/statuses";
    assert!(wrong(api, statuses, &|_, came| came[0]["status"] = json!("failure")));
    assert!(wrong(api, &format!("GET {one}/approvals"), &|_, came| came["approved_by"][0]["user"] = Value::Null));
}

#[test]
fn every_operation_of_the_description_names_its_source() {
    let document: Value = serde_json::from_str(include_str!("openapi.json")).expect("JSON");
    let mut count = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            count += 1;
            let url = operation["externalDocs"]["url"].as_str().unwrap_or_default();
            assert!(url.starts_with("https://docs.gitlab.com/api/"), "{method} {path}: `{url}`");
        }
    }
    assert_eq!(count, OPERATIONS.len());
    assert!(spec::gitlab().answer_schema("GET", "/v4/user", 200).is_some());
}
