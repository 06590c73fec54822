//! What CockroachDB adds to PostgreSQL's words.
//!
//! Looked at only where PostgreSQL's grammar refuses a statement. Most additions say how something is
//! stored: they are left out, and the rest is read as PostgreSQL's.

use super::Steps;
use super::source::Words;
use crate::operation::{Data, Operation};

/// Statements and actions that are CockroachDB's own; whether it was one.
pub(super) fn read(words: Words<'_>, steps: &mut Steps) -> bool {
    if words.are(0, &["drop", "index"]) {
        return drop_index(words, steps);
    }
    if words.are(0, &["upsert", "into"]) {
        let Some((table, _)) = words.name(2) else { return false };
        steps.add(words, Operation::Data { data: Data::Insert, table: Some(table), every_row: false });
        return true;
    }
    if words.are(0, &["alter", "range"])
        || words.are(0, &["configure", "zone"])
        || words.are(0, &["alter", "partition"])
    {
        steps.review(words, "how ranges are kept changes", None);
        return true;
    }
    if words.are(0, &["alter", "table"])
        || words.are(0, &["alter", "index"])
        || words.are(0, &["alter", "database"])
    {
        return altered(words, steps);
    }
    false
}

/// ALTER TABLE … with an action that PostgreSQL has not; only where it is the only one.
fn altered(words: Words<'_>, steps: &mut Steps) -> bool {
    const STORED: &[&[&str]] = &[
        &["set", "locality"],
        &["configure", "zone"],
        &["split", "at"],
        &["unsplit"],
        &["scatter"],
        &["experimental_relocate"],
        &["set", "primary", "region"],
        &["add", "region"],
        &["survive"],
        &["partition", "by"],
    ];
    let mut at = 2;
    if words.are(at, &["if", "exists"]) {
        at += 2;
    }
    let Some((name, mut next)) = words.name(at) else { return false };
    if words.sign(next, b'@') {
        next += 2;
    }
    let action = words.from(next);
    if action.parts().len() != 1 {
        return false;
    }
    let table = words.is(1, "table").then_some(name);
    if STORED.iter().any(|said| action.are(0, said)) {
        steps.review(words, "where rows are kept changes", table);
        return true;
    }
    if action.are(0, &["alter", "primary", "key"]) {
        steps.review(words, "another primary key", table);
        return true;
    }
    false
}

/// DROP INDEX table@index.
fn drop_index(words: Words<'_>, steps: &mut Steps) -> bool {
    let mut at = 2 + usize::from(words.is(2, "concurrently"));
    let guarded = words.are(at, &["if", "exists"]);
    if guarded {
        at += 2;
    }
    let mut drops = vec![];
    for part in words.from(at).parts() {
        let Some((table, next)) = part.name(0) else { return false };
        let Some((name, after)) = part.sign(next, b'@').then(|| part.name(next + 1)).flatten() else {
            return false;
        };
        let end = part.from(after).tokens.is_empty() || part.is(after, "cascade") || part.is(after, "restrict");
        if !end {
            return false;
        }
        drops.push(Operation::DropIndex { name, table: Some(table) });
    }
    for operation in drops {
        steps.add_guarded(words, operation, guarded);
    }
    true
}

/// What is left out of a statement.
#[derive(Default)]
pub(super) struct Additions {
    /// Where it stands in the text.
    pub places: Vec<(usize, usize)>,
    /// An IF NOT EXISTS was among it.
    pub guarded: bool,
}

impl Additions {
    fn leave_out(&mut self, words: Words<'_>) {
        self.places.push((words.start(), words.end()));
    }
}

/// What only CockroachDB has in a statement that is otherwise PostgreSQL's.
pub(super) fn additions(words: Words<'_>) -> Additions {
    let mut additions = Additions::default();
    if !words.is(0, "create") && !words.is(0, "alter") {
        return additions;
    }
    let creates_table = words.is(0, "create") && words.until(5).has("table");
    for at in 1..words.tokens.len() {
        anywhere(words, at, &mut additions);
        if creates_table {
            in_table(words, at, &mut additions);
        }
    }
    additions.places.sort_unstable();
    additions
}

fn anywhere(words: Words<'_>, at: usize, additions: &mut Additions) {
    let part = words.from(at);
    if part.are(0, &["constraint", "if", "not", "exists"]) {
        additions.leave_out(part.until(4).from(1));
        additions.guarded = true;
    } else if part.are(0, &["inverted", "index"]) || part.are(0, &["not", "visible"]) && !part.sign(2, b'(') {
        additions.leave_out(part.until(if part.is(0, "inverted") { 1 } else { 2 }));
    } else if (part.is(0, "storing") || part.is(0, "covering")) && part.sign(1, b'(') {
        additions.leave_out(part.until(part.after_brackets(1)));
    } else if part.are(0, &["using", "hash"]) {
        let mut end = 2;
        if part.is(2, "with") {
            end = if part.sign(3, b'(') { part.after_brackets(3) } else { 6 };
        }
        additions.leave_out(part.until(end.min(part.tokens.len())));
    } else if part.are(0, &["primary", "key"]) && part.sign(2, b'(') {
        // A key's columns have no direction in PostgreSQL.
        let end = part.after_brackets(2);
        for inner in 3..end {
            if part.is(inner, "asc") || part.is(inner, "desc") {
                additions.leave_out(part.until(inner + 1).from(inner));
            }
        }
    }
}

/// FAMILY and INDEX among a table's columns.
fn in_table(words: Words<'_>, at: usize, additions: &mut Additions) {
    let part = words.from(at);
    if !words.sign(at, b',') {
        return;
    }
    let unique = usize::from(part.is(1, "unique"));
    let index = part.is(1 + unique, "index") || part.are(1, &["inverted", "index"]);
    if part.is(1, "family") || index {
        let Some(open) = (1..part.tokens.len().min(10)).find(|it| part.sign(*it, b'(')) else { return };
        if unique == 1 {
            // A unique index is the constraint.
            additions.leave_out(part.until(open).from(2));
        } else {
            additions.leave_out(part.until(part.after_brackets(open)));
        }
    }
}
