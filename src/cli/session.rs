//! What every command starts with: the config, the store, git, and who is asking.

use std::path::Path;

use towpath_core::model::{AuditRow, Concerns, Now};
use towpath_core::people::{Identity, Surface};

use super::Failure;
use super::out::complain;
use crate::clock::Clock;
use crate::config::{Config, Store};
use crate::discover::{OfForge, Told, discovered, no_list};
use crate::engine::command::{Person, audited};
use crate::setup::listed;
use crate::store::{Create, SqliteStore, StoreError};
use crate::views::Exit;

pub use crate::views::words;

pub use crate::setup::{Need, Setup as Session};

/// Finds and reads the config.
pub fn config(explicit: Option<&Path>) -> Result<Config, Failure> {
    let path = Config::find(explicit).map_err(Failure::Config)?;
    Config::load(&path).map_err(Failure::Config)
}

/// Finds the config and opens everything that it names.
pub async fn open(explicit: Option<&Path>, need: Need) -> Result<Session, Failure> {
    Ok(Session::open(config(explicit)?, Clock::System, need).await?)
}

/// The same with what the forges list now, for what looks afresh itself; remembered where a store may be made.
///
/// # Errors
/// Also where there is no flow at all, because no forge could be asked for its repositories.
pub async fn open_afresh(explicit: Option<&Path>, need: Need) -> Result<Session, Failure> {
    let (session, found) = discovered(open(explicit, need).await?, need == Need::Create).await?;
    if session.config.flows.is_empty() && found.knows_none() {
        let why = |of: &OfForge| Some(no_list(&of.forge, of.listed.as_ref().err()?));
        let why: Vec<String> = found.forges.iter().filter_map(why).collect();
        let words = format!("there is no flow yet, and nowhere to learn of one: {}", why.join("; "));
        return Err(Failure::Plain(Exit::Unreachable, words));
    }
    Told::default().tell(&found);
    Ok(session)
}

/// The config with what is remembered of repositories that were discovered: as far as there is a store. Records nothing.
pub async fn config_as_known(explicit: Option<&Path>) -> Result<Config, Failure> {
    let config = config(explicit)?;
    let Store::Sqlite(path) = &config.service.store;
    if !config.discovers() {
        return Ok(config);
    }
    let rows = match SqliteStore::open(path, Create::No).await {
        Ok(store) => store.discovered().await,
        Err(error) => Err(error),
    };
    match rows {
        Ok(rows) => Ok(config.with(&listed(&rows)).0),
        // Nothing ever ran here.
        Err(StoreError::Absent { .. }) => Ok(config),
        Err(error) => {
            complain(format!("What was discovered is not known here: {error}"));
            Ok(config)
        }
    }
}

/// Who runs this command: `os:user@host`, and the e-mail that git knows them by.
pub fn person() -> Person {
    let identity = Identity::Os { user: user(), host: host() };
    let email = git2::Config::open_default().ok().and_then(|config| config.get_string("user.email").ok());
    Person { email, ..Person::new(identity, Surface::Cli) }
}

/// The row that says who did what is no command of the core's: made a token, had something sent again.
pub fn audit(now: Now, command: String, effect: String) -> AuditRow {
    audited("command", now, person().identity.actor(), command, (true, effect), Concerns::none())
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
