//! DROP of every kind.

use super::Steps;
use super::source::Words;
use crate::operation::{Ident, Kind, Name, Operation, Unread};

/// What DROP says of an object by its words, and what the object is. Longer words stand first.
const KINDS: &[(&[&str], Kind)] = &[
    (&["materialized", "view"], Kind::MaterializedView),
    (&["view"], Kind::View),
    (&["sequence"], Kind::Sequence),
    (&["function"], Kind::Function),
    (&["routine"], Kind::Function),
    (&["procedure"], Kind::Procedure),
    (&["trigger"], Kind::Trigger),
    (&["type"], Kind::Type),
    (&["domain"], Kind::Domain),
    (&["extension"], Kind::Extension),
    (&["schema"], Kind::Schema),
    (&["database"], Kind::Database),
    (&["policy"], Kind::Policy),
    (&["rule"], Kind::Policy),
    (&["aggregate"], Kind::Other),
    (&["collation"], Kind::Other),
    (&["conversion"], Kind::Other),
    (&["server"], Kind::Other),
    (&["foreign", "data", "wrapper"], Kind::Other),
    (&["operator", "class"], Kind::Other),
    (&["operator", "family"], Kind::Other),
    (&["text", "search", "configuration"], Kind::Other),
    (&["text", "search", "dictionary"], Kind::Other),
    (&["text", "search", "parser"], Kind::Other),
    (&["text", "search", "template"], Kind::Other),
    (&["language"], Kind::Other),
    (&["procedural", "language"], Kind::Other),
    (&["access", "method"], Kind::Other),
    (&["property", "graph"], Kind::Other),
];

/// What is dropped that no statement of an application names.
const WORTH_A_LOOK: &[(&[&str], &str)] = &[
    (&["owned"], "everything that a role owns is dropped"),
    (&["role"], "a role is dropped"),
    (&["user", "mapping"], "a user mapping is dropped"),
    (&["user"], "a role is dropped"),
    (&["group"], "a role is dropped"),
    (&["publication"], "a publication is dropped"),
    (&["subscription"], "a subscription is dropped"),
    (&["tablespace"], "a tablespace is dropped"),
    (&["event", "trigger"], "an event trigger is dropped"),
];

/// DROP anything.
pub(super) fn read(words: Words<'_>, steps: &mut Steps) {
    if words.is(1, "table") || words.are(1, &["foreign", "table"]) {
        return each(words, if words.is(1, "table") { 2 } else { 3 }, steps, |name, cascade| {
            Operation::DropTable { table: name, cascade }
        });
    }
    if words.is(1, "index") {
        let at = 2 + usize::from(words.is(2, "concurrently"));
        return each(words, at, steps, |name, _| Operation::DropIndex { name, table: None });
    }
    if words.is(1, "statistics") {
        return steps.neutral(words, "DROP STATISTICS");
    }
    if let Some((_, what)) = WORTH_A_LOOK.iter().find(|(said, _)| words.are(1, said)) {
        return steps.review(words, what, None);
    }
    if ["operator", "cast", "transform"].iter().any(|it| words.is(1, it))
        && !words.is(2, "class")
        && !words.is(2, "family")
    {
        return nameless(words, steps);
    }
    let Some((said, kind)) = KINDS.iter().find(|(said, _)| words.are(1, said)) else {
        return steps.unread(words, Unread::UnknownStatement { head: words.head(3) });
    };
    let at = 1 + said.len();
    if matches!(kind, Kind::Trigger | Kind::Policy) {
        return of_table(words, at, *kind, steps);
    }
    each(words, at, steps, |name, cascade| Operation::Drop { kind: *kind, name, table: None, cascade });
}

/// The token after IF EXISTS, and whether it is there.
fn if_exists(words: Words<'_>, at: usize) -> (usize, bool) {
    if words.are(at, &["if", "exists"]) { (at + 2, true) } else { (at, false) }
}

/// One step for each name.
fn each(words: Words<'_>, at: usize, steps: &mut Steps, operation: impl Fn(Name, bool) -> Operation) {
    let (at, guarded) = if_exists(words, at);
    let (names, _) = words.names(at);
    let cascade = words.ends_with("cascade");
    let alone = names.len() == 1;
    if names.is_empty() {
        return steps.unread(words, Unread::UnknownStatement { head: words.head(3) });
    }
    for (name, own) in names {
        steps.add_guarded(if alone { words } else { own }, operation(name, cascade), guarded);
        // The words of people: a list is shown with its head.
        if !alone && let Some(step) = steps.list.last_mut() {
            step.text = crate::operation::one_line(&format!("{} {}", words.head(2), step.text));
        }
    }
}

/// DROP TRIGGER, POLICY, RULE … ON table.
fn of_table(words: Words<'_>, at: usize, kind: Kind, steps: &mut Steps) {
    let (at, guarded) = if_exists(words, at);
    let name = words.ident(at).map(Name::plain);
    let table = words.is(at + 1, "on").then(|| words.name(at + 2)).flatten().map(|(table, _)| table);
    let Some(name) = name else {
        return steps.unread(words, Unread::UnknownStatement { head: words.head(3) });
    };
    let operation = Operation::Drop { kind, name, table, cascade: words.ends_with("cascade") };
    steps.add_guarded(words, operation, guarded);
}

/// What is known by its signature only: an operator, a cast.
fn nameless(words: Words<'_>, steps: &mut Steps) {
    let (at, guarded) = if_exists(words, 2);
    let name = Name::plain(Ident::exact(words.from(at).text()));
    let operation = Operation::Drop { kind: Kind::Other, name, table: None, cascade: words.ends_with("cascade") };
    steps.add_guarded(words, operation, guarded);
}
