//! Frameworks whose migrations are programs that are not read yet, recognised by names and words.
//!
//! Each migration's only step says that the framework is not read, so a change there needs review.

use crate::frameworks::files::{self, Body, Draft};
use crate::frameworks::{Edited, Found, Framework, Read};
use crate::migration::{Context, History, Runs};
use crate::operation::Unread;
use crate::tree::Tree;

/// How one is recognised.
struct Marks {
    /// Its id.
    id: &'static str,
    /// The endings of its files.
    endings: &'static [&'static str],
    /// Whether a file's name, without its ending, is a migration's.
    name: fn(&str) -> bool,
    /// Words of which one stands in its files; in lower case.
    words: &'static [&'static str],
}

const SCRIPTS: &[&str] = &[".ts", ".js", ".mts", ".cts", ".mjs", ".cjs"];

/// All of them. The order of the rows decides who is asked first.
const MARKS: &[Marks] = &[
    Marks { id: "typeorm", endings: SCRIPTS, name: any_number, words: &["migrationinterface"] },
    Marks { id: "mikro-orm", endings: SCRIPTS, name: any_number, words: &["@mikro-orm/migrations", "mikro-orm"] },
    Marks {
        id: "node-pg-migrate",
        endings: SCRIPTS,
        name: any_number,
        words: &["node-pg-migrate", "(pgm", "pgm."],
    },
    Marks { id: "sequelize", endings: SCRIPTS, name: any_number, words: &["queryinterface", "sequelize"] },
    Marks { id: "kysely", endings: SCRIPTS, name: any_name, words: &["kysely"] },
    Marks { id: "knex", endings: SCRIPTS, name: any_number, words: &["knex", ".schema.", "exports.up"] },
    Marks { id: "ef-core", endings: &[".cs"], name: ef_core, words: &["migrationbuilder", ": migration"] },
    Marks { id: "ecto", endings: &[".exs"], name: any_number, words: &["ecto.migration", "use "] },
    Marks { id: "yii", endings: &[".php"], name: yii, words: &["extends migration", "yii"] },
    Marks { id: "phinx", endings: &[".php"], name: leading_number, words: &["abstractmigration", "phinx"] },
];

fn any_name(_: &str) -> bool {
    true
}

fn any_number(stem: &str) -> bool {
    stem.bytes().any(|byte| byte.is_ascii_digit())
}

fn leading_number(stem: &str) -> bool {
    files::leading_digits(stem).is_some_and(|(digits, rest)| digits.len() >= 8 && rest.starts_with('_'))
}

fn ef_core(stem: &str) -> bool {
    leading_number(stem) && !stem.ends_with(".Designer")
}

fn yii(stem: &str) -> bool {
    stem.strip_prefix('m').and_then(files::leading_digits).is_some_and(|(date, rest)| {
        date.len() == 6 && rest.strip_prefix('_').and_then(files::leading_digits).is_some()
    })
}

fn stem_of<'n>(marks: &Marks, name: &'n str) -> Option<&'n str> {
    let stem = marks.endings.iter().find_map(|ending| name.strip_suffix(ending))?;
    (!stem.ends_with(".d") && !stem.ends_with(".test") && !stem.ends_with(".spec") && (marks.name)(stem))
        .then_some(stem)
}

fn of(id: &str) -> Option<&'static Marks> {
    MARKS.iter().find(|marks| marks.id == id)
}

/// The directories for migrations whose files have the marks.
fn find(tree: &dyn Tree, id: &'static str) -> Vec<Found> {
    let Some(marks) = of(id) else { return vec![] };
    files::directories(tree, |name| stem_of(marks, name).is_some())
        .into_iter()
        .filter(|(directory, _)| directory.to_ascii_lowercase().contains("migration"))
        .filter(|(_, entries)| {
            files::some_have(tree, entries, |text| {
                let text = text.to_ascii_lowercase();
                marks.words.iter().any(|word| text.contains(word))
            })
        })
        .map(|(directory, _)| Found { framework: id, root: directory.to_owned(), dialect: None })
        .collect()
}

/// The files under the root, each to be reviewed.
fn history(context: &Context<'_>, found: &Found) -> History {
    let marks = of(found.framework);
    let drafts = files::directly(context.tree, &found.root)
        .filter(|(_, name)| marks.is_none_or(|marks| stem_of(marks, name).is_some()))
        .map(|(entry, name)| {
            let version = files::leading_digits(name).map(|(digits, _)| files::pieces(digits));
            let body = Body::Unread(Unread::Framework { framework: found.framework.to_owned() });
            Draft { key: name.to_owned(), version, entry, runs: Runs::Once, body }
        })
        .collect();
    files::history(context, found, drafts)
}

macro_rules! rows {
    ($($row:ident $id:literal $title:literal $edited:ident,)*) => {$(
        #[doc = concat!("The row of ", $title, ".")]
        pub const $row: Framework = Framework {
            id: $id,
            title: $title,
            read: Read::Detected,
            edited: Edited::$edited,
            find: |tree| find(tree, $id),
            history,
        };
    )*};
}

rows! {
    TYPEORM "typeorm" "TypeORM" Unnoticed,
    MIKRO_ORM "mikro-orm" "MikroORM" Unnoticed,
    NODE_PG_MIGRATE "node-pg-migrate" "node-pg-migrate" Unnoticed,
    SEQUELIZE "sequelize" "Sequelize" Unnoticed,
    KYSELY "kysely" "Kysely" Unnoticed,
    KNEX "knex" "Knex" Unnoticed,
    EF_CORE "ef-core" "EF Core" Unnoticed,
    ECTO "ecto" "Ecto" Unnoticed,
    YII "yii" "Yii" Unnoticed,
    PHINX "phinx" "Phinx" Unnoticed,
}

/// DbUp: scripts of SQL Server that a project in C# embeds. Plain files in every other respect.
pub const DBUP: Framework = Framework {
    id: "dbup",
    title: "DbUp",
    read: Read::Detected,
    edited: Edited::Unnoticed,
    find: find_dbup,
    history: history_dbup,
};

fn find_dbup(tree: &dyn Tree) -> Vec<Found> {
    let users = crate::frameworks::manifests::directories_ending(tree, ".csproj", |text| {
        text.to_ascii_lowercase().contains("\"dbup")
    });
    if users.is_empty() {
        return vec![];
    }
    files::directories(tree, |name| files::without_ending(name, ".sql").is_some())
        .into_keys()
        .filter(|directory| {
            let lower = directory.to_ascii_lowercase();
            users.iter().any(|user| files::within(directory, user))
                && ["script", "migration", "sql"].iter().any(|word| lower.contains(word))
        })
        .map(|directory| Found { framework: DBUP.id, root: directory.to_owned(), dialect: None })
        .collect()
}

fn history_dbup(context: &Context<'_>, found: &Found) -> History {
    let drafts = files::directly(context.tree, &found.root)
        .filter(|(_, name)| files::without_ending(name, ".sql").is_some())
        .map(|(entry, name)| {
            let body = Body::Unread(Unread::Framework { framework: found.framework.to_owned() });
            Draft { key: name.to_owned(), version: None, entry, runs: Runs::Once, body }
        })
        .collect();
    files::history(context, found, drafts)
}

#[cfg(test)]
mod tests {
    use super::{ECTO, EF_CORE, KNEX, KYSELY, MIKRO_ORM, NODE_PG_MIGRATE, PHINX, SEQUELIZE, TYPEORM, YII, yii};
    use crate::frameworks::Framework;
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::operation::{Operation, Unread};
    use crate::tree::MemoryTree;

    const ROWS_FOR_TESTS: [&Framework; 10] =
        [&TYPEORM, &MIKRO_ORM, &NODE_PG_MIGRATE, &SEQUELIZE, &KYSELY, &KNEX, &EF_CORE, &ECTO, &YII, &PHINX];

    #[test]
    fn each_is_recognised_and_needs_review() {
        for (path, text, id) in [
            (
                "src/migrations/1700000000000-Boats.ts",
                "export class Boats1700 implements MigrationInterface {}",
                "typeorm",
            ),
            (
                "src/migrations/Migration20260101.ts",
                "import { Migration } from '@mikro-orm/migrations';",
                "mikro-orm",
            ),
            ("migrations/1700000000000_boats.js", "exports.up = (pgm) => {};", "node-pg-migrate"),
            ("migrations/20260101000000-boats.js", "module.exports = { up: (queryInterface) => {} };", "sequelize"),
            ("db/migrations/boats.ts", "import { Kysely } from 'kysely'", "kysely"),
            ("migrations/20260101000000_boats.js", "exports.up = (knex) => knex.schema", "knex"),
            ("Data/Migrations/20260101000000_Boats.cs", "partial class Boats : Migration {}", "ef-core"),
            ("priv/repo/migrations/20260101000000_boats.exs", "use Ecto.Migration", "ecto"),
            ("migrations/m260101_000000_boats.php", "class m260101_000000_boats extends Migration", "yii"),
            ("db/migrations/20260101000000_boats.php", "class Boats extends AbstractMigration", "phinx"),
        ] {
            let tree =
                MemoryTree::new([(path, text), ("node_modules/x/migrations/20260101000000_boats.js", "knex")]);
            let first = ROWS_FOR_TESTS
                .iter()
                .find_map(|row| (row.find)(&tree).into_iter().next().map(|f| (f, row.history)));
            let (found, history) = first.expect(path);
            assert_eq!(found.framework, id, "{path}");
            let history = read(&tree, &found, history);
            assert_eq!(keys(&history), [path.rsplit('/').next().unwrap_or_default()]);
            assert!(matches!(
                history.migrations[0].steps[0].operation,
                Operation::Unread(Unread::Framework { .. })
            ));
        }
    }

    #[test]
    fn what_is_none() {
        for (path, text) in [
            ("src/boats/1700000000000-Boats.ts", "implements MigrationInterface"),
            ("migrations/index.ts", "export {}"),
            ("Migrations/20260101000000_Boats.Designer.cs", "migrationBuilder"),
            ("Migrations/Snapshot.cs", "migrationBuilder"),
            ("migrations/20260101_a.d.ts", "MigrationInterface"),
        ] {
            let tree = MemoryTree::new([(path, text)]);
            for row in ROWS_FOR_TESTS {
                assert_eq!((row.find)(&tree), [], "{path} {}", row.id);
            }
        }
        assert!(yii("m260101_120000_a") && !yii("m26_1_a") && !yii("260101_120000"));
    }
}
