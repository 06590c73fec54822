//! Indexes and constraints by their names: hints, upserts and handlers of errors that say them.
//!
//! Not here: what they promise ([`super::constraints`]). Whether the name is said, running code is
//! asked; that it goes is no finding.

use super::{Change, Sides};
use crate::Verdict::Incompatible;
use crate::evidence::{Asked, Named};
use crate::operation::{Ident, Name};
use crate::schema::IndexKind;
use crate::sql::Dialect;

/// What became of an index's or a constraint's name.
pub fn index(sides: Sides<'_>, table: Option<&Name>, name: &Ident, changes: &mut Vec<Change>) {
    let Some(lost) = sides.now.lost_index(name, table) else { return };
    let was = sides.before.index_kind(name, table);
    let new = was.is_none() && lost.known || table.is_some_and(|table| is_new(sides, table));
    if new || sides.now.index_kind(name, table).is_some() {
        return;
    }
    // Hints of these fail without their index; PostgreSQL and Oracle have none that do.
    let hints = matches!(sides.dialect, Dialect::MySql | Dialect::Sqlite | Dialect::MsSql);
    let named = match (was, &lost.to) {
        (Some(IndexKind::Plain), _) if !hints => return,
        (Some(IndexKind::Plain), _) | (_, None) if was != Some(IndexKind::Other) => Named::Gone,
        (_, Some(_)) => Named::Renamed,
        (_, None) => return,
    };
    let of = table.map(|table| format!(" of {table}")).unwrap_or_default();
    let (rule, words) = match &lost.to {
        Some(to) => ("rename-index", format!("renames {name}{of} to {to}")),
        None => ("drop-index", format!("drops {name}{of}")),
    };
    let object = table.map_or_else(|| name.to_string(), |table| format!("{table}.{name}"));
    let change = Change::new(rule, Incompatible, object, lost.by, words);
    changes.push(change.asking(Asked::Index(name.clone(), named)));
}

fn is_new(sides: Sides<'_>, table: &Name) -> bool {
    let name = sides.now.table_name(table);
    sides.now.tables.get(&name).is_some_and(|table| sides.before.home(table.id).is_none())
}
