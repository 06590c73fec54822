//! What Slack sends, and what is sent to it, against a server of our own.

mod read;
mod send;
mod socket;

use towpath_core::model::Instant;

use crate::clock::{Clock, ManualClock};

/// A clock that stands.
fn clock() -> Clock {
    Clock::Manual(ManualClock::new(Instant(1_790_000_000_000)))
}
