//! `gates.schedule`: the instants at which one promotion may enter.

use std::fmt;

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

use super::local;
use crate::model::{Instant, Span};
use crate::text::Shown;

/// `gates.schedule` of an environment: a five-field cron in the flow's zone, and how long after
/// each of its instants, the **slots**, a promotion may still enter.
///
/// One promotion may enter in a slot; whether that has happened is the caller's to know.
///
/// Where the clock changes: a cron of one minute and one hour (`30 2 * * *`) has exactly one slot a
/// day, the first moment after a gap that swallowed it, the first of two when its time comes twice.
/// Any other cron (`*/30 * * * *`, `0,30 2 * * *`) has a slot whenever the local time matches: none
/// in a gap, both of two.
///
/// Written by serde as the text, the span in milliseconds and the zone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Schedule {
    text: String,
    catch_up: Span,
    zone: Tz,
    cron: Cron,
}

/// How serde sees [`Schedule`].
#[derive(Serialize, Deserialize)]
struct Written {
    cron: String,
    catch_up: Span,
    zone: Tz,
}

/// The longest cron that is read at all, in bytes.
const TEXT_MAX: usize = 200;

impl Schedule {
    /// How long after its instant a slot stays usable where config does not say: ten minutes, two
    /// rounds of the default look.
    pub const CATCH_UP: Span = Span::from_mins(10);

    /// Parses a cron of five fields: minute, hour, day of the month, month, day of the week.
    ///
    /// # Errors
    /// A sentence that says what is wrong and how to mend it: seconds, nicknames such as `@daily`,
    /// a field that croner refuses, a cron that never fires, no time to catch up.
    pub fn parse(cron: &str, catch_up: Option<Span>, zone: Tz) -> Result<Self, String> {
        let text = cron.trim().to_owned();
        let parsed = parse_cron(&text).map_err(|why| match text.as_str() {
            "" => why,
            text => format!("`{}`: {why}", Shown::new(text).at_most(60)),
        })?;
        let catch_up = catch_up.unwrap_or(Self::CATCH_UP);
        if catch_up == Span::ZERO {
            return Err("`catch_up` of no time leaves no moment to enter; write at least `1m`".into());
        }
        Ok(Self { text, catch_up, zone, cron: parsed })
    }

    /// The cron as written.
    pub fn cron(&self) -> &str {
        &self.text
    }

    /// How long after its instant a slot stays usable.
    pub const fn catch_up(&self) -> Span {
        self.catch_up
    }

    /// The zone in which the cron is read.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// The newest slot that has come and is still usable: the largest slot `s` with
    /// `s <= at < s + catch_up`. Two slots nearer to each other than `catch_up` hide the older one.
    pub fn slot(&self, at: Instant) -> Option<Instant> {
        let slot = self.cron.find_previous_occurrence(&self.second(at)?, true).ok()?;
        let slot = Instant(slot.timestamp_millis());
        (slot <= at && at < slot + self.catch_up).then_some(slot)
    }

    /// The first slot after `at`. None only outside the years 1900 to 4899.
    pub fn next_slot(&self, at: Instant) -> Option<Instant> {
        let slot = self.cron.find_next_occurrence(&self.second(at)?, false).ok()?;
        Some(Instant(slot.timestamp_millis())).filter(|slot| *slot > at)
    }

    /// The whole second that holds `at`, in local time. Slots are on whole minutes, so that nothing
    /// is lost, and croner need not say what it does with parts of a second.
    fn second(&self, at: Instant) -> Option<DateTime<Tz>> {
        local(Instant(at.0.div_euclid(1_000).saturating_mul(1_000)), self.zone)
    }
}

/// What each field holds, and what may be written in it.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31"),
    ("month", "1 to 12 or Jan to Dec"),
    ("day of the week", "0 to 7 or Sun to Sat, 0 and 7 being Sunday"),
];

fn parse_cron(text: &str) -> Result<Cron, String> {
    const SHAPE: &str = "minute, hour, day of the month, month, day of the week, as in `0 9,13,15 * * Mon-Fri`";
    if text.len() > TEXT_MAX {
        return Err(format!("a cron is no longer than {TEXT_MAX} bytes; write {SHAPE}"));
    }
    if text.contains('@') {
        return Err(format!("nicknames such as `@daily` are not read; write {SHAPE}"));
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    match fields.len() {
        5 => {}
        0 => return Err(format!("an empty text is no cron; write {SHAPE}")),
        6 => return Err(format!("six fields; seconds are not read: write {SHAPE}")),
        count => return Err(format!("{count} fields instead of five: write {SHAPE}")),
    }
    // croner skips empty items and would take `0 ,9` for `0 9`.
    if fields.iter().any(|field| field.split(',').any(str::is_empty)) {
        return Err("there is an empty item beside a comma; remove the comma or write the item".into());
    }
    let cron = read(text).map_err(|why| blame(&fields, &why))?;
    // In UTC, where no gap hides a slot; from a fixed day, because no clock is read here.
    let start = Utc.timestamp_opt(1_767_225_600, 0).single();
    let fires = start.is_some_and(|start| cron.find_next_occurrence(&start, false).is_ok());
    if fires { Ok(cron) } else { Err("it never fires, as no such date exists; check day and month".into()) }
}

fn read(text: &str) -> Result<Cron, CronError> {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build().parse(text)
}

/// Says which field croner refused, which it does not tell: the first that is refused alone.
fn blame(fields: &[&str], why: &CronError) -> String {
    for (at, (field, (name, range))) in fields.iter().zip(FIELDS).enumerate() {
        let mut alone = ["*"; 5];
        alone[at] = field;
        if let Err(why) = read(&alone.join(" ")) {
            return format!("`{}` is no {name}{}; write {range}", Shown::new(field).at_most(40), detail(&why));
        }
    }
    format!("the fields do not fit together{}", detail(why))
}

/// croner's own words where they help: those about characters speak of what it made of names.
fn detail(why: &CronError) -> String {
    match why {
        CronError::ComponentError(words) | CronError::InvalidPattern(words) => {
            format!(" ({})", Shown::new(words.trim_end_matches('.')).at_most(160))
        }
        _ => String::new(),
    }
}

impl From<Schedule> for Written {
    fn from(schedule: Schedule) -> Self {
        Self { cron: schedule.text, catch_up: schedule.catch_up, zone: schedule.zone }
    }
}

impl TryFrom<Written> for Schedule {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Self::parse(&written.cron, Some(written.catch_up), written.zone)
    }
}

/// Without croner's bit fields, which are five thousand numbers.
impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schedule")
            .field("cron", &self.text)
            .field("catch_up", &self.catch_up)
            .field("zone", &self.zone)
            .finish_non_exhaustive()
    }
}

/// `0 9,13,15 * * Mon-Fri, catching up for 20m (Europe/Warsaw)`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Shown::new(&self.text);
        write!(f, "{text}, catching up for {} ({})", self.catch_up, self.zone)
    }
}
