//! `gates.quiet`: nothing has arrived on the source for a time. The one gate that a newer commit
//! resets.

use crate::model::{EdgeSeen, Now, Reason, Span, Unknown, UnknownWhy, Verdict, Who};

/// Whether the newest commit on the source arrived long enough ago. What it contains came with it or
/// before, so no other arrival is looked at; and where its own is not known, no older one stands in.
pub fn judge(length: Span, on_edge: &EdgeSeen, now: Now) -> Verdict {
    let newest = on_edge.graph.known().and_then(|graph| graph.waiting.first());
    let Some(newest) = newest.and_then(|commit| commit.arrival) else {
        return Verdict::unknown(Unknown::passing(UnknownWhy::NotAnswered));
    };
    let over = newest.trusted + length;
    if now.trusted >= over {
        return Verdict::Pass { why: Reason::QuietOver { since: newest.wall } };
    }
    let why = Reason::NotQuiet { length, since: newest.wall };
    Verdict::Wait { why, on: Who::Time, until: Some(now.wall_at(over)) }
}
