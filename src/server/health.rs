//! `/livez`, `/readyz` and `/metrics`.
//!
//! Alive means that passes finish; ready means that the store answers and takes what passes record. Neither asks a remote: a
//! dead forge must not take down the page that explains it.
//!
//! What names flows or the config answers under the hosts of the API alone, or a page in somebody's browser could read it
//! by a name of its own. `/livez` says nothing but yes or no, and a wrong name must not have a service restarted.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::api::only_our_hosts;
use crate::serve::Shared;

/// What OpenMetrics calls its own format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let guarded = Router::new()
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route_layer(from_fn_with_state(shared.clone(), only_our_hosts));
    Router::new().route("/livez", get(live)).merge(guarded).with_state(shared)
}

/// How the service is doing, for people and probes.
#[derive(Debug, Serialize)]
struct Health {
    ok: bool,
    version: &'static str,
    /// What is wrong, and what to do.
    problems: Vec<String>,
}

impl Health {
    fn answer(problems: Vec<String>, ok: bool) -> (StatusCode, Json<Self>) {
        let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(Self { ok, version: env!("CARGO_PKG_VERSION"), problems }))
    }
}

async fn live(State(shared): State<Arc<Shared>>) -> (StatusCode, Json<Health>) {
    let alive = shared.pulse.is_alive();
    let stuck = "no pass has finished for three looks; restarting is safe, the store says how far everything came";
    Health::answer(if alive { Vec::new() } else { vec![stuck.to_owned()] }, alive)
}

async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, Json<Health>) {
    let mut problems = Vec::new();
    let mut ok = true;
    if shared.pulse.is_stopping() {
        ok = false;
        problems.push("the service is stopping".to_owned());
    }
    let setup = shared.setup();
    let store = setup.world.store();
    if let Err(error) = store.peek_now(&setup.world.clock().reading()).await {
        ok = false;
        problems.push(format!("the store does not answer: {error}"));
    } else if let Some(words) = shared.pulse.store_fault() {
        // To read from is not enough: without a store that takes what a pass found and did, nothing moves.
        ok = false;
        problems.push(format!("the last pass could not be recorded: {words}"));
    }
    // The service works on under the old config: told, and no reason to take it down.
    if let Some(why) = shared.pulse.last_reload().and_then(|reload| reload.refused) {
        let told = why.told;
        problems.push(format!(
            "the config file was refused and the old config is in force: {told}; the log says what is wrong"
        ));
    }
    Health::answer(problems, ok)
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], shared.metrics.text(&shared.setup().clients))
}
