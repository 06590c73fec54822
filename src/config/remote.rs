//! What `repository` says: a path on a forge, a git URL, an scp form, or a local path.
//!
//! Not here: asking the remote anything.

use std::path::{Component, Path, PathBuf};

use towpath_core::repository;

use super::ForgeKind;
use super::problem::shown;
use super::redact::looks_like_token;
use super::suggest;

/// A remote as git is given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remote {
    /// For git.
    pub remote: String,
    /// The forge it is on.
    pub forge: Option<String>,
    /// For people: what the forge calls it, or as written.
    pub repository: String,
    /// What the flow is called if nobody says.
    pub default_name: String,
    /// Equal for two remotes that are one repository, as far as their texts tell.
    pub identity: String,
}

/// What is wrong with it, and what to write.
pub(super) type Fault = (String, String);

/// The schemes that git may use; `crate::git::remote` holds itself to the same.
const SCHEMES: [&str; 4] = ["https", "http", "ssh", "file"];

/// A forge that the config names: its name, its URL, and what speaks there.
pub(super) type Known = (String, String, ForgeKind);

/// Understands `repository`.
pub(super) fn read(text: &str, forges: &[Known], base: &Path) -> Result<Remote, Fault> {
    general_fault(text)?;
    if let Some((prefix, path)) = text.split_once(':')
        && let Some((name, url, kind)) = forges.iter().find(|(name, ..)| name == prefix)
    {
        return on_forge(name, url, *kind, path);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return url(text, scheme, rest);
    }
    match text.split_once(':') {
        Some((host, path)) if !host.contains('/') => scp(text, host, path, forges),
        _ => local(text, base),
    }
}

fn general_fault(text: &str) -> Result<(), Fault> {
    let fault = |what: &str, hint: &str| Err((what.to_owned(), hint.to_owned()));
    if text.trim() != text || text.is_empty() {
        return fault(
            "a repository is written without spaces around it",
            "write a git URL, `user@host:path` or a path",
        );
    }
    if text.chars().any(char::is_control) {
        return fault("a repository holds no control characters", "write a git URL, `user@host:path` or a path");
    }
    if text.starts_with('-') {
        return fault(
            "a repository may not begin with a dash, because git would take it for an option",
            "write a path as `./-name`",
        );
    }
    Ok(())
}

fn on_forge(name: &str, url: &str, kind: ForgeKind, path: &str) -> Result<Remote, Fault> {
    let bad = path.is_empty()
        || path.starts_with(['/', '-'])
        || path.contains(['?', '#'])
        || path.ends_with('/')
        || path.contains("//");
    if bad || path.split('/').any(|part| matches!(part, "." | "..")) {
        return Err((
            format!("`{}` is no path of a repository", shown(path)),
            format!("write the path as it stands in the forge's URL, as in `{name}:shop/checkout`"),
        ));
    }
    // GitLab's git is nowhere else, and redirects are not followed; the other forges know both.
    let suffix = if kind.is_forge() && !path.ends_with(".git") { ".git" } else { "" };
    let remote = format!("{}/{path}{suffix}", url.trim_end_matches('/'));
    Ok(Remote {
        identity: identity(&remote),
        remote,
        forge: Some(name.to_owned()),
        repository: path.to_owned(),
        default_name: plain_name(path),
    })
}

/// What is wrong with a URL's user, host and path, whichever key holds it.
pub(super) fn url_fault(scheme: &str, rest: &str) -> Result<(), Fault> {
    if !SCHEMES.contains(&scheme) {
        return Err((
            format!("`{}://` is no way to reach a repository", shown(scheme)),
            format!("use one of {}", SCHEMES.map(|s| format!("`{s}://`")).join(", ")),
        ));
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if scheme == "file" {
        return match authority {
            "" => Ok(()),
            _ => Err((
                "a `file://` URL has no host".into(),
                "write it with three slashes, `file:///srv/git/a.git`".into(),
            )),
        };
    }
    let named = scheme == "ssh" && user.is_none_or(|user| !user.contains([':', '%']) && !looks_like_token(user));
    if (user.is_some() && !named) || (scheme != "ssh" && rest.contains(['?', '#'])) {
        let user_only = user.is_some_and(|user| !user.contains(':'));
        let what = if user_only {
            "a URL may not hold a user, which may be a token"
        } else {
            "a URL may not hold a password or a token"
        };
        let hint = "make a `[forge.NAME]` with `token = { env = \"NAME\" }` and write `NAME:PATH`, or let git's ssh keys do it";
        return Err((what.to_owned(), hint.to_owned()));
    }
    if host.is_empty() || host.starts_with(':') {
        return Err((
            "this URL names no host".to_owned(),
            "write it as `https://git.example.com/shop/checkout.git`".to_owned(),
        ));
    }
    if host.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) || path.starts_with('-') {
        return Err(dash());
    }
    Ok(())
}

/// What begins with a dash.
fn dash() -> Fault {
    (
        "a user, host or path that begins with a dash would be taken for an option".to_owned(),
        "write it without the dash".to_owned(),
    )
}

fn url(text: &str, scheme: &str, rest: &str) -> Result<Remote, Fault> {
    url_fault(scheme, rest)?;
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    if path.trim_matches('/').is_empty() {
        return Err(("this URL has no path".to_owned(), "add the repository's path after the host".to_owned()));
    }
    let default_name = if scheme == "file" { last_name(path) } else { plain_name(path) };
    Ok(plain(text.to_owned(), text, default_name))
}

fn scp(text: &str, host: &str, path: &str, forges: &[Known]) -> Result<Remote, Fault> {
    const KINDS: [&str; 6] = ["github", "gitlab", "gitea", "forgejo", "bitbucket", "git"];
    if path.starts_with(':') {
        return Err((
            "git's transport helpers (`NAME::…`) may run any program and are not allowed".to_owned(),
            "write a git URL".to_owned(),
        ));
    }
    let names = forges.iter().map(|(name, ..)| name.as_str());
    let plain_word = !host.contains(['@', '.', '[']);
    let meant = suggest::nearest(host, names).filter(|_| plain_word);
    if meant.is_some() || (plain_word && KINDS.contains(&host)) {
        let hint = match meant {
            Some(meant) => format!("did you mean `{meant}:{}`?", shown(path)),
            None => format!("add `[forge.{host}]` with `kind = \"git\"` and its `url`"),
        };
        return Err((
            format!("there is no `[forge.{}]` in this file", shown(host)),
            format!("{hint} (for an ssh host of that name write `ssh://{}/{}`)", shown(host), shown(path)),
        ));
    }
    let (user, name) = host.split_once('@').map_or((None, host), |(user, name)| (Some(user), name));
    let secret_first = user.is_none() && path.split('/').next().is_some_and(|first| first.contains('@'));
    if secret_first || user.is_some_and(looks_like_token) {
        return Err((
            "`user@host:path` may not hold a password or a token".to_owned(),
            "write `user@host:path` and let git's ssh keys do it".to_owned(),
        ));
    }
    if name.is_empty() || path.is_empty() {
        return Err((
            "this is neither a git URL nor `user@host:path`".to_owned(),
            "write it as `git@git.example.com:shop/checkout.git`".to_owned(),
        ));
    }
    if name.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) || path.starts_with('-') {
        return Err(dash());
    }
    Ok(plain(text.to_owned(), text, plain_name(path)))
}

fn local(text: &str, base: &Path) -> Result<Remote, Fault> {
    if text.starts_with('~') {
        return Err(("`~` is not expanded here".to_owned(), "write the whole path, beginning with `/`".to_owned()));
    }
    let path = tidy(&base.join(text));
    let Some(remote) = path.to_str() else {
        return Err((
            "the config's folder is not UTF-8".to_owned(),
            "write the repository's whole path".to_owned(),
        ));
    };
    Ok(plain(remote.to_owned(), text, last_name(text)))
}

fn plain(remote: String, written: &str, default_name: String) -> Remote {
    Remote { identity: identity(&remote), remote, forge: None, repository: written.to_owned(), default_name }
}

/// Without `.`; `..` stays, since only the file system knows where it leads past a link.
pub(super) fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|c| !matches!(c, Component::CurDir)).collect()
}

/// The same for all spellings of one repository, links included.
pub(super) fn identity(remote: &str) -> String {
    let there = |path: &str| std::fs::canonicalize(path).ok()?.into_os_string().into_string().ok();
    repository::identity(remote, there)
}

/// What a flow of a repository at that path is called.
pub(super) fn plain_name(path: &str) -> String {
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path).to_lowercase()
}

fn last_name(path: &str) -> String {
    let mut parts = path.split('/').filter(|p| !p.is_empty() && *p != ".");
    let last = match parts.next_back() {
        Some(".git") => parts.next_back(),
        other => other,
    };
    plain_name(last.unwrap_or_default())
}
