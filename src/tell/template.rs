//! Templates: what is told in the words of another system, as a body or as a URL.
//!
//! Jinja, by minijinja: <https://docs.rs/minijinja>. A template sees the fields of a [`Notice`] and
//! nothing else; there are no includes, no macros, no functions, and only the filters of [`FILTERS`].
//! Nothing is escaped by itself in a body: JSON is written with `{{ text | tojson }}`, and [`check`] finds
//! where that was forgotten, because its examples hold all that breaks.
//!
//! What is wrong with a template is found when the config is read, not when something happens: a
//! misspelt field also in a branch that no example takes. The limits are against mistakes. Whoever
//! writes a template is trusted with the memory of the process: `~` and `*` make texts before anything
//! is measured (minijinja itself refuses to repeat a text beyond 100 MB).
//!
//! Not here: which templates there are (`presets`), and where they are read.

mod engine;
#[cfg(test)]
mod tests;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, ErrorKind};
use serde::de::IgnoredAny;
use towpath_core::text::one_line;

pub use self::engine::FILTERS;
use self::engine::{Bounded, environment};
use super::events::{ROWS, Row};
use super::notice::{FIELDS, Notice, example, hostile_example};

/// The largest template, in bytes.
pub const TEMPLATE_MAX: usize = 64 * 1024;
/// The largest result, in bytes.
pub const OUTPUT_MAX: usize = 256 * 1024;
/// The longest URL, in bytes: what most servers take.
pub const URL_MAX: usize = 8 * 1024;
/// How many instructions a template may take.
pub const FUEL: u64 = 50_000;

/// The longest message of the engine or a parser that is passed on.
const WORDS_MAX: usize = 300;
/// The name under which the engine knows a template.
const NAME: &str = "template";

/// What a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A body that is JSON.
    Json,
    /// A body of any other kind.
    Text,
    /// A URL: what is put into it is percent-encoded, and its host is not put into it.
    Url,
}

/// A template that can be rendered.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
    kind: Kind,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The template is too large.
    #[error("the template has {0} bytes; at most {TEMPLATE_MAX} are read")]
    TooLarge(usize),
    /// It is no template.
    #[error("line {line}: {words}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What the engine says.
        words: String,
    },
    /// A field that there is not.
    #[error("line {line}: there is no field `{name}`; there are {}", fields())]
    UnknownField {
        /// The line, from 1; where it cannot be told, 1.
        line: usize,
        /// The field.
        name: String,
    },
    /// It cannot be rendered for this event.
    #[error("for `{event}`, line {line}: {words}")]
    Render {
        /// The event.
        event: String,
        /// The line, from 1.
        line: usize,
        /// What the engine says.
        words: String,
    },
    /// It takes too long.
    #[error("for `{event}`: the template takes more than {FUEL} steps; is there a loop too many?")]
    TooLong {
        /// The event.
        event: String,
    },
    /// It makes too much.
    #[error("for `{event}`: the result is larger than {most} bytes")]
    OutputTooLarge {
        /// The event.
        event: String,
        /// The most that may be.
        most: usize,
    },
    /// The result is not JSON.
    #[error("for `{event}`: the result is not JSON: {words}")]
    NotJson {
        /// The event.
        event: String,
        /// What the parser says, with line and column of the result.
        words: String,
    },
    /// The result is JSON only while no text holds a quote or the like.
    #[error(
        "for `{event}`: the result is no longer JSON when a text holds a quote, a backslash or a line end ({words}); \
         write values as `{{{{ text | tojson }}}}`, without quotes around it"
    )]
    Unquoted {
        /// The event.
        event: String,
        /// What the parser says, with line and column of the result.
        words: String,
    },
    /// The host of a URL depends on the event.
    #[error("the URL begins with `https://` and a host, before anything is put into it")]
    Host,
    /// The result is no URL.
    #[error("for `{event}`: {words}")]
    NotUrl {
        /// The event.
        event: String,
        /// What is wrong.
        words: &'static str,
    },
}

impl TemplateError {
    /// The line of the template, from 1, where it can be told.
    pub const fn line(&self) -> Option<usize> {
        match self {
            Self::Syntax { line, .. } | Self::UnknownField { line, .. } | Self::Render { line, .. } => Some(*line),
            _ => None,
        }
    }
}

fn fields() -> String {
    FIELDS.map(|(name, _)| format!("`{name}`")).join(", ")
}

impl Template {
    /// Reads a template. Most that can be wrong with it shows in [`Template::check`] only.
    ///
    /// # Errors
    /// If it is too large, is no template or names a field that there is not; if it is a URL whose host
    /// is put into it.
    pub fn new(source: &str, kind: Kind) -> Result<Self, TemplateError> {
        if source.len() > TEMPLATE_MAX {
            return Err(TemplateError::TooLarge(source.len()));
        }
        if kind == Kind::Url && !host_is_fixed(source) {
            return Err(TemplateError::Host);
        }
        let mut environment = environment(kind);
        let syntax = |error: &minijinja::Error| TemplateError::Syntax { line: line(error), words: words(error) };
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| syntax(&error))?;
        let template = environment.get_template(NAME).map_err(|error| syntax(&error))?;
        let mut unknown: Vec<(usize, String)> = template
            .undeclared_variables(true)
            .into_iter()
            .filter(|name| !FIELDS.iter().any(|(field, _)| field == name))
            .map(|name| (line_of(source, &name), name))
            .collect();
        unknown.sort();
        match unknown.into_iter().next() {
            Some((line, name)) => Err(TemplateError::UnknownField { line, name }),
            None => Ok(Self { environment, kind }),
        }
    }

    /// What it makes of a notice; JSON that is JSON, and a URL that can be called.
    ///
    /// # Errors
    /// Where it has nothing to say for such an event, and beyond every limit.
    pub fn render(&self, notice: &Notice) -> Result<String, TemplateError> {
        let event = || notice.event.clone();
        let fail = |error: &minijinja::Error| match error.kind() {
            ErrorKind::OutOfFuel => TemplateError::TooLong { event: event() },
            _ => TemplateError::Render { event: event(), line: line(error), words: words(error) },
        };
        let most = if self.kind == Kind::Url { URL_MAX } else { OUTPUT_MAX };
        let mut output = Bounded::new(most);
        let template = self.environment.get_template(NAME).map_err(|error| fail(&error))?;
        let done = template.render_captured_to(Value::from(Serde(notice)), &mut output).map(drop);
        if output.is_over() {
            return Err(TemplateError::OutputTooLarge { event: event(), most });
        }
        done.map_err(|error| fail(&error))?;
        let text = output.into_text();
        match self.kind {
            Kind::Text => {}
            Kind::Json => {
                let parsed = serde_json::from_str::<IgnoredAny>(&text);
                let not_json = |error: serde_json::Error| TemplateError::NotJson {
                    event: event(),
                    words: one_line(&error.to_string(), WORDS_MAX),
                };
                parsed.map_err(not_json)?;
            }
            Kind::Url => {
                if let Some(words) = url_fault(&text) {
                    return Err(TemplateError::NotUrl { event: event(), words });
                }
            }
        }
        Ok(text)
    }

    /// Renders the examples of these rows: those of the events for which it is to be used.
    ///
    /// # Errors
    /// The first that [`Template::render`] has, with its event.
    pub fn check<'a>(&self, rows: impl IntoIterator<Item = &'a Row>) -> Result<(), TemplateError> {
        for row in rows {
            self.render(&example(row))?;
            self.render(&hostile_example(row)).map_err(|error| match error {
                // The example before was JSON, and differs in its texts alone.
                TemplateError::NotJson { event, words } => TemplateError::Unquoted { event, words },
                other => other,
            })?;
        }
        Ok(())
    }
}

/// Whether a template will do for a body of every event there is, one that is JSON or another.
///
/// # Errors
/// The first thing that is wrong, with its line or event.
pub fn check(template: &str, is_json: bool) -> Result<(), TemplateError> {
    Template::new(template, if is_json { Kind::Json } else { Kind::Text })?.check(&ROWS)
}

/// The text with a word in place of each `{{ … }}`, and nothing in place of `{% … %}` and `{# … #}`: for
/// looking at what is fixed in it.
pub fn without_expressions(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, close, word)) = opening(rest) {
        bare.push_str(&rest[..at]);
        bare.push_str(word);
        rest = rest[at + 2..].split_once(close).map_or("", |(_, after)| after);
    }
    bare + rest
}

/// The next tag: where it begins, what ends it, and what stands for it.
fn opening(text: &str) -> Option<(usize, &'static str, &'static str)> {
    let tags = [("{{", "}}", "x"), ("{%", "%}", ""), ("{#", "#}", "")];
    tags.into_iter().filter_map(|(open, close, word)| Some((text.find(open)?, close, word))).min()
}

/// Whether scheme and host stand before anything that the event has a say in.
fn host_is_fixed(source: &str) -> bool {
    let Some(rest) = source.strip_prefix("https://").or_else(|| source.strip_prefix("http://")) else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    !host.is_empty() && opening(rest).is_none_or(|(at, ..)| at >= host.len())
}

/// What keeps a rendered URL from being called.
fn url_fault(url: &str) -> Option<&'static str> {
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("the URL holds white space; write it on one line, without a line end");
    }
    let path = url.split(['?', '#']).next().unwrap_or("");
    let dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    path.split(['/', '\\']).any(dots).then_some("the URL's path holds `.` or `..`, which would name another path")
}

/// The line in which a name first stands inside a tag; 1 where it is not found.
fn line_of(source: &str, name: &str) -> usize {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let inside = |at: usize| {
        let before = &source[..at];
        let last = |signs: [&str; 2]| signs.into_iter().filter_map(|sign| before.rfind(sign)).max();
        last(["{{", "{%"]) > last(["}}", "%}"])
    };
    let alone = |at: usize| {
        !source[..at].ends_with(|c| word(c) || c == '.') && !source[at + name.len()..].starts_with(word)
    };
    let at = source.match_indices(name).map(|(at, _)| at).find(|at| alone(*at) && inside(*at));
    1 + source[..at.unwrap_or(0)].matches('\n').count()
}

fn line(error: &minijinja::Error) -> usize {
    error.line().unwrap_or(1)
}

/// What the engine says, without the name of the template.
fn words(error: &minijinja::Error) -> String {
    let text = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    one_line(&text, WORDS_MAX)
}
