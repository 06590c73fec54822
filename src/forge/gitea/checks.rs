//! Results of checks: commit statuses, and what their words mean.
//!
//! Gitea and Forgejo have one kind of result. Their Actions write commit statuses, too. All that were
//! ever written for a commit are read (`/statuses/{sha}`), because the combined status shows only the
//! newest of each context: a green one that anybody may write hides CI's red one there. The combined
//! `state` is not read at all; it is that of one page.
//!
//! What the words mean (`modules/commitstatus` of go-gitea/gitea; Forgejo has the same six):
//!
//! | word | here | why |
//! |---|---|---|
//! | `success` | green | |
//! | `pending` | running | also what Actions write for waiting, blocked and cancelling jobs |
//! | `failure`, `error` | red | Actions write `failure` for cancelled jobs, too |
//! | `warning` | red | strict: it blocked merges until Gitea 1.24 and does not since 1.25 (#37042) |
//! | `skipped` | green | as at GitHub: a job whose condition did not hold, or a workflow that a path filter left out of a required check (#38237) |
//! | anything else, or nothing | running | not understood is never green |
//!
//! Statuses name no branch. Not here: which checks are wanted.

use std::collections::BTreeMap;

use towpath_core::model::{CheckName, CiState, CommitId, Instant};

use super::api::{Api, Counted};
use super::wire;
use crate::forge::client::{Fault, ago, stamp};
use crate::forge::{CheckSeen, RepoPath};

/// Contexts that begin with this are Towpath's own.
const OURS: &str = "towpath/";

/// What one of the server's words means; see the module's table.
fn state(word: Option<&str>) -> CiState {
    match word {
        Some("success" | "skipped") => CiState::Green,
        Some("failure" | "error" | "warning") => CiState::Red,
        _ => CiState::Running,
    }
}

/// See `Forge::checks`.
pub(super) async fn read(api: &Api, repo: &RepoPath, commit: CommitId) -> Result<Vec<CheckSeen>, Fault> {
    let sha = commit.to_string();
    let path = super::path(repo, &["statuses", &sha]);
    // By index, which no two statuses of a commit share: by time, those of one second could change
    // places between two pages, and one be on neither. Whether it rises or falls depends on the
    // version, and does not matter.
    let query = [("sort", "highestindex")];
    let (rows, first) = api.list::<wire::Status>("statuses", &path, &query, Counted::Exactly).await?;
    let rows = newest(rows);
    // In newer Gitea two workflow files of one name are two checks, although nothing in a row tells
    // them apart (#35699). Where rows of one name come from several runs, the combined status says
    // which of them are the newest of a workflow.
    let combined = if rows.values().any(|kept| kept.runs > 1) {
        let path = super::path(repo, &["commits", &sha, "status"]);
        combined(api, &path).await?
    } else {
        Vec::new()
    };
    Ok(fold(rows, &combined, first.date))
}

/// The newest row of a context and creator.
struct Kept {
    row: wire::Status,
    /// How many runs of Actions wrote rows of this context and creator.
    runs: usize,
}

type Key = (String, String);

fn key(row: &wire::Status) -> Key {
    let creator = row.creator.as_ref().and_then(|creator| creator.login.clone()).unwrap_or_default();
    (row.context.clone().unwrap_or_default(), creator)
}

/// The number of the run in `/shop/checkout/actions/runs/17/jobs/0`.
fn run(row: &wire::Status) -> Option<&str> {
    row.target_url.as_deref()?.split_once("/actions/runs/")?.1.split('/').next()
}

fn newest(rows: Vec<wire::Status>) -> BTreeMap<Key, Kept> {
    let mut runs: BTreeMap<Key, Vec<String>> = BTreeMap::new();
    let mut kept: BTreeMap<Key, Kept> = BTreeMap::new();
    for row in rows {
        if row.context.as_deref().is_some_and(|context| context.starts_with(OURS)) {
            continue;
        }
        let key = key(&row);
        if let Some(run) = run(&row) {
            let runs = runs.entry(key.clone()).or_default();
            if !runs.iter().any(|had| had == run) {
                runs.push(run.to_owned());
            }
        }
        let count = runs.get(&key).map_or(0, Vec::len);
        match kept.get_mut(&key) {
            Some(had) => {
                had.runs = count;
                if had.row.id < row.id {
                    had.row = row;
                }
            }
            None => {
                kept.insert(key, Kept { row, runs: count });
            }
        }
    }
    kept
}

/// Every row of the combined status. Its count is of one page, so it is read until a page is empty.
async fn combined(api: &Api, path: &[&str]) -> Result<Vec<wire::Status>, Fault> {
    const PAGES_MAX: u64 = 100;
    let limit = api.server().await.page.to_string();
    let mut rows: Vec<wire::Status> = Vec::new();
    for page in 1..=PAGES_MAX {
        let number = page.to_string();
        let answer = api.get("combined-status", path, &[("page", &number), ("limit", &limit)]).await?;
        // Where there are none, old versions answer 200 with no body at all.
        let more = if answer.body().is_empty() { None } else { answer.json::<wire::Combined>()?.statuses };
        let had = rows.len();
        for row in more.unwrap_or_default() {
            if !rows.iter().any(|known| known.id == row.id) {
                rows.push(row);
            }
        }
        // Servers that do not page it answer the same again.
        if rows.len() == had {
            return Ok(rows);
        }
    }
    Err(Fault::Unreadable { words: format!("combined-status: more than {PAGES_MAX} pages") })
}

fn fold(rows: BTreeMap<Key, Kept>, combined: &[wire::Status], date: Option<Instant>) -> Vec<CheckSeen> {
    let mut all = Vec::new();
    for (key, kept) in rows {
        let mut own: Vec<&wire::Status> =
            combined.iter().filter(|row| kept.runs > 1 && self::key(row) == key && row.id != kept.row.id).collect();
        own.sort_by_key(|row| std::cmp::Reverse(row.id));
        all.push(seen(&kept.row, key.1.clone(), date));
        // Further workflows of the same name, as origins of their own.
        all.extend(own.iter().enumerate().map(|(at, row)| seen(row, format!("{}#{}", key.1, at + 2), date)));
    }
    all
}

fn seen(row: &wire::Status, origin: String, date: Option<Instant>) -> CheckSeen {
    let state = state(row.status.as_deref());
    let finished = matches!(state, CiState::Green | CiState::Red);
    CheckSeen {
        name: CheckName::new(row.context.clone().unwrap_or_default()),
        origin,
        on: None,
        state,
        finished_ago: ago(date, row.updated_at.as_deref().and_then(stamp)).filter(|_| finished),
        url: row.target_url.clone().filter(|url| !url.is_empty()),
    }
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};
    use towpath_core::model::Span;

    use super::*;

    fn rows(of: Value) -> Vec<wire::Status> {
        serde_json::from_value(of).unwrap()
    }

    fn read(of: Value, combined: Value) -> Vec<(String, String, CiState)> {
        let all = fold(newest(rows(of)), &rows(combined), None);
        all.into_iter().map(|seen| (seen.name.as_str().to_owned(), seen.origin, seen.state)).collect()
    }

    fn row(id: i64, context: &str, by: &str, word: &str) -> Value {
        json!({"id": id, "context": context, "creator": {"login": by}, "status": word})
    }

    #[test]
    fn the_table_of_words() {
        let table = [
            (json!("success"), CiState::Green),
            (json!("skipped"), CiState::Green),
            (json!("pending"), CiState::Running),
            (json!("failure"), CiState::Red),
            (json!("error"), CiState::Red),
            (json!("warning"), CiState::Red),
            (json!("SUCCESS"), CiState::Running),
            (json!("neutral"), CiState::Running),
            (json!(""), CiState::Running),
            (json!(null), CiState::Running),
        ];
        for (word, expected) in table {
            let seen = read(json!([{"id": 1, "context": "build", "creator": null, "status": word}]), json!([]));
            assert_eq!(seen, [("build".to_owned(), String::new(), expected)], "{word}");
        }
    }

    #[test]
    fn the_newest_of_a_context_and_creator_counts_wherever_it_stands() {
        let seen = read(
            json!([
                row(7, "build", "ci", "success"),
                row(3, "build", "ci", "failure"),
                row(5, "build", "mallory", "success"),
                row(9, "test", "ci", "pending"),
                row(8, "test", "ci", "success"),
                row(4, "towpath/checkout/staging", "bot", "failure"),
            ]),
            json!([]),
        );
        let expected = [
            ("build", "ci", CiState::Green),
            ("build", "mallory", CiState::Green),
            ("test", "ci", CiState::Running),
        ];
        assert_eq!(seen, expected.map(|(name, by, state)| (name.to_owned(), by.to_owned(), state)));
    }

    #[test]
    fn a_status_that_somebody_else_wrote_hides_nothing() {
        let seen =
            read(json!([row(1, "build", "ci", "failure"), row(2, "build", "mallory", "success")]), json!([]));
        assert!(seen.contains(&("build".to_owned(), "ci".to_owned(), CiState::Red)), "{seen:?}");
    }

    #[test]
    fn two_workflows_of_one_name_are_two_checks() {
        let of = |id: i64, run: i64, word: &str| {
            let url = format!("/shop/checkout/actions/runs/{run}/jobs/0");
            json!({"id": id, "context": "CI / test (push)", "creator": null, "status": word, "target_url": url})
        };
        let all = json!([of(1, 10, "pending"), of(2, 11, "pending"), of(3, 10, "failure"), of(4, 11, "success")]);
        let seen = read(all.clone(), json!([of(4, 11, "success"), of(3, 10, "failure")]));
        let states: Vec<_> = seen.iter().map(|(_, origin, state)| (origin.as_str(), *state)).collect();
        assert_eq!(states, [("", CiState::Green), ("#2", CiState::Red)]);
        // A server that knows no such difference: the newest run counts.
        let seen = read(all, json!([of(4, 11, "success")]));
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].2, CiState::Green);
    }

    #[test]
    fn finished_is_by_the_forges_own_clock_and_only_what_is_finished() {
        let date = stamp("2026-11-21T10:00:00Z");
        let of = |word: &str, at: &str| {
            let rows = rows(json!([{"id": 1, "context": "c", "status": word, "updated_at": at}]));
            fold(newest(rows), &[], date)[0].finished_ago
        };
        assert_eq!(of("success", "2026-11-21T09:58:00Z"), Some(Span::from_mins(2)));
        assert_eq!(of("failure", "2026-11-21T10:59:00+01:00"), Some(Span::from_mins(1)));
        assert_eq!(of("pending", "2026-11-21T09:58:00Z"), None);
        assert_eq!(of("success", "yesterday"), None);
    }
}
