//! What running code says, as far as it does not depend on how it is searched.

use super::{asked, files, told};
use crate::Verdict;
use crate::sql::Dialect::Postgres;
use crate::tree::MemoryTree;

#[test]
fn without_code_to_search_nothing_is_proved() {
    let base = files(&["CREATE TABLE users (id bigint, nick_name text);"]);
    let head = files(&[
        "CREATE TABLE users (id bigint, nick_name text);",
        "\nALTER TABLE users\n  DROP COLUMN nick_name;",
    ]);
    let (base, head, empty) = (MemoryTree::new(base), MemoryTree::new(head), MemoryTree::default());
    let report = asked(Postgres, &base, &head, &[&empty]);
    assert_eq!(told(&report), ["drop-column! users.nick_name"]);
    let finding = &report.findings[0];
    assert_eq!((finding.at.path.as_str(), finding.at.line), ("migrations/000002_x.up.sql", 3));
    assert_eq!(finding.evidence.len(), 1);
    assert_eq!(finding.evidence[0].grade, None);
    assert_eq!(finding.grade, None);
    assert!(finding.message.contains("no code was found in run0"), "{}", finding.message);
    assert_eq!(finding.verdict, Verdict::Incompatible);
    assert_eq!(finding.migration, "2");
    assert!(!finding.blob.is_empty());
}
