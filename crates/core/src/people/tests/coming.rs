//! Whose commits a heads-up is about.

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::super::authors::Author;
use super::super::coming::{concerned, oldest_of, writers};
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

/// `ana! 9 7` is called for her commits 9 and 7; without `!` only named.
fn said(usual: Mention, commits: &[Coming]) -> Vec<String> {
    let people = people();
    let of = |one: super::super::coming::Concerned<'_>| {
        let commits: Vec<String> = one.commits.iter().map(|id| id.as_bytes()[0].to_string()).collect();
        format!("{}{} {}", name(&one.author), if one.called { "!" } else { "" }, commits.join(" "))
    };
    concerned(&people, &forges(), usual, commits).into_iter().map(of).collect()
}

#[test]
fn each_once_and_called_as_they_want() {
    let commits = [
        commit(9, "Ana", "ana@x.example"),
        commit(8, "Bo", "BO@x.example"),
        commit(7, "Ana at home", "ana@home.example"),
        commit(6, "cy", "cy@x.example"),
        commit(5, "di", "di@x.example"),
        commit(4, "Ana K", "7+ana-k@users.noreply.github.com"),
        commit(3, "eva", "eva@x.example"),
    ];
    for (usual, eva) in [
        (Mention::Never, "eva 3"),
        (Mention::Problems, "eva 3"),
        (Mention::HeadsUp, "eva! 3"),
        (Mention::All, "eva! 3"),
    ] {
        assert_eq!(said(usual, &commits), ["ana! 9 7 4", "bo! 8", "cy 6", "di 5", eva], "{usual:?}");
    }
    assert!(said(Mention::All, &[]).is_empty());
}

#[test]
fn machines_are_never_called_and_strangers_as_is_usual() {
    let commits = [
        commit(9, "renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com"),
        commit(8, "Zoe", "zoe@y.example"),
        commit(7, "Zoe", "other@y.example"),
        commit(6, "Z.", "ZOE@y.example"),
        commit(5, "nobody", ""),
        commit(4, "no one", ""),
        commit(3, "nobody", ""),
    ];
    assert_eq!(
        said(Mention::All, &commits),
        [
            "bot renovate[bot] 9",
            "stranger Zoe! 8 6",
            "stranger Zoe! 7",
            "stranger nobody! 5 3",
            "stranger no one! 4"
        ]
    );
    let calm = said(Mention::Problems, &commits);
    assert!(calm.iter().all(|one| !one.contains('!')), "{calm:?}");
    // A machine that is a person of the config is asked what it wants, like any other.
    let helper = [commit(1, "helper[bot]", "1+helper[bot]@users.noreply.github.com")];
    assert_eq!(said(Mention::Never, &helper), ["helper! 1"]);
}

#[test]
fn hold_mine_holds_the_oldest_of_theirs() {
    let people = people();
    let commits = [
        commit(9, "Ana", "ana@x.example"),
        commit(8, "Bo", "bo@x.example"),
        commit(7, "Ana", "ana@home.example"),
        commit(6, "Ana", "ana@evil.example"),
    ];
    let oldest = |name: &str| {
        let card = people.named(name).unwrap();
        oldest_of(card, &people, &forges(), &commits).map(|one| one.id.as_bytes()[0])
    };
    assert_eq!((oldest("ana"), oldest("bo"), oldest("cy")), (Some(7), Some(8), None));
}

#[test]
fn who_wrote_it_as_well_is_as_much_its_author() {
    let (people, forges) = (people(), forges());
    let wrote = |commit: &Coming| -> Vec<String> {
        writers(&people, &forges, &Mailmap::default(), commit).iter().map(name).collect()
    };
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
fn who_wrote_it_as_well_is_called_and_holds_as_the_author_does() {
    let commits = [
        with(commit(9, "Bo", "bo@x.example"), &[("Eva", "eva@x.example"), ("Cy", "cy@x.example")]),
        with(commit(8, "Zoe", "zoe@y.example"), &[("Ana", "ana@home.example")]),
        commit(7, "Eva", "eva@x.example"),
        with(commit(6, "Cy", "cy@x.example"), &[("Ana", "ana@x.example"), ("Ana", "ana@x.example")]),
    ];
    assert_eq!(said(Mention::HeadsUp, &commits), ["bo! 9", "eva! 9 7", "cy 9 6", "stranger Zoe! 8", "ana! 8 6"]);
    let people = people();
    let oldest = |name: &str| {
        let card = people.named(name).unwrap();
        oldest_of(card, &people, &forges(), &commits).map(|one| one.id.as_bytes()[0])
    };
    assert_eq!([oldest("ana"), oldest("bo"), oldest("eva"), oldest("di")], [Some(6), Some(9), Some(7), None]);
}

proptest! {
    #[test]
    fn everybody_is_named_and_only_who_wants_it_called(
        who in proptest::collection::vec((0..8usize, any::<u8>()), 0..10),
        author in ".{0,12}",
    ) {
        const MAILS: [&str; 8] = [
            "ana@x.example", "bo@x.example", "cy@x.example", "di@x.example", "eva@x.example", "x-bot@y.example",
            "zoe@y.example", "",
        ];
        let commits: Vec<Coming> = who.iter().map(|(at, n)| commit(*n, &author, MAILS[*at])).collect();
        let people = people();
        let all = concerned(&people, &forges(), Mention::Problems, &commits);
        prop_assert_eq!(all.iter().map(|one| one.commits.len()).sum::<usize>(), commits.len());
        for one in all {
            let wants = matches!(&one.author, Author::Person(card) if card.mention >= Some(Mention::HeadsUp));
            prop_assert_eq!(one.called, wants);
            if let Author::Person(card) = &one.author {
                let oldest = oldest_of(card, &people, &forges(), &commits).map(|oldest| oldest.id);
                prop_assert_eq!(oldest, one.commits.last().copied());
            }
        }
        prop_assert!(people.cards().iter().all(|card| oldest_of(card, &people, &forges(), &[]).is_none()));
    }
}
