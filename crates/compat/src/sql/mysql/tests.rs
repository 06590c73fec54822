use super::super::common::shown::{assert_read, shown};
use super::read;
use crate::migration::Limits;

fn steps(text: &str) -> Vec<crate::operation::Step> {
    read(text, Limits::default())
}

#[test]
fn an_action_that_is_missing_is_on_the_line_where_it_would_be() {
    let lines: Vec<u32> = steps("\n\nALTER TABLE a,\nDROP COLUMN b").iter().map(|step| step.line).collect();
    assert_eq!(lines, [3, 4]);
}

#[test]
fn tables_are_read_with_every_attribute_in_any_order() {
    assert_read(
        steps,
        &[
            (
                "CREATE TABLE `a` (id int(11) unsigned NOT NULL AUTO_INCREMENT COMMENT 'x, y', b varchar(20) COLLATE utf8mb4_bin DEFAULT NULL, PRIMARY KEY (id)) ENGINE=InnoDB",
                &["create a [id integer unsigned not-null counted | b varchar(20) <utf8mb4_bin> | +pk(id)]"],
            ),
            (
                "create table if not exists a (k enum('x','it''s') default 'x' not null, s set('p') null, d decimal(9,2) not null)",
                &["create a [k enum(x,it's) not-null ='x' | s set(p) | d numeric(9,2) not-null] ?"],
            ),
            (
                "CREATE TABLE a (id SERIAL, b DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), c int GENERATED ALWAYS AS (id + 1) STORED NOT NULL, d int AS (id) VIRTUAL)",
                &[
                    "create a [id bigint unsigned not-null counted +id unique(id) | b datetime(3) not-null =CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3) | c integer not-null computed | d integer computed]",
                ],
            ),
            (
                "CREATE TABLE a (id int PRIMARY KEY, mail varchar(9) UNIQUE KEY, o int REFERENCES b (id) ON DELETE CASCADE, n int CHECK (n > 0), KEY ix (mail(5) DESC), UNIQUE u (mail, n), CONSTRAINT fk FOREIGN KEY (n) REFERENCES s.b (id), CONSTRAINT c CHECK ((n IS NOT NULL) AND n > 1), FULLTEXT KEY ft (mail))",
                &[
                    "create a [id integer not-null +pk(id) | mail varchar(9) +mail unique(mail) | o integer +fk(o)->b(id) cascades | n integer +check[] | +u unique(mail,n) | +fk fk(n)->s.b(id) | +c check[]]",
                    "index ix on a(mail)",
                    "index ft on a(mail)",
                ],
            ),
            ("CREATE TABLE a (n int, CHECK (n IS NOT NULL))", &["create a [n integer | +check[n]]"]),
            ("CREATE TABLE a (n int, CHECK (n > 0) NOT ENFORCED)", &["create a [n integer]"]),
            ("CREATE TABLE a LIKE b", &["create a [?]"]),
            ("CREATE TABLE a (LIKE b)", &["create a [?]"]),
            ("CREATE TABLE a AS SELECT * FROM b", &["create a [?]", "copy a() <- b(*)"]),
            ("CREATE TABLE a (id int) ENGINE=InnoDB SELECT 1 AS x", &["create a [?]"]),
            ("CREATE TEMPORARY TABLE a (id int)", &["create temp a [id integer]"]),
            ("CREATE OR REPLACE TABLE a (id int)", &["drop-table a ?", "create a [id integer]"]),
            (
                "CREATE TABLE a (i int INVISIBLE, p int, PERIOD FOR SYSTEM_TIME (x, y)) WITH SYSTEM VERSIONING",
                &["create a [i integer | p integer]"],
            ),
            (
                "CREATE TABLE a (`key` int, `index` int NOT NULL)",
                &["create a [key integer | index integer not-null]"],
            ),
            ("CREATE TABLE a (t int, UNIQUE INDEX (t))", &["create a [t integer | +t unique(t)]"]),
            (
                "CREATE TABLE a (id int FROBNICATE)",
                &["UNREAD Syntax { words: \"an attribute of a column was expected, `FROBNICATE` is there\" }"],
            ),
        ],
    );
}

#[test]
fn what_fills_a_column_that_is_added() {
    assert_read(
        steps,
        &[
            ("ALTER TABLE a ADD b int NOT NULL", &["add a.b integer not-null"]),
            ("ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT NULL", &["add a.b integer not-null"]),
            ("ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT (NULL)", &["add a.b integer not-null"]),
            (
                "ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT -1 COMMENT 'DEFAULT'",
                &["add a.b integer not-null =-1"],
            ),
            (
                "ALTER TABLE a ADD COLUMN b json NOT NULL DEFAULT (JSON_ARRAY())",
                &["add a.b json not-null =(JSON_ARRAY())"],
            ),
            (
                "ALTER TABLE a ADD COLUMN b varchar(9) NOT NULL COMMENT 'DEFAULT 1'",
                &["add a.b varchar(9) not-null"],
            ),
            ("ALTER TABLE a ADD COLUMN b timestamp NOT NULL", &["add a.b timestamp not-null filled?"]),
            (
                "ALTER TABLE a ADD b enum('x') NOT NULL, MODIFY c enum('x') NOT NULL, ADD d set('x') NOT NULL",
                &[
                    "add a.b enum(x) not-null implicit",
                    "alter a.c: restated(c enum(x) not-null implicit)",
                    "add a.d set(x) not-null",
                ],
            ),
            ("ALTER TABLE a ADD COLUMN b timestamp", &["add a.b timestamp"]),
            ("ALTER TABLE a ADD COLUMN b datetime NOT NULL", &["add a.b datetime not-null"]),
            ("ALTER TABLE a MODIFY b timestamp NOT NULL", &["alter a.b: restated(b timestamp not-null)"]),
            ("ALTER TABLE a ADD b int AUTO_INCREMENT UNIQUE", &["add a.b integer not-null counted +b unique(b)"]),
            (
                "ALTER TABLE a ADD b int NOT NULL /* DEFAULT 1 */ AFTER c",
                &["add a.b integer not-null", "alter a.b: after c"],
            ),
            (
                "ALTER TABLE a ADD b int NOT NULL -- DEFAULT 1\n FIRST",
                &["add a.b integer not-null", "alter a.b: first"],
            ),
            ("ALTER TABLE a ADD b int NOT NULL /*!50100 DEFAULT 1 */", &["add a.b integer not-null =1"]),
        ],
    );
}

#[test]
fn every_action_of_an_alter_is_a_step() {
    assert_read(
        steps,
        &[
            (
                "ALTER TABLE s.a ADD COLUMN (b int, c text NOT NULL), DROP d, DROP COLUMN `e`, ADD INDEX i (b), ADD UNIQUE KEY u (c(9)), ALGORITHM=INPLACE, LOCK=NONE",
                &[
                    "add s.a.b integer",
                    "add s.a.c text not-null",
                    "drop s.a.d",
                    "drop s.a.e",
                    "index i on s.a(b)",
                    "add s.a +u unique(c) All",
                    "neutral ALGORITHM",
                    "neutral LOCK",
                ],
            ),
            ("ALTER TABLE a CHANGE b b bigint NOT NULL", &["alter a.b: restated(b bigint not-null)"]),
            ("ALTER TABLE a CHANGE b B bigint", &["alter a.B: restated(b bigint)"]),
            (
                "ALTER TABLE a CHANGE COLUMN `b` `c` int DEFAULT 0",
                &["rename a.b -> c", "alter a.c: restated(c integer =0)"],
            ),
            (
                "ALTER TABLE a MODIFY b varchar(99) FIRST, MODIFY COLUMN c int UNIQUE",
                &[
                    "alter a.b: restated(b varchar(99))",
                    "alter a.b: first",
                    "alter a.c: restated(c integer)",
                    "add a +c unique(c) All",
                ],
            ),
            (
                "ALTER TABLE a ALTER b SET DEFAULT 'x', ALTER COLUMN c DROP DEFAULT",
                &["alter a.b: ='x'", "alter a.c: nothing"],
            ),
            (
                "ALTER TABLE a RENAME COLUMN b TO c, RENAME INDEX i TO j",
                &["rename a.b -> c", "rename-index i -> j on a"],
            ),
            ("ALTER TABLE a RENAME b, ADD c int", &["add a.c integer", "rename a -> b"]),
            ("ALTER TABLE a RENAME TO b", &["rename a -> b"]),
            ("ALTER TABLE a RENAME AS s.b", &["rename a -> s.b"]),
        ],
    );
}

#[test]
fn actions_on_keys_options_and_partitions() {
    assert_read(
        steps,
        &[
            (
                "ALTER TABLE a DROP PRIMARY KEY, ADD PRIMARY KEY (x, y), DROP FOREIGN KEY f, DROP KEY k, DROP CONSTRAINT c, DROP CHECK d, DROP INDEX `PRIMARY`",
                &[
                    "drop a -- primary-key",
                    "add a +pk(x,y) All",
                    "drop a -f foreign-key",
                    "drop-index k on a",
                    "drop a -c ?",
                    "drop a -d check",
                    "drop a -- primary-key",
                ],
            ),
            (
                "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES c (id) ON DELETE SET NULL ON UPDATE NO ACTION, ADD CONSTRAINT CHECK (b > 0), ADD CONSTRAINT u UNIQUE (b)",
                &["add a +f fk(b)->c(id) cascades All", "add a +check[] All", "add a +u unique(b) All"],
            ),
            ("ALTER TABLE a ADD UNIQUE (lower(b))", &["add a +lower(b) unique(lower(b)) All"]),
            (
                "ALTER TABLE a ADD COLUMN IF NOT EXISTS b int, DROP COLUMN IF EXISTS c",
                &["add a.b integer ?", "drop a.c ?"],
            ),
            ("ALTER TABLE IF EXISTS a DROP b", &["drop a.b ?"]),
            (
                "ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ENGINE=InnoDB",
                &["neutral CONVERT TO", "neutral ENGINE"],
            ),
            (
                "ALTER TABLE a CONVERT TO CHARACTER SET latin1",
                &["review text is converted to another character set"],
            ),
            ("ALTER TABLE a DROP PARTITION p0, p1", &["review a partition is dropped with its rows"]),
            ("ALTER TABLE a TRUNCATE PARTITION p0", &["review a partition is emptied"]),
            ("ALTER TABLE a ADD PARTITION (PARTITION p VALUES LESS THAN (9))", &["neutral ALTER TABLE"]),
            ("ALTER TABLE a ORDER BY b, c", &["neutral ALTER TABLE"]),
            ("ALTER TABLE a FROB b, DROP c", &["UNREAD UnknownStatement { head: \"FROB b\" }", "drop a.c"]),
            ("ALTER ONLINE TABLE a DROP b", &["drop a.b"]),
        ],
    );
}

#[test]
fn other_statements_of_tables() {
    assert_read(
        steps,
        &[
            ("RENAME TABLE a TO b, c TO a", &["rename a -> b", "rename c -> a"]),
            ("DROP TABLE IF EXISTS a, s.b CASCADE", &["drop-table a ?", "drop-table s.b ?"]),
            ("DROP TEMPORARY TABLE a", &["neutral DROP TEMPORARY"]),
            ("CREATE UNIQUE INDEX u ON a (b, c) USING BTREE", &["add a +u unique(b,c) All"]),
            ("CREATE INDEX i USING HASH ON a (b DESC)", &["index i on a(b)"]),
            ("DROP INDEX i ON a", &["drop-index i on a"]),
            ("DROP INDEX i ON a ALGORITHM=INPLACE LOCK=NONE", &["drop-index i on a"]),
            ("TRUNCATE a; TRUNCATE TABLE b", &["Truncate a all", "Truncate b all"]),
            (
                "DELETE FROM a; DELETE FROM a WHERE x; DELETE b FROM a AS b JOIN c",
                &["Delete a all", "Delete a", "Delete a"],
            ),
            ("UPDATE a SET b = 1; UPDATE a SET b = 1 WHERE c", &["Update a all", "Update a"]),
            (
                "INSERT IGNORE INTO a VALUES (1); REPLACE INTO a VALUES (1); LOAD DATA INFILE 'x' INTO TABLE a",
                &["Insert a", "Insert a", "Insert a"],
            ),
        ],
    );
}

#[test]
fn views_routines_and_the_rest() {
    assert_read(
        steps,
        &[
            (
                "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`r`@`%` SQL SECURITY INVOKER VIEW v AS SELECT a.b, c AS d, count(*) n FROM t a",
                &["view v(b,d,n) replace"],
            ),
            ("CREATE VIEW v (x, y) AS SELECT a, b FROM t WHERE a > 0", &["view v(x,y) over t"]),
            ("CREATE VIEW v AS SELECT * FROM t", &["view v(?) over t"]),
            ("CREATE VIEW v AS SELECT a FROM t GROUP BY a", &["view v(a)"]),
            ("CREATE VIEW v AS SELECT a FROM t, u", &["view v(a)"]),
            ("ALTER VIEW v AS SELECT a FROM t", &["view v(a) over t replace"]),
            ("DROP VIEW IF EXISTS v, w", &["drop View v ?", "drop View w ?"]),
            (
                "CREATE DEFINER='r'@'h' FUNCTION f(a INT, b VARCHAR(9)) RETURNS DECIMAL(4,1) DETERMINISTIC RETURN a",
                &["Function f(a integer, b varchar(9)) -> numeric(4,1)"],
            ),
            (
                "CREATE PROCEDURE p(IN a INT, OUT b INT, INOUT c TEXT) SELECT 1",
                &["Procedure p(a integer, b out integer, c out text)"],
            ),
            ("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1", &["create Trigger g on t"]),
            (
                "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t",
                &["create Other e", "review an event is made, which runs by itself"],
            ),
            ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO INSERT INTO t VALUES (1)", &["create Other e"]),
            (
                "DROP PROCEDURE p; DROP FUNCTION IF EXISTS f; DROP TRIGGER g; DROP EVENT e",
                &["drop Procedure p", "drop Function f ?", "drop Trigger g", "drop Other e"],
            ),
            ("DROP DATABASE d; CREATE SEQUENCE s", &["drop Database d", "create Sequence s"]),
            (
                "GRANT ALL ON a TO b; REVOKE ALL ON a FROM b",
                &["neutral GRANT", "Restrict { restriction: Revoke, table: None }"],
            ),
            (
                "SET NAMES utf8; START TRANSACTION; COMMIT; LOCK TABLES a WRITE; UNLOCK TABLES; USE d",
                &[
                    "neutral SET",
                    "neutral START",
                    "neutral COMMIT",
                    "neutral LOCK",
                    "neutral UNLOCK",
                    "neutral USE",
                ],
            ),
            ("USE d\nDROP TABLE a", &["UNREAD UnknownStatement { head: \"USE d DROP TABLE\" }"]),
            ("CALL p(1)", &["UNREAD Code { what: \"CALL p(1)\" }"]),
            ("FROBNICATE a", &["UNREAD UnknownStatement { head: \"FROBNICATE a\" }"]),
            ("ALTER FROB a", &["UNREAD UnknownStatement { head: \"ALTER FROB a\" }"]),
        ],
    );
}

#[test]
fn bodies_are_not_read_as_statements() {
    let text = "DELIMITER //\nCREATE PROCEDURE p()\nBEGIN\n  DROP TABLE a;\n  IF x THEN DROP TABLE b; END IF;\nEND//\nDELIMITER ;\nDROP TABLE c;\n";
    assert_eq!(shown(&steps(text)), ["2: Procedure p()", "8: drop-table c"]);
    let bare = "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW BEGIN\n  IF a THEN DELETE FROM b; END IF;\n  SET x = CASE WHEN 1 THEN 2 END;\nEND;\nDROP TABLE c;";
    assert_eq!(shown(&steps(bare)), ["1: create Trigger g on t", "5: drop-table c"]);
    let open = "CREATE PROCEDURE p() BEGIN DELETE FROM b;\nDROP TABLE c;";
    assert_eq!(shown(&steps(open)).len(), 1);
    assert!(shown(&steps(open))[0].contains("never ends"));
}

#[test]
fn a_procedure_called_in_its_file_is_read_there() {
    let text = "CREATE PROCEDURE up()\nBEGIN\n  IF NOT EXISTS (SELECT 1 FROM information_schema.columns) THEN\n    ALTER TABLE a ADD b int;\n  ELSE\n    ALTER TABLE a DROP c;\n  END IF;\nEND;\nCALL up();\nDROP PROCEDURE up;";
    assert_eq!(
        shown(&steps(text)),
        ["1: Procedure up()", "4: add a.b integer ~", "6: drop a.c ~", "10: drop Procedure up"]
    );
    assert_read(
        steps,
        &[(
            "CREATE PROCEDURE up(a int) BEGIN DROP TABLE x; END; CALL up(1)",
            &["Procedure up(a integer)", "UNREAD Code { what: \"CALL up(1)\" }"],
        )],
    );
}

#[test]
fn literal_sql_in_variables_is_read_and_computed_sql_is_not() {
    let idiom = "SET @s = (SELECT IF((SELECT COUNT(*) FROM information_schema.columns) > 0,\n 'SELECT 1',\n 'ALTER TABLE a DROP b'));\nPREPARE st FROM @s;\nEXECUTE st;\nDEALLOCATE PREPARE st;";
    assert_eq!(
        shown(&steps(idiom)),
        ["1: neutral SET", "4: neutral PREPARE", "2: neutral SELECT ~", "3: drop a.b ~", "6: neutral DEALLOCATE"]
    );
    assert_read(
        steps,
        &[
            (
                "SET @t = 'a'; SET @s = CONCAT('DROP TABLE ', @t); PREPARE p FROM @s; EXECUTE p",
                &["neutral SET", "neutral SET", "neutral PREPARE", "drop-table a"],
            ),
            (
                "SET @s = CONCAT('DROP TABLE ', name()); PREPARE p FROM @s; EXECUTE p",
                &["neutral SET", "neutral PREPARE", "UNREAD Dynamic"],
            ),
            (
                "SELECT 'DROP TABLE a' INTO @s; PREPARE p FROM @s; EXECUTE p",
                &["neutral SELECT", "neutral PREPARE", "drop-table a"],
            ),
            (
                "SELECT x INTO @s FROM y; PREPARE p FROM @s; EXECUTE p",
                &["neutral SELECT", "neutral PREPARE", "UNREAD Dynamic"],
            ),
            (
                "SET @s = 'SELECT 1'; SELECT @s := f(); PREPARE p FROM @s; EXECUTE p",
                &["neutral SET", "neutral SELECT", "neutral PREPARE", "UNREAD Dynamic"],
            ),
            ("EXECUTE IMMEDIATE 'DROP TABLE a'", &["drop-table a"]),
            ("EXECUTE nobody", &["UNREAD Dynamic"]),
        ],
    );
}

#[test]
fn comments_strings_and_placeholders() {
    assert_read(
        steps,
        &[
            ("# DROP TABLE a\n-- DROP TABLE b\n/* DROP TABLE c; */ DROP TABLE d", &["drop-table d"]),
            ("/*!40101 SET NAMES utf8 */; /*M!100100 DROP TABLE a */;", &["neutral SET", "drop-table a"]),
            ("/*!999999\\- enable the sandbox mode */ DROP TABLE a", &["drop-table a"]),
            ("INSERT INTO a VALUES ('it\\'s; DROP TABLE b'); DROP TABLE c", &["Insert a", "drop-table c"]),
            ("INSERT INTO a VALUES (\"; DROP TABLE b\", 'x''; y'); DROP TABLE c", &["Insert a", "drop-table c"]),
            ("ALTER TABLE ${prefix}a DROP {{.col}}", &["drop ${prefix}a.{{.col}}"]),
            ("\u{feff}DROP TABLE a", &["drop-table a"]),
            ("DROP TABLE \"a\"", &["drop-table a"]),
            (
                "ALTER TABLE a DROP b /* never closed",
                &["UNREAD Syntax { words: \"a block, a string or a comment never ends\" }"],
            ),
            ("/* only */ -- comments\n;;", &[]),
        ],
    );
}
