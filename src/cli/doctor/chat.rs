//! What `doctor` says of chats: whether their tokens and channels are good, and whether the people in them are known.
//!
//! What the platforms say is asked by `crate::chat`.

use futures_util::future::join_all;
use towpath_core::people::{Identity, Platform};
use towpath_core::text::one_line;

use super::{Finding, bad, good, note};
use crate::chat::look::{Found, Rooms, Weight};
use crate::cli::session::Session;
use crate::config::{Chat, Config};

/// How many identities of one slip are named.
const NAMED_MAX: usize = 10;

/// Every chat, all at once: one that does not answer keeps no other waiting.
pub(super) async fn all(session: &Session, findings: &mut Vec<Finding>) {
    let config = &session.config;
    let looked = join_all(config.chats.values().map(|chat| one(session, chat))).await;
    findings.extend(looked.into_iter().flatten());
    for chat in config.chats.values() {
        findings.push(linked(config, chat));
    }
    findings.extend(elsewhere(config));
}

async fn one(session: &Session, chat: &Chat) -> Vec<Finding> {
    let name = &chat.name;
    let found = match session.chats.get(name) {
        Some(system) => system.look(&rooms(&session.config, chat)).await,
        None => {
            let why = session.chats.fault(name).unwrap_or_default();
            return vec![bad(format!("`[chat.{name}]` cannot be talked with: {why}; correct `url`"))];
        }
    };
    found.into_iter().map(|found| shown(name, &found)).collect()
}

fn shown(name: &str, found: &Found) -> Finding {
    let text = match found.mend.is_empty() {
        true => format!("`[chat.{name}]`: {}", one_line(&found.what, 600)),
        false => format!("`[chat.{name}]`: {}; {}", one_line(&found.what, 600), one_line(&found.mend, 400)),
    };
    match found.weight {
        Weight::Good => good(text),
        Weight::Note => note(text),
        Weight::Stops => bad(text),
    }
}

/// The channels that the config names of a chat: those of its flows, and those of its sinks.
fn rooms(config: &Config, chat: &Chat) -> Rooms {
    let mut rooms = Rooms::default();
    for channel in &chat.channels {
        rooms.add(&channel.id, "`channels`", false);
    }
    for sink in config.sinks.values() {
        if let Some(to) = sink.chat.as_ref().filter(|to| to.chat == chat.name) {
            rooms.add(&to.channel, &format!("`[sink.{}]`", sink.name), true);
        }
    }
    rooms
}

/// Whether anybody there is known here: without, nobody may do anything from it.
fn linked(config: &Config, chat: &Chat) -> Finding {
    let is_of = |identity: &Identity| {
        let Identity::Chat { platform, team, .. } = identity else { return false };
        *platform == chat.platform && is_heard(chat, team.as_deref())
    };
    let cards = config.laws.people.cards();
    let count = cards.iter().filter(|card| card.identities.iter().any(is_of)).count();
    let name = &chat.name;
    if count > 0 {
        return good(format!("`[chat.{name}]`: {count} of `[people]` are known there"));
    }
    let (word, team) = (chat.platform.word(), one_line(chat.teams.first().map_or("TEAM", |team| team), 60));
    note(format!(
        "`[chat.{name}]`: nobody of `[people]` is known there, so whoever talks there may only ask; `/towpath whoami` there \
         tells the identity to add, as `{word}:{team}/USER`"
    ))
}

/// Whether somebody of that team is listened to there. People of Mattermost have one id on the whole server, so they may
/// be written without one.
fn is_heard(chat: &Chat, team: Option<&str>) -> bool {
    match team {
        Some(team) => chat.teams.iter().any(|had| had == team),
        None => chat.platform == Platform::Mattermost,
    }
}

/// Identities in teams that no chat of the config listens to: nobody can come by them.
fn elsewhere(config: &Config) -> Vec<Finding> {
    let heard = |of: Platform, team: Option<&str>| {
        config.chats.values().any(|chat| chat.platform == of && is_heard(chat, team))
    };
    let mut lost: Vec<String> = Vec::new();
    for card in config.laws.people.cards() {
        for identity in &card.identities {
            let Identity::Chat { platform, team, .. } = identity else { continue };
            if !heard(*platform, team.as_deref()) {
                lost.push(format!("`{}` of `{}`", one_line(&identity.to_string(), 100), one_line(&card.name, 60)));
            }
        }
    }
    let more = lost.len().saturating_sub(NAMED_MAX);
    lost.truncate(NAMED_MAX);
    if lost.is_empty() {
        return Vec::new();
    }
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    vec![note(format!(
        "`[people]`: nobody can come by {}{rest}: no `[chat.NAME]` of that kind listens to that team; write it as \
         `PLATFORM:TEAM/USER` with one of its `teams`, or add the team there",
        lost.join(", ")
    ))]
}
