//! Text of SQL to tokens, for the dialects that are not PostgreSQL. Tolerant: any text has tokens.
//!
//! Comments are gone, except that what MySQL executes inside `/*! … */` is there as if written
//! plainly. Here too: what only a line decides (`DELIMITER`, `GO`, `/`, sqlplus' commands). Not here:
//! where a statement ends ([`super::lex_split`]) and what it means.

use super::Dialect;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or a bare name; placeholders (`${x}`, `{{x}}`, `$(x)`) are part of it.
    Word,
    /// A name in backticks or brackets.
    Quoted,
    /// `"…"`: a name, or in MySQL mostly a string. Its place decides.
    Double,
    /// `'…'`, with its prefix (`N'…'`, `q'[…]'`).
    Text,
    /// A number.
    Number,
    /// `@x`, `@@x`.
    Variable,
    /// Any other character.
    Mark(u8),
    /// `;` where that ends a statement, unless a block is open.
    Semicolon,
    /// What ends a statement whatever is open: a delimiter of one's own, `GO`, `/`.
    Stop,
    /// A client's command that takes the whole line.
    Line,
    /// A comment, string or quoted name that never ends.
    Broken,
}

/// A token with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// The line on which it begins, from 1.
    pub line: u32,
}

/// Every token of a text, in order.
pub fn tokens(text: &str, dialect: Dialect) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        dialect,
        at: 0,
        line: 1,
        delimiter: ";",
        executed: 0,
        tokens: Vec::new(),
    };
    while lexer.at < lexer.bytes.len() {
        lexer.step();
    }
    if lexer.executed > 0 {
        lexer.push(Kind::Broken, lexer.at);
    }
    lexer.tokens
}

/// sqlplus' commands that take a line, in upper case. `SET` is looked at apart.
const SQLPLUS: &[&str] = &[
    "ACCEPT",
    "APPEND",
    "BREAK",
    "BTITLE",
    "CLEAR",
    "COL",
    "COLUMN",
    "CONN",
    "CONNECT",
    "DEF",
    "DEFINE",
    "DISCONNECT",
    "EXIT",
    "HOST",
    "PAUSE",
    "PRINT",
    "PROMPT",
    "QUIT",
    "REM",
    "REMARK",
    "SHOW",
    "SPOOL",
    "START",
    "TIMING",
    "TTITLE",
    "UNDEF",
    "UNDEFINE",
    "VAR",
    "VARIABLE",
    "WHENEVER",
    "EXEC",
    "EXECUTE",
];

/// The longest placeholder, in bytes.
const PLACEHOLDER: usize = 200;

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    dialect: Dialect,
    at: usize,
    line: u32,
    delimiter: &'a str,
    /// How many executed comments are open.
    executed: u32,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at.saturating_add(ahead)).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Goes to a place, counting lines.
    fn go(&mut self, to: usize) {
        let to = to.min(self.bytes.len());
        let passed = self.bytes.get(self.at..to).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', passed).count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.at = to.max(self.at);
    }

    /// A token from here to there.
    fn push(&mut self, kind: Kind, end: usize) {
        let (start, line) = (self.at, self.line);
        self.go(end);
        self.tokens.push(Token { kind, start, end: self.at, line });
    }

    /// Whether a statement may begin here.
    fn fresh(&self) -> bool {
        self.tokens.last().is_none_or(|token| matches!(token.kind, Kind::Semicolon | Kind::Stop | Kind::Line))
    }

    /// Whether only blanks stand before this place on its line.
    fn line_start(&self) -> bool {
        let before = self.bytes.get(..self.at).unwrap_or_default();
        for byte in before.iter().rev() {
            match byte {
                b'\n' => return true,
                b' ' | b'\t' | b'\r' => {}
                _ => return false,
            }
        }
        true
    }

    /// Where this line ends.
    fn line_end(&self) -> usize {
        memchr::memchr(b'\n', self.rest()).map_or(self.bytes.len(), |length| self.at + length)
    }

    fn step(&mut self) {
        let byte = self.byte(0);
        if byte.is_ascii_whitespace() || byte == 0 || byte == 0x0b {
            return self.blanks();
        }
        if byte == 0xef && self.rest().starts_with("\u{feff}".as_bytes()) {
            return self.go(self.at + 3);
        }
        if byte == 0xc2 && self.byte(1) == 0xa0 {
            return self.go(self.at + 2);
        }
        if self.comment() || self.line_command() {
            return;
        }
        if self.rest().starts_with(self.delimiter.as_bytes()) {
            let kind = if self.delimiter == ";" { Kind::Semicolon } else { Kind::Stop };
            return self.push(kind, self.at + self.delimiter.len());
        }
        match byte {
            b'\'' => self.quoted(Kind::Text, b'\'', 0),
            b'"' => self.quoted(Kind::Double, b'"', 0),
            b'`' => self.quoted(Kind::Quoted, b'`', 0),
            b'[' if matches!(self.dialect, Dialect::MsSql | Dialect::Sqlite) => self.quoted(Kind::Quoted, b']', 0),
            b'@' => self.variable(),
            b'0'..=b'9' => self.number(),
            _ if self.prefixed_text() => {}
            _ => self.word(),
        }
    }

    fn blanks(&mut self) {
        let length = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace() || **byte == 0 || **byte == 0x0b)
            .count();
        self.go(self.at + length.max(1));
    }

    /// Passes a comment, or the marks of one that is executed.
    fn comment(&mut self) -> bool {
        let mysql = self.dialect == Dialect::MySql;
        match (self.byte(0), self.byte(1)) {
            // MySQL asks for a blank after `--`; without one it is two minus signs, which no
            // statement begins with.
            (b'-', b'-') if !mysql || self.byte(2) <= b' ' || self.line_start() => self.go(self.line_end()),
            (b'#', next) if mysql && next != b'{' => self.go(self.line_end()),
            (b'/', b'*') if mysql && self.executed_comment() => {}
            (b'/', b'*') => self.plain_comment(),
            (b'{', b'{') => return self.template_comment(),
            (b'*', b'/') if self.executed > 0 => {
                self.executed -= 1;
                self.go(self.at + 2);
            }
            _ => return false,
        }
        true
    }

    /// `/*!`, `/*!50100`, `/*M!100100`: what follows is read. A version that no server has is a
    /// comment after all.
    fn executed_comment(&mut self) -> bool {
        let mark = match (self.byte(2), self.byte(3)) {
            (b'!', _) => 3,
            (b'M', b'!') => 4,
            _ => return false,
        };
        let from = self.at + mark;
        let version: &[u8] = self.bytes.get(from..).unwrap_or_default();
        let digits = version.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 6 && version.starts_with(b"99") {
            return false;
        }
        self.go(from + digits);
        self.executed += 1;
        true
    }

    /// `{{/* … */}}` of Go's templates.
    fn template_comment(&mut self) -> bool {
        let inside = self.rest().get(2..).unwrap_or_default();
        let inside = inside.strip_prefix(b"-").unwrap_or(inside).trim_ascii_start();
        let end = inside.strip_prefix(b"/*").and_then(|_| memchr::memmem::find(self.rest(), b"}}"));
        if let Some(end) = end {
            self.go(self.at + end + 2);
        }
        end.is_some()
    }

    fn plain_comment(&mut self) {
        let nests = self.dialect == Dialect::MsSql;
        let mut depth = 0usize;
        let mut at = self.at;
        while let Some(found) = self.bytes.get(at..).and_then(|rest| memchr::memchr2(b'/', b'*', rest)) {
            at += found;
            match (self.bytes.get(at), self.bytes.get(at + 1)) {
                (Some(b'/'), Some(b'*')) if nests || depth == 0 => {
                    depth += 1;
                    at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth = depth.saturating_sub(1);
                    at += 2;
                    if depth == 0 {
                        return self.go(at);
                    }
                }
                _ => at += 1,
            }
        }
        self.push(Kind::Broken, self.bytes.len());
    }

    /// Commands of clients that a line ends. Some of them change how the rest is read.
    fn line_command(&mut self) -> bool {
        let fresh = self.fresh();
        let first = self.byte(0).to_ascii_uppercase();
        let possible = match self.dialect {
            Dialect::MySql => fresh && first == b'D',
            Dialect::MsSql => matches!(first, b'G' | b':'),
            Dialect::Oracle => first == b'/' || fresh,
            Dialect::Sqlite => fresh && first == b'.',
            Dialect::Postgres => false,
        };
        if !possible || !self.line_start() {
            return false;
        }
        let end = self.line_end();
        let line = self.text.get(self.at..end).unwrap_or_default();
        match self.dialect {
            Dialect::MySql => self.delimiter(line, end),
            Dialect::MsSql if first == b':' => self.sqlcmd(line, end),
            Dialect::MsSql => self.batch(line, end),
            Dialect::Oracle => self.sqlplus(line, end),
            _ => {
                self.push(Kind::Line, end);
                true
            }
        }
    }

    fn delimiter(&mut self, line: &'a str, end: usize) -> bool {
        let mut words = line.split_whitespace();
        if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("delimiter")) {
            return false;
        }
        let Some(delimiter) = words.next() else { return false };
        self.delimiter = delimiter;
        self.go(end);
        true
    }

    /// `GO`, perhaps with a count and a comment, alone on its line.
    fn batch(&mut self, line: &str, end: usize) -> bool {
        let code = line.split("--").next().unwrap_or_default();
        let mut words = code.split_whitespace();
        let go = words.next().is_some_and(|word| word.trim_end_matches(';').eq_ignore_ascii_case("go"));
        if !go || words.any(|word| word.bytes().any(|byte| !byte.is_ascii_digit() && byte != b';')) {
            return false;
        }
        self.push(Kind::Stop, end);
        true
    }

    /// sqlcmd's settings. `:r`, which runs another file, is left to be met as what nobody knows.
    fn sqlcmd(&mut self, line: &str, end: usize) -> bool {
        let word = line.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let setting = matches!(word.as_str(), ":setvar" | ":on" | ":out" | ":error" | ":perftrace" | ":xml");
        if setting {
            self.go(end);
        }
        setting
    }

    fn sqlplus(&mut self, line: &str, end: usize) -> bool {
        let line = line.trim_end();
        if line == "/" {
            self.push(Kind::Stop, end);
            return true;
        }
        if !self.fresh() {
            return false;
        }
        let mut words = line.split(|letter: char| letter.is_whitespace() || letter == ';');
        let first = words.next().unwrap_or_default().to_ascii_uppercase();
        let second = words.next().unwrap_or_default().to_ascii_uppercase();
        let command = SQLPLUS.contains(&first.as_str()) && !(first == "EXECUTE" && second == "IMMEDIATE")
            || line.starts_with(['@', '!'])
            || first == "SET" && !matches!(second.as_str(), "ROLE" | "TRANSACTION" | "CONSTRAINT" | "CONSTRAINTS");
        if command {
            self.push(Kind::Line, end);
        }
        command
    }

    /// A quoted thing whose opening mark stands `skip` bytes ahead.
    fn quoted(&mut self, kind: Kind, close: u8, skip: usize) {
        let escapes = self.dialect == Dialect::MySql && matches!(kind, Kind::Text | Kind::Double);
        let mut at = self.at + skip + 1;
        while let Some(found) = self.bytes.get(at..).and_then(|rest| memchr::memchr2(close, b'\\', rest)) {
            at += found;
            if self.bytes.get(at) == Some(&b'\\') {
                at += if escapes { 2 } else { 1 };
            } else if self.bytes.get(at + 1) == Some(&close) {
                at += 2;
            } else {
                return self.push(kind, at + 1);
            }
        }
        self.push(Kind::Broken, self.bytes.len());
    }

    /// `N'…'`, `X'…'`, `B'…'`, Oracle's `q'[…]'`.
    fn prefixed_text(&mut self) -> bool {
        let first = self.byte(0).to_ascii_lowercase();
        if matches!(first, b'n' | b'x' | b'b') && self.byte(1) == b'\'' {
            self.quoted(Kind::Text, b'\'', 1);
            return true;
        }
        let skip = match (first, self.byte(1).to_ascii_lowercase(), self.byte(2)) {
            (b'q', b'\'', _) => 1,
            (b'n', b'q', b'\'') => 2,
            _ => return false,
        };
        if self.dialect != Dialect::Oracle {
            return false;
        }
        let open = self.byte(skip + 1);
        let close = match open {
            b'[' => b']',
            b'(' => b')',
            b'{' => b'}',
            b'<' => b'>',
            other => other,
        };
        let from = self.at + skip + 2;
        let end = memchr::memmem::find(self.bytes.get(from..).unwrap_or_default(), &[close, b'\'']);
        match end {
            Some(length) => self.push(Kind::Text, from + length + 2),
            None => self.push(Kind::Broken, self.bytes.len()),
        }
        true
    }

    fn variable(&mut self) {
        let signs = self.rest().iter().take(2).take_while(|byte| **byte == b'@').count();
        let length = self
            .bytes
            .get(self.at + signs..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | b'#' | 0x80..))
            .count();
        self.push(Kind::Variable, self.at + signs + length);
    }

    fn number(&mut self) {
        let run = |from: usize| {
            let rest = self.bytes.get(from..).unwrap_or_default();
            rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')).count()
        };
        let length = run(self.at);
        let word = self.bytes.get(self.at..self.at + length).unwrap_or_default();
        let letters = word.iter().filter(|byte| !byte.is_ascii_digit()).count();
        let numeric = letters == 0
            || letters == 1 && word.iter().any(|byte| matches!(byte, b'e' | b'E'))
            || word.starts_with(b"0x");
        // MySQL lets a name begin with a digit.
        if !numeric && self.dialect == Dialect::MySql {
            return self.word();
        }
        let mut end = self.at + length;
        if letters == 0 && self.bytes.get(end) == Some(&b'.') {
            end += 1 + run(end + 1);
        }
        self.push(Kind::Number, end);
    }

    /// A word with the placeholders in it, or a single mark.
    fn word(&mut self) {
        let mut end = self.at;
        loop {
            let here = self.bytes.get(end).copied().unwrap_or(0);
            if self.delimiter != ";"
                && self.bytes.get(end..).is_some_and(|rest| rest.starts_with(self.delimiter.as_bytes()))
            {
                break;
            }
            if let Some(length) = self.placeholder(end) {
                end += length;
            } else if self.in_word(here) && !(here == 0xc2 && self.bytes.get(end + 1) == Some(&0xa0)) {
                end += 1;
            } else {
                break;
            }
        }
        if end > self.at {
            return self.push(Kind::Word, end);
        }
        let mark = self.byte(0);
        self.push(Kind::Mark(mark), self.at + 1);
    }

    fn in_word(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'$' | 0x80..)
            || byte == b'#' && matches!(self.dialect, Dialect::MsSql | Dialect::Oracle)
    }

    /// The length of a placeholder that begins there.
    fn placeholder(&self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        let rest = rest.get(..PLACEHOLDER.min(rest.len()))?;
        let close: &[u8] = match rest {
            [b'$' | b'#', b'{', ..] => b"}",
            [b'{', b'{', ..] => b"}}",
            [b'$', b'(', ..] if self.dialect == Dialect::MsSql => b")",
            [b'&', b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'&', ..] if self.dialect == Dialect::Oracle => {
                let signs = rest.iter().take_while(|byte| **byte == b'&').count();
                let name =
                    rest.iter().skip(signs).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
                return Some(signs + name.count());
            }
            _ => return None,
        };
        let end = memchr::memmem::find(rest, close)?;
        let inside = rest.get(..end)?;
        (!inside.contains(&b'\n')).then_some(end + close.len())
    }
}
