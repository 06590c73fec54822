//! Columns: what is asked of code that does not know them, and what it relied on.

use super::table;
use crate::sql::Dialect::{MsSql, MySql, Postgres, Sqlite};

const T: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a text, b text NOT NULL, c integer NOT NULL DEFAULT 0, v varchar(40), n numeric(10,2), s timestamp, j json);";

#[test]
fn a_new_column_must_be_left_out_safely() {
    table(
        Postgres,
        &[
            (T, "ALTER TABLE t ADD COLUMN x integer;", ""),
            (T, "ALTER TABLE t ADD COLUMN x integer NOT NULL DEFAULT 1;", ""),
            (T, "ALTER TABLE t ADD COLUMN x integer NOT NULL;", "add-required-column! t.x"),
            (T, "ALTER TABLE t ADD COLUMN x integer NOT NULL DEFAULT NULL;", "add-required-column! t.x"),
            (T, "ALTER TABLE t ADD COLUMN x bigserial NOT NULL;", ""),
            (T, "ALTER TABLE t ADD COLUMN x integer NOT NULL GENERATED ALWAYS AS (c + 1) STORED;", ""),
            (T, "ALTER TABLE t ADD COLUMN x integer CHECK (x IS NOT NULL);", "add-required-column! t.x"),
            (
                T,
                "ALTER TABLE t ADD COLUMN x integer NOT NULL DEFAULT 1; ALTER TABLE t ALTER COLUMN x DROP DEFAULT;",
                "default-then-dropped! t.x",
            ),
            (
                T,
                "ALTER TABLE t ADD COLUMN x integer NOT NULL DEFAULT 1;=====ALTER TABLE t ALTER COLUMN x DROP DEFAULT;",
                "default-then-dropped! t.x",
            ),
            (
                T,
                "ALTER TABLE t ADD COLUMN x integer; UPDATE t SET x = 1; ALTER TABLE t ALTER COLUMN x SET NOT NULL;",
                "add-required-column! t.x",
            ),
            (T, "ALTER TABLE t ADD COLUMN x integer DEFAULT 1;=====ALTER TABLE t ALTER COLUMN x SET NOT NULL;", ""),
            (
                T,
                "ALTER TABLE t ADD COLUMN x integer NOT NULL;=====ALTER TABLE t ALTER COLUMN x SET DEFAULT 1;",
                "add-required-column? t.x",
            ),
            (
                T,
                "BEGIN; ALTER TABLE t ADD COLUMN x integer NOT NULL; ALTER TABLE t ALTER COLUMN x SET DEFAULT 1; COMMIT;",
                "",
            ),
            (
                "CREATE TABLE t (id bigint PRIMARY KEY); CREATE DOMAIN d AS text NOT NULL;",
                "ALTER TABLE t ADD COLUMN x d;",
                "add-required-column! t.x",
            ),
        ],
    );
}

#[test]
fn a_table_made_anew_is_told_by_what_came_along() {
    const N: &str = "CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT, UNIQUE (a));";
    let rebuilt = |columns: &str, copy: &str| {
        format!("CREATE TABLE m ({columns}); {copy}; DROP TABLE n; ALTER TABLE m RENAME TO n;")
    };
    let whole = "id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT, UNIQUE (a)";
    let changes = [
        (rebuilt(whole, "INSERT INTO m SELECT * FROM n"), ""),
        (rebuilt(whole, "INSERT INTO m SELECT * FROM n WHERE b > 0"), "delete-rows? n"),
        (rebuilt(whole, "INSERT INTO m SELECT * FROM n; DELETE FROM m"), "delete-rows? n"),
        (rebuilt(whole, "INSERT INTO m (id, a) SELECT id, a FROM n"), "drop-column! n.b"),
        (rebuilt(whole, "INSERT INTO m (id, a, b) SELECT id, a, NULL FROM n"), "drop-column? n.b"),
        (rebuilt(whole, "INSERT INTO m (id, a, b) SELECT id, b, a FROM n"), "drop-column! n.a; drop-column! n.b"),
        (rebuilt(whole, "INSERT INTO m VALUES (1, 'x', 'y')"), "drop-table? n"),
        (rebuilt(whole, "SELECT 1"), "drop-table! n"),
        // A column by another name, with its constraint, is one change.
        (
            rebuilt(
                "id INTEGER PRIMARY KEY, c TEXT NOT NULL, b TEXT, UNIQUE (c)",
                "INSERT INTO m (id, c, b) SELECT id, a, b FROM n",
            ),
            "rename-column! n.a",
        ),
        ("ALTER TABLE n RENAME COLUMN a TO c;".to_owned(), "rename-column! n.a"),
    ];
    for (change, expected) in changes {
        // A row's texts live as long as the program.
        table(Sqlite, &[(N, String::leak(change), expected)]);
    }
}

#[test]
fn null_and_what_fills() {
    table(
        Postgres,
        &[
            (T, "ALTER TABLE t ALTER COLUMN a SET NOT NULL;", "set-not-null! t.a"),
            (T, "UPDATE t SET a = ''; ALTER TABLE t ALTER COLUMN a SET NOT NULL;", "set-not-null! t.a"),
            (T, "ALTER TABLE t ALTER COLUMN b SET NOT NULL;", ""),
            (
                T,
                "ALTER TABLE t ALTER COLUMN a SET DEFAULT ''; ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
                "set-default? t.a; set-not-null? t.a",
            ),
            (
                "CREATE TABLE t (a text, CONSTRAINT k CHECK (a IS NOT NULL));",
                "ALTER TABLE t ALTER COLUMN a SET NOT NULL; ALTER TABLE t DROP CONSTRAINT k;",
                "",
            ),
            (
                "CREATE TABLE t (a text); ALTER TABLE t ADD CONSTRAINT k CHECK (a IS NOT NULL) NOT VALID;",
                "ALTER TABLE t VALIDATE CONSTRAINT k; ALTER TABLE t ALTER COLUMN a SET NOT NULL; ALTER TABLE t DROP CONSTRAINT k;",
                "",
            ),
            (
                "CREATE TABLE t (a text); ALTER TABLE t ADD CONSTRAINT k CHECK (a IS NOT NULL) NOT VALID;",
                "ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
                "set-not-null? t.a",
            ),
            (T, "ALTER TABLE t ADD CONSTRAINT k CHECK (a IS NOT NULL) NOT VALID;", "set-not-null! t.a"),
            (T, "ALTER TABLE t ALTER COLUMN b DROP NOT NULL;", "drop-not-null? t.b"),
            (T, "ALTER TABLE t ALTER COLUMN b DROP NOT NULL;=====ALTER TABLE t ALTER COLUMN b SET NOT NULL;", ""),
            (T, "ALTER TABLE t ALTER COLUMN c DROP DEFAULT;", "drop-default! t.c"),
            (T, "ALTER TABLE t ALTER COLUMN c DROP DEFAULT; ALTER TABLE t ALTER COLUMN c SET DEFAULT 0;", ""),
            (T, "ALTER TABLE t ALTER COLUMN c SET DEFAULT 9;", "set-default? t.c"),
            (T, "ALTER TABLE t ALTER COLUMN a DROP DEFAULT;", ""),
            ("SELECT 1;", "ALTER TABLE z ALTER COLUMN a SET NOT NULL;", "set-not-null! z.a"),
            ("SELECT 1;", "ALTER TABLE z ALTER COLUMN a DROP DEFAULT;", "drop-default? z.a"),
        ],
    );
}

#[test]
fn names_that_go_or_change() {
    table(
        Postgres,
        &[
            (T, "ALTER TABLE t DROP COLUMN a;", "drop-column! t.a"),
            (T, "ALTER TABLE t DROP COLUMN IF EXISTS zz;", ""),
            (T, "ALTER TABLE t ADD COLUMN x integer;=====ALTER TABLE t DROP COLUMN x;", ""),
            (T, "ALTER TABLE t RENAME COLUMN a TO z;", "rename-column! t.a"),
            (T, "ALTER TABLE t RENAME COLUMN a TO z; ALTER TABLE t RENAME COLUMN z TO a;", ""),
            (
                T,
                "ALTER TABLE t RENAME COLUMN a TO z;=====ALTER TABLE t RENAME COLUMN z TO a;",
                "rename-column? t.a",
            ),
            (T, "ALTER TABLE t RENAME COLUMN a TO z; ALTER TABLE t ADD COLUMN a text;", "rename-column! t.a"),
            (
                T,
                "ALTER TABLE t RENAME COLUMN a TO z; ALTER TABLE t ADD COLUMN a text GENERATED ALWAYS AS (z) STORED;",
                "rename-column! t.a; identity-always! t.a",
            ),
            (T, "ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN a text;", "drop-column! t.a"),
            (
                T,
                "ALTER TABLE t ADD COLUMN x bigint; UPDATE t SET x = c; ALTER TABLE t DROP COLUMN c; ALTER TABLE t RENAME COLUMN x TO c;",
                "drop-default? t.c; drop-not-null? t.c; widen-type? t.c; drop-column? t.c",
            ),
            ("SELECT 1;", "ALTER TABLE z DROP COLUMN a;", "drop-column! z.a"),
            ("SELECT 1;", "ALTER TABLE z ADD COLUMN y integer; ALTER TABLE z DROP COLUMN y;", ""),
        ],
    );
}

#[test]
fn types_wider_and_narrower() {
    table(
        Postgres,
        &[
            (T, "ALTER TABLE t ALTER COLUMN v TYPE varchar(80);", ""),
            (T, "ALTER TABLE t ALTER COLUMN v TYPE text;", ""),
            (T, "ALTER TABLE t ALTER COLUMN v TYPE varchar;", ""),
            (T, "ALTER TABLE t ALTER COLUMN v TYPE character varying(40);", ""),
            (T, "ALTER TABLE t ALTER COLUMN v TYPE varchar(39);", "narrow-type! t.v"),
            (T, "ALTER TABLE t ALTER COLUMN a TYPE varchar(200);", "narrow-type! t.a"),
            (T, "ALTER TABLE t ALTER COLUMN a TYPE varchar;", ""),
            (T, "ALTER TABLE t ALTER COLUMN v TYPE char(60);", "widen-type? t.v"),
            (T, "ALTER TABLE t ALTER COLUMN c TYPE bigint;", "widen-type? t.c"),
            (T, "ALTER TABLE t ALTER COLUMN c TYPE smallint;", "narrow-type! t.c"),
            (T, "ALTER TABLE t ALTER COLUMN c TYPE text;", "narrow-type! t.c"),
            (T, "ALTER TABLE t ALTER COLUMN n TYPE numeric(12,2);", ""),
            (T, "ALTER TABLE t ALTER COLUMN n TYPE numeric(12,4);", "widen-type? t.n"),
            (T, "ALTER TABLE t ALTER COLUMN n TYPE numeric(10,4);", "narrow-type! t.n"),
            (T, "ALTER TABLE t ALTER COLUMN n TYPE numeric(8,2);", "narrow-type! t.n"),
            (T, "ALTER TABLE t ALTER COLUMN s TYPE timestamptz;", "narrow-type! t.s"),
            (T, "ALTER TABLE t ALTER COLUMN j TYPE jsonb;", "widen-type? t.j"),
            ("SELECT 1;", "ALTER TABLE z ALTER COLUMN a TYPE text;", "widen-type? z.a"),
            (
                T,
                "ALTER TABLE t ALTER COLUMN v TYPE varchar(10); ALTER TABLE t ALTER COLUMN v TYPE varchar(40);",
                "",
            ),
        ],
    );
}

#[test]
fn mysql_states_a_column_anew() {
    const M: &str = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a varchar(40) NOT NULL DEFAULT '', b varchar(40), e enum('x','y'), i int, u int unsigned);";
    table(
        MySql,
        &[
            (M, "ALTER TABLE t MODIFY a varchar(40) NOT NULL DEFAULT '';", ""),
            (M, "ALTER TABLE t MODIFY a varchar(80) NOT NULL DEFAULT '';", ""),
            (M, "ALTER TABLE t MODIFY a varchar(40) NOT NULL;", "drop-default! t.a"),
            (M, "ALTER TABLE t MODIFY a varchar(40) DEFAULT '';", "drop-not-null? t.a"),
            (M, "ALTER TABLE t MODIFY b varchar(40) NOT NULL;", "set-not-null! t.b"),
            (M, "ALTER TABLE t CHANGE b b varchar(50);", ""),
            (M, "ALTER TABLE t CHANGE b z varchar(40);", "rename-column! t.b"),
            (M, "ALTER TABLE t MODIFY id int;", "drop-default! t.id"),
            (M, "ALTER TABLE t MODIFY id bigint AUTO_INCREMENT;", ""),
            (M, "ALTER TABLE t MODIFY e enum('x','y','z');", ""),
            (M, "ALTER TABLE t MODIFY e enum('x','z','y');", "narrow-type! t.e"),
            (M, "ALTER TABLE t MODIFY e enum('y');", "enum-drop-value! t.e"),
            (M, "ALTER TABLE t MODIFY i bigint;", ""),
            (M, "ALTER TABLE t MODIFY i int unsigned;", "narrow-type! t.i"),
            (M, "ALTER TABLE t MODIFY u bigint;", ""),
            (M, "ALTER TABLE t MODIFY u int;", "narrow-type! t.u"),
            (
                M,
                "ALTER TABLE t ADD COLUMN x int NOT NULL, ADD UNIQUE KEY (x);",
                "add-required-column! t.x; add-unique! t.x",
            ),
            (M, "ALTER TABLE t ADD COLUMN x int NULL UNIQUE;", ""),
        ],
    );
}

#[test]
fn sqlite_rebuilds() {
    const S: &str = "CREATE TABLE t (id integer PRIMARY KEY, a text, b text);";
    table(
        Sqlite,
        &[
            (
                S,
                "CREATE TABLE n (id integer PRIMARY KEY, a varchar(20), b text, c text); INSERT INTO n (id, a, b) SELECT id, a, b FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t;",
                "",
            ),
            (
                S,
                "CREATE TABLE n (id integer PRIMARY KEY, a text); INSERT INTO n (id, a) SELECT id, a FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t;",
                "drop-column! t.b",
            ),
            (
                S,
                "CREATE TABLE n (id integer PRIMARY KEY, a text NOT NULL, b text, c text NOT NULL); INSERT INTO n SELECT id, a, b, '' FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t;",
                "add-required-column! t.c; set-not-null! t.a",
            ),
            (
                S,
                "CREATE TABLE n (id integer PRIMARY KEY, a text, b text); DROP TABLE t; ALTER TABLE n RENAME TO t;",
                "drop-table! t",
            ),
            (
                S,
                "CREATE TEMPORARY TABLE k AS SELECT id, a, b FROM t; DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, a text, b text UNIQUE); INSERT INTO t SELECT id, a, b FROM k; DROP TABLE k;",
                "add-unique! t.b",
            ),
        ],
    );
}

#[test]
fn sql_server_restates_and_drops_defaults() {
    const M: &str = "CREATE TABLE t (id int PRIMARY KEY, a varchar(40) NOT NULL CONSTRAINT DF_t_a DEFAULT '', b varchar(40) NULL);";
    table(
        MsSql,
        &[
            (M, "ALTER TABLE t DROP CONSTRAINT DF_t_a;", "drop-default! t.a"),
            (M, "ALTER TABLE t ALTER COLUMN a varchar(80);", "drop-not-null? t.a"),
            (M, "ALTER TABLE t ADD x int NULL; CREATE UNIQUE INDEX u ON t (x);", "add-unique! t.x"),
        ],
    );
}
