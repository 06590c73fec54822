//! Statements that change rows.

use super::super::Dialect;
use super::super::cursor::{Cursor, Read};
use super::super::lex::Kind;
use super::copy;
use crate::operation::{Data, Name, Operation};

/// Reads a statement that changes rows or asks for them, whatever its verb.
pub fn read(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    if cursor.is(&["WITH"]) {
        let Some(at) = cursor.find(&["INSERT", "UPDATE", "DELETE", "MERGE", "SELECT", "REPLACE"]) else {
            return Err(cursor.unknown());
        };
        cursor.skip(at);
    }
    let (data, table, every_row) = match cursor.word(0).map(str::to_uppercase).as_deref() {
        Some("INSERT" | "REPLACE") => {
            // What a query of its own calls a table is none.
            if !whole.is(&["WITH"])
                && let Some((table, copy)) = copied(cursor)
            {
                whole.keep(copy.into(table));
                return Ok(());
            }
            (Data::Insert, inserted(cursor), false)
        }
        Some("UPDATE") => (Data::Update, updated(cursor), unbounded(&cursor)),
        Some("DELETE") => (Data::Delete, deleted(cursor), unbounded(&cursor)),
        Some("TRUNCATE") => (Data::Truncate, truncated(cursor), true),
        Some("MERGE") => (merged(&cursor), inserted(cursor), false),
        Some("LOAD") => (Data::Insert, loaded(cursor), false),
        _ => return selected(cursor, whole),
    };
    whole.keep(Operation::Data { data, table, every_row });
    Ok(())
}

/// A query changes nothing here, except in Oracle, where a function it calls may.
fn selected(cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    if !cursor.is_any(&["SELECT", "VALUES", "TABLE"]) {
        return Err(cursor.unknown());
    }
    let operation = if cursor.dialect() == Dialect::Oracle {
        Operation::Data { data: Data::Select, table: None, every_row: false }
    } else {
        Operation::Neutral { what: "SELECT".to_owned() }
    };
    whole.keep(operation);
    Ok(())
}

fn unbounded(cursor: &Cursor<'_>) -> bool {
    cursor.find(&["WHERE", "JOIN", "LIMIT", "TOP"]).is_none()
}

/// Rows of a table that go into another.
fn copied(mut cursor: Cursor<'_>) -> Option<(Name, copy::Copy)> {
    let table = into(&mut cursor)?;
    Some((table, copy::of_insert(cursor)?))
}

fn inserted(mut cursor: Cursor<'_>) -> Option<Name> {
    into(&mut cursor)
}

/// The table that rows are put into; passes it.
fn into(cursor: &mut Cursor<'_>) -> Option<Name> {
    cursor.skip(1);
    while cursor.eat_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "ALL", "FIRST", "OR"])
        || cursor.eat_any(&["REPLACE", "ROLLBACK", "ABORT", "FAIL"])
    {}
    if cursor.eat(&["TOP"]) {
        cursor.pass();
    }
    cursor.eat(&["INTO"]);
    cursor.name().ok()
}

fn updated(mut cursor: Cursor<'_>) -> Option<Name> {
    cursor.skip(1);
    while cursor.eat_any(&["LOW_PRIORITY", "IGNORE", "ONLY", "OR", "REPLACE", "ROLLBACK", "ABORT", "FAIL"]) {}
    if cursor.eat(&["TOP"]) {
        cursor.pass();
    }
    let name = cursor.name().ok()?;
    Some(behind_alias(cursor, name))
}

fn deleted(mut cursor: Cursor<'_>) -> Option<Name> {
    cursor.skip(1);
    while cursor.eat_any(&["LOW_PRIORITY", "QUICK", "IGNORE"]) {}
    if cursor.eat(&["TOP"]) {
        cursor.pass();
    }
    cursor.eat(&["FROM"]);
    let name = cursor.name().ok()?;
    Some(behind_alias(cursor, name))
}

/// `UPDATE a SET … FROM table a`: the table behind an alias.
fn behind_alias(mut cursor: Cursor<'_>, name: Name) -> Name {
    let Some(at) = cursor.find(&["FROM"]) else { return name };
    cursor.skip(at + 1);
    // The sources are looked through once: a name, and the alias after it.
    while !cursor.done() && !cursor.is(&["WHERE"]) {
        let mut here = cursor;
        if matches!(cursor.kind(), Some(Kind::Word | Kind::Quoted | Kind::Double))
            && let Ok(table) = here.name()
        {
            here.eat(&["AS"]);
            if here.ident().is_ok_and(|alias| alias == name.name) {
                return table;
            }
        }
        cursor.pass();
    }
    name
}

fn truncated(mut cursor: Cursor<'_>) -> Option<Name> {
    cursor.skip(1);
    cursor.eat(&["TABLE"]);
    cursor.name().ok()
}

/// A MERGE that may delete is looked at as a delete.
fn merged(cursor: &Cursor<'_>) -> Data {
    if cursor.find(&["DELETE"]).is_some() {
        Data::Delete
    } else if cursor.find(&["UPDATE"]).is_some() {
        Data::Update
    } else {
        Data::Insert
    }
}

fn loaded(mut cursor: Cursor<'_>) -> Option<Name> {
    let at = cursor.find(&["INTO"])?;
    cursor.skip(at + 1);
    cursor.eat(&["TABLE"]);
    cursor.name().ok()
}
