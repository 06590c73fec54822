//! sqlx: `<n>_name.sql`, or `<n>_name.up.sql` beside `.down.sql`.
//!
//! Facts from launchbadge/sqlx: `sqlx-core/src/migrate/source.rs` (names, `-- no-transaction`),
//! `migration_type.rs`. Applied migrations are compared by a sum; an edit refuses to run.

use super::files::{self, Draft, Up};
use super::{Edited, Found, Framework, Read, manifests};
use crate::Place;
use crate::migration::{Context, History, Problem};
use crate::tree::Tree;

/// The row.
pub const ROW: Framework =
    Framework { id: "sqlx", title: "sqlx", read: Read::Detected, edited: Edited::Refused, find, history };

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
            // Anything may be called `1_x.sql`: where the files are not in a place for migrations,
            // reversible pairs or sqlx's own file beside them must tell.
            directory.to_ascii_lowercase().contains("migration")
                || files::directly(tree, directory).any(|(_, name)| name.ends_with(".up.sql"))
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
    use super::{Named, named, up};

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
    fn the_mark_at_the_start() {
        assert!(!up("-- no-transaction\nCREATE INDEX CONCURRENTLY i ON boats (id);").together);
        assert!(up("\n-- no-transaction\n").together);
        assert_eq!(up("A;").text.as_deref(), Ok("A;"));
    }
}
