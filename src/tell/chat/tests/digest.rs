//! The last day in one message, and when it is due.

use towpath_core::calendar::Schedule;
use towpath_core::model::{
    Decision, Event, EventRow, MoveKind, Now, OrderId, Pause, PauseKind, Reason, Scope, Span as Time, Tip, Trusted,
    Until, Verdict, Who,
};

use super::super::digest::{Day, Landed, Standing, Stands, Trouble, digest, due, troubles};
use super::*;

fn empty() -> Day {
    Day {
        from: at(-24 * 60),
        zone: Tz::Europe__Warsaw,
        landed: Vec::new(),
        troubles: Vec::new(),
        standing: Vec::new(),
        pauses: Vec::new(),
    }
}

fn standing(how: Stands, headline: &str) -> Standing {
    Standing { flow: "shop".into(), how, headline: headline.to_owned(), as_of: None }
}

fn pause(scope: Scope, kind: PauseKind, until: Until) -> Pause {
    Pause {
        id: OrderId::new("p"),
        kind,
        scope,
        by: towpath_core::model::Actor::new("ana"),
        reason: "db\nmove".to_owned(),
        at: at(0),
        until,
        cause: None,
        began: None,
    }
}

fn lands(env: &str, commits: u32, leads: &[i64]) -> Landed {
    let leads = leads.iter().map(|mins| Time::from_mins(*mins)).collect();
    Landed { flow: "shop".into(), env: env.into(), commits, leads }
}

#[test]
fn a_digest_reads_like_this() {
    let day = Day {
        landed: vec![
            lands("production", 30, &[20, 52, 90]),
            lands("production", 10, &[60]),
            lands("staging", 1, &[]),
        ],
        troubles: vec![
            Trouble { flow: "shop".into(), env: "staging".into(), word: "behind", times: 1, is_over: true },
            Trouble { flow: "shop".into(), env: "production".into(), word: "refused", times: 3, is_over: false },
        ],
        standing: vec![
            standing(Stands::Blocked, "production: blocked: `x` diverged"),
            standing(Stands::OnPeople, "production: waits for approval by `ana`"),
            Standing {
                as_of: Some("as of 07:00 CET (3h ago)".to_owned()),
                ..standing(Stands::OnPeople, "staging: waits for approval by `bo`")
            },
        ],
        pauses: vec![
            pause(Scope::Edge("shop".into(), "production".into()), PauseKind::Pause, Until::At(at(60))),
            pause(Scope::All, PauseKind::Freeze, Until::Resumed),
        ],
        ..empty()
    };
    let wanted = "Since Fri 20 Nov 2026 11:00 CET: 41 commits moved, p50 lead 52m\n\
        *Moved*\n*production* · 40 commits · 2 promotions\n*staging* · 1 commit · 1 promotion\n\
        *Waiting on people*\n*shop* · production: waits for approval by `ana`\n\
        *shop* · staging: waits for approval by `bo` · as of 07:00 CET (3h ago)\n\
        *Blocked*\n*shop* · production: blocked: `x` diverged\n\
        *Paused*\n*production* of *shop* · paused until Sat 21 Nov 2026 12:00 CET · by ana · db move\n\
        *everything* · frozen until resumed · by ana · db move\n\
        *Problems*\n*production* of *shop* · `refused` ×3\n*staging* of *shop* · `behind` · over\n[Status]";
    assert_eq!(plain(&digest(&day).unwrap()), wanted);
}

#[test]
fn nothing_is_no_digest_and_anything_is_one() {
    assert_eq!(digest(&empty()), None);
    let said = digest(&Day { standing: vec![standing(Stands::Blocked, "x")], ..empty() }).unwrap();
    assert!(plain(&said).starts_with("Since Fri 20 Nov 2026 11:00 CET: nothing moved\n"), "{}", plain(&said));
    for day in [
        Day { landed: vec![lands("e", 0, &[])], ..empty() },
        Day { pauses: vec![pause(Scope::All, PauseKind::Pause, Until::Resumed)], ..empty() },
        Day {
            troubles: vec![Trouble { flow: "f".into(), env: "e".into(), word: "behind", times: 1, is_over: true }],
            ..empty()
        },
    ] {
        assert!(digest(&day).is_some());
    }
    let many = Day { standing: vec![standing(Stands::OnPeople, "x"); 25], ..empty() };
    assert!(plain(&digest(&many).unwrap()).contains("\nand 15 more\n"));
}

#[test]
fn the_lead_is_the_middle_one() {
    let lead = |leads: &[i64]| {
        let said = plain(&digest(&Day { landed: vec![lands("e", 1, leads)], ..empty() }).unwrap());
        said.lines().next().and_then(|line| line.split("p50 lead ").nth(1)).map(str::to_owned)
    };
    assert_eq!(lead(&[]), None);
    for (leads, wanted) in [(&[7][..], "7m"), (&[9, 3], "3m"), (&[9, 3, 5], "5m"), (&[100, 1, 2, 90], "2m")] {
        assert_eq!(lead(leads).as_deref(), Some(wanted), "{leads:?}");
    }
}

#[test]
fn what_stands_is_what_people_have_to_see_to() {
    let decision = |verdict| Decision {
        env: "production".into(),
        source: Tip::Absent,
        target: Tip::Absent,
        action: None,
        verdict,
        lead: None,
        beside: Vec::new(),
        unproven: None,
        next: None,
        looked_at: 0,
        waiting: 0,
        oldest: None,
        ahead: None,
    };
    let of = |verdict| Standing::of(&"shop".into(), &decision(verdict), String::new()).map(|one| one.how);
    let wait = |on| of(Verdict::Wait { why: Reason::Nothing, on, until: None });
    assert_eq!(of(Verdict::Pass { why: Reason::UpToDate }), None);
    assert_eq!(of(Verdict::Block { why: Reason::Nothing, who: Who::Time }), Some(Stands::Blocked));
    for on in [Who::Time, Who::Ci, Who::Towpath, Who::Environment("e".into())] {
        assert_eq!(wait(on), None);
    }
    for on in
        [Who::Approvers(Vec::new()), Who::Operator, Who::Remote, Who::Pushers("b".into()), Who::Service("h".into())]
    {
        assert_eq!(wait(on), Some(Stands::OnPeople));
    }
}

#[test]
fn what_went_wrong_is_over_once_it_ended() {
    let row = |env: &str, minute, event| EventRow {
        env: env.into(),
        at: Now { wall: at(minute), trusted: Trusted(0) },
        event,
    };
    let (oldest, since) = (commit(1), at(0));
    let refused = |n| Event::Refused { kind: MoveKind::FastForward, new: commit(n), words: String::new() };
    let lands = |n| Event::Landed { kind: MoveKind::FastForward, old: commit(1), new: commit(n) };
    let rewound = |n| Event::Rewound { lost: commit(n), kept: commit(1), hold: None, paused: true };
    let blocked = || {
        let why = Reason::TargetAbsent { branch: "master".into() };
        let verdict = Box::new(Verdict::Block { why, who: Who::Pushers("master".into()) });
        Event::Blocked { commit: None, verdict, since }
    };
    let found = troubles(
        &"shop".into(),
        &[
            row("a", 0, Event::Behind { oldest, since }),
            row("a", 1, Event::CaughtUp { oldest, since }),
            row("b", 2, refused(2)),
            row("b", 3, refused(2)),
            row("b", 4, lands(2)),
            row("c", 5, refused(2)),
            row("c", 6, refused(3)),
            row("c", 7, lands(3)),
            row("d", 8, rewound(4)),
            row("d", 9, Event::PutBack { lost: commit(4), now: commit(5) }),
            row("d", 10, rewound(4)),
            row("e", 11, lands(2)),
            row("f", 12, blocked()),
            row("f", 13, blocked()),
            row("f", 14, Event::Unblocked { since }),
            row("g", 15, blocked()),
        ],
    );
    let rows: Vec<_> = found.iter().map(|one| (one.env.as_str(), one.word, one.times, one.is_over)).collect();
    let wanted = [
        ("a", "behind", 1, true),
        ("b", "refused", 2, true),
        ("c", "refused", 2, false),
        ("d", "rewound", 2, false),
        ("f", "blocked", 2, true),
        ("g", "blocked", 1, false),
    ];
    assert_eq!(rows, wanted);
}

#[test]
fn a_digest_is_due_once_a_slot() {
    // Nine in Warsaw is eight in UTC; the start is at ten.
    let schedule = Schedule::parse("0 9 * * Mon-Fri", None, Tz::Europe__Warsaw).unwrap();
    let monday: i64 = 2 * 24 * 60 - 120;
    let minute = |minutes| at(monday + minutes);
    // The first only in a slot.
    assert_eq!(due(None, &schedule, minute(-1)), None);
    assert_eq!(due(None, &schedule, minute(0)), Some(minute(-24 * 60)));
    assert_eq!(due(None, &schedule, minute(9)), Some(minute(9 - 24 * 60)));
    assert_eq!(due(None, &schedule, minute(10)), None);
    // Then once for each slot, however late; from when the last one was.
    let friday = minute(-3 * 24 * 60);
    assert_eq!(due(Some(friday), &schedule, minute(-1)), None);
    assert_eq!(due(Some(friday), &schedule, minute(0)), Some(friday));
    assert_eq!(due(Some(friday), &schedule, minute(300)), Some(friday));
    assert_eq!(due(Some(minute(0)), &schedule, minute(1)), None);
    assert_eq!(due(Some(minute(300)), &schedule, minute(24 * 60)), Some(minute(300)));
    // After a long silence, a week.
    assert_eq!(due(Some(minute(-60 * 24 * 60)), &schedule, minute(5)), Some(minute(5 - 7 * 24 * 60)));
    // A wall that went back: not again today, and not never.
    assert_eq!(due(Some(minute(60)), &schedule, minute(0)), None);
    assert_eq!(due(Some(minute(100 * 24 * 60)), &schedule, minute(0)), Some(minute(-24 * 60)));
}
