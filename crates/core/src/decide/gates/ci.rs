//! `gates.ci`: the named checks are green for exactly the candidate.
//!
//! Judged from raw results, never from anybody's combined state. No result is not green.

use std::collections::BTreeSet;

use crate::decide::Look;
use crate::model::{
    BranchName, CheckName, CheckRef, Checks, CiGate, CiItem, CiState, Edge, Fact, Gate, GateKind, NamedCheck,
    Reason, RequiredChecks, Trusted, Verdict, Waiting, Who,
};

/// Branches under this prefix are Towpath's own: their results are results like others, but add no
/// name to `checks = "all"`.
const OWN_BRANCHES: &str = "towpath/";

/// Whether every required check is green. `None` when the candidate's results are not yet known.
pub fn judge(gate: &CiGate, edge: &Edge<'_>, candidate: &Waiting, look: &mut Look<'_>) -> Option<Verdict> {
    let items = match look.seen.facts.ci.get(&candidate.id) {
        None => {
            look.missing.ci.insert(candidate.id);
            return None;
        }
        Some(Fact::Unknown(unknown)) => return Some(Verdict::unknown(unknown.clone())),
        Some(Fact::Known(items)) => items,
    };
    let source = &edge.source.branch;
    let required: Vec<NamedCheck> = match &gate.checks {
        Checks::Named(named) => named.clone(),
        Checks::All => reported(items),
        Checks::Required => match look.seen.facts.required.get(&edge.target.name) {
            None => {
                look.missing.required.insert(edge.target.name.clone());
                return None;
            }
            Some(Fact::Unknown(unknown)) => return Some(Verdict::unknown(unknown.clone())),
            Some(Fact::Known(RequiredChecks::All)) => reported(items),
            Some(Fact::Known(RequiredChecks::Named(patterns))) => required_by(patterns, items),
        },
    };
    if required.is_empty() {
        return Some(missing(None, gate, edge, candidate, look));
    }
    let count = u32::try_from(required.len()).unwrap_or(u32::MAX);
    let verdicts = required.iter().map(|check| match state(check, items, source) {
        State::Green => Verdict::Pass { why: Reason::ChecksGreen { count } },
        State::Red(item) => Verdict::Block {
            why: Reason::CheckRed { name: check.name.clone(), on: item.on.clone(), url: item.url.clone() },
            who: first_pushers(edge),
        },
        State::Running(item) => Verdict::Wait {
            why: Reason::CheckRunning { name: check.name.clone(), on: item.on.clone() },
            on: Who::Ci,
            until: None,
        },
        State::Missing => missing(Some(&check.name), gate, edge, candidate, look),
    });
    // The first of the worst, in the order of the config.
    verdicts.reduce(|worst, next| if next.distance() > worst.distance() { next } else { worst })
}

/// Whoever may push to the flow's first branch: what mends a commit comes from there, also on a
/// later edge. A push to a later branch would only make that one diverge.
fn first_pushers(edge: &Edge<'_>) -> Who {
    Who::Pushers(edge.flow.environments.first().unwrap_or(edge.source).branch.clone())
}

/// Everything that was reported, on any reference.
fn reported(items: &[CiItem]) -> Vec<NamedCheck> {
    let by_us = |item: &&CiItem| item.on.as_ref().is_some_and(|on| on.as_str().starts_with(OWN_BRANCHES));
    let names: BTreeSet<&CheckName> = items.iter().filter(|item| !by_us(item)).map(|item| &item.name).collect();
    names.into_iter().map(|name| NamedCheck { name: name.clone(), on: CheckRef::Any }).collect()
}

/// What the forge's patterns ask for: the reported names that match, and those patterns themselves
/// that nothing reported matches.
fn required_by(patterns: &BTreeSet<String>, items: &[CiItem]) -> Vec<NamedCheck> {
    let mut names = BTreeSet::new();
    for pattern in patterns {
        let matching = items.iter().map(|item| &item.name).filter(|name| matches(pattern, name.as_str()));
        let mut any = false;
        for name in matching {
            any = true;
            names.insert(name.clone());
        }
        if !any {
            names.insert(CheckName::new(pattern.as_str()));
        }
    }
    names.into_iter().map(|name| NamedCheck { name, on: CheckRef::Any }).collect()
}

/// Whether a name matches a pattern in which `*` stands for anything. Linear but for one backtrack
/// at a time.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, n) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

enum State<'a> {
    Green,
    Red(&'a CiItem),
    Running(&'a CiItem),
    Missing,
}

/// Green when the newest result on some reference is green and none on the source is red or
/// running; else red if any newest one is red; else running.
fn state<'a>(check: &NamedCheck, items: &'a [CiItem], source: &BranchName) -> State<'a> {
    let counts = |item: &&CiItem| item.name == check.name && (check.on == CheckRef::Any || on_source(item, source));
    let of = |state: CiState| items.iter().filter(counts).filter(move |item| item.state == state);
    let spoiled = items.iter().filter(counts).any(|item| on_source(item, source) && item.state != CiState::Green);
    if of(CiState::Green).next().is_some() && !spoiled {
        return State::Green;
    }
    if let Some(red) = of(CiState::Red).next() {
        return State::Red(red);
    }
    of(CiState::Running).next().map_or(State::Missing, State::Running)
}

/// How the edge's `gates.ci` counts a check; as anywhere else where it does not name it.
pub fn rule_of(edge: &Edge<'_>, check: &CheckName) -> NamedCheck {
    let named = match edge.target.gate(GateKind::Ci) {
        Some(Gate::Ci(CiGate { checks: Checks::Named(named), .. })) => &named[..],
        _ => &[],
    };
    let rule = named.iter().find(|named| &named.name == check).cloned();
    rule.unwrap_or_else(|| NamedCheck { name: check.clone(), on: CheckRef::Any })
}

/// Since when a check is green, if it is: since its first green that counts, but not before the last
/// result on the source turned green.
pub fn turned_green(check: &NamedCheck, items: &[CiItem], source: &BranchName) -> Option<Trusted> {
    let State::Green = state(check, items, source) else { return None };
    let counts = |item: &&CiItem| item.name == check.name && (check.on == CheckRef::Any || on_source(item, source));
    let greens = || items.iter().filter(counts);
    let first = greens().filter_map(|item| item.green_since).min()?;
    let last_there = greens().filter(|item| on_source(item, source)).filter_map(|item| item.green_since).max();
    Some(last_there.map_or(first, |there| there.max(first)))
}

/// A result without a reference counts as on the source.
fn on_source(item: &CiItem, source: &BranchName) -> bool {
    item.on.as_ref().is_none_or(|on| on == source)
}

/// The verdict on a check without a result.
fn missing(
    name: Option<&CheckName>,
    gate: &CiGate,
    edge: &Edge<'_>,
    candidate: &Waiting,
    look: &Look<'_>,
) -> Verdict {
    let since = candidate.arrival.map(|arrival| arrival.wall);
    if !candidate.was_tip {
        // CI runs on what is pushed, so nothing will come by itself.
        let why = Reason::CheckMissing { name: name.cloned(), push_tip: false, since };
        return Verdict::Block { why, who: first_pushers(edge) };
    }
    if let (Some(after), Some(arrival)) = (gate.missing_after, candidate.arrival)
        && look.now().trusted.since(arrival.trusted) >= after
    {
        let why = Reason::NoCiCame { name: name.cloned(), since: arrival.wall, after };
        return Verdict::Block { why, who: first_pushers(edge) };
    }
    let why = Reason::CheckMissing { name: name.cloned(), push_tip: true, since };
    Verdict::Wait { why, on: Who::Ci, until: None }
}
