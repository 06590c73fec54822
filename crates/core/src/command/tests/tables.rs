//! Texts and what they are read as.

use std::fmt::Write;

use super::super::{Command, CommitWord, Lasting, Place, Problem, REASON_MAX, Said, TEXT_MAX, Target, VERBS};
use crate::model::{PauseKind, Span};

#[test]
fn the_table_of_verbs_is_in_order_and_its_examples_are_canonical() {
    for (at, row) in VERBS.iter().enumerate() {
        assert_eq!(row.verb as usize, at, "{}", row.word);
        assert_eq!(row.verb.row().word, row.word);
        let said = Said::parse(row.example).unwrap();
        assert_eq!(said.to_string(), row.example);
        assert_eq!(said.verb(), row.verb);
        assert_eq!(matches!(said, Said::Ask(_)), row.reads, "{}", row.word);
        let reason = if let Said::Steer(command) = &said { command.reason() } else { None };
        assert_eq!(reason.is_some(), row.needs_reason, "{}", row.word);
        assert!(!(row.reads && row.steers));
        assert!(row.usage.starts_with(row.word) && row.example.starts_with(row.word));
        assert_eq!(row.usage.contains("--reason"), row.needs_reason);
        for flag in row.flags {
            assert!(row.usage.contains(&flag.to_string()), "{}: {flag}", row.usage);
        }
    }
}

#[test]
fn a_verb_that_says_why_refuses_not_to() {
    for row in VERBS.iter().filter(|row| row.needs_reason) {
        let without = row.example.split(" --reason").next().unwrap();
        let missing = Err(Problem::ReasonMissing { verb: row.verb });
        for text in [without.to_owned(), format!("{without} --reason ''"), format!("{without} --reason=\" \\n\"")] {
            assert_eq!(Command::parse(&text), missing, "{text}");
        }
    }
}

/// Texts on the left, their canonical form on the right.
#[test]
fn the_same_in_other_words() {
    for (text, canonical) in [
        ("pause all --until 18:00 --reason x", r#"pause all --until 18:00 --reason "x""#),
        ("  Pause\u{a0}ALL\n--Reason=x\t--UNTIL=Resumed ", r#"pause all --until resumed --reason "x""#),
        ("pause --for 90m production --reason 'x'", r#"pause production --for 1h30m --reason "x""#),
        ("pause a --for 2H --reason x", r#"pause a --for 2h --reason "x""#),
        ("pause a --for '1d 2h' --reason x", r#"pause a --for 1d2h --reason "x""#),
        ("pause a --until tomorrow 9:00 --reason x", r#"pause a --until "tomorrow 09:00" --reason "x""#),
        ("pause --until=mon 09:00 a b --reason x", r#"pause a b --until "mon 09:00" --reason "x""#),
        ("pause --until mon a --reason x", r#"pause a --until mon --reason "x""#),
        ("pause a --until 2026-12-24t00:00 --reason x", r#"pause a --until 2026-12-24T00:00 --reason "x""#),
        ("pause a --until '2026-12-24 00:00' --reason x", r#"pause a --until 2026-12-24T00:00 --reason "x""#),
        ("pause a --until 2026-12-24 00:00 --reason x", r#"pause a --until 2026-12-24T00:00 --reason "x""#),
        // Telephones.
        ("Pause Production —for 2h —reason “it’s on fire”", r#"pause production --for 2h --reason "it’s on fire""#),
        ("pause a –reason=„tak”", r#"pause a --reason "tak""#),
        ("pause a --reason ‘don’t touch’", r#"pause a --reason "don’t touch""#),
        ("pause a --reason 'don't touch'", r#"pause a --reason "don't touch""#),
        ("pause a --reason ”x”", r#"pause a --reason "x""#),
        ("pause a --reason don't", r#"pause a --reason "don't""#),
        // The ends of sentences, and names copied out of ours.
        ("Resume Production.", "resume production"),
        ("resume `checkout` `production`!", "resume checkout production"),
        ("approve a b `3F9C2D1`.", "approve a b 3f9c2d1"),
        ("pause a --reason \"x\".", r#"pause a --reason "x""#),
        ("pause a --reason “x”, --for 2h.", r#"pause a --for 2h --reason "x""#),
        ("pause a --until resumed. --reason x.", r#"pause a --until resumed --reason "x.""#),
        ("pause a --reason 'yes', she said'", r#"pause a --reason "yes', she said""#),
        ("report a 3f9c2d1 build. success.", "report a 3f9c2d1 build. success"),
        ("resume\u{2060}a\u{200e}", "resume a"),
        // Escapes.
        (
            r#"pause a --reason "say \"no\" \\ \n \$5 C:\dir \u{1F6A2} \u{} \u{110000} \u1""#,
            r#"pause a --reason "say \"no\" \\ \n \$5 C:\\dir 🚢 \\u{} \\u{110000} \\u1""#,
        ),
        ("pause a --reason \"one\ntwo\u{202e}\"", r#"pause a --reason "one\ntwo\u{202e}""#),
        ("pause a --reason \"--for\" --for 2h", r#"pause a --for 2h --reason "--for""#),
        ("pause a --reason=--for --for 2h", r#"pause a --for 2h --reason "--for""#),
        // Words.
        ("hold 3F9C2D1A --reason x", r#"hold 3f9c2d1a --reason "x""#),
        ("promote a b TO 3f9c2d1 --reason x", r#"promote a b to 3f9c2d1 --reason "x""#),
        ("override CI a b 3f9c2d1 --reason x", r#"override ci a b 3f9c2d1 --reason "x""#),
        ("report a 3f9c2d1 'build / test' SUCCESS", r#"report a 3f9c2d1 "build / test" success"#),
        ("report a 3f9c2d1 '-x' pending --ref refs/heads/a/b", r#"report a 3f9c2d1 "-x" pending --ref a/b"#),
        (
            "report a 3f9c2d1 t failure --url 'https://x.example/?a=1&b=2'",
            r#"report a 3f9c2d1 t failure --url "https://x.example/?a=1&b=2""#,
        ),
    ] {
        let command = Command::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(command.to_string(), canonical, "{text}");
        assert_eq!(Command::parse(canonical), Ok(command), "{text}");
    }
}

#[test]
fn targets_and_places() {
    let pause = |text: &str| match Command::parse(&format!("pause {text} --reason x")) {
        Ok(Command::Pause { kind: PauseKind::Pause, target, until: Lasting::Default, .. }) => target,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(pause("all"), Target::All);
    assert_eq!(pause("shop/checkout"), Target::One("shop/checkout".into()));
    assert_eq!(pause("checkout production"), Target::Edge("checkout".into(), "production".into()));
    let hold = |text: &str| match Command::parse(&format!("hold 3f9c2d1 {text} --reason x")) {
        Ok(Command::Hold { place, .. }) => place,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(hold(""), Place::Everywhere);
    assert_eq!(hold("all"), Place::Everywhere);
    assert_eq!(hold("checkout"), Place::Flow("checkout".into()));
    assert_eq!(hold("checkout production"), Place::Edge("checkout".into(), "production".into()));
}

#[test]
fn commits_by_prefix_and_by_label() {
    let (least, most) = ("a".repeat(7), "b".repeat(40));
    assert_eq!(CommitWord::prefix("ABCDEF0").unwrap().as_str(), "abcdef0");
    assert!(!CommitWord::prefix(&least).unwrap().is_whole());
    assert!(CommitWord::prefix(&most).unwrap().is_whole());
    for word in ["", "abcdef", &"b".repeat(41), "abcdefg", "HEAD", "--reason", "abcdef０"] {
        assert_eq!(CommitWord::prefix(word), None, "{word}");
    }
    let labelled = Command::parse_with("approve checkout production c3", &CommitWord::label).unwrap();
    assert_eq!(labelled.to_string(), "approve checkout production c3");
    assert_eq!(Command::parse("approve checkout production c3"), Err(Problem::BadCommit { word: "c3".into() }));
}

#[test]
fn limits() {
    let pause = |reason: &str| Command::parse(&format!("pause a --reason \"{reason}\""));
    assert!(pause(&"é".repeat(REASON_MAX)).is_ok());
    assert_eq!(pause(&"é".repeat(REASON_MAX + 1)), Err(Problem::ReasonTooLong { chars: REASON_MAX + 1 }));
    let padded = format!("pause a --reason x{}", " ".repeat(TEXT_MAX));
    assert_eq!(Command::parse(&padded), Err(Problem::TooLong { chars: padded.len() }));
    assert!(Command::parse(&padded[..TEXT_MAX]).is_ok());
    // What would be too long once written out is refused rather than stored unreadable.
    assert!(matches!(pause(&"\u{e0001}".repeat(REASON_MAX)), Err(Problem::TooLong { .. })));
    assert!(Command::parse(&format!("pause {} --reason x", "a".repeat(256))).is_err());
    let span = |ms| Command::Pause {
        kind: PauseKind::Pause,
        target: Target::All,
        until: Lasting::For(Span::from_ms(ms)),
        reason: "x".into(),
    };
    assert_eq!(span(0).check(), Err(Problem::NoTime));
    assert_eq!(span(1).check(), Ok(()));
    assert!(span(Span::MAX_MS + 1).check().is_err());
}

/// At least one text for every kind of problem.
const WRONG: &[&str] = &[
    // Verbs.
    "",
    " \u{a0}\n",
    "puase production",
    "rolback a b",
    "unpause production",
    "release 3f9c2d1",
    "deploy a b",
    "frobnicate",
    "help",
    "status production",
    "stauts",
    "why",
    "--reason x",
    "\u{1b}[31mpause",
    "pausepausepausepausepausepausepausepausepausepausepausepausepausepause",
    // Words.
    "pause --reason x",
    "hold",
    "approve checkout",
    "approve checkout production",
    "override",
    "override ci a b --reason x",
    "retry a b c",
    "resume a b c",
    "pause a b c --reason x",
    "pause a it is broken",
    "promote a b 3f9c2d1 --reason x",
    "promote a b at 3f9c2d1 --reason x",
    "promote a b to --reason x",
    "pause all production --reason x",
    "hold 3f9c2d1 all production --reason x",
    "pause production.. . --reason x",
    "promote to 3f9c2d1 --reason x",
    "promote a to 3f9c2d1 --reason x",
    "pause prod*ction --reason x",
    "approve a <b> 3f9c2d1",
    "approve a b c3",
    "approve a b 3f9c2d",
    // Gates and states.
    "override migratoins a b 3f9c2d1 --reason x",
    "override aprovals a b 3f9c2d1 --reason x",
    "override soak a b 3f9c2d1 --reason x",
    "override holds a b 3f9c2d1 --reason x",
    "override freeze a b 3f9c2d1 --reason x",
    "override pause a b 3f9c2d1 --reason x",
    "override divergence a b 3f9c2d1 --reason x",
    "report a 3f9c2d1 build green",
    "report a 3f9c2d1 build succes",
    "report a 3f9c2d1 build maybe",
    "report a 3f9c2d1 build",
    "report a 3f9c2d1 '' success",
    "report a 3f9c2d1 \"a\\u{0}\" success",
    "report a 3f9c2d1 b success --ref 'a b'",
    "report a 3f9c2d1 b success --ref refs/tags/v1",
    "report a 3f9c2d1 b success --url javascript:alert(1)",
    "report a 3f9c2d1 b success --url https://u:secret@x.example",
    // Our own name is taken off once, and is no command.
    "towpath",
    "/towpath",
    "towpath towpath status",
    "/deploy status",
    // Flags.
    "pause a --reson x",
    "pause a -r x",
    "pause a --because x",
    "resume a --reason x",
    "pause a --reason x --reason y",
    "pause a --reason",
    "pause a --for --reason x",
    "pause a --for 2h --until 18:00 --reason x",
    "pause a --reason it is broken",
    "pause --",
    "pause a --for soon --reason x",
    "pause a --for 0s --reason x",
    "pause a --for 11y --reason x",
    "pause a --for 9999d --reason x",
    "pause a --until soon --reason x",
    "pause a --until 25:00 --reason x",
    "pause a --until '' --reason x",
    // Quotes and reasons.
    "pause a --reason \"x",
    "pause a --reason \"say \"no\" now\"",
    "pause a --reason “x",
    "pause a",
    "rollback a b --reason ' '",
    "pause a --reason \"\u{1b}[31m\"",
];

/// The snapshot is for reading.
#[test]
fn problems_say_what_where_and_what_instead() {
    let mut said = String::new();
    for text in WRONG {
        let problem = Command::parse(text).expect_err(text);
        writeln!(said, "{}\n    {problem}", text.escape_debug()).unwrap();
    }
    insta::assert_snapshot!(said);
}
