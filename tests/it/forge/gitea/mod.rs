//! Gitea and Forgejo: the adapter against a server of ours.
//!
//! The server is `state.rs` (one repository on disk, the rest in one struct), `server.rs` (the calls),
//! `show.rs` (the JSON), `faults.rs` and `hooks.rs`. Every exchange is held against Forgejo's own
//! description (`spec.rs` says where that is known to be wrong). What the server does beyond the
//! description is read from the sources of Gitea and Forgejo; no real one was ever asked: see
//! `docs/gitea.md`.

mod acts;
mod controls;
pub mod day;
pub mod faults;
pub mod hooks;
mod reads;
mod server;
mod show;
mod spec;
pub mod state;
mod storms;
mod talk;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State as Shared};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use towpath::clock::Clock;
use towpath::config::SecretRef;
use towpath::forge::client::{Client, Options};
use towpath::forge::gitea::Gitea;
use towpath::forge::{Forge as _, MergeHow, Proposal, RepoPath};
use towpath::secret::Secret;
use towpath_core::act::PushAnswer;
use towpath_core::model::{BranchName, CommitId};

use super::backend::{self, Backend, Received};
use super::schema::{Watch, decode};
use crate::support::git_fixture::Repo;
use faults::Faults;
use hooks::Delivery;
use server::{Ask, answer};
use state::{NAME, OWNER, State};

/// A server with the repository `shop/checkout`, branches `develop`, `staging` and `master` at one
/// commit, and people: `towpath` (the bot), `ana`, `bo`, `eve` (who may only read).
pub struct Place {
    dir: TempDir,
    pub url: String,
    state: Arc<Mutex<State>>,
    pub faults: Faults,
    pub watch: Watch,
    /// Where all branches began.
    pub root: CommitId,
    delivered: std::cell::Cell<usize>,
    pushes: Received,
}

impl Place {
    /// The server, listening.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let repo = Repo::init(dir.path().join("git").join(OWNER).join(format!("{NAME}.git")));
        let root = repo.commit(&[], "develop", &[("README", "one\n")]);
        repo.set("staging", root);
        repo.set("master", root);
        // A protected branch takes pushes of those alone who are listed; `protect` writes the list.
        let file = repo.dir.join("protected").display().to_string();
        repo.hook(
            "update",
            &format!(
                "branch=${{1#refs/heads/}}\nif grep -qxF \"$branch -\" '{file}' 2>/dev/null && \
             ! grep -qxF \"$branch $REMOTE_USER\" '{file}'; then\n  \
             echo \"Forgejo: Not allowed to push to protected branch $branch\" >&2\n  exit 1\nfi"
            ),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(Mutex::new(State::new(repo, url.clone())));
        state.lock().expect("state").notice();
        state.lock().expect("state").outbox.clear();
        let (faults, watch) = (Faults::default(), Watch::new(spec::forgejo()));
        let door = Arc::clone(&state);
        let git = Backend::guarded(dir.path().join("git"), move |said| login(&door.lock().expect("state"), said));
        let pushes = git.received();
        let api = Router::new().route("/api/v1/{*rest}", any(asked)).with_state(Arc::clone(&state));
        let api = api.layer(middleware::from_fn_with_state(faults.clone(), faults::make));
        let router = watch.over(api).fallback_service(git.router());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { dir, url, state, faults, watch, root, delivered: std::cell::Cell::new(0), pushes }
    }

    /// A file of that name beside the repository.
    pub fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let file = self.dir.path().join(name);
        std::fs::write(&file, text).expect("a file");
        file
    }

    /// What the server holds. Not across an `await`.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state")
    }

    /// The adapter, as the bot, with bounds for tests.
    pub fn forge(&self) -> Gitea {
        self.forge_as("towpath")
    }

    /// The adapter, as anybody.
    pub fn forge_as(&self, login: &str) -> Gitea {
        let options =
            Options { deadline: Duration::from_secs(5), backoff: Duration::from_millis(1), ..Options::default() };
        self.forge_with(login, options)
    }

    /// The adapter, with other bounds.
    pub fn forge_with(&self, login: &str, options: Options) -> Gitea {
        let file = self.dir.path().join(format!("{login}.token"));
        std::fs::write(&file, format!("token-of-{login}\n")).expect("a file");
        let token = Secret::read(&SecretRef::File(file)).expect("a token");
        Gitea::new(&self.url, Some(&token), Client::new(options, Clock::System).expect("a client"))
            .expect("a forge")
    }

    /// Merges a request into `staging` where that is, as the bot.
    pub async fn merge(&self, number: u64, head: CommitId, how: MergeHow) -> PushAnswer {
        let onto = self.tip("staging").expect("staging");
        self.forge().merge(&repo(), number, &branch("staging"), onto, head, how).await
    }

    /// A commit on a branch, as a push of somebody would make it.
    pub fn push(&self, branch: &str, file: &str) -> CommitId {
        let mut state = self.state();
        let parent = state.repo.tip(branch).unwrap_or(self.root);
        let made = state.repo.commit(&[parent], branch, &[(file, file)]);
        state.notice();
        made
    }

    /// Puts a branch somewhere.
    pub fn set(&self, branch: &str, to: CommitId) {
        let mut state = self.state();
        state.repo.set(branch, to);
        state.notice();
    }

    pub fn tip(&self, branch: &str) -> Option<CommitId> {
        self.state().repo.tip(branch)
    }

    /// How many pushes of git came.
    pub fn pushes(&self) -> usize {
        self.pushes.count()
    }

    /// How many calls had that in `METHOD /path?query`.
    pub fn calls(&self, part: &str) -> usize {
        self.state().calls.iter().filter(|call| call.contains(part)).count()
    }

    /// The deliveries that wait, in the order in which things happened; each is given once.
    fn deliveries(&self, secret: &str) -> Vec<Delivery> {
        let (events, forgejo) = {
            let mut state = self.state();
            state.notice();
            (std::mem::take(&mut state.outbox), state.version.contains("+gitea-"))
        };
        let number = |_: &(String, Value)| {
            self.delivered.set(self.delivered.get() + 1);
            self.delivered.get()
        };
        events.iter().map(|event| hooks::deliver(number(event), &event.0, &event.1, secret, forgejo)).collect()
    }
}

/// Everything that the tests of this folder use of a repository.
pub fn repo() -> RepoPath {
    RepoPath::new(&format!("{OWNER}/{NAME}"))
}

pub fn branch(name: &str) -> BranchName {
    BranchName::new(name)
}

/// A request into `staging` from the branch that only Towpath moves.
pub fn proposal() -> Proposal {
    Proposal {
        head: branch("towpath/checkout/staging"),
        base: branch("staging"),
        title: "Promote to staging".to_owned(),
        body: "<!-- towpath -->\nthree commits".to_owned(),
        labels: Vec::new(),
        reviewers: Vec::new(),
    }
}

/// Whose `Authorization` that is: `token …`, or `Basic` with a token as the password, as git sends it.
fn login(state: &State, said: Option<&str>) -> Option<String> {
    let token = backend::token("token", said?)?;
    state.people.iter().find(|person| person.token == token).map(|person| person.login.clone())
}

async fn asked(Shared(state): Shared<Arc<Mutex<State>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 16 * 1024 * 1024).await.expect("a body");
    let mut state = state.lock().expect("state");
    let said = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(login) = login(&state, said) else {
        return (
            StatusCode::UNAUTHORIZED,
            [(header::CONTENT_TYPE, "application/json")],
            r#"{"message":"token is required"}"#,
        )
            .into_response();
    };
    let pair = |part: &str| part.split_once('=').map(|(name, value)| (decode(name), decode(value)));
    let query = parts.uri.query().unwrap_or_default().split('&').filter_map(pair).collect();
    let path = parts.uri.path().trim_start_matches("/api/v1");
    state.calls.push(format!("{} {}", parts.method, parts.uri.path_and_query().map_or("", |all| all.as_str())));
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
    let ask = Ask { method: &parts.method, path, query, body, login };
    let reply = answer(&mut state, &ask);
    let now = state.now;
    drop(state);
    reply.response(now)
}
