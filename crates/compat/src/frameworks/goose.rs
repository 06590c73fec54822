//! goose: `<n>_name.sql` with section marks, and programs in Go.
//!
//! Facts from pressly/goose: `internal/sqlparser/parser.go` (marks), `migration.go`
//! (`NumericComponent`), `provider_collect.go`.

use super::files::{self, Draft, Up};
use super::{Edited, Found, Framework, Read};
use crate::migration::{Context, History};
use crate::operation::Unread;
use crate::tree::Tree;

/// The row. Compared statement by statement with files of hatchet-dev/hatchet (224), kalbasit/ncps
/// (31) and openfga/openfga (14).
pub const ROW: Framework =
    Framework { id: "goose", title: "goose", read: Read::Whole, edited: Edited::Unnoticed, find, history };

/// A file's version: the number before the first `_` of a `.sql` or `.go` file. Above zero.
pub(super) fn version(name: &str) -> Option<&str> {
    if name.ends_with("_test.go") || !(name.ends_with(".sql") || name.ends_with(".go")) {
        return None;
    }
    let (digits, rest) = files::leading_digits(name)?;
    (rest.starts_with('_') && files::significant(digits) != "0").then(|| files::significant(digits))
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    files::directories(tree, |name| version(name).is_some())
        .into_iter()
        .filter(|(_, entries)| {
            let (sql, go): (Vec<_>, Vec<_>) = entries.iter().copied().partition(|e| e.path.ends_with(".sql"));
            files::some_have(tree, &sql, |text| text.contains("+goose"))
                || files::some_have(tree, &go, |text| text.contains("goose.Add"))
        })
        .map(|(directory, _)| Found { framework: ROW.id, root: directory.to_owned(), dialect: None })
        .collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut drafts: Vec<_> = files::directly(context.tree, &found.root)
        .filter_map(|(entry, name)| {
            let version = version(name)?;
            let order = Some(files::pieces(version));
            Some(match name.ends_with(".go") {
                true => Draft::code(version, order, entry, "a migration in Go"),
                false => Draft::sql(version, order, entry, up),
            })
        })
        .collect();
    drafts.sort_by(|one, other| (&one.version, &one.entry.path).cmp(&(&other.version, &other.entry.path)));
    files::history(context, found, drafts)
}

/// Where the reader of the marks stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Before,
    Up,
    Down,
}

/// A line that is a mark: what stands after `+goose`.
fn mark<'l>(line: &'l str, word: &str) -> Option<&'l str> {
    let rest = line.trim_start().strip_prefix("--")?;
    let (_, after) = rest.split_once(word)?;
    Some(after.trim().trim_end_matches("--").trim())
}

fn up(text: &str) -> Up<'_> {
    sections(text, "+goose")
}

/// The up part of a file whose sections are marked with this word.
pub(super) fn sections<'t>(text: &'t str, word: &str) -> Up<'t> {
    let mut part = Part::Before;
    let mut together = true;
    let mut kept = String::with_capacity(text.len());
    let mut strays = false;
    let (mut ups, mut downs) = (0, 0);
    for line in files::lines(text) {
        let Some(mark) = mark(line, word) else {
            let comment = line.trim().is_empty() || line.trim_start().starts_with("--");
            strays |= part == Part::Before && !comment;
            match part {
                Part::Up => kept.push_str(line),
                Part::Before | Part::Down => files::blank(line, &mut kept),
            }
            continue;
        };
        files::blank(line, &mut kept);
        let mut words = mark.split_ascii_whitespace();
        let first = words.next().unwrap_or_default().to_ascii_lowercase();
        let rest: Vec<String> = words.map(str::to_ascii_lowercase).collect();
        match (first.as_str(), part) {
            ("up", _) if ups == 0 => {
                part = Part::Up;
                ups += 1;
            }
            ("up", _) => return Up::refused("more than one up mark"),
            // goose itself refuses a down mark that comes first. What stands under the up mark is what
            // was meant, and what another version of the tool would run.
            ("down", _) if downs == 0 => {
                part = Part::Down;
                downs += 1;
            }
            ("down", _) => return Up::refused("more than one down mark"),
            ("no", _) if rest == ["transaction"] => together = false,
            ("envsub", _) if rest == ["on"] || rest == ["off"] => {}
            ("statementbegin" | "statementend", Part::Up | Part::Down) => {}
            _ => return Up::refused("a mark that is not known"),
        }
        together &= !(first == "up" && rest.first().is_some_and(|option| option == "notransaction"));
    }
    if ups == 0 {
        return Up::refused("no up mark");
    }
    if strays {
        return Up { text: Err(Unread::Syntax { words: "text before the up mark".to_owned() }), together };
    }
    Up { text: Ok(kept.into()), together }
}

#[cfg(test)]
mod tests {
    use super::{up, version};

    #[test]
    fn versions_of_names() {
        for (name, expected) in [
            ("00001_create.sql", Some("1")),
            ("20260102030405_a b é.sql", Some("20260102030405")),
            ("3_seed.go", Some("3")),
            ("3_seed_test.go", None),
            ("0_zero.sql", None),
            ("x_1.sql", None),
            ("12.sql", None),
            ("12-a.sql", None),
            ("99999999999999999999999_far.sql", Some("99999999999999999999999")),
            ("1_a.SQL", None),
        ] {
            assert_eq!(version(name), expected, "{name}");
        }
    }

    #[test]
    fn the_up_part_keeps_its_lines() {
        let text = "-- why\n\n-- +goose Up\nCREATE TABLE boats (id int);\n-- +goose StatementBegin\nSELECT 1;\n-- \
                    +goose StatementEnd\n-- +goose Down\nDROP TABLE boats;\n";
        let up = up(text);
        let kept = up.text.expect("readable");
        assert_eq!(kept.len(), text.len());
        let lines: Vec<_> = kept.lines().map(str::trim).collect();
        assert_eq!(lines, ["", "", "", "CREATE TABLE boats (id int);", "", "SELECT 1;", "", "", ""]);
        assert!(up.together);
    }

    #[test]
    fn marks_that_matter() {
        for (text, together, kept) in [
            ("-- +goose NO TRANSACTION\n-- +goose Up\nA;\n", false, Some("A;")),
            ("-- +goose up\r\nA;\r\n-- +goose DOWN\r\nB;\r\n", true, Some("A;")),
            ("--+goose Up\nA;", true, Some("A;")),
            ("-- +goose ENVSUB ON\n-- +goose Up\nA;", true, Some("A;")),
            ("-- +goose Up\n", true, Some("")),
            ("A;\n-- +goose Up\nB;\n", true, None),
            ("-- +goose Down\nA;\n-- +goose Up\nB;\n", true, Some("B;")),
            ("-- +goose Down\nA;\n", true, None),
            ("-- +goose Up\nB;\n-- +goose Down\nA;\n-- +goose Down\nC;\n", true, None),
            ("-- +goose Up\nA;\n-- +goose Up\nB;\n", true, None),
            ("-- +goose Upp\nA;\n", true, None),
            ("A;\n", true, None),
            ("", true, None),
        ] {
            let up = up(text);
            assert_eq!(up.text.ok().as_deref().map(str::trim), kept, "{text:?}");
            assert_eq!(up.together, together, "{text:?}");
        }
    }
}
