//! Takes up what people said in chats and in comments, and has it answered from the store while the service runs.
//!
//! Orders are carried out in turn, in the order in which they were said, in lanes of their own: what stops things waits for
//! nothing that asks a remote, and no answer that a platform does not take keeps any order waiting. Each is done once, also
//! where a process died in the middle, and what sets something going not if it was said long ago. Not here: whether a
//! request is genuine (`chat`, `forge`), what is answered (`views::say`), whose turn it is (`lanes`), what a chat's row
//! holds (`chatter`), and comments (`comment`).

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use towpath_core::command::{Said, Verb};

use super::lanes::Lanes;
use super::{Shared, chatter};
use crate::chat::incoming::{Incoming, Refused};
use crate::setup::Setup;
use crate::store::StoreError;

/// How long to wait at most: what another process left is found then.
const NAP_MAX: Duration = Duration::from_secs(3);

/// Whether it only stops things, so that nothing is lost by doing it late.
pub(super) fn only_stops(said: &Said) -> bool {
    matches!(said.verb(), Verb::Pause | Verb::Freeze | Verb::Hold)
}

/// Takes up what somebody said; whether it is durable, or was before.
///
/// # Errors
/// If it cannot be stored.
pub async fn take(setup: &Setup, chat: &str, asked: &Incoming) -> Result<bool, StoreError> {
    let wall = setup.world.clock().reading().wall;
    let text = serde_json::to_string(asked).unwrap_or_default();
    let (place, lane) = (format!("chat:{chat}"), chatter::lane_of(setup, chat, asked));
    setup.world.store().take_asked((&place, &asked.once), wall, &text, lane.word()).await
}

/// Answers, again and again, until `stop`; then what is at work is ended or given back, and this with it.
pub(super) fn keep(shared: Arc<Shared>, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        sockets(&shared, &stop);
        let lanes = Lanes::new(shared.clone(), stop.clone());
        let renewing = tokio::spawn(lanes.clone().renew());
        loop {
            let setup = shared.setup();
            if hears(&setup) {
                lanes.work_off(&setup).await;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = shared.asked.notified() => {}
                () = tokio::time::sleep(NAP_MAX) => {}
            }
        }
        lanes.give_back().await;
        renewing.abort();
    })
}

/// Whether anybody can say anything.
fn hears(setup: &Setup) -> bool {
    let config = &setup.config;
    !config.chats.is_empty() || config.forges.values().any(|forge| !forge.webhook_secrets.is_empty())
}

/// Opens the connections of Socket Mode. They follow the config of the start: a reload does not open or close any, but
/// what comes from a team that is no longer in the config is not carried out.
fn sockets(shared: &Arc<Shared>, stop: &CancellationToken) {
    for system in shared.setup().chats.all() {
        let Some(made) = system.socket() else { continue };
        let (shared, stop, name) = (shared.clone(), stop.clone(), system.config.name.clone());
        match made {
            Ok(socket) => {
                tokio::spawn(async move {
                    let heard = |came| heard(shared.clone(), name.clone(), came);
                    socket.run(heard, &stop).await;
                });
            }
            Err(error) => tracing::error!(chat = name, error, "Socket Mode cannot be used"),
        }
    }
}

/// What came through a socket: whether it is durable.
async fn heard(shared: Arc<Shared>, chat: String, came: Result<Incoming, Refused>) -> bool {
    let setup = shared.setup();
    match came {
        Err(why) => {
            shared.metrics.hook("chat", why.word());
            tracing::info!(chat, result = why.word(), "a request of a chat was refused");
            false
        }
        Ok(asked) => match take(&setup, &chat, &asked).await {
            Ok(new) => {
                shared.metrics.hook("chat", if new { "taken" } else { "repeated" });
                shared.asked.notify_one();
                true
            }
            Err(error) => {
                tracing::warn!(%error, chat, "what was said in a chat could not be stored");
                false
            }
        },
    }
}
