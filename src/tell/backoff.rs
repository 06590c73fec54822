//! When something that was not taken is told again, and when it is given up.
//!
//! Not here: clocks, calls, and where a `Retry-After` that names a date is read.

use sha2::{Digest as _, Sha256};
use towpath_core::model::Span;

/// After how many tries it is given up: with the waits below about 21 hours after the first.
pub const ATTEMPTS_MAX: u32 = 16;

/// The longest `Retry-After` that is obeyed.
pub const RETRY_AFTER_MAX: Span = Span::from_mins(24 * 60);

/// How long is waited after the first tries.
const FIRST: [Span; 5] =
    [Span::from_secs(10), Span::from_mins(1), Span::from_mins(5), Span::from_mins(15), Span::from_mins(60)];

/// How long is waited after each later one.
const LATER: Span = Span::from_mins(120);

/// By how much a wait may be longer, as one of this many parts of it: so that what failed together does
/// not come back together.
const JITTER: i64 = 10;

/// What a try came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// There was an answer.
    Status {
        /// Its status.
        status: u16,
        /// What its `Retry-After` asks for (RFC 9110, section 10.2.3: seconds, or a date).
        retry_after: Option<Span>,
    },
    /// There was none: no connection, or not in time.
    Nothing,
}

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It was taken.
    Done,
    /// It is told again after that long.
    Again(Span),
    /// It is given up, until a person has it sent again.
    Dead(Why),
}

/// Why something is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// 410: the receiver wants no more of these.
    #[error("the receiver is gone for good (410)")]
    Gone,
    /// It failed too often.
    #[error("it was not taken at any of {ATTEMPTS_MAX} tries")]
    TooOften,
}

/// What follows try `attempt` (from 1) of what has that id.
///
/// As Standard Webhooks has it ("Delivery success and failure"): 2xx is success and all else is
/// failure, redirections too, which are not followed; 410 ends it. A `Retry-After` makes a wait longer,
/// to a day at most, and never shorter: else a receiver that asks for a second would use up all tries
/// in one minute.
pub fn after(attempt: u32, id: &str, answer: Answer) -> Next {
    let asked = match answer {
        Answer::Status { status: 200..=299, .. } => return Next::Done,
        Answer::Status { status: 410, .. } => return Next::Dead(Why::Gone),
        Answer::Status { retry_after, .. } => retry_after.unwrap_or_default().min(RETRY_AFTER_MAX),
        Answer::Nothing => Span::ZERO,
    };
    if attempt >= ATTEMPTS_MAX {
        return Next::Dead(Why::TooOften);
    }
    let planned = usize::try_from(attempt.saturating_sub(1)).ok().and_then(|at| FIRST.get(at)).copied();
    let planned = planned.unwrap_or(LATER);
    Next::Again(Span::from_ms(planned.max(asked).ms() + jitter(attempt, id, planned)))
}

/// Milliseconds, from 0 to a part of the wait; the same for the same try of the same thing.
fn jitter(attempt: u32, id: &str, wait: Span) -> i64 {
    let hash = Sha256::new_with_prefix(attempt.to_be_bytes()).chain_update(id).finalize();
    i64::from(u16::from_be_bytes([hash[0], hash[1]])) * (wait.ms() / JITTER) / i64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(attempt: u32, id: &str, answer: Answer) -> i64 {
        match after(attempt, id, answer) {
            Next::Again(span) => span.ms(),
            other => panic!("{attempt}: {other:?}"),
        }
    }

    fn status(status: u16, retry_after: Option<i64>) -> Answer {
        Answer::Status { status, retry_after: retry_after.map(Span::from_secs) }
    }

    #[test]
    fn each_wait_is_the_planned_one_and_up_to_a_tenth() {
        let planned =
            [10, 60, 300, 900, 3_600, 7_200, 7_200, 7_200, 7_200, 7_200, 7_200, 7_200, 7_200, 7_200, 7_200];
        assert_eq!(planned.len() as u32, ATTEMPTS_MAX - 1);
        for (at, seconds) in planned.into_iter().enumerate() {
            for id in ["a", "b", "msg_1"] {
                let waits = wait(at as u32 + 1, id, Answer::Nothing);
                assert!((seconds * 1_000..=seconds * 1_100).contains(&waits), "{at} {id}: {waits}");
            }
        }
        assert_eq!(planned.iter().sum::<i64>(), 21 * 3_600 + 21 * 60 + 10);
        assert!(wait(0, "a", Answer::Nothing) >= 10_000, "there is no try 0; it is taken for the first");
    }

    #[test]
    fn jitter_is_the_same_for_the_same_and_spread_over_the_rest() {
        assert_eq!(wait(6, "a", Answer::Nothing), wait(6, "a", status(500, None)));
        let mut waits: Vec<i64> = (0..50).map(|n| wait(6, &format!("msg_{n}"), Answer::Nothing)).collect();
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 45 && waits[0] < 7_300_000 && waits[waits.len() - 1] > 7_800_000, "{waits:?}");
    }

    #[test]
    fn what_came_back_decides() {
        for ok in [200, 201, 202, 204, 208, 299] {
            assert_eq!(after(1, "a", status(ok, Some(5))), Next::Done);
            assert_eq!(after(99, "a", status(ok, None)), Next::Done);
        }
        for attempt in [1, 16] {
            assert_eq!(after(attempt, "a", status(410, Some(5))), Next::Dead(Why::Gone));
        }
        for failed in [100, 199, 301, 308, 400, 401, 404, 429, 500, 502, 503, 504] {
            assert!(wait(1, "a", status(failed, None)) < 12_000);
            for attempt in [16, 17, u32::MAX] {
                assert_eq!(after(attempt, "a", status(failed, None)), Next::Dead(Why::TooOften));
            }
        }
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_wait_of_up_to_a_day() {
        let day = 86_400_000;
        for (asked, attempt, least) in [
            (0, 1, 10_000),
            (-5, 1, 10_000),
            (3, 1, 10_000),
            (30, 1, 30_000),
            (30, 6, 7_200_000),
            (7_300, 6, 7_300_000),
            (86_400, 2, day),
            (90_000, 2, day),
            (i64::MAX, 15, day),
        ] {
            let waits = wait(attempt, "a", status(503, Some(asked)));
            assert!((least..=least + 720_000).contains(&waits), "{asked}: {waits}");
        }
    }
}
