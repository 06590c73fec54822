//! Drizzle: files of SQL in the order of `meta/_journal.json`, or directories with a snapshot in each.
//!
//! Facts from drizzle-team/drizzle-orm: `drizzle-orm/src/migrator.ts` (the journal decides what there
//! is), `*-core/dialect.ts` (an entry runs if its `when` is later than the last applied one; the sum is
//! written and never compared; on PostgreSQL and SQLite all of them are one transaction).

use std::collections::HashSet;

use serde_json::Value;

use crate::Place;
use crate::frameworks::files::{self, Draft, Up};
use crate::frameworks::{Edited, Found, Framework, Read};
use crate::migration::{Context, History, Problem};
use crate::sql::Dialect;
use crate::tree::Tree;

/// The row. Compared statement by statement with files of Dokploy/dokploy (186) and
/// 0-don/coding.global-web (1).
pub const ROW: Framework =
    Framework { id: "drizzle", title: "Drizzle", read: Read::Whole, edited: Edited::Unnoticed, find, history };

const JOURNAL: &str = "meta/_journal.json";
const BREAKPOINT: &str = "--> statement-breakpoint";

fn find(tree: &dyn Tree) -> Vec<Found> {
    let mut found: Vec<Found> = vec![];
    let mut roots = HashSet::new();
    for entry in tree.entries() {
        let root = match entry.path.strip_suffix(JOURNAL) {
            Some(root) if root.is_empty() || root.ends_with('/') => root.trim_end_matches('/'),
            _ => {
                let (directory, name) = files::split(&entry.path);
                let root = files::split(directory).0;
                if name != "snapshot.json"
                    || roots.contains(root)
                    || directory.is_empty()
                    || tree.entry(&files::join(directory, "migration.sql")).is_none()
                {
                    continue;
                }
                root
            }
        };
        if files::foreign(root) || !roots.insert(root) {
            continue;
        }
        let dialect = files::text(tree, &entry.path)
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .and_then(|json| json.get("dialect").and_then(Value::as_str).and_then(Dialect::of_word));
        found.push(Found { framework: ROW.id, root: root.to_owned(), dialect });
    }
    found
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let journal = files::join(&found.root, JOURNAL);
    match context.tree.entry(&journal) {
        Some(_) => journalled(context, found, &journal),
        None => directories(context, found),
    }
}

fn problem(rule: &'static str, path: String, words: String) -> Problem {
    Problem { rule, at: Place { path, line: 1 }, words }
}

fn journalled(context: &Context<'_>, found: &Found, journal: &str) -> History {
    let text = files::text(context.tree, journal).unwrap_or_default();
    let json = serde_json::from_str::<Value>(&text).ok();
    let Some(entries) = json.as_ref().and_then(|json| json.get("entries")).and_then(Value::as_array) else {
        let words = format!("{journal} is no journal of Drizzle's: nothing would run");
        return History { migrations: vec![], problems: vec![problem("stale-journal", journal.to_owned(), words)] };
    };
    let mut problems = vec![];
    let mut drafts = vec![];
    let mut named = HashSet::new();
    for entry in entries {
        let Some(tag) = entry.get("tag").and_then(Value::as_str) else { continue };
        let path = files::join(&found.root, &format!("{tag}.sql"));
        let Some(file) = context.tree.entry(&path) else {
            problems.push(problem(
                "stale-journal",
                journal.to_owned(),
                format!("the journal names {tag}, and there is no {path}: the whole run fails"),
            ));
            continue;
        };
        named.insert(path);
        let version = entry.get("when").and_then(Value::as_u64).map(|when| vec![when]);
        drafts.push(Draft::sql(tag, version, file, up));
    }
    for (entry, name) in files::directly(context.tree, &found.root) {
        if name.ends_with(".sql") && files::leading_digits(name).is_some() && !named.contains(&entry.path) {
            problems.push(problem(
                "stale-journal",
                entry.path.clone(),
                format!("{name} is not in {journal}: it would not run"),
            ));
        }
    }
    let mut history = files::history(context, found, drafts);
    history.problems.extend(problems);
    history
}

fn directories(context: &Context<'_>, found: &Found) -> History {
    let drafts = files::below(context.tree, &found.root)
        .iter()
        .filter_map(|entry| {
            let (directory, "migration.sql") = files::relative(&entry.path, &found.root).split_once('/')? else {
                return None;
            };
            let version = files::leading_digits(directory).map(|(digits, _)| files::pieces(digits));
            Some(Draft::sql(directory, version, entry, up))
        })
        .collect();
    files::history(context, found, drafts)
}

/// The whole file. Its marks end statements, and are no comments to MySQL.
fn up(text: &str) -> Up<'_> {
    if !text.contains(BREAKPOINT) {
        return files::whole(text);
    }
    let end = format!(";{}", " ".repeat(BREAKPOINT.len() - 1));
    Up { text: Ok(text.replace(BREAKPOINT, &end).into()), together: true }
}

#[cfg(test)]
mod tests {
    use super::{find, history, up};
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::sql::Dialect;
    use crate::tree::MemoryTree;

    #[test]
    fn the_journal_decides() {
        let tree = MemoryTree::new([
            (
                "drizzle/meta/_journal.json",
                r#"{"dialect":"postgresql","entries":[{"idx":0,"when":5,"tag":"0000_b"},{"idx":1,"when":7,"tag":"0001_a"},{"idx":2,"when":9,"tag":"0002_gone"}]}"#,
            ),
            ("drizzle/0000_b.sql", "B;"),
            ("drizzle/0001_a.sql", "A;"),
            ("drizzle/0003_new.sql", "N;"),
            ("drizzle/seed.sql", "S;"),
        ]);
        let found = find(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].root.as_str(), found[0].dialect), ("drizzle", Some(Dialect::Postgres)));
        let history = read(&tree, &found[0], history);
        assert_eq!(keys(&history), ["0000_b", "0001_a"]);
        assert_eq!(history.migrations[1].version, Some(vec![7]));
        let words: Vec<_> = history.problems.iter().map(|problem| problem.words.as_str()).collect();
        assert_eq!(words.len(), 2, "{words:?}");
        assert!(words[0].contains("0002_gone") && words[1].contains("0003_new.sql"));
    }

    #[test]
    fn directories_with_snapshots() {
        let tree = MemoryTree::new([
            ("drizzle/20260101000000_a/migration.sql", "A;"),
            ("drizzle/20260101000000_a/snapshot.json", r#"{"dialect":"sqlite"}"#),
            ("drizzle/20260102000000_b/migration.sql", "B;"),
            ("drizzle/20260102000000_b/snapshot.json", "{}"),
        ]);
        let found = find(&tree);
        assert_eq!((found.len(), found[0].dialect), (1, Some(Dialect::Sqlite)));
        assert_eq!(keys(&read(&tree, &found[0], history)), ["20260101000000_a", "20260102000000_b"]);
    }

    #[test]
    fn a_journal_that_is_none() {
        for text in ["", "[]", "{\"entries\":3}", "{\"entries\":[null,{\"tag\":1}]}"] {
            let tree = MemoryTree::new([("meta/_journal.json", text), ("0000_a.sql", "A;")]);
            let found = find(&tree);
            assert_eq!(found[0].root, "");
            let history = read(&tree, &found[0], history);
            assert!(history.migrations.is_empty());
            assert_eq!(history.problems[0].rule, "stale-journal");
        }
    }

    #[test]
    fn marks_end_statements() {
        let text = "A\n--> statement-breakpoint\nB;--> statement-breakpoint\n";
        let up = up(text).text.expect("readable");
        assert_eq!(up.len(), text.len());
        assert_eq!(up.replace(' ', ""), "A\n;\nB;;\n");
    }
}
