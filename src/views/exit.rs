//! Exit codes: what a script can tell from them.

use std::process::ExitCode;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use towpath_core::model::{Decision, Reason, UnknownWhy, Verdict, Who};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// An error.
    Error = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The forge or the store cannot be reached.
    Unreachable = 3,
    /// This person may not.
    NotPermitted = 4,
    /// Something is ready to move.
    Ready = 10,
    /// Something is blocked.
    Blocked = 11,
    /// Something waits for a person.
    WaitsForPerson = 12,
    /// Something waits for time or CI.
    WaitsForTime = 13,
    /// Something could not be told.
    CannotTell = 14,
}

/// The order in which they win where several hold.
const ORDER: [Exit; 10] = [
    Exit::Unreachable,
    Exit::Error,
    Exit::NotPermitted,
    Exit::Ready,
    Exit::CannotTell,
    Exit::Blocked,
    Exit::WaitsForPerson,
    Exit::WaitsForTime,
    Exit::Usage,
    Exit::Done,
];

impl Exit {
    /// The word for it in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Error => "error",
            Self::Usage => "usage",
            Self::Unreachable => "unreachable",
            Self::NotPermitted => "not-permitted",
            Self::Ready => "ready",
            Self::Blocked => "blocked",
            Self::WaitsForPerson => "waits-for-person",
            Self::WaitsForTime => "waits-for-time",
            Self::CannotTell => "cannot-tell",
        }
    }

    /// The first that holds.
    pub fn worst(exits: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| ORDER.iter().position(|o| o == exit).unwrap_or(ORDER.len());
        exits.into_iter().min_by_key(rank).unwrap_or(Self::Done)
    }

    /// What a decision amounts to.
    pub fn of(decision: &Decision) -> Self {
        if let Reason::Unknown(unknown) = decision.verdict.why() {
            return match unknown.why {
                UnknownWhy::Unreachable { .. }
                | UnknownWhy::Limited { .. }
                | UnknownWhy::TimedOut { .. }
                | UnknownWhy::CredentialsRefused { .. }
                | UnknownWhy::TokenRefused { .. }
                | UnknownWhy::TokenUnusable { .. }
                | UnknownWhy::NotTrusted { .. } => Self::Unreachable,
                _ => Self::CannotTell,
            };
        }
        match &decision.verdict {
            Verdict::Pass { .. } if decision.action.is_some() => Self::Ready,
            Verdict::Pass { .. } => Self::Done,
            Verdict::Block { .. } => Self::Blocked,
            Verdict::Wait { on: Who::Person(_) | Who::Approvers(_) | Who::Pushers(_), until: None, .. } => {
                Self::WaitsForPerson
            }
            Verdict::Wait { .. } => Self::WaitsForTime,
        }
    }

    /// Without `--detailed-exitcode` only 0 to 4 are told apart.
    #[must_use]
    pub const fn coarse(self) -> Self {
        match self {
            Self::Ready | Self::Blocked | Self::WaitsForPerson | Self::WaitsForTime | Self::CannotTell => {
                Self::Done
            }
            other => other,
        }
    }
}

impl Exit {
    /// The one with that number.
    pub fn from_number(number: u8) -> Option<Self> {
        ORDER.into_iter().find(|exit| *exit as u8 == number)
    }
}

/// As its number.
impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

impl<'de> Deserialize<'de> for Exit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Self::from_number(number).ok_or_else(|| serde::de::Error::custom(format!("{number} is no exit code")))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
