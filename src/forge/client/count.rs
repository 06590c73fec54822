//! How many calls there were, by operation and how they ended; `metrics` reads it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How a try of a call ended. Few values, fit for a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// With this HTTP status.
    Status(u16),
    /// Nobody was reached.
    NotSent,
    /// No whole answer came.
    NoAnswer,
    /// The deadline passed.
    TimedOut,
    /// It was not sent, because of a limit.
    Held,
    /// The body was too large.
    TooLarge,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::NotSent => f.write_str("not-sent"),
            Self::NoAnswer => f.write_str("no-answer"),
            Self::TimedOut => f.write_str("timed-out"),
            Self::Held => f.write_str("held"),
            Self::TooLarge => f.write_str("too-large"),
        }
    }
}

/// One line of what was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// What was done.
    pub operation: &'static str,
    /// How it ended.
    pub ended: Ended,
    /// How many times.
    pub times: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<(&'static str, Ended), u64>>);

impl Counts {
    pub(super) fn note(&self, operation: &'static str, ended: Ended) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((operation, ended)).or_default() += 1;
    }

    pub(super) fn read(&self) -> Vec<Counted> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(&(operation, ended), &times)| Counted { operation, ended, times }).collect()
    }
}
