//! What Flyway reads out of a file's name.
//!
//! Facts from flyway/flyway: `ResourceNameParser.java`, `MigrationVersion.java`,
//! `CoreResourceTypeProvider.java`, `Event.java`.

use crate::frameworks::files;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// A callback that a migration calls before the versioned ones; its name.
    Before(String),
    /// A versioned migration, its key and its pieces.
    Versioned(Vec<u64>, String),
    /// A baseline, likewise.
    Baseline(Vec<u64>, String),
    /// A callback between versioned and repeatable ones.
    Between(String),
    /// A repeatable one; its description.
    Repeatable(String),
    /// A callback after all.
    After(String),
    /// It has a migration's prefix, and Flyway does not understand the rest.
    Refused,
}

/// What the names begin with; what else there is stays as Flyway has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefixes {
    /// Of versioned migrations.
    pub versioned: String,
    /// Of repeatable ones.
    pub repeatable: String,
}

impl Default for Prefixes {
    fn default() -> Self {
        Self { versioned: "V".to_owned(), repeatable: "R".to_owned() }
    }
}

/// The endings of migrations written as programs.
const PROGRAMS: [&str; 5] = [".java", ".kt", ".groovy", ".scala", ".class"];

/// What a file's name says, and whether the file is a program.
pub fn named(name: &str, prefixes: &Prefixes) -> Option<(Named, bool)> {
    if let Some(stem) = files::without_ending(name, ".sql") {
        return stem_named(stem, prefixes).map(|named| (named, false));
    }
    let stem = PROGRAMS.iter().find_map(|ending| name.strip_suffix(ending))?;
    // A class's name is a migration only if it says so with a separator.
    let named = stem.contains("__").then(|| stem_named(stem, prefixes)).flatten()?;
    matches!(named, Named::Versioned(..) | Named::Repeatable(_)).then_some((named, true))
}

fn stem_named(stem: &str, prefixes: &Prefixes) -> Option<Named> {
    let versioned = |rest: &str| {
        let version = rest.split_once("__").map_or(rest, |(version, _)| version);
        version.starts_with(|c: char| c.is_ascii_digit()).then(|| version_of(version))
    };
    if let Some(description) = stem.strip_prefix(&prefixes.repeatable).and_then(|rest| rest.strip_prefix("__")) {
        return Some(Named::Repeatable(description.replace('_', " ")));
    }
    if let Some(version) = stem.strip_prefix(&prefixes.versioned).and_then(versioned) {
        return Some(version.map_or(Named::Refused, |(pieces, key)| Named::Versioned(pieces, key)));
    }
    if let Some(version) = stem.strip_prefix('B').and_then(versioned) {
        return version.map(|(pieces, key)| Named::Baseline(pieces, key));
    }
    let event = stem.split_once("__").map_or(stem, |(event, _)| event);
    let name = stem.to_owned();
    Some(match event {
        "beforeMigrate"
        | "beforeEachMigrate"
        | "beforeEachMigrateStatement"
        | "beforeValidate"
        | "afterValidate"
        | "beforeConnect"
        | "afterConnect"
        | "createSchema"
        | "beforeCreateSchema" => Named::Before(name),
        "beforeRepeatables" | "afterVersioned" => Named::Between(name),
        "afterMigrate"
        | "afterEachMigrate"
        | "afterEachMigrateStatement"
        | "afterMigrateApplied"
        | "afterMigrateOperationFinish" => Named::After(name),
        _ => return None,
    })
}

/// A version: numbers between dots or underscores, zeros at the end do not count.
fn version_of(version: &str) -> Option<(Vec<u64>, String)> {
    let mut parts: Vec<&str> = version.split(['.', '_']).collect();
    if parts.iter().any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    while parts.len() > 1 && parts.last().is_some_and(|part| files::significant(part) == "0") {
        parts.pop();
    }
    let key: Vec<&str> = parts.iter().map(|part| files::significant(part)).collect();
    Some((parts.iter().flat_map(|part| files::pieces(part)).collect(), key.join(".")))
}

#[cfg(test)]
mod tests {
    use super::{Named, Prefixes, named};

    #[test]
    fn names() {
        let versioned =
            |pieces: &[u64], key: &str| Some((Named::Versioned(pieces.to_vec(), key.to_owned()), false));
        for (name, expected) in [
            ("V1__boats.sql", versioned(&[1], "1")),
            ("V001.010__boats.sql", versioned(&[1, 10], "1.10")),
            ("V1_2_0__boats.SQL", versioned(&[1, 2], "1.2")),
            ("V1.0.0__boats.sql", versioned(&[1], "1")),
            ("V0__boats.sql", versioned(&[0], "0")),
            ("V20260102030405__a b é.sql", versioned(&[20_260_102_030_405], "20260102030405")),
            ("V3.sql", versioned(&[3], "3")),
            ("V1___x.sql", versioned(&[1], "1")),
            ("V1a__x.sql", Some((Named::Refused, false))),
            ("V1..2__x.sql", Some((Named::Refused, false))),
            ("Views.sql", None),
            ("v1__x.sql", None),
            ("U1__x.sql", None),
            ("V1__x.txt", None),
            ("R__crew_list.sql", Some((Named::Repeatable("crew list".to_owned()), false))),
            ("R1__x.sql", None),
            ("B5__base.sql", Some((Named::Baseline(vec![5], "5".to_owned()), false))),
            ("Boats.sql", None),
            ("beforeMigrate.sql", Some((Named::Before("beforeMigrate".to_owned()), false))),
            ("afterMigrate__grants.sql", Some((Named::After("afterMigrate__grants".to_owned()), false))),
            ("afterClean.sql", None),
            ("V2_1__Fill.java", Some((Named::Versioned(vec![2, 1], "2.1".to_owned()), true))),
            ("R__Fill.kt", Some((Named::Repeatable("Fill".to_owned()), true))),
            ("V2.java", None),
            ("Version.java", None),
        ] {
            assert_eq!(named(name, &Prefixes::default()), expected, "{name}");
        }
        let prefixes = Prefixes { versioned: "M".to_owned(), repeatable: "again".to_owned() };
        assert!(matches!(named("M7__x.sql", &prefixes), Some((Named::Versioned(..), false))));
        assert!(matches!(named("again__x.sql", &prefixes), Some((Named::Repeatable(_), false))));
        assert_eq!(named("V7__x.sql", &prefixes), None);
    }

    #[test]
    fn versions_order_by_number_and_never_collide() {
        let of = |name: &str| match named(name, &Prefixes::default()) {
            Some((Named::Versioned(pieces, key), _)) => (pieces, key),
            other => panic!("{other:?}"),
        };
        let names = [
            "V1__a.sql",
            "V1.1__a.sql",
            "V1.2__a.sql",
            "V1.10__a.sql",
            "V2__a.sql",
            "V99999999999999999999999__a.sql",
            "V99999999999999999999999.1__a.sql",
        ];
        for pair in names.windows(2) {
            assert!(of(pair[0]).0 < of(pair[1]).0, "{pair:?}");
            assert_ne!(of(pair[0]).1, of(pair[1]).1);
        }
    }
}
