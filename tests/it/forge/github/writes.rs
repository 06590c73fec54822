//! What is changed. Judged by the remote's branches and what GitHub then holds, never by an answer.

use serde_json::json;
use towpath::forge::{CallFault, Forge as _, MergeHow, RequestState, StatusLine, StatusState};
use towpath_core::act::PushAnswer;
use towpath_core::model::{Span, Ways};

use super::state::Fault;
use super::{REQUEST, World, branch};

#[tokio::test]
async fn a_request_is_opened_with_all_that_belongs_to_it_and_not_twice() {
    let world = World::new().await;
    let mut proposal = world.proposal();
    proposal.reviewers.push("not-a-collaborator".to_owned());
    let number = world.forge.open(&world.repo, &proposal).await.expect("opened");
    world.forge.ask_reviewers(&world.repo, number, &proposal.reviewers).await.expect("asked");
    {
        let state = world.server.state();
        let had = &state.pulls[&number];
        assert_eq!((had.head.as_str(), had.base.as_str()), (REQUEST, "staging"));
        assert_eq!((had.title.as_str(), had.body.as_str()), (proposal.title.as_str(), proposal.body.as_str()));
        assert_eq!(had.labels, ["promotion"]);
        assert_eq!(had.reviewers, ["ana", "@release"], "one that cannot be asked does not spoil it for others");
    }
    let again = world.forge.open(&world.repo, &proposal).await.expect_err("it is there");
    assert!(matches!(&again, CallFault::Exists { words } if words.contains("already exists")), "{again:?}");
    proposal.base = branch("develop");
    let refused = world.forge.open(&world.repo, &proposal).await.expect_err("nothing between");
    assert!(matches!(&refused, CallFault::Refused { words } if words.contains("No commits")), "{refused:?}");
    assert_eq!(world.server.state().pulls.len(), 1);
    world.server.assert_good(7, 0);
}

#[tokio::test]
async fn those_are_asked_who_neither_are_nor_have_reviewed() {
    let world = World::new().await;
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    world.server.state().review(number, "bo", "COMMENTED");
    let all = &["nobody", "ana", "bo", "@shop/release"].map(str::to_owned);
    let asked = || world.server.asked("requested_reviewers");
    // Its answer is lost, and it was done: it is seen, and not done again.
    world.server.fault("requested_reviewers", Fault::Say(422, vec![], json!({ "message": "no" })));
    world.server.fault("requested_reviewers", Fault::LoseAnswer);
    let lost = world.forge.ask_reviewers(&world.repo, number, all).await.expect_err("lost");
    assert!(matches!(lost, CallFault::NoAnswer { .. }), "{lost:?}");
    assert_eq!(world.server.state().pulls[&number].reviewers, ["ana"]);
    for calls in [4, 5] {
        world.forge.ask_reviewers(&world.repo, number, all).await.expect("asked");
        assert_eq!(world.server.state().pulls[&number].reviewers, ["ana", "@release"]);
        assert_eq!(asked(), calls, "only whom GitHub refused is tried again");
    }
    world.server.assert_good(6, 0);
}

#[tokio::test]
async fn an_opening_whose_answer_is_lost_is_not_repeated_and_is_found() {
    let world = World::new().await;
    world.server.fault("POST /repos/shop/checkout/pulls?", Fault::LoseAnswer);
    let lost = world.forge.open(&world.repo, &world.proposal()).await.expect_err("lost");
    assert!(matches!(lost, CallFault::NoAnswer { .. }), "{lost:?}");
    assert_eq!(world.server.asked("POST /repos/shop/checkout/pulls?"), 1);
    let seen = world.forge.requests(&world.repo, &branch(REQUEST), &branch("staging")).await.expect("told");
    assert_eq!(seen.len(), 1, "it was opened");
    world.server.fault("POST /repos/shop/checkout/pulls?", Fault::LoseRequest);
    let lost = world.forge.open(&world.repo, &world.proposal()).await.expect_err("lost");
    assert!(matches!(lost, CallFault::NoAnswer { .. }), "{lost:?}");
    world.server.assert_good(2, 0);
}

#[tokio::test]
async fn title_body_and_labels_are_brought_up_to_date_and_left_alone_when_they_are() {
    let world = World::new().await;
    let mut proposal = world.proposal();
    let number = world.forge.open(&world.repo, &proposal).await.expect("opened");
    proposal.title = "Promote c".to_owned();
    proposal.body.push_str("\nTwo commits.");
    proposal.labels.push("Database".to_owned());
    for _ in 0..3 {
        world.forge.describe(&world.repo, number, &proposal).await.expect("described");
    }
    assert_eq!(world.server.asked("PATCH "), 1);
    assert_eq!(world.server.asked("/labels"), 2, "once on opening");
    let state = world.server.state();
    let had = state.pulls[&number].clone();
    drop(state);
    assert_eq!((had.title, had.body), (proposal.title, proposal.body));
    assert_eq!(had.labels, ["promotion", "Database"]);
    world.server.assert_good(6, 0);
}

#[tokio::test]
async fn a_draft_is_not_merged_in_either_way_until_it_is_ready() {
    for how in [MergeHow::FastForward, MergeHow::MergeCommit] {
        let world = World::new().await;
        let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
        let merge =
            async || world.forge.merge(&world.repo, number, &branch("staging"), world.a, world.b, how).await;
        world.server.state().pulls.get_mut(&number).expect("there").draft = true;
        let seen = world.forge.requests(&world.repo, &branch(REQUEST), &branch("staging")).await.expect("told");
        assert!(seen[0].draft);
        assert!(matches!(merge().await, PushAnswer::LostRace { .. }), "{how:?}");
        assert_eq!(world.server.state().repo.tip("staging"), Some(world.a));
        world.server.state().pulls.get_mut(&number).expect("there").draft = false;
        assert_eq!(merge().await, PushAnswer::Moved);
        world.server.assert_good(5, 0);
    }
}

#[tokio::test]
async fn where_a_hidden_protection_wants_requests_the_way_is_learned_from_the_refusal() {
    let world = World::new().await;
    let (staging, ways) =
        (branch("staging"), |fast_forward| Ways { push: false, fast_forward, merge_commit: true });
    world.server.state().by_request.insert("staging".to_owned());
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    let merge = async |how| world.forge.merge(&world.repo, number, &staging, world.a, world.b, how).await;
    assert_eq!(world.forge.ways(&world.repo, &staging).await, Ok(ways(true)), "nothing says that it is not");
    let refused = merge(MergeHow::FastForward).await;
    assert!(matches!(&refused, PushAnswer::Refused { words } if words.contains("pull request")), "{refused:?}");
    assert_eq!(world.forge.ways(&world.repo, &staging).await, Ok(ways(false)));
    assert_eq!(world.forge.ways(&world.repo, &branch("develop")).await, Ok(ways(true)), "it is of that branch");
    // Rules change: it is tried again a day later.
    world.clock.advance(Span::from_mins(24 * 60 + 1));
    assert_eq!(world.forge.ways(&world.repo, &staging).await, Ok(ways(true)));
    assert!(matches!(merge(MergeHow::FastForward).await, PushAnswer::Refused { .. }));
    assert_eq!(merge(MergeHow::MergeCommit).await, PushAnswer::Moved);
    world.server.assert_good(8, 1);
}

#[tokio::test]
async fn there_is_one_comment_of_ours_however_often_it_changes() {
    for world in [World::new().await, World::app().await] {
        let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
        let marker = "<!-- towpath -->";
        {
            let mut state = world.server.state();
            state.page_max = 1;
            let (first, second) = (state.id(), state.id());
            for (id, by, body) in [(first, "mallory", format!("{marker} fake")), (second, "ana", "nice".to_owned())]
            {
                state.comments.push(super::state::Comment { id, pull: number, by: by.to_owned(), body });
            }
        }
        for text in ["waits", "waits", "landed"] {
            let body = format!("{marker}\n{text}");
            world.forge.comment(&world.repo, number, marker, &body).await.expect("written");
        }
        let comments = world.server.state().comments.clone();
        let said: Vec<&str> = comments.iter().map(|comment| comment.body.as_str()).collect();
        assert_eq!(said, ["<!-- towpath --> fake", "nice", "<!-- towpath -->\nlanded"]);
        assert_eq!((world.server.asked("POST /repos/shop/checkout/issues"), world.server.asked("PATCH ")), (2, 1));
        // The answer of the first is lost: the next finds it.
        let other = world.server.state().id();
        let mut pull = world.server.state().pulls[&number].clone();
        pull.number = other;
        world.server.state().pulls.insert(other, pull);
        world.server.fault("POST /repos/shop/checkout/issues", Fault::LoseAnswer);
        world.forge.comment(&world.repo, other, marker, marker).await.expect_err("lost");
        world.forge.comment(&world.repo, other, marker, marker).await.expect("it is there");
        assert_eq!(world.server.state().comments.iter().filter(|comment| comment.pull == other).count(), 1);
        world.server.assert_good(10, 0);
    }
}

#[tokio::test]
async fn a_status_is_set_once_and_cut_to_what_github_takes() {
    let world = World::new().await;
    let mut line = StatusLine {
        context: "towpath/checkout/staging".to_owned(),
        state: StatusState::Pending,
        description: "ż".repeat(200),
        url: Some("https://towpath.test/flows/checkout".to_owned()),
    };
    for _ in 0..2 {
        world.forge.status(&world.repo, world.b, &line).await.expect("set");
    }
    line.state = StatusState::Success;
    line.url = None;
    world.forge.status(&world.repo, world.b, &line).await.expect("set");
    let statuses = world.server.state().statuses.clone();
    let all: Vec<(&str, usize)> = statuses
        .iter()
        .map(|s| (s.state.as_str(), s.description.as_deref().unwrap_or("").chars().count()))
        .collect();
    assert_eq!(all, [("pending", 140), ("success", 140)]);
    assert_eq!(world.forge.checks(&world.repo, world.b).await, Ok(Vec::new()), "it does not wait for itself");
    world.server.assert_good(8, 0);
}

#[tokio::test]
async fn a_fast_forward_moves_the_base_itself_and_the_request_is_merged() {
    let world = World::new().await;
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    world.server.state().indirect_lag = 3;
    let merge = world.merge(number, world.a, world.b, MergeHow::FastForward);
    assert_eq!(merge.await, PushAnswer::Moved);
    assert_eq!(world.tip("staging"), world.b, "the very commit");
    let mut states = Vec::new();
    for _ in 0..3 {
        let seen = world.forge.requests(&world.repo, &branch(REQUEST), &branch("staging")).await.expect("told");
        states.push(seen[0].state);
    }
    assert_eq!(states.last(), Some(&RequestState::Merged), "GitHub notices by itself, a little later: {states:?}");
    world.server.assert_good(8, 2);
}

#[tokio::test]
async fn a_merge_commit_is_pinned_to_the_head() {
    let world = World::new().await;
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    let merge = world.merge(number, world.a, world.b, MergeHow::MergeCommit);
    assert_eq!(merge.await, PushAnswer::Moved);
    let tip = world.tip("staging").to_string();
    let parents = world.server.state().repo.git(["rev-parse", &format!("{tip}^1"), &format!("{tip}^2")]);
    assert_eq!(parents, format!("{}\n{}", world.a, world.b));
    world.server.assert_good(5, 0);
}

#[tokio::test]
async fn nothing_is_merged_that_is_not_as_it_was_decided_on() {
    for how in [MergeHow::FastForward, MergeHow::MergeCommit] {
        let world = World::new().await;
        let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
        let merge =
            async || world.forge.merge(&world.repo, number, &branch("staging"), world.a, world.b, how).await;
        // The head moved after the approval.
        world.server.state().repo.commit(&[world.b], REQUEST, &[("f", "c")]);
        assert!(matches!(merge().await, PushAnswer::LostRace { .. }), "{how:?}");
        world.server.state().repo.set(REQUEST, world.b);
        // The base moved, to something that the head does not contain.
        let hotfix = world.server.state().repo.commit(&[world.a], "staging", &[("g", "h")]);
        assert!(matches!(merge().await, PushAnswer::LostRace { .. }), "{how:?}");
        assert_eq!(world.tip("staging"), hotfix);
        world.server.state().repo.set("staging", world.a);
        // It was closed by a person.
        world.server.state().close(number, "ana");
        assert!(matches!(merge().await, PushAnswer::LostRace { .. }), "{how:?}");
        assert_eq!(world.tip("staging"), world.a);
        world.server.assert_good(6, 0);
    }
}

#[tokio::test]
async fn a_base_that_moves_in_the_last_moment_loses_the_race_and_is_not_overwritten() {
    let world = World::new().await;
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    // Between the look and the move somebody pushes: the look is answered with what was before.
    let look = world.merge(number, world.b, world.b, MergeHow::FastForward);
    assert!(
        matches!(look.await, PushAnswer::LostRace { .. }),
        "the look itself, so that it is known what was before"
    );
    let hotfix = world.server.state().repo.commit(&[world.a], "staging", &[("g", "h")]);
    world.server.fault("GET /repos/shop/checkout/git/ref/heads/staging", Fault::Stale);
    let merge = world.merge(number, world.a, world.b, MergeHow::FastForward);
    let answer = merge.await;
    assert!(matches!(&answer, PushAnswer::LostRace { words } if words.contains("Expected")), "{answer:?}");
    assert_eq!(world.tip("staging"), hotfix);
    world.server.assert_good(6, 2);
}

#[tokio::test]
async fn lost_answers_of_a_merge_are_no_answer_and_nothing_is_sent_twice() {
    for (how, operation) in [(MergeHow::FastForward, "updateRefs("), (MergeHow::MergeCommit, "PUT ")] {
        for (fault, moved) in [(Fault::LoseAnswer, true), (Fault::LoseRequest, false), (Fault::Truncate, true)] {
            let world = World::new().await;
            let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
            world.server.fault(operation, fault);
            let merge = world.merge(number, world.a, world.b, how);
            let answer = merge.await;
            assert!(matches!(answer, PushAnswer::NoAnswer { .. }), "{how:?} {answer:?}");
            assert_eq!(world.tip("staging") != world.a, moved, "{how:?}");
            assert_eq!(world.server.asked(operation), 1, "{how:?}");
        }
    }
}

#[tokio::test]
async fn refusals_are_told_in_githubs_words() {
    let world = World::new().await;
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    let merge = async |how| world.forge.merge(&world.repo, number, &branch("staging"), world.a, world.b, how).await;
    {
        let mut state = world.server.state();
        state.rules.insert("staging".to_owned(), vec![json!({ "type": "pull_request" })]);
        (state.bypass, state.merge_commits) = (false, false);
    }
    let answer = merge(MergeHow::FastForward).await;
    assert!(
        matches!(&answer, PushAnswer::Refused { words } if words.contains("through a pull request")),
        "{answer:?}"
    );
    let answer = merge(MergeHow::MergeCommit).await;
    assert!(matches!(&answer, PushAnswer::Refused { words } if words.contains("not allowed")), "{answer:?}");
    for (error, is_sent) in [
        (json!({ "type": "RATE_LIMITED", "message": "API rate limit exceeded" }), false),
        (json!({ "message": "Something went wrong while executing your query" }), true),
    ] {
        let body = json!({ "data": null, "errors": [error] });
        world.server.fault("updateRefs(", Fault::Say(200, vec![], body));
        let answer = merge(MergeHow::FastForward).await;
        assert_eq!(matches!(answer, PushAnswer::NoAnswer { .. }), is_sent, "{answer:?}");
        assert_eq!(matches!(answer, PushAnswer::NotSent { .. }), !is_sent, "{answer:?}");
    }
    // The words of a rule, whatever their type: a protection of the older kind is learned from them.
    for kind in [None, Some("UNPROCESSABLE"), Some("INTERNAL")] {
        let mut error =
            json!({ "message": "Protected branch update failed. Changes must be made through a pull request." });
        if let Some(kind) = kind {
            error["type"] = json!(kind);
        }
        world.server.fault("updateRefs(", Fault::Say(200, vec![], json!({ "data": null, "errors": [error] })));
        let answer = merge(MergeHow::FastForward).await;
        assert!(matches!(answer, PushAnswer::Refused { .. }), "{kind:?} {answer:?}");
    }
    // A head that does not contain the base: GitHub itself refuses, because nothing is forced.
    world.server.state().bypass = true;
    let hotfix = world.server.state().repo.commit(&[world.a], "staging", &[("g", "h")]);
    let answer = world.merge(number, hotfix, world.b, MergeHow::FastForward).await;
    assert!(matches!(&answer, PushAnswer::Refused { words } if words.contains("not a fast forward")), "{answer:?}");
    assert_eq!(world.tip("staging"), hotfix);
    world.server.state().repo.set("staging", world.a);
    world.server.fault("git/ref", Fault::Say(502, vec![], json!({})));
    world.server.fault("git/ref", Fault::Say(502, vec![], json!({})));
    world.server.fault("git/ref", Fault::Say(502, vec![], json!({})));
    assert!(matches!(merge(MergeHow::FastForward).await, PushAnswer::NotSent { .. }), "nothing was asked to move");
    assert_eq!(world.tip("staging"), world.a);
    world.server.assert_good(10, 2);
}

/// Each rule has to be kept, unless we may go around the ruleset that it is from.
#[tokio::test]
async fn the_ways_of_merging_are_those_that_all_binding_rules_leave() {
    let rule = |ruleset: u64, methods: &[&str]| {
        json!({
            "type": "pull_request", "ruleset_source_type": "Repository", "ruleset_source": "shop/checkout",
            "ruleset_id": ruleset,
            "parameters": {
                "allowed_merge_methods": methods, "dismiss_stale_reviews_on_push": false,
                "require_code_owner_review": false, "require_last_push_approval": false,
                "required_approving_review_count": 0, "required_review_thread_resolution": false,
            },
        })
    };
    let linear = json!({
        "type": "required_linear_history", "ruleset_source_type": "Repository", "ruleset_source": "shop/checkout",
        "ruleset_id": 3,
    });
    let (merge, squash, any) = (rule(1, &["merge"]), rule(2, &["squash"]), rule(1, &["squash", "merge", "rebase"]));
    for (name, bypass, rules, fast_forward, merge_commit) in [
        ("none", false, vec![], true, true),
        ("by request", false, vec![any.clone()], false, true),
        ("by request, which we may go around", true, vec![any.clone()], true, true),
        ("by squash alone", false, vec![squash.clone()], false, false),
        ("by squash alone, which we may go around", true, vec![squash.clone()], true, true),
        ("the second one counts, too", false, vec![merge.clone(), squash.clone()], false, false),
        ("both let merge", false, vec![merge.clone(), any.clone()], false, true),
        ("no merge commits", false, vec![linear.clone()], true, false),
        ("no merge commits, and by request", false, vec![linear.clone(), any.clone()], false, false),
    ] {
        let world = World::new().await;
        {
            let mut state = world.server.state();
            state.bypass = bypass;
            state.rules.insert("staging".to_owned(), rules);
        }
        let ways = world.forge.ways(&world.repo, &branch("staging")).await;
        assert_eq!(ways, Ok(Ways { fast_forward, merge_commit, push: false }), "{name}");
        let found = world.forge.findings(&world.repo, &[(branch("staging"), true)]).await;
        let told = found.iter().any(|finding| finding.what.contains("a rule of `staging`"));
        assert_eq!(told, !merge_commit, "{name}: {found:?}");
        world.server.assert_good(3, 0);
    }
    // One that is not shown to us binds.
    let world = World::new().await;
    world.server.state().rules.insert("staging".to_owned(), vec![squash]);
    let hidden =
        || Fault::Say(404, vec![], json!({ "message": "Not Found", "documentation_url": "", "status": "404" }));
    world.server.fault("rulesets/2", hidden());
    let ways = world.forge.ways(&world.repo, &branch("staging")).await;
    assert_eq!(ways, Ok(Ways { fast_forward: false, merge_commit: false, push: false }));
    for _ in 0..3 {
        world.server.fault("rulesets/2", Fault::Say(502, vec![], json!({})));
    }
    assert!(world.forge.ways(&world.repo, &branch("staging")).await.is_err(), "it may be told the next time");
}

/// Between the reading of the open ones and that of the ended ones a request ends: it is told of once, as it is by then.
#[tokio::test]
async fn a_request_that_ends_while_it_is_read_is_one_that_has_ended() {
    let world = World::new().await;
    let number = world.forge.open(&world.repo, &world.proposal()).await.expect("opened");
    let seen =
        async || world.forge.requests(&world.repo, &branch(REQUEST), &branch("staging")).await.expect("told");
    assert_eq!(seen().await.len(), 1);
    world.server.fault("/pulls?state=open", Fault::Stale);
    world.server.state().close(number, "ana");
    let all = seen().await;
    assert!(matches!(&all[..], [one] if one.state == RequestState::Closed), "{all:?}");
}

#[tokio::test]
async fn doctor_is_told_what_a_token_lacks_and_what_nobody_may_see() {
    let world = World::new().await;
    let targets = [(branch("staging"), false)];
    let told = async |scopes: Option<&'static str>| {
        world.server.state().scopes = scopes;
        let found = world.forge.findings(&world.repo, &targets).await;
        found.into_iter().map(|finding| (finding.stops, finding.what)).collect::<Vec<_>>()
    };
    let line = |stops: bool, what: &str| (stops, what.to_owned());
    // Webhooks are shown to administrators.
    let unseen = told(Some("read:org, repo, workflow")).await;
    assert_eq!(unseen, [line(false, "whether there is a webhook can be seen by administrators only")]);
    let hook = json!({
        "id": 5, "name": "web", "active": true, "config": { "url": "https://towpath.example/hooks/github" },
        "events": ["push", "status", "check_run"],
    });
    {
        let mut state = world.server.state();
        state.rights.insert("towpath".to_owned(), "admin".to_owned());
        state.hooks = vec![hook];
    }
    assert_eq!(told(Some("read:org, repo, workflow")).await, []);
    let by_request = world.forge.findings(&world.repo, &[(branch("staging"), true)]).await;
    let comments = "the webhook is not sent for pull_request, pull_request_review, issue_comment: commands in comments are not heard";
    assert!(by_request.iter().any(|one| !one.stops && one.what == comments), "{by_request:?}");
    assert_eq!(
        told(Some("gist")).await,
        [
            line(true, "the token lacks the scope `repo`, for all that Towpath does"),
            line(false, "the token lacks the scope `workflow`"),
            line(false, "the token lacks the scope `read:org`"),
        ]
    );
    assert_eq!(told(Some("")).await.len(), 3);
    assert_eq!(told(None).await, [], "nobody says so of a token of another kind");
    let classic = json!({ "enabled": true });
    world.server.state().classic.insert("staging".to_owned(), classic);
    let hidden = told(Some("repo, workflow, admin:org")).await;
    assert!(hidden.len() == 1 && hidden[0].1.contains("`staging` has a classic protection"), "{hidden:?}");
    world.server.assert_good(10, 0);
}

#[tokio::test]
async fn a_rollback_that_a_rule_would_refuse_is_told() {
    let world = World::new().await;
    let asked = async || world.forge.against_rollback(&world.repo, &branch("staging")).await;
    assert_eq!(asked().await, None);
    let rules = vec![json!({ "type": "deletion" }), json!({ "type": "non_fast_forward" })];
    world.server.state().rules.insert("staging".to_owned(), rules);
    let found = asked().await.expect("a finding");
    assert!(!found.stops && found.what.contains("a rule of `staging` refuses force pushes"), "{found:?}");
    world.server.state().rules.clear();
    world.server.state().classic.insert("staging".to_owned(), json!({ "enabled": true }));
    let found = asked().await.expect("a finding");
    assert!(!found.stops && found.what.contains("a classic protection, which refuses force pushes"), "{found:?}");
    assert!(found.mend.contains("allow force pushes in it"), "{found:?}");
    world.server.assert_good(6, 0);
}

#[tokio::test]
async fn doctor_is_told_what_stands_in_the_way() {
    let world = World::app().await;
    let targets = [(branch("staging"), false), (branch("develop"), true)];
    assert_eq!(world.forge.findings(&world.repo, &targets).await, []);
    {
        let mut state = world.server.state();
        state.app_events = vec!["push"];
        state.app_rights = json!({ "contents": "read", "metadata": "read", "checks": "read", "pull_requests": "write", "statuses": "write" });
        (state.merge_commits, state.archived) = (false, true);
        state.rules.insert(
            "staging".to_owned(),
            vec![json!({ "type": "pull_request" }), json!({ "type": "merge_queue" })],
        );
    }
    let found = world.forge.findings(&world.repo, &targets).await;
    let told: Vec<(bool, &str)> = found.iter().map(|finding| (finding.stops, finding.what.as_str())).collect();
    assert_eq!(
        told,
        [
            (true, "`shop/checkout` is archived"),
            (false, "merge commits are switched off in the repository's settings"),
            (true, "the app lacks `contents: write`, for moving branches"),
            (false, "the app lacks `members: read`, for teams in `from`"),
            (false, "the app lacks `workflows: write`"),
            (false, "the app does not send `issue_comment` events: commands in comments are not heard"),
            (false, "a rule of `staging` wants a pull request for every change"),
            (true, "`staging` has a merge queue"),
        ]
    );
    let gone = world.forge.findings(&towpath::forge::RepoPath::new("shop/gone"), &targets).await;
    assert!(gone[0].stops && gone.len() == 1, "{gone:?}");
    world.server.assert_good(12, 0);
}
