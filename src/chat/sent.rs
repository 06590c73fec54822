//! What came of sending something to a chat system, and the HTTP client that all of them share.
//!
//! The client is the one of [`crate::forge::client`]: one deadline, bounded bodies, no secret in words, what acts is
//! sent once. Here it follows no redirects, so that an answer cannot be led into our own network.

use std::time::Duration;

use reqwest::Url;
use towpath_core::model::Span;

use super::incoming::MessageAt;
use crate::clock::Clock;
use crate::forge::client::{Client, Fault, Options};

/// From asking to the last byte of the answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// The largest answer that is read. Both platforms send the message back.
const ANSWER_MAX: usize = 512 * 1024;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It stands there.
    Posted(MessageAt),
    /// It was taken; where it stands was not said (an answer to a command).
    Answered,
    /// What was to be changed or answered is not there any more, or may not be changed: post anew.
    Gone,
    /// Not now. It may have been taken all the same, where the answer was lost: neither platform takes a key that
    /// would let it be sent twice and posted once.
    Later {
        /// Not before that long from now, where the platform said so.
        after: Option<Span>,
        /// Why, on one line, without secrets.
        words: String,
    },
    /// It will not be taken as it is: somebody has to mend the config, the app or the channel.
    Never {
        /// Why, on one line, without secrets.
        words: String,
    },
}

impl Sent {
    /// What a call without an answer that says yes means, where the platform has no words of its own for it.
    pub(super) fn from_fault(fault: &Fault) -> Self {
        let words = fault.to_string();
        match fault {
            Fault::Limited { again_in, .. } => {
                // A limit that is over already would be tried in a circle.
                Self::Later { after: Some((*again_in).max(Span::from_secs(1))), words }
            }
            Fault::Said { status: 408 | 500.., .. }
            | Fault::NotSent { .. }
            | Fault::NoAnswer { .. }
            | Fault::TimedOut { .. }
            | Fault::TooLarge { .. }
            | Fault::Unreadable { .. }
            | Fault::Credential { .. } => Self::Later { after: None, words },
            Fault::Said { .. } | Fault::Elsewhere { .. } => Self::Never { words },
        }
    }
}

/// Who sees the answer to a command or a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    /// Whoever gave it.
    Person,
    /// Everybody in the channel.
    Channel,
}

impl Visible {
    /// Both platforms' `response_type`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Person => "ephemeral",
            Self::Channel => "in_channel",
        }
    }
}

/// The client for a platform.
///
/// # Errors
/// If TLS cannot be set up.
pub(super) fn client(clock: Clock) -> Result<Client, Fault> {
    let options = Options {
        deadline: DEADLINE,
        connect: DEADLINE / 2,
        body_max: ANSWER_MAX,
        tries: 1,
        redirects: 0,
        kept_bytes: 0,
        ..Options::default()
    };
    Client::new(options, clock)
}

/// The address of a path below a base, which may or may not end with a slash.
///
/// # Errors
/// If that is none.
pub(super) fn below(base: &Url, path: &str) -> Result<Url, Fault> {
    let text = format!("{}/{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&text).map_err(|_| Fault::NotSent { words: "`url` of the chat is no address".to_owned() })
}
