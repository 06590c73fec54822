//! The Schema API: `$schema->createTable(…)`, `$table->addColumn(…)`, `$column->setNotnull(…)`.

use crate::operation::{
    Checked, Column, ColumnChange, Constraint, ConstraintKind, Filled, Ident, Kind, Maybe, Name, Operation,
};
use crate::sql::Dialect;

use super::super::declared::quoted;
use super::super::php::{Call, Object, Run, Value, sql};
use super::types::Spec;
use super::up::Up;

/// What became of a call on a table.
enum Done {
    /// A step of its own.
    Push(Operation),
    /// It went into the table's making.
    Already,
    /// What it is given is not literal.
    Code,
}

impl Up {
    fn name(&self, written: &str) -> Name {
        sql::name(self.dialect, written, false)
    }

    fn ident(&self, written: &str) -> Ident {
        sql::ident(self.dialect, written, false)
    }

    fn idents(&self, written: &[String]) -> Vec<Ident> {
        written.iter().map(|written| self.ident(written)).collect()
    }

    /// A call on the schema; `None`: nothing known.
    pub(super) fn schema_call<'t>(&mut self, run: &mut Run<'t>, call: &Call<'t>) -> Option<Value<'t>> {
        let name = call.name.as_str();
        if matches!(name, "hasTable" | "hasSequence" | "hasNamespace") {
            return Some(Value::There(call.text(0, "name").map(str::to_owned)));
        }
        if name.starts_with("get") && name != "getTable" || matches!(name, "toSql" | "visit") {
            return Some(Value::Unknown);
        }
        let Some(first) = call.argument(0, "name").or_else(|| call.argument(0, "oldName")).and_then(Value::literal)
        else {
            if name != "getTable" {
                self.code(run, call);
            }
            return Some(Value::Object(Object::of("table")));
        };
        let first = first.to_owned();
        let table = self.name(&first);
        let object = |kind, name| Operation::Create { kind, name, table: None };
        let drop = |kind, name| Operation::Drop { kind, name, table: None, cascade: false };
        let operation = match name {
            "getTable" => return Some(Value::Object(Object::named("table", [first]))),
            "createTable" => {
                let columns = Maybe::Known(vec![]);
                let operation = Operation::CreateTable { table, columns, constraints: vec![], temporary: false };
                if run.certain() {
                    self.created.insert(first.clone(), self.schema.len());
                }
                self.push(run, call, operation, Some(&first));
                if !run.certain() {
                    self.created.insert(first.clone(), self.schema.len().saturating_sub(1));
                }
                return Some(Value::Object(Object::named("table", [first])));
            }
            "dropTable" => {
                self.created.remove(&first);
                Operation::DropTable { table, cascade: false }
            }
            "renameTable" => match call.text(1, "newName") {
                Some(to) => Operation::Rename { kind: None, from: table, to: self.name(to) },
                None => {
                    self.code(run, call);
                    return Some(Value::Unknown);
                }
            },
            "createSequence" => object(Kind::Sequence, table),
            "dropSequence" => drop(Kind::Sequence, table),
            "createNamespace" => object(Kind::Schema, table),
            _ => return None,
        };
        self.push(run, call, operation, Some(&first));
        Some(Value::Unknown)
    }

    /// A call on a table; `None`: nothing known.
    pub(super) fn table_call<'t>(
        &mut self,
        run: &mut Run<'t>,
        object: &Object,
        call: &Call<'t>,
    ) -> Option<Value<'t>> {
        let table = object.name(0).to_owned();
        let name = call.name.as_str();
        match name {
            _ if name.starts_with("has") => return Some(Value::There(Some(table))),
            "getColumn" => {
                let column = call.text(0, "name").unwrap_or_default();
                return Some(Value::Object(Object::named("column", [table.as_str(), column])));
            }
            "getName" if !table.is_empty() => return Some(Value::of_text(table)),
            _ if name.starts_with("get") => return Some(Value::Unknown),
            "addOption" | "setComment" | "setSchemaConfig" => return Some(Value::Object(object.clone())),
            _ => {}
        }
        if table.is_empty() {
            self.code(run, call);
            return Some(Value::Object(object.clone()));
        }
        let operation = match name {
            "addColumn" => return Some(self.add_column(run, &table, call)),
            "changeColumn" | "modifyColumn" => {
                match call.text(0, "name").map(str::to_owned) {
                    Some(column) => self.options(run, call, &table, &column, call.argument(1, "options")),
                    None => self.code(run, call),
                }
                return Some(Value::Object(object.clone()));
            }
            "dropColumn" => call.text(0, "name").map(|column| Operation::DropColumn {
                table: self.name(&table),
                column: self.ident(column),
                cascade: false,
            }),
            "renameColumn" => match (call.text(0, "oldName"), call.text(1, "newName")) {
                (Some(from), Some(to)) => Some(Operation::RenameColumn {
                    table: self.name(&table),
                    from: self.ident(from),
                    to: self.ident(to),
                }),
                _ => None,
            },
            _ => match self.keys(&table, call)? {
                Done::Push(operation) => Some(operation),
                Done::Code => None,
                Done::Already => return Some(Value::Object(object.clone())),
            },
        };
        match operation {
            Some(operation) => self.push(run, call, operation, Some(&table)),
            None => self.code(run, call),
        }
        Some(Value::Object(object.clone()))
    }

    /// Keys and indexes. `None`: no such method.
    fn keys(&mut self, table: &str, call: &Call<'_>) -> Option<Done> {
        let columns = call.texts(0, "columnNames").or_else(|| call.texts(0, "columns"));
        let columns = columns.map(|columns| self.idents(&columns));
        let named = |at| call.text(at, "indexName").or_else(|| call.text(at, "name"));
        let owner = self.name(table);
        let first = named(0).map(|written| self.ident(written));
        let second = named(1).map(|written| self.ident(written));
        let beside = |name: Ident| Name { schema: owner.schema.clone(), name };
        let dropped = |constraint: Option<Ident>, said: &str| Operation::DropConstraint {
            table: owner.clone(),
            constraint,
            said: Some(said.to_owned()),
            cascade: false,
        };
        let operation = match call.name.as_str() {
            "addIndex" => columns.map(|columns| Operation::CreateIndex {
                name: second.map(beside),
                table: owner.clone(),
                columns,
            }),
            "addUniqueIndex" | "addUniqueConstraint" => {
                let Some(columns) = columns else { return Some(Done::Code) };
                let options = call.argument(2, "options").or_else(|| call.argument(3, "options"));
                let partial = options.and_then(|options| options.get("where")).map(|only| format!("{only:?}"));
                let kind = ConstraintKind::Unique { columns, partial, nulls_equal: false };
                return Some(self.constraint(table, Constraint { name: second, kind }));
            }
            "setPrimaryKey" => {
                let Some(columns) = columns else { return Some(Done::Code) };
                let kind = ConstraintKind::PrimaryKey(columns);
                return Some(self.constraint(table, Constraint { name: None, kind }));
            }
            "addForeignKeyConstraint" | "addNamedForeignKeyConstraint" | "addUnnamedForeignKeyConstraint" => {
                let Some(constraint) = self.foreign(call) else { return Some(Done::Code) };
                return Some(self.constraint(table, constraint));
            }
            "dropIndex" => {
                first.map(|index| Operation::DropIndex { name: beside(index), table: Some(owner.clone()) })
            }
            "dropPrimaryKey" => Some(dropped(None, "primary-key")),
            "removeForeignKey" | "dropForeignKey" => first.map(|name| dropped(Some(name), "foreign-key")),
            "removeUniqueConstraint" | "dropUniqueConstraint" => first.map(|name| dropped(Some(name), "unique")),
            "renameIndex" => match (first, second) {
                (Some(from), Some(to)) => Some(Operation::RenameIndex { table: Some(owner.clone()), from, to }),
                _ => None,
            },
            _ => return None,
        };
        Some(operation.map_or(Done::Code, Done::Push))
    }

    fn foreign(&self, call: &Call<'_>) -> Option<Constraint> {
        // DBAL 2 had the name first in its named variant.
        let shift = usize::from(call.name == "addNamedForeignKeyConstraint");
        let to = match call.argument(shift, "foreignTable").or_else(|| call.argument(shift, "foreignTableName"))? {
            Value::Object(object) if object.kind == "table" && !object.name(0).is_empty() => {
                object.name(0).to_owned()
            }
            other => other.literal()?.to_owned(),
        };
        let columns = call.texts(shift + 1, "localColumnNames")?;
        let refers = call.texts(shift + 2, "foreignColumnNames")?;
        let cascades = match call.argument(shift + 3, "options") {
            None => false,
            Some(options) => ["onDelete", "onUpdate"].iter().any(|event| {
                options.get(event).and_then(Value::literal).is_some_and(|action| {
                    matches!(action.to_ascii_uppercase().as_str(), "CASCADE" | "SET NULL" | "SET DEFAULT")
                })
            }),
        };
        let name = if shift == 1 {
            call.text(0, "name")
        } else {
            call.text(4, "constraintName").or_else(|| call.text(4, "name"))
        };
        Some(Constraint {
            name: name.map(|written| self.ident(written)),
            kind: ConstraintKind::ForeignKey {
                columns: self.idents(&columns),
                table: self.name(&to),
                to: self.idents(&refers),
                cascades,
            },
        })
    }

    /// A constraint goes into the table's making, where it is made here; else it comes to one that is.
    fn constraint(&mut self, table: &str, constraint: Constraint) -> Done {
        if let Some(Operation::CreateTable { constraints, columns, .. }) = self.made(table) {
            if let (ConstraintKind::PrimaryKey(keys), Maybe::Known(columns)) = (&constraint.kind, columns) {
                for column in columns.iter_mut().filter(|column| keys.contains(&column.name)) {
                    column.not_null = Maybe::Known(true);
                }
            }
            constraints.push(constraint);
            return Done::Already;
        }
        let table = self.name(table);
        Done::Push(Operation::AddConstraint { table, constraint, checked: Checked::All })
    }

    /// The making of a table that is made here.
    fn made(&mut self, table: &str) -> Option<&mut Operation> {
        let at = *self.created.get(table)?;
        self.schema.get_mut(at).map(|step| &mut step.operation)
    }

    fn add_column<'t>(&mut self, run: &Run<'t>, table: &str, call: &Call<'t>) -> Value<'t> {
        let Some(written) = call.text(0, "name").map(str::to_owned) else {
            self.code(run, call);
            return Value::Object(Object::named("column", [table, ""]));
        };
        let mut spec = Spec { name: call.text(1, "typeName").map(str::to_owned), ..Spec::default() };
        if spec.name.is_none() {
            spec.name = call.text(1, "type").map(str::to_owned);
        }
        let options = call.argument(2, "options");
        let mut column = Column {
            name: self.ident(&written),
            ty: Maybe::Unknown,
            not_null: Maybe::Known(true),
            filled: Maybe::Known(Filled::Nothing),
            constraints: vec![],
        };
        match options {
            None => {}
            Some(Value::Array(pairs)) => {
                for (key, value) in pairs {
                    match key.literal() {
                        Some(key) => self.option(key, value, &mut spec, &mut column),
                        None => {
                            column.not_null = Maybe::Unknown;
                            column.filled = Maybe::Unknown;
                        }
                    }
                }
            }
            Some(_) => {
                column.not_null = Maybe::Unknown;
                column.filled = Maybe::Unknown;
            }
        }
        if spec.name.is_some() && column.ty == Maybe::Unknown {
            column.ty = spec.ty(self.dialect).map_or(Maybe::Unknown, Maybe::Known);
        }
        self.specs.insert((table.to_owned(), written.clone()), spec);
        if let Some(Operation::CreateTable { columns: Maybe::Known(columns), .. }) = self.made(table) {
            columns.push(column);
        } else {
            let operation = Operation::AddColumn { table: self.name(table), column };
            self.push(run, call, operation, Some(table));
        }
        Value::Object(Object::named("column", [table.to_owned(), written]))
    }

    /// One of a new column's options.
    fn option(&self, key: &str, value: &Value<'_>, spec: &mut Spec, column: &mut Column) {
        match key.to_ascii_lowercase().as_str() {
            "notnull" => column.not_null = known_truth(value),
            "default" if !matches!(column.filled, Maybe::Known(Filled::Counted { .. })) => {
                column.filled = self.default(value);
            }
            "autoincrement" => match known_truth(value) {
                Maybe::Known(true) => {
                    column.filled = Maybe::Known(Filled::Counted { always: self.dialect == Dialect::MsSql });
                }
                Maybe::Known(false) => {}
                Maybe::Unknown => column.filled = Maybe::Unknown,
            },
            "columndefinition" => {
                column.ty = Maybe::Unknown;
                column.not_null = Maybe::Unknown;
                column.filled = Maybe::Unknown;
            }
            other => {
                said_of_type(other, value, spec);
            }
        }
    }

    /// A default, as the dialect would have it.
    fn default(&self, value: &Value<'_>) -> Maybe<Filled> {
        let text = match value {
            Value::Null => return Maybe::Known(Filled::Nothing),
            Value::Truth(truth) if self.dialect == Dialect::Postgres => truth.to_string(),
            Value::Truth(truth) => u8::from(*truth).to_string(),
            Value::Number(digits) => digits.clone(),
            other => match other.literal() {
                Some(text) if text.to_ascii_uppercase().starts_with("CURRENT_") => text.to_owned(),
                Some(text) => quoted(text),
                None => return Maybe::Unknown,
            },
        };
        Maybe::Known(Filled::Default(text))
    }

    /// `changeColumn`, `modifyColumn`, `setOptions`: only what is named changes.
    fn options<'t>(
        &mut self,
        run: &Run<'t>,
        call: &Call<'t>,
        table: &str,
        column: &str,
        options: Option<&Value<'t>>,
    ) {
        let Some(Value::Array(pairs)) = options else { return self.code(run, call) };
        for (key, value) in pairs {
            match key.literal() {
                Some(key) => self.change(run, call, (table, column), key, value),
                None => self.code(run, call),
            }
        }
    }

    /// One property of a column changes.
    fn change<'t>(&mut self, run: &Run<'t>, call: &Call<'t>, of: (&str, &str), key: &str, value: &Value<'t>) {
        let (table, column) = of;
        let change = match key.to_ascii_lowercase().as_str() {
            "notnull" => match known_truth(value) {
                Maybe::Known(true) => ColumnChange::NotNull,
                Maybe::Known(false) => ColumnChange::Null,
                Maybe::Unknown => return self.code(run, call),
            },
            "default" => match self.default(value) {
                Maybe::Known(filled) => ColumnChange::Filled(filled),
                Maybe::Unknown => return self.code(run, call),
            },
            "autoincrement" => match known_truth(value) {
                Maybe::Known(true) => {
                    ColumnChange::Filled(Filled::Counted { always: self.dialect == Dialect::MsSql })
                }
                Maybe::Known(false) => ColumnChange::StopFilling,
                Maybe::Unknown => return self.code(run, call),
            },
            "comment" => ColumnChange::Neutral("comment".to_owned()),
            "platformoptions" | "customschemaoptions" | "columndefinition" => return self.code(run, call),
            lower => {
                let spec = self.specs.entry((table.to_owned(), column.to_owned())).or_default();
                if !said_of_type(lower, value, spec) {
                    return self.code(run, call);
                }
                match spec.ty(self.dialect) {
                    Some(ty) => ColumnChange::Type(ty),
                    // One of two numbers, or the sign alone: the rest is not said.
                    None => {
                        let what = format!("the {lower} of {column} changes");
                        let table_name = Some(self.name(table));
                        return self.push(run, call, Operation::Review { what, table: table_name }, Some(table));
                    }
                }
            }
        };
        self.apply(run, call, of, change);
    }

    /// Changes a column that this migration makes, or one that is there.
    fn apply<'t>(&mut self, run: &Run<'t>, call: &Call<'t>, of: (&str, &str), change: ColumnChange) {
        let (table, written) = of;
        let ident = self.ident(written);
        let owner = self.name(table);
        if let Some(column) = self.new_column(table, &owner, &ident) {
            return alter(column, change);
        }
        let certain = run.certain();
        if let Some(Operation::AlterColumn { table, column, changes }) = self
            .schema
            .last_mut()
            .filter(|step| certain && !step.guarded && !step.conditional)
            .map(|step| &mut step.operation)
            && *table == owner
            && *column == ident
        {
            changes.retain(|known| !same_kind(known, &change));
            changes.push(change);
            return;
        }
        let operation = Operation::AlterColumn { table: owner, column: ident, changes: vec![change] };
        self.push(run, call, operation, Some(table));
    }

    fn new_column(&mut self, table: &str, owner: &Name, ident: &Ident) -> Option<&mut Column> {
        let made = self.created.get(table).copied();
        self.schema.iter_mut().enumerate().rev().find_map(|(at, step)| match &mut step.operation {
            Operation::CreateTable { columns: Maybe::Known(columns), .. } if Some(at) == made => {
                columns.iter_mut().find(|column| column.name == *ident)
            }
            Operation::AddColumn { table, column } if table == owner && column.name == *ident => Some(column),
            _ => None,
        })
    }

    /// A call on a column; `None`: nothing known.
    pub(super) fn column_call<'t>(
        &mut self,
        run: &mut Run<'t>,
        object: &Object,
        call: &Call<'t>,
    ) -> Option<Value<'t>> {
        let (table, column) = (object.name(0).to_owned(), object.name(1).to_owned());
        let name = call.name.as_str();
        if name.starts_with("get") || name.starts_with("has") || name == "toArray" {
            return Some(Value::Unknown);
        }
        let same = Some(Value::Object(object.clone()));
        if table.is_empty() || column.is_empty() {
            self.code(run, call);
            return same;
        }
        if name == "setOptions" {
            self.options(run, call, &table, &column, call.argument(0, "options"));
            return same;
        }
        let key = name.strip_prefix("set")?;
        match call.arguments.first().map(|argument| argument.value.clone()) {
            Some(value) => self.change(run, call, (&table, &column), key, &value),
            None => self.code(run, call),
        }
        same
    }
}

fn known_truth(value: &Value<'_>) -> Maybe<bool> {
    match value {
        Value::Truth(truth) => Maybe::Known(*truth),
        Value::Null => Maybe::Known(false),
        Value::Number(digits) => Maybe::Known(digits != "0"),
        _ => Maybe::Unknown,
    }
}

/// Takes what an option says of a type; whether it does.
fn said_of_type(key: &str, value: &Value<'_>, spec: &mut Spec) -> bool {
    match key {
        "type" | "typename" => spec.name = value.literal().map(str::to_owned),
        "length" => spec.length = value.whole(),
        "precision" => spec.precision = value.whole(),
        "scale" => spec.scale = value.whole(),
        "fixed" => spec.fixed = matches!(value, Value::Truth(true)),
        "unsigned" => spec.unsigned = matches!(value, Value::Truth(true)),
        "comment" => {}
        "jsonb" | "platformoptions" => {
            let jsonb = key == "jsonb" || value.get("jsonb").is_some_and(|jsonb| *jsonb == Value::Truth(true));
            if jsonb && spec.name.as_deref() == Some("json") {
                spec.name = Some("jsonb".to_owned());
            }
        }
        _ => return false,
    }
    // A length, a number or a type that is given and not literal leaves the type untold.
    !(matches!(value, Value::Unknown) && matches!(key, "type" | "length" | "precision" | "scale"))
}

fn same_kind(one: &ColumnChange, other: &ColumnChange) -> bool {
    use ColumnChange::{Filled, NotNull, Null, Type};
    matches!((one, other), (Type(_), Type(_)) | (NotNull | Null, NotNull | Null) | (Filled(_), Filled(_)))
}

fn alter(column: &mut Column, change: ColumnChange) {
    match change {
        ColumnChange::Type(ty) => column.ty = Maybe::Known(ty),
        ColumnChange::NotNull => column.not_null = Maybe::Known(true),
        ColumnChange::Null => column.not_null = Maybe::Known(false),
        ColumnChange::Filled(filled) => column.filled = Maybe::Known(filled),
        ColumnChange::StopFilling => column.filled = Maybe::Known(Filled::Nothing),
        _ => {}
    }
}
