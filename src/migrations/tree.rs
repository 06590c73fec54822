//! The files of a commit, as `towpath-compat` asks for them.
//!
//! Read from git's objects; nothing is checked out. Not here: which commits are asked about.

use std::borrow::Cow;

use git2::{ObjectType, Oid, Repository, TreeWalkMode, TreeWalkResult};
use towpath_compat::tree::{ContentId, Entry, NoContent, Tree};

/// No file larger than this is given out, in bytes.
const FILE_BYTES_MAX: usize = 32 << 20;

/// No tree with more files than this is read.
const FILES_MAX: usize = 2_000_000;

/// The files of one commit of a git repository.
pub struct GitTree<'a> {
    repository: &'a Repository,
    entries: Vec<Entry>,
    /// The blob of each entry; none for what is no file.
    blobs: Vec<Option<Oid>>,
}

impl<'a> GitTree<'a> {
    /// The files of that tree.
    ///
    /// # Errors
    /// If objects are missing or damaged, or there are too many files.
    pub fn read(repository: &'a Repository, tree: &git2::Tree<'_>) -> Result<Self, git2::Error> {
        let mut files = Vec::new();
        tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            if entry.kind() == Some(ObjectType::Tree) {
                return TreeWalkResult::Ok;
            }
            if files.len() >= FILES_MAX {
                return TreeWalkResult::Abort;
            }
            let path = format!("{folder}{}", String::from_utf8_lossy(entry.name_bytes()));
            // 0o100644, 0o100755 and the old 0o100664; links and submodules are no files.
            let file = entry.kind() == Some(ObjectType::Blob) && entry.filemode() & 0o170_000 == 0o100_000;
            files.push((Entry { path, content: ContentId(entry.id().to_string()) }, file.then_some(entry.id())));
            TreeWalkResult::Ok
        })
        .map_err(|error| {
            if files.len() < FILES_MAX {
                return error;
            }
            git2::Error::from_str(&format!("it has more than {FILES_MAX} files"))
        })?;
        files.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
        let (entries, blobs) = files.into_iter().unzip();
        Ok(Self { repository, entries, blobs })
    }
}

impl Tree for GitTree<'_> {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, NoContent> {
        let at = self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path));
        let at = at.map_err(|_| NoContent::Absent)?;
        let id = self.blobs[at].ok_or(NoContent::NotAFile)?;
        let odb = self.repository.odb().map_err(|_| NoContent::Unreadable)?;
        let (size, _) = odb.read_header(id).map_err(|_| NoContent::Unreadable)?;
        if size > FILE_BYTES_MAX {
            return Err(NoContent::TooLarge(size as u64));
        }
        let object = odb.read(id).map_err(|_| NoContent::Unreadable)?;
        Ok(Cow::Owned(object.data().to_vec()))
    }
}
