//! What a view says, as a message of a chat: the same words as on the command line.
//!
//! Not here: what is answered (`views::say`), and how a platform shows it (`render`).

use towpath_core::explain::Mark;

use super::message::{Button, ButtonStyle, Line, LineKind, Message, Press, Span};
use crate::views::{self, Problem, Spoken};

/// How many lines are shown; more are told by their number.
const LINES: usize = 40;

/// Of one showing of something that has to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Showing {
    /// What confirms it.
    pub press: Press,
    /// How to confirm it and until when, in a sentence.
    pub how: String,
}

/// What the button is called that confirms.
pub const DO_IT: &str = "Do it";

/// The answer to what was said; `showing` where it has to be confirmed.
pub fn answered(spoken: &Spoken, showing: Option<Showing>) -> Message {
    let mut lines: Vec<Line> = spoken.lines.iter().take(LINES).map(line).collect();
    let rest = spoken.lines.len().saturating_sub(LINES);
    if rest > 0 {
        lines.push(small(format!("{rest} more lines: ask about less, or on the command line")));
    }
    let mut buttons = Vec::new();
    if let Some(Showing { press, how }) = showing {
        lines.push(text(&how));
        buttons.push(Button { label: DO_IT.to_owned(), press, style: ButtonStyle::Danger, confirm: None });
    }
    Message { lines, buttons, in_short: None }
}

/// A refusal.
pub fn refused(problem: &Problem) -> Message {
    let mut lines = vec![text(&problem.message)];
    lines.extend(problem.hint.iter().cloned().chain(problem.recorded()).map(small));
    Message { lines, buttons: Vec::new(), in_short: None }
}

/// One sentence of ours.
pub fn sentence(words: &str) -> Message {
    Message { lines: vec![text(words)], buttons: Vec::new(), in_short: None }
}

/// A line of a view.
fn line(of: &views::Line) -> Line {
    let mark = match of.mark {
        Some(Mark::Pass) => "✓ ",
        Some(Mark::Wait) => "~ ",
        Some(Mark::Block) => "✗ ",
        Some(Mark::Note) => "- ",
        None => "",
    };
    let kind = if of.indent > 0 { LineKind::Item } else { LineKind::Text };
    let mut line = Line { kind, spans: spans(&of.text) };
    if !mark.is_empty() {
        line.spans.insert(0, Span::Text(mark.to_owned()));
    }
    line
}

fn text(words: &str) -> Line {
    Line { kind: LineKind::Text, spans: spans(words) }
}

fn small(words: String) -> Line {
    Line { kind: LineKind::Small, spans: vec![Span::Text(words)] }
}

/// Our sentences put names between backticks: those are code. An odd one out is a text, as it stands.
fn spans(text: &str) -> Vec<Span> {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![Span::Text(text.to_owned())];
    }
    let span = |(at, part): (usize, &&str)| match at % 2 {
        0 => Span::Text((*part).to_owned()),
        _ => Span::Code((*part).to_owned()),
    };
    parts.iter().enumerate().map(span).filter(|span| !matches!(span, Span::Text(text) if text.is_empty())).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_and_an_odd_backtick_is_itself() {
        let text = |words: &str| Span::Text(words.to_owned());
        let code = |words: &str| Span::Code(words.to_owned());
        assert_eq!(spans("a `b` c"), [text("a "), code("b"), text(" c")]);
        assert_eq!(spans("`b`"), [code("b")]);
        assert_eq!(spans("a ` c"), [text("a ` c")]);
        assert_eq!(spans("`a` `b"), [text("`a` `b")]);
        assert_eq!(spans(""), []);
    }

    #[test]
    fn what_is_too_long_says_how_much_there_is_more() {
        let lines = (0..100).map(|n| views::Line::plain(n % 2, format!("line {n}"))).collect();
        let press = Press::Say("status".to_owned());
        let showing = Showing { press: press.clone(), how: "Say `x`.".to_owned() };
        let message = answered(&Spoken { lines, confirm: None, audit: None }, Some(showing));
        assert_eq!(message.lines.len(), LINES + 2);
        assert_eq!(
            message.lines[LINES].spans,
            [Span::Text("60 more lines: ask about less, or on the command line".to_owned())]
        );
        assert_eq!(message.lines[LINES + 1].spans[1], Span::Code("x".to_owned()));
        assert_eq!((message.buttons.len(), &message.buttons[0].press), (1, &press));
    }
}
