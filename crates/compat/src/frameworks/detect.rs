//! Which histories a tree has: the rows are asked in order, and each directory is claimed once.
//!
//! What lies among tests, examples and documents is no history of this repository's database, unless
//! the owner names the path, or the repository has nothing else: then it is better judged than passed
//! over in silence. Somebody else's packages (`vendor`, `node_modules`) never are.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Framework, files, plain, rows};
use crate::migration::{Context, Limits, Memo};
use crate::sql::Dialect;
use crate::tree::Tree;

/// The histories of a tree, in the order of the rows; only of one framework, and only under these
/// paths, where given. Where the owner names a framework or a path, what was named is taken at its
/// word: a directory there is that framework's although its usual marks are missing.
pub fn detect(tree: &dyn Tree, only: Option<&str>, paths: &[String]) -> Vec<Found> {
    let paths: Vec<&str> =
        paths.iter().map(|path| path.trim_matches('/')).map(|path| if path == "." { "" } else { path }).collect();
    let mut claims = Claims::default();
    for row in rows().filter(|row| only.is_none_or(|only| row.id == only)) {
        for found in (row.find)(tree) {
            claims.claim(tree, found, &paths);
        }
    }
    let row = rows().find(|row| only == Some(row.id));
    if let (Some(row), true) = (row, claims.found.is_empty() && claims.hidden.is_empty()) {
        by_word(tree, row, &paths).into_iter().for_each(|found| claims.claim(tree, found, &paths));
    }
    if only.is_none_or(|only| only == plain::ROW.id) {
        let silent: Vec<&str> = paths
            .iter()
            .copied()
            .filter(|path| {
                !claims
                    .found
                    .iter()
                    .any(|found| files::within(&found.root, path) || files::within(path, &found.root))
            })
            .collect();
        plain::anywhere(tree, &silent).into_iter().for_each(|found| claims.claim(tree, found, &paths));
    }
    if claims.found.is_empty() { claims.hidden } else { claims.found }
}

#[derive(Default)]
struct Claims {
    found: Vec<Found>,
    /// Among tests and examples.
    hidden: Vec<Found>,
    /// What has a directory, and whether it has what lies below as well.
    roots: BTreeMap<String, (&'static str, bool)>,
}

impl Claims {
    fn claim(&mut self, tree: &dyn Tree, found: Found, paths: &[&str]) {
        // A path may name the history's directory, one above it, or a part of it.
        let named = paths
            .iter()
            .any(|path| files::within(&found.root, path) || (!path.is_empty() && files::within(path, &found.root)));
        if (!paths.is_empty() && !named) || files::foreign(&found.root) || self.taken(&found) {
            return;
        }
        let is_file = tree.entry(&found.root).is_some();
        let directory = if is_file { files::split(&found.root).0 } else { found.root.as_str() };
        let below = reads_below(found.framework) && !directory.is_empty();
        self.roots.entry(found.root.clone()).or_insert((found.framework, below));
        if is_file {
            self.roots.entry(directory.to_owned()).or_insert((found.framework, below));
        }
        let hidden = paths.is_empty() && hidden(&found.root);
        if hidden { self.hidden.push(found) } else { self.found.push(found) }
    }

    /// Whether an earlier row has the directory, or one above it with all that it holds.
    fn taken(&self, found: &Found) -> bool {
        let mut path = found.root.as_str();
        loop {
            if let Some((framework, below)) = self.roots.get(path)
                && *framework != found.framework
                && (*below || path == found.root)
            {
                return true;
            }
            if path.is_empty() {
                return false;
            }
            path = files::split(path).0;
        }
    }
}

/// Whether a framework's history takes in what lies deeper than its root.
fn reads_below(framework: &str) -> bool {
    !matches!(
        framework,
        "goose" | "dbmate" | "golang-migrate" | "sqlx" | "supabase" | "sql" | "atlas" | "play" | "popx"
    )
}

/// Whether a directory is among tests, examples or documents.
fn hidden(root: &str) -> bool {
    root.split('/').any(|part| {
        matches!(
            part.to_ascii_lowercase().as_str(),
            "testdata"
                | "test"
                | "tests"
                | "__tests__"
                | "spec"
                | "specs"
                | "fixtures"
                | "fixture"
                | "examples"
                | "example"
                | "docs"
                | "doc"
                | "samples"
                | "sample"
                | "e2e"
                | "integration_tests"
                | "integration-tests"
        )
    })
}

/// Directories of the framework that the owner named, where its own marks find none: the named paths
/// themselves, or directories for migrations in which it would run something.
fn by_word(tree: &dyn Tree, row: &Framework, paths: &[&str]) -> Vec<Found> {
    let found = |root: &str| Found { framework: row.id, root: root.to_owned(), dialect: None };
    if !paths.is_empty() {
        let there = |path: &&&str| !files::below(tree, path).is_empty() || tree.entry(path).is_some();
        return paths.iter().filter(there).map(|path| found(path)).collect();
    }
    let memo = Memo::default();
    let context = Context { tree, dialect: Dialect::Postgres, limits: Limits::default(), memo: &memo };
    let mut candidates: BTreeSet<String> = BTreeSet::new();
    for plain in plain::find(tree) {
        candidates.insert(files::split(&plain.root).0.to_owned());
        candidates.insert(plain.root);
    }
    let mut kept: Vec<Found> = vec![];
    for candidate in candidates.into_iter().map(|root| found(&root)) {
        let inside = kept.iter().any(|found| reads_below(row.id) && files::within(&candidate.root, &found.root));
        if !inside && !(row.history)(&context, &candidate).migrations.is_empty() {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::detect;
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::frameworks::rows;
    use crate::migration::{Context, Limits, Memo};
    use crate::sql::Dialect;
    use crate::tree::MemoryTree;

    fn found(files: &[(&str, &str)], only: Option<&str>, paths: &[&str]) -> Vec<String> {
        let tree = MemoryTree::new(files.iter().copied());
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        detect(&tree, only, &paths).into_iter().map(|found| format!("{} {}", found.framework, found.root)).collect()
    }

    #[test]
    fn each_directory_has_one_framework() {
        for (files, expected) in [
            (vec![("db/migrations/1_a.sql", "-- +goose Up\n")], "goose db/migrations"),
            (vec![("db/migrations/1_a.sql", "-- migrate:up\n")], "dbmate db/migrations"),
            (vec![("migrations/1_a.up.sql", "")], "golang-migrate migrations"),
            (vec![("migrations/1_a.up.sql", ""), ("Cargo.toml", "sqlx = \"0.8\"")], "sqlx migrations"),
            (
                vec![("migrations/1_a.up.sql", ""), ("Cargo.toml", "sqlx = \"0.8\""), ("go.mod", "")],
                "sqlx migrations",
            ),
            (vec![("migrations/1_a.sql", ""), ("Cargo.toml", "sqlx = \"0.8\"")], "sqlx migrations"),
            (vec![("migrations/1_a.sql", ""), ("Cargo.toml", "[package]")], "sql migrations"),
            (
                vec![("migrations/1_a.sql", ""), ("migrations/atlas.sum", ""), ("Cargo.toml", "sqlx = \"0.8\"")],
                "atlas migrations",
            ),
            (vec![("migrations/2026-01-01-000000_a/up.sql", "")], "diesel migrations"),
            (vec![("migrations/main/1700000000000_a/up.sql", "")], "hasura migrations/main"),
            (vec![("x/V1__a.sql", "")], "flyway x"),
            (vec![("x/V1__a.sql", ""), ("Cargo.toml", "refinery = \"0.8\"")], "refinery x"),
            (vec![("prisma/migrations/1_a/migration.sql", "")], "prisma prisma/migrations"),
            (vec![("supabase/migrations/1_a.sql", "")], "supabase supabase/migrations"),
            (vec![("drizzle/meta/_journal.json", "{}"), ("drizzle/0000_a.sql", "")], "drizzle drizzle"),
            (vec![("m/1_a.postgres.up.sql", ""), ("m/1_a.mysql.up.sql", "")], "popx m"),
            (vec![("conf/evolutions/default/1.sql", "")], "play conf/evolutions/default"),
            (vec![("sqitch.plan", "a 2026 A <a>"), ("deploy/a.sql", ""), ("migrations/1.sql", "")], "sqitch "),
        ] {
            let seen = found(&files, None, &[]);
            assert_eq!(seen[0], expected, "{files:?}");
            assert!(seen.len() == 1 || expected == "sqitch ", "{seen:?}");
        }
    }

    #[test]
    fn a_monorepo_has_several() {
        let files = [
            ("a/migrations/1_a.sql", "-- +goose Up\n"),
            ("b/migrations/mysql/1_a.up.sql", ""),
            ("b/migrations/postgres/1_a.up.sql", ""),
            ("c/prisma/migrations/1_a/migration.sql", ""),
            ("d/src/main/resources/db/migration/V1__a.sql", ""),
            ("d/src/test/resources/db/migration/V1__a.sql", ""),
            ("e/migrations/0001_initial.py", "class Migration: pass"),
            ("f/internal/migrations/migrations.go", "package migrations"),
        ];
        let ours: Vec<String> =
            found(&files, None, &[]).into_iter().filter(|found| !found.starts_with("django")).collect();
        assert_eq!(
            ours,
            [
                "prisma c/prisma/migrations",
                "goose a/migrations",
                "golang-migrate b/migrations/mysql",
                "golang-migrate b/migrations/postgres",
                "flyway d/src/main/resources/db/migration",
            ]
        );
    }

    #[test]
    fn tests_and_examples_count_only_where_there_is_nothing_else() {
        let files = [("tests/migrations/1_a.up.sql", ""), ("migrations/1_a.up.sql", "")];
        assert_eq!(found(&files, None, &[]), ["golang-migrate migrations"]);
        assert_eq!(found(&files, None, &["tests"]), ["golang-migrate tests/migrations"]);
        assert_eq!(found(&files[..1], None, &[]), ["golang-migrate tests/migrations"]);
        assert_eq!(found(&[("vendor/x/migrations/1_a.up.sql", "")], None, &[]), Vec::<String>::new());
        let gem = [("vendor/x/db/migrate/20260101000000_a.rb", "class A < ActiveRecord::Migration[7.0]\nend\n")];
        assert_eq!(found(&gem, None, &[]), Vec::<String>::new());
    }

    #[test]
    fn what_the_owner_names_is_taken_at_its_word() {
        let files = [("migrations/1_a.sql", ""), ("other/1_b.sql", ""), ("other/report.sql", "")];
        assert_eq!(found(&files, None, &[]), ["sql migrations"]);
        assert_eq!(found(&files, Some("sqlx"), &[]), ["sqlx migrations"]);
        assert_eq!(found(&files, Some("sqlx"), &["other/"]), ["sqlx other"]);
        assert_eq!(found(&files, Some("sql"), &[]), ["sql migrations"]);
        assert_eq!(found(&files, None, &["other"]), ["sql other"]);
        assert_eq!(found(&files, Some("sql"), &["./"]), ["sql migrations"]);
        assert_eq!(found(&files, Some("nonsense"), &[]), Vec::<String>::new());
        assert_eq!(found(&files, Some("flyway"), &["migrations"]), ["flyway migrations"]);
        assert_eq!(found(&[("a.txt", "")], Some("flyway"), &["migrations"]), Vec::<String>::new());
    }

    #[test]
    fn ten_thousand_files() {
        let files = (0..10_000).map(|at| (format!("migrations/{at:05}_name é.up.sql"), ""));
        let tree = MemoryTree::new(files.chain([("go.mod".to_owned(), "")]));
        let found = detect(&tree, None, &[]);
        assert_eq!(found.len(), 1);
        let row = rows().find(|row| row.id == found[0].framework).expect("a row");
        let history = read(&tree, &found[0], row.history);
        assert_eq!((history.migrations.len(), history.problems.len()), (10_000, 0));
        assert_eq!(keys(&history)[..3], ["0", "1", "2"]);
    }

    #[test]
    fn over_the_limit_is_said() {
        let tree = MemoryTree::new((0..10).map(|at| (format!("migrations/{at}_a.up.sql"), "X;")));
        let found = detect(&tree, None, &[]);
        let row = rows().find(|row| row.id == found[0].framework).expect("a row");
        let memo = Memo::default();
        let limits = Limits { migrations: 4, ..Limits::default() };
        let context = Context { tree: &tree, dialect: Dialect::Postgres, limits, memo: &memo };
        let history = (row.history)(&context, &found[0]);
        assert_eq!((history.migrations.len(), history.problems.len()), (5, 1));
    }

    #[test]
    fn every_row_has_its_own_id() {
        let mut ids: Vec<&str> = rows().map(|row| row.id).collect();
        let many = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), many);
    }
}
