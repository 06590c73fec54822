//! The walk through `upgrade()`: statements, conditions, loops, helpers of the same file.
//!
//! Not here: what an operation does ([`super::operations`]).

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::super::emit;
use super::super::python::{self, Variables};
use super::super::syntax::{Call, Program, Value, children, field, find_all, line_of};
use crate::migration::Limits;
use crate::operation::{Operation, Step, Unread};
use crate::sql::Dialect;

/// How deep helpers are followed.
const INLINED: usize = 8;

/// Calls that only look, build or format. Whatever is not here may act.
const PURE: &[&str] = &[
    "get_bind",
    "inspect",
    "get_columns",
    "get_table_names",
    "get_indexes",
    "get_foreign_keys",
    "has_table",
    "get_unique_constraints",
    "get_pk_constraint",
    "get_check_constraints",
    "get_enums",
    "from_engine",
    "get_view_names",
    "has_index",
    "reflecttable",
    "get_schema_names",
    "get_sequence_names",
    "has_sequence",
    "get_table_comment",
    "get_context",
    "get_x_argument",
    "print",
    "len",
    "str",
    "int",
    "list",
    "dict",
    "set",
    "tuple",
    "sorted",
    "any",
    "all",
    "format",
    "join",
    "split",
    "strip",
    "lower",
    "upper",
    "get",
    "keys",
    "values",
    "items",
    "f",
    "text",
    "Column",
    "Table",
    "table",
    "column",
    "MetaData",
    "String",
    "Integer",
    "Enum",
    "ENUM",
    "DateTime",
    "Boolean",
    "Text",
    "UUID",
    "JSON",
    "JSONB",
    "select",
    "where",
    "now",
    "utcnow",
    "uuid4",
    "getLogger",
    "info",
    "warning",
    "debug",
    "error",
    "func",
    "count",
    "isinstance",
    "getenv",
    "range",
    "enumerate",
    "zip",
    "Inspector",
    "declarative_base",
    "sessionmaker",
    "Session",
    "postgresql",
    "array",
    "literal",
    "bindparam",
    "label",
    "and_",
    "or_",
    "not_",
    "ForeignKey",
    "BigInteger",
    "SmallInteger",
    "Float",
    "Numeric",
    "LargeBinary",
    "Date",
    "dict_",
    "replace",
    "cast",
    "startswith",
    "endswith",
    "append",
    "extend",
    "update_",
    "add_",
    "timedelta",
    "datetime",
    "as_sql",
    "dumps",
    "loads",
    "scalar",
    "fetchall",
    "fetchone",
    "fetchmany",
    "mappings",
    "scalars",
    "first",
    "one",
    "all_",
    "values_",
    "alias",
    "desc",
    "asc",
    "order_by",
    "limit",
    "offset",
    "defaultdict",
    "Counter",
    "OrderedDict",
    "deepcopy",
    "capitalize",
    "title",
    "reflect",
    "query",
    "filter_by",
    "distinct",
    "join_",
    "outerjoin",
    "all",
    "one_or_none",
    "options",
    "group_by",
    "having",
    "aliased",
    "with_variant",
    "Identity",
    "bool",
    "repr",
    "type",
    "hasattr",
    "getattr",
    "min",
    "max",
    "sum",
    "abs",
    "map",
    "filter",
    "dirname",
    "Path",
    "resolve",
];

/// What is known at a place of the walk.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Names and what they are worth.
    pub variables: Variables,
    /// Whether the place is reached is not known.
    pub conditional: bool,
    /// It is reached if something is there or is not.
    pub guarded: bool,
    /// What `with op.batch_alter_table(…) as NAME` calls it, and the call.
    pub batch: BTreeMap<String, Call>,
}

/// Whether the statements after one are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Yes.
    On,
    /// No.
    Stop,
}

/// A reader of one program.
pub struct Reader<'p> {
    /// The program.
    pub program: &'p Program,
    /// The dialect.
    pub dialect: Dialect,
    /// What bounds it.
    pub limits: Limits,
    /// What was read.
    pub steps: Vec<Step>,
    functions: BTreeMap<String, Node<'p>>,
    inlined: usize,
    left: usize,
}

/// What `upgrade()` does.
pub fn read(program: &Program, dialect: Dialect, limits: Limits) -> Vec<Step> {
    let root = program.root();
    let functions: BTreeMap<String, Node<'_>> = find_all(root, &["function_definition"])
        .into_iter()
        .filter_map(|function| field(function, "name").map(|name| (program.text_of(name).to_owned(), function)))
        .collect();
    let mut reader =
        Reader { program, dialect, limits, steps: vec![], functions, inlined: 0, left: limits.statements };
    let Some(upgrade) = reader.functions.get("upgrade").copied() else {
        let unread = match root.has_error() {
            true => syntax(),
            false => Operation::Unread(Unread::Syntax { words: "there is no upgrade() in the file".to_owned() }),
        };
        return vec![Step::new(unread, 1, "")];
    };
    let mut scope = Scope { variables: python::constants(program), ..Scope::default() };
    if let Some(body) = field(upgrade, "body") {
        reader.body(body, &mut scope);
    }
    if upgrade.has_error() && !reader.steps.iter().any(|step| matches!(step.operation, Operation::Unread(_))) {
        let line = find_all(upgrade, &["ERROR"]).first().map_or_else(|| line_of(upgrade), |node| line_of(*node));
        reader.steps.push(Step::new(syntax(), line, ""));
    }
    reader.steps
}

fn syntax() -> Operation {
    Operation::Unread(Unread::Syntax { words: "this is no Python that can be read".to_owned() })
}

impl<'p> Reader<'p> {
    /// Writes an operation down.
    pub fn put(&mut self, operation: Operation, node: Node<'_>, scope: &Scope) {
        let mut step = Step::new(operation, line_of(node), self.program.text_of(node));
        step.conditional = scope.conditional;
        step.guarded = scope.guarded;
        self.steps.push(step);
    }

    /// Writes down that the program decides.
    pub fn put_code(&mut self, node: Node<'_>, scope: &Scope) {
        let what = self.program.text_of(node).to_owned();
        self.put(emit::code(what), node, scope);
    }

    /// What an expression is worth; the database's name is that of the dialect.
    pub fn value(&self, node: Node<'p>, scope: &Scope) -> Value {
        match python::value(self.program, node, &scope.variables) {
            Value::Code(text) if is_dialect(&text) => Value::Text(
                match self.dialect {
                    Dialect::Postgres => "postgresql",
                    other => other.id(),
                }
                .to_owned(),
            ),
            value => value,
        }
    }

    fn body(&mut self, node: Node<'p>, scope: &mut Scope) -> Flow {
        for statement in children(node) {
            if self.statement(statement, scope) == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::On
    }

    fn statement(&mut self, node: Node<'p>, scope: &mut Scope) -> Flow {
        let Some(left) = self.left.checked_sub(1) else { return Flow::Stop };
        self.left = left;
        if left == 0 {
            let allowed = self.limits.statements as u64;
            self.put(Operation::Unread(Unread::Limit { limit: "statements".to_owned(), allowed }), node, scope);
            return Flow::Stop;
        }
        match node.kind() {
            "expression_statement" => {
                for inner in children(node) {
                    self.expression(inner, scope);
                }
            }
            "if_statement" => return self.branch(node, scope),
            "for_statement" => self.repeated(node, scope),
            "while_statement" => {
                let mut inner = scope.clone();
                inner.conditional = true;
                if let Some(body) = field(node, "body") {
                    self.body(body, &mut inner);
                }
            }
            "with_statement" => return self.with(node, scope),
            "try_statement" => {
                let mut inner = scope.clone();
                inner.conditional = true;
                for part in find_direct(node, &["block"]) {
                    self.body(part, &mut inner);
                }
            }
            "return_statement" | "raise_statement" => {
                for inner in children(node).into_iter().filter(|_| node.kind() == "return_statement") {
                    self.expression(inner, scope);
                }
                return Flow::Stop;
            }
            "continue_statement" | "break_statement" => return Flow::Stop,
            "function_definition"
            | "class_definition"
            | "import_statement"
            | "import_from_statement"
            | "pass_statement"
            | "comment"
            | "global_statement"
            | "nonlocal_statement"
            | "assert_statement"
            | "delete_statement"
            | "decorated_definition"
            | "future_import_statement"
            | "print_statement" => {}
            "block" => return self.body(node, scope),
            "ERROR" => self.put(syntax(), node, scope),
            _ => self.put_code(node, scope),
        }
        Flow::On
    }

    fn expression(&mut self, node: Node<'p>, scope: &mut Scope) {
        match node.kind() {
            "call" => self.call(node, scope),
            "await" | "parenthesized_expression" => {
                for inner in children(node) {
                    self.expression(inner, scope);
                }
            }
            "assignment" | "augmented_assignment" => {
                let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else { return };
                let held = match node.kind() {
                    "assignment" => self.value(right, scope),
                    _ => Value::Code(self.program.text_of(left).to_owned()),
                };
                if self.acts(right) {
                    self.expression(right, scope);
                }
                if left.kind() == "identifier" {
                    scope.variables.insert(self.program.text_of(left).to_owned(), held);
                }
            }
            "ERROR" => self.put(syntax(), node, scope),
            _ if !self.acts(node) => {}
            _ => self.put_code(node, scope),
        }
    }

    /// Whether a call in an expression may act on the database.
    pub fn acts(&self, node: Node<'_>) -> bool {
        find_all(node, &["call"]).into_iter().any(|call| {
            let word = field(call, "function").map(|function| self.program.text_of(function)).unwrap_or_default();
            let word = word.rsplit('.').next().unwrap_or(word);
            !PURE.contains(&word)
        })
    }

    fn call(&mut self, node: Node<'p>, scope: &mut Scope) {
        if field(node, "arguments").is_some_and(|arguments| arguments.has_error()) {
            return self.put(syntax(), node, scope);
        }
        let Some(call) = python::call(self.program, node, &scope.variables) else {
            if self.acts(node) {
                self.put_code(node, scope);
            }
            return;
        };
        if self.operation(&call, node, scope) || self.inline(&call, scope) || self.chained(&call, node, scope) {
            return;
        }
        if self.acts(node) {
            self.put_code(node, scope);
        }
    }

    /// `connection.execute(…).fetchall()`: the last call only looks at what the first one did.
    fn chained(&mut self, call: &Call, node: Node<'p>, scope: &mut Scope) -> bool {
        let object = field(node, "function").and_then(|function| field(function, "object"));
        let in_brackets = |object: Node<'p>| match (object.kind(), children(object).as_slice()) {
            ("parenthesized_expression", [only]) => *only,
            _ => object,
        };
        let Some(object) = object.map(in_brackets).filter(|object| object.kind() == "call") else { return false };
        if !PURE.contains(&call.word()) || field(node, "arguments").is_some_and(|arguments| self.acts(arguments)) {
            return false;
        }
        self.expression(object, scope);
        true
    }

    /// A helper of the same file.
    fn inline(&mut self, call: &Call, scope: &Scope) -> bool {
        let Some(function) = self.functions.get(&call.path).copied() else { return false };
        if self.inlined >= INLINED {
            return false;
        }
        let mut inner = scope.clone();
        let parameters = field(function, "parameters").map(children).unwrap_or_default();
        for (place, parameter) in parameters.into_iter().enumerate() {
            let name = match parameter.kind() {
                "identifier" => self.program.text_of(parameter),
                "typed_parameter" => children(parameter).first().map_or("", |name| self.program.text_of(*name)),
                _ => field(parameter, "name").map_or("", |name| self.program.text_of(name)),
            };
            let usual = field(parameter, "value").map(|node| python::value(self.program, node, &inner.variables));
            let given = call.named(name).or_else(|| call.places.get(place)).cloned();
            let held = given.or(usual).unwrap_or_else(|| Value::Code(name.to_owned()));
            if let Value::Code(text) = &held
                && let Some(batch) = scope.batch.get(text)
            {
                inner.batch.insert(name.to_owned(), batch.clone());
            }
            inner.variables.insert(name.to_owned(), held);
        }
        self.inlined += 1;
        if let Some(body) = field(function, "body") {
            self.body(body, &mut inner);
        }
        self.inlined -= 1;
        true
    }

    fn branch(&mut self, node: Node<'p>, scope: &mut Scope) -> Flow {
        let Some(condition) = field(node, "condition") else { return Flow::On };
        let known = self.condition(condition, scope);
        let asks = known.is_none() && asks_existence(self.program.text_of(condition));
        let mut cursor = node.walk();
        let parts: Vec<Node<'p>> = node.children_by_field_name("alternative", &mut cursor).collect();
        if known != Some(false) {
            let then = field(node, "consequence");
            if self.part(then, known, asks, scope) == Flow::Stop {
                return Flow::Stop;
            }
        }
        if known == Some(true) {
            return Flow::On;
        }
        for part in parts {
            let mut inner = scope.clone();
            inner.conditional |= known.is_none();
            inner.guarded |= asks;
            let flow = match part.kind() {
                "elif_clause" => {
                    let taken = field(part, "condition").and_then(|condition| self.condition(condition, scope));
                    match taken {
                        Some(false) => continue,
                        Some(true) if known.is_some() => {
                            return self.part(field(part, "consequence"), Some(true), false, scope);
                        }
                        _ => {
                            self.part(field(part, "consequence"), None, asks, scope);
                            continue;
                        }
                    }
                }
                _ => self.part(field(part, "body"), known.map(|truth| !truth), asks, scope),
            };
            if flow == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::On
    }

    fn part(&mut self, part: Option<Node<'p>>, taken: Option<bool>, asks: bool, scope: &mut Scope) -> Flow {
        let Some(part) = part else { return Flow::On };
        let mut inner = scope.clone();
        inner.conditional |= taken.is_none();
        inner.guarded |= asks;
        let flow = self.body(part, &mut inner);
        if taken == Some(true) {
            scope.variables = inner.variables;
            return flow;
        }
        for (name, held) in inner.variables {
            if scope.variables.get(&name) != Some(&held) {
                scope.variables.insert(name.clone(), Value::Code(name));
            }
        }
        if flow == Flow::Stop {
            scope.conditional = true;
            scope.guarded |= asks;
        }
        Flow::On
    }

    /// Whether a condition holds, if the text says it.
    fn condition(&self, node: Node<'p>, scope: &Scope) -> Option<bool> {
        match node.kind() {
            "parenthesized_expression" => self.condition(*children(node).first()?, scope),
            "not_operator" => self.condition(field(node, "argument")?, scope).map(|truth| !truth),
            "boolean_operator" => {
                let left = self.condition(field(node, "left")?, scope);
                let right = self.condition(field(node, "right")?, scope);
                match (field(node, "operator").map(|node| self.program.text_of(node)), left, right) {
                    (Some("and"), Some(false), _) | (Some("and"), _, Some(false)) => Some(false),
                    (Some("and"), Some(true), Some(true)) => Some(true),
                    (Some("or"), Some(true), _) | (Some("or"), _, Some(true)) => Some(true),
                    (Some("or"), Some(false), Some(false)) => Some(false),
                    _ => None,
                }
            }
            "comparison_operator" => {
                let (parts, operator) = (children(node), field(node, "operators"));
                let [left, right] = parts.as_slice() else { return None };
                let (left, right) = (self.value(*left, scope), self.value(*right, scope));
                let operator = operator.map(|node| self.program.text_of(node)).unwrap_or_default();
                if !left.literal() || !right.literal() {
                    return None;
                }
                let within = match &right {
                    Value::List(values) => Some(values.contains(&left)),
                    _ => None,
                };
                match operator {
                    "==" | "is" => Some(left == right),
                    "!=" | "is not" => Some(left != right),
                    "in" => within,
                    "not in" => within.map(|within| !within),
                    _ => None,
                }
            }
            "call" if self.program.text_of(node).ends_with(".is_offline_mode()") => Some(false),
            _ => self.value(node, scope).truth(),
        }
    }

    fn repeated(&mut self, node: Node<'p>, scope: &mut Scope) {
        let (Some(left), Some(right), Some(body)) =
            (field(node, "left"), field(node, "right"), field(node, "body"))
        else {
            return;
        };
        let rows = match self.value(right, scope) {
            Value::List(rows) => rows,
            Value::Map(pairs) => pairs.into_iter().map(|(key, _)| Value::Text(key)).collect(),
            _ => {
                if self.acts(right) {
                    self.expression(right, scope);
                }
                let mut inner = scope.clone();
                inner.conditional = true;
                for name in find_all(left, &["identifier"]) {
                    let name = self.program.text_of(name).to_owned();
                    inner.variables.insert(name.clone(), Value::Code(name));
                }
                self.body(body, &mut inner);
                return;
            }
        };
        let names: Vec<String> = match left.kind() {
            "identifier" => vec![self.program.text_of(left).to_owned()],
            _ => children(left).into_iter().map(|name| self.program.text_of(name).to_owned()).collect(),
        };
        for row in rows {
            let mut inner = scope.clone();
            let parts = match (row, names.len()) {
                (Value::List(parts), 2..) => parts,
                (row, _) => vec![row],
            };
            for (name, held) in names.iter().zip(parts) {
                inner.variables.insert(name.clone(), held);
            }
            self.body(body, &mut inner);
        }
    }

    fn with(&mut self, node: Node<'p>, scope: &mut Scope) -> Flow {
        let mut inner = scope.clone();
        for item in find_direct(node, &["with_clause"]).into_iter().flat_map(children) {
            let held = field(item, "value").unwrap_or(item);
            let (expression, alias) = match held.kind() {
                "as_pattern" => (children(held).first().copied(), field(held, "alias")),
                _ => (Some(held), None),
            };
            let call = expression
                .filter(|node| node.kind() == "call")
                .and_then(|node| python::call(self.program, node, &scope.variables));
            let name = alias.map(|alias| self.program.text_of(alias).to_owned());
            if let (Some(call), Some(name)) = (call.filter(|call| call.word() == "batch_alter_table"), name) {
                inner.batch.insert(name, call);
            }
        }
        let Some(body) = field(node, "body") else { return Flow::On };
        let flow = self.body(body, &mut inner);
        (scope.conditional, scope.guarded) = (inner.conditional, inner.guarded);
        scope.variables = inner.variables;
        flow
    }
}

fn find_direct<'t>(node: Node<'t>, kinds: &[&str]) -> Vec<Node<'t>> {
    let mut found = vec![];
    for child in children(node) {
        if kinds.contains(&child.kind()) {
            found.push(child);
        } else if matches!(child.kind(), "except_clause" | "finally_clause" | "else_clause") {
            found.extend(children(child).into_iter().filter(|inner| kinds.contains(&inner.kind())));
        }
    }
    found
}

fn is_dialect(text: &str) -> bool {
    let compact: String = text.chars().filter(|char| !char.is_whitespace()).collect();
    compact.ends_with("dialect.name") || compact.ends_with("engine.name") || compact.ends_with(".dialect_name")
}

fn asks_existence(condition: &str) -> bool {
    const MARKS: &[&str] = &[
        "has_table",
        "get_table_names",
        "get_columns",
        "inspector",
        "_exists",
        "has_column",
        "get_indexes",
        "has_index",
        "get_unique_constraints",
        "get_foreign_keys",
        "columns",
        "tables",
        "indexes",
    ];
    MARKS.iter().any(|mark| condition.contains(mark))
}
