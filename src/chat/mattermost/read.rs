//! What the server tells us: a slash command, or a button that was pressed (developers.mattermost.com: "Custom slash
//! commands", "Interactive messages"; `tryExecuteCustomCommand` in server/channels/app/command.go,
//! `PostActionIntegrationRequest` in server/public/model/integration_action.go).

use http::HeaderMap;
use http::header::AUTHORIZATION;
use reqwest::Url;
use serde::Deserialize;
use towpath_core::model::Instant;
use towpath_core::people::Platform;

use super::seal::{Sealed, open};
use super::trigger::{Trigger, TriggerKey};
use crate::chat::form::Form;
use crate::chat::incoming::{
    AnswerAt, BODY_MAX, Incoming, MessageAt, Proof, Refused, Unproven, What, id, once, said, same_secret, user_name,
};
use crate::secret::Secret;

/// What is configured of a Mattermost.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The ids of the teams whose people are listened to.
    pub teams: &'a [String],
    /// The server's own address (`SiteURL`).
    pub server: &'a Url,
    /// The tokens of slash commands: each team has a command, and each command a token.
    pub tokens: &'a [Secret],
    /// What buttons are, or were, sealed with.
    pub seals: &'a [Secret],
}

/// Something that was read and is by a command of the server's or a button of ours; by whom is still to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    incoming: Incoming,
    /// The server's word, if it is for this user and this moment. Whether it is the server's, its key says.
    word: Result<Trigger, Refused>,
}

impl Claim {
    fn new(incoming: Incoming, trigger: &str, wall: Instant) -> Self {
        let word = Trigger::read(trigger);
        let word = word.and_then(|word| word.says(&incoming.user, wall).map(|()| word));
        Self { incoming, word }
    }

    /// The server's word, where it is worth a look at the key.
    pub fn word(&self) -> Option<&Trigger> {
        self.word.as_ref().ok()
    }

    /// What it is with this key, or with none. Look at [`Incoming::proof`]: it says whether the person is known. What was
    /// typed is taken without that, for whoever only asks.
    ///
    /// # Errors
    /// Why a button is not taken.
    pub fn judged(self, key: Option<&TriggerKey>) -> Result<Incoming, Refused> {
        let Self { incoming, word } = self;
        let typed = matches!(incoming.what, What::Said(_));
        let fits =
            |key: &TriggerKey| word.and_then(|word| if key.signed(&word) { Ok(()) } else { Err(Refused::Forged) });
        let proof = match (key.map(fits), typed) {
            (Some(Ok(())), _) => Proof::Trigger,
            (Some(Err(why)), false) => return Err(why),
            (None, false) => Proof::Nobody,
            (None, true) => Proof::Token(Unproven::NoKey),
            (Some(Err(Refused::OutOfTime)), true) => Proof::Token(Unproven::OutOfTime),
            (Some(Err(Refused::Unsigned)), true) => Proof::Token(Unproven::Unsigned),
            (Some(Err(_)), true) => Proof::Token(Unproven::Forged),
        };
        Ok(Incoming { proof, ..incoming })
    }
}

impl Place<'_> {
    fn team(&self, given: &str) -> Result<String, Refused> {
        let given = id(given)?;
        if self.teams.contains(&given) { Ok(given) } else { Err(Refused::WrongTeam) }
    }

    /// Whether one of these is one of the tokens. All are compared, so that the time says nothing.
    fn proves(&self, given: &[&str]) -> Result<(), Refused> {
        let tokens: Vec<&[u8]> = self.tokens.iter().map(Secret::expose).filter(|token| !token.is_empty()).collect();
        if tokens.is_empty() {
            return Err(Refused::NoSecrets);
        }
        if given.iter().all(|given| given.is_empty()) {
            return Err(Refused::Unsigned);
        }
        let mut fits = false;
        for token in &tokens {
            for given in given {
                fits |= same_secret(token, given.as_bytes());
            }
        }
        if fits { Ok(()) } else { Err(Refused::Forged) }
    }
}

/// Reads a slash command, a form.
///
/// # Errors
/// Why it is not taken.
pub fn typed(headers: &HeaderMap, body: &[u8], place: Place<'_>, wall: Instant) -> Result<Claim, Refused> {
    if body.len() > BODY_MAX {
        return Err(Refused::TooLarge);
    }
    let form = Form::read(body, FIELDS)?;
    // An OAuth connection for our address replaces the header, and the form's token stays.
    place.proves(&[header_token(headers), form.text("token")])?;
    let incoming = Incoming {
        platform: Platform::Mattermost,
        team: Some(place.team(form.text("team_id"))?),
        user: id(form.text("user_id"))?,
        user_name: user_name(form.text("user_name")),
        proof: Proof::Token(Unproven::NoKey),
        channel: id(form.text("channel_id"))?,
        once: once(form.text("trigger_id"))?,
        what: said(form.text("text").to_owned())?,
        answer_at: Some(AnswerAt::mattermost(form.text("response_url"), place.server)?),
        message: None,
    };
    Ok(Claim::new(incoming, form.text("trigger_id"), wall))
}

/// `Authorization: Token TOKEN`, or nothing.
fn header_token(headers: &HeaderMap) -> &str {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok());
    match value.and_then(|value| value.trim().split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("token") => token.trim(),
        _ => "",
    }
}

/// The fields of a form that are looked at.
const FIELDS: &[&str] =
    &["token", "team_id", "channel_id", "user_id", "user_name", "text", "response_url", "trigger_id"];

#[derive(Debug, Deserialize)]
struct Action {
    user_id: String,
    #[serde(default)]
    user_name: String,
    channel_id: String,
    /// Empty in a direct message.
    #[serde(default)]
    team_id: String,
    #[serde(default)]
    post_id: String,
    #[serde(default)]
    trigger_id: String,
    #[serde(default)]
    context: Context,
}

#[derive(Debug, Default, Deserialize)]
struct Context {
    towpath: Option<Sealed>,
}

/// Reads a button that was pressed, JSON.
///
/// # Errors
/// Why it is not taken.
pub fn pressed(body: &[u8], place: Place<'_>, wall: Instant) -> Result<Claim, Refused> {
    if body.len() > BODY_MAX {
        return Err(Refused::TooLarge);
    }
    let action: Action = serde_json::from_slice(body).map_err(|_| Refused::Unreadable)?;
    let channel = id(&action.channel_id)?;
    let sealed = action.context.towpath.ok_or(Refused::Unsigned)?;
    let press = open(place.seals, &sealed, &channel, wall)?;
    let user = id(&action.user_id)?;
    let team = Some(action.team_id).filter(|team| !team.is_empty());
    let message = Some(action.post_id).filter(|post| !post.is_empty()).map(|post| id(&post)).transpose()?;
    let incoming = Incoming {
        platform: Platform::Mattermost,
        team: team.map(|team| place.team(&team)).transpose()?,
        user,
        user_name: user_name(&action.user_name),
        proof: Proof::Nobody,
        once: once(&action.trigger_id)?,
        what: What::Pressed(press),
        answer_at: None,
        message: message.map(|id| MessageAt { channel: channel.clone(), id }),
        channel,
    };
    Ok(Claim::new(incoming, &action.trigger_id, wall))
}
