//! Who is called.

use super::super::mention::{Calls, Cause, MENTIONS_MAX};
use super::*;

const CAUSES: [Option<Cause>; 4] = [None, Some(Cause::Problem), Some(Cause::HeadsUp), Some(Cause::Landed)];

fn id(settings: &Settings<'_>, wrote: &Wrote, cause: Option<Cause>) -> Option<String> {
    match Calls::new(settings, cause).span(wrote) {
        Span::Person { id, .. } => id,
        _ => None,
    }
}

fn person(name: &str) -> Wrote {
    Wrote::Person(name.to_owned())
}

#[test]
fn each_is_called_for_what_they_want() {
    let people = people();
    let settings = settings(&people);
    // For nothing, problems, heads-ups, what landed.
    let table = [
        ("ana", [None, Some("UANA"), None, None]),
        ("marek", [None, Some("UMAREK"), Some("UMAREK"), None]),
        ("zoe", [None, Some("UZOE"), Some("UZOE"), Some("UZOE")]),
        ("quiet", [None; 4]),
        ("elsewhere", [None; 4]),
        ("gone", [None; 4]),
    ];
    for (name, wanted) in table {
        assert_eq!(
            CAUSES.map(|cause| id(&settings, &person(name), cause)),
            wanted.map(|id| id.map(str::to_owned)),
            "{name}"
        );
    }
}

#[test]
fn the_default_is_for_those_who_say_nothing() {
    let people = people();
    let called = |mention| {
        let settings = Settings { mention, ..settings(&people) };
        CAUSES.map(|cause| id(&settings, &person("ana"), cause).is_some())
    };
    assert_eq!(called(Mention::Never), [false; 4]);
    assert_eq!(called(Mention::Problems), [false, true, false, false]);
    assert_eq!(called(Mention::HeadsUp), [false, true, true, false]);
    assert_eq!(called(Mention::All), [false, true, true, true]);
    let never = Settings { mention: Mention::Never, ..settings(&people) };
    assert_eq!(id(&never, &person("zoe"), Some(Cause::Landed)).as_deref(), Some("UZOE"));
}

#[test]
fn ids_are_those_of_the_platform_and_team() {
    let people = people();
    let all = |platform, team| {
        let settings = Settings { platform, team, mention: Mention::All, ..settings(&people) };
        ["ana", "marek", "zoe", "elsewhere"].map(|name| id(&settings, &person(name), Some(Cause::Problem)))
    };
    let some = |id: &str| Some(id.to_owned());
    assert_eq!(all(Platform::Slack, Some("T2")), [None, some("UOTHER"), some("UZOE"), some("UELSE")]);
    // Two ids and no team: nobody could tell which.
    assert_eq!(all(Platform::Slack, None), [some("UANA"), None, some("UZOE"), some("UELSE")]);
    assert_eq!(all(Platform::Mattermost, Some("t")), [some("ana26"), None, None, None]);
}

#[test]
fn bots_and_strangers_are_never_called() {
    let people = people();
    let settings = Settings { mention: Mention::All, ..settings(&people) };
    // Not even by the name of somebody who is known.
    for cause in CAUSES {
        assert_eq!(Calls::new(&settings, cause).span(&Wrote::Bot("zoe".to_owned())), Span::Text("zoe".to_owned()));
        let stranger = Span::Person { name: "zoe".to_owned(), id: None };
        assert_eq!(Calls::new(&settings, cause).span(&Wrote::Stranger("zoe".to_owned())), stranger);
    }
    let nameless = Span::Person { name: "somebody".to_owned(), id: None };
    assert_eq!(Calls::new(&settings, None).span(&Wrote::Stranger(" \n".to_owned())), nameless);
}

#[test]
fn each_is_called_once_and_not_too_many() {
    let cards: Vec<PersonCard> =
        (0..20).map(|n| card(&format!("p{n}"), None, &[&format!("slack:T1/U{n}")])).collect();
    let people = People::new(cards).unwrap();
    let settings = settings(&people);
    let mut calls = Calls::new(&settings, Some(Cause::Problem));
    let mut called = 0;
    for n in (0..20).chain(0..20) {
        let span = calls.span(&person(&format!("p{n}")));
        called += usize::from(matches!(span, Span::Person { id: Some(_), .. }));
    }
    assert_eq!(called, MENTIONS_MAX);
    let mut calls = Calls::new(&settings, Some(Cause::Problem));
    let twice = [calls.span(&person("p1")), calls.span(&person("p1"))];
    assert_eq!(twice.map(|span| matches!(span, Span::Person { id: Some(_), .. })), [true, false]);
}

#[test]
fn what_is_over_and_what_is_many_calls_nobody() {
    let people = people();
    let settings = Settings { mention: Mention::All, ..settings(&people) };
    let authors = vec![person("ana"), person("zoe")];
    let problem = Told { authors: authors.clone(), ..told("behind", 0) };
    let over = Told { authors, ..told("caught-up", 5) };
    let mut chat = Chat::default();
    chat.tell(&[due("a", &problem)], at(0), &settings);
    assert!(plain(&chat.shown[0].1).contains("@ana:UANA, @zoe:UZOE"));
    chat.tell(&[due("b", &over)], at(5), &settings);
    let said = plain(&chat.shown[0].1);
    assert!(said.contains("ana, zoe") && !said.contains('@'), "{said}");
}
