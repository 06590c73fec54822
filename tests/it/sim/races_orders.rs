//! What is ordered while a move is under way, through the engine's own `carry_out`, and by whom it is survived.

use std::task::{Context, Poll, Waker};

use towpath::engine::Side;
use towpath::engine::command::{Refusal, Reply};
use towpath_core::command::Lasting;
use towpath_core::model::{CommitId, PauseKind, Span};

use super::races::{Bout, Death};
use super::races_check::{self, Reach, Said};
use super::races_count::{self, Came, NO_CRASH, Raced};
use super::swarm::Swarm;

/// Where a mover dies.
const POINTS: [&str; 5] = ["Reread", "MarkPushing", "Push", "ReadRef", "Record"];

/// Turns of everybody after which whoever gives an order is waited for.
const PATIENCE: usize = 400;

impl Swarm {
    /// The first order, where the move is, and further ones while something is under way.
    pub(super) fn orders(&mut self, bout: &mut Bout) {
        bout.crash = NO_CRASH;
        if bout.death == Death::Before && self.kill_movers() {
            self.died(bout, "the mover, before the order");
        }
        let mut said = vec![self.stopping(bout)];
        self.race(bout, &said[0].clone(), bout.death);
        while said.len() < 4 && self.percent(60) && !self.is_bad() {
            self.until_something_moves(bout);
            let of = said[self.draw(said.len())].clone();
            let next = match self.draw(10) {
                0..4 => lifting(&of),
                4..6 => self.lifting_elsewhere(&of, bout),
                _ => self.stopping(bout),
            };
            let death = if self.percent(80) { Death::None } else { Death::Written(self.draw(12)) };
            bout.crash = NO_CRASH;
            self.race(bout, &next, death);
            said.push(next);
        }
    }

    /// An order to stop, of any kind; most cover the move.
    fn stopping(&self, bout: &Bout) -> Said {
        let flow = if self.percent(15) { self.random_flow() } else { bout.flow.clone() };
        let hold = self.percent(40);
        let reach = match self.draw(4) {
            0 => Reach::All,
            1 if hold => Reach::Flow(bout.flow.clone()),
            1 => Reach::Flow(flow),
            2 if hold => Reach::All,
            2 => Reach::Env(bout.env.clone()),
            _ => Reach::Edge(bout.flow.clone(), bout.env.clone()),
        };
        if hold {
            return Said::Hold { commit: self.to_hold(bout), reach };
        }
        let kind = if self.percent(40) { PauseKind::Freeze } else { PauseKind::Pause };
        let lasts = match self.draw(5) {
            0 => Lasting::For(Span::from_mins(2 + self.draw(4) as i64)),
            1 => Lasting::UntilResumed,
            _ => Lasting::Default,
        };
        Said::Pause { kind, reach, lasts }
    }

    /// The commit that moves, another that comes with it, or any.
    fn to_hold(&self, bout: &Bout) -> CommitId {
        let row =
            self.of_log(|log| log.open.values().find(|row| row.flow == bout.flow && row.env == bout.env).cloned());
        let dag = self.universe.borrow().dag(&bout.flow);
        let what = self.draw(10);
        let one_of = |commits: Vec<CommitId>| commits[self.draw(commits.len())];
        if let Some(row) = row {
            let (there, comes) = (dag.ancestors([row.old]), dag.ancestors([row.new]));
            match what {
                0..4 => return row.new,
                4..8 => return one_of(dag.minus(&comes, &there).map(|node| node.id).collect()),
                _ => {}
            }
        }
        one_of(dag.nodes().iter().rev().take(4).map(|node| node.id).collect())
    }

    /// An order that lifts less than was ordered, or something else.
    fn lifting_elsewhere(&self, said: &Said, bout: &Bout) -> Said {
        let reach = match said.reach() {
            Reach::All | Reach::Env(_) => Reach::Flow(bout.flow.clone()),
            Reach::Flow(_) => Reach::Edge(bout.flow.clone(), bout.env.clone()),
            Reach::Edge(..) => Reach::Flow(self.random_flow()),
        };
        match said {
            Said::Hold { commit, .. } | Said::Unhold { commit, .. } => Said::Unhold { commit: *commit, reach },
            Said::Pause { .. } | Said::Resume { .. } => Said::Resume { reach },
        }
    }

    /// Turns of the replicas until some automatic move is under way, in any flow.
    fn until_something_moves(&mut self, bout: &mut Bout) {
        for _ in 0..150 {
            let moves = self.of_log(|log| log.open.values().any(races_check::is_automatic));
            if (moves && self.percent(12)) || self.is_bad() {
                return;
            }
            let flow = self.random_flow();
            self.turn(&flow, bout);
        }
    }

    /// One order, from its first turn to its answer or its end.
    fn race(&mut self, bout: &mut Bout, said: &Said, death: Death) {
        self.give(said);
        if death == Death::AtPoint {
            let side = if self.percent(50) { Side::Before } else { Side::After };
            let point = POINTS[self.draw(POINTS.len())].to_owned();
            self.universe.borrow_mut().crash_at = Some((side, point, 1));
        }
        let (mut turn, mut written) = (0, 0);
        while self.is_given() && !self.is_bad() {
            turn += 1;
            written += usize::from(self.is_written());
            if self.dies(bout, death, (turn, written)) {
                continue;
            }
            // Whoever is in no hurry is so for a while only.
            if turn > PATIENCE || self.draw(100) < bout.gait {
                if let Some(end) = self.poll_order() {
                    self.ended(bout, said, Some(end));
                    return;
                }
            } else {
                let flow = if self.percent(70) { bout.flow.clone() } else { self.random_flow() };
                self.turn(&flow, bout);
            }
        }
        if !self.is_bad() {
            self.ended(bout, said, None);
        }
    }

    fn give(&mut self, said: &Said) {
        // No two orders of the same words are given at one instant.
        self.time(1 + self.draw(50));
        let truth = self.universe.borrow().truth;
        self.of_log(|log| log.give(said.clone(), truth));
        self.command(said.command(), "person: gives an order");
    }

    fn is_written(&self) -> bool {
        self.of_log(|log| log.given.as_ref().is_some_and(|given| given.written.is_some()))
    }

    /// Whether somebody dies at this turn.
    fn dies(&mut self, bout: &mut Bout, death: Death, (turn, written): (usize, usize)) -> bool {
        let who = match death {
            Death::Movers(at) if turn == at + 1 && self.kill_movers() => "the mover, in mid pass",
            Death::Order(at) if turn == at + 1 && written == 0 => "who ordered, before it was written",
            Death::Written(at) if written == at + 1 => "who ordered, once it was written",
            Death::All(at) if turn == at + 1 => {
                self.kill_movers();
                "everybody"
            }
            _ => return false,
        };
        if !matches!(death, Death::Movers(_)) {
            self.commanding = None;
            let mut it = self.universe.borrow_mut();
            it.lives[self.running.len()] += 1;
            it.boot += u64::from(matches!(death, Death::All(_)));
        }
        if matches!(death, Death::Order(_) | Death::Written(_)) {
            // Nobody who carries out a move.
            races_check::on_death(&mut self.universe.borrow_mut());
            bout.crash = who;
        } else {
            self.died(bout, who);
        }
        true
    }

    fn poll_order(&mut self) -> Option<Result<Reply, Refusal>> {
        self.universe.borrow().tell_time();
        let given = self.commanding.as_mut()?;
        let Poll::Ready(end) = given.as_mut().poll(&mut Context::from_waker(Waker::noop())) else { return None };
        self.commanding = None;
        Some(end)
    }

    /// An order has its answer, or nobody waits for one any more.
    fn ended(&self, bout: &mut Bout, said: &Said, end: Option<Result<Reply, Refusal>>) {
        let mut it = self.universe.borrow_mut();
        let Some(given) = it.races.as_mut().and_then(|log| log.given.take()) else { return };
        let found = given.written.clone().unwrap_or_else(|| races_count::snapshot(&it, said));
        let came = match end {
            Some(Ok(reply)) => {
                races_check::on_answer(&mut it, &given, &reply);
                Came::Answered(reply.pushing.iter().map(|row| row.id.clone()).collect())
            }
            Some(Err(Refusal::Fault(_))) => Came::Failed,
            Some(Err(_)) => Came::Refused,
            None => Came::Killed,
        };
        let (written, stops) = (given.written.is_some(), said.stops());
        bout.raced.push(Raced { found, came, written, stops, crash: bout.crash });
        bout.crash = NO_CRASH;
    }

    /// An order that nothing races with.
    pub(super) fn order_at_once(&mut self, said: &Said) -> Result<(), Refusal> {
        self.give(said);
        let end = loop {
            if let Some(end) = self.poll_order() {
                break end;
            }
        };
        self.of_log(|log| log.given = None);
        end.map(drop)
    }
}

/// The order that lifts just that one; of a lifting one, itself again.
fn lifting(said: &Said) -> Said {
    match said {
        Said::Pause { reach, .. } | Said::Resume { reach } => Said::Resume { reach: reach.clone() },
        Said::Hold { commit, reach } | Said::Unhold { commit, reach } => {
            Said::Unhold { commit: *commit, reach: reach.clone() }
        }
    }
}
