//! Which histories there are, and which of them a range may have changed.

use std::collections::BTreeMap;

use super::Question;
use crate::frameworks::{Found, Framework, detect, rows};
use crate::sql::Dialect;
use crate::sql::guess::guess;
use crate::tree::{Entry, Tree};

/// A history that the range may have changed.
pub struct Located {
    /// Its framework.
    pub framework: &'static Framework,
    /// Where the head has it; where the base has it, if the head has it no more.
    pub found: Found,
    /// The SQL that its database speaks.
    pub dialect: Dialect,
}

/// The histories of the base and the head that are not the same in both.
pub fn changed(question: &Question<'_>) -> Vec<Located> {
    let settings = &question.settings;
    let mut located: BTreeMap<(usize, String), Located> = BTreeMap::new();
    for tree in [question.head].into_iter().chain(question.base.iter().copied()) {
        for found in detect(tree, settings.framework.as_deref(), &settings.paths) {
            let Some((row, framework)) = rows().enumerate().find(|(_, row)| row.id == found.framework) else {
                continue;
            };
            located.entry((row, found.root.clone())).or_insert_with(|| Located {
                framework,
                dialect: settings.dialect.or(found.dialect).unwrap_or_else(|| guess(tree, &found, &[])),
                found,
            });
        }
    }
    located
        .into_values()
        .filter(|located| !question.base.iter().any(|base| same_under(*base, question.head, &located.found.root)))
        .collect()
}

/// Whether a path is a directory or within it.
pub fn under(path: &str, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    directory.is_empty()
        || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The entries of a tree that are at a root or under it.
pub fn entries_under<'a>(tree: &'a dyn Tree, root: &'a str) -> impl Iterator<Item = &'a Entry> {
    let entries = tree.entries();
    let first = entries.partition_point(|entry| entry.path.as_str() < root);
    entries
        .get(first..)
        .unwrap_or_default()
        .iter()
        .take_while(move |entry| entry.path.starts_with(root))
        .filter(move |entry| under(&entry.path, root))
}

/// Whether two trees have the same files there, and the same file that shows the schema beside it.
fn same_under(one: &dyn Tree, other: &dyn Tree, root: &str) -> bool {
    // A file names others, which may lie anywhere.
    let root = if other.entry(root).is_some() || one.entry(root).is_some() { "" } else { root };
    let beside = super::history::shown(root);
    entries_under(one, root).eq(entries_under(other, root))
        && beside.iter().all(|path| {
            one.entry(path).map(|entry| &entry.content) == other.entry(path).map(|entry| &entry.content)
        })
}
