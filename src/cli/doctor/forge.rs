//! What `doctor` asks of a forge: what is in the way there, whether its webhooks come, and whether the
//! checks that the config names exist.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{BranchName, Checks, CommitId, Fact, Gate, GateKind, Instant, Span, Via};
use towpath_core::text::one_line;

use super::{Finding, bad, good, note};
use crate::cli::session::Session;
use crate::config::FlowConfig;
use crate::engine::forges::OnForge;
use crate::engine::reach::in_words;

/// For how long no webhook may come before it is worth a word.
const QUIET: Span = Span::from_mins(3 * 24 * 60);

/// How many names of checks are listed.
const NAMES_MAX: usize = 12;

/// What the forge of a flow says about its repository.
pub(super) async fn flow(
    session: &Session,
    found: &FlowConfig,
    heads: &BTreeMap<BranchName, CommitId>,
    findings: &mut Vec<Finding>,
) {
    let Ok(on) = session.world.forge(&found.flow.name) else { return };
    let edges = found.flow.environments.iter().skip(1);
    let targets: Vec<_> = edges.map(|env| (env.branch.clone(), env.via == Via::MergeRequest)).collect();
    let name = &found.flow.name;
    let seen = on.forge.findings(&on.repo, &targets).await;
    if seen.is_empty() {
        findings.push(good(format!("`{name}`: nothing that the forge shows Towpath is in its way there")));
    }
    for one in seen {
        let text = format!("`{name}`: {}; {}", one_line(&one.what, 400), one_line(&one.mend, 400));
        findings.push(if one.stops { bad(text) } else { note(text) });
    }
    findings.extend(rollbacks(on, found).await);
    findings.extend(teams(on, found).await);
    findings.extend(checks(session, on, found, heads).await);
}

/// Whether the forge would let the branches go back where the config allows rollbacks: in need is a bad time to learn
/// that it does not.
async fn rollbacks(on: &OnForge, found: &FlowConfig) -> Vec<Finding> {
    let name = &found.flow.name;
    let mut findings = Vec::new();
    for environment in found.flow.environments.iter().filter(|environment| environment.rollback) {
        if let Some(one) = on.forge.against_rollback(&on.repo, &environment.branch).await {
            findings.push(note(format!(
                "`{name}`: `rollback` of `{}`: {}; {}",
                environment.name,
                one_line(&one.what, 400),
                one_line(&one.mend, 400)
            )));
        }
    }
    findings
}

/// The teams that approvals count from, and those that are asked for reviews: may Towpath see who is in them? Without
/// that no approval of theirs counts, which people would learn of at the first one.
async fn teams(on: &OnForge, found: &FlowConfig) -> Vec<Finding> {
    let by_request = || found.flow.environments.iter().skip(1).filter(|env| env.via == Via::MergeRequest);
    let from = by_request().filter_map(|env| match env.gate(GateKind::Approvals) {
        Some(Gate::Approvals(gate)) => Some(gate.from.iter()),
        _ => None,
    });
    let team = |name: &String| name.strip_prefix('@').map(str::to_owned);
    let approve: BTreeSet<String> = from.flatten().filter_map(team).collect();
    let asked = by_request().flat_map(|env| env.request.reviewers.iter().filter_map(team));
    let all: BTreeSet<String> = asked.chain(approve.iter().cloned()).collect();
    let name = &found.flow.name;
    let mut findings = Vec::new();
    for team in all {
        let counts = approve.contains(&team);
        let shown = one_line(&team, 100);
        findings.push(match on.team(&team).await {
            Fact::Known(members) if members.is_empty() => note(format!(
                "`{name}`: nobody is in `@{shown}`, which the config names; put somebody in it on the forge"
            )),
            Fact::Known(members) => {
                good(format!("`{name}`: the forge tells who is in `@{shown}`, {} member(s)", members.len()))
            }
            Fact::Unknown(unknown) => {
                let words = one_line(&in_words(unknown.why), 400);
                if counts {
                    bad(format!(
                        "`{name}`: who is in `@{shown}` is not known, so none of their approvals counts: {words}"
                    ))
                } else {
                    note(format!("`{name}`: `@{shown}` is to be asked for reviews, and may not be found: {words}"))
                }
            }
        });
    }
    findings
}

/// Names of checks that no branch's newest commit has: misspelt, or of a job that does not run there.
async fn checks(
    session: &Session,
    on: &OnForge,
    found: &FlowConfig,
    heads: &BTreeMap<BranchName, CommitId>,
) -> Vec<Finding> {
    let named: BTreeSet<&str> = found.flow.environments.iter().flat_map(named).collect();
    let branches = found.flow.environments.iter().map(|env| &env.branch);
    let tips: BTreeSet<CommitId> = branches.filter_map(|branch| heads.get(branch).copied()).collect();
    if named.is_empty() || tips.is_empty() {
        return Vec::new();
    }
    let mut there = BTreeSet::new();
    for tip in &tips {
        match on.forge.checks(&on.repo, *tip).await {
            Ok(seen) => there.extend(seen.into_iter().map(|check| check.name.to_string())),
            // Why is said where everything is read: `plan`, `status`. Here nothing can be said to be missing.
            Err(_) => return Vec::new(),
        }
    }
    // What was reported to us counts beside what the forge tells.
    let all: Vec<CommitId> = tips.iter().copied().collect();
    match session.world.store().checks(&found.flow.name, &all).await {
        Ok(reported) => there.extend(reported.into_values().flatten().map(|check| check.name.to_string())),
        Err(_) => return Vec::new(),
    }
    let name = &found.flow.name;
    let missing: Vec<String> = named
        .iter()
        .filter(|name| !there.contains(**name))
        .map(|name| format!("`{}`", one_line(name, 100)))
        .collect();
    if missing.is_empty() {
        return vec![good(format!(
            "`{name}`: every check that its gates name has run on one of the {} newest commits of its branches",
            tips.len()
        ))];
    }
    let listed: Vec<String> =
        there.iter().take(NAMES_MAX).map(|name| format!("`{}`", one_line(name, 100))).collect();
    let instead = match (there.len(), listed.join(", ")) {
        (0, _) => "they have none at all: does CI run there, and may the token see it?".to_owned(),
        (all, listed) if all > NAMES_MAX => format!("they have {listed} and {} more", all - NAMES_MAX),
        (_, listed) => format!("they have {listed}"),
    };
    vec![note(format!(
        "`{name}`: `gates.ci` asks for {}, which none of the newest commits of its branches has; {instead}",
        missing.join(", ")
    ))]
}

fn named(environment: &towpath_core::model::Environment) -> Vec<&str> {
    match environment.gate(GateKind::Ci) {
        Some(Gate::Ci(ci)) => match &ci.checks {
            Checks::Named(named) => named.iter().map(|check| check.name.as_str()).collect(),
            Checks::All | Checks::Required => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether webhooks come, of each forge that has a secret for them.
pub(super) async fn hooks(session: &Session, now: Instant, findings: &mut Vec<Finding>) {
    for forge in session.config.forges.values().filter(|forge| !forge.webhook_secrets.is_empty()) {
        let name = &forge.name;
        let url = session.config.service.public_url.as_deref().unwrap_or("https://TOWPATH");
        match session.world.store().last_delivery(name).await {
            Ok(Some(at)) if now.0 - at.0 <= QUIET.ms() => {
                findings.push(good(format!("`[forge.{name}]`: the last webhook came at {at}")));
            }
            Ok(_) => findings.push(note(format!(
                "`[forge.{name}]`: no webhook about a flow came in the last three days; is there one to \
                 `{url}/hooks/{name}`, and does the forge show its deliveries as taken? Until then moves come at the looks"
            ))),
            Err(error) => findings.push(bad(error.to_string())),
        }
    }
}
