//! Supabase: `supabase/migrations/<n>_name.sql`, PostgreSQL.
//!
//! Facts from supabase/cli: `pkg/migration/list.go` (names, order, the old `init` that is skipped),
//! `pkg/migration/file.go` (a file is one batch, which is one transaction).

use super::files::{self, Draft};
use super::{Edited, Found, Framework, Read};
use crate::migration::{Context, History};
use crate::sql::Dialect;
use crate::tree::Tree;

/// The row. Compared statement by statement with files of DenielsonSLima/SuporteGraos (163) and
/// DemocracyEarth/vote-forge-planet (58).
pub const ROW: Framework =
    Framework { id: "supabase", title: "Supabase", read: Read::Whole, edited: Edited::Unnoticed, find, history };

/// A file's version: `^([0-9]+)_(.*)\.sql$`. Compared as text.
fn version(name: &str) -> Option<&str> {
    let (digits, rest) = files::leading_digits(name)?;
    (rest.starts_with('_') && rest.ends_with(".sql")).then_some(digits)
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    files::directories(tree, |name| version(name).is_some())
        .into_keys()
        .filter(|directory| *directory == "supabase/migrations" || directory.ends_with("/supabase/migrations"))
        .map(|directory| Found { framework: ROW.id, root: directory.to_owned(), dialect: Some(Dialect::Postgres) })
        .collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let drafts = files::directly(context.tree, &found.root)
        .enumerate()
        .filter(|(at, (_, name))| *at > 0 || !old_init(name))
        .filter_map(|(_, (entry, name))| {
            let version = version(name)?;
            Some(Draft::sql(version, Some(files::pieces(version)), entry, files::whole))
        })
        .collect();
    files::history(context, found, drafts)
}

/// What the first versions of the tool wrote and later ones skip where it comes first.
fn old_init(name: &str) -> bool {
    name.strip_suffix("_init.sql").is_some_and(|digits| {
        digits.len() == 14 && digits.parse::<u64>().is_ok_and(|number| number < 20_211_209_000_000)
    })
}

#[cfg(test)]
mod tests {
    use super::{old_init, version};

    #[test]
    fn names() {
        for (name, expected) in [
            ("20260102030405_boats.sql", Some("20260102030405")),
            ("0001_.sql", Some("0001")),
            ("0001.sql", None),
            ("boats.sql", None),
            ("1_boats.sql.bak", None),
        ] {
            assert_eq!(version(name), expected, "{name}");
        }
        assert!(old_init("20210101000000_init.sql"));
        assert!(!old_init("20220101000000_init.sql") && !old_init("1_init.sql"));
    }
}
