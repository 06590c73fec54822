//! Programs and what they do.

use super::super::brief::brief;
use super::{dialect, history, numbered, schema_steps, steps};
use crate::frameworks::Found;
use crate::migration::{Context, Limits, Memo};
use crate::operation::{Operation, Unread};
use crate::sql::Dialect::{self, MySql, Postgres, Sqlite};
use crate::tree::MemoryTree;

/// The steps of `change` with this body; its first line is line 3.
fn change(version: &str, dialect: Dialect, body: &str) -> Vec<String> {
    let text = format!("class A < ActiveRecord::Migration[{version}]\n  def change\n{body}\n  end\nend\n");
    brief(&steps(&text, dialect, Limits::default()))
}

#[track_caller]
fn table(rows: &[(&str, &[&str])]) {
    for (body, expected) in rows {
        assert_eq!(change("7.1", Postgres, body), *expected, "{body}");
    }
}

#[test]
fn tables() {
    table(&[
        (
            "create_table :boats do |t|\n t.string :name, null: false\n t.timestamps\nend",
            &["3 create boats (id bigint!=#{pk id}, name varchar!, created_at timestamp!, updated_at timestamp!)"],
        ),
        ("create_table(:boats, id: :uuid)", &["3 create boats (id uuid!=gen_random_uuid(){pk id})"]),
        ("create_table :boats, id: false do |t|\n t.integer :n, limit: 8\nend", &["3 create boats (n bigint)"]),
        (
            "kind, other = kinds_of_keys\ncreate_table :boats, id: kind do |t|\n t.references :lock, type: other, index: false\nend",
            &["3 unread Code { what: \"kinds_of_keys\" }", "4 create boats (id ?!=*{pk id}, lock_id ?)"],
        ),
        (
            "create_table :boats, id: false do |t|\n t.column :a, \"enum('A','b')\"\nend",
            &["3 create boats (a enum('a','b'))"],
        ),
        ("create_table :boats, primary_key: :code", &["3 create boats (code bigint!=#{pk code})"]),
        (
            "create_table :boats, primary_key: [:a, :b] do |t|\n t.integer :a\n t.integer :b\nend",
            &["3 create boats (a integer, b integer){pk a,b}"],
        ),
        (
            "create_table :boats, force: :cascade",
            &["3~ drop boats cascade", "3 create boats (id bigint!=#{pk id})"],
        ),
        ("create_table :boats, if_not_exists: true", &["3~ create boats (id bigint!=#{pk id})"]),
        (
            "create_table :boats, id: false do |t|\n t.belongs_to :owner, null: false, foreign_key: { to_table: :people, on_delete: :cascade }\nend",
            &[
                "3 create boats (owner_id bigint!){fk owner_id>people() cascades}",
                "3 index index_boats_on_owner_id boats(owner_id)",
            ],
        ),
        (
            "create_table :boats, id: false do |t|\n t.references :cargo, polymorphic: true, index: { unique: true }\nend",
            &[
                "3 create boats (cargo_type varchar, cargo_id bigint)",
                "3 constrain boats {index_boats_on_cargo unique cargo_type,cargo_id} All",
            ],
        ),
        (
            "create_table :boats, id: false do |t|\n t.string :a, index: { unique: true }\n t.index [:a], name: 'x', where: 'b'\nend",
            &[
                "3 create boats (a varchar)",
                "3 constrain boats {index_boats_on_a unique a} All",
                "3 index x boats(a)",
            ],
        ),
        (
            "create_table :boats, id: false do |t|\n if odd_weather\n t.string :a\n end\nend",
            &["3 create boats (?)"],
        ),
        ("create_join_table :locks, :boats", &["3 create boats_locks (lock_id bigint!, boat_id bigint!)"]),
        ("drop_table :boats, :locks, if_exists: true", &["3~ drop boats", "3~ drop locks"]),
        ("drop_table :boats do |t|\n t.string :a\nend", &["3 drop boats"]),
        ("rename_table :boats, :ships", &["3 rename boats ships"]),
        ("drop_table table_from_elsewhere", &["3 unread Code { what: \"drop_table table_from_elsewhere\" }"]),
    ]);
}

#[test]
fn columns() {
    table(&[
        ("add_column :boats, :a, :string, null: false, default: 'it''s'", &["3 add boats.a varchar!='its'"]),
        ("add_column 'boats', 'a', :decimal, precision: 8, scale: 2", &["3 add boats.a numeric(8,2)"]),
        ("add_column :boats, :a, :boolean, default: false, null: false", &["3 add boats.a boolean!=false"]),
        ("add_column :boats, :a, :datetime, default: -> { 'now()' }", &["3 add boats.a timestamp=now()"]),
        ("add_column :boats, :a, :string, array: true, default: []", &["3 add boats.a varchar[]='{}'"]),
        ("add_column :boats, :a, :enum, enum_type: :mood", &["3 add boats.a mood"]),
        ("add_column :boats, :a, 'character varying(20)'", &["3 add boats.a varchar(20)"]),
        ("add_column :boats, :a, :string, limit: MAX, null: flag", &["3 add boats.a ?!?"]),
        ("add_column :boats, :a, :virtual, type: :string, as: 'b', stored: true", &["3 add boats.a varchar=>b"]),
        (
            "add_timestamps :boats, null: true",
            &["3 add boats.created_at timestamp", "3 add boats.updated_at timestamp"],
        ),
        ("remove_column :boats, :a, :string, null: false", &["3 drop boats.a"]),
        ("remove_columns :boats, :a, :b, type: :string", &["3 drop boats.a", "3 drop boats.b"]),
        ("remove_timestamps :boats", &["3 drop boats.created_at", "3 drop boats.updated_at"]),
        ("rename_column :boats, :a, :b", &["3 rename boats.a b"]),
        ("change_column :boats, :a, :text", &["3 alter boats.a type text"]),
        (
            "change_column :boats, :a, :string, limit: 20, null: false, default: nil",
            &["3 alter boats.a type varchar(20), no default, not null"],
        ),
        ("change_column_null :boats, :a, false", &["3 alter boats.a not null"]),
        ("change_column_null :boats, :a, false, 0", &["3 Update boats", "3 alter boats.a not null"]),
        ("change_column_null :boats, :a, true", &["3 alter boats.a null"]),
        ("change_column_default :boats, :a, from: 1, to: nil", &["3 alter boats.a no default"]),
        ("change_column_default :boats, :a, 'x'", &["3 alter boats.a default ='x'"]),
        (
            "add_reference :boats, :owner, null: false, foreign_key: { to_table: :people, validate: false }",
            &[
                "3 add boats.owner_id bigint!",
                "3 index index_boats_on_owner_id boats(owner_id)",
                "3 constrain boats {fk owner_id>people()} NewRows",
            ],
        ),
        (
            "remove_reference :boats, :cargo, polymorphic: true",
            &["3 drop boats.cargo_id", "3 drop boats.cargo_type"],
        ),
        (
            "change_table :boats, bulk: true do |t|\n t.remove :a, :b\n t.rename :c, :d\n t.string :e\n t.change :f, :text\n t.index :e, unique: true\n t.change_null :g, false\nend",
            &[
                "4 drop boats.a",
                "4 drop boats.b",
                "5 rename boats.c d",
                "6 add boats.e varchar",
                "7 alter boats.f type text",
                "8 constrain boats {index_boats_on_e unique e} All",
                "9 alter boats.g not null",
            ],
        ),
    ]);
}

#[test]
fn indexes_and_constraints() {
    table(&[
        (
            "add_index :boats, [:a, :b], unique: true, algorithm: :concurrently, where: 'a > 1'",
            &["3 constrain boats {index_boats_on_a_and_b unique a,b partial} All"],
        ),
        ("add_index :boats, 'lower(a)'", &["3 index index_boats_on_lower_a boats(lower(a))"]),
        ("remove_index :boats, :a", &["3 unindex index_boats_on_a boats"]),
        ("remove_index :boats, column: [:a, :b], if_exists: true", &["3~ unindex index_boats_on_a_and_b boats"]),
        ("remove_index :boats, name: 'x'", &["3 unindex x boats"]),
        (
            "add_foreign_key :boats, :people, column: :owner_id, validate: false",
            &["3 constrain boats {fk owner_id>people()} NewRows"],
        ),
        ("add_foreign_key :boats, :people", &["3 constrain boats {fk person_id>people()} All"]),
        ("remove_foreign_key :boats, :people", &["3 unconstrain boats - foreign-key"]),
        (
            "add_check_constraint :boats, 'a IS NOT NULL', name: 'x', validate: false",
            &["3 constrain boats {x check a IS NOT NULLa} NewRows"],
        ),
        ("remove_check_constraint :boats, name: 'x'", &["3 unconstrain boats x check"]),
        ("add_unique_constraint :boats, [:a], name: 'x'", &["3 constrain boats {x unique a} All"]),
        ("add_exclusion_constraint :boats, 'a WITH =', name: 'x'", &["3 constrain boats {x exclude} All"]),
    ]);
}

#[test]
fn programs() {
    let drop = "3 drop boats.a";
    table(&[
        ("safety_assured { remove_column :boats, :a }", &[drop]),
        ("safety_assured do\n remove_column :boats, :a\nend", &["4 drop boats.a"]),
        (
            "reversible do |dir|\n dir.up { remove_column :boats, :a }\n dir.down { add_column :boats, :a, :string }\nend",
            &["4 drop boats.a"],
        ),
        ("up_only { remove_column :boats, :a }", &[drop]),
        (
            "revert do\n add_column :boats, :a, :string\n create_table :locks\nend",
            &["5 drop locks", "4 drop boats.a"],
        ),
        ("revert AddBoats", &["3 unread Code { what: \"revert AddBoats\" }"]),
        ("%i[a b].each { |c| remove_column :boats, c }", &[drop, "3 drop boats.b"]),
        (
            "[:boats, :locks].each do |t|\n add_column t, :a, :text\nend",
            &["4 add boats.a text", "4 add locks.a text"],
        ),
        ("{ boats: :a }.each { |t, c| remove_column t, c }", &[drop]),
        (
            "tables.each { |t| remove_column t, :a }",
            &["3 unread Code { what: \"tables.each { |t| remove_column t, :a }\" }"],
        ),
        ("remove_column :boats, :a if column_exists?(:boats, :a)", &["3~? drop boats.a"]),
        ("unless table_exists?(:boats)\n create_table :boats, id: false\nend", &["4~? create boats ()"]),
        ("return if column_exists?(:boats, :a)\nremove_column :boats, :a", &["4~? drop boats.a"]),
        (
            "reversible do |dir|\n dir.up { return if column_exists?(:boats, :a) }\nend\nremove_column :boats, :a",
            &["6~? drop boats.a"],
        ),
        (
            "if connection.adapter_name == 'Mysql2'\n drop_table :boats\nelse\n remove_column :boats, :a\nend",
            &["6 drop boats.a"],
        ),
        ("drop_table :boats if ENV['X']", &["3? drop boats"]),
        ("t = :boats\nremove_column t, :a", &["4 drop boats.a"]),
        ("Boat.where(a: 1).update_all(b: 2)", &["3 Update boats"]),
        ("Boat.update_all(b: 2)", &["3 Update boats all"]),
        ("Boat.where(a: 1).delete_all", &["3 Delete boats"]),
        ("Boat.find_each { |b| b.update!(a: b.c) }", &["3 Update boats all"]),
        (
            "Boat.find_each { |b| Crane.lift(b) }",
            &["3 unread Code { what: \"Boat.find_each { |b| Crane.lift(b) }\" }"],
        ),
        ("Boat.reset_column_information\nsay 'done'", &[]),
        ("Fleet::Sinker.run!", &["3 unread Code { what: \"Fleet::Sinker.run!\" }"]),
        ("execute \"DELETE FROM #{name}\"", &["3 unread Dynamic"]),
        ("enable_everything_twice", &["3 unread Code { what: \"enable_everything_twice\" }"]),
        (
            "with_lock_retries { add_concurrent_index :boats, :a, unique: true }",
            &["3 constrain boats {index_boats_on_a unique a} All"],
        ),
    ]);
}

#[test]
fn versions_and_dialects() {
    let rows: &[(&str, Dialect, &str, &[&str])] = &[
        ("5.0", Postgres, "create_table :b", &["3 create b (id integer!=#{pk id})"]),
        ("4.2", Postgres, "add_timestamps :b", &["3 add b.created_at timestamp", "3 add b.updated_at timestamp"]),
        ("5.0", Postgres, "add_reference :b, :c", &["3 add b.c_id integer", "3 index index_b_on_c_id b(c_id)"]),
        ("4.2", Postgres, "add_reference :b, :c", &["3 add b.c_id integer"]),
        ("6.1", MySql, "add_column :b, :a, :datetime", &["3 add b.a datetime"]),
        ("7.0", MySql, "add_column :b, :a, :datetime", &["3 add b.a datetime(6)"]),
        ("7.0", MySql, "add_column :b, :a, :string", &["3 add b.a varchar(255)"]),
        ("7.0", MySql, "add_column :b, :a, :boolean, default: true", &["3 add b.a tinyint(1)=1"]),
        ("7.0", MySql, "add_column :b, :a, :text, limit: 16777215", &["3 add b.a mediumtext"]),
        ("7.0", MySql, "add_column :b, :a, :integer, limit: 8, unsigned: true", &["3 add b.a bigint+"]),
        ("7.0", MySql, "change_column :b, :a, :text", &["3 alter b.a type text"]),
        ("7.0", Sqlite, "create_table :b", &["3 create b (id integer!=#{pk id})"]),
    ];
    for (version, dialect, body, expected) in rows {
        assert_eq!(change(version, *dialect, body), *expected, "{version} {body}");
    }
}

#[test]
fn only_the_up_part_of_the_migrations_own_class_is_read() {
    let text = "
class A < ActiveRecord::Migration[7.0]
  TABLE = :boats
  class Boat < ActiveRecord::Base
    self.table_name = :old_boats
  end
  def up
    remove_column TABLE, :a
    Boat.update_all(b: 1)
    helper(:locks)
  end
  def down
    drop_table :boats
  end
  private
  def helper(table, column: :z)
    remove_column table, column
  end
end";
    let found = brief(&steps(text, Postgres, Limits::default()));
    assert_eq!(found, ["8 drop boats.a", "9 Update old_boats all", "17 drop locks.z"]);
}

#[test]
fn what_is_no_ruby_is_unread_inside_the_up_part_only() {
    let inside = "class A < ActiveRecord::Migration[7.0]\n  def up\n    remove_column :a, (:b\n  end\nend";
    assert!(
        steps(inside, Postgres, Limits::default())
            .iter()
            .any(|step| matches!(step.operation, Operation::Unread(_)))
    );
    let elsewhere = "class A < ActiveRecord::Migration[7.0]\n  def up\n    remove_column :a, :b\n  end\n  def down\n    x = = 3\n  end\nend";
    assert_eq!(brief(&steps(elsewhere, Postgres, Limits::default())), ["3 drop a.b"]);
    for text in ["", "class A; end", "class A < B; end", "\u{0}", "def", "class A < ActiveRecord::Migration[7.0]"] {
        let found = steps(text, Postgres, Limits::default());
        assert!(matches!(found.first().map(|step| &step.operation), Some(Operation::Unread(_))), "{text:?}");
    }
}

#[test]
fn hostile_programs_end() {
    let deep = format!(
        "class A < ActiveRecord::Migration[7.0]\n def up\n{}{}\n end\nend",
        "[".repeat(500),
        "]".repeat(500)
    );
    let found = steps(&deep, Postgres, Limits::default());
    assert!(found.iter().any(|step| matches!(step.operation, Operation::Unread(Unread::Limit { .. }))));
    let again = "class A < ActiveRecord::Migration[7.0]\n def up\n a\n end\n def a\n a\n a\n end\nend";
    assert!(steps(again, Postgres, Limits::default()).len() < 1000);
    let mut loops = "drop_table :x\n".to_owned();
    for _ in 0..12 {
        loops = format!("[1,2,3,4,5,6,7,8,9].each {{ |a| {loops} }}\n");
    }
    let limits = Limits { statements: 1000, ..Limits::default() };
    let text = format!("class A < ActiveRecord::Migration[7.0]\n def up\n{loops}\n end\nend");
    assert!(steps(&text, Postgres, limits).len() <= 1001);
}

#[test]
fn a_schema_file_creates_and_drops_nothing() {
    let text = "ActiveRecord::Schema[7.1].define(version: 2024_01_02) do
  enable_extension \"plpgsql\"
  create_table \"boats\", force: :cascade do |t|
    t.string \"name\", default: \"\", null: false
    t.datetime \"created_at\", precision: nil, null: false
    t.index [\"name\"], name: \"boats_name\", unique: true
  end
  add_foreign_key \"boats\", \"people\", column: \"owner_id\"
end";
    let found = brief(&schema_steps(text, Postgres, Limits::default()));
    let expected = [
        "3 create boats (id bigint!=#{pk id}, name varchar!='', created_at timestamp!)",
        "3 constrain boats {boats_name unique name} All",
        "8 constrain boats {fk owner_id>people()} All",
    ];
    assert_eq!(found.get(1..), Some(expected.map(str::to_owned).as_slice()));
}

#[test]
fn files_are_ordered_by_their_numbers() {
    let body = |name: &str| format!("class {name} < ActiveRecord::Migration[7.0]\n def change\n end\nend");
    let tree = MemoryTree::new([
        ("db/migrate/20240102000000_b.rb", body("B")),
        ("db/migrate/3_a.rb", body("A")),
        ("db/post_migrate/20240101000000_c.rb", body("C")),
        ("db/migrate/20240102000000_d.rb", body("D")),
        ("db/migrate/notes.rb", String::new()),
        ("db/cache_migrate/1_e.rb", body("E")),
        ("config/database.yml", "default:\n  adapter: trilogy # x\ntest:\n  adapter: mysql2\n".to_owned()),
    ]);
    let roots: Vec<(String, Option<Dialect>)> =
        (super::ROW.find)(&tree).into_iter().map(|found| (found.root, found.dialect)).collect();
    assert_eq!(roots, [("db/cache_migrate".to_owned(), Some(MySql)), ("db/migrate".to_owned(), Some(MySql))]);
    let found = Found { framework: "rails", root: "db/migrate".to_owned(), dialect: None };
    let memo = Memo::default();
    let context = Context { tree: &tree, dialect: Postgres, limits: Limits::default(), memo: &memo };
    let read = history(&context, &found);
    let keys: Vec<&str> = read.migrations.iter().map(|migration| migration.key.as_str()).collect();
    assert_eq!(keys, ["3", "20240101000000", "20240102000000", "20240102000000"]);
    assert_eq!(read.problems.iter().map(|problem| problem.rule).collect::<Vec<_>>(), ["duplicate-version"]);
}

#[test]
fn names_of_files_and_drivers() {
    assert_eq!(numbered("001_a.rb"), Some(("001", "a")));
    assert_eq!(numbered("20240101000000_add_x.engine.rb"), Some(("20240101000000", "add_x")));
    assert_eq!(numbered("add_x.rb"), None);
    assert_eq!(numbered("1_X.rb"), None);
    let gems = [
        ("gem 'pg', '~> 1'\n", Some(Postgres)),
        ("gem \"mysql2\"\ngem 'sqlite3'\n", Some(MySql)),
        ("    pg (1.5.4)\n", Some(Postgres)),
        ("gem 'pgcli'\n", None),
        ("gem 'pg'\ngem 'mysql2'\n", None),
    ];
    for (text, expected) in gems {
        let tree = MemoryTree::new([("app/Gemfile", text)]);
        assert_eq!(dialect(&tree, "app/db/migrate"), expected, "{text}");
    }
}
