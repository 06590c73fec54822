//! A GitHub of the tests: HTTP over [`State`], held against GitHub's own description.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State as Held};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use towpath_core::model::Instant;

use super::answers::Reply;
use super::state::{Fault, State};
use crate::forge::backend::{Backend, Received};
use crate::forge::graphql::Schema;
use crate::forge::schema::{Api, ON_PURPOSE, Watch, spec};

/// Statuses that GitHub sends without describing them for each operation.
const ALSO: [(&str, u16, &str); 3] = [
    (
        "GET",
        304,
        "https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate",
    ),
    ("*", 401, "https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api"),
    ("*", 404, "the same page: 404 instead of 403 for what one may not know of"),
];

/// A running GitHub. Dropped, it stops with its runtime.
#[derive(Clone)]
pub struct Server {
    pub url: String,
    pub watch: Watch,
    shared: Arc<Shared>,
    folder: Arc<tempfile::TempDir>,
    pushes: Received,
}

struct Shared {
    state: Mutex<State>,
    watch: Watch,
    graphql: Option<Schema>,
    graphql_checked: Mutex<(usize, Vec<String>)>,
    before: Mutex<BTreeMap<String, Bytes>>,
    app_key: Vec<u8>,
}

impl Server {
    /// With one repository, `shop/checkout`, that has nothing in it yet. `app_key` is the public key
    /// of the App 7, whose installation is 9.
    pub async fn new(app_key: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let api = spec("github.json").map(|text| {
            let mut api = Api::new(&text, "/api/v3");
            api.also = ALSO.to_vec();
            api
        });
        let graphql = spec("github.graphql").map(|text| Schema::new(&text));
        let watch = Watch::new(api);
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(folder.path())),
            watch: watch.clone(),
            graphql,
            graphql_checked: Mutex::default(),
            before: Mutex::default(),
            app_key: app_key.to_vec(),
        });
        let rest = Router::new().route("/api/v3/{*rest}", axum::routing::any(rest)).with_state(Arc::clone(&shared));
        let git = Backend::open(folder.path().to_owned());
        let pushes = git.received();
        let router = watch
            .over(rest)
            .route("/api/graphql", axum::routing::post(graph).with_state(Arc::clone(&shared)))
            .fallback_service(git.router());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, watch, shared, folder: Arc::new(folder), pushes }
    }

    /// A file of that name beside the repository.
    pub fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        file
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("state")
    }

    /// The next answer of an operation (a part of `METHOD path`) goes wrong.
    pub fn fault(&self, operation: &str, fault: Fault) {
        self.state().faults.push_back((operation.to_owned(), fault));
    }

    /// How many calls came whose `METHOD path?query` holds that.
    pub fn asked(&self, part: &str) -> usize {
        self.state().asked.iter().filter(|asked| asked.contains(part)).count()
    }

    /// How many pushes of git came.
    pub fn pushes(&self) -> usize {
        self.pushes.count()
    }

    /// Everything was as described, and at least so many exchanges were checked.
    pub fn assert_good(&self, rest: usize, graphql: usize) {
        self.watch.assert_good(rest);
        let (count, wrong) = self.shared.graphql_checked.lock().expect("checked").clone();
        assert!(wrong.is_empty(), "not as GraphQL's schema says:\n{}", wrong.join("\n"));
        assert!(self.shared.graphql.is_none() || count >= graphql, "only {count} GraphQL exchanges, of {graphql}");
        assert!(self.state().faults.is_empty(), "a fault that nobody met");
    }

    /// Sends the hooks of everything that has changed since.
    pub async fn deliver(&self) -> Vec<&'static str> {
        let mut events = std::mem::take(&mut self.state().events);
        for event in &events {
            self.emit(event, json!({ "action": "changed" })).await;
        }
        for (event, payload) in self.told() {
            self.emit(&event, payload).await;
            events.push("issue_comment");
        }
        events
    }

    async fn emit(&self, event: &str, payload: Value) -> StatusCode {
        let (url, secret, name) = {
            let state = self.state();
            let (url, secret) = state.hook.clone().expect("a hook is set up");
            (url, secret, format!("{}/{}", state.owner, state.name))
        };
        let delivery = format!("72d3162e-cc78-11e3-81ab-{:012x}", self.state().id());
        send(&url, &secret, event, (&name, &delivery), payload).await
    }
}

/// A hook that says that something has changed in that repository.
pub async fn send_hook(url: &str, secret: &str, event: &str, about: (&str, &str)) -> StatusCode {
    send(url, secret, event, about, json!({ "action": "changed" })).await
}

async fn send(
    url: &str,
    secret: &str,
    event: &str,
    (repo, delivery): (&str, &str),
    mut payload: Value,
) -> StatusCode {
    if payload["repository"].is_null() {
        payload["repository"] = json!({ "full_name": repo });
    }
    let (headers, body) = super::talk::signed(event, delivery, &payload, secret);
    let sent = reqwest::Client::new().post(url).headers(headers).body(body);
    sent.send().await.expect("the hook's receiver").status()
}

async fn rest(Held(shared): Held<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let sent = to_bytes(body, 1 << 24).await.expect("a request's body");
    let text = |name: header::HeaderName| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let path = parts.uri.path().strip_prefix("/api/v3").expect("the prefix").to_owned();
    let line = format!("{} {path}", parts.method);
    let full = format!("{line}?{}", parts.uri.query().unwrap_or_default());
    let (fault, mut reply, date) = {
        let mut state = shared.state.lock().expect("state");
        state.asked.push(full.clone());
        let at = state.faults.iter().position(|(part, _)| full.contains(part.as_str()));
        let fault = at.and_then(|at| state.faults.remove(at)).map(|(_, fault)| fault);
        let reply = match &fault {
            Some(Fault::Say(status, headers, body)) => Reply {
                status: *status,
                body: Some(body.clone()),
                headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            },
            Some(Fault::LoseRequest) => Reply::empty(500),
            _ => {
                let call = super::answers::Call {
                    method: parts.method.as_str(),
                    path: &path,
                    query: parts.uri.query().unwrap_or_default(),
                    token: text(header::AUTHORIZATION),
                    body: serde_json::from_slice(&sent).unwrap_or(Value::Null),
                    app_key: &shared.app_key,
                };
                super::answers::answer(&mut state, shared.watch.api(), &call)
            }
        };
        (fault, reply, state.now)
    };
    if let Some(Fault::NoLink) = fault {
        reply.headers.retain(|(name, _)| name != "link");
    }
    if let (Some(Fault::Spoil(spoil)), Some(body)) = (&fault, reply.body.as_mut()) {
        spoil(body);
    }
    let mut bytes = Bytes::from(reply.body.as_ref().map(Value::to_string).unwrap_or_default());
    let sound = matches!(fault, None | Some(Fault::Stale | Fault::NoLink));
    if parts.method == "GET" && reply.status == 200 && sound {
        let mut before = shared.before.lock().expect("before");
        let stale = matches!(fault, Some(Fault::Stale)).then(|| before.get(&full).cloned()).flatten();
        match stale {
            Some(stale) => bytes = stale,
            None => {
                before.insert(full.clone(), bytes.clone());
            }
        }
        // Of the credential, too: GitHub's differ by token.
        let tag = Sha256::new().chain_update(text(header::AUTHORIZATION)).chain_update(&bytes).finalize();
        let tag = format!("\"{}\"", towpath_core::text::hex(&tag[..16]));
        reply.headers.push(("etag".to_owned(), tag.clone()));
        if text(header::IF_NONE_MATCH) == tag {
            (reply.status, reply.body, bytes) = (304, None, Bytes::new());
        }
    }
    allowance(&shared, &mut reply, date);
    sent_as(fault.as_ref(), &reply, bytes)
}

/// GitHub's allowance: a 304 costs nothing.
fn allowance(shared: &Shared, reply: &mut Reply, date: i64) {
    let mut state = shared.state.lock().expect("state");
    if reply.status != 304 {
        state.left = state.left.saturating_sub(1);
    }
    let reset = (date / 1_000 + 3_600).to_string();
    if let Some(scopes) = state.scopes {
        reply.headers.push(("x-oauth-scopes".to_owned(), scopes.to_owned()));
    }
    let had = |reply: &Reply, name: &str| reply.headers.iter().any(|(had, _)| had == name);
    for (name, value) in [
        ("date", Instant(date).utc().expect("a time").format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("x-ratelimit-limit", state.limit.to_string()),
        ("x-ratelimit-remaining", state.left.to_string()),
        ("x-ratelimit-reset", reset),
        ("x-ratelimit-resource", "core".to_owned()),
    ] {
        if !had(reply, name) {
            reply.headers.push((name.to_owned(), value));
        }
    }
}

fn sent_as(fault: Option<&Fault>, reply: &Reply, bytes: Bytes) -> Response {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    // What is stale or lacks its link is well-formed: it is held against the description.
    let on_purpose = !matches!(fault, None | Some(Fault::Stale | Fault::NoLink));
    if on_purpose {
        response = response.header(ON_PURPOSE, "1");
    }
    if reply.body.is_some() || !bytes.is_empty() {
        let kind = if matches!(fault, Some(Fault::Html)) { "text/html" } else { "application/json; charset=utf-8" };
        response = response.header(header::CONTENT_TYPE, kind);
    }
    let cut = || std::io::Error::other("cut on purpose");
    let body = match fault {
        Some(Fault::LoseAnswer | Fault::LoseRequest) => Body::from_stream(stream::iter([Err::<Bytes, _>(cut())])),
        Some(Fault::Truncate) => {
            let half = bytes.slice(..bytes.len() / 2);
            Body::from_stream(stream::iter([Ok(half), Err(cut())]))
        }
        Some(&Fault::Trickle(ms)) => Body::from_stream(stream::unfold(bytes, move |mut left| async move {
            if left.is_empty() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(ms)).await;
            let first = left.split_to(1);
            Some((Ok::<_, std::io::Error>(first), left))
        })),
        Some(Fault::Html) => Body::from("<html>sign in</html>"),
        _ => Body::from(bytes),
    };
    response.body(body).expect("headers of our own")
}

/// GraphQL: documents and variables are held against the official schema before, answers after.
async fn graph(Held(shared): Held<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let sent = to_bytes(body, 1 << 24).await.expect("a request's body");
    let sent: Value = serde_json::from_slice(&sent).unwrap_or(Value::Null);
    let token = parts.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (fault, mut reply, date) = {
        let mut state = shared.state.lock().expect("state");
        let query = sent["query"].as_str().unwrap_or_default().to_owned();
        state.asked.push(format!("POST /graphql?{}", query.replace('\n', " ")));
        let line = state.asked.last().cloned().unwrap_or_default();
        let at = state.faults.iter().position(|(part, _)| line.contains(part.as_str()));
        let fault = at.and_then(|at| state.faults.remove(at)).map(|(_, fault)| fault);
        let reply = match &fault {
            Some(Fault::Say(status, headers, body)) => Reply {
                status: *status,
                body: Some(body.clone()),
                headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            },
            Some(Fault::LoseRequest) => Reply::empty(500),
            _ => super::answers::graph(&mut state, token, &sent),
        };
        (fault, reply, state.now)
    };
    if fault.is_none()
        && let Some(schema) = &shared.graphql
    {
        let data = reply.body.as_ref().and_then(|body| body.get("data")).filter(|data| !data.is_null());
        let failed = reply.body.as_ref().is_some_and(|body| body.get("errors").is_some());
        let query = sent["query"].as_str().unwrap_or_default();
        let wrong = schema.check(query, &sent["variables"], data.filter(|_| !failed));
        let mut checked = shared.graphql_checked.lock().expect("checked");
        checked.0 += 1;
        checked.1.extend(wrong);
    }
    if let (Some(Fault::Spoil(spoil)), Some(body)) = (&fault, reply.body.as_mut()) {
        spoil(body);
    }
    reply.headers.push(("x-ratelimit-resource".to_owned(), "graphql".to_owned()));
    allowance(&shared, &mut reply, date);
    let bytes = Bytes::from(reply.body.as_ref().map(Value::to_string).unwrap_or_default());
    let mut response = sent_as(fault.as_ref(), &reply, bytes);
    response.headers_mut().remove(ON_PURPOSE);
    response.headers_mut().insert("x-github-media-type", HeaderValue::from_static("github.v4"));
    response
}
