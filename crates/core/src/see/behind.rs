//! When a target falls behind for longer than its alarm, and when it has caught up: each is told
//! once, whoever looks and however often.

use super::note::tell;
use crate::model::{Behind, Change, Decision, Event, EventRow, Flow, Ledger, Mode, Now, Plan, Reason, Tip};

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
                changes.extend(news(flow, decision, now, event, aloud));
            }
            (Some(None), Some(row)) => {
                changes.push(Change::CaughtUp(env.clone()));
                let event = Event::CaughtUp { oldest: row.oldest, since: row.since };
                changes.extend(news(flow, decision, now, event, aloud));
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

fn news(flow: &Flow, decision: &Decision, now: Now, event: Event, aloud: bool) -> Vec<Change> {
    let env = &decision.env;
    let word = if matches!(event, Event::Behind { .. }) { "behind" } else { "caught-up" };
    // One look finds one of the two for an environment, so the look makes it unique. Both clocks,
    // because after a jump of the wall the other may not have moved on.
    let key = format!("{word}-{}-{env}-{}-{}", flow.name, now.wall.0, now.trusted.0);
    let mut changes = vec![Change::Event(EventRow { env: env.clone(), at: now, event: event.clone() })];
    changes.extend(aloud.then(|| tell(&key, env, now, event)));
    changes
}
