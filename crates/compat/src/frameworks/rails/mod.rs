//! Rails: `db/migrate/<version>_<name>.rb`, read by their text; nothing is run.
//!
//! `reader` walks a migration, `calls` sorts its calls, `schema` and `extras` know what they do,
//! `columns` what a column is, `data` what models do to rows, `ruby` what an expression is worth,
//! `words` the English of it.

mod calls;
mod columns;
mod data;
mod extras;
mod reader;
mod ruby;
mod schema;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use super::syntax::Program;
use super::{Edited, Found, Framework, Read};
use crate::Place;
use crate::migration::{Context, History, Limits, Migration, Problem, Runs};
use crate::operation::{Operation, Step, Unread};
use crate::sql::Dialect;
use crate::tree::{Entry, NoContent, Tree};

/// The row.
pub const ROW: Framework =
    Framework { id: "rails", title: "Rails", read: Read::Whole, edited: Edited::Unnoticed, find, history };

/// What a migration's text does to a database, up only.
pub fn steps(text: &str, dialect: Dialect, limits: Limits) -> Vec<Step> {
    match Program::parse(&tree_sitter_ruby::LANGUAGE.into(), text.to_owned(), limits) {
        Ok(program) => reader::read(&program, dialect, limits),
        Err(unread) => vec![Step::new(Operation::Unread(unread), 1, "")],
    }
}

/// What `db/schema.rb` makes of an empty database.
pub fn schema_steps(text: &str, dialect: Dialect, limits: Limits) -> Vec<Step> {
    match Program::parse(&tree_sitter_ruby::LANGUAGE.into(), text.to_owned(), limits) {
        Ok(program) => reader::read_schema(&program, dialect, limits),
        Err(unread) => vec![Step::new(Operation::Unread(unread), 1, "")],
    }
}

/// The dump of the schema that belongs to a history's directory: `db/schema.rb` or `db/structure.sql` to
/// `db/migrate`, `db/cache_schema.rb` to `db/cache_migrate`.
pub fn dump(tree: &dyn Tree, root: &str) -> Option<String> {
    let (parent, own) = root.rsplit_once('/').unwrap_or(("", root));
    let prefix = own.strip_suffix("migrate")?;
    let at = |name: &str| match parent {
        "" => format!("{prefix}{name}"),
        _ => format!("{parent}/{prefix}{name}"),
    };
    [at("schema.rb"), at("structure.sql")].into_iter().find(|path| tree.entry(path).is_some())
}

/// The version and the name of `20240102030405_add_x.rb`; also `…_add_x.engine.rb`.
fn numbered(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".rb")?;
    let (version, name) = stem.split_once('_')?;
    let plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let named = name.split_once('.').map_or(name, |(name, _)| name);
    (!version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) && plain(named))
        .then_some((version, named))
}

/// The directory of migrations that a path lies in. Rails looks below it too.
fn root_of(path: &str) -> Option<&str> {
    let (directory, file) = path.rsplit_once('/')?;
    numbered(file)?;
    let mut end = 0;
    let mut before = "";
    for part in directory.split('/') {
        end += part.len() + usize::from(end > 0);
        let named = part == "migrate" || part == "post_migrate" || part.ends_with("_migrate");
        if named && before == "db" {
            return directory.get(..end);
        }
        before = part;
    }
    None
}

/// `db/post_migrate` is a second directory of the same history (GitLab, Mastodon).
fn history_root(root: &str) -> String {
    match root.strip_suffix("post_migrate") {
        Some(parent) => format!("{parent}migrate"),
        None => root.to_owned(),
    }
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    let mut roots: Vec<String> = vec![];
    let mut elsewhere: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in tree.entries() {
        if !entry.path.ends_with(".rb") {
            continue;
        }
        if let Some(root) = root_of(&entry.path).map(history_root) {
            if roots.last() != Some(&root) {
                roots.push(root);
            }
        } else if let Some((directory, file)) = entry.path.rsplit_once('/')
            && numbered(file).is_some()
            && matches!(directory.rsplit('/').next(), Some("migrate" | "migrations"))
        {
            elsewhere.entry(directory).or_insert(entry);
        }
    }
    for (directory, entry) in elsewhere {
        if tree.text(&entry.path).is_ok_and(|text| text.contains("ActiveRecord::Migration")) {
            roots.push(directory.to_owned());
        }
    }
    roots.sort();
    roots.dedup();
    roots
        .into_iter()
        .map(|root| {
            let dialect = dialect(tree, &root);
            Found { framework: ROW.id, root, dialect }
        })
        .collect()
}

/// The dialect of `config/database.yml`, else of the Gemfile, in the application around a directory.
fn dialect(tree: &dyn Tree, root: &str) -> Option<Dialect> {
    let mut at = Some(root);
    while let Some(directory) = at {
        at = match directory.rsplit_once('/') {
            Some((parent, _)) => Some(parent),
            None if directory.is_empty() => None,
            None => Some(""),
        };
        let Some(base) = at else { break };
        let path = |name: &str| if base.is_empty() { name.to_owned() } else { format!("{base}/{name}") };
        for name in [
            "config/database.yml",
            "config/database.yml.example",
            "config/database.example.yml",
            "config/database.yml.sample",
            "config/database.yml.postgresql",
            "config/database.yml.dist",
        ] {
            if let Some(dialect) = tree.text(&path(name)).ok().and_then(|text| of_database_yml(&text)) {
                return Some(dialect);
            }
        }
        for name in ["Gemfile", "Gemfile.lock"] {
            if let Some(dialect) = tree.text(&path(name)).ok().and_then(|text| of_gems(&text)) {
                return Some(dialect);
            }
        }
    }
    None
}

/// The one dialect that every adapter of `database.yml` speaks; production's where they differ.
fn of_database_yml(text: &str) -> Option<Dialect> {
    let mut all: Vec<(bool, Dialect)> = vec![];
    let mut production = false;
    for line in text.lines() {
        if line.starts_with(|char: char| char.is_alphabetic()) {
            production = line.starts_with("production") || line.starts_with("default");
        }
        let line = line.trim();
        let word = match (line.strip_prefix("adapter:"), line.strip_prefix("url:")) {
            (Some(word), _) => word.split('#').next().unwrap_or_default().trim().trim_matches(['"', '\'']),
            (None, Some(url)) => url.trim().trim_matches(['"', '\'']).split(':').next().unwrap_or_default(),
            _ => continue,
        };
        if let Some(dialect) = Dialect::of_word(word) {
            all.push((production, dialect));
        }
    }
    let same = |rows: &[Dialect]| rows.first().copied().filter(|first| rows.iter().all(|other| other == first));
    let every: Vec<Dialect> = all.iter().map(|(_, dialect)| *dialect).collect();
    let main: Vec<Dialect> = all.iter().filter(|(main, _)| *main).map(|(_, dialect)| *dialect).collect();
    same(&every).or_else(|| same(&main))
}

/// The one driver among the gems; SQLite beside another one is for tests.
fn of_gems(text: &str) -> Option<Dialect> {
    let has = |gem: &str| {
        text.lines().any(|line| {
            let line = line.trim();
            let named = line.strip_prefix("gem ").map_or(line, |rest| rest.trim_start_matches(['"', '\'', ' ']));
            named.strip_prefix(gem).is_some_and(|rest| rest.is_empty() || rest.starts_with(['"', '\'', ' ', ',']))
        })
    };
    match (has("pg") || has("activerecord-postgis-adapter"), has("mysql2") || has("trilogy")) {
        (true, false) => Some(Dialect::Postgres),
        (false, true) => Some(Dialect::MySql),
        (false, false) if has("sqlite3") => Some(Dialect::Sqlite),
        (false, false) if has("activerecord-sqlserver-adapter") => Some(Dialect::MsSql),
        (false, false) if has("activerecord-oracle_enhanced-adapter") => Some(Dialect::Oracle),
        _ => None,
    }
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut history = History::default();
    let mut files: Vec<(u64, &str, &Entry)> = vec![];
    let beside = format!("{}/", found.root);
    let post = found.root.strip_suffix("migrate").map(|parent| format!("{parent}post_migrate/"));
    for entry in context.tree.entries() {
        let below =
            entry.path.starts_with(&beside) || post.as_ref().is_some_and(|post| entry.path.starts_with(post));
        let file = entry.path.rsplit('/').next().unwrap_or_default();
        let Some((version, name)) = numbered(file).filter(|_| below) else { continue };
        match version.parse() {
            Ok(number) => files.push((number, name, entry)),
            Err(_) => history.problems.push(problem("unreadable", entry, format!("{file} has no version"))),
        }
    }
    files.sort_by(|one, other| (one.0, &one.2.path).cmp(&(other.0, &other.2.path)));
    doubles(&files, &mut history.problems);
    if files.len() > context.limits.migrations {
        let words = format!("{} migrations; {} are read", files.len(), context.limits.migrations);
        if let Some((_, _, entry)) = files.get(context.limits.migrations) {
            history.problems.push(problem("unreadable", entry, words));
        }
        files.truncate(context.limits.migrations);
    }
    let mut bytes = 0_u64;
    for (version, _, entry) in files {
        let (steps, together) = migration(context, entry, &mut bytes);
        history.migrations.push(Migration {
            key: version.to_string(),
            version: Some(vec![version]),
            path: entry.path.clone(),
            line: 1,
            content: entry.content.clone(),
            steps,
            runs: Runs::Once,
            together: together && context.dialect != Dialect::MySql && context.dialect != Dialect::Oracle,
        });
    }
    history
}

/// One file's steps, and whether it runs in a transaction.
fn migration(context: &Context<'_>, entry: &Entry, bytes: &mut u64) -> (std::sync::Arc<Vec<Step>>, bool) {
    let text = match context.tree.text(&entry.path) {
        Ok(text) => text,
        Err(reason) => {
            let words = match reason {
                NoContent::Absent => "it is not there".to_owned(),
                NoContent::TooLarge(size) => format!("{size} bytes are too many"),
                NoContent::NotAFile => "it is no file".to_owned(),
                NoContent::Unreadable => "it cannot be read".to_owned(),
            };
            let step = Step::new(Operation::Unread(Unread::NoContent { words }), 1, "");
            return (vec![step].into(), true);
        }
    };
    *bytes = bytes.saturating_add(text.len() as u64);
    if *bytes > context.limits.all_bytes {
        let unread =
            Unread::Limit { limit: "bytes of all migrations".to_owned(), allowed: context.limits.all_bytes };
        return (vec![Step::new(Operation::Unread(unread), 1, "")].into(), true);
    }
    let together = !text.lines().any(|line| line.trim_start().starts_with("disable_ddl_transaction!"));
    let (dialect, limits) = (context.dialect, context.limits);
    let read = || steps(&text, dialect, limits);
    (context.memo.steps(ROW.id, dialect, &entry.content, read), together)
}

fn problem(rule: &'static str, entry: &Entry, words: String) -> Problem {
    Problem { rule, at: Place { path: entry.path.clone(), line: 1 }, words }
}

/// Rails refuses two migrations of one version or one name.
fn doubles(files: &[(u64, &str, &Entry)], problems: &mut Vec<Problem>) {
    let mut names: BTreeMap<&str, &Entry> = BTreeMap::new();
    let mut last: Option<&(u64, &str, &Entry)> = None;
    for file in files {
        if let Some(before) = last.filter(|before| before.0 == file.0) {
            let words = format!("{} has the version of {}", file.2.path, before.2.path);
            problems.push(problem("duplicate-version", file.2, words));
        } else if let Some(before) = names.insert(file.1, file.2) {
            let words = format!("{} has the name of {}", file.2.path, before.path);
            problems.push(problem("duplicate-version", file.2, words));
        }
        last = Some(file);
    }
}
