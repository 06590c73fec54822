//! The lines of a message, in the order in which people read: what happened, where and when and how much, who wrote it,
//! links; then buttons.
//!
//! The sentence about an event is the notice's own, from `explain`. What stands here besides are facts without a
//! sentence, and what a *message* has to say of itself. Every text from outside is on one line and inert, in a
//! [`Span::Text`] or [`Span::Code`]; a link leads where the config or the forge says.
//!
//! Not here: what a platform makes of it.

use chrono::Datelike as _;
use chrono_tz::Tz;
use towpath_core::model::Instant;
use towpath_core::text::{Shown, one_line};

use super::Settings;
use super::buttons;
use super::kept::{Body, Saying, State};
use super::mention::{Calls, Cause};
use super::storm::{Row, Summary};
use super::told::{Announced, AnnouncedCommit, Told, Wrote};
use crate::chat::message::{Line, LineKind, Message, Span};
use crate::tell::events::Severity;

/// The most commits that are named, and the most authors of one.
pub const COMMITS_MAX: usize = 10;
const AUTHORS_MAX: usize = 5;

/// The most pauses and freezes that are named.
const PAUSES_MAX: usize = 3;

/// The most flows that a summary names, and the most things of each.
pub const FLOWS_MAX: usize = 20;
const OF_FLOW_MAX: usize = 6;

/// The longest texts, in characters: of a name, a subject, a line of a sentence, an address.
const NAME_MAX: usize = 120;
const SUBJECT_MAX: usize = 80;
const TEXT_MAX: usize = 1_000;
const URL_MAX: usize = 2_000;

/// How many lines of what a server said are shown.
const SAID_MAX: usize = 12;

/// What it says. `posts_at` is now where it is posted, and nothing where one that stands is changed: nobody sees when that
/// was, so there a time from then would mislead.
pub fn message(saying: &Saying, settings: &Settings<'_>, posts_at: Option<Instant>) -> Message {
    match &saying.body {
        Body::One { newest, .. } if saying.state == State::Superseded => superseded(saying, newest),
        Body::One { newest, before } => one(saying, newest, before.as_ref(), settings, posts_at),
        Body::Storm(summary) => storm(saying, summary, settings),
    }
}

/// A time in a zone, with the zone's name, as `explain` writes what has to last: `Sat 21 Nov 2026 14:32 CET`.
pub fn time(at: Instant, zone: Tz) -> String {
    match at.utc().filter(|utc| (0..=9_999).contains(&utc.year())) {
        Some(utc) => utc.with_timezone(&zone).format("%a %-d %b %Y %H:%M %Z").to_string(),
        None => at.to_string(),
    }
}

/// What is announced, with how long it is until then: `In 10 min, at Sat 21 Nov 2026 14:32 CET, 3 commits …`.
fn heading(told: &Told, posts_at: Option<Instant>) -> Option<String> {
    let said = told.heading.as_ref()?;
    let ahead = || {
        let ahead = told.announced.as_ref()?.at.since(posts_at?).ms();
        let rest = said.strip_prefix("At ")?;
        let minutes = (ahead + 30_000) / 60_000;
        let long = match minutes {
            ..0 => return None,
            0 => "less than a minute".to_owned(),
            1..120 => format!("{minutes} min"),
            _ => format!("{} h", (minutes + 30) / 60),
        };
        Some(format!("In {long}, at {rest}"))
    };
    Some(ahead().unwrap_or_else(|| said.clone()))
}

fn one(
    saying: &Saying,
    newest: &Told,
    before: Option<&Told>,
    settings: &Settings<'_>,
    posts_at: Option<Instant>,
) -> Message {
    let range = range(newest, before);
    let heading = heading(newest, posts_at);
    let mut lines = match &heading {
        Some(heading) => vec![line(LineKind::Heading, quoted(&one_line(heading, TEXT_MAX)))],
        None => sentence(newest),
    };
    lines.extend(newest.paused.iter().take(PAUSES_MAX).map(|text| paused(text)));
    lines.extend(facts(saying, newest, range));
    // What is over calls nobody.
    let is_over = before.is_some_and(|before| before.notice.severity == Severity::Problem);
    let mut calls = Calls::new(settings, cause(newest).filter(|_| !is_over)).but(&saying.known);
    // Where commits are listed, so is who wrote them.
    let authors = if range.is_some() { &[] } else { &*newest.authors };
    lines.extend(by("Written by ", authors, &mut calls));
    lines.extend(by("Ordered by ", newest.ordered_by.as_slice(), &mut calls));
    let mut in_short = None;
    if let Some(range) = range {
        let commits = commits(range, &mut calls);
        in_short = heading.as_deref().map(|heading| short(heading, &commits));
        lines.extend(commits);
    }
    let to_stop = newest.to_stop.as_deref().map(|text| quoted(&one_line(text, TEXT_MAX)));
    lines.extend(to_stop.map(|spans| line(LineKind::Small, spans)));
    if let Some(before) = before.filter(|_| is_over) {
        let mut first = sentence(before);
        first.truncate(1);
        lines.extend(first.into_iter().map(|line| Line { kind: LineKind::Small, ..line }));
    }
    lines.extend(links(newest, before));
    Message { lines, buttons: buttons::buttons(saying, newest), in_short }
}

/// The commits that are named: its own, or those that were announced and have all come.
fn range<'t>(newest: &'t Told, before: Option<&'t Told>) -> Option<&'t Announced> {
    let announced = || {
        let range = before?.announced.as_ref()?;
        (Some(range.newest) == newest.notice.new).then_some(range)
    };
    newest.announced.as_ref().or_else(announced)
}

fn cause(told: &Told) -> Option<Cause> {
    match (told.notice.event.as_str(), told.notice.severity) {
        ("heads-up", _) => Some(Cause::HeadsUp),
        ("pause-ends", _) => Some(Cause::Ordered),
        ("promoted" | "moved-by-hand", _) => Some(Cause::Landed),
        (_, Severity::Problem) => Some(Cause::Problem),
        (_, Severity::Info | Severity::Quiet) => None,
    }
}

/// A message that is not of today any more.
fn superseded(saying: &Saying, said: &Told) -> Message {
    let words = match said.notice.event.as_str() {
        "heads-up" if saying.replaced => "A newer message says what goes there now",
        "heads-up" => "This did not come as it was announced",
        "blocked" => "A newer message says what stands in the way now",
        _ => "This happened again; a newer message tells of it",
    };
    let mut lines = vec![line(LineKind::Heading, vec![Span::Text(words.to_owned())])];
    lines.extend(sentence(said).into_iter().take(1).map(|line| Line { kind: LineKind::Small, ..line }));
    lines.push(line(LineKind::Small, place(said)));
    Message { lines, buttons: Vec::new(), in_short: None }
}

/// What `explain` says: its first line stands out, what a server said follows small.
fn sentence(told: &Told) -> Vec<Line> {
    let mut texts = told.notice.text.lines().map(|text| one_line(text, TEXT_MAX)).filter(|text| !text.is_empty());
    let first = texts.next().unwrap_or_else(|| one_line(&told.notice.event, NAME_MAX));
    let mut lines = vec![line(LineKind::Heading, quoted(&first))];
    let rest: Vec<String> = texts.collect();
    lines.extend(rest.iter().take(SAID_MAX).map(|text| line(LineKind::Small, vec![Span::Text(text.clone())])));
    lines.extend(and_more(rest.len().saturating_sub(SAID_MAX), "more lines"));
    lines
}

/// A sentence whose names stand in back quotes. Where those do not pair it is text.
pub(super) fn quoted(text: &str) -> Vec<Span> {
    if !text.matches('`').count().is_multiple_of(2) {
        return vec![Span::Text(text.to_owned())];
    }
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    // A mark that stood on a letter begins a part now, and would stand on whatever comes before it.
    let span = |(at, part): (usize, &str)| match at % 2 {
        0 => Span::Text(Shown::new(part).to_string()),
        _ => Span::Code(Shown::new(part).to_string()),
    };
    parts.map(span).collect()
}

/// A heading and what is listed below it, in one line: who and what, also where only so much is shown.
fn short(heading: &str, commits: &[Line]) -> String {
    let text = |span: &Span| match span {
        Span::Text(text)
        | Span::Bold(text)
        | Span::Code(text)
        | Span::Link { text, .. }
        | Span::Person { name: text, .. } => text.clone(),
    };
    let listed: Vec<String> = commits.iter().map(|line| line.spans.iter().map(text).collect()).collect();
    format!("{}: {}", one_line(&heading.replace('`', ""), TEXT_MAX), listed.join(" · "))
}

/// `production of checkout · 3 commits · Sat 21 Nov 2026 14:32 CET · ×3, last Sat 21 Nov 2026 15:05 CET`. Nothing where
/// the heading has said it.
fn facts(saying: &Saying, newest: &Told, range: Option<&Announced>) -> Option<Line> {
    if newest.heading.is_some() {
        return None;
    }
    let mut spans = place(newest);
    let mut fact = |text: String| spans.push(Span::Text(format!(" · {text}")));
    if let Some(range) = range {
        let all = u32::try_from(range.commits.len()).unwrap_or(u32::MAX).saturating_add(range.more);
        fact(counted(all, "commit", "commits"));
    }
    let zone = newest.zone;
    let moves = newest.announced.as_ref().filter(|_| newest.notice.event == "heads-up");
    if saying.count > 1 {
        fact(time(saying.first_at, zone));
        fact(format!("×{}, last {}", saying.count, time(saying.last_at, zone)));
    } else {
        fact(time(moves.map_or(newest.at(), |range| range.at), zone));
    }
    Some(line(LineKind::Text, spans))
}

fn place(told: &Told) -> Vec<Span> {
    let env = one_line(told.notice.environment.as_str(), NAME_MAX);
    let flow = one_line(told.notice.flow.as_str(), NAME_MAX);
    vec![Span::Bold(env), Span::Text(" of ".to_owned()), Span::Bold(flow)]
}

/// That a pause or freeze stands there.
fn paused(text: &str) -> Line {
    let mut spans = vec![Span::Text("⏸ ".to_owned())];
    spans.extend(quoted(&one_line(text, TEXT_MAX)));
    line(LineKind::Text, spans)
}

fn by(what: &str, authors: &[Wrote], calls: &mut Calls<'_>) -> Option<Line> {
    let mut spans = vec![Span::Text(what.to_owned())];
    spans.extend(people(authors, COMMITS_MAX, ", ", calls));
    (!authors.is_empty()).then(|| line(LineKind::Text, spans))
}

/// `Marek, Ana, Bo and 2 more`, where `second` is what stands between the first two.
fn people(authors: &[Wrote], most: usize, second: &str, calls: &mut Calls<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    for (at, author) in authors.iter().take(most).enumerate() {
        if at > 0 {
            spans.push(Span::Text(if at == 1 { second } else { ", " }.to_owned()));
        }
        spans.push(calls.span(author));
    }
    let more = authors.len().saturating_sub(most);
    if more > 0 {
        spans.push(Span::Text(format!(" and {more} more")));
    }
    spans
}

/// Commits by who wrote them, a line each.
fn commits(range: &Announced, calls: &mut Calls<'_>) -> Vec<Line> {
    let mut by: Vec<(&[Wrote], Vec<&AnnouncedCommit>)> = Vec::new();
    for commit in range.commits.iter().take(COMMITS_MAX) {
        match by.iter_mut().find(|(authors, _)| *authors == commit.authors) {
            Some((_, of)) => of.push(commit),
            None => by.push((&commit.authors, vec![commit])),
        }
    }
    let mut lines = Vec::new();
    for (authors, of) in by {
        let mut spans = people(authors, AUTHORS_MAX, " with ", calls);
        for (at, commit) in of.into_iter().enumerate() {
            let gap = match (at, spans.is_empty()) {
                (0, true) => None,
                (0, false) => Some(" — "),
                _ => Some(" · "),
            };
            spans.extend(gap.map(|gap| Span::Text(gap.to_owned())));
            spans.push(Span::Code(commit.id.short()));
            let subject = one_line(&commit.subject, SUBJECT_MAX);
            if !subject.is_empty() {
                spans.push(Span::Text(format!(" {subject}")));
            }
        }
        lines.push(line(LineKind::Item, spans));
    }
    let hidden = range.commits.len().saturating_sub(COMMITS_MAX);
    lines.extend(and_more(hidden.saturating_add(usize::try_from(range.more).unwrap_or(usize::MAX)), "more"));
    lines
}

fn links(newest: &Told, before: Option<&Told>) -> Option<Line> {
    let compare = newest.compare.as_deref().or_else(|| before?.compare.as_deref());
    let pages = [("Compare", compare), ("Details", newest.notice.url.as_deref())];
    let mut spans = Vec::new();
    for (text, url) in pages {
        let Some(url) = url.filter(|url| is_page(url)) else { continue };
        if !spans.is_empty() {
            spans.push(Span::Text(" · ".to_owned()));
        }
        spans.push(Span::Link { text: text.to_owned(), url: url.to_owned() });
    }
    (!spans.is_empty()).then(|| line(LineKind::Small, spans))
}

/// An address that no platform's form of a link takes for more than one.
pub(super) fn is_page(url: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !b"<>|\"'`\\()[]{}".contains(&b);
    (url.starts_with("https://") || url.starts_with("http://")) && url.len() <= URL_MAX && url.bytes().all(plain)
}

/// Many flows at once: how many, each with what happened there, worst first.
fn storm(saying: &Saying, summary: &Summary, settings: &Settings<'_>) -> Message {
    let flows = summary.by_flow();
    let count = u32::try_from(flows.len()).unwrap_or(u32::MAX);
    let problems = summary.problems();
    let mut heading = vec![Span::Text(format!("{} at once", counted(count, "flow", "flows")))];
    if problems > 0 {
        heading.push(Span::Text(format!(", {}", counted(problems, "problem", "problems"))));
    }
    let mut lines = vec![line(LineKind::Heading, heading)];
    let span = format!("{} to {}", time(saying.first_at, settings.zone), time(saying.last_at, settings.zone));
    lines.push(line(LineKind::Text, vec![Span::Text(span)]));
    lines.extend(flows.iter().take(FLOWS_MAX).map(|(flow, rows)| {
        let mut spans = vec![Span::Bold(one_line(flow.as_str(), NAME_MAX))];
        rows.iter().take(OF_FLOW_MAX).for_each(|row| spans.extend(of_flow(row)));
        let more = rows.len().saturating_sub(OF_FLOW_MAX);
        if more > 0 {
            spans.push(Span::Text(format!(" · and {more} more")));
        }
        line(LineKind::Item, spans)
    }));
    lines.extend(and_more(flows.len().saturating_sub(FLOWS_MAX), "more flows"));
    lines.extend(and_more(usize::try_from(summary.dropped()).unwrap_or(usize::MAX), "more events"));
    Message { lines, buttons: buttons::status(), in_short: None }
}

fn of_flow(row: &Row) -> [Span; 3] {
    let times = if row.times > 1 { format!(" ×{}", row.times) } else { String::new() };
    let sign = if row.severity == Severity::Problem { "⚠ " } else { "" };
    [
        Span::Text(format!(" · {sign}{} ", one_line(row.env.as_str(), NAME_MAX))),
        Span::Code(one_line(&row.word, NAME_MAX)),
        Span::Text(times),
    ]
}

/// `and 7 more`.
pub(super) fn and_more(count: usize, what: &str) -> Option<Line> {
    (count > 0).then(|| line(LineKind::Small, vec![Span::Text(format!("and {count} {what}"))]))
}

/// `1 commit`, `2 commits`.
pub(super) fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

pub(super) fn line(kind: LineKind, mut spans: Vec<Span>) -> Line {
    spans.retain(|span| !matches!(span, Span::Text(text) if text.is_empty()));
    Line { kind, spans }
}
