//! Rows that go from one table to another, and what stays behind: SQLite changes a table by making it
//! anew, and so do others now and then.
//!
//! Not here: what it amounts to that something stayed behind.

use super::apply::How;
use super::{Rows, Schema, Table, Touched, Values};
use crate::operation::{Column, ConstraintKind};
use crate::operation::{Copied, Ident, Maybe, Name, Type};

impl Schema {
    /// Values of one table go into columns of another.
    pub(super) fn copy_rows(
        &mut self,
        (table, columns): (&Name, &[Ident]),
        (from, values): (&Name, &[Copied]),
        every_row: bool,
        how: How<'_>,
    ) {
        let (name, from) = (self.table_name(table), self.table_name(from));
        if !self.tables.contains_key(&name) {
            return;
        }
        // A view, or something that is no table of this history.
        if !self.tables.contains_key(&from) && (self.whole || self.views.contains_key(&from)) {
            return self.put(&name);
        }
        // What the copy names of a table that nothing made is the base's.
        for value in values {
            if let Copied::Column(column) | Copied::Cast(column, _) = value {
                let _ = self.column_mut(&from, column, how);
            }
        }
        let Some(source) = self.table_mut(&from, how).map(|source| source.clone()) else { return self.put(&name) };
        self.take_query_columns(&name, columns, &source, values, how);
        let appends = self.appends;
        let Some(target) = self.tables.get_mut(&name) else { return };
        let (of, every) = match source.rows {
            Rows::Copied { of, every } => (of, every && every_row),
            _ => (source.id, every_row),
        };
        let Some(pairs) = paired(target, columns, &source, values, appends) else { return self.put(&name) };
        for (column, value) in pairs {
            if let Some(state) = target.columns.get_mut(&column) {
                state.values = value;
            }
        }
        // Of a second copy only its rows are new.
        if !matches!(target.rows, Rows::Copied { .. }) {
            target.rows = Rows::Copied { of, every: every && !how.conditional };
        }
    }

    fn put(&mut self, name: &Name) {
        if let Some(table) = self.tables.get_mut(name).filter(|table| table.rows == Rows::None) {
            table.rows = Rows::Put;
        }
    }

    /// CREATE TABLE … AS SELECT: the table has the columns that the query gives.
    fn take_query_columns(
        &mut self,
        name: &Name,
        columns: &[Ident],
        source: &Table,
        values: &[Copied],
        how: How<'_>,
    ) {
        let Some(target) = self.tables.get(name) else { return };
        let all = values == [Copied::All];
        if target.whole || !target.columns.is_empty() || (columns.is_empty() && !(all && source.whole)) {
            return;
        }
        let names: Vec<Ident> = if all { in_order(source) } else { columns.to_vec() };
        for name_of in names {
            let known = source.columns.get(&name_of).map(|state| state.ty.clone());
            let mut column = Column::new(name_of, Type::named(""));
            column.ty = known.unwrap_or(Maybe::Unknown);
            let state = self.new_column(&column, how);
            if let Some(target) = self.tables.get_mut(name) {
                target.order.push(state.id);
                target.columns.insert(column.name, state);
            }
        }
    }

    /// Foreign keys of others follow a rename.
    pub(super) fn follow(&mut self, from: &Name, to: &Name) {
        if self.session.legacy_rename {
            return;
        }
        let mut touched = vec![];
        for (name, table) in &mut self.tables {
            for held in &mut table.constraints {
                if let ConstraintKind::ForeignKey { table: referred, .. } = &mut held.kind
                    && referred == from
                {
                    *referred = to.clone();
                    touched.push(name.clone());
                }
            }
        }
        touched.into_iter().for_each(|name| self.touch(Touched::Table(name)));
    }

    /// A setting of SQLite's session.
    pub(super) fn pragma(&mut self, text: &str) {
        let text = text.to_lowercase();
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let (Some("pragma"), Some(setting), Some(value)) = (words.next(), words.next(), words.next()) else {
            return;
        };
        let on = matches!(value, "on" | "1" | "true" | "yes");
        match setting {
            "foreign_keys" => self.session.foreign_keys = on,
            "legacy_alter_table" => self.session.legacy_rename = on,
            _ => {}
        }
    }
}

/// A table's columns in their order.
fn in_order(table: &Table) -> Vec<Ident> {
    table.in_order().into_iter().cloned().collect()
}

/// What each column is filled with; `None`: it cannot be told.
fn paired(
    target: &Table,
    columns: &[Ident],
    source: &Table,
    values: &[Copied],
    appends: bool,
) -> Option<Vec<(Ident, Values)>> {
    let targets = if columns.is_empty() { in_order(target) } else { columns.to_vec() };
    let mut given = vec![];
    for value in values {
        match value {
            // Of a table that is not known whole, or whose order is not, the columns of one name are meant.
            Copied::All if values.len() == 1 && (!source.whole || !appends && same_names(&targets, source)) => {
                let same = |column: Ident| {
                    let value = source.columns.get(&column).map(|state| origin(state.values.clone(), state.id));
                    (column, value.unwrap_or_default())
                };
                return Some(targets.into_iter().map(same).collect());
            }
            Copied::All => given.extend(in_order(source).into_iter().map(Copied::Column)),
            value => given.push(value.clone()),
        }
    }
    if targets.len() != given.len() {
        return None;
    }
    Some(targets.into_iter().zip(given.iter().map(|value| values_of(source, value))).collect())
}

fn same_names(targets: &[Ident], source: &Table) -> bool {
    targets.len() == source.columns.len() && targets.iter().all(|column| source.columns.contains_key(column))
}

fn values_of(source: &Table, value: &Copied) -> Values {
    let state = |column: &Ident| source.columns.get(column);
    match value {
        Copied::Column(column) => {
            state(column).map_or(Values::Made(vec![]), |state| origin(state.values.clone(), state.id))
        }
        Copied::Cast(column, ty) => match state(column).map(|state| origin(state.values.clone(), state.id)) {
            Some(Values::Same(id)) => Values::Cast(id, ty.clone()),
            other => other.unwrap_or(Values::Made(vec![])),
        },
        Copied::Of(columns) => Values::Made(
            columns
                .iter()
                .filter_map(state)
                .flat_map(|state| match origin(state.values.clone(), state.id) {
                    Values::Same(id) | Values::Cast(id, _) => vec![id],
                    Values::Made(ids) => ids,
                    Values::None => vec![],
                })
                .collect(),
        ),
        Copied::All => Values::None,
    }
}

/// A column that was itself filled in the range hands on what it was filled with.
fn origin(values: Values, id: super::Id) -> Values {
    if values == Values::None { Values::Same(id) } else { values }
}
