//! What holds for every command and for every text.

use chrono::{NaiveDate, Weekday};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::{collection, option, prop_oneof, sample};

use super::super::{Command, CommitWord, Lasting, Place, TEXT_MAX, Target, TimeOfDay, VERBS, When};
use crate::model::{BranchName, CheckName, CiState, GateKind, Instant, PauseKind, Span};

/// Pieces that mean something to the lexer, to the grammar, to a shell or to a terminal.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "“",
    "”",
    "„",
    "‘",
    "’",
    "\\",
    "\\\"",
    "\\n",
    "\\u{1b}",
    "\\u{",
    "{",
    "}",
    "`",
    "$(x)",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\t",
    "\u{a0}",
    "\u{200b}",
    "\u{202e}",
    "\u{feff}",
    "\u{1b}[31m",
    "\0",
    "-",
    "--",
    "—",
    "–",
    "=",
    "--reason",
    "--reason=",
    "--for",
    "--until",
    "--fixed-by=",
    "--ref",
    "--url",
    "2h",
    "0s",
    "18:00",
    "tomorrow",
    "mon 09:00",
    "2026-12-24T00:00",
    "2026-02-30",
    "resumed",
    "all",
    "to",
    "checkout",
    "production",
    "Ünï",
    "🚢",
    "e\u{301}",
    "abc1234",
    "ABCDEF0123",
    "success",
    "pending",
    "ci",
    "lag",
    "https://a.example/?b=c",
    "refs/heads/x",
    "..",
    "@{",
    "é",
];

pub(super) fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        collection::vec(sample::select(PIECES), 0..12).prop_map(|pieces| pieces.concat()),
        any::<String>(),
        "[ -~]{0,40}",
    ]
}

fn sound_reason() -> impl Strategy<Value = String> {
    hostile().prop_map(|text| {
        let kept: String =
            text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')).take(200).collect();
        format!("{kept}x")
    })
}

pub(super) fn sound_name() -> impl Strategy<Value = String> {
    "[a-z0-9._/][a-z0-9._/-]{0,20}".prop_filter("reserved", |word| word != "all" && !word.ends_with('.'))
}

pub(super) fn commit() -> impl Strategy<Value = CommitWord> {
    "[0-9a-fA-F]{7,40}".prop_map(|word| CommitWord::prefix(&word).unwrap())
}

fn time() -> impl Strategy<Value = TimeOfDay> {
    (0u16..24, 0u16..60).prop_map(|(hour, minute)| TimeOfDay::new(hour, minute).unwrap())
}

fn when(years: std::ops::Range<i32>) -> impl Strategy<Value = When> {
    let date = (years, 1u32..366).prop_map(|(year, day)| NaiveDate::from_yo_opt(year, day).unwrap());
    prop_oneof![
        time().prop_map(When::Clock),
        option::of(time()).prop_map(When::Tomorrow),
        (0u8..7, option::of(time())).prop_map(|(day, time)| When::Weekday(Weekday::try_from(day).unwrap(), time)),
        (date, option::of(time())).prop_map(|(date, time)| When::Date(date, time)),
    ]
}

fn lasting(spans: std::ops::Range<i64>, years: std::ops::Range<i32>) -> impl Strategy<Value = Lasting> {
    prop_oneof![
        Just(Lasting::Default),
        Just(Lasting::UntilResumed),
        spans.prop_map(|ms| Lasting::For(Span::from_ms(ms))),
        when(years).prop_map(Lasting::Until),
    ]
}

fn gate() -> impl Strategy<Value = GateKind> {
    sample::select(&GateKind::ALL[..])
}

fn state() -> impl Strategy<Value = CiState> {
    sample::select(&[CiState::Green, CiState::Red, CiState::Running][..])
}

fn kind() -> impl Strategy<Value = PauseKind> {
    sample::select(&[PauseKind::Pause, PauseKind::Freeze][..])
}

/// Commands made of these words; every kind of command is among them.
fn command<N, R, S>(name: fn() -> N, text: fn() -> R, until: S) -> impl Strategy<Value = Command>
where
    N: Strategy<Value = String> + 'static,
    R: Strategy<Value = String> + 'static,
    S: Strategy<Value = Lasting> + 'static,
{
    let edge = move || (name(), name());
    let target = move || {
        prop_oneof![
            Just(Target::All),
            name().prop_map(Target::One),
            edge().prop_map(|(flow, env)| Target::Edge(flow, env))
        ]
    };
    let place = move || {
        prop_oneof![
            Just(Place::Everywhere),
            name().prop_map(Place::Flow),
            edge().prop_map(|(flow, env)| Place::Edge(flow, env)),
        ]
    };
    prop_oneof![
        (kind(), target(), until, text()).prop_map(|(kind, target, until, reason)| Command::Pause {
            kind,
            target,
            until,
            reason
        }),
        target().prop_map(|target| Command::Resume { target }),
        (commit(), place(), text()).prop_map(|(commit, place, reason)| Command::Hold { commit, place, reason }),
        (commit(), place(), option::of(commit())).prop_map(|(commit, place, fixed_by)| Command::Unhold {
            commit,
            place,
            fixed_by
        }),
        (edge(), commit()).prop_map(|((flow, env), commit)| Command::Approve { flow, env, commit }),
        (edge(), option::of(commit()), text()).prop_map(|((flow, env), to, reason)| Command::Promote {
            flow,
            env,
            to,
            reason
        }),
        (edge(), option::of(commit()), text()).prop_map(|((flow, env), to, reason)| Command::Rollback {
            flow,
            env,
            to,
            reason
        }),
        (gate(), edge(), commit(), text()).prop_map(|(gate, (flow, env), commit, reason)| Command::Override {
            gate,
            flow,
            env,
            commit,
            reason
        }),
        edge().prop_map(|(flow, env)| Command::Retry { flow, env }),
        (name(), commit(), text(), state(), option::of(text()), option::of(text())).prop_map(
            |(flow, commit, check, state, on, url)| Command::Report {
                flow,
                commit,
                name: CheckName::new(check),
                state,
                on: on.map(BranchName::new),
                url,
            }
        ),
    ]
}

/// Every one passes [`Command::check`].
pub(super) fn sound() -> impl Strategy<Value = Command> {
    command(sound_name, sound_reason, lasting(1..Span::MAX_MS, 1970..10_000)).prop_map(|mut command| {
        if let Command::Report { name, on, url, .. } = &mut command {
            *name = CheckName::new(name.as_str().replace(char::is_control, "."));
            if let Some(branch) = on {
                *branch = BranchName::new(
                    branch
                        .as_str()
                        .replace(|c: char| !c.is_alphanumeric() && !"$&;\"'`<>".contains(c), "-")
                        .replace("lock", "l")
                        .trim_start_matches('-'),
                );
            }
            if let Some(link) = url {
                *link = format!(
                    "https://ci.example.com/{}",
                    link.replace(|c: char| c.is_whitespace() || c.is_control(), "")
                );
            }
        }
        command
    })
}

/// Most of them fail it.
fn wild() -> impl Strategy<Value = Command> {
    command(hostile, hostile, lasting(0..i64::MAX, -200..20_000))
}

/// Texts that get past the verb.
pub(super) fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => sample::select(PIECES).prop_map(str::to_owned), 1 => hostile()];
    (sample::select(VERBS), collection::vec(piece, 0..10))
        .prop_map(|(row, pieces)| format!("{} {}", row.word, pieces.join(" ")))
}

/// What holds for a command that passes its check.
fn holds(command: &Command) -> Result<(), proptest::test_runner::TestCaseError> {
    let text = command.to_string();
    prop_assert!(!text.chars().any(char::is_control), "{text:?} is one harmless line");
    prop_assert!(text.chars().count() <= TEXT_MAX);
    let read = Command::parse(&text);
    prop_assert_eq!(read.as_ref(), Ok(command), "{}", text);
    Ok(())
}

proptest! {
    #[test]
    fn a_sound_command_reads_back(command in sound()) {
        prop_assert_eq!(command.check(), Ok(()));
        holds(&command)?;
    }

    #[test]
    fn the_check_lets_through_only_what_reads_back(command in wild()) {
        match command.check() {
            Ok(()) => holds(&command)?,
            Err(problem) => prop_assert!(!problem.to_string().is_empty()),
        }
    }

    #[test]
    fn no_text_panics(text in prop_oneof![hostile(), soup()]) {
        match Command::parse(&text) {
            Ok(command) => {
                prop_assert_eq!(command.check(), Ok(()));
                holds(&command)?;
            }
            Err(problem) => {
                let said = problem.to_string();
                prop_assert!(!said.is_empty());
                prop_assert!(!said.chars().any(char::is_control), "{said:?} is one harmless line");
                prop_assert!(said.chars().count() < 1_000, "{said}");
            }
        }
    }

    #[test]
    fn labels_read_back(label in "[A-Za-z0-9]{1,40}", flow in sound_name(), env in sound_name()) {
        let command = Command::Approve { flow, env, commit: CommitWord::label(&label).unwrap() };
        prop_assert_eq!(Command::parse_with(&command.to_string(), &CommitWord::label), Ok(command));
    }

    #[test]
    fn a_time_reads_back(when in when(1970..10_000)) {
        prop_assert_eq!(When::parse(&when.to_string()), Ok(when));
    }

    #[test]
    fn a_time_is_always_to_come(
        when in when(-200..20_000),
        now in prop_oneof![any::<i64>(), 0..4_000_000_000_000i64],
        zone in sample::select(&chrono_tz::TZ_VARIANTS[..]),
    ) {
        let now = Instant(now);
        if let Ok(at) = when.resolve(now, zone) {
            prop_assert!(at > now);
        }
    }
}
