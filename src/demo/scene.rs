//! What the watcher sees at one moment, as a value: from what was decided to texts that are ready
//! to be laid out.
//!
//! Every text from outside passes `one_line` or `explain` here, so `view` may print what it gets.
//! Not here: widths, colours, the terminal.

use towpath_core::dag::Dag;
use towpath_core::explain::{Mark, Words};
use towpath_core::model::{
    Candidate, CommitId, Decision, EdgeSeen, Environment, Fact, Flow, Instant, Tip, Verdict,
};
use towpath_core::text::one_line;

use super::pace::Speed;
use super::stage::{Told, mark, shortened, words};
use crate::engine::Planned;

/// The longest subject that is kept; the view cuts further.
const SUBJECT_MAX: usize = 120;

/// How many entries of the past are kept: more than fit on a screen.
const PAST_MAX: usize = 40;

/// One moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scene {
    /// The simulated clock.
    pub clock: String,
    /// The minute of the story, and the last one.
    pub minute: (u32, u32),
    /// How fast it goes.
    pub speed: String,
    /// What the watcher is told.
    pub say: String,
    /// The environments, in the order in which commits move.
    pub lanes: Vec<Lane>,
    /// What happened, newest last.
    pub past: Vec<Past>,
}

/// An environment, with the edge that leads into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Its branch, if that is called otherwise.
    pub branch: Option<String>,
    /// Where it is; none if that is not known.
    pub tip: Option<Commit>,
    /// The way into it; none for the first.
    pub edge: Option<Edge>,
}

/// A commit as people know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// The first digits of its id.
    pub id: String,
    /// Its first line.
    pub subject: String,
    /// Its author.
    pub author: String,
}

/// The way into an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// How it stands.
    pub mark: Mark,
    /// The verdict in Towpath's words.
    pub verdict: String,
    /// What can be done about a block, in Towpath's words, and the command if it is one.
    pub todo: Option<(String, Option<String>)>,
    /// The commits that wait, newest first, each with how it stands by itself.
    pub waiting: Vec<(Mark, Commit)>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// When, by the simulated clock; empty for what belongs to the one before.
    pub at: String,
    /// What.
    pub told: Told,
}

impl Scene {
    /// Before anything happened.
    pub fn begin(speed: Speed) -> Self {
        let speed = match speed {
            Speed::Fast => String::new(),
            Speed::Times(60) => "a second each".to_owned(),
            Speed::Times(by) => format!("{by} times as fast"),
        };
        Self { speed, ..Self::default() }
    }

    /// Adds to the past.
    pub fn remember(&mut self, at: &str, told: &[Told]) {
        let past =
            |told: &Told| Past { at: if told.under { String::new() } else { at.to_owned() }, told: told.clone() };
        self.past.extend(told.iter().map(past));
        let over = self.past.len().saturating_sub(PAST_MAX);
        self.past.drain(..over);
    }

    /// Sets clock and lanes to what was planned, as it reads at `now`.
    pub fn show(&mut self, flow: &Flow, planned: &Planned, now: Instant) {
        let words = words(flow, now);
        self.clock = clock(flow, now);
        self.lanes = flow.environments.iter().map(|environment| lane(&words, environment, planned)).collect();
    }
}

/// `10:42`, in the flow's zone.
pub fn clock(flow: &Flow, at: Instant) -> String {
    at.utc().map_or_else(|| at.to_string(), |utc| utc.with_timezone(&flow.zone).format("%H:%M").to_string())
}

fn lane(words: &Words<'_>, environment: &Environment, planned: &Planned) -> Lane {
    let name = &environment.name;
    let tip = planned.look.tips.get(name).and_then(Tip::commit);
    let decision = planned.plan.decisions.iter().find(|decision| &decision.env == name);
    let seen = planned.seen.edges.iter().find(|edge| &edge.env == name);
    let branch = environment.branch.as_str();
    Lane {
        name: one_line(name.as_str(), 40),
        branch: (branch != name.as_str()).then(|| one_line(branch, 40)),
        tip: tip.map(|id| commit_in(planned.look.dag(), id)),
        edge: decision.map(|decision| edge(words, decision, seen)),
    }
}

fn edge(words: &Words<'_>, decision: &Decision, seen: Option<&EdgeSeen>) -> Edge {
    let explanation = words.explain(decision);
    let blocked = matches!(decision.verdict, Verdict::Block { .. });
    let todo = explanation.todo.into_iter().next().filter(|_| blocked).map(|todo| {
        let command = match todo.commands.as_slice() {
            [one] => Some(shortened(one)),
            _ => None,
        };
        (todo.say, command)
    });
    let waiting = match seen.map(|seen| &seen.graph) {
        Some(Fact::Known(graph)) => graph.waiting.as_slice(),
        Some(Fact::Unknown(_)) | None => &[],
    };
    let waiting = waiting.iter().map(|one| (standing(decision, one.id), commit(one.id, &one.subject, &one.author)));
    Edge { mark: mark(&decision.verdict), verdict: explanation.headline, todo, waiting: waiting.collect() }
}

/// How a waiting commit stands, as far as it was judged.
fn standing(decision: &Decision, id: CommitId) -> Mark {
    let candidates = decision.lead.iter().chain(&decision.beside);
    let verdict = candidates.filter(|candidate| candidate.commit == id).find_map(Candidate::verdict);
    verdict.map_or(Mark::Note, mark)
}

fn commit_in(dag: &Dag, id: CommitId) -> Commit {
    dag.node(id).map_or_else(
        || Commit { id: id.short(), ..Commit::default() },
        |node| commit(id, &node.subject, &node.author),
    )
}

fn commit(id: CommitId, subject: &str, author: &str) -> Commit {
    Commit { id: id.short(), subject: one_line(subject, SUBJECT_MAX), author: one_line(author, 40) }
}
