//! The look schedule: tokio-cron-scheduler with one job that only notifies.
//!
//! One job, in UTC, whose closure does nothing but `notify_one`: a tick can then neither overlap,
//! be lost in a burst nor run twice, whatever that crate does under load, and daylight saving does
//! not concern it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// The running schedule; ends when dropped or stopped.
pub struct Ticker {
    scheduler: JobScheduler,
    look: Arc<Notify>,
    unanswered: Arc<AtomicU32>,
}

impl std::fmt::Debug for Ticker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticker").field("unanswered", &self.unanswered).finish_non_exhaustive()
    }
}

/// Why there is no schedule.
#[derive(Debug, thiserror::Error)]
#[error("the look schedule `{look}` cannot be started: {source}")]
pub struct TickerError {
    look: String,
    source: JobSchedulerError,
}

impl Ticker {
    /// Starts it. `look` has five fields; `unanswered` counts looks until somebody sets it to 0.
    ///
    /// # Errors
    /// If the schedule is none.
    pub async fn start(look: &str, unanswered: Arc<AtomicU32>) -> Result<Self, TickerError> {
        let notify = Arc::new(Notify::new());
        let scheduler = begin(look, notify.clone(), unanswered.clone())
            .await
            .map_err(|source| TickerError { look: look.to_owned(), source })?;
        Ok(Self { scheduler, look: notify, unanswered })
    }

    /// Goes by another schedule from now on; if that cannot be started, by the old one.
    ///
    /// # Errors
    /// If the schedule is none.
    pub async fn change(&mut self, look: &str) -> Result<(), TickerError> {
        let new = begin(look, self.look.clone(), self.unanswered.clone())
            .await
            .map_err(|source| TickerError { look: look.to_owned(), source })?;
        self.stop().await;
        self.scheduler = new;
        Ok(())
    }

    /// Waits for the next look.
    pub async fn look(&self) {
        self.look.notified().await;
    }

    /// Ends it.
    pub async fn stop(&mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the old look schedule did not end cleanly");
        }
    }
}

async fn begin(
    look: &str,
    notify: Arc<Notify>,
    unanswered: Arc<AtomicU32>,
) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    // That crate's expressions begin with seconds.
    let job = Job::new_async(format!("0 {look}"), move |_, _| {
        unanswered.fetch_add(1, Ordering::Relaxed);
        notify.notify_one();
        Box::pin(std::future::ready(()))
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(scheduler)
}
