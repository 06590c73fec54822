//! Has what people said in chats and in comments answered, from the store, while the service runs.
//!
//! Orders are carried out in turn, in the order in which they were said, in lanes of their own: what stops things waits for
//! nothing that asks a remote, and no answer that a platform does not take keeps any order waiting. Each is done once, also
//! where a process died in the middle, and what sets something going not if it was said long ago. Not here: whether a
//! request is genuine (`chat`, `forge`), taking it up (`intake`), what is answered (`views::say`), whose turn it is
//! (`lanes`), what a chat's row holds (`chatter`), and comments (`comment`).

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use towpath_core::command::{Said, Verb};

use super::Shared;
use super::lanes::Lanes;
use crate::setup::Setup;

/// How long to wait at most: what another process left is found then.
const NAP_MAX: Duration = Duration::from_secs(3);

/// Whether it only stops things, so that nothing is lost by doing it late.
pub(super) fn only_stops(said: &Said) -> bool {
    stops(said.verb())
}

/// The same of the verb alone.
pub(super) const fn stops(verb: Verb) -> bool {
    matches!(verb, Verb::Pause | Verb::Freeze | Verb::Hold)
}

/// Answers, again and again, until `stop`; then what is at work is ended or given back, and this with it.
pub(super) fn keep(shared: Arc<Shared>, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
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
