//! Statements that begin with none of CREATE, ALTER, DROP, SELECT and the like.

use super::lex::Kind;
use super::source::Words;
use super::{Steps, called, names};
use crate::operation::{Data, Operation, Restriction, Unread};

/// Statements that code cannot notice, by their first word.
const NEUTRAL: &[&str] = &[
    "abort",
    "analyse",
    "analyze",
    "begin",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "commit",
    "deallocate",
    "declare",
    "discard",
    "end",
    "explain",
    "fetch",
    "grant",
    "listen",
    "load",
    "lock",
    "move",
    "notify",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "repack",
    "reset",
    "rollback",
    "savepoint",
    "security",
    "set",
    "show",
    "start",
    "unlisten",
    "vacuum",
];

/// Whether a statement that does not parse is harmless all the same, from its head to its end.
pub(super) fn harmless_head(words: Words<'_>) -> bool {
    let last = words.tokens.len().saturating_sub(1);
    let never_ends = words.tokens.iter().any(|token| token.kind == Kind::Unended);
    if words.are(0, &["comment", "on"]) {
        let said =
            matches!(words.kind(last), Some(Kind::Text | Kind::EscapedText | Kind::OtherText | Kind::Dollar));
        return !never_ends && words.is(last.saturating_sub(1), "is") && (said || words.is(last, "null"));
    }
    const OTHERS: &[&str] = &["table", "alter", "drop", "create", "function", "revoke"];
    if words.is(0, "grant") {
        let to = (0..words.tokens.len()).find(|at| words.is(*at, "to"));
        return !never_ends && to.is_some_and(|to| !OTHERS.iter().any(|it| words.from(to).has(it)));
    }
    false
}

/// One of them.
pub(super) fn read(words: Words<'_>, steps: &mut Steps) {
    let head = words.token(0).to_ascii_lowercase();
    if let Some(schema) = names::search_path(words) {
        steps.schema = schema;
    }
    match head.as_str() {
        "truncate" => truncate(words, steps),
        "copy" => copy(words, steps),
        "call" if called_here(words, steps) => {}
        "call" => {
            let what = crate::operation::one_line(words.text());
            steps.unread(words, Unread::Code { what });
        }
        "prepare" if words.is(1, "transaction") => steps.neutral(words, "PREPARE TRANSACTION"),
        "prepare" | "execute" => steps.unread(words, Unread::Dynamic),
        "revoke" => {
            steps.add(words, Operation::Restrict { restriction: Restriction::Revoke, table: revoked(words) });
        }
        "import" => steps.review(words, "tables come from a foreign schema", None),
        "set" if words.has("default_transaction_read_only") && !words.has("off") && !words.has("false") => {
            steps.add(words, Operation::Restrict { restriction: Restriction::ReadOnly, table: None });
        }
        _ if NEUTRAL.contains(&head.as_str()) => {
            let what =
                words.head(if matches!(head.as_str(), "set" | "comment" | "refresh" | "security") { 3 } else { 1 });
            steps.neutral(words, &what);
        }
        _ => steps.unread(words, Unread::UnknownStatement { head: words.head(3) }),
    }
}

/// CALL of a procedure that the text made.
fn called_here(words: Words<'_>, steps: &mut Steps) -> bool {
    let Some((name, open)) = words.name(1) else { return false };
    let close = words.after_brackets(open).saturating_sub(1);
    let before = steps.list.len();
    let known = called::call(words, &name.name, words.until(close).from(open + 1), steps);
    if known && steps.list.len() == before {
        steps.neutral(words, "CALL");
    }
    known
}

fn truncate(words: Words<'_>, steps: &mut Steps) {
    let (names, _) = words.names(1 + usize::from(words.is(1, "table")));
    let alone = names.len() == 1;
    for (table, own) in names {
        let at = if alone { words } else { own };
        steps.add(at, Operation::Data { data: Data::Truncate, table: Some(table), every_row: true });
    }
}

fn copy(words: Words<'_>, steps: &mut Steps) {
    let binary = usize::from(words.is(1, "binary"));
    let Some((table, mut next)) = words.name(1 + binary) else { return steps.neutral(words, "COPY") };
    if words.sign(next, b'(') {
        next = words.after_brackets(next);
    }
    if words.is(next, "from") {
        return steps.add(words, Operation::Data { data: Data::Insert, table: Some(table), every_row: false });
    }
    steps.neutral(words, "COPY");
}

/// The table whose rights are taken away, where it is one.
fn revoked(words: Words<'_>) -> Option<crate::operation::Name> {
    const OTHER: &[&str] = &[
        "all",
        "database",
        "schema",
        "function",
        "procedure",
        "routine",
        "sequence",
        "type",
        "domain",
        "language",
        "foreign",
        "large",
        "tablespace",
        "parameter",
    ];
    let on = (0..words.tokens.len()).find(|at| words.is(*at, "on"))? + 1;
    if OTHER.iter().any(|it| words.is(on, it)) {
        return None;
    }
    Some(words.name(on + usize::from(words.is(on, "table")))?.0)
}
