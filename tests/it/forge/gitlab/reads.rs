//! What the adapter reads from a GitLab that answers well.

use serde_json::json;
use towpath::forge::{CheckSeen, Finding, Forge as _, HeadBound, RepoPath, RequestState, Required};
use towpath_core::model::{Actor, CiState, CommitId, Mends, Span, UnknownWhy, Ways};

use super::super::gitea::faults::Fault;
use super::state::{PATH, Push};
use super::{Place, branch, proposal, repo};

fn told(checks: &[CheckSeen]) -> Vec<(&str, &str, Option<&str>, CiState)> {
    let on = |check: &'_ CheckSeen| check.on.clone();
    checks
        .iter()
        .map(|check| {
            let on = on(check).map(|_| check.on.as_ref().expect("some").as_str());
            (check.name.as_str(), check.origin.as_str(), on, check.state)
        })
        .collect()
}

#[tokio::test]
async fn checks_are_read_to_the_last_page_however_short_the_pages() {
    let place = Place::new().await;
    let commit = place.push("develop", "a");
    {
        let mut state = place.state();
        state.page_max = 3;
        let old = state.ran(commit, "develop", "job 3", "success");
        let push = state.pipeline("push", commit, "develop", "created");
        for number in 0..7 {
            state.job(push, &format!("job {number}"), "failed", false);
        }
        for number in 0..7 {
            state.job(push, &format!("job {number}"), if number == 6 { "failed" } else { "success" }, false);
        }
        let nightly = state.pipeline("schedule", commit, "develop", "created");
        state.job(nightly, "job 6", "success", false);
        state.job(old, "job 9", "failed", false);
        state.ran(place.root, "develop", "job 8", "failed");
    }
    for totals in [true, false] {
        place.state().tells.totals = totals;
        let checks = place.forge().checks(&repo(), commit).await.expect("read");
        assert_eq!(checks.len(), 8, "{:?}", told(&checks));
        let red: Vec<_> = told(&checks).into_iter().filter(|check| check.3 == CiState::Red).collect();
        assert_eq!(red, [("job 6", "push", Some("develop"), CiState::Red)]);
        assert!(told(&checks).contains(&("job 6", "schedule", Some("develop"), CiState::Green)));
        let oldest = checks.iter().filter_map(|check| check.finished_ago).max();
        assert!(oldest > Some(Span::from_secs(2)) && oldest < Some(Span::from_mins(1)), "{oldest:?}");
    }
    // Ten rows on pages of three, and three pipelines on one page; twice.
    assert_eq!((place.calls("/statuses"), place.calls("/pipelines?")), (8, 2));
    place.watch.assert_good(10);
}

#[tokio::test]
async fn when_a_branch_moved_is_told_as_far_as_one_page_goes() {
    let place = Place::new().await;
    let (a, b) = (place.root, place.push("develop", "a"));
    let now = place.state().now;
    let push = |on: Option<&'static str>,
                kind: &'static str,
                before: Option<CommitId>,
                after: Option<CommitId>,
                mins: i64| { Push { on, kind, before, after, at: now - mins * 60_000 } };
    let develop = Some("develop");
    place.state().pushes = vec![
        push(develop, "branch", Some(a), Some(b), 1),
        push(Some("staging"), "branch", Some(a), Some(b), 2),
        push(develop, "tag", None, Some(a), 3),
        push(develop, "branch", Some(b), None, 4),
        push(develop, "branch", None, Some(b), 5),
        push(None, "branch", None, None, 6),
        push(develop, "branch", None, Some(a), 7),
    ];
    let told = place.forge().pushes(&repo(), &branch("develop")).await.expect("read");
    let told: Vec<_> = told.into_iter().map(|push| (push.before, push.after, push.ago.ms() / 60_000)).collect();
    // What stands for several may have been of this branch: nothing is told from before it.
    assert_eq!(told, [(Some(a), Some(b), 1), (Some(b), None, 4), (None, Some(b), 5)]);
    place.watch.assert_good(1);
}

#[tokio::test]
async fn a_version_that_names_no_pipeline_of_a_status_is_read_too() {
    let place = Place::new().await;
    place.state().tells.pipeline_of_status = false;
    place.state().ran(place.root, "develop", "build", "success");
    let checks = place.forge().checks(&repo(), place.root).await.expect("read");
    assert_eq!(told(&checks), [("build", "push", Some("develop"), CiState::Green)]);
    place.watch.assert_good(2);
}

#[tokio::test]
async fn no_pipeline_is_no_check_and_one_without_jobs_is_never_green() {
    let place = Place::new().await;
    let forge = place.forge();
    assert_eq!(forge.checks(&repo(), place.root).await, Ok(Vec::new()));
    let table = [("created", Some(CiState::Running)), ("failed", Some(CiState::Red)), ("skipped", None)];
    for (word, state) in table {
        let place = Place::new().await;
        let from_outside = place.state().pipeline("external", place.root, "develop", "created");
        place.state().job(from_outside, "jenkins", "success", false);
        place.state().pipeline("push", place.root, "develop", word);
        let checks = place.forge().checks(&repo(), place.root).await.expect("read");
        let found: Vec<_> = checks.iter().filter(|check| check.origin == "push").map(|check| check.state).collect();
        assert_eq!(found, state.into_iter().collect::<Vec<_>>(), "{word}");
        place.watch.assert_good(2);
    }
    place.watch.assert_good(2);
}

#[tokio::test]
async fn pipelines_that_affect_no_branch_are_no_checks() {
    let place = Place::new().await;
    {
        let mut state = place.state();
        state.ran(place.root, "develop", "build", "success");
        for source in super::state::DANGLING {
            let pipeline = state.pipeline(source, place.root, "develop", "created");
            state.job(pipeline, "scan", "failed", false);
        }
    }
    let checks = place.forge().checks(&repo(), place.root).await.expect("read");
    assert_eq!(told(&checks), [("build", "push", Some("develop"), CiState::Green)]);
    place.watch.assert_good(2);
}

#[tokio::test]
async fn what_may_fail_or_waits_for_nobody_is_left_out() {
    let place = Place::new().await;
    {
        let mut state = place.state();
        let push = state.pipeline("push", place.root, "develop", "created");
        for (name, status, may_fail) in [
            ("build", "success", false),
            ("lint", "failed", true),
            ("deploy", "manual", true),
            ("release", "manual", false),
            ("cleanup", "skipped", false),
            ("e2e", "canceled", false),
        ] {
            state.job(push, name, status, may_fail);
        }
    }
    let checks = place.forge().checks(&repo(), place.root).await.expect("read");
    let states: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.state)).collect();
    let expected = [("build", CiState::Green), ("e2e", CiState::Red), ("release", CiState::Running)];
    assert_eq!(states, expected);
    place.watch.assert_good(2);
}

#[tokio::test]
async fn what_the_project_requires_and_how_it_merges_is_read() {
    let place = Place::new().await;
    let forge = place.forge();
    assert_eq!(forge.required(&repo(), &branch("staging")).await, Ok(Required::Checks(Vec::new())));
    place.state().settings.must_succeed = true;
    assert_eq!(forge.required(&repo(), &branch("staging")).await, Ok(Required::Everything));
    let table = [
        ("ff", "never", (true, false)),
        ("merge", "default_on", (false, true)),
        ("rebase_merge", "default_off", (false, true)),
        ("ff", "always", (false, false)),
        ("merge", "always", (false, false)),
    ];
    for (method, squash, (fast_forward, merge_commit)) in table {
        (place.state().settings.method, place.state().settings.squash) = (method, squash);
        let ways = forge.ways(&repo(), &branch("staging")).await;
        assert_eq!(ways, Ok(Ways { push: false, fast_forward, merge_commit }), "{method} {squash}");
    }
    // By its number, as well.
    assert!(forge.ways(&RepoPath::new("1"), &branch("staging")).await.is_ok());
    place.watch.assert_good(8);
    place.state().settings.squash = "never";
    for (key, words) in [("merge_method", "merge method"), ("only_allow_merge_if_pipeline_succeeds", "pipelines")] {
        let hidden = Fault::changed(move |body| body[key] = serde_json::Value::Null);
        place.faults.plan("checkout", hidden, 1);
        let unknown = match key {
            "merge_method" => forge.ways(&repo(), &branch("staging")).await.map(|_| ()),
            _ => forge.required(&repo(), &branch("staging")).await.map(|_| ()),
        };
        let unknown = unknown.expect_err("not to be seen");
        assert!(format!("{unknown:?}").contains(words), "{unknown:?}");
        assert_eq!(unknown.mends, Mends::Person);
    }
}

#[tokio::test]
async fn our_requests_are_found_among_others() {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    place.set("other", head);
    let wanted: Vec<u64> = {
        let mut state = place.state();
        state.page_max = 2;
        let ours =
            |state: &mut super::State| state.open("towpath", "towpath/checkout/staging", "staging", "t", "b");
        let closed = ours(&mut state);
        state.close("ana", closed);
        for _ in 0..5 {
            state.open("ana", "other", "staging", "t", "b");
            state.open("ana", "towpath/checkout/staging", "master", "t", "b");
        }
        let fork = ours(&mut state);
        state.request(fork).source_project = 7;
        let open: Vec<u64> = (0..3).map(|_| ours(&mut state)).collect();
        open.into_iter().rev().chain([closed]).collect()
    };
    let proposal = proposal();
    let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
    let numbers: Vec<u64> = found.iter().map(|request| request.number).collect();
    assert_eq!(numbers, wanted, "on pages of two");
    for totals in [true, false] {
        (place.state().page_max, place.state().tells.totals) = (100, totals);
        let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
        assert_eq!(found.iter().map(|request| request.number).collect::<Vec<_>>(), wanted);
    }
    assert_eq!((found[3].state, found[3].ended_by.as_deref()), (RequestState::Closed, Some("ana")));
    assert!(found.iter().all(|request| request.head == head && request.url.contains("/-/merge_requests/")));
    place.watch.assert_good(10);
}

#[tokio::test]
async fn no_more_than_twenty_of_the_newest_are_looked_for() {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    {
        let mut state = place.state();
        for _ in 0..43 {
            let number = state.open("towpath", "towpath/checkout/staging", "staging", "t", "b");
            let request = state.request(number);
            (request.state, request.ended_by) = ("merged", Some("ana".to_owned()));
        }
    }
    let proposal = proposal();
    let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
    let numbers: Vec<u64> = found.iter().map(|request| request.number).collect();
    assert_eq!(numbers, (24..=43).rev().collect::<Vec<u64>>());
    let merged = (RequestState::Merged, Some("ana"), Some(head));
    assert!(found.iter().all(|r| (r.state, r.ended_by.as_deref(), r.merged_as) == merged));
    assert_eq!(place.calls("/merge_requests?"), 2);
    place.watch.assert_good(2);
}

#[tokio::test]
async fn a_strangers_requests_do_not_push_ours_out_of_sight() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let ours = {
        let mut state = place.state();
        let mut open = |by: &str| state.open(by, "towpath/checkout/staging", "staging", "t", "b");
        let ours = open("towpath");
        let theirs: Vec<u64> = (0..25).map(|_| open("eve")).collect();
        state.close("ana", ours);
        for number in theirs {
            state.request(number).source_project = 7;
            state.close("eve", number);
        }
        ours
    };
    let proposal = proposal();
    let find = async || place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
    let found = find().await;
    let closed: Vec<_> = found.iter().map(|r| (r.number, r.state, r.ended_by.as_deref())).collect();
    assert_eq!(closed, [(ours, RequestState::Closed, Some("ana"))]);
    // What is open counts, whoever opened it.
    let hers = place.state().open("ana", "towpath/checkout/staging", "staging", "t", "b");
    assert_eq!(find().await.iter().map(|request| request.number).collect::<Vec<_>>(), [hers, ours]);
    place.watch.assert_good(6);
}

#[tokio::test]
async fn approvals_are_bound_by_their_time_on_every_version() {
    for approved_at in [true, false] {
        let place = Place::new().await;
        place.push("towpath/checkout/staging", "a");
        let number = place.state().open("towpath", "towpath/checkout/staging", "staging", "t", "b");
        let proposal = proposal();
        let read = async || {
            let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
            let request = found.into_iter().next().expect("the request");
            let bound = |head: HeadBound| match head {
                HeadBound::Ago { at, .. } => Some(at),
                HeadBound::Unbound => None,
                HeadBound::Commit(_) => panic!("GitLab does not say"),
            };
            let given: Vec<_> = request.approvals.into_iter().map(|a| (a.by, a.email, bound(a.head))).collect();
            (given, request.objections)
        };
        {
            let mut state = place.state();
            state.page_max = 2;
            state.tells.approved_at = approved_at;
            state.approve("ana", number);
            // Anybody can write the words that GitLab writes.
            state.note("bo", number, "approved this merge request", false);
            state.review("bo", number, "requested_changes");
            for _ in 0..3 {
                state.note("eve", number, "well", false);
            }
        }
        let (given, objections) = read().await;
        assert_eq!((given.len(), given[0].0.as_str(), &given[0].1), (1, "ana", &None));
        assert_eq!(objections, ["bo"]);
        let first = given[0].2;
        // The head moves: the approval stays, and is none of that head.
        let moved = place.state().now;
        place.push("towpath/checkout/staging", "b");
        place.state().approve("ana", number);
        assert_eq!(read().await.0[0].2, None, "GitLab takes no second one");
        assert!(first.is_some_and(|first| first.0 <= moved));
        // Taken back and given again it is new.
        place.state().unapprove("ana", number);
        assert_eq!(read().await.0, []);
        place.state().approve("ana", number);
        assert!(read().await.0[0].2.is_some_and(|at| at.0 > moved));
        place.state().people.iter_mut().filter(|p| p.name == "ana").for_each(|p| p.state = "blocked");
        assert_eq!(read().await.0, []);
        place.watch.assert_good(20);
    }
}

#[tokio::test]
async fn an_approval_of_what_was_there_in_between_is_none_of_the_head() {
    for approved_at in [true, false] {
        let place = Place::new().await;
        let ours = place.push("towpath/checkout/staging", "a");
        let number = place.state().open("towpath", "towpath/checkout/staging", "staging", "t", "b");
        place.state().tells.approved_at = approved_at;
        let proposal = proposal();
        let bound = async || {
            let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
            assert_eq!(found[0].head, ours);
            found[0].approvals.iter().map(|approval| approval.head != HeadBound::Unbound).collect::<Vec<_>>()
        };
        assert!(bound().await.is_empty());
        assert_eq!(place.calls("/versions"), 0, "nobody approved");
        // A developer puts something else there, it is approved, and what was there is put back.
        let theirs = place.push("theirs", "b");
        place.set("towpath/checkout/staging", theirs);
        place.state().approve("ana", number);
        place.set("towpath/checkout/staging", ours);
        assert_eq!(bound().await, [false]);
        // Who looks at the newest may approve that.
        place.state().approve("bo", number);
        assert_eq!(bound().await, [false, true]);
        // GitLab has not made a diff of what it says is the head: nobody has seen that one.
        let other = Fault::changed(move |body| body[0]["head_commit_sha"] = json!(theirs.to_string()));
        let changes = [
            other,
            Fault::changed(|body| body[0]["created_at"] = json!("soon")),
            Fault::changed(|body| body[0]["head_commit_sha"] = json!(null)),
        ];
        for change in changes {
            place.faults.plan("/versions", change, 1);
            assert_eq!(bound().await, [false, false]);
        }
        // Closed and opened again: GitLab makes a diff anew.
        place.state().close("ana", number);
        let asked = place.calls("/versions");
        place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
        assert_eq!(place.calls("/versions"), asked, "open ones alone");
        place.state().reopen(number);
        assert_eq!(bound().await, [false, false]);
        place.watch.assert_good(20);
    }
}

#[tokio::test]
async fn reviewers_are_read_to_the_last_page() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    {
        let mut state = place.state();
        state.page_max = 2;
        let number = state.open("towpath", "towpath/checkout/staging", "staging", "t", "b");
        for (by, word) in [("towpath", "unreviewed"), ("ana", "approved"), ("bo", "requested_changes")] {
            state.review(by, number, word);
        }
    }
    let proposal = proposal();
    let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
    assert_eq!(found[0].objections, ["bo"]);
    place.watch.assert_good(5);
}

#[tokio::test]
async fn groups_are_read_to_the_last_active_member() {
    let place = Place::new().await;
    {
        let mut state = place.state();
        state.page_max = 2;
        let of = |name: &str, level, word| (name.to_owned(), level, word);
        let team = vec![
            of("ana", 30, "active"),
            of("eve", 5, "active"),
            of("towpath", 40, "awaiting"),
            of("bo", 50, "active"),
        ];
        state.groups.insert("shop/release".to_owned(), team);
        state.groups.insert("shop".to_owned(), vec![of("ana", 50, "active")]);
        // Somebody else's, of the same name.
        state.groups.insert("release".to_owned(), vec![of("eve", 50, "active")]);
    }
    let forge = place.forge();
    let both = Ok(vec!["ana".to_owned(), "bo".to_owned()]);
    assert_eq!(forge.members(&repo(), "release").await, both);
    assert_eq!(forge.members(&repo(), "shop/release").await, both);
    assert_eq!(forge.members(&repo(), "shop").await, Ok(vec!["ana".to_owned()]));
    place.state().people.iter_mut().filter(|p| p.name == "bo").for_each(|p| p.state = "deactivated");
    assert_eq!(forge.members(&repo(), "release").await, Ok(vec!["ana".to_owned()]));
    for nobody in ["ops", "nowhere/release"] {
        let unknown = forge.members(&repo(), nobody).await.expect_err("there is none");
        assert_eq!(unknown.mends, Mends::Person, "{unknown:?}");
    }
    place.watch.assert_good(9);
}

#[tokio::test]
async fn authors_are_known_where_their_address_is_confirmed() {
    let place = Place::new().await;
    let commits: Vec<CommitId> = (0..12).map(|n| place.push("develop", &format!("f{n}"))).collect();
    for (at, commit) in commits.iter().enumerate() {
        place.state().authors.insert(*commit, if at == 11 { "bo" } else { "ana" }.to_owned());
    }
    let forge = place.forge();
    let logins = |of: &[&str]| of.iter().map(|name| Actor::new(*name)).collect();
    let found = forge.authors(&repo(), &commits).await.expect("read");
    assert_eq!((found.logins, found.unlinked), (logins(&["ana", "bo"]), false));
    assert_eq!(place.calls("/api/graphql"), 2);
    place.state().authors.remove(&commits[3]);
    let found = place.forge().authors(&repo(), &commits).await.expect("read");
    assert_eq!((found.logins, found.unlinked), (logins(&["ana", "bo"]), true));
    let none = forge.authors(&repo(), &[]).await.expect("read");
    assert!(none.logins.is_empty() && !none.unlinked);
    place.watch.assert_good(4);
}

#[tokio::test]
async fn authors_that_graphql_does_not_tell_are_unknown_in_its_words() {
    let place = Place::new().await;
    let commit = place.push("develop", "f");
    place.state().authors.insert(commit, "ana".to_owned());
    let forge = place.forge();
    let unknown = async |repo: &RepoPath| {
        let unknown = forge.authors(repo, &[commit]).await.expect_err("nothing is known");
        (format!("{unknown:?}"), unknown.mends)
    };
    // A GitLab before 17.10.
    place.state().tells.graph_commits = false;
    let (words, mends) = unknown(&repo()).await;
    assert!(words.contains("Field 'commit' doesn't exist") && words.contains("17.10"), "{words}");
    assert!(words.contains("authors = \\\"allow\\\""), "{words}");
    assert_eq!(mends, Mends::Person);
    place.state().tells.graph_commits = true;
    // A project that may not be seen.
    let (words, mends) = unknown(&RepoPath::new("shop/other")).await;
    assert!(words.contains("shop/other") && mends == Mends::Person, "{words}");
    // Half an answer beside an error says of nobody that they are no author.
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 5] = [
        ("too complex", |body| body["errors"] = json!([{ "message": "Query is too complex" }])),
        ("said nothing", |body| body["errors"] = json!([{ "code": 1 }])),
        ("said nothing", |body| body["data"] = json!(null)),
        ("said nothing", |body| body["data"]["project"]["repository"] = json!(null)),
        ("said nothing", |body| body["data"]["project"]["repository"] = json!({})),
    ];
    for (expected, change) in changes {
        place.faults.plan("/api/graphql", Fault::changed(change), 1);
        let (words, _) = unknown(&repo()).await;
        assert!(words.contains(expected), "{expected}: {words}");
    }
    place.watch.assert_good(2);
}

#[tokio::test]
async fn a_rollback_that_a_rule_would_refuse_is_told() {
    let place = Place::new().await;
    let forge = place.forge();
    let asked = async || forge.against_rollback(&repo(), &branch("staging")).await;
    assert_eq!(asked().await, None, "no rule covers it");
    place.state().protect("staging", &["towpath"], &[]);
    let found = asked().await.expect("a finding");
    assert!(!found.stops && found.what.contains("`staging` refuses to let it go back"), "{found:?}");
    assert!(found.mend.contains("Allowed to force push"), "{found:?}");
    place.watch.assert_good(3);
}

#[tokio::test]
async fn doctor_finds_nothing_where_all_is_as_documented_and_each_thing_where_it_is_not() {
    let place = Place::new().await;
    {
        let mut state = place.state();
        state.protect("staging", &["towpath"], &[]);
        state.protect("master", &[], &["towpath"]);
        state.settings.squash = "never";
        state.hooks = vec![json!({
            "id": 5, "url": "https://towpath.example/hooks/lab", "project_id": 1, "created_at": "2026-11-21T10:00:00Z",
            "push_events": true, "push_events_branch_filter": null, "tag_push_events": false,
            "merge_requests_events": true, "note_events": true, "job_events": false, "pipeline_events": true,
            "deployment_events": false, "enable_ssl_verification": true, "alert_status": "executable",
            "disabled_until": null, "url_variables": [],
        })];
    }
    let targets = [(branch("staging"), false), (branch("master"), true)];
    let forge = place.forge();
    let found = async || forge.findings(&repo(), &targets).await;
    let whats = |found: &[Finding]| found.iter().map(|finding| finding.what.clone()).collect::<Vec<_>>();
    // What a fast-forward method means is always worth knowing.
    let good = found().await;
    assert!(good.len() == 1 && !good[0].stops && good[0].what.contains("fast-forwards only"), "{:?}", whats(&good));
    // A commit that ran elsewhere, and not where Towpath pushed it.
    let tip = place.tip("staging").expect("staging");
    place.state().pipeline("push", tip, "develop", "success");
    let none = found().await;
    let none = none.iter().find(|one| one.what.contains("start no CI")).expect("said");
    assert!(!none.stops && none.what.contains("`develop`, and none of `staging`"), "{none:?}");
    assert!(none.mend.contains("CI job's token"), "{none:?}");
    place.state().pipeline("push", tip, "staging", "success");
    assert_eq!(whats(&found().await), whats(&good), "it ran there, and what comes by request is not looked at");
    // Other services have `/hooks/` in their URLs too: Mattermost, Zapier, Rocket.Chat.
    let own = place.state().hooks.clone();
    for url in [
        "https://chat.example/hooks/xkq9tu7w5ifb3ydpe8srm1o4ha",
        "https://hooks.zapier.example/hooks/catch/123/abc",
        "https://chat.example/hooks/id/token",
        "https://x.example/?then=/hooks/lab",
    ] {
        place.state().hooks[0]["url"] = json!(url);
        assert!(whats(&found().await).iter().any(|what| what.contains("no webhook")), "{url}");
    }
    for url in ["https://x.example/towpath/hooks/lab/", "http://towpath:8080/hooks/my-lab?x=1"] {
        place.state().hooks[0]["url"] = json!(url);
        assert!(whats(&found().await).iter().all(|what| !what.contains("no webhook")), "{url}");
    }
    place.state().hooks = own;
    let stops = |found: &[Finding], words: &str| found.iter().any(|f| f.stops && f.what.contains(words));
    {
        let mut state = place.state();
        state.protect("staging", &["ana"], &[]);
        state.protect("master", &[], &["ana"]);
        (state.settings.squash, state.settings.archived) = ("always", true);
        state.scopes = vec!["read_api", "write_repository"];
        state.hooks.clear();
    }
    let all = found().await;
    for words in ["may not push", "may not merge", "squashes every", "archived", "lacks the scope"] {
        assert!(stops(&all, words), "{words}: {:?}", whats(&all));
    }
    assert!(whats(&all).iter().any(|what| what.contains("no webhook")));
    // As a developer: what cannot be seen is said.
    place.state().people[0].role = 30;
    assert!(whats(&found().await).iter().any(|what| what.contains("maintainers only")));
    place.state().people[0].role = 20;
    assert!(stops(&found().await, "may not write"));
    place.state().people[0].role = 0;
    assert!(stops(&found().await, &format!("`{PATH}` cannot be read")));
    let all = place.forge_as("stranger").findings(&repo(), &targets).await;
    assert!(stops(&all, "whose it is"), "{all:?}");
    place.watch.assert_good(30);
}

#[tokio::test]
async fn a_token_that_is_refused_is_a_persons_matter() {
    let place = Place::new().await;
    let unknown = place.forge_as("stranger").checks(&repo(), place.root).await.expect_err("refused");
    assert!(matches!(unknown.why, UnknownWhy::CredentialsRefused { .. }), "{unknown:?}");
    assert!(!format!("{unknown:?}").contains("token-of"), "{unknown:?}");
    place.watch.assert_good(1);
}
