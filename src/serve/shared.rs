//! What the loop and the web surfaces of one running service share.
//!
//! The setup can be swapped by a reload: take it once at the beginning of a piece of work and keep
//! it to the end. Nothing here does I/O.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{Notify, Semaphore};
use towpath_core::model::FlowName;

use super::metrics::Metrics;
use super::pressed::Pressed;
use super::pulse::Pulse;
use super::queue::{Queue, Wake};
use crate::setup::Setup;

/// One running service.
#[derive(Debug)]
pub struct Shared {
    setup: RwLock<Arc<Setup>>,
    queue: Mutex<Queue>,
    woken: Notify,
    /// Has what forges list looked at soon.
    pub discover: Notify,
    /// Has what people said in chats answered.
    pub asked: Notify,
    /// Has the connections of Socket Mode follow the config; for one who waits.
    pub(super) reloaded: Notify,
    /// How many are told something beside the answers at once.
    pub(super) beside: Arc<Semaphore>,
    /// Who waits for the answer to a press in its own response.
    pub pressed: Pressed,
    /// How the service itself is doing.
    pub pulse: Pulse,
    /// What it counts.
    pub metrics: Metrics,
}

impl Shared {
    /// A service under a setup: every flow is known, none is woken yet.
    pub fn new(setup: Setup) -> Self {
        let mut queue = Queue::new(setup.config.service.at_once);
        queue.set_flows(setup.config.flows.iter().map(|found| found.flow.name.clone()));
        Self {
            setup: RwLock::new(Arc::new(setup)),
            queue: Mutex::new(queue),
            woken: Notify::new(),
            discover: Notify::new(),
            asked: Notify::new(),
            reloaded: Notify::new(),
            beside: Arc::new(Semaphore::new(4)),
            pressed: Pressed::default(),
            pulse: Pulse::default(),
            metrics: Metrics::default(),
        }
    }

    /// The config and the world as they are now.
    pub fn setup(&self) -> Arc<Setup> {
        self.setup.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on, this one. Work that has begun goes on under the old one, but begins no push
    /// any more.
    pub fn swap(&self, setup: Setup) {
        let setup = Arc::new(setup);
        self.queue(|queue| {
            queue.set_seats(setup.config.service.at_once);
            queue.set_flows(setup.config.flows.iter().map(|found| found.flow.name.clone()));
        });
        let mut current = self.setup.write().unwrap_or_else(PoisonError::into_inner);
        current.world.retire();
        *current = setup;
        drop(current);
        self.reloaded.notify_one();
    }

    /// Has a flow looked at as soon as there is room. Says whether there is such a flow.
    pub fn wake(&self, flow: &FlowName, why: Wake) -> bool {
        let known = self.queue(|queue| queue.wake(flow, why));
        self.woken.notify_one();
        known
    }

    /// Has every flow looked at.
    pub fn wake_all(&self, why: Wake) {
        self.queue(|queue| queue.wake_all(why));
        self.woken.notify_one();
    }

    /// Waits until something was woken since the last wait.
    pub async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Does something to the queue.
    pub fn queue<T>(&self, work: impl FnOnce(&mut Queue) -> T) -> T {
        work(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
