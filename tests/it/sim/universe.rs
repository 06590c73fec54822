//! Everything outside the engine, in memory: clocks, repositories, the store, and a record of
//! what truly happened that the engine never sees.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use towpath_core::dag::{Dag, Node};
use towpath_core::model::{
    BranchName, Change, CiItem, ClockRow, CommitId, EffectRow, EnvName, EventRow, Flow, FlowName, GateKind,
    HandMove, HeadsUpTold, Hold, Instant, IntentId, IntentRow, IntentState, Ledger, Message, Now, OrderId, Pause,
    Reading, Report, Requests, TreeId, Underway,
};

use super::check_requests;
use super::forge::SimForge;
use super::made::{self, Made};
use super::races_check::RaceLog;
use super::rng::Rng;
use crate::support::gate::GateBook;

/// A repository: every commit ever made, in order, and where the branches are.
#[derive(Debug, Default)]
pub struct Repository {
    pub nodes: Vec<Node>,
    /// The files of commits, where a scenario says what they are.
    pub trees: BTreeMap<CommitId, BTreeMap<String, String>>,
    /// What was read of their migrations.
    pub memo: towpath_compat::migration::Memo,
    pub branches: BTreeMap<BranchName, CommitId>,
    /// Commits that make the same change as another.
    pub picks: BTreeMap<CommitId, CommitId>,
    pub unreachable: bool,
    /// What a hook says to every push.
    pub refuses: Option<String>,
    /// Every move of a branch, with the intent that caused it.
    pub moves: Vec<Moved>,
    /// Whether the move that is being made comes late.
    pub delayed: bool,
    /// Moves of branches up to which a person has looked, and let Towpath go on.
    pub let_go: BTreeMap<BranchName, usize>,
    /// Since when (true time) each commit has been on a branch without a break.
    pub arrivals: BTreeMap<BranchName, BTreeMap<CommitId, i64>>,
    /// Arrivals of commits that left a branch, until somebody has seen the branch without them: a
    /// commit that is off and on again between two looks cannot be told from one that stayed.
    pub unseen_gone: BTreeMap<BranchName, BTreeMap<CommitId, i64>>,
    /// Its forge.
    pub forge: SimForge,
    /// What we put onto request branches.
    pub puts: BTreeMap<BranchName, BTreeSet<CommitId>>,
    /// Of those, what reached the server from a process that another one had taken over from, when something else
    /// was wanted there: to everybody who looks it is somebody else's.
    pub late: BTreeMap<BranchName, BTreeSet<CommitId>>,
    /// How often a head of ours was wanted anew, after something else had been, and was still there.
    pub found: BTreeMap<(BranchName, CommitId), usize>,
    /// Merges that the forge made and that are just what they brought: into which branch, and of which head.
    pub promotions: BTreeMap<CommitId, (BranchName, CommitId)>,
    /// What commits do to their database, where that is played.
    pub made: BTreeMap<CommitId, Made>,
    dag: RefCell<Option<Rc<Dag>>>,
}

#[derive(Debug, Clone)]
pub struct Moved {
    pub branch: BranchName,
    pub old: Option<CommitId>,
    pub new: Option<CommitId>,
    pub by: Option<IntentId>,
    /// It reached the server long after its process had gone on.
    pub delayed: bool,
    /// True time.
    pub at: i64,
}

/// A push that left a process and has not reached the server.
#[derive(Debug, Clone)]
pub struct OnTheWire {
    pub flow: FlowName,
    pub row: IntentRow,
    /// True time.
    pub lands_at: i64,
}

/// The store of all flows.
#[derive(Debug, Default)]
pub struct Book {
    pub clock: Option<ClockRow>,
    pub ledgers: BTreeMap<FlowName, Ledger>,
    pub intents: BTreeMap<IntentId, IntentRow>,
    /// How many reports the flow had when an intent was saved: what is read again afterwards has
    /// to be green then or later.
    pub reports_at_save: BTreeMap<IntentId, usize>,
    /// The same of what the server of the `http` gate let pass.
    pub passed_at_save: BTreeMap<IntentId, usize>,
    pub effects: BTreeMap<IntentId, EffectRow>,
    pub events: Vec<(FlowName, EventRow)>,
    /// Ids of orders, messages and commands that were given out; none is taken twice.
    pub taken: BTreeSet<(&'static str, String)>,
    pub hands: Vec<(FlowName, HandMove)>,
    pub reports: BTreeMap<FlowName, Vec<Report>>,
    pub leases: BTreeMap<FlowName, Lease>,
    pub acknowledged: BTreeMap<OrderId, Acknowledged>,
    /// Which gate each `override` passes.
    pub overrides: BTreeMap<OrderId, GateKind>,
    /// How many states of requests there had been when an intent was saved, as with the reports.
    pub requests_at_save: BTreeMap<IntentId, usize>,
    /// The tips on a database that the store knew of when an intent was saved.
    pub held_at_save: BTreeMap<IntentId, BTreeSet<(EnvName, CommitId)>>,
    /// Pauses that somebody lifted.
    pub lifted: BTreeSet<OrderId>,
    /// What the audit says of pauses that ended by themselves.
    pub expired: Vec<OrderId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub flow: FlowName,
    pub replica: usize,
    pub life: u64,
    pub epoch: u64,
    pub until: i64,
}

/// A pause whose order was answered.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    pub pause: Pause,
    /// The intents that the answer named.
    pub named: BTreeSet<IntentId>,
    /// The same for requests: into which environment for which head.
    pub proposing: BTreeSet<(FlowName, EnvName, CommitId)>,
    /// True time.
    pub since: i64,
}

/// What a process knows of orders since it last read them.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The wall as it last read it.
    pub wall: Option<Instant>,
    /// The wall when it last began to put a candidate into a request.
    pub begun: Option<Instant>,
    pub promotes: Vec<(EnvName, CommitId)>,
    pub overrides: Vec<(EnvName, CommitId, GateKind)>,
    pub holds: Vec<Hold>,
    /// How many reports of CI there were when its pass began.
    pub reports: usize,
    /// Where it was told last that the branches are.
    pub tips: BTreeMap<EnvName, CommitId>,
    /// What it was told last of the requests into an environment.
    pub requests: BTreeMap<EnvName, Requests>,
}

/// Counts of what was done to the engine, by class.
pub type Counts = BTreeMap<&'static str, u64>;

pub struct Universe {
    pub rng: Rng,
    /// Milliseconds that truly passed.
    pub truth: i64,
    pub wall_offset: i64,
    pub boot: u64,
    pub flows: Vec<Flow>,
    pub repositories: BTreeMap<FlowName, Repository>,
    pub book: Book,
    pub wire: Vec<OnTheWire>,
    pub sent: Vec<String>,
    /// What the server of the `http` gates says.
    pub gates: GateBook,
    pub counts: Counts,
    pub faults: Faults,
    pub script: Scripted,
    pub plant: Option<super::Plant>,
    /// The commits of which each replica has read the results of CI in its pass and saved no intent since.
    pub just_read: BTreeMap<usize, Vec<(FlowName, CommitId)>>,
    /// How often each replica has been started; a lease of an earlier life is dead.
    pub lives: Vec<u64>,
    /// What each replica knows of a flow whose commits enter somewhere by request.
    pub loaded: BTreeMap<(usize, FlowName), Loaded>,
    pub step: u64,
    /// Where a scenario wants the process killed.
    pub crash_at: Option<(towpath::engine::Side, String, u32)>,
    pub violations: Vec<String>,
    /// Where databases are played: what is rolled for what commits do to theirs, and the newest name.
    pub made: Option<(Rng, u32)>,
    /// Where the forge keeps when branches moved: what is rolled for how much of it it tells.
    pub record: Option<Rng>,
    /// What orders and moves do when they race, where that is played.
    pub races: Option<RaceLog>,
    /// Whether everything that happens is printed.
    pub trace: bool,
}

/// How often (per cent) each fault strikes; a swarm switches some off for each seed.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub lost_answer: u32,
    pub delayed_push: u32,
    pub refused: u32,
    pub unreachable: u32,
    pub not_sent: u32,
    pub ref_unread: u32,
    pub stale_read: u32,
    pub store_fails: u32,
    pub store_answer_lost: u32,
    pub sink_fails: u32,
    pub head_unread: u32,
    /// Somebody pushes while the forge makes a merge.
    pub merge_raced: u32,
}

/// Faults that a scenario ordered: how many more times each strikes.
#[derive(Debug, Clone, Default)]
pub struct Scripted {
    /// Pushes that land unheard.
    pub lose_answers: u32,
    /// Pushes that never arrive.
    pub lose_pushes: u32,
    /// Pushes that the server refuses.
    pub refuse: u32,
    /// Ticks without the remote.
    pub unreachable: u32,
    /// Ticks with a remote whose history cannot be read.
    pub no_history: u32,
    /// Ticks in which the remote is gone once its branches were listed.
    pub cut_off: u32,
    /// Ticks in which the store takes nothing.
    pub disk_full: u32,
    /// Ticks in which no message is delivered.
    pub sink_down: u32,
}

/// The id that a change takes for a new row, by table, as the real store has them unique.
fn own_id(change: &Change) -> Option<(&'static str, String)> {
    match change {
        Change::Pause(row) => Some(("pauses", row.id.to_string())),
        Change::Hold(row) => Some(("holds", row.id.to_string())),
        Change::Promote(row) => Some(("promotes", row.id.to_string())),
        Change::Override(row) => Some(("overrides", row.id.to_string())),
        Change::Approve(row) => Some(("approvals", row.id.to_string())),
        Change::Tell(message) => Some(("outbox", message.id.clone())),
        Change::Audit(row) => Some(("audit", row.id.to_string())),
        _ => None,
    }
}

/// Whether a counted fault strikes now.
pub fn strikes_now(left: &mut u32) -> bool {
    let strikes = *left > 0;
    *left = left.saturating_sub(1);
    strikes
}

pub const START: i64 = 1_774_000_000_000;

impl Universe {
    pub fn new(seed: u64, flows: Vec<Flow>, replicas: usize) -> Self {
        let repositories = flows.iter().map(|f| (f.name.clone(), Repository::default())).collect();
        let ledgers = flows.iter().map(|f| (f.name.clone(), Ledger::default())).collect();
        Self {
            rng: Rng::new(seed),
            truth: START,
            wall_offset: 0,
            boot: 0,
            flows,
            repositories,
            book: Book { ledgers, ..Book::default() },
            wire: Vec::new(),
            sent: Vec::new(),
            gates: GateBook::default(),
            counts: Counts::new(),
            faults: Faults::default(),
            script: Scripted::default(),
            plant: None,
            just_read: BTreeMap::new(),
            lives: vec![0; replicas],
            loaded: BTreeMap::new(),
            step: 0,
            crash_at: None,
            violations: Vec::new(),
            made: None,
            record: None,
            races: None,
            trace: false,
        }
    }

    /// Prints what happens, where somebody wants to read it.
    pub fn trace(&self, what: impl FnOnce() -> String) {
        if self.trace {
            println!("step {} at {}: {}", self.step, self.truth, what());
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub fn flow(&self, name: &FlowName) -> &Flow {
        self.flows.iter().find(|f| &f.name == name).expect("the flow exists")
    }

    pub fn reading(&self) -> Reading {
        Reading {
            wall: Instant(self.truth + self.wall_offset),
            boottime_ms: self.truth - START,
            boot: format!("boot-{}", self.boot),
        }
    }

    /// Advances the stored clock as a store does.
    pub fn now(&mut self) -> Now {
        let reading = self.reading();
        let row = match &self.book.clock {
            Some(row) => row.advance(reading),
            None => ClockRow::start(reading),
        };
        let now = row.now();
        self.book.clock = Some(row);
        now
    }

    /// A fresh commit on top of `parents`; its tree is new unless given.
    pub fn commit(&mut self, flow: &FlowName, parents: &[CommitId], tree: Option<TreeId>, email: &str) -> CommitId {
        let repository = self.repositories.get_mut(flow).expect("the flow exists");
        let mut bytes = [0u8; 20];
        // Ids differ in their first digits, as those of git do.
        bytes[..8].copy_from_slice(&(repository.nodes.len() as u64 + 1).to_le_bytes());
        bytes[8] = flow.as_str().len() as u8;
        bytes[9..].fill(flow.as_str().as_bytes().last().copied().unwrap_or(0));
        let id = CommitId::from_bytes(bytes);
        let tree = tree.unwrap_or(TreeId::from_bytes(bytes));
        if let Some((rng, newest)) = &mut self.made {
            let made: Vec<&Made> = parents.iter().map(|parent| &repository.made[parent]).collect();
            let made = Made::next(&made, rng, newest);
            repository.made.insert(id, made);
        }
        repository.nodes.push(Node {
            id,
            tree,
            parents: parents.to_vec(),
            merged: None,
            author: email.split('@').next().unwrap_or("").to_owned(),
            email: email.to_owned(),
            co_authors: Vec::new(),
            subject: format!("commit {}", repository.nodes.len() + 1),
        });
        id
    }

    pub fn dag(&self, flow: &FlowName) -> Rc<Dag> {
        let repository = &self.repositories[flow];
        let cached = repository.dag.borrow().clone().filter(|dag| dag.len() == repository.nodes.len());
        cached.unwrap_or_else(|| {
            let dag = Rc::new(Dag::new(repository.nodes.clone(), BTreeSet::new()));
            *repository.dag.borrow_mut() = Some(dag.clone());
            dag
        })
    }

    /// Moves, creates or deletes a branch, and keeps the true arrivals.
    pub fn set_branch(
        &mut self,
        flow: &FlowName,
        branch: &BranchName,
        new: Option<CommitId>,
        by: Option<IntentId>,
    ) {
        let truth = self.truth;
        let dag = self.dag(flow);
        let repository = self.repositories.get_mut(flow).expect("the flow exists");
        let old = repository.branches.get(branch).copied();
        if old == new {
            return;
        }
        let (from, to) = (old.map(|id| id.short()), new.map(|id| id.short()));
        if self.trace {
            println!("step {} at {truth}: {flow} {branch} {from:?} -> {to:?} by {by:?}", self.step);
        }
        match new {
            Some(new) => repository.branches.insert(branch.clone(), new),
            None => repository.branches.remove(branch),
        };
        let marks = dag.ancestors(new);
        let arrivals = repository.arrivals.entry(branch.clone()).or_default();
        let gone = repository.unseen_gone.entry(branch.clone()).or_default();
        gone.extend(arrivals.iter().filter(|(id, _)| !dag.has(&marks, **id)));
        arrivals.retain(|id, _| dag.has(&marks, *id));
        for node in dag.nodes() {
            if dag.has(&marks, node.id) {
                arrivals.entry(node.id).or_insert_with(|| gone.remove(&node.id).unwrap_or(truth));
            }
        }
        let delayed = std::mem::take(&mut repository.delayed);
        repository.moves.push(Moved { branch: branch.clone(), old, new, by, delayed, at: truth });
        let gone = new.is_none().then_some(branch);
        repository.forge.moved(&repository.branches, gone, |a, b| dag.contains(a, b));
    }

    /// What the forge tells of when a branch moved, newest first, in true time. It may lag behind, and tells only so
    /// many.
    pub fn record(&mut self, flow: &FlowName, branch: &BranchName) -> Vec<Moved> {
        let Some(rng) = &mut self.record else { return Vec::new() };
        let late = usize::from(rng.percent(20));
        let most = 1 + rng.below(6);
        let moves = self.repositories[flow].moves.iter().rev().filter(|moved| &moved.branch == branch);
        moves.skip(late).take(most).cloned().collect()
    }

    /// Where a branch was before its last move. Being told so cannot be distinguished from its
    /// having been there just now, so what a stale answer shows counts as having arrived with it.
    pub fn stale_tip(&mut self, flow: &FlowName, branch: &BranchName) -> Option<CommitId> {
        let truth = self.truth;
        let dag = self.dag(flow);
        let repository = self.repositories.get_mut(flow).expect("the flow exists");
        let moved = repository.moves.iter().rev().find(|moved| &moved.branch == branch)?;
        let old = moved.old?;
        let marks = dag.ancestors([old]);
        let there = repository.arrivals.entry(branch.clone()).or_default();
        let gone = repository.unseen_gone.entry(branch.clone()).or_default();
        for node in dag.nodes().iter().filter(|node| dag.has(&marks, node.id) && !there.contains_key(&node.id)) {
            gone.entry(node.id).or_insert(truth);
        }
        Some(old)
    }

    /// Applies a batch as a store does: all or nothing.
    pub fn apply(&mut self, flow: Option<&FlowName>, changes: &[Change]) -> Result<Vec<IntentRow>, ()> {
        let mut taken = BTreeSet::new();
        for change in changes {
            if let Some(id) = own_id(change)
                && (self.book.taken.contains(&id) || !taken.insert(id))
            {
                return Err(());
            }
            let known = |id: &IntentId| self.book.intents.get(id);
            let conflict = match change {
                Change::Intent(row) => known(&row.id).is_some(),
                Change::Finish { intent, state, .. } => known(intent).is_none_or(|row| {
                    row.state.is_final() && !(row.state == IntentState::Abandoned && *state == IntentState::Landed)
                }),
                Change::Effect(effect) => self.book.effects.contains_key(&effect.intent),
                _ => false,
            };
            if conflict {
                return Err(());
            }
        }
        self.book.taken.extend(taken);
        for change in changes {
            self.trace(|| format!("{flow:?} {change:?}"));
            self.apply_to_book(flow, change);
            let names: Vec<FlowName> = self.book.ledgers.keys().cloned().collect();
            for name in names {
                let global = matches!(
                    change,
                    Change::Pause(_)
                        | Change::Lift(_)
                        | Change::Hold(_)
                        | Change::Unhold { .. }
                        | Change::Remind { .. }
                        | Change::Expire { .. }
                );
                if flow == Some(&name) || global {
                    let targets = towpath::engine::tick::targets(self.flow(&name));
                    let ledger = self.book.ledgers.get_mut(&name).expect("the flow exists");
                    ledger.apply(&name, &targets, change);
                }
            }
        }
        Ok(self.book.intents.values().filter(|row| row.state == IntentState::Pushing).cloned().collect())
    }

    /// The ledger is applied to after this: it says whether a later one was told.
    fn heads_up_in_book(&mut self, flow: Option<&FlowName>, env: &EnvName, row: HeadsUpTold, message: &Message) {
        let Some(flow) = flow else { return };
        let ledger = self.book.ledgers.get(flow);
        let told = ledger.and_then(|ledger| ledger.heads_up.get(env)).map(|told| told.told.trusted);
        if told.is_none_or(|told| told < row.told.trusted) {
            let event = EventRow { env: env.clone(), at: row.told, event: message.event.clone() };
            self.book.events.push((flow.clone(), event));
        }
    }

    /// As above: what is not what was told last is told to nobody.
    fn take_back_in_book(
        &mut self,
        flow: Option<&FlowName>,
        env: &EnvName,
        (row, at): (HeadsUpTold, Now),
        message: &Message,
    ) {
        let Some(flow) = flow else { return };
        let told = self.book.ledgers.get(flow).and_then(|ledger| ledger.heads_up.get(env));
        if told == Some(&row) {
            let event = EventRow { env: env.clone(), at, event: message.event.clone() };
            self.book.events.push((flow.clone(), event));
        }
    }

    fn apply_to_book(&mut self, flow: Option<&FlowName>, change: &Change) {
        if let Some(log) = &mut self.races {
            log.on_change(change);
        }
        if let Change::Intent(row) = change {
            made::on_save(self, row);
        }
        let book = &mut self.book;
        match change {
            Change::Intent(row) => {
                let reports = book.reports.get(&row.flow).map_or(0, Vec::len);
                book.reports_at_save.insert(row.id.clone(), reports);
                book.passed_at_save.insert(row.id.clone(), self.gates.passed.len());
                if row.merge.is_some() {
                    let requests = self.repositories[&row.flow].forge.state().log.len();
                    book.requests_at_save.insert(row.id.clone(), requests);
                }
                book.intents.insert(row.id.clone(), row.clone());
            }
            Change::Finish { intent, state, words } => {
                if let Some(row) = book.intents.get_mut(intent) {
                    row.state = *state;
                    row.words = words.clone();
                }
            }
            Change::Effect(effect) => {
                book.effects.insert(effect.intent.clone(), effect.clone());
            }
            Change::Tip { seen, .. } => {
                if let Some(flow) = flow {
                    let dag = self.dag(flow);
                    let there = dag.ancestors([seen.tip]);
                    let repository = self.repositories.get_mut(flow).expect("the flow exists");
                    if let Some(gone) = repository.unseen_gone.get_mut(&seen.branch) {
                        gone.retain(|id, _| dag.has(&there, *id));
                    }
                }
            }
            Change::Override(order) => {
                book.overrides.insert(order.id.clone(), order.gate);
            }
            Change::Decided { env, row } => {
                if let Some(flow) = flow {
                    check_requests::on_decided(self, flow, env, &row.decision);
                }
            }
            Change::Proposed { env, row } | Change::PassOver { env, row } => {
                let known = flow.and_then(|flow| book.ledgers[flow].proposed.get(env).map(|known| known.head));
                let over = matches!(change, Change::PassOver { .. });
                if let (Some(flow), None) = (flow, known.filter(|_| over)) {
                    check_requests::on_wanted(self, flow, env, row.head);
                }
            }
            Change::Lift(ids) => book.lifted.extend(ids.iter().cloned()),
            Change::Expire { pause, .. } => {
                let standing = |ledger: &Ledger| ledger.standing.pauses.iter().any(|p| &p.id == pause);
                if book.ledgers.values().any(standing) {
                    book.expired.push(pause.clone());
                }
            }
            Change::Event(row) => book.events.extend(flow.map(|f| (f.clone(), row.clone()))),
            Change::HeadsUp { env, row, message } => self.heads_up_in_book(flow, env, *row, message),
            Change::TakeBack { env, row, at, message } => self.take_back_in_book(flow, env, (*row, *at), message),
            Change::ByHand(moved) => book.hands.extend(flow.map(|f| (f.clone(), (**moved).clone()))),
            Change::Report(report) => {
                if let Some(flow) = flow {
                    book.reports.entry(flow.clone()).or_default().push(report.clone());
                }
            }
            _ => {}
        }
    }

    pub fn checks(&self, flow: &FlowName, commit: CommitId) -> Vec<CiItem> {
        let reports = self.book.reports.get(flow).into_iter().flatten();
        Report::fold(reports.filter(|r| r.commit == commit))
    }

    pub fn mark_pushing(&mut self, id: &IntentId, deadline: towpath_core::model::Trusted) -> Option<IntentRow> {
        let row = self.book.intents.get_mut(id)?;
        row.state = IntentState::Pushing;
        row.deadline = Some(deadline);
        let row = row.clone();
        if let Some(log) = &mut self.races {
            log.on_mark(&row);
        }
        let ledger = self.book.ledgers.get_mut(&row.flow)?;
        for stored in ledger.intents.iter_mut().filter(|stored| stored.id == row.id) {
            *stored = row.clone();
        }
        Some(row)
    }

    /// Pushes on the wire whose time has come reach the server.
    pub fn land_due(&mut self) {
        let truth = self.truth;
        let (due, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.wire).into_iter().partition(|w| w.lands_at <= truth);
        self.wire = rest;
        for push in due {
            self.count("fault: delayed push reached the server");
            self.serve_push(&push.flow, &push.row, true);
        }
    }

    /// The forges' clocks are right.
    pub fn tell_time(&self) {
        for repository in self.repositories.values() {
            repository.forge.state().truth = self.truth;
        }
    }

    /// Remembers that an order was answered.
    pub fn acknowledge(&mut self, pause: Pause, named: BTreeSet<IntentId>, proposing: Vec<Underway>) {
        let since = self.truth;
        let proposing = proposing.into_iter().map(|row| (row.flow, row.env, row.head)).collect();
        self.book.acknowledged.insert(pause.id.clone(), Acknowledged { pause, named, proposing, since });
    }

    /// What may be under way into requests, whether or not its time is over.
    pub fn underway(&self) -> Vec<Underway> {
        let of = |(flow, ledger): (&FlowName, &Ledger)| {
            let rows = ledger.proposed.iter().filter_map(|(env, row)| {
                Some(Underway { flow: flow.clone(), env: env.clone(), head: row.head, until: row.until? })
            });
            rows.collect::<Vec<_>>()
        };
        self.book.ledgers.iter().flat_map(of).collect()
    }

    /// A person lets Towpath push to that environment again.
    pub fn retried(&mut self, flow: &FlowName, env: &towpath_core::model::EnvName) {
        let Some(branch) = self.flow(flow).environment(env).map(|e| e.branch.clone()) else { return };
        let repository = self.repositories.get_mut(flow).expect("the flow exists");
        repository.let_go.insert(branch, repository.moves.len());
    }

    pub fn violation(&mut self, what: impl std::fmt::Display) {
        let step = self.step;
        self.trace(|| format!("VIOLATION {what}"));
        self.violations.push(format!("step {step}: {what}"));
    }
}
