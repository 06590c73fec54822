//! Plain files of SQL: the fallback, and what a person means who names the framework `sql`.
//!
//! No tool's rules: names in the order in which a person reads numbers, files for the way back left
//! out, and in a file the part after a mark for the way back. Many small tools write such files:
//! postgrator (`001.do.sql`), node-pg-migrate, MyBatis Migrations, tern, rubenv/sql-migrate.

use std::collections::HashSet;

use super::files::{self, Draft, Up};
use super::{Edited, Found, Framework, Read, goose};
use crate::migration::{Context, History};
use crate::tree::Tree;

/// The row. Compared statement by statement with files of umami-software/umami (12) and
/// pajbot/pajbot3 (1).
pub const ROW: Framework =
    Framework { id: "sql", title: "plain SQL files", read: Read::Whole, edited: Edited::Unnoticed, find, history };

/// Words for the way back, and for the way forward beside them.
const BACK: [&str; 4] = ["down", "undo", "revert", "rollback"];
const FORTH: [&str; 6] = ["up", "do", "deploy", "apply", "forward", "migrate"];

/// Whether a file is SQL that may be for the way forward: `x.down.sql` never is.
fn forward(name: &str) -> bool {
    let Some(stem) = sql_stem(name) else { return false };
    let last = stem.rsplit_once('.').map(|(_, last)| last.to_ascii_lowercase());
    !last.is_some_and(|last| BACK.contains(&last.as_str()))
}

/// Whether a file is for the way back of another one that lies beside it: `x_down` of `x` or `x_up`,
/// `rollback_x` of `x`, `U1__x` of `V1__x`. A file that only sounds like it (`count_down.sql`) is not.
fn takes_back(stem: &str, stems: &HashSet<String>) -> bool {
    let there = |stem: &str| stems.contains(stem);
    let apart = |letter: char| matches!(letter, '-' | '_' | ' ');
    BACK.iter().any(|back| {
        if stem == *back {
            return FORTH.iter().any(|forth| there(forth));
        }
        if let Some(before) = stem.strip_suffix(back).filter(|before| before.ends_with(apart)) {
            return there(before.trim_end_matches(apart))
                || FORTH.iter().any(|forth| there(&format!("{before}{forth}")));
        }
        stem.strip_prefix(back).filter(|after| after.starts_with(apart)).is_some_and(|after| {
            there(after.trim_start_matches(apart)) || FORTH.iter().any(|forth| there(&format!("{forth}{after}")))
        })
    }) || stem.strip_prefix('u').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains("__") && there(&format!("v{rest}"))
    })
}

fn sql_stem(name: &str) -> Option<&str> {
    [".sql", ".psql", ".pgsql", ".ddl"].iter().find_map(|ending| files::without_ending(name, ending))
}

/// Whether a part of a path says that migrations are kept there.
fn says_migrations(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    part.contains("migration")
        || matches!(
            part.as_str(),
            "migrate"
                | "migrates"
                | "upgrade"
                | "upgrades"
                | "updates"
                | "patches"
                | "deltas"
                | "delta"
                | "changes"
                | "changesets"
                | "changelog"
                | "dbscripts"
                | "db_scripts"
                | "evolutions"
        )
}

/// Whether a part of a path says that its SQL is no history.
fn says_otherwise(part: &str) -> bool {
    matches!(
        part.to_ascii_lowercase().as_str(),
        "queries"
            | "query"
            | "seeds"
            | "seed"
            | "seeders"
            | "down"
            | "revert"
            | "rollback"
            | "undo"
            | "verify"
            | "dump"
            | "dumps"
            | "backup"
            | "backups"
            | "bench"
            | "benches"
            | "benchmark"
            | "benchmarks"
            | "snippets"
            | "snapshots"
    )
}

/// Every directory under these paths that has files for the way forward, whatever it is called.
pub(super) fn anywhere(tree: &dyn Tree, paths: &[&str]) -> Vec<Found> {
    if paths.is_empty() {
        return vec![];
    }
    files::directories(tree, forward)
        .into_keys()
        .filter(|directory| paths.iter().any(|path| files::within(directory, path)))
        .map(|directory| Found { framework: ROW.id, root: directory.to_owned(), dialect: None })
        .collect()
}

pub(super) fn find(tree: &dyn Tree) -> Vec<Found> {
    files::directories(tree, forward)
        .into_iter()
        .filter(|(directory, entries)| {
            let numbered = || entries.iter().filter(|entry| version(files::split(&entry.path).1).is_some()).count();
            let place = directory.split('/').any(says_migrations);
            !directory.split('/').any(says_otherwise) && (place || (numbered() > 1 && numbered() == entries.len()))
        })
        .map(|(directory, _)| Found { framework: ROW.id, root: directory.to_owned(), dialect: None })
        .collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut drafts: Vec<_> = files::directly(context.tree, &found.root)
        .filter(|(_, name)| forward(name))
        .map(|(entry, name)| Draft::sql(name, version(name), entry, up))
        .collect();
    let stems: HashSet<String> =
        drafts.iter().filter_map(|draft| sql_stem(&draft.key)).map(str::to_ascii_lowercase).collect();
    drafts.retain(|draft| !sql_stem(&draft.key).is_some_and(|stem| takes_back(&stem.to_ascii_lowercase(), &stems)));
    // A picture of the whole schema beside numbered migrations is what they lead to, not one of them.
    if drafts.iter().any(|draft| draft.version.is_some()) {
        drafts.retain(|draft| draft.version.is_some() || !picture(&draft.key));
    }
    drafts.sort_by_cached_key(|draft| (natural(&draft.key), draft.key.clone()));
    let mut history = files::history(context, found, drafts);
    // Nobody knows who runs them, so nobody knows what is wrapped.
    history.migrations.iter_mut().for_each(|migration| migration.together = false);
    history
}

fn picture(name: &str) -> bool {
    let stem = sql_stem(name).unwrap_or(name).to_ascii_lowercase();
    matches!(stem.as_str(), "schema" | "structure" | "dump" | "seed" | "seeds" | "all" | "full")
}

/// The numbers a name begins with: `2026-01-02_03_x` and `V1.2.3__x` have several.
pub(super) fn version(name: &str) -> Option<Vec<u64>> {
    let stem = sql_stem(name).unwrap_or(name);
    let mut rest = match stem.strip_prefix(['V', 'v']) {
        Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => after,
        _ => stem,
    };
    let mut version = vec![];
    while let Some((digits, after)) = files::leading_digits(rest) {
        let ends = after.is_empty() || after.starts_with(['-', '_', '.', ' ']);
        if !ends && !version.is_empty() {
            break;
        }
        version.extend(files::pieces(digits));
        rest = match after.strip_prefix(['-', '_', '.']) {
            Some(after) if version.len() < 8 => after,
            _ => break,
        };
    }
    (!version.is_empty()).then_some(version)
}

/// A name as a person orders it: numbers first and by what they count, the rest by letters.
fn natural(name: &str) -> Vec<(bool, Vec<u64>, String)> {
    let mut order = vec![];
    let mut rest = name;
    while !rest.is_empty() {
        let (digits, after) = files::leading_digits(rest).unwrap_or(("", rest));
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (letters, after) = after.split_at(end);
        let number = if digits.is_empty() { vec![] } else { files::pieces(digits) };
        order.push((digits.is_empty(), number, letters.to_owned()));
        rest = after;
    }
    order
}

/// What a mark line begins, in the words of several tools: `Some(true)` the way forward.
fn mark(line: &str) -> Option<bool> {
    let line = line.trim().to_ascii_lowercase();
    if !(line.starts_with("--") || line.starts_with("#") || line.starts_with("//")) {
        return None;
    }
    let words = line
        .trim_start_matches(['-', '#', '/', ' ', '+', '@', '=', '!'])
        .trim_end_matches(['-', '=', '#', ' ', ':']);
    match words {
        "up" | "ups" | "up migration" | "migrate:up" | "do" | "migrate up" => Some(true),
        "down"
        | "downs"
        | "down migration"
        | "migrate:down"
        | "undo"
        | "rollback"
        | "migrate down"
        | "create above / drop below" => Some(false),
        _ => None,
    }
}

/// A file without marks is the up part; with marks, what does not follow a mark for the way back.
fn up(text: &str) -> Up<'_> {
    if text.contains("+migrate") {
        let up = goose::sections(text, "+migrate");
        if up.text.is_ok() {
            return up;
        }
    }
    if !files::lines(text).any(|line| mark(line) == Some(false)) {
        return files::whole(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut forward = true;
    for line in files::lines(text) {
        forward = mark(line).unwrap_or(forward);
        if forward { kept.push_str(line) } else { files::blank(line, &mut kept) }
    }
    Up { text: Ok(kept.into()), together: false }
}

#[cfg(test)]
mod tests {
    use super::{ROW, find, history, natural, up, version};
    use crate::frameworks::Found;
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::tree::MemoryTree;

    #[test]
    fn files_for_the_way_forward() {
        let left = |names: &[&str]| {
            let tree = MemoryTree::new(names.iter().map(|name| (format!("m/{name}"), "")));
            let found = Found { framework: ROW.id, root: "m".to_owned(), dialect: None };
            keys(&read(&tree, &found, history)).join(" ")
        };
        for (names, forth) in [
            (vec!["001.sql", "a.SQL", "b.pgsql", "c.txt"], "001.sql a.SQL b.pgsql"),
            (vec!["001.do.sql", "001.undo.sql"], "001.do.sql"),
            (vec!["x.up.sql", "x.down.sql", "y.down.sql"], "x.up.sql"),
            (vec!["1-a-up.sql", "1-a-down.sql"], "1-a-up.sql"),
            (vec!["1_a.sql", "1_a_rollback.sql"], "1_a.sql"),
            (vec!["1_a.sql", "rollback_1_a.sql"], "1_a.sql"),
            (vec!["up.sql", "down.sql"], "up.sql"),
            (vec!["V1.2__a.sql", "U1.2__a.sql"], "V1.2__a.sql"),
            (vec!["1_count_down.sql", "2_b.sql"], "1_count_down.sql 2_b.sql"),
            (vec!["1_shut_down_log.sql"], "1_shut_down_log.sql"),
            (vec!["revert_names.sql"], "revert_names.sql"),
            (vec!["down.sql"], "down.sql"),
            (vec!["U1__a.sql"], "U1__a.sql"),
        ] {
            assert_eq!(left(&names), forth);
        }
    }

    #[test]
    fn versions() {
        for (name, expected) in [
            ("001_boats.sql", Some(vec![1])),
            ("2026-01-02_03_Boats.sql", Some(vec![2026, 1, 2, 3])),
            ("V1.2.3__boats.sql", Some(vec![1, 2, 3])),
            ("V1.10.sql", Some(vec![1, 10])),
            ("001_2fa.sql", Some(vec![1])),
            ("12boats.sql", Some(vec![12])),
            ("boats.sql", None),
            ("V.sql", None),
        ] {
            assert_eq!(version(name), expected, "{name}");
        }
        let mut names = ["10.sql", "9.sql", "b.sql", "9a.sql", "1_10.sql", "1_9.sql"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["1_9.sql", "1_10.sql", "9.sql", "9a.sql", "10.sql", "b.sql"]);
    }

    #[test]
    fn what_a_file_does_on_the_way_forward() {
        for (text, kept) in [
            ("A;\n", "A;\n"),
            ("-- Up Migration\nA;\n-- Down Migration\nB;\n", "-- Up Migration\nA;\n                 \n  \n"),
            ("A;\n---- create above / drop below ----\nB;", "A;\n                                   \n  "),
            ("A;\n--//@UNDO\nB;", "A;\n         \n  "),
            ("-- +migrate Up\nA;\n-- +migrate Down\nB;\n", "              \nA;\n                \n  \n"),
            ("-- the system is down\nA;", "-- the system is down\nA;"),
        ] {
            assert_eq!(up(text).text.as_deref(), Ok(kept), "{text}");
        }
    }

    #[test]
    fn where_it_looks() {
        let roots = |files: &[&str]| {
            let tree = MemoryTree::new(files.iter().map(|path| (*path, "")));
            find(&tree).into_iter().map(|found| found.root).collect::<Vec<_>>()
        };
        assert_eq!(roots(&["db/migrations/a.sql", "db/seeds/1.sql", "db/seeds/2.sql"]), ["db/migrations"]);
        assert_eq!(roots(&["sql/001_a.sql", "sql/002_b.sql"]), ["sql"]);
        assert_eq!(roots(&["sql/001_a.sql", "sql/report.sql"]), Vec::<String>::new());
        assert_eq!(roots(&["queries/1.sql", "queries/2.sql", "schema.sql"]), Vec::<String>::new());
        assert_eq!(
            roots(&["migrations/mysql/1.sql", "migrations/postgres/1.sql"]),
            ["migrations/mysql", "migrations/postgres"]
        );
        assert_eq!(roots(&["migrations/down/1.sql", "1.sql", "2.sql"]), [""]);
    }

    #[test]
    fn a_history_in_a_persons_order() {
        let tree = MemoryTree::new([
            ("migrations/10_c.sql", "C;"),
            ("migrations/2_b.sql", "B;"),
            ("migrations/1 a é.sql", "A;"),
            ("migrations/2_b.down.sql", "X;"),
            ("migrations/schema.sql", "S;"),
        ]);
        let found = find(&tree);
        assert_eq!(keys(&read(&tree, &found[0], history)), ["1 a é.sql", "2_b.sql", "10_c.sql"]);
    }
}
