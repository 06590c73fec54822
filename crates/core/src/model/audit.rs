//! What people commanded: a row for each command, allowed or not.
//!
//! Not here: who may what (`people`), and what a command does (`ledger`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::id::{Actor, FlowName, OrderId};
use super::time::Instant;

/// A command somebody gave, allowed or not. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The id that the reply carries.
    pub id: OrderId,
    /// When.
    pub at: Instant,
    /// Who.
    pub by: Actor,
    /// What they wrote, in canonical form.
    pub command: String,
    /// Whether it was carried out.
    pub allowed: bool,
    /// What came of it.
    pub effect: String,
    /// Which flows it concerned.
    #[serde(default)]
    pub concerns: Concerns,
    /// How it came, where a person gave it; none of what Towpath itself records, and of rows from before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<Came>,
}

/// How a command came, and by what it was allowed or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    /// From where.
    pub surface: Surface,
    /// What whoever gave it was known by there: `token:deploy`, `slack:T024BE7LD/U012AB3CD`.
    pub identity: String,
    /// The channel or the comment in which it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What they wrote, to the letter, where that is not the canonical form; at most [`SAID_MAX`] characters of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// By what it was allowed or denied: `role operator`, `rule release day`, `machine`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Whether it was only tried out (`--dry-run`, or what is shown before it is confirmed).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// How much of what was written is kept, in characters.
pub const SAID_MAX: usize = 2_000;

/// From where something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// The command line, beside the store.
    Cli,
    /// The API, which is also the command line from elsewhere.
    Api,
    /// A chat system.
    Chat,
    /// A comment on a forge.
    Comment,
    /// The pages, by somebody who is logged in.
    Page,
}

impl Surface {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Cli, Self::Api, Self::Chat, Self::Comment, Self::Page];

    /// The word in the config, in the audit and in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Api => "api",
            Self::Chat => "chat",
            Self::Comment => "comment",
            Self::Page => "page",
        }
    }
}

/// Which flows a command concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concerns {
    /// Every flow.
    #[default]
    All,
    /// These; none for what is about no flow, such as a token.
    Flows(BTreeSet<FlowName>),
}

impl Concerns {
    /// No flow.
    pub const fn none() -> Self {
        Self::Flows(BTreeSet::new())
    }

    /// One flow.
    pub fn one(flow: FlowName) -> Self {
        Self::Flows(BTreeSet::from([flow]))
    }

    /// The flow, if it is a single one.
    pub fn single(&self) -> Option<&FlowName> {
        match self {
            Self::Flows(flows) if flows.len() == 1 => flows.first(),
            Self::All | Self::Flows(_) => None,
        }
    }
}
