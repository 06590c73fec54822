//! Many flows at once.

use towpath_core::model::FlowName;

use super::super::kept::{Body, State};
use super::*;

fn of(flow: usize, told: &Told) -> Told {
    let mut told = told.clone();
    told.notice.flow = FlowName::new(format!("flow-{flow:02}"));
    told
}

fn all(flows: std::ops::Range<usize>, told: &Told) -> Vec<Due> {
    flows.map(|n| due(&format!("{}-{n}", told.notice.event), &of(n, told))).collect()
}

#[test]
fn ten_flows_are_ten_messages_and_eleven_are_one() {
    let people = people();
    let settings = settings(&people);
    let posts = |flows| say(&[], &all(0..flows, &landed(0, 3)), at(0), &settings).len();
    assert_eq!((posts(10), posts(11), posts(100)), (10, 1, 1));
    // Many events of few flows are no storm.
    let mut many = all(0..10, &landed(0, 3));
    many.extend(all(0..10, &told("rolled-back", 1)));
    assert_eq!(say(&[], &many, at(0), &settings).len(), 20);
}

/// The start of each message that stands.
fn begin(chat: &Chat) -> Vec<String> {
    chat.shown.iter().map(|(_, message)| plain(message).lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_asks_something_of_people_is_never_put_into_a_summary() {
    let people = people();
    let settings = Settings { mention: Mention::HeadsUp, ..settings(&people) };
    for (word, one) in [("heads-up", heads_up(0, 3)), ("pause-ends", told("pause-ends", 0))] {
        let mut chat = Chat::default();
        let mut due = all(0..30, &one);
        for (n, one) in due.iter_mut().enumerate() {
            one.told.about = Some(format!("{n}"));
            one.told.ordered_by = Some(Wrote::Person("ana".to_owned()));
        }
        // Beside what is a storm, and beside what would be one with them.
        due.extend(all(40..51, &landed(0, 3)));
        chat.tell(&due, at(0), &settings);
        let said = begin(&chat);
        assert_eq!(said.len(), 31, "{word}: {said:?}");
        assert_eq!(said.iter().filter(|line| line.contains("at once")).collect::<Vec<_>>(), ["11 flows at once"]);
        let asks: Vec<String> = chat.shown.iter().map(|(_, message)| plain(message)).collect();
        let asks: Vec<&String> = asks.iter().filter(|text| !text.contains("at once")).collect();
        assert!(asks.iter().all(|text| text.contains("@ana:UANA")), "{word}: {asks:?}");
        if word == "heads-up" {
            assert!(
                asks.iter().all(|text| text.contains("11:30 CET") && text.contains("[Hold mine][Promote now]"))
            );
        }
        let more = all(60..70, &landed(0, 3));
        let mut chat = Chat::default();
        chat.tell(&due[..30], at(0), &settings);
        let steps = chat.tell(&more, at(0), &settings);
        assert_eq!(steps.len(), 10, "they count for nobody's storm: {word}");
    }
}

#[test]
fn what_becomes_of_what_was_announced_in_one_slot_is_said_where_it_was() {
    let people = people();
    let settings = settings(&people);
    let mut chat = Chat::default();
    chat.tell(&all(0..12, &heads_up(0, 3)), at(0), &settings);
    let mut back = told("taken-back", 0);
    (back.notice.new, back.notice.at_ms) = (Some(commit(3)), START + 1_000);
    let mut came = landed(0, 3);
    came.notice.at_ms = START + 1_000;
    let mut due = all(0..6, &back);
    due.extend(all(6..12, &came));
    // Of their own, beside what was changed.
    due.extend(all(20..30, &came));
    chat.tell(&due, Instant(START + 2_000), &settings);
    assert_eq!(chat.shown.len(), 22, "{:?}", begin(&chat));
    assert!(chat.kept.iter().all(|kept| kept.saying.state == State::Closed));
    assert!(chat.shown.iter().all(|(_, message)| !plain(message).contains("Hold mine")));
}

#[test]
fn a_summary_reads_like_this() {
    let people = people();
    let settings = settings(&people);
    let mut due = all(0..22, &landed(0, 3));
    due.extend(all(20..22, &told("behind", 1)));
    let steps = say(&[], &due, at(1), &settings);
    let [Step::Post { saying, covers }] = &*steps else { panic!("{steps:?}") };
    assert_eq!((covers.len(), saying.state), (24, State::Closed));
    let text = plain(&saying.message);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "22 flows at once, 2 problems");
    assert_eq!(lines[1], "Sat 21 Nov 2026 11:00 CET to Sat 21 Nov 2026 11:01 CET");
    assert_eq!(lines[2], "*flow-20* · ⚠ production `behind` · production `promoted`");
    assert_eq!(lines[3], "*flow-21* · ⚠ production `behind` · production `promoted`");
    assert_eq!(lines[4], "*flow-00* · production `promoted`");
    assert_eq!(&lines[22..], ["and 2 more flows", "[Status]"]);
}

#[test]
fn a_storm_goes_on_in_its_own_message_and_ends() {
    let people = people();
    let settings = settings(&people);
    let mut chat = Chat::default();
    let second = |n: i64| Instant(START + n * 1_000);
    // Eight flows, then eight others: together a storm.
    chat.tell(&all(0..8, &landed(0, 3)), second(0), &settings);
    assert_eq!(chat.shown.len(), 8);
    chat.tell(&all(8..16, &landed(0, 3)), second(30), &settings);
    assert_eq!(chat.shown.len(), 9);
    chat.tell(&all(16..19, &landed(0, 3)), second(80), &settings);
    assert_eq!(chat.shown.len(), 9);
    assert!(plain(&chat.shown[8].1).starts_with("11 flows at once\n"), "{}", plain(&chat.shown[8].1));
    // A minute of silence later.
    chat.tell(&all(19..21, &landed(2, 3)), second(141), &settings);
    assert_eq!(chat.shown.len(), 11);
    let storms = chat.kept.iter().filter(|kept| matches!(kept.saying.body, Body::Storm(_)));
    assert_eq!(storms.map(|kept| kept.saying.count).collect::<Vec<_>>(), [11]);
}

#[test]
fn a_summary_said_twice_counts_once() {
    let people = people();
    let settings = settings(&people);
    let due = all(0..12, &landed(0, 3));
    let mut chat = Chat::default();
    let steps = say(&[], &due, at(0), &settings);
    assert!(chat.carry_out(&steps, at(0), Some(Crash::Between(0))));
    chat.tell(&due, at(0), &settings);
    assert_eq!((chat.shown.len(), chat.kept.len()), (2, 1));
    assert_eq!(chat.shown[0].1, chat.shown[1].1);
    let again = say(&chat.kept, &due, at(0), &settings);
    assert!(again.iter().all(|step| matches!(step, Step::Nothing { .. })), "{again:?}");
}

#[test]
fn what_stands_is_changed_in_a_storm_as_always() {
    let people = people();
    let settings = settings(&people);
    let mut chat = Chat::default();
    let announced = all(0..9, &heads_up(0, 3));
    chat.tell(&announced, at(0), &settings);
    let mut due = all(0..9, &landed(9, 3));
    due.extend(all(20..40, &landed(9, 3)));
    chat.tell(&due, at(9), &settings);
    assert_eq!(chat.shown.len(), 10);
    assert!(chat.kept.iter().all(|kept| kept.saying.state == State::Closed));
    assert!(chat.shown[..9].iter().all(|(_, message)| message.buttons.is_empty()));
}

#[test]
fn a_wall_that_jumps_makes_no_storm_for_ever() {
    let people = people();
    let settings = settings(&people);
    let mut chat = Chat::default();
    chat.tell(&all(0..12, &landed(0, 3)), at(1_000_000), &settings);
    assert_eq!(say(&chat.kept, &all(12..13, &landed(0, 3)), at(0), &settings).len(), 1);
    let steps = say(&chat.kept, &all(12..13, &landed(0, 3)), at(0), &settings);
    assert!(matches!(&steps[0], Step::Post { saying, .. } if matches!(saying.body, Body::One { .. })));
}

#[test]
fn what_a_storm_overtook_is_not_said_after_a_crash() {
    let people = people();
    let settings = settings(&people);
    let mut due = all(0..12, &heads_up(0, 3));
    due.extend(all(0..12, &told("rewound", 1)));
    let steps = say(&[], &due, at(1), &settings);
    assert_eq!(steps.len(), 13);
    for step in 0..=steps.len() {
        let mut chat = Chat::default();
        chat.carry_out(&steps, at(1), Some(Crash::Before(step)));
        chat.tell(&due, at(1), &settings);
        assert_eq!(chat.shown.len(), 1, "{step}");
    }
}
