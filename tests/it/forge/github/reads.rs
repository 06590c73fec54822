//! What is read, and that what cannot be read is unknown.

use serde_json::json;
use towpath::forge::{CheckSeen, Forge as _, HeadBound, HookRefused, MergeHow, RepoPath, RequestState, Required};
use towpath_core::model::{CiState, CommitId, Mends, RequiredCheck, Span, UnknownWhy};

use super::state::{Fault, Push};
use super::{REQUEST, World, branch};
use crate::support::git_fixture::git_command;

fn said(checks: &[CheckSeen]) -> Vec<String> {
    let one = |check: &CheckSeen| {
        let on = check.on.as_ref().map_or("-", |on| on.as_str());
        format!("{} [{}] on {on}: {:?}", check.name, check.origin, check.state)
    };
    checks.iter().map(one).collect()
}

#[tokio::test]
async fn checks_of_all_kinds_and_pages_are_folded_to_the_newest() {
    let world = World::new().await;
    {
        let mut state = world.server.state();
        let (a, b) = (world.a, world.b);
        state.page_max = 2;
        let push = state.suite(b, Some("develop"), Some("failure"));
        state.run(push, "build", Some("success"));
        state.run(push, "test", Some("failure"));
        state.run(push, "deploy", Some("skipped"));
        state.now += 60_000;
        // The same name on another branch, and once more on this one: the newest counts, by branch.
        let other = state.suite(b, Some("ci/abc"), Some("success"));
        state.run(other, "test", Some("success"));
        state.run(other, "docs", Some("skipped"));
        let again = state.suite(b, Some("develop"), None);
        state.run(again, "build", None);
        let of_a = state.suite(a, Some("develop"), Some("success"));
        state.run(of_a, "old", Some("failure"));
        // Statuses: the newest of each context and person; ours never.
        state.status(b, "jenkins", "pending", "jenkins-ci");
        state.status(b, "jenkins", "success", "jenkins-ci");
        state.status(b, "jenkins", "failure", "mallory");
        state.status(b, "towpath/checkout/staging", "failure", "towpath");
        state.status(b, "lint", "error", "jenkins-ci");
        state.status(a, "lint", "success", "jenkins-ci");
        state.now += 60_000;
    }
    let checks = world.forge.checks(&world.repo, world.b).await.expect("told");
    assert_eq!(
        said(&checks),
        [
            "build [app 15368 github-actions] on develop: Running",
            "deploy [app 15368 github-actions] on develop: Red",
            "docs [app 15368 github-actions] on ci/abc: Green",
            "jenkins [status by jenkins-ci] on -: Green",
            "jenkins [status by mallory] on -: Red",
            "lint [status by jenkins-ci] on -: Red",
            "test [app 15368 github-actions] on ci/abc: Green",
            "test [app 15368 github-actions] on develop: Red",
        ]
    );
    let ago = |name: &str| checks.iter().find(|c| c.name.as_str() == name).and_then(|c| c.finished_ago);
    assert_eq!(ago("deploy"), Some(Span::from_secs(120)), "by GitHub's clock");
    assert_eq!((ago("docs"), ago("build")), (Some(Span::from_secs(60)), None));
    assert_eq!(world.forge.checks(&world.repo, world.a).await.expect("told").len(), 2);
    let other = world.server.state().repo.commit(&[world.b], "x", &[("f", "x")]);
    assert_eq!(world.forge.checks(&world.repo, other).await, Ok(Vec::new()), "nothing is not green");
    // Two pages of suites, four of runs, two of what they are runs of, three of statuses; and one of each for the two others.
    world.server.assert_good(14, 0);
}

#[tokio::test]
async fn two_workflows_with_jobs_of_one_name_are_two_checks() {
    let world = World::new().await;
    let suites = {
        let mut state = world.server.state();
        let red = state.suite(world.b, Some("develop"), Some("failure"));
        state.run(red, "test", Some("failure"));
        let green = state.suite(world.b, Some("develop"), Some("success"));
        state.run(green, "test", Some("success"));
        state.is_run_of(green, Some((2, "push")));
        [red, green]
    };
    let checks = async || said(&world.forge.checks(&world.repo, world.b).await.expect("told"));
    let both = [
        "test [app 15368 github-actions workflow 1 push] on develop: Red",
        "test [app 15368 github-actions workflow 2 push] on develop: Green",
    ];
    assert_eq!(checks().await, both);
    // By hand and by a push are two things, too.
    world.server.state().is_run_of(suites[1], Some((1, "workflow_dispatch")));
    assert_eq!(checks().await.len(), 2);
    // The same workflow once more: its newest run counts alone.
    world.server.state().is_run_of(suites[1], Some((1, "push")));
    assert_eq!(checks().await, ["test [app 15368 github-actions] on develop: Green"]);
    // Of another App nobody says; nor where we may not ask.
    world.server.state().is_run_of(suites[1], None);
    assert_eq!(checks().await.len(), 2);
    world.server.state().is_run_of(suites[1], Some((1, "push")));
    world.server.state().actions = false;
    let [red, green] = suites;
    let apart = [
        format!("test [app 15368 github-actions suite {red}] on develop: Red"),
        format!("test [app 15368 github-actions suite {green}] on develop: Green"),
    ];
    assert_eq!(checks().await, apart);
    // What is only late is unknown.
    world.server.state().actions = true;
    world.server.fault("actions/runs", Fault::Say(502, Vec::new(), json!({ "message": "Bad gateway" })));
    world.server.fault("actions/runs", Fault::Say(502, Vec::new(), json!({ "message": "Bad gateway" })));
    world.server.fault("actions/runs", Fault::Say(502, Vec::new(), json!({ "message": "Bad gateway" })));
    assert!(world.forge.checks(&world.repo, world.b).await.is_err());
}

#[tokio::test]
async fn a_workflow_that_never_began_is_red() {
    let world = World::new().await;
    let broken = {
        let mut state = world.server.state();
        let good = state.suite(world.b, Some("develop"), Some("success"));
        state.run(good, "build", Some("success"));
        let broken = state.suite(world.b, Some("develop"), Some("startup_failure"));
        state.is_run_of(broken, Some((2, "push")));
        // An App that has nothing to say of this commit, and one that waits for a person.
        state.suite(world.b, Some("develop"), None);
        state.suite(world.b, Some("patch-1"), Some("action_required"));
        broken
    };
    let checks = async || said(&world.forge.checks(&world.repo, world.b).await.expect("told"));
    let build = "build [app 15368 github-actions] on develop: Green".to_owned();
    let dead = |of: &str, name: &str| format!("{name} [app 15368 github-actions {of}] on develop: Red");
    assert_eq!(checks().await, [build.clone(), dead("workflow 2 push", "Workflow 2")]);
    world.server.state().actions = false;
    assert_eq!(checks().await, [build.clone(), dead(&format!("suite {broken}"), "github-actions")]);
    world.server.state().actions = true;
    // Run anew, it has checks; the one that never began is history.
    {
        let mut state = world.server.state();
        let again = state.suite(world.b, Some("develop"), Some("success"));
        state.is_run_of(again, Some((2, "push")));
        state.run(again, "lint", Some("success"));
    }
    assert_eq!(checks().await, [build, "lint [app 15368 github-actions] on develop: Green".to_owned()]);
}

#[tokio::test]
async fn whose_account_an_app_has_is_known_by_its_name() {
    let world = World::new().await;
    {
        let mut state = world.server.state();
        for (context, by) in [("a", "circle[bot]"), ("b", "hidden[bot]"), ("c", "circle"), ("d", "circle[bot]")] {
            state.status(world.b, context, "success", by);
        }
    }
    for _ in 0..2 {
        assert_eq!(
            said(&world.forge.checks(&world.repo, world.b).await.expect("told")),
            [
                "a [app 77 status by circle[bot]] on -: Green",
                "b [status by hidden[bot]] on -: Green",
                "c [status by circle] on -: Green",
                "d [app 77 status by circle[bot]] on -: Green",
            ]
        );
    }
    let asked = world.server.state().asked.iter().filter(|line| line.contains("/apps/")).count();
    assert_eq!(asked, 2, "each App once");
}

#[tokio::test]
async fn what_the_branch_requires_comes_from_both_systems() {
    let world = World::new().await;
    let none = world.forge.required(&world.repo, &branch("staging")).await;
    assert_eq!(none, Ok(Required::Checks(Vec::new())));
    {
        let mut state = world.server.state();
        let info =
            json!({ "ruleset_source_type": "Repository", "ruleset_source": "shop/checkout", "ruleset_id": 1 });
        let mut rule = json!({
            "type": "required_status_checks",
            "parameters": {
                "strict_required_status_checks_policy": false,
                "required_status_checks": [{ "context": "build", "integration_id": 15368 }, { "context": "test" }],
            },
        });
        rule.as_object_mut().expect("a rule").extend(info.as_object().expect("info").clone());
        state.rules.insert("staging".to_owned(), vec![json!({ "type": "deletion" }), rule]);
        let classic = json!({ "enabled": true, "required_status_checks": {
            "enforcement_level": "non_admins", "contexts": ["test", "lint", "docs", "e2e"],
            "checks": [{ "context": "lint", "app_id": null }, { "context": "docs", "app_id": 77 }, { "context": "e2e", "app_id": -1 }],
        }});
        state.classic.insert("staging".to_owned(), classic);
        state.rules.insert("a/b".to_owned(), vec![json!({ "type": "workflows" })]);
        let tip = world.a;
        state.repo.set("a/b", tip);
    }
    let by = |name: &str, app: &str| RequiredCheck { name: name.to_owned(), by: Some(app.to_owned()) };
    let anybody = RequiredCheck::of_anybody;
    let all =
        vec![by("build", "app 15368"), by("docs", "app 77"), anybody("e2e"), anybody("lint"), anybody("test")];
    assert_eq!(world.forge.required(&world.repo, &branch("staging")).await, Ok(Required::Checks(all)));
    assert_eq!(
        world.forge.required(&world.repo, &branch("a/b")).await,
        Ok(Required::Everything),
        "a slash in a name"
    );
    let gone = world.forge.required(&world.repo, &branch("gone")).await.expect_err("no such branch");
    assert_eq!(gone.mends, Mends::Person);
    world.server.assert_good(8, 0);
}

#[tokio::test]
async fn requests_are_told_with_what_people_said_of_exactly_which_head() {
    let world = World::new().await;
    let forge = &world.forge;
    assert_eq!(forge.requests(&world.repo, &branch(REQUEST), &branch("staging")).await, Ok(Vec::new()));
    let number = forge.open(&world.repo, &world.proposal()).await.expect("opened");
    let moved = {
        let mut state = world.server.state();
        for reader in ["eve", "eva"] {
            state.rights.insert(reader.to_owned(), "read".to_owned());
        }
        state.review(number, "ana", "APPROVED");
        let moved = state.repo.commit(&[world.b], REQUEST, &[("f", "c")]);
        state.review(number, "bo", "APPROVED");
        for (who, word) in
            [("eve", "APPROVED"), ("nobody", "APPROVED"), ("bo", "COMMENTED"), ("towpath", "CHANGES_REQUESTED")]
                // Anybody may object on a public repository; as with approvals, those count who may write.
                .into_iter()
                .chain([
                    ("eva", "CHANGES_REQUESTED"),
                    ("ghost", "CHANGES_REQUESTED"),
                    ("scan[bot]", "CHANGES_REQUESTED"),
                ])
        {
            state.review(number, who, word);
        }
        moved
    };
    let seen = forge.requests(&world.repo, &branch(REQUEST), &branch("staging")).await.expect("told");
    let [request] = &*seen else { panic!("{seen:?}") };
    assert_eq!((request.number, request.state, request.head), (number, RequestState::Open, moved));
    let approvals: Vec<_> = request.approvals.iter().map(|a| (a.by.as_str(), a.head.clone())).collect();
    assert_eq!(approvals, [("ana", HeadBound::Commit(world.b)), ("bo", HeadBound::Commit(moved))]);
    assert_eq!(request.objections, ["ghost", "scan[bot]", "towpath"]);
    assert_eq!(request.merged_as, None);
    // Merged by a person, and another closed by one.
    let merge = world.server.state().merge(number, "ana");
    let second = world.server.state().repo.commit(&[moved], REQUEST, &[("f", "d")]);
    let next = forge.open(&world.repo, &world.proposal()).await.expect("opened");
    world.server.state().close(next, "bo");
    let seen = forge.requests(&world.repo, &branch(REQUEST), &branch("staging")).await.expect("told");
    let told: Vec<_> = seen.iter().map(|r| (r.number, r.state, r.head, r.ended_by.clone(), r.merged_as)).collect();
    // Who ended it matters of the newest, and costs a call of each.
    assert_eq!(
        told,
        [
            (next, RequestState::Closed, second, Some("bo".to_owned()), None),
            (number, RequestState::Merged, moved, None, Some(merge)),
        ]
    );
    // Where who closed it is no longer to be had, the rest is told.
    for status in [404, 410] {
        let gone = Fault::Say(status, Vec::new(), json!({ "message": "it is gone" }));
        world.server.fault("/issues/", gone);
        let seen = forge.requests(&world.repo, &branch(REQUEST), &branch("staging")).await.expect("told");
        assert_eq!((seen[0].number, seen[0].state, seen[0].ended_by.clone()), (next, RequestState::Closed, None));
    }
    assert_eq!(forge.requests(&world.repo, &branch("develop"), &branch("staging")).await, Ok(Vec::new()));
    world.server.assert_good(20, 0);
}

#[tokio::test]
async fn teams_have_members_and_a_team_that_is_not_there_is_unknown() {
    let world = World::new().await;
    world.server.state().page_max = 1;
    for team in ["release", "shop/Release"] {
        let members = world.forge.members(&world.repo, team).await.expect("told");
        assert_eq!(members, ["ana", "bo"], "{team}");
    }
    let gone = world.forge.members(&world.repo, "shop/other").await.expect_err("no such team");
    assert!(matches!(gone.why, UnknownWhy::NoRepository { .. }) && gone.mends == Mends::Person, "{gone:?}");
    world.server.assert_good(4, 0);
}

#[tokio::test]
async fn an_app_has_one_token_for_all_made_anew_before_it_ends() {
    let world = World::app().await;
    let all: Vec<_> = (0..8).map(|_| world.forge.checks(&world.repo, world.b)).collect();
    for checks in futures_util::future::join_all(all).await {
        assert_eq!(checks, Ok(Vec::new()));
    }
    assert_eq!(world.server.state().minted, 1, "eight asked at once");
    world.pass(50 * 60);
    world.forge.checks(&world.repo, world.b).await.expect("told");
    assert_eq!(world.server.state().minted, 1);
    world.pass(6 * 60);
    world.forge.checks(&world.repo, world.b).await.expect("told");
    assert_eq!(world.server.state().minted, 2, "four minutes before its end");
    // One that is taken away is made anew, and the call goes through.
    world.server.state().tokens.clear();
    world.forge.checks(&world.repo, world.b).await.expect("told");
    assert_eq!(world.server.state().minted, 3);
    let (user, token) = world.forge.git_login().await.expect("a token");
    assert_eq!((user.as_str(), token.expose()), ("x-access-token", &b"ghs_minted_3"[..]));
    // One that git is refused with is made anew, and not at each refusal.
    for expect in [&b"ghs_minted_4"[..], &b"ghs_minted_4"[..]] {
        world.forge.git_refused().await;
        assert_eq!(world.forge.git_login().await.expect("a token").1.expose(), expect);
    }
    world.pass(10 * 60);
    world.forge.git_refused().await;
    assert_eq!(world.forge.git_login().await.expect("a token").1.expose(), &b"ghs_minted_5"[..]);
    world.server.assert_good(20, 0);
    // A key that GitHub does not know: said, and not asked for again and again by each.
    let shown = format!("{:?}", world.forge);
    assert!(!shown.contains("PRIVATE") && !shown.contains("ghs_"), "{shown}");
}

#[tokio::test]
async fn when_a_branch_moved_is_told_by_github_s_own_clock() {
    let world = World::new().await;
    let (a, b) = (Some(world.a), Some(world.b));
    let now = world.server.state().now;
    let push = |on, kind, before, after, mins: i64| Push { on, kind, before, after, at: now - mins * 60_000 };
    world.server.state().pushes = vec![
        push("develop", "pr_merge", a, b, 1),
        push("staging", "push", a, b, 2),
        push("develop", "force_push", b, a, 3),
        push("develop", "branch_creation", None, b, 40),
    ];
    let told = world.forge.pushes(&world.repo, &branch("develop")).await.expect("told");
    let told: Vec<_> = told.into_iter().map(|push| (push.before, push.after, push.ago.ms() / 60_000)).collect();
    assert_eq!(told, [(a, b, 1), (b, a, 3), (None, b, 40)]);
    // One that says it is yet to come has no age, and nothing older is told.
    world.server.state().pushes[2].at = now + 60_000;
    let told = world.forge.pushes(&world.repo, &branch("develop")).await.expect("told");
    assert_eq!(told.len(), 1);
    world.server.assert_good(2, 0);
}

#[tokio::test]
async fn what_has_not_changed_costs_nothing_of_the_allowance() {
    let world = World::new().await;
    {
        let mut state = world.server.state();
        let suite = state.suite(world.b, Some("develop"), Some("success"));
        state.run(suite, "build", Some("success"));
    }
    let first = world.forge.checks(&world.repo, world.b).await.expect("told");
    let left = world.server.state().left;
    for _ in 0..10 {
        assert_eq!(world.forge.checks(&world.repo, world.b).await.expect("told"), first);
    }
    assert_eq!(world.server.state().left, left);
    let suite = world.server.state().suites[0].id;
    world.server.state().run(suite, "build", Some("failure"));
    let now = world.forge.checks(&world.repo, world.b).await.expect("told");
    assert_eq!(now.len(), 1);
    assert_eq!(now[0].state, CiState::Red, "what has changed is seen at once");
    world.server.assert_good(30, 0);
}

#[tokio::test]
async fn limits_of_each_kind_defer_and_say_for_how_long() {
    let world = World::new().await;
    let limited = json!({ "message": "You have exceeded a secondary rate limit. Please wait a few minutes." });
    let used_up = vec![("x-ratelimit-remaining", "0".to_owned())];
    for (status, headers, secs) in [
        (403, vec![], 60),
        (429, vec![("retry-after", "90".to_owned())], 90),
        (403, vec![("retry-after", "30".to_owned())], 30),
        (403, used_up, 3_600),
    ] {
        world.server.fault("check-suites", Fault::Say(status, headers, limited.clone()));
        let unknown = world.forge.checks(&world.repo, world.b).await.expect_err("limited");
        let UnknownWhy::Limited { until, .. } = unknown.why else { panic!("{unknown:?}") };
        let (from_now, rest) = (until.since(world.clock.reading().wall), Span::from_secs(secs));
        assert!(from_now >= rest && from_now < Span::from_secs(secs + 1), "{from_now} {rest}");
        assert_eq!(unknown.mends, Mends::Itself);
        assert_eq!(world.forge.rests(), Some(rest), "{status}");
        let asked = world.server.state().asked.len();
        world.forge.checks(&world.repo, world.b).await.expect_err("still limited");
        assert_eq!(world.server.state().asked.len(), asked, "nothing is sent meanwhile");
        world.pass(secs);
        assert_eq!(world.forge.rests(), None);
    }
    // What is left is kept for acting.
    world.server.state().left = 500;
    world.forge.checks(&world.repo, world.b).await.expect_err("only the reserve is left after the first answer");
    assert!(world.forge.rests().is_some());
    world.server.assert_good(1, 0);
}

#[tokio::test]
async fn who_may_not_is_told_from_what_is_not_there() {
    let world = World::new().await;
    world.server.fault(
        "check-suites",
        Fault::Say(403, vec![], json!({ "message": "Resource not accessible by integration" })),
    );
    let unknown = world.forge.checks(&world.repo, world.b).await.expect_err("403");
    let UnknownWhy::CredentialsRefused { words } = &unknown.why else { panic!("{unknown:?}") };
    assert!(words.contains("not accessible by integration"), "{words}");
    let other = RepoPath::new("shop/other");
    let unknown = world.forge.checks(&other, world.b).await.expect_err("404");
    assert!(matches!(unknown.why, UnknownWhy::NoRepository { .. }));
    world.server.state().tokens.clear();
    let unknown = world.forge.checks(&world.repo, world.b).await.expect_err("401");
    assert!(matches!(unknown.why, UnknownWhy::CredentialsRefused { .. }), "{unknown:?}");
    assert!(!format!("{unknown:?}").contains("ghp_test"));
}

#[tokio::test]
async fn hooks_of_changes_are_signed_and_wake_the_right_repository() {
    let world = World::new().await;
    let (send, mut came) = tokio::sync::mpsc::channel(8);
    let receiver = axum::Router::new().fallback(move |headers: http::HeaderMap, body: axum::body::Bytes| {
        let send = send.clone();
        async move {
            send.send((headers, body)).await.expect("the test listens");
            http::StatusCode::ACCEPTED
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hooks/github", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, receiver).await });
    world.server.state().hook = Some((url, "a new secret".to_owned()));
    let secrets = ["an old secret".to_owned(), "a new secret".to_owned()];
    let mut ids = std::collections::BTreeSet::new();
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    {
        let mut state = world.server.state();
        let suite = state.suite(world.b, None, None);
        state.run(suite, "build", Some("success"));
        state.status(world.b, "lint", "success", "jenkins");
        state.review(number, "ana", "APPROVED");
    }
    world.merge(number, world.a, world.b, MergeHow::FastForward).await;
    world.forge.requests(&world.repo, &branch(REQUEST), &branch("staging")).await.expect("told");
    let events = world.server.deliver().await;
    assert_eq!(events, ["pull_request", "check_run", "status", "pull_request_review", "push", "pull_request"]);
    for event in events {
        let (headers, body) = came.recv().await.expect("a hook");
        let seen = world.forge.hook(&headers, &body, &secrets).expect("signed");
        assert_eq!((seen.repo, seen.event.as_str()), (Some(world.repo.clone()), event));
        assert!(ids.insert(seen.delivery.expect("an id")));
        assert_eq!(world.forge.hook(&headers, &body, &secrets[..1]), Err(HookRefused::Forged));
        let spoiled = [&body[..], b" "].concat();
        assert_eq!(world.forge.hook(&headers, &spoiled, &secrets), Err(HookRefused::Forged), "raw bytes");
    }
}

#[tokio::test]
async fn git_itself_works_where_the_forge_says_it_is() {
    let world = World::new().await;
    let url = world.forge.git_url(&world.repo);
    let dir = tempfile::tempdir().expect("a folder");
    let (b, url2) = (world.b, url.clone());
    let heads = tokio::task::spawn_blocking({
        let dir = dir.path().join("c.git");
        move || {
            let run = |args: &[&str]| {
                let output = git_command(&dir).args(args).output().expect("git runs");
                assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
                String::from_utf8(output.stdout).expect("text")
            };
            run(&["init", "--quiet", "--bare", dir.to_str().expect("a path")]);
            run(&["fetch", "--quiet", &url2, "+refs/heads/*:refs/heads/*"]);
            run(&["push", "--quiet", &url2, &format!("{b}:refs/heads/staging")]);
            run(&["ls-remote", "--heads", &url2])
        }
    })
    .await
    .expect("git ran");
    assert!(heads.contains(&format!("{}\trefs/heads/staging", world.b)), "{heads}");
    assert_eq!(world.tip("staging"), world.b);
}

#[tokio::test]
async fn authors_are_those_of_every_commit_and_whoever_is_not_known_is_no_stranger() {
    let world = World::new().await;
    let mut commits = vec![world.b];
    for at in 0..149 {
        let parent = *commits.last().expect("some");
        commits.push(world.server.state().repo.commit(&[parent], "develop", &[("f", &at.to_string())]));
    }
    let with = |commit: CommitId, who: &[Option<&str>]| {
        let who = who.iter().map(|login| login.map(str::to_owned)).collect();
        world.server.state().authors.insert(commit, who);
    };
    with(commits[120], &[Some("bo"), Some("olga")]);
    let asked = |world: &World| world.server.state().asked.iter().filter(|line| line.contains("object(")).count();
    let found = world.forge.authors(&world.repo, &commits).await.expect("told");
    assert_eq!((found.logins, found.unlinked), (["ana".into(), "bo".into(), "olga".into()].into(), false));
    assert_eq!(asked(&world), 2, "a hundred at once");
    with(commits[10], &[Some("ana"), None]);
    assert!(
        world.forge.authors(&world.repo, &commits).await.expect("told").unlinked,
        "a co-author without an account"
    );
    let many: Vec<String> = (0..21).map(|n| format!("person-{n}")).collect();
    with(commits[10], &many[..20].iter().map(|name| Some(name.as_str())).collect::<Vec<_>>());
    assert!(!world.forge.authors(&world.repo, &commits).await.expect("told").unlinked);
    with(commits[10], &many.iter().map(|name| Some(name.as_str())).collect::<Vec<_>>());
    assert!(world.forge.authors(&world.repo, &commits).await.expect("told").unlinked, "one more than GitHub lists");
    let stranger = "0123456789012345678901234567890123456789".parse().expect("an id");
    assert!(world.forge.authors(&world.repo, &[world.b, stranger]).await.expect("told").unlinked);
    let before = asked(&world);
    let none = world.forge.authors(&world.repo, &[]).await.expect("nothing to tell");
    assert_eq!((none.logins.len(), none.unlinked, asked(&world)), (0, false, before));
    let other = RepoPath::new("shop/other");
    world.forge.authors(&other, &commits[..1]).await.expect_err("there is no such repository");
    world.server.assert_good(0, 5);
}
