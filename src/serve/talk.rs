//! Answers what people said in chats and in comments, from the store, while the service runs.
//!
//! Orders are carried out one after the other in the order in which they were said, in lanes of their own: what stops
//! things waits for nothing that asks a remote, and no answer that a platform does not take keeps any order waiting.
//! What sets something going is carried out at most once, and not if it was said long ago; what only stops is begun
//! again where a process died in the middle. Not here: whether a request is genuine (`chat`, `forge`), what is answered
//! (`views::say`), what a chat's row holds (`chatter`), and comments (`comment`).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use towpath_core::command::{Said, Verb};
use towpath_core::model::Span;

use super::{Shared, chatter, comment};
use crate::setup::Setup;
use crate::store::AskedRow;

/// How many questions, and how many comments, are answered at once.
const AT_ONCE: usize = 4;

/// How many are at work or wait for their turn; more stay in the store.
pub(super) const AT_WORK_MAX: usize = 500;

/// How long one is ours; while it is at work it is taken anew.
const OURS: Span = Span::from_mins(3);

/// After that long nothing is set going any more: whoever said it has given up, or done something else.
pub(super) const STALE: Span = Span::from_mins(10);

/// How long to wait at most: what another process left is found then.
const NAP_MAX: Duration = Duration::from_secs(15);

/// Where something waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// `pause`, `freeze`, `resume`: nothing but the store.
    Stops,
    /// `hold`, `unhold`.
    Holds,
    /// Every other order.
    Orders,
    /// Questions, and what is neither.
    Asks,
    /// Comments, which ask their forge first.
    Comments,
}

impl Lane {
    /// The lane of what was said.
    pub(super) fn of(said: Option<&Said>) -> Self {
        match said {
            Some(Said::Steer(command)) => match command.verb() {
                Verb::Pause | Verb::Freeze | Verb::Resume => Self::Stops,
                Verb::Hold | Verb::Unhold => Self::Holds,
                _ => Self::Orders,
            },
            Some(Said::Ask(_)) | None => Self::Asks,
        }
    }
}

/// Whether it only stops things, so that nothing is lost by doing it late or twice.
pub(super) fn only_stops(said: &Said) -> bool {
    stops(said.verb())
}

/// The same of the verb alone.
pub(super) const fn stops(verb: Verb) -> bool {
    matches!(verb, Verb::Pause | Verb::Freeze | Verb::Hold)
}

/// What is at work or waits for its turn, and the lanes.
struct Lanes {
    shared: Arc<Shared>,
    at_work: Mutex<HashSet<i64>>,
    stops: UnboundedSender<AskedRow>,
    holds: UnboundedSender<AskedRow>,
    orders: UnboundedSender<AskedRow>,
    asks: Arc<Semaphore>,
    comments: Arc<Semaphore>,
}

/// Answers, again and again, until `stop`.
pub(super) fn keep(shared: Arc<Shared>, stop: CancellationToken) {
    tokio::spawn(async move {
        let lanes = Lanes::start(shared.clone());
        loop {
            let setup = shared.setup();
            if hears(&setup) {
                lanes.work_off(&setup).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = shared.asked.notified() => {}
                () = tokio::time::sleep(NAP_MAX) => {}
            }
        }
    });
}

/// Whether anybody can say anything.
fn hears(setup: &Setup) -> bool {
    let config = &setup.config;
    !config.chats.is_empty() || config.forges.values().any(|forge| !forge.webhook_secrets.is_empty())
}

impl Lanes {
    fn start(shared: Arc<Shared>) -> Arc<Self> {
        let (stops, stops_in) = unbounded_channel();
        let (holds, holds_in) = unbounded_channel();
        let (orders, orders_in) = unbounded_channel();
        let seats = || Arc::new(Semaphore::new(AT_ONCE));
        let lanes = Arc::new(Self {
            shared,
            at_work: Mutex::default(),
            stops,
            holds,
            orders,
            asks: seats(),
            comments: seats(),
        });
        for lane in [stops_in, holds_in, orders_in] {
            lanes.clone().one_by_one(lane);
        }
        lanes
    }

    fn one_by_one(self: Arc<Self>, mut lane: UnboundedReceiver<AskedRow>) {
        tokio::spawn(async move {
            while let Some(row) = lane.recv().await {
                // What panics there must not end the lane.
                let lanes = self.clone();
                drop(tokio::spawn(async move { lanes.work(row).await }).await);
            }
        });
    }

    fn at_work<T>(&self, look: impl FnOnce(&mut HashSet<i64>) -> T) -> T {
        look(&mut self.at_work.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts everything that waits into its lane.
    async fn work_off(self: &Arc<Self>, setup: &Setup) {
        while self.at_work(|at_work| at_work.len()) < AT_WORK_MAX {
            let wall = setup.world.clock().reading().wall;
            let row = match setup.world.store().claim_asked(wall, wall + OURS).await {
                Ok(Some(row)) => row,
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "what was said cannot be read");
                    return;
                }
            };
            // It takes longer than it is ours: now it is again.
            if !self.at_work(|at_work| at_work.insert(row.seq)) {
                continue;
            }
            match lane(setup, &row) {
                Lane::Stops => drop(self.stops.send(row)),
                Lane::Holds => drop(self.holds.send(row)),
                Lane::Orders => drop(self.orders.send(row)),
                Lane::Asks => self.side_by_side(self.asks.clone(), row),
                Lane::Comments => self.side_by_side(self.comments.clone(), row),
            }
        }
    }

    fn side_by_side(self: &Arc<Self>, seats: Arc<Semaphore>, row: AskedRow) {
        let lanes = self.clone();
        tokio::spawn(async move {
            let _seat = seats.acquire_owned().await;
            lanes.work(row).await;
        });
    }

    /// Works on one. The answer is given beside, so that nothing waits for a platform.
    async fn work(self: Arc<Self>, row: AskedRow) {
        let setup = self.shared.setup();
        if let Some(forge) = row.place.strip_prefix("forge:") {
            let words = comment::work(&self.shared, &setup, (forge, &row)).await;
            self.end(&setup, row.seq, words).await;
            return;
        }
        let answer = chatter::work(&self.shared, &setup, &row).await;
        tokio::spawn(async move {
            let words = match answer {
                Ok(answer) => chatter::answer(&setup, answer).await,
                Err(words) => Some(words),
            };
            self.end(&setup, row.seq, words).await;
        });
    }

    async fn end(&self, setup: &Setup, seq: i64, words: Option<String>) {
        if let Err(error) = setup.world.store().end_asked(seq, words.as_deref()).await {
            tracing::warn!(%error, "that something was answered could not be noted");
        }
        self.at_work(|at_work| at_work.remove(&seq));
        self.shared.asked.notify_one();
    }
}

/// Where a row waits for its turn.
fn lane(setup: &Setup, row: &AskedRow) -> Lane {
    if row.place.starts_with("forge:") { Lane::Comments } else { chatter::lane(setup, row) }
}
