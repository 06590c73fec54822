//! Prisma: `migrations/<name>/migration.sql`, the dialect in `migration_lock.toml`.
//!
//! Facts from prisma/prisma-engines: `schema-connector/src/migrations_directory.rs` (the lock),
//! `checksum.rs`, and the commands `deploy` and `diagnose_migration_history`: directories in the order
//! of their names, each known by its whole name; an edited one is seen by its sum.

use super::files::{self, Draft};
use super::{Edited, Found, Framework, Read};
use crate::Place;
use crate::migration::{Context, History, Problem};
use crate::sql::Dialect;
use crate::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};

/// The row. Compared statement by statement with files of documenso/documenso (163) and
/// umami-software/umami (19).
pub const ROW: Framework =
    Framework { id: "prisma", title: "Prisma", read: Read::Whole, edited: Edited::Refused, find, history };

const LOCK: &str = "migration_lock.toml";
const SCRIPT: &str = "migration.sql";

fn find(tree: &dyn Tree) -> Vec<Found> {
    let mut roots: BTreeMap<&str, bool> = BTreeMap::new();
    let mut schemas: BTreeSet<&str> = BTreeSet::new();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for entry in tree.entries() {
        let (directory, name) = files::split(&entry.path);
        if files::foreign(directory) {
            continue;
        }
        match name {
            LOCK => {
                roots.insert(directory, true);
            }
            SCRIPT if !directory.is_empty() => {
                roots.entry(files::split(directory).0).or_insert(false);
            }
            // Drizzle's directories look the same, with a snapshot in each.
            "snapshot.json" => {
                others.insert(files::split(directory).0);
            }
            _ if name.ends_with(".prisma") => {
                schemas.insert(directory);
            }
            _ => {}
        }
    }
    roots
        .into_iter()
        .filter(|(root, locked)| {
            let parent = files::split(root).0;
            *locked
                || (!others.contains(root)
                    && (schemas.contains(parent)
                        || schemas.contains(files::join(parent, "schema").as_str())
                        || root.split('/').any(|part| part == "prisma")))
        })
        .map(|(root, _)| Found { framework: ROW.id, root: root.to_owned(), dialect: dialect(tree, root) })
        .collect()
}

/// What the lock names, else the `provider` of the schema beside the directory.
fn dialect(tree: &dyn Tree, root: &str) -> Option<Dialect> {
    let locked = files::text(tree, &files::join(root, LOCK)).and_then(|text| provider(&text));
    locked.or_else(|| {
        let parent = files::split(root).0;
        let schema = files::text(tree, &files::join(parent, "schema.prisma"))?;
        let source = schema.split_once("datasource ").map(|(_, rest)| rest)?;
        provider(source.split('}').next().unwrap_or_default())
    })
}

fn provider(text: &str) -> Option<Dialect> {
    text.lines().find_map(|line| {
        let value = line.trim().strip_prefix("provider")?.trim_start().strip_prefix('=')?;
        Dialect::of_word(value.trim().trim_matches(['"', '\'']))
    })
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut drafts: BTreeMap<&str, Option<Draft<'_>>> = BTreeMap::new();
    let mut problems = vec![];
    for entry in files::below(context.tree, &found.root) {
        let Some((directory, rest)) = files::relative(&entry.path, &found.root).split_once('/') else { continue };
        let draft = drafts.entry(directory).or_default();
        if rest == SCRIPT {
            *draft = Some(Draft::sql(directory, version(directory), entry, files::whole));
        }
    }
    let mut read = vec![];
    for (directory, draft) in drafts {
        match draft {
            Some(draft) => read.push(draft),
            None => problems.push(Problem {
                rule: "unreadable",
                at: Place { path: files::join(&found.root, directory), line: 1 },
                words: format!("{directory} has no {SCRIPT}: Prisma refuses to go on"),
            }),
        }
    }
    let mut history = files::history(context, found, read);
    history.problems.extend(problems);
    // A file is one message: PostgreSQL and SQL Server's batch make it a transaction, SQLite does not.
    if context.dialect != Dialect::Postgres {
        history.migrations.iter_mut().for_each(|migration| migration.together = false);
    }
    history
}

/// The number a directory begins with orders it as its name does, where all have the same length.
fn version(directory: &str) -> Option<Vec<u64>> {
    let (digits, _) = files::leading_digits(directory)?;
    (digits.len() == 14).then(|| files::pieces(digits))
}

#[cfg(test)]
mod tests {
    use super::{find, history, provider};
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::sql::Dialect;
    use crate::tree::MemoryTree;

    #[test]
    fn the_lock_names_the_dialect() {
        assert_eq!(provider("# c\nprovider = \"mysql\"\n"), Some(Dialect::MySql));
        assert_eq!(provider("provider=\"cockroachdb\""), Some(Dialect::Postgres));
        assert_eq!(provider("provider = \"mongodb\""), None);
    }

    #[test]
    fn directories_in_order_and_one_without_its_script() {
        let tree = MemoryTree::new([
            ("prisma/schema.prisma", "datasource db {\n  provider = \"sqlite\"\n}\n"),
            ("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n"),
            ("prisma/migrations/20260102000000_b/migration.sql", "B;"),
            ("prisma/migrations/20260101000000_a/migration.sql", "A;"),
            ("prisma/migrations/20260103000000_c/notes.md", ""),
            ("prisma/migrations/0_init/migration.sql", "I;"),
        ]);
        let found = find(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].root.as_str(), found[0].dialect), ("prisma/migrations", Some(Dialect::Postgres)));
        let history = read(&tree, &found[0], history);
        assert_eq!(keys(&history), ["0_init", "20260101000000_a", "20260102000000_b"]);
        assert_eq!(history.problems.len(), 1);
        assert!(history.problems[0].words.contains("20260103000000_c"));
    }

    #[test]
    fn not_every_migration_sql_is_prismas() {
        let tree = MemoryTree::new([
            ("drizzle/20260101000000_a/migration.sql", ""),
            ("prisma/drizzle/20260101000000_a/migration.sql", ""),
            ("prisma/drizzle/20260101000000_a/snapshot.json", ""),
            ("drizzle/20260101000000_a/snapshot.json", ""),
            ("db/old/migration.sql", ""),
        ]);
        assert_eq!(find(&tree), []);
        let tree = MemoryTree::new([
            ("db/schema.prisma", "datasource db { provider = \"mysql\" }"),
            ("db/migrations/1_a/migration.sql", ""),
        ]);
        assert_eq!(find(&tree).len(), 1);
    }
}
