//! Instants and spans. Epoch milliseconds everywhere; two clocks that the compiler keeps apart.
//!
//! * [`Instant`] is the wall clock: windows, schedules, expiries and what people read.
//! * [`Trusted`] is Towpath's own clock, which adds up only time that has certainly passed (see
//!   [`ClockRow::advance`]): lag, quiet, settle and push deadlines are measured on it, so that no
//!   jump of the wall clock ever hastens a move.
//!
//! Not here: reading a clock. Only `src/clock.rs` of the root package does that.

use std::fmt;
use std::ops::{Add, Sub};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// A point of the wall clock, in milliseconds since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub i64);

/// A point of the trusted clock, in milliseconds. Comparable only with other [`Trusted`] values of
/// the same store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trusted(pub i64);

/// A length of time in milliseconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

/// Both clocks, read together once per tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// What the wall said.
    pub wall: Instant,
    /// What the trusted clock said.
    pub trusted: Trusted,
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `ms` milliseconds; a negative number is no time.
    pub const fn from_ms(ms: i64) -> Self {
        Self(if ms < 0 { 0 } else { ms })
    }

    /// `secs` seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_ms(secs.saturating_mul(1_000))
    }

    /// `mins` minutes.
    pub const fn from_mins(mins: i64) -> Self {
        Self::from_secs(mins.saturating_mul(60))
    }

    /// Milliseconds.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Parses `90s`, `30m`, `1h30m`, `2d` (units `ms s m h d w`, largest first not required).
    ///
    /// # Errors
    /// A text that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let mut total: i64 = 0;
        let mut rest = text;
        if rest.is_empty() {
            return Err("an empty text is no duration; write one such as `30m`, `2h` or `1d`".into());
        }
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, tail) = rest.split_at(digits);
            let unit_len = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
            let (unit, tail) = tail.split_at(unit_len);
            let ms_per: i64 = match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" | "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 604_800_000,
                _ => {
                    return Err(format!(
                        "`{}` is no duration; write one such as `30m`, `2h` or `1d`",
                        text.escape_debug()
                    ));
                }
            };
            let number: i64 = number.parse().map_err(|_| {
                format!("`{}` is no duration; write one such as `30m`, `2h` or `1d`", text.escape_debug())
            })?;
            total = number
                .checked_mul(ms_per)
                .and_then(|ms| total.checked_add(ms))
                .filter(|ms| *ms <= Self::MAX_MS)
                .ok_or_else(|| format!("`{text}` is longer than ten years"))?;
            rest = tail.trim_start();
        }
        Ok(Self(total))
    }

    /// Ten years: nothing in a flow waits for longer.
    pub const MAX_MS: i64 = 3_653 * 86_400_000;
}

/// `1h 5m`, `12m`, `40s`: at most two units; minutes are rounded, seconds rounded up so that what
/// is named is never already over.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.div_ceil_i64(1_000);
        if secs < 60 {
            return write!(f, "{secs}s");
        }
        let mins = ((secs + 30) / 60).max(1);
        let (days, hours, left) = (mins / 1_440, mins / 60 % 24, mins % 60);
        match (days, hours, left) {
            (0, 0, m) => write!(f, "{m}m"),
            (0, h, 0) => write!(f, "{h}h"),
            (0, h, m) => write!(f, "{h}h {m}m"),
            (d, 0, _) => write!(f, "{d}d"),
            (d, h, _) => write!(f, "{d}d {h}h"),
        }
    }
}

trait DivCeil {
    fn div_ceil_i64(self, by: i64) -> i64;
}

impl DivCeil for i64 {
    fn div_ceil_i64(self, by: i64) -> i64 {
        self / by + i64::from(self % by > 0)
    }
}

impl Instant {
    /// The UTC date and time, or `None` outside chrono's range (years ±262,000).
    pub fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }

    /// How long after `earlier` this is; no time if it is not.
    pub fn since(self, earlier: Self) -> Span {
        Span::from_ms(self.0.saturating_sub(earlier.0))
    }
}

/// RFC 3339 in UTC with seconds, for machines; people get zones from `explain`.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.utc() {
            Some(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            None => write!(f, "{} ms since 1970", self.0),
        }
    }
}

impl Trusted {
    /// How long after `earlier` this is; no time if it is not.
    pub fn since(self, earlier: Self) -> Span {
        Span::from_ms(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Instant {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Add<Span> for Trusted {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::from_ms(self.0 - other.0)
    }
}

impl Now {
    /// The wall instant at which the trusted clock will read `at` if nothing disturbs it, rounded
    /// up to a whole second: the two clocks drift by milliseconds, and a verdict that names an
    /// instant should read the same at the next look.
    pub fn wall_at(&self, at: Trusted) -> Instant {
        let exact = self.wall.0.saturating_add(at.0.saturating_sub(self.trusted.0));
        Instant(exact.saturating_add(999).div_euclid(1_000).saturating_mul(1_000))
    }
}

/// What one look at the machine's clocks gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The wall clock.
    pub wall: Instant,
    /// Milliseconds since boot, suspended time included (`CLOCK_BOOTTIME`).
    pub boottime_ms: i64,
    /// Which boot of which host that was (`/proc/sys/kernel/random/boot_id`).
    pub boot: String,
}

/// The trusted clock as the store keeps it: its value, and for each boot of each host that advanced
/// it the last reading and the value then.
///
/// Kept for each boot, because two hosts whose walls differ by an hour and that take turns would
/// otherwise add that hour at every turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRow {
    /// The trusted clock.
    pub trusted: Trusted,
    /// The newest reading.
    pub reading: Reading,
    /// The last [`ClockRow::BOOTS_MAX`] boots, newest last: reading and trusted clock then.
    pub boots: Vec<(Reading, Trusted)>,
}

impl ClockRow {
    /// How many boots are remembered.
    pub const BOOTS_MAX: usize = 16;

    /// The first row of a new store: the trusted clock starts at the wall's value, for legibility.
    pub fn start(reading: Reading) -> Self {
        let trusted = Trusted(reading.wall.0);
        Self { trusted, boots: vec![(reading.clone(), trusted)], reading }
    }

    /// Adds what has certainly passed: within one boot the lesser of what wall and boottime say
    /// since that boot's last reading, for a boot not seen before (a reboot, another host) what
    /// the wall says since the furthest that any known one's wall was; never backwards. The furthest
    /// and not the last: the last may be that of a host whose wall is slow, and what it lags behind
    /// would count as time.
    ///
    /// A reading that was taken before the boot's last one (by a process that was stopped in
    /// between) changes nothing: were it remembered, the time between the two would count twice.
    #[must_use]
    pub fn advance(&self, reading: Reading) -> Self {
        let seen = self.boots.iter().rposition(|(last, _)| last.boot == reading.boot);
        if let Some(at) = seen {
            let last = &self.boots[at].0;
            if reading.boottime_ms < last.boottime_ms && reading.wall <= last.wall {
                return self.clone();
            }
        }
        let reached = match seen {
            Some(at) => {
                let (last, then) = &self.boots[at];
                let boottime = Span::from_ms(reading.boottime_ms.saturating_sub(last.boottime_ms));
                *then + reading.wall.since(last.wall).min(boottime)
            }
            None => self.trusted + reading.wall.since(self.furthest_wall()),
        };
        let trusted = reached.max(self.trusted);
        let mut boots = self.boots.clone();
        if let Some(at) = seen {
            boots.remove(at);
        } else if boots.len() >= Self::BOOTS_MAX {
            boots.remove(0);
        }
        boots.push((reading.clone(), trusted));
        Self { trusted, reading, boots }
    }

    fn furthest_wall(&self) -> Instant {
        let walls = self.boots.iter().map(|(reading, _)| reading.wall);
        walls.max().unwrap_or(self.reading.wall).max(self.reading.wall)
    }

    /// Both clocks as of this row.
    pub fn now(&self) -> Now {
        Now { wall: self.reading.wall, trusted: self.trusted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(ms: i64) -> Reading {
        Reading { wall: Instant(ms), boottime_ms: ms, boot: "b".to_owned() }
    }

    fn on(boot: &str, wall: i64, up: i64) -> Reading {
        Reading { wall: Instant(wall), boottime_ms: up, boot: boot.to_owned() }
    }

    /// One host's wall is an hour slow. A third, which nobody has seen before, says what the fast one
    /// says: no hour has passed.
    #[test]
    fn a_new_host_does_not_count_what_another_one_lags_behind() {
        let row = ClockRow::start(on("slow", 0, 0)).advance(on("fast", 3_600_000, 50));
        let row = row.advance(on("slow", 1, 1)).advance(on("new", 3_600_002, 7));
        assert_eq!(row.trusted, Trusted(3_600_002));
    }

    #[test]
    fn a_late_reading_does_not_count_an_hour_twice() {
        let row = ClockRow::start(reading(0));
        let row = row.advance(reading(3_600_000)).advance(reading(0)).advance(reading(3_600_001));
        assert_eq!(row.trusted, Trusted(3_600_001));
    }
}
