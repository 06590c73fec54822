//! What every surface starts with: the config, and the world that it describes.
//!
//! Not here: what is done with them, prompts and exit codes (`cli`), and the loop (`serve`).

use std::collections::BTreeMap;
use std::sync::Arc;

use towpath_core::model::{Flow, FlowName, Unknown, UnknownWhy};

use crate::chat::system::Systems;
use crate::clock::Clock;
use crate::config::{self, Config, FlowConfig, ForgeKind, Left, Listed, Store, WordFault, cache_of};
use crate::engine::RealWorld;
use crate::engine::forges::{OfFlows, OnForge};
use crate::forge::client::{Client, Fault, Options};
use crate::forge::gitea::Gitea;
use crate::forge::github::{Credential, GitHub};
use crate::forge::gitlab::GitLab;
use crate::forge::{Forge, RepoPath};
use crate::git::{Git, GitError};
use crate::store::{Create, DiscoveredRow, SqliteStore, StoreError};

/// A config with everything that is needed to work on it.
#[derive(Debug)]
pub struct Setup {
    /// The config.
    pub config: Config,
    /// Git, store and clock.
    pub world: RealWorld,
    /// The HTTP layer of each forge, by the forge's name: for what it counts.
    pub clients: Vec<(String, Client)>,
    /// The chat systems in which people talk to us.
    pub chats: Arc<Systems>,
    adapters: Adapters,
}

/// The adapter of each forge, by the forge's name, or why there is none.
type Adapters = BTreeMap<String, Result<Arc<dyn Forge>, Unknown>>;

/// Whether a command only looks, changes what stands, or may make a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Records nothing, the clock included.
    View,
    /// Writes into a store that exists.
    Order,
    /// Makes the store if there is none.
    Create,
}

/// Why there is no setup.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The store cannot serve.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Git cannot be run.
    #[error("{0}")]
    Git(#[from] GitError),
}

impl Setup {
    /// Opens everything that the config names.
    ///
    /// # Errors
    /// If the store or git cannot be used; both say what to do.
    pub async fn open(config: Config, clock: Clock, need: Need) -> Result<Self, SetupError> {
        let Store::Sqlite(path) = &config.service.store;
        let create = if need == Need::Create { Create::Yes } else { Create::No };
        let store = SqliteStore::open(path, create).await?;
        let cache = cache_of(path);
        let home = cache.join("home");
        let git = match Git::open(&home).await {
            Ok(git) => git,
            // An order is not to fail for want of what it does not use: a pause least of all.
            Err(error @ GitError::NotStarted(_)) if need != Need::Create => {
                tracing::warn!("{error}; what only the remote tells is not known");
                Git::absent(&home)
            }
            Err(error) => return Err(error.into()),
        };
        // What nobody asked to be discovered is not looked for.
        let config = if config.discovers() { config.with(&listed(&store.discovered().await?)).0 } else { config };
        let (adapters, clients) = adapters(&config, &clock);
        let forges = of_flows(&config, &adapters);
        let world = RealWorld::new(&config, store, clock, git, &cache, need == Need::View).on(forges);
        let chats = world.sinks().chats();
        Ok(Self { config, world, clients, chats, adapters })
    }

    /// The same store, git and clock under another config. The store's place is not read again:
    /// a running process keeps the one it has.
    #[must_use]
    pub fn under(&self, config: Config) -> Self {
        let (adapters, clients) = adapters(&config, self.world.clock());
        let world = self.world.under(&config).on(of_flows(&config, &adapters));
        let chats = world.sinks().chats();
        Self { config, world, clients, chats, adapters }
    }

    /// The same, forges included, with these repositories as the discovered ones; and those that are no flows.
    #[must_use]
    pub fn with(&self, listed: &[Listed]) -> (Self, Vec<(Listed, Left)>) {
        let (config, left) = self.config.with(listed);
        let world = self.world.under(&config).on(of_flows(&config, &self.adapters));
        (self.besides(config, world), left)
    }

    /// The adapter of a forge.
    ///
    /// # Errors
    /// Why there is none.
    pub fn adapter(&self, forge: &str) -> Result<Arc<dyn Forge>, Unknown> {
        self.adapters.get(forge).cloned().unwrap_or_else(|| Err(Unknown::lasting(UnknownWhy::NoForge)))
    }

    /// The same for looking only, which records nothing; of these flows, or of all if none are
    /// named.
    #[must_use]
    pub fn viewing(&self, only: &[FlowName]) -> Self {
        let config = self.config.only(only);
        let world = self.world.viewing(&config);
        self.besides(config, world)
    }

    /// The same forges and chats beside another config and world.
    fn besides(&self, config: Config, world: RealWorld) -> Self {
        let (clients, chats, adapters) = (self.clients.clone(), self.chats.clone(), self.adapters.clone());
        Self { config, world, clients, chats, adapters }
    }

    /// The flows that a command is about: the named one, or all.
    ///
    /// # Errors
    /// If the word names none, or several.
    pub fn flows(&self, word: Option<&str>) -> Result<Vec<&FlowConfig>, WordFault> {
        match word {
            Some(word) => Ok(vec![self.config.flow(word)?]),
            None => Ok(self.config.flows.iter().collect()),
        }
    }

    /// The flow of that name.
    pub fn flow(&self, name: &FlowName) -> Option<&Flow> {
        self.config.named(name).map(|found| &found.flow)
    }
}

/// One adapter for each `[forge.X]`: its allowance and what it remembers are shared.
fn adapters(config: &Config, clock: &Clock) -> (Adapters, Vec<(String, Client)>) {
    let (mut adapters, mut clients) = (BTreeMap::new(), Vec::new());
    for forge in config.forges.values().filter(|forge| forge.kind.is_forge()) {
        let adapter = adapter(forge, clock).map(|(adapter, client)| {
            clients.push((forge.name.clone(), client));
            adapter
        });
        let fault = |fault: Fault| Unknown::lasting(UnknownWhy::Unreadable { words: fault.to_string() });
        adapters.insert(forge.name.clone(), adapter.map_err(fault));
    }
    (adapters, clients)
}

/// The repositories of those flows that are on a forge.
fn of_flows(config: &Config, adapters: &Adapters) -> OfFlows {
    let of = |found: &FlowConfig| {
        let name = found.forge.as_deref()?;
        let (adapter, moves) = (adapters.get(name)?.clone(), config.forges.get(name)?.moves);
        let repo = RepoPath::new(&found.flow.repository);
        Some((found.flow.name.clone(), adapter.map(|forge| OnForge { forge, repo, moves })))
    };
    config.flows.iter().filter_map(of).collect()
}

/// What is remembered, as the config takes it.
pub fn listed(rows: &[DiscoveredRow]) -> Vec<Listed> {
    let one =
        |row: &DiscoveredRow| Listed { forge: row.forge.clone(), path: row.path.clone(), gone: row.gone.clone() };
    rows.iter().map(one).collect()
}

/// The table of forges: which adapter speaks with which kind.
fn adapter(forge: &config::Forge, clock: &Clock) -> Result<(Arc<dyn Forge>, Client), Fault> {
    let client = Client::new(Options { ca: forge.ca.clone(), ..Options::default() }, clock.clone())?;
    let (url, token, own) = (&forge.url, forge.token.clone(), client.clone());
    let adapter: Arc<dyn Forge> = match forge.kind {
        ForgeKind::GitHub => {
            Arc::new(GitHub::with_api(url, forge.api.as_deref(), credential(forge), own, clock.clone())?)
        }
        ForgeKind::GitLab => Arc::new(GitLab::new(url, token, own, clock.clone())?),
        ForgeKind::Git | ForgeKind::Gitea | ForgeKind::Forgejo => Arc::new(Gitea::new(url, token, own)?),
    };
    Ok((adapter, client))
}

/// Who we are to GitHub.
fn credential(forge: &config::Forge) -> Credential {
    match (&forge.app, &forge.token) {
        (Some(app), _) => {
            Credential::App { id: app.id.clone(), installation: app.installation, key: app.key.clone() }
        }
        (None, Some(token)) => Credential::Token(token.clone()),
        (None, None) => Credential::None,
    }
}
