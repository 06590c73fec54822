//! BEGIN … END blocks: what EXECUTE IMMEDIATE runs, what rows change, what is called.

use std::collections::HashMap;

use super::super::common::blocks::{is_conditional, pieces};
use super::super::common::{GROWTH, rows, within};
use super::super::cursor::{Cursor, Read, string};
use super::super::lex::Kind as Token;
use super::read_source;
use crate::operation::{Operation, Unread};

/// Packages and procedures that change no schema.
const HARMLESS: &[&str] = &[
    "dbms_output",
    "dbms_stats",
    "dbms_lock",
    "dbms_session",
    "dbms_application_info",
    "dbms_utility",
    "raise_application_error",
    "dbms_lob",
    "utl_raw",
];

/// Words that begin a statement of a block and change nothing themselves.
const PLAIN: &[&str] = &[
    "NULL",
    "RAISE",
    "RETURN",
    "OPEN",
    "FETCH",
    "CLOSE",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "EXIT",
    "CONTINUE",
    "GOTO",
    "PRAGMA",
    "SELECT",
    "WITH",
    "END",
    "FOR",
    "WHILE",
    "IF",
    "ELSIF",
    "WHEN",
    "CASE",
    "EXCEPTION",
    "LOCK",
    "SET",
];

/// Reads a block. What is in it may not run if a condition stands anywhere in it.
pub fn read(whole: Cursor<'_>) -> Read<()> {
    let mut block = Block { values: HashMap::new(), conditional: is_conditional(&whole) };
    let before = whole.source.count();
    let begin = whole.find(&["BEGIN"]).unwrap_or(0);
    let declared = if whole.is(&["DECLARE"]) { begin } else { 0 };
    for (start, piece) in pieces(&whole) {
        block.statement(piece, start < declared);
    }
    if whole.source.count() == before {
        whole.keep(Operation::Neutral { what: "BEGIN".to_owned() });
    }
    Ok(())
}

struct Block {
    /// Every literal that a variable was given; `None`: something else too.
    values: HashMap<String, Option<Vec<String>>>,
    conditional: bool,
}

impl Block {
    fn statement(&mut self, mut cursor: Cursor<'_>, declares: bool) {
        // A label: `<<x>>`.
        while cursor.eat_mark(b'<') || cursor.eat_mark(b'>') {
            if cursor.ahead(1).is_some_and(|token| token.kind == Token::Mark(b'>')) {
                cursor.skip(1);
            }
        }
        let declares = declares || cursor.eat(&["DECLARE"]);
        if cursor.done() || self.assigned(cursor) || declares {
            return;
        }
        let before = cursor.source.count();
        if cursor.eat(&["EXECUTE", "IMMEDIATE"]) {
            self.execute(cursor);
        } else if cursor.is_any(&["INSERT", "UPDATE", "DELETE", "MERGE", "FORALL"]) {
            if cursor.eat(&["FORALL"]) {
                cursor.skip(cursor.find(&["INSERT", "UPDATE", "DELETE"]).unwrap_or(0));
            }
            if let Err(unread) = rows::read(cursor) {
                cursor.keep(Operation::Unread(unread));
            }
        } else if !cursor.is_any(PLAIN) {
            self.called(cursor);
        }
        let conditional = self.conditional;
        cursor.source.since(before, |step| step.conditional |= conditional);
    }

    /// A procedure that is called may do anything.
    fn called(&self, cursor: Cursor<'_>) {
        let first = cursor.word(0).map(str::to_lowercase).unwrap_or_default();
        if !HARMLESS.contains(&first.as_str()) {
            let what = cursor.rest_text().chars().take(100).collect();
            cursor.keep(Operation::Unread(Unread::Code { what }));
        }
    }

    /// `x := …`, and `x varchar2(20) := …` of a declaration.
    fn assigned(&mut self, cursor: Cursor<'_>) -> bool {
        let is_assignment = |at: &usize| cursor.ahead(at + 1).is_some_and(|token| token.kind == Token::Mark(b'='));
        let colon = cursor.rest().iter().position(|token| token.kind == Token::Mark(b':')).filter(is_assignment);
        let Some(colon) = colon else { return false };
        let Some(name) = cursor.word(0).map(str::to_lowercase) else { return false };
        let mut value = cursor;
        value.skip(colon + 2);
        let texts = self.texts(&value);
        let known = self.values.entry(name).or_insert_with(|| Some(vec![]));
        *known = match (known.take(), texts) {
            (Some(mut known), Some(text)) => {
                known.push(text);
                Some(known)
            }
            _ => None,
        };
        true
    }

    /// A text of strings and known variables with `||` between them.
    fn texts(&self, expression: &Cursor<'_>) -> Option<String> {
        let longest = expression.rest_text().len() + GROWTH;
        let mut whole = String::new();
        for token in expression.rest() {
            match token.kind {
                Token::Mark(b'|') => {}
                Token::Text => whole.push_str(&string(expression.text(token), expression.dialect())),
                Token::Word => match self.values.get(&expression.text(token).to_lowercase())?.as_deref()? {
                    [one] => whole.push_str(one),
                    _ => return None,
                },
                _ => return None,
            }
            if whole.len() > longest {
                return None;
            }
        }
        Some(whole)
    }

    fn execute(&self, cursor: Cursor<'_>) {
        let end = cursor.find(&["INTO", "USING", "RETURNING", "BULK"]).unwrap_or(usize::MAX);
        let mut expression = cursor.take(end);
        while expression.is_mark(b'(') {
            match expression.group() {
                Ok(group) if expression.done() => expression = group,
                _ => break,
            }
        }
        let alone = expression.left() == 1;
        let variable = expression.word(0).filter(|_| alone).and_then(|name| self.values.get(&name.to_lowercase()));
        let texts = match variable {
            Some(known) => known.clone(),
            None => self.texts(&expression).map(|text| vec![text]),
        };
        match texts {
            Some(texts) if !texts.is_empty() => {
                for text in texts {
                    within(cursor, &text, expression.line(), self.conditional, read_source);
                }
            }
            _ => cursor.keep(Operation::Unread(Unread::Dynamic)),
        }
    }
}
