//! Questions: what can be said that changes nothing. Answered from what is stored.

use std::fmt;

use super::words::{name, target};
use super::{CommitWord, Problem, Slot, Target, Verb};

/// Something a person asks. The words are as in a [`Command`](super::Command).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Where everything is.
    Status {
        /// Of what; of everything by default.
        target: Option<Target>,
    },
    /// Why an environment has not moved.
    Explain {
        /// The flow.
        flow: String,
        /// The environment.
        env: String,
    },
    /// Why a commit has not moved.
    ExplainCommit {
        /// The commit.
        commit: CommitWord,
    },
    /// Which environments have a commit.
    Where {
        /// The commit.
        commit: CommitWord,
    },
    /// What an environment lacks of its source.
    Diff {
        /// The flow.
        flow: String,
        /// The environment.
        env: String,
    },
    /// What happened.
    History {
        /// In which flow; in all by default.
        flow: Option<String>,
    },
    /// Who is asking.
    Whoami,
    /// What can be said.
    Help {
        /// About one verb.
        about: Option<Verb>,
    },
}

impl Query {
    /// Its verb.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Status { .. } => Verb::Status,
            Self::Explain { .. } | Self::ExplainCommit { .. } => Verb::Explain,
            Self::Where { .. } => Verb::Where,
            Self::Diff { .. } => Verb::Diff,
            Self::History { .. } => Verb::History,
            Self::Whoami => Verb::Whoami,
            Self::Help { .. } => Verb::Help,
        }
    }

    /// Whether every word is sound, so that its text can be stored, shown and read back.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), Problem> {
        match self {
            Self::Status { target: Some(on) } => target(on),
            Self::Explain { flow, env } | Self::Diff { flow, env } => {
                name(Slot::Flow, flow).and_then(|()| name(Slot::Env, env))
            }
            Self::History { flow: Some(flow) } => name(Slot::Flow, flow),
            Self::Status { target: None }
            | Self::History { flow: None }
            | Self::ExplainCommit { .. }
            | Self::Where { .. }
            | Self::Whoami
            | Self::Help { .. } => Ok(()),
        }
    }
}

/// The canonical text: one line, and what [`Said::parse`](super::Said::parse) reads back.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.verb();
        match self {
            Self::Status { target: Some(target) } => write!(f, "{verb} {target}"),
            Self::Explain { flow, env } | Self::Diff { flow, env } => write!(f, "{verb} {flow} {env}"),
            Self::ExplainCommit { commit } | Self::Where { commit } => write!(f, "{verb} {commit}"),
            Self::History { flow: Some(flow) } => write!(f, "{verb} {flow}"),
            Self::Help { about: Some(about) } => write!(f, "{verb} {about}"),
            Self::Status { target: None }
            | Self::History { flow: None }
            | Self::Whoami
            | Self::Help { about: None } => verb.fmt(f),
        }
    }
}
