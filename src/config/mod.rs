//! The config: from a TOML file to values that need no further understanding.
//!
//! The way through: [`source`] reads bytes, [`tree`] parses them keeping every position, [`check`]
//! holds each written value against the one table of keys in [`keys`], [`merge`] lays defaults,
//! groups and flows over one another, [`resolve`] makes [`Flow`]s of them and [`rules`] judges what
//! concerns several keys at once. Problems are collected all the way and reported together.
//! [`show`], [`schema`](mod@schema) and [`reference`](mod@reference) are views of the same table and the same
//! settings.
//!
//! Not here: reading a secret's value, asking a remote whether a branch exists, or anything that
//! the command line prints by itself.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;
use towpath_core::calendar::Schedule;
use towpath_core::model::{EnvName, Flow, Mode};

use tree::{Node, Table};

mod changes;
mod chat_sinks;
mod chats;
mod check;
mod find;
mod found;
mod gates;
mod glob;
mod identities;
mod keys;
mod kinds;
mod merge;
mod names;
mod people;
mod problem;
mod redact;
mod reference;
mod regular;
mod remote;
mod render;
mod resolve;
mod rules;
mod schema;
mod service;
mod show;
mod sinks;
mod source;
mod suggest;
mod tree;
mod words;

pub use changes::{Changed, changes};
pub use chat_sinks::ChatSink;
pub use chats::{Channel, Chat, Strangers};
pub use find::{DEFAULT_FILE, ENV_VAR};
pub use found::{ANOTHER, Left, Listed, Written};
pub use kinds::token_name_fault;
pub use names::{branch_fault, name_fault};
pub use people::{LawTable, Laws};
pub use problem::{Level, Problem, Problems};
pub use reference::reference;
pub use regular::open_regular;
pub use render::{Style, to_json, to_places, to_text};
pub use schema::schema;
pub use sinks::{Sink, SinkTemplate, SinkUrl};
pub use source::Print;
pub use words::WordFault;

/// A config without errors.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// What that file was when it was read; none if the text came without one.
    pub print: Option<Print>,
    /// The folder that relative paths start from.
    pub base_dir: PathBuf,
    /// `[service]`.
    pub service: Service,
    /// `[forge.NAME]`, by name.
    pub forges: BTreeMap<String, Forge>,
    /// `[chat.NAME]`, by name.
    pub chats: BTreeMap<String, Chat>,
    /// `[people.NAME]`, `[[allow]]` and `[[deny]]`.
    pub laws: Laws,
    /// `[sink.NAME]`, by name.
    pub sinks: BTreeMap<String, Sink>,
    /// At least one, in file order.
    pub flows: Vec<FlowConfig>,
    /// What is allowed but probably not meant; to be shown, never to stop anything.
    pub warnings: Problems,
    /// What it was made of, for [`Config::with`].
    source: Arc<source::Source>,
}

/// `[service]`: what concerns the running program and not one flow.
#[derive(Debug, Clone)]
pub struct Service {
    /// Where the ledger is kept.
    pub store: Store,
    /// How often to look, as written (five-field cron, UTC).
    pub look: String,
    /// The same, understood. Only its slots have a meaning here.
    pub look_schedule: Schedule,
    /// Whether Towpath acts at all. `observe` rules every flow; it is worked into their
    /// environments already.
    pub mode: Mode,
    /// Where `serve` listens.
    pub listen: SocketAddr,
    /// How many flows are worked on at once.
    pub at_once: usize,
    /// What is called after each good look at every flow.
    pub heartbeat: Option<String>,
    /// Where the secrets are with which hooks may be signed.
    pub webhook_secrets: Vec<SecretRef>,
    /// The address under which people reach it, without a slash at the end.
    pub public_url: Option<String>,
    /// Further hosts that may be asked for.
    pub hosts: Vec<String>,
    /// Whether the API may be read without a token; where nothing is written, on loopback.
    pub anonymous_read: Option<bool>,
    /// Every key of the table as it is in effect.
    pub settings: Vec<Setting>,
}

/// Where the ledger is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// A SQLite file; absolute, or relative to where the program runs if the config's path was.
    Sqlite(PathBuf),
}

/// The folder beside the store that holds what can be fetched again: mirrors, and git's home.
pub fn cache_of(store: &Path) -> PathBuf {
    let mut name = store.file_name().unwrap_or_default().to_owned();
    name.push(".cache");
    store.with_file_name(name)
}

/// `[forge.NAME]`.
#[derive(Debug, Clone)]
pub struct Forge {
    /// The prefix in `repository`.
    pub name: String,
    /// What speaks there.
    pub kind: ForgeKind,
    /// What repository paths are appended to, without a slash at the end.
    pub url: String,
    /// Where the token is, never the token.
    pub token: Option<SecretRef>,
    /// The GitHub App that is signed in as instead.
    pub app: Option<AppRef>,
    /// The user name that is sent with it.
    pub user: String,
    /// What its webhooks are signed with; any of them counts.
    pub webhook_secrets: Vec<SecretRef>,
    /// Where the REST API is, if not where the URL has it. GitHub alone.
    pub api: Option<String>,
    /// How branches are moved forward there.
    pub moves: Moves,
    /// The certificates that git trusts there instead of the system's.
    pub ca: Option<PathBuf>,
    /// Whether its repositories become flows by themselves.
    pub discover: bool,
    /// Patterns over the names of flows that are not made.
    pub except: Vec<String>,
    /// Every key of the table as it is in effect.
    pub settings: Vec<Setting>,
}

/// What speaks at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForgeKind {
    /// Git and nothing else: no requests, no results of checks.
    Git,
    /// GitHub, github.com or Enterprise.
    #[serde(rename = "github")]
    GitHub,
    /// GitLab, gitlab.com or self-managed.
    #[serde(rename = "gitlab")]
    GitLab,
    /// Gitea.
    Gitea,
    /// Forgejo.
    Forgejo,
}

impl ForgeKind {
    /// Every kind, with its word.
    pub const ALL: [(&str, Self); 5] = [
        ("git", Self::Git),
        ("github", Self::GitHub),
        ("gitlab", Self::GitLab),
        ("gitea", Self::Gitea),
        ("forgejo", Self::Forgejo),
    ];

    /// Where everybody's is, if there is such a place.
    pub const fn home(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some("https://github.com"),
            Self::GitLab => Some("https://gitlab.com"),
            Self::Git | Self::Gitea | Self::Forgejo => None,
        }
    }

    /// The kind that a table says; plain git where it says none.
    fn of_table(table: &Table) -> Self {
        let word = table.get("kind").and_then(Node::text).unwrap_or_default();
        Self::ALL.into_iter().find(|(known, _)| *known == word).map_or(Self::Git, |(_, kind)| kind)
    }

    /// Whether its API can move a branch from a commit that is named: GraphQL's `updateRefs` of GitHub, and a call that
    /// Gitea has since 1.26. Neither GitLab nor Forgejo describes any.
    const fn moves_branches(self) -> bool {
        matches!(self, Self::GitHub | Self::Gitea)
    }

    /// Whether it has requests, checks and teams.
    pub const fn is_forge(self) -> bool {
        !matches!(self, Self::Git)
    }
}

/// How a branch is moved forward; back it goes by a push everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// By the forge's API, where the version that runs there has a call for it; else by `git push`.
    Api,
    /// By `git push`.
    Push,
}

impl Moves {
    /// What a table says, or what its kind has.
    fn of_table(table: &Table) -> Self {
        match table.get("moves").and_then(Node::text) {
            Some("api") => Self::Api,
            Some(_) => Self::Push,
            None if ForgeKind::of_table(table) == ForgeKind::GitHub => Self::Api,
            None => Self::Push,
        }
    }
}

/// An installation of a GitHub App.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRef {
    /// The App's id, or its client id.
    pub id: String,
    /// The number of its installation.
    pub installation: u64,
    /// Where its private key is, never the key.
    pub key: SecretRef,
}

/// Where a secret is to be found. It is read when it is used and never kept in the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(PathBuf),
}

/// One flow with what the engine needs besides its policy.
#[derive(Debug, Clone)]
pub struct FlowConfig {
    /// The policy.
    pub flow: Flow,
    /// What git is given: a URL, an scp form, or a path (relative ones resolved against the
    /// config's folder).
    pub remote: String,
    /// The `[forge.NAME]` it is reached through; none for a plain git remote.
    pub forge: Option<String>,
    /// The repository as it was listed, where nobody wrote a `[[flow]]`.
    pub discovered: Option<Listed>,
    /// Where the tokens of the `http` gates are, by environment.
    pub gate_tokens: BTreeMap<EnvName, SecretRef>,
    /// Where the value of each key came from; keys as in [`Setting::key`].
    pub origins: BTreeMap<String, Origin>,
    /// Every key as it is in effect, in the order in which `config show` prints them.
    pub settings: Vec<Setting>,
    /// The line on which the flow begins.
    pub line: usize,
}

/// One effective value.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The key path within its table: `zone`, `environment.staging.gates.lag.for`.
    pub key: String,
    /// The value in the form in which it would be written.
    pub value: Json,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Origin {
    /// Nobody wrote it.
    Default,
    /// `[service]` rules it.
    Service {
        /// Its line.
        line: usize,
    },
    /// `[forge.X]`.
    Forge {
        /// Its line.
        line: usize,
    },
    /// `[sink.X]`.
    Sink {
        /// Its line.
        line: usize,
    },
    /// `[chat.X]`.
    Chat {
        /// Its line.
        line: usize,
    },
    /// `[people.X]`.
    People {
        /// Its line.
        line: usize,
    },
    /// An `[[allow]]` or a `[[deny]]`.
    Rule {
        /// Its line.
        line: usize,
    },
    /// `[defaults]`.
    Defaults {
        /// Its line.
        line: usize,
    },
    /// A `[[group]]`.
    Group {
        /// The pattern of it that matched.
        pattern: String,
        /// Its line.
        line: usize,
    },
    /// The flow itself.
    Flow {
        /// Its line.
        line: usize,
    },
    /// `discover` of a `[forge.X]`.
    Discovered {
        /// The forge.
        forge: String,
        /// Its line.
        line: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Service { line } => write!(f, "[service] line {line}"),
            Self::Defaults { line } => write!(f, "[defaults] line {line}"),
            Self::Group { pattern, line } => write!(f, "group \"{}\" line {line}", problem::shown(pattern)),
            Self::Discovered { forge, line } => write!(f, "discovered by [forge.{forge}] line {line}"),
            Self::Forge { line }
            | Self::Sink { line }
            | Self::Chat { line }
            | Self::People { line }
            | Self::Rule { line }
            | Self::Flow { line } => write!(f, "line {line}"),
        }
    }
}

impl Config {
    /// The same with these flows alone, or with all if none are named.
    #[must_use]
    pub fn only(&self, flows: &[towpath_core::model::FlowName]) -> Self {
        let wanted = |found: &&FlowConfig| flows.is_empty() || flows.contains(&found.flow.name);
        Self {
            path: self.path.clone(),
            print: self.print,
            base_dir: self.base_dir.clone(),
            service: self.service.clone(),
            forges: self.forges.clone(),
            chats: self.chats.clone(),
            laws: self.laws.clone(),
            sinks: self.sinks.clone(),
            flows: self.flows.iter().filter(wanted).cloned().collect(),
            warnings: self.warnings.clone(),
            source: Arc::clone(&self.source),
        }
    }

    /// Reads and judges the file.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let source = source::Source::read(path)?;
        resolve::config(source)
    }

    /// The same, but only of a regular file: for a service that must not wait for whoever writes into a pipe.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load_again(path: &Path) -> Result<Self, Problems> {
        let source = source::Source::read_regular(path)?;
        resolve::config(source)
    }

    /// The same for a text that is already here; `path` says where relative paths start from.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn from_text(text: &str, path: &Path) -> Result<Self, Problems> {
        let source = source::Source::new(path, text.as_bytes())?;
        resolve::config(source)
    }
}
