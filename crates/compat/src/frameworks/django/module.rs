//! One migration's file, taken apart.
//!
//! Not here: its order among others, and what its operations do.

use tree_sitter::Node;

use super::super::python::{self, Variables};
use super::super::syntax::{Program, Value, children, field, find_all, line_of};
use crate::migration::Limits;
use crate::operation::Unread;

/// A migration as its file says it.
#[derive(Debug, Clone, Default)]
pub struct Module {
    /// Whether it is a migration at all: it has the class.
    pub migration: bool,
    /// What must be there before: app and name. `__user__` is the app of the user model.
    pub dependencies: Vec<(String, String)>,
    /// What must come later.
    pub run_before: Vec<(String, String)>,
    /// What it stands for.
    pub replaces: Vec<(String, String)>,
    /// Whether it runs in a transaction.
    pub atomic: bool,
    /// Its operations and their lines.
    pub operations: Vec<(Value, u32)>,
    /// What could not be read, and its line.
    pub unread: Vec<(Unread, u32)>,
    /// The line of the class.
    pub line: u32,
}

/// Takes a file apart.
pub fn read(text: String, limits: Limits) -> Module {
    let program = match Program::parse(&tree_sitter_python::LANGUAGE.into(), text, limits) {
        Ok(program) => program,
        Err(unread) => {
            return Module {
                migration: true,
                unread: vec![(unread, 1)],
                line: 1,
                atomic: true,
                ..Module::default()
            };
        }
    };
    let root = program.root();
    let classes = find_all(root, &["class_definition"]);
    let class = classes
        .into_iter()
        .find(|class| field(*class, "name").is_some_and(|name| program.text_of(name) == "Migration"));
    let mut module = Module { atomic: true, line: 1, ..Module::default() };
    let Some(class) = class else {
        if root.has_error() && program.text.contains("migrations.Migration") {
            module.migration = true;
            module.unread.push((syntax(), 1));
        }
        return module;
    };
    module.migration = true;
    module.line = line_of(class);
    let mut constants = python::constants(&program);
    for class in lineage(&program, class) {
        for statement in field(class, "body").map(children).unwrap_or_default() {
            member(&program, statement, &mut constants, &mut module);
        }
    }
    for statement in children(root) {
        below(&program, statement, &constants, &mut module);
    }
    if class.has_error()
        && module.unread.is_empty()
        && !module.operations.iter().all(|(value, _)| matches!(value, Value::Call(_)))
    {
        module.unread.push((syntax(), error_line(class)));
    }
    module
}

fn syntax() -> Unread {
    Unread::Syntax { words: "this is no Python that can be read".to_owned() }
}

fn error_line(root: Node<'_>) -> u32 {
    find_all(root, &["ERROR"]).first().map_or_else(|| line_of(root), |node| line_of(*node))
}

/// The classes of the file that a class inherits from, the farthest first, and the class itself.
fn lineage<'p>(program: &'p Program, class: Node<'p>) -> Vec<Node<'p>> {
    let all = find_all(program.root(), &["class_definition"]);
    let mut found = vec![class];
    while let Some(last) = found.last().copied().filter(|_| found.len() < 10) {
        let bases = field(last, "superclasses").map(children).unwrap_or_default();
        let named = |class: &&Node<'p>| {
            let name = field(**class, "name").map(|name| program.text_of(name));
            bases.iter().any(|base| Some(program.text_of(*base)) == name)
        };
        match all.iter().find(named).filter(|base| !found.contains(base)) {
            Some(base) => found.push(*base),
            None => break,
        }
    }
    found.reverse();
    found
}

/// A statement of the module, which may change the class after it was made.
fn below(program: &Program, statement: Node<'_>, constants: &Variables, module: &mut Module) {
    if matches!(
        statement.kind(),
        "class_definition" | "function_definition" | "decorated_definition" | "import_statement"
    ) || !find_all(statement, &["identifier"]).iter().any(|node| program.text_of(*node) == "Migration")
        || statement.kind() == "import_from_statement"
    {
        return;
    }
    let inner = if statement.kind() == "expression_statement" { children(statement) } else { vec![statement] };
    for node in inner {
        if !grown(program, node, "Migration.operations", constants, module) {
            let what = crate::operation::one_line(program.text_of(node));
            module.unread.push((Unread::Code { what }, line_of(node)));
        }
    }
}

/// `operations += […]`, `operations.append(…)`, `extend`, `insert`; `list` is what the list is called there.
fn grown(program: &Program, node: Node<'_>, list: &str, constants: &Variables, module: &mut Module) -> bool {
    let called = |node: Option<Node<'_>>| node.is_some_and(|node| program.text_of(node) == list);
    if node.kind() == "augmented_assignment" {
        let added = field(node, "operator").is_some_and(|operator| program.text_of(operator) == "+=");
        let Some(right) = field(node, "right").filter(|_| added && called(field(node, "left"))) else {
            return false;
        };
        return more(python::value(program, right, constants), right, module);
    }
    let Some(function) = field(node, "function").filter(|function| called(field(*function, "object"))) else {
        return false;
    };
    let arguments = field(node, "arguments").map(children).unwrap_or_default();
    let what = field(function, "attribute").map(|what| program.text_of(what));
    let (value, place, at) = match (what, arguments.as_slice()) {
        (Some("append"), [one]) => (Value::List(vec![python::value(program, *one, constants)]), *one, None),
        (Some("extend"), [many]) => (python::value(program, *many, constants), *many, None),
        (Some("insert"), [at, one]) => {
            let at = python::value(program, *at, constants).whole().and_then(|at| usize::try_from(at).ok());
            let Some(at) = at else { return false };
            (Value::List(vec![python::value(program, *one, constants)]), *one, Some(at))
        }
        _ => return false,
    };
    let before = module.operations.len();
    let read = more(value, place, module);
    if let Some(at) = at.filter(|at| *at < before) {
        let added = module.operations.split_off(before);
        module.operations.splice(at..at, added);
    }
    read
}

/// More operations.
fn more(held: Value, node: Node<'_>, module: &mut Module) -> bool {
    let Value::List(values) = held else { return false };
    let lines = lines_of(node);
    for (at, value) in values.into_iter().enumerate() {
        let line = match &value {
            Value::Call(call) => call.line,
            _ => lines.get(at).copied().unwrap_or_else(|| line_of(node)),
        };
        module.operations.push((value, line));
    }
    true
}

/// Methods by which Django asks a migration what it does.
const OVERRIDES: &[&str] = &["__init__", "__new__", "__init_subclass__", "apply", "mutate_state", "operations"];

/// A statement of the class.
fn member(program: &Program, statement: Node<'_>, constants: &mut Variables, module: &mut Module) {
    let inner = if statement.kind() == "expression_statement" { children(statement) } else { vec![statement] };
    for node in inner {
        match node.kind() {
            "assignment" => assigned(program, node, constants, module),
            "function_definition" | "decorated_definition" => {
                let definition = field(node, "definition").unwrap_or(node);
                let name = field(definition, "name").map(|name| program.text_of(name)).unwrap_or_default();
                if OVERRIDES.contains(&name) {
                    module.unread.push((Unread::Code { what: format!("Migration.{name}") }, line_of(node)));
                }
            }
            "augmented_assignment" | "call" if grown(program, node, "operations", constants, module) => {}
            "string" | "pass_statement" | "comment" => {}
            "augmented_assignment"
            | "if_statement"
            | "for_statement"
            | "call"
            | "ERROR"
            | "with_statement"
            | "try_statement" => {
                let what = crate::operation::one_line(program.text_of(node));
                module.unread.push((Unread::Code { what }, line_of(node)));
            }
            _ => {}
        }
    }
}

fn assigned(program: &Program, node: Node<'_>, constants: &mut Variables, module: &mut Module) {
    let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else { return };
    let held = python::value(program, right, constants);
    match program.text_of(left) {
        "dependencies" => module.dependencies = pairs(&held),
        "run_before" => module.run_before = pairs(&held),
        "replaces" => module.replaces = pairs(&held),
        "atomic" => module.atomic = held.truth() != Some(false),
        "operations" => {
            if right.has_error() {
                module.unread.push((syntax(), error_line(right)));
            }
            match held {
                held @ Value::List(_) => {
                    module.operations.clear();
                    more(held, right, module);
                }
                _ => {
                    let what = crate::operation::one_line(program.text_of(node));
                    module.unread.push((Unread::Code { what }, line_of(node)));
                }
            }
        }
        name => {
            constants.insert(name.to_owned(), held);
        }
    }
}

fn lines_of(list: Node<'_>) -> Vec<u32> {
    if list.kind() == "list" { children(list).into_iter().map(line_of).collect() } else { vec![] }
}

/// `[("app", "0001_x"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]`.
fn pairs(value: &Value) -> Vec<(String, String)> {
    let Value::List(values) = value else { return vec![] };
    let mut found = vec![];
    for value in values {
        match value {
            Value::List(pair) => {
                if let [Value::Text(app), Value::Text(name)] = pair.as_slice() {
                    found.push((app.clone(), name.clone()));
                }
            }
            Value::Call(call) if call.word() == "swappable_dependency" => match call.places.first() {
                Some(Value::Text(model)) => {
                    let app = model.split('.').next().unwrap_or_default();
                    found.push((app.to_owned(), "__first__".to_owned()));
                }
                _ => found.push(("__user__".to_owned(), "__first__".to_owned())),
            },
            _ => {}
        }
    }
    found
}
