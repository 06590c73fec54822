//! The chat systems of a config, ready to be talked with: what proves a request, and where an answer goes.
//!
//! Not here: what is answered, and when (`serve`).

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use http::HeaderMap;
use reqwest::Url;
use serde_json::Value;
use towpath_core::model::Instant;
use towpath_core::people::Platform;

use super::incoming::{Incoming, MessageAt, Refused, What};
use super::look::{Found, Rooms};
use super::mattermost::{self, Buttons, Keys, Mattermost, OfButtons, People};
use super::message::Message;
use super::sent::{Sent, Visible};
use super::slack::socket::{Pauses, Socket};
use super::slack::{self, Read, Slack};
use crate::clock::Clock;
use crate::config::{Chat, SecretRef};
use crate::forge::client::TokenPlace;
use crate::secret::Secret;

/// For how long user names are asked for before a message goes out with the names that are known.
const NAMES_MAX: Duration = Duration::from_secs(5);

/// How long `doctor` asks one chat in all: two questions that nobody answers, and a little.
const LOOK_MAX: Duration = Duration::from_secs(25);

/// Every `[chat.NAME]`, by name, or why there is none.
#[derive(Debug, Default)]
pub struct Systems(BTreeMap<String, Result<System, String>>);

/// One of them.
#[derive(Debug)]
pub struct System {
    /// As it is configured.
    pub config: Chat,
    wire: Wire,
    clock: Clock,
    /// Where the platform reaches us, for buttons.
    buttons_at: Option<String>,
}

#[derive(Debug)]
enum Wire {
    Slack(Slack),
    Mattermost(Mattermost, Keys),
}

/// What came over HTTP.
#[derive(Debug)]
pub enum Heard {
    /// The platform looks whether somebody is there.
    Probe,
    /// Somebody did something.
    Asked(Box<Incoming>),
}

impl Systems {
    /// Those of a config. `base` is where people reach us, for buttons.
    pub fn new(chats: &[Chat], base: Option<&str>, clock: &Clock) -> Self {
        Self(chats.iter().map(|chat| (chat.name.clone(), System::new(chat, base, clock))).collect())
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&System> {
        self.0.get(name).and_then(|made| made.as_ref().ok())
    }

    /// Why the one of that name cannot be used, if so.
    pub fn fault(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|made| made.as_ref().err()).map(String::as_str)
    }

    /// All that can be used.
    pub fn all(&self) -> impl Iterator<Item = &System> {
        self.0.values().filter_map(|made| made.as_ref().ok())
    }
}

/// Those secrets that can be read; the log says which cannot.
fn secrets(places: &[SecretRef]) -> Vec<Secret> {
    let read = |place| {
        Secret::read(place).inspect_err(|error| tracing::warn!(%error, "a secret of a chat cannot be read"))
    };
    places.iter().filter_map(|place| read(place).ok()).collect()
}

impl System {
    fn new(chat: &Chat, base: Option<&str>, clock: &Clock) -> Result<Self, String> {
        let url = |text: &str| Url::parse(&format!("{text}/")).map_err(|error| error.to_string());
        let token = chat.token.clone().into();
        let wire = match chat.platform {
            Platform::Mattermost => {
                let server = Mattermost::new(url(&chat.url)?, token, clock.clone());
                Wire::Mattermost(server.map_err(|fault| fault.to_string())?, Keys::default())
            }
            _ => Wire::Slack(Slack::new(url(&chat.url)?, token, clock.clone()).map_err(|fault| fault.to_string())?),
        };
        let buttons_at = base.map(|base| format!("{base}/chat/{}/press", chat.name));
        Ok(Self { config: chat.clone(), wire, clock: clock.clone(), buttons_at })
    }

    fn wall(&self) -> Instant {
        self.clock.reading().wall
    }

    /// Whether anything like a proof came with a request: of what has none nothing of the body is read.
    pub fn may_be_proven(&self, headers: &HeaderMap) -> Result<(), Refused> {
        match &self.wire {
            Wire::Slack(_) => slack::Signature::read(headers, self.wall()).map(drop),
            // Its token may stand in the body alone.
            Wire::Mattermost(..) => Ok(()),
        }
    }

    /// Reads what came, once it is proven. `pressed` says to which address: Slack has one for both.
    ///
    /// # Errors
    /// Why it is not taken.
    pub async fn read(&self, headers: &HeaderMap, body: &[u8], pressed: bool) -> Result<Heard, Refused> {
        let teams = &self.config.teams;
        let proofs = secrets(&self.config.secrets);
        let incoming = match &self.wire {
            Wire::Slack(slack) => {
                slack::Signature::read(headers, self.wall())?.verify(&proofs, body)?;
                match slack::read(body, slack::Place { teams, api: slack.api() })? {
                    Read::Probe => return Ok(Heard::Probe),
                    Read::Incoming(incoming) => incoming,
                }
            }
            Wire::Mattermost(server, keys) => {
                let seals = secrets(&self.config.button_secrets);
                let place = mattermost::Place { teams, server: server.server(), tokens: &proofs, seals: &seals };
                let claim = match pressed {
                    true => mattermost::pressed(body, place, self.wall())?,
                    false => mattermost::typed(headers, body, place, self.wall())?,
                };
                // Only now: nothing is asked for whoever has neither a token nor a seal of ours.
                let key = keys.for_trigger(server, claim.word()).await;
                claim.judged(key.as_ref())?
            }
        };
        Ok(Heard::Asked(Box::new(incoming)))
    }

    /// The client of Socket Mode, if it is configured.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn socket(&self) -> Option<Result<Socket, String>> {
        let Wire::Slack(slack) = &self.wire else { return None };
        let token = self.config.app_token.clone()?;
        Some(Socket::new(slack.clone(), Some(token).into(), self.config.teams.clone(), Pauses::default()))
    }

    /// The body of a response that says something to the person at once; none where the platform shows none.
    pub fn at_once(&self, what: &What, message: &Message) -> Option<Value> {
        let nobody = People::new();
        match (&self.wire, what) {
            (Wire::Slack(_), What::Said(_) | What::Typed(_)) => Some(slack::reply(Visible::Person, message)),
            (Wire::Slack(_), What::Pressed(_)) => None,
            (Wire::Mattermost(..), What::Said(_) | What::Typed(_)) => {
                Some(mattermost::reply(Visible::Person, message, &nobody, None))
            }
            (Wire::Mattermost(..), What::Pressed(_)) => Some(mattermost::ephemeral(Some(message), &nobody)),
        }
    }

    /// Whether the answer to this may be given in the response itself, by what [`System::at_once`] makes of it: to a button
    /// of Mattermost's, which has no address for answers.
    pub fn answers_in_response(&self, asked: &Incoming) -> bool {
        matches!((&self.wire, &asked.what), (Wire::Mattermost(..), What::Pressed(_)))
    }

    /// What is in the way of this chat, for `doctor`; of one that does not end what was found so far. Nothing is changed
    /// there.
    pub async fn look(&self, rooms: &Rooms) -> Vec<Found> {
        let mut found = Vec::new();
        for place in self.config.secrets.iter().chain(&self.config.button_secrets) {
            if let Err(error) = Secret::read(place) {
                found.push(Found::stops(error.to_string(), "put it where the config says"));
            }
        }
        let teams = &self.config.teams;
        let looked = async {
            match &self.wire {
                Wire::Slack(slack) => {
                    let app = self.config.app_token.clone().map(TokenPlace::At);
                    slack.look(teams, app, rooms, &mut found).await;
                }
                Wire::Mattermost(server, _) => {
                    let sealed = !self.config.button_secrets.is_empty();
                    let buttons = OfButtons { sealed, reached: self.buttons_at.is_some() };
                    server.look(teams, buttons, rooms, &mut found).await;
                }
            }
        };
        if tokio::time::timeout(LOOK_MAX, looked).await.is_err() {
            let what = format!(
                "it took longer than {} seconds to be asked, and was not asked for all",
                LOOK_MAX.as_secs()
            );
            found.push(Found::stops(what, "see that `url` is right and what is slow on the way, and ask again"));
        }
        found
    }

    /// Posts to a channel, by its id.
    pub async fn post(&self, channel: &str, message: &Message) -> Sent {
        match &self.wire {
            Wire::Slack(slack) => slack.post(channel, message).await,
            Wire::Mattermost(server, _) => {
                let (people, seals) = (usernames(server, message).await, secrets(&self.config.button_secrets));
                server.post(channel, message, &people, self.buttons(&seals, channel)).await
            }
        }
    }

    /// Changes a message of ours.
    pub async fn update(&self, at: &MessageAt, message: &Message) -> Sent {
        match &self.wire {
            Wire::Slack(slack) => slack.update(at, message).await,
            Wire::Mattermost(server, _) => {
                let (people, seals) = (usernames(server, message).await, secrets(&self.config.button_secrets));
                server.update(at, message, &people, self.buttons(&seals, &at.channel)).await
            }
        }
    }

    /// Whether messages have buttons there.
    pub fn has_buttons(&self) -> bool {
        match &self.wire {
            Wire::Slack(_) => true,
            Wire::Mattermost(..) => self.buttons(&secrets(&self.config.button_secrets), "").is_some(),
        }
    }

    /// What buttons of a message to that channel need; none where nobody could press them.
    fn buttons<'a>(&'a self, seals: &'a [Secret], channel: &'a str) -> Option<Buttons<'a>> {
        let (url, secret) = self.buttons_at.as_deref().zip(seals.first())?;
        Some(Buttons { url, secret, channel, wall: self.wall() })
    }

    /// Answers somebody where they asked. Where the platform's own address for that is over, or there is none, what
    /// concerns everybody is posted to the channel, and anything else is said to the person alone, as is what Mattermost
    /// does not let us post there. `replace` puts it in the place of the message whose button was pressed, where the
    /// platform can.
    pub async fn answer(&self, asked: &Incoming, visible: Visible, replace: bool, message: &Message) -> Sent {
        let (channel, user) = (asked.channel.as_str(), asked.user.as_str());
        match &self.wire {
            Wire::Slack(slack) => {
                let sent = match &asked.answer_at {
                    Some(at) => slack.respond(at, visible, replace, message).await,
                    None => Sent::Gone,
                };
                match (sent, visible) {
                    (Sent::Gone, Visible::Channel) => slack.post(channel, message).await,
                    (Sent::Gone, Visible::Person) => slack.whisper(channel, user, message).await,
                    (sent, _) => sent,
                }
            }
            Wire::Mattermost(server, _) => {
                let seals = secrets(&self.config.button_secrets);
                let buttons = self.buttons(&seals, channel);
                let people = People::new();
                let sent = match &asked.answer_at {
                    Some(at) => server.respond(at, visible, message, &people, buttons).await,
                    None => Sent::Gone,
                };
                let to = (asked.learns(), user);
                match (sent, visible) {
                    (Sent::Gone, Visible::Channel) => server.tell(to, message, &people, buttons).await,
                    (Sent::Gone, Visible::Person) => server.direct(to, message, &people, buttons).await,
                    (sent, _) => sent,
                }
            }
        }
    }
}

/// The user names of those whom a message calls, as far as the server tells them in time: who is not known is named.
async fn usernames(server: &Mattermost, message: &Message) -> People {
    let ask = async |id: &str| match server.username(id).await {
        Ok(name) => name.map(|name| (id.to_owned(), name)),
        Err(error) => {
            tracing::debug!(%error, "Mattermost does not tell a user's name");
            None
        }
    };
    let all = join_all(mattermost::people_of(message).into_iter().map(ask));
    tokio::time::timeout(NAMES_MAX, all).await.unwrap_or_default().into_iter().flatten().collect()
}
