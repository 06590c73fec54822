//! What somebody said after the trigger, where commands and questions are both taken: chat, comments.

use std::fmt;

use super::{Command, CommitWord, Context, Problem, Query, Verb, parse};

/// A command or a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Something is to be done.
    Steer(Command),
    /// Something is asked.
    Ask(Query),
}

impl Said {
    /// Reads a text that spells everything out.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::parse_in(text, &Context::NOWHERE)
    }

    /// Reads a text where flow and environment may be left out as far as the context gives them. What
    /// comes of it has them spelled out.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse_in(text: &str, context: &Context) -> Result<Self, Problem> {
        parse::said(text, context, &CommitWord::prefix)
    }

    /// Its verb.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Steer(command) => command.verb(),
            Self::Ask(query) => query.verb(),
        }
    }

    /// Whether every word is sound, so that its text can be stored, shown and read back.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), Problem> {
        match self {
            Self::Steer(command) => command.check(),
            Self::Ask(query) => query.check(),
        }
    }
}

/// The canonical text: one line, and what [`Said::parse`] reads back.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steer(command) => command.fmt(f),
            Self::Ask(query) => query.fmt(f),
        }
    }
}

impl Query {
    /// Reads a question that spells everything out.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match Said::parse(text)? {
            Said::Ask(query) => Ok(query),
            Said::Steer(command) => Err(Problem::OnlySteers { verb: command.verb() }),
        }
    }
}
