//! Rails' own schema statements: tables, columns, indexes, keys.
//!
//! After activerecord/lib/active_record/connection_adapters/abstract/schema_statements.rb.

use super::super::emit;
use super::super::syntax::Value;
use super::columns::{Words, filled, given};
use super::reader::{Creating, Reader, Scope};
use super::ruby::Invocation;
use super::words;
use crate::operation::{
    Checked, Column, ColumnChange, Constraint, ConstraintKind, Data, Ident, Maybe, Name, Operation,
};

/// What a call of `t.` is in a block, as the statement with the table's name before it.
const IN_TABLE: &[(&str, &str)] = &[
    ("column", "add_column"),
    ("index", "add_index"),
    ("remove", "remove_columns"),
    ("remove_index", "remove_index"),
    ("rename", "rename_column"),
    ("rename_index", "rename_index"),
    ("change", "change_column"),
    ("change_default", "change_column_default"),
    ("change_null", "change_column_null"),
    ("references", "add_reference"),
    ("belongs_to", "add_reference"),
    ("remove_references", "remove_references"),
    ("remove_belongs_to", "remove_references"),
    ("timestamps", "add_timestamps"),
    ("remove_timestamps", "remove_timestamps"),
    ("foreign_key", "add_foreign_key"),
    ("remove_foreign_key", "remove_foreign_key"),
    ("check_constraint", "add_check_constraint"),
    ("remove_check_constraint", "remove_check_constraint"),
    ("exclusion_constraint", "add_exclusion_constraint"),
    ("remove_exclusion_constraint", "remove_exclusion_constraint"),
    ("unique_constraint", "add_unique_constraint"),
    ("remove_unique_constraint", "remove_unique_constraint"),
    ("validate_constraint", "validate_constraint"),
    ("validate_check_constraint", "validate_check_constraint"),
    ("change_comment", "comment"),
];

impl<'p> Reader<'p> {
    /// What writes columns.
    pub fn words(&self) -> Words {
        Words { dialect: self.dialect, version: self.version }
    }

    /// A name of a column.
    pub fn ident(&self, written: &str) -> Ident {
        emit::ident(self.dialect, written)
    }

    /// A statement with a table's name first. Whether it is one.
    pub fn schema_call(&mut self, call: &Invocation<'p>, scope: &mut Scope) -> bool {
        match call.word.as_str() {
            "create_table" => self.create_table(call, scope),
            "create_join_table" => self.create_join_table(call, scope),
            "change_table" => self.change_table(call, scope),
            "drop_table" => self.drop_tables(call, scope),
            "drop_join_table" => {
                match (call.text(0), call.text(1), call.option("table_name").and_then(Value::text)) {
                    (_, _, Some(table)) => self.drop_table(table, call, scope),
                    (Some(one), Some(other), None) => self.drop_table(&words::join_table(one, other), call, scope),
                    _ => self.put_code(call.node, scope),
                }
            }
            "rename_table" => match (call.text(0), call.text(1)) {
                (Some(from), Some(to)) => {
                    let from = emit::name(self.dialect, from);
                    let to = match to.contains('.') {
                        true => emit::name(self.dialect, to),
                        false => emit::beside(self.dialect, &from, to),
                    };
                    self.put(Operation::Rename { kind: None, from, to }, call.node, scope);
                }
                _ => self.put_code(call.node, scope),
            },
            word if is_table_statement(word) => match call.text(0) {
                Some(table) => {
                    let table = emit::name(self.dialect, table);
                    let rest = after_table(call);
                    self.table_statement(&rest, &table, scope);
                }
                None => self.put_code(call.node, scope),
            },
            _ => return false,
        }
        true
    }

    fn create_table(&mut self, call: &Invocation<'p>, scope: &mut Scope) {
        let Some(written) = call.text(0) else { return self.put_code(call.node, scope) };
        let table = emit::name(self.dialect, written);
        let force = call.option("force").filter(|_| !self.schema);
        if let Some(force) = force.filter(|value| value.truth() != Some(false)) {
            let cascade = force.text() == Some("cascade");
            let mut guarded = scope.clone();
            guarded.guarded = true;
            self.put(Operation::DropTable { table: table.clone(), cascade }, call.node, &guarded);
        }
        let mut creating = Creating::default();
        match self.words().primary_key(call) {
            Maybe::Known(column) => creating.columns.extend(column),
            Maybe::Unknown => creating.unsure = true,
        }
        if let Some(Value::List(_)) = call.option("primary_key") {
            let columns = call.option("primary_key").and_then(Value::texts).unwrap_or_default();
            let columns = columns.iter().map(|column| self.ident(column)).collect();
            creating.constraints.push(Constraint { name: None, kind: ConstraintKind::PrimaryKey(columns) });
        }
        creating.unsure |= call.option("as").is_some() || call.splat;
        self.creating.push(creating);
        self.table_block(call, &table, scope);
        self.created(call, table, scope);
    }

    /// Runs the block of a table.
    fn table_block(&mut self, call: &Invocation<'p>, table: &Name, scope: &mut Scope) {
        let Some(block) = call.block else { return };
        let mut inner = scope.clone();
        let returned = self.returned;
        if !self.creating.is_empty() {
            // Whether the table is made is the table's own condition, not its columns'.
            (inner.conditional, inner.guarded) = (false, false);
            self.returned = None;
        }
        let name = self.parameters(block).first().cloned().unwrap_or_else(|| "it".to_owned());
        inner.variables.remove(&name);
        inner.table = Some((name, table.clone()));
        self.body(block, &mut inner);
        self.returned = self.returned.or(returned);
    }

    fn created(&mut self, call: &Invocation<'p>, table: Name, scope: &Scope) {
        let Some(creating) = self.creating.pop() else { return };
        let mut scope = scope.clone();
        scope.guarded |= call.is("if_not_exists");
        let columns = if creating.unsure { Maybe::Unknown } else { Maybe::Known(creating.columns) };
        let operation = Operation::CreateTable {
            table,
            columns,
            constraints: creating.constraints,
            temporary: call.is("temporary"),
        };
        self.put(operation, call.node, &scope);
        for operation in creating.after {
            self.put(operation, call.node, &scope);
        }
    }

    fn create_join_table(&mut self, call: &Invocation<'p>, scope: &mut Scope) {
        let (Some(one), Some(other)) = (call.text(0), call.text(1)) else { return self.put_code(call.node, scope) };
        let written = match call.option("table_name") {
            None => words::join_table(one, other),
            Some(Value::Text(name)) => name.clone(),
            Some(_) => return self.put_code(call.node, scope),
        };
        let table = emit::name(self.dialect, &written);
        let mut options = match call.option("column_options") {
            Some(Value::Map(pairs)) => pairs.clone(),
            _ => vec![],
        };
        if given(&options, "null").is_none() {
            options.push(("null".to_owned(), Value::Truth(false)));
        }
        let mut creating = Creating::default();
        for name in [one, other] {
            creating.columns.extend(self.words().references(&words::singular(name), &options));
        }
        self.creating.push(creating);
        self.table_block(call, &table, scope);
        self.created(call, table, scope);
    }

    fn change_table(&mut self, call: &Invocation<'p>, scope: &mut Scope) {
        let (Some(written), Some(_)) = (call.text(0), call.block) else { return self.put_code(call.node, scope) };
        let table = emit::name(self.dialect, written);
        let open = std::mem::take(&mut self.creating);
        self.table_block(call, &table, scope);
        self.creating = open;
    }

    fn drop_tables(&mut self, call: &Invocation<'p>, scope: &Scope) {
        if call.places.is_empty() {
            return self.put_code(call.node, scope);
        }
        for place in &call.places {
            match place.text() {
                Some(table) => self.drop_table(table, call, scope),
                None => self.put_code(call.node, scope),
            }
        }
    }

    fn drop_table(&mut self, table: &str, call: &Invocation<'p>, scope: &Scope) {
        let mut scope = scope.clone();
        scope.guarded |= call.is("if_exists");
        let cascade = call.option("force").and_then(Value::text) == Some("cascade");
        self.put(Operation::DropTable { table: emit::name(self.dialect, table), cascade }, call.node, &scope);
    }

    /// A call on the block's table.
    pub fn table_call(&mut self, call: &Invocation<'p>, scope: &mut Scope) {
        let Some((_, table)) = scope.table.clone() else { return };
        let statement = IN_TABLE.iter().find(|(word, _)| *word == call.word).map(|(_, statement)| *statement);
        let mut turned = turned(call, statement.unwrap_or("add_column"));
        if self.creating.is_empty() {
            match (call.word.as_str(), statement) {
                ("column_exists?" | "index_exists?", _) => {}
                (_, Some(_)) => self.table_statement(&turned, &table, scope),
                (kind, None) => self.plain_columns(kind, call, |reader, column, call| {
                    let mut scope = scope.clone();
                    scope.guarded |= call.is("if_not_exists");
                    let name = column.name.written.clone();
                    reader.put(Operation::AddColumn { table: table.clone(), column }, call.node, &scope);
                    reader.column_index(&name, call, &table, &scope);
                }),
            }
            return;
        }
        if scope.conditional
            && let Some(creating) = self.creating.last_mut()
        {
            creating.unsure = true;
        }
        turned.names.retain(|(key, _)| key != "if_not_exists");
        self.defined(&turned, call, &table, scope);
    }

    /// A call in the block of a new table.
    fn defined(&mut self, turned: &Invocation<'p>, call: &Invocation<'p>, table: &Name, scope: &mut Scope) {
        let words = self.words();
        let Some(creating) = self.creating.last_mut() else { return };
        match turned.word.as_str() {
            "add_column" if call.word == "column" => match (turned.text(0), turned.text(1)) {
                (Some(name), Some(kind)) => {
                    creating.columns.push(words.column(name, kind, &turned.names));
                    let name = name.to_owned();
                    self.own_index(&name, turned, table);
                }
                _ => creating.unsure = true,
            },
            "add_index" => match turned.places.first().and_then(Value::texts) {
                Some(columns) => {
                    let operation = words.index(table, &columns, &turned.names);
                    creating.after.push(operation);
                }
                None => self.put_code(call.node, scope),
            },
            "add_timestamps" => creating.columns.extend(words.timestamps(&turned.names)),
            "add_reference" => {
                for place in &turned.places {
                    let Some(name) = place.text() else {
                        creating.unsure = true;
                        continue;
                    };
                    creating.columns.extend(words.references(name, &turned.names));
                    creating.constraints.extend(words.reference_key(name, &turned.names));
                    creating.after.extend(reference_index(words, name, table, &turned.names));
                }
            }
            "add_foreign_key" | "add_check_constraint" | "add_unique_constraint" | "add_exclusion_constraint" => {
                let mut open = std::mem::take(&mut self.creating);
                let before = self.steps.len();
                self.table_statement(turned, table, scope);
                let made: Vec<_> = self.steps.drain(before.min(self.steps.len())..).collect();
                if let Some(creating) = open.last_mut() {
                    for step in made {
                        match step.operation {
                            Operation::AddConstraint { constraint, .. } => creating.constraints.push(constraint),
                            other => creating.after.push(other),
                        }
                    }
                }
                self.creating = open;
            }
            "comment" => {}
            "remove_columns" => {
                let gone = turned.places.iter().filter_map(Value::text).map(|name| words_ident(words, name));
                let gone: Vec<Ident> = gone.collect();
                creating.columns.retain(|column| !gone.contains(&column.name));
            }
            "add_column" => {
                let kind = call.word.clone();
                self.plain_columns(&kind, call, |reader, column, call| {
                    let name = column.name.written.clone();
                    if let Some(creating) = reader.creating.last_mut() {
                        creating.columns.push(column);
                    }
                    reader.own_index(&name, call, table);
                });
            }
            _ => creating.unsure = true,
        }
    }

    /// `t.string :a, :b`: one column each.
    fn plain_columns(
        &mut self,
        kind: &str,
        call: &Invocation<'p>,
        mut each: impl FnMut(&mut Self, Column, &Invocation<'p>),
    ) {
        let mut columns = vec![];
        let plugin =
            matches!(kind, "attachment" | "has_attached_file" | "userstamps" | "confirmable" | "recoverable");
        for place in &call.places {
            match place.text().filter(|_| !plugin) {
                Some(name) => columns.push(self.words().column(name, kind, &call.names)),
                None => columns.clear(),
            }
        }
        if columns.is_empty() || columns.len() != call.places.len() {
            if let Some(creating) = self.creating.last_mut() {
                creating.unsure = true;
            } else {
                self.put_code(call.node, &Scope::default());
            }
            return;
        }
        for column in columns {
            each(self, column, call);
        }
    }

    /// `index:` of a column.
    fn column_index(&mut self, name: &str, call: &Invocation<'p>, table: &Name, scope: &Scope) {
        if let Some(operation) = self.index_of(name, call, table) {
            self.put(operation, call.node, scope);
        }
    }

    fn own_index(&mut self, name: &str, call: &Invocation<'p>, table: &Name) {
        let operation = self.index_of(name, call, table);
        if let Some(creating) = self.creating.last_mut() {
            creating.after.extend(operation);
        }
    }

    fn index_of(&self, name: &str, call: &Invocation<'p>, table: &Name) -> Option<Operation> {
        let options: &[(String, Value)] = match call.option("index")? {
            Value::Truth(false) => return None,
            Value::Map(pairs) => pairs,
            _ => &[],
        };
        Some(self.words().index(table, &[name.to_owned()], options))
    }

    /// A statement about a table that is there; the table's name is no longer among the places.
    fn table_statement(&mut self, call: &Invocation<'p>, table: &Name, scope: &mut Scope) {
        let mut inner = scope.clone();
        inner.guarded |= call.is("if_exists") || call.is("if_not_exists");
        let scope = &inner;
        let words = self.words();
        let table = table.clone();
        match call.word.as_str() {
            "add_column" => match (call.text(0), call.text(1)) {
                (Some(name), kind) => {
                    let mut column = words.column(name, kind.unwrap_or_default(), &call.names);
                    if kind.is_none() {
                        column.ty = Maybe::Unknown;
                    }
                    if call.splat {
                        column.not_null = Maybe::Unknown;
                    }
                    self.put(Operation::AddColumn { table: table.clone(), column }, call.node, scope);
                    self.column_index(name, call, &table, scope);
                }
                _ => self.put_code(call.node, scope),
            },
            "add_columns" => {
                let kind = call.option("type").and_then(Value::text).unwrap_or_default().to_owned();
                for place in &call.places {
                    match place.text() {
                        Some(name) => {
                            let column = words.column(name, &kind, &call.names);
                            self.put(Operation::AddColumn { table: table.clone(), column }, call.node, scope);
                        }
                        None => self.put_code(call.node, scope),
                    }
                }
            }
            "add_timestamps" => {
                for column in words.timestamps(&call.names) {
                    self.put(Operation::AddColumn { table: table.clone(), column }, call.node, scope);
                }
            }
            "remove_timestamps" => {
                for column in ["created_at", "updated_at"].map(|name| self.ident(name)) {
                    self.put(
                        Operation::DropColumn { table: table.clone(), column, cascade: false },
                        call.node,
                        scope,
                    );
                }
            }
            "remove_column" => match call.text(0) {
                Some(name) => {
                    let column = self.ident(name);
                    self.put(Operation::DropColumn { table, column, cascade: false }, call.node, scope);
                }
                None => self.put_code(call.node, scope),
            },
            "remove_columns" => {
                let names: Vec<String> = call.places.iter().filter_map(Value::texts).flatten().collect();
                if names.len() < call.places.len() || names.is_empty() {
                    self.put_code(call.node, scope);
                }
                for name in names {
                    let column = self.ident(&name);
                    self.put(
                        Operation::DropColumn { table: table.clone(), column, cascade: false },
                        call.node,
                        scope,
                    );
                }
            }
            _ => self.table_change(call, table, scope),
        }
    }

    /// A statement that changes what is there.
    fn table_change(&mut self, call: &Invocation<'p>, table: Name, scope: &Scope) {
        let words = self.words();
        let dialect = self.dialect;
        match call.word.as_str() {
            "rename_column" => match (call.text(0), call.text(1)) {
                (Some(from), Some(to)) => {
                    let operation = Operation::RenameColumn { table, from: self.ident(from), to: self.ident(to) };
                    self.put(operation, call.node, scope);
                }
                _ => self.put_code(call.node, scope),
            },
            "change_column" => self.change_column(call, table, scope),
            "change_column_default" => {
                let to = call.given("to").or_else(|| call.places.get(1)).cloned();
                let to = match (to, call.names.is_empty(), call.given("from")) {
                    (Some(to), _, _) => Some(to),
                    // `change_column_default :t, :c, { a: 1 }`: a hash that is the default itself.
                    (None, false, None) => Some(Value::Map(call.names.clone())),
                    _ => None,
                };
                match (call.text(0), to, filled(dialect, None)) {
                    (Some(name), Some(to), _) => {
                        let changes = match filled(dialect, Some(&to)) {
                            Maybe::Known(filled) => vec![ColumnChange::Filled(filled)],
                            Maybe::Unknown => return self.put_code(call.node, scope),
                        };
                        let column = self.ident(name);
                        self.put(Operation::AlterColumn { table, column, changes }, call.node, scope);
                    }
                    _ => self.put_code(call.node, scope),
                }
            }
            "change_column_null" => match (call.text(0), call.places.get(1)) {
                (Some(name), Some(Value::Truth(null))) => {
                    if call.places.get(2).is_some_and(|value| *value != Value::Nothing) {
                        let data =
                            Operation::Data { data: Data::Update, table: Some(table.clone()), every_row: false };
                        self.put(data, call.node, scope);
                    }
                    let changes = vec![if *null { ColumnChange::Null } else { ColumnChange::NotNull }];
                    let column = self.ident(name);
                    self.put(Operation::AlterColumn { table, column, changes }, call.node, scope);
                }
                _ => self.put_code(call.node, scope),
            },
            "add_reference" | "add_belongs_to" => self.add_reference(call, &table, scope),
            "remove_reference" | "remove_belongs_to" | "remove_references" => {
                let names = if call.word == "remove_references" { call.places.len() } else { 1 };
                for place in call.places.iter().take(names) {
                    let Some(name) = place.text() else {
                        self.put_code(call.node, scope);
                        continue;
                    };
                    self.remove_reference(name, call, &table, scope);
                }
            }
            "add_index" => match call.places.first().and_then(Value::texts) {
                Some(columns) if !call.splat => {
                    self.put(words.index(&table, &columns, &call.names), call.node, scope);
                }
                _ => self.put_code(call.node, scope),
            },
            "remove_index" => self.remove_index(call, table, scope),
            "rename_index" => self.rename_index(call, table, scope),
            _ => self.constraint_statement(call, table, scope),
        }
    }

    fn change_column(&mut self, call: &Invocation<'p>, table: Name, scope: &Scope) {
        let (Some(name), Some(kind)) = (call.text(0), call.text(1)) else { return self.put_code(call.node, scope) };
        if call.splat {
            return self.put_code(call.node, scope);
        }
        let column = self.words().column(name, kind, &call.names);
        let mut changes = match column.ty {
            Maybe::Known(ty) => vec![ColumnChange::Type(ty)],
            Maybe::Unknown => {
                self.put_code(call.node, scope);
                vec![]
            }
        };
        if call.given("default").is_some() {
            match column.filled {
                Maybe::Known(filled) => changes.push(ColumnChange::Filled(filled)),
                Maybe::Unknown => self.put_code(call.node, scope),
            }
        }
        match call.given("null") {
            Some(Value::Truth(true)) => changes.push(ColumnChange::Null),
            Some(Value::Truth(false)) => changes.push(ColumnChange::NotNull),
            None | Some(Value::Nothing) => {}
            Some(_) => self.put_code(call.node, scope),
        }
        if !changes.is_empty() {
            self.put(Operation::AlterColumn { table, column: column.name, changes }, call.node, scope);
        }
    }

    fn add_reference(&mut self, call: &Invocation<'p>, table: &Name, scope: &Scope) {
        let words = self.words();
        if call.splat || call.places.is_empty() {
            return self.put_code(call.node, scope);
        }
        for place in &call.places {
            let Some(name) = place.text() else {
                self.put_code(call.node, scope);
                continue;
            };
            for column in words.references(name, &call.names) {
                self.put(Operation::AddColumn { table: table.clone(), column }, call.node, scope);
            }
            if let Some(operation) = reference_index(words, name, table, &call.names) {
                self.put(operation, call.node, scope);
            }
            if let Some(constraint) = words.reference_key(name, &call.names) {
                let checked = checked(call.option("foreign_key"));
                let operation = Operation::AddConstraint { table: table.clone(), constraint, checked };
                self.put(operation, call.node, scope);
            }
        }
    }

    fn remove_reference(&mut self, name: &str, call: &Invocation<'p>, table: &Name, scope: &Scope) {
        if call.option("foreign_key").is_some_and(|value| value.truth() != Some(false)) {
            let said = Some("foreign-key".to_owned());
            let operation =
                Operation::DropConstraint { table: table.clone(), constraint: None, said, cascade: false };
            self.put(operation, call.node, scope);
        }
        let mut names = vec![format!("{name}_id")];
        if call.option("polymorphic").is_some_and(|value| value.truth() != Some(false)) {
            names.push(format!("{name}_type"));
        }
        for name in names {
            let column = self.ident(&name);
            self.put(Operation::DropColumn { table: table.clone(), column, cascade: false }, call.node, scope);
        }
    }

    fn rename_index(&mut self, call: &Invocation<'p>, table: Name, scope: &Scope) {
        let (Some(from), Some(to)) = (call.text(0), call.text(1)) else { return self.put_code(call.node, scope) };
        let (from, to) = (emit::ident(self.dialect, from), emit::ident(self.dialect, to));
        self.put(Operation::RenameIndex { table: Some(table), from, to }, call.node, scope);
    }

    fn remove_index(&mut self, call: &Invocation<'p>, table: Name, scope: &Scope) {
        let columns = call.option("column").or_else(|| call.places.first()).and_then(Value::texts);
        let written = table.schema.as_ref().map_or_else(|| table.name.written.clone(), |_| table.to_string());
        let name = match (call.option("name"), columns) {
            (Some(Value::Text(name)), _) => Some(name.clone()),
            (None, Some(columns)) => words::index_name(&written, &columns, self.version),
            _ => None,
        };
        match name {
            Some(name) => {
                let name = emit::beside(self.dialect, &table, &name);
                self.put(Operation::DropIndex { name, table: Some(table) }, call.node, scope);
            }
            None => self.put_code(call.node, scope),
        }
    }
}

/// How a key comes: `validate: false` looks at new rows only.
pub fn checked(options: Option<&Value>) -> Checked {
    match options.and_then(|options| options.get("validate")) {
        Some(Value::Truth(false)) => Checked::NewRows,
        _ => Checked::All,
    }
}

fn words_ident(words: Words, name: &str) -> Ident {
    emit::ident(words.dialect, name)
}

/// The index of a reference: there by default since Rails 5.0.
fn reference_index(words: Words, name: &str, table: &Name, options: &[(String, Value)]) -> Option<Operation> {
    let own: &[(String, Value)] = match given(options, "index") {
        None if words.version < (5, 0) => return None,
        Some(Value::Truth(false) | Value::Nothing) => return None,
        Some(Value::Map(pairs)) => pairs,
        _ => &[],
    };
    let polymorphic = given(options, "polymorphic").is_some_and(|value| value.truth() != Some(false));
    let mut columns = vec![format!("{name}_id")];
    let mut own = own.to_vec();
    if polymorphic {
        columns.insert(0, format!("{name}_type"));
        if given(&own, "name").is_none() && words.version >= (6, 1) {
            own.push(("name".to_owned(), Value::Text(format!("index_{}_on_{name}", table.name.written))));
        }
    }
    Some(words.index(table, &columns, &own))
}

fn is_table_statement(word: &str) -> bool {
    matches!(
        word,
        "add_column"
            | "add_columns"
            | "add_timestamps"
            | "remove_timestamps"
            | "remove_column"
            | "remove_columns"
            | "rename_column"
            | "change_column"
            | "change_column_default"
            | "change_column_null"
            | "add_reference"
            | "add_belongs_to"
            | "remove_reference"
            | "remove_belongs_to"
            | "add_index"
            | "remove_index"
            | "rename_index"
    ) || super::extras::CONSTRAINTS.contains(&word)
}

/// The same call under another name.
fn turned<'p>(call: &Invocation<'p>, word: &str) -> Invocation<'p> {
    Invocation {
        node: call.node,
        receiver: None,
        word: word.to_owned(),
        places: call.places.clone(),
        nodes: call.nodes.clone(),
        names: call.names.clone(),
        splat: call.splat,
        block: call.block,
    }
}

/// The same call without the table's name.
pub fn after_table<'p>(call: &Invocation<'p>) -> Invocation<'p> {
    let mut rest = turned(call, &call.word);
    rest.places.drain(..1.min(rest.places.len()));
    rest.nodes.drain(..1.min(rest.nodes.len()));
    rest
}
