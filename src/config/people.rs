//! `[people.NAME]`, `[[allow]]` and `[[deny]]`, typed: who is who, and who may what beyond the rules of the house.
//!
//! Not here: what follows from it (`towpath_core::people`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use towpath_core::command::{VERBS, Verb};
use towpath_core::model::{EnvName, FlowName};
use towpath_core::people::{
    AllowRule, DenyRule, ForgeHost, ForgeKind as Made, Identity, Law, Mention, On, People, PeopleFault, PersonCard,
    Role, RuleFault, Rules, Surface, VerbWord, glob,
};

use super::check::texts;
use super::identities::identity;
use super::keys::Place;
use super::problem::{Problem, shown};
use super::service::settings;
use super::show::quoted;
use super::source::Source;
use super::tree::{Node, Table};
use super::{Config, Forge, ForgeKind};
use super::{Origin, Setting};

/// Who is who, and who may what.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Laws {
    /// Everybody that the config knows.
    pub people: People,
    /// What it says on top of the rules of the house.
    pub rules: Rules,
    /// Every table of them as it is in effect.
    pub tables: Vec<LawTable>,
}

/// A table of people or rules, as it is shown and compared.
#[derive(Debug, Clone, PartialEq)]
pub struct LawTable {
    /// Its head: `[people.ana]`, `[[allow]]`.
    pub header: String,
    /// What it is called in the audit: `people.ana`, `allow "release day"`.
    pub name: String,
    /// Every key of it.
    pub settings: Vec<Setting>,
}

impl Config {
    /// The forges whose made-up addresses tell a login.
    pub fn forge_hosts(&self) -> Vec<ForgeHost> {
        let host = |forge: &Forge| {
            let (_, rest) = forge.url.split_once("://")?;
            Some(ForgeHost {
                name: forge.name.clone(),
                host: rest.split('/').next()?.to_owned(),
                kind: match forge.kind {
                    ForgeKind::GitHub => Made::GitHub,
                    ForgeKind::GitLab => Made::GitLab,
                    ForgeKind::Gitea | ForgeKind::Forgejo => Made::Gitea,
                    ForgeKind::Git => Made::Other,
                },
            })
        };
        self.forges.values().filter(|forge| forge.kind.is_forge()).filter_map(host).collect()
    }
}

fn shown_tables(top: &Table, source: &Source) -> Vec<LawTable> {
    let people = top.get("people").and_then(Node::table).into_iter().flat_map(|table| &table.0);
    let people = people.filter_map(|entry| {
        let settings = settings(Place::Person, Some(entry.node.table()?), source, |line| Origin::People { line });
        let key = quoted(&entry.key);
        Some(LawTable { header: format!("[people.{key}]"), name: format!("people.{key}"), settings })
    });
    let mut all: Vec<LawTable> = people.collect();
    for (kind, place) in [("allow", Place::Allow), ("deny", Place::Deny)] {
        all.extend(list(top, kind).map(|(nth, table)| LawTable {
            header: format!("[[{kind}]]"),
            name: format!("{kind} {}", quoted(&name(kind, nth, table))),
            settings: settings(place, Some(table), source, |line| Origin::Rule { line }),
        }));
    }
    all
}

impl Laws {
    /// Both, as they are asked.
    pub const fn law(&self) -> Law<'_> {
        Law { people: &self.people, rules: &self.rules }
    }
}

/// What the file says. What is invalid has been reported by the check of its keys, or is here, and counts for nobody.
pub(super) fn laws(top: &Table, source: &Source, problems: &mut Vec<Problem>) -> Laws {
    let tables = top.get("people").and_then(Node::table).into_iter().flat_map(|table| &table.0);
    let (spans, cards): (Vec<Range<usize>>, Vec<PersonCard>) = tables
        .filter_map(|entry| Some((entry.key_span.clone(), card(&entry.key, entry.node.table()?, problems))))
        .unzip();
    let people = People::new(cards.clone()).unwrap_or_else(|faults| {
        problems.extend(faults.iter().map(|fault| misfit(fault, &spans, source)));
        without(cards, &faults)
    });
    for card in people.cards().iter().filter(|card| TAKEN.contains(&card.name.to_lowercase().as_str())) {
        let what =
            format!("nobody can be called `{}`: that is what the audit calls what is no person's", card.name);
        let span = person_span(top, &card.name);
        problems.push(Problem::error(span, format!("people.{}", card.name), what).hint("write another name"));
    }
    let service = top.get("service").and_then(Node::table);
    let production =
        texts(service.and_then(|table| table.get("production"))).into_iter().map(EnvName::new).collect();
    let rules = Rules {
        production,
        allow: list(top, "allow").map(|(nth, table)| allow(nth, table)).collect(),
        deny: list(top, "deny").map(|(nth, table)| deny(nth, table)).collect(),
    };
    for fault in rules.faults(&people) {
        let (kind, span) = match &fault {
            // A role that is none has been reported.
            RuleFault::ForNobody { rule } => match unnamed(top, rule) {
                Some(span) => ("allow", span),
                None => continue,
            },
            // Whoever is there with a fault has been reported with that.
            RuleFault::Nobody { person, .. } if is_written(top, person) => continue,
            RuleFault::Nobody { rule, person } => naming(top, rule, person),
        };
        problems.push(Problem::told(span, kind, &fault.to_string()));
    }
    let denials = top.get("deny").into_iter().flat_map(Node::tables);
    for (node, _) in denials.filter(|(_, table)| table.0.iter().all(|entry| entry.key == "name")) {
        let what = "this `[[deny]]` names neither what nor whom, so that nobody may steer anything";
        let hint =
            "write what it denies (`verbs`, `environments`, `flows`, `surfaces`), or to whom (`people`, `below`)";
        problems.push(Problem::warning(node.span.clone(), "deny", what).hint(hint));
    }
    Laws { people, rules, tables: shown_tables(top, source) }
}

/// A fault at the table that it is of.
fn misfit(fault: &PeopleFault, spans: &[Range<usize>], source: &Source) -> Problem {
    let (PeopleFault::BadName { at, name }
    | PeopleFault::NameTwice { at, name }
    | PeopleFault::BadIdentity { at, name, .. }
    | PeopleFault::Shared { at, other: name, .. }) = fault;
    let span = spans.get(*at).cloned().unwrap_or(0..0);
    let problem = Problem::told(span, format!("people.{}", shown(name)), &fault.to_string());
    let PeopleFault::Shared { first, one, .. } = fault else { return problem };
    let Some(first) = spans.get(*first) else { return problem };
    let hint = format!("{}; `{}` stands at line {}", problem.hint, shown(one), source.line(first.start));
    problem.hint(hint)
}

/// The people without what is wrong with some, so that what names the others is not wrong too.
fn without(mut cards: Vec<PersonCard>, faults: &[PeopleFault]) -> People {
    let mut gone = BTreeSet::new();
    for fault in faults {
        match fault {
            PeopleFault::BadName { at, .. } | PeopleFault::NameTwice { at, .. } => {
                gone.insert(*at);
            }
            PeopleFault::BadIdentity { at, .. } | PeopleFault::Shared { at, .. } => {
                if let Some(card) = cards.get_mut(*at) {
                    card.identities.clear();
                }
            }
        }
    }
    let kept = cards.into_iter().enumerate().filter(|(at, _)| !gone.contains(at));
    People::new(kept.map(|(_, card)| card).collect()).unwrap_or_default()
}

/// Where the name of a person stands.
fn person_span(top: &Table, name: &str) -> Range<usize> {
    let people = top.get("people").and_then(Node::table);
    people.and_then(|table| table.entry(name)).map_or(0..0, |entry| entry.key_span.clone())
}

/// Whether there is a table of that person, whatever is wrong with it.
fn is_written(top: &Table, name: &str) -> bool {
    let people = top.get("people").and_then(Node::table).into_iter().flat_map(|table| &table.0);
    people.into_iter().any(|entry| entry.key.to_lowercase() == name.to_lowercase())
}

/// The `[[allow]]` of that name that says nothing of whom it is for.
fn unnamed(top: &Table, rule: &str) -> Option<Range<usize>> {
    let mut rules = top.get("allow").into_iter().flat_map(Node::tables).enumerate();
    let is_meant = |nth: usize, table: &Table| {
        name("allow", nth, table) == rule && table.get("role").is_none() && people(table).is_empty()
    };
    rules.find(|(nth, (_, table))| is_meant(*nth, table)).map(|(_, (node, _))| node.span.clone())
}

/// The kind of the rule of that name that names that person, and where it does.
fn naming(top: &Table, rule: &str, person: &str) -> (&'static str, Range<usize>) {
    for kind in ["allow", "deny"] {
        for (nth, table) in list(top, kind) {
            if name(kind, nth, table) == rule && people(table).contains(person) {
                return (kind, table.entry("people").map_or(0..0, |entry| entry.node.span.clone()));
            }
        }
    }
    ("allow", 0..0)
}

/// Where the nth rule of a kind stands.
fn rule_span(top: &Table, kind: &str, nth: usize) -> Range<usize> {
    let mut rules = top.get(kind).into_iter().flat_map(Node::tables);
    rules.nth(nth).map_or(0..0, |(node, _)| node.span.clone())
}

/// What the rules and people name that there is not: a rule that bears on nothing by a slip of the pen refuses nobody.
pub(super) fn fits(
    top: &Table,
    laws: &Laws,
    flows: &[(&FlowName, Vec<&EnvName>)],
    forges: &BTreeMap<String, Forge>,
    problems: &mut Vec<Problem>,
) {
    // What is discovered later may be called anything.
    let closed = !forges.values().any(|forge| forge.discover);
    let mut missing = |span: Range<usize>, table: &str, key: &str, word: &str, what: &str| {
        if closed {
            let fault = format!("`{}` in `{key}` names no {what} of this config", shown(word));
            let hint = "write one that there is; `*` stands for any part of a name";
            problems.push(Problem::error(span, format!("{table}.{key}"), fault).hint(hint));
        }
    };
    let envs: Vec<&str> = flows.iter().flat_map(|(_, envs)| envs).map(|env| env.as_str()).collect();
    let names: Vec<&str> = flows.iter().map(|(name, _)| name.as_str()).collect();
    let none = |pattern: &str, of: &[&str]| !of.iter().any(|name| glob(pattern, name));
    let allow = laws.rules.allow.iter().enumerate().map(|(nth, rule)| ("allow", nth, &rule.on));
    let deny = laws.rules.deny.iter().enumerate().map(|(nth, rule)| ("deny", nth, &rule.on));
    for (kind, nth, on) in allow.chain(deny) {
        let span = || rule_span(top, kind, nth);
        for word in on.environments.iter().filter(|word| none(word, &envs)) {
            missing(span(), kind, "environments", word, "environment");
        }
        for word in on.flows.iter().filter(|word| none(word, &names)) {
            missing(span(), kind, "flows", word, "flow");
        }
    }
    for env in laws.rules.production.iter().filter(|env| !envs.contains(&env.as_str())) {
        let span = top.entry("service").map_or(0..0, |entry| entry.key_span.clone());
        missing(span, "service", "production", env.as_str(), "environment");
    }
    for card in laws.people.cards() {
        for identity in &card.identities {
            if let Identity::Forge { forge, .. } = identity
                && !forges.contains_key(forge)
            {
                let fault = format!("`{}` is on a forge that is not in this config", shown(&identity.to_string()));
                problems.push(
                    Problem::error(person_span(top, &card.name), format!("people.{}.identities", card.name), fault)
                        .hint("write it as `forge:NAME/LOGIN` with the NAME of a `[forge.NAME]`"),
                );
            }
        }
    }
}

fn card(name: &str, table: &Table, problems: &mut Vec<Problem>) -> PersonCard {
    let mut identities = Vec::new();
    for node in table.get("identities").and_then(Node::list).unwrap_or_default() {
        let Some(text) = node.text() else { continue };
        match identity(text) {
            Ok(identity) => identities.push(identity),
            Err(why) => {
                problems.push(Problem::told(node.span.clone(), format!("people.{name}.identities"), &why));
            }
        }
    }
    let word = |key: &str| table.get(key).and_then(Node::text).unwrap_or_default();
    let mention = mention(word("mention"));
    PersonCard { name: name.to_owned(), role: role(table, "role").unwrap_or_default(), identities, mention }
}

/// The words of `mention`, in the order of [`Mention`].
pub(super) const MENTIONS: [&str; 4] = ["never", "problems", "heads-up", "all"];

/// What a word of `mention` means.
pub(super) fn mention(word: &str) -> Option<Mention> {
    let mentions = [Mention::Never, Mention::Problems, Mention::HeadsUp, Mention::All];
    MENTIONS.iter().position(|known| *known == word).and_then(|at| mentions.get(at)).copied()
}

/// How many verbs steer.
const STEERING: usize = {
    let (mut count, mut at) = (0, 0);
    while at < VERBS.len() {
        count += if VERBS[at].reads { 0 } else { 1 };
        at += 1;
    }
    count
};

/// The words of `verbs`: all that steer, then each of them. What only looks is open to all who are known, and no rule
/// closes it.
pub(super) const VERB_WORDS: [&str; STEERING + 1] = {
    let mut words = ["steer"; STEERING + 1];
    let (mut next, mut at) = (1, 0);
    while at < VERBS.len() {
        if !VERBS[at].reads {
            words[next] = VERBS[at].word;
            next += 1;
        }
        at += 1;
    }
    words
};

/// Names that the audit has for those who are no people.
const TAKEN: [&str; 3] = [towpath_core::see::US, towpath_core::see::SOMEBODY, "all"];

/// The words of roles, in the order of [`Role::ALL`].
pub(super) const ROLES: [&str; 5] = ["viewer", "developer", "operator", "release-manager", "admin"];

/// The words of surfaces, in the order of [`Surface::ALL`].
pub(super) const SURFACES: [&str; 5] = ["cli", "api", "chat", "comment", "page"];

fn role(table: &Table, key: &str) -> Option<Role> {
    let word = table.get(key).and_then(Node::text)?;
    Role::ALL.into_iter().find(|role| role.word() == word)
}

fn list<'a>(top: &'a Table, key: &str) -> impl Iterator<Item = (usize, &'a Table)> {
    let list = top.get(key).and_then(Node::list).unwrap_or_default();
    list.iter().filter_map(Node::table).enumerate()
}

fn on(table: &Table) -> On {
    let verb = |word: String| match word.as_str() {
        "steer" => Some(VerbWord::Steer),
        word => Verb::from_word(word).map(VerbWord::One),
    };
    let surface = |word: String| SURFACES.iter().position(|known| *known == word).map(|at| Surface::ALL[at]);
    On {
        verbs: texts(table.get("verbs")).into_iter().filter_map(verb).collect(),
        environments: texts(table.get("environments")),
        flows: texts(table.get("flows")),
        surfaces: texts(table.get("surfaces")).into_iter().filter_map(surface).collect(),
    }
}

/// What a rule is called where it decides: as written, or by its place in the file.
fn name(kind: &str, nth: usize, table: &Table) -> String {
    let written = table.get("name").and_then(Node::text).map(str::to_owned);
    written.unwrap_or_else(|| format!("{kind} {}", nth + 1))
}

fn people(table: &Table) -> BTreeSet<String> {
    texts(table.get("people")).into_iter().collect()
}

fn allow(nth: usize, table: &Table) -> AllowRule {
    AllowRule { name: name("allow", nth, table), on: on(table), role: role(table, "role"), people: people(table) }
}

fn deny(nth: usize, table: &Table) -> DenyRule {
    DenyRule { name: name("deny", nth, table), on: on(table), below: role(table, "below"), people: people(table) }
}
