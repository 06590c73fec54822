//! Our copy of a remote repository: bare, private, and disposable.
//!
//! It can always be fetched again, so whatever is wrong with it is mended by making it anew. Its
//! references only keep objects from being lost; where branches are is what the remote says.
//! Nothing in it is ever removed while it lasts (`gc` is off): commits that were pushed off a
//! branch stay readable.
//!
//! Not here: what is fetched into it (`transport`) and read from it (`read`).

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use towpath_core::model::{CommitId, Span, Unknown, UnknownWhy};

use super::patch::PatchKey;
use super::remote::Remote;
use super::words;

/// The mirror's own settings. Of the git program's calls only `push` and `fetch` read them.
const CONFIG: &str = "# Written by Towpath; the folder may be deleted at any time.\n\
[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\thooksPath = /dev/null\n\
[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n\
[commitGraph]\n\t# The only version that libgit2 reads.\n\tgenerationVersion = 1\n";

/// How often a lock that another process holds is tried again.
const LOCK_EVERY: Duration = Duration::from_millis(20);

/// How long after the mirror was made anew it is believed that doing so again would not help.
const REBUILD_EVERY: Duration = Duration::from_secs(3_600);

/// Tells folders that are made at the same moment apart.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// A bare copy of one remote repository. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mirror {
    dir: PathBuf,
    lock: PathBuf,
    suspect: PathBuf,
    rebuilt: PathBuf,
    /// Patch ids that were worked out before, for `patch`.
    pub(super) patches: Arc<Mutex<HashMap<CommitId, Option<PatchKey>>>>,
}

/// While it lives, no other process changes the mirror.
#[derive(Debug)]
pub struct MirrorLock(#[expect(dead_code, reason = "closing it unlocks")] File);

impl Mirror {
    /// The mirror of `remote` inside the folder `root`, made empty if there is none.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub fn open_or_create(root: &Path, remote: &Remote) -> Result<Self, Unknown> {
        let name = remote.folder_name();
        let at = |suffix: &str| root.join(format!("{name}{suffix}"));
        let mirror = Self {
            dir: at(".git"),
            lock: at(".lock"),
            suspect: at(".suspect"),
            rebuilt: at(".rebuilt"),
            patches: Arc::default(),
        };
        std::fs::create_dir_all(root).and_then(|()| mirror.create_if_lacking()).map_err(words::unreadable)?;
        Ok(mirror)
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Opens it for reading: 30 µs.
    pub(crate) fn open(&self) -> Result<git2::Repository, Unknown> {
        let repository = git2::Repository::open_bare(&self.dir).map_err(|error| {
            self.suspect();
            words::unreadable(error.message())
        })?;
        if repository.is_shallow() {
            return Err(Unknown::lasting(UnknownWhy::Shallow));
        }
        Ok(repository)
    }

    /// Notes that something in it cannot be read: the next fetch makes it anew, in whatever process.
    pub fn suspect(&self) {
        // If this cannot be written either, the next reader notes it again.
        let _ = std::fs::write(&self.suspect, "");
    }

    /// Whether it is to be made anew, so that a fetch is due even if nothing has moved.
    pub fn is_suspect(&self) -> bool {
        !looks_whole(&self.dir) || self.suspect.exists() && self.may_be_rebuilt()
    }

    /// Whether making it anew was not tried a short while ago: what is still unreadable then will
    /// not be mended by copying a whole repository at every look.
    ///
    /// Two times that the file system wrote are compared; no clock is read.
    fn may_be_rebuilt(&self) -> bool {
        let written = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified());
        let (Ok(suspected), Ok(rebuilt)) = (written(&self.suspect), written(&self.rebuilt)) else { return true };
        suspected.duration_since(rebuilt).is_ok_and(|passed| passed >= REBUILD_EVERY)
    }

    /// Waits until no other process changes the mirror, at most for `deadline`.
    ///
    /// # Errors
    /// If the deadline is over, or the lock's file cannot be written.
    pub async fn lock(&self, deadline: Duration) -> Result<MirrorLock, Unknown> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.lock)
            .map_err(words::unreadable)?;
        let turn = async {
            loop {
                match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                    Ok(()) => return Ok(()),
                    Err(rustix::io::Errno::WOULDBLOCK) => tokio::time::sleep(LOCK_EVERY).await,
                    Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(words::unreadable(error)),
                }
            }
        };
        let after = Span::from_ms(i64::try_from(deadline.as_millis()).unwrap_or(i64::MAX));
        match tokio::time::timeout(deadline, turn).await {
            Ok(Ok(())) => Ok(MirrorLock(file)),
            Ok(Err(unknown)) => Err(unknown),
            Err(_) => Err(Unknown::passing(UnknownWhy::TimedOut { after })),
        }
    }

    /// Makes it anew, empty, if it was noted as unreadable. Returns whether it did. For holders of
    /// the lock.
    pub(super) fn mend(&self, _held: &MirrorLock) -> Result<bool, Unknown> {
        if !self.is_suspect() {
            return Ok(false);
        }
        let rebuild = || {
            // Moved away first: whoever reads in it meanwhile keeps what it has open.
            let grave = self.beside("old");
            match std::fs::rename(&self.dir, &grave) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            self.create_if_lacking()?;
            std::fs::write(&self.rebuilt, "")?;
            remove(std::fs::remove_file(&self.suspect))?;
            remove(std::fs::remove_dir_all(&grave))
        };
        rebuild().map_err(words::unreadable).map(|()| true)
    }

    /// Whether it holds nothing yet, so that nothing in it can be broken.
    pub(super) fn is_fresh(&self) -> bool {
        let packs = std::fs::read_dir(self.dir.join("objects/pack"));
        looks_whole(&self.dir) && packs.is_ok_and(|mut entries| entries.next().is_none())
    }

    /// Forgets its references, and locks that a killed process left. The objects stay.
    pub(super) fn forget_refs(&self, _held: &MirrorLock) -> Result<(), Unknown> {
        let forget = || {
            remove(std::fs::remove_dir_all(self.dir.join("refs")))?;
            for name in ["packed-refs", "packed-refs.lock", "HEAD.lock", "config.lock", "shallow.lock"] {
                remove(std::fs::remove_file(self.dir.join(name)))?;
            }
            std::fs::create_dir_all(self.dir.join("refs/heads"))
        };
        forget().map_err(words::unreadable)
    }

    /// A bare repository without templates, put in place by a rename, so that nobody ever sees
    /// half of one and two makers do no harm.
    fn create_if_lacking(&self) -> io::Result<()> {
        if self.dir.exists() {
            return Ok(());
        }
        let draft = self.beside("new");
        std::fs::create_dir_all(draft.join("objects/pack"))?;
        std::fs::create_dir_all(draft.join("objects/info"))?;
        std::fs::create_dir_all(draft.join("refs/heads"))?;
        std::fs::write(draft.join("config"), CONFIG)?;
        std::fs::write(draft.join("HEAD"), "ref: refs/heads/towpath-has-no-head\n")?;
        match std::fs::rename(&draft, &self.dir) {
            Err(_) if self.dir.exists() => std::fs::remove_dir_all(&draft),
            other => other,
        }
    }

    fn beside(&self, what: &str) -> PathBuf {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        self.dir.with_extension(format!("{what}.{}.{serial}", std::process::id()))
    }
}

/// Whether the folder is at first sight what [`Mirror::create_if_lacking`] made.
fn looks_whole(dir: &Path) -> bool {
    std::fs::read(dir.join("config")).is_ok_and(|text| text == CONFIG.as_bytes())
        && dir.join("HEAD").is_file()
        && dir.join("objects").is_dir()
        && dir.join("refs").is_dir()
}

/// What is not there need not be removed.
fn remove(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
