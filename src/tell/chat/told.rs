//! One thing to tell in a chat: the notice that every sink gets, and what only chats want to know besides.
//!
//! Not here: what is made of it (`plan`, `words`).

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use towpath_core::model::{CommitId, Event, Instant, MoveKind, PauseKind, Reason, Scope};
use towpath_core::people::authors::Author;

use crate::tell::notice::Notice;

/// What is told. Its JSON is that of the notice with more fields, so that it stands in the table of notices, and a row
/// that holds a notice alone is read as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What every sink is told.
    #[serde(flatten)]
    pub notice: Notice,
    /// The zone of the flow, in which times are shown.
    #[serde(default = "utc")]
    pub zone: Tz,
    /// What it is about, where an environment may have several of the kind: two events with the same are the same
    /// problem. See [`about`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Of `blocked`: what kind of thing stands in the way. Another one is news to other people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What is going to move, of `heads-up`; what moved, of moves whose commits are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<Announced>,
    /// Who wrote what is in the way or was taken back, of problems; what moved, of moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Wrote>,
    /// A page of the forge that compares old and new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<String>,
    /// Pauses and freezes that stood there then, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<String>,
    /// Who ordered what is about to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_by: Option<Wrote>,
    /// Whether `retry` may help.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retry: bool,
    /// Of `heads-up`: the sentence without the commits, for they stand in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    /// Of `heads-up`: how to stop them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_stop: Option<String>,
    /// What `resume` would lift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Scope>,
}

/// A range of commits that is going to move, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// Commits of the range: all, or as many as are told.
    pub commits: Vec<AnnouncedCommit>,
    /// How many there are besides.
    pub more: u32,
    /// Where the branch is to be.
    pub newest: CommitId,
    /// Where it is.
    pub old: CommitId,
    /// When it moves.
    pub at: Instant,
}

/// One commit of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncedCommit {
    /// The commit.
    pub id: CommitId,
    /// Its subject, as it was written: not made inert.
    pub subject: String,
    /// Who wrote it, the author first.
    pub authors: Vec<Wrote>,
}

/// Who wrote something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrote {
    /// Somebody whom the config had then, by the name of their card.
    Person(String),
    /// A machine, never called.
    Bot(String),
    /// Anybody else, only named: as the commit has it, not made inert.
    Stranger(String),
}

impl Wrote {
    /// The name, not made inert.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(name) | Self::Bot(name) | Self::Stranger(name) => name,
        }
    }
}

impl From<&Author<'_>> for Wrote {
    fn from(author: &Author<'_>) -> Self {
        match author {
            Author::Person(card) => Self::Person(card.name.clone()),
            Author::Bot { name } => Self::Bot(name.clone()),
            Author::Stranger { name, .. } => Self::Stranger(name.clone()),
        }
    }
}

impl Told {
    /// What a chat is told of an event. Who knows `announced`, `authors`, `compare`, `heading` and `to_stop` fills
    /// them in.
    pub fn new(notice: Notice, event: &Event, zone: Tz) -> Self {
        Self {
            notice,
            zone,
            about: about(event),
            kind: kind(event),
            announced: None,
            authors: Vec::new(),
            compare: None,
            paused: Vec::new(),
            ordered_by: None,
            heading: None,
            to_stop: None,
            retry: matches!(event, Event::Refused { kind: MoveKind::FastForward, .. }),
            resume: match event {
                Event::EndsSoon { scope, .. } => Some(scope.clone()),
                _ => None,
            },
        }
    }

    /// When it happened.
    pub const fn at(&self) -> Instant {
        Instant(self.notice.at_ms)
    }
}

/// What an event is about beside its environment: equal for what is the same problem, and for a problem and what ends
/// it. None where an environment has only one of the kind.
pub fn about(event: &Event) -> Option<String> {
    match event {
        Event::Rewound { lost, .. } | Event::PutBack { lost, .. } | Event::Withdrawn { lost, .. } => {
            Some(lost.to_string())
        }
        Event::Refused { new, .. } | Event::CalledOff { new, .. } => Some(new.to_string()),
        Event::Proposed { number, .. } => Some(number.to_string()),
        Event::EndsSoon { kind, scope, until, .. } => {
            let kind = match kind {
                PauseKind::Pause => "pause",
                PauseKind::Freeze => "freeze",
            };
            let scope = match scope {
                Scope::All => vec!["all"],
                Scope::Flow(flow) => vec!["flow", flow.as_str()],
                Scope::Edge(flow, env) => vec!["edge", flow.as_str(), env.as_str()],
                Scope::Environment(env) => vec!["environment", env.as_str()],
            };
            let words = scope.into_iter().map(towpath_core::explain::shell_word);
            let scope = words.collect::<Vec<_>>().join(" ");
            Some(format!("{kind} {scope} until {}", until.0))
        }
        Event::Landed { .. }
        | Event::Moved { .. }
        | Event::Overtaken { .. }
        | Event::HeadsUp { .. }
        | Event::TakenBack { .. }
        | Event::Behind { .. }
        | Event::CaughtUp { .. }
        | Event::Blocked { .. }
        | Event::Unblocked { .. } => None,
    }
}

/// What kind of thing stands in the way, of `blocked`.
fn kind(event: &Event) -> Option<String> {
    let Event::Blocked { verdict, .. } = event else { return None };
    let tag = |json: serde_json::Value| match json {
        serde_json::Value::Object(map) => map.keys().next().cloned(),
        other => other.as_str().map(str::to_owned),
    };
    match verdict.why() {
        Reason::CheckRed { name, .. } => Some(format!("check-red {name}")),
        Reason::Unknown(unknown) => tag(serde_json::to_value(&unknown.why).ok()?),
        why => tag(serde_json::to_value(why).ok()?),
    }
}

const fn utc() -> Tz {
    Tz::UTC
}
