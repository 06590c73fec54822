//! The lanes in which what people said is carried out: one by one where it steers, side by side where it asks.
//!
//! What waits stays in the store until its turn comes, so a stop or a kill leaves it there in its order, and several
//! processes on one store work on the same lanes. What another process had begun waits again as soon as that process is
//! certainly gone, or has not renewed its claim. Not here: what a turn does (`chatter`, `comment`), whether it still holds
//! (`late`), and how claims and turns are kept (`store`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use towpath_core::command::{Said, Verb};
use towpath_core::model::{Instant, Span};

use super::{Shared, chatter, comment};
use crate::setup::Setup;
use crate::store::{AskedRow, Holder, StoreError};

/// How many questions, and how many comments, are answered at once.
const AT_ONCE: usize = 4;

/// How many are at work or wait for their platform to take the answer; more wait in the store, but for what stops things.
pub(super) const AT_WORK_MAX: usize = 500;

/// How long what we began is ours, unless renewed: nobody waits longer for a process of which nothing is known.
const OURS: Span = Span::from_secs(30);

/// How often that is renewed.
const RENEWED: Duration = Duration::from_secs(8);

/// How long a stop waits for what is at work; the next process gives the answers that are owed then.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether all is done.
const GLANCE: Duration = Duration::from_millis(20);

/// How many are put into their lanes in a round.
const LANELESS: usize = 500;

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
    /// Comments, which ask their forge first; one author's in their order.
    Comments,
}

impl Lane {
    /// Every one, what stops things first.
    const ALL: [Self; 5] = [Self::Stops, Self::Holds, Self::Orders, Self::Asks, Self::Comments];

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

    /// The word in the store.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Stops => "stops",
            Self::Holds => "holds",
            Self::Orders => "orders",
            Self::Asks => "asks",
            Self::Comments => "comments",
        }
    }

    /// Whether what only stops things waits there: it waits for no platform that takes no answers.
    const fn stops(self) -> bool {
        matches!(self, Self::Stops | Self::Holds)
    }

    /// Whether the order of what different people say does not matter there.
    const fn is_side_by_side(self) -> bool {
        matches!(self, Self::Asks | Self::Comments)
    }
}

/// Where a row waits for its turn.
fn lane(setup: &Setup, row: &AskedRow) -> Lane {
    if row.place.starts_with("forge:") { Lane::Comments } else { chatter::lane(setup, row) }
}

/// The lanes, as far as this process works on them.
pub(super) struct Lanes {
    shared: Arc<Shared>,
    me: Holder,
    stop: CancellationToken,
    at_work: Arc<AtomicUsize>,
    seats: [Arc<Semaphore>; 5],
}

/// One that is at work; no more when dropped.
struct AtWork(Arc<AtomicUsize>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Lanes {
    /// None is at work yet.
    pub(super) fn new(shared: Arc<Shared>, stop: CancellationToken) -> Arc<Self> {
        let seats =
            Lane::ALL.map(|lane| Arc::new(Semaphore::new(if lane.is_side_by_side() { AT_ONCE } else { 1 })));
        Arc::new(Self { shared, me: Holder::this_process(), stop, at_work: Arc::default(), seats })
    }

    /// Begins what can be begun now.
    pub(super) async fn work_off(self: &Arc<Self>, setup: &Setup) {
        if let Err(error) = self.round(setup).await {
            tracing::warn!(%error, "what was said cannot be read");
        }
    }

    async fn round(self: &Arc<Self>, setup: &Setup) -> Result<(), StoreError> {
        let store = setup.world.store();
        let mut state = store.asked_state(&self.me, wall(setup)).await?;
        if state.has_lapsed() || state.laneless {
            store.free_asked(&state).await?;
            for row in store.laneless_asked(LANELESS).await? {
                store.set_lane(row.seq, lane(setup, &row).word()).await?;
            }
            state = store.asked_state(&self.me, wall(setup)).await?;
        }
        for (lane, seats) in Lane::ALL.into_iter().zip(&self.seats) {
            if state.waiting.iter().any(|waiting| waiting == lane.word()) {
                self.begin(setup, lane, seats).await?;
            }
        }
        Ok(())
    }

    /// Begins what is next in a lane while there is a seat.
    async fn begin(self: &Arc<Self>, setup: &Setup, lane: Lane, seats: &Arc<Semaphore>) -> Result<(), StoreError> {
        while !self.stop.is_cancelled() && (lane.stops() || self.at_work.load(Ordering::SeqCst) < AT_WORK_MAX) {
            let Ok(seat) = seats.clone().try_acquire_owned() else { return Ok(()) };
            let until = wall(setup) + OURS;
            let begun = setup.world.store().begin_asked(lane.word(), lane.is_side_by_side(), &self.me, until);
            let Some(row) = begun.await? else { return Ok(()) };
            self.at_work.fetch_add(1, Ordering::SeqCst);
            let at_work = AtWork(self.at_work.clone());
            tokio::spawn(self.clone().turn(row, seat, at_work));
        }
        Ok(())
    }

    /// One turn. What panics in it ends neither the lane nor the turn in silence.
    async fn turn(self: Arc<Self>, row: AskedRow, seat: OwnedSemaphorePermit, at_work: AtWork) {
        let worked = tokio::spawn(self.clone().work(row.clone())).await;
        drop(seat);
        self.shared.asked.notify_one();
        // The answer is given beside: nothing waits for a platform.
        let words = match worked {
            Ok(Next::Answer(setup, answer)) => chatter::answer(&self.shared, &setup, *answer).await,
            Ok(Next::End(words)) => words,
            Ok(Next::Nothing) => return,
            Err(error) => {
                tracing::error!(%error, "what was said ended by a mistake in Towpath");
                Some("it ended by a mistake in Towpath".to_owned())
            }
        };
        let setup = self.shared.setup();
        if let Err(error) = setup.world.store().end_asked(&row, words.as_deref()).await {
            tracing::warn!(%error, "that something was answered could not be noted");
        }
        drop(at_work);
        self.shared.asked.notify_one();
    }

    /// Works on one, up to the answer.
    async fn work(self: Arc<Self>, row: AskedRow) -> Next {
        let setup = self.shared.setup();
        if let Some(forge) = row.place.strip_prefix("forge:") {
            return Next::End(comment::work(&self.shared, &setup, (forge, &row)).await);
        }
        let answer = match chatter::work(&self.shared, &setup, &row).await {
            Ok(answer) => answer,
            Err(words) => return Next::End(Some(words)),
        };
        match setup.world.store().answer_asked(&row).await {
            // Another process took us for gone: it answers.
            Ok(false) => Next::Nothing,
            Ok(true) => Next::Answer(setup, Box::new(answer)),
            Err(error) => {
                tracing::warn!(%error, "that something is done could not be noted");
                Next::Answer(setup, Box::new(answer))
            }
        }
    }

    /// Says again and again that we are at it, until it is dropped.
    pub(super) async fn renew(self: Arc<Self>) {
        loop {
            tokio::time::sleep(RENEWED).await;
            if self.at_work.load(Ordering::SeqCst) == 0 {
                continue;
            }
            let setup = self.shared.setup();
            if let Err(error) = setup.world.store().keep_asked(&self.me, wall(&setup) + OURS).await {
                tracing::warn!(%error, "what is at work cannot be kept");
            }
        }
    }

    /// Waits a little for what is at work, and gives the rest back for the next process.
    pub(super) async fn give_back(&self) {
        let done = async {
            while self.at_work.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(GLANCE).await;
            }
        };
        drop(tokio::time::timeout(PATIENCE, done).await);
        if let Err(error) = self.shared.setup().world.store().release_asked(&self.me).await {
            tracing::warn!(%error, "what was begun cannot be given back; the next process takes it all the same");
        }
    }
}

/// What comes after the work.
enum Next {
    /// An answer.
    Answer(Arc<Setup>, Box<chatter::Answer>),
    /// It was answered, or will not be, for that reason.
    End(Option<String>),
    /// It is another's.
    Nothing,
}

fn wall(setup: &Setup) -> Instant {
    setup.world.clock().reading().wall
}
