//! Races on purpose: a move is brought to some point of its way, somebody gives an order there, and processes die or
//! do not; then the order is lifted, faults stop, and everything arrives.
//!
//! Not here: what is ordered and how (`races_orders`), what is checked (`races_check`), and by what races are told
//! apart (`races_count`).

use std::task::{Context, Poll, Waker};

use towpath::engine::Fault;
use towpath_core::model::{
    Actor, BranchName, Change, CiState, CommitId, EnvName, FlowName, GateKind, Held, Report,
};

use super::REQUIRED;
use super::forge::ForgeFaults;
use super::races_check::{self, RaceLog, Reach, Said};
use super::races_count::{self, NO_CRASH, Raced};
use super::swarm::Swarm;
use super::universe::{Faults, Universe};
use crate::support::book::Deed;

/// How often moves are brought under way in one seed.
const BOUTS: usize = 25;

/// At what the process of a move is when the order begins, and for how many more turns it may go on there.
const PLACES: [(&str, usize); 9] = [
    ("SaveIntent", 2),
    ("Reread", 24),
    ("Reread", 24),
    ("MarkPushing", 1),
    ("Push", 2),
    ("Push", 2),
    ("ReadRef", 3),
    ("Record", 3),
    ("Propose", 3),
];

/// Who dies, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    None,
    /// The mover, before the order is begun.
    Before,
    /// The mover, at a crash point.
    AtPoint,
    /// The movers, after so many turns.
    Movers(usize),
    /// Whoever gives the order, after so many turns, if it is not written by then.
    Order(usize),
    /// The same, so many turns after it was written, if it is not answered by then.
    Written(usize),
    /// Everybody, after so many turns.
    All(usize),
}

/// How eager the sides are: of a hundred turns, those of whoever gives the order.
const GAITS: [usize; 4] = [100, 75, 50, 20];

/// A move to be brought under way.
pub(super) struct Bout {
    pub flow: FlowName,
    pub env: EnvName,
    place: &'static str,
    after: usize,
    pub death: Death,
    pub gait: usize,
    /// What raced, as far as that is known.
    pub raced: Vec<Raced>,
    /// Who died while the order was given that is given now.
    pub crash: &'static str,
}

fn is_green(it: &mut Universe, flow: &FlowName, commit: CommitId) {
    for check in REQUIRED {
        let at = it.now();
        let (on, url, by) = (None, None, Actor::new("ci"));
        let report = Report { commit, name: check.into(), on, state: CiState::Green, url, by, at };
        it.apply(Some(flow), &[Change::Report(report)]).expect("reports do not conflict");
    }
}

impl Swarm {
    /// Runs the races of one seed.
    pub(super) fn races(&mut self) {
        self.faults_of_races();
        for _ in 0..BOUTS {
            self.universe.borrow_mut().step += 1;
            self.bout();
            if self.is_bad() {
                return;
            }
        }
    }

    pub(super) fn draw(&self, end: usize) -> usize {
        self.universe.borrow_mut().rng.below(end)
    }

    pub(super) fn percent(&self, percent: u32) -> bool {
        self.universe.borrow_mut().rng.percent(percent)
    }

    pub(super) fn is_bad(&self) -> bool {
        !self.universe.borrow().violations.is_empty()
    }

    pub(super) fn of_log<T>(&self, of: impl FnOnce(&mut RaceLog) -> T) -> T {
        of(self.universe.borrow_mut().races.as_mut().expect("races are played"))
    }

    /// Those of the swarm, but for what makes a move nobody's or somebody else's.
    fn faults_of_races(&self) {
        let mut it = self.universe.borrow_mut();
        let faults = std::mem::take(&mut it.faults);
        let faults = Faults { unreachable: 0, stale_read: 0, merge_raced: 0, ..faults };
        it.races.as_mut().expect("races are played").faults = faults;
        for repository in it.repositories.values_mut() {
            repository.forge.state().faults = ForgeFaults::default();
        }
    }

    fn faults_strike(&self, strike: bool) {
        let faults = self.of_log(|log| log.faults.clone());
        self.universe.borrow_mut().faults = if strike { faults } else { Faults::default() };
    }

    fn bout(&mut self) {
        let mut bout = self.draw_bout();
        self.people_push(&bout.flow);
        self.people_help();
        if self.bring(&mut bout) {
            self.orders(&mut bout);
            self.rest(&mut bout);
        }
        if !self.is_bad() {
            races_check::kept(&mut self.universe.borrow_mut());
        }
        self.faults_strike(false);
        self.land(&mut bout);
        let mut it = self.universe.borrow_mut();
        for raced in &bout.raced {
            races_count::count(&mut it, raced);
        }
        drop(it);
        self.of_log(RaceLog::tidy);
    }

    fn draw_bout(&self) -> Bout {
        let flow = self.random_flow();
        let envs: Vec<EnvName> =
            self.universe.borrow().flow(&flow).edges().map(|edge| edge.target.name.clone()).collect();
        let env = envs[self.draw(envs.len())].clone();
        let (mut place, most) = PLACES[self.draw(PLACES.len())];
        if place == "Propose" && self.by_request(&flow).is_empty() {
            place = "Reread";
        }
        let death = match self.draw(20) {
            0..9 => Death::None,
            9 => Death::Before,
            10..12 => Death::AtPoint,
            12..14 => Death::Movers(self.draw(30)),
            14..16 => Death::Order(self.draw(12)),
            16..18 => Death::Written(self.draw(12)),
            _ => Death::All(self.draw(40)),
        };
        let (after, gait) = (self.draw(most + 1), GAITS[self.draw(GAITS.len())]);
        Bout { flow, env, place, after, death, gait, raced: Vec::new(), crash: NO_CRASH }
    }

    /// Somebody has worked on the flow, and perhaps on others.
    fn people_push(&self, flow: &FlowName) {
        for name in self.names() {
            if name != *flow && self.percent(50) {
                continue;
            }
            let mut it = self.universe.borrow_mut();
            let develop = BranchName::new("develop");
            let Some(mut tip) = it.repositories[&name].branches.get(&develop).copied() else { continue };
            for _ in 0..=it.rng.below(3) {
                tip = it.commit(&name, &[tip], None, "marek@x");
                if it.rng.percent(60) {
                    is_green(&mut it, &name, tip);
                }
            }
            it.set_branch(&name, &develop, Some(tip), None);
        }
    }

    /// CI is green wherever a branch is, and requests are approved.
    fn people_help(&self) {
        for name in self.names() {
            let mut it = self.universe.borrow_mut();
            let tips: Vec<CommitId> = it.repositories[&name].branches.values().copied().collect();
            for commit in tips {
                let reported = |it: &Universe| {
                    let all = it.book.reports.get(&name).map_or(&[][..], Vec::as_slice);
                    all.iter().rev().any(|report| report.commit == commit)
                };
                if reported(&it) {
                    continue;
                }
                is_green(&mut it, &name, commit);
            }
            let flow = it.flow(&name);
            let approved =
                |env: &EnvName| flow.environment(env).is_some_and(|env| env.gate(GateKind::Approvals).is_some());
            let envs: Vec<EnvName> = flow.edges().map(|edge| edge.target.name.clone()).filter(approved).collect();
            drop(it);
            for env in envs {
                self.on_request(&name, &env, (Deed::Approve, "eva"), "person: approves");
            }
        }
    }

    /// Passes over the flow until a move is where the bout wants it.
    fn bring(&mut self, bout: &mut Bout) -> bool {
        for _ in 0..12 {
            let mover = self.draw(self.running.len());
            self.start(mover, bout.flow.clone());
            if self.bring_once(mover, bout) || self.is_open(bout) {
                return true;
            }
            if self.is_bad() {
                return false;
            }
            self.time(65_000);
            self.people_help();
        }
        false
    }

    /// One pass, until the move is where the bout wants it or the pass ends.
    fn bring_once(&mut self, mover: usize, bout: &mut Bout) -> bool {
        let (mut there, mut left) = (false, bout.after);
        while self.running[mover].is_some() {
            let at_place = self.is_at_place(mover, bout);
            if self.is_open(bout) {
                self.faults_strike(true);
            }
            // Long enough there, or already beyond.
            if there && (left == 0 || !at_place) {
                return true;
            }
            if there {
                left -= 1;
            }
            there |= at_place;
            if !(there && left == 0) {
                self.poll(mover, bout);
            }
        }
        false
    }

    fn is_at_place(&self, mover: usize, bout: &Bout) -> bool {
        self.of_log(|log| {
            let Some((effect, on)) = log.at.get(&mover) else { return false };
            if bout.place == "Propose" {
                return matches!(*effect, "SaveProposal" | "Propose");
            }
            let row = on.as_ref().and_then(|id| log.open.get(id));
            row.is_some_and(|row| row.env == bout.env) && *effect == bout.place
        })
    }

    fn is_open(&self, bout: &Bout) -> bool {
        self.of_log(|log| log.open.values().any(|row| row.flow == bout.flow && row.env == bout.env))
    }

    /// One turn of a replica that has begun a pass.
    fn poll(&mut self, replica: usize, bout: &mut Bout) {
        self.universe.borrow().tell_time();
        let Some((future, _)) = &mut self.running[replica] else { return };
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            self.running[replica] = None;
            self.of_log(|log| log.at.remove(&replica));
            if matches!(result, Err(Fault::Crashed)) {
                self.died(bout, "the mover, at a crash point");
            }
        }
    }

    /// Somebody has died, which counts with the races that are under way.
    pub(super) fn died(&self, bout: &mut Bout, who: &'static str) {
        races_check::on_death(&mut self.universe.borrow_mut());
        let crashes = bout.raced.iter_mut().map(|raced| &mut raced.crash).chain([&mut bout.crash]);
        for crash in crashes.filter(|crash| **crash == NO_CRASH) {
            *crash = who;
        }
    }

    /// All replicas are killed in mid pass; whether there were any.
    pub(super) fn kill_movers(&mut self) -> bool {
        let mut killed = false;
        for replica in 0..self.running.len() {
            if self.running[replica].take().is_some() {
                self.universe.borrow_mut().lives[replica] += 1;
                self.of_log(|log| log.at.remove(&replica));
                killed = true;
            }
        }
        killed
    }

    /// One turn of some replica, which may begin a pass over a flow; and a little time.
    pub(super) fn turn(&mut self, flow: &FlowName, bout: &mut Bout) {
        let replica = self.draw(self.running.len());
        if self.running[replica].is_none() {
            self.start(replica, flow.clone());
        }
        self.poll(replica, bout);
        let ms = match self.draw(100) {
            0..4 => self.draw(15_000),
            4 => self.draw(150_000),
            _ => return,
        };
        self.time(ms);
    }

    /// Time passes; what is on the wire arrives at its own.
    pub(super) fn time(&self, ms: usize) {
        let mut it = self.universe.borrow_mut();
        let end = it.truth + ms as i64;
        while let Some(at) = it.wire.iter().map(|push| push.lands_at).filter(|at| *at <= end).min() {
            it.truth = it.truth.max(at);
            it.land_due();
        }
        it.truth = end;
    }

    /// What was ordered stands for some passes, in which somebody may still die.
    fn rest(&mut self, bout: &mut Bout) {
        for _ in 0..2 {
            self.time(70_000 + self.draw(70_000));
            let flow = if self.percent(75) { bout.flow.clone() } else { self.random_flow() };
            for turn in 0..600 {
                if self.is_bad() {
                    return;
                }
                if turn > 0 && self.running.iter().all(Option::is_none) {
                    break;
                }
                if turn == 0 {
                    self.turn(&flow, bout);
                    continue;
                }
                if self.percent(1) && self.kill_movers() {
                    self.died(bout, "a mover, after the answer");
                }
                for replica in 0..self.running.len() {
                    self.poll(replica, bout);
                }
            }
            self.people_help();
        }
    }

    /// Everything is lifted, no faults strike, nobody dies: what was pushed arrives, everywhere and soon.
    fn land(&mut self, bout: &mut Bout) {
        if self.is_bad() {
            return;
        }
        self.universe.borrow_mut().crash_at = None;
        for _ in 0..10_000 {
            if self.running.iter().all(Option::is_none) {
                break;
            }
            for replica in 0..self.running.len() {
                self.poll(replica, bout);
            }
        }
        // No two orders of the same words are given at one instant.
        self.time(1_000);
        self.lift_everything();
        for _ in 0..16 {
            if self.is_bad() || self.has_arrived() {
                return;
            }
            for name in self.names() {
                self.retry(&name);
                if !self.has_all(&name) {
                    self.tick_to_end(0, &name);
                }
            }
            self.time(125_000);
            self.people_help();
        }
        let late: Vec<String> =
            self.names().iter().filter(|name| !self.has_all(name)).map(|name| self.state(name)).collect();
        self.universe
            .borrow_mut()
            .violation(format!("I10: lifted and without faults, and still not there: {late:#?}"));
    }

    /// By commands, each run to its end.
    fn lift_everything(&mut self) {
        let (paused, held) = {
            let it = self.universe.borrow();
            let standing = || it.book.ledgers.values().map(|ledger| &ledger.standing);
            let commits = standing().flat_map(|standing| &standing.holds).map(|hold| match hold.what {
                Held::Commit(commit) | Held::Range { lost: commit, .. } => commit,
            });
            let held: std::collections::BTreeSet<CommitId> = commits.collect();
            let wall = it.reading().wall;
            let paused = standing().flat_map(|standing| &standing.pauses).any(|pause| !pause.until.is_over(wall));
            (paused, held)
        };
        let all = paused.then_some(Said::Resume { reach: Reach::All });
        for said in all.into_iter().chain(held.into_iter().map(|commit| Said::Unhold { commit, reach: Reach::All }))
        {
            if let Err(refusal) = self.order_at_once(&said) {
                self.universe.borrow_mut().violation(format!("I10: `{}` is refused: {refusal}", said.command()));
            }
        }
    }

    fn has_arrived(&self) -> bool {
        self.names().iter().all(|name| self.has_all(name)) && self.universe.borrow().wire.is_empty()
    }

    /// Whether every environment of the flow has what the first one has, and nothing is under way.
    fn has_all(&self, name: &FlowName) -> bool {
        let open = self.of_log(|log| log.open.values().any(|row| row.flow == *name));
        let it = self.universe.borrow();
        let (dag, branches) = (it.dag(name), &it.repositories[name].branches);
        let tip = |env: &BranchName| branches.get(env).copied();
        let flow = it.flow(name);
        let Some(wanted) = tip(&flow.environments[0].branch) else { return false };
        let has = |at: CommitId| dag.contains(at, wanted);
        !open && flow.environments.iter().all(|env| tip(&env.branch).is_some_and(has))
    }

    fn state(&self, name: &FlowName) -> String {
        let it = self.universe.borrow();
        let decisions = it.book.ledgers[name].decisions.iter();
        let decisions: Vec<String> =
            decisions.map(|(env, row)| format!("{env}: {:?}", row.decision.verdict)).collect();
        format!("{name}: {decisions:?}, {:?}", it.repositories[name].branches)
    }
}
