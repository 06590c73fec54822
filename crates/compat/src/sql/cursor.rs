//! A place in a statement's tokens, and what readers ask of it.
//!
//! A cursor is a value: a copy of it is a way back. Not here: anything that knows a statement.

use std::cell::{Cell, RefCell};

use super::Dialect;
use super::lex::{Kind, Token};
use crate::migration::Limits;
use crate::operation::{Ident, Name, Operation, Step, Unread, one_line};

/// What a reading comes to: what was read, or why it could not be.
pub type Read<T> = Result<T, Unread>;

/// A text that is being read, and the steps so far.
pub struct Source<'a> {
    /// The text.
    pub text: &'a str,
    /// Whose SQL it is.
    pub dialect: Dialect,
    /// What bounds it.
    pub limits: Limits,
    /// The line of the text's first line in its file, from 0: of SQL within SQL.
    pub line_offset: u32,
    /// How deep it is in SQL within SQL.
    pub level: usize,
    /// How many bytes of SQL within SQL were read so far.
    pub spent: Cell<usize>,
    steps: RefCell<Vec<Step>>,
}

impl<'a> Source<'a> {
    /// A text of which nothing is read yet.
    pub fn new(text: &'a str, dialect: Dialect, limits: Limits) -> Self {
        Self { text, dialect, limits, line_offset: 0, level: 0, spent: Cell::new(0), steps: RefCell::default() }
    }

    /// Everything that was read.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps.into_inner()
    }

    /// Keeps a step.
    pub fn keep(&self, step: Step) {
        self.steps.borrow_mut().push(step);
    }

    /// How many steps there are.
    pub fn count(&self) -> usize {
        self.steps.borrow().len()
    }

    /// Changes the steps from a place on.
    pub fn since(&self, from: usize, change: impl FnMut(&mut Step)) {
        self.steps.borrow_mut().iter_mut().skip(from).for_each(change);
    }
}

/// A place in tokens.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    /// The text and its steps.
    pub source: &'a Source<'a>,
    tokens: &'a [Token],
    at: usize,
    /// The line where it has no tokens: of what it is an empty part of.
    empty: u32,
}

impl<'a> Cursor<'a> {
    /// Before the first of these tokens.
    pub fn new(source: &'a Source<'a>, tokens: &'a [Token]) -> Self {
        Self { source, tokens, at: 0, empty: 1 }
    }

    /// The dialect.
    pub fn dialect(&self) -> Dialect {
        self.source.dialect
    }

    /// Whether it is MySQL.
    pub fn mysql(&self) -> bool {
        self.source.dialect == Dialect::MySql
    }

    /// The token that is so many ahead.
    pub fn ahead(&self, count: usize) -> Option<&'a Token> {
        self.tokens.get(self.at.saturating_add(count))
    }

    /// The next token's kind.
    pub fn kind(&self) -> Option<Kind> {
        self.ahead(0).map(|token| token.kind)
    }

    /// Whether nothing is left.
    pub fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// How many tokens were passed.
    pub fn at(&self) -> usize {
        self.at
    }

    /// How many tokens are left.
    pub fn left(&self) -> usize {
        self.tokens.len().saturating_sub(self.at)
    }

    /// Passes tokens.
    pub fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.tokens.len());
    }

    /// The text of a token.
    pub fn text(&self, token: &Token) -> &'a str {
        self.source.text.get(token.start..token.end).unwrap_or_default()
    }

    /// The token so many ahead as a bare word.
    pub fn word(&self, count: usize) -> Option<&'a str> {
        self.ahead(count).filter(|token| token.kind == Kind::Word).map(|token| self.text(token))
    }

    /// Whether the word so many ahead is this.
    pub fn word_is(&self, count: usize, word: &str) -> bool {
        self.word(count).is_some_and(|found| found.eq_ignore_ascii_case(word))
    }

    /// Whether the next words are these.
    pub fn is(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(count, word)| self.word_is(count, word))
    }

    /// Whether the next word is one of these.
    pub fn is_any(&self, words: &[&str]) -> bool {
        self.word(0).is_some_and(|found| words.iter().any(|word| found.eq_ignore_ascii_case(word)))
    }

    /// Whether the word so many ahead is one of these.
    pub fn is_any_after(&self, count: usize, words: &[&str]) -> bool {
        self.word(count).is_some_and(|found| words.iter().any(|word| found.eq_ignore_ascii_case(word)))
    }

    /// Passes these words if they are next, all or none.
    pub fn eat(&mut self, words: &[&str]) -> bool {
        let found = self.is(words);
        if found {
            self.skip(words.len());
        }
        found
    }

    /// Passes the next word if it is one of these.
    pub fn eat_any(&mut self, words: &[&str]) -> bool {
        let found = self.is_any(words);
        if found {
            self.skip(1);
        }
        found
    }

    /// Whether the next token is this mark.
    pub fn is_mark(&self, mark: u8) -> bool {
        self.kind() == Some(Kind::Mark(mark))
    }

    /// Passes this mark if it is next.
    pub fn eat_mark(&mut self, mark: u8) -> bool {
        let found = self.is_mark(mark);
        if found {
            self.skip(1);
        }
        found
    }

    /// Passes `IF NOT EXISTS`.
    pub fn if_not_exists(&mut self) -> bool {
        self.eat(&["IF", "NOT", "EXISTS"])
    }

    /// Passes `IF EXISTS`.
    pub fn if_exists(&mut self) -> bool {
        self.eat(&["IF", "EXISTS"])
    }

    /// A name part without its quotes.
    fn part(&self, count: usize) -> Option<String> {
        let token = self.ahead(count)?;
        let text = self.text(token);
        Some(match token.kind {
            Kind::Word => text.to_owned(),
            Kind::Quoted | Kind::Double => unquoted(text),
            Kind::Text if self.source.dialect == Dialect::Sqlite => unquoted(text),
            _ => return None,
        })
    }

    /// A name without a schema.
    pub fn ident(&mut self) -> Read<Ident> {
        let part = self.part(0).ok_or_else(|| self.surprise("a name"))?;
        self.skip(1);
        Ok(Ident::folded(part))
    }

    /// A name, perhaps with a schema before it.
    pub fn name(&mut self) -> Read<Name> {
        let mut parts = vec![self.ident()?];
        while self.is_mark(b'.') {
            self.skip(1);
            if self.is_mark(b'.') {
                continue;
            }
            parts.push(self.ident()?);
        }
        let name = parts.pop().ok_or_else(|| self.surprise("a name"))?;
        let default = match self.source.dialect {
            Dialect::MsSql => "dbo",
            Dialect::Sqlite => "main",
            _ => "",
        };
        Ok(Name { schema: parts.pop().filter(|schema| schema.key != default), name })
    }

    /// What is in the brackets that begin here; passes them.
    pub fn group(&mut self) -> Read<Cursor<'a>> {
        if !self.is_mark(b'(') {
            return Err(self.surprise("a bracket"));
        }
        let start = self.at + 1;
        let mut depth = 0usize;
        for (at, token) in self.tokens.iter().enumerate().skip(self.at) {
            match token.kind {
                Kind::Mark(b'(') => depth += 1,
                Kind::Mark(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                self.at = at + 1;
                return Ok(self.piece(self.tokens.get(start..at).unwrap_or_default()));
            }
        }
        Err(Unread::Syntax { words: "a bracket is not closed".to_owned() })
    }

    /// Passes one token, or the brackets that begin here.
    pub fn pass(&mut self) {
        if !self.is_mark(b'(') || self.group().is_err() {
            self.skip(1);
        }
    }

    /// What is left, divided at its commas outside brackets.
    pub fn commas(&self) -> Vec<Cursor<'a>> {
        let rest = self.rest();
        let mut parts = Vec::new();
        let (mut depth, mut start) = (0usize, 0usize);
        for (at, token) in rest.iter().enumerate() {
            match token.kind {
                Kind::Mark(b'(') => depth += 1,
                Kind::Mark(b')') => depth = depth.saturating_sub(1),
                Kind::Mark(b',') if depth == 0 => {
                    parts.push(rest.get(start..at).unwrap_or_default());
                    start = at + 1;
                }
                _ => {}
            }
        }
        parts.push(rest.get(start..).unwrap_or_default());
        parts.into_iter().map(|tokens| self.piece(tokens)).collect()
    }

    /// Some of its tokens, as a cursor of their own.
    fn piece(&self, tokens: &'a [Token]) -> Self {
        Self { tokens, at: 0, empty: self.tokens.first().map_or(self.empty, |token| token.line), ..*self }
    }

    /// The tokens that are left.
    pub fn rest(&self) -> &'a [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// So many of the tokens that are left, as a cursor of their own.
    pub fn take(&self, count: usize) -> Cursor<'a> {
        let rest = self.rest();
        self.piece(rest.get(..count.min(rest.len())).unwrap_or_default())
    }

    /// The text from one place (a count of passed tokens) to here.
    pub fn since(&self, from: usize) -> &'a str {
        self.slice(self.tokens.get(from..self.at).unwrap_or_default())
    }

    /// The text of what is left.
    pub fn rest_text(&self) -> &'a str {
        self.slice(self.rest())
    }

    fn slice(&self, tokens: &[Token]) -> &'a str {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => self.source.text.get(first.start..last.end).unwrap_or_default(),
            _ => "",
        }
    }

    /// Whether a word stands outside brackets in what is left, and how far ahead.
    pub fn find(&self, words: &[&str]) -> Option<usize> {
        let mut depth = 0usize;
        for (at, token) in self.rest().iter().enumerate() {
            match token.kind {
                Kind::Mark(b'(') => depth += 1,
                Kind::Mark(b')') => depth = depth.saturating_sub(1),
                Kind::Word if depth == 0 => {
                    let text = self.text(token);
                    if words.iter().any(|word| text.eq_ignore_ascii_case(word)) {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The string that is next, as it is meant; passes it.
    pub fn literal(&mut self) -> Option<String> {
        let token = self.ahead(0)?;
        let literal = match token.kind {
            Kind::Text => string(self.text(token), self.source.dialect),
            Kind::Double if self.mysql() => string(self.text(token), self.source.dialect),
            _ => return None,
        };
        self.skip(1);
        Some(literal)
    }

    /// The line of the next token, or of the last if none is left.
    pub fn line(&self) -> u32 {
        let token = self.ahead(0).or_else(|| self.tokens.last());
        token.map_or(self.empty, |token| token.line).saturating_add(self.source.line_offset)
    }

    /// Why this could not be read.
    pub fn surprise(&self, wanted: &str) -> Unread {
        let met = self.ahead(0).map_or_else(
            || "the statement's end".to_owned(),
            |token| format!("`{}`", one_line(&self.text(token).chars().take(60).collect::<String>())),
        );
        Unread::Syntax { words: format!("{wanted} was expected, {met} is there") }
    }

    /// A statement or an action that begins like none that is known.
    pub fn unknown(&self) -> Unread {
        let words: Vec<&str> = self.rest().iter().take(4).map(|token| self.text(token)).collect();
        Unread::UnknownStatement { head: one_line(&words.join(" ")) }
    }

    /// Keeps a step whose words are all of this cursor's, from its first.
    pub fn step(&self, operation: Operation) -> StepMaker<'a> {
        let whole = Self { at: 0, ..*self };
        let text = whole.rest_text();
        let body = operation.keeps_text().then(|| super::body::fold(text, self.source.dialect));
        StepMaker { step: Step { body, ..Step::new(operation, whole.line(), head(text)) }, source: self.source }
    }

    /// Keeps a plain step.
    pub fn keep(&self, operation: Operation) {
        self.step(operation).keep();
    }
}

/// As much of a text as a step can hold.
fn head(text: &str) -> &str {
    match text.char_indices().nth(4_000) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// A step on its way.
pub struct StepMaker<'a> {
    step: Step,
    source: &'a Source<'a>,
}

impl StepMaker<'_> {
    /// It may do nothing.
    pub fn guarded(mut self, guarded: bool) -> Self {
        self.step.guarded |= guarded;
        self
    }

    /// Keeps it.
    pub fn keep(self) {
        self.source.keep(self.step);
    }
}

/// A quoted name without its quotes.
pub fn unquoted(text: &str) -> String {
    let mut letters = text.chars();
    let Some(open) = letters.next() else { return String::new() };
    let close = if open == '[' { ']' } else { open };
    let inside = letters.as_str();
    let inside = inside.strip_suffix(close).unwrap_or(inside);
    inside.replace(&format!("{close}{close}"), &close.to_string())
}

/// What a string's text means.
pub fn string(text: &str, dialect: Dialect) -> String {
    let Some(open) = text.find(['\'', '"']) else { return text.to_owned() };
    let prefix = text.get(..open).unwrap_or_default();
    let inside = text.get(open + 1..).unwrap_or_default();
    if prefix.to_ascii_lowercase().ends_with('q') {
        let mut letters = inside.chars();
        letters.next();
        letters.next_back();
        letters.next_back();
        return letters.as_str().to_owned();
    }
    let quote = if text.get(open..).is_some_and(|rest| rest.starts_with('"')) { '"' } else { '\'' };
    let inside = inside.strip_suffix(quote).unwrap_or(inside);
    let mut meant = String::with_capacity(inside.len());
    let mut letters = inside.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == quote && letters.peek() == Some(&quote) {
            letters.next();
            meant.push(quote);
        } else if letter == '\\' && dialect == Dialect::MySql {
            match letters.next() {
                Some('n') => meant.push('\n'),
                Some('t') => meant.push('\t'),
                Some('r') => meant.push('\r'),
                Some(other) => meant.push(other),
                None => {}
            }
        } else {
            meant.push(letter);
        }
    }
    meant
}
