//! What the tests of chats stand on: a platform that keeps what it is told, and a store with sinks.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::setup::{Need, Setup};
use towpath::store::{NoticeState, SqliteStore};
use towpath::tell::post::{Delivered, deliver};
use towpath::tell::{Besides, Sinks};
use towpath_core::model::{CoAuthor, Coming, CommitId, Event, Instant, Message, MoveKind, Pause, Span};

const BEGIN: Instant = Instant(1_795_255_200_000);

/// A call, as it came.
#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    pub token: String,
    pub body: Json,
}

impl Call {
    /// Every text that is shown, without how it is shown.
    pub fn words(&self) -> String {
        fn all(value: &Json, out: &mut String) {
            match value {
                Json::Array(list) => list.iter().for_each(|one| all(one, out)),
                Json::Object(table) => table.iter().for_each(|(key, one)| match one {
                    Json::String(text) if key == "text" || key == "message" => out.push_str(text),
                    one => all(one, out),
                }),
                _ => {}
            }
        }
        let mut out = String::new();
        let shown = if self.body["blocks"].is_array() { &self.body["blocks"] } else { &self.body };
        all(shown, &mut out);
        out
    }

    /// The labels of the buttons.
    pub fn buttons(&self) -> Vec<String> {
        let of_slack = self.body["blocks"].as_array().into_iter().flatten();
        let of_slack = of_slack.filter(|block| block["type"] == "actions").flat_map(|block| {
            let all = block["elements"].as_array().cloned().unwrap_or_default();
            all.into_iter().filter_map(|one| one["text"]["text"].as_str().map(str::to_owned))
        });
        let of_mattermost = self.body["props"]["attachments"].as_array().into_iter().flatten().flat_map(|one| {
            let all = one["actions"].as_array().cloned().unwrap_or_default();
            all.into_iter().filter_map(|one| one["name"].as_str().map(str::to_owned))
        });
        of_slack.chain(of_mattermost).collect()
    }

    /// The `type` of everything in it.
    pub fn types(&self) -> Vec<String> {
        fn all(value: &Json, out: &mut Vec<String>) {
            match value {
                Json::Array(list) => list.iter().for_each(|one| all(one, out)),
                Json::Object(table) => {
                    out.extend(table.get("type").and_then(Json::as_str).map(str::to_owned));
                    table.values().for_each(|one| all(one, out));
                }
                _ => {}
            }
        }
        let mut out = Vec::new();
        all(&self.body, &mut out);
        out
    }

    pub fn calls(&self, user: &str) -> bool {
        self.body.to_string().contains(&format!("\"user_id\":\"{user}\""))
    }
}

/// Slack and Mattermost at one address, and what they answer next; they take everything when nothing is planned.
#[derive(Clone, Default)]
pub struct Platform {
    pub came: Arc<Mutex<Vec<Call>>>,
    pub answers: Arc<Mutex<VecDeque<(u16, Json)>>>,
    pub url: String,
}

impl Platform {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let platform = Self { url, ..Self::default() };
        let router = Router::new().fallback(take).with_state(platform.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        platform
    }

    /// What was posted and changed, without questions.
    pub fn came(&self) -> Vec<Call> {
        self.came.lock().unwrap().iter().filter(|call| !call.path.contains("/users/")).cloned().collect()
    }

    pub fn paths(&self) -> Vec<String> {
        self.came().into_iter().map(|call| call.path).collect()
    }

    pub fn last(&self) -> Call {
        self.came().pop().expect("a call")
    }

    pub fn answers(&self, status: u16, body: &Json) {
        self.answers.lock().unwrap().push_back((status, body.clone()));
    }

    pub fn refuses(&self, error: &str) {
        self.answers(200, &json!({ "ok": false, "error": error }));
    }

    /// The chats, both at this server.
    pub fn chats(&self) -> String {
        let url = &self.url;
        format!(
            "[chat.work]\nkind = \"slack\"\nteams = [\"T1\"]\nurl = \"{url}/api\"\ntoken = {{ file = \"token\" }}\n\
             secrets = [{{ file = \"secret\" }}]\n[chat.matter]\nkind = \"mattermost\"\nteams = [\"M1\"]\n\
             url = \"{url}\"\ntoken = {{ file = \"token\" }}\nsecrets = [{{ file = \"secret\" }}]\n\
             button_secrets = [{{ file = \"secret\" }}]\n"
        )
    }
}

async fn take(
    State(platform): State<Platform>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let body: Json = serde_json::from_slice(&body).unwrap_or_default();
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let path = uri.path().to_owned();
    let nth = {
        let mut came = platform.came.lock().unwrap();
        came.push(Call { path: path.clone(), token, body: body.clone() });
        came.len()
    };
    let user = path.strip_prefix("/api/v4/users/");
    let planned = if user.is_none() { platform.answers.lock().unwrap().pop_front() } else { None };
    let taken = || match (&*path, user) {
        (_, Some(id)) => json!({ "id": id, "username": "ana" }),
        ("/api/chat.postMessage", _) => {
            json!({ "ok": true, "channel": body["channel"], "ts": format!("100.{nth}") })
        }
        ("/api/chat.update", _) => json!({ "ok": true, "channel": body["channel"], "ts": body["ts"] }),
        ("/api/v4/posts", _) => json!({ "id": format!("post{nth}"), "channel_id": body["channel_id"] }),
        (path, _) => json!({ "id": path.split('/').nth(4), "channel_id": "chan1" }),
    };
    let (status, body) = planned.unwrap_or_else(|| (200, taken()));
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    (StatusCode::from_u16(status).unwrap(), headers, body.to_string())
}

/// A sink in Slack, called `chat`.
pub fn slack(more: &str) -> String {
    format!("[sink.chat]\nkind = \"slack\"\nchat = \"work\"\nchannel = \"C1\"\n{more}\n")
}

pub fn mattermost(more: &str) -> String {
    format!("[sink.chat]\nkind = \"mattermost\"\nchat = \"matter\"\nchannel = \"chan1\"\n{more}\n")
}

pub const ANA: &str =
    "[people.ana]\nidentities = [\"mail:ana@example.com\", \"slack:T1/UANA\", \"mattermost:uana\"]\n";

/// A store for the sinks of a config, and a clock that stands.
pub struct Held {
    pub dir: TempDir,
    pub setup: Setup,
    pub clock: ManualClock,
    /// What stands on the flows.
    pub pauses: Vec<Pause>,
    /// Whether `retry` may help.
    pub retry: bool,
    sinks: Sinks,
}

impl Held {
    /// Flows `f1`, `f2` and so on.
    pub async fn new(flows: usize, rest: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let flow = |n: usize| {
            format!(
                "[[flow]]\nname = \"f{n}\"\nrepository = \"f{n}.git\"\n[[flow.environment]]\nname = \"develop\"\n\
                 [[flow.environment]]\nname = \"production\"\n"
            )
        };
        let flows: String = (1..=flows).map(flow).collect();
        let service = "[service]\npublic_url = \"https://towpath.example.com\"\n";
        std::fs::write(dir.path().join("towpath.toml"), format!("{service}{flows}{rest}")).unwrap();
        for (name, text) in [("token", "xoxb-t0ken"), ("secret", "a secret of the tests")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let clock = ManualClock::new(BEGIN);
        let (setup, sinks) = Self::open(dir.path(), &clock).await;
        Self { dir, setup, clock, pauses: Vec::new(), retry: false, sinks }
    }

    pub async fn open(dir: &Path, clock: &ManualClock) -> (Setup, Sinks) {
        let config = Config::load(&dir.join("towpath.toml")).unwrap_or_else(|problems| panic!("{problems}"));
        let setup = Setup::open(config, Clock::Manual(clock.clone()), Need::Create).await.unwrap();
        let sinks = Sinks::of(&setup.config, &Clock::Manual(clock.clone()));
        (setup, sinks)
    }

    /// Another process over the same store.
    pub async fn restarts(&mut self) {
        (self.setup, self.sinks) = Self::open(self.dir.path(), &self.clock).await;
    }

    pub fn now(&self) -> Instant {
        Clock::Manual(self.clock.clone()).reading().wall
    }

    pub fn store(&self) -> &SqliteStore {
        self.setup.world.store()
    }

    /// Something happens in production of the flow; `id` names it.
    pub async fn happens_in(&self, flow: usize, id: &str, event: Event) {
        let flow = &self.setup.config.flows[flow].flow;
        let (id, at) = (format!("{id}/log"), self.now());
        let message = Message { id, sink: "log".to_owned(), env: "production".into(), at, event };
        let of = |name: &str, email: &str| (name.to_owned(), email.to_owned());
        let wrote = match &message.event {
            Event::Refused { .. } => {
                vec![of("Ana", "ana@example.com"), of("Ann", "ANA@example.com"), of("M", "m@x")]
            }
            _ => Vec::new(),
        };
        let besides = Besides {
            compare: Some("https://git.example.com/compare".to_owned()),
            wrote,
            pauses: self.pauses.clone(),
            retry: self.retry,
            ..Besides::default()
        };
        self.store().add_notices(&self.sinks.rows(flow, &message, &besides)).await.unwrap();
    }

    /// The same in the first flow, and it is delivered.
    pub async fn tells(&self, id: &str, event: Event) -> Delivered {
        self.happens_in(0, id, event).await;
        self.deliver().await
    }

    pub async fn deliver(&self) -> Delivered {
        deliver(self.store(), &self.sinks, &Clock::Manual(self.clock.clone())).await.unwrap()
    }

    pub async fn count(&self, state: NoticeState) -> usize {
        self.store().notices(Some(state), 1_000).await.unwrap().len()
    }

    pub fn later(&self, minutes: i64) {
        self.clock.advance(Span::from_mins(minutes));
    }
}

pub fn commit(n: u8) -> CommitId {
    CommitId::from_bytes([n; 20])
}

pub fn landed(old: u8, new: u8) -> Event {
    Event::Landed { kind: MoveKind::FastForward, old: commit(old), new: commit(new) }
}

pub fn refused(new: u8, words: &str) -> Event {
    Event::Refused { kind: MoveKind::FastForward, new: commit(new), words: words.to_owned() }
}

/// The same, with co-authors of its one commit.
pub fn with_others(event: Event, others: &[(&str, &str)]) -> Event {
    let Event::HeadsUp { mut commits, more, newest, old, at, instead_of } = event else { panic!("{event:?}") };
    let other = |(name, email): &(&str, &str)| CoAuthor { name: (*name).to_owned(), email: (*email).to_owned() };
    commits[0].co_authors = others.iter().map(other).collect();
    Event::HeadsUp { commits, more, newest, old, at, instead_of }
}

/// Ana's commit is to move ten minutes later.
pub fn heads_up(held: &Held, old: u8, new: u8, author: &str, subject: &str) -> Event {
    Event::HeadsUp {
        commits: vec![Coming {
            id: commit(new),
            author: author.to_owned(),
            email: "ana@example.com".to_owned(),
            co_authors: Vec::new(),
            subject: subject.to_owned(),
        }],
        more: 0,
        newest: commit(new),
        old: commit(old),
        at: held.now() + Span::from_mins(10),
        instead_of: None,
    }
}
