//! The one place that turns reasons into sentences.
//!
//! Every view prints what is written here: command line, page, chat, commit status. The rules:
//! a sentence says what is so, what happens next and who can act; `wait` names the time or says
//! why there is none; `block` names who. Names are in backticks, nobody is blamed, nothing is
//! advised that cannot work, and no full stop follows a commit id. A sentence that is a line of
//! its own has no full stop.
//!
//! Whatever came from outside passes `inert`. Matches name every variant, so that a new reason
//! does not compile until it has its sentence. Pure: the instant is given.

mod compare;
mod divergence;
mod event;
mod inert;
mod migrations;
mod permit;
mod reason;
mod request;
mod says;
#[cfg(test)]
mod tests;
mod todo;

use std::fmt;

use chrono::Datelike;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::command::Verb;
use crate::model::{
    Action, Actor, Candidate, Check, CommitId, Decision, Distance, Edge, Flow, Gate, GateKind, Held, Instant,
    Judged, MergeHow, Mode, Oldest, Reason, Span, Tip, Verdict, Who,
};
use crate::see::SOMEBODY;
use inert::{name, quote};

pub use compare::{ComparisonWords, EdgeWords};
pub use inert::shell_word;
pub use permit::{refused, refused_for};
pub use request::MARKER as REQUEST_MARKER;
pub use says::COMMENT_MARKER;

/// The longest subject of a commit that is shown.
const SUBJECT_MAX: usize = 80;

/// The longest name of somebody who wrote a commit, in characters.
const WRITER_MAX: usize = 60;

/// The longest reason of a person that is shown.
const REASON_MAX: usize = 200;

/// What a sentence needs to know besides what it tells.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The zone in which times are shown.
    pub zone: Tz,
    /// The instant from which "in 12m" counts.
    pub now: Instant,
    /// The flow that is told of.
    pub flow: &'a Flow,
    /// What stands for the repository in git commands to copy: `origin` or a URL.
    pub remote_word: &'a str,
    /// Whether what is said stays where it is put, so that "in 12m" would soon be untrue.
    pub lasting: bool,
}

/// A decision in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// One line: what [`Words::headline`] says.
    pub headline: String,
    /// What was found, worst first.
    pub lines: Vec<Line>,
    /// What somebody can do, best first.
    pub todo: Vec<Todo>,
}

/// One line of what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// How it bears on the move.
    pub mark: Mark,
    /// The sentence, in one line.
    pub text: String,
}

/// How a line bears on the move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It passes.
    Pass,
    /// It waits.
    Wait,
    /// It blocks.
    Block,
    /// It belongs to the line above, or only informs.
    Note,
}

/// Something that somebody can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Todo {
    /// What and why, in one line.
    pub say: String,
    /// The commands that do it, each complete but for words in capitals. To be copied, so without
    /// marks around them.
    pub commands: Vec<String>,
}

impl Mark {
    /// The sign at the line's beginning.
    pub const fn sign(self) -> char {
        match self {
            Self::Pass => '+',
            Self::Wait => '~',
            Self::Block => '!',
            Self::Note => ' ',
        }
    }

    /// That of a verdict.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass { .. } => Self::Pass,
            Verdict::Wait { .. } => Self::Wait,
            Verdict::Block { .. } => Self::Block,
        }
    }
}

/// The whole explanation as lines for a terminal.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        for line in &self.lines {
            writeln!(f, "  {} {}", line.mark.sign(), line.text)?;
        }
        for todo in &self.todo {
            writeln!(f, "\n{}", todo.say)?;
            for command in &todo.commands {
                writeln!(f, "    {command}")?;
            }
        }
        Ok(())
    }
}

impl Words<'_> {
    /// An instant in the flow's zone with the distance from now: `14:32 CET (in 12m)`,
    /// `Mon 23 Nov 09:00 CET (in 1d 18h)`, `10:02 CET (3h ago)`; where it has to last,
    /// `Sat 21 Nov 2026 14:32 CET`.
    pub fn at(&self, at: Instant) -> String {
        let local = |instant: Instant| {
            let utc = instant.utc().filter(|utc| (0..=9_999).contains(&utc.year()))?;
            Some(utc.with_timezone(&self.zone))
        };
        let (Some(then), Some(now)) = (local(at), local(self.now)) else { return at.to_string() };
        if self.lasting {
            return then.format("%a %-d %b %Y %H:%M %Z").to_string();
        }
        let form = match () {
            () if then.date_naive() == now.date_naive() => "%H:%M %Z",
            () if then.year() == now.year() => "%a %-d %b %H:%M %Z",
            () => "%a %-d %b %Y %H:%M %Z",
        };
        format!("{} ({})", then.format(form), self.distance(at))
    }

    /// `in 12m`, `3h ago` or `now`: never shorter than it is ahead, never longer than it is past.
    fn distance(&self, at: Instant) -> String {
        if at > self.now {
            return format!("in {}", at.since(self.now));
        }
        let past = self.now.since(at).ms();
        let whole = if past < 60_000 { past - past % 1_000 } else { past - past % 60_000 };
        if whole == 0 { "now".to_owned() } else { format!("{} ago", Span::from_ms(whole)) }
    }

    /// On whom something waits or who can mend it, as the subject of a sentence.
    pub fn who(&self, who: &Who) -> String {
        match who {
            Who::Time => "time".to_owned(),
            Who::Ci => "CI".to_owned(),
            Who::Towpath => "Towpath".to_owned(),
            Who::Pushers(branch) => format!("whoever may push to {}", name(branch.as_str())),
            Who::Approvers(people) if people.is_empty() => "anybody who may approve".to_owned(),
            Who::Approvers(people) => list(people.iter().map(name), "or"),
            Who::Person(actor) if actor.as_str() == SOMEBODY => "whoever may steer this flow".to_owned(),
            Who::Person(actor) => format!("{} or whoever may steer this flow", self.actor(actor)),
            Who::Remote => format!("whoever administers the server of {}", name(&self.flow.repository)),
            Who::Operator => "whoever runs Towpath".to_owned(),
            Who::Environment(env) => format!("the edge into {}", name(env.as_str())),
            Who::Service(host) => format!("whoever runs {}", name(host)),
        }
    }

    /// A verdict in one line: the reason, then until when or why that is not known, or who can
    /// mend it.
    pub fn verdict(&self, verdict: &Verdict) -> String {
        capital(self.verdict_on(verdict, None))
    }

    /// A reason in one line.
    pub fn reason(&self, reason: &Reason) -> String {
        capital(self.clause(reason, None))
    }

    /// The verdict as a clause, on an edge if that is known.
    pub(super) fn verdict_on(&self, verdict: &Verdict, edge: Option<Edge<'_>>) -> String {
        match verdict {
            Verdict::Pass { why } => self.clause(why, edge),
            Verdict::Wait { why, on, until } => {
                let why_clause = self.clause(why, edge);
                match self.ending(why, on, *until, edge) {
                    Some(ending) => format!("{why_clause}; {ending}"),
                    None => why_clause,
                }
            }
            Verdict::Block { why, who } => format!("{}; {}", self.clause(why, edge), self.mender(why, who)),
        }
    }

    /// Who can mend it, as a clause.
    fn mender(&self, why: &Reason, who: &Who) -> String {
        match who {
            Who::Time => "time mends it".to_owned(),
            Who::Towpath => "Towpath looks again by itself".to_owned(),
            Who::Environment(_) => format!("{} has to move first", self.who(who)),
            Who::Person(actor) => self.lifter(why, actor),
            Who::Ci | Who::Approvers(_) | Who::Pushers(_) | Who::Remote | Who::Operator | Who::Service(_) => {
                format!("{} can mend it", self.who(who))
            }
        }
    }

    /// Who may undo what a person ordered: the right that it takes, for the config may have taken it from them since, or
    /// never have given it (who wrote a commit may hold it without).
    fn lifter(&self, why: &Reason, by: &Actor) -> String {
        let right = match why {
            Reason::Held { what: Held::Commit(_), .. } => Verb::Unhold,
            // What was taken back stays back until somebody may order that.
            Reason::Held { what: Held::Range { .. }, .. }
            | Reason::Frozen { .. }
            | Reason::Paused { keeps_back: true, .. } => Verb::Freeze,
            Reason::Paused { keeps_back: false, .. } => Verb::Resume,
            Reason::PushInDoubt { .. } => Verb::Retry,
            Reason::RequestClosed { .. } if by.as_str() == SOMEBODY => Verb::Retry,
            // Who closed it can open it again on the forge.
            Reason::RequestClosed { .. } => {
                return format!("{} or whoever may `{}` there can lift it", self.actor(by), Verb::Retry);
            }
            _ => return format!("{} can lift it", self.who(&Who::Person(by.clone()))),
        };
        format!("whoever may `{right}` there can lift it")
    }

    /// One line for an edge: what moves, waits or is blocked, until when or by whom it mends, and
    /// how many commits wait.
    pub fn headline(&self, decision: &Decision) -> String {
        let edge = self.flow.edge(&decision.env);
        let observing = edge.is_some_and(|e| e.target.mode == Mode::Observe);
        let (said, lead) = (self.said(decision, edge, observing), decision.lead.as_ref());
        let mut line = format!("{}: {said}", inert::shown(decision.env.as_str(), 80));
        let reached = decision.looked_at >= self.flow.look_back && decision.waiting > decision.looked_at;
        if reached && !matches!(decision.verdict.why(), Reason::NotLookedAt { .. }) {
            line.push_str(&format!("; looked at {} of {}", decision.looked_at, decision.waiting));
        } else if decision.action.is_none() && lead.is_some() && decision.waiting > 1 {
            line.push_str(&format!("; {} commits wait", decision.waiting));
        }
        if let Some(oldest) = self.behind(decision) {
            line.push_str(&format!("; behind: {} has waited since {}", id(oldest.commit), self.at(oldest.since)));
        }
        if observing && decision.action.is_none() {
            line.push_str(" (observing only)");
        }
        line
    }

    /// The oldest waiting commit, if it has waited longer than the alarm by now.
    fn behind(&self, decision: &Decision) -> Option<Oldest> {
        decision.oldest.filter(|oldest| oldest.alarm.is_some_and(|alarm| alarm <= self.now))
    }

    fn said(&self, decision: &Decision, edge: Option<Edge<'_>>, observing: bool) -> String {
        let lead = decision.lead.as_ref().map(|lead| self.candidate(lead));
        match &decision.verdict {
            Verdict::Pass { why: Reason::UpToDate } => match decision.target {
                Tip::At(tip) => format!("up to date at {}", id(tip)),
                Tip::Absent | Tip::Unknown(_) => "up to date".to_owned(),
            },
            Verdict::Pass { .. } => match &decision.action {
                Some(Action::FastForward { old, new, .. }) => {
                    let (verb, lead) = match observing {
                        true => ("would move, but only observes:", lead),
                        false => ("moves", lead),
                    };
                    let lead = lead.unwrap_or_else(|| id(*new));
                    let of = match decision.waiting {
                        0 | 1 => String::new(),
                        n if decision.source == Tip::At(*new) => format!(", the newest of {n} commits"),
                        n => format!(", one of {n} commits; newer ones do not pass yet"),
                    };
                    format!("{verb} {} -> {lead}{of}", id(*old))
                }
                Some(Action::Propose { .. }) | None => match lead {
                    Some(lead) => format!("{lead} may enter"),
                    None => self.clause(decision.verdict.why(), edge),
                },
            },
            Verdict::Wait { why, on, until } => self.waits(why, on, *until, edge, lead),
            Verdict::Block { why, who } => {
                let blocked = format!("blocked: {}; {}", self.clause(why, edge), self.mender(why, who));
                match lead {
                    Some(lead) => format!("{blocked}: {lead}"),
                    None => blocked,
                }
            }
        }
    }

    /// Everything about an edge: its verdict, every check of the candidate that can move soonest
    /// (failing first), why newer ones do not move, and what can be done.
    pub fn explain(&self, decision: &Decision) -> Explanation {
        let edge = self.flow.edge(&decision.env);
        let mut lines = Vec::new();
        match &decision.lead {
            Some(lead) => {
                if let Some(action) = &decision.action {
                    lines.push(self.what_happens(action, edge));
                }
                lines.extend(self.checks(lead, edge));
            }
            None => lines.extend(self.about_edge(decision, edge)),
        }
        for newer in &decision.beside {
            let mut text = format!("newer: {}", self.candidate(newer));
            if let Some((judged, verdict)) = worst(newer) {
                text.push_str(&format!(
                    " does not move: {}: {}",
                    judged.check.key(),
                    self.verdict_on(verdict, edge)
                ));
            }
            let mark = newer.verdict().map_or(Mark::Note, Mark::of);
            lines.push(Line { mark, text });
        }
        if let Some(unproven) = &decision.unproven {
            let text = format!(
                "older: {} passes everything but CI, which never ran for it because it never was a branch's tip",
                self.candidate(unproven)
            );
            lines.push(Line { mark: Mark::Note, text });
        }
        if let Some(oldest) = self.behind(decision)
            && let Some(alarm) = edge.and_then(|edge| edge.target.behind_alarm)
        {
            let (commit, at) = (id(oldest.commit), self.at(oldest.since));
            let text = format!("behind: {commit} has waited since {at}, longer than the alarm of {alarm}");
            lines.push(Line { mark: Mark::Wait, text });
        }
        if let Some(next) = decision.next
            && !matches!(decision.verdict, Verdict::Wait { until: Some(until), .. } if until == next)
        {
            let text = format!("The next change by time alone: {}", self.at(next));
            lines.push(Line { mark: Mark::Note, text });
        }
        Explanation { headline: self.headline(decision), lines, todo: self.todo(decision, edge) }
    }

    fn what_happens(&self, action: &Action, edge: Option<Edge<'_>>) -> Line {
        let branch = edge.map_or_else(|| "the target branch".to_owned(), |e| name(e.target.branch.as_str()));
        let observed = edge.is_some_and(|e| e.target.mode == Mode::Observe);
        let text = match action {
            Action::FastForward { old, new, merge: None, .. } if observed => {
                format!("{branch} would move from {} to {}; it is only observed", id(*old), id(*new))
            }
            Action::FastForward { old, new, merge: None, .. } => {
                format!("{branch} moves by fast-forward from {} to {}", id(*old), id(*new))
            }
            Action::FastForward { new, merge: Some(merge), .. } if observed => {
                format!("request {} would be merged at {}; it is only observed", merge.number, id(*new))
            }
            Action::FastForward { old, new, merge: Some(merge), .. } => {
                let (number, old, new) = (merge.number, id(*old), id(*new));
                match merge.how {
                    MergeHow::FastForward => {
                        format!("request {number} is merged: {branch} moves by fast-forward from {old} to {new}")
                    }
                    MergeHow::Push => format!(
                        "request {number} is carried out: {branch} is pushed by fast-forward from {old} to {new}, and the \
                         request closed then"
                    ),
                    MergeHow::MergeCommit => {
                        format!("request {number} is merged: {branch} gets a merge of {old} and {new}")
                    }
                }
            }
            Action::Propose { head, .. } if observed => {
                format!("a request for {} would be opened; {branch} is only observed", id(*head))
            }
            Action::Propose { head, request: None, .. } => format!("a request for {} is opened", id(*head)),
            Action::Propose { head, request: Some(number), .. } => {
                format!("request {number} goes on to {}", id(*head))
            }
        };
        Line { mark: Mark::Pass, text }
    }

    /// Every check of a candidate, the one that is furthest from passing first; those that have
    /// nothing to say share the last line.
    fn checks(&self, lead: &Candidate, edge: Option<Edge<'_>>) -> Vec<Line> {
        let idle = |j: &&Judged| matches!(j.verdict, Verdict::Pass { why: Reason::Nothing });
        let mut telling: Vec<&Judged> = lead.judged.iter().filter(|j| !idle(j)).collect();
        telling.sort_by_key(|j| std::cmp::Reverse(j.verdict.distance()));
        let mut lines = Vec::new();
        for judged in telling {
            let text = format!("{}: {}", judged.check.key(), self.verdict_on(&judged.verdict, edge));
            lines.push(Line { mark: Mark::of(&judged.verdict), text });
            lines.extend(self.details(judged.verdict.why(), edge));
        }
        if let Some(host) = edge.and_then(|edge| not_asked(lead, edge)) {
            let text =
                format!("{}: {} is asked once nothing else stands in the way", GateKind::Http.key(), name(host));
            lines.push(Line { mark: Mark::Note, text });
        }
        let nothing: Vec<&str> = lead.judged.iter().filter(idle).map(|j| j.check.key()).collect();
        if !nothing.is_empty() {
            let text = format!("{}: nothing stands in the way", nothing.join(", "));
            lines.push(Line { mark: Mark::Pass, text });
        }
        lines
    }

    /// The verdict of an edge that has no candidate to name.
    fn about_edge(&self, decision: &Decision, edge: Option<Edge<'_>>) -> Vec<Line> {
        let key = Check::Branches.key();
        let said = match (&decision.verdict, decision.verdict.why()) {
            // Its commits come one by one below.
            (Verdict::Block { why, who }, Reason::Diverged { total, .. }) => {
                format!("{}; {}", self.has_strays(*total, edge), self.mender(why, who))
            }
            (Verdict::Wait { .. } | Verdict::Pass { .. }, Reason::Diverged { total, .. }) => {
                self.has_strays(*total, edge)
            }
            (verdict, _) => self.verdict_on(verdict, edge),
        };
        let text = format!("{key}: {said}");
        let mut lines = vec![Line { mark: Mark::of(&decision.verdict), text }];
        lines.extend(self.details(decision.verdict.why(), edge));
        lines
    }

    /// A candidate as people know it: `1a2b3c4d5` "Fix rounding" (Marek).
    pub fn candidate(&self, candidate: &Candidate) -> String {
        self.commit(candidate.commit, &candidate.subject, &candidate.author)
    }

    /// A commit as people know it.
    pub fn commit(&self, commit: CommitId, subject: &str, author: &str) -> String {
        self.commit_by(commit, subject, &writer(author))
    }

    /// The same with who wrote it in words of ours.
    fn commit_by(&self, commit: CommitId, subject: &str, wrote: &str) -> String {
        let mut text = id(commit);
        if !subject.trim().is_empty() {
            text.push_str(&format!(" {}", quote(subject, SUBJECT_MAX)));
        }
        if !wrote.is_empty() {
            text.push_str(&format!(" ({wrote})"));
        }
        text
    }

    fn actor(&self, actor: &Actor) -> String {
        match actor.as_str() {
            SOMEBODY => "a push from outside".to_owned(),
            known => name(known),
        }
    }
}

/// The name of somebody who wrote a commit, inert; nothing where there is none.
fn writer(name: &str) -> String {
    if name.trim().is_empty() { String::new() } else { inert::shown(name, WRITER_MAX) }
}

/// The check of a candidate that is furthest from passing: the first of equals.
fn worst(candidate: &Candidate) -> Option<(&Judged, &Verdict)> {
    let failing = candidate.judged.iter().rev().filter(|j| j.verdict.distance() > Distance::Now);
    failing.max_by_key(|j| j.verdict.distance()).map(|j| (j, &j.verdict))
}

/// The host of the edge's `http` gate, where that was not asked about the candidate.
fn not_asked<'a>(lead: &Candidate, edge: Edge<'a>) -> Option<&'a str> {
    let Gate::Http(http) = edge.target.gate(GateKind::Http)? else { return None };
    lead.judged.iter().all(|j| j.check != Check::Gate(GateKind::Http)).then(|| http.host())
}

/// A commit id in backticks.
fn id(commit: CommitId) -> String {
    format!("`{}`", commit.short())
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: impl Iterator<Item = String>, and: &str) -> String {
    let mut items: Vec<String> = items.collect();
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} {and} {last}", items.join(", ")),
    }
}

/// `1 commit`, `2 commits`.
fn count(n: u32, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The same with a capital first letter.
fn capital(text: String) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first.is_ascii_lowercase() => first.to_ascii_uppercase().to_string() + chars.as_str(),
        Some(_) | None => text,
    }
}
