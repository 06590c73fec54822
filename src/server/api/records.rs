//! What was recorded: history, promotions and audit, newest first.

use axum::Extension;
use axum::extract::State;
use serde::Deserialize;
use towpath_core::command::Command;
use towpath_core::model::{AuditRow, Concerns, EnvName, FlowName, IntentState, Scope};

use super::extract::{Asked, after_row, limit};
use super::reply::{Answered, View};
use super::{Api, Caller};
use crate::config::name_fault;
use crate::setup::Setup;
use crate::store::What;
use crate::views::{self, Audit, AuditEntry, Code, History, Problem, Promotions, Which};

/// How many rows one answer tells of.
const ROWS_MAX: u32 = 200;

/// The query of lists that can be limited to a flow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfFlow {
    flow: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

/// The flows whose records are wanted; none: all of them.
fn wanted(api: &Api, caller: &Caller, setup: &Setup, word: Option<&str>) -> Result<Vec<FlowName>, Problem> {
    match word {
        Some(word) => Ok(vec![api.flow(caller, setup, word)?]),
        None => Ok(caller.flows().to_vec()),
    }
}

/// Whether somebody who is limited to some flows may see a command: one about their flows, or
/// about all.
fn may_see(caller: &Caller, setup: &Setup, row: &AuditRow) -> bool {
    if caller.flows().is_empty() {
        return true;
    }
    match &row.concerns {
        Concerns::Flows(flows) => caller.flows().iter().any(|flow| flows.contains(flow)),
        // A row of an older version says so of what was about no flow, too.
        Concerns::All => {
            let scope = Command::parse(&row.command).map(|command| setup.config.target(&command.place()));
            match scope {
                Ok(Ok(Scope::All | Scope::Environment(_))) => true,
                Ok(Ok(Scope::Flow(flow) | Scope::Edge(flow, _))) => caller.flows().contains(&flow),
                Ok(Err(_)) | Err(_) => false,
            }
        }
    }
}

/// `history [FLOW]`
///
/// Moves, events and commands.
#[utoipa::path(get, path = "/api/v1/history", operation_id = "history", tag = "look",
    params(
        ("flow" = Option<String>, Query, description = "Only this flow"),
        ("limit" = Option<u32>, Query, description = "How many entries", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "`next` of the answer before"),
    ),
    responses((status = 200, description = "What happened", body = History)))]
pub async fn history(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<OfFlow>,
) -> Answered<History> {
    let setup = api.view(&caller);
    let flows = wanted(&api, &caller, &setup, asked.flow.as_deref())?;
    let (before, limit) = (after_row(asked.after.as_deref())?, limit(asked.limit, ROWS_MAX)?);
    let mut history = views::history(&setup, &flows, before, limit).await?;
    history.history.retain(|entry| match &entry.item.what {
        What::Audit(row) => may_see(&caller, &setup, row),
        What::Intent(_) | What::Effect(_) | What::Event(_) => true,
    });
    Ok(View(history))
}

/// The query of promotions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromotionsQuery {
    flow: Option<String>,
    env: Option<String>,
    state: Option<IntentState>,
    limit: Option<u32>,
    after: Option<String>,
}

/// Promotions
///
/// Every recorded attempt and what came of it.
#[utoipa::path(get, path = "/api/v1/promotions", operation_id = "promotions", tag = "look",
    params(
        ("flow" = Option<String>, Query, description = "Only this flow"),
        ("env" = Option<String>, Query, description = "Only into this environment"),
        ("state" = Option<String>, Query, description = "Only these: saved, pushing, landed, overtaken, superseded, refused or abandoned"),
        ("limit" = Option<u32>, Query, description = "How many", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "`next` of the answer before"),
    ),
    responses((status = 200, description = "Promotions", body = Promotions)))]
pub async fn promotions(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<PromotionsQuery>,
) -> Answered<Promotions> {
    let setup = api.view(&caller);
    let mut flows = wanted(&api, &caller, &setup, asked.flow.as_deref())?;
    if flows.len() > 1 {
        let what = "this token is limited to several flows; say which with `flow`";
        return Err(Problem::new(Code::BadQuery, what));
    }
    // One that is no longer configured may be asked for: what was recorded of it stays.
    if let Some(why) = asked.env.as_deref().and_then(name_fault) {
        return Err(Problem::new(Code::BadQuery, format!("`env` is no name of an environment: {why}")));
    }
    let which = Which { flow: flows.pop(), env: asked.env.map(EnvName::new), state: asked.state };
    let (before, limit) = (after_row(asked.after.as_deref())?, limit(asked.limit, ROWS_MAX)?);
    Ok(View(views::promotions(&setup, &which, before, limit).await?))
}

/// Audit
///
/// What people commanded, allowed or not.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "audit", tag = "look",
    params(
        ("flow" = Option<String>, Query, description = "Only this flow, and what concerned every flow"),
        ("limit" = Option<u32>, Query, description = "How many", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "`next` of the answer before"),
    ),
    responses((status = 200, description = "Commands; with a limited token a piece may hold fewer than `limit`", body = Audit)))]
pub async fn audit(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<OfFlow>,
) -> Answered<Audit> {
    let setup = api.view(&caller);
    let flow = match &asked.flow {
        Some(word) => Some(api.flow(&caller, &setup, word)?),
        None => None,
    };
    let (before, limit) = (after_row(asked.after.as_deref())?, limit(asked.limit, ROWS_MAX)?);
    let shown = |entry: &AuditEntry| may_see(&caller, &setup, &entry.row);
    Ok(View(views::audit(&setup, flow.as_ref(), before, limit, shown).await?))
}
