//! Which files are searched, and how much a mention in one counts.
//!
//! Not here: what a mention is.

use super::language::{Language, language};

/// How much a mention in a file counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Weight {
    /// Nothing: the file is not read.
    None,
    /// It is a test, which never runs beside what production runs.
    Test,
    /// It may run elsewhere than in production, or describes an interface: fixtures, factories,
    /// seeds, GraphQL, OpenAPI, protocol buffers.
    Weak,
    /// It is what runs.
    Strong,
}

/// What is known of a file by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sort {
    pub(super) weight: Weight,
    pub(super) language: Language,
    /// It is a program or a query, not a setting: it counts as searched code.
    pub(super) code: bool,
}

const NONE: Sort = Sort { weight: Weight::None, language: Language::Plain, code: false };

/// Directories of other people's code and of what a build made.
const FOREIGN: &[&str] = &[
    "vendor",
    "vendors",
    "node_modules",
    "third_party",
    "third-party",
    "thirdparty",
    "bower_components",
    "jspm_packages",
    "dist",
    ".git",
    ".yarn",
    ".pnpm",
    ".bundle",
    ".venv",
    "venv",
    "site-packages",
    "__pycache__",
    ".next",
    ".nuxt",
    ".idea",
    ".vscode",
    ".github",
    ".gitlab",
    ".circleci",
    "sorbet",
    ".sqlx",
];

/// Directories of what a build made, where they are the repository's own.
const BUILT: &[&str] = &["target", "out", "coverage", "deps", "_build", "pods", "build"];

/// Directories of words for people.
const WORDS: &[&str] = &[
    "doc",
    "docs",
    "documentation",
    "locale",
    "locales",
    "lang",
    "i18n",
    "l10n",
    "translations",
    "translation",
    "changelogs",
    "licenses",
    ".changeset",
];

/// Directories of tests.
const TESTS: &[&str] = &[
    "test",
    "tests",
    "spec",
    "specs",
    "__tests__",
    "__mocks__",
    "testdata",
    "test-data",
    "e2e",
    "cypress",
    "api_tests",
    "cassettes",
    "__snapshots__",
    "playwright",
];

/// Directories whose code may not run in production.
const APART: &[&str] = &[
    "testing", "fixtures", "fixture", "seeds", "seeders", "seeder", "seed", "mocks", "stories", "benches",
    "examples",
];

/// Endings of what is no program text.
const NO_TEXT: &[&str] = &[
    "md",
    "mdx",
    "markdown",
    "rst",
    "adoc",
    "asciidoc",
    "txt",
    "log",
    "lock",
    "sum",
    "po",
    "pot",
    "mo",
    "xlf",
    "xliff",
    "arb",
    "strings",
    "resx",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "ico",
    "webp",
    "avif",
    "bmp",
    "tif",
    "tiff",
    "pdf",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "zip",
    "gz",
    "tgz",
    "bz2",
    "xz",
    "zst",
    "7z",
    "tar",
    "jar",
    "war",
    "class",
    "exe",
    "dll",
    "so",
    "dylib",
    "a",
    "o",
    "pyc",
    "wasm",
    "mp3",
    "mp4",
    "mov",
    "webm",
    "ogg",
    "wav",
    "psd",
    "ai",
    "sketch",
    "map",
    "snap",
    "csv",
    "tsv",
    "ipynb",
    "pem",
    "crt",
    "key",
    "sqlite",
    "sqlite3",
    "db",
    "parquet",
    "css",
    "scss",
    "sass",
    "less",
    "styl",
    "rbi",
    "patch",
    "diff",
    "orig",
    "bak",
    "har",
    "tape",
    "geojson",
    "gitignore",
    "gitattributes",
    "dockerignore",
    "editorconfig",
    "npmrc",
    "nvmrc",
    "browserslistrc",
];

/// Names of files that describe the schema as it is, not what code uses of it.
const DUMPS: &[&str] =
    &["schema.rb", "structure.sql", "schema.sql", "schema.dump", "database.dbml", "schema.dbml", "erd.svg"];

/// What is known of a file by its path. `migrations` are the migrations' own paths.
pub(super) fn sort(path: &str, migrations: &Migrations) -> Sort {
    let lower = path.to_lowercase();
    let mut parts: Vec<&str> = lower.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let within = |names: &[&str]| parts.iter().any(|part| names.contains(part));
    if migrations.has(path)
        || is_migration(&parts, name)
        || within(FOREIGN)
        || parts.first().is_some_and(|part| BUILT.contains(part))
        || is_words(&parts, name, ending)
        || is_dump(&parts, name)
        || is_bundle(&parts, name)
        || is_lock(name)
    {
        return NONE;
    }
    let (language, code) = language(name, ending);
    let code = code && !is_boilerplate(&parts, name);
    // A package of the program itself may be called `spec` too.
    let own = parts.contains(&"main") || matches!(parts.first(), Some(&("app" | "lib")));
    let weight = if within(TESTS) && !own || is_test(name) {
        Weight::Test
    } else if within(TESTS) || within(APART) || is_apart(name) || is_interface(name, ending) {
        Weight::Weak
    } else {
        Weight::Strong
    };
    Sort { weight, language, code }
}

/// The migrations' own paths: files, or directories of them.
#[derive(Debug, Default)]
pub(super) struct Migrations {
    paths: std::collections::HashSet<String>,
}

impl Migrations {
    pub(super) fn new(paths: &[String]) -> Self {
        Self { paths: paths.iter().map(|path| path.trim_end_matches('/').to_owned()).collect() }
    }

    /// Whether this is one of them, or within one.
    fn has(&self, path: &str) -> bool {
        !self.paths.is_empty()
            && (self.paths.contains(path)
                || path.match_indices('/').any(|(at, _)| self.paths.contains(&path[..at])))
    }
}

/// A migration that nobody named: its directory and its number say so.
fn is_migration(parts: &[&str], name: &str) -> bool {
    let numbered = name.starts_with(|first: char| first.is_ascii_digit())
        || ["version2", "version1", "v", "u", "r__", "b"].iter().any(|mark| {
            name.strip_prefix(mark)
                .is_some_and(|rest| *mark == "r__" || rest.starts_with(|first: char| first.is_ascii_digit()))
        })
        || matches!(name, "migration.sql" | "up.sql" | "down.sql" | "migration_lock.toml" | "_journal.json");
    let holds = |part: &&str| {
        part.starts_with("migrations")
            || matches!(
                *part,
                "migrations"
                    | "migration"
                    | "migrate"
                    | "post_migrate"
                    | "versions"
                    | "evolutions"
                    | "db_migrations"
                    | "changelog"
                    | "changelogs"
                    | "changesets"
                    | "doctrinemigrations"
                    | "dbscripts"
            )
    };
    if parts.iter().any(holds) && numbered {
        return true;
    }
    // Of EF Core, Knex and TypeORM the name need not begin with the number; drizzle's meta is data.
    parts.iter().any(|part| matches!(*part, "migrations" | "migrate"))
        && (name.ends_with(".designer.cs") || name.ends_with("snapshot.json") || name.ends_with("modelsnapshot.cs"))
}

fn is_words(parts: &[&str], name: &str, ending: &str) -> bool {
    let program = language(name, ending).1;
    // A module called `translations` is code; a directory of message files is not, even where they
    // are written as programs.
    let messages = matches!(ending, "php" | "js" | "ts" | "rb");
    let of_words = |(at, part): (usize, &&str)| {
        WORDS.contains(part)
            && match *part {
                "doc" | "docs" | "documentation" => at == 0 || !program,
                "locale" | "locales" | "lang" => !program || messages,
                _ => !program,
            }
    };
    if parts.iter().enumerate().any(of_words) {
        return true;
    }
    NO_TEXT.contains(&ending)
        || [
            "changelog",
            "changes",
            "readme",
            "license",
            "licence",
            "copying",
            "authors",
            "contributors",
            "codeowners",
            "notice",
            "history",
            "upgrading",
        ]
        .contains(&name.split('.').next().unwrap_or_default())
            && !program
}

fn is_dump(parts: &[&str], name: &str) -> bool {
    if DUMPS.contains(&name) || name.ends_with("modelsnapshot.cs") {
        return true;
    }
    // Rails' second databases: db/animals_schema.rb, db/animals_structure.sql.
    if parts.last() == Some(&"db") && (name.ends_with("_schema.rb") || name.ends_with("_structure.sql")) {
        return true;
    }
    // What Prisma's generator wrote.
    parts.iter().any(|part| matches!(*part, ".prisma" | "prisma-client" | "prismaclient"))
        || parts.windows(2).any(|pair| {
            pair == ["generated", "prisma"] || pair == ["prisma", "generated"] || pair == ["prisma", "client"]
        })
}

fn is_bundle(parts: &[&str], name: &str) -> bool {
    name.contains(".min.")
        || name.contains(".bundle.")
        || name.contains("-bundle.")
        || name.contains(".chunk.")
        || parts.windows(2).any(|pair| matches!(pair, ["public", "build" | "packs" | "assets" | "vendor"]))
}

fn is_lock(name: &str) -> bool {
    matches!(
        name,
        "package-lock.json"
            | "npm-shrinkwrap.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "composer.lock"
            | "gemfile.lock"
            | "cargo.lock"
            | "poetry.lock"
            | "uv.lock"
            | "mix.lock"
            | "go.sum"
            | "atlas.sum"
            | "packages.lock.json"
    )
}

fn is_test(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    name.contains(".test.")
        || name.contains(".spec.")
        || name.contains(".e2e-")
        || stem.ends_with("_test")
        || stem.ends_with("_spec")
        || stem.starts_with("test_")
        || matches!(name, "conftest.py" | "tests.py")
        || ["test.java", "tests.java", "test.kt", "tests.cs", "test.cs", "test.php"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

/// Seeds, factories and stories.
fn is_apart(name: &str) -> bool {
    name.contains(".stories.")
        || matches!(name, "seeds.rb" | "seed.ts" | "seed.js" | "seeds.exs" | "factories.py" | "factories.rb")
        || ["seeder.php", "factory.php"].iter().any(|ending| name.ends_with(ending))
}

/// Describes what is spoken with other programs.
fn is_interface(name: &str, ending: &str) -> bool {
    matches!(ending, "graphql" | "graphqls" | "gql" | "proto" | "avsc" | "thrift" | "raml")
        || matches!(ending, "json" | "yaml" | "yml")
            && (name.contains("openapi") || name.contains("swagger") || name.contains("schema"))
}

/// Files that every project of their kind has, whatever it does: alone they are no code that could
/// name a table.
fn is_boilerplate(parts: &[&str], name: &str) -> bool {
    matches!(
        name,
        "manage.py"
            | "env.py"
            | "wsgi.py"
            | "asgi.py"
            | "settings.py"
            | "__init__.py"
            | "apps.py"
            | "setup.py"
            | "conftest.py"
            | "rakefile"
            | "gemfile"
            | "application_record.rb"
            | "prisma.config.ts"
            | "knexfile.js"
            | "knexfile.ts"
            | "drizzle.config.ts"
            | "drizzle.config.js"
            | "build.rs"
            | "build.gradle"
            | "build.gradle.kts"
            | "artisan"
            | "mix.exs"
            | "next.config.js"
            | "vite.config.ts"
    ) || parts.first() == Some(&"config")
        && (name.ends_with(".rb") || name.ends_with(".php") || name.ends_with(".exs"))
        || parts.is_empty() && name.ends_with(".sql")
}

/// What a file's first bytes say of it: binary and bundled files are not read, generated ones count
/// for little, unless what generated them is what talks to the database.
pub(super) fn look(sort: Sort, bytes: &[u8]) -> Weight {
    let head = &bytes[..bytes.len().min(4096)];
    if memchr::memchr(0, &bytes[..bytes.len().min(8192)]).is_some() {
        return Weight::None;
    }
    let has = |mark: &str| memchr::memmem::find(head, mark.as_bytes()).is_some();
    if sort.language == Language::Script && bytes.len() > 50_000 && lines_are_long(bytes) {
        return Weight::None;
    }
    if sort.language == Language::Sql && describes_schema(bytes) {
        return Weight::None;
    }
    let generated =
        ["@generated", "Code generated by", "<auto-generated", "DO NOT EDIT", "autogenerated", "Autogenerated"]
            .iter()
            .any(|mark| has(mark));
    let speaks_sql = ["sqlc", "SQLBoiler", "sqlboiler", "jOOQ", "by ent", "gorm.io/gen", "Diesel CLI", "diesel"]
        .iter()
        .any(|mark| has(mark));
    if generated && !speaks_sql && sort.weight == Weight::Strong { Weight::Weak } else { sort.weight }
}

/// A bundler's output: a line of it is longer than a person writes.
fn lines_are_long(bytes: &[u8]) -> bool {
    bytes.len() / (memchr::memchr_iter(b'\n', bytes).count() + 1) > 2_000
}

/// A file of SQL that makes tables and asks nothing: a dump, or the schema from which a tool
/// generates. What it says goes away with the migration, not before.
fn describes_schema(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    let dumped =
        ["MySQL dump", "MariaDB dump", "PostgreSQL database dump", "phpMyAdmin", "/*!40000", "/*!40101 SET"];
    if dumped.iter().any(|mark| memchr::memmem::find(head, mark.as_bytes()).is_some()) {
        return true;
    }
    let mut makes = false;
    for line in bytes.split(|byte| *byte == b'\n').take(20_000) {
        let start = line.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(line.len());
        let line = &line[start..];
        let begins =
            |word: &str| line.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()));
        if begins("create table") {
            makes = true;
        } else if begins("select pg_catalog.") {
            continue;
        } else if [
            "select ",
            "insert ",
            "update ",
            "delete ",
            "with ",
            "merge ",
            "replace into",
            "create view",
            "create or replace",
            "create function",
            "create procedure",
            "create trigger",
            "-- name:",
        ]
        .iter()
        .any(|word| begins(word))
        {
            return false;
        }
    }
    makes
}

#[cfg(test)]
mod tests {
    use super::{Migrations, Weight, look, sort};

    fn weight(path: &str) -> Weight {
        sort(path, &Migrations::new(&["db/given".to_owned(), "sql/one.sql".to_owned()])).weight
    }

    #[test]
    fn what_is_not_running_code_is_not_read() {
        for path in [
            "db/given/a.rb",
            "sql/one.sql",
            "db/migrate/20200101000000_add_x.rb",
            "app/DoctrineMigrations/Version20200101000000.php",
            "shop/migrations/0002_x.py",
            "db/migration/V2__x.sql",
            "db/migration/R__view.sql",
            "migrations/2020-01-01-000000_x/up.sql",
            "alembic/versions/12ab_x.py",
            "db/schema.rb",
            "db/structure.sql",
            "db/animals_schema.rb",
            "src/Migrations/ShopModelSnapshot.cs",
            "Migrations/20200101000000_X.Designer.cs",
            "README.md",
            "CHANGELOG",
            "docs/columns.rb",
            "config/locales/en.yml",
            "src/i18n/de.json",
            "resources/lang/en/auth.php",
            "yarn.lock",
            "package-lock.json",
            "vendor/bundle/x.rb",
            "web/node_modules/x/index.js",
            "third_party/lib.c",
            "public/app.min.js",
            "public/build/app.js",
            "logo.png",
            "src/generated/prisma/index.ts",
            "sorbet/rbi/dsl/user.rbi",
            ".sqlx/query-1.json",
        ] {
            assert_eq!(weight(path), Weight::None, "{path}");
        }
    }

    #[test]
    fn tests_and_interfaces_count_for_little() {
        for path in [
            "spec/models/user_spec.rb",
            "test/factories/users.rb",
            "src/user.test.ts",
            "pkg/user_test.go",
            "src/test/java/UserTest.java",
            "shop/tests.py",
        ] {
            assert_eq!(weight(path), Weight::Test, "{path}");
        }
        for path in [
            "db/seeds.rb",
            "database/seeders/UserSeeder.php",
            "app/schema.graphql",
            "api/openapi.yaml",
            "proto/user.proto",
            // JPA's specifications, and no test.
            "src/main/java/shop/spec/UserSpecs.java",
        ] {
            assert_eq!(weight(path), Weight::Weak, "{path}");
        }
    }

    #[test]
    fn what_runs_counts() {
        for path in [
            "app/models/user.rb",
            "db/queries/users.sql",
            "src/main/resources/mapper/UserMapper.xml",
            "prisma/schema.prisma",
            "src/schema.rs",
            "app/services/migrations/runner.rb",
            "lib/history.rb",
            "src/translations/model.py",
            "src/Translation/Loader.php",
            "src/target/model.rs",
            "src/features/users/list.tsx",
            "app/doc/models.py",
            "src/versions/list.ts",
            "config/doctrine/User.orm.yml",
            "sql/one_more.sql",
        ] {
            assert_eq!(weight(path), Weight::Strong, "{path}");
        }
    }

    #[test]
    fn what_every_project_has_is_no_code() {
        let code = |path: &str| sort(path, &Migrations::default()).code;
        for path in [
            "manage.py",
            "alembic/env.py",
            "shop/__init__.py",
            "Gemfile",
            "config/database.yml",
            "alembic.ini",
            "Cargo.toml",
        ] {
            assert!(!code(path), "{path}");
        }
        for path in
            ["shop/models.py", "prisma/schema.prisma", "src/main.rs", "app/models/user.rb", "db/queries/a.sql"]
        {
            assert!(code(path), "{path}");
        }
    }

    #[test]
    fn a_files_first_bytes_are_looked_at() {
        let look = |path: &str, text: &str| look(sort(path, &Migrations::default()), text.as_bytes());
        assert_eq!(look("a.go", "package a"), Weight::Strong);
        assert_eq!(look("a.go", "x\0y"), Weight::None);
        assert_eq!(look("a.go", "// Code generated by mockgen. DO NOT EDIT.\n"), Weight::Weak);
        assert_eq!(look("a.go", "// Code generated by sqlc. DO NOT EDIT.\n"), Weight::Strong);
        assert_eq!(look("a.rs", "// @generated automatically by Diesel CLI.\n"), Weight::Strong);
        assert_eq!(look("sql/a.sql", "CREATE TABLE users (id int);\n"), Weight::None);
        assert_eq!(look("sql/a.sql", "-- MySQL dump 10.1\nINSERT INTO users VALUES (1);\n"), Weight::None);
        assert_eq!(look("sql/a.sql", "CREATE TABLE t (id int);\nSELECT id FROM t;\n"), Weight::Strong);
        assert_eq!(look("sql/a.sql", "-- name: Users :many\nselect id from users;\n"), Weight::Strong);
        assert_eq!(look("a.js", &"x".repeat(60_000)), Weight::None);
    }
}
