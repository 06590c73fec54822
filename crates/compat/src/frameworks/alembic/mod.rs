//! Alembic: `versions/*.py` under the script location, `upgrade()` only; nothing is run.
//!
//! `reader` walks the function, `operations` knows what `op.…` does, `columns` SQLAlchemy's words.

mod columns;
mod operations;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::syntax::{Program, Value};
use super::{Edited, Found, Framework, Read, python};
use crate::Place;
use crate::migration::{Context, History, Limits, Migration, Problem, Runs};
use crate::operation::{Operation, Step, Unread};
use crate::sql::Dialect;
use crate::tree::{Entry, Tree};

/// The row.
pub const ROW: Framework =
    Framework { id: "alembic", title: "Alembic", read: Read::Whole, edited: Edited::Unnoticed, find, history };

/// What a migration's text does to a database, up only.
pub fn steps(text: &str, dialect: Dialect, limits: Limits) -> Vec<Step> {
    match Program::parse(&tree_sitter_python::LANGUAGE.into(), text.to_owned(), limits) {
        Ok(program) => reader::read(&program, dialect, limits),
        Err(unread) => vec![Step::new(Operation::Unread(unread), 1, "")],
    }
}

/// Where a revision stands.
#[derive(Debug, Clone, Default)]
struct Revision {
    id: Option<String>,
    down: Vec<String>,
    depends: Vec<String>,
    labels: Vec<String>,
    unread: bool,
    bytes: u64,
}

fn revision(text: &str, limits: Limits) -> Revision {
    let bytes = text.len() as u64;
    let Ok(program) = Program::parse(&tree_sitter_python::LANGUAGE.into(), text.to_owned(), limits) else {
        return Revision { unread: true, bytes, ..Revision::default() };
    };
    let constants = python::constants(&program);
    let ids = |name: &str| match constants.get(name) {
        Some(value) => value.texts().unwrap_or_default(),
        None => vec![],
    };
    Revision {
        id: constants.get("revision").and_then(Value::text).map(str::to_owned),
        down: ids("down_revision"),
        depends: ids("depends_on"),
        labels: ids("branch_labels"),
        unread: constants.get("down_revision").is_some_and(|value| !value.literal()),
        bytes,
    }
}

/// The directory of a history that a file lies in: its own, or, where the project says that Alembic
/// looks below `versions` too, that one.
fn root_of(path: &str, recursive: bool) -> Option<&str> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    if !file.ends_with(".py") || file.starts_with("__") || file == "env.py" {
        return None;
    }
    let mut end = 0;
    for part in directory.split('/') {
        end += part.len() + usize::from(end > 0);
        if recursive && part == "versions" {
            return directory.get(..end);
        }
    }
    Some(directory)
}

fn is_revision(text: &str) -> bool {
    let line = |name: &str| text.lines().any(|line| line.starts_with(name));
    line("down_revision") && line("revision")
}

/// Whether some `alembic.ini` says `recursive_version_locations`.
fn recursive(tree: &dyn Tree) -> bool {
    tree.entries().iter().filter(|entry| entry.path.ends_with("alembic.ini")).any(|entry| {
        tree.text(&entry.path).is_ok_and(|text| {
            ini(&text, "recursive_version_locations").is_some_and(|word| word.eq_ignore_ascii_case("true"))
        })
    })
}

/// Directories that `version_locations` of an `alembic.ini` names, the first of each for the rest.
fn joined(tree: &dyn Tree) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::new();
    for entry in tree.entries().iter().filter(|entry| entry.path.ends_with("alembic.ini")) {
        let Ok(text) = tree.text(&entry.path) else { continue };
        let here = entry.path.rsplit_once('/').map_or("", |(here, _)| here);
        let Some(locations) = ini(&text, "version_locations") else { continue };
        let script = ini(&text, "script_location").unwrap_or_default();
        let script = resolve(here, &script, "");
        let mut first: Option<String> = None;
        for location in locations.split([' ', ',', ':', ';', '\n']).filter(|location| !location.is_empty()) {
            let directory = resolve(here, location, &script);
            let first = first.get_or_insert_with(|| directory.clone()).clone();
            joined.insert(directory, first);
        }
    }
    joined
}

fn resolve(here: &str, location: &str, script: &str) -> String {
    let named = location.replace("%(here)s", ".").replace("%(script_location)s", &format!("/{script}"));
    let (base, rest) = match named.strip_prefix('/') {
        Some(rest) => ("", rest.to_owned()),
        None => (here, named.clone()),
    };
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in rest.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// The value of a key in an ini file.
fn ini(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix(key)?.trim_start().strip_prefix('=')?;
        Some(rest.trim().trim_matches(['"', '\'']).to_owned())
    })
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    let (joined, recursive) = (joined(tree), recursive(tree));
    let mut known: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in tree.entries() {
        let Some(root) = root_of(&entry.path, recursive) else { continue };
        let likely = root.contains("versions")
            || root.contains("alembic")
            || root.contains("migrat")
            || joined.contains_key(root);
        if !likely || known.get(root) == Some(&true) {
            continue;
        }
        let is = tree.text(&entry.path).is_ok_and(|text| is_revision(&text));
        known.insert(root, is);
    }
    let roots: BTreeSet<String> = known
        .into_iter()
        .filter(|(_, is)| *is)
        .map(|(root, _)| joined.get(root).cloned().unwrap_or_else(|| root.to_owned()))
        .collect();
    roots.into_iter().map(|root| Found { framework: ROW.id, dialect: dialect(tree, &root), root }).collect()
}

/// The dialect of `sqlalchemy.url`, else of the drivers.
fn dialect(tree: &dyn Tree, root: &str) -> Option<Dialect> {
    if let Some(named) = root.rsplit('/').next().and_then(Dialect::of_word) {
        return Some(named);
    }
    let mut at = Some(root);
    while let Some(directory) = at {
        let path = |name: &str| if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
        for file in ["alembic.ini", "env.py", "pyproject.toml"] {
            let Ok(text) = tree.text(&path(file)) else { continue };
            let url = if file == "alembic.ini" { ini(&text, "sqlalchemy.url") } else { None };
            let word =
                url.as_deref().and_then(|url| url.split("://").next()).and_then(|word| word.split('+').next());
            if let Some(dialect) = word.and_then(Dialect::of_word) {
                return Some(dialect);
            }
        }
        at = match directory.rsplit_once('/') {
            Some((parent, _)) => Some(parent),
            None if directory.is_empty() => None,
            None => Some(""),
        };
    }
    python::driver(tree, root)
}

fn problem(rule: &'static str, entry: &Entry, words: String) -> Problem {
    Problem { rule, at: Place { path: entry.path.clone(), line: 1 }, words }
}

struct File<'t> {
    entry: &'t Entry,
    revision: Arc<Revision>,
    text: Result<String, ()>,
}

fn files<'t>(context: &Context<'t>, found: &Found, history: &mut History) -> BTreeMap<String, File<'t>> {
    let (joined, recursive) = (joined(context.tree), recursive(context.tree));
    let mut files: BTreeMap<String, File<'t>> = BTreeMap::new();
    let mut bytes = 0_u64;
    for entry in context.tree.entries() {
        let Some(root) = root_of(&entry.path, recursive) else { continue };
        if joined.get(root).map_or(root, String::as_str) != found.root {
            continue;
        }
        let text = context.tree.text(&entry.path).map_err(|_| ());
        let read = || {
            text.as_ref()
                .map_or(Revision { unread: true, ..Revision::default() }, |text| revision(text, context.limits))
        };
        let revision = context.memo.part(ROW.id, &entry.content, read);
        bytes = bytes.saturating_add(revision.bytes);
        if files.len() >= context.limits.migrations || bytes > context.limits.all_bytes {
            history.problems.push(problem(
                "unreadable",
                entry,
                "there are more migrations than are read".to_owned(),
            ));
            break;
        }
        let id = match &revision.id {
            Some(id) => id.clone(),
            None if revision.unread || text.as_ref().is_ok_and(|text| is_revision(text)) => {
                history.problems.push(problem(
                    "unreadable",
                    entry,
                    format!("{} has no revision that can be read", entry.path),
                ));
                entry.path.clone()
            }
            None => continue,
        };
        if let Some(other) = files.get(&id) {
            let words = format!("{} has the revision of {}: {id}", entry.path, other.entry.path);
            history.problems.push(problem("duplicate-version", entry, words));
        }
        files.insert(id, File { entry, revision, text });
    }
    files
}

/// Revisions, each after those it builds on and depends on.
fn order(files: &BTreeMap<String, File<'_>>) -> Vec<String> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut order = vec![];
    for start in files.keys() {
        let mut stack = vec![(start.as_str(), false)];
        let mut open: BTreeSet<&str> = BTreeSet::new();
        while let Some((id, ready)) = stack.pop() {
            let Some((id, file)) = files.get_key_value(id) else { continue };
            if ready {
                if done.insert(id) {
                    order.push(id.clone());
                }
                continue;
            }
            if done.contains(id.as_str()) || !open.insert(id) {
                continue;
            }
            stack.push((id, true));
            let revision = &file.revision;
            stack.extend(revision.depends.iter().chain(revision.down.iter().rev()).map(|id| (id.as_str(), false)));
        }
    }
    order
}

/// Several heads, and no labels that would make branches of them.
fn heads(files: &BTreeMap<String, File<'_>>, history: &mut History) {
    let needed: BTreeSet<&String> = files.values().flat_map(|file| &file.revision.down).collect();
    let heads: Vec<(&String, &File<'_>)> =
        files.iter().filter(|(id, file)| !needed.contains(id) && file.revision.id.is_some()).collect();
    let mut bases: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, _) in &heads {
        *bases.entry(base(files, id)).or_default() += 1;
    }
    let labelled = |base: &&str| files.get(*base).is_some_and(|file| !file.revision.labels.is_empty());
    // The line that was there first need not be called anything.
    let meant = bases.values().all(|count| *count == 1) && bases.keys().filter(|base| !labelled(base)).count() <= 1;
    if let (true, Some((_, last))) = (heads.len() > 1 && !meant, heads.last()) {
        let names: Vec<&str> = heads.iter().map(|(id, _)| id.as_str()).collect();
        let words = format!("there are {} heads: {}", names.len(), names.join(", "));
        history.problems.push(problem("two-heads", last.entry, words));
    }
}

/// The first revision of a line.
fn base<'a>(files: &'a BTreeMap<String, File<'_>>, mut id: &'a str) -> &'a str {
    for _ in 0..files.len() {
        match files.get(id).and_then(|file| file.revision.down.first()) {
            Some(down) if files.contains_key(down) => id = down,
            _ => break,
        }
    }
    id
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut history = History::default();
    let files = files(context, found, &mut history);
    heads(&files, &mut history);
    for id in order(&files) {
        let Some(file) = files.get(&id) else { continue };
        let (dialect, limits) = (context.dialect, context.limits);
        let steps = match &file.text {
            Ok(text) => context.memo.steps(ROW.id, dialect, &file.entry.content, || steps(text, dialect, limits)),
            Err(()) => {
                let unread = Unread::NoContent { words: "it cannot be read".to_owned() };
                vec![Step::new(Operation::Unread(unread), 1, "")].into()
            }
        };
        let alone = file.text.as_ref().is_ok_and(|text| text.contains("autocommit_block"));
        history.migrations.push(Migration {
            key: id,
            version: None,
            path: file.entry.path.clone(),
            line: 1,
            content: file.entry.content.clone(),
            steps,
            runs: Runs::Once,
            together: !alone && !matches!(dialect, Dialect::MySql | Dialect::Oracle),
        });
    }
    history
}
