//! refinery: `V<n>__name.sql` or `.rs`; `U<n>__name` is an up migration too, that may come late.
//!
//! Facts from rust-db/refinery: `refinery_core/src/util.rs` (names, directories are walked),
//! `runner.rs` (order by version alone; a sum refuses an edit), `traits/mod.rs` (`U` and V differ only
//! in whether one below the highest applied is allowed).

use super::files::{self, Draft};
use super::{Edited, Found, Framework, Read, manifests};
use crate::migration::{Context, History};
use crate::tree::Tree;

/// The row. Compared statement by statement with files of nearai/ironclaw (34) and
/// robotty/recent-messages2 (5).
pub const ROW: Framework =
    Framework { id: "refinery", title: "refinery", read: Read::Whole, edited: Edited::Refused, find, history };

/// A file's version and whether it is a program: `^[UV](\d+(?:\.\d+)?)__(\w+)\.(rs|sql)$`. A version
/// with a dot is matched and then refused, so it is none.
fn named(name: &str) -> Option<(&str, bool)> {
    let rest = name.strip_prefix(['U', 'V'])?;
    let (digits, rest) = files::leading_digits(rest)?;
    let (title, ending) = rest.strip_prefix("__")?.rsplit_once('.')?;
    let word = !title.is_empty() && title.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    match ending {
        "sql" if word => Some((files::significant(digits), false)),
        "rs" if word => Some((files::significant(digits), true)),
        _ => None,
    }
}

/// The roots: directories with such files, those within another one's left out.
pub(super) fn roots(tree: &dyn Tree) -> Vec<String> {
    let directories = files::directories(tree, |name| named(name).is_some());
    if directories.is_empty() {
        return vec![];
    }
    let names_it = |text: &str| {
        ["refinery", "refinery-core", "refinery_core"].iter().any(|name| manifests::depends(text, name))
    };
    let named = !manifests::directories(tree, "Cargo.toml", names_it).is_empty();
    // A package in Rust in whose tree nothing speaks of Java or Flyway: its `U` files must not be
    // taken for Flyway's way back.
    let rust = manifests::directories(tree, "Cargo.toml", |_| true);
    let java = tree.entries().iter().any(|entry| {
        let name = files::split(&entry.path).1;
        name == "pom.xml" || name.starts_with("build.gradle") || name.starts_with("flyway.")
    });
    let mut roots: Vec<String> = vec![];
    for (directory, entries) in directories {
        let programs = entries.iter().any(|entry| entry.path.ends_with(".rs"));
        let ours = named || programs || (!java && rust.iter().any(|package| files::within(directory, package)));
        if ours && !roots.last().is_some_and(|root| files::within(directory, root)) {
            roots.push(directory.to_owned());
        }
    }
    roots
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    roots(tree).into_iter().map(|root| Found { framework: ROW.id, root, dialect: None }).collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut drafts: Vec<_> = files::below(context.tree, &found.root)
        .iter()
        .filter_map(|entry| {
            let (version, program) = named(files::split(&entry.path).1)?;
            let order = Some(files::pieces(version));
            Some(if program {
                Draft::code(version, order, entry, "a migration in Rust")
            } else {
                Draft::sql(version, order, entry, files::whole)
            })
        })
        .collect();
    drafts.sort_by(|one, other| (&one.version, &one.entry.path).cmp(&(&other.version, &other.entry.path)));
    files::history(context, found, drafts)
}

#[cfg(test)]
mod tests {
    use super::{find, history, named};
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::operation::{Operation, Unread};
    use crate::tree::MemoryTree;

    #[test]
    fn names() {
        for (name, expected) in [
            ("V1__boats.sql", Some(("1", false))),
            ("U0010__boats.sql", Some(("10", false))),
            ("V3__crew.rs", Some(("3", true))),
            ("V1__été.sql", Some(("1", false))),
            ("V1__two words.sql", None),
            ("V1_boats.sql", None),
            ("V1__.sql", None),
            ("V1.2__boats.sql", None),
            ("R1__boats.sql", None),
            ("1__boats.sql", None),
        ] {
            assert_eq!(named(name), expected, "{name}");
        }
    }

    #[test]
    fn u_is_an_up_migration_and_programs_need_review() {
        let tree = MemoryTree::new([
            ("Cargo.toml", "[dependencies]\nrefinery = \"0.8\"\n"),
            ("migrations/V1__a.sql", "A;"),
            ("migrations/more/U3__c.sql", "C;"),
            ("migrations/V2__b.rs", "fn migration() -> String { String::new() }"),
            ("migrations/V10__d.sql", "D;"),
            ("migrations/mod.rs", ""),
        ]);
        let found = find(&tree);
        assert_eq!(found.iter().map(|found| found.root.as_str()).collect::<Vec<_>>(), ["migrations"]);
        let history = read(&tree, &found[0], history);
        assert_eq!(keys(&history), ["1", "2", "3", "10"]);
        assert!(matches!(history.migrations[1].steps[0].operation, Operation::Unread(Unread::Code { .. })));
        assert_eq!(find(&MemoryTree::new([("db/migration/V1__a.sql", "")])), [], "Flyway's");
        let package = [("Cargo.toml", "[package]"), ("db/V1__a.sql", ""), ("db/U2__b.sql", "")];
        assert_eq!(find(&MemoryTree::new(package)).len(), 1);
        let both = [("Cargo.toml", "[package]"), ("db/V1__a.sql", ""), ("flyway.conf", "")];
        assert_eq!(find(&MemoryTree::new(both)), []);
    }
}
