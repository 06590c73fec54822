//! What a chat system sends: somebody typed after the trigger, or pressed a button.
//!
//! A value of [`Incoming`] has been proven to come from the platform. What it says (names, texts) is still
//! somebody's own making and hostile until shown. Not here: the proofs themselves, which each platform has its own
//! of, and whether something came before ([`Incoming::once`]).

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use towpath_core::people::{Identity, Platform};
use towpath_core::text::hex;

use super::message::Press;

/// The largest body that is read, in bytes. Slack sends the whole message whose button was pressed along, whose
/// blocks may hold 50 times 3000 characters.
pub const BODY_MAX: usize = 512 * 1024;

/// The longest text after the trigger, in characters; Slack's own limit for a message that is typed is 4000.
pub const SAID_MAX: usize = 4_000;

/// The longest id of a platform's, in characters: Slack's have 11, Mattermost's 26.
const ID_MAX: usize = 64;

/// Something that somebody did in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// Where.
    pub platform: Platform,
    /// The workspace (Slack) or team (Mattermost) of the person; none for a button pressed in a direct message of
    /// Mattermost, which belongs to no team.
    pub team: Option<String>,
    /// The person's id.
    pub user: String,
    /// What they call themselves there. Not an identity; hostile until shown.
    pub user_name: String,
    /// What says that it was them.
    pub proof: Proof,
    /// The channel's id.
    pub channel: String,
    /// The same when the platform sends the same thing again, and never the same for two things: of at most 80
    /// characters, letters, digits and `.:-_`.
    pub once: String,
    /// What they did.
    pub what: What,
    /// Where to answer later. A button of Mattermost has none: it is answered in the response, or by a post.
    pub answer_at: Option<AnswerAt>,
    /// The message whose button was pressed.
    pub message: Option<MessageAt>,
}

impl Incoming {
    /// Whose identity it is, where there is a team to it.
    pub fn identity(&self) -> Option<Identity> {
        let team = Some(self.team.clone()?);
        Some(Identity::Chat { platform: self.platform, team, user: self.user.clone() })
    }

    /// The channel that learns of what is done by it: where it was said first.
    pub fn learns(&self) -> &str {
        match &self.what {
            What::Pressed(Press::Confirm { told: Some(told), .. }) => told,
            _ => &self.channel,
        }
    }
}

/// What says that it was this person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The platform's own proof covers the whole request: Slack's signature or socket.
    Request,
    /// The server of Mattermost signed that this user did something in this moment (`mattermost::trigger`).
    Trigger,
    /// Nothing but the token of a slash command of Mattermost, which says of no person that it was them. They may be
    /// shown something, and nothing may be done in their name.
    Token(Unproven),
    /// Nothing: whoever knew the sealed press could have written any name. They may be shown something, and
    /// nothing may be done in their name.
    Nobody,
}

/// Why the server of Mattermost does not prove who typed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unproven {
    /// It tells no key by which its word could be checked.
    NoKey,
    /// No word of it came along.
    Unsigned,
    /// The word that came is not its own, or names somebody else.
    Forged,
    /// It was given too long ago, or a clock is wrong.
    OutOfTime,
}

impl Unproven {
    /// Why, after "Nothing is done: ".
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoKey => {
                "this Mattermost tells no key (`AsymmetricSigningPublicKey` of `/api/v4/config/client`) by which \
                 could be checked who typed it, and the token of a slash command alone says of nobody that it was them"
            }
            Self::Unsigned => {
                "Mattermost sent no signed `trigger_id` along, and the token of a slash command alone says of nobody \
                 that it was them"
            }
            Self::Forged => {
                "Mattermost's key did not sign that you typed it. Where the server was given another key lately, say \
                 it again in five minutes; else whoever sent this has the token of the slash command: make a new one"
            }
            Self::OutOfTime => {
                "Mattermost signed it more than 5 minutes from our time: say it again, and if that does not help, set \
                 the clocks"
            }
        }
    }
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Typed this after the trigger; of Slack already as it was typed (`command::chat` of the core).
    Said(String),
    /// Pressed a button of ours.
    Pressed(Press),
    /// Typed the code of a button that they were shown: the same without the button.
    Typed(Press),
}

/// A message in a channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageAt {
    /// The channel's id.
    pub channel: String,
    /// Slack's `ts`; the id of a post of Mattermost.
    pub id: String,
}

/// An address at which the platform takes an answer for a while. Whoever knows it can write there, so `Debug`
/// shows its host only.
///
/// It came with a request and goes out from our machine. So it is checked when it is read and again where it is
/// called: a forged one must not lead to an address inside of our network.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnswerAt(String);

impl AnswerAt {
    /// One of Slack's: `https:`, on `hooks.slack.com` or another host of Slack's, or where the API is that was
    /// configured (tests).
    ///
    /// # Errors
    /// If it is anywhere else.
    pub fn slack(url: &str, api: &Url) -> Result<Self, Refused> {
        let parsed = plain(url)?;
        let host = parsed.host_str().unwrap_or_default();
        let slacks = ["slack.com", "slack-gov.com"].iter().any(|domain| {
            host.strip_suffix(domain).is_some_and(|before| before.len() > 1 && before.ends_with('.'))
        });
        let there = parsed.scheme() == "https" && slacks && parsed.port().is_none();
        if there || parsed.origin() == api.origin() { Ok(Self(parsed.into())) } else { Err(Refused::Elsewhere) }
    }

    /// One of Mattermost's: below `/hooks/commands/` of the configured server, whatever the request says.
    ///
    /// # Errors
    /// If it is anywhere else.
    pub fn mattermost(url: &str, server: &Url) -> Result<Self, Refused> {
        let parsed = plain(url)?;
        let base = server.path().trim_end_matches('/');
        let hook = parsed.path().strip_prefix(base).and_then(|path| path.strip_prefix("/hooks/commands/"));
        let there = parsed.origin() == server.origin() && parsed.query().is_none() && hook.is_some_and(is_id);
        if there { Ok(Self(parsed.into())) } else { Err(Refused::Elsewhere) }
    }

    /// The address, for the one place that calls it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AnswerAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = Url::parse(&self.0).ok().and_then(|url| url.host_str().map(str::to_owned));
        write!(f, "AnswerAt({}/…)", host.unwrap_or_default())
    }
}

/// An address of the web with nothing odd about it.
fn plain(url: &str) -> Result<Url, Refused> {
    let parsed = Url::parse(url).map_err(|_| Refused::Elsewhere)?;
    let odd = url.len() > 2_000
        || url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\')
        || !matches!(parsed.scheme(), "https" | "http")
        || !parsed.username().is_empty()
        || parsed.password().is_some()
        || parsed.fragment().is_some();
    if odd { Err(Refused::Elsewhere) } else { Ok(parsed) }
}

/// Why a request was not taken. None of them holds anything of the request or of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No secret is configured.
    #[error("no secret is configured for this chat, so nothing can be trusted; see `[chat]` in the config")]
    NoSecrets,
    /// No proof, or not in the form.
    #[error("the platform's proof (signature, token or sealed button) is missing or malformed")]
    Unsigned,
    /// The proof is none of ours.
    #[error("the platform's proof does not fit; is it the secret of another app?")]
    Forged,
    /// The time of the proof is too far from ours.
    #[error("the time of the proof is more than 5 minutes from ours; is a clock wrong?")]
    OutOfTime,
    /// A button that was made too long ago.
    #[error("the button is too old; ask for its message again")]
    Expired,
    /// A button that was made for another channel.
    #[error("the button was made for another channel")]
    WrongChannel,
    /// Proven, but of a workspace or team that is not configured.
    #[error("this workspace or team is not in `team` of the config")]
    WrongTeam,
    /// Proven, but to be answered at an address that is not the platform's.
    #[error("the address for the answer is not the platform's; does `url` of the config fit the server's own?")]
    Elsewhere,
    /// Larger than such a request is.
    #[error("the request is larger than such a request is, or broke off")]
    TooLarge,
    /// It did not come to its end in time.
    #[error("the request came too slowly")]
    TooSlow,
    /// Not of the form that the platform documents.
    #[error("the request cannot be read; something that it should hold is missing or malformed")]
    Unreadable,
    /// Well formed, but nothing that Towpath has.
    #[error("this is no command or button of Towpath's")]
    NotOurs,
}

impl Refused {
    /// One word, for metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoSecrets => "no-secrets",
            Self::Unsigned => "unsigned",
            Self::Forged => "forged",
            Self::OutOfTime => "out-of-time",
            Self::Expired => "expired",
            Self::WrongChannel => "wrong-channel",
            Self::WrongTeam => "wrong-team",
            Self::Elsewhere => "elsewhere",
            Self::TooLarge => "too-large",
            Self::TooSlow => "too-slow",
            Self::Unreadable => "unreadable",
            Self::NotOurs => "not-ours",
        }
    }
}

/// Whether it can be an id of a platform's: letters and digits only, so that it means nothing in a path, a
/// mention or an identity.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The id, if it is one.
///
/// # Errors
/// If it is not.
pub(super) fn id(text: &str) -> Result<String, Refused> {
    if is_id(text) { Ok(text.to_owned()) } else { Err(Refused::Unreadable) }
}

/// What [`Incoming::once`] is for an id that the platform gave: itself, or its hash where it is long or odd.
///
/// # Errors
/// If there is none.
pub(super) fn once(given: &str) -> Result<String, Refused> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'_');
    match given.len() {
        0 => Err(Refused::Unreadable),
        // A hash has 64 characters: none is ever taken for what was given.
        1..=63 if given.bytes().all(plain) => Ok(given.to_owned()),
        _ => Ok(hex(&Sha256::digest(given))),
    }
}

/// A name as it is kept: not an identity, so cut rather than refused.
pub(super) fn user_name(given: &str) -> String {
    given.chars().take(100).collect()
}

/// What was typed, if it is not too long.
///
/// # Errors
/// If it is.
pub(super) fn said(text: String) -> Result<What, Refused> {
    if text.chars().count() > SAID_MAX { Err(Refused::TooLarge) } else { Ok(What::Said(text)) }
}

/// Whether two secrets are the same, in a time that says nothing of where they differ.
pub(super) fn same_secret(one: &[u8], other: &[u8]) -> bool {
    let code =
        |text: &[u8]| Hmac::<Sha256>::new_from_slice(b"towpath same secret").ok().map(|m| m.chain_update(text));
    match (code(one), code(other)) {
        (Some(one), Some(other)) => one.verify_slice(&other.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_known_again_by_a_short_id() {
        let made = |text: &str| once(text).unwrap();
        assert_eq!(made("13345224609.738474920.8088930838"), "13345224609.738474920.8088930838");
        let long = "x".repeat(64);
        for odd in [long.as_str(), "a b", "é", "a/b", "a+b=", "\u{0}", &"x".repeat(100_000)] {
            let hashed = made(odd);
            assert!(hashed.len() == 64 && hashed != *odd && hashed == made(odd), "{odd}");
        }
        assert_ne!(made("a b"), made("a  b"));
        assert_eq!(once(""), Err(Refused::Unreadable));
    }

    #[test]
    fn secrets_are_the_same_or_not() {
        for (one, other, same) in [("a", "a", true), ("a", "b", false), ("a", "aa", false), ("", "", true)] {
            assert_eq!(same_secret(one.as_bytes(), other.as_bytes()), same, "{one} {other}");
        }
    }

    #[test]
    fn each_refusal_has_a_word_and_a_sentence() {
        let all = [
            Refused::NoSecrets,
            Refused::Unsigned,
            Refused::Forged,
            Refused::OutOfTime,
            Refused::Expired,
            Refused::WrongChannel,
            Refused::WrongTeam,
            Refused::Elsewhere,
            Refused::TooLarge,
            Refused::Unreadable,
            Refused::NotOurs,
        ];
        let words: std::collections::BTreeSet<_> = all.iter().map(|refused| refused.word()).collect();
        assert_eq!(words.len(), all.len());
        assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        assert!(all.iter().all(|refused| refused.to_string().len() > 20));
    }

    #[test]
    fn ids_are_letters_and_digits() {
        for (text, is) in
            [("U012AB3CD", true), ("u1", true), ("", false), ("a-b", false), ("é", false), ("a b", false)]
        {
            assert_eq!(is_id(text), is, "{text}");
        }
        assert!(is_id(&"a".repeat(64)) && !is_id(&"a".repeat(65)));
        assert_eq!(user_name(&"é".repeat(200)).chars().count(), 100);
    }
}
