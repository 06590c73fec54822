//! What a request of Slack's says, once it is proven: a slash command or a button (docs.slack.dev, "Implementing
//! slash commands", "Handling user interaction", "block_actions payload").
//!
//! Over HTTP both are forms; a button's has one field, `payload`, that holds JSON. In Socket Mode both are JSON.
//! Fields that are not needed are not looked at, whatever they hold.

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use towpath_core::command::chat::from_slack;
use towpath_core::people::Platform;

use crate::chat::form::Form;
use crate::chat::incoming::{
    AnswerAt, BODY_MAX, Incoming, MessageAt, Proof, Refused, What, id, once, said, user_name,
};
use crate::chat::slack::render::press_of;

/// What is configured of a Slack.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The ids of the workspaces (`T…`) whose people are listened to; in an Enterprise Grid also that of the
    /// enterprise (`E…`), if people's own team is given so. With none nobody is.
    pub teams: &'a [String],
    /// Where the API is: `https://slack.com/api/`.
    pub api: &'a Url,
}

impl Place<'_> {
    /// The team, if it is one that is listened to.
    fn team(&self, given: &str) -> Result<String, Refused> {
        let given = id(given)?;
        if self.teams.contains(&given) { Ok(given) } else { Err(Refused::WrongTeam) }
    }
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Slack only looks whether somebody is there (`ssl_check=1`): 200 with an empty body.
    Probe,
    /// Somebody did something.
    Incoming(Incoming),
}

/// Reads the body of a request over HTTP.
///
/// # Errors
/// Why it is not taken.
pub fn read(body: &[u8], place: Place<'_>) -> Result<Read, Refused> {
    if body.len() > BODY_MAX {
        return Err(Refused::TooLarge);
    }
    let form = Form::read(body, FIELDS)?;
    if form.get("ssl_check") == Some("1") {
        return Ok(Read::Probe);
    }
    let incoming = match form.get("payload") {
        Some(payload) => pressed(serde_json::from_str(payload).map_err(|_| Refused::Unreadable)?, place),
        None => typed(&Slash::of(&form), place),
    };
    incoming.map(Read::Incoming)
}

/// Reads what came through the socket. `kind` is the envelope's `type`.
///
/// # Errors
/// Why it is not taken; [`Refused::NotOurs`] for a kind that nobody asked for.
pub(super) fn read_socket(kind: &str, payload: Value, place: Place<'_>) -> Result<Incoming, Refused> {
    let unreadable = |_| Refused::Unreadable;
    match kind {
        "slash_commands" => typed(&serde_json::from_value(payload).map_err(unreadable)?, place),
        "interactive" => pressed(serde_json::from_value(payload).map_err(unreadable)?, place),
        _ => Err(Refused::NotOurs),
    }
}

/// A slash command.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Slash {
    team_id: String,
    channel_id: String,
    user_id: String,
    user_name: String,
    text: String,
    response_url: String,
    trigger_id: String,
}

/// The fields of a form that are looked at.
const FIELDS: &[&str] = &[
    "ssl_check",
    "payload",
    "team_id",
    "channel_id",
    "user_id",
    "user_name",
    "text",
    "response_url",
    "trigger_id",
];

impl Slash {
    fn of(form: &Form) -> Self {
        let text = |name| form.text(name).to_owned();
        Self {
            team_id: text("team_id"),
            channel_id: text("channel_id"),
            user_id: text("user_id"),
            user_name: text("user_name"),
            text: text("text"),
            response_url: text("response_url"),
            trigger_id: text("trigger_id"),
        }
    }
}

fn typed(slash: &Slash, place: Place<'_>) -> Result<Incoming, Refused> {
    Ok(Incoming {
        platform: Platform::Slack,
        team: Some(place.team(&slash.team_id)?),
        user: id(&slash.user_id)?,
        user_name: user_name(&slash.user_name),
        proof: Proof::Request,
        channel: id(&slash.channel_id)?,
        once: once(&slash.trigger_id)?,
        what: said(from_slack(&slash.text))?,
        answer_at: Some(AnswerAt::slack(&slash.response_url, place.api)?),
        message: None,
    })
}

/// A payload of interactivity, of which only `block_actions` is ours.
#[derive(Debug, Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    trigger_id: String,
    response_url: Option<String>,
    user: Option<User>,
    /// `null` where the app is installed for a whole enterprise.
    team: Option<Named>,
    channel: Option<Named>,
    container: Option<Container>,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
    username: Option<String>,
    team_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Container {
    message_ts: Option<String>,
    channel_id: Option<String>,
    #[serde(default)]
    is_ephemeral: bool,
}

#[derive(Debug, Deserialize)]
struct Action {
    #[serde(default)]
    action_id: String,
    value: Option<String>,
}

fn pressed(payload: Payload, place: Place<'_>) -> Result<Incoming, Refused> {
    if payload.kind != "block_actions" {
        return Err(Refused::NotOurs);
    }
    let user = payload.user.ok_or(Refused::Unreadable)?;
    // In a channel that two workspaces share, the button is in ours and the person of theirs.
    let of_message = payload.team.map(|team| place.team(&team.id)).transpose()?;
    let of_user = user.team_id.map(|team| place.team(&team)).transpose()?;
    let team = of_user.or(of_message).ok_or(Refused::Unreadable)?;
    let [action] = payload.actions.as_slice() else { return Err(Refused::Unreadable) };
    let press = press_of(&action.action_id, action.value.as_deref().unwrap_or_default())?;
    let container = payload.container.as_ref();
    let channel = payload.channel.map(|channel| channel.id);
    let channel = channel.or_else(|| container.and_then(|there| there.channel_id.clone()));
    let channel = id(&channel.ok_or(Refused::Unreadable)?)?;
    // What only one person sees cannot be changed by `chat.update`.
    let stamp = container.filter(|there| !there.is_ephemeral).and_then(|there| there.message_ts.clone());
    let message = match stamp {
        Some(stamp) if is_stamp(&stamp) => Some(MessageAt { channel: channel.clone(), id: stamp }),
        Some(_) => return Err(Refused::Unreadable),
        None => None,
    };
    let answer_at = payload.response_url.map(|url| AnswerAt::slack(&url, place.api)).transpose()?;
    Ok(Incoming {
        platform: Platform::Slack,
        team: Some(team),
        user: id(&user.id)?,
        user_name: user_name(&user.username.unwrap_or_default()),
        proof: Proof::Request,
        channel,
        once: once(&payload.trigger_id)?,
        what: What::Pressed(press),
        answer_at,
        message,
    })
}

/// Whether it is the `ts` of a message: `1503435956.000247`.
pub(super) fn is_stamp(text: &str) -> bool {
    let digits = |part: &str| (1..=20).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(seconds, rest)| digits(seconds) && digits(rest))
}
