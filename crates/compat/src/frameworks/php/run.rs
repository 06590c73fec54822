//! Following statements: branches the text decides, and those it does not.

use std::collections::HashMap;

use tree_sitter::Node;

use crate::operation::{Step, Unread};

use super::value::Truth;
use super::{Class, Host, Object, Value};

/// How a statement ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The next one follows.
    Next,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `return`, `throw`, or a skip of the framework's.
    Stop,
}

/// The variables of one method.
#[derive(Default, Clone)]
pub(super) struct Frame<'t> {
    pub variables: HashMap<String, Value<'t>>,
    pub program: usize,
    pub returned: Option<Value<'t>>,
    /// A skip: what follows in the method does not run.
    pub stopped: bool,
}

/// A program that is being followed.
pub struct Run<'t> {
    /// The class.
    pub class: Class<'t>,
    pub(super) frames: Vec<Frame<'t>>,
    pub(super) properties: HashMap<String, Value<'t>>,
    /// What the present statement depends on; with a table where it is what the database has of it.
    conditions: Vec<Option<String>>,
    /// How many more statements and expressions are followed.
    pub(super) left: usize,
    limit: usize,
    spent: bool,
}

/// Of an array this many values are gone through.
const LOOP: usize = 2_000;

/// How deep methods are followed into methods.
const DEPTH: usize = 24;

impl<'t> Run<'t> {
    /// A run over a class; `limit` bounds how much is followed.
    pub fn new(class: Class<'t>, limit: usize) -> Self {
        Self {
            class,
            frames: vec![Frame::default()],
            properties: HashMap::new(),
            conditions: vec![],
            left: limit,
            limit,
            spent: false,
        }
    }

    /// The text of a node of the present program.
    pub fn text(&self, node: Node<'t>) -> &'t str {
        let program = self.frames.last().map_or(0, |frame| frame.program);
        self.class.programs.get(program).map_or("", |program| program.text_of(node))
    }

    /// Sets on a step what it depends on.
    pub fn mark(&self, step: &mut Step, table: Option<&str>) {
        for condition in &self.conditions {
            match (condition, table) {
                (Some(there), Some(table)) if there.is_empty() || there.eq_ignore_ascii_case(table) => {
                    step.guarded = true;
                }
                _ => step.conditional = true,
            }
        }
    }

    /// Whether the present statement is certain to run.
    pub fn certain(&self) -> bool {
        self.conditions.is_empty()
    }

    /// How many conditions the present statement stands under.
    pub fn depth(&self) -> usize {
        self.conditions.len()
    }

    /// Back to so many conditions.
    pub fn leave(&mut self, depth: usize) {
        self.conditions.truncate(depth);
    }

    /// Follows something that may happen or not.
    pub fn perhaps(&mut self, host: &mut dyn Host<'t>, what: impl FnOnce(&mut Self, &mut dyn Host<'t>)) {
        self.either(
            host,
            None,
            |run, host| {
                what(run, host);
                Flow::Next
            },
            |_, _| Flow::Next,
        );
    }

    /// From here to the end of the method all depends on this.
    pub fn depend(&mut self, on: Option<String>) {
        self.conditions.push(on);
    }

    /// Nothing more runs: of the whole program where this is certain to be reached, else of the
    /// method, as far as the present branch goes.
    pub fn stop(&mut self) {
        let from = if self.certain() { 0 } else { self.frames.len().saturating_sub(1) };
        for frame in self.frames.iter_mut().skip(from) {
            frame.stopped = true;
        }
    }

    /// Whether the program was stopped for certain.
    pub fn stopped(&self) -> bool {
        self.frames.first().is_some_and(|frame| frame.stopped)
    }

    /// The class's method, from its beginning, with these arguments.
    pub fn method(
        &mut self,
        host: &mut dyn Host<'t>,
        name: &str,
        arguments: &[(Option<String>, Value<'t>)],
    ) -> Option<Value<'t>> {
        let (declaration, program) = self.class.method(name)?;
        if self.frames.len() > DEPTH {
            host.unread(self, declaration, Unread::Code { what: format!("{name} calls itself") });
            return Some(Value::Unknown);
        }
        Some(self.enter(host, declaration, program, arguments, HashMap::new()))
    }

    /// A function without a name, with these arguments; it sees what is around it.
    pub fn closure(
        &mut self,
        host: &mut dyn Host<'t>,
        closure: Node<'t>,
        program: usize,
        arguments: &[Value<'t>],
    ) -> Value<'t> {
        if self.frames.len() > DEPTH {
            host.unread(self, closure, Unread::Code { what: "a function within functions".to_owned() });
            return Value::Unknown;
        }
        let around = self.frames.last().map(|frame| frame.variables.clone()).unwrap_or_default();
        let arguments: Vec<_> = arguments.iter().map(|value| (None, value.clone())).collect();
        self.enter(host, closure, program, &arguments, around)
    }

    fn enter(
        &mut self,
        host: &mut dyn Host<'t>,
        declaration: Node<'t>,
        program: usize,
        arguments: &[(Option<String>, Value<'t>)],
        variables: HashMap<String, Value<'t>>,
    ) -> Value<'t> {
        let conditions = self.conditions.len();
        self.frames.push(Frame { variables, program, ..Frame::default() });
        self.parameters(host, declaration, arguments);
        let value = match declaration.child_by_field_name("body") {
            Some(body) if declaration.kind() == "arrow_function" => self.value(host, body),
            Some(body) => {
                self.statement(host, body);
                self.frames.last_mut().and_then(|frame| frame.returned.take()).unwrap_or(Value::Null)
            }
            None => Value::Unknown,
        };
        self.frames.pop();
        self.conditions.truncate(conditions);
        value
    }

    fn parameters(
        &mut self,
        host: &mut dyn Host<'t>,
        declaration: Node<'t>,
        arguments: &[(Option<String>, Value<'t>)],
    ) {
        let Some(parameters) = declaration.child_by_field_name("parameters") else { return };
        let mut cursor = parameters.walk();
        for (place, parameter) in
            parameters.named_children(&mut cursor).filter(|node| node.kind() != "comment").enumerate()
        {
            let Some(name) = parameter.child_by_field_name("name") else { continue };
            let name = self.text(name).trim_start_matches(['.', '$', '&']).to_owned();
            let given = arguments
                .iter()
                .find(|(named, _)| named.as_deref() == Some(&name))
                .or_else(|| arguments.get(place).filter(|(named, _)| named.is_none()))
                .map(|(_, value)| value.clone());
            let value = match (given, parameter.child_by_field_name("default_value")) {
                _ if parameter.kind() == "variadic_parameter" => {
                    let rest = arguments.iter().skip(place).map(|(_, value)| value.clone());
                    super::functions::numbered(rest)
                }
                (Some(value), _) => value,
                (None, Some(default)) => self.value(host, default),
                (None, None) => Value::Unknown,
            };
            self.set(&name, value);
        }
    }

    pub(super) fn set(&mut self, name: &str, value: Value<'t>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.variables.insert(name.to_owned(), value);
        }
    }

    /// Takes one of what may be followed; tells the host once when none is left.
    pub(super) fn spend(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> bool {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return true;
        }
        if !self.spent {
            self.spent = true;
            let limit = "statements of a program".to_owned();
            host.unread(self, node, Unread::Limit { limit, allowed: self.limit as u64 });
        }
        false
    }

    /// Follows one statement.
    pub fn statement(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Flow {
        if !self.spend(host, node) {
            return Flow::Stop;
        }
        if node.is_error() || node.is_missing() {
            host.unread(self, node, syntax(self.text(node)));
            return Flow::Next;
        }
        let flow = match node.kind() {
            "compound_statement" | "colon_block" | "declaration_list" => return self.block(host, node, 0),
            "if_statement" => self.branch(host, node),
            "foreach_statement" => self.foreach(host, node),
            "for_statement" | "while_statement" | "do_statement" => {
                self.unsure_loop(host, node);
                Flow::Next
            }
            "switch_statement" => self.switch(host, node),
            "try_statement" => self.try_it(host, node),
            "return_statement" => {
                let value = node.named_child(0).map_or(Value::Null, |value| self.value(host, value));
                self.returned(value);
                Flow::Stop
            }
            "break_statement" => Flow::Break,
            "continue_statement" => Flow::Continue,
            "expression_statement" => {
                let throws = node.named_child(0).is_some_and(|inner| inner.kind() == "throw_expression");
                self.parts(host, node);
                if throws { Flow::Stop } else { Flow::Next }
            }
            "comment"
            | "empty_statement"
            | "text_interpolation"
            | "global_declaration"
            | "namespace_use_declaration"
            | "class_declaration"
            | "namespace_definition"
            | "php_tag"
            | "const_declaration"
            | "declare_statement"
            | "unset_statement" => Flow::Next,
            "function_static_declaration" | "echo_statement" => {
                self.parts(host, node);
                Flow::Next
            }
            other => {
                host.unread(self, node, Unread::Code { what: format!("{other}: {}", self.text(node)) });
                Flow::Next
            }
        };
        if self.frames.last().is_some_and(|frame| frame.stopped) { Flow::Stop } else { flow }
    }

    fn returned(&mut self, value: Value<'t>) {
        let certain = self.conditions.is_empty();
        if let Some(frame) = self.frames.last_mut() {
            frame.returned = match frame.returned.take() {
                Some(_) => Some(Value::Unknown),
                None if certain => Some(value),
                // It may be another return that counts.
                None => Some(if matches!(value, Value::Null) { Value::Null } else { Value::Unknown }),
            };
        }
    }

    /// Works out every expression of a statement.
    fn parts(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) {
        for part in children(node) {
            self.value(host, part);
        }
    }

    /// The statements of a block, those before `from` left out.
    fn block(&mut self, host: &mut dyn Host<'t>, node: Node<'t>, from: usize) -> Flow {
        for statement in children(node).into_iter().skip(from) {
            let flow = self.statement(host, statement);
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    fn branch(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Flow {
        let condition = node.child_by_field_name("condition").map(|condition| self.value(host, condition));
        let truth = condition.map_or(Truth::Maybe(None), |value| value.truth());
        let body = node.child_by_field_name("body");
        let mut cursor = node.walk();
        let others: Vec<_> = node.children_by_field_name("alternative", &mut cursor).collect();
        self.choose(host, truth, body, &others)
    }

    fn choose(
        &mut self,
        host: &mut dyn Host<'t>,
        truth: Truth,
        body: Option<Node<'t>>,
        others: &[Node<'t>],
    ) -> Flow {
        match truth {
            Truth::Yes => body.map_or(Flow::Next, |body| self.statement(host, body)),
            Truth::No => self.otherwise(host, others),
            Truth::Maybe(table) => self.either(
                host,
                table,
                |run, host| body.map_or(Flow::Next, |body| run.statement(host, body)),
                |run, host| run.otherwise(host, others),
            ),
        }
    }

    fn otherwise(&mut self, host: &mut dyn Host<'t>, others: &[Node<'t>]) -> Flow {
        let Some((first, rest)) = others.split_first() else { return Flow::Next };
        let body = first.child_by_field_name("body");
        match first.child_by_field_name("condition") {
            Some(condition) => {
                let truth = self.value(host, condition).truth();
                self.choose(host, truth, body, rest)
            }
            None => body.map_or(Flow::Next, |body| self.statement(host, body)),
        }
    }

    /// Follows both of two branches, each on its condition, and keeps what both agree on.
    pub(super) fn either(
        &mut self,
        host: &mut dyn Host<'t>,
        table: Option<String>,
        one: impl FnOnce(&mut Self, &mut dyn Host<'t>) -> Flow,
        other: impl FnOnce(&mut Self, &mut dyn Host<'t>) -> Flow,
    ) -> Flow {
        let before = self.frames.last().cloned().unwrap_or_default();
        let depth = self.conditions.len();
        self.conditions.push(table.clone());
        let first = one(self, host);
        self.conditions.truncate(depth);
        let after_first = self.frames.last().cloned().unwrap_or_default();
        if let Some(frame) = self.frames.last_mut() {
            frame.variables = before.variables;
            frame.stopped = before.stopped;
        }
        self.conditions.push(table.clone());
        let second = other(self, host);
        self.conditions.truncate(depth);
        match (first, second) {
            (Flow::Next, Flow::Next) => {
                self.merge(&after_first.variables);
                Flow::Next
            }
            (Flow::Next, _) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.variables = after_first.variables;
                    frame.stopped = before.stopped;
                }
                self.conditions.push(table);
                Flow::Next
            }
            (_, Flow::Next) => {
                self.conditions.push(table);
                Flow::Next
            }
            (first, second) if first == second => first,
            _ => Flow::Stop,
        }
    }

    /// Keeps of the variables what the others agree on.
    fn merge(&mut self, others: &HashMap<String, Value<'t>>) {
        let Some(frame) = self.frames.last_mut() else { return };
        for (name, value) in others {
            match frame.variables.get_mut(name) {
                Some(known) if known == value => {}
                Some(known) => *known = Value::Unknown,
                None => {
                    // A table's handle that only one branch made can only be used where it was made.
                    let kept = if matches!(value, Value::Object(_)) { value.clone() } else { Value::Unknown };
                    frame.variables.insert(name.clone(), kept);
                }
            }
        }
    }

    fn foreach(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Flow {
        let parts = children(node);
        let body = node.child_by_field_name("body");
        let (Some(over), Some(target)) = (parts.first(), parts.get(1)) else { return Flow::Next };
        let list = self.value(host, *over);
        match list {
            Value::Array(pairs) if pairs.len() <= LOOP => {
                let depth = self.conditions.len();
                for (key, value) in pairs {
                    self.bind(host, *target, key, value);
                    let flow = body.map_or(Flow::Next, |body| self.statement(host, body));
                    match flow {
                        Flow::Next | Flow::Continue => {}
                        Flow::Break => break,
                        Flow::Stop => return Flow::Stop,
                    }
                    // A `continue` that one branch took holds for this turn only.
                    if self.frames.last().is_some_and(|frame| frame.returned.is_none()) {
                        self.conditions.truncate(depth);
                    }
                }
            }
            _ => {
                self.bind(host, *target, Value::Unknown, Value::Unknown);
                self.unsure_loop(host, node);
            }
        }
        Flow::Next
    }

    fn bind(&mut self, host: &mut dyn Host<'t>, target: Node<'t>, key: Value<'t>, value: Value<'t>) {
        if target.kind() == "pair" {
            let parts = children(target);
            if let (Some(name), Some(place)) = (parts.first(), parts.get(1)) {
                self.assign(host, *name, key);
                self.assign(host, *place, value);
            }
        } else {
            self.assign(host, target, value);
        }
    }

    /// A loop of which the text does not say how often it runs: its body once, on a condition.
    fn unsure_loop(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) {
        self.forget_assigned(node);
        let mut cursor = node.walk();
        let bodies: Vec<_> = node.children_by_field_name("body", &mut cursor).collect();
        self.either(
            host,
            None,
            |run, host| {
                for field in ["initialize", "condition", "update"] {
                    if let Some(part) = node.child_by_field_name(field) {
                        run.value(host, part);
                    }
                }
                run.forget_assigned(node);
                for body in bodies {
                    run.statement(host, body);
                }
                Flow::Next
            },
            |_, _| Flow::Next,
        );
    }

    /// Whatever is assigned under a node is unknown from now on.
    fn forget_assigned(&mut self, root: Node<'t>) {
        let mut cursor = root.walk();
        let mut depth = 0_usize;
        loop {
            let node = cursor.node();
            if matches!(
                node.kind(),
                "assignment_expression" | "augmented_assignment_expression" | "update_expression"
            ) {
                let target = node.child_by_field_name("left").or_else(|| node.named_child(0));
                if let Some(target) = target.filter(|target| target.kind() == "variable_name") {
                    let name = self.text(target).trim_start_matches('$').to_owned();
                    self.set(&name, Value::Unknown);
                }
            }
            if cursor.goto_first_child() {
                depth += 1;
                continue;
            }
            while depth > 0 && !cursor.goto_next_sibling() {
                cursor.goto_parent();
                depth -= 1;
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn switch(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Flow {
        let subject = node.child_by_field_name("condition").map_or(Value::Unknown, |node| self.value(host, node));
        let Some(body) = node.child_by_field_name("body") else { return Flow::Next };
        let cases = children(body);
        let depth = self.conditions.len();
        let mut open = false;
        let mut unsure = false;
        for case in &cases {
            let truth = match case.child_by_field_name("value") {
                _ if open => Truth::Yes,
                Some(value) => {
                    let value = self.value(host, value);
                    match &subject {
                        Value::Truth(true) => value.truth(),
                        Value::Truth(false) => !value.truth(),
                        subject => subject.equals(&value).map_or(Truth::Maybe(None), Truth::from),
                    }
                }
                None => Truth::Yes,
            };
            let from = usize::from(case.child_by_field_name("value").is_some());
            match truth {
                Truth::No => {}
                Truth::Yes => {
                    if unsure {
                        self.conditions.push(None);
                    }
                    let flow = self.block(host, *case, from);
                    self.conditions.truncate(depth);
                    match flow {
                        Flow::Next => open = true,
                        Flow::Break => return Flow::Next,
                        flow => return if unsure { Flow::Next } else { flow },
                    }
                }
                Truth::Maybe(table) => {
                    unsure = true;
                    let case = *case;
                    self.either(
                        host,
                        table,
                        |run, host| {
                            run.block(host, case, from);
                            Flow::Next
                        },
                        |_, _| Flow::Next,
                    );
                }
            }
        }
        Flow::Next
    }

    fn try_it(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Flow {
        let flow = node.child_by_field_name("body").map_or(Flow::Next, |body| self.statement(host, body));
        for clause in children(node) {
            let Some(body) = clause.child_by_field_name("body") else { continue };
            match clause.kind() {
                "catch_clause" => {
                    self.either(
                        host,
                        None,
                        |run, host| {
                            run.statement(host, body);
                            Flow::Next
                        },
                        |_, _| Flow::Next,
                    );
                }
                "finally_clause" => {
                    self.statement(host, body);
                }
                _ => {}
            }
        }
        flow
    }

    /// `$this` in the class.
    pub fn this() -> Value<'t> {
        Value::Object(Object::of("this"))
    }
}

/// What is said of text that is no PHP.
pub(super) fn syntax(text: &str) -> Unread {
    Unread::Syntax { words: crate::operation::one_line(&format!("not PHP: {text}")) }
}

/// The named children of a node, comments left out.
pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}
