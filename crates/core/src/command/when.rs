//! Words for a point in time, as people write them after `--until`.

use std::fmt;

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Weekday,
};
use chrono_tz::Tz;

use super::problem::Problem;
use crate::model::{Instant, Span};

/// A point in time that means something only with a zone and a present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `18:00`: when the clock next shows that.
    Clock(TimeOfDay),
    /// `tomorrow 09:00`; without a time, the start of the day.
    Tomorrow(Option<TimeOfDay>),
    /// `mon 09:00`: the next Monday on which that is still to come, perhaps today; without a time,
    /// the start of the day.
    Weekday(Weekday, Option<TimeOfDay>),
    /// `2026-12-24T09:00`; without a time, the start of the day. Years 1970 to 9999.
    Date(NaiveDate, Option<TimeOfDay>),
}

/// A time that a clock shows, in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    minute: u16,
}

const WEEKDAYS: [(Weekday, &str, &str); 7] = [
    (Weekday::Mon, "mon", "monday"),
    (Weekday::Tue, "tue", "tuesday"),
    (Weekday::Wed, "wed", "wednesday"),
    (Weekday::Thu, "thu", "thursday"),
    (Weekday::Fri, "fri", "friday"),
    (Weekday::Sat, "sat", "saturday"),
    (Weekday::Sun, "sun", "sunday"),
];

/// The years that four digits can write and every zone's arithmetic can reach.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

impl TimeOfDay {
    /// The start of the day.
    pub const MIDNIGHT: Self = Self { minute: 0 };

    /// `hour:minute`, or none for one that no clock shows (`24:00` included).
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self { minute: hour * 60 + minute }) } else { None }
    }

    /// Reads `9:00` or `09:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let number = |digits: &str, least: usize| -> Option<u16> {
            let fits = (least..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            if fits { digits.parse().ok() } else { None }
        };
        Self::new(number(hour, 1)?, number(minute, 2)?)
    }

    fn naive(self) -> NaiveTime {
        NaiveTime::MIN + TimeDelta::minutes(i64::from(self.minute))
    }
}

/// `09:05`.
impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

impl When {
    /// Reads one of the forms above, in upper or lower case, with any white space between its words.
    ///
    /// # Errors
    /// [`Problem::BadTime`].
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::read(text).ok_or_else(|| Problem::BadTime { word: text.to_owned() })
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let mut words = text.split_whitespace();
        let first = words.next()?;
        let second = words.next();
        if words.next().is_some() {
            return None;
        }
        if let (Some(time), None) = (TimeOfDay::parse(first), second) {
            return Some(Self::Clock(time));
        }
        let (day, joined) = match first.split_once('t') {
            // Only a date may be joined to its time: `tomorrow` has a `t` too.
            Some((date, time)) if first.starts_with(|c: char| c.is_ascii_digit()) => (date, Some(time)),
            _ => (first, None),
        };
        let time = match (joined, second) {
            (Some(_), Some(_)) => return None,
            (Some(word), None) | (None, Some(word)) => Some(TimeOfDay::parse(word)?),
            (None, None) => None,
        };
        if day == "tomorrow" {
            return Some(Self::Tomorrow(time));
        }
        if let Some(day) = weekday(day) {
            return Some(Self::Weekday(day, time));
        }
        Some(Self::Date(date(day)?, time))
    }

    /// Whether a word can be followed by a time of day that belongs to it.
    pub(super) fn is_day_word(word: &str) -> bool {
        matches!(Self::read(word), Some(Self::Tomorrow(None) | Self::Weekday(_, None) | Self::Date(_, None)))
    }

    /// Whether it can be written and read back: a date outside the years 1970 to 9999 cannot.
    pub(super) fn is_sound(self) -> bool {
        match self {
            Self::Date(date, _) => YEARS.contains(&date.year()),
            Self::Clock(_) | Self::Tomorrow(_) | Self::Weekday(..) => true,
        }
    }

    /// The instant meant, always after `now`.
    ///
    /// A local time that daylight saving skips becomes the first instant after the gap; one that it
    /// repeats becomes the later of the two. So a pause never ends before the hour that was named.
    ///
    /// # Errors
    /// [`Problem::Past`] for a date that is over, [`Problem::TooFar`] for one later than any `--for` reaches, [`Problem::OutOfCalendar`] beyond the year 9999.
    pub fn resolve(self, now: Instant, zone: Tz) -> Result<Instant, Problem> {
        let beyond = || Problem::OutOfCalendar { when: self };
        let local = now
            .utc()
            .filter(|utc| YEARS.contains(&utc.year()))
            .map(|utc| utc.with_timezone(&zone))
            .ok_or_else(beyond)?;
        let today = local.date_naive();
        let (first, step, time) = match self {
            Self::Clock(time) => (today, 1, time),
            Self::Tomorrow(time) => (plus(today, 1).ok_or_else(beyond)?, 1, time.unwrap_or(TimeOfDay::MIDNIGHT)),
            Self::Weekday(day, time) => {
                let ahead = (7 + day.num_days_from_monday() - today.weekday().num_days_from_monday()) % 7;
                (plus(today, ahead).ok_or_else(beyond)?, 7, time.unwrap_or(TimeOfDay::MIDNIGHT))
            }
            Self::Date(date, time) => {
                let at = instant(date, time.unwrap_or(TimeOfDay::MIDNIGHT), zone).ok_or_else(beyond)?;
                let past = Problem::Past { when: self, zone, now: local.format("%Y-%m-%d %H:%M").to_string() };
                if at <= now {
                    return Err(past);
                }
                let ends = now + Span::from_mins(Span::MAX_MS / 60_000);
                let far = || Problem::TooFar { when: self, zone, now: local.format("%Y-%m-%d %H:%M").to_string() };
                return if at > ends { Err(far()) } else { Ok(at) };
            }
        };
        // The second try is for a time that is over today; the third for one that a gap moved.
        (0..3)
            .filter_map(|turn| instant(plus(first, turn * step)?, time, zone))
            .find(|at| *at > now)
            .ok_or_else(beyond)
    }
}

/// `18:00`, `tomorrow 09:00`, `mon 09:00`, `2026-12-24T09:00`.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, join) = match self {
            Self::Clock(time) => return time.fmt(f),
            Self::Tomorrow(time) => {
                f.write_str("tomorrow")?;
                (time, ' ')
            }
            Self::Weekday(day, time) => {
                f.write_str(WEEKDAYS[day.num_days_from_monday() as usize].1)?;
                (time, ' ')
            }
            Self::Date(date, time) => {
                write!(f, "{}", date.format("%Y-%m-%d"))?;
                (time, 'T')
            }
        };
        time.map_or(Ok(()), |time| write!(f, "{join}{time}"))
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(_, short, long)| word == *short || word == *long).map(|(day, _, _)| *day)
}

/// Exactly `YYYY-MM-DD`: chrono alone would also take signs, spaces and one-digit months.
fn date(word: &str) -> Option<NaiveDate> {
    let shape = word.len() == 10
        && word.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    let date = if shape { NaiveDate::parse_from_str(word, "%Y-%m-%d").ok() } else { None };
    date.filter(|date| YEARS.contains(&date.year()))
}

fn plus(day: NaiveDate, days: u32) -> Option<NaiveDate> {
    day.checked_add_days(Days::new(u64::from(days))).filter(|day| YEARS.contains(&day.year()))
}

/// See [`When::resolve`] for gaps and overlaps.
fn instant(day: NaiveDate, time: TimeOfDay, zone: Tz) -> Option<Instant> {
    // No gap was ever longer than the day that Samoa skipped in 2011.
    const GAP_MAX_MINUTES: i64 = 2 * 24 * 60;
    let named = NaiveDateTime::new(day, time.naive());
    let at: DateTime<Tz> = match zone.from_local_datetime(&named) {
        MappedLocalTime::Single(at) => at,
        MappedLocalTime::Ambiguous(_, later) => later,
        MappedLocalTime::None => (1..=GAP_MAX_MINUTES)
            .find_map(|minutes| zone.from_local_datetime(&(named + TimeDelta::minutes(minutes))).earliest())?,
    };
    Some(Instant(at.timestamp_millis()))
}
