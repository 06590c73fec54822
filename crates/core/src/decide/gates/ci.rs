//! `gates.ci`: the named checks are green for exactly the candidate.
//!
//! Judged from raw results, never from anybody's combined state. No result is not green.

use std::collections::BTreeSet;

use crate::decide::Look;
use crate::model::{
    BranchName, CheckName, CheckRef, Checks, CiGate, CiItem, CiState, Edge, Fact, Gate, GateKind, NamedCheck,
    Reason, RequiredCheck, RequiredChecks, Trusted, Verdict, Waiting, Who,
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
    let required: Vec<Wanted> = match &gate.checks {
        Checks::Named(named) => named.iter().map(|check| Wanted::of_anybody(check.clone())).collect(),
        Checks::All => reported(items),
        Checks::Required => match look.seen.facts.required.get(&edge.target.name) {
            None => {
                look.missing.required.insert(edge.target.name.clone());
                return None;
            }
            Some(Fact::Unknown(unknown)) => return Some(Verdict::unknown(unknown.clone())),
            Some(Fact::Known(RequiredChecks::All)) => reported(items),
            Some(Fact::Known(RequiredChecks::Named(rules))) => required_by(rules, items),
        },
    };
    if required.is_empty() {
        return Some(missing(None, gate, edge, candidate, look));
    }
    let count = u32::try_from(required.len()).unwrap_or(u32::MAX);
    let verdicts = required.iter().map(|wanted| match state(wanted, items, source) {
        State::Green => Verdict::Pass { why: Reason::ChecksGreen { count } },
        State::Red(item) => Verdict::Block {
            why: Reason::CheckRed { name: item.name.clone(), on: item.on.clone(), url: item.url.clone() },
            who: first_pushers(edge),
        },
        State::Running(item) => Verdict::Wait {
            why: Reason::CheckRunning { name: item.name.clone(), on: item.on.clone() },
            on: Who::Ci,
            until: None,
        },
        State::Missing => missing(Some(&wanted.as_missing(items)), gate, edge, candidate, look),
    });
    // The first of the worst, in the order of the config.
    verdicts.reduce(|worst, next| if next.distance() > worst.distance() { next } else { worst })
}

/// A check that has to be green, and whose results of it count.
struct Wanted {
    check: NamedCheck,
    /// How the origin of a result that counts begins; anybody's counts where it is none.
    by: Option<String>,
}

impl Wanted {
    const fn of_anybody(check: NamedCheck) -> Self {
        Self { check, by: None }
    }

    /// Whether a result is one of it.
    fn has(&self, item: &CiItem) -> bool {
        item.name == self.check.name && self.by.as_ref().is_none_or(|by| is_by(item, by))
    }

    /// What it is called where it has no result: where others reported one of that name, with whose is wanted.
    fn as_missing(&self, items: &[CiItem]) -> CheckName {
        match &self.by {
            Some(by) if items.iter().any(|item| item.name == self.check.name) => {
                CheckName::new(format!("{} (by {by})", self.check.name))
            }
            _ => self.check.name.clone(),
        }
    }
}

/// Whether a result was reported by whom a rule names: `app 15` is not `app 153`.
fn is_by(item: &CiItem, by: &str) -> bool {
    item.origin.strip_prefix(by).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Whoever may push to the flow's first branch: what mends a commit comes from there, also on a
/// later edge. A push to a later branch would only make that one diverge.
fn first_pushers(edge: &Edge<'_>) -> Who {
    Who::Pushers(edge.flow.environments.first().unwrap_or(edge.source).branch.clone())
}

/// Everything that was reported, on any reference.
fn reported(items: &[CiItem]) -> Vec<Wanted> {
    let by_us = |item: &&CiItem| item.on.as_ref().is_some_and(|on| on.as_str().starts_with(OWN_BRANCHES));
    let names: BTreeSet<&CheckName> = items.iter().filter(|item| !by_us(item)).map(|item| &item.name).collect();
    names.into_iter().map(|name| Wanted::of_anybody(on_any(name.clone()))).collect()
}

const fn on_any(name: CheckName) -> NamedCheck {
    NamedCheck { name, on: CheckRef::Any }
}

/// What the forge's rules ask for: the reported names that match, and those patterns themselves
/// that nothing reported matches. Who reported a result is asked where its state is.
fn required_by(rules: &BTreeSet<RequiredCheck>, items: &[CiItem]) -> Vec<Wanted> {
    let mut wanted = BTreeSet::new();
    for rule in rules {
        let mut matching =
            items.iter().map(|item| &item.name).filter(|name| matches(&rule.name, name.as_str())).peekable();
        if matching.peek().is_none() {
            wanted.insert((CheckName::new(rule.name.as_str()), rule.by.clone()));
        }
        wanted.extend(matching.map(|name| (name.clone(), rule.by.clone())));
    }
    wanted.into_iter().map(|(name, by)| Wanted { check: on_any(name), by }).collect()
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
fn state<'a>(wanted: &Wanted, items: &'a [CiItem], source: &BranchName) -> State<'a> {
    let any = wanted.check.on == CheckRef::Any;
    let counts = |item: &&CiItem| wanted.has(item) && (any || on_source(item, source));
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
    rule.unwrap_or_else(|| on_any(check.clone()))
}

/// Since when a check is green, if it is: since its first green that counts, but not before the last
/// result on the source turned green.
pub fn turned_green(check: &NamedCheck, items: &[CiItem], source: &BranchName) -> Option<Trusted> {
    let State::Green = state(&Wanted::of_anybody(check.clone()), items, source) else { return None };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Instant;

    fn item(name: &str, origin: &str, on: Option<&str>, state: CiState) -> CiItem {
        CiItem {
            name: CheckName::new(name),
            origin: origin.to_owned(),
            on: on.map(BranchName::new),
            state,
            green_since: None,
            at: Instant(0),
            url: None,
        }
    }

    /// What the rules come to, worst last.
    fn come_to(rules: &[(&str, Option<&str>)], items: &[CiItem]) -> Vec<String> {
        let rules = rules
            .iter()
            .map(|(name, by)| RequiredCheck { name: (*name).to_owned(), by: by.map(str::to_owned) })
            .collect();
        let word = |wanted: &Wanted| match state(wanted, items, &BranchName::new("develop")) {
            State::Green => format!("{}: green", wanted.check.name),
            State::Red(item) => format!("{}: red by {}", item.name, item.origin),
            State::Running(item) => format!("{}: running", item.name),
            State::Missing => format!("{}: missing", wanted.as_missing(items)),
        };
        required_by(&rules, items).iter().map(word).collect()
    }

    #[test]
    fn a_rule_that_names_an_app_counts_its_results_alone() {
        use CiState::{Green, Red, Running};
        let app = "app 15368 github-actions";
        let items = [
            item("build", app, Some("develop"), Green),
            item("build", "status by mallory", None, Red),
            item("test", "status by mallory", None, Green),
            item("lint", "app 153689 other", Some("develop"), Green),
            item("docs", "app 15368", None, Running),
            item("e2e", "app 15368 status by ci[bot]", None, Green),
        ];
        let actions = Some("app 15368");
        for (name, by, is) in [
            ("build", actions, "build: green"),
            ("build", None, "build: red by status by mallory"),
            ("test", actions, "test (by app 15368): missing"),
            ("test", None, "test: green"),
            ("lint", actions, "lint (by app 15368): missing"),
            ("docs", actions, "docs: running"),
            ("e2e", actions, "e2e: green"),
            ("nothing", actions, "nothing: missing"),
            ("nothing", None, "nothing: missing"),
        ] {
            assert_eq!(come_to(&[(name, by)], &items), [is], "{name} {by:?}");
        }
        assert_eq!(come_to(&[("build", actions), ("build", None)], &items).len(), 2, "both rules hold");
        assert_eq!(come_to(&[("*", actions)], &items).len(), 5, "a pattern wants each name that there is");
    }

    #[test]
    fn one_workflow_hides_no_other_of_the_same_name() {
        let two = [
            item("test", "app 15368 github-actions workflow 1 push", Some("develop"), CiState::Red),
            item("test", "app 15368 github-actions workflow 2 push", Some("develop"), CiState::Green),
        ];
        assert_eq!(
            come_to(&[("test", Some("app 15368"))], &two),
            ["test: red by app 15368 github-actions workflow 1 push"]
        );
    }
}
