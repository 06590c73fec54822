//! Whose accounts the authors of many commits have: in few calls, and in words that are true where they are too many.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Moves;
use towpath::engine::forges::OnForge;
use towpath::forge::client::{Client, Options};
use towpath::forge::gitlab::GitLab;
use towpath::forge::{AUTHORS_MAX, Forge as _, RepoPath};
use towpath::secret::Secret;
use towpath_core::explain::Words;
use towpath_core::model::{Actor, CommitId, Fact, Instant, Mends, Span, Unknown, UnknownWhy};

use super::e2e::Day;
use super::gitea::faults::Fault;
use super::hosts::{Gitea, Host as _};
use super::{gitea, github, gitlab};
use crate::support::git_fixture::Planned;

/// The ids of that many commits that are nowhere.
fn nowhere(count: usize) -> Vec<CommitId> {
    (1..=count).map(|at| format!("{at:040x}").parse().expect("an id")).collect()
}

fn too_many(unknown: &Unknown, most: u64) {
    assert_eq!(unknown.why, UnknownWhy::ManyAuthors { commits: most + 1, most });
    assert_eq!(unknown.mends, Mends::Person);
}

/// That many commits of Bo's, the newest first, whose dates are as many minutes apart.
fn line(place: &gitea::Place, count: usize, every: i64) -> Vec<CommitId> {
    let planned: Vec<Planned> = (0..count)
        .map(|at| Planned {
            parents: if at == 0 { vec![] } else { vec![at - 1] },
            date: 1_700_000_000 + 60 * every * i64::try_from(at).expect("few"),
            text: format!("{at} of those every {every}"),
        })
        .collect();
    let mut made = place.state().repo.import(&planned);
    made.reverse();
    made
}

fn logins(of: &[&str]) -> std::collections::BTreeSet<Actor> {
    of.iter().map(|name| Actor::new(*name)).collect()
}

#[tokio::test]
async fn gitea_tells_authors_where_their_address_is_somebodys() {
    let place = gitea::Place::new().await;
    let mut commits: Vec<CommitId> = (0..5).map(|at| place.push("develop", &format!("f{at}"))).collect();
    commits.reverse();
    place.state().authors.insert(commits[3], Some("bo".to_owned()));
    let forge = place.forge();
    let found = forge.authors(&gitea::repo(), &commits).await.expect("read");
    assert_eq!((found.logins, found.unlinked), (logins(&["ana", "bo"]), false));
    // By the address that git has, which nobody's account has.
    let stranger = {
        let state = place.state();
        state.repo.commit_as(&[commits[0]], "develop", &[("g", "g")], "A change", "Ana <ana@home.example>")
    };
    let with: Vec<CommitId> = [stranger].into_iter().chain(commits.iter().copied()).collect();
    for some in [&with[..], &with[..1], &with[..2]] {
        assert!(forge.authors(&gitea::repo(), some).await.expect("read").unlinked, "{some:?}");
    }
    let found = forge.authors(&gitea::repo(), &[]).await.expect("nothing to read");
    assert_eq!((found.logins.len(), found.unlinked), (0, false));
    let nowhere = nowhere(4);
    forge.authors(&gitea::repo(), &[commits[0], nowhere[0]]).await.expect_err("it is not there");
    forge.authors(&gitea::repo(), &nowhere).await.expect_err("they are not there");
    place.watch.assert_good(9);
}

#[tokio::test]
async fn gitea_tells_those_of_many_commits_in_few_calls() {
    let place = gitea::Place::new().await;
    let commits = line(&place, 260, 1);
    place.state().authors.insert(commits[230], Some("ana".to_owned()));
    let forge = place.forge();
    let found = forge.authors(&gitea::repo(), &commits[..240]).await.expect("read");
    assert_eq!((found.logins, found.unlinked), (logins(&["ana", "bo"]), false));
    assert_eq!((place.calls("/commits?sha="), place.calls("/git/commits/")), (5, 0), "fifty on a page");
    place.state().authors.insert(commits[239], None);
    assert!(forge.authors(&gitea::repo(), &commits[..240]).await.expect("read").unlinked);
    // Two lines that do not contain each other, and by their dates go in and out of one another.
    let other = line(&place, 60, 2);
    let both: Vec<CommitId> = commits[..60].iter().chain(&other).copied().collect();
    let before = place.calls("/commits");
    let found = forge.authors(&gitea::repo(), &both).await.expect("read");
    assert_eq!((found.logins, found.unlinked), (logins(&["bo"]), false));
    assert!(place.calls("/commits") - before <= 5, "two pages for each, and not one for each commit");
    place.watch.assert_good(12);
}

/// Commits that the list does not bring, for whatever reason, are asked for by themselves.
#[tokio::test]
async fn gitea_is_not_believed_to_have_told_what_a_page_lacks() {
    let place = gitea::Place::new().await;
    let commits = line(&place, 70, 1);
    let known = || async { place.forge().authors(&gitea::repo(), &commits).await };
    place.state().authors.insert(commits[60], None);
    for (what, at, change) in [
        ("no page", "page=2", Fault::changed(|body| *body = json!([]))),
        ("null", "page=2", Fault::changed(|body| *body = json!(null))),
        ("other commits", "page=", Fault::changed(|body| body[0]["sha"] = json!("f".repeat(40)))),
        ("no ids", "page=2", Fault::changed(|body| body[10]["sha"] = json!(""))),
    ] {
        place.faults.plan(at, change, 1_000);
        let found = known().await.unwrap_or_else(|unknown| panic!("{what}: {unknown:?}"));
        assert_eq!((found.logins, found.unlinked), (logins(&["bo"]), true), "{what}");
        place.faults.clear();
    }
    for (what, change) in [
        ("down", Fault::Status(503, "down")),
        ("half of it", Fault::Truncated),
        ("a text", Fault::changed(|body| *body = json!("soon"))),
        ("no id at all", Fault::changed(|body| drop(body[0].as_object_mut().expect("a commit").remove("sha")))),
        ("an author of another type", Fault::changed(|body| body[0]["author"] = json!("bo"))),
    ] {
        place.faults.plan("page=2", change, 3);
        assert!(known().await.is_err(), "{what}");
        place.faults.clear();
    }
}

#[tokio::test]
async fn of_too_many_commits_nothing_is_asked_and_their_number_is_said() {
    let (gitea, gitlab, github) =
        (gitea::Place::new().await, gitlab::Place::new().await, github::World::new().await);
    let all = nowhere(AUTHORS_MAX + 1);
    let most = u64::try_from(AUTHORS_MAX).expect("few");
    too_many(&gitea.forge().authors(&gitea::repo(), &all).await.expect_err("too many"), most);
    too_many(&gitlab.forge().authors(&gitlab::repo(), &all[..1_001]).await.expect_err("too many"), 1_000);
    let on = OnForge { forge: Arc::new(github.forge), repo: RepoPath::new("shop/checkout"), moves: Moves::Api };
    let Fact::Unknown(unknown) = on.authors(&all).await else { panic!("they are too many") };
    too_many(&unknown, most);
    let asked = github.server.state().asked.len();
    assert_eq!((gitea.calls("/"), gitlab.calls("/"), asked), (0, 0, 0));
}

#[tokio::test]
async fn gitlab_is_asked_once_an_hour_for_an_author_that_it_knows() {
    let place = gitlab::Place::new().await;
    let commits: Vec<CommitId> = (0..125).map(|at| place.push("develop", &format!("f{at}"))).collect();
    {
        let mut state = place.state();
        for (at, commit) in commits.iter().enumerate().filter(|(at, _)| *at != 60) {
            state.authors.insert(*commit, if at == 124 { "bo" } else { "ana" }.to_owned());
        }
    }
    let clock = ManualClock::new(Instant(1_795_255_200_000));
    let options =
        Options { deadline: Duration::from_secs(5), backoff: Duration::from_millis(1), ..Options::default() };
    let client = Client::new(options, Clock::System).expect("a client");
    let token = Secret::new("token-of-towpath".to_owned());
    let forge = GitLab::new(&place.url, Some(&token), client, Clock::Manual(clock.clone())).expect("a forge");
    let asked = async || {
        let before = place.calls("/api/graphql");
        let found = forge.authors(&gitlab::repo(), &commits).await.expect("read");
        assert_eq!(found.logins, logins(&["ana", "bo"]));
        (place.calls("/api/graphql") - before, found.unlinked)
    };
    assert_eq!(asked().await, (13, true), "ten at once");
    clock.advance(Span::from_mins(59));
    assert_eq!(asked().await, (1, true), "whom it does not know somebody may have made known");
    place.state().authors.insert(commits[60], "ana".to_owned());
    assert_eq!(asked().await, (1, false));
    assert_eq!(asked().await, (0, false));
    clock.advance(Span::from_mins(1));
    assert_eq!(asked().await, (13, false), "accounts are renamed");
    clock.jump(-600_000);
    assert_eq!(asked().await.0, 13, "what was told at a time to come was told at none");
    place.watch.assert_good(41);
}

/// A commit whose author's address is that of no account makes the approvals of its request wait, and says which
/// commit that is and what helps; when the address is somebody's, they count.
#[tokio::test]
async fn a_commit_by_nobody_that_the_forge_knows_is_named_with_its_address() {
    let day = Day::<Gitea>::new("docplanner-gitea.toml", |text| text).await;
    let place = &day.host.0;
    let root = day.host.tip("master");
    let one = {
        let mut state = place.state();
        let parent = state.repo.tip("develop").expect("develop");
        let author = "Jan <Jan@home.example>";
        let one = state.repo.commit_as(&[parent], "develop", &[("one", "one")], "Change of Jan's", author);
        state.notice();
        one
    };
    day.green(one);
    day.looks(15).await;
    assert_eq!(day.host.tip("staging"), one);
    day.host.approve("bo", day.host.number(1));
    let pass = day.looks(40).await;
    assert_eq!(day.host.tip("master"), root, "nobody knows whether Bo is Jan");
    let flow = &day.setup.config.flows[0].flow;
    let words = Words { zone: flow.zone, now: pass.seen.now.wall, flow, remote_word: "origin", lasting: false };
    let plan = pass.after.as_ref().unwrap_or(&pass.plan);
    let decision = plan.decisions.last().expect("of production");
    let said = words.explain(decision);
    let text = format!("{} {:?}", words.verdict(&decision.verdict), said.todo);
    for part in
        [&one.short().to_string(), "jan@home.example", "no account", "authors = \\\"allow\\\"", "in their settings"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Jan adds the address to an account.
    place.state().authors.insert(one, Some("ana".to_owned()));
    day.looks(5).await;
    assert_eq!(day.host.tip("master"), one);
    day.host.assert_good(40);
}
