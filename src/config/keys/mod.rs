//! The one table of keys. What may be written, what it means, its default and an example: checks,
//! suggestions, `docs/config.md`, the JSON Schema and `config show` are all made from it, so a new
//! key is one row here and one reader in [`super::resolve`] or [`super::gates`].
//!
//! Not here: rules that concern several keys at once ([`super::rules`]).

mod rows;

use serde_json::Value as Json;

pub(super) use rows::ROWS;

/// A table of the config: which keys may stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Top,
    Service,
    Forge,
    App,
    Sink,
    Chat,
    Channel,
    Person,
    Allow,
    Deny,
    Defaults,
    Group,
    Flow,
    Environment,
    Request,
    Gates,
    Ci,
    Check,
    Lag,
    Window,
    Schedule,
    Approvals,
    Migrations,
    Http,
    Secret,
}

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// A text on one line.
    Text,
    /// The name of a flow or an environment.
    Name,
    /// A branch, valid for git.
    Branch,
    /// An IANA time zone.
    Zone,
    /// Five cron fields.
    Cron,
    /// A length of time; whether none at all makes sense.
    Duration { zero: bool },
    /// A length of time or this word.
    DurationOr(&'static str),
    /// `true` or `false`.
    Bool,
    /// A whole number within bounds.
    Count { least: i64, most: i64 },
    /// One of these words; and words that exist but not in this build, each with the reason and a hint.
    Word { words: &'static [&'static str], later: &'static [(&'static str, &'static str, &'static str)] },
    /// An address and a port.
    Listen,
    /// The name of a host, without a port.
    Host,
    /// Where the ledger is kept.
    Store,
    /// Where a forge is.
    Url,
    /// What an `http` gate asks.
    GateUrl,
    /// What a sink is called at.
    SinkUrl,
    /// A repository.
    Repository,
    /// The name of an environment variable.
    EnvVar,
    /// A file's path.
    File,
    /// The name of a user, as HTTP Basic authentication takes it.
    User,
    /// A pattern over flow names.
    Glob,
    /// Somebody who may approve.
    Approver,
    /// One entry of a window.
    Times,
    /// `false`, which removes what a lower layer configured.
    False,
    /// A reference to a secret.
    Secret,
    /// At least one of these.
    ListOf(&'static Kind),
    /// A table.
    Table(Place),
    /// A list of tables.
    Tables(Place),
    /// Tables by a name of the user's own.
    Named(Place),
    /// Whichever of these fits the TOML type.
    OneOf(&'static [Kind]),
}

/// What holds where nobody wrote the key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Default {
    /// It must be written.
    Required,
    /// A text.
    Text(&'static str),
    /// A number.
    Whole(i64),
    /// A truth.
    Bool(bool),
    /// It follows from something else.
    From(&'static str),
    /// Nothing.
    Nothing,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Where it may stand.
    pub places: &'static [Place],
    /// Its name.
    pub key: &'static str,
    /// What it must be.
    pub kind: Kind,
    /// What holds without it.
    pub default: Default,
    /// What it means; Markdown.
    pub meaning: &'static str,
    /// How it is written, with its key.
    pub example: &'static str,
    /// Known, but not in this build: why, and what to do.
    pub later: Option<(&'static str, &'static str)>,
}

impl Place {
    /// Every place, in the order of the reference.
    pub const ALL: [Self; 25] = [
        Self::Top,
        Self::Service,
        Self::Forge,
        Self::App,
        Self::Sink,
        Self::Chat,
        Self::Channel,
        Self::Person,
        Self::Allow,
        Self::Deny,
        Self::Secret,
        Self::Defaults,
        Self::Group,
        Self::Flow,
        Self::Environment,
        Self::Request,
        Self::Gates,
        Self::Ci,
        Self::Check,
        Self::Lag,
        Self::Window,
        Self::Schedule,
        Self::Approvals,
        Self::Migrations,
        Self::Http,
    ];

    /// How it is written, for messages and headings.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Top => "the file",
            Self::Service => "[service]",
            Self::Forge => "[forge.NAME]",
            Self::App => "app of a forge",
            Self::Sink => "[sink.NAME]",
            Self::Chat => "[chat.NAME]",
            Self::Channel => "channels of a chat",
            Self::Person => "[people.NAME]",
            Self::Allow => "[[allow]]",
            Self::Deny => "[[deny]]",
            Self::Defaults => "[defaults]",
            Self::Group => "[[group]]",
            Self::Flow => "[[flow]]",
            Self::Environment => "[[flow.environment]]",
            Self::Request => "[flow.environment.request]",
            Self::Gates => "gates",
            Self::Ci => "gates.ci",
            Self::Check => "a check in gates.ci",
            Self::Lag => "gates.lag",
            Self::Window => "gates.window",
            Self::Schedule => "gates.schedule",
            Self::Approvals => "gates.approvals",
            Self::Migrations => "gates.migrations",
            Self::Http => "gates.http",
            Self::Secret => "a secret",
        }
    }

    /// The same as it stands in a sentence.
    pub fn code(self) -> String {
        match self {
            Self::Top => self.title().to_owned(),
            Self::Check => "a check in `gates.ci`".to_owned(),
            Self::Secret => "a reference to a secret".to_owned(),
            _ => format!("`{}`", self.title()),
        }
    }

    /// The rows of keys that may stand here.
    pub fn rows(self) -> impl Iterator<Item = &'static Row> {
        ROWS.iter().filter(move |row| row.places.contains(&self))
    }

    /// The row of that key here.
    pub fn row(self, key: &str) -> Option<&'static Row> {
        self.rows().find(|row| row.key == key)
    }
}

impl Row {
    /// The key as people write it: `gates.ci`, `settle`.
    pub fn label(&self) -> String {
        if self.places == [Place::Gates] { format!("gates.{}", self.key) } else { self.key.to_owned() }
    }

    /// The default as a value, where it is one.
    pub fn default_value(&self) -> Option<Json> {
        match self.default {
            Default::Text(text) => Some(text.into()),
            Default::Whole(number) => Some(number.into()),
            Default::Bool(yes) => Some(yes.into()),
            Default::Required | Default::From(_) | Default::Nothing => None,
        }
    }
}

impl Kind {
    /// For "must be …" and the reference.
    pub fn phrase(&self) -> String {
        match self {
            Self::Text | Self::Approver | Self::Times => "a text".into(),
            Self::Name => "a name".into(),
            Self::Branch => "a branch".into(),
            Self::Zone => "the name of a time zone".into(),
            Self::Cron => "a cron expression of five fields".into(),
            Self::Duration { .. } => "a duration such as `\"30m\"`".into(),
            Self::DurationOr(word) => format!("a duration such as `\"30m\"`, or `\"{word}\"`"),
            Self::Bool => "`true` or `false`".into(),
            Self::Count { least, most } => format!("a whole number from {least} to {most}"),
            Self::Word { words: [word], .. } => format!("the word `\"{word}\"`"),
            Self::Word { words, .. } => {
                let words: Vec<String> = words.iter().map(|w| format!("`\"{w}\"`")).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Host => "the name of a host".into(),
            Self::Listen => "an address and a port".into(),
            Self::Store => "a store such as `\"sqlite:towpath.db\"`".into(),
            Self::Url => "a URL".into(),
            Self::SinkUrl => "a URL".into(),
            Self::GateUrl => "a URL with `https://`, or with `http://` on this machine itself".into(),
            Self::Repository => "a repository".into(),
            Self::EnvVar => "the name of an environment variable".into(),
            Self::File => "the path of a file".into(),
            Self::User => "the name of a user".into(),
            Self::Glob => "a pattern".into(),
            Self::False => "`false`".into(),
            Self::Secret => "a reference to a secret, `{ env = \"NAME\" }` or `{ file = \"PATH\" }`".into(),
            Self::ListOf(one) => format!("a list, each entry {}", one.phrase()),
            Self::Table(_) => "a table".into(),
            Self::Tables(_) => "a list of tables".into(),
            Self::Named(_) => "tables by name".into(),
            Self::OneOf(kinds) => kinds.iter().map(Self::phrase).collect::<Vec<_>>().join(", or "),
        }
    }
}
