//! SQL that a program hands to the database.
//!
//! Not here: reading it ([`crate::sql`]).

use crate::migration::Limits;
use crate::operation::{Data, Ident, Name, Operation, Step, Unread};
use crate::sql::{self, Dialect};

use super::HOLE;

/// What a text of SQL does; `line` is where it begins in the file. `bound`: values come beside it.
pub fn steps(dialect: Dialect, text: &str, line: u32, bound: bool, limits: Limits) -> Vec<Step> {
    let line = line.max(1);
    if text.contains(HOLE) {
        let shown = text.replace(HOLE, "…");
        let operation = rows_only(dialect, text).unwrap_or(Operation::Unread(Unread::Dynamic));
        return vec![Step::new(operation, line, &shown)];
    }
    let plain = if bound { without_places(text) } else { text.to_owned() };
    let mut steps = sql::read(dialect, &plain, limits);
    for step in &mut steps {
        step.line = step.line.saturating_add(line).saturating_sub(1).max(1);
    }
    steps
}

/// A change of rows of a named table whose values alone are not literal: whatever they are, rows
/// change and nothing else.
fn rows_only(dialect: Dialect, text: &str) -> Option<Operation> {
    let mut words = text.split_whitespace();
    let verb = words.next()?.to_ascii_uppercase();
    let data = match verb.as_str() {
        "UPDATE" => Data::Update,
        "INSERT" | "REPLACE" => Data::Insert,
        "DELETE" => Data::Delete,
        _ => return None,
    };
    let mut table = words.next()?;
    while matches!(table.to_ascii_uppercase().as_str(), "INTO" | "FROM" | "IGNORE" | "ONLY") {
        table = words.next()?;
    }
    let table = table.split('(').next().unwrap_or_default();
    let open = text.find(HOLE)?;
    let head = text.get(..open)?;
    let known = head.split_whitespace().count() >= 3 && !table.is_empty() && !table.contains(HOLE);
    // A second statement might follow.
    if !known || text.trim_end().trim_end_matches(';').contains(';') {
        return None;
    }
    let every_row = data != Data::Insert && !text.to_ascii_uppercase().contains(" WHERE ");
    Some(Operation::Data { data, table: Some(name(dialect, table, false)), every_row })
}

/// The text with `?` and `:name` that stand for values replaced by a number, nothing moved.
fn without_places(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(char) = chars.next() {
        match quote {
            Some(mark) => {
                if char == mark {
                    quote = None;
                }
                plain.push(char);
            }
            None => match char {
                '\'' | '"' | '`' => {
                    quote = Some(char);
                    plain.push(char);
                }
                '?' => plain.push('0'),
                ':' if before != ':' && chars.peek().is_some_and(|next| next.is_alphabetic() || *next == '_') => {
                    plain.push('0');
                    while chars.peek().is_some_and(|next| next.is_alphanumeric() || *next == '_') {
                        chars.next();
                        plain.push(' ');
                    }
                }
                _ => plain.push(char),
            },
        }
        before = char;
    }
    plain
}

/// A name as an object mapper writes it. `quoted`: the mapper quotes it, so that PostgreSQL compares
/// it as written.
pub fn ident(dialect: Dialect, written: &str, quoted: bool) -> Ident {
    let marks = ['`', '"', '[', ']'];
    let bare = written.trim_matches(marks);
    if dialect == Dialect::Postgres && (quoted || bare.len() != written.len()) {
        Ident::exact(bare)
    } else {
        Ident::folded(bare)
    }
}

/// A table's name, perhaps with its schema; the default schema is left out.
pub fn name(dialect: Dialect, written: &str, quoted: bool) -> Name {
    match written.rsplit_once('.') {
        Some((schema, table)) => {
            let schema = ident(dialect, schema, quoted);
            let default = matches!(schema.key.as_str(), "public" | "dbo" | "main" | "");
            Name { schema: (!default).then_some(schema), name: ident(dialect, table, quoted) }
        }
        None => Name::plain(ident(dialect, written, quoted)),
    }
}
