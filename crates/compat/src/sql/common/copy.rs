//! INSERT … SELECT and CREATE TABLE … AS SELECT of one table's rows: which columns go where, and
//! whether every row goes.
//!
//! Not here: rows that come from anywhere else. Of those it is enough that they come.

use super::super::Dialect;
use super::super::cursor::{Cursor, Source, unquoted};
use super::super::lex::{Kind, tokens};
use crate::migration::Limits;
use crate::operation::{Copied, Ident, Name, Operation};

/// The longest statement of PostgreSQL that is looked at, in bytes.
const TEXT: usize = 64 << 10;

/// What is copied, and from where.
pub struct Copy {
    from: Name,
    columns: Vec<Ident>,
    values: Vec<Copied>,
    every_row: bool,
}

impl Copy {
    /// Into this table.
    pub fn into(self, table: Name) -> Operation {
        let Self { from, columns, values, every_row } = self;
        Operation::CopyRows { table, from, columns, values, every_row }
    }
}

/// The same of a text of PostgreSQL that is one INSERT or CREATE TABLE … AS.
pub fn of_postgres(text: &str, insert: bool) -> Option<Copy> {
    if text.len() > TEXT {
        return None;
    }
    let source = Source::new(text, Dialect::Postgres, Limits::default());
    let tokens = tokens(text, Dialect::Postgres);
    let mut cursor = Cursor::new(&source, &tokens);
    if insert {
        if !cursor.eat(&["INSERT", "INTO"]) {
            return None;
        }
        name(&mut cursor)?;
        return of_insert(cursor);
    }
    cursor.skip(cursor.find(&["AS"])? + 1);
    of_query(cursor)
}

/// INSERT, from after the table's name.
pub fn of_insert(mut cursor: Cursor<'_>) -> Option<Copy> {
    if cursor.eat(&["AS"]) {
        ident(&mut cursor)?;
    }
    let mut columns = vec![];
    if cursor.is_mark(b'(') {
        let inside = cursor.group().ok()?;
        if inside.is(&["SELECT"]) {
            return cursor.done().then(|| select(inside)).flatten();
        }
        for mut part in inside.commas() {
            columns.push(ident(&mut part).filter(|_| part.done())?);
        }
    }
    if cursor.eat(&["OVERRIDING"]) {
        cursor.skip(2);
    }
    if cursor.is_mark(b'(') {
        cursor = cursor.group().ok()?;
    }
    Some(Copy { columns, ..select(cursor)? })
}

/// CREATE TABLE … AS, from after AS: the columns are those of the query.
pub fn of_query(mut cursor: Cursor<'_>) -> Option<Copy> {
    if cursor.is_mark(b'(') {
        cursor = cursor.group().ok()?;
    }
    let copy = select(cursor)?;
    let mut list = cursor;
    list.skip(1);
    let list = list.take(list.find(&["FROM"])?);
    let named: Option<Vec<Ident>> = list.commas().into_iter().map(|part| alias(part).1).collect();
    let columns = if copy.values == [Copied::All] { vec![] } else { named? };
    Some(Copy { columns, ..copy })
}

/// Words that leave rows out, or may.
const FILTERS: &[&str] = &[
    "LIMIT",
    "GROUP",
    "HAVING",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "MINUS",
    "FETCH",
    "OFFSET",
    "INNER",
    "CROSS",
    "NATURAL",
    "RIGHT",
    "STRAIGHT_JOIN",
    "TABLESAMPLE",
    "QUALIFY",
    "SAMPLE",
];

/// Where rows come from that are no table's.
const NO_TABLES: &[&str] =
    &["dual", "sqlite_master", "sqlite_schema", "unnest", "generate_series", "json_each", "lateral", "values"];

fn select(mut cursor: Cursor<'_>) -> Option<Copy> {
    if !cursor.eat(&["SELECT"]) {
        return None;
    }
    let mut every_row = true;
    if cursor.eat_any(&["DISTINCT", "TOP"]) {
        every_row = false;
        if !cursor.is_mark(b'(') && cursor.kind() == Some(Kind::Number) {
            cursor.skip(1);
        }
    }
    cursor.eat(&["ALL"]);
    let at = cursor.find(&["FROM"])?;
    let list = cursor.take(at);
    cursor.skip(at + 1);
    cursor.eat(&["ONLY"]);
    let from = name(&mut cursor)?;
    let system = |schema: &Ident| {
        ["information_schema", "pg_catalog", "sys", "mysql"].contains(&schema.key.to_lowercase().as_str())
    };
    if cursor.is_mark(b'(')
        || from.schema.as_ref().is_some_and(system)
        || NO_TABLES.contains(&from.name.key.to_lowercase().as_str())
    {
        return None;
    }
    let called = called(&mut cursor, &from);
    every_row &= keeps_every_row(cursor);
    let values: Option<Vec<Copied>> = list.commas().into_iter().map(|part| value(alias(part).0, &called)).collect();
    Some(Copy { from, columns: vec![], values: values?, every_row })
}

/// The name by which the query knows the table.
fn called(cursor: &mut Cursor<'_>, from: &Name) -> Ident {
    const NO_ALIAS: &[&str] = &[
        "WHERE",
        "ORDER",
        "LEFT",
        "JOIN",
        "ON",
        "FOR",
        "SET",
        "USING",
        "FULL",
        "WITH",
        "RETURNING",
        "WINDOW",
        "PARTITION",
    ];
    let said = cursor.eat(&["AS"]);
    let mut ahead = *cursor;
    if !said && (cursor.is_any(NO_ALIAS) || cursor.is_any(FILTERS)) {
        return from.name.clone();
    }
    match ident(&mut ahead) {
        Some(alias) => {
            *cursor = ahead;
            alias
        }
        None => from.name.clone(),
    }
}

/// Whether what follows the table leaves no row out: outer joins from its side, an order, a WHERE that
/// is always true.
fn keeps_every_row(rest: Cursor<'_>) -> bool {
    if rest.find(FILTERS).is_some() || rest.commas().len() > 1 && rest.find(&["ORDER"]).is_none() {
        return false;
    }
    let mut from = rest;
    while let Some(at) = from.find(&["JOIN"]) {
        let left = at.checked_sub(1).is_some_and(|before| {
            from.word_is(before, "LEFT")
                || before > 0 && from.word_is(before, "OUTER") && from.word_is(before - 1, "LEFT")
        });
        if !left {
            return false;
        }
        from.skip(at + 1);
    }
    let Some(at) = rest.find(&["WHERE"]) else { return true };
    let mut asked = rest;
    asked.skip(at + 1);
    let one = |cursor: &Cursor<'_>| cursor.ahead(0).is_some_and(|token| cursor.text(token) == "1");
    if asked.eat(&["TRUE"]) {
    } else if one(&asked) {
        asked.skip(1);
        if asked.eat_mark(b'=') {
            if !one(&asked) {
                return false;
            }
            asked.skip(1);
        }
    } else {
        return false;
    }
    asked.done() || asked.is_any(&["ORDER", "ON", "RETURNING"])
}

/// A value and the name that it gets.
fn alias(part: Cursor<'_>) -> (Cursor<'_>, Option<Ident>) {
    let rest = part.rest().len();
    let bare = |count: usize| {
        let mut last = part;
        last.skip(count);
        (last.kind() != Some(Kind::Text)).then(|| ident(&mut last)).flatten()
    };
    // `x`, `t.x`.
    let plain = rest == 1 || rest == 3 && matches!(part.ahead(1), Some(token) if token.kind == Kind::Mark(b'.'));
    if plain {
        return (part, bare(rest - 1));
    }
    let Some(said) = rest.checked_sub(2) else { return (part, None) };
    if part.word_is(said, "AS") {
        return (part.take(said), bare(said + 1));
    }
    let value_ends = part.ahead(said).is_some_and(|token| {
        matches!(
            token.kind,
            Kind::Word | Kind::Quoted | Kind::Double | Kind::Text | Kind::Number | Kind::Mark(b')')
        )
    });
    match bare(said + 1).filter(|_| value_ends && !part.word_is(rest - 1, "END")) {
        Some(name) => (part.take(said + 1), Some(name)),
        None => (part, None),
    }
}

fn value(mut part: Cursor<'_>, called: &Ident) -> Option<Copied> {
    if let Some(column) = own(part, called) {
        return Some(Copied::Column(column));
    }
    let star = |cursor: &Cursor<'_>| cursor.is_mark(b'*') && cursor.left() == 1;
    if star(&part) {
        return Some(Copied::All);
    }
    let mut behind = part;
    if ident(&mut behind).is_some_and(|of| of == *called) && behind.eat_mark(b'.') && star(&behind) {
        return Some(Copied::All);
    }
    if part.rest().last().is_some_and(|token| token.kind == Kind::Mark(b'*')) {
        return None;
    }
    if part.is(&["CAST"]) {
        let mut inside = part;
        inside.skip(1);
        if let (Ok(inside), true) =
            (inside.group(), part.rest().last().is_some_and(|token| token.kind == Kind::Mark(b')')))
            && let Some(at) = inside.find(&["AS"])
            && let Some(column) = own(inside.take(at), called)
        {
            let mut ty = inside;
            ty.skip(at + 1);
            return Some(Copied::Cast(column, ty.rest_text().to_lowercase()));
        }
    }
    let mut columns = vec![];
    while !part.done() {
        let mut ahead = part;
        let named = part.kind() != Some(Kind::Text) && !(part.mysql() && part.kind() == Some(Kind::Double));
        match ident(&mut ahead).filter(|_| named) {
            Some(of) if ahead.is_mark(b'.') => {
                ahead.skip(1);
                let column = ident(&mut ahead)?;
                if of == *called {
                    columns.push(column);
                }
                part = ahead;
            }
            Some(column) => {
                columns.push(column);
                part = ahead;
            }
            None => part.skip(1),
        }
    }
    Some(Copied::Of(columns))
}

/// A column of the table, and nothing else.
fn own(mut part: Cursor<'_>, called: &Ident) -> Option<Ident> {
    if part.kind() == Some(Kind::Text) || part.mysql() && part.kind() == Some(Kind::Double) {
        return None;
    }
    let first = ident(&mut part)?;
    let literal = ["null", "true", "false", "current_timestamp", "current_date", "current_time", "default"];
    if part.done() {
        return (!literal.contains(&first.key.to_lowercase().as_str())).then_some(first);
    }
    if first != *called || !part.eat_mark(b'.') {
        return None;
    }
    let column = ident(&mut part)?;
    part.done().then_some(column)
}

/// A name part as the dialect compares it.
fn ident(cursor: &mut Cursor<'_>) -> Option<Ident> {
    let exact = cursor.dialect() == Dialect::Postgres && cursor.kind() == Some(Kind::Double);
    let text = cursor.ahead(0).map(|token| cursor.text(token)).unwrap_or_default();
    let ident = cursor.ident().ok()?;
    Some(if exact { Ident::exact(unquoted(text)) } else { ident })
}

fn name(cursor: &mut Cursor<'_>) -> Option<Name> {
    if cursor.dialect() != Dialect::Postgres {
        return cursor.name().ok();
    }
    let first = ident(cursor)?;
    if !cursor.eat_mark(b'.') {
        return Some(Name::plain(first));
    }
    Some(Name { schema: Some(first), name: ident(cursor)? })
}
