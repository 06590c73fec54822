//! What is told of each event.

use std::collections::BTreeSet;

use towpath_core::model::{Event, MoveKind, PauseKind, Reason, Scope};
use towpath_core::people::authors::{Authorship, author};

use super::super::told::about;
use super::*;
use crate::tell::events::ROWS;

fn ends(kind: PauseKind, scope: Scope, until: i64) -> Event {
    Event::EndsSoon { kind, scope, by: "ana".into(), reason: "why".to_owned(), until: at(until) }
}

fn refused(kind: MoveKind, new: u8) -> Event {
    Event::Refused { kind, new: commit(new), words: "no".to_owned() }
}

#[test]
fn a_problem_and_what_ends_it_are_about_the_same() {
    let rewound = Event::Rewound { lost: commit(2), kept: commit(1), hold: None, paused: true };
    let put_back = |lost| Event::PutBack { lost: commit(lost), now: commit(7) };
    assert_eq!(about(&rewound), about(&put_back(2)));
    assert_ne!(about(&rewound), about(&put_back(3)));
    let behind = |n| Event::Behind { oldest: commit(n), since: at(i64::from(n)) };
    assert_eq!(about(&behind(1)), about(&Event::CaughtUp { oldest: commit(1), since: at(1) }));
    // The commit that waits longest changes; the environment is behind all the same.
    assert_eq!(about(&behind(1)), about(&behind(2)));
    assert_ne!(about(&refused(MoveKind::FastForward, 1)), about(&refused(MoveKind::FastForward, 2)));
    // A move to a commit looks for what was refused by the commit's whole id.
    assert_eq!(about(&refused(MoveKind::FastForward, 1)), Some(commit(1).to_string()));
    let called_off = Event::CalledOff { old: commit(2), new: commit(1), why: Box::new(Reason::Nothing) };
    assert_eq!(about(&called_off), Some(commit(1).to_string()));
}

#[test]
fn each_pause_is_its_own() {
    let scopes = [
        Scope::All,
        Scope::Flow("all".into()),
        Scope::Flow("a".into()),
        Scope::Flow("a b".into()),
        Scope::Environment("a".into()),
        Scope::Edge("a".into(), "b".into()),
        Scope::Edge("a b".into(), "c".into()),
        Scope::Edge("a".into(), "b c".into()),
    ];
    let mut all = BTreeSet::new();
    for scope in scopes {
        for kind in [PauseKind::Pause, PauseKind::Freeze] {
            for until in [0, 1] {
                assert!(all.insert(about(&ends(kind, scope.clone(), until))), "{scope:?}");
            }
        }
    }
}

#[test]
fn what_can_be_tried_again_or_lifted_is_known_from_the_event() {
    let of = |event: &Event| Told::new(told(event.word(), 0).notice, event, Tz::UTC);
    for row in &ROWS {
        let event = (row.example)();
        let told = of(&event);
        assert_eq!(
            (told.retry, told.resume.is_some()),
            (row.word == "refused", row.word == "pause-ends"),
            "{}",
            row.word
        );
        assert_eq!(told.about, about(&event));
        assert_eq!((told.announced, told.authors.len(), told.compare), (None, 0, None));
    }
    // Towpath does not try a rollback again, nor does `retry`.
    assert!(!of(&refused(MoveKind::Rollback, 1)).retry);
    let scope = Scope::Edge("f".into(), "e".into());
    assert_eq!(of(&ends(PauseKind::Pause, scope.clone(), 1)).resume, Some(scope));
}

#[test]
fn authors_are_people_bots_or_strangers() {
    let people = people();
    let wrote =
        |name, email| Wrote::from(&author(&people, &[], &Authorship { name, email, ..Authorship::default() }));
    assert_eq!(wrote("A. N. A.", "ana@example.com"), Wrote::Person("ana".to_owned()));
    // The name alone says nothing.
    assert_eq!(wrote("ana", "evil@example.com"), Wrote::Stranger("ana".to_owned()));
    assert_eq!(wrote("dependabot[bot]", "x@example.com"), Wrote::Bot("dependabot[bot]".to_owned()));
}
