//! `serve`: the service in the foreground, until a signal ends it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::exit::Exit;
use super::out::complain;
use super::session::{self, Need};
use crate::clock::Clock;
use crate::serve::{self, Shared, notify};
use crate::server;
use crate::setup::Setup;

/// Serves until SIGTERM or SIGINT; a second one does not wait for what is under way.
pub async fn run(path: Option<&Path>, listen: Option<SocketAddr>) -> Result<Exit, Failure> {
    // From the first moment on: a signal that nobody has asked for yet would end the process.
    let _hangup = signal(SignalKind::hangup())
        .map_err(|error| Failure::Plain(Exit::Error, format!("signals cannot be received: {error}")))?;
    many_files();
    let config = session::config(path)?;
    if !config.warnings.is_empty() {
        complain(crate::config::to_text(&config.warnings, crate::config::Style::Plain).trim_end());
    }
    let mut config = config;
    config.service.listen = listen.unwrap_or(config.service.listen);
    let listen = config.service.listen;
    let setup = Setup::open(config, Clock::System, Need::Create).await?;
    setup.world.store().verify().await?;
    may_listen(&setup).await?;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        let what =
            format!("cannot listen on {listen}: {error}; change `listen` under `[service]`, or end what has it");
        Failure::Plain(Exit::Error, what)
    })?;
    let address = listener.local_addr().unwrap_or(listen);
    let stop = CancellationToken::new();
    let again = stop_on_signals(stop.clone())?;
    let shared = Arc::new(Shared::new(setup));
    announce(&shared, address);
    let web = tokio::spawn(server::serve(listener, shared.clone(), server::Limits::default(), stop.clone()));
    notify("READY=1");
    let ended = tokio::select! {
        ended = serve::run(shared, stop.clone()) => ended.map_err(|error| Failure::Plain(Exit::Error, error.to_string())),
        () = again.cancelled() => {
            tracing::warn!("stopped at once; the next start brings what was under way to its end");
            Ok(())
        }
    };
    notify("STOPPING=1");
    stop.cancel();
    let _ = web.await;
    tracing::info!("stopped");
    ended.map(|()| Exit::Done)
}

fn announce(shared: &Shared, address: SocketAddr) {
    let setup = shared.setup();
    let flows = setup.config.flows.len();
    let config = setup.config.path.display().to_string();
    let store = setup.world.store().path().display().to_string();
    let look = setup.config.service.look.as_str();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), flows, config, store, look, "serving on http://{address}");
}

/// Beyond the loopback only if somebody can say who they are.
async fn may_listen(setup: &Setup) -> Result<(), Failure> {
    let wall = setup.world.clock().reading().wall;
    let has_tokens = setup.world.store().has_usable_token(wall).await?;
    server::api::may_listen(&setup.config, has_tokens)
        .map_err(|refusal| Failure::Plain(Exit::Error, refusal.to_string()))
}

/// As many open files as the system lets us have: each connection and each git needs some, and a
/// service that has none left moves nothing.
fn many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the number of open files stays as it is");
    }
}

/// The first signal stops, the second one stops at once.
fn stop_on_signals(stop: CancellationToken) -> Result<CancellationToken, Failure> {
    let on = |kind| {
        signal(kind).map_err(|error| Failure::Plain(Exit::Error, format!("signals cannot be received: {error}")))
    };
    let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let again = CancellationToken::new();
    let at_once = again.clone();
    tokio::spawn(async move {
        for token in [stop, at_once] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            token.cancel();
        }
    });
    Ok(again)
}
