//! Webhooks: `X-Hub-Signature-256`, an HMAC-SHA-256 over the raw body.
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>
//!
//! The signature holds no time, so an old delivery can be sent again by whoever recorded it: what is
//! behind this de-duplicates by the delivery's id, and a hook only wakes. What is said in a comment ([`said`])
//! has an id of its own in the bytes that were signed; the headers with the event and the delivery's id are not.

use std::borrow::Cow;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use serde::Deserialize;
use sha2::Sha256;

use super::said;
use crate::forge::{HookRefused, HookSeen, RepoPath};

/// The longest event name that is taken for one; GitHub's are below forty.
const EVENT_MAX: usize = 64;

#[derive(Deserialize)]
struct Payload {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: Option<String>,
}

/// As [`crate::forge::Forge::hook`].
pub(super) fn verify(headers: &HeaderMap, body: &[u8], secrets: &[String]) -> Result<HookSeen, HookRefused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let signature =
        text("x-hub-signature-256").and_then(|text| text.strip_prefix("sha256=")).ok_or(HookRefused::Unsigned)?;
    let signature = unhex(signature).ok_or(HookRefused::Unsigned)?;
    // Every secret is tried, whichever fits: time tells nothing of which.
    let fits = secrets.iter().filter(|secret| !secret.is_empty()).fold(false, |fits, secret| {
        fits | Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .is_ok_and(|mac| mac.chain_update(body).verify_slice(&signature).is_ok())
    });
    if !fits {
        return Err(HookRefused::Forged);
    }
    let event = text("x-github-event").filter(|event| event.len() <= EVENT_MAX).ok_or(HookRefused::Unreadable)?;
    let form = text("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let json: Cow<'_, [u8]> = if form {
        Cow::Owned(url_form(body).ok_or(HookRefused::Unreadable)?.into_bytes())
    } else {
        Cow::Borrowed(body)
    };
    let payload: Payload = serde_json::from_slice(&json).map_err(|_| HookRefused::Unreadable)?;
    Ok(HookSeen {
        said: if event == said::EVENT { said::heard(&json) } else { None },
        delivery: text("x-github-delivery").filter(|id| !id.is_empty() && id.len() <= 100).map(str::to_owned),
        repo: payload.repository.and_then(|repository| repository.full_name).map(|name| RepoPath::new(&name)),
        event: event.to_owned(),
    })
}

/// The field `payload` of a form, which is how GitHub sends unless told otherwise.
fn url_form(body: &[u8]) -> Option<String> {
    // reqwest's URL reads the same format after its `?`.
    let url = reqwest::Url::parse(&format!("http://form/?{}", std::str::from_utf8(body).ok()?)).ok()?;
    url.query_pairs().find(|(name, _)| name == "payload").map(|(_, value)| value.into_owned())
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use towpath_core::text::hex;

    use super::*;

    fn signed(secret: &str, body: &str) -> HeaderMap {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key").chain_update(body);
        let signature = format!("sha256={}", hex(&mac.finalize().into_bytes()));
        let mut headers = HeaderMap::new();
        headers.insert("x-hub-signature-256", signature.parse().expect("a header"));
        headers.insert("x-github-event", "push".parse().expect("a header"));
        headers.insert("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958".parse().expect("a header"));
        headers
    }

    #[test]
    fn githubs_own_example_is_taken() {
        // "It's a Secret to Everybody", from the page named above.
        let mut headers = HeaderMap::new();
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        headers.insert("x-hub-signature-256", signature.parse().expect("a header"));
        headers.insert("x-github-event", "ping".parse().expect("a header"));
        let secrets = ["It's a Secret to Everybody".to_owned()];
        // Verified; that "Hello, World!" is no JSON comes after.
        assert_eq!(verify(&headers, b"Hello, World!", &secrets), Err(HookRefused::Unreadable));
        assert_eq!(verify(&headers, b"Hello, World?", &secrets), Err(HookRefused::Forged));
    }

    #[test]
    fn any_secret_may_have_signed_and_nothing_else() {
        let body = r#"{"repository":{"full_name":"shop/checkout"},"new":null}"#;
        let secrets = ["old".to_owned(), "new".to_owned()];
        for secret in ["old", "new"] {
            let seen = verify(&signed(secret, body), body.as_bytes(), &secrets).expect(secret);
            assert_eq!(seen.repo, Some(RepoPath::new("shop/checkout")));
            assert_eq!(seen.event, "push");
            assert_eq!(seen.delivery.as_deref(), Some("72d3162e-cc78-11e3-81ab-4c9367dc0958"));
        }
        assert_eq!(verify(&signed("other", body), body.as_bytes(), &secrets), Err(HookRefused::Forged));
        assert_eq!(verify(&signed("old", body), body.as_bytes(), &[]), Err(HookRefused::Forged));
        assert_eq!(verify(&signed("", body), body.as_bytes(), &[String::new()]), Err(HookRefused::Forged));
        assert_eq!(verify(&HeaderMap::new(), body.as_bytes(), &secrets), Err(HookRefused::Unsigned));
        let mut old_kind = signed("old", body);
        old_kind.remove("x-hub-signature-256");
        old_kind.insert("x-hub-signature", "sha1=00".parse().expect("a header"));
        assert_eq!(verify(&old_kind, body.as_bytes(), &secrets), Err(HookRefused::Unsigned));
        for bad in
            ["sha256=", "sha256=00", &format!("sha256={}", "zz".repeat(32)), &format!("sha256={}", "+1".repeat(32))]
        {
            let mut headers = signed("old", body);
            headers.insert("x-hub-signature-256", bad.parse().expect("a header"));
            assert_eq!(verify(&headers, body.as_bytes(), &secrets), Err(HookRefused::Unsigned), "{bad}");
        }
    }

    #[test]
    fn a_form_is_read_and_events_without_a_repository_too() {
        let body = "payload=%7B%22repository%22%3A%7B%22full_name%22%3A%22a%2Fb%22%7D%7D";
        let mut headers = signed("s", body);
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().expect("a header"));
        let seen = verify(&headers, body.as_bytes(), &["s".to_owned()]).expect("a form");
        assert_eq!(seen.repo, Some(RepoPath::new("a/b")));
        let body = r#"{"zen":"x","repository":null}"#;
        assert_eq!(verify(&signed("s", body), body.as_bytes(), &["s".to_owned()]).expect("a ping").repo, None);
    }
}
