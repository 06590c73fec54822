//! golang-migrate: `<n>_name.up.sql` beside `<n>_name.down.sql`.
//!
//! Facts from golang-migrate/migrate: `source/parse.go` (names), `source/migration.go` (order),
//! `database/*` (what is wrapped: PostgreSQL takes the file as one message, which is one transaction;
//! SQLite is wrapped; SQL Server is not).

use super::detected::popx;
use super::files::{self, Draft};
use super::{Edited, Found, Framework, Read, manifests};
use crate::migration::{Context, History};
use crate::sql::Dialect;
use crate::tree::Tree;

/// The row. Compared statement by statement with files of lightninglabs/taproot-assets (60) and
/// lightningnetwork/lnd (15).
pub const ROW: Framework = Framework {
    id: "golang-migrate",
    title: "golang-migrate",
    read: Read::Whole,
    edited: Edited::Unnoticed,
    find,
    history,
};

/// What a name says: version, title, ending; of up files only. `^([0-9]+)_(.*)\.(down|up)\.(.*)$`,
/// where `.*` takes as much as it can, so the last `.up.` or `.down.` counts.
pub(super) fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (digits, rest) = files::leading_digits(name)?;
    let rest = rest.strip_prefix('_')?;
    let up = rest.rfind(".up.");
    let down = rest.rfind(".down.");
    let at = up.filter(|up| down.is_none_or(|down| *up > down))?;
    Some((files::significant(digits), rest.get(..at)?, rest.get(at + 4..)?))
}

/// Whether files of this ending hold SQL.
fn is_sql(ending: &str) -> bool {
    let last = ending.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    matches!(last.as_str(), "sql" | "psql" | "pgsql" | "ddl" | "tsql" | "plsql")
        || Dialect::of_word(&last).is_some()
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    let directories = files::directories(tree, |name| parts(name).is_some());
    if directories.is_empty() {
        return vec![];
    }
    let rust = manifests::Sqlx::of(tree);
    directories
        .into_iter()
        .filter(|(directory, entries)| {
            let several = entries.iter().any(|entry| popx::of_one_dialect(files::split(&entry.path).1));
            !several && !rust.owns(directory)
        })
        .map(|(directory, _)| Found { framework: ROW.id, root: directory.to_owned(), dialect: None })
        .collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut drafts: Vec<_> = files::directly(context.tree, &found.root)
        .filter_map(|(entry, name)| {
            let (version, _, ending) = parts(name)?;
            let order = Some(files::pieces(version));
            Some(if is_sql(ending) {
                Draft::sql(version, order, entry, files::whole)
            } else {
                Draft::code(version, order, entry, "a migration that is not SQL")
            })
        })
        .collect();
    drafts.sort_by(|one, other| (&one.version, &one.entry.path).cmp(&(&other.version, &other.entry.path)));
    let mut history = files::history(context, found, drafts);
    if context.dialect == Dialect::MsSql {
        history.migrations.iter_mut().for_each(|migration| migration.together = false);
    }
    history
}

#[cfg(test)]
mod tests {
    use super::{is_sql, parts};

    #[test]
    fn names() {
        for (name, expected) in [
            ("000001_boats.up.sql", Some(("1", "boats", "sql"))),
            ("20260102030405_a b é.up.sql", Some(("20260102030405", "a b é", "sql"))),
            ("1_.up.sql", Some(("1", "", "sql"))),
            ("1_a.up.b.up.sql", Some(("1", "a.up.b", "sql"))),
            ("1_boats.up.pgsql", Some(("1", "boats", "pgsql"))),
            ("1_boats.up.json", Some(("1", "boats", "json"))),
            ("1_boats.down.sql", None),
            ("1_a.up.down.sql", None),
            ("1_a.down.up.sql", Some(("1", "a.down", "sql"))),
            ("1_boats.sql", None),
            ("boats.up.sql", None),
            ("1-boats.up.sql", None),
            ("999999999999999999999999_far.up.sql", Some(("999999999999999999999999", "far", "sql"))),
        ] {
            assert_eq!(parts(name), expected, "{name}");
        }
    }

    #[test]
    fn endings() {
        for (ending, sql) in
            [("sql", true), ("SQL", true), ("pgsql", true), ("mysql", true), ("json", false), ("fizz", false)]
        {
            assert_eq!(is_sql(ending), sql, "{ending}");
        }
    }
}
