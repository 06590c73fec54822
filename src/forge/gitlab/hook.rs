//! Webhooks: whether one is really from GitLab, and which project it is about.
//!
//! There are two ways (<https://docs.gitlab.com/user/project/integrations/webhooks/>):
//! * a **signing token** (2026): the Standard Webhooks' `webhook-signature`, a list of `v1,BASE64` with spaces
//!   between, each the HMAC-SHA-256 of `{webhook-id}.{webhook-timestamp}.{body}` by the key that stands in base64
//!   behind `whsec_`. The time is in it, and one that is more than five minutes off is refused;
//! * a **secret token**, sent as it is in `X-Gitlab-Token`. It proves that the sender knows it and nothing about
//!   the body.
//!
//! Secrets that begin with `whsec_` are signing tokens, others secret tokens. A delivery that is signed has to be
//! signed by one of ours, if we have any: what else it carries does not make up for a wrong signature. While
//! none is configured the secret token counts, so that the two can be changed one after the other.
//!
//! Not here: the route, the cap on bodies, remembering delivery ids.

use ::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use towpath_core::model::{Instant, Span};

use super::{said, wire};
use crate::forge::{HookRefused, HookSeen, RepoPath};

/// The headers of both ways.
pub(super) const SIGNATURES: [&str; 2] = ["webhook-signature", "x-gitlab-token"];

/// What a signing token begins with.
const SIGNING: &str = "whsec_";

/// How far its time may be from ours: what the Standard Webhooks' own libraries allow.
const SKEW: Span = Span::from_mins(5);

/// Ids are UUIDs of 36 characters; what is much longer is none and is not kept.
const ID_MAX: usize = 100;
/// `Confidential Issue Hook` has 23 characters.
const EVENT_MAX: usize = 40;
/// Signatures beyond these are not looked at: one for each token while they are changed.
const SIGNATURES_MAX: usize = 8;

/// See `Forge::hook`. `now` is compared with a signed time only.
pub(super) fn verify(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[String],
    now: Instant,
) -> Result<HookSeen, HookRefused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let (signing, plain): (Vec<&String>, Vec<&String>) =
        secrets.iter().partition(|secret| secret.starts_with(SIGNING));
    let signature = text("webhook-signature").filter(|_| !signing.is_empty());
    let signed_id = match signature {
        Some(signature) => {
            let id = text("webhook-id").ok_or(HookRefused::Unsigned)?;
            let time = text("webhook-timestamp").ok_or(HookRefused::Unsigned)?;
            let content = [id.as_bytes(), b".", time.as_bytes(), b".", body].concat();
            // Every one is tried, so that the time tells nothing about which it was.
            let known = signing.iter().fold(false, |known, secret| signed(secret, &content, signature) | known);
            if !known {
                return Err(HookRefused::Forged);
            }
            fresh(time, now)?;
            Some(id)
        }
        None => {
            // A hook without a secret sends no such header.
            let token = text("x-gitlab-token").filter(|token| !token.is_empty()).ok_or(HookRefused::Unsigned)?;
            if !plain.iter().fold(false, |known, secret| same(secret, token) | known) {
                return Err(HookRefused::Forged);
            }
            None
        }
    };
    let read: wire::HookBody = serde_json::from_slice(body).map_err(|_| HookRefused::Unreadable)?;
    let path = read.project.and_then(|project| project.path_with_namespace).or(read.path_with_namespace);
    // The first stays the same when a delivery is repeated; it is also the signed id. The other is of the
    // event, which several hooks may tell.
    let delivery = signed_id.or_else(|| text("idempotency-key")).or_else(|| text("x-gitlab-event-uuid"));
    let event_name = text("x-gitlab-event").unwrap_or_default();
    Ok(HookSeen {
        delivery: delivery.filter(|id| !id.is_empty() && id.len() <= ID_MAX).map(str::to_owned),
        repo: path.filter(|path| !path.is_empty()).map(|path| RepoPath::new(&path)),
        event: event(event_name),
        said: if event_name == said::EVENT { said::heard(body) } else { None },
    })
}

/// `Merge Request Hook` as a label of metrics: `merge_request`.
fn event(text: &str) -> String {
    let name = text.strip_suffix(" Hook").unwrap_or(text);
    let plain = name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ');
    if name.is_empty() || text.len() > EVENT_MAX || !plain {
        return "other".to_owned();
    }
    name.to_ascii_lowercase().replace(' ', "_")
}

fn signed(secret: &str, content: &[u8], signatures: &str) -> bool {
    let key = secret.strip_prefix(SIGNING).and_then(|key| STANDARD.decode(key).ok());
    // Anybody can sign with an empty key.
    let Some(key) = key.filter(|key| !key.is_empty()) else { return false };
    let ours = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    // `verify_slice` compares in constant time. A key of any length is taken.
    ours.take(SIGNATURES_MAX).fold(false, |known, signature| {
        Hmac::<Sha256>::new_from_slice(&key)
            .is_ok_and(|mac| mac.chain_update(content).verify_slice(&signature).is_ok())
            | known
    })
}

/// Whether two secrets are one, in a time that tells nothing of either: their MACs by one key are compared.
fn same(secret: &str, token: &str) -> bool {
    if secret.is_empty() {
        return false;
    }
    let mac = |text: &str| Hmac::<Sha256>::new_from_slice(b"x-gitlab-token").map(|mac| mac.chain_update(text));
    let (Ok(ours), Ok(theirs)) = (mac(secret), mac(token)) else { return false };
    ours.verify(&theirs.finalize().into_bytes()).is_ok()
}

fn fresh(time: &str, now: Instant) -> Result<(), HookRefused> {
    let seconds: i64 = time.parse().map_err(|_| HookRefused::Unreadable)?;
    let off = now.0.saturating_sub(seconds.saturating_mul(1_000)).saturating_abs();
    if off > SKEW.ms() { Err(HookRefused::Stale) } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ::http::{HeaderName, HeaderValue};

    use super::*;

    const BODY: &[u8] = br#"{"object_kind":"push","project":{"id":1,"path_with_namespace":"shop/back/checkout"}}"#;
    const NOW: Instant = Instant(1_795_255_200_000);
    const TIME: &str = "1795255200";
    /// The 32 bytes 0, 1, … 31.
    const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    /// By that key, of `a1b2.1795255200.` and [`BODY`]; made with Python's `hmac`.
    const SIGNATURE: &str = "v1,28SiCkgNMixEefdXYgotMhdk9wR3VAdsU9Tw9bSZJP0=";

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn secrets(of: &[&str]) -> Vec<String> {
        of.iter().map(|secret| (*secret).to_owned()).collect()
    }

    fn signed_with(id: &str, time: &str, signature: &str) -> HeaderMap {
        headers(&[
            ("webhook-id", id),
            ("webhook-timestamp", time),
            ("webhook-signature", signature),
            ("X-Gitlab-Token", "s3cret"),
            ("X-Gitlab-Event", "Merge Request Hook"),
            ("Idempotency-Key", "other"),
        ])
    }

    #[test]
    fn a_signed_hook_says_what_it_is_about() {
        let two = format!("v1,AAAA {SIGNATURE}");
        for signature in [SIGNATURE, &two] {
            let sent = signed_with("a1b2", TIME, signature);
            let seen = verify(&sent, BODY, &secrets(&["old", KEY]), NOW).unwrap();
            let expected = HookSeen {
                delivery: Some("a1b2".to_owned()),
                repo: Some(RepoPath::new("shop/back/checkout")),
                event: "merge_request".to_owned(),
                said: None,
            };
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn a_wrong_signature_is_not_made_up_for_by_the_secret_token() {
        let ours = secrets(&["s3cret", KEY]);
        let refused = |sent: &HeaderMap, body: &[u8]| verify(sent, body, &ours, NOW).unwrap_err();
        assert_eq!(refused(&signed_with("a1b3", TIME, SIGNATURE), BODY), HookRefused::Forged);
        assert_eq!(refused(&signed_with("a1b2", "1795255201", SIGNATURE), BODY), HookRefused::Forged);
        assert_eq!(
            refused(&signed_with("a1b2", TIME, &SIGNATURE.replacen("v1", "v2", 1)), BODY),
            HookRefused::Forged
        );
        assert_eq!(refused(&signed_with("a1b2", TIME, ""), BODY), HookRefused::Forged);
        assert_eq!(refused(&signed_with("a1b2", TIME, SIGNATURE), &BODY[1..]), HookRefused::Forged);
        let timeless = headers(&[("webhook-signature", SIGNATURE), ("webhook-id", "a1b2")]);
        assert_eq!(refused(&timeless, BODY), HookRefused::Unsigned);
        let sent = signed_with("a1b2", TIME, SIGNATURE);
        assert_eq!(verify(&sent, BODY, &secrets(&["whsec_", "whsec_!"]), NOW), Err(HookRefused::Forged));
        // Before a signing token is configured, the old way still counts.
        let seen = verify(&sent, BODY, &secrets(&["s3cret"]), NOW).unwrap();
        assert_eq!(seen.delivery.as_deref(), Some("other"));
    }

    #[test]
    fn a_signed_hook_is_taken_for_five_minutes() {
        let sent = signed_with("a1b2", TIME, SIGNATURE);
        let at = |off: i64| verify(&sent, BODY, &secrets(&[KEY]), Instant(NOW.0 + off)).err();
        assert_eq!([at(0), at(300_000), at(-300_000)], [None; 3]);
        assert_eq!([at(300_001), at(-300_001)], [Some(HookRefused::Stale); 2]);
    }

    #[test]
    fn a_secret_token_is_compared_whole() {
        let ours = secrets(&["old", "s3cret", KEY]);
        let with = |token: &str| headers(&[("X-Gitlab-Token", token), ("X-Gitlab-Event", "Push Hook")]);
        let seen = verify(&with("s3cret"), BODY, &ours, NOW).unwrap();
        assert_eq!((seen.event.as_str(), seen.delivery), ("push", None));
        for token in ["s3cre", "s3crett", "S3cret", KEY] {
            assert_eq!(verify(&with(token), BODY, &ours, NOW), Err(HookRefused::Forged), "{token}");
        }
        assert_eq!(verify(&with(""), BODY, &secrets(&[""]), NOW), Err(HookRefused::Unsigned));
        assert_eq!(verify(&headers(&[]), BODY, &ours, NOW), Err(HookRefused::Unsigned));
        assert_eq!(verify(&with("x"), BODY, &secrets(&[""]), NOW), Err(HookRefused::Forged));
    }

    #[test]
    fn bodies_and_names_that_are_odd_do_no_harm() {
        let ours = secrets(&["k"]);
        let with = |event: &str| headers(&[("X-Gitlab-Token", "k"), ("X-Gitlab-Event", event)]);
        let read = |event: &str, body: &str| verify(&with(event), body.as_bytes(), &ours, NOW);
        assert_eq!(read("Push Hook", "nothing"), Err(HookRefused::Unreadable));
        assert_eq!(read("Push Hook", r#"{"project":{"path_with_namespace":7}}"#), Err(HookRefused::Unreadable));
        let system = read("System Hook", r#"{"path_with_namespace":"a/b"}"#).unwrap();
        assert_eq!((system.repo, system.event.as_str()), (Some(RepoPath::new("a/b")), "system"));
        let none = read("Push{1} Hook", "{}").unwrap();
        assert_eq!((none.repo, none.event.as_str()), (None, "other"));
        assert_eq!(read("", r#"{"project":null}"#).unwrap().event, "other");
    }
}
