//! Faults on demand: what a network, a proxy or a server under load makes of a good answer.
//!
//! A faulty answer is marked, so that it is not held against the description.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;

use super::super::schema::ON_PURPOSE;

/// What goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// This status with these words, instead of doing anything.
    Status(u16, &'static str),
    /// 429 that asks to come back after so many seconds.
    TooMany(u32),
    /// Half of the body, and the line is cut.
    Truncated,
    /// The body a byte at a time, for ever.
    Trickled,
    /// It is done, and nobody is told.
    DoneAndDropped,
    /// The body with something changed.
    Changed(Arc<dyn Fn(&mut Value) + Send + Sync>),
    /// What was answered to the same question the first time.
    Stale,
}

impl Fault {
    pub fn changed(by: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Changed(Arc::new(by))
    }
}

/// The faults that wait, and what was answered before.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    /// Where: a part of `METHOD /path?query`; what; how often still.
    planned: Vec<(String, Fault, u32)>,
    first: HashMap<String, Bytes>,
}

impl Faults {
    /// Makes that fault the next so many times that a call has `place` in it.
    pub fn plan(&self, place: &str, fault: Fault, times: u32) {
        self.0.lock().expect("faults").planned.push((place.to_owned(), fault, times));
    }

    /// No more of them.
    pub fn clear(&self) {
        self.0.lock().expect("faults").planned.clear();
    }

    fn take(&self, place: &str) -> Option<Fault> {
        let mut waiting = self.0.lock().expect("faults");
        let found = waiting.planned.iter_mut().find(|(at, _, times)| *times > 0 && place.contains(at.as_str()))?;
        found.2 -= 1;
        Some(found.1.clone())
    }
}

/// The layer that makes them.
pub async fn make(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    let place = format!("{} {}", request.method(), request.uri());
    let Some(fault) = faults.take(&place) else {
        let response = next.run(request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        faults.0.lock().expect("faults").first.entry(place).or_insert_with(|| body.clone());
        return Response::from_parts(parts, Body::from(body));
    };
    let mut response = match fault {
        Fault::Status(status, words) => {
            let body = serde_json::json!({ "message": words, "url": "" }).to_string();
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = axum::http::StatusCode::from_u16(status).expect("a status");
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Fault::TooMany(seconds) => {
            let mut response = Response::new(Body::from("slow down"));
            *response.status_mut() = axum::http::StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        Fault::Truncated | Fault::DoneAndDropped => {
            let whole = matches!(fault, Fault::DoneAndDropped);
            let (mut parts, body) = next.run(request).await.into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a body");
            // An answer without a body cannot be cut in it.
            if parts.status == axum::http::StatusCode::NO_CONTENT {
                parts.status = axum::http::StatusCode::OK;
            }
            let length = body.len().max(2) as u64 + 100;
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            let sent = if whole { Bytes::new() } else { body.slice(..body.len() / 2) };
            Response::from_parts(parts, cut_after(sent))
        }
        Fault::Trickled => {
            let (mut parts, _) = next.run(request).await.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, trickle())
        }
        Fault::Changed(change) => {
            let (mut parts, body) = next.run(request).await.into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a body");
            let mut value = serde_json::from_slice(&body).expect("JSON");
            change(&mut value);
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(value.to_string()))
        }
        Fault::Stale => {
            let first = faults.0.lock().expect("faults").first.get(&place).cloned();
            let (mut parts, body) = next.run(request).await.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            let now = to_bytes(body, usize::MAX).await.expect("a body");
            Response::from_parts(parts, Body::from(first.unwrap_or(now)))
        }
    };
    response.headers_mut().insert(ON_PURPOSE, HeaderValue::from_static("a fault"));
    response
}

/// A body that ends before it is as long as it was said to be. Its own length is not known to the HTTP
/// library, which would not send it otherwise.
fn cut_after(bytes: Bytes) -> Body {
    let (mut writer, reader) = tokio::io::duplex(64);
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        let _ = writer.write_all(&bytes).await;
    });
    Body::from_stream(tokio_util::io::ReaderStream::new(reader))
}

/// A body that never ends.
fn trickle() -> Body {
    let (mut writer, reader) = tokio::io::duplex(16);
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    Body::from_stream(tokio_util::io::ReaderStream::new(reader))
}
