//! What is read from a request: path, query and body, each refused as a [`Problem`] where it is not what the route
//! takes.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use towpath_core::text::one_line;

use super::Api;
use crate::views::{Code, Cursor, Problem};

/// How much of a fault that quotes the request is repeated.
const QUOTED: usize = 200;

/// How long a client may take to send a body that short.
const BODY_WITHIN: std::time::Duration = std::time::Duration::from_secs(20);

/// The longest name in a path or query.
const NAME_MAX: usize = 1_024;

/// The query. Unknown and repeated keys are refused.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, api).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(why) => Err(Problem::new(Code::BadQuery, one_line(&why.body_text(), QUOTED))),
        }
    }
}

/// Words of the path, percent-decoded.
#[derive(Debug)]
pub struct Named<T>(pub T);

impl<T: DeserializeOwned + Words + Send> FromRequestParts<Api> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, api).await {
            Ok(Path(named)) if named.fit() => Ok(Self(named)),
            Ok(_) => Err(Problem::new(Code::BadPath, "a name in the path is too long")),
            Err(why) => Err(Problem::new(Code::BadPath, one_line(&why.body_text(), QUOTED))),
        }
    }
}

/// Words whose length can be told.
trait Words {
    fn fit(&self) -> bool;
}

impl Words for String {
    fn fit(&self) -> bool {
        self.len() <= NAME_MAX
    }
}

impl Words for (String, String) {
    fn fit(&self) -> bool {
        self.0.fit() && self.1.fit()
    }
}

/// The body: JSON of exactly the keys that the route knows.
#[derive(Debug)]
pub struct Told<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Api> for Told<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(Code::NotJson, "send the body as `Content-Type: application/json`"));
        }
        let too_large = || {
            let what = format!("the body is longer than {} bytes", super::BODY_MAX);
            Problem::new(Code::BodyTooLarge, what)
        };
        let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: u64| length > super::BODY_MAX as u64) {
            return Err(too_large());
        }
        let read = tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, api)).await;
        let Ok(read) = read else {
            return Err(Problem::new(Code::BadRequest, "the body did not come in time"));
        };
        let bytes = read.map_err(|why| match why {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => too_large(),
            other => Problem::new(Code::BadRequest, one_line(&other.body_text(), QUOTED)),
        })?;
        // serde_json refuses what is nested deeper than 128, so no body overflows the stack.
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|why| Problem::new(Code::BadRequest, one_line(&why.to_string(), QUOTED)))
    }
}

/// Which piece of a list is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// How many entries at most.
    pub limit: Option<u32>,
    /// What the piece before gave out as `next`.
    pub after: Option<String>,
}

/// How many entries are wanted, within bounds.
pub fn limit(asked: Option<u32>, most: u32) -> Result<usize, Problem> {
    match asked {
        None => Ok(most.min(50) as usize),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit as usize),
        Some(limit) => {
            Err(Problem::new(Code::BadQuery, format!("`limit` is {limit}; it is a number from 1 to {most}")))
        }
    }
}

fn cursor(after: Option<&str>) -> Result<Option<Cursor>, Problem> {
    let bad = |()| Problem::new(Code::BadCursor, "`after` is not what this list gave out as `next`");
    after.map(|text| text.parse().map_err(bad)).transpose()
}

/// The row behind which a list of rows goes on.
pub fn after_row(after: Option<&str>) -> Result<Option<i64>, Problem> {
    match cursor(after)? {
        None => Ok(None),
        Some(cursor) => {
            cursor.row().map(Some).ok_or_else(|| Problem::new(Code::BadCursor, "`after` belongs to another list"))
        }
    }
}

/// The flow behind which a list of flows goes on.
pub fn after_flow(after: Option<&str>) -> Result<Option<String>, Problem> {
    match cursor(after)? {
        None => Ok(None),
        Some(cursor) => cursor
            .flow()
            .map(|name| Some(name.to_owned()))
            .ok_or_else(|| Problem::new(Code::BadCursor, "`after` belongs to another list")),
    }
}
