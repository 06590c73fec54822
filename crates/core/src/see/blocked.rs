//! When a target has been blocked for longer than its alarm, and when it no longer is: each is told once, whoever
//! looks and however often.
//!
//! Blocked is what the decision says: nothing moves until somebody mends something. What a person ordered here
//! (a pause, a freeze, a hold) is nobody's news, and a refused push is told as `refused`: while one of these is what
//! stands in the way nothing is told, and nothing that was told is over. Nor does a look that learned nothing end
//! anything.
//!
//! Not here: the sentence (`explain`), and whom it calls (`tell` of the root package).

use super::news;
use crate::model::{
    Blocked, Change, Check, CommitId, Decision, Event, Flow, Instant, Judged, Ledger, Mode, Now, Pause, Plan,
    Reason, Span, Verdict,
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
    // What is no target any more is nothing any more.
    let gone = ledger.blocked.keys().filter(|env| flow.edge(env).is_none());
    let mut changes: Vec<Change> = gone.map(|env| Change::Unblocked(env.clone())).collect();
    for decision in &plan.decisions {
        let Some(edge) = flow.edge(&decision.env) else { continue };
        let (env, now, stands) = (&decision.env, plan.now, ledger.blocked.get(&decision.env));
        // Of an edge that is only observed nothing is expected; without an alarm nobody is told.
        let Some(alarm) = edge.target.blocked_alarm.filter(|_| edge.target.mode == Mode::Act) else {
            changes.extend(stands.map(|_| Change::Unblocked(env.clone())));
            continue;
        };
        match (seen(flow, ledger, decision, now), stands) {
            (Seen::Blocked(verdict), None) => {
                let row = Blocked { since: now, told: None, verdict: verdict.clone() };
                changes.push(Change::Blocked { env: env.clone(), row: row.clone() });
                changes.extend(still(flow, decision, row, now, alarm));
            }
            (Seen::Blocked(verdict), Some(row))
                if row.told.is_none() || !is_same(row.verdict.why(), verdict.why()) =>
            {
                changes.extend(still(
                    flow,
                    decision,
                    Blocked { verdict: verdict.clone(), ..row.clone() },
                    now,
                    alarm,
                ));
            }
            // Before it was told it may have been mended behind that.
            (Seen::Ordered, Some(row)) if row.told.is_none() => changes.push(Change::Unblocked(env.clone())),
            (Seen::Free, Some(row)) => {
                changes.push(Change::Unblocked(env.clone()));
                if row.told.is_some() {
                    changes.extend(news(flow, env, now, Event::Unblocked { since: row.since.wall }));
                }
            }
            (Seen::Blocked(_) | Seen::Ordered | Seen::Free | Seen::Dark, _) => {}
        }
    }
    changes
}

/// When an edge that is blocked now will have been so for as long as its alarm says; nothing that is past, which the next
/// look tells if it finds it so.
pub fn blocked_due(flow: &Flow, ledger: &Ledger, now: Now) -> Option<Instant> {
    let due = ledger.blocked.iter().filter(|(_, row)| row.told.is_none()).filter_map(|(env, row)| {
        let alarm = flow.edge(env)?.target.blocked_alarm?;
        Some(now.wall_at(row.since.trusted + alarm))
    });
    due.filter(|at| *at > now.wall).min()
}

/// What is told of what stands in the way, if it is time: once it has been so for long enough, and as long again after the
/// last thing that was told of the edge.
fn still(flow: &Flow, decision: &Decision, row: Blocked, now: Now, alarm: Span) -> Vec<Change> {
    let due = match row.told {
        // One look tells one thing of it, however soon the next one is.
        Some(told) => told + alarm.max(Span::from_ms(1)),
        None => row.since.trusted + alarm,
    };
    if now.trusted < due {
        return Vec::new();
    }
    let (env, since) = (&decision.env, row.since.wall);
    let verdict = Box::new(row.verdict.clone());
    let event = Event::Blocked { commit: about(decision), verdict, since };
    let row = Blocked { told: Some(now.trusted), ..row };
    let kept = Change::Blocked { env: env.clone(), row };
    std::iter::once(kept).chain(news(flow, env, now, event)).collect()
}

fn seen<'d>(flow: &Flow, ledger: &Ledger, decision: &'d Decision, now: Now) -> Seen<'d> {
    match &decision.verdict {
        // CI of a newer commit, or of the same once more: a block that is tried again is not mended by that.
        Verdict::Wait {
            why:
                Reason::Unknown(_)
                | Reason::BranchesMoved
                | Reason::CheckRunning { .. }
                | Reason::CheckMissing { .. }
                | Reason::HttpWaits { .. },
            ..
        } => Seen::Dark,
        Verdict::Wait { why, .. } | Verdict::Block { why, .. } if is_told_otherwise(why) => Seen::Ordered,
        // An order that ends by itself is a wait, and shows behind a block.
        Verdict::Block { .. } if is_ordered(flow, ledger, decision, now) => Seen::Ordered,
        verdict @ Verdict::Block { .. } => Seen::Blocked(verdict),
        Verdict::Pass { .. } | Verdict::Wait { .. } => Seen::Free,
    }
}

/// Whether somebody ordered that nothing enters, or not this, whatever else stands in the way.
fn is_ordered(flow: &Flow, ledger: &Ledger, decision: &Decision, now: Now) -> bool {
    let stands = |pause: &Pause| pause.stands_on(&flow.name, &decision.env, now.wall);
    let holds = |judged: &Judged| judged.check == Check::Hold && !matches!(judged.verdict, Verdict::Pass { .. });
    ledger.standing.pauses.iter().any(stands)
        || decision.lead.as_ref().is_some_and(|lead| lead.judged.iter().any(holds))
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
        (Reason::Unknown(one), Reason::Unknown(other)) => {
            std::mem::discriminant(&one.why) == std::mem::discriminant(&other.why)
        }
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// The commit whose authors may know more: what stands on the target and nowhere else, or the candidate that can
/// move soonest.
fn about(decision: &Decision) -> Option<CommitId> {
    match decision.verdict.why() {
        Reason::Diverged { commits, .. } => commits.first().map(|stray| stray.commit),
        _ => decision.lead.as_ref().map(|lead| lead.commit),
    }
}
