//! Play evolutions: `conf/evolutions/<database>/<n>.sql` with `!Ups` and `!Downs`.
//!
//! Facts from playframework/playframework, `Evolutions.scala`: a mark is a line that begins with `#` or
//! `--` and has `!Ups` or `!Downs` in it; text before the first mark is not run; `;;` stands for one `;`
//! that ends nothing. Statements are committed one by one by default.

use crate::Place;
use crate::frameworks::files::{self, Draft, Up};
use crate::frameworks::{Edited, Found, Framework, Read};
use crate::migration::{Context, History, Problem};
use crate::tree::Tree;

/// The row. Compared statement by statement with files of CSCfi/exam (142) and AssetMantle/client (7).
pub const ROW: Framework =
    Framework { id: "play", title: "Play evolutions", read: Read::Whole, edited: Edited::Refused, find, history };

fn version(name: &str) -> Option<&str> {
    let (digits, rest) = files::leading_digits(name)?;
    (rest == ".sql").then(|| files::significant(digits))
}

fn find(tree: &dyn Tree) -> Vec<Found> {
    files::directories(tree, |name| version(name).is_some())
        .into_keys()
        .filter(|directory| files::split(files::split(directory).0).1 == "evolutions")
        .map(|directory| Found { framework: ROW.id, root: directory.to_owned(), dialect: None })
        .collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let mut drafts: Vec<_> = files::directly(context.tree, &found.root)
        .filter_map(|(entry, name)| {
            let version = version(name)?;
            Some(Draft::sql(version, Some(files::pieces(version)), entry, up))
        })
        .collect();
    drafts.sort_by(|one, other| (&one.version, &one.entry.path).cmp(&(&other.version, &other.entry.path)));
    // Play counts from 1 and stops where a number is missing.
    drafts.retain(|draft| draft.key != "0");
    let mut reached = 1;
    let mut problems = vec![];
    for draft in &drafts {
        match draft.version.as_deref() {
            Some([number]) if *number <= reached => reached = number + 1,
            _ => problems.push(Problem {
                rule: "stale-journal",
                at: Place { path: draft.entry.path.clone(), line: 1 },
                words: format!("there is no evolution {reached}: {} would not run", draft.key),
            }),
        }
    }
    let mut history = files::history(context, found, drafts);
    history.problems.extend(problems);
    history
}

fn up(text: &str) -> Up<'_> {
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    let mut marks = false;
    for line in files::lines(text) {
        let mark = (line.starts_with('#') || line.starts_with("--"))
            .then(|| if line.contains("!Ups") { Some(true) } else { line.contains("!Downs").then_some(false) })
            .flatten();
        if let Some(up) = mark {
            inside = up;
            marks = true;
        }
        if inside && mark.is_none() { kept.push_str(line) } else { files::blank(line, &mut kept) }
    }
    if !marks && !text.trim().is_empty() {
        return Up::refused("no !Ups mark");
    }
    Up { text: Ok(kept.into()), together: false }
}

#[cfg(test)]
mod tests {
    use super::{find, history, up};
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::tree::MemoryTree;

    #[test]
    fn ups_only() {
        let text = "# Boats schema\n\n# --- !Ups\nA;\n\n# --- !Downs\nB;\n";
        let kept = up(text).text.expect("readable");
        assert_eq!(kept.len(), text.len());
        assert_eq!(kept.split_whitespace().collect::<Vec<_>>(), ["A;"]);
        assert_eq!(up("-- !Ups\nA;").text.as_deref().map(str::trim), Ok("A;"));
        assert!(up("A;").text.is_err());
    }

    #[test]
    fn numbers_order() {
        let files =
            [("conf/evolutions/default/2.sql", ""), ("conf/evolutions/default/10.sql", ""), ("conf/2.sql", "")];
        let tree = MemoryTree::new(files);
        let found = find(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(keys(&read(&tree, &found[0], history)), ["2", "10"]);
    }
}
