//! What stops: pause, freeze, hold, a push under way or refused.

use towpath_core::model::{Backoff, Graph, Held, Hold, Pause, PauseKind, Reason, Scope, Until, Verdict, Waiting};

use crate::given::{Given, check, decided};
use crate::kit::{c, intent, minutes, waiting};

/// A pause of the edge that ends in so many minutes, or when resumed.
pub fn pause(ends: Option<i64>) -> Pause {
    Pause {
        id: "pause-1".into(),
        kind: PauseKind::Pause,
        scope: Scope::Edge("shop".into(), "staging".into()),
        by: "os:ana@a".into(),
        reason: "because".to_owned(),
        at: minutes(-5).wall,
        until: ends.map_or(Until::Resumed, |at| Until::At(minutes(at).wall)),
        cause: None,
        began: None,
    }
}

pub fn freeze(ends: Option<i64>) -> Pause {
    Pause { kind: PauseKind::Freeze, ..pause(ends) }
}

pub fn hold(id: &str, fixed_by: Option<u32>) -> Hold {
    Hold {
        id: id.into(),
        what: Held::Commit(c(1)),
        flow: Some("shop".into()),
        env: None,
        by: "os:ben@b".into(),
        reason: "bad".to_owned(),
        at: minutes(-5).wall,
        fixed_by: fixed_by.map(c),
    }
}

/// The push of commit `new` was refused a minute ago.
pub fn backoff(new: u32) -> Backoff {
    Backoff {
        flow: "shop".into(),
        env: "staging".into(),
        words: "protected branch".to_owned(),
        count: 2,
        until: minutes(5).wall,
        old: c(900),
        new: c(new),
        policy: "p1".into(),
    }
}

fn paused(pauses: Vec<Pause>) -> Given {
    Given::new(Vec::new(), vec![waiting(1)]).but(|given| given.seen.standing.pauses = pauses)
}

#[test]
fn pauses_reach_their_scope_until_they_end() {
    let stands = "1 pause wait paused on person os:ana@a until +30m";
    let scoped = |scope: Scope| vec![Pause { scope, ..pause(Some(30)) }];
    for (name, pauses, expect) in [
        ("none", vec![], "1 moves"),
        ("this edge", vec![pause(Some(30))], stands),
        ("everything", scoped(Scope::All), stands),
        ("this flow", scoped(Scope::Flow("shop".into())), stands),
        ("another flow", scoped(Scope::Flow("blog".into())), "1 moves"),
        ("this environment everywhere", scoped(Scope::Environment("staging".into())), stands),
        ("another environment everywhere", scoped(Scope::Environment("production".into())), "1 moves"),
        ("another edge", scoped(Scope::Edge("shop".into(), "production".into())), "1 moves"),
        ("that edge of another flow", scoped(Scope::Edge("blog".into(), "staging".into())), "1 moves"),
        ("it ended", vec![pause(Some(-1))], "1 moves"),
        ("it ends now", vec![pause(Some(0))], "1 moves"),
        ("until resumed", vec![pause(None)], "1 pause block paused on person os:ana@a"),
        ("the longest of several", vec![pause(Some(5)), pause(Some(30)), pause(Some(10))], stands),
        (
            "until resumed is longest",
            vec![pause(Some(9_000)), pause(None)],
            "1 pause block paused on person os:ana@a",
        ),
        ("one that ended does not count", vec![pause(Some(-5)), pause(Some(30))], stands),
        ("a freeze", vec![freeze(Some(30))], "1 freeze wait frozen on person os:ana@a until +30m"),
        (
            "both are told",
            vec![pause(Some(30)), freeze(None)],
            "1 freeze block frozen on person os:ana@a, pause wait paused on person os:ana@a until +30m",
        ),
    ] {
        check(name, &paused(pauses), expect);
    }
}

#[test]
fn holds_stop_what_they_cover() {
    let given = |holds: &[&str]| {
        let held =
            |id: u32, holds: &[&str]| Waiting { holds: holds.iter().map(|h| (*h).into()).collect(), ..waiting(id) };
        Given::new(Vec::new(), vec![held(3, holds), held(2, holds), waiting(1)])
            .but(|given| given.seen.standing.holds = vec![hold("hold-a", None), hold("hold-b", Some(2))])
    };
    let held = "hold block held on person os:ben@b";
    check("two are held, the third is not", &given(&["hold-b"]), &format!("1 moves | beside 3 {held} | 2 {held}"));
    check("a hold that was lifted meanwhile", &given(&["hold-gone"]), "3 moves");
    // The oldest hold is told, with the fix that would do.
    let told = |holds: &[&str]| {
        let lone = given(holds).but(|given| {
            *given.graph() = Graph { waiting: given.graph().waiting[..1].to_vec(), ..Graph::default() };
        });
        match decided(&lone).verdict {
            Verdict::Block { why: Reason::Held { hold, fixed_by, .. }, .. } => (hold.to_string(), fixed_by),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(&["hold-b"]), ("hold-b".to_owned(), Some(c(2))));
    assert_eq!(told(&["hold-b", "hold-a"]), ("hold-a".to_owned(), None));
}

#[test]
fn a_refused_push_is_not_repeated_too_soon() {
    let refused = "1 push wait push-refused on remote until +5m";
    for (name, backoff, expect) in [
        ("it stands", backoff(1), refused),
        ("its time has come", Backoff { until: minutes(0).wall, ..backoff(1) }, "1 moves"),
        ("a newer one was refused", backoff(0), refused),
        ("the target moved", Backoff { old: c(899), ..backoff(1) }, "1 moves"),
        ("the config changed", Backoff { policy: "p0".into(), ..backoff(1) }, "1 moves"),
        ("another environment", Backoff { env: "production".into(), ..backoff(1) }, "1 moves"),
        ("another flow", Backoff { flow: "blog".into(), ..backoff(1) }, "1 moves"),
    ] {
        let given =
            Given::new(Vec::new(), vec![waiting(1)]).but(|given| given.seen.standing.backoffs = vec![backoff]);
        check(name, &given, expect);
    }
}

#[test]
fn a_push_under_way_stops_every_candidate() {
    let given = |deadline: Option<i64>| {
        Given::new(Vec::new(), vec![waiting(2), waiting(1)])
            .but(|given| given.seen.edges[0].in_flight = Some(intent("staging", 1, deadline)))
    };
    check("until its deadline", &given(Some(2)), "2 push wait in-flight on towpath until +2m");
    check("without one", &given(None), "2 push wait in-flight on towpath");
    check("past its deadline, until it is settled", &given(Some(-2)), "2 push wait in-flight on towpath until -2m");
    assert_eq!(decided(&given(Some(2))).next, Some(minutes(2).wall));
    assert_eq!(decided(&given(Some(-2))).next, None, "what is past is no reason to look again");
}
