//! The whole question, of inputs that are labelled cases or grew out of them.

use std::collections::HashSet;

use towpath_compat::check::{Question, Running, Settings, check, check_with};
use towpath_compat::frameworks::{Found, detect, rows};
use towpath_compat::migration::{Context, History, Limits, Memo, Runs};
use towpath_compat::operation::Operation;
use towpath_compat::sql::Dialect;
use towpath_compat::sql::guess::guess;
use towpath_compat::tree::{MemoryTree, Tree};
use towpath_compat::{CompatReport, Verdict};

use super::input::{Input, lines};

/// Asks twice and with what was read before; holds the verdict against what could not be read.
pub fn hold(bytes: &[u8]) {
    let input = Input::read(bytes);
    let (base, head, running) = input.trees();
    let settings = Settings {
        framework: input.row().map(|row| row.id.to_owned()),
        dialect: input.dialect(),
        paths: input.said("path").map(str::to_owned).into_iter().collect(),
        schema: input.said("schema").and_then(|path| Some((path.to_owned(), base.text(path).ok()?))),
        limits: Limits::default(),
    };
    let named = |name: &str, head| Question {
        base: vec![&base as &dyn Tree],
        head,
        running: vec![Running { name: name.to_owned(), tree: &running }],
        settings: settings.clone(),
    };
    let question = |head| named("running", head);
    let memo = Memo::default();
    // Another question, so that the files are known and the answer is not.
    let _ = check_with(&named("other", &head), &memo);
    let report = check_with(&question(&head), &memo);
    assert_eq!(report, check_with(&question(&head), &memo), "the answer that is remembered is another");
    assert_eq!(
        report,
        check(&question(&head)),
        "the same trees are judged in two ways, or otherwise where their files are known"
    );
    in_place(&report, [&base, &head, &running]);
    let nothing = check(&question(&base));
    assert_eq!(nothing, CompatReport::default(), "nothing comes, and something is found");
    if unread(&settings, &base, &head) {
        assert_ne!(report.verdict(), Verdict::Compatible, "what could not be read passed");
    }
}

/// Whatever is said of a file is said of a line that it has in one of the trees.
fn in_place(report: &CompatReport, trees: [&MemoryTree; 3]) {
    let evidence = report.findings.iter().flat_map(|finding| &finding.evidence);
    let hits = evidence.flat_map(|evidence| &evidence.hits).map(|hit| &hit.at);
    for at in report.findings.iter().map(|finding| &finding.at).chain(hits) {
        let last = trees.iter().filter_map(|tree| tree.read(&at.path).ok()).map(|bytes| lines(&bytes)).max();
        let last = last.unwrap_or(1);
        assert!((1..=last).contains(&at.line), "line {} of {last}: {}", at.line, at.path);
    }
}

/// Whether the head has a migration that the base has not, that runs once, and of which a step could
/// not be read.
fn unread(settings: &Settings, base: &MemoryTree, head: &MemoryTree) -> bool {
    detect(head, settings.framework.as_deref(), &settings.paths).iter().any(|found| {
        let dialect = settings.dialect.or(found.dialect).unwrap_or_else(|| guess(head, found, &[]));
        let known = history(base, found, dialect);
        // Whatever moved from another place of the base may be known by another path.
        if known.migrations.is_empty() && !base.entries().is_empty() {
            return false;
        }
        let keys: HashSet<&str> = known.migrations.iter().map(|migration| migration.key.as_str()).collect();
        let contents: HashSet<_> = known.migrations.iter().map(|migration| &migration.content).collect();
        history(head, found, dialect).migrations.iter().any(|migration| {
            migration.runs == Runs::Once
                && !keys.contains(migration.key.as_str())
                && !contents.contains(&migration.content)
                && migration.steps.iter().any(|step| matches!(step.operation, Operation::Unread(_)))
        })
    })
}

fn history(tree: &MemoryTree, found: &Found, dialect: Dialect) -> History {
    let memo = Memo::default();
    let context = Context { tree, dialect, limits: Limits::default(), memo: &memo };
    let row = rows().find(|row| row.id == found.framework);
    row.map(|row| (row.history)(&context, found)).unwrap_or_default()
}
