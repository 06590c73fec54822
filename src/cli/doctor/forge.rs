//! What `doctor` asks of a forge: what is in the way there, whether its webhooks come, and who is in its teams. Whether the
//! checks exist that are waited for is asked in `checks`.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{BranchName, CommitId, Fact, Gate, GateKind, Instant, Span, Via, request_branch};
use towpath_core::text::one_line;

use super::{Finding, bad, checks, good, note};
use crate::cli::session::Session;
use crate::config::FlowConfig;
use crate::engine::forges::OnForge;
use crate::engine::reach::in_words;

/// For how long no webhook may come before it is worth a word.
const QUIET: Span = Span::from_mins(3 * 24 * 60);

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
    findings.extend(request_branches(on, found).await);
    findings.extend(checks::findings(session, on, found, heads).await);
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

/// Whether a protection covers the branches of requests, which Towpath moves in any direction: `*` and `**` are popular.
async fn request_branches(on: &OnForge, found: &FlowConfig) -> Vec<Finding> {
    let name = &found.flow.name;
    let mut findings = Vec::new();
    for environment in found.flow.environments.iter().skip(1).filter(|env| env.via == Via::MergeRequest) {
        let head = request_branch(name, &environment.name);
        if on.forge.against_rollback(&on.repo, &head).await.is_some() {
            findings.push(note(format!(
                "`{name}`: a protection covers `{head}`, the branch of the requests into `{}`, which Towpath moves in any \
                 direction: leave `towpath/` out of it, or let Towpath's user push there with force",
                environment.name
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
