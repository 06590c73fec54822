//! What every command starts with: the config, the store, git, and who is asking.

use std::path::{Path, PathBuf};

use towpath_core::explain::Words;
use towpath_core::model::Instant;
use towpath_core::model::{Actor, Flow, FlowName};

use super::Failure;
use super::exit::Exit;
use super::out::complain;
use crate::clock::Clock;
use crate::config::{Config, FlowConfig, Store};
use crate::engine::RealWorld;
use crate::engine::command::Person;
use crate::git::{Git, GitError};
use crate::store::{Create, SqliteStore};

/// A config with everything that is needed to work on it.
pub struct Session {
    /// The config.
    pub config: Config,
    /// Git, store and clock.
    pub world: RealWorld,
}

/// Whether a command only looks, changes what stands, or may make a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Records nothing, the clock included.
    View,
    /// Writes into a store that exists.
    Order,
    /// Makes the store if there is none.
    Create,
}

/// Finds and reads the config.
pub fn config(explicit: Option<&Path>) -> Result<Config, Failure> {
    let path = Config::find(explicit).map_err(Failure::Config)?;
    Config::load(&path).map_err(Failure::Config)
}

impl Session {
    /// Opens everything.
    pub async fn open(explicit: Option<&Path>, need: Need) -> Result<Self, Failure> {
        let config = config(explicit)?;
        let Store::Sqlite(path) = &config.service.store;
        let create = if need == Need::Create { Create::Yes } else { Create::No };
        let store = SqliteStore::open(path, create).await?;
        let cache = cache_of(path);
        let home = cache.join("home");
        let git = match Git::open(&home).await {
            Ok(git) => git,
            // An order is not to fail for want of what it does not use: a pause least of all.
            Err(error @ GitError::NotStarted(_)) if need != Need::Create => {
                complain(format!("towpath: {error}; what only the remote tells is not known"));
                Git::absent(&home)
            }
            Err(error) => return Err(Failure::Plain(Exit::Error, error.to_string())),
        };
        let world = RealWorld::new(&config, store, Clock::System, git, &cache, need == Need::View);
        Ok(Self { config, world })
    }

    /// The flows that a command is about: the named one, or all.
    pub fn flows(&self, word: Option<&str>) -> Result<Vec<&FlowConfig>, Failure> {
        match word {
            Some(word) => Ok(vec![self.config.flow(word)?]),
            None => Ok(self.config.flows.iter().collect()),
        }
    }

    /// The flow of that name.
    pub fn flow(&self, name: &FlowName) -> Option<&Flow> {
        self.config.flows.iter().map(|found| &found.flow).find(|flow| &flow.name == name)
    }
}

/// The folder beside the store that holds what can be fetched again: mirrors, and git's home.
pub fn cache_of(store: &Path) -> PathBuf {
    let mut name = store.file_name().unwrap_or_default().to_owned();
    name.push(".cache");
    store.with_file_name(name)
}

/// The words for a flow at an instant, with the remote as people would write it in a command.
pub fn words<'a>(flow: &'a Flow, remote: &'a str, now: Instant) -> Words<'a> {
    Words { zone: flow.zone, now, flow, remote_word: remote }
}

/// Who runs this command: `os:user@host`, and the e-mail that git knows them by.
pub fn person() -> Person {
    let name = Actor::new(format!("os:{}@{}", user(), host()));
    let email = git2::Config::open_default().ok().and_then(|config| config.get_string("user.email").ok());
    Person { name, email }
}

/// The name that the system has for our user id; the environment is not asked, for it can say anything.
fn user() -> String {
    let uid = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid-{uid}"))
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
