//! A procedure that is made, called and dropped in one file: its literal statements are read where
//! it is called. MySQL has no other way to write `ADD COLUMN IF NOT EXISTS`.

use super::super::common::blocks::{is_conditional, pieces};
use super::super::common::{one, within};
use super::super::cursor::{Cursor, Read, Source};
use super::super::lex::{Kind, tokens};
use super::dynamic::Variables;
use super::{code, statement};
use crate::operation::Operation;

/// Words that begin a piece of a body which changes nothing itself.
const PLAIN: &[&str] = &[
    "IF", "ELSEIF", "WHEN", "CASE", "END", "WHILE", "UNTIL", "DECLARE", "LEAVE", "ITERATE", "OPEN", "FETCH",
    "CLOSE", "RETURN", "SIGNAL", "RESIGNAL", "GET", "FOR",
];

/// Remembers the body of a procedure without parameters.
pub fn keep(mut cursor: Cursor<'_>, variables: &mut Variables) {
    let Some(at) = cursor.find(&["PROCEDURE"]) else { return };
    cursor.skip(at + 1);
    cursor.if_not_exists();
    let Ok(name) = cursor.name() else { return };
    let alone = cursor.group().is_ok_and(|parameters| parameters.done());
    let body = cursor.find(&["BEGIN"]).filter(|_| alone);
    if let Some(body) = body {
        cursor.skip(body);
        variables.procedures.insert(name.name.key, (cursor.rest_text().to_owned(), cursor.line()));
    } else {
        variables.procedures.remove(&name.name.key);
    }
}

/// CALL of such a procedure; any other is a program.
pub fn call(whole: Cursor<'_>, variables: &mut Variables) -> Read<()> {
    let mut cursor = whole;
    cursor.skip(1);
    let name = cursor.name()?;
    let bare = cursor.done() || cursor.group().is_ok_and(|arguments| arguments.done());
    let known = variables.procedures.get(&name.name.key).filter(|_| bare);
    let Some((body, line)) = known.cloned() else { return Err(code(whole)) };
    let before = whole.source.count();
    within(whole, &body, line, false, read_body);
    if whole.source.count() == before {
        whole.keep(Operation::Neutral { what: "CALL".to_owned() });
    }
    Ok(())
}

fn read_body(source: &Source<'_>) {
    let found = tokens(source.text, source.dialect);
    let block = Cursor::new(source, &found);
    let conditional = is_conditional(&block);
    // What the body's variables hold is its own.
    let mut variables = Variables::default();
    for (_, piece) in pieces(&block) {
        if piece.is_any(PLAIN) || piece.ahead(1).is_some_and(|token| token.kind == Kind::Mark(b':')) {
            continue;
        }
        one(piece, &mut |cursor| statement(cursor, &mut variables));
    }
    source.since(0, |step| step.conditional |= conditional);
}
