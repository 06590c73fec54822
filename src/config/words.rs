//! What people call flows and environments, in commands and on the command line.
//!
//! Not here: which commands there are (`towpath_core`), and who may give them.

use std::fmt;

use towpath_core::model::{EnvName, Environment, FlowName, Scope};

use super::problem::shown;
use super::suggest;
use super::{Config, FlowConfig};

/// Why a word names no single thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WordFault {
    /// More than one flow ends with it.
    Ambiguous {
        /// What was given.
        word: String,
        /// The names it could be.
        could_be: Vec<String>,
    },
    /// Nothing is called so.
    Unknown {
        /// What was given.
        word: String,
        /// What it was looked for as: `flow`, `environment`, `flow or environment`.
        as_what: &'static str,
        /// The nearest name.
        nearest: Option<String>,
        /// Every name, if there are few.
        known: Vec<String>,
    },
    /// Neither one word nor two.
    Words,
}

impl fmt::Display for WordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Ambiguous { word, could_be } => {
                write!(f, "`{}` could be {}; write more of the name", shown(word), list(could_be))
            }
            Self::Unknown { word, as_what, nearest, known } => {
                write!(f, "there is no {as_what} `{}`", shown(word))?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
                    None if known.is_empty() => Ok(()),
                    None => write!(f, "; there are {}", list(known)),
                }
            }
            Self::Words => f.write_str("a target is `all`, FLOW, FLOW ENV, or ENV"),
        }
    }
}

impl std::error::Error for WordFault {}

/// At most so many names are listed.
const LISTED_MOST: usize = 12;

fn unknown<'a>(word: &str, as_what: &'static str, names: impl Iterator<Item = &'a str>) -> WordFault {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    // Also by the last part alone, since that is how flows are usually called.
    let by_end = || names.iter().copied().find(|n| suggest::nearest(word, n.rsplit('/').next()).is_some());
    let nearest = suggest::nearest(word, names.iter().copied()).or_else(by_end).map(str::to_owned);
    let known =
        if names.len() <= LISTED_MOST { names.into_iter().map(str::to_owned).collect() } else { Vec::new() };
    WordFault::Unknown { word: word.to_owned(), as_what, nearest, known }
}

impl Config {
    /// The flow of that name, else the only one whose name ends with it after a slash.
    ///
    /// # Errors
    /// None or several are called so.
    pub fn flow(&self, word: &str) -> Result<&FlowConfig, WordFault> {
        if let Some(exact) = self.flows.iter().find(|f| f.flow.name.as_str() == word) {
            return Ok(exact);
        }
        let ends = |name: &str| name.strip_suffix(word).is_some_and(|head| !word.is_empty() && head.ends_with('/'));
        let found: Vec<_> = self.flows.iter().filter(|f| ends(f.flow.name.as_str())).collect();
        match found[..] {
            [one] => Ok(one),
            [] => Err(unknown(word, "flow", self.flow_names())),
            _ => Err(WordFault::Ambiguous {
                word: word.to_owned(),
                could_be: found.iter().map(|f| f.flow.name.to_string()).collect(),
            }),
        }
    }

    /// A target: `all`, FLOW, FLOW ENV or ENV. A single word is an environment of that very name,
    /// else a flow.
    ///
    /// # Errors
    /// None or several are called so.
    pub fn target(&self, words: &[&str]) -> Result<Scope, WordFault> {
        match words {
            ["all"] => Ok(Scope::All),
            [word] => self.one_word(word),
            [flow, env] => {
                let flow = self.flow(flow)?;
                let env = flow.environment(env)?;
                Ok(Scope::Edge(flow.flow.name.clone(), env.name.clone()))
            }
            _ => Err(WordFault::Words),
        }
    }

    fn one_word(&self, word: &str) -> Result<Scope, WordFault> {
        let name = EnvName::new(word);
        if self.flows.iter().any(|f| f.flow.environment(&name).is_some()) {
            return Ok(Scope::Environment(name));
        }
        self.flow(word).map(|found| Scope::Flow(found.flow.name.clone())).map_err(|fault| match fault {
            WordFault::Unknown { .. } => {
                let environments = self.flows.iter().flat_map(|f| &f.flow.environments).map(|e| e.name.as_str());
                unknown(word, "flow or environment", self.flow_names().chain(environments))
            }
            other => other,
        })
    }

    /// The flow of exactly that name.
    pub fn named(&self, name: &FlowName) -> Option<&FlowConfig> {
        self.flows.iter().find(|found| &found.flow.name == name)
    }

    /// The flows that a scope reaches.
    pub fn reach(&self, scope: &Scope) -> Vec<&FlowConfig> {
        let reached = |f: &&FlowConfig| match scope {
            Scope::All => true,
            Scope::Flow(flow) | Scope::Edge(flow, _) => &f.flow.name == flow,
            Scope::Environment(env) => f.flow.environment(env).is_some(),
        };
        self.flows.iter().filter(reached).collect()
    }

    fn flow_names(&self) -> impl Iterator<Item = &str> {
        self.flows.iter().map(|f| f.flow.name.as_str())
    }
}

impl FlowConfig {
    /// The environment of that name.
    ///
    /// # Errors
    /// None is called so.
    pub fn environment(&self, word: &str) -> Result<&Environment, WordFault> {
        let names = || self.flow.environments.iter().map(|e| e.name.as_str());
        self.flow.environment(&EnvName::new(word)).ok_or_else(|| unknown(word, "environment", names()))
    }
}
