//! Webhooks: whether one is really from the server, and which repository it is about.
//!
//! Gitea signs with `X-Gitea-Signature`, Forgejo with that and `X-Forgejo-Signature`: HMAC-SHA-256
//! of the JSON, as bare hexadecimal digits (`services/webhook/deliver.go`). Deliveries carry copies
//! of GitHub's and Gogs' headers, too, which are not looked at. There is no time in the signature,
//! so a recorded delivery can be sent again; it wakes a flow, and tells of a comment ([`said`]) by the comment's own id.
//!
//! A hook of the content type `application/x-www-form-urlencoded` is signed over the JSON and not
//! over what is sent; it is refused, as anything whose bytes were not signed.
//!
//! Not here: the route, the cap on bodies, remembering delivery ids.

use ::http::HeaderMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{said, wire};
use crate::forge::{HookRefused, HookSeen, RepoPath};

/// In the order in which they are looked for. A Forgejo that is behind a proxy which drops headers
/// it does not know is still read by Gitea's.
pub(super) const SIGNATURES: [&str; 2] = ["x-forgejo-signature", "x-gitea-signature"];
const DELIVERIES: [&str; 2] = ["x-forgejo-delivery", "x-gitea-delivery"];
const EVENTS: [&str; 2] = ["x-forgejo-event", "x-gitea-event"];

/// Ids are UUIDs of 36 characters; what is much longer is none and is not kept.
const DELIVERY_MAX: usize = 100;
/// `pull_request_review_approved` has 28 characters.
const EVENT_MAX: usize = 40;

/// See `Forge::hook`.
pub(super) fn verify(headers: &HeaderMap, body: &[u8], secrets: &[String]) -> Result<HookSeen, HookRefused> {
    // A hook without a secret sends the header with nothing in it.
    let signature = first(headers, &SIGNATURES).filter(|text| !text.is_empty()).ok_or(HookRefused::Unsigned)?;
    let signature = digits(signature).ok_or(HookRefused::Forged)?;
    // Every secret is tried, so that the time tells nothing about which one it was.
    let known = secrets.iter().fold(false, |known, secret| signed(secret, body, &signature) | known);
    if !known {
        return Err(HookRefused::Forged);
    }
    let read: wire::HookBody = serde_json::from_slice(body).map_err(|_| HookRefused::Unreadable)?;
    let event = first(headers, &EVENTS).filter(|event| is_event(event)).unwrap_or("other");
    let delivery = first(headers, &DELIVERIES).filter(|id| !id.is_empty() && id.len() <= DELIVERY_MAX);
    Ok(HookSeen {
        delivery: delivery.map(str::to_owned),
        repo: read.repository.map(|repo| RepoPath::new(&repo.full_name)),
        event: event.to_owned(),
        said: if event == said::EVENT { said::heard(body) } else { None },
    })
}

fn first<'h>(headers: &'h HeaderMap, names: &[&str]) -> Option<&'h str> {
    names.iter().find_map(|name| headers.get(*name)).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// An event's name becomes a label of metrics: letters and `_` only.
fn is_event(text: &str) -> bool {
    !text.is_empty() && text.len() <= EVENT_MAX && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn signed(secret: &str, body: &[u8], signature: &[u8; 32]) -> bool {
    // Anybody can sign with an empty key.
    if secret.is_empty() {
        return false;
    }
    // `verify_slice` compares in constant time. A key of any length is taken.
    Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .is_ok_and(|mac| mac.chain_update(body).verify_slice(signature).is_ok())
}

fn digits(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ::http::{HeaderName, HeaderValue};

    use super::*;

    const BODY: &[u8] = br#"{"ref":"refs/heads/develop","repository":{"id":1,"full_name":"shop/checkout"}}"#;

    /// HMAC-SHA-256 of [`BODY`] with the key `s3cret`, made with openssl 3.0:
    /// `openssl dgst -sha256 -hmac s3cret`.
    const SIGNATURE: &str = "4b89cb5fdd6d550a686592d9601b31c57a1d3208ab0fd68f82758fb3ec8d6eaf";

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn secrets(of: &[&str]) -> Vec<String> {
        of.iter().map(|secret| (*secret).to_owned()).collect()
    }

    #[test]
    fn a_signed_hook_says_what_it_is_about() {
        let sent = headers(&[
            ("X-GitHub-Event", "push"),
            ("X-Hub-Signature-256", "sha256=00"),
            ("X-Gitea-Delivery", "7f9c"),
            ("X-Gitea-Event", "push"),
            ("X-Gitea-Signature", SIGNATURE),
        ]);
        let seen = verify(&sent, BODY, &secrets(&["old", "s3cret"])).unwrap();
        let expected = HookSeen {
            delivery: Some("7f9c".to_owned()),
            repo: Some(RepoPath::new("shop/checkout")),
            event: "push".to_owned(),
            said: None,
        };
        assert_eq!(seen, expected);
        // Either secret, while one takes over from the other.
        assert!(verify(&sent, BODY, &secrets(&["s3cret", "new"])).is_ok());
    }

    #[test]
    fn what_is_not_signed_by_a_secret_of_ours_is_refused() {
        let with = |signature: &str| headers(&[("X-Gitea-Signature", signature), ("X-Gitea-Event", "push")]);
        let ours = secrets(&["s3cret"]);
        assert_eq!(verify(&headers(&[]), BODY, &ours), Err(HookRefused::Unsigned));
        assert_eq!(verify(&with(""), BODY, &ours), Err(HookRefused::Unsigned));
        // GitHub's header alone is not enough: it is for another kind of forge.
        let github = headers(&[("X-Hub-Signature-256", &format!("sha256={SIGNATURE}"))]);
        assert_eq!(verify(&github, BODY, &ours), Err(HookRefused::Unsigned));
        assert_eq!(verify(&with(&SIGNATURE[1..]), BODY, &ours), Err(HookRefused::Forged));
        assert_eq!(verify(&with(&SIGNATURE.replace('a', "b")), BODY, &ours), Err(HookRefused::Forged));
        assert_eq!(verify(&with(SIGNATURE), &BODY[..BODY.len() - 1], &ours), Err(HookRefused::Forged));
        assert_eq!(verify(&with(SIGNATURE), BODY, &secrets(&["other"])), Err(HookRefused::Forged));
        assert_eq!(verify(&with(SIGNATURE), BODY, &[]), Err(HookRefused::Forged));
        // Forgejo's own header rules where both are there.
        let both = headers(&[("X-Gitea-Signature", SIGNATURE), ("X-Forgejo-Signature", &"0".repeat(64))]);
        assert_eq!(verify(&both, BODY, &ours), Err(HookRefused::Forged));
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let mac = Hmac::<Sha256>::new_from_slice(b"").unwrap().chain_update(BODY).finalize().into_bytes();
        let sent = headers(&[("X-Gitea-Signature", &towpath_core::text::hex(&mac))]);
        assert_eq!(verify(&sent, BODY, &secrets(&[""])), Err(HookRefused::Forged));
    }

    #[test]
    fn a_signed_body_that_is_no_hook_is_unreadable() {
        for (body, ok) in [("nothing", false), (r#"{"repository":{"full_name":7}}"#, false), ("{}", true)] {
            let key = Hmac::<Sha256>::new_from_slice(b"k").unwrap();
            let mac = towpath_core::text::hex(&key.chain_update(body.as_bytes()).finalize().into_bytes());
            let sent = headers(&[("X-Forgejo-Signature", &mac), ("X-Forgejo-Event", "Push! 1")]);
            let seen = verify(&sent, body.as_bytes(), &secrets(&["k"]));
            match seen {
                Ok(seen) => assert!(ok && seen.repo.is_none() && seen.event == "other"),
                Err(refused) => assert!(!ok && refused == HookRefused::Unreadable, "{body}"),
            }
        }
    }
}
