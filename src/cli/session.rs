//! What every command starts with: the config, the store, git, and who is asking.

use std::path::Path;

use towpath_core::model::Actor;

use super::Failure;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::command::Person;

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
