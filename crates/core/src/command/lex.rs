//! From text to words and flags.
//!
//! Made for people who type into a telephone: smart quotes quote, a long dash in front of a word
//! is two short ones, and every kind of space is one.

use std::iter::Peekable;
use std::str::Chars;

use super::problem::Problem;

/// A piece of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word.
    Word {
        /// Without its quotes.
        text: String,
        /// Whether it had quotes.
        quoted: bool,
    },
    /// Begins with a dash.
    Flag {
        /// Without the dashes, lower-cased.
        name: String,
        /// What follows `=`.
        value: Option<(String, Quoted)>,
    },
}

/// Whether a text had quotes.
pub(super) type Quoted = bool;

/// The pieces of `text`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut lexer = Lexer { rest: text.chars().peekable(), at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    /// How many characters were read.
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.at += 1;
        Some(c)
    }

    fn token(&mut self) -> Result<Option<Token>, Problem> {
        while self.rest.next_if(|c| is_space(*c)).is_some() {
            self.at += 1;
        }
        let Some(&first) = self.rest.peek() else { return Ok(None) };
        if let Some(pair) = Pair::opened_by(first) {
            return Ok(Some(Token::Word { text: self.quoted(pair)?, quoted: true }));
        }
        if is_dash(first) {
            return self.flag().map(Some);
        }
        Ok(Some(Token::Word { text: self.bare(|_| false), quoted: false }))
    }

    fn flag(&mut self) -> Result<Token, Problem> {
        while self.rest.next_if(|c| is_dash(*c)).is_some() {
            self.at += 1;
        }
        let name = self.bare(|c| c == '=').to_lowercase();
        if self.rest.next_if_eq(&'=').is_none() {
            return Ok(Token::Flag { name, value: None });
        }
        self.at += 1;
        let pair = self.rest.peek().and_then(|c| Pair::opened_by(*c));
        let value = match pair {
            Some(pair) => (self.quoted(pair)?, true),
            None => (self.bare(|_| false), false),
        };
        Ok(Token::Flag { name, value: Some(value) })
    }

    /// Up to the next space. Quotes within a word are part of it: `don't`.
    fn bare(&mut self, ends: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(c) = self.rest.next_if(|c| !is_space(*c) && !ends(*c)) {
            self.at += 1;
            text.push(c);
        }
        text
    }

    fn quoted(&mut self, pair: Pair) -> Result<String, Problem> {
        let at = self.at + 1;
        let quote = self.next().unwrap_or_default();
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape(&mut text),
                c if !pair.closed_by(c) => text.push(c),
                _ if self.ends_here(pair) => return Ok(text),
                // 'don't touch' is how people write it.
                c if pair.is_apostrophe() => text.push(c),
                _ => return Err(Problem::QuoteStuck { at: self.at + 1 }),
            }
        }
        Err(Problem::QuoteOpen { quote, at })
    }

    /// Whether nothing follows a closing quote but the end of a sentence, which is passed over.
    fn ends_here(&mut self, pair: Pair) -> bool {
        let mut ahead = self.rest.clone();
        // Behind an apostrophe punctuation is more likely a part of what is quoted.
        let passed = if pair.is_apostrophe() {
            0
        } else {
            ahead.by_ref().take_while(|c| *c == '`' || ends_sentence(*c)).count()
        };
        let ends = self.rest.clone().nth(passed).is_none_or(is_space);
        if ends {
            (0..passed).for_each(|_| _ = self.next());
        }
        ends
    }

    /// After a backslash. One that escapes nothing stands for itself: `C:\dir`.
    fn escape(&mut self, text: &mut String) {
        let Some(&c) = self.rest.peek() else {
            text.push('\\');
            return;
        };
        let meant = match c {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '\\' | '$' | '`' => c,
            c if Pair::opened_by(c).is_some() => c,
            'u' => return self.escape_unicode(text),
            _ => {
                text.push('\\');
                return;
            }
        };
        self.next();
        text.push(meant);
    }

    /// `u{…}`; anything else that begins like it stands for itself.
    fn escape_unicode(&mut self, text: &mut String) {
        const DIGITS_MAX: usize = 6;
        let mut ahead = self.rest.clone().skip(1);
        let digits: Option<String> = (ahead.next() == Some('{'))
            .then(|| ahead.by_ref().take(DIGITS_MAX + 1).take_while(|c| *c != '}').collect());
        let meant = digits
            .filter(|digits| digits.len() <= DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| Some((digits.len(), char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?)));
        let closed = meant.filter(|(len, _)| self.rest.clone().nth(2 + len) == Some('}'));
        match closed {
            Some((len, c)) => {
                (0..len + 3).for_each(|_| _ = self.next());
                text.push(c);
            }
            None => text.push('\\'),
        }
    }
}

/// Quotes that belong together. Smart ones come in every order: “en”, „pl”, „de“.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pair {
    Double,
    Single,
    SmartDouble,
    SmartSingle,
}

impl Pair {
    fn opened_by(c: char) -> Option<Self> {
        Some(match c {
            '"' => Self::Double,
            '\'' => Self::Single,
            '“' | '”' | '„' | '‟' => Self::SmartDouble,
            '‘' | '’' | '‚' | '‛' => Self::SmartSingle,
            _ => return None,
        })
    }

    fn closed_by(self, c: char) -> bool {
        Self::opened_by(c) == Some(self)
    }

    fn is_apostrophe(self) -> bool {
        matches!(self, Self::Single | Self::SmartSingle)
    }
}

/// Chat clients paste spaces of no width and marks of direction, too.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Whether it ends what people write, and no name.
fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '…')
}

/// A name as it is meant where somebody copied it out of a sentence: without the marks of code around
/// it and what ends the sentence.
pub(super) fn bare_name(word: &str) -> &str {
    word.trim_start_matches('`').trim_end_matches(|c| c == '`' || ends_sentence(c))
}

/// Telephones make one long dash of two short ones.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '–' | '—')
}
