//! CREATE and DROP.

use super::super::common::{end, neutral, objects, tables};
use super::super::cursor::{Cursor, Read};
use crate::operation::{Ident, Kind, Maybe, Operation, Restriction, Signature, TypeBody};

/// A statement that begins with CREATE.
pub fn read(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    let replace = cursor.eat(&["OR", "REPLACE"]);
    cursor.eat(&["AND", "COMPILE"]);
    while cursor.eat_any(&["NO", "FORCE", "EDITIONABLE", "NONEDITIONABLE", "EDITIONING", "SHARDED", "PUBLIC"]) {}
    // The rows of a global temporary table are a session's; the table is there for good.
    let private = cursor.eat(&["PRIVATE", "TEMPORARY"]);
    cursor.eat(&["GLOBAL", "TEMPORARY"]);
    if cursor.eat(&["TABLE"]) {
        return tables::create(cursor, private, whole);
    }
    if cursor.eat(&["VIEW"]) {
        return objects::view(cursor, replace, false, whole);
    }
    if cursor.eat(&["MATERIALIZED", "VIEW"]) {
        if cursor.eat(&["LOG"]) {
            return neutral(whole, 2);
        }
        return objects::view(cursor, replace, true, whole);
    }
    let mut index = cursor;
    let unique = index.eat(&["UNIQUE"]);
    index.eat_any(&["BITMAP", "MULTIVALUE"]);
    if index.eat(&["INDEX"]) {
        return tables::index(index, unique, whole);
    }
    if cursor.eat(&["FUNCTION"]) {
        return objects::routine(cursor, Kind::Function, replace, whole);
    }
    if cursor.eat(&["PROCEDURE"]) {
        return objects::routine(cursor, Kind::Procedure, replace, whole);
    }
    if cursor.eat(&["TRIGGER"]) {
        return objects::trigger(cursor, whole);
    }
    other(cursor, replace, whole)
}

/// CREATE of packages, types and what is no more than a name.
fn other(mut cursor: Cursor<'_>, replace: bool, whole: Cursor<'_>) -> Read<()> {
    if cursor.eat(&["PACKAGE"]) || cursor.is(&["TYPE", "BODY"]) {
        if cursor.is(&["TYPE", "BODY"]) {
            return neutral(whole, 4);
        }
        if cursor.eat(&["BODY"]) {
            return package_body(cursor, replace, whole);
        }
        let guarded = cursor.if_not_exists();
        let routine = cursor.name()?;
        let signature = Signature { parameters: Maybe::Unknown, returns: None };
        let operation = Operation::CreateRoutine { kind: Kind::Other, routine, signature, replace };
        whole.step(operation).guarded(guarded).keep();
        return Ok(());
    }
    if cursor.eat(&["TYPE"]) {
        let name = cursor.name()?;
        whole.keep(Operation::CreateType { name, body: TypeBody::Other });
        return Ok(());
    }
    if cursor.eat(&["SEQUENCE"]) {
        return objects::named(cursor, Kind::Sequence, whole);
    }
    if cursor.eat(&["SYNONYM"]) {
        return objects::named(cursor, Kind::Synonym, whole);
    }
    let harmless: &[&str] = &[
        "USER",
        "ROLE",
        "TABLESPACE",
        "BIGFILE",
        "SMALLFILE",
        "TEMPORARY",
        "UNDO",
        "DIRECTORY",
        "DATABASE",
        "CONTEXT",
        "PROFILE",
        "LIBRARY",
        "OPERATOR",
        "INDEXTYPE",
        "CLUSTER",
        "OUTLINE",
        "DIMENSION",
        "SHARED",
        "SCHEMA",
    ];
    if cursor.is_any(harmless) {
        return neutral(whole, 2);
    }
    Err(whole.unknown())
}

/// The body of a package is what its calls do; how they are written its head says.
fn package_body(mut cursor: Cursor<'_>, replace: bool, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_not_exists();
    let mut routine = cursor.name()?;
    routine.name = Ident::folded(format!("{} body", routine.name.written));
    let signature = Signature { parameters: Maybe::Known(vec![]), returns: None };
    let operation = Operation::CreateRoutine { kind: Kind::Other, routine, signature, replace };
    whole.step(operation).guarded(guarded).keep();
    Ok(())
}

/// A statement that begins with DROP.
pub fn drop(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    cursor.eat(&["PUBLIC"]);
    if cursor.eat(&["TABLE"]) {
        return tables::drop(cursor, whole);
    }
    if cursor.eat(&["INDEX"]) {
        let guarded = cursor.if_exists();
        let name = cursor.name()?;
        while cursor.eat_any(&["ONLINE", "FORCE", "DEFERRED", "IMMEDIATE", "INVALIDATION"]) {}
        end(&cursor)?;
        whole.step(Operation::DropIndex { name, table: None }).guarded(guarded).keep();
        return Ok(());
    }
    if cursor.is(&["MATERIALIZED", "VIEW", "LOG"]) {
        return neutral(whole, 4);
    }
    if cursor.is(&["PACKAGE", "BODY"]) || cursor.is(&["TYPE", "BODY"]) {
        // Without its body nothing of it can be called.
        cursor.skip(2);
        return objects::drop(cursor, Kind::Other, whole);
    }
    let kinds: &[(&[&str], Kind)] = &[
        (&["MATERIALIZED", "VIEW"], Kind::MaterializedView),
        (&["VIEW"], Kind::View),
        (&["FUNCTION"], Kind::Function),
        (&["PROCEDURE"], Kind::Procedure),
        (&["TRIGGER"], Kind::Trigger),
        (&["TYPE"], Kind::Type),
        (&["SEQUENCE"], Kind::Sequence),
        (&["SYNONYM"], Kind::Synonym),
        (&["USER"], Kind::Schema),
        (&["PACKAGE"], Kind::Other),
        (&["DATABASE", "LINK"], Kind::Other),
        (&["DIRECTORY"], Kind::Other),
        (&["CONTEXT"], Kind::Other),
        (&["LIBRARY"], Kind::Other),
        (&["OPERATOR"], Kind::Other),
    ];
    for (words, kind) in kinds {
        if cursor.eat(words) {
            let end = cursor.find(&["FORCE", "VALIDATE", "PRESERVE"]).unwrap_or(usize::MAX);
            return objects::drop(cursor.take(end), *kind, whole);
        }
    }
    if cursor.is(&["ROLE"]) {
        whole.keep(Operation::Restrict { restriction: Restriction::Revoke, table: None });
        return Ok(());
    }
    if cursor.is_any(&["TABLESPACE", "CLUSTER", "DATABASE"]) {
        let kind = Kind::Other;
        cursor.skip(1);
        let end = cursor.find(&["INCLUDING"]).unwrap_or(usize::MAX);
        return objects::drop(cursor.take(end), kind, whole);
    }
    if cursor.is_any(&["PROFILE", "OUTLINE", "DIMENSION", "INDEXTYPE"]) {
        return neutral(whole, 2);
    }
    Err(whole.unknown())
}
