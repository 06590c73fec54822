//! Views, types, routines and everything else that code may name.

use std::sync::Arc;

use super::bodies::{self, Gone};
use super::{Change, Sides};
use crate::Verdict::{Incompatible, NeedsReview};
use crate::evidence::Asked;
use crate::operation::{Filled, Ident, Kind, Maybe, Name, Parameter, Signature, TypeBody};
use crate::schema::{Body, Mark, Routine, Seen, Table, TookFrom, UserType, View};
use crate::sql::Dialect;

/// What became of a view.
pub fn view(sides: Sides<'_>, name: &Name, changes: &mut Vec<Change>) {
    let Some(old) = sides.before.views.get(name) else { return };
    changes.extend(sides.now.views.get(name).and_then(|new| materialized_lost(name, old, new)));
    match sides.now.views.get(name) {
        Some(new) if new.made.is_none() && new.id == old.id => {}
        Some(new) => view_replaced(name, old, new, changes),
        None => changes.push(view_gone(sides, name, old)),
    }
}

/// What a materialised view cannot be without: its rows, and the unique index that REFRESH …
/// CONCURRENTLY asks for.
fn materialized_lost(name: &Name, old: &View, new: &View) -> Option<Change> {
    let took = new.took.filter(|_| new.took != old.took);
    if let Some((TookFrom::Rows, by)) = took {
        let words = format!("leaves materialised view {name} without rows: a SELECT is refused until a refresh");
        let change = Change::new("replace-view", Incompatible, name.to_string(), by, words);
        return Some(change.asking(Asked::Table(name.clone())));
    }
    if old.unique.is_empty() || !new.unique.is_empty() {
        return None;
    }
    let by = took.map_or(new.made, |(_, by)| by);
    let words = format!("drops the unique index of materialised view {name}, which REFRESH CONCURRENTLY needs");
    let change = Change::new("drop-unique", NeedsReview, name.to_string(), by, words);
    Some(change.asking(Asked::Table(name.clone())))
}

fn view_gone(sides: Sides<'_>, name: &Name, old: &View) -> Change {
    let by = sides.now.gone(old.id);
    let asked = Asked::Table(name.clone());
    if let Some(to) = sides.now.home(old.id) {
        let words = format!("renames view {name} to {to}");
        return Change::new("rename-object", Incompatible, name.to_string(), by, words).asking(asked);
    }
    if sides.now.tables.contains_key(name) {
        let words = format!("puts a table in the place of view {name}");
        return Change::new("replace-view", NeedsReview, name.to_string(), by, words);
    }
    Change::new("drop-view", Incompatible, name.to_string(), by, format!("drops view {name}")).asking(asked)
}

fn view_replaced(name: &Name, old: &View, new: &View, changes: &mut Vec<Change>) {
    if new.id == old.id && !new.lost.is_empty() {
        return view_columns_renamed(name, old, new, changes);
    }
    let same = same_body(&old.body, &new.body) || same_text(old.text.as_deref(), new.text.as_deref(), &["select"]);
    if old.columns == new.columns && same {
        return;
    }
    let (Maybe::Known(before), Maybe::Known(after)) = (&old.columns, &new.columns) else {
        let words = format!("defines view {name} anew, and its columns cannot be compared");
        let change = Change::new("replace-view", NeedsReview, name.to_string(), new.made, words);
        changes.push(change.of(new.seen));
        return;
    };
    let lost = before.iter().filter(|column| !after.contains(column));
    let first = changes.len();
    for column in lost {
        let words = format!("defines view {name} anew without column {column}");
        let object = format!("{name}.{column}");
        let change = Change::new("replace-view", Incompatible, object, new.made, words);
        changes.push(change.asking(Asked::Column(name.clone(), column.clone())));
    }
    if changes.len() == first {
        changes.extend(view_expressions(name, old, new, (before, after)));
    }
    if changes.len() > first || after.len() > before.len() && after.starts_with(before) {
        return;
    }
    if !after.starts_with(before) {
        let words = format!("defines view {name} anew with its columns in another order");
        changes.push(Change::new("replace-view", NeedsReview, name.to_string(), new.made, words));
    } else if new.replaced {
        let words = format!("replaces view {name}: the same columns, perhaps other rows");
        changes.push(Change::new("replace-view", NeedsReview, name.to_string(), new.made, words));
    }
}

/// A column of the same name that is another expression may be of another type.
fn view_expressions(name: &Name, old: &View, new: &View, columns: (&[Ident], &[Ident])) -> Option<Change> {
    let (one, other) = (old.body.as_ref()?.selected(), new.body.as_ref()?.selected());
    if one.len() != columns.0.len() || other.len() != columns.1.len() {
        return None;
    }
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ' '));
    let differs = |column: &&Ident| {
        let at = |list: &[Ident]| list.iter().position(|other| other == *column);
        let before = at(columns.0).and_then(|at| one.get(at));
        let after = at(columns.1).and_then(|at| other.get(at));
        matches!((before, after), (Some(before), Some(after)) if before != after && !(plain(before) && plain(after)))
    };
    let column = columns.0.iter().find(differs)?;
    let words = format!("defines column {column} of view {name} anew, perhaps with another type");
    Some(Change::new("replace-view", NeedsReview, format!("{name}.{column}"), new.made, words))
}

/// ALTER VIEW … RENAME COLUMN.
fn view_columns_renamed(name: &Name, old: &View, new: &View, changes: &mut Vec<Change>) {
    let still = |column: &Ident| matches!(&new.columns, Maybe::Known(columns) if columns.contains(column));
    let known = |column: &Ident| matches!(&old.columns, Maybe::Known(columns) if !columns.contains(column));
    for (column, by) in new.lost.iter().filter(|(column, _)| !still(column) && !known(column)) {
        let words = format!("renames column {column} of view {name}");
        let change = Change::new("replace-view", Incompatible, format!("{name}.{column}"), *by, words);
        changes.push(change.asking(Asked::Column(name.clone(), column.clone())));
    }
}

/// Whether two whole texts are the same.
fn same_body(one: &Option<Arc<Body>>, other: &Option<Arc<Body>>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one == other)
}

/// Whether two definitions say the same. A framework's call may stand for more than its text shows, so
/// the text must have a body in it.
fn same_text(one: Option<&str>, other: Option<&str>, body: &[&str]) -> bool {
    let has_body = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| body.iter().any(|known| word.eq_ignore_ascii_case(known)))
    };
    matches!((one, other), (Some(one), Some(other)) if one == other && has_body(one))
}

/// What became of a type.
pub fn user_type(sides: Sides<'_>, name: &Name, changes: &mut Vec<Change>) {
    let Some(old) = sides.before.types.get(name) else { return };
    let Some(new) = sides.now.types.get(name) else {
        let by = sides.now.gone(old.id);
        let asked = Asked::Object(name.clone());
        changes.push(match sides.now.home(old.id) {
            Some(to) => {
                let words = format!("renames type {name} to {to}");
                Change::new("rename-object", Incompatible, name.to_string(), by, words).asking(asked)
            }
            None => Change::new("drop-type", Incompatible, name.to_string(), by, format!("drops type {name}"))
                .asking(asked),
        });
        return;
    };
    let first = changes.len();
    match (&old.body, &new.body) {
        (Some(TypeBody::Enum(before)), Some(TypeBody::Enum(after))) => {
            values(sides, name, before, after, (old, new), changes);
        }
        (Some(TypeBody::Composite(before)), Some(TypeBody::Composite(after))) => {
            for column in before.iter().filter(|column| !after.contains(column)) {
                let words = format!("takes or changes attribute {} of type {name}", column.name);
                let object = format!("{name}.{}", column.name);
                changes.push(Change::new("narrow-type", Incompatible, object, new.made, words));
            }
        }
        (Some(one), Some(other)) if one == other => {}
        (None, None) if old.id == new.id => renamed_values(sides, name, (old, new), changes),
        (Some(_), Some(_)) => {
            let words = format!("makes type {name} another one");
            changes.push(Change::new("narrow-type", Incompatible, name.to_string(), new.made, words));
        }
        _ => {
            let words = format!("puts another type in the place of {name}, and what it was is not known");
            changes.push(Change::new("narrow-type", NeedsReview, name.to_string(), new.made, words));
        }
    }
    for change in &mut changes[first..] {
        *change = change.clone().of(old.seen);
    }
}

/// Tables that have columns of a type.
fn tables_of(sides: Sides<'_>, ty: &UserType) -> Vec<Name> {
    const MANY: usize = 20;
    let has = |table: &Table| {
        table.columns.values().any(|column| match &column.ty {
            Maybe::Known(of) => sides.before.user_type(of).is_some_and(|(_, found)| found.id == ty.id),
            Maybe::Unknown => false,
        })
    };
    sides.before.tables.iter().filter(|(_, table)| has(table)).map(|(name, _)| name.clone()).take(MANY).collect()
}

fn values(
    sides: Sides<'_>,
    name: &Name,
    before: &[String],
    after: &[String],
    (old, new): (&UserType, &UserType),
    changes: &mut Vec<Change>,
) {
    let shown = |values: &[String]| values.join(", ");
    if before.iter().all(|value| after.contains(value)) {
        return;
    }
    let tables = tables_of(sides, old);
    for value in before.iter().filter(|value| !after.contains(value)) {
        let object = format!("{name}.{value}");
        let renamed = new.renamed.iter().find(|(from, _, _)| from == value).filter(|_| old.id == new.id);
        let change = match renamed {
            Some((_, to, by)) => {
                let words = format!("renames value '{value}' of type {name} to '{to}'");
                Change::new("enum-rename-value", Incompatible, object, *by, words)
            }
            None => {
                let words = format!("takes value '{value}' from type {name}");
                Change::new("enum-drop-value", Incompatible, object, new.made, words)
            }
        };
        let asked = Asked::Value(value.clone(), tables.clone());
        changes.push(change.states(shown(before), shown(after)).asking_value(asked, after));
    }
}

/// Of a type whose values are not known, the renames still are.
fn renamed_values(sides: Sides<'_>, name: &Name, (old, new): (&UserType, &UserType), changes: &mut Vec<Change>) {
    if new.renamed.is_empty() {
        return;
    }
    let tables = tables_of(sides, old);
    for (from, to, by) in &new.renamed {
        // Renamed and back is no change.
        if new.renamed.iter().any(|(other, back, _)| other == to && back == from) {
            continue;
        }
        let words = format!("renames value '{from}' of type {name} to '{to}'");
        let change = Change::new("enum-rename-value", Incompatible, format!("{name}.{from}"), *by, words);
        changes.push(change.asking(Asked::Value(from.clone(), tables.clone())));
    }
}

/// What became of the routines of a name.
pub fn routine(sides: Sides<'_>, name: &Name, changes: &mut Vec<Change>) {
    let Some(old) = sides.before.routines.get(name).filter(|old| !old.is_empty()) else { return };
    let asked = Asked::Object(name.clone());
    let Some(new) = sides.now.routines.get(name).filter(|new| !new.is_empty()) else {
        let by = sides.now.gone_routine(name);
        let what = if old.iter().any(|routine| routine.kind == Kind::Procedure) { "procedure" } else { "function" };
        let words = format!("drops {what} {name}");
        changes.push(Change::new("drop-routine", Incompatible, name.to_string(), by, words).asking(asked));
        changes.extend(bodies::broken(sides, Gone::Routine(name), by));
        return;
    };
    if sides.dialect == Dialect::Postgres {
        changes.extend(ambiguous(name, old, new).map(|change| change.asking(asked.clone())));
    }
    for routine in old {
        if new.iter().any(|other| other.made.is_none() && other == routine) {
            continue;
        }
        let change = routine_replaced(name, routine, new);
        if let Some(change) = change.as_ref().filter(|change| change.verdict == Incompatible) {
            changes.extend(bodies::broken(sides, Gone::Routine(name), change.mark));
        }
        changes.extend(change.map(|change| change.asking_if_incompatible(asked.clone())));
    }
}

/// A new overload that a call of today fits as well: PostgreSQL takes neither.
fn ambiguous(name: &Name, old: &[Routine], new: &[Routine]) -> Option<Change> {
    let stays = |routine: &&Routine| new.iter().any(|other| other.made.is_none() && other == *routine);
    let inputs = |routine: &Routine| match &routine.signature.parameters {
        Maybe::Known(list) => Some(
            list.iter()
                .filter(|parameter| !parameter.ty.starts_with("out "))
                .map(|parameter| (parameter.ty.clone(), parameter.optional))
                .collect::<Vec<_>>(),
        ),
        Maybe::Unknown => None,
    };
    let fewest = |list: &[(String, bool)]| list.iter().filter(|(_, optional)| !optional).count();
    let added = new.iter().filter(|other| other.made.is_some());
    for (one, other) in old.iter().filter(stays).flat_map(|old| added.clone().map(move |new| (old, new))) {
        let (Some(before), Some(after)) = (inputs(one), inputs(other)) else { continue };
        if old.iter().any(|known| inputs(known).as_ref() == Some(&after)) {
            continue;
        }
        let counts = fewest(&before).max(fewest(&after))..=before.len().min(after.len());
        let types = |list: &[(String, bool)], count: usize| -> Vec<String> {
            list.iter().take(count).map(|(ty, _)| ty.clone()).collect()
        };
        if counts.into_iter().any(|count| types(&before, count) == types(&after, count)) {
            let words = format!("makes another {name} that calls of today fit as well: they are ambiguous");
            return Some(Change::new("replace-routine", Incompatible, name.to_string(), other.made, words));
        }
    }
    None
}

impl Change {
    fn asking_if_incompatible(self, asked: Asked) -> Self {
        if self.verdict == Incompatible { self.asking(asked) } else { self }
    }
}

fn routine_replaced(name: &Name, old: &Routine, new: &[Routine]) -> Option<Change> {
    let by = new.iter().filter_map(|routine| routine.made).max();
    let best = new.iter().map(|other| (calls(&old.signature, &other.signature), other));
    let Some((fit, other)) = best.max_by_key(|(fit, _)| *fit) else {
        let words = format!("drops routine {name}");
        return Some(Change::new("drop-routine", Incompatible, name.to_string(), by, words));
    };
    let change = |verdict, words| Some(Change::new("replace-routine", verdict, name.to_string(), by, words));
    match fit {
        Fit::None => change(Incompatible, format!("changes how {name} is called, so that calls of today fail")),
        Fit::Unknown => {
            change(NeedsReview, format!("defines {name} anew, and how it is called cannot be compared"))
        }
        Fit::More => None,
        Fit::Same if other.made.is_none() => None,
        Fit::Same if same_body(&old.body, &other.body) => None,
        Fit::Same
            if same_text(old.text.as_deref(), other.text.as_deref(), &["begin", "select", "return", "as"]) =>
        {
            None
        }
        Fit::Same if other.replaced || old.seen == Seen::Perhaps => {
            change(NeedsReview, format!("replaces {name}: it is called as before, what it does may differ"))
        }
        Fit::Same => None,
    }
}

/// How well calls of one signature fit another, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    None,
    Unknown,
    /// There are more parameters, and they may be left out.
    More,
    Same,
}

fn calls(old: &Signature, new: &Signature) -> Fit {
    let (Maybe::Known(before), Maybe::Known(after)) = (&old.parameters, &new.parameters) else {
        return if returns_differ(old, new) { Fit::None } else { Fit::Unknown };
    };
    let named = |one: &Parameter, other: &Parameter| one.name.is_none() || one.name == other.name;
    let alike = before.len() <= after.len()
        && before
            .iter()
            .zip(after)
            .all(|(one, other)| one.ty == other.ty && named(one, other) && (!one.optional || other.optional));
    if !alike || returns_differ(old, new) || !after.iter().skip(before.len()).all(|parameter| parameter.optional) {
        Fit::None
    } else if after.len() > before.len() {
        Fit::More
    } else {
        Fit::Same
    }
}

fn returns_differ(old: &Signature, new: &Signature) -> bool {
    matches!((&old.returns, &new.returns), (Some(one), Some(other)) if !one.eq_ignore_ascii_case(other))
}

/// What became of anything else.
pub fn other(sides: Sides<'_>, kind: Kind, name: &Name, changes: &mut Vec<Change>) {
    let Some(old) = sides.before.others.get(&(kind, name.clone())) else { return };
    let new_table = |table: &Name| {
        sides.now.tables.contains_key(table) && !sides.before.tables.contains_key(table)
            || !sides.now.tables.contains_key(table)
    };
    if let Some(new) = sides.now.others.get(&(kind, name.clone())) {
        // A trigger that is made again word for word on a table made anew is the same.
        let same = same_body(&old.body, &new.body) && new.table == old.table;
        if kind == Kind::Synonym && new.id != old.id && !same {
            let words = format!("makes synonym {name} anew, perhaps of something else");
            changes.push(Change::new("rename-object", NeedsReview, name.to_string(), new.made, words));
        }
        if kind == Kind::Trigger && new.id != old.id && !same {
            let words = format!("replaces trigger {name}");
            changes.push(Change::new("drop-trigger", NeedsReview, name.to_string(), new.made, words));
        }
        return;
    }
    let by = sides.now.gone(old.id);
    if let Some(to) = sides.now.home(old.id) {
        let words = format!("renames {} {name} to {to}", word(kind));
        let change = Change::new("rename-object", Incompatible, name.to_string(), by, words);
        changes.push(change.asking(Asked::Object(name.clone())));
        return;
    }
    let words = format!("drops {} {name}", word(kind));
    let change = |rule, verdict| Change::new(rule, verdict, name.to_string(), by, words.clone());
    let asked = Asked::Object(name.clone());
    changes.extend(match kind {
        // A trigger goes with its table.
        Kind::Trigger | Kind::Policy if old.table.as_ref().is_some_and(new_table) => None,
        Kind::Trigger => Some(change("drop-trigger", NeedsReview)),
        Kind::Policy => Some(change("policy", NeedsReview)),
        Kind::Sequence => match owner(sides, name) {
            Owner::Gone => None,
            Owner::Counted => Some(change("drop-sequence", NeedsReview).asking(asked)),
            Owner::None => Some(change("drop-sequence", Incompatible).asking(asked)),
        },
        Kind::Extension => Some(change("drop-extension", Incompatible)),
        Kind::Schema if was_empty(sides, name, old.seen, by) => {
            Some(change("drop-schema", Incompatible).asking(asked))
        }
        Kind::Schema | Kind::Database => Some(change("drop-schema", Incompatible)),
        Kind::Synonym => Some(change("drop-synonym", Incompatible).asking(Asked::Table(name.clone()))),
        _ => Some(change("drop-object", Incompatible).asking(asked)),
    });
}

/// Whether a schema that went had nothing in it any more: all that the history made there went before, by
/// steps that are judged for themselves. In MySQL a schema is a database, and goes with all it has.
fn was_empty(sides: Sides<'_>, schema: &Name, seen: Seen, by: Mark) -> bool {
    let within = |name: &Name| name.schema.as_ref() == Some(&schema.name);
    let of_its_own = |id| sides.now.home(id).is_some() || sides.now.gone(id) != by;
    let (tables, views) = (&sides.before.tables, &sides.before.views);
    seen == Seen::Made
        && matches!(sides.dialect, Dialect::Postgres | Dialect::MsSql)
        && tables.iter().filter(|(name, _)| within(name)).all(|(_, table)| of_its_own(table.id))
        && views.iter().filter(|(name, _)| within(name)).all(|(_, view)| of_its_own(view.id))
        && !sides.before.routines.keys().any(within)
        && !sides.before.types.keys().any(within)
}

/// What became of the column that a sequence belongs to.
enum Owner {
    /// There is none.
    None,
    /// It went too.
    Gone,
    /// It is counted by an identity of its own now.
    Counted,
}

/// The column of a sequence `table_column_seq`.
fn owner(sides: Sides<'_>, sequence: &Name) -> Owner {
    let Some(owner) = sequence.name.key.strip_suffix("_seq") else { return Owner::None };
    let known = sides.before.tables.iter().find_map(|(name, table)| {
        let column = owner.strip_prefix(name.name.key.as_str())?.strip_prefix('_')?;
        Some((name, table.columns.values().find(|state| state.name.key == column)?))
    });
    let Some((table, known)) = known else { return Owner::None };
    let now = sides.now.tables.get(table).and_then(|now| now.columns.values().find(|state| state.id == known.id));
    match now {
        None => Owner::Gone,
        Some(now) if matches!(now.filled, Maybe::Known(Filled::Counted { .. })) => Owner::Counted,
        Some(_) => Owner::None,
    }
}

/// The word for a kind of object.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Sequence => "sequence",
        Kind::Function => "function",
        Kind::Procedure => "procedure",
        Kind::Trigger => "trigger",
        Kind::View => "view",
        Kind::MaterializedView => "materialised view",
        Kind::Type => "type",
        Kind::Domain => "domain",
        Kind::Extension => "extension",
        Kind::Schema => "schema",
        Kind::Database => "database",
        Kind::Synonym => "synonym",
        Kind::Policy => "policy",
        Kind::Other => "object",
    }
}
