//! ALTER.

use super::super::common::tables::{add, drop_constraint};
use super::super::common::types::ty;
use super::super::common::{end, neutral, objects, review};
use super::super::cursor::{Cursor, Read};
use crate::operation::{ColumnChange, Filled, Ident, Kind, Name, Operation, Restriction};

/// A statement that begins with ALTER.
pub fn read(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    if cursor.eat(&["TABLE"]) {
        return table(cursor, whole);
    }
    if cursor.eat(&["VIEW"]) {
        return objects::view(cursor, true, false, whole);
    }
    if cursor.eat_any(&["PROC", "PROCEDURE"]) {
        return objects::routine(cursor, Kind::Procedure, true, whole);
    }
    if cursor.eat(&["FUNCTION"]) {
        return objects::routine(cursor, Kind::Function, true, whole);
    }
    if cursor.eat(&["TRIGGER"]) {
        return objects::trigger(cursor, whole);
    }
    if cursor.eat(&["SCHEMA"]) {
        return transfer(cursor, whole);
    }
    if cursor.eat(&["DATABASE"]) {
        let read_only = cursor.find(&["READ_ONLY"]).is_some();
        if read_only {
            whole.keep(Operation::Restrict { restriction: Restriction::ReadOnly, table: None });
            return Ok(());
        }
        if cursor.find(&["MODIFY", "COLLATE"]).is_some() {
            return review(whole, "the database is changed", None);
        }
        return neutral(whole, 2);
    }
    if cursor.eat(&["INDEX"]) {
        // A disabled unique index refuses no doubles, and queries that name it fail.
        return match cursor.find(&["DISABLE"]) {
            Some(_) => review(whole, "an index is disabled", None),
            None => neutral(whole, 2),
        };
    }
    if cursor.is_any(&["SEQUENCE", "ROLE", "USER", "LOGIN", "TYPE", "ASSEMBLY", "QUEUE", "SERVICE", "SECURITY"]) {
        if cursor.is(&["ROLE"]) && cursor.find(&["ADD"]).is_some() {
            return neutral(whole, 2);
        }
        return review(whole, "an object is altered", None);
    }
    if cursor.is_any(&[
        "AUTHORIZATION",
        "FULLTEXT",
        "PARTITION",
        "SERVER",
        "XML",
        "CERTIFICATE",
        "SYMMETRIC",
        "MASTER",
    ]) {
        return neutral(whole, 2);
    }
    Err(whole.unknown())
}

/// `ALTER SCHEMA to TRANSFER [OBJECT::]from.name`.
fn transfer(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let schema = cursor.ident()?;
    if !cursor.eat(&["TRANSFER"]) {
        return Err(cursor.surprise("TRANSFER"));
    }
    let mut kind = None;
    let mut ahead = cursor;
    ahead.skip(1);
    if ahead.eat_mark(b':') && ahead.eat_mark(b':') {
        if cursor.is(&["TYPE"]) {
            kind = Some(Kind::Type);
        }
        cursor = ahead;
    }
    let from = cursor.name()?;
    end(&cursor)?;
    let schema = Some(schema).filter(|schema| schema.key != "dbo");
    let to = Name { schema, name: from.name.clone() };
    whole.keep(Operation::Rename { kind, from, to });
    Ok(())
}

fn table(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let table = cursor.name()?;
    let mut new_rows_only = false;
    if cursor.eat(&["WITH"]) {
        new_rows_only = cursor.is(&["NOCHECK"]);
        if !cursor.eat_any(&["CHECK", "NOCHECK"]) {
            return Err(cursor.surprise("CHECK"));
        }
    }
    if cursor.eat(&["ADD"]) {
        return adds(cursor, &table, new_rows_only, whole);
    }
    if cursor.eat(&["DROP"]) {
        return drop(cursor, &table, whole);
    }
    if cursor.eat(&["ALTER", "COLUMN"]) {
        return column(cursor, table, whole);
    }
    if cursor.eat(&["CHECK", "CONSTRAINT"]) {
        if cursor.is(&["ALL"]) {
            return neutral(whole, 2);
        }
        while !cursor.done() {
            let constraint = cursor.ident()?;
            whole.keep(Operation::ValidateConstraint { table: table.clone(), constraint });
            cursor.eat_mark(b',');
        }
        return Ok(());
    }
    if cursor.eat(&["ENABLE", "TRIGGER"]) {
        whole.keep(Operation::Restrict { restriction: Restriction::Trigger, table: Some(table) });
        return Ok(());
    }
    if cursor.eat(&["DISABLE", "TRIGGER"]) {
        return review(whole, "a trigger is disabled", Some(table));
    }
    if cursor.is(&["SWITCH"]) {
        return review(whole, "rows go to another table", Some(table));
    }
    if cursor.eat(&["SET"]) {
        let off = cursor.rest_text().to_uppercase().contains("OFF");
        return if off {
            review(whole, "an option of the table is turned off", Some(table))
        } else {
            neutral(whole, 2)
        };
    }
    if cursor.is_any(&["REBUILD", "NOCHECK"]) || cursor.is_any(&["ENABLE", "DISABLE"]) {
        return neutral(whole, 2);
    }
    Err(whole.unknown())
}

fn adds(cursor: Cursor<'_>, table: &Name, new_rows_only: bool, whole: Cursor<'_>) -> Read<()> {
    let parts = cursor.commas();
    let alone = parts.len() == 1;
    for part in parts {
        let place = if alone { whole } else { part };
        if let Err(unread) = add(part, table, new_rows_only, false, place) {
            place.keep(Operation::Unread(unread));
        }
    }
    Ok(())
}

/// `DROP COLUMN a, b, CONSTRAINT c`: a kind holds until the next one; without one it is a constraint.
fn drop(cursor: Cursor<'_>, table: &Name, whole: Cursor<'_>) -> Read<()> {
    let parts = cursor.commas();
    let alone = parts.len() == 1;
    let mut column = false;
    for mut part in parts {
        let place = if alone { whole } else { part };
        if part.is(&["PERIOD", "FOR"]) {
            review(place, "the history of rows ends", Some(table.clone()))?;
            continue;
        }
        if part.eat(&["COLUMN"]) {
            column = true;
        } else if part.eat_any(&["CONSTRAINT", "INDEX"]) {
            column = false;
        }
        let guarded = part.if_exists();
        let name = part.ident()?;
        if part.eat(&["WITH"]) {
            part.group()?;
        }
        end(&part)?;
        let operation = if column {
            Operation::DropColumn { table: table.clone(), column: name, cascade: false }
        } else {
            constraint(table, name)
        };
        place.step(operation).guarded(guarded).keep();
    }
    Ok(())
}

/// A constraint by its name. `DF_table_column` is a default's name by convention, and tells whose.
fn constraint(table: &Name, name: Ident) -> Operation {
    let Some(rest) = name.key.strip_prefix("df_") else {
        let said = name.key.starts_with("df").then_some("default");
        return drop_constraint(table, Some(name), said, false);
    };
    let column = rest.strip_prefix(&table.name.key).and_then(|rest| rest.strip_prefix('_'));
    match column.filter(|column| !column.is_empty()) {
        Some(column) => Operation::AlterColumn {
            table: table.clone(),
            column: Ident::exact(column),
            changes: vec![ColumnChange::Filled(Filled::Nothing)],
        },
        None => drop_constraint(table, Some(name), Some("default"), false),
    }
}

/// `ALTER COLUMN c type [NULL | NOT NULL]`.
fn column(mut cursor: Cursor<'_>, table: Name, whole: Cursor<'_>) -> Read<()> {
    let column = cursor.ident()?;
    if cursor.is(&["ADD", "MASKED"]) {
        return review(whole, "a column is masked", Some(table));
    }
    if cursor.is_any(&["ADD", "DROP"]) {
        let change = ColumnChange::Neutral(cursor.rest_text().to_owned());
        whole.keep(Operation::AlterColumn { table, column, changes: vec![change] });
        return Ok(());
    }
    let ty = ty(&mut cursor)?;
    let mut not_null = false;
    while !cursor.done() {
        if cursor.eat(&["NOT", "NULL"]) {
            not_null = true;
        } else if cursor.eat(&["WITH"]) {
            cursor.group()?;
        } else if !cursor.eat_any(&["NULL", "SPARSE", "HIDDEN"]) {
            return Err(cursor.surprise("an attribute of the column"));
        }
    }
    let changes = vec![ColumnChange::RestatedType { ty, not_null }];
    whole.keep(Operation::AlterColumn { table, column, changes });
    Ok(())
}
