//! Whose commits a heads-up is about.

use proptest::prelude::{any, prop_assert_eq, proptest};

use super::super::accounts::{Accounts, Known};
use super::super::authors::Author;
use super::super::coming::{theirs, writers};
use super::super::{ForgeHost, ForgeKind, Mailmap, Mention, People, PersonCard, Role};
use crate::model::{CoAuthor, Coming, CommitId};

fn forges() -> Vec<ForgeHost> {
    vec![ForgeHost { name: "gh".to_owned(), host: "github.com".to_owned(), kind: ForgeKind::GitHub }]
}

fn people() -> People {
    let card = |name: &str, identities: &[&str], mention| PersonCard {
        name: name.to_owned(),
        role: Role::Developer,
        identities: identities.iter().map(|text| text.parse().unwrap()).collect(),
        mention,
    };
    People::new(vec![
        card("ana", &["mail:ana@x.example", "mail:ana@home.example", "forge:gh/ana-k"], Some(Mention::HeadsUp)),
        card("bo", &["mail:bo@x.example"], Some(Mention::All)),
        card("cy", &["mail:cy@x.example"], Some(Mention::Problems)),
        card("di", &["mail:di@x.example"], Some(Mention::Never)),
        card("eva", &["mail:eva@x.example"], None),
        card("helper", &["forge:gh/helper[bot]"], Some(Mention::All)),
    ])
    .unwrap()
}

fn commit(n: u8, author: &str, email: &str) -> Coming {
    let id = CommitId::from_bytes([n; 20]);
    let (author, email, subject) = (author.to_owned(), email.to_owned(), format!("change {n}"));
    Coming { id, author, email, co_authors: Vec::new(), subject }
}

/// The same commit, written by these as well.
fn with(commit: Coming, others: &[(&str, &str)]) -> Coming {
    let co_author =
        |(name, email): &(&str, &str)| CoAuthor { name: (*name).to_owned(), email: (*email).to_owned() };
    Coming { co_authors: others.iter().map(co_author).collect(), ..commit }
}

fn name(author: &Author<'_>) -> String {
    match author {
        Author::Person(card) => card.name.clone(),
        Author::Bot { name } => format!("bot {name}"),
        Author::Stranger { name, .. } => format!("stranger {name}"),
    }
}

/// By whom each commit is, without a `.mailmap`.
fn by(commits: &[Coming]) -> Vec<String> {
    by_told(commits, &Accounts::default())
}

/// The same, where the forge said that.
fn by_told(commits: &[Coming], accounts: &Accounts) -> Vec<String> {
    let (people, forges, mailmap) = (people(), forges(), Mailmap::default());
    let known = Known { people: &people, forges: &forges, mailmap: &mailmap, accounts };
    let of = |one: &Coming| -> Vec<String> { writers(&known, one).iter().map(name).collect() };
    commits.iter().map(|one| of(one).join(" with ")).collect()
}

/// Which of these commits are of that person.
fn of(who: &str, mailmap: &Mailmap, commits: &[Coming]) -> Vec<u8> {
    of_told(who, (mailmap, &Accounts::default()), commits)
}

/// The same, where the forge said that.
fn of_told(who: &str, (mailmap, accounts): (&Mailmap, &Accounts), commits: &[Coming]) -> Vec<u8> {
    let (people, forges) = (people(), forges());
    let card = people.named(who).unwrap();
    let known = Known { people: &people, forges: &forges, mailmap, accounts };
    theirs(card, &known, commits).iter().map(|one| one.id.as_bytes()[0]).collect()
}

#[test]
fn each_by_their_address_and_by_nothing_else() {
    let commits = [
        commit(9, "Ana", "ana@x.example"),
        commit(8, "Bo", "BO@x.example"),
        commit(7, "Ana at home", "ana@home.example"),
        commit(6, "cy", "cy@x.example"),
        commit(4, "Ana K", "7+ana-k@users.noreply.github.com"),
        commit(3, "renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com"),
        commit(2, "ana", "other@y.example"),
        commit(1, "nobody", ""),
    ];
    let wanted = ["ana", "bo", "ana", "cy", "ana", "bot renovate[bot]", "stranger ana", "stranger nobody"];
    assert_eq!(by(&commits), wanted);
    // A machine that is a person of the config is one.
    assert_eq!(by(&[commit(1, "helper[bot]", "1+helper[bot]@users.noreply.github.com")]), ["helper"]);
    assert!(by(&[]).is_empty());
}

#[test]
fn hold_mine_holds_what_is_theirs_and_nothing_else() {
    let none = Mailmap::default();
    let commits = [
        commit(9, "Ana", "ana@x.example"),
        commit(8, "Bo", "bo@x.example"),
        commit(7, "Ana", "ana@home.example"),
        commit(6, "Ana", "ana@evil.example"),
        commit(5, "Ana", ""),
        with(commit(4, "Zoe", "zoe@y.example"), &[("ana", "7+ana-k@users.noreply.github.com")]),
    ];
    assert_eq!(of("ana", &none, &commits), [9, 7, 4]);
    assert_eq!(of("bo", &none, &commits), [8]);
    assert!(of("cy", &none, &commits).is_empty() && of("ana", &none, &[]).is_empty());
    // What the branch's `.mailmap` makes hers is hers as well; it takes nothing from anybody.
    let mailmap = Mailmap::parse("Ana <ana@x.example> <ana@evil.example>\nAna <ana@x.example> <bo@x.example>\n");
    assert_eq!((of("ana", &mailmap, &commits), of("bo", &mailmap, &commits)), (vec![9, 7, 6, 4], vec![8]));
}

#[test]
fn who_wrote_it_as_well_is_as_much_its_author() {
    let (people, forges, mailmap, accounts) = (people(), forges(), Mailmap::default(), Accounts::default());
    let known = Known { people: &people, forges: &forges, mailmap: &mailmap, accounts: &accounts };
    let wrote = |commit: &Coming| -> Vec<String> { writers(&known, commit).iter().map(name).collect() };
    let by_bo = || commit(9, "Bo", "bo@x.example");
    for (others, are) in [
        (&[][..], &["bo"][..]),
        (&[("Zoe", "zoe@y.example"), ("Ana", "ana@x.example")], &["bo", "ana", "stranger Zoe"]),
        // A squash by a forge names the author again, and people by the addresses that it made up.
        (&[("Bo", "BO@x.example"), ("ana", "7+ana-k@users.noreply.github.com")], &["bo", "ana"]),
        (&[("Ana", "ana@home.example"), ("Ana K", "ana@x.example")], &["bo", "ana"]),
        // Machines help, and nobody asks them.
        (&[("renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com")], &["bo"]),
        (&[("Somebody", "noreply@assistant.example"), ("x", "x-bot@y.example")], &["bo"]),
        // Unless the config has one as a person.
        (&[("helper[bot]", "1+helper[bot]@users.noreply.github.com")], &["bo", "helper"]),
        // What is no address is nobody's; a name alone makes nobody a person of the config.
        (
            &[("ana", "ana"), ("", "a b\u{1b}[31m@<x"), ("ana", "ana@evil.example")],
            &["bo", "stranger ana", "stranger ", "stranger ana"],
        ),
    ] {
        assert_eq!(wrote(&with(by_bo(), others)), are, "{others:?}");
    }
    // A machine is named where it is the author, with the people who did it.
    let by_machine = with(commit(8, "renovate[bot]", ""), &[("Di", "di@x.example")]);
    assert_eq!(wrote(&by_machine), ["bot renovate[bot]", "di"]);
}

#[test]
fn who_wrote_it_as_well_holds_as_the_author_does() {
    let commits = [
        with(commit(9, "Bo", "bo@x.example"), &[("Eva", "eva@x.example"), ("Cy", "cy@x.example")]),
        with(commit(8, "Zoe", "zoe@y.example"), &[("Ana", "ana@home.example")]),
        commit(7, "Eva", "eva@x.example"),
        with(commit(6, "Cy", "cy@x.example"), &[("Ana", "ana@x.example"), ("Ana", "ana@x.example")]),
    ];
    let of = |who: &str| of(who, &Mailmap::default(), &commits);
    assert_eq!([of("ana"), of("bo"), of("eva"), of("di")], [vec![8, 6], vec![9], vec![9, 7], vec![]]);
}

#[test]
fn an_address_that_nobody_has_here_is_whose_the_forge_says_it_is() {
    let told = [
        ("Ana@Private.example", "ANA-K"),
        ("shared@y.example", "ana-k"),
        ("bo@x.example", "ana-k"),
        ("zoe@y.example", "zoe"),
        ("zoe@home.example", "zoe"),
        ("deploy@y.example", "renovate[bot]"),
    ];
    let gh = Accounts::new("gh", told.map(|(email, login)| (email.to_owned(), login.to_owned())));
    let commits = [
        commit(9, "A", "ana@private.example"),
        with(commit(8, "Zoe", "zoe@y.example"), &[("A", " ANA@private.example"), ("Z", "Zoe@home.example")]),
        // The config knows better whose it is.
        commit(7, "B", "bo@x.example"),
        commit(6, "D", "deploy@y.example"),
        commit(5, "A", "ana@elsewhere.example"),
    ];
    assert_eq!(by_told(&commits, &gh), ["ana", "stranger Zoe with ana", "bo", "bot D", "stranger A"]);
    let none = Mailmap::default();
    assert_eq!(of_told("ana", (&none, &gh), &commits), [9, 8]);
    assert_eq!(of_told("bo", (&none, &gh), &commits), [7]);
    // An account of the same name on another forge is somebody else.
    let other = Accounts::new("gl", [("ana@private.example".to_owned(), "ana-k".to_owned())]);
    assert_eq!(by_told(&commits[..1], &other), ["stranger A"]);
    assert!(of_told("ana", (&none, &other), &commits).is_empty());
    // What the forge says of the commit goes before what a file makes of it.
    let mailmap = Mailmap::parse("Cy <cy@x.example> <ana@private.example>\n");
    assert_eq!(of_told("ana", (&mailmap, &gh), &commits), [9, 8]);
    assert!(of_told("cy", (&mailmap, &gh), &commits).is_empty());
}

proptest! {
    #[test]
    fn what_is_held_for_somebody_is_of_their_address(
        who in proptest::collection::vec((0..8usize, any::<u8>()), 0..10),
        author in ".{0,12}",
    ) {
        const MAILS: [(&str, &str); 8] = [
            ("ana", "ana@x.example"), ("bo", "bo@x.example"), ("cy", "cy@x.example"), ("di", "di@x.example"),
            ("eva", "eva@x.example"), ("", "x-bot@y.example"), ("", "zoe@y.example"), ("", ""),
        ];
        let commits: Vec<Coming> = who.iter().map(|(at, n)| commit(*n, &author, MAILS[*at].1)).collect();
        for name in ["ana", "bo", "cy", "di", "eva", "helper"] {
            let wanted: Vec<u8> =
                who.iter().filter(|(at, _)| MAILS[*at].0 == name).map(|(_, n)| *n).collect();
            prop_assert_eq!(of(name, &Mailmap::default(), &commits), wanted, "{}", name);
        }
    }
}
