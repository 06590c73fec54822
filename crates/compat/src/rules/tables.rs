//! Whole tables: gone, renamed, replaced, rebuilt.

use super::bodies::{self, Gone};
use super::{Change, Sides, columns, constraints};
use crate::Verdict::{Incompatible, NeedsReview};
use crate::evidence::Asked;
use crate::operation::{Ident, Kind, Maybe, Name};
use crate::schema::{ColumnState, Id, Rows, Seen, Table, Values};

/// What became of a table, by the name that code knows.
pub fn table(sides: Sides<'_>, name: &Name, changes: &mut Vec<Change>) {
    let Some(old) = sides.before.tables.get(name).filter(|table| !table.temporary) else { return };
    let first = changes.len();
    match sides.now.met_by_all(name) {
        Some(new) if new.id == old.id => compare(sides, name, old, new, changes),
        Some(new) => replaced(sides, name, old, new, changes),
        None => {
            let change = gone(sides, name, old);
            if sides.now.home(old.id).is_none() {
                changes.extend(columns::views_broken(sides, name, None, &change));
            }
            changes.extend(partition_gone(sides, name, old, change.mark));
            changes.extend(bodies::broken(sides, Gone::Table(name), change.mark));
            changes.push(change);
        }
    }
    // Which table it is, is only known where the same placeholder made it.
    let unsure = is_placeholder(&name.name) && old.seen != Seen::Made;
    for change in &mut changes[first..] {
        *change = change.clone().of(old.seen);
        if unsure || matches!(&change.asked, Some((asked, _)) if says_placeholder(asked)) {
            change.verdict = NeedsReview;
            change.asked = None;
        }
    }
}

/// Whether a name, or a part of it, is put in when the migration runs.
fn is_placeholder(name: &Ident) -> bool {
    name.written.starts_with(':') || name.written.contains("${") || name.written.contains("{{")
}

/// Whether code would have to be asked for such a name.
fn says_placeholder(asked: &Asked) -> bool {
    match asked {
        Asked::Table(table) => is_placeholder(&table.name),
        Asked::Column(_, column) => is_placeholder(column),
        _ => false,
    }
}

/// A partition takes its rows with it, and new ones of its bounds have no place.
fn partition_gone(sides: Sides<'_>, name: &Name, old: &Table, by: crate::schema::Mark) -> Option<Change> {
    let parent = old.parent.as_ref().filter(|parent| sides.now.tables.contains_key(parent))?;
    if sides.now.home(old.id).is_some() {
        return None;
    }
    let words = format!("drops partition {name} of {parent} with its rows");
    Some(
        Change::new("delete-rows", NeedsReview, parent.to_string(), by, words).asking(Asked::Table(parent.clone())),
    )
}

fn compare(sides: Sides<'_>, name: &Name, old: &Table, new: &Table, changes: &mut Vec<Change>) {
    columns::columns(sides, name, old, new, changes);
    constraints::constraints(sides, name, old, new, changes);
}

fn gone(sides: Sides<'_>, name: &Name, old: &Table) -> Change {
    let by = sides.now.gone(old.id);
    let asked = Asked::Table(name.clone());
    if let Some(to) = sides.now.home(old.id) {
        return renamed(sides, name, to, by).asking(asked);
    }
    if sides.now.views.contains_key(name) {
        let words = format!("drops table {name} and puts a view in its place");
        return Change::new("drop-table", NeedsReview, name.to_string(), by, words)
            .states("a table".to_owned(), "a view".to_owned())
            .asking(asked);
    }
    Change::new("drop-table", Incompatible, name.to_string(), by, format!("drops table {name}"))
        .states("a table".to_owned(), "nothing of that name".to_owned())
        .asking(asked)
}

fn renamed(sides: Sides<'_>, name: &Name, to: &Name, by: crate::schema::Mark) -> Change {
    let words = format!("renames table {name} to {to}");
    let stands_in = sides.now.views.get(name).is_some_and(|view| {
        let passes = view.simple_over.as_ref().is_some_and(|over| over.name == to.name);
        // Where the columns can be told they must be all there.
        let missing = match (&view.columns, sides.now.tables.get(to)) {
            (Maybe::Known(columns), Some(table)) => {
                table.whole && table.columns.keys().any(|column| !columns.contains(column))
            }
            _ => false,
        };
        passes && !missing
    });
    if stands_in {
        let words = format!("{words} and puts a view at the old name");
        return Change::new("rename-table", NeedsReview, name.to_string(), by, words)
            .states("a table".to_owned(), format!("a view of {to}"));
    }
    let synonym = sides.now.others.get(&(Kind::Synonym, name.clone()));
    if synonym.is_some_and(|synonym| synonym.body.as_ref().is_some_and(|body| body.names(to))) {
        let words = format!("{words} and puts a synonym at the old name");
        return Change::new("rename-table", NeedsReview, name.to_string(), by, words)
            .states("a table".to_owned(), format!("a synonym of {to}"));
    }
    Change::new("rename-table", Incompatible, name.to_string(), by, words)
        .states("a table".to_owned(), format!("nothing of that name; it is called {to}"))
}

/// The new table with a column that was filled from an old one, whose name is not there any more, as
/// that column by another name.
fn renamed_by_copy(old: &Table, new: &Table) -> Table {
    let mut new = new.clone();
    let gone = |column: &ColumnState| !new.columns.contains_key(&column.name);
    let ids: Vec<Id> = old.columns.values().filter(|column| gone(column)).map(|column| column.id).collect();
    for column in new.columns.values_mut().filter(|column| !old.columns.contains_key(&column.name)) {
        if let Values::Same(id) = column.values
            && ids.contains(&id)
        {
            column.id = id;
        }
    }
    new
}

/// Another table has the name: a rebuild if the rows came along, a swap if the old one is kept.
fn replaced(sides: Sides<'_>, name: &Name, old: &Table, new: &Table, changes: &mut Vec<Change>) {
    let kept = sides.now.home(old.id);
    let by = sides.now.gone(old.id);
    if let Rows::Copied { of, every } = new.rows
        && of == old.id
    {
        // The rows came along. What the old one refused and had is asked of the new one.
        compare(sides, name, old, &renamed_by_copy(old, new), changes);
        if !every {
            let words = format!("makes table {name} anew without some of its rows");
            changes.push(Change::new("delete-rows", NeedsReview, name.to_string(), new.made, words));
        }
    } else if new.rows != Rows::None {
        compare(sides, name, old, new, changes);
        let words = format!("makes table {name} anew with rows that are not those of the old one");
        changes.push(
            Change::new("drop-table", NeedsReview, name.to_string(), by.or(new.made), words)
                .states("a table".to_owned(), "one with other rows".to_owned())
                .asking(Asked::Table(name.clone())),
        );
    } else if new.moved && kept.is_some() {
        compare(sides, name, old, new, changes);
        let words = format!("puts another table in the place of {name} by a rename");
        changes.push(
            Change::new("rename-table", NeedsReview, name.to_string(), by, words)
                .states("a table".to_owned(), "another table of that name".to_owned())
                .asking(Asked::Table(name.clone())),
        );
    } else if let Some(to) = kept {
        let words = format!("renames table {name} to {to} and makes another one of that name without its rows");
        changes.push(
            Change::new("rename-table", Incompatible, name.to_string(), by, words)
                .states("a table".to_owned(), "an empty one".to_owned())
                .asking(Asked::Table(name.clone())),
        );
    } else {
        let words = format!("drops table {name} and makes it anew without its rows");
        changes.push(
            Change::new("drop-table", Incompatible, name.to_string(), by, words)
                .states("a table".to_owned(), "an empty one".to_owned())
                .asking(Asked::Table(name.clone())),
        );
    }
}
