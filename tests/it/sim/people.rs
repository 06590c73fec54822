//! What people do to repositories, to CI and by order, while Towpath works.
//!
//! Not here: what they do to requests (`deeds`).

use towpath_core::command::{Command, CommitWord};
use towpath_core::model::{
    Actor, BranchName, Change, CiState, CommitId, DecisionRow, EnvName, FlowName, Gate, GateKind, Held, Hold,
    Instant, IntentRow, IntentState, MoveKind, OrderId, Override, Pause, PauseKind, Promote, Reason, Report, Scope,
    Span, Until, request_branch,
};

use super::REQUIRED;
use super::swarm::Swarm;
use crate::support::gate::Says;

impl Swarm {
    pub(super) fn id(&mut self, what: &str) -> OrderId {
        self.ids += 1;
        OrderId::new(format!("{what}-{}", self.ids))
    }

    pub(super) fn person(&mut self) {
        let flow = self.random_flow();
        let (what, on_request) = {
            let mut it = self.universe.borrow_mut();
            (it.rng.below(102), it.rng.percent(45))
        };
        if on_request && self.deed(&flow) {
            return;
        }
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
            99..100 => self.rollback(&flow),
            100..101 if self.universe.borrow().made.is_some() => self.answer_for_migrations(&flow),
            100..101 => self.override_gate(&flow),
            _ => self.server_mood(&flow),
        }
    }

    /// Somebody has looked, and lets Towpath push again.
    pub(super) fn retry(&self, flow: &FlowName) {
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
            let last = it.repositories[&row.flow].moves.iter().rev().find(|m| m.branch == row.branch);
            let ours = last.is_some_and(|last| last.by.as_ref() == Some(&row.id));
            row.state == IntentState::Pushing && row.kind == MoveKind::FastForward && ours
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

    pub(super) fn order(&self, flow: Option<&FlowName>, change: Change) {
        let mut it = self.universe.borrow_mut();
        let pushing = it.apply(flow, std::slice::from_ref(&change)).expect("orders do not conflict");
        if let Change::Pause(pause) = change {
            let (now, mut proposing) = (it.now().trusted, it.underway());
            proposing.retain(|row| row.until > now);
            it.acknowledge(pause, pushing.into_iter().map(|row| row.id).collect(), proposing);
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

    pub(super) fn resume(&self, flow: &FlowName) {
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

    pub(super) fn unhold(&self, flow: &FlowName) {
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
            let (source, env) = if it.rng.percent(70) { ("staging", "production") } else { ("develop", "staging") };
            let Some(tip) = it.repositories[flow].branches.get(&BranchName::new(source)).copied() else {
                return;
            };
            let at: Instant = it.reading().wall;
            let until = at + Span::from_mins(60);
            let by = Actor::new("os:marek@desk");
            it.count("person: promote");
            let (flow, env) = (flow.clone(), env.into());
            Promote { id, flow, env, commit: tip, by, reason: "urgent".into(), at, until }
        };
        self.order(Some(flow), Change::Promote(order));
    }

    /// Somebody passes one gate for one candidate.
    fn override_gate(&mut self, flow: &FlowName) {
        let (id, branch) = (self.id("override"), self.target());
        let order = {
            let mut it = self.universe.borrow_mut();
            let env = EnvName::new(branch.as_str());
            let policy = it.flow(flow).clone();
            let Some(edge) = policy.edge(&env) else { return };
            let gates: Vec<GateKind> = edge.target.gates.iter().map(Gate::kind).collect();
            let branches = &it.repositories[flow].branches;
            let head = branches.get(&request_branch(flow, &env)).or(branches.get(&edge.source.branch)).copied();
            let (Some(commit), Some(gate)) = (head, it.rng.pick(&gates).copied()) else { return };
            let at: Instant = it.reading().wall;
            let by = Actor::new("os:marek@desk");
            it.count("person: override");
            let (flow, reason, until) = (flow.clone(), "it burns".to_owned(), at + Span::from_mins(60));
            Override { id, gate, flow, env, commit, by, reason, at, until, request: None, accepts: Vec::new() }
        };
        self.order(Some(flow), Change::Override(order));
    }

    /// Somebody answers for a commit that the gate on migrations blocks.
    pub(super) fn answer_for_migrations(&mut self, flow: &FlowName) {
        let blocked = |row: &DecisionRow| {
            let why = row.decision.verdict.why();
            let by_gate = matches!(why, Reason::MigrationsBreak { .. } | Reason::MigrationsLacked { .. });
            row.decision.lead.as_ref().filter(|_| by_gate).map(|lead| (row.decision.env.clone(), lead.commit))
        };
        let found = self.universe.borrow().book.ledgers[flow].decisions.values().find_map(blocked);
        let Some((env, commit)) = found else { return };
        let commit = CommitWord::prefix(&commit.to_string()).expect("an id");
        let (flow, env, reason) = (flow.to_string(), env.to_string(), "it was tried".to_owned());
        let gate = GateKind::Migrations;
        self.command(Command::Override { gate, flow, env, commit, reason }, "person: answers for migrations");
    }

    /// Somebody rolls a target back, by command.
    fn rollback(&mut self, flow: &FlowName) {
        let env = self.target();
        let (flow, env) = (flow.to_string(), env.to_string());
        let reason = "it burns".to_owned();
        self.command(Command::Rollback { flow, env, to: None, reason }, "person: rollback");
    }

    fn server_mood(&self, flow: &FlowName) {
        let mut it = self.universe.borrow_mut();
        let bad = it.rng.percent(50);
        let repository = it.repositories.get_mut(flow).expect("the flow exists");
        repository.unreachable = bad && !repository.unreachable;
        it.count("person: server up or down");
    }
}
