//! Views, routines, triggers and what else has a name.

use super::super::Dialect;
use super::super::cursor::{Cursor, Read, unquoted};
use super::super::lex::Kind as Token;
use super::types::{ty, words};
use crate::operation::{Ident, Kind, Maybe, Name, Operation, Parameter, Signature, ViewColumns, one_line};

/// CREATE or ALTER VIEW, from after VIEW.
pub fn view(mut cursor: Cursor<'_>, replace: bool, materialized: bool, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_not_exists();
    let view = cursor.name()?;
    let mut columns = Maybe::Unknown;
    if cursor.is_mark(b'(') {
        let named = cursor.group()?;
        let names = named.commas().into_iter().map(|mut part| part.ident()).collect::<Read<Vec<Ident>>>()?;
        columns = Maybe::Known(names);
    }
    // SQL Server's WITH SCHEMABINDING, Oracle's BUILD and REFRESH stand before AS.
    let Some(to_as) = cursor.find(&["AS"]) else { return Err(cursor.surprise("AS")) };
    cursor.skip(to_as + 1);
    let select = Select::read(cursor);
    if columns == Maybe::Unknown {
        columns = select.columns;
    }
    let simple_over = select.simple_over;
    whole.step(Operation::CreateView { view, columns, replace, materialized, simple_over }).guarded(guarded).keep();
    Ok(())
}

/// What can be told of a query without a schema.
struct Select {
    columns: ViewColumns,
    simple_over: Option<Name>,
}

impl Select {
    fn read(mut cursor: Cursor<'_>) -> Self {
        let unknown = Self { columns: Maybe::Unknown, simple_over: None };
        while cursor.is_mark(b'(') {
            match cursor.group() {
                Ok(group) if cursor.done() => cursor = group,
                _ => return unknown,
            }
        }
        let with = cursor.is(&["WITH"]);
        let Some(at) = cursor.find(&["SELECT"]) else { return unknown };
        cursor.skip(at + 1);
        let narrowed = cursor.eat_any(&["DISTINCT", "TOP", "UNIQUE"]);
        if narrowed && cursor.is_mark(b'(') || cursor.kind() == Some(Token::Number) {
            cursor.pass();
        }
        cursor.eat(&["PERCENT"]);
        cursor.eat(&["ALL"]);
        let from = cursor.find(&["FROM", "UNION", "INTO"]).unwrap_or(usize::MAX);
        let items = cursor.take(from).commas();
        cursor.skip(from);
        let names: Option<Vec<Ident>> = items.iter().copied().map(column_name).collect();
        let plain = !with && !narrowed && items.iter().copied().all(is_plain);
        let simple_over = if plain { one_table(cursor) } else { None };
        Self { columns: names.map_or(Maybe::Unknown, Maybe::Known), simple_over }
    }
}

/// What a column of a query is called.
fn column_name(item: Cursor<'_>) -> Option<Ident> {
    let mut start = item;
    if item.dialect() == Dialect::MsSql
        && let Ok(name) = start.ident()
        && start.eat_mark(b'=')
    {
        return Some(name);
    }
    let mut last = item;
    last.skip(item.left().checked_sub(1)?);
    let token = last.ahead(0)?;
    match token.kind {
        Token::Word | Token::Quoted | Token::Double => last.ident().ok(),
        Token::Text => Some(Ident::folded(unquoted(last.text(token)))),
        _ => None,
    }
}

/// Whether a column of a query is a table's column, or all of them.
fn is_plain(mut item: Cursor<'_>) -> bool {
    if item.eat_mark(b'*') {
        return item.done();
    }
    if item.name().is_err() {
        return false;
    }
    if item.eat(&["AS"]) || !item.done() {
        return item.ident().is_ok() && item.done();
    }
    true
}

/// `FROM one table [alias] [WHERE …]` and no more.
fn one_table(mut cursor: Cursor<'_>) -> Option<Name> {
    let ending: &[&str] = &[
        "GROUP",
        "HAVING",
        "UNION",
        "LIMIT",
        "OFFSET",
        "JOIN",
        "INTERSECT",
        "EXCEPT",
        "MINUS",
        "CONNECT",
        "WITH",
        "FETCH",
        "OPTION",
        "FOR",
        "WINDOW",
    ];
    if !cursor.eat(&["FROM"]) || cursor.find(ending).is_some() || cursor.commas().len() > 1 {
        return None;
    }
    let table = cursor.name().ok()?;
    if !cursor.done() && !cursor.is(&["WHERE"]) {
        cursor.eat(&["AS"]);
        cursor.ident().ok()?;
    }
    (cursor.done() || cursor.is(&["WHERE"])).then_some(table)
}

/// CREATE FUNCTION or PROCEDURE, from after that word.
pub fn routine(mut cursor: Cursor<'_>, kind: Kind, replace: bool, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_not_exists();
    let routine = cursor.name()?;
    // SQL Server numbers procedures of one name: `p;1`.
    if cursor.eat_mark(b';') {
        cursor.skip(1);
    }
    let parameters = if cursor.is_mark(b'(') {
        parameters(&cursor.group()?)
    } else if cursor.dialect() == Dialect::MsSql {
        let end = cursor.find(&["AS", "WITH", "FOR"]).unwrap_or(usize::MAX);
        let bare = cursor.take(end);
        cursor.skip(end);
        parameters(&bare)
    } else {
        Maybe::Known(vec![])
    };
    let returns = if cursor.eat_any(&["RETURNS", "RETURN"]) { returns(cursor) } else { None };
    let signature = Signature { parameters, returns };
    whole.step(Operation::CreateRoutine { kind, routine, signature, replace }).guarded(guarded).keep();
    Ok(())
}

fn returns(mut cursor: Cursor<'_>) -> Option<String> {
    if cursor.is(&["TABLE"]) {
        return Some("table".to_owned());
    }
    let named = cursor.kind() == Some(Token::Variable);
    cursor.skip(usize::from(named));
    ty(&mut cursor).ok().map(|ty| words(&ty))
}

fn parameters(group: &Cursor<'_>) -> Maybe<Vec<Parameter>> {
    let parts = group.commas().into_iter().filter(|part| !part.done());
    let read: Option<Vec<Parameter>> = parts.map(parameter).collect();
    read.map_or(Maybe::Unknown, Maybe::Known)
}

fn parameter(mut part: Cursor<'_>) -> Option<Parameter> {
    let first = part.ahead(0)?;
    let variable = first.kind == Token::Variable;
    let mut mode = String::new();
    if !variable {
        let marked = part.is_any(&["IN", "OUT", "INOUT"]) && part.left() > 2;
        if marked {
            mode = part.word(0)?.to_lowercase();
            part.skip(1);
        }
    }
    let name = if variable {
        part.skip(1);
        Ident::folded(part.text(first))
    } else {
        part.ident().ok()?
    };
    // Oracle writes the mode after the name.
    while part.dialect() == Dialect::Oracle && part.is_any(&["IN", "OUT", "NOCOPY"]) {
        mode.push_str(&part.word(0)?.to_lowercase());
        part.skip(1);
    }
    part.eat(&["AS"]);
    let text = if part.dialect() == Dialect::Oracle {
        let end = part.find(&["DEFAULT"]).unwrap_or(part.left());
        let assigned = part.rest().iter().position(|token| token.kind == Token::Mark(b':')).unwrap_or(end);
        let end = end.min(assigned);
        let text = one_line(part.take(end).rest_text()).to_lowercase();
        part.skip(end);
        text
    } else {
        words(&ty(&mut part).ok()?)
    };
    let optional = part.is_mark(b'=') || part.is_mark(b':') || part.is(&["DEFAULT"]);
    let out = part.find(&["OUT", "OUTPUT"]).is_some();
    let mode = if out { "out" } else { mode.trim_start_matches("in") };
    let ty = if mode.is_empty() { text } else { format!("{mode} {text}") };
    Some(Parameter { name: Some(name), ty, optional })
}

/// CREATE TRIGGER, from after that word.
pub fn trigger(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_not_exists();
    let name = cursor.name()?;
    let table = cursor.find(&["ON"]).and_then(|at| {
        cursor.skip(at + 1);
        cursor.name().ok()
    });
    whole.step(Operation::Create { kind: Kind::Trigger, name, table }).guarded(guarded).keep();
    Ok(())
}

/// CREATE of what is no more than a name, from after its keyword.
pub fn named(mut cursor: Cursor<'_>, kind: Kind, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_not_exists();
    let name = cursor.name()?;
    whole.step(Operation::Create { kind, name, table: None }).guarded(guarded).keep();
    Ok(())
}

/// DROP of anything but a table or an index, from after its keyword.
pub fn drop(mut cursor: Cursor<'_>, kind: Kind, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_exists();
    let (names, cascade) = super::tables::names(&mut cursor)?;
    for name in names {
        whole.step(Operation::Drop { kind, name, table: None, cascade }).guarded(guarded).keep();
    }
    Ok(())
}
