//! One word for each kind of event: what routing in the config names, and what programs read.
//!
//! Not here: sentences (`explain`), and who is told (`tell` of the root package).

use super::ledger::{Event, MoveKind};

impl Event {
    /// Every word, in the order in which people would look for them.
    pub const WORDS: [&'static str; 17] = [
        "promoted",
        "rolled-back",
        "moved-by-hand",
        "rewound",
        "put-back",
        "withdrawn",
        "refused",
        "called-off",
        "proposed",
        "overtaken",
        "behind",
        "caught-up",
        "blocked",
        "unblocked",
        "pause-ends",
        "heads-up",
        "taken-back",
    ];

    /// The word for this one.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Landed { kind: MoveKind::FastForward, .. } => "promoted",
            Self::Landed { kind: MoveKind::Rollback, .. } => "rolled-back",
            Self::Moved { .. } => "moved-by-hand",
            Self::Rewound { .. } => "rewound",
            Self::PutBack { .. } => "put-back",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Refused { .. } => "refused",
            Self::CalledOff { .. } => "called-off",
            Self::Proposed { .. } => "proposed",
            Self::Overtaken { .. } => "overtaken",
            Self::Behind { .. } => "behind",
            Self::CaughtUp { .. } => "caught-up",
            Self::Blocked { .. } => "blocked",
            Self::Unblocked { .. } => "unblocked",
            Self::EndsSoon { .. } => "pause-ends",
            Self::HeadsUp { .. } => "heads-up",
            Self::TakenBack { .. } => "taken-back",
        }
    }
}
