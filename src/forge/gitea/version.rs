//! Versions of Gitea and Forgejo, and what hangs on them.
//!
//! Gitea says `1.24.7` or `1.25.0+dev-12-gabc`; Forgejo says its own version and, after `+gitea-`,
//! the Gitea whose API it still speaks: `13.0.2+gitea-1.22.0`.

use std::fmt;

/// From this version on a merge is taken for pinned: it is refused when the head is not the one that
/// was named (`head_commit_id`), and older servers ignore the field. The field is a little older than
/// this; the line is drawn at a version of which it is sure, and which was out of support long ago.
const PINNED: (u32, u32) = (1, 17);

/// Since when webhooks are sent for commit statuses: go-gitea/gitea#27151 made the event, and #18852 says that 1.23 has
/// it. No Forgejo does, by its description.
const STATUS_HOOKS: (u32, u32) = (1, 23);

/// Since when a rule can allow pushes with force: go-gitea/gitea#28086.
const FORCE: (u32, u32) = (1, 23);

/// Since when a branch can be moved by a call: go-gitea/gitea#35951, in the notes of 1.26.0. No Forgejo has it, by its
/// description, where `PATCH` of a branch gives it another name.
const MOVES: (u32, u32) = (1, 26);

/// What a server says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// Which of the two.
    pub maker: Maker,
    /// Major and minor number of its own.
    pub own: (u32, u32),
    /// Major and minor number of the Gitea whose API it speaks.
    pub api: (u32, u32),
}

/// Who made the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// Gitea.
    Gitea,
    /// Forgejo.
    Forgejo,
}

impl Version {
    /// Reads what `/version` says.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let own = numbers(text)?;
        Some(match text.split_once("+gitea-") {
            Some((_, api)) => Self { maker: Maker::Forgejo, own, api: numbers(api)? },
            // Forgejo before version 7 counted as Gitea does: `1.21.11-2+forgejo-…` or `…-1`.
            None => Self { maker: Maker::Gitea, own, api: own },
        })
    }

    /// Whether a merge is refused when the head has moved.
    pub(super) fn pins_heads(&self) -> bool {
        self.api >= PINNED
    }

    /// Whether a protection rule can allow pushes with force.
    pub(super) fn lets_force(&self) -> bool {
        self.maker == Maker::Gitea && self.api >= FORCE
    }

    /// Whether a branch can be moved by a call.
    pub(super) fn moves_branches(&self) -> bool {
        self.maker == Maker::Gitea && self.api >= MOVES
    }

    /// Whether a webhook can be sent for commit statuses.
    pub(super) fn tells_statuses(&self) -> bool {
        self.api >= STATUS_HOOKS
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let maker = match self.maker {
            Maker::Gitea => "Gitea",
            Maker::Forgejo => "Forgejo",
        };
        write!(f, "{maker} {}.{}", self.own.0, self.own.1)
    }
}

/// The first two numbers of `1.24.7+dev`.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().trim_start_matches('v').split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_servers_write_them() {
        let read = |text: &str| Version::parse(text).map(|v| (v.to_string(), v.api, v.pins_heads()));
        assert_eq!(read("1.24.7"), Some(("Gitea 1.24".to_owned(), (1, 24), true)));
        assert_eq!(read("1.25.0+dev-12-gabcdef"), Some(("Gitea 1.25".to_owned(), (1, 25), true)));
        assert_eq!(read("1.16.9"), Some(("Gitea 1.16".to_owned(), (1, 16), false)));
        assert_eq!(read("13.0.2+gitea-1.22.0"), Some(("Forgejo 13.0".to_owned(), (1, 22), true)));
        let dev = "17.0.0-dev-609-a14eb80977+gitea-1.22.0";
        assert_eq!(read(dev), Some(("Forgejo 17.0".to_owned(), (1, 22), true)));
        let force = |text: &str| Version::parse(text).map(|version| version.lets_force());
        assert_eq!(
            (force("1.23.0"), force("1.22.6"), force("13.0.2+gitea-1.23.0")),
            (Some(true), Some(false), Some(false))
        );
        let moves = |text: &str| Version::parse(text).map(|version| version.moves_branches());
        for (text, has) in [
            ("1.26.0", true),
            ("1.26.0+dev-12-gabcdef", true),
            ("1.27.3", true),
            ("2.0.0", true),
            ("1.25.9", false),
            ("1.3.0", false),
            ("13.0.2+gitea-1.26.0", false),
            ("17.0.0-dev-609-a14eb80977+gitea-1.22.0", false),
        ] {
            assert_eq!(moves(text), Some(has), "{text}");
        }
        let tells = |text: &str| Version::parse(text).map(|version| version.tells_statuses());
        assert_eq!((tells("1.23.0"), tells("1.25.0+dev-12-gabcdef")), (Some(true), Some(true)));
        assert_eq!(
            (tells("1.22.6"), tells("1.9.9"), tells("13.0.2+gitea-1.22.0")),
            (Some(false), Some(false), Some(false))
        );
        assert_eq!(read("unknown"), None);
        assert_eq!(read(""), None);
    }
}
