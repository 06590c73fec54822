//! Hasura: `migrations/<database>/<milliseconds>_name/up.sql`.
//!
//! Facts from hasura/graphql-engine's command line: a migration is known by its number; `up.yaml` was
//! the first form.

use std::collections::BTreeSet;

use crate::frameworks::files::{self, Draft};
use crate::frameworks::{Edited, Found, Framework, Read};
use crate::migration::{Context, History};
use crate::tree::Tree;

/// The row. Compared statement by statement with files of Lucy-Family-Institute/pace-admin (156)
/// and iGnosis/sh-graphql (330).
pub const ROW: Framework =
    Framework { id: "hasura", title: "Hasura", read: Read::Whole, edited: Edited::Unnoticed, find, history };

fn version(directory: &str) -> Option<&str> {
    files::leading_digits(directory)
        .filter(|(digits, rest)| digits.len() == 13 && (rest.is_empty() || rest.starts_with('_')))
        .map(|(digits, _)| digits)
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    let roots: BTreeSet<&str> = files::directories(tree, |name| name == "up.sql" || name == "up.yaml")
        .into_keys()
        .map(files::split)
        .filter(|(_, last)| version(last).is_some())
        .map(|(root, _)| root)
        .collect();
    roots.into_iter().map(|root| Found { framework: ROW.id, root: root.to_owned(), dialect: None }).collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut drafts: Vec<_> = files::below(context.tree, &found.root)
        .iter()
        .filter_map(|entry| {
            let (directory, name) = files::relative(&entry.path, &found.root).split_once('/')?;
            let version = version(directory)?;
            let order = Some(files::pieces(version));
            match name {
                "up.sql" => Some(Draft::sql(version, order, entry, files::whole)),
                "up.yaml" => Some(Draft::code(version, order, entry, "a migration in YAML")),
                _ => None,
            }
        })
        .collect();
    drafts.sort_by(|one, other| (&one.version, &one.entry.path).cmp(&(&other.version, &other.entry.path)));
    files::history(context, found, drafts)
}

#[cfg(test)]
mod tests {
    use super::{find, history};
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::tree::MemoryTree;

    #[test]
    fn one_history_for_each_database() {
        let tree = MemoryTree::new([
            ("hasura/migrations/main/1700000000001_b/up.sql", "B;"),
            ("hasura/migrations/main/1700000000000_a/up.sql", "A;"),
            ("hasura/migrations/main/1700000000000_a/down.sql", "X;"),
            ("hasura/migrations/other/1700000000002_c/up.sql", "C;"),
            ("hasura/migrations/other/2026_x/up.sql", "C;"),
        ]);
        let found = find(&tree);
        let roots: Vec<_> = found.iter().map(|found| found.root.as_str()).collect();
        assert_eq!(roots, ["hasura/migrations/main", "hasura/migrations/other"]);
        assert_eq!(keys(&read(&tree, &found[0], history)), ["1700000000000", "1700000000001"]);
        assert_eq!(keys(&read(&tree, &found[1], history)), ["1700000000002"]);
    }
}
