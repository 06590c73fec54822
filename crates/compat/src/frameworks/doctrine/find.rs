//! Where Doctrine's migrations are in a tree, and in which dialect.

use std::collections::BTreeMap;

use crate::sql::Dialect;
use crate::tree::{Entry, Tree};

use super::super::Found;
use super::super::php::project;

/// Every directory that holds classes of migrations.
pub fn find(tree: &dyn Tree) -> Vec<Found> {
    let mut roots: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in tree.entries() {
        if is_version(&entry.path) && !project::foreign(&entry.path) {
            roots.entry(root_of(&entry.path)).or_default().push(&entry.path);
        }
    }
    roots
        .into_iter()
        .filter(|(_, paths)| paths.iter().rev().take(5).any(|path| is_migration(tree, path)))
        .map(|(root, paths)| Found {
            framework: super::ROW.id,
            root: root.to_owned(),
            dialect: dialect(tree, root, &paths),
        })
        .collect()
}

/// The files of a root, also where they lie in years and months.
pub fn files<'a>(tree: &'a dyn Tree, root: &str) -> Vec<&'a Entry> {
    let is_of = |entry: &&Entry| is_version(&entry.path) && root_of(&entry.path) == root;
    tree.entries().iter().filter(is_of).collect()
}

/// A file's name without directory and `.php`: the class's name.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".php").unwrap_or(name)
}

/// The digits of a class's name.
pub fn version(stem: &str) -> Option<Vec<u64>> {
    stem.strip_prefix("Version")?.parse().ok().map(|number| vec![number])
}

fn is_version(path: &str) -> bool {
    let name = stem(path);
    path.ends_with(".php")
        && name
            .strip_prefix("Version")
            .is_some_and(|rest| rest.len() >= 6 && rest.bytes().take(6).all(|byte| byte.is_ascii_digit()))
}

/// The directory of a path, without the year and month that Doctrine may put behind it.
fn root_of(path: &str) -> &str {
    let mut root = path.rsplit_once('/').map_or("", |(root, _)| root);
    for _ in 0..2 {
        let (above, last) = root.rsplit_once('/').unwrap_or(("", root));
        let is_number = |length| last.len() == length && last.bytes().all(|byte| byte.is_ascii_digit());
        if is_number(4) || is_number(2) {
            root = above;
        }
    }
    root
}

fn is_migration(tree: &dyn Tree, path: &str) -> bool {
    tree.text(path).is_ok_and(|text| {
        text.contains("Migration") && (text.contains("function up(") || text.contains(" extends "))
    })
}

/// The dialect by the driver of the configuration, by what the statements could only be, by the
/// address of the database, by the extensions asked for.
fn dialect(tree: &dyn Tree, root: &str, paths: &[&str]) -> Option<Dialect> {
    let home = project::home(tree, root);
    project::doctrine_driver(tree, &home)
        .or_else(|| by_texts(tree, paths))
        .or_else(|| project::database_url(tree, &home))
        .or_else(|| project::extensions(tree, &home))
}

/// What only one dialect says.
const MARKS: [(&str, Dialect); 17] = [
    ("AUTO_INCREMENT", Dialect::MySql),
    ("ENGINE = InnoDB", Dialect::MySql),
    ("ENGINE=InnoDB", Dialect::MySql),
    ("utf8mb4", Dialect::MySql),
    ("utf8_unicode_ci", Dialect::MySql),
    (" TINYINT(1)", Dialect::MySql),
    ("DROP FOREIGN KEY", Dialect::MySql),
    (" CHANGE ", Dialect::MySql),
    ("NOT DEFERRABLE", Dialect::Postgres),
    ("WITHOUT TIME ZONE", Dialect::Postgres),
    ("CREATE SEQUENCE", Dialect::Postgres),
    (" SERIAL ", Dialect::Postgres),
    ("COMMENT ON COLUMN", Dialect::Postgres),
    (" JSONB", Dialect::Postgres),
    ("AUTOINCREMENT", Dialect::Sqlite),
    ("__temp__", Dialect::Sqlite),
    ("IDENTITY NOT NULL", Dialect::MsSql),
];

/// The dialect that most of the newest files can only be of.
fn by_texts(tree: &dyn Tree, paths: &[&str]) -> Option<Dialect> {
    let mut counts: BTreeMap<Dialect, usize> = BTreeMap::new();
    for path in paths.iter().rev().take(40) {
        let Ok(text) = tree.text(path) else { continue };
        for dialect in Dialect::ALL {
            let marked = MARKS.iter().any(|(mark, of)| *of == dialect && text.contains(mark));
            *counts.entry(dialect).or_default() += usize::from(marked);
        }
    }
    let (dialect, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count > 0).then_some(dialect)
}
