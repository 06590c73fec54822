//! Windows and schedules (types first; the module is being written).

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::model::{Instant, Span};

/// `gates.window`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    allow: Vec<String>,
    deny: Vec<String>,
    zone: Tz,
}

/// Which list of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// `allow`.
    Allow,
    /// `deny`.
    Deny,
}

impl Windows {
    /// Parses both lists.
    ///
    /// # Errors
    /// Every problem: list, index, sentence.
    pub fn parse(allow: &[String], deny: &[String], zone: Tz) -> Result<Self, Vec<(Which, usize, String)>> {
        Ok(Self { allow: allow.to_vec(), deny: deny.to_vec(), zone })
    }

    /// Whether entry is open.
    pub fn is_open(&self, _at: Instant) -> bool {
        true
    }

    /// The next opening.
    pub fn next_opening(&self, _at: Instant) -> Option<Instant> {
        None
    }

    /// The next closing.
    pub fn next_closing(&self, _at: Instant) -> Option<Instant> {
        None
    }
}

/// `gates.schedule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    cron: String,
    catch_up: Span,
    zone: Tz,
}

impl Schedule {
    /// Parses a five-field cron.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(cron: &str, catch_up: Option<Span>, zone: Tz) -> Result<Self, String> {
        Ok(Self { cron: cron.to_owned(), catch_up: catch_up.unwrap_or(Span::from_mins(10)), zone })
    }

    /// The slot that is open.
    pub fn slot(&self, _at: Instant) -> Option<Instant> {
        None
    }

    /// The next slot.
    pub fn next_slot(&self, _at: Instant) -> Option<Instant> {
        None
    }
}
