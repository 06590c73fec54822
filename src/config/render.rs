//! How problems look: for people with file, line and caret, and as JSON.

use annotate_snippets::{AnnotationKind, Group, Level as Word, Origin, Renderer, Snippet};
use serde_json::{Value as Json, json};

use super::keys::ROWS;
use super::problem::{Level, Problem, Problems, position, shown};

/// With colours or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For files, pipes and tests.
    Plain,
    /// For terminals.
    Styled,
}

/// More problems than this help nobody at once.
const SHOWN_MOST: usize = 100;

/// A longer line is not quoted.
const LINE_MOST: usize = 4_096;

/// All problems with their lines, and a count at the end.
pub fn to_text(problems: &Problems, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Styled => Renderer::styled(),
    };
    let file = shown(&problems.file.to_string_lossy());
    let mut out = String::new();
    for problem in problems.list.iter().take(SHOWN_MOST) {
        out.push_str(&one(problems, problem, &file, &renderer));
        out.push_str("\n\n");
    }
    if problems.list.len() > SHOWN_MOST {
        out.push_str(&format!("… and {} more\n\n", problems.list.len() - SHOWN_MOST));
    }
    out.push_str(&count(problems, &file));
    out
}

fn count(problems: &Problems, file: &str) -> String {
    let many = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    let counts = match (problems.errors(), problems.warnings()) {
        (errors, 0) => many(errors, "error"),
        (0, warnings) => many(warnings, "warning"),
        (errors, warnings) => format!("{} and {}", many(errors, "error"), many(warnings, "warning")),
    };
    let end = if problems.errors() > 0 { "; nothing was started" } else { "" };
    format!("`{file}`: {counts}{end}\n")
}

fn one(problems: &Problems, problem: &Problem, file: &str, renderer: &Renderer) -> String {
    let word = match problem.level {
        Level::Error => Word::ERROR,
        Level::Warning => Word::WARNING,
    };
    let mut group = Group::with_title(word.primary_title(problem.what.as_str()));
    if let Some(span) = &problem.span {
        let quote = Quote::of(&problems.text, span.start, span.end);
        let (_, column) = position(&problems.text, span.start);
        group = if quote.text.len() > LINE_MOST {
            group.element(Origin::path(file).line(quote.line).char_column(column))
        } else {
            let caret = AnnotationKind::Primary.span(quote.from..quote.to);
            group.element(Snippet::source(quote.text).line_start(quote.line).path(file).annotation(caret))
        };
    }
    if !problem.hint.is_empty() {
        group = group.element(Word::HELP.message(problem.hint.as_str()));
    }
    renderer.render(&[group])
}

/// The line that a problem is on.
struct Quote<'a> {
    text: &'a str,
    line: usize,
    from: usize,
    to: usize,
}

impl<'a> Quote<'a> {
    fn of(text: &'a str, start: usize, end: usize) -> Self {
        let start = start.min(text.len());
        let begin = text[..start].rfind('\n').map_or(0, |n| n + 1);
        let stop = text[start..].find('\n').map_or(text.len(), |n| start + n);
        let (line, _) = position(text, start);
        let to = end.clamp(start, stop);
        Self { text: text[begin..stop].trim_end_matches(' '), line, from: start - begin, to: to - begin }
    }
}

/// How many places are named at once.
const PLACES_MOST: usize = 10;

/// Where the errors are, without anything that the file says: for whoever may ask how the service is, and may not read
/// its config.
pub fn to_places(problems: &Problems) -> String {
    let errors = problems.list.iter().filter(|problem| problem.level == Level::Error);
    let mut places: Vec<String> = errors.map(|problem| place(problems, problem)).collect();
    places.dedup();
    let more = places.len().saturating_sub(PLACES_MOST);
    places.truncate(PLACES_MOST);
    if more > 0 {
        places.push(format!("{more} more"));
    }
    format!("`{}`: {}", shown(&problems.file.to_string_lossy()), places.join(", "))
}

fn place(problems: &Problems, problem: &Problem) -> String {
    // What concerns the file as a whole holds its name and what the system says of it.
    let Some((line, _)) = problems.position(problem) else { return problem.what.clone() };
    if problem.key.is_empty() {
        return format!("line {line} is not TOML");
    }
    // A key that we do not know may be anything, a secret that was pasted there included.
    let is_ours = problem.key.split('.').all(|word| ROWS.iter().any(|row| row.key == word));
    if is_ours { format!("`{}` on line {line}", problem.key) } else { format!("a key on line {line}") }
}

/// The same for programs.
pub fn to_json(problems: &Problems) -> Json {
    let one = |problem: &Problem| {
        let (line, column) = problems.position(problem).unzip();
        json!({
            "level": match problem.level { Level::Error => "error", Level::Warning => "warning" },
            "key": problem.key,
            "line": line,
            "column": column,
            "message": problem.what,
            "hint": (!problem.hint.is_empty()).then_some(&problem.hint),
        })
    };
    json!({
        "schema_version": 1,
        "file": problems.file.to_string_lossy(),
        "errors": problems.errors(),
        "warnings": problems.warnings(),
        "problems": problems.list.iter().map(one).collect::<Vec<_>>(),
    })
}
