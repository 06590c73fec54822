//! The real `World` with a scenario's faults around it. Everything else is passed on as it is.
//!
//! Faults are made to happen, not pretended: hooks of the server refuse or kill it, the line is
//! down, the disk is full. What has no real form is pretended at the border: a sink that does not
//! take messages (the real one cannot refuse yet), and a process that dies at a crash point.
//!
//! A process of a scenario is a task of the test, but its lease is held in the name of a child
//! process that really dies with it; so taking over from the dead is real.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use tokio::sync::Barrier;
use towpath::engine::say::Saying;
use towpath::engine::{Committed, Fault, Proposal, Proposing, RealWorld, Side, World};
use towpath::store::{Holder, Lease};
use towpath_core::act::PushAnswer;
use towpath_core::dag::Dag;
use towpath_core::model::{
    Actor, AuditRow, BranchName, Change, CommitId, Concerns, EnvName, Fact, Facts, Flow, FlowName, Instant,
    IntentId, IntentRow, Ledger, Message, Missing, MoveKind, Now, OrderId, Proposed, Reason, Span, Standing, Tip,
    Unknown, UnknownWhy,
};
use towpath_core::see::{PushSeen, Tips};

use super::hosting::OnCall;
use super::server::{Server, Trouble};

/// As long as that of `RealWorld`.
const LEASE: Span = Span::from_secs(60);

/// What git says when the server died.
const HUNG_UP: &str = "the remote end hung up unexpectedly";

/// What a scenario has ordered and what it counts; all its processes share it.
#[derive(Debug, Default)]
pub struct Script {
    /// Pushes that the server refuses.
    pub refuse: u32,
    /// Pushes that never arrive.
    pub lose_pushes: u32,
    /// Pushes that land unheard.
    pub lose_answers: u32,
    /// Ticks without the remote.
    pub unreachable: u32,
    /// Ticks in which the history cannot be read.
    pub no_history: u32,
    /// Ticks in which the remote is gone once its branches were listed.
    pub cut_off: u32,
    /// Ticks in which the store takes nothing.
    pub disk_full: u32,
    /// Ticks in which no message is delivered.
    pub sink_down: u32,
    /// Where the next process to come by dies.
    pub crash: Option<(Side, String)>,
    /// The ids of messages that were delivered.
    pub sent: Vec<String>,
}

impl Script {
    /// What the next push meets.
    fn trouble(&mut self) -> Option<Trouble> {
        let counted = [
            (&mut self.refuse, Trouble::Refuse),
            (&mut self.lose_pushes, Trouble::LosePush),
            (&mut self.lose_answers, Trouble::LoseAnswer),
        ];
        let (left, trouble) = counted.into_iter().find(|(left, _)| **left > 0)?;
        *left -= 1;
        Some(trouble)
    }
}

/// A child process that does nothing but live as long as its value.
struct Body(Child);

impl Body {
    fn new() -> Self {
        let mut command = Command::new("cat");
        // It ends with its input, so it never outlives a test that was killed.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("`cat` can be started"))
    }

    fn holder(&self) -> Holder {
        Holder::of(i32::try_from(self.0.id()).expect("a process id"))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // It fails only if the process is dead already; waiting for it keeps no zombie.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One process of Towpath.
pub struct Process {
    world: RealWorld,
    body: Body,
    dead: Cell<bool>,
    server: Rc<Server>,
    script: Rc<RefCell<Script>>,
    /// Makes trouble for a call of the forge that moves a branch, which does not come to the server as a push.
    on_call: OnCall,
    /// Where those that tick at the same time meet once each has asked for the lease.
    meet: RefCell<Option<Rc<Barrier>>>,
}

impl Process {
    pub fn new(world: RealWorld, server: Rc<Server>, script: Rc<RefCell<Script>>, on_call: OnCall) -> Self {
        let (body, dead) = (Body::new(), Cell::new(false));
        Self { world, body, dead, server, script, on_call, meet: RefCell::default() }
    }

    /// Whether it died at a crash point.
    pub fn is_dead(&self) -> bool {
        self.dead.get()
    }

    /// In its next tick it waits at this place when it has asked for the lease.
    pub fn meet_at(&self, place: &Rc<Barrier>) {
        *self.meet.borrow_mut() = Some(place.clone());
    }

    /// Commits together with a row that does not fit any more.
    async fn commit_on_a_full_disk(
        &self,
        lease: Option<&Lease>,
        flow: Option<&FlowName>,
        changes: &[Change],
    ) -> Result<Committed, Fault> {
        let mut changes = changes.to_vec();
        changes.push(Change::Audit(AuditRow {
            id: OrderId::new("command-too-large"),
            at: towpath_core::model::Instant(0),
            by: Actor::new("scenario"),
            command: String::new(),
            allowed: true,
            effect: "x".repeat(1_000_000),
            concerns: Concerns::none(),
            came: None,
        }));
        let store = self.world.store();
        // SQLite takes the file's present size.
        store.limit_pages(Some(1)).await?;
        let end = self.world.commit(lease, flow, &changes).await;
        store.limit_pages(None).await?;
        end
    }
}

impl World for Process {
    type Lease = Lease;

    async fn now(&self) -> Result<Now, Fault> {
        self.world.now().await
    }

    async fn lease(&self, flow: &FlowName) -> Result<Option<Lease>, Fault> {
        let now = self.world.now().await?;
        let lease = self.world.store().lease(flow, &self.body.holder(), now.trusted, LEASE).await;
        let meet = self.meet.borrow_mut().take();
        if let Some(place) = meet {
            place.wait().await;
        }
        Ok(lease?)
    }

    async fn release(&self, lease: Lease) {
        // The dead give nothing back.
        if !self.is_dead() {
            self.world.release(lease).await;
        }
    }

    async fn load(&self, flow: &Flow) -> Result<Ledger, Fault> {
        self.world.load(flow).await
    }

    async fn commit(
        &self,
        lease: Option<&Lease>,
        flow: Option<&FlowName>,
        changes: &[Change],
    ) -> Result<Committed, Fault> {
        if self.script.borrow().disk_full > 0 {
            return self.commit_on_a_full_disk(lease, flow, changes).await;
        }
        self.world.commit(lease, flow, changes).await
    }

    async fn begin_push(
        &self,
        lease: &Lease,
        flow: &Flow,
        intent: &IntentId,
    ) -> Result<Result<IntentRow, Reason>, Fault> {
        self.world.begin_push(lease, flow, intent).await
    }

    async fn begin_proposal(
        &self,
        lease: &Lease,
        flow: &Flow,
        wanted: (&EnvName, Proposed),
        judged: (&Standing, Instant),
    ) -> Result<Option<Proposed>, Fault> {
        if self.script.borrow().disk_full > 0 {
            return self.commit_on_a_full_disk(Some(lease), Some(&flow.name), &[]).await.map(|_| None);
        }
        self.world.begin_proposal(lease, flow, wanted, judged).await
    }

    async fn tips(&self, flow: &Flow) -> Tips {
        self.world.tips(flow).await
    }

    async fn history(&self, flow: &Flow, tips: &Tips, wanted: &BTreeSet<CommitId>) -> Fact<Dag> {
        // Pretended: a mirror on a disk that hangs.
        if self.script.borrow().no_history > 0 {
            return Fact::Unknown(Unknown::passing(UnknownWhy::TimedOut { after: Span::from_secs(60) }));
        }
        self.world.history(flow, tips, wanted).await
    }

    async fn pushes(&self, flow: &Flow, env: &EnvName) -> Vec<PushSeen> {
        self.world.pushes(flow, env).await
    }

    async fn answer(&self, flow: &Flow, dag: &Dag, tips: &Tips, missing: &Missing) -> Facts {
        let cut_off = self.script.borrow().cut_off > 0;
        if cut_off {
            self.server.cut(true);
        }
        let facts = self.world.answer(flow, dag, tips, missing).await;
        if cut_off {
            self.server.cut(false);
        }
        facts
    }

    async fn addresses(
        &self,
        flow: &Flow,
        target: CommitId,
        of: BTreeSet<(String, String)>,
    ) -> Fact<BTreeSet<String>> {
        self.world.addresses(flow, target, of).await
    }

    async fn commits(&self, flow: &Flow, word: &str) -> Result<Vec<CommitId>, Fault> {
        self.world.commits(flow, word).await
    }

    async fn push(&self, flow: &Flow, row: &IntentRow) -> PushAnswer {
        let trouble = self.script.borrow_mut().trouble();
        let Some(trouble) = trouble else { return self.world.push(flow, row).await };
        let how = row.merge.map(|merge| merge.how);
        if row.kind == MoveKind::FastForward && (self.on_call)(trouble, how) {
            let answer = self.world.push(flow, row).await;
            return match answer {
                // What a move is lost by differs between a forge and git.
                PushAnswer::NoAnswer { .. } if how.is_none() => PushAnswer::NoAnswer { words: HUNG_UP.to_owned() },
                answer => answer,
            };
        }
        self.server.trouble(trouble);
        let answer = self.world.push(flow, row).await;
        self.server.calm();
        match answer {
            // The lines around it differ between versions and ways of git.
            PushAnswer::NoAnswer { words } if words.contains(&format!("fatal: {HUNG_UP}")) => {
                PushAnswer::NoAnswer { words: HUNG_UP.to_owned() }
            }
            answer => answer,
        }
    }

    async fn propose(&self, flow: &Flow, proposal: &Proposal) -> Proposing {
        let trouble = self.script.borrow_mut().trouble();
        let Some(trouble) = trouble else { return self.world.propose(flow, proposal).await };
        self.server.trouble(trouble);
        let answer = self.world.propose(flow, proposal).await;
        self.server.calm();
        answer
    }

    async fn read_ref(&self, flow: &Flow, branch: &BranchName) -> Tip {
        self.world.read_ref(flow, branch).await
    }

    fn compare(&self, flow: &Flow, from: CommitId, to: CommitId) -> Option<String> {
        self.world.compare(flow, from, to)
    }

    async fn say(&self, flow: &Flow, sayings: &[Saying], dag: &Dag) {
        self.world.say(flow, sayings, dag).await;
    }

    async fn send(&self, flow: &Flow, message: &Message) -> bool {
        if self.script.borrow().sink_down > 0 || !self.world.send(flow, message).await {
            return false;
        }
        self.script.borrow_mut().sent.push(message.id.clone());
        true
    }

    fn crash_point(&self, side: Side, effect: &'static str) -> Result<(), Fault> {
        let here = (side, effect.to_owned());
        let mut script = self.script.borrow_mut();
        if script.crash.as_ref() != Some(&here) {
            return Ok(());
        }
        script.crash = None;
        self.dead.set(true);
        Err(Fault::Crashed)
    }
}
