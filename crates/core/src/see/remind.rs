//! A pause or freeze that ends by itself is told of before it does, once.
//!
//! Whether it has been told is in the store, so that of several processes, and of all the flows that
//! one order covers, one tells.

use crate::model::{Change, EnvName, Environment, Event, Flow, Instant, Ledger, Mode, Now, Pause, Span, Until};

/// The longest time before its end at which people are reminded.
const BEFORE: Span = Span::from_mins(60);

/// The reminders that are due.
pub fn reminders(flow: &Flow, ledger: &Ledger, now: Now) -> Vec<Change> {
    let due =
        ledger.standing.pauses.iter().filter(|pause| is_due(pause, now) && !ledger.reminded.contains(&pause.id));
    due.filter_map(|pause| {
        let env = told_in(flow, pause, now)?.clone();
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

/// When the next reminder is due, of those that are not due yet and were not told.
pub fn due(flow: &Flow, ledger: &Ledger, now: Now) -> Option<Instant> {
    let open = ledger.standing.pauses.iter().filter(|pause| !ledger.reminded.contains(&pause.id));
    open.filter(|pause| told_in(flow, pause, now).is_some()).filter_map(from).filter(|at| *at > now.wall).min()
}

/// The environment of the flow under which it is told: the first that it stops and that is moved by us.
fn told_in<'f>(flow: &'f Flow, pause: &Pause, now: Now) -> Option<&'f EnvName> {
    let covered = |env: &&Environment| env.mode == Mode::Act && pause.stands_on(&flow.name, &env.name, now.wall);
    flow.edges().map(|edge| edge.target).find(covered).map(|env| &env.name)
}

/// What ids of reminders begin with; the id of the pause follows, then the sink.
pub const PREFIX: &str = "remind-";

/// From when on it is due: an hour before the end, or in the last quarter of a shorter one; never of one without an end.
fn from(pause: &Pause) -> Option<Instant> {
    let Until::At(until) = pause.until else { return None };
    let quarter = Span::from_ms(until.since(pause.at).ms() / 4);
    Some(Instant(until.0.saturating_sub(BEFORE.min(quarter).ms())))
}

fn is_due(pause: &Pause, now: Now) -> bool {
    let Until::At(until) = pause.until else { return false };
    now.wall < until && from(pause).is_some_and(|from| from <= now.wall)
}
