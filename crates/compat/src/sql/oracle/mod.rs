//! Oracle.

mod alter;
mod block;
mod create;
#[cfg(test)]
mod tests;

use super::Dialect;
use super::common::{each_statement, end, neutral, read_all, review, rows};
use super::cursor::{Cursor, Read, Source};
use super::lex::Kind as Token;
use crate::migration::Limits;
use crate::operation::{Operation, Restriction, Step, Unread};

/// What a text does, statement by statement.
pub fn read(text: &str, limits: Limits) -> Vec<Step> {
    read_all(text, Dialect::Oracle, limits, read_source)
}

fn read_source(source: &Source<'_>) {
    each_statement(source, statement);
}

fn statement(cursor: Cursor<'_>) -> Read<()> {
    if cursor.kind() == Some(Token::Line) {
        return sqlplus(cursor);
    }
    if cursor.is_mark(b'<') {
        return block::read(cursor);
    }
    match cursor.word(0).map(str::to_uppercase).as_deref() {
        Some("CREATE") => create::read(cursor),
        Some("ALTER") => alter::read(cursor),
        Some("DROP") => create::drop(cursor),
        Some("RENAME") => rename(cursor),
        Some("BEGIN" | "DECLARE") => block::read(cursor),
        Some("INSERT" | "UPDATE" | "DELETE" | "MERGE" | "TRUNCATE" | "WITH" | "SELECT") => rows::read(cursor),
        Some("CALL") => Err(Unread::Code { what: cursor.rest_text().chars().take(100).collect() }),
        Some("REVOKE") => {
            cursor.keep(Operation::Restrict { restriction: Restriction::Revoke, table: None });
            Ok(())
        }
        Some("FLASHBACK") => review(cursor, "a table goes back in time", None),
        Some(
            "COMMENT" | "GRANT" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "ANALYZE" | "AUDIT" | "NOAUDIT" | "PURGE"
            | "LOCK" | "SET" | "EXPLAIN" | "ASSOCIATE" | "EXIT",
        ) => neutral(cursor, 1),
        _ => Err(cursor.unknown()),
    }
}

/// A line of sqlplus. Some of them run another file, or a program.
fn sqlplus(cursor: Cursor<'_>) -> Read<()> {
    let line = cursor.rest_text();
    let first = line.split_whitespace().next().unwrap_or_default().trim_end_matches(';').to_uppercase();
    let runs = line.starts_with(['@', '!'])
        || matches!(first.as_str(), "START" | "HOST" | "EXEC" | "EXECUTE" | "CONNECT" | "CONN");
    if runs {
        return Err(Unread::Code { what: line.chars().take(100).collect() });
    }
    cursor.keep(Operation::Neutral { what: first });
    Ok(())
}

/// `RENAME a TO b`: a table, view, sequence or synonym.
fn rename(whole: Cursor<'_>) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    let from = cursor.name()?;
    if !cursor.eat(&["TO"]) {
        return Err(cursor.surprise("TO"));
    }
    let to = cursor.name()?;
    end(&cursor)?;
    whole.keep(Operation::Rename { kind: None, from, to });
    Ok(())
}
