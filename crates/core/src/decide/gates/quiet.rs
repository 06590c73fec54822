//! `gates.quiet`: nothing has arrived on the source for a time. The one gate that a newer commit
//! resets.

use crate::model::{Arrival, Now, Reason, Span, Unknown, UnknownWhy, Verdict, Who};

/// Whether the newest commit on the source arrived long enough ago. What it contains came with it or
/// before, so no other arrival is looked at; and where its own is not known, no older one stands in.
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
