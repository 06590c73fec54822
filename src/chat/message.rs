//! What is said in a chat, before any platform gives it a form: texts stay texts until a platform's `render`
//! escapes them.

use serde::{Deserialize, Serialize};
use towpath_core::model::{CommitId, EnvName, FlowName, Instant};

/// One message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its lines, in order.
    pub lines: Vec<Line>,
    /// What can be pressed below them.
    pub buttons: Vec<Button>,
    /// What its heading and its list say, in one line, for notifications that show only so much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_short: Option<String>,
}

/// One line; texts in it hold no line ends (a renderer makes spaces of them).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// How it stands out.
    pub kind: LineKind,
    /// Its parts, in order.
    pub spans: Vec<Span>,
}

/// How a line stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// The first line: what happened.
    Heading,
    /// As any other.
    Text,
    /// One of a list.
    Item,
    /// Details, smaller where the platform can.
    Small,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// Text of anybody's making.
    Text(String),
    /// The same, bold.
    Bold(String),
    /// The same, as code.
    Code(String),
    /// A link; without one where the address is neither `https:` nor `http:`.
    Link {
        /// What is shown.
        text: String,
        /// Where it leads.
        url: String,
    },
    /// A person: called where `id` is theirs on this platform, else only named.
    Person {
        /// Their name.
        name: String,
        /// Their id on the platform that the message is for.
        id: Option<String>,
    },
}

/// Something to press.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What stands on it.
    pub label: String,
    /// What it does.
    pub press: Press,
    /// How it looks.
    pub style: ButtonStyle,
    /// What is asked before it does anything, where the platform can ask.
    pub confirm: Option<String>,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ButtonStyle {
    /// As any other.
    Plain,
    /// What most people want.
    Primary,
    /// What is hard to take back.
    Danger,
}

/// What a button does for whoever presses it: never more than the same person may say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Press {
    /// As if they had said this after the trigger, confirmed: `explain checkout production`.
    Say(String),
    /// Carries out exactly what was shown: once for each person, and not for long.
    Confirm {
        /// The command, with every choice made.
        command: String,
        /// Where the branch was when it was shown, if it is to be moved from there alone.
        tip: Option<CommitId>,
        /// Of this showing alone.
        once: String,
        /// Until when.
        until: Instant,
        /// The channel that is to learn of it, where this one is not in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<String>,
    },
    /// Holds the oldest commit that they wrote among those that would enter.
    HoldMine {
        /// The flow.
        flow: FlowName,
        /// The environment.
        env: EnvName,
        /// The newest commit that would enter.
        newest: CommitId,
    },
}
