//! Answers: views as JSON, problems as problem+json.

use std::any::Any;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::views::{Code, Problem, json_text};

/// A view, as `-o json` prints it.
#[derive(Debug)]
pub struct View<T>(pub T);

/// What a route answers.
pub type Answered<T> = Result<View<T>, Problem>;

impl<T: Serialize> IntoResponse for View<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, "application/json", json_text(&self.0))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, "application/problem+json", json_text(&self));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

fn json(status: StatusCode, kind: &'static str, mut text: String) -> Response {
    text.push('\n');
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// What every answer says besides.
pub async fn headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    // What is shown is of this moment, and may be for this caller alone.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    response
}

/// There is nothing under this address.
pub async fn no_route() -> Problem {
    Problem::new(
        Code::NoSuchRoute,
        "there is nothing under this address; `/api/v1/openapi.json` lists what there is",
    )
    .hint("a slash within the name of a flow or environment is written `%2F` in an address")
}

/// This address takes another method.
pub async fn no_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "this address takes another method; `/api/v1/openapi.json` says which")
}

/// A panic: a mistake of ours, and no reason to end anything else.
#[allow(clippy::needless_pass_by_value)] // the layer hands it over like this
pub fn panicked(why: Box<dyn Any + Send + 'static>) -> Response {
    let text = why.downcast_ref::<String>().cloned();
    let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
    tracing::error!(text, "a request ended by a mistake in Towpath");
    Problem::new(Code::Internal, "a mistake in Towpath; its log says more").into_response()
}
