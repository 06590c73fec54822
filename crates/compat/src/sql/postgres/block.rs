//! DO blocks: the statements that a block of PL/pgSQL executes.
//!
//! A block is cut into events first, because whether a statement is certain to run shows only where
//! its block ends. Not here: PL/pgSQL's own statements, which change no schema.

use super::cut::{Event, Open, cut};
use super::lex::{Kind, Split};
use super::source::{Source, Words, dollar_body};
use super::{Steps, dynamic, query, statement};
use crate::operation::{Operation, Unread};

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
        Some((_, text)) => within(words, text, line, vec![], steps),
        None => match words.literal(body) {
            Some(text) => within(words, &text, line, vec![], steps),
            None => steps.unread(words, Unread::Dynamic),
        },
    }
    (steps.guarded, steps.conditional, steps.in_block) = around;
    if steps.list.len() == before {
        steps.neutral(words, "DO");
    }
}

/// The statements of a block's text. Some variables are given a literal from outside.
pub(super) fn within(words: Words<'_>, text: &str, line: u32, given: Vec<(String, String)>, steps: &mut Steps) {
    if steps.depth >= DEEPEST {
        let unread = Unread::Limit { limit: "texts within texts".to_owned(), allowed: DEEPEST as u64 };
        return steps.unread(words, unread);
    }
    steps.depth += 1;
    let source = Source::new(text, line, Split::No);
    let tokens = source.words(0..source.lexed.tokens.len());
    let (events, whole) = cut(tokens);
    let mut known: Vec<_> = given.into_iter().filter(|(name, _)| !set_again(tokens, name)).collect();
    known.extend(constants(tokens));
    let constants = std::mem::replace(&mut steps.constants, known);
    let run = Run { words: tokens, events: &events, moods: moods(tokens, &events), ends: ends(&events) };
    let around = Mood { guarded: steps.guarded, conditional: steps.conditional };
    run.part(0..events.len(), around, steps);
    (steps.guarded, steps.conditional) = (around.guarded, around.conditional);
    steps.constants = constants;
    if !whole {
        steps.unread(words, Unread::Syntax { words: "a block whose parts do not match".to_owned() });
    }
    steps.depth -= 1;
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

/// How often the body of a loop over literals is read, all in all.
const ROUNDS: usize = 200;

/// A block that is read.
struct Run<'a> {
    words: Words<'a>,
    events: &'a [Event],
    /// The mood within each thing that is opened, at its event's place.
    moods: Vec<Mood>,
    /// Where each thing that is opened ends, at its event's place.
    ends: Vec<usize>,
}

impl Run<'_> {
    fn words(&self, range: &std::ops::Range<usize>) -> Words<'_> {
        self.words.until(range.end).from(range.start)
    }

    /// Reads the statements among some events, each in the mood of what stands around it.
    fn part(&self, range: std::ops::Range<usize>, around: Mood, steps: &mut Steps) {
        let mut open: Vec<Mood> = vec![around];
        let mut left_early = Mood::default();
        let mut at = range.start;
        while let Some(event) = self.events.get(at).filter(|_| at < range.end) {
            let mood = open.last().copied().unwrap_or(around);
            match event {
                Event::Open(what) => {
                    let end = self.ends.get(at).copied().unwrap_or(range.end).min(range.end);
                    let head = if let Open::Loop(head) = what { Some(self.words(head)) } else { None };
                    if let Some((name, values)) = head.and_then(literal_loop)
                        && steps.rounds + values.len() <= ROUNDS
                    {
                        steps.rounds += values.len();
                        for value in values {
                            steps.constants.push((name.clone(), value));
                            self.part(at + 1..end, mood.and(left_early), steps);
                            steps.constants.pop();
                        }
                        at = end + 1;
                        continue;
                    }
                    open.push(mood.and(self.moods.get(at).copied().unwrap_or(CONDITIONAL)));
                }
                Event::Branch | Event::Handler(_) => {
                    if let Some(last) = open.last_mut() {
                        last.conditional = true;
                    }
                }
                Event::End => {
                    open.pop();
                }
                Event::Statement(range) => {
                    let statement = self.words(range);
                    if ["return", "exit", "continue"].iter().any(|it| statement.is(0, it)) {
                        // What comes after it runs only where this did not.
                        let unless = if statement.has("when") { CONDITIONAL } else { Mood::default() };
                        left_early = left_early.and(mood).and(unless);
                    }
                    let mood = mood.and(left_early);
                    (steps.guarded, steps.conditional) = (mood.guarded, mood.conditional);
                    one_statement(statement, steps);
                }
            }
            at += 1;
        }
    }
}

/// Where each thing that is opened ends.
fn ends(events: &[Event]) -> Vec<usize> {
    let mut ends = vec![events.len(); events.len()];
    let mut open = vec![];
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Open(_) => open.push(at),
            Event::End => {
                if let Some(end) = open.pop().and_then(|opened: usize| ends.get_mut(opened)) {
                    *end = at;
                }
            }
            _ => {}
        }
    }
    ends
}

/// `FOREACH name IN ARRAY ARRAY['a', 'b']`: the name, and what it stands for.
fn literal_loop(head: Words<'_>) -> Option<(String, Vec<String>)> {
    let list = head.is(0, "foreach") && head.are(2, &["in", "array", "array"]) && head.sign(5, b'[');
    let close = head.after_brackets(5).saturating_sub(1);
    let rest = head.from(close + 1);
    if !list || !(rest.tokens.is_empty() || rest.sign(0, b':')) {
        return None;
    }
    let values: Option<Vec<String>> = head
        .until(close)
        .from(6)
        .parts()
        .into_iter()
        .map(|part| (part.tokens.len() == 1).then(|| part.literal(0)).flatten())
        .collect();
    Some((head.ident(1)?.key, values?))
}

/// The variables that stand for a literal from DECLARE to the end.
fn constants(words: Words<'_>) -> Vec<(String, String)> {
    let mut constants = vec![];
    if !words.is(0, "declare") {
        return constants;
    }
    let mut at = 1;
    while at < words.tokens.len() && !words.is(at, "begin") {
        let end = (at..words.tokens.len()).find(|it| words.sign(*it, b';')).unwrap_or(words.tokens.len());
        let declared = words.until(end).from(at);
        let value = (1..declared.tokens.len())
            .find(|it| declared.is(*it, "default") || (declared.sign(*it, b':') && declared.sign(it + 1, b'=')));
        let literal = value.and_then(|it| {
            let value = declared.from(if declared.is(it, "default") { it + 1 } else { it + 2 });
            (value.tokens.len() == 1).then(|| value.literal(0)).flatten()
        });
        if let (Some(name), Some(literal)) = (declared.ident(0), literal)
            && constants.len() < 50
            && !set_again(words.from(end), &name.key)
        {
            constants.push((name.key, literal));
        }
        at = end + 1;
    }
    constants
}

/// Whether a variable gets another value: `name :=`, `INTO … name`, `FOR name IN`.
fn set_again(words: Words<'_>, name: &str) -> bool {
    (0..words.tokens.len()).any(|at| {
        words.ident(at).is_some_and(|it| it.key == name)
            && (words.sign(at + 1, b':') && words.sign(at + 2, b'=')
                || words.sign(at + 1, b'=')
                || words.is(at + 1, "in")
                || (1..12).any(|back| words.is(at.wrapping_sub(back), "into")))
    })
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
                    Open::If(_) | Open::Case | Open::Loop(_) => CONDITIONAL,
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
        "perform" => calls_if_noticed(words, steps),
        "select" => calls_if_noticed(words, steps),
        "with" => statement::read_without(words, &into_variables(words), steps),
        "insert" | "update" | "delete" | "merge" => {
            // RETURNING … INTO fills variables.
            let returning = (0..words.tokens.len()).find(|at| words.is(*at, "returning"));
            let into = returning.and_then(|from| (from..words.tokens.len()).find(|at| words.is(*at, "into")));
            read_one(words.until(into.unwrap_or(words.tokens.len())), steps);
        }
        _ => match assigned(words) {
            Some(value) => calls_if_noticed(value, steps),
            None => read_one(words, steps),
        },
    }
}

/// Where `WITH … SELECT … INTO a, b FROM …` names its variables.
fn into_variables(words: Words<'_>) -> Vec<(usize, usize)> {
    const AFTER: &[&str] = &["from", "where", "group", "order", "limit", "returning"];
    let mut depth = 0_usize;
    for (at, token) in words.tokens.iter().enumerate() {
        match token.kind {
            Kind::Sign(b'(') => depth += 1,
            Kind::Sign(b')') => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && words.is(at, "into") => {
                let before = at.wrapping_sub(1);
                if words.is(before, "insert") || words.is(before, "merge") {
                    continue;
                }
                let rest = words.from(at);
                let end = (1..rest.tokens.len()).find(|it| AFTER.iter().any(|word| rest.is(*it, word)));
                let list = rest.until(end.unwrap_or(rest.tokens.len()));
                return vec![(list.start(), list.end())];
            }
            _ => {}
        }
    }
    vec![]
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
fn calls_if_noticed(words: Words<'_>, steps: &mut Steps) {
    let before = steps.list.len();
    query::calls(words, steps);
    let added = steps.list.get(before..).unwrap_or_default();
    if matches!(added, [step] if matches!(step.operation, Operation::Neutral { .. })) {
        steps.list.truncate(before);
    }
}
