//! The table of events: one row for each word, against which config, docs, templates and tests are
//! checked. An event without a row does not compile: see [`row`].
//!
//! Not here: what is told of one (`notice`), and its sentence (`explain` of the core).

use serde::{Deserialize, Serialize};
use towpath_core::model::{
    CoAuthor, Coming, CommitId, Event, Instant, MoveKind, PauseKind, Reason, Scope, Verdict, Who,
};

/// How much an event concerns people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look.
    Problem,
    /// Told only to those who ask for it by name.
    Quiet,
}

impl Severity {
    /// The word of each, as configs and notices have it.
    pub const WORDS: [&str; 3] = ["info", "problem", "quiet"];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => Self::WORDS[0],
            Self::Problem => Self::WORDS[1],
            Self::Quiet => Self::WORDS[2],
        }
    }
}

/// One kind of event.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its word, that of [`Event::word`].
    pub word: &'static str,
    /// How much it concerns people.
    pub severity: Severity,
    /// What it means, in one line.
    pub means: &'static str,
    /// One such event.
    pub example: fn() -> Event,
}

/// Every kind of event, in the order of [`Event::WORDS`].
pub const ROWS: [Row; 17] = [
    PROMOTED,
    ROLLED_BACK,
    MOVED,
    REWOUND,
    PUT_BACK,
    WITHDRAWN,
    REFUSED,
    CALLED_OFF,
    PROPOSED,
    OVERTAKEN,
    BEHIND,
    CAUGHT_UP,
    BLOCKED,
    UNBLOCKED,
    PAUSE_ENDS,
    HEADS_UP,
    TAKEN_BACK,
];

/// The row of an event.
pub const fn row(event: &Event) -> &'static Row {
    match event {
        Event::Landed { kind: MoveKind::FastForward, .. } => &PROMOTED,
        Event::Landed { kind: MoveKind::Rollback, .. } => &ROLLED_BACK,
        Event::Moved { .. } => &MOVED,
        Event::Rewound { .. } => &REWOUND,
        Event::PutBack { .. } => &PUT_BACK,
        Event::Withdrawn { .. } => &WITHDRAWN,
        Event::Refused { .. } => &REFUSED,
        Event::CalledOff { .. } => &CALLED_OFF,
        Event::Proposed { .. } => &PROPOSED,
        Event::Overtaken { .. } => &OVERTAKEN,
        Event::Behind { .. } => &BEHIND,
        Event::CaughtUp { .. } => &CAUGHT_UP,
        Event::Blocked { .. } => &BLOCKED,
        Event::Unblocked { .. } => &UNBLOCKED,
        Event::EndsSoon { .. } => &PAUSE_ENDS,
        Event::HeadsUp { .. } => &HEADS_UP,
        Event::TakenBack { .. } => &TAKEN_BACK,
    }
}

/// The row with that word.
pub fn row_of(word: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.word == word)
}

/// Every word whose events are told where nobody says which.
pub fn not_quiet() -> impl Iterator<Item = &'static str> {
    ROWS.iter().filter(|row| row.severity != Severity::Quiet).map(|row| row.word)
}

const PROMOTED: Row = Row {
    word: "promoted",
    severity: Severity::Info,
    means: "Towpath moved an environment's branch forward.",
    example: || Event::Landed { kind: MoveKind::FastForward, old: commit(1), new: commit(2) },
};
const ROLLED_BACK: Row = Row {
    word: "rolled-back",
    severity: Severity::Problem,
    means: "Towpath moved an environment's branch back, because a person ordered it.",
    example: || Event::Landed { kind: MoveKind::Rollback, old: commit(2), new: commit(1) },
};
const MOVED: Row = Row {
    word: "moved-by-hand",
    severity: Severity::Info,
    means: "Somebody else moved an environment's branch forward.",
    example: || Event::Moved { old: commit(1), new: commit(2) },
};
const REWOUND: Row = Row {
    word: "rewound",
    severity: Severity::Problem,
    means: "Somebody else moved an environment's branch other than forward; what it lost is held.",
    example: || Event::Rewound { lost: commit(2), kept: commit(1), hold: Some("rewind-1".into()), paused: true },
};
const PUT_BACK: Row = Row {
    word: "put-back",
    severity: Severity::Info,
    means: "What an environment's branch had lost is there again; it is no longer held.",
    example: || Event::PutBack { lost: commit(2), now: commit(3) },
};
const WITHDRAWN: Row = Row {
    word: "withdrawn",
    severity: Severity::Problem,
    means: "The first environment's branch lost commits.",
    example: || Event::Withdrawn { lost: commit(2), kept: commit(1) },
};
const REFUSED: Row = Row {
    word: "refused",
    severity: Severity::Problem,
    means: "The server refused a push.",
    example: || Event::Refused {
        kind: MoveKind::FastForward,
        new: commit(2),
        words: "remote: error: GH006: Protected branch update failed for \"master\".\nremote: \u{1b}[31m1 of 1"
            .to_owned(),
    },
};
const CALLED_OFF: Row = Row {
    word: "called-off",
    severity: Severity::Problem,
    means: "A rollback that a person ordered was not begun.",
    example: || Event::CalledOff { old: commit(2), new: commit(1), why: Box::new(Reason::Nothing) },
};
const PROPOSED: Row = Row {
    word: "proposed",
    severity: Severity::Quiet,
    means: "A request was opened, or is for a newer commit now.",
    example: || Event::Proposed { number: 7, url: "https://git.example.com/shop/7".to_owned(), head: commit(2) },
};
const OVERTAKEN: Row = Row {
    word: "overtaken",
    severity: Severity::Quiet,
    means: "Somebody else's push went beyond one of ours whose answer was lost.",
    example: || Event::Overtaken { new: commit(2), now: commit(3) },
};
const BEHIND: Row = Row {
    word: "behind",
    severity: Severity::Problem,
    means: "An environment is behind for longer than its alarm.",
    example: || Event::Behind { oldest: commit(2), since: EXAMPLE_AT },
};
const CAUGHT_UP: Row = Row {
    word: "caught-up",
    severity: Severity::Info,
    means: "An environment is no longer behind for longer than its alarm.",
    example: || Event::CaughtUp { oldest: commit(2), since: EXAMPLE_AT },
};
const BLOCKED: Row = Row {
    word: "blocked",
    severity: Severity::Problem,
    means: "An environment has been blocked for longer than its alarm.",
    example: || Event::Blocked {
        commit: Some(commit(2)),
        verdict: Box::new(Verdict::Block {
            why: Reason::CheckRed {
                name: "build \u{1b}[31m`".into(),
                on: Some("develop".into()),
                url: Some("https://ci.example.com/7".to_owned()),
            },
            who: Who::Pushers("develop".into()),
        }),
        since: EXAMPLE_AT,
    },
};
const UNBLOCKED: Row = Row {
    word: "unblocked",
    severity: Severity::Info,
    means: "An environment of which that was told is no longer blocked.",
    example: || Event::Unblocked { since: EXAMPLE_AT },
};
const PAUSE_ENDS: Row = Row {
    word: "pause-ends",
    severity: Severity::Info,
    means: "A pause or freeze is about to end by itself.",
    example: || Event::EndsSoon {
        kind: PauseKind::Pause,
        scope: Scope::All,
        by: "os:ana@laptop".into(),
        reason: "the till says \"no\"".to_owned(),
        until: EXAMPLE_AT,
    },
};
const HEADS_UP: Row = Row {
    word: "heads-up",
    severity: Severity::Info,
    means: "Commits are about to enter an environment by time alone.",
    example: || Event::HeadsUp {
        commits: vec![Coming {
            id: commit(3),
            author: "Marek \"M\" Nowak".to_owned(),
            email: "marek@example.com".to_owned(),
            co_authors: vec![CoAuthor { name: "Ana \u{1b}[1m`".to_owned(), email: "ana@example.com".to_owned() }],
            subject: "Fix invoice \u{1b}[31mrounding".to_owned(),
        }],
        more: 2,
        newest: commit(3),
        old: commit(2),
        at: Instant(EXAMPLE_AT.0 + 600_000),
        instead_of: None,
    },
};

const TAKEN_BACK: Row = Row {
    word: "taken-back",
    severity: Severity::Info,
    means: "What a heads-up announced does not enter as it said.",
    example: || Event::TakenBack {
        newest: commit(3),
        at: Instant(EXAMPLE_AT.0 + 600_000),
        why: Box::new(Reason::Nothing),
    },
};

/// When everything in the examples happens: 2026-11-21T10:00:00Z.
pub const EXAMPLE_AT: Instant = Instant(1_795_255_200_000);

fn commit(n: u8) -> CommitId {
    CommitId::from_bytes([n * 17; 20])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_the_words_and_each_example_is_of_its_row() {
        assert_eq!(ROWS.map(|row| row.word), Event::WORDS);
        for known in &ROWS {
            let event = (known.example)();
            assert_eq!((row(&event).word, event.word()), (known.word, known.word));
            assert_eq!(row_of(known.word).map(|row| row.word), Some(known.word));
            assert!(known.means.ends_with('.') && !known.means.contains('\n'), "{}", known.means);
            assert!(known.word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", known.word);
        }
        assert!(row_of("moved").is_none());
    }

    #[test]
    fn what_is_quiet_is_told_to_none_but_those_who_ask() {
        let quiet: Vec<&str> =
            Event::WORDS.into_iter().filter(|word| !not_quiet().any(|told| told == *word)).collect();
        assert_eq!(quiet, ["proposed", "overtaken"]);
    }
}
