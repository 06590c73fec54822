//! A folder with a repository, a config and a store; a server over it; and the program.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::serve::Shared;
use towpath::server::{self, Limits};
use towpath::setup::{Need, Setup};
use towpath_core::model::CommitId;

use crate::support::git_fixture::Repo;

/// A subject that would act on a terminal and on a page.
pub const HOSTILE: &str = "\u{1b}[31mred\u{202e} <script>alert(1)</script> `rm -rf /`";

pub const CONFIG: &str = r#"
[service]
listen = "127.0.0.1:0"
# One after another, so that two places are alike to the order of their records.
at_once = 1

[[flow]]
repository = "checkout.git"
name = "shop/checkout"
zone = "Europe/Warsaw"

[[flow.environment]]
name = "develop"

[[flow.environment]]
name = "staging"
gates.ci = { checks = ["build"] }

[[flow.environment]]
name = "production"
rollback = true
gates.lag = "30m"
gates.approvals = { required = 1, authors = "allow" }

[[flow]]
repository = "basket.git"
name = "shop/basket"

[[flow.environment]]
name = "develop"

[[flow.environment]]
name = "staging"
"#;

/// How a run of the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

pub struct Place {
    pub folder: TempDir,
    /// The commits of `develop`, oldest first; the same in every place.
    pub commits: Vec<CommitId>,
}

impl Place {
    pub fn new() -> Self {
        Self::with(CONFIG)
    }

    pub fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut commits = Vec::new();
        for name in ["checkout.git", "basket.git"] {
            let repo = Repo::init(folder.path().join(name));
            let mut at: Vec<CommitId> = Vec::new();
            for (n, subject) in ["First", HOSTILE, "Third", "Fourth"].iter().enumerate() {
                let parents: Vec<CommitId> = at.last().copied().into_iter().collect();
                let file = format!("{n}.txt");
                at.push(repo.commit_as(&parents, "develop", &[(&file, name)], subject, "Ana <ana@example.com>"));
            }
            repo.set("staging", at[1]);
            if name == "checkout.git" {
                repo.set("production", at[0]);
                commits = at;
            }
        }
        fs::write(folder.path().join("towpath.toml"), config).unwrap();
        let place = Self { folder, commits };
        let ran = place.run(&["run"], &[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        place
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn sha(&self, n: usize) -> String {
        self.commits[n].to_string()
    }

    pub fn repo(&self, name: &str) -> Repo {
        Repo::open(self.path().join(name))
    }

    /// Runs the program there.
    pub fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for name in ["TOWPATH_CONFIG", "TOWPATH_SERVER", "TOWPATH_TOKEN", "TOWPATH_CRASH_AT", "TOWPATH_LOG"] {
            command.env_remove(name);
        }
        // Whoever runs the tests may have told git an e-mail, and a token has none.
        command.env("HOME", "/nonexistent").env("XDG_CONFIG_HOME", "/nonexistent");
        command.envs(env.iter().copied());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Makes a token and returns it with its id.
    pub fn token(&self, args: &[&str]) -> (String, String) {
        let args: Vec<&str> = ["token", "create"].iter().chain(args).copied().collect();
        let ran = self.run(&args, &[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let token = ran.out.trim().to_owned();
        let id = token.split('_').nth(1).unwrap().to_owned();
        (token, id)
    }

    pub fn serve(&self) -> Server {
        self.serve_within(Limits::default())
    }

    /// A server whose clock is that one.
    pub fn serve_at(&self, clock: &ManualClock) -> Server {
        Server::start(&self.path().join("towpath.toml"), Limits::default(), Clock::Manual(clock.clone()))
    }

    pub fn serve_within(&self, limits: Limits) -> Server {
        Server::start(&self.path().join("towpath.toml"), limits, Clock::System)
    }
}

/// A running server; ends when dropped.
pub struct Server {
    pub at: SocketAddr,
    /// What the loop would share with it; there is no loop.
    pub shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// An answer.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl Heard {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a problem; empty for anything else.
    pub fn code(&self) -> String {
        serde_json::from_str::<Json>(&self.text)
            .ok()
            .and_then(|json| Some(json.get("code")?.as_str()?.to_owned()))
            .unwrap_or_default()
    }
}

impl Server {
    fn start(config: &Path, limits: Limits, clock: Clock) -> Self {
        let config = Config::load(config).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let at = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let setup = Setup::open(config, clock, Need::Create).await.unwrap();
                let shared = Arc::new(Shared::new(setup));
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                ready.send(shared.clone()).unwrap();
                server::serve(listener, shared, limits, stopped).await.unwrap();
            });
        });
        let shared = is_ready.recv().unwrap();
        Self { at, shared, stop, thread: Some(thread) }
    }

    /// No more connections from now on; those that are open may end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// Sends bytes and reads to the end.
    pub fn raw(&self, bytes: &[u8]) -> Heard {
        raw(self.at, bytes)
    }

    pub fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&str>) -> Heard {
        self.call_with(method, path, token, body, &[])
    }

    pub fn call_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Heard {
        let mut text = format!("{method} /api/v1{path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            text.push_str(&format!("Host: {}\r\n", self.at));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(token) = token {
            text.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        if let Some(body) = body {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                text.push_str("Content-Type: application/json\r\n");
            }
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body.unwrap_or_default());
        self.raw(text.as_bytes())
    }

    pub fn get(&self, path: &str) -> Heard {
        self.call("GET", path, None, None)
    }
}

/// Sends bytes and reads to the end.
pub fn raw(at: SocketAddr, bytes: &[u8]) -> Heard {
    let mut stream = TcpStream::connect(at).unwrap();
    // The server may answer and close before it has read everything.
    _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let text = if chunked { unchunked(text) } else { text.to_owned() };
    Heard { status, head: head.to_owned(), text }
}

fn unchunked(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        whole.push_str(&rest[..size]);
        text = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}
