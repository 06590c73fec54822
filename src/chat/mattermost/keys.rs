//! The key by which a server's triggers are checked: asked for when it is needed, kept, and asked for anew where a
//! trigger does not fit it, for it may have been changed since.
//!
//! Only for what has been proven otherwise (a seal of ours, a token) is anything asked, one call at a time, and seldom.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::Mattermost;
use super::trigger::{Trigger, TriggerKey};

/// How long the server may take: whoever pressed waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it is not asked again.
#[derive(Debug, Clone, Copy)]
pub struct Rests {
    /// Where no key is known.
    pub without: Duration,
    /// Where there is one that something did not fit.
    pub with: Duration,
}

impl Default for Rests {
    fn default() -> Self {
        Self { without: Duration::from_secs(10), with: Duration::from_secs(5 * 60) }
    }
}

/// The key of one server, as far as it is known.
#[derive(Debug, Default)]
pub struct Keys {
    known: Mutex<Known>,
    rests: Rests,
}

#[derive(Debug, Default)]
struct Known {
    key: Option<TriggerKey>,
    /// When it was asked for last.
    asked: Option<Instant>,
}

impl Keys {
    /// One that knows nothing yet.
    #[cfg(test)]
    pub fn new(rests: Rests) -> Self {
        Self { known: Mutex::default(), rests }
    }

    /// The key to judge by; none where the server tells none. `trigger` is what is to be judged, where it can be: one
    /// that the known key did not sign has the key asked for anew, if that was not done lately.
    pub async fn for_trigger(&self, server: &Mattermost, trigger: Option<&Trigger>) -> Option<TriggerKey> {
        // Held through the call: who comes meanwhile waits for its answer and asks nothing.
        let mut known = self.known.lock().await;
        let rest = match &known.key {
            Some(key) if trigger.is_none_or(|trigger| key.signed(trigger)) => return known.key.clone(),
            Some(_) => self.rests.with,
            None => self.rests.without,
        };
        if known.asked.is_some_and(|at| at.elapsed() < rest) {
            return known.key.clone();
        }
        known.asked = Some(Instant::now());
        match timeout(PATIENCE, server.trigger_key()).await {
            Ok(Ok(key)) => {
                if known.key.is_some() && known.key != key {
                    tracing::warn!("Mattermost signs who does something with another key than before");
                }
                known.key = key;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "Mattermost does not say with which key it signs who does something");
            }
            Err(_) => tracing::warn!("Mattermost does not say in time with which key it signs who does something"),
        }
        known.key.clone()
    }
}
