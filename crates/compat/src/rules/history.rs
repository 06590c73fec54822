//! The history itself: what is new in it, and what happened to what databases have already.
//!
//! All of it is told from two trees alone. Not here: what the new migrations do.

use std::collections::{HashMap, HashSet};

use crate::Verdict::{self, Incompatible, NeedsReview};
use crate::frameworks::{Edited, Framework};
use crate::migration::{ANY_CONTENT, History, Migration, Problem, Runs};
use crate::operation::{Operation, Step};
use crate::tree::ContentId;
use crate::{Place, rules::UNREADABLE};

/// Something that a history rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The rule.
    pub rule: &'static str,
    /// What it amounts to.
    pub verdict: Verdict,
    /// Where.
    pub at: Place,
    /// The migration's key, where it is about one.
    pub migration: String,
    /// The content's id, where it is about one.
    pub blob: String,
    /// One sentence.
    pub words: String,
}

/// A range: what the base has, what comes, and what is wrong between them.
#[derive(Debug, Default)]
pub struct Range<'a> {
    /// What databases have, in order.
    pub base: Vec<&'a Migration>,
    /// What they will get, in order.
    pub added: Vec<&'a Migration>,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
}

/// Frameworks that apply whatever they have not applied yet, whatever its version.
const ANY_ORDER: &[&str] = &["rails", "laravel", "doctrine", "diesel", "dbmate", "sqlx", "prisma"];

/// More migrations than this that are gone are told in one finding.
const TOLD_ONE_BY_ONE: usize = 5;

/// Compares what the trees of the base have with what the head has.
pub fn compare<'a>(framework: &Framework, bases: &'a [History], head: &'a History) -> Range<'a> {
    let mut range = Range { base: union(bases), ..Range::default() };
    let mut contents: HashMap<&str, Vec<&Migration>> = HashMap::new();
    for migration in bases.iter().flat_map(|base| &base.migrations) {
        contents.entry(&migration.key).or_default().push(migration);
    }
    let keys: HashSet<&str> = head.migrations.iter().map(|migration| migration.key.as_str()).collect();
    // What every tree of the base has and the head has not: a tree of the base may be ahead of the head.
    let gone: Vec<&Migration> = range
        .base
        .iter()
        .copied()
        .filter(|migration| !keys.contains(migration.key.as_str()))
        .filter(|migration| contents.get(migration.key.as_str()).is_some_and(|found| found.len() >= bases.len()))
        .collect();
    let mut moved: HashMap<&ContentId, &Migration> =
        gone.iter().map(|migration| (&migration.content, *migration)).collect();
    let mut renumbered = HashSet::new();
    let mut seen: HashMap<&str, &Migration> = HashMap::new();
    for migration in &head.migrations {
        if let Some(first) = seen.insert(&migration.key, migration)
            && !bases.iter().any(|base| twice(base, &migration.key))
            && !head.problems.iter().any(|problem| problem.rule == "duplicate-version")
        {
            let words = format!("has the version {} of {}", migration.key, first.path);
            range.wrong.push(of("duplicate-version", Incompatible, migration, words));
        }
        match contents.get(migration.key.as_str()) {
            Some(known) => kept(framework, migration, known, &mut range),
            None => match moved.remove(&migration.content).filter(|_| !migration.steps.is_empty()) {
                Some(old) => {
                    renumbered.insert(old.key.as_str());
                    let words = format!("is what databases have as {} and would be applied once more", old.key);
                    range.wrong.push(of("renumbered-migration", NeedsReview, migration, words));
                }
                // What no database with older ones runs is nobody's change.
                None if only_first(migration) && !range.base.is_empty() => {}
                None => range.added.push(migration),
            },
        }
    }
    deleted(&gone, &renumbered, &mut range);
    if !ANY_ORDER.contains(&framework.id) {
        out_of_order(&mut range);
    }
    problems(bases, head, &mut range);
    range
}

fn of(rule: &'static str, verdict: Verdict, migration: &Migration, words: impl std::fmt::Display) -> Wrong {
    Wrong {
        rule,
        verdict,
        at: Place { path: migration.path.clone(), line: migration.line },
        migration: migration.key.clone(),
        blob: migration.content.0.clone(),
        words: format!("migration {} {words}", migration.key),
    }
}

/// Whether only a database that has none of the history runs it: a baseline. What is never run for its
/// name's sake has no version, and is no baseline.
fn only_first(migration: &Migration) -> bool {
    match migration.runs {
        Runs::First => true,
        Runs::Never => migration.version.is_some(),
        Runs::Once | Runs::WhenChanged | Runs::Always => false,
    }
}

fn twice(history: &History, key: &str) -> bool {
    history.migrations.iter().filter(|migration| migration.key == key).count() > 1
}

/// What any tree of the base has, in the framework's order.
fn union(bases: &[History]) -> Vec<&Migration> {
    let mut all: Vec<&Migration> = vec![];
    let mut seen = HashSet::new();
    let mut several = false;
    for (number, base) in bases.iter().enumerate() {
        for migration in &base.migrations {
            if seen.insert(migration.key.as_str()) {
                all.push(migration);
                several |= number > 0;
            }
        }
    }
    // What only a later tree has stands behind; where versions decide, they put it in its place.
    if several && all.iter().all(|migration| migration.version.is_some()) {
        all.sort_by(|one, other| one.version.cmp(&other.version));
    }
    all
}

/// Frameworks that keep what stands after the version in a file's name, and compare it
/// ("Migration description mismatch", refinery's checksum).
const NAMED: &[&str] = &["flyway", "refinery"];

/// What a file's name says after its version, as Flyway reads it.
fn described(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let (_, described) = name.split_once("__")?;
    let described = described.rsplit_once('.').map_or(described, |(stem, _)| stem);
    Some(described.replace('_', " "))
}

/// A migration that databases have: is it what they have?
fn kept<'a>(framework: &Framework, migration: &'a Migration, known: &[&'a Migration], range: &mut Range<'a>) {
    let any = migration.content.0.starts_with(ANY_CONTENT);
    if any || known.iter().any(|known| known.content == migration.content) {
        let described = described(&migration.path);
        let alike = known.iter().any(|known| self::described(&known.path) == described);
        if NAMED.contains(&framework.id) && migration.runs == Runs::Once && !alike {
            let words =
                format!("has another name than before; {} compares names and refuses to run", framework.title);
            range.wrong.push(of("edited-migration", Incompatible, migration, words));
        }
        return;
    }
    if !matches!(migration.runs, Runs::Once | Runs::First) {
        if migration.runs != Runs::Never {
            range.added.push(migration);
        }
        return;
    }
    let alike = known.iter().any(|known| same_steps(&known.steps, &migration.steps));
    let words = match (framework.edited, alike) {
        (Edited::Unnoticed, true) => return,
        (Edited::Refused, true) => {
            format!(
                "was changed, in comments or white space only; {} keeps sums and refuses to run",
                framework.title
            )
        }
        (Edited::Refused, false) => format!("was changed; {} keeps sums and refuses to run", framework.title),
        (Edited::Unnoticed, false) => "was changed; databases that have it do not get the change".to_owned(),
    };
    let verdict = if framework.edited == Edited::Refused { Incompatible } else { NeedsReview };
    range.wrong.push(of("edited-migration", verdict, migration, words));
}

/// The same statements, wherever they stand. What could not be read is never the same.
fn same_steps(one: &[Step], other: &[Step]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            one.operation == other.operation
                && one.guarded == other.guarded
                && one.conditional == other.conditional
                && (one.text == other.text || !says_by_text(&one.operation))
                && !one.text.ends_with('…')
                && !matches!(one.operation, Operation::Unread(_))
        })
}

/// Whether the operation leaves out what the text says: which rows change, what a view selects.
fn says_by_text(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Data { .. }
            | Operation::CopyRows { .. }
            | Operation::Neutral { .. }
            | Operation::Review { .. }
            | Operation::CreateView { .. }
            | Operation::CreateRoutine { .. }
            | Operation::Create { .. }
            | Operation::Restrict { .. }
    )
}

fn deleted(gone: &[&Migration], renumbered: &HashSet<&str>, range: &mut Range<'_>) {
    let gone: Vec<&&Migration> =
        gone.iter().filter(|migration| !renumbered.contains(migration.key.as_str())).collect();
    for migration in gone.iter().take(TOLD_ONE_BY_ONE) {
        let words = "is gone, and databases have it".to_owned();
        range.wrong.push(of("deleted-migration", NeedsReview, migration, words));
    }
    if let Some(first) = gone.get(TOLD_ONE_BY_ONE) {
        let words = match gone.len() - TOLD_ONE_BY_ONE - 1 {
            0 => "is gone, and databases have it".to_owned(),
            1 => "and 1 more are gone, and databases have them".to_owned(),
            more => format!("and {more} more are gone, and databases have them"),
        };
        range.wrong.push(of("deleted-migration", NeedsReview, first, words));
    }
}

fn out_of_order(range: &mut Range<'_>) {
    let highest = range
        .base
        .iter()
        .filter(|migration| migration.runs == Runs::Once && migration.version.is_some())
        .max_by(|one, other| one.version.cmp(&other.version));
    let Some(highest) = highest else { return };
    let late: Vec<Wrong> = range
        .added
        .iter()
        .filter(|migration| migration.runs == Runs::Once && migration.version.is_some())
        .filter(|migration| migration.version < highest.version)
        .map(|migration| {
            let words = format!("has a lower version than {}, which databases have already", highest.key);
            of("out-of-order", NeedsReview, migration, words)
        })
        .collect();
    range.wrong.extend(late);
}

/// What is wrong with the head's history, and was not with the base's.
fn problems(bases: &[History], head: &History, range: &mut Range<'_>) {
    // Who has two heads already applies them all: which ones they are changes with each migration.
    let said = |problem: &Problem| match problem.words.split_once(": ") {
        Some((how_many, _)) if problem.rule == "two-heads" => how_many.to_owned(),
        _ => problem.words.clone(),
    };
    let known: HashSet<(&str, String)> =
        bases.iter().flat_map(|base| &base.problems).map(|problem| (problem.rule, said(problem))).collect();
    for problem in &head.problems {
        if known.contains(&(problem.rule, said(problem))) {
            continue;
        }
        let verdict = match problem.rule {
            "two-heads" | "duplicate-version" => Incompatible,
            _ => NeedsReview,
        };
        range.wrong.push(Wrong {
            rule: if super::rule(problem.rule).is_some() { problem.rule } else { UNREADABLE },
            verdict,
            at: problem.at.clone(),
            migration: String::new(),
            blob: String::new(),
            words: problem.words.clone(),
        });
    }
}
