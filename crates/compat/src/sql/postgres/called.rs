//! Routines that a file makes and calls itself: migrations that need a program do so.
//!
//! A body is read where it is called, not where it is made. Not here: routines of other files.

use super::lex::{Kind, Split};
use super::source::{Source, Words, dollar_body};
use super::{Steps, block};
use crate::operation::{Ident, Maybe, Name, Signature};

/// A routine whose body is known.
pub(super) struct Routine {
    name: Name,
    /// The names of its parameters, in order.
    parameters: Vec<Option<String>>,
    body: String,
    /// Where its body begins.
    line: u32,
    /// `LANGUAGE sql`; else PL/pgSQL.
    sql: bool,
}

/// How many routines of one file are kept.
const ROUTINES: usize = 200;
/// How often their bodies are read, all in all.
const CALLS: usize = 200;

/// Keeps a routine that CREATE FUNCTION or PROCEDURE makes.
pub(super) fn remember(words: Words<'_>, name: &Name, signature: &Signature, steps: &mut Steps) {
    steps.routines.retain(|routine| routine.name != *name);
    let Some(at) = (0..words.tokens.len()).rev().find(|at| {
        let literal = matches!(words.kind(*at), Some(Kind::Text | Kind::EscapedText | Kind::Dollar));
        literal && words.is(at.wrapping_sub(1), "as")
    }) else {
        return;
    };
    let language = (0..words.tokens.len()).find(|at| words.is(*at, "language")).map(|at| at + 1);
    let Some(language) = language.and_then(|at| words.ident(at).map(|it| it.key).or_else(|| words.literal(at)))
    else {
        return;
    };
    let sql = language.eq_ignore_ascii_case("sql");
    let (Maybe::Known(parameters), true) = (&signature.parameters, sql || language.eq_ignore_ascii_case("plpgsql"))
    else {
        return;
    };
    let body = dollar_body(words.token(at))
        .filter(|_| words.kind(at) == Some(Kind::Dollar))
        .map(|(_, body)| body.to_owned());
    let Some(body) = body.or_else(|| words.literal(at)) else { return };
    if steps.routines.len() < ROUTINES {
        steps.routines.push(Routine {
            name: name.clone(),
            parameters: parameters.iter().map(|it| it.name.as_ref().map(|name| name.key.clone())).collect(),
            body,
            line: words.source.line(words.tokens.get(at).map_or(0, |token| token.start)),
            sql,
        });
    }
}

/// Reads the body of a routine that is called with these arguments; whether it is known.
pub(super) fn call(words: Words<'_>, name: &Ident, arguments: Words<'_>, steps: &mut Steps) -> bool {
    let found = steps.routines.iter().position(|routine| routine.name.name == *name);
    let Some(found) = found.filter(|_| steps.calls < CALLS) else { return false };
    steps.calls += 1;
    // Taken out while it is read: one that calls itself is not read again.
    let routine = steps.routines.remove(found);
    let given = arguments.parts().into_iter().zip(&routine.parameters).filter_map(|(argument, name)| {
        let literal = (argument.tokens.len() == 1 || argument.sign(1, b':')).then(|| argument.literal(0)).flatten();
        Some((name.clone()?, literal?))
    });
    let given: Vec<(String, String)> = given.collect();
    let around = (steps.guarded, steps.conditional, steps.in_block);
    steps.conditional |= words.has("from");
    if routine.sql {
        let source = Source::new(&routine.body, routine.line, Split::Statements);
        steps.in_block = false;
        super::statements(&source, steps);
    } else {
        steps.in_block = true;
        block::within(words, &routine.body, routine.line, given, steps);
    }
    (steps.guarded, steps.conditional, steps.in_block) = around;
    let at = found.min(steps.routines.len());
    steps.routines.insert(at, routine);
    true
}
