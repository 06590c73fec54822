//! `POST /hooks/NAME`: the forge `[forge.NAME]` says that something has happened there.
//!
//! As every hook it wakes flows and carries nothing into a decision. How its signature is verified is the
//! adapter's matter (`forge`); here are the bounds, what is taken twice, and whom it wakes. Without a
//! secret in the config there is no such address.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use towpath_core::text::one_line;

use super::hooks::secrets;
use crate::config::FlowConfig;
use crate::forge::{Forge, HookRefused, RepoPath};
use crate::serve::{Shared, Wake, comment};
use crate::setup::Setup;
use crate::store::Taken;

/// The largest body that is read: what GitHub sends at most.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap>
const BODY_MAX: usize = 25 * 1024 * 1024;

/// For how long one is read. GitHub and GitLab give up after ten seconds themselves.
const READING_TIME: Duration = Duration::from_secs(10);

/// How much of bodies is held at once, in pieces of 64 KiB. Anybody may send one: a signature can only be
/// seen to be wrong when the whole body is there. Room is taken as bytes come, so whoever sends none keeps
/// none from others.
pub(super) const ROOM: usize = 96 * 1024 * 1024 / PIECE;
const PIECE: usize = 64 * 1024;

#[derive(Clone)]
struct Hooks {
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
}

/// Why a hook was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Refused {
    /// No such forge, or none that takes hooks. Which, strangers are not told.
    #[error("there is nothing here")]
    NoForge,
    /// The body is larger than any that a forge sends, or did not come to its end in time.
    #[error("the body is larger than 25 MiB, broke off, or came too slowly")]
    TooLarge,
    /// The adapter's no.
    #[error("{0}")]
    Not(HookRefused),
    /// A command in a comment could not be stored.
    #[error("it could not be stored; deliver it again")]
    NotStored,
}

impl Refused {
    const fn status(self) -> StatusCode {
        match self {
            Self::NoForge => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotStored => StatusCode::SERVICE_UNAVAILABLE,
            Self::Not(HookRefused::Unreadable) => StatusCode::BAD_REQUEST,
            Self::Not(_) => StatusCode::UNAUTHORIZED,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::NoForge => "no-forge",
            Self::TooLarge => "too-large",
            Self::NotStored => "not-stored",
            Self::Not(HookRefused::Unreadable) => "unreadable",
            Self::Not(HookRefused::Unsigned) => "unsigned",
            Self::Not(HookRefused::Forged) => "forged",
            Self::Not(HookRefused::Stale) => "out-of-time",
        }
    }
}

/// The routes under `/hooks`.
pub fn router(shared: Arc<Shared>) -> Router {
    let hooks = Hooks { shared, room: Arc::new(Semaphore::new(ROOM)) };
    Router::new().route("/{forge}", post(hook)).with_state(hooks)
}

async fn hook(State(hooks): State<Hooks>, Path(name): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let metrics = &hooks.shared.metrics;
    match take(&hooks, &name, &headers, body).await {
        Ok(word) => {
            metrics.hook("forge", word);
            StatusCode::ACCEPTED.into_response()
        }
        Err(refused) => {
            metrics.hook("forge", refused.word());
            tracing::debug!(forge = one_line(&name, 100), result = refused.word(), "a hook was refused");
            (refused.status(), format!("{refused}\n")).into_response()
        }
    }
}

/// A body to its end, with the room that it takes; none if it is too large or breaks off.
pub(super) async fn whole(
    room: &Semaphore,
    mut body: Body,
    most: usize,
) -> Option<(Vec<u8>, Vec<SemaphorePermit<'_>>)> {
    let (mut bytes, mut held) = (Vec::new(), Vec::new());
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        // Trailers are of no interest.
        let Ok(piece) = frame.ok()?.into_data() else { continue };
        bytes.extend_from_slice(&piece);
        if bytes.len() > most {
            return None;
        }
        while held.len() * PIECE < bytes.len() {
            held.push(room.acquire().await.ok()?);
        }
    }
    Some((bytes, held))
}

/// Answers what came of it, for the metrics.
async fn take(hooks: &Hooks, name: &str, headers: &HeaderMap, body: Body) -> Result<&'static str, Refused> {
    let setup = hooks.shared.setup();
    let config = setup.config.forges.get(name).ok_or(Refused::NoForge)?;
    if config.webhook_secrets.is_empty() {
        return Err(Refused::NoForge);
    }
    let adapter = adapter(&setup, name).ok_or(Refused::NoForge)?;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_MAX) {
        return Err(Refused::TooLarge);
    }
    // Nothing of the body is read for somebody who sends nothing like a signature.
    if !adapter.is_signed(headers) {
        return Err(Refused::Not(HookRefused::Unsigned));
    }
    let read = timeout(READING_TIME, whole(&hooks.room, body, BODY_MAX)).await;
    let (body, _room) = read.map_err(|_| Refused::TooLarge)?.ok_or(Refused::TooLarge)?;
    let places = config.webhook_secrets.clone();
    let secrets: Vec<String> =
        secrets(&places).iter().map(|secret| String::from_utf8_lossy(secret.expose()).into_owned()).collect();
    let seen = adapter.hook(headers, &body, &secrets).map_err(Refused::Not)?;
    let Some(repo) = seen.repo else { return Ok("no-repository") };
    let flows: Vec<&FlowConfig> = on(&setup, name, &repo).collect();
    if flows.is_empty() {
        return Ok("not-ours");
    }
    // Before the delivery is taken: what could not be stored is to be delivered again.
    if let Some(said) = seen.said {
        let flows = flows.iter().map(|found| found.flow.name.clone()).collect();
        match comment::take(&setup, name, flows, said).await {
            Ok(None) => {}
            Ok(Some(taken)) => {
                let word = match taken {
                    Taken::New => "taken",
                    Taken::Before => "repeated",
                    Taken::FullOfTheirs(_) | Taken::FullOfAll(_) => "too-many",
                };
                hooks.shared.metrics.hook("comment", word);
                hooks.shared.asked.notify_one();
            }
            Err(error) => {
                tracing::warn!(%error, forge = name, "a comment could not be stored");
                return Err(Refused::NotStored);
            }
        }
    }
    if let Some(delivery) = &seen.delivery {
        let now = setup.world.clock().reading().wall;
        match setup.world.store().take_delivery(name, delivery, now).await {
            Ok(true) => {}
            Ok(false) => return Ok("repeated"),
            // A look too many does no harm; one too few leaves people waiting.
            Err(error) => tracing::warn!(%error, "a delivery could not be noted"),
        }
    }
    for found in flows {
        hooks.shared.wake(&found.flow.name, Wake::Hook);
    }
    Ok("taken")
}

/// The adapter of a forge: that of any flow on it.
fn adapter(setup: &Setup, name: &str) -> Option<Arc<dyn Forge>> {
    let mut flows = setup.config.flows.iter().filter(|found| found.forge.as_deref() == Some(name));
    flows.find_map(|found| setup.world.forge(&found.flow.name).ok().map(|on| Arc::clone(&on.forge)))
}

/// The flows of a repository of that forge. Forges tell names in whatever case they were first written.
fn on<'a>(setup: &'a Setup, name: &'a str, repo: &'a RepoPath) -> impl Iterator<Item = &'a FlowConfig> {
    let wanted = repo.as_str().trim_end_matches(".git").to_lowercase();
    setup.config.flows.iter().filter(move |found| {
        let path = found.flow.repository.trim_end_matches(".git");
        found.forge.as_deref() == Some(name) && path.to_lowercase() == wanted
    })
}
