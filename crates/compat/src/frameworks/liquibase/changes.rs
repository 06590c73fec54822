//! What each type of change does.
//!
//! MySQL and SQL Server have no way to change one property of a column: what Liquibase writes there
//! restates the column, and what it does not repeat is gone.

use crate::migration::Limits;
use crate::operation::{
    Checked, Column, ColumnChange, Constraint, ConstraintKind, Data, Filled, Ident, Kind, Maybe, Name, Operation,
    Signature, Step, Unread,
};
use crate::sql::Dialect;

use super::super::declared::quoted;
use super::node::Node;
use super::types::ty;

/// Where SQL of a file and properties come from.
pub trait Around {
    /// A text with its properties put in.
    fn filled(&self, text: &str) -> String;

    /// The text of a file named by a change.
    fn file(&self, node: &Node, path: &str) -> Result<String, String>;
}

/// Reads changes.
pub struct Changes<'a> {
    /// The dialect.
    pub dialect: Dialect,
    /// What bounds it.
    pub limits: Limits,
    /// Properties and files.
    pub around: &'a dyn Around,
}

/// What is missing or cannot be told.
type Told<T> = Result<T, Unread>;

impl Changes<'_> {
    /// The steps of one change.
    pub fn steps(&self, node: &Node) -> Vec<Step> {
        let text = shown(node);
        match node.name.as_str() {
            "sql" => return self.sql(node, &node.text, node.text_line, false),
            "sqlFile" => return self.sql_file(node),
            "createProcedure" | "createFunction" | "createTrigger" | "createPackage" | "createPackageBody" => {
                return self.routine(node);
            }
            "createView" => return self.view(node),
            _ => {}
        }
        match self.operations(node) {
            Ok(operations) => operations
                .into_iter()
                .map(|(operation, line)| {
                    let mut step = Step::new(operation, line, &text);
                    step.guarded = node.is("ifExists") || node.is("ifNotExists");
                    step
                })
                .collect(),
            Err(why) => vec![Step::new(Operation::Unread(why), node.line, &text)],
        }
    }

    fn get(&self, node: &Node, name: &str) -> Option<String> {
        node.get(name).map(|value| self.around.filled(value))
    }

    /// A value that has to be there and literal.
    fn need(&self, node: &Node, name: &str) -> Told<String> {
        match self.get(node, name) {
            Some(value) if value.contains("${") => Err(Unread::Dynamic),
            Some(value) => Ok(value),
            None => Err(Unread::Syntax { words: format!("{} without {name}", node.name) }),
        }
    }

    fn ident(&self, written: &str) -> Ident {
        let bare = written.trim().trim_matches(['"', '`', '[', ']']);
        let mixed = bare.chars().any(char::is_lowercase) && bare.chars().any(char::is_uppercase);
        // Liquibase quotes for PostgreSQL what is in mixed case, and nothing else.
        if self.dialect == Dialect::Postgres && mixed { Ident::exact(bare) } else { Ident::folded(bare) }
    }

    fn idents(&self, list: &str) -> Vec<Ident> {
        list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| self.ident(name)).collect()
    }

    fn name(&self, schema: Option<String>, written: &str) -> Name {
        let schema = schema.filter(|schema| {
            !schema.contains("${") && !matches!(schema.to_lowercase().as_str(), "public" | "dbo" | "main")
        });
        Name { schema: schema.map(|schema| self.ident(&schema)), name: self.ident(written) }
    }

    fn named(&self, node: &Node, attribute: &str) -> Told<Name> {
        let written = self.need(node, attribute)?;
        Ok(self.name(self.get(node, "schemaName"), &written))
    }

    fn table(&self, node: &Node) -> Told<Name> {
        self.named(node, "tableName")
    }

    fn column_name(&self, node: &Node) -> Told<Ident> {
        self.need(node, "columnName").map(|written| self.ident(&written))
    }

    fn constraint_name(&self, node: &Node) -> Option<Ident> {
        self.get(node, "constraintName").map(|written| self.ident(&written))
    }

    /// What a change does, each part with its line.
    fn operations(&self, node: &Node) -> Told<Vec<(Operation, u32)>> {
        let one = match node.name.as_str() {
            "createTable" => self.create_table(node)?,
            "addColumn" => return self.add_column(node),
            "dropColumn" => return self.drop_column(node),
            "mergeColumns" => return self.merge_columns(node),
            "addLookupTable" => return self.lookup_table(node),
            "addNotNullConstraint" => return self.not_null(node),
            "dropTable" => {
                Operation::DropTable { table: self.table(node)?, cascade: node.is("cascadeConstraints") }
            }
            "renameTable" => Operation::Rename {
                kind: None,
                from: self.named(node, "oldTableName")?,
                to: self.named(node, "newTableName")?,
            },
            "renameColumn" => return self.rename_column(node),
            "modifyColumn" => return self.modify_column(node),
            "modifyDataType"
            | "dropNotNullConstraint"
            | "addDefaultValue"
            | "dropDefaultValue"
            | "addAutoIncrement" => self.alter(node)?,
            name if name.starts_with("create") || name.starts_with("rename") || name.starts_with("alter") => {
                self.object(node)?
            }
            name if name.starts_with("add") => self.add_constraint(node)?,
            name if name.starts_with("drop") => self.dropped(node)?,
            "insert" | "loadData" | "loadUpdateData" => self.data(node, Data::Insert)?,
            "update" => self.data(node, Data::Update)?,
            "delete" => self.data(node, Data::Delete)?,
            "tagDatabase" | "output" | "empty" | "setTableRemarks" | "setColumnRemarks" => {
                Operation::Neutral { what: node.name.clone() }
            }
            "customChange" | "executeCommand" => {
                let what = self.get(node, "class").or_else(|| self.get(node, "executable")).unwrap_or_default();
                return Err(Unread::Code { what: format!("{} {what}", node.name) });
            }
            other => return Err(Unread::UnknownStatement { head: other.to_owned() }),
        };
        Ok(vec![(one, node.line)])
    }

    /// A column as `createTable` and `addColumn` define it, and its primary key's name.
    fn column(&self, node: &Node) -> Told<(Column, bool, Option<Ident>)> {
        let name = self.ident(&self.need(node, "name")?);
        let written = self.get(node, "type");
        let mut column = Column {
            name: name.clone(),
            ty: match &written {
                Some(written) if !written.contains("${") => Maybe::Known(ty(self.dialect, written)),
                _ => Maybe::Unknown,
            },
            not_null: Maybe::Known(false),
            filled: self.default(node),
            constraints: vec![],
        };
        let serial = written.is_some_and(|written| written.to_lowercase().contains("serial"));
        if self.truth(node, "autoIncrement") == Some(true) || serial && self.dialect == Dialect::Postgres {
            column.filled = Maybe::Known(Filled::Counted { always: self.dialect == Dialect::MsSql });
        }
        let (mut primary, mut primary_name) = (false, None);
        for rules in node.all("constraints") {
            match (rules.get("nullable"), self.truth(rules, "nullable")) {
                (Some(_), Some(nullable)) => column.not_null = Maybe::Known(!nullable),
                (Some(_), None) => column.not_null = Maybe::Unknown,
                (None, _) => {}
            }
            if self.truth(rules, "primaryKey") == Some(true) {
                primary = true;
                primary_name = self.get(rules, "primaryKeyName").map(|written| self.ident(&written));
                column.not_null = Maybe::Known(true);
            }
            if self.truth(rules, "unique") == Some(true) {
                column.constraints.push(Constraint {
                    name: self.get(rules, "uniqueConstraintName").map(|written| self.ident(&written)),
                    kind: self.unique(vec![name.clone()]),
                });
            }
            if let Some(constraint) = self.references(rules, &name) {
                column.constraints.push(constraint);
            }
            if let Some(expression) = self.get(rules, "checkConstraint") {
                let kind = ConstraintKind::Check { expression, not_null: vec![] };
                column.constraints.push(Constraint { name: None, kind });
            }
        }
        Ok((column, primary, primary_name))
    }

    fn truth(&self, node: &Node, name: &str) -> Option<bool> {
        match self.get(node, name)?.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    fn unique(&self, columns: Vec<Ident>) -> ConstraintKind {
        ConstraintKind::Unique { columns, partial: None, nulls_equal: self.dialect == Dialect::MsSql }
    }

    fn references(&self, rules: &Node, column: &Ident) -> Option<Constraint> {
        let (table, to) = match self.get(rules, "references") {
            Some(references) => {
                let (table, to) = references.split_once('(').unwrap_or((&references, ""));
                (table.trim().to_owned(), to.trim_end_matches(')').to_owned())
            }
            None => (
                self.get(rules, "referencedTableName")?,
                self.get(rules, "referencedColumnNames").unwrap_or_default(),
            ),
        };
        let (schema, table) = table
            .rsplit_once('.')
            .map_or((None, table.as_str()), |(schema, table)| (Some(schema.to_owned()), table));
        Some(Constraint {
            name: self.get(rules, "foreignKeyName").map(|written| self.ident(&written)),
            kind: ConstraintKind::ForeignKey {
                columns: vec![column.clone()],
                table: self.name(schema, table),
                to: self.idents(&to),
                cascades: rules.is("deleteCascade"),
            },
        })
    }

    /// `defaultValue…`. `value…` is no default: it is what old rows are given.
    fn default(&self, node: &Node) -> Maybe<Filled> {
        if self.get(node, "generationType").is_some() && node.is("autoIncrement") {
            return Maybe::Known(Filled::Counted { always: false });
        }
        for name in [
            "defaultValue",
            "defaultValueNumeric",
            "defaultValueBoolean",
            "defaultValueDate",
            "defaultValueComputed",
        ] {
            let Some(value) = self.get(node, name) else { continue };
            if value.eq_ignore_ascii_case("null") && name != "defaultValueDate" {
                return Maybe::Known(Filled::Nothing);
            }
            let text = match name {
                "defaultValue" => quoted(&value),
                "defaultValueDate" if value.starts_with(|first: char| first.is_ascii_digit()) => quoted(&value),
                "defaultValueBoolean" if self.dialect != Dialect::Postgres => {
                    u8::from(value.eq_ignore_ascii_case("true")).to_string()
                }
                _ => value,
            };
            return Maybe::Known(Filled::Default(text));
        }
        match self.get(node, "defaultValueSequenceNext") {
            Some(sequence) => Maybe::Known(Filled::Default(format!("nextval('{sequence}')"))),
            None => Maybe::Known(Filled::Nothing),
        }
    }

    fn create_table(&self, node: &Node) -> Told<Operation> {
        let mut columns = vec![];
        let mut keys = vec![];
        let mut key_name = None;
        for child in node.all("column") {
            let (column, primary, name) = self.column(child)?;
            if primary {
                keys.push(column.name.clone());
                key_name = key_name.or(name);
            }
            columns.push(column);
        }
        let mut constraints = vec![];
        if !keys.is_empty() {
            constraints.push(Constraint { name: key_name, kind: ConstraintKind::PrimaryKey(keys) });
        }
        Ok(Operation::CreateTable {
            table: self.table(node)?,
            columns: Maybe::Known(columns),
            constraints,
            temporary: node.get("tableType").is_some_and(|kind| kind.to_lowercase().contains("temporary")),
        })
    }

    fn add_column(&self, node: &Node) -> Told<Vec<(Operation, u32)>> {
        let table = self.table(node)?;
        let mut operations = vec![];
        for child in node.all("column") {
            let (mut column, primary, name) = self.column(child)?;
            if primary {
                let kind = ConstraintKind::PrimaryKey(vec![column.name.clone()]);
                column.constraints.push(Constraint { name, kind });
            }
            operations.push((Operation::AddColumn { table: table.clone(), column }, child.line));
            let fills = child.attributes.iter().any(|(key, _)| key.starts_with("value"));
            if fills {
                let data = Operation::Data { data: Data::Update, table: Some(table.clone()), every_row: true };
                operations.push((data, child.line));
            }
        }
        if operations.is_empty() {
            return Err(Unread::Syntax { words: "addColumn without a column".to_owned() });
        }
        Ok(operations)
    }

    fn drop_column(&self, node: &Node) -> Told<Vec<(Operation, u32)>> {
        let table = self.table(node)?;
        let drop = |column| Operation::DropColumn { table: table.clone(), column, cascade: false };
        let mut operations = vec![];
        if node.get("columnName").is_some() {
            operations.push((drop(self.column_name(node)?), node.line));
        }
        for child in node.all("column") {
            let name = self.need(child, "name")?;
            operations.push((drop(self.ident(&name)), child.line));
        }
        if operations.is_empty() {
            return Err(Unread::Syntax { words: "dropColumn without a column".to_owned() });
        }
        Ok(operations)
    }

    fn rename_column(&self, node: &Node) -> Told<Vec<(Operation, u32)>> {
        let table = self.table(node)?;
        let from = self.ident(&self.need(node, "oldColumnName")?);
        let to = self.ident(&self.need(node, "newColumnName")?);
        let mut operations =
            vec![(Operation::RenameColumn { table: table.clone(), from, to: to.clone() }, node.line)];
        if let (Dialect::MySql, Some(data_type)) = (self.dialect, self.get(node, "columnDataType")) {
            let restated = self.restated(&to, &data_type, false);
            operations.push((Operation::AlterColumn { table, column: to, changes: vec![restated] }, node.line));
        }
        Ok(operations)
    }

    fn merge_columns(&self, node: &Node) -> Told<Vec<(Operation, u32)>> {
        let table = self.table(node)?;
        let into = self.ident(&self.need(node, "finalColumnName")?);
        let data_type = self.need(node, "finalColumnType")?;
        let add = Operation::AddColumn {
            table: table.clone(),
            column: Column::new(into.clone(), ty(self.dialect, &data_type)),
        };
        let fill = Operation::Data { data: Data::Update, table: Some(table.clone()), every_row: true };
        let mut operations = vec![(add, node.line), (fill, node.line)];
        for name in ["column1Name", "column2Name"] {
            let column = self.ident(&self.need(node, name)?);
            operations.push((Operation::DropColumn { table: table.clone(), column, cascade: false }, node.line));
        }
        Ok(operations)
    }

    fn lookup_table(&self, node: &Node) -> Told<Vec<(Operation, u32)>> {
        let old = self.name(self.get(node, "existingTableSchemaName"), &self.need(node, "existingTableName")?);
        let new = self.name(self.get(node, "newTableSchemaName"), &self.need(node, "newTableName")?);
        let from = self.ident(&self.need(node, "existingColumnName")?);
        let to = self.ident(&self.need(node, "newColumnName")?);
        let ty = self.get(node, "newColumnDataType").map(|written| ty(self.dialect, &written));
        let column = Column {
            name: to.clone(),
            ty: ty.map_or(Maybe::Unknown, Maybe::Known),
            not_null: Maybe::Known(true),
            filled: Maybe::Known(Filled::Nothing),
            constraints: vec![],
        };
        let create = Operation::CreateTable {
            table: new.clone(),
            columns: Maybe::Known(vec![column]),
            constraints: vec![Constraint { name: None, kind: ConstraintKind::PrimaryKey(vec![to.clone()]) }],
            temporary: false,
        };
        let kind = ConstraintKind::ForeignKey { columns: vec![from], table: new, to: vec![to], cascades: false };
        let constraint = Constraint { name: self.constraint_name(node), kind };
        let key = Operation::AddConstraint { table: old, constraint, checked: Checked::All };
        Ok(vec![(create, node.line), (key, node.line)])
    }

    /// A column anew, of which only its type, and perhaps that it refuses NULL, is said.
    fn restated(&self, column: &Ident, data_type: &str, not_null: bool) -> ColumnChange {
        let mut restated = Column::new(column.clone(), ty(self.dialect, data_type));
        restated.not_null = Maybe::Known(not_null);
        ColumnChange::Restated(restated)
    }

    fn nullability(&self, node: &Node, column: &Ident, not_null: bool) -> ColumnChange {
        let data_type = self.get(node, "columnDataType").filter(|written| !written.contains("${"));
        match (self.dialect, data_type) {
            (Dialect::MySql, Some(data_type)) => self.restated(column, &data_type, not_null),
            (Dialect::MsSql, Some(data_type)) => {
                ColumnChange::RestatedType { ty: ty(self.dialect, &data_type), not_null }
            }
            _ if not_null => ColumnChange::NotNull,
            _ => ColumnChange::Null,
        }
    }

    fn not_null(&self, node: &Node) -> Told<Vec<(Operation, u32)>> {
        let table = self.table(node)?;
        let column = self.column_name(node)?;
        let mut operations = vec![];
        if node.get("defaultNullValue").is_some() {
            let data = Operation::Data { data: Data::Update, table: Some(table.clone()), every_row: false };
            operations.push((data, node.line));
        }
        if node.get("validate").is_some_and(|value| value.eq_ignore_ascii_case("false")) {
            let what = format!("{} refuses NULL from new rows", column.written);
            operations.push((Operation::Review { what, table: Some(table.clone()) }, node.line));
        }
        let changes = vec![self.nullability(node, &column, true)];
        operations.push((Operation::AlterColumn { table, column, changes }, node.line));
        Ok(operations)
    }

    fn alter(&self, node: &Node) -> Told<Operation> {
        let table = self.table(node)?;
        let column = self.column_name(node)?;
        let change = match node.name.as_str() {
            "modifyDataType" => {
                let data_type = self.need(node, "newDataType")?;
                match self.dialect {
                    Dialect::MySql => {
                        let upper = data_type.to_uppercase();
                        let (base, not_null) = match upper.find(" NOT NULL") {
                            Some(at) => (data_type.get(..at).unwrap_or(&data_type), true),
                            None => (data_type.as_str(), false),
                        };
                        self.restated(&column, base, not_null)
                    }
                    Dialect::MsSql => {
                        ColumnChange::RestatedType { ty: ty(self.dialect, &data_type), not_null: false }
                    }
                    _ => ColumnChange::Type(ty(self.dialect, &data_type)),
                }
            }
            "dropNotNullConstraint" => self.nullability(node, &column, false),
            "addDefaultValue" => match self.default(node) {
                Maybe::Known(filled) => ColumnChange::Filled(filled),
                Maybe::Unknown => return Err(Unread::Dynamic),
            },
            "dropDefaultValue" => ColumnChange::Filled(Filled::Nothing),
            _ => ColumnChange::Filled(Filled::Counted { always: self.dialect == Dialect::MsSql }),
        };
        Ok(Operation::AlterColumn { table, column, changes: vec![change] })
    }

    /// What Liquibase 1.9 had: columns anew.
    fn modify_column(&self, node: &Node) -> Told<Vec<(Operation, u32)>> {
        let table = self.table(node)?;
        let mut operations = vec![];
        for child in node.all("column") {
            let (column, ..) = self.column(child)?;
            let changes = match (self.dialect, &column.ty) {
                (Dialect::MySql | Dialect::MsSql, _) => vec![ColumnChange::Restated(column.clone())],
                (_, Maybe::Known(ty)) => vec![ColumnChange::Type(ty.clone())],
                _ => return Err(Unread::Dynamic),
            };
            let operation = Operation::AlterColumn { table: table.clone(), column: column.name, changes };
            operations.push((operation, child.line));
        }
        Ok(operations)
    }

    fn add_constraint(&self, node: &Node) -> Told<Operation> {
        let (table, kind) = match node.name.as_str() {
            "addForeignKeyConstraint" => {
                let base = self.need(node, "baseTableName")?;
                let to = self.need(node, "referencedTableName")?;
                let acts = |event: &str| {
                    node.get(event).is_some_and(|action| {
                        matches!(action.to_ascii_uppercase().as_str(), "CASCADE" | "SET NULL" | "SET DEFAULT")
                    })
                };
                let kind = ConstraintKind::ForeignKey {
                    columns: self.idents(&self.need(node, "baseColumnNames")?),
                    table: self.name(self.get(node, "referencedTableSchemaName"), &to),
                    to: self.idents(&self.need(node, "referencedColumnNames")?),
                    cascades: acts("onDelete") || acts("onUpdate") || node.is("deleteCascade"),
                };
                (self.name(self.get(node, "baseTableSchemaName"), &base), kind)
            }
            "addUniqueConstraint" => {
                (self.table(node)?, self.unique(self.idents(&self.need(node, "columnNames")?)))
            }
            "addPrimaryKey" => {
                let columns = self.idents(&self.need(node, "columnNames")?);
                (self.table(node)?, ConstraintKind::PrimaryKey(columns))
            }
            "addCheckConstraint" => {
                let expression =
                    match self.get(node, "constraintBody").or_else(|| self.get(node, "checkConstraint")) {
                        Some(expression) => expression,
                        None => self.around.filled(node.text.trim()),
                    };
                (self.table(node)?, ConstraintKind::Check { expression, not_null: vec![] })
            }
            other => return Err(Unread::UnknownStatement { head: other.to_owned() }),
        };
        let new_only = node.get("validate").is_some_and(|value| value.eq_ignore_ascii_case("false"));
        let disabled = node.is("disabled");
        let checked = match (disabled, new_only) {
            (true, _) => Checked::Nothing,
            (_, true) => Checked::NewRows,
            _ => Checked::All,
        };
        Ok(Operation::AddConstraint {
            table,
            constraint: Constraint { name: self.constraint_name(node), kind },
            checked,
        })
    }

    fn dropped(&self, node: &Node) -> Told<Operation> {
        let constraint = |table, said: &str| Operation::DropConstraint {
            table,
            constraint: self.constraint_name(node),
            said: Some(said.to_owned()),
            cascade: false,
        };
        let drop = |kind, name| Operation::Drop { kind, name, table: None, cascade: false };
        Ok(match node.name.as_str() {
            "dropPrimaryKey" => constraint(self.table(node)?, "primary-key"),
            "dropUniqueConstraint" => constraint(self.table(node)?, "unique"),
            "dropCheckConstraint" => constraint(self.table(node)?, "check"),
            "dropForeignKeyConstraint" => {
                let base = self.need(node, "baseTableName")?;
                constraint(self.name(self.get(node, "baseTableSchemaName"), &base), "foreign-key")
            }
            "dropAllForeignKeyConstraints" => {
                let base = self.need(node, "baseTableName")?;
                let table = Some(self.name(self.get(node, "baseTableSchemaName"), &base));
                Operation::Review { what: "all foreign keys of a table are dropped".to_owned(), table }
            }
            "dropIndex" => {
                let name = self.need(node, "indexName")?;
                let table = node.get("tableName").map(|_| self.table(node)).transpose()?;
                Operation::DropIndex { name: self.name(self.get(node, "schemaName"), &name), table }
            }
            "dropView" => drop(Kind::View, self.named(node, "viewName")?),
            "dropProcedure" => drop(Kind::Procedure, self.named(node, "procedureName")?),
            "dropFunction" => drop(Kind::Function, self.named(node, "functionName")?),
            "dropTrigger" => Operation::Drop {
                kind: Kind::Trigger,
                name: self.named(node, "triggerName")?,
                table: self.table(node).ok(),
                cascade: false,
            },
            "dropSequence" => drop(Kind::Sequence, self.named(node, "sequenceName")?),
            "dropSynonym" => drop(Kind::Synonym, self.named(node, "synonymName")?),
            other => return Err(Unread::UnknownStatement { head: other.to_owned() }),
        })
    }

    /// Indexes, sequences, renames of what is no table.
    fn object(&self, node: &Node) -> Told<Operation> {
        let rename = |kind, from, to| Operation::Rename { kind: Some(kind), from, to };
        Ok(match node.name.as_str() {
            "createIndex" => {
                let table = self.table(node)?;
                let mut columns = vec![];
                for child in node.all("column") {
                    columns.push(self.ident(&self.need(child, "name")?));
                }
                let name = self.get(node, "indexName").map(|written| self.ident(&written));
                if self.truth(node, "unique") == Some(true) {
                    let kind = self.unique(columns);
                    Operation::AddConstraint { table, constraint: Constraint { name, kind }, checked: Checked::All }
                } else {
                    let name = name.map(|name| Name { schema: table.schema.clone(), name });
                    Operation::CreateIndex { name, table, columns }
                }
            }
            "createSequence" => {
                Operation::Create { kind: Kind::Sequence, name: self.named(node, "sequenceName")?, table: None }
            }
            "createSynonym" => {
                Operation::Create { kind: Kind::Synonym, name: self.named(node, "synonymName")?, table: None }
            }
            "alterSequence" => Operation::Review { what: "a sequence is altered".to_owned(), table: None },
            "renameView" => rename(Kind::View, self.named(node, "oldViewName")?, self.named(node, "newViewName")?),
            "renameSequence" => {
                rename(Kind::Sequence, self.named(node, "oldSequenceName")?, self.named(node, "newSequenceName")?)
            }
            "renameTrigger" => {
                rename(Kind::Trigger, self.named(node, "oldTriggerName")?, self.named(node, "newTriggerName")?)
            }
            other => return Err(Unread::UnknownStatement { head: other.to_owned() }),
        })
    }

    fn data(&self, node: &Node, data: Data) -> Told<Operation> {
        let bare =
            node.get("where").is_none() && node.first("where").is_none_or(|found| found.text.trim().is_empty());
        Ok(Operation::Data { data, table: Some(self.table(node)?), every_row: bare && data != Data::Insert })
    }

    fn view(&self, node: &Node) -> Vec<Step> {
        let view = match self.named(node, "viewName") {
            Ok(view) => view,
            Err(why) => return vec![Step::new(Operation::Unread(why), node.line, &shown(node))],
        };
        let replace = node.is("replaceIfExists");
        let select = self.get(node, "selectQuery").unwrap_or_else(|| self.around.filled(&node.text));
        let whole = node.is("fullDefinition");
        let text = match (whole, self.get(node, "path")) {
            (_, Some(path)) => match self.around.file(node, &path) {
                Ok(text) => text,
                Err(words) => {
                    let why = Unread::NoContent { words };
                    return vec![Step::new(Operation::Unread(why), node.line, &shown(node))];
                }
            },
            (true, None) => select.trim().to_owned(),
            (false, None) => select,
        };
        let text = if whole { text } else { format!("CREATE VIEW {view} AS {text}") };
        let read = crate::sql::read(self.dialect, &text, self.limits);
        let operation = match read.into_iter().next().map(|step| step.operation) {
            Some(Operation::CreateView { columns, materialized, simple_over, .. }) => {
                Operation::CreateView { view, columns, replace, materialized, simple_over }
            }
            _ => Operation::CreateView {
                view,
                columns: Maybe::Unknown,
                replace,
                materialized: false,
                simple_over: None,
            },
        };
        // The model compares views by their text, and looks in it for names.
        let body = Some(crate::sql::body::fold(&text, self.dialect));
        vec![Step { body, ..Step::new(operation, node.line, &text) }]
    }

    fn routine(&self, node: &Node) -> Vec<Step> {
        if let Some(path) = self.get(node, "path") {
            return self.of_file(node, &path, true);
        }
        let text = if node.text.trim().is_empty() {
            self.get(node, "procedureText").or_else(|| self.get(node, "procedureBody")).unwrap_or_default()
        } else {
            node.text.clone()
        };
        let steps = self.sql(node, &text, node.text_line, true);
        if !steps.is_empty() {
            return steps;
        }
        let operation = match self.named(node, "procedureName") {
            Ok(routine) => Operation::CreateRoutine {
                kind: Kind::Procedure,
                routine,
                signature: Signature { parameters: Maybe::Unknown, returns: None },
                replace: true,
            },
            Err(why) => Operation::Unread(why),
        };
        vec![Step::new(operation, node.line, &shown(node))]
    }

    /// SQL as it stands in a change. `whole`: it is one statement, whatever stands in it.
    fn sql(&self, node: &Node, text: &str, line: u32, whole: bool) -> Vec<Step> {
        let text = self.around.filled(text);
        let delimiter = self.get(node, "endDelimiter");
        let unsplit = whole || node.get("splitStatements").is_some_and(|value| value.eq_ignore_ascii_case("false"));
        statements(self.dialect, &text, line, delimiter.as_deref(), unsplit, self.limits)
    }

    fn sql_file(&self, node: &Node) -> Vec<Step> {
        match self.need(node, "path") {
            Ok(path) => self.of_file(node, &path, false),
            Err(why) => vec![Step::new(Operation::Unread(why), node.line, &shown(node))],
        }
    }

    /// SQL in a file of its own: its steps stand at the change that names it.
    fn of_file(&self, node: &Node, path: &str, whole: bool) -> Vec<Step> {
        let mut steps = match self.around.file(node, path) {
            Ok(text) => self.sql(node, &text, 1, whole),
            Err(words) => {
                vec![Step::new(Operation::Unread(Unread::NoContent { words }), node.line, &shown(node))]
            }
        };
        for step in &mut steps {
            step.line = node.line;
        }
        steps
    }
}

/// What a text of SQL does that begins on a line; a delimiter of its own is made the dialect's.
pub fn statements(
    dialect: Dialect,
    text: &str,
    line: u32,
    delimiter: Option<&str>,
    unsplit: bool,
    limits: Limits,
) -> Vec<Step> {
    let delimiter = delimiter.map(|mark| mark.replace("\\n", "").replace("\\s*", "").trim().to_owned());
    let delimiter = delimiter.filter(|mark| !matches!(mark.as_str(), "" | ";"));
    // One statement with `;` in it, or statements between other marks: only MySQL needs to be told.
    let mark = match (&delimiter, unsplit) {
        (Some(mark), _) => Some(mark.clone()),
        (None, true) if text.to_ascii_uppercase().contains("BEGIN") => Some("~~~~".to_owned()),
        _ => None,
    };
    let (text, before) = match (dialect, mark) {
        (Dialect::MySql, Some(mark)) => (format!("DELIMITER {mark}\n{text}\n{mark}\n"), 1),
        (Dialect::MsSql | Dialect::Oracle, _) | (_, None) => (text.to_owned(), 0),
        (_, Some(mark)) => (text.replace(&mark, &format!(";{}", " ".repeat(mark.len().saturating_sub(1)))), 0),
    };
    let mut steps = crate::sql::read(dialect, &text, limits);
    for step in &mut steps {
        step.line = step.line.saturating_add(line).saturating_sub(1 + before).max(1);
    }
    steps
}

/// A change as people would know it again.
pub fn shown(node: &Node) -> String {
    let mut text = format!("<{}", node.name);
    for (key, value) in node.attributes.iter().take(6) {
        text.push_str(&format!(" {key}=\"{value}\""));
    }
    for child in node.all("column").take(6) {
        text.push_str(&format!(" {}", child.get("name").unwrap_or_default()));
    }
    text.push('>');
    text.push_str(&node.text);
    crate::operation::one_line(&text)
}
