//! A running service, asked for what a command would do here (`--server`).
//!
//! It answers with the same structs that commands make themselves, so what is printed is the same.
//! Redirects are not followed: a token goes to the server that was named and to no other.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use towpath_core::command::Command;
use towpath_core::text::one_line;

use super::Failure;
use super::exit::Exit;
use crate::server::api::requests::{CheckResult, Order};
use crate::views::{Answer, Code, Problem, SCHEMA_VERSION};

/// The environment variables that name the server and hold the token.
pub const SERVER: &str = "TOWPATH_SERVER";
/// See [`SERVER`].
pub const TOKEN: &str = "TOWPATH_TOKEN";

/// How long a connection, and a whole request, may take: longer than the server's own patience.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(200));

/// The longest answer that is read.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// How much of a foreign text is repeated.
const QUOTED: usize = 300;

/// A running service.
#[derive(Debug)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
    token: Option<HeaderValue>,
}

fn usage<T>(what: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Plain(Exit::Usage, what.into()))
}

impl Client {
    /// One for the service at `server`, with the token of `file` or of the environment.
    ///
    /// # Errors
    /// If that is no URL, or the token cannot be read.
    pub fn new(server: &str, file: Option<&Path>) -> Result<Self, Failure> {
        let base = match Url::parse(server) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            _ => {
                let shown = one_line(server, 100);
                return usage(format!("`{shown}` is no server; write it as `--server http://127.0.0.1:8080`"));
            }
        };
        if !base.username().is_empty() || base.password().is_some() || base.query().is_some() {
            return usage(format!("a server's URL holds no name, password or query; the token is `{TOKEN}`"));
        }
        let local = base.host_str().is_some_and(|host| {
            let host = host.trim_matches(['[', ']']);
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        });
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(PATIENCE.0)
            .timeout(PATIENCE.1)
            .user_agent(concat!("towpath/", env!("CARGO_PKG_VERSION")));
        // A proxy does not know this machine.
        let builder = if local { builder.no_proxy() } else { builder };
        let http = builder
            .build()
            .map_err(|error| Failure::Plain(Exit::Error, format!("no connection can be made: {error}")))?;
        Ok(Self { base, http, token: token(file)? })
    }

    /// GETs a view.
    ///
    /// # Errors
    /// What the server says, or that it cannot be reached.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Problem> {
        self.ask(Method::GET, path, query, None).await
    }

    /// POSTs and gets a view back.
    ///
    /// # Errors
    /// What the server says, or that it cannot be reached.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&impl Serialize>,
    ) -> Result<T, Problem> {
        let body = body.map(|body| serde_json::to_vec(body).unwrap_or_default());
        self.ask(Method::POST, path, query, body).await
    }

    /// Gives a command.
    ///
    /// # Errors
    /// The refusal, or that the server cannot be reached.
    pub async fn order(&self, command: &Command, dry_run: bool, yes: bool) -> Result<Answer, Problem> {
        let Command::Report { flow, commit, name, state, on, url } = command else {
            let order = Order { command: command.to_string(), dry_run, yes };
            return self.post(&["commands"], &[], Some(&order)).await;
        };
        // A token that may only report is enough for this.
        let result = CheckResult {
            commit: commit.to_string(),
            name: name.to_string(),
            state: (*state).into(),
            on: on.as_ref().map(ToString::to_string),
            url: url.clone(),
            dry_run,
        };
        self.post(&["flows", flow, "checks"], &[], Some(&result)).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<T, Problem> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let bytes = self.read(response).await?;
        let json: Option<Json> = serde_json::from_slice(&bytes).ok();
        if !status.is_success() {
            return Err(self.refusal(status, json.as_ref()));
        }
        let version = json.as_ref().and_then(|json| json.get("schema_version")?.as_u64());
        match serde_json::from_slice(&bytes) {
            Ok(view) if version == Some(u64::from(SCHEMA_VERSION)) => Ok(view),
            _ => Err(self.unknown(status)),
        }
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_MAX {
                return Err(Problem::new(Code::ServerUnknown, format!("{} answers without end", self.name())));
            }
        }
        Ok(bytes)
    }

    fn name(&self) -> String {
        one_line(self.base.as_str().trim_end_matches('/'), 200)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Problem {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let why = if error.is_timeout() { "it does not answer in time".to_owned() } else { cause.to_string() };
        let what = format!("{} cannot be reached: {}", self.name(), one_line(&why, QUOTED));
        Problem::new(Code::ServerUnreachable, what)
    }

    fn unknown(&self, status: StatusCode) -> Problem {
        let what =
            format!("{} answers {}, but not as a Towpath of this version does", self.name(), status.as_u16());
        Problem::new(Code::ServerUnknown, what)
    }

    /// What the server says of a request that it refuses. Its words are shown inert: it may be
    /// another server than one thinks.
    fn refusal(&self, status: StatusCode, json: Option<&Json>) -> Problem {
        let text = |key: &str| json.and_then(|json| json.get(key)?.as_str());
        let by_status = match status.as_u16() {
            401 | 403 => Code::NotPermitted,
            502..=504 => Code::ServerUnreachable,
            _ => Code::ServerUnknown,
        };
        match (text("code"), text("message")) {
            (Some(code), Some(message)) => Problem {
                code: Code::from_word(code).unwrap_or(by_status),
                message: message.to_owned(),
                hint: text("hint").map(str::to_owned),
                audit: text("audit").map(str::to_owned),
            },
            _ => Problem { code: by_status, ..self.unknown(status) },
        }
    }
}

/// The token: from the file, else from the environment.
fn token(file: Option<&Path>) -> Result<Option<HeaderValue>, Failure> {
    let text = match file {
        Some(file) => {
            let text = std::fs::read_to_string(file);
            Some(text.map_err(|error| {
                let file = one_line(&file.to_string_lossy(), 200);
                Failure::Plain(Exit::Error, format!("the token file `{file}` cannot be read: {error}"))
            })?)
        }
        None => std::env::var(TOKEN).ok(),
    };
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {text}")) else {
        return usage("what is given as token is none: it holds characters that no token has");
    };
    value.set_sensitive(true);
    Ok(Some(value))
}
