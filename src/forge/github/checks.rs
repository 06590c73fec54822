//! Results of checks, what GitHub's words for them mean, and which of them a branch requires.
//!
//! Two systems report side by side: check runs (Apps, Actions) and commit statuses (anybody with write
//! access). A name may stand in both, and then both count.
//!
//! | check run | means | why |
//! |---|---|---|
//! | `completed`, `success` | green | |
//! | `completed`, `neutral` | green | GitHub lets it pass where it is required |
//! | `completed`, `skipped` | as its suite: green if that ended well, red if it did not, else running | a job is skipped because of a condition of its own, or because one that it needs failed; only the suite tells |
//! | `completed`, `failure` `cancelled` `timed_out` `action_required` `startup_failure` | red | |
//! | `completed`, `stale` or any other word or none | running | GitHub gave up waiting, or we do not know the word: never green |
//! | not `completed` | running | `queued in_progress waiting requested pending`, and words to come |
//!
//! | commit status | means |
//! |---|---|
//! | `success` | green |
//! | `failure` `error` | red |
//! | `pending`, any other word | running |
//!
//! Sources: `status` and `conclusion` of `check-run` and `check-suite` in the REST description; "About
//! status checks" on docs.github.com for what passes where it is required.
//!
//! GitHub's combined `state` is never read: it says `pending` where there is no status at all.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::json;
use towpath_core::model::{BranchName, CheckName, CiState, CommitId, Instant};

use super::{GitHub, PER_PAGE, wire};
use crate::forge::client::{Fault, Page, ago, stamp};
use crate::forge::{CheckSeen, RepoPath, Required, StatusLine, StatusState};

/// What our own statuses begin with.
const OURS: &str = "towpath/";

/// Of how many check suites of a commit GitHub lists the runs: the newest.
/// REST description, `checks/list-for-ref`.
const SUITES_MAX: usize = 1_000;

/// The longest description that a status takes. <https://docs.github.com/en/rest/commits/statuses>
/// does not say so; GitHub refuses longer ones ("description is too long (maximum is 140 characters)").
const DESCRIPTION_MAX: usize = 140;

/// A result on its way to being the newest of its kind.
struct Raw {
    seen: CheckSeen,
    /// GitHub's ids grow.
    id: u64,
}

impl GitHub {
    pub(super) async fn checks_of(&self, repo: &RepoPath, commit: CommitId) -> Result<Vec<CheckSeen>, Fault> {
        let sha = commit.to_string();
        let per_page = PER_PAGE.to_string();
        let suites = self.repo_url(repo, &["commits", &sha, "check-suites"], &[("per_page", &per_page)])?;
        let suites = self
            .all("check-suites", suites, |answer| {
                let page: wire::CheckSuites = answer.json()?;
                Ok(Page { items: page.check_suites, total: Some(page.total_count) })
            })
            .await?;
        let runs = [("filter", "latest"), ("per_page", &per_page)];
        let runs = self.repo_url(repo, &["commits", &sha, "check-runs"], &runs)?;
        let runs = self
            .all("check-runs", runs, |answer| {
                let page: wire::CheckRuns = answer.json()?;
                let items = page.check_runs.into_iter().map(|run| (run, answer.date)).collect();
                Ok(Page { items, total: Some(page.total_count) })
            })
            .await?;
        if suites.len() > SUITES_MAX {
            let words = format!("check-runs: {} check suites; GitHub tells of {SUITES_MAX} only", suites.len());
            return Err(Fault::Unreadable { words });
        }
        let suites: BTreeMap<u64, wire::CheckSuite> = suites.into_iter().map(|suite| (suite.id, suite)).collect();
        let mut raw = Vec::new();
        for (run, date) in runs {
            if run.head_sha != sha {
                return Err(Fault::Unreadable {
                    words: format!("check-runs: `{}` is of another commit", run.name),
                });
            }
            raw.push(of_run(run, &suites, date));
        }
        raw.extend(
            self.statuses(repo, &sha).await?.into_iter().filter_map(|(status, date)| of_status(status, date)),
        );
        Ok(newest(raw))
    }

    /// Every commit status, newest first, with the date of its page.
    async fn statuses(&self, repo: &RepoPath, sha: &str) -> Result<Vec<(wire::Status, Option<Instant>)>, Fault> {
        let url = self.repo_url(repo, &["commits", sha, "statuses"], &[("per_page", &PER_PAGE.to_string())])?;
        self.all("statuses", url, |answer| {
            let page: Vec<wire::Status> = answer.json()?;
            Ok(Page { items: page.into_iter().map(|status| (status, answer.date)).collect(), total: None })
        })
        .await
    }

    pub(super) async fn required_on(&self, repo: &RepoPath, branch: &BranchName) -> Result<Required, Fault> {
        let (rules, classic) = self.rules_of(repo, branch).await?;
        let mut names = BTreeSet::new();
        for rule in rules {
            match rule.kind.as_str() {
                "required_status_checks" => {
                    names.extend(rule.parameters.required_status_checks.into_iter().map(|check| check.context));
                }
                // These want workflows and scans to pass whose checks they do not name.
                "workflows" | "code_scanning" | "code_quality" => return Ok(Required::Everything),
                _ => {}
            }
        }
        let classic = classic.and_then(|protection| protection.required_status_checks);
        if let Some(classic) = classic.filter(|classic| classic.enforcement_level != "off") {
            names.extend(classic.contexts);
            names.extend(classic.checks.into_iter().map(|check| check.context));
        }
        Ok(Required::Checks(names.into_iter().collect()))
    }

    /// The rules of rulesets, and what classic protection says of checks. Both may be there, and both
    /// then hold. What the branch itself says of its protection needs no administrator, unlike
    /// `/protection`.
    pub(super) async fn rules_of(
        &self,
        repo: &RepoPath,
        branch: &BranchName,
    ) -> Result<(Vec<wire::Rule>, Option<wire::Protection>), Fault> {
        let per_page = PER_PAGE.to_string();
        let rules = self.repo_url(repo, &["rules", "branches", branch.as_str()], &[("per_page", &per_page)])?;
        let rules = self.list("rules", rules).await?;
        let at = self.repo_url(repo, &["branches", branch.as_str()], &[])?;
        let found: wire::Branch = self.get("branch", at).await?;
        Ok((rules, found.protection))
    }

    pub(super) async fn put_status(
        &self,
        repo: &RepoPath,
        commit: CommitId,
        line: &StatusLine,
    ) -> Result<(), Fault> {
        let sha = commit.to_string();
        let state = match line.state {
            StatusState::Pending => "pending",
            StatusState::Success => "success",
            StatusState::Failure => "failure",
        };
        let description = cut(&line.description, DESCRIPTION_MAX);
        // GitHub takes a thousand of a context for a commit, and each wakes whoever listens.
        let there = self.statuses(repo, &sha).await?;
        let there = there.iter().map(|(status, _)| status).find(|status| status.context == line.context);
        let same = there.is_some_and(|status| {
            status.state == state
                && status.description.as_deref().unwrap_or_default() == description
                && status.target_url == line.url
        });
        if same {
            return Ok(());
        }
        let mut body = json!({ "state": state, "context": line.context, "description": description });
        if let Some(url) = &line.url {
            body["target_url"] = json!(url);
        }
        self.done("set-status", Method::POST, self.repo_url(repo, &["statuses", &sha], &[])?, &body).await
    }
}

fn of_run(run: wire::CheckRun, suites: &BTreeMap<u64, wire::CheckSuite>, date: Option<Instant>) -> Raw {
    let suite = run.check_suite.as_ref().and_then(|suite| suites.get(&suite.id));
    let state =
        run_state(&run.status, run.conclusion.as_deref(), suite.and_then(|suite| suite.conclusion.as_deref()));
    let origin = run.app.map_or_else(|| "check".to_owned(), |app| format!("app {} {}", app.id, app.slug));
    let finished = if state == CiState::Running { None } else { run.completed_at.as_deref().and_then(stamp) };
    let seen = CheckSeen {
        name: CheckName::new(run.name),
        origin: origin.trim_end().to_owned(),
        on: suite.and_then(|suite| suite.head_branch.as_deref()).map(BranchName::new),
        state,
        finished_ago: ago(date, finished),
        url: run.html_url,
    };
    Raw { seen, id: run.id }
}

fn of_status(status: wire::Status, date: Option<Instant>) -> Option<Raw> {
    if status.context.starts_with(OURS) {
        return None;
    }
    let state = status_state(&status.state);
    let finished = if state == CiState::Running { None } else { status.updated_at.as_deref().and_then(stamp) };
    let by = status.creator.map_or_else(|| "somebody".to_owned(), |user| user.login);
    let seen = CheckSeen {
        name: CheckName::new(status.context),
        origin: format!("status by {by}"),
        on: None,
        state,
        finished_ago: ago(date, finished),
        url: status.target_url,
    };
    Some(Raw { seen, id: status.id })
}

/// The table of check runs.
fn run_state(status: &str, conclusion: Option<&str>, suite: Option<&str>) -> CiState {
    match (status, conclusion) {
        ("completed", Some("success" | "neutral")) => CiState::Green,
        ("completed", Some("skipped")) => match suite {
            Some("success" | "neutral" | "skipped") => CiState::Green,
            Some("failure" | "cancelled" | "timed_out" | "action_required" | "startup_failure") => CiState::Red,
            _ => CiState::Running,
        },
        ("completed", Some("failure" | "cancelled" | "timed_out" | "action_required" | "startup_failure")) => {
            CiState::Red
        }
        _ => CiState::Running,
    }
}

/// The table of commit statuses.
fn status_state(state: &str) -> CiState {
    match state {
        "success" => CiState::Green,
        "failure" | "error" => CiState::Red,
        _ => CiState::Running,
    }
}

/// The newest of each name, origin and branch.
fn newest(raw: Vec<Raw>) -> Vec<CheckSeen> {
    let mut kept: BTreeMap<(CheckName, String, Option<BranchName>), Raw> = BTreeMap::new();
    for one in raw {
        let key = (one.seen.name.clone(), one.seen.origin.clone(), one.seen.on.clone());
        match kept.get(&key) {
            Some(had) if had.id >= one.id => {}
            _ => {
                kept.insert(key, one);
            }
        }
    }
    kept.into_values().map(|raw| raw.seen).collect()
}

/// At most so many characters, with an ellipsis where something is left out.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_check_runs() {
        use CiState::{Green, Red, Running};
        for (status, conclusion, suite, state) in [
            ("completed", Some("success"), None, Green),
            ("completed", Some("success"), Some("failure"), Green),
            ("completed", Some("neutral"), None, Green),
            ("completed", Some("skipped"), Some("success"), Green),
            ("completed", Some("skipped"), Some("skipped"), Green),
            ("completed", Some("skipped"), Some("failure"), Red),
            ("completed", Some("skipped"), Some("cancelled"), Red),
            ("completed", Some("skipped"), Some("stale"), Running),
            ("completed", Some("skipped"), None, Running),
            ("completed", Some("failure"), Some("success"), Red),
            ("completed", Some("cancelled"), None, Red),
            ("completed", Some("timed_out"), None, Red),
            ("completed", Some("action_required"), None, Red),
            ("completed", Some("startup_failure"), None, Red),
            ("completed", Some("stale"), None, Running),
            ("completed", Some("splendid"), None, Running),
            ("completed", None, None, Running),
            // A conclusion that came before the end is none.
            ("in_progress", Some("success"), None, Running),
            ("queued", None, None, Running),
            ("", Some("success"), None, Running),
            ("SUCCESS", Some("SUCCESS"), None, Running),
        ] {
            assert_eq!(run_state(status, conclusion, suite), state, "{status} {conclusion:?} {suite:?}");
        }
        for (word, state) in [
            ("success", Green),
            ("failure", Red),
            ("error", Red),
            ("pending", Running),
            ("", Running),
            ("ok", Running),
        ] {
            assert_eq!(status_state(word), state, "{word}");
        }
    }

    #[test]
    fn descriptions_are_cut_by_characters() {
        assert_eq!(cut("żółć", 4), "żółć");
        assert_eq!(cut("żółć!", 4), "żół…");
    }
}
