//! The project's own classes that a migration extends: where their files are.

use std::collections::HashMap;

use crate::tree::{Entry, Tree};

/// How far classes are followed to their parents.
const DEPTH: usize = 3;

/// The project's files by the class that their names promise.
pub struct Parents<'a> {
    files: HashMap<&'a str, Option<&'a Entry>>,
}

impl<'a> Parents<'a> {
    /// Of a tree.
    pub fn of(tree: &'a dyn Tree) -> Self {
        let mut files: HashMap<&'a str, Option<&'a Entry>> = HashMap::new();
        for entry in tree.entries() {
            if super::project::foreign(&entry.path) {
                continue;
            }
            let name = entry.path.rsplit('/').next().and_then(|name| name.strip_suffix(".php"));
            if let Some(name) = name.filter(|name| name.ends_with("Migration")) {
                // Two of one name: it cannot be told which.
                files.entry(name).and_modify(|known| *known = None).or_insert(Some(entry));
            }
        }
        Self { files }
    }

    /// The parents of a file's class, the nearest first, as the name of their content and their text.
    /// Those of the framework's own namespaces are left out.
    pub fn of_file(&self, tree: &dyn Tree, text: &str, framework: &[&str]) -> Vec<(String, String)> {
        let mut parents: Vec<(String, String)> = vec![];
        for _ in 0..DEPTH {
            let child = parents.last().map_or(text, |(_, text)| text);
            let Some(entry) =
                parent_file(child, framework).and_then(|name| self.files.get(name).copied().flatten())
            else {
                break;
            };
            let Ok(parent) = tree.text(&entry.path) else { break };
            if parents.iter().any(|(id, _)| *id == entry.content.0) {
                break;
            }
            parents.push((entry.content.0.clone(), parent));
        }
        parents
    }
}

/// The class that a file's class extends, where it is none of the framework's: its last name, and
/// what the file's `use` says of it.
fn parent_file<'a>(text: &'a str, framework: &[&str]) -> Option<&'a str> {
    let after = text.split_once(" extends ")?.1.trim_start();
    let end = after.find(|char: char| !(char.is_alphanumeric() || matches!(char, '_' | '\\')))?;
    let named = after.get(..end)?;
    let last = named.rsplit('\\').next()?;
    let of_framework = |path: &str| {
        let path = path.trim_start_matches('\\');
        framework.iter().any(|prefix| path.starts_with(prefix))
    };
    if named.contains('\\') && of_framework(named) {
        return None;
    }
    for line in text.lines().take(200) {
        let Some(used) = line.trim_start().strip_prefix("use ") else { continue };
        let used = used.split(';').next().unwrap_or_default().trim();
        let (path, alias) = used.split_once(" as ").unwrap_or((used, used));
        if alias.rsplit('\\').next().map(str::trim) == Some(last) && of_framework(path) {
            return None;
        }
    }
    Some(last)
}
