//! The web surfaces of a running service. They only build commands, wake flows and show what is
//! stored; nothing here decides.
//!
//! Not here: the loop (`serve`).

pub mod api;
mod health;
pub mod hooks;

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::serve::Shared;

/// How long a hook or a probe may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long open requests may take once the service is to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every route.
pub fn router(shared: Arc<Shared>) -> Router {
    let quick = Router::new()
        .merge(health::router(shared.clone()))
        .nest("/hooks", hooks::router(shared.clone()))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, DEADLINE));
    // The API has deadlines of its own: a look at a remote takes as long as it takes.
    Router::new()
        .merge(quick)
        .nest("/api/v1", api::router(shared))
        .fallback(api::no_route)
        .layer(CatchPanicLayer::custom(api::panicked))
}

/// Serves until `stop`, and ends open requests within bounds.
///
/// # Errors
/// If the listener fails altogether.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) -> std::io::Result<()> {
    let closing = stop.clone();
    // Who may read without a token depends on where a request comes from.
    let app = router(shared).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move { stop.cancelled().await });
    tokio::select! {
        done = server.into_future() => done,
        () = async { closing.cancelled().await; tokio::time::sleep(PATIENCE).await } => Ok(()),
    }
}
