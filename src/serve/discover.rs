//! Discovery while the service runs: at the start, every hour, and after each new config.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Shared;
use super::reload::Fresh;
use crate::discover::{self, Found, Told};
use crate::setup::Setup;

/// How long after one discovery the next one begins.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// The same after one in which a list could not be read.
const AGAIN: Duration = Duration::from_secs(5 * 60);

/// Discovers again and again, and hands on that there is something new, in a task of its own: a forge that is slow
/// keeps no flow waiting. Ends with the receiver.
pub(super) fn keep(shared: Arc<Shared>, send: mpsc::Sender<Fresh>) {
    tokio::spawn(async move {
        let mut told = Told::default();
        loop {
            let wait = tokio::select! {
                () = send.closed() => return,
                wait = once(&shared, &send, &mut told) => wait,
            };
            tokio::select! {
                () = send.closed() => return,
                () = shared.discover.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    });
}

/// One discovery; how long to wait for the next.
async fn once(shared: &Arc<Shared>, send: &mpsc::Sender<Fresh>, told: &mut Told) -> Duration {
    let setup = shared.setup();
    if !setup.config.discovers() {
        return EVERY;
    }
    // What panics there must not end all discovery.
    let Ok(found) = tokio::spawn(async move { remembered(&setup).await }).await else {
        tracing::error!("discovery ended by a mistake in Towpath; what was discovered before stays");
        return EVERY;
    };
    let Some(found) = found else { return AGAIN };
    told.tell(&found);
    // Also where nothing is new here: another process may have discovered something.
    let _ = send.send(Fresh::Found(found.rows)).await;
    if found.forges.iter().any(|of| of.listed.is_err()) { AGAIN } else { EVERY }
}

/// What was found, once it is durable.
async fn remembered(setup: &Setup) -> Option<Found> {
    let found = discover::look(setup, discover::SERVICE_MAX).await;
    let kept = match &found {
        Ok(found) if found.changed.is_empty() => Ok(()),
        Ok(found) => setup.world.store().remember_discovered(&found.changed).await,
        Err(_) => Ok(()),
    };
    match (found, kept) {
        (Ok(found), Ok(())) => Some(found),
        (Err(error), _) | (_, Err(error)) => {
            tracing::warn!(%error, "discovery: the store failed; what was discovered before stays");
            None
        }
    }
}
