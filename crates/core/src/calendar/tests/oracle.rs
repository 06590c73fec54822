//! Windows against a second reading of their texts and a scan of every minute.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, Timelike};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

use super::{MINUTE, at};
use crate::calendar::Windows;
use crate::model::Instant;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A span as the generator means it, to be asked without parsing anything.
#[derive(Debug, Clone)]
enum Meant {
    /// On these days from minute to minute, past midnight if the second is not larger.
    Hours { days: BTreeSet<u32>, start: u32, end: u32 },
    /// From a day's minute to a day's minute.
    Across { from: (u32, u32), until: (u32, u32) },
    /// From the start of a date to the end of another.
    Dates { first: NaiveDate, last: NaiveDate },
    /// From moment to moment.
    Moments { from: NaiveDateTime, until: NaiveDateTime },
}

fn clock(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

impl Meant {
    fn text(&self) -> String {
        match self {
            Self::Hours { days, start, end } => {
                let days: Vec<&str> = days.iter().map(|day| DAYS[*day as usize]).collect();
                format!("{} {}-{}", days.join(","), clock(*start), clock(*end))
            }
            Self::Across { from, until } => {
                let (first, last) = (DAYS[from.0 as usize], DAYS[until.0 as usize]);
                format!("{first} {}-{last} {}", clock(from.1), clock(until.1))
            }
            Self::Dates { first, last } => format!("{first}/{last}"),
            Self::Moments { from, until } => {
                format!("{}/{}", from.format("%Y-%m-%dT%H:%M"), until.format("%Y-%m-%dT%H:%M"))
            }
        }
    }

    fn covers(&self, local: NaiveDateTime) -> bool {
        let day = local.weekday().num_days_from_monday();
        let minute = local.hour() * 60 + local.minute();
        match self {
            Self::Hours { days, start, end } if start < end => {
                days.contains(&day) && (*start..*end).contains(&minute)
            }
            Self::Hours { days, start, end } => {
                days.contains(&day) && minute >= *start || days.contains(&((day + 6) % 7)) && minute < *end
            }
            Self::Across { from, until } if from < until => (*from..*until).contains(&(day, minute)),
            Self::Across { from, until } => (day, minute) >= *from || (day, minute) < *until,
            Self::Dates { first, last } => (*first..=*last).contains(&local.date()),
            Self::Moments { from, until } => (*from..*until).contains(&local),
        }
    }
}

fn meant(around: NaiveDate) -> impl Strategy<Value = Meant> {
    let date = move |days: i64| around + TimeDelta::days(days);
    // Small hours are where clocks change.
    let minute = || prop_oneof![3 => 0..240u32, 1 => 0..1_440u32, 2 => (0..16u32).prop_map(|quarter| quarter * 15)];
    let hours = (prop::collection::btree_set(0..7u32, 1..=7), minute(), minute())
        .prop_filter("not empty", |(_, start, end)| start != end)
        .prop_map(|(days, start, end)| Meant::Hours { days, start, end });
    let across = ((0..7u32, minute()), (0..7u32, minute()))
        .prop_filter("not empty", |(from, until)| from != until)
        .prop_map(|(from, until)| Meant::Across { from, until });
    let dates = (-4..5i64, 0..4i64)
        .prop_map(move |(from, more)| Meant::Dates { first: date(from), last: date(from + more) });
    let moments = (-3..4i64, minute(), 1..4_000i64).prop_map(move |(day, start, length)| {
        let from = date(day).and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(start.into());
        Meant::Moments { from, until: from + TimeDelta::minutes(length) }
    });
    prop_oneof![4 => hours, 2 => across, 1 => dates, 1 => moments]
}

/// Windows, and what they mean: allow, deny, zone.
struct Pair {
    windows: Windows,
    allow: Vec<Meant>,
    deny: Vec<Meant>,
    zone: Tz,
}

impl Pair {
    fn new(allow: Vec<Meant>, deny: Vec<Meant>, zone: Tz) -> Self {
        let texts = |list: &[Meant]| list.iter().map(Meant::text).collect::<Vec<_>>();
        let windows = Windows::parse(&texts(&allow), &texts(&deny), zone).expect("generated texts");
        Self { windows, allow, deny, zone }
    }

    fn open(&self, at: Instant) -> bool {
        let local = at.utc().expect("in range").with_timezone(&self.zone).naive_local();
        let any = |list: &[Meant]| list.iter().any(|span| span.covers(local));
        (self.allow.is_empty() || any(&self.allow)) && !any(&self.deny)
    }

    /// Compares everything at each of `starts` with a scan of `days` days from the first.
    fn check(&self, starts: &[Instant], days: i64) {
        let first = starts.iter().min().expect("a start").0.div_euclid(MINUTE);
        let states: Vec<bool> =
            (first..=first + days * 1_440).map(|minute| self.open(Instant(minute * MINUTE))).collect();
        for start in starts {
            let here = usize::try_from(start.0.div_euclid(MINUTE) - first).expect("not before the first");
            let find = |from: usize, wanted: bool| (from..states.len()).find(|at| states[*at] == wanted);
            let change = find(here + 1, !states[here]);
            let opening = if states[here] { change.and_then(|closing| find(closing, true)) } else { change };
            let closing = change.filter(|_| states[here]);
            let instant = |index: usize| Instant((first + i64::try_from(index).expect("small")) * MINUTE);
            // Beyond the scan the oracle knows only that nothing came before.
            let check = |name: &str, got: Option<Instant>, wanted: Option<usize>| match wanted.map(instant) {
                Some(wanted) => assert_eq!(got, Some(wanted), "{name} of {} after {start:?}", self.windows),
                None => {
                    assert!(got.is_none_or(|got| got > instant(states.len() - 1)), "{name} of {}", self.windows);
                }
            };
            assert_eq!(self.windows.is_open(*start), states[here], "{} at {start:?}", self.windows);
            check("change", self.windows.next_change(*start), change);
            check("opening", self.windows.next_opening(*start), opening);
            if states[here] {
                check("closing", self.windows.next_closing(*start), closing);
            } else {
                assert_eq!(self.windows.next_closing(*start), None, "{} at {start:?}", self.windows);
            }
        }
    }
}

/// Zones and days at which their clocks change (those of UTC and Kolkata never do).
const CHANGES: [(Tz, &str); 10] = [
    (Tz::Europe__Warsaw, "2026-03-29"),
    (Tz::Europe__Warsaw, "2026-10-25"),
    (Tz::America__New_York, "2026-03-08"),
    (Tz::America__New_York, "2026-11-01"),
    (Tz::Australia__Lord_Howe, "2026-04-05"),
    (Tz::Australia__Lord_Howe, "2026-10-04"),
    (Tz::America__Sao_Paulo, "2018-02-18"),
    (Tz::America__Sao_Paulo, "2018-11-04"),
    (Tz::UTC, "2026-03-29"),
    (Tz::Asia__Kolkata, "2026-10-25"),
];

fn case() -> impl Strategy<Value = (Pair, Vec<Instant>)> {
    prop::sample::select(&CHANGES[..]).prop_flat_map(|(zone, day)| {
        let date: NaiveDate = day.parse().expect("a date");
        let list = |max| prop::collection::vec(meant(date), 0..=max);
        let noon = at(zone, &format!("{day} 12:00"));
        let start = (-3 * 86_400_000i64..86_400_000).prop_map(move |ms| Instant(noon.0 + ms));
        (list(3), list(2), prop::collection::vec(start, 1..12))
            .prop_map(move |(allow, deny, starts)| (Pair::new(allow, deny, zone), starts))
    })
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.windows.fmt(f)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_next_change_is_the_first_minute_that_differs((pair, starts) in case()) {
        pair.check(&starts, 11);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}|[-MonTueFri0-9:,/T ]{0,30}|[0-9T:/-]{8,33}") {
        let list = [text];
        if let Ok(windows) = Windows::parse(&list, &[], Tz::UTC) {
            let json = serde_json::to_string(&windows).expect("json");
            prop_assert_eq!(serde_json::from_str::<Windows>(&json).expect("what was accepted once"), windows);
        }
    }
}

/// Every change of the clock in 2026 and 2027 anywhere, once for each (instant, before, after).
fn changes_everywhere() -> Vec<(Tz, Instant)> {
    const STEP: i64 = 6 * 3_600_000;
    let from = at(Tz::UTC, "2026-01-01 00:00").0;
    let until = at(Tz::UTC, "2028-01-01 00:00").0;
    let offset = |zone: Tz, ms: i64| {
        DateTime::from_timestamp_millis(ms).expect("in range").with_timezone(&zone).offset().fix().local_minus_utc()
    };
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for zone in TZ_VARIANTS {
        let mut before = offset(zone, from);
        for ms in (from..until).step_by(usize::try_from(STEP).expect("small")) {
            let after = offset(zone, ms);
            if after != before && seen.insert((ms, before, after)) {
                found.push((zone, Instant(ms)));
            }
            before = after;
        }
    }
    found
}

#[test]
fn every_zone_that_changes_its_clock_agrees_with_the_oracle() {
    let hours = |start, end| Meant::Hours { days: (0..7).collect(), start, end };
    let changes = changes_everywhere();
    assert!(changes.len() > 50, "{}", changes.len());
    for (zone, change) in changes {
        let starts: Vec<Instant> = (0..8).map(|step| Instant(change.0 - step * 2 * 3_600_000 - 1)).collect();
        // Starts and ends in, around and beside the hours in which clocks change.
        for allow in [hours(15, 135), hours(105, 150), hours(1_410, 15), hours(180, 165)] {
            Pair::new(vec![allow], vec![hours(130, 140)], zone).check(&starts, 2);
        }
    }
}
