//! SQL Server.
//!
//! A batch ends at GO. Within it statements need no `;`: one ends where a word stands that can only
//! begin the next.

mod alter;
mod batch;
mod create;
mod exec;
#[cfg(test)]
mod tests;

use super::Dialect;
use super::common::{each_statement, neutral, read_all, review, rows};
use super::cursor::{Cursor, Read, Source};
use crate::migration::Limits;
use crate::operation::{Data, Name, Operation, Restriction, Step, Unread};
use batch::Flow;

/// What a text does, statement by statement.
pub fn read(text: &str, limits: Limits) -> Vec<Step> {
    let mut steps = read_all(text, Dialect::MsSql, limits, read_source);
    super::undone::rolled_back_all(&mut steps);
    steps
}

fn read_source(source: &Source<'_>) {
    each_statement(source, |cursor| {
        batch::read(cursor);
        Ok(())
    });
}

/// One statement that is no block and no condition.
fn statement(cursor: Cursor<'_>, flow: &mut Flow) -> Read<()> {
    match cursor.word(0).map(str::to_uppercase).as_deref() {
        Some("CREATE") => create::read(cursor),
        Some("ALTER") => alter::read(cursor),
        Some("DROP") => create::drop(cursor),
        Some("EXEC" | "EXECUTE") => exec::read(cursor, flow),
        Some("DECLARE" | "SET") => {
            flow.assign(cursor);
            neutral(cursor, 1)
        }
        Some("SELECT") => {
            flow.assign(cursor);
            selected(cursor)
        }
        Some("INSERT" | "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE" | "WITH") => {
            if cursor.is(&["UPDATE", "STATISTICS"]) { neutral(cursor, 2) } else { rows::read(cursor) }
        }
        Some("BULK") => {
            cursor.keep(Operation::Data { data: Data::Insert, table: None, every_row: false });
            Ok(())
        }
        _ => harmless(cursor),
    }
}

/// SELECT … INTO makes a table.
fn selected(whole: Cursor<'_>) -> Read<()> {
    let Some(into) = whole.find(&["INTO"]) else { return rows::read(whole) };
    let mut cursor = whole;
    cursor.skip(into + 1);
    let table: Name = cursor.name()?;
    let temporary = table.name.key.starts_with('#');
    let columns = crate::operation::Maybe::Unknown;
    whole.keep(Operation::CreateTable { table, columns, constraints: vec![], temporary });
    Ok(())
}

fn harmless(cursor: Cursor<'_>) -> Read<()> {
    let known: &[&str] = &[
        "PRINT",
        "USE",
        "GRANT",
        "RAISERROR",
        "THROW",
        "RETURN",
        "COMMIT",
        "ROLLBACK",
        "SAVE",
        "GOTO",
        "WAITFOR",
        "BACKUP",
        "OPEN",
        "FETCH",
        "CLOSE",
        "DEALLOCATE",
        "BREAK",
        "CONTINUE",
        "DBCC",
        "CHECKPOINT",
        "RECONFIGURE",
        "BEGIN",
        "ADD",
        "REVERT",
        "KILL",
    ];
    if cursor.is_any(known) {
        return neutral(cursor, 1);
    }
    if cursor.is_any(&["REVOKE", "DENY"]) {
        cursor.keep(Operation::Restrict { restriction: Restriction::Revoke, table: None });
        return Ok(());
    }
    if cursor.is_any(&["ENABLE", "DISABLE"]) && cursor.word_is(1, "TRIGGER") {
        let mut named = cursor;
        let table = cursor.find(&["ON"]).and_then(|at| {
            named.skip(at + 1);
            named.name().ok()
        });
        if cursor.is(&["DISABLE"]) {
            return review(cursor, "a trigger is disabled", table);
        }
        cursor.keep(Operation::Restrict { restriction: Restriction::Trigger, table });
        return Ok(());
    }
    if cursor.is(&["RESTORE"]) {
        return review(cursor, "a backup is restored", None);
    }
    // A label of GOTO.
    if cursor.left() == 2 && cursor.ahead(1).is_some_and(|token| token.kind == super::lex::Kind::Mark(b':')) {
        return neutral(cursor, 1);
    }
    let mut called = cursor;
    // The first statement of a batch may call a procedure without EXEC.
    if cursor.is_any(&["sp_rename"]) || called.name().is_ok_and(|name| name.name.key.starts_with("sp_")) {
        return Err(Unread::Code { what: cursor.rest_text().chars().take(100).collect() });
    }
    Err(cursor.unknown())
}
