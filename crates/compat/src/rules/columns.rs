//! Columns of a table that stays: gone, renamed, added, changed.

use std::collections::HashSet;

use super::bodies::{self, Gone};
use super::types::{self, TypeChange, change};
use super::{Change, Sides};
use crate::Verdict::{Incompatible, NeedsReview};
use crate::evidence::{Asked, Known, Places};
use crate::operation::{Checked, ConstraintKind, Filled, Ident, Maybe, Name, Type, TypeBody};
use crate::schema::{ColumnState, LostWhat, Mark, Rows, Schema, Table, Use, Values};
use crate::sql::Dialect;

/// What became of a table's columns, by the names that code knows.
pub fn columns(sides: Sides<'_>, name: &Name, old: &Table, new: &Table, changes: &mut Vec<Change>) {
    for (column, before) in &old.columns {
        let object = format!("{name}.{column}");
        match new.columns.get(column) {
            None if new.id != old.id && !new.whole => {
                let words = format!("replaces table {name} by one whose columns cannot be told");
                changes.push(Change::new("drop-column", NeedsReview, object, new.made, words));
            }
            None => {
                let change = gone(sides, name, before, old, new);
                changes.extend(views_broken(sides, name, Some(column), &change));
                changes.extend(bodies::broken(sides, Gone::Column(name, column), change.mark));
                changes.push(change);
            }
            Some(after) if after.id == before.id || new.id != old.id => {
                if new.id != old.id {
                    changes.extend(copied(sides, name, before, after, (old, new)));
                }
                changed(sides, name, before, after, (old, new), changes);
            }
            Some(after) => another(sides, name, before, after, (old, new), changes),
        }
    }
    let added = new.columns.iter().filter(|(column, _)| !old.columns.contains_key(column));
    for (_, column) in added {
        // A column that was renamed is found by its old name.
        if !old.columns.values().any(|before| before.id == column.id) {
            required(sides, name, column, new, changes);
            changes.extend(casts_old(name, column, old));
        }
    }
    bodies::wider_rows(sides, name, old, new, changes);
    changes.extend(places(sides, name, old, new));
}

/// What became of a column's values where the table was made anew and its rows were copied.
fn copied(
    sides: Sides<'_>,
    name: &Name,
    before: &ColumnState,
    after: &ColumnState,
    (old, new): (&Table, &Table),
) -> Option<Change> {
    if !matches!(new.rows, Rows::Copied { of, .. } if of == old.id) {
        return None;
    }
    let computed = |column: &ColumnState| matches!(column.filled, Maybe::Known(Filled::Computed(_)));
    let object = format!("{name}.{}", before.name);
    let (verdict, words) = match &after.values {
        Values::Same(id) if *id == before.id => return None,
        Values::Made(of) if of.contains(&before.id) => return None,
        Values::Cast(id, ty) if *id == before.id => {
            let kept = match &after.ty {
                Maybe::Known(known) => types::same_kind(sides.dialect, ty, &known.base),
                Maybe::Unknown => true,
            };
            if kept {
                return None;
            }
            (NeedsReview, format!("copies {object} cast to {ty}, which may cut its values"))
        }
        // Nothing can be put into it.
        Values::None if computed(before) || computed(after) => return None,
        Values::None => (Incompatible, format!("makes table {name} anew and leaves the values of {object} behind")),
        Values::Same(id) | Values::Cast(id, _) => {
            let of = old.columns.values().find(|column| column.id == *id);
            let of = of.map_or_else(|| "another column".to_owned(), |column| column.name.to_string());
            (Incompatible, format!("makes table {name} anew and puts the values of {of} into {object}"))
        }
        Values::Made(_) => (NeedsReview, format!("makes table {name} anew and puts other values into {object}")),
    };
    let states = (state(sides.before, before), state(sides.now, after));
    let change = Change::new("drop-column", verdict, object, new.made, words).states(states.0, states.1);
    Some(asking(sides, change, name, before, old))
}

/// Where columns stand, for code that goes by their places.
fn places(sides: Sides<'_>, name: &Name, old: &Table, new: &Table) -> Option<Change> {
    let known: HashSet<u32> = old.columns.values().map(|state| state.id).collect();
    let is_old = |state: &ColumnState| known.contains(&state.id) || old.columns.contains_key(&state.name);
    let mut added: Vec<&ColumnState> =
        new.columns.values().filter(|state| !is_old(state) && is_counted(sides.dialect, state)).collect();
    added.sort_by_key(|state| state.marks.made);
    let moved = new.columns.values().filter(|state| is_old(state)).find(|state| state.marks.place.is_some());
    let turned = if old.whole && new.whole {
        // Of columns that stay, each must stand where it stood, and none may come before the last of them.
        let stay = |order: Vec<&Ident>, other: &Table| -> Vec<Ident> {
            order.into_iter().filter(|column| other.columns.contains_key(*column)).cloned().collect()
        };
        let (before, now) = (old.in_order(), new.in_order());
        let last = now.iter().rposition(|column| old.columns.contains_key(*column));
        let between = now.iter().position(|column| added.iter().any(|state| state.name == **column));
        stay(before, new) != stay(now.clone(), old) || between.zip(last).is_some_and(|(added, last)| added < last)
    } else {
        moved.is_some() || added.iter().any(|state| state.marks.place.is_some())
    };
    let (asked, words, by) = match (added.as_slice(), turned) {
        ([], false) => return None,
        ([], true) => {
            let by = moved.and_then(|state| state.marks.place).or(new.made);
            (Places::Moved, format!("puts the columns of {name} in another order"), by)
        }
        ([first, rest @ ..], turned) => {
            let asked = match (turned, sides.dialect) {
                (true, _) => Places::Moved,
                (false, Dialect::Postgres) => Places::Appended,
                (false, _) => Places::Counted,
            };
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let words = format!("adds column {name}.{}{more} to columns whose places count", first.name);
            (asked, words, first.marks.made.or(new.made))
        }
    };
    Some(
        Change::new("column-places", Incompatible, format!("{name}.*"), by, words)
            .asking(Asked::Positions(name.clone(), asked)),
    )
}

/// Whether an INSERT without a list has to give a value for the column.
fn is_counted(dialect: Dialect, column: &ColumnState) -> bool {
    match &column.filled {
        _ if column.hidden => false,
        Maybe::Known(Filled::Counted { .. }) => dialect != Dialect::MsSql,
        Maybe::Known(Filled::Computed(_)) => !matches!(dialect, Dialect::Sqlite | Dialect::MsSql),
        _ => true,
    }
}

/// Who took a column away, and its new name if it got one.
fn lost(before: &ColumnState, new: &Table) -> Option<(Option<Ident>, Mark)> {
    new.lost.iter().rev().find_map(|lost| match &lost.what {
        LostWhat::Column(id) if *id == before.id => Some((None, lost.by)),
        LostWhat::Renamed(id, to) if *id == before.id => Some((Some(to.clone()), lost.by)),
        _ => None,
    })
}

fn asking(sides: Sides<'_>, change: Change, name: &Name, before: &ColumnState, old: &Table) -> Change {
    let required = is_required(before, old);
    let has =
        |table: &Table| table.columns.values().any(|other| other.name.key.eq_ignore_ascii_case(&before.name.key));
    let elsewhere =
        sides.before.tables.iter().filter(|(other, table)| *other != name && has(table)).map(|(other, _)| other);
    let elsewhere = elsewhere.map(|other| other.name.key.to_ascii_lowercase()).collect();
    let known = Known { required, elsewhere, ..Known::default() };
    Change { asked: Some((Asked::Column(name.clone(), before.name.clone()), known)), ..change }
}

fn gone(sides: Sides<'_>, name: &Name, before: &ColumnState, old: &Table, new: &Table) -> Change {
    let column = &before.name;
    let object = format!("{name}.{column}");
    let copied = |after: &&ColumnState| {
        new.id != old.id && after.values == Values::Same(before.id) && !old.columns.contains_key(&after.name)
    };
    let now = new.columns.values().find(|after| after.id == before.id);
    let now = now.or_else(|| new.columns.values().find(copied));
    let (rule, by, words, after) = match (now, lost(before, new)) {
        (Some(now), by) => {
            let to = &now.name;
            let by = by.map_or(now.marks.made, |(_, by)| by);
            ("rename-column", by, format!("renames column {object} to {to}"), format!("it is called {to}"))
        }
        (None, Some((_, by))) => ("drop-column", by, format!("drops column {object}"), "no such column".to_owned()),
        (None, None) => {
            let words = format!("rebuilds table {name} without column {object}");
            ("drop-column", new.made, words, "no such column".to_owned())
        }
    };
    let change = Change::new(rule, Incompatible, object, by, words).states(state(sides.before, before), after);
    asking(sides, change, name, before, old)
}

/// Views of the base that use what goes, and are not made anew: code that reads them breaks too.
pub(super) fn views_broken(sides: Sides<'_>, table: &Name, column: Option<&Ident>, gone: &Change) -> Vec<Change> {
    // There a view follows what it reads to its new name.
    let follows = matches!(sides.dialect, Dialect::Postgres | Dialect::Sqlite);
    if follows && matches!(gone.rule, "rename-table" | "rename-column") {
        return vec![];
    }
    let what = column.map_or_else(|| table.to_string(), |column| format!("{table}.{column}"));
    sides
        .now
        .views
        .iter()
        .filter(|(name, view)| view.made.is_none() && sides.before.views.contains_key(name))
        .filter_map(|(name, view)| {
            let body = view.body.as_deref()?;
            let used = match column {
                Some(column) => body.uses_column(table, column, &[], sides.before),
                None => body.uses_table(table),
            };
            let verdict = match used {
                Use::No => return None,
                Use::Perhaps => NeedsReview,
                Use::Sure => Incompatible,
            };
            let words = format!("breaks view {name}, which uses {what}");
            let change = Change::new("drop-view", verdict, name.to_string(), gone.mark, words);
            Some(change.asking(Asked::Table(name.clone())))
        })
        .collect()
}

/// Another column has the name.
fn another(
    sides: Sides<'_>,
    name: &Name,
    before: &ColumnState,
    after: &ColumnState,
    (old, new): (&Table, &Table),
    changes: &mut Vec<Change>,
) {
    let object = format!("{name}.{}", before.name);
    let here = new.columns.values().find(|column| column.id == before.id);
    let by = lost(before, new).map_or(after.marks.made, |(_, by)| by);
    let came_by_rename =
        new.lost.iter().any(|lost| matches!(&lost.what, LostWhat::Renamed(id, _) if *id == after.id));
    let states = (state(sides.before, before), state(sides.now, after));
    if let Some(here) = here {
        let words = format!("renames column {object} to {} and puts another one at the old name", here.name);
        let verdict = if came_by_rename { NeedsReview } else { Incompatible };
        let change = Change::new("rename-column", verdict, object, by, words).states(states.0, states.1);
        changes.push(asking(sides, change, name, before, old));
    } else if came_by_rename {
        let words = format!("puts another column in the place of {object}");
        let change = Change::new("drop-column", NeedsReview, object, by, words).states(states.0, states.1);
        changes.push(asking(sides, change, name, before, old));
    } else {
        let words = format!("drops column {object} and adds it anew without its values");
        let change = Change::new("drop-column", Incompatible, object, by, words).states(states.0, states.1);
        changes.push(asking(sides, change, name, before, old));
        required(sides, name, after, new, changes);
        return;
    }
    changed(sides, name, before, after, (old, new), changes);
}

/// NULL is refused by a CHECK.
fn checked_not_null(table: &Table, column: &Ident, whole: bool) -> Option<Mark> {
    let held = table.constraints.iter().find(|held| {
        let counts = match held.checked {
            Checked::All => true,
            Checked::NewRows => !whole,
            Checked::Nothing => false,
        };
        counts && matches!(&held.kind, ConstraintKind::Check { not_null, .. } if not_null.contains(column))
    })?;
    Some(held.made)
}

fn is_required(column: &ColumnState, table: &Table) -> bool {
    (column.not_null == Maybe::Known(true) || checked_not_null(table, &column.name, false).is_some())
        && column.filled == Maybe::Known(Filled::Nothing)
}

/// Whether the column's type, a domain, refuses NULL by itself.
fn domain_refuses(schema: &Schema, column: &ColumnState) -> bool {
    let Maybe::Known(ty) = &column.ty else { return false };
    matches!(
        schema.user_type(ty),
        Some((_, user)) if matches!(&user.body, Some(TypeBody::Domain { not_null: true, .. }))
    )
}

/// A column that code does not know: can it still insert?
fn required(sides: Sides<'_>, name: &Name, column: &ColumnState, new: &Table, changes: &mut Vec<Change>) {
    let object = format!("{name}.{}", column.name);
    let check = checked_not_null(new, &column.name, false);
    let refuses = match &column.not_null {
        Maybe::Known(true) => Maybe::Known(true),
        _ if check.is_some() || domain_refuses(sides.now, column) => Maybe::Known(true),
        other => other.clone(),
    };
    let after = state(sides.now, column);
    let (verdict, words) = match (&refuses, &column.filled) {
        (Maybe::Known(false), _) => return,
        (Maybe::Known(true), Maybe::Known(Filled::Computed(expression))) => {
            changes.extend(computed_of_null(&object, expression, column, new));
            return;
        }
        (_, Maybe::Known(filled)) if *filled != Filled::Nothing => return,
        (Maybe::Known(true), Maybe::Known(_)) => {
            let words = if column.was_filled {
                format!("adds column {object} NOT NULL and drops its default")
            } else {
                format!("adds column {object} NOT NULL without a default")
            };
            (Incompatible, words)
        }
        (Maybe::Known(true), Maybe::Unknown) => {
            (NeedsReview, format!("adds column {object} NOT NULL, and whether anything fills it cannot be told"))
        }
        (Maybe::Unknown, _) => {
            (NeedsReview, format!("adds column {object}, and whether it refuses NULL cannot be told"))
        }
    };
    let rule =
        if column.was_filled && verdict == Incompatible { "default-then-dropped" } else { "add-required-column" };
    let by = if rule == "default-then-dropped" { column.marks.filled } else { check.unwrap_or(column.marks.null) };
    changes.push(Change::new(rule, verdict, object, by, words).states("no such column".to_owned(), after));
}

/// A new column that is computed by a cast of an old text: what cannot be cast is refused.
fn casts_old(name: &Name, column: &ColumnState, old: &Table) -> Option<Change> {
    let Maybe::Known(Filled::Computed(expression)) = &column.filled else { return None };
    let of = types::cast_text(expression, old)?;
    let words = format!("computes column {name}.{} by a cast of {of}: what cannot be cast is refused", column.name);
    Some(Change::new("add-check", NeedsReview, format!("{name}.{of}"), column.marks.made, words))
}

/// A new column that is computed and refuses NULL, over one that may be NULL: that one no longer may.
fn computed_of_null(object: &str, expression: &str, column: &ColumnState, new: &Table) -> Option<Change> {
    /// What makes of NULL something else.
    const MENDS: &[&str] =
        &["coalesce", "ifnull", "isnull", "nvl", "concat", "concat_ws", "case", "is", "num_nulls", "format"];
    let words = super::constraints::words_of(expression);
    if words.iter().any(|word| MENDS.contains(&word.as_str())) {
        return None;
    }
    let of = new.columns.values().find(|other| {
        other.id != column.id
            && other.not_null == Maybe::Known(false)
            && words.contains(&other.name.key.to_lowercase())
    })?;
    let filled = matches!(&of.filled, Maybe::Known(filled) if *filled != Filled::Nothing);
    let verdict = if filled { NeedsReview } else { Incompatible };
    let words = format!("adds column {object} NOT NULL, computed from {}, which may be NULL", of.name);
    Some(Change::new("add-required-column", verdict, object, column.marks.made, words))
}

fn changed(
    sides: Sides<'_>,
    name: &Name,
    before: &ColumnState,
    after: &ColumnState,
    tables: (&Table, &Table),
    changes: &mut Vec<Change>,
) {
    let first = changes.len();
    let object = format!("{name}.{}", before.name);
    type_changed(sides, name, before, after, changes);
    null_changed(&object, before, after, tables, changes);
    filled_changed(&object, before, after, changes);
    let states = (state(sides.before, before), state(sides.now, after));
    for change in &mut changes[first..] {
        change.before = Some(states.0.clone());
        change.after = Some(states.1.clone());
        if change.rule == "drop-not-null" {
            change.asked = Some((Asked::Column(name.clone(), before.name.clone()), Known::default()));
        }
    }
}

fn type_changed(
    sides: Sides<'_>,
    name: &Name,
    before: &ColumnState,
    after: &ColumnState,
    changes: &mut Vec<Change>,
) {
    let object = format!("{name}.{}", before.name);
    let object = object.as_str();
    let by = after.marks.ty;
    let (old, new) = match (&before.ty, &after.ty) {
        (Maybe::Known(old), Maybe::Known(new)) => (old, new),
        (Maybe::Unknown, Maybe::Unknown) => return,
        (_, _) if by.is_none() => return,
        // SQLite compares by kind at most, and a column without a type is one.
        (_, _) if sides.dialect == Dialect::Sqlite => return,
        (Maybe::Unknown, Maybe::Known(new)) => {
            let words = format!("makes {object} {}, and what it was is not known", show(new));
            changes.push(Change::new("widen-type", NeedsReview, object, by, words));
            return;
        }
        (Maybe::Known(old), Maybe::Unknown) => {
            let words = format!("changes the type of {object} from {} to one that cannot be told", show(old));
            changes.push(Change::new("widen-type", NeedsReview, object, by, words));
            return;
        }
    };
    let words = format!("changes the type of {object} from {} to {}", show(old), show(new));
    match user_types(sides, old, new).unwrap_or_else(|| change(sides.dialect, old, new)) {
        TypeChange::Same | TypeChange::Wider => {}
        TypeChange::Review(why) => {
            changes.push(Change::new("widen-type", NeedsReview, object, by, format!("{words}: {why}")));
        }
        TypeChange::Narrower(why) => {
            let gone = old.values.iter().filter(|value| !new.values.is_empty() && !new.values.contains(value));
            let known = changes.len();
            for value in gone {
                let words = format!("takes the value '{value}' from {object}");
                let change = Change::new("enum-drop-value", Incompatible, object, by, words);
                let asked = Asked::Value(value.clone(), vec![name.clone()]);
                changes.push(change.asking_value(asked, &new.values));
            }
            if changes.len() == known {
                changes.push(Change::new("narrow-type", Incompatible, object, by, format!("{words}: {why}")));
            }
        }
    }
}

/// Types of the user's own; `None`: neither is one.
fn user_types(sides: Sides<'_>, old: &Type, new: &Type) -> Option<TypeChange> {
    if old == new {
        // What became of the type itself is told once, of the type.
        return Some(TypeChange::Same);
    }
    let was = sides.before.user_type(old).map(|(_, ty)| ty);
    let is = sides.now.user_type(new).map(|(_, ty)| ty);
    let one = was.and_then(|ty| ty.body.as_ref());
    let other = is.and_then(|ty| ty.body.as_ref());
    Some(match (one, other) {
        _ if was.is_none() && is.is_none() => return None,
        _ if old.array != new.array => TypeChange::Narrower("an array is not a single value"),
        _ if was.zip(is).is_some_and(|(was, is)| was.id == is.id) => TypeChange::Same,
        (Some(TypeBody::Enum(one)), Some(TypeBody::Enum(other))) => {
            if one.iter().all(|value| other.contains(value)) {
                TypeChange::Review("clients may know the type by its name")
            } else {
                TypeChange::Narrower("a value is taken away")
            }
        }
        (Some(TypeBody::Enum(_)), None) if is.is_none() && is_text(new) => {
            TypeChange::Review("clients may know the type by its name")
        }
        (Some(TypeBody::Domain { over, .. }), None) if is.is_none() => {
            return Some(change(sides.dialect, over, new));
        }
        (None, Some(TypeBody::Domain { .. })) if was.is_none() => {
            TypeChange::Narrower("the domain may refuse what was allowed")
        }
        _ => TypeChange::Narrower("it is another kind of value"),
    })
}

fn is_text(ty: &Type) -> bool {
    ty.base == "text" || (ty.base == "varchar" && ty.arguments.is_empty())
}

fn null_changed(
    object: &str,
    before: &ColumnState,
    after: &ColumnState,
    (old, new): (&Table, &Table),
    changes: &mut Vec<Change>,
) {
    let by = after.marks.null;
    match (&before.not_null, &after.not_null) {
        (Maybe::Known(one), Maybe::Known(other)) if one == other => {}
        (Maybe::Unknown, Maybe::Unknown) => {}
        (_, Maybe::Known(true)) => {
            if checked_not_null(old, &before.name, true).is_some() || primary(old, &before.name) {
                return;
            }
            // It refuses new NULLs already; whether old rows were looked at decides the rest.
            let half = checked_not_null(old, &before.name, false).is_some();
            if half && validated(new, &before.name) {
                return;
            }
            let sure = before.not_null == Maybe::Known(false) || after.null_said;
            let filled = matches!(&after.filled, Maybe::Known(filled) if *filled != Filled::Nothing);
            let mut words = format!("makes {object} NOT NULL");
            if filled {
                words += "; code that leaves it out gets its default, code that writes NULL is refused";
            } else if !sure {
                words += ", and whether it was is not known";
            }
            let verdict = if sure && !filled && !half { Incompatible } else { NeedsReview };
            changes.push(Change::new("set-not-null", verdict, object, by, words));
        }
        (_, Maybe::Known(false)) => {
            // What a history that is not whole does not tell is not taken for refused.
            let words = format!("lets {object} be NULL, which code that reads it may not expect");
            changes.push(Change::new("drop-not-null", NeedsReview, object, by, words));
        }
        (_, Maybe::Unknown) if by.is_some() => {
            let words = format!("defines {object} anew, and whether it then refuses NULL cannot be told");
            changes.push(Change::new("set-not-null", NeedsReview, object, by, words));
        }
        (_, Maybe::Unknown) => {}
    }
}

/// A CHECK that refuses NULL was validated in the range, whether or not it is still there.
fn validated(new: &Table, column: &Ident) -> bool {
    checked_not_null(new, column, true).is_some()
        || new.lost.iter().any(|lost| {
            matches!(
                &lost.what,
                LostWhat::Constraint(held) if held.checked == Checked::All
                    && matches!(&held.kind, ConstraintKind::Check { not_null, .. } if not_null.contains(column))
            )
        })
}

fn primary(table: &Table, column: &Ident) -> bool {
    table
        .constraints
        .iter()
        .any(|held| matches!(&held.kind, ConstraintKind::PrimaryKey(columns) if columns.contains(column)))
}

fn filled_changed(object: &str, before: &ColumnState, after: &ColumnState, changes: &mut Vec<Change>) {
    let by = after.marks.filled;
    let (rule, verdict, words) = match (&before.filled, &after.filled) {
        (one, other) if one == other => return,
        (_, Maybe::Unknown) if by.is_none() => return,
        (Maybe::Known(one), Maybe::Known(other)) => match filled_from_to(object, one, other, before, after) {
            Some(found) => found,
            None => return,
        },
        (Maybe::Unknown, Maybe::Known(Filled::Nothing)) => {
            if !after.filled_said && before.ty == Maybe::Unknown {
                let words = format!("defines {object} anew without a default, and whether it had one is not known");
                ("drop-default", NeedsReview, words)
            } else if after.not_null == Maybe::Known(true) && before.not_null == Maybe::Known(true) {
                ("drop-default", Incompatible, format!("drops the default of {object}, which is NOT NULL"))
            } else {
                ("drop-default", NeedsReview, format!("drops the default of {object}"))
            }
        }
        (_, Maybe::Known(Filled::Counted { always: true })) => always(object),
        (_, Maybe::Known(Filled::Computed(_))) => computed(object),
        _ => ("set-default", NeedsReview, format!("changes what {object} holds where an INSERT leaves it out")),
    };
    changes.push(Change::new(rule, verdict, object, by, words));
}

type Found = (&'static str, crate::Verdict, String);

fn always(object: &str) -> Found {
    (
        "identity-always",
        Incompatible,
        format!("makes {object} GENERATED ALWAYS: an INSERT that names it is refused"),
    )
}

fn computed(object: &str) -> Found {
    ("identity-always", Incompatible, format!("makes {object} a computed column: code that writes it is refused"))
}

fn filled_from_to(
    object: &str,
    one: &Filled,
    other: &Filled,
    before: &ColumnState,
    after: &ColumnState,
) -> Option<Found> {
    Some(match (one, other) {
        (Filled::Counted { always: true }, Filled::Counted { .. }) => return None,
        (Filled::Counted { .. }, Filled::Counted { always: true }) => always(object),
        (_, Filled::Counted { always: true }) => always(object),
        (_, Filled::Computed(_)) if !matches!(one, Filled::Computed(_)) => computed(object),
        // A sequence by name or by identity: something counts either way.
        (Filled::Default(text), Filled::Counted { .. }) | (Filled::Counted { .. }, Filled::Default(text))
            if text.to_lowercase().contains("nextval") =>
        {
            return None;
        }
        (_, Filled::Nothing) => {
            let what = if matches!(one, Filled::Default(_)) { "the default of" } else { "what fills" };
            if matches!(after.not_null, Maybe::Known(true)) && before.not_null != Maybe::Known(false) {
                ("drop-default", Incompatible, format!("drops {what} {object}, which is NOT NULL"))
            } else {
                ("drop-default", NeedsReview, format!("drops {what} {object}"))
            }
        }
        (Filled::Default(one), Filled::Default(other)) if plain_default(one) == plain_default(other) => {
            if on_update(one).is_none() || on_update(other).is_some() {
                return None;
            }
            ("set-default", NeedsReview, format!("no longer sets {object} with each UPDATE"))
        }
        (Filled::Default(_), _) => ("set-default", NeedsReview, format!("changes the default of {object}")),
        (Filled::Implicit, _) | (_, Filled::Implicit) => return None,
        // Who inserts had to write it, and goes on.
        (Filled::Nothing, _) if before.not_null == Maybe::Known(true) => return None,
        _ => ("set-default", NeedsReview, format!("gives {object} a default")),
    })
}

/// Where MySQL's `ON UPDATE …` begins behind a default.
fn on_update(text: &str) -> Option<usize> {
    text.to_ascii_lowercase().rfind(" on update ")
}

/// A default without its quotes, casts and outer brackets: `('0')`, `0` and `'0'::integer` are one.
fn plain_default(text: &str) -> String {
    let mut text = text.get(..on_update(text).unwrap_or(text.len())).unwrap_or(text).trim();
    loop {
        let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        match inner.filter(|inner| !inner.contains(['(', ')'])) {
            Some(inner) => text = inner.trim(),
            None => break,
        }
    }
    let text = text.split("::").next().unwrap_or(text).trim();
    let text = text.strip_prefix(['N', 'n']).filter(|rest| rest.starts_with('\'')).unwrap_or(text);
    let text = text.trim_matches(|c| c == '\'' || c == '"').to_lowercase();
    match text.as_str() {
        "true" | "b'1'" => "1".to_owned(),
        "false" | "b'0'" => "0".to_owned(),
        "current_timestamp" | "current_timestamp()" | "now()" | "localtimestamp" => "now".to_owned(),
        _ => text,
    }
}

/// A type in a few words.
fn show(ty: &Type) -> String {
    let mut words = ty.base.clone();
    if !ty.arguments.is_empty() {
        words += &format!("({})", ty.arguments.join(","));
    }
    if !ty.values.is_empty() {
        let values: Vec<String> = ty.values.iter().map(|value| format!("'{value}'")).collect();
        words += &format!("({})", values.join(","));
    }
    if ty.unsigned {
        words += " unsigned";
    }
    if ty.array {
        words += "[]";
    }
    words
}

/// A column in a few words.
fn state(schema: &Schema, column: &ColumnState) -> String {
    let mut words = match &column.ty {
        Maybe::Known(ty) => show(ty),
        Maybe::Unknown => "type not known".to_owned(),
    };
    match &column.not_null {
        Maybe::Known(true) => words += " NOT NULL",
        Maybe::Known(false) if domain_refuses(schema, column) => words += " NOT NULL",
        Maybe::Known(false) => words += " NULL",
        Maybe::Unknown => {}
    }
    match &column.filled {
        Maybe::Known(Filled::Default(text)) => words += &format!(" DEFAULT {text}"),
        Maybe::Known(Filled::Counted { always }) => {
            words += if *always { " GENERATED ALWAYS" } else { " counted by the database" };
        }
        Maybe::Known(Filled::Computed(_)) => words += " computed",
        Maybe::Known(Filled::Implicit) => words += " filled by the database",
        Maybe::Known(Filled::Nothing) | Maybe::Unknown => {}
    }
    words
}
