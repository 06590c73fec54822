//! What the ledger keeps for `compare`: which moves would be made, and how Towpath saw those that
//! people made.

use crate::dag::Dag;
use crate::model::{
    Action, Change, CommitId, EnvName, Event, Ledger, Plan, Reason, Tip, Waiting, Wanted, Way, Would,
};

/// What a plan changes in the record of the moves that would be made. Looks at which something
/// could not be read change nothing: no decision is not another decision.
pub fn would(ledger: &Ledger, plan: &Plan) -> Vec<Change> {
    let mut changes = Vec::new();
    for decision in &plan.decisions {
        let (env, at) = (decision.env.clone(), plan.now);
        let (Tip::At(_), Some(tip)) = (&decision.source, decision.target.commit()) else { continue };
        if matches!(decision.verdict.why(), Reason::Unknown(_)) {
            continue;
        }
        let rows = ledger.would.get(&env).map_or(&[][..], Vec::as_slice);
        let here = rows.iter().all(|row| row.old == tip);
        if !here {
            changes.push(Change::WouldBeOver { env: env.clone(), at });
        }
        let open = rows.iter().find(|row| here && row.ended.is_none());
        match decision.action.as_ref().and_then(Action::moves) {
            Some((old, new)) => {
                if open.is_some_and(|row| row.new == new) {
                    continue;
                }
                if open.is_some() {
                    changes.push(Change::WouldNot { env: env.clone(), at });
                }
                changes.push(Change::Would { env, old, new, at });
            }
            None if open.is_some() => changes.push(Change::WouldNot { env, at }),
            None => {}
        }
    }
    changes
}

/// A move by somebody else, as the ledger is about to note it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hand {
    /// The environment.
    pub env: EnvName,
    /// From.
    pub old: CommitId,
    /// To.
    pub new: CommitId,
    /// Which way.
    pub way: Way,
}

/// The moves by others among the changes of a look.
pub fn by_hand(changes: &[Change], dag: &Dag) -> Vec<Hand> {
    let hand = |change: &Change| {
        let Change::Event(row) = change else { return None };
        let (old, new, way) = match row.event {
            Event::Moved { old, new } => (old, new, Way::Forward),
            Event::Rewound { lost, kept, .. } if dag.contains(lost, kept) => (lost, kept, Way::Back),
            Event::Rewound { lost, kept, .. } => (lost, kept, Way::Aside),
            Event::Landed { .. }
            | Event::Proposed { .. }
            | Event::PutBack { .. }
            | Event::Withdrawn { .. }
            | Event::Refused { .. }
            | Event::CalledOff { .. }
            | Event::Overtaken { .. }
            | Event::Behind { .. }
            | Event::Blocked { .. }
            | Event::Unblocked { .. }
            | Event::EndsSoon { .. }
            | Event::CaughtUp { .. }
            | Event::HeadsUp { .. }
            | Event::TakenBack { .. } => return None,
        };
        Some(Hand { env: row.env.clone(), old, new, way })
    };
    changes.iter().filter_map(hand).collect()
}

/// What had been decided while the target was where it was moved from.
pub fn would_have(ledger: &Ledger, hand: &Hand, dag: &Dag) -> Would {
    let rows = ledger.would.get(&hand.env).into_iter().flatten().filter(|row| row.old == hand.old);
    let mut found = Would::default();
    for row in rows {
        let wanted = Wanted { new: row.new, since: row.began.wall };
        let place = match () {
            () if row.new == hand.new => {
                found.same = Some(found.same.map_or(wanted.since, |since| since.min(wanted.since)));
                continue;
            }
            () if dag.contains(row.new, hand.new) => &mut found.further,
            () if dag.contains(hand.new, row.new) => &mut found.part,
            () => continue,
        };
        *place = Some(place.filter(|first| first.since <= wanted.since).unwrap_or(wanted));
    }
    found
}

/// Which of the candidates, newest first, to judge for a move: the moved commit or, where Towpath
/// would not stop there, the oldest that contains it.
pub fn judged_for(candidates: &[&Waiting], dag: &Dag, new: CommitId) -> Option<CommitId> {
    if candidates.iter().any(|candidate| candidate.id == new) {
        return Some(new);
    }
    candidates.iter().rev().map(|candidate| candidate.id).find(|id| dag.contains(*id, new))
}
