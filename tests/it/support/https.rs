//! `git http-backend` behind a small HTTPS server on loopback, which asks for a token.
//!
//! The certificate is that of `tls/`. Each connection is one request; what was asked, and who of this
//! machine's processes showed the token meanwhile, is written down.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The certificates of `tls/`: the authority that signed the server's, and another.
pub fn authority(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/tls").join(name)
}

/// What the server does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Whoever has this Basic credential (`user:token`, coded) may read and write.
    Asks(String),
    /// The same, but may only read.
    ReadOnly(String),
    /// Everybody is sent to this address instead.
    Elsewhere(String),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub line: String,
    pub authorization: Option<String>,
    /// Processes whose command line, or whose environment though they are no git, held a watched text.
    pub showing: Vec<String>,
}

#[derive(Default)]
struct State {
    root: PathBuf,
    rule: Mutex<Option<Rule>>,
    watched: Mutex<Vec<String>>,
    asked: Mutex<Vec<Asked>>,
    over: AtomicBool,
}

/// A running server; ends when dropped.
pub struct Https {
    pub at: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

impl Https {
    /// Serves the bare repositories in that folder.
    pub fn start(root: &Path, rule: Rule) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let state = Arc::new(State { root: root.to_owned(), rule: Mutex::new(Some(rule)), ..State::default() });
        let (config, shared) = (tls(), state.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.over.load(Ordering::SeqCst) {
                    return;
                }
                let (config, state) = (config.clone(), shared.clone());
                std::thread::spawn(move || drop(serve(stream.unwrap(), config, &state)));
            }
        });
        Self { at, state, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.at)
    }

    /// From now on.
    pub fn rule(&self, rule: Rule) {
        *self.state.rule.lock().unwrap() = Some(rule);
    }

    /// From now on, processes that show one of these are written down.
    pub fn watch(&self, texts: &[&str]) {
        *self.state.watched.lock().unwrap() = texts.iter().map(|text| (*text).to_owned()).collect();
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.at));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn tls() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(authority("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(authority("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, state: &State) -> std::io::Result<()> {
    let tls = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(tls, stream));
    let request = read(&mut stream)?;
    let watched = state.watched.lock().unwrap().clone();
    state.asked.lock().unwrap().push(Asked {
        line: format!("{} {}?{}", request.method, request.path, request.query),
        authorization: request.header("authorization").map(str::to_owned),
        showing: showing(&watched),
    });
    let rule = state.rule.lock().unwrap().clone();
    let answer = answer(state, &request, rule.as_ref());
    let stream = stream.get_mut();
    stream.write_all(&answer)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn read(stream: &mut BufReader<StreamOwned<ServerConnection, TcpStream>>) -> std::io::Result<Request> {
    let line = |stream: &mut BufReader<_>| {
        let mut line = String::new();
        BufReader::<StreamOwned<_, _>>::read_line(stream, &mut line).map(|_| line.trim_end().to_owned())
    };
    let first = line(stream)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
    if method.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let mut headers = Vec::new();
    loop {
        let one = line(stream)?;
        let Some((key, value)) = one.split_once(':') else { break };
        headers.push((key.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, query, headers, body: Vec::new() };
    if request.header("expect").is_some() {
        stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if request.header("transfer-encoding") == Some("chunked") {
        loop {
            let size = usize::from_str_radix(&line(stream)?, 16).map_err(std::io::Error::other)?;
            let at = request.body.len();
            request.body.resize(at + size, 0);
            stream.read_exact(&mut request.body[at..])?;
            line(stream)?;
            if size == 0 {
                break;
            }
        }
    } else {
        let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        request.body.resize(length, 0);
        stream.read_exact(&mut request.body)?;
    }
    Ok(request)
}

fn answer(state: &State, request: &Request, rule: Option<&Rule>) -> Vec<u8> {
    let text = |status: &str, more: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\n{more}Content-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
            .into_bytes()
    };
    let sent = request.header("authorization").unwrap_or("nothing");
    let credential = match rule {
        Some(Rule::Elsewhere(url)) => {
            let to = format!("Location: {url}{}?{}\r\n", request.path, request.query);
            return text("302 Found", &to, "elsewhere");
        }
        Some(Rule::Asks(credential) | Rule::ReadOnly(credential)) => credential,
        None => return text("500 Oops", "", ""),
    };
    if sent != format!("Basic {credential}") {
        // As no server should: what it was sent.
        return text("401 Unauthorized", "WWW-Authenticate: Basic realm=\"git\"\r\n", &format!("you sent {sent}"));
    }
    let writes = request.path.ends_with("git-receive-pack") || request.query.contains("git-receive-pack");
    if writes && matches!(rule, Some(Rule::ReadOnly(_))) {
        return text("403 Forbidden", "", &format!("this token may only read: {sent}"));
    }
    backend(&state.root, request)
}

/// Runs `git http-backend` as a CGI program.
fn backend(root: &Path, request: &Request) -> Vec<u8> {
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "somebody")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    for (header, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ] {
        if let Some(value) = request.header(header) {
            command.env(variable, value);
        }
    }
    let mut child = command.spawn().unwrap();
    let (mut stdin, body) = (child.stdin.take().unwrap(), request.body.clone());
    let feeder = std::thread::spawn(move || stdin.write_all(&body));
    let output = child.wait_with_output().unwrap().stdout;
    drop(feeder.join());
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(output.len());
    let (head, body) =
        (String::from_utf8_lossy(&output[..end]).into_owned(), &output[(end + 4).min(output.len())..]);
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let head: Vec<&str> = head.lines().filter(|line| !line.starts_with("Status: ")).collect();
    let head = format!(
        "HTTP/1.1 {status}\r\n{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        head.join("\r\n"),
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Processes whose command line holds one of the texts; and those whose environment does, unless they
/// are git.
fn showing(texts: &[String]) -> Vec<String> {
    let holds = |bytes: &[u8]| {
        texts.iter().any(|text| bytes.windows(text.len().max(1)).any(|part| part == text.as_bytes()))
    };
    let mut found = Vec::new();
    if texts.is_empty() {
        return found;
    }
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let file = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let name = String::from_utf8_lossy(&file("comm")).trim().to_owned();
        if holds(&file("cmdline")) {
            found.push(format!("{name}: command line"));
        }
        if !name.starts_with("git") && holds(&file("environ")) {
            found.push(format!("{name}: environment"));
        }
    }
    found
}
