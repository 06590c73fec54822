//! Which dialect a history speaks, where its framework's own files do not say.
//!
//! Names of directories and files first; then words that only one dialect has, where they agree; then
//! what the files around say (drivers, images, addresses), the nearest directory first; PostgreSQL if
//! nothing does.

use super::Dialect;
use crate::frameworks::{Found, files};
use crate::tree::Tree;

/// How much of each text is looked at, in bytes.
const LOOKED_AT: usize = 64 << 10;

/// How many texts are looked at.
const TEXTS: usize = 12;

/// The dialect of a history. `texts`: some of its migrations; where there are none, files under its
/// root are taken.
pub fn guess(tree: &dyn Tree, found: &Found, texts: &[String]) -> Dialect {
    let named = found.dialect.or_else(|| by_names(tree, found));
    // Prices come from oracles too: that name alone tells nothing.
    if let Some(dialect) = named.filter(|dialect| found.dialect.is_some() || *dialect != Dialect::Oracle) {
        return dialect;
    }
    let sampled;
    let texts = if texts.is_empty() {
        sampled = sample(tree, found);
        &sampled
    } else {
        texts
    };
    let scores = scores(texts);
    if let Some(dialect) = clear(&scores) {
        return dialect;
    }
    let around = around(tree, found);
    let score = |dialect: Dialect| scores.iter().find(|(of, _)| *of == dialect).map_or(0, |(_, score)| *score);
    let best = |dialects: &[Dialect]| dialects.iter().copied().rev().max_by_key(|dialect| score(*dialect));
    if around.is_empty() && named.is_some() {
        return Dialect::Oracle;
    }
    if !around.is_empty() {
        return best(&around).unwrap_or(Dialect::Postgres);
    }
    best(&Dialect::ALL).unwrap_or(Dialect::Postgres)
}

/// The words of a name.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(['/', '-', '_', '.', ' '])
}

fn by_names(tree: &dyn Tree, found: &Found) -> Option<Dialect> {
    let mut parts = found.root.rsplit('/').enumerate();
    let of_part = |(at, part)| match at {
        0 | 1 => Dialect::of_word(part).or_else(|| words(part).find_map(Dialect::of_word)),
        _ => Dialect::of_word(part),
    };
    parts.find_map(of_part).or_else(|| {
        let mut endings = files::below(tree, &found.root).iter().take(50).map(|entry| {
            let stem = files::split(&entry.path).1.rsplit_once('.').map_or("", |(stem, _)| stem);
            stem.rsplit_once('.').and_then(|(_, word)| Dialect::of_word(word))
        });
        let first = endings.find_map(|dialect| dialect)?;
        endings.flatten().all(|dialect| dialect == first).then_some(first)
    })
}

fn sample(tree: &dyn Tree, found: &Found) -> Vec<String> {
    let sql: Vec<&str> = files::below(tree, &found.root)
        .iter()
        .map(|entry| entry.path.as_str())
        .filter(|path| path.ends_with(".sql") && !path.ends_with(".down.sql") && !path.ends_with("/down.sql"))
        .collect();
    let from_end = sql.len().saturating_sub(TEXTS / 2).max(TEXTS / 2);
    let chosen = sql.iter().take(TEXTS / 2).chain(sql.iter().skip(from_end));
    chosen.filter_map(|path| files::text(tree, path)).collect()
}

/// Words that tell a dialect, in lower case, and how surely.
const TELLS: &[(Dialect, &str, u32)] = &[
    (Dialect::MySql, "engine=", 12),
    (Dialect::MySql, "engine =", 3),
    (Dialect::MySql, "auto_increment", 12),
    (Dialect::MySql, "utf8mb4", 5),
    (Dialect::MySql, "on update current_timestamp", 4),
    (Dialect::MySql, " unsigned", 4),
    (Dialect::MySql, "tinyint(1)", 3),
    (Dialect::MySql, "modify column", 3),
    (Dialect::MySql, "change column", 3),
    (Dialect::MySql, "drop foreign key", 3),
    (Dialect::MySql, "`", 2),
    (Dialect::Postgres, "plpgsql", 6),
    (Dialect::Postgres, "timestamptz", 5),
    (Dialect::Postgres, "with time zone", 3),
    (Dialect::Postgres, "jsonb", 5),
    (Dialect::Postgres, "bytea", 4),
    (Dialect::Postgres, "bigserial", 5),
    (Dialect::Postgres, " serial", 3),
    (Dialect::Postgres, "create extension", 5),
    (Dialect::Postgres, "gen_random_uuid", 5),
    (Dialect::Postgres, "uuid_generate_", 5),
    (Dialect::Postgres, "$$", 4),
    (Dialect::Postgres, "::", 3),
    (Dialect::Postgres, "concurrently", 4),
    (Dialect::Postgres, "[] not null", 4),
    (Dialect::Postgres, "text[]", 4),
    (Dialect::Postgres, "as enum", 4),
    (Dialect::Postgres, "using gin", 4),
    (Dialect::Postgres, "using btree", 1),
    (Dialect::Postgres, "row level security", 4),
    (Dialect::Postgres, "set data type", 2),
    (Dialect::Postgres, "not valid", 3),
    (Dialect::Sqlite, "autoincrement", 12),
    (Dialect::Sqlite, "pragma ", 12),
    (Dialect::Sqlite, "strftime(", 4),
    (Dialect::Sqlite, "datetime('now'", 4),
    (Dialect::Sqlite, "unixepoch", 4),
    (Dialect::Sqlite, "without rowid", 5),
    (Dialect::Sqlite, "sqlite_", 4),
    (Dialect::MsSql, "nvarchar(", 3),
    (Dialect::MsSql, "identity(1", 5),
    (Dialect::MsSql, "[dbo]", 6),
    (Dialect::MsSql, "dbo.", 3),
    (Dialect::MsSql, "datetime2", 5),
    (Dialect::MsSql, "uniqueidentifier", 5),
    (Dialect::MsSql, "sp_rename", 6),
    (Dialect::MsSql, "nonclustered", 5),
    (Dialect::MsSql, "\ngo\n", 5),
    (Dialect::MsSql, "\ngo\r\n", 5),
    (Dialect::MsSql, "getdate()", 3),
    (Dialect::MsSql, "object_id(", 4),
    (Dialect::Oracle, "varchar2", 6),
    (Dialect::Oracle, "number(", 4),
    (Dialect::Oracle, "sysdate", 3),
    (Dialect::Oracle, "systimestamp", 4),
    (Dialect::Oracle, " clob", 2),
    (Dialect::Oracle, "from dual", 3),
    (Dialect::Oracle, "execute immediate", 2),
];

/// What each dialect's words amount to, every word once in each text.
fn scores(texts: &[String]) -> Vec<(Dialect, u32)> {
    let mut scores: Vec<(Dialect, u32)> = Dialect::ALL.into_iter().map(|dialect| (dialect, 0)).collect();
    for text in texts.iter().take(TEXTS) {
        let mut end = text.len().min(LOOKED_AT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = without_remarks(text.get(..end).unwrap_or_default());
        for (dialect, word, weight) in TELLS {
            if text.contains(word)
                && let Some((_, score)) = scores.iter_mut().find(|(of, _)| of == dialect)
            {
                *score += weight;
            }
        }
    }
    scores
}

/// The text in lower case without what stands behind `--`: people write names between backticks there.
fn without_remarks(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (code, remark) = line.split_once("--").unwrap_or((line, ""));
        kept.push_str(&code.to_ascii_lowercase());
        if !remark.is_empty() {
            kept.push('\n');
        }
    }
    kept
}

/// The dialect whose words are many and nobody else's are.
fn clear(scores: &[(Dialect, u32)]) -> Option<Dialect> {
    let (dialect, most) = scores.iter().copied().rev().max_by_key(|(_, score)| *score)?;
    let next = scores.iter().filter(|(of, _)| *of != dialect).map(|(_, score)| *score).max().unwrap_or(0);
    (most >= 5 && most >= 3 * next).then_some(dialect)
}

/// Files, by their names in a directory, and what in them tells which dialect.
type Telling = (&'static [&'static str], &'static [(&'static str, Dialect)]);

/// The files that tell.
const FILES: &[Telling] = &[
    (
        &["Cargo.toml"],
        &[
            ("\"postgres\"", Dialect::Postgres),
            ("\"mysql\"", Dialect::MySql),
            ("\"sqlite\"", Dialect::Sqlite),
            ("\"mssql\"", Dialect::MsSql),
            ("tokio-postgres", Dialect::Postgres),
            ("mysql_async", Dialect::MySql),
            ("rusqlite", Dialect::Sqlite),
            ("libsql", Dialect::Sqlite),
            ("tiberius", Dialect::MsSql),
        ],
    ),
    (
        &["go.mod"],
        &[
            ("github.com/lib/pq", Dialect::Postgres),
            ("github.com/jackc/pgx", Dialect::Postgres),
            ("go-sql-driver/mysql", Dialect::MySql),
            ("go-sqlite3", Dialect::Sqlite),
            ("modernc.org/sqlite", Dialect::Sqlite),
            ("glebarez/sqlite", Dialect::Sqlite),
            ("go-libsql", Dialect::Sqlite),
            ("go-mssqldb", Dialect::MsSql),
            ("godror", Dialect::Oracle),
            ("go-ora", Dialect::Oracle),
        ],
    ),
    (
        &["package.json"],
        &[
            ("\"pg\"", Dialect::Postgres),
            ("\"postgres\"", Dialect::Postgres),
            ("\"mysql2\"", Dialect::MySql),
            ("\"mysql\"", Dialect::MySql),
            ("\"mariadb\"", Dialect::MySql),
            ("\"better-sqlite3\"", Dialect::Sqlite),
            ("\"sqlite3\"", Dialect::Sqlite),
            ("\"@libsql/client\"", Dialect::Sqlite),
            ("\"mssql\"", Dialect::MsSql),
            ("\"tedious\"", Dialect::MsSql),
            ("\"oracledb\"", Dialect::Oracle),
        ],
    ),
    (
        &["pom.xml", "build.gradle", "build.gradle.kts", "gradle/libs.versions.toml", "build.sbt"],
        &[
            ("postgresql", Dialect::Postgres),
            ("mysql-connector", Dialect::MySql),
            ("mariadb-java-client", Dialect::MySql),
            ("sqlite-jdbc", Dialect::Sqlite),
            ("mssql-jdbc", Dialect::MsSql),
            ("ojdbc", Dialect::Oracle),
        ],
    ),
    (
        &["requirements.txt", "pyproject.toml", "Pipfile", "setup.py", "Gemfile", "composer.json"],
        &[
            ("psycopg", Dialect::Postgres),
            ("asyncpg", Dialect::Postgres),
            ("pymysql", Dialect::MySql),
            ("PyMySQL", Dialect::MySql),
            ("mysqlclient", Dialect::MySql),
            ("aiomysql", Dialect::MySql),
            ("pyodbc", Dialect::MsSql),
            ("oracledb", Dialect::Oracle),
            ("cx_Oracle", Dialect::Oracle),
            ("gem \"pg\"", Dialect::Postgres),
            ("gem 'pg'", Dialect::Postgres),
            ("gem \"mysql2\"", Dialect::MySql),
            ("gem 'mysql2'", Dialect::MySql),
            ("gem \"trilogy\"", Dialect::MySql),
            ("gem \"sqlite3\"", Dialect::Sqlite),
            ("gem 'sqlite3'", Dialect::Sqlite),
            ("ext-pdo_pgsql", Dialect::Postgres),
            ("ext-pdo_mysql", Dialect::MySql),
        ],
    ),
    (
        &[
            "flyway.toml",
            "flyway.conf",
            "conf/flyway.conf",
            "diesel.toml",
            "refinery.toml",
            "atlas.hcl",
            "dbconfig.yml",
            "drizzle.config.ts",
            "alembic.ini",
            "config/database.yml",
            "config/packages/doctrine.yaml",
            "application.yml",
            "application.yaml",
            "application.properties",
            "conf/application.conf",
            "src/main/resources/application.yml",
            "src/main/resources/application.yaml",
            "src/main/resources/application.properties",
            ".env",
            ".env.example",
            ".env.sample",
            ".env.dist",
            ".env.template",
            ".env.development",
            "docker-compose.yml",
            "docker-compose.yaml",
            "docker-compose.dev.yml",
            "compose.yml",
            "compose.yaml",
            "Makefile",
            "justfile",
            "Taskfile.yml",
        ],
        &[
            ("postgres://", Dialect::Postgres),
            ("postgresql://", Dialect::Postgres),
            ("jdbc:postgresql:", Dialect::Postgres),
            ("postgresql+", Dialect::Postgres),
            ("image: postgres", Dialect::Postgres),
            ("image: \"postgres", Dialect::Postgres),
            ("image: 'postgres", Dialect::Postgres),
            ("postgis/postgis", Dialect::Postgres),
            ("timescale/", Dialect::Postgres),
            ("pgvector/", Dialect::Postgres),
            ("cockroachdb/", Dialect::Postgres),
            ("bitnami/postgresql", Dialect::Postgres),
            ("adapter: postgresql", Dialect::Postgres),
            ("DB_CONNECTION=pgsql", Dialect::Postgres),
            ("pdo_pgsql", Dialect::Postgres),
            ("dialect: postgres", Dialect::Postgres),
            ("dialect: 'postgresql'", Dialect::Postgres),
            ("dialect: \"postgresql\"", Dialect::Postgres),
            ("mysql://", Dialect::MySql),
            ("mysql2://", Dialect::MySql),
            ("mysql+", Dialect::MySql),
            ("jdbc:mysql:", Dialect::MySql),
            ("jdbc:mariadb:", Dialect::MySql),
            ("mariadb://", Dialect::MySql),
            ("image: mysql", Dialect::MySql),
            ("image: mariadb", Dialect::MySql),
            ("image: \"mysql", Dialect::MySql),
            ("image: percona", Dialect::MySql),
            ("adapter: mysql2", Dialect::MySql),
            ("adapter: trilogy", Dialect::MySql),
            ("DB_CONNECTION=mysql", Dialect::MySql),
            ("DB_CONNECTION=mariadb", Dialect::MySql),
            ("pdo_mysql", Dialect::MySql),
            ("dialect: mysql", Dialect::MySql),
            ("sqlite://", Dialect::Sqlite),
            ("sqlite:", Dialect::Sqlite),
            ("jdbc:sqlite:", Dialect::Sqlite),
            ("sqlite3://", Dialect::Sqlite),
            ("adapter: sqlite3", Dialect::Sqlite),
            ("DB_CONNECTION=sqlite", Dialect::Sqlite),
            ("dialect: sqlite", Dialect::Sqlite),
            ("sqlserver://", Dialect::MsSql),
            ("jdbc:sqlserver:", Dialect::MsSql),
            ("mcr.microsoft.com/mssql", Dialect::MsSql),
            ("DB_CONNECTION=sqlsrv", Dialect::MsSql),
            ("mssql+", Dialect::MsSql),
            ("jdbc:oracle:", Dialect::Oracle),
            ("oracle+", Dialect::Oracle),
            ("gvenzl/oracle", Dialect::Oracle),
            ("oracle-xe", Dialect::Oracle),
        ],
    ),
];

/// What the files around say: of the nearest directory, upwards from the history's, of which any does.
fn around(tree: &dyn Tree, found: &Found) -> Vec<Dialect> {
    let mut directory = found.root.as_str();
    loop {
        let mut said = vec![];
        for (names, tells) in FILES {
            for name in *names {
                let path = files::join(directory, name);
                if tree.entry(&path).is_some()
                    && let Some(text) = files::text(tree, &path)
                {
                    said.extend(tells.iter().filter(|(word, _)| says(&text, word)).map(|(_, dialect)| *dialect));
                }
            }
        }
        if !said.is_empty() {
            said.sort();
            said.dedup();
            return said;
        }
        if directory.is_empty() {
            return said;
        }
        directory = files::split(directory).0;
    }
}

/// Whether a line that is no remark, and no indirect dependency, has the word.
fn says(text: &str, word: &str) -> bool {
    text.contains(word)
        && text.lines().any(|line| {
            line.contains(word)
                && !line.contains("// indirect")
                && !line.trim_start().starts_with('#')
                && !line.trim_start().starts_with("//")
        })
}

#[cfg(test)]
mod tests {
    use super::guess;
    use crate::frameworks::Found;
    use crate::sql::Dialect;
    use crate::tree::MemoryTree;

    fn of(root: &str, files: &[(&str, &str)], texts: &[&str]) -> Dialect {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        let found = Found { framework: "sql", root: root.to_owned(), dialect: None };
        guess(&MemoryTree::new(files.iter().copied()), &found, &texts)
    }

    #[test]
    fn names() {
        for (root, expected) in [
            ("migrations/mysql", Dialect::MySql),
            ("migrations-sqlite", Dialect::Sqlite),
            ("db/postgresql/migrations", Dialect::Postgres),
            ("mssql/migrations", Dialect::MsSql),
            ("db/Oracle", Dialect::Oracle),
            ("mysql-tools/db/migrations", Dialect::Postgres),
            ("migrations", Dialect::Postgres),
        ] {
            assert_eq!(of(root, &[], &[]), expected, "{root}");
        }
        assert_eq!(of("m", &[("m/1_a.mysql.sql", ""), ("m/2_a.mysql.sql", "")], &[]), Dialect::MySql);
        assert_eq!(of("m", &[("m/1_a.mysql.sql", ""), ("m/1_a.pgsql.sql", "")], &[]), Dialect::Postgres);
    }

    #[test]
    fn words_of_one_dialect() {
        for (text, expected) in [
            ("CREATE TABLE `boats` (`id` int AUTO_INCREMENT) ENGINE=InnoDB;", Dialect::MySql),
            ("CREATE TABLE boats (id BIGSERIAL, made timestamptz);", Dialect::Postgres),
            ("CREATE TABLE boats (id INTEGER PRIMARY KEY AUTOINCREMENT);", Dialect::Sqlite),
            (
                "PRAGMA foreign_keys = off;\nCREATE TABLE `new_boats` (`id` integer, `ok` tinyint(1));",
                Dialect::Sqlite,
            ),
            ("CREATE TABLE [dbo].[Boats] ([Id] INT IDENTITY(1,1))\r\nGO\r\n", Dialect::MsSql),
            ("CREATE TABLE boats (id NUMBER(10), name VARCHAR2(20));", Dialect::Oracle),
            ("CREATE TABLE boats (id int);", Dialect::Postgres),
            ("-- `a`, `b` ENGINE= AUTO_INCREMENT\nCREATE TABLE boats (id int);", Dialect::Postgres),
            ("", Dialect::Postgres),
        ] {
            assert_eq!(of("m", &[], &[text]), expected, "{text}");
            assert_eq!(of("m", &[("m/1.sql", text)], &[]), expected, "{text}");
        }
    }

    #[test]
    fn what_the_files_around_say() {
        let plain = "CREATE TABLE boats (id int);";
        for (path, text, expected) in [
            ("Cargo.toml", "sqlx = { version = \"0.8\", features = [\"sqlite\"] }", Dialect::Sqlite),
            ("go.mod", "require github.com/go-sql-driver/mysql v1", Dialect::MySql),
            (
                "go.mod",
                "require (\n github.com/go-sql-driver/mysql v1\n github.com/lib/pq v1 // indirect\n)",
                Dialect::MySql,
            ),
            ("compose.yaml", "services:\n  db:\n    image: mariadb:11\n", Dialect::MySql),
            (".env.example", "DATABASE_URL=mysql://a@b/c", Dialect::MySql),
            (".env.example", "# DATABASE_URL=mysql://a@b/c", Dialect::Postgres),
            ("db/flyway.conf", "flyway.url=jdbc:sqlserver://x", Dialect::MsSql),
            ("pom.xml", "<artifactId>ojdbc11</artifactId>", Dialect::Oracle),
        ] {
            assert_eq!(of("db/m", &[(path, text), ("db/m/1.sql", plain)], &[]), expected, "{path} {text}");
        }
        assert_eq!(of("oracle/m", &[("oracle/go.mod", "github.com/lib/pq")], &[plain]), Dialect::Postgres);
        assert_eq!(of("oracle/m", &[], &["CREATE TABLE a (b timestamptz)"]), Dialect::Postgres);
        let near = [("a/go.mod", "modernc.org/sqlite"), ("go.mod", "github.com/lib/pq")];
        assert_eq!(of("a/m", &near, &[plain]), Dialect::Sqlite);
        let both = [("go.mod", "modernc.org/sqlite\ngithub.com/go-sql-driver/mysql")];
        assert_eq!(of("m", &both, &["PRAGMA x;"]), Dialect::Sqlite);
        assert_eq!(of("m", &both, &["ALTER TABLE `boats` DROP COLUMN a;"]), Dialect::MySql);
        let pq = [("go.mod", "github.com/lib/pq")];
        assert_eq!(of("m", &pq, &["ENGINE=InnoDB jsonb"]), Dialect::Postgres, "words that disagree");
        let other = [("docker-compose.yml", "image: postgres:16")];
        assert_eq!(of("m", &other, &["CREATE TABLE a (id int AUTO_INCREMENT) ENGINE=InnoDB"]), Dialect::MySql);
    }
}
