//! `[people.NAME]`, `[[allow]]` and `[[deny]]`, typed: who is who, and who may what beyond the rules of the house.
//!
//! Not here: what follows from it (`towpath_core::people`).

use std::collections::BTreeSet;

use towpath_core::command::Verb;
use towpath_core::model::EnvName;
use towpath_core::people::{
    AllowRule, DenyRule, Identity, Law, Mention, On, People, PersonCard, Role, Rules, Surface, VerbWord,
};

use super::check::texts;
use super::problem::{Problem, shown};
use super::tree::{Node, Table};

/// Who is who, and who may what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Laws {
    /// Everybody that the config knows.
    pub people: People,
    /// What it says on top of the rules of the house.
    pub rules: Rules,
}

impl Laws {
    /// Both, as they are asked.
    pub const fn law(&self) -> Law<'_> {
        Law { people: &self.people, rules: &self.rules }
    }
}

/// What the file says. What is invalid has been reported by the check of its keys, or is here, and counts for nobody.
pub(super) fn laws(top: &Table, problems: &mut Vec<Problem>) -> Laws {
    let tables = top.get("people").and_then(Node::table).into_iter().flat_map(|table| &table.0);
    let cards: Vec<PersonCard> =
        tables.filter_map(|entry| Some(card(&entry.key, entry.node.table()?, problems))).collect();
    let at = |key: &str| top.entry(key).map_or(0..0, |entry| entry.key_span.clone());
    let people = People::new(cards).unwrap_or_else(|faults| {
        for fault in faults {
            problems.push(
                Problem::error(at("people"), "people", fault.to_string()).hint("each identity is one person's"),
            );
        }
        People::default()
    });
    let service = top.get("service").and_then(Node::table);
    let production =
        texts(service.and_then(|table| table.get("production"))).into_iter().map(EnvName::new).collect();
    let rules = Rules {
        production,
        allow: list(top, "allow").map(|(nth, table)| allow(nth, table)).collect(),
        deny: list(top, "deny").map(|(nth, table)| deny(nth, table)).collect(),
    };
    for fault in rules.faults(&people) {
        let hint = "write `role = \"developer\"`, or `people` with names of `[people.NAME]`";
        problems.push(Problem::error(at("allow"), "allow", fault.to_string()).hint(hint));
    }
    Laws { people, rules }
}

fn card(name: &str, table: &Table, problems: &mut Vec<Problem>) -> PersonCard {
    let mut identities = Vec::new();
    for text in texts(table.get("identities")) {
        match text.parse::<Identity>() {
            Ok(identity) => identities.push(identity),
            Err(why) => {
                let span = table.entry("identities").map_or(0..0, |entry| entry.node.span.clone());
                let what = format!("`{}` is no identity: {why}", shown(&text));
                let hint = "write for example `forge:hub/ana`, `mail:ana@example.com`, `slack:T024BE7LD/U012AB3CD`, \
                            `token:ana-laptop` or `os:ana@desk`";
                problems.push(Problem::error(span, format!("people.{name}.identities"), what).hint(hint));
            }
        }
    }
    let word = |key: &str| table.get(key).and_then(Node::text).unwrap_or_default();
    let mentions = [Mention::Never, Mention::Problems, Mention::HeadsUp, Mention::All];
    let mention =
        MENTIONS.iter().position(|known| *known == word("mention")).and_then(|at| mentions.get(at)).copied();
    PersonCard { name: name.to_owned(), role: role(table, "role").unwrap_or_default(), identities, mention }
}

/// The words of `mention`, in the order of [`Mention`].
pub(super) const MENTIONS: [&str; 4] = ["never", "problems", "heads-up", "all"];

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
        "all" => Some(VerbWord::All),
        "steer" => Some(VerbWord::Steer),
        "read" => Some(VerbWord::Read),
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
