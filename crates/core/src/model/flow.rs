//! What the config says of a flow, typed: after `config` has resolved it nothing here is a text
//! that still has to be understood.
//!
//! Not here: the shape of the TOML (that is `src/config` of the root package) and secrets.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::id::{BranchName, CheckName, EnvName, FlowName, PolicyDigest};
use super::migrations::MigrationsGate;
use super::request::RequestRules;
use super::time::Span;
use crate::calendar::{Schedule, Windows};

/// One repository and its ordered environments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The name people use; unique in the config.
    pub name: FlowName,
    /// What the forge calls the repository, or the git URL or path as configured. Never holds a
    /// credential.
    pub repository: String,
    /// The zone in which windows and schedules are read and times are shown.
    pub zone: Tz,
    /// How many candidates per edge and tick may be judged on dear facts.
    pub look_back: u32,
    /// At least two, in the order in which commits move.
    pub environments: Vec<Environment>,
    /// A digest of everything above and below.
    pub policy: PolicyDigest,
}

/// A branch with the gates that guard entry to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The name people use; unique in the flow.
    pub name: EnvName,
    /// The branch; unique in the flow.
    pub branch: BranchName,
    /// How commits enter. Without meaning for the first environment.
    pub via: Via,
    /// How requests are handled, where `via` is by request.
    pub request: RequestRules,
    /// Which commits of the source may enter.
    pub candidates: Candidates,
    /// Whether Towpath acts here or only watches.
    pub mode: Mode,
    /// The user's database that the environment's code uses; the name is local to the flow.
    pub database: Option<String>,
    /// How long replaced code may still be running.
    pub settle: Span,
    /// The check that says a deployment of a commit has finished.
    pub deployed: Option<CheckName>,
    /// Whether `rollback` is allowed.
    pub rollback: bool,
    /// How far behind its source it may fall before somebody is told.
    pub behind_alarm: Option<Span>,
    /// How long it may be blocked before somebody is told; never without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_alarm: Option<Span>,
    /// How long before commits enter by themselves people are told, where they are to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads_up: Option<Span>,
    /// The gates on entry, in the order of [`GateKind::ALL`], at most one of a kind.
    pub gates: Vec<Gate>,
}

/// How commits enter an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// The target branch is moved to the candidate itself.
    FastForward,
    /// A merge request is opened, approved and merged.
    MergeRequest,
}

/// Which commits of the source may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Candidates {
    /// Those that the source held as its tip: what ran there. The default from the second edge on.
    Tips,
    /// Every commit on the source's first-parent chain. The default on the first edge.
    Commits,
}

/// Whether Towpath acts or only watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Decides, records and moves.
    Act,
    /// Decides, records and shows; touches nothing outside its own store.
    Observe,
}

/// One configured condition on entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Checks are green for exactly the candidate.
    Ci(CiGate),
    /// The candidate has been on the source for a time.
    Lag(LagGate),
    /// Nothing has arrived on the source for a time.
    Quiet(Span),
    /// Entry is open now.
    Window(Windows),
    /// An instant at which one promotion may enter has come.
    Schedule(Schedule),
    /// People approved exactly the candidate.
    Approvals(ApprovalsGate),
    /// What it brings to the database breaks no code that runs there.
    Migrations(MigrationsGate),
    /// A server of the user's says that exactly the candidate may pass.
    Http(HttpGate),
}

/// The kinds of gate, named as in config and in `override`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateKind {
    /// See [`Gate::Ci`].
    Ci,
    /// See [`Gate::Lag`].
    Lag,
    /// See [`Gate::Quiet`].
    Quiet,
    /// See [`Gate::Window`].
    Window,
    /// See [`Gate::Schedule`].
    Schedule,
    /// See [`Gate::Approvals`].
    Approvals,
    /// See [`Gate::Migrations`].
    Migrations,
    /// See [`Gate::Http`].
    Http,
}

impl GateKind {
    /// Every kind, in the order in which verdicts are listed.
    pub const ALL: [Self; 8] = [
        Self::Ci,
        Self::Lag,
        Self::Quiet,
        Self::Window,
        Self::Schedule,
        Self::Approvals,
        Self::Migrations,
        Self::Http,
    ];

    /// The key in config and the word in commands and verdicts.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ci => "ci",
            Self::Lag => "lag",
            Self::Quiet => "quiet",
            Self::Window => "window",
            Self::Schedule => "schedule",
            Self::Approvals => "approvals",
            Self::Migrations => "migrations",
            Self::Http => "http",
        }
    }

    /// The kind with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

impl Gate {
    /// Which kind this is.
    pub const fn kind(&self) -> GateKind {
        match self {
            Self::Ci(_) => GateKind::Ci,
            Self::Lag(_) => GateKind::Lag,
            Self::Quiet(_) => GateKind::Quiet,
            Self::Window(_) => GateKind::Window,
            Self::Schedule(_) => GateKind::Schedule,
            Self::Approvals(_) => GateKind::Approvals,
            Self::Migrations(_) => GateKind::Migrations,
            Self::Http(_) => GateKind::Http,
        }
    }
}

/// `gates.ci`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiGate {
    /// What must be green.
    pub checks: Checks,
    /// After how long without any result a push tip is blocked instead of waiting.
    pub missing_after: Option<Span>,
}

/// Which checks must be green.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checks {
    /// These; never empty.
    Named(Vec<NamedCheck>),
    /// Everything reported for the candidate, and at least one thing.
    All,
    /// Those that the forge's own rules require on the target.
    Required,
}

/// One required check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCheck {
    /// Its name, compared exactly.
    pub name: CheckName,
    /// On which references its results count.
    pub on: CheckRef,
}

/// On which references the results of a check count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckRef {
    /// Green on some reference, and neither red nor running on the source branch.
    Any,
    /// Only results on the source branch (and results without a reference).
    Source,
}

/// `gates.lag`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LagGate {
    /// How long.
    pub length: Span,
    /// Counts from when this check turned green instead of from arrival (whichever is later).
    pub since: Option<CheckName>,
}

/// `gates.approvals`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalsGate {
    /// How many distinct people.
    pub required: u32,
    /// Who counts; empty means everybody who may run `approve`.
    pub from: BTreeSet<String>,
    /// Whether authors of commits in the range count.
    pub authors: AuthorsMay,
}

/// Whether an author of a commit in the range may approve it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorsMay {
    /// Their approval does not count; neither does that of somebody whose e-mail is not known.
    Refuse,
    /// It counts.
    Allow,
}

/// `gates.http`. Where its token is, is no part of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpGate {
    /// What is asked: a URL with `https`, or with `http` on this machine itself; without user, password
    /// and query.
    pub url: String,
}

impl HttpGate {
    /// The host that is asked, with its port where that is written: what people are shown of the URL.
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').map_or(authority, |(_, host)| host)
    }
}

/// One step, from a source environment to its target.
#[derive(Debug, Clone, Copy)]
pub struct Edge<'a> {
    /// The flow it belongs to.
    pub flow: &'a Flow,
    /// Where commits come from.
    pub source: &'a Environment,
    /// Where they enter; its name names the edge.
    pub target: &'a Environment,
    /// 0 for the edge out of the first environment.
    pub at: usize,
}

impl Flow {
    /// The edges, source-most first.
    pub fn edges(&self) -> impl DoubleEndedIterator<Item = Edge<'_>> {
        self.environments.windows(2).enumerate().map(|(at, pair)| Edge {
            flow: self,
            source: &pair[0],
            target: &pair[1],
            at,
        })
    }

    /// The edge into `env`; none for the first environment or one that is not of this flow.
    pub fn edge(&self, env: &EnvName) -> Option<Edge<'_>> {
        self.edges().find(|edge| &edge.target.name == env)
    }

    /// The environment of that name.
    pub fn environment(&self, env: &EnvName) -> Option<&Environment> {
        self.environments.iter().find(|e| &e.name == env)
    }
}

impl Environment {
    /// The gate of that kind, if configured.
    pub fn gate(&self, kind: GateKind) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.kind() == kind)
    }
}
