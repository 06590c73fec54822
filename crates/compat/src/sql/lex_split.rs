//! Tokens to statements: where one ends, with the bodies of routines and triggers kept whole.
//!
//! SQL Server's batches are split further by its own reader: its statements need no `;`.

use std::ops::Range;

use super::Dialect;
use super::lex::{Kind, Token};

/// A statement: its tokens, without what ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Which tokens.
    pub tokens: Range<usize>,
    /// A block in it never ends, or a string or comment: what follows may have been swallowed.
    pub open: bool,
    /// How deep its brackets nest.
    pub depth: usize,
}

/// The statements of a text. Empty ones are left out.
pub fn statements(text: &str, tokens: &[Token], dialect: Dialect) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (statement, next) = one(text, tokens, at, dialect);
        if !statement.tokens.is_empty() {
            found.push(statement);
        }
        at = next.max(at + 1);
    }
    found
}

/// How the end of a statement is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// At the next `;`.
    Plain,
    /// At the first `;` outside BEGIN and CASE.
    Body,
    /// As `Body`, and not before a BEGIN has been closed (or the routine has none).
    Unit,
    /// As `Body`, its END has no BEGIN: packages.
    Package,
    /// At a stop only.
    Batch,
}

/// The statement that begins at a token, and where the next begins.
fn one(text: &str, tokens: &[Token], start: usize, dialect: Dialect) -> (Statement, usize) {
    let form = form(text, tokens, start, dialect);
    let mut blocks = usize::from(form == Form::Package);
    let mut begun = form != Form::Unit;
    let (mut depth, mut deepest, mut broken) = (0usize, 0usize, false);
    let statement = |end: usize, open: bool, depth: usize| Statement { tokens: start..end, open, depth };
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.kind {
            Kind::Stop => return (statement(at, broken, deepest), at + 1),
            Kind::Line if at == start => return (statement(at + 1, false, 0), at + 1),
            Kind::Semicolon if ends(form, blocks, begun, tokens.get(at + 1)) => {
                return (statement(at, broken, deepest), at + 1);
            }
            Kind::Mark(b'(') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Kind::Mark(b')') => depth = depth.saturating_sub(1),
            Kind::Broken => broken = true,
            Kind::Word if !matches!(form, Form::Plain | Form::Batch) => {
                let word = text.get(token.start..token.end).unwrap_or_default();
                let before = at.checked_sub(1).filter(|before| *before >= start).and_then(|at| tokens.get(at));
                let qualified = before.is_some_and(|token| token.kind == Kind::Mark(b'.'));
                if qualified {
                    continue;
                }
                if word.eq_ignore_ascii_case("begin") {
                    blocks += 1;
                    begun = true;
                } else if word.eq_ignore_ascii_case("case") {
                    let closes = before.is_some_and(|token| is(text, token, &["END"]));
                    blocks += usize::from(!closes);
                } else if form == Form::Unit && is(text, token, &["LANGUAGE", "EXTERNAL"]) {
                    // A call of a program in another language has no body.
                    begun = true;
                } else if word.eq_ignore_ascii_case("end") {
                    let inner = tokens.get(at + 1);
                    let inner =
                        inner.is_some_and(|token| is(text, token, &["IF", "LOOP", "WHILE", "REPEAT", "FOR"]));
                    blocks = blocks.saturating_sub(usize::from(!inner));
                }
            }
            _ => {}
        }
    }
    (statement(tokens.len(), broken || blocks > 0 || !begun, deepest), tokens.len())
}

/// Whether a `;` ends the statement, by what follows it.
fn ends(form: Form, blocks: usize, begun: bool, next: Option<&Token>) -> bool {
    match form {
        Form::Plain => true,
        Form::Body | Form::Package => blocks == 0,
        // Before its BEGIN a routine declares; `/` on its line ends it for certain.
        Form::Unit => blocks == 0 && (begun || next.is_none_or(|token| token.kind == Kind::Stop)),
        Form::Batch => false,
    }
}

fn is(text: &str, token: &Token, words: &[&str]) -> bool {
    token.kind == Kind::Word
        && text
            .get(token.start..token.end)
            .is_some_and(|word| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// How many tokens of a statement's head are looked at.
const HEAD: usize = 24;

fn form(text: &str, tokens: &[Token], start: usize, dialect: Dialect) -> Form {
    let Some(first) = tokens.get(start) else { return Form::Plain };
    let second = tokens.get(start + 1);
    match dialect {
        Dialect::MsSql => return Form::Batch,
        Dialect::Oracle if is(text, first, &["DECLARE"]) => return Form::Unit,
        Dialect::Oracle if is(text, first, &["BEGIN"]) => return Form::Body,
        Dialect::Oracle if first.kind == Kind::Mark(b'<') => return Form::Unit,
        Dialect::MySql if is(text, first, &["BEGIN"]) && second.is_some_and(|token| is(text, token, &["NOT"])) => {
            return Form::Body;
        }
        _ => {}
    }
    if !is(text, first, &["CREATE", "ALTER"]) {
        return Form::Plain;
    }
    let alter = is(text, first, &["ALTER"]);
    for (at, token) in tokens.iter().enumerate().skip(start + 1).take(HEAD) {
        if matches!(token.kind, Kind::Semicolon | Kind::Stop | Kind::Mark(b'(')) {
            break;
        }
        if is(text, token, &["TABLE", "VIEW", "INDEX", "DATABASE", "USER", "ROLE", "SEQUENCE", "SYNONYM"]) {
            break;
        }
        let body = tokens.get(at + 1).is_some_and(|token| is(text, token, &["BODY"]));
        match dialect {
            Dialect::Oracle if alter => return Form::Plain,
            Dialect::Oracle if is(text, token, &["PACKAGE"]) => return Form::Package,
            Dialect::Oracle if is(text, token, &["TYPE"]) => {
                return if body { Form::Package } else { Form::Plain };
            }
            Dialect::Oracle if is(text, token, &["PROCEDURE", "FUNCTION", "TRIGGER"]) => return Form::Unit,
            Dialect::MySql if is(text, token, &["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"]) => {
                return Form::Body;
            }
            Dialect::Sqlite if is(text, token, &["TRIGGER"]) => return Form::Body,
            _ => {}
        }
    }
    Form::Plain
}
