//! Diesel: `<version>_name/up.sql` beside `down.sql`.
//!
//! Facts from diesel-rs/diesel: `migrations_internals/src/lib.rs` (the version is what stands before
//! the first `_`, without its `-`; `run_in_transaction` of `metadata.toml`),
//! `file_based_migrations.rs`, `migration_harness.rs` (ordered by version, which is text).

use std::collections::BTreeSet;

use super::files::{self, Draft};
use super::{Edited, Found, Framework, Read, manifests};
use crate::migration::{Context, History};
use crate::sql::Dialect;
use crate::tree::Tree;

/// The row. Compared statement by statement with files of rust-lang/crates.io (285) and
/// dani-garcia/vaultwarden (101).
pub const ROW: Framework =
    Framework { id: "diesel", title: "Diesel", read: Read::Whole, edited: Edited::Unnoticed, find, history };

/// A directory's version, as Diesel records it.
fn version(directory: &str) -> String {
    directory.split('_').next().unwrap_or_default().replace('-', "")
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    let directories = files::directories(tree, |name| name == "up.sql");
    let roots: BTreeSet<&str> = directories
        .into_keys()
        .filter(|directory| !directory.is_empty())
        .filter(|directory| files::leading_digits(files::split(directory).1).is_some())
        .map(|directory| files::split(directory).0)
        .collect();
    if roots.is_empty() {
        return vec![];
    }
    let rust = manifests::directories(tree, "Cargo.toml", |text| {
        manifests::depends(text, "diesel") || manifests::depends(text, "diesel_migrations")
    });
    let configured = manifests::directories(tree, "diesel.toml", |_| true);
    roots
        .into_iter()
        .filter(|root| {
            !configured.is_empty()
                || !rust.is_empty()
                || files::below(tree, root).iter().take(200).any(|entry| {
                    entry.path.contains("diesel_initial_setup") || diesels(files::relative(&entry.path, root))
                })
        })
        .map(|root| Found {
            framework: ROW.id,
            root: root.to_owned(),
            dialect: Dialect::of_word(files::split(root).1),
        })
        .collect()
}

/// `2026-01-02-030405_name/up.sql`: nobody else writes dates so.
fn diesels(relative: &str) -> bool {
    let Some((directory, "up.sql")) = relative.split_once('/') else { return false };
    let stamp = directory.split('_').next().unwrap_or_default();
    let parts: Vec<&str> = stamp.split('-').collect();
    parts.len() >= 4
        && parts
            .iter()
            .zip([4, 2, 2, 6])
            .all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut drafts = vec![];
    let mut apart: BTreeSet<String> = BTreeSet::new();
    for entry in files::below(context.tree, &found.root) {
        let Some((directory, rest)) = files::relative(&entry.path, &found.root).split_once('/') else { continue };
        if directory.starts_with('.') {
            continue;
        }
        let version = version(directory);
        match rest {
            "up.sql" => {
                // Versions are text to Diesel; their digits order the same where lengths are equal.
                let digits = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.is_empty();
                let order = digits.then(|| files::pieces(&version));
                drafts.push(Draft::sql(version, order, entry, files::whole));
            }
            "metadata.toml" => {
                let text = files::text(context.tree, &entry.path).unwrap_or_default();
                if !in_transaction(&text) {
                    apart.insert(version);
                }
            }
            _ => {}
        }
    }
    drafts.sort_by(|one, other| (&one.key, &one.entry.path).cmp(&(&other.key, &other.entry.path)));
    let mut history = files::history(context, found, drafts);
    for migration in &mut history.migrations {
        migration.together &= !apart.contains(&migration.key);
    }
    history
}

/// A metadata file that is there and does not say `run_in_transaction = true` turns it off.
fn in_transaction(metadata: &str) -> bool {
    metadata.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.split_once('=')
            .is_some_and(|(name, value)| name.trim() == "run_in_transaction" && value.trim() == "true")
    })
}

#[cfg(test)]
mod tests {
    use super::{diesels, find, history, in_transaction, version};
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::sql::Dialect;
    use crate::tree::MemoryTree;

    #[test]
    fn versions() {
        for (directory, expected) in [
            ("2026-01-02-030405_create_boats", "20260102030405"),
            ("2026-01-02-030405-0001_create_boats", "202601020304050001"),
            ("00000000000000_diesel_initial_setup", "00000000000000"),
            ("20260102030405_boats", "20260102030405"),
            ("boats", "boats"),
        ] {
            assert_eq!(version(directory), expected);
        }
        assert!(diesels("2026-01-02-030405_a/up.sql"));
        assert!(!diesels("1700000000000_a/up.sql") && !diesels("2026-01-02-030405_a/down.sql"));
    }

    #[test]
    fn metadata() {
        assert!(in_transaction("run_in_transaction = true # yes\n"));
        assert!(
            !in_transaction("run_in_transaction = false\n")
                && !in_transaction("")
                && !in_transaction("#run_in_transaction = true")
        );
    }

    #[test]
    fn a_history_for_each_dialect() {
        let tree = MemoryTree::new([
            ("Cargo.toml", "[dependencies]\ndiesel = \"2\"\n"),
            ("migrations/mysql/2026-01-02-030405_b/up.sql", "B;"),
            ("migrations/mysql/2026-01-01-030405_a/up.sql", "A;"),
            ("migrations/mysql/2026-01-01-030405_a/down.sql", "X;"),
            ("migrations/postgresql/2026-01-01-030405_a/up.sql", "A;"),
            ("migrations/postgresql/2026-01-01-030405_a/metadata.toml", "run_in_transaction = false\n"),
            ("migrations/postgresql/2026-01-02-030405_b/up.sql", "B;"),
        ]);
        let found = find(&tree);
        assert_eq!(
            found.iter().map(|found| (found.root.as_str(), found.dialect)).collect::<Vec<_>>(),
            [("migrations/mysql", Some(Dialect::MySql)), ("migrations/postgresql", Some(Dialect::Postgres))]
        );
        let postgres = read(&tree, &found[1], history);
        assert_eq!(keys(&postgres), ["20260101030405", "20260102030405"]);
        assert_eq!(postgres.migrations.iter().map(|m| m.together).collect::<Vec<_>>(), [false, true]);
        assert!(read(&tree, &found[0], history).migrations.iter().all(|m| !m.together));
    }

    #[test]
    fn somebody_elses_up_sql() {
        assert_eq!(find(&MemoryTree::new([("migrations/default/1700000000000_a/up.sql", "")])), []);
        assert_eq!(find(&MemoryTree::new([("up.sql", ""), ("a/up.sql", "")])), []);
    }
}
