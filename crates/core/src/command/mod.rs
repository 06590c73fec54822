//! One grammar for every surface: the command line, the API, chat, comments and the scenario files
//! of the tests all build a [`Command`], and what is stored and shown is its [`Display`] text,
//! which [`Command::parse`] reads back to the same value.
//!
//! In chat and in comments one may ask as well: a [`Query`] by the same laws, and [`Said`] is either. What
//! such a place says of itself fills what is left out ([`Context`]).
//!
//! A command holds *words*. Which flow an unqualified name means needs the config, and who may
//! give the command needs to know who is asking; both happen where commands are carried out.
//!
//! [`Display`]: std::fmt::Display

pub mod chat;
pub mod comment;
mod context;
mod fill;
mod lex;
mod near;
mod parse;
mod problem;
mod query;
mod said;
mod show;
#[cfg(test)]
mod tests;
mod verbs;
mod when;
mod words;

use chrono_tz::Tz;

use crate::model::{BranchName, CheckName, CiState, GateKind, Instant, PauseKind, Span, Until};

pub use context::Context;
pub use problem::{Problem, Slot};
pub use query::Query;
pub use said::Said;
pub use verbs::{Fills, Flag, VERBS, Verb, VerbRow};
pub use when::{TimeOfDay, When};
pub use words::{CommitWord, state_word};

/// The longest command text, in characters; also the longest canonical text.
pub const TEXT_MAX: usize = 4_096;
/// The longest reason, in characters.
pub const REASON_MAX: usize = 500;
/// The longest name of a flow, environment, branch or check, in characters.
pub const NAME_MAX: usize = 255;
/// The longest URL, in characters.
pub const URL_MAX: usize = 2_000;

/// Something a person or a script orders or reports.
///
/// Flows and environments are the words that were given, lower-cased: a flow's may be a suffix of
/// its name. A value built by hand is valid when [`Command::check`] says so; a parsed one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Stops automation (pause) or everything (freeze) in a scope.
    Pause {
        /// Which of the two.
        kind: PauseKind,
        /// Where.
        target: Target,
        /// For how long.
        until: Lasting,
        /// Why.
        reason: String,
    },
    /// Lifts pauses and freezes.
    Resume {
        /// Where.
        target: Target,
    },
    /// Stops a commit and everything that contains it.
    Hold {
        /// The commit.
        commit: CommitWord,
        /// Where.
        place: Place,
        /// Why.
        reason: String,
    },
    /// Lifts a hold, or says which commit mends what was held.
    Unhold {
        /// A held commit; any commit of a held range stands for the range.
        commit: CommitWord,
        /// Where.
        place: Place,
        /// Only candidates that contain this commit pass.
        fixed_by: Option<CommitWord>,
    },
    /// Approves exactly one commit for one environment.
    Approve {
        /// The flow.
        flow: String,
        /// The environment it may enter.
        env: String,
        /// The commit.
        commit: CommitWord,
    },
    /// Lets one candidate pass lag, quiet, window, schedule and pause.
    Promote {
        /// The flow.
        flow: String,
        /// The environment it is to enter.
        env: String,
        /// Which; by default the newest that passes all else.
        to: Option<CommitWord>,
        /// Why.
        reason: String,
    },
    /// Puts an environment back to a commit that it held before.
    Rollback {
        /// The flow.
        flow: String,
        /// The environment.
        env: String,
        /// To which; by default the one held before the present.
        to: Option<CommitWord>,
        /// Why.
        reason: String,
    },
    /// Lets one candidate pass one gate.
    Override {
        /// The gate.
        gate: GateKind,
        /// The flow.
        flow: String,
        /// The environment that the gate guards.
        env: String,
        /// The candidate.
        commit: CommitWord,
        /// Why.
        reason: String,
    },
    /// Tries a refused or closed promotion again now.
    Retry {
        /// The flow.
        flow: String,
        /// The environment.
        env: String,
    },
    /// Reports a CI result, where no forge has it.
    Report {
        /// The flow.
        flow: String,
        /// The commit that was checked.
        commit: CommitWord,
        /// The check.
        name: CheckName,
        /// Its result.
        state: CiState,
        /// The branch it ran on.
        on: Option<BranchName>,
        /// Where to read more.
        url: Option<String>,
    },
}

/// `all | FLOW | FLOW ENV | ENV`: where a pause, freeze or resume reaches, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Every flow.
    All,
    /// One word: an environment of every flow, or a flow. The config decides which.
    One(String),
    /// An environment of a flow, in the order flow, environment.
    Edge(String, String),
}

/// `[FLOW [ENV]]`: where a hold bears, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In every flow that has the commit.
    Everywhere,
    /// In one flow.
    Flow(String),
    /// On entry to one environment, in the order flow, environment.
    Edge(String, String),
}

/// How long a pause or freeze stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// Nothing was said: [`Lasting::DEFAULT`].
    Default,
    /// For that long from now.
    For(Span),
    /// Until then; resolved in a zone by [`When::resolve`].
    Until(When),
    /// Until somebody resumes.
    UntilResumed,
}

impl Lasting {
    /// How long a pause or freeze stands when nothing is said.
    pub const DEFAULT: Span = Span::from_mins(24 * 60);

    /// When it ends, for somebody who says so `now` and reads clocks in `zone`.
    ///
    /// # Errors
    /// Those of [`When::resolve`].
    pub fn resolve(self, now: Instant, zone: Tz) -> Result<Until, Problem> {
        Ok(match self {
            Self::Default => Until::At(now + Self::DEFAULT),
            Self::For(span) => Until::At(now + span),
            Self::Until(when) => Until::At(when.resolve(now, zone)?),
            Self::UntilResumed => Until::Resumed,
        })
    }
}

impl Target {
    /// The words that were given: `all`, FLOW, FLOW ENV or ENV.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::All => vec!["all"],
            Self::One(word) => vec![word],
            Self::Edge(flow, env) => vec![flow, env],
        }
    }
}

impl Command {
    /// Which flows it is about, in the words that were given; of a stop also which environment.
    pub fn place(&self) -> Vec<&str> {
        match self {
            Self::Pause { target, .. } | Self::Resume { target } => target.words(),
            Self::Hold { place, .. } | Self::Unhold { place, .. } => match place {
                Place::Everywhere => vec!["all"],
                Place::Flow(flow) | Place::Edge(flow, _) => vec![flow],
            },
            Self::Approve { flow, .. }
            | Self::Promote { flow, .. }
            | Self::Rollback { flow, .. }
            | Self::Override { flow, .. }
            | Self::Retry { flow, .. }
            | Self::Report { flow, .. } => vec![flow],
        }
    }

    /// The environment that it names beside a flow, if it names one.
    pub fn env(&self) -> Option<&str> {
        match self {
            Self::Hold { place: Place::Edge(_, env), .. } | Self::Unhold { place: Place::Edge(_, env), .. } => {
                Some(env)
            }
            Self::Approve { env, .. }
            | Self::Promote { env, .. }
            | Self::Rollback { env, .. }
            | Self::Override { env, .. }
            | Self::Retry { env, .. } => Some(env),
            _ => None,
        }
    }

    /// Whether its words are a target, where one may be an environment of every flow.
    pub const fn is_targeted(&self) -> bool {
        matches!(self, Self::Pause { .. } | Self::Resume { .. })
    }
}
