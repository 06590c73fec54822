//! Why something was not shown or not done, with a code that stays the same.
//!
//! The one table of codes: HTTP status, exit code and meaning. The API, `--server` and `docs/api.md` are all made
//! from it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::exit::Exit;
use crate::config::WordFault;
use crate::engine::Fault;
use crate::engine::command::{Refusal, Refused};
use crate::setup::SetupError;
use crate::store::StoreError;

/// What is to be known of a code.
#[derive(Debug, Clone, Copy)]
pub struct CodeRow {
    /// Which.
    pub code: Code,
    /// The word in JSON.
    pub word: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// How the command line ends.
    pub exit: Exit,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($($name:ident $word:literal $status:literal $exit:ident $meaning:literal;)*) => {
        /// A stable code for what went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        /// One row for each [`Code`], in its order.
        pub const CODES: &[CodeRow] = &[
            $(CodeRow { code: Code::$name, word: $word, status: $status, exit: Exit::$exit, meaning: $meaning },)*
        ];
    };
}

codes! {
    BadRequest "bad-request" 400 Usage "The body is not what this route takes.";
    BadQuery "bad-query" 400 Usage "A query key is unknown, twice there, or has a value that it cannot have.";
    BadPath "bad-path" 400 Usage "A name in the path is not UTF-8, or too long.";
    BadCursor "bad-cursor" 400 Usage "`after` is not what this list gave out as `next`.";
    BadCommand "bad-command" 400 Usage "The text is no command.";
    BadCommit "bad-commit" 400 Usage "The word is no commit: at least 7 and at most 40 hexadecimal digits.";
    TokenMissing "token-missing" 401 NotPermitted "No token was sent, and this is not open without one.";
    TokenUnknown "token-unknown" 401 NotPermitted "There is no such token.";
    TokenExpired "token-expired" 401 NotPermitted "The token has expired.";
    TokenRevoked "token-revoked" 401 NotPermitted "The token was revoked.";
    ScopeTooSmall "scope-too-small" 403 NotPermitted "The token's scope does not reach this.";
    OtherFlow "other-flow" 403 NotPermitted "The command reaches beyond the flows that the token is limited to.";
    NotPermitted "not-permitted" 403 NotPermitted "Whoever gave this command may not.";
    CrossSite "cross-site" 403 NotPermitted "A browser sent this from another site.";
    NoSuchRoute "no-such-route" 404 Error "There is nothing under this address.";
    UnknownName "unknown-name" 404 Error "No flow or environment is called so.";
    UnknownCommit "unknown-commit" 404 Error "No commit that begins so is known.";
    UnknownToken "unknown-token" 404 Error "No token has this id.";
    MethodNotAllowed "method-not-allowed" 405 Error "This address takes another method.";
    AmbiguousName "ambiguous-name" 409 Error "Several flows are called so; write more of the name.";
    AmbiguousCommit "ambiguous-commit" 409 Error "Several commits begin so; write more digits.";
    FirstEnvironment "first-environment" 409 Error "It is the flow's first environment: nothing is moved into it.";
    NotDecided "not-decided" 409 Error "Nothing has been decided there yet; the first pass does.";
    Refused "refused" 409 Error "The command makes no sense as things are; nothing was changed.";
    Conflict "conflict" 409 Error "What is stored contradicts it; nothing was changed.";
    NeedsYes "needs-yes" 409 Usage "It reaches many flows and was not confirmed; nothing was changed.";
    BodyTooLarge "body-too-large" 413 Usage "The body is longer than 64 KiB.";
    NotJson "not-json" 415 Usage "The body is not declared as `application/json`.";
    HostNotAllowed "host-not-allowed" 421 Error "The `Host` is neither this machine nor named in the config.";
    Internal "internal" 500 Error "A mistake in Towpath; the log says more.";
    Store "store" 500 Error "The store failed; nothing was changed.";
    Unreadable "unreadable" 503 Error "A branch or the mirror cannot be read now.";
    CannotTell "cannot-tell" 503 CannotTell "What is asked cannot be told now.";
    StoreBusy "store-busy" 503 Unreachable "The store is locked or gone for the moment; try again.";
    Busy "busy" 503 Unreachable "Too much is being looked at already; try again.";
    TookTooLong "took-too-long" 504 Unreachable "It was not done in time; what was begun goes on.";
    ServerUnreachable "server-unreachable" 502 Unreachable "Said by `--server` alone: the server cannot be reached.";
    ServerUnknown "server-unknown" 502 Error "Said by `--server` alone: what answered is no Towpath, or another version.";
}

impl Code {
    /// Whether something failed that nobody asked wrongly for: the same may be done a moment later.
    pub fn is_a_fault(self) -> bool {
        matches!(
            self,
            Self::Internal
                | Self::Store
                | Self::StoreBusy
                | Self::Conflict
                | Self::Unreadable
                | Self::CannotTell
                | Self::Busy
                | Self::TookTooLong
        )
    }

    /// What is to be known of it.
    pub fn row(self) -> &'static CodeRow {
        // The order of the table is that of the enum: one macro makes both.
        &CODES[self as usize]
    }

    /// The one with that word.
    pub fn from_word(word: &str) -> Option<Self> {
        CODES.iter().find(|row| row.word == word).map(|row| row.code)
    }
}

/// Why something was not shown or not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem; these words stay.
    pub code: Code,
    /// What is so, in a sentence.
    #[schema(example = "there is no flow `chekout`; did you mean `checkout`?")]
    pub message: String,
    /// What to do about it, where the message does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The id under which a refused command is on record, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<String>,
}

impl Problem {
    /// One without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, audit: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// That it is on record, for people; nothing where it is not.
    pub fn recorded(&self) -> Option<String> {
        self.audit.as_ref().map(|id| format!("Recorded as {id}"))
    }

    /// How the command line ends.
    pub fn exit(&self) -> Exit {
        self.code.row().exit
    }
}

impl From<WordFault> for Problem {
    fn from(fault: WordFault) -> Self {
        let code = match fault {
            WordFault::Ambiguous { .. } => Code::AmbiguousName,
            WordFault::Unknown { .. } => Code::UnknownName,
            WordFault::Words => Code::BadCommand,
        };
        Self::new(code, fault.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = if matches!(error, StoreError::Busy { .. }) { Code::StoreBusy } else { Code::Store };
        Self::new(code, error.to_string())
    }
}

impl From<SetupError> for Problem {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Store(error) => error.into(),
            SetupError::Git(error) => Self::new(Code::Internal, error.to_string()),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let code = match fault {
            Fault::Store { retry: true, .. } => Code::StoreBusy,
            Fault::Conflict | Fault::TakenOver => Code::Conflict,
            Fault::Store { retry: false, .. } | Fault::Crashed => Code::Store,
        };
        Self::new(code, fault.to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Word(fault) => return fault.into(),
            Refusal::Fault(fault) => return fault.into(),
            Refusal::Command(_) => Code::BadCommand,
            Refusal::Commit { ref found, .. } if found.is_empty() => Code::UnknownCommit,
            Refusal::Commit { .. } => Code::AmbiguousCommit,
            Refusal::Pointless { .. } => Code::Refused,
            Refusal::Unread { .. } => Code::Unreadable,
            Refusal::NotPermitted { .. } => Code::NotPermitted,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self { audit: refused.audit.map(|id| id.to_string()), ..refused.why.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_serde_and_every_code_has_its_row() {
        for (at, row) in CODES.iter().enumerate() {
            assert_eq!(serde_json::to_value(row.code).unwrap_or_default(), row.word);
            assert_eq!((row.code as usize, Code::from_word(row.word)), (at, Some(row.code)));
            assert!(row.meaning.ends_with('.') && (400..600).contains(&row.status));
        }
    }
}
