//! What running code says, and what is made of it.

use super::{asked, files, told};
use crate::check::{Question, Running, Settings, check, check_with};
use crate::migration::Memo;
use crate::sql::Dialect::Postgres;
use crate::tree::{Entry, MemoryTree, NoContent, Tree};
use crate::{CompatReport, Grade, Verdict};

const BASE: &str = "CREATE TABLE users (id bigint, nick_name text, note text NOT NULL);";

fn judged(change: &str, running: &[&[(&str, &str)]]) -> CompatReport {
    let (base, head) = (MemoryTree::new(files(&[BASE])), MemoryTree::new(files(&[BASE, change])));
    let running: Vec<MemoryTree> = running.iter().map(|files| MemoryTree::new(files.iter().copied())).collect();
    asked(Postgres, &base, &head, &running.iter().collect::<Vec<_>>())
}

const USES: (&str, &str) = ("app/users.go", "package app\n\nconst q = \"SELECT id, nick_name FROM users\"\n");
const USES_NOT: (&str, &str) = ("app/users.go", "package app\n\nconst q = \"SELECT id FROM users\"\n");
const DROP: &str = "\nALTER TABLE users\n  DROP COLUMN nick_name;";

#[test]
fn without_code_to_search_nothing_is_proved() {
    let report = judged(DROP, &[&[]]);
    assert_eq!(told(&report), ["drop-column! users.nick_name"]);
    let finding = &report.findings[0];
    assert_eq!((finding.at.path.as_str(), finding.at.line), ("migrations/000002_x.up.sql", 3));
    assert_eq!(finding.evidence.len(), 1);
    assert_eq!((finding.evidence[0].grade, finding.grade), (None, None));
    assert!(finding.message.contains("no code was found in run0"), "{}", finding.message);
    assert_eq!(finding.migration, "2");
    assert!(!finding.blob.is_empty());
    assert_eq!(finding.before.as_deref(), Some("text NULL"));
}

#[test]
fn a_drop_that_nobody_uses_is_told_and_blocks_nothing() {
    let report = judged(DROP, &[&[USES_NOT]]);
    assert_eq!(told(&report), ["drop-column users.nick_name"]);
    assert_eq!(report.verdict(), Verdict::Compatible);
    assert_eq!(report.findings[0].grade, Some(Grade::E0));
    assert_eq!(report.findings[0].message, "drops column users.nick_name, which run0 no longer uses");
}

#[test]
fn one_running_commit_that_uses_it_is_enough() {
    let report = judged(DROP, &[&[USES_NOT], &[USES]]);
    assert_eq!(told(&report), ["drop-column! users.nick_name"]);
    let finding = &report.findings[0];
    assert_eq!(finding.message, "drops column users.nick_name, which run1 still uses");
    assert!(finding.advice.contains("app/users.go:3"), "{}", finding.advice);
    let grades: Vec<Option<Grade>> = finding.evidence.iter().map(|said| said.grade).collect();
    assert_eq!(grades, [Some(Grade::E0), Some(Grade::E3)]);
    // One of them without code proves nothing either.
    assert_eq!(judged(DROP, &[&[USES_NOT], &[]]).verdict(), Verdict::Incompatible);
}

#[test]
fn a_required_column_that_no_code_names_is_no_proof() {
    let report = judged("ALTER TABLE users DROP COLUMN note;", &[&[USES_NOT]]);
    assert_eq!(report.verdict(), Verdict::NeedsReview, "{:#?}", report.findings);
}

#[test]
fn evidence_is_not_asked_where_it_cannot_help() {
    for change in ["ALTER TABLE users ADD COLUMN x integer NOT NULL;", "ALTER TABLE users ADD UNIQUE (nick_name);"]
    {
        let report = judged(change, &[&[USES_NOT]]);
        assert_eq!(report.verdict(), Verdict::Incompatible);
        assert!(report.findings[0].evidence.is_empty());
    }
}

#[test]
fn the_same_question_has_the_same_answer_in_the_same_order() {
    let change = "ALTER TABLE users DROP COLUMN nick_name; DROP TABLE users; DELETE FROM other; GARBLE x;";
    let one = serde_json::to_string(&judged(change, &[&[USES], &[USES_NOT]])).unwrap();
    for _ in 0..5 {
        assert_eq!(serde_json::to_string(&judged(change, &[&[USES], &[USES_NOT]])).unwrap(), one);
    }
}

/// A tree that counts what is read of it.
struct Counted<'a>(&'a MemoryTree, std::cell::Cell<usize>);

impl Tree for Counted<'_> {
    fn entries(&self) -> &[Entry] {
        self.0.entries()
    }

    fn read(&self, path: &str) -> Result<std::borrow::Cow<'_, [u8]>, NoContent> {
        self.1.set(self.1.get() + 1);
        self.0.read(path)
    }
}

#[test]
fn a_second_look_at_the_same_trees_reads_nothing() {
    let (base, head) = (MemoryTree::new(files(&[BASE])), MemoryTree::new(files(&[BASE, DROP])));
    let (uses, uses_not) = (MemoryTree::new([USES]), MemoryTree::new([USES_NOT]));
    let memo = Memo::default();
    let look = |running: &MemoryTree, name: &str| {
        let counted = Counted(running, Default::default());
        let question = Question {
            base: vec![&base as &dyn Tree],
            head: &head,
            running: vec![Running { name: name.to_owned(), tree: &counted }],
            settings: Settings { dialect: Some(Postgres), ..Settings::default() },
        };
        let report = check_with(&question, &memo);
        assert_eq!(
            report,
            check(&Question { running: vec![Running { name: name.to_owned(), tree: running }], ..question })
        );
        (report.verdict(), counted.1.get())
    };
    assert_eq!(look(&uses, "a"), (Verdict::Incompatible, 1));
    assert_eq!(look(&uses, "a"), (Verdict::Incompatible, 0));
    assert_eq!(look(&uses, "b"), (Verdict::Incompatible, 1), "a report names the commit");
    assert_eq!(look(&uses_not, "a"), (Verdict::Compatible, 1), "the same path, and another content");
    assert_eq!(look(&uses, "a"), (Verdict::Incompatible, 0));
}
