//! The promises about merge requests, a second time and from the truth: what people really did on the
//! forge and when, what we put onto request branches, which orders a process had read.
//!
//! As with the results of CI, people may change their mind after the last reading: what was so at some
//! time since a process read it counts. What a late answer showed counts as having been so.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Timelike as _;
use towpath::engine::Proposal;
use towpath::forge::{HeadBound, RequestSeen, RequestState};
use towpath_core::model::{
    ApprovalsGate, AuthorsMay, BranchName, CiState, CommitId, Decision, Edge, EnvName, Event, Flow, FlowName, Gate,
    GateKind, Given, IntentRow, MergeBy, MergeHow, OpenWhen, PushedRequest, REQUEST_BRANCHES, Reason, Report, Tip,
    Via, request_branch,
};

use super::check::{Served, forbidden, held, ordered, was};
use super::universe::{Loaded, Moved, Universe};
use super::{REQUIRED, flows};
use crate::support::book::TEAMS;

/// At the instant at which a process reads what stands.
pub fn on_load(it: &mut Universe, replica: usize, flow: &Flow) {
    if flow.edges().all(|edge| edge.target.via == Via::FastForward) {
        return;
    }
    let standing = &it.book.ledgers[&flow.name].standing;
    let promotes = standing.promotes.iter().map(|order| (order.env.clone(), order.commit)).collect();
    let overrides = standing.overrides.iter().map(|o| (o.env.clone(), o.commit, o.gate)).collect();
    let holds = standing.holds.clone();
    let loaded = it.loaded.entry((replica, flow.name.clone())).or_default();
    *loaded = Loaded { promotes, overrides, holds, ..std::mem::take(loaded) };
}

/// At the instant at which it is saved what is wanted in a request. What is there already, whoever put it there, is
/// not pushed: a process may end right here, and the next one finds everything done.
pub fn on_wanted(it: &mut Universe, flow: &FlowName, env: &EnvName, head: CommitId) {
    let before = it.book.ledgers[flow].proposed.get(env).map(|row| row.head);
    let branch = request_branch(flow, env);
    let repository = it.repositories.get_mut(flow).expect("the flow exists");
    if before == Some(head) || repository.branches.get(&branch) != Some(&head) {
        return;
    }
    if repository.puts.get(&branch).is_some_and(|puts| puts.contains(&head)) {
        *repository.found.entry((branch.clone(), head)).or_default() += 1;
    }
    it.ours(flow, &branch, head);
}

/// At the instant at which a candidate begins to be put into a request: nothing that the process could
/// know forbids it.
pub fn on_propose(it: &mut Universe, replica: usize, edge: &Edge<'_>, proposal: &Proposal) {
    let (flow, env, head) = (edge.flow, &proposal.env, proposal.head);
    let loaded = it.loaded.get(&(replica, flow.name.clone())).cloned().unwrap_or_default();
    let branch = request_branch(&flow.name, env);
    if !branch.as_str().starts_with(REQUEST_BRANCHES) || flow.environments.iter().any(|e| e.branch == branch) {
        it.violation(format!("I1: {branch} is not ours to move"));
    }
    if edge.target.via != Via::MergeRequest {
        it.violation(format!("I2: {head} is put into a request into {env}, which has none"));
    }
    let promoted = loaded.promotes.contains(&(env.clone(), head));
    // By the wall at which it began.
    let wall = loaded.begun.unwrap_or(it.reading().wall);
    let one = (flow.name.clone(), env.clone(), head);
    if let Some(pause) = forbidden(it, (flow, env), promoted, wall, |order| !order.proposing.contains(&one)) {
        it.violation(format!("I4: {head} is put into a request into {env} after pause {pause} was acknowledged"));
    }
    // From where it was told that the branch is: an answer may be out of date, and proposing moves no environment.
    // At the merge it is the branch itself that counts.
    if let Some(old) = loaded.tips.get(env).copied()
        && let Some(hold) = held(it, &flow.name, env, &loaded.holds, (old, head))
    {
        it.violation(format!("I5: {head} is put into a request into {env} in spite of hold {hold}"));
    }
    let (mut dag, moves) = (None, it.repositories[&flow.name].moves.iter().rev());
    let mut sources = moves.filter(|m| m.branch == edge.source.branch).filter_map(|m| m.new);
    if !sources.any(|tip| dag.get_or_insert_with(|| it.dag(&flow.name)).contains(tip, head)) {
        it.violation(format!("I3: {head} was never on {}, and is put into a request", edge.source.branch));
    }
    if let Some(why) = unripe(it, edge, &loaded, head) {
        it.violation(format!("I2: {head} is put into a request into {env}: {why}"));
    }
    if let Some(by) = leaves_approved(it, edge, &loaded, head) {
        it.violation(format!("I16: the request into {env} goes on to {head}, although {by} approved its head"));
    }
}

/// What stands against opening a request for that commit, of what people and the calendar do not open.
fn unripe(it: &Universe, edge: &Edge<'_>, loaded: &Loaded, head: CommitId) -> Option<String> {
    let env = &edge.target.name;
    let overridden = |gate| loaded.overrides.contains(&(env.clone(), head, gate));
    let ready = edge.target.request.open == OpenWhen::Ready;
    if !overridden(GateKind::Ci) {
        for check in REQUIRED {
            let of = (&edge.flow.name, head, check);
            if red_all_along(it, of, loaded.reports) || (ready && !was(it, of, loaded.reports, CiState::Green)) {
                return Some(format!("{check} is not green"));
            }
        }
    }
    let promoted = loaded.promotes.contains(&(env.clone(), head));
    match edge.target.gate(GateKind::Lag) {
        Some(Gate::Lag(lag)) if ready && !promoted && !overridden(GateKind::Lag) => {
            let arrivals = it.repositories[&edge.flow.name].arrivals.get(&edge.source.branch);
            let arrived = *arrivals.and_then(|arrivals| arrivals.get(&head))?;
            (it.truth - arrived < lag.length.ms()).then(|| "its lag is not over".to_owned())
        }
        _ => None,
    }
}

/// Whether a check was red when so many results had been reported, and no other one came since.
fn red_all_along(it: &Universe, (flow, commit, check): (&FlowName, CommitId, &str), since: usize) -> bool {
    let all = it.book.reports.get(flow).map_or(&[][..], Vec::as_slice);
    let of = |r: &&Report| r.commit == commit && r.name.as_str() == check;
    let (before, after) = all.split_at(since.min(all.len()));
    let red = |report: &Report| report.state == CiState::Red;
    before.iter().rev().find(of).is_some_and(red) && after.iter().filter(of).all(red)
}

/// Who approved the head that a proposal takes away, although nothing blocks it, as far as the process was told.
fn leaves_approved(it: &Universe, edge: &Edge<'_>, loaded: &Loaded, next: CommitId) -> Option<String> {
    let (flow, env) = (&edge.flow.name, &edge.target.name);
    let repository = &it.repositories[flow];
    let branch = request_branch(flow, env);
    let told = loaded.requests.get(env)?;
    // What a person ordered takes the place of what is approved.
    if loaded.promotes.contains(&(env.clone(), next)) {
        return None;
    }
    let open = told.open.as_ref().filter(|open| told.branch == Tip::At(open.head) && open.head != next)?;
    // Whether that is so is another promise; and of what a person pushed there again nothing is said here. What a
    // process put there after another one had taken over, and wanted something else, is put back as anybody's is.
    let among = |heads: &BTreeMap<BranchName, BTreeSet<CommitId>>| {
        heads.get(&branch).is_some_and(|heads| heads.contains(&open.head))
    };
    let put = among(&repository.puts) && !among(&repository.late);
    let once = repository.moves.iter().filter(|m| m.branch == branch && m.new == Some(open.head)).count() == 1;
    let approval = open.approvals.iter().find(|approval| approval.given == Given::For(open.head))?;
    (put && once && !blocked(it, edge, loaded, open.head)).then(|| approval.by.to_string())
}

/// Whether something that only people can mend stands against a head.
fn blocked(it: &Universe, edge: &Edge<'_>, loaded: &Loaded, head: CommitId) -> bool {
    let flow = &edge.flow.name;
    let repository = &it.repositories[flow];
    let dag = it.dag(flow);
    let (source, target) =
        (repository.branches.get(&edge.source.branch), repository.branches.get(&edge.target.branch));
    let (Some(source), Some(target)) = (source.copied(), target.copied()) else { return true };
    let red = |check: &str| was(it, (flow, head, check), loaded.reports, CiState::Red);
    let (there, comes) = (dag.ancestors([target]), dag.ancestors([head]));
    let lacks = dag.minus(&there, &comes).any(|node| !repository.promotions.contains_key(&node.id));
    let withdrawn = repository.moves.iter().any(|m| {
        let (old, new) = (m.old, m.new);
        m.branch == edge.source.branch
            && old.is_some_and(|o| dag.contains(o, head))
            && !new.is_some_and(|n| dag.contains(n, head))
    });
    let kept_out = edge.target.gate(GateKind::Http).is_some() && it.gates.kept_out.contains(&head);
    REQUIRED.into_iter().any(red)
        || kept_out
        || withdrawn
        || lacks
        || !dag.contains(source, head)
        || dag.contains(target, head)
        || held(it, flow, &edge.target.name, &loaded.holds, (target, head)).is_some()
}

/// At the instant at which a merge is marked as begun.
pub fn on_begin(it: &mut Universe, flow: &Flow, row: &IntentRow) {
    let Some(edge) = flow.edge(&row.env) else { return };
    if edge.target.gate(GateKind::Window).is_none() || ordered(it, row, GateKind::Window) {
        return;
    }
    let local = it.reading().wall.utc().map(|utc| utc.with_timezone(&flow.zone));
    if !local.is_some_and(|local| flows::OPEN.contains(&local.hour())) {
        it.violation(format!("I2: {} begins to enter {} at {local:?}", row.new, row.env));
    }
}

/// At the instant at which the forge merges for us, or a branch is pushed: the head is the one that was decided
/// on, we put it there, and it was approved.
pub fn on_merge(it: &mut Universe, flow: &FlowName, row: &IntentRow, served: &Served) {
    let policy = it.flow(flow).clone();
    let Some(edge) = policy.edge(&row.env) else { return };
    let Some(merge) = row.merge else {
        if edge.target.via == Via::MergeRequest {
            it.violation(format!("I16: {} was pushed to {}, past its request", row.new, row.env));
        }
        return;
    };
    let mut wrong = Vec::new();
    if edge.target.via != Via::MergeRequest || edge.target.request.merge != MergeBy::Towpath {
        wrong.push(format!("I16: {} is not merged into by us", row.env));
    }
    if served.head != Some(row.new) {
        wrong.push(format!("I16: {:?} was merged into {}, and not {}", served.head, row.env, row.new));
    }
    let dag = it.dag(flow);
    let branch = request_branch(flow, &row.env);
    if !it.repositories[flow].puts.get(&branch).is_some_and(|puts| puts.contains(&row.new)) {
        wrong.push(format!("I16: {} was merged into {}, and we never put it there", row.new, row.env));
    }
    let (Some(made), Some(head)) = (dag.node(served.to), dag.node(row.new)) else { return };
    if merge.how == MergeHow::MergeCommit && !served.raced && made.tree != head.tree {
        wrong.push(format!("I3: merging {} into {} made something else of it", row.new, row.env));
    }
    if let Some(why) = unapproved(it, &edge, row, merge.number) {
        wrong.push(format!("I16: {} was merged into {} by request {}: {why}", row.new, row.env, merge.number));
    }
    for what in wrong {
        it.violation(what);
    }
}

/// A request is closed by us only after its head was in the target, and only by that head's number.
pub fn on_close(it: &mut Universe, flow: &Flow, env: &EnvName, pushed: PushedRequest) {
    let Some(target) = flow.environment(env) else { return };
    let (dag, repository) = (it.dag(&flow.name), &it.repositories[&flow.name]);
    let was_in =
        |moved: &Moved| moved.branch == target.branch && moved.new.is_some_and(|at| dag.contains(at, pushed.head));
    let ways = repository.forge.state().manners.ways;
    if !repository.moves.iter().any(was_in) || !ways.push {
        it.violation(format!("I16: request {} is closed, and {} never had {}", pushed.number, env, pushed.head));
    }
}

/// Why the request of an intent was at no time since it was saved as it has to be.
fn unapproved(it: &Universe, edge: &Edge<'_>, row: &IntentRow, number: u64) -> Option<String> {
    let state = it.repositories[&row.flow].forge.state();
    let saved = it.book.requests_at_save.get(&row.id).copied().unwrap_or(0);
    let (before, after) = state.log.split_at(saved.min(state.log.len()));
    let of = |seen: &&RequestSeen| seen.number == number;
    let then: Vec<&RequestSeen> = before.iter().rev().find(of).into_iter().chain(after.iter().filter(of)).collect();
    let whys: Vec<Option<String>> = then.iter().map(|seen| against(it, edge, row, seen)).collect();
    if whys.iter().any(Option::is_none) {
        return None;
    }
    Some(format!("{whys:?}, of {then:#?}"))
}

fn against(it: &Universe, edge: &Edge<'_>, row: &IntentRow, seen: &RequestSeen) -> Option<String> {
    if seen.head != row.new {
        return Some("another head".to_owned());
    }
    if seen.state != RequestState::Open || seen.draft || !seen.objections.is_empty() {
        return Some("closed, a draft, or objected to".to_owned());
    }
    let Some(Gate::Approvals(gate)) = edge.target.gate(GateKind::Approvals) else { return None };
    if ordered(it, row, GateKind::Approvals) {
        return None;
    }
    let may = |who: &str| may_approve(it, (edge, gate), who, (row.old, row.new));
    let counts = |a: &&towpath::forge::ApprovalSeen| a.head == HeadBound::Commit(row.new) && may(&a.by);
    let have = seen.approvals.iter().filter(counts).count();
    (have < gate.required as usize).then(|| format!("{have} of {} approvals", gate.required))
}

/// Whether that person's approval of what comes between the two commits counts.
pub fn may_approve(
    it: &Universe,
    (edge, gate): (&Edge<'_>, &ApprovalsGate),
    who: &str,
    (old, new): (CommitId, CommitId),
) -> bool {
    let in_team =
        |(team, members): &(&str, &[&str])| gate.from.contains(&format!("@{team}")) && members.contains(&who);
    if !gate.from.is_empty() && !gate.from.contains(who) && !TEAMS.iter().any(in_team) {
        return false;
    }
    let dag = it.dag(&edge.flow.name);
    let (there, range) = (dag.ancestors([old]), dag.ancestors([new]));
    let promotions = &it.repositories[&edge.flow.name].promotions;
    let wrote = dag.minus(&range, &there).any(|node| node.author == who && !promotions.contains_key(&node.id));
    gate.authors == AuthorsMay::Allow || !wrote
}

/// A merge by which a request was promoted is no divergence where requests are merged.
pub fn on_decided(it: &mut Universe, flow: &FlowName, env: &EnvName, decision: &Decision) {
    let Reason::Diverged { commits, .. } = decision.verdict.why() else { return };
    let policy = it.flow(flow);
    let Some(edge) = policy.edge(env).filter(|edge| edge.target.via == Via::MergeRequest) else { return };
    let (Tip::At(source), Tip::At(target)) = (&decision.source, &decision.target) else { return };
    let (dag, branch) = (it.dag(flow), edge.target.branch.clone());
    let promotions = &it.repositories[flow].promotions;
    let promoted = |commit: &CommitId| {
        let brought = promotions.get(commit).filter(|(into, _)| into == &branch).map(|(_, head)| *head);
        let on_chain = || dag.chain(*target).any(|node| node.id == *commit);
        brought.is_some_and(|head| dag.contains(*source, head)) && on_chain()
    };
    let taken: Vec<CommitId> = commits.iter().map(|stray| stray.commit).filter(promoted).collect();
    if !taken.is_empty() {
        it.violation(format!("I3: the merges {taken:?} into {env} are taken for divergence"));
    }
}

/// Whether the target truly has something of its own.
pub fn has_own(it: &Universe, edge: &Edge<'_>) -> bool {
    let repository = &it.repositories[&edge.flow.name];
    let tip = |branch: &BranchName| repository.branches.get(branch).copied();
    let dag = it.dag(&edge.flow.name);
    let (source, target) = (dag.ancestors(tip(&edge.source.branch)), dag.ancestors(tip(&edge.target.branch)));
    let by_request = edge.target.via == Via::MergeRequest;
    let promotion = |id: &CommitId| {
        let brought = repository.promotions.get(id).filter(|(into, _)| into == &edge.target.branch);
        by_request && brought.is_some_and(|(_, head)| dag.has(&source, *head))
    };
    dag.minus(&target, &source).any(|node| !promotion(&node.id))
}

/// Whether anybody asks the forge about the request: nobody does where nothing waits, or where the target has
/// something of its own.
pub fn is_asked(it: &Universe, edge: &Edge<'_>) -> bool {
    let branches = &it.repositories[&edge.flow.name].branches;
    let (source, target) = (branches.get(&edge.source.branch), branches.get(&edge.target.branch));
    let (Some(source), Some(target)) = (source.copied(), target.copied()) else { return false };
    !it.dag(&edge.flow.name).contains(target, source) && !has_own(it, edge)
}

/// Once everything has settled: each request was told of once for each head that it was put to.
pub fn settled(it: &mut Universe) {
    let mut wrong = Vec::new();
    let mut told: BTreeMap<(FlowName, EnvName, u64, CommitId), usize> = BTreeMap::new();
    for (flow, row) in &it.book.events {
        if let Event::Proposed { number, head, .. } = &row.event {
            *told.entry((flow.clone(), row.env.clone(), *number, *head)).or_default() += 1;
        }
    }
    for ((flow, env, number, head), times) in told {
        let branch = request_branch(&flow, &env);
        let repository = &it.repositories[&flow];
        let moved = repository.moves.iter().filter(|m| m.branch == branch && m.new == Some(head)).count();
        // Whether it had been away in between, the process that wants it anew cannot know: it is news again.
        let put = moved + repository.found.get(&(branch, head)).copied().unwrap_or(0);
        if times > put {
            wrong.push(format!("I7: request {number} into {env} for {head} is news {times} times, of {put}"));
        }
        let key = format!("proposed-{flow}-{env}-{number}-{}-", head.short());
        let ids: Vec<&String> = it
            .book
            .taken
            .iter()
            .filter(|(of, id)| *of == "outbox" && id.starts_with(&key))
            .map(|(_, id)| id)
            .collect();
        if ids.is_empty() || ids.len() > times {
            wrong.push(format!(
                "I7: request {number} into {env} for {head} is told under {ids:?}, {times} times news"
            ));
        }
        if ids.iter().any(|id| !it.sent.contains(id)) {
            wrong.push(format!("I7: of {ids:?} not all were told"));
        }
    }
    for what in wrong {
        it.violation(what);
    }
}
