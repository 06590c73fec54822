//! What comes back when the server of an `http` gate is asked about a candidate.
//!
//! Not here: how it is asked (`src/gate.rs` of the root package), and what the answer means for a move
//! (`decide/gates/http.rs`).

use serde::{Deserialize, Serialize};

use super::time::{Instant, Span};

/// What the server of an `http` gate said of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpSaid {
    /// Its verdict.
    pub verdict: HttpVerdict,
    /// Its reason, which may be empty: one line of at most [`HttpSaid::WORDS_MAX`] characters. Hostile
    /// until shown, as all words of servers are.
    pub words: String,
}

impl HttpSaid {
    /// How many characters of a reason are kept.
    pub const WORDS_MAX: usize = 300;
}

/// A verdict as such a server gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpVerdict {
    /// The candidate may pass.
    Pass,
    /// Not yet.
    Wait {
        /// When it may be worth asking again, as far as the server knows.
        until: Option<Instant>,
    },
    /// Not before somebody mends something.
    Block,
}

/// What came from the server of an `http` gate instead of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpInstead {
    /// It was not reached, or the connection broke.
    Nothing {
        /// What the network said.
        words: String,
    },
    /// Nothing whole within the deadline.
    TimedOut {
        /// The deadline.
        after: Span,
    },
    /// It wants no questions for a while, and was not asked or said so.
    Limited {
        /// For how long from then on.
        again_in: Span,
    },
    /// Another status than 200. A redirect is one, and is not followed.
    Status {
        /// Which.
        status: u16,
    },
    /// A body that is larger than is read.
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// A body that is no JSON, or does not say that it is.
    NotJson,
    /// JSON that is not as the answer of a gate has to be.
    Malformed {
        /// What is wrong, and where.
        words: String,
    },
    /// A verdict that is none of the three.
    UnknownVerdict {
        /// Its word.
        word: String,
    },
    /// It was not asked, because the token that the config names cannot be read, or is none.
    NoToken {
        /// What is wrong with it; nothing of the token itself.
        words: String,
    },
}
