//! Scenarios in the simulated world.

use std::cell::RefCell;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use towpath::config::Config;
use towpath::engine::command::{Dry, Person, Refusal, Reply, carry_out};
use towpath::engine::{Fault, Side, Ticked, tick};
use towpath::store::Moves;
use towpath_core::command::Command;
use towpath_core::dag::Node;
use towpath_core::model::{BranchName, CommitId, EventRow, FlowName, Instant, Ledger, Span, TreeId, Ways};

use super::parse::FaultKind;
use super::run::{Counts, Made, Stage};
use crate::sim::universe::Universe;
use crate::sim::world::SimWorld;
use crate::support::book::Deed;
use crate::support::gate::GateBook;

/// How many replicas there may be.
const REPLICAS: usize = 9;

pub struct SimStage {
    universe: Rc<RefCell<Universe>>,
    config: Config,
    flow: FlowName,
    /// What each commit changes, for telling picks.
    changes: Vec<(CommitId, std::collections::BTreeSet<String>)>,
}

/// Twenty bytes that any two texts share only by mischance, the first digits included.
fn bytes_of(text: &str) -> [u8; 20] {
    let mut bytes = [0; 20];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (at, byte) in bytes.iter_mut().enumerate() {
        for part in text.bytes().chain([at as u8]) {
            hash = (hash ^ u64::from(part)).wrapping_mul(0x100_0000_01b3);
        }
        *byte = (hash >> 32) as u8;
    }
    bytes
}

impl SimStage {
    fn world(&self, replica: usize) -> SimWorld {
        SimWorld::new(&self.universe, replica - 1)
    }

    fn read(toml: &str) -> Result<Config, String> {
        Config::from_text(toml, Path::new("/scenario/towpath.toml")).map_err(|problems| problems.to_string())
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Ticked, Fault>> + 'a>>;

/// Polls to the end; nothing in the simulator waits for anything.
fn to_the_end<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    for _ in 0..1_000_000 {
        if let Poll::Ready(end) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return end;
        }
    }
    panic!("it does not end");
}

impl Stage for SimStage {
    fn begin(toml: &str, start: Instant, ways: Ways) -> Result<Self, String> {
        let config = Self::read(toml)?;
        let flow = config.flows[0].flow.clone();
        let mut universe = Universe::new(0, vec![flow.clone()], REPLICAS);
        universe.truth = start.0;
        for repository in universe.repositories.values() {
            repository.forge.state().manners.ways = ways;
        }
        Ok(Self { universe: Rc::new(RefCell::new(universe)), config, flow: flow.name, changes: Vec::new() })
    }

    fn configure(&mut self, toml: &str) -> Result<(), String> {
        self.config = Self::read(toml)?;
        self.universe.borrow_mut().flows = vec![self.config.flows[0].flow.clone()];
        Ok(())
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn commit(&mut self, made: &Made) -> CommitId {
        let id = CommitId::from_bytes(bytes_of(&format!("commit {}", made.label)));
        let tree = TreeId::from_bytes(bytes_of(&format!("tree {:?}", made.files)));
        let mut it = self.universe.borrow_mut();
        let repository = it.repositories.get_mut(&self.flow).expect("the flow exists");
        repository.nodes.push(Node {
            id,
            tree,
            parents: made.parents.clone(),
            merged: None,
            author: made.author.clone(),
            email: format!("{}@example.com", made.author),
            co_authors: Vec::new(),
            subject: format!("change {}", made.label),
        });
        repository.trees.insert(id, made.tree.clone());
        if made.parents.len() == 1 {
            let same = |(_, change): &&(CommitId, _)| change == &made.change;
            if let Some((of, _)) = self.changes.iter().find(same) {
                repository.picks.insert(id, *of);
            }
            self.changes.push((id, made.change.clone()));
        }
        id
    }

    fn set_branch(&mut self, branch: &str, to: Option<CommitId>) {
        self.universe.borrow_mut().set_branch(&self.flow, &BranchName::new(branch), to, None);
    }

    fn tip(&self, branch: &str) -> Option<CommitId> {
        self.universe.borrow().repositories[&self.flow].branches.get(&BranchName::new(branch)).copied()
    }

    fn on_request(&mut self, base: &str, deed: Deed, by: &str) -> Result<(), String> {
        self.universe.borrow_mut().person(&self.flow, &BranchName::new(base), deed, by)
    }

    fn gates(&mut self, change: impl FnOnce(&mut GateBook)) {
        change(&mut self.universe.borrow_mut().gates);
    }

    fn advance(&mut self, by: Span) {
        let mut it = self.universe.borrow_mut();
        it.truth += by.ms();
        it.land_due();
    }

    fn jump(&mut self, ms: i64) {
        self.universe.borrow_mut().wall_offset += ms;
    }

    fn reboot(&mut self) -> Result<(), String> {
        let mut it = self.universe.borrow_mut();
        it.boot += 1;
        it.lives.iter_mut().for_each(|life| *life += 1);
        Ok(())
    }

    fn restart(&mut self, replica: usize) -> Result<(), String> {
        self.universe.borrow_mut().lives[replica - 1] += 1;
        Ok(())
    }

    fn fault(&mut self, kind: FaultKind, count: u32) -> Result<(), String> {
        let script = &mut self.universe.borrow_mut().script;
        match kind {
            FaultKind::LoseAnswer => script.lose_answers = count,
            FaultKind::LosePush => script.lose_pushes = count,
            FaultKind::Refuse => script.refuse = count,
            FaultKind::Unreachable => script.unreachable = count,
            FaultKind::NoHistory => script.no_history = count,
            FaultKind::CutOff => script.cut_off = count,
            FaultKind::DiskFull => script.disk_full = count,
            FaultKind::SinkDown => script.sink_down = count,
        }
        Ok(())
    }

    fn crash(&mut self, side: Side, effect: &str) -> Result<(), String> {
        self.universe.borrow_mut().crash_at = Some((side, effect.to_owned(), 1));
        Ok(())
    }

    fn tick(&mut self, replicas: &[usize]) -> Vec<Result<Ticked, Fault>> {
        let flow = self.config.flows[0].flow.clone();
        let worlds: Vec<SimWorld> = replicas.iter().map(|replica| self.world(*replica)).collect();
        let mut running: Vec<Running<'_>> = worlds.iter().map(|world| Box::pin(tick(world, &flow)) as _).collect();
        let mut ends: Vec<Option<Result<Ticked, Fault>>> = replicas.iter().map(|_| None).collect();
        while ends.iter().any(Option::is_none) {
            // Turn by turn, an effect each.
            for (future, end) in running.iter_mut().zip(&mut ends).filter(|(_, end)| end.is_none()) {
                if let Poll::Ready(ended) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    *end = Some(ended);
                }
            }
        }
        let script = &mut self.universe.borrow_mut().script;
        let counted = [
            &mut script.unreachable,
            &mut script.no_history,
            &mut script.cut_off,
            &mut script.disk_full,
            &mut script.sink_down,
        ];
        for left in counted {
            *left = left.saturating_sub(1);
        }
        ends.into_iter().flatten().collect()
    }

    fn order(&mut self, replica: usize, command: &Command, who: &Person) -> Result<Reply, Refusal> {
        if let Command::Retry { env, .. } = command {
            self.universe.borrow_mut().retried(&self.flow, &env.as_str().into());
        }
        to_the_end(carry_out(&self.world(replica), &self.config, command, who, Dry::Real))
            .map_err(|refused| refused.why)
    }

    fn ledger(&mut self) -> Ledger {
        self.universe.borrow().book.ledgers[&self.flow].clone()
    }

    fn events(&mut self) -> Vec<EventRow> {
        self.universe.borrow().book.events.iter().map(|(_, row)| row.clone()).collect()
    }

    fn moves_since(&mut self, since: Instant) -> Moves {
        let it = self.universe.borrow();
        let by_hand = it.book.hands.iter().map(|(_, moved)| moved.clone());
        let mut own: std::collections::BTreeMap<_, u64> = std::collections::BTreeMap::new();
        for effect in it.book.effects.values().filter(|effect| effect.at.wall >= since) {
            *own.entry(effect.env.clone()).or_default() += 1;
        }
        let by_hand = by_hand.filter(|moved| moved.at.wall >= since).collect();
        Moves { by_hand, own: own.into_iter().collect() }
    }

    fn counts(&mut self) -> Counts {
        let it = self.universe.borrow();
        Counts {
            moves: it.repositories[&self.flow].moves.iter().filter(|moved| moved.by.is_some()).count(),
            effects: it.book.effects.len(),
            messages: it.sent.len(),
            asked: it.gates.answered,
        }
    }

    fn violations(&mut self) -> Vec<String> {
        // I2 there knows the swarm's own flows only; here every move is expected by name.
        let it = self.universe.borrow();
        it.violations.iter().filter(|what| !what.contains("I2:")).cloned().collect()
    }
}
