//! How the repositories of a config are reached: git's URL, whose certificates, and which token.
//!
//! A token is never held, only its place. Not here: git itself, and what a forge's API is asked.

use towpath_core::model::{FlowName, Unknown, UnknownWhy};

use crate::config::{Config, FlowConfig, Forge, SecretRef};
use crate::forge::client::Fault;
use crate::git::{self, BadToken, Remote};
use crate::secret::Secret;

/// How a flow's repository is reached.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) flow: FlowName,
    pub(super) remote: Result<Remote, Unknown>,
    pub(super) login: Option<Login>,
}

/// What git logs in with.
#[derive(Debug, Clone)]
pub(super) enum Login {
    /// A token that the config names.
    Token(Token),
    /// What the forge's adapter makes; the forge's name.
    OfForge(String),
}

/// Where the token of a forge is, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct Token {
    forge: String,
    user: String,
    place: SecretRef,
}

/// How each flow of a config is reached.
pub(super) fn of(config: &Config) -> Vec<Reach> {
    let reach = |found: &FlowConfig| {
        let remote = Remote::parse(&found.remote, &config.base_dir)
            .map_err(|bad| Unknown::lasting(UnknownWhy::Unreadable { words: bad.to_string() }));
        let forge = found.forge.as_ref().and_then(|name| config.forges.get(name));
        let remote = match forge.and_then(|forge| forge.ca.clone()) {
            Some(ca) => remote.map(|remote| remote.trusting(ca)),
            None => remote,
        };
        Reach { flow: found.flow.name.clone(), remote, login: forge.and_then(login) }
    };
    config.flows.iter().map(reach).collect()
}

fn login(forge: &Forge) -> Option<Login> {
    if forge.app.is_some() {
        return Some(Login::OfForge(forge.name.clone()));
    }
    let place = forge.token.clone()?;
    Some(Login::Token(Token { forge: forge.name.clone(), user: forge.user.clone(), place }))
}

/// A login that a forge's adapter has made.
pub(super) fn made(forge: &str, made: Result<(String, Secret), Fault>) -> Result<git::Login, Unknown> {
    let unusable = |words: String| Unknown::lasting(UnknownWhy::TokenUnusable { forge: forge.to_owned(), words });
    let (user, password) = made.map_err(|fault| match fault {
        // Nobody was asked yet.
        Fault::Credential { words } => unusable(words),
        asked => asked.unknown(),
    })?;
    git::Login::new(forge, &user, password.expose()).map_err(|bad| unusable(format!("what the forge gave: {bad}")))
}

impl Token {
    /// Reads it.
    pub(super) fn login(&self) -> Result<git::Login, Unknown> {
        let unusable =
            |words: String| Unknown::lasting(UnknownWhy::TokenUnusable { forge: self.forge.clone(), words });
        let secret = Secret::read(&self.place).map_err(|fault| unusable(fault.to_string()))?;
        let said = |bad: BadToken| match &self.place {
            SecretRef::Env(name) => unusable(format!("the environment variable `{name}`: {bad}")),
            SecretRef::File(path) => unusable(format!("`{}`: {bad}", path.display())),
        };
        git::Login::new(&self.forge, &self.user, secret.expose()).map_err(said)
    }
}

/// Why a repository or its forge was not reached, for whoever has no more than a line of words.
pub fn in_words(why: UnknownWhy) -> String {
    match why {
        UnknownWhy::TokenUnusable { forge, words } => {
            format!("the token of [forge.{forge}] cannot be used: {words}")
        }
        UnknownWhy::Limited { words, .. }
        | UnknownWhy::Unreadable { words }
        | UnknownWhy::CredentialsRefused { words }
        | UnknownWhy::NoRepository { words }
        | UnknownWhy::NoTeam { words, .. }
        | UnknownWhy::Unreachable { words } => words,
        why => format!("{why:?}"),
    }
}
