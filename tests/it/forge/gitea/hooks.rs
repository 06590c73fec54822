//! Deliveries of webhooks, signed as servers sign them (`services/webhook/deliver.go`).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use towpath_core::text::hex;

/// One delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// As Forgejo sends it: with Gitea's, Gogs' and GitHub's headers beside its own. Gitea leaves its own out.
pub fn deliver(number: usize, event: &str, payload: &Value, secret: &str, forgejo: bool) -> Delivery {
    let body = payload.to_string().into_bytes();
    let key = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    let signature = hex(&key.chain_update(&body).finalize().into_bytes());
    let id = format!("0e2a9c1e-0000-4000-8000-{number:012}");
    let mut headers = HeaderMap::new();
    let mut put = |name: String, value: &str| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        headers.insert(name, HeaderValue::from_str(value).expect("a value"));
    };
    put("content-type".to_owned(), "application/json");
    // The one header has the name of the group, the other that of the single event (`modules/webhook/type.go`).
    let is_pull = payload["is_pull"] == serde_json::json!(true);
    let kind = if event == "issue_comment" && is_pull { "pull_request_comment" } else { event };
    let makers: &[&str] = if forgejo { &["forgejo", "gitea", "gogs"] } else { &["gitea", "gogs"] };
    for maker in makers {
        put(format!("x-{maker}-delivery"), &id);
        put(format!("x-{maker}-event"), event);
        put(format!("x-{maker}-event-type"), kind);
        put(format!("x-{maker}-signature"), &signature);
    }
    put("x-github-delivery".to_owned(), &id);
    put("x-github-event".to_owned(), event);
    put("x-hub-signature-256".to_owned(), &format!("sha256={signature}"));
    Delivery { headers, body }
}
