//! From raw observation to what a decision needs, without I/O: which commits to load
//! ([`wanted`]), what the ledger has to learn from new tips ([`note()`]), and how source and target
//! of each edge relate ([`edges`]).
//!
//! Not here: reading remotes (the `World` does that) and judging (that is `decide`).

mod behind;
mod beside;
mod blocked;
mod code;
mod expire;
mod graph;
mod heads_up;
mod note;
mod pushed;
mod remind;

use std::collections::{BTreeMap, BTreeSet};

use crate::dag::Dag;
use crate::model::{
    Change, CommitId, Edge, EdgeSeen, EnvName, Event, EventRow, Fact, Flow, Graph, Held, IntentState, Ledger, Now,
    Tip, Unknown, UnknownWhy,
};

pub use behind::behind;
pub use beside::{Hand, by_hand, judged_for, would, would_have};
pub use blocked::{blocked, blocked_due};
pub use code::code;
pub use heads_up::{PREFIX as HEADS_UP, due as heads_up_due, heads_up};
pub use note::{SOMEBODY, after_landing, is_rewind, landed, left_open, note, tell};
pub use pushed::{PushSeen, date_by_pushes, pushes_wanted};
pub use remind::{PREFIX as REMINDER, due as reminder_due};

/// Who is named for what automation does.
pub const US: &str = "towpath";

/// How many lost tips of an environment are looked at for telling withdrawn commits.
const LOST_MAX: usize = 50;

/// What goes into the history of a flow that a look found, and the message that tells it.
fn news(flow: &Flow, env: &EnvName, now: Now, event: Event) -> [Change; 2] {
    // One look finds one thing of a kind for an environment, so the look makes it unique. Both clocks,
    // because after a jump of the wall the other may not have moved on.
    let key = format!("{}-{}-{env}-{}-{}", event.word(), flow.name, now.wall.0, now.trusted.0);
    let happened = Change::Event(EventRow { env: env.clone(), at: now, event: event.clone() });
    [happened, tell(&key, env, now, event)]
}

/// The tips of a flow's environments, as the remote told them.
pub type Tips = BTreeMap<EnvName, Tip>;

/// The commits, besides the tips, whose place in history the ledger asks about.
pub fn wanted(flow: &Flow, ledger: &Ledger) -> BTreeSet<CommitId> {
    let mut wanted: BTreeSet<CommitId> = ledger.branches.values().map(|seen| seen.tip).collect();
    for environment in &flow.environments {
        let tips = ledger.held.get(&environment.name).map_or(&[][..], Vec::as_slice);
        wanted.extend(tips.iter().rev().filter(|tip| tip.lost).take(LOST_MAX).map(|tip| tip.commit));
        // Those that are not lost lie in the loaded piece or below it; which of the two has to be
        // told from their being gone.
        wanted.extend(tips.iter().filter(|tip| !tip.lost).map(|tip| tip.commit));
    }
    for hold in &ledger.standing.holds {
        match hold.what {
            Held::Commit(commit) => wanted.extend([commit]),
            Held::Range { lost, kept } => wanted.extend([lost, kept]),
        }
        wanted.extend(hold.fixed_by);
    }
    for intent in &ledger.intents {
        wanted.extend([intent.old, intent.new]);
    }
    wanted
        .extend(ledger.proposed.values().filter_map(|row| row.pushed).filter(|pushed| pushed.open).map(|p| p.head));
    wanted
}

/// When the target was first seen where it is.
///
/// Of a tip that somebody pushed beyond a push of ours whose answer was lost, of one that landed
/// late, and of the first one in a new store it cannot be told whether a promotion of ours put it
/// there. So all that is seen to enter within a slot of a schedule uses it: that may delay the next
/// promotion, and never lets two into one slot.
fn first_seen_at(ledger: &Ledger, edge: &Edge<'_>) -> Option<Now> {
    let seen = ledger.branches.get(&edge.target.name)?;
    (seen.branch == edge.target.branch).then_some(seen.at)
}

/// What is seen of each edge, given the tips, the loaded history and a ledger that has already
/// noted these tips.
pub fn edges(flow: &Flow, ledger: &Ledger, tips: &Tips, history: &Fact<Dag>) -> Vec<EdgeSeen> {
    let missing = Tip::Unknown(Unknown::passing(UnknownWhy::NotAnswered));
    flow.edges()
        .map(|edge| {
            let source = tips.get(&edge.source.name).unwrap_or(&missing).clone();
            let target = tips.get(&edge.target.name).unwrap_or(&missing).clone();
            let graph = match (&source, &target, history) {
                (Tip::At(s), Tip::At(t), Fact::Known(dag)) => graph::relate(&edge, ledger, tips, dag, *s, *t),
                (Tip::At(_), Tip::At(_), Fact::Unknown(unknown)) => Fact::Unknown(unknown.clone()),
                // The tips tell why; the graph is not looked at.
                _ => Fact::Known(Graph::default()),
            };
            let in_flight = ledger
                .intents
                .iter()
                .find(|row| row.env == edge.target.name && row.state == IntentState::Pushing)
                .cloned();
            let by_us = ledger.last_moves.get(&edge.target.name).copied();
            let last_move = by_us.max(first_seen_at(ledger, &edge).map(|seen| seen.wall));
            let proposed = ledger.proposed.get(&edge.target.name).cloned();
            EdgeSeen { env: edge.target.name.clone(), source, target, graph, in_flight, last_move, proposed }
        })
        .collect()
}
