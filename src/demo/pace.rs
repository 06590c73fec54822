//! How fast the story is told: the one place where the demo waits.
//!
//! The engine never sees this clock. Its own (a `ManualClock`) stands still while a pass or a
//! command runs, and is set to exactly the minute of the story before each. With an engine on
//! `Clock::Scaled` a push would have to begin within one real second of its mark and land within
//! two (60 and 120 s of engine time, at 60 times), and on a busy machine a good push would be given
//! up. So the deadlines that guard processes stay what they are, in real time (`git::Limits`); the
//! scaled clock only says when the next minute of the story is due; and the story is the same to
//! the millisecond however fast it is told.

use std::time::Duration;

use towpath_core::model::{Instant, Span};

use crate::clock::Clock;

/// How often the clock is drawn while nothing happens.
const BEAT: Duration = Duration::from_millis(200);

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// No waiting at all.
    Fast,
    /// So many times as fast as it would really go.
    Times(u32),
}

/// The clock of the story.
#[derive(Debug)]
pub struct Pace {
    clock: Option<(Clock, u32, i64)>,
    start: Instant,
}

impl Pace {
    /// When the story begins, so that its end is about now: what is left in a kept sandbox then
    /// reads as of now, and nothing is ahead of the machine's clock. On a whole minute.
    pub fn start(speed: Speed, length: Span) -> Instant {
        let told_in = match speed {
            Speed::Fast => Span::ZERO,
            Speed::Times(by) => Span::from_ms(length.ms() / i64::from(by.max(1))),
        };
        let begin = Clock::System.reading().wall.0 - length.ms() + told_in.ms();
        Instant(begin - begin.rem_euclid(60_000))
    }

    /// Starts the clock.
    pub fn new(speed: Speed, start: Instant) -> Self {
        let clock = match speed {
            Speed::Fast => None,
            Speed::Times(by) => {
                let clock = Clock::scaled(by.max(1));
                let zero = clock.reading().boottime_ms;
                Some((clock, by.max(1), zero))
            }
        };
        Self { clock, start }
    }

    /// Waits for an instant, but no longer than one beat. Returns the instant that is shown, which
    /// is never later than the one that is waited for, and whether that has come.
    pub async fn towards(&self, at: Instant) -> (Instant, bool) {
        let Some((clock, by, zero)) = &self.clock else { return (at, true) };
        let now = || self.start + Span::from_ms(clock.reading().boottime_ms - zero);
        let left = at.since(now()).ms();
        if left > 0 {
            let left = Duration::from_millis(left.unsigned_abs() / u64::from(*by) + 1);
            tokio::time::sleep(left.min(BEAT)).await;
        }
        let now = now();
        (now.min(at), now >= at)
    }
}
