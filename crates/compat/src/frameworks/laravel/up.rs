//! What a migration's `up()` does: `Schema::…`, `DB::…`, models.

use tree_sitter::Node;

use crate::migration::Limits;
use crate::operation::{Data, Operation, Step, Unread};
use crate::sql::Dialect;

use super::super::php::{Call, Host, Object, Run, Value, sql};
use super::super::syntax::line_of;

/// Where a column or a constraint that is being described stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    /// The step.
    pub step: usize,
    /// Of a table that is made: which column or constraint.
    pub within: Option<usize>,
}

/// A blueprint that is being filled.
pub(super) struct Blueprint {
    /// The step that makes it.
    pub made: Option<usize>,
    /// How many conditions held where it began.
    pub depth: usize,
}

/// A column that is being described.
pub(super) struct Described {
    /// The blueprint it is of.
    pub blueprint: usize,
    /// Where it stands.
    pub spot: Spot,
    /// What was said of NULL.
    pub nullable: Option<bool>,
    /// Where its foreign key stands, once it has one.
    pub foreign: Option<Spot>,
}

/// What is gathered while `up()` is followed.
pub struct Up {
    pub(super) dialect: Dialect,
    pub(super) limits: Limits,
    /// `change()` says the whole column anew (Laravel 11 and later).
    pub(super) restates: bool,
    pub(super) steps: Vec<Step>,
    pub(super) blueprints: Vec<Blueprint>,
    pub(super) columns: Vec<Described>,
}

impl Up {
    /// Nothing yet.
    pub fn new(dialect: Dialect, limits: Limits, restates: bool) -> Self {
        Self { dialect, limits, restates, steps: vec![], blueprints: vec![], columns: vec![] }
    }

    /// The steps.
    pub fn steps(self) -> Vec<Step> {
        self.steps
    }

    /// A step; where it stands.
    pub(super) fn push<'t>(
        &mut self,
        run: &Run<'t>,
        call: &Call<'t>,
        operation: Operation,
        table: Option<&str>,
    ) -> usize {
        let mut step = Step::new(operation, call.line, &tail(run.text(call.node), call));
        run.mark(&mut step, table);
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// A step that the text does not decide.
    pub(super) fn code<'t>(&mut self, run: &Run<'t>, call: &Call<'t>) {
        let what = crate::operation::one_line(run.text(call.node));
        self.push(run, call, Operation::Unread(Unread::Code { what }), None);
    }

    fn statements<'t>(&mut self, run: &Run<'t>, call: &Call<'t>) {
        let mut steps = match call.arguments.first().map(|argument| &argument.value) {
            Some(Value::Text { text, line }) => {
                let line = if *line == 0 { call.line } else { *line };
                sql::steps(self.dialect, text, line, call.arguments.len() > 1, self.limits)
            }
            Some(Value::Object(object)) if object.kind == "expression" && !object.names.is_empty() => {
                sql::steps(self.dialect, object.name(0), call.line, false, self.limits)
            }
            _ => vec![Step::new(Operation::Unread(Unread::Dynamic), call.line, run.text(call.node))],
        };
        for step in &mut steps {
            run.mark(step, None);
        }
        self.steps.extend(steps);
    }

    pub(super) fn data<'t>(&mut self, run: &Run<'t>, call: &Call<'t>, data: Data, object: &Object) {
        let table = (!object.name(0).is_empty()).then(|| sql::name(self.dialect, object.name(0), true));
        let every_row = data != Data::Insert && object.name(1).is_empty();
        self.push(run, call, Operation::Data { data, table, every_row }, None);
    }

    /// The driver's name, as Laravel says it.
    fn driver(&self) -> Value<'static> {
        Value::of_text(match self.dialect {
            Dialect::Postgres => "pgsql",
            Dialect::MySql => "mysql",
            Dialect::Sqlite => "sqlite",
            Dialect::MsSql => "sqlsrv",
            Dialect::Oracle => "oracle",
        })
    }

    /// A call on `DB`, or on a connection.
    fn database<'t>(&mut self, run: &mut Run<'t>, call: &Call<'t>) -> Value<'t> {
        match call.name.as_str() {
            "query" if call.arguments.is_empty() => Value::Object(Object::named("query", ["", ""])),
            "statement" | "unprepared" | "insert" | "update" | "delete" | "affectingStatement" | "exec"
            | "query" => {
                self.statements(run, call);
                Value::Unknown
            }
            "raw" => match call.text(0, "value") {
                Some(text) => Value::Object(Object::named("expression", [text])),
                None => Value::Object(Object::of("expression")),
            },
            "table" => match call.text(0, "table") {
                Some(table) => Value::Object(Object::named("query", [table.split(" as ").next().unwrap_or(table)])),
                None => Value::Object(Object::named("query", [""])),
            },
            "connection" | "getConnection" | "getFacadeRoot" => Value::Object(Object::of("database")),
            "getSchemaBuilder" => Value::Object(Object::of("schema")),
            "getDriverName" => self.driver(),
            "getTablePrefix" => Value::of_text(""),
            "getPdo" | "getReadPdo" => Value::Object(Object::of("database")),
            "transaction" => match call.arguments.first().map(|argument| argument.value.clone()) {
                Some(Value::Closure(closure, program)) => run.closure(self, closure, program, &[]),
                _ => {
                    self.code(run, call);
                    Value::Unknown
                }
            },
            _ => Value::Unknown,
        }
    }

    fn query<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Value<'t> {
        let name = call.name.as_str();
        let lower = name.to_ascii_lowercase();
        let data = match name {
            "update" | "increment" | "decrement" | "updateOrInsert" | "updateOrCreate" | "updateQuietly"
            | "touch" | "restore" | "incrementEach" | "updateFrom" => Data::Update,
            "delete" | "forceDelete" => Data::Delete,
            "truncate" => Data::Truncate,
            _ if lower.starts_with("insert")
                || lower.contains("create")
                || matches!(name, "upsert" | "save" | "make") =>
            {
                Data::Insert
            }
            _ => return self.reading(run, object, call),
        };
        self.data(run, call, data, object);
        Value::Unknown
    }

    /// Building a query and reading its rows.
    fn reading<'t>(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Value<'t> {
        let lower = call.name.to_ascii_lowercase();
        let closure = call.arguments.iter().find_map(|argument| match argument.value {
            Value::Closure(closure, program) => Some((closure, program)),
            _ => None,
        });
        if lower.contains("where") || matches!(lower.as_str(), "find" | "findorfail" | "wherein" | "limit" | "take")
        {
            let names = [object.name(0).to_owned(), "where".to_owned()];
            return Value::Object(Object { kind: "query", names: names.into(), at: 0 });
        }
        if let Some((closure, program)) =
            closure.filter(|_| lower.contains("chunk") || lower.contains("each") || lower == "map")
        {
            run.perhaps(self, |run, host| {
                run.closure(host, closure, program, &[]);
            });
            return Value::Unknown;
        }
        let reads = [
            "get",
            "first",
            "value",
            "pluck",
            "count",
            "exists",
            "doesntexist",
            "max",
            "min",
            "sum",
            "all",
            "cursor",
            "lazy",
            "sole",
            "toarray",
            "tosql",
            "paginate",
        ];
        if reads.iter().any(|read| lower.starts_with(read)) {
            return Value::Unknown;
        }
        Value::Object(object.clone())
    }
}

/// The text of a call without the chain before it.
fn tail(text: &str, call: &Call<'_>) -> String {
    match text.rfind(&format!("->{}", call.name)) {
        Some(at) if text.len() > 300 => text.get(at + 2..).unwrap_or(text).to_owned(),
        _ => text.to_owned(),
    }
}

/// Classes that have nothing to do with the schema.
fn harmless(scope: &str) -> bool {
    const NAMES: [&str; 24] = [
        "Carbon",
        "CarbonImmutable",
        "Str",
        "Arr",
        "Log",
        "Hash",
        "Uuid",
        "Ulid",
        "Config",
        "Cache",
        "Date",
        "DateTime",
        "Builder",
        "App",
        "Lang",
        "Storage",
        "File",
        "Collection",
        "Number",
        "Crypt",
        "URL",
        "Event",
        "Fortify",
        "ScoutHelper",
    ];
    NAMES.contains(&scope) || scope.ends_with("Helper") || scope.ends_with("Enum")
}

impl<'t> Host<'t> for Up {
    fn method(&mut self, run: &mut Run<'t>, object: &Object, call: &Call<'t>) -> Option<Value<'t>> {
        match object.kind {
            "schema" => Some(self.schema_call(run, call)),
            "database" => Some(self.database(run, call)),
            "query" => Some(self.query(run, object, call)),
            "blueprint" => Some(self.blueprint_call(run, object, call)),
            "column" => Some(self.column_call(run, object, call)),
            "foreign" => Some(self.foreign_call(run, object, call)),
            "expression" => Some(Value::Unknown),
            "this" => match call.name.as_str() {
                "getConnection" => Some(Value::Null),
                _ => None,
            },
            _ => None,
        }
    }

    fn scoped(&mut self, run: &mut Run<'t>, scope: &str, call: &Call<'t>) -> Option<Value<'t>> {
        match scope {
            "Schema" => return Some(self.schema_call(run, call)),
            "DB" => return Some(self.database(run, call)),
            "Artisan" | "Process" | "parent" => return None,
            _ if harmless(scope) => return Some(Value::Unknown),
            _ => {}
        }
        let object = Object::named("query", ["", ""]);
        match call.name.as_str() {
            "query" | "withoutGlobalScopes" | "withTrashed" | "on" | "with" | "select" | "withoutGlobalScope" => {
                Some(Value::Object(object))
            }
            "cases" | "values" | "tryFrom" | "from" => Some(Value::Unknown),
            "unguard" | "reguard" | "unsetEventDispatcher" | "flushEventListeners" => Some(Value::Null),
            "withoutEvents" | "unguarded" | "withoutTimestamps" => {
                match call.arguments.first().map(|argument| argument.value.clone()) {
                    Some(Value::Closure(closure, program)) => Some(run.closure(self, closure, program, &[])),
                    _ => None,
                }
            }
            name => {
                let lower = name.to_ascii_lowercase();
                let known = [
                    "where",
                    "find",
                    "first",
                    "all",
                    "get",
                    "chunk",
                    "each",
                    "pluck",
                    "count",
                    "insert",
                    "update",
                    "create",
                    "upsert",
                    "truncate",
                    "firstor",
                    "forcecreate",
                    "lazy",
                    "cursor",
                    "latest",
                    "orderby",
                    "has",
                    "doesnthave",
                    "exists",
                    "max",
                    "min",
                    "destroy",
                    "orwhere",
                ];
                if !known.iter().any(|known| lower.starts_with(known)) {
                    return None;
                }
                if lower == "destroy" {
                    self.data(run, call, Data::Delete, &Object::named("query", ["", "where"]));
                    return Some(Value::Unknown);
                }
                Some(self.query(run, &object, call))
            }
        }
    }

    fn function(&mut self, _run: &mut Run<'t>, call: &Call<'t>) -> Option<Value<'t>> {
        let known = [
            "config",
            "env",
            "app",
            "now",
            "today",
            "collect",
            "info",
            "logger",
            "resolve",
            "optional",
            "tap",
            "data_get",
            "data_set",
            "bcrypt",
            "encrypt",
            "decrypt",
            "trans",
            "__",
            "base_path",
            "database_path",
            "storage_path",
            "resource_path",
            "public_path",
            "config_path",
            "app_path",
            "filled",
            "blank",
            "value",
            "with",
            "class_basename",
            "report",
            "throw_if",
            "throw_unless",
            "abort_if",
            "fake",
            "str",
            "rescue",
            "cache",
            "request",
        ];
        known.contains(&call.name.trim_start_matches('\\')).then_some(Value::Unknown)
    }

    fn property(&mut self, _object: &Object, _name: &str) -> Value<'t> {
        Value::Unknown
    }

    fn is_a(&self, _value: &Value<'t>, _class: &str) -> Option<bool> {
        None
    }

    fn unknown(&mut self, run: &mut Run<'t>, call: &Call<'t>) -> bool {
        let object = Object::named("query", ["", "where"]);
        let data = match call.name.as_str() {
            "save"
            | "saveQuietly"
            | "saveOrFail"
            | "update"
            | "updateQuietly"
            | "touch"
            | "increment"
            | "decrement"
            | "push"
            | "sync"
            | "syncWithoutDetaching"
            | "restore"
            | "forceFill"
            | "fill"
            | "associate" => Data::Update,
            "create" | "createMany" | "attach" | "saveMany" | "firstOrCreate" | "updateOrCreate" | "insert"
            | "createQuietly" => Data::Insert,
            "delete" | "forceDelete" | "detach" | "deleteQuietly" => Data::Delete,
            _ => return false,
        };
        self.data(run, call, data, &object);
        true
    }

    fn unread(&mut self, run: &Run<'t>, node: Node<'t>, why: Unread) {
        let why = match why {
            Unread::Code { what } => Unread::Code { what: crate::operation::one_line(&what) },
            other => other,
        };
        let mut step = Step::new(Operation::Unread(why), line_of(node), run.text(node));
        run.mark(&mut step, None);
        self.steps.push(step);
    }
}
