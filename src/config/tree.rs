//! The parsed file with every position kept, in file order.
//!
//! Not here: what any key means.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, shown};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

/// What TOML can say.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    /// A float or a date: no key takes one.
    Other(&'static str),
    Bool(bool),
    List(Vec<Node>),
    Table(Table),
}

/// A table's entries in file order.
#[derive(Debug, Clone, Default)]
pub(super) struct Table(pub Vec<Entry>);

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub node: Node,
}

impl Table {
    /// The value of that key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.node)
    }

    /// The key with its value.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|e| e.key == key)
    }
}

impl Node {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The entries of a list of tables that are tables.
    pub fn tables(&self) -> impl Iterator<Item = (&Self, &Table)> {
        self.list().unwrap_or_default().iter().filter_map(|n| Some((n, n.table()?)))
    }

    /// Whether it is `false`.
    pub fn is_false(&self) -> bool {
        matches!(self.value, Value::Bool(false))
    }

    /// What it is, for "expected …, found …".
    pub fn type_word(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a text",
            Value::Whole(_) => "a number",
            Value::Other(word) => word,
            Value::Bool(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// Parses as much as can be parsed.
pub(super) fn parse(text: &str) -> (Table, Vec<Problem>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors.iter().map(|e| syntax_problem(text, e)).collect();
    let table = convert_table(document.get_ref(), &mut problems);
    (table, problems)
}

fn syntax_problem(text: &str, error: &toml::de::Error) -> Problem {
    let end = text.len();
    let span = error.span().map_or(end..end, |s| s.start.min(end)..s.end.min(end));
    let message = shown(error.message());
    let hint = if message.contains("duplicate key") {
        "a key stands once in a table; leave one of them"
    } else if message.contains("string values must be quoted") {
        "put the text between double quotes"
    } else {
        ""
    };
    Problem::error(span, "", format!("this is not TOML: {message}")).hint(hint)
}

fn convert_table(table: &DeTable<'_>, problems: &mut Vec<Problem>) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_span: key.span(),
            node: convert(value, problems),
        })
        .collect();
    entries.sort_by_key(|e| (e.key_span.start, e.node.span.start));
    Table(entries)
}

fn convert(value: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Node {
    let span = value.span();
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Whole(number),
            Err(_) => {
                problems.push(Problem::error(span.clone(), "", "this number is too large"));
                Value::Whole(0)
            }
        },
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Array(list) => Value::List(list.iter().map(|v| convert(v, problems)).collect()),
        DeValue::Table(table) => Value::Table(convert_table(table, problems)),
    };
    Node { span, value }
}
