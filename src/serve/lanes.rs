//! The lanes in which what people said is carried out: one by one where it steers, side by side where it asks.
//!
//! What waits stays in the store until its turn comes, so a stop or a kill leaves it there in its order, and several
//! processes on one store work on the same lanes. What another process had begun waits again as soon as that process is
//! certainly gone, or has not renewed its claim. Not here: what a turn does (`chatter`, `comment`), whether it still holds
//! (`late`), and how claims and turns are kept (`store`).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use towpath_core::command::{Said, Verb};
use towpath_core::model::{Instant, Span};

use super::{Shared, chatter, comment};
use crate::setup::Setup;
use crate::store::{AskedRow, Holder, StoreError};

/// How many of a lane are at work at once, all told: where order matters the store begins one alone, and the others only
/// owe their answers.
const AT_ONCE: usize = 32;

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

/// How often it is looked what can be begun while something is at work: what is done, and still looks around for what it
/// answers, keeps nothing waiting.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How long the store is left alone that could not note that something was answered.
const NOTE_AGAIN: Duration = Duration::from_secs(1);

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
    at_work: Arc<Mutex<BTreeSet<i64>>>,
    seats: [Arc<Semaphore>; 5],
}

/// One that is at work; no more when dropped.
struct AtWork(Arc<Mutex<BTreeSet<i64>>>, i64);

impl AtWork {
    fn new(all: &Arc<Mutex<BTreeSet<i64>>>, seq: i64) -> Self {
        all.lock().unwrap_or_else(PoisonError::into_inner).insert(seq);
        Self(all.clone(), seq)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Lanes {
    /// None is at work yet.
    pub(super) fn new(shared: Arc<Shared>, stop: CancellationToken) -> Arc<Self> {
        let seats = Lane::ALL.map(|_| Arc::new(Semaphore::new(AT_ONCE)));
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
        // Nothing of ours is begun or added beside this.
        let at_work = self.at_work();
        if state.has_lapsed() || state.laneless || state.own > at_work.len() {
            store.free_asked(&state).await?;
            store.disown_asked(&self.me, &at_work).await?;
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
        while !self.stop.is_cancelled() && (lane.stops() || self.at_work().len() < AT_WORK_MAX) {
            let Ok(seat) = seats.clone().try_acquire_owned() else { return Ok(()) };
            let until = wall(setup) + OURS;
            let begun = setup.world.store().begin_asked(lane.word(), lane.is_side_by_side(), &self.me, until);
            let Some(row) = begun.await? else { return Ok(()) };
            let at_work = AtWork::new(&self.at_work, row.seq);
            tokio::spawn(self.clone().turn(row, seat, at_work));
        }
        Ok(())
    }

    /// One turn. What panics in it ends neither the lane nor the turn in silence.
    async fn turn(self: Arc<Self>, row: AskedRow, seat: OwnedSemaphorePermit, at_work: AtWork) {
        let mut work = tokio::spawn(self.clone().work(row.clone()));
        let worked = loop {
            tokio::select! {
                worked = &mut work => break worked,
                () = tokio::time::sleep(LOOK_AGAIN) => self.shared.asked.notify_one(),
            }
        };
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
        self.end(&row, words.as_deref()).await;
        drop(at_work);
        self.shared.asked.notify_one();
    }

    /// Notes that it was answered, however often the store fails: what comes after it may wait for that.
    async fn end(&self, row: &AskedRow, words: Option<&str>) {
        while let Err(error) = self.shared.setup().world.store().end_asked(row, words).await {
            tracing::warn!(%error, "that something was answered could not be noted");
            tokio::select! {
                // The next process gives the answer once more.
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(NOTE_AGAIN) => {}
            }
        }
    }

    fn at_work(&self) -> BTreeSet<i64> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
            if self.at_work().is_empty() {
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
            while !self.at_work().is_empty() {
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
