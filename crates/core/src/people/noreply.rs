//! Addresses that forges make up for people who hide theirs, and the names of machines.
//!
//! GitHub: `ID+LOGIN@users.noreply.github.com`, before 2017 without `ID+` (docs.github.com, "Setting your
//! commit email address"). GitLab: `ID-LOGIN@users.noreply.HOST`; it means to leave the login out
//! (gitlab-org/gitlab#551782), so digits alone are nobody's login there. Gitea and Forgejo:
//! `LOGIN@noreply.HOST` (`NO_REPLY_ADDRESS`), newer ones with `ID+`.

use serde::{Deserialize, Serialize};

/// A forge as far as its addresses tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgeHost {
    /// Its name in the config.
    pub name: String,
    /// Where it is: a host, with or without a port.
    pub host: String,
    /// What it runs.
    pub kind: ForgeKind,
}

/// How a forge makes up addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForgeKind {
    /// GitHub, in the cloud or self-managed.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    /// Any other: as Gitea.
    Other,
}

impl ForgeHost {
    /// The login in an address that this forge made up; none in any other address.
    pub fn login_in(&self, email: &str) -> Option<String> {
        let (local, domain) = email.trim().rsplit_once('@')?;
        let domain = domain.to_lowercase();
        let host = self.host.to_lowercase();
        let host = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host);
        let rest = domain.strip_prefix("users.").unwrap_or(&domain).strip_prefix("noreply.")?;
        if host.is_empty() || rest != host {
            return None;
        }
        let digits = local.bytes().take_while(u8::is_ascii_digit).count();
        let (id, behind) = local.split_at(digits);
        let after = |sign: char| behind.strip_prefix(sign).filter(|_| !id.is_empty());
        let login = match self.kind {
            ForgeKind::GitLab => after('-')?,
            ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Other => after('+').unwrap_or(local),
        };
        let letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '[' | ']');
        (!login.is_empty() && login.chars().all(letter)).then(|| login.to_owned())
    }
}

/// Accounts that are known to be nobody's and do not say so.
const BOTS: [&str; 12] = [
    "copilot",
    "dependabot",
    "dependabot-preview",
    "forgejo-actions",
    "gitea-actions",
    "github",
    "github-actions",
    "gitlab",
    "mergify",
    "renovate",
    "teabot",
    "web-flow",
];

/// Whether a login, a name or an e-mail address is a machine's, as far as it says so.
///
/// `…[bot]`, `…-bot` and `…_bot`; GitLab's tokens (`project_7_bot_…`, `group_7_bot_…`) and service accounts;
/// addresses of no one (`noreply@…`); and some that are known.
pub fn is_bot(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    let (local, is_address) = name.rsplit_once('@').map_or((name.as_str(), false), |(local, _)| (local, true));
    if is_address && matches!(local, "noreply" | "no-reply" | "no_reply" | "donotreply" | "do-not-reply") {
        return true;
    }
    // The id before a login: `49699333+dependabot[bot]@…`, `7-project_7_bot@…`.
    let id = local.bytes().take_while(u8::is_ascii_digit).count();
    let login = if id > 0 && is_address { local[id..].trim_start_matches(['+', '-']) } else { local };
    let of_token = ["project_", "group_"].iter().any(|kind| {
        let rest = login.strip_prefix(kind).unwrap_or_default();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits > 0 && rest[digits..].starts_with("_bot")
    });
    of_token
        || login.ends_with("[bot]")
        || login.ends_with("-bot")
        || login.ends_with("_bot")
        || login.starts_with("service_account_")
        || BOTS.contains(&login)
}
