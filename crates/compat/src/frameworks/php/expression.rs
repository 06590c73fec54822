//! Working out what expressions are worth.

use tree_sitter::Node;

use crate::operation::Unread;

use super::super::syntax::line_of;
use super::Host;
use super::functions;
use super::run::{Flow, Run, children, syntax};
use super::value::{Argument, Call, HOLE, Object, Truth, Value};

impl<'t> Run<'t> {
    /// What an expression is worth; calls in it are followed.
    #[expect(clippy::too_many_lines, reason = "a table: one arm a word")]
    pub fn value(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        if !self.spend(host, node) {
            return Value::Unknown;
        }
        if node.is_error() || node.is_missing() {
            host.unread(self, node, syntax(self.text(node)));
            return Value::Unknown;
        }
        match node.kind() {
            "string" | "encapsed_string" | "heredoc" | "nowdoc" => self.string(host, node),
            "integer" | "float" => Value::Number(self.text(node).replace('_', "")),
            "boolean" => Value::Truth(self.text(node).eq_ignore_ascii_case("true")),
            "null" => Value::Null,
            "name" | "qualified_name" => match self.text(node) {
                "PHP_EOL" => Value::of_text("\n"),
                _ => Value::Unknown,
            },
            "parenthesized_expression"
            | "argument"
            | "error_suppression_expression"
            | "by_ref"
            | "sequence_expression" => {
                children(node).into_iter().fold(Value::Unknown, |_, inner| self.value(host, inner))
            }
            "binary_expression" => self.binary(host, node),
            "unary_op_expression" => self.unary(host, node),
            "conditional_expression" => self.conditional(host, node),
            "array_creation_expression" => self.array(host, node),
            "subscript_expression" => self.subscript(host, node),
            "variable_name" => {
                let name = self.text(node).trim_start_matches('$');
                if name == "this" {
                    return Self::this();
                }
                let known = self.frames.last().and_then(|frame| frame.variables.get(name));
                known.cloned().unwrap_or(Value::Unknown)
            }
            "assignment_expression" | "reference_assignment_expression" => {
                let value = node.child_by_field_name("right").map_or(Value::Unknown, |node| self.value(host, node));
                if let Some(target) = node.child_by_field_name("left") {
                    self.assign(host, target, value.clone());
                }
                value
            }
            "augmented_assignment_expression" => self.augmented(host, node),
            "member_call_expression" | "nullsafe_member_call_expression" => self.member_call(host, node),
            "scoped_call_expression" => self.scoped_call(host, node),
            "function_call_expression" => self.function_call(host, node),
            "member_access_expression" | "nullsafe_member_access_expression" => self.member(host, node),
            "class_constant_access_expression" => self.class_constant(host, node),
            "scoped_property_access_expression" => {
                let name = node.child_by_field_name("name").map(|name| self.text(name).trim_start_matches('$'));
                name.map_or(Value::Unknown, |name| self.property(host, name))
            }
            "anonymous_function" | "arrow_function" => {
                let program = self.frames.last().map_or(0, |frame| frame.program);
                Value::Closure(node, program)
            }
            "object_creation_expression" => self.creation(host, node),
            "cast_expression" => {
                let value = node.child_by_field_name("value").map_or(Value::Unknown, |node| self.value(host, node));
                if matches!(value, Value::Text { .. } | Value::Number(_)) { value } else { Value::Unknown }
            }
            "match_expression" => self.matching(host, node),
            "throw_expression" => Value::Unknown,
            "update_expression" => {
                self.forget(node);
                Value::Unknown
            }
            "clone_expression"
            | "print_intrinsic"
            | "shell_command_expression"
            | "include_expression"
            | "include_once_expression"
            | "require_expression"
            | "require_once_expression" => {
                host.unread(self, node, Unread::Code { what: self.text(node).to_owned() });
                Value::Unknown
            }
            _ => {
                for inner in children(node) {
                    self.value(host, inner);
                }
                Value::Unknown
            }
        }
    }

    fn forget(&mut self, node: Node<'t>) {
        for target in children(node) {
            if target.kind() == "variable_name" {
                let name = self.text(target).trim_start_matches('$').to_owned();
                self.set(&name, Value::Unknown);
            }
        }
    }

    pub(super) fn assign(&mut self, host: &mut dyn Host<'t>, target: Node<'t>, value: Value<'t>) {
        match target.kind() {
            "variable_name" => {
                let name = self.text(target).trim_start_matches('$').to_owned();
                self.set(&name, value);
            }
            "by_ref" => {
                if let Some(inner) = target.named_child(0) {
                    self.assign(host, inner, value);
                }
            }
            "list_literal" | "array_creation_expression" => {
                for (at, part) in children(target).into_iter().enumerate() {
                    let parts = children(part);
                    let (key, place) = match (parts.first(), parts.get(1)) {
                        (Some(key), Some(place)) => (self.value(host, *key).in_text(), *place),
                        (Some(place), None) if part.kind() == "array_element_initializer" => {
                            (at.to_string(), *place)
                        }
                        _ => (at.to_string(), part),
                    };
                    let piece = value.get(&key).cloned().unwrap_or(Value::Unknown);
                    self.assign(host, place, piece);
                }
            }
            "member_access_expression" | "scoped_property_access_expression" => {
                if let Some(name) = target.child_by_field_name("name") {
                    let name = self.text(name).trim_start_matches('$').to_owned();
                    let value = if self.certain() { value } else { Value::Unknown };
                    self.properties.insert(name, value);
                }
            }
            "subscript_expression" => self.assign_at(host, target, value),
            _ => {}
        }
    }

    /// `$list[] = …`, `$map['key'] = …`: kept where the array is known.
    fn assign_at(&mut self, host: &mut dyn Host<'t>, target: Node<'t>, value: Value<'t>) {
        let parts = children(target);
        let Some(base) = parts.first().filter(|base| base.kind() == "variable_name") else { return };
        let name = self.text(*base).trim_start_matches('$').to_owned();
        let key = parts.get(1).map(|key| self.value(host, *key));
        let known = self.frames.last().and_then(|frame| frame.variables.get(&name)).cloned();
        let new = match (known, key) {
            (Some(Value::Array(mut pairs)), None) => {
                pairs.push((Value::Number(pairs.len().to_string()), value));
                Value::Array(pairs)
            }
            (Some(Value::Array(mut pairs)), Some(key)) if key.literal().is_some() => {
                pairs.push((key, value));
                Value::Array(pairs)
            }
            _ => Value::Unknown,
        };
        self.set(&name, new);
    }

    fn augmented(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
        else {
            return Value::Unknown;
        };
        let operator = node.child_by_field_name("operator").map_or("", |operator| self.text(operator));
        let before = self.value(host, left);
        let more = self.value(host, right);
        let value = match operator {
            ".=" => joined(&before, &more),
            "??=" if !matches!(before, Value::Null | Value::Unknown) => before,
            _ => Value::Unknown,
        };
        self.assign(host, left, value.clone());
        value
    }

    fn string(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let body = match node.kind() {
            "heredoc" | "nowdoc" => match node.child_by_field_name("value") {
                Some(body) => body,
                None => return Value::Text { text: String::new(), line: line_of(node) },
            },
            _ => node,
        };
        let quoted = node.kind() == "string";
        let raw = node.kind() == "nowdoc";
        let inner = match (node.kind(), body.byte_range()) {
            ("heredoc" | "nowdoc", range) => range,
            (_, range) => {
                let text = self.text(node);
                let open = text.find(['\'', '"']).map_or(0, |at| at + 1);
                range.start + open..range.end.saturating_sub(1).max(range.start + open)
            }
        };
        let program = self.frames.last().map_or(0, |frame| frame.program);
        let source = self.class.programs.get(program).map_or("", |program| program.text.as_str());
        let mut text = String::new();
        let mut at = inner.start;
        if !raw {
            for part in children(body) {
                let range = part.byte_range();
                if matches!(part.kind(), "string_content" | "nowdoc_string") || range.start < at {
                    continue;
                }
                text.push_str(source.get(at..range.start).unwrap_or_default());
                match part.kind() {
                    "escape_sequence" => text.push_str(&escaped(self.text(part), quoted)),
                    "dynamic_variable_name" | "ERROR" => text.push(HOLE),
                    _ => {
                        let value = self.value(host, part).in_text();
                        // `{$name}`: the braces are PHP's, not the text's.
                        if text.ends_with('{') && source.as_bytes().get(range.end) == Some(&b'}') {
                            text.pop();
                            text.push_str(&value);
                            at = range.end + 1;
                            continue;
                        }
                        text.push_str(&value);
                    }
                }
                at = range.end;
            }
        }
        text.push_str(source.get(at..inner.end).unwrap_or_default());
        let mut line = line_of(node);
        if matches!(node.kind(), "heredoc" | "nowdoc") {
            // The line break after the mark is not the text's.
            let cut = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n'));
            if let Some(cut) = cut.map(str::to_owned) {
                text = cut;
            }
            line = line.saturating_add(1);
        }
        Value::Text { text, line }
    }

    fn binary(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
        else {
            return Value::Unknown;
        };
        let operator = node.child_by_field_name("operator").map_or("", |operator| operator.kind());
        if operator == "instanceof" {
            let value = self.value(host, left);
            let class = self.text(right).rsplit('\\').next().unwrap_or_default();
            return host.is_a(&value, class).map_or(Value::Unknown, Value::Truth);
        }
        let first = self.value(host, left);
        match operator {
            "&&" | "and" => self.both(host, first.truth(), right, true),
            "||" | "or" => self.both(host, first.truth(), right, false),
            "??" => match first {
                Value::Null => self.value(host, right),
                Value::Unknown => {
                    self.value(host, right);
                    Value::Unknown
                }
                known => known,
            },
            _ => {
                let second = self.value(host, right);
                match operator {
                    "." => joined(&first, &second),
                    "===" | "==" => compared(&first, &second),
                    "!==" | "!=" | "<>" => negated(compared(&first, &second)),
                    "+" => match (&first, &second) {
                        (Value::Array(one), Value::Array(other)) => {
                            Value::Array(one.iter().chain(other).cloned().collect())
                        }
                        _ => Value::Unknown,
                    },
                    _ => Value::Unknown,
                }
            }
        }
    }

    /// `and`, `or`: the second is looked at only where the first does not decide.
    fn both(&mut self, host: &mut dyn Host<'t>, first: Truth, right: Node<'t>, and: bool) -> Value<'t> {
        let decided = if and { Truth::No } else { Truth::Yes };
        if first == decided {
            return Value::Truth(!and);
        }
        let mut second = Truth::Maybe(None);
        match &first {
            Truth::Maybe(table) => {
                self.either(
                    host,
                    table.clone(),
                    |run, host| {
                        second = run.value(host, right).truth();
                        Flow::Next
                    },
                    |_, _| Flow::Next,
                );
            }
            _ => second = self.value(host, right).truth(),
        }
        match (first, second) {
            (_, second) if second == decided => Value::Truth(!and),
            (Truth::Maybe(Some(one)), Truth::Maybe(Some(other))) if one == other => Value::There(Some(one)),
            (Truth::Maybe(table), Truth::Yes | Truth::No) | (Truth::Yes | Truth::No, Truth::Maybe(table)) => {
                table.map_or(Value::Unknown, |table| Value::There(Some(table)))
            }
            (Truth::Maybe(_), Truth::Maybe(_)) => Value::Unknown,
            _ => Value::Truth(and),
        }
    }

    fn unary(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let argument = node.child_by_field_name("argument").or_else(|| node.named_child(0));
        let value = argument.map_or(Value::Unknown, |argument| self.value(host, argument));
        let text = self.text(node);
        if text.starts_with('!') {
            return negated(match value.truth() {
                Truth::Yes => Value::Truth(true),
                Truth::No => Value::Truth(false),
                Truth::Maybe(Some(table)) => Value::There(Some(table)),
                Truth::Maybe(None) => Value::Unknown,
            });
        }
        match value {
            Value::Number(digits) if text.starts_with('-') => Value::Number(format!("-{digits}")),
            Value::Number(digits) if text.starts_with('+') => Value::Number(digits),
            _ => Value::Unknown,
        }
    }

    fn conditional(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let condition = node.child_by_field_name("condition").map_or(Value::Unknown, |node| self.value(host, node));
        let yes = node.child_by_field_name("body");
        let no = node.child_by_field_name("alternative");
        match condition.truth() {
            Truth::Yes => yes.map_or(condition, |yes| self.value(host, yes)),
            Truth::No => no.map_or(Value::Unknown, |no| self.value(host, no)),
            Truth::Maybe(table) => {
                let (mut one, mut other) = (condition, Value::Unknown);
                self.either(
                    host,
                    table,
                    |run, host| {
                        if let Some(yes) = yes {
                            one = run.value(host, yes);
                        }
                        Flow::Next
                    },
                    |run, host| {
                        if let Some(no) = no {
                            other = run.value(host, no);
                        }
                        Flow::Next
                    },
                );
                if one == other { one } else { Value::Unknown }
            }
        }
    }

    fn array(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let mut pairs = vec![];
        for element in children(node) {
            let parts = children(element);
            match (parts.first(), parts.get(1)) {
                (Some(key), Some(value)) => {
                    let key = self.value(host, *key);
                    let value = self.value(host, *value);
                    pairs.push((key, value));
                }
                (Some(spread), None) if spread.kind() == "variadic_unpacking" => {
                    let inner = spread.named_child(0).map_or(Value::Unknown, |inner| self.value(host, inner));
                    match inner {
                        Value::Array(more) => pairs.extend(more),
                        _ => return Value::Unknown,
                    }
                }
                (Some(value), None) => {
                    let value = self.value(host, *value);
                    pairs.push((Value::Number(pairs.len().to_string()), value));
                }
                _ => {}
            }
        }
        Value::Array(pairs)
    }

    fn subscript(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let parts = children(node);
        let (Some(base), Some(key)) = (parts.first(), parts.get(1)) else { return Value::Unknown };
        let base = self.value(host, *base);
        let key = self.value(host, *key);
        match key.literal() {
            Some(key) => base.get(key).cloned().unwrap_or(Value::Unknown),
            None => Value::Unknown,
        }
    }

    fn arguments(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Vec<Argument<'t>> {
        let Some(list) = node.child_by_field_name("arguments") else { return vec![] };
        let mut arguments = vec![];
        for argument in children(list) {
            let name = argument.child_by_field_name("name").map(|name| self.text(name).to_owned());
            let parts = children(argument);
            let Some(inner) = parts.last() else { continue };
            if inner.kind() == "variadic_unpacking" {
                let spread = inner.named_child(0).map_or(Value::Unknown, |inner| self.value(host, inner));
                match spread.values() {
                    Some(values) => arguments
                        .extend(values.into_iter().map(|value| Argument { name: None, value: value.clone() })),
                    None => arguments.push(Argument { name: None, value: Value::Unknown }),
                }
                continue;
            }
            let value = self.value(host, *inner);
            arguments.push(Argument { name, value });
        }
        arguments
    }

    fn call(&mut self, host: &mut dyn Host<'t>, node: Node<'t>, name: Option<Node<'t>>) -> Call<'t> {
        let arguments = self.arguments(host, node);
        let line = name.map_or_else(|| line_of(node), line_of);
        let name = name.filter(|name| name.kind() == "name" || name.kind() == "qualified_name");
        Call { node, name: name.map_or(String::new(), |name| self.text(name).to_owned()), arguments, line }
    }

    fn member_call(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let object = node.child_by_field_name("object").map_or(Value::Unknown, |node| self.value(host, node));
        let call = self.call(host, node, node.child_by_field_name("name"));
        match object {
            Value::Object(object) if object.kind == VALUE => Value::Object(object),
            Value::Object(object) => {
                if let Some(value) = host.method(self, &object, &call) {
                    return value;
                }
                if object.kind == "this" {
                    return self.own(host, &call);
                }
                host.unread(self, node, Unread::Code { what: self.text(node).to_owned() });
                Value::Unknown
            }
            _ => {
                let closures: Vec<_> = call
                    .values()
                    .filter_map(|value| match value {
                        Value::Closure(closure, program) => Some((*closure, *program)),
                        _ => None,
                    })
                    .collect();
                for (closure, program) in &closures {
                    self.perhaps(host, |run, host| {
                        run.closure(host, *closure, *program, &[]);
                    });
                }
                if !host.unknown(self, &call)
                    && !only_reads(&call.name)
                    && (!goes_through(&call.name) || closures.is_empty())
                {
                    host.unread(self, node, Unread::Code { what: self.text(node).to_owned() });
                }
                Value::Unknown
            }
        }
    }

    /// A method of the class itself.
    fn own(&mut self, host: &mut dyn Host<'t>, call: &Call<'t>) -> Value<'t> {
        let arguments: Vec<_> =
            call.arguments.iter().map(|argument| (argument.name.clone(), argument.value.clone())).collect();
        if let Some(value) = self.method(host, &call.name, &arguments) {
            return value;
        }
        host.unread(self, call.node, Unread::Code { what: self.text(call.node).to_owned() });
        Value::Unknown
    }

    fn scoped_call(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let scope = node.child_by_field_name("scope").map_or("", |scope| self.text(scope));
        let scope = scope.rsplit('\\').next().unwrap_or_default();
        let call = self.call(host, node, node.child_by_field_name("name"));
        if matches!(scope, "self" | "static") {
            let this = Object::of("this");
            return host.method(self, &this, &call).unwrap_or_else(|| self.own(host, &call));
        }
        if let Some(value) = host.scoped(self, scope, &call) {
            return value;
        }
        if scope.starts_with("Date") || matches!(scope, "Uuid" | "Ulid" | "Json" | "Carbon" | "Closure" | "Assert")
        {
            return Value::Object(Object::of(VALUE));
        }
        if scope != "parent" {
            host.unread(self, node, Unread::Code { what: self.text(node).to_owned() });
        }
        Value::Unknown
    }

    fn function_call(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let function = node.child_by_field_name("function");
        if let Some(callee) = function.filter(|node| !matches!(node.kind(), "name" | "qualified_name")) {
            let callee = self.value(host, callee);
            let arguments = self.arguments(host, node);
            if let Value::Closure(closure, program) = callee {
                let values: Vec<_> = arguments.into_iter().map(|argument| argument.value).collect();
                return self.closure(host, closure, program, &values);
            }
            host.unread(self, node, Unread::Code { what: self.text(node).to_owned() });
            return Value::Unknown;
        }
        let call = self.call(host, node, function);
        if let Some(value) = self.applied(host, &call) {
            return value;
        }
        if let Some(value) = host.function(self, &call) {
            return value;
        }
        functions::call(&call).unwrap_or_else(|| {
            host.unread(self, node, Unread::Code { what: self.text(node).to_owned() });
            Value::Unknown
        })
    }

    /// `array_map`, `array_walk`: the function is followed for each value.
    fn applied(&mut self, host: &mut dyn Host<'t>, call: &Call<'t>) -> Option<Value<'t>> {
        let (list, function) = match call.name.as_str() {
            "array_map" if call.arguments.len() == 2 => (1, 0),
            "array_walk" | "array_filter" => (0, 1),
            _ => return None,
        };
        let Some(Value::Closure(closure, program)) = call.arguments.get(function).map(|given| given.value.clone())
        else {
            return None;
        };
        let values: Vec<_> = match call.arguments.get(list).map(|given| &given.value) {
            Some(Value::Array(pairs)) => pairs.iter().map(|(_, value)| value.clone()).collect(),
            _ => {
                self.either(
                    host,
                    None,
                    |run, host| {
                        run.closure(host, closure, program, &[]);
                        Flow::Next
                    },
                    |_, _| Flow::Next,
                );
                return Some(Value::Unknown);
            }
        };
        let mapped: Vec<_> =
            values.into_iter().map(|value| self.closure(host, closure, program, &[value])).collect();
        Some(if call.name == "array_map" { functions::numbered(mapped.into_iter()) } else { Value::Unknown })
    }

    fn member(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let object = node.child_by_field_name("object").map_or(Value::Unknown, |node| self.value(host, node));
        let name = node.child_by_field_name("name").map_or("", |name| self.text(name));
        match object {
            Value::Object(object) if object.kind == "this" => match host.property(&object, name) {
                Value::Unknown => self.property(host, name),
                known => known,
            },
            Value::Object(object) => host.property(&object, name),
            _ => Value::Unknown,
        }
    }

    fn property(&mut self, host: &mut dyn Host<'t>, name: &str) -> Value<'t> {
        if let Some(value) = self.properties.get(name) {
            return value.clone();
        }
        let Some((default, program)) = self.class.property(name) else { return Value::Unknown };
        self.elsewhere(host, default, program)
    }

    fn class_constant(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let parts = children(node);
        let (Some(scope), Some(name)) = (parts.first(), parts.get(1)) else { return Value::Unknown };
        let scope = self.text(*scope).rsplit('\\').next().unwrap_or_default();
        let name = self.text(*name);
        if name == "class" {
            return Value::of_text(scope);
        }
        if !matches!(scope, "self" | "static" | "parent") && scope != self.class.name {
            return match scope {
                // Doctrine's names of types are their constants in lower case.
                "Types" | "Type" => Value::of_text(name.to_ascii_lowercase()),
                _ => Value::Unknown,
            };
        }
        let Some((value, program)) = self.class.constant(name) else { return Value::Unknown };
        self.elsewhere(host, value, program)
    }

    /// An expression of the class's own body, perhaps in another program.
    fn elsewhere(&mut self, host: &mut dyn Host<'t>, node: Node<'t>, program: usize) -> Value<'t> {
        if self.frames.len() > 64 {
            return Value::Unknown;
        }
        self.frames.push(super::run::Frame { program, ..Default::default() });
        let value = self.value(host, node);
        self.frames.pop();
        value
    }

    fn creation(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let mut class = "";
        let mut list = vec![];
        for part in children(node) {
            match part.kind() {
                "name" | "qualified_name" => class = self.text(part).rsplit('\\').next().unwrap_or_default(),
                "arguments" => {
                    for argument in children(part) {
                        list.push(self.value(host, argument));
                    }
                }
                _ => {}
            }
        }
        if class == "Expression" {
            if let Some(text) = list.first().and_then(Value::literal) {
                return Value::Object(Object::named("expression", [text]));
            }
            return Value::Object(Object::of("expression"));
        }
        let of_php = ["Date", "Array", "Spl", "Json", "Exception", "RuntimeException", "InvalidArgumentException"];
        if of_php.iter().any(|beginning| class.starts_with(beginning)) {
            return Value::Object(Object::of(VALUE));
        }
        Value::Unknown
    }

    fn matching(&mut self, host: &mut dyn Host<'t>, node: Node<'t>) -> Value<'t> {
        let subject = node.child_by_field_name("condition").map_or(Value::Unknown, |node| self.value(host, node));
        let Some(body) = node.child_by_field_name("body") else { return Value::Unknown };
        let mut unsure = false;
        for arm in children(body) {
            let given = arm.child_by_field_name("return_expression").or_else(|| children(arm).last().copied());
            let Some(given) = given else { continue };
            let truth = match arm.child_by_field_name("conditional_expressions") {
                None => Truth::Yes,
                Some(list) => {
                    let mut truth = Truth::No;
                    for condition in children(list) {
                        let value = self.value(host, condition);
                        let one = match &subject {
                            Value::Truth(true) => value.truth(),
                            Value::Truth(false) => !value.truth(),
                            subject => subject.equals(&value).map_or(Truth::Maybe(None), Truth::from),
                        };
                        if one != Truth::No {
                            truth = one;
                            break;
                        }
                    }
                    truth
                }
            };
            match truth {
                Truth::No => {}
                Truth::Yes if !unsure => return self.value(host, given),
                _ => {
                    unsure = true;
                    self.either(
                        host,
                        None,
                        |run, host| {
                            run.value(host, given);
                            Flow::Next
                        },
                        |_, _| Flow::Next,
                    );
                }
            }
        }
        Value::Unknown
    }
}

/// An object of PHP's own: nothing done to it reaches the database.
const VALUE: &str = "value";

/// Methods of unknown objects that change nothing: reading results, dates, texts, collections.
fn only_reads(name: &str) -> bool {
    const BEGINNINGS: [&str; 19] = [
        "get", "is", "has", "fetch", "find", "to", "iterate", "format", "where", "select", "order", "join", "left",
        "union", "group", "limit", "from", "diff", "or",
    ];
    const NAMES: [&str; 22] = [
        "count",
        "free",
        "all",
        "first",
        "last",
        "pluck",
        "map",
        "filter",
        "keys",
        "values",
        "exists",
        "quote",
        "write",
        "writeln",
        "info",
        "notice",
        "warning",
        "debug",
        "contains",
        "quoteIdentifier",
        "closeCursor",
        "select",
    ];
    let lower = name.to_ascii_lowercase();
    BEGINNINGS.iter().any(|beginning| lower.starts_with(beginning)) || NAMES.contains(&name)
}

/// Methods of collections that hand each value to a function.
fn goes_through(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let names =
        ["each", "chunk", "transform", "tap", "reject", "flatmap", "sort", "group", "unless", "when", "partition"];
    names.iter().any(|beginning| lower.starts_with(beginning))
}

fn joined<'t>(first: &Value<'t>, second: &Value<'t>) -> Value<'t> {
    let line = match (first, second) {
        (Value::Text { line, .. }, _) if *line > 0 => *line,
        (_, Value::Text { line, .. }) => *line,
        _ => 0,
    };
    Value::Text { text: first.in_text() + &second.in_text(), line }
}

fn compared<'t>(first: &Value<'t>, second: &Value<'t>) -> Value<'t> {
    match (first, second) {
        (Value::There(table), Value::Truth(_)) | (Value::Truth(_), Value::There(table)) => {
            Value::There(table.clone())
        }
        _ => first.equals(second).map_or(Value::Unknown, Value::Truth),
    }
}

fn negated(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Truth(truth) => Value::Truth(!truth),
        Value::There(table) => Value::There(table),
        _ => Value::Unknown,
    }
}

/// What an escape stands for.
fn escaped(mark: &str, quoted: bool) -> String {
    if quoted {
        return mark.get(1..).unwrap_or_default().to_owned();
    }
    let mut chars = mark.chars().skip(1);
    match chars.next() {
        Some('n') => "\n".to_owned(),
        Some('t') => "\t".to_owned(),
        Some('r') => "\r".to_owned(),
        Some(char @ ('\\' | '$' | '"')) => char.to_string(),
        Some('x' | 'u' | '0'..='9') => "?".to_owned(),
        _ => mark.to_owned(),
    }
}
