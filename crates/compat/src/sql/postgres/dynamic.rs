//! EXECUTE in a block: a text that is put together when it runs, where it can be told.

use super::Steps;
use super::lex::{Kind, Split};
use super::source::{Source, Words};
use crate::operation::{Operation, Unread};

/// How deep brackets and calls may stand in what is executed.
const DEEPEST: usize = 20;

/// A name that stands for one that is not known.
const UNKNOWN: &str = "unknown__";

/// A text that is executed, as far as it can be told.
struct Told {
    text: String,
    /// Names and values stand in it for some that are not known.
    guessed: bool,
}

/// EXECUTE expression [INTO …] [USING …].
pub(super) fn execute(words: Words<'_>, steps: &mut Steps) {
    let expression = words.from(1);
    let end = end_of_expression(expression);
    let expression = expression.until(end);
    let told = Teller { constants: &steps.constants }.tell(expression, DEEPEST).filter(|_| steps.depth < DEEPEST);
    let Some(told) = told else { return steps.unread(words, Unread::Dynamic) };
    let first =
        expression.tokens.iter().find(|token| matches!(token.kind, Kind::Text | Kind::Dollar | Kind::EscapedText));
    let line = words.source.line(first.map_or(words.start(), |token| token.start));
    let source = Source::new(&told.text, line, Split::Statements);
    let before = steps.list.len();
    let in_block = std::mem::replace(&mut steps.in_block, false);
    steps.depth += 1;
    super::statements(&source, steps);
    steps.depth -= 1;
    steps.in_block = in_block;
    // A guess may stand only where it does not show: the role of a GRANT, the condition of a DELETE.
    let shows = |step: &crate::operation::Step| {
        matches!(step.operation, Operation::Unread(_)) || format!("{:?}", step.operation).contains(UNKNOWN)
    };
    let harmless = !steps.list.iter().skip(before).any(shows);
    if told.guessed && !harmless {
        steps.list.truncate(before);
        steps.unread(words, Unread::Dynamic);
    }
}

fn end_of_expression(words: Words<'_>) -> usize {
    let mut depth = 0_usize;
    for (at, token) in words.tokens.iter().enumerate() {
        match token.kind {
            Kind::Sign(b'(' | b'[') => depth += 1,
            Kind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && (words.is(at, "into") || words.is(at, "using")) => return at,
            _ => {}
        }
    }
    words.tokens.len()
}

/// The operands of `||`.
fn concatenated(words: Words<'_>) -> Vec<Words<'_>> {
    let mut parts = vec![];
    let (mut depth, mut first) = (0_usize, 0);
    for (at, token) in words.tokens.iter().enumerate() {
        match token.kind {
            Kind::Sign(b'(' | b'[') => depth += 1,
            Kind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
            Kind::Sign(b'|') if depth == 0 && words.sign(at + 1, b'|') => {
                parts.push(words.until(at).from(first));
                first = at + 2;
            }
            _ => {}
        }
    }
    parts.push(words.from(first));
    parts
}

fn quoted_name(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Tells what expressions amount to.
struct Teller<'a> {
    /// Variables that stand for a literal.
    constants: &'a [(String, String)],
}

impl Teller<'_> {
    /// What an expression amounts to: literals, `||`, `format(…)`, `quote_ident(…)`.
    fn tell(&self, words: Words<'_>, depth: usize) -> Option<Told> {
        if depth == 0 {
            return None;
        }
        let mut told = Told { text: String::new(), guessed: false };
        for part in concatenated(words) {
            let guess = || Told { text: UNKNOWN.to_owned(), guessed: true };
            let part = self.operand(part, depth).unwrap_or_else(guess);
            told.text.push_str(&part.text);
            told.guessed |= part.guessed;
        }
        Some(told)
    }

    fn operand(&self, words: Words<'_>, depth: usize) -> Option<Told> {
        let all = words.tokens.len();
        if words.sign(0, b'(') && words.after_brackets(0) == all {
            return self.tell(words.until(all - 1).from(1), depth - 1);
        }
        if let Some(text) = words.literal(0) {
            // 'text' and 'text'::regclass.
            return (all == 1 || words.sign(1, b':')).then_some(Told { text, guessed: false });
        }
        if all == 1 && words.kind(0) == Some(Kind::Number) {
            return Some(Told { text: words.text().to_owned(), guessed: false });
        }
        if all == 1
            && let Some(name) = words.ident(0)
        {
            let constant = self.constants.iter().rev().find(|(constant, _)| *constant == name.key)?;
            return Some(Told { text: constant.1.clone(), guessed: false });
        }
        let call = words.sign(1, b'(') && words.after_brackets(1) == all;
        let arguments = words.until(all.saturating_sub(1)).from(2);
        if call && words.is(0, "format") {
            return self.formatted(arguments, depth - 1);
        }
        if call && (words.is(0, "quote_ident") || words.is(0, "quote_literal")) {
            let name = words.is(0, "quote_ident");
            let inner = self.tell(arguments, depth - 1)?;
            let text = if name { quoted_name(&inner.text) } else { quoted_text(&inner.text) };
            return Some(Told { text, guessed: inner.guessed });
        }
        None
    }

    /// `format('… %I …', …)`.
    fn formatted(&self, arguments: Words<'_>, depth: usize) -> Option<Told> {
        let mut arguments = arguments.parts().into_iter();
        let pattern = self.tell(arguments.next()?, depth)?;
        let values: Vec<Option<Told>> = arguments.map(|argument| self.tell(argument, depth)).collect();
        let mut told = Told { text: String::new(), guessed: pattern.guessed };
        let mut next = 0;
        let mut rest = pattern.text.as_str();
        while let Some(at) = rest.find('%') {
            told.text.push_str(rest.get(..at)?);
            rest = rest.get(at + 1..)?;
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                next = rest.get(..digits)?.parse::<usize>().ok()?.checked_sub(1)?;
                rest = rest.get(digits..)?.strip_prefix('$')?;
            }
            let kind = rest.chars().next()?;
            rest = rest.get(kind.len_utf8()..)?;
            if kind == '%' {
                told.text.push('%');
                continue;
            }
            let value = values.get(next)?;
            next += 1;
            told.guessed |= value.as_ref().is_none_or(|value| value.guessed);
            told.text.push_str(&match (kind, value) {
                ('I', Some(value)) => quoted_name(&value.text),
                ('L', Some(value)) => quoted_text(&value.text),
                ('s', Some(value)) => value.text.clone(),
                ('L', None) => format!("'{UNKNOWN}'"),
                ('I' | 's', None) => UNKNOWN.to_owned(),
                _ => return None,
            });
        }
        told.text.push_str(rest);
        Some(told)
    }
}
