//! One operation after the other.
//!
//! What breaks is applied whether or not a condition stands before it. What would mend is not taken
//! for certain behind a condition.

use std::sync::Arc;

use super::{Body, Mark, Rows, Schema, Touched};
use crate::operation::{Data, Kind, Name, Operation, Restriction, Step};

/// How a step runs, as far as it concerns what it does to the model.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'a> {
    /// Who.
    pub mark: Mark,
    /// It may do nothing.
    pub guarded: bool,
    /// It runs on a condition.
    pub conditional: bool,
    /// Its text.
    pub text: &'a str,
    /// The whole text of what the database keeps.
    pub body: Option<&'a str>,
}

impl How<'_> {
    /// What the whole text uses.
    pub fn body(&self) -> Option<Arc<Body>> {
        self.body.map(Body::new)
    }

    /// Whether a constraint of it is deferrable; `None` where the text is cut.
    pub fn deferrable(&self) -> Option<bool> {
        let text = self.body.unwrap_or(self.text).to_lowercase();
        let without = text.replace("not deferrable", "");
        // Of a table that is made, the whole text is kept where the word is in it.
        let whole = self.body.is_some() || !text.ends_with('…') || text.starts_with("create table");
        (whole || without.contains("deferrable")).then(|| without.contains("deferr"))
    }

    /// Whether a materialised view is left without rows.
    pub fn says_no_data(&self) -> bool {
        let text = self.body.unwrap_or(self.text).to_lowercase();
        text.trim_end_matches([';', ' ']).ends_with("with no data")
    }

    /// Whether it may do nothing, for either reason.
    pub fn maybe(&self) -> bool {
        self.guarded || self.conditional
    }

    /// The text, if it was not cut; whether it may replace another says nothing of what is made.
    pub fn whole_text(&self) -> Option<String> {
        if self.text.ends_with('…') || self.text.is_empty() {
            return None;
        }
        let mut words: Vec<&str> = self.text.split_whitespace().collect();
        let replaces = |word: &&str| word.eq_ignore_ascii_case("replace") || word.eq_ignore_ascii_case("alter");
        if words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("or")) && words.get(2).is_some_and(replaces) {
            words.drain(1..3);
        }
        Some(words.join(" ").trim_end_matches(';').to_owned())
    }
}

impl Schema {
    /// Applies a step; `mark` names it, if it belongs to the range.
    pub fn apply(&mut self, step: &Step, mark: Mark) {
        let (guarded, conditional) = (step.guarded, step.conditional);
        let how = How { mark, guarded, conditional, text: step.text.as_str(), body: step.body.as_deref() };
        match &step.operation {
            Operation::CreateTable { table, columns, constraints, temporary } => {
                self.create_table(table, columns, constraints, *temporary, how);
            }
            Operation::DropTable { table, cascade } => self.drop_table(table, *cascade, how),
            Operation::Rename { kind, from, to } => self.rename(*kind, from, to, how),
            Operation::AddColumn { table, column } => self.add_column(table, column, how),
            Operation::DropColumn { table, column, cascade } => {
                self.drop_column_and(table, column, *cascade, how);
            }
            Operation::RenameColumn { table, from, to } => self.rename_column(table, from, to, how),
            Operation::AlterColumn { table, column, changes } => self.alter_column(table, column, changes, how),
            Operation::AddConstraint { table, constraint, checked } => {
                self.add_constraint(table, constraint, *checked, how);
            }
            Operation::DropConstraint { table, constraint, said, .. } => {
                self.drop_constraint(table, constraint.as_ref(), said.as_deref(), how);
            }
            Operation::ValidateConstraint { table, constraint } => self.validate(table, constraint, how),
            Operation::CreateIndex { name, table, .. } => self.create_index(name.as_ref(), table, how),
            Operation::RenameIndex { table, from, to } => self.rename_index(table.as_ref(), from, to, how),
            Operation::DropIndex { name, table } => self.drop_index(name, table.as_ref(), how),
            Operation::CreateView { view, columns, replace, materialized, simple_over } => {
                self.create_view(view, columns, *replace, *materialized, simple_over.as_ref(), how);
            }
            Operation::CreateRoutine { kind, routine, signature, replace } => {
                self.create_routine(*kind, routine, signature, *replace, how);
            }
            Operation::CreateType { name, body } => self.create_type(name, body, how),
            Operation::AddEnumValue { name, value } => self.add_enum_value(name, value, how),
            Operation::RenameEnumValue { name, from, to } => self.rename_enum_value(name, from, to, how),
            Operation::Create { kind, name, table } => self.create_other(*kind, name, table.as_ref(), how),
            Operation::Drop { kind, name, table, cascade } => {
                self.drop_object(*kind, name, table.as_ref(), *cascade, how);
            }
            Operation::Data { data: Data::Insert, table: Some(table), .. } => {
                let name = self.table_name(table);
                if let Some(table) = self.tables.get_mut(&name).filter(|table| table.rows == Rows::None) {
                    table.rows = Rows::Put;
                }
            }
            Operation::Data { data: Data::Delete | Data::Truncate, table: Some(table), .. } => {
                let name = self.table_name(table);
                if let Some(Rows::Copied { every, .. }) = self.tables.get_mut(&name).map(|table| &mut table.rows) {
                    *every = false;
                }
            }
            Operation::CopyRows { table, from, columns, values, every_row } => {
                self.copy_rows((table, columns), (from, values), *every_row, how);
            }
            Operation::Neutral { what } if what.starts_with("PRAGMA") => self.pragma(&step.text),
            Operation::Neutral { what } if what.starts_with("REFRESH") => self.refresh(how),
            Operation::Unread(_) => {
                self.whole = false;
                self.unread.push(step.text.to_lowercase());
            }
            Operation::NarrowType { .. }
            | Operation::Restrict { restriction: Restriction::RowSecurity, .. }
            | Operation::Restrict { .. }
            | Operation::Data { .. }
            | Operation::Neutral { .. }
            | Operation::Review { .. } => {}
        }
    }

    fn rename(&mut self, kind: Option<Kind>, from: &Name, to: &Name, how: How<'_>) {
        let to = &match &to.schema {
            // `RENAME TO x` leaves it in its schema, and readers may leave that out.
            None if kind != Some(Kind::Schema) && to.name != from.name => {
                Name { schema: from.schema.clone(), name: to.name.clone() }
            }
            _ => to.clone(),
        };
        match kind {
            None if self.views.contains_key(from) && !self.tables.contains_key(from) => {
                self.rename_view(from, to, how);
            }
            None => self.rename_table(from, to, how),
            Some(Kind::View | Kind::MaterializedView) => self.rename_view(from, to, how),
            Some(Kind::Type | Kind::Domain) => self.rename_type(from, to, how),
            Some(Kind::Function | Kind::Procedure) => self.rename_routine(from, to, how),
            Some(kind) => self.rename_other(kind, from, to, how),
        }
    }

    /// The name under which a table is known: of a schema that the history left out, without it.
    pub fn table_name(&self, name: &Name) -> Name {
        if name.schema.is_some() && !self.tables.contains_key(name) {
            let plain = Name::plain(name.name.clone());
            if self.tables.contains_key(&plain) {
                return plain;
            }
        }
        name.clone()
    }

    /// Whether something of this name may have been there before although nothing was seen to make it.
    pub(super) fn perhaps_old(&self, name: &Name) -> bool {
        self.gap || self.unread.iter().any(|text| text.contains(name.name.key.to_lowercase().as_str()))
    }

    pub(super) fn touch(&mut self, touched: Touched) {
        self.touched.insert(touched);
    }
}
