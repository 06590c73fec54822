//! Socket Mode: Slack's requests over a connection that we open, for a Towpath that nobody reaches from outside
//! (docs.slack.dev/apis/events-api/using-socket-mode).
//!
//! `apps.connections.open` gives the address of a WebSocket. Each envelope that comes through it is acknowledged
//! after it was taken for good, so one that a crash swallowed comes again; what comes twice has the same
//! [`Incoming::once`](crate::chat::incoming::Incoming::once). Slack asks for another connection every few hours
//! (`disconnect`): that is opened first, and the old one heard until then. A connection that is lost is opened again, after
//! a pause that grows.
//!
//! The address holds a ticket: it is neither logged nor kept. The connection is made by reqwest, so that proxies and
//! certificates are those of every other call.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, StatusCode};
use reqwest::{Upgraded, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message as Frame, Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;
use towpath_core::text::one_line;

use super::answers::socket_url;
use super::api::{Slack, act};
use super::read::{Place, read_socket};
use crate::chat::incoming::{BODY_MAX, Incoming, Refused};
use crate::chat::sent::{Sent, below};
use crate::forge::client::TokenPlace;

/// The method that gives the address.
const OPEN: &str = "apps.connections.open";

type Stream = WebSocketStream<Upgraded>;

/// How long it waits for what.
#[derive(Debug, Clone, Copy)]
pub struct Pauses {
    /// Before the second try to connect; each further one is twice as long.
    pub first: Duration,
    /// The longest between two tries; a connection that held so long is replaced at once.
    pub most: Duration,
    /// Without a word for so long Slack is asked whether it is there; without one for as long again it is not.
    pub silence: Duration,
    /// For making a connection.
    pub connect: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_secs(60),
            silence: Duration::from_secs(30),
            connect: Duration::from_secs(10),
        }
    }
}

/// A client of Socket Mode.
#[derive(Debug)]
pub struct Socket {
    slack: Slack,
    /// The app's token (`xapp-…`, scope `connections:write`).
    token: TokenPlace,
    teams: Vec<String>,
    pauses: Pauses,
    http: reqwest::Client,
}

/// What Slack is told of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Nothing: it is not durable, and has to come again.
    Nothing,
    /// That it was taken.
    Taken,
    /// That it was taken, with this for the person, where Slack takes that (of slash commands).
    Words(Value),
}

/// Why a connection is not there (any more).
#[derive(Debug)]
enum Ended {
    /// We were told to stop.
    Stopped,
    /// Slack asked for another one, which is there.
    Followed(Box<Stream>),
    /// It is gone, or was never made.
    Lost { words: String, after: Option<Duration> },
    /// Slack will give none until somebody mends something.
    Refused { words: String },
}

fn lost(words: impl Into<String>) -> Ended {
    Ended::Lost { words: words.into(), after: None }
}

/// An envelope, or one of Slack's own words about the connection.
#[derive(Debug, Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    envelope_id: Option<String>,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    accepts_response_payload: bool,
    reason: Option<String>,
}

impl Socket {
    /// One that has connected nowhere yet.
    ///
    /// # Errors
    /// A sentence, if TLS cannot be set up.
    pub fn new(slack: Slack, token: TokenPlace, teams: Vec<String>, pauses: Pauses) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("towpath/", env!("CARGO_PKG_VERSION")))
            // A WebSocket begins as HTTP/1.1.
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(pauses.connect)
            .referer(false)
            .build()
            .map_err(|error| format!("TLS cannot be set up: {}", one_line(&error.to_string(), 300)))?;
        Ok(Self { slack, token, teams, pauses, http })
    }

    /// Takes what Slack sends, until it is told to stop. `take` gets each request, or why one was refused, and says
    /// what Slack is told: of one that was refused always that it was taken. It has to return within three
    /// seconds, or Slack tells the person that nobody answered. It is never given up half way.
    pub async fn run<T, Taking>(&self, take: T, stop: &CancellationToken)
    where
        T: Fn(Result<Incoming, Refused>) -> Taking + Sync,
        Taking: Future<Output = Told> + Send,
    {
        let mut pause = self.pauses.first;
        let mut follows = None;
        while !stop.is_cancelled() {
            let mut held = Held { begun: Instant::now(), asked: None };
            let opened = match follows.take() {
                Some(stream) => Ok(stream),
                None => self.connect(stop).await.map(Box::new),
            };
            let ended = match opened {
                Ok(mut stream) => self.session(&mut stream, &take, (&mut held, pause), stop).await,
                Err(ended) => ended,
            };
            // One that held for a while was a good one. What ends as soon as it has begun would else be opened in a
            // circle, and Slack lets few be opened a minute.
            let held = held.long(self.pauses.most);
            if held {
                pause = self.pauses.first;
            }
            let wait = match ended {
                Ended::Stopped => return,
                Ended::Followed(stream) => {
                    follows = Some(stream);
                    if !held {
                        pause = pause.saturating_mul(2).min(self.pauses.most);
                    }
                    continue;
                }
                Ended::Lost { words, after } => {
                    tracing::warn!(words, "the connection to Slack is lost; it is opened again");
                    after.unwrap_or_default().max(pause)
                }
                Ended::Refused { words } => {
                    tracing::error!(words, "Slack gives no connection; somebody has to mend that");
                    self.pauses.most
                }
            };
            pause = pause.saturating_mul(2).min(self.pauses.most);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Another connection beside one that Slack is about to close, after a pause: tried again and again until there is
    /// one, or Slack gives none.
    async fn follow(&self, wait: Duration) -> Result<Stream, Ended> {
        let (mut wait, mut pause) = (wait, wait.max(self.pauses.first));
        loop {
            tokio::time::sleep(wait).await;
            match self.make().await {
                Err(Ended::Lost { words, after }) => {
                    tracing::warn!(words, "the next connection to Slack cannot be opened yet");
                    pause = pause.saturating_mul(2).min(self.pauses.most);
                    wait = after.unwrap_or_default().max(pause);
                }
                made => return made,
            }
        }
    }

    async fn connect(&self, stop: &CancellationToken) -> Result<Stream, Ended> {
        tokio::select! {
            () = stop.cancelled() => Err(Ended::Stopped),
            made = self.make() => made,
        }
    }

    /// Asks for an address and connects to it.
    async fn make(&self) -> Result<Stream, Ended> {
        let url = self.ask().await.map_err(|sent| match sent {
            Sent::Never { words } => Ended::Refused { words },
            Sent::Later { after, words } => {
                let after = after.map(|span| Duration::from_millis(span.ms().unsigned_abs()));
                Ended::Lost { words, after }
            }
            other => lost(format!("{other:?}")),
        })?;
        let url =
            address(&url, self.slack.api()).ok_or_else(|| lost("the address of the socket is not Slack's"))?;
        tokio::time::timeout(self.pauses.connect, self.upgrade(url))
            .await
            .unwrap_or_else(|_| Err(lost("no answer")))
    }

    async fn ask(&self) -> Result<String, Sent> {
        let fault = |fault| Sent::from_fault(&fault);
        let url = below(self.slack.api(), OPEN).map_err(fault)?;
        let auth = self.token.auth("slack-app", "Bearer").map_err(fault)?;
        let answer = self.slack.http().send(&act(OPEN, url, &json!({})).quiet(), &auth).await.map_err(fault)?;
        socket_url(answer.body())
    }

    /// The handshake of RFC 6455, section 4.1.
    async fn upgrade(&self, url: Url) -> Result<Stream, Ended> {
        let key = generate_key();
        let request = self
            .http
            .get(url)
            .header(CONNECTION, HeaderValue::from_static("Upgrade"))
            .header(UPGRADE, HeaderValue::from_static("websocket"))
            .header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
            .header(SEC_WEBSOCKET_KEY, &key);
        // Without its address: that holds the ticket.
        let words = |error: reqwest::Error| lost(one_line(&error.without_url().to_string(), 300));
        let response = request.send().await.map_err(words)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(lost(format!("the socket answered {}", response.status().as_u16())));
        }
        let wanted = derive_accept_key(key.as_bytes());
        if response.headers().get(SEC_WEBSOCKET_ACCEPT).is_none_or(|value| value.as_bytes() != wanted.as_bytes()) {
            return Err(lost("what answers is no WebSocket"));
        }
        let upgraded = response.upgrade().await.map_err(words)?;
        let config =
            WebSocketConfig::default().max_message_size(Some(2 * BODY_MAX)).max_frame_size(Some(2 * BODY_MAX));
        Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
    }

    /// One connection, from its first word to its last. Where Slack asks for another one, what still comes by this one is
    /// taken until the other is there; `pause` is before it is opened, unless this one held for long.
    async fn session<T, Taking>(
        &self,
        stream: &mut Stream,
        take: &T,
        (held, pause): (&mut Held, Duration),
        stop: &CancellationToken,
    ) -> Ended
    where
        T: Fn(Result<Incoming, Refused>) -> Taking + Sync,
        Taking: Future<Output = Told> + Send,
    {
        let mut asked = false;
        let mut following: Option<Following<'_>> = None;
        loop {
            let frame = tokio::select! {
                biased;
                ended = next(&mut following, stop) => {
                    self.part(stream).await;
                    return ended;
                }
                frame = self.frame(stream, &mut asked) => frame,
            };
            let text = match frame {
                Ok(Frame::Text(text)) => text,
                // It went, as was said: the other one is on its way.
                Ok(Frame::Close(_)) | Err(_) if following.is_some() => return next(&mut following, stop).await,
                Ok(Frame::Close(_)) => return lost("Slack closed it"),
                // Pings are answered by the library.
                Ok(_) => continue,
                Err(ended) => return ended,
            };
            let Ok(envelope) = serde_json::from_str::<Envelope>(&text) else {
                tracing::debug!(bytes = text.len(), "a frame of Slack's cannot be read");
                continue;
            };
            match envelope.kind.as_str() {
                "hello" => tracing::info!("Slack is connected"),
                "disconnect" => {
                    if let Some(ended) = disconnected(envelope.reason.as_deref()) {
                        return ended;
                    }
                    if following.is_none() {
                        held.asked = Some(Instant::now());
                        let wait = if held.long(self.pauses.most) { Duration::ZERO } else { pause };
                        following = Some(Box::pin(self.follow(wait)));
                    }
                }
                _ => {
                    if let Some(ended) = self.envelope(stream, envelope, take).await {
                        return ended;
                    }
                }
            }
        }
    }

    /// Closes it. Politeness: whether it arrives or not, it is not listened to any more.
    async fn part(&self, stream: &mut Stream) {
        let _ = tokio::time::timeout(self.pauses.first, stream.close(None)).await;
    }

    /// The next frame. What is silent for too long is `asked` whether it is there. It may be given up at any time.
    async fn frame(&self, stream: &mut Stream, asked: &mut bool) -> Result<Frame, Ended> {
        loop {
            match tokio::time::timeout(self.pauses.silence, stream.next()).await {
                Ok(Some(Ok(frame))) => {
                    *asked = false;
                    return Ok(frame);
                }
                Ok(Some(Err(error))) => return Err(lost(one_line(&error.to_string(), 300))),
                Ok(None) => return Err(lost("it was closed")),
                Err(_) if *asked => return Err(lost("it is silent")),
                Err(_) => {
                    *asked = true;
                    if stream.send(Frame::Ping(Vec::new().into())).await.is_err() {
                        return Err(lost("it was closed"));
                    }
                }
            }
        }
    }

    /// Takes what is in an envelope, then acknowledges it.
    async fn envelope<T, Taking>(&self, stream: &mut Stream, envelope: Envelope, take: &T) -> Option<Ended>
    where
        T: Fn(Result<Incoming, Refused>) -> Taking + Sync,
        Taking: Future<Output = Told> + Send,
    {
        let accepts = envelope.accepts_response_payload;
        let id = envelope.envelope_id.filter(|id| !id.is_empty() && id.len() <= 200)?;
        let place = Place { teams: &self.teams, api: self.slack.api() };
        let read = read_socket(&envelope.kind, envelope.payload, place);
        // What is refused is refused for good: it need not come again.
        let refused = read.is_err();
        let told = match take(read).await {
            Told::Nothing if !refused => {
                tracing::warn!("a request of Slack's could not be stored; Slack is not told that it was taken");
                return None;
            }
            Told::Words(payload) if accepts => json!({ "envelope_id": id, "payload": payload }),
            _ => json!({ "envelope_id": id }),
        };
        let acknowledged = Frame::text(told.to_string());
        stream.send(acknowledged).await.err().map(|error| lost(one_line(&error.to_string(), 300)))
    }
}

/// Another connection that is being opened.
type Following<'s> = Pin<Box<dyn Future<Output = Result<Stream, Ended>> + Send + 's>>;

/// Why the connection is to be left: we are told to stop, or what is being opened is there, or never will be.
async fn next(following: &mut Option<Following<'_>>, stop: &CancellationToken) -> Ended {
    let followed = async {
        match following {
            Some(following) => following.await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => Ended::Stopped,
        followed = followed => followed.map_or_else(|ended| ended, |stream| Ended::Followed(Box::new(stream))),
    }
}

/// How it ends, if Slack's `disconnect` ends it; else another one is to be opened, and this one goes on for as long as
/// Slack lets it.
fn disconnected(reason: Option<&str>) -> Option<Ended> {
    match reason {
        Some("link_disabled") => Some(Ended::Refused {
            words: "Socket Mode is switched off for the app; switch it on in its settings".to_owned(),
        }),
        // `warning` (soon), `refresh_requested` (now), and whatever else there may be.
        _ => None,
    }
}

/// How long a connection held, for which it does not count how long another one took to be opened.
struct Held {
    begun: Instant,
    /// When Slack asked for another one.
    asked: Option<Instant>,
}

impl Held {
    fn long(&self, most: Duration) -> bool {
        self.asked.unwrap_or_else(Instant::now).saturating_duration_since(self.begun) >= most
    }
}

/// Where to connect to: a host of Slack's over TLS, or where the API is that was configured (tests).
fn address(url: &str, api: &Url) -> Option<Url> {
    let text = match url.split_once("://")? {
        ("wss", rest) => format!("https://{rest}"),
        ("ws", rest) => format!("http://{rest}"),
        _ => return None,
    };
    let url = Url::parse(&text).ok()?;
    let host = url.host_str()?;
    let slacks = url.scheme() == "https" && (host.ends_with(".slack.com") || host.ends_with(".slack-gov.com"));
    let plain = url.username().is_empty() && url.password().is_none();
    (plain && (slacks || url.origin() == api.origin())).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_opened_at_slack_only() {
        let api = Url::parse(Slack::API).unwrap();
        for (url, there) in [
            ("wss://wss-primary.slack.com/link/?ticket=1&app_id=2", true),
            ("wss://wss.slack-gov.com/link/?ticket=1", true),
            ("ws://wss-primary.slack.com/link", false),
            ("https://wss-primary.slack.com/link", false),
            ("wss://slack.com.evil.example/", false),
            ("wss://evilslack.com/", false),
            ("wss://x@wss.slack.com/", false),
            ("wss://169.254.169.254/", false),
            ("", false),
        ] {
            assert_eq!(address(url, &api).is_some(), there, "{url}");
        }
        let local = Url::parse("http://127.0.0.1:80/api/").unwrap();
        assert!(address("ws://127.0.0.1:80/x", &local).is_some());
        assert!(address("ws://127.0.0.1:81/x", &local).is_none());
    }
}
