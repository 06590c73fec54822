//! The simulated `World`: the engine's calls against a [`Universe`], each of which may fail, lose
//! its answer, or be interleaved with anything else.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use towpath::engine::say::Saying;
use towpath::engine::{Closing, Committed, Fault, Proposal, Proposing, Side, World};
use towpath_core::act::{self, PushAnswer};
use towpath_core::dag::Dag;
use towpath_core::model::{
    AuthorLogins, BranchName, Change, CommitId, EdgeKey, EnvName, Fact, Facts, Flow, FlowName, Gate, GateKind,
    Given, HttpInstead, HttpSaid, Instant, IntentId, IntentRow, IntentState, Ledger, Message, Missing, Now,
    Proposed, PushedRequest, Reason, Requests, RequiredCheck, RequiredChecks, Span, Standing, Tip, Trusted,
    Unknown, UnknownWhy, request_branch,
};
use towpath_core::see::{PushSeen, Tips};

use crate::support::book::TEAMS;

use super::universe::{Lease, Moved, OnTheWire, Universe, strikes_now};
use super::{KILLED, Plant, check, check_requests, races_check};

#[derive(Clone)]
pub struct SimWorld {
    pub universe: Rc<RefCell<Universe>>,
    pub replica: usize,
    /// What this replica answered first in its tick: a planted bug reads it again.
    cache: Rc<RefCell<Option<(Tips, Facts, Ledger)>>>,
    /// What the gate said first in its tick: another planted bug believes it.
    said: Rc<RefCell<BTreeMap<EdgeKey, Fact<HttpSaid>>>>,
}

/// Gives the scheduler a chance to do anything else first.
pub struct Breath(bool);

impl Breath {
    pub const fn new() -> Self {
        Self(false)
    }
}

impl Future for Breath {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// How long a lease lasts, in true milliseconds.
const LEASE: i64 = 60_000;

impl SimWorld {
    pub fn new(universe: &Rc<RefCell<Universe>>, replica: usize) -> Self {
        Self { universe: universe.clone(), replica, cache: Rc::default(), said: Rc::default() }
    }

    fn it(&self) -> RefMut<'_, Universe> {
        self.universe.borrow_mut()
    }

    async fn effect(&self, name: &'static str) {
        Breath::new().await;
        self.it().count(name);
    }

    fn strikes(&self, percent: u32, name: &'static str) -> bool {
        let mut it = self.it();
        let strikes = it.rng.percent(percent);
        if strikes {
            it.count(name);
        }
        strikes
    }

    fn unreachable(&self, flow: &Flow) -> bool {
        let it = self.it();
        it.repositories[&flow.name].unreachable || it.script.unreachable > 0
    }

    /// What a scenario wants to happen to this push.
    fn scripted_push(&self, flow: &Flow, row: &IntentRow) -> Option<PushAnswer> {
        let mut it = self.it();
        if it.script.unreachable > 0 {
            return Some(PushAnswer::NotSent { words: "no route to host".into() });
        }
        if strikes_now(&mut it.script.refuse) {
            return Some(PushAnswer::Refused { words: "pre-receive hook declined".into() });
        }
        if strikes_now(&mut it.script.lose_pushes) {
            return Some(PushAnswer::NoAnswer { words: "the remote end hung up unexpectedly".into() });
        }
        if strikes_now(&mut it.script.lose_answers) {
            it.serve_push(&flow.name, row, false);
            return Some(PushAnswer::NoAnswer { words: "connection reset".into() });
        }
        None
    }

    fn skips_reread(&self) -> bool {
        self.it().plant == Some(Plant::SkipTheReread)
    }
}

impl SimWorld {
    /// The time inside a transaction, by which orders are judged.
    fn now_within(&self) -> Now {
        let mut it = self.it();
        let now = it.now();
        for ((replica, _), loaded) in &mut it.loaded {
            if *replica == self.replica {
                (loaded.wall, loaded.begun) = (Some(now.wall), Some(now.wall));
            }
        }
        now
    }

    async fn requests(&self, flow: &Flow, env: &EnvName) -> Fact<Requests> {
        let Some(edge) = flow.edge(env) else {
            return Fact::Unknown(Unknown::passing(UnknownWhy::NotAnswered));
        };
        let branch = if self.it().script.cut_off > 0 {
            Tip::Unknown(Unknown::passing(UnknownWhy::Unreachable { words: "no route to host".into() }))
        } else {
            self.branch(flow, &request_branch(&flow.name, env)).await
        };
        let now = self.it().now();
        let forge = self.it().repositories[&flow.name].forge.clone();
        let mut fact = forge.on().requests(&edge, branch, now).await;
        let mut it = self.it();
        let loaded = it.loaded.entry((self.replica, flow.name.clone())).or_default();
        match &fact {
            Fact::Known(told) => loaded.requests.insert(env.clone(), told.clone()),
            Fact::Unknown(_) => loaded.requests.remove(env),
        };
        it.trace(|| format!("{} is told of {} {env}: {fact:?}", self.replica, flow.name));
        if it.plant == Some(Plant::CountAnyApproval)
            && let Fact::Known(Requests { open: Some(open), .. }) = &mut fact
        {
            open.approvals.iter_mut().for_each(|approval| approval.given = Given::For(open.head));
        }
        fact
    }

    /// Where a request branch is, as git tells.
    async fn branch(&self, flow: &Flow, branch: &BranchName) -> Tip {
        self.effect("effect: read_ref").await;
        let percent = self.it().faults.head_unread;
        if self.strikes(percent, "request fault: head not read") {
            return Tip::Unknown(Unknown::passing(UnknownWhy::TimedOut { after: Span::from_secs(30) }));
        }
        self.it().repositories[&flow.name].branches.get(branch).map_or(Tip::Absent, |id| Tip::At(*id))
    }

    async fn answer_of_forge(&self, flow: &Flow, tips: &Tips, missing: &Missing, facts: &mut Facts) {
        for env in &missing.requests {
            facts.requests.insert(env.clone(), self.requests(flow, env).await);
        }
        for env in &missing.required {
            let named = RequiredChecks::Named([RequiredCheck::of_anybody("build")].into());
            facts.required.insert(env.clone(), Fact::Known(named));
        }
        for team in &missing.teams {
            let found = TEAMS.iter().find(|(name, _)| name == team);
            let members = found.map_or_else(BTreeSet::new, |(_, all)| all.iter().map(|m| (*m).into()).collect());
            facts.teams.insert(team.clone(), Fact::Known(members));
        }
        for key in &missing.logins {
            let it = self.it();
            let dag = it.dag(&flow.name);
            let tip = tips.get(&key.env).and_then(Tip::commit);
            let (there, range) = (dag.ancestors(tip), dag.ancestors([key.commit]));
            let logins = dag.written(&range, &there).map(|node| node.author.as_str().into()).collect();
            facts.logins.insert(key.clone(), Fact::Known(AuthorLogins { logins, ..AuthorLogins::default() }));
        }
    }
}

impl SimWorld {
    fn answer_of_gate(&self, flow: &Flow, key: &EdgeKey) -> Fact<HttpSaid> {
        let Some(Gate::Http(gate)) = flow.edge(&key.env).and_then(|edge| edge.target.gate(GateKind::Http)) else {
            return Fact::Unknown(Unknown::passing(UnknownWhy::NotAnswered));
        };
        let believed = self.said.borrow().get(key).cloned();
        if let Some(said) = believed.filter(|_| self.it().plant == Some(Plant::BelieveTheGateOnce)) {
            return said;
        }
        let percent = self.it().faults.not_sent;
        let said = if self.strikes(percent, "fault: gate silent") {
            Err(HttpInstead::TimedOut { after: Span::from_secs(10) })
        } else {
            self.it().gates.answer(key.commit)
        };
        let fact = match said {
            Ok(said) => Fact::Known(said),
            Err(instead) => {
                let why = UnknownWhy::HttpGate { host: gate.host().to_owned(), instead };
                Fact::Unknown(Unknown::passing(why))
            }
        };
        self.said.borrow_mut().entry(key.clone()).or_insert(fact.clone());
        fact
    }

    /// Moves the request branch, as a push does.
    fn put(&self, flow: &Flow, proposal: &Proposal) -> Result<(), Proposing> {
        let unsure = |words: &str| Err(Proposing::Unsure { words: words.to_owned() });
        let refused = || Err(Proposing::NotPut { words: "pre-receive hook declined".into() });
        let mut it = self.it();
        if it.script.unreachable > 0 {
            return unsure("no route to host");
        }
        if strikes_now(&mut it.script.refuse) {
            return refused();
        }
        if strikes_now(&mut it.script.lose_pushes) {
            return unsure("no route to host");
        }
        let lost = strikes_now(&mut it.script.lose_answers);
        let faults = it.faults.clone();
        drop(it);
        if self.strikes(faults.not_sent, "request fault: head not sent") {
            return unsure("no route to host");
        }
        if self.strikes(faults.refused, "request fault: head refused") {
            return refused();
        }
        let branch = request_branch(&flow.name, &proposal.env);
        if let Err(words) = self.it().put(&flow.name, &branch, proposal.from, proposal.head) {
            return unsure(&words);
        }
        if lost || self.strikes(faults.lost_answer, "request fault: head not answered") {
            return unsure("connection reset");
        }
        Ok(())
    }
}

fn store_fault(words: &str) -> Fault {
    Fault::Store { words: words.to_owned(), retry: true, whole: false }
}

impl World for SimWorld {
    type Lease = Lease;

    async fn now(&self) -> Result<Now, Fault> {
        self.effect("effect: now").await;
        let mut it = self.it();
        let now = it.now();
        for ((replica, _), loaded) in &mut it.loaded {
            if *replica == self.replica {
                loaded.wall = Some(now.wall);
            }
        }
        Ok(now)
    }

    async fn lease(&self, flow: &FlowName) -> Result<Option<Lease>, Fault> {
        self.effect("effect: lease").await;
        *self.cache.borrow_mut() = None;
        self.said.borrow_mut().clear();
        let mut it = self.it();
        it.just_read.remove(&self.replica);
        let (truth, life) = (it.truth, it.lives[self.replica]);
        let held = it.book.leases.get(flow).cloned();
        let alive = |l: &Lease| l.until > truth && it.lives[l.replica] == l.life;
        if held.as_ref().is_some_and(alive) {
            it.count("seen: leased by another");
            return Ok(None);
        }
        races_check::on_lease(&mut it, self.replica, true);
        let epoch = held.map_or(0, |l| l.epoch) + 1;
        let lease = Lease { flow: flow.clone(), replica: self.replica, life, epoch, until: truth + LEASE };
        it.book.leases.insert(flow.clone(), lease.clone());
        let reports = it.book.reports.get(flow).map_or(0, Vec::len);
        it.loaded.entry((self.replica, flow.clone())).or_default().reports = reports;
        Ok(Some(lease))
    }

    async fn release(&self, lease: Lease) {
        self.effect("effect: release").await;
        let mut it = self.it();
        if let Some(held) = it.book.leases.get_mut(&lease.flow)
            && held.epoch == lease.epoch
        {
            held.until = 0;
            races_check::on_lease(&mut it, self.replica, false);
        }
    }

    async fn load(&self, flow: &Flow) -> Result<Ledger, Fault> {
        self.effect("effect: load").await;
        let percent = self.it().faults.store_fails;
        if self.strikes(percent, "fault: store fails") {
            return Err(store_fault("locked"));
        }
        if self.skips_reread()
            && let Some((_, _, ledger)) = &*self.cache.borrow()
        {
            return Ok(ledger.clone());
        }
        let mut it = self.it();
        check_requests::on_load(&mut it, self.replica, flow);
        let mut ledger = it.book.ledgers[&flow.name].clone();
        if matches!(it.plant, Some(Plant::ForgetThePause | Plant::ProposeInAPause)) {
            ledger.standing.pauses.clear();
        }
        if it.plant == Some(Plant::TakeAnyHeadForOurs) {
            for (env, row) in &mut ledger.proposed {
                let there = it.repositories[&flow.name].branches.get(&request_branch(&flow.name, env));
                row.before = there.copied().or(row.before);
            }
        }
        races_check::blind_reread(&it, self.replica, &mut ledger.standing);
        Ok(ledger)
    }

    async fn commit(
        &self,
        lease: Option<&Lease>,
        flow: Option<&FlowName>,
        changes: &[Change],
    ) -> Result<Committed, Fault> {
        self.effect("effect: commit").await;
        if self.it().script.disk_full > 0 {
            return Err(store_fault("disk full"));
        }
        let percent = self.it().faults.store_fails;
        if self.strikes(percent, "fault: store fails") {
            return Err(store_fault("disk full"));
        }
        if let Some(lease) = lease
            && self.it().book.leases.get(&lease.flow).map(|l| l.epoch) != Some(lease.epoch)
        {
            self.it().count("seen: lease lost");
            return Err(Fault::TakenOver);
        }
        if changes.iter().any(|change| matches!(change, Change::Intent(_))) {
            self.it().just_read.remove(&self.replica);
        }
        for change in changes {
            // By command: whoever gives it has looked.
            if let (Change::ClearBackoff(env), None, Some(flow)) = (change, lease, flow) {
                self.it().retried(flow, env);
            }
        }
        let changes = &races_check::lifted_too_much(&self.it(), lease.is_some(), changes);
        let pushing = self.it().apply(flow, changes).map_err(|()| Fault::Conflict)?;
        let pushing = races_check::on_written(&mut self.it(), (self.replica, lease.is_some()), changes, pushing);
        let proposing = self.it().underway();
        let percent = self.it().faults.store_answer_lost;
        if self.strikes(percent, "fault: store answer lost") {
            return Err(store_fault("written, and the answer was lost"));
        }
        Breath::new().await;
        Ok(Committed { pushing, proposing })
    }

    async fn begin_push(
        &self,
        lease: &Lease,
        flow: &Flow,
        intent: &IntentId,
    ) -> Result<Result<IntentRow, Reason>, Fault> {
        self.effect("effect: begin_push").await;
        if self.it().script.disk_full > 0 {
            return Err(store_fault("disk full"));
        }
        let mut it = self.it();
        if it.book.leases.get(&lease.flow).map(|l| l.epoch) != Some(lease.epoch) {
            it.count("seen: lease lost");
            return Err(Fault::TakenOver);
        }
        let now = it.now();
        let Some(row) = it.book.intents.get(intent).filter(|row| row.state == IntentState::Saved).cloned() else {
            return Err(Fault::Conflict);
        };
        let Some(edge) = flow.edge(&row.env) else { return Ok(Err(Reason::ConfigChanged)) };
        if it.plant != Some(Plant::ForgetThePause) {
            let mut standing = it.book.ledgers[&flow.name].standing.clone();
            races_check::blind_mark(it.plant, &row, &mut standing);
            if let Err(why) = act::may_begin(&row, &edge, &flow.policy, &standing, now) {
                it.count("seen: stopped at the last check");
                return Ok(Err(why));
            }
        }
        check::on_begin(&mut it, flow, &row);
        Ok(Ok(it.mark_pushing(intent, now.trusted + act::PUSH_DEADLINE).expect("it was just there")))
    }

    async fn begin_proposal(
        &self,
        lease: &Lease,
        flow: &Flow,
        (env, row): (&EnvName, Proposed),
        judged: (&Standing, Instant),
    ) -> Result<Option<Proposed>, Fault> {
        self.effect("effect: begin_proposal").await;
        if self.it().script.disk_full > 0 {
            return Err(store_fault("disk full"));
        }
        let percent = self.it().faults.store_fails;
        if self.strikes(percent, "fault: store fails") {
            return Err(store_fault("locked"));
        }
        {
            let mut it = self.it();
            if it.book.leases.get(&lease.flow).map(|l| l.epoch) != Some(lease.epoch) {
                it.count("seen: lease lost");
                return Err(Fault::TakenOver);
            }
        }
        let now = self.now_within();
        let row = Proposed { until: Some(now.trusted + act::PUSH_DEADLINE), ..row };
        {
            let mut it = self.it();
            let blind = matches!(it.plant, Some(Plant::ForgetThePause | Plant::ProposeInAPause));
            let standing = it.book.ledgers[&flow.name].standing.clone();
            if !blind && !act::may_propose(judged, &standing, now) {
                it.count("seen: proposal stopped at the last check");
                return Ok(None);
            }
            check_requests::on_load(&mut it, self.replica, flow);
            let change = Change::Proposed { env: env.clone(), row: row.clone() };
            it.apply(Some(&flow.name), &[change]).map_err(|()| Fault::Conflict)?;
            races_check::on_proposal_marked(&mut it, self.replica, &flow.name, (env, &row));
        }
        let percent = self.it().faults.store_answer_lost;
        if self.strikes(percent, "fault: store answer lost") {
            return Err(store_fault("written, and the answer was lost"));
        }
        Breath::new().await;
        Ok(Some(row))
    }

    async fn tips(&self, flow: &Flow) -> Tips {
        self.effect("effect: tips").await;
        if self.skips_reread()
            && let Some((tips, _, _)) = &*self.cache.borrow()
        {
            return tips.clone();
        }
        let percent = self.it().faults.unreachable;
        let dead = self.strikes(percent, "fault: unreachable") || self.unreachable(flow);
        if dead {
            let unknown = Unknown::passing(UnknownWhy::Unreachable { words: "no route to host".into() });
            return flow.environments.iter().map(|e| (e.name.clone(), Tip::Unknown(unknown.clone()))).collect();
        }
        let percent = self.it().faults.stale_read;
        let stale = self.strikes(percent, "fault: stale read");
        let mut it = self.it();
        let mut at = |branch: &BranchName| {
            if stale {
                it.stale_tip(&flow.name, branch)
            } else {
                it.repositories[&flow.name].branches.get(branch).copied()
            }
        };
        let tips: Tips = flow
            .environments
            .iter()
            .map(|e| (e.name.clone(), at(&e.branch).map_or(Tip::Absent, Tip::At)))
            .collect();
        let told = tips.iter().filter_map(|(env, tip)| Some((env.clone(), tip.commit()?))).collect();
        it.loaded.entry((self.replica, flow.name.clone())).or_default().tips = told;
        tips
    }

    async fn history(&self, flow: &Flow, _: &Tips, _: &BTreeSet<CommitId>) -> Fact<Dag> {
        self.effect("effect: history").await;
        if self.it().script.no_history > 0 {
            return Fact::Unknown(Unknown::passing(UnknownWhy::TimedOut { after: Span::from_secs(60) }));
        }
        // Everything there is, so that the ledger's lost commits are found too.
        Fact::Known((*self.it().dag(&flow.name)).clone())
    }

    async fn pushes(&self, flow: &Flow, env: &EnvName) -> Vec<PushSeen> {
        self.effect("effect: pushes").await;
        let mut it = self.it();
        let Some(branch) = flow.environment(env).map(|env| env.branch.clone()) else { return Vec::new() };
        let mut told = it.record(&flow.name, &branch);
        if it.plant == Some(Plant::DateByTheFirstPush)
            && let Some(newest) = told.first().and_then(|moved| moved.new)
        {
            let first = it.repositories[&flow.name].moves.iter().find(|moved| moved.branch == branch).cloned();
            told = first.map(|first| Moved { old: None, new: Some(newest), ..first }).into_iter().collect();
        }
        // By the time of the answer, as in the real world.
        let (now, truth) = (it.now(), it.truth);
        let seen = |moved: &Moved| PushSeen {
            before: moved.old,
            after: moved.new,
            at: Trusted(now.trusted.0 - (truth - moved.at)),
        };
        told.iter().map(seen).collect()
    }

    async fn answer(&self, flow: &Flow, _: &Dag, tips: &Tips, missing: &Missing) -> Facts {
        self.effect("effect: answer").await;
        // The planted bug has each fact read once in a pass; what a later round asks for besides is read, or nothing
        // would move but what the first round finds.
        let mut missing = missing.clone();
        let mut facts = Facts::default();
        if self.skips_reread()
            && let Some((_, known, _)) = &*self.cache.borrow()
        {
            missing.ci.retain(|commit| !known.ci.contains_key(commit));
            missing.picks.retain(|key| !known.picks.contains_key(key));
            facts = known.clone();
        }
        let missing = &missing;
        let percent = self.it().faults.unreachable;
        for commit in &missing.ci {
            if self.strikes(percent, "fault: ci unknown") {
                let unknown = Unknown::passing(UnknownWhy::TimedOut { after: Span::from_secs(10) });
                facts.ci.insert(*commit, Fact::Unknown(unknown));
            } else {
                let mut it = self.it();
                it.just_read.entry(self.replica).or_default().push((flow.name.clone(), *commit));
                facts.ci.insert(*commit, Fact::Known(it.checks(&flow.name, *commit)));
            }
        }
        for key in &missing.picks {
            let pick = self.it().repositories[&flow.name].picks.get(&key.commit).copied();
            facts.picks.insert(key.clone(), Fact::Known(pick));
        }
        self.answer_of_forge(flow, tips, missing, &mut facts).await;
        for key in &missing.http {
            facts.http.insert(key.clone(), self.answer_of_gate(flow, key));
        }
        facts.compat = super::compat::answer(&self.it(), flow, tips, &missing.compat);
        if self.skips_reread() {
            let ledger = self.it().book.ledgers[&flow.name].clone();
            let mut cache = self.cache.borrow_mut();
            let (_, known, _) = cache.get_or_insert_with(|| (tips.clone(), Facts::default(), ledger));
            known.absorb(facts.clone());
        }
        facts
    }

    async fn commits(&self, flow: &Flow, word: &str) -> Result<Vec<CommitId>, Fault> {
        self.effect("effect: commits").await;
        let it = self.it();
        let ids = it.repositories[&flow.name].nodes.iter().map(|node| node.id);
        Ok(ids.filter(|id| id.to_string().starts_with(word)).collect())
    }

    async fn push(&self, flow: &Flow, row: &IntentRow) -> PushAnswer {
        // No breath here: the engine reads the clock right before, and only the few instructions
        // in between are left to chance.
        self.it().count(if row.merge.is_some() { "effect: merge" } else { "effect: push" });
        races_check::on_push(&mut self.it(), row);
        if let Some(answer) = self.scripted_push(flow, row) {
            return answer;
        }
        let faults = self.it().faults.clone();
        let merge = row.merge.is_some();
        let of = |push: &'static str, of_merge: &'static str| if merge { of_merge } else { push };
        if self.strikes(faults.not_sent, of("fault: push not sent", "request fault: merge not sent")) {
            return PushAnswer::NotSent { words: "no route to host".into() };
        }
        if self.strikes(faults.refused, of("fault: push refused", "request fault: merge refused")) {
            return PushAnswer::Refused { words: "pre-receive hook declined".into() };
        }
        if self.strikes(faults.delayed_push, of("fault: push delayed", "request fault: merge delayed")) {
            let mut it = self.it();
            // Mostly within the deadline, sometimes long after the intent was given up.
            let delay = if it.races.is_some() {
                it.rng.below(races_check::GOES_ON)
            } else if it.rng.percent(80) {
                it.rng.below(110_000)
            } else {
                it.rng.below(7_200_000)
            };
            let lands_at = it.truth + delay as i64;
            it.wire.push(OnTheWire { flow: flow.name.clone(), row: row.clone(), lands_at });
            return PushAnswer::NoAnswer { words: String::new() };
        }
        let answer = self.it().serve_push(&flow.name, row, false);
        if self.strikes(faults.lost_answer, of("fault: push answer lost", "request fault: merge not answered")) {
            return PushAnswer::NoAnswer { words: "connection reset".into() };
        }
        Breath::new().await;
        answer
    }

    async fn propose(&self, flow: &Flow, proposal: &Proposal) -> Proposing {
        // No breath here, as with a push: what stands is read right before.
        self.it().count("effect: propose");
        let Some(edge) = flow.edge(&proposal.env) else {
            return Proposing::Unsure { words: "the config changed".into() };
        };
        check_requests::on_propose(&mut self.it(), self.replica, &edge, proposal);
        races_check::on_propose(&mut self.it(), self.replica, &edge, proposal);
        if proposal.from == Some(proposal.head) {
            // Whoever put it there: it is what is decided on.
            self.it().ours(&flow.name, &request_branch(&flow.name, &proposal.env), proposal.head);
        }
        if proposal.from != Some(proposal.head)
            && let Err(answer) = self.put(flow, proposal)
        {
            return answer;
        }
        let forge = self.it().repositories[&flow.name].forge.clone();
        let answer = forge.on().propose(&edge, proposal).await;
        for what in std::mem::take(&mut forge.state().violations) {
            self.it().violation(what);
        }
        answer
    }

    async fn close(&self, flow: &Flow, env: &EnvName, pushed: PushedRequest) -> Closing {
        self.effect("effect: close").await;
        check_requests::on_close(&mut self.it(), flow, env, pushed);
        let forge = self.it().repositories[&flow.name].forge.clone();
        forge.on().close(pushed).await
    }

    async fn read_ref(&self, flow: &Flow, branch: &BranchName) -> Tip {
        self.effect("effect: read_ref").await;
        let percent = self.it().faults.ref_unread;
        if self.strikes(percent, "fault: ref not read") || self.it().script.unreachable > 0 {
            return Tip::Unknown(Unknown::passing(UnknownWhy::TimedOut { after: Span::from_secs(30) }));
        }
        self.it().repositories[&flow.name].branches.get(branch).map_or(Tip::Absent, |id| Tip::At(*id))
    }

    fn compare(&self, _: &Flow, from: CommitId, to: CommitId) -> Option<String> {
        Some(format!("https://forge.test/compare/{from}...{to}"))
    }

    async fn say(&self, _: &Flow, _: &[Saying], _: &Dag) {}

    async fn send(&self, _: &Flow, message: &Message) -> bool {
        self.effect("effect: send").await;
        let percent = self.it().faults.sink_fails;
        if self.strikes(percent, "fault: sink fails") || self.it().script.sink_down > 0 {
            return false;
        }
        self.it().sent.push(message.id.clone());
        true
    }

    fn crash_point(&self, side: Side, effect: &'static str) -> Result<(), Fault> {
        let mut it = self.it();
        races_check::on_effect(&mut it, self.replica, side, effect);
        let Some((at, name, left)) = &mut it.crash_at else { return Ok(()) };
        if *at != side || name != effect {
            return Ok(());
        }
        *left -= 1;
        if *left > 0 {
            return Ok(());
        }
        it.crash_at = None;
        if let Some((_, before, after)) = KILLED.iter().find(|(name, ..)| *name == effect) {
            it.count(if side == Side::Before { before } else { after });
        }
        // The process is gone, and with it its lease.
        it.lives[self.replica] += 1;
        Err(Fault::Crashed)
    }
}
