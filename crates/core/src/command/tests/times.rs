//! Words for time in a zone with daylight saving: Warsaw skips 02:00-03:00 on 2026-03-29 and
//! repeats it on 2026-10-25.

use chrono::DateTime;
use chrono_tz::{Europe, Pacific, Tz};

use super::super::{Lasting, Problem, When};
use crate::model::{Instant, Span, Until};

fn at(text: &str) -> Instant {
    Instant(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

fn resolve(words: &str, now: &str, zone: Tz) -> Result<Instant, Problem> {
    When::parse(words).unwrap().resolve(at(now), zone)
}

#[test]
fn in_warsaw() {
    // 2026-06-10 is a Wednesday.
    for (words, now, meant) in [
        ("18:00", "2026-06-10T12:00:00+02:00", "2026-06-10T18:00:00+02:00"),
        ("18:00", "2026-06-10T17:59:59+02:00", "2026-06-10T18:00:00+02:00"),
        ("18:00", "2026-06-10T18:00:00+02:00", "2026-06-11T18:00:00+02:00"),
        ("0:30", "2026-12-31T23:00:00+01:00", "2027-01-01T00:30:00+01:00"),
        // Already the 11th in Warsaw.
        ("tomorrow", "2026-06-10T22:30:00Z", "2026-06-12T00:00:00+02:00"),
        ("tomorrow 09:00", "2026-06-10T12:00:00+02:00", "2026-06-11T09:00:00+02:00"),
        ("Tomorrow  9:00", "2026-06-10T12:00:00+02:00", "2026-06-11T09:00:00+02:00"),
        ("mon 09:00", "2026-06-10T12:00:00+02:00", "2026-06-15T09:00:00+02:00"),
        ("wed 13:00", "2026-06-10T12:00:00+02:00", "2026-06-10T13:00:00+02:00"),
        ("wed 11:00", "2026-06-10T12:00:00+02:00", "2026-06-17T11:00:00+02:00"),
        ("wednesday", "2026-06-10T12:00:00+02:00", "2026-06-17T00:00:00+02:00"),
        ("2026-12-24", "2026-06-10T12:00:00+02:00", "2026-12-24T00:00:00+01:00"),
        ("2026-12-24T18:30", "2026-06-10T12:00:00+02:00", "2026-12-24T18:30:00+01:00"),
        ("2026-12-24 18:30", "2026-06-10T12:00:00+02:00", "2026-12-24T18:30:00+01:00"),
        // The clock springs forward: the same hour of the clock is 23 hours later.
        ("tomorrow 12:00", "2026-03-28T12:00:00+01:00", "2026-03-29T12:00:00+02:00"),
        // A skipped time is the first instant after the gap.
        ("02:30", "2026-03-29T00:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("02:30", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"),
        ("sun 02:00", "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("2026-03-29T02:59", "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00"),
        // A repeated time is the later one, also between the two.
        ("02:30", "2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+01:00"),
        ("02:30", "2026-10-25T02:40:00+02:00", "2026-10-25T02:30:00+01:00"),
        ("02:30", "2026-10-25T02:40:00+01:00", "2026-10-26T02:30:00+01:00"),
        ("2026-10-25T02:00", "2026-10-24T12:00:00+02:00", "2026-10-25T02:00:00+01:00"),
        ("03:00", "2026-10-25T02:40:00+02:00", "2026-10-25T03:00:00+01:00"),
    ] {
        assert_eq!(resolve(words, now, Europe::Warsaw), Ok(at(meant)), "{words} at {now}");
    }
}

#[test]
fn a_day_that_never_was() {
    // Samoa went from the 29th to the 31st of December 2011.
    let meant = resolve("2011-12-30T10:00", "2011-12-29T12:00:00-10:00", Pacific::Apia);
    assert_eq!(meant, Ok(at("2011-12-31T00:00:00+14:00")));
}

#[test]
fn a_date_that_is_over_is_refused() {
    let problem = resolve("2026-06-10", "2026-06-10T12:00:00+02:00", Europe::Warsaw).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "`--until`: `2026-06-10` is over; it is 2026-06-10 12:00 in Europe/Warsaw: write a time to come"
    );
}

#[test]
fn no_date_is_further_off_than_a_length_of_time_may_be() {
    let now = "2026-06-10T12:00:00+02:00";
    // 3653 days on, to the minute.
    for (word, fits) in [
        ("2036-06-10T12:00", true),
        ("2036-06-10T12:01", false),
        ("2036-06-11", false),
        ("2037-01-01", false),
        ("9999-12-31", false),
    ] {
        let got = resolve(word, now, Europe::Warsaw);
        assert_eq!(got.is_ok(), fits, "{word}: {got:?}");
    }
    assert_eq!(
        resolve("9999-12-31", now, Europe::Warsaw).unwrap_err().to_string(),
        "`--until`: `9999-12-31` in Europe/Warsaw is more than ten years from now, which is 2026-06-10 12:00; write an earlier date, or `resumed`"
    );
}

#[test]
fn outside_the_calendar_is_refused() {
    let when = When::parse("18:00").unwrap();
    for now in [i64::MIN, -1_000_000_000_000_000, 253_402_300_800_000, i64::MAX] {
        assert_eq!(when.resolve(Instant(now), Europe::Warsaw), Err(Problem::OutOfCalendar { when }), "{now}");
    }
    // The last evening there is.
    assert_eq!(when.resolve(at("9999-12-31T23:00:00+01:00"), Europe::Warsaw), Err(Problem::OutOfCalendar { when }));
}

#[test]
fn what_is_no_time() {
    for words in [
        "",
        " ",
        "soon",
        "24:00",
        "18:60",
        "18",
        "1800",
        ":",
        "1:",
        ":30",
        "+9:00",
        "9:0",
        "009:00",
        "18:00:00",
        "18:00 mon",
        "tomorrow tomorrow",
        "tomorrowt09:00",
        "mont09:00",
        "mon 09:00 x",
        "2026-13-01",
        "2026-02-30",
        "2026-1-01",
        "20260101",
        "1969-12-31",
        "+2026-01-01",
        "2026-12-24T",
        "2026-12-24T09:00 10:00",
        "2026-12-24T09:00Z",
        "１８:００",
        "t",
        "2t",
    ] {
        assert!(When::parse(words).is_err(), "{words}");
    }
}

#[test]
fn how_long_a_pause_stands() {
    let now = at("2026-06-10T12:00:00+02:00");
    for (lasting, until) in [
        (Lasting::Default, Until::At(at("2026-06-11T12:00:00+02:00"))),
        (Lasting::For(Span::from_mins(90)), Until::At(at("2026-06-10T13:30:00+02:00"))),
        (Lasting::Until(When::parse("18:00").unwrap()), Until::At(at("2026-06-10T18:00:00+02:00"))),
        (Lasting::UntilResumed, Until::Resumed),
    ] {
        assert_eq!(lasting.resolve(now, Europe::Warsaw), Ok(until));
    }
}
