//! Scenarios on real parts: a bare repository, the git program, SQLite, and the program's own
//! `RealWorld`. Only time is not real: it passes when the scenario says so. Where the repository is, and what
//! there is for a forge, is a [`Hosting`].

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;
use tokio::sync::Barrier;
use towpath::clock::ManualClock;
use towpath::config::Config;
use towpath::engine::command::{Dry, Person, Refusal, Reply, carry_out};
use towpath::engine::{Fault, Side, Ticked, tick};
use towpath::store::{Create, SqliteStore, What};
use towpath_core::command::Command;
use towpath_core::model::{
    CiState, CommitId, EffectRow, EventRow, Instant, IntentRow, IntentState, Ledger, MoveKind, Span, Via, Ways,
};

use super::hosting::Hosting;
use super::parse::FaultKind;
use super::real_world::{Process, Script};
use super::run::{Counts, GATE, Made, Stage};
use super::server::{Moved, Server};
use crate::support::book::Deed;
use crate::support::gate::{self, GateBook, GateServer};

/// Where the store of a scenario is: where a config that names none has it.
pub fn store_of(server: &Server) -> PathBuf {
    server.folder().join("towpath.db")
}

pub struct RealStage<H> {
    // Dropped in this order: what works on the folder before the folder.
    processes: BTreeMap<usize, Process>,
    observer: SqliteStore,
    runtime: Runtime,
    clock: ManualClock,
    config: Config,
    script: Rc<RefCell<Script>>,
    server: Rc<Server>,
    hosting: H,
    gate: GateServer,
    gates: Arc<Mutex<GateBook>>,
    /// How many passes there were.
    ticks: usize,
}

impl<H: Hosting> RealStage<H> {
    fn read(server: &Server, hosting: &H, gate: &GateServer, toml: &str) -> Result<Config, String> {
        let toml = toml.replace(GATE, &gate.url);
        let path = server.folder().join("towpath.toml");
        let config = Config::from_text(&hosting.named(server, &toml), &path);
        let config = config.map_err(|problems| problems.to_string())?;
        hosting.configured(&config);
        Ok(config)
    }

    /// Starts the process of a replica, if it does not run.
    fn start(&mut self, replica: usize) {
        if self.processes.contains_key(&replica) {
            return;
        }
        let world = self.hosting.world(&self.runtime, &self.server, &self.config, &self.clock);
        let (server, script) = (self.server.clone(), self.script.clone());
        self.processes.insert(replica, Process::new(world, server, script, self.hosting.on_call()));
    }

    /// Everything that was recorded, oldest first.
    fn recorded(&self) -> Vec<What> {
        let items = self.runtime.block_on(self.observer.history(None, usize::MAX)).expect("the history");
        items.into_iter().rev().map(|item| item.what).collect()
    }

    fn effects(&self) -> Vec<EffectRow> {
        let effect = |what| if let What::Effect(row) = what { Some(row) } else { None };
        self.recorded().into_iter().filter_map(effect).collect()
    }
}

impl<H: Hosting> Stage for RealStage<H> {
    fn begin(toml: &str, start: Instant, ways: Ways) -> Result<Self, String> {
        let gates: Arc<Mutex<GateBook>> = Arc::default();
        let book = Arc::clone(&gates);
        let gate = GateServer::start(move |_, asked| book.lock().expect("the book").bytes(asked));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (server, hosting) = H::begin(&runtime, start, ways);
        let config = Self::read(&server, &hosting, &gate, toml)?;
        let observer = runtime.block_on(SqliteStore::open(&store_of(&server), Create::Yes)).expect("a store");
        let (clock, server) = (ManualClock::new(start), Rc::new(server));
        let (processes, script) = (BTreeMap::new(), Rc::default());
        Ok(Self { processes, observer, runtime, clock, config, script, server, hosting, gate, gates, ticks: 0 })
    }

    fn configure(&mut self, toml: &str) -> Result<(), String> {
        self.config = Self::read(&self.server, &self.hosting, &self.gate, toml)?;
        // A config is read when a process starts.
        self.processes.clear();
        Ok(())
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn commit(&mut self, made: &Made) -> CommitId {
        let commit = self.server.commit(made);
        self.hosting.committed(commit, &made.author);
        commit
    }

    fn set_branch(&mut self, branch: &str, to: Option<CommitId>) {
        self.server.set_branch(branch, to);
    }

    fn tip(&self, branch: &str) -> Option<CommitId> {
        self.server.tip(branch)
    }

    fn on_request(&mut self, base: &str, deed: Deed, by: &str) -> Result<(), String> {
        self.advance(H::APART);
        self.hosting.person(&self.server, base, deed, by)?;
        self.advance(H::APART);
        Ok(())
    }

    fn checked(&mut self, commit: CommitId, check: &str, state: CiState, on: Option<&str>) -> bool {
        self.hosting.checked(commit, check, state, on)
    }

    fn gates(&mut self, change: impl FnOnce(&mut GateBook)) {
        change(&mut self.gates.lock().expect("the book"));
    }

    fn advance(&mut self, by: Span) {
        self.clock.advance(by);
        self.hosting.pass(by);
    }

    fn jump(&mut self, ms: i64) {
        self.clock.jump(ms);
    }

    fn reboot(&mut self) -> Result<(), String> {
        self.clock.reboot();
        self.processes.clear();
        Ok(())
    }

    fn restart(&mut self, replica: usize) -> Result<(), String> {
        self.processes.remove(&replica);
        Ok(())
    }

    fn fault(&mut self, kind: FaultKind, count: u32) -> Result<(), String> {
        let mut script = self.script.borrow_mut();
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
        self.hosting.cut(&self.server, script.unreachable > 0);
        Ok(())
    }

    fn crash(&mut self, side: Side, effect: &str) -> Result<(), String> {
        self.script.borrow_mut().crash = Some((side, effect.to_owned()));
        Ok(())
    }

    fn tick(&mut self, replicas: &[usize]) -> Vec<Result<Ticked, Fault>> {
        replicas.iter().for_each(|replica| self.start(*replica));
        self.ticks += 1;
        let flow = &self.config.flows[0].flow;
        let ends = match *replicas {
            [one] => vec![self.runtime.block_on(tick(&self.processes[&one], flow))],
            [one, other] => {
                let (one, other) = (&self.processes[&one], &self.processes[&other]);
                let place = Rc::new(Barrier::new(2));
                [one, other].iter().for_each(|process| process.meet_at(&place));
                let (first, second) =
                    self.runtime.block_on(async { tokio::join!(tick(one, flow), tick(other, flow)) });
                vec![first, second]
            }
            _ => panic!("one or two tick at the same time"),
        };
        self.processes.retain(|_, process| !process.is_dead());
        let mut script = self.script.borrow_mut();
        let script = &mut *script;
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
        self.hosting.cut(&self.server, script.unreachable > 0);
        ends
    }

    fn order(&mut self, replica: usize, command: &Command, who: &Person) -> Result<Reply, Refusal> {
        self.start(replica);
        let order = carry_out(&self.processes[&replica], &self.config, command, who, Dry::Real);
        let end = self.runtime.block_on(order);
        self.processes.retain(|_, process| !process.is_dead());
        end.map_err(|refused| refused.why)
    }

    fn ledger(&mut self) -> Ledger {
        let flow = &self.config.flows[0].flow;
        let targets = towpath::engine::tick::targets(flow);
        self.runtime.block_on(self.observer.load(&flow.name, &targets)).expect("the ledger")
    }

    fn events(&mut self) -> Vec<EventRow> {
        let event = |what| if let What::Event(row) = what { Some(row) } else { None };
        self.recorded().into_iter().filter_map(event).collect()
    }

    fn moves_since(&mut self, since: Instant) -> towpath::store::Moves {
        let flow = &self.config.flows[0].flow;
        self.runtime.block_on(self.observer.moves_since(&flow.name, since)).expect("the moves")
    }

    fn counts(&mut self) -> Counts {
        Counts {
            moves: self.server.moves().len(),
            effects: self.effects().len(),
            messages: self.script.borrow().sent.len(),
            asked: self.gates.lock().expect("the book").answered,
        }
    }

    /// From what git noted by itself: no effect without a move, no move without an effect unless its
    /// outcome cannot be told, and forward only, unless somebody ordered a rollback.
    fn violations(&mut self) -> Vec<String> {
        let by_request = self.config.flows[0].flow.environments.iter().any(|env| env.via == Via::MergeRequest);
        // A pass over requests reads them, and the look after a move has something new to say.
        let told = usize::from(!self.server.moves().is_empty());
        let asked = if by_request { self.ticks } else { told };
        let mut wrong = self.hosting.wrong(asked);
        let ended = |what| if let What::Intent(row) = what { Some(*row) } else { None };
        let mut intents: Vec<IntentRow> = self.recorded().into_iter().filter_map(ended).collect();
        intents.extend(self.ledger().intents.into_iter().filter(|row| !row.state.is_final()));
        let mut effects = self.effects();
        for Moved { branch, old, new } in self.server.moves() {
            let of = |row: &EffectRow| (row.old, row.new) == (old, new);
            let of_it = |row: &&IntentRow| (row.branch.as_str(), row.old, row.new) == (branch.as_str(), old, new);
            let said: Vec<&IntentRow> = intents.iter().filter(of_it).collect();
            if !self.server.is_ahead(new, old) && !said.iter().any(|row| row.kind == MoveKind::Rollback) {
                wrong.push(format!("{branch} went back from {old} to {new} without an order"));
            }
            match effects.iter().position(of) {
                Some(at) => drop(effects.remove(at)),
                None if said.iter().any(|row| row.state != IntentState::Landed) => {}
                None => wrong.push(format!("{branch} went from {old} to {new} and no effect says so")),
            }
        }
        wrong.extend(effects.iter().map(|effect| format!("nothing moved for {effect:?}")));
        if let Err(why) = self.runtime.block_on(self.observer.verify()) {
            wrong.push(why.to_string());
        }
        wrong
    }

    fn plain(&self, text: String) -> String {
        let text = text.replace(self.gate.host(), "gate.test").replace(gate::HUNG_UP_OF_REQWEST, gate::HUNG_UP);
        self.hosting.plain(&self.server, text)
    }
}
