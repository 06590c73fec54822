//! EXEC: renames, SQL in strings, and the system's procedures.

use super::super::common::{neutral, review, within};
use super::super::cursor::{Cursor, Read};
use super::super::lex::{Kind as Token, tokens};
use super::batch::Flow;
use super::read_source;
use crate::operation::{Ident, Kind, Name, Operation, Restriction, Unread};

/// System procedures that code cannot notice.
const HARMLESS: &[&str] = &[
    "sp_addextendedproperty",
    "sp_updateextendedproperty",
    "sp_dropextendedproperty",
    "sp_refreshview",
    "sp_refreshsqlmodule",
    "sp_recompile",
    "sp_updatestats",
    "sp_configure",
    "sp_settriggerorder",
    "sp_addrolemember",
    "sp_tableoption",
    "sp_dboption",
    "sp_help",
    "sp_helptext",
    "sp_who",
    "sp_spaceused",
    "sp_addlogin",
    "sp_adduser",
    "sp_grantdbaccess",
    "sp_fulltext_database",
    "sp_fulltext_catalog",
    "sp_fulltext_table",
    "sp_fulltext_column",
    "sp_autostats",
    "sp_createstats",
    "sp_getapplock",
    "sp_releaseapplock",
    "sp_set_session_context",
    "sp_db_vardecimal_storage_format",
    "sp_dbcmptlevel",
];

/// A statement that begins with EXEC.
pub fn read(whole: Cursor<'_>, flow: &Flow) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    if cursor.eat(&["AS"]) {
        return neutral(whole, 2);
    }
    if cursor.is_mark(b'(') {
        let group = cursor.group()?;
        return run(&group, whole, flow);
    }
    // `EXEC @result = procedure …`, or `EXEC @procedure`.
    if cursor.kind() == Some(Token::Variable) {
        cursor.skip(1);
        if !cursor.eat_mark(b'=') {
            return Err(Unread::Dynamic);
        }
    }
    let procedure = cursor.name()?.name.key;
    if HARMLESS.contains(&procedure.as_str()) {
        return neutral(whole, 2);
    }
    match procedure.as_str() {
        "sp_rename" => rename(cursor, whole),
        "sp_executesql" => match arguments(&cursor, &["@stmt", "@statement"]).into_iter().next().flatten() {
            Some(text) => run(&text, whole, flow),
            None => Err(Unread::Dynamic),
        },
        "sp_droprolemember" | "sp_dropuser" | "sp_revokedbaccess" | "sp_droplogin" | "sp_denylogin" => {
            whole.keep(Operation::Restrict { restriction: Restriction::Revoke, table: None });
            Ok(())
        }
        "sp_bindefault" | "sp_unbindefault" | "sp_bindrule" => review(whole, "a default or rule is bound", None),
        _ => Err(Unread::Code { what: whole.rest_text().chars().take(100).collect() }),
    }
}

/// SQL in a string, or in variables that hold known strings.
fn run(expression: &Cursor<'_>, whole: Cursor<'_>, flow: &Flow) -> Read<()> {
    let Some((text, literal)) = flow.text(expression) else { return Err(Unread::Dynamic) };
    let line = expression.line();
    if literal {
        within(whole, &text, line, false, read_source);
        return Ok(());
    }
    // `'ALTER TABLE t DROP CONSTRAINT [' + @name + ']'`: that a constraint of t goes is literal.
    let source = super::super::cursor::Source::new(&text, whole.dialect(), whole.source.limits);
    let found = tokens(&text, whole.dialect());
    let end = found.iter().position(|token| token.kind == Token::Semicolon).unwrap_or(found.len());
    let inner = Cursor::new(&source, found.get(..end).unwrap_or_default());
    let mut drop = inner;
    if found.len() > end + 1 || !drop.eat(&["ALTER", "TABLE"]) {
        return Err(Unread::Dynamic);
    }
    let table = drop.name().ok().filter(|table| !table.to_string().contains('$'));
    let dropped = drop.eat(&["DROP", "CONSTRAINT"]);
    let (Some(table), true, 1) = (table, dropped, drop.left()) else { return Err(Unread::Dynamic) };
    let said = flow.names_default(expression).then(|| "default".to_owned());
    let constraint = drop.ident().ok();
    whole.keep(Operation::DropConstraint { table, constraint, said, cascade: false });
    Ok(())
}

/// Arguments in the order of these names, or of their places.
fn arguments<'a>(cursor: &Cursor<'a>, names: &[&str]) -> Vec<Option<Cursor<'a>>> {
    let mut found: Vec<Option<Cursor<'a>>> = vec![None; names.len()];
    for (at, part) in cursor.commas().into_iter().enumerate() {
        let mut named = part;
        let name = part.ahead(0).filter(|token| token.kind == Token::Variable).map(|token| part.text(token));
        named.skip(1);
        let place = match name {
            Some(name) if named.eat_mark(b'=') => names.iter().position(|known| known.eq_ignore_ascii_case(name)),
            _ => {
                named = part;
                Some(at)
            }
        };
        if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
            *slot = Some(named);
        }
    }
    found
}

/// `sp_rename 't.a', 'b', 'COLUMN'`.
fn rename(cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let found = arguments(&cursor, &["@objname", "@newname", "@objtype"]);
    let text = |at: usize| {
        let mut argument: Cursor<'_> = (*found.get(at)?)?;
        // A name may stand there without quotes.
        argument.literal().or_else(|| argument.name().ok().map(|name| name.to_string()))
    };
    let (Some(from), Some(to)) = (text(0), text(1)) else { return Err(Unread::Dynamic) };
    let kind = text(2).unwrap_or_default().to_uppercase();
    let mut parts = parts(&from, whole);
    let to = Ident::folded(to.trim_matches(['[', ']']).to_owned());
    let Some(last) = parts.pop() else { return Err(Unread::Dynamic) };
    let owner = |mut parts: Vec<Ident>| {
        let name = parts.pop()?;
        Some(Name { name, schema: parts.pop().filter(|schema| schema.key != "dbo") })
    };
    match kind.as_str() {
        "COLUMN" => {
            let Some(table) = owner(parts) else { return Err(Unread::Dynamic) };
            whole.keep(Operation::RenameColumn { table, from: last, to });
        }
        "INDEX" => whole.keep(Operation::RenameIndex { table: owner(parts), from: last, to }),
        "STATISTICS" => return neutral(whole, 2),
        "DATABASE" | "USERDATATYPE" => {
            let kind = Some(if kind == "DATABASE" { Kind::Database } else { Kind::Type });
            whole.keep(Operation::Rename { kind, from: Name::plain(last), to: Name::plain(to) });
        }
        "" | "OBJECT" => {
            let schema = parts.pop().filter(|schema| schema.key != "dbo");
            // Constraints are objects too.
            let constraint = ["pk_", "fk_", "df_", "uq_", "ck_", "ix_", "ak_"];
            if constraint.iter().any(|prefix| last.key.starts_with(prefix)) {
                whole.keep(Operation::RenameIndex { table: None, from: last, to });
                return Ok(());
            }
            let from = Name { schema: schema.clone(), name: last };
            whole.keep(Operation::Rename { kind: None, from, to: Name { schema, name: to } });
        }
        _ => return Err(Unread::Dynamic),
    }
    Ok(())
}

/// The parts of a name in a string: `[dbo].[a.b].c`.
fn parts(text: &str, whole: Cursor<'_>) -> Vec<Ident> {
    let found = tokens(text, whole.dialect());
    let source = super::super::cursor::Source::new(text, whole.dialect(), whole.source.limits);
    let mut cursor = Cursor::new(&source, &found);
    let mut parts = Vec::new();
    while let Ok(part) = cursor.ident() {
        parts.push(part);
        if !cursor.eat_mark(b'.') {
            break;
        }
        cursor.eat_mark(b'.');
    }
    if cursor.done() { parts } else { vec![] }
}
