//! When a flow has to be looked at next, besides the look schedule.
//!
//! Pure. An instant in the past means "at once".

use towpath_core::model::{Flow, Instant, IntentState, Plan, Tip, Until};
use towpath_core::see;

use super::queue::Ended;
use crate::engine::{Pass, Ticked};

/// How a finished tick goes into the queue; without the flow where a reload has dropped it meanwhile.
pub fn ended(flow: Option<&Flow>, ticked: &Ticked) -> Ended {
    match ticked {
        Ticked::Leased => Ended::Leased,
        Ticked::Done(pass) if is_unknown(&pass.plan) => Ended::Failed,
        Ticked::Done(pass) => Ended::Well { due: due(flow, pass) },
    }
}

/// Whether nothing could be learned of any branch: the remote is dead, or refuses us.
pub fn is_unknown(plan: &Plan) -> bool {
    let unknown = |tip: &Tip| matches!(tip, Tip::Unknown(_));
    !plan.decisions.is_empty() && plan.decisions.iter().all(|d| unknown(&d.source) && unknown(&d.target))
}

/// The earliest instant at which something may change by itself.
fn due(flow: Option<&Flow>, pass: &Pass) -> Option<Instant> {
    let plan = pass.after.as_ref().unwrap_or(&pass.plan);
    let now = plan.now;
    let by_plan = plan.decisions.iter().filter_map(|decision| {
        // What was decided after a move is for the next tick: a commit crosses one border a tick.
        if pass.after.is_some() && decision.action.is_some() { Some(now.wall) } else { decision.next }
    });
    let alarms = plan.decisions.iter().filter_map(|decision| decision.oldest?.alarm).filter(|at| *at > now.wall);
    let by_intent = pass.acted.iter().filter_map(|acted| match acted.row.state {
        // A push whose answer was lost: its deadline settles it.
        IntentState::Pushing => acted.row.deadline.map(|deadline| now.wall_at(deadline)),
        IntentState::Abandoned => Some(now.wall),
        _ => None,
    });
    // Also where nothing waits for it: that it is over is to be told.
    let ends = pass.ledger.standing.pauses.iter().filter_map(|pause| match pause.until {
        Until::At(until) => Some(until).filter(|until| *until > now.wall),
        Until::Resumed => None,
    });
    let heads_up = flow.and_then(|flow| see::heads_up_due(flow, &pass.ledger, plan));
    let blocked = flow.and_then(|flow| see::blocked_due(flow, &pass.ledger, now));
    // A pause that is about to end is told of, too.
    let reminder = flow.and_then(|flow| see::reminder_due(flow, &pass.ledger, now));
    by_plan.chain(alarms).chain(by_intent).chain(ends).chain(heads_up).chain(blocked).chain(reminder).min()
}
