//! `Schema::create`, `Schema::table` and what is called on the blueprint, its columns and keys.

use crate::operation::{
    Checked, Column, ColumnChange, Constraint, ConstraintKind, Filled, Ident, Maybe, Name, Operation, Type,
};
use crate::sql::Dialect;

use super::super::declared::{self, quoted};
use super::super::php::{Call, Object, Run, Value, sql};
use super::names;
use super::types;
use super::up::{Blueprint, Described, Spot, Up};

impl Up {
    fn name(&self, written: &str) -> Name {
        sql::name(self.dialect, written, true)
    }

    fn ident(&self, written: &str) -> Ident {
        sql::ident(self.dialect, written, true)
    }

    fn idents(&self, written: &[String]) -> Vec<Ident> {
        written.iter().map(|written| self.ident(written)).collect()
    }

    /// A call on `Schema`, or on a connection's.
    pub(super) fn schema_call<'t>(&mut self, run: &mut Run<'t>, call: &Call<'t>) -> Value<'t> {
        let name = call.name.as_str();
        let table = call.text(0, "table").or_else(|| call.text(0, "from")).map(str::to_owned);
        if name.starts_with("has") {
            return Value::There(table);
        }
        if name.starts_with("get") && name != "getConnection" {
            return Value::Unknown;
        }
        match name {
            "connection" | "setConnection" => return Value::Object(Object::of("schema")),
            "getConnection" => return Value::Object(Object::of("database")),
            "disableForeignKeyConstraints"
            | "enableForeignKeyConstraints"
            | "defaultStringLength"
            | "defaultTimePrecision"
            | "morphUsingUuids"
            | "morphUsingUlids"
            | "ensureVectorExtensionExists"
            | "useNativeSchemaOperationsIfPossible"
            | "blueprintResolver" => return Value::Null,
            "withoutForeignKeyConstraints" => return self.body(run, call, 0, &[]),
            "dropAllTables" | "dropAllViews" | "createDatabase" | "dropDatabaseIfExists" => {
                self.code(run, call);
                return Value::Null;
            }
            _ => {}
        }
        let Some(table) = table else {
            self.code(run, call);
            return Value::Null;
        };
        self.on_table(run, call, &table)
    }

    /// A call on `Schema` that names a table.
    fn on_table<'t>(&mut self, run: &mut Run<'t>, call: &Call<'t>, table: &str) -> Value<'t> {
        let name = call.name.as_str();
        let table = table.to_owned();
        let operation = match name {
            "create" => {
                let columns = Maybe::Known(vec![]);
                let made = Operation::CreateTable {
                    table: self.name(&table),
                    columns,
                    constraints: vec![],
                    temporary: false,
                };
                let made = self.push(run, call, made, Some(&table));
                return self.blueprint(run, call, &table, Some(made), 1);
            }
            "table" => return self.blueprint(run, call, &table, None, 1),
            "whenTableHasColumn" | "whenTableDoesntHaveColumn" => {
                let depth = run.depth();
                run.depend(Some(table.clone()));
                let value = self.blueprint(run, call, &table, None, 2);
                run.leave(depth);
                return value;
            }
            "drop" | "dropIfExists" => Operation::DropTable { table: self.name(&table), cascade: false },
            "rename" => match call.text(1, "to") {
                Some(to) => Operation::Rename { kind: None, from: self.name(&table), to: self.name(to) },
                None => {
                    self.code(run, call);
                    return Value::Null;
                }
            },
            "dropColumns" => {
                match call.texts(1, "columns") {
                    Some(columns) => self.drop_columns(run, call, &table, &columns),
                    None => self.code(run, call),
                }
                return Value::Null;
            }
            _ => {
                self.code(run, call);
                return Value::Null;
            }
        };
        let at = self.push(run, call, operation, Some(&table));
        if let Some(step) = self.steps.get_mut(at).filter(|_| name == "dropIfExists") {
            step.guarded = true;
        }
        Value::Null
    }

    /// Follows the function at a place of a call's arguments.
    fn body<'t>(&mut self, run: &mut Run<'t>, call: &Call<'t>, at: usize, given: &[Value<'t>]) -> Value<'t> {
        match call.arguments.get(at).map(|argument| argument.value.clone()) {
            Some(Value::Closure(closure, program)) => {
                run.closure(self, closure, program, given);
            }
            _ => self.code(run, call),
        }
        Value::Null
    }

    fn blueprint<'t>(
        &mut self,
        run: &mut Run<'t>,
        call: &Call<'t>,
        table: &str,
        made: Option<usize>,
        at: usize,
    ) -> Value<'t> {
        self.blueprints.push(Blueprint { made, depth: run.depth() });
        let object = Object { kind: "blueprint", names: vec![table.to_owned()], at: self.blueprints.len() - 1 };
        self.body(run, call, at, &[Value::Object(object)])
    }

    fn drop_columns<'t>(&mut self, run: &Run<'t>, call: &Call<'t>, table: &str, columns: &[String]) {
        for column in columns {
            let (name, column) = (self.name(table), self.ident(column));
            let operation = Operation::DropColumn { table: name, column, cascade: false };
            self.push(run, call, operation, Some(table));
        }
    }

    /// The making of the table, where what is called now is part of it.
    fn making<'t>(&mut self, run: &Run<'t>, blueprint: usize) -> Option<usize> {
        let blueprint = self.blueprints.get(blueprint)?;
        blueprint.made.filter(|_| blueprint.depth == run.depth())
    }

    /// A call on a blueprint.
    pub(super) fn blueprint_call<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Value<'t> {
        let table = object.name(0).to_owned();
        let name = call.name.as_str();
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("drop") {
            self.dropped(run, object, call, &table);
            return Value::Null;
        }
        match name {
            "timestamps" | "nullableTimestamps" | "timestampsTz" | "datetimes" | "nullableTimestampsTz" => {
                for column in ["created_at", "updated_at"] {
                    self.simple(run, object, call, column, "timestamp", true);
                }
                return Value::Null;
            }
            "softDeletes" | "softDeletesTz" | "softDeletesDatetime" => {
                let column = call.text(0, "column").unwrap_or("deleted_at").to_owned();
                return self.simple(run, object, call, &column, "timestamp", true);
            }
            "rememberToken" => return self.simple(run, object, call, "remember_token", "varchar(100)", true),
            _ if lower.ends_with("morphs") => {
                self.morphs(run, object, call, &lower);
                return Value::Null;
            }
            "primary" | "unique" | "index" | "fullText" | "spatialIndex" | "rawIndex" | "foreign" => {
                return self.key(run, object, call);
            }
            "renameColumn" => match (call.text(0, "from"), call.text(1, "to")) {
                (Some(from), Some(to)) => {
                    let operation = Operation::RenameColumn {
                        table: self.name(&table),
                        from: self.ident(from),
                        to: self.ident(to),
                    };
                    self.push(run, call, operation, Some(&table));
                }
                _ => self.code(run, call),
            },
            "rename" => match call.text(0, "to") {
                Some(to) => {
                    let operation = Operation::Rename { kind: None, from: self.name(&table), to: self.name(to) };
                    self.push(run, call, operation, Some(&table));
                }
                None => self.code(run, call),
            },
            "renameIndex" => match (call.text(0, "from"), call.text(1, "to")) {
                (Some(from), Some(to)) => {
                    let (from, to) = (self.ident(from), self.ident(to));
                    let operation = Operation::RenameIndex { table: Some(self.name(&table)), from, to };
                    self.push(run, call, operation, Some(&table));
                }
                _ => self.code(run, call),
            },
            "engine" | "charset" | "collation" | "comment" | "innoDb" | "getTable" | "getColumns" | "getPrefix" => {
            }
            // `$table->after('title', function (Blueprint $table) { … })`
            "after" if call.arguments.len() > 1 => {
                return self.body(run, call, 1, &[Value::Object(object.clone())]);
            }
            "after" => {}
            "temporary" => {
                if let Some(Operation::CreateTable { temporary, .. }) = self.operation_of(object.at) {
                    *temporary = true;
                }
            }
            "create" => {}
            _ => return self.column(run, object, call),
        }
        Value::Null
    }

    fn operation_of(&mut self, blueprint: usize) -> Option<&mut Operation> {
        let made = self.blueprints.get(blueprint)?.made?;
        self.steps.get_mut(made).map(|step| &mut step.operation)
    }

    /// A column, by whatever method.
    fn column<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Value<'t> {
        let method = call.name.as_str();
        if method == "foreignIdFor" {
            let Some(model) = call.text(0, "model").map(str::to_owned) else {
                self.code(run, call);
                return Value::Unknown;
            };
            let column =
                call.text(1, "column").map_or_else(|| format!("{}_id", names::snake(&model)), str::to_owned);
            let value = self.add(run, object, call, &column, Maybe::Unknown);
            return match value {
                Value::Object(mut column) => {
                    column.names.push(names::plural(&names::snake(&model)));
                    Value::Object(column)
                }
                other => other,
            };
        }
        let (typed, name_at) = match method {
            "addColumn" => (call.text(0, "type").unwrap_or_default().to_owned(), 1),
            other => (other.to_owned(), 0),
        };
        let Some(made) = types::made(self.dialect, call, &typed) else {
            // A macro of the project's, or a method that is not known.
            self.code(run, call);
            return Value::Unknown;
        };
        let column = match call.argument(name_at, if method == "addColumn" { "name" } else { "column" }) {
            Some(value) => value.literal().map(str::to_owned),
            None if typed == "id" => Some("id".to_owned()),
            None if typed == "uuid" => Some("uuid".to_owned()),
            None if typed == "ulid" => Some("ulid".to_owned()),
            None if typed == "ipAddress" => Some("ip_address".to_owned()),
            None if typed == "macAddress" => Some("mac_address".to_owned()),
            None => None,
        };
        let Some(column) = column else {
            self.code(run, call);
            return Value::Unknown;
        };
        let value = self.add(run, object, call, &column, made.ty);
        let Value::Object(described) = &value else { return value };
        if made.counted {
            self.edit(described.at, |column| {
                column.filled = Maybe::Known(Filled::Counted { always: false });
            });
            let columns = [column.clone()];
            self.keyed(run, object, call, "primary", &columns, None);
        }
        if !made.checked.is_empty() {
            let values: Vec<_> = made.checked.iter().map(|value| quoted(value)).collect();
            let expression = format!("{column} in ({})", values.join(", "));
            let kind = ConstraintKind::Check { expression, not_null: vec![] };
            self.edit(described.at, |column| column.constraints.push(Constraint { name: None, kind }));
        }
        value
    }

    fn simple<'t>(
        &mut self,
        run: &mut Run<'t>,
        object: &Object,
        call: &Call<'t>,
        column: &str,
        ty: &str,
        null: bool,
    ) -> Value<'t> {
        let text = match (ty, self.dialect) {
            ("timestamp", Dialect::Postgres) if call.name.ends_with("Tz") => "timestamp(0) with time zone",
            ("timestamp", Dialect::Postgres) => "timestamp(0) without time zone",
            ("timestamp", Dialect::MySql) if call.name.to_ascii_lowercase().contains("datetime") => "datetime",
            ("timestamp", Dialect::Sqlite | Dialect::MsSql) => "datetime",
            (other, _) => other,
        };
        let ty = declared::ty(self.dialect, text);
        let value = self.add(run, object, call, column, Maybe::Known(ty));
        if let Value::Object(described) = &value {
            self.nullable(described.at, null);
        }
        value
    }

    fn morphs<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>, lower: &str) {
        let Some(name) = call.text(0, "name").map(str::to_owned) else { return self.code(run, call) };
        let id: Type = match (lower, self.dialect) {
            (kind, Dialect::Postgres) if kind.contains("uuid") => declared::ty(self.dialect, "uuid"),
            (kind, _) if kind.contains("uuid") => declared::ty(self.dialect, "char(36)"),
            (kind, _) if kind.contains("ulid") => declared::ty(self.dialect, "char(26)"),
            (_, Dialect::MySql) => declared::ty(self.dialect, "bigint unsigned"),
            _ => declared::ty(self.dialect, "bigint"),
        };
        let columns = [format!("{name}_type"), format!("{name}_id")];
        let text = declared::ty(self.dialect, "varchar(255)");
        for (column, ty) in columns.iter().zip([text, id]) {
            if let Value::Object(described) = self.add(run, object, call, column, Maybe::Known(ty)) {
                self.nullable(described.at, lower.starts_with("nullable"));
            }
        }
        let named = call.text(1, "indexName").map(str::to_owned);
        self.keyed(run, object, call, "index", &columns, named.as_deref());
    }

    /// A column comes to the table, NOT NULL until something else is said.
    fn add<'t>(
        &mut self,
        run: &mut Run<'t>,
        object: &Object,
        call: &Call<'t>,
        name: &str,
        ty: Maybe<Type>,
    ) -> Value<'t> {
        let table = object.name(0).to_owned();
        let column = Column {
            name: self.ident(name),
            ty,
            not_null: Maybe::Known(true),
            filled: Maybe::Known(Filled::Nothing),
            constraints: vec![],
        };
        let spot = match self.making(run, object.at) {
            Some(made) => match self.steps.get_mut(made).map(|step| &mut step.operation) {
                Some(Operation::CreateTable { columns: Maybe::Known(columns), .. }) => {
                    columns.push(column);
                    Spot { step: made, within: Some(columns.len() - 1) }
                }
                _ => return Value::Unknown,
            },
            None => {
                let operation = Operation::AddColumn { table: self.name(&table), column };
                Spot { step: self.push(run, call, operation, Some(&table)), within: None }
            }
        };
        self.columns.push(Described { blueprint: object.at, spot, nullable: None, foreign: None });
        let at = self.columns.len() - 1;
        Value::Object(Object { kind: "column", names: vec![table, name.to_owned()], at })
    }

    /// Changes a column that is being described.
    fn edit(&mut self, at: usize, change: impl FnOnce(&mut Column)) {
        let Some(spot) = self.columns.get(at).map(|column| column.spot) else { return };
        let column = match (self.steps.get_mut(spot.step).map(|step| &mut step.operation), spot.within) {
            (Some(Operation::CreateTable { columns: Maybe::Known(columns), .. }), Some(at)) => columns.get_mut(at),
            (Some(Operation::AddColumn { column, .. }), _) => Some(column),
            (Some(Operation::AlterColumn { changes, .. }), _) => {
                changes.iter_mut().find_map(|change| match change {
                    ColumnChange::Restated(column) => Some(column),
                    _ => None,
                })
            }
            _ => None,
        };
        if let Some(column) = column {
            change(column);
        }
    }

    fn nullable(&mut self, at: usize, null: bool) {
        if let Some(column) = self.columns.get_mut(at) {
            column.nullable = Some(null);
        }
        self.edit(at, |column| column.not_null = Maybe::Known(!null));
    }

    /// A call on a column that is being described.
    pub(super) fn column_call<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Value<'t> {
        let at = object.at;
        let same = Value::Object(object.clone());
        let first = call.arguments.first().map(|argument| argument.value.clone());
        match call.name.as_str() {
            "nullable" => match first {
                None | Some(Value::Truth(true)) => self.nullable(at, true),
                Some(Value::Truth(false)) => self.nullable(at, false),
                Some(_) => self.edit(at, |column| column.not_null = Maybe::Unknown),
            },
            "default" => {
                let filled = self.default(first.as_ref());
                self.edit(at, |column| column.filled = filled);
            }
            "useCurrent" => {
                let filled = Maybe::Known(Filled::Default("CURRENT_TIMESTAMP".to_owned()));
                self.edit(at, |column| column.filled = filled);
            }
            "unsigned" if self.dialect == Dialect::MySql => self.edit(at, |column| {
                if let Maybe::Known(ty) = &mut column.ty {
                    ty.unsigned = true;
                }
            }),
            "autoIncrement" | "generatedAs" => {
                self.edit(at, |column| column.filled = Maybe::Known(Filled::Counted { always: false }));
            }
            "always" => self.edit(at, |column| column.filled = Maybe::Known(Filled::Counted { always: true })),
            "storedAs" | "virtualAs" | "storedAsJson" | "virtualAsJson" => {
                let expression = first.as_ref().and_then(Value::literal).unwrap_or_default().to_owned();
                self.edit(at, |column| column.filled = Maybe::Known(Filled::Computed(expression)));
            }
            "primary" | "unique" | "index" | "fulltext" | "fullText" | "spatialIndex" => {
                if first == Some(Value::Truth(false)) {
                    return same;
                }
                let named = first.as_ref().and_then(Value::literal).map(str::to_owned);
                let blueprint = self.blueprint_of(object);
                let columns = [object.name(1).to_owned()];
                self.keyed(run, &blueprint, call, &call.name, &columns, named.as_deref());
            }
            "change" => self.changed(at),
            "constrained" => return self.constrained(run, object, call),
            "references" => {
                let blueprint = self.blueprint_of(object);
                let columns = [object.name(1).to_owned()];
                let value = self.foreign(run, &blueprint, call, &columns, None);
                if let Value::Object(foreign) = &value {
                    self.foreign_call(run, &foreign.clone(), call);
                }
                return value;
            }
            // A column takes any word (Fluent): what Laravel does not know does nothing.
            _ => {}
        }
        same
    }

    fn blueprint_of(&self, column: &Object) -> Object {
        let at = self.columns.get(column.at).map_or(usize::MAX, |column| column.blueprint);
        Object { kind: "blueprint", names: vec![column.name(0).to_owned()], at }
    }

    fn default(&self, value: Option<&Value<'_>>) -> Maybe<Filled> {
        let text = match value {
            Some(Value::Null) => return Maybe::Known(Filled::Nothing),
            Some(Value::Truth(truth)) if self.dialect == Dialect::Postgres => truth.to_string(),
            Some(Value::Truth(truth)) => u8::from(*truth).to_string(),
            Some(Value::Number(digits)) => digits.clone(),
            Some(Value::Object(object)) if object.kind == "expression" => object.name(0).to_owned(),
            Some(other) => match other.literal() {
                Some(text) => quoted(text),
                None => return Maybe::Unknown,
            },
            None => return Maybe::Unknown,
        };
        Maybe::Known(Filled::Default(text))
    }

    /// `change()`: the column is there already.
    fn changed(&mut self, at: usize) {
        let Some((spot, nullable)) = self.columns.get(at).map(|column| (column.spot, column.nullable)) else {
            return;
        };
        let restates = self.restates;
        let Some(step) = self.steps.get_mut(spot.step) else { return };
        if let Operation::AddColumn { table, column } = &step.operation {
            let changes = if restates {
                vec![ColumnChange::Restated(column.clone())]
            } else {
                let ty = match &column.ty {
                    Maybe::Known(ty) => vec![ColumnChange::Type(ty.clone())],
                    Maybe::Unknown => vec![],
                };
                let null = nullable.map(|null| if null { ColumnChange::Null } else { ColumnChange::NotNull });
                let filled = match &column.filled {
                    Maybe::Known(Filled::Nothing) | Maybe::Unknown => None,
                    Maybe::Known(filled) => Some(ColumnChange::Filled(filled.clone())),
                };
                ty.into_iter().chain(null).chain(filled).collect()
            };
            step.operation = Operation::AlterColumn { table: table.clone(), column: column.name.clone(), changes };
        }
    }

    /// `constrained()`: a key to the table that the column's name says.
    fn constrained<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Value<'t> {
        let column = object.name(1).to_owned();
        let table = match call.argument(0, "table") {
            None | Some(Value::Null) => match object.name(2) {
                "" => names::pointed(&column),
                model => model.to_owned(),
            },
            Some(value) => match value.literal() {
                Some(table) => table.to_owned(),
                None => {
                    self.code(run, call);
                    return Value::Object(object.clone());
                }
            },
        };
        let to = call.text(1, "column").unwrap_or("id").to_owned();
        let blueprint = self.blueprint_of(object);
        let named = call.text(2, "indexName").map(str::to_owned);
        let value = self.foreign(run, &blueprint, call, &[column], named.as_deref());
        if let Value::Object(foreign) = &value {
            let (table, to) = (self.name(&table), vec![self.ident(&to)]);
            self.edit_foreign(foreign.at, |key| {
                if let ConstraintKind::ForeignKey { table: known, to: refers, .. } = key {
                    *known = table;
                    *refers = to;
                }
            });
        }
        value
    }

    /// A key or an index of the blueprint's own.
    fn key<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Value<'t> {
        let Some(columns) = call.texts(0, "columns") else {
            if call.name == "rawIndex" {
                return Value::Null;
            }
            self.code(run, call);
            return Value::Null;
        };
        let named = call.text(1, "name").or_else(|| call.text(1, "indexName")).map(str::to_owned);
        if call.name == "foreign" {
            return self.foreign(run, object, call, &columns, named.as_deref());
        }
        self.keyed(run, object, call, &call.name, &columns, named.as_deref());
        Value::Object(Object::of("expression"))
    }

    fn keyed<'t>(
        &mut self,
        run: &mut Run<'t>,
        object: &Object,
        call: &Call<'t>,
        kind: &str,
        columns: &[String],
        named: Option<&str>,
    ) {
        let table = object.name(0).to_owned();
        let word = kind.to_lowercase();
        let written = named.map_or_else(|| names::index(&table, columns, &word), str::to_owned);
        let name = self.ident(&written);
        let idents = self.idents(columns);
        let promise = match kind {
            "primary" => ConstraintKind::PrimaryKey(idents),
            "unique" => ConstraintKind::Unique {
                columns: idents,
                partial: None,
                nulls_equal: self.dialect == Dialect::MsSql,
            },
            _ => {
                let owner = self.name(&table);
                let name = Name { schema: owner.schema.clone(), name };
                let operation = Operation::CreateIndex { name: Some(name), table: owner, columns: idents };
                self.push(run, call, operation, Some(&table));
                return;
            }
        };
        let name = (kind != "primary" || named.is_some()).then_some(name);
        self.promise(run, object, call, Constraint { name, kind: promise });
    }

    /// A constraint: part of the table's making, or a step of its own.
    fn promise<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>, constraint: Constraint) -> Spot {
        if let Some(made) = self.making(run, object.at)
            && let Some(Operation::CreateTable { constraints, .. }) =
                self.steps.get_mut(made).map(|step| &mut step.operation)
        {
            constraints.push(constraint);
            return Spot { step: made, within: Some(constraints.len() - 1) };
        }
        let table = self.name(object.name(0));
        let operation = Operation::AddConstraint { table, constraint, checked: Checked::All };
        Spot { step: self.push(run, call, operation, Some(object.name(0))), within: None }
    }

    fn foreign<'t>(
        &mut self,
        run: &mut Run<'t>,
        object: &Object,
        call: &Call<'t>,
        columns: &[String],
        named: Option<&str>,
    ) -> Value<'t> {
        let table = object.name(0).to_owned();
        let written = named.map_or_else(|| names::index(&table, columns, "foreign"), str::to_owned);
        let kind = ConstraintKind::ForeignKey {
            columns: self.idents(columns),
            table: self.name("?"),
            to: vec![],
            cascades: false,
        };
        let constraint = Constraint { name: Some(self.ident(&written)), kind };
        let spot = self.promise(run, object, call, constraint);
        self.columns.push(Described { blueprint: object.at, spot, nullable: None, foreign: Some(spot) });
        Value::Object(Object { kind: "foreign", names: vec![table], at: self.columns.len() - 1 })
    }

    fn edit_foreign(&mut self, at: usize, change: impl FnOnce(&mut ConstraintKind)) {
        let Some(spot) = self.columns.get(at).and_then(|key| key.foreign) else { return };
        let kind = match (self.steps.get_mut(spot.step).map(|step| &mut step.operation), spot.within) {
            (Some(Operation::CreateTable { constraints, .. }), Some(at)) => {
                constraints.get_mut(at).map(|constraint| &mut constraint.kind)
            }
            (Some(Operation::AddConstraint { constraint, .. }), _) => Some(&mut constraint.kind),
            _ => None,
        };
        if let Some(kind) = kind {
            change(kind);
        }
    }

    /// A call on a foreign key that is being described.
    pub(super) fn foreign_call<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Value<'t> {
        let same = Value::Object(object.clone());
        let first = call.text(0, "columns").map(str::to_owned);
        let cascading =
            |action: &str| matches!(action.to_ascii_uppercase().as_str(), "CASCADE" | "SET NULL" | "SET DEFAULT");
        match call.name.as_str() {
            "references" => {
                let to = self.idents(&call.texts(0, "columns").unwrap_or_default());
                self.edit_foreign(object.at, |key| {
                    if let ConstraintKind::ForeignKey { to: known, .. } = key {
                        *known = to;
                    }
                });
            }
            "on" => match call.text(0, "table") {
                Some(table) => {
                    let table = self.name(table);
                    self.edit_foreign(object.at, |key| {
                        if let ConstraintKind::ForeignKey { table: known, .. } = key {
                            *known = table;
                        }
                    });
                }
                None => self.code(run, call),
            },
            "cascadeOnDelete" | "nullOnDelete" | "cascadeOnUpdate" | "nullOnUpdate" => self.cascades(object.at),
            "onDelete" | "onUpdate" if first.as_deref().is_some_and(cascading) => self.cascades(object.at),
            _ => {}
        }
        same
    }

    fn cascades(&mut self, at: usize) {
        self.edit_foreign(at, |key| {
            if let ConstraintKind::ForeignKey { cascades, .. } = key {
                *cascades = true;
            }
        });
    }

    /// `drop…` on a blueprint.
    fn dropped<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>, table: &str) {
        let owner = self.name(table);
        let given: Option<Vec<String>> = match call.arguments.len() {
            0 => None,
            1 => call.texts(0, "columns").or_else(|| call.texts(0, "index")),
            _ => call.values().map(|value| value.literal().map(str::to_owned)).collect(),
        };
        let is_array = matches!(call.arguments.first().map(|argument| &argument.value), Some(Value::Array(_)));
        let columns: Vec<&str> = match call.name.as_str() {
            "dropColumn" | "removeColumn" => {
                return match given {
                    Some(columns) => self.drop_columns(run, call, table, &columns),
                    None => self.code(run, call),
                };
            }
            "dropTimestamps" | "dropTimestampsTz" | "dropDatetimes" => vec!["created_at", "updated_at"],
            "dropRememberToken" => vec!["remember_token"],
            "dropSoftDeletes" | "dropSoftDeletesTz" | "dropSoftDeletesDatetime" => {
                let column = call.text(0, "column").unwrap_or("deleted_at").to_owned();
                return self.drop_columns(run, call, table, &[column]);
            }
            "dropMorphs" => {
                let Some(name) = call.text(0, "name").map(str::to_owned) else { return self.code(run, call) };
                return self.drop_columns(run, call, table, &[format!("{name}_type"), format!("{name}_id")]);
            }
            "drop" | "dropIfExists" => {
                self.push(run, call, Operation::DropTable { table: owner, cascade: false }, Some(table));
                return;
            }
            _ => return self.dropped_key(run, object, call, given, is_array),
        };
        let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
        self.drop_columns(run, call, table, &columns);
    }

    fn dropped_key<'t>(
        &mut self,
        run: &mut Run<'t>,
        object: &Object,
        call: &Call<'t>,
        given: Option<Vec<String>>,
        is_array: bool,
    ) {
        let table = object.name(0).to_owned();
        let owner = self.name(&table);
        let (said, word) = match call.name.as_str() {
            "dropPrimary" => ("primary-key", "primary"),
            "dropUnique" => ("unique", "unique"),
            "dropForeign" | "dropConstrainedForeignId" => ("foreign-key", "foreign"),
            "dropForeignIdFor" | "dropConstrainedForeignIdFor" => ("foreign-key", "foreign"),
            "dropIndex" => ("", "index"),
            "dropFullText" => ("", "fulltext"),
            "dropSpatialIndex" => ("", "spatialindex"),
            _ => return self.code(run, call),
        };
        let of_model = call.name.ends_with("IdFor");
        let by_columns = is_array || call.name == "dropConstrainedForeignId" || of_model;
        let given = match given {
            Some(_) if of_model => {
                let model = call.text(0, "model").unwrap_or_default();
                let column =
                    call.text(1, "column").map_or_else(|| format!("{}_id", names::snake(model)), str::to_owned);
                vec![column]
            }
            Some(given) => given,
            None if said == "primary-key" => vec![],
            None => return self.code(run, call),
        };
        let written = if by_columns {
            names::index(&table, &given, word)
        } else {
            given.first().cloned().unwrap_or_default()
        };
        let name = self.ident(&written);
        let operation = match said {
            "" => Operation::DropIndex { name: Name { schema: owner.schema.clone(), name }, table: Some(owner) },
            "primary-key" => Operation::DropConstraint {
                table: owner,
                constraint: None,
                said: Some(said.to_owned()),
                cascade: false,
            },
            _ => Operation::DropConstraint {
                table: owner,
                constraint: Some(name),
                said: Some(said.to_owned()),
                cascade: false,
            },
        };
        self.push(run, call, operation, Some(&table));
        if call.name.contains("Constrained") {
            self.drop_columns(run, call, &table, &given);
        }
    }
}
