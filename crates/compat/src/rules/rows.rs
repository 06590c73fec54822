//! The rows, and the page of documentation that is made of them.

use super::{Examples, Family, Rule};
use crate::sql::Dialect::{self, MySql, Postgres};

const fn examples(
    dialect: Dialect,
    base: &'static str,
    accepted: &'static str,
    refused: &'static str,
) -> Option<Examples> {
    Some(Examples { dialect, base, accepted, refused })
}

const fn schema(
    id: &'static str,
    what: &'static str,
    why: &'static str,
    recipe: &'static [&'static str],
    examples: Option<Examples>,
) -> Rule {
    Rule { id, family: Family::Schema, what, why, recipe, examples }
}

const fn history(id: &'static str, what: &'static str, why: &'static str, recipe: &'static [&'static str]) -> Rule {
    Rule { id, family: Family::History, what, why, recipe, examples: None }
}

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL, nick_name varchar(40), age integer NOT NULL DEFAULT 0);";

/// Every rule, the most common first.
pub const RULES: &[Rule] = &[
    schema(
        "drop-column",
        "A column goes that code which runs still uses.",
        "Every statement that names it fails; object mappers name every column they know, also those no line of code mentions.",
        &[
            "Release code that neither reads nor writes the column, and tell the object mapper to ignore it.",
            "Once nothing else runs, drop the column in a later range.",
        ],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ADD COLUMN x integer; ALTER TABLE users DROP COLUMN x;",
            "ALTER TABLE users DROP COLUMN nick_name;",
        ),
    ),
    schema(
        "drop-table",
        "A table goes, or comes back without its rows.",
        "Every statement that names it fails, or finds nothing.",
        &["Release code that does not use the table.", "Once nothing else runs, drop it in a later range."],
        examples(Postgres, USERS, "CREATE TABLE scratch (id integer); DROP TABLE scratch;", "DROP TABLE users;"),
    ),
    schema(
        "rename-column",
        "A column gets another name.",
        "Code that runs knows only the old one, also where a column of that name is added anew: its values are elsewhere.",
        &[
            "Add a column of the new name and write both.",
            "Copy what is there, and read the new one.",
            "Drop the old one in a later range.",
        ],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ADD COLUMN nick text;",
            "ALTER TABLE users RENAME COLUMN nick_name TO nick;",
        ),
    ),
    schema(
        "rename-table",
        "A table gets another name or schema, or another one takes its place.",
        "Code that runs knows only the old one.",
        &[
            "Put a view of the old name over it in the same transaction; have somebody look at what writes through it.",
            "Or keep the name, and map the new one in code.",
        ],
        examples(Postgres, USERS, "CREATE TABLE people (id bigint);", "ALTER TABLE users RENAME TO people;"),
    ),
    schema(
        "add-required-column",
        "A new column refuses NULL and nothing fills it.",
        "Code that runs does not know the column: each of its INSERTs is refused.",
        &[
            "Add it with a default, or nullable.",
            "Release code that writes it, fill the old rows.",
            "SET NOT NULL in a later range.",
        ],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ADD COLUMN city text NOT NULL DEFAULT '';",
            "ALTER TABLE users ADD COLUMN city text NOT NULL;",
        ),
    ),
    schema(
        "default-then-dropped",
        "A new column refuses NULL, and the default it came with goes in the same range.",
        "The default filled the old rows; INSERTs of code that runs are refused from the second statement on. Django does this for every field with `default=`.",
        &[
            "Keep the default in the database (Django: `db_default=`).",
            "Drop it in a later range, once all code that runs writes the column.",
        ],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ADD COLUMN city text NOT NULL DEFAULT '';",
            "ALTER TABLE users ADD COLUMN city text NOT NULL DEFAULT ''; ALTER TABLE users ALTER COLUMN city DROP DEFAULT;",
        ),
    ),
    schema(
        "set-not-null",
        "A column that could be NULL no longer can, also by a CHECK.",
        "Code that runs may write NULL or leave the column out. With a default only the latter is safe.",
        &["Release code that always writes it, fill the old rows.", "SET NOT NULL in a later range."],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
            "ALTER TABLE users ALTER COLUMN nick_name SET NOT NULL;",
        ),
    ),
    schema(
        "drop-not-null",
        "A column that was never NULL may be.",
        "Code that reads it may not expect that, as soon as somebody writes NULL.",
        &["See that code which runs can read NULL there; then accept it."],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ALTER COLUMN nick_name DROP NOT NULL;",
            "ALTER TABLE users ALTER COLUMN email DROP NOT NULL;",
        ),
    ),
    schema(
        "drop-default",
        "What filled a column no longer does, also where MODIFY or CHANGE leaves it out.",
        "INSERTs that leave the column out are refused where it is NOT NULL, and write NULL where it is not.",
        &["Release code that always writes the column.", "Drop the default in a later range."],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ALTER COLUMN nick_name DROP DEFAULT;",
            "ALTER TABLE users ALTER COLUMN age DROP DEFAULT;",
        ),
    ),
    schema(
        "set-default",
        "An old column is filled with something else than before.",
        "Code that leaves it out may lean on what was there.",
        &["See what code does that leaves the column out; then accept it."],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ALTER COLUMN age SET DEFAULT 0;",
            "ALTER TABLE users ALTER COLUMN age SET DEFAULT 18;",
        ),
    ),
    schema(
        "column-places",
        "A table's columns are more, or stand in another order, and code that runs goes by their places.",
        "An INSERT without a list of columns needs a value for each (PostgreSQL: at most one for each); COPY, a UNION and readers such as Go's Scan or a row taken apart in Python count the columns of a SELECT *. Reported only where such code is found.",
        &["Release code that names the columns it writes and reads.", "Add or move the column in a later range."],
        None,
    ),
    schema(
        "narrow-type",
        "A type changes so that values which fitted no longer do, or are of another kind.",
        "Writes are refused or cut, reads give what code cannot decode.",
        &[
            "Add a column of the new type and write both.",
            "Copy, read the new one.",
            "Drop the old one in a later range.",
        ],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ALTER COLUMN nick_name TYPE varchar(80);",
            "ALTER TABLE users ALTER COLUMN nick_name TYPE varchar(20);",
        ),
    ),
    schema(
        "widen-type",
        "A type changes so that it depends on the client, or what it was is not known.",
        "Clients that read PostgreSQL's binary form (sqlx, Diesel, pgx, Npgsql) fail on another width.",
        &["See what the client of code that runs does with the new type; then accept it."],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ALTER COLUMN nick_name TYPE text;",
            "ALTER TABLE users ALTER COLUMN age TYPE bigint;",
        ),
    ),
    schema(
        "add-unique",
        "Values of an old column must be unique from now on, or are the primary key.",
        "Code that runs may write the same twice; the second is refused. CONCURRENTLY only saves locks.",
        &[
            "Release code that cannot write the same twice, mend the old rows.",
            "Add the index in a later range, or have somebody accept it.",
        ],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ADD COLUMN handle text UNIQUE;",
            "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);",
        ),
    ),
    schema(
        "add-fk",
        "Values of an old column must be in another table from now on.",
        "Code that runs may write others, or in another order; it is refused. NOT VALID only leaves old rows alone.",
        &[
            "Release code that writes only what is there, and in that order.",
            "Add the key in a later range, or have somebody accept it.",
        ],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ADD COLUMN boss bigint REFERENCES users (id);",
            "ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (age) REFERENCES users (id) NOT VALID;",
        ),
    ),
    schema(
        "add-check",
        "An old column must satisfy a condition from now on.",
        "Code that runs may write what does not; it is refused. NOT VALID only leaves old rows alone.",
        &[
            "Release code that writes only what passes, mend the old rows.",
            "Add the check in a later range, or have somebody accept it.",
        ],
        examples(
            Postgres,
            USERS,
            "ALTER TABLE users ADD COLUMN score integer CHECK (score > 0);",
            "ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18) NOT VALID;",
        ),
    ),
    schema(
        "drop-unique",
        "What was unique need not be.",
        "ON CONFLICT, ON DUPLICATE KEY UPDATE and MERGE need the index and fail or insert twice without it.",
        &["Release code that does not lean on it.", "Drop it in a later range."],
        examples(
            Postgres,
            "CREATE TABLE t (id integer PRIMARY KEY, code text, CONSTRAINT t_code UNIQUE (code)); CREATE INDEX t_i ON t (code);",
            "DROP INDEX t_i;",
            "ALTER TABLE t DROP CONSTRAINT t_code;",
        ),
    ),
    schema(
        "drop-index",
        "An index or a constraint goes whose name code that runs says.",
        "MySQL's FORCE INDEX, SQLite's INDEXED BY, SQL Server's WITH (INDEX …) and ON CONFLICT ON CONSTRAINT fail without it. Reported only where such code is found.",
        &["Release code that does not say the name.", "Drop it in a later range."],
        None,
    ),
    schema(
        "rename-index",
        "An index or a constraint gets another name, and code that runs says the old one.",
        "Hints and ON CONFLICT ON CONSTRAINT fail, and what handles an error by the constraint's name no longer knows it. Reported only where such code is found.",
        &["Release code that does not say the name, or knows both.", "Rename it in a later range."],
        None,
    ),
    schema(
        "drop-pk",
        "The primary key goes.",
        "ON CONFLICT and object mappers lean on it.",
        &["Put the new key beside the old one first; drop the old one in a later range."],
        examples(
            Postgres,
            USERS,
            "CREATE TABLE other (id integer PRIMARY KEY); ALTER TABLE other DROP CONSTRAINT other_pkey;",
            "ALTER TABLE users DROP CONSTRAINT users_pkey;",
        ),
    ),
    schema(
        "drop-fk",
        "A foreign key goes that deleted or changed rows together.",
        "Code that runs leaves that to the database; rows stay behind.",
        &["Release code that deletes what belongs together.", "Drop the key in a later range."],
        examples(
            Postgres,
            "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (x integer, y integer, CONSTRAINT k1 FOREIGN KEY (x) REFERENCES a (id) ON DELETE CASCADE, CONSTRAINT k2 FOREIGN KEY (y) REFERENCES a (id));",
            "ALTER TABLE b DROP CONSTRAINT k2;",
            "ALTER TABLE b DROP CONSTRAINT k1;",
        ),
    ),
    schema(
        "enum-drop-value",
        "A value goes from an enum.",
        "Code that writes or asks for it is refused.",
        &[
            "Release code that does not use the value, change the rows that have it.",
            "Take it away in a later range.",
        ],
        examples(
            MySql,
            "CREATE TABLE t (id int PRIMARY KEY, mood enum('sad','glad'));",
            "ALTER TABLE t MODIFY mood enum('sad','glad','calm');",
            "ALTER TABLE t MODIFY mood enum('glad');",
        ),
    ),
    schema(
        "enum-rename-value",
        "A value of an enum gets another name.",
        "Code that writes or asks for the old one is refused, and does not know the new one.",
        &[
            "Add the new value, release code that reads both and writes the new one.",
            "Take the old one away in a later range.",
        ],
        examples(
            Postgres,
            "CREATE TYPE mood AS ENUM ('sad', 'glad');",
            "ALTER TYPE mood ADD VALUE 'calm';",
            "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';",
        ),
    ),
    schema(
        "drop-type",
        "A type or domain goes.",
        "Casts and clients that look it up by name fail.",
        &["Release code that does not name it; drop it in a later range."],
        examples(
            Postgres,
            "CREATE TYPE mood AS ENUM ('sad', 'glad');",
            "CREATE TYPE shape AS ENUM ('round'); DROP TYPE shape;",
            "DROP TYPE mood;",
        ),
    ),
    schema(
        "rename-object",
        "A view, type, routine, sequence or other object gets another name.",
        "Code that runs knows only the old one.",
        &["Make one of the new name beside it.", "Release code that uses that; drop the old one in a later range."],
        examples(
            Postgres,
            "CREATE TYPE mood AS ENUM ('sad', 'glad');",
            "CREATE TYPE temper AS ENUM ('sad', 'glad');",
            "ALTER TYPE mood RENAME TO temper;",
        ),
    ),
    schema(
        "drop-view",
        "A view goes.",
        "Every statement that names it fails.",
        &["Release code that does not use it; drop it in a later range."],
        examples(
            Postgres,
            "CREATE TABLE t (a integer, b integer); CREATE VIEW v (a, b) AS SELECT a, b FROM t;",
            "DROP VIEW v; CREATE VIEW v (a, b) AS SELECT a, b FROM t WHERE a > 0;",
            "DROP VIEW v;",
        ),
    ),
    schema(
        "broken-body",
        "A routine, trigger, default, check or policy goes on using what is gone.",
        "The database looks at its text only when it runs: the change succeeds, and every statement of running code that makes it run fails from then on.",
        &[
            "Replace the routine or trigger by one that does not use the name, and release that.",
            "Drop or rename in a later range.",
        ],
        examples(
            Postgres,
            "CREATE TABLE t (a integer); CREATE FUNCTION f() RETURNS TABLE (a integer) LANGUAGE sql AS $$ SELECT * FROM t $$;",
            "CREATE OR REPLACE FUNCTION f() RETURNS TABLE (a integer) LANGUAGE sql AS $$ SELECT * FROM t $$;",
            "ALTER TABLE t ADD COLUMN b integer;",
        ),
    ),
    schema(
        "replace-view",
        "A view is defined anew: without a column, or with the same ones.",
        "A column that is gone is gone for code; the same columns may give other rows.",
        &["Append columns; make a view of another name for what differs."],
        examples(
            Postgres,
            "CREATE TABLE t (a integer, b integer); CREATE VIEW v (a, b) AS SELECT a, b FROM t;",
            "CREATE OR REPLACE VIEW v (a, b, c) AS SELECT a, b, 1 FROM t;",
            "DROP VIEW v; CREATE VIEW v (a) AS SELECT a FROM t;",
        ),
    ),
    schema(
        "drop-routine",
        "A function or procedure goes.",
        "Every call fails.",
        &["Release code that does not call it; drop it in a later range."],
        examples(
            Postgres,
            "CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';",
            "CREATE FUNCTION g(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION g(integer);",
            "DROP FUNCTION f(integer);",
        ),
    ),
    schema(
        "replace-routine",
        "A function or procedure is called otherwise, or does something else.",
        "Calls of today fail, or give something else.",
        &["Append parameters that may be left out; make a routine of another name for what differs."],
        examples(
            Postgres,
            "CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';",
            "CREATE FUNCTION g(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';",
            "DROP FUNCTION f(integer); CREATE FUNCTION f(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1';",
        ),
    ),
    schema(
        "drop-trigger",
        "A trigger goes or is made anew.",
        "What it did for code that runs is no longer done, or otherwise.",
        &["See that code which runs does not lean on it; then accept it."],
        examples(
            Postgres,
            "CREATE TABLE t (a integer); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
            "CREATE TABLE u (a integer); CREATE TRIGGER h BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION f();",
            "DROP TRIGGER g ON t;",
        ),
    ),
    schema(
        "new-trigger",
        "An old table gets a trigger.",
        "It may refuse or change what code that runs writes.",
        &["See what it does with writes of code that runs; then accept it."],
        examples(
            Postgres,
            "CREATE TABLE t (a integer);",
            "CREATE TABLE u (a integer); CREATE TRIGGER h BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION f();",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
        ),
    ),
    schema(
        "drop-sequence",
        "A sequence goes that belongs to no column which goes too.",
        "Object mappers and code take numbers from it by name.",
        &["Release code that does not name it; drop it in a later range."],
        examples(
            Postgres,
            "CREATE SEQUENCE numbers;",
            "CREATE SEQUENCE others; DROP SEQUENCE others;",
            "DROP SEQUENCE numbers;",
        ),
    ),
    schema(
        "drop-synonym",
        "A synonym goes.",
        "Every statement that names it fails.",
        &["Release code that does not name it; drop it in a later range."],
        None,
    ),
    schema(
        "drop-extension",
        "An extension goes, with its types and functions.",
        "Statements that use them fail.",
        &["Release code that uses none of it; drop it in a later range, with a person's acceptance."],
        examples(Postgres, "CREATE EXTENSION hstore;", "CREATE EXTENSION citext;", "DROP EXTENSION hstore;"),
    ),
    schema(
        "drop-schema",
        "A schema or database goes.",
        "All in it goes.",
        &["Drop what is in it first, a range at a time."],
        examples(Postgres, "CREATE SCHEMA old;", "CREATE SCHEMA fresh; DROP SCHEMA fresh;", "DROP SCHEMA old;"),
    ),
    schema(
        "drop-object",
        "Something else that has a name goes.",
        "Statements that name it fail.",
        &["Release code that does not name it; drop it in a later range."],
        None,
    ),
    schema(
        "identity-always",
        "A column is filled by the database alone from now on.",
        "An INSERT or UPDATE that names it is refused; object mappers name every column.",
        &["Use GENERATED BY DEFAULT, or a default.", "Make it ALWAYS once no code that runs writes it."],
        examples(
            Postgres,
            "CREATE TABLE t (id integer GENERATED BY DEFAULT AS IDENTITY, b integer NOT NULL);",
            "CREATE TABLE u (id integer GENERATED ALWAYS AS IDENTITY);",
            "ALTER TABLE t ALTER COLUMN id SET GENERATED ALWAYS;",
        ),
    ),
    schema(
        "row-security",
        "Row level security comes on for an old table.",
        "Rows that code reads are hidden, and its writes are refused, until policies let it.",
        &["Put the policies for today's roles in first.", "Turn it on with a person's acceptance."],
        examples(
            Postgres,
            USERS,
            "CREATE TABLE u (a integer); ALTER TABLE u ENABLE ROW LEVEL SECURITY;",
            "ALTER TABLE users ENABLE ROW LEVEL SECURITY;",
        ),
    ),
    schema(
        "policy",
        "A policy or rule of an old table comes, changes or goes.",
        "Rows are seen or refused otherwise.",
        &["See which rows code that runs still sees; then accept it."],
        None,
    ),
    schema(
        "revoke",
        "Rights are taken away.",
        "What code that runs may do, it may no longer.",
        &["See which role code runs as; then accept it."],
        examples(Postgres, USERS, "GRANT SELECT ON users TO reader;", "REVOKE INSERT ON users FROM app;"),
    ),
    schema(
        "read-only",
        "Writes are no longer possible.",
        "Every write of code that runs is refused.",
        &["Release code that does not write there first."],
        None,
    ),
    schema(
        "delete-rows",
        "Rows of an old table are deleted.",
        "Code that runs may lean on them.",
        &["See that nobody needs the rows; then accept it."],
        examples(Postgres, USERS, "UPDATE users SET age = 1 WHERE age = 0;", "DELETE FROM users WHERE age = 0;"),
    ),
    schema(
        "other-change",
        "Something changes that has no rule of its own and is worth a look.",
        "Code that runs may notice.",
        &["Have somebody look; then accept it."],
        None,
    ),
    schema(
        "unreadable",
        "Something could not be read, or is put together when it runs.",
        "What it does is not known, so it is never compatible.",
        &["Write it as plain statements, if you can.", "Otherwise have somebody look, and accept it."],
        examples(
            Postgres,
            USERS,
            "DO $$ BEGIN ALTER TABLE users ADD COLUMN x integer; END $$;",
            "DO $$ BEGIN EXECUTE 'ALTER TABLE ' || t || ' DROP COLUMN x'; END $$;",
        ),
    ),
    history(
        "edited-migration",
        "A migration that databases have already was changed.",
        "It does not run again. Tools that keep sums refuse to go on; others leave databases that differ.",
        &["Put it back as it was.", "Say the difference in a new migration."],
    ),
    history(
        "deleted-migration",
        "A migration that databases have already is gone.",
        "New databases lack it, and some tools refuse to go on.",
        &["Put it back; undo it in a new migration."],
    ),
    history(
        "renumbered-migration",
        "A migration that databases have already stands under another version.",
        "It runs once more.",
        &["Put its old name back."],
    ),
    history(
        "out-of-order",
        "A new migration has a lower version than one that databases have already.",
        "Some tools refuse it, some never run it, and databases apply it in different orders.",
        &["Give it a version above the highest."],
    ),
    history(
        "duplicate-version",
        "Two migrations have the same version.",
        "The tool stops, or runs only one of them.",
        &["Give the newer one another version."],
    ),
    history(
        "two-heads",
        "Two migrations follow the same one, and nothing joins them.",
        "The tool does not know which is last, and stops.",
        &["Let the newer one follow the other, or add one that joins them."],
    ),
    history(
        "stale-sum",
        "The file of sums does not fit the migrations.",
        "The tool refuses to run.",
        &["Let the tool write the sums anew, and commit them."],
    ),
    history(
        "stale-journal",
        "The journal does not name the migrations.",
        "The tool does not run what its journal lacks.",
        &["Let the tool write the journal, and commit it."],
    ),
    history(
        "schema-without-migration",
        "The file that shows the schema was changed, and no migration with it.",
        "Databases that exist do not get the change.",
        &["Write the migration, or put the file back."],
    ),
];

/// `docs/rules.md`.
pub fn document() -> String {
    let mut text = String::from(
        "# The rules of `check-migrations`\n\n\
         Made from the rows in `crates/compat/src/rules/rows.rs`; do not edit by hand.\n\n\
         A range of migrations is compared with what code that runs now relies on. What the range itself\n\
         makes is nobody's concern, and of each transaction only its net effect counts. `CONCURRENTLY`,\n\
         `NOT VALID`, `NOCHECK` and `ALGORITHM=INPLACE` save locks and change no verdict.\n",
    );
    for (family, title) in [(Family::Schema, "Changes of the schema"), (Family::History, "Changes of the history")]
    {
        text += &format!("\n## {title}\n");
        for rule in RULES.iter().filter(|rule| rule.family == family) {
            text += &format!("\n### {}\n\n{}\n\nWhy: {}\n\nThe way out:\n\n", rule.id, rule.what, rule.why);
            for (number, line) in rule.recipe.iter().enumerate() {
                text += &format!("{}. {line}\n", number + 1);
            }
            if let Some(examples) = rule.examples {
                let id = examples.dialect.id();
                text += &format!(
                    "\nOver ({id})\n\n```sql\n{}\n```\n\naccepted\n\n```sql\n{}\n```\n\nnot accepted\n\n```sql\n{}\n```\n",
                    lines(examples.base),
                    lines(examples.accepted),
                    lines(examples.refused)
                );
            }
        }
    }
    text
}

/// A statement a line.
fn lines(sql: &str) -> String {
    if sql.contains("$$") { sql.to_owned() } else { sql.replace("; ", ";\n") }
}
