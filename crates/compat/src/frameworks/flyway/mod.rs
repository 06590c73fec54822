//! Flyway: `V<version>__name.sql`, `R__name.sql`, callbacks, and programs in Java.
//!
//! Facts from flyway/flyway: `ResolvedMigrationComparator.java` (versions first, then repeatable ones
//! by description), `SqlScriptCallbackFactory.java`, `*.conf` beside a script
//! (`executeInTransaction`). Each migration is its own transaction where the database can do that.
//! Undo scripts (`U`) are never read. A location is walked with all its directories.

mod config;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use self::config::Config;
use self::names::Named;
use super::files::{self, Body, Draft};
use super::{Edited, Found, Framework, Read, refinery};
use crate::Place;
use crate::migration::{Context, History, Problem, Runs};
use crate::sql::Dialect;
use crate::tree::{Entry, Tree};

/// The row. Compared statement by statement with files of conductor-oss/conductor (36) and
/// eclipse-hawkbit/hawkbit (15).
pub const ROW: Framework =
    Framework { id: "flyway", title: "Flyway", read: Read::Whole, edited: Edited::Refused, find, history };

fn find(tree: &dyn Tree) -> Vec<Found> {
    let quick = files::directories(tree, |name| name.contains("__") || name.starts_with(['V', 'M']));
    if quick.is_empty() {
        return vec![];
    }
    let config = Config::of(tree);
    let others = refinery::roots(tree);
    let directories: Vec<&str> = quick
        .into_iter()
        .filter(|(directory, entries)| {
            !others.iter().any(|root| files::within(directory, root))
                && entries.iter().any(|entry| is_migration(entry, directory, &config))
        })
        .map(|(directory, _)| directory)
        .collect();
    let mut roots: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for directory in &directories {
        roots.entry(root_of(directory, &directories, &config)).or_default().insert(directory);
    }
    let mut found = vec![];
    for (root, directories) in roots {
        let parts = directories.iter().map(|directory| vendor_within(directory, root));
        let vendors: BTreeSet<Option<&str>> = parts.collect();
        for part in vendors {
            let (root, dialect) = match part {
                Some(part) => (files::join(root, part), vendor(part)),
                None => (root.to_owned(), vendor(files::split(root).1)),
            };
            found.push(Found { framework: ROW.id, root, dialect });
        }
    }
    with_programs(tree, &mut found, &config);
    found
}

/// The part of a database of several that a directory under a location is.
fn vendor_within<'d>(directory: &'d str, root: &str) -> Option<&'d str> {
    let rest = directory.strip_prefix(root)?.strip_prefix('/').or_else(|| root.is_empty().then_some(directory))?;
    rest.split('/').next().filter(|first| vendor(first).is_some())
}

/// Adds the directories of programs that belong to what was found. They are histories of their own: a
/// change there must be seen, and lies outside of the directory of the others.
fn with_programs(tree: &dyn Tree, found: &mut Vec<Found>, config: &Config) {
    let mut roots: BTreeSet<String> = found.iter().map(|found| found.root.clone()).collect();
    let mut programs = vec![];
    for other in &*found {
        for root in programs_of(&other.root) {
            let any = files::below(tree, &root).iter().any(|entry| {
                names::named(files::split(&entry.path).1, &config.prefixes).is_some_and(|(_, program)| program)
            });
            if any && roots.insert(root.clone()) {
                programs.push(Found { root, ..other.clone() });
            }
        }
    }
    found.extend(programs);
}

/// Versioned and repeatable migrations only: callbacks alone make no directory of migrations. A
/// program counts where Flyway looks by itself.
fn is_migration(entry: &Entry, directory: &str, config: &Config) -> bool {
    match names::named(files::split(&entry.path).1, &config.prefixes) {
        Some((Named::Versioned(..) | Named::Repeatable(_), program)) => {
            !program || directory.ends_with("db/migration") || directory.contains("db/migration/")
        }
        _ => false,
    }
}

/// What a part of a path says of the database, as Flyway's `{vendor}` does or people do: its dialect,
/// and for those that no reader is for the one they are nearest to.
fn vendor(part: &str) -> Option<Dialect> {
    Dialect::of_word(part).or_else(|| {
        let lower = part.to_ascii_lowercase();
        matches!(
            lower.as_str(),
            "h2" | "hsqldb" | "derby" | "db2" | "sybase" | "snowflake" | "redshift" | "informix" | "hana"
        )
        .then_some(Dialect::Postgres)
    })
}

/// The location that a directory of migrations belongs to: a configured one, `db/migration`, or the
/// outermost directory that has migrations itself.
fn root_of<'d>(directory: &'d str, directories: &[&'d str], config: &Config) -> &'d str {
    let ancestors = || {
        std::iter::successors(Some(directory), |path| (!path.is_empty()).then(|| files::split(path).0))
            .filter(|path| !path.is_empty())
    };
    let ends = |path: &str, with: &str| {
        path == with || path.strip_suffix(with).is_some_and(|before| before.ends_with('/'))
    };
    let configured = |path: &&str| config.locations.iter().any(|location| ends(path, location));
    ancestors()
        .filter(configured)
        .last()
        .or_else(|| ancestors().filter(|path| ends(path, "db/migration") || ends(path, "db/migrations")).last())
        .or_else(|| ancestors().filter(|path| directories.binary_search(path).is_ok()).last())
        .unwrap_or(directory)
}

/// Where programs lie that belong to a location among a module's resources.
fn programs_of(root: &str) -> Vec<String> {
    let Some(at) = format!("/{root}/").find("/resources/") else { return vec![] };
    let before = root.get(..at).unwrap_or_default();
    let after = root.get(at + "resources".len()..).unwrap_or_default();
    ["java", "kotlin", "groovy", "scala"].iter().map(|language| format!("{before}{language}{after}")).collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let tree = context.tree;
    let config = Config::of(tree);
    // What lies under a database's name beside others' is that history's alone; what lies beside those
    // is every database's.
    let own = |entry: &&Entry| vendor_within(&entry.path, &found.root).is_none();
    let mut entries: Vec<&Entry> = files::below(tree, &found.root).iter().filter(own).collect();
    let (parent, last) = files::split(&found.root);
    if vendor(last).is_some() && !parent.is_empty() {
        entries.extend(files::directly(tree, parent).map(|(entry, _)| entry));
        for shared in ["common", "shared", "all"] {
            entries.extend(files::below(tree, &files::join(parent, shared)));
        }
    }
    let apart: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| entry.path.ends_with(".sql.conf"))
        .filter(|entry| files::text(tree, &entry.path).is_some_and(|text| out_of_transaction(&text)))
        .filter_map(|entry| entry.path.strip_suffix(".conf"))
        .collect();
    let mut drafts: Vec<(Named, Draft<'_>)> = vec![];
    let mut problems = vec![];
    for entry in entries {
        let name = files::split(&entry.path).1;
        match names::named(name, &config.prefixes) {
            Some((Named::Refused, _)) => problems.push(Problem {
                rule: "unreadable",
                at: Place { path: entry.path.clone(), line: 1 },
                words: format!("Flyway does not understand the name {name}: it would not run"),
            }),
            Some((named, program)) => {
                let draft = draft(&named, program, entry);
                drafts.push((named, draft));
            }
            None => {}
        }
    }
    drafts.sort_by(|(one, first), (other, second)| {
        (order(one), &first.entry.path).cmp(&(order(other), &second.entry.path))
    });
    first_baseline(&mut drafts);
    let mut history = files::history(context, found, drafts.into_iter().map(|(_, draft)| draft).collect());
    history
        .migrations
        .iter_mut()
        .for_each(|migration| migration.together &= !apart.contains(migration.path.as_str()));
    history.problems.extend(problems);
    history
}

/// A baseline that has nothing before it is where the history begins: what it makes, every database has.
fn first_baseline(drafts: &mut [(Named, Draft<'_>)]) {
    let versioned =
        drafts.iter_mut().find(|(named, _)| matches!(named, Named::Versioned(..) | Named::Baseline(..)));
    if let Some((Named::Baseline(..), draft)) = versioned {
        draft.runs = Runs::First;
    }
}

/// Callbacks before, versions (baselines among them), callbacks between, repeatable ones, callbacks after.
fn order(named: &Named) -> (u8, &[u64], &str) {
    match named {
        Named::Before(name) => (0, &[], name),
        Named::Versioned(pieces, _) | Named::Baseline(pieces, _) => (1, pieces, ""),
        Named::Between(name) => (2, &[], name),
        Named::Repeatable(description) => (3, &[], description),
        Named::After(name) => (4, &[], name),
        Named::Refused => (5, &[], ""),
    }
}

fn draft<'a>(named: &Named, program: bool, entry: &'a Entry) -> Draft<'a> {
    let (key, version, runs) = match named {
        Named::Versioned(pieces, key) => (key.clone(), Some(pieces.clone()), Runs::Once),
        Named::Baseline(pieces, key) => (format!("B{key}"), Some(pieces.clone()), Runs::Never),
        Named::Repeatable(description) => (format!("R__{description}"), None, Runs::WhenChanged),
        Named::Before(name) | Named::Between(name) | Named::After(name) => (name.clone(), None, Runs::Always),
        Named::Refused => (entry.path.clone(), None, Runs::Never),
    };
    if program {
        Draft { runs, ..Draft::code(key, version, entry, "a migration in Java") }
    } else {
        Draft { key, version, entry, runs, body: Body::Sql(files::whole) }
    }
}

fn out_of_transaction(conf: &str) -> bool {
    conf.lines().any(|line| {
        line.split_once('=')
            .is_some_and(|(name, value)| name.trim().ends_with("executeInTransaction") && value.trim() == "false")
    })
}

#[cfg(test)]
mod tests {
    use super::{find, history, programs_of};
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::migration::Runs;
    use crate::operation::{Operation, Unread};
    use crate::sql::Dialect;
    use crate::tree::MemoryTree;

    fn roots(files: &[(&str, &str)]) -> Vec<(String, Option<Dialect>)> {
        find(&MemoryTree::new(files.iter().copied())).into_iter().map(|found| (found.root, found.dialect)).collect()
    }

    #[test]
    fn the_order_and_when_each_runs() {
        let tree = MemoryTree::new([
            ("src/main/resources/db/migration/V2__b.sql", "B;"),
            ("src/main/resources/db/migration/V10__c.sql", "C;"),
            ("src/main/resources/db/migration/2026/V1.5__a.sql", "A;"),
            ("src/main/resources/db/migration/R__views.sql", "R;"),
            ("src/main/resources/db/migration/R__a_views.sql", "R;"),
            ("src/main/resources/db/migration/U2__b.sql", "X;"),
            ("src/main/resources/db/migration/B9__base.sql", "X;"),
            ("src/main/resources/db/migration/beforeMigrate.sql", "X;"),
            ("src/main/resources/db/migration/afterMigrate.sql", "X;"),
            ("src/main/resources/db/migration/V10__c.sql.conf", "executeInTransaction=false"),
            ("src/main/resources/db/migration/V1x__bad.sql", ""),
            ("src/main/java/db/migration/V3__Fill.java", "class V3__Fill {}"),
            ("src/main/java/db/Other.java", "class Other {}"),
        ]);
        let found = find(&tree);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].root, "src/main/java/db/migration");
        let programs = read(&tree, &found[0], history);
        assert_eq!(keys(&programs), ["3"]);
        assert!(matches!(programs.migrations[0].steps[0].operation, Operation::Unread(Unread::Code { .. })));
        assert_eq!(found[1].root, "src/main/resources/db/migration");
        let history = read(&tree, &found[1], history);
        assert_eq!(
            keys(&history),
            ["beforeMigrate", "1.5", "2", "B9", "10", "R__a views", "R__views", "afterMigrate"]
        );
        let runs: Vec<_> = history.migrations.iter().map(|migration| migration.runs).collect();
        use Runs::{Always, Never, Once, WhenChanged};
        assert_eq!(runs, [Always, Once, Once, Never, Once, WhenChanged, WhenChanged, Always]);
        assert!(!history.migrations[4].together && history.migrations[2].together);
        assert_eq!(history.problems.len(), 1, "{:?}", history.problems);
    }

    #[test]
    fn a_vendor_has_its_own_history_with_what_is_common() {
        let tree = MemoryTree::new([
            ("db/migration/common/V1__a.sql", "A;"),
            ("db/migration/mysql/V2__b.sql", "B;"),
            ("db/migration/postgresql/V2__b.sql", "B;"),
        ]);
        let found = find(&tree);
        assert_eq!(
            found.iter().map(|found| (found.root.as_str(), found.dialect)).collect::<Vec<_>>(),
            [
                ("db/migration", None),
                ("db/migration/mysql", Some(Dialect::MySql)),
                ("db/migration/postgresql", Some(Dialect::Postgres)),
            ]
        );
        assert_eq!(keys(&read(&tree, &found[0], history)), ["1"], "a change there must be seen");
        let history = read(&tree, &found[2], history);
        assert_eq!(keys(&history), ["1", "2"]);
        assert!(history.problems.is_empty());
    }

    #[test]
    fn a_baseline_that_is_the_beginning_runs() {
        let runs = |files: &[(&str, &str)]| {
            let tree = MemoryTree::new(files.iter().copied());
            let history = read(&tree, &find(&tree)[0], history);
            history.migrations.iter().map(|m| (m.key.clone(), m.runs)).collect::<Vec<_>>()
        };
        assert_eq!(
            runs(&[("db/B5__a.sql", ""), ("db/V6__b.sql", "")]),
            [("B5".to_owned(), Runs::First), ("6".to_owned(), Runs::Once)]
        );
        assert_eq!(runs(&[("db/B5__a.sql", ""), ("db/V4__b.sql", "")])[1], ("B5".to_owned(), Runs::Never));
    }

    #[test]
    fn programs_beside_a_location_of_ones_own() {
        let files = [
            ("src/main/resources/moves/V1__a.sql", ""),
            ("src/main/kotlin/moves/V2__B.kt", ""),
            ("src/main/kotlin/moves/Other.kt", ""),
        ];
        let seen: Vec<String> = roots(&files).into_iter().map(|(root, _)| root).collect();
        assert_eq!(seen, ["src/main/resources/moves", "src/main/kotlin/moves"]);
        assert_eq!(roots(&files[..1]).len(), 1);
    }

    #[test]
    fn a_vendor_in_capitals() {
        let files = [("db/migration/H2/V1__a.sql", ""), ("db/migration/MYSQL/V1__a.sql", "")];
        assert_eq!(
            roots(&files),
            [
                ("db/migration/H2".to_owned(), Some(Dialect::Postgres)),
                ("db/migration/MYSQL".to_owned(), Some(Dialect::MySql))
            ]
        );
    }

    #[test]
    fn locations() {
        assert_eq!(
            roots(&[("a/V1__a.sql", ""), ("a/b/V2__b.sql", ""), ("c/V1__c.sql", "")]),
            [("a".to_owned(), None), ("c".to_owned(), None)]
        );
        assert_eq!(
            roots(&[("flyway.conf", ""), ("sql/x/V1__a.sql", ""), ("sql/y/V2__b.sql", "")]),
            [("sql".to_owned(), None)]
        );
        assert_eq!(roots(&[("Cargo.toml", "refinery = \"0.8\""), ("migrations/V1__a.sql", "")]), []);
        assert_eq!(roots(&[("Views.sql", ""), ("java/V1__X.java", "")]), []);
        assert_eq!(programs_of("m/src/main/resources/db/migration")[0], "m/src/main/java/db/migration");
        assert_eq!(programs_of("resources")[0], "java");
        assert!(programs_of("db/migration").is_empty());
    }

    #[test]
    fn two_files_of_one_version() {
        let tree = MemoryTree::new([("db/V1.0__a.sql", ""), ("db/V1__b.sql", ""), ("db/V01__c.sql", "")]);
        let history = read(&tree, &find(&tree)[0], history);
        assert_eq!(keys(&history), ["1", "1 V1.0__a.sql", "1 V1__b.sql"]);
        assert!(history.problems.iter().all(|problem| problem.rule == "duplicate-version"));
        assert_eq!(history.problems.len(), 2);
    }
}
