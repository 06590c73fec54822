//! The search in running code: the head names what is asked for, the files are one tree.

use towpath_compat::Grade;
use towpath_compat::evidence::{Asked, Evidence, Known, Named, Places, Searcher, search};
use towpath_compat::operation::{Ident, Name};
use towpath_compat::tree::{MemoryTree, Tree};

use super::extract::within;
use super::input::Input;

/// Asks for one table and one column in every way, twice, and once more of what was read before.
pub fn hold(bytes: &[u8]) {
    let input = Input::read(bytes);
    let tree = input.tree();
    let asked = asked(&input);
    let migrations = vec!["migrations".to_owned(), "db/migrate".to_owned()];
    let searcher = Searcher::default();
    let found = searcher.search(&tree, &migrations, &asked);
    assert_eq!(found, searcher.search(&tree, &migrations, &asked), "what was read before says otherwise");
    assert_eq!(found, search(&tree, &migrations, &asked), "the same tree is searched in two ways");
    assert_eq!(found.len(), asked.len(), "an answer to each question");
    for (evidence, (asked, _)) in found.iter().zip(&asked) {
        in_place(&tree, evidence, asked);
    }
}

fn asked(input: &Input<'_>) -> Vec<(Asked, Known)> {
    let fits = |name: &&str| !name.is_empty();
    let said = |key: &str, otherwise: &str| Ident::exact(input.said(key).filter(fits).unwrap_or(otherwise));
    let (table, column) = (said("table", "users"), said("column", "nick_name"));
    let name = Name::plain(table.clone());
    let mut asked = vec![
        Asked::Table(name.clone()),
        Asked::Column(name.clone(), column.clone()),
        Asked::Value(column.written.clone(), vec![name.clone()]),
        Asked::Upsert(name.clone(), vec![column.clone()]),
        Asked::Object(Name::plain(column.clone())),
    ];
    asked.extend([Places::Appended, Places::Counted, Places::Moved].map(|how| Asked::Positions(name.clone(), how)));
    asked.extend([Named::Gone, Named::Renamed].map(|how| Asked::Index(column.clone(), how)));
    let required = input.said("required") == Some("yes");
    let list = |of| {
        input
            .said(of)
            .into_iter()
            .flat_map(|names| names.split(','))
            .filter(fits)
            .take(20)
            .map(str::to_lowercase)
            .collect()
    };
    let known = Known { required, elsewhere: list("elsewhere"), siblings: list("siblings") };
    asked.into_iter().map(|asked| (asked, known.clone())).collect()
}

fn in_place(tree: &MemoryTree, evidence: &Evidence, asked: &Asked) {
    assert!(evidence.files <= tree.entries().len(), "{} files were searched", evidence.files);
    for hit in &evidence.hits {
        assert!(tree.entry(&hit.at.path).is_some(), "there is no file {}", hit.at.path);
        within(tree, &hit.at);
    }
    let shown = !evidence.hits.is_empty() || evidence.mapper.is_some();
    assert!(evidence.grade < Grade::E2 || shown, "{asked:?} is used, and nothing shows where: {evidence:?}");
}
