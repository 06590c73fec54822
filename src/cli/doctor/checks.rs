//! What `doctor` says of checks that nobody runs: names that the config waits for, or that the forge requires of a branch,
//! and that the newest commits of all branches lack.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{
    BranchName, Checks, CommitId, Environment, Fact, FlowName, Gate, GateKind, RequiredChecks,
};
use towpath_core::text::one_line;

use super::{Finding, good, note};
use crate::cli::session::Session;
use crate::config::FlowConfig;
use crate::engine::forges::OnForge;

/// How many names of checks are listed.
const NAMES_MAX: usize = 12;

/// Names of checks that no branch's newest commit has: misspelt, or of a job that does not run there.
pub(super) async fn findings(
    session: &Session,
    on: &OnForge,
    found: &FlowConfig,
    heads: &BTreeMap<BranchName, CommitId>,
) -> Vec<Finding> {
    let (name, environments) = (&found.flow.name, &found.flow.environments);
    let named: BTreeSet<&str> = environments.iter().flat_map(named).collect();
    let mut required = Vec::new();
    for target in environments.iter().skip(1) {
        required.extend(required_of(on, target).await.map(|names| (target, names)));
    }
    let tips: BTreeSet<CommitId> = environments.iter().filter_map(|env| heads.get(&env.branch).copied()).collect();
    if tips.is_empty() || (named.is_empty() && required.is_empty()) {
        return Vec::new();
    }
    let Some(there) = there(session, on, name, &tips).await else { return Vec::new() };
    let instead = instead(&there);
    let mut findings = Vec::new();
    let missing = missing(named.iter().copied(), &there);
    if !missing.is_empty() {
        findings.push(note(format!(
            "`{name}`: `gates.ci` asks for {missing}, which none of the newest commits of its branches has; {instead}"
        )));
    } else if !named.is_empty() {
        findings.push(good(format!(
            "`{name}`: every check that its gates name has run on one of the {} newest commits of its branches",
            tips.len()
        )));
    }
    for (target, names) in required {
        // Of a pattern, which only a forge has, anything that is like it would do: nothing is said of it.
        let names = names.iter().map(String::as_str).filter(|name| !name.contains('*'));
        let missing = self::missing(names, &there);
        if !missing.is_empty() {
            let waits = match waits_for_required(target) {
                true => "`gates.ci` waits for it",
                false => "it refuses what comes without, unless Towpath's user may go around that",
            };
            findings.push(note(format!(
                "`{name}`: the forge requires {missing} on `{}`, which none of the newest commits of the flow's branches has: \
                 {waits}; {instead}",
                target.branch
            )));
        }
    }
    findings
}

/// What has run or was reported on these commits; nothing where that cannot be read, for then nothing can be said to be
/// missing. (Why it cannot be read is said where everything is: by `plan` and `status`.)
async fn there(
    session: &Session,
    on: &OnForge,
    flow: &FlowName,
    tips: &BTreeSet<CommitId>,
) -> Option<BTreeSet<String>> {
    let mut there = BTreeSet::new();
    for tip in tips {
        let seen = on.forge.checks(&on.repo, *tip).await.ok()?;
        there.extend(seen.into_iter().map(|check| check.name.to_string()));
    }
    // What was reported to us counts beside what the forge tells.
    let all: Vec<CommitId> = tips.iter().copied().collect();
    let reported = session.world.store().checks(flow, &all).await.ok()?;
    there.extend(reported.into_values().flatten().map(|check| check.name.to_string()));
    Some(there)
}

/// Those that are not there, for a sentence.
fn missing<'n>(names: impl Iterator<Item = &'n str>, there: &BTreeSet<String>) -> String {
    let missing = names.filter(|name| !there.contains(*name));
    missing.map(|name| format!("`{}`", one_line(name, 100))).collect::<Vec<_>>().join(", ")
}

fn instead(there: &BTreeSet<String>) -> String {
    let listed: Vec<String> =
        there.iter().take(NAMES_MAX).map(|name| format!("`{}`", one_line(name, 100))).collect();
    match (there.len(), listed.join(", ")) {
        (0, _) => "they have none at all: does CI run there, and may the token see it?".to_owned(),
        (all, listed) if all > NAMES_MAX => format!("they have {listed} and {} more", all - NAMES_MAX),
        (_, listed) => format!("they have {listed}"),
    }
}

/// What the forge itself requires of a branch by name; nothing where it does not tell.
async fn required_of(on: &OnForge, target: &Environment) -> Option<BTreeSet<String>> {
    match on.required(&target.branch).await {
        Fact::Known(RequiredChecks::Named(checks)) => Some(checks.into_iter().map(|check| check.name).collect()),
        Fact::Known(RequiredChecks::All) | Fact::Unknown(_) => None,
    }
}

fn waits_for_required(target: &Environment) -> bool {
    matches!(target.gate(GateKind::Ci), Some(Gate::Ci(ci)) if ci.checks == Checks::Required)
}

fn named(environment: &Environment) -> Vec<&str> {
    match environment.gate(GateKind::Ci) {
        Some(Gate::Ci(ci)) => match &ci.checks {
            Checks::Named(named) => named.iter().map(|check| check.name.as_str()).collect(),
            Checks::All | Checks::Required => Vec::new(),
        },
        _ => Vec::new(),
    }
}
