//! Calls that must have left by a time that people were told.
//!
//! A timer alone does not do: a process that was stopped, or slept with its machine, wakes with the timer and the
//! answer that it waited for both due, and would go on to its next call first. So the clock that also counts sleep is
//! read before each step of the call.
//!
//! Not here: which calls those are, and what their deadlines are (`towpath_core::act`).

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use towpath_core::model::Span;

use crate::clock::Clock;

/// What came of a call, if it came in time. A call that is given up sends nothing more.
pub(super) async fn within<T>(clock: &Clock, limit: Span, call: impl Future<Output = T>) -> Option<T> {
    let end = clock.reading().boottime_ms.saturating_add(limit.ms());
    // Wakes a call that nothing else wakes.
    let mut over = pin!(tokio::time::sleep(Duration::from_millis(limit.ms().unsigned_abs())));
    let mut call = pin!(call);
    poll_fn(|context| {
        if over.as_mut().poll(context).is_ready() || clock.reading().boottime_ms >= end {
            return Poll::Ready(None);
        }
        call.as_mut().poll(context).map(Some)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use towpath_core::model::Instant;

    use super::*;
    use crate::clock::ManualClock;

    const LIMIT: Span = Span::from_secs(60);

    /// A call of two steps: so long passes between them, and the second one is the one that counts.
    async fn two_steps(clock: &ManualClock, passes: Span, sent: &AtomicUsize) {
        tokio::task::yield_now().await;
        clock.advance(passes);
        tokio::task::yield_now().await;
        sent.fetch_add(1, Ordering::Relaxed);
    }

    #[tokio::test]
    async fn nothing_is_sent_after_a_stop_that_outlived_its_time() {
        for (passes, expect) in [(0, 1), (59, 1), (60, 0), (3_600, 0)] {
            let (manual, sent) = (ManualClock::new(Instant(0)), AtomicUsize::new(0));
            let clock = Clock::Manual(manual.clone());
            let done = within(&clock, LIMIT, two_steps(&manual, Span::from_secs(passes), &sent)).await;
            assert_eq!(done.is_some(), expect == 1, "{passes} s");
            assert_eq!(sent.load(Ordering::Relaxed), expect, "{passes} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nothing_wakes_is_given_up() {
        let clock = Clock::Manual(ManualClock::new(Instant(0)));
        assert_eq!(within(&clock, LIMIT, std::future::pending::<()>()).await, None);
        assert_eq!(within(&clock, LIMIT, std::future::ready(7)).await, Some(7));
    }
}
