//! CREATE TABLE, DROP TABLE, CREATE INDEX and what ALTER TABLE adds.

use super::super::Dialect;
use super::super::cursor::{Cursor, Read};
use super::columns::Part;
use super::constraints::{Item, item, key_columns, keys_tail, unique};
use super::copy;
use crate::operation::{
    Checked, Column, ColumnChange, Constraint, ConstraintKind, Filled, Ident, Maybe, Name, Operation,
};

/// CREATE TABLE, from after TABLE. `whole` is the statement.
pub fn create(mut cursor: Cursor<'_>, temporary: bool, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_not_exists();
    let table = cursor.name()?;
    let temporary = temporary || table.name.key.starts_with('#');
    let unknown = |constraints| Operation::CreateTable {
        table: table.clone(),
        columns: Maybe::Unknown,
        constraints,
        temporary,
    };
    let mut like = cursor;
    let bracket = like.eat_mark(b'(');
    if like.is(&["LIKE"]) || !bracket && like.is_any(&["AS", "SELECT", "IGNORE", "REPLACE", "WITH", "CLONE"]) {
        whole.step(unknown(vec![])).guarded(guarded).keep();
        if cursor.eat(&["AS"]) || cursor.is(&["SELECT"]) {
            from_query(cursor, &table, guarded, whole);
        }
        return Ok(());
    }
    if !bracket && cursor.find(&["SELECT"]).is_some() {
        whole.step(unknown(vec![])).guarded(guarded).keep();
        return Ok(());
    }
    let body = cursor.group()?;
    let selects = body.is_any(&["SELECT", "WITH"]) || selects(&cursor);
    if body.is(&["SELECT"]) {
        whole.step(unknown(vec![])).guarded(guarded).keep();
        return Ok(());
    }
    let (mut columns, mut constraints, mut indexes) = (vec![], vec![], vec![]);
    for mut part in body.commas() {
        // A comma too many is the database's to refuse; Oracle's typed tables have no columns here.
        if part.done() {
            continue;
        }
        let place = part;
        while !part.done() {
            match item(&mut part, Part::New)? {
                Item::Column(column) => columns.push(column),
                Item::Constraint(constraint, _) => constraints.push(constraint),
                Item::Index(name, columns) => indexes.push((place, name, columns)),
                Item::Default(..) | Item::Nothing => {}
            }
        }
    }
    primary(&mut columns, &constraints, &cursor);
    constraints.extend(strict(&cursor));
    let columns = if selects { Maybe::Unknown } else { Maybe::Known(columns) };
    let operation = Operation::CreateTable { table: table.clone(), columns, constraints, temporary };
    whole.step(operation).guarded(guarded).keep();
    for (place, name, columns) in indexes {
        let operation = Operation::CreateIndex { name: name.map(Name::plain), table: table.clone(), columns };
        place.step(operation).guarded(guarded).keep();
    }
    Ok(())
}

/// The rows that a table is made with.
fn from_query(query: Cursor<'_>, table: &Name, guarded: bool, whole: Cursor<'_>) {
    if let Some(copy) = copy::of_query(query) {
        whole.step(copy.into(table.clone())).guarded(guarded).keep();
    }
}

/// SQLite's STRICT: it refuses what is not of its column's type.
fn strict(options: &Cursor<'_>) -> Option<Constraint> {
    let strict = options.dialect() == Dialect::Sqlite && options.find(&["STRICT"]).is_some();
    let kind = ConstraintKind::Check { expression: "STRICT".to_owned(), not_null: vec![] };
    strict.then_some(Constraint { name: None, kind })
}

/// What a PRIMARY KEY below the columns says of them: no NULL, and in SQLite that an INTEGER alone is
/// the rowid, which fills itself.
fn primary(columns: &mut [Column], constraints: &[Constraint], options: &Cursor<'_>) {
    let keys = constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => Some(key),
        _ => None,
    });
    let rowid = options.dialect() == Dialect::Sqlite && options.find(&["ROWID"]).is_none();
    for key in keys {
        for column in columns.iter_mut().filter(|column| key.contains(&column.name)) {
            column.not_null = Maybe::Known(true);
            let integer = matches!(&column.ty, Maybe::Known(ty) if ty.base == "integer");
            if rowid && integer && key.len() == 1 {
                column.filled = Maybe::Known(Filled::Counted { always: false });
            }
        }
    }
}

/// Whether a table takes more columns from a query: `… AS SELECT` after its options.
fn selects(options: &Cursor<'_>) -> bool {
    options.find(&["SELECT"]).is_some()
}

/// What ADD adds to a table: a step for each.
pub fn add(mut part: Cursor<'_>, table: &Name, new_rows_only: bool, guarded: bool, place: Cursor<'_>) -> Read<()> {
    let added = item(&mut part, Part::New)?;
    super::end(&part)?;
    keep(added, table, new_rows_only, guarded, place);
    Ok(())
}

fn keep(added: Item, table: &Name, new_rows_only: bool, guarded: bool, place: Cursor<'_>) {
    let table = table.clone();
    let operation = match added {
        Item::Column(column) => Operation::AddColumn { table, column },
        Item::Constraint(constraint, checked) => {
            let checked = if new_rows_only && checked == Checked::All { Checked::NewRows } else { checked };
            Operation::AddConstraint { table, constraint, checked }
        }
        Item::Index(name, columns) => Operation::CreateIndex { name: name.map(Name::plain), table, columns },
        Item::Default(column, filled) => {
            Operation::AlterColumn { table, column, changes: vec![ColumnChange::Filled(filled)] }
        }
        Item::Nothing => Operation::Neutral { what: "ADD".to_owned() },
    };
    place.step(operation).guarded(guarded).keep();
}

/// DROP TABLE, from after TABLE.
pub fn drop(mut cursor: Cursor<'_>, whole: Cursor<'_>) -> Read<()> {
    let guarded = cursor.if_exists();
    let (tables, cascade) = names(&mut cursor)?;
    for table in tables {
        whole.step(Operation::DropTable { table, cascade }).guarded(guarded).keep();
    }
    Ok(())
}

/// Names with commas between them, to the statement's end; and whether CASCADE stands there.
/// In MySQL that word does nothing.
pub fn names(cursor: &mut Cursor<'_>) -> Read<(Vec<Name>, bool)> {
    let mut names = vec![cursor.name()?];
    while cursor.eat_mark(b',') {
        names.push(cursor.name()?);
    }
    let cascade = cursor.eat(&["CASCADE"]) && !cursor.mysql();
    cursor.eat(&["CONSTRAINTS"]);
    cursor.eat(&["RESTRICT"]);
    cursor.eat(&["PURGE"]);
    if cursor.mysql() && !cursor.eat(&["NOWAIT"]) && cursor.eat(&["WAIT"]) {
        cursor.skip(1);
    }
    if cursor.done() { Ok((names, cascade)) } else { Err(cursor.surprise("the statement's end")) }
}

/// CREATE INDEX or CREATE UNIQUE INDEX, from after INDEX.
pub fn index(mut cursor: Cursor<'_>, is_unique: bool, whole: Cursor<'_>) -> Read<()> {
    let mut guarded = cursor.if_not_exists();
    let name = if cursor.is(&["ON"]) { None } else { Some(cursor.name()?) };
    guarded |= cursor.if_not_exists();
    if cursor.eat(&["USING"]) {
        cursor.skip(1);
    }
    if !cursor.eat(&["ON"]) {
        return Err(cursor.surprise("ON"));
    }
    if cursor.dialect() == Dialect::Oracle && cursor.eat(&["CLUSTER"]) {
        cursor.name()?;
        whole.keep(Operation::Neutral { what: "CREATE INDEX ON CLUSTER".to_owned() });
        return Ok(());
    }
    let table = cursor.name()?;
    if cursor.eat(&["USING"]) {
        cursor.skip(1);
    }
    let columns = if cursor.is_mark(b'(') { key_columns(&cursor.group()?) } else { vec![] };
    keys_tail(&mut cursor)?;
    let partial = cursor.find(&["WHERE"]).map(|at| {
        cursor.skip(at);
        cursor.rest_text().to_owned()
    });
    // SQL Server's WITH (IGNORE_DUP_KEY = ON) changes what a double does; it is no error then.
    let operation = if is_unique {
        let constraint = Constraint { name: name.map(|name| name.name), kind: unique(&cursor, columns, partial) };
        Operation::AddConstraint { table, constraint, checked: Checked::All }
    } else {
        Operation::CreateIndex { name, table, columns }
    };
    whole.step(operation).guarded(guarded).keep();
    Ok(())
}

/// A constraint that goes.
pub fn drop_constraint(table: &Name, constraint: Option<Ident>, said: Option<&str>, cascade: bool) -> Operation {
    Operation::DropConstraint { table: table.clone(), constraint, said: said.map(str::to_owned), cascade }
}
