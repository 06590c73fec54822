//! What an operation of a migration does to the database and to the models.
//!
//! After django/db/migrations/operations and django/db/backends/base/schema.py. Not here: models of
//! relations between tables beyond names ([`super::state`]).

use super::super::emit;
use super::super::syntax::{Call, Value};
use super::fields::{self, Held, Join, Shape};
use super::state::{Model, State, usual_table};
use crate::migration::Limits;
use crate::operation::{
    Checked, Column, ColumnChange, Constraint, ConstraintKind, Data, Filled, Kind, Maybe, Name, Operation, Step,
    Unread,
};

/// Operations that databases do not see.
const NEUTRAL: &[&str] =
    &["AlterModelOptions", "AlterModelManagers", "AlterModelTableComment", "RenameIndex", "AlterConstraint"];

/// Extensions by the operation that brings them.
const EXTENSIONS: &[(&str, &str)] = &[
    ("BloomExtension", "bloom"),
    ("BtreeGinExtension", "btree_gin"),
    ("BtreeGistExtension", "btree_gist"),
    ("CITextExtension", "citext"),
    ("CryptoExtension", "pgcrypto"),
    ("HStoreExtension", "hstore"),
    ("TrigramExtension", "pg_trgm"),
    ("UnaccentExtension", "unaccent"),
];

/// The walk through one migration.
pub struct Walk<'s> {
    /// The models so far.
    pub state: &'s mut State,
    /// The migration's app.
    pub app: &'s str,
    /// What bounds it.
    pub limits: Limits,
    /// What was read.
    pub steps: Vec<Step>,
    /// Whether the operations reach the database.
    pub database: bool,
}

impl Walk<'_> {
    fn put(&mut self, operation: Operation, call: &Call) {
        if self.database {
            self.steps.push(Step::new(operation, call.line, &call.text));
        }
    }

    fn put_code(&mut self, call: &Call) {
        self.put(emit::code(call.text.clone()), call);
    }

    /// One operation.
    pub fn operation(&mut self, value: &Value, line: u32) {
        let Value::Call(call) = value else {
            if self.database {
                let text = match value {
                    Value::Code(text) => text.clone(),
                    _ => "an operation".to_owned(),
                };
                self.steps.push(Step::new(emit::code(text.clone()), line, &text));
            }
            return;
        };
        match call.word() {
            "CreateModel" => self.create_model(call),
            "DeleteModel" => self.delete_model(call),
            "RenameModel" => self.rename_model(call),
            "AlterModelTable" => self.alter_table(call),
            "AddField" => self.add_field(call),
            "RemoveField" => self.remove_field(call),
            "AlterField" => self.alter_field(call),
            "RenameField" => self.rename_field(call),
            "AlterUniqueTogether" | "AlterIndexTogether" => self.together(call),
            "AlterOrderWithRespectTo" => self.ordered(call),
            "AddIndex" | "AddIndexConcurrently" => self.add_index(call),
            "RemoveIndex" | "RemoveIndexConcurrently" => self.remove_index(call),
            "AddConstraint" | "AddConstraintNotValid" => self.add_constraint(call),
            "RemoveConstraint" => self.remove_constraint(call),
            "ValidateConstraint" => self.validate_constraint(call),
            "RunSQL" => self.run_sql(call),
            "RunPython" => self.run_python(call),
            "SeparateDatabaseAndState" => self.separate(call),
            "CreateExtension" | "CreateCollation" | "RemoveCollation" => self.create_object(call),
            word if NEUTRAL.contains(&word) => self.put(Operation::Neutral { what: word.to_owned() }, call),
            word => match EXTENSIONS.iter().find(|(operation, _)| *operation == word) {
                Some((_, extension)) => {
                    let name = self.state.name(extension);
                    self.put(Operation::Create { kind: Kind::Extension, name, table: None }, call);
                }
                None => self.put_code(call),
            },
        }
    }

    fn key(&self, name: &str) -> (String, String) {
        (self.app.to_owned(), name.to_lowercase())
    }

    /// The model that an operation names. One that no migration made is taken to be usual.
    fn model(&self, call: &Call, option: &str) -> Option<Model> {
        let name = call.argument(option, 0)?.text()?;
        let usual = || Model::of(self.app, name, &usual_table(self.app, name));
        Some(self.state.models.get(&self.key(name)).cloned().unwrap_or_else(usual))
    }

    fn change(&mut self, model: &Model, change: impl FnOnce(&mut Model)) {
        let key = (model.app.clone(), model.name.to_lowercase());
        change(self.state.models.entry(key).or_insert_with(|| model.clone()));
    }

    fn create_model(&mut self, call: &Call) {
        let Some(name) = call.argument("name", 0).and_then(Value::text).map(str::to_owned) else {
            return self.put_code(call);
        };
        let options = call.argument("options", 2).cloned().unwrap_or(Value::Map(vec![]));
        let table = match options.get("db_table") {
            None | Some(Value::Nothing) => None,
            Some(Value::Text(table)) if table.is_empty() => None,
            Some(Value::Text(table)) => Some(table.clone()),
            Some(_) => return self.put_code(call),
        };
        let mut model = Model::of(self.app, &name, &usual_table(self.app, &name));
        model.given = table.is_some();
        model.table = table.unwrap_or(model.table);
        let is = |option: &str| options.get(option).and_then(Value::truth);
        model.kept = is("proxy") != Some(true) && is("managed") != Some(false);
        let mut whole = matches!(options, Value::Map(_));
        match call.argument("fields", 1) {
            Some(Value::List(fields)) => {
                for field in fields {
                    match field {
                        Value::List(pair) => match pair.as_slice() {
                            [Value::Text(name), Value::Call(field)] => {
                                model.fields.push((name.clone(), field.as_ref().clone()));
                            }
                            _ => whole = false,
                        },
                        _ => whole = false,
                    }
                }
            }
            _ => whole = false,
        }
        self.implicit_key(&mut model, call, whole);
        model.unique = sets(options.get("unique_together"));
        model.indexed = sets(options.get("index_together"));
        self.state.models.insert(self.key(&name), model.clone());
        if model.kept {
            self.table_of(call, &model, &options, whole);
        }
    }

    fn implicit_key(&self, model: &mut Model, call: &Call, whole: bool) {
        let primary = |field: &Call| {
            field.named("primary_key").and_then(Value::truth) == Some(true) || field.word() == "CompositePrimaryKey"
        };
        if whole && !model.fields.iter().any(|(_, field)| primary(field)) {
            let path = format!("models.{}", self.state.settings.key);
            let names = vec![("primary_key".to_owned(), Value::Truth(true))];
            let field = Call { path, places: vec![], names, line: call.line, text: call.text.clone() };
            model.fields.insert(0, ("id".to_owned(), field));
        }
    }

    fn table_of(&mut self, call: &Call, model: &Model, options: &Value, whole: bool) {
        let table = self.state.name(&model.table);
        let (mut columns, mut after, mut joins, mut constraints) = (vec![], vec![], vec![], vec![]);
        for (name, field) in &model.fields {
            match fields::shape(self.state, model, name, field) {
                Shape::Nothing => {}
                Shape::Join(join) => joins.push(join),
                Shape::Column(held) => {
                    columns.push(self.column(&held));
                    if held.index {
                        let column = vec![emit::ident(self.state.dialect, &held.column)];
                        after.push(emit::index(self.state.dialect, &table, None, column, None));
                    }
                }
            }
        }
        for set in &model.unique {
            let kind = self.unique(self.state.columns(model, set), None, false);
            constraints.push(Constraint { name: None, kind });
        }
        for set in &model.indexed {
            after.push(emit::index(self.state.dialect, &table, None, self.state.columns(model, set), None));
        }
        let columns = if whole { Maybe::Known(columns) } else { Maybe::Unknown };
        self.put(Operation::CreateTable { table: table.clone(), columns, constraints, temporary: false }, call);
        for operation in after {
            self.put(operation, call);
        }
        for join in joins {
            self.create_join(call, &join, model);
        }
        for constraint in list(options.get("constraints")) {
            self.constraint(call, model, constraint, Checked::All);
        }
        for index in list(options.get("indexes")) {
            self.index(call, model, index);
        }
    }

    fn unique(
        &self,
        columns: Vec<crate::operation::Ident>,
        partial: Option<String>,
        nulls_equal: bool,
    ) -> ConstraintKind {
        ConstraintKind::Unique { columns, partial, nulls_equal }
    }

    fn column(&self, held: &Held) -> Column {
        Column {
            name: emit::ident(self.state.dialect, &held.column),
            ty: held.ty.clone(),
            not_null: held.not_null.clone(),
            filled: Maybe::Known(held.filled.clone()),
            constraints: fields::constraints(self.state.dialect, held),
        }
    }

    fn create_join(&mut self, call: &Call, join: &Join, model: &Model) {
        let dialect = self.state.dialect;
        let ident = |name: &str| emit::ident(dialect, name);
        let own = self.state.name(&model.table);
        let key = if self.state.settings.key == "BigAutoField" { "bigint" } else { "integer" };
        let id = Column {
            name: ident("id"),
            ty: Maybe::Known(crate::operation::Type::named(key)),
            not_null: Maybe::Known(true),
            filled: Maybe::Known(Filled::Counted { always: false }),
            constraints: vec![Constraint { name: None, kind: ConstraintKind::PrimaryKey(vec![ident("id")]) }],
        };
        let mut columns = vec![id];
        let sides = [(&join.from, Some(own), &join.types.0), (&join.to, join.other.clone(), &join.types.1)];
        for (name, table, ty) in sides {
            let key = |table| ConstraintKind::ForeignKey {
                columns: vec![ident(name)],
                table,
                to: vec![],
                cascades: false,
            };
            columns.push(Column {
                name: ident(name),
                ty: ty.clone(),
                not_null: Maybe::Known(true),
                filled: Maybe::Known(Filled::Nothing),
                constraints: table.map(|table| Constraint { name: None, kind: key(table) }).into_iter().collect(),
            });
        }
        let kind = self.unique(vec![ident(&join.from), ident(&join.to)], None, false);
        let operation = Operation::CreateTable {
            table: join.table.clone(),
            columns: Maybe::Known(columns),
            constraints: vec![Constraint { name: None, kind }],
            temporary: false,
        };
        self.put(operation, call);
        for name in [&join.from, &join.to] {
            self.put(emit::index(dialect, &join.table, None, vec![ident(name)], None), call);
        }
    }

    fn delete_model(&mut self, call: &Call) {
        let Some(model) = self.model(call, "name") else { return self.put_code(call) };
        for (name, field) in &model.fields {
            if let Shape::Join(join) = fields::shape(self.state, &model, name, field)
                && model.kept
            {
                self.put(Operation::DropTable { table: join.table, cascade: true }, call);
            }
        }
        if model.kept {
            self.put(Operation::DropTable { table: self.state.name(&model.table), cascade: true }, call);
        }
        self.state.models.remove(&(model.app.clone(), model.name.to_lowercase()));
    }

    fn rename_model(&mut self, call: &Call) {
        let Some(model) = self.model(call, "old_name") else { return self.put_code(call) };
        let Some(name) = call.argument("new_name", 1).and_then(Value::text) else { return self.put_code(call) };
        let mut renamed = model.clone();
        renamed.name = name.to_owned();
        if !model.given {
            renamed.table = usual_table(self.app, name);
        }
        self.state.models.remove(&(model.app.clone(), model.name.to_lowercase()));
        self.point_at(&model, &renamed);
        self.state.models.insert(self.key(name), renamed.clone());
        if model.kept {
            self.renamed_table(call, &model, &renamed);
        }
    }

    /// Relations to a model that has another name now.
    fn point_at(&mut self, from: &Model, to: &Model) {
        let written = format!("{}.{}", to.app, to.name);
        let old = (from.app.clone(), from.name.to_lowercase());
        let reference = self.state.clone();
        for model in self.state.models.values_mut() {
            let owner = Model::of(&model.app, &model.name, "");
            for (_, field) in &mut model.fields {
                let target = field.argument("to", 0).and_then(|target| reference.key(&owner, target));
                if target.as_ref() != Some(&old) {
                    continue;
                }
                field.names.retain(|(name, _)| name != "to");
                field.places.drain(..1.min(field.places.len()));
                field.names.push(("to".to_owned(), Value::Text(written.clone())));
            }
        }
    }

    fn renamed_table(&mut self, call: &Call, from: &Model, to: &Model) {
        let (old, new) = (self.state.name(&from.table), self.state.name(&to.table));
        if old != new {
            self.put(Operation::Rename { kind: None, from: old, to: new }, call);
        }
        for (name, field) in &from.fields {
            let Shape::Join(before) = fields::shape(self.state, from, name, field) else { continue };
            let Some(Shape::Join(after)) = self.state.shape(to, name) else { continue };
            self.renamed_join(call, &before, &after);
        }
    }

    fn renamed_join(&mut self, call: &Call, before: &Join, after: &Join) {
        if before.table != after.table {
            let (from, to) = (before.table.clone(), after.table.clone());
            self.put(Operation::Rename { kind: None, from, to }, call);
        }
        if before.from != after.from {
            let dialect = self.state.dialect;
            let (from, to) = (emit::ident(dialect, &before.from), emit::ident(dialect, &after.from));
            self.put(Operation::RenameColumn { table: after.table.clone(), from, to }, call);
        }
    }

    fn alter_table(&mut self, call: &Call) {
        let Some(model) = self.model(call, "name") else { return self.put_code(call) };
        let table = match call.argument("table", 1) {
            Some(Value::Text(table)) if !table.is_empty() => table.clone(),
            Some(Value::Nothing | Value::Text(_)) => usual_table(&model.app, &model.name),
            _ => return self.put_code(call),
        };
        let given = matches!(call.argument("table", 1), Some(Value::Text(_)));
        let mut renamed = model.clone();
        (renamed.table, renamed.given) = (table, given);
        self.change(&model, |known| known.clone_from(&renamed));
        if model.kept {
            self.renamed_table(call, &model, &renamed);
        }
    }

    /// The model, the field's name and the field of an operation.
    fn parts(&self, call: &Call) -> Option<(Model, String, Call)> {
        let model = self.model(call, "model_name")?;
        let name = call.argument("name", 1)?.text()?.to_owned();
        match call.argument("field", 2)? {
            Value::Call(field) => Some((model, name, field.as_ref().clone())),
            _ => None,
        }
    }

    fn add_field(&mut self, call: &Call) {
        let Some((model, name, field)) = self.parts(call) else { return self.put_code(call) };
        let shape = fields::shape(self.state, &model, &name, &field);
        self.change(&model, |known| known.fields.push((name, field)));
        if !model.kept {
            return;
        }
        let held = match shape {
            Shape::Nothing => return,
            Shape::Join(join) => return self.create_join(call, &join, &model),
            Shape::Column(held) => held,
        };
        let table = self.state.name(&model.table);
        let mut column = self.column(&held);
        let program = held.default.clone().filter(|_| held.filled == Filled::Nothing);
        if let Some(default) = &program {
            column.filled = Maybe::Known(Filled::Default(default.clone()));
        }
        self.put(Operation::AddColumn { table: table.clone(), column }, call);
        if program.is_some() && self.database {
            let column = emit::ident(self.state.dialect, &held.column);
            let changes = vec![ColumnChange::Filled(Filled::Nothing)];
            let operation = Operation::AlterColumn { table: table.clone(), column, changes };
            let said = format!("{} (Django drops the default after adding the column)", call.text);
            self.steps.push(Step::new(operation, call.line, &said));
        }
        if held.index {
            let column = vec![emit::ident(self.state.dialect, &held.column)];
            self.put(emit::index(self.state.dialect, &table, None, column, None), call);
        }
    }

    fn remove_field(&mut self, call: &Call) {
        let Some(model) = self.model(call, "model_name") else { return self.put_code(call) };
        let Some(name) = call.argument("name", 1).and_then(Value::text) else { return self.put_code(call) };
        let shape = self.state.shape(&model, name);
        self.change(&model, |known| known.fields.retain(|(field, _)| field != name));
        if !model.kept {
            return;
        }
        match shape {
            Some(Shape::Nothing) => self.put(Operation::Neutral { what: "RemoveField".to_owned() }, call),
            Some(Shape::Join(join)) => self.put(Operation::DropTable { table: join.table, cascade: true }, call),
            Some(Shape::Column(held)) => self.drop_column(call, &model, &held.column),
            None => {
                self.put_code(call);
                self.drop_column(call, &model, name);
            }
        }
    }

    fn drop_column(&mut self, call: &Call, model: &Model, column: &str) {
        let table = self.state.name(&model.table);
        let column = emit::ident(self.state.dialect, column);
        self.put(Operation::DropColumn { table, column, cascade: true }, call);
    }

    fn rename_field(&mut self, call: &Call) {
        let Some(model) = self.model(call, "model_name") else { return self.put_code(call) };
        let part = |name: &str, place| call.argument(name, place).and_then(Value::text).map(str::to_owned);
        let (Some(from), Some(to)) = (part("old_name", 1), part("new_name", 2)) else { return self.put_code(call) };
        let before = self.state.shape(&model, &from);
        let mut renamed = model.clone();
        for (name, _) in renamed.fields.iter_mut().filter(|(name, _)| *name == from) {
            name.clone_from(&to);
        }
        for set in renamed.unique.iter_mut().chain(&mut renamed.indexed) {
            for name in set.iter_mut().filter(|name| **name == from) {
                name.clone_from(&to);
            }
        }
        let after = self.state.shape(&renamed, &to);
        self.change(&model, |known| known.clone_from(&renamed));
        if !model.kept {
            return;
        }
        match (before, after) {
            (Some(Shape::Column(before)), Some(Shape::Column(after))) => {
                self.rename_column(call, &model, &before.column, &after.column);
            }
            (Some(Shape::Join(before)), Some(Shape::Join(after))) => self.renamed_join(call, &before, &after),
            (Some(Shape::Nothing), _) => {}
            _ => self.rename_column(call, &model, &from, &to),
        }
    }

    fn rename_column(&mut self, call: &Call, model: &Model, from: &str, to: &str) {
        let dialect = self.state.dialect;
        let (from, to) = (emit::ident(dialect, from), emit::ident(dialect, to));
        if from != to {
            let table = self.state.name(&model.table);
            self.put(Operation::RenameColumn { table, from, to }, call);
        }
    }

    fn alter_field(&mut self, call: &Call) {
        let Some((model, name, field)) = self.parts(call) else { return self.put_code(call) };
        let before = self.state.shape(&model, &name);
        let old = model.field(&name).cloned();
        let after = fields::shape(self.state, &model, &name, &field);
        let kept = model.kept;
        self.change(&model, |known| match known.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = field.clone(),
            None => known.fields.push((name.clone(), field.clone())),
        });
        if !kept {
            return;
        }
        match (before, after) {
            (Some(Shape::Column(before)), Shape::Column(after)) => {
                let same = old.is_some_and(|old| same_type(&old, &field));
                self.altered(call, &model, &before, &after, same);
            }
            (Some(Shape::Join(before)), Shape::Join(after)) if before == after => {
                self.put(Operation::Neutral { what: "AlterField".to_owned() }, call);
            }
            (Some(Shape::Nothing), Shape::Nothing) => {}
            (None, Shape::Column(after)) => self.restated(call, &model, &after),
            _ => self.put_code(call),
        }
    }

    /// A field whose state before is not known: all that it says now.
    fn restated(&mut self, call: &Call, model: &Model, after: &Held) {
        let Maybe::Known(ty) = after.ty.clone() else { return self.put_code(call) };
        let null = if after.not_null == Maybe::Known(false) { ColumnChange::Null } else { ColumnChange::NotNull };
        let table = self.state.name(&model.table);
        let column = emit::ident(self.state.dialect, &after.column);
        self.put(Operation::AlterColumn { table, column, changes: vec![ColumnChange::Type(ty), null] }, call);
    }

    fn altered(&mut self, call: &Call, model: &Model, before: &Held, after: &Held, same: bool) {
        let dialect = self.state.dialect;
        let table = self.state.name(&model.table);
        let column = emit::ident(dialect, &after.column);
        let count = self.steps.len();
        self.rename_column(call, model, &before.column, &after.column);
        let said = |name: &str| Operation::DropConstraint {
            table: table.clone(),
            constraint: None,
            said: Some(name.to_owned()),
            cascade: false,
        };
        if before.refers.is_some() && before.refers != after.refers {
            self.put(said("foreign-key"), call);
        }
        if before.unique && !before.primary && !after.unique {
            self.put(said("unique"), call);
        }
        if before.positive && !after.positive {
            self.put(said("check"), call);
        }
        let mut changes = vec![];
        match (&before.ty, &after.ty) {
            (Maybe::Known(old), Maybe::Known(new)) if old == new => {}
            (_, Maybe::Known(new)) => changes.push(ColumnChange::Type(new.clone())),
            (_, Maybe::Unknown) if same => {}
            _ => self.put_code(call),
        }
        if before.filled != after.filled {
            changes.push(ColumnChange::Filled(after.filled.clone()));
        }
        match (&before.not_null, &after.not_null) {
            (old, new) if old == new => {}
            (_, Maybe::Known(true)) => {
                if after.default.is_some() {
                    let table = Some(table.clone());
                    self.put(Operation::Data { data: Data::Update, table, every_row: false }, call);
                }
                changes.push(ColumnChange::NotNull);
            }
            (_, Maybe::Known(false)) => changes.push(ColumnChange::Null),
            _ => self.put_code(call),
        }
        if !changes.is_empty() {
            let column = column.clone();
            self.put(Operation::AlterColumn { table: table.clone(), column, changes }, call);
        }
        self.promised(call, &table, before, after);
        if self.steps.len() == count {
            self.put(Operation::Neutral { what: "AlterField".to_owned() }, call);
        }
    }

    /// Promises that a field makes now and did not make before.
    fn promised(&mut self, call: &Call, table: &Name, before: &Held, after: &Held) {
        let old = fields::constraints(self.state.dialect, &Held { column: after.column.clone(), ..before.clone() });
        for constraint in fields::constraints(self.state.dialect, after) {
            if !old.contains(&constraint) {
                let table = table.clone();
                self.put(Operation::AddConstraint { table, constraint, checked: Checked::All }, call);
            }
        }
        if after.index && !before.index {
            let column = vec![emit::ident(self.state.dialect, &after.column)];
            self.put(emit::index(self.state.dialect, table, None, column, None), call);
        }
    }

    fn together(&mut self, call: &Call) {
        let Some(model) = self.model(call, "name") else { return self.put_code(call) };
        let unique = call.word() == "AlterUniqueTogether";
        let option = if unique { "unique_together" } else { "index_together" };
        let given = call.argument(option, 1);
        if given.is_some_and(|given| !given.literal()) {
            return self.put_code(call);
        }
        let new = sets(given);
        let old = if unique { model.unique.clone() } else { model.indexed.clone() };
        self.change(&model, |known| *(if unique { &mut known.unique } else { &mut known.indexed }) = new.clone());
        if !model.kept {
            return;
        }
        let table = self.state.name(&model.table);
        for _ in old.iter().filter(|set| unique && !new.contains(set)) {
            let said = Some("unique".to_owned());
            let table = table.clone();
            self.put(Operation::DropConstraint { table, constraint: None, said, cascade: false }, call);
        }
        for set in new.iter().filter(|set| !old.contains(set)) {
            let columns = self.state.columns(&model, set);
            let operation = if unique {
                let constraint = Constraint { name: None, kind: self.unique(columns, None, false) };
                Operation::AddConstraint { table: table.clone(), constraint, checked: Checked::All }
            } else {
                emit::index(self.state.dialect, &table, None, columns, None)
            };
            self.put(operation, call);
        }
    }

    fn ordered(&mut self, call: &Call) {
        let Some(model) = self.model(call, "name") else { return self.put_code(call) };
        let table = self.state.name(&model.table);
        let column = emit::ident(self.state.dialect, "_order");
        if call.argument("order_with_respect_to", 1).is_none_or(|value| *value == Value::Nothing) {
            return self.put(Operation::DropColumn { table, column, cascade: true }, call);
        }
        let mut added = Column::new(column.clone(), crate::operation::Type::named("integer"));
        added.not_null = Maybe::Known(true);
        added.filled = Maybe::Known(Filled::Default("0".to_owned()));
        self.put(Operation::AddColumn { table: table.clone(), column: added }, call);
        let changes = vec![ColumnChange::Filled(Filled::Nothing)];
        self.put(Operation::AlterColumn { table, column, changes }, call);
    }

    fn add_index(&mut self, call: &Call) {
        match (self.model(call, "model_name"), call.argument("index", 1)) {
            (Some(model), Some(index)) => self.index(call, &model, index),
            _ => self.put_code(call),
        }
    }

    fn index(&mut self, call: &Call, model: &Model, index: &Value) {
        let Value::Call(index) = index else { return self.put_code(call) };
        if !model.kept {
            return;
        }
        let fields = index.named("fields").and_then(Value::texts).unwrap_or_default();
        let table = self.state.name(&model.table);
        let columns = self.state.columns(model, &fields);
        let name = index.named("name").and_then(Value::text);
        self.put(emit::index(self.state.dialect, &table, name, columns, None), call);
    }

    fn remove_index(&mut self, call: &Call) {
        let model = self.model(call, "model_name");
        let name = call.argument("name", 1).and_then(Value::text);
        let (Some(model), Some(name)) = (model, name) else { return self.put_code(call) };
        let table = self.state.name(&model.table);
        let name = emit::beside(self.state.dialect, &table, name);
        if model.kept {
            self.put(Operation::DropIndex { name, table: Some(table) }, call);
        }
    }

    fn add_constraint(&mut self, call: &Call) {
        let checked = if call.word() == "AddConstraint" { Checked::All } else { Checked::NewRows };
        match (self.model(call, "model_name"), call.argument("constraint", 1)) {
            (Some(model), Some(constraint)) => self.constraint(call, &model, constraint, checked),
            _ => self.put_code(call),
        }
    }

    fn constraint(&mut self, call: &Call, model: &Model, constraint: &Value, checked: Checked) {
        let Value::Call(constraint) = constraint else { return self.put_code(call) };
        let name = constraint.named("name").and_then(Value::text).map(str::to_owned);
        let condition = |option: &str| constraint.named(option).filter(|value| **value != Value::Nothing);
        let (said, kind) = match constraint.word() {
            "UniqueConstraint" => {
                let fields = constraint.named("fields").and_then(Value::texts);
                let columns = match fields {
                    Some(fields) => self.state.columns(model, &fields),
                    None => constraint
                        .places
                        .iter()
                        .map(|place| crate::operation::Ident::exact(fields::sql_of(self.state.dialect, place)))
                        .collect(),
                };
                let nulls = constraint.named("nulls_distinct") == Some(&Value::Truth(false));
                // With a condition or an expression it is an index.
                let index = condition("condition").is_some() || constraint.named("fields").is_none();
                let said = if index { "index" } else { "unique" };
                (said, self.unique(columns, condition("condition").map(Value::told), nulls))
            }
            "CheckConstraint" => {
                let check =
                    condition("condition").or_else(|| condition("check")).or_else(|| constraint.places.first());
                let expression = check.map(|check| fields::sql_of(self.state.dialect, check)).unwrap_or_default();
                let not_null = self.said_not_null(model, check);
                ("check", ConstraintKind::Check { expression, not_null })
            }
            "ExclusionConstraint" => ("exclude", ConstraintKind::Exclude),
            _ => return self.put_code(call),
        };
        if let Some(name) = &name {
            self.change(model, |known| {
                known.constraints.insert(name.clone(), said);
            });
        }
        if !model.kept {
            return;
        }
        let name = name.map(|name| emit::ident(self.state.dialect, &name));
        let constraint = Constraint { name, kind };
        let table = self.state.name(&model.table);
        self.put(Operation::AddConstraint { table, constraint, checked }, call);
    }

    /// `Q(x__isnull=False)`.
    fn said_not_null(&self, model: &Model, check: Option<&Value>) -> Vec<crate::operation::Ident> {
        let Some(Value::Call(check)) = check else { return vec![] };
        let pair = match (check.names.as_slice(), check.places.as_slice()) {
            ([(name, value)], []) => Some((name.clone(), value.clone())),
            ([], [Value::List(pair)]) => match pair.as_slice() {
                [Value::Text(name), value] => Some((name.clone(), value.clone())),
                _ => None,
            },
            _ => None,
        };
        match pair {
            Some((name, Value::Truth(false))) if check.word() == "Q" => match name.strip_suffix("__isnull") {
                Some(field) => self.state.columns(model, &[field.to_owned()]),
                None => vec![],
            },
            _ => vec![],
        }
    }

    fn remove_constraint(&mut self, call: &Call) {
        let model = self.model(call, "model_name");
        let name = call.argument("name", 1).and_then(Value::text);
        let (Some(model), Some(name)) = (model, name) else { return self.put_code(call) };
        let said = model.constraints.get(name).map(|said| (*said).to_owned());
        let constraint = Some(emit::ident(self.state.dialect, name));
        let table = self.state.name(&model.table);
        if said.as_deref() == Some("index") && model.kept {
            let name = emit::beside(self.state.dialect, &table, name);
            return self.put(Operation::DropIndex { name, table: Some(table) }, call);
        }
        if model.kept {
            self.put(Operation::DropConstraint { table, constraint, said, cascade: false }, call);
        }
    }

    fn validate_constraint(&mut self, call: &Call) {
        let model = self.model(call, "model_name");
        let name = call.argument("name", 1).and_then(Value::text);
        let (Some(model), Some(name)) = (model, name) else { return self.put_code(call) };
        let constraint = emit::ident(self.state.dialect, name);
        let table = self.state.name(&model.table);
        self.put(Operation::ValidateConstraint { table, constraint }, call);
    }

    fn create_object(&mut self, call: &Call) {
        let Some(name) = call.argument("name", 0).and_then(Value::text) else { return self.put_code(call) };
        let name = self.state.name(name);
        let operation = match call.word() {
            "CreateExtension" => Operation::Create { kind: Kind::Extension, name, table: None },
            "CreateCollation" => Operation::Create { kind: Kind::Other, name, table: None },
            _ => Operation::Drop { kind: Kind::Other, name, table: None, cascade: false },
        };
        self.put(operation, call);
    }

    fn run_sql(&mut self, call: &Call) {
        let mut from = 0;
        for value in sql_values(call.argument("sql", 0)) {
            match value {
                Value::Text(text) => {
                    let line = line_in(call, &text, &mut from);
                    if self.database {
                        self.steps.extend(emit::sql_steps(self.state.dialect, &text, line, self.limits));
                    }
                }
                Value::Code(text) if text.ends_with(".noop") => {}
                _ => self.put(Operation::Unread(Unread::Dynamic), call),
            }
        }
        let database = std::mem::replace(&mut self.database, false);
        for operation in list(call.argument("state_operations", 2)) {
            self.operation(operation, call.line);
        }
        self.database = database;
    }

    fn run_python(&mut self, call: &Call) {
        let code = match call.argument("code", 0) {
            Some(Value::Code(text)) => text.clone(),
            Some(Value::Call(call)) => call.path.clone(),
            _ => String::new(),
        };
        if code.ends_with("RunPython.noop") {
            return self.put(Operation::Neutral { what: "RunPython.noop".to_owned() }, call);
        }
        self.put(emit::code(format!("RunPython({code})")), call);
    }

    fn separate(&mut self, call: &Call) {
        let before = self.state.clone();
        let database = call.argument("database_operations", 0);
        match database {
            None | Some(Value::List(_) | Value::Nothing) => {
                for operation in list(database) {
                    self.operation(operation, call.line);
                }
            }
            Some(_) => self.put_code(call),
        }
        *self.state = before;
        let seen = std::mem::replace(&mut self.database, false);
        for operation in list(call.argument("state_operations", 1)) {
            self.operation(operation, call.line);
        }
        self.database = seen;
    }
}

/// The members of a list; of anything else, nothing.
fn list(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::List(values)) => values,
        _ => &[],
    }
}

/// Sets of names: `{("a", "b")}`, `[["a", "b"]]` and `("a", "b")` alike, each in its order.
fn sets(value: Option<&Value>) -> Vec<Vec<String>> {
    let values = list(value);
    if !values.is_empty() && values.iter().all(|value| value.text().is_some()) {
        return value.and_then(Value::texts).into_iter().collect();
    }
    values.iter().filter_map(Value::texts).collect()
}

/// The texts of `RunSQL`: one, a list of them, or of pairs with their parameters.
fn sql_values(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::List(values)) => values
            .iter()
            .map(|value| match value {
                Value::List(pair) => match (pair.first(), pair.get(1)) {
                    (Some(text @ Value::Text(_)), None | Some(Value::Nothing)) => text.clone(),
                    (Some(Value::Text(text)), Some(Value::List(parameters))) => {
                        let mut text = text.clone();
                        for parameter in parameters {
                            text = text.replacen("%s", &fields::sql_of(Dialect::Postgres, parameter), 1);
                        }
                        Value::Text(text)
                    }
                    (Some(Value::Text(text)), Some(_)) => Value::Text(text.clone()),
                    _ => Value::Nothing,
                },
                other => other.clone(),
            })
            .collect(),
        Some(other) => vec![other.clone()],
        None => vec![Value::Nothing],
    }
}

use crate::sql::Dialect;

/// The line of a text within a call: that of its first words in the call's own text.
pub fn line_in(call: &Call, text: &str, from: &mut usize) -> u32 {
    let first = text.split('\n').find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let blank = text.split('\n').take_while(|line| line.trim().is_empty()).count();
    let Some(found) = call.text.get(*from..).and_then(|rest| rest.find(first)).filter(|_| !first.is_empty()) else {
        return call.line;
    };
    let at = *from + found;
    *from = at + first.len();
    let breaks = call.text.get(..at).map_or(0, |before| before.matches('\n').count());
    let lines = u32::try_from(breaks.saturating_sub(blank)).unwrap_or(0);
    call.line.saturating_add(lines)
}

/// Whether two fields of a kind that is not known have the same type: all that a database sees of
/// them is written alike.
fn same_type(old: &Call, new: &Call) -> bool {
    const SEEN: &[&str] =
        &["max_length", "max_digits", "decimal_places", "base_field", "output_field", "size", "dim", "to"];
    let seen = |call: &Call| -> Vec<Option<String>> {
        SEEN.iter()
            .map(|name| {
                call.named(name).map(|value| match value {
                    Value::Call(call) => call.text.clone(),
                    value => format!("{value:?}"),
                })
            })
            .collect()
    };
    old.word() == new.word() && seen(old) == seen(new)
}
