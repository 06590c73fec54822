//! The last day in one message: what moved and how fast, on whom something waits, what is blocked, what is paused.
//!
//! Not here: where that is read (the ledger and the stored decisions), and sending it.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use towpath_core::calendar::Schedule;
use towpath_core::model::{
    Decision, EnvName, Event, EventRow, FlowName, Instant, Pause, PauseKind, Scope, Span, Until, Verdict, Who,
};
use towpath_core::text::one_line;

use super::buttons::status;
use super::told::about;
use super::words::{and_more, counted, line, quoted, time};
use crate::chat::message::{Line, LineKind, Message, Span as Text};
use crate::tell::events::{Severity, row};

/// The most rows under one heading.
pub const ROWS_MAX: usize = 10;

/// The longest texts, in characters: of a name, of a sentence or a reason.
const NAME_MAX: usize = 120;
const TEXT_MAX: usize = 300;

/// What the first digest of a sink reaches back, and what any reaches back at most.
const FIRST: Span = Span::from_mins(24 * 60);
const REACH_MAX: Span = Span::from_mins(7 * 24 * 60);

/// What a digest is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Since when: see [`due`].
    pub from: Instant,
    /// In which zone times are told.
    pub zone: Tz,
    /// Every promotion that landed since.
    pub landed: Vec<Landed>,
    /// What went wrong since: see [`troubles`].
    pub troubles: Vec<Trouble>,
    /// What stands now, most urgent first.
    pub standing: Vec<Standing>,
    /// The pauses and freezes that are in force.
    pub pauses: Vec<Pause>,
}

/// A promotion that landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// Whose.
    pub flow: FlowName,
    /// Where.
    pub env: EnvName,
    /// How many commits came with it.
    pub commits: u32,
    /// How long each took from the first environment to here. Only where this is the last one: a day's lead is that of
    /// whole ways.
    pub leads: Vec<Span>,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Where.
    pub flow: FlowName,
    /// Where in it.
    pub env: EnvName,
    /// The event's word.
    pub word: &'static str,
    /// How often.
    pub times: u32,
    /// Whether all of it is over.
    pub is_over: bool,
}

/// An edge that does not move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose.
    pub flow: FlowName,
    /// What about it.
    pub how: Stands,
    /// What `explain` says of it, in a form that lasts.
    pub headline: String,
    /// As of when, in words, where nobody has looked for longer than usual.
    pub as_of: Option<String>,
}

/// Why an edge does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It waits on people.
    OnPeople,
    /// Somebody has to mend something.
    Blocked,
}

impl Standing {
    /// What a decision is to a digest; nothing if it moves, or if time alone does it. `headline` is what
    /// `Words::headline` says, with `lasting`.
    pub fn of(flow: &FlowName, decision: &Decision, headline: String) -> Option<Self> {
        let how = match &decision.verdict {
            Verdict::Pass { .. } => return None,
            Verdict::Block { .. } => Stands::Blocked,
            Verdict::Wait { on, .. } => match on {
                Who::Time | Who::Ci | Who::Towpath | Who::Environment(_) => return None,
                Who::Pushers(_)
                | Who::Approvers(_)
                | Who::Person(_)
                | Who::Remote
                | Who::Operator
                | Who::Service(_) => Stands::OnPeople,
            },
        };
        Some(Self { flow: flow.clone(), how, headline, as_of: None })
    }
}

/// What went wrong in a flow, of its events in the order in which they happened. What came to an end among them is over.
pub fn troubles(flow: &FlowName, events: &[EventRow]) -> Vec<Trouble> {
    let mut found: BTreeMap<(&EnvName, &'static str), Times> = BTreeMap::new();
    for one in events {
        let row = row(&one.event);
        if row.severity == Severity::Problem {
            let times = found.entry((&one.env, row.word)).or_default();
            times.times = times.times.saturating_add(1);
            times.over.insert(about(&one.event), false);
        }
        for (word, about) in ends(&one.event) {
            let times = found.get_mut(&(&one.env, word));
            if let Some(over) = times.and_then(|times| times.over.get_mut(&about)) {
                *over = true;
            }
        }
    }
    let mut all = Vec::new();
    for ((env, word), Times { times, over }) in found {
        let is_over = over.into_values().all(|over| over);
        all.push(Trouble { flow: flow.clone(), env: env.clone(), word, times, is_over });
    }
    all
}

/// How often something went wrong, and of each thing that it was about whether that is over.
#[derive(Debug, Default)]
struct Times {
    times: u32,
    over: BTreeMap<Option<String>, bool>,
}

/// Which problems an event ends, by their word and what they are about.
fn ends(event: &Event) -> Vec<(&'static str, Option<String>)> {
    match event {
        Event::CaughtUp { .. } => vec![("behind", None)],
        Event::Unblocked { .. } => vec![("blocked", None)],
        Event::PutBack { .. } => vec![("rewound", about(event))],
        Event::Landed { new, .. } | Event::Moved { new, .. } | Event::Overtaken { now: new, .. } => {
            vec![("refused", Some(new.to_string())), ("called-off", Some(new.to_string()))]
        }
        Event::Rewound { .. }
        | Event::Withdrawn { .. }
        | Event::EndsSoon { .. }
        | Event::Refused { .. }
        | Event::CalledOff { .. }
        | Event::Proposed { .. }
        | Event::HeadsUp { .. }
        | Event::TakenBack { .. }
        | Event::Behind { .. }
        | Event::Blocked { .. } => Vec::new(),
    }
}

/// Since when a digest is due now, if one is.
///
/// One for each slot of the schedule, and one for all that were missed. `last` is when the last one was sent; without it
/// the first is sent in a slot, so that nobody gets one for having started the service.
pub fn due(last: Option<Instant>, schedule: &Schedule, now: Instant) -> Option<Instant> {
    let back = |span: Span| Instant(now.0.saturating_sub(span.ms()));
    // One that is to come a day from now was written by a clock that was wrong.
    match last.filter(|last| *last <= now + FIRST) {
        None => schedule.slot(now).map(|_| back(FIRST)),
        Some(last) => {
            let is_due = schedule.next_slot(last).is_some_and(|slot| slot <= now);
            is_due.then(|| last.max(back(REACH_MAX)))
        }
    }
}

/// The digest; none where nothing happened and nothing stands.
pub fn digest(day: &Day) -> Option<Message> {
    if day.landed.is_empty() && day.troubles.is_empty() && day.standing.is_empty() && day.pauses.is_empty() {
        return None;
    }
    let moved = day.landed.iter().fold(0_u32, |sum, landed| sum.saturating_add(landed.commits));
    let mut heading = match moved {
        0 => format!("Since {}: nothing moved", time(day.from, day.zone)),
        moved => format!("Since {}: {} moved", time(day.from, day.zone), counted(moved, "commit", "commits")),
    };
    if let Some(lead) = median(day.landed.iter().flat_map(|landed| &landed.leads)) {
        heading.push_str(&format!(", p50 lead {lead}"));
    }
    let of = |how: Stands| day.standing.iter().filter(move |standing| standing.how == how).map(stands).collect();
    let mut lines = vec![line(LineKind::Heading, vec![Text::Text(heading)])];
    lines.extend(moves(&day.landed));
    lines.extend(section("Waiting on people", of(Stands::OnPeople)));
    lines.extend(section("Blocked", of(Stands::Blocked)));
    lines.extend(section("Paused", day.pauses.iter().map(|pause| paused(pause, day.zone)).collect()));
    let mut troubles: Vec<&Trouble> = day.troubles.iter().collect();
    troubles.sort_by_key(|trouble| trouble.is_over);
    lines.extend(section("Problems", troubles.into_iter().map(went_wrong).collect()));
    Some(Message { lines, buttons: status(), in_short: None })
}

/// The smallest that half of them do not exceed.
fn median<'s>(of: impl Iterator<Item = &'s Span>) -> Option<Span> {
    let mut all: Vec<Span> = of.copied().collect();
    all.sort_unstable();
    all.get(all.len().checked_sub(1)? / 2).copied()
}

/// `production: 12 commits, 3 promotions`.
fn moves(landed: &[Landed]) -> Vec<Line> {
    let mut by_env: BTreeMap<&EnvName, (u32, u32)> = BTreeMap::new();
    for one in landed {
        let (commits, moves) = by_env.entry(&one.env).or_default();
        *commits = commits.saturating_add(one.commits);
        *moves = moves.saturating_add(1);
    }
    let row = |(env, (commits, moves)): (&EnvName, (u32, u32))| {
        let commits = counted(commits, "commit", "commits");
        vec![
            Text::Bold(one_line(env.as_str(), NAME_MAX)),
            Text::Text(format!(" · {commits} · {}", counted(moves, "promotion", "promotions"))),
        ]
    };
    section("Moved", by_env.into_iter().map(row).collect())
}

fn section(heading: &str, mut rows: Vec<Vec<Text>>) -> Vec<Line> {
    if rows.is_empty() {
        return Vec::new();
    }
    let more = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    let mut lines = vec![line(LineKind::Text, vec![Text::Bold(heading.to_owned())])];
    lines.extend(rows.into_iter().map(|spans| line(LineKind::Item, spans)));
    lines.extend(and_more(more, "more"));
    lines
}

fn stands(standing: &Standing) -> Vec<Text> {
    let mut spans = vec![Text::Bold(one_line(standing.flow.as_str(), NAME_MAX)), Text::Text(" · ".to_owned())];
    spans.extend(quoted(&one_line(&standing.headline, TEXT_MAX)));
    spans.extend(standing.as_of.iter().map(|as_of| Text::Text(format!(" · {as_of}"))));
    spans
}

fn paused(pause: &Pause, zone: Tz) -> Vec<Text> {
    let name = |name: &str| Text::Bold(one_line(name, NAME_MAX));
    let mut spans = match &pause.scope {
        Scope::All => vec![Text::Bold("everything".to_owned())],
        Scope::Flow(flow) => vec![name(flow.as_str())],
        Scope::Edge(flow, env) => vec![name(env.as_str()), Text::Text(" of ".to_owned()), name(flow.as_str())],
        Scope::Environment(env) => vec![name(env.as_str()), Text::Text(" of every flow".to_owned())],
    };
    let kind = match pause.kind {
        PauseKind::Pause => "paused",
        PauseKind::Freeze => "frozen",
    };
    let until = match pause.until {
        Until::At(at) => time(at, zone),
        Until::Resumed => "resumed".to_owned(),
    };
    let (by, reason) = (one_line(pause.by.as_str(), NAME_MAX), one_line(&pause.reason, TEXT_MAX));
    spans.push(Text::Text(format!(" · {kind} until {until} · by {by} · {reason}")));
    spans
}

fn went_wrong(trouble: &Trouble) -> Vec<Text> {
    let times = if trouble.times > 1 { format!(" ×{}", trouble.times) } else { String::new() };
    let over = if trouble.is_over { " · over" } else { "" };
    vec![
        Text::Bold(one_line(trouble.env.as_str(), NAME_MAX)),
        Text::Text(" of ".to_owned()),
        Text::Bold(one_line(trouble.flow.as_str(), NAME_MAX)),
        Text::Text(" · ".to_owned()),
        Text::Code(trouble.word.to_owned()),
        Text::Text(format!("{times}{over}")),
    ]
}
