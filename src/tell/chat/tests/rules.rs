//! What becomes of each event, by examples.

use super::super::kept::{Body, State};
use super::super::plan::Why;
use super::*;

/// Tells these one after the other, each at its own time, and shows the key, state and count of each message.
fn after(all: &[Told]) -> Vec<String> {
    let people = people();
    let settings = settings(&people);
    let mut chat = Chat::default();
    for (n, told) in all.iter().enumerate() {
        chat.tell(&[due(&format!("n{n}"), told)], told.at(), &settings);
    }
    let row = |kept: &Kept| {
        let saying = &kept.saying;
        let newest = match &saying.body {
            Body::One { newest, .. } => newest.notice.event.clone(),
            Body::Storm(_) => "storm".to_owned(),
        };
        format!("{} | {} | ×{} | {newest}", saying.key, saying.state.word(), saying.count)
    };
    chat.kept.iter().map(row).collect()
}

const PROMOTION: &str = "promotion shop/checkout production";

#[test]
fn a_promotion_is_one_message_from_heads_up_to_landing() {
    assert_eq!(after(&[heads_up(0, 3)]), [format!("{PROMOTION} | open | ×1 | heads-up")]);
    assert_eq!(after(&[heads_up(0, 3), heads_up(5, 4)]), [format!("{PROMOTION} | open | ×1 | heads-up")]);
    let one = [format!("{PROMOTION} | closed | ×1 | promoted")];
    assert_eq!(after(&[heads_up(0, 3), heads_up(5, 4), landed(9, 4)]), one);
    // The beginning of what was announced.
    assert_eq!(after(&[heads_up(0, 5), landed(9, 3)]), one);
    // Never announced.
    assert_eq!(after(&[landed(9, 4)]), one);
    let by_hand = Told { notice: landed(9, 3).notice, ..told("moved-by-hand", 9) };
    let by_hand =
        Told { notice: Notice { event: "moved-by-hand".to_owned(), ..by_hand.notice.clone() }, ..by_hand };
    assert_eq!(after(&[heads_up(0, 3), by_hand]), [format!("{PROMOTION} | closed | ×1 | moved-by-hand")]);
}

fn taken_back(minute: i64, newest: u8) -> Told {
    let mut told = told("taken-back", minute);
    told.notice.new = Some(commit(newest));
    told
}

#[test]
fn what_was_stopped_ends_its_announcement_and_what_comes_is_another_message() {
    let back = format!("{PROMOTION} | closed | ×1 | taken-back");
    let open = format!("{PROMOTION} | open | ×1 | heads-up");
    let closed = format!("{PROMOTION} | closed | ×1 | promoted");
    assert_eq!(after(&[heads_up(0, 3), taken_back(5, 3)]), std::slice::from_ref(&back));
    assert_eq!(after(&[heads_up(0, 3), taken_back(5, 3), heads_up(6, 3)]), [back.clone(), open.clone()]);
    assert_eq!(after(&[heads_up(0, 3), taken_back(5, 3), landed(9, 3)]), [back.clone(), closed.clone()]);
    // Of another one, of what came, and of what nobody was told.
    assert_eq!(after(&[heads_up(0, 4), taken_back(5, 3)]), [open]);
    assert_eq!(after(&[heads_up(0, 3), landed(9, 3), taken_back(9, 3)]), [closed]);
    assert_eq!(after(&[taken_back(5, 3)]), [""; 0]);
    // Told late, an announcement that was taken back since is not made.
    assert_eq!(after(&[heads_up(0, 3), taken_back(5, 3), heads_up(4, 3)]), [back]);
}

#[test]
fn what_is_announced_and_stopped_in_one_go_is_not_said() {
    let people = people();
    let mut chat = Chat::default();
    chat.tell(&[due("a", &heads_up(0, 3)), due("b", &taken_back(5, 3))], at(6), &settings(&people));
    assert!(chat.shown.is_empty() && chat.done.len() == 2, "{chat:?}");
}

#[test]
fn what_is_announced_next_is_another_message() {
    let closed = format!("{PROMOTION} | closed | ×1 | promoted");
    let open = format!("{PROMOTION} | open | ×1 | heads-up");
    assert_eq!(after(&[heads_up(0, 3), landed(9, 3), heads_up(20, 5)]), [closed.clone(), open]);
    assert_eq!(after(&[landed(9, 3), landed(20, 5)]), [closed.clone(), closed]);
}

/// What each message says first, and whom it calls.
fn heard(chat: &Chat) -> Vec<String> {
    let said = chat.shown.iter().map(|(_, message)| plain(message));
    let calls =
        |text: &str| text.split('@').skip(1).filter_map(|rest| rest.split(':').next()).map(str::to_owned).collect();
    said.map(|text| {
        let calls: Vec<String> = calls(&text);
        format!("{} | {}", text.lines().next().unwrap_or_default(), calls.join(" "))
    })
    .collect()
}

const NEWER: &str = "A newer message says what goes there now | ";
const UP: &str = "What explain says of heads-up in `production` | ";

/// It moves so many minutes later, or sooner.
fn put_off(mut told: Told, minutes: i64) -> Told {
    let range = told.announced.as_mut().unwrap();
    range.at = Instant(range.at.0 + minutes * MINUTE);
    told
}

#[test]
fn who_joins_late_is_called_in_a_message_of_its_own_and_the_others_are_not_again() {
    let people = people();
    let settings = Settings { mention: Mention::HeadsUp, ..settings(&people) };
    let mut chat = Chat::default();
    let mut tell = |id: &str, told: Told| {
        chat.tell(&[due(id, &told)], told.at(), &settings);
        heard(&chat)
    };
    assert_eq!(tell("a", heads_up(0, 2)), [format!("{UP}ana")]);
    // What Marek wrote joins it; then something of Ana's.
    let both = [NEWER.to_owned(), format!("{UP}marek")];
    assert_eq!(tell("b", put_off(heads_up(5, 3), -5)), both);
    assert_eq!(tell("c", put_off(heads_up(8, 4), -8)), both);
    // Later is no news for who counts on sooner, nor is what a machine wrote.
    assert_eq!(tell("d", heads_up(9, 4)), both);
    let mut bot = heads_up(10, 5);
    bot.announced.as_mut().unwrap().commits[3].authors = vec![Wrote::Bot("renovate[bot]".to_owned())];
    assert_eq!(tell("e", put_off(bot, -1)), both);
    // Ana's commits are taken out and come back.
    let mut less = heads_up(11, 3);
    less.announced.as_mut().unwrap().commits.remove(0);
    assert_eq!(tell("f", put_off(less, -2)), both);
    assert_eq!(tell("g", put_off(heads_up(12, 4), -3)), both);
    // A stranger, whom nobody can call.
    let mut other = heads_up(13, 5);
    other.announced.as_mut().unwrap().commits[0].authors = vec![Wrote::Stranger("Zed".to_owned())];
    let three = [NEWER.to_owned(), NEWER.to_owned(), UP.to_owned()];
    assert_eq!(tell("h", put_off(other, -4)), three);
    // It lands in the last of them.
    let ended = tell("i", landed(14, 5));
    assert_eq!(ended[..2], three[..2]);
    assert!(ended[2].starts_with("What explain says of promoted") && ended.len() == 3, "{ended:?}");
    assert!(chat.kept.iter().all(|kept| kept.saying.state != State::Open));
    assert!(chat.shown[..2].iter().all(|(_, message)| message.buttons.is_empty()));
    // The next promotion calls them again.
    let next = heads_up(40, 3);
    chat.tell(&[due("j", &next)], next.at(), &settings);
    assert_eq!(heard(&chat)[3], format!("{UP}ana marek"));
}

#[test]
fn what_moves_sooner_than_was_said_is_said_in_a_message_of_its_own() {
    let people = people();
    let settings = Settings { mention: Mention::HeadsUp, ..settings(&people) };
    for (minutes, messages) in [(30, 1), (1, 1), (0, 1), (-1, 2), (-20, 2)] {
        let mut chat = Chat::default();
        chat.tell(&[due("a", &heads_up(0, 3))], at(0), &settings);
        // The one is told five minutes after the other.
        chat.tell(&[due("b", &put_off(heads_up(5, 3), minutes - 5))], at(5), &settings);
        let said = heard(&chat);
        assert_eq!(said.len(), messages, "{minutes}: {said:?}");
        if messages == 2 {
            assert_eq!(said, [NEWER.to_owned(), UP.to_owned()], "called already");
        }
    }
}

#[test]
fn a_message_that_takes_the_place_of_another_comes_once_and_whole() {
    let people = people();
    let settings = Settings { mention: Mention::HeadsUp, ..settings(&people) };
    let (first, second) = (heads_up(0, 2), put_off(heads_up(5, 3), -5));
    let begun = || {
        let mut chat = Chat::default();
        chat.tell(&[due("a", &first)], at(0), &settings);
        chat
    };
    // The process dies before anything, and between the two.
    for step in 0..=2 {
        let mut chat = begun();
        let steps = say(&chat.kept, &[due("b", &second)], at(5), &settings);
        assert_eq!(steps.iter().map(|step| step.covers().len()).collect::<Vec<_>>(), [0, 1]);
        chat.carry_out(&steps, at(5), Some(Crash::Before(step)));
        chat.tell(&[due("b", &second)], at(6), &settings);
        assert_eq!(heard(&chat), [NEWER.to_owned(), format!("{UP}marek")], "{step}");
    }
    // Stopped before anybody saw it: the newer message says how it ended, for the other one points to it.
    let mut chat = begun();
    chat.tell(&[due("b", &second), due("c", &taken_back(6, 3))], at(6), &settings);
    assert_eq!(heard(&chat), [NEWER.to_owned(), "What explain says of taken-back in `production` | ".to_owned()]);
    // Something else came before anybody saw it: nothing newer tells of it.
    let mut chat = begun();
    chat.tell(&[due("b", &second), due("c", &landed(6, 9))], at(6), &settings);
    assert_eq!(heard(&chat)[0], "This did not come as it was announced | ");
    assert_eq!((chat.shown.len(), chat.done.len()), (2, 3));
}

#[test]
fn something_else_leaves_the_announcement_superseded() {
    let superseded = format!("{PROMOTION} | superseded | ×1 | heads-up");
    let closed = format!("{PROMOTION} | closed | ×1 | promoted");
    assert_eq!(after(&[heads_up(0, 3), landed(9, 8)]), [superseded.clone(), closed]);
    let back = "rolled-back shop/checkout production n1 | closed | ×1 | rolled-back".to_owned();
    assert_eq!(after(&[heads_up(0, 3), told("rolled-back", 9)]), [superseded.clone(), back]);
    let rewound = "rewound shop/checkout production | open | ×1 | rewound".to_owned();
    assert_eq!(after(&[heads_up(0, 3), told("rewound", 9)]), [superseded.clone(), rewound]);
    // From yesterday.
    let open = format!("{PROMOTION} | open | ×1 | heads-up");
    assert_eq!(after(&[heads_up(0, 3), heads_up(24 * 60 + 1, 4)]), [superseded, open]);
}

#[test]
fn what_is_late_does_not_undo_what_is_newer() {
    let closed = format!("{PROMOTION} | closed | ×1 | promoted");
    assert_eq!(after(&[landed(9, 3), heads_up(5, 3)]), std::slice::from_ref(&closed));
    let late = "promoted shop/checkout production n1 | closed | ×1 | promoted".to_owned();
    assert_eq!(after(&[landed(9, 3), landed(5, 2)]), [closed, late.clone()]);
    let open = format!("{PROMOTION} | open | ×1 | heads-up");
    assert_eq!(after(&[heads_up(9, 3), landed(5, 2)]), [open, late]);
    let behind = "behind shop/checkout production | closed | ×1 | caught-up".to_owned();
    assert_eq!(after(&[told("caught-up", 9), told("behind", 5)]), [behind]);
    assert_eq!(after(&[told("rolled-back", 9), heads_up(5, 3)]).len(), 1);
}

#[test]
fn the_same_problem_is_one_message_with_a_counter() {
    let refused = |minute| about(told("refused", minute), "c9");
    let open = |n| format!("refused shop/checkout production c9 | open | ×{n} | refused");
    assert_eq!(after(&[refused(0), refused(5), refused(60)]), [open(3)]);
    // One that is told late counts, too.
    assert_eq!(after(&[refused(60), refused(5)]), [open(2)]);
    let other = "refused shop/checkout production c8 | open | ×1 | refused".to_owned();
    assert_eq!(after(&[refused(0), about(told("refused", 5), "c8")]), [open(1), other]);
    let superseded = "refused shop/checkout production c9 | superseded | ×1 | refused".to_owned();
    assert_eq!(after(&[refused(0), refused(24 * 60 + 1)]), [superseded, open(1)]);
}

#[test]
fn a_problem_ends_in_its_own_message() {
    let row = |key: &str, state: &str, n: u32, newest: &str| {
        format!("{key} shop/checkout production | {state} | ×{n} | {newest}").replace("L ", " ")
    };
    let over = row("behind", "closed", 2, "caught-up");
    assert_eq!(after(&[told("behind", 0), told("behind", 5), told("caught-up", 9)]), [over]);
    // Soon again: the same message; much later: another.
    let again = row("behind", "open", 2, "behind");
    assert_eq!(after(&[told("behind", 0), told("caught-up", 9), told("behind", 30)]), [again]);
    let other = [row("behind", "closed", 1, "caught-up"), row("behind", "open", 1, "behind")];
    assert_eq!(after(&[told("behind", 0), told("caught-up", 9), told("behind", 70)]), other);
    assert_eq!(after(&[told("caught-up", 0)]), [row("behind", "closed", 1, "caught-up")]);
    let freed = row("blocked", "closed", 2, "unblocked");
    assert_eq!(after(&[told("blocked", 0), told("blocked", 5), told("unblocked", 9)]), [freed]);
    // Something else stands in the way: other people have to see it.
    let of = |minute, kind: &str| Told { kind: Some(kind.to_owned()), ..told("blocked", minute) };
    let (old, new) = (row("blocked", "superseded", 2, "blocked"), row("blocked", "open", 1, "blocked"));
    assert_eq!(
        after(&[of(0, "check-red build"), of(3, "check-red build"), of(5, "diverged")]),
        [old.clone(), new.clone()]
    );
    let over = row("blocked", "closed", 1, "unblocked");
    assert_eq!(after(&[of(0, "check-red build"), told("unblocked", 9), of(20, "diverged")]), [over.clone(), new]);
    let all = [of(0, "check-red build"), of(3, "check-red build"), of(5, "diverged"), told("unblocked", 9)];
    assert_eq!(after(&all), [old, over]);
    // One is not the end of the other.
    let both = [row("behind", "open", 1, "behind"), row("blocked", "closed", 1, "unblocked")];
    assert_eq!(after(&[told("behind", 0), told("blocked", 1), told("unblocked", 9)]), both);
    let lost = |word: &str, minute, lost: &str| about(told(word, minute), lost);
    let rows = [
        "rewound shop/checkout production a | open | ×1 | rewound",
        "rewound shop/checkout production b | closed | ×1 | put-back",
    ];
    assert_eq!(after(&[lost("rewound", 0, "a"), lost("rewound", 1, "b"), lost("put-back", 2, "b")]), rows);
}

#[test]
fn a_move_to_what_was_refused_ends_that() {
    let nine = commit(9).to_string();
    let refused = about(told("refused", 0), &nine);
    let rows = after(&[refused.clone(), landed(5, 9)]);
    assert_eq!(rows[0], format!("refused shop/checkout production {nine} | closed | ×1 | promoted"));
    assert_eq!(rows[1], format!("{PROMOTION} | closed | ×1 | promoted"));
    assert!(after(&[refused, landed(5, 8)])[0].contains("open"));
}

#[test]
fn pauses_requests_and_unknown_words() {
    let ends = |minute| about(told("pause-ends", minute), "pause all until 7");
    assert_eq!(after(&[ends(0), ends(5)]), ["pause-ends 'pause all until 7' | closed | ×1 | pause-ends"]);
    let proposed = |minute| about(told("proposed", minute), "7");
    assert_eq!(after(&[proposed(0), proposed(5)]), ["proposed shop/checkout production 7 | open | ×1 | proposed"]);
    let rows = after(&[told("of-a-later-version", 0), told("of-a-later-version", 1)]);
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.contains("closed | ×1")), "{rows:?}");
    let twice = after(&[told("rolled-back", 0), told("rolled-back", 1)]);
    assert_eq!(twice.len(), 2, "a rollback is always a message of its own");
}

#[test]
fn what_comes_together_is_said_once() {
    let people = people();
    let settings = settings(&people);
    let all = [due("c", &landed(9, 4)), due("a", &heads_up(0, 3)), due("b", &heads_up(5, 4))];
    let steps = say(&[], &all, at(9), &settings);
    let [Step::Post { saying, covers }] = &*steps else { panic!("{steps:?}") };
    assert_eq!((saying.state, &**covers), (State::Closed, &["a".to_owned(), "b".to_owned(), "c".to_owned()][..]));
    // What nobody saw needs not be taken back.
    let all = [due("a", &heads_up(0, 3)), due("b", &told("rewound", 5))];
    let steps = say(&[], &all, at(9), &settings);
    assert_eq!(steps[0], Step::Nothing { covers: vec!["a".to_owned()], why: Why::Overtaken });
    assert!(matches!(&steps[1], Step::Post { saying, .. } if saying.state == State::Open), "{steps:?}");
}

#[test]
fn a_heads_up_is_not_said_after_its_time() {
    let people = people();
    let settings = settings(&people);
    let why = |kept: &[Kept], now: Instant| match &*say(kept, &[due("a", &heads_up(0, 3))], now, &settings) {
        [Step::Nothing { why, .. }] => Some(*why),
        _ => None,
    };
    let late = Some(Why::TooLate { at: at(30) });
    let just = Instant(at(30).0 - 1);
    assert_eq!([at(0), just, at(30), at(31), at(500)].map(|now| why(&[], now)), [None, None, late, late, late]);
    // Nor where a message stands that says how the last one ended, or is of yesterday.
    let mut chat = Chat::default();
    chat.tell(&[due("l", &landed(-9, 2))], at(-9), &settings);
    assert_eq!([why(&chat.kept, just), why(&chat.kept, at(30))], [None, late]);
    // One that is open is kept true.
    let mut chat = Chat::default();
    chat.tell(&[due("o", &heads_up(-9, 2))], at(-9), &settings);
    assert_eq!(why(&chat.kept, at(30)), None);
    chat.tell(&[due("a", &heads_up(0, 3))], at(31), &settings);
    assert_eq!((chat.shown.len(), chat.kept.len()), (1, 1));
    assert!(plain(&chat.shown[0].1).contains("Change 3"), "{:?}", chat.shown);
    // Put forward before the first was told: neither.
    let sooner = |mut told: Told, minute: i64| {
        told.announced.as_mut().unwrap().at = at(minute);
        told
    };
    let both = [due("a", &heads_up(0, 3)), due("b", &sooner(heads_up(5, 4), 10))];
    let steps = say(&[], &both, at(10), &settings);
    assert!(steps.iter().all(|step| matches!(step, Step::Nothing { .. })) && steps.len() == 2, "{steps:?}");
}

#[test]
fn a_landing_takes_the_buttons_back_before_it_is_told() {
    let people = people();
    let settings = settings(&people);
    let mut chat = Chat::default();
    chat.tell(&[due("a", &heads_up(0, 3))], at(0), &settings);
    assert_eq!(chat.shown[0].1.buttons.len(), 3);
    let steps = say(&chat.kept, &[due("b", &landed(9, 8))], at(9), &settings);
    assert!(matches!(&steps[0], Step::Update { saying, covers, .. }
        if saying.state == State::Superseded && covers.is_empty() && saying.message.buttons.is_empty()));
    assert!(matches!(&steps[1], Step::Post { covers, .. } if *covers == ["b"]));
    assert_eq!(steps.len(), 2);
}

#[test]
fn a_row_of_notices_is_read_as_what_is_told() {
    let plain = told("promoted", 0).notice;
    let json = serde_json::to_string(&plain).unwrap();
    let read: Told = serde_json::from_str(&json).unwrap();
    assert_eq!((read.notice, read.zone, read.announced), (plain.clone(), Tz::UTC, None));
    let full = Told { authors: vec![Wrote::Bot("b".to_owned())], retry: true, ..about(heads_up(0, 3), "x") };
    let json = serde_json::to_string(&full).unwrap();
    assert_eq!(serde_json::from_str::<Told>(&json).unwrap(), full);
    // Whoever looks for the notice finds it.
    assert_eq!(serde_json::from_str::<Notice>(&json).unwrap(), full.notice);
}

#[test]
fn what_a_move_ends_is_said_before_the_move_is_done() {
    let people = people();
    let settings = settings(&people);
    let mut chat = Chat::default();
    chat.tell(&[due("a", &heads_up(0, 9))], at(0), &settings);
    let refused = about(told("refused", 3), &commit(9).to_string());
    let both = [due("b", &refused), due("c", &landed(5, 9))];
    let steps = say(&chat.kept, &both, at(5), &settings);
    assert_eq!(steps.iter().map(Step::covers).collect::<Vec<_>>(), [["b"], ["c"]]);
    chat.carry_out(&steps, at(5), Some(Crash::Before(1)));
    chat.tell(&both, at(6), &settings);
    assert!(chat.kept.iter().all(|kept| kept.saying.state == State::Closed), "{:?}", chat.shown);
}

#[test]
fn of_one_instant_the_end_comes_last() {
    let people = people();
    let settings = settings(&people);
    let nine = commit(9).to_string();
    let refused = about(told("refused", 5), &nine);
    let pairs = [
        (told("caught-up", 5), told("behind", 5)),
        (told("put-back", 5), told("rewound", 5)),
        (landed(5, 3), heads_up(5, 3)),
        (told("rewound", 5), heads_up(5, 3)),
        (told("rolled-back", 5), heads_up(5, 3)),
        (landed(5, 9), refused.clone()),
        (told("rolled-back", 5), refused),
    ];
    for (end, begin) in pairs {
        // Together, with ids in either order; then one by one.
        let states = |goes: &[Vec<Due>]| {
            let mut chat = Chat::default();
            for go in goes {
                chat.tell(go, at(5), &settings);
            }
            let open =
                |kept: &&Kept| kept.saying.state == State::Open && kept.saying.key.as_str().starts_with("rewound");
            let rewound = chat.kept.iter().filter(open).count();
            let all_open = chat.kept.iter().filter(|kept| kept.saying.state == State::Open).count();
            all_open - if end.notice.event == "rewound" { rewound } else { 0 }
        };
        let word = format!("{} {}", end.notice.event, begin.notice.event);
        assert_eq!(states(&[vec![due("a", &end), due("b", &begin)]]), 0, "{word}");
        assert_eq!(states(&[vec![due("b", &end), due("a", &begin)]]), 0, "{word}");
        assert_eq!(states(&[vec![due("a", &begin)], vec![due("b", &end)]]), 0, "{word}");
    }
}
