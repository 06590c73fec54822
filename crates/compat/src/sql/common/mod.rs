//! What the dialects that are not PostgreSQL have in common: columns, constraints, names, types,
//! views, routines, rows. A difference of a dialect is a row or a condition here, not a copy.

pub mod blocks;
pub mod columns;
pub mod constraints;
pub mod copy;
pub mod objects;
pub mod rows;
#[cfg(test)]
pub mod shown;
pub mod tables;
pub mod types;

use super::Dialect;
use super::cursor::{Cursor, Read, Source};
use super::lex::{Kind, tokens};
use super::lex_split::{Statement, statements};
use crate::migration::Limits;
use crate::operation::{Operation, Step, Unread};

/// How deep SQL within SQL is followed.
const LEVELS: usize = 4;

/// How many bytes of SQL within SQL are read of one text: a few statements can ask for very many.
const WITHIN: usize = 16 << 20;

/// How much longer a text that is put together of variables may be than what is written.
pub const GROWTH: usize = 16 << 10;

/// Reads a text with a reader of its statements; every statement gives a step.
pub fn read_all<'a, R>(
    text: &'a str,
    dialect: Dialect,
    limits: Limits,
    reader: impl FnOnce(&Source<'a>) -> R,
) -> Vec<Step> {
    let allowed = limits.file_bytes;
    if text.len() as u64 > allowed {
        let unread = Unread::Limit { limit: "bytes of a file".to_owned(), allowed };
        return vec![Step::new(Operation::Unread(unread), 1, "")];
    }
    let source = Source::new(text, dialect, limits);
    reader(&source);
    source.into_steps()
}

/// Gives every statement of a text to a reader; what it says of what it cannot read is kept.
pub fn each_statement(source: &Source<'_>, mut read: impl FnMut(Cursor<'_>) -> Read<()>) {
    let tokens = tokens(source.text, source.dialect);
    let statements = statements(source.text, &tokens, source.dialect);
    for (count, statement) in statements.iter().enumerate() {
        let cursor = Cursor::new(source, tokens.get(statement.tokens.clone()).unwrap_or_default());
        if let Some(unread) = hindered(source, statement, count) {
            cursor.keep(Operation::Unread(unread));
            if count >= source.limits.statements {
                return;
            }
            continue;
        }
        one(cursor, &mut read);
    }
}

/// Reads one statement; keeps why it could not be.
pub fn one(cursor: Cursor<'_>, read: &mut impl FnMut(Cursor<'_>) -> Read<()>) {
    let before = cursor.source.count();
    match read(cursor) {
        Err(unread) => cursor.keep(Operation::Unread(unread)),
        Ok(()) if cursor.source.count() == before && !says_nothing(&cursor) => {
            cursor.keep(Operation::Unread(cursor.unknown()));
        }
        Ok(()) => {}
    }
}

/// A batch of SQL Server's may hold nothing but `;`.
fn says_nothing(cursor: &Cursor<'_>) -> bool {
    cursor.rest().iter().all(|token| token.kind == Kind::Semicolon)
}

fn hindered(source: &Source<'_>, statement: &Statement, count: usize) -> Option<Unread> {
    let limit = |limit: &str, allowed: usize| Unread::Limit { limit: limit.to_owned(), allowed: allowed as u64 };
    if count >= source.limits.statements {
        Some(limit("statements of a file", source.limits.statements))
    } else if statement.depth > source.limits.nesting {
        Some(limit("brackets within brackets", source.limits.nesting))
    } else if statement.open {
        Some(Unread::Syntax { words: "a block, a string or a comment never ends".to_owned() })
    } else {
        None
    }
}

/// Reads SQL that stands in a string of SQL. `conditional`: it may not run.
pub fn within(cursor: Cursor<'_>, text: &str, line: u32, conditional: bool, read: impl FnOnce(&Source<'_>)) {
    let outer = cursor.source;
    let spent = outer.spent.get().saturating_add(text.len());
    if outer.level >= LEVELS || spent > WITHIN {
        let allowed = if outer.level >= LEVELS { LEVELS } else { WITHIN } as u64;
        let limit = "SQL within SQL".to_owned();
        return cursor.keep(Operation::Unread(Unread::Limit { limit, allowed }));
    }
    let mut inner = Source::new(text, outer.dialect, outer.limits);
    inner.line_offset = line.saturating_sub(1);
    inner.level = outer.level + 1;
    inner.spent.set(spent);
    read(&inner);
    outer.spent.set(inner.spent.get());
    for mut step in inner.into_steps() {
        step.conditional |= conditional;
        outer.keep(step);
    }
}

/// A statement whose end must have come.
pub fn end(cursor: &Cursor<'_>) -> Read<()> {
    if cursor.done() { Ok(()) } else { Err(cursor.surprise("the statement's end")) }
}

/// Code cannot notice it.
pub fn neutral(cursor: Cursor<'_>, words: usize) -> Read<()> {
    let what: Vec<String> = (0..words).filter_map(|at| cursor.word(at)).map(str::to_uppercase).collect();
    cursor.keep(Operation::Neutral { what: what.join(" ") });
    Ok(())
}

/// It is worth a look.
pub fn review(cursor: Cursor<'_>, what: &str, table: Option<crate::operation::Name>) -> Read<()> {
    cursor.keep(Operation::Review { what: what.to_owned(), table });
    Ok(())
}
