//! `serve`: the service in the foreground, until a signal ends it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::exit::Exit;
use super::out::complain;
use super::session::{self, Need};
use crate::clock::Clock;
use crate::serve::{self, ServeError, Shared, notify};
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
    let mut web = JoinSet::new();
    web.spawn(server::serve(listener, shared.clone(), server::Limits::default(), stop.clone()));
    notify("READY=1");
    if let Some(every) = serve::watchdog_every() {
        let alive = shared.clone();
        tokio::spawn(serve::watchdog(every, move || alive.pulse.is_alive(), notify));
    }
    let ended = together(serve::run(shared, stop.clone()), &mut web, &again, &stop).await;
    notify("STOPPING=1");
    stop.cancel();
    while web.join_next().await.is_some() {}
    tracing::info!("stopped");
    ended.map(|()| Exit::Done)
}

/// The loop and the web server, until both have ended or a second signal does not wait for that. Neither goes on
/// without the other: a loop that no hook, probe or person reaches would look dead and be none.
async fn together(
    work: impl Future<Output = Result<(), ServeError>>,
    web: &mut JoinSet<std::io::Result<()>>,
    again: &CancellationToken,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let mut work = std::pin::pin!(work);
    let at_once = || tracing::warn!("stopped at once; the next start brings what was under way to its end");
    let died = tokio::select! {
        ended = &mut work => return ended.map_err(|error| Failure::Plain(Exit::Error, error.to_string())),
        () = again.cancelled() => {
            at_once();
            return Ok(());
        }
        died = died(web, stop) => died,
    };
    tracing::error!("the web server ended by itself: {died}; so does the service");
    stop.cancel();
    tokio::select! {
        _ = work => {}
        () = again.cancelled() => at_once(),
    }
    Err(Failure::Plain(Exit::Error, format!("the web server ended by itself: {died}; start the service again")))
}

/// Why the web server ended without being told to.
async fn died(web: &mut JoinSet<std::io::Result<()>>, stop: &CancellationToken) -> String {
    let ended = web.join_next().await;
    if stop.is_cancelled() {
        return std::future::pending().await;
    }
    match ended {
        Some(Ok(Err(error))) => error.to_string(),
        Some(Err(_)) => "a mistake in Towpath".to_owned(),
        Some(Ok(Ok(()))) | None => "it said nothing".to_owned(),
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    async fn ended(
        web: impl Future<Output = std::io::Result<()>> + Send + 'static,
        stops: bool,
    ) -> Result<(), Failure> {
        let (stop, again) = (CancellationToken::new(), CancellationToken::new());
        let mut set = JoinSet::new();
        set.spawn(web);
        let asked = stop.clone();
        let work = async move {
            if stops {
                asked.cancel();
            }
            // The loop ends once it is told to, and not by itself.
            asked.cancelled().await;
            tokio::task::yield_now().await;
            Ok(())
        };
        // The clock of the test stands still until nothing else is left to do.
        let ended = together(work, &mut set, &again, &stop);
        let ended = tokio::time::timeout(std::time::Duration::from_secs(1), ended).await.unwrap();
        assert!(stop.is_cancelled());
        while set.join_next().await.is_some() {}
        ended
    }

    #[tokio::test(start_paused = true)]
    async fn without_its_web_server_the_service_ends_with_an_error() {
        for (web, why) in [(0, "no more sockets"), (1, "a mistake in Towpath"), (2, "it said nothing")] {
            let web = async move {
                match web {
                    0 => Err(std::io::Error::other("no more sockets")),
                    1 => panic!("a mistake"),
                    _ => Ok(()),
                }
            };
            let Err(Failure::Plain(Exit::Error, said)) = ended(web, false).await else { panic!("{why}") };
            assert!(said.contains(why), "{said}");
        }
        assert!(ended(std::future::ready(Ok(())), true).await.is_ok(), "it was told to");
    }
}
