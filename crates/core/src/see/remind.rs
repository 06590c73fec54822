//! A pause or freeze that ends by itself is told of before it does, once.
//!
//! Whether it has been told is in the store, so that of several processes, and of all the flows that
//! one order covers, one tells.

use crate::model::{Change, Event, Flow, Ledger, Mode, Now, Pause, Span, Until};

/// The longest time before its end at which people are reminded.
const BEFORE: Span = Span::from_mins(60);

/// The reminders that are due.
pub fn reminders(flow: &Flow, ledger: &Ledger, now: Now) -> Vec<Change> {
    let due =
        ledger.standing.pauses.iter().filter(|pause| is_due(pause, now) && !ledger.reminded.contains(&pause.id));
    due.filter_map(|pause| {
        let covered = |env: &&crate::model::Environment| {
            env.mode == Mode::Act && pause.stands_on(&flow.name, &env.name, now.wall)
        };
        let env = flow.edges().map(|edge| edge.target).find(covered)?.name.clone();
        let Until::At(until) = pause.until else { return None };
        let event = Event::EndsSoon {
            kind: pause.kind,
            scope: pause.scope.clone(),
            by: pause.by.clone(),
            reason: pause.reason.clone(),
            until,
        };
        let message = super::note::message(&format!("{PREFIX}{}", pause.id), &env, now, event);
        Some(Change::Remind { pause: pause.id.clone(), flow: flow.name.clone(), message })
    })
    .collect()
}

/// What ids of reminders begin with; the id of the pause follows, then the sink.
pub const PREFIX: &str = "remind-";

/// From an hour before the end on, or the last quarter of a shorter one.
fn is_due(pause: &Pause, now: Now) -> bool {
    let Until::At(until) = pause.until else { return false };
    let quarter = Span::from_ms(until.since(pause.at).ms() / 4);
    now.wall < until && until <= now.wall + BEFORE.min(quarter)
}
