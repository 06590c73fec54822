//! ory/popx: `<20 digits>_name.<dialect>.up.sql`, several dialects in one directory. Recognised only.

use crate::frameworks::files::{self, Body, Draft};
use crate::frameworks::{Edited, Found, Framework, Read, golang_migrate};
use crate::migration::{Context, History, Runs};
use crate::operation::Unread;
use crate::sql::Dialect;
use crate::tree::Tree;

/// The row.
pub const ROW: Framework =
    Framework { id: "popx", title: "ory/popx", read: Read::Detected, edited: Edited::Unnoticed, find, history };

/// Whether a file of this name is for one dialect of several.
pub fn of_one_dialect(name: &str) -> bool {
    golang_migrate::parts(name)
        .and_then(|(_, title, _)| title.rsplit_once('.'))
        .is_some_and(|(_, last)| Dialect::of_word(last).is_some())
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    files::directories(tree, of_one_dialect)
        .into_keys()
        .map(|directory| Found { framework: ROW.id, root: directory.to_owned(), dialect: None })
        .collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let drafts = files::directly(context.tree, &found.root)
        .filter_map(|(entry, name)| {
            let (version, _, _) = golang_migrate::parts(name)?;
            let body = Body::Unread(Unread::Framework { framework: ROW.id.to_owned() });
            let version = Some(files::pieces(version));
            Some(Draft { key: name.to_owned(), version, entry, runs: Runs::Once, body })
        })
        .collect();
    files::history(context, found, drafts)
}

#[cfg(test)]
mod tests {
    use super::of_one_dialect;

    #[test]
    fn names() {
        assert!(of_one_dialect("20260101000000000001_boats.postgres.up.sql"));
        assert!(of_one_dialect("20260101000000000001_boats.sqlite3.up.sql"));
        assert!(!of_one_dialect("20260101000000000001_boats.postgres.down.sql"));
        assert!(!of_one_dialect("1_boats.up.sql") && !of_one_dialect("1_boats.tx.up.sql"));
    }
}
