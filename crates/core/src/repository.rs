//! Whether two texts name one repository: `git@host:a/b` and `ssh://git@HOST:22/a/b.git/` do.
//!
//! What a flow's branches are must not hang on how its repository is written: the rule that a branch
//! is the target of one edge, the copy that is kept of the repository, and what the ledger knows of
//! its branches all compare by [`identity`].
//!
//! Not here: whether a text is allowed at all (`config` and `git` say that, each for itself).

/// One text for all spellings of a repository. Only for comparing: git is never given it.
///
/// `resolve` follows a local path through links to the folder that is there; whoever has no file
/// system answers `None`. What the texts do not tell (an alias in somebody's ssh config, a server
/// that has the same repository under two paths) is not seen.
pub fn identity(text: &str, resolve: impl Fn(&str) -> Option<String>) -> String {
    let text = text.trim();
    if let Some((scheme, rest)) = text.split_once("://") {
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        return match scheme.as_str() {
            "file" => local(&format!("/{path}"), resolve),
            _ => remote(&scheme, authority, path),
        };
    }
    match text.split_once(':') {
        // As git: a colon before any slash makes it `host:path`.
        Some((host, path)) if !host.contains('/') => remote("ssh", host, path),
        _ => local(text, resolve),
    }
}

/// Whether two texts name one repository, as far as they tell.
pub fn same(one: &str, other: &str) -> bool {
    one == other || identity(one, |_| None) == identity(other, |_| None)
}

/// Whether a URL's `host:port` is this machine itself, so that nobody on the way can read what passes.
///
/// By the text alone: a name that only resolves to a loopback address does not count.
pub fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn remote(scheme: &str, authority: &str, path: &str) -> String {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (format!("{user}@"), host),
        None => (String::new(), authority),
    };
    let default_port = match scheme {
        "ssh" => ":22",
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let host = host.to_ascii_lowercase();
    let host = if default_port.is_empty() { &host } else { host.strip_suffix(default_port).unwrap_or(&host) };
    format!("{scheme}://{user}{host}/{}", without_suffix(&tidy(path)))
}

fn local(path: &str, resolve: impl Fn(&str) -> Option<String>) -> String {
    // Where a folder has no such name, git looks for one with `.git` behind it.
    let there = resolve(path).or_else(|| resolve(&format!("{}.git", path.trim_end_matches('/'))));
    let path = there.as_deref().unwrap_or(path);
    // With `./`, a relative path with a colon stays a path.
    let root = if path.starts_with('/') { "/" } else { "./" };
    format!("{root}{}", without_suffix(&tidy(path)))
}

/// The path without empty parts, `.`, and `x/..`.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Without `.git`, whether it is the end of a name or a folder in a working tree.
fn without_suffix(path: &str) -> &str {
    let mut path = path;
    while let Some(shorter) = path.strip_suffix(".git").filter(|shorter| !shorter.is_empty()) {
        path = shorter.trim_end_matches('/');
    }
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str) -> String {
        identity(text, |_| None)
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for authority in ["localhost", "LocalHost:80", "127.0.0.1", "127.0.0.2:3000", "[::1]", "[::1]:80"] {
            assert!(is_loopback(authority), "{authority}");
        }
        for authority in ["", "localhost.evil", "127.0.0.1.evil:80", "10.0.0.1", "[::2]", "[::1", "::1", "127.1"] {
            assert!(!is_loopback(authority), "{authority}");
        }
    }

    #[test]
    fn spellings_of_one_repository() {
        for (one, other) in [
            ("/srv/git/shop", "file:///srv/git/shop.git"),
            ("/srv/git/shop/", "/srv//git/./shop"),
            ("/srv/git/shop/.git", "/srv/git/other/../shop"),
            ("git@git.example.com:shop/checkout.git", "ssh://git@GIT.example.com:22/shop/checkout/"),
            ("https://git.example.com/shop/checkout", "HTTPS://git.Example.com:443//shop/checkout.git"),
            ("http://git.example.com:80/a", "http://git.example.com/a"),
        ] {
            assert_eq!(plain(one), plain(other), "{one} and {other}");
            assert!(same(one, other));
        }
    }

    #[test]
    fn different_repositories() {
        for (one, other) in [
            ("/srv/git/shop", "/srv/git/Shop"),
            ("git@a.example.com:x", "git@b.example.com:x"),
            ("git@a.example.com:x", "other@a.example.com:x"),
            ("ssh://git@a.example.com:2222/x", "git@a.example.com:x"),
            ("https://a.example.com:8443/x", "https://a.example.com/x"),
            ("https://a.example.com/x", "https://a.example.com/x/y"),
            ("http://[::1]:443/x", "http://[::1]/x"),
            ("/.git", "/"),
        ] {
            assert!(!same(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn links_are_followed_where_there_is_a_file_system() {
        let resolve = |path: &str| (path == "/link/shop.git").then(|| "/srv/git/shop.git".to_owned());
        for text in ["/link/shop.git", "file:///link/shop.git", "/link/shop", "/link/shop/", "/srv/git/shop"] {
            assert_eq!(identity(text, resolve), "/srv/git/shop", "{text}");
        }
    }

    fn name() -> impl Strategy<Value = String> {
        "[a-zA-Z0-9][a-zA-Z0-9._-]{0,8}".prop_filter("no suffix", |name| !name.ends_with(".git"))
    }

    proptest! {
        /// However host, port, slashes and suffix are written.
        #[test]
        fn one_repository_has_one_identity(
            host in "[a-z]{1,9}\\.[a-z]{2,3}",
            user in "[a-z]{1,6}",
            path in prop::collection::vec(name(), 1..4),
            (upper, port, slashes, suffix) in any::<(bool, bool, bool, bool)>(),
        ) {
            let joined = path.join(if slashes { "/./" } else { "/" });
            let end = match (suffix, slashes) { (true, true) => ".git//", (true, false) => ".git", (false, true) => "/", _ => "" };
            let shown = if upper { host.to_uppercase() } else { host.clone() };
            let ssh = format!("ssh://{user}@{shown}{}/{joined}{end}", if port { ":22" } else { "" });
            let scp = format!("{user}@{host}:{}", path.join("/"));
            prop_assert_eq!(plain(&ssh), plain(&scp));
            let https = format!("https://{shown}{}/{joined}{end}", if port { ":443" } else { "" });
            prop_assert_eq!(plain(&https), plain(&format!("https://{host}/{}", path.join("/"))));
            let file = format!("file:///{joined}{end}");
            prop_assert_eq!(plain(&file), plain(&format!("/{}", path.join("/"))));
            for text in [ssh, scp, https, file] {
                prop_assert_eq!(plain(&plain(&text)), plain(&text));
            }
        }

        /// Any text at all: it ends, and what it gives is its own identity.
        #[test]
        fn any_text_has_an_identity(text in "[!-~é]{0,40}") {
            prop_assert_eq!(plain(&plain(&text)), plain(&text), "{}", text);
        }
    }
}
