//! Socket Mode against a server of our own: a real WebSocket on this machine.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_util::sync::CancellationToken;

use super::clock;
use crate::chat::fake::{read_request, write_answer};
use crate::chat::incoming::{Incoming, Refused, What};
use crate::chat::slack::Slack;
use crate::chat::slack::socket::{Pauses, Socket, Told};
use crate::forge::client::TokenPlace;
use crate::secret::Secret;

/// What the server does with a connection.
#[derive(Debug, Clone)]
enum Step {
    /// Says this text.
    Say(String),
    /// Says these bytes.
    Bytes(Vec<u8>),
    /// Writes this past the WebSocket.
    Raw(Vec<u8>),
    /// Waits for a text, and notes it.
    Hear,
    /// Says nothing for so long.
    Wait(u64),
    /// Goes away without a word.
    Drop,
    /// Closes as one should.
    Close,
    /// Reads until the other side goes, and notes what it hears.
    Stay,
}

/// How the address is asked for.
#[derive(Debug, Clone)]
enum Open {
    /// It is given, and then this happens.
    Given(Vec<Step>),
    /// This is answered instead.
    Instead(u16, String),
    /// This address is given.
    Elsewhere(String),
    /// It is given, and what is there answers this without being a WebSocket.
    NoSocket(Vec<u8>),
}

type Log = Arc<Mutex<Vec<String>>>;

struct Server {
    url: Url,
    log: Log,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Each of these once, then the last again and again.
    async fn start(opens: Vec<Open>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let log = Log::default();
        let (noted, there) = (Arc::clone(&log), host.clone());
        let task = tokio::spawn(async move {
            let mut opens: VecDeque<Open> = opens.into();
            let mut now = None;
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut begin = [0; 4];
                if stream.peek(&mut begin).await.is_err() {
                    continue;
                }
                if &begin == b"POST" {
                    let asked = read_request(&mut stream).await.unwrap();
                    assert_eq!(asked.line, "POST /api/apps.connections.open");
                    assert_eq!(asked.header("authorization"), Some("Bearer xapp-token"));
                    noted.lock().unwrap().push("open".to_owned());
                    let next = if opens.len() > 1 { opens.pop_front() } else { opens.front().cloned() }.unwrap();
                    let given = |url: &str| (200, "", json!({ "ok": true, "url": url }).to_string());
                    let answer = match &next {
                        Open::Instead(status, body) => (*status, "", body.clone()),
                        Open::Elsewhere(url) => given(url),
                        _ => given(&format!("ws://{there}/link?ticket=secret")),
                    };
                    now = Some(next);
                    write_answer(&mut stream, answer).await;
                } else {
                    noted.lock().unwrap().push("link".to_owned());
                    tokio::spawn(linked(stream, now.clone().unwrap(), Arc::clone(&noted)));
                }
            }
        });
        Self { url: Url::parse(&format!("http://{host}/api/")).unwrap(), log, task }
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log has so many of these.
    async fn until(&self, entry: &str, count: usize) {
        for _ in 0..500 {
            if self.log().iter().filter(|had| had.as_str() == entry).count() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("there are not {count} of {entry}: {:?}", self.log());
    }
}

async fn linked(mut stream: TcpStream, open: Open, log: Log) {
    let note = |text: String| log.lock().unwrap().push(text);
    let steps = match open {
        Open::Given(steps) => steps,
        Open::NoSocket(answer) => {
            read_request(&mut stream).await;
            stream.write_all(&answer).await.unwrap();
            return;
        }
        _ => panic!("nobody should come here"),
    };
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    for step in steps {
        match step {
            Step::Say(text) => socket.send(Frame::text(text)).await.unwrap(),
            Step::Bytes(bytes) => socket.send(Frame::binary(bytes)).await.unwrap(),
            Step::Raw(bytes) => socket.get_mut().write_all(&bytes).await.unwrap(),
            Step::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Step::Drop => return,
            Step::Close => {
                let _ = socket.close(None).await;
            }
            Step::Hear => match socket.next().await {
                Some(Ok(Frame::Text(text))) => note(text.to_string()),
                other => note(format!("{other:?}")),
            },
            Step::Stay => {
                while let Some(Ok(frame)) = socket.next().await {
                    match frame {
                        Frame::Text(text) => note(text.to_string()),
                        Frame::Close(_) => note("closed".to_owned()),
                        _ => {}
                    }
                }
                note("left".to_owned());
            }
        }
    }
}

fn say(value: &Value) -> Step {
    Step::Say(value.to_string())
}

fn hello() -> Step {
    say(&json!({ "type": "hello", "num_connections": 1, "connection_info": { "app_id": "A1" } }))
}

fn command(envelope: &str, text: &str) -> Step {
    say(&json!({
        "envelope_id": envelope, "type": "slash_commands", "accepts_response_payload": true,
        "payload": {
            "team_id": "T0", "channel_id": "C1", "user_id": "U1", "user_name": "ana", "command": "/towpath",
            "text": text, "trigger_id": "1.2.3", "response_url": "https://hooks.slack.com/commands/T0/1/x"
        }
    }))
}

fn acknowledged(envelope: &str) -> String {
    json!({ "envelope_id": envelope }).to_string()
}

fn pauses() -> Pauses {
    Pauses {
        first: Duration::from_millis(10),
        most: Duration::from_millis(80),
        silence: Duration::from_secs(5),
        connect: Duration::from_secs(2),
    }
}

struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(2), self.task).await.expect("it stops").unwrap();
    }
}

/// Runs a client that notes what it takes, into the server's log; what is `lost` it could not store.
fn run(server: &Server, pauses: Pauses) -> Running {
    let slack = Slack::new(server.url.clone(), TokenPlace::Nowhere, clock()).unwrap();
    let token = TokenPlace::from(Some(&Secret::new("xapp-token")));
    let socket = Socket::new(slack, token, vec!["T0".to_owned()], pauses).unwrap();
    let stop = CancellationToken::new();
    let (ending, log) = (stop.clone(), Arc::clone(&server.log));
    let take = move |request: Result<Incoming, Refused>| {
        let log = Arc::clone(&log);
        async move {
            // As long as a store may take.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let (note, stored) = match request {
                Ok(Incoming { what: What::Said(text), once, .. }) => {
                    (format!("took {text} {once}"), text != "lost")
                }
                Ok(other) => (format!("{other:?}"), true),
                Err(refused) => (format!("refused {}", refused.word()), false),
            };
            let note_words = note.contains("full").then(|| json!({ "text": "not now" }));
            log.lock().unwrap().push(note);
            match (stored, note_words) {
                (false, _) => Told::Nothing,
                (true, Some(words)) => Told::Words(words),
                (true, None) => Told::Taken,
            }
        }
    };
    let task = tokio::spawn(async move { socket.run(take, &ending).await });
    Running { stop, task }
}

#[tokio::test]
async fn an_envelope_is_acknowledged_after_it_was_taken() {
    let steps = vec![hello(), command("e1", "status"), Step::Hear, command("e2", "plan"), Step::Hear, Step::Stay];
    let server = Server::start(vec![Open::Given(steps)]).await;
    let running = run(&server, pauses());
    server.until(&acknowledged("e2"), 1).await;
    running.stop().await;
    server.until("left", 1).await;
    let [one, two] = [acknowledged("e1"), acknowledged("e2")];
    let expected = ["open", "link", "took status 1.2.3", &one, "took plan 1.2.3", &two, "closed", "left"];
    assert_eq!(server.log(), expected);
}

#[tokio::test]
async fn words_go_with_the_acknowledgement_where_slack_takes_them() {
    let Step::Say(deaf) = command("e2", "full") else { panic!() };
    let deaf = Step::Say(deaf.replace("\"accepts_response_payload\":true,", ""));
    let steps = vec![hello(), command("e1", "full"), Step::Hear, deaf, Step::Hear, Step::Stay];
    let server = Server::start(vec![Open::Given(steps)]).await;
    let running = run(&server, pauses());
    server.until(&acknowledged("e2"), 1).await;
    running.stop().await;
    let told = json!({ "envelope_id": "e1", "payload": { "text": "not now" } }).to_string();
    assert!(server.log().contains(&told), "{:?}", server.log());
}

#[tokio::test]
async fn what_could_not_be_stored_is_not_acknowledged_and_what_is_refused_is() {
    let press = |team: &str, kind: &str| {
        let team = json!({ "id": team });
        json!({ "type": kind, "team": team, "user": { "id": "U1" }, "actions": [{}] })
    };
    let interactive =
        |id: &str, payload: Value| say(&json!({ "envelope_id": id, "type": "interactive", "payload": payload }));
    let steps = vec![
        hello(),
        command("e1", "lost"),
        say(&json!({ "envelope_id": "e2", "type": "events_api", "payload": {} })),
        interactive("e3", press("T7", "block_actions")),
        interactive("e4", press("T0", "view_submission")),
        say(&json!({ "envelope_id": "e5", "type": "slash_commands" })),
        command("e6", "status"),
        Step::Stay,
    ];
    let server = Server::start(vec![Open::Given(steps)]).await;
    let running = run(&server, pauses());
    server.until(&acknowledged("e6"), 1).await;
    running.stop().await;
    let log = server.log();
    for (id, is) in [("e1", false), ("e2", true), ("e3", true), ("e4", true), ("e5", true), ("e6", true)] {
        assert_eq!(log.contains(&acknowledged(id)), is, "{id} in {log:?}");
    }
    let words: Vec<&String> = log.iter().filter(|entry| entry.starts_with("refused")).collect();
    assert_eq!(words, ["refused not-ours", "refused wrong-team", "refused not-ours", "refused unreadable"]);
}

#[tokio::test]
async fn what_comes_twice_is_handed_on_twice_under_one_id() {
    let steps = vec![hello(), command("e1", "a"), command("e1", "a"), command("e2", "a"), Step::Stay];
    let server = Server::start(vec![Open::Given(steps)]).await;
    let running = run(&server, pauses());
    server.until(&acknowledged("e2"), 1).await;
    running.stop().await;
    let log = server.log();
    assert_eq!(log.iter().filter(|entry| *entry == "took a 1.2.3").count(), 3);
    assert_eq!(log.iter().filter(|entry| **entry == acknowledged("e1")).count(), 2);
}

#[tokio::test]
async fn frames_that_mean_nothing_end_nothing() {
    let steps = vec![
        Step::Say("not json".to_owned()),
        hello(),
        Step::Bytes(vec![0, 159, 146, 150]),
        Step::Say(String::new()),
        Step::Say("[]".to_owned()),
        Step::Say("{\"type\":1}".to_owned()),
        Step::Say("{\"type\":\"slash_commands\"}".to_owned()),
        say(&json!({ "type": "slash_commands", "envelope_id": "x".repeat(300) })),
        say(&json!({ "type": "slash_commands", "envelope_id": "" })),
        Step::Say("[".repeat(100_000)),
        command("e1", "status"),
        Step::Stay,
    ];
    let server = Server::start(vec![Open::Given(steps)]).await;
    let running = run(&server, pauses());
    server.until(&acknowledged("e1"), 1).await;
    running.stop().await;
    assert_eq!(server.log().iter().filter(|entry| *entry == "link").count(), 1);
    assert_eq!(server.log().iter().filter(|entry| entry.starts_with("refused")).count(), 0);
}

#[tokio::test]
async fn another_connection_is_made_when_slack_asks_and_whenever_one_is_lost() {
    let Step::Say(replayed) = command("e0", "replayed") else { panic!() };
    // A text of up to 64 KiB (RFC 6455, section 5.2).
    let frame =
        [&[0x81, 126][..], &u16::try_from(replayed.len()).unwrap().to_be_bytes(), replayed.as_bytes()].concat();
    let refresh = |reason: &str| say(&json!({ "type": "disconnect", "reason": reason, "debug_info": {} }));
    let server = Server::start(vec![
        Open::Given(vec![hello(), refresh("refresh_requested"), Step::Stay]),
        Open::Given(vec![hello(), refresh("warning"), Step::Stay]),
        Open::Given(vec![hello(), Step::Drop]),
        Open::Given(vec![hello(), Step::Close, Step::Stay]),
        // No frame of any WebSocket, and one that is too large.
        Open::Given(vec![hello(), Step::Raw(vec![0xff; 64]), Step::Stay]),
        Open::Given(vec![hello(), Step::Say("x".repeat(3 * 1024 * 1024)), Step::Stay]),
        Open::Given(vec![Step::Drop]),
        Open::Instead(500, String::new()),
        Open::Instead(200, "<html>".to_owned()),
        Open::Instead(200, json!({ "ok": false, "error": "internal_error" }).to_string()),
        Open::Elsewhere("wss://evil.example/link".to_owned()),
        Open::Elsewhere("ws://127.0.0.1:1/link".to_owned()),
        Open::NoSocket(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()),
        Open::NoSocket(b"HTTP/1.1 302 Found\r\nlocation: /link\r\ncontent-length: 0\r\n\r\n".to_vec()),
        // Something that only repeats what others said: what follows is not taken.
        Open::NoSocket(
            [
                &b"HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: no\r\n\r\n"
                    [..],
                &frame,
            ]
            .concat(),
        ),
        Open::NoSocket(Vec::new()),
        Open::Given(vec![hello(), command("e1", "status"), Step::Stay]),
    ])
    .await;
    let running = run(&server, pauses());
    server.until(&acknowledged("e1"), 1).await;
    running.stop().await;
    let log = server.log();
    assert_eq!(log.iter().filter(|entry| *entry == "open").count(), 17, "{log:?}");
    assert_eq!(log.iter().filter(|entry| *entry == "link").count(), 12, "{log:?}");
    assert!(!log.iter().any(|entry| entry.contains("replayed")), "{log:?}");
}

#[tokio::test]
async fn the_next_connection_is_there_before_the_old_one_is_closed() {
    let refresh = || say(&json!({ "type": "disconnect", "reason": "warning", "debug_info": {} }));
    let fails = || Open::Instead(500, String::new());
    for before in [vec![], vec![fails(), fails(), Open::Elsewhere("ws://127.0.0.1:1/link".to_owned())]] {
        let tries = before.len();
        let first = vec![hello(), refresh(), refresh(), command("e1", "status"), Step::Hear, Step::Stay];
        let second = vec![hello(), command("e2", "plan"), Step::Hear, Step::Stay];
        let opens = [vec![Open::Given(first)], before, vec![Open::Given(second)]].concat();
        let server = Server::start(opens).await;
        let running = run(&server, pauses());
        server.until(&acknowledged("e2"), 1).await;
        server.until("left", 1).await;
        let log = server.log();
        let at = |entry: &str, nth: usize| {
            let mut all = log.iter().enumerate().filter(|(_, had)| had.as_str() == entry).map(|(at, _)| at);
            all.nth(nth).unwrap_or_else(|| panic!("no {entry} {nth}: {log:?}"))
        };
        assert!(at(&acknowledged("e1"), 0) < at("closed", 0), "it is heard until then: {log:?}");
        assert!(at("link", 1) < at("closed", 0) && at("closed", 0) < at("left", 0), "{tries}: {log:?}");
        assert_eq!(log.iter().filter(|entry| *entry == "open").count(), 2 + tries, "{log:?}");
        assert_eq!(log.iter().filter(|entry| *entry == "left").count(), 1, "the second one stays: {log:?}");
        running.stop().await;
        server.until("left", 2).await;
    }
}

#[tokio::test]
async fn a_connection_that_is_silent_is_given_up() {
    let server = Server::start(vec![
        // It does not even answer to a ping: nobody reads there.
        Open::Given(vec![hello(), Step::Wait(30_000)]),
        Open::Given(vec![hello(), command("e1", "status"), Step::Stay]),
    ])
    .await;
    let quick = Pauses { silence: Duration::from_millis(60), ..pauses() };
    let running = run(&server, quick);
    server.until(&acknowledged("e1"), 1).await;
    // The second one answers to pings, and stays.
    tokio::time::sleep(Duration::from_millis(400)).await;
    running.stop().await;
    assert_eq!(server.log().iter().filter(|entry| *entry == "link").count(), 2, "{:?}", server.log());
}

#[tokio::test]
async fn tries_become_rarer_and_what_somebody_has_to_mend_is_tried_rarely() {
    let slow = Pauses { first: Duration::from_millis(40), most: Duration::from_millis(640), ..pauses() };
    let refused = json!({ "ok": false, "error": "invalid_auth" }).to_string();
    let disabled = vec![hello(), say(&json!({ "type": "disconnect", "reason": "link_disabled" })), Step::Stay];
    // In a second: after 40, 120, 280, 600 ms, and after 640 ms.
    for (why, open, tries) in [
        ("nobody knows why", Open::Instead(500, String::new()), 3..=6),
        ("asked for at once", Open::Given(vec![hello(), say(&json!({ "type": "disconnect" })), Step::Stay]), 3..=6),
        ("asked for before any hello", Open::Given(vec![say(&json!({ "type": "disconnect" })), Step::Stay]), 3..=6),
        ("the token is wrong", Open::Instead(200, refused), 1..=2),
        ("switched off", Open::Given(disabled), 1..=2),
    ] {
        let server = Server::start(vec![open]).await;
        let running = run(&server, slow);
        tokio::time::sleep(Duration::from_secs(1)).await;
        running.stop().await;
        let opened = server.log().iter().filter(|entry| *entry == "open").count();
        assert!(tries.contains(&opened), "{why}: {opened} tries");
    }
}

#[tokio::test]
async fn it_stops_wherever_it_is() {
    let long = Pauses { first: Duration::from_secs(60), most: Duration::from_secs(60), ..pauses() };
    // Waiting for the next try; in the middle of a try; before it ever began.
    let server = Server::start(vec![Open::Instead(500, String::new())]).await;
    let running = run(&server, long);
    server.until("open", 1).await;
    running.stop().await;
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", deaf.local_addr().unwrap())).unwrap();
    let server = Server { url, log: Log::default(), task: tokio::spawn(async {}) };
    let running = run(&server, long);
    tokio::time::sleep(Duration::from_millis(50)).await;
    running.stop().await;
    let running = run(&server, long);
    running.stop().await;
    // What is being taken is taken to its end.
    let server = Server::start(vec![Open::Given(vec![hello(), command("e1", "status"), Step::Stay])]).await;
    let running = run(&server, pauses());
    server.until("link", 1).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    running.stop().await;
    server.until("left", 1).await;
    let log = server.log();
    assert_eq!(log.contains(&"took status 1.2.3".to_owned()), log.contains(&acknowledged("e1")), "{log:?}");
}
