//! Problems as values: what is wrong, where, and what to write instead.
//!
//! Not here: how they look ([`super::render`]).

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use towpath_core::text::Shown;

/// Whether it stops the config from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is started.
    Error,
    /// Said, and that is all.
    Warning,
}

/// One thing that is wrong. Its texts are safe to show: values from the file are escaped and
/// shortened in them, secrets are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub level: Level,
    /// Bytes of the file; none where the file as a whole is meant.
    pub span: Option<Range<usize>>,
    /// The key path, such as `flow.environment.gates.lag`; empty for the file as a whole.
    pub key: String,
    /// A sentence without its full stop.
    pub what: String,
    /// What to write instead, or whom to ask; may be empty.
    pub hint: String,
}

/// Everything that is wrong with one file.
#[derive(Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file.
    pub file: PathBuf,
    /// Its text with every secret masked, byte for byte as long as the original; empty if it could
    /// not be read.
    pub(super) text: Arc<str>,
    /// In file order.
    pub list: Vec<Problem>,
}

impl Problem {
    /// An error at these bytes.
    pub fn error(span: Range<usize>, key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { level: Level::Error, span: Some(span), key: key.into(), what: what.into(), hint: String::new() }
    }

    /// An error in the words of a parser of ours: a sentence, and after a semicolon what to write.
    pub(super) fn told(span: Range<usize>, key: impl Into<String>, why: &str) -> Self {
        let (what, hint) = why.split_once("; ").unwrap_or((why, ""));
        Self::error(span, key, what).hint(hint)
    }

    /// A warning at these bytes.
    pub fn warning(span: Range<usize>, key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(span, key, what) }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }
}

impl Problems {
    /// None, for this file.
    pub fn none(file: &Path, text: Arc<str>) -> Self {
        Self { file: file.to_owned(), text, list: Vec::new() }
    }

    /// One that concerns the file as a whole.
    pub fn whole_file(file: &Path, what: impl Into<String>, hint: impl Into<String>) -> Self {
        let problem =
            Problem { level: Level::Error, span: None, key: String::new(), what: what.into(), hint: hint.into() };
        Self { list: vec![problem], ..Self::none(file, Arc::from("")) }
    }

    /// How many errors.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|p| p.level == Level::Error).count()
    }

    /// How many warnings.
    pub fn warnings(&self) -> usize {
        self.list.len() - self.errors()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// In file order, each once: a value that several flows inherit is reported where it stands.
    pub(super) fn tidy(&mut self) {
        self.list.sort_by_key(|p| (p.span.as_ref().map(|s| (s.start, s.end)), p.level));
        let mut seen = std::collections::BTreeSet::new();
        self.list.retain(|p| seen.insert((p.span.as_ref().map(|s| (s.start, s.end)), p.what.clone())));
    }

    /// The line and column (both from 1, columns in characters) of a problem.
    pub fn position(&self, problem: &Problem) -> Option<(usize, usize)> {
        let span = problem.span.as_ref()?;
        Some(position(&self.text, span.start))
    }
}

/// Line and column of a byte, both from 1.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let line = before.split(|b| *b == b'\n').count();
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    (line, column)
}

/// A value from outside as it may stand in a message: inert, and shortened.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 80;
    Shown::new(text).at_most(MOST).to_string()
}

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::render::to_text(self, super::render::Style::Plain))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::render::to_text(self, super::render::Style::Plain))
    }
}

impl std::error::Error for Problems {}
