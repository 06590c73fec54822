//! What one person is told of what they did: by a direct message of the bot.
//!
//! A bot may not post what only one person sees in a channel: that takes `create_post_ephemeral`, which is given to system
//! administrators (docs.mattermost.com/api/reference/create-post-ephemeral; github.com/mattermost/mattermost, issue
//! 33551). A direct message takes `create_direct_channel`, which every account has unless it was taken away
//! (api/v4/source/channels.yaml, `CreateDirectChannel`). Not here: answers in the response to a press (`serve::pressed`).

use std::sync::PoisonError;

use http::Method;
use serde::Deserialize;
use serde_json::json;
use towpath_core::text::one_line;

use super::api::{Mattermost, sent};
use super::render::{Buttons, People};
use crate::chat::incoming::is_id;
use crate::chat::message::{Message, Press};
use crate::chat::sent::{Sent, below};
use crate::forge::client::{Call, Fault};

/// How many things are said to be missing.
const MISSING_MAX: usize = 100;

#[derive(Debug, Deserialize)]
struct Id {
    id: String,
}

impl Mattermost {
    /// Tells everybody in a channel what somebody did; where the bot may not post there, whoever did it.
    pub async fn tell(
        &self,
        (channel, user): (&str, &str),
        message: &Message,
        people: &People,
        buttons: Option<Buttons<'_>>,
    ) -> Sent {
        let with = buttons.map(|buttons| Buttons { channel, ..buttons });
        let fault = match self.posted(channel, message, people, with).await {
            Err(fault @ Fault::Said { status: 403 | 404, .. }) => fault,
            other => return sent(other, false),
        };
        if self.is_news(channel) {
            let words = one_line(&fault.to_string(), 300);
            tracing::warn!(
                channel,
                words,
                "the bot may not post there, and whoever gives orders there is told by a direct message: add it to the \
                 team and the channel"
            );
        }
        self.direct((channel, user), message, people, buttons).await
    }

    /// Tells one person, who did something in a channel, by a direct message. Its buttons are good there, and what is
    /// done by them is told in the channel.
    pub async fn direct(
        &self,
        (channel, user): (&str, &str),
        message: &Message,
        people: &People,
        buttons: Option<Buttons<'_>>,
    ) -> Sent {
        let failed = |sent| match sent {
            Sent::Never { words } => Sent::Never { words: format!("a direct message: {words}") },
            Sent::Later { after, words } => Sent::Later { after, words: format!("a direct message: {words}") },
            other => other,
        };
        let to = match self.direct_channel(user).await {
            Ok(to) => to,
            Err(fault) => return failed(sent(Err(fault), false)),
        };
        let message = learns(message, channel, &to);
        let with = buttons.map(|buttons| Buttons { channel: &to, ..buttons });
        failed(sent(self.posted(&to, &message, people, with).await, false))
    }

    /// The channel of the bot and a person; it is made if there is none.
    async fn direct_channel(&self, user: &str) -> Result<String, Fault> {
        let call = Call::get("mattermost.me", below(self.server(), "api/v4/users/me")?);
        let me: Id = self.http().send(&call, &self.auth()?).await?.json()?;
        let body = json!([me.id, user]);
        let made: Id = self.call("channels.direct", Method::POST, "api/v4/channels/direct", &body).await?.json()?;
        match is_id(&made.id) {
            true => Ok(made.id),
            false => Err(Fault::Unreadable { words: "it is not as Mattermost describes it".to_owned() }),
        }
    }

    /// Whether that was not said before.
    fn is_news(&self, what: &str) -> bool {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.len() < MISSING_MAX && missing.insert(what.to_owned())
    }
}

/// The same, with the channel in what is to be confirmed, where it is shown elsewhere.
fn learns(message: &Message, channel: &str, shown_in: &str) -> Message {
    let mut message = message.clone();
    for button in &mut message.buttons {
        if let Press::Confirm { told, .. } = &mut button.press
            && channel != shown_in
        {
            *told = Some(channel.to_owned());
        }
    }
    message
}
