//! Swapping the config of a running service: on SIGHUP, or when the file has changed.
//!
//! Read, judged whole, compared, then swapped; on any error the old one stays in force, and the
//! log, the audit, the metrics and the health page say so until a good one comes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{Signal, SignalKind, signal};
use towpath_core::model::{Actor, Change};
use towpath_core::text::one_line;

use super::{Reload, Shared};
use crate::config::{self, Config, Problems};
use crate::engine::World as _;
use crate::engine::command::audited;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How many changes are written into one audit row; the log has all.
const AUDITED_MAX: usize = 50;

/// What a reload has to work with.
#[derive(Debug)]
pub enum Fresh {
    /// A config without errors.
    Good(Box<Config>),
    /// What is wrong with the file.
    Bad(Problems),
}

/// Says when the config is to be read again.
pub(super) struct Reloader {
    path: PathBuf,
    hangup: Option<Signal>,
    every: tokio::time::Interval,
    /// The file as it was when it was last read.
    read: Option<Print>,
    /// The file at the last look, if it differed: it is read once it has stopped changing.
    seen: Option<Print>,
}

/// Enough to tell whether a file was written or replaced.
type Print = (SystemTime, u64, u64);

impl Reloader {
    pub fn new(config: &Config) -> Self {
        let hangup = signal(SignalKind::hangup())
            .inspect_err(|error| tracing::warn!(%error, "SIGHUP will not reload the config"))
            .ok();
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let path = config.path.clone();
        Self { hangup, every, read: print(&path), seen: None, path }
    }

    /// Waits until the file was changed and has settled, or somebody sent SIGHUP; then reads it.
    /// Nothing is lost when the wait is given up.
    pub async fn changed(&mut self) -> Fresh {
        loop {
            let asked = tokio::select! {
                () = hung_up(self.hangup.as_mut()) => true,
                _ = self.every.tick() => false,
            };
            let now = print(&self.path);
            let settled = now.is_some() && now != self.read && now == self.seen;
            self.seen = now;
            if asked || settled {
                self.read = now;
                return match Config::load(&self.path) {
                    Ok(config) => Fresh::Good(Box::new(config)),
                    Err(problems) => Fresh::Bad(problems),
                };
            }
        }
    }
}

async fn hung_up(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

fn print(path: &Path) -> Option<Print> {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(path).ok()?;
    Some((data.modified().ok()?, data.len(), data.ino()))
}

/// Puts a fresh config in force, or says everywhere why the old one stays. Answers which.
pub async fn reload(shared: &Shared, fresh: Fresh) -> bool {
    let before = shared.setup();
    let config = match fresh {
        Fresh::Good(mut config) => {
            // The socket stays where it is, and what may be read without a token depends on it.
            config.service.listen = before.config.service.listen;
            *config
        }
        Fresh::Bad(problems) => {
            let why = config::to_text(&problems, config::Style::Plain);
            refuse(shared, why.trim_end()).await;
            return false;
        }
    };
    if config.service.store != before.config.service.store {
        refuse(shared, "`store` cannot change while the service runs; stop it, then start it").await;
        return false;
    }
    let changes = config::changes(&before.config, &config);
    if changes.iter().any(|change| change.what.starts_with("`service.listen`")) {
        tracing::warn!("`listen` takes effect at the next start");
    }
    if changes.is_empty() {
        tracing::info!("the config was read again; nothing in it has changed");
    }
    for change in &changes {
        if change.loosens {
            tracing::warn!(flow = change.flow, "config reloaded: {change}");
        } else {
            tracing::info!(flow = change.flow, "config reloaded: {change}");
        }
    }
    shared.swap(before.under(config));
    let mut said: Vec<String> = changes.iter().filter(|c| c.loosens).map(ToString::to_string).collect();
    said.extend(changes.iter().filter(|c| !c.loosens).map(ToString::to_string));
    let more = said.len().saturating_sub(AUDITED_MAX);
    said.truncate(AUDITED_MAX);
    if more > 0 {
        said.push(format!("and {more} more, which the log names"));
    }
    if !said.is_empty() {
        audit(shared, true, said.join("; ")).await;
    }
    note(shared, None);
    true
}

async fn refuse(shared: &Shared, why: &str) {
    tracing::error!("the new config is refused, the old one stays in force: {why}");
    audit(shared, false, format!("the old config stays in force: {}", one_line(why, 1_000))).await;
    note(shared, Some(why.to_owned()));
}

fn note(shared: &Shared, refused: Option<String>) {
    let at = shared.setup().world.clock().reading().wall;
    shared.metrics.reloaded(refused.is_none(), at);
    shared.pulse.reloaded(Reload { at, refused });
}

async fn audit(shared: &Shared, allowed: bool, effect: String) {
    let world = &shared.setup().world;
    let now = match world.now().await {
        Ok(now) => now,
        Err(error) => {
            tracing::warn!(%error, "the reload is not in the audit");
            return;
        }
    };
    let (by, command) = (Actor::new(crate::engine::run::US), "reload".to_owned());
    let row = audited("reload", now, by, command, (allowed, effect));
    if let Err(error) = world.commit(None, None, &[Change::Audit(row)]).await {
        tracing::warn!(%error, "the reload is not in the audit");
    }
}
