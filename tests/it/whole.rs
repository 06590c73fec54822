//! The whole of it in one process: a real repository, the service with its clock in the test's hand, and a server that
//! keeps what sinks and chats are told. What is told begins with a commit, and what is pressed is taken out of what was told.

mod account;
mod heads_up;
mod hostile;
mod mailmap;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use towpath::chat::slack::sign;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::serve::{Shared, Wake, run};
use towpath::server::{self, Limits};
use towpath::setup::{Need, Setup};
use towpath_core::model::{CommitId, Instant, Span};

use crate::chat::matter::Server;
use crate::chat::{Platform, SIGNING, encoded, slash};
use crate::support::git_fixture::Repo;

/// The channel of Mattermost.
const CHANNEL: &str = "channelofshop";

/// When, in minutes after it came, what comes is announced.
const ANNOUNCED: i64 = 21;

/// A service over one flow, `shop/checkout`: what comes onto `develop` enters `production` after half an hour, and ten
/// minutes before people are told.
struct Whole {
    _dir: TempDir,
    repo: Repo,
    clock: ManualClock,
    platform: Platform,
    mattermost: Server,
    shared: Arc<Shared>,
    stop: CancellationToken,
    url: String,
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Whole {
    /// With these files on both branches, and this at the end of the config, where `URL` is the server's address.
    async fn new(files: &[(&str, &str)], rest: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::init(dir.path().join("checkout.git"));
        let first = [&[("a", "1")], files].concat();
        let zero = repo.commit_as(&[], "develop", &first, "Begin", "Zoe <zoe@example.com>");
        repo.set("production", zero);
        Self::over(dir, repo, &(CONFIG.to_owned() + FLOW + rest)).await
    }

    /// Over that repository, with that config, whose secrets are put beside it.
    async fn over(dir: TempDir, repo: Repo, config: &str) -> Self {
        let platform = Platform::new();
        let mattermost = Server::of(&platform);
        let url = format!("http://127.0.0.1:{}", platform.port);
        std::fs::write(dir.path().join("towpath.toml"), config.replace("URL", &url)).unwrap();
        for (name, text) in [("secret", "a secret of the tests"), ("signing", SIGNING), ("buttons", "of buttons")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let config = Config::load(&dir.path().join("towpath.toml")).unwrap_or_else(|problems| panic!("{problems}"));
        // Whatever is pressed is pressed when the clocks of the test and of the machine show the same.
        let clock = ManualClock::new(Instant(Clock::System.reading().wall.0 - Span::from_mins(ANNOUNCED).ms()));
        let setup = Setup::open(config, Clock::Manual(clock.clone()), Need::Create).await.unwrap();
        let (shared, stop) = (Arc::new(Shared::new(setup)), CancellationToken::new());
        tokio::spawn(run(shared.clone(), stop.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(server::serve(listener, shared.clone(), Limits::default(), stop.clone()));
        let this = Self { _dir: dir, repo, clock, platform, mattermost, shared, stop, url };
        this.rests().await;
        this
    }

    /// Until something holds.
    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        for _ in 0..1_200 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what}: not within a minute; told was {:#?}", self.platform.told());
    }

    /// Until nobody is at work on a flow.
    async fn rests(&self) {
        let rests = || self.shared.queue(|queue| !queue.is_busy() && queue.waiting() == 0);
        self.until("the service rests", rests).await;
    }

    /// Looks, after so many minutes.
    async fn looks_after(&self, minutes: i64) {
        self.clock.advance(Span::from_mins(minutes));
        self.shared.wake_all(Wake::Hook);
        self.rests().await;
    }

    /// A commit on `develop`.
    fn commit(&self, author: &str, subject: &str, files: &[(&str, &str)]) -> CommitId {
        let parent = self.repo.tip("develop").unwrap();
        self.repo.commit_as(&[parent], "develop", files, subject, author)
    }

    /// What was told at that path with those words in it.
    fn told(&self, path: &str, words: &str) -> Vec<Json> {
        let all = self.platform.told().into_iter();
        all.filter(|(at, body)| at.contains(path) && text(body).contains(words)).map(|(_, body)| body).collect()
    }

    /// The first that is told at that path with those words in it.
    async fn tells(&self, path: &str, words: &str) -> Json {
        self.until(&format!("{path}: {words}"), || !self.told(path, words).is_empty()).await;
        self.told(path, words).remove(0)
    }

    /// Presses a button of a message in Slack, as Slack tells it.
    async fn press_in_slack(&self, user: &str, message: &Json, label: &str) {
        let mut buttons =
            message["blocks"].as_array().unwrap().iter().filter_map(|block| block["elements"].as_array());
        let button = buttons.find_map(|all| all.iter().find(|one| one["text"]["text"] == label)).expect("a button");
        let payload = serde_json::json!({
            "type": "block_actions",
            "user": { "id": user, "username": "somebody", "team_id": "T1" },
            "team": { "id": "T1", "domain": "example" },
            "channel": { "id": "C1", "name": "shop" },
            "container": { "type": "message", "message_ts": "1.1", "channel_id": "C1" },
            "trigger_id": format!("pressed.{}", self.platform.told().len()),
            "response_url": format!("http://127.0.0.1:{}/actions/1234/pressed", self.platform.port),
            "actions": [{ "type": "button", "action_id": button["action_id"], "block_id": "b",
                "value": button["value"], "action_ts": "1.2" }],
        });
        self.send_as_slack(encoded(&[("payload", &payload.to_string())])).await;
    }

    /// Types a command in Slack.
    async fn types_in_slack(&self, user: &str, trigger: &str, text: &str) {
        self.send_as_slack(slash(&self.platform, ("T1", user, "C1"), trigger, text)).await;
    }

    async fn send_as_slack(&self, body: String) {
        let stamp = (self.clock.reading().wall.0 / 1_000).to_string();
        let signature = sign(SIGNING.as_bytes(), &stamp, body.as_bytes());
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
            ("X-Slack-Request-Timestamp", stamp),
            ("X-Slack-Signature", signature),
        ];
        self.post("/chat/work", &headers, body).await;
    }

    /// The same in Mattermost, whose server signs who pressed.
    async fn press_in_mattermost(&self, user: &str, post: &Json, label: &str) {
        let mut actions =
            post["props"]["attachments"].as_array().unwrap().iter().filter_map(|one| one["actions"].as_array());
        let button = actions.find_map(|all| all.iter().find(|one| one["name"] == label)).expect("a button");
        let body = serde_json::json!({
            "user_id": user, "user_name": "x", "channel_id": CHANNEL, "team_id": "M1", "post_id": "p1",
            "trigger_id": self.mattermost.trigger("pressed1", user, 0), "type": "button",
            "context": button["integration"]["context"],
        });
        let address = button["integration"]["url"].as_str().unwrap();
        assert_eq!(address, "https://towpath.example.com/chat/matter/press");
        self.post("/chat/matter/press", &[("Content-Type", "application/json".to_owned())], body.to_string()).await;
    }

    async fn post(&self, path: &str, headers: &[(&str, String)], body: String) {
        let mut request = reqwest::Client::new().post(format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
    }
}

/// Everything in it that is shown to people, one after the other; a message of Slack by its blocks, which are what is seen.
fn text(body: &Json) -> String {
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
    all(if body["blocks"].is_array() { &body["blocks"] } else { body }, &mut out);
    out
}

const CONFIG: &str = r#"
[service]
look = "0 0 1 1 *"
public_url = "https://towpath.example.com"

[chat.work]
kind = "slack"
teams = ["T1"]
url = "URL/api"
token = { file = "secret" }
secrets = [{ file = "signing" }]

[chat.matter]
kind = "mattermost"
teams = ["M1"]
url = "URL"
token = { file = "secret" }
secrets = [{ file = "signing" }]
button_secrets = [{ file = "buttons" }]

[sink.slack]
kind = "slack"
chat = "work"
channel = "C1"
mention = "heads-up"

[sink.mattermost]
kind = "mattermost"
chat = "matter"
channel = "channelofshop"
mention = "heads-up"

[people.ana]
role = "viewer"
identities = ["slack:T1/UANA", "mattermost:uana", "mail:ana@new.example"]
"#;

const FLOW: &str = r#"
[[flow]]
repository = "checkout.git"
name = "shop/checkout"
zone = "Europe/Warsaw"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "production"
gates.lag = "30m"
heads_up = "10m"
"#;
