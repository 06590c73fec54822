//! Git over smart HTTP, as every forge has it: `git http-backend` behind axum.
//!
//! Repositories are folders below one root. A push runs the repository's own hooks, as on a forge.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A repository beside the one that a forge of the tests has: in its list, and in git if a test puts it there.
#[derive(Debug, Clone)]
pub struct Other {
    pub id: u64,
    pub path: String,
    pub archived: bool,
    pub fork: bool,
    /// Of a repository that nobody here may see.
    pub of_hidden: bool,
    pub mirror: bool,
    pub doomed: bool,
}

impl Other {
    /// One that people develop in.
    pub fn new(id: u64, path: &str) -> Self {
        Self {
            id,
            path: path.to_owned(),
            archived: false,
            fork: false,
            of_hidden: false,
            mirror: false,
            doomed: false,
        }
    }
}

/// Who may come in, by the `Authorization` header's value; answers the name that hooks see.
type Door = Arc<dyn Fn(Option<&str>) -> Option<String> + Send + Sync>;

/// A server of repositories.
#[derive(Clone)]
pub struct Backend {
    root: PathBuf,
    door: Door,
    /// Whether repositories are only under names that end in `.git`, and others lead there.
    dot_git: bool,
    received: Received,
}

/// How many pushes came, whatever became of them.
#[derive(Clone, Default)]
pub struct Received(Arc<AtomicUsize>);

impl Received {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Backend {
    /// Serves what is below `root` to everybody.
    pub fn open(root: PathBuf) -> Self {
        Self::guarded(root, |_| Some("somebody".to_owned()))
    }

    /// Serves it to those whom `door` gives a name.
    pub fn guarded(root: PathBuf, door: impl Fn(Option<&str>) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { root, door: Arc::new(door), dot_git: false, received: Received::default() }
    }

    /// The count of what is pushed.
    pub fn received(&self) -> Received {
        self.received.clone()
    }

    /// As GitLab: a name without `.git` leads to the one with it (`config/routes/git_http.rb`).
    pub fn dot_git(self) -> Self {
        Self { dot_git: true, ..self }
    }

    /// Answers every path as git does. Put it where nothing else answers: `fallback_service`.
    pub fn router(self) -> Router {
        Router::new().fallback(serve).with_state(self)
    }
}

/// The token in an `Authorization` of that scheme, or in `Basic` as the password, as git sends it.
pub fn token(scheme: &str, said: &str) -> Option<String> {
    let (with, rest) = said.split_once(' ')?;
    if with == "Basic" {
        let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        return text.split_once(':').map(|(_, password)| password.to_owned());
    }
    (with == scheme).then(|| rest.to_owned())
}

async fn serve(State(backend): State<Backend>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let text = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let Some(user) = (backend.door)(text(header::AUTHORIZATION)) else {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"git\"")]).into_response();
    };
    let path = parts.uri.path();
    if parts.method == Method::POST && path.ends_with("/git-receive-pack") {
        backend.received.0.fetch_add(1, Ordering::SeqCst);
    }
    if backend.dot_git && !path.contains(".git/") {
        let to = path.replacen("/info/refs", ".git/info/refs", 1);
        return (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, to)]).into_response();
    }
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", &backend.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "http.receivepack")
        .env("GIT_CONFIG_VALUE_0", "true")
        .env("PATH_INFO", super::schema::decode(parts.uri.path()))
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("REMOTE_USER", user)
        .env("CONTENT_TYPE", text(header::CONTENT_TYPE).unwrap_or_default())
        .env("HTTP_CONTENT_ENCODING", text(header::CONTENT_ENCODING).unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(protocol) = parts.headers.get("git-protocol").and_then(|value| value.to_str().ok()) {
        command.env("GIT_PROTOCOL", protocol);
    }
    let sent = to_bytes(body, 256 * 1024 * 1024).await.expect("a request's body");
    command.env("CONTENT_LENGTH", sent.len().to_string());
    let mut child = command.spawn().expect("git runs");
    let mut stdin = child.stdin.take().expect("piped");
    // Git may answer without having read everything.
    let feeder = tokio::spawn(async move {
        let _ = stdin.write_all(&sent).await;
    });
    let output = child.wait_with_output().await.expect("git ends");
    feeder.abort();
    answer(&output.stdout)
}

/// CGI's answer as HTTP's.
fn answer(bytes: &[u8]) -> Response {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&bytes[..end]).lines() {
        match line.split_once(": ") {
            Some(("Status", status)) => {
                let code = status.split(' ').next().and_then(|code| code.parse::<u16>().ok()).unwrap_or(500);
                response = response.status(code);
            }
            Some((name, value)) => response = response.header(name, value),
            None => {}
        }
    }
    response.body(Body::from(bytes[end + 4..].to_vec())).expect("git's headers are headers")
}
