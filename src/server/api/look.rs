//! Deciding afresh: `plan`, which stores nothing, and a pass, which moves what may move.
//!
//! A pass that is asked for here is the tick that the loop makes, under the same lease, so that it
//! can answer with what came of it. The loop is woken behind it: its due times are older.

use axum::Extension;
use axum::extract::State;
use serde::Deserialize;

use super::extract::{Asked, Named, Piece, limit};
use super::flows::{Nothing, found, piece};
use super::reply::{Answered, View};
use super::{Api, Caller};
use crate::config::FlowConfig;
use crate::serve::Wake;
use crate::views::{self, Code, Passes, Plans, Problem};

/// How many flows one request may look at: each asks its remote.
const LOOKED_AT_MAX: u32 = 20;

/// The query of `plan`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanQuery {
    flow: Option<String>,
    env: Option<String>,
    limit: Option<u32>,
    after: Option<String>,
}

/// `plan [FLOW [ENV]]`
///
/// What would be done now; stores and moves nothing.
#[utoipa::path(get, path = "/api/v1/plan", operation_id = "plan", tag = "look",
    params(
        ("flow" = Option<String>, Query, description = "Only this flow"),
        ("env" = Option<String>, Query, description = "Only this environment of it"),
        ("limit" = Option<u32>, Query, description = "How many flows", minimum = 1, maximum = 20),
        ("after" = Option<String>, Query, description = "`next` of the answer before"),
    ),
    responses((status = 200, description = "Plans", body = Plans)))]
pub async fn plan(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<PlanQuery>,
) -> Answered<Plans> {
    let setup = api.view(&caller);
    let limit = limit(asked.limit, LOOKED_AT_MAX)?;
    let (flows, next) = match (&asked.flow, &asked.env) {
        (Some(flow), _) => (vec![api.flow(&caller, &setup, flow)?], None),
        (None, Some(_)) => return Err(Problem::new(Code::BadQuery, "`env` needs its `flow`")),
        (None, None) => {
            let (flows, next) = piece(&setup, asked.after.as_deref(), limit)?;
            (flows.into_iter().map(|found| found.flow.name.clone()).collect(), next)
        }
    };
    let plans = api
        .work(&caller, async move {
            let flows: Vec<&FlowConfig> = flows.iter().flat_map(|name| found(&setup, name)).collect();
            views::plan(&setup, &flows, asked.env.as_deref()).await.map(|(plans, _)| plans)
        })
        .await?;
    Ok(View(Plans { next, ..plans }))
}

/// `run FLOW`
///
/// One pass over a flow now: looks, decides, moves, records. Answers when it has ended.
#[utoipa::path(post, path = "/api/v1/flows/{flow}/look", operation_id = "lookAtFlow", tag = "steer",
    params(("flow" = String, Path, description = "The flow")),
    responses((status = 200, description = "What came of it", body = Passes)))]
pub async fn one(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Named(flow): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answered<Passes> {
    let setup = api.view(&caller);
    let name = api.flow(&caller, &setup, &flow)?;
    let flows = found(&setup, &name).into_iter().cloned().collect();
    pass(&api, &caller, flows, None).await
}

/// `run`
///
/// One pass over every flow, some at a time.
#[utoipa::path(post, path = "/api/v1/look", operation_id = "lookAtAll", tag = "steer",
    params(
        ("limit" = Option<u32>, Query, description = "How many flows", minimum = 1, maximum = 20),
        ("after" = Option<String>, Query, description = "`next` of the answer before"),
    ),
    responses((status = 200, description = "What came of it", body = Passes)))]
pub async fn all(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<Piece>,
) -> Answered<Passes> {
    let setup = api.view(&caller);
    let (flows, next) = piece(&setup, asked.after.as_deref(), limit(asked.limit, LOOKED_AT_MAX)?)?;
    let flows = flows.into_iter().cloned().collect();
    pass(&api, &caller, flows, next).await
}

async fn pass(api: &Api, caller: &Caller, flows: Vec<FlowConfig>, next: Option<String>) -> Answered<Passes> {
    let setup = api.shared.setup();
    let names: Vec<_> = flows.iter().map(|found| found.flow.name.clone()).collect();
    let passes = api.work(caller, async move { Ok(views::run(setup, flows).await) }).await?;
    for name in &names {
        api.shared.wake(name, Wake::Look);
    }
    Ok(View(Passes { next, ..passes }))
}
