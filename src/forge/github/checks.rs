//! Results of checks, what GitHub's words for them mean, and which of them a branch requires.
//!
//! Two systems report side by side: check runs (Apps, Actions) and commit statuses (anybody with write
//! access). A name may stand in both, and then both count. Of check runs of one name, the newest of each workflow and
//! branch counts (`suites`); a suite that failed before it had any check is red by the name of its workflow.
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
use std::sync::PoisonError;

use http::Method;
use serde_json::json;
use towpath_core::model::{BranchName, CheckName, CiState, CommitId, Instant, RequiredCheck};

use super::suites::{RunOf, Suites, app_origin};
use super::{GitHub, PER_PAGE, wire};
use crate::forge::client::{Fault, Page, ago, stamp};
use crate::forge::{CheckSeen, RepoPath, Required, StatusLine, StatusState};

/// What our own statuses begin with.
const OURS: &str = "towpath/";

/// Of how many check suites of a commit GitHub lists the runs: the newest.
/// REST description, `checks/list-for-ref`.
const SUITES_MAX: usize = 1_000;

/// Of how many Apps it is remembered which account is whose.
const APPS_MAX: usize = 1_000;

/// The longest description that a status takes. <https://docs.github.com/en/rest/commits/statuses>
/// does not say so; GitHub refuses longer ones ("description is too long (maximum is 140 characters)").
const DESCRIPTION_MAX: usize = 140;

/// A result on its way to being the newest of its kind.
struct Raw {
    seen: CheckSeen,
    /// What it is a result of, beside its name.
    of: Option<RunOf>,
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
        let other = runs.iter().map(|(run, _): &(wire::CheckRun, _)| run).find(|run| run.head_sha != sha);
        if let Some(run) = other {
            return Err(Fault::Unreadable { words: format!("check-runs: `{}` is of another commit", run.name) });
        }
        let only: Vec<&wire::CheckRun> = runs.iter().map(|(run, _)| run).collect();
        let suites = self.suites_of(repo, &sha, suites, &only).await?;
        let stillborn = suites.stillborn_checks(&only);
        let mut raw: Vec<Raw> = runs.into_iter().map(|(run, date)| of_run(run, &suites, date)).collect();
        for (status, date) in self.statuses(repo, &sha).await? {
            if !status.context.starts_with(OURS) {
                let app = self.app_of(status.creator.as_ref()).await?;
                raw.push(of_status(status, app, date));
            }
        }
        Ok(newest(raw).into_iter().chain(stillborn).collect())
    }

    /// The App that somebody is the account of: rules name Apps by their ids, statuses their accounts.
    async fn app_of(&self, creator: Option<&wire::User>) -> Result<Option<u64>, Fault> {
        let bot = creator.filter(|user| user.kind == "Bot").and_then(|user| user.login.strip_suffix("[bot]"));
        let Some(slug) = bot else { return Ok(None) };
        let known = |apps: &BTreeMap<String, Option<u64>>| apps.get(slug).copied();
        if let Some(id) = known(&self.apps.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(id);
        }
        let id = match self.get::<wire::AppSeen>("app-by-name", self.url(&["apps", slug], &[])).await {
            Ok(app) => Some(app.id),
            // One that is private to others.
            Err(Fault::Said { status: 403 | 404, .. }) => None,
            Err(fault) => return Err(fault),
        };
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        if apps.len() < APPS_MAX {
            apps.insert(slug.to_owned(), id);
        }
        Ok(id)
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
        let mut all = BTreeSet::new();
        for rule in rules {
            match rule.kind.as_str() {
                "required_status_checks" => all.extend(rule.parameters.required_status_checks.iter().map(required)),
                // These want workflows and scans to pass whose checks they do not name.
                "workflows" | "code_scanning" | "code_quality" => return Ok(Required::Everything),
                _ => {}
            }
        }
        let classic = classic.and_then(|protection| protection.required_status_checks);
        if let Some(classic) = classic.filter(|classic| classic.enforcement_level != "off") {
            // `contexts` repeats the names of `checks`, without their Apps.
            let told: BTreeSet<&str> = classic.checks.iter().map(|check| check.context.as_str()).collect();
            let more = classic.contexts.iter().filter(|context| !told.contains(context.as_str()));
            all.extend(more.map(|context| RequiredCheck::of_anybody(context.as_str())));
            all.extend(classic.checks.iter().map(required));
        }
        Ok(Required::Checks(all.into_iter().collect()))
    }

    /// The rules of rulesets, and what classic protection says of checks. Both may be there, and both
    /// then hold. What the branch itself says of its protection needs no administrator, unlike
    /// `/protection`.
    pub(super) async fn rules_of(
        &self,
        repo: &RepoPath,
        branch: &BranchName,
    ) -> Result<(Vec<wire::Rule>, Option<wire::Protection>), Fault> {
        let rules = self.rulesets_of(repo, branch).await?;
        let at = self.repo_url(repo, &["branches", branch.as_str()], &[])?;
        let found: wire::Branch = self.get("branch", at).await?;
        Ok((rules, found.protection))
    }

    /// The rules of rulesets alone, which a branch has that is not there yet, too.
    pub(super) async fn rulesets_of(&self, repo: &RepoPath, branch: &BranchName) -> Result<Vec<wire::Rule>, Fault> {
        let per_page = PER_PAGE.to_string();
        let rules = self.repo_url(repo, &["rules", "branches", branch.as_str()], &[("per_page", &per_page)])?;
        self.list("rules", rules).await
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

/// A check that a rule requires, and of whom.
fn required(check: &wire::RequiredCheck) -> RequiredCheck {
    let app = check.integration_id.or(check.app_id).filter(|id| *id > 0);
    RequiredCheck { name: check.context.clone(), by: app.map(|id| format!("app {id}")) }
}

fn of_run(run: wire::CheckRun, suites: &Suites, date: Option<Instant>) -> Raw {
    let suite_id = run.check_suite.as_ref().map(|suite| suite.id);
    let suite = suite_id.and_then(|id| suites.get(id));
    let state =
        run_state(&run.status, run.conclusion.as_deref(), suite.and_then(|suite| suite.conclusion.as_deref()));
    let finished = if state == CiState::Running { None } else { run.completed_at.as_deref().and_then(stamp) };
    let seen = CheckSeen {
        name: CheckName::new(run.name),
        origin: app_origin(run.app.as_ref()),
        on: suite.and_then(|suite| suite.head_branch.as_deref()).map(BranchName::new),
        state,
        finished_ago: ago(date, finished),
        url: run.html_url,
    };
    Raw { seen, of: suite_id.map(|id| suites.run_of(id)), id: run.id }
}

fn of_status(status: wire::Status, app: Option<u64>, date: Option<Instant>) -> Raw {
    let state = status_state(&status.state);
    let finished = if state == CiState::Running { None } else { status.updated_at.as_deref().and_then(stamp) };
    let by = status.creator.map_or_else(|| "somebody".to_owned(), |user| user.login);
    let app = app.map(|id| format!("app {id} ")).unwrap_or_default();
    let seen = CheckSeen {
        name: CheckName::new(status.context),
        origin: format!("{app}status by {by}"),
        on: None,
        state,
        finished_ago: ago(date, finished),
        url: status.target_url,
    };
    Raw { seen, of: None, id: status.id }
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

/// The newest of each name, origin, branch, and thing that it is a run of. Where only the last tells two apart, the
/// origin says which is which.
fn newest(raw: Vec<Raw>) -> Vec<CheckSeen> {
    type Place = (CheckName, String, Option<BranchName>);
    let mut kept: BTreeMap<Place, BTreeMap<Option<RunOf>, Raw>> = BTreeMap::new();
    for one in raw {
        let place = (one.seen.name.clone(), one.seen.origin.clone(), one.seen.on.clone());
        let runs = kept.entry(place).or_default();
        match runs.get(&one.of) {
            Some(had) if had.id >= one.id => {}
            _ => {
                runs.insert(one.of.clone(), one);
            }
        }
    }
    let told = |runs: BTreeMap<Option<RunOf>, Raw>| {
        let several = runs.len() > 1;
        runs.into_iter().map(move |(of, Raw { mut seen, .. })| {
            if let Some(of) = of.filter(|_| several) {
                seen.origin = format!("{} {}", seen.origin, of.words());
            }
            seen
        })
    };
    kept.into_values().flat_map(told).collect()
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
