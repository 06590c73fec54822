//! Sqitch: the changes of `sqitch.plan` in their order, each a script under `deploy/`.
//!
//! Facts from sqitchers/sqitch's manual (sqitchchanges, sqitch-rework): a plan line begins with the
//! change's name, `%` begins a pragma, `@` a tag; a reworked change's earlier script is called
//! `name@tag`, after the first tag that follows it.

use std::collections::{HashMap, HashSet};

use crate::Place;
use crate::frameworks::files::{self, Draft};
use crate::frameworks::{Edited, Found, Framework, Read};
use crate::migration::{Context, History, Problem};
use crate::sql::Dialect;
use crate::tree::Tree;

/// The row. Compared statement by statement with files of Tamarou/Registry (67) and
/// BeeeOn/server-db (41).
pub const ROW: Framework =
    Framework { id: "sqitch", title: "Sqitch", read: Read::Whole, edited: Edited::Unnoticed, find, history };

const PLAN: &str = "sqitch.plan";

fn find(tree: &dyn Tree) -> Vec<Found> {
    files::directories(tree, |name| name == PLAN)
        .into_keys()
        .filter(|root| scripts_of(tree, root).is_some())
        .map(|root| {
            let conf = conf(tree, root).or_else(|| files::text(tree, "sqitch.conf")).unwrap_or_default();
            let dialect = setting(&conf, "engine").and_then(Dialect::of_word);
            Found { framework: ROW.id, root: root.to_owned(), dialect }
        })
        .collect()
}

fn conf(tree: &dyn Tree, root: &str) -> Option<String> {
    files::text(tree, &files::join(root, "sqitch.conf"))
}

fn setting<'c>(conf: &'c str, wanted: &str) -> Option<&'c str> {
    conf.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim() == wanted)
        .map(|(_, value)| value.trim())
}

/// Where a plan's scripts are: beside it, or under the `top_dir` of the settings beside it, where that
/// has no plan of its own. `None`: the plan is nobody's.
fn scripts_of(tree: &dyn Tree, root: &str) -> Option<String> {
    let beside = files::join(root, "deploy");
    if !files::below(tree, &beside).is_empty() {
        return Some(beside);
    }
    let conf = conf(tree, root)?;
    let top = files::join(root, setting(&conf, "top_dir")?.trim_start_matches("./").trim_matches('/'));
    let deploy = files::join(&top, "deploy");
    (tree.entry(&files::join(&top, PLAN)).is_none() && !files::below(tree, &deploy).is_empty()).then_some(deploy)
}

/// The scripts of a plan, in order, without their ending.
fn scripts(plan: &str) -> Vec<String> {
    let mut scripts: Vec<String> = vec![];
    // Where a name stands that no tag has followed yet, and its last place.
    let mut last: HashMap<&str, usize> = HashMap::new();
    let mut tagged: HashMap<usize, &str> = HashMap::new();
    let mut untagged: Vec<usize> = vec![];
    for line in plan.lines() {
        let word = line.split('#').next().unwrap_or_default().split_whitespace().next().unwrap_or_default();
        if word.is_empty() || word.starts_with('%') {
            continue;
        }
        if let Some(tag) = word.strip_prefix('@') {
            untagged.drain(..).for_each(|at| {
                tagged.insert(at, tag);
            });
            continue;
        }
        let name = word.trim_start_matches('+');
        if let Some(before) = last.insert(name, scripts.len())
            && let (Some(script), Some(tag)) = (scripts.get_mut(before), tagged.get(&before))
        {
            *script = format!("{name}@{tag}");
        }
        untagged.push(scripts.len());
        scripts.push(name.to_owned());
    }
    scripts
}

fn history(context: &Context<'_>, found: &Found) -> History {
    let plan = files::join(&found.root, PLAN);
    let text = files::text(context.tree, &plan).unwrap_or_default();
    let deploy = scripts_of(context.tree, &found.root).unwrap_or_else(|| files::join(&found.root, "deploy"));
    let mut drafts = vec![];
    let mut problems = vec![];
    let mut named = HashSet::new();
    let at = |path: String| Place { path, line: 1 };
    for script in scripts(&text) {
        let path = files::join(&deploy, &format!("{script}.sql"));
        match context.tree.entry(&path) {
            Some(entry) => drafts.push(Draft::sql(script, None, entry, files::whole)),
            None => problems.push(Problem {
                rule: "stale-journal",
                at: at(plan.clone()),
                words: format!("the plan names {script}, and there is no {path}"),
            }),
        }
        named.insert(path);
    }
    for entry in files::below(context.tree, &deploy) {
        if entry.path.ends_with(".sql") && !named.contains(&entry.path) {
            let words = format!("{} is not in {plan}: it would not run", entry.path);
            problems.push(Problem { rule: "stale-journal", at: at(entry.path.clone()), words });
        }
    }
    let mut history = files::history(context, found, drafts);
    // Scripts say themselves where a transaction begins and ends.
    history.migrations.iter_mut().for_each(|migration| migration.together = false);
    history.problems.extend(problems);
    history
}

#[cfg(test)]
mod tests {
    use super::{find, history, scripts};
    use crate::frameworks::files::tests_of_trees::{keys, read};
    use crate::sql::Dialect;
    use crate::tree::MemoryTree;

    #[test]
    fn a_plan() {
        let plan = "%syntax-version=1.0.0\n%project=boats\n\nschema 2026-01-01T00:00:00Z A <a@b> # why\nboats [schema] 2026-01-02T00:00:00Z A <a@b>\n@v1 2026-01-03T00:00:00Z A <a@b>\n\nboats [boats@v1] 2026-01-04T00:00:00Z A <a@b>\n# only a remark\n";
        assert_eq!(scripts(plan), ["schema", "boats@v1", "boats"]);
    }

    #[test]
    fn a_plan_and_its_scripts() {
        let conf = "[core]\n  top_dir = ./sql\n";
        let roots = |files: &[(&str, &str)]| {
            find(&MemoryTree::new(files.iter().copied())).into_iter().map(|found| found.root).collect::<Vec<_>>()
        };
        let files = [
            ("sqitch.plan", "a 2026 A <a>"),
            ("sqitch.conf", conf),
            ("sql/deploy/a.sql", "A;"),
            ("sql/sqitch.plan", ""),
        ];
        assert_eq!(roots(&files), ["sql"]);
        assert_eq!(roots(&files[..3]), [""]);
        assert_eq!(roots(&files[..2]), Vec::<String>::new());
        let tree = MemoryTree::new(files[..3].iter().copied());
        assert_eq!(keys(&read(&tree, &find(&tree)[0], history)), ["a"]);
    }

    #[test]
    fn deploy_only_and_in_order() {
        let tree = MemoryTree::new([
            ("db/sqitch.plan", "%project=x\nz_first 2026 A <a>\na_second 2026 A <a>\ngone 2026 A <a>\n"),
            ("db/sqitch.conf", "[core]\n\tengine = pg\n"),
            ("db/deploy/a_second.sql", "A;"),
            ("db/deploy/z_first.sql", "Z;"),
            ("db/deploy/stray.sql", "S;"),
            ("db/revert/z_first.sql", "X;"),
        ]);
        let found = find(&tree);
        assert_eq!(found[0].dialect, Some(Dialect::Postgres));
        let history = read(&tree, &found[0], history);
        assert_eq!(keys(&history), ["z_first", "a_second"]);
        assert_eq!(history.problems.len(), 2);
    }
}
