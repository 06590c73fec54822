//! Why there is no answer, and what that means to whoever asked.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use towpath_core::act::PushAnswer;
use towpath_core::model::{Instant, Span, Unknown, UnknownWhy};
use towpath_core::text::one_line;

use crate::forge::CallFault;

/// How much of the forge's words is kept.
const WORDS_MAX: usize = 300;

/// Why a call has no answer that says yes. The words are on one line, cut, and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing left this process, or nobody was there to take it.
    #[error("not reached: {words}")]
    NotSent {
        /// What the network said.
        words: String,
    },
    /// It was sent, and no whole answer came.
    #[error("no answer: {words}")]
    NoAnswer {
        /// What the network said.
        words: String,
    },
    /// The deadline passed first.
    #[error("no answer within {after}")]
    TimedOut {
        /// The deadline.
        after: Span,
    },
    /// The forge wants no calls now, or what is left of its allowance is kept for acting.
    #[error("not before {again_in} from now: {words}")]
    Limited {
        /// How long from now.
        again_in: Span,
        /// When that is, by the wall, in whole seconds.
        until: Instant,
        /// The forge's words, or ours.
        words: String,
    },
    /// The forge answered with a status that says no.
    #[error("the forge answered {status}: {words}")]
    Said {
        /// The HTTP status.
        status: u16,
        /// Its words.
        words: String,
    },
    /// It points to another host, where the credential is not taken.
    #[error("it sends us on to `{host}`, where our credential does not go; is `url` right?")]
    Elsewhere {
        /// The other host.
        host: String,
    },
    /// The body is larger than is read.
    #[error("the answer is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The answer is not what this forge's description promises.
    #[error("the answer cannot be read: {words}")]
    Unreadable {
        /// What was wrong, and where.
        words: String,
    },
    /// There is no credential that could be sent.
    #[error("{words}")]
    Credential {
        /// Why.
        words: String,
    },
}

impl Fault {
    /// The status, where the forge answered with one that says no.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Said { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What it means to whoever wanted to know something.
    pub fn unknown(self) -> Unknown {
        let words = self.to_string();
        match self {
            Self::NotSent { .. } | Self::NoAnswer { .. } => Unknown::passing(UnknownWhy::Unreachable { words }),
            Self::Limited { until, words, .. } => Unknown::passing(UnknownWhy::Limited { until, words }),
            Self::TimedOut { after } => Unknown::passing(UnknownWhy::TimedOut { after }),
            Self::Said { status: 401 | 403, .. } | Self::Credential { .. } => {
                Unknown::lasting(UnknownWhy::CredentialsRefused { words })
            }
            Self::Said { status: 404 | 410 | 451, .. } => Unknown::lasting(UnknownWhy::NoRepository { words }),
            Self::Said { status, .. } if retries(status) => Unknown::passing(UnknownWhy::Unreachable { words }),
            Self::Said { .. } | Self::Elsewhere { .. } | Self::TooLarge { .. } => {
                Unknown::lasting(UnknownWhy::Unreadable { words })
            }
            // A forge that is being upgraded, or a proxy that speaks for it, says odd things for a while.
            Self::Unreadable { .. } => Unknown::passing(UnknownWhy::Unreadable { words }),
        }
    }

    /// What it means to whoever wanted to change something.
    pub fn call(self) -> CallFault {
        let words = self.to_string();
        match self {
            Self::NotSent { .. } | Self::Credential { .. } => CallFault::NotSent { words, retry_after: None },
            Self::Limited { again_in, .. } => CallFault::NotSent { words, retry_after: Some(again_in) },
            Self::Said { status, .. } if status < 500 => CallFault::Refused { words },
            Self::Elsewhere { .. } => CallFault::Refused { words },
            Self::Said { .. }
            | Self::NoAnswer { .. }
            | Self::TimedOut { .. }
            | Self::TooLarge { .. }
            | Self::Unreadable { .. } => CallFault::NoAnswer { words },
        }
    }

    /// What it means to whoever wanted to change something and had to read first: nothing was sent, whatever became of that.
    pub fn before(self) -> CallFault {
        match self.call() {
            CallFault::NoAnswer { words } => CallFault::NotSent { words, retry_after: None },
            other => other,
        }
    }

    /// What it means to whoever wanted to move a branch.
    pub fn push(self) -> PushAnswer {
        match self.call() {
            CallFault::Refused { words } | CallFault::Exists { words } => PushAnswer::Refused { words },
            CallFault::NotSent { words, .. } => PushAnswer::NotSent { words },
            CallFault::NoAnswer { words } => PushAnswer::NoAnswer { words },
        }
    }
}

/// Whether a status says that asking again may help.
pub(super) const fn retries(status: u16) -> bool {
    status == 408 || status >= 500
}

/// What may not stand in any words. Clones share it.
#[derive(Clone)]
pub(super) enum Hidden {
    /// These secrets.
    Secrets(Arc<[String]>),
    /// Everything: the words come from an answer that holds a secret which nobody knows yet.
    All,
}

impl Default for Hidden {
    fn default() -> Self {
        Self::Secrets(Arc::from([]))
    }
}

impl Hidden {
    /// Hides that secret. Short ones would blot out half of every sentence, and are no secrets.
    pub(super) fn new(secret: &[u8]) -> Self {
        let text = String::from_utf8_lossy(secret).into_owned();
        if text.len() < 4 { Self::default() } else { Self::Secrets(Arc::from([text])) }
    }

    /// Somebody's words on one line of at most `max` characters, without the secrets.
    pub(super) fn words(&self, text: &str, max: usize) -> String {
        let Self::Secrets(secrets) = self else { return "[not shown]".to_owned() };
        let mut text = text.to_owned();
        for secret in secrets.iter() {
            text = text.replace(secret.as_str(), "[secret]");
        }
        one_line(&text, max)
    }

    /// What the body of an answer that says no says in words. JSON of every forge that we know has
    /// `message`, and GitHub lists `errors` beside it; anything else is not quoted at length.
    pub(super) fn said(&self, status: u16, json: bool, body: &[u8]) -> String {
        let reason = http::StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason());
        let reason = reason.unwrap_or("no words");
        let value = if json { serde_json::from_slice::<Value>(body).ok() } else { None };
        let Some(value) = value else { return reason.to_owned() };
        let mut parts: Vec<String> = Vec::new();
        for key in ["message", "error", "error_description", "detail"] {
            collect(value.get(key), &mut parts);
        }
        collect(value.get("errors"), &mut parts);
        parts.dedup();
        if parts.is_empty() { reason.to_owned() } else { self.words(&parts.join("; "), WORDS_MAX) }
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

/// The texts in a value, however it is nested: `message` may be a text, a list, or an object of lists.
fn collect(value: Option<&Value>, into: &mut Vec<String>) {
    match value {
        Some(Value::String(text)) if !text.trim().is_empty() => into.push(text.trim().to_owned()),
        Some(Value::Array(items)) => items.iter().take(5).for_each(|item| collect(Some(item), into)),
        Some(Value::Object(fields)) => {
            // GitHub's validation errors say either `message`, or what is wrong with which field.
            if let Some(message) = fields.get("message").filter(|m| m.is_string()) {
                collect(Some(message), into);
            } else if let (Some(Value::String(field)), Some(Value::String(code))) =
                (fields.get("field"), fields.get("code"))
            {
                into.push(format!("{field}: {code}"));
            } else {
                fields.values().take(5).for_each(|item| collect(Some(item), into));
            }
        }
        _ => {}
    }
}

/// An error with all its causes, in words. reqwest's own says only "error sending request".
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut words = String::new();
    let mut next: Option<&dyn Error> = error.source();
    if next.is_none() {
        words = error.to_string();
    }
    while let Some(cause) = next {
        if !words.is_empty() {
            words.push_str(": ");
        }
        words.push_str(&cause.to_string());
        next = cause.source();
    }
    one_line(&words, WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_forges_are_found_and_secrets_are_not_repeated() {
        let hidden = Hidden::new(b"ghp_secret");
        let said = |body: &str| hidden.said(422, true, body.as_bytes());
        assert_eq!(
            said(
                r#"{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"A pull request already exists"}]}"#
            ),
            "Validation Failed; A pull request already exists"
        );
        assert_eq!(said(r#"{"message":"no","errors":[{"field":"head","code":"invalid"}]}"#), "no; head: invalid");
        assert_eq!(said(r#"{"message":{"base":["is protected"]}}"#), "is protected");
        assert_eq!(said(r#"{"message":"you sent ghp_secret"}"#), "you sent [secret]");
        assert_eq!(said("<html>"), "Unprocessable Entity");
        assert_eq!(said("{}"), "Unprocessable Entity");
        assert_eq!(hidden.said(502, false, b"<html>ghp_secret"), "Bad Gateway");
        assert_eq!(format!("{hidden:?}"), "Hidden(…)");
    }
}
