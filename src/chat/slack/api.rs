//! The calls that we make to Slack: post, change, answer (docs.slack.dev: reference/methods/chat.postMessage,
//! chat.update; "Handling user interaction", message responses by `response_url`).

use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use reqwest::Url;
use serde_json::{Value, json};

use crate::chat::incoming::{AnswerAt, MessageAt};
use crate::chat::message::Message;
use crate::chat::sent::{Sent, Visible, below, client};
use crate::chat::slack::answers::{Wanted, meaning};
use crate::chat::slack::render::render;
use crate::clock::Clock;
use crate::forge::client::{Auth, Call, Client, Fault, TokenPlace};

/// Sends to one Slack. Clones share everything.
#[derive(Debug, Clone)]
pub struct Slack {
    http: Client,
    api: Url,
    token: TokenPlace,
}

impl Slack {
    /// Where the API is, but for tests and `slack-gov.com`.
    pub const API: &str = "https://slack.com/api/";

    /// One that has called nothing yet. `token` is the bot's (`xoxb-…`); it is read for each call.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(api: Url, token: TokenPlace, clock: Clock) -> Result<Self, Fault> {
        Ok(Self { http: client(clock)?, api, token })
    }

    /// Where the API is.
    pub const fn api(&self) -> &Url {
        &self.api
    }

    /// Posts to a channel, by its id.
    pub async fn post(&self, channel: &str, message: &Message) -> Sent {
        let mut body = render(message);
        body["channel"] = json!(channel);
        // Nothing of `text` is looked through for names and addresses, and no address is shown as a card.
        body["mrkdwn"] = json!(false);
        body["parse"] = json!("none");
        body["link_names"] = json!(false);
        body["unfurl_links"] = json!(false);
        body["unfurl_media"] = json!(false);
        self.call("chat.postMessage", Wanted::Post, &body).await
    }

    /// Says something to one person in a channel (docs.slack.dev/reference/methods/chat.postEphemeral).
    pub async fn whisper(&self, channel: &str, user: &str, message: &Message) -> Sent {
        let mut body = render(message);
        body["channel"] = json!(channel);
        body["user"] = json!(user);
        body["parse"] = json!("none");
        body["link_names"] = json!(false);
        self.call("chat.postEphemeral", Wanted::Whisper, &body).await
    }

    /// Changes what stands there.
    pub async fn update(&self, at: &MessageAt, message: &Message) -> Sent {
        let mut body = render(message);
        body["channel"] = json!(at.channel);
        body["ts"] = json!(at.id);
        body["parse"] = json!("none");
        body["link_names"] = json!(false);
        self.call("chat.update", Wanted::Update, &body).await
    }

    /// Answers a command or a button; five times within 30 minutes, then it is [`Sent::Gone`]. `replace` changes
    /// the message whose button was pressed.
    pub async fn respond(&self, at: &AnswerAt, visible: Visible, replace: bool, message: &Message) -> Sent {
        let mut body = reply(visible, message);
        body["replace_original"] = json!(replace);
        // It may come from a store: it is called only if it would be taken today.
        let url = AnswerAt::slack(at.expose(), &self.api).ok().and_then(|at| Url::parse(at.expose()).ok());
        let Some(url) = url else {
            return Sent::Never { words: "the address for the answer is not Slack's".to_owned() };
        };
        // The address is a secret, and the answer may quote it.
        let call = Call::act("slack.response_url", Method::POST, url, &body).resource("response_url").quiet();
        match self.http.send(&call, &Auth::none()).await {
            Ok(_) => Sent::Answered,
            // `used_url`, `expired_url`.
            Err(Fault::Said { status: 404 | 410, .. }) => Sent::Gone,
            Err(fault) => Sent::from_fault(&fault),
        }
    }

    async fn call(&self, method: &'static str, wanted: Wanted, body: &Value) -> Sent {
        let call = match below(&self.api, method) {
            Ok(url) => act(method, url, body),
            Err(fault) => return Sent::from_fault(&fault),
        };
        let auth = match self.token.auth("slack", "Bearer") {
            Ok(auth) => auth,
            Err(fault) => return Sent::from_fault(&fault),
        };
        match self.http.send(&call, &auth).await {
            Ok(answer) => meaning(wanted, answer.body()),
            Err(fault) => Sent::from_fault(&fault),
        }
    }

    pub(super) const fn token(&self) -> &TokenPlace {
        &self.token
    }

    pub(super) const fn http(&self) -> &Client {
        &self.http
    }
}

/// The body of the answer to a command: in the response itself, or at its address.
pub fn reply(visible: Visible, message: &Message) -> Value {
    let mut body = render(message);
    body["response_type"] = json!(visible.word());
    body
}

/// A call of a method. Slack counts each method apart, and wants to be told the charset.
pub(super) fn act(method: &'static str, url: Url, body: &Value) -> Call {
    Call::act(method, Method::POST, url, body)
        .resource(method)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
}
