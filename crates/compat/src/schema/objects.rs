//! What happens to views, routines, types and everything else that has a name.

use super::apply::How;
use super::{Assumed, Other, Routine, Schema, Seen, TookFrom, Touched, UserType, View};
use crate::operation::{Ident, Kind, Maybe, Name, Parameter, Signature, TypeBody, ViewColumns};

impl Schema {
    pub(super) fn create_view(
        &mut self,
        name: &Name,
        columns: &ViewColumns,
        replace: bool,
        materialized: bool,
        simple_over: Option<&Name>,
        how: How<'_>,
    ) {
        let known = self.views.get(name).map(|view| view.id);
        if known.is_some() && how.maybe() && !replace {
            return;
        }
        let perhaps = known.is_none() && (replace || how.maybe()) && self.perhaps_old(name);
        if perhaps {
            let _ = self.view_mut(name, how);
        }
        let view = View {
            id: known.unwrap_or_else(|| self.new_id()),
            seen: if perhaps { Seen::Perhaps } else { Seen::Made },
            columns: columns.clone(),
            simple_over: simple_over.cloned(),
            materialized,
            unique: vec![],
            took: (materialized && how.says_no_data()).then_some((TookFrom::Rows, how.mark)),
            made: how.mark,
            replaced: replace && (known.is_some() || perhaps),
            text: how.whole_text(),
            body: how.body(),
            lost: vec![],
        };
        self.touch(Touched::View(name.clone()));
        self.touch(Touched::Table(name.clone()));
        self.homes.insert(view.id, name.clone());
        self.views.insert(name.clone(), view);
    }

    fn view_mut(&mut self, name: &Name, how: How<'_>) -> Option<&mut View> {
        if !self.views.contains_key(name) {
            if how.guarded && self.whole {
                return None;
            }
            let view = View {
                id: self.new_id(),
                seen: Seen::Assumed,
                columns: Maybe::Unknown,
                simple_over: None,
                materialized: false,
                unique: vec![],
                took: None,
                made: None,
                replaced: false,
                text: None,
                body: None,
                lost: vec![],
            };
            self.homes.insert(view.id, name.clone());
            self.assumed.push(Assumed::View(name.clone(), view.clone()));
            self.views.insert(name.clone(), view);
        }
        self.touch(Touched::View(name.clone()));
        self.views.get_mut(name)
    }

    pub(super) fn remove_view(&mut self, name: &Name, how: How<'_>) {
        if self.view_mut(name, how).is_none() {
            return;
        }
        if let Some(view) = self.views.remove(name) {
            self.gone.insert(view.id, how.mark);
            self.homes.remove(&view.id);
        }
    }

    pub(super) fn rename_view(&mut self, from: &Name, to: &Name, how: How<'_>) {
        if self.view_mut(from, how).is_none() {
            return;
        }
        let Some(mut view) = self.views.remove(from) else { return };
        self.gone.insert(view.id, how.mark);
        self.homes.insert(view.id, to.clone());
        view.made = how.mark;
        self.touch(Touched::View(to.clone()));
        self.views.insert(to.clone(), view);
    }

    pub(super) fn create_routine(
        &mut self,
        kind: Kind,
        name: &Name,
        signature: &Signature,
        replace: bool,
        how: How<'_>,
    ) {
        let perhaps = !self.routines.contains_key(name) && replace && self.perhaps_old(name);
        if perhaps {
            self.assume_routine(kind, name);
        }
        let overloads = self.overloads;
        let list = self.routines.entry(name.clone()).or_default();
        let same = list.iter().position(|routine| {
            !overloads || perhaps || same_parameters(&routine.signature.parameters, &signature.parameters)
        });
        let made = Routine {
            seen: if perhaps { Seen::Perhaps } else { Seen::Made },
            kind,
            signature: signature.clone(),
            made: how.mark,
            replaced: replace && same.is_some(),
            text: how.whole_text(),
            body: how.body(),
        };
        match same.and_then(|at| list.get_mut(at)) {
            Some(routine) if replace || !how.maybe() => *routine = made,
            Some(_) => {}
            None => list.push(made),
        }
        self.touch(Touched::Routine(name.clone()));
    }

    fn assume_routine(&mut self, kind: Kind, name: &Name) {
        let routine = Routine {
            seen: Seen::Assumed,
            kind,
            signature: Signature { parameters: Maybe::Unknown, returns: None },
            made: None,
            replaced: false,
            text: None,
            body: None,
        };
        self.assumed.push(Assumed::Routine(name.clone(), routine.clone()));
        self.routines.insert(name.clone(), vec![routine]);
    }

    fn remove_routine(&mut self, kind: Kind, name: &Name, how: How<'_>) {
        if self.routines.get(name).is_none_or(Vec::is_empty) {
            if how.guarded && self.whole {
                return;
            }
            self.assume_routine(kind, name);
        }
        self.routines.remove(name);
        self.gone_routines.insert(name.clone(), how.mark);
        self.touch(Touched::Routine(name.clone()));
    }

    pub(super) fn rename_routine(&mut self, from: &Name, to: &Name, how: How<'_>) {
        if self.routines.get(from).is_none_or(Vec::is_empty) {
            self.assume_routine(Kind::Function, from);
        }
        let mut moved = self.routines.remove(from).unwrap_or_default();
        moved.iter_mut().for_each(|routine| routine.made = how.mark);
        self.gone_routines.insert(from.clone(), how.mark);
        self.routines.entry(to.clone()).or_default().extend(moved);
        self.touch(Touched::Routine(from.clone()));
        self.touch(Touched::Routine(to.clone()));
    }

    pub(super) fn create_type(&mut self, name: &Name, body: &TypeBody, how: How<'_>) {
        if self.types.contains_key(name) && how.maybe() {
            return;
        }
        let ty = UserType {
            id: self.new_id(),
            seen: Seen::Made,
            body: Some(body.clone()),
            made: how.mark,
            renamed: vec![],
        };
        self.touch(Touched::Type(name.clone()));
        self.homes.insert(ty.id, name.clone());
        self.types.insert(name.clone(), ty);
    }

    fn type_mut(&mut self, name: &Name, how: How<'_>) -> Option<&mut UserType> {
        if !self.types.contains_key(name) {
            if how.guarded && self.whole {
                return None;
            }
            let ty = UserType { id: self.new_id(), seen: Seen::Assumed, body: None, made: None, renamed: vec![] };
            self.homes.insert(ty.id, name.clone());
            self.assumed.push(Assumed::Type(name.clone(), ty.clone()));
            self.types.insert(name.clone(), ty);
        }
        self.touch(Touched::Type(name.clone()));
        self.types.get_mut(name)
    }

    pub(super) fn add_enum_value(&mut self, name: &Name, value: &str, how: How<'_>) {
        let Some(ty) = self.type_mut(name, how) else { return };
        if let Some(TypeBody::Enum(values)) = &mut ty.body
            && !values.iter().any(|known| known == value)
        {
            values.push(value.to_owned());
        }
    }

    pub(super) fn rename_enum_value(&mut self, name: &Name, from: &str, to: &str, how: How<'_>) {
        let Some(ty) = self.type_mut(name, how) else { return };
        ty.renamed.push((from.to_owned(), to.to_owned(), how.mark));
        if let Some(TypeBody::Enum(values)) = &mut ty.body {
            values.iter_mut().filter(|value| *value == from).for_each(|value| *value = to.to_owned());
        }
    }

    pub(super) fn rename_type(&mut self, from: &Name, to: &Name, how: How<'_>) {
        if self.type_mut(from, how).is_none() {
            return;
        }
        let Some(mut ty) = self.types.remove(from) else { return };
        self.gone.insert(ty.id, how.mark);
        self.homes.insert(ty.id, to.clone());
        ty.made = how.mark;
        self.types.insert(to.clone(), ty);
        self.touch(Touched::Type(to.clone()));
        // The columns follow their type.
        for column in self.tables.values_mut().flat_map(|table| table.columns.values_mut()) {
            if let Maybe::Known(ty) = &mut column.ty
                && ty.base.eq_ignore_ascii_case(&from.to_string())
            {
                ty.base = Name { schema: to.schema.clone(), name: to.name.clone() }.to_string();
            }
        }
    }

    fn remove_type(&mut self, name: &Name, how: How<'_>) {
        if self.type_mut(name, how).is_none() {
            return;
        }
        if let Some(ty) = self.types.remove(name) {
            self.gone.insert(ty.id, how.mark);
            self.homes.remove(&ty.id);
        }
    }

    pub(super) fn create_other(&mut self, kind: Kind, name: &Name, table: Option<&Name>, how: How<'_>) {
        let name = &self.name_of(kind, name, table);
        let key = (kind, name.clone());
        if self.others.contains_key(&key) && how.maybe() {
            return;
        }
        let (made, body) = (how.mark, how.body());
        let other = Other { id: self.new_id(), seen: Seen::Made, table: table.cloned(), made, body };
        self.homes.insert(other.id, name.clone());
        self.others.insert(key, other);
        self.touch(Touched::Other(kind, name.clone()));
    }

    /// PostgreSQL's triggers and policies have their names within their table.
    pub fn name_of(&self, kind: Kind, name: &Name, table: Option<&Name>) -> Name {
        match table.filter(|_| self.overloads && matches!(kind, Kind::Trigger | Kind::Policy)) {
            Some(table) => Name { schema: Some(Ident::exact(table.to_string())), name: name.name.clone() },
            None => name.clone(),
        }
    }

    fn assume_other(&mut self, kind: Kind, name: &Name, table: Option<&Name>, how: How<'_>) -> bool {
        let key = (kind, name.clone());
        if !self.others.contains_key(&key) {
            if how.guarded && self.whole {
                return false;
            }
            let (made, body) = (None, None);
            let other = Other { id: self.new_id(), seen: Seen::Assumed, table: table.cloned(), made, body };
            self.homes.insert(other.id, name.clone());
            self.assumed.push(Assumed::Other(kind, name.clone(), other.clone()));
            self.others.insert(key, other);
        }
        self.touch(Touched::Other(kind, name.clone()));
        true
    }

    /// Whether the name is a view's.
    pub(super) fn is_view(&self, name: &Name) -> bool {
        self.views.contains_key(name) && !self.tables.contains_key(name)
    }

    pub(super) fn rename_view_column(&mut self, view: &Name, from: &Ident, to: &Ident, how: How<'_>) {
        let Some(view) = self.view_mut(view, how).filter(|_| from != to) else { return };
        if let Maybe::Known(columns) = &mut view.columns {
            columns.iter_mut().filter(|column| *column == from).for_each(|column| *column = to.clone());
        }
        // Renamed and back is no change.
        view.lost.retain(|(lost, _)| lost != to);
        view.lost.push((from.clone(), how.mark));
        view.made = how.mark;
    }

    pub(super) fn rename_other(&mut self, kind: Kind, from: &Name, to: &Name, how: How<'_>) {
        if !self.assume_other(kind, from, None, how) {
            return;
        }
        if let Some(mut other) = self.others.remove(&(kind, from.clone())) {
            self.gone.insert(other.id, how.mark);
            self.homes.insert(other.id, to.clone());
            other.made = how.mark;
            self.others.insert((kind, to.clone()), other);
        }
    }

    pub(super) fn drop_object(
        &mut self,
        kind: Kind,
        name: &Name,
        table: Option<&Name>,
        cascade: bool,
        how: How<'_>,
    ) {
        if cascade {
            self.cascade(kind, name, how);
        }
        match kind {
            Kind::View | Kind::MaterializedView => self.remove_view(name, how),
            Kind::Type | Kind::Domain => self.remove_type(name, how),
            Kind::Function | Kind::Procedure => self.remove_routine(kind, name, how),
            _ => {
                let name = &self.name_of(kind, name, table);
                if self.assume_other(kind, name, table, how)
                    && let Some(other) = self.others.remove(&(kind, name.clone()))
                {
                    self.gone.insert(other.id, how.mark);
                    self.homes.remove(&other.id);
                }
                if kind == Kind::Schema && cascade {
                    self.drop_schema(name, how);
                }
            }
        }
    }

    /// What is in a schema goes with it. Names in the default one are known without it.
    fn drop_schema(&mut self, schema: &Name, how: How<'_>) {
        let within = |name: &&Name| match &name.schema {
            Some(of) => *of == schema.name,
            None => schema.name.key == "public",
        };
        let tables: Vec<Name> = self.tables.keys().filter(within).cloned().collect();
        let views: Vec<Name> = self.views.keys().filter(within).cloned().collect();
        let types: Vec<Name> = self.types.keys().filter(within).cloned().collect();
        let routines: Vec<Name> = self.routines.keys().filter(within).cloned().collect();
        tables.iter().for_each(|table| self.drop_table(table, true, how));
        views.iter().for_each(|view| self.remove_view(view, how));
        types.iter().for_each(|ty| self.remove_type(ty, how));
        routines.iter().for_each(|routine| self.remove_routine(Kind::Function, routine, how));
    }
}

/// Whether two routines are one and the same to a database that overloads.
fn same_parameters(one: &Maybe<Vec<Parameter>>, other: &Maybe<Vec<Parameter>>) -> bool {
    match (one, other) {
        (Maybe::Known(one), Maybe::Known(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.ty == other.ty)
        }
        _ => true,
    }
}
