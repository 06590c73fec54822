//! CREATE.

use super::super::common::{neutral, objects, tables};
use super::super::cursor::{Cursor, Read};
use super::super::lex::Kind as Token;
use crate::operation::{Kind, Operation};

/// A statement that begins with CREATE.
pub fn read(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    let replace = cursor.eat(&["OR", "REPLACE"]);
    head(&mut cursor);
    let temporary = cursor.eat(&["TEMPORARY"]);
    if cursor.eat(&["TABLE"]) {
        return table(cursor, replace, temporary, whole);
    }
    if cursor.eat(&["VIEW"]) {
        return objects::view(cursor, replace, false, whole);
    }
    if cursor.is_any(&["UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "INDEX", "ONLINE", "OFFLINE"]) {
        cursor.eat_any(&["ONLINE", "OFFLINE"]);
        let unique = cursor.eat(&["UNIQUE"]);
        cursor.eat_any(&["FULLTEXT", "SPATIAL", "VECTOR"]);
        if !cursor.eat(&["INDEX"]) {
            return Err(cursor.surprise("INDEX"));
        }
        return tables::index(cursor, unique, whole);
    }
    if cursor.eat(&["PROCEDURE"]) {
        return objects::routine(cursor, Kind::Procedure, replace, whole);
    }
    cursor.eat(&["AGGREGATE"]);
    if cursor.eat(&["FUNCTION"]) {
        return objects::routine(cursor, Kind::Function, replace, whole);
    }
    if cursor.eat(&["TRIGGER"]) {
        return objects::trigger(cursor, whole);
    }
    let kinds: &[(&str, Kind)] = &[
        ("EVENT", Kind::Other),
        ("DATABASE", Kind::Database),
        ("SCHEMA", Kind::Database),
        ("SEQUENCE", Kind::Sequence),
        ("PACKAGE", Kind::Other),
    ];
    for (word, kind) in kinds {
        if cursor.eat(&[word]) {
            cursor.eat(&["BODY"]);
            objects::named(cursor, *kind, whole)?;
            if *word == "EVENT" {
                event(cursor, whole);
            }
            return Ok(());
        }
    }
    if cursor.is_any(&["USER", "ROLE", "SERVER", "LOGFILE", "TABLESPACE", "UNDO", "RESOURCE", "SPATIAL"]) {
        return neutral(whole, 2);
    }
    Err(whole.unknown())
}

/// What an event does to rows that are there, by itself and later.
fn event(mut cursor: Cursor<'_>, whole: Cursor<'_>) {
    let Some(at) = cursor.find(&["DO"]) else { return };
    cursor.skip(at + 1);
    if cursor.is_any(&["INSERT", "OPTIMIZE", "ANALYZE", "SELECT", "SET", "DO", "FLUSH"]) {
        return;
    }
    let acts = cursor.eat_any(&["DELETE", "UPDATE", "TRUNCATE"]);
    while acts && cursor.eat_any(&["LOW_PRIORITY", "QUICK", "IGNORE", "FROM", "TABLE"]) {}
    let table = acts.then(|| cursor.name().ok()).flatten();
    whole.keep(Operation::Review { what: "an event is made, which runs by itself".to_owned(), table });
}

/// ALGORITHM, DEFINER and SQL SECURITY, which stand before a view's or routine's word.
pub fn head(cursor: &mut Cursor<'_>) {
    loop {
        if cursor.eat(&["ALGORITHM"]) {
            cursor.eat_mark(b'=');
            cursor.skip(1);
        } else if cursor.eat(&["SQL", "SECURITY"]) {
            cursor.skip(1);
        } else if cursor.eat(&["DEFINER"]) {
            cursor.eat_mark(b'=');
            cursor.pass();
            if cursor.is_mark(b'(') {
                cursor.pass();
            }
            if cursor.kind() == Some(Token::Variable) {
                let bare = cursor.ahead(0).is_some_and(|token| token.end == token.start + 1);
                cursor.skip(1 + usize::from(bare));
            }
        } else {
            return;
        }
    }
}

/// MariaDB's CREATE OR REPLACE TABLE drops what is there.
fn table(cursor: Cursor<'_>, replace: bool, temporary: bool, whole: Cursor<'_>) -> Read<()> {
    if replace && !temporary {
        let mut named = cursor;
        let table = named.name()?;
        whole.step(Operation::DropTable { table, cascade: false }).guarded(true).keep();
    }
    tables::create(cursor, temporary, whole)
}
