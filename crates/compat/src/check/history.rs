//! One history: read in every tree, compared, replayed, judged.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;

use super::dumps::told;
use super::find::{Located, entries_under};
use super::replay::{Replay, replay};
use super::{Question, evidence::Draft, unused};
use crate::Verdict::NeedsReview;
use crate::frameworks::{Edited, Found, Read, rails, tidied};
use crate::migration::{Context, History, Limits, Memo, Migration, Runs};
use crate::operation::Step;
use crate::rules::history::{Range, Wrong, compare};
use crate::rules::{Change, UNREADABLE};
use crate::schema::Schema;
use crate::sql::Dialect;
use crate::tree::{Entry, NoContent, Tree};
use crate::{Place, sql};

/// What is found in one history; adds how many migrations the range brings.
pub fn judge(question: &Question<'_>, located: &Located, memo: &Memo, migrations: &mut usize) -> Vec<Draft> {
    let reader = Reader { question, located, memo };
    if let Some(draft) = reader.too_many() {
        return vec![draft];
    }
    let head = reader.read(question.head, &located.found);
    let bases: Vec<History> =
        question.base.iter().map(|tree| reader.read(*tree, located.found_in(*tree))).collect();
    // A row that is written gives what it reads, and for the rest steps that say so.
    let nothing = |history: &History| history.migrations.is_empty() && history.problems.is_empty();
    if located.framework.read == Read::Detected && nothing(&head) && bases.iter().all(nothing) {
        return detected(question, located);
    }
    let mut range = compare(located.framework, &bases, &head);
    if located.framework.edited == Edited::Unnoticed {
        range.wrong.retain(|wrong| !reader.only_tidied(wrong, &bases));
    }
    *migrations += range.added.len();
    let mut paths = paths(&located.found, &head);
    paths.extend(located.moved_from.iter().map(|from| from.root.clone()));
    let mut drafts: Vec<Draft> = range.wrong.iter().map(|wrong| Draft::of_history(wrong.clone(), &paths)).collect();
    if range.added.is_empty() {
        if range.wrong.is_empty() {
            drafts.extend(schema_alone(question, located).map(|wrong| Draft::of_history(wrong, &paths)));
        }
        return drafts;
    }
    let dialect = reader.dialect();
    let base = before(question, located, &bases, &range);
    let known = base.clone();
    drafts.extend(
        replay(&Replay { dialect, base, added: &range.added })
            .into_iter()
            .filter_map(|(change, at)| Some(Draft::of_change(change, range.added.get(at.0)?, at.1, &paths))),
    );
    unused::ask_for_tables(question, &known, &paths, &mut drafts);
    drafts
}

/// Where migrations lie: names in them are no use of a name.
fn paths(found: &Found, head: &History) -> Vec<String> {
    let mut paths: Vec<String> = head.migrations.iter().map(|migration| migration.path.clone()).collect();
    if !found.root.is_empty() {
        paths.push(found.root.clone());
    }
    paths.sort();
    paths.dedup();
    paths
}

struct Reader<'a> {
    question: &'a Question<'a>,
    located: &'a Located,
    memo: &'a Memo,
}

impl Reader<'_> {
    fn limits(&self) -> Limits {
        self.question.settings.limits
    }

    fn dialect(&self) -> Dialect {
        self.located.dialect
    }

    fn read(&self, tree: &dyn Tree, found: &Found) -> History {
        let bounded = Bounded { tree, left: Cell::new(self.limits().all_bytes) };
        let context = Context { tree: &bounded, dialect: self.dialect(), limits: self.limits(), memo: self.memo };
        (self.located.framework.history)(&context, found)
    }

    /// Whether an edited migration is the same program in other words.
    fn only_tidied(&self, wrong: &Wrong, bases: &[History]) -> bool {
        if wrong.rule != "edited-migration" {
            return false;
        }
        let Ok(after) = self.question.head.text(&wrong.at.path) else { return false };
        self.question.base.iter().zip(bases).any(|(tree, base)| {
            let known = base.migrations.iter().find(|migration| migration.key == wrong.migration);
            known.and_then(|known| tree.text(&known.path).ok()).is_some_and(|before| {
                tidied::same_program(&wrong.at.path, &before, &after, self.dialect(), self.limits())
            })
        })
    }

    /// More files than a history may have: nothing is parsed.
    fn too_many(&self) -> Option<Draft> {
        let root = &self.located.found.root;
        let allowed = self.limits().migrations;
        // Under the root of a repository lies all its code.
        if root.is_empty() || entries_under(self.question.head, root).count() <= allowed {
            return None;
        }
        let words = format!("{root} has more than {allowed} files, which is over the limit");
        Some(Draft::of_history(unreadable(root, words), &[]))
    }
}

fn unreadable(path: &str, words: String) -> Wrong {
    Wrong {
        rule: UNREADABLE,
        verdict: NeedsReview,
        at: Place { path: path.to_owned(), line: 1 },
        migration: String::new(),
        blob: String::new(),
        words,
    }
}

/// A tree that gives out so many bytes and no more.
struct Bounded<'a> {
    tree: &'a dyn Tree,
    left: Cell<u64>,
}

impl Tree for Bounded<'_> {
    fn entries(&self) -> &[Entry] {
        self.tree.entries()
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, NoContent> {
        let bytes = self.tree.read(path)?;
        let size = bytes.len() as u64;
        match self.left.get().checked_sub(size) {
            Some(left) => {
                self.left.set(left);
                Ok(bytes)
            }
            None => Err(NoContent::TooLarge(size)),
        }
    }
}

/// The schema that code which runs relies on.
fn before(question: &Question<'_>, located: &Located, bases: &[History], range: &Range<'_>) -> Schema {
    let (dialect, limits) = (located.dialect, question.settings.limits);
    let mut schema = Schema::empty();
    schema.overloads = dialect == Dialect::Postgres;
    schema.appends = matches!(dialect, Dialect::Postgres | Dialect::Sqlite);
    if let Some((path, text)) = &question.settings.schema {
        take(&mut schema, &schema_steps(path, text, dialect, limits));
    } else {
        // What was there before the first migration is not known.
        schema.whole = !range.base.is_empty();
        let ran = range.base.iter().filter(|migration| migration.runs != Runs::Never);
        ran.for_each(|migration| apply(&mut schema, migration));
        if !schema.whole && located.framework.id == rails::ROW.id {
            schema = dumped(question, located, bases, range).unwrap_or(schema);
        }
    }
    schema.settle();
    schema
}

/// Where the migrations do not tell the whole, what Rails wrote down of the first tree of the base,
/// and the migrations that only other trees of the base have.
fn dumped(question: &Question<'_>, located: &Located, bases: &[History], range: &Range<'_>) -> Option<Schema> {
    let tree = question.base.first()?;
    let path = rails::dump(*tree, &located.found_in(*tree).root)?;
    let mut schema = Schema::empty();
    schema.overloads = located.dialect == Dialect::Postgres;
    schema.appends = matches!(located.dialect, Dialect::Postgres | Dialect::Sqlite);
    take(&mut schema, &schema_steps(&path, &tree.text(&path).ok()?, located.dialect, question.settings.limits));
    let known: HashSet<&str> = bases.first()?.migrations.iter().map(|migration| migration.key.as_str()).collect();
    for migration in range.base.iter().filter(|migration| !known.contains(migration.key.as_str())) {
        apply(&mut schema, migration);
    }
    Some(schema)
}

fn take(schema: &mut Schema, steps: &[Step]) {
    steps.iter().for_each(|step| schema.apply(step, None));
}

fn apply(schema: &mut Schema, migration: &Migration) {
    for step in migration.steps.iter() {
        schema.apply(step, None);
    }
    schema.end_session();
    // Nobody asks what the base took for granted.
    let _ = schema.take_assumed();
    let _ = schema.take_touched();
}

/// What a file that shows a schema makes of an empty database.
fn schema_steps(path: &str, text: &str, dialect: Dialect, limits: Limits) -> Vec<Step> {
    if path.ends_with(".rb") {
        rails::schema_steps(text, dialect, limits)
    } else {
        sql::read(dialect, text, limits)
    }
}

/// The files that show the schema of a history.
pub fn shown(root: &str) -> Vec<String> {
    let Some((parent, last)) = root.rsplit_once('/') else { return vec![] };
    match last {
        "migrate" => vec![format!("{parent}/schema.rb"), format!("{parent}/structure.sql")],
        "migrations" => vec![format!("{parent}/schema.prisma")],
        _ => vec![],
    }
}

/// The file that shows the schema was changed, and no migration with it.
fn schema_alone(question: &Question<'_>, located: &Located) -> Option<Wrong> {
    if !matches!(located.framework.id, "rails" | "prisma") {
        return None;
    }
    shown(&located.found.root).into_iter().find_map(|path| {
        let head = told(&question.head.text(&path).ok()?, &path);
        let known = question.base.iter().any(|base| base.text(&path).is_ok_and(|text| told(&text, &path) == head));
        let was = question.base.iter().any(|base| base.entry(&path).is_some());
        (was && !known).then(|| Wrong {
            rule: "schema-without-migration",
            verdict: NeedsReview,
            at: Place { path: path.clone(), line: 1 },
            migration: String::new(),
            blob: question.head.entry(&path).map(|entry| entry.content.0.clone()).unwrap_or_default(),
            words: format!("{path} was changed, and no migration with it"),
        })
    })
}

/// How many files of a framework that is not read are named one by one.
const NAMED: usize = 20;

/// Files changed of a framework that is recognised and not read yet.
fn detected(question: &Question<'_>, located: &Located) -> Vec<Draft> {
    let root = located.found.root.as_str();
    let title = located.framework.title;
    let mut drafts = vec![];
    for entry in entries_under(question.head, root) {
        let known = |base: &dyn Tree| base.entry(&entry.path).is_some_and(|known| known.content == entry.content);
        if question.base.iter().copied().any(known) {
            continue;
        }
        let words = format!("{} is a migration of {title}, whose reader is not written yet", entry.path);
        let wrong = Wrong { blob: entry.content.0.clone(), ..unreadable(&entry.path, words) };
        drafts.push(Draft::of_history(wrong, &[]));
        if drafts.len() >= NAMED {
            break;
        }
    }
    if drafts.is_empty() {
        let words = format!("files of {title} under {root} are gone, and its reader is not written yet");
        drafts.push(Draft::of_history(unreadable(root, words), &[]));
    }
    drafts
}

impl Draft {
    fn of_history(wrong: Wrong, migrations: &[String]) -> Self {
        let change = Change {
            rule: wrong.rule,
            verdict: wrong.verdict,
            object: if wrong.migration.is_empty() { wrong.at.path.clone() } else { wrong.migration.clone() },
            mark: None,
            words: wrong.words,
            before: None,
            after: None,
            asked: None,
            apart: None,
        };
        Self {
            change,
            at: wrong.at,
            migration: wrong.migration,
            blob: wrong.blob,
            statement: String::new(),
            migrations: migrations.to_vec(),
        }
    }

    fn of_change(change: Change, migration: &Migration, step: usize, migrations: &[String]) -> Self {
        let step = migration.steps.get(step);
        Self {
            change,
            at: Place { path: migration.path.clone(), line: step.map_or(migration.line, |step| step.line) },
            migration: migration.key.clone(),
            blob: migration.content.0.clone(),
            statement: step.map(|step| step.text.clone()).unwrap_or_default(),
            migrations: migrations.to_vec(),
        }
    }
}
