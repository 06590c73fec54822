//! Which call it is: the walk's crossroads.
//!
//! Not here: what the calls of a schema do to it ([`super::schema`], [`super::extras`]).

use tree_sitter::Node;

use super::super::emit;
use super::super::syntax::{Value, children, field};
use super::data;
use super::reader::{Flow, Reader, Scope};
use super::ruby::Invocation;
use super::words;
use crate::operation::{Operation, Unread};

/// Blocks that are read as if they were not there.
const TRANSPARENT: &[&str] = &[
    "safety_assured",
    "say_with_time",
    "suppress_messages",
    "transaction",
    "with_lock_retries",
    "disable_statement_timeout",
    "without_statement_timeout",
    "with_lock",
    "up_only",
    "silence",
    "silence_stream",
    "unscoped",
    "uncached",
    "cache",
    "disable_referential_integrity",
    "no_touching",
    "without_timestamps",
    "connected_to",
    "with_connection",
    "outside_transaction",
    "tap",
    "swallow_errors",
];

/// Calls that change nothing in a database.
const NEUTRAL: &[&str] = &[
    "say",
    "puts",
    "p",
    "pp",
    "print",
    "warn",
    "sleep",
    "require",
    "require_relative",
    "include",
    "extend",
    "announce",
    "disable_ddl_transaction!",
    "milestone",
    "restrict_gitlab_migration",
    "reset_column_information",
    "reset_column_cache",
    "reset_sequence_name",
    "clear_cache!",
    "schema_cache",
    "set_lock_timeout",
    "change_table_comment",
    "change_column_comment",
    "reset_pk_sequence!",
    "private",
    "binding",
    "raise_if_no_op",
    "enable_lock_retries!",
    "disable_lock_retries!",
    "skip_require_disable_ddl_transactions!",
    "gitlab_schema",
];

impl<'p> Reader<'p> {
    /// A call, or a bare word that is one.
    pub fn call(&mut self, node: Node<'p>, scope: &mut Scope) -> Flow {
        let broken = field(node, "arguments").is_some_and(|arguments| arguments.has_error());
        if broken {
            self.put(
                Operation::Unread(Unread::Syntax { words: "no Ruby that can be read".to_owned() }),
                node,
                scope,
            );
            return Flow::On;
        }
        let mut call = self.ruby.invocation(node, &scope.variables);
        if node.kind() == "identifier" && scope.variables.contains_key(&call.word) {
            return Flow::On;
        }
        if node.kind() == "call" && call.block.is_none() && TRANSPARENT.contains(&call.word.as_str()) {
            // `safety_assured`, `transaction` without a block of their own: what is handed over may run.
            return self.handed_over(node, scope);
        }
        if call.receiver.is_none() && matches!(call.word.as_str(), "raise" | "fail" | "abort" | "exit") {
            return Flow::Stop;
        }
        let receiver = call.receiver.map(|receiver| self.ruby.text_of(receiver).to_owned());
        match &receiver {
            None => {}
            Some(text) if own_receiver(text) => call.receiver = None,
            Some(text) if scope.table.as_ref().is_some_and(|(name, _)| name == text) => {
                self.table_call(&call, scope);
                return Flow::On;
            }
            Some(text) if scope.direction.as_ref() == Some(text) => {
                return match (call.word.as_str(), call.block) {
                    ("up", Some(block)) => self.block(block, scope),
                    ("down", Some(_)) => Flow::On,
                    _ => {
                        self.put_code(node, scope);
                        Flow::On
                    }
                };
            }
            Some(_) => {}
        }
        if call.receiver.is_some() && self.expanded(&call, scope) {
            return Flow::On;
        }
        self.bare(&call, scope)
    }

    fn bare(&mut self, call: &Invocation<'p>, scope: &mut Scope) -> Flow {
        let word = call.word.as_str();
        if let (true, Some(block)) = (TRANSPARENT.contains(&word), call.block) {
            return self.block(block, scope);
        } else if NEUTRAL.contains(&word) {
        } else if call.receiver.is_some() {
            data::call(self, call, scope);
        } else if self.inline(call, scope) {
        } else if word == "reversible" {
            return self.reversible(call, scope);
        } else if word == "revert" {
            self.revert(call, scope);
        } else if scope.reverted {
            self.reverted(call, scope);
        } else if matches!(
            word,
            "execute"
                | "exec_query"
                | "exec_update"
                | "exec_delete"
                | "update"
                | "delete"
                | "insert"
                | "select_all"
                | "select_values"
                | "select_value"
                | "select_one"
                | "select_rows"
                | "update_sql"
                | "exec_insert"
                | "async_exec"
                | "exec"
                | "execute_in_batches"
                | "query_value"
                | "create_or_replace_function"
        ) && !call.places.is_empty()
        {
            self.execute(call, scope);
        } else if !self.schema_call(call, scope) && !self.extra_call(call, scope) && data::acts(self, call.node) {
            self.put_code(call.node, scope);
        }
        Flow::On
    }

    fn handed_over(&mut self, node: Node<'p>, scope: &Scope) -> Flow {
        if field(node, "arguments").is_some_and(|arguments| data::acts(self, arguments)) {
            self.put_code(node, scope);
        }
        Flow::On
    }

    /// `execute` of a text.
    fn execute(&mut self, call: &Invocation<'p>, scope: &Scope) {
        match (call.text(0), call.nodes.first()) {
            (Some(text), Some(node)) => {
                let line = self.ruby.text_line(*node);
                let text = text.to_owned();
                for mut step in emit::sql_steps(self.dialect, &text, line, self.limits) {
                    step.conditional |= scope.conditional;
                    step.guarded |= scope.guarded;
                    self.steps.push(step);
                }
            }
            _ => self.put(Operation::Unread(Unread::Dynamic), call.node, scope),
        }
    }

    fn reversible(&mut self, call: &Invocation<'p>, scope: &mut Scope) -> Flow {
        let Some(block) = call.block else {
            self.put_code(call.node, scope);
            return Flow::On;
        };
        let mut inner = scope.clone();
        inner.direction = self.parameters(block).first().cloned().or(Some("it".to_owned()));
        self.block(block, &mut inner)
    }

    fn revert(&mut self, call: &Invocation<'p>, scope: &mut Scope) {
        let Some(block) = call.block.filter(|_| call.places.is_empty() && !scope.reverted) else {
            return self.put_code(call.node, scope);
        };
        let mut inner = scope.clone();
        inner.reverted = true;
        for node in field(block, "body").map(children).unwrap_or_default().into_iter().rev() {
            match node.kind() {
                "call" => {
                    self.call(node, &mut inner);
                }
                _ => self.put_code(node, scope),
            }
        }
    }

    /// A call inside `revert`, done the other way round, where that can be told.
    fn reverted(&mut self, call: &Invocation<'p>, scope: &Scope) {
        let mut turned = Invocation {
            node: call.node,
            receiver: None,
            word: String::new(),
            places: call.places.clone(),
            nodes: call.nodes.clone(),
            names: call.names.clone(),
            splat: call.splat,
            block: None,
        };
        let pairs = [
            ("add_column", "remove_column"),
            ("create_table", "drop_table"),
            ("create_join_table", "drop_join_table"),
            ("add_index", "remove_index"),
            ("add_reference", "remove_reference"),
            ("add_belongs_to", "remove_belongs_to"),
            ("add_timestamps", "remove_timestamps"),
            ("add_foreign_key", "remove_foreign_key"),
            ("add_check_constraint", "remove_check_constraint"),
            ("enable_extension", "disable_extension"),
            ("rename_table", "rename_table"),
            ("rename_column", "rename_column"),
        ];
        let word = call.word.as_str();
        let other = pairs.iter().find_map(|(one, other)| match word {
            _ if word == *one => Some(*other),
            _ if word == *other => Some(*one),
            _ => None,
        });
        let Some(other) = other else { return self.put_code(call.node, scope) };
        turned.word = other.to_owned();
        match other {
            "rename_table" => turned.places.reverse(),
            "rename_column" if turned.places.len() == 3 => turned.places.swap(1, 2),
            "add_column" if turned.places.len() < 3 => return self.put_code(call.node, scope),
            "create_table" | "create_join_table" => turned.block = call.block,
            _ => {}
        }
        let mut inner = scope.clone();
        inner.reverted = false;
        if !self.schema_call(&turned, &mut inner) && !self.extra_call(&turned, &mut inner) {
            self.put_code(call.node, scope);
        }
    }

    /// A loop over a list that the text says.
    fn expanded(&mut self, call: &Invocation<'p>, scope: &mut Scope) -> bool {
        let (Some(receiver), Some(block)) = (call.receiver, call.block) else { return false };
        if !matches!(
            call.word.as_str(),
            "each" | "each_pair" | "each_with_index" | "map" | "each_key" | "each_entry"
        ) {
            return false;
        }
        let rows: Vec<Vec<Value>> = match (call.word.as_str(), self.ruby.value(receiver, &scope.variables)) {
            (_, Value::List(values)) => values.into_iter().map(|value| vec![value]).collect(),
            ("each_key", Value::Map(pairs)) => pairs.into_iter().map(|(key, _)| vec![Value::Text(key)]).collect(),
            (_, Value::Map(pairs)) => pairs.into_iter().map(|(key, value)| vec![Value::Text(key), value]).collect(),
            _ => return false,
        };
        let names = self.parameters(block);
        for (at, row) in rows.into_iter().enumerate() {
            let mut inner = scope.clone();
            let row = match (row.as_slice(), names.len()) {
                ([Value::List(parts)], 2..) if call.word != "each_with_index" => parts.clone(),
                _ => row,
            };
            let index = (call.word == "each_with_index").then(|| Value::Number(at.to_string()));
            let values = row.into_iter().chain(index).chain(std::iter::repeat_with(|| Value::Nothing));
            for (name, value) in names.iter().zip(values) {
                inner.variables.insert(name.clone(), value);
            }
            self.body(block, &mut inner);
        }
        true
    }
}

/// Receivers that stand for the migration itself or its connection.
fn own_receiver(text: &str) -> bool {
    let compact = text.trim();
    matches!(
        compact,
        "self" | "connection" | "conn" | "ActiveRecord::Migration" | "ActiveRecord::Base" | "ApplicationRecord"
    ) || compact
        .strip_suffix(".connection")
        .is_some_and(|model| words::constant(model).is_some() || model == "self")
        || compact.strip_suffix(".lease_connection").is_some_and(|model| words::constant(model).is_some())
        || compact.ends_with("::Migration.connection")
}
