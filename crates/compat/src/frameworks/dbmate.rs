//! dbmate: `<digits>name.sql` with `-- migrate:up` and `-- migrate:down`.
//!
//! Facts from amacneil/dbmate: `pkg/dbmate/migration.go` (marks and options), `pkg/dbmate/db.go`
//! (`migrationFileRegexp`, the order by file name).

use super::files::{self, Draft, Up};
use super::{Edited, Found, Framework, Read};
use crate::migration::{Context, History};
use crate::tree::Tree;

/// The row. Compared statement by statement with files of UPchieve/subway (356) and
/// bhatti/simple-storage (3).
pub const ROW: Framework =
    Framework { id: "dbmate", title: "dbmate", read: Read::Whole, edited: Edited::Unnoticed, find, history };

/// A file's version: the digits it begins with, as text: dbmate does not count them.
fn version(name: &str) -> Option<&str> {
    name.ends_with(".sql").then(|| files::leading_digits(name)).flatten().map(|(digits, _)| digits)
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    files::directories(tree, |name| version(name).is_some())
        .into_iter()
        .filter(|(_, entries)| {
            files::some_have(tree, entries, |text| files::lines(text).any(|line| mark(line).is_some()))
        })
        .map(|(directory, _)| Found { framework: ROW.id, root: directory.to_owned(), dialect: None })
        .collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    // The paths are ordered, and so are the names: that is dbmate's order.
    let drafts = files::directly(context.tree, &found.root)
        .filter_map(|(entry, name)| {
            let version = version(name)?;
            Some(Draft::sql(version, Some(files::pieces(version)), entry, up))
        })
        .collect();
    files::history(context, found, drafts)
}

/// A line that is a mark: whether it is the up mark, and its options.
fn mark(line: &str) -> Option<(bool, &str)> {
    let rest = line.strip_prefix("--")?.trim_start().strip_prefix("migrate:")?;
    let (up, options) = match rest.strip_prefix("up") {
        Some(options) => (true, options),
        None => (false, rest.strip_prefix("down")?),
    };
    options.chars().next().is_none_or(char::is_whitespace).then(|| (up, options.trim()))
}

fn up(text: &str) -> Up<'_> {
    let mut kept = String::with_capacity(text.len());
    let mut together = true;
    // Before the first mark, in an up part, in a down part.
    let mut inside: Option<bool> = None;
    let mut seen = false;
    for line in files::lines(text) {
        match (mark(line), inside) {
            (Some((false, _)), Some(false)) => return Up::refused("two down marks in a row"),
            (Some((up, options)), _) => {
                // dbmate itself refuses a down mark that comes first. What stands under the up mark is
                // what was meant.
                inside = Some(up);
                seen |= up;
                together &= !(up && options.split_whitespace().any(|option| option == "transaction:false"));
                files::blank(line, &mut kept);
            }
            (None, Some(true)) => kept.push_str(line),
            (None, Some(false)) => files::blank(line, &mut kept),
            (None, None) => {
                let comment = line.trim().is_empty() || line.trim_start().starts_with("--");
                if !comment {
                    return Up::refused("text before the up mark");
                }
                files::blank(line, &mut kept);
            }
        }
    }
    if seen { Up { text: Ok(kept.into()), together } } else { Up::refused("no up mark") }
}

#[cfg(test)]
mod tests {
    use super::{up, version};

    #[test]
    fn versions_of_names() {
        for (name, expected) in [
            ("20260102030405_create.sql", Some("20260102030405")),
            ("001.sql", Some("001")),
            ("1boats.sql", Some("1")),
            ("boats.sql", None),
            ("1_boats.txt", None),
        ] {
            assert_eq!(version(name), expected, "{name}");
        }
    }

    #[test]
    fn the_up_parts() {
        for (text, together, kept) in [
            ("-- migrate:up\nA;\n-- migrate:down\nB;\n", true, Some("\nA;\n\n\n")),
            ("--migrate:up transaction:false\r\nA;\r\n-- migrate:down\r\n", false, Some("\r\nA;\r\n\r\n")),
            ("-- c\n-- migrate:up\nA;", true, Some("\n\nA;")),
            (
                "-- migrate:up\nA;\n-- migrate:down\nB;\n-- migrate:up\nC;\n-- migrate:down\n",
                true,
                Some("\nA;\n\n\n\nC;\n\n"),
            ),
            ("-- migrate:upwards\nA;\n", true, None),
            ("-- migrate:down\nB;\n-- migrate:up\nA;\n", true, Some("\n\n\nA;\n")),
            ("-- migrate:down\nB;\n", true, None),
            ("-- migrate:up\nA;\n-- migrate:down\nB;\n-- migrate:down\n", true, None),
            ("X;\n-- migrate:up\nA;\n", true, None),
            ("A;\n", true, None),
        ] {
            let up = up(text);
            let seen = up.text.ok();
            if let Some(seen) = &seen {
                assert_eq!(seen.len(), text.len());
            }
            assert_eq!(seen.map(|seen| seen.replace(' ', "")).as_deref(), kept, "{text:?}");
            assert_eq!(up.together, together, "{text:?}");
        }
    }
}
