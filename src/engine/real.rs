//! The real `World`: git, the store and the clock, put together, and how each of them is reached.
//!
//! Not here: what the engine has it do (`world`), and what only a forge can tell (`forges`).

mod accounts;
mod within;
mod world;
mod wrote;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, OnceCell};
use towpath_core::dag::Dag;
use towpath_core::model::{CommitId, Fact, FlowName, Unknown, UnknownWhy};
use towpath_core::people::Mailmap;

use self::accounts::Remembered;
use super::crowd::Crowd;
use super::forges::{OfFlows, OnForge};
use super::reach::{self, Reach};
use super::voice::Voice;
use super::world::Fault;
use crate::clock::Clock;
use crate::config::Config;
use crate::gate::Gates;
use crate::git::{Git, Mirror, Remote, read};
use crate::migrations::Checker;
use crate::store::{Holder, KnownFlow, SqliteStore, StoreError};
use crate::tell::Sinks;

/// The most commits that are read of the history between two.
const BETWEEN_MAX: usize = 1_000;

/// Git, store and clock.
#[derive(Debug)]
pub struct RealWorld {
    store: SqliteStore,
    clock: Clock,
    git: Git,
    mirrors: PathBuf,
    holder: Holder,
    remotes: Vec<Reach>,
    forges: OfFlows,
    crowd: Arc<Crowd>,
    remembered: Arc<Remembered>,
    gates: Gates,
    checker: Arc<Checker>,
    views_only: bool,
    retired: AtomicBool,
    gone: OnceCell<Vec<KnownFlow>>,
    voice: Arc<Voice>,
    sinks: Arc<Sinks>,
    told: Arc<Notify>,
    crash: super::crash::Crash,
}

impl RealWorld {
    /// Puts them together for the flows of a config. `cache` is a folder that may be deleted at
    /// any time; `views_only` makes it record nothing, the clock included.
    pub fn new(
        config: &Config,
        store: SqliteStore,
        clock: Clock,
        git: Git,
        cache: &Path,
        views_only: bool,
    ) -> Self {
        Self {
            store,
            gates: Gates::of(config, &clock),
            sinks: Arc::new(Sinks::of(config, &clock)),
            checker: Arc::new(Checker::this_program()),
            clock,
            git,
            mirrors: cache.join("mirrors"),
            holder: Holder::this_process(),
            remotes: reach::of(config),
            forges: Vec::new(),
            crowd: Arc::new(Crowd::of(config)),
            remembered: Arc::default(),
            views_only,
            retired: AtomicBool::new(false),
            gone: OnceCell::new(),
            voice: Arc::default(),
            told: Arc::default(),
            crash: super::crash::Crash::from_environment(),
        }
    }

    /// The same store, clock and git for the flows of another config.
    #[must_use]
    pub fn under(&self, config: &Config) -> Self {
        Self {
            store: self.store.clone(),
            clock: self.clock.clone(),
            git: self.git.clone(),
            mirrors: self.mirrors.clone(),
            holder: self.holder.clone(),
            remotes: reach::of(config),
            forges: self.forges.clone(),
            crowd: Arc::new(Crowd::of(config)),
            remembered: Arc::clone(&self.remembered),
            gates: Gates::of(config, &self.clock),
            checker: Arc::clone(&self.checker),
            views_only: self.views_only,
            retired: AtomicBool::new(false),
            gone: OnceCell::new(),
            voice: Arc::clone(&self.voice),
            sinks: Arc::new(Sinks::of(config, &self.clock)),
            told: Arc::clone(&self.told),
            crash: super::crash::Crash::from_environment(),
        }
    }

    /// The same, with the forges of its flows.
    #[must_use]
    pub fn on(self, forges: OfFlows) -> Self {
        Self { forges, ..self }
    }

    /// The same, with another program that reads migrations: where this one is not `towpath`.
    #[must_use]
    pub fn checked_by(self, checker: Arc<Checker>) -> Self {
        Self { checker, ..self }
    }

    /// Who is told of what.
    pub fn sinks(&self) -> &Sinks {
        &self.sinks
    }

    /// Wakes whoever delivers, when there is something to.
    pub fn told(&self) -> Arc<Notify> {
        Arc::clone(&self.told)
    }

    /// Who people are.
    pub(super) fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// The forge that the flow's repository is on.
    ///
    /// # Errors
    /// If it is on none, or why that one cannot be asked.
    pub fn forge(&self, flow: &FlowName) -> Result<&OnForge, Unknown> {
        match self.forges.iter().find(|(name, _)| name == flow) {
            Some((_, Ok(forge))) => Ok(forge),
            Some((_, Err(unknown))) => Err(unknown.clone()),
            None => Err(Unknown::lasting(UnknownWhy::NoForge)),
        }
    }

    /// Another config is in force: no push begins under this one any more.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The same, but recording nothing, the clock included: for views of a running service.
    #[must_use]
    pub fn viewing(&self, config: &Config) -> Self {
        Self { views_only: true, ..self.under(config) }
    }

    /// The store.
    pub const fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// The git program.
    pub const fn git(&self) -> &Git {
        &self.git
    }

    /// The flow's remote, with the token that is to be sent now: a file is read anew each time, so
    /// that one that was replaced counts from the next call of git on.
    ///
    /// # Errors
    /// Why what the config says is none, or its token cannot be used.
    pub async fn remote(&self, flow: &FlowName) -> Result<Remote, Unknown> {
        let reach = self.reach(flow)?;
        let remote = reach.remote.clone()?;
        let login = match reach.login.clone() {
            None => return Ok(remote),
            Some(reach::Login::Token(token)) => blocking(move || token.login()).await?,
            Some(reach::Login::OfForge(name)) => reach::made(&name, self.forge(flow)?.forge.git_login().await)?,
        };
        Ok(remote.with_login(login))
    }

    /// What a call of git came to; where the login that a forge's adapter made was refused, the adapter is told, and
    /// the next pass has another one.
    async fn heard<T>(&self, flow: &FlowName, answer: Result<T, Unknown>) -> Result<T, Unknown> {
        let refused = |unknown: &Unknown| {
            matches!(unknown.why, UnknownWhy::CredentialsRefused { .. } | UnknownWhy::TokenRefused { .. })
        };
        let made = self.reach(flow).is_ok_and(|reach| matches!(reach.login, Some(reach::Login::OfForge(_))));
        if made
            && answer.as_ref().is_err_and(refused)
            && let Ok(on) = self.forge(flow)
        {
            on.forge.git_refused().await;
        }
        answer
    }

    fn reach(&self, flow: &FlowName) -> Result<&Reach, Unknown> {
        let none = || Unknown::lasting(UnknownWhy::Unreadable { words: format!("no flow `{flow}`") });
        self.remotes.iter().find(|reach| reach.flow == *flow).ok_or_else(none)
    }

    /// The flow's mirror.
    ///
    /// # Errors
    /// If its folder cannot be used.
    pub fn mirror(&self, flow: &FlowName) -> Result<Mirror, Unknown> {
        Mirror::open_or_create(&self.mirrors, self.reach(flow)?.remote.as_ref().map_err(Clone::clone)?)
    }

    /// What `.mailmap` says at a commit of the flow, which is to be the tip of a target: of what is on its way there
    /// nothing is believed that says whose it is.
    ///
    /// # Errors
    /// If the mirror lacks that commit, or cannot be read.
    pub async fn mailmap(&self, flow: &FlowName, target: CommitId) -> Result<Mailmap, Unknown> {
        let mirror = self.mirror(flow)?;
        blocking(move || crate::git::mailmap::mailmap(&mirror, target)).await
    }

    /// The history from one commit of the flow up to another, as the mirror has it: no remote is asked.
    ///
    /// # Errors
    /// If the mirror lacks one of them, or cannot be read.
    pub async fn between(&self, flow: &FlowName, (old, new): (CommitId, CommitId)) -> Result<Dag, Unknown> {
        let mirror = self.mirror(flow)?;
        let load = move || match read::load(&mirror, &[old], &[new], BETWEEN_MAX) {
            Fact::Known(dag) => Ok(dag),
            Fact::Unknown(unknown) => Err(unknown),
        };
        blocking(load).await
    }
}

/// Runs what reads the mirror's files beside the other tasks.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unknown> + Send + 'static,
) -> Result<T, Unknown> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // A panic in a reader: the fact is unknown, the process goes on.
        Err(_) => {
            let words = "reading the mirror failed unexpectedly; this is a mistake in Towpath".to_owned();
            Err(Unknown::passing(UnknownWhy::Unreadable { words }))
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost { .. } => Self::TakenOver,
            StoreError::Conflict(_) => Self::Conflict,
            other => Self::Store { words: other.to_string(), retry: other.retry(), whole: other.is_of_the_whole() },
        }
    }
}
