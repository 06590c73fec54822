//! What stands in for the platform: a server that keeps what it is told, and is in the way where a test wants that.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value as Json, json};

use crate::serve::place::wait;

/// What the platform was told: paths and bodies.
#[derive(Clone, Default)]
pub(crate) struct Platform {
    told: Arc<Mutex<Vec<(String, Json)>>>,
    limited: Arc<std::sync::atomic::AtomicBool>,
    hanging: Arc<std::sync::atomic::AtomicBool>,
    answers: Arc<Mutex<std::collections::BTreeMap<String, String>>>,
    /// Channels that a post is refused for, and by which status.
    closed: Arc<Mutex<std::collections::BTreeMap<String, u16>>>,
    /// The next body with this at that key is answered 500.
    stumbles: Arc<Mutex<Option<(String, Json)>>>,
    pub(crate) port: u16,
}

impl Platform {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let this = Self { port: listener.local_addr().unwrap().port(), ..Self::default() };
        let platform = this.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let platform = platform.clone();
                thread::spawn(move || platform.hear(stream));
            }
        });
        this
    }

    fn hear(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        let whole = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            (body.len() >= length.unwrap_or(0)).then(|| (head.to_owned(), body.to_owned()))
        };
        let (head, body) = loop {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return,
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
            }
            if let Some(whole) = whole(&bytes) {
                break whole;
            }
        };
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let said = serde_json::from_str(&body).unwrap_or(Json::String(body));
        self.told.lock().unwrap().push((path.clone(), said.clone()));
        if self.limited.load(std::sync::atomic::Ordering::Relaxed) {
            let _ = write!(
                stream,
                "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 900\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            return;
        }
        if self.told().last().is_some_and(|(path, _)| path.ends_with("/gone")) {
            let _ = write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }
        if self.hanging.load(std::sync::atomic::Ordering::Relaxed) {
            thread::sleep(std::time::Duration::from_secs(300));
        }
        let (status, answer) = self.says(&path, &said);
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
    }

    /// What is answered: as the platforms do, as far as it matters here.
    fn says(&self, path: &str, said: &Json) -> (u16, String) {
        let own = self.answers.lock().unwrap().get(path).cloned();
        let refused = (403, json!({ "id": "api.context.permissions.app_error", "status_code": 403 }).to_string());
        {
            let mut stumbles = self.stumbles.lock().unwrap();
            if stumbles.as_ref().is_some_and(|(key, value)| said[key] == *value) {
                *stumbles = None;
                return (500, "{}".to_owned());
            }
        }
        match path {
            // A bot has no `create_post_ephemeral`.
            "/api/v4/posts/ephemeral" => return refused,
            "/api/v4/users/me" => return (200, json!({ "id": "thebot", "username": "towpath" }).to_string()),
            "/api/v4/channels/direct" => {
                let [bot, user] = [&said[0], &said[1]].map(|id| id.as_str().unwrap_or_default());
                let with = (bot == "thebot").then(|| json!({ "id": format!("dm{user}"), "type": "D" }).to_string());
                return with.map_or(refused, |with| (201, with));
            }
            "/api/v4/posts" => {
                let channel = said["channel_id"].as_str().unwrap_or_default();
                if let Some(status) = self.closed.lock().unwrap().get(channel) {
                    return (*status, refused.1);
                }
                return (201, json!({ "id": "p1", "channel_id": channel }).to_string());
            }
            _ => {}
        }
        // What only one person sees stays so when it is replaced: nobody else would learn of it. The originals of
        // these tests, but for heads-ups, are such.
        if path.contains("/actions/") && said["response_type"] == "in_channel" && said["replace_original"] == true {
            return (400, "{\"ok\":false}".to_owned());
        }
        let answer = "{\"ok\":true,\"channel\":\"C1\",\"ts\":\"1.1\",\"id\":\"p1\",\"channel_id\":\"C1\"}";
        (200, own.unwrap_or_else(|| answer.to_owned()))
    }

    /// The bot may not post to that channel.
    pub(super) fn closes(&self, channel: &str, status: u16) {
        self.closed.lock().unwrap().insert(channel.to_owned(), status);
    }

    /// The next body with this at that key is answered 500.
    pub(super) fn stumbles(&self, key: &str, value: &str) {
        *self.stumbles.lock().unwrap() = Some((key.to_owned(), json!(value)));
    }

    /// What was told at addresses that end so.
    pub(super) fn all_at(&self, end: &str) -> Vec<Json> {
        let end = format!("/{end}");
        self.told().into_iter().filter(|(path, _)| path.ends_with(&end)).map(|(_, body)| body).collect()
    }

    /// Waits for so many at addresses that end so, and answers the last.
    pub(super) fn tells_so_many_at(&self, end: &str, count: usize) -> Json {
        wait(&format!("{count} at {end}, of {:?}", self.told()), || self.all_at(end).len() >= count);
        self.all_at(end)[count - 1].clone()
    }

    /// Takes nothing any more for a quarter of an hour.
    pub(crate) fn limits(&self) {
        self.limited.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Takes what comes, and answers nothing any more.
    pub(super) fn hangs(&self) {
        self.hanging.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Answers this at that path.
    pub(crate) fn answers(&self, path: &str, body: String) {
        self.answers.lock().unwrap().insert(path.to_owned(), body);
    }

    /// Waits for what is told at an address that ends so.
    pub(super) fn tells_at(&self, end: &str) -> Json {
        let end = format!("/{end}");
        let found = || self.told().into_iter().find(|(path, _)| path.ends_with(&end));
        wait(&format!("an answer at {end}, of {:?}", self.told()), || found().is_some());
        found().unwrap().1
    }

    pub(crate) fn told(&self) -> Vec<(String, Json)> {
        self.told.lock().unwrap().clone()
    }

    /// Waits for so many, and answers the last.
    pub(crate) fn tells(&self, count: usize) -> Json {
        wait(&format!("{count} answers, of which came {:?}", self.told()), || self.told().len() >= count);
        self.told()[count - 1].1.clone()
    }
}
