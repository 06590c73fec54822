//! The history family: what happened to what databases have already.

use super::{asked, told};
use crate::sql::Dialect::Postgres;
use crate::tree::MemoryTree;

const ONE: (&str, &str) = ("db/migration/V1__a.sql", "CREATE TABLE t (a integer);");
const TWO: (&str, &str) = ("db/migration/V2__b.sql", "ALTER TABLE t ADD COLUMN b integer;");

fn judged(base: &[(&str, &str)], head: &[(&str, &str)]) -> String {
    let tree = |files: &[(&str, &str)]| MemoryTree::new(files.iter().copied());
    told(&asked(Postgres, &tree(base), &tree(head), &[])).join("; ")
}

#[test]
fn flyway_keeps_sums() {
    for (base, head, wanted) in [
        (&[ONE, TWO][..], &[ONE, TWO][..], ""),
        (&[ONE], &[ONE, TWO], ""),
        (&[ONE, TWO], &[("db/migration/V1__a.sql", "CREATE TABLE t (a text);"), TWO], "edited-migration! 1"),
        (&[ONE], &[("db/migration/V1__a.sql", "CREATE TABLE t (a integer); -- x")], "edited-migration! 1"),
        (&[ONE, TWO], &[ONE], "deleted-migration? 2"),
        (&[ONE, TWO], &[ONE, ("db/migration/V3__b.sql", TWO.1)], "renumbered-migration? 3"),
        (
            &[ONE, ("db/migration/V3__c.sql", "SELECT 1;")],
            &[ONE, TWO, ("db/migration/V3__c.sql", "SELECT 1;")],
            "out-of-order? 2",
        ),
    ] {
        assert_eq!(judged(base, head), wanted, "{head:?}");
    }
}

#[test]
fn a_repeatable_migration_is_judged_when_it_changes() {
    let view = |columns| format!("CREATE OR REPLACE VIEW v AS SELECT {columns} FROM t;");
    let (both, one) = (view("a, b"), view("a"));
    let base = [ONE, TWO, ("db/migration/R__v.sql", both.as_str())];
    let head = [ONE, TWO, ("db/migration/R__v.sql", one.as_str())];
    assert_eq!(judged(&base, &base), "");
    assert_eq!(judged(&base, &head), "replace-view! v.b");
}

#[test]
fn golang_migrate_does_not_notice() {
    let file = |text: &'static str| [("migrations/000001_a.up.sql", text)];
    let was = file("CREATE TABLE t (a integer);");
    assert_eq!(judged(&was, &file("-- why\nCREATE TABLE t (a integer);")), "");
    assert_eq!(judged(&was, &file("CREATE TABLE t (a text);")), "edited-migration? 1");
}

#[test]
fn a_base_that_is_ahead_lost_nothing() {
    let tree = |files: &[(&str, &str)]| MemoryTree::new(files.iter().copied());
    let three = ("db/migration/V3__c.sql", "ALTER TABLE t DROP COLUMN a;");
    let (production, staging, head) = (tree(&[ONE]), tree(&[ONE, TWO, three]), tree(&[ONE, TWO]));
    let report = crate::check::check(&crate::check::Question {
        base: vec![&production, &staging],
        head: &head,
        running: vec![],
        settings: crate::check::Settings::default(),
    });
    assert_eq!(told(&report).join("; "), "");
}

#[test]
fn a_schema_file_that_changes_alone() {
    let first = ("prisma/migrations/20240101000000_a/migration.sql", "CREATE TABLE t (a integer);");
    let shown = |text: &'static str| ("prisma/schema.prisma", text);
    let was = "model T {\n  a Int\n}\n";
    let base = [first, shown(was)];
    assert_eq!(judged(&base, &[first, shown("// why\nmodel T {\n  a   Int\n}\n")]), "");
    let alone = judged(&base, &[first, shown("model T {\n  a Int\n  b Int?\n}\n")]);
    assert_eq!(alone, "schema-without-migration? prisma/schema.prisma");
    let second = ("prisma/migrations/20240102000000_b/migration.sql", "ALTER TABLE t ADD COLUMN b integer;");
    assert_eq!(judged(&base, &[first, second, shown("model T {\n  a Int\n  b Int?\n}\n")]), "");
}

#[test]
fn what_rails_wrote_down_stands_for_migrations_that_are_gone() {
    let first = (
        "db/migrate/20240101000000_a.rb",
        "class A < ActiveRecord::Migration[7.1]\n  def change\n    add_column :users, :city, :string\n  end\nend\n",
    );
    let second = (
        "db/migrate/20240102000000_b.rb",
        "class B < ActiveRecord::Migration[7.1]\n  def change\n    change_column_null :users, :city, false\n    change_column_null :users, :email, false\n  end\nend\n",
    );
    let shown = (
        "db/schema.rb",
        "ActiveRecord::Schema[7.1].define(version: 2024_01_01_000000) do\n  create_table \"users\", force: :cascade do |t|\n    t.string \"email\", null: false\n    t.string \"city\"\n  end\nend\n",
    );
    assert_eq!(judged(&[first, shown], &[first, second, shown]), "set-not-null! users.city");
    assert_eq!(judged(&[first], &[first, second]), "set-not-null! users.city; set-not-null! users.email");
}
