//! Seeded swarms: replicas, people, clocks and faults take turns at random; invariants are checked
//! at every step; then faults stop and everything eligible has to arrive.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use towpath::engine::{Fault, Ticked, tick};
use towpath_core::model::{
    Actor, BranchName, Change, CiState, CommitId, Event, Flow, FlowName, Held, Hold, Instant, IntentRow,
    IntentState, Mode, MoveKind, OrderId, Pause, PauseKind, Promote, Report, Scope, Span, Until,
};

use super::universe::{Counts, Faults, START, Universe};
use super::world::SimWorld;
use super::{Plant, REQUIRED, check, flows};
use crate::support::gate::Says;

type Running = Pin<Box<dyn Future<Output = Result<Ticked, Fault>>>>;

/// What a run came to.
pub struct Outcome {
    pub counts: Counts,
    pub violations: Vec<String>,
    pub moved: bool,
    /// Everything that happened, hashed: equal for equal seeds.
    pub hash: u64,
    pub calls: u64,
}

pub struct Swarm {
    universe: Rc<RefCell<Universe>>,
    running: Vec<Option<(Running, FlowName)>>,
    ids: u64,
}

/// Runs one seed.
pub fn run(seed: u64, steps: u64, plant: Option<Plant>) -> Outcome {
    let mut swarm = Swarm::new(seed, plant);
    for step in 0..steps {
        swarm.universe.borrow_mut().step = step;
        swarm.step();
        if !swarm.universe.borrow().violations.is_empty() {
            break;
        }
    }
    if swarm.universe.borrow().violations.is_empty() {
        swarm.heal();
    }
    swarm.outcome()
}

/// Runs one seed with every edge only observed, and answers how many passes there were. Nothing is
/// healed: what is eligible is not to arrive.
pub fn observe(seed: u64, steps: u64) -> u64 {
    let mut swarm = Swarm::new(seed, None);
    for flow in &mut swarm.universe.borrow_mut().flows {
        flow.environments.iter_mut().for_each(|environment| environment.mode = Mode::Observe);
    }
    for step in 0..steps {
        swarm.universe.borrow_mut().step = step;
        swarm.step();
    }
    let it = swarm.universe.borrow();
    assert_eq!(it.violations, Vec::<String>::new(), "seed {seed}");
    for effect in ["effect: push", "effect: begin_push", "effect: read_ref", "effect: send"] {
        assert_eq!(it.counts.get(effect), None, "seed {seed}: {effect}");
    }
    assert!(it.book.intents.is_empty() && it.book.effects.is_empty() && it.sent.is_empty(), "seed {seed}");
    // Each move that was seen is kept for `compare`, and no edge is paused by one.
    let others = |event: &Event| matches!(event, Event::Moved { .. } | Event::Rewound { .. });
    let seen = it.book.events.iter().filter(|(_, row)| others(&row.event)).count();
    assert_eq!(it.book.hands.len(), seen, "seed {seed}");
    for ledger in it.book.ledgers.values() {
        assert!(ledger.standing.pauses.iter().all(|pause| pause.cause.is_none()), "seed {seed}");
        assert!(ledger.outbox.is_empty(), "seed {seed}");
        for rows in ledger.would.values() {
            // At most one move would be made now, and all start where the target was last seen.
            assert!(rows.iter().filter(|row| row.ended.is_none()).count() <= 1, "seed {seed}: {rows:?}");
            assert!(rows.windows(2).all(|two| two[0].old == two[1].old), "seed {seed}: {rows:?}");
        }
    }
    it.counts.get("seen: tick done").copied().unwrap_or(0)
}

impl Swarm {
    fn new(seed: u64, plant: Option<Plant>) -> Self {
        let mut rng = super::rng::Rng::new(seed);
        let read = if plant == Some(Plant::ReadOneCheckOfThree) { 1 } else { REQUIRED.len() };
        let count = 2 + rng.below(2);
        let flows: Vec<Flow> = (0..count).map(|at| flows::three(["alpha", "be", "gam"][at], read)).collect();
        let replicas = 2 + rng.below(2);
        let mut universe = Universe::new(rng.next(), flows, replicas);
        universe.plant = plant;
        universe.gates.say_of_all(Says::Pass);
        // A swarm: each seed has its own mix, and some faults not at all.
        let mut fault = |most: usize| if rng.percent(50) { rng.below(most + 1) as u32 } else { 0 };
        universe.faults = Faults {
            lost_answer: fault(60),
            delayed_push: fault(60),
            refused: fault(40),
            unreachable: fault(8),
            not_sent: fault(50),
            ref_unread: fault(50),
            stale_read: fault(8),
            store_fails: fault(5),
            store_answer_lost: fault(5),
            sink_fails: fault(60),
        };
        let swarm = Self {
            universe: Rc::new(RefCell::new(universe)),
            running: (0..replicas).map(|_| None).collect(),
            ids: 0,
        };
        swarm.seed_repositories();
        swarm
    }

    fn seed_repositories(&self) {
        let mut it = self.universe.borrow_mut();
        for flow in it.flows.clone() {
            let root = it.commit(&flow.name, &[], None, "root@example.com");
            for environment in &flow.environments {
                it.set_branch(&flow.name, &environment.branch, Some(root), None);
            }
        }
    }

    fn step(&mut self) {
        let (what, land) = {
            let mut it = self.universe.borrow_mut();
            let what = it.rng.below(100);
            (what, it.rng.percent(10))
        };
        match what {
            0..70 => self.poll_one(),
            70..84 => self.person(),
            84..94 => self.time_passes(),
            94..96 => self.jump(),
            96..98 => self.crash(),
            _ => self.reboot(),
        }
        if land {
            self.universe.borrow_mut().land_due();
        }
    }

    fn random_flow(&self) -> FlowName {
        let mut it = self.universe.borrow_mut();
        let at = it.rng.below(1 << 16) % it.flows.len();
        it.flows[at].name.clone()
    }

    fn poll_one(&mut self) {
        let replica = {
            let mut it = self.universe.borrow_mut();
            it.rng.below(self.running.len())
        };
        if self.running[replica].is_none() {
            let name = self.random_flow();
            let flow = self.universe.borrow().flow(&name).clone();
            let world = SimWorld::new(&self.universe, replica);
            let future = async move { tick(&world, &flow).await };
            self.running[replica] = Some((Box::pin(future), name));
        }
        // A few polls at once, so that runs get somewhere between other events.
        let polls = self.universe.borrow_mut().rng.below(12) + 1;
        for _ in 0..polls {
            let Some((future, _)) = &mut self.running[replica] else { return };
            if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                self.running[replica] = None;
                let mut it = self.universe.borrow_mut();
                match result {
                    Ok(Ticked::Done(_)) => it.count("seen: tick done"),
                    Ok(Ticked::Leased) => {}
                    Err(_) => it.count("seen: tick failed"),
                }
            }
        }
    }

    fn crash(&mut self) {
        let mut it = self.universe.borrow_mut();
        let replica = it.rng.below(self.running.len());
        if self.running[replica].take().is_some() {
            it.lives[replica] += 1;
            it.count("fault: crash in mid tick");
        }
    }

    fn reboot(&mut self) {
        let mut it = self.universe.borrow_mut();
        if it.rng.percent(20) {
            it.boot += 1;
            it.count("fault: reboot");
            for (replica, running) in self.running.iter_mut().enumerate() {
                if running.take().is_some() {
                    it.lives[replica] += 1;
                }
            }
        }
    }

    fn time_passes(&self) {
        let mut it = self.universe.borrow_mut();
        let ms = match it.rng.below(10) {
            0..5 => it.rng.below(30_000),
            5..9 => it.rng.below(600_000),
            _ => it.rng.below(7_200_000),
        };
        it.truth += ms as i64;
        it.land_due();
    }

    fn jump(&self) {
        let mut it = self.universe.borrow_mut();
        let ms = it.rng.below(14_400_000) as i64 - 7_200_000;
        it.now();
        it.wall_offset += ms;
        // Somebody reads the clock before and after: a wall that jumps forward while a host
        // is down cannot be told from a longer time down (DESIGN's rule, and README says so).
        it.now();
        it.count("fault: clock jump");
    }

    fn id(&mut self, what: &str) -> OrderId {
        self.ids += 1;
        OrderId::new(format!("{what}-{}", self.ids))
    }

    fn person(&mut self) {
        let flow = self.random_flow();
        let what = self.universe.borrow_mut().rng.below(100);
        match what {
            0..28 => self.push_commits(&flow),
            28..68 => self.report(&flow),
            68..71 => self.change_of_mind(),
            71..72 => self.gate_speaks(&flow),
            72..73 => self.hotfix(&flow),
            73..74 => self.take_back(),
            74..76 => self.rewind(&flow),
            76..77 => self.rewrite_source(&flow),
            77..80 => self.pause(&flow),
            80..84 => self.resume(&flow),
            84..86 => self.retry(&flow),
            86..87 => self.hold(&flow),
            87..91 => self.unhold(&flow),
            91..94 => self.promote(&flow),
            94..98 => self.back_merge(&flow),
            98..99 => self.push_forward(&flow),
            _ => self.server_mood(&flow),
        }
    }

    /// Somebody has looked, and lets Towpath push again.
    fn retry(&self, flow: &FlowName) {
        let envs: Vec<_> = {
            let it = self.universe.borrow();
            it.book.ledgers[flow].standing.backoffs.iter().map(|b| b.env.clone()).collect()
        };
        for env in envs {
            self.universe.borrow_mut().retried(flow, &env);
            self.order(Some(flow), Change::ClearBackoff(env));
            self.universe.borrow_mut().count("person: retry");
        }
    }

    fn push_commits(&self, flow: &FlowName) {
        let mut it = self.universe.borrow_mut();
        let develop = BranchName::new("develop");
        let Some(mut tip) = it.repositories[flow].branches.get(&develop).copied() else { return };
        for _ in 0..=it.rng.below(4) {
            let author = ["marek@x", "ana@x", "lukasz@x", "olga@x"][it.rng.below(4)];
            if it.rng.percent(20) {
                let side = it.commit(flow, &[tip], None, author);
                tip = it.commit(flow, &[tip, side], None, author);
            } else {
                tip = it.commit(flow, &[tip], None, author);
            }
        }
        it.set_branch(flow, &develop, Some(tip), None);
        it.count("person: push");
    }

    /// CI speaks of one of the newest commits; mostly well, sometimes twice and differently.
    fn report(&self, flow: &FlowName) {
        let mut it = self.universe.borrow_mut();
        let nodes: Vec<CommitId> = it.repositories[flow].nodes.iter().rev().take(4).map(|n| n.id).collect();
        let Some(commit) = it.rng.pick(&nodes).copied() else { return };
        let green_all = it.rng.percent(70);
        let names: Vec<&str> =
            if green_all { REQUIRED.to_vec() } else { vec![REQUIRED[it.rng.below(REQUIRED.len())]] };
        for name in names {
            let state = match it.rng.below(10) {
                _ if green_all => CiState::Green,
                0..6 => CiState::Green,
                6..8 => CiState::Red,
                _ => CiState::Running,
            };
            let at = it.now();
            let report = Report { commit, name: name.into(), on: None, state, url: None, by: Actor::new("ci"), at };
            // People's changes are tried until they are stored.
            it.apply(Some(flow), &[Change::Report(report)]).expect("reports do not conflict");
        }
        it.count("person: report");
    }

    /// CI takes back what a pass has just read and not acted on yet: only reading it again tells.
    fn change_of_mind(&self) {
        let mut it = self.universe.borrow_mut();
        let read: Vec<(FlowName, CommitId)> = it.just_read.values().flatten().cloned().collect();
        let Some((flow, commit)) = it.rng.pick(&read).cloned() else { return };
        let name = REQUIRED[it.rng.below(REQUIRED.len())].into();
        let at = it.now();
        let report = Report { commit, name, on: None, state: CiState::Red, url: None, by: Actor::new("ci"), at };
        it.apply(Some(&flow), &[Change::Report(report)]).expect("reports do not conflict");
        it.count("person: CI changes its mind");
    }

    /// The server of the `http` gate says something else of one of the newest commits.
    fn gate_speaks(&self, flow: &FlowName) {
        let mut it = self.universe.borrow_mut();
        let nodes: Vec<CommitId> = it.repositories[flow].nodes.iter().rev().take(4).map(|n| n.id).collect();
        let Some(commit) = it.rng.pick(&nodes).copied() else { return };
        let all = [Says::Pass, Says::Pass, Says::Wait { until: None }, Says::Block, Says::Broken, Says::Odd];
        let (one, other) = (all[it.rng.below(all.len())], all[it.rng.below(all.len())]);
        it.gates.say(commit, &[one, other]);
        it.count("person: the gate speaks");
    }

    fn target(&self) -> BranchName {
        let mut it = self.universe.borrow_mut();
        BranchName::new(if it.rng.percent(50) { "staging" } else { "production" })
    }

    fn hotfix(&self, flow: &FlowName) {
        let branch = self.target();
        let mut it = self.universe.borrow_mut();
        let Some(tip) = it.repositories[flow].branches.get(&branch).copied() else { return };
        if it.rng.percent(30) {
            let fix = it.commit(flow, &[tip], None, "olga@x");
            it.set_branch(flow, &branch, Some(fix), None);
            it.count("person: hotfix");
        }
    }

    fn rewind(&self, flow: &FlowName) {
        let branch = self.target();
        let mut it = self.universe.borrow_mut();
        let Some(tip) = it.repositories[flow].branches.get(&branch).copied() else { return };
        let back = it.rng.below(3) + 1;
        let older: Vec<CommitId> = it.dag(flow).chain(tip).take(back + 1).map(|n| n.id).collect();
        if let Some(to) = older.last().copied().filter(|to| *to != tip) {
            it.set_branch(flow, &branch, Some(to), None);
            it.count("person: rewind of a target");
        }
    }

    /// Somebody takes back what has just landed, before Towpath has recorded it.
    fn take_back(&self) {
        let mut it = self.universe.borrow_mut();
        let landed = |row: &&IntentRow| {
            let at = it.repositories[&row.flow].branches.get(&row.branch);
            row.state == IntentState::Pushing && row.kind == MoveKind::FastForward && at == Some(&row.new)
        };
        let Some(row) = it.book.intents.values().find(landed).cloned() else { return };
        it.set_branch(&row.flow, &row.branch, Some(row.old), None);
        it.count("person: takes back what just landed");
    }

    fn rewrite_source(&self, flow: &FlowName) {
        let mut it = self.universe.borrow_mut();
        let develop = BranchName::new("develop");
        let Some(tip) = it.repositories[flow].branches.get(&develop).copied() else { return };
        let older: Vec<CommitId> = it.dag(flow).chain(tip).take(3).map(|n| n.id).collect();
        if let Some(to) = older.last().copied().filter(|to| *to != tip) {
            let new = it.commit(flow, &[to], None, "ana@x");
            it.set_branch(flow, &develop, Some(new), None);
            it.count("person: rewrite of the source");
        }
    }

    /// Somebody moves a target forward to something that its source has.
    fn push_forward(&self, flow: &FlowName) {
        let mut it = self.universe.borrow_mut();
        let (source, target) = if it.rng.percent(50) { ("develop", "staging") } else { ("staging", "production") };
        let branches = &it.repositories[flow].branches;
        let (Some(from), Some(to)) = (branches.get(&target.into()).copied(), branches.get(&source.into()).copied())
        else {
            return;
        };
        if it.dag(flow).contains(to, from) {
            it.set_branch(flow, &target.into(), Some(to), None);
            it.count("person: push forward");
        }
    }

    fn back_merge(&self, flow: &FlowName) {
        let branch = self.target();
        let mut it = self.universe.borrow_mut();
        let branches = &it.repositories[flow].branches;
        let develop = BranchName::new("develop");
        let (Some(theirs), Some(ours)) = (branches.get(&branch).copied(), branches.get(&develop).copied()) else {
            return;
        };
        let merge = it.commit(flow, &[ours, theirs], None, "marek@x");
        it.set_branch(flow, &develop, Some(merge), None);
        it.count("person: back-merge");
    }

    fn order(&self, flow: Option<&FlowName>, change: Change) {
        let mut it = self.universe.borrow_mut();
        let pushing = it.apply(flow, std::slice::from_ref(&change)).expect("orders do not conflict");
        if let Change::Pause(pause) = change {
            let named = pushing.into_iter().map(|row| row.id).collect();
            let since = it.truth;
            it.book.acknowledged.insert(pause.id.clone(), (pause, named, since));
        }
    }

    fn pause(&mut self, flow: &FlowName) {
        let id = self.id("pause");
        let (pause, name) = {
            let mut it = self.universe.borrow_mut();
            let now = it.now();
            let wall = now.wall;
            let scope = match it.rng.below(4) {
                0 => Scope::All,
                1 => Scope::Flow(flow.clone()),
                2 => Scope::Edge(flow.clone(), "production".into()),
                _ => Scope::Environment("production".into()),
            };
            let frozen = it.rng.percent(30);
            let kind = if frozen { PauseKind::Freeze } else { PauseKind::Pause };
            let until = if it.rng.percent(20) { Until::Resumed } else { Until::At(wall + Span::from_mins(40)) };
            let by = Actor::new("os:olga@desk");
            let began = Some(now.trusted);
            let reason = "a demo".into();
            (Pause { id, kind, scope, by, reason, at: wall, until, cause: None, began }, flow.clone())
        };
        self.order(Some(&name), Change::Pause(pause));
        self.universe.borrow_mut().count("person: pause");
    }

    fn resume(&self, flow: &FlowName) {
        let ids: Vec<OrderId> = {
            let it = self.universe.borrow();
            it.book.ledgers[flow].standing.pauses.iter().map(|p| p.id.clone()).collect()
        };
        if !ids.is_empty() {
            self.order(Some(flow), Change::Lift(ids));
            self.universe.borrow_mut().count("person: resume");
        }
    }

    fn hold(&mut self, flow: &FlowName) {
        let id = self.id("hold");
        let hold = {
            let mut it = self.universe.borrow_mut();
            let wall = it.reading().wall;
            let nodes: Vec<CommitId> = it.repositories[flow].nodes.iter().rev().take(5).map(|n| n.id).collect();
            let Some(commit) = it.rng.pick(&nodes).copied() else { return };
            let by = Actor::new("os:ana@desk");
            let (flow, env) = (Some(flow.clone()), None);
            Hold { id, what: Held::Commit(commit), flow, env, by, reason: "wait".into(), at: wall, fixed_by: None }
        };
        self.order(Some(flow), Change::Hold(hold));
        self.universe.borrow_mut().count("person: hold");
    }

    fn unhold(&self, flow: &FlowName) {
        let hold = self.universe.borrow().book.ledgers[flow].standing.holds.first().map(|h| h.id.clone());
        if let Some(hold) = hold {
            self.order(Some(flow), Change::Unhold { hold, fixed_by: None });
            self.universe.borrow_mut().count("person: unhold");
        }
    }

    fn promote(&mut self, flow: &FlowName) {
        let id = self.id("promote");
        let order = {
            let mut it = self.universe.borrow_mut();
            let Some(tip) = it.repositories[flow].branches.get(&BranchName::new("staging")).copied() else {
                return;
            };
            let at: Instant = it.reading().wall;
            let until = at + Span::from_mins(60);
            let by = Actor::new("os:marek@desk");
            it.count("person: promote");
            let (flow, env) = (flow.clone(), "production".into());
            Promote { id, flow, env, commit: tip, by, reason: "urgent".into(), at, until }
        };
        self.order(Some(flow), Change::Promote(order));
    }

    fn server_mood(&self, flow: &FlowName) {
        let mut it = self.universe.borrow_mut();
        let bad = it.rng.percent(50);
        let repository = it.repositories.get_mut(flow).expect("the flow exists");
        repository.unreachable = bad && !repository.unreachable;
        it.count("person: server up or down");
    }

    /// Faults stop, orders are lifted, CI is green, time passes: everything eligible arrives, and
    /// what does not has a reason that a person can act on.
    fn heal(&mut self) {
        self.settle_world();
        for _ in 0..6 {
            self.green_tips();
            for replica in 0..self.running.len() {
                for name in self.names() {
                    self.tick_to_end(replica, &name);
                }
            }
            self.universe.borrow_mut().truth += 45 * 60_000;
        }
        let mut it = self.universe.borrow_mut();
        check::settled(&mut it);
        drop(it);
        for name in self.names() {
            self.arrived(&name);
        }
    }

    fn names(&self) -> Vec<FlowName> {
        self.universe.borrow().flows.iter().map(|f| f.name.clone()).collect()
    }

    fn settle_world(&mut self) {
        for running in &mut self.running {
            *running = None;
        }
        let mut it = self.universe.borrow_mut();
        it.faults = Faults::default();
        it.gates.say_of_all(Says::Pass);
        for life in &mut it.lives {
            *life += 1;
        }
        it.truth += 10_000_000;
        it.land_due();
        for repository in it.repositories.values_mut() {
            repository.unreachable = false;
        }
        drop(it);
        // One look each, so that rewinds not yet seen are recorded before orders are lifted.
        for name in self.names() {
            self.tick_to_end(0, &name);
        }
        for name in self.names() {
            self.resume(&name);
            self.retry(&name);
            while !self.universe.borrow().book.ledgers[&name].standing.holds.is_empty() {
                self.unhold(&name);
            }
        }
    }

    fn green_tips(&self) {
        let mut it = self.universe.borrow_mut();
        for name in it.flows.iter().map(|f| f.name.clone()).collect::<Vec<_>>() {
            let tips: Vec<CommitId> = it.repositories[&name].branches.values().copied().collect();
            for commit in tips {
                for check in REQUIRED {
                    let at = it.now();
                    let (on, url, by) = (None, None, Actor::new("ci"));
                    let report = Report { commit, name: check.into(), on, state: CiState::Green, url, by, at };
                    it.apply(Some(&name), &[Change::Report(report)]).expect("reports do not conflict");
                }
            }
        }
    }

    fn tick_to_end(&self, replica: usize, name: &FlowName) {
        let flow = self.universe.borrow().flow(name).clone();
        let world = SimWorld::new(&self.universe, replica);
        let mut future = Box::pin(async move { tick(&world, &flow).await });
        for _ in 0..100_000 {
            if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                if let Err(fault) = result {
                    self.universe.borrow_mut().violation(format!("I10: {name} fails without faults: {fault}"));
                }
                return;
            }
        }
        self.universe.borrow_mut().violation(format!("I10: a tick of {name} does not end"));
    }

    /// I10: every edge is up to date, or says why it needs a person.
    fn arrived(&self, name: &FlowName) {
        let mut wrong = Vec::new();
        {
            let it = self.universe.borrow();
            for (env, row) in &it.book.ledgers[name].decisions {
                let verdict = &row.decision.verdict;
                let up_to_date = matches!(verdict.why(), towpath_core::model::Reason::UpToDate);
                let diverged = matches!(verdict.why(), towpath_core::model::Reason::Diverged { .. });
                if !up_to_date && !diverged {
                    wrong.push(format!("I10: {name} {env} did not arrive: {verdict:?}"));
                }
            }
            let open = it.book.intents.values().filter(|row| !row.state.is_final()).count();
            if open > 0 {
                wrong.push(format!("I10: {open} intents never ended"));
            }
            if !it.book.ledgers[name].outbox.is_empty() {
                wrong.push("I7: messages were left in the outbox".to_owned());
            }
        }
        wrong.extend(self.alarms(name));
        for what in wrong {
            self.universe.borrow_mut().violation(what);
        }
    }

    /// I7: an environment falls behind and catches up by turns, and each is told once.
    fn alarms(&self, name: &FlowName) -> Vec<String> {
        let mut it = self.universe.borrow_mut();
        let (mut behind, mut looks, mut wrong) = (false, std::collections::BTreeSet::new(), Vec::new());
        for (_, row) in it.book.events.iter().filter(|(flow, _)| flow == name) {
            let falls = match row.event {
                Event::Behind { .. } => true,
                Event::CaughtUp { .. } => false,
                _ => continue,
            };
            // Two looks at one instant, of which one was stale, are one here: the ids are the same.
            looks.insert((falls, row.at.wall, row.at.trusted));
            if falls == behind {
                wrong.push(format!("I7: {name} {} is told twice of: {:?}", row.env, row.event));
            }
            behind = falls;
        }
        let prefixes = [format!("behind-{name}-"), format!("caught-up-{name}-")];
        let told: std::collections::BTreeSet<&String> =
            it.sent.iter().filter(|id| prefixes.iter().any(|prefix| id.starts_with(prefix))).collect();
        let news = looks.len();
        if told.len() != news {
            wrong.push(format!("I7: {name}: {news} alarms and ends of alarms, {} told", told.len()));
        }
        if behind != it.book.ledgers[name].behind.contains_key(&"production".into()) {
            wrong.push(format!("I7: {name}: the ledger and the history differ on what is behind"));
        }
        for _ in 0..news {
            it.count("seen: alarm begins or ends");
        }
        wrong
    }

    fn outcome(self) -> Outcome {
        let it = self.universe.borrow();
        let moved = !it.book.effects.is_empty();
        let mut text = format!("{:?}{:?}", it.counts, it.sent);
        for repository in it.repositories.values() {
            text.push_str(&format!("{:?}", repository.moves));
        }
        let hash = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let calls = it
            .counts
            .iter()
            .filter(|(k, _)| k.starts_with("effect") || k.starts_with("fault"))
            .map(|(_, n)| n)
            .sum();
        debug_assert!(it.truth >= START);
        Outcome { counts: it.counts.clone(), violations: it.violations.clone(), moved, hash, calls }
    }
}
