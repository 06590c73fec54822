//! Heads-ups over time: a branch that people push to, looks at any distance, and what is told by whom when.

use std::collections::BTreeSet;

use proptest::prelude::*;
use towpath_core::calendar::Windows;
use towpath_core::dag::Node;
use towpath_core::model::{
    CheckRef, Checks, CiGate, CoAuthor, EnvName, Event, Gate, Held, Hold, LagGate, Mode, NamedCheck, Pause,
    PauseKind, Scope, Span, Tip, TreeId, Unknown, UnknownWhy, Until,
};
use towpath_core::see::{heads_up, heads_up_due};

use crate::kit::{ZONE, c, mins, number};
use crate::served::{TARGET, World, commit, secs};

fn lag(minutes: i64) -> Gate {
    Gate::Lag(LagGate { length: mins(minutes), since: None })
}

fn ci() -> Gate {
    let build = NamedCheck { name: "build".into(), on: CheckRef::Any };
    Gate::Ci(CiGate { checks: Checks::Named(vec![build]), missing_after: None })
}

fn opens(text: &str) -> Gate {
    Gate::Window(Windows::parse(&[text.to_owned()], &[], ZONE).expect("a window"))
}

/// Pushes are at these minutes.
fn served(gates: Vec<Gate>, before: i64, pushes: &[i64]) -> String {
    let mut world = World::new(gates, before * 60);
    let pushes: Vec<i64> = pushes.iter().map(|minute| minute * 60).collect();
    world.serve(&pushes, 100_000);
    world.story()
}

#[test]
fn told_ten_minutes_before_and_once() {
    assert_eq!(served(vec![lag(30)], 10, &[0]), "1200: 0..1 at 1800; 1800: moved to 1");
    // Each has its own lag, and is told of by itself.
    assert_eq!(
        served(vec![lag(30)], 10, &[0, 5]),
        "1200: 0..1 at 1800; 1500: 1..2 at 2100; 1800: moved to 1; 2100: moved to 2"
    );
    // Pushed together, told together.
    assert_eq!(served(vec![lag(30)], 10, &[0, 0, 0]), "1200: 0..3 2 1 at 1800; 1800: moved to 3");
    // A lag that is shorter than the notice: at once, when it comes.
    assert_eq!(served(vec![lag(4)], 10, &[1]), "60: 0..1 at 300; 300: moved to 1");
    assert_eq!(served(vec![ci()], 10, &[1]), "60: moved to 1");
}

#[test]
fn more_than_ten_are_counted() {
    assert_eq!(
        served(vec![lag(30)], 10, &[0; 13]),
        "1200: 0..13 12 11 10 9 8 7 6 5 4 +3 at 1800; 1800: moved to 13"
    );
}

#[test]
fn a_busy_branch_is_told_of_once_a_minute() {
    let mut world = World::new(vec![lag(30)], 600);
    let pushes: Vec<i64> = (0..30).map(|nth| nth * 30).collect();
    world.serve(&pushes, 10_000);
    let gaps: Vec<i64> = world.told.windows(2).map(|pair| pair[1].when - pair[0].when).collect();
    assert!(gaps.iter().all(|gap| *gap >= 60), "{world:?}");
    assert_eq!(world.moved.len(), 30, "each moves in its time");
    assert_eq!(world.told.len(), 16, "{world:?}");
    let mut named: Vec<u32> = world.told.iter().flat_map(|told| told.commits.clone()).collect();
    named.sort_unstable();
    assert_eq!(named, (1..=30).collect::<Vec<u32>>(), "each once: {world:?}");
}

#[test]
fn what_takes_its_place_is_told_half_of_the_time_before() {
    // The window opens at 10:20; both wait for it.
    let gates = || vec![opens("Mon-Fri 10:20-16:00")];
    assert_eq!(
        served(gates(), 10, &[0, 12]),
        "600: 0..1 at 1200; 900: 0..2 1 at 1200 instead of 1; 1200: moved to 2"
    );
    // Each push puts it off: the first is told, then nothing until it is quiet for five minutes.
    assert_eq!(
        served(vec![Gate::Quiet(mins(10))], 10, &[0, 2, 4, 6, 8]),
        "0: 0..1 at 600; 780: 0..5 4 3 2 1 at 1080 instead of 1; 1080: moved to 5"
    );
}

#[test]
fn what_is_put_off_by_more_is_told_again() {
    // Told for 10:10, and the window shuts at 10:12.
    let mut world = World::new(vec![lag(30), opens("Mon-Fri 09:00-10:31")], 600);
    world.push();
    world.look(0);
    world.look(1_200);
    assert_eq!(world.story(), "1200: 0..1 at 1800");
    // Nobody looked in time.
    world.look(1_900);
    let day = 24 * 3_600 - 3_600;
    world.look(day - 600);
    let told = format!("1200: 0..1 at 1800; 1900: 1 is taken back; {}: 0..1 at {day}", day - 600);
    assert_eq!(world.story(), told);
    world.look(day - 300);
    world.look(day);
    assert_eq!((world.told.len(), world.moved.len()), (2, 1), "{world:?}");
}

#[test]
fn what_waits_for_more_than_time_is_not_told() {
    let mut world = World::new(vec![ci(), lag(30)], 600);
    world.green.insert(1, 1_500);
    world.push();
    world.serve(&[], 1_400);
    assert_eq!(world.story(), "");
    world.look(1_500);
    assert_eq!(world.story(), "1500: 0..1 at 1800");
    // Green only after its lag: it moves at once, and untold.
    let mut world = World::new(vec![ci(), lag(30)], 600);
    world.green.insert(1, 2_000);
    world.push();
    world.serve(&[], 1_900);
    world.look(2_000);
    assert_eq!(world.story(), "2000: moved to 1");
}

fn pause(until: i64, kind: PauseKind) -> Pause {
    let (id, by, reason) = ("p".into(), "os:ana@a".into(), "r".to_owned());
    let until = Until::At(secs(until).wall);
    Pause { id, kind, scope: Scope::All, by, reason, at: secs(0).wall, until, cause: None, began: None }
}

fn hold(n: u32) -> Hold {
    Hold {
        id: "h".into(),
        what: Held::Commit(c(n)),
        flow: None,
        env: None,
        by: "os:ana@a".into(),
        reason: "r".to_owned(),
        at: secs(0).wall,
        fixed_by: None,
    }
}

#[test]
fn a_pause_tells_nothing_and_what_it_held_back_moves_untold() {
    for kind in [PauseKind::Pause, PauseKind::Freeze] {
        let mut world = World::new(vec![lag(30)], 600);
        world.ledger.standing.pauses.push(pause(2_400, kind));
        world.push();
        world.serve(&[], 10_000);
        assert_eq!(world.story(), "2400: moved to 1");
        // It ends while the lag still runs.
        let mut world = World::new(vec![lag(30)], 600);
        world.ledger.standing.pauses.push(pause(1_500, kind));
        world.push();
        world.serve(&[], 10_000);
        assert_eq!(world.story(), "1500: 0..1 at 1800; 1800: moved to 1");
    }
}

#[test]
fn hold_mine_stops_it_and_what_is_older_is_told_in_its_place() {
    let mut world = World::new(vec![opens("Mon-Fri 10:20-16:00")], 600);
    world.push();
    world.push();
    world.look(0);
    world.look(600);
    assert_eq!(world.story(), "600: 0..2 1 at 1200");
    world.ledger.standing.holds.push(hold(2));
    for at in [610, 900, 1_199, 1_200, 1_500] {
        world.look(at);
    }
    assert_eq!(world.story(), "600: 0..2 1 at 1200; 610: 0..1 at 1200 instead of 2; 1200: moved to 1");
    // What comes contains it.
    world.push();
    world.serve(&[], 10_000);
    assert_eq!(world.moved.len(), 1);
    assert_eq!(world.told.len(), 2);
    // Lifted in time, it is told of again, half of the time before.
    let mut world = World::new(vec![opens("Mon-Fri 10:20-16:00")], 600);
    world.push();
    world.push();
    world.look(0);
    world.look(600);
    world.ledger.standing.holds.push(hold(2));
    world.look(610);
    world.ledger.standing.holds.clear();
    for at in [620, 900, 1_200] {
        world.look(at);
    }
    let story =
        "600: 0..2 1 at 1200; 610: 0..1 at 1200 instead of 2; 900: 0..2 1 at 1200 instead of 1; 1200: moved to 2";
    assert_eq!(world.story(), story);
}

#[test]
fn what_is_stopped_is_taken_back_at_the_next_look_and_told_again_if_it_comes() {
    let begun = || {
        let mut world = World::new(vec![ci(), lag(30)], 600);
        world.push();
        world.look(0);
        world.look(1_200);
        assert_eq!(world.story(), "1200: 0..1 at 1800");
        world
    };
    type Stop = fn(&mut World);
    let stops: [(&str, Stop); 4] = [
        ("hold", |world| world.ledger.standing.holds.push(hold(1))),
        ("pause", |world| world.ledger.standing.pauses.push(pause(90_000, PauseKind::Pause))),
        ("freeze", |world| world.ledger.standing.pauses.push(pause(90_000, PauseKind::Freeze))),
        ("CI runs again", |world| {
            world.green.insert(1, 90_000);
        }),
    ];
    for (what, stop) in stops {
        let mut world = begun();
        stop(&mut world);
        // Once, whoever looks.
        for at in [1_210, 1_220, 1_800, 1_900] {
            world.look(at);
        }
        assert_eq!(world.story(), "1200: 0..1 at 1800; 1210: 1 is taken back", "{what}");
        let mut world = begun();
        stop(&mut world);
        world.look(1_210);
        world.ledger.standing = Default::default();
        world.green.clear();
        world.look(1_220);
        world.look(1_800);
        let again = "1200: 0..1 at 1800; 1210: 1 is taken back; 1220: 0..1 at 1800; 1800: moved to 1";
        assert_eq!(world.story(), again, "{what}");
    }
}

#[test]
fn what_is_put_off_is_taken_back_only_where_it_is_put_off_by_more_than_the_notice() {
    // Each push makes it wait ten minutes from then.
    let begun = |before| {
        let mut world = World::new(vec![Gate::Quiet(mins(10))], before);
        world.push();
        world.look(0);
        world.look(400);
        world.push();
        world
    };
    let mut world = begun(300);
    world.look(410);
    assert_eq!(world.story(), "400: 0..1 at 600; 410: 1 is taken back");
    for at in [420, 700, 710, 1_010] {
        world.look(at);
    }
    let story = "400: 0..1 at 600; 410: 1 is taken back; 710: 0..2 1 at 1010; 1010: moved to 2";
    assert_eq!(world.story(), story);
    let mut world = begun(600);
    world.look(410);
    assert_eq!(world.story(), "0: 0..1 at 600");
}

#[test]
fn where_nobody_knows_it_stands_until_a_minute_after_its_instant() {
    let mut world = World::new(vec![lag(30)], 600);
    world.push();
    world.look(0);
    world.look(1_200);
    let unknown = Unknown::passing(UnknownWhy::Unreachable { words: "no route to host".to_owned() });
    world.tips.insert("develop".into(), Tip::Unknown(unknown));
    for at in [1_300, 1_800, 1_860] {
        world.look(at);
    }
    assert_eq!(world.story(), "1200: 0..1 at 1800");
    world.look(1_861);
    assert_eq!(world.story(), "1200: 0..1 at 1800; 1861: 1 is taken back");
    // Who comes a day later says nothing of it.
    let mut world = World::new(vec![lag(30)], 600);
    world.push();
    world.look(0);
    world.look(1_200);
    world.ledger.standing.holds.push(hold(1));
    world.look(1_801 + 24 * 3_600);
    assert_eq!(world.story(), "1200: 0..1 at 1800");
}

#[test]
fn what_came_and_went_again_is_not_taken_back() {
    let mut world = World::new(vec![lag(30)], 600);
    world.push();
    world.look(0);
    world.look(1_200);
    world.look(1_800);
    world.tips.insert(TARGET.into(), Tip::At(c(0)));
    world.ledger.standing.holds.push(hold(1));
    world.look(1_810);
    world.look(1_900);
    assert_eq!(world.story(), "1200: 0..1 at 1800; 1800: moved to 1");
}

#[test]
fn where_it_is_only_observed_nobody_is_told() {
    let mut world = World::new(vec![lag(30)], 600);
    world.flow.environments[1].mode = Mode::Observe;
    world.push();
    world.look(0);
    world.look(1_300);
    assert_eq!(world.story(), "");
    assert_eq!(heads_up_due(&world.flow, &world.ledger, world.plan.as_ref().expect("one")), None);
    assert!(world.plan.expect("one").decisions[0].ahead.as_ref().is_some_and(|ahead| ahead.soon.len() == 1));
}

#[test]
fn merges_of_nothing_are_not_named_and_long_texts_are_cut() {
    let mut world = World::new(vec![lag(30)], 600);
    world.push();
    // A promotion's merge: its tree is that of what it brings.
    world.nodes.push(Node { tree: TreeId::from_bytes([1; 20]), ..commit(2, &[0, 1]) });
    let bo = CoAuthor { name: "Bo".to_owned(), email: "bo@example.com".to_owned() };
    let long = Node {
        author: "ä".repeat(1_000),
        email: format!("{}@example.com", "a".repeat(1_000)),
        co_authors: vec![bo.clone()],
        subject: "ü".repeat(5_000),
        ..commit(3, &[2])
    };
    world.nodes.push(long);
    world.tips.insert("develop".into(), Tip::At(c(3)));
    world.look(0);
    world.look(1_200);
    assert_eq!(world.story(), "1200: 0..3 1 at 1800");
    let event = &world.ledger.outbox[0].event;
    let Event::HeadsUp { commits, .. } = event else { panic!("{event:?}") };
    let long = &commits[0];
    assert_eq!((long.author.chars().count(), long.email.as_str(), long.subject.chars().count()), (120, "", 200));
    assert_eq!(long.co_authors, [bo]);
}

#[test]
fn one_of_two_processes_tells() {
    let mut world = World::new(vec![lag(30)], 600);
    world.push();
    world.look(0);
    world.clock = 1_200;
    let stale = world.ledger.clone();
    let plan = world.decide();
    let again = heads_up(&world.flow, &stale, &plan, &world.dag());
    assert_eq!(again.len(), 1, "which has not seen that it was told");
    let before = world.ledger.clone();
    world.apply(&again);
    assert_eq!(world.ledger, before);
}

/// What happens, and how often somebody looks.
#[derive(Debug, Clone)]
struct Days {
    gates: Vec<Gate>,
    before: i64,
    every: i64,
    pushes: Vec<i64>,
}

fn any_days() -> impl Strategy<Value = Days> {
    let gates = prop_oneof![
        4 => Just(vec![]),
        1 => Just(vec![opens("Mon-Fri 10:20-10:50")]),
        1 => Just(vec![Gate::Quiet(mins(7))]),
        1 => Just(vec![opens("Mon-Fri 10:15-11:40"), Gate::Quiet(mins(3))]),
    ];
    let lag = (1..45i64).prop_map(lag);
    let pushes = prop::collection::vec(0..5_400i64, 1..9);
    (lag, gates, 20..1_500i64, 1..=100i64, pushes).prop_map(|(lag, gates, before, percent, mut pushes)| {
        pushes.sort_unstable();
        let every = (before / 2 * percent / 100).max(1);
        Days { gates: [vec![lag], gates].concat(), before, every: every.max(5).min(before / 2), pushes }
    })
}

proptest! {
    #![proptest_config(crate::cases::times(150))]

    /// Whoever looks at least every half of the notice tells of each commit before it moves, and nobody hears the
    /// same twice.
    #[test]
    fn every_move_by_time_is_told_before(days in any_days()) {
        let mut world = World::new(days.gates.clone(), days.before);
        let (mut pushes, mut at) = (days.pushes.clone(), 0);
        while at < 9_000 {
            while pushes.first().is_some_and(|push| *push <= at) {
                pushes.remove(0);
                world.push();
            }
            world.look(at);
            at += days.every;
        }
        told_before(&world)?;
    }

    /// So does the service, which looks when it says that it is due and when somebody pushes.
    #[test]
    fn so_does_who_looks_when_it_is_due(days in any_days()) {
        let mut world = World::new(days.gates.clone(), days.before);
        world.serve(&days.pushes, 9_000);
        told_before(&world)?;
    }

    /// Whatever is ordered and however CI runs: nothing is told twice for one instant, or where it is stopped.
    #[test]
    fn nothing_is_told_twice_or_where_it_is_stopped(
        days in any_days(),
        looks in prop::collection::vec((1..400i64, 0..8u8, 1..6u32), 1..40),
        red in prop::collection::btree_map(1..9u32, 0..6_000i64, 0..4),
    ) {
        let mut world = World::new([vec![ci()], days.gates.clone()].concat(), days.before);
        world.green = red;
        let (mut pushes, mut at) = (days.pushes.clone(), 0);
        for (later, order, of) in looks {
            at += later;
            while pushes.first().is_some_and(|push| *push <= at) {
                pushes.remove(0);
                world.push();
            }
            let orders = &mut world.ledger.standing;
            match order {
                0 => orders.pauses = vec![pause(at + 500, PauseKind::Pause)],
                1 => orders.pauses = vec![pause(at + 500, PauseKind::Freeze)],
                2 => orders.pauses.clear(),
                3 if (of as usize) < world.nodes.len() => orders.holds = vec![hold(of)],
                4 => orders.holds.clear(),
                _ => {}
            }
            let (before, stood) = (world.told.len(), orders.clone());
            let was = world.target();
            world.look(at);
            // What still stands a minute after its instant came, or part of it is to come.
            if let Some(stands) = world.ledger.heads_up.get(&EnvName::from(TARGET)) {
                let came = number(stands.newest) <= world.target();
                let in_time = stands.at + Span::from_secs(60) >= secs(at).wall;
                prop_assert!(came || in_time || world.ahead(), "{world:?}");
            }
            for told in &world.told[before..] {
                prop_assert!(stood.pauses.iter().all(|p| p.until.is_over(secs(at).wall)), "{world:?}");
                let held = stood.holds.iter().any(|hold| matches!(hold.what, Held::Commit(id) if number(id) > was && told.newest >= number(id)));
                prop_assert!(!held, "{world:?}");
                prop_assert!(told.commits.iter().all(|n| *n > was), "{world:?}");
            }
        }
        told_once(&world)?;
    }
}

fn told_once(world: &World) -> Result<(), TestCaseError> {
    let mut known = BTreeSet::new();
    for (nth, told) in world.told.iter().enumerate() {
        for back in world.backs.iter().filter(|back| back.told == nth) {
            prop_assert!(known.remove(&(back.newest, back.at)), "taken back twice: {world:?}");
            prop_assert!(!world.moved.iter().any(|(at, to)| *to >= back.newest && *at <= back.when), "{world:?}");
        }
        // What was stopped of a heads-up may come to be told of once more.
        if told.instead_of.is_some_and(|instead| instead > told.newest) {
            known.retain(|(newest, _)| *newest < told.newest);
        }
        prop_assert!(known.insert((told.newest, told.at)), "twice: {world:?}");
        let listed = u32::try_from(told.commits.len()).expect("few");
        prop_assert_eq!(told.newest - told.old, listed + told.more, "{:?}", world);
        prop_assert!(told.when < told.at && told.at <= told.when + world.before().ms() / 1_000, "{world:?}");
    }
    Ok(())
}

fn told_before(world: &World) -> Result<(), TestCaseError> {
    told_once(world)?;
    for (at, to) in &world.moved {
        let told = world.told.iter().filter(|told| told.when < *at);
        let told: BTreeSet<u32> = told.flat_map(|told| told.old + 1..=told.newest).collect();
        prop_assert!((1..=*to).all(|n| told.contains(&n)), "{to} moved untold at {at}: {world:?}");
    }
    Ok(())
}

#[test]
fn ids_are_of_flow_environment_and_look() {
    let mut world = World::new(vec![lag(30)], 600);
    world.push();
    world.look(0);
    world.look(1_200);
    let now = secs(1_200);
    let id = format!("heads-up-shop-{TARGET}-{}-{}/log", now.wall.0, now.trusted.0);
    let ids: Vec<&str> =
        world.ledger.outbox.iter().map(|m| m.id.as_str()).filter(|id| id.starts_with("heads")).collect();
    assert_eq!(ids, [id.as_str()]);
}
