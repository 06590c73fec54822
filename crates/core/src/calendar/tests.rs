//! Windows and schedules against tables, and against oracles that look at every minute.

mod oracle;
mod schedule;
mod windows;

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;

use crate::model::Instant;

/// A minute in milliseconds.
const MINUTE: i64 = 60_000;

/// `2026-03-29 02:30` in a zone; the earlier of two.
fn at(zone: Tz, text: &str) -> Instant {
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a test's date");
    let local = zone.from_local_datetime(&naive).earliest().expect("a local time that exists");
    Instant(local.timestamp_millis())
}

/// How a person in that zone reads it.
fn read(zone: Tz, at: Option<Instant>) -> String {
    let utc = at.and_then(Instant::utc);
    utc.map_or_else(
        || "never".to_owned(),
        |utc| utc.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %Z").to_string(),
    )
}
