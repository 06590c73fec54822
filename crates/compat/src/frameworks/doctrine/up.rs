//! What a migration's `up()` does: its SQL, and its calls of the Schema API.
//!
//! Doctrine runs what `up()` executes itself at once, then the statements of `addSql` in order, then
//! the difference that the Schema API made: so the steps stand.

use std::collections::HashMap;

use tree_sitter::Node;

use crate::migration::Limits;
use crate::operation::{Data, Operation, Step, Unread};
use crate::sql::Dialect;

use super::super::php::{Call, Host, Object, Run, Value, sql};
use super::super::syntax::line_of;
use super::types::Spec;

/// What is gathered while `up()` is followed.
pub struct Up {
    pub(super) dialect: Dialect,
    pub(super) limits: Limits,
    now: Vec<Step>,
    sql: Vec<Step>,
    pub(super) schema: Vec<Step>,
    /// Tables made here: their steps.
    pub(super) created: HashMap<String, usize>,
    /// What is known of the types of columns touched here.
    pub(super) specs: HashMap<(String, String), Spec>,
}

impl Up {
    /// Nothing yet.
    pub fn new(dialect: Dialect, limits: Limits) -> Self {
        Self {
            dialect,
            limits,
            now: vec![],
            sql: vec![],
            schema: vec![],
            created: HashMap::new(),
            specs: HashMap::new(),
        }
    }

    /// The steps in the order in which Doctrine runs them.
    pub fn steps(self) -> Vec<Step> {
        let mut steps = self.now;
        steps.extend(self.sql);
        steps.extend(self.schema);
        steps
    }

    /// A step of the Schema API.
    pub(super) fn push<'t>(&mut self, run: &Run<'t>, call: &Call<'t>, operation: Operation, table: Option<&str>) {
        let mut step = Step::new(operation, call.line, run.text(call.node));
        run.mark(&mut step, table);
        self.schema.push(step);
    }

    /// A step of the Schema API that the text does not decide.
    pub(super) fn code<'t>(&mut self, run: &Run<'t>, call: &Call<'t>) {
        let what = crate::operation::one_line(run.text(call.node));
        self.push(run, call, Operation::Unread(Unread::Code { what }), None);
    }

    /// SQL, with the conditions it stands under.
    fn statements<'t>(&self, run: &Run<'t>, call: &Call<'t>, bound: bool) -> Vec<Step> {
        let mut steps = match call.argument(0, "sql").or_else(|| call.argument(0, "query")) {
            Some(Value::Text { text, line }) => {
                let line = if *line == 0 { call.line } else { *line };
                sql::steps(self.dialect, text, line, bound, self.limits)
            }
            _ => vec![Step::new(Operation::Unread(Unread::Dynamic), call.line, run.text(call.node))],
        };
        for step in &mut steps {
            run.mark(step, None);
        }
        steps
    }

    fn this<'t>(&mut self, run: &mut Run<'t>, call: &Call<'t>) -> Option<Value<'t>> {
        match call.name.as_str() {
            "addSql" => {
                let bound = call.arguments.len() > 1;
                let steps = self.statements(run, call, bound);
                self.sql.extend(steps);
            }
            "skipIf" => match call.argument(0, "condition").map(truth_of) {
                Some(Ok(true)) => run.stop(),
                Some(Ok(false)) => {}
                Some(Err(table)) => run.depend(table),
                None => run.depend(None),
            },
            // A migration that is aborted stops the deployment: what follows is what matters.
            "abortIf" | "warnIf" | "write" | "getDescription" => {}
            "throwIrreversibleMigrationException" => run.stop(),
            _ => return None,
        }
        Some(Value::Null)
    }

    fn connection<'t>(&mut self, run: &mut Run<'t>, call: &Call<'t>) -> Result<Value<'t>, (Node<'t>, usize)> {
        let name = call.name.as_str();
        Ok(match name {
            "getDatabasePlatform" => Value::Object(Object::of("platform")),
            "createSchemaManager" | "getSchemaManager" => Value::Object(Object::of("schema-manager")),
            "executeStatement" | "exec" | "executeUpdate" | "query" | "executeQuery" | "prepare" => {
                let steps = self.statements(run, call, call.arguments.len() > 1 || name == "prepare");
                self.now.extend(steps.into_iter().filter(|step| {
                    // What only reads changes nothing.
                    !matches!(step.operation, Operation::Data { data: Data::Select, .. })
                }));
                if name == "prepare" { Value::Object(Object::of("statement")) } else { Value::Unknown }
            }
            "insert" | "update" | "delete" => {
                let data = match name {
                    "insert" => Data::Insert,
                    "update" => Data::Update,
                    _ => Data::Delete,
                };
                let table = call.text(0, "table").map(|table| sql::name(self.dialect, table, false));
                let every_row = name != "insert" && call.arguments.len() < if name == "update" { 3 } else { 2 };
                let mut step =
                    Step::new(Operation::Data { data, table, every_row }, call.line, run.text(call.node));
                run.mark(&mut step, None);
                self.now.push(step);
                Value::Unknown
            }
            "transactional" => match call.argument(0, "func") {
                Some(Value::Closure(closure, program)) => return Err((*closure, *program)),
                _ => {
                    self.code(run, call);
                    Value::Unknown
                }
            },
            "createQueryBuilder" => Value::Object(Object::of("query")),
            _ => Value::Unknown,
        })
    }

    fn query<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Value<'t> {
        let data = match call.name.as_str() {
            "update" => Data::Update,
            "insert" => Data::Insert,
            "delete" => Data::Delete,
            name if name.starts_with("fetch") || name.starts_with("get") || name.starts_with("execute") => {
                return Value::Unknown;
            }
            _ => return Value::Object(object.clone()),
        };
        let table = call.text(0, "table").map(|table| sql::name(self.dialect, table, false));
        let mut step = Step::new(Operation::Data { data, table, every_row: false }, call.line, run.text(call.node));
        run.mark(&mut step, None);
        self.now.push(step);
        Value::Object(object.clone())
    }
}

/// Whether it holds; else the table on which it depends.
fn truth_of(value: &Value<'_>) -> Result<bool, Option<String>> {
    match value {
        Value::There(table) => Err(Some(table.clone().unwrap_or_default())),
        Value::Truth(truth) => Ok(*truth),
        _ => Err(None),
    }
}

impl<'t> Host<'t> for Up {
    fn method(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Option<Value<'t>> {
        match object.kind {
            "this" => self.this(run, call),
            "connection" => Some(match self.connection(run, call) {
                Ok(value) => value,
                Err((closure, program)) => {
                    run.closure(self, closure, program, &[Value::Object(Object::of("connection"))])
                }
            }),
            "platform" => Some(match call.name.as_str() {
                "getName" => Value::of_text(match self.dialect {
                    Dialect::Postgres => "postgresql",
                    Dialect::MySql => "mysql",
                    Dialect::Sqlite => "sqlite",
                    Dialect::MsSql => "mssql",
                    Dialect::Oracle => "oracle",
                }),
                _ => Value::Unknown,
            }),
            "schema-manager" => match call.name.as_str() {
                "tablesExist" | "tableExists" => {
                    Some(Value::There(call.texts(0, "names").and_then(|names| names.into_iter().next())))
                }
                name if name.starts_with("list") || name.starts_with("introspect") || name.starts_with("get") => {
                    Some(Value::Unknown)
                }
                "createSchema" => Some(Value::Unknown),
                _ => None,
            },
            "statement" => Some(Value::Unknown),
            "query" => Some(self.query(run, object, call)),
            "schema" => self.schema_call(run, call),
            "table" => self.table_call(run, object, call),
            "column" => self.column_call(run, object, call),
            _ => None,
        }
    }

    fn scoped(&mut self, _run: &mut Run<'t>, scope: &str, call: &Call<'t>) -> Option<Value<'t>> {
        match (scope, call.name.as_str()) {
            ("Type", "getType") => Some(call.argument(0, "name").cloned().unwrap_or(Value::Unknown)),
            ("Type", "addType" | "overrideType" | "hasType") | ("Uuid" | "Ulid" | "DateTime", _) => {
                Some(Value::Unknown)
            }
            _ => None,
        }
    }

    fn function(&mut self, _run: &mut Run<'t>, call: &Call<'t>) -> Option<Value<'t>> {
        match call.name.trim_start_matches('\\') {
            "is_a" => {
                let class = call.text(1, "class")?;
                self.is_a(call.argument(0, "object_or_class")?, class).map(Value::Truth)
            }
            "env" | "dump" => Some(Value::Unknown),
            _ => None,
        }
    }

    fn property(&mut self, object: &Object, name: &str) -> Value<'t> {
        match (object.kind, name) {
            ("this", "connection") => Value::Object(Object::of("connection")),
            ("this", "platform") => Value::Object(Object::of("platform")),
            ("this", "sm") => Value::Object(Object::of("schema-manager")),
            _ => Value::Unknown,
        }
    }

    fn is_a(&self, value: &Value<'t>, class: &str) -> Option<bool> {
        let Value::Object(object) = value else { return None };
        if object.kind != "platform" {
            return None;
        }
        let lower = class.to_ascii_lowercase();
        let named = match lower.as_str() {
            name if name.starts_with("postgre") => Dialect::Postgres,
            "mysqlplatform" | "abstractmysqlplatform" => Dialect::MySql,
            name if name.starts_with("sqlite") => Dialect::Sqlite,
            name if name.starts_with("sqlserver") => Dialect::MsSql,
            name if name.starts_with("oracle") => Dialect::Oracle,
            // MariaDB or MySQL of some version: both are read as one dialect.
            name if self.dialect == Dialect::MySql
                && (name.starts_with("mysql") || name.starts_with("mariadb")) =>
            {
                return None;
            }
            name if name.starts_with("mysql") || name.starts_with("mariadb") => return Some(false),
            _ => return None,
        };
        Some(named == self.dialect)
    }

    fn unread(&mut self, run: &Run<'t>, node: Node<'t>, why: Unread) {
        let why = match why {
            Unread::Code { what } => Unread::Code { what: crate::operation::one_line(&what) },
            other => other,
        };
        let mut step = Step::new(Operation::Unread(why), line_of(node), run.text(node));
        run.mark(&mut step, None);
        self.sql.push(step);
    }
}
