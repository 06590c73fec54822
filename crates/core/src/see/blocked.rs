//! When a target has been blocked for longer than its alarm, and when it no longer is: each is told once, whoever
//! looks and however often.
//!
//! Blocked is what the decision says: nothing moves until somebody mends something. What a person ordered here
//! (a pause, a freeze, a hold) is nobody's news, and a refused push is told as `refused`: while one of these is what
//! stands in the way nothing is told, and nothing that was told is over. Nor does a look that learned nothing end
//! anything.
//!
//! Not here: the sentence (`explain`), and whom it calls (`tell` of the root package).

use super::note::tell;
use crate::model::{
    Blocked, Change, CommitId, Decision, EnvName, Event, EventRow, Flow, Ledger, Mode, Now, Plan, Reason, Span,
    UnknownWhy, Verdict,
};

/// What one look says of an edge.
enum Seen<'d> {
    /// Nothing moves until somebody mends this.
    Blocked(&'d Verdict),
    /// Something stands in the way of which nobody has to be told, besides whatever else does.
    Ordered,
    /// It moves, or waits as expected.
    Free,
    /// It cannot be told.
    Dark,
}

/// What a plan changes in what the ledger knows of targets that are blocked.
pub fn blocked(flow: &Flow, ledger: &Ledger, plan: &Plan) -> Vec<Change> {
    let mut changes = Vec::new();
    for decision in &plan.decisions {
        let Some(edge) = flow.edge(&decision.env) else { continue };
        let (env, now, stands) = (&decision.env, plan.now, ledger.blocked.get(&decision.env));
        // Of an edge that is only observed nothing is expected; without an alarm nobody is told.
        let Some(alarm) = edge.target.blocked_alarm.filter(|_| edge.target.mode == Mode::Act) else {
            changes.extend(stands.map(|_| Change::Unblocked(env.clone())));
            continue;
        };
        match (seen(&decision.verdict), stands) {
            (Seen::Blocked(verdict), None) => {
                let row = Blocked { since: now, told: false, verdict: verdict.clone() };
                changes.extend(still(flow, decision, now, row, alarm, true));
            }
            (Seen::Blocked(verdict), Some(row)) => {
                let is_other = !is_same(row.verdict.why(), verdict.why());
                if !row.told || is_other {
                    let row = Blocked { verdict: verdict.clone(), ..row.clone() };
                    changes.extend(still(flow, decision, now, row, alarm, is_other));
                }
            }
            // Before it was told it may have been mended behind that.
            (Seen::Ordered, Some(row)) if !row.told => changes.push(Change::Unblocked(env.clone())),
            (Seen::Free, Some(row)) => {
                changes.push(Change::Unblocked(env.clone()));
                if row.told {
                    changes.extend(news(flow, env, now, Event::Unblocked { since: row.since.wall }));
                }
            }
            (Seen::Ordered | Seen::Free | Seen::Dark, _) => {}
        }
    }
    changes
}

/// When an edge that is blocked now will have been so for as long as its alarm says.
pub fn blocked_due(flow: &Flow, ledger: &Ledger, now: Now) -> Option<crate::model::Instant> {
    let due = ledger.blocked.iter().filter(|(_, row)| !row.told).filter_map(|(env, row)| {
        let alarm = flow.edge(env)?.target.blocked_alarm?;
        Some(now.wall_at(row.since.trusted + alarm))
    });
    due.min()
}

/// A row that is to be kept, and what is told of it.
fn still(flow: &Flow, decision: &Decision, now: Now, row: Blocked, alarm: Span, is_new: bool) -> Vec<Change> {
    let is_due = now.trusted >= row.since.trusted + alarm;
    if !is_due && !is_new {
        return Vec::new();
    }
    let event =
        Event::Blocked { commit: about(decision), verdict: Box::new(row.verdict.clone()), since: row.since.wall };
    let env = &decision.env;
    let mut changes = vec![Change::Blocked { env: env.clone(), row: Blocked { told: is_due || row.told, ..row } }];
    if is_due {
        changes.extend(news(flow, env, now, event));
    }
    changes
}

fn seen(verdict: &Verdict) -> Seen<'_> {
    match verdict {
        Verdict::Block { why, .. } if is_told_otherwise(why) => Seen::Ordered,
        Verdict::Block { .. } => Seen::Blocked(verdict),
        // A pause with an end is a wait.
        Verdict::Wait { why: Reason::Unknown(_) | Reason::BranchesMoved, .. } => Seen::Dark,
        Verdict::Wait { why, .. } if is_told_otherwise(why) => Seen::Ordered,
        Verdict::Pass { .. } | Verdict::Wait { .. } => Seen::Free,
    }
}

/// What a person ordered who knows of it, here or on the forge, and what has an event of its own.
const fn is_told_otherwise(why: &Reason) -> bool {
    matches!(
        why,
        Reason::Paused { .. }
            | Reason::Frozen { .. }
            | Reason::Held { .. }
            | Reason::RequestDraft { .. }
            | Reason::ChangesRequested { .. }
            | Reason::PushRefused { .. }
    )
}

/// Whether it is the same that stands in the way, perhaps of another commit or with other words.
fn is_same(one: &Reason, other: &Reason) -> bool {
    match (one, other) {
        (Reason::CheckRed { name: one, .. }, Reason::CheckRed { name: other, .. }) => one == other,
        (Reason::Unknown(one), Reason::Unknown(other)) => is_same_fault(&one.why, &other.why),
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

fn is_same_fault(one: &UnknownWhy, other: &UnknownWhy) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// The commit whose authors may know more: what stands on the target and nowhere else, or the candidate that can
/// move soonest.
fn about(decision: &Decision) -> Option<CommitId> {
    match decision.verdict.why() {
        Reason::Diverged { commits, .. } => commits.first().map(|stray| stray.commit),
        _ => decision.lead.as_ref().map(|lead| lead.commit),
    }
}

fn news(flow: &Flow, env: &EnvName, now: Now, event: Event) -> Vec<Change> {
    // One look finds one of the two for an environment, so the look makes it unique. Both clocks,
    // because after a jump of the wall the other may not have moved on.
    let key = format!("{}-{}-{env}-{}-{}", event.word(), flow.name, now.wall.0, now.trusted.0);
    vec![Change::Event(EventRow { env: env.clone(), at: now, event: event.clone() }), tell(&key, env, now, event)]
}
