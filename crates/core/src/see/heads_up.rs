//! People are told what is about to enter an environment, once, while they can still stop it.
//!
//! What enters and when is in the plan ([`Ahead`](crate::model::Ahead)); here is when to tell of it. A heads-up
//! never delays a move: what may move at once (a pause was lifted, CI turned green after the lag was over,
//! somebody said `promote`) moves untold. The rules:
//!
//! - What enters within the environment's `heads_up` and was not told is told, with everything that enters by
//!   then: one heads-up for an edge in a look. Told is what the last heads-up contained, unless it enters at
//!   another time now, by more than `heads_up`. So a lag that flaps tells nothing again.
//! - What was told and does not enter any more (a hold, a pause, CI, a window that closed), or later by more than
//!   `heads_up`, is taken back at the next look, with why; where nobody knows or somebody is at it, a minute after its
//!   instant. Where its newest commit alone was stopped, what still enters is told in its place. What was taken back was never told: if it enters after
//!   all, it is told again.
//! - Where a heads-up still stands (its instant has not come) and something is to be told in its place, because
//!   more commits came to it or a gate put it off, that is told half of `heads_up` before the move. So a
//!   branch to which people push every other minute, with `gates.quiet`, is not told of at each push; and of
//!   one promotion people hear twice, unless it is put off again.
//! - What enters after commits that were told, and does not take their place, is told by itself.
//! - Where there is time, no heads-up comes within a minute of the last one: then all that came together is
//!   told, with the instant at which the first of it enters.
//!
//! So whoever looks regularly, at least every half of `heads_up`, tells of each move by time before it. What was
//! told last is in the store, in the transaction that holds the message.

use super::note::message;
use crate::dag::{Dag, Node};
use crate::model::{
    Action, Change, Coming, CommitId, Decision, Edge, Event, Flow, HeadsUpTold, Instant, Ledger, Mode, Now, Plan,
    Reason, Soon, Span, TipHeld, Verdict, Who,
};

/// No heads-up of an edge comes sooner after another one, where there is time.
const EVERY: Span = Span::from_mins(1);

/// So long after its instant nobody wants to know any more that it did not come: those who told of it were not there.
const FORGOTTEN: Span = Span::from_mins(24 * 60);

/// What the ids of heads-ups begin with, before flow and environment.
pub const PREFIX: &str = "heads-up-";

/// The longest name of an author, subject and address that are kept, in characters. An address has no more
/// (RFC 3696, erratum 1690).
const TEXTS_MAX: (usize, usize, usize) = (120, 200, 320);

/// The heads-ups that are due, and those that are taken back: one of the two for an edge.
pub fn heads_up(flow: &Flow, ledger: &Ledger, plan: &Plan, dag: &Dag) -> Vec<Change> {
    let now = plan.now;
    let mut changes = Vec::new();
    for decision in &plan.decisions {
        let contains = |one, other| dag.contains(one, other);
        let due = next(flow, ledger, decision, now, contains).filter(|next| next.tell <= now.wall);
        match due.or_else(|| lessened(flow, ledger, decision, now, contains)) {
            Some(next) => changes.extend(tell(flow, &next, decision, now, dag)),
            None => changes.extend(take_back(flow, ledger, decision, now, dag)),
        }
    }
    changes
}

/// What still enters of a heads-up whose newest commit was stopped: told in its place at once, so that nobody counts on
/// what does not come, and nothing that is held is offered to be promoted.
fn lessened(
    flow: &Flow,
    ledger: &Ledger,
    decision: &Decision,
    now: Now,
    contains: impl Fn(CommitId, CommitId) -> bool,
) -> Option<Next> {
    let (_, before) = edge(flow, decision)?;
    let told = ledger.heads_up.get(&decision.env).filter(|told| told.at > now.wall)?;
    let newest = decision.beside.iter().find(|beside| beside.commit == told.newest)?;
    let soon = &decision.ahead.as_ref()?.soon;
    let is_to_come = soon.iter().any(|soon| contains(soon.commit, told.newest));
    if is_to_come || !newest.verdict().is_some_and(|verdict| is_stopped(verdict, told.at, before, now)) {
        return None;
    }
    let part = soon.iter().find(|soon| contains(told.newest, soon.commit))?;
    Some(Next {
        tell: now.wall,
        half: now.wall,
        newest: part.commit,
        at: soon.last()?.at,
        after: decision.action.as_ref().and_then(Action::moves).map(|(_, new)| new),
        instead_of: Some(told.newest),
    })
}

/// What takes back the heads-up that stands, if what it announced does not come.
fn take_back(flow: &Flow, ledger: &Ledger, decision: &Decision, now: Now, dag: &Dag) -> Option<Change> {
    let (_, before) = edge(flow, decision)?;
    let told = *ledger.heads_up.get(&decision.env)?;
    let came = |tip: CommitId| dag.contains(tip, told.newest);
    // It may have come and gone again since.
    let since = |held: &&TipHeld| held.until.is_none_or(|until| until.trusted >= told.told.trusted);
    let held = ledger.held.get(&decision.env).into_iter().flatten().filter(since);
    if now.wall.since(told.at) > FORGOTTEN
        || decision.target.commit().is_some_and(came)
        || held.into_iter().any(|held| came(held.commit))
    {
        return None;
    }
    let part = |one: CommitId| dag.contains(told.newest, one) || dag.contains(one, told.newest);
    let moves = decision.action.as_ref().and_then(Action::moves).map(|(_, new)| new);
    let soon = decision.ahead.iter().flat_map(|ahead| &ahead.soon).map(|soon| soon.commit);
    if soon.chain(moves).any(part) || !is_stopped(&decision.verdict, told.at, before, now) {
        return None;
    }
    let why = Box::new(decision.verdict.why().clone());
    let env = decision.env.clone();
    let event = Event::TakenBack { newest: told.newest, at: told.at, why };
    let key = format!("taken-back-{}-{env}-{}-{}", flow.name, now.wall.0, now.trusted.0);
    let message = message(&key, &env, now, event);
    Some(Change::TakeBack { env, row: told, at: now, message })
}

/// Whether what was to enter `at` is kept out for longer than a heads-up is about; of what may still be in time, once
/// that has passed.
fn is_stopped(verdict: &Verdict, at: Instant, before: Span, now: Now) -> bool {
    let stands_against = match verdict {
        Verdict::Pass { .. } => false,
        Verdict::Wait { why, .. } | Verdict::Block { why, .. }
            if matches!(why, Reason::Unknown(_) | Reason::InFlight { .. }) =>
        {
            false
        }
        // What it does at its next look, such as opening a request, is no stop.
        Verdict::Wait { on: Who::Towpath, until: None, .. } => false,
        Verdict::Wait { on: Who::Time | Who::Towpath, until: Some(until), .. } => *until > at + before,
        Verdict::Wait { .. } | Verdict::Block { .. } => true,
    };
    stands_against || at + EVERY < now.wall
}

/// When a heads-up may be due next; always after the plan's instant.
pub fn due(flow: &Flow, ledger: &Ledger, plan: &Plan) -> Option<Instant> {
    let now = plan.now;
    let of = |decision: &Decision| {
        let ahead = decision.ahead.as_ref()?;
        edge(flow, decision)?;
        // The order stands for containment: to be woken once in vain is no harm.
        let place = |commit| ahead.soon.iter().position(|soon| soon.commit == commit);
        let contains = |one, other| one == other || place(one).is_some_and(|one| place(other) > Some(one));
        let next = next(flow, ledger, decision, now, contains);
        let tell = next.iter().flat_map(|next| [next.tell, next.half]);
        tell.chain(ahead.next).filter(|at| *at > now.wall).min()
    };
    plan.decisions.iter().filter_map(of).min()
}

/// What is to be told next of an edge.
struct Next {
    /// When.
    tell: Instant,
    /// Half of the time before it enters.
    half: Instant,
    /// The newest commit that it is about.
    newest: CommitId,
    /// When the first of what it is about enters.
    at: Instant,
    /// What enters before it, if not the target's tip.
    after: Option<CommitId>,
    /// The heads-up whose place it takes.
    instead_of: Option<CommitId>,
}

fn edge<'f>(flow: &'f Flow, decision: &Decision) -> Option<(Edge<'f>, Span)> {
    let edge = flow.edge(&decision.env)?;
    // An edge that is only observed is nobody's news.
    let before = edge.target.heads_up.filter(|_| edge.target.mode == Mode::Act)?;
    Some((edge, before))
}

/// `contains(one, other)`: whether `one` contains `other`.
fn next(
    flow: &Flow,
    ledger: &Ledger,
    decision: &Decision,
    now: Now,
    contains: impl Fn(CommitId, CommitId) -> bool,
) -> Option<Next> {
    let (_, before) = edge(flow, decision)?;
    let soon: &[Soon] = decision.ahead.as_ref().map_or(&[], |ahead| &ahead.soon);
    let last = ledger.heads_up.get(&decision.env);
    let apart = |one: Instant, other: Instant| one.since(other).max(other.since(one));
    let is_told = |soon: &Soon| {
        last.is_some_and(|last| contains(last.newest, soon.commit) && apart(soon.at, last.at) <= before)
    };
    let newest = soon.iter().position(|soon| !is_told(soon))?;
    let untold = soon[newest..].iter().take_while(|soon| !is_told(soon)).count();
    let first = &soon[newest + untold - 1];
    // What goes before it: what the next older candidate brings, or what moves in this very look.
    let older = soon.get(newest + untold).map(|soon| soon.commit);
    let after = older.or_else(|| decision.action.as_ref().and_then(Action::moves).map(|(_, new)| new));
    let (newest, there) = (soon[newest].commit, after.or_else(|| decision.target.commit()));
    // What was told of and has not moved goes before this, or with it.
    let goes_with = |told: CommitId| contains(newest, told) && !there.is_some_and(|there| contains(there, told));
    let replaced = last.filter(|last| goes_with(last.newest));
    // A heads-up stands until its instant has come.
    let stands = replaced.is_some_and(|last| last.at > now.wall);
    // Only where there is still time behind it.
    let paced = last.map(|last| last.told.wall + EVERY).filter(|paced| *paced + EVERY < first.at);
    let paced = paced.unwrap_or(now.wall);
    let half = Instant(first.at.0.saturating_sub(before.ms() / 2));
    let tell = if stands { half.max(paced) } else { paced };
    Some(Next { tell, half, newest, at: first.at, after, instead_of: replaced.map(|last| last.newest) })
}

fn tell(flow: &Flow, next: &Next, decision: &Decision, now: Now, dag: &Dag) -> Option<Change> {
    let old = next.after.or_else(|| decision.target.commit())?;
    let (there, range) = (dag.ancestors([old]), dag.ancestors([next.newest]));
    let mut commits: Vec<&Node> = dag.written(&range, &there).collect();
    if commits.is_empty() {
        commits = dag.minus(&range, &there).collect();
    }
    let more = commits.len().saturating_sub(Event::COMING_MAX);
    if commits.is_empty() || dag.node(old).is_none() {
        return None;
    }
    let env = decision.env.clone();
    let event = Event::HeadsUp {
        commits: commits.iter().take(Event::COMING_MAX).map(|node| coming(node)).collect(),
        more: u32::try_from(more).unwrap_or(u32::MAX),
        newest: next.newest,
        old,
        at: next.at,
        instead_of: next.instead_of,
    };
    let row = HeadsUpTold { newest: next.newest, at: next.at, told: now };
    let key = format!("{PREFIX}{}-{env}-{}-{}", flow.name, now.wall.0, now.trusted.0);
    let message = message(&key, &env, now, event);
    Some(Change::HeadsUp { env, row, message })
}

fn coming(node: &Node) -> Coming {
    let cut = |text: &str, max: usize| -> String { text.chars().take(max).collect() };
    let (author, subject, address) = TEXTS_MAX;
    let fits = node.email.chars().nth(address).is_none();
    Coming {
        id: node.id,
        author: cut(&node.author, author),
        // Half of an address is another one.
        email: if fits { node.email.clone() } else { String::new() },
        co_authors: node.co_authors.iter().filter(|other| !other.email.is_empty()).cloned().collect(),
        subject: cut(&node.subject, subject),
    }
}
