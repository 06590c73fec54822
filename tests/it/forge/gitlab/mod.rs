//! GitLab: the adapter against a GitLab of ours.
//!
//! It is `state.rs` (one repository on disk, the rest in one struct), `server.rs` (the calls), `show.rs` (the
//! JSON) and `hooks.rs`; faults are those of `gitea`. Every exchange is held against a description that
//! `spec.rs` tells of. What it does beyond that is read from GitLab's documentation and source; no real one
//! was ever asked: see `docs/gitlab.md`.

mod acts;
mod controls;
mod day;
mod hooks;
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
use axum::http::header;
use axum::middleware;
use axum::response::Response;
use axum::routing::any;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use towpath::clock::{Clock, ManualClock};
use towpath::forge::client::{Client, Options};
use towpath::forge::gitlab::GitLab;
use towpath::forge::{Forge as _, MergeHow, Proposal, RepoPath};
use towpath::secret::Secret;
use towpath_core::act::PushAnswer;
use towpath_core::model::{BranchName, CommitId, Instant};

use super::backend::{self, Backend};
use super::gitea::faults::{self, Faults};
use super::schema::{Watch, decode};
use crate::support::git_fixture::Repo;
pub use hooks::Delivery;
use server::{Ask, Reply, answer};
use state::{PATH, State};

/// A GitLab with the project `shop/back/checkout`, branches `develop`, `staging` and `master` at one
/// commit, and people: `towpath` (a maintainer), `ana` and `bo` (developers), `eve` (a reporter).
pub struct Place {
    _dir: TempDir,
    pub url: String,
    state: Arc<Mutex<State>>,
    pub faults: Faults,
    pub watch: Watch,
    /// Where all branches began.
    pub root: CommitId,
    delivered: std::cell::Cell<usize>,
}

impl Place {
    /// The server, listening.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let repo = Repo::init(dir.path().join("git").join(format!("{PATH}.git")));
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
             echo \"GitLab: You are not allowed to push code to protected branches on this project.\" >&2\n  exit 1\nfi"
            ),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(Mutex::new(State::new(repo, url.clone())));
        state.lock().expect("state").notice();
        state.lock().expect("state").outbox.clear();
        let (faults, watch) = (Faults::default(), Watch::new(Some(spec::gitlab())));
        let door = Arc::clone(&state);
        let git = Backend::guarded(dir.path().join("git"), move |said| whose(&door.lock().expect("state"), said));
        let git = git.dot_git();
        let api = Router::new().route("/api/{*rest}", any(asked)).with_state(Arc::clone(&state));
        let api = api.layer(middleware::from_fn_with_state(faults.clone(), faults::make));
        let router = watch.over(api).fallback_service(git.router());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { _dir: dir, url, state, faults, watch, root, delivered: std::cell::Cell::new(0) }
    }

    /// What GitLab holds. Not across an `await`.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state")
    }

    /// The adapter, as the bot, with bounds for tests.
    pub fn forge(&self) -> GitLab {
        self.forge_as("towpath")
    }

    /// The adapter, as anybody.
    pub fn forge_as(&self, name: &str) -> GitLab {
        let options =
            Options { deadline: Duration::from_secs(5), backoff: Duration::from_millis(1), ..Options::default() };
        self.forge_with(name, options)
    }

    /// The adapter, with other bounds. Its clock stands where GitLab's began.
    pub fn forge_with(&self, name: &str, options: Options) -> GitLab {
        let token = Secret::new(format!("token-of-{name}"));
        let client = Client::new(options, Clock::System).expect("a client");
        let clock = Clock::Manual(ManualClock::new(Instant(1_795_255_200_000)));
        GitLab::new(&self.url, Some(&token), client, clock).expect("a forge")
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

    /// How many calls had that in `METHOD /path?query`.
    pub fn calls(&self, part: &str) -> usize {
        self.state().calls.iter().filter(|call| call.contains(part)).count()
    }

    /// The deliveries that wait, in the order in which things happened; each is given once.
    pub fn deliveries(&self, secret: &str) -> Vec<Delivery> {
        let (events, now) = {
            let mut state = self.state();
            state.notice();
            (std::mem::take(&mut state.outbox), state.now)
        };
        let number = || {
            self.delivered.set(self.delivered.get() + 1);
            self.delivered.get()
        };
        events.iter().map(|(event, what)| hooks::deliver(number(), event, what, secret, now)).collect()
    }
}

/// Everything that the tests of this folder use of a repository.
pub fn repo() -> RepoPath {
    RepoPath::new(PATH)
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

/// Whose `Authorization` that is: `Bearer …`, or `Basic` with a token as the password, as git sends it.
fn whose(state: &State, said: Option<&str>) -> Option<String> {
    let token = backend::token("Bearer", said?)?;
    state.people.iter().find(|person| person.token == token).map(|person| person.name.clone())
}

async fn asked(Shared(state): Shared<Arc<Mutex<State>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 16 * 1024 * 1024).await.expect("a body");
    let mut state = state.lock().expect("state");
    let said = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let now = state.now;
    let Some(name) = whose(&state, said) else { return Reply::error(401, "401 Unauthorized").response(now) };
    let pair = |part: &str| part.split_once('=').map(|(name, value)| (decode(name), decode(value)));
    let query = parts.uri.query().unwrap_or_default().split('&').filter_map(pair).collect();
    let path = parts.uri.path().trim_start_matches("/api");
    state.calls.push(format!("{} {}", parts.method, parts.uri.path_and_query().map_or("", |all| all.as_str())));
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
    let ask = Ask { method: &parts.method, path, query, body, name };
    let reply = answer(&mut state, &ask);
    let now = state.now;
    drop(state);
    reply.response(now)
}
