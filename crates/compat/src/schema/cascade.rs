//! What goes along with what is dropped: by CASCADE, or because it belongs to it.
//!
//! Not here: what stays and is broken, which is no matter of the model.

use super::apply::How;
use super::{Schema, Touched, Use};
use crate::operation::{ColumnChange, ConstraintKind, Filled, Ident, Kind, Maybe, Name};
use crate::sql::Dialect;
use crate::sql::body::fold;

impl Schema {
    /// What goes along with any object but a table or a column.
    pub(super) fn cascade(&mut self, kind: Kind, name: &Name, how: How<'_>) {
        match kind {
            Kind::View | Kind::MaterializedView => self.cascade_table(name, how),
            Kind::Type | Kind::Domain => self.cascade_type(name, how),
            Kind::Function | Kind::Procedure => self.cascade_routine(name, how),
            Kind::Sequence => self.cascade_sequence(name, how),
            _ => {}
        }
    }

    /// Views that read a table or view, views that read those, and policies and rules that do.
    pub(super) fn cascade_table(&mut self, table: &Name, how: How<'_>) {
        let mut gone = vec![table.clone()];
        while let Some(name) = gone.pop() {
            let over: Vec<Name> = self
                .views
                .iter()
                .filter(|(view, it)| **view != name && *view != table && reads(it, &name))
                .map(|(view, _)| view.clone())
                .collect();
            for view in over {
                self.remove_view(&view, how);
                gone.push(view);
            }
            let asks =
                |other: &super::Other| other.body.as_ref().is_some_and(|body| body.uses_table(&name) == Use::Sure);
            let policies: Vec<Name> = self
                .others
                .iter()
                .filter(|((kind, _), other)| *kind == Kind::Policy && asks(other))
                .map(|((_, policy), _)| policy.clone())
                .collect();
            for policy in policies {
                self.remove_other(Kind::Policy, &policy, how);
            }
        }
    }

    /// Views, computed columns and policies that use a column.
    pub(super) fn cascade_column(&mut self, table: &Name, column: &Ident, how: How<'_>) {
        let table = &self.table_name(table);
        let uses = |body: &Option<std::sync::Arc<super::Body>>, own: &[&Name], schema: &Self| {
            body.as_ref().is_some_and(|body| body.uses_column(table, column, own, schema) == Use::Sure)
        };
        let views: Vec<Name> = self
            .views
            .iter()
            .filter(|(_, view)| uses(&view.body, &[], self))
            .map(|(name, _)| name.clone())
            .collect();
        for view in views {
            self.cascade_table(&view, how);
            self.remove_view(&view, how);
        }
        let computed: Vec<Ident> = self.tables.get(table).map_or(vec![], |table| {
            let of = |filled: &Maybe<Filled>| {
                matches!(filled, Maybe::Known(Filled::Computed(text)) if has_word(text, &column.key))
            };
            table.columns.values().filter(|other| of(&other.filled)).map(|other| other.name.clone()).collect()
        });
        for other in computed.iter().filter(|other| *other != column) {
            self.drop_column(table, other, how);
        }
        let key = column.key.to_lowercase();
        let policies: Vec<Name> = self
            .others
            .iter()
            .filter(|((kind, _), other)| *kind == Kind::Policy && other.table.as_ref() == Some(table))
            .filter(|(_, other)| {
                other.body.as_ref().is_some_and(|body| body.names(&Name::plain(Ident::exact(key.as_str()))))
            })
            .map(|((_, name), _)| name.clone())
            .collect();
        for policy in policies {
            self.remove_other(Kind::Policy, &policy, how);
        }
    }

    /// Columns of a type.
    fn cascade_type(&mut self, name: &Name, how: How<'_>) {
        let written = name.to_string();
        let of: Vec<(Name, Ident)> = self
            .tables
            .iter()
            .flat_map(|(table, it)| it.columns.values().map(move |column| (table, column)))
            .filter(|(_, column)| matches!(&column.ty, Maybe::Known(ty) if ty.base.eq_ignore_ascii_case(&written)))
            .map(|(table, column)| (table.clone(), column.name.clone()))
            .collect();
        for (table, column) in of {
            self.cascade_column(&table, &column, how);
            self.drop_column(&table, &column, how);
        }
    }

    /// Defaults, computed columns, checks, triggers and policies that call a function.
    fn cascade_routine(&mut self, name: &Name, how: How<'_>) {
        let mut changes: Vec<(Name, Ident, bool)> = vec![];
        let mut checks = vec![];
        for (table, it) in &self.tables {
            for column in it.columns.values() {
                match &column.filled {
                    Maybe::Known(Filled::Default(text)) if calls(text, name) => {
                        changes.push((table.clone(), column.name.clone(), false));
                    }
                    Maybe::Known(Filled::Computed(text)) if calls(text, name) => {
                        changes.push((table.clone(), column.name.clone(), true));
                    }
                    _ => {}
                }
            }
            for held in &it.constraints {
                if matches!(&held.kind, ConstraintKind::Check { expression, .. } if calls(expression, name)) {
                    checks.push((table.clone(), held.clone()));
                }
            }
        }
        for (table, column, computed) in changes {
            if computed {
                self.drop_column(&table, &column, how);
            } else {
                self.alter_column(&table, &column, &[ColumnChange::Filled(Filled::Nothing)], how);
            }
        }
        for (table, held) in checks {
            if let Some(table) = self.tables.get_mut(&table) {
                table.constraints.retain(|other| *other != held);
            }
        }
        let callers: Vec<(Kind, Name)> = self
            .others
            .iter()
            .filter(|((kind, _), _)| matches!(kind, Kind::Trigger | Kind::Policy))
            .filter(|(_, other)| other.body.as_ref().is_some_and(|body| body.calls(name)))
            .map(|(key, _)| key.clone())
            .collect();
        for (kind, caller) in callers {
            self.remove_other(kind, &caller, how);
        }
        let views: Vec<Name> = self
            .views
            .iter()
            .filter(|(_, view)| view.body.as_ref().is_some_and(|body| body.calls(name)))
            .map(|(view, _)| view.clone())
            .collect();
        for view in views {
            self.cascade_table(&view, how);
            self.remove_view(&view, how);
        }
    }

    /// Defaults that draw from a sequence.
    fn cascade_sequence(&mut self, name: &Name, how: How<'_>) {
        let key = name.name.key.as_str();
        let mut changes = vec![];
        for (table, it) in &self.tables {
            for column in it.columns.values() {
                let draws = match &column.filled {
                    Maybe::Known(Filled::Default(text)) => {
                        text.to_lowercase().contains("nextval") && has_word(text, key)
                    }
                    // The sequence of a serial column.
                    Maybe::Known(Filled::Counted { always: false }) => {
                        key == format!("{}_{}_seq", table.name.key, column.name.key)
                    }
                    _ => false,
                };
                if draws {
                    changes.push((table.clone(), column.name.clone()));
                }
            }
        }
        for (table, column) in changes {
            self.alter_column(&table, &column, &[ColumnChange::Filled(Filled::Nothing)], how);
        }
    }

    /// Triggers and policies of a table that is dropped.
    pub(super) fn drop_what_belongs(&mut self, table: &Name, how: How<'_>) {
        let of: Vec<(Kind, Name)> = self.belonging(table);
        for (kind, name) in of {
            self.remove_other(kind, &name, how);
        }
    }

    /// Triggers and policies of a table that gets another name.
    pub(super) fn move_what_belongs(&mut self, from: &Name, to: &Name) {
        for (kind, name) in self.belonging(from) {
            let Some(mut other) = self.others.remove(&(kind, name.clone())) else { continue };
            other.table = Some(to.clone());
            let name = self.name_of(kind, &name, Some(to));
            self.homes.insert(other.id, name.clone());
            self.others.insert((kind, name), other);
        }
    }

    fn belonging(&self, table: &Name) -> Vec<(Kind, Name)> {
        self.others
            .iter()
            .filter(|((kind, _), other)| {
                matches!(kind, Kind::Trigger | Kind::Policy) && other.table.as_ref() == Some(table)
            })
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn remove_other(&mut self, kind: Kind, name: &Name, how: How<'_>) {
        if let Some(other) = self.others.remove(&(kind, name.clone())) {
            self.gone.insert(other.id, how.mark);
            self.homes.remove(&other.id);
            self.touch(Touched::Other(kind, name.clone()));
        }
    }
}

fn reads(view: &super::View, name: &Name) -> bool {
    match &view.body {
        Some(body) => body.uses_table(name) != Use::No,
        None => view.simple_over.as_ref() == Some(name),
    }
}

/// Whether an expression calls a function.
pub(crate) fn calls(expression: &str, routine: &Name) -> bool {
    has_word(expression, &routine.name.key) && super::Body::new(&fold(expression, Dialect::Postgres)).calls(routine)
}

/// Whether a text has a word, in whatever case.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|other| other.eq_ignore_ascii_case(word))
}
