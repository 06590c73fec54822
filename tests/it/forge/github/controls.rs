//! The checks checked: each exchange, spoiled, is found by the description; each answer, spoiled, is
//! unknown to the adapter.

use axum::body::Bytes;
use serde_json::{Value, json};
use towpath::forge::github::{REPOSITORY_QUERY, UPDATE_REFS, authors_query};
use towpath::forge::{Forge as _, MergeHow, Permission, Reaction, StatusLine, StatusState};
use towpath_core::act::PushAnswer;
use towpath_core::model::Unknown;

use super::state::{Fault, Push};
use super::{REQUEST, World, branch};
use crate::forge::graphql::Schema;
use crate::forge::schema::{Api, Exchange, spec};

/// Every operation that the adapter calls.
const OPERATIONS: [&str; 29] = [
    "GET /app",
    "GET /apps/{app_slug}",
    "GET /installation/repositories",
    "GET /orgs/{org}/teams/{team_slug}/members",
    "GET /repos/{owner}/{repo}",
    "GET /repos/{owner}/{repo}/actions/runs",
    "GET /repos/{owner}/{repo}/activity",
    "GET /repos/{owner}/{repo}/branches/{branch}",
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
    "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
    "GET /repos/{owner}/{repo}/commits/{ref}/check-suites",
    "GET /repos/{owner}/{repo}/commits/{ref}/statuses",
    "GET /repos/{owner}/{repo}/git/ref/{ref}",
    "GET /repos/{owner}/{repo}/installation",
    "GET /repos/{owner}/{repo}/issues/{issue_number}",
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "GET /repos/{owner}/{repo}/pulls",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}",
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
    "GET /repos/{owner}/{repo}/rules/branches/{branch}",
    "GET /repos/{owner}/{repo}/rulesets/{ruleset_id}",
    "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
    "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
    "POST /app/installations/{installation_id}/access_tokens",
    "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
    "POST /repos/{owner}/{repo}/pulls",
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
];

/// Those of them that need a world of their own here.
const OTHERS: [&str; 2] =
    ["POST /repos/{owner}/{repo}/statuses/{sha}", "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge"];

/// Everything that the adapter can do, once.
async fn everything(world: &World) {
    {
        let mut state = world.server.state();
        let suite = state.suite(world.b, Some("develop"), Some("success"));
        state.run(suite, "build", Some("success"));
        let again = state.suite(world.b, Some("develop"), Some("success"));
        state.run(again, "build", Some("success"));
        state.status(world.b, "lint", "success", "circle[bot]");
        let (kind, at) = ("push", state.now);
        state.pushes = vec![Push { on: "staging", kind, before: None, after: Some(world.a), at }];
        let linear = json!({
            "type": "required_linear_history", "ruleset_source_type": "Repository",
            "ruleset_source": "shop/checkout", "ruleset_id": 1,
        });
        state.rules.insert("staging".to_owned(), vec![json!({ "type": "deletion" }), linear]);
    }
    let (forge, repo) = (&world.forge, &world.repo);
    let (head, base) = (branch(REQUEST), branch("staging"));
    forge.checks(repo, world.b).await.expect("checks");
    forge.required(repo, &base).await.expect("required");
    forge.pushes(repo, &base).await.expect("pushes");
    forge.members(repo, "release").await.expect("members");
    forge.repositories().await.expect("repositories");
    assert_eq!(forge.findings(repo, &[(base.clone(), true)]).await, []);
    let mut proposal = world.proposal();
    let closed = forge.open(repo, &proposal).await.expect("opened");
    world.server.state().close(closed, "ana");
    // Who closed it is asked of the newest alone.
    forge.requests(repo, &head, &base).await.expect("requests");
    let number = forge.open(repo, &proposal).await.expect("opened");
    forge.ask_reviewers(repo, number, &proposal.reviewers).await.expect("asked");
    proposal.title.push('!');
    forge.describe(repo, number, &proposal).await.expect("described");
    for text in ["M one", "M two"] {
        forge.comment(repo, number, "M", text).await.expect("commented");
    }
    let said = world.server.state().say("ana", number, "well");
    for _ in 0..2 {
        forge.react(repo, number, said, Reaction::Seen).await.expect("heard");
    }
    assert_eq!(forge.permission(repo, "ana").await, Ok(Permission::Write));
    world.server.state().review(number, "ana", "APPROVED");
    forge.requests(repo, &head, &base).await.expect("requests");
    let line = StatusLine {
        context: "towpath/x/y".to_owned(),
        state: StatusState::Pending,
        description: "waits".to_owned(),
        url: None,
    };
    forge.status(repo, world.b, &line).await.expect("set");
    let merge = forge.merge(repo, number, &base, world.a, world.b, MergeHow::MergeCommit).await;
    assert_eq!(merge, PushAnswer::Moved);
}

fn spoiled(exchange: &Exchange, change: impl FnOnce(&mut Exchange)) -> Exchange {
    let mut exchange = exchange.clone();
    change(&mut exchange);
    exchange
}

fn found(api: &Api, exchange: &Exchange) -> bool {
    !api.check(exchange).1.is_empty()
}

#[tokio::test]
async fn each_operation_spoiled_in_each_way_is_not_as_described() {
    let world = World::app().await;
    everything(&world).await;
    let Some(api) = world.server.watch.api() else { return };
    world.server.assert_good(30, 0);
    let seen = world.server.watch.seen();
    let called: Vec<&str> = seen.checked.keys().map(String::as_str).collect();
    let mut expected: Vec<&str> = OPERATIONS.into_iter().chain(OTHERS).collect();
    expected.sort_unstable();
    assert_eq!(called, expected, "the list of operations is the list of controls");
    for ((operation, status), sample) in &seen.samples {
        if !(200..300).contains(status) {
            continue;
        }
        assert!(!found(api, sample), "{operation}: the sample is good");
        assert!(found(api, &spoiled(sample, |e| e.status = 299)), "{operation}: another status");
        assert!(found(api, &spoiled(sample, |e| e.content_type = "text/html".into())), "{operation}: no JSON");
        assert!(found(api, &spoiled(sample, |e| e.response = Bytes::from("[{"))), "{operation}: half");
        assert!(found(api, &spoiled(sample, |e| e.query = "unheard_of=1".into())), "{operation}: a query");
        assert!(
            found(api, &spoiled(sample, |e| e.path = e.path.replacen("/v3/", "/v3/no/", 1))),
            "{operation}: a path"
        );
        // Each field that is required, taken away or of another type; also of the first item of a list.
        let body: Value = serde_json::from_slice(&sample.response).expect("JSON");
        let lists = body.as_object().into_iter().flatten().filter(|(_, value)| value.pointer("/0").is_some());
        let lists = lists.map(|(name, _)| format!("/{name}/0"));
        let places = lists.chain([if body.is_array() { "/0".to_owned() } else { String::new() }]);
        let mut looked = 0;
        for place in places {
            let Some(Value::Object(at)) = body.pointer(&place) else { continue };
            looked += 1;
            let with = |changed: Value| {
                let mut whole = body.clone();
                *whole.pointer_mut(&place).expect("a place") = changed;
                found(api, &spoiled(sample, |e| e.response = Bytes::from(whole.to_string())))
            };
            let (mut taken, mut turned) = (0, 0);
            for name in at.keys() {
                let (mut without, mut other) = (at.clone(), at.clone());
                without.remove(name);
                other.insert(name.clone(), json!({ "not": ["this"] }));
                taken += usize::from(with(Value::Object(without)));
                turned += usize::from(with(Value::Object(other)));
            }
            // Rules and an error's words have nothing that is required.
            assert!(taken > 0 || operation.contains("rules"), "{operation} {place}: no field is required");
            assert!(turned > 0, "{operation} {place}: any type would do");
        }
        assert!(looked > 0, "{operation}: nothing to spoil");
    }
    // Requests: a field that is not there, one of another type.
    for ((operation, _), sample) in seen.samples.iter().filter(|((operation, _), _)| !operation.starts_with("GET"))
    {
        if sample.request.is_empty() || sample.request.as_ref() == b"{}" {
            continue;
        }
        let sent: Value = serde_json::from_slice(&sample.request).expect("JSON");
        let with = |change: &dyn Fn(&mut Value)| {
            let mut sent = sent.clone();
            change(&mut sent);
            spoiled(sample, |e| e.request = Bytes::from(sent.to_string()))
        };
        assert!(found(api, &with(&|sent| sent["unheard_of"] = json!(1))), "{operation}: a field");
        let first = sent.as_object().and_then(|sent| sent.keys().next().cloned()).expect("a field");
        assert!(found(api, &with(&|sent| sent[&first] = json!([[1]]))), "{operation}: `{first}` of another type");
    }
}

#[tokio::test]
async fn the_oldest_enterprise_server_knows_what_is_asked() {
    let world = World::app().await;
    everything(&world).await;
    let Some(text) = spec("ghes-3.17.json") else { return };
    let api = Api::new(&text, "/api/v3");
    let samples = world.server.watch.seen().samples;
    assert!(samples.len() >= OPERATIONS.len());
    for (operation, sample) in &samples {
        // Answers are those of github.com: what is asked is what matters here.
        let (_, mut wrong) = api.check(sample);
        wrong.retain(|wrong| !wrong.contains(": answer ") && !wrong.contains(": status "));
        assert_eq!(wrong, Vec::<String>::new(), "{operation:?}");
    }
}

#[tokio::test]
async fn a_forge_that_answers_otherwise_turns_the_watch_red() {
    let world = World::new().await;
    world.forge.members(&world.repo, "release").await.expect("members");
    world.server.assert_good(1, 0);
    if !world.server.watch.checks() {
        return;
    }
    // Not marked as on purpose: as if the forge of the tests were wrong itself.
    world.server.state().rules.insert("staging".to_owned(), vec![json!({ "type": "deletion" })]);
    world.server.state().run_of_a_wrong_kind(world.b);
    let _ = world.forge.checks(&world.repo, world.b).await;
    let wrong = world.server.watch.seen().wrong;
    assert!(wrong.iter().any(|wrong| wrong.contains("check-runs") && wrong.contains("splendid")), "{wrong:?}");
}

/// One reading operation, and what it answers when an answer of GitHub's is spoiled.
async fn read(world: &World, what: &str) -> Result<(), Unknown> {
    let (repo, head, base) = (&world.repo, branch(REQUEST), branch("staging"));
    match what {
        "checks" => world.forge.checks(repo, world.b).await.map(|_| ()),
        "required" => world.forge.required(repo, &base).await.map(|_| ()),
        "members" => world.forge.members(repo, "release").await.map(|_| ()),
        _ => world.forge.requests(repo, &head, &base).await.map(|_| ()),
    }
}

const READS: [(&str, &str); 10] = [
    ("checks", "actions/runs"),
    ("checks", "check-runs"),
    ("checks", "check-suites"),
    ("checks", "/statuses"),
    ("required", "rules/branches"),
    ("required", "checkout/branches"),
    ("members", "members"),
    ("requests", "state=open"),
    ("requests", "reviews"),
    ("requests", "permission"),
];

#[tokio::test]
async fn whatever_is_wrong_with_an_answer_it_is_unknown_and_never_less() {
    let world = World::new().await;
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    {
        let mut state = world.server.state();
        let suite = state.suite(world.b, Some("develop"), Some("success"));
        state.run(suite, "build", Some("success"));
        let again = state.suite(world.b, Some("develop"), Some("success"));
        state.run(again, "build", Some("success"));
        state.status(world.b, "lint", "success", "jenkins");
        state.review(number, "ana", "APPROVED");
        state.rules.insert("staging".to_owned(), vec![json!({ "type": "deletion" })]);
    }
    fn number_instead(body: &mut Value) {
        *body = json!(7);
    }
    fn texts_instead(body: &mut Value) {
        *body = json!({ "check_runs": ["x"], "check_suites": ["x"], "workflow_runs": ["x"], "total_count": 1, "permission": 5, "protection": "x" });
    }
    for (what, operation) in READS {
        let three = |fault: Fault| vec![fault.clone(), fault.clone(), fault];
        for (name, faults) in [
            ("another type", vec![Fault::Spoil(number_instead)]),
            ("other types within", vec![Fault::Spoil(texts_instead)]),
            ("a page of HTML", vec![Fault::Html]),
            ("500 each time", three(Fault::Say(500, vec![], json!({})))),
            ("cut each time", three(Fault::Truncate)),
            ("lost each time", three(Fault::LoseRequest)),
            ("409", vec![Fault::Say(409, vec![], json!({ "message": "Git Repository is empty." }))]),
        ] {
            faults.into_iter().for_each(|fault| world.server.fault(operation, fault));
            assert!(read(&world, what).await.is_err(), "{what}, {operation}: {name}");
            assert!(world.server.state().faults.is_empty(), "{what}, {operation}: {name} was met");
            assert_eq!(read(&world, what).await, Ok(()), "{what}, {operation}: and afterwards it is well again");
        }
        // Once is nothing: it only reads, and is asked again.
        world.server.fault(operation, Fault::Truncate);
        assert_eq!(read(&world, what).await, Ok(()), "{what}, {operation}: cut once");
    }
    world.server.assert_good(50, 0);
}

#[tokio::test]
async fn a_page_that_is_missing_is_never_taken_for_the_end() {
    let world = World::new().await;
    {
        let mut state = world.server.state();
        let suite = state.suite(world.b, Some("develop"), None);
        for at in 0..5 {
            state.run(suite, &format!("good {at}"), Some("success"));
        }
        state.run(suite, "bad", Some("failure"));
        for at in 0..105 {
            state.status(world.b, &format!("context {at}"), "success", "jenkins");
        }
    }
    // Statuses have no total: a full page without a link is followed all the same. The oldest is on
    // the last page.
    world.server.state().statuses[0].state = "failure".to_owned();
    for part in ["/statuses?per_page=100", "check-runs"] {
        world.server.fault(part, Fault::NoLink);
    }
    let checks = world.forge.checks(&world.repo, world.b).await.expect("told");
    assert_eq!(checks.len(), 6 + 105);
    // Runs have one: fewer than it are not all.
    world.server.state().page_max = 2;
    world.server.fault("check-runs", Fault::NoLink);
    let unknown = world.forge.checks(&world.repo, world.b).await.expect_err("a page is missing");
    assert!(format!("{unknown:?}").contains("only 2 of 6 came"), "{unknown:?}");
    fn nothing(body: &mut Value) {
        body["check_runs"] = json!([]);
    }
    world.server.fault("check-runs?filter=latest&per_page=100&page=3", Fault::Spoil(nothing));
    world.forge.checks(&world.repo, world.b).await.expect_err("an empty last page");
    for _ in 0..3 {
        world.server.fault("page=2", Fault::Say(502, vec![], json!({})));
    }
    world.forge.checks(&world.repo, world.b).await.expect_err("a page that fails");
    fn of_another(body: &mut Value) {
        body["check_runs"][0]["head_sha"] = json!("0".repeat(40));
    }
    world.server.fault("check-runs", Fault::Spoil(of_another));
    world.forge.checks(&world.repo, world.b).await.expect_err("a run of another commit");
}

#[tokio::test]
async fn words_that_nobody_knows_yet_are_never_green() {
    let world = World::new().await;
    {
        let mut state = world.server.state();
        let suite = state.suite(world.b, Some("develop"), Some("success"));
        state.run(suite, "build", Some("success"));
        state.status(world.b, "lint", "success", "jenkins");
    }
    fn words(body: &mut Value) {
        body["check_runs"][0]["conclusion"] = json!("splendid");
    }
    fn nulls(body: &mut Value) {
        for field in ["conclusion", "status", "app", "check_suite", "html_url", "completed_at"] {
            body["check_runs"][0][field] = Value::Null;
        }
        body["check_runs"][0]["new"] = json!({ "field": 1 });
    }
    fn odd(body: &mut Value) {
        body[0]["state"] = json!("warning");
        body[0]["creator"] = Value::Null;
    }
    for (operation, spoil) in [("check-runs", words as fn(&mut Value)), ("check-runs", nulls), ("/statuses", odd)] {
        world.server.fault(operation, Fault::Spoil(spoil));
        let checks = world.forge.checks(&world.repo, world.b).await.expect("read all the same");
        let green = checks.iter().filter(|check| check.state == towpath_core::model::CiState::Green).count();
        assert_eq!((checks.len(), green), (2, 1), "{operation}");
    }
}

#[tokio::test]
async fn an_answer_that_trickles_ends_at_the_deadline() {
    let mut world = World::new().await;
    let options = towpath::forge::client::Options {
        deadline: std::time::Duration::from_millis(400),
        ..towpath::forge::client::Options::default()
    };
    let token = super::secret("ghp_test");
    let credential =
        towpath::forge::github::Credential::Token(towpath::config::SecretRef::File(token.path().to_owned()));
    let clock = towpath::clock::Clock::Manual(world.clock.clone());
    let client = towpath::forge::client::Client::new(options, clock.clone()).expect("a client");
    world.forge =
        towpath::forge::github::GitHub::new(&world.server.url, credential, client, clock).expect("a forge");
    world.server.fault("members", Fault::Trickle(50));
    let unknown = world.forge.members(&world.repo, "release").await.expect_err("too slow");
    assert!(matches!(unknown.why, towpath_core::model::UnknownWhy::TimedOut { .. }), "{unknown:?}");
}

#[test]
fn our_documents_fit_the_official_schema_and_others_do_not() {
    let Some(text) = spec("github.graphql") else { return };
    let schema = Schema::new(&text);
    let id = "0123456789012345678901234567890123456789";
    let input = json!({ "input": { "repositoryId": "R_1", "refUpdates": [
        { "name": "refs/heads/main", "beforeOid": id, "afterOid": id, "force": false },
    ] } });
    let done = json!({ "updateRefs": { "clientMutationId": null } });
    let names = json!({ "owner": "a", "name": "b" });
    assert_eq!(schema.check(UPDATE_REFS, &input, Some(&done)), Vec::<String>::new());
    let found = json!({ "repository": { "id": "R_1" } });
    assert_eq!(schema.check(REPOSITORY_QUERY, &names, Some(&found)), Vec::<String>::new());
    let authors = authors_query(&[id.parse().expect("an id"), id.parse().expect("an id")]);
    let told = json!({ "repository": {
        "c0": { "authors": { "totalCount": 2, "nodes": [{ "email": "a@b", "user": { "login": "ana" } },
            { "email": null, "user": null }] } }, "c1": null,
    } });
    assert_eq!(schema.check(&authors, &names, Some(&told)), Vec::<String>::new());
    let wrong = |text: &str, variables: &Value, data: Option<&Value>| {
        assert!(!schema.check(text, variables, data).is_empty(), "{text} {variables} {data:?}");
    };
    wrong(&UPDATE_REFS.replace("updateRefs", "moveRefs"), &input, None);
    wrong(&UPDATE_REFS.replace("UpdateRefsInput", "UpdateRefInput"), &input, None);
    wrong(&UPDATE_REFS.replace("clientMutationId", "repository"), &input, None);
    wrong(&UPDATE_REFS.replace("(input: $input)", ""), &input, None);
    wrong(&REPOSITORY_QUERY.replace("{ id }", ""), &names, None);
    wrong(&REPOSITORY_QUERY.replace("followRenames: false", "followRenames: 1"), &names, None);
    wrong(&authors.replace("on Commit", "on User"), &names, None);
    wrong(&authors.replace("authors(", "writers("), &names, None);
    wrong(&authors.replace("first: 20", "first: \"20\""), &names, None);
    wrong(&authors.replace("{ login }", "{ logins }"), &names, None);
    wrong(&authors.replace(id, "main"), &names, None);
    for (at, value) in [
        ("/repository/c0/authors", Value::Null),
        ("/repository/c0/authors/nodes/0/user/login", Value::Null),
        ("/repository/c0/authors/nodes/0/user/name", json!("Ana")),
    ] {
        let mut told = told.clone();
        let (parent, key) = at.rsplit_once('/').expect("a key");
        told.pointer_mut(parent).expect("a place")[key] = value;
        wrong(&authors, &names, Some(&told));
    }
    wrong(REPOSITORY_QUERY, &json!({ "owner": "a" }), None);
    wrong(REPOSITORY_QUERY, &names, Some(&json!({ "repository": { "id": null } })));
    for (at, value) in [
        ("/input/refUpdates/0/beforeOid", json!("abc")),
        ("/input/refUpdates/0/name", json!("main")),
        ("/input/refUpdates/0/force", json!("no")),
        ("/input/refUpdates/0/afterOid", Value::Null),
        ("/input/refUpdates", Value::Null),
        ("/input/repositoryId", json!(1)),
    ] {
        let mut input = input.clone();
        *input.pointer_mut(at).expect("a place") = value;
        wrong(UPDATE_REFS, &input, None);
    }
    let mut more = input.clone();
    more["input"]["refUpdates"][0]["oldOid"] = json!(id);
    wrong(UPDATE_REFS, &more, None);
}
