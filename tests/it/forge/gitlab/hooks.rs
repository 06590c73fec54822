//! Deliveries of webhooks, with a secret token or signed by a signing token, as GitLab sends them.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// One delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// As GitLab sends it at that time (epoch milliseconds).
pub fn deliver(number: usize, event: &str, payload: &Value, secret: &str, now: i64) -> Delivery {
    let body = payload.to_string().into_bytes();
    let id = format!("0e2a9c1e-0000-4000-8000-{number:012}");
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
    };
    put("content-type", "application/json");
    put("user-agent", "GitLab/19.5.0");
    put("x-gitlab-event", event);
    put("x-gitlab-event-uuid", "7d1d6a3e-0000-4000-8000-000000000000");
    put("x-gitlab-instance", "https://gitlab.example.com");
    put("idempotency-key", &id);
    match secret.strip_prefix("whsec_") {
        None => put("x-gitlab-token", secret),
        Some(key) => {
            let time = (now / 1_000).to_string();
            let key = STANDARD.decode(key).expect("base64");
            let mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
            let mac = mac.chain_update(format!("{id}.{time}.")).chain_update(&body).finalize().into_bytes();
            put("webhook-id", &id);
            put("webhook-timestamp", &time);
            put("webhook-signature", &format!("v1,{}", STANDARD.encode(mac)));
        }
    }
    Delivery { headers, body }
}
