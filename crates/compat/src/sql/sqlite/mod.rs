//! SQLite.

#[cfg(test)]
mod tests;

use super::Dialect;
use super::common::columns::{Part, column};
use super::common::tables::{self, add, drop_constraint};
use super::common::{each_statement, end, neutral, objects, read_all, review, rows};
use super::cursor::{Cursor, Read};
use super::lex::Kind as Token;
use crate::migration::Limits;
use crate::operation::{ColumnChange, Kind, Maybe, Operation, Step, Unread};

/// What a text does, statement by statement.
pub fn read(text: &str, limits: Limits) -> Vec<Step> {
    let mut steps = read_all(text, Dialect::Sqlite, limits, |source| each_statement(source, statement));
    super::undone::rolled_back(&mut steps);
    steps
}

fn statement(cursor: Cursor<'_>) -> Read<()> {
    if cursor.kind() == Some(Token::Line) {
        return shell(cursor);
    }
    match cursor.word(0).map(str::to_uppercase).as_deref() {
        Some("CREATE") => create(cursor),
        Some("ALTER") => alter(cursor),
        Some("DROP") => drop(cursor),
        Some("PRAGMA") => pragma(cursor),
        Some("ATTACH" | "DETACH") => Err(Unread::Syntax { words: "it opens another database file".to_owned() }),
        Some("INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "WITH" | "SELECT" | "VALUES") => changed_rows(cursor),
        Some("BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "VACUUM" | "ANALYZE") => {
            neutral(cursor, 1)
        }
        Some("REINDEX" | "EXPLAIN") => neutral(cursor, 1),
        _ => Err(cursor.unknown()),
    }
}

/// Rows of the schema itself are the schema.
fn changed_rows(cursor: Cursor<'_>) -> Read<()> {
    let mut target = cursor;
    target.skip(1);
    target.eat_any(&["FROM", "INTO"]);
    if !cursor.is(&["SELECT"]) && target.is_any(&["sqlite_master", "sqlite_schema"]) {
        return Err(Unread::Syntax { words: "it changes the schema as rows".to_owned() });
    }
    rows::read(cursor)
}

/// A command of the shell: `.read` runs another file.
fn shell(cursor: Cursor<'_>) -> Read<()> {
    let line = cursor.rest_text();
    let runs = [".read", ".import", ".restore", ".shell", ".system", ".open", ".load"];
    if runs.iter().any(|command| line.starts_with(command)) {
        return Err(Unread::Code { what: line.chars().take(100).collect() });
    }
    cursor.keep(Operation::Neutral { what: line.split_whitespace().next().unwrap_or_default().to_owned() });
    Ok(())
}

fn pragma(cursor: Cursor<'_>) -> Read<()> {
    let writes = cursor.word_is(1, "writable_schema") && !cursor.rest_text().to_lowercase().contains("off");
    if writes { review(cursor, "the schema may be changed as rows", None) } else { neutral(cursor, 2) }
}

fn create(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    let temporary = cursor.eat_any(&["TEMP", "TEMPORARY"]);
    if cursor.eat(&["TABLE"]) {
        return tables::create(cursor, temporary, whole);
    }
    if cursor.eat(&["VIRTUAL", "TABLE"]) {
        let guarded = cursor.if_not_exists();
        let table = cursor.name()?;
        let (columns, constraints) = (Maybe::Unknown, vec![]);
        whole.step(Operation::CreateTable { table, columns, constraints, temporary }).guarded(guarded).keep();
        return Ok(());
    }
    if cursor.eat(&["VIEW"]) {
        return objects::view(cursor, false, false, whole);
    }
    if cursor.eat(&["TRIGGER"]) {
        return objects::trigger(cursor, whole);
    }
    let unique = cursor.eat(&["UNIQUE"]);
    if cursor.eat(&["INDEX"]) {
        return tables::index(cursor, unique, whole);
    }
    Err(whole.unknown())
}

fn alter(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    if !cursor.eat(&["TABLE"]) {
        return Err(whole.unknown());
    }
    let guarded = cursor.if_exists();
    let table = cursor.name()?;
    if cursor.eat(&["ADD"]) {
        if !cursor.eat(&["COLUMN"]) {
            return add(cursor, &table, false, guarded, whole);
        }
        let guarded = cursor.if_not_exists() || guarded;
        let column = column(&mut cursor, Part::New)?;
        whole.step(Operation::AddColumn { table, column }).guarded(guarded).keep();
        return Ok(());
    }
    let operation = if cursor.eat(&["RENAME"]) {
        if cursor.left() == 2 && cursor.eat(&["TO"]) {
            Operation::Rename { kind: None, to: cursor.name()?, from: table }
        } else {
            let said = cursor.left() == 4 && cursor.eat(&["COLUMN"]);
            let from = cursor.ident()?;
            if !cursor.eat(&["TO"]) {
                return Err(cursor.surprise(if said { "TO" } else { "a rename" }));
            }
            Operation::RenameColumn { table, from, to: cursor.ident()? }
        }
    } else if cursor.eat(&["DROP", "CONSTRAINT"]) {
        let constraint = cursor.ident()?;
        drop_constraint(&table, Some(constraint), None, false)
    } else if cursor.eat(&["DROP"]) {
        cursor.eat(&["COLUMN"]);
        cursor.if_exists();
        Operation::DropColumn { table, column: cursor.ident()?, cascade: false }
    } else if cursor.eat(&["ALTER"]) {
        cursor.eat(&["COLUMN"]);
        let column = cursor.ident()?;
        let change = if cursor.eat(&["SET", "NOT", "NULL"]) {
            ColumnChange::NotNull
        } else if cursor.eat(&["DROP", "NOT", "NULL"]) {
            ColumnChange::Null
        } else {
            return Err(cursor.surprise("what is done to the column"));
        };
        cursor.skip(cursor.left());
        Operation::AlterColumn { table, column, changes: vec![change] }
    } else {
        return Err(whole.unknown());
    };
    end(&cursor)?;
    whole.step(operation).guarded(guarded).keep();
    Ok(())
}

fn drop(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    if cursor.eat(&["TABLE"]) {
        return tables::drop(cursor, whole);
    }
    if cursor.eat(&["VIEW"]) {
        return objects::drop(cursor, Kind::View, whole);
    }
    if cursor.eat(&["TRIGGER"]) {
        return objects::drop(cursor, Kind::Trigger, whole);
    }
    if cursor.eat(&["INDEX"]) {
        let guarded = cursor.if_exists();
        let name = cursor.name()?;
        end(&cursor)?;
        whole.step(Operation::DropIndex { name, table: None }).guarded(guarded).keep();
        return Ok(());
    }
    Err(whole.unknown())
}
