//! `POST /hooks/git/FLOW`: somebody says that a repository has changed. (Forges: `forge_hooks`.)
//!
//! A hook wakes a flow and carries nothing into a decision: a forged or repeated one can at worst
//! cause one look. It is signed all the same, so that strangers cannot cause looks.
//!
//! The signature is the one of Stripe and Standard Webhooks in shape: the header
//! `Towpath-Signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA-256 over `SECONDS.BODY`, byte for
//! byte as sent. `contrib/post-receive` makes it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use towpath_core::model::{FlowName, Instant, Span};
use towpath_core::text::{hex, one_line};

use crate::secret::Secret;
use crate::serve::{Shared, Wake};

/// The header that holds the signature.
pub const HEADER: &str = "towpath-signature";

/// How far a signature's time may be from ours.
const WINDOW: Span = Span::from_mins(5);

/// The largest body that is read.
const BODY_MAX: usize = 64 * 1024;

/// How many calls are remembered; within the window a repeated one is counted apart.
const SEEN_MAX: usize = 100_000;

#[derive(Debug, Clone)]
struct Hooks {
    shared: Arc<Shared>,
    seen: Arc<Mutex<Seen>>,
}

/// Calls that came within the window: hashes of signature and flow.
#[derive(Debug, Default)]
struct Seen {
    known: HashSet<[u8; 32]>,
    order: VecDeque<([u8; 32], Instant)>,
}

impl Seen {
    /// Notes a call; whether it is new.
    fn note(&mut self, call: [u8; 32], now: Instant) -> bool {
        let old = |at: &Instant| now.since(*at).ms() > 2 * WINDOW.ms();
        while self.order.front().is_some_and(|(_, at)| old(at)) || self.order.len() >= SEEN_MAX {
            if let Some((gone, _)) = self.order.pop_front() {
                self.known.remove(&gone);
            }
        }
        if !self.known.insert(call) {
            return false;
        }
        self.order.push_back((call, now));
        true
    }
}

/// Why a hook was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No secret is configured.
    #[error("no `webhook_secrets` are configured under `[service]`, so no hook can be trusted")]
    NoSecrets,
    /// No signature, or not in the form.
    #[error("the header `Towpath-Signature: t=SECONDS,v1=HEX` is missing or malformed")]
    Unsigned,
    /// The signature is none of ours.
    #[error("the signature does not fit")]
    Forged,
    /// The signature is too old or from the future.
    #[error("the signature's time is more than 5 minutes from ours; is a clock wrong?")]
    OutOfTime,
    /// The body is larger than a hook's.
    #[error("the body is larger than 64 KiB")]
    TooLarge,
    /// Signed well, but there is no such flow.
    #[error("there is no flow of that name")]
    NoFlow,
}

impl Refused {
    const fn status(self) -> StatusCode {
        match self {
            Self::NoSecrets | Self::Unsigned | Self::Forged | Self::OutOfTime => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoFlow => StatusCode::NOT_FOUND,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::NoSecrets => "no-secrets",
            Self::Unsigned => "unsigned",
            Self::Forged => "forged",
            Self::OutOfTime => "out-of-time",
            Self::TooLarge => "too-large",
            Self::NoFlow => "no-flow",
        }
    }
}

/// The routes under `/hooks`.
pub fn router(shared: Arc<Shared>) -> Router {
    let hooks = Hooks { shared, seen: Arc::default() };
    // Names of flows hold slashes.
    Router::new().route("/git/{*flow}", post(git)).with_state(hooks)
}

async fn git(State(hooks): State<Hooks>, Path(flow): Path<String>, headers: HeaderMap, body: Body) -> Response {
    let metrics = &hooks.shared.metrics;
    match take(&hooks, &flow, &headers, body).await {
        Ok(new) => {
            metrics.hook("git", if new { "taken" } else { "repeated" });
            StatusCode::ACCEPTED.into_response()
        }
        Err(refused) => {
            metrics.hook("git", refused.word());
            tracing::debug!(flow = one_line(&flow, 100), result = refused.word(), "a hook was refused");
            (refused.status(), format!("{refused}\n")).into_response()
        }
    }
}

async fn take(hooks: &Hooks, flow: &str, headers: &HeaderMap, body: Body) -> Result<bool, Refused> {
    let setup = hooks.shared.setup();
    let secrets = secrets(&setup.config.service.webhook_secrets);
    if secrets.is_empty() {
        return Err(Refused::NoSecrets);
    }
    // Nothing of the body is read for somebody who has not even the form of a signature.
    let (at, signature) =
        headers.get(HEADER).and_then(|h| h.to_str().ok()).and_then(parse).ok_or(Refused::Unsigned)?;
    let wall = setup.world.clock().reading().wall;
    let distance = wall.since(at).ms().max(at.since(wall).ms());
    if distance > WINDOW.ms() {
        return Err(Refused::OutOfTime);
    }
    let body = to_bytes(body, BODY_MAX).await.map_err(|_| Refused::TooLarge)?;
    if !secrets.iter().any(|secret| verify(secret, at, &body, &signature)) {
        return Err(Refused::Forged);
    }
    // A repeated one wakes, too: two pushes within a second may send the very same call, and a look
    // too many does no harm.
    if !hooks.shared.wake(&FlowName::new(flow), Wake::Hook) {
        return Err(Refused::NoFlow);
    }
    let call = Sha256::new().chain_update(signature).chain_update(flow).finalize().into();
    Ok(hooks.seen.lock().unwrap_or_else(PoisonError::into_inner).note(call, wall))
}

pub(super) fn secrets(places: &[crate::config::SecretRef]) -> Vec<Secret> {
    let read = |place| match Secret::read(place) {
        Ok(secret) => Some(secret),
        Err(error) => {
            tracing::warn!(%error, "a webhook secret cannot be read");
            None
        }
    };
    places.iter().filter_map(read).collect()
}

/// `t=SECONDS,v1=HEX`.
fn parse(header: &str) -> Option<(Instant, [u8; 32])> {
    let (time, signature) = header.split_once(',')?;
    let seconds: i64 = time.trim().strip_prefix("t=")?.parse().ok()?;
    let hex = signature.trim().strip_prefix("v1=")?;
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some((Instant(seconds.checked_mul(1_000)?), bytes))
}

fn verify(secret: &Secret, at: Instant, body: &[u8], signature: &[u8]) -> bool {
    mac(secret.expose(), at, body).is_some_and(|mac| mac.verify_slice(signature).is_ok())
}

fn mac(key: &[u8], at: Instant, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{}.", at.0.div_euclid(1_000)).as_bytes());
    mac.update(body);
    Some(mac)
}

/// The header's value for a body, as `contrib/post-receive` makes it; for our own clients and tests.
pub fn sign(key: &[u8], at: Instant, body: &[u8]) -> String {
    let code = mac(key, at, body).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    format!("t={},v1={}", at.0.div_euclid(1_000), hex(&code))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back_and_nothing_else_is_taken() {
        let at = Instant(1_700_000_000_000);
        let header = sign(b"key", at, b"body");
        let (read, signature) = parse(&header).unwrap();
        assert_eq!(read, at);
        let secret = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), format!("{text}\n")).unwrap();
            Secret::read(&crate::config::SecretRef::File(file.path().to_owned())).unwrap()
        };
        assert!(verify(&secret("key"), at, b"body", &signature));
        assert!(!verify(&secret("kez"), at, b"body", &signature));
        assert!(!verify(&secret("key"), at, b"bodz", &signature));
        assert!(!verify(&secret("key"), Instant(at.0 + 1_000), b"body", &signature));
        for bad in [
            "",
            "t=1",
            "t=x,v1=00",
            "v1=00,t=1",
            "t=1,v1=",
            &header[..header.len() - 1],
            "t=9223372036854775807,v1=",
            &header.replace("v1=", "v1=\u{e9}"),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        // A sign is no digit, though Rust's parser takes one.
        assert_eq!(parse(&format!("t=1,v1={}", "+1".repeat(32))), None);
    }

    #[test]
    fn a_repeated_signature_is_told_apart_and_memory_is_bounded() {
        let mut seen = Seen::default();
        let signature = |n: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            bytes
        };
        assert!(seen.note(signature(1), Instant(0)));
        assert!(!seen.note(signature(1), Instant(1)));
        for n in 2..(SEEN_MAX as u32 + 10) {
            seen.note(signature(n), Instant(2));
        }
        assert!(seen.order.len() <= SEEN_MAX && seen.known.len() == seen.order.len());
        assert!(seen.note(signature(5), Instant(WINDOW.ms() * 3)), "long forgotten");
        assert_eq!(seen.known.len(), 1);
    }
}
