//! The text as tokens and statements, before any grammar.
//!
//! One pass finds the tokens, the ends of statements, and what is no SQL: psql's own lines, the data
//! of COPY, template placeholders. Those are masked by text of the same length, so that every offset
//! and every line stays true. Not here: what a statement means.

use super::mask::{self, Masked};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// `"name"`.
    Quoted,
    /// `U&"name"`.
    UnicodeName,
    /// `'text'`.
    Text,
    /// `E'text'`.
    EscapedText,
    /// `U&'text'`, `B'01'`, `X'0F'`, `N'text'`.
    OtherText,
    /// `$tag$text$tag$`.
    Dollar,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// One character of punctuation.
    Sign(u8),
    /// A line for psql itself, from its backslash on.
    Psql,
    /// The rest of the text after a quote or a comment that never ends.
    Unended,
}

/// A token's place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// A text's tokens, and which of them make a statement.
pub(super) struct Lexed<'a> {
    pub tokens: Vec<Token>,
    /// Ranges of `tokens`; the `;` is not among them.
    pub statements: Vec<std::ops::Range<usize>>,
    /// The text with placeholders masked.
    pub masked: Masked<'a>,
}

/// How the end of a statement is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    /// As in a file: `BEGIN ATOMIC … END` is one statement.
    Statements,
    /// At no `;`: the body of a block, whose reader splits it itself.
    No,
}

/// Tokens and statements of a text.
pub(super) fn lex(text: &str, split: Split) -> Lexed<'_> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        tokens: Vec::with_capacity(text.len() / 6),
        statements: vec![],
        first: 0,
        depth: 0,
        atomic: 0,
        split,
        masked: Masked::new(text),
    };
    lexer.run();
    Lexed { tokens: lexer.tokens, statements: lexer.statements, masked: lexer.masked }
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    tokens: Vec<Token>,
    statements: Vec<std::ops::Range<usize>>,
    /// The first token of the statement that is being read.
    first: usize,
    /// Open brackets.
    depth: usize,
    /// Open `BEGIN ATOMIC` and `CASE` of a routine's body.
    atomic: usize,
    split: Split,
    masked: Masked<'a>,
}

/// Whether a byte may begin a name.
fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// Whether a byte may stand within a name.
fn within_name(byte: u8) -> bool {
    begins_name(byte) || byte.is_ascii_digit() || byte == b'$'
}

impl Lexer<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn run(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.at += 1,
                0xEF if self.bytes.get(self.at..self.at + 3) == Some(b"\xEF\xBB\xBF") => {
                    // A byte order mark, also where files were joined.
                    self.masked.put(self.at, "   ");
                    self.at += 3;
                }
                b'-' if self.byte(1) == b'-' => self.line_end(),
                b'/' if self.byte(1) == b'*' => self.block_comment(),
                b';' => self.semicolon(),
                b'\\' => self.psql_line(),
                _ => self.token(byte),
            }
        }
        self.flush();
    }

    fn token(&mut self, byte: u8) {
        let start = self.at;
        let next = self.byte(1);
        let kind = match byte {
            b'\'' => self.text_until(b'\'', false),
            b'"' => self.name_until(Kind::Quoted),
            b'E' | b'e' if next == b'\'' => {
                self.at += 1;
                self.text_until(b'\'', true)
            }
            b'B' | b'b' | b'X' | b'x' | b'N' | b'n' if next == b'\'' => {
                self.at += 1;
                match self.text_until(b'\'', false) {
                    Kind::Text => Kind::OtherText,
                    other => other,
                }
            }
            b'U' | b'u' if next == b'&' && self.byte(2) == b'\'' => {
                self.at += 2;
                match self.text_until(b'\'', false) {
                    Kind::Text => Kind::OtherText,
                    other => other,
                }
            }
            b'U' | b'u' if next == b'&' && self.byte(2) == b'"' => {
                self.at += 2;
                self.name_until(Kind::UnicodeName)
            }
            b':' if next == b':' => {
                // The second one is taken with it so that it begins no variable.
                self.push(Kind::Sign(b':'), start, start + 1);
                self.push(Kind::Sign(b':'), start + 1, start + 2);
                self.at += 2;
                return;
            }
            b':' if next == b'\'' || next == b'"' => {
                // psql's :'variable' and :"variable".
                let quote = if next == b'\'' { "'_" } else { "\"_" };
                self.masked.put(self.at, quote);
                self.at += 1;
                if next == b'\'' { self.text_until(b'\'', false) } else { self.name_until(Kind::Quoted) }
            }
            b':' if begins_name(next) && !self.in_subscript() => {
                self.masked.put(self.at, "_");
                self.at += 1;
                self.word()
            }
            b'$' if next == b'{' && mask::placeholder(self.text, start).is_some() => self.word(),
            b'{' if next == b'{' && mask::placeholder(self.text, start).is_some() => self.word(),
            b'$' => self.dollar(),
            _ if begins_name(byte) => self.word(),
            b'0'..=b'9' => self.number(),
            b'.' if next.is_ascii_digit() => self.number(),
            _ => {
                match byte {
                    b'(' | b'[' => self.depth += 1,
                    b')' | b']' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                self.at += 1;
                Kind::Sign(byte)
            }
        };
        self.push(kind, start, self.at);
        if kind == Kind::Word && self.split == Split::Statements {
            self.follow_atomic(start);
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        self.tokens.push(Token { kind, start, end: end.min(self.bytes.len()) });
    }

    /// Whether the last signs before here opened a subscript (`a[1:n]`).
    fn in_subscript(&self) -> bool {
        self.tokens.iter().rev().take(8).any(|token| token.kind == Kind::Sign(b'['))
    }

    fn line_end(&mut self) {
        self.at = memchr::memchr(b'\n', &self.bytes[self.at..]).map_or(self.bytes.len(), |end| self.at + end);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            if self.byte(0) == b'/' && self.byte(1) == b'*' {
                depth += 1;
                self.at += 2;
            } else if self.byte(0) == b'*' && self.byte(1) == b'/' {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                let rest = &self.bytes[self.at + 1..];
                self.at = memchr::memchr2(b'/', b'*', rest).map_or(self.bytes.len(), |next| self.at + 1 + next);
            }
        }
        self.push(Kind::Unended, start, self.bytes.len());
    }

    fn text_until(&mut self, quote: u8, escapes: bool) -> Kind {
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let found = if escapes { memchr::memchr2(quote, b'\\', rest) } else { memchr::memchr(quote, rest) };
            let Some(found) = found else {
                self.at = self.bytes.len();
                return Kind::Unended;
            };
            if self.placeholder_within(found) {
                continue;
            }
            self.at += found;
            if self.byte(0) == b'\\' || self.byte(1) == quote {
                self.at += 2;
            } else {
                self.at += 1;
                return if escapes { Kind::EscapedText } else { Kind::Text };
            }
        }
    }

    /// Goes past a placeholder that has a quote of its own (`"{{ index .Options "Schema" }}"`): the
    /// quote found so far ahead is not the end.
    fn placeholder_within(&mut self, found: usize) -> bool {
        let before = self.bytes.get(self.at..self.at + found).unwrap_or_default();
        let Some(open) = memchr::memmem::rfind(before, b"{{") else { return false };
        let start = self.at + open;
        match mask::placeholder(self.text, start) {
            Some(end) if end > self.at + found => {
                self.masked.cover(start, end);
                self.at = end;
                true
            }
            _ => false,
        }
    }

    fn name_until(&mut self, kind: Kind) -> Kind {
        match self.text_until(b'"', false) {
            Kind::Unended => Kind::Unended,
            _ => kind,
        }
    }

    fn word(&mut self) -> Kind {
        loop {
            match self.byte(0) {
                b'$' | b'{' if self.byte(1) == b'{' => {
                    let Some(end) = mask::placeholder(self.text, self.at) else { break };
                    self.masked.cover(self.at, end);
                    self.at = end;
                }
                byte if within_name(byte) => self.at += 1,
                _ => break,
            }
        }
        Kind::Word
    }

    fn number(&mut self) -> Kind {
        while self.byte(0).is_ascii_alphanumeric()
            || matches!(self.byte(0), b'.' | b'_')
            || (matches!(self.byte(0), b'+' | b'-')
                && matches!(self.bytes.get(self.at.wrapping_sub(1)), Some(b'e' | b'E')))
        {
            self.at += 1;
        }
        Kind::Number
    }

    fn dollar(&mut self) -> Kind {
        let rest = &self.bytes[self.at + 1..];
        let tag = rest.iter().take_while(|byte| within_name(**byte) && **byte != b'$').count();
        if rest.get(tag) != Some(&b'$') || rest.first().is_some_and(u8::is_ascii_digit) {
            if rest.first().is_some_and(|byte| begins_name(*byte)) {
                // $name, a parameter of a template of queries.
                self.masked.put(self.at, "_");
                self.at += 1;
                return self.word();
            }
            self.at += 1 + rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            return if rest.first().is_some_and(u8::is_ascii_digit) { Kind::Parameter } else { Kind::Sign(b'$') };
        }
        let quote = &self.bytes[self.at..self.at + tag + 2];
        let body = self.at + quote.len();
        match memchr::memmem::find(&self.bytes[body..], quote) {
            Some(end) => {
                self.at = body + end + quote.len();
                Kind::Dollar
            }
            None => {
                self.at = self.bytes.len();
                Kind::Unended
            }
        }
    }

    /// Counts `BEGIN ATOMIC … END`, within which a `;` ends no statement.
    fn follow_atomic(&mut self, start: usize) {
        let word = &self.bytes[start..self.at];
        if self.atomic == 0 {
            let before = self.tokens.len().checked_sub(2).filter(|before| *before >= self.first);
            if word.eq_ignore_ascii_case(b"atomic")
                && before.is_some_and(|before| self.spells(before, b"begin"))
                && self.spells(self.first, b"create")
            {
                self.atomic = 1;
            }
        } else if word.eq_ignore_ascii_case(b"case") {
            self.atomic += 1;
        } else if word.eq_ignore_ascii_case(b"end") {
            self.atomic -= 1;
        }
    }

    fn spells(&self, token: usize, word: &[u8]) -> bool {
        self.tokens.get(token).is_some_and(|token| {
            token.kind == Kind::Word && self.bytes[token.start..token.end].eq_ignore_ascii_case(word)
        })
    }

    fn semicolon(&mut self) {
        let start = self.at;
        self.at += 1;
        if self.split == Split::No || self.atomic > 0 || (self.depth > 0 && !self.new_statement_follows()) {
            self.push(Kind::Sign(b';'), start, start + 1);
            return;
        }
        let copies = self.copies_from_input();
        self.flush();
        if copies {
            self.copy_data();
        }
    }

    /// Whether a bracket was forgotten rather than a rule's actions be listed.
    fn new_statement_follows(&self) -> bool {
        if !self.spells(self.first + 1, b"rule") && !self.spells(self.first + 3, b"rule") {
            return true;
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let rest = rest.trim_ascii_start();
        [&b"create"[..], b"alter", b"drop"]
            .iter()
            .any(|head| rest.get(..head.len()).is_some_and(|word| word.eq_ignore_ascii_case(head)))
    }

    /// `COPY … FROM stdin`: what follows is data.
    fn copies_from_input(&self) -> bool {
        self.spells(self.first, b"copy")
            && (self.first + 1..self.tokens.len())
                .any(|token| self.spells(token, b"stdin") && self.spells(token - 1, b"from"))
    }

    /// Goes past COPY's data, if its end is there.
    fn copy_data(&mut self) {
        let rest = &self.bytes[self.at..];
        let mut from = 0;
        while let Some(found) = memchr::memmem::find(&rest[from..], b"\n\\.") {
            let after = from + found + 3;
            if matches!(rest.get(after), None | Some(b'\n' | b'\r')) {
                self.at += after;
                return;
            }
            from = after;
        }
    }

    fn psql_line(&mut self) {
        if self.split == Split::No || !begins_psql(self.byte(1)) {
            let start = self.at;
            self.at += 1;
            self.push(Kind::Sign(b'\\'), start, self.at);
            return;
        }
        self.flush();
        let start = self.at;
        self.line_end();
        self.push(Kind::Psql, start, self.at);
        self.flush();
    }

    fn flush(&mut self) {
        if self.tokens.len() > self.first {
            self.statements.push(self.first..self.tokens.len());
        }
        self.first = self.tokens.len();
        self.depth = 0;
        self.atomic = 0;
    }
}

/// Whether a byte after a backslash makes it one of psql's commands.
fn begins_psql(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'!' | b'?' | b'.')
}
