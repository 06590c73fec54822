//! Django: `<app>/migrations/<name>.py`, read by their text; nothing is run.
//!
//! `module` takes a file apart, `order` orders them, `state` keeps the models, `operations` knows
//! what an operation does, `fields` what a field is.

mod fields;
mod module;
mod operations;
mod order;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::module::Module;
use self::operations::Walk;
use self::order::{Graph, Key};
use self::state::{Settings, State};
use super::{Edited, Found, Framework, Read, python};
use crate::Place;
use crate::migration::{Context, History, Migration, Problem, Runs};
use crate::operation::{Operation, Step, Unread};
use crate::sql::Dialect;
use crate::tree::{Entry, Tree};

/// The row.
pub const ROW: Framework =
    Framework { id: "django", title: "Django", read: Read::Whole, edited: Edited::Unnoticed, find, history };

/// The app's directory and the migration's name: `shop/migrations/0001_initial.py`.
fn parts(path: &str) -> Option<(&str, &str)> {
    let stem = path.strip_suffix(".py")?;
    let (directory, name) = stem.rsplit_once('/')?;
    let app = match directory.rsplit_once('/') {
        Some((app, "migrations")) => app,
        None if directory == "migrations" => "",
        _ => return None,
    };
    let hidden = name.starts_with(['_', '~']);
    (!hidden).then_some((app, name))
}

/// The directory above, with the root as the empty one.
fn above(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        Some((parent, _)) => Some(parent),
        None if path.is_empty() => None,
        None => Some(""),
    }
}

/// Directories with a `manage.py`.
fn projects(tree: &dyn Tree) -> BTreeSet<&str> {
    tree.entries()
        .iter()
        .filter(|entry| entry.path == "manage.py" || entry.path.ends_with("/manage.py"))
        .filter_map(|entry| above(&entry.path))
        .collect()
}

/// The project that a directory belongs to: the nearest one above it.
fn project_of<'a>(projects: &BTreeSet<&'a str>, directory: &'a str) -> Option<&'a str> {
    let mut at = Some(directory);
    while let Some(here) = at {
        if let Some(project) = projects.get(here) {
            return Some(project);
        }
        at = above(here);
    }
    None
}

/// Apps whose migrations are Django's: the first file of each says so.
fn apps(tree: &dyn Tree) -> BTreeSet<&str> {
    let mut known: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in tree.entries() {
        let Some((app, _)) = parts(&entry.path) else { continue };
        if known.get(app) == Some(&true) {
            continue;
        }
        let is = tree.text(&entry.path).is_ok_and(|text| {
            text.contains("migrations.Migration") || (text.contains("class Migration(") && text.contains("django"))
        });
        known.insert(app, is);
    }
    known.into_iter().filter(|(_, is)| *is).map(|(app, _)| app).collect()
}

fn shared<'a>(one: &'a str, other: &str) -> &'a str {
    let mut end = 0;
    let mut parts = other.split('/');
    for part in one.split('/') {
        if parts.next() != Some(part) {
            break;
        }
        end += part.len() + usize::from(end > 0);
    }
    one.get(..end).unwrap_or_default()
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    let projects = projects(tree);
    let mut roots: BTreeSet<String> = BTreeSet::new();
    let mut loose: Option<String> = None;
    for app in apps(tree) {
        match project_of(&projects, app) {
            Some(project) => {
                roots.insert(project.to_owned());
            }
            None => {
                let parent = above(app).unwrap_or_default();
                loose = Some(loose.map_or_else(|| parent.to_owned(), |root| shared(&root, parent).to_owned()));
            }
        }
    }
    roots.extend(loose);
    roots.into_iter().map(|root| Found { framework: ROW.id, dialect: dialect(tree, &root), root }).collect()
}

fn below<'a>(root: &str, path: &'a str) -> Option<&'a str> {
    if root.is_empty() { Some(path) } else { path.strip_prefix(root)?.strip_prefix('/') }
}

/// Texts of the settings of a project, those beside others first.
fn settings_texts(tree: &dyn Tree, root: &str) -> Vec<String> {
    let mut texts = vec![];
    for entry in tree.entries() {
        let Some(rest) = below(root, &entry.path) else { continue };
        let file = rest.rsplit('/').next().unwrap_or_default();
        let named = file.starts_with("settings") && file.ends_with(".py");
        let inside = rest.ends_with(".py") && (rest.contains("settings/") || rest.contains("config/"));
        if (named || inside) && !rest.contains("test") && texts.len() < 40 {
            texts.extend(tree.text(&entry.path).ok());
        }
    }
    texts
}

/// The dialect of `ENGINE`, else of the drivers.
fn dialect(tree: &dyn Tree, root: &str) -> Option<Dialect> {
    let mut found: BTreeSet<Dialect> = BTreeSet::new();
    for text in settings_texts(tree, root) {
        for mark in ["db.backends.", "mysql.connector.", "prometheus.db.backends."] {
            for (at, _) in text.match_indices(mark) {
                let word: String = text
                    .get(at + mark.len()..)
                    .unwrap_or_default()
                    .chars()
                    .take_while(|char| char.is_alphanumeric())
                    .collect();
                let word = word.trim_end_matches("_psycopg2");
                found.extend(Dialect::of_word(word.trim_start_matches("postgresql_")).or(match word {
                    "spatialite" => Some(Dialect::Sqlite),
                    _ => None,
                }));
            }
        }
        for (mark, dialect) in
            [("postgres://", Dialect::Postgres), ("postgresql://", Dialect::Postgres), ("mysql://", Dialect::MySql)]
        {
            if text.contains(mark) {
                found.insert(dialect);
            }
        }
    }
    if found.len() > 1 {
        found.remove(&Dialect::Sqlite);
    }
    match (found.len(), found.first()) {
        (1, Some(Dialect::Sqlite)) => Some(python::driver(tree, root).unwrap_or(Dialect::Sqlite)),
        (1, only) => only.copied(),
        _ => python::driver(tree, root),
    }
}

/// The value of `NAME = "…"` in a text.
fn said<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim();
        let quote = rest.chars().next().filter(|char| matches!(char, '"' | '\''))?;
        rest.get(1..)?.split(quote).next()
    })
}

fn settings(tree: &dyn Tree, root: &str) -> Settings {
    let mut settings = Settings::default();
    for text in settings_texts(tree, root) {
        if let Some(user) = said(&text, "AUTH_USER_MODEL") {
            settings.user = user.to_owned();
        }
        if let Some(key) = said(&text, "DEFAULT_AUTO_FIELD") {
            settings.key = key.rsplit('.').next().unwrap_or(key).to_owned();
        }
    }
    settings
}

/// The label of an app: what its `apps.py` says, else its directory's name.
fn label(tree: &dyn Tree, app: &str) -> String {
    let path = if app.is_empty() { "apps.py".to_owned() } else { format!("{app}/apps.py") };
    let given = tree.text(&path).ok().and_then(|text| said(&text, "label").map(str::to_owned));
    given.unwrap_or_else(|| app.rsplit('/').next().unwrap_or(app).to_owned())
}

/// A file of a history.
struct File<'t> {
    entry: &'t Entry,
    part: Arc<(u64, Module)>,
}

fn files<'t>(context: &Context<'t>, found: &Found, history: &mut History) -> BTreeMap<Key, File<'t>> {
    let tree = context.tree;
    let projects = projects(tree);
    let own = projects.get(found.root.as_str()).copied();
    let apps = apps(tree);
    let mut labels: BTreeMap<&str, String> = BTreeMap::new();
    let mut files = BTreeMap::new();
    let mut bytes = 0_u64;
    for entry in tree.entries() {
        let Some((app, name)) = parts(&entry.path).filter(|(app, _)| apps.contains(app)) else { continue };
        if below(&found.root, &entry.path).is_none() || project_of(&projects, app) != own {
            continue;
        }
        let label = labels.entry(app).or_insert_with(|| label(tree, app)).clone();
        let read = || match tree.text(&entry.path) {
            Ok(text) => (text.len() as u64, module::read(text, context.limits)),
            Err(error) => {
                let unread = Unread::NoContent { words: error.to_string() };
                (0, Module { migration: true, unread: vec![(unread, 1)], ..Module::default() })
            }
        };
        let part = context.memo.part(ROW.id, &entry.content, read);
        bytes = bytes.saturating_add(part.0);
        if files.len() >= context.limits.migrations || bytes > context.limits.all_bytes {
            let words = "there are more migrations than are read".to_owned();
            history.problems.push(problem("unreadable", entry, words));
            break;
        }
        if part.1.migration
            && let Some(File { entry: other, .. }) = files.insert((label, name.to_owned()), File { entry, part })
        {
            let words = format!("{} has the app and name of {}", entry.path, other.path);
            history.problems.push(problem("duplicate-version", entry, words));
        }
    }
    files
}

fn problem(rule: &'static str, entry: &Entry, words: String) -> Problem {
    Problem { rule, at: Place { path: entry.path.clone(), line: 1 }, words }
}

/// The graph, and the squashed migrations whose parts are still there: these have nothing to do.
fn graph(files: &BTreeMap<Key, File<'_>>, settings: &Settings) -> (Graph, BTreeSet<Key>) {
    let mut graph = Graph::default();
    let mut squashed = BTreeSet::new();
    for key in files.keys() {
        graph.add(key.clone());
    }
    let user = settings.user.split('.').next().unwrap_or_default();
    for (key, file) in files {
        for (app, name) in &file.part.1.dependencies {
            let app = if app == "__user__" { user } else { app };
            graph.needs(key, &(app.to_owned(), name.clone()));
        }
        for later in &file.part.1.run_before {
            graph.needs(later, key);
        }
        for replaced in &file.part.1.replaces {
            if files.contains_key(replaced) {
                squashed.insert(key.clone());
                graph.needs(key, replaced);
            }
        }
    }
    (graph, squashed)
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut history = History::default();
    let settings = settings(context.tree, &found.root);
    let files = files(context, found, &mut history);
    let (graph, squashed) = graph(&files, &settings);
    heads(&graph, &squashed, &files, &mut history.problems);
    let mut state = State::new(context.dialect, settings);
    for key in graph.order() {
        let Some(file) = files.get(&key) else { continue };
        let steps = if squashed.contains(&key) { vec![] } else { steps(&mut state, &key.0, &file.part.1, context) };
        history.migrations.push(Migration {
            key: format!("{}.{}", key.0, key.1),
            version: None,
            path: file.entry.path.clone(),
            line: file.part.1.line,
            content: file.entry.content.clone(),
            steps: Arc::new(steps),
            runs: Runs::Once,
            together: file.part.1.atomic
                && matches!(context.dialect, Dialect::Postgres | Dialect::Sqlite | Dialect::MsSql),
        });
    }
    history
}

fn steps(state: &mut State, app: &str, module: &Module, context: &Context<'_>) -> Vec<Step> {
    let mut walk = Walk { state, app, limits: context.limits, steps: vec![], database: true };
    for (operation, line) in &module.operations {
        walk.operation(operation, *line);
    }
    for (unread, line) in &module.unread {
        walk.steps.push(Step::new(Operation::Unread(unread.clone()), *line, ""));
    }
    walk.steps
}

/// Two migrations of an app that none of it builds on: Django refuses to go on.
fn heads(graph: &Graph, squashed: &BTreeSet<Key>, files: &BTreeMap<Key, File<'_>>, problems: &mut Vec<Problem>) {
    let mut by_app: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
    for leaf in graph.leaves().into_iter().filter(|leaf| !squashed.contains(*leaf)) {
        by_app.entry(&leaf.0).or_default().push(leaf);
    }
    for (app, leaves) in by_app.into_iter().filter(|(_, leaves)| leaves.len() > 1) {
        let names: Vec<&str> = leaves.iter().map(|leaf| leaf.1.as_str()).collect();
        if let Some(file) = leaves.last().and_then(|leaf| files.get(*leaf)) {
            let words = format!("{app} has {} heads: {}", names.len(), names.join(", "));
            problems.push(problem("two-heads", file.entry, words));
        }
    }
}
