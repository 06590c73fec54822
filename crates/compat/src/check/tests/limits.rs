//! Whatever comes, there is an answer, and it is never "compatible" for what was not read.

use proptest::prelude::*;

use super::{files, report};
use crate::check::{Question, Settings, check};
use crate::migration::Limits;
use crate::sql::Dialect;
use crate::tree::MemoryTree;
use crate::{CompatReport, Verdict};

fn limited(limits: Limits) -> CompatReport {
    let base = MemoryTree::new(files(&["CREATE TABLE t (a integer);"]));
    let head = MemoryTree::new(files(&["CREATE TABLE t (a integer);", "ALTER TABLE t ADD COLUMN b integer;"]));
    let settings = Settings { limits, dialect: Some(Dialect::Postgres), ..Settings::default() };
    check(&Question { base: vec![&base], head: &head, running: vec![], settings })
}

#[test]
fn what_is_over_a_limit_is_unreadable() {
    assert_eq!(limited(Limits::default()).verdict(), Verdict::Compatible);
    for limits in [
        Limits { file_bytes: 30, ..Limits::default() },
        Limits { all_bytes: 40, ..Limits::default() },
        Limits { migrations: 1, ..Limits::default() },
    ] {
        let report = limited(limits);
        assert!(report.unreadable(), "{limits:?}: {:#?}", report.findings);
        assert_eq!(report.verdict(), Verdict::NeedsReview);
    }
}

#[test]
fn no_range_is_no_finding() {
    let tree = MemoryTree::new(files(&["DROP TABLE t;", "GARBLE;"]));
    let question = Question { base: vec![&tree], head: &tree, running: vec![], settings: Settings::default() };
    assert_eq!(check(&question), CompatReport::default());
    let nothing = MemoryTree::default();
    let question = Question { base: vec![], head: &nothing, running: vec![], settings: Settings::default() };
    assert_eq!(check(&question), CompatReport::default());
}

#[test]
fn a_base_that_cannot_be_read_is_not_the_ranges_fault() {
    let found = report(
        Dialect::Postgres,
        &["CREATE TABLE t (a integer); GARBLE t;"],
        &["ALTER TABLE t ADD COLUMN b integer;"],
    );
    assert_eq!(found.findings, vec![]);
    let found = report(Dialect::Postgres, &["CREATE TABLE t (a integer);"], &["GARBLE t;"]);
    assert!(found.unreadable());
}

/// Statements that meet each other in every order.
const STATEMENTS: &[&str] = &[
    "CREATE TABLE t (a integer, b text UNIQUE, CHECK (a > 0));",
    "CREATE TABLE IF NOT EXISTS t (a integer);",
    "DROP TABLE t;",
    "DROP TABLE IF EXISTS t CASCADE;",
    "ALTER TABLE t RENAME TO u;",
    "ALTER TABLE u RENAME TO t;",
    "ALTER TABLE t ADD COLUMN c integer NOT NULL;",
    "ALTER TABLE t DROP COLUMN a;",
    "ALTER TABLE t RENAME COLUMN a TO c;",
    "ALTER TABLE t RENAME COLUMN c TO a;",
    "ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
    "ALTER TABLE t ALTER COLUMN a TYPE m;",
    "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a);",
    "ALTER TABLE t DROP CONSTRAINT k;",
    "CREATE VIEW v AS SELECT a FROM t;",
    "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;",
    "DROP VIEW v;",
    "CREATE TYPE m AS ENUM ('x');",
    "ALTER TYPE m RENAME TO n;",
    "ALTER TYPE n RENAME TO m;",
    "DROP TYPE m;",
    "CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';",
    "DROP FUNCTION f(integer);",
    "INSERT INTO t (a) VALUES (1);",
    "DELETE FROM t;",
    "GARBLE;",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Never a panic, always the same, and what could not be read is never passed.
    #[test]
    fn any_statements_in_any_order(
        base in prop::collection::vec(prop::sample::select(STATEMENTS), 0..8),
        range in prop::collection::vec(prop::sample::select(STATEMENTS), 1..8),
        split in any::<bool>(),
    ) {
        let base = base.join("\n");
        let whole = range.join("\n");
        let range: Vec<&str> = if split { range.clone() } else { vec![whole.as_str()] };
        let one = report(Dialect::Postgres, &[&base], &range);
        prop_assert_eq!(&one, &report(Dialect::Postgres, &[&base], &range));
        if whole.contains("GARBLE") {
            prop_assert!(one.unreadable());
        }
        for finding in &one.findings {
            prop_assert!(crate::rules::rule(&finding.rule).is_some(), "{}", finding.rule);
            prop_assert!(!finding.message.is_empty() && !finding.advice.is_empty());
        }
    }

    /// What the range itself makes is nobody's concern.
    #[test]
    fn nothing_is_said_of_what_is_new(
        range in prop::collection::vec(prop::sample::select(STATEMENTS), 1..8),
    ) {
        let made = "CREATE TABLE t (a integer, b text); CREATE TABLE u (a integer, b text);";
        let range: Vec<&str> = range
            .into_iter()
            .filter(|text| text.contains("TABLE t ") && !text.contains("CREATE") && !text.contains("RENAME"))
            .collect();
        let whole = format!("{made}{}", range.join("\n"));
        let found = report(Dialect::Postgres, &["CREATE TABLE other (a integer);"], &[&whole]);
        prop_assert_eq!(found.findings, vec![]);
    }
}
