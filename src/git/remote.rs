//! Where a repository is: the config's `repository` text, understood once.
//!
//! The forms are those of `git help clone` ("Git URLs"). Whatever could smuggle in an option, a
//! helper program or a credential is refused here, in words that do not repeat the secret.
//!
//! Not here: forges (`gitlab:shop/checkout`), which the config has told apart before.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};
use towpath_core::repository;

use super::login::Login;

/// How git talks to a remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder of this machine, by path or `file://`.
    Local,
    /// `https://`.
    Https,
    /// `http://`: anybody on the way may read and change what passes.
    Http,
    /// `ssh://` or `user@host:path`.
    Ssh,
}

/// A remote repository. Its text never holds a credential, so it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    kind: Kind,
    text: String,
    login: Option<Login>,
    ca: Option<PathBuf>,
}

/// Why a text names no remote. Never repeats the text: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRemote {
    /// Nothing but blanks.
    #[error("the repository is empty; write a path, an https:// or ssh:// URL, or user@host:path")]
    Empty,
    /// A password or token in the URL.
    #[error(
        "the repository's URL holds a credential; take it out (it would show in logs and process \
         lists) and configure a token, or use ssh"
    )]
    Credentials,
    /// It, its host, its user or its path begins with a dash.
    #[error("a repository, host, user or path that begins with `-` would be taken for an option")]
    Dash,
    /// Line breaks or other control characters.
    #[error("the repository's name holds control characters")]
    Control,
    /// A kind of transport that is not offered.
    #[error("`{scheme}` is not supported; use a path, file://, https://, http:// or ssh://")]
    Scheme {
        /// The scheme, at most 20 characters.
        scheme: String,
    },
    /// No host, or no path.
    #[error("the repository's URL lacks a host or a path")]
    Incomplete,
    /// The base folder's path is not UTF-8.
    #[error("the folder of the config has a name that is not UTF-8")]
    NotUtf8,
}

impl Remote {
    /// Understands `text`; a relative path starts at `base`, the config file's folder.
    ///
    /// # Errors
    /// What is wrong with the text, without repeating it.
    pub fn parse(text: &str, base: &Path) -> Result<Self, BadRemote> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadRemote::Empty);
        }
        if text.starts_with('-') {
            return Err(BadRemote::Dash);
        }
        if text.chars().any(char::is_control) {
            return Err(BadRemote::Control);
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return Self::of_url(scheme, rest, text);
        }
        match text.split_once(':') {
            // As git: a colon before any slash makes it `host:path`.
            Some((host, path)) if !host.contains('/') => Self::of_scp(host, path, text),
            _ => Self::of_path(&base.join(text)),
        }
    }

    /// The repository in that folder.
    ///
    /// # Errors
    /// If the path is relative with no way to make it absolute, not UTF-8, or has control characters.
    pub fn of_path(path: &Path) -> Result<Self, BadRemote> {
        let absolute = std::path::absolute(path).map_err(|_| BadRemote::Incomplete)?;
        let text = tidy(&absolute).into_os_string().into_string().map_err(|_| BadRemote::NotUtf8)?;
        if text.chars().any(char::is_control) {
            return Err(BadRemote::Control);
        }
        Ok(Self { kind: Kind::Local, text, login: None, ca: None })
    }

    fn of_url(scheme: &str, rest: &str, text: &str) -> Result<Self, BadRemote> {
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "file" => Kind::Local,
            "https" => Kind::Https,
            "http" => Kind::Http,
            "ssh" => Kind::Ssh,
            _ => return Err(BadRemote::Scheme { scheme: scheme.chars().take(20).collect() }),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if kind == Kind::Local {
            let absolute = authority.is_empty() && !path.is_empty();
            return if absolute { Ok(Self::plain(kind, text)) } else { Err(BadRemote::Incomplete) };
        }
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let user_may_be_named = kind == Kind::Ssh && user.is_none_or(|user| !user.contains([':', '%']));
        if user.is_some() && !user_may_be_named {
            return Err(BadRemote::Credentials);
        }
        // `?private_token=…` and the like.
        if kind != Kind::Ssh && text.contains(['?', '#']) {
            return Err(BadRemote::Credentials);
        }
        if host.is_empty() || path.trim_matches('/').is_empty() {
            return Err(BadRemote::Incomplete);
        }
        if host.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) || path.starts_with('-') {
            return Err(BadRemote::Dash);
        }
        Ok(Self::plain(kind, text))
    }

    fn of_scp(host: &str, path: &str, text: &str) -> Result<Self, BadRemote> {
        // `ext::sh -c …` and every other remote helper.
        if path.starts_with(':') {
            return Err(BadRemote::Scheme { scheme: format!("{}::", host.chars().take(18).collect::<String>()) });
        }
        // `user:password@host:path`
        if !host.contains('@') && path.split('/').next().is_some_and(|first| first.contains('@')) {
            return Err(BadRemote::Credentials);
        }
        let (user, name) = host.split_once('@').map_or((None, host), |(user, name)| (Some(user), name));
        if name.is_empty() || path.is_empty() {
            return Err(BadRemote::Incomplete);
        }
        if name.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) || path.starts_with('-') {
            return Err(BadRemote::Dash);
        }
        Ok(Self::plain(Kind::Ssh, text))
    }

    fn plain(kind: Kind, text: &str) -> Self {
        Self { kind, text: text.to_owned(), login: None, ca: None }
    }

    /// Logs in with that. It is sent over `https://`, and over `http://` to this machine itself;
    /// elsewhere it would be readable, and is left out.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.login = Some(login);
        self
    }

    /// Trusts the certificates in that file, and no others, where it is called over `https://`.
    #[must_use]
    pub fn trusting(mut self, ca: PathBuf) -> Self {
        self.ca = Some(ca);
        self
    }

    /// How git talks to it.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What git is given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A folder name for what belongs to this repository: legible, unlike any other repository's,
    /// and the same however it is written.
    pub fn folder_name(&self) -> String {
        let there = |path: &str| std::fs::canonicalize(path).ok()?.into_os_string().into_string().ok();
        let identity = repository::identity(&self.text, there);
        let last = identity.rsplit(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
        let legible: String = last.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
        let digest = Sha256::digest(identity.as_bytes());
        let hash = towpath_core::text::hex(&digest[..12]);
        format!("{}-{hash}", if legible.is_empty() { "repository" } else { legible.trim_start_matches('-') })
    }

    /// Who we are to it, where that is sent.
    pub(super) fn login(&self) -> Option<&Login> {
        let (_, rest) = self.text.split_once("://")?;
        let safe = match self.kind {
            Kind::Https => true,
            Kind::Http => repository::is_loopback(rest.split('/').next()?),
            Kind::Local | Kind::Ssh => false,
        };
        self.login.as_ref().filter(|_| safe)
    }

    /// Whether it has its own certificates to trust.
    pub(super) fn has_own_ca(&self) -> bool {
        self.ca.is_some() && self.kind == Kind::Https
    }

    /// The settings that git needs for this remote, each for this URL alone.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = Vec::new();
        let key = |name: &str| format!("http.{}.{name}", self.text);
        if let Some(login) = self.login() {
            settings.push((key("extraHeader"), login.header()));
            if self.kind == Kind::Http {
                // What goes to this machine must not take the way over a proxy, which could read it.
                settings.push((key("proxy"), String::new()));
            }
        }
        if let Some(ca) = self.ca.as_ref().filter(|_| self.has_own_ca()) {
            settings.push((key("sslCAInfo"), ca.to_string_lossy().into_owned()));
        }
        settings
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The path without `.` and with `x/..` taken away, so that one folder has one name. What is not
/// there yet has no other; links are left alone.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Remote, BadRemote> {
        Remote::parse(text, Path::new("/etc/towpath"))
    }

    #[test]
    fn every_form_of_a_repository_is_understood() {
        for (text, kind, git_sees) in [
            ("repos/shop.git", Kind::Local, "/etc/towpath/repos/shop.git"),
            ("../shop.git", Kind::Local, "/etc/shop.git"),
            ("./a:b", Kind::Local, "/etc/towpath/a:b"),
            ("/srv/git/shop.git", Kind::Local, "/srv/git/shop.git"),
            ("file:///srv/git/shop.git", Kind::Local, "file:///srv/git/shop.git"),
            ("https://git.example.com/a/b.git", Kind::Https, "https://git.example.com/a/b.git"),
            ("HTTPS://git.example.com/a", Kind::Https, "HTTPS://git.example.com/a"),
            ("http://127.0.0.1:3000/a", Kind::Http, "http://127.0.0.1:3000/a"),
            ("ssh://git@git.example.com:2222/a/b", Kind::Ssh, "ssh://git@git.example.com:2222/a/b"),
            ("git@git.example.com:a/b.git", Kind::Ssh, "git@git.example.com:a/b.git"),
            ("backup:repos/shop", Kind::Ssh, "backup:repos/shop"),
        ] {
            let remote = parse(text).unwrap();
            assert_eq!((remote.kind(), remote.as_str()), (kind, git_sees), "{text}");
        }
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        for text in [
            "https://user:hunter2@git.example.com/a",
            "https://hunter2@git.example.com/a",
            "https://git.example.com/a?private_token=hunter2",
            "http://git.example.com/a#hunter2",
            "ssh://git:hunter2@git.example.com/a",
            "ssh://git%3Ahunter2@git.example.com/a",
            "git:hunter2@git.example.com:a/b",
        ] {
            let refusal = parse(text).unwrap_err();
            assert_eq!(refusal, BadRemote::Credentials, "{text}");
            assert!(!format!("{refusal} {refusal:?}").contains("hunter2"));
        }
    }

    #[test]
    fn options_helpers_and_odd_transports_are_refused() {
        for text in ["-u", "--upload-pack=x", "ssh://-oProxyCommand=x/a", "-oProxyCommand=x:a", "host:-x"] {
            assert_eq!(parse(text), Err(BadRemote::Dash), "{text}");
        }
        assert_eq!(parse("ssh://-l@host/a"), Err(BadRemote::Dash));
        for text in ["ext::sh -c id", "git://host/a", "ftp://host/a", "fd::7", "git+ssh://host/a"] {
            assert!(matches!(parse(text), Err(BadRemote::Scheme { .. })), "{text}");
        }
        for text in ["https://", "https://host", "https:///a", "ssh://git@/a", "file://host/a", ":a"] {
            assert_eq!(parse(text), Err(BadRemote::Incomplete), "{text}");
        }
        assert_eq!(parse("a\nb"), Err(BadRemote::Control));
        assert_eq!(parse("  "), Err(BadRemote::Empty));
    }

    #[test]
    fn a_token_goes_only_where_nobody_can_read_it() {
        let login = || Login::new("work", "x", b"hunter2").unwrap();
        let settings = |text: &str| parse(text).unwrap().with_login(login()).settings();
        let header = ("http.https://git.example.com:8443/a.extraHeader", "Authorization: Basic eDpodW50ZXIy");
        assert_eq!(settings("https://git.example.com:8443/a"), [(header.0.to_owned(), header.1.to_owned())]);
        for text in ["http://127.0.0.1:3000/a", "http://[::1]/a", "http://[::1]:80/a", "http://LOCALHOST/a"] {
            assert_eq!(settings(text).len(), 2, "{text}");
        }
        for text in ["http://git.example.com/a", "ssh://git.example.com/a", "/srv/a", "http://localhost.evil/a"] {
            assert_eq!(settings(text), [], "{text}");
        }
    }

    #[test]
    fn own_certificates_are_for_https_alone() {
        let settings = |text: &str| parse(text).unwrap().trusting("/etc/ca.pem".into()).settings();
        assert_eq!(settings("https://h/a"), [("http.https://h/a.sslCAInfo".to_owned(), "/etc/ca.pem".to_owned())]);
        assert_eq!(settings("http://127.0.0.1/a"), []);
        assert_eq!(settings("ssh://h/a"), []);
    }

    #[test]
    fn folder_names_are_legible_safe_and_distinct() {
        let name = |text: &str| parse(text).unwrap().folder_name();
        assert!(name("https://git.example.com/shop/Checkout.git").starts_with("checkout-"));
        assert_ne!(name("https://a.example.com/x"), name("https://b.example.com/x"));
        assert_eq!(name("git@a.example.com:x/y"), name("ssh://git@A.example.com:22/x/y.git"));
        for text in ["/srv/..", "/", "host:.", "/srv/\u{202e}x", "/srv/--x"] {
            let name = name(text);
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
            assert!(!name.starts_with('-'), "{name}");
        }
    }
}
