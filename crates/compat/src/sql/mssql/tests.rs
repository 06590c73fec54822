use super::super::common::shown::{assert_read, shown};
use super::read;
use crate::migration::Limits;

fn steps(text: &str) -> Vec<crate::operation::Step> {
    read(text, Limits::default())
}

#[test]
fn tables() {
    assert_read(
        steps,
        &[
            (
                "CREATE TABLE [dbo].[A] ([Id] INT IDENTITY (1, 1) NOT NULL, [N] NVARCHAR (MAX) NULL, V rowversion, C AS ([Id] * 2) PERSISTED, D DATETIME2 CONSTRAINT DF_A_D DEFAULT (getutcdate()) NOT NULL, CONSTRAINT PK_A PRIMARY KEY CLUSTERED ([Id] ASC) WITH (FILLFACTOR = 80) ON [PRIMARY], INDEX IX (N)) ON [PRIMARY]",
                &[
                    "create A [id integer not-null counted! | n nvarchar(max) | v rowversion implicit | c computed | d datetime2 not-null =(getutcdate()) | +pk_a pk(id)]",
                    "index IX on A(n)",
                ],
            ),
            (
                "CREATE TABLE #t (a int)\nCREATE TABLE s.u (b int UNIQUE)",
                &["create temp #t [a integer]", "create s.u [b integer +unique(b) one-null]"],
            ),
            ("SELECT a INTO b FROM c", &["create b [?]"]),
            (
                "ALTER TABLE t ADD a INT NULL, b BIT NOT NULL CONSTRAINT DF_t_b DEFAULT 0 WITH VALUES",
                &["add t.a integer", "add t.b bit not-null =0"],
            ),
            ("ALTER TABLE t ADD CONSTRAINT DF_t_a DEFAULT ((1)) FOR a", &["alter t.a: =((1))"]),
            (
                "ALTER TABLE t WITH NOCHECK ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES dbo.u (b) ON DELETE CASCADE",
                &["add t +f fk(a)->u(b) cascades NewRows"],
            ),
            (
                "ALTER TABLE t WITH CHECK ADD CHECK (a > 0) ALTER TABLE t CHECK CONSTRAINT c",
                &[
                    "add t +check[] All",
                    "ValidateConstraint { table: Name { schema: None, name: Ident { key: \"t\", written: \"t\" } }, constraint: Ident { key: \"c\", written: \"c\" } }",
                ],
            ),
            (
                "ALTER TABLE t ALTER COLUMN a NVARCHAR(50) NOT NULL\nALTER TABLE t ALTER COLUMN b INT",
                &["alter t.a: restated-type(nvarchar(50) not-null)", "alter t.b: restated-type(integer)"],
            ),
            ("ALTER TABLE t DROP COLUMN a, b", &["drop t.a", "drop t.b"]),
            ("ALTER TABLE t DROP COLUMN IF EXISTS a, CONSTRAINT c", &["drop t.a ?", "drop t -c ?"]),
            ("ALTER TABLE t DROP CONSTRAINT DF_t_a", &["alter t.a: nothing"]),
            ("ALTER TABLE t DROP CONSTRAINT DF__t__a__123, x", &["drop t -df__t__a__123 default", "drop t -x ?"]),
            (
                "CREATE UNIQUE NONCLUSTERED INDEX u ON t (a) INCLUDE (b) WHERE a IS NOT NULL",
                &["add t +u unique(a) partial one-null All"],
            ),
            (
                "DROP INDEX i ON dbo.t; DROP INDEX t.j; DROP INDEX IF EXISTS k ON u, l ON v",
                &["drop-index i on t", "drop-index j on t", "drop-index k on u ?", "drop-index l on v ?"],
            ),
        ],
    );
}

#[test]
fn statements_need_no_semicolons() {
    let text = "SET ANSI_NULLS ON\nDECLARE @a INT = 1\nUPDATE t SET a = 1 WHERE b = 2\nINSERT INTO t (a) SELECT b FROM u\nDELETE FROM t\nDROP TABLE a\nALTER TABLE t DROP COLUMN c\nALTER TABLE t ADD d INT NULL CONSTRAINT f FOREIGN KEY REFERENCES u (a) ON DELETE SET NULL\nPRINT 'DROP TABLE x'\nGO 5\nDROP VIEW v\ngo -- end\nDROP TABLE z";
    assert_eq!(
        shown(&steps(text)),
        [
            "1: neutral SET",
            "2: neutral DECLARE",
            "3: Update t",
            "4: copy t(a) <- u(b)",
            "5: Delete t all",
            "6: drop-table a",
            "7: drop t.c",
            "8: add t.d integer +f fk(d)->u(a) cascades",
            "9: neutral PRINT",
            "11: drop View v",
            "13: drop-table z",
        ]
    );
}

#[test]
fn conditions_and_blocks() {
    assert_read(
        steps,
        &[
            (
                "IF COL_LENGTH('dbo.t', 'a') IS NULL\nBEGIN\n ALTER TABLE t ADD a INT\nEND\nELSE DROP TABLE u",
                &["add t.a integer ?", "drop-table u ~"],
            ),
            (
                "IF EXISTS (SELECT * FROM sys.tables WHERE name = 'a') DROP TABLE a DROP TABLE b",
                &["drop-table a ?", "drop-table b"],
            ),
            ("IF @x = 1 DROP TABLE a", &["drop-table a ~"]),
            (
                "IF OBJECT_ID('a') IS NOT NULL BEGIN IF 1 = 1 BEGIN DROP TABLE a; END; DROP TABLE b END DROP TABLE c",
                &["drop-table a ? ~", "drop-table b ?", "drop-table c"],
            ),
            (
                "BEGIN TRY BEGIN TRAN; DROP TABLE a; COMMIT TRAN; END TRY BEGIN CATCH IF @@TRANCOUNT > 0 BEGIN ROLLBACK TRAN; END; THROW END CATCH",
                &["neutral BEGIN TRAN", "drop-table a", "neutral COMMIT", "neutral ROLLBACK ~", "neutral THROW ~"],
            ),
            ("WHILE @a < 3 BEGIN DELETE TOP (10) FROM t END", &["Delete t ~"]),
            (
                "IF NOT EXISTS(SELECT * FROM [__EFMigrationsHistory] WHERE [MigrationId] = N'1')\nBEGIN\n ALTER TABLE [t] ADD [a] int NULL;\nEND;\nGO",
                &["add t.a integer ?"],
            ),
            (
                ":setvar x y\n:on error exit\nDROP TABLE a;\n:r other.sql",
                &["drop-table a", "UNREAD UnknownStatement { head: \": r other .\" }"],
            ),
            (";\nGO\n; ;\nGO", &[]),
            ("BEGIN DROP TABLE a", &["drop-table a", "UNREAD Syntax { words: \"a block never ends\" }"]),
            ("DROP TABLE IF EXISTS a IF EXISTS (SELECT 1) DROP TABLE b", &["drop-table a ?", "drop-table b ~"]),
        ],
    );
}

#[test]
fn routines_take_their_batch() {
    assert_read(
        steps,
        &[
            (
                "CREATE OR ALTER PROCEDURE [dbo].[p] @a INT, @b NVARCHAR(50) = NULL, @c BIT OUTPUT AS BEGIN DROP TABLE t END\nGO\nDROP TABLE u",
                &["Procedure p(@a integer, @b nvarchar(50)?, @c out bit) replace", "drop-table u"],
            ),
            ("ALTER PROC p AS SELECT 1", &["Procedure p() replace"]),
            (
                "CREATE FUNCTION f (@a INT) RETURNS INT AS BEGIN RETURN 1 END",
                &["Function f(@a integer) -> integer"],
            ),
            ("CREATE TRIGGER g ON t AFTER INSERT, UPDATE AS DELETE FROM u", &["create Trigger g on t"]),
            ("CREATE VIEW v WITH SCHEMABINDING AS SELECT a, X = b, c AS [D] FROM dbo.t", &["view v(a,x,d)"]),
        ],
    );
}

#[test]
fn exec() {
    assert_read(
        steps,
        &[
            ("EXEC sp_rename 'dbo.t.a', 'b', 'COLUMN'", &["rename t.a -> b"]),
            ("EXECUTE sys.sp_rename @objname = N'[dbo].[t]', @newname = N'u'", &["rename t -> u"]),
            (
                "EXEC sp_rename 's.t', 'u', 'OBJECT'; EXEC sp_rename 't.IX_a', 'IX_b', 'INDEX'",
                &["rename s.t -> s.u", "rename-index IX_a -> IX_b on t"],
            ),
            ("EXEC sp_rename @t, 'u'", &["UNREAD Dynamic"]),
            ("EXEC('DROP TABLE a'); EXEC (N'DROP ' + 'TABLE b')", &["drop-table a", "drop-table b"]),
            ("EXEC sp_executesql N'ALTER TABLE t DROP COLUMN a'", &["drop t.a"]),
            (
                "DECLARE @s NVARCHAR(MAX) = N'DROP TABLE a'; EXEC sp_executesql @s",
                &["neutral DECLARE", "drop-table a"],
            ),
            (
                "DECLARE @s NVARCHAR(MAX); SELECT @s = x FROM y; EXEC (@s)",
                &["neutral DECLARE", "neutral SELECT", "UNREAD Dynamic"],
            ),
            ("EXEC('DROP TABLE ' + @t)", &["UNREAD Dynamic"]),
            (
                "DECLARE @v sysname; SELECT @v = d.name FROM sys.default_constraints d; IF @v IS NOT NULL EXEC(N'ALTER TABLE [t] DROP CONSTRAINT [' + @v + '];'); ALTER TABLE t DROP COLUMN a",
                &["neutral DECLARE", "neutral SELECT", "drop t -${@v} default ~", "drop t.a"],
            ),
            ("EXEC dbo.DoIt 1", &["UNREAD Code { what: \"EXEC dbo.DoIt 1\" }"]),
            ("EXEC sys.sp_addextendedproperty @name = 'x'", &["neutral EXEC SYS"]),
            ("ALTER SCHEMA s TRANSFER dbo.t", &["rename t -> s.t"]),
            (
                "CREATE SYNONYM x FOR t; CREATE TYPE y FROM int NOT NULL; DROP SYNONYM x",
                &[
                    "create Synonym x",
                    "CreateType { name: Name { schema: None, name: Ident { key: \"y\", written: \"y\" } }, body: Domain { over: Type { base: \"integer\", arguments: [], values: [], unsigned: false, array: false, collation: None }, not_null: true, checks: [] } }",
                    "drop Synonym x",
                ],
            ),
            (
                "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 1 WHEN NOT MATCHED THEN INSERT (a) VALUES (1); TRUNCATE TABLE t",
                &["Update t", "Truncate t all"],
            ),
            ("FROB x", &["UNREAD UnknownStatement { head: \"FROB x\" }"]),
            ("ALTER TABLE [$(Schema)].[t] DROP COLUMN a", &["drop $(Schema).t.a"]),
        ],
    );
}
