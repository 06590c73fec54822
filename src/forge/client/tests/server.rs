//! A server that says, waits and cuts off byte by byte what a test wants.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What came in: request line and headers as sent, in lower case, and the body.
#[derive(Debug, Clone)]
pub struct Asked {
    pub line: String,
    pub headers: String,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// One thing that the server does.
pub enum Do {
    Say(String),
    Wait(u64),
    Cut,
}

pub struct Server {
    pub base: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// `script` gets the number of the request (from 0) and what was asked.
    pub async fn new(script: impl Fn(usize, &Asked) -> Vec<Do> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = Url::parse(&format!("http://{}/", listener.local_addr().expect("bound"))).expect("a URL");
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (script, count, log) = (Arc::new(script), Arc::new(AtomicUsize::new(0)), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (script, count, log) = (Arc::clone(&script), Arc::clone(&count), Arc::clone(&log));
                tokio::spawn(async move {
                    let Some(asked) = read(&mut stream).await else { return };
                    log.lock().expect("log").push(asked.clone());
                    for step in script(count.fetch_add(1, Ordering::SeqCst), &asked) {
                        match step {
                            Do::Say(text) => {
                                if stream.write_all(text.as_bytes()).await.is_err() {
                                    return;
                                }
                            }
                            Do::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                            Do::Cut => return,
                        }
                    }
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { base, asked }
    }

    pub fn url(&self, path: &str) -> Url {
        self.base.join(path).expect("a path")
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("log").clone()
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let (line, headers) = text.split_once("\r\n")?;
    let mut asked = Asked { line: line.to_owned(), headers: headers.replace("\r\n", "\n"), body: String::new() };
    let length: usize = asked.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    while bytes.len() < head + 4 + length {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
    }
    asked.body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
    Some(asked)
}

pub fn whole(status: &str, headers: &str, body: &str) -> Vec<Do> {
    let json = if headers.contains("Content-Type") { "" } else { "Content-Type: application/json\r\n" };
    vec![Do::Say(format!(
        "HTTP/1.1 {status}\r\n{json}{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))]
}
