//! The closed environment in which the `git` program runs.
//!
//! A child sees nothing of the environment of whoever started Towpath except the few variables in
//! [`PASSED_ON`]: no system or user config, no prompts, no helpers, no `GIT_DIR` that happens to be
//! set. Settings reach it by environment variables and never by its command line, which every user
//! of the machine can read.
//!
//! Two places hold settings, because git hands them on differently when a remote is a local path
//! and its server half (`upload-pack`, `receive-pack`) runs as our grandchild:
//!
//! * `GIT_CONFIG_COUNT` and its keys: ours alone. Git unsets the count for the server half
//!   (`local_repo_env` in git's `environment.c`; measured on 2.47), so `core.hooksPath=/dev/null`
//!   silences our hooks and leaves those of the remote repository in force.
//! * `.gitconfig` in the private home folder: seen by both. It holds nothing but
//!   `safe.directory`, which only counts there (git ignores it in a repository's own config).
//!
//! `safe.directory = *`: git asks for it where a repository belongs to another user, to protect
//! those who *wander* into somebody's folder. We never discover a repository: every one that is
//! opened is our mirror or was named by the operator, whose own `.gitconfig` is shut out and so
//! could not allow it. It follows that pushing to a local path runs the hooks of that repository
//! as us, which is what its owner and the operator want.
//!
//! `ssh` finds the user's keys and known hosts by the password database, not by `HOME`, so they
//! keep working.
//!
//! Not here: what to ask of git (`transport`, `push`) and how to read its answers (`words`).

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use towpath_core::act::PUSH_TIMEOUT;
use towpath_core::model::Span;

use super::login::Login;
use super::process::{self, Answer, Call};
use super::remote::Remote;

/// What a child may see of our own environment: how to find programs, the ssh agent, and the way
/// out of the building (proxies and the certificates of a company's own authority).
pub const PASSED_ON: [&str; 14] = [
    "PATH",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "CURL_CA_BUNDLE",
];

/// Settings of our side only. See the module's text for what may stand here.
const SETTINGS: [(&str, &str); 20] = [
    ("core.hooksPath", "/dev/null"),
    // Full ids in the status lines of a push.
    ("core.abbrev", "40"),
    ("core.askPass", ""),
    ("core.fsmonitor", "false"),
    ("credential.helper", ""),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("protocol.version", "2"),
    ("protocol.allow", "never"),
    // A renamed repository must be said, not followed: somebody else may have taken its name.
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "30"),
    ("transfer.credentialsInUrl", "die"),
    ("transfer.fsckObjects", "true"),
    // One pack for each fetch, however small: a tick must not leave hundreds of loose files.
    ("fetch.unpackLimit", "1"),
];

/// Faults of old commits that harm nobody and that libgit2 reads: well-known repositories have them
/// (`psf/requests` has `badTimezone`), and a strict check could never fetch those. Ids: git's
/// `fsck-msgids`. Not `missingEmail`, `badEmail`, `badDate`, `badDateOverflow`: libgit2 cannot read
/// such commits (measured), so they are better refused where the words name them.
const HARMLESS: [&str; 6] = [
    "badName",
    "badTimezone",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedDate",
];

/// How long each kind of call may take before its processes are killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `ls-remote`.
    pub heads: Duration,
    /// `fetch`; the first one copies the whole repository.
    pub fetch: Duration,
    /// `push`.
    pub push: Duration,
    /// Waiting for another process that fetches into the same mirror.
    pub lock: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            heads: Duration::from_secs(30),
            fetch: Duration::from_secs(600),
            push: Duration::from_millis(PUSH_TIMEOUT.ms().unsigned_abs()),
            lock: Duration::from_secs(60),
        }
    }
}

/// The version of the git program: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The 2 of 2.31.
    pub major: u32,
    /// The 31 of 2.31.
    pub minor: u32,
}

impl Version {
    /// The oldest that will do: the first that takes settings from `GIT_CONFIG_COUNT`.
    pub const MIN: Self = Self { major: 2, minor: 31 };

    /// Reads `git version 2.39.2 (Apple Git-143)`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.trim().strip_prefix("git version ")?;
        let mut parts = number.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        Some(Self { major: parts.next()?.ok()?, minor: parts.next()?.ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why the git program gave no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no such program, or it may not be run.
    #[error("cannot start the git program: {0}")]
    NotStarted(std::io::Error),
    /// It is older than [`Version::MIN`], or no git.
    #[error("git {} or newer is needed; this one says `{}`", Version::MIN, said.escape_debug())]
    TooOld {
        /// What `git version` printed.
        said: String,
    },
    /// The private home folder cannot be written.
    #[error("cannot prepare the folder {}: {why}", folder.display())]
    Home {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        why: std::io::Error,
    },
    /// It was killed at its deadline.
    #[error("git did not finish within {after}")]
    TimedOut {
        /// The deadline.
        after: Span,
        /// What it had said by then.
        said: String,
    },
    /// It printed more than anybody would read.
    #[error("git printed more than {bytes_max} bytes")]
    TooMuch {
        /// The limit.
        bytes_max: usize,
    },
    /// The connection to the child was lost.
    #[error("lost the git process: {0}")]
    Lost(std::io::Error),
}

/// The git program in its closed environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Git {
    home: PathBuf,
    passed_on: Vec<(OsString, OsString)>,
    version: Version,
    /// How long calls may take.
    pub limits: Limits,
}

impl Git {
    /// Prepares `home`, a folder that only Towpath uses, and checks the program's version.
    ///
    /// # Errors
    /// No git, one that is too old, or a folder that cannot be written.
    pub async fn open(home: &Path) -> Result<Self, GitError> {
        Self::with_environment(home, std::env::vars_os()).await
    }

    /// As [`Git::open`], as if started with these variables; only those of [`PASSED_ON`] matter.
    ///
    /// # Errors
    /// As [`Git::open`].
    pub async fn with_environment(
        home: &Path,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, GitError> {
        let home = prepare_home(home).map_err(|why| GitError::Home { folder: home.to_owned(), why })?;
        let passed_on =
            environment.into_iter().filter(|(key, _)| PASSED_ON.iter().any(|name| key == name)).collect();
        let mut git = Self { home, passed_on, version: Version::MIN, limits: Limits::default() };
        let answer = git.run(Call::new(["version"], Duration::from_secs(10))).await?;
        let said: String = String::from_utf8_lossy(&answer.stdout).trim().chars().take(80).collect();
        match Version::parse(&said) {
            Some(version) if version >= Version::MIN => git.version = version,
            _ => return Err(GitError::TooOld { said }),
        }
        Ok(git)
    }

    /// For a machine without git: every call says so. What needs no remote goes on without it.
    pub fn absent(home: &Path) -> Self {
        let (home, version, limits) = (home.to_owned(), Version::MIN, Limits::default());
        Self { home, passed_on: Vec::new(), version, limits }
    }

    /// The program's version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The private home folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Runs git once. What it prints is freed of the remote's token, whoever printed it.
    pub(super) async fn run(&self, call: Call<'_>) -> Result<Answer, GitError> {
        let login = call.remote.and_then(Remote::login);
        let environment = self.environment(&call);
        let answer = process::run(call, &self.home, environment).await;
        match login {
            Some(login) => redacted(login, answer),
            None => answer,
        }
    }

    /// Every variable the child gets.
    fn environment(&self, call: &Call<'_>) -> Vec<(OsString, OsString)> {
        let mut vars = self.passed_on.clone();
        if call.remote.is_some_and(Remote::has_own_ca) {
            // Git would take the environment's word before that of the settings.
            vars.retain(|(key, _)| key != "GIT_SSL_CAINFO" && key != "GIT_SSL_CAPATH");
        }
        let mut set = |key: &str, value: &OsStr| vars.push((key.into(), value.to_owned()));
        set("HOME", self.home.as_os_str());
        // Before 2.32 git does not know this one and reads `$HOME/.gitconfig`: the same file.
        set("GIT_CONFIG_GLOBAL", self.home.join(".gitconfig").as_os_str());
        if let Some(parent) = self.home.parent() {
            // A call outside the mirror must not find the repository that Towpath was started in.
            set("GIT_CEILING_DIRECTORIES", parent.as_os_str());
        }
        if let Some(dir) = call.dir {
            set("GIT_DIR", dir.as_os_str());
        }
        for (key, value) in [
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_ALLOW_PROTOCOL", "file:https:http:ssh"),
            ("GIT_PROTOCOL_FROM_USER", "0"),
            ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=10"),
            ("GIT_SSH_VARIANT", "ssh"),
        ] {
            set(key, OsStr::new(value));
        }
        for (key, value) in &call.identity {
            set(key, OsStr::new(value));
        }
        let harmless = HARMLESS.iter().map(|id| (format!("fetch.fsck.{id}"), "warn".to_owned()));
        let settings = SETTINGS.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let of_remote = call.remote.map(Remote::settings).unwrap_or_default();
        let mut count = 0;
        for (key, value) in settings.chain(harmless).chain(of_remote) {
            set(&format!("GIT_CONFIG_KEY_{count}"), OsStr::new(&key));
            set(&format!("GIT_CONFIG_VALUE_{count}"), OsStr::new(&value));
            count += 1;
        }
        set("GIT_CONFIG_COUNT", OsStr::new(&count.to_string()));
        vars
    }
}

/// The same without the token: a server or a hook may print what it was sent, also to a git that is
/// then killed, and in the status lines of a push.
fn redacted(login: &Login, answer: Result<Answer, GitError>) -> Result<Answer, GitError> {
    match answer {
        Ok(mut answer) => {
            answer.stderr = login.redact(&answer.stderr);
            let stdout = String::from_utf8_lossy(&answer.stdout);
            if login.is_in(&stdout) {
                answer.stdout = login.redact(&stdout).into_bytes();
            }
            Ok(answer)
        }
        Err(GitError::TimedOut { after, said }) => Err(GitError::TimedOut { after, said: login.redact(&said) }),
        Err(other) => Err(other),
    }
}

/// Makes the folder and its `.gitconfig`; returns it without symbolic links, as git compares it.
fn prepare_home(home: &Path) -> std::io::Result<PathBuf> {
    const CONFIG: &str = "# Written by Towpath at every start.\n[safe]\n\tdirectory = *\n";
    std::fs::create_dir_all(home)?;
    let home = home.canonicalize()?;
    let file = home.join(".gitconfig");
    if std::fs::read(&file).ok().as_deref() != Some(CONFIG.as_bytes()) {
        // Renamed into place: another process may be starting git in the same folder.
        let draft = home.join(format!(".gitconfig.{}", std::process::id()));
        std::fs::write(&draft, CONFIG)?;
        std::fs::rename(&draft, &file)?;
    }
    Ok(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_vendors_print_them() {
        let of = |text| Version::parse(text).map(|v| v.to_string());
        assert_eq!(of("git version 2.47.3\n").as_deref(), Some("2.47"));
        assert_eq!(of("git version 2.39.2 (Apple Git-143)").as_deref(), Some("2.39"));
        assert_eq!(of("git version 2.31.GIT").as_deref(), Some("2.31"));
        assert_eq!(of("hub version 2.14"), None);
        assert!(Version { major: 3, minor: 0 } > Version::MIN);
    }
}
