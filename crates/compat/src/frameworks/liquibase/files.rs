//! Where the file is that a changelog names: beside it, or somewhere on the class path.

use std::collections::HashMap;

use crate::tree::Tree;

/// The files of a tree by their names.
pub struct Files<'a> {
    tree: &'a dyn Tree,
    by_name: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Files<'a> {
    /// Of a tree.
    pub fn of(tree: &'a dyn Tree) -> Self {
        let mut by_name: HashMap<&'a str, Vec<&'a str>> = HashMap::new();
        for entry in tree.entries() {
            if !left_out(&entry.path) {
                let name = entry.path.rsplit('/').next().unwrap_or(&entry.path);
                by_name.entry(name).or_default().push(&entry.path);
            }
        }
        Self { tree, by_name }
    }

    /// The file that `from` names so.
    pub fn find(&self, from: &str, named: &str, relative: bool) -> Option<&'a str> {
        let named = plain(named);
        if relative {
            let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
            let path = normal(&format!("{directory}/{named}"));
            return self.tree.entry(&path).map(|entry| entry.path.as_str());
        }
        let named = normal(&named);
        let name = named.rsplit('/').next()?;
        let end = format!("/{named}");
        let fits = |path: &&&str| **path == named || path.ends_with(&end);
        let all = self.by_name.get(name)?.iter().filter(fits).copied();
        // Of several the one that lies nearest: of the same module, the same root of resources.
        all.max_by_key(|path| (shared(path, from), std::cmp::Reverse(path.len())))
    }

    /// The files of the directories that `from` names so, as Liquibase orders them.
    pub fn below(&self, from: &str, named: &str, relative: bool) -> Vec<&'a str> {
        let named = plain(named);
        let directory = if relative {
            let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
            normal(&format!("{directory}/{named}"))
        } else {
            normal(&named)
        };
        let start = format!("{directory}/");
        let inner = format!("/{directory}/");
        let mut found: Vec<(&str, &'a str)> = self
            .tree
            .entries()
            .iter()
            .map(|entry| entry.path.as_str())
            .filter(|path| !left_out(path) && *path != from)
            .filter_map(|path| {
                if path.starts_with(&start) {
                    return Some((path.get(start.len()..)?, path));
                }
                let at = path.find(&inner).filter(|_| !relative)?;
                Some((path.get(at + inner.len()..)?, path))
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, path)| path).collect()
    }
}

/// What is no source of the project's: built files, others' packages, tests.
pub fn left_out(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "target" | "node_modules" | "vendor" | "bin" | ".git"))
        || path.contains("src/test/")
        || path.starts_with("test/")
        || path.contains("src/integrationTest/")
}

/// A name without its scheme and leading marks.
fn plain(named: &str) -> String {
    let named = named.trim().replace('\\', "/");
    let named = named.strip_prefix("classpath*:").or_else(|| named.strip_prefix("classpath:")).unwrap_or(&named);
    let named = named.strip_prefix("file:").unwrap_or(named);
    named.trim_start_matches('/').trim_end_matches('/').to_owned()
}

/// A path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = vec![];
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// How many bytes two paths begin with alike.
fn shared(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}
