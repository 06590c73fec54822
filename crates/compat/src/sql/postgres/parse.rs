//! The only door to squawk-syntax.
//!
//! A statement is looked at before it is handed over: its parser goes down the call stack with every
//! bracket and prefix, so what nests too deep is refused here. Not here: what a statement means.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxNode};

use super::lex::Kind;
use super::sound;
use super::source::Words;
use crate::migration::Limits;
use crate::operation::Unread;

/// A statement that was parsed.
pub(super) struct Parsed {
    pub node: SyntaxNode,
    /// Where the parsed text begins in the source.
    pub offset: usize,
}

impl Parsed {
    /// The words of a part of it.
    pub(super) fn words<'a>(&self, of: Words<'a>, node: &SyntaxNode) -> Words<'a> {
        let range = node.text_range();
        of.within(self.offset + usize::from(range.start()), self.offset + usize::from(range.end()))
    }
}

/// How many operators may stand in one expression: the tree becomes as deep as there are.
const OPERATORS: usize = 1_500;

/// Parses one statement. What stands at the places of `without` is left out.
pub(super) fn parse(words: Words<'_>, without: &[(usize, usize)], limits: Limits) -> Result<Parsed, Unread> {
    if let Some(unended) = words.tokens.iter().find(|token| token.kind == Kind::Unended) {
        let opened = words.source.text.get(unended.start..).unwrap_or_default();
        let opened: String = opened.chars().take(12).collect();
        return Err(Unread::Syntax { words: format!("what begins with {opened} never ends") });
    }
    within_limits(words, limits)?;
    let mut text = quiet(words);
    for (start, end) in without {
        let (from, to) = (start.saturating_sub(words.start()), end.saturating_sub(words.start()));
        if from < to && text.is_char_boundary(from) && text.is_char_boundary(to) {
            text.replace_range(from..to, &" ".repeat(to - from));
        }
    }
    // Its grammar asserts what it expects of itself; a failed assertion is its error, not our crash.
    let Ok(parsed) = std::panic::catch_unwind(|| grammar(&text, words)) else {
        return Err(Unread::Syntax { words: "the parser gave up".to_owned() });
    };
    let file = match parsed {
        Grammar::Sound(file) => {
            debug_assert!(is_sound(&text, &file), "the grammar finds a fault in {text:?}");
            file
        }
        Grammar::Looked(file) => file,
        Grammar::Wrong(error) => return Err(Unread::Syntax { words: said(&error) }),
    };
    let mut statements = file.children().filter(|node| ast::Stmt::can_cast(node.kind()));
    match (statements.next(), statements.next()) {
        (Some(node), None) => Ok(Parsed { node, offset: words.start() }),
        (None, _) => Err(Unread::UnknownStatement { head: words.head(3) }),
        (Some(_), Some(_)) => Err(Unread::Syntax { words: "a semicolon is missing".to_owned() }),
    }
}

/// What the grammar says of a text.
enum Grammar {
    /// Nothing is wrong, as was told without its second look.
    Sound(SyntaxNode),
    /// It found nothing wrong.
    Looked(SyntaxNode),
    /// The first error.
    Wrong(String),
}

fn grammar(text: &str, words: Words<'_>) -> Grammar {
    // Of these it is known beforehand that they are looked at.
    let routine = words.is(0, "do")
        || words.is(0, "create")
            && ["or", "function", "procedure", "aggregate"].iter().any(|word| words.is(1, word));
    if !routine && let Some(file) = sound::tree(text) {
        return Grammar::Sound(file);
    }
    let parse = SourceFile::parse(text);
    match parse.errors().first() {
        Some(error) => Grammar::Wrong(error.message().to_owned()),
        None => Grammar::Looked(parse.syntax_node()),
    }
}

/// Whether the grammar itself finds no fault in a text and makes the same tree of it.
fn is_sound(text: &str, file: &SyntaxNode) -> bool {
    let parse = SourceFile::parse(text);
    parse.errors().is_empty() && parse.syntax_node().green() == file.green()
}

/// The statement's text, with the bodies of routines blanked: they are not read, an error in one is not an error
/// here, and the grammar parses one in SQL however deep it nests. It finds a routine also behind words that it does not
/// know, so the first word alone does not tell.
fn quiet(words: Words<'_>) -> String {
    let start = words.start();
    let mut text = words.source.lexed.masked.part(start, words.end()).into_owned();
    if !words.tokens.iter().any(|token| is_text(token.kind)) {
        return text;
    }
    let block = words.is(0, "do");
    let routine = block || words.has("function") || words.has("procedure");
    for (at, token) in words.tokens.iter().enumerate() {
        // A text may go on in the next one.
        let beside = |at: usize| words.kind(at).is_some_and(is_text);
        let body = routine && (token.end - token.start > 40 || beside(at.wrapping_sub(1)) || beside(at + 1));
        let (open, close) = match token.kind {
            Kind::Dollar if routine || words.is(0, "create") => {
                let tag = super::source::dollar_body(words.token(at)).map_or(0, |(tag, _)| tag);
                (tag, tag)
            }
            Kind::Text | Kind::EscapedText | Kind::OtherText if body => {
                (words.token(at).find('\'').map_or(0, |quote| quote + 1), 1)
            }
            _ => continue,
        };
        let (from, to) = (token.start + open - start, (token.end - start).saturating_sub(close));
        if open > 0 && from < to && text.is_char_boundary(from) && text.is_char_boundary(to) {
            text.replace_range(from..to, &" ".repeat(to - from));
        }
    }
    text
}

/// Whether a token is a text, in whose place a routine's body may stand.
fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::EscapedText | Kind::OtherText | Kind::Dollar)
}

/// Whether a statement can be parsed without going too deep.
fn within_limits(words: Words<'_>, limits: Limits) -> Result<(), Unread> {
    let mut levels = vec![Level::default()];
    // Over all open brackets: what is open now, and the most that ever was.
    let (mut sum, mut prefixes, mut deepest, mut most) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut run = 0_usize;
    for (at, token) in words.tokens.iter().enumerate() {
        let top = levels.len().saturating_sub(1);
        let closed = match token.kind {
            Kind::Sign(b')' | b']') if top > 0 => levels.pop(),
            Kind::Sign(b',' | b';') => levels.last_mut().map(Level::after_comma),
            _ => None,
        };
        if let Some(closed) = closed {
            sum = sum.saturating_sub(closed.operators + closed.lasting);
            prefixes = prefixes.saturating_sub(closed.prefixes);
        }
        let depth = levels.len().saturating_sub(1);
        let Some(level) = levels.last_mut() else { break };
        let before = level.prefixes;
        let mut now = before;
        match token.kind {
            Kind::Sign(b'(' | b'[') => levels.push(Level::default()),
            Kind::Sign(b',' | b';') => {}
            Kind::Sign(sign) => {
                level.operators += 1;
                sum += 1;
                // The signs of one operator stand together; an operator that follows one is a prefix.
                let last = words.tokens.get(at.wrapping_sub(1));
                run = if last.is_some_and(|last| last.end == token.start) { run + 1 } else { 0 };
                let prefix = last.is_none_or(|last| !ends_operand(last.kind) && (run == 0 || run > 8));
                now += usize::from(prefix && !matches!(sign, b')' | b']'));
            }
            Kind::Word => {
                sum += 1;
                let deepens = deepens(words.token(at));
                if deepens == Some(Deepens::Lasting) {
                    level.lasting += 1;
                } else {
                    level.operators += 1;
                }
                match deepens {
                    Some(Deepens::Ends) => now = now.saturating_sub(1),
                    Some(Deepens::Prefix) if !words.is(at + 1, "null") => now += 1,
                    _ => {}
                }
            }
            _ => {}
        }
        if let Some(level) = levels.get_mut(depth).filter(|_| now != before) {
            level.prefixes = now;
            prefixes = (prefixes + now).saturating_sub(before);
        }
        deepest = deepest.max(levels.len() - 1 + prefixes);
        most = most.max(sum + levels.len());
    }
    if deepest > limits.nesting {
        return Err(Unread::Limit { limit: "nesting".to_owned(), allowed: limits.nesting as u64 });
    }
    if most > OPERATORS {
        return Err(Unread::Limit { limit: "operators of one expression".to_owned(), allowed: OPERATORS as u64 });
    }
    Ok(())
}

/// What a word does to the tree's depth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deepens {
    /// The parser calls itself.
    Prefix,
    /// What CASE opened is closed.
    Ends,
    /// No comma ends it.
    Lasting,
}

fn deepens(word: &str) -> Option<Deepens> {
    const WORDS: &[(&str, Deepens)] = &[
        ("case", Deepens::Prefix),
        ("end", Deepens::Ends),
        ("except", Deepens::Lasting),
        ("explain", Deepens::Prefix),
        ("intersect", Deepens::Lasting),
        ("join", Deepens::Lasting),
        ("not", Deepens::Prefix),
        ("select", Deepens::Prefix),
        ("union", Deepens::Lasting),
    ];
    // Every word of every text comes here: most go by their first letter.
    if !matches!(word.as_bytes().first()? | 0x20, b'c' | b'e' | b'i' | b'j' | b'n' | b's' | b'u') {
        return None;
    }
    WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, deepens)| *deepens)
}

/// What deepens the tree within one bracket.
#[derive(Default, Clone, Copy)]
struct Level {
    /// Operators and words since the last comma.
    operators: usize,
    /// What the parser calls itself for, since the last comma.
    prefixes: usize,
    /// UNION, JOIN: a comma ends none of them.
    lasting: usize,
}

impl Level {
    /// Forgets what a comma ends, and gives it.
    fn after_comma(&mut self) -> Self {
        let ended = Self { lasting: 0, ..*self };
        (self.operators, self.prefixes) = (0, 0);
        ended
    }
}

/// Whether a sign after such a token is an operator between two operands.
fn ends_operand(kind: Kind) -> bool {
    !matches!(kind, Kind::Sign(sign) if sign != b')' && sign != b']')
}

/// The grammar's words without the names that its tokens have in its own source.
fn said(error: &str) -> String {
    const TOKENS: &[(&str, &str)] = &[
        ("IDENT", "a name"),
        ("EOF", "the end"),
        ("SEMICOLON", "`;`"),
        ("COMMA", "`,`"),
        ("DOT", "`.`"),
        ("COLON", "`:`"),
        ("EQ", "`=`"),
        ("STAR", "`*`"),
        ("STRING", "a string"),
        ("INT_NUMBER", "a number"),
        ("FLOAT_NUMBER", "a number"),
        ("L_PAREN", "`(`"),
        ("R_PAREN", "`)`"),
        ("L_BRACK", "`[`"),
        ("R_BRACK", "`]`"),
        ("L_CURLY", "`{`"),
        ("R_CURLY", "`}`"),
    ];
    let word = |word: &str| match TOKENS.iter().find(|(token, _)| *token == word) {
        Some((_, plain)) => (*plain).to_owned(),
        None => word.strip_suffix("_KW").unwrap_or(word).to_owned(),
    };
    error.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn a_token_is_called_by_what_is_written() {
        let cases = [
            ("expected command, found IDENT", "expected command, found a name"),
            ("expected SET_KW", "expected SET"),
            ("missing L_PAREN", "missing `(`"),
            ("expected RENAME, OWNER, or SET", "expected RENAME, OWNER, or SET"),
        ];
        for (error, expected) in cases {
            assert_eq!(said(error), expected);
        }
    }
}
