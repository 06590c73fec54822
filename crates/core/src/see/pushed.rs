//! Arrivals that a forge's own record of pushes proves to be earlier than they were seen.
//!
//! A commit that came between two looks counts from when Towpath saw it. A forge that keeps who pushed what and when
//! can tell better: of a service that was off, above all. It is believed only as far as its record is whole from the
//! tip that was seen backwards, and only for an earlier time, but none before the look that did not see the commit:
//! what is missing in it, or comes late, delays.
//!
//! Not here: asking the forge (`forge`), and what an arrival is for (`decide/gates/lag.rs`).

use std::collections::BTreeMap;

use super::Tips;
use crate::dag::{Dag, Marks};
use crate::model::{
    Arrival, ArrivalHow, Change, CommitId, EnvName, Flow, Gate, GateKind, Ledger, Now, Tip, Trusted,
};

/// A movement of a branch, as a forge keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushSeen {
    /// Where the branch was; none where it was not.
    pub before: Option<CommitId>,
    /// Where it was then; none where it was deleted.
    pub after: Option<CommitId>,
    /// When, no earlier than it was.
    pub at: Trusted,
}

/// The environments whose arrivals a look found anew, where it matters for a move when exactly they came: those
/// whose record of pushes is worth asking for.
pub fn pushes_wanted(flow: &Flow, changes: &[Change]) -> Vec<EnvName> {
    let counts = |env: &EnvName| {
        let edge = flow.edges().find(|edge| &edge.source.name == env);
        edge.is_some_and(|edge| {
            edge.target.gates.iter().any(|gate| matches!(gate, Gate::Lag(_)) || gate.kind() == GateKind::Quiet)
        })
    };
    let came = changes.iter().filter_map(|change| match change {
        Change::Arrived { env, commits } if commits.iter().any(|(_, arrival)| is_open(arrival)) => Some(env),
        _ => None,
    });
    came.filter(|env| counts(env)).cloned().collect()
}

/// Dates the arrivals among the changes by the pushes of their branches, newest first; `ledger` is as before them.
pub fn date_by_pushes(
    changes: &mut [Change],
    pushes: &BTreeMap<EnvName, Vec<PushSeen>>,
    (ledger, tips): (&Ledger, &Tips),
    dag: &Dag,
    now: Now,
) {
    for change in changes {
        let Change::Arrived { env, commits } = change else { continue };
        let (Some(pushes), Some(tip)) = (pushes.get(env), tips.get(env).and_then(Tip::commit)) else { continue };
        let record = Record::whole(pushes, tip, dag);
        for (commit, arrival) in commits.iter_mut().filter(|(_, arrival)| is_open(arrival)) {
            let Some(trusted) = record.since(*commit, dag) else { continue };
            // Whatever a record says, it was not there when Towpath last looked.
            let trusted = trusted.max(ledger.looked.map_or(now.trusted, |looked| looked.trusted));
            if trusted < arrival.trusted {
                *arrival = Arrival { trusted, wall: now.wall_at(trusted), how: ArrivalHow::Pushed };
            }
        }
    }
}

/// Whether it came between two looks. What was there at the first one ever is not dated: Towpath knows of nothing that
/// people took back before, and its lag is the time in which they can say so.
const fn is_open(arrival: &Arrival) -> bool {
    matches!(arrival.how, ArrivalHow::Seen)
}

/// The part of a record that leads to the tip without a gap, newest first.
struct Record(Vec<Step>);

struct Step {
    at: Trusted,
    /// What the branch had before; none where that is not known, or nothing.
    had: Option<Marks>,
}

impl Record {
    fn whole(pushes: &[PushSeen], tip: CommitId, dag: &Dag) -> Self {
        let (mut steps, mut expected) = (Vec::new(), Some(tip));
        for push in pushes {
            if expected.is_none() || push.after != expected {
                break;
            }
            expected = push.before;
            // What nobody has any more, or lies below all branches, tells of none that are asked about.
            let had = push.before.filter(|before| dag.node(*before).is_some());
            steps.push(Step { at: push.at, had: had.map(|before| dag.ancestors([before])) });
        }
        Self(steps)
    }

    /// When the branch last came to have a commit that its tip has.
    fn since(&self, commit: CommitId, dag: &Dag) -> Option<Trusted> {
        let there = |step: &&Step| step.had.as_ref().is_some_and(|had| dag.has(had, commit));
        let older = self.0.iter().take_while(there).count();
        // Where it was there before the oldest, that one is the earliest that is proven.
        self.0.get(older).or(self.0.last()).map(|step| step.at)
    }
}
