//! The end of a run: faults stop, and everything eligible has to arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::task::{Context, Poll, Waker};

use chrono::Timelike as _;
use towpath::engine::tick;
use towpath::forge::RequestState;
use towpath_core::model::{
    Action, Actor, Change, CiState, CommitId, EnvName, Event, FlowName, MergeBy, Reason, Report, Verdict, Who,
    request_branch,
};

use super::deeds::PEOPLE;
use super::forge::ForgeFaults;
use super::swarm::Swarm;
use super::universe::{Faults, Universe};
use super::world::SimWorld;
use super::{REQUIRED, check, check_requests, flows};
use crate::support::book::Deed;
use crate::support::gate::Says;

impl Swarm {
    /// Faults stop, orders are lifted, CI is green, time passes: everything eligible arrives, and
    /// what does not has a reason that a person can act on.
    pub(super) fn heal(&mut self) {
        self.settle_world();
        self.stands();
        let rounds = match self.universe.borrow().made {
            // Each round somebody answers for one commit.
            Some(_) => 15,
            None if self.names().iter().any(|name| !self.by_request(name).is_empty()) => 9,
            None => 6,
        };
        for _ in 0..rounds {
            self.green_tips();
            self.people_agree();
            self.people_answer();
            for replica in 0..self.running.len() {
                for name in self.names() {
                    self.tick_to_end(replica, &name);
                }
            }
            self.universe.borrow_mut().truth += 45 * 60_000;
            self.windows_open();
        }
        let mut it = self.universe.borrow_mut();
        check::settled(&mut it);
        check_requests::settled(&mut it);
        drop(it);
        for name in self.names() {
            self.arrived(&name);
        }
    }

    pub(super) fn names(&self) -> Vec<FlowName> {
        self.universe.borrow().flows.iter().map(|f| f.name.clone()).collect()
    }

    fn settle_world(&mut self) {
        for running in &mut self.running {
            *running = None;
        }
        self.commanding = None;
        let mut it = self.universe.borrow_mut();
        it.faults = Faults::default();
        it.gates.say_of_all(Says::Pass);
        for life in &mut it.lives {
            *life += 1;
        }
        it.truth += 10_000_000;
        it.land_due();
        it.crash_at = None;
        for repository in it.repositories.values_mut() {
            repository.unreachable = false;
            repository.forge.state().faults = ForgeFaults::default();
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
            let tips: BTreeSet<CommitId> = it.repositories[&name].branches.values().copied().collect();
            // What is let in before others was often no branch's tip.
            let dag = it.dag(&name);
            let (all, there) = (dag.ancestors(tips.iter().copied()), self.in_production(&it, &name));
            let between: BTreeSet<CommitId> = match it.made {
                Some(_) => dag.minus(&all, &dag.ancestors(there)).map(|node| node.id).collect(),
                None => tips,
            };
            for commit in between {
                for check in REQUIRED {
                    let at = it.now();
                    let (on, url, by) = (None, None, Actor::new("ci"));
                    let report = Report { commit, name: check.into(), on, state: CiState::Green, url, by, at };
                    it.apply(Some(&name), &[Change::Report(report)]).expect("reports do not conflict");
                }
            }
        }
    }

    fn in_production(&self, it: &Universe, name: &FlowName) -> Option<CommitId> {
        it.repositories[name].branches.get(&"production".into()).copied()
    }

    /// Whatever the gate on migrations blocks somebody answers for.
    fn people_answer(&mut self) {
        if self.universe.borrow().made.is_none() {
            return;
        }
        for name in self.names() {
            self.answer_for_migrations(&name);
            for _ in 0..100_000 {
                if !self.is_given() {
                    break;
                }
                self.poll_command();
            }
        }
    }

    pub(super) fn tick_to_end(&self, replica: usize, name: &FlowName) {
        let flow = self.universe.borrow().flow(name).clone();
        self.universe.borrow().tell_time();
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
                let Some(edge) = it.flow(name).edge(env) else { continue };
                let arrived = match verdict.why() {
                    Reason::UpToDate => true,
                    Reason::Diverged { .. } => check_requests::has_own(&it, &edge),
                    // Somebody has merged what could only be fast-forwarded.
                    Reason::NoWayToMerge { .. } => !it.repositories[name].forge.state().manners.ways.merge_commit,
                    _ => false,
                };
                if !arrived {
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
        wrong.extend(self.blocks(name));
        for what in wrong {
            self.universe.borrow_mut().violation(what);
        }
    }

    /// I7: an environment falls behind and catches up by turns, and each is told once.
    fn alarms(&self, name: &FlowName) -> Vec<String> {
        let mut it = self.universe.borrow_mut();
        let (mut behind, mut looks, mut wrong) = (false, BTreeSet::new(), Vec::new());
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
        let told: BTreeSet<&String> =
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

    /// I7: that an environment is blocked is told, told again only where something else stands in the way, and that it
    /// no longer is only after that: each once.
    fn blocks(&self, name: &FlowName) -> Vec<String> {
        let mut it = self.universe.borrow_mut();
        let (mut stands, mut looks, mut wrong) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        for (_, row) in it.book.events.iter().filter(|(flow, _)| flow == name) {
            let before = match &row.event {
                Event::Blocked { verdict, .. } => stands.insert(row.env.clone(), Some(verdict.clone())),
                Event::Unblocked { .. } => stands.insert(row.env.clone(), None),
                _ => continue,
            };
            // Two looks at one instant, of which one was stale, are one here: the ids are the same.
            let is_first = looks.insert((row.event.word(), row.env.clone(), row.at.wall, row.at.trusted));
            let is_news = match (&row.event, before.flatten()) {
                (Event::Blocked { verdict, .. }, Some(before)) => *verdict != before,
                (Event::Blocked { .. }, None) => true,
                (_, before) => before.is_some(),
            };
            if is_first && !is_news {
                wrong.push(format!("I7: {name} {} is told twice of: {:?}", row.env, row.event));
            }
        }
        let prefixes = [format!("blocked-{name}-"), format!("unblocked-{name}-")];
        let told: BTreeSet<&String> =
            it.sent.iter().filter(|id| prefixes.iter().any(|prefix| id.starts_with(prefix))).collect();
        let news = looks.len();
        if told.len() != news {
            wrong.push(format!("I7: {name}: {news} blocks and ends of blocks, {} told", told.len()));
        }
        let known = &it.book.ledgers[name].blocked;
        let told: BTreeSet<&EnvName> =
            known.iter().filter(|(_, row)| row.told.is_some()).map(|(env, _)| env).collect();
        let said: BTreeSet<&EnvName> = stands.iter().filter(|(_, it)| it.is_some()).map(|(env, _)| env).collect();
        if told != said {
            wrong.push(format!("I7: {name}: blocked is {told:?} by the ledger and {said:?} by the history"));
        }
        for _ in 0..news {
            it.count("seen: a block begins or ends");
        }
        wrong
    }

    /// I10: what is eligible moves within two passes, without anybody's help, and what does not says on whom it
    /// waits: never on Towpath itself.
    fn stands(&mut self) {
        for name in self.names() {
            let mut before = self.actions(&name);
            // A commit that needs nobody is proposed and merged, on one edge after the other.
            for _ in 0..4 {
                self.tick_to_end(0, &name);
                let now = self.actions(&name);
                self.tick_to_end(0, &name);
                let then = self.actions(&name);
                let stuck: Vec<_> =
                    then.iter().filter(|action| before.contains(action) && now.contains(action)).collect();
                if !stuck.is_empty() {
                    self.universe.borrow_mut().violation(format!("I10: {name} does not do {stuck:?}"));
                }
                before = then;
            }
            let mut wrong = Vec::new();
            let it = self.universe.borrow();
            for (env, row) in &it.book.ledgers[&name].decisions {
                let decision = &row.decision;
                let on_us = matches!(&decision.verdict, Verdict::Wait { on: Who::Towpath, .. });
                if decision.action.is_some() || on_us {
                    wrong.push(format!("I10: {name} {env} waits for Towpath: {:?}", decision.verdict));
                }
            }
            wrong.extend(self.unannounced(&it, &name));
            let left = it.book.ledgers[&name].proposed.iter().filter(|(_, row)| row.pushed.is_some_and(|p| p.open));
            wrong.extend(left.map(|(env, row)| format!("I7: {env} has a request to close: {:?}", row.pushed)));
            drop(it);
            for what in wrong {
                self.universe.borrow_mut().violation(what);
            }
        }
    }

    fn actions(&self, name: &FlowName) -> Vec<(EnvName, Action)> {
        let it = self.universe.borrow();
        let decisions = it.book.ledgers[name].decisions.iter();
        decisions.filter_map(|(env, row)| Some((env.clone(), row.decision.action.clone()?))).collect()
    }

    /// I7: of each open request that is for a head of ours people were told, once somebody asked for it again.
    fn unannounced(&self, it: &Universe, name: &FlowName) -> Vec<String> {
        let (ledger, repository) = (&it.book.ledgers[name], &it.repositories[name]);
        let state = repository.forge.state();
        let mut wrong = Vec::new();
        for (env, row) in &ledger.proposed {
            let Some(edge) = it.flow(name).edge(env).filter(|edge| check_requests::is_asked(it, edge)) else {
                continue;
            };
            let branch = request_branch(name, env);
            let open = state.book.find(&branch, &edge.target.branch);
            let open = open.iter().find(|r| r.state == RequestState::Open && r.head == row.head);
            if let Some(open) = open.filter(|_| repository.branches.get(&branch) == Some(&row.head))
                && row.announced != Some(open.number)
            {
                wrong.push(format!("I7: nobody was told that request {} is for {}", open.number, row.head));
            }
        }
        wrong
    }

    /// Whoever has something against a request has not any more, and enough people approve it.
    fn people_agree(&self) {
        for name in self.names() {
            for env in self.by_request(&name) {
                let policy = self.universe.borrow().flow(&name).clone();
                let Some(edge) = policy.edge(&env) else { continue };
                let on = |deed, by| self.on_request(&name, &env, (deed, by), "person: agrees");
                on(Deed::Reopen, "eva");
                on(Deed::Ready, "eva");
                for who in PEOPLE {
                    on(Deed::Approve, who);
                }
                let ready = {
                    let it = self.universe.borrow();
                    let row = it.book.ledgers[&name].decisions.get(&env);
                    row.is_some_and(|row| matches!(row.decision.verdict.why(), Reason::ForPeopleToMerge { .. }))
                };
                if ready && edge.target.request.merge == MergeBy::Person {
                    on(Deed::Merge, "ana");
                }
            }
        }
    }

    /// Time passes until the windows are open.
    fn windows_open(&self) {
        let mut it = self.universe.borrow_mut();
        let local = |it: &Universe| it.reading().wall.utc().map(|utc| utc.with_timezone(&it.flows[0].zone));
        while local(&it).is_some_and(|local| !flows::OPEN.contains(&local.hour())) {
            it.truth += 30 * 60_000;
        }
    }
}
