//! PostgreSQL, and what speaks it.
//!
//! `lex` finds tokens and statements and masks what is no SQL, `parse` (with `sound`) is the only door
//! to squawk-syntax, `source` reads names; one file per family of statements says what each does; `block`
//! reads what a DO block executes. Nothing of squawk's types leaves this directory.

mod alter;
mod block;
mod called;
mod cockroach;
mod column;
mod create;
mod cut;
mod drop;
mod dynamic;
mod lex;
mod mask;
mod names;
mod others;
mod parse;
mod query;
mod routine;
mod sound;
mod source;
mod statement;
mod table;
#[cfg(test)]
mod tests;
mod types;
mod view;

use std::borrow::Cow;

use super::undone;
use crate::migration::Limits;
use crate::operation::{Operation, Step, Unread, one_line};

use lex::Split;
use source::{Source, Words};

/// The words of a text, and `;` behind each statement.
pub fn words(text: &str) -> Vec<&str> {
    let lexed = lex::lex(text, Split::Statements);
    let mut words = vec![];
    for statement in &lexed.statements {
        let tokens = lexed.tokens.get(statement.clone()).unwrap_or_default();
        words.extend(tokens.iter().filter_map(|token| text.get(token.start..token.end)));
        words.push(";");
    }
    words
}

/// What a text does, statement by statement.
pub fn read(text: &str, limits: Limits) -> Vec<Step> {
    let mut steps = Steps {
        list: vec![],
        limits,
        left: limits.statements,
        depth: 0,
        guarded: false,
        conditional: false,
        in_block: false,
        constants: vec![],
        rounds: 0,
        routines: vec![],
        calls: 0,
        schema: None,
    };
    if text.len() as u64 > limits.file_bytes {
        let unread = Unread::Limit { limit: "bytes of one file".to_owned(), allowed: limits.file_bytes };
        return vec![Step::new(Operation::Unread(unread), 1, "")];
    }
    statements(&Source::new(&with_line_ends(text), 1, Split::Statements), &mut steps);
    undone::rolled_back(&mut steps.list);
    undone::put_back(&mut steps.list);
    steps.list
}

/// The text with every carriage return that stands alone as a line end: PostgreSQL's scanner ends a `--`
/// comment there, and what follows it runs.
fn with_line_ends(text: &str) -> Cow<'_, str> {
    let alone = |at: usize| text.as_bytes().get(at + 1) != Some(&b'\n');
    if !memchr::memchr_iter(b'\r', text.as_bytes()).any(alone) {
        return Cow::Borrowed(text);
    }
    let ends = text.char_indices().map(|(at, c)| if c == '\r' && alone(at) { '\n' } else { c });
    Cow::Owned(ends.collect())
}

/// The statements of a text, one after the other.
fn statements(source: &Source<'_>, steps: &mut Steps) {
    for range in &source.lexed.statements {
        let words = source.words(range.clone());
        if !steps.may_read_one_more() {
            let allowed = steps.limits.statements as u64;
            steps.unread(words, Unread::Limit { limit: "statements of one file".to_owned(), allowed });
            return;
        }
        let before = steps.list.len();
        statement::read(words, steps);
        if steps.list.len() == before {
            steps.unread(words, Unread::UnknownStatement { head: words.head(3) });
        }
    }
}

/// The steps so far, and what holds for those to come.
struct Steps {
    list: Vec<Step>,
    limits: Limits,
    /// How many statements may still be read.
    left: usize,
    /// How many texts within texts are open.
    depth: usize,
    /// A handler or a question to the catalogue stands around: it may do nothing.
    guarded: bool,
    /// A condition that the text does not decide stands around.
    conditional: bool,
    /// In a DO block, where `SELECT … INTO` fills a variable.
    in_block: bool,
    /// Variables of a block that stand for a literal, the innermost last.
    constants: Vec<(String, String)>,
    /// How often bodies of loops over literals were read.
    rounds: usize,
    /// Routines that the text made so far.
    routines: Vec<called::Routine>,
    /// How often one of them was called.
    calls: usize,
    /// The schema of names that have none, where `SET search_path` said it.
    schema: Option<crate::operation::Ident>,
}

/// The longest part of a statement that is looked at for its text, in bytes.
const TEXT_BYTES: usize = 2_000;

impl Steps {
    fn may_read_one_more(&mut self) -> bool {
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }

    /// An operation whose own words are these.
    fn add(&mut self, words: Words<'_>, operation: Operation) {
        self.add_guarded(words, operation, false);
    }

    /// The same, where the statement itself may say IF EXISTS.
    fn add_guarded(&mut self, words: Words<'_>, mut operation: Operation, guarded: bool) {
        names::settle(&mut operation, self.schema.as_ref());
        let text = words.text();
        let mut end = text.len().min(TEXT_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let deferrable = matches!(operation, Operation::CreateTable { .. }) && words.has("deferrable");
        let body =
            (deferrable || operation.keeps_text()).then(|| super::body::fold(text, super::Dialect::Postgres));
        self.list.push(Step {
            operation,
            line: words.source.line(words.start()),
            text: one_line(text.get(..end).unwrap_or_default()),
            guarded: guarded || self.guarded,
            conditional: self.conditional,
            body,
        });
    }

    fn unread(&mut self, words: Words<'_>, why: Unread) {
        self.add(words, Operation::Unread(why));
    }

    fn neutral(&mut self, words: Words<'_>, what: &str) {
        self.add(words, Operation::Neutral { what: what.to_owned() });
    }

    fn review(&mut self, words: Words<'_>, what: &str, table: Option<crate::operation::Name>) {
        self.add(words, Operation::Review { what: what.to_owned(), table });
    }
}
