//! What Mattermost sends, and what is sent to it, against a server of our own.

mod read;
mod render;
mod send;

use towpath_core::model::Instant;

use crate::clock::{Clock, ManualClock};

const NOW: Instant = Instant(1_790_000_000_000);

/// A clock that stands.
fn clock() -> Clock {
    Clock::Manual(ManualClock::new(NOW))
}
