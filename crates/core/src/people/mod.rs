//! People and what they may do: who is behind a name on some surface ([`People`]), who wrote a commit
//! ([`authors`]), and who may give which command where, from where ([`Law`]).
//!
//! The rules of the house, where no rule is configured ([`needed`]):
//!
//! - Whoever is known may ask everything. Somebody in a chat who is linked to no person may ask, and is told
//!   how to be linked; in a comment, where on a public forge anybody may write, not even that.
//! - Steering takes a developer; in production, which is a flow's last environment unless the config names
//!   others, an operator. `freeze`, `override` and `rollback` always take an operator.
//! - A command that reaches several environments takes the right in each of them.
//! - A local command (`os:user@host`) and a token of the API have every right unless they are linked to a
//!   person: they belong to whoever runs the machine, and installations without any people go on as before.
//!   Linked to a person, they have that person's.
//! - Rules that allow only add, in any order; rules that deny always win ([`Rules`]).
//!
//! Roles that stand higher never may less. Release managers and admins may nothing more than operators
//! until a rule says so.
//!
//! Not here: who is listed as an approver (`decide::gates::approvals`), what a token's scope allows, and
//! sentences (`explain`).

pub mod accounts;
pub mod authors;
pub mod coming;
mod identity;
mod mailmap;
mod may;
mod noreply;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::Actor;
use crate::text::Shown;

pub use crate::model::Surface;
pub use identity::{BadIdentity, IDENTITY_MAX, Identity, Platform};
pub use mailmap::Mailmap;
pub use may::{Asked, Asker, Denial, Grant, Law, Permit, Place, needed};
pub use noreply::{ForgeHost, ForgeKind, is_bot};
pub use rules::{AllowRule, DenyRule, On, RuleFault, Rules, VerbWord, glob};

/// The longest name of a person, in characters.
pub const PERSON_MAX: usize = 80;

/// How much somebody is trusted with, least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// May ask.
    #[default]
    Viewer,
    /// May steer what is not production.
    Developer,
    /// May steer production.
    Operator,
    /// For rules: those who own releases.
    ReleaseManager,
    /// For rules: those who own the installation.
    Admin,
}

impl Role {
    /// Every role, least first.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Developer, Self::Operator, Self::ReleaseManager, Self::Admin];

    /// The word in the config.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Operator => "operator",
            Self::ReleaseManager => "release-manager",
            Self::Admin => "admin",
        }
    }
}

/// For what somebody is mentioned by name, so that they are called; else their name is plain text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mention {
    /// For nothing.
    Never,
    /// Where their commit is in the way: it blocks others, was refused, or was rolled back.
    #[default]
    Problems,
    /// And before their commit moves.
    HeadsUp,
    /// And when it has.
    All,
}

/// A person as the config has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonCard {
    /// What everybody calls them; unique, in upper and lower case alike. What they do is recorded under it.
    pub name: String,
    /// What they are trusted with.
    #[serde(default)]
    pub role: Role,
    /// What surfaces know them by.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// For what they want to be mentioned; none for what the installation does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention: Option<Mention>,
}

impl PersonCard {
    /// The name under which is recorded what they do.
    pub fn actor(&self) -> Actor {
        Actor::new(&self.name)
    }

    /// Their e-mail addresses in lower case, in the order of the card.
    pub fn emails(&self) -> impl Iterator<Item = String> + use<'_> {
        self.identities.iter().filter_map(|identity| match identity.key() {
            Identity::Email(address) => Some(address),
            _ => None,
        })
    }

    /// Their accounts on a forge, as written.
    pub fn logins<'a>(&'a self, on: &'a str) -> impl Iterator<Item = &'a str> {
        self.identities.iter().filter_map(move |identity| match identity {
            Identity::Forge { forge, login } if forge == on => Some(login.as_str()),
            _ => None,
        })
    }
}

/// Everybody that the config knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<PersonCard>", into = "Vec<PersonCard>")]
pub struct People {
    cards: Vec<PersonCard>,
    by_identity: BTreeMap<Identity, usize>,
}

/// What is wrong with the people of a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleFault {
    /// No name: empty, too long, with a `:`, an `@` at its start, control characters or space around it.
    BadName {
        /// Which card, from 0.
        at: usize,
        /// The name.
        name: String,
    },
    /// Two people of the same name.
    NameTwice {
        /// The later card, from 0.
        at: usize,
        /// The name.
        name: String,
    },
    /// An identity whose text cannot be read back.
    BadIdentity {
        /// Which card, from 0.
        at: usize,
        /// Whose.
        name: String,
        /// The identity.
        identity: Identity,
    },
    /// An identity of two people: nobody could tell who it is.
    Shared {
        /// The second card, from 0.
        at: usize,
        /// The first card, from 0.
        first: usize,
        /// The identity.
        identity: Identity,
        /// The first who has it.
        one: String,
        /// The second.
        other: String,
    },
}

impl std::error::Error for PeopleFault {}

impl fmt::Display for PeopleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| format!("`{}`", Shown::new(text).at_most(PERSON_MAX));
        match self {
            Self::BadName { name, .. } => write!(
                f,
                "{} is no name of a person; write 1 to {PERSON_MAX} characters without `:` and not `@` first",
                shown(name)
            ),
            Self::NameTwice { name, .. } => write!(f, "two people are called {}; rename one", shown(name)),
            Self::BadIdentity { name, identity, .. } => {
                write!(f, "{} has an identity that cannot be one: {}", shown(name), shown(&identity.to_string()))
            }
            Self::Shared { identity, one, other, .. } => write!(
                f,
                "{} is both {} and {}; leave it with one of them",
                shown(&identity.to_string()),
                shown(one),
                shown(other)
            ),
        }
    }
}

impl People {
    /// Everybody, each identity found.
    ///
    /// # Errors
    /// Everything that is wrong with the cards.
    pub fn new(cards: Vec<PersonCard>) -> Result<Self, Vec<PeopleFault>> {
        let mut faults = Vec::new();
        let mut names = BTreeMap::new();
        let mut by_identity: BTreeMap<Identity, usize> = BTreeMap::new();
        for (at, card) in cards.iter().enumerate() {
            if !is_name(&card.name) {
                faults.push(PeopleFault::BadName { at, name: card.name.clone() });
            }
            if names.insert(card.name.to_lowercase(), at).is_some() {
                faults.push(PeopleFault::NameTwice { at, name: card.name.clone() });
            }
            for identity in &card.identities {
                if !identity.is_sound() {
                    let (name, identity) = (card.name.clone(), identity.clone());
                    faults.push(PeopleFault::BadIdentity { at, name, identity });
                }
                let first = *by_identity.entry(identity.key()).or_insert(at);
                if first != at {
                    faults.push(shared(&cards, first, at, identity));
                }
            }
        }
        faults.extend(whole_servers(&cards, &by_identity));
        if faults.is_empty() { Ok(Self { cards, by_identity }) } else { Err(faults) }
    }

    /// Everybody, in the order given.
    pub fn cards(&self) -> &[PersonCard] {
        &self.cards
    }

    /// Who has an identity: e-mail addresses and logins in upper and lower case alike, everything else to
    /// the letter. Whoever comes from one team of a Mattermost is found by their id alone too.
    pub fn who(&self, identity: &Identity) -> Option<&PersonCard> {
        let of = |identity: &Identity| self.by_identity.get(&identity.key());
        let at = of(identity).or_else(|| of(&identity.of_whole_server()?))?;
        self.cards.get(*at)
    }

    /// The person of that name, in upper and lower case alike.
    pub fn named(&self, name: &str) -> Option<&PersonCard> {
        let name = name.to_lowercase();
        self.cards.iter().find(|card| card.name.to_lowercase() == name)
    }
}

fn shared(cards: &[PersonCard], first: usize, at: usize, identity: &Identity) -> PeopleFault {
    let name = |at: usize| cards.get(at).map_or_else(String::new, |card| card.name.clone());
    PeopleFault::Shared { at, first, identity: identity.clone(), one: name(first), other: name(at) }
}

/// Identities in one team that are, without it, another's: whose somebody is must not depend on where they speak.
fn whole_servers(cards: &[PersonCard], by_identity: &BTreeMap<Identity, usize>) -> Vec<PeopleFault> {
    let other = |(identity, at): (&Identity, &usize)| {
        let everywhere = identity.of_whole_server()?;
        let known = *by_identity.get(&everywhere).filter(|known| *known != at)?;
        let later = if known > *at { &everywhere } else { identity };
        Some(shared(cards, known.min(*at), known.max(*at), later))
    };
    by_identity.iter().filter_map(other).collect()
}

/// Whether it can be told from an identity, a team and an empty place.
fn is_name(name: &str) -> bool {
    let length = name.chars().count();
    let bad = |c: char| c == ':' || c.is_control();
    (1..=PERSON_MAX).contains(&length) && name == name.trim() && !name.starts_with('@') && !name.chars().any(bad)
}

impl TryFrom<Vec<PersonCard>> for People {
    type Error = String;

    fn try_from(cards: Vec<PersonCard>) -> Result<Self, String> {
        Self::new(cards).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }
}

impl From<People> for Vec<PersonCard> {
    fn from(people: People) -> Self {
        people.cards
    }
}
