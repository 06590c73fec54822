//! How the service itself is doing: what `/livez`, `/readyz` and the views say of it.
//!
//! Plain values behind a lock; nothing here decides anything about a flow.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use towpath_core::model::Instant;

/// After so many looks without a finished tick the service is not alive.
const LOOKS_MAX: u32 = 3;

/// The health of one running service.
#[derive(Debug, Default)]
pub struct Pulse {
    looks_unanswered: Arc<AtomicU32>,
    stopping: AtomicBool,
    store: Mutex<Option<String>>,
    reload: Mutex<Option<Reload>>,
}

/// How the last reload of the config ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reload {
    /// When.
    pub at: Instant,
    /// Why the old config is still in force, if it is.
    pub refused: Option<Refused>,
}

/// Why a new config was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// With the lines of the file: for the log alone.
    pub whole: String,
    /// Where it is wrong, without what is written there: for whoever asks.
    pub told: String,
}

impl Pulse {
    /// The count of looks since a tick last finished, for the schedule to add to.
    pub fn looks(&self) -> Arc<AtomicU32> {
        self.looks_unanswered.clone()
    }

    /// A tick has finished, or there was nothing to do.
    pub fn beat(&self) {
        self.looks_unanswered.store(0, Ordering::Relaxed);
    }

    /// Whether ticks finish.
    pub fn is_alive(&self) -> bool {
        self.looks_unanswered.load(Ordering::Relaxed) < LOOKS_MAX
    }

    /// From now on nothing new is begun.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the service is on its way out.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The last pass could not be recorded, because the store as a whole takes nothing.
    pub fn store_fails(&self, words: String) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// A pass was recorded.
    pub fn store_works(&self) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why passes cannot be recorded, if they cannot.
    pub fn store_fault(&self) -> Option<String> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how a reload ended.
    pub fn reloaded(&self, reload: Reload) {
        *self.reload.lock().unwrap_or_else(PoisonError::into_inner) = Some(reload);
    }

    /// How the last reload ended; none before the first.
    pub fn last_reload(&self) -> Option<Reload> {
        self.reload.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_looks_without_a_finished_tick_are_the_end() {
        let pulse = Pulse::default();
        let looks = pulse.looks();
        for _ in 0..LOOKS_MAX {
            assert!(pulse.is_alive());
            looks.fetch_add(1, Ordering::Relaxed);
        }
        assert!(!pulse.is_alive());
        pulse.beat();
        assert!(pulse.is_alive());
    }
}
