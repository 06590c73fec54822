//! The walk through a migration: classes, methods, blocks, conditions, loops.
//!
//! Not here: what a schema statement does ([`super::calls`]).

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use super::super::emit;
use super::super::syntax::{Program, Value, children, field, find_all, line_of};
use super::data;
use super::ruby::{Invocation, Ruby, Variables};
use crate::migration::Limits;
use crate::operation::{Column, Constraint, Name, Operation, Step, Unread};
use crate::sql::Dialect;

/// How deep a program's own methods are followed.
const INLINED: usize = 8;

/// What is known at a place of the walk.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Variables and constants.
    pub variables: Variables,
    /// Whether the place is reached is not known.
    pub conditional: bool,
    /// It is reached if something is there or is not.
    pub guarded: bool,
    /// The table of the block, and what the block calls it.
    pub table: Option<(String, Name)>,
    /// What the block of `reversible` calls the direction.
    pub direction: Option<String>,
    /// The other way round: inside `revert`.
    pub reverted: bool,
}

/// A table while its block is read.
#[derive(Debug, Default)]
pub struct Creating {
    /// The columns so far.
    pub columns: Vec<Column>,
    /// The table's constraints.
    pub constraints: Vec<Constraint>,
    /// What follows: indexes.
    pub after: Vec<Operation>,
    /// Whether a column's being there is decided by a program.
    pub unsure: bool,
}

/// Whether the statements after one are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Yes.
    On,
    /// No: `return`, `raise`. Within a block too, the whole method ends.
    Stop,
    /// Not in this turn of the block: `next`.
    Next,
}

/// A reader of one program.
pub struct Reader<'p> {
    /// Expressions.
    pub ruby: Ruby<'p>,
    /// The dialect.
    pub dialect: Dialect,
    /// What bounds it.
    pub limits: Limits,
    /// The version that the migration was written for.
    pub version: (u32, u32),
    /// A schema file: `force:` drops nothing.
    pub schema: bool,
    /// What was read.
    pub steps: Vec<Step>,
    /// The tables whose blocks are open.
    pub creating: Vec<Creating>,
    methods: BTreeMap<String, Node<'p>>,
    inlined: usize,
    left: usize,
    /// A `return` may have been taken; whether something's being there decides.
    pub returned: Option<bool>,
}

fn missing(words: &str) -> Operation {
    Operation::Unread(Unread::Syntax { words: words.to_owned() })
}

/// What the up part of a migration does.
pub fn read(program: &Program, dialect: Dialect, limits: Limits) -> Vec<Step> {
    let mut reader = Reader::new(program, dialect, limits);
    let (class, up) = reader.entry(program.root());
    let Some(up) = up else {
        let (operation, line) = match first_error(program.root()) {
            Some(error) => (syntax_error(), line_of(error)),
            None if class.is_some_and(|class| inherits_only(program, class)) => {
                (emit::code("a migration whose method is inherited"), 1)
            }
            None => (missing("there is no migration class with change or up"), 1),
        };
        return vec![Step::new(operation, line, "")];
    };
    let mut scope = Scope { variables: reader.constants(program.root()), ..Scope::default() };
    reader.body(up, &mut scope);
    if let Some(error) = first_error(up)
        && !reader.steps.iter().any(|step| matches!(step.operation, Operation::Unread(Unread::Syntax { .. })))
    {
        reader.steps.push(Step::new(syntax_error(), line_of(error), program.text_of(error)));
    }
    reader.steps
}

/// What `db/schema.rb` makes of an empty database.
pub fn read_schema(program: &Program, dialect: Dialect, limits: Limits) -> Vec<Step> {
    let mut reader = Reader::new(program, dialect, limits);
    reader.schema = true;
    let mut scope = Scope::default();
    for call in find_all(program.root(), &["call"]) {
        let receiver = field(call, "receiver").map(|node| program.text_of(node)).unwrap_or_default();
        if !receiver.starts_with("ActiveRecord::Schema") {
            continue;
        }
        reader.version = version_of(receiver).unwrap_or(reader.version);
        if let Some(block) = field(call, "block") {
            reader.block(block, &mut scope);
        }
        break;
    }
    reader.steps
}

fn syntax_error() -> Operation {
    Operation::Unread(Unread::Syntax { words: "this is no Ruby that can be read".to_owned() })
}

/// The first place that the grammar did not understand.
fn first_error(root: Node<'_>) -> Option<Node<'_>> {
    if !root.has_error() {
        return None;
    }
    let mut cursor = root.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            return Some(node);
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() || cursor.node() == root {
                return Some(root);
            }
        }
    }
}

fn inherits_only(program: &Program, class: Node<'_>) -> bool {
    field(class, "superclass").is_some_and(|parent| !program.text_of(parent).contains("ActiveRecord::Migration"))
}

/// `ActiveRecord::Migration[7.1]` as (7, 1).
fn version_of(text: &str) -> Option<(u32, u32)> {
    let inner = text.rsplit_once('[')?.1.split_once(']')?.0;
    let (major, minor) = inner.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

impl<'p> Reader<'p> {
    fn new(program: &'p Program, dialect: Dialect, limits: Limits) -> Self {
        Self {
            ruby: Ruby::new(program, dialect),
            dialect,
            limits,
            version: (8, 0),
            schema: false,
            steps: vec![],
            creating: vec![],
            methods: BTreeMap::new(),
            inlined: 0,
            left: limits.statements,
            returned: None,
        }
    }

    /// The migration's class, and the method that brings the database up.
    fn entry(&mut self, root: Node<'p>) -> (Option<Node<'p>>, Option<Node<'p>>) {
        let mut chosen: Option<(Node<'p>, Node<'p>)> = None;
        let classes = find_all(root, &["class"]);
        for class in &classes {
            self.model(*class);
        }
        for class in &classes {
            if let Some(up) = self.up_of(*class) {
                chosen = chosen.or(Some((*class, up)));
            }
        }
        let Some((class, up)) = chosen else {
            let lost = root.has_error().then(|| self.up_of(root)).flatten();
            return (classes.first().copied(), lost);
        };
        if let Some(parent) = field(class, "superclass") {
            let text = self.ruby.text_of(parent);
            if let Some(version) = version_of(text) {
                self.version = version;
            } else if text.contains("ActiveRecord::Migration") && !text.contains('[') {
                self.version = (4, 2);
            }
        }
        for method in find_all(class, &["method", "singleton_method"]) {
            if let Some(name) = field(method, "name") {
                self.methods.insert(self.ruby.text_of(name).to_owned(), method);
            }
        }
        (Some(class), Some(up))
    }

    fn up_of(&self, class: Node<'p>) -> Option<Node<'p>> {
        let methods = find_all(class, &["method", "singleton_method"]);
        ["change", "up"].iter().find_map(|wanted| {
            methods
                .iter()
                .copied()
                .find(|method| field(*method, "name").is_some_and(|name| self.ruby.text_of(name) == *wanted))
        })
    }

    /// A model that the migration defines for itself.
    fn model(&mut self, class: Node<'p>) {
        let Some(name) = field(class, "name") else { return };
        let named = find_all(class, &["assignment"]).into_iter().find_map(|assignment| {
            let left = field(assignment, "left")?;
            let right = field(assignment, "right")?;
            (self.ruby.text_of(left) == "self.table_name").then_some(right)
        });
        if let Some(Value::Text(table)) = named.map(|node| self.ruby.value(node, &Variables::new())) {
            let last = self.ruby.text_of(name).rsplit("::").next().unwrap_or_default().to_owned();
            self.ruby.models.insert(last, table);
        }
    }

    /// Constants of the file; one that is set twice with different values is none.
    fn constants(&self, root: Node<'p>) -> Variables {
        let mut constants = Variables::new();
        let mut twice = BTreeSet::new();
        for assignment in find_all(root, &["assignment"]) {
            let (Some(left), Some(right)) = (field(assignment, "left"), field(assignment, "right")) else {
                continue;
            };
            if left.kind() == "constant" {
                let name = self.ruby.text_of(left).to_owned();
                let value = self.ruby.value(right, &constants);
                if constants.get(&name).is_some_and(|known| *known != value) {
                    twice.insert(name.clone());
                }
                constants.insert(name, value);
            }
        }
        constants.retain(|name, _| !twice.contains(name));
        constants
    }

    /// Writes an operation down.
    pub fn put(&mut self, operation: Operation, node: Node<'_>, scope: &Scope) {
        let mut step = Step::new(operation, line_of(node), self.ruby.text_of(node));
        step.conditional = scope.conditional;
        step.guarded = scope.guarded;
        self.steps.push(step);
    }

    /// Writes down that something is decided by the program.
    pub fn put_code(&mut self, node: Node<'_>, scope: &Scope) {
        let what = self.ruby.text_of(node).to_owned();
        self.put(emit::code(what), node, scope);
    }

    /// The statements of a method, a block, a branch.
    pub fn body(&mut self, node: Node<'p>, scope: &mut Scope) -> Flow {
        let inner = match node.kind() {
            "method" | "singleton_method" | "block" | "do_block" => field(node, "body"),
            _ => Some(node),
        };
        let Some(inner) = inner else { return Flow::On };
        if !matches!(
            inner.kind(),
            "body_statement"
                | "block_body"
                | "then"
                | "else"
                | "program"
                | "begin"
                | "parenthesized_statements"
                | "ensure"
                | "do"
                | "begin_block"
        ) {
            return self.statement(inner, scope);
        }
        let nodes = children(inner);
        let before = (scope.conditional, scope.guarded);
        if nodes.iter().any(|node| node.kind() == "rescue") {
            scope.conditional = true;
        }
        for node in nodes {
            let flow = self.statement(node, scope);
            if let Some(asks) = self.returned {
                scope.conditional = true;
                scope.guarded |= asks;
            }
            if flow != Flow::On {
                return flow;
            }
        }
        if matches!(inner.kind(), "begin") {
            (scope.conditional, scope.guarded) = before;
        }
        Flow::On
    }

    /// A block, with names of its own.
    pub fn block(&mut self, block: Node<'p>, scope: &mut Scope) -> Flow {
        let mut inner = scope.clone();
        for name in self.parameters(block) {
            inner.variables.remove(&name);
        }
        match self.body(block, &mut inner) {
            Flow::Next => Flow::On,
            flow => flow,
        }
    }

    /// The names of a block's parameters.
    pub fn parameters(&self, block: Node<'p>) -> Vec<String> {
        let parameters = field(block, "parameters").map(children).unwrap_or_default();
        parameters.into_iter().map(|node| self.ruby.text_of(node).to_owned()).collect()
    }

    /// One statement.
    pub fn statement(&mut self, node: Node<'p>, scope: &mut Scope) -> Flow {
        let Some(left) = self.left.checked_sub(1) else { return Flow::Stop };
        self.left = left;
        if left == 0 {
            let allowed = self.limits.statements as u64;
            self.put(Operation::Unread(Unread::Limit { limit: "statements".to_owned(), allowed }), node, scope);
            return Flow::Stop;
        }
        match node.kind() {
            "call" | "identifier" | "super" => return self.call(node, scope),
            "if" | "unless" | "if_modifier" | "unless_modifier" | "conditional" | "elsif" => {
                return self.branch(node, scope);
            }
            "case" => self.unsure(node, scope),
            "binary" => self.chained(node, scope),
            "assignment" | "operator_assignment" => self.assignment(node, scope),
            "return" | "next" | "break" => {
                for child in children(node) {
                    self.body(child, scope);
                }
                return if node.kind() == "return" { Flow::Stop } else { Flow::Next };
            }
            "begin" | "parenthesized_statements" | "then" | "else" | "ensure" => return self.body(node, scope),
            "rescue" => self.unsure(node, scope),
            "argument_list" | "rescue_modifier" => {
                let mut inner = scope.clone();
                inner.conditional |= node.kind() == "rescue_modifier";
                for child in children(node) {
                    self.statement(child, &mut inner);
                }
            }
            "ERROR" => self.put(syntax_error(), node, scope),
            "method" | "singleton_method" | "class" | "module" | "heredoc_body" | "nil" | "true" | "false"
            | "string" | "simple_symbol" | "integer" | "constant" | "empty_statement" | "comment"
            | "exceptions" | "pattern" | "exception_variable" | "array" | "hash" | "self" => {}
            _ if !data::acts(self, node) => {}
            _ => self.put_code(node, scope),
        }
        Flow::On
    }

    /// Everything below, and nobody knows what of it runs.
    fn unsure(&mut self, node: Node<'p>, scope: &mut Scope) {
        let mut inner = scope.clone();
        inner.conditional = true;
        let value = field(node, "value");
        for child in children(node) {
            match child.kind() {
                _ if Some(child) == value => {}
                "when" | "else" | "then" | "rescue" => self.unsure(child, &mut inner),
                _ => {
                    self.statement(child, &mut inner);
                }
            }
        }
    }

    fn chained(&mut self, node: Node<'p>, scope: &mut Scope) {
        let operator = field(node, "operator").map(|node| self.ruby.text_of(node).to_owned()).unwrap_or_default();
        let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else { return };
        let wanted = matches!(operator.as_str(), "&&" | "and");
        if !wanted && !matches!(operator.as_str(), "||" | "or") {
            if data::acts(self, node) {
                self.put_code(node, scope);
            }
            return;
        }
        let known = self.condition(left, scope);
        if known.is_none() && data::changes(self, left) {
            self.statement(left, scope);
        }
        if known != Some(!wanted) {
            let mut inner = scope.clone();
            inner.conditional |= known.is_none();
            inner.guarded |= known.is_none() && self.asks_existence(left);
            self.statement(right, &mut inner);
        }
    }

    fn assignment(&mut self, node: Node<'p>, scope: &mut Scope) {
        let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else { return };
        if data::acts(self, right) {
            self.body(right, scope);
        }
        let name = self.ruby.text_of(left).to_owned();
        let value = if node.kind() == "assignment"
            && matches!(left.kind(), "identifier" | "constant" | "instance_variable")
        {
            self.ruby.value(right, &scope.variables)
        } else {
            Value::Code(name.clone())
        };
        scope.variables.insert(name, value);
    }

    fn branch(&mut self, node: Node<'p>, scope: &mut Scope) -> Flow {
        let Some(condition) = field(node, "condition") else { return Flow::On };
        let negated = node.kind().starts_with("unless");
        let known = self.condition(condition, scope).map(|truth| truth != negated);
        let asks = known.is_none() && self.asks_existence(condition);
        let then = field(node, "consequence").or_else(|| field(node, "body"));
        let otherwise = field(node, "alternative");
        if known.is_none() && data::changes(self, condition) {
            self.put_code(condition, scope);
        }
        let mut run = |reader: &mut Self, part: Option<Node<'p>>, taken: Option<bool>| {
            let Some(part) = part else { return Flow::On };
            if taken == Some(false) {
                return Flow::On;
            }
            let mut inner = scope.clone();
            inner.conditional |= taken.is_none();
            inner.guarded |= asks;
            let flow = reader.body(part, &mut inner);
            if taken == Some(true) {
                scope.variables = inner.variables;
                return flow;
            }
            for (name, value) in inner.variables {
                if scope.variables.get(&name) != Some(&value) {
                    scope.variables.insert(name.clone(), Value::Code(name));
                }
            }
            if flow == Flow::Stop {
                reader.returned = Some(reader.returned.unwrap_or(true) && asks);
            }
            if flow != Flow::On {
                scope.conditional = true;
                scope.guarded |= asks;
            }
            Flow::On
        };
        match run(self, then, known) {
            Flow::On => run(self, otherwise, known.map(|truth| !truth)),
            flow => flow,
        }
    }

    fn asks_existence(&self, condition: Node<'_>) -> bool {
        let text = self.ruby.text_of(condition);
        ["_exists?", "_exist?", ".exists?", "column_names", "columns_hash", "tables.include?", "extension_enabled?"]
            .iter()
            .any(|word| text.contains(word))
    }

    /// Whether a condition holds, if the text says it.
    pub fn condition(&self, node: Node<'p>, scope: &Scope) -> Option<bool> {
        match node.kind() {
            "unary" => {
                let operand = field(node, "operand")?;
                self.condition(operand, scope).map(|truth| !truth)
            }
            "parenthesized_statements" => match children(node).as_slice() {
                [only] => self.condition(*only, scope),
                _ => None,
            },
            "binary" => {
                let operator = field(node, "operator").map(|node| self.ruby.text_of(node)).unwrap_or_default();
                let side = |name| field(node, name).and_then(|node| self.condition(node, scope));
                match operator {
                    "&&" | "and" => match (side("left"), side("right")) {
                        (Some(false), _) | (_, Some(false)) => Some(false),
                        (Some(true), Some(true)) => Some(true),
                        _ => None,
                    },
                    "||" | "or" => match (side("left"), side("right")) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (Some(false), Some(false)) => Some(false),
                        _ => None,
                    },
                    _ => self.ruby.value(node, &scope.variables).truth(),
                }
            }
            "identifier" | "call" if self.ruby.text_of(node) == "reverting?" => Some(false),
            "identifier" | "call"
                if matches!(self.ruby.text_of(node), "postgres?" | "postgresql?" | "mysql?" | "sqlite?") =>
            {
                let dialect = Dialect::of_word(self.ruby.text_of(node).trim_end_matches('?'));
                Some(dialect == Some(self.dialect))
            }
            _ => self.ruby.value(node, &scope.variables).truth(),
        }
    }

    /// A method of the program itself, with what is handed to it.
    pub fn inline(&mut self, call: &Invocation<'p>, scope: &mut Scope) -> bool {
        let Some(method) = self.methods.get(&call.word).copied() else { return false };
        if self.inlined >= INLINED || call.block.is_some() {
            self.put_code(call.node, scope);
            return true;
        }
        let mut inner = Scope { table: None, direction: None, ..scope.clone() };
        inner.variables.retain(|name, _| name.starts_with(|char: char| char.is_uppercase() || char == '@'));
        let mut place = 0;
        for parameter in field(method, "parameters").map(children).unwrap_or_default() {
            let name = field(parameter, "name").unwrap_or(parameter);
            let name = self.ruby.text_of(name).to_owned();
            let given = match parameter.kind() {
                "identifier" | "optional_parameter" => {
                    place += 1;
                    call.places.get(place - 1).cloned()
                }
                "keyword_parameter" => call.given(&name).cloned(),
                _ => Some(Value::Code(name.clone())),
            };
            let otherwise = || field(parameter, "value").map(|node| self.ruby.value(node, &inner.variables));
            let value = given.or_else(otherwise).unwrap_or_else(|| Value::Code(name.clone()));
            if parameter.kind() == "identifier"
                && scope.table.as_ref().is_some_and(|(table, _)| value == Value::Code(table.clone()))
            {
                inner.table = scope.table.as_ref().map(|(_, table)| (name.clone(), table.clone()));
            }
            inner.variables.insert(name, value);
        }
        self.inlined += 1;
        let returned = self.returned;
        self.body(method, &mut inner);
        self.returned = returned;
        self.inlined -= 1;
        true
    }
}
