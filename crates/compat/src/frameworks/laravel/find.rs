//! Where Laravel's migrations are in a tree, in which dialect, and which Laravel runs them.

use std::collections::BTreeMap;

use crate::sql::Dialect;
use crate::tree::{Entry, Tree};

use super::super::Found;
use super::super::php::project;

/// Every directory that holds migrations.
pub fn find(tree: &dyn Tree) -> Vec<Found> {
    let mut roots: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in tree.entries() {
        if is_migration(&entry.path) && !project::foreign(&entry.path) {
            roots.entry(directory(&entry.path)).or_default().push(&entry.path);
        }
    }
    roots
        .into_iter()
        .filter(|(_, paths)| {
            paths.iter().rev().take(5).any(|path| {
                tree.text(path).is_ok_and(|text| text.contains("Migration") && text.contains("function up("))
            })
        })
        .map(|(root, _)| Found { framework: super::ROW.id, root: root.to_owned(), dialect: dialect(tree, root) })
        .collect()
}

/// The files of a root, in their order.
pub fn files<'a>(tree: &'a dyn Tree, root: &str) -> Vec<&'a Entry> {
    let is_of = |entry: &&Entry| is_migration(&entry.path) && directory(&entry.path) == root;
    let mut files: Vec<_> = tree.entries().iter().filter(is_of).collect();
    files.sort_by(|one, other| stem(&one.path).cmp(stem(&other.path)));
    files
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// A file's name without directory and `.php`: what Laravel records.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".php").unwrap_or(name)
}

/// The numbers that a name begins with.
pub fn version(stem: &str) -> Option<Vec<u64>> {
    let parts: Vec<u64> = stem.split('_').take(4).map_while(|part| part.parse().ok()).collect();
    (parts.len() == 4).then_some(parts)
}

/// `2024_01_02_030405_words.php`.
fn is_migration(path: &str) -> bool {
    let mut parts = stem(path).splitn(5, '_');
    let digits = |part: Option<&str>, lengths: &[usize]| {
        part.is_some_and(|part| lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    path.ends_with(".php")
        && digits(parts.next(), &[4])
        && digits(parts.next(), &[2])
        && digits(parts.next(), &[2])
        && digits(parts.next(), &[4, 5, 6])
        && parts.next().is_some_and(|words| !words.is_empty())
}

/// The directory of the application: the nearest above that has `artisan`, else `composer.json`.
fn home(tree: &dyn Tree, root: &str) -> String {
    let mut home = root;
    loop {
        let path = if home.is_empty() { "artisan".to_owned() } else { format!("{home}/artisan") };
        if tree.entry(&path).is_some() {
            return if home.is_empty() { String::new() } else { format!("{home}/") };
        }
        match home.rsplit_once('/') {
            Some((above, _)) => home = above,
            None if home.is_empty() => return project::home(tree, root),
            None => home = "",
        }
    }
}

/// The dialect of the configuration's default, of the example of the environment, of what is asked
/// for.
fn dialect(tree: &dyn Tree, root: &str) -> Option<Dialect> {
    let home = home(tree, root);
    let word = |word: &str| Dialect::of_word(word.trim());
    project::value_of(tree, &home, "DB_CONNECTION")
        .and_then(|value| word(&value))
        .or_else(|| {
            let text = tree.text(&format!("{home}config/database.php")).ok()?;
            let line = text.split_once("'default'")?.1.lines().next()?;
            line.rsplit('\'').nth(1).and_then(word)
        })
        .or_else(|| {
            let text = tree.text(&format!("{home}phpunit.xml")).ok()?;
            let at = text.split_once("DB_CONNECTION\" value=\"")?.1;
            at.split('"').next().and_then(word)
        })
        .or_else(|| project::extensions(tree, &home))
}

/// Whether `change()` says the whole column anew: since Laravel 11.
pub fn restates(tree: &dyn Tree, root: &str) -> bool {
    let Ok(text) = tree.text(&format!("{}composer.json", home(tree, root))) else { return true };
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else { return true };
    let require = json.get("require");
    let asked = ["laravel/framework", "illuminate/database"]
        .iter()
        .find_map(|name| require.and_then(|require| require.get(name)).and_then(serde_json::Value::as_str));
    let Some(asked) = asked else { return true };
    // Of several that are allowed the newest is what runs.
    let newest = asked.split('|').filter_map(|part| {
        let digits = part.trim_start_matches(|char: char| !char.is_ascii_digit());
        let end = digits.find(|char: char| !char.is_ascii_digit()).unwrap_or(digits.len());
        digits.get(..end)?.parse::<u32>().ok()
    });
    newest.max().is_none_or(|version| version >= 11)
}
