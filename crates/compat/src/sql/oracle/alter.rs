//! ALTER, foremost ALTER TABLE with its clauses, which no comma divides.

use super::super::common::columns::{Part, definition};
use super::super::common::constraints::key_columns;
use super::super::common::tables::{add, drop_constraint};
use super::super::common::{end, neutral, review};
use super::super::cursor::{Cursor, Read};
use super::super::lex::Kind as Token;
use crate::operation::{Checked, ColumnChange, Ident, Maybe, Name, Operation, Restriction};

/// A statement that begins with ALTER.
pub fn read(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    if cursor.eat(&["TABLE"]) {
        return table(cursor, whole);
    }
    if cursor.eat(&["TRIGGER"]) {
        return match cursor.find(&["ENABLE", "DISABLE", "COMPILE", "RENAME"]) {
            Some(at) if cursor.word_is(at, "ENABLE") => {
                whole.keep(Operation::Restrict { restriction: Restriction::Trigger, table: None });
                Ok(())
            }
            Some(at) if cursor.word_is(at, "DISABLE") => review(whole, "a trigger is disabled", None),
            _ => neutral(whole, 2),
        };
    }
    if cursor.eat(&["INDEX"]) {
        let mut named = cursor;
        if let Ok(from) = named.name()
            && named.eat(&["RENAME", "TO"])
        {
            let to = named.ident()?;
            whole.keep(Operation::RenameIndex { table: None, from: from.name, to });
            return Ok(());
        }
        let unusable = cursor.find(&["UNUSABLE", "INVISIBLE"]).is_some();
        return if unusable { review(whole, "an index is made unusable", None) } else { neutral(whole, 2) };
    }
    if cursor.eat(&["TYPE"]) {
        let name = cursor.name()?;
        if cursor.is_any(&["COMPILE"]) {
            return neutral(whole, 2);
        }
        let what = "attributes of a type change".to_owned();
        whole.keep(Operation::NarrowType { name, what });
        return Ok(());
    }
    if cursor.is_any(&["SEQUENCE", "USER", "ROLE", "PROFILE", "MATERIALIZED", "DATABASE", "TABLESPACE", "CLUSTER"])
    {
        return review(whole, "an object is altered", None);
    }
    if cursor.is_any(&["SESSION", "SYSTEM", "VIEW", "PACKAGE", "PROCEDURE", "FUNCTION", "SYNONYM", "PUBLIC"]) {
        let schema = cursor.is(&["SESSION"]) && cursor.find(&["CURRENT_SCHEMA"]).is_some();
        return if schema {
            review(whole, "another schema is meant from here on", None)
        } else {
            neutral(whole, 2)
        };
    }
    Err(whole.unknown())
}

fn table(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    cursor.if_exists();
    let table = cursor.name()?;
    if cursor.done() {
        return Err(cursor.surprise("what is done to the table"));
    }
    let clauses = clauses(&cursor);
    let alone = clauses.len() == 1;
    for clause in clauses {
        let place = if alone { whole } else { clause };
        let before = place.source.count();
        if let Err(unread) = action(clause, &table, place) {
            place.keep(Operation::Unread(unread));
        } else if place.source.count() == before {
            place.keep(Operation::Unread(clause.unknown()));
        }
    }
    Ok(())
}

/// The clauses of an ALTER TABLE: each begins with its verb.
fn clauses<'a>(cursor: &Cursor<'a>) -> Vec<Cursor<'a>> {
    let mut starts = vec![0];
    let mut depth = 0usize;
    for (at, token) in cursor.rest().iter().enumerate() {
        match token.kind {
            Token::Mark(b'(') => depth += 1,
            Token::Mark(b')') => depth = depth.saturating_sub(1),
            Token::Word if depth == 0 && at > 0 => {
                let verb = cursor.is_any_after(at, &["ADD", "MODIFY", "DROP", "RENAME"]);
                let inner = cursor.is_any_after(at + 1, &["INDEX", "IDENTITY", "STORAGE"]);
                if verb && !inner {
                    starts.push(at);
                }
            }
            _ => {}
        }
    }
    let ends = starts.iter().skip(1).copied().chain([cursor.left()]);
    let pairs = starts.iter().zip(ends);
    pairs
        .map(|(start, end)| {
            let mut clause = *cursor;
            clause.skip(*start);
            clause.take(end.saturating_sub(*start))
        })
        .collect()
}

fn action(mut cursor: Cursor<'_>, table: &Name, place: Cursor<'_>) -> Read<()> {
    if cursor.is_any_after(1, &["PARTITION", "SUBPARTITION"]) {
        let lossy = cursor.is_any(&["DROP", "TRUNCATE", "EXCHANGE"]);
        return if lossy {
            review(place, "rows of a partition go", Some(table.clone()))
        } else {
            neutral(place, 2)
        };
    }
    if cursor.word_is(1, "SUPPLEMENTAL") {
        return neutral(place, 2);
    }
    if cursor.eat(&["ADD"]) {
        return adds(cursor, table, place);
    }
    if cursor.eat(&["MODIFY"]) {
        return modify(cursor, table, place);
    }
    if cursor.eat(&["DROP"]) {
        return drop(cursor, table, place);
    }
    if cursor.eat(&["SET", "UNUSED"]) {
        return dropped_columns(cursor, table, place);
    }
    if cursor.eat(&["RENAME"]) {
        return rename(cursor, table, place);
    }
    if cursor.eat(&["READ", "ONLY"]) {
        let table = Some(table.clone());
        place.keep(Operation::Restrict { restriction: Restriction::ReadOnly, table });
        return Ok(());
    }
    if cursor.is_any(&["ENABLE", "DISABLE"]) {
        return enable(cursor, table, place);
    }
    let physical: &[&str] = &[
        "MOVE",
        "SHRINK",
        "LOGGING",
        "NOLOGGING",
        "PARALLEL",
        "NOPARALLEL",
        "CACHE",
        "NOCACHE",
        "PCTFREE",
        "PCTUSED",
        "STORAGE",
        "INITRANS",
        "COMPRESS",
        "NOCOMPRESS",
        "ALLOCATE",
        "DEALLOCATE",
        "INMEMORY",
        "NO",
        "MONITORING",
        "NOMONITORING",
        "RESULT_CACHE",
        "READ",
        "ROW",
        "UPGRADE",
        "SPLIT",
        "MERGE",
        "COALESCE",
        "FORCE",
    ];
    if cursor.is_any(physical) {
        return neutral(place, 1);
    }
    Err(cursor.unknown())
}

fn adds(mut cursor: Cursor<'_>, table: &Name, place: Cursor<'_>) -> Read<()> {
    if cursor.is_mark(b'(') {
        let group = cursor.group()?;
        for part in group.commas() {
            add(part, table, false, false, part)?;
        }
        // What may follow is where large values are stored.
        let storage =
            cursor.done() || cursor.is_any(&["LOB", "TABLESPACE", "XMLTYPE", "NESTED", "VARRAY", "COLUMN"]);
        return if storage { Ok(()) } else { Err(cursor.surprise("the end of ADD")) };
    }
    cursor.eat(&["COLUMN"]);
    for part in cursor.commas() {
        if !part.done() {
            add(part, table, false, false, place)?;
        }
    }
    Ok(())
}

fn modify(mut cursor: Cursor<'_>, table: &Name, place: Cursor<'_>) -> Read<()> {
    if cursor.is_any(&["CONSTRAINT", "PRIMARY", "UNIQUE"]) {
        return enable(cursor, table, place);
    }
    if cursor.is_any(&["DEFAULT", "LOB", "NESTED", "VARRAY", "OPAQUE"]) {
        return neutral(place, 2);
    }
    if !cursor.is_mark(b'(') {
        return modified(cursor, table, place);
    }
    let group = cursor.group()?;
    end(&cursor)?;
    for part in group.commas() {
        modified(part, table, part)?;
    }
    Ok(())
}

/// One column of MODIFY: what it does not say stays.
fn modified(mut part: Cursor<'_>, table: &Name, place: Cursor<'_>) -> Read<()> {
    let name = part.ident()?;
    let mut changes = Vec::new();
    if part.eat(&["DROP", "IDENTITY"]) {
        end(&part)?;
        changes.push(ColumnChange::StopFilling);
    } else {
        let said = part;
        let column = definition(&mut part, name.clone(), Part::Restated)?;
        if let Maybe::Known(ty) = column.ty {
            changes.push(ColumnChange::Type(ty));
        }
        if let (Maybe::Known(filled), true) = (column.filled, fills(&said)) {
            changes.push(ColumnChange::Filled(filled));
        }
        match null(&said) {
            Some(true) => changes.push(ColumnChange::NotNull),
            Some(false) => changes.push(ColumnChange::Null),
            None => {}
        }
        for constraint in column.constraints {
            let (table, checked) = (table.clone(), Checked::All);
            place.keep(Operation::AddConstraint { table, constraint, checked });
        }
        if changes.is_empty() && said.is(&["INVISIBLE"]) {
            return review(place, "a column is made invisible", Some(table.clone()));
        }
        if changes.is_empty() {
            changes.push(ColumnChange::Neutral(said.rest_text().to_owned()));
        }
    }
    place.keep(Operation::AlterColumn { table: table.clone(), column: name, changes });
    Ok(())
}

/// Whether a definition says what fills the column.
fn fills(said: &Cursor<'_>) -> bool {
    said.find(&["DEFAULT", "GENERATED", "IDENTITY"]).is_some()
}

/// Whether a definition says NOT NULL (true) or NULL (false).
fn null(said: &Cursor<'_>) -> Option<bool> {
    let mut found = None;
    for at in 0..said.left() {
        if said.word_is(at, "NULL") {
            let before = at.checked_sub(1).and_then(|at| said.word(at)).unwrap_or_default().to_uppercase();
            match before.as_str() {
                "NOT" => found = Some(!said.word_is(at + 1, "DISABLE")),
                "DEFAULT" | "ON" => {}
                _ => found = Some(false),
            }
        }
    }
    found
}

fn drop(mut cursor: Cursor<'_>, table: &Name, place: Cursor<'_>) -> Read<()> {
    if cursor.eat(&["UNUSED"]) {
        return neutral(place, 2);
    }
    if cursor.eat(&["CONSTRAINT"]) {
        let guarded = cursor.if_exists();
        let name = cursor.ident()?;
        let cascade = cursor.eat(&["CASCADE"]);
        place.step(drop_constraint(table, Some(name), None, cascade)).guarded(guarded).keep();
        return Ok(());
    }
    if cursor.eat(&["PRIMARY", "KEY"]) {
        let cascade = cursor.eat(&["CASCADE"]);
        place.keep(drop_constraint(table, None, Some("primary-key"), cascade));
        return Ok(());
    }
    if cursor.eat(&["UNIQUE"]) {
        // Which constraint that is, only its columns say.
        key_columns(&cursor.group()?);
        return review(place, "a unique key is dropped", Some(table.clone()));
    }
    if cursor.is(&["COLUMN"]) || cursor.is_mark(b'(') {
        return dropped_columns(cursor, table, place);
    }
    Err(cursor.unknown())
}

fn dropped_columns(mut cursor: Cursor<'_>, table: &Name, place: Cursor<'_>) -> Read<()> {
    cursor.eat_any(&["COLUMN", "COLUMNS"]);
    cursor.if_exists();
    let mut columns: Vec<Ident> = Vec::new();
    if cursor.is_mark(b'(') {
        for mut part in cursor.group()?.commas() {
            columns.push(part.ident()?);
        }
    } else {
        columns.push(cursor.ident()?);
    }
    let cascade = cursor.eat(&["CASCADE"]);
    cursor.eat(&["CONSTRAINTS"]);
    cursor.eat_any(&["INVALIDATE", "ONLINE"]);
    if cursor.eat(&["CHECKPOINT"]) {
        cursor.skip(1);
    }
    end(&cursor)?;
    for column in columns {
        place.keep(Operation::DropColumn { table: table.clone(), column, cascade });
    }
    Ok(())
}

fn rename(mut cursor: Cursor<'_>, table: &Name, place: Cursor<'_>) -> Read<()> {
    if cursor.is(&["CONSTRAINT"]) || cursor.is(&["LOB"]) {
        return neutral(place, 2);
    }
    let operation = if cursor.eat(&["COLUMN"]) {
        let from = cursor.ident()?;
        if !cursor.eat(&["TO"]) {
            return Err(cursor.surprise("TO"));
        }
        Operation::RenameColumn { table: table.clone(), from, to: cursor.ident()? }
    } else if cursor.eat(&["TO"]) {
        let to = Name { schema: table.schema.clone(), name: cursor.ident()? };
        Operation::Rename { kind: None, from: table.clone(), to }
    } else {
        return Err(cursor.unknown());
    };
    end(&cursor)?;
    place.keep(operation);
    Ok(())
}

/// ENABLE and DISABLE of constraints, triggers and what else a table has.
fn enable(cursor: Cursor<'_>, table: &Name, place: Cursor<'_>) -> Read<()> {
    let on = cursor.find(&["DISABLE"]).is_none();
    let table = Some(table.clone());
    if cursor.find(&["TRIGGERS"]).is_some() {
        if on {
            place.keep(Operation::Restrict { restriction: Restriction::Trigger, table });
            return Ok(());
        }
        return review(place, "triggers are disabled", table);
    }
    if cursor.find(&["CONSTRAINT", "PRIMARY", "UNIQUE"]).is_some() {
        let what = if on { "a constraint is enabled" } else { "a constraint is disabled" };
        return review(place, what, table);
    }
    neutral(place, 2)
}
