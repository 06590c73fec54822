//! CREATE and DROP.

use super::super::common::columns::{Part, column};
use super::super::common::types::ty;
use super::super::common::{neutral, objects, review, tables};
use super::super::cursor::{Cursor, Read};
use crate::operation::{Kind, Name, Operation, Restriction, TypeBody};

/// A statement that begins with CREATE.
pub fn read(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    let replace = cursor.eat(&["OR", "ALTER"]);
    if cursor.eat(&["TABLE"]) {
        return tables::create(cursor, false, whole);
    }
    if cursor.eat(&["VIEW"]) {
        return objects::view(cursor, replace, false, whole);
    }
    if cursor.eat_any(&["PROC", "PROCEDURE"]) {
        return objects::routine(cursor, Kind::Procedure, replace, whole);
    }
    if cursor.eat(&["FUNCTION"]) {
        return objects::routine(cursor, Kind::Function, replace, whole);
    }
    if cursor.eat(&["TRIGGER"]) {
        return objects::trigger(cursor, whole);
    }
    let mut index = cursor;
    let unique = index.eat(&["UNIQUE"]);
    while index.eat_any(&[
        "CLUSTERED",
        "NONCLUSTERED",
        "PRIMARY",
        "XML",
        "SPATIAL",
        "COLUMNSTORE",
        "JSON",
        "VECTOR",
    ]) {}
    if index.eat(&["INDEX"]) {
        return tables::index(index, unique, whole);
    }
    if cursor.eat(&["TYPE"]) {
        return own_type(cursor, whole);
    }
    other(cursor, whole)
}

/// CREATE of what has no model, or none that code could notice.
fn other(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let kinds: &[(&str, Kind)] = &[
        ("SEQUENCE", Kind::Sequence),
        ("SYNONYM", Kind::Synonym),
        ("DATABASE", Kind::Database),
        ("DEFAULT", Kind::Other),
        ("RULE", Kind::Other),
    ];
    for (word, kind) in kinds {
        if cursor.eat(&[word]) {
            return objects::named(cursor, *kind, whole);
        }
    }
    if cursor.eat(&["SCHEMA"]) {
        cursor.eat(&["AUTHORIZATION"]);
        return objects::named(cursor, Kind::Schema, whole);
    }
    if cursor.is(&["SECURITY", "POLICY"]) {
        whole.keep(Operation::Restrict { restriction: Restriction::Policy, table: None });
        return Ok(());
    }
    let harmless: &[&str] = &[
        "STATISTICS",
        "USER",
        "LOGIN",
        "ROLE",
        "FULLTEXT",
        "PARTITION",
        "CERTIFICATE",
        "SYMMETRIC",
        "ASYMMETRIC",
        "MASTER",
        "CREDENTIAL",
        "ASSEMBLY",
        "QUEUE",
        "SERVICE",
        "CONTRACT",
        "MESSAGE",
        "ROUTE",
        "EVENT",
        "APPLICATION",
        "EXTERNAL",
        "SERVER",
        "AVAILABILITY",
        "ENDPOINT",
        "SEARCH",
        "SELECTIVE",
        "COLUMN",
        "WORKLOAD",
    ];
    if cursor.is_any(harmless) {
        return neutral(whole, 2);
    }
    Err(whole.unknown())
}

/// `CREATE TYPE x FROM y`, `CREATE TYPE x AS TABLE (…)`.
fn own_type(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let name = cursor.name()?;
    let body = if cursor.eat(&["FROM"]) {
        let over = ty(&mut cursor)?;
        TypeBody::Domain { over, not_null: cursor.is(&["NOT", "NULL"]), checks: vec![] }
    } else if cursor.eat(&["AS", "TABLE"]) {
        let parts = cursor.group()?.commas();
        let columns = parts.into_iter().filter(|part| !super::super::common::constraints::begins_constraint(part));
        TypeBody::Composite(columns.map(|mut part| column(&mut part, Part::New)).collect::<Read<_>>()?)
    } else {
        TypeBody::Other
    };
    whole.keep(Operation::CreateType { name, body });
    Ok(())
}

/// A statement that begins with DROP.
pub fn drop(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    if cursor.eat(&["TABLE"]) {
        return tables::drop(cursor, whole);
    }
    if cursor.eat(&["INDEX"]) {
        return indexes(cursor, whole);
    }
    let kinds: &[(&str, Kind)] = &[
        ("VIEW", Kind::View),
        ("PROCEDURE", Kind::Procedure),
        ("PROC", Kind::Procedure),
        ("FUNCTION", Kind::Function),
        ("TRIGGER", Kind::Trigger),
        ("TYPE", Kind::Type),
        ("SCHEMA", Kind::Schema),
        ("SEQUENCE", Kind::Sequence),
        ("SYNONYM", Kind::Synonym),
        ("DATABASE", Kind::Database),
        ("ASSEMBLY", Kind::Other),
        ("DEFAULT", Kind::Other),
        ("RULE", Kind::Other),
    ];
    for (word, kind) in kinds {
        if cursor.eat(&[word]) {
            // `DROP TRIGGER x ON DATABASE`
            let end = cursor.find(&["ON"]).unwrap_or(usize::MAX);
            return objects::drop(cursor.take(end), *kind, whole);
        }
    }
    if cursor.is_any(&[
        "STATISTICS",
        "CERTIFICATE",
        "SYMMETRIC",
        "MASTER",
        "EVENT",
        "PARTITION",
        "FULLTEXT",
        "SECURITY",
    ]) {
        return if cursor.is_any(&["FULLTEXT", "SECURITY", "PARTITION"]) {
            review(whole, "something that queries may need is dropped", None)
        } else {
            neutral(whole, 2)
        };
    }
    if cursor.is_any(&["USER", "LOGIN", "ROLE"]) {
        whole.keep(Operation::Restrict { restriction: Restriction::Revoke, table: None });
        return Ok(());
    }
    Err(whole.unknown())
}

/// `DROP INDEX i ON t, t.j`.
fn indexes(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_exists();
    for mut part in cursor.commas() {
        let name = part.name()?;
        let (name, table) = if part.eat(&["ON"]) {
            (name, Some(part.name()?))
        } else {
            (Name::plain(name.name), name.schema.map(Name::plain))
        };
        whole.step(Operation::DropIndex { name, table }).guarded(guarded).keep();
    }
    Ok(())
}
