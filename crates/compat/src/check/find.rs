//! Which histories there are, and which of them a range may have changed.

use std::collections::{BTreeMap, BTreeSet};

use super::Question;
use crate::frameworks::{Found, Framework, Read, detect, rows};
use crate::sql::Dialect;
use crate::sql::guess::guess;
use crate::tree::{ContentId, Entry, Tree};

/// A history that the range may have changed.
pub struct Located {
    /// Its framework.
    pub framework: &'static Framework,
    /// Where the head has it; where the base has it, if the head has it no more.
    pub found: Found,
    /// The SQL that its database speaks.
    pub dialect: Dialect,
    /// Where the trees of the base have it that have it elsewhere: its files were moved.
    pub moved_from: Option<Found>,
}

impl Located {
    /// Where a tree of the base has it.
    pub fn found_in(&self, base: &dyn Tree) -> &Found {
        match &self.moved_from {
            Some(from) if entries_under(base, &self.found.root).next().is_none() => from,
            _ => &self.found,
        }
    }
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
                moved_from: None,
            });
        }
    }
    let mut located: Vec<Located> = located.into_values().collect();
    moved(question, &mut located);
    located
        .into_iter()
        .filter(|located| !question.base.iter().any(|base| same_under(*base, question.head, &located.found.root)))
        .collect()
}

/// A history that the head has in one place only and the base in another one only, and of whose files
/// more than half are the same: it was moved, and is one history. What names migrations by the paths of
/// their files (Liquibase) takes a moved one for a new one.
fn moved(question: &Question<'_>, located: &mut Vec<Located>) {
    let nowhere = |root: &str, trees: &[&dyn Tree]| {
        !root.is_empty() && trees.iter().all(|tree| entries_under(*tree, root).next().is_none())
    };
    let (come, gone): (Vec<usize>, Vec<usize>) = {
        let which = |trees: &[&dyn Tree]| -> Vec<usize> {
            let told = |one: &Located| {
                one.framework.read == Read::Whole
                    && one.framework.id != "liquibase"
                    && nowhere(&one.found.root, trees)
            };
            (0..located.len()).filter(|at| located.get(*at).is_some_and(told)).collect()
        };
        (which(&question.base), which(&[question.head]))
    };
    let mut taken: Vec<usize> = vec![];
    for at in come {
        let Some(new) = located.get(at) else { continue };
        let contents = |tree: &dyn Tree, root: &str| -> BTreeSet<ContentId> {
            entries_under(tree, root).map(|entry| entry.content.clone()).collect()
        };
        let there = contents(question.head, &new.found.root);
        let alike = |from: &usize| {
            let old = located.get(*from).filter(|old| old.framework.id == new.framework.id)?;
            let was: BTreeSet<ContentId> =
                question.base.iter().flat_map(|base| contents(*base, &old.found.root)).collect();
            let same = was.intersection(&there).count();
            (2 * same > was.len()).then_some((same, *from))
        };
        let best = gone.iter().filter(|from| !taken.contains(from)).filter_map(alike).max();
        let Some((_, from)) = best else { continue };
        taken.push(from);
        let old = located.get(from).map(|old| old.found.clone());
        if let Some(new) = located.get_mut(at) {
            new.moved_from = old;
        }
    }
    let mut at = 0;
    located.retain(|_| {
        at += 1;
        !taken.contains(&(at - 1))
    });
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
