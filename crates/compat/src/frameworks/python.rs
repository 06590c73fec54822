//! What Python's expressions are worth, as far as their text says it; and what a Python project's own
//! files say about its database.
//!
//! Django and Alembic share it. Not here: what a call means to either.

use std::collections::BTreeMap;

use tree_sitter::Node;

use super::syntax::{Call, Program, Value, children, field, find_all, line_of};
use crate::sql::Dialect;
use crate::tree::Tree;

/// Names and what they are worth.
pub type Variables = BTreeMap<String, Value>;

/// What an expression is worth.
pub fn value(program: &Program, node: Node<'_>, variables: &Variables) -> Value {
    let inner = |node| value(program, node, variables);
    let text = || program.text_of(node).to_owned();
    match node.kind() {
        "none" => Value::Nothing,
        "true" => Value::Truth(true),
        "false" => Value::Truth(false),
        "integer" | "float" => Value::Number(text().replace('_', "")),
        "string" => string(program, node, variables),
        "concatenated_string" => {
            joined(children(node).into_iter().map(inner)).unwrap_or_else(|| Value::Code(text()))
        }
        "parenthesized_expression" => match children(node).as_slice() {
            [only] => inner(*only),
            _ => Value::Code(text()),
        },
        "list" | "tuple" | "set" | "expression_list" => {
            let parts = children(node);
            if parts.iter().any(|part| part.kind() == "list_splat") {
                return Value::Code(text());
            }
            Value::List(parts.into_iter().map(inner).collect())
        }
        "dictionary" => dictionary(program, node, variables),
        "identifier" => variables.get(program.text_of(node)).cloned().unwrap_or_else(|| Value::Code(text())),
        "attribute" => variables.get(program.text_of(node)).cloned().unwrap_or_else(|| Value::Code(text())),
        "unary_operator" if program.text_of(node).starts_with('-') => match field(node, "argument").map(inner) {
            Some(Value::Number(digits)) => Value::Number(format!("-{digits}")),
            _ => Value::Code(text()),
        },
        "binary_operator" => binary(program, node, variables).unwrap_or_else(|| Value::Code(text())),
        "call" => called(program, node, variables),
        _ => Value::Code(text()),
    }
}

fn joined(parts: impl Iterator<Item = Value>) -> Option<Value> {
    let mut all = String::new();
    for part in parts {
        match part {
            Value::Text(text) | Value::Number(text) => all.push_str(&text),
            _ => return None,
        }
    }
    Some(Value::Text(all))
}

fn binary(program: &Program, node: Node<'_>, variables: &Variables) -> Option<Value> {
    let operator = program.text_of(field(node, "operator")?);
    let left = value(program, field(node, "left")?, variables);
    let right = value(program, field(node, "right")?, variables);
    match (operator, left, right) {
        ("+", Value::Text(left), Value::Text(right)) => Some(Value::Text(left + &right)),
        ("+", Value::List(left), Value::List(right)) => Some(Value::List(left.into_iter().chain(right).collect())),
        ("%", Value::Text(text), Value::Text(word)) if text.matches("%s").count() == 1 => {
            Some(Value::Text(text.replace("%s", &word)))
        }
        _ => None,
    }
}

fn string(program: &Program, node: Node<'_>, variables: &Variables) -> Value {
    let mut all = String::new();
    let mut raw = false;
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        match child.kind() {
            "string_start" => raw = program.text_of(child).to_lowercase().contains('r'),
            "string_content" => {
                let text = program.text_of(child);
                if raw { all.push_str(text) } else { all.push_str(&unescaped(text)) }
            }
            "interpolation" => match field(child, "expression").map(|node| value(program, node, variables)) {
                Some(Value::Text(text) | Value::Number(text)) => all.push_str(&text),
                _ => return Value::Code(program.text_of(node).to_owned()),
            },
            _ => {}
        }
    }
    Value::Text(all)
}

fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some(quote @ ('\'' | '"' | '\\')) => out.push(quote),
            Some('\n') | None => {}
            Some(other) => out.extend(['\\', other]),
        }
    }
    out
}

fn dictionary(program: &Program, node: Node<'_>, variables: &Variables) -> Value {
    let mut pairs = vec![];
    for child in children(node) {
        let key = field(child, "key").map(|node| value(program, node, variables));
        let held = field(child, "value").map(|node| value(program, node, variables));
        match (key, held) {
            (Some(Value::Text(key) | Value::Number(key) | Value::Code(key)), Some(held)) => pairs.push((key, held)),
            _ => return Value::Code(program.text_of(node).to_owned()),
        }
    }
    Value::Map(pairs)
}

fn called(program: &Program, node: Node<'_>, variables: &Variables) -> Value {
    let Some(call) = call(program, node, variables) else { return Value::Code(program.text_of(node).to_owned()) };
    match (call.word(), call.places.as_slice(), call.names.is_empty()) {
        // What marks or trims a text does not change it for a database.
        (
            "_" | "gettext_lazy" | "dedent" | "str" | "list" | "tuple" | "set" | "f" | "quoted_name",
            [only],
            true,
        ) if only.literal() => only.clone(),
        ("set" | "list" | "tuple", [], true) => Value::List(vec![]),
        ("strip" | "lstrip" | "rstrip", [], true) => {
            let object = field(node, "function").and_then(|function| field(function, "object"));
            match object.map(|object| value(program, object, variables)) {
                Some(text @ Value::Text(_)) => text,
                _ => Value::Call(Box::new(call)),
            }
        }
        ("format", _, _) => formatted(program, node, variables, &call).unwrap_or(Value::Call(Box::new(call))),
        _ => Value::Call(Box::new(call)),
    }
}

/// `"… {} …".format("x")` with literal words.
fn formatted(program: &Program, node: Node<'_>, variables: &Variables, call: &Call) -> Option<Value> {
    let object = field(field(node, "function")?, "object")?;
    let Value::Text(mut text) = value(program, object, variables) else { return None };
    for place in &call.places {
        text = text.replacen("{}", place.text()?, 1);
    }
    for (name, held) in &call.names {
        text = text.replace(&format!("{{{name}}}"), held.text()?);
    }
    Some(Value::Text(text))
}

/// A call taken apart; `None` where something is handed over by `*` or `**`.
pub fn call(program: &Program, node: Node<'_>, variables: &Variables) -> Option<Call> {
    let function = field(node, "function")?;
    let path: String = program.text_of(function).chars().filter(|char| !char.is_whitespace()).collect();
    let mut call =
        Call { path, places: vec![], names: vec![], line: line_of(node), text: program.text_of(node).to_owned() };
    let arguments = field(node, "arguments").filter(|arguments| arguments.kind() == "argument_list");
    for argument in arguments.map(children).unwrap_or_default() {
        match argument.kind() {
            "keyword_argument" => {
                let name = program.text_of(field(argument, "name")?).to_owned();
                call.names.push((name, value(program, field(argument, "value")?, variables)));
            }
            "list_splat" | "dictionary_splat" => {
                match children(argument).first().map(|node| value(program, *node, variables)) {
                    Some(Value::List(values)) if argument.kind() == "list_splat" => call.places.extend(values),
                    Some(Value::Map(pairs)) if argument.kind() == "dictionary_splat" => call.names.extend(pairs),
                    _ => return None,
                }
            }
            _ => call.places.push(value(program, argument, variables)),
        }
    }
    Some(call)
}

/// The constants of a module: names that are assigned once, at its top.
pub fn constants(program: &Program) -> Variables {
    let mut constants = Variables::new();
    let mut twice = vec![];
    for statement in children(program.root()) {
        for assignment in children(statement).into_iter().filter(|node| node.kind() == "assignment") {
            let (Some(left), Some(right)) = (field(assignment, "left"), field(assignment, "right")) else {
                continue;
            };
            if left.kind() == "identifier" {
                let name = program.text_of(left).to_owned();
                let held = value(program, right, &constants);
                if constants.insert(name.clone(), held).is_some() {
                    twice.push(name);
                }
            }
        }
    }
    twice.extend(changed(program));
    constants.retain(|name, _| !twice.contains(name));
    constants
}

/// Names whose value grows or changes somewhere: `NAME += …`, `NAME.append(…)`, `NAME[…] = …`.
fn changed(program: &Program) -> Vec<String> {
    const CHANGES: &[&str] =
        &["append", "extend", "insert", "update", "remove", "pop", "clear", "add", "setdefault", "sort", "reverse"];
    let name = |node: Node<'_>| (node.kind() == "identifier").then(|| program.text_of(node).to_owned());
    let mut names = vec![];
    for node in find_all(program.root(), &["augmented_assignment", "call", "assignment"]) {
        let changed = match node.kind() {
            "call" => {
                field(node, "function").filter(|function| function.kind() == "attribute").and_then(|function| {
                    let what = field(function, "attribute").map(|what| program.text_of(what));
                    field(function, "object").filter(|_| what.is_some_and(|what| CHANGES.contains(&what)))
                })
            }
            "assignment" => {
                field(node, "left").filter(|left| left.kind() == "subscript").and_then(|left| field(left, "value"))
            }
            _ => field(node, "left"),
        };
        names.extend(changed.and_then(name));
    }
    names
}

/// The dialect that a project's drivers speak, in the requirements beside or above a directory.
pub fn driver(tree: &dyn Tree, root: &str) -> Option<Dialect> {
    const FILES: &[&str] = &[
        "requirements.txt",
        "requirements/base.txt",
        "requirements/production.txt",
        "requirements.in",
        "pyproject.toml",
        "Pipfile",
        "setup.py",
        "setup.cfg",
        "poetry.lock",
        "uv.lock",
    ];
    const DRIVERS: &[(&str, Dialect)] = &[
        ("psycopg", Dialect::Postgres),
        ("asyncpg", Dialect::Postgres),
        ("pg8000", Dialect::Postgres),
        ("mysqlclient", Dialect::MySql),
        ("pymysql", Dialect::MySql),
        ("aiomysql", Dialect::MySql),
        ("asyncmy", Dialect::MySql),
        ("mysql-connector", Dialect::MySql),
        ("cx-oracle", Dialect::Oracle),
        ("cx_oracle", Dialect::Oracle),
        ("oracledb", Dialect::Oracle),
        ("mssql-django", Dialect::MsSql),
        ("pyodbc", Dialect::MsSql),
    ];
    let mut at = Some(root);
    while let Some(directory) = at {
        let path = |name: &str| if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
        for file in FILES {
            let Ok(text) = tree.text(&path(file)) else { continue };
            let text = text.to_lowercase();
            let mut found: Vec<Dialect> =
                DRIVERS.iter().filter(|(driver, _)| text.contains(driver)).map(|(_, dialect)| *dialect).collect();
            found.sort();
            found.dedup();
            if let [only] = found.as_slice() {
                return Some(*only);
            }
        }
        at = match directory.rsplit_once('/') {
            Some((parent, _)) => Some(parent),
            None if directory.is_empty() => None,
            None => Some(""),
        };
    }
    None
}
