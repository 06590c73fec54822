//! What the private servers share: a directory, a process that ends with the test, a client that
//! reads statements from its input.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A directory that goes with its value.
pub struct Directory(PathBuf);

impl Directory {
    /// An empty one of this name and process; short, for a socket's path has 107 characters at most.
    pub fn new(name: &str) -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("towpath-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server's process, ended when the value goes.
pub struct Process(Child);

impl Process {
    pub fn spawn(command: &mut Command) -> Result<Self, String> {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        Ok(Self(child))
    }

    pub fn ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked first, so that nothing is left in shared memory.
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        for _ in 0..100 {
            if self.ended() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program of this name in one of the directories or in PATH, or what to install.
pub fn program(name: &str, directories: &[&str], install: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    directories
        .iter()
        .map(PathBuf::from)
        .chain(std::env::split_paths(&path))
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{name} is not here: install {install}, or set TOWPATH_SKIP_ENGINES=1"))
}

/// The command to run a program as a user without rights where we are root, and to end it if this
/// process does.
pub fn unprivileged(program: &Path, user: &str) -> Command {
    if !root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={user}")).arg(format!("--regid={user}"));
    command.args(["--clear-groups", "--pdeathsig=TERM", "--"]).arg(program);
    command
}

/// Whether we are root.
pub fn root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"))
}

/// Runs to the end; what was said if it failed.
pub fn run(command: &mut Command) -> Result<(), String> {
    feed(command, "").1
}

/// Runs to the end with a text on its input: what it printed, and what was said if it failed.
pub fn feed(command: &mut Command, input: &str) -> (String, Result<(), String>) {
    let input = input.to_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = command.spawn().and_then(|mut child| {
        // A client that stopped at an error reads no further: what it says counts.
        let writer =
            child.stdin.take().map(|mut stdin| std::thread::spawn(move || stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
        output
    });
    match ran {
        Ok(output) => {
            let failed = format!("{} {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
            let outcome = if output.status.success() { Ok(()) } else { Err(failed) };
            (String::from_utf8_lossy(&output.stdout).into_owned(), outcome)
        }
        Err(error) => (String::new(), Err(format!("{}: {error}", command.get_program().display()))),
    }
}
