//! Names and identifiers. Everything that could be mistaken for another string is its own type.
//!
//! Not here: checking that a branch exists, or that a commit does; that is observation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The SHA-1 object id of a commit, 40 lower-case hexadecimal digits when written.
///
/// Repositories in SHA-256 format are refused at the border (`Unknown::Sha256`), so that no id in
/// here is ever a truncated one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId([u8; 20]);

/// The SHA-1 object id of a tree: equal trees hold equal files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeId([u8; 20]);

/// Why a text is no object id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadId {
    /// What was given.
    pub text: String,
}

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a full commit id (40 hexadecimal digits)", self.text.escape_debug())
    }
}

impl std::error::Error for BadId {}

fn parse_hex(text: &str) -> Result<[u8; 20], BadId> {
    let bad = || BadId { text: text.chars().take(80).collect() };
    let bytes = text.as_bytes();
    if bytes.len() != 40 {
        return Err(bad());
    }
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8).ok_or_else(bad);
    let mut id = [0u8; 20];
    for (at, pair) in bytes.chunks_exact(2).enumerate() {
        id[at] = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Ok(id)
}

macro_rules! object_id {
    ($name:ident) => {
        impl $name {
            /// The id with exactly these twenty bytes.
            pub const fn from_bytes(bytes: [u8; 20]) -> Self {
                Self(bytes)
            }

            /// The twenty bytes.
            pub const fn as_bytes(&self) -> &[u8; 20] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                parse_hex(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

object_id!(CommitId);
object_id!(TreeId);

impl CommitId {
    /// The first nine digits, as people write it.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(9);
        text
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes a text that has been checked where it entered (config, store, git).
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

name! {
    /// A flow: one repository and its ordered environments.
    FlowName
}
name! {
    /// An environment of a flow.
    EnvName
}
name! {
    /// A branch, without `refs/heads/`. May hold shell and HTML metacharacters: git allows them.
    BranchName
}
name! {
    /// A CI check, as whoever reports it names it.
    CheckName
}
name! {
    /// A person as a surface knows them: `os:user@host` for a local command, `git:user@host` for a
    /// movement seen in the repository.
    Actor
}
name! {
    /// An intent: a hash over flow, edge, old, new, kind, policy and attempt.
    IntentId
}
name! {
    /// A standing order (pause, freeze, hold, promote, override, approval) or a recorded command.
    OrderId
}
name! {
    /// A digest of everything in the config that bears on one flow.
    PolicyDigest
}

impl BranchName {
    /// The full reference, which is the only form that git is ever given.
    pub fn full_ref(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}
