//! `[chat.NAME]`, typed: in which chat systems people talk to Towpath.
//!
//! Not here: talking (`crate::chat`), and who is told of what (`sinks`).

use std::collections::BTreeMap;
use std::path::Path;

use towpath_core::command::Context;
use towpath_core::model::EnvName;
use towpath_core::people::Platform;

use super::check::texts;
use super::keys::Place;
use super::problem::{Problem, shown};
use super::service::{secret, secrets, settings, text};
use super::source::Source;
use super::tree::{Node, Table};
use super::{Config, Origin, SecretRef, Setting};

/// `[chat.NAME]`.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Its name.
    pub name: String,
    /// What speaks there.
    pub platform: Platform,
    /// The workspaces or teams whose people are listened to.
    pub teams: Vec<String>,
    /// The server; of Slack where its API is.
    pub url: String,
    /// The bot's token.
    pub token: Option<SecretRef>,
    /// What proves requests: Slack's signing secrets, the tokens of Mattermost's slash commands.
    pub secrets: Vec<SecretRef>,
    /// Slack's app token, for Socket Mode.
    pub app_token: Option<SecretRef>,
    /// What buttons of Mattermost are sealed with; the first seals, each opens.
    pub button_secrets: Vec<SecretRef>,
    /// What is answered to somebody who is linked to no person.
    pub strangers: Strangers,
    /// Channels that belong to a flow or an environment.
    pub channels: Vec<Channel>,
    /// Every key of the table as it is in effect.
    pub settings: Vec<Setting>,
}

/// What somebody of a listened team is answered who is linked to no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strangers {
    /// Whatever only looks.
    Read,
    /// How to be linked, and nothing else.
    None,
}

/// The words of `strangers`.
pub(super) const STRANGERS: [&str; 2] = ["read", "none"];

/// A channel that belongs to a flow, an environment, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// The flow, as people write it.
    pub flow: Option<String>,
    /// The environment.
    pub environment: Option<String>,
}

/// Every `[chat.NAME]`. What is invalid has been reported and gets some value; what does not fit together is
/// reported here.
pub(super) fn chats(
    top: &Table,
    source: &Source,
    base: &Path,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Chat> {
    let tables = top.get("chat").and_then(Node::table).into_iter().flat_map(|table| &table.0);
    let made = tables.filter_map(|entry| {
        let made = chat(&entry.key, entry.node.table()?, source, base);
        for (key, what, hint) in faults(&made) {
            let path = format!("chat.{}.{key}", made.name);
            problems.push(Problem::error(entry.key_span.clone(), path, what).hint(hint));
        }
        problems.extend(unconfirmed(top, &made).into_iter().map(|(key, what, hint)| {
            let path = format!("chat.{}.{key}", made.name);
            Problem::warning(entry.key_span.clone(), path, what).hint(hint)
        }));
        Some((entry.key.clone(), made))
    });
    let made: BTreeMap<String, Chat> = made.collect();
    for (one, other) in made.values().flat_map(|one| made.values().map(move |other| (one, other))) {
        let shared = one.teams.iter().find(|team| other.teams.contains(team));
        if one.name < other.name
            && one.platform == other.platform
            && one.url == other.url
            && let Some(team) = shared
        {
            let what = format!("the team `{}` is in `chat.{}` and in `chat.{}`", shown(team), one.name, other.name);
            let span = top.entry("chat").map_or(0..0, |entry| entry.key_span.clone());
            problems
                .push(Problem::error(span, "chat", what).hint("leave it in one: what is said would be done twice"));
        }
    }
    made
}

fn chat(name: &str, table: &Table, source: &Source, base: &Path) -> Chat {
    let settings = settings(Place::Chat, Some(table), source, |line| Origin::Chat { line });
    let platform = if text(&settings, "kind") == "mattermost" { Platform::Mattermost } else { Platform::Slack };
    let written = text(&settings, "url").trim_end_matches('/');
    let url = if written.is_empty() && platform == Platform::Slack {
        crate::chat::slack::Slack::API.trim_end_matches('/')
    } else {
        written
    };
    let channels = table.get("channels").and_then(Node::list).unwrap_or_default().iter().filter_map(Node::table);
    let word = |table: &Table, key: &str| table.get(key).and_then(Node::text).map(str::to_owned);
    Chat {
        name: name.to_owned(),
        platform,
        teams: texts(table.get("teams")),
        url: url.to_owned(),
        token: table.get("token").and_then(|node| secret(node, base)),
        secrets: secrets(Some(table), "secrets", base),
        app_token: table.get("app_token").and_then(|node| secret(node, base)),
        button_secrets: secrets(Some(table), "button_secrets", base),
        strangers: if text(&settings, "strangers") == "none" { Strangers::None } else { Strangers::Read },
        channels: channels
            .map(|table| Channel {
                id: word(table, "id").unwrap_or_default(),
                flow: word(table, "flow"),
                environment: word(table, "environment"),
            })
            .collect(),
        settings,
    }
}

/// What a Mattermost lacks for buttons, without which nothing can be confirmed: what is missing, and what to write.
fn unconfirmed(top: &Table, chat: &Chat) -> Option<(&'static str, &'static str, &'static str)> {
    let service = top.get("service").and_then(Node::table);
    let reached = service.and_then(|table| table.get("public_url")).is_some();
    let (key, what, hint) = match (reached, chat.button_secrets.is_empty()) {
        (true, false) => return None,
        (false, true) => (
            "button_secrets",
            "without `button_secrets` and `public_url` of `[service]` this Mattermost gets no buttons, and nothing can be \
             confirmed in it",
            "write where a secret of your own making is, and `public_url` where the server reaches Towpath",
        ),
        (true, true) => (
            "button_secrets",
            "without `button_secrets` this Mattermost gets no buttons, and nothing can be confirmed in it",
            "write where a secret of your own making is, as in `button_secrets = [{ file = \"PATH\" }]`",
        ),
        (false, false) => (
            "public_url",
            "without `public_url` of `[service]` this Mattermost gets no buttons, and nothing can be confirmed in it",
            "write where the server reaches Towpath, as in `public_url = \"https://towpath.example.com\"`",
        ),
    };
    (chat.platform == Platform::Mattermost).then_some((key, what, hint))
}

/// What does not fit together: the key, what is wrong, and what to do.
fn faults(chat: &Chat) -> Vec<(&'static str, String, &'static str)> {
    let mut faults = Vec::new();
    let mut fault = |key, what: &str, hint| faults.push((key, what.to_owned(), hint));
    match chat.platform {
        Platform::Mattermost => {
            if chat.url.is_empty() {
                fault("url", "a Mattermost without `url` cannot be reached", "write the server's Site URL");
            }
            if chat.secrets.is_empty() {
                fault(
                    "secrets",
                    "a Mattermost without `secrets` cannot be trusted",
                    "write where the token of its slash command is; `towpath chat manifest mattermost` makes one",
                );
            }
            let here = ["127.0.0.1", "localhost", "[::1]"];
            let host =
                chat.url.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
            if host.is_some_and(|host| !here.contains(&host) && !chat.url.starts_with("http://[::1]")) {
                fault(
                    "url",
                    "a token over `http://` can be read by anybody on the way",
                    "write the URL with `https://`; `http://` is for this machine itself",
                );
            }
            if chat.app_token.is_some() {
                fault("app_token", "only Slack has an `app_token`", "remove it");
            }
        }
        _ => {
            if chat.secrets.is_empty() && chat.app_token.is_none() {
                fault(
                    "secrets",
                    "a Slack with neither `secrets` nor `app_token` cannot be trusted",
                    "write where the app's signing secret is, or for Socket Mode its app token",
                );
            }
            if !chat.button_secrets.is_empty() {
                fault("button_secrets", "Slack signs its buttons itself", "remove `button_secrets`");
            }
        }
    }
    faults
}

/// What channels name that there is not.
pub(super) fn fits(top: &Table, config: &Config, problems: &mut Vec<Problem>) {
    for chat in config.chats.values() {
        let span = top.get("chat").and_then(Node::table).and_then(|table| table.entry(&chat.name));
        let span = span.map_or(0..0, |entry| entry.key_span.clone());
        for channel in &chat.channels {
            let mut fault = |what: String, hint: &str| {
                let path = format!("chat.{}.channels", chat.name);
                problems.push(Problem::error(span.clone(), path, what).hint(hint));
            };
            let id = shown(&channel.id);
            match (&channel.flow, &channel.environment) {
                (None, None) => {
                    fault(format!("the channel `{id}` belongs to nothing"), "give it `flow` or `environment`");
                }
                _ if config.discovers() => {}
                (Some(flow), environment) => match config.flow(flow) {
                    Err(why) => fault(format!("of the channel `{id}`: {why}"), "write a flow that there is"),
                    Ok(found) => {
                        if let Some(env) = environment
                            && let Err(why) = found.environment(env)
                        {
                            fault(format!("of the channel `{id}`: {why}"), "write an environment of that flow");
                        }
                    }
                },
                (None, Some(env)) => {
                    let name = EnvName::new(env);
                    if !config.flows.iter().any(|found| found.flow.environment(&name).is_some()) {
                        fault(
                            format!("no flow has the environment `{}` of the channel `{id}`", shown(env)),
                            "write one that there is",
                        );
                    }
                }
            }
        }
    }
}

impl Chat {
    /// What a channel says about flow and environment.
    pub fn context(&self, config: &Config, channel: &str) -> Context {
        let Some(of) = self.channels.iter().find(|of| of.id == channel) else { return Context::NOWHERE };
        let found = of.flow.as_ref().and_then(|flow| config.flow(flow).ok());
        let env = of.environment.as_ref().map(EnvName::new);
        match (found, env) {
            (Some(found), Some(env)) => Context::of_edge(&found.flow, &env),
            (Some(found), None) => Context::of_flow(&found.flow),
            (None, Some(env)) => Context::of_environment(&env),
            (None, None) => Context::NOWHERE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    /// What stands between backticks and is written as a key of the config.
    fn keys_named(text: &str) -> Vec<&str> {
        let marked = text.split('`').skip(1).step_by(2);
        let is_key = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !word.is_empty();
        marked.filter(is_key).collect()
    }

    #[test]
    fn every_key_it_names_is_one_of_the_config() {
        let known = |places: &[Place], key: &str| places.iter().any(|place| place.row(key).is_some());
        let made = crate::chat::mattermost::manifest("https://t.example/chat/mattermost");
        let named = keys_named(&made);
        assert_eq!(named, ["url", "token", "secrets", "button_secrets", "public_url"]);
        let slack = [Some("https://t.example/chat/slack"), None].map(crate::chat::slack::manifest);
        let named = named.into_iter().chain(slack.iter().flat_map(|text| keys_named(text)));
        for key in named {
            assert!(known(&[Place::Chat, Place::Service], key), "{key}");
        }
        assert!(!known(&[Place::Chat, Place::Service], "signing_secrets"), "the table is asked");
    }
}
