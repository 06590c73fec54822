//! A running `towpath serve` over real bare repositories, and what can be asked of it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use towpath::server::hooks;
use towpath_core::model::CommitId;

use crate::support::git_fixture::Repo;

/// What hooks are signed with.
pub const SECRET: &str = "a secret of the tests";

/// How long anything may take before a test gives up. Long, for a loaded machine; nothing is
/// measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// A folder with repositories and a config.
pub struct Place {
    folder: TempDir,
}

/// The service, killed when dropped.
pub struct Service {
    child: Child,
    port: u16,
    log: Arc<Mutex<Vec<String>>>,
}

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Place {
    /// Repositories `a`, `b` … with `develop`, `staging` and `master` at one commit each, and the
    /// config that `config` makes.
    pub fn new(flows: &[&str], config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        for flow in flows {
            let repo = place.repo(flow);
            let first = repo.commit(&[], "develop", &[("a", "1")]);
            repo.set("staging", first);
            repo.set("master", first);
        }
        fs::write(place.path().join("secret"), SECRET).unwrap();
        place.config(config);
        place
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The bare repository of a flow; made if it is not there.
    pub fn repo(&self, flow: &str) -> Repo {
        let dir = self.repo_dir(flow);
        if dir.exists() { Repo::open(dir) } else { Repo::init(dir) }
    }

    pub fn repo_dir(&self, flow: &str) -> PathBuf {
        self.path().join(format!("{flow}.git"))
    }

    /// Writes the config; `[service]` with the store and a rare look is put before it.
    pub fn config(&self, text: &str) {
        let service = "[service]\nlook = \"0 0 1 1 *\"\nwebhook_secrets = [{ file = \"secret\" }]\n";
        let whole = if text.contains("[service]") { text.to_owned() } else { format!("{service}\n{text}") };
        let next = self.path().join("towpath.toml.next");
        fs::write(&next, whole).unwrap();
        fs::rename(next, self.path().join("towpath.toml")).unwrap();
    }

    /// A commit on `develop`.
    pub fn push(&self, flow: &str, text: &str) -> CommitId {
        let repo = self.repo(flow);
        let tip = repo.tip("develop").unwrap();
        repo.commit(&[tip], "develop", &[("a", text)])
    }

    /// Runs a command beside the service.
    pub fn run(&self, args: &[&str]) -> std::process::Output {
        Command::new(env!("CARGO_BIN_EXE_towpath")).args(args).current_dir(self.path()).output().unwrap()
    }

    /// Runs a command that has to succeed, and answers what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let out = self.run(args);
        let (text, words) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success(), "{args:?}: {text}{words}");
        text.into_owned()
    }

    pub fn serve(&self) -> Service {
        Service::start(self.path())
    }

    pub fn serve_at(&self, listen: &str) -> Service {
        Service::start_at(self.path(), listen, &[])
    }

    /// Waits until the branch is there.
    pub fn arrives(&self, flow: &str, branch: &str, at: CommitId) {
        let repo = self.repo(flow);
        wait(&format!("{flow} {branch} at {at}"), || repo.tip(branch) == Some(at));
    }

    /// How many effects the ledger has.
    pub fn effects(&self) -> usize {
        self.ok(&["history", "--export"]).lines().filter(|line| line.contains("\"what\":\"effect\"")).count()
    }
}

/// Waits for something that has to come.
pub fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let mut left = PATIENCE;
    while !holds() {
        assert!(!left.is_zero(), "{what}: did not come");
        left = left.saturating_sub(PAUSE);
        thread::sleep(PAUSE);
    }
}

/// GETs from whoever listens on that port of this machine.
pub fn get(port: u16, path: &str) -> Answer {
    ask(port, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"), b"")
}

fn ask(port: u16, head: &str, body: &[u8]) -> Answer {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return Answer { status: 0, body: String::new() };
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The other side may answer and close before it has read all.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Answer { status, body: body.to_owned() }
}

impl Service {
    pub fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    pub fn start_with(dir: &Path, env: &[(&str, &str)]) -> Self {
        Self::start_at(dir, "127.0.0.1:0", env)
    }

    fn start_at(dir: &Path, listen: &str, env: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_towpath"))
            .args(["serve", "--listen", listen, "--log", "json"])
            .envs(env.iter().copied())
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (kept, from) = (log.clone(), child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        let mut this = Self { child, port: 0, log };
        wait("the service listens", || {
            assert!(this.child.try_wait().unwrap().is_none(), "it ended: {:?}", this.log());
            let ports = this.log().iter().find_map(|line| {
                let (_, rest) = line.split_once("serving on http://")?;
                rest.split('"').next()?.rsplit(':').next()?.parse().ok()
            });
            this.port = ports.unwrap_or(0);
            this.port != 0
        });
        this
    }

    /// What it logged so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a line of the log that holds all of these.
    pub fn says(&self, words: &[&str]) -> String {
        let mut found = None;
        wait(&format!("a line with {words:?}"), || {
            found = self.log().into_iter().find(|line| words.iter().all(|word| line.contains(word)));
            found.is_some()
        });
        found.unwrap()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn get(&self, path: &str) -> Answer {
        get(self.port, path)
    }

    /// One request, byte for byte; status 0 where nobody listens.
    pub fn ask(&self, head: &str, body: &[u8]) -> Answer {
        ask(self.port, head, body)
    }

    /// Calls the hook of a flow, signed with `key` at a time that is `late` seconds ago.
    pub fn hook_as(&self, flow: &str, key: &str, late: i64, body: &[u8]) -> Answer {
        let wall = towpath::clock::Clock::System.reading().wall;
        let at = towpath_core::model::Instant(wall.0 - late * 1_000);
        self.hook_signed(flow, &hooks::sign(key.as_bytes(), at, body), body)
    }

    /// Calls the hook of a flow with that signature.
    pub fn hook_signed(&self, flow: &str, signature: &str, body: &[u8]) -> Answer {
        let head = format!(
            "POST /hooks/git/{flow} HTTP/1.1\r\nHost: 127.0.0.1\r\nTowpath-Signature: {signature}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        self.ask(&head, body)
    }

    /// Calls the hook of a flow as its server would.
    pub fn hook(&self, flow: &str, body: &[u8]) {
        let answer = self.hook_as(flow, SECRET, 0, body);
        assert_eq!(answer.status, 202, "{answer:?}");
    }

    /// A metric's value by its whole name with labels.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics").body;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for its end, and answers its exit code.
    pub fn ends(&mut self) -> Option<i32> {
        let mut status = None;
        wait("the service ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
