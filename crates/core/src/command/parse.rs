//! From words and flags to a command or a question.
//!
//! Not here: places that are left out and the context gives (`fill`).

use std::collections::BTreeMap;

use super::fill::Tail;
use super::lex::{self, Quoted, Token, bare_name};
use super::near::near;
use super::problem::{Problem, Slot};
use super::verbs::{Flag, VERBS, Verb};
use super::words::{self, state_word};
use super::{Command, CommitWord, Context, Lasting, Query, Said, TEXT_MAX, When};
use crate::model::{BranchName, CheckName, CiState, GateKind, PauseKind, Span};

/// What makes a commit of a word.
pub(super) type ReadCommit<'a> = &'a dyn Fn(&str) -> Option<CommitWord>;

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
        match said(text, &Context::NOWHERE, commit)? {
            Said::Steer(command) => Ok(command),
            Said::Ask(query) => Err(Problem::OnlyReads { verb: query.verb() }),
        }
    }
}

/// Reads a command or a question, and fills what it leaves out from the context.
pub(super) fn said(text: &str, context: &Context, commit: ReadCommit<'_>) -> Result<Said, Problem> {
    let chars = text.chars().count();
    if chars > TEXT_MAX {
        return Err(Problem::TooLong { chars });
    }
    let mut tokens = lex::tokens(text)?.into_iter();
    // Commands are shown as one types them, in a shell or after a slash; whoever says one again copies all of it.
    if let [Token::Word { text, .. }, _, ..] = tokens.as_slice()
        && is_our_name(text)
    {
        tokens.next();
    }
    let verb = match tokens.next() {
        None => return Err(Problem::Empty),
        Some(Token::Word { text, .. }) => Verb::from_word(bare_name(&text)).ok_or_else(|| unknown_verb(text))?,
        Some(Token::Flag { name, .. }) => {
            return Err(Problem::UnknownVerb { word: format!("--{name}"), near: None });
        }
    };
    let (words, flags) = sort(verb, tokens.as_slice())?;
    let mut rest = Rest { verb, words: words.into_iter(), flags, commit, context };
    let said = match rest.query()? {
        Some(query) => Said::Ask(query),
        None => Said::Steer(rest.command()?),
    };
    match rest.words.next() {
        Some(word) => return Err(Problem::Unexpected { verb, word }),
        None => said.check()?,
    }
    Ok(said)
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
pub(super) struct Rest<'a> {
    pub(super) verb: Verb,
    pub(super) words: std::vec::IntoIter<String>,
    flags: BTreeMap<Flag, String>,
    commit: ReadCommit<'a>,
    pub(super) context: &'a Context,
}

impl Rest<'_> {
    /// None for a verb that is no question.
    fn query(&mut self) -> Result<Option<Query>, Problem> {
        Ok(Some(match self.verb {
            Verb::Status => Query::Status { target: self.open_target() },
            Verb::Explain => match self.words.as_slice() {
                [word] if self.is_commit(word) => Query::ExplainCommit { commit: self.commit()? },
                _ => {
                    let (flow, env) = self.edge(Tail::None)?;
                    Query::Explain { flow, env }
                }
            },
            Verb::Where => Query::Where { commit: self.commit()? },
            Verb::Diff => {
                let (flow, env) = self.edge(Tail::None)?;
                Query::Diff { flow, env }
            }
            Verb::History => Query::History { flow: self.open_flow() },
            Verb::Whoami => Query::Whoami,
            Verb::Help => Query::Help { about: self.words.next().map(about).transpose()? },
            Verb::Pause
            | Verb::Freeze
            | Verb::Resume
            | Verb::Hold
            | Verb::Unhold
            | Verb::Approve
            | Verb::Promote
            | Verb::Rollback
            | Verb::Override
            | Verb::Retry
            | Verb::Report => return Ok(None),
        }))
    }

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
            Verb::Approve => {
                let (flow, env) = self.edge(Tail::Commit)?;
                Command::Approve { flow, env, commit: self.commit()? }
            }
            Verb::Promote => {
                let (flow, env) = self.edge(Tail::To)?;
                Command::Promote { flow, env, to: self.to()?, reason: self.reason()? }
            }
            Verb::Rollback => {
                let (flow, env) = self.edge(Tail::To)?;
                Command::Rollback { flow, env, to: self.to()?, reason: self.reason()? }
            }
            Verb::Override => {
                let gate = self.gate()?;
                let (flow, env) = self.edge(Tail::Commit)?;
                Command::Override { gate, flow, env, commit: self.commit()?, reason: self.reason()? }
            }
            Verb::Retry => {
                let (flow, env) = self.edge(Tail::None)?;
                Command::Retry { flow, env }
            }
            Verb::Report => Command::Report {
                flow: self.flow()?,
                commit: self.commit()?,
                name: CheckName::new(self.word(Slot::Check)?),
                state: self.state()?,
                on: self.flags.remove(&Flag::Ref).map(|word| branch(&word)),
                url: self.flags.remove(&Flag::Url),
            },
            verb @ (Verb::Status
            | Verb::Explain
            | Verb::Where
            | Verb::Diff
            | Verb::History
            | Verb::Whoami
            | Verb::Help) => return Err(Problem::OnlyReads { verb }),
        })
    }

    fn pause(&mut self, kind: PauseKind) -> Result<Command, Problem> {
        Ok(Command::Pause { kind, target: self.target()?, until: self.lasting()?, reason: self.reason()? })
    }

    pub(super) fn word(&mut self, slot: Slot) -> Result<String, Problem> {
        self.words.next().ok_or(Problem::Missing { verb: self.verb, slot })
    }

    pub(super) fn flow(&mut self) -> Result<String, Problem> {
        self.word(Slot::Flow).map(|word| lower(&word))
    }

    pub(super) fn env(&mut self) -> Result<String, Problem> {
        self.word(Slot::Env).map(|word| lower(&word))
    }

    fn commit(&mut self) -> Result<CommitWord, Problem> {
        let word = self.word(Slot::Commit)?;
        self.commit_from(word)
    }

    fn commit_from(&self, word: String) -> Result<CommitWord, Problem> {
        (self.commit)(bare_name(&word)).ok_or(Problem::BadCommit { word })
    }

    pub(super) fn is_commit(&self, word: &str) -> bool {
        (self.commit)(bare_name(word)).is_some()
    }

    /// `[to SHA]`
    fn to(&mut self) -> Result<Option<CommitWord>, Problem> {
        let verb = self.verb;
        match self.words.next() {
            None => Ok(None),
            Some(word) if word.eq_ignore_ascii_case("to") => self.commit().map(Some),
            Some(word) => Err(match (self.commit)(bare_name(&word)) {
                Some(commit) => Problem::ToMissing { verb, commit },
                None => Problem::Unexpected { verb, word },
            }),
        }
    }

    fn gate(&mut self) -> Result<GateKind, Problem> {
        let word = self.word(Slot::Gate)?;
        GateKind::from_key(&bare_name(&word).to_ascii_lowercase()).ok_or_else(|| Problem::UnknownGate {
            near: near(bare_name(&word), GateKind::ALL.into_iter().map(GateKind::key)),
            word,
        })
    }

    fn state(&mut self) -> Result<CiState, Problem> {
        let word = self.word(Slot::State)?;
        let known = [CiState::Green, CiState::Red, CiState::Running].map(state_word);
        words::state(bare_name(&word))
            .ok_or_else(|| Problem::UnknownState { near: near(bare_name(&word), known.into_iter()), word })
    }

    fn lasting(&mut self) -> Result<Lasting, Problem> {
        match (self.flags.remove(&Flag::For), self.flags.remove(&Flag::Until)) {
            (Some(_), Some(_)) => Err(Problem::ForAndUntil),
            (Some(length), None) => Span::parse(&bare_name(&length).to_ascii_lowercase())
                .map(Lasting::For)
                .map_err(|why| Problem::BadDuration { why }),
            (None, Some(word)) if bare_name(word.trim()).eq_ignore_ascii_case("resumed") => {
                Ok(Lasting::UntilResumed)
            }
            (None, Some(word)) => When::parse(bare_name(word.trim())).map(Lasting::Until),
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

/// The verb that help is wanted about.
fn about(word: String) -> Result<Verb, Problem> {
    Verb::from_word(bare_name(&word)).ok_or_else(|| unknown_verb(word))
}

/// Whether it is what stands before a command in a shell or a chat. No verb is called so.
fn is_our_name(word: &str) -> bool {
    let word = bare_name(word);
    word.strip_prefix('/').unwrap_or(word).eq_ignore_ascii_case("towpath")
}

fn unknown_verb(word: String) -> Problem {
    Problem::UnknownVerb { near: near(bare_name(&word), VERBS.iter().map(|row| row.word)), word }
}

/// Names are in lower case, telephones are not; and a name may end a sentence.
pub(super) fn lower(word: &str) -> String {
    bare_name(word).to_ascii_lowercase()
}

/// CI systems know branches by their full name too.
fn branch(word: &str) -> BranchName {
    BranchName::new(word.strip_prefix("refs/heads/").unwrap_or(word))
}
