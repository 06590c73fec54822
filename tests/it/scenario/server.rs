//! The server of a scenario on real parts: a bare repository in a folder of its own or in that of a forge of the
//! tests, what people do to it, and the troubles that pushes meet there.
//!
//! Where there is no such forge Towpath reaches it as `ssh://…`. The `ssh` it finds is a script of ours that runs the server's
//! half on this machine, or, while the line is down, says what ssh says then: a folder that was
//! moved away would read as a repository that does not exist, which is another thing.
//!
//! People's hands go past git's server half: libgit2 writes their commits and branches. So what git
//! notes in `moves` came through a push, and only Towpath pushes. A forge of the tests moves branches by git, for
//! whoever asks it to: what people have it do is done [by hand](Server::by_hand), and not noted.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use git2::{Commit, ErrorCode, Oid, Repository, Signature, Time};
use tempfile::TempDir;
use towpath_core::model::CommitId;

use super::run::Made;
use crate::support::git_fixture::{FIRST_DATE, Repo, script};

/// What `ssh` says when nobody is there.
const NO_ROUTE: &str = "ssh: connect to host shop.test port 22: No route to host";

/// The same with what git adds, as it is shown.
pub const NOBODY_THERE: &str = "ssh: connect to host shop.test port 22: No route to host / fatal: Could not read \
                                from remote repository.";

/// The line to the server: the server's half of git, on this machine. It inherits nothing of the
/// client's settings, as with a real ssh.
const SSH: &str = r#"if [ -e "$(dirname "$0")/../down" ]; then
  echo 'NO_ROUTE' >&2
  exit 255
fi
for command; do :; done
unset GIT_DIR GIT_CONFIG_COUNT GIT_CONFIG_GLOBAL GIT_CEILING_DIRECTORIES
eval "exec git ${command#git-}""#;

/// Notes every move that a push made, and then lets the server die if its answer is to be lost.
const ON_TRANSACTION: &str = r#"[ "$1" = committed ] && [ ! -e "$GIT_DIR/by-hand" ] || exit 0
while read -r old new ref; do
  case "$ref" in refs/heads/*) echo "$old $new ${ref#refs/heads/}" >> "$GIT_DIR/moves";; esac
done
if [ -e "$GIT_DIR/lose-answer" ]; then kill -9 $PPID; fi
exit 0"#;

/// What the next push meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A hook says no.
    Refuse,
    /// The server dies before it has moved anything.
    LosePush,
    /// The server dies when the branch has moved and nothing has been answered.
    LoseAnswer,
}

/// A move of a branch by a push, as git itself noted it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moved {
    pub branch: String,
    pub old: CommitId,
    pub new: CommitId,
}

pub struct Server {
    folder: TempDir,
    repo: Repo,
    hands: Repository,
    made: Cell<i64>,
}

impl Server {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the scenario");
        let repo = Repo::init(folder.path().join("shop.git"));
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).expect("the folder for ssh");
        script(&bin.join("ssh"), &SSH.replace("NO_ROUTE", NO_ROUTE));
        Self::of(folder, repo)
    }

    /// Over the repository of a forge of the tests, of which nothing is kept that was there.
    pub fn over(repository: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the scenario");
        let server = Self::of(folder, Repo::open(repository));
        for branch in server.repo.git(["for-each-ref", "--format=%(refname:short)", "refs/heads"]).lines() {
            server.set_branch(branch, None);
        }
        server
    }

    fn of(folder: TempDir, repo: Repo) -> Self {
        repo.hook("reference-transaction", ON_TRANSACTION);
        let hands = Repository::open_bare(&repo.dir).expect("git made a repository");
        Self { folder, repo, hands, made: Cell::new(0) }
    }

    /// The folder around it, for everything else of the scenario.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How the config names it.
    pub fn url(&self) -> String {
        format!("ssh://shop.test{}", self.repo.dir.display())
    }

    /// How the config names the folder of its repositories, as if that were a forge.
    pub fn forge_url(&self) -> String {
        format!("ssh://shop.test{}", self.folder().display())
    }

    /// Where programs are found: our ssh first.
    pub fn path(&self) -> std::ffi::OsString {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(self.folder().join("bin")).chain(std::env::split_paths(&others));
        std::env::join_paths(all).expect("no folder of PATH has a colon in it")
    }

    /// Cuts the line, or mends it.
    pub fn cut(&self, down: bool) {
        mark(&self.folder().join("down"), down);
    }

    /// Makes a commit that is on no branch yet.
    pub fn commit(&self, made: &Made) -> CommitId {
        let date = Time::new(FIRST_DATE + 60 * self.made.replace(self.made.get() + 1), 0);
        let who = Signature::new(&made.author, &format!("{}@example.com", made.author), &date);
        let write = || -> Result<Oid, git2::Error> {
            let who = who?;
            let mut files = git2::build::TreeUpdateBuilder::new();
            for (path, text) in &made.tree {
                files.upsert(path.as_str(), self.hands.blob(text.as_bytes())?, git2::FileMode::Blob);
            }
            let nothing = self.hands.find_tree(self.hands.treebuilder(None)?.write()?)?;
            let tree = self.hands.find_tree(files.create_updated(&self.hands, &nothing)?)?;
            let parents = made.parents.iter().map(|id| self.hands.find_commit(oid(*id)));
            let parents: Vec<Commit<'_>> = parents.collect::<Result<_, _>>()?;
            let parents: Vec<&Commit<'_>> = parents.iter().collect();
            self.hands.commit(None, &who, &who, &format!("change {}\n", made.label), &tree, &parents)
        };
        id(write().unwrap_or_else(|why| panic!("commit {}: {why}", made.label)))
    }

    /// Somebody with all rights puts a branch somewhere, or removes it.
    pub fn set_branch(&self, branch: &str, to: Option<CommitId>) {
        let name = format!("refs/heads/{branch}");
        let done = match to {
            Some(to) => self.hands.reference(&name, oid(to), true, "by hand").map(|_| ()),
            None => self.hands.find_reference(&name).and_then(|mut found| found.delete()),
        };
        done.unwrap_or_else(|why| panic!("{branch}: {why}"));
    }

    pub fn tip(&self, branch: &str) -> Option<CommitId> {
        match self.hands.refname_to_id(&format!("refs/heads/{branch}")) {
            Ok(found) => Some(id(found)),
            Err(why) if why.code() == ErrorCode::NotFound => None,
            Err(why) => panic!("{branch}: {why}"),
        }
    }

    /// Whether `tip` contains `base` and is another commit.
    pub fn is_ahead(&self, tip: CommitId, base: CommitId) -> bool {
        self.hands.graph_descendant_of(oid(tip), oid(base)).expect("both commits are there")
    }

    /// What the next push meets, until [`Server::calm`].
    pub fn trouble(&self, trouble: Trouble) {
        match trouble {
            Trouble::Refuse => self.repo.hook("pre-receive", "exit 1"),
            Trouble::LosePush => self.repo.hook("pre-receive", "kill -9 $PPID"),
            Trouble::LoseAnswer => mark(&self.repo.dir.join("lose-answer"), true),
        }
    }

    /// Pushes meet no trouble any more.
    pub fn calm(&self) {
        mark(&self.repo.dir.join("hooks/pre-receive"), false);
        mark(&self.repo.dir.join("lose-answer"), false);
    }

    /// What people have a forge do with the repository is noted as no move of ours.
    pub fn by_hand<T>(&self, deed: impl FnOnce() -> T) -> T {
        let file = self.repo.dir.join("by-hand");
        mark(&file, true);
        let done = deed();
        mark(&file, false);
        done
    }

    /// The folder of the repository.
    pub fn repository(&self) -> &Path {
        &self.repo.dir
    }

    /// Every move of an environment's branch by a push, oldest first.
    pub fn moves(&self) -> Vec<Moved> {
        let text = fs::read_to_string(self.repo.dir.join("moves")).unwrap_or_default();
        let moved = |line: &str| {
            let [old, new, branch] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("a move: {line}") };
            let id = |text: &str| text.parse().unwrap_or_else(|_| panic!("an id: {line}"));
            Moved { branch: branch.to_owned(), old: id(old), new: id(new) }
        };
        text.lines().map(moved).filter(|moved| !moved.branch.starts_with("towpath/")).collect()
    }
}

/// Makes an empty file, or removes what is there.
fn mark(file: &Path, there: bool) {
    let done = if there { fs::write(file, "") } else { fs::remove_file(file) };
    assert!(done.is_ok() || file.exists() == there, "{}: {done:?}", file.display());
}

fn oid(id: CommitId) -> Oid {
    Oid::from_str(&id.to_string()).expect("an id is an id")
}

fn id(oid: Oid) -> CommitId {
    oid.to_string().parse().expect("an id is an id")
}
