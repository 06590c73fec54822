//! What a Mattermost says of itself, the bot, its teams and channels (the server's OpenAPI, api/v4/source/users.yaml,
//! teams.yaml, channels.yaml, system.yaml; what it tells everybody is made by `GenerateLimitedClientConfig`,
//! server/config/client.go). Asked, never changed.

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use towpath_core::text::one_line;

use super::api::Mattermost;
use super::trigger::TriggerKey;
use crate::chat::incoming::is_id;
use crate::chat::look::{Found, Room, Rooms, left_out, unanswered};
use crate::chat::sent::below;
use crate::forge::client::{Auth, Call, Fault, TokenPlace};

/// Bot accounts came with it (docs.mattermost.com, "Mattermost changelog", release v5.10).
const OLDEST: (u32, u32) = (5, 10);

/// Whether messages are to have buttons, and what they need.
#[derive(Debug, Clone, Copy)]
pub(in crate::chat) struct OfButtons {
    /// There are `button_secrets`.
    pub(in crate::chat) sealed: bool,
    /// There is a `public_url`.
    pub(in crate::chat) reached: bool,
}

/// What the server tells everybody of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Server {
    version: String,
    /// Old servers tell it to members only.
    #[serde(rename = "SiteURL")]
    site_url: Option<String>,
    asymmetric_signing_public_key: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Me {
    username: String,
    is_bot: bool,
    delete_at: i64,
}

/// A membership, a team or a channel: what all of them tell.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct There {
    delete_at: i64,
}

impl Mattermost {
    /// Looks at the server, the bot's token, its teams and channels.
    pub(in crate::chat) async fn look(
        &self,
        teams: &[String],
        buttons: OfButtons,
        rooms: &Rooms,
        found: &mut Vec<Found>,
    ) {
        match self.read::<Server>("mattermost.config", "api/v4/config/client?format=old", &Auth::none()).await {
            Ok(server) => found.extend(of_server(&server, self.server(), buttons)),
            Err(fault) => {
                found.push(unanswered("the server", &fault));
                return;
            }
        }
        if matches!(self.token(), TokenPlace::Nowhere) {
            let mend = "write where the bot's token is (`token`)";
            found.push(Found::note("there is no `token`: nothing can be posted, and late answers are lost", mend));
            return;
        }
        let auth = match self.auth() {
            Ok(auth) => auth,
            Err(fault) => return found.push(unanswered("the server", &fault)),
        };
        match self.read::<Me>("mattermost.me", "api/v4/users/me", &auth).await {
            Ok(me) => found.push(of_me(&me)),
            Err(Fault::Said { status: 401 | 403, .. }) => {
                let mend = "make the bot a new one (System Console, Bot Accounts) and put it where `token` says";
                return found.push(Found::stops("the server does not take the bot's token", mend));
            }
            Err(fault) => return found.push(unanswered("the server", &fault)),
        }
        for team in teams {
            match self.of_team(team, &auth).await {
                Ok(one) => found.push(one),
                Err(fault) => return found.push(unanswered("the server", &fault)),
            }
        }
        let (asked, more) = rooms.asked();
        for room in asked {
            match self.of_room(&room, &auth).await {
                Ok(one) => found.push(one),
                Err(fault) => return found.push(unanswered("the server", &fault)),
            }
        }
        found.extend(left_out(more));
    }

    async fn of_team(&self, team: &str, auth: &Auth) -> Result<Found, Fault> {
        let shown = one_line(team, 60);
        if !is_id(team) {
            return Ok(Found::stops(
                format!("`{shown}` of `teams` is no id"),
                "write the id that `mmctl team search` shows",
            ));
        }
        if self.is_there("mattermost.team-member", &format!("api/v4/teams/{team}/members/me"), auth).await? {
            return Ok(Found::good(format!("the bot is a member of the team `{shown}`")));
        }
        // Whether there is one is told of those that everybody may join.
        let path = format!("api/v4/teams/{team}");
        let mend = "`mmctl team users add TEAM towpath`";
        Ok(match self.is_there("mattermost.team", &path, auth).await? {
            true => Found::stops(format!("the bot is not a member of the team `{shown}`"), mend),
            false => Found::stops(
                format!("there is no team `{shown}`, or the bot is not a member of it"),
                format!("write the id that `mmctl team search` shows, and {mend}"),
            ),
        })
    }

    async fn of_room(&self, room: &Room<'_>, auth: &Auth) -> Result<Found, Fault> {
        if !is_id(room.id) {
            return Ok(room.fault("is no id", "write the id that `mmctl channel search` shows"));
        }
        let path = format!("api/v4/channels/{}", room.id);
        let channel = self.maybe::<There>("mattermost.channel", &path, auth).await?;
        if channel.as_ref().is_some_and(|channel| channel.delete_at != 0) {
            return Ok(room.fault("is archived", "unarchive it, or name another"));
        }
        if self.is_there("mattermost.channel-member", &format!("{path}/members/me"), auth).await? {
            return Ok(room.good("is there, and the bot is in it"));
        }
        let mend = "`mmctl channel users add TEAM:CHANNEL towpath`";
        Ok(match channel {
            Some(_) => room.fault("is there, and the bot is not in it", mend),
            None => room.fault("is not there, or the bot is not in it", mend),
        })
    }

    /// Whether it is there and not deleted; what may not be seen is as what is not there.
    async fn is_there(&self, operation: &'static str, path: &str, auth: &Auth) -> Result<bool, Fault> {
        Ok(self.maybe::<There>(operation, path, auth).await?.is_some_and(|there| there.delete_at == 0))
    }

    async fn maybe<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        auth: &Auth,
    ) -> Result<Option<T>, Fault> {
        match self.read(operation, path, auth).await {
            Ok(read) => Ok(Some(read)),
            Err(Fault::Said { status: 403 | 404, .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        auth: &Auth,
    ) -> Result<T, Fault> {
        let url = below(self.server(), path)?;
        self.http().send(&Call::get(operation, url), auth).await?.json()
    }
}

fn of_server(server: &Server, url: &Url, buttons: OfButtons) -> Vec<Found> {
    let mut found = Vec::new();
    let shown = one_line(&server.version, 40);
    match version(&server.version) {
        Some(version) if version < OLDEST => found.push(Found::stops(
            format!("Mattermost {shown} has no bot accounts, which came with 5.10"),
            "upgrade the server",
        )),
        Some(_) => found.push(Found::good(format!("Mattermost {shown} answers"))),
        None => found.push(Found::note(
            "the server does not tell its version",
            "see that `url` is a Mattermost of 5.10 or newer",
        )),
    }
    found.extend(server.site_url.as_deref().and_then(|site| of_site(site, url)));
    if !buttons.sealed {
        let mend = "make up a secret and write where it is (`button_secrets`), if they are to have some";
        found.push(Found::note("without `button_secrets` our messages have no buttons", mend));
        return found;
    }
    if !buttons.reached {
        let mend = "set it to where the server reaches this machine";
        let what = "without `public_url` of `[service]` our messages have no buttons";
        found.push(Found::note(what, mend));
    }
    if TriggerKey::read(&server.asymmetric_signing_public_key).is_none() {
        found.push(Found::note(
            "the server tells no key that proves who presses a button: buttons show things and do nothing",
            "upgrade the server, or have people type their commands",
        ));
    }
    found
}

/// Whether what people type can be answered: the server says where, below its own address.
fn of_site(site: &str, url: &Url) -> Option<Found> {
    let site = site.trim().trim_end_matches('/');
    let shown = one_line(site, 200);
    let mend = "set \"Site URL\" (System Console, Web Server), and `url` of the chat to the same";
    if site.is_empty() {
        return Some(Found::stops("the server has no Site URL: what people type cannot be answered", mend));
    }
    let is_ours = Url::parse(&format!("{site}/")).is_ok_and(|site| site == *url);
    let what = format!("the server's Site URL is `{shown}`, not `url` of the chat: what people type is refused");
    (!is_ours).then(|| Found::stops(what, mend))
}

fn of_me(me: &Me) -> Found {
    let name = one_line(&me.username, 60);
    if me.delete_at != 0 {
        return Found::stops(format!("the account `{name}` of the token is switched off"), "enable it again");
    }
    if me.is_bot {
        return Found::good(format!("the server takes the bot's token, as `{name}`"));
    }
    Found::note(
        format!("the token is that of `{name}`, who is no bot: what Towpath says comes from them"),
        "`mmctl bot create towpath --with-token` makes one of its own",
    )
}

/// Major and minor number of `9.11.0`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::look::Weight;

    /// A key as a server tells it; made with openssl.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGwM02kAh/doVnFtR+hKyG4Q9Ruq2N2EbPjaQMzhE5psxmDjHAGa6o5GN5liXe57np2MfjDW3Gk8gPIC4XRU5DA==";

    fn weights(found: &[Found]) -> Vec<Weight> {
        found.iter().map(|one| one.weight).collect()
    }

    #[test]
    fn what_buttons_and_answers_need_of_the_server_is_said() {
        use Weight::{Good, Note, Stops};
        let url = Url::parse("https://chat.example.com/").unwrap();
        let both = OfButtons { sealed: true, reached: true };
        let of = |version: &str, site: &str, key: &str, buttons| {
            let server = Server {
                version: version.to_owned(),
                site_url: Some(site.to_owned()),
                asymmetric_signing_public_key: key.to_owned(),
            };
            weights(&of_server(&server, &url, buttons))
        };
        let site = "https://chat.example.com";
        for (version, site, key, buttons, wanted) in [
            ("9.11.0", site, KEY, both, vec![Good]),
            ("5.10.0", "https://chat.example.com/", KEY, both, vec![Good]),
            ("5.9.9", site, KEY, both, vec![Stops]),
            ("4.99", site, KEY, both, vec![Stops]),
            ("", site, KEY, both, vec![Note]),
            ("nine", site, KEY, both, vec![Note]),
            ("9.11.0", "", KEY, both, vec![Good, Stops]),
            ("9.11.0", "https://chat.example.com/sub", KEY, both, vec![Good, Stops]),
            ("9.11.0", "http://chat.example.com", KEY, both, vec![Good, Stops]),
            ("9.11.0", "not an address", KEY, both, vec![Good, Stops]),
            ("9.11.0", site, "", both, vec![Good, Note]),
            ("9.11.0", site, "MFkw", both, vec![Good, Note]),
            ("9.11.0", site, KEY, OfButtons { sealed: true, reached: false }, vec![Good, Note]),
            ("9.11.0", site, "", OfButtons { sealed: false, reached: true }, vec![Good, Note]),
        ] {
            assert_eq!(of(version, site, key, buttons), wanted, "{version} {site} {key} {buttons:?}");
        }
    }

    #[test]
    fn whose_token_it_is_is_said() {
        let me = |is_bot, delete_at| Me { username: "tow\u{1b}[31m".to_owned(), is_bot, delete_at };
        for (is_bot, deleted, wanted) in
            [(true, 0, Weight::Good), (false, 0, Weight::Note), (true, 5, Weight::Stops), (false, 5, Weight::Stops)]
        {
            let one = of_me(&me(is_bot, deleted));
            assert_eq!(one.weight, wanted);
            assert!(!one.what.contains('\u{1b}'), "{one:?}");
        }
    }
}
