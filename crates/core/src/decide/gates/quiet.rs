//! `gates.quiet`: nothing has arrived on the source for a time. The one gate that a newer commit
//! resets.

use crate::model::{EdgeSeen, Now, Reason, Span, Unknown, UnknownWhy, Verdict, Who};

/// Whether the newest arrival on the source is long enough ago.
pub fn judge(length: Span, on_edge: &EdgeSeen, now: Now) -> Verdict {
    let waiting = on_edge.graph.known().map_or(&[][..], |graph| &graph.waiting);
    let Some(newest) = waiting.iter().filter_map(|w| w.arrival).max_by_key(|a| a.trusted) else {
        return Verdict::unknown(Unknown::passing(UnknownWhy::NotAnswered));
    };
    let over = newest.trusted + length;
    if now.trusted >= over {
        return Verdict::Pass { why: Reason::QuietOver { since: newest.wall } };
    }
    let why = Reason::NotQuiet { length, since: newest.wall };
    Verdict::Wait { why, on: Who::Time, until: Some(now.wall_at(over)) }
}
