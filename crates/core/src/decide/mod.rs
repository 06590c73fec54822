//! The whole policy: what may move and why, from facts alone.
//!
//! [`decide`] cannot fail and reads nothing: it returns the facts that it lacks, or a plan. Which
//! commits are candidates is in `candidate`, what is checked of each in `judge` (the only copy of
//! policy: deciding, re-reading before a push and `promote` all use it), one rule a file in
//! `gates`, and the target's own commits in `divergence`.
//!
//! Not here: sentences (`explain`), acting (`act`), and where facts come from.

mod ahead;
mod candidate;
pub mod divergence;
pub mod gates;
mod judge;
pub mod request;

use std::collections::BTreeSet;

use crate::model::{
    Action, Candidate, CommitId, Decision, Distance, Edge, EdgeSeen, Flow, Instant, Judged, Missing, Observation,
    Oldest, Pause, PauseKind, Plan, Reason, Span, Tip, Verdict, Waiting,
};

pub use candidate::candidates;
pub use judge::{Depth, Look, judge, judge_back, promote_passes};

/// What comes of deciding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// These facts are needed; answer every key, known or unknown, and decide again.
    Ask(Missing),
    /// This is to be done, and why.
    Done(Plan),
}

/// How many candidates beyond those already judged are asked about in one round, so that fifty
/// take six rounds and not fifty.
const ASK_AHEAD_MIN: usize = 4;

/// Decides every edge of the flow.
pub fn decide(flow: &Flow, seen: &Observation) -> Next {
    let mut missing = Missing::default();
    let mut decisions = Vec::new();
    for edge in flow.edges() {
        let Some(on_edge) = seen.edges.iter().find(|e| e.env == edge.target.name) else { continue };
        let mut look = Look::new(seen, on_edge);
        let decision = decide_edge(&edge, on_edge, &mut look);
        missing.absorb(look.missing);
        decisions.extend(decision);
    }
    if missing.is_empty() {
        let policy = flow.policy.clone();
        Next::Done(Plan { flow: flow.name.clone(), now: seen.now, policy, decisions })
    } else {
        Next::Ask(missing)
    }
}

/// The decision for one edge, or `None` with `look.missing` filled.
fn decide_edge(edge: &Edge<'_>, on_edge: &EdgeSeen, look: &mut Look<'_>) -> Option<Decision> {
    let mut decision = Decision {
        env: edge.target.name.clone(),
        source: on_edge.source.clone(),
        target: on_edge.target.clone(),
        action: None,
        verdict: Verdict::Pass { why: Reason::UpToDate },
        lead: None,
        beside: Vec::new(),
        unproven: None,
        next: None,
        looked_at: 0,
        waiting: on_edge.graph.known().map_or(0, |g| u32::try_from(g.waiting.len()).unwrap_or(u32::MAX)),
        oldest: on_edge.graph.known().and_then(|g| oldest(&g.waiting, edge.target.behind_alarm)),
        ahead: None,
    };
    match divergence::branches(edge, on_edge, look)? {
        Verdict::Pass { why: Reason::UpToDate } => return Some(decision),
        Verdict::Pass { .. } => {}
        stuck => {
            let until = if let Verdict::Wait { until, .. } = &stuck { *until } else { None };
            decision.next = until.filter(|at| *at > look.now().wall);
            decision.verdict = stuck;
            return Some(decision);
        }
    }
    let candidates = candidates(edge, on_edge, look.seen);
    if request::by_request(edge) {
        request::choose(edge, &candidates, look, &mut decision)?;
    } else {
        choose(edge, &candidates, look, &mut decision)?;
    }
    Some(decision)
}

/// The one that came first, of those whose arrival is known.
fn oldest(waiting: &[Waiting], alarm: Option<Span>) -> Option<Oldest> {
    let arrived = waiting.iter().filter_map(|w| {
        let since = w.arrival?.wall;
        Some(Oldest { commit: w.id, since, alarm: alarm.map(|alarm| since + alarm) })
    });
    // `waiting` is newest first: of those that came together the deepest is named.
    arrived.rev().min_by_key(|oldest| oldest.since)
}

/// A candidate on its way through the two depths of judging.
struct Tried<'a> {
    commit: &'a Waiting,
    /// Only of those judged whole: of ten thousand others the few that are shown are judged again.
    judged: Vec<Judged>,
    distance: Distance,
    /// The earliest instant after now that a verdict names.
    next: Option<Instant>,
    whole: bool,
}

impl<'a> Tried<'a> {
    fn cheap(commit: &'a Waiting, judged: &[Judged], now: Instant) -> Self {
        Self {
            commit,
            judged: Vec::new(),
            distance: distance(judged),
            next: next_change(judged, now),
            whole: false,
        }
    }

    fn whole(commit: &'a Waiting, judged: Vec<Judged>, now: Instant) -> Self {
        let (distance, next) = (distance(&judged), next_change(&judged, now));
        Self { commit, judged, distance, next, whole: true }
    }
}

/// Picks the newest candidate that passes everything or, where none does, the one that can move
/// soonest, and fills the decision.
fn choose(edge: &Edge<'_>, candidates: &[&Waiting], look: &mut Look<'_>, decision: &mut Decision) -> Option<()> {
    let mut tried = tried_cheaply(edge, candidates, look);
    let (look_back, mut looked_at) = (look_back(edge), 0);

    // Newest first, those that nothing cheap holds up: the first that passes all moves.
    let ripe: Vec<usize> = (0..tried.len()).filter(|at| tried[*at].distance == Distance::Now).collect();
    let mover =
        look_whole(edge, &mut tried, &ripe, look, look_back, &mut looked_at, |t| t.distance == Distance::Now)?;

    let lead = match mover {
        Some(at) => Some(at),
        None => soonest(edge, &mut tried, look, look_back, &mut looked_at)?,
    };
    let ahead = ahead::ahead(edge, &mut tried, lead, look, look_back, &mut looked_at)?;
    choose_among(edge, &tried, lead, look, looked_at, decision);
    decision.ahead = ahead;
    Some(())
}

/// Every candidate, judged by what is known anyhow.
fn tried_cheaply<'a>(edge: &Edge<'_>, candidates: &[&'a Waiting], look: &mut Look<'_>) -> Vec<Tried<'a>> {
    let cheap = |commit: &&'a Waiting| {
        let judged = judge(edge, commit, look, Depth::Cheap)?;
        Some(Tried::cheap(commit, &judged, look.now().wall))
    };
    candidates.iter().filter_map(cheap).collect()
}

fn look_back(edge: &Edge<'_>) -> usize {
    usize::try_from(edge.flow.look_back).unwrap_or(usize::MAX).max(1)
}

/// Fills the decision with the lead and what is named beside it; where the lead passes everything,
/// it moves.
fn choose_among(
    edge: &Edge<'_>,
    tried: &[Tried<'_>],
    lead: Option<usize>,
    look: &mut Look<'_>,
    looked_at: usize,
    decision: &mut Decision,
) {
    decision.looked_at = u32::try_from(looked_at).unwrap_or(u32::MAX);
    decision.next = tried.iter().filter_map(|t| t.next).min();
    let Some(lead) = lead else {
        // Every candidate is out of reach although the target has nothing of its own: the source's
        // tip is not yet known as a candidate. The next look knows it.
        decision.verdict = Verdict::unknown(crate::model::Unknown::passing(crate::model::UnknownWhy::NotAnswered));
        return;
    };
    // Newer candidates than the lead, newest first.
    decision.beside = tried[..lead].iter().take(Decision::BESIDE_MAX).map(|t| shown(edge, t, look)).collect();
    decision.unproven = unproven(tried, lead).map(|t| shown(edge, t, look));
    let lead = shown(edge, &tried[lead], look);
    decision.verdict = match lead.verdict() {
        Some(Verdict::Pass { .. }) | None => Verdict::Pass { why: Reason::Ready },
        Some(held_up) => held_up.clone(),
    };
    if decision.verdict.passes()
        && let Tip::At(old) = look.on_edge.target
    {
        decision.action = Some(Action::FastForward {
            old,
            new: lead.commit,
            promote: judge::promote_used(edge, &lead, look.seen),
            overrides: judge::overrides_used(edge, &lead, look),
            merge: None,
        });
    }
    decision.lead = Some(lead);
}

/// Judges the listed candidates whole, in that order, until one satisfies `stop` or `look_back`
/// of them have been looked at; answers which one stopped it. `None` when facts are missing: then
/// those of a few candidates further on are asked for too.
fn look_whole(
    edge: &Edge<'_>,
    tried: &mut [Tried<'_>],
    order: &[usize],
    look: &mut Look<'_>,
    look_back: usize,
    looked_at: &mut usize,
    stop: impl Fn(&Tried<'_>) -> bool,
) -> Option<Option<usize>> {
    let mut ahead = None;
    let mut awaited = BTreeSet::new();
    for at in order {
        // What a person has ordered is looked at however far back it is, and so is what a newer one waits for:
        // that one would wait forever.
        let commit = tried[*at].commit;
        let awaits = awaited.contains(&commit.id);
        let called = awaits || judge::is_ordered(edge, commit, look.seen);
        if ahead == Some(0) || (*looked_at >= look_back && !called) {
            continue;
        }
        *looked_at += 1;
        // What it waits for in turn has to be known, or the whole row of them waits forever.
        let spent = look.worked_out;
        look.worked_out = if awaits { 0 } else { spent };
        let judged = judge(edge, commit, look, Depth::Whole);
        look.worked_out = look.worked_out.max(spent);
        match judged {
            Some(judged) => {
                awaited.extend(gates::migrations::awaits(&judged));
                tried[*at] = Tried::whole(commit, judged, look.now().wall);
                if ahead.is_none() && stop(&tried[*at]) {
                    return Some(Some(*at));
                }
            }
            None => ahead = ahead.or(Some((*looked_at).max(ASK_AHEAD_MIN))),
        }
        ahead = ahead.map(|left: usize| left.saturating_sub(1));
    }
    ahead.is_none().then_some(None)
}

/// The candidate that can move soonest, the newest of equals; `None` inside where there is none.
///
/// A cheap verdict is the least that a candidate waits for, so candidates are judged whole in that
/// order until none that is left can be sooner.
fn soonest(
    edge: &Edge<'_>,
    tried: &mut [Tried<'_>],
    look: &mut Look<'_>,
    look_back: usize,
    looked_at: &mut usize,
) -> Option<Option<usize>> {
    let mut rest: Vec<usize> = (0..tried.len()).filter(|at| !tried[*at].whole).collect();
    rest.sort_by_key(|at| (tried[*at].distance, *at));
    let mut best = tried.iter().enumerate().filter(|(_, t)| t.whole).map(|(at, t)| (t.distance, at)).min();
    for (nth, at) in rest.iter().enumerate() {
        if *looked_at >= look_back || best.is_some_and(|best| best <= (tried[*at].distance, *at)) {
            break;
        }
        if look_whole(edge, tried, &[*at], look, look_back, looked_at, |_| false).is_none() {
            // Ask for a few of those that come next too, or fifty would take fifty rounds.
            let ahead = nth.max(ASK_AHEAD_MIN).min(rest.len() - nth - 1).min(look_back - *looked_at);
            for next in &rest[nth + 1..nth + 1 + ahead] {
                judge(edge, tried[*next].commit, look, Depth::Whole);
            }
            return None;
        }
        let found = (tried[*at].distance, *at);
        best = Some(best.map_or(found, |best| best.min(found)));
    }
    // Where the look-back was used up before anything was judged whole, the cheap verdicts are
    // what there is.
    let any_whole = tried.iter().any(|t| t.whole);
    Some((0..tried.len()).filter(|at| tried[*at].whole || !any_whole).min_by_key(|at| (tried[*at].distance, *at)))
}

fn distance(judged: &[Judged]) -> Distance {
    judged.iter().map(|j| j.verdict.distance()).max().unwrap_or(Distance::Now)
}

fn shown(edge: &Edge<'_>, tried: &Tried<'_>, look: &mut Look<'_>) -> Candidate {
    let judged = if tried.whole {
        tried.judged.clone()
    } else {
        // Judging cheaply lacks no facts, and comes out as it did before.
        judge(edge, tried.commit, look, Depth::Cheap).unwrap_or_default()
    };
    Candidate {
        commit: tried.commit.id,
        author: tried.commit.author.clone(),
        subject: tried.commit.subject.clone(),
        judged,
    }
}

/// The newest candidate that only lacks CI because it never was a push tip, where everything newer is blocked
/// or waits for just that one: somebody could push it to a branch for CI to see.
fn unproven<'t, 'a>(tried: &'t [Tried<'a>], lead: usize) -> Option<&'t Tried<'a>> {
    let blocked = tried[lead].distance == Distance::Blocked;
    let awaited: BTreeSet<CommitId> = gates::migrations::awaits(&tried[lead].judged).collect();
    let lacks_ci_only = |t: &&Tried<'_>| {
        let mut failing = t.judged.iter().filter(|j| !j.verdict.passes());
        let only = failing.next();
        failing.next().is_none()
            && only.is_some_and(|j| matches!(j.verdict.why(), Reason::CheckMissing { push_tip: false, .. }))
    };
    tried.iter().filter(|t| t.whole && (blocked || awaited.contains(&t.commit.id))).find(lacks_ci_only)
}

/// The earliest instant after now at which time alone may change a verdict.
fn next_change(judged: &[Judged], now: Instant) -> Option<Instant> {
    let untils = judged.iter().filter_map(|j| match &j.verdict {
        Verdict::Wait { until, .. } => *until,
        Verdict::Pass { .. } | Verdict::Block { .. } => None,
    });
    untils.filter(|at| *at > now).min()
}

/// The reason that a pause or freeze gives.
pub fn pause_reason(pause: &Pause) -> Reason {
    let (scope, by, reason) = (pause.scope.clone(), pause.by.clone(), pause.reason.clone());
    let (at, until) = (pause.at, pause.until);
    match pause.kind {
        PauseKind::Pause => Reason::Paused { scope, by, reason, at, until, keeps_back: pause.cause.is_some() },
        PauseKind::Freeze => Reason::Frozen { scope, by, reason, at, until },
    }
}
