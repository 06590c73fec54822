//! Heads-ups over time: a branch that people push to, looks at any distance, and what is told by whom when.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use towpath_core::calendar::Windows;
use towpath_core::dag::{Dag, Node};
use towpath_core::model::{
    Action, Candidates, Change, CheckRef, Checks, CiGate, CiItem, CiState, EnvName, Environment, Event, Fact,
    Facts, Flow, Gate, Held, Hold, Instant, LagGate, Ledger, Mode, NamedCheck, Now, Observation, Pause, PauseKind,
    Plan, Scope, Span, Tip, TreeId, Until,
};
use towpath_core::see::{Tips, edges, heads_up, heads_up_due, note};

use crate::kit::{ZONE, c, environment, flow, knowing, mins, minutes, number};

const TARGET: &str = "staging";

/// A heads-up as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    /// In seconds.
    when: i64,
    newest: u32,
    old: u32,
    at: i64,
    commits: Vec<u32>,
    more: u32,
    instead_of: Option<u32>,
}

/// A source with a target, in seconds from the beginning.
struct World {
    flow: Flow,
    ledger: Ledger,
    tips: Tips,
    nodes: Vec<Node>,
    /// When CI of a commit turned green; at once where it is not here.
    green: BTreeMap<u32, i64>,
    clock: i64,
    told: Vec<Told>,
    /// When the target was moved to what.
    moved: Vec<(i64, u32)>,
    plan: Option<Plan>,
}

fn secs(at: i64) -> Now {
    let now = minutes(0);
    Now {
        wall: Instant(now.wall.0 + at * 1_000),
        trusted: towpath_core::model::Trusted(now.trusted.0 + at * 1_000),
    }
}

fn back(at: Instant) -> i64 {
    (at.0 - minutes(0).wall.0) / 1_000
}

fn commit(n: u32, parents: &[u32]) -> Node {
    Node {
        id: c(n),
        tree: TreeId::from_bytes([u8::try_from(n).expect("small"); 20]),
        parents: parents.iter().map(|n| c(*n)).collect(),
        merged: None,
        author: ["Ana", "Marek"][n as usize % 2].to_owned(),
        email: ["ana@example.com", "marek@example.com"][n as usize % 2].to_owned(),
        subject: format!("change {n}"),
    }
}

impl World {
    /// Source and target are at commit 0.
    fn new(gates: Vec<Gate>, before: i64) -> Self {
        let target = Environment {
            heads_up: Some(Span::from_secs(before)),
            candidates: Candidates::Commits,
            ..environment(TARGET, gates)
        };
        let mut world = Self {
            flow: flow(vec![environment("develop", Vec::new()), target]),
            ledger: Ledger::default(),
            tips: Tips::new(),
            nodes: vec![commit(0, &[])],
            green: BTreeMap::new(),
            clock: 0,
            told: Vec::new(),
            moved: Vec::new(),
            plan: None,
        };
        world.tips = [("develop", 0), (TARGET, 0)].map(|(env, n)| (env.into(), Tip::At(c(n)))).into();
        world
    }

    fn before(&self) -> Span {
        self.flow.environments[1].heads_up.expect("one")
    }

    /// The next commit, on top of the source.
    fn push(&mut self) -> u32 {
        let n = u32::try_from(self.nodes.len()).expect("few");
        self.nodes.push(commit(n, &[n - 1]));
        self.tips.insert("develop".into(), Tip::At(c(n)));
        n
    }

    fn target(&self) -> u32 {
        self.tips[&EnvName::from(TARGET)].commit().map(number).expect("a tip")
    }

    fn dag(&self) -> Dag {
        Dag::new(self.nodes.clone(), BTreeSet::new())
    }

    fn apply(&mut self, changes: &[Change]) {
        changes.iter().for_each(|change| self.ledger.apply(&self.flow.name, &[TARGET.into()], change));
    }

    fn decide(&mut self) -> Plan {
        let (now, dag) = (secs(self.clock), self.dag());
        let noted = note(&self.flow, &self.ledger, &self.tips, &dag, now);
        self.apply(&noted);
        let green = |n: u32| self.green.get(&n).copied().unwrap_or(-1_000_000);
        let item = |n: u32| CiItem {
            name: "build".into(),
            origin: "ci".to_owned(),
            on: None,
            state: if green(n) <= self.clock { CiState::Green } else { CiState::Running },
            green_since: (green(n) <= self.clock).then(|| secs(green(n)).trusted),
            at: now.wall,
            url: None,
        };
        let ci = self.nodes.iter().map(|node| (node.id, Fact::Known(vec![item(number(node.id))]))).collect();
        let seen = Observation {
            now,
            edges: edges(&self.flow, &self.ledger, &self.tips, &Fact::Known(dag.clone())),
            standing: self.ledger.standing.clone(),
            facts: Facts::default(),
            code: Default::default(),
        };
        let plan = knowing(&self.flow, &seen, &Facts { ci, ..Facts::default() });
        let told = heads_up(&self.flow, &self.ledger, &plan, &dag);
        assert!(told.len() <= 1, "one edge: {told:?}");
        self.apply(&told);
        assert_eq!(heads_up(&self.flow, &self.ledger, &plan, &dag), [], "told again in the same look");
        if let Some(due) = heads_up_due(&self.flow, &self.ledger, &plan) {
            assert!(due > now.wall, "the service would spin");
        }
        let told: Vec<Told> = told.iter().map(|change| self.seen_told(change)).collect();
        self.told.extend(told);
        plan
    }

    fn seen_told(&self, change: &Change) -> Told {
        let Change::HeadsUp { env, row, message } = change else { panic!("{change:?}") };
        let Event::HeadsUp { commits, more, newest, old, at, instead_of } = &message.event else { panic!() };
        assert_eq!((env.as_str(), &message.env, message.at), (TARGET, env, secs(self.clock).wall));
        assert_eq!((row.newest, row.at, row.told), (*newest, *at, secs(self.clock)));
        assert!(secs(self.clock).wall < *at && *at <= secs(self.clock).wall + self.before(), "{self:?}");
        Told {
            when: self.clock,
            newest: number(*newest),
            old: number(*old),
            at: back(*at),
            commits: commits.iter().map(|one| number(one.id)).collect(),
            more: *more,
            instead_of: instead_of.map(number),
        }
    }

    /// A pass: note, decide, tell, move, and look again.
    fn look(&mut self, at: i64) {
        self.clock = at;
        let mut plan = self.decide();
        let to = plan.decisions[0].action.as_ref().and_then(Action::moves).map(|(_, new)| new);
        if let Some(to) = to.filter(|_| self.flow.environments[1].mode == Mode::Act) {
            self.tips.insert(TARGET.into(), Tip::At(to));
            self.moved.push((at, number(to)));
            plan = self.decide();
        }
        self.plan = Some(plan);
    }

    /// When the service looks again by itself.
    fn wake(&self) -> Option<i64> {
        let plan = self.plan.as_ref()?;
        let due = heads_up_due(&self.flow, &self.ledger, plan);
        // An instant within a second is met at its end.
        due.into_iter().chain(plan.decisions[0].next).min().map(|at| back(Instant(at.0 + 999)))
    }

    /// Looks whenever the service would, up to `end`, and at the pushes.
    fn serve(&mut self, pushes: &[i64], end: i64) {
        let mut pushes = pushes.to_vec();
        pushes.sort_unstable();
        self.look(0);
        loop {
            let push = pushes.first().copied();
            let Some(at) = self.wake().into_iter().chain(push).min().filter(|at| *at <= end) else { break };
            if push == Some(at) {
                pushes.remove(0);
                self.push();
            }
            self.look(at);
        }
    }

    /// In few words: `600: 2 1 at 1200`, with what was moved.
    fn story(&self) -> String {
        let mut lines: Vec<(i64, String)> = Vec::new();
        for told in &self.told {
            let instead = told.instead_of.map(|n| format!(" instead of {n}")).unwrap_or_default();
            let more = if told.more > 0 { format!(" +{}", told.more) } else { String::new() };
            let commits: Vec<String> = told.commits.iter().map(ToString::to_string).collect();
            lines.push((told.when, format!("{}..{}{more} at {}{instead}", told.old, commits.join(" "), told.at)));
        }
        lines.extend(self.moved.iter().map(|(at, to)| (*at, format!("moved to {to}"))));
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(at, line)| format!("{at}: {line}")).collect::<Vec<_>>().join("; ")
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {}: {}", self.clock, self.story())
    }
}

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
    assert_eq!(world.story(), format!("1200: 0..1 at 1800; {}: 0..1 at {day} instead of 1", day - 600));
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
fn hold_mine_stops_it_and_what_is_older_goes_without_another_word() {
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
    assert_eq!(world.story(), "600: 0..2 1 at 1200; 1200: moved to 1");
    // What comes contains it.
    world.push();
    world.serve(&[], 10_000);
    assert_eq!(world.moved.len(), 1);
    assert_eq!(world.told.len(), 1);
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
    let long = Node {
        author: "ä".repeat(1_000),
        email: format!("{}@example.com", "a".repeat(1_000)),
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
    for told in &world.told {
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
