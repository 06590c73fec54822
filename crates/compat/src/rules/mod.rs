//! The rules: a row each, with its reason, its recipe, an accepted and a refused example.
//!
//! A change is judged by comparing what running code relies on (the schema at the base) with what it
//! will meet (the schema after a step, or after the range), name by name: the net effect, and what is
//! new is nobody's concern. What leaves no trace in a schema (rows deleted, a statement that nobody
//! could read) is judged where it stands. Not here: reading and replaying.

mod acts;
mod bodies;
mod checks;
mod columns;
mod constraints;
pub mod history;
mod indexes;
mod objects;
mod rows;
mod tables;
pub mod types;

use std::collections::BTreeSet;

pub use acts::acts;
pub use rows::{RULES, document};

use crate::Verdict;
use crate::evidence::{Asked, Known};
use crate::operation::{Ident, Name};
use crate::schema::{Mark, Schema, Seen, Touched};
use crate::sql::Dialect;

/// The rule of what could not be read.
pub const UNREADABLE: &str = "unreadable";

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A change of the schema that running code may not survive.
    Schema,
    /// A change of the history of migrations.
    History,
}

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its id, in findings and acceptances.
    pub id: &'static str,
    /// What it is about.
    pub family: Family,
    /// What it finds.
    pub what: &'static str,
    /// Why that breaks code that runs.
    pub why: &'static str,
    /// The way that does not, in lines.
    pub recipe: &'static [&'static str],
    /// The examples; none where the history itself is the matter.
    pub examples: Option<Examples>,
}

/// A change that is refused (or sent to review), and one that is not, over the same schema.
#[derive(Debug, Clone, Copy)]
pub struct Examples {
    /// The dialect of all three.
    pub dialect: Dialect,
    /// What is there.
    pub base: &'static str,
    /// What the rule accepts.
    pub accepted: &'static str,
    /// What it does not.
    pub refused: &'static str,
}

/// Every rule, in the order of the documentation.
pub fn list_rules() -> &'static [Rule] {
    RULES
}

/// A rule by its id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// A change that a rule found, before running code was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The rule.
    pub rule: &'static str,
    /// What it amounts to, as long as evidence does not say otherwise.
    pub verdict: Verdict,
    /// What it is about.
    pub object: String,
    /// The step that did it.
    pub mark: Mark,
    /// What is done, beginning with the verb in the third person: `drops column users.nick_name`.
    pub words: String,
    /// What code relies on.
    pub before: Option<String>,
    /// What it will meet.
    pub after: Option<String>,
    /// The name whose use in running code decides, where it does.
    pub asked: Option<(Asked, Known)>,
    /// What code must also say to mean this table: another one has its name without the schema, or in
    /// lower case.
    pub apart: Option<String>,
}

impl Change {
    fn new(rule: &'static str, verdict: Verdict, object: impl Into<String>, mark: Mark, words: String) -> Self {
        let object = object.into();
        Self { rule, verdict, object, mark, words, before: None, after: None, asked: None, apart: None }
    }

    fn states(mut self, before: impl Into<Option<String>>, after: impl Into<Option<String>>) -> Self {
        self.before = before.into();
        self.after = after.into();
        self
    }

    fn asking(mut self, asked: Asked) -> Self {
        self.asked = Some((asked, Known::default()));
        self
    }

    /// As [`Self::asking`], of a value of an enum that has these from now on.
    fn asking_value(mut self, asked: Asked, now: &[String]) -> Self {
        self.asked = Some((asked, Known { siblings: now.to_vec(), ..Known::default() }));
        self
    }

    /// Of an object that may be new, nothing is certain.
    fn of(mut self, seen: Seen) -> Self {
        if seen == Seen::Perhaps && self.verdict == Verdict::Incompatible {
            self.verdict = Verdict::NeedsReview;
        }
        self
    }
}

/// Two schemas side by side.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// What running code relies on.
    pub before: &'a Schema,
    /// What it will meet.
    pub now: &'a Schema,
    /// The dialect.
    pub dialect: Dialect,
}

/// Everything that differs for the worse, of the names that were touched.
pub fn judge(sides: Sides<'_>, touched: &BTreeSet<Touched>) -> Vec<Change> {
    let mut changes = vec![];
    for touched in touched {
        match touched {
            Touched::Table(name) => tables::table(sides, name, &mut changes),
            Touched::Index(table, name) => indexes::index(sides, table.as_ref(), name, &mut changes),
            Touched::View(name) => objects::view(sides, name, &mut changes),
            Touched::Type(name) => objects::user_type(sides, name, &mut changes),
            Touched::Routine(name) => objects::routine(sides, name, &mut changes),
            Touched::Other(kind, name) => objects::other(sides, *kind, name, &mut changes),
        }
    }
    for change in &mut changes {
        let table = match &change.asked {
            Some((Asked::Table(table) | Asked::Column(table, _), _)) => table,
            _ => continue,
        };
        change.apart = told_apart(sides, table);
    }
    changes
}

/// What tells a table from another one of nearly its name: its schema, or its quotes.
fn told_apart(sides: Sides<'_>, table: &Name) -> Option<String> {
    let there = |schema: Option<Ident>, name: Ident| sides.before.tables.contains_key(&Name { schema, name });
    if let Some(schema) = &table.schema {
        let twin = |name: &Name| name.name == table.name && name.schema != table.schema;
        return sides.before.tables.keys().any(twin).then(|| schema.written.clone());
    }
    let folded = Ident::folded(table.name.key.as_str());
    let quoted = sides.dialect == Dialect::Postgres && folded != table.name;
    (quoted && there(None, folded)).then(|| format!("{}\"", table.name.written))
}
