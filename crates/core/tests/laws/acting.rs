//! The act machine: when it pushes, how it recovers, that it ends.

use proptest::prelude::*;
use proptest::sample::select;
use towpath_core::act::{Effect, Input, Outcome, Place, PushAnswer, Why, holds_on, may_begin, next};
use towpath_core::dag::Dag;
use towpath_core::model::{
    Gate, GateKind, Held, Hold, IntentRow, IntentState, MoveKind, Now, Override, Pause, PauseKind, PolicyDigest,
    Promote, Reason, Scope, Standing, Tip, Trusted, Unknown, UnknownWhy, Until,
};

use crate::cases::windows;
use crate::history::{any_history, dag, id, reach};
use crate::kit::{NOW, c, environment, flow, intent, minutes};

const STATES: [IntentState; 7] = [
    IntentState::Saved,
    IntentState::Pushing,
    IntentState::Landed,
    IntentState::Overtaken,
    IntentState::Superseded,
    IntentState::Refused,
    IntentState::Abandoned,
];

fn answers() -> Vec<PushAnswer> {
    let words = || "words".to_owned();
    vec![
        PushAnswer::Moved,
        PushAnswer::UpToDate,
        PushAnswer::Refused { words: words() },
        PushAnswer::LostRace { words: words() },
        PushAnswer::NotSent { words: words() },
        PushAnswer::NoAnswer { words: words() },
    ]
}

fn places() -> Vec<Place> {
    vec![
        Place::Old,
        Place::New,
        Place::Beyond(c(50)),
        Place::Aside(c(51)),
        Place::Elsewhere(c(52)),
        Place::Absent,
        Place::Unknown,
    ]
}

fn any_row() -> impl Strategy<Value = IntentRow> {
    let kind = select(&[MoveKind::FastForward, MoveKind::Rollback][..]);
    let deadline = prop::option::weighted(0.8, -2..3i64);
    (select(&STATES[..]), kind, deadline).prop_map(|(state, kind, deadline)| IntentRow {
        state,
        kind,
        ..intent("staging", 1, deadline)
    })
}

fn any_result() -> impl Strategy<Value = Result<(), Reason>> {
    prop_oneof![3 => Just(Ok(())), 1 => Just(Err(Reason::ConfigChanged))]
}

fn any_input() -> impl Strategy<Value = Input> {
    let read = (select(places()), prop::option::of(select(answers())), -3..3i64);
    prop_oneof![
        Just(Input::New),
        Just(Input::Saved),
        Just(Input::Found),
        any_result().prop_map(Input::Reread),
        any_result().prop_map(Input::Marked),
        select(answers()).prop_map(Input::Pushed),
        read.prop_map(|(place, answer, at)| Input::Read { place, answer, now: minutes(at) }),
        Just(Input::Recorded),
    ]
}

/// One answer of the world for each effect it can be asked for.
#[derive(Debug, Clone)]
struct World {
    crash: bool,
    reread: Result<(), Reason>,
    marked: Result<(), Reason>,
    answer: PushAnswer,
    place: Place,
    later: i64,
}

fn any_world() -> impl Strategy<Value = World> {
    let places = select(places());
    (prop::bool::weighted(0.15), any_result(), any_result(), select(answers()), places, 0..3i64).prop_map(
        |(crash, reread, marked, answer, place, later)| World { crash, reread, marked, answer, place, later },
    )
}

proptest! {
    #![proptest_config(crate::cases::times(400))]

    /// Whatever is thrown at it in whatever order, it pushes only when marking was answered with
    /// yes just before, and marks only when reading again was.
    #[test]
    fn nothing_is_pushed_unmarked(row in any_row(), inputs in prop::collection::vec(any_input(), 1..12)) {
        for input in inputs {
            let marked = input == Input::Marked(Ok(()));
            let judged = input == Input::Reread(Ok(()));
            let effect = next(&row, input);
            prop_assert_eq!(effect == Effect::Push, marked);
            prop_assert_eq!(effect == Effect::MarkPushing, judged);
        }
    }

    /// A runner that does what it is told in a world that answers as it likes and crashes anywhere:
    /// the intent is saved before anything else, no push without a mark, at most one push for each
    /// mark, and it ends.
    #[test]
    fn every_run_ends(
        worlds in prop::collection::vec(any_world(), 60),
        kind in select(&[MoveKind::FastForward, MoveKind::Rollback][..]),
    ) {
        let mut row = IntentRow { kind, state: IntentState::Saved, deadline: None, ..intent("staging", 1, None) };
        let (mut stored, mut marks, mut pushes, mut now) = (false, 0, 0, 0i64);
        let mut outcome = None;
        let mut input = Input::New;
        let mut ended = false;
        for world in worlds {
            now += world.later;
            let effect = next(&row, input.clone());
            if world.crash {
                // Whatever was about to be done is not; a later tick finds the row, if there is one.
                if !stored {
                    ended = true;
                    break;
                }
                input = Input::Found;
                continue;
            }
            let answer = matches!(input, Input::Pushed(_)).then_some(world.answer.clone());
            input = match effect {
                Effect::SaveIntent => {
                    prop_assert!(!stored);
                    stored = true;
                    Input::Saved
                }
                Effect::Reread => Input::Reread(world.reread),
                Effect::MarkPushing => {
                    if world.marked.is_ok() {
                        row.state = IntentState::Pushing;
                        row.deadline = Some(Trusted(minutes(now).trusted.0 + 120_000));
                        marks += 1;
                    }
                    Input::Marked(world.marked)
                }
                Effect::Push => {
                    pushes += 1;
                    prop_assert!(stored && pushes <= marks && row.state == IntentState::Pushing);
                    Input::Pushed(world.answer)
                }
                Effect::ReadRef => Input::Read { place: world.place, answer, now: minutes(now) },
                Effect::Record(how) => {
                    prop_assert!(stored && outcome.is_none(), "recorded twice");
                    row.state = how.state();
                    prop_assert!(row.state.is_final());
                    outcome = Some(how);
                    Input::Recorded
                }
                Effect::Leave => {
                    prop_assert_eq!(row.state, IntentState::Pushing);
                    Input::Found
                }
                Effect::Done => {
                    ended = true;
                    break;
                }
            };
        }
        // A world that never tells where the branch is may keep an intent open for ever.
        let open = row.state == IntentState::Pushing || row.state == IntentState::Saved;
        prop_assert!(ended || open);
        if let Some(Outcome::Landed | Outcome::LandedAndPassed { .. } | Outcome::Refused { .. }) = outcome {
            prop_assert!(marks > 0, "nothing was pushed, and yet {:?}", outcome);
        }
    }

    /// Once the remote answers, a found row ends within one look.
    #[test]
    fn a_found_row_ends_when_the_remote_answers(row in any_row(), place in select(places())) {
        prop_assume!(place != Place::Unknown);
        let late = Now { trusted: Trusted(i64::MAX), ..NOW };
        let mut effects = 0;
        let mut input = Input::Found;
        loop {
            effects += 1;
            prop_assert!(effects <= 4);
            input = match next(&row, input) {
                Effect::ReadRef => Input::Read { place: place.clone(), answer: None, now: late },
                Effect::Reread => Input::Reread(Err(Reason::BranchesMoved)),
                Effect::Record(_) => Input::Recorded,
                Effect::Done => break,
                other => return Err(TestCaseError::fail(format!("{other:?} is no way to recover"))),
            };
        }
    }

    /// Where a tip is, against walking history.
    #[test]
    fn places_agree_with_history(parents in any_history(12), picks in prop::collection::vec(any::<prop::sample::Index>(), 3)) {
        let [old, new, at] = [0, 1, 2].map(|n: usize| picks[n].index(parents.len()));
        let dag: Dag = dag(&parents);
        for kind in [MoveKind::FastForward, MoveKind::Rollback] {
            let row = IntentRow { old: id(old), new: id(new), kind, ..intent("staging", 1, None) };
            let place = Place::of(&row, &Tip::At(id(at)), |a, b| dag.contains(a, b), |a| dag.merges(a));
            let has = reach(&parents, at);
            let expected = if at == new {
                Place::New
            } else if at == old {
                Place::Old
            } else if kind == MoveKind::FastForward && has.contains(&new) {
                Place::Beyond(id(at))
            } else if has.contains(&old) {
                Place::Aside(id(at))
            } else {
                Place::Elsewhere(id(at))
            };
            prop_assert_eq!(place, expected);
        }
    }
}

#[test]
fn a_tip_that_is_not_told_is_no_place() {
    let row = intent("staging", 1, None);
    let unknown = Tip::Unknown(Unknown::passing(UnknownWhy::NotAnswered));
    assert_eq!(Place::of(&row, &Tip::Absent, |_, _| true, |_| Vec::new()), Place::Absent);
    assert_eq!(Place::of(&row, &unknown, |_, _| true, |_| Vec::new()), Place::Unknown);
}

/// The documented outcome of every answer at every place. `-` leaves it for a later tick.
#[test]
fn after_a_push_only_the_branch_is_believed() {
    let tell = |effect: Effect| match effect {
        Effect::Record(Outcome::LandedAndPassed { now }) => format!("landed-and-passed {now}"),
        Effect::Record(Outcome::Superseded(Why::Moved(_))) => "moved".to_owned(),
        Effect::Record(Outcome::NotSent { .. }) => "not-sent".to_owned(),
        Effect::Record(outcome) => outcome.state().word().to_owned(),
        Effect::Leave => "-".to_owned(),
        other => format!("{other:?}"),
    };
    // Columns: recovery, Moved, UpToDate, Refused, LostRace, NotSent, NoAnswer.
    let table = [
        (Place::Old, ["-", "passed", "-", "refused", "moved", "not-sent", "-"]),
        (Place::New, ["landed", "landed", "overtaken", "overtaken", "overtaken", "overtaken", "landed"]),
        (
            Place::Beyond(c(50)),
            ["overtaken", "passed", "overtaken", "overtaken", "overtaken", "overtaken", "overtaken"],
        ),
        (Place::Aside(c(51)), ["moved", "passed", "moved", "moved", "moved", "moved", "moved"]),
        (Place::Elsewhere(c(52)), ["moved", "passed", "moved", "moved", "moved", "moved", "moved"]),
        (Place::Absent, ["moved"; 7]),
        (Place::Unknown, ["-"; 7]),
    ];
    let said: Vec<Option<PushAnswer>> = std::iter::once(None).chain(answers().into_iter().map(Some)).collect();
    for (place, expected) in table {
        for (answer, expected) in said.iter().zip(expected) {
            let row = intent("staging", 1, Some(1));
            let before = next(&row, Input::Read { place: place.clone(), answer: answer.clone(), now: NOW });
            let told = tell(before);
            let passed = told.starts_with("landed-and-passed");
            assert_eq!(if passed { "passed" } else { &told }, expected, "{place:?} {answer:?}");
            // At the deadline, and where there is none, nothing can land any more.
            for row in [intent("staging", 1, Some(0)), intent("staging", 1, None)] {
                let after = next(&row, Input::Read { place: place.clone(), answer: answer.clone(), now: NOW });
                let told = tell(after);
                let late = if expected == "-" && place == Place::Old { "abandoned" } else { expected };
                let passed = told.starts_with("landed-and-passed");
                assert_eq!(if passed { "passed" } else { &told }, late, "{place:?} {answer:?} late");
            }
        }
    }
}

#[test]
fn what_is_found_goes_on_from_its_state() {
    for state in STATES {
        for kind in [MoveKind::FastForward, MoveKind::Rollback] {
            let row = IntentRow { state, kind, ..intent("staging", 1, Some(1)) };
            let expected = match (state, kind) {
                (IntentState::Saved, MoveKind::FastForward) => Effect::Record(Outcome::Superseded(Why::Forgotten)),
                (IntentState::Saved, MoveKind::Rollback) => Effect::Reread,
                (IntentState::Pushing, _) => Effect::ReadRef,
                _ => Effect::Done,
            };
            assert_eq!(next(&row, Input::Found), expected, "{state:?} {kind:?}");
        }
    }
}

fn pause(kind: PauseKind) -> Pause {
    Pause {
        id: "pause-1".into(),
        kind,
        scope: Scope::Environment("staging".into()),
        by: "os:ana@a".into(),
        reason: "r".to_owned(),
        at: minutes(-1).wall,
        until: Until::Resumed,
        cause: None,
        began: None,
    }
}

fn held(id: &str, env: Option<&str>, fixed_by: Option<u32>) -> Hold {
    Hold {
        id: id.into(),
        what: Held::Commit(c(9)),
        flow: None,
        env: env.map(Into::into),
        by: "os:ana@a".into(),
        reason: "r".to_owned(),
        at: NOW.wall,
        fixed_by: fixed_by.map(c),
    }
}

/// A `promote` and an `override` of the window that stand for so many minutes.
fn orders(until: i64) -> Standing {
    Standing {
        promotes: vec![Promote {
            id: "promote-1".into(),
            flow: "shop".into(),
            env: "staging".into(),
            commit: c(1),
            by: "os:ana@a".into(),
            reason: "r".to_owned(),
            at: minutes(-1).wall,
            until: minutes(until).wall,
        }],
        overrides: vec![Override {
            id: "override-1".into(),
            gate: GateKind::Window,
            flow: "shop".into(),
            env: "staging".into(),
            commit: c(1),
            by: "os:ana@a".into(),
            reason: "r".to_owned(),
            at: minutes(-1).wall,
            until: minutes(until).wall,
            request: None,
            accepts: Vec::new(),
        }],
        ..Standing::default()
    }
}

/// What may still stop a push at the last moment: for a move, a promoted move, a move with its
/// window overridden, a rollback.
#[test]
fn the_last_check_stops_what_it_should() {
    let closed = Gate::Window(windows(&["Sat-Sun"], None));
    let with = |change: &dyn Fn(&mut Standing)| {
        let mut standing = orders(10);
        change(&mut standing);
        standing
    };
    // Columns: plain, promoted, overridden, rollback. `y` may begin.
    let table: Vec<(&str, Standing, bool, &str)> = vec![
        ("nothing", orders(10), false, "yyyy"),
        ("pause", with(&|s| s.pauses.push(pause(PauseKind::Pause))), false, "nyny"),
        ("freeze", with(&|s| s.pauses.push(pause(PauseKind::Freeze))), false, "nnny"),
        ("closed window", orders(10), true, "nyyy"),
        ("orders over", orders(0), false, "ynny"),
        ("orders over, window closed", orders(0), true, "nnny"),
        ("new hold", with(&|s| s.holds.push(held("hold-2", Some("staging"), None))), false, "nnny"),
        ("hold elsewhere", with(&|s| s.holds.push(held("hold-2", Some("production"), None))), false, "yyyy"),
        (
            "pause is over",
            with(&|s| s.pauses.push(Pause { until: Until::At(NOW.wall), ..pause(PauseKind::Freeze) })),
            false,
            "yyyy",
        ),
    ];
    for (name, standing, shut, expected) in table {
        let gates = if shut { vec![closed.clone()] } else { Vec::new() };
        let flow = flow(vec![environment("develop", Vec::new()), environment("staging", gates)]);
        let edge = flow.edge(&"staging".into()).expect("an edge");
        let plain = IntentRow { state: IntentState::Saved, ..intent("staging", 1, None) };
        let rows = [
            plain.clone(),
            IntentRow { promote: Some("promote-1".into()), ..plain.clone() },
            IntentRow { overrides: vec!["override-1".into()], ..plain.clone() },
            IntentRow { kind: MoveKind::Rollback, ..plain.clone() },
        ];
        let said: String = rows
            .iter()
            .map(|row| {
                if may_begin(row, &edge, &flow.policy, &with_its_hold(&standing, row), NOW).is_ok() {
                    'y'
                } else {
                    'n'
                }
            })
            .collect();
        assert_eq!(said, expected, "{name}");
        // Another config stops all but a rollback.
        let other = PolicyDigest::from("p2");
        let said =
            rows.iter().map(|row| may_begin(row, &edge, &other, &with_its_hold(&standing, row), NOW).is_ok());
        assert_eq!(said.collect::<Vec<_>>(), [false, false, false, true], "{name}");
    }
}

/// A rollback stands as long as the hold that was placed with it.
fn with_its_hold(standing: &Standing, row: &IntentRow) -> Standing {
    let mut standing = standing.clone();
    if row.kind == MoveKind::Rollback {
        let what = Held::Range { lost: row.old, kept: row.new };
        standing.holds.push(Hold { what, ..held("rollback-1", Some("staging"), None) });
    }
    standing
}

#[test]
fn a_rollback_without_its_hold_was_called_off() {
    let flow = flow(vec![environment("develop", Vec::new()), environment("staging", Vec::new())]);
    let edge = flow.edge(&"staging".into()).expect("an edge");
    let row = IntentRow { kind: MoveKind::Rollback, ..intent("staging", 1, None) };
    let nothing = Standing::default();
    assert!(may_begin(&row, &edge, &flow.policy, &nothing, NOW).is_err());
    assert!(may_begin(&row, &edge, &flow.policy, &with_its_hold(&nothing, &row), NOW).is_ok());
}

/// A judgement that saw the holds as they are may go on; one that saw others may not.
#[test]
fn the_last_check_compares_holds_with_their_fixes() {
    let flow = flow(vec![environment("develop", Vec::new()), environment("staging", Vec::new())]);
    let edge = flow.edge(&"staging".into()).expect("an edge");
    let hold = |id: &str, fixed_by: Option<u32>| held(id, None, fixed_by);
    let standing = |holds: Vec<Hold>| Standing { holds, ..Standing::default() };
    let saw = standing(vec![hold("b", None), hold("a", Some(3))]);
    let row = IntentRow { holds: holds_on(&saw, &edge), ..intent("staging", 1, None) };
    let begins = |now: &Standing| may_begin(&row, &edge, &flow.policy, now, NOW).is_ok();
    assert!(begins(&saw));
    assert!(begins(&standing(vec![hold("a", Some(3)), hold("b", None)])), "their order is no difference");
    assert!(!begins(&standing(vec![hold("a", Some(3))])));
    assert!(!begins(&standing(vec![hold("a", Some(4)), hold("b", None)])));
    assert!(!begins(&standing(vec![hold("a", None), hold("b", None)])));
}
