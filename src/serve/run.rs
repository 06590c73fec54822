//! The loop: hands flows out to passes, takes in what wakes them, and ends cleanly.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use towpath_core::act;
use towpath_core::model::{FlowName, Instant, IntentState};

use super::beat::{self, Round};
use super::news::News;
use super::queue::{Ended, Wake};
use super::reload::{Fresh, fresh_ones};
use super::ticker::{Ticker, TickerError};
use super::watch::{Touched, Watch};
use super::{Shared, discover, due, post};
use crate::engine::{Fault, Ticked, tick};

/// How often other processes' writes are looked for.
const WATCH: Duration = Duration::from_millis(500);

/// How long to wait at most for an instant that comes by the wall: the wall may be set meanwhile.
const NAP_MAX: Duration = Duration::from_secs(30);

/// How long one pass may take and still count as alive: a first fetch has ten minutes, a push two.
const PASS_MAX_MS: i64 = 15 * 60 * 1_000;

/// How long running passes may take to end once the service is to stop: a push that is under way
/// ends within its deadline.
pub fn patience() -> Duration {
    Duration::from_millis(u64::try_from(act::PUSH_TIMEOUT.ms()).unwrap_or(60_000)) + Duration::from_secs(15)
}

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The look schedule cannot be started.
    #[error(transparent)]
    Ticker(#[from] TickerError),
}

/// How one pass ended.
type Passed = Result<Ticked, Fault>;

struct Loop {
    shared: Arc<Shared>,
    passes: JoinSet<Passed>,
    /// Which flow each pass is about, and when it began, by the machine's boottime.
    at_work: HashMap<Id, (FlowName, i64)>,
    news: News,
    round: Round,
    watch: Watch,
    client: reqwest::Client,
}

/// Runs until `stop`; then waits for what is under way, within bounds.
///
/// # Errors
/// If it cannot start. Nothing that happens to a flow ends it.
pub async fn run(shared: Arc<Shared>, stop: CancellationToken) -> Result<(), ServeError> {
    let setup = shared.setup();
    let mut ticker = Ticker::start(&setup.config.service.look, shared.pulse.looks()).await?;
    let (send, mut fresh) = mpsc::channel(1);
    fresh_ones(&setup.config, send.clone());
    discover::keep(shared.clone(), send);
    post::keep(shared.clone(), stop.clone());
    let talking = super::talk::keep(shared.clone(), stop.clone());
    super::sockets::keep(shared.clone(), stop.clone());
    let mut watching = tokio::time::interval(WATCH);
    watching.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut this = Loop {
        shared: shared.clone(),
        passes: JoinSet::new(),
        at_work: HashMap::new(),
        news: News::default(),
        round: Round::default(),
        watch: Watch::default(),
        client: reqwest::Client::new(),
    };
    drop(setup);
    this.look_at_all();
    loop {
        let nap = this.hand_out();
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = this.passes.join_next_with_id(), if !this.passes.is_empty() => this.take_in(ended),
            () = shared.woken() => {}
            () = ticker.look() => this.look_at_all(),
            _ = watching.tick() => this.see_foreign_writes().await,
            Some(fresh) = fresh.recv() => this.reload(fresh, &mut ticker).await,
            () = tokio::time::sleep(nap) => {}
        }
    }
    shared.pulse.stop();
    ticker.stop().await;
    this.end().await;
    drop(talking.await);
    Ok(())
}

impl Loop {
    fn wall(&self) -> Instant {
        self.shared.setup().world.clock().reading().wall
    }

    /// What passes are timed by; setting the wall does not change it.
    fn boottime_ms(&self) -> i64 {
        self.shared.setup().world.clock().reading().boottime_ms
    }

    fn look_at_all(&mut self) {
        let wall = self.wall();
        self.shared.wake_all(Wake::Look);
        let (flows, resting) = self.shared.queue(|queue| {
            let rests = |row: &super::Row| row.not_before().is_some_and(|at| at > wall);
            let resting = queue.rows().filter(|(_, row)| rests(row)).map(|(flow, _)| flow.clone()).collect();
            (queue.rows().map(|(flow, _)| flow.clone()).collect(), resting)
        });
        self.round.begin(&flows, &resting);
    }

    /// Starts passes while seats are free; answers how long nothing else can come by time alone.
    fn hand_out(&mut self) -> Duration {
        let wall = self.wall();
        while let Some((flow, why)) = self.shared.queue(|queue| queue.take(wall)) {
            self.begin(flow, why);
        }
        // Nothing to do is alive, too, and so is a pass that takes long and may: a big first fetch.
        let now = self.boottime_ms();
        if self.at_work.values().all(|(_, begun)| now.saturating_sub(*begun) < PASS_MAX_MS) {
            self.shared.pulse.beat();
        }
        let (next, flows, failing, waiting) = self.shared.queue(|queue| {
            let failing = queue.rows().filter(|(_, row)| row.failures() > 0).count();
            (queue.next(wall), queue.rows().count(), failing, queue.waiting())
        });
        self.shared.metrics.line(flows, failing, waiting);
        let nap =
            next.map_or(NAP_MAX, |next| Duration::from_millis(u64::try_from(next.since(wall).ms()).unwrap_or(0)));
        nap.clamp(Duration::from_millis(1), NAP_MAX)
    }

    fn begin(&mut self, flow: FlowName, why: Wake) {
        let setup = self.shared.setup();
        tracing::debug!(flow = flow.as_str(), ?why, "a pass begins");
        let name = flow.clone();
        let handle = self.passes.spawn(async move {
            match setup.flow(&name) {
                Some(flow) => tick(&setup.world, flow).await,
                // Dropped by a reload between the line and the seat.
                None => Ok(Ticked::Leased),
            }
        });
        self.at_work.insert(handle.id(), (flow, self.boottime_ms()));
    }

    fn take_in(&mut self, ended: Result<(Id, Passed), tokio::task::JoinError>) {
        let (id, passed) = match ended {
            Ok((id, passed)) => (id, Some(passed)),
            Err(error) => (error.id(), None),
        };
        let Some((flow, begun)) = self.at_work.remove(&id) else { return };
        let wall = self.wall();
        let (ended, result) = match &passed {
            None => {
                tracing::error!(
                    flow = flow.as_str(),
                    "a pass ended by a mistake in Towpath; the other flows go on"
                );
                (Ended::Failed, "panic")
            }
            Some(Err(fault)) => {
                tracing::warn!(flow = flow.as_str(), error = %fault, "a pass failed");
                (Ended::Failed, "fault")
            }
            Some(Ok(ticked)) => {
                let setup = self.shared.setup();
                let ended = due::ended(setup.flow(&flow), ticked);
                let result = match ended {
                    Ended::Well { .. } => "good",
                    Ended::Leased => "leased",
                    Ended::Failed => "unreachable",
                };
                (ended, result)
            }
        };
        self.shared.queue(|queue| queue.end(&flow, ended, wall));
        self.shared.pulse.beat();
        match &passed {
            Some(Err(Fault::Store { words, whole: true, .. })) => self.shared.pulse.store_fails(words.clone()),
            Some(Ok(Ticked::Done(_))) => self.shared.pulse.store_works(),
            _ => {}
        }
        let took = Duration::from_millis(u64::try_from(self.boottime_ms().saturating_sub(begun)).unwrap_or(0));
        self.shared.metrics.tick(result, took, wall);
        if let Some(Ok(Ticked::Done(pass))) = &passed {
            self.tell(&flow, pass);
        }
        if self.round.ended(&flow, result == "good", matches!(result, "fault" | "panic")) {
            self.heartbeat();
        }
    }

    /// Logs and counts what a pass found and did.
    fn tell(&self, flow: &FlowName, pass: &crate::engine::Pass) {
        let setup = self.shared.setup();
        let Some(found) = setup.config.named(flow) else { return };
        for acted in &pass.acted {
            let row = &acted.row;
            if row.state.is_final() {
                self.shared.metrics.moved(row);
            }
            let words = row.words.as_deref().map(|words| towpath_core::text::one_line(words, 500));
            let (old, new, state) = (row.old.to_string(), row.new.to_string(), row.state.word());
            let (environment, branch, intent) = (row.env.as_str(), row.branch.as_str(), row.id.as_str());
            if !row.state.is_final() {
                tracing::debug!(flow = flow.as_str(), environment, branch, old, new, intent, state, "under way");
            } else if matches!(row.state, IntentState::Landed) {
                tracing::info!(flow = flow.as_str(), environment, branch, old, new, intent, state, "moved");
            } else {
                tracing::warn!(
                    flow = flow.as_str(),
                    environment,
                    branch,
                    old,
                    new,
                    intent,
                    state,
                    words,
                    "not moved"
                );
            }
        }
        let plan = pass.after.as_ref().unwrap_or(&pass.plan);
        self.news.tell(found, plan);
        self.shared.metrics.decided(&found.flow, plan, &pass.ledger);
    }

    fn heartbeat(&self) {
        let Some(url) = self.shared.setup().config.service.heartbeat.clone() else { return };
        let (client, shared) = (self.client.clone(), self.shared.clone());
        tokio::spawn(async move { beat::call(&client, &url, &shared.metrics).await });
    }

    async fn see_foreign_writes(&mut self) {
        let setup = self.shared.setup();
        match self.watch.look(&setup.world).await {
            Ok(Touched::All) => self.shared.wake_all(Wake::Command),
            Ok(Touched::Flows(flows)) => {
                for flow in flows {
                    self.shared.wake(&flow, Wake::Command);
                }
            }
            Err(error) => tracing::warn!(%error, "what other processes wrote cannot be seen"),
        }
    }

    async fn reload(&mut self, fresh: Fresh, ticker: &mut Ticker) {
        let before = self.shared.setup();
        super::notify("RELOADING=1");
        let good = super::reload(&self.shared, fresh).await;
        let after = self.shared.setup();
        if good {
            for gone in before.config.flows.iter().filter(|f| after.flow(&f.flow.name) != Some(&f.flow)) {
                self.shared.metrics.forget(&gone.flow);
            }
            self.news.retain(|flow| after.flow(flow).is_some());
            if before.config.service.look != after.config.service.look
                && let Err(error) = ticker.change(&after.config.service.look).await
            {
                tracing::error!(%error, "the old look schedule goes on");
            }
            self.look_at_all();
        }
        super::notify("READY=1");
    }

    /// Waits for the passes under way, within bounds. What does not end in time is as after a
    /// kill: the next process brings it to its end from the store.
    async fn end(mut self) {
        if self.passes.is_empty() {
            return;
        }
        tracing::info!(passes = self.passes.len(), "stopping: waiting for what is under way");
        let until = tokio::time::Instant::now() + patience();
        while let Ok(Some(ended)) = tokio::time::timeout_at(until, self.passes.join_next_with_id()).await {
            self.take_in(ended);
        }
        if !self.passes.is_empty() {
            tracing::warn!(
                passes = self.passes.len(),
                "stopped in the middle; the next start brings it to its end"
            );
        }
    }
}
