//! MySQL and MariaDB.

mod alter;
mod bodies;
mod create;
mod dynamic;
#[cfg(test)]
mod tests;

use super::Dialect;
use super::common::{self, each_statement, neutral, objects, read_all, review, rows, tables};
use super::cursor::{Cursor, Read, Source};
use crate::migration::Limits;
use crate::operation::{Kind, Operation, Restriction, Step, Unread};
use dynamic::Variables;

/// What a text does, statement by statement.
pub fn read(text: &str, limits: Limits) -> Vec<Step> {
    read_all(text, Dialect::MySql, limits, read_source)
}

fn read_source(source: &Source<'_>) {
    let mut variables = Variables::default();
    each_statement(source, |cursor| statement(cursor, &mut variables));
}

fn statement(cursor: Cursor<'_>, variables: &mut Variables) -> Read<()> {
    let head = cursor.word(0).map(str::to_uppercase);
    match head.as_deref() {
        Some("CREATE") => {
            bodies::keep(cursor, variables);
            create::read(cursor)
        }
        Some("ALTER") => alter::read(cursor),
        Some("DROP") => drop(cursor),
        Some("RENAME") => rename(cursor),
        Some("SET") => set(cursor, variables),
        Some("PREPARE") => {
            variables.prepare(cursor);
            neutral(cursor, 1)
        }
        Some("EXECUTE") => execute(cursor, variables),
        Some("DEALLOCATE") => neutral(cursor, 1),
        Some("CALL") => bodies::call(cursor, variables),
        Some("DO" | "SOURCE") => Err(code(cursor)),
        Some("TRUNCATE" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "LOAD" | "WITH" | "VALUES" | "TABLE") => {
            rows::read(cursor)
        }
        Some("SELECT") => {
            variables.select_into(cursor);
            rows::read(cursor)
        }
        None if cursor.is_mark(b'(') => neutral(cursor, 1),
        _ => harmless(cursor),
    }
}

/// A program that is run.
fn code(cursor: Cursor<'_>) -> Unread {
    Unread::Code { what: cursor.rest_text().chars().take(100).collect() }
}

/// Statements that code cannot notice, and those that are known and not modelled.
fn harmless(cursor: Cursor<'_>) -> Read<()> {
    if cursor.is(&["USE"]) {
        // The client ends it with its line; more words are another statement without its head's `;`.
        return if cursor.left() == 2 { neutral(cursor, 1) } else { Err(cursor.unknown()) };
    }
    if cursor.is(&["BEGIN", "NOT"]) {
        return Err(Unread::Code { what: "BEGIN NOT ATOMIC".to_owned() });
    }
    let known: &[&str] = &[
        "GRANT",
        "LOCK",
        "UNLOCK",
        "START",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "RELEASE",
        "ANALYZE",
        "ANALYSE",
        "OPTIMIZE",
        "CHECK",
        "REPAIR",
        "FLUSH",
        "RESET",
        "SHOW",
        "DESCRIBE",
        "DESC",
        "EXPLAIN",
        "HELP",
        "KILL",
        "PURGE",
        "CHANGE",
        "STOP",
        "INSTALL",
        "CACHE",
        "CHECKSUM",
        "XA",
        "HANDLER",
    ];
    if cursor.is_any(known) {
        return neutral(cursor, 1);
    }
    if cursor.is(&["REVOKE"]) {
        cursor.keep(Operation::Restrict { restriction: Restriction::Revoke, table: None });
        return Ok(());
    }
    if cursor.is(&["UNINSTALL"]) {
        return review(cursor, "a plugin is removed", None);
    }
    if cursor.is(&["IMPORT", "TABLE"]) {
        return review(cursor, "a table is imported", None);
    }
    Err(cursor.unknown())
}

fn set(cursor: Cursor<'_>, variables: &mut Variables) -> Read<()> {
    let mut body = cursor;
    body.skip(1);
    for part in body.commas() {
        variables.set(part);
    }
    let read_only = body.is_any(&["GLOBAL", "PERSIST"]) && body.is_any_after(1, &["READ_ONLY", "SUPER_READ_ONLY"]);
    if read_only {
        cursor.keep(Operation::Restrict { restriction: Restriction::ReadOnly, table: None });
        return Ok(());
    }
    // What every session to come refuses, or takes as meant otherwise.
    let refuses: &[&str] =
        &["SQL_MODE", "INNODB_STRICT_MODE", "SQL_SAFE_UPDATES", "EXPLICIT_DEFAULTS_FOR_TIMESTAMP", "TIME_ZONE"];
    if body.is_any(&["GLOBAL", "PERSIST"]) && body.is_any_after(1, refuses) {
        return common::review(cursor, "a setting of all sessions changes", None);
    }
    neutral(cursor, 1)
}

fn execute(cursor: Cursor<'_>, variables: &mut Variables) -> Read<()> {
    let Some(texts) = variables.executed(cursor) else {
        cursor.keep(Operation::Unread(Unread::Dynamic));
        return Ok(());
    };
    let conditional = texts.len() > 1;
    for (text, line) in texts {
        common::within(cursor, &text, line, conditional, read_source);
    }
    Ok(())
}

fn drop(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    if cursor.eat(&["TEMPORARY", "TABLE"]) || cursor.eat(&["PREPARE"]) {
        return neutral(whole, 2);
    }
    if cursor.eat_any(&["TABLE", "TABLES"]) {
        return tables::drop(cursor, whole);
    }
    if cursor.eat(&["INDEX"]) {
        return drop_index(cursor, whole);
    }
    let kinds: &[(&str, Kind)] = &[
        ("VIEW", Kind::View),
        ("TRIGGER", Kind::Trigger),
        ("PROCEDURE", Kind::Procedure),
        ("FUNCTION", Kind::Function),
        ("EVENT", Kind::Other),
        ("DATABASE", Kind::Database),
        ("SCHEMA", Kind::Database),
        ("SEQUENCE", Kind::Sequence),
        ("PACKAGE", Kind::Other),
    ];
    for (word, kind) in kinds {
        if cursor.eat(&[word]) {
            cursor.eat(&["BODY"]);
            return objects::drop(cursor, *kind, whole);
        }
    }
    if cursor.is_any(&["USER", "ROLE"]) {
        whole.keep(Operation::Restrict { restriction: Restriction::Revoke, table: None });
        return Ok(());
    }
    if cursor.is_any(&["SERVER", "LOGFILE", "TABLESPACE", "UNDO", "RESOURCE", "SPATIAL"]) {
        return review(whole, "something of the server is dropped", None);
    }
    Err(whole.unknown())
}

fn drop_index(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_exists();
    let name = cursor.name()?;
    if !cursor.eat(&["ON"]) {
        return Err(cursor.surprise("ON"));
    }
    let table = cursor.name()?;
    options(&mut cursor)?;
    // The primary key's index has this name.
    let operation = if name.name.key == "primary" {
        tables::drop_constraint(&table, None, Some("primary-key"), false)
    } else {
        Operation::DropIndex { name, table: Some(table) }
    };
    whole.step(operation).guarded(guarded).keep();
    Ok(())
}

/// `ALGORITHM = x LOCK = y`, to the end.
fn options(cursor: &mut Cursor<'_>) -> Read<()> {
    while cursor.eat_any(&["ALGORITHM", "LOCK", "WAIT", "NOWAIT"]) {
        cursor.eat_mark(b'=');
        cursor.skip(1);
    }
    common::end(cursor)
}

fn rename(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    if cursor.is(&["USER"]) {
        whole.keep(Operation::Restrict { restriction: Restriction::Revoke, table: None });
        return Ok(());
    }
    if !cursor.eat_any(&["TABLE", "TABLES"]) {
        return Err(whole.unknown());
    }
    let guarded = cursor.if_exists();
    for mut part in cursor.commas() {
        let place = part;
        let from = part.name()?;
        if part.eat(&["WAIT"]) {
            part.skip(1);
        }
        part.eat(&["NOWAIT"]);
        if !part.eat(&["TO"]) {
            return Err(part.surprise("TO"));
        }
        let to = part.name()?;
        common::end(&part)?;
        place.step(Operation::Rename { kind: None, from, to }).guarded(guarded).keep();
    }
    Ok(())
}
