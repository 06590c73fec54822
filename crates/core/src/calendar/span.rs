//! The spellings of a window: one text to one [`Span`], or a sentence that mends it.
//!
//! Not here: zones and instants. A span knows local wall times only.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use crate::text::Shown;

/// Minutes in a day.
const DAY: u16 = 1_440;
/// Minutes in a week.
const WEEK: u16 = 7 * DAY;
/// The longest text that is read at all.
const TEXT_MAX: usize = 200;

/// A part of local wall time, closed at its start and open at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Span {
    /// The same every week.
    Weekly(Vec<Weekly>),
    /// Once.
    Dates {
        /// Its first moment.
        from: NaiveDateTime,
        /// The first moment after it.
        until: NaiveDateTime,
    },
}

/// One stretch of every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weekly {
    /// Minutes since Monday 00:00.
    start: u16,
    /// Minutes, at least one and at most a week; may run over the week's end.
    length: u16,
}

impl Span {
    /// Whether the span covers this moment.
    pub(super) fn covers(&self, local: NaiveDateTime) -> bool {
        match self {
            Self::Weekly(parts) => {
                let now = minute_of_week(local);
                parts.iter().any(|part| (now + WEEK - part.start) % WEEK < part.length)
            }
            Self::Dates { from, until } => (*from..*until).contains(&local),
        }
    }

    /// The first start or end of the span after this moment.
    pub(super) fn boundary_after(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Weekly(parts) => {
                let now = minute_of_week(local);
                let wait = |edge: u16| match (edge % WEEK + WEEK - now) % WEEK {
                    0 => WEEK,
                    minutes => minutes,
                };
                let minutes =
                    parts.iter().flat_map(|part| [wait(part.start), wait(part.start + part.length)]).min()?;
                let minute = local.with_second(0)?.with_nanosecond(0)?;
                minute.checked_add_signed(TimeDelta::minutes(minutes.into()))
            }
            Self::Dates { from, until } => [*from, *until].into_iter().find(|edge| *edge > local),
        }
    }

    /// Reads one spelling.
    ///
    /// # Errors
    /// A sentence that says what is wrong and how to mend it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let quoted = || format!("`{}`", Shown::new(text).at_most(60));
        if text.trim().is_empty() {
            return Err(format!("an empty text is no span of time; {SHAPES}"));
        }
        if text.len() > TEXT_MAX {
            return Err(format!("{} is longer than {TEXT_MAX} bytes; write one span in each text", quoted()));
        }
        if text.contains(['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}']) {
            return Err(format!("{}: a range is written with a plain `-`", quoted()));
        }
        let tight = tighten(text);
        let parsed = if is_dated(&tight) { parse_dates(&tight) } else { parse_weekly(&tight) };
        parsed.map_err(|why| format!("{}: {why}", quoted()))
    }
}

const SHAPES: &str = "write one such as `Mon-Fri 09:00-16:00`, `Sat`, `Fri 13:00-Mon 09:00`, `2026-12-24` or \
                      `2026-12-23/2027-01-02`";

fn minute_of_week(local: NaiveDateTime) -> u16 {
    // Each factor is bounded (6, 23, 59), so that the sum is below `WEEK`.
    let minutes = local.weekday().num_days_from_monday() * 1_440 + local.hour() * 60 + local.minute();
    u16::try_from(minutes).unwrap_or(0)
}

/// One space between words and none around `-`, `,` and `/`, so that `Mon - Fri` is `Mon-Fri`.
fn tighten(text: &str) -> String {
    let mut tight = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let joins = |c: char| matches!(c, '-' | ',' | '/');
        if !tight.is_empty() && !tight.ends_with(joins) && !word.starts_with(joins) {
            tight.push(' ');
        }
        tight.push_str(word);
    }
    tight
}

/// Whether this is meant as dates: `2026-…`, anything with a slash, or `24.12.2026`.
fn is_dated(tight: &str) -> bool {
    let digits = tight.bytes().take_while(u8::is_ascii_digit).count();
    tight.contains('/')
        || tight.matches('.').count() == 2
        || (digits == 4 && tight.as_bytes().get(4) == Some(&b'-'))
}

fn parse_weekly(tight: &str) -> Result<Span, String> {
    let words: Vec<&str> = tight.split(' ').collect();
    let starts_with_digit = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let parts = match words.as_slice() {
        [hours] if starts_with_digit(hours) => on_days(&[0, 1, 2, 3, 4, 5, 6], hours)?,
        [days] => {
            let whole = |day: u16| Weekly { start: day * DAY, length: DAY };
            parse_days(days)?.into_iter().map(whole).collect()
        }
        [days, hours] => on_days(&parse_days(days)?, hours)?,
        [first, middle, last] => vec![across_days(first, middle, last)?],
        _ => return Err(format!("this is no span of time; {SHAPES}")),
    };
    Ok(Span::Weekly(parts))
}

/// `09:00-16:00` on each of these days; past midnight if it ends before it starts.
fn on_days(days: &[u16], hours: &str) -> Result<Vec<Weekly>, String> {
    let (start, end) = hours.split_once('-').ok_or_else(|| {
        format!("`{}` has a start and no end; write hours such as `09:00-16:00`", Shown::new(hours).at_most(20))
    })?;
    let (start, end) = (parse_start(start)?, parse_time(end)?);
    if start == end {
        return Err("it ends when it starts and so is never open; for whole days leave the hours out, or write \
                    `00:00-24:00`"
            .into());
    }
    let length = if end > start { end - start } else { end + DAY - start };
    Ok(days.iter().map(|day| Weekly { start: day * DAY + start, length }).collect())
}

/// `Fri 13:00-Mon 09:00`, given as `Fri`, `13:00-Mon` and `09:00`.
fn across_days(first: &str, middle: &str, last: &str) -> Result<Weekly, String> {
    let shape = || {
        "a span over several days reads `Fri 13:00-Mon 09:00`: one day and time, `-`, one day and time".to_owned()
    };
    let (start_time, last_day) = middle.split_once('-').ok_or_else(shape)?;
    if last_day.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("nothing may follow the hours; write each span in a text of its own, and no zone (the flow's \
                    `zone` holds)"
            .into());
    }
    if [first, last_day].iter().any(|days| days.contains([',', '-'])) {
        return Err(shape());
    }
    let start = parse_day(first)? * DAY + parse_start(start_time)?;
    let (end_day, end_time) = (parse_day(last_day)?, parse_time(last)?);
    let length = (end_day * DAY + end_time + WEEK - start) % WEEK;
    match length {
        // `Mon 00:00-Sun 24:00` is a whole week, `Mon 09:00-Mon 09:00` a mistake.
        0 if end_time == DAY => Ok(Weekly { start, length: WEEK }),
        0 => Err("it ends when it starts; write two different ends".into()),
        length => Ok(Weekly { start, length }),
    }
}

/// `Mon-Wed,Fri` as numbers, 0 for Monday, in the order written.
fn parse_days(text: &str) -> Result<Vec<u16>, String> {
    let mut days = Vec::new();
    for item in text.split(',') {
        let Some((first, last)) = item.split_once('-') else {
            days.push(parse_day(item)?);
            continue;
        };
        let (first, last) = (parse_day(first)?, parse_day(last)?);
        if first == last {
            return Err(
                "a range from a day to the same day could mean one day or all; name the day once, or leave \
                        the days out for every day"
                    .into(),
            );
        }
        let count = (last + 7 - first) % 7;
        days.extend((0..=count).map(|step| (first + step) % 7));
    }
    Ok(days)
}

fn parse_day(text: &str) -> Result<u16, String> {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let lower = text.to_ascii_lowercase();
    let found = NAMES.iter().zip(0..).find(|(name, _)| **name == lower || name[..3] == lower);
    found.map(|(_, day)| day).ok_or_else(|| {
        if text.is_empty() {
            return "a day is missing; write for example `Mon-Fri` or `Mon,Wed`".to_owned();
        }
        format!("`{}` is no day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun", Shown::new(text).at_most(20))
    })
}

/// A time that may begin a span: not `24:00`, which belongs to the day before.
fn parse_start(text: &str) -> Result<u16, String> {
    match parse_time(text)? {
        DAY => Err("a span cannot start at `24:00`; write `00:00` of the next day".into()),
        minutes => Ok(minutes),
    }
}

/// Minutes since midnight, `24:00` included.
fn parse_time(text: &str) -> Result<u16, String> {
    let wrong = |why: &str| {
        let text = Shown::new(text).at_most(20);
        format!("`{text}` is no time{why}; write hours and minutes from `00:00` to `24:00`")
    };
    let number = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        let digits = lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = text.split_once(':').ok_or_else(|| wrong(""))?;
    let hours = number(hours, 1..=2).ok_or_else(|| wrong(""))?;
    let minutes = number(minutes, 2..=2).ok_or_else(|| wrong(""))?;
    match (hours, minutes) {
        (0..=23, 0..=59) | (24, 0) => Ok(hours * 60 + minutes),
        (24, _) => Err(wrong(" of the same day")),
        _ => Err(wrong(" of a day")),
    }
}

fn parse_dates(tight: &str) -> Result<Span, String> {
    let (from, until) = match tight.split_once('/') {
        Some((from, until)) => (parse_moment(from)?.0, parse_end(until)?),
        None => match parse_moment(tight)? {
            (from, false) => (from, parse_end(tight)?),
            (_, true) => {
                return Err("a single moment has no length; write a start and an end, as in \
                            `2026-12-24T12:00/2026-12-26T08:00`"
                    .into());
            }
        },
    };
    if from >= until {
        return Err("it ends before it starts or when it starts; write the earlier one first".into());
    }
    Ok(Span::Dates { from, until })
}

/// The first moment after an end: of the whole day if no time is written.
fn parse_end(text: &str) -> Result<NaiveDateTime, String> {
    let (moment, timed) = parse_moment(text)?;
    let end = if timed { Some(moment) } else { moment.checked_add_days(Days::new(1)) };
    end.ok_or_else(|| "its end lies beyond the calendar; write an earlier year".to_owned())
}

/// A date, and whether a time was written with it; without one its midnight.
fn parse_moment(text: &str) -> Result<(NaiveDateTime, bool), String> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let date = parse_date(date)?;
    let minutes = time.map(parse_time).transpose()?.unwrap_or(0);
    let moment = date.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::minutes(minutes.into()));
    let moment = moment.ok_or_else(|| "it lies beyond the calendar; write an earlier year".to_owned())?;
    Ok((moment, time.is_some()))
}

fn parse_date(text: &str) -> Result<NaiveDate, String> {
    if text.is_empty() {
        return Err("a date is missing beside `/`; write both, as in `2026-12-23/2027-01-02`".into());
    }
    let shown = Shown::new(text).at_most(20);
    let shape = || format!("`{shown}` is no date; write year, month and day as in `2026-12-24`");
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    if !shaped {
        return Err(shape());
    }
    // All ASCII by now, so that every slice lies on a character.
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().map_err(|_| shape());
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if !(1970..=4000).contains(&year) {
        return Err(format!("`{shown}` is out of range; write a year from 1970 to 4000"));
    }
    let date = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    date.ok_or_else(|| format!("`{shown}` is not in the calendar; check month and day"))
}
