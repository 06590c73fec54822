//! Places that are left out, where the context gives them.
//!
//! What was said is never changed: a word of the text stays a word of the command, and the context only
//! adds those before or behind it. Which verb takes what is [`Fills`](super::Fills) in the table of verbs:
//!
//! | verb | `flow` is known | `flow` and `env` are known | `env` alone is known |
//! |---|---|---|---|
//! | approve, promote, rollback, override, retry, explain, diff | `ENV` will do | nothing need be said | `FLOW` will do |
//! | pause, freeze, resume, status | nothing: the flow; an `ENV` of the flow: of that flow | nothing: that environment of the flow | nothing: that environment of every flow |
//! | hold, unhold, history | nothing: the flow; for holds an `ENV` of the flow: of that flow | the same | as without |
//! | report, where, whoami, help | as without | as without | as without |
//!
//! `all` says that everything is meant. An environment of the context belongs to its flow: somebody who
//! names another flow has to name the environment, too.

use super::parse::{Rest, lower};
use super::problem::{Problem, Slot};
use super::{Context, Place, Target};

/// What follows FLOW and ENV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    None,
    /// SHA
    Commit,
    /// `[to SHA]`
    To,
}

impl Rest<'_> {
    /// `FLOW ENV`
    pub(super) fn edge(&mut self, tail: Tail) -> Result<(String, String), Problem> {
        let said = self.edge_words(tail);
        let Context { flow, env, .. } = self.context;
        let missing = |slot| Problem::Missing { verb: self.verb, slot };
        match (said, flow, env) {
            (0, Some(flow), Some(env)) => Ok((flow.to_string(), env.to_string())),
            (0, Some(_), None) => Err(missing(Slot::Env)),
            (0, None, Some(_)) => Err(missing(Slot::Flow)),
            (1, Some(flow), env) => {
                let word = self.env()?;
                match env {
                    _ if !self.context.is_its_flow(&word) => Ok((flow.to_string(), word)),
                    Some(env) => Ok((word, env.to_string())),
                    None => Err(Problem::Missing { verb: self.verb, slot: Slot::Env }),
                }
            }
            (1, None, Some(env)) => match self.flow()? {
                word if word == env.as_str() => Err(Problem::Missing { verb: self.verb, slot: Slot::Flow }),
                word => Ok((word, env.to_string())),
            },
            // `to` is the word before a commit, unless everything is there.
            (0, None, None) if tail == Tail::To => Err(missing(Slot::Flow)),
            (1, None, None) if tail == Tail::To => Err(missing(Slot::Env)),
            _ => Ok((self.flow()?, self.env()?)),
        }
    }

    /// How many of the words name an edge, as far as can be told: three and more are too many.
    fn edge_words(&self, tail: Tail) -> usize {
        let words = self.words.as_slice();
        match (tail, words) {
            (Tail::Commit, [.., last]) if self.is_commit(last) => words.len() - 1,
            (Tail::To, [to, last]) if is_to(to) && self.is_commit(last) => 0,
            (Tail::To, [before @ .., to, _]) if !before.is_empty() && is_to(to) => before.len(),
            _ => words.len(),
        }
    }

    fn next_name(&mut self) -> Option<String> {
        self.words.next().map(|word| lower(&word))
    }

    /// `TARGET`
    pub(super) fn target(&mut self) -> Result<Target, Problem> {
        self.open_target().ok_or(Problem::Missing { verb: self.verb, slot: Slot::Target })
    }

    /// `[TARGET]`
    pub(super) fn open_target(&mut self) -> Option<Target> {
        let Context { flow, env, .. } = self.context;
        let Some(first) = self.next_name() else {
            return match (flow, env) {
                (Some(flow), Some(env)) => Some(Target::Edge(flow.to_string(), env.to_string())),
                (Some(flow), None) => Some(Target::One(flow.to_string())),
                (None, Some(env)) => Some(Target::One(env.to_string())),
                (None, None) => None,
            };
        };
        Some(match self.next_name() {
            Some(env) => Target::Edge(first, env),
            None if first == "all" => Target::All,
            None => match self.context.flow_of(&first) {
                Some(flow) => Target::Edge(flow.to_owned(), first),
                None => Target::One(first),
            },
        })
    }

    /// `[FLOW [ENV]]`
    pub(super) fn place(&mut self) -> Place {
        match (self.next_name(), self.next_name()) {
            (Some(flow), Some(env)) => Place::Edge(flow, env),
            (Some(all), None) if all == "all" => Place::Everywhere,
            (Some(word), None) => match self.context.flow_of(&word) {
                Some(flow) => Place::Edge(flow.to_owned(), word),
                None => Place::Flow(word),
            },
            (None, _) => match &self.context.flow {
                Some(flow) => Place::Flow(flow.to_string()),
                None => Place::Everywhere,
            },
        }
    }

    /// `[FLOW]`
    pub(super) fn open_flow(&mut self) -> Option<String> {
        match self.next_name() {
            Some(all) if all == "all" => None,
            Some(flow) => Some(flow),
            None => self.context.flow.as_ref().map(ToString::to_string),
        }
    }
}

fn is_to(word: &str) -> bool {
    word.eq_ignore_ascii_case("to")
}
