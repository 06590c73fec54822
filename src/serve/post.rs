//! Delivery while the service runs, in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::tell::post::{Delivered, deliver};

/// How long to wait at most: another process may have taken notices up.
const NAP_MAX: Duration = Duration::from_secs(15);

/// Sends what is due, again and again, until `stop`. What is under way then is sent again by the next process, under the
/// same id.
pub(super) fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    tokio::spawn(async move {
        loop {
            let nap = tokio::select! {
                () = stop.cancelled() => return,
                nap = once(&shared) => nap,
            };
            let setup = shared.setup();
            let more = setup.world.told();
            tokio::select! {
                () = stop.cancelled() => return,
                () = more.notified() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
    });
}

/// One delivery; how long to wait for the next.
async fn once(shared: &Arc<Shared>) -> Duration {
    let setup = shared.setup();
    let world = setup.clone();
    // What panics there must not end all delivery.
    let delivered =
        tokio::spawn(async move { deliver(world.world.store(), world.world.sinks(), world.world.clock()).await });
    match delivered.await {
        Ok(Ok(delivered)) => {
            count(shared, &delivered);
            let wall = setup.world.clock().reading().wall;
            match setup.world.store().given_up(wall).await {
                Ok(counts) => shared.metrics.given_up(setup.config.sinks.keys().map(String::as_str), &counts),
                Err(error) => tracing::warn!(%error, "what was given up cannot be counted"),
            }
            let due =
                delivered.next.map(|next| Duration::from_millis(u64::try_from(next.since(wall).ms()).unwrap_or(0)));
            due.unwrap_or(NAP_MAX).min(NAP_MAX)
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "notices cannot be read");
            NAP_MAX
        }
        Err(_) => {
            tracing::error!("delivery ended by a mistake in Towpath; it begins again");
            NAP_MAX
        }
    }
}

fn count(shared: &Shared, delivered: &Delivered) {
    for (result, of) in [("sent", &delivered.sent), ("failed", &delivered.failed), ("dead", &delivered.dead)] {
        for (sink, times) in of {
            shared.metrics.notices(sink, result, *times);
        }
    }
}
