//! The API, version 1: everything that the commands can do and show.
//!
//! A GET answers with the very struct that `-o json` prints; a POST goes through
//! `engine::command::carry_out` like any command. What is refused is refused as a [`Problem`] with
//! a stable code. One file a resource; what guards them all is in `auth` and `origin`.
//!
//! Not here: binding a socket, hooks and health (`server`), and what is shown (`views`).

mod auth;
mod commands;
mod commits;
mod extract;
mod flows;
mod listen;
mod look;
pub mod openapi;
mod origin;
mod records;
mod reply;
mod tokens;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{get, post};
use tokio::sync::{AcquireError, Semaphore};
use towpath_core::model::FlowName;

use super::Limits;
use crate::serve::Shared;
use crate::setup::Setup;
use crate::store::TokenScope;
use crate::views::{Code, Problem};

pub use auth::{Caller, authenticate};
pub use listen::{Refusal, may_listen};
pub(super) use origin::guard as only_our_hosts;
pub use reply::{no_route, panicked};

/// What is sent to the API.
pub mod requests {
    pub use super::commands::{CheckResult, CheckState, Order};
}

/// The longest body that is read.
pub const BODY_MAX: usize = 64 * 1024;

/// How many requests that ask a remote or move something are worked on at once, and how many of them for callers without
/// a token: whoever may do something is not kept waiting by those who only look.
const LOOKS_MAX: (usize, usize) = (8, 4);

/// What every route works on.
#[derive(Debug, Clone)]
pub struct Api {
    shared: Arc<Shared>,
    limits: Limits,
    looks: Arc<Semaphore>,
    unnamed: Arc<Semaphore>,
    /// The setup for looking, made once for each setup that the service runs under.
    viewing: Arc<Mutex<Option<Pair>>>,
}

/// A setup and the same for looking only.
type Pair = (Arc<Setup>, Arc<Setup>);

impl Api {
    fn new(shared: Arc<Shared>, limits: Limits) -> Self {
        let (looks, unnamed) = (Arc::new(Semaphore::new(LOOKS_MAX.0)), Arc::new(Semaphore::new(LOOKS_MAX.1)));
        Self { shared, limits, looks, unnamed, viewing: Arc::default() }
    }

    /// What the caller may look at.
    fn view(&self, caller: &Caller) -> Arc<Setup> {
        let setup = self.shared.setup();
        if !caller.flows().is_empty() {
            return Arc::new(setup.viewing(caller.flows()));
        }
        let mut made = self.viewing.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some((of, viewing)) if Arc::ptr_eq(of, &setup) => viewing.clone(),
            _ => {
                let viewing = Arc::new(setup.viewing(&[]));
                *made = Some((setup, viewing.clone()));
                viewing
            }
        }
    }

    /// The name of the flow that a word means, if the caller may see it.
    fn flow(&self, caller: &Caller, setup: &Setup, word: &str) -> Result<FlowName, Problem> {
        match setup.config.flow(word) {
            Ok(found) => Ok(found.flow.name.clone()),
            Err(_) if self.shared.setup().config.flow(word).is_ok() => Err(caller.other_flow()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Does what asks a remote or moves something: a few at once, and to its end even if whoever
    /// asked goes away, for half a move helps nobody.
    async fn work<T: Send + 'static>(
        &self,
        caller: &Caller,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = async {
            let unnamed = match caller {
                Caller::Nobody => Some(self.unnamed.clone().acquire_owned().await?),
                Caller::Token(_) => None,
            };
            Ok::<_, AcquireError>((unnamed, self.looks.clone().acquire_owned().await?))
        };
        let Ok(Ok(seat)) = tokio::time::timeout(self.limits.turn, turn).await else {
            return Err(Problem::new(Code::Busy, "too much is being looked at already; try again in a minute"));
        };
        self.at_once(async move {
            let done = work.await;
            drop(seat);
            done
        })
        .await
    }

    /// The same without waiting for a turn.
    async fn at_once<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let task = tokio::spawn(work);
        match tokio::time::timeout(self.limits.work, task).await {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => {
                tracing::error!(%error, "a request ended by a mistake in Towpath");
                Err(Problem::new(Code::Internal, "a mistake in Towpath; its log says more"))
            }
            Err(_) => {
                let what = "it was not done in time; what was begun goes on, and `status` shows what comes of it";
                Err(Problem::new(Code::TookTooLong, what))
            }
        }
    }
}

/// Every route, to be nested under `/api/v1`.
pub fn router(shared: Arc<Shared>, limits: Limits) -> Router {
    let api = Api::new(shared, limits);
    let need = |scope| from_fn_with_state((api.clone(), scope), auth::guard);
    let read = Router::new()
        .route("/flows", get(flows::list))
        .route("/flows/{flow}", get(flows::one))
        .route("/flows/{flow}/edges/{env}", get(flows::edge))
        .route("/flows/{flow}/edges/{env}/diff", get(flows::diff))
        .route("/flows/{flow}/compare", get(flows::compare))
        .route("/commits/{sha}", get(commits::explain))
        .route("/commits/{sha}/environments", get(commits::environments))
        .route("/plan", get(look::plan))
        .route("/history", get(records::history))
        .route("/promotions", get(records::promotions))
        .route("/audit", get(records::audit))
        .route("/whoami", get(tokens::whoami))
        .route_layer(need(TokenScope::Read));
    let report =
        Router::new().route("/flows/{flow}/checks", post(commands::check)).route_layer(need(TokenScope::Report));
    let steer = Router::new()
        .route("/commands", post(commands::command))
        .route("/look", post(look::all))
        .route("/flows/{flow}/look", post(look::one))
        .route_layer(need(TokenScope::Steer));
    let admin = Router::new().route("/tokens", get(tokens::list)).route_layer(need(TokenScope::Admin));
    Router::new()
        .merge(read)
        .merge(report)
        .merge(steer)
        .merge(admin)
        .route("/openapi.json", get(openapi::serve))
        .fallback(reply::no_route)
        .method_not_allowed_fallback(reply::no_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(api.shared.clone(), origin::guard))
        .layer(map_response(reply::headers))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(reply::panicked))
        .with_state(api)
}
