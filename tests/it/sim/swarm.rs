//! Seeded swarms: replicas, people, clocks and faults take turns at random; invariants are checked
//! at every step; then faults stop and everything eligible has to arrive.

use std::cell::RefCell;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use towpath::config::Config;
use towpath::engine::command::{Dry, Person, Refusal, Reply, carry_out};
use towpath::engine::{Fault, Side, Ticked, tick};
use towpath::forge::Ways;
use towpath_core::command::Command;
use towpath_core::model::{Event, Flow, FlowName, Mode, Pause};
use towpath_core::people::{Identity, Surface};

use super::forge::{ForgeFaults, Manners};
use super::races_check::RaceLog;
use super::races_count::Races;
use super::rng::Rng;
use super::universe::{Counts, Faults, START, Universe};
use super::world::SimWorld;
use super::{KILLED, Plant, REQUIRED, flows};
use crate::support::gate::Says;

type Running = Pin<Box<dyn Future<Output = Result<Ticked, Fault>>>>;
type Commanding = Pin<Box<dyn Future<Output = Result<Reply, Refusal>>>>;

/// What a run came to.
pub struct Outcome {
    pub counts: Counts,
    pub violations: Vec<String>,
    pub moved: bool,
    /// Everything that happened, hashed: equal for equal seeds.
    pub hash: u64,
    pub calls: u64,
    /// The races that were run on purpose.
    pub races: Races,
}

pub struct Swarm {
    pub(super) universe: Rc<RefCell<Universe>>,
    pub(super) running: Vec<Option<(Running, FlowName)>>,
    /// A command that somebody gives, in a process of its own.
    pub(super) commanding: Option<Commanding>,
    pub(super) config: Rc<Config>,
    pub(super) ids: u64,
}

/// What a swarm's flows are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Moves by push and by request.
    Moves,
    /// Schema migrations of two environments on one database.
    Databases,
    /// Orders that stop, given while a move is under way.
    Races,
}

/// Runs one seed.
pub fn run(seed: u64, steps: u64, plant: Option<Plant>) -> Outcome {
    run_about(About::Moves, seed, steps, plant)
}

/// Runs one seed of flows that are about something.
pub fn run_about(about: About, seed: u64, steps: u64, plant: Option<Plant>) -> Outcome {
    let mut swarm = Swarm::new(about, seed, plant);
    if about == About::Races {
        swarm.races();
    }
    for step in (0..steps).filter(|_| about != About::Races) {
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
    let mut swarm = Swarm::new(About::Moves, seed, None);
    for flow in &mut swarm.universe.borrow_mut().flows {
        flow.environments.iter_mut().for_each(|environment| environment.mode = Mode::Observe);
    }
    let observed = config(&swarm.universe.borrow().flows);
    swarm.config = Rc::new(observed);
    for step in 0..steps {
        swarm.universe.borrow_mut().step = step;
        swarm.step();
    }
    let it = swarm.universe.borrow();
    assert_eq!(it.violations, Vec::<String>::new(), "seed {seed}");
    for effect in ["effect: push", "effect: begin_push", "effect: propose", "effect: send"] {
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
    fn new(about: About, seed: u64, plant: Option<Plant>) -> Self {
        let mut rng = Rng::new(seed);
        let read = if plant == Some(Plant::ReadOneCheckOfThree) { 1 } else { REQUIRED.len() };
        let count = 2 + rng.below(2);
        let flow = |at: usize, rng: &mut Rng| {
            let name = ["alpha", "be", "gam"][at];
            match about {
                About::Databases => return flows::on_a_database(name, read),
                About::Races => return flows::to_race(rng, name, read),
                About::Moves => {}
            }
            if rng.percent(50) { flows::by_request(rng, name, read) } else { flows::three(name, read) }
        };
        let flows: Vec<Flow> = (0..count).map(|at| flow(at, &mut rng)).collect();
        let config = Rc::new(config(&flows));
        let replicas = 2 + rng.below(2);
        // One more, for commands.
        let mut universe = Universe::new(rng.next(), flows, replicas + 1);
        universe.plant = plant;
        universe.races = (about == About::Races).then(RaceLog::default);
        universe.made = (about == About::Databases).then(|| (Rng::new(seed), 0));
        universe.gates.say_of_all(Says::Pass);
        universe.record = (seed % 2 == 1).then(|| Rng::new(seed));
        universe.trace = std::env::var_os("TOWPATH_TRACE").is_some();
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
            head_unread: fault(12),
            merge_raced: fault(20),
        };
        let faults = ForgeFaults {
            unknown: fault(12),
            late: fault(60),
            not_sent: fault(40),
            refused: fault(40),
            lost_answer: fault(60),
        };
        for repository in universe.repositories.values_mut() {
            let mut state = repository.forge.state();
            state.seed(Rng::new(rng.next()));
            (state.manners, state.faults, state.plant) = (manners(&mut rng), faults, plant);
        }
        let swarm = Self {
            universe: Rc::new(RefCell::new(universe)),
            running: (0..replicas).map(|_| None).collect(),
            commanding: None,
            config,
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
            96..97 => self.crash(),
            97..98 => self.kill_at_a_point(),
            _ => self.reboot(),
        }
        if land {
            self.universe.borrow_mut().land_due();
        }
    }

    pub(super) fn random_flow(&self) -> FlowName {
        let mut it = self.universe.borrow_mut();
        let at = it.rng.below(1 << 16) % it.flows.len();
        it.flows[at].name.clone()
    }

    fn poll_one(&mut self) {
        let replica = {
            let mut it = self.universe.borrow_mut();
            it.tell_time();
            it.rng.below(self.running.len() + usize::from(self.commanding.is_some()))
        };
        if replica == self.running.len() {
            self.poll_command();
            return;
        }
        if self.running[replica].is_none() {
            let name = self.random_flow();
            self.start(replica, name);
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

    /// A replica begins a pass over a flow.
    pub(super) fn start(&mut self, replica: usize, name: FlowName) {
        let flow = self.universe.borrow().flow(&name).clone();
        let world = SimWorld::new(&self.universe, replica);
        let future = async move { tick(&world, &flow).await };
        self.running[replica] = Some((Box::pin(future), name));
    }

    /// Gives a command, if nobody else is giving one.
    pub(super) fn command(&mut self, command: Command, name: &'static str) {
        if self.commanding.is_some() {
            return;
        }
        self.universe.borrow_mut().count(name);
        let world = SimWorld::new(&self.universe, self.running.len());
        let identity = Identity::Os { user: "olga".to_owned(), host: "desk".to_owned() };
        let who = Person::new(identity, Surface::Cli);
        let config = self.config.clone();
        let given = async move {
            carry_out(&world, &config, &command, &who, Dry::Real).await.map_err(|refused| refused.why)
        };
        self.commanding = Some(Box::pin(given));
    }

    /// Whether somebody is giving a command.
    pub(super) fn is_given(&self) -> bool {
        self.commanding.is_some()
    }

    pub(super) fn poll_command(&mut self) {
        let polls = self.universe.borrow_mut().rng.below(12) + 1;
        for _ in 0..polls {
            let Some(given) = &mut self.commanding else { return };
            if let Poll::Ready(end) = given.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                self.commanding = None;
                self.answered(end);
            }
        }
    }

    /// Whoever gave a command has its answer: the pause of a rollback counts from now on.
    fn answered(&self, end: Result<Reply, Refusal>) {
        let mut it = self.universe.borrow_mut();
        let Ok(reply) = end else {
            it.count("seen: command refused");
            return;
        };
        it.count("seen: command carried out");
        let rollbacks =
            |pause: &&Pause| pause.cause.as_ref().is_some_and(|cause| cause.as_str().starts_with("rollback"));
        let standing = it.book.ledgers.values().flat_map(|ledger| &ledger.standing.pauses).filter(rollbacks);
        let new: Vec<Pause> = standing.filter(|p| !it.book.acknowledged.contains_key(&p.id)).cloned().collect();
        for pause in new {
            it.acknowledge(
                pause,
                reply.pushing.iter().map(|row| row.id.clone()).collect(),
                reply.proposing.clone(),
            );
        }
    }

    /// The next process to come by a place dies there.
    fn kill_at_a_point(&self) {
        let mut it = self.universe.borrow_mut();
        let (point, ..) = KILLED[it.rng.below(KILLED.len())];
        let side = if it.rng.percent(50) { Side::Before } else { Side::After };
        let nth = 1 + it.rng.below(2) as u32;
        it.crash_at = Some((side, point.to_owned(), nth));
    }

    fn crash(&mut self) {
        let mut it = self.universe.borrow_mut();
        let replica = it.rng.below(self.running.len() + 1);
        if replica == self.running.len() {
            if self.commanding.take().is_some() {
                it.lives[replica] += 1;
                it.count("fault: crash in mid command");
            }
            return;
        }
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
            if self.commanding.take().is_some() {
                it.lives[self.running.len()] += 1;
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

    fn outcome(self) -> Outcome {
        let it = self.universe.borrow();
        let moved = !it.book.effects.is_empty();
        let mut counts = it.counts.clone();
        for repository in it.repositories.values() {
            for (what, count) in &repository.forge.state().counts {
                *counts.entry(what).or_default() += count;
            }
        }
        let mut text = format!("{counts:?}{:?}", it.sent);
        for repository in it.repositories.values() {
            text.push_str(&format!("{:?}", repository.moves));
        }
        let hash = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        let counted =
            |what: &str| ["effect", "fault", "request fault", "killed"].iter().any(|kind| what.starts_with(kind));
        let calls = counts.iter().filter(|(what, _)| counted(what)).map(|(_, n)| n).sum();
        debug_assert!(it.truth >= START);
        let races = it.races.as_ref().map(|log| log.races.clone()).unwrap_or_default();
        Outcome { counts, violations: it.violations.clone(), moved, hash, calls, races }
    }
}

/// The config of these flows, as commands look up in it what they name.
fn config(flows: &[Flow]) -> Config {
    let table = |flow: &Flow| {
        let envs = flow.environments.iter().map(|env| format!("[[flow.environment]]\nname = \"{}\"\n", env.name));
        format!("[[flow]]\nrepository = \"/repos/{0}\"\nname = \"{0}\"\n{1}", flow.name, envs.collect::<String>())
    };
    let text: String = flows.iter().map(table).collect();
    let mut config = Config::from_text(&text, Path::new("/swarm/towpath.toml")).expect("a config");
    for (found, flow) in config.flows.iter_mut().zip(flows) {
        found.flow = flow.clone();
    }
    config
}

fn manners(rng: &mut Rng) -> Manners {
    let (fast_forward, merge_commit, push) = match rng.below(10) {
        0 => (true, false, false),
        1..3 => (true, true, false),
        3..5 => (false, false, true),
        5..8 => (false, true, true),
        _ => (false, true, false),
    };
    Manners {
        ways: Ways { fast_forward, merge_commit, push },
        dated: rng.percent(30),
        closes_without_branch: rng.percent(50),
        deletes_merged: rng.percent(30),
    }
}
