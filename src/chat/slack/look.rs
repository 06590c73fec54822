//! What Slack says of the app, its tokens and the channels (docs.slack.dev: reference/methods/auth.test,
//! apps.connections.open, conversations.info; "Installing with OAuth", the header `x-oauth-scopes`). Asked, never
//! changed: an address for a socket is asked for and not used.

use serde::Deserialize;
use serde_json::json;
use towpath_core::text::one_line;

use super::answers::{Said, said, socket_url};
use super::api::{Slack, act};
use super::manifest::SCOPES;
use crate::chat::look::{Found, Room, Rooms, left_out, unanswered};
use crate::chat::sent::{Sent, below};
use crate::forge::client::{Answer, Call, Fault, TokenPlace};

/// With this one the app may write into public channels that it is not in.
const ANYWHERE: &str = "chat:write.public";

/// What `auth.test` tells.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Me {
    team: String,
    team_id: String,
    user: String,
    is_enterprise_install: bool,
}

#[derive(Debug, Deserialize)]
struct Told {
    channel: Channel,
}

/// What `conversations.info` tells of a channel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Channel {
    is_archived: bool,
    is_private: bool,
    is_member: bool,
}

/// What is not as it should be is a sentence of Slack's, or a fault of the way to it.
enum No {
    Fault(Fault),
    Said(Said),
}

impl Slack {
    /// Looks at the bot's token, at the app's if there is one, and at the channels.
    pub(in crate::chat) async fn look(
        &self,
        teams: &[String],
        app: Option<TokenPlace>,
        rooms: &Rooms,
        found: &mut Vec<Found>,
    ) {
        let scopes = self.of_bot(teams, found).await;
        if let Some(app) = app {
            found.push(self.of_app(&app).await);
        }
        if let Some(scopes) = scopes {
            self.of_rooms(rooms, &scopes, found).await;
        }
    }

    /// The scopes of the bot's token, if Slack takes it; empty where it does not tell them.
    async fn of_bot(&self, teams: &[String], found: &mut Vec<Found>) -> Option<Vec<String>> {
        if matches!(self.token(), TokenPlace::Nowhere) {
            let mend = "write where the bot's token is (`token`), as in `token = { env = \"SLACK_BOT_TOKEN\" }`";
            found.push(Found::note("there is no `token`: nothing can be posted, and late answers are lost", mend));
            return None;
        }
        let asked = match below(self.api(), "auth.test") {
            // It is a POST that changes nothing.
            Ok(url) => self.ask(act("auth.test", url, &json!({})), self.token()).await,
            Err(fault) => Err(No::Fault(fault)),
        };
        let (answer, me) = match asked.and_then(|answer| read::<Me>(&answer).map(|me| (answer, me))) {
            Ok(told) => told,
            Err(no) => {
                found.push(no.of("the bot token", "put a good one where `token` says"));
                return None;
            }
        };
        found.push(of_team(&me, teams));
        let scopes = answer.header("x-oauth-scopes").map(|text| text.split(',').map(|one| one.trim().to_owned()));
        let scopes: Option<Vec<String>> = scopes.map(Iterator::collect);
        found.extend(scopes.as_deref().and_then(of_scopes));
        Some(scopes.unwrap_or_default())
    }

    async fn of_app(&self, token: &TokenPlace) -> Found {
        let asked = match below(self.api(), "apps.connections.open") {
            Ok(url) => self.ask(act("apps.connections.open", url, &json!({})).quiet(), token).await,
            Err(fault) => Err(No::Fault(fault)),
        };
        let mend =
            "make an app-level token with `connections:write`, and switch Socket Mode on in the app's settings";
        match asked {
            Ok(answer) => match socket_url(answer.body()) {
                Ok(_) => Found::good("Slack would open a socket (Socket Mode) with the app token".to_owned()),
                Err(Sent::Never { words } | Sent::Later { words, .. }) => Found::stops(words, mend),
                Err(_) => Found::stops("Slack opens no socket (Socket Mode)", mend),
            },
            Err(No::Said(said)) => {
                Found::stops(said.words.replace("the bot token", "the app token (`xapp-`)"), mend)
            }
            Err(no) => no.of("the app token", mend),
        }
    }

    async fn of_rooms(&self, rooms: &Rooms, scopes: &[String], found: &mut Vec<Found>) {
        let (asked, more) = rooms.asked();
        let mut unasked: Vec<String> = Vec::new();
        for room in asked {
            match self.room(room.id).await {
                Ok(channel) => found.push(of_channel(&room, &channel, scopes)),
                Err(No::Said(said)) if said.word == "missing_scope" => unasked.push(room.to_string()),
                Err(No::Said(said)) => found.push(room.fault(
                    &format!("is not to be had: {}", said.words),
                    "write the channel's id as its details show it, and `/invite` the app there",
                )),
                Err(no) => {
                    found.push(no.of("the channels", "ask again"));
                    break;
                }
            }
        }
        if !unasked.is_empty() {
            let what = format!("whether the app is in {} cannot be asked", unasked.join(", "));
            let mend = "`/invite` it where something is to be posted; with the scopes `channels:read` and `groups:read`, \
                        which nothing else needs, it can be asked";
            found.push(Found::note(what, mend));
        }
        found.extend(left_out(more));
    }

    async fn room(&self, id: &str) -> Result<Channel, No> {
        let mut url = below(self.api(), "conversations.info").map_err(No::Fault)?;
        url.query_pairs_mut().append_pair("channel", id);
        let call = Call::get("conversations.info", url).resource("conversations.info");
        read::<Told>(&self.ask(call, self.token()).await?).map(|told| told.channel)
    }

    /// An answer that says yes.
    async fn ask(&self, call: Call, token: &TokenPlace) -> Result<Answer, No> {
        let auth = token.auth("slack", "Bearer").map_err(No::Fault)?;
        let answer = self.http().send(&call, &auth).await.map_err(No::Fault)?;
        match said(answer.body()) {
            None => Ok(answer),
            Some(said) => Err(No::Said(said)),
        }
    }
}

impl No {
    /// What it is about, and what mends it where Slack's word does not say so.
    fn of(&self, what: &str, mend: &str) -> Found {
        match self {
            Self::Fault(fault) => unanswered("Slack", fault),
            Self::Said(said) => {
                Found::stops(format!("Slack was asked about {what}: {}", said.words), mend.to_owned())
            }
        }
    }
}

/// What of an answer that says yes is wanted.
fn read<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, No> {
    let unreadable = |_| No::Fault(Fault::Unreadable { words: "it is not as Slack describes it".to_owned() });
    serde_json::from_slice(answer.body()).map_err(unreadable)
}

/// Whose token it is.
fn of_team(me: &Me, teams: &[String]) -> Found {
    let shown = |text: &str| one_line(text, 60);
    let (user, team, id) = (shown(&me.user), shown(&me.team), shown(&me.team_id));
    if me.is_enterprise_install {
        return Found::note(
            format!(
                "the bot token is that of an organisation: whether it is good for `teams` cannot be told (`{user}`)"
            ),
            "see in the organisation's settings that the app is in each of them",
        );
    }
    if !teams.contains(&me.team_id) {
        return Found::stops(
            format!("the bot token is that of the workspace {team} (`{id}`), which is not one of `teams`"),
            format!(
                "add `{id}` to `teams` if its people are to be listened to, or put the token of the right workspace"
            ),
        );
    }
    let others: Vec<String> =
        teams.iter().filter(|team| **team != me.team_id).map(|team| format!("`{}`", shown(team))).collect();
    if !others.is_empty() {
        return Found::note(
            format!(
                "Slack takes the bot token for {team} (`{id}`) as `{user}`, and for none of {}",
                others.join(", ")
            ),
            "give each workspace a `[chat.NAME]` of its own, with its token, if something is to be posted there",
        );
    }
    Found::good(format!("Slack takes the bot token, as `{user}` of {team} (`{id}`)"))
}

/// The scopes of the manifest that the token lacks: without any of them something does not work.
fn of_scopes(has: &[String]) -> Option<Found> {
    let missing: Vec<&str> = SCOPES.into_iter().filter(|scope| !has.iter().any(|had| had == scope)).collect();
    if missing.is_empty() {
        return None;
    }
    let names = missing.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(", ");
    let what = format!("the bot token lacks {names}");
    let mend = "put `towpath chat manifest slack` into the app's settings (App Manifest), install it again, and take the \
                new token";
    Some(Found::stops(what, mend))
}

fn of_channel(room: &Room<'_>, channel: &Channel, scopes: &[String]) -> Found {
    if channel.is_archived {
        return room.fault("is archived", "unarchive it, or name another");
    }
    if channel.is_member {
        return room.good("is there, and the app is in it");
    }
    if !channel.is_private && scopes.iter().any(|scope| scope == ANYWHERE) {
        return room.good("is there, and the app may write into every public one");
    }
    room.fault("is there, and the app is not in it", "`/invite` the app there")
}
