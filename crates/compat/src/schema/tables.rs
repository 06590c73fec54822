//! What happens to tables, their columns, constraints and indexes.

use super::apply::How;
use super::{
    Assumed, ColumnState, Held, IndexKind, Lost, LostIndex, LostWhat, Mark, Marks, Rows, Schema, Seen, Table,
    Touched, Values, columns_of, usual_name,
};
use crate::operation::{Checked, Column, ColumnChange, Constraint, ConstraintKind, Filled, Ident, Maybe, Name};

impl Schema {
    pub(super) fn create_table(
        &mut self,
        name: &Name,
        columns: &Maybe<Vec<Column>>,
        constraints: &[Constraint],
        temporary: bool,
        how: How<'_>,
    ) {
        if temporary && self.shadow(name, how) {
            return self.create_table(name, columns, constraints, temporary, how);
        }
        // What is there already cannot be made: in the range that is told where it stands.
        if self.tables.get(name).is_some_and(|known| how.maybe() || self.refuses_another(known, how.mark)) {
            return;
        }
        let perhaps = !self.tables.contains_key(name) && how.maybe() && !temporary && self.perhaps_old(name);
        if let Some(old) = self.tables.remove(name) {
            self.gone.insert(old.id, how.mark);
            self.homes.remove(&old.id);
        }
        let mut table = Table {
            id: self.new_id(),
            seen: if perhaps { Seen::Perhaps } else { Seen::Made },
            columns: std::collections::BTreeMap::new(),
            order: vec![],
            whole: matches!(columns, Maybe::Known(_)),
            constraints: vec![],
            temporary,
            made: how.mark,
            moved: false,
            rows: Rows::None,
            lost: vec![],
            parent: parent(how.text),
        };
        if let Maybe::Known(columns) = columns {
            for column in columns {
                let state = self.new_column(column, how);
                for constraint in &column.constraints {
                    hold(&mut table, name, constraint, Checked::All, how);
                }
                table.order.push(state.id);
                table.columns.insert(column.name.clone(), state);
            }
        }
        for constraint in constraints {
            hold(&mut table, name, constraint, Checked::All, how);
        }
        self.touch(Touched::Table(name.clone()));
        self.homes.insert(table.id, name.clone());
        if perhaps {
            self.assumed.push(Assumed::Table(name.clone(), table.clone()));
        }
        self.tables.insert(name.clone(), table);
    }

    /// A temporary table stands before one of its name, and does nothing to it. One that ends with its
    /// transaction may be gone when the name is said again.
    fn shadow(&mut self, name: &Name, how: How<'_>) -> bool {
        let real = self.tables.get(name).is_some_and(|known| !known.temporary);
        if !real || how.text.to_lowercase().contains("on commit drop") {
            return false;
        }
        if let Some(table) = self.tables.remove(name) {
            self.shadowed.insert(name.clone(), table);
        }
        true
    }

    /// The table of that name that every session meets.
    pub fn met_by_all(&self, name: &Name) -> Option<&Table> {
        self.shadowed.get(name).or_else(|| self.tables.get(name))
    }

    /// The temporary table of that name is gone: what it stood before is met again.
    pub(super) fn unshadow(&mut self, name: &Name) {
        if let Some(table) = self.shadowed.remove(name) {
            self.tables.insert(name.clone(), table);
        }
    }

    /// Whether a database refuses to make a table of the name of this one.
    pub fn refuses_another(&self, known: &Table, mark: Mark) -> bool {
        mark.is_some() && known.made != mark && !known.temporary && known.seen == Seen::Made && self.whole
    }

    pub(super) fn new_column(&mut self, column: &Column, how: How<'_>) -> ColumnState {
        let primary =
            column.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
        ColumnState {
            id: self.new_id(),
            name: column.name.clone(),
            ty: column.ty.clone(),
            not_null: if primary { Maybe::Known(true) } else { column.not_null.clone() },
            null_said: false,
            filled: column.filled.clone(),
            hidden: false,
            filled_said: false,
            was_filled: column.filled != Maybe::Known(Filled::Nothing),
            values: Values::None,
            marks: Marks { made: how.mark, ty: how.mark, null: how.mark, filled: how.mark, place: None },
        }
    }

    /// The table of that name, taken for granted if nothing made it; `None`: a guarded statement that
    /// has nothing to do, or a view.
    pub(super) fn table_mut(&mut self, name: &Name, how: How<'_>) -> Option<&mut Table> {
        let name = self.table_name(name);
        if !self.tables.contains_key(&name) {
            if self.views.contains_key(&name) || (how.guarded && self.whole) {
                return None;
            }
            let table = Table {
                id: self.new_id(),
                seen: Seen::Assumed,
                columns: std::collections::BTreeMap::new(),
                order: vec![],
                whole: false,
                constraints: vec![],
                temporary: false,
                made: None,
                moved: false,
                rows: Rows::None,
                lost: vec![],
                parent: None,
            };
            self.gap = true;
            self.whole = false;
            self.homes.insert(table.id, name.clone());
            self.assumed.push(Assumed::Table(name.clone(), table.clone()));
            self.tables.insert(name.clone(), table);
        }
        self.touch(Touched::Table(name.clone()));
        self.tables.get_mut(&name)
    }

    /// The column of that name, taken for granted if nothing made it.
    pub(super) fn column_mut(&mut self, table: &Name, column: &Ident, how: How<'_>) -> Option<&mut ColumnState> {
        let id = self.new_id();
        let name = self.table_name(table);
        let whole = self.whole;
        let table = self.table_mut(table, how)?;
        if !table.columns.contains_key(column) {
            if how.guarded && whole && table.whole {
                return None;
            }
            let state = ColumnState {
                id,
                name: column.clone(),
                ty: Maybe::Unknown,
                not_null: Maybe::Unknown,
                null_said: false,
                filled: Maybe::Unknown,
                hidden: false,
                filled_said: false,
                was_filled: false,
                values: Values::None,
                marks: Marks::default(),
            };
            let table_id = table.id;
            table.order.push(state.id);
            table.columns.insert(column.clone(), state.clone());
            self.assumed.push(Assumed::Column(table_id, state));
        }
        self.tables.get_mut(&name)?.columns.get_mut(column)
    }

    pub(super) fn drop_table(&mut self, name: &Name, cascade: bool, how: How<'_>) {
        if self.table_mut(name, how).is_none() {
            return;
        }
        let name = self.table_name(name);
        if let Some(table) = self.tables.remove(&name) {
            self.gone.insert(table.id, how.mark);
            self.homes.remove(&table.id);
            if table.temporary && self.shadowed.contains_key(&name) {
                return self.unshadow(&name);
            }
        }
        if cascade {
            self.cascade_table(&name, how);
        }
        self.drop_what_belongs(&name, how);
    }

    pub(super) fn rename_table(&mut self, from: &Name, to: &Name, how: How<'_>) {
        if self.table_mut(from, how).is_none() {
            return;
        }
        let from = self.table_name(from);
        let Some(mut table) = self.tables.remove(&from) else { return };
        if let Some(old) = self.tables.remove(to) {
            self.gone.insert(old.id, how.mark);
            self.homes.remove(&old.id);
        }
        table.moved = true;
        table.made = how.mark;
        self.gone.insert(table.id, how.mark);
        self.homes.insert(table.id, to.clone());
        self.touch(Touched::Table(to.clone()));
        self.tables.insert(to.clone(), table);
        self.move_what_belongs(&from, to);
        self.follow(&from, to);
    }

    pub(super) fn add_column(&mut self, name: &Name, column: &Column, how: How<'_>) {
        let mut state = self.new_column(column, how);
        state.hidden = says_invisible(how.text);
        let Some(table) = self.table_mut(name, how) else { return };
        if how.maybe() && table.columns.contains_key(&column.name) {
            return;
        }
        for constraint in &column.constraints {
            hold(table, name, constraint, Checked::All, how);
        }
        table.order.push(state.id);
        table.columns.insert(column.name.clone(), state);
    }

    /// The column, and by CASCADE what uses it.
    pub(super) fn drop_column_and(&mut self, name: &Name, column: &Ident, cascade: bool, how: How<'_>) {
        if cascade {
            self.cascade_column(name, column, how);
        }
        self.drop_column(name, column, how);
    }

    pub(super) fn drop_column(&mut self, name: &Name, column: &Ident, how: How<'_>) {
        if self.column_mut(name, column, how).is_none() {
            return;
        }
        let Some(table) = self.table_mut(name, how) else { return };
        if let Some(gone) = table.columns.remove(column) {
            table.lost.push(Lost { what: LostWhat::Column(gone.id), by: how.mark });
        }
        table.constraints.retain(|held| !columns_of(&held.kind).contains(column));
    }

    pub(super) fn rename_column(&mut self, name: &Name, from: &Ident, to: &Ident, how: How<'_>) {
        if self.is_view(name) {
            return self.rename_view_column(name, from, to, how);
        }
        if from == to || self.column_mut(name, from, how).is_none() {
            return;
        }
        let Some(table) = self.table_mut(name, how) else { return };
        let Some(mut state) = table.columns.remove(from) else { return };
        table.lost.push(Lost { what: LostWhat::Renamed(state.id, to.clone()), by: how.mark });
        state.name = to.clone();
        state.marks.made = how.mark;
        table.columns.insert(to.clone(), state);
        for held in &mut table.constraints {
            match &mut held.kind {
                ConstraintKind::PrimaryKey(columns)
                | ConstraintKind::Unique { columns, .. }
                | ConstraintKind::ForeignKey { columns, .. }
                | ConstraintKind::Check { not_null: columns, .. } => {
                    columns.iter_mut().filter(|column| *column == from).for_each(|column| *column = to.clone());
                }
                ConstraintKind::Exclude => {}
            }
        }
    }

    pub(super) fn alter_column(&mut self, name: &Name, column: &Ident, changes: &[ColumnChange], how: How<'_>) {
        if changes.iter().all(|change| matches!(change, ColumnChange::Neutral(_))) {
            return;
        }
        if self.column_mut(name, column, how).is_none() {
            return;
        }
        let Some(table) = self.table_mut(name, how) else { return };
        let primary = table
            .constraints
            .iter()
            .any(|held| matches!(&held.kind, ConstraintKind::PrimaryKey(columns) if columns.contains(column)));
        let Some(state) = table.columns.get_mut(column) else { return };
        let mut constraints = vec![];
        for change in changes {
            change_column(state, change, how);
            if primary && matches!(change, ColumnChange::Restated(_) | ColumnChange::RestatedType { .. }) {
                state.not_null = Maybe::Known(true);
            }
            if let ColumnChange::Restated(column) = change {
                constraints.extend(column.constraints.iter().cloned());
            }
        }
        let id = state.id;
        for change in changes {
            if let ColumnChange::Placed(after) = change {
                table.place(id, after.as_ref());
            }
        }
        for constraint in &constraints {
            self.add_constraint(name, constraint, Checked::All, how);
        }
    }

    pub(super) fn add_constraint(&mut self, name: &Name, constraint: &Constraint, checked: Checked, how: How<'_>) {
        if self.index_of_view(name, constraint) || self.is_there(name, constraint, how) {
            return;
        }
        let named: Vec<Ident> = columns_of(&constraint.kind).to_vec();
        // A column that is named here and that nothing made is the base's.
        for column in named.iter().filter(|column| is_plain(&column.key)) {
            let _ = self.column_mut(name, column, how);
        }
        let table_name = self.table_name(name);
        let Some(table) = self.table_mut(name, how) else { return };
        let given = constraint.name.as_ref();
        if how.maybe() && given.is_some() && table.constraints.iter().any(|held| held.name.as_ref() == given) {
            return;
        }
        hold(table, &table_name, constraint, checked, how);
        if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) {
            for column in &named {
                if let Some(state) = table.columns.get_mut(column) {
                    state.not_null = Maybe::Known(true);
                    state.marks.null = how.mark;
                }
            }
        }
    }

    /// `CREATE UNIQUE INDEX IF NOT EXISTS` where an index of that name is: it stays what it is.
    fn is_there(&self, table: &Name, constraint: &Constraint, how: How<'_>) -> bool {
        let unique = matches!(constraint.kind, ConstraintKind::Unique { .. });
        how.guarded && unique && constraint.name.as_ref().is_some_and(|name| self.has_plain(name, Some(table)))
    }

    pub(super) fn drop_constraint(
        &mut self,
        name: &Name,
        constraint: Option<&Ident>,
        said: Option<&str>,
        how: How<'_>,
    ) {
        let whole = self.whole;
        let Some(table) = self.table_mut(name, how) else { return };
        let by_name = constraint.and_then(|constraint| held_as(table, constraint));
        let by_name = by_name.or_else(|| {
            constraint
                .filter(|_| said.is_none_or(|said| said == "check"))
                .and_then(|named| check_named(table, name, named))
        });
        let at = by_name.or_else(|| {
            let mut of_kind = table
                .constraints
                .iter()
                .enumerate()
                .filter(|(_, held)| said.is_some_and(|said| is_kind(&held.kind, said)));
            let first = of_kind.next()?;
            // A name that the model does not know means exactly one only if there is no other.
            (said == Some("primary-key") || (constraint.is_none() && of_kind.next().is_none())).then_some(first.0)
        });
        if let Some(at) = at {
            let held = table.constraints.remove(at);
            let known = held.name.clone();
            table.lost.push(Lost { what: LostWhat::Constraint(held), by: how.mark });
            if let Some(known) = known {
                self.lose_index(&known, Some(&self.table_name(name)), None, true, how.mark);
            }
            return;
        }
        if let Some(column) = constraint.and_then(|constraint| default_of(table, constraint, said)) {
            if let Some(state) = table.columns.get_mut(&column) {
                set_filled(state, Filled::Nothing, true, how);
            }
            return;
        }
        if how.guarded && whole && table.whole {
            return;
        }
        let what = LostWhat::Unknown { name: constraint.cloned(), said: said.map(str::to_owned), index: false };
        table.lost.push(Lost { what, by: how.mark });
    }

    pub(super) fn validate(&mut self, name: &Name, constraint: &Ident, how: How<'_>) {
        let Some(table) = self.table_mut(name, how) else { return };
        for held in table.constraints.iter_mut().filter(|held| held.name.as_ref() == Some(constraint)) {
            held.checked = Checked::All;
        }
    }

    /// The table that has a unique index or constraint of that name.
    fn table_with(&self, index: &Ident, table: Option<&Name>) -> Option<Name> {
        match table {
            Some(name) => {
                let name = self.table_name(name);
                self.tables.get(&name).is_some_and(|table| held_as(table, index).is_some()).then_some(name)
            }
            None => {
                let found = self.tables.iter().find(|(_, table)| held_as(table, index).is_some());
                found.map(|(name, _)| name.clone())
            }
        }
    }

    /// Whether the model knows an index of that name, and whether it is a plain one.
    pub fn index(&self, index: &Name, table: Option<&Name>) -> Option<bool> {
        self.index_kind(&index.name, table).map(|kind| kind == IndexKind::Plain)
    }

    /// What an index or a constraint of that name is.
    pub fn index_kind(&self, index: &Ident, table: Option<&Name>) -> Option<IndexKind> {
        if self.has_plain(index, table) {
            return Some(IndexKind::Plain);
        }
        let home = self.table_with(index, table)?;
        let held = self
            .tables
            .get(&home)
            .and_then(|table| held_as(table, index).and_then(|at| table.constraints.get(at)))?;
        Some(match held.kind {
            ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique { .. } => IndexKind::Unique,
            _ => IndexKind::Other,
        })
    }

    /// Who took an index's or a constraint's name away.
    pub fn lost_index(&self, index: &Ident, table: Option<&Name>) -> Option<&LostIndex> {
        self.lost_indexes.get(&(table.cloned(), index.clone()))
    }

    fn has_plain(&self, index: &Ident, table: Option<&Name>) -> bool {
        self.indexes.get(index).is_some_and(|tables| match table {
            // A table may have been renamed since.
            Some(table) => tables.contains(&self.table_name(table)) || tables.len() == 1,
            None => !tables.is_empty(),
        })
    }

    fn remove_plain(&mut self, index: &Ident, table: Option<&Name>) -> Option<Name> {
        let table = table.map(|table| self.table_name(table));
        let tables = self.indexes.get_mut(index)?;
        let gone = match table {
            Some(table) if tables.contains(&table) => tables.take(&table),
            Some(_) if tables.len() > 1 => None,
            _ => tables.pop_first(),
        };
        if tables.is_empty() {
            self.indexes.remove(index);
        }
        gone
    }

    fn lose_index(&mut self, index: &Ident, table: Option<&Name>, to: Option<&Ident>, known: bool, by: Mark) {
        let key = (table.cloned(), index.clone());
        self.touch(Touched::Index(key.0.clone(), key.1.clone()));
        self.lost_indexes.insert(key, LostIndex { to: to.cloned(), known, by });
    }

    pub(super) fn create_index(&mut self, name: Option<&Name>, table: &Name, how: How<'_>) {
        let Some(name) = name else { return };
        // IF NOT EXISTS where a unique one has the name.
        if how.guarded && self.index(name, Some(table)) == Some(false) {
            return;
        }
        let table = self.table_name(table);
        self.indexes.entry(name.name.clone()).or_default().insert(table);
    }

    pub(super) fn drop_index(&mut self, index: &Name, table: Option<&Name>, how: How<'_>) {
        let index = &index.name;
        if self.drop_index_of_view(index, how.mark) {
            return;
        }
        if let Some(name) = self.table_with(index, table) {
            self.drop_constraint(&name, Some(index), None, how);
        } else if self.remove_plain(index, table).is_some() {
            self.lose_index(index, table, None, true, how.mark);
        } else if !(how.guarded && self.whole) {
            self.lose_index(index, table, None, false, how.mark);
            if let Some(table) = table.and_then(|table| self.table_mut(table, how)) {
                let what = LostWhat::Unknown { name: Some(index.clone()), said: None, index: true };
                table.lost.push(Lost { what, by: how.mark });
            }
        }
    }

    pub(super) fn rename_index(&mut self, table: Option<&Name>, from: &Ident, to: &Ident, how: How<'_>) {
        let home = self.table_with(from, table);
        let held = home.as_ref().and_then(|home| self.tables.get_mut(home)).and_then(|table| {
            let at = held_as(table, from)?;
            table.constraints.get_mut(at)
        });
        let known = match held {
            Some(held) => {
                held.name = Some(to.clone());
                true
            }
            None => match self.remove_plain(from, table) {
                Some(table) => {
                    self.indexes.entry(to.clone()).or_default().insert(table);
                    true
                }
                None => false,
            },
        };
        if known || !(how.guarded && self.whole) {
            self.lose_index(from, home.as_ref().or(table), Some(to), known, how.mark);
        }
    }
}

/// Whether a column's definition says INVISIBLE, behind its name.
fn says_invisible(text: &str) -> bool {
    let definition = text.split_whitespace().skip_while(|word| {
        ["add", "column", "if", "not", "exists"].iter().any(|skipped| word.eq_ignore_ascii_case(skipped))
    });
    definition.skip(1).any(|word| word.trim_end_matches([',', ')', ';']).eq_ignore_ascii_case("invisible"))
}

/// Which of a table's constraints has this name.
fn held_as(table: &Table, name: &Ident) -> Option<usize> {
    table
        .constraints
        .iter()
        .position(|held| held.name.as_ref().is_some_and(|held| held.key.eq_ignore_ascii_case(&name.key)))
}

/// The table of which another is made as a partition.
fn parent(text: &str) -> Option<Name> {
    let words: Vec<&str> = text.split_whitespace().take(12).collect();
    let at = words.windows(2).position(|pair| {
        matches!(pair, [one, other] if one.eq_ignore_ascii_case("partition") && other.eq_ignore_ascii_case("of"))
    })?;
    let last = words.get(at + 2)?.rsplit('.').next()?.trim_matches('"');
    Some(Name::plain(Ident::folded(last)))
}

/// The one CHECK without a name that PostgreSQL gave this one: `table_check`, `table_column_check`.
fn check_named(table: &Table, name: &Name, named: &Ident) -> Option<usize> {
    let stem = named.key.trim_end_matches(|c: char| c.is_ascii_digit()).to_lowercase();
    if !stem.ends_with("_check") || !stem.starts_with(&name.name.key.to_lowercase()) {
        return None;
    }
    let mut unnamed = table
        .constraints
        .iter()
        .enumerate()
        .filter(|(_, held)| held.name.is_none() && matches!(held.kind, ConstraintKind::Check { .. }));
    let first = unnamed.next()?;
    unnamed.next().is_none().then_some(first.0)
}

fn hold(table: &mut Table, name: &Name, constraint: &Constraint, checked: Checked, how: How<'_>) {
    // A named constraint that is given again is what it is now.
    if let Some(given) = &constraint.name {
        table.constraints.retain(|held| held.name.as_ref() != Some(given) || held.kind == constraint.kind);
    }
    if let ConstraintKind::PrimaryKey(columns) = &constraint.kind {
        for column in columns {
            if let Some(state) = table.columns.get_mut(column) {
                state.not_null = Maybe::Known(true);
            }
        }
    }
    table.constraints.push(Held {
        name: usual_name(name, constraint),
        kind: constraint.kind.clone(),
        checked,
        made: how.mark,
        deferrable: how.deferrable(),
    });
}

fn change_column(state: &mut ColumnState, change: &ColumnChange, how: How<'_>) {
    match change {
        ColumnChange::Type(ty) => {
            state.ty = Maybe::Known(ty.clone());
            state.marks.ty = how.mark;
        }
        ColumnChange::NotNull => {
            state.not_null = Maybe::Known(true);
            state.null_said = true;
            state.marks.null = how.mark;
        }
        ColumnChange::Null => {
            state.not_null = if how.conditional { Maybe::Unknown } else { Maybe::Known(false) };
            state.null_said = true;
            state.marks.null = how.mark;
        }
        ColumnChange::Filled(filled) => set_filled(state, filled.clone(), true, how),
        // Of a column that nothing computes or counts there is nothing to stop.
        ColumnChange::StopFilling
            if matches!(state.filled, Maybe::Known(Filled::Default(_) | Filled::Nothing | Filled::Implicit)) => {}
        ColumnChange::StopFilling => set_filled(state, Filled::Nothing, true, how),
        ColumnChange::Restated(column) => {
            state.ty = column.ty.clone();
            state.not_null = column.not_null.clone();
            state.filled = column.filled.clone();
            state.was_filled |= column.filled != Maybe::Known(Filled::Nothing);
            state.null_said = false;
            state.filled_said = false;
            let Marks { made, place, .. } = state.marks;
            state.marks = Marks { made, ty: how.mark, null: how.mark, filled: how.mark, place };
        }
        ColumnChange::RestatedType { ty, not_null } => {
            state.ty = Maybe::Known(ty.clone());
            state.not_null = Maybe::Known(*not_null);
            state.null_said = false;
            state.marks.ty = how.mark;
            state.marks.null = how.mark;
        }
        ColumnChange::Placed(_) => state.marks.place = how.mark,
        ColumnChange::Neutral(_) => {}
    }
}

fn set_filled(state: &mut ColumnState, filled: Filled, said: bool, how: How<'_>) {
    state.was_filled |= filled != Filled::Nothing;
    let certain = !how.conditional || filled == Filled::Nothing;
    state.filled = if certain { Maybe::Known(filled) } else { Maybe::Unknown };
    state.filled_said = said;
    state.marks.filled = how.mark;
}

/// The column whose default a constraint of SQL Server is, told by its usual name.
fn default_of(table: &Table, constraint: &Ident, said: Option<&str>) -> Option<Ident> {
    let key = constraint.key.to_lowercase();
    if said != Some("default") && !key.starts_with("df_") {
        return None;
    }
    table
        .columns
        .values()
        .filter(|column| matches!(column.filled, Maybe::Known(Filled::Default(_)) | Maybe::Unknown))
        .filter(|column| {
            let column = column.name.key.to_lowercase();
            key.ends_with(&format!("_{column}")) || key.contains(&format!("_{column}_"))
        })
        .max_by_key(|column| column.name.key.len())
        .map(|column| column.name.clone())
}

fn is_kind(kind: &ConstraintKind, said: &str) -> bool {
    match kind {
        ConstraintKind::PrimaryKey(_) => said == "primary-key",
        ConstraintKind::Unique { .. } => said == "unique",
        ConstraintKind::ForeignKey { .. } => said == "foreign-key",
        ConstraintKind::Check { .. } => said == "check",
        ConstraintKind::Exclude => said == "exclude",
    }
}

/// A column's name, and no expression.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(['(', ')', '\'', ' ', ':', '+', '|', '-', '>'])
}
