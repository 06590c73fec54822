//! The calls that we make to Mattermost: post, change, answer, and what has to be asked for them (the server's
//! OpenAPI, api/v4/source/posts.yaml, users.yaml, system.yaml).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use http::Method;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::escape::is_username;
use super::render::{Buttons, People, render, reply};
use super::trigger::TriggerKey;
use crate::chat::incoming::{AnswerAt, MessageAt, is_id};
use crate::chat::message::Message;
use crate::chat::sent::{Sent, Visible, below, client};
use crate::clock::Clock;
use crate::forge::client::{Answer, Auth, Call, Client, Fault, TokenPlace};

/// Sends to one server. Clones share everything.
#[derive(Debug, Clone)]
pub struct Mattermost {
    http: Client,
    server: Url,
    token: TokenPlace,
    /// What was said to be missing, which is said once.
    pub(super) missing: Arc<Mutex<BTreeSet<String>>>,
}

impl Mattermost {
    /// One that has called nothing yet. `token` is the bot's; it is read for each call.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(server: Url, token: TokenPlace, clock: Clock) -> Result<Self, Fault> {
        Ok(Self { http: client(clock)?, server, token, missing: Arc::default() })
    }

    /// The server's own address.
    pub const fn server(&self) -> &Url {
        &self.server
    }

    /// Posts to a channel, by its id.
    pub async fn post(
        &self,
        channel: &str,
        message: &Message,
        people: &People,
        buttons: Option<Buttons<'_>>,
    ) -> Sent {
        sent(self.posted(channel, message, people, buttons).await, false)
    }

    /// The same, with the fault where it was not taken.
    pub(super) async fn posted(
        &self,
        channel: &str,
        message: &Message,
        people: &People,
        buttons: Option<Buttons<'_>>,
    ) -> Result<Answer, Fault> {
        let mut body = post_of(message, people, buttons);
        body["channel_id"] = json!(channel);
        self.call("posts", Method::POST, "api/v4/posts", &body).await
    }

    /// Changes what stands there.
    pub async fn update(
        &self,
        at: &MessageAt,
        message: &Message,
        people: &People,
        buttons: Option<Buttons<'_>>,
    ) -> Sent {
        if !is_id(&at.id) {
            return Sent::Gone;
        }
        let path = format!("api/v4/posts/{}/patch", at.id);
        sent(self.call("posts.patch", Method::PUT, &path, &post_of(message, people, buttons)).await, true)
    }

    /// Answers a slash command.
    pub async fn respond(
        &self,
        at: &AnswerAt,
        visible: Visible,
        message: &Message,
        people: &People,
        buttons: Option<Buttons<'_>>,
    ) -> Sent {
        // It may come from a store: it is called only if it would be taken today.
        let url = AnswerAt::mattermost(at.expose(), &self.server).ok().and_then(|at| Url::parse(at.expose()).ok());
        let Some(url) = url else {
            return Sent::Never { words: "the address for the answer is not below `url`".to_owned() };
        };
        let body = reply(visible, message, people, buttons);
        // The address is a secret, and the answer may quote it.
        let call = Call::act("mattermost.response_url", Method::POST, url, &body).resource("response_url").quiet();
        match self.http.send(&call, &Auth::none()).await {
            Ok(_) => Sent::Answered,
            // Used five times, or 30 minutes old: `api.command_webhooks` of the server.
            Err(Fault::Said { status: 400 | 404 | 410, .. }) => Sent::Gone,
            Err(fault) => Sent::from_fault(&fault),
        }
    }

    /// The name by which a person is called; none if there is no such person, or no usable name.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn username(&self, id: &str) -> Result<Option<String>, Fault> {
        #[derive(Deserialize)]
        struct User {
            id: String,
            username: String,
            #[serde(default)]
            delete_at: i64,
        }
        if !is_id(id) {
            return Ok(None);
        }
        let call = Call::get("mattermost.users", below(&self.server, &format!("api/v4/users/{id}"))?);
        let user: User = match self.http.send(&call, &self.auth()?).await {
            Ok(answer) => answer.json()?,
            Err(Fault::Said { status: 404, .. }) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        Ok(Some(user)
            .filter(|user| user.id == id && user.delete_at == 0)
            .map(|user| user.username)
            .filter(|name| is_username(name)))
    }

    /// The key with which triggers are signed; none if the server tells none that can be used.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn trigger_key(&self) -> Result<Option<TriggerKey>, Fault> {
        #[derive(Deserialize)]
        struct Config {
            #[serde(default, rename = "AsymmetricSigningPublicKey")]
            key: String,
        }
        let url = below(&self.server, "api/v4/config/client?format=old")?;
        let config: Config = self.http.send(&Call::get("mattermost.config", url), &Auth::none()).await?.json()?;
        Ok(TriggerKey::read(&config.key))
    }

    pub(super) const fn token(&self) -> &TokenPlace {
        &self.token
    }

    pub(super) const fn http(&self) -> &Client {
        &self.http
    }

    pub(super) fn auth(&self) -> Result<Auth, Fault> {
        self.token.auth("mattermost", "Bearer")
    }

    pub(super) async fn call(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Fault> {
        let url = below(&self.server, path)?;
        self.http.send(&Call::act(operation, method, url, body), &self.auth()?).await
    }
}

/// What came of a post; `changes` where it was one that stood there.
pub(super) fn sent(answered: Result<Answer, Fault>, changes: bool) -> Sent {
    match answered {
        Ok(answer) => meaning(answer.body()),
        Err(fault) => refused(&fault, changes),
    }
}

/// What came of a post that was not taken.
fn refused(fault: &Fault, changes: bool) -> Sent {
    match fault {
        // Deleted, too old to be edited, or not ours to edit: posting anew says what is really the matter.
        Fault::Said { status: 400 | 403 | 404 | 410, .. } if changes => Sent::Gone,
        Fault::Said { status: 401, .. } => {
            Sent::Never { words: "the server does not know the bot's token; was it revoked?".to_owned() }
        }
        Fault::Said { status: 403, words } => Sent::Never {
            words: format!("the bot may not post there; add it to the team and the channel: {words}"),
        },
        fault => Sent::from_fault(fault),
    }
}

/// What the body of an answer that says yes means.
fn meaning(body: &[u8]) -> Sent {
    #[derive(Deserialize)]
    struct Post {
        id: String,
        channel_id: String,
    }
    match serde_json::from_slice::<Post>(body) {
        Ok(post) if is_id(&post.id) && is_id(&post.channel_id) => {
            Sent::Posted(MessageAt { channel: post.channel_id, id: post.id })
        }
        _ => Sent::Later {
            after: None,
            words: "the server's answer cannot be read; does a proxy answer there?".to_owned(),
        },
    }
}

/// The message as a post, in which an attachment is a property.
fn post_of(message: &Message, people: &People, buttons: Option<Buttons<'_>>) -> Value {
    let mut body = render(message, people, buttons);
    json!({ "message": body["text"].take(), "props": { "attachments": body["attachments"].take() } })
}
