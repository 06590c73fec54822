//! What time alone will let in, and when.

use towpath_core::calendar::{Schedule, Windows};
use towpath_core::model::{
    ArrivalHow, CheckRef, Checks, CiGate, CiState, Decision, Gate, HttpVerdict, LagGate, NamedCheck, OrderId,
    Override, Pause, PauseKind, Promote, Scope, Until, Waiting,
};

use crate::given::{Given, decided, from_now, green, item, key};
use crate::kit::{ZONE, arrived, c, http, mins, minutes, number, said, waiting};
use towpath_core::model::{Fact, GateKind, MergeBy, Via};

fn lag(minutes: i64) -> Gate {
    Gate::Lag(LagGate { length: mins(minutes), since: None })
}

fn ci() -> Gate {
    let build = NamedCheck { name: "build".into(), on: CheckRef::Any };
    Gate::Ci(CiGate { checks: Checks::Named(vec![build]), missing_after: None })
}

fn window(allow: &[&str], deny: &[&str]) -> Gate {
    let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    Gate::Window(Windows::parse(&texts(allow), &texts(deny), ZONE).expect("a window"))
}

fn schedule(cron: &str, catch_up: i64) -> Gate {
    Gate::Schedule(Schedule::parse(cron, Some(mins(catch_up)), ZONE).expect("a cron"))
}

fn there(id: u32, minutes_ago: i64) -> Waiting {
    Waiting { arrival: Some(arrived(minutes_ago, ArrivalHow::Seen)), ..waiting(id) }
}

/// `2 at +8m, 1 at +3m; next +5m`.
fn ahead(decision: &Decision) -> String {
    let Some(ahead) = &decision.ahead else { return "-".to_owned() };
    let soon: Vec<String> =
        ahead.soon.iter().map(|soon| format!("{} at {}", number(soon.commit), from_now(soon.at))).collect();
    let soon = if soon.is_empty() { "nothing".to_owned() } else { soon.join(", ") };
    soon + &ahead.next.map(|next| format!("; next {}", from_now(next))).unwrap_or_default()
}

/// With ten minutes' notice.
fn check(name: &str, given: &Given, expect: &str) {
    let given = given.clone().but(|given| given.flow.environments[1].heads_up = Some(mins(10)));
    assert_eq!(ahead(&decided(&given)), expect, "{name}");
}

#[test]
fn a_lag() {
    for (name, commits, expect) in [
        ("far off", vec![there(1, 0)], "nothing; next +20m"),
        ("just not yet", vec![there(1, 19)], "nothing; next +1m"),
        ("now", vec![there(1, 20)], "1 at +10m"),
        ("a minute left", vec![there(1, 29)], "1 at +1m"),
        ("over", vec![there(1, 30)], "nothing"),
        ("each its own", vec![there(3, 10), there(2, 22), there(1, 25)], "2 at +8m, 1 at +5m; next +10m"),
        ("one moves, the next is near", vec![there(2, 27), there(1, 30)], "2 at +3m"),
        ("a newer one that came earlier takes the rest along", vec![there(2, 25), there(1, 22)], "2 at +5m"),
        ("likewise between two", vec![there(3, 25), there(2, 22), there(1, 29)], "3 at +5m, 1 at +1m"),
        ("at the same time", vec![there(2, 25), there(1, 25)], "2 at +5m"),
        (
            "the nearest two are told, the rest has time",
            vec![there(3, 1), there(2, 2), there(1, 21)],
            "1 at +9m; next +18m",
        ),
    ] {
        check(name, &Given::new(vec![lag(30)], commits), expect);
    }
    check("nothing waits for it", &Given::new(vec![], vec![there(1, 0)]), "nothing");
    let untold = Given::new(vec![lag(30)], vec![there(1, 25)]);
    assert_eq!(ahead(&decided(&untold)), "-", "where nobody asked for it");
}

#[test]
fn nothing_but_time_may_be_left() {
    let of = |state| Given::new(vec![ci(), lag(30)], vec![there(1, 25)]).ci(1, vec![item("build", "", state)]);
    check("green", &of(CiState::Green), "1 at +5m");
    check("running", &of(CiState::Running), "nothing");
    check("red", &of(CiState::Red), "nothing");
    check("none", &Given::new(vec![ci(), lag(30)], vec![there(1, 25)]), "nothing");
    let newer = Given::new(vec![ci(), lag(30)], vec![there(3, 21), there(2, 22), there(1, 25)]);
    let newer = newer.ci(1, vec![green("build", 9)]).ci(3, vec![green("build", 9)]);
    check("those beside the lead are judged whole", &newer, "3 at +9m, 1 at +5m");
    let red = newer.ci(3, vec![item("build", "", CiState::Red)]);
    check("and what is not green does not come", &red, "1 at +5m");
    let since = Gate::Lag(LagGate { length: mins(30), since: Some("deploy".into()) });
    let since = Given::new(vec![since], vec![there(2, 90), there(1, 90)]);
    check("not begun", &since, "nothing");
    check("from a check", &since.clone().ci(1, vec![green("deploy", 24)]), "1 at +6m");
    let given = Given::new(vec![lag(30)], vec![Waiting { arrival: None, ..waiting(1) }]);
    check("no arrival", &given, "nothing");
}

#[test]
fn who_is_stopped_is_not_told_of() {
    let given = || Given::new(vec![lag(30)], vec![there(2, 24), there(1, 25)]);
    let stop = |kind, until| {
        given().but(|given| {
            given.seen.standing.pauses.push(Pause {
                id: "p".into(),
                kind,
                scope: Scope::All,
                by: "os:ana@a".into(),
                reason: "r".to_owned(),
                at: minutes(-1).wall,
                until,
                cause: None,
                began: None,
            });
        })
    };
    for kind in [PauseKind::Pause, PauseKind::Freeze] {
        check("until resumed", &stop(kind, Until::Resumed), "nothing");
        let ahead = stop(kind, Until::At(minutes(3).wall));
        check("for three minutes", &ahead, "nothing");
    }
    let held = |at: usize| {
        given().but(|given| {
            use towpath_core::model::{Held, Hold};
            given.seen.standing.holds.push(Hold {
                id: "h".into(),
                what: Held::Commit(c(9)),
                flow: None,
                env: None,
                by: "os:ana@a".into(),
                reason: "r".to_owned(),
                at: minutes(-1).wall,
                fixed_by: None,
            });
            given.graph().waiting[..=at].iter_mut().for_each(|w| w.holds.push("h".into()));
        })
    };
    check("the newest is held", &held(0), "1 at +5m");
    check("both are", &held(1), "nothing");
    let flying =
        given().but(|given| given.seen.edges[0].in_flight = Some(crate::kit::intent("staging", 1, Some(1))));
    check("a push is under way", &flying, "nothing");
    let promoted = given().but(|given| {
        let (by, reason) = ("os:ana@a".into(), "r".to_owned());
        let (at, until) = (minutes(-1).wall, minutes(59).wall);
        let (flow, env) = ("shop".into(), "staging".into());
        given.seen.standing.promotes.push(Promote {
            id: "o".into(),
            flow,
            env,
            commit: c(1),
            by,
            reason,
            at,
            until,
        });
    });
    check("somebody said promote: the other follows in its time", &promoted, "2 at +6m");
}

#[test]
fn when_the_calendar_lets_it_in() {
    // It is Tuesday, 10:00.
    let given = |gates: Vec<Gate>, ago| Given::new([vec![lag(30)], gates].concat(), vec![there(1, ago)]);
    let opens = |text: &str| window(&[text], &[]);
    check("opens later", &given(vec![opens("Mon-Fri 10:07-16:00")], 25), "1 at +7m");
    check("opens before", &given(vec![opens("Mon-Fri 10:02-16:00")], 25), "1 at +5m");
    check("shuts before", &given(vec![opens("Mon-Fri 09:00-10:04")], 25), "nothing; next +1370m");
    check("shuts at that instant", &given(vec![opens("Mon-Fri 09:00-10:05")], 25), "nothing; next +1370m");
    check("shuts after", &given(vec![opens("Mon-Fri 09:00-10:06")], 25), "1 at +5m");
    check("never opens", &given(vec![window(&[], &["2026-01-01/2999-12-31"])], 25), "nothing");
    check("a slot later", &given(vec![schedule("7 10 * * *", 5)], 25), "1 at +7m");
    check("in a slot", &given(vec![schedule("2 10 * * *", 5)], 25), "1 at +5m");
    check("behind a slot", &given(vec![schedule("1 10 * * *", 2)], 25), "nothing; next +1431m");
    let used = given(vec![schedule("55 9 * * *", 20)], 25);
    check("in a slot that is free", &used, "1 at +5m");
    let used = used.but(|given| given.seen.edges[0].last_move = Some(minutes(-4).wall));
    check("in one that is used", &used, "nothing; next +1425m");
    let both = vec![schedule("*/7 * * * *", 1), opens("Mon-Fri 10:08-16:00")];
    check("a slot within the window", &given(both, 25), "nothing; next +4m");
    let two = Given::new(vec![lag(30), schedule("2 10 * * *", 9)], vec![there(2, 25), there(1, 29)]);
    check("one promotion in a slot", &two, "1 at +2m");
    check("quiet", &given(vec![Gate::Quiet(mins(30))], 26), "1 at +4m");
}

#[test]
fn what_was_overridden_is_taken_to_be_open() {
    let given = Given::new(vec![lag(30), window(&["Mon-Fri 12:00-16:00"], &[])], vec![there(1, 25)]);
    check("shut", &given, "nothing; next +110m");
    let given = given.but(|given| {
        given.seen.standing.overrides.push(Override {
            id: OrderId::from("o"),
            gate: GateKind::Window,
            flow: "shop".into(),
            env: "staging".into(),
            commit: c(1),
            by: "os:ana@a".into(),
            reason: "r".to_owned(),
            at: minutes(-1).wall,
            until: minutes(59).wall,
            request: None,
            accepts: Default::default(),
        });
    });
    check("overridden", &given, "1 at +5m");
}

#[test]
fn a_server_that_is_asked_last_is_taken_to_let_pass() {
    let given = Given::new(vec![lag(30), http()], vec![there(1, 25)]);
    check("not asked yet", &given, "1 at +5m");
    let over = Given::new(vec![lag(30), http()], vec![there(1, 35)]);
    let waits = over.but(|given| {
        let wait = HttpVerdict::Wait { until: Some(minutes(5).wall) };
        given.all.http.insert(key("staging", 1), Fact::Known(said(wait)));
    });
    check("and its wait is no matter of time", &waits, "nothing");
}

#[test]
fn only_what_the_request_is_for() {
    use towpath_core::model::{OpenRequest, Proposed, Requests, Tip, Ways};
    let given = |head: u32, merge: MergeBy| {
        let given = Given::new(vec![window(&["Mon-Fri 10:05-16:00"], &[])], vec![there(2, 60), there(1, 60)]);
        given.but(|given| {
            given.flow.environments[1].via = Via::MergeRequest;
            given.flow.environments[1].request.merge = merge;
            given.seen.edges[0].proposed = Some(Proposed {
                pushed: None,
                asked: None,
                head: c(head),
                before: None,
                at: minutes(-9),
                confirmed: Some(minutes(-9)),
                passed_over: None,
                announced: Some(7),
                until: None,
            });
            let open = OpenRequest {
                number: 7,
                url: String::new(),
                head: c(head),
                draft: false,
                objections: Vec::new(),
                approvals: Vec::new(),
            };
            let ways = Ways { push: false, fast_forward: true, merge_commit: true };
            let requests = Requests { branch: Tip::At(c(head)), open: Some(open), closed: None, ways };
            given.all.requests.insert("staging".into(), Fact::Known(requests));
        })
    };
    check("it waits for the window", &given(2, MergeBy::Towpath), "2 at +5m");
    check("people merge", &given(2, MergeBy::Person), "nothing");
    check("the head is about to move", &given(1, MergeBy::Towpath), "nothing");
}
