//! Schedules: what is refused, slots on the days on which clocks change, the edges of catching up.

use chrono::{Datelike, Timelike};
use chrono_tz::{Europe, Tz};
use proptest::prelude::*;

use super::{MINUTE, at, read};
use crate::calendar::Schedule;
use crate::model::{Instant, Span};

const WARSAW: Tz = Europe::Warsaw;

fn schedule(cron: &str, catch_up: &str) -> Schedule {
    let catch_up = Span::parse(catch_up).expect("a span");
    Schedule::parse(cron, Some(catch_up), WARSAW).expect("a schedule of a test")
}

/// All slots after `from` and not after `until`, as a person reads them.
fn slots(schedule: &Schedule, from: &str, until: &str) -> Vec<String> {
    let until = at(schedule.zone(), until);
    forwards(schedule, at(schedule.zone(), from), until)
        .into_iter()
        .map(|slot| read(schedule.zone(), Some(slot)))
        .collect()
}

fn forwards(schedule: &Schedule, from: Instant, until: Instant) -> Vec<Instant> {
    std::iter::successors(schedule.next_slot(from), |slot| schedule.next_slot(*slot))
        .take_while(|slot| *slot <= until)
        .collect()
}

#[test]
fn a_refusal_says_what_is_wrong_and_how_to_mend_it() {
    let lines: Vec<String> = [
        "",
        "* * * *",
        "0 0 9 * * *",
        "0 0 9 * * * 2026",
        "@daily",
        "0 9 * * @daily",
        "60 9 * * *",
        "0 24 * * *",
        "0 9 0 * *",
        "0 9 * 13 *",
        "0 9 * * 8",
        "0 9 * * Fri-Mon",
        "0 9 * * Monday",
        "0 9 * * Foo",
        "0 ,9 * * *",
        "0 9 * * ,",
        "0 0 30 2 *",
        "0 0 31 4,6 *",
        "*/0 * * * *",
        "/5 * * * *",
        "0/5 * * * *",
        "9-8 * * * *",
        "-1 * * * *",
        "99999999 * * * *",
        "0 9 * * \u{1b}[2J",
        "0 9 * * \u{202e}",
        "0 9 * * 1#6",
        "0 9 W * *",
    ]
    .iter()
    .map(|cron| Schedule::parse(cron, None, WARSAW).expect_err(cron))
    .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    an empty text is no cron; write minute, hour, day of the month, month, day of the week, as in `0 9,13,15 * * Mon-Fri`
    `* * * *`: 4 fields instead of five: write minute, hour, day of the month, month, day of the week, as in `0 9,13,15 * * Mon-Fri`
    `0 0 9 * * *`: six fields; seconds are not read: write minute, hour, day of the month, month, day of the week, as in `0 9,13,15 * * Mon-Fri`
    `0 0 9 * * * 2026`: 7 fields instead of five: write minute, hour, day of the month, month, day of the week, as in `0 9,13,15 * * Mon-Fri`
    `@daily`: nicknames such as `@daily` are not read; write minute, hour, day of the month, month, day of the week, as in `0 9,13,15 * * Mon-Fri`
    `0 9 * * @daily`: nicknames such as `@daily` are not read; write minute, hour, day of the month, month, day of the week, as in `0 9,13,15 * * Mon-Fri`
    `60 9 * * *`: `60` is no minute (Number out of bounds); write 0 to 59
    `0 24 * * *`: `24` is no hour (Number out of bounds); write 0 to 23
    `0 9 0 * *`: `0` is no day of the month (Number out of bounds); write 1 to 31
    `0 9 * 13 *`: `13` is no month (Number out of bounds); write 1 to 12 or Jan to Dec
    `0 9 * * 8`: `8` is no day of the week (Number out of bounds); write 0 to 7 or Sun to Sat, 0 and 7 being Sunday
    `0 9 * * Fri-Mon`: `Fri-Mon` is no day of the week (Range out of bounds); write 0 to 7 or Sun to Sat, 0 and 7 being Sunday
    `0 9 * * Monday`: `Monday` is no day of the week; write 0 to 7 or Sun to Sat, 0 and 7 being Sunday
    `0 9 * * Foo`: `Foo` is no day of the week; write 0 to 7 or Sun to Sat, 0 and 7 being Sunday
    `0 ,9 * * *`: there is an empty item beside a comma; remove the comma or write the item
    `0 9 * * ,`: there is an empty item beside a comma; remove the comma or write the item
    `0 0 30 2 *`: it never fires, as no such date exists; check day and month
    `0 0 31 4,6 *`: it never fires, as no such date exists; check day and month
    `*/0 * * * *`: `*/0` is no minute (Step cannot be zero); write 0 to 59
    `/5 * * * *`: `/5` is no minute (Invalid step syntax: omitting the starting point like "/5" is not allowed. Use "*/5" for wildcard steps or "X-Y/5" for range steps); write 0 to 59
    `0/5 * * * *`: `0/5` is no minute (Invalid step syntax: single number steps like "0/5" are not allowed. Use "*/5" for wildcard steps or "X-Y/5" for range steps); write 0 to 59
    `9-8 * * * *`: `9-8` is no minute (Range out of bounds); write 0 to 59
    `-1 * * * *`: `-1` is no minute (Invalid start of range); write 0 to 59
    `99999999 * * * *`: `99999999` is no minute (Invalid number); write 0 to 59
    `0 9 * * \x1b[2J`: `\x1b[2J` is no day of the week; write 0 to 7 or Sun to Sat, 0 and 7 being Sunday
    `0 9 * * \u{202e}`: `\u{202e}` is no day of the week; write 0 to 7 or Sun to Sat, 0 and 7 being Sunday
    `0 9 * * 1#6`: `1#6` is no day of the week (Nth specifier out of bounds); write 0 to 7 or Sun to Sat, 0 and 7 being Sunday
    `0 9 W * *`: `W` is no day of the month (Invalid day for closest weekday); write 1 to 31
    "#);
    let none = Schedule::parse("0 9 * * *", Some(Span::ZERO), WARSAW).expect_err("no time");
    insta::assert_snapshot!(none, @"`catch_up` of no time leaves no moment to enter; write at least `1m`");
    let long = Schedule::parse(&"0 ".repeat(200), None, WARSAW).expect_err("long");
    assert!(long.contains("no longer than 200 bytes"), "{long}");
}

#[test]
fn plain_days() {
    let office = schedule("0 9,13,15 * * Mon-Fri", "20m");
    assert_eq!(
        slots(&office, "2026-11-20 09:00", "2026-11-23 09:00"),
        ["Fri 2026-11-20 13:00 CET", "Fri 2026-11-20 15:00 CET", "Mon 2026-11-23 09:00 CET"]
    );
    let leap = schedule("0 12 29 2 *", "1h");
    assert_eq!(read(WARSAW, leap.next_slot(at(WARSAW, "2026-11-20 09:00"))), "Tue 2028-02-29 12:00 CET");
    // As everywhere else in cron: a day of the month or a day of the week.
    let either = schedule("0 12 1 * Mon", "1h");
    assert_eq!(
        slots(&either, "2026-11-24 00:00", "2026-12-07 00:00"),
        ["Mon 2026-11-30 12:00 CET", "Tue 2026-12-01 12:00 CET"]
    );
}

#[test]
fn in_spring_a_time_that_does_not_exist_comes_as_the_clock_jumps() {
    assert_eq!(
        slots(&schedule("30 2 * * *", "20m"), "2026-03-28 12:00", "2026-03-30 12:00"),
        ["Sun 2026-03-29 03:00 CEST", "Mon 2026-03-30 02:30 CEST"]
    );
    // Not so with several times a day: those in the gap are left out.
    assert_eq!(
        slots(&schedule("0,30 2 * * *", "20m"), "2026-03-28 12:00", "2026-03-30 12:00"),
        ["Mon 2026-03-30 02:00 CEST", "Mon 2026-03-30 02:30 CEST"]
    );
    assert_eq!(
        slots(&schedule("*/30 1-3 * * *", "20m"), "2026-03-29 00:00", "2026-03-29 12:00"),
        [
            "Sun 2026-03-29 01:00 CET",
            "Sun 2026-03-29 01:30 CET",
            "Sun 2026-03-29 03:00 CEST",
            "Sun 2026-03-29 03:30 CEST"
        ]
    );
}

#[test]
fn in_autumn_a_time_that_comes_twice_is_one_slot() {
    let daily = schedule("30 2 * * *", "20m");
    assert_eq!(
        slots(&daily, "2026-10-24 12:00", "2026-10-26 12:00"),
        ["Sun 2026-10-25 02:30 CEST", "Mon 2026-10-26 02:30 CET"]
    );
    let first = at(WARSAW, "2026-10-25 02:30");
    let second = first + Span::from_mins(60);
    assert_eq!(daily.slot(first), Some(first));
    assert_eq!(daily.slot(second), None);
    assert_eq!(schedule("30 2 * * *", "2h").slot(second), Some(first));
    // Several times a day come whenever the clock shows them.
    assert_eq!(slots(&schedule("30 2,14 * * *", "20m"), "2026-10-25 00:00", "2026-10-25 23:00").len(), 3);
}

#[test]
fn catching_up_ends_exactly() {
    let office = schedule("0 9 * * *", "20m");
    let slot = at(WARSAW, "2026-11-20 09:00");
    let later = |ms: i64| Instant(slot.0 + ms);
    assert_eq!(office.slot(later(-1)), None);
    assert_eq!(office.slot(slot), Some(slot));
    assert_eq!(office.slot(later(1)), Some(slot));
    assert_eq!(office.slot(later(20 * MINUTE - 1)), Some(slot));
    assert_eq!(office.slot(later(20 * MINUTE)), None);
    assert_eq!(office.next_slot(later(-1)), Some(slot));
    assert_eq!(office.next_slot(slot), Some(later(1_440 * MINUTE)));
    assert_eq!(Schedule::parse("0 9 * * *", None, WARSAW).expect("default").catch_up(), Span::from_mins(10));
    // A newer slot hides an older one.
    let often = schedule("*/5 * * * *", "20m");
    assert_eq!(often.slot(later(5 * MINUTE)), Some(later(5 * MINUTE)));
    assert_eq!(often.slot(later(5 * MINUTE - 1)), Some(slot));
}

#[test]
fn a_broken_clock_has_no_slots() {
    let always = schedule("* * * * *", "20m");
    for ms in [i64::MIN, i64::MIN + 1, -1 << 52, 1 << 52, i64::MAX - 1, i64::MAX] {
        assert_eq!((always.slot(Instant(ms)), always.next_slot(Instant(ms))), (None, None), "{ms}");
    }
    // Before 1970 a part of a second is rounded down like any other.
    assert_eq!(always.slot(Instant(-1)), Some(Instant(-MINUTE)));
    assert_eq!(always.next_slot(Instant(-1)), Some(Instant(0)));
}

#[test]
fn serde_and_display_keep_what_was_written() {
    let written = schedule(" 0 9,13,15 * * Mon-Fri ", "20m");
    let json = serde_json::to_string(&written).expect("json");
    insta::assert_snapshot!(json, @r#"{"cron":"0 9,13,15 * * Mon-Fri","catch_up":1200000,"zone":"Europe/Warsaw"}"#);
    assert_eq!(serde_json::from_str::<Schedule>(&json).expect("schedule"), written);
    assert!(serde_json::from_str::<Schedule>(&json.replace("0 9,", "0 0 9,")).is_err());
    insta::assert_snapshot!(written, @"0 9,13,15 * * Mon-Fri, catching up for 20m (Europe/Warsaw)");
    insta::assert_snapshot!(format!("{written:?}"), @r#"Schedule { cron: "0 9,13,15 * * Mon-Fri", catch_up: Span(1200000), zone: Europe/Warsaw, .. }"#);
}

/// Zone, and the day before its clock changes.
const CHANGES: [(Tz, &str); 9] = [
    (Tz::Europe__Warsaw, "2026-03-28"),
    (Tz::Europe__Warsaw, "2026-10-24"),
    (Tz::America__New_York, "2026-03-07"),
    (Tz::America__New_York, "2026-10-31"),
    (Tz::Australia__Lord_Howe, "2026-04-04"),
    (Tz::Australia__Lord_Howe, "2026-10-03"),
    (Tz::America__Sao_Paulo, "2018-02-17"),
    (Tz::America__Sao_Paulo, "2018-11-03"),
    (Tz::Asia__Kolkata, "2026-10-24"),
];

/// Minutes, hours and days of the week that fire, as numbers; the text is made of them.
type Fields = (Vec<u32>, Vec<u32>, Vec<u32>);

fn fields() -> impl Strategy<Value = Fields> {
    let hours = prop_oneof![2 => prop::collection::btree_set(0..5u32, 1..4), 1 => prop::collection::btree_set(0..24u32, 1..6)];
    let days = prop::collection::btree_set(0..7u32, 1..=7);
    (prop::collection::btree_set(0..60u32, 1..5), hours, days).prop_map(|(minutes, hours, days)| {
        (minutes.into_iter().collect(), hours.into_iter().collect(), days.into_iter().collect())
    })
}

fn text_of((minutes, hours, days): &Fields) -> String {
    let list = |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let days = if days.len() == 7 { "*".to_owned() } else { list(days) };
    format!("{} {} * * {days}", list(minutes), list(hours))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slots_are_the_minutes_that_match((zone, day) in prop::sample::select(&CHANGES[..]), fields in fields()) {
        // With one minute and one hour, gaps and repeated hours have a rule of their own.
        prop_assume!(fields.0.len() * fields.1.len() > 1);
        let schedule = Schedule::parse(&text_of(&fields), None, zone).expect("generated");
        let from = at(zone, &format!("{day} 12:00"));
        let until = Instant(from.0 + 2 * 1_440 * MINUTE);
        let matching: Vec<Instant> = (1..=2 * 1_440)
            .map(|minute| Instant(from.0 + minute * MINUTE))
            .filter(|at| {
                let local = at.utc().expect("in range").with_timezone(&zone);
                fields.0.contains(&local.minute())
                    && fields.1.contains(&local.hour())
                    && fields.2.contains(&local.weekday().num_days_from_sunday())
            })
            .collect();
        prop_assert_eq!(forwards(&schedule, from, until), matching);
    }

    #[test]
    fn both_directions_find_the_same_slots(
        (zone, day) in prop::sample::select(&CHANGES[..]),
        fields in fields(),
        single in any::<bool>(),
        at_ms in 0..2 * 86_400_000i64,
        catch_up in 1..30 * 3_600_000i64,
    ) {
        let mut fields = fields;
        if single {
            fields.0.truncate(1);
            fields.1.truncate(1);
        }
        let schedule = Schedule::parse(&text_of(&fields), Some(Span::from_ms(catch_up)), zone).expect("generated");
        let from = at(zone, &format!("{day} 12:00"));
        let now = Instant(from.0 + at_ms);
        let newest = forwards(&schedule, Instant(now.0 - 8 * 86_400_000), now).pop();
        let usable = newest.filter(|slot| now.0 < slot.0 + catch_up);
        prop_assert_eq!(schedule.slot(now), usable);
        for slot in forwards(&schedule, from, Instant(from.0 + 2 * 86_400_000)) {
            prop_assert_eq!(schedule.slot(slot), Some(slot));
            prop_assert_eq!(schedule.next_slot(Instant(slot.0 - 1)), Some(slot));
        }
    }

    #[test]
    fn no_cron_panics(text in "[-*/0-9,LW#?+A-Za-z@ ]{0,30}|(([*0-9,/-]{1,6}|[LW?#+0-9]{1,4}) ){4}[-*0-7LW#,MonFri+?]{1,6}") {
        if let Ok(schedule) = Schedule::parse(&text, None, WARSAW) {
            let now = at(WARSAW, "2026-03-28 12:00");
            prop_assert!(schedule.next_slot(now).is_some(), "{}", schedule);
            let _ = schedule.slot(now);
        }
    }
}
