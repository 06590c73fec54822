//! One child process: started in its own group, bounded in time and output, and never left behind.
//!
//! Not here: what the child is told (`program`) and what its words mean (`words`).

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use towpath_core::model::Span;

use super::program::GitError;
use super::remote::Remote;

/// How much of what git says to people is kept, in bytes; the rest is read and thrown away.
const STDERR_MAX: usize = 64 * 1024;

/// How long after git has ended its pipes may stay open: an ssh that serves later connections, or
/// a hook that went to the background, would hold them for ever.
const LINGER: Duration = Duration::from_millis(500);

/// One run of git.
pub(super) struct Call<'a> {
    /// The arguments; never anything secret.
    pub(super) args: Vec<OsString>,
    /// The repository to work in; none for calls that need none.
    pub(super) dir: Option<&'a Path>,
    /// Whose credential is to be offered.
    pub(super) remote: Option<&'a Remote>,
    /// What it reads; nothing is read from our own standard input.
    pub(super) stdin: Option<Vec<u8>>,
    /// When it is killed.
    pub(super) deadline: Duration,
    /// How much it may print, in bytes.
    pub(super) stdout_max: usize,
    /// Who commits and when, as variables; only the demo's authors commit.
    pub(super) identity: Vec<(String, String)>,
}

impl<'a> Call<'a> {
    /// A call with these arguments.
    pub(super) fn new<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>, deadline: Duration) -> Self {
        Self {
            args: args.into_iter().map(|arg| arg.as_ref().to_owned()).collect(),
            dir: None,
            remote: None,
            stdin: None,
            deadline,
            stdout_max: 64 * 1024 * 1024,
            identity: Vec::new(),
        }
    }

    /// Works in that repository.
    pub(super) fn within(mut self, dir: &'a Path) -> Self {
        self.dir = Some(dir);
        self
    }

    /// Talks to that remote.
    pub(super) fn with(mut self, remote: &'a Remote) -> Self {
        self.remote = Some(remote);
        self
    }
}

/// How git ended.
pub(super) struct Answer {
    /// Its exit code; none if a signal ended it.
    pub(super) code: Option<i32>,
    /// What it printed.
    pub(super) stdout: Vec<u8>,
    /// What it said to people.
    pub(super) stderr: String,
}

/// Kills the child's whole group when dropped, unless the child has ended by itself.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// The child was reaped: its number may belong to somebody else from now on. What a hook left
    /// in the background is the repository owner's and stays.
    fn ended(&mut self) {
        self.0 = None;
    }

    fn kill(&mut self) {
        if let Some(pid) = self.0.take() {
            // It fails only where the group is gone already.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs git in `home` with exactly these variables. Dropping the future kills the whole group.
pub(super) async fn run(
    call: Call<'_>,
    home: &Path,
    environment: Vec<(OsString, OsString)>,
) -> Result<Answer, GitError> {
    let mut command = Command::new("git");
    command
        .args(&call.args)
        .env_clear()
        .envs(environment)
        .current_dir(home)
        .stdin(if call.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(GitError::NotStarted)?;
    let mut group = Group::of(&child);
    let (mut stdout, mut stderr) = (Kept::new(call.stdout_max, true), Kept::new(STDERR_MAX, false));
    let ended = timeout(call.deadline, attend(&mut child, call.stdin, &mut stdout, &mut stderr)).await;
    let said = || String::from_utf8_lossy(&stderr.bytes).into_owned();
    match ended {
        Ok(Ok(status)) => {
            group.ended();
            Ok(Answer { code: status.code(), stderr: said(), stdout: stdout.bytes })
        }
        Ok(Err(why)) => {
            group.kill();
            let too_much = stdout.over;
            Err(if too_much { GitError::TooMuch { bytes_max: call.stdout_max } } else { GitError::Lost(why) })
        }
        Err(_) => {
            group.kill();
            // Reap it, so that no zombie stays; a killed process ends at once.
            let _ = timeout(Duration::from_secs(2), child.wait()).await;
            let after = Span::from_ms(i64::try_from(call.deadline.as_millis()).unwrap_or(i64::MAX));
            Err(GitError::TimedOut { after, said: said() })
        }
    }
}

/// Feeds the child, reads it, and waits for its end.
async fn attend(
    child: &mut Child,
    input: Option<Vec<u8>>,
    stdout: &mut Kept,
    stderr: &mut Kept,
) -> std::io::Result<ExitStatus> {
    let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let (Some(mut pipe), Some(input)) = (stdin, input) {
            // A child that ends early closes its pipe: its exit code and words say why.
            let _ = pipe.write_all(&input).await;
        }
        Ok(())
    };
    let pipes = async { tokio::try_join!(feed, stdout.read(out), stderr.read(err)) };
    tokio::pin!(pipes);
    tokio::select! {
        read = &mut pipes => {
            read?;
            child.wait().await
        }
        status = child.wait() => {
            if let Ok(read) = timeout(LINGER, &mut pipes).await {
                read?;
            }
            status
        }
    }
}

/// What was read from a pipe, up to a limit.
struct Kept {
    bytes: Vec<u8>,
    max: usize,
    /// Whether going over the limit is an error, or the rest is thrown away.
    strict: bool,
    over: bool,
}

impl Kept {
    const fn new(max: usize, strict: bool) -> Self {
        Self { bytes: Vec::new(), max, strict, over: false }
    }

    async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<()> {
        let Some(mut pipe) = pipe else { return Ok(()) };
        let mut chunk = vec![0; 16 * 1024];
        loop {
            let count = pipe.read(&mut chunk).await?;
            if count == 0 {
                return Ok(());
            }
            let room = self.max.saturating_sub(self.bytes.len()).min(count);
            self.bytes.extend_from_slice(&chunk[..room]);
            self.over |= room < count;
            if self.over && self.strict {
                return Err(std::io::Error::other("too much output"));
            }
        }
    }
}
