//! What `op.…` and `batch_op.…` do.
//!
//! After alembic/operations/ops.py and alembic/ddl/mysql.py. Not here: the walk.

use tree_sitter::Node;

use super::super::emit;
use super::super::syntax::{Call, Value, find_all, line_of};
use super::columns::{check, column, constraint, count, enum_type, filled, idents, kind, sql_text, table_name};
use super::reader::{Reader, Scope};
use crate::operation::{
    Checked, Column, ColumnChange, Constraint, ConstraintKind, Data, Filled, Ident, Kind, Maybe, Name, Operation,
    TypeBody, Unread,
};
use crate::sql::Dialect;

/// Calls that change nothing.
const NEUTRAL: &[&str] = &[
    "create_table_comment",
    "drop_table_comment",
    "commit",
    "flush",
    "close",
    "begin",
    "rollback",
    "get_context",
    "autocommit_block",
    "begin_transaction",
];

impl<'p> Reader<'p> {
    /// A call that is an operation. Whether it is one.
    pub fn operation(&mut self, call: &Call, node: Node<'p>, scope: &Scope) -> bool {
        let (owner, word) = call.path.rsplit_once('.').unwrap_or(("", &call.path));
        let guard = |scope: &Scope| {
            let is = |option: &str| call.named(option).and_then(Value::truth) == Some(true);
            Scope { guarded: scope.guarded || is("if_exists") || is("if_not_exists"), ..scope.clone() }
        };
        if let Some(batch) = scope.batch.get(owner).cloned() {
            let Some(table) = batch.argument("table_name", 0).and_then(Value::text) else {
                self.put_code(node, scope);
                return true;
            };
            let table = table_name(self.dialect, table, batch.argument("schema", 1));
            self.on_table(word, call, &table, 0, node, &guard(scope));
            return true;
        }
        if matches!(owner, "op" | "alembic.op") {
            self.on_op(word, call, node, &guard(scope));
            return true;
        }
        if word == "execute" || (word == "exec_driver_sql" && !owner.is_empty()) {
            self.execute(call, node, scope);
            return true;
        }
        if matches!(owner, "session" | "db_session" | "db.session") {
            let data = match word {
                "add" | "add_all" | "bulk_save_objects" | "bulk_insert_mappings" => Some(Data::Insert),
                "merge" | "bulk_update_mappings" => Some(Data::Update),
                "delete" => Some(Data::Delete),
                _ => None,
            };
            if let (Some(data), false) = (data, call.places.iter().any(|place| matches!(place, Value::Call(_)))) {
                self.put(Operation::Data { data, table: None, every_row: false }, node, scope);
                return true;
            }
        }
        if matches!(word, "create" | "drop") && self.enum_call(owner, word, call, node, scope) {
            return true;
        }
        NEUTRAL.contains(&word) && !owner.is_empty()
    }

    fn on_op(&mut self, word: &str, call: &Call, node: Node<'p>, scope: &Scope) {
        match word {
            "execute" => self.execute(call, node, scope),
            "create_table" => self.create_table(call, node, scope),
            "drop_table" => match call.argument("table_name", 0).and_then(Value::text) {
                Some(table) => {
                    let table = table_name(self.dialect, table, call.named("schema"));
                    self.put(Operation::DropTable { table, cascade: false }, node, scope);
                }
                None => self.put_code(node, scope),
            },
            "rename_table" => {
                let part = |name, place| call.argument(name, place).and_then(Value::text);
                match (part("old_table_name", 0), part("new_table_name", 1)) {
                    (Some(from), Some(to)) => {
                        let schema = call.argument("schema", 2);
                        let (from, to) =
                            (table_name(self.dialect, from, schema), table_name(self.dialect, to, schema));
                        self.put(Operation::Rename { kind: None, from, to }, node, scope);
                    }
                    _ => self.put_code(node, scope),
                }
            }
            "bulk_insert" => {
                let table = call.argument("table", 0).and_then(|table| self.table_value(table));
                self.put(Operation::Data { data: Data::Insert, table, every_row: false }, node, scope);
            }
            word if NEUTRAL.contains(&word) => {}
            "get_bind" | "f" | "inline_literal" => {}
            "drop_index" => {
                let table = call.argument("table_name", 1).and_then(Value::text);
                let schema = call.named("schema");
                let table = table.map(|table| table_name(self.dialect, table, schema));
                self.drop_index(call, table, node, scope);
            }
            _ => {
                let place = if matches!(
                    word,
                    "create_index"
                        | "create_foreign_key"
                        | "create_unique_constraint"
                        | "create_check_constraint"
                        | "create_primary_key"
                        | "drop_constraint"
                        | "create_exclude_constraint"
                ) {
                    1
                } else {
                    0
                };
                let option = if word == "create_foreign_key" { "source_table" } else { "table_name" };
                match call.argument(option, place).and_then(Value::text) {
                    Some(table) => {
                        let schema = call.named("schema").or_else(|| call.named("source_schema"));
                        let table = table_name(self.dialect, table, schema);
                        self.on_table(word, call, &table, 1, node, scope);
                    }
                    None => self.put_code(node, scope),
                }
            }
        }
    }

    /// An operation on a table; `skip` is 1 where the table is among what is handed over by place.
    fn on_table(&mut self, word: &str, call: &Call, table: &Name, skip: usize, node: Node<'p>, scope: &Scope) {
        let text = |name: &str, place: usize| call.argument(name, place).and_then(Value::text);
        let name = text("constraint_name", 0).or_else(|| call.named("name").and_then(Value::text));
        let name = name.map(|name| emit::ident(self.dialect, name));
        let valid = call.named("postgresql_not_valid").and_then(Value::truth) == Some(true);
        let checked = if valid { Checked::NewRows } else { Checked::All };
        let kind = match word {
            "add_column" => return self.add_column(call.argument("column", skip), table, node, scope),
            "drop_column" => {
                return match text("column_name", skip) {
                    Some(column) => {
                        let column = emit::ident(self.dialect, column);
                        self.put(
                            Operation::DropColumn { table: table.clone(), column, cascade: false },
                            node,
                            scope,
                        );
                    }
                    None => self.put_code(node, scope),
                };
            }
            "alter_column" => return self.alter_column(call, table, skip, node, scope),
            "create_index" => return self.create_index(call, table, skip, node, scope),
            "drop_index" => return self.drop_index(call, Some(table.clone()), node, scope),
            "drop_constraint" => return self.drop_constraint(call, table, skip, node, scope),
            "create_table_comment" | "drop_table_comment" | "f" => return,
            "create_foreign_key" => self.foreign_key(call, skip),
            "create_unique_constraint" => idents(self.dialect, call.argument("columns", 1 + skip)).map(|columns| {
                ConstraintKind::Unique { columns, partial: None, nulls_equal: self.dialect == Dialect::MsSql }
            }),
            "create_check_constraint" => {
                call.argument("condition", 1 + skip).map(|value| check(self.dialect, value))
            }
            "create_primary_key" => {
                idents(self.dialect, call.argument("columns", 1 + skip)).map(ConstraintKind::PrimaryKey)
            }
            "create_exclude_constraint" => Some(ConstraintKind::Exclude),
            _ => None,
        };
        match kind {
            Some(kind) => {
                let constraint = Constraint { name, kind };
                self.put(Operation::AddConstraint { table: table.clone(), constraint, checked }, node, scope);
            }
            None => self.put_code(node, scope),
        }
    }

    fn foreign_key(&self, call: &Call, skip: usize) -> Option<ConstraintKind> {
        let to = call.argument("referent_table", 1 + skip)?.text()?;
        let what = |option: &str| call.named(option).and_then(Value::text).unwrap_or_default().to_uppercase();
        let rows = |what: String| matches!(what.as_str(), "CASCADE" | "SET NULL" | "SET DEFAULT");
        Some(ConstraintKind::ForeignKey {
            columns: idents(self.dialect, call.argument("local_cols", 2 + skip))?,
            table: table_name(self.dialect, to, call.named("referent_schema")),
            to: idents(self.dialect, call.argument("remote_cols", 3 + skip))?,
            cascades: rows(what("ondelete")) || rows(what("onupdate")),
        })
    }

    fn create_table(&mut self, call: &Call, node: Node<'p>, scope: &Scope) {
        let Some(name) = call.argument("table_name", 0).and_then(Value::text) else {
            return self.put_code(node, scope);
        };
        let table = table_name(self.dialect, name, call.named("schema"));
        let (mut columns, mut constraints, mut after, mut whole) = (vec![], vec![], vec![], true);
        for place in call.places.iter().skip(1) {
            let Value::Call(part) = place else {
                whole = false;
                continue;
            };
            if part.word() == "Column" {
                match column(self.dialect, part) {
                    Some(defined) => {
                        if defined.index {
                            let own = vec![defined.column.name.clone()];
                            after.push(emit::index(self.dialect, &table, None, own, None));
                        }
                        self.new_enum(part, node, scope);
                        columns.push((defined.column, defined.counts));
                    }
                    None => whole = false,
                }
            } else if part.word() == "Index" {
                after.extend(self.table_index(part, &table));
            } else {
                match constraint(self.dialect, part) {
                    Some(constraint) => constraints.push(constraint),
                    None => whole = false,
                }
            }
        }
        keys(&mut columns, &constraints);
        let columns: Vec<Column> = columns.into_iter().map(|(column, _)| column).collect();
        let temporary = call
            .named("prefixes")
            .and_then(Value::texts)
            .is_some_and(|words| words.iter().any(|word| word.eq_ignore_ascii_case("temporary")));
        let columns = if whole { Maybe::Known(columns) } else { Maybe::Unknown };
        self.put(Operation::CreateTable { table, columns, constraints, temporary }, node, scope);
        for operation in after {
            self.put(operation, node, scope);
        }
    }

    fn table_index(&self, part: &Call, table: &Name) -> Option<Operation> {
        let columns = idents(self.dialect, Some(&Value::List(part.places.iter().skip(1).cloned().collect())))?;
        let unique = part.named("unique").and_then(Value::truth) == Some(true);
        let name = part.places.first().and_then(Value::text);
        Some(emit::index(self.dialect, table, name, columns, unique.then(emit::Unique::default)))
    }

    /// PostgreSQL makes the enum types of a new table's columns before it.
    fn new_enum(&mut self, column: &Call, node: Node<'p>, scope: &Scope) {
        for place in &column.places {
            let Value::Call(ty) = place else { continue };
            let own = ty.named("create_type").and_then(Value::truth) != Some(false);
            let native = ty.named("native_enum").and_then(Value::truth) != Some(false);
            if let (Dialect::Postgres, true, Some((name, values))) = (self.dialect, own && native, enum_type(ty)) {
                let name = table_name(self.dialect, name, ty.named("schema"));
                let scope = Scope { guarded: true, ..scope.clone() };
                self.put(Operation::CreateType { name, body: TypeBody::Enum(values) }, node, &scope);
            }
        }
    }

    fn add_column(&mut self, value: Option<&Value>, table: &Name, node: Node<'p>, scope: &Scope) {
        let defined = match value {
            Some(Value::Call(call)) if call.word() == "Column" => column(self.dialect, call),
            _ => None,
        };
        let Some(defined) = defined else { return self.put_code(node, scope) };
        let own = vec![defined.column.name.clone()];
        let mut column = defined.column;
        if column.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_))) {
            count(&mut column, defined.counts);
        }
        self.put(Operation::AddColumn { table: table.clone(), column }, node, scope);
        if defined.index {
            self.put(emit::index(self.dialect, table, None, own, None), node, scope);
        }
    }

    fn alter_column(&mut self, call: &Call, table: &Name, skip: usize, node: Node<'p>, scope: &Scope) {
        let Some(name) = call.argument("column_name", skip).and_then(Value::text) else {
            return self.put_code(node, scope);
        };
        let name = emit::ident(self.dialect, name);
        let renamed = match call.named("new_column_name").or_else(|| call.named("name")) {
            None | Some(Value::Nothing) => None,
            Some(Value::Text(to)) => Some(emit::ident(self.dialect, to)),
            Some(_) => return self.put_code(node, scope),
        };
        let nullable = call.named("nullable").filter(|value| **value != Value::Nothing);
        let ty = call.named("type_").filter(|value| **value != Value::Nothing);
        let default = call.named("server_default").filter(|value| **value != Value::Truth(false));
        // MySQL's CHANGE does both at once; elsewhere the name goes last.
        let at_once = self.dialect == Dialect::MySql && (nullable.is_some() || ty.is_some() || renamed.is_some());
        let after = renamed.clone().filter(|_| at_once).unwrap_or_else(|| name.clone());
        let changes = if at_once { self.restated(call, &after) } else { self.changes(nullable, ty, default) };
        let mut operations = vec![];
        match changes {
            Some(changes) if changes.is_empty() && renamed.is_none() => {
                operations.push(Operation::Neutral { what: "alter_column".to_owned() });
            }
            Some(changes) if changes.is_empty() => {}
            Some(changes) => {
                operations.push(Operation::AlterColumn { table: table.clone(), column: after, changes });
            }
            None => operations.push(emit::code(call.text.clone())),
        }
        if let Some(to) = renamed {
            let at = if at_once { 0 } else { operations.len() };
            operations.insert(at, Operation::RenameColumn { table: table.clone(), from: name, to });
        }
        for operation in operations {
            self.put(operation, node, scope);
        }
    }

    /// Only what is given changes.
    fn changes(
        &self,
        nullable: Option<&Value>,
        ty: Option<&Value>,
        default: Option<&Value>,
    ) -> Option<Vec<ColumnChange>> {
        let mut changes = vec![];
        if let Some(ty) = ty {
            match kind(self.dialect, ty) {
                Maybe::Known(ty) => changes.push(ColumnChange::Type(ty)),
                Maybe::Unknown => return None,
            }
        }
        if let Some(default) = default {
            match filled(Some(default)) {
                Maybe::Known(filled) => changes.push(ColumnChange::Filled(filled)),
                Maybe::Unknown => return None,
            }
        }
        if let Some(nullable) = nullable {
            changes.push(if nullable.truth()? { ColumnChange::Null } else { ColumnChange::NotNull });
        }
        Some(changes)
    }

    /// MySQL's MODIFY: what the call does not say of the column so far is gone.
    fn restated(&self, call: &Call, column: &Ident) -> Option<Vec<ColumnChange>> {
        let given = |option: &str, existing: &str| {
            call.named(option).filter(|value| **value != Value::Nothing).or_else(|| call.named(existing))
        };
        let ty = kind(self.dialect, given("type_", "existing_type")?);
        if ty == Maybe::Unknown {
            return None;
        }
        let null = given("nullable", "existing_nullable").map_or(Some(true), Value::truth)?;
        let default = call
            .named("server_default")
            .filter(|value| **value != Value::Truth(false))
            .or_else(|| call.named("existing_server_default"));
        let mut filled = filled(default);
        if call.named("existing_autoincrement").or_else(|| call.named("autoincrement")).and_then(Value::truth)
            == Some(true)
        {
            filled = Maybe::Known(Filled::Counted { always: false });
        }
        let column =
            Column { name: column.clone(), ty, not_null: Maybe::Known(!null), filled, constraints: vec![] };
        Some(vec![ColumnChange::Restated(column)])
    }

    fn create_index(&mut self, call: &Call, table: &Name, skip: usize, node: Node<'p>, scope: &Scope) {
        let Some(columns) = idents(self.dialect, call.argument("columns", 1 + skip)) else {
            return self.put_code(node, scope);
        };
        let unique = match call.named("unique").or_else(|| call.places.get(3 + skip)) {
            None => false,
            Some(value) => match value.truth() {
                Some(unique) => unique,
                None => return self.put_code(node, scope),
            },
        };
        let partial =
            ["postgresql_where", "sqlite_where", "mssql_where"].iter().find_map(|option| call.named(option));
        let partial = partial.map(Value::told);
        let nulls_equal = call.named("postgresql_nulls_not_distinct").and_then(Value::truth) == Some(true);
        let name = call.argument("index_name", 0).and_then(Value::text);
        let unique = unique.then_some(emit::Unique { partial, nulls_equal });
        self.put(emit::index(self.dialect, table, name, columns, unique), node, scope);
    }

    fn drop_index(&mut self, call: &Call, table: Option<Name>, node: Node<'p>, scope: &Scope) {
        match call.argument("index_name", 0).and_then(Value::text) {
            Some(name) => {
                let name = match (&table, call.named("schema").and_then(Value::text)) {
                    (Some(table), _) => emit::beside(self.dialect, table, name),
                    (None, Some(schema)) => emit::name(self.dialect, &format!("{schema}.{name}")),
                    (None, None) => Name::plain(emit::ident(self.dialect, name)),
                };
                self.put(Operation::DropIndex { name, table }, node, scope);
            }
            None => self.put_code(node, scope),
        }
    }

    fn drop_constraint(&mut self, call: &Call, table: &Name, skip: usize, node: Node<'p>, scope: &Scope) {
        let name = match call.argument("constraint_name", 0) {
            Some(Value::Text(name)) => Some(emit::ident(self.dialect, name)),
            Some(Value::Nothing) => None,
            _ => return self.put_code(node, scope),
        };
        let said = call.argument("type_", 1 + skip).and_then(Value::text).map(|said| match said {
            "foreignkey" => "foreign-key".to_owned(),
            "primary" => "primary-key".to_owned(),
            other => other.to_owned(),
        });
        let operation = Operation::DropConstraint { table: table.clone(), constraint: name, said, cascade: false };
        self.put(operation, node, scope);
    }

    /// SQL, or an expression of SQLAlchemy that changes rows.
    fn execute(&mut self, call: &Call, node: Node<'p>, scope: &Scope) {
        let Some(value) = call.places.first().or_else(|| call.named("sqltext")) else {
            return self.put_code(node, scope);
        };
        if let Some(text) = sql_text(value) {
            let line = text_line(node);
            for mut step in emit::sql_steps(self.dialect, text, line, self.limits) {
                step.conditional |= scope.conditional;
                step.guarded |= scope.guarded;
                self.steps.push(step);
            }
            return;
        }
        match value {
            Value::Call(inner) => match self.data_of(inner, scope) {
                Some((data, table)) => {
                    let every_row = !inner.path.contains(".where") && !inner.text.contains(".where(");
                    let every_row = every_row && data != Data::Insert;
                    self.put(Operation::Data { data, table, every_row }, node, scope);
                }
                None => self.put(Operation::Unread(Unread::Dynamic), node, scope),
            },
            _ => self.put(Operation::Unread(Unread::Dynamic), node, scope),
        }
    }

    /// `sa.update(users).where(…)`, `users.insert().values(…)`.
    fn data_of(&self, call: &Call, scope: &Scope) -> Option<(Data, Option<Name>)> {
        let path = call.path.trim_start_matches("sa.").trim_start_matches("sqlalchemy.");
        let text: String = call.text.chars().filter(|char| !char.is_whitespace()).collect();
        let text = text.trim_start_matches("sa.").trim_start_matches("sqlalchemy.");
        for (word, data) in
            [("update", Data::Update), ("insert", Data::Insert), ("delete", Data::Delete), ("select", Data::Select)]
        {
            if path == word || text.starts_with(&format!("{word}(")) {
                let inner = text.split_once('(').map(|(_, rest)| rest)?;
                let name: String =
                    inner.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
                let table = scope.variables.get(&name).and_then(|value| self.table_value(value));
                return Some((data, table));
            }
            if let Some((head, _)) = text.split_once(&format!(".{word}("))
                && head.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | '.'))
            {
                let table = scope.variables.get(head).and_then(|value| self.table_value(value));
                return Some((data, table));
            }
        }
        None
    }

    /// The table of `sa.table("t", …)`.
    fn table_value(&self, value: &Value) -> Option<Name> {
        match value {
            Value::Call(call) if matches!(call.word(), "table" | "Table") => {
                Some(table_name(self.dialect, call.places.first()?.text()?, call.named("schema")))
            }
            _ => None,
        }
    }

    /// `sa.Enum(…, name="x").create(op.get_bind())`, also of a variable.
    fn enum_call(&mut self, owner: &str, word: &str, call: &Call, node: Node<'p>, scope: &Scope) -> bool {
        let held = match scope.variables.get(owner) {
            Some(value) => Some(value.clone()),
            None => super::super::syntax::field(node, "function")
                .and_then(|function| super::super::syntax::field(function, "object"))
                .filter(|object| object.kind() == "call")
                .map(|object| self.value(object, scope)),
        };
        let Some(Value::Call(ty)) = held else { return false };
        if !matches!(ty.word(), "Enum" | "ENUM") {
            return false;
        }
        let Some(name) = ty.named("name").and_then(Value::text) else { return false };
        let name = table_name(self.dialect, name, ty.named("schema"));
        let first = call.named("checkfirst").and_then(Value::truth) == Some(true);
        let scope = Scope { guarded: scope.guarded || first, ..scope.clone() };
        if self.dialect != Dialect::Postgres {
            return true;
        }
        match (word, enum_type(&ty)) {
            ("create", Some((_, values))) => {
                self.put(Operation::CreateType { name, body: TypeBody::Enum(values) }, node, &scope);
            }
            ("drop", _) => {
                self.put(Operation::Drop { kind: Kind::Type, name, table: None, cascade: false }, node, &scope);
            }
            _ => self.put_code(node, &scope),
        }
        true
    }
}

/// Columns of a key refuse NULL; a single one counts.
fn keys(columns: &mut [(Column, bool)], constraints: &[Constraint]) {
    let mut names: Vec<Ident> = vec![];
    for (column, _) in columns.iter() {
        if column.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_))) {
            names.push(column.name.clone());
        }
    }
    for constraint in constraints {
        if let ConstraintKind::PrimaryKey(columns) = &constraint.kind {
            names.extend(columns.iter().cloned());
        }
    }
    let single = names.len() == 1;
    for (column, counts) in columns.iter_mut().filter(|(column, _)| names.contains(&column.name)) {
        if single {
            count(column, *counts);
        }
        column.not_null = Maybe::Known(true);
    }
}

/// The line of the first text in a call.
fn text_line(node: Node<'_>) -> u32 {
    find_all(node, &["string"]).first().map_or_else(|| line_of(node), |text| line_of(*text))
}
