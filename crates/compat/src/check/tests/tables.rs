//! Whole tables and their constraints.

use super::table;
use crate::sql::Dialect::{MySql, Postgres};

const T: &str = "CREATE TABLE p (id bigint PRIMARY KEY); CREATE TABLE t (id bigint PRIMARY KEY, a text, b text, status text, CONSTRAINT u UNIQUE (a), CONSTRAINT k CHECK (status IN ('x','y')), p_id bigint, CONSTRAINT f FOREIGN KEY (p_id) REFERENCES p (id)); CREATE INDEX i ON t (b);";

#[test]
fn tables_that_go_or_change_names() {
    table(
        Postgres,
        &[
            (T, "DROP TABLE t;", "drop-table! t"),
            (T, "DROP TABLE IF EXISTS t;", "drop-table! t"),
            (T, "DROP TABLE IF EXISTS never;", ""),
            (T, "CREATE TABLE x (id bigint); DROP TABLE x;", ""),
            (T, "CREATE TABLE IF NOT EXISTS t (id bigint); ALTER TABLE t DROP COLUMN a;", "drop-column! t.a"),
            (T, "CREATE TEMP TABLE z AS SELECT 1; DROP TABLE z;", ""),
            (T, "ALTER TABLE t RENAME TO z;", "rename-table! t"),
            (T, "ALTER TABLE t RENAME TO z; ALTER TABLE z RENAME TO t;", ""),
            (T, "ALTER TABLE t RENAME TO z;=====ALTER TABLE z RENAME TO t;", "rename-table? t"),
            (T, "ALTER TABLE t RENAME TO z; CREATE VIEW t AS SELECT * FROM z;", "rename-table? t"),
            (T, "ALTER TABLE t RENAME TO z; CREATE VIEW t (id) AS SELECT id FROM z;", "rename-table! t"),
            (T, "ALTER TABLE t SET SCHEMA archive;", "rename-table! t"),
            (T, "DROP TABLE t; CREATE TABLE t (id bigint PRIMARY KEY);", "drop-table! t"),
            (T, "DROP TABLE t;=====CREATE TABLE t (id bigint PRIMARY KEY);", "drop-table! t"),
            ("SELECT 1;", "DROP TABLE z;", "drop-table! z"),
            ("", "DROP TABLE IF EXISTS z;", "drop-table! z"),
            (T, "DELETE FROM t; TRUNCATE p;", "delete-rows? t; delete-rows? p"),
            (
                T,
                "CREATE TABLE x (id bigint); DELETE FROM x; UPDATE t SET a = ''; INSERT INTO t (id) VALUES (1);",
                "",
            ),
            (T, "SELECT setval('s', 1);", ""),
            (T, "SELECT change_everything();", "unreadable? line 1"),
        ],
    );
    table(
        MySql,
        &[(
            "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE n (id int PRIMARY KEY, a int);",
            "RENAME TABLE t TO o, n TO t;",
            "rename-table? t; rename-table! n",
        )],
    );
}

#[test]
fn what_is_refused_anew() {
    table(
        Postgres,
        &[
            (T, "CREATE UNIQUE INDEX CONCURRENTLY x ON t (b);", "add-unique! t.b"),
            (T, "CREATE UNIQUE INDEX x ON t (b) WHERE a IS NULL;", "add-unique! t.b"),
            (T, "CREATE UNIQUE INDEX x ON t (lower(a));", "add-unique! t.lower(a)"),
            (T, "CREATE UNIQUE INDEX x ON t (a, b);", ""),
            (T, "CREATE UNIQUE INDEX x ON t (id, b);", ""),
            (T, "ALTER TABLE t ADD COLUMN c text; CREATE UNIQUE INDEX x ON t (c);", ""),
            (T, "ALTER TABLE t ADD COLUMN c text; CREATE UNIQUE INDEX x ON t (b, c);", ""),
            (
                T,
                "ALTER TABLE t ADD COLUMN c text NOT NULL DEFAULT ''; CREATE UNIQUE INDEX x ON t (c);",
                "add-unique! t.c",
            ),
            (T, "ALTER TABLE t ADD COLUMN c uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE;", ""),
            (T, "ALTER TABLE t DROP CONSTRAINT u; CREATE UNIQUE INDEX x ON t (a);", ""),
            (T, "ALTER TABLE t DROP CONSTRAINT u;", "drop-unique? t.a"),
            (T, "DROP INDEX i;", ""),
            (T, "DROP INDEX IF EXISTS never_key;", ""),
            ("", "DROP INDEX some_index;", ""),
            ("", "DROP INDEX some_key;", "drop-unique? some_key"),
            (T, "ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p (id) NOT VALID;", "add-fk! t.b"),
            (T, "ALTER TABLE t ADD COLUMN q bigint REFERENCES p (id);", ""),
            (T, "CREATE TABLE x (p_id bigint NOT NULL REFERENCES p (id) ON DELETE CASCADE);", ""),
            (
                T,
                "ALTER TABLE t DROP CONSTRAINT f; ALTER TABLE t ADD CONSTRAINT g FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE;",
                "",
            ),
            (T, "ALTER TABLE t DROP CONSTRAINT f; ALTER TABLE t DROP CONSTRAINT k;", ""),
            (T, "ALTER TABLE t ADD CHECK (length(a) < 9) NOT VALID;", "add-check! t.a"),
            (T, "ALTER TABLE t ADD COLUMN c integer; ALTER TABLE t ADD CHECK (c > 0);", ""),
            (
                T,
                "ALTER TABLE t ADD COLUMN c integer; ALTER TABLE t ADD CHECK (c > 0 OR a IS NULL);",
                "add-check! t.(a, c)",
            ),
            (
                T,
                "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ADD CONSTRAINT k CHECK (status IN ('x','y','z'));",
                "",
            ),
            (
                T,
                "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ADD CONSTRAINT k CHECK (status IN ('x'));",
                "add-check! t.status",
            ),
            (
                "CREATE TABLE t (n integer, CONSTRAINT k CHECK (n >= 1));",
                "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ADD CONSTRAINT k CHECK (n >= 0);",
                "",
            ),
            (
                "CREATE TABLE t (n integer, CONSTRAINT k CHECK (n >= 1));",
                "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ADD CONSTRAINT k CHECK (n > 1);",
                "add-check! t.n",
            ),
            (T, "ALTER TABLE t DROP CONSTRAINT t_pkey;", "drop-pk? t.id"),
        ],
    );
}
