//! What git's words mean, where it says nothing better.
//!
//! Git has no error codes; its texts (`LC_ALL=C`) are matched here and nowhere else. They are those
//! of git 2.31 to 2.47 (`connect.c`, `remote-curl.c`, `http.c`, `builtin/fetch.c`), of OpenSSH, and
//! of GitHub, GitLab and Gitea where these speak through them. What is not recognised is treated as
//! the more careful of the possible meanings.

use towpath_core::model::{Unknown, UnknownWhy};

use super::program::GitError;
use super::remote::Remote;

/// How much of somebody's words is kept, in characters.
const WORDS_MAX: usize = 2_000;

/// The words for people: without git's `remote:` margin, blank lines and general advice.
pub(super) fn tidy(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = line.strip_prefix("remote:").unwrap_or(line).trim();
        let advice = line.is_empty()
            || line == "Please make sure you have the correct access rights"
            || line == "and the repository exists."
            || line.starts_with("error: failed to push some refs to");
        if !advice {
            lines.push(line);
        }
    }
    cut(&lines.join("\n"))
}

/// What the server's side said (hooks, protections), without git's own lines.
pub(super) fn of_server(stderr: &str) -> String {
    let lines: Vec<_> = stderr.lines().filter(|line| line.starts_with("remote:")).collect();
    tidy(&lines.join("\n"))
}

/// At most [`WORDS_MAX`] characters.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(WORDS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Git's own lines: what a server prints must not pass for what git says.
fn of_git(stderr: &str) -> String {
    stderr.lines().filter(|line| !line.starts_with("remote:")).collect::<Vec<_>>().join("\n")
}

fn any(text: &str, marks: &[&str]) -> bool {
    marks.iter().any(|mark| text.contains(mark))
}

/// The remote or our credentials were refused.
const CREDENTIALS: [&str; 11] = [
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "Permission denied (",
    "Host key verification failed",
    "Too many authentication failures",
    "terminal prompts disabled",
    "requested URL returned error: 401",
    "requested URL returned error: 403",
    "requested URL returned error: 407",
    "HTTP Basic: Access denied",
];

/// The server is not who it should be, or the file of those we trust is none. The words are those of
/// curl with OpenSSL and with GnuTLS.
const CERTIFICATE: [&str; 7] = [
    "SSL certificate problem",
    "server certificate verification failed",
    "certificate subject name",
    "error setting certificate",
    "Problem with the SSL CA cert",
    "error adding trust anchors",
    "error reading ca cert file",
];

/// What git says where it would have asked a person. It says nothing of why the server refused.
const WOULD_ASK: [&str; 2] = ["could not read Username", "could not read Password"];

/// There is nothing there, or not for us.
const NO_REPOSITORY: [&str; 9] = [
    "does not appear to be a git repository",
    "Repository not found",
    "' not found",
    "project you were looking for could not be found",
    "requested URL returned error: 404",
    "requested URL returned error: 410",
    "requested URL returned error: 30",
    "not valid: is this a git repository?",
    "unable to update url base from redirection",
];

/// The way there, or the server, is out of order.
const UNREACHABLE: [&str; 17] = [
    "unable to access",
    "Could not resolve host",
    "Name or service not known",
    "Failed to connect",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Connection closed",
    "No route to host",
    "Network is unreachable",
    "Operation timed out",
    "Operation too slow",
    "Could not read from remote repository",
    "hung up",
    "early EOF",
    "RPC failed",
    "unexpected disconnect",
];

/// Why a reading call failed, from what git said.
pub(super) fn unknown(stderr: &str) -> Unknown {
    // The server's lines count here: GitLab and GitHub explain a refusal in them.
    let words = tidy(stderr);
    let git = of_git(stderr);
    if any(&git, &["mismatched algorithms", "unknown object format", "unsupported object format"]) {
        Unknown::lasting(UnknownWhy::Sha256)
    } else if git.contains("shallow roots are not allowed") {
        Unknown::lasting(UnknownWhy::Shallow)
    } else if any(&git, &CERTIFICATE) {
        Unknown::lasting(UnknownWhy::NotTrusted { words })
    } else if any(stderr, &CREDENTIALS) {
        Unknown::lasting(UnknownWhy::CredentialsRefused { words })
    } else if any(stderr, &NO_REPOSITORY) {
        Unknown::lasting(UnknownWhy::NoRepository { words })
    } else if any(&git, &UNREACHABLE) {
        Unknown::passing(UnknownWhy::Unreachable { words })
    } else {
        Unknown::passing(UnknownWhy::Unreadable { words })
    }
}

/// Why a reading call to that remote failed.
pub(super) fn unknown_of(remote: &Remote, stderr: &str) -> Unknown {
    let mut unknown = unknown(stderr);
    if let (UnknownWhy::CredentialsRefused { words }, Some(login)) = (&unknown.why, remote.login()) {
        let words = without_asking(words);
        unknown.why = UnknownWhy::TokenRefused { forge: login.forge().to_owned(), words };
    }
    unknown
}

/// What is said of a push that a remote did not let in.
pub(super) fn unsent(remote: &Remote, words: String, stderr: &str) -> String {
    match (&unknown(stderr).why, remote.login()) {
        (UnknownWhy::CredentialsRefused { .. }, Some(login)) => {
            let said = without_asking(&words);
            let token = format!("the remote refuses the token of [forge.{}]", login.forge());
            if said.is_empty() { token } else { format!("{token}:\n{said}") }
        }
        _ => words,
    }
}

fn without_asking(words: &str) -> String {
    words.lines().filter(|line| !any(line, &WOULD_ASK)).collect::<Vec<_>>().join("\n")
}

/// Why a reading call gave no answer at all.
pub(super) fn no_answer(error: &GitError) -> Unknown {
    match error {
        GitError::TimedOut { after, .. } => Unknown::passing(UnknownWhy::TimedOut { after: *after }),
        GitError::NotStarted(_) | GitError::TooOld { .. } | GitError::Home { .. } => {
            Unknown::lasting(UnknownWhy::Unreadable { words: error.to_string() })
        }
        GitError::TooMuch { .. } => Unknown::lasting(UnknownWhy::Unreadable { words: error.to_string() }),
        GitError::Lost(_) => Unknown::passing(UnknownWhy::Unreadable { words: error.to_string() }),
    }
}

/// Something that our mirror's files cannot be read for.
pub(super) fn unreadable(what: impl std::fmt::Display) -> Unknown {
    Unknown::passing(UnknownWhy::Unreadable { words: cut(&what.to_string()) })
}

/// Whether a branch that was asked for is not there.
pub(super) fn is_branch_gone(stderr: &str) -> bool {
    of_git(stderr).contains("couldn't find remote ref")
}

/// Whether references of the mirror stand in the way: `a` where `a/b` is wanted, or a lock that a
/// killed process left.
pub(super) fn is_ref_in_the_way(stderr: &str) -> bool {
    any(
        &of_git(stderr),
        &[
            "cannot lock ref",
            "Unable to create '",
            "unable to update local ref",
            "some local refs could not be updated",
        ],
    )
}

/// Whether the mirror itself may be broken: git names its files, or says what is said nowhere else.
pub(super) fn is_mirror_broken(stderr: &str) -> bool {
    let git = of_git(stderr);
    let named = ["object file", "loose object", "is corrupt", "packfile", "bad object", "missing object"];
    // A new mirror would meet the same.
    let elsewhere = ["No space left", "Read-only file system", "Permission denied", "fsck error"];
    let unheard = matches!(unknown(stderr).why, UnknownWhy::Unreadable { .. });
    !any(&git, &elsewhere) && (unheard || any(&git, &named))
}

/// Whether a push that gave no status line certainly ended before its first byte of commands.
///
/// All of these are printed while git connects, logs in and reads the advertisement of references:
/// `die_initial_contact` (connect.c) and `discover_refs` (remote-curl.c). A failure later in an
/// HTTP push says "RPC failed", one over a pipe "hung up unexpectedly" or "unexpected disconnect".
pub(super) fn is_before_sending(stderr: &str) -> bool {
    let git = of_git(stderr);
    let begun = any(&git, &["RPC failed", "unexpected disconnect", "hung up unexpectedly", "send-pack"]);
    let contact = any(
        &git,
        &[
            "Could not read from remote repository",
            "hung up upon initial contact",
            "fatal: unable to access '",
            "fatal: Authentication failed for '",
            "fatal: could not read Username",
            "fatal: could not read Password",
            "does not appear to be a git repository",
            "fatal: detected dubious ownership",
            "fatal: the receiving end does not support",
            "fatal: mismatched algorithms",
        ],
    );
    let not_found =
        git.lines().any(|line| line.starts_with("fatal: repository '") && line.ends_with("' not found"));
    !begun && (contact || not_found)
}

#[cfg(test)]
mod tests {
    use super::super::login::Login;
    use super::*;

    #[test]
    fn a_servers_words_do_not_pass_for_gits() {
        let stderr = "remote: fatal: unable to access 'x': Could not read from remote repository\nfatal: the remote end hung up unexpectedly\n";
        assert!(!is_before_sending(stderr));
        assert!(!is_before_sending("remote: Could not read from remote repository\n"));
        assert!(!is_before_sending(""));
    }

    #[test]
    fn what_failed_after_the_first_byte_is_not_called_unsent() {
        for stderr in [
            "error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\nfatal: the remote end hung up unexpectedly",
            "send-pack: unexpected disconnect while reading sideband packet\nfatal: the remote end hung up unexpectedly",
            "client_loop: send disconnect: Broken pipe\nfatal: the remote end hung up unexpectedly",
        ] {
            assert!(!is_before_sending(stderr), "{stderr}");
        }
        for stderr in [
            "ssh: connect to host 127.0.0.1 port 9: Connection refused\nfatal: Could not read from remote repository.",
            "fatal: unable to access 'http://127.0.0.1:9/x.git/': Failed to connect to 127.0.0.1 port 9",
            "fatal: repository 'https://h/x/' not found",
        ] {
            assert!(is_before_sending(stderr), "{stderr}");
        }
    }

    #[test]
    fn refusals_of_reading_are_told_apart() {
        let why = |text: &str| unknown(text).why;
        assert!(matches!(
            why("git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository."),
            UnknownWhy::CredentialsRefused { .. }
        ));
        assert!(matches!(
            why("fatal: could not read Username for 'https://h': terminal prompts disabled"),
            UnknownWhy::CredentialsRefused { .. }
        ));
        assert!(matches!(
            why("ERROR: Repository not found.\nfatal: Could not read from remote repository."),
            UnknownWhy::NoRepository { .. }
        ));
        assert!(matches!(
            why("fatal: unable to access 'https://h/': The requested URL returned error: 503"),
            UnknownWhy::Unreachable { .. }
        ));
        assert!(matches!(
            why("fatal: unable to access 'https://h/a/': The requested URL returned error: 301"),
            UnknownWhy::NoRepository { .. }
        ));
        for text in [
            "fatal: unable to access 'https://h/a/': SSL certificate problem: unable to get local issuer certificate",
            "fatal: unable to access 'https://h/a/': server certificate verification failed. CAfile: none CRLfile: none",
            "fatal: unable to access 'https://h/a/': SSL: no alternative certificate subject name matches target host name 'h'",
            "fatal: unable to access 'https://h/a/': error setting certificate verify locations:  CAfile: /x CApath: none",
        ] {
            assert!(matches!(why(text), UnknownWhy::NotTrusted { .. }), "{text}");
        }
        assert!(matches!(why("fatal: something new"), UnknownWhy::Unreadable { .. }));
        assert_eq!(why("fatal: mismatched algorithms: client sha1; server sha256"), UnknownWhy::Sha256);
    }

    #[test]
    fn a_refused_token_is_told_by_the_name_of_its_forge() {
        let remote = |text: &str| Remote::parse(text, std::path::Path::new("/")).unwrap();
        let login = || Login::new("work", "x", b"hunter2").unwrap();
        let asked = "fatal: could not read Username for 'https://h': terminal prompts disabled\n";
        let told = format!("remote: HTTP Basic: Access denied\n{asked}");
        let refused = |words: &str| UnknownWhy::TokenRefused { forge: "work".to_owned(), words: words.to_owned() };
        let ours = remote("https://h/a").with_login(login());
        assert_eq!(unknown_of(&ours, asked).why, refused(""));
        assert_eq!(unknown_of(&ours, &told).why, refused("HTTP Basic: Access denied"));
        assert_eq!(unsent(&ours, tidy(asked), asked), "the remote refuses the token of [forge.work]");
        assert_eq!(unsent(&ours, "x".to_owned(), "fatal: bad"), "x");
        // Where the token was not sent it cannot have been refused.
        for other in [remote("https://h/a"), remote("ssh://h/a").with_login(login())] {
            assert!(matches!(unknown_of(&other, asked).why, UnknownWhy::CredentialsRefused { .. }));
        }
    }

    #[test]
    fn words_are_tidied_and_cut() {
        assert_eq!(
            tidy("remote: no by policy        \nremote: \nerror: failed to push some refs to 'x'\n"),
            "no by policy"
        );
        assert_eq!(cut(&"ä".repeat(3_000)).chars().count(), WORDS_MAX + 1);
    }
}
