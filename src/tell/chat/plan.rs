//! Which messages of a sink are posted, and which are changed, for what it is to be told.
//!
//! Not here: what one notice means (`fold`), lines (`words`), calls, and what is remembered of them (`store::messages`).

use std::collections::BTreeSet;

use towpath_core::model::{FlowName, Instant, Span};

use super::Settings;
use super::fold::{Thread, Threads, moment};
use super::kept::{Body, Kept, Key, Saying, State};
use super::storm::Summary;
use super::told::Told;
use super::words;
use crate::chat::message::Message;

/// What is posted within this of one another may be a storm.
const STORM_WITHIN: Span = Span::from_mins(1);

/// A notice that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The id of its row: the same at each try.
    pub id: String,
    /// What is told.
    pub told: Told,
}

/// What to do, in the order given.
///
/// A step that was carried out is remembered together with the notices that it covers, in one transaction. One that was
/// not is worked out anew from what stands then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Posts a message.
    Post {
        /// What it says.
        saying: Saying,
        /// The notices that are done then.
        covers: Vec<String>,
    },
    /// Changes one. It may cover nothing: a message whose buttons are of no use any more.
    Update {
        /// The channel, as the platform's answer named it.
        channel: String,
        /// The platform's id of the message.
        post: String,
        /// What it says.
        saying: Saying,
        /// The notices that are done then.
        covers: Vec<String>,
    },
    /// Says nothing.
    Nothing {
        /// The notices that are done.
        covers: Vec<String>,
        /// Why nothing is said.
        why: Why,
    },
}

impl Step {
    /// The notices that are done by it.
    pub fn covers(&self) -> &[String] {
        match self {
            Self::Post { covers, .. } | Self::Update { covers, .. } | Self::Nothing { covers, .. } => covers,
        }
    }
}

/// Why nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A message says it.
    AlreadySaid,
    /// A message says what happened after it.
    Older,
    /// What it announces was to come by now: it is given up.
    TooLate {
        /// When.
        at: Instant,
    },
    /// Something else came before anybody was told.
    Overtaken,
    /// No message that stands announces what is taken back.
    NotAnnounced,
}

impl Why {
    /// Why it is done with, for `towpath outbox`; none of what is given up instead, whose row says that itself.
    pub const fn words(self) -> Option<&'static str> {
        Some(match self {
            Self::TooLate { .. } => return None,
            Self::AlreadySaid => "a message in the channel says it already",
            Self::Older => "a message in the channel says what happened after it",
            Self::NotAnnounced => "no message in the channel announces what is taken back",
            Self::Overtaken => "something else happened before it could be said",
        })
    }
}

/// What a sink does about what is due.
///
/// `kept` are the sink's messages: those that are open, and those that ended within the last day or two. Each notice is
/// covered by exactly one step.
pub fn say(kept: &[Kept], due: &[Due], now: Instant, settings: &Settings<'_>) -> Vec<Step> {
    let mut heard: BTreeSet<&str> = kept.iter().flat_map(|one| &one.saying.heard).map(String::as_str).collect();
    let mut threads = Threads::new(kept, now);
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut in_order: Vec<&Due> = due.iter().filter(|due| seen.insert(&due.id)).collect();
    in_order.sort_by_key(|due| (moment(&due.told), &due.id));
    for due in in_order {
        if heard.insert(&due.id) {
            threads.take(&due.id, &due.told);
        } else {
            threads.nothing.push((due.id.clone(), Why::AlreadySaid));
        }
    }
    let Threads { all, nothing, .. } = threads;
    let mut touched: Vec<Thread<'_>> = all.into_iter().filter(|thread| thread.touched).collect();
    let storm = storm(kept, &mut touched, now, settings);
    // What one event changes besides its own message goes before that: once an event is done, nobody comes back to it.
    touched.sort_by_key(|thread| (!thread.covers.is_empty(), thread.saying.key.is_changed_by()));
    let said: Vec<Step> = touched.into_iter().map(|thread| step(thread, settings, now)).chain(storm).collect();
    // What was overtaken goes first of all: without what overtook it, it would be said.
    let (overtaken, mut steps): (Vec<Step>, Vec<Step>) =
        said.into_iter().partition(|step| matches!(step, Step::Nothing { .. }));
    steps.splice(0..0, overtaken);
    // What is not said for itself may have changed others all the same.
    steps.extend(nothing.into_iter().map(|(id, why)| Step::Nothing { covers: vec![id], why }));
    steps
}

fn step(thread: Thread<'_>, settings: &Settings<'_>, now: Instant) -> Step {
    let Thread { kept, mut saying, covers, .. } = thread;
    if kept.is_none() && saying.state == State::Superseded {
        return Step::Nothing { covers, why: Why::Overtaken };
    }
    saying.message = words::message(&saying, settings, kept.is_none().then_some(now));
    match kept {
        None => Step::Post { saying, covers },
        Some(kept) => Step::Update { channel: kept.channel.clone(), post: kept.post.clone(), saying, covers },
    }
}

/// What asks something of people: they are called by it, and told until when and how. No summary says that, so it is
/// neither put into one nor counted for one.
const ASKS: [&str; 2] = ["heads-up", "pause-ends"];

fn asks(told: &Told) -> bool {
    ASKS.contains(&told.notice.event.as_str())
}

/// Where too many flows would have new messages within a minute: one summary in their place. What only changes a message
/// that stands makes no noise and is left alone, and so is what asks something of people.
fn storm(kept: &[Kept], touched: &mut Vec<Thread<'_>>, now: Instant, settings: &Settings<'_>) -> Option<Step> {
    let is_new = |thread: &Thread<'_>| {
        let asks = matches!(&thread.saying.body, Body::One { newest, .. } if asks(newest));
        thread.kept.is_none() && thread.saying.state != State::Superseded && !asks
    };
    let just_now = |at: Instant| now.0.saturating_sub(at.0).saturating_abs() <= STORM_WITHIN.ms();
    let mut flows: BTreeSet<&FlowName> = BTreeSet::new();
    for one in kept {
        match &one.saying.body {
            // What became of it since changed nothing but the message.
            Body::One { newest, before }
                if just_now(one.posted) && !asks(newest) && !before.as_ref().is_some_and(asks) =>
            {
                flows.insert(&newest.notice.flow);
            }
            Body::Storm(summary) if just_now(one.changed) => flows.extend(summary.flows()),
            Body::One { .. } | Body::Storm(_) => {}
        }
    }
    let new: Vec<&Thread<'_>> = touched.iter().filter(|thread| is_new(thread)).collect();
    let flow = |thread: &Thread<'_>| match &thread.saying.body {
        Body::One { newest, .. } => Some(newest.notice.flow.clone()),
        Body::Storm(_) => None,
    };
    let of_new: BTreeSet<FlowName> = new.iter().filter_map(|thread| flow(thread)).collect();
    flows.extend(&of_new);
    if new.is_empty() || flows.len() <= usize::try_from(settings.storm).unwrap_or(usize::MAX) {
        return None;
    }
    let standing = kept.iter().filter(|one| matches!(one.saying.body, Body::Storm(_)) && just_now(one.changed));
    let standing = standing.max_by_key(|one| one.changed);
    let mut saying = standing.map_or_else(|| empty(now), |one| one.saying.clone());
    let mut covers = Vec::new();
    let (swept, rest) = std::mem::take(touched).into_iter().partition::<Vec<_>, _>(is_new);
    *touched = rest;
    for thread in swept {
        if let (Body::Storm(summary), Body::One { newest, .. }) = (&mut saying.body, &thread.saying.body) {
            summary.add(newest, thread.saying.count);
        }
        saying.first_at = saying.first_at.min(thread.saying.first_at);
        saying.last_at = saying.last_at.max(thread.saying.last_at);
        saying.count = saying.count.saturating_add(thread.saying.count);
        thread.covers.iter().for_each(|id| saying.hear(id));
        covers.extend(thread.covers);
    }
    saying.message = words::message(&saying, settings, standing.is_none().then_some(now));
    Some(match standing {
        None => Step::Post { saying, covers },
        Some(one) => Step::Update { channel: one.channel.clone(), post: one.post.clone(), saying, covers },
    })
}

fn empty(now: Instant) -> Saying {
    Saying {
        key: Key::storm(now),
        state: State::Closed,
        first_at: now,
        last_at: Instant(i64::MIN),
        count: 0,
        heard: Vec::new(),
        known: Vec::new(),
        replaced: false,
        body: Body::Storm(Summary::default()),
        message: Message::default(),
    }
}
