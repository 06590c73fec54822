//! `gates.quiet`: nothing has arrived on the source for a time. The one gate that a newer commit
//! resets.

use crate::model::{Arrival, Now, Reason, Span, Unknown, UnknownWhy, Verdict, Who};

/// Whether the newest arrival of what waits is long enough ago.
pub fn judge(length: Span, newest: Option<Arrival>, now: Now) -> Verdict {
    let Some(newest) = newest else {
        return Verdict::unknown(Unknown::passing(UnknownWhy::NotAnswered));
    };
    let over = newest.trusted + length;
    if now.trusted >= over {
        return Verdict::Pass { why: Reason::QuietOver { since: newest.wall } };
    }
    let why = Reason::NotQuiet { length, since: newest.wall };
    Verdict::Wait { why, on: Who::Time, until: Some(now.wall_at(over)) }
}
