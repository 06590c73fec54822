//! `gates.schedule`: an instant at which one promotion may enter has come, and none has used it.

use crate::calendar::Schedule;
use crate::model::{EdgeSeen, Now, Reason, Verdict, Who};

/// Whether a slot is open and unused.
pub fn judge(schedule: &Schedule, on_edge: &EdgeSeen, now: Now) -> Verdict {
    let slot = schedule.slot(now.wall);
    let used = slot.filter(|slot| on_edge.last_move.is_some_and(|moved| moved >= *slot));
    if let Some(slot) = slot.filter(|_| used.is_none()) {
        return Verdict::Pass { why: Reason::SlotOpen { slot } };
    }
    let next = schedule.next_slot(now.wall);
    let why = Reason::NoSlot { next, used };
    match next {
        Some(_) => Verdict::Wait { why, on: Who::Time, until: next },
        None => Verdict::Block { why, who: Who::Operator },
    }
}
