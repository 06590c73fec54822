//! Tables: what a text means, what is refused and how, what comes next.

use chrono_tz::{America, Asia, Europe, Tz};

use super::{MINUTE, at, read};
use crate::calendar::{Which, Windows};
use crate::model::Instant;

const WARSAW: Tz = Europe::Warsaw;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn windows(allow: &[&str], deny: &[&str]) -> Windows {
    Windows::parse(&texts(allow), &texts(deny), WARSAW).expect("windows of a test")
}

/// The sentence that refuses this text.
fn refusal(text: &str) -> String {
    let problems = Windows::parse(&texts(&[text]), &[], WARSAW).expect_err(text);
    let [(Which::Allow, 0, why)] = problems.as_slice() else { panic!("{problems:?}") };
    why.clone()
}

/// A text, moments of November 2026 that it covers, and moments that it does not. The 16th is a Monday.
const COVERS: &[(&str, &[&str], &[&str])] = &[
    ("Mon-Fri 09:00-16:00", &["16 09:00", "20 15:59"], &["16 08:59", "16 16:00", "21 10:00"]),
    ("mon-FRIDAY 9:00-16:00", &["16 09:00", "20 15:59"], &["16 08:59", "21 10:00"]),
    (" Mon - Fri  09:00 - 16:00 ", &["16 09:00", "20 15:59"], &["16 08:59", "21 10:00"]),
    ("Mon,Wed 09:00-12:00", &["16 11:00", "18 11:00"], &["17 11:00", "18 12:00"]),
    ("Mon , Wed-Thu 09:00-12:00", &["16 11:00", "18 11:00", "19 11:00"], &["17 11:00", "20 11:00"]),
    ("Sat", &["21 00:00", "21 23:59"], &["20 23:59", "22 00:00"]),
    ("Sat,Sun", &["21 00:00", "22 23:59"], &["20 23:59", "23 00:00"]),
    ("Sat-Mon", &["21 00:00", "22 12:00", "16 23:59"], &["17 00:00", "20 23:59"]),
    ("09:00-16:00", &["16 09:00", "22 15:59"], &["16 16:00", "22 08:59"]),
    ("22:00-06:00", &["16 22:00", "17 05:59", "16 00:00"], &["16 06:00", "16 21:59"]),
    ("22:00-24:00", &["16 22:00", "16 23:59"], &["16 00:00", "16 21:59"]),
    ("22:00-00:00", &["16 22:00", "16 23:59"], &["16 00:00", "16 21:59"]),
    ("Fri 22:00-02:00", &["20 22:00", "21 01:59"], &["20 01:00", "21 02:00", "20 21:59"]),
    ("Sun 22:00-02:00", &["22 22:00", "16 01:59", "23 01:59"], &["17 01:00", "23 02:00"]),
    ("Fri 13:00-Mon 09:00", &["20 13:00", "22 00:00", "23 08:59"], &["20 12:59", "23 09:00", "18 10:00"]),
    ("Fri 13:00 - Fri 09:00", &["20 13:00", "18 10:00", "20 08:59"], &["20 09:00", "20 12:59"]),
    ("Mon 00:00-Sun 24:00", &["16 00:00", "22 23:59", "19 12:00"], &[]),
    ("00:00-24:00", &["16 00:00", "22 23:59"], &[]),
    ("2026-11-18", &["18 00:00", "18 23:59"], &["17 23:59", "19 00:00"]),
    ("2026-11-18/2026-11-19", &["18 00:00", "19 23:59"], &["17 23:59", "20 00:00"]),
    ("2026-11-18/2026-11-18", &["18 00:00", "18 23:59"], &["17 23:59", "19 00:00"]),
    ("2026-11-18T12:00 / 2026-11-20t08:00", &["18 12:00", "20 07:59"], &["18 11:59", "20 08:00"]),
    ("2026-11-18 12:00/2026-11-20", &["18 12:00", "20 23:59"], &["18 11:59", "21 00:00"]),
    ("2026-11-18/2026-11-18T24:00", &["18 00:00", "18 23:59"], &["17 23:59", "19 00:00"]),
];

#[test]
fn a_text_covers_what_a_reader_expects() {
    for (text, open, closed) in COVERS {
        let windows = windows(&[text], &[]);
        for (moments, expected) in [(open, true), (closed, false)] {
            for moment in *moments {
                let instant = at(WARSAW, &format!("2026-11-{moment}"));
                assert_eq!(windows.is_open(instant), expected, "{text} at {moment}");
                // A minute belongs to a span to its last millisecond.
                assert_eq!(windows.is_open(Instant(instant.0 + MINUTE - 1)), expected, "{text} late in {moment}");
            }
        }
    }
}

const REFUSED: &[&str] = &[
    "",
    "  ",
    "-",
    "/",
    "Mon-Fry 09:00-16:00",
    "Mon,,Tue",
    "Mon-",
    "Mon-Mon 09:00-10:00",
    "Mon 09:00",
    "09:00",
    "09:00-09:00",
    "24:00-09:00",
    "09:00-25:00",
    "09:00-24:01",
    "09:60-10:00",
    "9-16",
    "9am-5pm",
    "09:00:00-10:00:00",
    "Fri 13:00-Fri 13:00",
    "Mon-Fri 09:00-Mon 10:00",
    "Fri 13:00-Mon 24:01",
    "Mon 09:00-16:00 CET",
    "Mon 09:00-10:00, Tue 09:00-10:00",
    "Mon 09:00-10:00 11:00-12:00",
    "2026-02-30",
    "2026-2-3",
    "24.12.2026",
    "1969-12-31",
    "9999-12-31",
    "2026-12-24T12:00",
    "2026-12-24/2026-12-23",
    "2026-12-24T12:00/2026-12-24T12:00",
    "2026-12-24/",
    "2026-12-24/2026-12-25/2026-12-26",
    "2026-12-24-2026-12-26",
    "Mon\u{202e}\u{1b}[2J 09:00-10:00",
    "Mon–Fri 09:00–16:00",
    "２０２６-12-24/2026-12-25",
];

#[test]
fn a_refusal_names_the_word_and_the_remedy() {
    let lines: Vec<String> = REFUSED.iter().map(|text| refusal(text)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    an empty text is no span of time; write one such as `Mon-Fri 09:00-16:00`, `Sat`, `Fri 13:00-Mon 09:00`, `2026-12-24` or `2026-12-23/2027-01-02`
    an empty text is no span of time; write one such as `Mon-Fri 09:00-16:00`, `Sat`, `Fri 13:00-Mon 09:00`, `2026-12-24` or `2026-12-23/2027-01-02`
    `-`: a day is missing; write for example `Mon-Fri` or `Mon,Wed`
    `/`: a date is missing beside `/`; write both, as in `2026-12-23/2027-01-02`
    `Mon-Fry 09:00-16:00`: `Fry` is no day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun
    `Mon,,Tue`: a day is missing; write for example `Mon-Fri` or `Mon,Wed`
    `Mon-`: a day is missing; write for example `Mon-Fri` or `Mon,Wed`
    `Mon-Mon 09:00-10:00`: a range from a day to the same day could mean one day or all; name the day once, or leave the days out for every day
    `Mon 09:00`: `09:00` has a start and no end; write hours such as `09:00-16:00`
    `09:00`: `09:00` has a start and no end; write hours such as `09:00-16:00`
    `09:00-09:00`: it ends when it starts and so is never open; for whole days leave the hours out, or write `00:00-24:00`
    `24:00-09:00`: a span cannot start at `24:00`; write `00:00` of the next day
    `09:00-25:00`: `25:00` is no time of a day; write hours and minutes from `00:00` to `24:00`
    `09:00-24:01`: `24:01` is no time of the same day; write hours and minutes from `00:00` to `24:00`
    `09:60-10:00`: `09:60` is no time of a day; write hours and minutes from `00:00` to `24:00`
    `9-16`: `9` is no time; write hours and minutes from `00:00` to `24:00`
    `9am-5pm`: `9am` is no time; write hours and minutes from `00:00` to `24:00`
    `09:00:00-10:00:00`: `09:00:00` is no time; write hours and minutes from `00:00` to `24:00`
    `Fri 13:00-Fri 13:00`: it ends when it starts; write two different ends
    `Mon-Fri 09:00-Mon 10:00`: a span over several days reads `Fri 13:00-Mon 09:00`: one day and time, `-`, one day and time
    `Fri 13:00-Mon 24:01`: `24:01` is no time of the same day; write hours and minutes from `00:00` to `24:00`
    `Mon 09:00-16:00 CET`: nothing may follow the hours; write each span in a text of its own, and no zone (the flow's `zone` holds)
    `Mon 09:00-10:00, Tue 09:00-10:00`: nothing may follow the hours; write each span in a text of its own, and no zone (the flow's `zone` holds)
    `Mon 09:00-10:00 11:00-12:00`: nothing may follow the hours; write each span in a text of its own, and no zone (the flow's `zone` holds)
    `2026-02-30`: `2026-02-30` is not in the calendar; check month and day
    `2026-2-3`: `2026-2-3` is no date; write year, month and day as in `2026-12-24`
    `24.12.2026`: `24.12.2026` is no date; write year, month and day as in `2026-12-24`
    `1969-12-31`: `1969-12-31` is out of range; write a year from 1970 to 4000
    `9999-12-31`: `9999-12-31` is out of range; write a year from 1970 to 4000
    `2026-12-24T12:00`: a single moment has no length; write a start and an end, as in `2026-12-24T12:00/2026-12-26T08:00`
    `2026-12-24/2026-12-23`: it ends before it starts or when it starts; write the earlier one first
    `2026-12-24T12:00/2026-12-24T12:00`: it ends before it starts or when it starts; write the earlier one first
    `2026-12-24/`: a date is missing beside `/`; write both, as in `2026-12-23/2027-01-02`
    `2026-12-24/2026-12-25/2026-12-26`: `2026-12-25/2026-12-…` is no date; write year, month and day as in `2026-12-24`
    `2026-12-24-2026-12-26`: `2026-12-24-2026-12-…` is no date; write year, month and day as in `2026-12-24`
    `Mon\u{202e}\x1b[2J 09:00-10:00`: `Mon\u{202e}\x1b[2J` is no day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun
    `Mon–Fri 09:00–16:00`: a range is written with a plain `-`
    `２０２６-12-24/2026-12-25`: `２０２６-12-24` is no date; write year, month and day as in `2026-12-24`
    "#);
    let long = refusal(&"Mon,".repeat(60));
    assert!(long.contains("is longer than 200 bytes"), "{long}");
}

#[test]
fn every_problem_of_both_lists_is_told_with_its_place() {
    let allow = texts(&["Mon-Fri 09:00-16:00", "Fry", "09:00-09:00"]);
    let deny = texts(&["2026-13-01", "Sat"]);
    let problems = Windows::parse(&allow, &deny, WARSAW).expect_err("three problems");
    let places: Vec<_> = problems.iter().map(|(which, index, _)| (*which, *index)).collect();
    assert_eq!(places, [(Which::Allow, 1), (Which::Allow, 2), (Which::Deny, 0)]);
}

#[test]
fn deny_beats_allow_and_no_allow_means_always() {
    let holidays = windows(&["Mon-Fri 09:00-16:00"], &["2026-12-23/2027-01-02"]);
    assert!(holidays.is_open(at(WARSAW, "2026-12-22 10:00")));
    assert!(!holidays.is_open(at(WARSAW, "2026-12-23 10:00")));
    let but = windows(&[], &["Fri 13:00-Mon 09:00"]);
    assert!(but.is_open(at(WARSAW, "2026-11-18 03:00")));
    assert!(!but.is_open(at(WARSAW, "2026-11-21 03:00")));
    let always = windows(&[], &[]);
    let now = at(WARSAW, "2026-11-18 03:00");
    assert!(always.is_open(now));
    assert_eq!((always.next_change(now), always.next_opening(now), always.next_closing(now)), (None, None, None));
}

#[test]
fn what_comes_next() {
    let office = windows(&["Mon-Fri 09:00-16:00"], &["2026-12-23/2027-01-02"]);
    let next = |now: &str| {
        let now = at(WARSAW, now);
        (read(WARSAW, office.next_opening(now)), read(WARSAW, office.next_closing(now)))
    };
    let never = || "never".to_owned();
    // Closed: no closing is near.
    assert_eq!(next("2026-11-20 16:00"), ("Mon 2026-11-23 09:00 CET".to_owned(), never()));
    assert_eq!(next("2026-12-22 16:00"), ("Mon 2027-01-04 09:00 CET".to_owned(), never()));
    // Open: the opening is the one after the closing.
    assert_eq!(
        next("2026-11-20 09:00"),
        ("Mon 2026-11-23 09:00 CET".to_owned(), "Fri 2026-11-20 16:00 CET".to_owned())
    );
    assert_eq!(next("2026-11-19 15:59").1, "Thu 2026-11-19 16:00 CET");
    assert_eq!(next("2026-11-19 08:59").0, "Thu 2026-11-19 09:00 CET");
}

#[test]
fn the_change_of_the_clock_opens_and_closes() {
    // Spring: 02:00 becomes 03:00. A window wholly in the gap does not open that day.
    let gap = windows(&["02:15-02:45"], &[]);
    assert_eq!(read(WARSAW, gap.next_opening(at(WARSAW, "2026-03-28 12:00"))), "Mon 2026-03-30 02:15 CEST");
    // One that starts in the gap opens as the clock jumps, one that ends in it closes then.
    let starts = windows(&["02:15-04:00"], &[]);
    assert_eq!(read(WARSAW, starts.next_opening(at(WARSAW, "2026-03-28 12:00"))), "Sun 2026-03-29 03:00 CEST");
    let ends = windows(&["01:00-02:15"], &[]);
    assert_eq!(read(WARSAW, ends.next_closing(at(WARSAW, "2026-03-29 01:30"))), "Sun 2026-03-29 03:00 CEST");
    // Autumn: 03:00 becomes 02:00. A window that closed at 02:30 is open again at 02:00.
    let twice = windows(&["01:30-02:30"], &[]);
    let first = twice.next_closing(at(WARSAW, "2026-10-25 01:45")).expect("closes");
    assert_eq!(read(WARSAW, Some(first)), "Sun 2026-10-25 02:30 CEST");
    let again = twice.next_opening(first).expect("opens");
    assert_eq!(read(WARSAW, Some(again)), "Sun 2026-10-25 02:00 CET");
    assert_eq!(read(WARSAW, twice.next_closing(again)), "Sun 2026-10-25 02:30 CET");
}

#[test]
fn two_years_are_the_horizon() {
    let never = windows(&["Mon"], &["Mon"]);
    let now = at(WARSAW, "2026-11-18 03:00");
    assert_eq!(never.next_opening(now), None);
    let past = windows(&["2020-01-01"], &[]);
    assert_eq!(past.next_opening(now), None);
    let near = windows(&["2028-11-17"], &[]);
    assert_eq!(read(WARSAW, near.next_opening(now)), "Fri 2028-11-17 00:00 CET");
    let far = windows(&["2028-11-20"], &[]);
    assert_eq!(far.next_opening(now), None);
}

#[test]
fn a_broken_clock_opens_nothing() {
    let office = windows(&["Mon-Fri 09:00-16:00"], &[]);
    let always = windows(&[], &[]);
    for ms in [i64::MIN, i64::MIN + 1, -1 << 52, 1 << 52, i64::MAX - 1, i64::MAX] {
        let at = Instant(ms);
        assert!(!office.is_open(at) && !always.is_open(at), "{ms}");
        assert_eq!(
            (office.next_change(at), always.next_opening(at), always.next_closing(at)),
            (None, None, None),
            "{ms}"
        );
    }
}

#[test]
fn serde_and_display_keep_what_was_written() {
    let written = Windows::parse(
        &texts(&["Mon-Fri 09:00-16:00", " Sat 10:00-12:00 "]),
        &texts(&["2026-12-23/2027-01-02"]),
        America::New_York,
    )
    .expect("windows of a test");
    let json = serde_json::to_string(&written).expect("json");
    insta::assert_snapshot!(json, @r#"{"allow":["Mon-Fri 09:00-16:00","Sat 10:00-12:00"],"deny":["2026-12-23/2027-01-02"],"zone":"America/New_York"}"#);
    assert_eq!(serde_json::from_str::<Windows>(&json).expect("windows"), written);
    let bad = serde_json::from_str::<Windows>(&json.replace("Sat", "Sut")).expect_err("no day");
    assert!(bad.to_string().contains("allow[1]: `Sut 10:00-12:00`: `Sut` is no day"), "{bad}");
    insta::assert_snapshot!(written, @"Mon-Fri 09:00-16:00, Sat 10:00-12:00, but not 2026-12-23/2027-01-02 (America/New_York)");
    let deny = Windows::parse(&[], &texts(&["Fri"]), Asia::Kolkata).expect("windows of a test");
    insta::assert_snapshot!(deny, @"always, but not Fri (Asia/Kolkata)");
    assert_eq!(written.texts(Which::Allow).collect::<Vec<_>>(), ["Mon-Fri 09:00-16:00", "Sat 10:00-12:00"]);
}
