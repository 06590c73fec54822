//! From words and flags to a command.

use std::collections::BTreeMap;

use super::lex::{self, Quoted, Token};
use super::near::near;
use super::problem::{Problem, Slot};
use super::verbs::{Flag, VERBS, Verb};
use super::words::{self, state_word};
use super::{Command, CommitWord, Lasting, Place, TEXT_MAX, Target, When};
use crate::model::{BranchName, CheckName, CiState, GateKind, PauseKind, Span};

/// What makes a commit of a word.
type ReadCommit<'a> = &'a dyn Fn(&str) -> Option<CommitWord>;

impl Command {
    /// Reads a command whose commits are ids or their first digits.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::parse_with(text, &CommitWord::prefix)
    }

    /// Reads a command whose commits are what `commit` makes of them, such as [`CommitWord::label`].
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse_with(text: &str, commit: ReadCommit<'_>) -> Result<Self, Problem> {
        let chars = text.chars().count();
        if chars > TEXT_MAX {
            return Err(Problem::TooLong { chars });
        }
        let mut tokens = lex::tokens(text)?.into_iter();
        let verb = match tokens.next() {
            None => return Err(Problem::Empty),
            Some(Token::Word { text, .. }) => Verb::from_word(&text).ok_or_else(|| Problem::UnknownVerb {
                near: near(&text, VERBS.iter().map(|row| row.word)),
                word: text,
            })?,
            Some(Token::Flag { name, .. }) => {
                return Err(Problem::UnknownVerb { word: format!("--{name}"), near: None });
            }
        };
        let (words, flags) = sort(verb, tokens.as_slice())?;
        let mut rest = Rest { verb, words: words.into_iter(), flags, commit };
        let command = rest.command()?;
        match rest.words.next() {
            Some(word) => return Err(Problem::Unexpected { verb, word }),
            None => command.check()?,
        }
        Ok(command)
    }
}

/// Splits what follows the verb into words and flags, and gives each flag its value.
fn sort(verb: Verb, tokens: &[Token]) -> Result<(Vec<String>, BTreeMap<Flag, String>), Problem> {
    let mut words = Vec::new();
    let mut flags = BTreeMap::new();
    let mut rest = tokens.iter().peekable();
    while let Some(token) = rest.next() {
        let (name, value) = match token {
            Token::Word { text, .. } => {
                words.push(text.clone());
                continue;
            }
            Token::Flag { name, value } => (name, value.clone()),
        };
        let flag = flag(verb, name)?;
        let next = || match rest.next() {
            Some(Token::Word { text, quoted }) => Some((text.clone(), *quoted)),
            Some(Token::Flag { .. }) | None => None,
        };
        let (mut text, quoted): (String, Quoted) = value.or_else(next).ok_or(Problem::FlagEmpty { flag })?;
        if !quoted && let Some(Token::Word { text: follows, quoted: false }) = rest.peek() {
            if flag == Flag::Reason {
                return Err(Problem::ReasonNotQuoted { reason: text, word: follows.clone() });
            }
            // `--until tomorrow 09:00` without quotes. No name has a colon in it.
            if flag == Flag::Until && When::is_day_word(&text) && follows.contains(':') {
                text = format!("{text} {follows}");
                rest.next();
            }
        }
        if text.trim().is_empty() {
            let reason = flag == Flag::Reason;
            return Err(if reason { Problem::ReasonMissing { verb } } else { Problem::FlagEmpty { flag } });
        }
        if flags.insert(flag, text).is_some() {
            return Err(Problem::FlagTwice { flag });
        }
    }
    Ok((words, flags))
}

fn flag(verb: Verb, name: &str) -> Result<Flag, Problem> {
    let flags = verb.row().flags;
    flags.iter().copied().find(|flag| flag.name() == name).ok_or_else(|| Problem::UnknownFlag {
        verb,
        flag: name.to_owned(),
        near: near(name, flags.iter().map(|flag| flag.name())),
    })
}

/// What follows the verb, as it is used up.
struct Rest<'a> {
    verb: Verb,
    words: std::vec::IntoIter<String>,
    flags: BTreeMap<Flag, String>,
    commit: ReadCommit<'a>,
}

impl Rest<'_> {
    fn command(&mut self) -> Result<Command, Problem> {
        // In the order of the words: a struct's fields are evaluated as they are written.
        Ok(match self.verb {
            Verb::Pause => self.pause(PauseKind::Pause)?,
            Verb::Freeze => self.pause(PauseKind::Freeze)?,
            Verb::Resume => Command::Resume { target: self.target()? },
            Verb::Hold => Command::Hold { commit: self.commit()?, place: self.place(), reason: self.reason()? },
            Verb::Unhold => Command::Unhold {
                commit: self.commit()?,
                place: self.place(),
                fixed_by: self.flags.remove(&Flag::FixedBy).map(|word| self.commit_from(word)).transpose()?,
            },
            Verb::Approve => Command::Approve { flow: self.flow()?, env: self.env()?, commit: self.commit()? },
            Verb::Promote => {
                Command::Promote { flow: self.flow()?, env: self.env()?, to: self.to()?, reason: self.reason()? }
            }
            Verb::Rollback => {
                Command::Rollback { flow: self.flow()?, env: self.env()?, to: self.to()?, reason: self.reason()? }
            }
            Verb::Override => Command::Override {
                gate: self.gate()?,
                flow: self.flow()?,
                env: self.env()?,
                commit: self.commit()?,
                reason: self.reason()?,
            },
            Verb::Retry => Command::Retry { flow: self.flow()?, env: self.env()? },
            Verb::Report => Command::Report {
                flow: self.flow()?,
                commit: self.commit()?,
                name: CheckName::new(self.word(Slot::Check)?),
                state: self.state()?,
                on: self.flags.remove(&Flag::Ref).map(|word| branch(&word)),
                url: self.flags.remove(&Flag::Url),
            },
        })
    }

    fn pause(&mut self, kind: PauseKind) -> Result<Command, Problem> {
        Ok(Command::Pause { kind, target: self.target()?, until: self.lasting()?, reason: self.reason()? })
    }

    fn word(&mut self, slot: Slot) -> Result<String, Problem> {
        self.words.next().ok_or(Problem::Missing { verb: self.verb, slot })
    }

    fn flow(&mut self) -> Result<String, Problem> {
        self.word(Slot::Flow).map(lower)
    }

    fn env(&mut self) -> Result<String, Problem> {
        self.word(Slot::Env).map(lower)
    }

    fn target(&mut self) -> Result<Target, Problem> {
        let first = lower(self.word(Slot::Target)?);
        Ok(match self.words.next() {
            Some(env) => Target::Edge(first, lower(env)),
            None if first == "all" => Target::All,
            None => Target::One(first),
        })
    }

    fn place(&mut self) -> Place {
        match (self.words.next(), self.words.next()) {
            (Some(flow), Some(env)) => Place::Edge(lower(flow), lower(env)),
            (Some(flow), None) => Place::Flow(lower(flow)),
            (None, _) => Place::Everywhere,
        }
    }

    fn commit(&mut self) -> Result<CommitWord, Problem> {
        let word = self.word(Slot::Commit)?;
        self.commit_from(word)
    }

    fn commit_from(&self, word: String) -> Result<CommitWord, Problem> {
        (self.commit)(&word).ok_or(Problem::BadCommit { word })
    }

    /// `[to SHA]`
    fn to(&mut self) -> Result<Option<CommitWord>, Problem> {
        let verb = self.verb;
        match self.words.next() {
            None => Ok(None),
            Some(word) if word.eq_ignore_ascii_case("to") => self.commit().map(Some),
            Some(word) => Err(match (self.commit)(&word) {
                Some(commit) => Problem::ToMissing { verb, commit },
                None => Problem::Unexpected { verb, word },
            }),
        }
    }

    fn gate(&mut self) -> Result<GateKind, Problem> {
        let word = self.word(Slot::Gate)?;
        GateKind::from_key(&word.to_ascii_lowercase()).ok_or_else(|| Problem::UnknownGate {
            near: near(&word, GateKind::ALL.into_iter().map(GateKind::key)),
            word,
        })
    }

    fn state(&mut self) -> Result<CiState, Problem> {
        let word = self.word(Slot::State)?;
        let known = [CiState::Green, CiState::Red, CiState::Running].map(state_word);
        words::state(&word).ok_or_else(|| Problem::UnknownState { near: near(&word, known.into_iter()), word })
    }

    fn lasting(&mut self) -> Result<Lasting, Problem> {
        match (self.flags.remove(&Flag::For), self.flags.remove(&Flag::Until)) {
            (Some(_), Some(_)) => Err(Problem::ForAndUntil),
            (Some(length), None) => Span::parse(&length.to_ascii_lowercase())
                .map(Lasting::For)
                .map_err(|why| Problem::BadDuration { why }),
            (None, Some(word)) if word.trim().eq_ignore_ascii_case("resumed") => Ok(Lasting::UntilResumed),
            (None, Some(word)) => When::parse(&word).map(Lasting::Until),
            (None, None) => Ok(Lasting::Default),
        }
    }

    fn reason(&mut self) -> Result<String, Problem> {
        // A word too many is told first: it may be the reason, without its flag.
        if let Some(word) = self.words.next() {
            return Err(Problem::Unexpected { verb: self.verb, word });
        }
        self.flags.remove(&Flag::Reason).ok_or(Problem::ReasonMissing { verb: self.verb })
    }
}

/// Names are in lower case, telephones are not.
fn lower(word: String) -> String {
    if word.bytes().any(|b| b.is_ascii_uppercase()) { word.to_ascii_lowercase() } else { word }
}

/// CI systems know branches by their full name too.
fn branch(word: &str) -> BranchName {
    BranchName::new(word.strip_prefix("refs/heads/").unwrap_or(word))
}
