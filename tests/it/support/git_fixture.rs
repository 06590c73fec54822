//! Real bare repositories for tests, made by the git program in an environment of its own.
//!
//! Commits are made by `git fast-import`: one process each, no work tree, and ids that are the same
//! in every run because dates are counted.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use towpath::git::{Git, Mirror, Remote};
use towpath_core::model::{BranchName, CommitId};

/// The committer date of a repository's first commit, in seconds; each further one is a minute later.
pub const FIRST_DATE: i64 = 1_700_000_000;

/// A bare repository, such as a server has.
pub struct Repo {
    pub dir: PathBuf,
    made: AtomicI64,
}

/// One commit of [`Repo::import`], parents by their place in the list.
pub struct Planned {
    pub parents: Vec<usize>,
    pub date: i64,
    pub text: String,
}

/// Git as tests use it: nothing of the machine's or the user's configuration.
pub fn git_command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_DIR", dir)
        .stdin(Stdio::null());
    command
}

impl Repo {
    /// An empty bare repository in that folder.
    pub fn init(dir: impl Into<PathBuf>) -> Self {
        Self::init_with(dir, &[])
    }

    /// One that is there already; dates go on after those of its commits.
    pub fn open(dir: impl Into<PathBuf>) -> Self {
        let repo = Self { dir: dir.into(), made: AtomicI64::new(0) };
        let made = repo.git(["rev-list", "--all", "--count"]).parse().unwrap();
        repo.made.store(made, Ordering::Relaxed);
        repo
    }

    /// As [`Repo::init`], with further arguments for `git init`.
    pub fn init_with(dir: impl Into<PathBuf>, args: &[&str]) -> Self {
        let dir = dir.into();
        let repo = Self { dir, made: AtomicI64::new(0) };
        let mut command = git_command(&repo.dir);
        // No sample hooks: a folder of our own for each repository.
        command.args(["init", "--quiet", "--bare", "--template=", "--initial-branch=develop"]);
        succeed(command.args(args).arg("--").arg(&repo.dir).output().unwrap());
        std::fs::create_dir_all(repo.dir.join("hooks")).unwrap();
        repo
    }

    /// Runs git in it; panics unless it succeeds. Returns what it printed, trimmed.
    pub fn git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let output = succeed(git_command(&self.dir).args(args).output().unwrap());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Makes a commit whose tree is its first parent's with these files put in, and moves `branch`
    /// there, wherever it was.
    pub fn commit(&self, parents: &[CommitId], branch: &str, files: &[(&str, &str)]) -> CommitId {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.commit_as(parents, branch, files, &format!("Change {number}"), "Ana <Ana@Example.com>")
    }

    /// As [`Repo::commit`], with that message and author.
    pub fn commit_as(
        &self,
        parents: &[CommitId],
        branch: &str,
        files: &[(&str, &str)],
        message: &str,
        author: &str,
    ) -> CommitId {
        let date = FIRST_DATE + 60 * self.made.fetch_add(1, Ordering::Relaxed);
        let mut script = format!("commit refs/heads/{branch}\nmark :1\nauthor {author} {date} +0000\n");
        write!(script, "committer {author} {date} +0000\ndata {}\n{message}\n", message.len()).unwrap();
        if let [first, others @ ..] = parents {
            writeln!(script, "from {first}").unwrap();
            others.iter().for_each(|other| writeln!(script, "merge {other}").unwrap());
        } else {
            // Without `from`, fast-import goes on from where the branch is.
            script.insert_str(0, &format!("reset refs/heads/{branch}\n\n"));
        }
        for (path, content) in files {
            write!(script, "M 100644 inline {path}\ndata {}\n{content}\n", content.len()).unwrap();
        }
        self.fast_import(&format!("{script}\nget-mark :1\n")).trim().parse().unwrap()
    }

    /// A merge of a request: first parent `onto`, second parent `head`, the tree of `head`.
    pub fn promotion_merge(&self, onto: CommitId, head: CommitId, branch: &str) -> CommitId {
        let date = FIRST_DATE + 60 * self.made.fetch_add(1, Ordering::Relaxed);
        let tree = self.git(["rev-parse", &format!("{head}^{{tree}}")]);
        let script = format!(
            "commit refs/heads/{branch}\nmark :1\ncommitter Forge <forge@example.com> {date} +0000\ndata 5\nMerge\n\
             from {onto}\nmerge {head}\nM 040000 {tree} \n\nget-mark :1\n"
        );
        self.fast_import(&script).trim().parse().unwrap()
    }

    /// Makes many commits at once; each changes one file. No branch moves but `refs/heads/imported`.
    pub fn import(&self, planned: &[Planned]) -> Vec<CommitId> {
        let mut script = String::new();
        for (at, commit) in planned.iter().enumerate() {
            if commit.parents.is_empty() {
                script.push_str("reset refs/heads/imported\n\n");
            }
            let (date, text) = (commit.date, &commit.text);
            write!(
                script,
                "commit refs/heads/imported\nmark :{}\ncommitter Bo <bo@example.com> {date} +0000\ndata {}\n{text}\n",
                at + 1,
                text.len()
            )
            .unwrap();
            for (place, parent) in commit.parents.iter().enumerate() {
                writeln!(script, "{} :{}", if place == 0 { "from" } else { "merge" }, parent + 1).unwrap();
            }
            let content = at.to_string();
            write!(script, "M 100644 inline f{}\ndata {}\n{content}\n\n", at % 20, content.len()).unwrap();
        }
        for at in 1..=planned.len() {
            writeln!(script, "get-mark :{at}").unwrap();
        }
        self.fast_import(&script).lines().map(|line| line.parse().unwrap()).collect()
    }

    /// Writes a commit byte by byte, sound or not, and moves `branch` there.
    pub fn raw_commit(&self, text: &str, branch: &str) -> CommitId {
        let file = self.dir.join("raw-commit");
        std::fs::write(&file, text).unwrap();
        let args = ["hash-object", "-t", "commit", "-w", "--literally", &file.display().to_string()];
        let id = self.git(args).parse().unwrap();
        // Not by `update-ref`, which reads the commit.
        std::fs::write(self.dir.join("refs/heads").join(branch), format!("{id}\n")).unwrap();
        id
    }

    fn fast_import(&self, script: &str) -> String {
        let mut command = git_command(&self.dir);
        command.args(["fast-import", "--quiet", "--force", "--date-format=raw-permissive"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let script = script.to_owned();
        let feeder = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
        let output = succeed(child.wait_with_output().unwrap());
        feeder.join().unwrap().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The repository for whoever only looks: a forge of the tests looks at every call, and a process each time
    /// would be most of the work of its tests.
    fn read(&self) -> git2::Repository {
        git2::Repository::open_bare(&self.dir).unwrap()
    }

    /// Where a branch is.
    pub fn tip(&self, branch: &str) -> Option<CommitId> {
        let found = self.read().refname_to_id(&format!("refs/heads/{branch}")).ok()?;
        Some(found.to_string().parse().unwrap())
    }

    /// Every branch and where it is.
    pub fn branches(&self) -> BTreeMap<String, String> {
        let repo = self.read();
        let all = repo.references_glob("refs/heads/*").unwrap().map(Result::unwrap);
        let pair = |found: git2::Reference<'_>| {
            let name = found.name().ok()?.strip_prefix("refs/heads/")?.to_owned();
            Some((name, found.target()?.to_string()))
        };
        all.filter_map(pair).collect()
    }

    /// Whether it has that commit.
    pub fn has(&self, commit: CommitId) -> bool {
        self.read().find_commit(oid(commit)).is_ok()
    }

    /// Whether a commit is that other one, or has it among its ancestors.
    pub fn contains(&self, tip: CommitId, commit: CommitId) -> bool {
        tip == commit || self.read().graph_descendant_of(oid(tip), oid(commit)).unwrap_or(false)
    }

    /// Puts a branch somewhere, as a person with all rights would.
    pub fn set(&self, branch: &str, to: CommitId) {
        self.git(["update-ref", &format!("refs/heads/{branch}"), &to.to_string()]);
    }

    /// Removes a branch.
    pub fn delete(&self, branch: &str) {
        self.git(["update-ref", "-d", &format!("refs/heads/{branch}")]);
    }

    /// Installs a hook: a shell script, without its first line.
    pub fn hook(&self, name: &str, body: &str) {
        script(&self.dir.join("hooks").join(name), body);
    }

    /// How the code under test names it.
    pub fn remote(&self) -> Remote {
        Remote::of_path(&self.dir).unwrap()
    }
}

fn oid(id: CommitId) -> git2::Oid {
    git2::Oid::from_str(&id.to_string()).unwrap()
}

/// An executable shell script.
pub fn script(path: &Path, body: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn succeed(output: Output) -> Output {
    assert!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A folder with a server's repository, and the code under test beside it.
pub struct World {
    pub dir: tempfile::TempDir,
    pub repo: Repo,
    pub git: Git,
}

impl World {
    /// An empty repository.
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::init(dir.path().join("server.git"));
        let git = Git::open(&dir.path().join("home")).await.unwrap();
        Self { dir, repo, git }
    }

    /// The mirror of the repository.
    pub fn mirror(&self) -> Mirror {
        Mirror::open_or_create(&self.dir.path().join("mirrors"), &self.repo.remote()).unwrap()
    }

    /// The mirror with these branches fetched.
    pub async fn fetched(&self, branches: &[&str]) -> Mirror {
        let mirror = self.mirror();
        let branches: Vec<BranchName> = branches.iter().map(|name| BranchName::from(*name)).collect();
        self.git.fetch(&mirror, &self.repo.remote(), &branches).await.unwrap();
        mirror
    }
}
