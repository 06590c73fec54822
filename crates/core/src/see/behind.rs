//! When a target falls behind for longer than its alarm, and when it has caught up: each is told
//! once, whoever looks and however often.

use super::news;
use crate::model::{Behind, Change, Decision, Event, Flow, Ledger, Mode, Now, Plan, Reason, Tip};

/// What a plan changes in what the ledger knows of targets that are behind. What cannot be read
/// changes nothing.
pub fn behind(flow: &Flow, ledger: &Ledger, plan: &Plan) -> Vec<Change> {
    let mut changes = Vec::new();
    for decision in &plan.decisions {
        let Some(edge) = flow.edge(&decision.env) else { continue };
        let (env, now, stands) = (&decision.env, plan.now, ledger.behind.get(&decision.env));
        // An edge that is only observed is nobody's news outside.
        let aloud = edge.target.mode == Mode::Act;
        match (is_behind(decision, now), stands) {
            // The alarm was taken out of the config: nothing has caught up.
            _ if edge.target.behind_alarm.is_none() => {
                changes.extend(stands.map(|_| Change::CaughtUp(env.clone())));
            }
            (Some(Some(row)), None) => {
                changes.push(Change::Behind { env: env.clone(), row });
                let event = Event::Behind { oldest: row.oldest, since: row.since };
                let [happened, told] = news(flow, env, now, event);
                changes.push(happened);
                changes.extend(aloud.then_some(told));
            }
            (Some(None), Some(row)) => {
                changes.push(Change::CaughtUp(env.clone()));
                let event = Event::CaughtUp { oldest: row.oldest, since: row.since };
                let [happened, told] = news(flow, env, now, event);
                changes.push(happened);
                changes.extend(aloud.then_some(told));
            }
            (Some(_), _) | (None, _) => {}
        }
    }
    changes
}

/// Whether the oldest waiting commit has waited longer than the alarm; none where that cannot be
/// told.
fn is_behind(decision: &Decision, now: Now) -> Option<Option<Behind>> {
    match decision.oldest {
        Some(oldest) if oldest.alarm.is_some_and(|alarm| alarm <= now.wall) => {
            Some(Some(Behind { oldest: oldest.commit, since: oldest.since, at: now }))
        }
        Some(_) => Some(None),
        None => {
            let seen = matches!((&decision.source, &decision.target), (Tip::At(_), Tip::At(_)));
            (seen && !matches!(decision.verdict.why(), Reason::Unknown(_))).then_some(None)
        }
    }
}
