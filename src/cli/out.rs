//! What is printed: plain text or JSON, colour only on a terminal, and never a broken pipe's panic.

use std::io::{IsTerminal as _, Write as _};
use std::sync::OnceLock;

use serde::Serialize;
use towpath_core::explain::Mark;

use crate::views::{Line, json_text};

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs; has a `schema_version`.
    Json,
    /// For a comment or a wiki; `diff` only.
    Markdown,
    /// For code scanning; `check-migrations` only.
    Sarif,
    /// GitLab's code quality report; `check-migrations` only.
    Gitlab,
    /// GitHub's workflow commands; `check-migrations` only.
    Github,
}

/// Where a command prints to.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    /// How.
    pub format: Format,
    /// Whether standard output is a terminal that wants colours.
    pub colour: bool,
}

impl Out {
    /// Prints in that format; colours if standard output is a terminal and `NO_COLOR` is not set.
    pub fn new(format: Format) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { format, colour: wanted && std::io::stdout().is_terminal() }
    }

    /// Whether JSON is wanted.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// A line for people.
    pub fn line(&self, text: impl AsRef<str>) {
        note(writeln!(std::io::stdout().lock(), "{}", text.as_ref()));
    }

    /// Text that has its own line ends.
    pub fn raw(&self, text: &[u8]) {
        note(std::io::stdout().lock().write_all(text));
    }

    /// A value for programs.
    pub fn value(&self, body: impl Serialize) {
        self.line(json_text(body));
    }

    /// A view: for programs as it is, for people laid out.
    pub fn show(&self, view: impl Serialize, lines: Vec<Line>) {
        if self.json() {
            return self.value(view);
        }
        for line in lines {
            let sign = line.mark.map_or_else(String::new, |mark| format!("{} ", self.sign(mark)));
            let text = format!("{:indent$}{sign}{}", "", harmless(&line.text), indent = line.indent);
            if line.aside { complain(text) } else { self.line(text) }
        }
    }

    /// A sign before a line: `+` passes, `~` waits, `!` is blocked.
    pub fn sign(&self, mark: Mark) -> String {
        let (sign, colour) = match mark {
            Mark::Pass => ("+", 32),
            Mark::Wait => ("~", 33),
            Mark::Block => ("!", 31),
            Mark::Note => (" ", 0),
        };
        if self.colour && colour > 0 { format!("\u{1b}[{colour}m{sign}\u{1b}[0m") } else { sign.to_owned() }
    }
}

/// Views are made of texts that are harmless already. A server may be another than one thinks, so
/// what would act on the terminal is taken out here once more.
fn harmless(text: &str) -> std::borrow::Cow<'_, str> {
    if text.chars().any(char::is_control) { text.replace(char::is_control, "\u{fffd}").into() } else { text.into() }
}

/// The first thing that could not be printed, and why.
static LOST: OnceLock<String> = OnceLock::new();

/// Remembers that output was lost. A reader that has gone away wants no more, and is no error.
pub fn note(printed: std::io::Result<()>) {
    if let Err(error) = printed
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| error.to_string());
    }
}

/// Why not everything was printed, if it was not.
pub fn lost() -> Option<&'static str> {
    note(std::io::stdout().lock().flush());
    LOST.get().map(String::as_str)
}

/// A line on standard error.
pub fn complain(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.as_ref());
}
