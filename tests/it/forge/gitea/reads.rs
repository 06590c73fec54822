//! What the adapter reads from a server that answers well.

use std::collections::BTreeSet;

use towpath::clock::Clock;
use towpath::config::SecretRef;
use towpath::forge::client::{Client, Options};
use towpath::forge::gitea::Gitea;
use towpath::forge::{CheckSeen, Finding, Forge as _, HeadBound, RequestState, Required};
use towpath_core::model::{CiState, Mends, RequiredCheck, Span, UnknownWhy};

use super::state::{NAME, OWNER, Rule, State};
use super::{Place, branch, proposal, repo};

fn rule(name: &str) -> Rule {
    Rule {
        branch: name.to_owned(),
        pushers: vec!["towpath".to_owned()],
        mergers: vec!["towpath".to_owned()],
        checks: None,
        approvals: 0,
        up_to_date: false,
    }
}

fn told(checks: &[CheckSeen]) -> Vec<(&str, &str, CiState)> {
    checks.iter().map(|check| (check.name.as_str(), check.origin.as_str(), check.state)).collect()
}

#[tokio::test]
async fn checks_are_read_to_the_last_page_however_short_the_pages() {
    let place = Place::new().await;
    let (commit, other) = (place.push("develop", "a"), place.root);
    {
        let mut state = place.state();
        (state.page_max, state.forgetful) = (3, true);
        for number in 0..7 {
            state.report(Some("ana"), commit, &format!("job {number}"), "pending");
        }
        for number in 0..7 {
            state.report(Some("ana"), commit, &format!("job {number}"), "success");
        }
        // Written last and so on the last page; and by somebody else on the first.
        state.report(Some("ana"), commit, "job 3", "failure");
        state.report(Some("bo"), commit, "job 3", "success");
        state.report(Some("towpath"), commit, "towpath/checkout/staging", "pending");
        state.report(Some("ana"), other, "job 9", "success");
    }
    let forge = place.forge();
    let checks = forge.checks(&repo(), commit).await.expect("read");
    assert_eq!(checks.len(), 8, "{:?}", told(&checks));
    let red: Vec<_> = told(&checks).into_iter().filter(|(_, _, state)| *state == CiState::Red).collect();
    assert_eq!(red, [("job 3", "ana", CiState::Red)]);
    assert!(told(&checks).contains(&("job 3", "bo", CiState::Green)));
    assert!(checks.iter().all(|check| check.on.is_none() && check.finished_ago.is_some()));
    let oldest = checks.iter().filter_map(|check| check.finished_ago).max();
    assert!(oldest > Some(Span::from_secs(5)) && oldest < Some(Span::from_mins(1)), "{oldest:?}");
    // 17 rows on pages of three, and the two questions about the server.
    assert_eq!(place.calls("/statuses/"), 6);
    place.watch.assert_good(8);
}

#[tokio::test]
async fn no_status_is_no_check() {
    let place = Place::new().await;
    assert_eq!(place.forge().checks(&repo(), place.root).await, Ok(Vec::new()));
    assert_eq!(place.calls("/statuses/"), 1);
    place.watch.assert_good(1);
}

#[tokio::test]
async fn two_workflows_of_one_name_are_two_checks() {
    let place = Place::new().await;
    let commit = place.push("develop", "a");
    {
        let mut state = place.state();
        state.page_max = 1;
        let url = |run: u32| format!("/{OWNER}/{NAME}/actions/runs/{run}/jobs/0");
        state.report_of(None, commit, "CI / test (push)", "failure", "one.yml", &url(10));
        state.report_of(None, commit, "CI / test (push)", "success", "two.yml", &url(11));
    }
    let checks = place.forge().checks(&repo(), commit).await.expect("read");
    let expected = [("CI / test (push)", "", CiState::Green), ("CI / test (push)", "#2", CiState::Red)];
    assert_eq!(told(&checks), expected);
    // The same workflow run anew: the newer run counts alone.
    let again = place.push("develop", "b");
    {
        let mut state = place.state();
        let url = |run: u32| format!("/{OWNER}/{NAME}/actions/runs/{run}/jobs/0");
        state.report_of(None, again, "CI / test (push)", "failure", "one.yml", &url(12));
        state.report_of(None, again, "CI / test (push)", "success", "one.yml", &url(13));
    }
    let checks = place.forge().checks(&repo(), again).await.expect("read");
    assert_eq!(told(&checks), [("CI / test (push)", "", CiState::Green)]);
    place.watch.assert_good(6);
}

#[tokio::test]
async fn what_a_branch_requires_is_read_from_the_branch() {
    let place = Place::new().await;
    let forge = place.forge();
    let required = async |name: &str| forge.required(&repo(), &branch(name)).await;
    assert_eq!(required("staging").await, Ok(Required::Checks(Vec::new())));
    let with = |checks: Option<&[&str]>| {
        let checks = checks.map(|all| all.iter().map(|name| (*name).to_owned()).collect());
        place.state().protect(Rule { checks, ..rule("staging") });
    };
    with(None);
    assert_eq!(required("staging").await, Ok(Required::Checks(Vec::new())));
    with(Some(&[]));
    assert_eq!(required("staging").await, Ok(Required::Everything));
    with(Some(&["build", "CI / *"]));
    let two = ["build", "CI / *"].map(RequiredCheck::of_anybody).to_vec();
    assert_eq!(required("staging").await, Ok(Required::Checks(two)));
    with(Some(&["te?t"]));
    let odd = required("staging").await.expect_err("not read");
    assert!(matches!((odd.mends, &odd.why), (Mends::Person, UnknownWhy::Unreadable { .. })), "{odd:?}");
    let missing = required("nowhere").await.expect_err("not there");
    assert!(matches!(missing.why, UnknownWhy::NoRepository { .. }), "{missing:?}");
    // A name with a slash is one part of the path.
    place.set("release/1.0", place.root);
    assert_eq!(required("release/1.0").await, Ok(Required::Checks(Vec::new())));
    place.watch.assert_good(7);
}

#[tokio::test]
async fn our_requests_are_found_among_others_on_every_version() {
    for version in ["17.0.0+gitea-1.22.0", "1.24.7", "1.19.0", "no version"] {
        let place = Place::new().await;
        let head = place.push("towpath/checkout/staging", "a");
        place.set("other", head);
        let wanted: Vec<u64> = {
            let mut state = place.state();
            (state.version, state.page_max) = (version.to_owned(), 2);
            let ours =
                |state: &mut super::State| state.open("towpath", "towpath/checkout/staging", "staging", "t", "b");
            let closed = ours(&mut state);
            state.close(closed);
            for _ in 0..5 {
                state.open("ana", "other", "staging", "t", "b");
                let done = state.open("ana", "other", "master", "t", "b");
                state.close(done);
            }
            let fork = ours(&mut state);
            state.pull(fork).head_repo = 7;
            let open = ours(&mut state);
            vec![open, closed]
        };
        let proposal = proposal();
        let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
        let numbers: Vec<u64> = found.iter().map(|request| request.number).collect();
        // Among those of others it is read no further than one of ours that counts can be.
        let wanted = if version == "no version" { &wanted[..1] } else { &wanted[..] };
        assert_eq!(numbers, wanted, "{version}");
        let states = [RequestState::Open, RequestState::Closed];
        assert!(found.iter().zip(states).all(|(one, state)| one.state == state && one.head == head), "{found:?}");
        place.watch.assert_good(4);
    }
}

#[tokio::test]
async fn closed_requests_of_others_are_read_no_further_than_a_newer_one_of_ours_can_be() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let ours = |state: &mut State| state.open("towpath", "towpath/checkout/staging", "staging", "t", "b");
    let others = |state: &mut State, many: usize| {
        for _ in 0..many {
            let number = state.open("ana", "develop", "staging", "t", "b");
            state.close(number);
        }
    };
    let proposal = proposal();
    let read = async || {
        let before = place.calls("state=closed");
        let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
        let numbers: Vec<_> = found.iter().map(|request| (request.number, request.state)).collect();
        (numbers, place.calls("state=closed") - before)
    };
    let (old, newer) = {
        let mut state = place.state();
        (state.page_max, state.version) = (5, "1.20.0".to_owned());
        others(&mut state, 20);
        let old = ours(&mut state);
        state.close(old);
        others(&mut state, 3);
        let newer = ours(&mut state);
        state.close(newer);
        others(&mut state, 7);
        // Somebody says something under the old one: it has changed last, and is not the newest.
        state.now += 60_000;
        state.pull(old).updated = state.now;
        (old, newer)
    };
    assert_eq!(read().await, (vec![(newer, RequestState::Closed), (old, RequestState::Closed)], 2), "of seven");
    // Nothing that closed before the open one was opened is newer.
    let open = ours(&mut place.state());
    let (seen, pages) = read().await;
    assert_eq!((seen[0], pages), ((open, RequestState::Open), 1));
}

#[tokio::test]
async fn no_more_than_ten_closed_ones_are_looked_for() {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    {
        let mut state = place.state();
        state.page_max = 5;
        for _ in 0..23 {
            let number = state.open("towpath", "towpath/checkout/staging", "staging", "t", "b");
            state.pull(number).merged = Some(("ana".to_owned(), head));
            state.close(number);
        }
    }
    let proposal = proposal();
    let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
    let numbers: Vec<u64> = found.iter().map(|request| request.number).collect();
    assert_eq!(numbers, (14..=23).rev().collect::<Vec<u64>>());
    assert!(
        found
            .iter()
            .all(|r| (r.state, r.ended_by.as_deref(), r.merged_as)
                == (RequestState::Merged, Some("ana"), Some(head)))
    );
    assert_eq!(place.calls("state=closed"), 2);
}

#[tokio::test]
async fn approvals_are_bound_and_stale_ones_stay_listed() {
    let place = Place::new().await;
    let old = place.push("towpath/checkout/staging", "a");
    let number = place.state().open("towpath", "towpath/checkout/staging", "staging", "t", "b");
    let proposal = proposal();
    let read = async || {
        let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
        let request = found.into_iter().next().expect("the request");
        let given = request.approvals.into_iter().map(|a| (a.by, a.email, a.head)).collect::<Vec<_>>();
        (given, request.objections)
    };
    {
        let mut state = place.state();
        state.review("ana", number, "APPROVED");
        state.review("bo", number, "REQUEST_CHANGES");
        // Counted by the server, shown to nobody else.
        state.review("ana", number, "PENDING");
        // May only read: says what she likes, and it weighs nothing.
        state.review("eve", number, "APPROVED");
        state.people.iter_mut().filter(|person| person.login == "bo").for_each(|bo| bo.hides_email = true);
    }
    let of =
        |by: &str, email: Option<&str>, head| (by.to_owned(), email.map(str::to_owned), HeadBound::Commit(head));
    let ana = of("ana", Some("ana@example.com"), old);
    assert_eq!(read().await, (vec![ana.clone()], vec!["bo".to_owned()]));
    // The head moves: what was given for the old one is still there, and says so.
    let new = place.push("towpath/checkout/staging", "b");
    place.state().review("bo", number, "APPROVED");
    assert_eq!(read().await, (vec![ana.clone(), of("bo", None, new)], Vec::new()));
    let again = place.state().review("ana", number, "APPROVED");
    assert_eq!(read().await.0, [of("ana", Some("ana@example.com"), new), of("bo", None, new)]);
    place.state().dismiss(number, again);
    assert_eq!(read().await.0, [of("bo", None, new)]);
    place.watch.assert_good(20);
}

#[tokio::test]
async fn what_the_server_does_not_call_official_counts_only_from_those_who_may_write() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let number = place.state().open("towpath", "towpath/checkout/staging", "staging", "t", "b");
    {
        let mut state = place.state();
        state.review("ana", number, "APPROVED");
        state.review("eve", number, "APPROVED");
        // As older Gitea says of branches without a rule.
        state.pull(number).reviews.iter_mut().for_each(|review| review.official = false);
    }
    let proposal = proposal();
    let read = async || {
        let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
        let approved = found[0].approvals.iter().map(|approval| approval.by.clone()).collect::<Vec<_>>();
        (approved, found[0].objections.clone())
    };
    let of = |approved: &[&str], objections: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        (owned(approved), owned(objections))
    };
    // We may not ask what people may do: then nobody is known to be allowed to.
    assert_eq!(read().await, of(&[], &[]));
    place.state().people[0].rights = "admin";
    assert_eq!(read().await, of(&["ana"], &[]));
    // And then an objection stands, because it may be that of somebody who may write.
    {
        let mut state = place.state();
        for who in ["bo", "eve"] {
            state.review(who, number, "REQUEST_CHANGES");
        }
        state.pull(number).reviews.iter_mut().for_each(|review| review.official = false);
    }
    assert_eq!(read().await, of(&["ana"], &["bo"]));
    place.state().people[0].rights = "write";
    assert_eq!(read().await, of(&[], &["bo", "eve"]));
    place.watch.assert_good(8);
}

#[tokio::test]
async fn a_deleted_head_branch_leaves_the_request() {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    place.state().open("towpath", "towpath/checkout/staging", "staging", "t", "b");
    place.state().repo.delete("towpath/checkout/staging");
    let proposal = proposal();
    let found = place.forge().requests(&repo(), &proposal.head, &proposal.base).await.expect("read");
    assert_eq!(found.iter().map(|request| request.head).collect::<Vec<_>>(), [head]);
    place.watch.assert_good(3);
}

#[tokio::test]
async fn teams_are_read_to_the_last_member() {
    let place = Place::new().await;
    {
        let mut state = place.state();
        state.page_max = 2;
        let all: Vec<String> = ["ana", "bo", "eve"].map(str::to_owned).to_vec();
        let owners = vec!["towpath".to_owned()];
        state.teams =
            vec![(90, "Owners".to_owned(), owners), (91, "a".to_owned(), vec![]), (92, "Release".to_owned(), all)];
    }
    let forge = place.forge();
    let expected: Vec<String> = ["ana", "bo", "eve"].map(str::to_owned).to_vec();
    assert_eq!(forge.members(&repo(), "release").await, Ok(expected.clone()));
    assert_eq!(forge.members(&repo(), "shop/release").await, Ok(expected));
    for nobody in ["ops", "nowhere/release"] {
        let unknown = forge.members(&repo(), nobody).await.expect_err("there is none");
        assert_eq!(unknown.mends, Mends::Person, "{unknown:?}");
    }
    place.watch.assert_good(9);
}

#[tokio::test]
async fn who_is_in_a_team_is_told_to_its_members_and_to_owners_alone() {
    let place = Place::new().await;
    let forge = place.forge();
    let of = |owners: &[&str], ops: &[&str], release: &[&str]| {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        place.state().teams = vec![
            (90, "Owners".to_owned(), names(owners)),
            (91, "ops".to_owned(), names(ops)),
            (92, "release".to_owned(), names(release)),
        ];
    };
    let asked = async || forge.members(&repo(), "release").await;
    let read = |members: &[&str]| Ok(members.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    // A collaborator with the right to write is neither in the organisation nor in a team of it, until somebody
    // puts it there.
    for (ops, words) in [(&[][..], "Must be an organization member"), (&["towpath"][..], "Must be a team member")] {
        of(&[], ops, &["ana"]);
        let unknown = asked().await.expect_err("refused");
        assert_eq!(unknown.mends, Mends::Person, "{unknown:?}");
        let UnknownWhy::CredentialsRefused { words: said } = unknown.why else { panic!("{unknown:?}") };
        for part in [words, "`@shop/release`", "owner of the organisation"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    of(&["towpath"], &[], &["ana"]);
    assert_eq!(asked().await, read(&["ana"]));
    of(&[], &[], &["ana", "towpath"]);
    assert_eq!(asked().await, read(&["ana", "towpath"]));
    place.watch.assert_good(6);
}

#[tokio::test]
async fn branches_are_read_and_null_is_not_none() {
    let place = Place::new().await;
    place.state().page_max = 2;
    let forge = place.forge();
    let names = |all: Vec<(towpath_core::model::BranchName, _)>| {
        all.into_iter().map(|(name, _)| name.as_str().to_owned()).collect::<BTreeSet<_>>()
    };
    let all = forge.branches(&repo()).await.expect("read");
    assert!(all.iter().all(|(_, tip)| *tip == place.root));
    assert_eq!(names(all), ["develop", "master", "staging"].map(str::to_owned).into());
    place.faults.plan("/branches?", super::faults::Fault::changed(|body| *body = serde_json::Value::Null), 1);
    let unknown = forge.branches(&repo()).await.expect_err("null");
    assert_eq!(unknown.mends, Mends::Itself, "{unknown:?}");
    place.watch.assert_good(4);
}

#[tokio::test]
async fn doctor_finds_nothing_where_all_is_as_documented_and_each_thing_where_it_is_not() {
    let place = Place::new().await;
    {
        let mut state = place.state();
        state.people[0].rights = "admin";
        state.protect(rule("staging"));
        state.protect(rule("master"));
        state.hooks = vec![serde_json::json!({
            "id": 5, "type": "forgejo", "active": true, "branch_filter": "*", "url": "", "authorization_header": "",
            "content_type": "json", "metadata": null, "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:00Z",
            "config": { "url": "https://towpath.example/hooks/git", "content_type": "json" },
            "events": ["push", "status", "pull_request", "pull_request_review", "pull_request_comment"],
        })];
    }
    let targets = [(branch("staging"), false), (branch("master"), true)];
    let forge = place.forge();
    let found = async || forge.findings(&repo(), &targets).await;
    assert_eq!(found().await, []);
    // Without its own CI and without anybody else's; what Towpath writes is none.
    place.state().settings.actions = false;
    place.state().report(Some("towpath"), place.root, "towpath/checkout/staging", "success");
    let none = found().await;
    assert!(none.len() == 1 && !none[0].stops && none[0].what.contains("start no CI"), "{none:?}");
    place.state().report(Some("ana"), place.root, "build", "failure");
    assert_eq!(found().await, [], "somebody's CI writes statuses");
    let stops = |found: &[Finding], words: &str| found.iter().any(|f| f.stops && f.what.contains(words));
    {
        let mut state = place.state();
        state.protect(Rule { pushers: vec![], ..rule("staging") });
        state.protect(Rule { mergers: vec![], up_to_date: true, ..rule("master") });
        (state.settings.merge_commits, state.settings.fast_forward) = (false, None);
        state.version = "1.16.2".to_owned();
    }
    let old = found().await;
    assert!(old.iter().any(|f| !f.stops && f.what.contains("what is approved is pushed")), "{old:?}");
    assert!(!stops(&old, "neither"), "it was not switched off: {old:?}");
    place.state().settings.fast_forward = Some(false);
    let all = found().await;
    for words in ["refuses Towpath's push", "may not merge", "up to date", "neither", "Gitea 1.16"] {
        assert!(stops(&all, words), "{words}: {all:?}");
    }
    // As a plain writer: what cannot be seen is said.
    place.state().people[0].rights = "write";
    let all = found().await;
    assert_eq!(all.iter().filter(|f| f.what.contains("administrators only")).count(), 2, "{all:?}");
    place.state().people[0].rights = "read";
    assert!(stops(&found().await, "may not write"));
    let all = place.forge_as("stranger").findings(&repo(), &targets).await;
    assert!(stops(&all, "cannot be read") && stops(&all, "whose it is"), "{all:?}");
    place.watch.assert_good(30);
}

#[tokio::test]
async fn a_rollback_that_a_rule_would_refuse_is_told() {
    let place = Place::new().await;
    let forge = place.forge();
    let asked = async || forge.against_rollback(&repo(), &branch("staging")).await;
    assert_eq!(asked().await, None, "no rule covers it");
    place.state().protect(rule("staging"));
    for rights in ["write", "admin"] {
        place.state().people[0].rights = rights;
        let found = asked().await.expect("a finding");
        assert!(!found.stops && found.what.contains("`staging` refuses to let it go back"), "{found:?}");
        assert!(found.mend.contains("no exception"), "Forgejo has none: {found:?}");
    }
    place.watch.assert_good(6);
}

#[tokio::test]
async fn a_token_that_is_refused_is_a_persons_matter() {
    let place = Place::new().await;
    let unknown = place.forge_as("stranger").checks(&repo(), place.root).await.expect_err("refused");
    assert!(matches!(unknown.why, UnknownWhy::CredentialsRefused { .. }), "{unknown:?}");
    assert!(!format!("{unknown:?}").contains("token-of"), "{unknown:?}");
    place.watch.assert_good(1);
}

#[tokio::test]
async fn a_token_that_was_replaced_counts_at_once() {
    let place = Place::new().await;
    let commit = place.push("develop", "a");
    let file = place.file("rotated", "a token that was revoked");
    let client = Client::new(Options::default(), Clock::System).expect("a client");
    let forge = Gitea::new(&place.url, Some(SecretRef::File(file)), client).expect("a forge");
    forge.checks(&repo(), commit).await.expect_err("it is revoked");
    place.file("rotated", "token-of-towpath\n");
    forge.checks(&repo(), commit).await.expect("read with the new one");
}
