//! Messages as people read them.

use towpath_core::command::{Command, Said};
use towpath_core::model::{EnvName, FlowName, Scope};

use super::super::buttons;
use super::super::words::{is_page, time};
use super::*;
use crate::chat::message::{ButtonStyle, Line, LineKind, Press};

/// What is said of these, told one after the other: the newest message.
fn message(all: &[Told]) -> Message {
    let people = people();
    let settings = settings(&people);
    let mut chat = Chat::default();
    for (n, told) in all.iter().enumerate() {
        chat.tell(&[due(&format!("n{n}"), told)], told.at(), &settings);
    }
    chat.shown.pop().unwrap().1
}

fn pressed(message: &Message) -> Vec<String> {
    let press = |press: &Press| match press {
        Press::Say(text) => text.clone(),
        Press::Confirm { command, .. } => format!("confirm {command}"),
        Press::HoldMine { flow, env, newest } => format!("hold mine {flow} {env} {}", newest.short()),
    };
    message.buttons.iter().map(|button| press(&button.press)).collect()
}

#[test]
fn a_heads_up_reads_like_this() {
    let mut told = heads_up(0, 5);
    told.compare = Some("https://git.example.com/shop/compare/1...5".to_owned());
    let range = told.announced.as_mut().unwrap();
    range.more = 7;
    let said = message(&[told]);
    let wanted = "What explain says of heads-up in `production`\n\
        *production* of *shop/checkout* · 11 commits · Sat 21 Nov 2026 11:30 CET\n\
        ana — `020202020` Change 2 · `040404040` Change 4\n\
        @marek:UMAREK — `030303030` Change 3 · `050505050` Change 5\n\
        and 7 more\n\
        Compare (https://git.example.com/shop/compare/1...5)\n\
        [Hold mine][Promote now][Why?]";
    assert_eq!(plain(&said), wanted);
    let kinds: Vec<LineKind> = said.lines.iter().map(|line| line.kind).collect();
    use LineKind::{Heading, Item, Small, Text};
    assert_eq!(kinds, [Heading, Text, Item, Item, Small, Small]);
    let five = commit(5);
    let promote = format!("promote shop/checkout production to {five} --reason \"pressed Promote now in a chat\"");
    let hold = format!("hold mine shop/checkout production {}", five.short());
    assert_eq!(pressed(&said), [hold, promote, "explain shop/checkout production".to_owned()]);
    assert_eq!(said.buttons.iter().map(|b| b.style).filter(|s| *s == ButtonStyle::Primary).count(), 1);
    assert_eq!(said.buttons.iter().map(|b| b.confirm.is_some()).collect::<Vec<_>>(), [true, true, false]);
    assert!(
        said.buttons[1]
            .confirm
            .as_ref()
            .unwrap()
            .starts_with("Moves 050505050 into production of shop/checkout now.")
    );
}

#[test]
fn what_its_heading_says_is_not_said_again() {
    let mut told = heads_up(0, 4);
    told.heading =
        Some("At Sat 21 Nov 2026 11:30 CET, 4 commits of `shop/checkout` go to `production` (`master`)".to_owned());
    told.to_stop = Some("To stop one: `towpath hold SHA shop/checkout production --reason 'WHY'`".to_owned());
    told.notice.text = "never shown".to_owned();
    told.paused = vec!["paused by `ana`".to_owned()];
    let range = told.announced.as_mut().unwrap();
    range.more = 1;
    let person = |name: &str| Wrote::Person(name.to_owned());
    range.commits[0].authors = vec![person("ana"), person("marek"), Wrote::Stranger("Z*e".to_owned())];
    range.commits[1].authors = vec![person("ana")];
    range.commits[2].authors = (0..9).map(|n| Wrote::Stranger(format!("S{n}"))).collect();
    let said = message(&[told]);
    let wanted = "In 30 min, at Sat 21 Nov 2026 11:30 CET, 4 commits of `shop/checkout` go to `production` (`master`)\n\
        ⏸ paused by `ana`\n\
        ana with @marek:UMAREK, Z*e — `020202020` Change 2\n\
        ana — `030303030` Change 3\n\
        S0 with S1, S2, S3, S4 and 4 more — `040404040` Change 4\n\
        and 1 more\n\
        To stop one: `towpath hold SHA shop/checkout production --reason 'WHY'`\n\
        [Hold mine][Promote now][Why?]";
    assert_eq!(plain(&said), wanted);
    let short = "In 30 min, at Sat 21 Nov 2026 11:30 CET, 4 commits of shop/checkout go to production (master): ana with marek, Z*e \
        — 020202020 Change 2 · ana — 030303030 Change 3 · S0 with S1, S2, S3, S4 and 4 more — 040404040 Change 4 · and 1 \
        more";
    assert_eq!(said.in_short.as_deref(), Some(short));
    let landed = message(&[heads_up(0, 3), landed(31, 3)]);
    assert_eq!(landed.in_short, None);
}

#[test]
fn how_long_it_is_until_then_is_said_by_what_is_posted_and_not_by_what_is_changed() {
    let at = |minute, seconds: i64| {
        let mut told = heads_up(minute, 3);
        told.heading = Some("At Sat 21 Nov 2026 11:30 CET, 2 commits go".to_owned());
        told.announced.as_mut().unwrap().at = Instant(told.notice.at_ms + seconds * 1_000);
        told
    };
    let first = |all: &[Told]| plain(&message(all)).lines().next().unwrap_or_default().to_owned();
    for (seconds, wanted) in [
        (600, "In 10 min, at Sat 21 Nov 2026 11:30 CET, 2 commits go"),
        (590, "In 10 min, at Sat 21 Nov 2026 11:30 CET, 2 commits go"),
        (61, "In 1 min, at Sat 21 Nov 2026 11:30 CET, 2 commits go"),
        (20, "In less than a minute, at Sat 21 Nov 2026 11:30 CET, 2 commits go"),
        (26 * 3_600, "In 26 h, at Sat 21 Nov 2026 11:30 CET, 2 commits go"),
    ] {
        assert_eq!(first(&[at(0, seconds)]), wanted);
    }
    // Changed a minute later, as it is put off: when that was nobody sees.
    assert_eq!(first(&[at(0, 600), at(1, 900)]), "At Sat 21 Nov 2026 11:30 CET, 2 commits go");
}

#[test]
fn who_wrote_what_moved_is_called_who_wants_to_be_and_named_once() {
    let mut came = landed(31, 3);
    came.authors = ["ana", "zoe"].map(|name| Wrote::Person(name.to_owned())).to_vec();
    came.authors.push(Wrote::Stranger("Z".to_owned()));
    let said = plain(&message(std::slice::from_ref(&came)));
    assert!(said.contains("\nWritten by ana, @zoe:UZOE, Z\n"), "{said}");
    // Its announcement names them by their commits.
    let said = plain(&message(&[heads_up(0, 3), came]));
    assert!(!said.contains("Written by") && said.contains("Change 2"), "{said}");
    let said = plain(&message(&[heads_up(0, 5), { landed(31, 3) }]));
    assert!(!said.contains("Written by"), "nobody knows: {said}");
}

#[test]
fn ten_commits_are_named() {
    let said = plain(&message(&[heads_up(0, 14)]));
    assert!(said.contains("· 13 commits ·") && said.contains("\nand 3 more\n"), "{said}");
    assert_eq!(said.matches("Change ").count(), 10);
    let said = plain(&message(&[heads_up(0, 11)]));
    assert!(said.contains("· 10 commits ·") && !said.contains("more"), "{said}");
    assert!(plain(&message(&[heads_up(0, 2)])).contains("· 1 commit ·"));
}

#[test]
fn what_landed_is_named_in_the_same_message() {
    let said = message(&[heads_up(0, 3), landed(31, 3)]);
    let wanted = "What explain says of promoted in `production`\n\
        *production* of *shop/checkout* · 2 commits · Sat 21 Nov 2026 11:31 CET\n\
        ana — `020202020` Change 2\nmarek — `030303030` Change 3\n";
    assert_eq!(plain(&said), wanted);
    // Which of them came is not known.
    let said = plain(&message(&[heads_up(0, 5), landed(31, 3)]));
    assert!(!said.contains("Change") && !said.contains("commits"), "{said}");
    // Unless it says so itself.
    let own = Told { announced: heads_up(0, 3).announced, ..landed(31, 3) };
    assert!(plain(&message(&[heads_up(0, 5), own])).contains("Change 3"));
}

#[test]
fn a_problem_reads_like_this_then_counts_and_ends() {
    let mut refused = about(told("refused", 0), &commit(9).to_string());
    refused.notice.text =
        "The push of `090909090` to `master` was refused. The server said:\n> no `luck\n> today".to_owned();
    refused.notice.url = Some("https://towpath.example.com/flows/checkout".to_owned());
    refused.authors = vec![Wrote::Person("ana".to_owned()), Wrote::Stranger("Bob".to_owned())];
    refused.retry = true;
    let mut again = refused.clone();
    again.notice.at_ms += HOUR;
    let said = message(&[refused.clone(), again.clone()]);
    let wanted = "The push of `090909090` to `master` was refused. The server said:\n> no `luck\n> today\n\
        *production* of *shop/checkout* · Sat 21 Nov 2026 11:00 CET · ×2, last Sat 21 Nov 2026 12:00 CET\n\
        Written by @ana:UANA, Bob\n\
        Details (https://towpath.example.com/flows/checkout)\n[Why?][Retry]";
    assert_eq!(plain(&said), wanted);
    assert_eq!(pressed(&said), ["explain shop/checkout production", "retry shop/checkout production"]);
    let people = people();
    let mut chat = Chat::default();
    chat.tell(&[due("a", &refused)], at(0), &settings(&people));
    chat.tell(&[due("b", &landed(70, 9))], at(70), &settings(&people));
    let wanted = "What explain says of promoted in `production`\n\
        *production* of *shop/checkout* · Sat 21 Nov 2026 12:10 CET\n\
        The push of `090909090` to `master` was refused. The server said:\n";
    assert_eq!(plain(&chat.shown[0].1), wanted);
}

#[test]
fn buttons_are_where_they_can_do_something() {
    let labels = |told: &Told| {
        message(std::slice::from_ref(told)).buttons.into_iter().map(|button| button.label).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    for word in
        ["promoted", "moved-by-hand", "caught-up", "unblocked", "put-back", "withdrawn", "proposed", "overtaken"]
    {
        assert_eq!(labels(&told(word, 0)), none, "{word}");
    }
    for word in ["behind", "blocked", "rewound", "called-off", "rolled-back", "refused"] {
        assert_eq!(labels(&told(word, 0)), ["Why?"], "{word}");
    }
    assert_eq!(labels(&Told { retry: true, ..told("refused", 0) }), ["Why?", "Retry"]);
    assert_eq!(labels(&told("pause-ends", 0)), none);
    let scopes = [
        (Scope::All, "resume all"),
        (Scope::Flow("shop/checkout".into()), "resume shop/checkout"),
        (Scope::Environment("production".into()), "resume production"),
        (Scope::Edge("shop/checkout".into(), "production".into()), "resume shop/checkout production"),
    ];
    for (scope, wanted) in scopes {
        let said = message(&[Told { resume: Some(scope), ..told("pause-ends", 0) }]);
        assert_eq!(pressed(&said), [wanted]);
        assert!(said.buttons[0].confirm.is_some());
    }
    // One that could not be read back is not there.
    for scope in
        [Scope::Flow(FlowName::new("a b")), Scope::Environment(EnvName::new("--all")), Scope::Flow("all".into())]
    {
        let said = message(&[Told { resume: Some(scope.clone()), ..told("pause-ends", 0) }]);
        assert_eq!(said.buttons, [], "{scope:?}");
    }
}

#[test]
fn the_reason_of_a_button_is_a_reason() {
    let said = message(&[heads_up(0, 3)]);
    let Press::Say(text) = &said.buttons[1].press else { panic!("{said:?}") };
    let Ok(Said::Steer(Command::Promote { reason, .. })) = Said::parse(text) else { panic!("{text}") };
    assert_eq!(reason, buttons::REASON);
}

#[test]
fn times_are_absolute_with_the_zones_name() {
    let summer = Instant(START - 150 * 24 * HOUR);
    assert_eq!(time(Instant(START), Tz::UTC), "Sat 21 Nov 2026 10:00 UTC");
    assert_eq!(time(Instant(START), Tz::America__New_York), "Sat 21 Nov 2026 05:00 EST");
    assert_eq!(time(summer, Tz::Europe__Warsaw), "Wed 24 Jun 2026 12:00 CEST");
    for odd in [i64::MAX, i64::MIN, 300_000_000_000_000] {
        assert!(!time(Instant(odd), Tz::Europe__Warsaw).is_empty());
    }
}

#[test]
fn a_link_is_one_page() {
    for page in ["https://a.example/x?y=1&z=%20#f", "http://a/compare/1...2"] {
        assert!(is_page(page), "{page}");
    }
    for no in [
        "",
        "javascript:alert(1)",
        "https://a|b",
        "https://a>b",
        "https://a b",
        "https://a\nb",
        "https://a)b",
        "https://é",
    ] {
        assert!(!is_page(no), "{no}");
    }
    let mut told = landed(0, 3);
    told.compare = Some("https://a|evil>".to_owned());
    told.notice.url = Some("javascript:alert(1)".to_owned());
    assert!(!plain(&message(&[told])).contains('('));
}

#[test]
fn a_sentence_without_words_has_the_events() {
    let mut told = told("promoted", 0);
    told.notice.text = " \n".to_owned();
    let said = message(&[told]);
    assert_eq!(said.lines[0], Line { kind: LineKind::Heading, spans: vec![Span::Text("promoted".to_owned())] });
}
