//! The only door to squawk-syntax.
//!
//! A statement is looked at before it is handed over: its parser goes down the call stack with every
//! bracket and prefix, so what nests too deep is refused here. Not here: what a statement means.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxNode};

use super::lex::Kind;
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

/// Parses one statement.
pub(super) fn parse(words: Words<'_>, limits: Limits) -> Result<Parsed, Unread> {
    if let Some(unended) = words.tokens.iter().find(|token| token.kind == Kind::Unended) {
        let opened = words.source.text.get(unended.start..).unwrap_or_default();
        let opened: String = opened.chars().take(12).collect();
        return Err(Unread::Syntax { words: format!("what begins with {opened} never ends") });
    }
    within_limits(words, limits)?;
    let text = quiet(words);
    // Its grammar asserts what it expects of itself; a failed assertion is its error, not our crash.
    let parsed = std::panic::catch_unwind(|| {
        let parse = SourceFile::parse(&text);
        let error = parse.errors().first().map(|error| error.message().to_owned());
        (parse, error)
    });
    let Ok((parse, error)) = parsed else {
        return Err(Unread::Syntax { words: "the parser gave up".to_owned() });
    };
    if let Some(error) = error {
        return Err(Unread::Syntax { words: error });
    }
    let file = parse.syntax_node();
    let mut statements = file.children().filter(|node| ast::Stmt::can_cast(node.kind()));
    match (statements.next(), statements.next()) {
        (Some(node), None) => Ok(Parsed { node, offset: words.start() }),
        (None, _) => Err(Unread::UnknownStatement { head: words.head(3) }),
        (Some(_), Some(_)) => Err(Unread::Syntax { words: "a semicolon is missing".to_owned() }),
    }
}

/// The statement's text, with the bodies of routines blanked: they are not read, and an error in one
/// is not an error here.
fn quiet(words: Words<'_>) -> String {
    let start = words.start();
    let mut text = words.source.lexed.masked.part(start, words.end()).into_owned();
    let routine = words.is(0, "create") || words.is(0, "do");
    if !routine {
        return text;
    }
    let body_may_be_text = words.is(0, "do") || words.until(6).has("function") || words.until(6).has("procedure");
    for (at, token) in words.tokens.iter().enumerate() {
        let quote = match token.kind {
            Kind::Dollar => super::source::dollar_body(words.token(at)).map_or(0, |(tag, _)| tag),
            Kind::Text if body_may_be_text && token.end - token.start > 40 => 1,
            Kind::EscapedText if body_may_be_text && token.end - token.start > 40 => continue,
            _ => continue,
        };
        let (from, to) = (token.start + quote - start, (token.end - start).saturating_sub(quote));
        if quote > 0 && from < to && text.is_char_boundary(from) && text.is_char_boundary(to) {
            text.replace_range(from..to, &" ".repeat(to - from));
        }
    }
    text
}

/// Whether a statement can be parsed without going too deep.
fn within_limits(words: Words<'_>, limits: Limits) -> Result<(), Unread> {
    // Per open bracket: operators since the last comma, and what no comma ends.
    let mut levels = vec![(0_usize, 0_usize)];
    let (mut open, mut deepest, mut prefixes, mut most) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut sum = 0_usize;
    for (at, token) in words.tokens.iter().enumerate() {
        match token.kind {
            Kind::Sign(b'(' | b'[') => {
                levels.push((0, 0));
                open += 1;
                sum += 1;
            }
            Kind::Sign(b')' | b']') => {
                if levels.len() > 1
                    && let Some((operators, lasting)) = levels.pop()
                {
                    sum -= operators + lasting;
                }
                open = open.saturating_sub(1);
                sum = sum.saturating_sub(1);
            }
            Kind::Sign(b',' | b';') => {
                if let Some(level) = levels.last_mut() {
                    sum -= level.0;
                    level.0 = 0;
                }
                if open == 0 {
                    prefixes = 0;
                }
            }
            Kind::Sign(_) => {
                if let Some(level) = levels.last_mut() {
                    level.0 += 1;
                    sum += 1;
                }
                if !matches!(words.kind(at.wrapping_sub(1)), Some(kind) if ends_operand(kind)) {
                    prefixes += 1;
                }
            }
            Kind::Word => {
                let word = words.token(at);
                let lasting =
                    ["union", "except", "intersect", "join"].iter().any(|it| word.eq_ignore_ascii_case(it));
                let prefix = ["not", "case", "select", "explain"].iter().any(|it| word.eq_ignore_ascii_case(it));
                if word.eq_ignore_ascii_case("end") {
                    prefixes = prefixes.saturating_sub(1);
                } else if prefix {
                    prefixes += 1;
                }
                if let Some(level) = levels.last_mut() {
                    if lasting {
                        level.1 += 1;
                    } else {
                        level.0 += 1;
                    }
                    sum += 1;
                }
            }
            _ => {}
        }
        deepest = deepest.max(open + prefixes.min(open + 1_000));
        most = most.max(sum);
    }
    if deepest > limits.nesting {
        return Err(Unread::Limit { limit: "nesting".to_owned(), allowed: limits.nesting as u64 });
    }
    if most > OPERATORS {
        return Err(Unread::Limit { limit: "operators of one expression".to_owned(), allowed: OPERATORS as u64 });
    }
    Ok(())
}

/// Whether a sign after such a token is an operator between two operands.
fn ends_operand(kind: Kind) -> bool {
    !matches!(kind, Kind::Sign(sign) if sign != b')' && sign != b']')
}
