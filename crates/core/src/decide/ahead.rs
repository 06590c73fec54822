//! What time alone will let in, and when: for telling people before it enters. It bears on no verdict.
//!
//! What is said here holds if nothing happens until then: no commit comes, no result changes, nobody orders
//! anything. Gates whose answer is not a matter of time have to pass already; the server of an `http` gate,
//! which is asked last of all, is taken to let pass.
//!
//! Not here: whether people are told (`see`), and in which words (`explain`).

use super::{Look, Tried, look_whole};
use crate::model::{
    Ahead, Check, Distance, Edge, Gate, Instant, Judged, MergeBy, Reason, Soon, Span, Verdict, Who,
};

/// How many candidates beyond the lead are judged for this in one look: the next ones to enter. Those after
/// them are reached as these go, with less notice.
const JUDGED_MAX: usize = 20;

/// How often windows and slots are asked in turn for an instant at which all are open.
const TURNS_MAX: usize = 100;

/// What enters by time alone where commits enter by fast-forward. `None` when facts are missing.
pub(super) fn ahead(
    edge: &Edge<'_>,
    tried: &mut [Tried<'_>],
    lead: Option<usize>,
    look: &mut Look<'_>,
    look_back: usize,
    looked_at: &mut usize,
) -> Option<Option<Ahead>> {
    let (Some(before), Some(lead)) = (edge.target.heads_up, lead) else {
        return Some(edge.target.heads_up.map(|_| Ahead::default()));
    };
    // One promotion enters in a slot of a schedule: what is newer than the lead waits for another one.
    let newest = if has_schedule(edge) { lead } else { 0 };
    let horizon = look.now().wall + before;
    let within = |t: &Tried<'_>| matches!(t.distance, Distance::At(at) if at <= horizon);
    let mut order: Vec<usize> = (newest..lead).filter(|at| !tried[*at].whole && within(&tried[*at])).collect();
    order.sort_by_key(|at| (tried[*at].distance, *at));
    order.truncate(JUDGED_MAX);
    look_whole(edge, tried, &order, look, look_back, looked_at, |_| false)?;
    Some(Some(among(edge, &tried[newest..=lead], before, look)))
}

/// The same where they enter by request: only what the request is for, and only where Towpath merges.
pub(super) fn of_request(edge: &Edge<'_>, lead: Option<&Tried<'_>>, look: &Look<'_>) -> Option<Ahead> {
    let before = edge.target.heads_up?;
    let lead = lead.filter(|_| edge.target.request.merge == MergeBy::Towpath);
    Some(lead.map_or_else(Ahead::default, |lead| among(edge, std::slice::from_ref(lead), before, look)))
}

/// `tried` is newest first.
fn among(edge: &Edge<'_>, tried: &[Tried<'_>], before: Span, look: &Look<'_>) -> Ahead {
    let now = look.now().wall;
    let mut ahead = Ahead::default();
    // A newer one that enters no later takes what is below it along.
    let mut taken: Option<Instant> = None;
    for one in tried {
        let at = match one.distance {
            Distance::At(at) if !one.whole => Some(at),
            Distance::At(_) => enters(edge, &one.judged, look),
            Distance::Now | Distance::Sometime | Distance::Blocked => None,
        };
        let Some(at) = at.filter(|at| *at > now && taken.is_none_or(|taken| *at < taken)) else { continue };
        let told = Instant(at.0.saturating_sub(before.ms()));
        if told > now {
            ahead.next = Some(ahead.next.map_or(told, |next| next.min(told)));
        } else if one.whole {
            ahead.soon.push(Soon { commit: one.commit.id, at });
        }
        if one.whole {
            taken = Some(at);
        }
    }
    ahead
}

/// When a candidate whose every check came out like this enters by time alone; none where something else
/// stands against it.
fn enters(edge: &Edge<'_>, judged: &[Judged], look: &Look<'_>) -> Option<Instant> {
    let mut at = None;
    for one in judged {
        match &one.verdict {
            Verdict::Pass { .. } => {}
            Verdict::Wait { on: Who::Time, until: Some(until), .. } => at = at.max(Some(*until)),
            Verdict::Wait { .. } | Verdict::Block { .. } => return None,
        }
    }
    open_from(edge, judged, at?, look)
}

/// The first instant from `at` on at which every window is open and a slot is free: what is open now may be
/// shut again by then. What somebody overrode is taken to be open: if that is over by then, people were told
/// of a move that does not come, which is better than one that comes untold.
fn open_from(edge: &Edge<'_>, judged: &[Judged], mut at: Instant, look: &Look<'_>) -> Option<Instant> {
    let overridden = |gate: &Gate| {
        let on = |one: &Judged| one.check == Check::Gate(gate.kind());
        judged.iter().any(|one| on(one) && matches!(one.verdict.why(), Reason::Overridden { .. }))
    };
    for _ in 0..TURNS_MAX {
        let mut opens = at;
        for gate in edge.target.gates.iter().filter(|gate| !overridden(gate)) {
            match gate {
                Gate::Window(windows) if !windows.is_open(opens) => opens = windows.next_opening(opens)?,
                Gate::Schedule(schedule) => {
                    let free = |slot: &Instant| look.on_edge.last_move.is_none_or(|moved| moved < *slot);
                    if schedule.slot(opens).filter(free).is_none() {
                        opens = schedule.next_slot(opens)?;
                    }
                }
                _ => {}
            }
        }
        if opens == at {
            return Some(at);
        }
        at = opens;
    }
    None
}

fn has_schedule(edge: &Edge<'_>) -> bool {
    edge.target.gates.iter().any(|gate| matches!(gate, Gate::Schedule(_)))
}
