//! A message of ours in a chat, as the store keeps it, so that it is changed in place instead of said again.
//!
//! Not here: which message an event belongs to (`fold`), and the rows (`store::messages`).

use std::fmt;

use serde::{Deserialize, Serialize};
use towpath_core::explain::shell_word;
use towpath_core::model::{EnvName, FlowName, Instant};

use super::storm::Summary;
use super::told::{Told, Wrote};
use crate::chat::message::Message;

/// How many of the notices that a message told of are remembered by it: more than one go sends.
pub const HEARD_MAX: usize = 200;

/// What a message is about: of those with one key at most one is open at a time.
///
/// Words with a space between them, quoted where they need it, so that no names make two keys one:
/// `promotion checkout production`, `refused checkout production 1f2e…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// The promotion that an environment has before it, or had last.
    pub fn promotion(flow: &FlowName, env: &EnvName) -> Self {
        Self::of(&["promotion", flow.as_str(), env.as_str()])
    }

    /// Anything else: the word of the event, where it happened, and what it is about.
    pub fn event(word: &str, flow: &FlowName, env: &EnvName, about: Option<&str>) -> Self {
        let mut words = vec![word, flow.as_str(), env.as_str()];
        words.extend(about);
        Self::of(&words)
    }

    /// A pause that is about to end, which may be of many flows.
    pub fn pause_ends(about: &str) -> Self {
        Self::of(&["pause-ends", about])
    }

    /// The summary of a storm that began then.
    pub fn storm(at: Instant) -> Self {
        Self::of(&["storm", &at.0.to_string()])
    }

    /// How much else may change a message of this key besides what it tells of, most first: a move ends what was
    /// refused; a move and a rollback take back what was announced.
    pub(super) fn is_changed_by(&self) -> u8 {
        match self.word() {
            "refused" | "called-off" => 0,
            "promotion" => 1,
            _ => 2,
        }
    }

    /// Its first word: what kind of thing it is.
    pub(super) fn word(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// As it was stored.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(words: &[&str]) -> Self {
        Self(words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far what a message is about has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is to be changed when more becomes of it.
    Open,
    /// It says how it ended.
    Closed,
    /// It says that something else came instead.
    Superseded,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::Superseded];

    /// As it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Superseded => "superseded",
        }
    }

    /// The state of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// What a message was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// One thing.
    One {
        /// The newest that was told of it.
        newest: Told,
        /// What that ended: the heads-up of what landed, the problem of what is over.
        before: Option<Told>,
    },
    /// Many flows at once.
    Storm(Summary),
}

/// What a message says, and everything that is needed to say it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saying {
    /// What it is about.
    pub key: Key,
    /// How far that has come.
    pub state: State,
    /// When the first of it happened.
    pub first_at: Instant,
    /// When the newest of it happened.
    pub last_at: Instant,
    /// How often it happened.
    pub count: u32,
    /// The ids of the notices in it, the newest last, at most [`HEARD_MAX`].
    pub heard: Vec<String>,
    /// Of a heads-up: who was told of it before, by messages whose place it took or in the words that it had: they are
    /// only named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Wrote>,
    /// Whether a newer message took its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
    /// What it was made from.
    pub body: Body,
    /// What it says.
    pub message: Message,
}

impl Saying {
    /// Remembers that a notice is in it.
    pub(super) fn hear(&mut self, id: &str) {
        self.heard.push(id.to_owned());
        let over = self.heard.len().saturating_sub(HEARD_MAX);
        self.heard.drain(..over);
    }
}

/// A message that stands in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Whose it is.
    pub sink: String,
    /// The channel as the platform's answer named it, which its calls for changing want.
    pub channel: String,
    /// The platform's id of the message: Slack's `ts`, Mattermost's post id.
    pub post: String,
    /// When it was posted.
    pub posted: Instant,
    /// When it was last changed.
    pub changed: Instant,
    /// What it says.
    pub saying: Saying,
}

impl Kept {
    /// From a row of the store.
    ///
    /// # Errors
    /// If what is there was not written by this build.
    pub fn read(
        (sink, channel, post): (String, String, String),
        (posted, changed): (Instant, Instant),
        state: &str,
        saying: &str,
    ) -> Result<Self, serde_json::Error> {
        let mut saying: Saying = serde_json::from_str(saying)?;
        // The store overtakes what was open without looking into it.
        saying.state = State::of_word(state).unwrap_or(State::Superseded);
        Ok(Self { sink, channel, post, posted, changed, saying })
    }
}
