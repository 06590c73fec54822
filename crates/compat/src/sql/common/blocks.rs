//! The statements of a BEGIN … END block, without what decides whether they run.

use super::super::cursor::Cursor;
use super::super::lex::Kind;

/// Words after which a statement of a block may begin.
const OPENERS: &[&str] = &["BEGIN", "THEN", "ELSE", "LOOP", "EXCEPTION", "DO", "REPEAT"];

/// Words that make what follows depend on something.
const CONDITIONS: &[&str] = &["IF", "CASE", "LOOP", "EXCEPTION", "WHILE", "REPEAT", "HANDLER"];

/// The pieces of a block: statements, and the heads of IF, LOOP and CASE between them; each with
/// the count of tokens before it.
pub fn pieces<'a>(block: &Cursor<'a>) -> Vec<(usize, Cursor<'a>)> {
    let mut pieces = Vec::new();
    let (mut start, mut depth, mut cases) = (0usize, 0usize, 0usize);
    for (at, token) in block.rest().iter().enumerate() {
        let divides = match token.kind {
            Kind::Mark(b'(') => {
                depth += 1;
                false
            }
            Kind::Mark(b')') => {
                depth = depth.saturating_sub(1);
                false
            }
            Kind::Semicolon | Kind::Mark(b';') => {
                cases = 0;
                true
            }
            Kind::Word if depth > 0 => false,
            // A CASE within a statement is an expression: its THEN and ELSE divide nothing.
            Kind::Word if at > start && block.word_is(at, "CASE") => {
                cases += 1;
                false
            }
            Kind::Word if cases > 0 => {
                cases -= usize::from(block.word_is(at, "END"));
                false
            }
            Kind::Word => opens(block, start, at),
            _ => false,
        };
        if divides {
            pieces.push((start, piece(block, start, at)));
            start = at + 1;
        }
    }
    pieces.push((start, piece(block, start, block.left())));
    pieces.retain(|(_, piece)| !piece.done());
    pieces
}

/// Whether a statement may begin after this word.
fn opens(block: &Cursor<'_>, start: usize, at: usize) -> bool {
    let after_end = at.checked_sub(1).is_some_and(|before| block.word_is(before, "END"));
    // Elsewhere than at a piece's start these may be names or parts of statements.
    let first_only = block.is_any_after(at, &["REPEAT"]) && at > start;
    let expected = block.is_any_after(at, &["DO"]) && !block.is_any_after(start, &["WHILE", "FOR"]);
    !after_end && !first_only && !expected && block.is_any_after(at, OPENERS)
}

fn piece<'a>(block: &Cursor<'a>, start: usize, end: usize) -> Cursor<'a> {
    let mut piece = *block;
    piece.skip(start);
    piece.take(end.saturating_sub(start))
}

/// Whether anything in a block depends on something.
pub fn is_conditional(block: &Cursor<'_>) -> bool {
    block.find(CONDITIONS).is_some()
}
