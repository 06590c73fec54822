//! Whose account an address in a commit is: what each forge tells of it, how often it is asked, and for how long that is
//! remembered. What chats make of it is in `whole/account.rs`.

use serde_json::json;
use towpath::forge::{Forge as _, RepoPath};
use towpath_core::model::{CommitId, Span};
use towpath_core::people::Mailmap;
use towpath_core::people::accounts::{Accounts, Signature};

use super::e2e::{Day, EXAMPLES};
use super::gitea::faults::Fault;
use super::hosts::{Gitea, Host as _};
use super::{gitea, github, gitlab};

#[tokio::test]
async fn github_tells_the_author_first_and_the_others_by_their_address() {
    let world = github::World::new().await;
    let message = "A change\n\nCo-authored-by: B <Bo@home.example>\nCo-authored-by: O <olga@home.example>\n";
    let author = "Ana <ana@home.example>";
    let one = world.server.state().repo.commit_as(&[world.b], "develop", &[("f", "1")], message, author);
    let told = |users: &[Option<&str>]| {
        let users = users.iter().map(|login| login.map(str::to_owned)).collect();
        world.server.state().authors.insert(one, users);
    };
    let asked = async |co_author| world.forge.author(&world.repo, one, co_author).await.expect("told");
    told(&[Some("ana"), Some("bo"), None]);
    for (co_author, login) in [
        (None, Some("ana")),
        (Some("bo@HOME.example"), Some("bo")),
        (Some("olga@home.example"), None),
        (Some("eve@home.example"), None),
        (Some(""), None),
    ] {
        assert_eq!(asked(co_author).await.as_deref(), login, "{co_author:?}");
    }
    // Nobody moves up into the place of an author who has no account.
    told(&[None, Some("bo"), Some("olga")]);
    assert_eq!((asked(None).await, asked(Some("olga@home.example")).await.as_deref()), (None, Some("olga")));
    let nowhere = "1".repeat(40).parse().expect("an id");
    assert_eq!(world.forge.author(&world.repo, nowhere, None).await.expect("told"), None);
    world.forge.author(&RepoPath::new("shop/other"), one, None).await.expect_err("there is no such repository");
    world.server.assert_good(0, 9);
}

#[tokio::test]
async fn gitea_and_gitlab_tell_the_author_and_gitlab_whose_an_address_is_that_they_show() {
    let place = gitea::Place::new().await;
    let commit = |author: &str| {
        let state = place.state();
        state.repo.commit_as(&[place.root], "develop", &[("f", "1")], "A change", author)
    };
    let (bo, nobody) = (commit("B <Bo@Example.com>"), commit("B <bo@home.example>"));
    let forge = place.forge();
    let repo = gitea::repo();
    assert_eq!(forge.author(&repo, bo, None).await.expect("told").as_deref(), Some("bo"));
    assert_eq!(forge.author(&repo, nobody, None).await.expect("told"), None);
    assert_eq!(
        forge.author(&repo, bo, Some("bo@example.com")).await.expect("told"),
        None,
        "it has no such question"
    );
    let place = gitlab::Place::new().await;
    let commits = ["one", "two"].map(|file| place.push("develop", file));
    place.state().authors.insert(commits[0], "bo".to_owned());
    place.state().shown.insert("ana".to_owned(), "ana@home.example".to_owned());
    let (forge, repo) = (place.forge(), gitlab::repo());
    assert_eq!(forge.author(&repo, commits[0], None).await.expect("told").as_deref(), Some("bo"));
    assert_eq!(forge.author(&repo, commits[1], None).await.expect("told"), None);
    let ana = forge.author(&repo, commits[1], Some("Ana@home.example")).await.expect("told");
    assert_eq!(ana.as_deref(), Some("ana"), "by what she shows to everybody");
    place.faults.plan("/api/graphql", Fault::changed(|body| *body = json!({ "errors": [] })), 9);
    forge.author(&repo, commits[1], None).await.expect_err("not known is not nobody's");
}

/// The example on a Gitea, with that at the end of the config.
async fn day(more: &str) -> Day<Gitea> {
    Day::<Gitea>::new(EXAMPLES[1], |text| text + more).await
}

const MAREK: &str = "\n[people.marek]\nidentities = [\"forge:forgejo/bo\", \"mail:marek@example.com\"]\n";

/// Commits of that many people, and how they signed them.
fn commits(day: &Day<Gitea>, count: usize) -> Vec<Signature> {
    let one = |at: usize| {
        let (name, email) = (format!("Person {at}"), format!("P{at}@private.example"));
        let commit = day.host.with(|repo| {
            let parent = repo.tip("develop").expect("a branch");
            repo.commit_as(&[parent], "develop", &[("f", &at.to_string())], "Change", &format!("{name} <{email}>"))
        });
        Signature { commit, name, email, co_author: false }
    };
    (0..count).map(one).collect()
}

async fn asked(day: &Day<Gitea>, signed: &[Signature]) -> (Accounts, usize) {
    let (before, flow) = (day.host.asked_for_authors(), &day.setup.config.flows[0].flow.name);
    let told = day.setup.world.accounts(flow, &Mailmap::default(), signed).await;
    (told, day.host.asked_for_authors() - before)
}

fn has(accounts: &Accounts, signed: &[Signature]) -> Vec<Option<String>> {
    signed.iter().map(|one| accounts.of(&one.email).map(|(_, login)| login.to_owned())).collect()
}

#[tokio::test]
async fn ten_are_asked_for_at_once_and_each_is_remembered() {
    let day = day(MAREK).await;
    let signed = commits(&day, 25);
    signed.iter().step_by(2).for_each(|one| day.host.attributes(one.commit, Some("bo")));
    for (calls, known) in [(10, 5), (10, 10), (5, 13), (0, 13)] {
        let (told, asked) = asked(&day, &signed).await;
        let known_now = has(&told, &signed).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!((asked, known_now.len()), (calls, known));
        assert!(known_now.iter().all(|login| login == "bo"));
    }
    assert_eq!(asked(&day, &signed).await.0.of("p0@PRIVATE.example"), Some(("forgejo", "bo")));
    // For those who only look as well.
    let view = day.setup.viewing(&[]);
    let flow = &view.config.flows[0].flow.name;
    let before = day.host.asked_for_authors();
    let told = view.world.accounts(flow, &Mailmap::default(), &signed).await;
    assert_eq!(
        (has(&told, &signed[..2]), day.host.asked_for_authors()),
        (vec![Some("bo".to_owned()), None], before)
    );
    // What was found for a day, and what was not for an hour.
    day.clock.advance(Span::from_mins(59));
    assert_eq!(asked(&day, &signed).await.1, 0);
    day.clock.advance(Span::from_mins(1));
    assert_eq!(asked(&day, &signed[..6]).await.1, 3, "three of them were nobody's");
    day.clock.advance(Span::from_mins(22 * 60 + 59));
    assert_eq!(asked(&day, &signed[..6]).await.1, 3);
    day.clock.advance(Span::from_mins(1));
    day.host.attributes(signed[0].commit, Some("ana"));
    let (told, calls) = asked(&day, &signed[..1]).await;
    assert_eq!((has(&told, &signed[..1]), calls), (vec![Some("ana".to_owned())], 1));
    day.clock.jump(-3_600_000);
    assert_eq!(asked(&day, &signed[..1]).await.1, 1, "what was told at a time to come was told at none");
    day.host.assert_good(20);
}

#[tokio::test]
async fn nobody_is_asked_for_who_is_known_or_makes_no_difference() {
    let signed = |name: &str, email: &str, commit: CommitId| Signature {
        commit,
        name: name.to_owned(),
        email: email.to_owned(),
        co_author: false,
    };
    let day = day(MAREK).await;
    let one = commits(&day, 1).remove(0);
    day.host.attributes(one.commit, Some("bo"));
    for (name, email, calls) in [
        ("Marek", "MAREK@example.com", 0),
        ("Bo", "bo@noreply.127.0.0.1", 0),
        ("Eve", "eve@noreply.127.0.0.1", 0),
        ("renovate[bot]", "r@home.example", 0),
        ("root", "root", 0),
        ("", "", 0),
        ("\u{1b}[31m", "a\u{202e}b@x y", 0),
        ("Marek", "marek@home.example", 1),
    ] {
        assert_eq!(asked(&day, &[signed(name, email, one.commit)]).await.1, calls, "{name} {email}");
    }
    // Under one address two names, and one question.
    let two = [signed("A", "Same@home.example", one.commit), signed("B", "same@HOME.example ", one.commit)];
    assert_eq!(asked(&day, &two).await.1, 1);
    // By the `.mailmap` of the branch.
    let flow = &day.setup.config.flows[0].flow.name;
    let mailmap = Mailmap::parse("Marek <marek@example.com> <old@home.example>\n");
    let before = day.host.asked_for_authors();
    day.setup.world.accounts(flow, &mailmap, &[signed("M", "old@home.example", one.commit)]).await;
    assert_eq!(day.host.asked_for_authors(), before);
    for people in ["", "\n[people.marek]\nidentities = [\"mail:marek@example.com\"]\n"] {
        let day = self::day(people).await;
        let one = commits(&day, 1);
        day.host.attributes(one[0].commit, Some("bo"));
        assert_eq!(asked(&day, &one).await, (Accounts::default(), 0), "nobody has an account there: {people}");
    }
}

#[tokio::test]
async fn a_co_author_that_the_forge_cannot_tell_is_asked_for_as_an_author_later() {
    let day = day(MAREK).await;
    let one = commits(&day, 1).remove(0);
    day.host.attributes(one.commit, Some("bo"));
    let as_co_author = Signature { co_author: true, ..one.clone() };
    let (told, calls) = asked(&day, std::slice::from_ref(&as_co_author)).await;
    assert_eq!((told.of(&one.email), calls), (None, 0), "Gitea has no such question");
    // As the author of another commit of the same message it is.
    let (told, calls) = asked(&day, &[as_co_author.clone(), one.clone()]).await;
    assert_eq!((told.of(&one.email), calls), (Some(("forgejo", "bo")), 1));
    let (told, calls) = asked(&day, &[as_co_author]).await;
    assert_eq!((told.of(&one.email), calls), (Some(("forgejo", "bo")), 0));
}

#[tokio::test]
async fn a_forge_that_cannot_answer_is_let_be_for_a_while_and_one_that_rests_is_not_asked() {
    let day = day(MAREK).await;
    let signed = commits(&day, 3);
    signed.iter().for_each(|one| day.host.attributes(one.commit, Some("bo")));
    let faults = &day.host.0.faults;
    faults.plan("/git/commits/", Fault::Status(503, "down"), 100);
    let (told, calls) = asked(&day, &signed).await;
    assert!(has(&told, &signed).iter().all(Option::is_none) && calls == 0, "the fault answered: {calls}");
    faults.clear();
    day.clock.advance(Span::from_mins(4));
    assert_eq!(asked(&day, &signed).await.1, 0);
    day.clock.advance(Span::from_mins(1));
    let (told, calls) = asked(&day, &signed[..2]).await;
    assert_eq!((has(&told, &signed[..2]), calls), (vec![Some("bo".to_owned()); 2], 2));
    // It wants no calls now: what is remembered counts.
    faults.plan("/git/commits/", Fault::TooMany(3_600), 1);
    let on = day.setup.world.forge(&day.setup.config.flows[0].flow.name).expect("a forge");
    on.forge.author(&on.repo, signed[2].commit, None).await.expect_err("it is too much");
    assert!(on.forge.rests().is_some());
    let (told, calls) = asked(&day, &signed).await;
    assert_eq!((has(&told, &signed), calls), (vec![Some("bo".to_owned()), Some("bo".to_owned()), None], 0));
}

#[tokio::test]
async fn a_commit_that_the_forge_has_not_keeps_nobody_else_from_being_known() {
    let day = day(MAREK).await;
    let mut signed = commits(&day, 2);
    day.host.attributes(signed[1].commit, Some("bo"));
    signed[0].commit = "1".repeat(40).parse().expect("an id");
    let (told, calls) = asked(&day, &signed).await;
    assert_eq!((has(&told, &signed), calls), (vec![None, Some("bo".to_owned())], 2));
    assert_eq!(asked(&day, &signed).await.1, 0, "both are remembered");
}
