//! What Ruby's expressions are worth, as far as their text says it.
//!
//! Not here: what a migration's calls do.

use std::collections::{BTreeMap, HashMap};

use tree_sitter::Node;

use super::super::syntax::{Call, Program, Value, children, field, find_all, line_of};
use super::words;
use crate::sql::Dialect;

/// Local variables and constants, by name.
pub type Variables = BTreeMap<String, Value>;

/// A Ruby program and its here-documents.
pub struct Ruby<'p> {
    /// The program.
    pub program: &'p Program,
    /// The dialect that `adapter_name` speaks of.
    pub dialect: Dialect,
    /// Tables of the classes that the program itself maps.
    pub models: BTreeMap<String, String>,
    heredocs: HashMap<usize, Node<'p>>,
}

/// A call with everything handed to it.
pub struct Invocation<'p> {
    /// The call.
    pub node: Node<'p>,
    /// The receiver.
    pub receiver: Option<Node<'p>>,
    /// The method's name.
    pub word: String,
    /// What is handed over by place.
    pub places: Vec<Value>,
    /// The nodes of those.
    pub nodes: Vec<Node<'p>>,
    /// What is handed over by name.
    pub names: Vec<(String, Value)>,
    /// `**options` that are not known.
    pub splat: bool,
    /// The block.
    pub block: Option<Node<'p>>,
}

impl Invocation<'_> {
    /// An option; `None` where it is absent or `nil`.
    pub fn option(&self, name: &str) -> Option<&Value> {
        self.given(name).filter(|value| **value != Value::Nothing)
    }

    /// An option as it is given, also `nil`.
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.names.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Whether an option is plainly true.
    pub fn is(&self, name: &str) -> bool {
        self.given(name) == Some(&Value::Truth(true))
    }

    /// The text at a place.
    pub fn text(&self, place: usize) -> Option<&str> {
        self.places.get(place).and_then(Value::text)
    }
}

impl<'p> Ruby<'p> {
    /// Prepares a program.
    pub fn new(program: &'p Program, dialect: Dialect) -> Self {
        let starts = find_all(program.root(), &["heredoc_beginning"]);
        let bodies = find_all(program.root(), &["heredoc_body"]);
        let heredocs = starts.iter().map(Node::start_byte).zip(bodies).collect();
        Self { program, dialect, models: BTreeMap::new(), heredocs }
    }

    /// A node's text.
    pub fn text_of(&self, node: Node<'_>) -> &str {
        self.program.text_of(node)
    }

    /// What an expression is worth.
    pub fn value(&self, node: Node<'p>, variables: &Variables) -> Value {
        let inner = |node| self.value(node, variables);
        match node.kind() {
            "nil" => Value::Nothing,
            "true" => Value::Truth(true),
            "false" => Value::Truth(false),
            "integer" | "float" => Value::Number(self.text_of(node).replace('_', "")),
            "simple_symbol" => Value::Text(self.text_of(node).trim_start_matches(':').to_owned()),
            "hash_key_symbol" => Value::Text(self.text_of(node).to_owned()),
            "string" | "delimited_symbol" | "bare_string" | "bare_symbol" => self.string(node, variables),
            "chained_string" => {
                self.joined(children(node).into_iter().map(inner)).unwrap_or_else(|| self.code(node))
            }
            "heredoc_beginning" => match self.heredocs.get(&node.start_byte()) {
                Some(body) => self.string(*body, variables),
                None => self.code(node),
            },
            "array" | "symbol_array" | "string_array" => {
                Value::List(children(node).into_iter().map(inner).collect())
            }
            "hash" => self.map(node, variables),
            "parenthesized_statements" => match children(node).as_slice() {
                [only] => inner(*only),
                _ => self.code(node),
            },
            "identifier" | "constant" => {
                variables.get(self.text_of(node)).cloned().unwrap_or_else(|| match self.text_of(node) {
                    "adapter_name" => Value::Text(self.adapter().to_owned()),
                    text => Value::Code(text.to_owned()),
                })
            }
            "scope_resolution" => {
                let last = field(node, "name").map(|name| self.text_of(name)).unwrap_or_default();
                variables.get(last).cloned().unwrap_or_else(|| self.code(node))
            }
            "unary" if self.text_of(node).starts_with('-') => match field(node, "operand").map(inner) {
                Some(Value::Number(digits)) => Value::Number(format!("-{digits}")),
                _ => self.code(node),
            },
            "lambda" => self.lambda(node, variables),
            "binary" => self.binary(node, variables),
            "element_reference" => self.element(node, variables),
            "call" => self.called(node, variables),
            _ => self.code(node),
        }
    }

    fn code(&self, node: Node<'_>) -> Value {
        Value::Code(self.text_of(node).to_owned())
    }

    fn adapter(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => "PostgreSQL",
            Dialect::MySql => "Mysql2",
            Dialect::Sqlite => "SQLite",
            Dialect::MsSql => "SQLServer",
            Dialect::Oracle => "OracleEnhanced",
        }
    }

    fn joined(&self, parts: impl Iterator<Item = Value>) -> Option<Value> {
        let mut all = String::new();
        for part in parts {
            match part {
                Value::Text(text) | Value::Number(text) => all.push_str(&text),
                _ => return None,
            }
        }
        Some(Value::Text(all))
    }

    fn string(&self, node: Node<'p>, variables: &Variables) -> Value {
        let mut all = String::new();
        for child in children(node) {
            match child.kind() {
                "string_content" | "heredoc_content" => all.push_str(self.text_of(child)),
                "escape_sequence" => all.push_str(&unescaped(self.text_of(child))),
                "interpolation" => match children(child).as_slice() {
                    [only] => match self.value(*only, variables) {
                        Value::Text(text) | Value::Number(text) => all.push_str(&text),
                        _ => return self.code(node),
                    },
                    _ => return self.code(node),
                },
                "heredoc_end" => {}
                _ => return self.code(node),
            }
        }
        if matches!(node.kind(), "bare_string" | "bare_symbol") && node.named_child_count() == 0 {
            all.push_str(self.text_of(node));
        }
        Value::Text(all)
    }

    fn map(&self, node: Node<'p>, variables: &Variables) -> Value {
        let mut pairs = vec![];
        for child in children(node) {
            match (child.kind(), self.pair(child, variables)) {
                ("pair", Some(pair)) => pairs.push(pair),
                _ => return self.code(node),
            }
        }
        Value::Map(pairs)
    }

    fn pair(&self, node: Node<'p>, variables: &Variables) -> Option<(String, Value)> {
        let key = match self.value(field(node, "key")?, variables) {
            Value::Text(key) | Value::Number(key) => key,
            Value::Code(key) => key,
            _ => return None,
        };
        let value = match field(node, "value") {
            Some(value) => self.value(value, variables),
            None => variables.get(&key).cloned().unwrap_or_else(|| Value::Code(key.clone())),
        };
        Some((key, value))
    }

    fn lambda(&self, node: Node<'p>, variables: &Variables) -> Value {
        let body = field(node, "body").and_then(|block| field(block, "body")).map(children).unwrap_or_default();
        let places = body.iter().map(|node| self.value(*node, variables)).collect();
        let (line, text) = (line_of(node), self.text_of(node).to_owned());
        Value::Call(Box::new(Call { path: "lambda".to_owned(), places, names: vec![], line, text }))
    }

    fn binary(&self, node: Node<'p>, variables: &Variables) -> Value {
        let side = |name| field(node, name).map(|node| self.value(node, variables));
        let operator = field(node, "operator").map(|node| self.text_of(node)).unwrap_or_default();
        let (Some(left), Some(right)) = (side("left"), side("right")) else { return self.code(node) };
        match operator {
            "+" => match (&left, &right) {
                (Value::Text(left), Value::Text(right)) => Value::Text(format!("{left}{right}")),
                (Value::List(left), Value::List(right)) => Value::List(left.iter().chain(right).cloned().collect()),
                _ => self.code(node),
            },
            "==" | "!=" if left.literal() && right.literal() => Value::Truth((left == right) == (operator == "==")),
            "=~" => self.matched(&left, &right).map_or_else(|| self.code(node), Value::Truth),
            _ => self.code(node),
        }
    }

    /// Whether an adapter's name matches a pattern of plain letters.
    fn matched(&self, text: &Value, pattern: &Value) -> Option<bool> {
        let text = text.text()?;
        let pattern = match pattern {
            Value::Code(pattern) => pattern.as_str(),
            Value::Text(pattern) => return Some(text.contains(pattern.as_str())),
            _ => return None,
        };
        let (words, flags) = pattern.strip_prefix('/')?.rsplit_once('/')?;
        let words = words.trim_start_matches('^').trim_end_matches('$');
        if !words.chars().all(|char| char.is_ascii_alphanumeric()) {
            return None;
        }
        Some(if flags.contains('i') {
            text.to_lowercase().contains(&words.to_lowercase())
        } else {
            text.contains(words)
        })
    }

    fn element(&self, node: Node<'p>, variables: &Variables) -> Value {
        let object = field(node, "object").map(|node| self.value(node, variables));
        let key = children(node).last().map(|node| self.value(*node, variables));
        match (object, key) {
            (Some(map @ Value::Map(_)), Some(Value::Text(key))) => map.get(&key).cloned().unwrap_or(Value::Nothing),
            _ => self.code(node),
        }
    }

    /// A call whose answer the text says: what keeps a text's words, and names of tables.
    fn called(&self, node: Node<'p>, variables: &Variables) -> Value {
        let call = self.invocation(node, variables);
        let Some(receiver) = call.receiver else {
            return match (call.word.as_str(), call.places.as_slice()) {
                ("lambda" | "proc", []) => self.block_value(&call, variables),
                ("quote" | "quote_string", [Value::Text(text)]) => {
                    Value::Text(format!("'{}'", text.replace('\'', "''")))
                }
                ("quote_table_name" | "quote_column_name", [name @ Value::Text(_)]) => name.clone(),
                _ => self.code(node),
            };
        };
        let text = self.text_of(receiver);
        match call.word.as_str() {
            "adapter_name" => return Value::Text(self.adapter().to_owned()),
            "table_name" | "quoted_table_name" => {
                return match words::constant(text) {
                    Some(model) => Value::Text(self.table_of(model)),
                    None => self.code(node),
                };
            }
            "quote_table_name" | "quote_column_name" => {
                return call
                    .places
                    .first()
                    .filter(|name| name.text().is_some())
                    .cloned()
                    .unwrap_or_else(|| self.code(node));
            }
            _ => {}
        }
        let value = self.value(receiver, variables);
        match (call.word.as_str(), value) {
            (
                "freeze" | "strip_heredoc" | "to_sym" | "to_s" | "dup" | "chomp" | "to_a" | "compact" | "html_safe"
                | "squish" | "strip" | "sort" | "uniq" | "itself" | "rstrip" | "lstrip" | "html_safe!" | "squish!",
                value @ (Value::Text(_) | Value::List(_) | Value::Map(_)),
            ) => value,
            ("downcase", Value::Text(text)) => Value::Text(text.to_lowercase()),
            ("upcase", Value::Text(text)) => Value::Text(text.to_uppercase()),
            ("pluralize", Value::Text(text)) => Value::Text(words::plural(&text)),
            ("singularize", Value::Text(text)) => Value::Text(words::singular(&text)),
            ("keys", Value::Map(pairs)) => {
                Value::List(pairs.into_iter().map(|(key, _)| Value::Text(key)).collect())
            }
            ("values", Value::Map(pairs)) => Value::List(pairs.into_iter().map(|(_, value)| value).collect()),
            ("include?" | "match?" | "start_with?", value @ Value::Text(_)) => call
                .places
                .first()
                .and_then(|pattern| self.matched(&value, pattern))
                .map_or_else(|| self.code(node), Value::Truth),
            ("nil?" | "blank?", value) if value.literal() => Value::Truth(value == Value::Nothing),
            _ => self.code(node),
        }
    }

    fn block_value(&self, call: &Invocation<'p>, variables: &Variables) -> Value {
        let body = call.block.and_then(|block| field(block, "body")).map(children).unwrap_or_default();
        let places = body.iter().map(|node| self.value(*node, variables)).collect();
        let text = self.text_of(call.node).to_owned();
        Value::Call(Box::new(Call {
            path: "lambda".to_owned(),
            places,
            names: vec![],
            line: line_of(call.node),
            text,
        }))
    }

    /// The table of a model: what the program says, else what Rails makes of its name.
    pub fn table_of(&self, model: &str) -> String {
        let last = model.rsplit("::").next().unwrap_or(model);
        self.models.get(last).cloned().unwrap_or_else(|| words::plural(&words::underscored(last)))
    }

    /// A call taken apart. A bare word is a call without arguments.
    pub fn invocation(&self, node: Node<'p>, variables: &Variables) -> Invocation<'p> {
        let mut call = Invocation {
            node,
            receiver: field(node, "receiver"),
            word: field(node, "method").map_or_else(|| self.text_of(node), |word| self.text_of(word)).to_owned(),
            places: vec![],
            nodes: vec![],
            names: vec![],
            splat: false,
            block: field(node, "block"),
        };
        for argument in field(node, "arguments").map(children).unwrap_or_default() {
            match argument.kind() {
                "pair" => match self.pair(argument, variables) {
                    Some(pair) => call.names.push(pair),
                    None => call.splat = true,
                },
                "hash_splat_argument" => {
                    match children(argument).first().map(|node| self.value(*node, variables)) {
                        Some(Value::Map(pairs)) => call.names.extend(pairs),
                        _ => call.splat = true,
                    }
                }
                "splat_argument" => match children(argument).first().map(|node| self.value(*node, variables)) {
                    Some(Value::List(values)) => {
                        call.nodes.extend(values.iter().map(|_| argument));
                        call.places.extend(values);
                    }
                    _ => {
                        call.nodes.push(argument);
                        call.places.push(self.code(argument));
                    }
                },
                "block_argument" | "heredoc_body" => {}
                _ => {
                    call.nodes.push(argument);
                    call.places.push(self.value(argument, variables));
                }
            }
        }
        if let Some(Value::Map(pairs)) = call.places.last().filter(|_| call.names.is_empty()).cloned() {
            call.places.pop();
            call.nodes.pop();
            call.names = pairs;
        }
        call
    }

    /// The line on which the words of a text begin: of a here-document, below the call.
    pub fn text_line(&self, node: Node<'p>) -> u32 {
        let begins = find_all(node, &["heredoc_beginning"]);
        match begins.first().and_then(|node| self.heredocs.get(&node.start_byte())) {
            Some(body) => children(*body).first().map_or_else(|| line_of(*body), |content| line_of(*content)),
            None => line_of(node),
        }
    }
}

/// What an escape of a double-quoted string stands for; its own letter where that does not matter.
fn unescaped(text: &str) -> String {
    match text {
        "\\n" => "\n".to_owned(),
        "\\t" => "\t".to_owned(),
        "\\r" => "\r".to_owned(),
        "\\s" => " ".to_owned(),
        "\\\n" => "\n".to_owned(),
        _ => text.strip_prefix('\\').unwrap_or(text).to_owned(),
    }
}
