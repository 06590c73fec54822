//! What a text undoes itself: rolled back, switched off and on again, revoked and granted again.
//!
//! Of dialects whose DDL belongs to a transaction. Not here: MySQL and Oracle, which commit before it.

use super::Dialect;
use crate::operation::{Operation, Restriction, Step};

/// Steps between BEGIN and ROLLBACK, or after a savepoint that is gone back to, do nothing.
pub fn rolled_back(steps: &mut [Step]) {
    let mut begun: Option<usize> = None;
    let mut savepoints: Vec<(String, usize)> = vec![];
    for at in 0..steps.len() {
        let Some(words) = steps.get(at).and_then(control) else { continue };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["begin" | "start", ..] => begun = begun.or(Some(at)),
            ["commit" | "end", ..] => {
                begun = None;
                savepoints.clear();
            }
            ["savepoint", name] => savepoints.push(((*name).to_owned(), at)),
            ["release", .., name] => {
                if let Some(from) = savepoints.iter().rposition(|(known, _)| known == name) {
                    savepoints.truncate(from);
                }
            }
            ["rollback", .., name] if words.contains(&"to") => {
                if let Some((_, from)) = savepoints.iter().rfind(|(known, _)| known == name) {
                    undo(steps, *from, at);
                }
            }
            ["rollback" | "abort", rest @ ..] => {
                if let Some(from) = begun {
                    undo(steps, from, at);
                }
                begun = begun.filter(|_| rest.ends_with(&["and", "chain"])).map(|_| at);
                savepoints.clear();
            }
            _ => {}
        }
    }
}

/// The same of SQL Server, which counts transactions within transactions: COMMIT ends the innermost,
/// ROLLBACK all of them, unless it names a savepoint.
pub fn rolled_back_all(steps: &mut [Step]) {
    let (mut depth, mut begun) = (0_u32, None);
    let mut savepoints: Vec<(String, usize)> = vec![];
    for at in 0..steps.len() {
        let Some(words) = steps.get(at).and_then(control) else { continue };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["begin", ..] => {
                begun = begun.or(Some(at));
                depth += 1;
            }
            ["commit", ..] => {
                depth = depth.saturating_sub(1);
                begun = begun.filter(|_| depth > 0);
            }
            ["save", _, name] => savepoints.push(((*name).to_owned(), at)),
            ["rollback", rest @ ..] => {
                let named = rest.get(1).and_then(|name| savepoints.iter().rfind(|(known, _)| known == name));
                if let Some((_, from)) = named {
                    undo(steps, *from, at);
                    continue;
                }
                if let Some(from) = begun {
                    undo(steps, from, at);
                }
                (depth, begun) = (0, None);
                savepoints.clear();
            }
            _ => {}
        }
    }
}

/// How many transactions are open behind a step that the text itself begins and ends; none in dialects
/// that commit before DDL.
pub fn open_behind(open: u32, step: &Step, dialect: Dialect) -> u32 {
    if matches!(dialect, Dialect::MySql | Dialect::Oracle) {
        return 0;
    }
    let Some(words) = control(step) else { return open };
    let nests = dialect == Dialect::MsSql;
    match words.first().map(String::as_str) {
        Some("begin" | "start") => {
            if nests {
                open + 1
            } else {
                1
            }
        }
        Some("commit" | "end") => {
            if nests {
                open.saturating_sub(1)
            } else {
                0
            }
        }
        Some("rollback") if words.iter().any(|word| word == "to") => open,
        Some("rollback") if nests && words.len() > 2 => open,
        Some("rollback" | "abort") => 0,
        _ => open,
    }
}

/// The words of a statement that steers a transaction, in lower case.
fn control(step: &Step) -> Option<Vec<String>> {
    const HEADS: &[&str] =
        &["begin", "start", "commit", "end", "savepoint", "save", "release", "rollback", "abort"];
    let neutral = matches!(step.operation, Operation::Neutral { .. }) && !step.conditional;
    let words: Vec<String> =
        step.text.split_whitespace().take(8).map(|word| word.trim_end_matches(';').to_lowercase()).collect();
    (neutral && words.first().is_some_and(|head| HEADS.contains(&head.as_str()))).then_some(words)
}

fn undo(steps: &mut [Step], from: usize, to: usize) {
    for step in steps.iter_mut().take(to).skip(from + 1) {
        // What could not be read may have ended the transaction.
        if matches!(step.operation, Operation::Unread(_)) {
            return;
        }
        step.operation = Operation::Neutral { what: "rolled back".to_owned() };
        step.body = None;
    }
}

/// A trigger that is disabled and enabled again, a right that is revoked and granted again.
pub fn put_back(steps: &mut [Step]) {
    for at in 0..steps.len() {
        let back = |later: &Step| match steps.get(at) {
            Some(step) => triggers_on_again(step, later) || granted_again(step, later),
            None => false,
        };
        let Some(later) = (at + 1..steps.len()).take(LOOK_AHEAD).find(|later| steps.get(*later).is_some_and(back))
        else {
            continue;
        };
        let enabled = steps.get(later).is_some_and(|step| matches!(step.operation, Operation::Restrict { .. }));
        for undone in [Some(at), enabled.then_some(later)].into_iter().flatten() {
            if let Some(step) = steps.get_mut(undone) {
                step.operation = Operation::Neutral { what: "put back".to_owned() };
            }
        }
    }
}

/// So many steps further on it is looked for what puts something back.
const LOOK_AHEAD: usize = 200;

fn triggers_on_again(step: &Step, later: &Step) -> bool {
    let (Operation::Review { what, table: Some(table) }, Operation::Restrict { restriction, table: Some(other) }) =
        (&step.operation, &later.operation)
    else {
        return false;
    };
    let which = |text: &str, head: &str| {
        let lower = text.to_lowercase();
        lower.strip_prefix(head).map(|name| name.trim().trim_matches('"').to_owned())
    };
    let same = which(&step.text, "disable trigger ")
        .is_some_and(|name| Some(name) == which(&later.text, "enable trigger "));
    what == "a trigger is disabled"
        && *restriction == Restriction::Trigger
        && table == other
        && same
        && step.conditional == later.conditional
}

fn granted_again(step: &Step, later: &Step) -> bool {
    let revoke = matches!(step.operation, Operation::Restrict { restriction: Restriction::Revoke, .. });
    let grant = matches!(&later.operation, Operation::Neutral { what } if what.eq_ignore_ascii_case("GRANT"));
    if !revoke || !grant || (later.conditional && !step.conditional) {
        return false;
    }
    let (Some(taken), Some(given)) = (rights(&step.text, " from "), rights(&later.text, " to ")) else {
        return false;
    };
    let all = |rights: &[String]| rights.iter().any(|right| right == "all");
    taken.on == given.on
        && taken.whom.iter().all(|whom| given.whom.contains(whom))
        && (all(&given.what) || (!all(&taken.what) && taken.what.iter().all(|right| given.what.contains(right))))
}

/// What a GRANT or REVOKE says.
struct Rights {
    what: Vec<String>,
    on: String,
    whom: Vec<String>,
}

fn rights(text: &str, before_whom: &str) -> Option<Rights> {
    let lower = text.to_lowercase().replace('"', "");
    if lower.ends_with('…') || lower.contains("option for") || lower.contains('(') {
        return None;
    }
    let (what, rest) = lower.split_once(' ')?.1.split_once(" on ")?;
    let (on, whom) = rest.split_once(before_whom)?;
    let list = |text: &str| -> Vec<String> { text.split(',').map(|it| it.trim().to_owned()).collect() };
    let on = on.trim().trim_start_matches("table ").trim_start_matches("public.").to_owned();
    let whom = whom.trim_end_matches(';').trim_end_matches(" cascade").trim_end_matches(" restrict");
    let whom = whom.trim_end_matches(" with grant option");
    Some(Rights { what: list(&what.replace(" privileges", "")), on, whom: list(whom) })
}
