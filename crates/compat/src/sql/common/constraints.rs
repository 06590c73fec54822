//! Keys, references and checks, as tables, columns and indexes write them.

use super::super::Dialect;
use super::super::cursor::{Cursor, Read};
use super::super::lex::Kind;
use super::columns::{Part, column, default};
use crate::operation::{Checked, Column, Constraint, ConstraintKind, Filled, Ident};

/// One entry between a CREATE TABLE's brackets, or after ADD.
pub enum Item {
    /// A column.
    Column(Column),
    /// A constraint.
    Constraint(Constraint, Checked),
    /// An index that is not unique.
    Index(Option<Ident>, Vec<Ident>),
    /// SQL Server's `DEFAULT x FOR c`.
    Default(Ident, Filled),
    /// What code cannot notice.
    Nothing,
}

/// The entry that a cursor holds, to its end.
pub fn item(cursor: &mut Cursor<'_>, part: Part) -> Read<Item> {
    if !begins_constraint(cursor) {
        return column(cursor, part).map(Item::Column);
    }
    let item = constraint(cursor)?;
    // SQLite asks for no comma between two of them.
    let another = cursor.dialect() == Dialect::Sqlite && begins_constraint(cursor);
    if cursor.done() || another { Ok(item) } else { Err(cursor.surprise("the end of a constraint")) }
}

/// Whether the entry is no column. A quoted word is a column's name.
pub fn begins_constraint(cursor: &Cursor<'_>) -> bool {
    let key_like = cursor.mysql() && cursor.is_any(&["INDEX", "KEY", "FULLTEXT", "SPATIAL", "VECTOR"]);
    let index = cursor.dialect() == Dialect::MsSql && cursor.is(&["INDEX"]);
    let default = cursor.dialect() == Dialect::MsSql && cursor.is(&["DEFAULT"]);
    cursor.is_any(&["CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK"])
        || key_like
        || index
        || default
        || cursor.is(&["PERIOD", "FOR"])
        || cursor.is(&["SUPPLEMENTAL", "LOG"])
}

fn constraint(cursor: &mut Cursor<'_>) -> Read<Item> {
    let mut name = None;
    if cursor.eat(&["CONSTRAINT"]) {
        cursor.if_not_exists();
        if !cursor.is_any(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]) {
            name = Some(cursor.ident()?);
        }
    }
    if cursor.eat(&["PRIMARY", "KEY"]) {
        index_head(cursor)?;
        let columns = key_columns(&cursor.group()?);
        keys_tail(cursor)?;
        return Ok(kept(name, ConstraintKind::PrimaryKey(columns), state(cursor)));
    }
    if cursor.eat(&["UNIQUE"]) {
        cursor.eat_any(&["KEY", "INDEX"]);
        let given = index_head(cursor)?;
        let columns = key_columns(&cursor.group()?);
        keys_tail(cursor)?;
        let first = if cursor.mysql() { columns.first().cloned() } else { None };
        let kind = unique(cursor, columns, None);
        return Ok(kept(given.or(name).or(first), kind, state(cursor)));
    }
    if cursor.eat(&["FOREIGN", "KEY"]) {
        cursor.if_not_exists();
        let given = if cursor.is_mark(b'(') { None } else { Some(cursor.ident()?) };
        let columns = key_columns(&cursor.group()?);
        let kind = references(cursor, columns)?;
        return Ok(kept(name.or(given), kind, state(cursor)));
    }
    if cursor.is(&["CHECK"]) {
        let kind = check(cursor)?;
        return Ok(kept(name, kind, state(cursor)));
    }
    if cursor.eat(&["DEFAULT"]) {
        let filled = default(cursor);
        if !cursor.eat(&["FOR"]) {
            return Err(cursor.surprise("FOR"));
        }
        let column = cursor.ident()?;
        cursor.eat(&["WITH", "VALUES"]);
        return Ok(Item::Default(column, filled));
    }
    if cursor.eat(&["PERIOD", "FOR"]) || cursor.eat(&["SUPPLEMENTAL", "LOG"]) {
        cursor.skip(cursor.left());
        return Ok(Item::Nothing);
    }
    cursor.eat_any(&["FULLTEXT", "SPATIAL", "VECTOR"]);
    cursor.eat_any(&["INDEX", "KEY"]);
    let name = index_head(cursor)?;
    let unique_too = cursor.eat(&["UNIQUE"]);
    cursor.eat_any(&["CLUSTERED", "NONCLUSTERED"]);
    let columns = key_columns(&cursor.group()?);
    keys_tail(cursor)?;
    if unique_too {
        let kind = unique(cursor, columns, None);
        return Ok(kept(name, kind, Checked::All));
    }
    Ok(Item::Index(name, columns))
}

/// A constraint that says of itself that it is not enforced is none.
fn kept(name: Option<Ident>, kind: ConstraintKind, checked: Checked) -> Item {
    match checked {
        Checked::Nothing => Item::Nothing,
        checked => Item::Constraint(Constraint { name, kind }, checked),
    }
}

/// UNIQUE as the dialect means it.
pub fn unique(cursor: &Cursor<'_>, columns: Vec<Ident>, partial: Option<String>) -> ConstraintKind {
    ConstraintKind::Unique { columns, partial, nulls_equal: cursor.dialect() == Dialect::MsSql }
}

/// What may stand between an index' keyword and its columns: a name, USING, CLUSTERED.
fn index_head(cursor: &mut Cursor<'_>) -> Read<Option<Ident>> {
    cursor.if_not_exists();
    let mut name = None;
    while !cursor.is_mark(b'(') {
        if cursor.eat(&["USING"]) || cursor.eat(&["TYPE"]) {
            cursor.skip(1);
        } else if cursor.dialect() == Dialect::MsSql && cursor.eat_any(&["CLUSTERED", "NONCLUSTERED", "HASH"]) {
        } else if name.is_none() {
            name = Some(cursor.ident()?);
        } else if cursor.is(&["UNIQUE"]) {
            return Ok(name);
        } else {
            return Err(cursor.surprise("an index' columns"));
        }
    }
    Ok(name)
}

/// The columns of a key. A column's prefix length, order and collation are passed over; an
/// expression is kept as its text.
pub fn key_columns(group: &Cursor<'_>) -> Vec<Ident> {
    let parts = group.commas();
    parts.into_iter().filter(|part| !part.done()).map(key_column).collect()
}

fn key_column(mut part: Cursor<'_>) -> Ident {
    let whole = part.rest_text();
    let Ok(ident) = part.ident() else { return Ident::exact(whole) };
    // `a(10)` is a prefix of a column, `lower(a)` an expression.
    if part.is_mark(b'(') {
        let prefix = part
            .group()
            .is_ok_and(|length| length.left() == 1 && length.kind() == Some(Kind::Number) && length.mysql());
        if !prefix {
            return Ident::exact(whole);
        }
    }
    if part.eat(&["COLLATE"]) {
        part.skip(1);
    }
    part.eat_any(&["ASC", "DESC"]);
    part.eat(&["AUTOINCREMENT"]);
    part.eat(&["NULLS", "FIRST"]);
    part.eat(&["NULLS", "LAST"]);
    if part.done() { ident } else { Ident::exact(whole) }
}

/// Options after a key's columns: none of them changes what it promises.
pub fn keys_tail(cursor: &mut Cursor<'_>) -> Read<()> {
    loop {
        if cursor.eat_any(&["ASC", "DESC", "CLUSTERED", "NONCLUSTERED", "AUTOINCREMENT", "VISIBLE", "INVISIBLE"])
            || cursor.eat_any(&["IGNORED", "ONLINE", "LOCAL", "GLOBAL", "REVERSE", "COMPRESS", "NOCOMPRESS"])
            || cursor.eat_any(&["NOLOGGING", "LOGGING", "PARALLEL", "NOPARALLEL", "COMPUTE", "STATISTICS"])
            || cursor.eat(&["NOT", "IGNORED"])
        {
            continue;
        }
        if cursor.eat(&["ON", "CONFLICT"]) || cursor.eat(&["USING", "BTREE"]) || cursor.eat(&["USING", "HASH"]) {
            let conflict = cursor.is_any(&["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"]);
            cursor.skip(usize::from(conflict));
        } else if cursor.eat_any(&["COMMENT", "KEY_BLOCK_SIZE", "ALGORITHM", "LOCK", "ENGINE_ATTRIBUTE"])
            || cursor.eat_any(&["TABLESPACE", "PCTFREE", "INITRANS", "MAXTRANS"])
            || cursor.eat(&["WITH", "PARSER"])
        {
            cursor.eat_mark(b'=');
            cursor.skip(1);
        } else if cursor.is(&["INCLUDE"]) || cursor.is(&["STORAGE"]) || cursor.is(&["WITH"]) {
            cursor.skip(1);
            if cursor.eat(&["FILLFACTOR"]) {
                cursor.eat_mark(b'=');
                cursor.skip(1);
            } else {
                cursor.group()?;
            }
        } else if cursor.dialect() == Dialect::MsSql
            && cursor.is(&["ON"])
            && !cursor.is_any_after(1, &["UPDATE", "DELETE"])
            || cursor.eat(&["TEXTIMAGE_ON"])
        {
            cursor.eat(&["ON"]);
            cursor.name()?;
            if cursor.is_mark(b'(') {
                cursor.group()?;
            }
        } else if cursor.dialect() == Dialect::Oracle && cursor.eat(&["USING", "INDEX"]) {
            using_index(cursor)?;
        } else {
            return Ok(());
        }
    }
}

fn using_index(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.is_mark(b'(') {
        cursor.group()?;
    } else if cursor.kind().is_some()
        && !cursor.is_any(&["TABLESPACE", "ENABLE", "DISABLE", "PCTFREE", "STORAGE", "REVERSE", "LOCAL", "COMPUTE"])
        && !cursor.is_any(&["INITRANS", "MAXTRANS", "LOGGING", "NOLOGGING", "NOVALIDATE", "VALIDATE", "GLOBAL"])
    {
        cursor.name()?;
    }
    Ok(())
}

/// `REFERENCES t (c) …`.
pub fn references(cursor: &mut Cursor<'_>, columns: Vec<Ident>) -> Read<ConstraintKind> {
    if !cursor.eat(&["REFERENCES"]) {
        return Err(cursor.surprise("REFERENCES"));
    }
    let table = cursor.name()?;
    let to = if cursor.is_mark(b'(') { key_columns(&cursor.group()?) } else { vec![] };
    let mut cascades = false;
    loop {
        if cursor.eat(&["MATCH"]) {
            cursor.skip(1);
        } else if cursor.eat(&["ON", "DELETE"]) || cursor.eat(&["ON", "UPDATE"]) {
            if cursor.eat(&["CASCADE"]) || cursor.eat(&["SET", "NULL"]) || cursor.eat(&["SET", "DEFAULT"]) {
                cascades = true;
            } else if !cursor.eat(&["NO", "ACTION"]) && !cursor.eat(&["RESTRICT"]) {
                return Err(cursor.surprise("what a foreign key does"));
            }
        } else if !cursor.eat(&["NOT", "FOR", "REPLICATION"]) {
            return Ok(ConstraintKind::ForeignKey { columns, table, to, cascades });
        }
    }
}

/// `CHECK (…)`.
pub fn check(cursor: &mut Cursor<'_>) -> Read<ConstraintKind> {
    if !cursor.eat(&["CHECK"]) {
        return Err(cursor.surprise("CHECK"));
    }
    cursor.eat(&["NOT", "FOR", "REPLICATION"]);
    let group = cursor.group()?;
    if cursor.dialect() == Dialect::Sqlite && cursor.eat(&["ON", "CONFLICT"]) {
        cursor.skip(1);
    }
    Ok(ConstraintKind::Check { expression: group.rest_text().to_owned(), not_null: never_null(group) })
}

/// The columns for which an expression says exactly `IS NOT NULL`.
fn never_null(mut expression: Cursor<'_>) -> Vec<Ident> {
    while expression.is_mark(b'(') {
        let mut inner = expression;
        match inner.group() {
            Ok(group) if inner.done() => expression = group,
            _ => break,
        }
    }
    if expression.find(&["OR", "XOR", "CASE"]).is_some() {
        return vec![];
    }
    let mut found = Vec::new();
    loop {
        let part = expression.take(expression.find(&["AND"]).unwrap_or(usize::MAX));
        expression.skip(part.left() + 1);
        let mut inner = part;
        if let Ok(column) = inner.ident()
            && inner.eat(&["IS", "NOT", "NULL"])
            && inner.done()
        {
            found.push(column);
        }
        if expression.done() {
            return found;
        }
    }
}

/// Whether a constraint holds, by the words after it.
pub fn state(cursor: &mut Cursor<'_>) -> Checked {
    let mut checked = Checked::All;
    loop {
        if cursor.eat(&["NOT", "ENFORCED"]) || cursor.eat(&["DISABLE"]) {
            checked = Checked::Nothing;
        } else if cursor.eat(&["NOVALIDATE"]) {
            if checked == Checked::All {
                checked = Checked::NewRows;
            }
        } else if !(cursor.eat_any(&["ENFORCED", "ENABLE", "VALIDATE", "RELY", "NORELY", "DEFERRABLE"])
            || cursor.eat(&["NOT", "DEFERRABLE"])
            || cursor.eat(&["INITIALLY", "DEFERRED"])
            || cursor.eat(&["INITIALLY", "IMMEDIATE"])
            || cursor.dialect() == Dialect::Oracle && cursor.is(&["USING", "INDEX"]) && keys_tail(cursor).is_ok())
        {
            return checked;
        }
    }
}
