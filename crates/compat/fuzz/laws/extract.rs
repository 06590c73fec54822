//! Every extractor: `framework` picks the row, the files are one tree.

use std::collections::HashSet;

use towpath_compat::Place;
use towpath_compat::frameworks::{Found, detect, rows};
use towpath_compat::migration::{Context, History, Limits, Memo};
use towpath_compat::sql::Dialect;
use towpath_compat::tree::{MemoryTree, Tree};

use super::input::{Input, lines};

/// No more histories of an input are read.
const HISTORIES: usize = 12;

/// Finds the histories as they are found of themselves, as the row finds them, and as its owner may
/// name them; reads each twice.
pub fn hold(bytes: &[u8]) {
    let input = Input::read(bytes);
    let tree = input.tree();
    let all = detect(&tree, None, &[]);
    assert_eq!(all, detect(&tree, None, &[]), "the same tree is found to have different histories");
    let mut founds = all;
    if let Some(row) = input.row() {
        founds.extend((row.find)(&tree));
        founds.extend(detect(&tree, Some(row.id), &[]));
        for file in &input.files {
            let root = file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
            founds.push(Found { framework: row.id, root: root.to_owned(), dialect: None });
        }
    }
    let mut seen = HashSet::new();
    founds.retain(|found| seen.insert((found.framework, found.root.clone())));
    let memo = Memo::default();
    for found in founds.iter().take(HISTORIES) {
        let dialect = input.dialect().or(found.dialect).unwrap_or(Dialect::Postgres);
        let history = read(&tree, found, dialect, &memo);
        assert_eq!(history, read(&tree, found, dialect, &memo), "{found:?}: what was read before is another");
        assert_eq!(history, read(&tree, found, dialect, &Memo::default()), "{found:?} is read in two ways");
        in_place(&tree, &history);
    }
}

/// How many migrations a row's own search finds in an input: of a seed of it, at least one.
pub fn found_by(row: &str, bytes: &[u8]) -> usize {
    let tree = Input::read(bytes).tree();
    let (memo, found) = (Memo::default(), detect(&tree, None, &[]));
    let of_row = found.iter().filter(|found| found.framework == row);
    of_row.map(|found| read(&tree, found, Dialect::Postgres, &memo).migrations.len()).sum()
}

fn read(tree: &MemoryTree, found: &Found, dialect: Dialect, memo: &Memo) -> History {
    let context = Context { tree, dialect, limits: Limits::default(), memo };
    let row = rows().find(|row| row.id == found.framework);
    row.map(|row| (row.history)(&context, found)).unwrap_or_default()
}

/// Whatever is said of a file is said of a line that it has.
fn in_place(tree: &MemoryTree, history: &History) {
    for migration in &history.migrations {
        let at = |line| Place { path: migration.path.clone(), line };
        within(tree, &at(migration.line));
        for step in migration.steps.iter() {
            within(tree, &at(step.line));
        }
    }
    for problem in &history.problems {
        within(tree, &problem.at);
    }
}

/// A line that the file has; where there is no such file, the first.
pub fn within(tree: &MemoryTree, at: &Place) {
    let last = tree.read(&at.path).map_or(1, |bytes| lines(&bytes));
    assert!((1..=last).contains(&at.line), "line {} of {last}: {}", at.line, at.path);
}
