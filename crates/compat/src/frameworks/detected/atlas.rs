//! Atlas: a directory of `<version>_name.sql` with its sums in `atlas.sum`.
//!
//! Facts from ariga/atlas: `sql/migrate/dir.go` (files by name, the version before the first `_`, the
//! sum file, `atlas:checkpoint`), and the directive `atlas:txmode none`. Other tools' directories may
//! have an `atlas.sum` too.

use std::collections::HashSet;

use crate::Place;
use crate::frameworks::files::{self, Draft, Up};
use crate::frameworks::{Edited, Found, Framework, Read};
use crate::migration::{Context, History, Problem, Runs};
use crate::tree::Tree;

/// The row. Compared statement by statement with files of KanponMeta/data-governance (12) and
/// MailDefender/engine (1).
pub const ROW: Framework =
    Framework { id: "atlas", title: "Atlas", read: Read::Whole, edited: Edited::Refused, find, history };

const SUM: &str = "atlas.sum";

fn find(tree: &dyn Tree) -> Vec<Found> {
    files::directories(tree, |name| name == SUM)
        .into_keys()
        .map(|root| Found { framework: ROW.id, root: root.to_owned(), dialect: None })
        .collect()
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let drafts = files::directly(context.tree, &found.root)
        .filter_map(|(entry, name)| {
            let stem = name.strip_suffix(".sql")?;
            let key = stem.split('_').next().unwrap_or(stem);
            let digits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
            let mut draft = Draft::sql(key, digits.then(|| files::pieces(key)), entry, up);
            if stem.contains("checkpoint")
                && files::text(context.tree, &entry.path).is_some_and(|text| text.contains("atlas:checkpoint"))
            {
                // For new databases only, in place of all before it.
                draft.runs = Runs::Never;
            }
            Some(draft)
        })
        .collect();
    files::history(context, found, drafts)
}

fn up(text: &str) -> Up<'_> {
    let head = text.lines().take_while(|line| line.starts_with("--") || line.trim().is_empty());
    let apart = head.into_iter().any(|line| line.contains("atlas:txmode none"));
    Up { together: !apart, ..files::whole(text) }
}

/// What the sum file of a directory, if it has one, does not agree with: files it does not name, names
/// without a file. The sums themselves are not computed: an edit is seen by the file's content.
pub fn stale_sum(tree: &dyn Tree, found: &Found, history: &History) -> Vec<Problem> {
    let path = files::join(&found.root, SUM);
    if tree.entry(&path).is_none() {
        return vec![];
    }
    let text = files::text(tree, &path).unwrap_or_default();
    let named: HashSet<&str> =
        text.lines().filter_map(|line| line.rsplit_once(" h1:")).map(|(name, _)| name.trim()).collect();
    let problem = |words: String| Problem { rule: "stale-sum", at: Place { path: path.clone(), line: 1 }, words };
    let mut problems: Vec<Problem> = history
        .migrations
        .iter()
        .map(|migration| files::relative(&migration.path, &found.root))
        .filter(|name| !name.contains('/') && name.ends_with(".sql") && !named.contains(name))
        .map(|name| problem(format!("{name} is not in {path}: Atlas refuses to run")))
        .collect();
    let mut gone: Vec<&&str> =
        named.iter().filter(|name| tree.entry(&files::join(&found.root, name)).is_none()).collect();
    gone.sort();
    problems.extend(gone.into_iter().map(|name| problem(format!("{path} names {name}, which is not there"))));
    problems
}

#[cfg(test)]
mod tests {
    use super::{find, history, up};
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::migration::Runs;
    use crate::tree::MemoryTree;

    #[test]
    fn the_sum_names_what_there_is() {
        let tree = MemoryTree::new([
            ("m/atlas.sum", "h1:abc=\n20260101_a b.sql h1:x=\n20260102_gone.sql h1:y=\n"),
            ("m/20260101_a b.sql", "A;"),
            ("m/20260103_c.sql", "C;"),
            ("m/20260104_checkpoint.sql", "-- atlas:checkpoint\n\nD;"),
            ("m/README.md", ""),
        ]);
        let found = find(&tree);
        assert_eq!(found.len(), 1);
        let history = read(&tree, &found[0], history);
        assert_eq!(keys(&history), ["20260101", "20260103", "20260104"]);
        assert_eq!(history.migrations[2].runs, Runs::Never);
        let words: Vec<_> = history.problems.iter().map(|problem| problem.words.as_str()).collect();
        assert_eq!(words.len(), 3, "{words:?}");
        assert!(words[0].starts_with("20260103_c.sql") && words[2].contains("20260102_gone.sql"));
    }

    #[test]
    fn out_of_a_transaction() {
        assert!(!up("-- atlas:txmode none\n\nA;").together);
        assert!(up("A;\n-- atlas:txmode none").together);
    }
}
