//! What a chat is told, by tables, by laws, and with texts that want to be more than text.

mod digest;
mod hostile;
mod laws;
mod mention;
mod rules;
mod storm;
mod told;
mod words;

use chrono_tz::Tz;
use towpath_core::model::{CommitId, Instant};
use towpath_core::people::{Identity, Mention, People, PersonCard, Platform, Role};

use super::kept::Kept;
use super::plan::{Due, Step};
use super::told::{Announced, AnnouncedCommit, Told, Wrote};
use super::{STORM, Settings, say};
use crate::chat::message::{Message, Span};
use crate::tell::events::{Severity, row_of};
use crate::tell::notice::{Notice, SCHEMA_VERSION};

/// 2026-11-21T10:00:00Z.
pub const START: i64 = 1_795_255_200_000;
pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;

pub fn commit(n: u8) -> CommitId {
    CommitId::from_bytes([n; 20])
}

pub fn card(name: &str, mention: Option<Mention>, ids: &[&str]) -> PersonCard {
    let identities = ids.iter().map(|id| id.parse::<Identity>().unwrap()).collect();
    PersonCard { name: name.to_owned(), role: Role::Developer, identities, mention }
}

pub fn people() -> People {
    People::new(vec![
        card("ana", None, &["slack:T1/UANA", "mattermost:ana26", "mail:ana@example.com"]),
        card("marek", Some(Mention::HeadsUp), &["slack:T1/UMAREK", "slack:T2/UOTHER"]),
        card("zoe", Some(Mention::All), &["slack:UZOE"]),
        card("quiet", Some(Mention::Never), &["slack:T1/UQUIET"]),
        card("elsewhere", Some(Mention::All), &["slack:T2/UELSE", "discord:7"]),
    ])
    .unwrap()
}

pub fn settings(people: &People) -> Settings<'_> {
    Settings {
        people,
        platform: Platform::Slack,
        team: Some("T1"),
        mention: Mention::Problems,
        storm: STORM,
        zone: Tz::Europe__Warsaw,
    }
}

/// What is told of an event of `shop/checkout production`, so many minutes after the start.
pub fn told(word: &str, minute: i64) -> Told {
    let at = START + minute * MINUTE;
    let severity = row_of(word).map_or(Severity::Info, |row| row.severity);
    let text = format!("What explain says of {word} in `production`");
    Told {
        kind: None,
        notice: Notice {
            schema_version: SCHEMA_VERSION,
            id: "msg_x".to_owned(),
            event: word.to_owned(),
            severity,
            flow: "shop/checkout".into(),
            environment: "production".into(),
            branch: "master".into(),
            repository: "gitlab:shop/checkout".to_owned(),
            at: Instant(at).to_string(),
            at_ms: at,
            old: Some(commit(1)),
            new: Some(commit(9)),
            text,
            url: None,
        },
        zone: Tz::Europe__Warsaw,
        about: None,
        announced: None,
        authors: Vec::new(),
        compare: None,
        paused: Vec::new(),
        ordered_by: None,
        heading: None,
        to_stop: None,
        retry: false,
        resume: None,
    }
}

/// A heads-up for commits 2 to `newest`, which move half an hour later.
pub fn heads_up(minute: i64, newest: u8) -> Told {
    let mut told = told("heads-up", minute);
    let of = |n: u8| AnnouncedCommit {
        id: commit(n),
        subject: format!("Change {n}"),
        authors: vec![Wrote::Person(if n.is_multiple_of(2) { "ana" } else { "marek" }.to_owned())],
    };
    told.notice.new = Some(commit(newest));
    told.announced = Some(Announced {
        commits: (2..=newest).map(of).collect(),
        more: 0,
        newest: commit(newest),
        old: commit(1),
        at: Instant(told.notice.at_ms + 30 * MINUTE),
    });
    told
}

pub fn landed(minute: i64, new: u8) -> Told {
    let mut told = told("promoted", minute);
    told.notice.new = Some(commit(new));
    told
}

pub fn about(told: Told, about: &str) -> Told {
    Told { about: Some(about.to_owned()), ..told }
}

pub fn due(id: &str, told: &Told) -> Due {
    Due { id: id.to_owned(), told: told.clone() }
}

/// Where a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Before that step.
    Before(usize),
    /// After the platform did it, before it is remembered.
    Between(usize),
}

/// A channel, and what is remembered of it.
#[derive(Debug, Clone, Default)]
pub struct Chat {
    pub kept: Vec<Kept>,
    /// Every message that stands in the channel, also those that nobody remembers.
    pub shown: Vec<(String, Message)>,
    pub done: Vec<String>,
}

impl Chat {
    /// Carries steps out until the end or the crash; whether there was one.
    pub fn carry_out(&mut self, steps: &[Step], now: Instant, crash: Option<Crash>) -> bool {
        for (at, step) in steps.iter().enumerate() {
            if crash == Some(Crash::Before(at)) {
                return true;
            }
            let (post, saying) = match step {
                Step::Nothing { covers, .. } => {
                    self.done.extend(covers.iter().cloned());
                    continue;
                }
                Step::Post { saying, .. } => {
                    let post = format!("{}", self.shown.len());
                    self.shown.push((post.clone(), saying.message.clone()));
                    (post, saying)
                }
                Step::Update { post, saying, .. } => {
                    let shown = self.shown.iter_mut().find(|(id, _)| id == post).unwrap();
                    shown.1 = saying.message.clone();
                    (post.clone(), saying)
                }
            };
            if crash == Some(Crash::Between(at)) {
                return true;
            }
            match self.kept.iter_mut().find(|kept| kept.post == post) {
                Some(kept) => (kept.saying, kept.changed) = (saying.clone(), now),
                None => self.kept.push(Kept {
                    sink: "chat".to_owned(),
                    channel: "C1".to_owned(),
                    post,
                    posted: now,
                    changed: now,
                    saying: saying.clone(),
                }),
            }
            self.done.extend(step.covers().iter().cloned());
        }
        false
    }

    /// Tells what is due, as the service does: what was done before is not due.
    pub fn tell(&mut self, all: &[Due], now: Instant, settings: &Settings<'_>) -> Vec<Step> {
        let due: Vec<Due> = all.iter().filter(|due| !self.done.contains(&due.id)).cloned().collect();
        let steps = say(&self.kept, &due, now, settings);
        self.carry_out(&steps, now, None);
        // What the store gives back after a restart.
        for kept in &mut self.kept {
            let json = serde_json::to_string(&kept.saying).unwrap();
            let place = (kept.sink.clone(), kept.channel.clone(), kept.post.clone());
            let state = kept.saying.state.word();
            let read = Kept::read(place, (kept.posted, kept.changed), state, &json).unwrap();
            assert_eq!(read, *kept);
        }
        steps
    }
}

pub fn at(minute: i64) -> Instant {
    Instant(START + minute * MINUTE)
}

/// A message as plain text: buttons in brackets.
pub fn plain(message: &Message) -> String {
    let mut text = String::new();
    for line in &message.lines {
        text.push_str(&line.spans.iter().map(span).collect::<String>());
        text.push('\n');
    }
    for button in &message.buttons {
        text.push_str(&format!("[{}]", button.label));
    }
    text
}

fn span(span: &Span) -> String {
    match span {
        Span::Text(text) => text.clone(),
        Span::Bold(text) => format!("*{text}*"),
        Span::Code(text) => format!("`{text}`"),
        Span::Link { text, url } => format!("{text} ({url})"),
        Span::Person { name, id: Some(id) } => format!("@{name}:{id}"),
        Span::Person { name, id: None } => name.clone(),
    }
}
