//! What is sent and what comes back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use towpath_core::model::Instant;

use super::fault::{Fault, Hidden};
use crate::config::SecretRef;
use crate::secret::Secret;

/// One request.
#[derive(Clone)]
pub struct Call {
    /// What it does, for metrics: one of few words, never anything from outside.
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<Vec<u8>>,
    /// Whether it changes something at the other side. If so it is sent once.
    pub(super) acts: bool,
    /// Whether the other side may get it twice without harm, although it acts: a delivery, which bears its own key.
    pub(super) delivery: bool,
    /// Whether it may use the reserve: it acts, or something that acts hangs on it.
    pub(super) urgent: bool,
    /// Under which of its allowances the forge counts it.
    pub(super) resource: &'static str,
    /// Whether its answer holds a secret, of which no word may be quoted.
    pub(super) quiet: bool,
    pub(super) deadline: Option<Duration>,
}

impl Call {
    /// A reading call.
    pub fn get(operation: &'static str, url: Url) -> Self {
        Self::new(operation, Method::GET, url, None, false)
    }

    /// A call that changes nothing although it has a body: a GraphQL query, the `http` gate.
    pub fn query(operation: &'static str, url: Url, body: &impl Serialize) -> Self {
        Self::new(operation, Method::POST, url, Some(bytes(body)), false)
    }

    /// A call that changes something. It is sent once.
    pub fn act(operation: &'static str, method: Method, url: Url, body: &impl Serialize) -> Self {
        Self::new(operation, method, url, Some(bytes(body)), true)
    }

    /// A POST of exactly these bytes, which are signed or of a form that somebody else made. It is sent once.
    pub fn post(operation: &'static str, url: Url, content_type: HeaderValue, body: Vec<u8>) -> Self {
        let call = Self::new(operation, Method::POST, url, Some(body), true).header(CONTENT_TYPE, content_type);
        Self { delivery: true, ..call }
    }

    fn new(operation: &'static str, method: Method, url: Url, body: Option<Vec<u8>>, acts: bool) -> Self {
        let mut headers = vec![(ACCEPT, HeaderValue::from_static("application/json"))];
        if body.is_some() {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        let (urgent, resource) = (acts, "core");
        let (delivery, quiet, deadline) = (false, false, None);
        Self { operation, method, url, headers, body, acts, delivery, urgent, resource, quiet, deadline }
    }

    /// With this header, instead of one of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(had, _)| *had != name);
        self.headers.push((name, value));
        self
    }

    /// May use the reserve although it only reads: a move hangs on it.
    #[must_use]
    pub const fn urgent(mut self) -> Self {
        self.urgent = true;
        self
    }

    /// Counted by the forge under another allowance than `core`.
    #[must_use]
    pub const fn resource(mut self, resource: &'static str) -> Self {
        self.resource = resource;
        self
    }

    /// Its answer holds a secret.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// With a deadline of its own.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The same call for another page.
    #[must_use]
    pub(super) fn with_query(mut self, query: &str) -> Self {
        self.url.set_query(Some(query));
        self
    }

    /// Where it goes.
    pub const fn url(&self) -> &Url {
        &self.url
    }
}

/// Never the headers or the body: they may hold what nobody should read.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {} {})", self.operation, self.method, self.url.path())
    }
}

/// What cannot be written as JSON is sent as nothing, and the forge says so; our own structs can.
fn bytes(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// Where the token of each call comes from.
#[derive(Clone)]
pub enum TokenPlace {
    /// There is none.
    Nowhere,
    /// It is held.
    Held(Arc<[u8]>),
    /// It is read there for each call: what was replaced counts at once.
    At(SecretRef),
}

impl fmt::Debug for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => f.write_str("nobody"),
            Self::Held(_) => f.write_str("a token"),
            Self::At(place) => write!(f, "token in {place:?}"),
        }
    }
}

impl From<Option<&Secret>> for TokenPlace {
    fn from(token: Option<&Secret>) -> Self {
        token.map_or(Self::Nowhere, |token| Self::Held(Arc::from(token.expose())))
    }
}

impl From<Option<SecretRef>> for TokenPlace {
    fn from(place: Option<SecretRef>) -> Self {
        place.map_or(Self::Nowhere, Self::At)
    }
}

impl TokenPlace {
    /// What the next call carries: `Authorization: <scheme> <token>`.
    ///
    /// # Errors
    /// If it cannot be read, or is nothing that a header can carry.
    pub fn auth(&self, account: &str, scheme: &str) -> Result<Auth, Fault> {
        match self {
            Self::Nowhere => Ok(Auth::none()),
            Self::Held(token) => Auth::scheme(account, scheme, token),
            Self::At(place) => {
                let token = Secret::read(place).map_err(|fault| Fault::Credential { words: fault.to_string() })?;
                Auth::scheme(account, scheme, token.expose())
            }
        }
    }
}

/// In whose name a call is made.
#[derive(Clone)]
pub struct Auth {
    /// Under which name the forge counts its calls; stays when the token is renewed.
    pub(super) account: Arc<str>,
    pub(super) header: Option<(HeaderName, HeaderValue)>,
    /// Tells tokens apart without being one: what one was shown, another may not see.
    pub(super) fingerprint: [u8; 32],
    pub(super) hidden: Hidden,
    secret: Arc<[u8]>,
}

impl Auth {
    /// Nobody.
    pub fn none() -> Self {
        Self {
            account: Arc::from(""),
            header: None,
            fingerprint: [0; 32],
            hidden: Hidden::default(),
            secret: Arc::from([]),
        }
    }

    /// `Authorization: <scheme> <secret>`; with an empty scheme the secret alone.
    ///
    /// # Errors
    /// If the secret is nothing that a header can carry.
    pub fn scheme(account: &str, scheme: &str, secret: &[u8]) -> Result<Self, Fault> {
        let mut value = scheme.as_bytes().to_vec();
        if !scheme.is_empty() {
            value.push(b' ');
        }
        value.extend_from_slice(secret);
        Self::header(account, AUTHORIZATION, &value, secret)
    }

    /// Any header; `secret` is what must not be shown of it.
    ///
    /// # Errors
    /// If the value is nothing that a header can carry.
    pub fn header(account: &str, name: HeaderName, value: &[u8], secret: &[u8]) -> Result<Self, Fault> {
        let mut value = HeaderValue::from_bytes(value).map_err(|_| Fault::Credential {
            words: "the token holds characters that no header can carry; is it the right file?".to_owned(),
        })?;
        value.set_sensitive(true);
        Ok(Self {
            account: Arc::from(account),
            header: Some((name, value)),
            fingerprint: Sha256::digest(secret).into(),
            hidden: Hidden::new(secret),
            secret: Arc::from(secret),
        })
    }

    /// The secret itself, for git, which carries it in its own way.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Under which name the forge counts its calls.
    pub fn account(&self) -> &str {
        &self.account
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({}, …)", self.account)
    }
}

/// A complete answer that says yes (2xx).
#[derive(Clone)]
pub struct Answer {
    /// 200 where an answer that was kept is still true.
    pub status: u16,
    /// The forge's own clock, from its `Date`.
    pub date: Option<Instant>,
    /// How many items a list has on all its pages, from `X-Total-Count` (Gitea, Forgejo).
    pub total: Option<u64>,
    /// Whether the forge said that what we kept is still true.
    pub kept: bool,
    pub(super) headers: HeaderMap,
    pub(super) json: bool,
    pub(super) link: Option<String>,
    pub(super) body: Arc<[u8]>,
    pub(super) hidden: Hidden,
    pub(super) operation: &'static str,
}

impl Answer {
    /// The body, as a value that knows what it wants and ignores the rest.
    ///
    /// # Errors
    /// [`Fault::Unreadable`], with the place in the body and what was wrong there.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let unreadable = |words: String| Fault::Unreadable { words: format!("{}: {words}", self.operation) };
        if !self.json {
            return Err(unreadable("the answer is no JSON; does a proxy or a login page answer there?".to_owned()));
        }
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let place = error.path().to_string();
            unreadable(format!("at `{place}`: {}", self.hidden.words(&error.inner().to_string(), 300)))
        })
    }

    /// A header of this very answer, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the server says that the body is JSON.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Words out of the body, on one line of at most `max` characters and without the secret that the
    /// call carried.
    pub fn words(&self, text: &str, max: usize) -> String {
        self.hidden.words(text, max)
    }

    /// The body as it came.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} {}, {} bytes)", self.operation, self.status, self.body.len())
    }
}
