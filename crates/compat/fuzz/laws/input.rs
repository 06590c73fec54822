//! An input as the labelled cases are written, so that those are seeds: lines of `key: value`, then
//! files under `=== KIND PATH`. Whatever does not fit is taken for something, never refused.

use std::collections::BTreeMap;

use towpath_compat::frameworks::{Framework, rows};
use towpath_compat::sql::Dialect;
use towpath_compat::tree::MemoryTree;

use super::LONGEST;

/// No more files are taken of an input.
const FILES: usize = 64;

/// Which trees a file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All of them.
    Base,
    /// The head, in place of the base's.
    Head,
    /// Not in the head any more.
    Gone,
    /// All but the base.
    Running,
}

pub struct File<'a> {
    pub kind: Kind,
    pub path: String,
    pub bytes: &'a [u8],
}

/// What an input stands for.
pub struct Input<'a> {
    head: BTreeMap<String, String>,
    pub files: Vec<File<'a>>,
}

impl<'a> Input<'a> {
    pub fn read(bytes: &'a [u8]) -> Self {
        let bytes = &bytes[..bytes.len().min(LONGEST)];
        let mut input = Self { head: BTreeMap::new(), files: vec![] };
        let (mut at, mut begin) = (0, 0);
        while at < bytes.len() {
            let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end);
            let line = String::from_utf8_lossy(&bytes[at..end]);
            let next = (end + 1).min(bytes.len());
            if let Some(mark) = line.strip_prefix("=== ").filter(|_| input.files.len() < FILES) {
                input.end_file(&bytes[begin..at]);
                let (word, path) = mark.split_once(' ').unwrap_or((mark, "migrations/1_a.sql"));
                let kind = match word {
                    "head" => Kind::Head,
                    "gone" => Kind::Gone,
                    "running" => Kind::Running,
                    _ => Kind::Base,
                };
                input.files.push(File { kind, path: path.to_owned(), bytes: &[] });
                begin = next;
            } else if input.files.is_empty()
                && let Some((key, value)) = line.split_once(": ")
            {
                input.head.insert(key.to_owned(), value.trim().to_owned());
            }
            at = next;
        }
        input.end_file(&bytes[begin..]);
        input
    }

    fn end_file(&mut self, bytes: &'a [u8]) {
        if let Some(file) = self.files.last_mut() {
            file.bytes = bytes;
        }
    }

    /// What a line of the head says.
    pub fn said(&self, key: &str) -> Option<&str> {
        self.head.get(key).map(String::as_str)
    }

    pub fn dialect(&self) -> Option<Dialect> {
        self.said("dialect").and_then(Dialect::of_word)
    }

    /// The row that the head names, by its id or else by any word.
    pub fn row(&self) -> Option<&'static Framework> {
        let word = self.said("framework")?;
        let byte = usize::from(word.bytes().next()?);
        let many = rows().count();
        rows().find(|row| row.id == word).or_else(|| rows().nth(byte % many))
    }

    /// Every file in one tree.
    pub fn tree(&self) -> MemoryTree {
        MemoryTree::new(self.files.iter().map(|file| (file.path.clone(), file.bytes.to_vec())))
    }

    /// Base, head and the tree that runs.
    pub fn trees(&self) -> (MemoryTree, MemoryTree, MemoryTree) {
        let of = |kinds: &[Kind]| -> BTreeMap<String, Vec<u8>> {
            let of_kinds = self.files.iter().filter(|file| kinds.contains(&file.kind));
            of_kinds.map(|file| (file.path.clone(), file.bytes.to_vec())).collect()
        };
        let mut head = of(&[Kind::Base, Kind::Running]);
        head.extend(of(&[Kind::Head]));
        for file in self.files.iter().filter(|file| file.kind == Kind::Gone) {
            head.remove(&file.path);
        }
        let tree = |files: BTreeMap<String, Vec<u8>>| MemoryTree::new(files);
        (tree(of(&[Kind::Base])), tree(head), tree(of(&[Kind::Base, Kind::Running])))
    }
}

/// How many lines a text has at most, whatever ends a line and however wide its letters are.
pub fn lines(bytes: &[u8]) -> u32 {
    let ends = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r' | 0x0b | 0x0c)).count();
    u32::try_from(ends).unwrap_or(u32::MAX - 1) + 1
}

/// The first line, and what follows it.
pub fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}
