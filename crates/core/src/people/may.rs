//! Who may give which command, where and from where.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rules::{On, Rules};
use super::{Identity, People, PersonCard, Role};
use crate::command::Verb;
use crate::model::{EnvName, FlowName, Surface};

/// An environment that a command reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The flow.
    pub flow: FlowName,
    /// The environment.
    pub env: EnvName,
    /// Whether it is production.
    pub production: bool,
}

/// Who gives a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker<'a> {
    /// A person.
    Person(&'a PersonCard),
    /// A local command or a token that is linked to no person.
    Machine(&'a Identity),
    /// Anybody else who is linked to no person.
    Unlinked(&'a Identity),
}

/// A command being given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Its verb.
    pub verb: Verb,
    /// Every environment that it reaches; see [`Rules::places`]. A command that steers and reaches none
    /// takes what it would in production.
    pub reach: &'a [Place],
    /// From where it comes.
    pub surface: Surface,
}

/// The people and the rules: what permission is decided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Law<'a> {
    /// The people.
    pub people: &'a People,
    /// The rules.
    pub rules: &'a Rules,
}

/// Whether somebody may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permit {
    /// Yes.
    Allowed {
        /// By what; several where a command reaches several environments.
        by: BTreeSet<Grant>,
    },
    /// No.
    Denied {
        /// Why not.
        why: Denial,
        /// Who may, by name: those with the lowest role first, then by name.
        who_may: Vec<String>,
    },
}

/// By what something is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Asking is open to everybody who comes from there.
    Open,
    /// It is a machine's own.
    Machine,
    /// It stops what they wrote themselves.
    Author,
    /// That role will do.
    Role(Role),
    /// The rule of that name.
    Rule(String),
}

/// Why something is denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Denial {
    /// Nobody knows who that is.
    Unlinked {
        /// What they are known by.
        identity: Identity,
        /// The verb.
        verb: Verb,
        /// Whether they may ask, at least.
        may_ask: bool,
    },
    /// It takes another role.
    RoleTooLow {
        /// Who.
        who: String,
        /// Their role.
        has: Role,
        /// The role that would do.
        needs: Role,
        /// The verb.
        verb: Verb,
        /// Where; none for a command that is about no place.
        place: Option<Place>,
        /// In how many other places of the command's reach it is denied, too.
        more: usize,
    },
    /// A rule says so.
    Rule {
        /// Who, as recorded.
        who: String,
        /// The rule.
        rule: String,
        /// The verb.
        verb: Verb,
        /// From where.
        surface: Surface,
        /// Where; none for a command that is about no place.
        place: Option<Place>,
        /// In how many other places of the command's reach it is denied, too.
        more: usize,
    },
}

/// The role that a verb takes where no rule is configured.
///
/// | verb | elsewhere | in production |
/// |---|---|---|
/// | status, explain, where, diff, history, whoami, help | viewer | viewer |
/// | pause, resume, hold, unhold, approve, promote, retry, report | developer | operator |
/// | freeze, override, rollback | operator | operator |
pub fn needed(verb: Verb, production: bool) -> Role {
    match verb {
        Verb::Freeze | Verb::Override | Verb::Rollback => Role::Operator,
        verb if verb.reads() => Role::Viewer,
        _ if production => Role::Operator,
        _ => Role::Developer,
    }
}

impl<'a> Law<'a> {
    /// Who is behind an identity.
    pub fn asker(&self, identity: &'a Identity) -> Asker<'a> {
        match self.people.who(identity) {
            Some(card) => Asker::Person(card),
            None if identity.is_machine() => Asker::Machine(identity),
            None => Asker::Unlinked(identity),
        }
    }

    /// Whether somebody may do something: in every place that it reaches.
    pub fn may(&self, asker: Asker<'_>, asked: &Asked<'_>) -> Permit {
        let everywhere = [None];
        let places: Vec<Option<&Place>> =
            if asked.reach.is_empty() { everywhere.to_vec() } else { asked.reach.iter().map(Some).collect() };
        let mut by = BTreeSet::new();
        let mut denied = Vec::new();
        for place in places {
            match self.at(asker, asked, place) {
                Ok(grant) => _ = by.insert(grant),
                Err(why) => denied.push(why),
            }
        }
        let others = denied.len().saturating_sub(1);
        // What is named has to be enough everywhere: of `pause all` not the role that another environment takes.
        let worst = denied.iter().map(Denial::weight).max();
        match denied.into_iter().find(|why| Some(why.weight()) == worst) {
            None => Permit::Allowed { by },
            Some(why) => Permit::Denied { why: why.with_more(others), who_may: self.who_may(asked) },
        }
    }

    /// The verbs that somebody may use at a place, in the order of the table of verbs.
    pub fn verbs(&self, asker: Asker<'_>, reach: &[Place], surface: Surface) -> Vec<Verb> {
        let may = |verb: &Verb| self.is_allowed(asker, &Asked { verb: *verb, reach, surface });
        crate::command::VERBS.iter().map(|row| row.verb).filter(may).collect()
    }

    fn is_allowed(&self, asker: Asker<'_>, asked: &Asked<'_>) -> bool {
        match asked.reach {
            [] => self.at(asker, asked, None).is_ok(),
            places => places.iter().all(|place| self.at(asker, asked, Some(place)).is_ok()),
        }
    }

    /// Everybody who may.
    fn who_may(&self, asked: &Asked<'_>) -> Vec<String> {
        let may = |card: &&PersonCard| self.is_allowed(Asker::Person(card), asked);
        let mut cards: Vec<&PersonCard> = self.people.cards().iter().filter(may).collect();
        cards.sort_by(|one, other| (one.role, &one.name).cmp(&(other.role, &other.name)));
        cards.into_iter().map(|card| card.name.clone()).collect()
    }

    /// By what it is allowed at one place, or why not.
    fn at(&self, asker: Asker<'_>, asked: &Asked<'_>, place: Option<&Place>) -> Result<Grant, Denial> {
        let Asked { verb, surface, .. } = *asked;
        let bears = |on: &On| on.bears(verb, surface, place);
        let hits = |below: Option<Role>, people: &BTreeSet<String>| {
            let all = below.is_none() && people.is_empty();
            all || below.is_some_and(|below| asker.role().is_none_or(|role| role < below))
                || asker.is_one_of(people)
        };
        if let Some(rule) = self.rules.deny.iter().find(|rule| bears(&rule.on) && hits(rule.below, &rule.people)) {
            let rule = rule.name.clone();
            return Err(Denial::Rule { who: asker.name(), rule, verb, surface, place: place.cloned(), more: 0 });
        }
        let card = match asker {
            Asker::Person(card) => card,
            Asker::Machine(_) => return Ok(Grant::Machine),
            Asker::Unlinked(_) if verb.reads() && surface != Surface::Comment => return Ok(Grant::Open),
            Asker::Unlinked(identity) => {
                let may_ask = surface != Surface::Comment;
                return Err(Denial::Unlinked { identity: identity.clone(), verb, may_ask });
            }
        };
        let needs = needed(verb, place.is_none_or(|place| place.production));
        if card.role >= needs {
            return Ok(Grant::Role(needs));
        }
        let mut rules = self.rules.allow.iter();
        let helps = rules.find(|rule| {
            let by_role = rule.role.is_some_and(|role| card.role >= role);
            bears(&rule.on) && (by_role || asker.is_one_of(&rule.people))
        });
        match helps {
            Some(rule) => Ok(Grant::Rule(rule.name.clone())),
            None => Err(Denial::RoleTooLow {
                who: card.name.clone(),
                has: card.role,
                needs,
                verb,
                place: place.cloned(),
                more: 0,
            }),
        }
    }
}

impl Asker<'_> {
    /// The name under which is recorded what they do.
    pub fn name(&self) -> String {
        match self {
            Self::Person(card) => card.name.clone(),
            Self::Machine(identity) | Self::Unlinked(identity) => identity.to_string(),
        }
    }

    /// What rules take them for; none of somebody unknown.
    fn role(&self) -> Option<Role> {
        match self {
            Self::Person(card) => Some(card.role),
            Self::Machine(_) => Some(Role::Admin),
            Self::Unlinked(_) => None,
        }
    }

    fn is_one_of(&self, people: &BTreeSet<String>) -> bool {
        match self {
            Self::Person(card) => people.iter().any(|name| name.to_lowercase() == card.name.to_lowercase()),
            Self::Machine(_) | Self::Unlinked(_) => false,
        }
    }
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Machine => f.write_str("machine"),
            Self::Author => f.write_str("author"),
            Self::Role(role) => write!(f, "role {}", role.word()),
            Self::Rule(rule) => write!(f, "rule {rule}"),
        }
    }
}

impl Permit {
    /// By what it was decided, for the audit: what allowed it, joined by commas, or what stood against it.
    pub fn rule(&self) -> String {
        match self {
            Self::Allowed { by } => by.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            Self::Denied { why: Denial::Unlinked { .. }, .. } => "nobody's identity".to_owned(),
            Self::Denied { why: Denial::RoleTooLow { has, needs, .. }, .. } => {
                format!("role {}, needs {}", has.word(), needs.word())
            }
            Self::Denied { why: Denial::Rule { rule, .. }, .. } => format!("rule {rule}"),
        }
    }

    /// Whether it is a yes.
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

impl Denial {
    /// How much it takes to be let in after all: no role helps against a rule.
    fn weight(&self) -> (bool, Option<Role>) {
        match self {
            Self::Unlinked { .. } => (false, None),
            Self::RoleTooLow { needs, .. } => (false, Some(*needs)),
            Self::Rule { .. } => (true, None),
        }
    }

    fn with_more(mut self, others: usize) -> Self {
        match &mut self {
            Self::Unlinked { .. } => {}
            Self::RoleTooLow { more, .. } | Self::Rule { more, .. } => *more = others,
        }
        self
    }
}
