//! Which changelogs stand at the top: those that no other includes.

use std::collections::{BTreeMap, BTreeSet};

use crate::migration::Limits;
use crate::sql::Dialect;
use crate::tree::Tree;

use super::super::Found;
use super::changelog::tree_of;
use super::files::{Files, left_out};
use super::formatted;

/// Every changelog that no other includes.
pub fn find(tree: &dyn Tree) -> Vec<Found> {
    let files = Files::of(tree);
    let mut roots: BTreeSet<&str> = BTreeSet::new();
    let mut included: BTreeSet<&str> = BTreeSet::new();
    for entry in tree.entries() {
        let path = entry.path.as_str();
        if left_out(path) || !may_be(path) {
            continue;
        }
        let Ok(text) = tree.text(path) else { continue };
        if !is_changelog(path, &text) {
            continue;
        }
        roots.insert(path);
        // Only what includes others need be taken apart here.
        if path.ends_with(".sql") || !text.contains("include") {
            continue;
        }
        let Ok(Some(root)) = tree_of(path, &text, Limits::default()) else { continue };
        for part in &root.children {
            let relative = part.is("relativeToChangelogFile");
            match part.name.as_str() {
                "include" => included.extend(part.get("file").and_then(|named| files.find(path, named, relative))),
                "includeAll" => {
                    included.extend(
                        part.get("path").map(|named| files.below(path, named, relative)).unwrap_or_default(),
                    );
                }
                _ => {}
            }
        }
    }
    let roots: Vec<_> = roots.difference(&included).copied().collect();
    let dialect = if roots.is_empty() { None } else { dialect(tree) };
    roots.into_iter().map(|root| Found { framework: super::ROW.id, root: root.to_owned(), dialect }).collect()
}

/// Whether a path may be a changelog's: the words in it keep other files from being read.
fn may_be(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let extension = lower.rsplit('.').next().unwrap_or_default();
    let words =
        ["changelog", "change-log", "liquibase", "migration", "/db/", "changeset", "database", "schema", "db."];
    let hinted = words.iter().any(|word| lower.contains(word)) || lower.starts_with("db/");
    match extension {
        "xml" | "yaml" | "yml" | "json" => hinted,
        "sql" => hinted,
        _ => false,
    }
}

fn is_changelog(path: &str, text: &str) -> bool {
    match path.rsplit('.').next() {
        Some("sql") => formatted::is_formatted(text),
        Some("xml") => text.contains("<databaseChangeLog") || text.contains(":databaseChangeLog"),
        _ => text.contains("databaseChangeLog"),
    }
}

/// The database of the addresses in the configuration, in the order of what they are worth.
fn dialect(tree: &dyn Tree) -> Option<Dialect> {
    let mut counts: BTreeMap<(u8, Dialect), usize> = BTreeMap::new();
    for entry in tree.entries() {
        let path = entry.path.as_str();
        let name = path.rsplit('/').next().unwrap_or(path);
        let lower = name.to_ascii_lowercase();
        let rank = match lower.as_str() {
            _ if left_out(path) => continue,
            name if name.starts_with("liquibase") && name.ends_with(".properties") => 0,
            name if name.starts_with("application")
                && [".properties", ".yml", ".yaml"].iter().any(|end| name.ends_with(end)) =>
            {
                1
            }
            name if name.contains("compose") && (name.ends_with(".yml") || name.ends_with(".yaml")) => 2,
            "pom.xml" | "build.gradle" | "build.gradle.kts" => 3,
            _ => continue,
        };
        let Ok(text) = tree.text(path) else { continue };
        let marks = [
            ("jdbc:postgresql", Dialect::Postgres),
            ("jdbc:mysql", Dialect::MySql),
            ("jdbc:mariadb", Dialect::MySql),
            ("jdbc:sqlserver", Dialect::MsSql),
            ("jdbc:oracle", Dialect::Oracle),
            ("jdbc:sqlite", Dialect::Sqlite),
        ];
        let packages = [
            ("org.postgresql", Dialect::Postgres),
            ("mysql-connector", Dialect::MySql),
            ("mariadb-java-client", Dialect::MySql),
            ("mssql-jdbc", Dialect::MsSql),
            ("ojdbc", Dialect::Oracle),
        ];
        let known: &[_] = if rank == 3 { &packages } else { &marks };
        for (mark, dialect) in known {
            *counts.entry((rank, *dialect)).or_default() += usize::from(text.contains(mark));
        }
    }
    (0..4).find_map(|rank| {
        let of_rank = counts.iter().filter(|((of, _), count)| *of == rank && **count > 0);
        of_rank.max_by_key(|(_, count)| **count).map(|((_, dialect), _)| *dialect)
    })
}
