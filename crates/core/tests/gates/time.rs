//! The gates of time: `lag`, `quiet`, `window`, `schedule`.

use towpath_core::calendar::{Schedule, Windows};
use towpath_core::model::{
    ArrivalHow, Check, CiItem, CiState, Decision, EdgeSeen, Fact, Gate, GateKind, Instant, LagFrom, LagGate, Now,
    Observation, Reason, Trusted, Unknown, UnknownWhy, Verdict, Waiting,
};

use crate::given::{Given, check, decided, green, item, lead_says};
use crate::kit::{NOW, ZONE, arrived, c, mins, minutes, waiting};

fn lag(minutes: i64, since: Option<&str>) -> Gate {
    Gate::Lag(LagGate { length: mins(minutes), since: since.map(Into::into) })
}

fn there(id: u32, minutes_ago: i64) -> Waiting {
    Waiting { arrival: Some(arrived(minutes_ago, ArrivalHow::Seen)), ..waiting(id) }
}

fn window(allow: &[&str], deny: &[&str]) -> Gate {
    let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    Gate::Window(Windows::parse(&texts(allow), &texts(deny), ZONE).expect("a window"))
}

fn schedule(cron: &str, catch_up: i64) -> Gate {
    Gate::Schedule(Schedule::parse(cron, Some(mins(catch_up)), ZONE).expect("a cron"))
}

#[test]
fn lag_from_arrival() {
    for (name, commit, expect) in [
        ("just there", there(1, 0), "1 lag wait lag-not-over on time until +30m"),
        ("half way", there(1, 12), "1 lag wait lag-not-over on time until +18m"),
        ("a minute left", there(1, 29), "1 lag wait lag-not-over on time until +1m"),
        ("exactly over", there(1, 30), "1 moves"),
        ("long over", there(1, 3_000), "1 moves"),
        ("from the future", there(1, -5), "1 lag wait lag-not-over on time until +35m"),
        ("not known", Waiting { arrival: None, ..waiting(1) }, "1 lag wait unknown on towpath"),
    ] {
        check(name, &Given::new(vec![lag(30, None)], vec![commit]), expect);
    }
    check("no lag at all", &Given::new(vec![lag(0, None)], vec![there(1, 0)]), "1 moves");
}

/// The lag counts on the trusted clock: a wall that jumped changes nothing but what is written.
#[test]
fn lag_ignores_the_wall() {
    for jump in [-7_200_000, 0, 7_200_000] {
        let given = Given::new(vec![lag(30, None)], vec![there(1, 29)]);
        let given = given.but(|given| given.seen.now.wall = Instant(NOW.wall.0 + jump));
        let decision = decided(&given);
        assert_eq!(decision.verdict.word(), "wait", "the wall jumped by {jump} ms");
        assert_eq!(decision.next, Some(Instant(NOW.wall.0 + jump + 60_000)));
    }
}

/// Arrival and check are said by name, with the instant as people read it.
#[test]
fn lag_says_what_it_counts_from() {
    let from = |how: ArrivalHow, since: Option<&str>| {
        let commit = Waiting { arrival: Some(arrived(5, how)), ..waiting(1) };
        let given = Given::new(vec![lag(30, since)], vec![commit]).ci(1, vec![green("deploy", 3)]);
        match decided(&given).verdict {
            Verdict::Wait { why: Reason::LagNotOver { since, from, .. }, .. } => (since, from),
            other => panic!("{other:?}"),
        }
    };
    let arrival = minutes(-5).wall;
    assert_eq!(from(ArrivalHow::Landed, None), (arrival, LagFrom::Arrival));
    assert_eq!(from(ArrivalHow::Seen, None), (arrival, LagFrom::Arrival));
    assert_eq!(from(ArrivalHow::FirstSight, None), (arrival, LagFrom::FirstSight));
    let check = LagFrom::Check("deploy".into());
    assert_eq!(from(ArrivalHow::Seen, Some("deploy")), (minutes(-3).wall, check));
}

#[test]
fn lag_since_a_check() {
    let given =
        |ago: i64, items: Vec<CiItem>| Given::new(vec![lag(30, Some("deploy"))], vec![there(1, ago)]).ci(1, items);
    let waits = |left: i64| format!("1 lag wait lag-not-over on time until +{left}m");
    let elsewhere = |name: &str, ago| CiItem { on: Some("feature/x".into()), ..green(name, ago) };
    for (name, given, expect) in [
        ("green after arrival", given(60, vec![green("deploy", 10)]), waits(20)),
        ("green before arrival", given(10, vec![green("deploy", 60)]), waits(20)),
        ("both long ago", given(30, vec![green("deploy", 30)]), "1 moves".to_owned()),
        ("arrival over, green not", given(300, vec![green("deploy", 29)]), waits(1)),
        ("green over, arrival not", given(29, vec![green("deploy", 300)]), waits(1)),
        ("not reported", given(60, Vec::new()), "1 lag wait lag-not-begun on ci".to_owned()),
        ("another check", given(60, vec![green("build", 60)]), "1 lag wait lag-not-begun on ci".to_owned()),
        (
            "running",
            given(60, vec![item("deploy", "", CiState::Running)]),
            "1 lag wait lag-not-begun on ci".to_owned(),
        ),
        (
            "green on two other branches, the first counts",
            given(90, vec![elsewhere("deploy", 5), elsewhere("deploy", 40)]),
            "1 moves".to_owned(),
        ),
        ("green on the source last", given(90, vec![green("deploy", 5), elsewhere("deploy", 40)]), waits(25)),
        (
            "red on the source",
            given(90, vec![item("deploy", "", CiState::Red), elsewhere("deploy", 40)]),
            "1 lag wait lag-not-begun on ci".to_owned(),
        ),
    ] {
        check(name, &given, &expect);
    }
    let unknown = given(60, Vec::new()).but(|given| {
        given.all.ci.insert(c(1), Fact::Unknown(Unknown::passing(UnknownWhy::NotAnswered)));
    });
    check("not learned", &unknown, "1 lag wait unknown on towpath");
    let no_arrival = given(60, vec![green("deploy", 60)]).but(|given| given.graph().waiting[0].arrival = None);
    check("no arrival", &no_arrival, "1 lag wait unknown on towpath");
}

/// The one gate that a newer commit resets: every candidate answers as the newest does.
#[test]
fn quiet_counts_from_the_newest() {
    let given = |ages: &[i64]| {
        let commits = (1..).zip(ages).map(|(id, ago)| there(id, *ago)).collect();
        Given::new(vec![Gate::Quiet(mins(10))], commits)
    };
    check("one, long ago", &given(&[10]), "1 moves");
    check("one, just now", &given(&[0]), "1 quiet wait not-quiet on time until +10m");
    check("all long ago", &given(&[11, 60, 90]), "1 moves");
    check("the newest resets", &given(&[4, 60, 90]), "1 quiet wait not-quiet on time until +6m");
    check("a second short", &given(&[9, 60]), "1 quiet wait not-quiet on time until +1m");
    let lost = given(&[4, 60]).but(|given| given.graph().waiting[0].arrival = None);
    check("the newest arrival is not known", &lost, "1 quiet wait unknown on towpath");
}

#[test]
fn window_is_read_on_the_wall() {
    // Tuesday, 10:00.
    let given = |gate: Gate| Given::new(vec![gate], vec![waiting(1)]);
    for (name, gate, expect) in [
        ("open", window(&["Mon-Fri 09:00-16:00"], &[]), "1 moves"),
        ("opens now", window(&["Tue 10:00-11:00"], &[]), "1 moves"),
        ("closes now", window(&["Tue 09:00-10:00"], &[]), "1 window wait window-closed on time until +10020m"),
        ("later today", window(&["Tue 12:00-13:00"], &[]), "1 window wait window-closed on time until +120m"),
        ("one of two", window(&["Sun", "Tue 09:59-10:01"], &[]), "1 moves"),
        ("denied until midnight", window(&[], &["Tue"]), "1 window wait window-closed on time until +840m"),
        ("deny wins", window(&["Tue"], &["Tue 10:00-10:30"]), "1 window wait window-closed on time until +30m"),
        ("nothing denied now", window(&[], &["Wed"]), "1 moves"),
        ("over for good", window(&["2025-01-01/2025-02-01"], &[]), "1 window block window-closed on operator"),
    ] {
        check(name, &given(gate), expect);
    }
    let jumped = given(window(&["Tue 12:00-13:00"], &[])).but(|given| {
        given.seen.now = Now { wall: minutes(125).wall, trusted: Trusted(0) };
    });
    assert_eq!(lead_says(&jumped, Check::Gate(GateKind::Window)), "pass window-open");
}

#[test]
fn schedule_lets_one_in_a_slot() {
    let daily = |gate: Gate, last: Option<i64>| {
        Given::new(vec![gate], vec![waiting(2), waiting(1)])
            .but(|given| given.seen.edges[0].last_move = last.map(|at| minutes(at).wall))
    };
    let ten = || schedule("0 10 * * *", 20);
    let used = "2 schedule wait no-slot on time until +1440m";
    for (name, gate, last, expect) in [
        ("the instant itself", ten(), None, "2 moves"),
        ("used by the last move", ten(), Some(0), used),
        ("the last move was before", ten(), Some(-1), "2 moves"),
        ("still to be caught up", schedule("45 9 * * *", 20), None, "2 moves"),
        (
            "used a minute after",
            schedule("45 9 * * *", 20),
            Some(-14),
            "2 schedule wait no-slot on time until +1425m",
        ),
        ("used by the one before", schedule("45 9 * * *", 20), Some(-16), "2 moves"),
        ("over", schedule("40 9 * * *", 20), None, "2 schedule wait no-slot on time until +1420m"),
        ("the next is soon", schedule("0,30 9,10 * * *", 5), Some(0), "2 schedule wait no-slot on time until +30m"),
    ] {
        check(name, &daily(gate, last), expect);
    }
}

#[test]
fn a_used_slot_is_told_apart_from_none() {
    let says = |cron: &str, last: Option<i64>| {
        let given = Given::new(vec![schedule(cron, 20)], vec![waiting(1)])
            .but(|given| given.seen.edges[0].last_move = last.map(|at| minutes(at).wall));
        match decided(&given).verdict {
            Verdict::Wait { why: Reason::NoSlot { used, .. }, .. } => used,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(says("0 10 * * *", Some(0)), Some(NOW.wall));
    assert_eq!(says("0 11 * * *", Some(0)), None);
}

/// `next` is the earliest instant of any wait of any candidate, never one that is past.
#[test]
fn next_is_the_earliest_change() {
    let gates = vec![lag(30, None), window(&["Tue 12:00-13:00"], &[])];
    let Decision { next, .. } = decided(&Given::new(gates, vec![there(2, 5), there(1, 20)]));
    assert_eq!(next, Some(minutes(10).wall));
    let Decision { next, .. } = decided(&Given::new(Vec::new(), vec![there(1, 5)]));
    assert_eq!(next, None);
}

/// The verdicts of a candidate stand in the order of the config, whatever fails.
#[test]
fn several_gates_are_all_told() {
    let gates =
        vec![lag(30, None), Gate::Quiet(mins(10)), window(&["Tue 12:00-13:00"], &[]), schedule("0 11 * * *", 5)];
    check(
        "four waits",
        &Given::new(gates, vec![there(1, 5)]),
        "1 lag wait lag-not-over on time until +25m, quiet wait not-quiet on time until +5m, \
         window wait window-closed on time until +120m, schedule wait no-slot on time until +60m",
    );
}

/// Nothing of another edge is looked at.
#[test]
fn edges_are_judged_apart() {
    let given = Given::new(vec![Gate::Quiet(mins(10))], vec![there(1, 60)]).but(|given| {
        given.flow.environments.push(crate::kit::environment("production", vec![lag(30, None)]));
        let busy: EdgeSeen = crate::kit::edge_seen("production", vec![there(1, 1)]);
        given.seen = Observation { edges: vec![given.seen.edges[0].clone(), busy], ..given.seen.clone() };
    });
    check("the first edge", &given, "1 moves");
}
