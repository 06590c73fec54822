//! Orders that only change what stands: retry, report; and what all orders share.
//!
//! Not here: pauses and freezes (`super::stops`), holds (`super::holds`), approvals (`super::approve`).

use towpath_core::command::Command;
use towpath_core::model::{Change, CommitId, EnvName, Fact, Flow, Proposed, Report, Via};
use towpath_core::text::one_line;

use super::{Giving, Refusal, Reply, commits};
use crate::engine::tick::{self, Planned};
use crate::engine::world::World;

/// How much of a reason is repeated.
pub(super) const REASON_SHOWN: usize = 200;

/// A flow and one of its target environments.
pub fn edge<'c, W: World>(
    giving: &Giving<'c, W>,
    flow: &str,
    env: &str,
) -> Result<(&'c Flow, towpath_core::model::EnvName), Refusal> {
    let found = giving.config.flow(flow)?;
    let environment = found.environment(env)?;
    if found.flow.edge(&environment.name).is_none() {
        let why = format!(
            "`{}` is the first environment of `{}`: people push there, and nothing is moved into it",
            environment.name, found.flow.name
        );
        return Err(Refusal::Pointless { why });
    }
    Ok((&found.flow, environment.name.clone()))
}

/// `retry`: ends the wait after a refused push, and goes on without a request that somebody closed.
pub async fn retry<W: World>(giving: &Giving<'_, W>, flow: &str, env: &str) -> Result<Reply, Refusal> {
    let (flow, env) = edge(giving, flow, env)?;
    let ledger = giving.world.load(flow).await?;
    let mut changes = Vec::new();
    if ledger.standing.backoffs.iter().any(|backoff| backoff.env == env) {
        changes.push(Change::ClearBackoff(env.clone()));
    }
    if flow.environment(&env).is_some_and(|e| e.via == Via::MergeRequest) {
        let planned = tick::plan(giving.world, flow).await?;
        changes.extend(without_closed(giving, flow, &planned, &env));
    }
    if changes.is_empty() {
        let why = format!("no push to `{env}` of `{}` was refused lately; there is nothing to retry", flow.name);
        return Err(Refusal::Pointless { why });
    }
    let line = format!("The next look tries `{env}` of `{}` again at once.", flow.name);
    giving.settle(Some(&flow.name), None, changes, vec![line]).await
}

/// Where a closed request blocks the edge: that it is passed over from now on.
pub(super) fn without_closed<W: World>(
    giving: &Giving<'_, W>,
    flow: &Flow,
    planned: &Planned,
    env: &EnvName,
) -> Option<Change> {
    flow.environment(env).filter(|e| e.via == Via::MergeRequest)?;
    let requests = planned.seen.facts.requests.get(env).and_then(Fact::known);
    let closed = requests.filter(|requests| requests.open.is_none())?.closed.as_ref()?;
    let row = planned.ledger.proposed.get(env).cloned().unwrap_or(Proposed {
        pushed: None,
        asked: None,
        head: closed.head,
        before: None,
        at: giving.now,
        confirmed: None,
        passed_over: None,
        announced: None,
        until: None,
    });
    let row = Proposed { passed_over: Some(closed.number), ..row };
    Some(Change::PassOver { env: env.clone(), row })
}

/// `report`.
pub async fn report<W: World>(giving: &Giving<'_, W>) -> Result<Reply, Refusal> {
    let Command::Report { flow, commit, name, state, on, url } = giving.command else {
        return Err(Refusal::Pointless { why: "this is no report".to_owned() });
    };
    let flow = &giving.config.flow(flow)?.flow;
    let commit: CommitId = commits::find(giving, flow, commit).await?;
    let word = towpath_core::command::state_word(*state);
    let line = format!("`{}` of {} is recorded as {word}.", one_line(name.as_str(), 100), commit.short());
    let row = Report {
        commit,
        name: name.clone(),
        on: on.clone(),
        state: *state,
        url: url.clone(),
        by: giving.by.clone(),
        at: giving.now,
    };
    giving.settle(Some(&flow.name), None, vec![Change::Report(row)], vec![line]).await
}
