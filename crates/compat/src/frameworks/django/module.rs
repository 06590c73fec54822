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
    for statement in field(class, "body").map(children).unwrap_or_default() {
        member(&program, statement, &mut constants, &mut module);
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

/// A statement of the class.
fn member(program: &Program, statement: Node<'_>, constants: &mut Variables, module: &mut Module) {
    let inner = if statement.kind() == "expression_statement" { children(statement) } else { vec![statement] };
    for node in inner {
        match node.kind() {
            "assignment" => assigned(program, node, constants, module),
            "string" | "pass_statement" | "function_definition" | "decorated_definition" | "comment" => {}
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
                Value::List(values) => {
                    let lines = lines_of(right);
                    for (at, value) in values.into_iter().enumerate() {
                        let line = match &value {
                            Value::Call(call) => call.line,
                            _ => lines.get(at).copied().unwrap_or_else(|| line_of(right)),
                        };
                        module.operations.push((value, line));
                    }
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
