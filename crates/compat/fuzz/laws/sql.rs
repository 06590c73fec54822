//! Lexers and readers of SQL: a line with the dialect, then the text.

use towpath_compat::migration::Limits;
use towpath_compat::operation::Step;
use towpath_compat::schema::Schema;
use towpath_compat::sql::{Dialect, read};

use super::input::{first_line, lines};

/// Reads, and reads again; what was read is applied to a schema.
pub fn hold(input: &[u8]) {
    let (word, rest) = first_line(input);
    let dialect = Dialect::of_word(String::from_utf8_lossy(word).trim()).unwrap_or_else(|| {
        Dialect::ALL[usize::from(word.first().copied().unwrap_or_default()) % Dialect::ALL.len()]
    });
    let text = String::from_utf8_lossy(rest);
    let steps = read(dialect, &text, Limits::default());
    assert_eq!(steps, read(dialect, &text, Limits::default()), "the same text is read in two ways");
    let last = lines(rest);
    for step in &steps {
        assert!((1..=last).contains(&step.line), "line {} of {last}: {step:?}", step.line);
    }
    moved(dialect, &text, &steps);
    applied(&steps);
}

/// An empty line before it all moves every step by a line and changes nothing else.
fn moved(dialect: Dialect, text: &str, steps: &[Step]) {
    let moved = read(dialect, &format!("\n{text}"), Limits::default());
    let back: Vec<Step> =
        moved.into_iter().map(|step| Step { line: step.line.saturating_sub(1), ..step }).collect();
    assert_eq!(steps, back, "an empty line before a text changes what it says");
}

fn applied(steps: &[Step]) {
    for whole in [true, false] {
        let mut schema = Schema::empty();
        schema.whole = whole;
        for (mark, step) in steps.iter().enumerate() {
            schema.apply(step, u32::try_from(mark).ok());
        }
        schema.end_session();
        schema.settle();
    }
}
