//! When entry is open, and the instants at which one promotion may enter.
//!
//! People write both in the local time of the flow's zone, so a change of the clock is met by
//! converting the *instant* to local time and asking a predicate, never by an event that might be
//! missed or seen twice.
//!
//! Not here: the gates that ask (`decide::gates`), and whether a slot has been used (the ledger).

mod schedule;
mod span;
#[cfg(test)]
mod tests;
mod windows;

use chrono::{DateTime, Datelike};
use chrono_tz::Tz;

pub use schedule::Schedule;
pub use windows::{Which, Windows};

use crate::model::Instant;

/// The years in which local times are computed. Far from both ends of chrono's range, where the
/// conversion to a local time may overflow, and inside croner's own limits.
const YEARS: std::ops::Range<i32> = 1900..4900;

/// The instant in local time; nothing outside [`YEARS`], where a clock can only be wrong.
fn local(at: Instant, zone: Tz) -> Option<DateTime<Tz>> {
    let utc = at.utc().filter(|utc| YEARS.contains(&utc.year()))?;
    Some(utc.with_timezone(&zone))
}
