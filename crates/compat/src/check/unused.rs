//! A table that no running code names may ask for more: nobody is refused.
//!
//! The same evidence lets a table go as a whole. It counts only where the code is seen to use the
//! database's other tables, and where nothing within the database writes this one.

use super::Question;
use super::evidence::Draft;
use crate::evidence::{Asked, Known, Searcher};
use crate::operation::{ConstraintKind, Name};
use crate::schema::{Body, Schema, Use};
use crate::{Grade, Verdict};

/// What refuses writes of one table and nothing else.
const REFUSALS: &[&str] =
    &["set-not-null", "drop-default", "add-required-column", "default-then-dropped", "add-check", "add-unique"];

/// So many other tables are looked for.
const OTHERS: usize = 12;

/// Lets code be asked for the table of what would be refused, where its answer can count.
pub fn ask_for_tables(question: &Question<'_>, base: &Schema, paths: &[String], drafts: &mut [Draft]) {
    let refused = |draft: &Draft| {
        draft.change.asked.is_none()
            && draft.change.verdict == Verdict::Incompatible
            && REFUSALS.contains(&draft.change.rule)
    };
    let of =
        |draft: &Draft| table_of(base, &draft.change.object).filter(|table| nothing_writes(base, table)).cloned();
    let mut tables: Vec<Name> = drafts.iter().filter(|draft| refused(draft)).filter_map(of).collect();
    tables.sort();
    tables.dedup();
    if tables.is_empty() || question.running.is_empty() {
        return;
    }
    let others = base.tables.keys().filter(|name| !tables.contains(name)).take(OTHERS).cloned();
    let asked: Vec<(Asked, Known)> =
        tables.iter().cloned().chain(others).map(|name| (Asked::Table(name), Known::default())).collect();
    let searcher = Searcher::default();
    let mut unused = vec![true; tables.len()];
    for running in &question.running {
        let found = searcher.search(running.tree, paths, &asked);
        let speaks = found.iter().skip(tables.len()).any(|found| found.grade == Grade::E3);
        for (at, unused) in unused.iter_mut().enumerate() {
            *unused &= speaks && found.get(at).is_some_and(|found| found.grade == Grade::E0 && found.files > 0);
        }
    }
    for draft in drafts.iter_mut().filter(|draft| refused(draft)) {
        let Some(table) = of(draft) else { continue };
        let at = tables.iter().position(|known| *known == table);
        if at.and_then(|at| unused.get(at)).is_some_and(|unused| *unused) {
            draft.change.asked = Some((Asked::Table(table), Known::default()));
        }
    }
}

/// The table of the base that an object is, or is in.
fn table_of<'a>(base: &'a Schema, object: &str) -> Option<&'a Name> {
    let is = |name: &&Name| {
        let name = name.to_string();
        object.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    base.tables.keys().filter(is).max_by_key(|name| name.to_string().len())
}

/// Whether no view, routine or trigger names the table, and no key changes its rows.
fn nothing_writes(base: &Schema, table: &Name) -> bool {
    let free =
        |body: &Option<std::sync::Arc<Body>>| body.as_ref().is_some_and(|body| body.uses_table(table) == Use::No);
    let follows = base.tables.get(table).is_none_or(|it| {
        it.constraints.iter().any(|held| matches!(held.kind, ConstraintKind::ForeignKey { cascades: true, .. }))
    });
    let partition = base.tables.values().any(|it| it.parent.as_ref() == Some(table))
        || base.tables.get(table).is_none_or(|it| it.parent.is_some());
    base.whole
        && !follows
        && !partition
        && base.views.values().all(|view| free(&view.body))
        && base.routines.values().flatten().all(|routine| free(&routine.body))
        && base.others.values().all(|other| other.table.is_none() || free(&other.body))
}
