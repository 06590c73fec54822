//! DO blocks: the statements that a block of PL/pgSQL executes.
//!
//! A block is cut into events first, because whether a statement is certain to run shows only where
//! its block ends. Not here: PL/pgSQL's own statements, which change no schema, and the bodies of
//! routines, which do not run when they are made.

use super::lex::{Kind, Split};
use super::source::{Source, Words, dollar_body};
use super::{Steps, dynamic, query, statement};
use crate::operation::Unread;

/// How deep texts may be within texts: a block that executes a block.
const DEEPEST: usize = 8;

/// DO.
pub(super) fn read(words: Words<'_>, steps: &mut Steps) {
    let language = (1..words.tokens.len()).find(|at| words.is(*at, "language")).map(|at| at + 1);
    let plpgsql = language.is_none_or(|at| {
        words.is(at, "plpgsql") || words.literal(at).is_some_and(|name| name.eq_ignore_ascii_case("plpgsql"))
    });
    let body = (1..words.tokens.len()).find(|at| {
        Some(*at) != language && matches!(words.kind(*at), Some(Kind::Text | Kind::EscapedText | Kind::Dollar))
    });
    let Some(body) = body.filter(|_| plpgsql) else {
        return steps.unread(words, Unread::Code { what: words.head(3) });
    };
    let start = words.tokens.get(body).map_or(0, |token| token.start);
    let line = words.source.line(start);
    let before = steps.list.len();
    let around = (steps.guarded, steps.conditional, steps.in_block);
    steps.in_block = true;
    match dollar_body(words.token(body)).filter(|_| words.kind(body) == Some(Kind::Dollar)) {
        Some((_, text)) => within(words, text, line, steps),
        None => match words.literal(body) {
            Some(text) => within(words, &text, line, steps),
            None => steps.unread(words, Unread::Dynamic),
        },
    }
    (steps.guarded, steps.conditional, steps.in_block) = around;
    if steps.list.len() == before {
        steps.neutral(words, "DO");
    }
}

/// The statements of a block's text.
fn within(words: Words<'_>, text: &str, line: u32, steps: &mut Steps) {
    if steps.depth >= DEEPEST {
        let unread = Unread::Limit { limit: "texts within texts".to_owned(), allowed: DEEPEST as u64 };
        return steps.unread(words, unread);
    }
    steps.depth += 1;
    let source = Source::new(text, line, Split::No);
    let tokens = source.words(0..source.lexed.tokens.len());
    let mut cutter = Cutter { words: tokens, at: 0, open: vec![], events: vec![] };
    let whole = cutter.cut();
    let events = cutter.events;
    run(tokens, &events, steps);
    if !whole {
        steps.unread(words, Unread::Syntax { words: "a block whose parts do not match".to_owned() });
    }
    steps.depth -= 1;
}

/// What a block consists of. Ranges are of its tokens.
#[derive(Debug)]
enum Event {
    /// BEGIN, IF, CASE, LOOP.
    Open(Open),
    /// ELSE, ELSIF, another WHEN.
    Branch,
    /// An exception's WHEN.
    Handler(std::ops::Range<usize>),
    Statement(std::ops::Range<usize>),
    /// END of the innermost.
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Open {
    Begin,
    /// With its condition.
    If(std::ops::Range<usize>),
    Case,
    Loop,
}

/// Cuts a block into events.
struct Cutter<'a> {
    words: Words<'a>,
    at: usize,
    open: Vec<Open>,
    events: Vec<Event>,
}

impl Cutter<'_> {
    /// Whether everything that was opened was closed.
    fn cut(&mut self) -> bool {
        while self.at < self.words.tokens.len() {
            if !self.one() {
                return false;
            }
        }
        self.open.is_empty() && self.events.iter().any(|event| matches!(event, Event::Open(_)))
    }

    fn one(&mut self) -> bool {
        let words = self.words;
        if words.kind(self.at) == Some(Kind::Unended) {
            return false;
        }
        if words.sign(self.at, b';') {
            self.at += 1;
            return true;
        }
        if words.sign(self.at, b'<') && words.sign(self.at + 1, b'<') {
            self.at += 5;
            return true;
        }
        match words.token(self.at).to_ascii_lowercase().as_str() {
            "declare" => return self.declarations(),
            "begin" => self.push(Open::Begin, self.at + 1),
            "if" => {
                let Some(then) = self.find("then") else { return false };
                self.push(Open::If(self.at + 1..then), then + 1);
            }
            "elsif" | "elseif" => {
                let Some(then) = self.find("then") else { return false };
                self.events.push(Event::Branch);
                self.at = then + 1;
            }
            "else" => {
                self.events.push(Event::Branch);
                self.at += 1;
            }
            "exception" if words.is(self.at + 1, "when") => self.at += 1,
            "when" => {
                let Some(then) = self.find("then") else { return false };
                let handler = self.open.last() == Some(&Open::Begin);
                let event = if handler { Event::Handler(self.at + 1..then) } else { Event::Branch };
                self.events.push(event);
                self.at = then + 1;
            }
            "case" => {
                let Some(when) = self.find_from(self.at + 1, "when") else { return false };
                self.push(Open::Case, when);
            }
            "loop" => self.push(Open::Loop, self.at + 1),
            "while" | "for" | "foreach" => {
                let Some(body) = self.find("loop") else { return false };
                self.push(Open::Loop, body + 1);
            }
            "end" => {
                self.events.push(Event::End);
                self.at = self.end_of_statement();
                return self.open.pop().is_some();
            }
            _ => {
                let end = self.end_of_statement();
                self.events.push(Event::Statement(self.at..end));
                self.at = end;
            }
        }
        true
    }

    fn push(&mut self, open: Open, next: usize) {
        self.open.push(open.clone());
        self.events.push(Event::Open(open));
        self.at = next;
    }

    /// Goes past DECLARE's variables to BEGIN.
    fn declarations(&mut self) -> bool {
        self.at += 1;
        while self.at < self.words.tokens.len() {
            if self.words.is(self.at, "begin") {
                return true;
            }
            self.at = (self.end_of_statement() + 1).max(self.at + 1);
        }
        false
    }

    /// The `;` that ends what begins here, or the end of all.
    fn end_of_statement(&self) -> usize {
        let mut depth = 0_usize;
        for (at, token) in self.words.tokens.iter().enumerate().skip(self.at) {
            match token.kind {
                Kind::Sign(b'(' | b'[') => depth += 1,
                Kind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                Kind::Sign(b';') if depth == 0 => return at,
                _ => {}
            }
        }
        self.words.tokens.len()
    }

    /// Where a keyword of PL/pgSQL stands that ends the condition which begins here.
    fn find(&self, keyword: &str) -> Option<usize> {
        self.find_from(self.at, keyword)
    }

    fn find_from(&self, from: usize, keyword: &str) -> Option<usize> {
        let (mut depth, mut cases) = (0_usize, 0_usize);
        for (at, token) in self.words.tokens.iter().enumerate().skip(from) {
            match token.kind {
                Kind::Sign(b'(' | b'[') => depth += 1,
                Kind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                Kind::Sign(b';') if depth == 0 => return None,
                Kind::Word if depth == 0 => {
                    if cases == 0 && self.words.is(at, keyword) {
                        return Some(at);
                    }
                    if self.words.is(at, "case") {
                        cases += 1;
                    } else if self.words.is(at, "end") {
                        cases = cases.saturating_sub(1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether what stands in a part of a block is certain to run.
#[derive(Debug, Clone, Copy, Default)]
struct Mood {
    guarded: bool,
    conditional: bool,
}

impl Mood {
    fn and(self, other: Self) -> Self {
        Self { guarded: self.guarded || other.guarded, conditional: self.conditional || other.conditional }
    }
}

const CONDITIONAL: Mood = Mood { guarded: false, conditional: true };
const GUARDED: Mood = Mood { guarded: true, conditional: false };

/// Reads the statements of a block, each in the mood of what stands around it.
fn run(words: Words<'_>, events: &[Event], steps: &mut Steps) {
    let moods = moods(words, events);
    let around = Mood { guarded: steps.guarded, conditional: steps.conditional };
    let mut open: Vec<Mood> = vec![around];
    let mut left_early = Mood::default();
    for (at, event) in events.iter().enumerate() {
        let mood = open.last().copied().unwrap_or(around);
        match event {
            Event::Open(_) => open.push(mood.and(moods.get(at).copied().unwrap_or(CONDITIONAL))),
            Event::Branch | Event::Handler(_) => {
                if let Some(last) = open.last_mut() {
                    last.conditional = true;
                }
            }
            Event::End => {
                open.pop();
            }
            Event::Statement(range) => {
                let statement = words.until(range.end).from(range.start);
                if ["return", "exit", "continue"].iter().any(|it| statement.is(0, it)) {
                    // What comes after it runs only where this did not.
                    left_early = left_early.and(mood);
                }
                let mood = mood.and(left_early);
                (steps.guarded, steps.conditional) = (mood.guarded, mood.conditional);
                one_statement(statement, steps);
            }
        }
    }
    (steps.guarded, steps.conditional) = (around.guarded, around.conditional);
}

/// The mood within each thing that is opened, at its event's place.
fn moods(words: Words<'_>, events: &[Event]) -> Vec<Mood> {
    let mut moods = vec![Mood::default(); events.len()];
    let mut open: Vec<usize> = vec![];
    for (at, event) in events.iter().enumerate() {
        let innermost = open.last().copied();
        match event {
            Event::Open(what) => {
                moods[at] = match what {
                    Open::Begin => Mood::default(),
                    Open::If(condition) if asks_catalogue(words.until(condition.end).from(condition.start)) => {
                        GUARDED
                    }
                    Open::If(_) | Open::Case | Open::Loop => CONDITIONAL,
                };
                open.push(at);
            }
            Event::Branch => {
                if let Some(mood) = innermost.and_then(|open| moods.get_mut(open)) {
                    *mood = CONDITIONAL;
                }
            }
            Event::Handler(conditions) => {
                let there = already_so(words.until(conditions.end).from(conditions.start));
                if let Some(mood) = innermost.and_then(|open| moods.get_mut(open)) {
                    *mood = mood.and(if there { GUARDED } else { CONDITIONAL });
                }
            }
            Event::End => {
                open.pop();
            }
            Event::Statement(_) => {}
        }
    }
    moods
}

/// Whether an exception is caught that says: it is there already, or it is gone already.
fn already_so(conditions: Words<'_>) -> bool {
    (0..conditions.tokens.len()).all(|at| {
        let word = conditions.token(at).to_ascii_lowercase();
        word == "or"
            || word.starts_with("duplicate_")
            || word.starts_with("undefined_")
            || word == "invalid_schema_name"
    })
}

/// Whether a condition asks the catalogue only whether something is there: IF NOT EXISTS by hand.
fn asks_catalogue(condition: Words<'_>) -> bool {
    const TABLES: &[&str] = &[
        "pg_attribute",
        "pg_class",
        "pg_constraint",
        "pg_enum",
        "pg_index",
        "pg_indexes",
        "pg_namespace",
        "pg_policies",
        "pg_policy",
        "pg_proc",
        "pg_publication_tables",
        "pg_sequences",
        "pg_tables",
        "pg_trigger",
        "pg_type",
        "pg_views",
        "pg_matviews",
        "pg_attrdef",
        "pg_catalog",
        "information_schema",
    ];
    let mut asked = false;
    for at in 0..condition.tokens.len() {
        let from = condition.is(at, "from") || condition.is(at, "join");
        if from && !condition.sign(at + 1, b'(') {
            if !TABLES.iter().any(|table| condition.is(at + 1, table)) {
                return false;
            }
            asked = true;
        }
        asked |= condition.is(at, "to_regclass") || condition.is(at, "to_regtype");
    }
    asked
}

/// A statement of a block: PL/pgSQL's own, or SQL.
fn one_statement(words: Words<'_>, steps: &mut Steps) {
    match words.token(0).to_ascii_lowercase().as_str() {
        "raise" | "return" | "null" | "exit" | "continue" | "get" | "open" | "fetch" | "move" | "close"
        | "assert" | "commit" | "rollback" => {}
        "execute" => dynamic::execute(words, steps),
        "perform" => calls_if_noticed(words.from(1), words, steps),
        "select" => calls_if_noticed(words, words, steps),
        "insert" | "update" | "delete" | "merge" | "with" => {
            // RETURNING … INTO fills variables.
            let returning = (0..words.tokens.len()).find(|at| words.is(*at, "returning"));
            let into = returning.and_then(|from| (from..words.tokens.len()).find(|at| words.is(*at, "into")));
            read_one(words.until(into.unwrap_or(words.tokens.len())), steps);
        }
        _ => match assigned(words) {
            Some(value) => calls_if_noticed(value, words, steps),
            None => read_one(words, steps),
        },
    }
}

fn read_one(words: Words<'_>, steps: &mut Steps) {
    if !steps.may_read_one_more() {
        let allowed = steps.limits.statements as u64;
        return steps.unread(words, Unread::Limit { limit: "statements of one file".to_owned(), allowed });
    }
    statement::read(words, steps);
}

/// What is assigned, where a statement is an assignment: `a.b[1] := …`.
fn assigned(words: Words<'_>) -> Option<Words<'_>> {
    words.ident(0)?;
    let mut at = 1;
    while words.sign(at, b'.') || words.sign(at, b'[') {
        at = if words.sign(at, b'[') { words.after_brackets(at) } else { at + 2 };
    }
    if words.sign(at, b':') && words.sign(at + 1, b'=') {
        return Some(words.from(at + 2));
    }
    words.sign(at, b'=').then(|| words.from(at + 1))
}

/// A query that calls something unknown; one that does not is no step of its own.
fn calls_if_noticed(words: Words<'_>, shown: Words<'_>, steps: &mut Steps) {
    let before = steps.list.len();
    query::calls(words, steps);
    let neutral =
        |step: &crate::operation::Step| matches!(step.operation, crate::operation::Operation::Neutral { .. });
    if steps.list.last().is_some_and(neutral) {
        steps.list.truncate(before);
    } else if let Some(step) = steps.list.last_mut() {
        step.text = crate::operation::one_line(shown.text());
    }
}
