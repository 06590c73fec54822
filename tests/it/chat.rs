//! People talk to the real service from a chat: real git, real SQLite, real HTTP, requests signed as the platforms sign
//! them. What stands in for the platform is a server that keeps what it is told.

mod first;
pub(crate) mod matter;
mod private;
mod room;
mod slow;
mod socket;
mod strangers;
mod typed;
mod written;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value as Json, json};
use towpath::chat::mattermost::seal;
use towpath::chat::message::Press;
use towpath::chat::slack::sign;
use towpath::clock::Clock;
use towpath::secret::Secret;
use towpath::store::{Create, Holder, NewAsked, Room, SqliteStore, Taken};
use towpath_core::model::{CommitId, Instant};

use crate::serve::place::{Answer, Place, Service, wait};

pub(crate) const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

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
    fn closes(&self, channel: &str, status: u16) {
        self.closed.lock().unwrap().insert(channel.to_owned(), status);
    }

    /// The next body with this at that key is answered 500.
    fn stumbles(&self, key: &str, value: &str) {
        *self.stumbles.lock().unwrap() = Some((key.to_owned(), json!(value)));
    }

    /// What was told at addresses that end so.
    fn all_at(&self, end: &str) -> Vec<Json> {
        let end = format!("/{end}");
        self.told().into_iter().filter(|(path, _)| path.ends_with(&end)).map(|(_, body)| body).collect()
    }

    /// Waits for so many at addresses that end so, and answers the last.
    fn tells_so_many_at(&self, end: &str, count: usize) -> Json {
        wait(&format!("{count} at {end}, of {:?}", self.told()), || self.all_at(end).len() >= count);
        self.all_at(end)[count - 1].clone()
    }

    /// Takes nothing any more for a quarter of an hour.
    pub(crate) fn limits(&self) {
        self.limited.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Takes what comes, and answers nothing any more.
    fn hangs(&self) {
        self.hanging.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Answers this at that path.
    pub(crate) fn answers(&self, path: &str, body: String) {
        self.answers.lock().unwrap().insert(path.to_owned(), body);
    }

    /// Waits for what is told at an address that ends so.
    fn tells_at(&self, end: &str) -> Json {
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

/// Everything that is shown of a message, as one text.
pub(crate) fn shown(message: &Json) -> String {
    // Where mark-up is read, a colon that could begin an emoji is another sign.
    message["text"].as_str().unwrap_or_default().replace('\u{2236}', ":")
}

/// Three environments, an operator, a developer who wrote the newest commit, and the two chats.
pub(crate) fn place(platform: &Platform) -> Place {
    let url = format!("http://127.0.0.1:{}", platform.port);
    let place = Place::new(
        &["checkout"],
        &format!(
            r#"
[service]
look = "0 0 1 1 *"
public_url = "https://towpath.example.com"

[chat.work]
kind = "slack"
teams = ["T1"]
url = "{url}/api"
token = {{ file = "secret" }}
secrets = [{{ file = "old-signing" }}, {{ file = "signing" }}]
channels = [{{ id = "CSHOP", flow = "checkout" }}, {{ id = "CPROD", environment = "production" }}]

[chat.matter]
kind = "mattermost"
teams = ["M1", "M2"]
url = "{url}"
token = {{ file = "secret" }}
secrets = [{{ file = "signing" }}]
button_secrets = [{{ file = "buttons" }}]

[people.olga]
role = "operator"
identities = ["slack:T1/UOLGA", "mattermost:M2/uolga"]

[people.dan]
role = "developer"
identities = ["slack:T1/UDAN", "mail:ana@example.com"]

[people.eve]
role = "developer"
identities = ["slack:T1/UEVE"]

[[flow]]
repository = "checkout.git"
name = "shop/checkout"
zone = "Europe/Warsaw"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
[[flow.environment]]
name = "production"
branch = "master"
gates.lag = "1d"
"#
        ),
    );
    for (name, secret) in [("signing", SIGNING), ("old-signing", "another"), ("buttons", "buttons of the tests")] {
        std::fs::write(place.path().join(name), secret).unwrap();
    }
    place
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn now() -> i64 {
    Clock::System.reading().wall.0 / 1_000
}

pub(crate) fn post(service: &Service, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    service.ask(&head, body.as_bytes())
}

/// A request of Slack's, signed so many seconds ago.
pub(crate) fn slack(service: &Service, body: &str, key: &str, late: i64) -> Answer {
    let stamp = (now() - late).to_string();
    let signature = sign(key.as_bytes(), &stamp, body.as_bytes());
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Slack-Request-Timestamp", stamp.as_str()),
        ("X-Slack-Signature", signature.as_str()),
    ];
    post(service, "/chat/work", &headers, body)
}

/// A slash command as Slack's documentation shows one.
pub(crate) fn slash(
    platform: &Platform,
    (team, user, channel): (&str, &str, &str),
    trigger: &str,
    text: &str,
) -> String {
    encoded(&[
        ("token", "deprecated"),
        ("team_id", team),
        ("team_domain", "example"),
        ("channel_id", channel),
        ("channel_name", "shop"),
        ("user_id", user),
        ("user_name", "somebody"),
        ("command", "/towpath"),
        ("text", text),
        ("response_url", &format!("http://127.0.0.1:{}/commands/1234/{trigger}", platform.port)),
        ("trigger_id", trigger),
        ("api_app_id", "A1"),
    ])
}

pub(crate) fn pressed(platform: &Platform, user: &str, trigger: &str, press: &Press) -> String {
    let payload = json!({
        "type": "block_actions",
        "user": { "id": user, "username": "somebody", "team_id": "T1" },
        "team": { "id": "T1", "domain": "example" },
        "channel": { "id": "CSHOP", "name": "shop" },
        "container": { "type": "message", "message_ts": "1.1", "channel_id": "CSHOP" },
        "trigger_id": trigger,
        "response_url": format!("http://127.0.0.1:{}/actions/1234/{trigger}", platform.port),
        "actions": [{ "type": "button", "action_id": "towpath-0", "block_id": "b",
            "value": serde_json::to_string(press).unwrap(), "action_ts": "1.2" }],
    });
    encoded(&[("payload", &payload.to_string())])
}

/// What the button of an answer does.
pub(crate) fn button(message: &Json) -> (String, Press) {
    let blocks = message["blocks"].as_array().unwrap();
    let action = blocks.iter().find(|block| block["type"] == "actions").expect("buttons");
    let one = &action["elements"][0];
    (
        one["text"]["text"].as_str().unwrap().to_owned(),
        serde_json::from_str(one["value"].as_str().unwrap()).unwrap(),
    )
}

pub(crate) fn rows(place: &Place) -> Vec<Json> {
    let export = place.ok(&["history", "--export"]);
    let rows =
        export.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str::<Json>(line).unwrap());
    rows.filter(|row| row["what"] == "audit" && !row["row"]["came"].is_null())
        .map(|row| row["row"].clone())
        .collect()
}

#[test]
fn a_pause_from_slack_is_acknowledged_carried_out_answered_and_on_record() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let text = "pause production —for 2h —reason “database &amp; failover”";
    let body = slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", text);
    let ack = slack(&service, &body, SIGNING, 0);
    assert_eq!((ack.status, ack.body.as_str()), (200, ""), "nothing is shown yet");
    let answer = platform.tells(1);
    assert_eq!(answer["response_type"], "in_channel", "what was done concerns everybody there");
    let words = shown(&answer);
    assert!(words.contains("is paused until") && words.contains("Recorded as command-"), "{words}");
    let status = place.ok(&["status"]);
    assert!(status.contains("by `olga`: database & failover"), "{status}");
    // The platform sends it once more: it was taken.
    assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
    let body = slash(&platform, ("T1", "UOLGA", "CELSE"), "1.b", "status checkout");
    assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
    let asked = platform.tells(2);
    assert_eq!(asked["response_type"], "ephemeral", "what was asked is shown to whoever asked");
    assert!(shown(&asked).contains("is paused until"), "{asked}");
    assert_eq!(platform.told().len(), 2, "one answer to what came twice");
    let rows = rows(&place);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let (row, came) = (&rows[0], &rows[0]["came"]);
    assert_eq!((&row["by"], &row["allowed"]), (&json!("olga"), &json!(true)));
    assert_eq!(row["command"], "pause shop/checkout production --for 2h --reason \"database & failover\"");
    assert_eq!(came["surface"], "chat");
    assert_eq!(came["identity"], "slack:T1/UOLGA");
    assert_eq!(came["place"], "work:CSHOP");
    assert_eq!(came["said"], "pause production —for 2h —reason “database & failover”");
    assert_eq!(came["rule"], "role operator");
    for (result, times) in [("taken", 2.0), ("repeated", 1.0)] {
        let name = format!("towpath_hooks_total{{source=\"chat\",result=\"{result}\"}}");
        assert_eq!(service.metric(&name), Some(times), "{name}");
    }
}

#[test]
fn what_is_not_the_platforms_is_refused_counted_and_not_stored() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    let good = slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", "freeze all --reason now");
    let stamp = now().to_string();
    let signature = sign(SIGNING.as_bytes(), &stamp, good.as_bytes());
    let cases: Vec<(&str, Answer, u16)> = vec![
        ("forged", slack(&service, &good, "not the secret", 0), 401),
        ("out-of-time", slack(&service, &good, SIGNING, 400), 401),
        ("out-of-time", slack(&service, &good, SIGNING, -400), 401),
        ("unsigned", post(&service, "/chat/work", &[], &good), 401),
        (
            "forged",
            post(
                &service,
                "/chat/work",
                &[("X-Slack-Request-Timestamp", &stamp), ("X-Slack-Signature", &signature)],
                &good.replace("now", "nox"),
            ),
            401,
        ),
        ("wrong-team", slack(&service, &good.replace("team_id=T1", "team_id=T2"), SIGNING, 0), 403),
        (
            "elsewhere",
            slack(&service, &good.replace(&format!("{}%2Fcommands", platform.port), "1%2Fcommands"), SIGNING, 0),
            400,
        ),
        ("unreadable", slack(&service, "text=freeze+all", SIGNING, 0), 400),
        ("unreadable", slack(&service, "payload=%7B", SIGNING, 0), 400),
        ("too-large", slack(&service, &"x".repeat(600_000), SIGNING, 0), 413),
    ];
    for (what, answer, status) in &cases {
        assert_eq!(answer.status, *status, "{what}: {answer:?}");
        assert!(!answer.body.contains(SIGNING) && !answer.body.contains(&signature), "{answer:?}");
    }
    assert_eq!(post(&service, "/chat/nobody", &[], &good).status, 404);
    assert_eq!(post(&service, "/chat/work/press", &[], &good).status, 401);
    for (result, times) in [("forged", 2.0), ("out-of-time", 2.0), ("unsigned", 2.0), ("wrong-team", 1.0)] {
        let name = format!("towpath_hooks_total{{source=\"chat\",result=\"{result}\"}}");
        assert_eq!(service.metric(&name), Some(times), "{name}");
    }
    let log = service.log().join("\n");
    assert!(log.contains("wrong-team") && !log.contains(SIGNING) && !log.contains(&signature), "{log}");
    assert!(!place.ok(&["status"]).contains("frozen"));
    assert_eq!(rows(&place), Vec::<Json>::new());
    // Slack looks whether somebody is there.
    assert_eq!(slack(&service, "ssl_check=1&token=x", SIGNING, 0).status, 200);
    assert_eq!(platform.told(), Vec::new());
}

#[test]
fn who_is_linked_to_nobody_may_ask_and_is_told_how_to_be_linked() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let said = [
        ("UX", "where HEAD", "is no commit"),
        ("UX", "status production", "production"),
        ("UX", "whoami", "is linked to no person: have it added to your identities"),
        (
            "UX",
            "pause production --for 1h --reason r",
            "slack:T1/UX is linked to no person here and so may only ask",
        ),
        ("UX", "", "pause TARGET"),
        ("UX", "puase all --reason x", "pause"),
        ("UDAN", "pause production --for 1h --reason r", "takes an operator: ask olga"),
        ("UDAN", "pause staging --for 1h --reason r", "is paused until"),
        ("UDAN", "help hold", "hold SHA"),
        ("UDAN", "history", "pause shop/checkout staging"),
    ];
    for (at, (user, text, wanted)) in said.iter().enumerate() {
        let body = slash(&platform, ("T1", user, "CSHOP"), &format!("{at}.t"), text);
        assert_eq!(slack(&service, &body, SIGNING, 0).status, 200, "{text}");
        let words = shown(&platform.tells(at + 1)).replace('`', "");
        assert!(words.contains(wanted), "{text}: {words}");
    }
    // In a channel of an environment that word need not be said, and in no channel of ours all must be.
    for (at, (channel, text, wanted)) in [
        ("CPROD", "explain checkout", "production"),
        ("CSHOP", "explain production", "production"),
        ("CELSE", "explain production", "ENV"),
    ]
    .iter()
    .enumerate()
    {
        let body = slash(&platform, ("T1", "UOLGA", channel), &format!("{at}.c"), text);
        assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
        let words = shown(&platform.tells(said.len() + at + 1));
        assert!(words.contains(wanted), "{channel} {text}: {words}");
    }
}

#[test]
fn what_moves_a_branch_is_shown_first_and_done_when_it_is_confirmed() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    let tip = place.push("checkout", "2");
    place.ok(&["run"]);
    place.arrives("checkout", "staging", tip);
    let text = "promote production --reason \"customers wait\"";
    slack(&service, &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", text), SIGNING, 0);
    let tried = platform.tells(1);
    assert_eq!(tried["response_type"], "ephemeral");
    let words = shown(&tried);
    let how = words.rsplit("Nothing was done yet: ").next().unwrap_or_default();
    assert!(
        how.starts_with("Do it below, or /towpath confirm ") && how.contains(", does exactly this, until "),
        "{words}"
    );
    assert!(how.ends_with(" CET.") || how.ends_with(" CEST."), "in the flow's zone: {words}");
    assert!(!words.contains("dry run") && !words.contains("ten minutes"), "{words}");
    let (label, press) = button(&tried);
    assert_eq!(label, "Do it");
    assert_ne!(place.repo("checkout").tip("master"), Some(tip));
    // Somebody else may press it, and may no more for it.
    slack(&service, &pressed(&platform, "UDAN", "2.a", &press), SIGNING, 0);
    assert!(shown(&platform.tells(2)).contains("takes an operator"), "{:?}", platform.told());
    slack(&service, &pressed(&platform, "UOLGA", "2.b", &press), SIGNING, 0);
    // What was shown to one person can be replaced for that person alone, so everybody is told apart.
    let own = platform.tells(3);
    assert_eq!((&own["response_type"], &own["replace_original"]), (&json!("ephemeral"), &json!(true)), "{own}");
    assert!(shown(&own).starts_with("Done: ") && own.to_string().find("towpath-0").is_none(), "no button: {own}");
    let done = platform.tells(4);
    assert!(shown(&done).contains("Recorded as command-"), "{done}");
    assert_eq!(
        (&done["response_type"], &done["replace_original"]),
        (&json!("in_channel"), &json!(false)),
        "{done}"
    );
    place.arrives("checkout", "master", tip);
    // A second press, however it comes, does nothing.
    slack(&service, &pressed(&platform, "UOLGA", "2.c", &press), SIGNING, 0);
    let again = platform.tells(5);
    assert!(shown(&again).contains("you have confirmed this already"), "{:?}", platform.told());
    assert_eq!(
        (&again["response_type"], &again["replace_original"]),
        (&json!("ephemeral"), &json!(true)),
        "{again}"
    );
    assert_eq!(platform.all_at("2.b").len(), 2);
}

#[test]
fn what_everybody_is_to_be_told_is_said_again_where_it_was_not_taken() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    let tip = place.push("checkout", "2");
    place.ok(&["run"]);
    place.arrives("checkout", "staging", tip);
    let text = "promote production --reason \"customers wait\"";
    slack(&service, &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", text), SIGNING, 0);
    let (_, press) = button(&platform.tells(1));
    platform.stumbles("response_type", "in_channel");
    slack(&service, &pressed(&platform, "UOLGA", "2.a", &press), SIGNING, 0);
    let last = platform.tells_so_many_at("2.a", 3);
    assert_eq!(last["response_type"], "in_channel");
    assert!(shown(&last).contains("Recorded as command-"), "{last}");
    let kinds: Vec<Json> = platform.all_at("2.a").iter().map(|said| said["response_type"].clone()).collect();
    assert_eq!(kinds, ["ephemeral", "in_channel", "in_channel"], "what was taken is not said again");
}

#[test]
fn what_is_confirmed_is_what_was_shown_and_nothing_else() {
    let platform = Platform::new();
    let place = place(&platform);
    let text = std::fs::read_to_string(place.path().join("towpath.toml")).unwrap();
    place.config(&text.replace("gates.lag = \"1d\"", "rollback = true"));
    let service = place.serve();
    let mut tips = Vec::new();
    for n in 2..5 {
        tips.push(place.push("checkout", &n.to_string()));
        place.ok(&["run"]);
        place.arrives("checkout", "staging", tips[tips.len() - 1]);
        place.ok(&["run"]);
        place.arrives("checkout", "master", tips[tips.len() - 1]);
    }
    slack(
        &service,
        &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", "rollback production --reason bad"),
        SIGNING,
        0,
    );
    let (_, press) = button(&platform.tells(1));
    let Press::Confirm { command, tip, .. } = &press else { panic!("{press:?}") };
    assert!(command.contains(&tips[1].to_string()) && *tip == Some(tips[2]), "{press:?}");
    // What is behind a showing of somebody else's, on another day.
    for (at, (user, wanted)) in
        [("UDAN", "takes an operator"), ("UOLGA", "goes back"), ("UOLGA", "confirmed this already")]
            .iter()
            .enumerate()
    {
        let end = format!("{at}.p");
        slack(&service, &pressed(&platform, user, &end, &press), SIGNING, 0);
        let words = shown(&platform.tells_so_many_at(&end, if *wanted == "goes back" { 2 } else { 1 }));
        assert!(words.contains(wanted), "{words}");
    }
    place.arrives("checkout", "master", tips[1]);
    // From where the branch is now it is not what was shown.
    let late = match press.clone() {
        Press::Confirm { command, tip, .. } => Press::Confirm {
            command: command.replace(&tips[1].to_string(), &tips[0].to_string()),
            tip,
            once: "another".to_owned(),
            until: Instant(Clock::System.reading().wall.0 + 60_000),
            told: None,
        },
        other => other,
    };
    slack(&service, &pressed(&platform, "UOLGA", "9.a", &late), SIGNING, 0);
    assert!(shown(&platform.tells_at("9.a")).contains("say it again"), "{:?}", platform.told());
    let old = match press {
        Press::Confirm { command, tip, once, .. } => {
            Press::Confirm { command, tip, once, until: Instant(1_700_000_000_000), told: None }
        }
        other => other,
    };
    slack(&service, &pressed(&platform, "UOLGA", "9.b", &old), SIGNING, 0);
    assert!(shown(&platform.tells_at("9.b")).contains("too long ago"), "{:?}", platform.told());
    assert_eq!(place.repo("checkout").tip("master"), Some(tips[1]));
}

#[test]
fn a_platform_that_takes_no_answer_keeps_no_pause_waiting() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    platform.limits();
    for n in 0..8 {
        let body = slash(&platform, ("T1", "UX", "CSHOP"), &format!("{n}.a"), "status");
        assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
    }
    let text = "pause all --for 1h --reason urgent";
    slack(&service, &slash(&platform, ("T1", "UOLGA", "CSHOP"), "9.a", text), SIGNING, 0);
    wait("the pause", || place.ok(&["status"]).contains("every flow is paused"));
    // And in the order in which they are said.
    for n in 0..6 {
        for (at, text) in ["resume all", "freeze all --for 1h --reason again"].iter().enumerate() {
            let body = slash(&platform, ("T1", "UOLGA", "CSHOP"), &format!("{n}{at}.b"), text);
            slack(&service, &body, SIGNING, 0);
        }
        if n == 0 {
            // `resume all` sets more than one flow going only where there is more than one.
            wait("the freeze", || place.ok(&["status"]).contains("every flow is frozen"));
        }
    }
    wait("all twelve", || rows(&place).len() >= 13);
    assert!(place.ok(&["status"]).contains("every flow is frozen"), "the last word counts");
    let commands: Vec<String> = rows(&place)
        .iter()
        .map(|row| row["command"].as_str().unwrap().split(' ').next().unwrap().to_owned())
        .collect();
    assert!(commands[1..].chunks(2).all(|pair| pair == ["resume", "freeze"]), "{commands:?}");
}

#[test]
fn hold_mine_holds_what_its_author_wrote_whatever_their_role() {
    let platform = Platform::new();
    let place = place(&platform);
    let repo = place.repo("checkout");
    let first = repo.tip("develop").unwrap();
    let theirs = repo.commit_as(&[first], "develop", &[("b", "1")], "Of Zoe", "Zoe <zoe@example.com>");
    let own = repo.commit_as(&[theirs], "develop", &[("c", "1")], "Of Ana", "Ana <Ana@Example.com>");
    let later = repo.commit_as(&[own], "develop", &[("d", "1")], "Of Ana, later", "Ana <ana@example.com>");
    let service = place.serve();
    place.arrives("checkout", "staging", later);
    let press = Press::HoldMine { flow: "shop/checkout".into(), env: "production".into(), newest: later };
    slack(&service, &pressed(&platform, "UEVE", "1.a", &press), SIGNING, 0);
    assert!(shown(&platform.tells(1)).contains("is yours as far as their addresses tell"), "{:?}", platform.told());
    slack(&service, &pressed(&platform, "UX", "1.b", &press), SIGNING, 0);
    assert!(shown(&platform.tells(2)).contains("is linked to no person"), "{:?}", platform.told());
    assert!(!place.ok(&["status"]).contains("is held"));
    let refused: Vec<Json> = rows(&place).into_iter().filter(|row| row["allowed"] == false).collect();
    assert_eq!(refused.len(), 2, "who tried it is on record: {refused:?}");
    assert!(refused.iter().all(|row| row["command"].as_str().unwrap().starts_with("hold mine ")), "{refused:?}");
    slack(&service, &pressed(&platform, "UDAN", "1.c", &press), SIGNING, 0);
    let done = shown(&platform.tells(3));
    assert!(done.contains("held back") && done.contains(&own.short()), "{done}");
    let rows = rows(&place);
    assert_eq!(rows.last().unwrap()["came"]["rule"], "author");
    assert_eq!(rows.last().unwrap()["by"], "dan");
    let explained = place.ok(&["explain", "checkout", "production"]);
    assert!(explained.contains("held by its author"), "{explained}");
    assert!(explained.contains("whoever may `unhold` there can lift it"), "{explained}");
    // Pressed again it holds the same, and is shown once.
    slack(&service, &pressed(&platform, "UDAN", "1.e", &press), SIGNING, 0);
    assert!(shown(&platform.tells(4)).contains("held back"), "{:?}", platform.told());
    let status = place.ok(&["status"]);
    let standing: Vec<&str> =
        status.lines().filter(|line| line.contains("is held") && !line.contains("blocked:")).collect();
    assert!(standing.len() == 1 && standing[0].ends_with("(2 times)"), "{status}");
    // What they held so they may let go, and nothing else.
    let unhold = |commit: &CommitId| format!("unhold {commit} checkout production");
    place.ok(&["hold", &theirs.to_string(), "shop/checkout", "production", "--reason", "another's"]);
    slack(&service, &slash(&platform, ("T1", "UDAN", "CSHOP"), "1.f", &unhold(&theirs)), SIGNING, 0);
    assert!(shown(&platform.tells(5)).contains("takes an operator"), "{:?}", platform.told());
    slack(&service, &slash(&platform, ("T1", "UDAN", "CSHOP"), "1.g", &unhold(&own)), SIGNING, 0);
    let lifted = shown(&platform.tells(6));
    assert!(lifted.contains("is lifted"), "{lifted}");
    assert_eq!(self::rows(&place).last().unwrap()["came"]["rule"], "author");
    let status = place.ok(&["status"]);
    let standing: Vec<&str> =
        status.lines().filter(|line| line.contains("is held") && !line.contains("blocked:")).collect();
    assert!(standing.len() == 1 && standing[0].contains("another's"), "that of another stays: {status}");
    // The same said as a command takes the role.
    let text = format!("hold {} production --reason mine", own);
    slack(&service, &slash(&platform, ("T1", "UDAN", "CSHOP"), "1.d", &text), SIGNING, 0);
    assert!(shown(&platform.tells(7)).contains("takes an operator"), "{:?}", platform.told());
}

#[test]
fn hold_mine_holds_each_of_theirs_where_histories_were_merged() {
    let platform = Platform::new();
    let place = place(&platform);
    let repo = place.repo("checkout");
    let first = repo.tip("develop").unwrap();
    let ana = "Ana <ana@example.com>";
    let one = repo.commit_as(&[first], "one", &[("b", "1")], "One", ana);
    let other = repo.commit_as(&[first], "other", &[("c", "1")], "Other", ana);
    let merged = repo.commit_as(&[first, one], "develop", &[("b", "1")], "Merge one", "Zoe <zoe@example.com>");
    let both = repo.commit_as(
        &[merged, other],
        "develop",
        &[("b", "1"), ("c", "1")],
        "Merge other",
        "Zoe <zoe@example.com>",
    );
    let service = place.serve();
    place.arrives("checkout", "staging", both);
    let press = Press::HoldMine { flow: "shop/checkout".into(), env: "production".into(), newest: both };
    slack(&service, &pressed(&platform, "UDAN", "1.a", &press), SIGNING, 0);
    let done = shown(&platform.tells(1));
    assert!(done.contains(&one.short()) && done.contains(&other.short()), "{done}");
    let status = place.ok(&["status"]);
    for commit in [one, other] {
        assert!(status.contains(&format!("{} is held", commit.short())), "{status}");
    }
}

#[test]
fn what_is_for_one_person_is_never_said_to_all() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    // The address for the answer is over.
    slack(&service, &slash(&platform, ("T1", "UX", "CSHOP"), "gone", "status"), SIGNING, 0);
    platform.tells(2);
    let told = platform.told();
    assert_eq!(told[1].0, "/api/chat.postEphemeral", "{told:?}");
    assert_eq!((&told[1].1["user"], &told[1].1["channel"]), (&json!("UX"), &json!("CSHOP")));
    assert!(!told.iter().any(|(path, _)| path.ends_with("chat.postMessage")), "{told:?}");
}

#[test]
fn what_was_begun_when_the_process_died_or_said_long_ago_sets_nothing_going() {
    let platform = Platform::new();
    let place = place(&platform);
    place.ok(&["run"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&place.path().join("towpath.db"), Create::No).await.unwrap();
        let wall = Clock::System.reading().wall;
        let long_ago = Instant(wall.0 - 3_600_000);
        let said = [
            ("1", "promote shop/checkout staging --reason r", wall),
            ("2", "status", wall),
            ("3", "pause shop/checkout production --for 1h --reason r", wall),
            ("4", "resume shop/checkout production", long_ago),
        ];
        for (once, text, at) in said {
            let asked = json!({
                "platform": "slack", "team": "T1", "user": "UOLGA", "user_name": "x", "proof": "request",
                "channel": "CSHOP", "once": once, "what": { "said": text }, "message": null,
                "answer_at": format!("http://127.0.0.1:{}/commands/1/{once}", platform.port),
            });
            // A version that knows no lanes took the last.
            let lane = match once {
                "1" => "orders",
                "2" => "asks",
                "3" => "stops",
                _ => "",
            };
            let text = asked.to_string();
            let new = NewAsked { place: "chat:work", once, who: "UOLGA", asked: &text, lane };
            let room = Room { all: None, own: 9 };
            assert_eq!(store.take_asked(&new, at, room).await.unwrap(), Taken::New);
            assert_eq!(store.take_asked(&new, at, room).await.unwrap(), Taken::Before, "taken once");
        }
        // Three processes began the first three, one after the other, and none outlived it.
        let me = Holder::this_process();
        for turn in 1..=3 {
            for (once, lane) in [("1", "orders"), ("2", "asks"), ("3", "stops")] {
                let begun = store.begin_asked(lane, false, &me, wall).await.unwrap().unwrap();
                assert_eq!((begun.once.as_str(), begun.turn, begun.done), (once, turn, false));
                let none = store.begin_asked(lane, false, &me, wall).await.unwrap();
                assert_eq!(none, None, "one at a time");
            }
            store.release_asked(&me).await.unwrap();
        }
        store.close().await.unwrap();
    });
    let _service = place.serve();
    platform.tells(4);
    let told = platform.told();
    let answer = |once: &str| {
        let mut to = told.iter().filter(|(path, _)| path.ends_with(&format!("/{once}")));
        shown(&to.next().unwrap_or_else(|| panic!("{once}: {told:?}")).1)
    };
    assert!(answer("1").contains("does not begin it again"), "{}", answer("1"));
    assert!(answer("2").contains("shop/checkout (as of"), "a question is answered: {}", answer("2"));
    assert!(answer("3").contains("is paused until"), "to stop is safe: {}", answer("3"));
    assert!(answer("4").contains("is not done any more"), "what sets going is not done late: {}", answer("4"));
    assert!(place.ok(&["status"]).contains("is paused"));
    let refused: Vec<String> = rows(&place)
        .iter()
        .filter(|row| row["allowed"] == false)
        .map(|row| row["command"].as_str().unwrap().split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(refused.len(), 2, "on record, too: {refused:?}");
}

#[test]
fn a_button_of_mattermost_is_good_for_its_channel_and_does_nothing_unproven() {
    let platform = Platform::new();
    let place = place(&platform);
    place.ok(&["run"]);
    place.ok(&["pause", "checkout", "production", "--for", "1h", "--reason", "r"]);
    let service = place.serve();
    // A button of ours, pressed by whoever wrote that name: this server tells no key.
    let wall = Clock::System.reading().wall;
    let press = Press::Say("resume checkout production".to_owned());
    let key = Secret::new(b"buttons of the tests".to_vec());
    let sealed = seal::seal(&key, &press, "channelofshop", wall).unwrap();
    let action = |channel: &str, sealed: &seal::Sealed| {
        json!({ "user_id": "uolga", "user_name": "olga", "channel_id": channel, "team_id": "M2", "post_id": "p1",
            "trigger_id": "t4", "type": "button", "context": { "towpath": sealed } })
        .to_string()
    };
    let json = [("Content-Type", "application/json")];
    assert_eq!(post(&service, "/chat/matter/press", &json, &action("otherchannel", &sealed)).status, 403);
    let forged = seal::seal(&Secret::new(b"guessed".to_vec()), &press, "channelofshop", wall).unwrap();
    assert_eq!(post(&service, "/chat/matter/press", &json, &action("channelofshop", &forged)).status, 401);
    let said = post(&service, "/chat/matter/press", &json, &action("channelofshop", &sealed));
    assert_eq!(said.status, 200);
    let said: Json = serde_json::from_str(&said.body).unwrap();
    assert!(said["ephemeral_text"].as_str().unwrap().contains("does not prove who pressed"), "{said}");
    assert!(place.ok(&["status"]).contains("is paused"), "nothing was done");
}

#[test]
fn the_app_and_the_steps_are_printed() {
    let place = Place::new(&[], "");
    let app: Json =
        serde_json::from_str(&place.ok(&["chat", "manifest", "slack", "--url", "https://t.example/chat/work"]))
            .unwrap();
    assert_eq!(app["features"]["slash_commands"][0]["url"], "https://t.example/chat/work");
    let socket: Json = serde_json::from_str(&place.ok(&["chat", "manifest", "slack"])).unwrap();
    assert_eq!(socket["settings"]["socket_mode_enabled"], true);
    let steps = place.ok(&["chat", "manifest", "mattermost", "--url", "https://t.example/chat/m"]);
    assert!(steps.contains("mmctl command create") && steps.contains("https://t.example/chat/m"), "{steps}");
    for args in [&["chat", "manifest", "mattermost"][..], &["chat", "manifest", "slack", "--url", "t.example"]] {
        let ran = place.run(args);
        let words = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.code() == Some(2) && words.contains("--url https://"), "{words}");
    }
}
