use super::super::common::shown::assert_read;
use super::read;
use crate::migration::Limits;

fn steps(text: &str) -> Vec<crate::operation::Step> {
    read(text, Limits::default())
}

#[test]
fn columns() {
    assert_read(
        steps,
        &[
            (
                "CREATE TABLE a (id INTEGER PRIMARY KEY, b, c TEXT NOT NULL, key TEXT)",
                &["create a [id integer not-null counted +pk(id) | b | c text not-null | key text]"],
            ),
            ("CREATE TABLE a (id INTEGER PRIMARY KEY DESC)", &["create a [id integer not-null +pk(id)]"]),
            ("CREATE TABLE a (id INT PRIMARY KEY AUTOINCREMENT NOT NULL)", &["create a [id int not-null +pk(id)]"]),
            ("CREATE TABLE a (id TEXT PRIMARY KEY)", &["create a [id text not-null +pk(id)]"]),
            (
                "CREATE TABLE a (id INTEGER, PRIMARY KEY(id AUTOINCREMENT))",
                &["create a [id integer not-null counted | +pk(id)]"],
            ),
            (
                "CREATE TABLE a (id INTEGER, PRIMARY KEY(id)) WITHOUT ROWID",
                &["create a [id integer not-null | +pk(id)]"],
            ),
            (
                "CREATE TABLE a (n UNSIGNED BIG INT DEFAULT (1+1), v VARCHAR(9) COLLATE NOCASE NOT NULL ON CONFLICT IGNORE UNIQUE ON CONFLICT REPLACE) STRICT",
                &["create a [n unsigned big int =(1+1) | v varchar(9) <nocase> not-null +unique(v) | +check[]]"],
            ),
            (
                "CREATE TABLE main.a ([x y] INT REFERENCES b(id) DEFERRABLE INITIALLY DEFERRED, CHECK (x > 0))",
                &["create a [x y int +fk(x y)->b(id) | +check[]]"],
            ),
            (
                "CREATE TABLE a (b TEXT GENERATED ALWAYS AS (c) STORED, d AS (c))",
                &["create a [b text computed | d computed]"],
            ),
            ("CREATE TEMP TABLE a AS SELECT 1", &["create temp a [?]"]),
            (
                "CREATE TABLE a (x INT, FOREIGN KEY (x) REFERENCES b(id) ON DELETE SET DEFAULT\n UNIQUE (x) CHECK (x > 0))",
                &["create a [x int | +fk(x)->b(id) cascades | +unique(x) | +check[]]"],
            ),
            ("CREATE VIRTUAL TABLE f USING fts5(a, b)", &["create f [?]"]),
        ],
    );
}

#[test]
fn copies() {
    let rows: &[(&str, &str)] = &[
        ("INSERT INTO a SELECT * FROM b", "copy a() <- b(*)"),
        ("INSERT INTO a (x, \"y\") SELECT x, [y] FROM main.b", "copy a(x,y) <- b(x,y)"),
        ("INSERT OR IGNORE INTO a (x) SELECT o.x FROM b AS o ORDER BY 1", "copy a(x) <- b(x)"),
        ("INSERT INTO a (x) SELECT b.x FROM b WHERE 1 = 1", "copy a(x) <- b(x)"),
        ("INSERT INTO a (x) SELECT x FROM b WHERE x > 0", "copy a(x) <- b(x) some rows"),
        ("INSERT INTO a (x) SELECT DISTINCT x FROM b", "copy a(x) <- b(x) some rows"),
        ("INSERT INTO a (x) SELECT x FROM b LIMIT 9", "copy a(x) <- b(x) some rows"),
        ("INSERT INTO a (x) SELECT x FROM b GROUP BY x", "copy a(x) <- b(x) some rows"),
        ("INSERT INTO a (x) SELECT x FROM b UNION ALL SELECT x FROM c", "copy a(x) <- b(x) some rows"),
        ("INSERT INTO a (x) SELECT b.x FROM b, c", "copy a(x) <- b(x) some rows"),
        ("INSERT INTO a (x) SELECT b.x FROM b JOIN c ON c.x = b.x", "copy a(x) <- b(x) some rows"),
        ("INSERT INTO a (x, y) SELECT b.x, c.y FROM b LEFT OUTER JOIN c ON c.x = b.x", "copy a(x,y) <- b(x,[])"),
        ("INSERT INTO a (x, y) SELECT x AS z, 'y' FROM b", "copy a(x,y) <- b(x,[])"),
        ("INSERT INTO a (x, y) SELECT CAST(x AS REAL) AS x, NULL y FROM b", "copy a(x,y) <- b(x::real,[null])"),
        ("INSERT INTO a (x) SELECT coalesce(x, y, 0) FROM b", "copy a(x) <- b([coalesce,x,y])"),
        ("INSERT INTO a (x) VALUES (1)", "Insert a"),
        ("INSERT INTO a (x) SELECT 1", "Insert a"),
        ("INSERT INTO a SELECT * FROM (SELECT * FROM b)", "Insert a"),
        ("INSERT INTO a SELECT value FROM json_each('[]')", "Insert a"),
        ("WITH b AS (SELECT 1 AS x) INSERT INTO a SELECT x FROM b", "Insert a"),
    ];
    for (text, expected) in rows {
        assert_read(steps, &[(text, &[expected])]);
    }
    assert_read(
        steps,
        &[
            ("CREATE TEMP TABLE a AS SELECT x, y AS z FROM b", &["create temp a [?]", "copy a(x,z) <- b(x,y)"]),
            ("CREATE TABLE a AS SELECT count(*) FROM b", &["create a [?]"]),
        ],
    );
}

#[test]
fn changes() {
    assert_read(
        steps,
        &[
            ("ALTER TABLE a ADD COLUMN b TEXT NOT NULL DEFAULT ''", &["add a.b text not-null =''"]),
            ("ALTER TABLE a ADD b", &["add a.b"]),
            ("ALTER TABLE a RENAME TO b", &["rename a -> b"]),
            ("ALTER TABLE a RENAME COLUMN b TO c", &["rename a.b -> c"]),
            ("ALTER TABLE a RENAME b TO c", &["rename a.b -> c"]),
            ("ALTER TABLE a DROP COLUMN b; ALTER TABLE \"a\" DROP 'c'", &["drop a.b", "drop a.c"]),
            (
                "DROP TABLE IF EXISTS a; DROP INDEX i; DROP VIEW v; DROP TRIGGER t",
                &["drop-table a ?", "drop-index i", "drop View v", "drop Trigger t"],
            ),
            (
                "CREATE UNIQUE INDEX IF NOT EXISTS u ON a (b, lower(c)) WHERE b > 0",
                &["add a +u unique(b,lower(c)) partial All ?"],
            ),
            ("CREATE INDEX i ON a (b COLLATE NOCASE DESC)", &["index i on a(b)"]),
            (
                "PRAGMA foreign_keys = OFF; PRAGMA foreign_keys=on",
                &["neutral PRAGMA FOREIGN_KEYS", "neutral PRAGMA FOREIGN_KEYS"],
            ),
            (
                "PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = 'x'",
                &[
                    "review the schema may be changed as rows",
                    "UNREAD Syntax { words: \"it changes the schema as rows\" }",
                ],
            ),
            ("ATTACH 'x' AS y", &["UNREAD Syntax { words: \"it opens another database file\" }"]),
            (
                "CREATE TRIGGER t AFTER UPDATE ON a BEGIN UPDATE b SET x = CASE WHEN 1 THEN 2 END; DELETE FROM c; END; DROP TABLE d;",
                &["create Trigger t on a", "drop-table d"],
            ),
            (
                "BEGIN; CREATE TABLE b (x); INSERT INTO b SELECT x FROM a; DROP TABLE a; ALTER TABLE b RENAME TO a; COMMIT;",
                &[
                    "neutral BEGIN",
                    "create b [x]",
                    "copy b() <- a(x)",
                    "drop-table a",
                    "rename b -> a",
                    "neutral COMMIT",
                ],
            ),
            (".read other.sql", &["UNREAD Code { what: \".read other.sql\" }"]),
            (
                "ALTER TABLE a FROB b; VACUUM",
                &["UNREAD UnknownStatement { head: \"ALTER TABLE a FROB\" }", "neutral VACUUM"],
            ),
        ],
    );
}
