//! Swapping the config of a running service: on SIGHUP, when the file has changed, or when something was discovered.
//!
//! Read, judged whole, compared, then swapped; on any error the old one stays in force, and the
//! log, the audit, the metrics and the health page say so until a good one comes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use towpath_core::model::{Actor, Change, Concerns};
use towpath_core::text::one_line;

use super::{Refused, Reload, Shared};
use crate::config::{self, Config, Print, Problems};
use crate::engine::World as _;
use crate::engine::command::audited;
use crate::setup::{Setup, listed};
use crate::store::DiscoveredRow;

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
    /// The same file, with these repositories as the discovered ones.
    Found(Vec<DiscoveredRow>),
}

/// Reads the config anew whenever the file has changed and has settled, or somebody sent SIGHUP: in a task of its own
/// that ends with the receiver, for a disk that hangs must not keep the loop waiting.
pub(super) fn fresh_ones(config: &Config, send: mpsc::Sender<Fresh>) {
    let mut reader = Reader::new(config);
    tokio::spawn(async move {
        loop {
            let fresh = tokio::select! {
                () = send.closed() => return,
                fresh = reader.next() => fresh,
            };
            if send.send(fresh).await.is_err() {
                return;
            }
        }
    });
}

struct Reader {
    path: PathBuf,
    hangup: Option<Signal>,
    every: tokio::time::Interval,
    /// The file as it was when it was last read; none if there was none.
    read: Option<Print>,
    /// The file at the last look: it is read once it has stopped changing.
    seen: Option<Print>,
}

impl Reader {
    fn new(config: &Config) -> Self {
        let hangup = signal(SignalKind::hangup())
            .inspect_err(|error| tracing::warn!(%error, "SIGHUP will not reload the config"))
            .ok();
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Not the file as it is now: it may have been written since it was read.
        Self { path: config.path.clone(), hangup, every, read: config.print, seen: config.print }
    }

    async fn next(&mut self) -> Fresh {
        loop {
            let asked = tokio::select! {
                () = hung_up(self.hangup.as_mut()) => true,
                _ = self.every.tick() => false,
            };
            let now = aside(&self.path, Print::at).await.flatten();
            // That it is gone is a change, too.
            let settled = now != self.read && now == self.seen;
            self.seen = now;
            if !asked && !settled {
                continue;
            }
            self.read = now;
            match aside(&self.path, Config::load_again).await {
                Some(Ok(config)) => {
                    self.read = config.print;
                    return Fresh::Good(Box::new(config));
                }
                Some(Err(problems)) => return Fresh::Bad(problems),
                None => {
                    tracing::error!("the config was not read, by a mistake in Towpath; the old one stays in force");
                }
            }
        }
    }
}

/// Does what asks a disk beside the other tasks; none if it panicked.
async fn aside<T: Send + 'static>(path: &Path, work: fn(&Path) -> T) -> Option<T> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || work(&path)).await.ok()
}

async fn hung_up(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Puts a fresh config in force, or says everywhere why the old one stays. Answers which.
pub async fn reload(shared: &Shared, fresh: Fresh) -> bool {
    let before = shared.setup();
    let config = match fresh {
        Fresh::Found(rows) => return found(shared, &before, &rows).await,
        Fresh::Good(mut config) => {
            // The socket stays where it is, and what may be read without a token depends on it.
            config.service.listen = before.config.service.listen;
            *config
        }
        Fresh::Bad(problems) => {
            let whole = config::to_text(&problems, config::Style::Plain).trim_end().to_owned();
            refuse(shared, Refused { whole, told: config::to_places(&problems) }).await;
            return false;
        }
    };
    if config.service.store != before.config.service.store {
        let why = "`store` cannot change while the service runs; stop it, then start it".to_owned();
        refuse(shared, Refused { whole: why.clone(), told: why }).await;
        return false;
    }
    let config = discovered_before(&before, config).await;
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
    // Other groups and forges may have other repositories.
    shared.discover.notify_one();
    audit_changes(shared, "reload", &changes).await;
    note(shared, None);
    true
}

/// What is remembered of repositories that were discovered belongs to any config. Where that cannot be read now, those
/// that are flows stay.
async fn discovered_before(before: &Setup, config: Config) -> Config {
    if !config.discovers() {
        return config;
    }
    let listed = match before.world.store().discovered().await {
        Ok(rows) => listed(&rows),
        Err(error) => {
            tracing::warn!(%error, "what was discovered cannot be read; the flows that are stay");
            before.config.flows.iter().filter_map(|found| found.discovered.clone()).collect()
        }
    };
    config.with(&listed).0
}

/// Puts what was discovered in force, if that is another thing than before. Answers whether it is.
async fn found(shared: &Shared, before: &Setup, rows: &[DiscoveredRow]) -> bool {
    let (after, _) = before.with(&listed(rows));
    let of = |setup: &Setup| -> Vec<_> {
        setup.config.flows.iter().map(|found| (found.flow.name.clone(), found.discovered.clone())).collect()
    };
    if of(before) == of(&after) {
        return false;
    }
    let changes = config::changes(&before.config, &after.config);
    for change in &changes {
        tracing::info!(flow = change.flow, "discovered: {change}");
    }
    shared.swap(after);
    audit_changes(shared, "discover", &changes).await;
    true
}

/// The audit has what is looser first.
async fn audit_changes(shared: &Shared, what: &str, changes: &[config::Changed]) {
    let mut said: Vec<String> = changes.iter().filter(|c| c.loosens).map(ToString::to_string).collect();
    said.extend(changes.iter().filter(|c| !c.loosens).map(ToString::to_string));
    let more = said.len().saturating_sub(AUDITED_MAX);
    said.truncate(AUDITED_MAX);
    if more > 0 {
        said.push(format!("and {more} more, which the log names"));
    }
    if !said.is_empty() {
        audit(shared, what, true, said.join("; ")).await;
    }
}

async fn refuse(shared: &Shared, why: Refused) {
    // Somebody who sends SIGHUP again and again learns it from the log; the audit has it once.
    if shared.pulse.last_reload().is_some_and(|last| last.refused.as_ref() == Some(&why)) {
        tracing::warn!("the config is refused for the same reason as before, the old one stays in force");
    } else {
        tracing::error!("the new config is refused, the old one stays in force: {}", why.whole);
        audit(shared, "reload", false, format!("the old config stays in force: {}", one_line(&why.told, 1_000)))
            .await;
    }
    note(shared, Some(why));
}

fn note(shared: &Shared, refused: Option<Refused>) {
    let at = shared.setup().world.clock().reading().wall;
    shared.metrics.reloaded(refused.is_none(), at);
    shared.pulse.reloaded(Reload { at, refused });
}

async fn audit(shared: &Shared, what: &str, allowed: bool, effect: String) {
    let world = &shared.setup().world;
    let now = match world.now().await {
        Ok(now) => now,
        Err(error) => {
            tracing::warn!(%error, "the {what} is not in the audit");
            return;
        }
    };
    let (by, command) = (Actor::new(crate::engine::run::US), what.to_owned());
    // One that is refused changes nothing for any flow.
    let concerns = if allowed { Concerns::All } else { Concerns::none() };
    let row = audited(what, now, by, command, (allowed, effect), concerns);
    if let Err(error) = world.commit(None, None, &[Change::Audit(row)]).await {
        tracing::warn!(%error, "the {what} is not in the audit");
    }
}
