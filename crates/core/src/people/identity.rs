//! What a surface knows somebody by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::Actor;
use crate::text::Shown;

/// The longest identity, in characters: an e-mail address has 320 at most, an OIDC subject 255 behind its
/// issuer.
pub const IDENTITY_MAX: usize = 600;

/// One of the names of a person, or of a machine.
///
/// Its text, which is also how it is written in the config and stored, is `forge:NAME/LOGIN`,
/// `mail:ADDRESS`, `slack:TEAM/USER` (and so for each [`Platform`], without `TEAM/` where users are known
/// everywhere; of Mattermost with it or without), `oidc:ISSUER#SUBJECT`, `os:USER@HOST` or `token:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// An account on a forge.
    Forge {
        /// The forge's name in the config.
        forge: String,
        /// The account; upper and lower case are the same.
        login: String,
    },
    /// An e-mail address; upper and lower case are the same. What a commit says of its author proves
    /// nothing: it serves to refuse and to mention, never to allow.
    Email(String),
    /// A user of a chat system.
    Chat {
        /// Which.
        platform: Platform,
        /// The workspace, team or server that the id belongs to; none where ids are unique everywhere
        /// (Discord, Matrix).
        team: Option<String>,
        /// The id, not the name that is shown: people change that.
        user: String,
    },
    /// Somebody who logged in by OpenID Connect.
    Oidc {
        /// The issuer's URL.
        issuer: String,
        /// The subject, which only means something with its issuer.
        subject: String,
    },
    /// A local command.
    Os {
        /// The account on the machine.
        user: String,
        /// The machine; upper and lower case are the same.
        host: String,
    },
    /// A token of the API.
    Token(String),
}

/// A chat system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// Slack.
    Slack,
    /// Mattermost.
    Mattermost,
    /// Discord.
    Discord,
    /// Microsoft Teams.
    Teams,
    /// Google Chat.
    GoogleChat,
    /// Rocket.Chat.
    RocketChat,
    /// Matrix.
    Matrix,
}

/// Why a text is no identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadIdentity {
    /// What was given.
    pub text: String,
}

impl fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no identity; write `forge:NAME/LOGIN`, `mail:ADDRESS`, `slack:TEAM/USER`, `mattermost:USER`, `oidc:ISSUER#SUBJECT`, `os:USER@HOST` or `token:NAME`",
            Shown::new(&self.text).at_most(80)
        )
    }
}

impl std::error::Error for BadIdentity {}

impl Platform {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Slack,
        Self::Mattermost,
        Self::Discord,
        Self::Teams,
        Self::GoogleChat,
        Self::RocketChat,
        Self::Matrix,
    ];

    /// The word before the colon of an identity, and in the config.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Mattermost => "mattermost",
            Self::Discord => "discord",
            Self::Teams => "teams",
            Self::GoogleChat => "google-chat",
            Self::RocketChat => "rocket-chat",
            Self::Matrix => "matrix",
        }
    }
}

impl Identity {
    /// An account on a forge.
    pub fn forge(forge: impl Into<String>, login: impl Into<String>) -> Self {
        Self::Forge { forge: forge.into(), login: login.into() }
    }

    /// Whether its text can be read back; one that was read from text is.
    pub fn is_sound(&self) -> bool {
        let plain = |text: &str| !text.is_empty() && text == text.trim() && !text.chars().any(char::is_control);
        let one_word = |text: &str| plain(text) && !text.contains(char::is_whitespace);
        let sound = match self {
            Self::Forge { forge, login } => one_word(forge) && !forge.contains('/') && one_word(login),
            Self::Email(address) => {
                let parts = address.rsplit_once('@');
                one_word(address)
                    && !address.contains(['<', '>'])
                    && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            }
            Self::Chat { team, user, .. } => {
                one_word(user)
                    && !user.contains('/')
                    && team.as_ref().is_none_or(|team| one_word(team) && !team.contains('/'))
            }
            Self::Oidc { issuer, subject } => one_word(issuer) && !issuer.contains('#') && plain(subject),
            Self::Os { user, host } => plain(user) && one_word(host) && !host.contains('@'),
            Self::Token(name) => plain(name),
        };
        sound && self.to_string().chars().count() <= IDENTITY_MAX
    }

    /// The same for two that name the same: in lower case, as far as case does not matter.
    #[must_use]
    pub fn key(&self) -> Self {
        match self {
            Self::Forge { forge, login } => Self::Forge { forge: forge.clone(), login: login.to_lowercase() },
            Self::Email(address) => Self::Email(address.to_lowercase()),
            Self::Os { user, host } => Self::Os { user: user.clone(), host: host.to_lowercase() },
            Self::Chat { .. } | Self::Oidc { .. } | Self::Token(_) => self.clone(),
        }
    }

    /// The same without its team, of a user whose id is the same in every team of the server: Mattermost's
    /// (`user_id` of its API is of the server, and teams list members by it). None of everybody else.
    #[must_use]
    pub fn of_whole_server(&self) -> Option<Self> {
        match self {
            Self::Chat { platform: platform @ Platform::Mattermost, user, .. } => {
                Some(Self::Chat { platform: *platform, team: None, user: user.clone() })
            }
            _ => None,
        }
    }

    /// Whether it is a machine's: whoever has the shell or a token of an administrator's making.
    pub const fn is_machine(&self) -> bool {
        matches!(self, Self::Os { .. } | Self::Token(_))
    }

    /// The name under which is recorded what somebody does who is no person here.
    pub fn actor(&self) -> Actor {
        Actor::new(self.to_string())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forge { forge, login } => write!(f, "forge:{forge}/{login}"),
            Self::Email(address) => write!(f, "mail:{address}"),
            Self::Chat { platform, team: Some(team), user } => write!(f, "{}:{team}/{user}", platform.word()),
            Self::Chat { platform, team: None, user } => write!(f, "{}:{user}", platform.word()),
            Self::Oidc { issuer, subject } => write!(f, "oidc:{issuer}#{subject}"),
            Self::Os { user, host } => write!(f, "os:{user}@{host}"),
            Self::Token(name) => write!(f, "token:{name}"),
        }
    }
}

impl FromStr for Identity {
    type Err = BadIdentity;

    fn from_str(text: &str) -> Result<Self, BadIdentity> {
        read(text).filter(Self::is_sound).ok_or_else(|| BadIdentity { text: text.chars().take(200).collect() })
    }
}

fn read(text: &str) -> Option<Identity> {
    let (kind, rest) = text.split_once(':')?;
    let owned = |(one, other): (&str, &str)| (one.to_owned(), other.to_owned());
    Some(match kind {
        "forge" => {
            let (forge, login) = rest.split_once('/').map(owned)?;
            Identity::Forge { forge, login }
        }
        "mail" => Identity::Email(rest.to_owned()),
        "oidc" => {
            let (issuer, subject) = rest.split_once('#').map(owned)?;
            Identity::Oidc { issuer, subject }
        }
        "os" => {
            let (user, host) = rest.rsplit_once('@').map(owned)?;
            Identity::Os { user, host }
        }
        "token" => Identity::Token(rest.to_owned()),
        word => {
            let platform = Platform::ALL.into_iter().find(|platform| platform.word() == word)?;
            match rest.split_once('/').map(owned) {
                Some((team, user)) => Identity::Chat { platform, team: Some(team), user },
                None => Identity::Chat { platform, team: None, user: rest.to_owned() },
            }
        }
    })
}

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
