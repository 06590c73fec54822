//! Where the story takes place: a folder with a bare repository, a clone for each author, a config
//! and a ledger. Everything that the demo writes is in that folder.
//!
//! Not here: what happens in it (`script`, `stage`).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use towpath_core::model::{CommitId, Instant};

use super::DemoError;
use super::script::{LAG, PRODUCTION, Who};
use crate::clock::Clock;
use crate::git::{Author, Git};

/// What becomes of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// It is made among the temporary files, and removed at the end.
    No,
    /// It is made among the temporary files, and stays.
    Somewhere,
    /// It is made here, and stays.
    Here(PathBuf),
}

/// A folder of our own; removed when dropped unless it is to stay.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    stays: bool,
}

impl Folder {
    /// Makes it.
    ///
    /// # Errors
    /// If it cannot be made, or the one that was named holds something already.
    pub fn make(keep: &Keep) -> Result<Self, DemoError> {
        let failed = |path: &Path, why| DemoError::Folder { path: path.to_owned(), why };
        if let Keep::Here(path) = keep {
            fs::create_dir_all(path).map_err(|why| failed(path, why))?;
            let path = path.canonicalize().map_err(|why| failed(path, why))?;
            let mut entries = fs::read_dir(&path).map_err(|why| failed(&path, why))?;
            if entries.next().is_some() {
                return Err(DemoError::NotEmpty { path });
            }
            return Ok(Self { path, stays: true });
        }
        let base = std::env::temp_dir();
        let number = Clock::System.reading().boottime_ms;
        // Made by us alone, or it is another's: whoever guessed the name gets nothing but the next number.
        for attempt in 0..100 {
            let path = base.join(format!("towpath-demo-{}-{}", std::process::id(), number + attempt));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let path = path.canonicalize().map_err(|why| failed(&path, why))?;
                    return Ok(Self { path, stays: *keep == Keep::Somewhere });
                }
                Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(why) => return Err(failed(&path, why)),
            }
        }
        Err(failed(&base, std::io::Error::from(std::io::ErrorKind::AlreadyExists)))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it stays.
    pub const fn stays(&self) -> bool {
        self.stays
    }

    /// Removes it now, unless it is to stay.
    ///
    /// # Errors
    /// If something of it could not be removed.
    pub fn remove(mut self) -> Result<(), DemoError> {
        if self.stays {
            return Ok(());
        }
        // Not a second time when dropped.
        self.stays = true;
        remove(&self.path).map_err(|why| DemoError::Folder { path: self.path.clone(), why })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.stays {
            // Nobody is left to tell.
            let _ = remove(&self.path);
        }
    }
}

/// A git or a thread of the store that is just ending may still put a file beside those that are
/// being removed.
fn remove(path: &Path) -> std::io::Result<()> {
    const ATTEMPTS: usize = 20;
    for _ in 1..ATTEMPTS {
        match fs::remove_dir_all(path) {
            Ok(()) => return Ok(()),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound && !path.exists() => return Ok(()),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    }
    fs::remove_dir_all(path)
}

/// The repository, its clones, and the commits of the story.
#[derive(Debug)]
pub struct Sandbox {
    path: PathBuf,
    git: Git,
    commits: BTreeMap<&'static str, CommitId>,
}

impl Sandbox {
    /// The config that is written: as somebody with such a repository would write it.
    pub fn config_text() -> String {
        let people: String = Who::ALL
            .iter()
            .map(|who| {
                let (name, role, plain) = (who.name(), who.role(), who.plain());
                format!(
                    "\n[people.\"{name}\"]\nrole = \"{role}\"\n\
                     identities = [\"os:{plain}@demo\", \"mail:{plain}@shop.example\"]\n"
                )
            })
            .collect();
        format!(
            "# The demo's repository: `develop` -> `staging` -> `{PRODUCTION}`. Every key: docs/config.md.\n\
             [service]\n\
             store = \"sqlite:towpath.db\"\n\n\
             [[flow]]\n\
             name = \"demo\"\n\
             repository = \"./demo.git\"\n\
             zone = \"UTC\"\n\n\
             [[flow.environment]]\n\
             name = \"develop\"\n\n\
             [[flow.environment]]\n\
             name = \"staging\"\n\
             gates.ci = {{ checks = [\"build\", \"test\"] }}\n\n\
             [[flow.environment]]\n\
             name = \"production\"\n\
             branch = \"{PRODUCTION}\"\n\
             gates.lag = \"{LAG}m\"\n\
             rollback = true\n{people}\n\
             [[allow]]\n\
             name = \"results of checks\"\n\
             verbs = [\"report\"]\n\
             people = [\"{ci}\"]\n",
            ci = Who::Ci.name(),
        )
    }

    /// Where the config is, in the demo's folder.
    pub fn config_path(folder: &Path) -> PathBuf {
        folder.join("towpath.toml")
    }

    /// Makes the repository with its first commits, on all three branches, and writes the config.
    ///
    /// # Errors
    /// If git or the disk does not do what it should.
    pub async fn set_up(folder: &Path, git: Git, at: Instant) -> Result<Self, DemoError> {
        let mut sandbox = Self { path: folder.to_owned(), git, commits: BTreeMap::new() };
        let ana = sandbox.author(Who::Ana, at);
        let server = sandbox.server();
        let server_word = server.display().to_string();
        let init = ["init", "--quiet", "--bare", "--template=", "--initial-branch=develop", &server_word];
        sandbox.git.as_author(&ana, folder, &init).await?;
        // So that the repository itself remembers where its branches have been.
        sandbox.git.as_author(&ana, &server, &["config", "core.logAllRefUpdates", "always"]).await?;
        write(&Self::config_path(folder), &Self::config_text())?;
        let clone = sandbox.clone_of(Who::Ana, at).await?;
        write(&clone.join("README.md"), "# Shop\n\nA small shop, made up for `towpath demo`.\n")?;
        let first = sandbox.commit(&ana, &clone, "The shop opens").await?;
        sandbox.commits.insert("first", first);
        let everywhere: Vec<String> =
            ["develop", "staging", PRODUCTION].iter().map(|branch| format!("HEAD:refs/heads/{branch}")).collect();
        let mut push = vec!["push", "--quiet", "origin"];
        push.extend(everywhere.iter().map(String::as_str));
        sandbox.git.as_author(&ana, &clone, &push).await?;
        Ok(sandbox)
    }

    /// The story's commit of that name, once it is made.
    pub fn commit_of(&self, name: &str) -> Option<CommitId> {
        self.commits.get(name).copied()
    }

    /// `{name}` becomes the id of the story's commit of that name.
    pub fn fill_in(&self, text: &str) -> String {
        self.commits
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), &id.to_string()))
    }

    /// Somebody commits a change of one file on top of a branch, and pushes it there.
    ///
    /// # Errors
    /// If git or the disk does not do what it should.
    pub async fn push(
        &mut self,
        (who, at): (Who, Instant),
        branch: &str,
        name: &'static str,
        (subject, file): (&str, &str),
    ) -> Result<CommitId, DemoError> {
        let clone = self.up_to_date(who, branch, at).await?;
        let path = clone.join(file);
        let before = fs::read_to_string(&path).unwrap_or_default();
        write(&path, &format!("{before}{subject}\n"))?;
        let author = self.author(who, at);
        let id = self.commit(&author, &clone, subject).await?;
        self.publish(&author, &clone, branch, name, id).await
    }

    /// Somebody merges the production branch back into `develop`, as Towpath advises.
    ///
    /// # Errors
    /// If git or the disk does not do what it should.
    pub async fn back_merge(
        &mut self,
        (who, at): (Who, Instant),
        name: &'static str,
    ) -> Result<CommitId, DemoError> {
        let clone = self.up_to_date(who, "develop", at).await?;
        let author = self.author(who, at);
        let message = format!("Merge {PRODUCTION} back into develop");
        let theirs = format!("origin/{PRODUCTION}");
        self.git.as_author(&author, &clone, &["merge", "--quiet", "--no-ff", "-m", &message, &theirs]).await?;
        let id = self.head(&author, &clone).await?;
        self.publish(&author, &clone, "develop", name, id).await
    }

    async fn publish(
        &mut self,
        author: &Author<'_>,
        clone: &Path,
        branch: &str,
        name: &'static str,
        id: CommitId,
    ) -> Result<CommitId, DemoError> {
        let to = format!("HEAD:refs/heads/{branch}");
        self.git.as_author(author, clone, &["push", "--quiet", "origin", &to]).await?;
        self.commits.insert(name, id);
        Ok(id)
    }

    fn server(&self) -> PathBuf {
        self.path.join("demo.git")
    }

    fn author(&self, who: Who, at: Instant) -> Author<'static> {
        let email = match who {
            Who::Marek => "marek@shop.example",
            Who::Ana => "ana@shop.example",
            Who::Lukasz => "lukasz@shop.example",
            Who::Olga => "olga@shop.example",
            Who::Ci => "ci@shop.example",
        };
        Author { name: who.name(), email, at }
    }

    /// Their clone, made when they first need it.
    async fn clone_of(&self, who: Who, at: Instant) -> Result<PathBuf, DemoError> {
        let clone = self.path.join("clones").join(who.plain());
        if clone.exists() {
            return Ok(clone);
        }
        let author = self.author(who, at);
        let (from, to) = (self.server().display().to_string(), clone.display().to_string());
        self.git.as_author(&author, &self.path, &["clone", "--quiet", "--template=", &from, &to]).await?;
        // For whoever goes on in a kept sandbox: commits there are theirs.
        self.git.as_author(&author, &clone, &["config", "user.name", author.name]).await?;
        self.git.as_author(&author, &clone, &["config", "user.email", author.email]).await?;
        Ok(clone)
    }

    /// Their clone, on what the branch is now.
    async fn up_to_date(&self, who: Who, branch: &str, at: Instant) -> Result<PathBuf, DemoError> {
        let clone = self.clone_of(who, at).await?;
        let author = self.author(who, at);
        self.git.as_author(&author, &clone, &["fetch", "--quiet", "origin"]).await?;
        let tip = format!("origin/{branch}");
        self.git.as_author(&author, &clone, &["switch", "--quiet", "-C", branch, "--track", &tip]).await?;
        Ok(clone)
    }

    async fn commit(&self, author: &Author<'_>, clone: &Path, subject: &str) -> Result<CommitId, DemoError> {
        self.git.as_author(author, clone, &["add", "--all"]).await?;
        self.git.as_author(author, clone, &["commit", "--quiet", "-m", subject]).await?;
        self.head(author, clone).await
    }

    async fn head(&self, author: &Author<'_>, clone: &Path) -> Result<CommitId, DemoError> {
        let said = self.git.as_author(author, clone, &["rev-parse", "HEAD"]).await?;
        said.parse().map_err(|_| DemoError::NoCommit { said })
    }
}

fn write(path: &Path, text: &str) -> Result<(), DemoError> {
    fs::write(path, text).map_err(|why| DemoError::Folder { path: path.to_owned(), why })
}
