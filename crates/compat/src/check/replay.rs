//! The range, step by step: what each transaction leaves behind, and what the whole leaves behind.

use std::collections::{BTreeMap, BTreeSet};

use crate::Verdict::{Incompatible, NeedsReview};
use crate::migration::Migration;
use crate::rules::{Change, Sides, acts, judge};
use crate::schema::{Schema, Touched};
use crate::sql::Dialect;
use crate::sql::undone::open_behind;

/// What is replayed.
pub struct Replay<'a> {
    /// The dialect.
    pub dialect: Dialect,
    /// What code that runs relies on.
    pub base: Schema,
    /// What comes, in order.
    pub added: &'a [&'a Migration],
}

/// A change and the migration and step of the range that made it.
pub type At = (Change, (usize, usize));

/// Everything that the range changes for the worse, in its order.
pub fn replay(question: &Replay<'_>) -> Vec<At> {
    let mut run = Run::new(question, question.base.clone());
    run.all();
    // Something was taken for granted that no history shows: then what is made "if it is not there" may
    // have been there too.
    if run.now.gap && !question.base.gap {
        let mut base = question.base.clone();
        base.not_whole();
        run = Run::new(question, base);
        run.all();
    }
    run.found()
}

struct Run<'a> {
    question: &'a Replay<'a>,
    before: Schema,
    now: Schema,
    /// Which step a mark is.
    marks: Vec<(usize, usize)>,
    touched: BTreeSet<Touched>,
    /// What leaves no trace.
    acts: Vec<Change>,
    /// What was broken for a while, and in which migration.
    broken: BTreeMap<(&'static str, String), (Change, usize)>,
}

impl<'a> Run<'a> {
    fn new(question: &'a Replay<'a>, base: Schema) -> Self {
        Self {
            question,
            now: base.clone(),
            before: base,
            marks: vec![],
            touched: BTreeSet::new(),
            acts: vec![],
            broken: BTreeMap::new(),
        }
    }

    fn sides(&self) -> Sides<'_> {
        Sides { before: &self.before, now: &self.now, dialect: self.question.dialect }
    }

    fn all(&mut self) {
        let last = self.question.added.len().saturating_sub(1);
        for (number, migration) in self.question.added.iter().enumerate() {
            let touched = self.migration(number, migration);
            if number != last {
                self.window(&touched, number, false);
            }
            self.touched.extend(touched);
            self.now.end_session();
        }
    }

    fn migration(&mut self, number: usize, migration: &Migration) -> BTreeSet<Touched> {
        let mut touched = BTreeSet::new();
        let mut apart = BTreeSet::new();
        // SQLite has no other way to change a table than to rebuild it.
        let stepwise = !migration.together && self.question.dialect != Dialect::Sqlite;
        let mut open = 0;
        for (step_number, step) in migration.steps.iter().enumerate() {
            let mark = u32::try_from(self.marks.len()).ok();
            self.marks.push((number, step_number));
            let act = acts(self.sides(), step, mark);
            self.acts.extend(act);
            self.now.apply(step, mark);
            for assumed in self.now.take_assumed() {
                self.before.take_over(assumed);
            }
            let by_step = self.now.take_touched();
            // Steps of one text are one statement.
            let next = migration.steps.get(step_number + 1);
            touched.extend(by_step.iter().cloned());
            apart.extend(by_step);
            open = open_behind(open, step, self.question.dialect);
            if stepwise && open == 0 && next.is_some_and(|next| next.text != step.text || next.line != step.line) {
                self.window(&std::mem::take(&mut apart), number, true);
            }
        }
        touched
    }

    /// What is broken now, if only until a later step mends it.
    fn window(&mut self, touched: &BTreeSet<Touched>, number: usize, within: bool) {
        for change in judge(self.sides(), touched) {
            // Where a database cannot replace a view, a routine or an index, a drop stands right before;
            // SQL Server's defaults are constraints, which it cannot replace either.
            let constraint = self.question.dialect == Dialect::MsSql && change.rule == "drop-default";
            let replaced = within
                && matches!(
                    change.rule,
                    "drop-view" | "drop-routine" | "drop-object" | "drop-index" | "rename-index" | "column-places"
                );
            if change.verdict == Incompatible && !replaced && !(within && constraint) {
                self.broken.entry((change.rule, change.object.clone())).or_insert((change, number));
            }
        }
    }

    fn found(mut self) -> Vec<At> {
        let mut changes = judge(self.sides(), &self.touched);
        let objects: BTreeSet<&str> = changes.iter().map(|change| change.object.as_str()).collect();
        let mut mended = vec![];
        for (change, number) in self.broken.values() {
            if !objects.contains(change.object.as_str()) && !self.within_found(&change.object, &objects) {
                mended.push(for_a_while(change, self.question.added.get(*number).copied()));
            }
        }
        changes.extend(mended);
        // Of a column that the schema shows, the statement need not be told too.
        let shown: BTreeSet<String> = changes
            .iter()
            .filter(|change| change.rule == "identity-always")
            .filter_map(|change| change.object.rsplit_once('.').map(|(table, _)| table.to_owned()))
            .collect();
        self.acts.retain(|act| act.rule != "identity-always" || !shown.contains(&act.object));
        changes.append(&mut self.acts);
        let marks = &self.marks;
        let at =
            |change: &Change| change.mark.and_then(|mark| marks.get(mark as usize)).copied().unwrap_or_default();
        let mut found: Vec<At> =
            changes.into_iter().map(|change| (at(&change), change)).map(|(at, change)| (change, at)).collect();
        found.sort_by(|(one, here), (other, there)| {
            here.cmp(there).then_with(|| one.rule.cmp(other.rule)).then_with(|| one.object.cmp(&other.object))
        });
        found.dedup();
        found
    }

    /// A column of a table that is found itself needs no word of its own.
    fn within_found(&self, object: &str, objects: &BTreeSet<&str>) -> bool {
        object.rsplit_once('.').is_some_and(|(table, _)| objects.contains(table))
    }
}

fn for_a_while(change: &Change, migration: Option<&Migration>) -> Change {
    let mut change = change.clone();
    let key = migration.map(|migration| migration.key.as_str()).unwrap_or_default();
    change.verdict = NeedsReview;
    change.words = format!("{}; a step after migration {key} mends it", change.words);
    change
}
