//! Routines, triggers, defaults, checks and policies that go on using what is gone.
//!
//! A database looks at most bodies only when they run: what they use may be dropped, and every
//! statement of running code that makes them run fails from then on. Not here: views, whose columns
//! are a matter of their own.

use std::collections::BTreeMap;

use super::{Change, Sides};
use crate::Verdict::{self, Incompatible, NeedsReview};
use crate::evidence::Asked;
use crate::operation::{ConstraintKind, Filled, Ident, Kind, Maybe, Name};
use crate::schema::{Body, Mark, Other, Table, Use, calls};
use crate::sql::Dialect;

/// What is gone, by the name that bodies know.
#[derive(Clone, Copy)]
pub(super) enum Gone<'a> {
    Table(&'a Name),
    Column(&'a Name, &'a Ident),
    Routine(&'a Name),
}

impl Gone<'_> {
    fn used(self, sides: Sides<'_>, body: &Body, own: &[&Name]) -> Use {
        match self {
            Self::Table(table) => body.uses_table(table),
            Self::Column(table, column) => body.uses_column(table, column, own, sides.before),
            Self::Routine(routine) if body.calls(routine) => Use::Sure,
            Self::Routine(_) => Use::No,
        }
    }

    /// Whether the word is there at all.
    fn may_be_in(self, body: &Body) -> bool {
        match self {
            Self::Table(name) | Self::Routine(name) => body.names(name),
            Self::Column(_, column) => body.names(&Name::plain(column.clone())),
        }
    }

    fn table(self) -> Option<Name> {
        if let Self::Table(table) = self { Some(table.clone()) } else { None }
    }
}

impl std::fmt::Display for Gone<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Table(table) => write!(f, "table {table}"),
            Self::Column(table, column) => write!(f, "{table}.{column}"),
            Self::Routine(routine) => write!(f, "function {routine}"),
        }
    }
}

fn verdict(used: Use) -> Verdict {
    if used == Use::Sure { Incompatible } else { NeedsReview }
}

/// Triggers that were there before and still are, with what their text uses.
fn triggers(sides: Sides<'_>) -> Vec<(&Name, &Name, &Other, &Body)> {
    sides
        .now
        .others
        .iter()
        .filter(|((kind, _), other)| *kind == Kind::Trigger && sides.before.home(other.id).is_some())
        .filter_map(|((_, name), other)| Some((name, other.table.as_ref()?, other, other.body.as_deref()?)))
        .collect()
}

/// Routines that use what is gone, themselves or through others.
fn routines<'a>(sides: Sides<'a>, gone: Gone<'_>) -> BTreeMap<&'a Name, Use> {
    let bodies: Vec<(&Name, &Body)> = sides
        .now
        .routines
        .iter()
        .filter(|(name, _)| sides.before.routines.contains_key(name))
        .flat_map(|(name, list)| list.iter().filter_map(move |routine| Some((name, routine.body.as_deref()?))))
        .collect();
    let triggers = triggers(sides);
    let mut broken: BTreeMap<&Name, Use> = BTreeMap::new();
    for (name, body) in bodies.iter().filter(|(_, body)| gone.may_be_in(body)) {
        let own: Vec<&Name> =
            triggers.iter().filter(|(.., trigger)| trigger.calls(name)).map(|(_, table, ..)| *table).collect();
        let used = gone.used(sides, body, &own);
        if used != Use::No {
            let entry = broken.entry(name).or_insert(used);
            *entry = (*entry).max(used);
        }
    }
    let mut open: Vec<&Name> = broken.keys().copied().collect();
    while let Some(called) = open.pop() {
        let used = broken.get(called).copied().unwrap_or(Use::Perhaps);
        for (name, _) in bodies.iter().filter(|(name, body)| *name != called && body.calls(called)) {
            if !broken.contains_key(name) {
                broken.insert(name, used);
                open.push(name);
            }
        }
    }
    broken
}

/// What goes on using what is gone.
pub(super) fn broken(sides: Sides<'_>, gone: Gone<'_>, by: Mark) -> Vec<Change> {
    let routines = routines(sides, gone);
    let mut changes = vec![];
    let through = |body: &Body| {
        routines
            .iter()
            .filter(|(name, _)| body.calls(name))
            .max_by_key(|(_, used)| **used)
            .map(|(name, used)| (*name, *used))
    };
    let change = |used: Use, object: String, words: String, asked: Asked| {
        Change::new("broken-body", verdict(used), object, by, words).asking(asked)
    };
    for (name, used) in &routines {
        let words = format!("breaks function {name}, which uses {gone}");
        changes.push(change(*used, name.to_string(), words, Asked::Object((*name).clone())));
    }
    for (name, table, _, body) in triggers(sides) {
        if gone.table().is_some_and(|gone| gone == *table) {
            continue;
        }
        let plain = &name.name;
        let itself = gone.used(sides, body, &[table]);
        // Of PostgreSQL's triggers the head alone is here, and the database looks after that.
        let itself = if sides.dialect == Dialect::Postgres { Use::No } else { itself };
        let asked = Asked::Table(table.clone());
        if itself != Use::No {
            let words = format!("breaks trigger {plain} of {table}, which uses {gone}");
            changes.push(change(itself, name.to_string(), words, asked));
        } else if let Some((routine, used)) = through(body) {
            let words = format!("breaks trigger {plain} of {table}: function {routine} uses {gone}");
            changes.push(change(used, name.to_string(), words, asked));
        }
    }
    for (name, view) in sides.now.views.iter().filter(|(name, _)| sides.before.views.contains_key(name)) {
        let Some(body) = view.body.as_deref() else { continue };
        // PostgreSQL lets no function go that a view calls.
        let itself = matches!(gone, Gone::Routine(_)) && sides.dialect != Dialect::Postgres;
        let asked = Asked::Table(name.clone());
        if itself && gone.used(sides, body, &[]) != Use::No {
            let words = format!("breaks view {name}, which uses {gone}");
            changes.push(change(Use::Sure, name.to_string(), words, asked));
        } else if let Some((routine, used)) = through(body) {
            let words = format!("breaks view {name}: function {routine} uses {gone}");
            changes.push(change(used, name.to_string(), words, asked));
        }
    }
    if !routines.is_empty() {
        changes.extend(
            in_tables(sides, &routines, gone)
                .into_iter()
                .map(|(used, object, words, table)| change(used, object, words, Asked::Table(table))),
        );
        for ((kind, name), other) in &sides.now.others {
            if *kind == Kind::Policy
                && let (Some(table), Some((routine, used))) =
                    (&other.table, other.body.as_deref().and_then(through))
            {
                let words = format!("breaks policy {} of {table}: function {routine} uses {gone}", name.name);
                changes.push(change(used, name.to_string(), words, Asked::Table(table.clone())));
            }
        }
    }
    changes
}

/// Defaults, computed columns and checks that call a routine that is broken.
fn in_tables(
    sides: Sides<'_>,
    routines: &BTreeMap<&Name, Use>,
    gone: Gone<'_>,
) -> Vec<(Use, String, String, Name)> {
    let mut found = vec![];
    let caller =
        |text: &str| routines.iter().find(|(name, _)| calls(text, name)).map(|(name, used)| (*name, *used));
    for (table, it) in sides.now.tables.iter().filter(|(_, it)| sides.before.home(it.id).is_some()) {
        for column in it.columns.values() {
            let (what, text) = match &column.filled {
                Maybe::Known(Filled::Default(text)) => ("the default of", text),
                Maybe::Known(Filled::Computed(text)) => ("the computed column", text),
                _ => continue,
            };
            if let Some((routine, used)) = caller(text) {
                let object = format!("{table}.{}", column.name);
                let words = format!("breaks {what} {object}: function {routine} uses {gone}");
                found.push((used, object, words, table.clone()));
            }
        }
        for held in &it.constraints {
            if let ConstraintKind::Check { expression, .. } = &held.kind
                && let Some((routine, used)) = caller(expression)
            {
                let words = format!("breaks a check of {table}: function {routine} uses {gone}");
                found.push((used, table.to_string(), words, table.clone()));
            }
        }
    }
    found
}

/// Bodies that take a table's row for as wide as it was.
pub(super) fn wider_rows(sides: Sides<'_>, name: &Name, old: &Table, new: &Table, changes: &mut Vec<Change>) {
    let same =
        old.columns.len() == new.columns.len() && old.columns.keys().all(|column| new.columns.contains_key(column));
    if same {
        return;
    }
    let by = new
        .columns
        .iter()
        .filter(|(column, _)| !old.columns.contains_key(column))
        .find_map(|(_, column)| column.marks.made)
        .or_else(|| new.lost.last().and_then(|lost| lost.by));
    let triggers = triggers(sides);
    let narrower = old.columns.keys().any(|column| !new.columns.contains_key(column));
    let listed = |body: &Body, own: &[&Name]| {
        body.unlisted_inserts()
            .into_iter()
            .map(|(into, rest)| unlisted(sides, (name, narrower), &into, &rest, own))
            .max()
    };
    let mut put = |used: Option<Use>, object: &Name, what: String, asked: Asked| {
        if let Some(used) = used.filter(|used| *used != Use::No) {
            let words = format!("breaks {what}, which takes all columns of {name} as they were");
            changes.push(Change::new("broken-body", verdict(used), object.to_string(), by, words).asking(asked));
        }
    };
    for (trigger, table, _, body) in triggers.iter().filter(|_| sides.dialect != Dialect::Postgres) {
        let used = listed(body, &[table]);
        put(used, trigger, format!("trigger {} of {table}", trigger.name), Asked::Table((*table).clone()));
    }
    for (routine, list) in sides.now.routines.iter().filter(|(it, _)| sides.before.routines.contains_key(it)) {
        for it in list {
            let Some(body) = it.body.as_deref() else { continue };
            let callers: Vec<&(&Name, &Name, &Other, &Body)> =
                triggers.iter().filter(|(.., trigger)| trigger.calls(routine)).collect();
            let own: Vec<&Name> = callers.iter().map(|(_, table, ..)| *table).collect();
            let table = it.signature.returns.as_ref().is_some_and(|returns| returns.starts_with("table("));
            let returned = (table && body.returns_all_of(name)).then_some(Use::Sure);
            let used = listed(body, &own).max(returned);
            put(used, routine, format!("function {routine}"), Asked::Object(routine.clone()));
            for (trigger, table, ..) in callers {
                let what = format!("trigger {} of {table}", trigger.name);
                put(used, trigger, what, Asked::Table((*table).clone()));
            }
        }
    }
}

/// Whether rows that are put into a table without a list of columns fit no more, now that `changed`
/// has others.
fn unlisted(sides: Sides<'_>, changed: (&Name, bool), into: &str, rest: &[&str], own: &[&Name]) -> Use {
    let (changed, narrower) = changed;
    let is = |word: &str| changed.name.key.to_lowercase() == word;
    let row = own.iter().any(|own| own.name == changed.name)
        && rest.windows(3).any(|words| matches!(words, ["new" | "old", ".", "*"]));
    let select = rest.contains(&"*") && rest.windows(2).any(|words| matches!(words, ["from", table] if is(table)));
    let from_changed = row || select;
    if !from_changed && !is(into) {
        return Use::No;
    }
    if !from_changed {
        // PostgreSQL fills what is left over at the end.
        let starred = rest.contains(&"*");
        return match (sides.dialect, narrower, starred) {
            (_, _, true) => Use::No,
            (Dialect::Postgres, false, _) => Use::No,
            _ => Use::Sure,
        };
    }
    let target = Name::plain(Ident::folded(into));
    let width = |schema: &crate::schema::Schema, table: &Name| {
        schema.tables.get(table).filter(|table| table.whole).map(|table| table.columns.len())
    };
    let widths = (
        width(sides.before, changed),
        width(sides.before, &target),
        width(sides.now, changed),
        width(sides.now, &target),
    );
    match widths {
        (Some(from), Some(to), Some(from_now), Some(to_now)) => {
            let fits = if sides.dialect == Dialect::Postgres { from_now <= to_now } else { from_now == to_now };
            match (fits, from.abs_diff(to) == from_now.abs_diff(to_now)) {
                (_, true) => Use::No,
                (true, false) => Use::Perhaps,
                (false, false) => Use::Sure,
            }
        }
        _ => Use::Perhaps,
    }
}
