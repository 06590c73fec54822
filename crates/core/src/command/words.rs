//! The words of a command and what makes each of them sound.

use std::fmt;

use super::problem::{Problem, Slot};
use super::{Command, Lasting, NAME_MAX, Place, REASON_MAX, TEXT_MAX, Target, URL_MAX};
use crate::model::{CiState, Span};

/// A commit as somebody wrote it: found in a repository only later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitWord(String);

impl CommitWord {
    /// The fewest digits that name a commit.
    pub const DIGITS_MIN: usize = 7;
    /// All the digits there are.
    pub const DIGITS_MAX: usize = 40;

    /// A commit id or its first digits, at least [`CommitWord::DIGITS_MIN`], lower-cased: what
    /// every surface but the scenario files takes.
    pub fn prefix(word: &str) -> Option<Self> {
        let fits = (Self::DIGITS_MIN..=Self::DIGITS_MAX).contains(&word.len());
        let hex = word.bytes().all(|b| b.is_ascii_hexdigit());
        if fits && hex { Some(Self(word.to_ascii_lowercase())) } else { None }
    }

    /// A name for a commit that the scenario files give it, such as `A` or `c3`.
    pub fn label(word: &str) -> Option<Self> {
        let fits = (1..=Self::DIGITS_MAX).contains(&word.len());
        if fits && word.bytes().all(|b| b.is_ascii_alphanumeric()) { Some(Self(word.to_owned())) } else { None }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it can only be one commit.
    pub fn is_whole(&self) -> bool {
        self.0.len() == Self::DIGITS_MAX && self.0.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

impl fmt::Display for CommitWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The word for the state of a check in `report`.
pub const fn state_word(state: CiState) -> &'static str {
    match state {
        CiState::Green => "success",
        CiState::Red => "failure",
        CiState::Running => "pending",
    }
}

/// The state that a word of `report` means.
pub(super) fn state(word: &str) -> Option<CiState> {
    [CiState::Green, CiState::Red, CiState::Running]
        .into_iter()
        .find(|state| state_word(*state).eq_ignore_ascii_case(word))
}

impl Command {
    /// Whether every word is sound, so that its text can be stored, shown and read back. Parsing
    /// checks this; whoever builds a command by other means asks here.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), Problem> {
        if let Some(text) = self.reason() {
            reason(self, text)?;
        }
        match self {
            Self::Pause { target: on, until, .. } => {
                target(on)?;
                lasting(*until)?;
            }
            Self::Resume { target: on } => target(on)?,
            Self::Hold { place: at, .. } | Self::Unhold { place: at, .. } => place(at)?,
            Self::Approve { flow, env, .. }
            | Self::Promote { flow, env, .. }
            | Self::Rollback { flow, env, .. }
            | Self::Override { flow, env, .. }
            | Self::Retry { flow, env } => {
                name(Slot::Flow, flow)?;
                name(Slot::Env, env)?;
                // `promote to 3f9c2d1` leaves both to the context.
                let to_commit = flow == "to" && CommitWord::prefix(env).is_some();
                if to_commit && matches!(self, Self::Promote { to: None, .. } | Self::Rollback { to: None, .. }) {
                    return Err(Problem::BadName { slot: Slot::Flow, word: flow.clone() });
                }
            }
            Self::Report { flow, name: check, on, url: at, .. } => {
                name(Slot::Flow, flow)?;
                check_name(check.as_str())?;
                on.as_ref().map_or(Ok(()), |on| branch(on.as_str()))?;
                at.as_deref().map_or(Ok(()), url)?;
            }
        }
        // Escapes make the canonical text longer than what was written.
        let chars = self.to_string().chars().count();
        if chars > TEXT_MAX { Err(Problem::TooLong { chars }) } else { Ok(()) }
    }
}

pub(super) fn target(target: &Target) -> Result<(), Problem> {
    match target {
        Target::All => Ok(()),
        Target::One(word) => name(Slot::Target, word),
        Target::Edge(flow, env) => name(Slot::Flow, flow).and_then(|()| name(Slot::Env, env)),
    }
}

fn place(place: &Place) -> Result<(), Problem> {
    match place {
        Place::Everywhere => Ok(()),
        Place::Flow(flow) => name(Slot::Flow, flow),
        Place::Edge(flow, env) => name(Slot::Flow, flow).and_then(|()| name(Slot::Env, env)),
    }
}

fn lasting(lasting: Lasting) -> Result<(), Problem> {
    match lasting {
        Lasting::For(span) if span == Span::ZERO => Err(Problem::NoTime),
        Lasting::For(span) if span.ms() > Span::MAX_MS => {
            Err(Problem::BadDuration { why: "that is longer than ten years".to_owned() })
        }
        Lasting::Until(when) if !when.is_sound() => Err(Problem::OutOfCalendar { when }),
        Lasting::Default | Lasting::For(_) | Lasting::Until(_) | Lasting::UntilResumed => Ok(()),
    }
}

/// Names as the config allows them, and suffixes of such names.
pub(super) fn name(slot: Slot, word: &str) -> Result<(), Problem> {
    if word == "all" {
        return Err(Problem::AllAlone);
    }
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'/' | b'-');
    // Git takes no branch that ends with a point, and a sentence may end after a name.
    let edges = !word.is_empty() && !word.starts_with('-') && !word.ends_with('.');
    let sound = edges && word.len() <= NAME_MAX && word.bytes().all(letter);
    if sound { Ok(()) } else { Err(Problem::BadName { slot, word: word.to_owned() }) }
}

fn reason(command: &Command, text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::ReasonMissing { verb: command.verb() });
    }
    let chars = text.chars().count();
    if chars > REASON_MAX {
        return Err(Problem::ReasonTooLong { chars });
    }
    // Line breaks come with pasted text. Others (NUL, escape sequences) have no business in a
    // store or on a terminal.
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        Some(character) => Err(Problem::ControlCharacter { slot: Slot::Reason, character }),
        None => Ok(()),
    }
}

fn check_name(word: &str) -> Result<(), Problem> {
    if let Some(character) = word.chars().find(|c| c.is_control()) {
        return Err(Problem::ControlCharacter { slot: Slot::Check, character });
    }
    let sound = !word.trim().is_empty() && word.chars().count() <= NAME_MAX;
    if sound { Ok(()) } else { Err(Problem::BadCheckName { word: word.to_owned() }) }
}

/// The rules of `git check-ref-format`, and not a full reference name.
fn branch(word: &str) -> Result<(), Problem> {
    let bad_char = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    let bad = word.chars().any(bad_char)
        || word.chars().count() > NAME_MAX
        || word.starts_with('-')
        || word.starts_with("refs/")
        || word.contains("..")
        || word.contains("@{")
        || word == "@"
        || word.ends_with('.')
        || word.split('/').any(bad_part);
    if bad { Err(Problem::BadBranch { word: word.to_owned() }) } else { Ok(()) }
}

/// A link that may be shown to others: of the web, and without anybody's password.
fn url(word: &str) -> Result<(), Problem> {
    let rest = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
    let Some(rest) = rest else { return Err(Problem::BadUrl) };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if host.contains('@') {
        return Err(Problem::UrlWithPassword);
    }
    let bad_char = |c: char| c.is_whitespace() || c.is_control();
    let bad = host.is_empty() || word.chars().any(bad_char) || word.chars().count() > URL_MAX;
    if bad { Err(Problem::BadUrl) } else { Ok(()) }
}
