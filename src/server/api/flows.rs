//! Flows and their edges, as of the last pass.

use axum::Extension;
use axum::extract::State;
use towpath_core::model::{FlowName, Span};
use towpath_core::text::one_line;

use super::extract::{Asked, Named, Piece, after_flow, limit};
use super::reply::{Answered, View};
use super::{Api, Caller};
use crate::config::FlowConfig;
use crate::setup::Setup;
use crate::views::{self, Code, Compare, Cursor, DiffView, EdgeView, Problem, Status};

/// How many flows one answer tells of.
pub const FLOWS_MAX: u32 = 100;

/// The next flows of a list, and where it goes on.
pub fn piece<'s>(
    setup: &'s Setup,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<&'s FlowConfig>, Option<String>), Problem> {
    let flows = &setup.config.flows;
    let begin = match after_flow(after)? {
        None => 0,
        // One that was removed meanwhile ends the list; the next list begins anew.
        Some(name) => flows.iter().position(|f| f.flow.name.as_str() == name).map_or(flows.len(), |at| at + 1),
    };
    let found: Vec<&FlowConfig> = flows.iter().skip(begin).take(limit).collect();
    let more = flows.len() > begin + found.len();
    let next = found.last().filter(|_| more).map(|last| Cursor::Flow(last.flow.name.to_string()).to_string());
    Ok((found, next))
}

/// The configuration of flows by their names, which are known to be there.
pub fn found<'s>(setup: &'s Setup, name: &FlowName) -> Vec<&'s FlowConfig> {
    setup.config.flows.iter().filter(|found| &found.flow.name == name).collect()
}

/// `status`
///
/// Where every flow is, as of its last pass, in the order of the config.
#[utoipa::path(get, path = "/api/v1/flows", operation_id = "listFlows", tag = "look",
    params(
        ("limit" = Option<u32>, Query, description = "How many flows", minimum = 1, maximum = 100),
        ("after" = Option<String>, Query, description = "`next` of the answer before"),
    ),
    responses((status = 200, description = "Flows", body = Status)))]
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Asked(asked): Asked<Piece>,
) -> Answered<Status> {
    let setup = api.view(&caller);
    let (flows, next) = piece(&setup, asked.after.as_deref(), limit(asked.limit, FLOWS_MAX)?)?;
    let status = views::status(&setup, &flows).await?;
    Ok(View(Status { next, ..status }))
}

/// `status FLOW`
///
/// Where one flow is, as of its last pass.
#[utoipa::path(get, path = "/api/v1/flows/{flow}", operation_id = "getFlow", tag = "look",
    params(("flow" = String, Path, description = "Its name, or an unambiguous end of it after a slash; a slash is written `%2F`")),
    responses((status = 200, description = "A list of one flow", body = Status)))]
pub async fn one(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Named(flow): Named<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answered<Status> {
    let setup = api.view(&caller);
    let name = api.flow(&caller, &setup, &flow)?;
    Ok(View(views::status(&setup, &found(&setup, &name)).await?))
}

/// `explain FLOW ENV`
///
/// Why something has or has not moved into an environment, as of the last pass: every check, and what can be done.
#[utoipa::path(get, path = "/api/v1/flows/{flow}/edges/{env}", operation_id = "explainEdge", tag = "look",
    params(
        ("flow" = String, Path, description = "The flow"),
        ("env" = String, Path, description = "The environment that commits enter"),
    ),
    responses((status = 200, description = "The edge", body = EdgeView)))]
pub async fn edge(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Named((flow, env)): Named<(String, String)>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answered<EdgeView> {
    let setup = api.view(&caller);
    let name = api.flow(&caller, &setup, &flow)?;
    Ok(View(views::edge(&setup, name.as_str(), &env).await?))
}

/// `diff FLOW ENV`
///
/// The commits and files that an environment lacks of its source, looked at afresh.
#[utoipa::path(get, path = "/api/v1/flows/{flow}/edges/{env}/diff", operation_id = "diffEdge", tag = "look",
    params(
        ("flow" = String, Path, description = "The flow"),
        ("env" = String, Path, description = "The environment that lacks them"),
    ),
    responses((status = 200, description = "The difference", body = DiffView)))]
pub async fn diff(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Named((flow, env)): Named<(String, String)>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answered<DiffView> {
    let setup = api.view(&caller);
    let name = api.flow(&caller, &setup, &flow)?;
    Ok(View(api.work(&caller, async move { views::diff(&setup, name.as_str(), &env).await }).await?))
}

/// The query of `compare`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompareQuery {
    since: Option<String>,
    within: Option<String>,
}

/// `compare FLOW`
///
/// Where people moved its branches earlier than Towpath would have, later, or against it, as it was recorded.
#[utoipa::path(get, path = "/api/v1/flows/{flow}/compare", operation_id = "compareFlow", tag = "look",
    params(
        ("flow" = String, Path, description = "The flow"),
        ("since" = Option<String>, Query, description = "How far back to look, such as `12h`; `7d` if left out"),
        ("within" = Option<String>, Query, description = "How far apart two moves may be and still agree; `10m` if left out"),
    ),
    responses((status = 200, description = "People beside Towpath", body = Compare)))]
pub async fn compare(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Named(flow): Named<String>,
    Asked(asked): Asked<CompareQuery>,
) -> Answered<Compare> {
    let setup = api.view(&caller);
    let name = api.flow(&caller, &setup, &flow)?;
    let since = span("since", asked.since.as_deref().unwrap_or(views::compare::SINCE))?;
    let within = span("within", asked.within.as_deref().unwrap_or(views::compare::WITHIN))?;
    Ok(View(views::compare(&setup, name.as_str(), since, within).await?))
}

fn span(key: &str, text: &str) -> Result<Span, Problem> {
    Span::parse(text).map_err(|why| Problem::new(Code::BadQuery, format!("`{key}`: {}", one_line(&why, 200))))
}

/// No query at all.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}
