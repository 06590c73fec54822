//! `whoami`: who somebody is here, and what they may do where.
//!
//! Not here: the rules (`towpath_core::people`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use towpath_core::command::{VERBS, Verb};
use towpath_core::model::{ApprovalsGate, AuthorsMay, EnvName, FlowName, Gate, GateKind, Via};
use towpath_core::people::{Asked, Asker, Law, Place};
use towpath_core::text::one_line;
use utoipa::ToSchema;

use super::page::Line;
use crate::config::{Config, FlowConfig};
use crate::engine::command::Person;

/// How many places are named in one line.
const NAMED: usize = 5;

/// Who somebody is, and what they may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoView {
    /// Under which name is recorded what they do.
    #[schema(example = "ana")]
    pub name: String,
    /// What they are known by where they ask.
    #[schema(example = "slack:T024BE7LD/U012AB3CD")]
    pub identity: String,
    /// Their role; none for a machine's account or token, which may everything, and for whoever is linked to no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "operator")]
    pub role: Option<String>,
    /// Whether they are linked to no person, and are no machine.
    pub unlinked: bool,
    /// What they may, where: places with the same verbs are one entry.
    pub may: Vec<May>,
    /// Where an approval of theirs counts, unless they wrote what it is for.
    pub approves: Vec<Entered>,
    /// Where it would, but does not as long as no e-mail of theirs is known: authors may not approve there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs_email: Vec<Entered>,
}

/// What may be done at some places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct May {
    /// The verbs that steer.
    pub verbs: Vec<String>,
    /// Whether these places are production.
    pub production: bool,
    /// Where.
    pub places: Vec<Entered>,
}

/// An environment of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entered {
    /// The flow.
    #[schema(value_type = String, example = "shop/checkout")]
    pub flow: FlowName,
    /// The environment.
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
}

/// Makes it.
pub fn who(config: &Config, person: &Person) -> WhoView {
    let law = config.laws.law();
    let asker = law.asker(&person.identity);
    let mut may: BTreeMap<(bool, Vec<Verb>), Vec<Entered>> = BTreeMap::new();
    let (mut approves, mut needs_email) = (Vec::new(), Vec::new());
    let mails = match asker {
        Asker::Person(card) => person.email.is_some() || card.emails().next().is_some(),
        Asker::Machine(_) | Asker::Unlinked(_) => person.email.is_some(),
    };
    for found in &config.flows {
        for place in config.laws.rules.places(&found.flow, None) {
            let mut verbs = steering(&law, asker, &place, person);
            // Where nobody may, nobody needs the right.
            verbs.retain(|verb| {
                *verb != Verb::Rollback || found.flow.environment(&place.env).is_some_and(|env| env.rollback)
            });
            let at = Entered { flow: place.flow.clone(), env: place.env.clone() };
            let gate = counts(found, &place.env, &names(asker, person)).filter(|_| verbs.contains(&Verb::Approve));
            match gate {
                Some(gate) if mails || gate.authors == AuthorsMay::Allow => approves.push(at.clone()),
                Some(_) => needs_email.push(at.clone()),
                None => {}
            }
            may.entry((place.production, verbs)).or_default().push(at);
        }
    }
    let may = may.into_iter().map(|((production, verbs), places)| May {
        verbs: verbs.into_iter().map(|verb| verb.to_string()).collect(),
        production,
        places,
    });
    WhoView {
        name: asker.name(),
        identity: person.identity.to_string(),
        role: match asker {
            Asker::Person(card) => Some(card.role.word().to_owned()),
            Asker::Machine(_) | Asker::Unlinked(_) => None,
        },
        unlinked: matches!(asker, Asker::Unlinked(_)),
        may: may.collect(),
        approves,
        needs_email,
    }
}

/// The verbs that steer, as far as they may be used there.
fn steering(law: &Law<'_>, asker: Asker<'_>, place: &Place, person: &Person) -> Vec<Verb> {
    let reach = std::slice::from_ref(place);
    let may = |verb: &Verb| law.may(asker, &Asked { verb: *verb, reach, surface: person.surface }).is_allowed();
    VERBS.iter().filter(|row| !row.reads).map(|row| row.verb).filter(may).collect()
}

/// Every name under which an approval of theirs may be listed.
fn names(asker: Asker<'_>, person: &Person) -> Vec<String> {
    let identities = match asker {
        Asker::Person(card) => card.identities.iter().map(ToString::to_string).collect(),
        Asker::Machine(_) | Asker::Unlinked(_) => vec![person.identity.to_string()],
    };
    [asker.name()].into_iter().chain(identities).collect()
}

/// The gate of an environment that is entered by `approve`, if it counts somebody of these names.
fn counts<'f>(found: &'f FlowConfig, env: &EnvName, names: &[String]) -> Option<&'f ApprovalsGate> {
    let environment = found.flow.environment(env).filter(|env| env.via != Via::MergeRequest)?;
    let Some(Gate::Approvals(gate)) = environment.gate(GateKind::Approvals) else { return None };
    let listed = gate.from.is_empty() || names.iter().any(|name| gate.from.contains(name));
    listed.then_some(gate)
}

impl WhoView {
    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        let (name, identity) = (one_line(&self.name, 100), one_line(&self.identity, 200));
        let mut lines = vec![Line::plain(
            0,
            match (&self.role, self.unlinked) {
                (Some(role), _) => format!("You are `{name}`, role {role}, here as `{identity}`"),
                (None, false) => {
                    format!(
                        "You are `{identity}`, which is linked to no person and may everything: it is a machine's"
                    )
                }
                (None, true) => format!(
                    "You are `{identity}`, which is linked to no person: have it added to your `identities` in the config"
                ),
            },
        )];
        for may in &self.may {
            let places = listed(&may.places);
            let places = if may.production { format!("In production ({places})") } else { format!("In {places}") };
            let what = if may.verbs.is_empty() { "you may look".to_owned() } else { may.verbs.join(", ") };
            lines.push(Line::plain(2, format!("{places}: {what}")));
        }
        if !self.approves.is_empty() {
            let what = "Your approvals count, unless you wrote what they are for, in";
            lines.push(Line::plain(2, format!("{what} {}", listed(&self.approves))));
        }
        if !self.needs_email.is_empty() {
            let why = "authors may not approve there, and without an e-mail it cannot be told whether you are one";
            let what = format!("Your approvals do not count in {}: {why}", listed(&self.needs_email));
            lines.push(Line::plain(2, what));
        }
        lines
    }
}

fn listed(places: &[Entered]) -> String {
    let mut named: Vec<String> =
        places.iter().take(NAMED).map(|place| format!("`{}` `{}`", place.flow, place.env)).collect();
    if places.len() > NAMED {
        named.push(format!("{} more", places.len() - NAMED));
    }
    named.join(", ")
}
