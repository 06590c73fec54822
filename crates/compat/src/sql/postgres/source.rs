//! A text with its lines, and the words of a statement.
//!
//! Names are read here, in one place. Not here: grammar.

use super::lex::{Kind, Lexed, Split, Token, lex};
use crate::operation::{Ident, Name};

/// A text that is read: a file, the body of a block, a literal that is executed.
pub(super) struct Source<'a> {
    pub text: &'a str,
    pub lexed: Lexed<'a>,
    /// Where its lines end.
    ends: Vec<usize>,
    /// The line on which it begins, in the file.
    first_line: u32,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, first_line: u32, split: Split) -> Self {
        let lexed = lex(text, split);
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        Self { text, lexed, ends, first_line }
    }

    /// The line of an offset.
    pub(super) fn line(&self, offset: usize) -> u32 {
        let before = self.ends.partition_point(|end| *end < offset);
        self.first_line.saturating_add(u32::try_from(before).unwrap_or(u32::MAX))
    }

    /// The words of some tokens.
    pub(super) fn words(&self, tokens: std::ops::Range<usize>) -> Words<'_> {
        Words { source: self, tokens: self.lexed.tokens.get(tokens).unwrap_or_default() }
    }
}

/// Tokens of one statement, or of a part of it.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub source: &'a Source<'a>,
    pub tokens: &'a [Token],
}

impl<'a> Words<'a> {
    /// Where they begin in the text.
    pub(super) fn start(self) -> usize {
        self.tokens.first().map_or(0, |token| token.start)
    }

    /// Where they end in the text.
    pub(super) fn end(self) -> usize {
        self.tokens.last().map_or(0, |token| token.end)
    }

    /// The text as it is written.
    pub(super) fn text(self) -> &'a str {
        self.source.text.get(self.start()..self.end()).unwrap_or_default()
    }

    /// The text of one token.
    pub(super) fn token(self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| self.source.text.get(token.start..token.end).unwrap_or_default())
    }

    /// The kind of one token.
    pub(super) fn kind(self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// Whether the token there is this keyword.
    pub(super) fn is(self, at: usize, keyword: &str) -> bool {
        self.kind(at) == Some(Kind::Word) && self.token(at).eq_ignore_ascii_case(keyword)
    }

    /// Whether the tokens from there on are these keywords.
    pub(super) fn are(self, at: usize, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(ahead, keyword)| self.is(at + ahead, keyword))
    }

    /// Whether the token there is this sign.
    pub(super) fn sign(self, at: usize, sign: u8) -> bool {
        self.kind(at) == Some(Kind::Sign(sign))
    }

    /// Whether any token is this keyword.
    pub(super) fn has(self, keyword: &str) -> bool {
        (0..self.tokens.len()).any(|at| self.is(at, keyword))
    }

    /// Whether the last token is this keyword.
    pub(super) fn ends_with(self, keyword: &str) -> bool {
        self.tokens.len().checked_sub(1).is_some_and(|last| self.is(last, keyword))
    }

    /// From this token on.
    pub(super) fn from(self, at: usize) -> Self {
        Self { tokens: self.tokens.get(at..).unwrap_or_default(), ..self }
    }

    /// Up to this token.
    pub(super) fn until(self, at: usize) -> Self {
        Self { tokens: self.tokens.get(..at).unwrap_or(self.tokens), ..self }
    }

    /// Those within a range of the text.
    pub(super) fn within(self, start: usize, end: usize) -> Self {
        let first = self.tokens.partition_point(|token| token.start < start);
        let last = self.tokens.partition_point(|token| token.start < end);
        Self { tokens: self.tokens.get(first..last).unwrap_or_default(), ..self }
    }

    /// The first words, for people: at most so many.
    pub(super) fn head(self, words: usize) -> String {
        let mut head = String::new();
        for at in 0..words.min(self.tokens.len()) {
            if self.kind(at) != Some(Kind::Word) {
                break;
            }
            if !head.is_empty() {
                head.push(' ');
            }
            head.extend(self.token(at).chars().take(40).flat_map(char::to_uppercase));
        }
        head
    }

    /// The name of one token; `None` where it is none.
    pub(super) fn ident(self, at: usize) -> Option<Ident> {
        let token = *self.tokens.get(at)?;
        let text = self.token(at);
        Some(match token.kind {
            Kind::Word if self.is_masked(token) => around_placeholders(text, true),
            Kind::Quoted if self.is_masked(token) => {
                around_placeholders(text.get(1..text.len().checked_sub(1)?)?, false)
            }
            Kind::Word => Ident::folded(text),
            Kind::Quoted => Ident::exact(unquoted(text)?),
            Kind::UnicodeName => Ident::exact(unescaped(&unquoted(text.get(2..)?)?)?),
            _ => return None,
        })
    }

    fn is_masked(self, token: Token) -> bool {
        self.source.lexed.masked.covers(token.start, token.end)
    }

    /// The name that begins there, and the token after it. The database is left out.
    pub(super) fn name(self, at: usize) -> Option<(Name, usize)> {
        let mut last = self.ident(at)?;
        let mut schema = None;
        let mut next = at + 1;
        while self.sign(next, b'.') {
            let Some(part) = self.ident(next + 1) else { break };
            schema = Some(last);
            last = part;
            next += 2;
        }
        Some((Name { schema, name: last }, next))
    }

    /// Names separated by commas, each with its own tokens, and the token after them.
    pub(super) fn names(self, mut at: usize) -> (Vec<(Name, Words<'a>)>, usize) {
        let mut names = vec![];
        loop {
            if self.is(at, "only") && !self.sign(at + 1, b'.') {
                at += 1;
            }
            let Some((name, mut next)) = self.name(at) else { break };
            names.push((name, self.until(next).from(at)));
            if self.sign(next, b'(') {
                next = self.after_brackets(next);
            }
            if self.sign(next, b'*') {
                next += 1;
            }
            at = next;
            if !self.sign(next, b',') {
                break;
            }
            at += 1;
        }
        (names, at)
    }

    /// The token after the bracket that closes the one there.
    pub(super) fn after_brackets(self, at: usize) -> usize {
        let mut depth = 0_usize;
        for (ahead, token) in self.tokens.iter().enumerate().skip(at) {
            match token.kind {
                Kind::Sign(b'(' | b'[') => depth += 1,
                Kind::Sign(b')' | b']') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return ahead + 1;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// The parts between commas that stand in no brackets.
    pub(super) fn parts(self) -> Vec<Words<'a>> {
        let mut parts = vec![];
        let (mut depth, mut first) = (0_usize, 0);
        for (at, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Sign(b'(' | b'[') => depth += 1,
                Kind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                Kind::Sign(b',') if depth == 0 => {
                    parts.push(self.until(at).from(first));
                    first = at + 1;
                }
                _ => {}
            }
        }
        parts.push(self.from(first));
        parts
    }

    /// What a text literal says; `None` where the token is none, or is escaped in a way not read.
    pub(super) fn literal(self, at: usize) -> Option<String> {
        let text = self.token(at);
        match self.kind(at)? {
            Kind::Text => Some(text.get(1..text.len().checked_sub(1)?)?.replace("''", "'")),
            Kind::EscapedText => escaped(text.get(2..text.len().checked_sub(1)?)?),
            Kind::Dollar => Some(dollar_body(text)?.1.to_owned()),
            _ => None,
        }
    }
}

/// A name with placeholders in it. The same placeholder is the same name however it is spaced; what
/// stands around it is folded as a name without quotes is.
fn around_placeholders(text: &str, fold: bool) -> Ident {
    let written: String = text.split_whitespace().collect();
    let mut key = String::with_capacity(written.len());
    let mut open = false;
    for letter in written.chars() {
        open = (open || letter == '{') && letter != '}';
        if fold && !open { key.extend(letter.to_lowercase()) } else { key.push(letter) }
    }
    Ident { key, written }
}

/// The tag's length and the text of a dollar-quoted literal.
pub(super) fn dollar_body(text: &str) -> Option<(usize, &str)> {
    let tag = text.get(1..)?.find('$')? + 2;
    Some((tag, text.get(tag..text.len().checked_sub(tag)?)?))
}

fn unquoted(text: &str) -> Option<String> {
    Some(text.get(1..text.len().checked_sub(1)?)?.replace("\"\"", "\""))
}

/// `\0041` and `\+000041` of a U&"" name.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('\\');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = match part.strip_prefix('+') {
            Some(long) => (long.get(..6)?, long.get(6..)?),
            None => (part.get(..4)?, part.get(4..)?),
        };
        name.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        name.push_str(rest);
    }
    Some(name)
}

/// What an E'' literal says; octal and hexadecimal escapes are not read.
fn escaped(text: &str) -> Option<String> {
    let mut said = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\'' => {
                rest.next();
                said.push('\'');
            }
            '\\' => said.push(match rest.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                '0'..='7' | 'x' | 'u' | 'U' => return None,
                other => other,
            }),
            other => said.push(other),
        }
    }
    Some(said)
}
