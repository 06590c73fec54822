//! What the config says on top of the rules of the house.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::may::Place;
use super::{People, Role};
use crate::command::Verb;
use crate::model::{EnvName, Flow, FlowName, Surface};
use crate::text::Shown;

/// Configured rules. Their order does not matter: whatever one of `deny` refuses is refused, whatever one of
/// `allow` or the rules of the house permits is otherwise permitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// The environments that are production. A flow that has none of them, and every flow where this is
    /// empty, has its last one.
    pub production: BTreeSet<EnvName>,
    /// What may be done beyond the rules of the house.
    pub allow: Vec<AllowRule>,
    /// What may not be done.
    pub deny: Vec<DenyRule>,
}

/// What a rule is about; an empty list is any, but for verbs: every one that steers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct On {
    /// Which verbs.
    pub verbs: Vec<VerbWord>,
    /// Environments, by name; `*` stands for any part of a name.
    pub environments: Vec<String>,
    /// Flows, likewise.
    pub flows: Vec<String>,
    /// From where.
    pub surfaces: Vec<Surface>,
}

/// A verb, or all of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VerbWord {
    /// `all`
    All,
    /// `steer`: whatever changes something.
    Steer,
    /// `read`: whatever only looks.
    Read,
    /// The verb itself.
    One(Verb),
}

/// Lets people do what their role alone does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AllowRule {
    /// What it is called where it decides.
    pub name: String,
    /// What it is about.
    #[serde(flatten)]
    pub on: On,
    /// For this role and those above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// For these people, whatever their role.
    pub people: BTreeSet<String>,
}

/// Refuses what would be permitted; with neither `below` nor `people`, to everybody and every machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DenyRule {
    /// What it is called where it decides.
    pub name: String,
    /// What it is about.
    #[serde(flatten)]
    pub on: On,
    /// To those below this role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<Role>,
    /// To these people, whatever their role.
    pub people: BTreeSet<String>,
}

/// What is wrong with rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleFault {
    /// A name that no person has.
    Nobody {
        /// The rule.
        rule: String,
        /// The name.
        person: String,
    },
    /// A rule that allows nobody anything.
    ForNobody {
        /// The rule.
        rule: String,
    },
}

impl std::error::Error for RuleFault {}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| format!("`{}`", Shown::new(text).at_most(80));
        match self {
            Self::Nobody { rule, person } => {
                write!(
                    f,
                    "the rule {} is for {}, and no person is called so; name one of `[people.NAME]`",
                    shown(rule),
                    shown(person)
                )
            }
            Self::ForNobody { rule } => {
                write!(f, "the rule {} is for nobody; give it `role = \"developer\"` or `people`", shown(rule))
            }
        }
    }
}

impl Rules {
    /// What is wrong with them, for people as they are.
    pub fn faults(&self, people: &People) -> Vec<RuleFault> {
        let unnamed = self.allow.iter().filter(|rule| rule.role.is_none() && rule.people.is_empty());
        let mut faults: Vec<RuleFault> =
            unnamed.map(|rule| RuleFault::ForNobody { rule: rule.name.clone() }).collect();
        let allow = self.allow.iter().map(|rule| (&rule.name, &rule.people));
        let deny = self.deny.iter().map(|rule| (&rule.name, &rule.people));
        for (rule, names) in allow.chain(deny) {
            let unknown = names.iter().filter(|name| people.named(name).is_none());
            faults.extend(unknown.map(|person| RuleFault::Nobody { rule: rule.clone(), person: person.clone() }));
        }
        faults
    }

    /// Whether an environment is production.
    pub fn is_production(&self, flow: &Flow, env: &EnvName) -> bool {
        if flow.environments.iter().any(|env| self.production.contains(&env.name)) {
            return self.production.contains(env);
        }
        flow.environments.last().is_some_and(|last| last.name == *env)
    }

    /// The places that a command about a flow reaches: one environment, or all that commits can enter.
    pub fn places(&self, flow: &Flow, only: Option<&EnvName>) -> Vec<Place> {
        let place = |env: &EnvName| Place {
            flow: flow.name.clone(),
            env: env.clone(),
            production: self.is_production(flow, env),
        };
        match only {
            Some(env) => vec![place(env)],
            None => flow.environments.iter().skip(1).map(|env| place(&env.name)).collect(),
        }
    }
}

impl On {
    /// Whether a rule about this bears on a verb, from a surface, at a place; none is a command that is
    /// about no place, which only a rule about any place bears on.
    pub(super) fn bears(&self, verb: Verb, surface: Surface, place: Option<&Place>) -> bool {
        let verb_fits =
            if self.verbs.is_empty() { !verb.reads() } else { self.verbs.iter().any(|word| word.covers(verb)) };
        let fits = |patterns: &[String], name: Option<&str>| {
            patterns.is_empty() || name.is_some_and(|name| patterns.iter().any(|pattern| glob(pattern, name)))
        };
        verb_fits
            && (self.surfaces.is_empty() || self.surfaces.contains(&surface))
            && fits(&self.flows, place.map(|place| FlowName::as_str(&place.flow)))
            && fits(&self.environments, place.map(|place| EnvName::as_str(&place.env)))
    }
}

impl VerbWord {
    fn covers(self, verb: Verb) -> bool {
        match self {
            Self::All => true,
            Self::Steer => !verb.reads(),
            Self::Read => verb.reads(),
            Self::One(one) => one == verb,
        }
    }
}

impl fmt::Display for VerbWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Steer => "steer",
            Self::Read => "read",
            Self::One(verb) => verb.word(),
        })
    }
}

impl Serialize for VerbWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerbWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let kinds = [Self::All, Self::Steer, Self::Read];
        let kind = kinds.into_iter().find(|kind| kind.to_string() == word);
        kind.or_else(|| Verb::from_word(&word).map(Self::One)).ok_or_else(|| {
            let shown = Shown::new(&word).at_most(80);
            serde::de::Error::custom(format!("`{shown}` is no verb; write `steer`, `read`, `all` or a verb"))
        })
    }
}

/// Whether a pattern in which `*` stands for any text, of slashes too, is the whole of a name.
pub fn glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, fits) in [
            ("production", "production", true),
            ("production", "production-2", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("shop/*", "shop/checkout", true),
            ("shop/*", "shopping/checkout", false),
            ("*-eu", "production-eu", true),
            ("a*b*c", "a-x-b-y-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("", "", true),
            ("", "a", false),
            ("**", "a", true),
        ] {
            assert_eq!(glob(pattern, name), fits, "{pattern} {name}");
        }
    }
}
