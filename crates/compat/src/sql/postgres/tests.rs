//! Texts and what they do.

#![allow(clippy::too_many_lines, reason = "tables are as long as they are")]

use std::fmt::Write as _;

use proptest::prelude::*;

use super::read;
use crate::migration::Limits;
use crate::operation::{
    Checked, Column, ColumnChange, Constraint, ConstraintKind, Filled, Ident, Maybe, Operation, Step, Type,
    TypeBody,
};

/// What a text does, a line each, in few words.
fn told(text: &str) -> String {
    let mut told = String::new();
    for step in read(text, Limits::default()) {
        let guarded = if step.guarded { "?" } else { "" };
        let conditional = if step.conditional { "~" } else { "" };
        let _ = writeln!(told, "{}{guarded}{conditional} {}", step.line, operation(&step.operation));
    }
    told
}

fn idents(idents: &[Ident]) -> String {
    idents.iter().map(|ident| ident.key.clone()).collect::<Vec<_>>().join(" ")
}

fn ty(ty: &Type) -> String {
    let arguments = if ty.arguments.is_empty() { String::new() } else { format!("({})", ty.arguments.join(",")) };
    format!("{}{arguments}{}", ty.base, if ty.array { "[]" } else { "" })
}

fn filled(filled: &Filled) -> String {
    match filled {
        Filled::Nothing => String::new(),
        Filled::Default(default) => format!(" ={default}"),
        Filled::Counted { always } => format!(" counted{}", if *always { "!" } else { "" }),
        Filled::Computed(from) => format!(" computed {from}"),
        Filled::Implicit => " implicit".to_owned(),
    }
}

fn column(column: &Column) -> String {
    let mut told = column.name.key.clone();
    match &column.ty {
        Maybe::Known(known) => told.push_str(&format!(" {}", ty(known))),
        Maybe::Unknown => told.push_str(" ?"),
    }
    if column.not_null == Maybe::Known(true) {
        told.push('!');
    }
    if let Maybe::Known(known) = &column.filled {
        told.push_str(&filled(known));
    }
    for it in &column.constraints {
        told.push_str(&format!(" {}", constraint(it)));
    }
    told
}

fn constraint(constraint: &Constraint) -> String {
    let name = constraint.name.as_ref().map_or(String::new(), |name| format!("{name}:"));
    let kind = match &constraint.kind {
        ConstraintKind::PrimaryKey(columns) => format!("primary({})", idents(columns)),
        ConstraintKind::Unique { columns, partial, nulls_equal } => {
            let partial = if partial.is_some() { " some" } else { "" };
            format!("unique({}){partial}{}", idents(columns), if *nulls_equal { " nulls" } else { "" })
        }
        ConstraintKind::ForeignKey { columns, table, to, cascades } => {
            format!(
                "foreign({})->{table}({}){}",
                idents(columns),
                idents(to),
                if *cascades { " cascades" } else { "" }
            )
        }
        ConstraintKind::Check { expression, not_null } => format!("check({expression})[{}]", idents(not_null)),
        ConstraintKind::Exclude => "exclude".to_owned(),
    };
    format!("{name}{kind}")
}

fn operation(operation: &Operation) -> String {
    match operation {
        Operation::CreateTable { table, columns, constraints, temporary } => {
            let columns = match columns {
                Maybe::Known(columns) => columns.iter().map(column).collect::<Vec<_>>().join(", "),
                Maybe::Unknown => "?".to_owned(),
            };
            let constraints: String = constraints.iter().map(|it| format!("; {}", constraint(it))).collect();
            format!("create {}{table}: {columns}{constraints}", if *temporary { "temporary " } else { "" })
        }
        Operation::DropTable { table, cascade } => {
            format!("drop {table}{}", if *cascade { " cascade" } else { "" })
        }
        Operation::AddColumn { table, column: added } => format!("add {table}.{}", column(added)),
        Operation::DropColumn { table, column, cascade } => {
            format!("drop {table}.{column}{}", if *cascade { " cascade" } else { "" })
        }
        Operation::RenameColumn { table, from, to } => format!("rename {table}.{} {}", from.key, to.key),
        Operation::RenameIndex { table, from, to } => {
            format!(
                "reindex {} {} {}",
                table.as_ref().map_or("-".to_owned(), ToString::to_string),
                from.key,
                to.key
            )
        }
        Operation::Rename { kind, from, to } => format!("rename {kind:?} {from} {to}"),
        Operation::AlterColumn { table, column, changes } => {
            let changes: Vec<String> = changes.iter().map(change).collect();
            format!("alter {table}.{}: {}", column.key, changes.join(", "))
        }
        Operation::AddConstraint { table, constraint: added, checked } => {
            let checked = if *checked == Checked::All { String::new() } else { format!(" {checked:?}") };
            format!("constrain {table} {}{checked}", constraint(added))
        }
        Operation::DropConstraint { table, constraint, .. } => {
            format!("free {table} {}", constraint.as_ref().map_or("?", |name| name.key.as_str()))
        }
        Operation::CreateView { view, columns, replace, materialized, simple_over } => {
            let columns = match columns {
                Maybe::Known(columns) => idents(columns),
                Maybe::Unknown => "?".to_owned(),
            };
            let over = simple_over.as_ref().map_or(String::new(), |table| format!(" over {table}"));
            let replace = if *replace { " replace" } else { "" };
            format!("view{replace}{} {view}: {columns}{over}", if *materialized { " materialized" } else { "" })
        }
        Operation::CreateRoutine { kind, routine, signature, replace } => {
            let parameters = match &signature.parameters {
                Maybe::Known(parameters) => parameters.iter().fold(String::new(), |mut all, it| {
                    let name = it.name.as_ref().map_or("_", |name| name.key.as_str());
                    let _ = write!(
                        all,
                        "{}{name} {}{}",
                        if all.is_empty() { "" } else { ", " },
                        it.ty,
                        if it.optional { "?" } else { "" }
                    );
                    all
                }),
                Maybe::Unknown => "?".to_owned(),
            };
            let returns = signature.returns.as_ref().map_or(String::new(), |returns| format!(" -> {returns}"));
            format!("{kind:?}{} {routine}({parameters}){returns}", if *replace { " replace" } else { "" })
        }
        Operation::CreateType { name, body } => match body {
            TypeBody::Enum(values) => format!("type {name}: {}", values.join("|")),
            TypeBody::Composite(columns) => {
                format!("type {name}: ({})", columns.iter().map(column).collect::<Vec<_>>().join(", "))
            }
            TypeBody::Domain { over, not_null, checks } => {
                format!("domain {name}: {}{} {}", ty(over), if *not_null { "!" } else { "" }, checks.join(" & "))
            }
            TypeBody::Other => format!("type {name}"),
        },
        Operation::CreateIndex { name, table, columns } => {
            format!(
                "index {} on {table} ({})",
                name.as_ref().map_or(String::new(), ToString::to_string),
                idents(columns)
            )
        }
        Operation::Create { kind, name, table } => {
            format!(
                "create {kind:?} {name}{}",
                table.as_ref().map_or(String::new(), |table| format!(" on {table}"))
            )
        }
        Operation::Drop { kind, name, table, cascade } => {
            let table = table.as_ref().map_or(String::new(), |table| format!(" on {table}"));
            format!("drop {kind:?} {name}{table}{}", if *cascade { " cascade" } else { "" })
        }
        Operation::Data { data, table, every_row } => {
            let table = table.as_ref().map_or(String::new(), |table| format!(" {table}"));
            format!("{data:?}{table}{}", if *every_row { " every row" } else { "" })
        }
        Operation::Restrict { restriction, table } => {
            format!("restrict {restriction:?}{}", table.as_ref().map_or(String::new(), |table| format!(" {table}")))
        }
        Operation::Neutral { what } => format!("neutral {what}"),
        Operation::Review { what, table } => {
            format!("review {what}{}", table.as_ref().map_or(String::new(), |table| format!(": {table}")))
        }
        Operation::Unread(why) => format!(
            "unread {}",
            serde_json::to_value(why)
                .map_or(String::new(), |why| why["why"].as_str().unwrap_or_default().to_owned())
        ),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

fn change(change: &ColumnChange) -> String {
    match change {
        ColumnChange::Type(to) => format!("type {}", ty(to)),
        ColumnChange::Filled(Filled::Nothing) => "no default".to_owned(),
        ColumnChange::Filled(to) => filled(to).trim_start().to_owned(),
        other => format!("{other:?}"),
    }
}

/// Each text, and what it does.
fn table(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(told(text).trim_end(), *expected, "of: {text}");
    }
}

#[test]
fn tables_are_read_with_their_columns() {
    table(&[
        ("CREATE TABLE a (b int);", "1 create a: b integer"),
        ("create table if not exists public.\"A b\" (\"C\" text not null)", "1? create A b: C text!"),
        ("CREATE TEMP TABLE t (a int)", "1 create temporary t: a integer"),
        ("CREATE UNLOGGED TABLE s.t (a int)", "1 create s.t: a integer"),
        (
            "CREATE TABLE t (a serial, b bigserial primary key, c smallserial, d int generated always as identity, e int8 generated by default as identity)",
            "1 create t: a integer! counted, b bigint! counted primary(b), c smallint! counted, d integer! counted!, e bigint! counted",
        ),
        (
            "CREATE TABLE t (a int default null, b text default 'x;y' not null, c int default (1 + 2) check (c > 0), d text generated always as (lower(b)) stored)",
            "1 create t: a integer, b text! ='x;y', c integer =(1 + 2) check(c > 0)[], d text computed lower(b)",
        ),
        (
            "CREATE TABLE t (a int unique, b int unique nulls not distinct, c int constraint f references p on delete set null, d int references s.p (x))",
            "1 create t: a integer unique(a), b integer unique(b) nulls, c integer f:foreign(c)->p() cascades, d integer foreign(d)->s.p(x)",
        ),
        (
            "CREATE TABLE t (a int, b int, c int, PRIMARY KEY (a, b), UNIQUE (c), CONSTRAINT n CHECK (a IS NOT NULL AND (b) IS NOT NULL), FOREIGN KEY (c) REFERENCES p (q) ON UPDATE CASCADE, EXCLUDE USING gist (c WITH &&))",
            "1 create t: a integer!, b integer!, c integer; primary(a b); unique(c); n:check(a IS NOT NULL AND (b) IS NOT NULL)[a b]; foreign(c)->p(q) cascades; exclude",
        ),
        ("CREATE TABLE t (a int CHECK (a IS NOT NULL OR b))", "1 create t: a integer check(a IS NOT NULL OR b)[]"),
        ("CREATE TABLE t (LIKE u INCLUDING ALL)", "1 create t: ?"),
        ("CREATE TABLE t (a int) INHERITS (u)", "1 create t: ?"),
        ("CREATE TABLE t PARTITION OF u FOR VALUES IN (1)", "1 create t: ?"),
        ("CREATE TABLE t (a int) PARTITION BY RANGE (a)", "1 create t: a integer"),
        ("CREATE TABLE t AS SELECT 1", "1 create t: ?"),
        (
            "CREATE TEMP TABLE t AS WITH d AS (DELETE FROM u RETURNING *) SELECT * FROM d",
            "1 create temporary t: ?\n1 Delete u every row",
        ),
        ("SELECT * INTO t FROM u", "1 create t: ?"),
        ("CREATE FOREIGN TABLE t (a int) SERVER s", "1 create t: a integer"),
    ]);
}

#[test]
fn types_have_one_name() {
    for (written, expected) in [
        ("character varying(10)", "varchar(10)"),
        ("varchar", "varchar"),
        ("char", "char(1)"),
        ("national character varying(3)", "varchar(3)"),
        ("int4", "integer"),
        ("INT8[]", "bigint[]"),
        ("integer array", "integer[]"),
        ("decimal(8,2)", "numeric(8,2)"),
        ("numeric(8)", "numeric(8,0)"),
        ("float(20)", "real"),
        ("float", "double precision"),
        ("double precision", "double precision"),
        ("bool", "boolean"),
        ("timestamp with time zone", "timestamptz"),
        ("timestamp(3) with time zone", "timestamptz(3)"),
        ("timestamptz(6)", "timestamptz"),
        ("timestamp without time zone", "timestamp"),
        ("time with time zone", "timetz"),
        ("bit varying(4)", "varbit(4)"),
        ("interval year to month", "interval"),
        ("pg_catalog.int2", "smallint"),
        ("public.mood", "mood"),
        ("\"Mood\"", "Mood"),
        ("app.\"Mood\"[]", "app.Mood[]"),
        ("geometry(Point, 4326)", "geometry(point,4326)"),
        ("bytea", "bytea"),
    ] {
        assert_eq!(
            told(&format!("ALTER TABLE t ADD c {written};")).trim(),
            format!("1 add t.c {expected}"),
            "{written}"
        );
    }
}

#[test]
fn each_action_of_alter_table_is_a_step_on_its_own_line() {
    table(&[
        (
            "ALTER TABLE IF EXISTS ONLY public.t\n  ADD COLUMN IF NOT EXISTS a int NOT NULL,\n  DROP b,\n  DROP COLUMN IF EXISTS c CASCADE;",
            "2? add t.a integer!\n3? drop t.b\n4? drop t.c cascade",
        ),
        (
            "alter table t alter column a type varchar(5) using a::varchar, alter b set default 1, alter b drop default, alter c set not null, alter c drop not null",
            "1 alter t.a: type varchar(5)\n1 alter t.b: =1\n1 alter t.b: no default\n1 alter t.c: NotNull\n1 alter t.c: Null",
        ),
        ("ALTER TABLE t ALTER a SET DEFAULT NULL", "1 alter t.a: no default"),
        // A carriage return ends a comment there.
        ("-- hello\rALTER TABLE t DROP a;\r\n-- bye\r\n", "2 drop t.a"),
        ("ALTER TABLE t ALTER a SET DATA TYPE bigint", "1 alter t.a: type bigint"),
        (
            "ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY",
            "1 alter t.a: counted!\n1 restrict IdentityAlways t",
        ),
        ("ALTER TABLE t ALTER a ADD GENERATED BY DEFAULT AS IDENTITY (START 5)", "1 alter t.a: counted"),
        ("ALTER TABLE t ALTER a SET GENERATED ALWAYS", "1 alter t.a: counted!\n1 restrict IdentityAlways t"),
        ("ALTER TABLE t ALTER a DROP IDENTITY IF EXISTS", "1 alter t.a: StopFilling"),
        ("ALTER TABLE t ALTER a DROP EXPRESSION", "1 alter t.a: StopFilling"),
        (
            "ALTER TABLE t ALTER a SET STATISTICS 100, ALTER b SET STORAGE external",
            "1 alter t.a: Neutral(\"SET STATISTICS\")\n1 alter t.b: Neutral(\"SET STORAGE\")",
        ),
        ("ALTER TABLE t RENAME a TO b", "1 rename t.a b"),
        ("ALTER TABLE t RENAME COLUMN \"A\" TO b", "1 rename t.A b"),
        ("ALTER TABLE s.t RENAME TO u", "1 rename None s.t s.u"),
        ("ALTER TABLE t SET SCHEMA s", "1 rename None t s.t"),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b", "1 reindex t a b"),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE (a, b)", "1 constrain t c:unique(a b)"),
        ("ALTER TABLE t ADD PRIMARY KEY (a)", "1 constrain t primary(a)"),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i", "1 neutral ADD CONSTRAINT … USING INDEX"),
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID",
            "1 constrain t c:check(a IS NOT NULL)[a] NewRows",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u NOT ENFORCED",
            "1 constrain t c:foreign(a)->u() Nothing",
        ),
        ("ALTER TABLE t DROP CONSTRAINT IF EXISTS c", "1? free t c"),
        (
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            "1 restrict RowSecurity t\n1 restrict RowSecurity t",
        ),
        ("ALTER TABLE t DISABLE ROW LEVEL SECURITY", "1 neutral DISABLE ROW LEVEL SECURITY"),
        ("ALTER TABLE t ENABLE TRIGGER x", "1 restrict Trigger t"),
        ("ALTER TABLE t DISABLE TRIGGER ALL", "1 review a trigger is disabled: t"),
        (
            "ALTER TABLE t OWNER TO me, SET (fillfactor = 70), CLUSTER ON i",
            "1 neutral ALTER TABLE OWNER TO\n1 neutral ALTER TABLE SET\n1 neutral ALTER TABLE CLUSTER ON",
        ),
        ("ALTER TABLE t ATTACH PARTITION u FOR VALUES IN (1)", "1 review a partition is attached: u"),
        ("ALTER TABLE t DETACH PARTITION u CONCURRENTLY", "1 review a partition is detached: t"),
        ("ALTER TABLE t REPLICA IDENTITY NOTHING", "1 review another replica identity: t"),
        ("ALTER TABLE t NO INHERIT u", "1 review the table no longer inherits: t"),
    ]);
}

#[test]
fn indexes_views_and_routines() {
    table(&[
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t USING gin (a, lower(b))", "1? index i on t (a lower(b))"),
        ("CREATE INDEX ON t (a DESC)", "1 index  on t (a)"),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a, lower(b)) WHERE c",
            "1 constrain s.t i:unique(a lower(b)) some",
        ),
        ("CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT", "1 constrain t i:unique(a) nulls"),
        ("CREATE VIEW v AS SELECT a, t.b, c AS d, lower(e), f::text FROM t", "1 view v: a b d lower f"),
        ("CREATE OR REPLACE VIEW v AS SELECT a, b AS c FROM t", "1 view replace v: a c over t"),
        ("CREATE VIEW v AS SELECT * FROM s.t", "1 view v: ? over s.t"),
        ("CREATE VIEW v AS SELECT * FROM t WHERE a", "1 view v: ?"),
        ("CREATE VIEW v AS SELECT a FROM t JOIN u USING (a)", "1 view v: a"),
        ("CREATE VIEW v AS SELECT a FROM t, u", "1 view v: a"),
        ("CREATE VIEW v AS SELECT DISTINCT a FROM t", "1 view v: a"),
        ("CREATE VIEW v (x, y) AS SELECT 1, 2 UNION SELECT 3, 4", "1 view v: x y"),
        ("CREATE VIEW v AS SELECT a FROM t UNION ALL SELECT b FROM u", "1 view v: a"),
        ("CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT a FROM t WITH NO DATA", "1? view materialized v: a"),
        (
            "CREATE FUNCTION f(a int, INOUT b varchar(3), OUT c text, d int DEFAULT 1) AS 'drop table x' LANGUAGE sql",
            "1 Function f(a integer, b varchar, d integer?) -> table(b varchar, c text)",
        ),
        (
            "CREATE OR REPLACE FUNCTION s.f(VARIADIC text[]) RETURNS TABLE (a int4, b bool) AS $$ DROP TABLE x; $$ LANGUAGE plpgsql",
            "1 Function replace s.f(_ variadic text[]) -> table(a integer, b boolean)",
        ),
        (
            "CREATE FUNCTION f() RETURNS trigger AS $a$ begin; $$ x $$ end $a$ LANGUAGE plpgsql;\nDROP TABLE t",
            "1 Function f() -> trigger\n2 drop t",
        ),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; DELETE FROM t; END;\nDROP TABLE t",
            "1 Function f() -> integer\n2 drop t",
        ),
        (
            "CREATE PROCEDURE p(INOUT a int) LANGUAGE sql AS 'select 1'",
            "1 Procedure p(a integer) -> table(a integer)",
        ),
    ]);
}

#[test]
fn other_objects() {
    table(&[
        ("CREATE TYPE mood AS ENUM ('a', 'it''s')", "1 type mood: a|it's"),
        ("CREATE TYPE p AS (x int, y text COLLATE \"C\")", "1 type p: (x integer, y text)"),
        ("CREATE TYPE r AS RANGE (subtype = float8)", "1 type r"),
        ("CREATE DOMAIN d AS text NOT NULL CHECK (value <> '')", "1 domain d: text! value <> ''"),
        (
            "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'x' AFTER 'y'",
            "1? {\"does\":\"add-enum-value\",\"name\":{\"schema\":null,\"name\":{\"key\":\"mood\",\"written\":\"mood\"}},\"value\":\"x\"}",
        ),
        ("ALTER TYPE mood RENAME TO temper", "1 rename Some(Type) mood temper"),
        ("ALTER TYPE mood SET SCHEMA s", "1 rename Some(Type) mood s.mood"),
        ("ALTER TYPE p ADD ATTRIBUTE z int", "1 review a type gets an attribute"),
        ("ALTER DOMAIN d DROP NOT NULL", "1 review a domain allows NULL"),
        ("ALTER SEQUENCE s RESTART WITH 5", "1 review a sequence counts otherwise"),
        ("ALTER SEQUENCE s OWNED BY t.id", "1 neutral ALTER SEQUENCE OWNED BY"),
        ("ALTER VIEW v RENAME COLUMN a TO b", "1 rename v.a b"),
        ("ALTER MATERIALIZED VIEW IF EXISTS v RENAME TO w", "1? rename Some(MaterializedView) v w"),
        ("ALTER FUNCTION s.f(int, text) RENAME TO g", "1 rename Some(Function) s.f s.g"),
        ("ALTER FUNCTION f() SECURITY DEFINER", "1 review a routine's options change"),
        ("ALTER FUNCTION f() SET search_path = public", "1 neutral ALTER FUNCTION SET SEARCH_PATH"),
        ("ALTER FUNCTION f() SET search_path = ''", "1 review a routine's options change"),
        ("ALTER SCHEMA a RENAME TO b", "1 rename Some(Schema) a b"),
        ("ALTER INDEX s.i RENAME TO j", "1 reindex - i j"),
        ("ALTER POLICY p ON t USING (true)", "1 restrict Policy t"),
        ("ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT ALL ON TABLES TO r", "1 neutral ALTER DEFAULT PRIVILEGES"),
        ("ALTER ROLE r SET statement_timeout = 1", "1 review ALTER ROLE changes"),
        ("ALTER EXTENSION e UPDATE", "1 review an extension is updated or moved"),
        ("CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA x", "1? create Extension uuid-ossp"),
        ("CREATE SCHEMA IF NOT EXISTS s", "1? create Schema s"),
        (
            "CREATE SCHEMA s CREATE TABLE t (a int) CREATE VIEW v AS SELECT a FROM t;\nDROP TABLE t",
            "1 create Schema s\n1 create s.t: a integer\n1 view s.v: a over s.t\n2 drop t",
        ),
        (
            "CREATE OR REPLACE TEMP VIEW v AS SELECT 1; CREATE TEMPORARY SEQUENCE s",
            "1 neutral CREATE TEMPORARY VIEW\n1 neutral CREATE TEMPORARY SEQUENCE",
        ),
        (
            "ALTER OPERATOR + (int, int) OWNER TO x; ALTER TEXT SEARCH CONFIGURATION c OWNER TO x",
            "1 neutral ALTER OPERATOR OWNER TO\n1 neutral ALTER TEXT OWNER TO",
        ),
        ("CREATE SEQUENCE s START 1", "1 create Sequence s"),
        ("CREATE TRIGGER a BEFORE UPDATE OF b ON t FOR EACH ROW EXECUTE FUNCTION f()", "1 create Trigger a on t"),
        ("CREATE POLICY \"P q\" ON t FOR SELECT USING (true)", "1 create Policy P q on t"),
        (
            "CREATE RULE r AS ON INSERT TO t DO INSTEAD (DELETE FROM a; DELETE FROM b);\nSELECT 1",
            "1 create Policy r on t\n2 neutral SELECT",
        ),
        ("CREATE STATISTICS s ON a, b FROM t", "1 neutral CREATE STATISTICS"),
        ("CREATE AGGREGATE a (int) (sfunc = f, stype = int)", "1 create Other a"),
        ("CREATE PUBLICATION p FOR ALL TABLES", "1 review a publication is made"),
        ("DROP TABLE IF EXISTS a,\n b CASCADE", "1? drop a cascade\n2? drop b cascade"),
        (
            "DROP INDEX CONCURRENTLY IF EXISTS s.i",
            "1? {\"does\":\"drop-index\",\"name\":{\"schema\":{\"key\":\"s\",\"written\":\"s\"},\"name\":{\"key\":\"i\",\"written\":\"i\"}},\"table\":null}",
        ),
        ("DROP FUNCTION IF EXISTS f(int, text), g", "1? drop Function f\n1? drop Function g"),
        ("DROP TRIGGER IF EXISTS a ON t", "1? drop Trigger a on t"),
        ("DROP MATERIALIZED VIEW v", "1 drop MaterializedView v"),
        ("DROP TYPE a CASCADE", "1 drop Type a cascade"),
        ("DROP OWNED BY r", "1 review everything that a role owns is dropped"),
        ("DROP CAST (int AS text)", "1 drop Other (int AS text)"),
        ("DROP STATISTICS s", "1 neutral DROP STATISTICS"),
    ]);
}

#[test]
fn rows_rights_and_settings() {
    table(&[
        ("INSERT INTO a VALUES (1)", "1 Insert a"),
        ("UPDATE ONLY a SET b = 1", "1 Update a every row"),
        ("UPDATE a SET b = 1 WHERE c", "1 Update a"),
        ("UPDATE pg_attribute SET attnotnull = true", "1 review the catalogue is changed by hand"),
        ("DELETE FROM pg_catalog.pg_enum WHERE enumlabel = 'x'", "1 review the catalogue is changed by hand"),
        ("DELETE FROM a USING b WHERE a.c = b.c", "1 Delete a"),
        ("TRUNCATE a, ONLY b CASCADE", "1 Truncate a every row\n1 Truncate b every row"),
        ("WITH d AS (DELETE FROM a) INSERT INTO b SELECT 1", "1 Insert b\n1 Delete a every row"),
        ("WITH d AS (UPDATE a SET b = 1 RETURNING *) SELECT * FROM d", "1 Update a every row"),
        (
            "MERGE INTO a USING b ON a.c = b.c WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)",
            "1 Insert a\n1 Delete a",
        ),
        ("SELECT migrate_all(1)", "1 Select"),
        (
            "SELECT setval('s', (SELECT max(id) FROM t)), pg_catalog.set_config('search_path', '', false)",
            "1 neutral SELECT",
        ),
        ("SELECT create_hypertable('a', 'b')", "1 neutral SELECT"),
        ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity", "1 review it ends other sessions"),
        ("WITH q (a) AS (SELECT 1) SELECT a FROM q WHERE a IN (1)", "1 neutral WITH"),
        ("EXPLAIN ANALYZE DELETE FROM a", "1 Delete a every row"),
        ("EXPLAIN DELETE FROM a", "1 neutral EXPLAIN"),
        ("GRANT SELECT ON a TO b", "1 neutral GRANT"),
        ("REVOKE ALL ON a FROM b", "1 restrict Revoke a"),
        ("REVOKE EXECUTE ON FUNCTION f() FROM b", "1 restrict Revoke"),
        ("COMMENT ON TABLE a IS 'x'", "1 neutral COMMENT ON TABLE"),
        ("SET LOCAL lock_timeout = '5s'", "1 neutral SET LOCAL LOCK_TIMEOUT"),
        ("BEGIN; COMMIT;", "1 neutral BEGIN\n1 neutral COMMIT"),
        ("LOCK TABLE a IN ACCESS EXCLUSIVE MODE", "1 neutral LOCK"),
        ("REFRESH MATERIALIZED VIEW a", "1 neutral REFRESH MATERIALIZED VIEW"),
        ("VACUUM FULL a; ANALYZE; REINDEX TABLE a", "1 neutral VACUUM\n1 neutral ANALYZE\n1 neutral REINDEX"),
        ("CALL p(1)", "1 unread code"),
        ("PREPARE x AS SELECT 1; EXECUTE x", "1 unread dynamic\n1 unread dynamic"),
        ("IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c", "1 review tables come from a foreign schema"),
        ("COPY a (b) FROM stdin;\n1;2\ndrop table x;\n\\.\nDROP TABLE c", "1 Insert a\n5 drop c"),
        ("COPY a TO stdout", "1 neutral COPY"),
    ]);
}

#[test]
fn blocks_are_read_as_what_they_execute() {
    table(&[
        (
            "DO $$ BEGIN CREATE TYPE m AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN null; END $$;",
            "1? type m: a",
        ),
        (
            "DO $$\nBEGIN\n  ALTER TABLE t ADD a int,\n    ADD b int;\nEND\n$$;",
            "3 add t.a integer\n4 add t.b integer",
        ),
        (
            "DO $$ BEGIN\n IF NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_name = 't') THEN\n  ALTER TABLE t ADD a int;\n END IF;\nEND $$",
            "3? add t.a integer",
        ),
        (
            "DO $$ BEGIN IF (SELECT count(*) FROM users) > 5 THEN DROP TABLE t; ELSE DROP TABLE u; END IF; DROP TABLE w; END $$",
            "1~ drop t\n1~ drop u\n1 drop w",
        ),
        ("DO $$ BEGIN DROP TABLE t; EXCEPTION WHEN others THEN DROP TABLE u; END $$", "1~ drop t\n1~ drop u"),
        ("DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP DROP TABLE t; END LOOP; END $$", "1~ drop t"),
        ("DO $$ BEGIN IF a THEN RETURN; END IF; DROP TABLE t; END $$", "1~ drop t"),
        (
            "DO $$ BEGIN EXECUTE 'DROP TABLE t'; EXECUTE 'ALTER TABLE t ' || 'DROP a'; END $$",
            "1 drop t\n1 drop t.a",
        ),
        ("DO $$ BEGIN EXECUTE format('ALTER TABLE %I DROP COLUMN %2$I', 't', 'B c'); END $$", "1 drop t.B c"),
        (
            "DO $$ BEGIN EXECUTE format('DROP TABLE %I', name); EXECUTE sql; EXECUTE 'DROP TABLE ' || name; END $$",
            "1 unread dynamic\n1 unread dynamic\n1 unread dynamic",
        ),
        (
            "DO $$ BEGIN EXECUTE format('GRANT ALL ON t TO %I', role); EXECUTE 'REVOKE ALL ON t FROM ' || role; END $$",
            "1 neutral GRANT\n1 restrict Revoke t",
        ),
        (
            "DO $$ DECLARE a int := 1; b text; BEGIN a := 2; SELECT max(x) INTO b FROM t; PERFORM f(); UPDATE t SET x = 1 WHERE y RETURNING z INTO b; RAISE NOTICE 'x'; END $$",
            "1 Select\n1 Update t",
        ),
        (
            "DO $$ BEGIN CASE WHEN a THEN DROP TABLE t; ELSE NULL; END CASE; DROP TABLE u; END $$",
            "1~ drop t\n1 drop u",
        ),
        ("DO $$ BEGIN IF CASE WHEN a THEN b ELSE c END THEN DROP TABLE t; END IF; END $$", "1~ drop t"),
        (
            "DO $$ <<outer>> BEGIN BEGIN DROP TABLE t; EXCEPTION WHEN undefined_table THEN NULL; END; DROP TABLE u; END outer $$",
            "1? drop t\n1 drop u",
        ),
        ("DO 'BEGIN ALTER TABLE t ALTER a SET DEFAULT ''x''; END'", "1 alter t.a: ='x'"),
        (
            "DO $$ DECLARE t text := 'x'; u text := 'y'; BEGIN u := f(); EXECUTE format('DROP TABLE %I', t); EXECUTE 'DROP TABLE ' || u; END $$",
            "1 Select\n1 drop x\n1 unread dynamic",
        ),
        (
            "DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['x', 'y'] LOOP EXECUTE format('DROP TABLE %I', t); END LOOP; DROP TABLE z; END $$",
            "1 drop x\n1 drop y\n1 drop z",
        ),
        (
            "DO $$ DECLARE n int; BEGIN WITH b AS (UPDATE t SET a = 1 RETURNING c) SELECT count(*), max(c) INTO n, n FROM b; END $$",
            "1 Update t every row",
        ),
        ("DO $$ BEGIN FOR r IN SELECT 1 LOOP PERFORM g(); END LOOP; END $$", "1~ Select"),
        (
            "CREATE FUNCTION f(t text) RETURNS void AS $$\nBEGIN\n EXECUTE format('DROP TABLE %I', t);\nEND $$ LANGUAGE plpgsql;\nSELECT f('x');\nDROP FUNCTION f",
            "1 Function f(t text) -> void\n3 drop x\n6 drop Function f",
        ),
        (
            "CREATE FUNCTION f() RETURNS void AS 'DROP TABLE x' LANGUAGE sql; SELECT f() FROM t; SELECT g(1)",
            "1 Function f() -> void\n1~ drop x\n1 Select",
        ),
        (
            "CREATE FUNCTION f() RETURNS int AS $$ BEGIN PERFORM f(); END $$ LANGUAGE plpgsql; SELECT f()",
            "1 Function f() -> integer\n1 Select",
        ),
        (
            "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN DROP TABLE x; END $$; CALL p(); CALL q()",
            "1 Procedure p()\n1 drop x\n1 unread code",
        ),
        ("DO LANGUAGE plpgsql $$ BEGIN NULL; END $$", "1 neutral DO"),
        ("DO LANGUAGE plpython3u $$ x $$", "1 unread code"),
        ("DO $$ BEGIN DROP TABLE t; $$", "1 drop t\n1 unread syntax"),
        ("DO $a$ BEGIN EXECUTE $c$DO $b$ BEGIN DROP TABLE t; END $b$$c$; END $a$", "1 drop t"),
    ]);
}

#[test]
fn what_is_no_sql_is_masked_and_lines_stay_true() {
    table(&[
        ("\u{feff}DROP TABLE a;", "1 drop a"),
        ("\\connect x\n\\i other.sql\nDROP TABLE a;", "1 neutral \\connect\n2 unread code\n3 drop a"),
        ("SELECT 'DROP TABLE x' \\gexec\nDROP TABLE a", "1 neutral SELECT\n1 unread dynamic\n2 drop a"),
        ("/* a /* nested */ ; */ DROP TABLE a; -- ; DROP\n/* */", "1 drop a"),
        (
            "DROP TABLE {{ .Schema }}.a;\nDROP TABLE \"{{ index .O \"S\" }}\".b;\nDROP TABLE ${x}_c",
            "1 drop {{.Schema}}.a\n2 drop {{index.O\"S\"}}.b\n3 drop ${x}_c",
        ),
        ("${ddl};\n{{ template }}", "1 unread dynamic\n2 unread dynamic"),
        (
            "ALTER TABLE :\"t\" OWNER TO :owner; UPDATE t SET a = :'v' WHERE b[1:n] = $1",
            "1 neutral ALTER TABLE OWNER TO\n1 Update t",
        ),
        ("ALTER TABLE __T__ ADD a int", "1 add __T__.a integer"),
        ("DROP TABLE U&\"d!0061t\" UESCAPE '!'", "1 unread syntax"),
        (
            "SET search_path = app, public;\nCREATE TABLE a (b int REFERENCES c);\nDROP TABLE public.d;\nALTER TABLE x.y RENAME TO z;\nCREATE TRIGGER t BEFORE INSERT ON a EXECUTE FUNCTION f();\nRESET search_path;\nDROP TABLE e",
            "1 neutral SET SEARCH_PATH\n2 create app.a: b integer foreign(b)->app.c()\n3 drop d\n4 rename None x.y x.z\n5 create Trigger t on app.a\n6 neutral RESET\n7 drop e",
        ),
        ("SET LOCAL search_path TO 'public';\nDROP TABLE a", "1 neutral SET LOCAL SEARCH_PATH\n2 drop a"),
        ("DROP TABLE U&\"d\\0061t\"", "1 drop dat"),
        ("INSERT INTO a VALUES (E'it\\'s; ', $q$ ; $q$, 'b'';');\nDROP TABLE b", "1 Insert a\n2 drop b"),
    ]);
}

#[test]
fn an_error_costs_its_statement_only() {
    table(&[
        ("ALTER TABEL a;\nDROP TABLE b;", "1 unread syntax\n2 drop b"),
        ("CREATE TABLE a (b int;\nDROP TABLE c;", "1 unread syntax\n2 drop c"),
        ("DROP TABLE a\nDROP TABLE b;", "1 unread syntax"),
        ("DROP TABLE a; DROP TABLE 'b", "1 drop a\n1 unread syntax"),
        ("DROP TABLE a; /* never", "1 drop a\n1 unread syntax"),
        ("COMMENT ON WHATEVER a IS 'x';", "1 neutral COMMENT ON WHATEVER"),
        ("COMMENT ON TABLE a IS 'x'\nDROP TABLE b;", "1 unread syntax"),
        ("GRANT SOMETHING NEW ON a TO b", "1 neutral GRANT"),
        ("GRANT SELECT ON a TO b\nALTER TABLE c DROP d;", "1 unread syntax"),
        ("INSERT INTO a VALUES (1,,2)", "1 Insert a"),
        ("INSERT INTO a VALUES (1,,2)\nDROP TABLE b", "1 unread syntax"),
        ("FROBNICATE a", "1 unread syntax"),
        (";;", ""),
    ]);
}

#[test]
fn cockroach_is_read() {
    table(&[
        (
            "DROP INDEX IF EXISTS t@i CASCADE",
            "1? {\"does\":\"drop-index\",\"name\":{\"schema\":null,\"name\":{\"key\":\"i\",\"written\":\"i\"}},\"table\":{\"schema\":null,\"name\":{\"key\":\"t\",\"written\":\"t\"}}}",
        ),
        ("CREATE UNIQUE INDEX i ON t (a ASC) STORING (b)", "1 constrain t i:unique(a)"),
        ("CREATE INVERTED INDEX i ON t (a)", "1 index i on t (a)"),
        ("ALTER TABLE t ADD CONSTRAINT IF NOT EXISTS c UNIQUE (a)", "1? constrain t c:unique(a)"),
        (
            "CREATE TABLE t (a STRING NOT NULL, b INT8 NOT VISIBLE, UNIQUE INDEX i (a), INDEX j (b ASC), CONSTRAINT p PRIMARY KEY (a ASC), FAMILY f (a, b))",
            "1 create t: a text!, b bigint; unique(a); p:primary(a)",
        ),
        ("UPSERT INTO t VALUES (1)", "1 Insert t"),
        ("ALTER TABLE t SET LOCALITY GLOBAL", "1 review where rows are kept changes: t"),
        ("ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (a)", "1 review another primary key: t"),
    ]);
}

#[test]
fn what_is_over_a_limit_is_not_read() {
    let limits = Limits { statements: 2, file_bytes: 100, nesting: 10, ..Limits::default() };
    let whys = |text: &str| -> Vec<String> {
        read(text, limits).iter().map(|step: &Step| operation(&step.operation)).collect()
    };
    assert_eq!(
        whys("DROP TABLE a; DROP TABLE b; DROP TABLE c; DROP TABLE d"),
        ["drop a", "drop b", "unread limit"]
    );
    assert_eq!(whys(&"x".repeat(101)), ["unread limit"]);
    assert_eq!(whys(&format!("SELECT {}1{}", "(".repeat(20), ")".repeat(20))), ["unread limit"]);
    assert_eq!(whys(&format!("SELECT {}1", "not ".repeat(20))), ["unread limit"]);
}

/// What is long is not deep.
#[test]
fn long_texts_are_read() {
    let columns: Vec<String> =
        (0..400).map(|at| format!("c{at} int NOT NULL DEFAULT -1 CHECK (c{at} >= 0 AND NOT false)")).collect();
    let rows = vec!["(-1, NOT true, now() - interval '1 day')"; 2_000].join(", ");
    let union = vec!["SELECT 1, 'a'"; 150].join(" UNION ALL ");
    let or = vec!["a = 'x'::text"; 180].join(" OR ");
    for (text, expected) in [
        (format!("CREATE TABLE t ({})", columns.join(", ")), "create t"),
        (format!("INSERT INTO t VALUES {rows}"), "Insert t"),
        (format!("INSERT INTO t {union}"), "Insert t"),
        (format!("DELETE FROM t WHERE {or}"), "Delete t"),
        (format!("SELECT 1; {}", "DROP TABLE a; ".repeat(2_000)), "neutral SELECT"),
    ] {
        let steps = read(&text, Limits::default());
        let first = steps.first().map(|step| operation(&step.operation)).unwrap_or_default();
        assert!(first.starts_with(expected), "{first} of {}…", &text[..60]);
    }
}

/// A function with a body in SQL.
fn routine(open: &str, body: &str, close: &str) -> String {
    format!("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS {open}SELECT {body}{close}")
}

/// Texts that a parser which calls itself goes down with.
#[test]
fn deep_texts_do_not_overflow() {
    for deep in [
        format!("SELECT {}", "(".repeat(20_000)),
        format!("SELECT {}1", "NOT ".repeat(20_000)),
        format!("SELECT {}1", "- ".repeat(20_000)),
        format!("SELECT 1{}", " + 1".repeat(20_000)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(10_000)),
        format!("SELECT {}", "CASE WHEN 1 THEN ".repeat(10_000)),
        format!("SELECT a{}", "[1]".repeat(10_000)),
        format!("SELECT a{}", "::int".repeat(10_000)),
        format!("SELECT a{}", ".b".repeat(10_000)),
        format!("SELECT * FROM a{}", " JOIN b ON c".repeat(10_000)),
        format!("EXPLAIN {}", "EXPLAIN ".repeat(10_000)),
        format!("DO $$ {} $$", "BEGIN ".repeat(10_000)),
        format!("DO $$ BEGIN {} END $$", "IF a THEN ".repeat(10_000)),
        format!("DO $$ BEGIN EXECUTE {}1{}; END $$", "(".repeat(10_000), ")".repeat(10_000)),
        "/*".repeat(10_000),
        format!("CREATE TABLE t (a {})", "setof ".repeat(1_000)),
        format!("SELECT 1 WHERE a {}", "IS NOT NULL ".repeat(1_400)),
        format!("SELECT {}1{}", "(".repeat(199), ")".repeat(199)),
        format!("SELECT {}1", "NOT ".repeat(190)),
        format!("SELECT {}1{}", "(SELECT ".repeat(95), ")".repeat(95)),
        format!("SELECT {} 1 {}", "f(CASE WHEN a THEN ".repeat(90), " END)".repeat(90)),
        format!("SELECT * FROM {}a{}", "(".repeat(190), ")".repeat(190)),
        routine("$$", &"(".repeat(9_000), "$$"),
        format!("GO {}", routine("$$", &"(".repeat(9_000), "$$")),
        format!("GO {}", routine("'", &"(".repeat(9_000), "'")),
        routine("E'", &"(".repeat(9_000), "'"),
        routine("U&'", &"(".repeat(9_000), "'"),
        routine("'", &format!("{}'\n'", "(".repeat(30)).repeat(300), "'"),
    ] {
        assert!(!read(&deep, Limits::default()).is_empty());
    }
}

const WHOLE: &str = "CREATE TABLE a (b int DEFAULT 'x' NOT NULL, \"C\" text); -- comment\nALTER TABLE a DROP b, ADD CONSTRAINT c CHECK (b > 1);\nDO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_class) THEN EXECUTE format('DROP TABLE %I', 'a'); END IF; EXCEPTION WHEN others THEN NULL; END $$;\nCREATE FUNCTION f(a int) RETURNS int AS $f$ SELECT 1 $f$ LANGUAGE sql;\nCOPY a FROM stdin;\n1\n\\.\nWITH x AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM x;\nCREATE VIEW v AS SELECT a, b FROM t;";

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_too_much(text in "[ -~\\n'\"$\\\\;(){}é]{0,200}") {
        for step in read(&text, Limits::default()) {
            prop_assert!(step.line >= 1 && step.line as usize <= text.lines().count().max(1) + 1);
        }
    }

    #[test]
    fn no_mixture_of_words_is_too_much(words in prop::collection::vec(prop::sample::select(&[
        "create", "table", "alter", "drop", "do", "$$", "begin", "end", "if", "then", "else", "loop", "case", "when", "execute",
        "format(", "'%I'", "(", ")", ",", ";", "a", "b.c", "int", "not", "null", "default", "constraint", "check", "as", "select",
        "from", "where", "union", "with", "insert into", "values", "type", "enum", "function", "returns", "exception", "||", "'x'",
        "add", "column", "rename", "to", "set", "index", "on", "unique", "references", "view", "[", "]", "::", "{{x}}", "${y}", ":z",
    ][..]), 0..40)) {
        let text = words.join(" ");
        let steps = read(&text, Limits::default());
        prop_assert!(!steps.is_empty() || text.chars().all(|letter| letter == ';' || letter.is_whitespace()), "silence on {text:?}");
    }

    #[test]
    fn a_text_that_breaks_off_is_not_silent(end in 1..WHOLE.len()) {
        let Some(text) = WHOLE.get(..end) else { return Ok(()) };
        prop_assert!(!read(text, Limits::default()).is_empty(), "silence on {text:?}");
    }
}

/// `cargo test --release -p towpath-compat how_fast -- --ignored --nocapture`: this reader and the
/// parser under it alone, on the same text.
#[test]
#[ignore = "a measurement, not a test"]
#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn how_fast() {
    let text = WHOLE.replace("COPY a FROM stdin;\n1\n\\.\n", "").repeat(3_000);
    let limits = Limits { statements: usize::MAX, ..Limits::default() };
    for _ in 0..3 {
        for (who, run) in [
            ("reader", &(|| read(&text, limits).len()) as &dyn Fn() -> usize),
            ("parser alone", &|| squawk_syntax::SourceFile::parse(&text).errors().len()),
        ] {
            let begin = std::time::Instant::now();
            let count = run();
            let rate = text.len() as f64 / 1e6 / begin.elapsed().as_secs_f64();
            println!("{who}: {rate:.1} MB/s, {count}");
        }
    }
}
