//! The web surfaces of a running service. They only build commands, wake flows and show what is
//! stored; nothing here decides.
//!
//! Not here: the loop (`serve`).

pub mod api;
mod chat;
mod connections;
mod forge_hooks;
mod health;
pub mod hooks;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use self::connections::Seats;
use crate::serve::Shared;

/// How long a hook or a probe may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long open requests may take once the service is to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// The bounds that the web surfaces keep to. Tests set narrower ones.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many connections there are at once. Each costs a file, some ten kilobytes, and no thread.
    pub connections: usize,
    /// How long a client may take for the head of a request, the next one of an open connection included: what is idle
    /// for longer is closed.
    pub head: Duration,
    /// How long a request of the API that asks a remote or moves something waits for its turn.
    pub turn: Duration,
    /// How long it may then take to be answered; it goes on all the same.
    pub work: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connections: 512, head: seconds(30), turn: seconds(30), work: seconds(150) }
    }
}

/// Every route.
pub fn router(shared: Arc<Shared>, limits: Limits) -> Router {
    let quick = Router::new()
        .merge(health::router(shared.clone()))
        .nest("/chat", chat::router(shared.clone()))
        .nest("/hooks", hooks::router(shared.clone()).merge(forge_hooks::router(shared.clone())))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, DEADLINE));
    // The API has deadlines of its own: a look at a remote takes as long as it takes.
    Router::new()
        .merge(quick)
        .nest("/api/v1", api::router(shared, limits))
        .fallback(api::no_route)
        .layer(CatchPanicLayer::custom(api::panicked))
}

/// Serves until `stop`, and ends open requests within bounds.
///
/// # Errors
/// If the listener fails altogether.
pub async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    limits: Limits,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let seats = Arc::new(Seats::new(limits.connections));
    let app = router(shared.clone(), limits);
    let made_room = || shared.metrics.made_room();
    let open = connections::take(listener, app, (seats, limits.head), made_room, stop).await?;
    if tokio::time::timeout(PATIENCE, open.wait()).await.is_err() {
        tracing::debug!(connections = open.len(), "closed in the middle of a request");
    }
    Ok(())
}
