//! A pause or freeze that is over by itself is ended in the ledger too, and the audit says so, once.
//!
//! Whether it stands at an instant goes by the wall alone (`Pause::stands_on`), so nothing hangs on this
//! being done. But what is ended here does not come back, and a wall may be wrong for a while: so the
//! clock that only counts time that has passed must also say that it has lasted its time.

use crate::model::{Actor, AuditRow, Change, Concerns, Ledger, Now, OrderId, Pause, PauseKind, Scope, Span, Until};

use super::US;

/// By how much the two clocks may differ about the same stretch of time: neither is right to the second.
const SLACK: Span = Span::from_mins(1);

/// The ends of pauses and freezes that are over.
pub fn expired(ledger: &Ledger, now: Now) -> impl Iterator<Item = Change> {
    ledger.standing.pauses.iter().filter(move |pause| is_over(pause, now)).map(move |pause| Change::Expire {
        pause: pause.id.clone(),
        audit: AuditRow {
            id: OrderId::new(format!("expired-{}", pause.id)),
            at: now.wall,
            by: Actor::new(US),
            command: format!("{} (expired)", named(pause)),
            allowed: true,
            came: None,
            effect: format!("It was ordered by {}: {}", pause.by, pause.reason),
            concerns: match &pause.scope {
                Scope::Flow(flow) | Scope::Edge(flow, _) => Concerns::one(flow.clone()),
                // Which flows have that environment is not known here.
                Scope::All | Scope::Environment(_) => Concerns::All,
            },
        },
    })
}

fn is_over(pause: &Pause, now: Now) -> bool {
    let Until::At(until) = pause.until else { return false };
    let lasted =
        pause.began.is_none_or(|began| now.trusted.since(began).ms() + SLACK.ms() >= until.since(pause.at).ms());
    pause.until.is_over(now.wall) && lasted
}

/// The order as people give it, without its reason.
fn named(pause: &Pause) -> String {
    let kind = match pause.kind {
        PauseKind::Pause => "pause",
        PauseKind::Freeze => "freeze",
    };
    match &pause.scope {
        Scope::All => format!("{kind} all"),
        Scope::Flow(flow) => format!("{kind} {flow}"),
        Scope::Edge(flow, env) => format!("{kind} {flow} {env}"),
        Scope::Environment(env) => format!("{kind} {env}"),
    }
}
