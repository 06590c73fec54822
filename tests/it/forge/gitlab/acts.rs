//! What the adapter does, judged on what is so afterwards.

use serde_json::json;
use towpath::forge::{CallFault, Forge as _, MergeHow, Proposal, StatusLine, StatusState};
use towpath_core::act::PushAnswer;
use towpath_core::model::{CiState, CommitId};

use base64::Engine as _;

use super::super::gitea::faults::Fault;
use super::state::PATH;
use super::{Place, branch, proposal, repo};
use crate::support::git_fixture::git_command;

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_request_is_opened_once_with_labels_and_reviewers() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let team = vec![("bo".to_owned(), 30, "active"), ("ana".to_owned(), 30, "active")];
    place.state().groups.insert("shop/release".to_owned(), team);
    let wanted = Proposal {
        labels: names(&["promotion", "release"]),
        reviewers: names(&["ana", "@release", "nobody", "@nowhere/x"]),
        ..proposal()
    };
    let forge = place.forge();
    let number = forge.open(&repo(), &wanted).await.expect("opened");
    {
        let mut state = place.state();
        let ids = [state.person("ana").expect("ana").id, state.person("bo").expect("bo").id];
        let request = state.request(number);
        assert_eq!((request.title.as_str(), request.by.as_str()), ("Promote to staging", "towpath"));
        assert_eq!(request.labels, names(&["promotion", "release"]));
        assert_eq!(request.reviewers.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
    }
    let again = forge.open(&repo(), &wanted).await;
    assert!(matches!(&again, Err(CallFault::Exists { words }) if words.contains("!1")), "{again:?}");
    assert_eq!(place.state().requests.len(), 1);
    place.watch.assert_good(12);
}

/// Whoever could not be looked up when it was opened is asked later, once, and whoever is asked by then stays.
#[tokio::test]
async fn reviewers_who_could_not_be_looked_up_are_asked_later() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let team = vec![("bo".to_owned(), 30, "active")];
    place.state().groups.insert("shop/release".to_owned(), team);
    let all = names(&["ana", "@release", "nobody", "@nowhere/x"]);
    let wanted = Proposal { reviewers: all.clone(), ..proposal() };
    let forge = place.forge();
    place.faults.plan("groups/shop%2Frelease", Fault::Status(503, "not now"), 8);
    let number = forge.open(&repo(), &wanted).await.expect("opened");
    let asked = || {
        let mut state = place.state();
        let ids: Vec<u64> = state.request(number).reviewers.iter().map(|(id, _)| *id).collect();
        let name = |id: &u64| state.people.iter().find(|person| person.id == *id).map(|person| person.name.clone());
        ids.iter().filter_map(name).collect::<Vec<_>>()
    };
    let edits = || place.calls("PUT ");
    assert_eq!(asked(), ["ana"]);
    let silent = forge.ask_reviewers(&repo(), number, &all).await;
    assert!(matches!(&silent, Err(CallFault::NotSent { .. })), "{silent:?}");
    assert_eq!((asked(), edits()), (names(&["ana"]), 0));
    place.faults.clear();
    for _ in 0..2 {
        assert_eq!(forge.ask_reviewers(&repo(), number, &all).await, Ok(()));
        assert_eq!((asked(), edits()), (names(&["ana", "bo"]), 1), "in one call, and no second time");
    }
    // Somebody else was asked by people; a refusal is the end of it.
    let eve = place.state().person("eve").expect("eve").id;
    place.state().request(number).reviewers = vec![(eve, "unreviewed")];
    place.faults.plan("PUT ", Fault::Status(403, "no"), 1);
    assert_eq!(forge.ask_reviewers(&repo(), number, &all).await, Ok(()));
    assert_eq!(asked(), ["eve"]);
}

#[tokio::test]
async fn a_request_that_could_never_be_merged_is_not_opened() {
    let place = Place::new().await;
    let refused = place.forge().open(&repo(), &proposal()).await;
    assert!(matches!(refused, Err(CallFault::Refused { .. })), "{refused:?}");
    place.push("towpath/checkout/staging", "a");
    place.state().settings.squash = "always";
    let refused = place.forge().open(&repo(), &proposal()).await;
    assert!(matches!(&refused, Err(CallFault::Refused { words }) if words.contains("squash")), "{refused:?}");
    assert_eq!(place.calls("POST"), 1, "the method is read before");
    place.state().settings.squash = "never";
    let refused = place.forge_as("eve").open(&repo(), &proposal()).await;
    assert!(matches!(refused, Err(CallFault::Refused { .. })), "{refused:?}");
    assert_eq!(place.state().requests.len(), 0);
    place.watch.assert_good(5);
}

#[tokio::test]
async fn a_request_is_brought_up_to_date_and_left_alone_where_it_is() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let forge = place.forge();
    let number = forge.open(&repo(), &proposal()).await.expect("opened");
    // As a browser saves it.
    place.state().request(number).body = "<!-- towpath -->\r\nthree commits\r\n".to_owned();
    forge.describe(&repo(), number, &proposal()).await.expect("described");
    assert_eq!(place.calls("PUT"), 0);
    place.state().request(number).labels = names(&["theirs"]);
    let other = Proposal { title: "Promote 4".to_owned(), labels: names(&["promotion"]), ..proposal() };
    for _ in 0..2 {
        forge.describe(&repo(), number, &other).await.expect("described");
        assert_eq!(place.calls("PUT"), 1);
    }
    let mut state = place.state();
    let request = state.request(number);
    assert_eq!((request.title.as_str(), &request.labels), ("Promote 4", &names(&["theirs", "promotion"])));
    assert!(request.body.contains("three commits"));
    drop(state);
    place.watch.assert_good(6);
}

#[tokio::test]
async fn a_mark_that_it_is_not_ready_is_seen_and_left_to_people() {
    let place = Place::new().await;
    place.push("towpath/checkout/staging", "a");
    let forge = place.forge();
    let number = forge.open(&repo(), &proposal()).await.expect("opened");
    let draft = async || {
        let found = forge.requests(&repo(), &proposal().head, &proposal().base).await.expect("read");
        found[0].draft
    };
    assert!(!draft().await);
    place.state().request(number).title = "Draft: Promote 3".to_owned();
    assert!(draft().await);
    let other = Proposal { title: "Promote 4".to_owned(), ..proposal() };
    forge.describe(&repo(), number, &other).await.expect("described");
    assert_eq!(place.state().request(number).title, "Draft: Promote 4");
    assert!(draft().await);
    place.state().request(number).title = "Promote 4".to_owned();
    forge.describe(&repo(), number, &other).await.expect("described");
    assert!(!draft().await);
    place.watch.assert_good(8);
}

/// A request whose head is one commit above `staging`.
async fn ready(place: &Place) -> (u64, CommitId) {
    let head = place.push("towpath/checkout/staging", "a");
    let number = place.forge().open(&repo(), &proposal()).await.expect("opened");
    (number, head)
}

#[tokio::test]
async fn a_fast_forward_makes_the_base_the_head_itself() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    assert_eq!(place.merge(number, head, MergeHow::FastForward).await, PushAnswer::Moved);
    assert_eq!(place.tip("staging"), Some(head));
    assert_eq!(place.tip("towpath/checkout/staging"), Some(head), "the branch is ours, and stays");
    assert_eq!(place.merge(number, head, MergeHow::FastForward).await, PushAnswer::UpToDate);
    place.watch.assert_good(7);
}

#[tokio::test]
async fn a_merge_commit_has_base_and_head_as_parents() {
    for method in ["merge", "rebase_merge"] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.state().settings.method = method;
        let base = if method == "merge" { place.push("staging", "hotfix") } else { place.root };
        assert_eq!(place.merge(number, head, MergeHow::MergeCommit).await, PushAnswer::Moved, "{method}");
        let made = place.tip("staging").expect("there").to_string();
        let parents = place.state().repo.git(["rev-list", "--parents", "-n1", &made]);
        assert_eq!(parents, format!("{made} {base} {head}"));
        place.watch.assert_good(6);
    }
}

#[tokio::test]
async fn what_the_project_does_otherwise_is_not_sent_and_never_a_squash() {
    let table = [
        ("merge", "never", MergeHow::FastForward, "method was changed"),
        ("ff", "never", MergeHow::MergeCommit, "method was changed"),
        ("ff", "always", MergeHow::FastForward, "squash"),
        ("merge", "always", MergeHow::MergeCommit, "squash"),
    ];
    for (method, squash, how, words) in table {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        (place.state().settings.method, place.state().settings.squash) = (method, squash);
        let refused = place.merge(number, head, how).await;
        assert!(matches!(&refused, PushAnswer::Refused { words: said } if said.contains(words)), "{refused:?}");
        assert_eq!((place.tip("staging"), place.calls("/1/merge")), (Some(place.root), 0));
        assert_eq!(place.calls("PUT"), 0);
    }
}

#[tokio::test]
async fn a_request_that_somebody_marked_to_be_squashed_is_merged_unsquashed_or_not_at_all() {
    for (method, how) in [("ff", MergeHow::FastForward), ("merge", MergeHow::MergeCommit)] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.state().settings.method = method;
        place.state().request(number).squash = true;
        assert_eq!(place.merge(number, head, how).await, PushAnswer::Moved, "{method}");
        let staging = place.tip("staging").expect("there");
        assert!(place.state().contains(staging, head), "the commit itself is there");
        assert!(!place.state().request(number).squashed);
        assert_eq!(place.calls("PUT"), 2, "the edit and the merge");
        place.watch.assert_good(8);
    }
    // The fake can squash: `squash: false` in the call that merges takes no mark off.
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    place.state().request(number).squash = true;
    let url = format!("{}/api/v4/projects/1/merge_requests/{number}/merge", place.url);
    let plain = json!({ "sha": head.to_string(), "squash": false, "should_remove_source_branch": false });
    let sent = reqwest::Client::new().put(url).bearer_auth("token-of-towpath").json(&plain).send().await;
    assert_eq!(sent.expect("answered").status(), 200);
    assert!(place.state().request(number).squashed);
    assert_ne!(place.tip("staging"), Some(head));
    // It stays marked, in either word, whatever it is told.
    for key in ["squash", "squash_on_merge"] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.faults.plan("merge_requests/1", Fault::changed(move |body| body[key] = json!(true)), 3);
        let refused = place.merge(number, head, MergeHow::FastForward).await;
        let told = matches!(&refused, PushAnswer::Refused { words } if words.contains("untick \"Squash commits\""));
        assert!(told, "{key}: {refused:?}");
        assert_eq!((place.tip("staging"), place.calls("/1/merge")), (Some(place.root), 0));
        assert_eq!(place.calls("PUT"), 1, "the edit alone");
    }
    // An edit that is refused is somebody's matter; one that is not answered has merged nothing.
    for (status, words) in [(403, "untick"), (502, "")] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.state().request(number).squash = true;
        place.faults.plan("PUT ", Fault::Status(status, "no"), 1);
        let not = place.merge(number, head, MergeHow::FastForward).await;
        let told = match &not {
            PushAnswer::Refused { words: said } => status == 403 && said.contains(words),
            PushAnswer::NotSent { .. } => status == 502,
            _ => false,
        };
        assert!(told, "{status}: {not:?}");
        // The edit was stopped on its way, and no merge was sent after it.
        assert_eq!((place.tip("staging"), place.calls("PUT")), (Some(place.root), 0));
    }
}

#[tokio::test]
async fn a_head_that_moved_is_not_merged() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    place.push("towpath/checkout/staging", "unseen");
    let lost = place.merge(number, head, MergeHow::FastForward).await;
    assert!(matches!(lost, PushAnswer::LostRace { .. }), "{lost:?}");
    assert_eq!((place.tip("staging"), place.calls("PUT")), (Some(place.root), 0));
    // It moves after we looked: what we read of the request is old. GitLab still knows the head.
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    let old = head.to_string();
    place.push("towpath/checkout/staging", "unseen");
    let says_old = Fault::changed(move |body| body["sha"] = json!(old));
    place.faults.plan("merge_requests/1", says_old, 1);
    let lost = place.merge(number, head, MergeHow::FastForward).await;
    assert!(matches!(&lost, PushAnswer::LostRace { words } if words.contains("does not match")), "{lost:?}");
    assert_eq!((place.tip("staging"), place.calls("PUT")), (Some(place.root), 1));
    place.watch.assert_good(4);
}

#[tokio::test]
async fn a_base_that_moves_at_the_last_moment_is_not_taken_for_merged() {
    for (method, how) in [("ff", MergeHow::FastForward), ("merge", MergeHow::MergeCommit)] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.state().settings.method = method;
        let theirs = place.push("hotfix", "theirs");
        place.state().race = Some(theirs);
        // GitLab answers 200, with the request open and its words in it.
        let unclear = place.merge(number, head, how).await;
        assert!(
            matches!(&unclear, PushAnswer::NoAnswer { words } if words.contains("Could not update")),
            "{unclear:?}"
        );
        assert_eq!(place.tip("staging"), Some(theirs));
        place.watch.assert_good(6);
    }
}

#[tokio::test]
async fn only_a_merged_request_is_a_move() {
    let place = Place::new().await;
    let (number, head) = ready(&place).await;
    place.state().lazy = true;
    let unclear = place.merge(number, head, MergeHow::FastForward).await;
    assert!(matches!(&unclear, PushAnswer::NoAnswer { words } if words.contains("opened")), "{unclear:?}");
    assert_eq!((place.tip("staging"), place.calls("PUT")), (Some(place.root), 1));
    place.watch.assert_good(6);
    for word in ["locked", "opened", "closed", "new word"] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.faults.plan("merge_requests/1/merge", Fault::changed(move |body| body["state"] = json!(word)), 1);
        let unclear = place.merge(number, head, MergeHow::FastForward).await;
        assert!(matches!(unclear, PushAnswer::NoAnswer { .. }), "{word}: {unclear:?}");
    }
}

#[tokio::test]
async fn a_target_that_moved_before_is_not_merged_into() {
    for (method, how) in [("ff", MergeHow::FastForward), ("merge", MergeHow::MergeCommit)] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.state().settings.method = method;
        let theirs = place.push("hotfix", "theirs");
        let says_ready = Fault::changed(|body| body["detailed_merge_status"] = json!("mergeable"));
        place.set("staging", theirs);
        place.faults.plan("merge_requests/1", says_ready, 1);
        let lost = place.forge().merge(&repo(), number, &branch("staging"), place.root, head, how).await;
        assert!(matches!(&lost, PushAnswer::LostRace { words } if words.contains("target")), "{lost:?}");
        let other = place.forge().merge(&repo(), number, &branch("master"), place.root, head, how).await;
        assert!(matches!(other, PushAnswer::Refused { .. }), "{other:?}");
        assert_eq!((place.tip("staging"), place.calls("PUT")), (Some(theirs), 0));
        place.watch.assert_good(4);
    }
}

#[tokio::test]
async fn while_the_server_computes_it_is_asked_again_later() {
    for detailed in [true, false] {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.state().tells.detailed_merge_status = detailed;
        place.state().checking = 2;
        for _ in 0..2 {
            let later = place.merge(number, head, MergeHow::FastForward).await;
            assert!(matches!(&later, PushAnswer::NotSent { words } if words.contains("checking")), "{later:?}");
            assert_eq!((place.tip("staging"), place.calls("PUT")), (Some(place.root), 0));
        }
        assert_eq!(place.merge(number, head, MergeHow::FastForward).await, PushAnswer::Moved);
        place.watch.assert_good(8);
    }
}

#[tokio::test]
async fn refusals_say_why_and_change_nothing() {
    type Spoil = fn(&Place);
    let table: [(&str, Spoil); 6] = [
        ("unauthorized", |place| place.state().protect("staging", &["ana"], &["ana"])),
        ("ci_must_pass", |place| place.state().settings.must_succeed = true),
        ("not_approved", |place| place.state().request(1).says = Some("not_approved")),
        ("draft_status", |place| place.state().request(1).title = "Draft: x".to_owned()),
        ("closed", |place| place.state().close("ana", 1)),
        ("conflict", |place| {
            place.push("staging", "a");
            place.state().repo.commit(&[place.root], "clash", &[("a", "other")]);
            let clash = place.tip("clash").expect("there");
            place.set("staging", clash);
        }),
    ];
    for (words, spoil) in table {
        let place = Place::new().await;
        let (number, head) = ready(&place).await;
        place.state().settings.method = "merge";
        spoil(&place);
        let before = place.tip("staging");
        let refused = place.merge(number, head, MergeHow::MergeCommit).await;
        let told = matches!(&refused, PushAnswer::Refused { words: said } if said.to_lowercase().contains(words));
        assert!(told, "{words}: {refused:?}");
        assert_eq!(place.tip("staging"), before);
        place.watch.assert_good(3);
    }
}

#[tokio::test]
async fn there_is_one_comment_of_ours_and_others_are_left_alone() {
    let place = Place::new().await;
    let (number, _) = ready(&place).await;
    {
        let mut state = place.state();
        state.page_max = 1;
        state.note("eve", number, "<!-- mark --> mine", false);
        state.note("towpath", number, "<!-- mark --> by GitLab itself", true);
    }
    let forge = place.forge();
    for text in ["<!-- mark --> one", "<!-- mark --> two", "<!-- mark --> two"] {
        forge.comment(&repo(), number, "<!-- mark -->", text).await.expect("said");
    }
    let mut state = place.state();
    let notes: Vec<_> = state.request(number).notes.iter().map(|n| (n.by.clone(), n.body.clone())).collect();
    let of = |by: &str, text: &str| (by.to_owned(), text.to_owned());
    let expected = [
        of("eve", "<!-- mark --> mine"),
        of("towpath", "<!-- mark --> by GitLab itself"),
        of("towpath", "<!-- mark --> two"),
    ];
    assert_eq!(notes, expected);
    drop(state);
    assert_eq!(
        (place.calls("PUT"), place.calls("POST /api/v4/projects/shop%2Fback%2Fcheckout/merge_requests/1")),
        (1, 1)
    );
    place.watch.assert_good(12);
}

/// Everything that GitLab tells of a commit's pipelines but those of our own reference.
fn pipelines(place: &Place, commit: CommitId) -> Vec<(u64, String, &'static str, usize)> {
    let state = place.state();
    let of = state.pipelines.iter().filter(|pipeline| pipeline.sha == commit && pipeline.on != "towpath-status");
    of.map(|p| (p.id, p.source.clone(), state.status_of(p), state.jobs_of(p.id).len())).collect()
}

fn line(state: StatusState, description: &str) -> StatusLine {
    StatusLine {
        context: "towpath/checkout/staging".to_owned(),
        state,
        description: description.to_owned(),
        url: Some("https://towpath.example/x".to_owned()),
    }
}

#[tokio::test]
async fn a_status_of_ours_leaves_every_pipeline_that_is_read_as_it_was() {
    let place = Place::new().await;
    let head = place.push("towpath/checkout/staging", "a");
    {
        let mut state = place.state();
        state.settings.must_succeed = true;
        state.ran(head, "develop", "build", "success");
        state.ran(head, "towpath/checkout/staging", "build", "success");
        state.pipeline("push", head, "broken", "failed");
    }
    let forge = place.forge();
    let number = forge.open(&repo(), &proposal()).await.expect("opened");
    let read = async || {
        let checks = forge.checks(&repo(), head).await.expect("read");
        checks.into_iter().map(|c| (c.name, c.origin, c.on, c.state)).collect::<Vec<_>>()
    };
    let (before, seen) = (pipelines(&place, head), read().await);
    assert_eq!(seen.iter().filter(|check| check.3 == CiState::Red).count(), 1);
    for (state, word) in
        [(StatusState::Pending, "pending"), (StatusState::Failure, "failed"), (StatusState::Success, "success")]
    {
        forge.status(&repo(), head, &line(state, &"é".repeat(400))).await.expect("written");
        let job = place.state().jobs.last().cloned().expect("a job");
        let described = job.description.unwrap_or_default().chars().count();
        assert_eq!((job.status.as_str(), described, job.name.as_str()), (word, 255, "towpath/checkout/staging"));
        assert_eq!((pipelines(&place, head), read().await), (before.clone(), seen.clone()), "{word}");
        let request = place.state().request(number).clone();
        assert_eq!(place.state().mergeable(&request), "mergeable", "{word}");
    }
    assert_eq!(place.state().pipelines.iter().filter(|p| p.source == "external").count(), 1, "one for all");
    assert_eq!(place.merge(number, head, MergeHow::FastForward).await, PushAnswer::Moved);
    place.watch.assert_good(20);
    // What would have been without a reference of our own: the very same GitLab, asked the plain way.
    let place = Place::new().await;
    let head = place.push("develop", "a");
    place.state().ran(head, "develop", "build", "success");
    let before = pipelines(&place, head);
    let url = format!("{}/api/v4/projects/1/statuses/{head}", place.url);
    let plain = json!({ "name": "towpath/checkout/staging", "state": "pending" });
    let sent = reqwest::Client::new().post(url).bearer_auth("token-of-towpath").json(&plain).send().await;
    assert_eq!(sent.expect("answered").status(), 201);
    assert_ne!(pipelines(&place, head), before, "the test can fail");
}

#[tokio::test]
async fn a_status_that_is_so_is_not_written_again() {
    let place = Place::new().await;
    let forge = place.forge();
    let write = async |state, text: &str| forge.status(&repo(), place.root, &line(state, text)).await;
    for text in ["waits", "waits still"] {
        write(StatusState::Pending, text).await.expect("written");
    }
    assert_eq!(place.calls("POST"), 1, "GitLab refuses to go from pending to pending");
    for text in ["landed", "landed", "landed twice"] {
        write(StatusState::Success, text).await.expect("written");
    }
    assert_eq!(place.calls("POST"), 3);
    let nowhere: CommitId = "1".repeat(40).parse().expect("an id");
    let refused = forge.status(&repo(), nowhere, &line(StatusState::Pending, "")).await;
    assert!(matches!(refused, Err(CallFault::Refused { .. })), "{refused:?}");
    let refused = place.forge_as("eve").status(&repo(), place.root, &line(StatusState::Failure, "")).await;
    assert!(matches!(refused, Err(CallFault::Refused { .. })), "{refused:?}");
    place.watch.assert_good(10);
}

#[tokio::test(flavor = "multi_thread")]
async fn git_over_http_obeys_protection_and_leases() {
    let place = Place::new().await;
    let new = place.push("develop", "a");
    place.state().protect("staging", &["towpath"], &[]);
    let url = place.forge().git_url(&repo());
    assert_eq!(url, format!("{}/{PATH}.git", place.url));
    let dir = place.state().repo.dir.clone();
    let push = |name: &str, old: CommitId| {
        let login = base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:token-of-{name}"));
        let header = format!("http.extraHeader=Authorization: Basic {login}");
        let (lease, spec) =
            (format!("--force-with-lease=refs/heads/staging:{old}"), format!("{new}:refs/heads/staging"));
        let args = ["-c", &header, "push", "--porcelain", "--atomic", &lease, &url, &spec];
        git_command(&dir).args(args).output().expect("git runs")
    };
    let refused = push("ana", place.root);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && words.contains("protected branches"), "{words}");
    assert_eq!(place.tip("staging"), Some(place.root));
    assert!(!push("towpath", new).status.success(), "a lease on another commit");
    assert!(!push("stranger", place.root).status.success());
    assert_eq!(place.tip("staging"), Some(place.root));
    let output = push("towpath", place.root);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.tip("staging"), Some(new));
}
