//! sqlx: `<n>_name.sql`, or `<n>_name.up.sql` beside `.down.sql`.
//!
//! Facts from launchbadge/sqlx: `sqlx-core/src/migrate/source.rs` (names, `-- no-transaction`),
//! `migration_type.rs`. Applied migrations are compared by a sum; an edit refuses to run.

use super::files::{self, Draft, Up};
use super::{Edited, Found, Framework, Read, manifests};
use crate::Place;
use crate::migration::{Context, History, Problem};
use crate::tree::Tree;

/// The row. Compared statement by statement with files of element-hq/matrix-authentication-service
/// (172) and launchbadge/realworld-axum-sqlx (4).
pub const ROW: Framework =
    Framework { id: "sqlx", title: "sqlx", read: Read::Whole, edited: Edited::Refused, find, history };

/// What a name is to sqlx.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named<'n> {
    /// An up migration of this version.
    Up(&'n str),
    /// A down migration.
    Down,
    /// sqlx refuses the whole directory.
    Refused,
    /// sqlx does not look at it.
    Other,
}

fn named(name: &str) -> Named<'_> {
    let Some((version, rest)) = name.split_once('_').filter(|(_, rest)| rest.ends_with(".sql")) else {
        return Named::Other;
    };
    let digits = version.strip_prefix('+').unwrap_or(version);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Named::Refused;
    }
    if rest.ends_with(".down.sql") { Named::Down } else { Named::Up(files::significant(digits)) }
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    let directories = files::directories(tree, |name| matches!(named(name), Named::Up(_)));
    if directories.is_empty() {
        return vec![];
    }
    let rust = manifests::Sqlx::of(tree);
    directories
        .into_keys()
        .filter(|directory| rust.owns(directory) && tree.entry(&files::join(directory, "atlas.sum")).is_none())
        .filter(|directory| {
            // Anything may be called `1_x.sql`: elsewhere than in a place for migrations, reversible
            // pairs must tell, or time stamps before every name.
            let stamped = |name: &str| files::leading_digits(name).is_some_and(|(digits, _)| digits.len() == 14);
            let mut names =
                files::directly(tree, directory).map(|(_, name)| name).filter(|name| name.ends_with(".sql"));
            directory.to_ascii_lowercase().contains("migration")
                || files::directly(tree, directory).any(|(_, name)| name.ends_with(".up.sql"))
                || names.all(stamped)
        })
        .map(|directory| Found { framework: ROW.id, root: directory.to_owned(), dialect: None })
        .collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut problems = vec![];
    let mut drafts = vec![];
    for (entry, name) in files::directly(context.tree, &found.root) {
        match named(name) {
            Named::Up(version) => {
                drafts.push(Draft::sql(version, Some(files::pieces(version)), entry, up));
            }
            Named::Refused => problems.push(Problem {
                rule: "unreadable",
                at: Place { path: entry.path.clone(), line: 1 },
                words: format!("sqlx refuses the directory: {name} does not begin with a number"),
            }),
            Named::Down | Named::Other => {}
        }
    }
    drafts.sort_by(|one, other| (&one.version, &one.entry.path).cmp(&(&other.version, &other.entry.path)));
    let mut history = files::history(context, found, drafts);
    history.problems.extend(problems);
    history
}

fn up(text: &str) -> Up<'_> {
    Up { together: !text.starts_with("-- no-transaction"), ..files::whole(text) }
}

#[cfg(test)]
mod tests {
    use super::{Named, find, history, named, up};
    use crate::frameworks::Found;
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::tree::MemoryTree;

    #[test]
    fn names() {
        for (name, expected) in [
            ("20260102030405_boats.sql", Named::Up("20260102030405")),
            ("01_boats.up.sql", Named::Up("1")),
            ("01_boats.down.sql", Named::Down),
            ("0_.sql", Named::Up("0")),
            ("seed_boats.sql", Named::Refused),
            ("_boats.sql", Named::Refused),
            ("boats.sql", Named::Other),
            ("1_boats.txt", Named::Other),
            ("99999999999999999999_boats.sql", Named::Up("99999999999999999999")),
            ("1_naïve name.sql", Named::Up("1")),
        ] {
            assert_eq!(named(name), expected, "{name}");
        }
    }

    #[test]
    fn where_it_looks() {
        let roots = |files: &[&str]| {
            let all = files.iter().map(|path| (*path, "")).chain([("Cargo.toml", "sqlx = \"0.8\"")]);
            find(&MemoryTree::new(all)).into_iter().map(|found| found.root).collect::<Vec<_>>()
        };
        assert_eq!(roots(&["db/migrations/1_a.sql"]), ["db/migrations"]);
        assert_eq!(roots(&["db/1_a.up.sql", "db/1_a.down.sql"]), ["db"]);
        assert_eq!(roots(&["db/20260101000000_a.sql"]), ["db"]);
        assert_eq!(roots(&["db/1_a.sql", "db/20260101000000_a.sql"]), Vec::<String>::new());
        assert_eq!(roots(&["queries/1_a.sql", "migrations/a.sql"]), Vec::<String>::new());
    }

    #[test]
    fn the_order_and_what_is_refused() {
        let tree = MemoryTree::new([
            ("migrations/10_b.up.sql", "-- no-transaction\nB;"),
            ("migrations/10_b.down.sql", "X;"),
            ("migrations/9_a.sql", "A;"),
            ("migrations/seed_a.sql", "S;"),
        ]);
        let found = Found { framework: "sqlx", root: "migrations".to_owned(), dialect: None };
        let history = read(&tree, &found, history);
        assert_eq!(keys(&history), ["9", "10"]);
        assert_eq!(history.migrations.iter().map(|m| m.together).collect::<Vec<_>>(), [true, false]);
        assert_eq!(history.problems.len(), 1);
    }

    #[test]
    fn the_mark_at_the_start() {
        assert!(!up("-- no-transaction\nCREATE INDEX CONCURRENTLY i ON boats (id);").together);
        assert!(up("\n-- no-transaction\n").together);
        assert_eq!(up("A;").text.as_deref(), Ok("A;"));
    }
}
