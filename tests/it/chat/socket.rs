//! Socket Mode through the running service: what comes by the socket is taken, acknowledged, carried out and answered,
//! and the connections follow the config. What stands in for Slack speaks `apps.connections.open` and real WebSockets.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{self, Error, Message as Frame, WebSocket};

use super::shown;
use crate::serve::place::{Place, wait};

/// A connection that was opened, by number.
#[derive(Clone)]
struct Link {
    /// The app token with which its address was asked for.
    token: String,
    say: Sender<Option<Json>>,
    heard: Arc<Mutex<Vec<Json>>>,
    /// Whether the other side closed it as one should.
    closed: Arc<Mutex<bool>>,
}

/// What stands in for Slack.
#[derive(Clone, Default)]
struct Slack {
    port: u16,
    /// The token behind each ticket.
    tickets: Arc<Mutex<BTreeMap<String, String>>>,
    links: Arc<Mutex<Vec<Link>>>,
    /// The answers that came: paths and bodies.
    told: Arc<Mutex<Vec<(String, Json)>>>,
}

impl Slack {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let this = Self { port: listener.local_addr().unwrap().port(), ..Self::default() };
        let slack = this.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let slack = slack.clone();
                thread::spawn(move || slack.hear(stream));
            }
        });
        this
    }

    fn hear(&self, stream: TcpStream) {
        let mut begin = [0; 4];
        match stream.peek(&mut begin) {
            Ok(_) if &begin == b"POST" => self.called(stream),
            Ok(_) => self.linked(stream),
            Err(_) => {}
        }
    }

    fn called(&self, mut stream: TcpStream) {
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        let (head, body) = loop {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return,
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let lines: Vec<String> = head.lines().map(str::to_lowercase).collect();
            let length = lines.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break (head.to_owned(), body.to_owned());
            }
        };
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let answer = if path == "/api/apps.connections.open" {
            let bearer = |line: &str| Some(line.split_once(": Bearer ")?.1.trim().to_owned());
            let token = head.lines().find_map(bearer).unwrap();
            let mut tickets = self.tickets.lock().unwrap();
            let ticket = format!("t{}", tickets.len());
            tickets.insert(ticket.clone(), token);
            json!({ "ok": true, "url": format!("ws://127.0.0.1:{}/link?ticket={ticket}", self.port) }).to_string()
        } else {
            self.told.lock().unwrap().push((path, serde_json::from_str(&body).unwrap_or(Json::Null)));
            json!({ "ok": true, "channel": "C1", "ts": "1.1" }).to_string()
        };
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
    }

    fn linked(&self, stream: TcpStream) {
        let mut ticket = String::new();
        let took = tungstenite::accept_hdr(stream, |request: &Request, response: Response| {
            ticket = request.uri().query().unwrap_or_default().trim_start_matches("ticket=").to_owned();
            Ok(response)
        });
        let Ok(mut socket) = took else { return };
        // A ticket is good once.
        let Some(token) = self.tickets.lock().unwrap().get(&ticket).cloned() else { return };
        let (say, said) = channel();
        let link = Link { token, say, heard: Arc::default(), closed: Arc::default() };
        socket.send(Frame::text(json!({ "type": "hello" }).to_string())).unwrap();
        self.links.lock().unwrap().push(link.clone());
        attend(&mut socket, &said, &link);
    }

    /// The `nth` connection that was opened with that token, once it is there.
    fn link(&self, token: &str, nth: usize) -> Link {
        let mut found = None;
        wait(&format!("connection {nth} of {token}"), || {
            found = self.links.lock().unwrap().iter().filter(|link| link.token == token).nth(nth).cloned();
            found.is_some()
        });
        found.unwrap()
    }

    fn count(&self, token: &str) -> usize {
        self.links.lock().unwrap().iter().filter(|link| link.token == token).count()
    }

    /// What was answered at that address.
    fn told(&self, once: &str) -> Vec<Json> {
        let told = self.told.lock().unwrap();
        told.iter().filter(|(path, _)| path.ends_with(&format!("/{once}"))).map(|(_, body)| body.clone()).collect()
    }

    fn tells(&self, once: &str) -> Json {
        wait(&format!("an answer to {once}"), || !self.told(once).is_empty());
        self.told(once)[0].clone()
    }

    /// A slash command as it comes through a socket.
    fn slash(&self, team: &str, envelope: &str, once: &str, text: &str) -> Json {
        json!({
            "envelope_id": envelope, "type": "slash_commands", "accepts_response_payload": true,
            "payload": {
                "team_id": team, "channel_id": "C1", "user_id": "UOLGA", "user_name": "olga", "command": "/towpath",
                "text": text, "trigger_id": once,
                "response_url": format!("http://127.0.0.1:{}/commands/1/{once}", self.port),
            }
        })
    }
}

/// Says what it is told to, and notes what it hears, until either side goes.
fn attend(socket: &mut WebSocket<TcpStream>, said: &Receiver<Option<Json>>, link: &Link) {
    socket.get_mut().set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    loop {
        match said.try_recv() {
            // It goes without a word, as a line does that is cut.
            Ok(None) => return,
            Ok(Some(text)) => socket.send(Frame::text(text.to_string())).unwrap(),
            Err(_) => {}
        }
        match socket.read() {
            Ok(Frame::Text(text)) => link.heard.lock().unwrap().push(serde_json::from_str(&text).unwrap()),
            Ok(Frame::Close(_)) => *link.closed.lock().unwrap() = true,
            Ok(_) => {}
            Err(Error::Io(error))
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

impl Link {
    fn says(&self, what: Json) {
        self.say.send(Some(what)).unwrap();
    }

    fn is_cut(&self) {
        self.say.send(None).unwrap();
    }

    /// Waits until so many were acknowledged under that id.
    fn acknowledges(&self, envelope: &str, count: usize) {
        let whole = json!({ "envelope_id": envelope });
        let has = || self.heard.lock().unwrap().iter().filter(|heard| **heard == whole).count();
        wait(&format!("{envelope} is acknowledged {count} times"), || has() >= count);
    }

    fn is_closed(&self) -> bool {
        *self.closed.lock().unwrap()
    }
}

fn chat(name: &str, team: &str, slack: &Slack) -> String {
    format!(
        "[chat.{name}]\nkind = \"slack\"\nteams = [\"{team}\"]\nurl = \"http://127.0.0.1:{}/api\"\n\
         token = {{ file = \"secret\" }}\napp_token = {{ file = \"app-{name}\" }}\n",
        slack.port
    )
}

fn config(chats: &[String]) -> String {
    format!(
        r#"
[service]
look = "0 0 1 1 *"

{}
[people.olga]
role = "operator"
identities = ["slack:T1/UOLGA", "slack:T2/UOLGA"]

[[flow]]
repository = "checkout.git"
name = "shop/checkout"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "production"
branch = "master"
gates.lag = "1d"
"#,
        chats.concat()
    )
}

fn place(chats: &[String]) -> Place {
    let place = Place::new(&["checkout"], &config(chats));
    for (name, token) in [("app-one", "xapp-one"), ("app-two", "xapp-two")] {
        std::fs::write(place.path().join(name), token).unwrap();
    }
    place
}

#[test]
fn what_comes_by_the_socket_is_acknowledged_carried_out_and_answered_also_after_it_broke() {
    let slack = Slack::new();
    let place = place(&[chat("one", "T1", &slack)]);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let link = slack.link("xapp-one", 0);
    let pause = slack.slash("T1", "e1", "1a", "pause checkout production --for 1h --reason database");
    link.says(pause.clone());
    link.acknowledges("e1", 1);
    let answer = slack.tells("1a");
    assert_eq!(answer["response_type"], "in_channel", "{answer}");
    assert!(shown(&answer).contains("is paused until"), "{answer}");
    assert!(place.ok(&["status"]).contains("by `olga`: database"));
    // What Slack sends again is acknowledged again, and done once.
    link.says(pause);
    link.acknowledges("e1", 2);
    // Of another team than those of the chat: refused for good, so it need not come again.
    link.says(slack.slash("T9", "e2", "2a", "resume all"));
    link.acknowledges("e2", 1);
    link.is_cut();
    let next = slack.link("xapp-one", 1);
    next.says(slack.slash("T1", "e3", "3a", "status checkout"));
    next.acknowledges("e3", 1);
    assert!(shown(&slack.tells("3a")).contains("is paused until"), "{:?}", slack.told("3a"));
    assert_eq!((slack.told("1a").len(), slack.told("2a").len()), (1, 0));
    for (result, times) in [("taken", 2.0), ("repeated", 1.0), ("wrong-team", 1.0)] {
        let name = format!("towpath_hooks_total{{source=\"chat\",result=\"{result}\"}}");
        assert_eq!(service.metric(&name), Some(times), "{name}");
    }
    let log = service.log().join("\n");
    assert!(!log.contains("xapp-") && !log.contains("ticket="), "{log}");
}

#[test]
fn the_connections_follow_the_config() {
    let slack = Slack::new();
    let [one, two] = [chat("one", "T1", &slack), chat("two", "T2", &slack)];
    let place = place(std::slice::from_ref(&one));
    let service = place.serve();
    let first = slack.link("xapp-one", 0);
    let reloads = |text: &str| {
        place.config(text);
        service.signal(Signal::HUP);
    };
    // A chat that is added is heard.
    reloads(&config(&[one.clone(), two.clone()]));
    let second = slack.link("xapp-two", 0);
    second.says(slack.slash("T2", "e1", "1a", "whoami"));
    second.acknowledges("e1", 1);
    assert!(shown(&slack.tells("1a")).contains("olga"), "{:?}", slack.told("1a"));
    // A token that was replaced in its file counts from the reload on, and nobody else's connection is touched.
    std::fs::write(place.path().join("app-one"), "xapp-new").unwrap();
    service.signal(Signal::HUP);
    let renewed = slack.link("xapp-new", 0);
    wait("the old one is closed", || first.is_closed());
    renewed.says(slack.slash("T1", "e2", "2a", "whoami"));
    renewed.acknowledges("e2", 1);
    slack.tells("2a");
    assert!(!second.is_closed() && slack.count("xapp-two") == 1);
    // A team that is added is listened to.
    reloads(&config(&[one.replace("\"T1\"", "\"T1\", \"T3\""), two]));
    let wider = slack.link("xapp-new", 1);
    wider.says(slack.slash("T3", "e3", "3a", "whoami"));
    slack.tells("3a");
    // One that is removed is closed, and not opened again.
    reloads(&config(&[one.replace("\"T1\"", "\"T1\", \"T3\"")]));
    wait("the removed one is closed", || second.is_closed());
    assert!(!wider.is_closed());
    // A reload that changes nothing of them leaves them alone.
    let before = service.log().iter().filter(|line| line.contains("nothing in it has changed")).count();
    service.signal(Signal::HUP);
    wait("another reload", || {
        service.log().iter().filter(|line| line.contains("nothing in it has changed")).count() > before
    });
    wider.says(slack.slash("T1", "e4", "4a", "whoami"));
    wider.acknowledges("e4", 1);
    slack.tells("4a");
    let counts = ["xapp-one", "xapp-two", "xapp-new"].map(|token| slack.count(token));
    assert_eq!(counts, [1, 1, 2]);
    assert!(!wider.is_closed());
}
