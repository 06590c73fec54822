//! A laid-out view: lines for people, and the JSON for programs.

use serde::Serialize;
use towpath_core::explain::{Mark, Words};
use towpath_core::model::{Flow, Instant};

use super::SCHEMA_VERSION;

/// One line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How far it stands in.
    pub indent: usize,
    /// The sign before it, if its kind of line has one.
    pub mark: Option<Mark>,
    /// What it says.
    pub text: String,
    /// Whether it tells of a failure, and so goes beside the result (standard error).
    pub aside: bool,
}

impl Line {
    /// A line without a sign.
    pub fn plain(indent: usize, text: impl Into<String>) -> Self {
        Self { indent, mark: None, text: text.into(), aside: false }
    }

    /// A line with a sign.
    pub fn marked(indent: usize, mark: Mark, text: impl Into<String>) -> Self {
        Self { indent, mark: Some(mark), text: text.into(), aside: false }
    }

    /// A line of failure.
    pub fn aside(text: impl Into<String>) -> Self {
        Self { indent: 0, mark: None, text: text.into(), aside: true }
    }
}

/// The words for a flow at an instant, with the remote as people would write it in a command.
pub fn words<'a>(flow: &'a Flow, remote: &'a str, now: Instant) -> Words<'a> {
    Words { zone: flow.zone, now, flow, remote_word: remote, lasting: false }
}

#[derive(Serialize)]
struct Versioned<T> {
    schema_version: u32,
    #[serde(flatten)]
    body: T,
}

/// The JSON of a view, with its version. Nothing in it acts on a terminal.
pub fn json_text(body: impl Serialize) -> String {
    let text = serde_json::to_string_pretty(&Versioned { schema_version: SCHEMA_VERSION, body });
    inert(&text.unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}")))
}

/// JSON allows controls and bidirectional overrides raw; a terminal does not forgive them.
fn inert(json: &str) -> String {
    let acts = |c: char| {
        matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
    };
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if acts(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}
