//! A block of PL/pgSQL cut into what it consists of, without a look at its statements.

use super::lex::Kind;
use super::source::Words;

/// What a block consists of. Ranges are of its tokens.
#[derive(Debug)]
pub(super) enum Event {
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
pub(super) enum Open {
    Begin,
    /// With its condition.
    If(std::ops::Range<usize>),
    Case,
    /// With what stands between its first word and LOOP.
    Loop(std::ops::Range<usize>),
}

/// The events of a block, and whether everything that was opened was closed.
pub(super) fn cut(words: Words<'_>) -> (Vec<Event>, bool) {
    let mut cutter = Cutter { words, at: 0, open: vec![], events: vec![] };
    let whole = cutter.cut();
    (cutter.events, whole)
}

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
            "loop" => self.push(Open::Loop(self.at..self.at), self.at + 1),
            "while" | "for" | "foreach" => {
                let Some(body) = self.find("loop") else { return false };
                self.push(Open::Loop(self.at..body), body + 1);
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
