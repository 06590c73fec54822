//! What is read: the files of a commit, as the caller has them.
//!
//! The caller has a git tree, a test has strings; this crate asks both the same two questions. Not
//! here: anything that knows git.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What names a file's content: the same id means the same bytes. For git, the blob's id in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentId(pub String);

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path from the repository's root, with `/`. What is not UTF-8 was replaced.
    pub path: String,
    /// What names its content.
    pub content: ContentId,
}

/// Why a file's content cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoContent {
    /// There is no file of that path.
    Absent,
    /// It is larger than the tree gives out; in bytes.
    TooLarge(u64),
    /// It is no file: a symbolic link, a submodule.
    NotAFile,
    /// It could not be read where it is kept.
    Unreadable,
}

impl std::fmt::Display for NoContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no such file"),
            Self::TooLarge(bytes) => write!(f, "it is too large, {bytes} bytes"),
            Self::NotAFile => f.write_str("it is a symbolic link or a submodule, not a file"),
            Self::Unreadable => f.write_str("it could not be read where it is kept"),
        }
    }
}

/// The files of one commit.
pub trait Tree {
    /// Every file, ordered by path.
    fn entries(&self) -> &[Entry];

    /// The bytes of a file.
    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, NoContent>;

    /// The file's entry, if there is one.
    fn entry(&self, path: &str) -> Option<&Entry> {
        let entries = self.entries();
        entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok().map(|at| &entries[at])
    }

    /// The text of a file; a byte order mark is cut, what is no UTF-8 is replaced.
    fn text(&self, path: &str) -> Result<String, NoContent> {
        let bytes = self.read(path)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// A tree of strings.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    entries: Vec<Entry>,
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryTree {
    /// A tree of these files. Of a path given twice the last counts.
    pub fn new<P: Into<String>, B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, B)>) -> Self {
        let files: BTreeMap<String, Vec<u8>> =
            files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())).collect();
        let entries = files
            .iter()
            .map(|(path, bytes)| Entry { path: path.clone(), content: ContentId(content_hash(bytes)) })
            .collect();
        Self { entries, files }
    }
}

impl Tree for MemoryTree {
    fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, NoContent> {
        self.files.get(path).map(|bytes| Cow::Borrowed(bytes.as_slice())).ok_or(NoContent::Absent)
    }
}

/// FNV-1a over the bytes, and their length: enough to tell a test's files apart.
fn content_hash(bytes: &[u8]) -> String {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}{:x}", bytes.len())
}
