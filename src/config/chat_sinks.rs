//! What a `[sink.NAME]` of kind `slack` or `mattermost` says besides: in which chat and channel, and how.
//!
//! Not here: the chat itself (`chats`), who is told of what (`sinks`), and telling (`crate::tell::chat`).

use chrono_tz::Tz;
use towpath_core::calendar::Schedule;
use towpath_core::people::{Mention, Platform};

use super::Setting;
use super::people::mention;
use super::problem::{Problem, shown};
use super::service::{text, whole};
use super::tree::{Entry, Node, Table};
use crate::tell::chat::STORM;

/// The kinds of sinks that are chats.
pub(super) const KINDS: [(&str, Platform); 2] = [("slack", Platform::Slack), ("mattermost", Platform::Mattermost)];

/// Keys that only webhooks have, and why a chat has none.
const OF_WEBHOOKS: [(&str, &str); 7] = [
    ("url", "its server is that of its `[chat.NAME]`"),
    ("secrets", "its calls are not signed; what proves who speaks there stands in its `[chat.NAME]`"),
    ("token", "its token is that of its `[chat.NAME]`"),
    ("preset", "its messages have one form"),
    ("template", "its messages have one form"),
    ("image", "its messages have one form"),
    ("tag", "its messages have one form"),
];

/// Keys that only chats have.
const OF_CHATS: [&str; 6] = ["chat", "channel", "mention", "storm", "digest", "zone"];

/// How a chat is told.
#[derive(Debug, Clone)]
pub struct ChatSink {
    /// The name of its `[chat.NAME]`.
    pub chat: String,
    /// What speaks there.
    pub platform: Platform,
    /// The channel's id.
    pub channel: String,
    /// For what people are called whose own table does not say.
    pub mention: Mention,
    /// More flows than this within a minute are one summary.
    pub storm: u32,
    /// When the last day is told in one message, if it is to be.
    pub digest: Option<Schedule>,
    /// In which zone the digest and summaries of several flows tell the time.
    pub zone: Tz,
}

/// What speaks there, if the sink is a chat.
pub(super) fn platform_of(table: &Table) -> Option<Platform> {
    let kind = table.get("kind").and_then(Node::text)?;
    KINDS.into_iter().find(|(word, _)| *word == kind).map(|(_, platform)| platform)
}

/// The chat's part of a sink; none for a webhook. What does not fit together is reported.
pub(super) fn chat_sink(
    name: &str,
    top: &Table,
    table: &Table,
    settings: &[Setting],
    problems: &mut Vec<Problem>,
) -> Option<ChatSink> {
    let mut fault = |entry: &Entry, what: String, hint: &str| {
        let path = format!("sink.{name}.{}", entry.key);
        problems.push(Problem::error(entry.node.span.clone(), path, what).hint(hint));
    };
    let kind = table.get("kind").and_then(Node::text).unwrap_or_default();
    let Some(platform) = platform_of(table) else {
        for entry in OF_CHATS.iter().filter_map(|key| table.entry(key)).filter(|_| kind == "webhook") {
            let what = format!("a webhook has no `{}`", entry.key);
            fault(entry, what, "remove it, or write `kind = \"slack\"` or `kind = \"mattermost\"`");
        }
        return None;
    };
    for (key, why) in OF_WEBHOOKS {
        if let Some(entry) = table.entry(key) {
            fault(entry, format!("a sink of kind `{kind}` has no `{key}`: {why}"), "remove it");
        }
    }
    if let Some(entry) = table.entry("chat")
        && let Some(chat) = entry.node.text()
    {
        chat_faults(chat, kind, top, entry, &mut fault);
    }
    if let Some(entry) = table.entry("channel")
        && let Some(id) = entry.node.text()
        && !(id.bytes().all(|b| b.is_ascii_alphanumeric()) && !id.is_empty() && id.len() <= 64)
    {
        let what = format!("`{}` is not the id of a channel", shown(id));
        fault(entry, what, "write its id, not its name: the channel's details show it, as `C0123456789`");
    }
    // A cron or a zone that is none has been reported.
    let zone = text(settings, "zone").parse().unwrap_or(Tz::UTC);
    let digest = Some(text(settings, "digest")).filter(|cron| !cron.is_empty());
    Some(ChatSink {
        chat: text(settings, "chat").to_owned(),
        platform,
        channel: text(settings, "channel").to_owned(),
        mention: mention(text(settings, "mention")).unwrap_or_default(),
        storm: whole(settings, "storm").and_then(|most| most.try_into().ok()).unwrap_or(STORM),
        digest: digest.and_then(|cron| Schedule::parse(cron, None, zone).ok()),
        zone,
    })
}

/// Whether there is such a chat, of that kind, that can post.
fn chat_faults(chat: &str, kind: &str, top: &Table, entry: &Entry, fault: &mut impl FnMut(&Entry, String, &str)) {
    let found = top.get("chat").and_then(Node::table).and_then(|table| table.get(chat)).and_then(Node::table);
    let Some(found) = found else {
        let what = format!("there is no `[chat.{}]`", shown(chat));
        return fault(entry, what, "write the NAME of a `[chat.NAME]`, which says how the server is reached");
    };
    let other = found.get("kind").and_then(Node::text).filter(|other| *other != kind);
    if let Some(other) = other {
        let what = format!("`[chat.{}]` is of kind `{}`, not `{kind}`", shown(chat), shown(other));
        fault(entry, what, "write the kind of the chat as the sink's, or another chat");
    } else if found.get("token").is_none() {
        let what = format!("`[chat.{}]` has no `token`, without which nothing can be posted", shown(chat));
        fault(entry, what, "add it there, as in `token = { env = \"CHAT_BOT_TOKEN\" }`");
    }
}
