//! Which check suites are runs of one thing, so that the newest of them counts alone.
//!
//! Each run of a workflow has a suite of its own; what is run again within a run stays in its suite. Two workflows may
//! have jobs of one name, on one branch: then neither may hide the other. GitHub tells of a suite neither the workflow
//! nor what set it off, so that is asked, of Actions, and only where a name stands in several suites or a suite failed
//! before it had any check. Who may not ask (`actions: read` of an App or a fine-grained token) sees every suite as a thing of
//! its own: what is red there stays red until it is run again *in its run*.
//!
//! Sources: `check-suite` and `workflow-run` of the REST description; "Run attempts" of docs.github.com.
//!
//! Not here: what the words for results mean (`checks`).

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{BranchName, CheckName, CiState};

use super::{GitHub, PER_PAGE, wire};
use crate::forge::client::{Fault, Page};
use crate::forge::{CheckSeen, RepoPath};

/// What a suite is a run of. The newest run of one thing on one branch counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RunOf {
    /// A workflow, set off by that event.
    Workflow(u64, String),
    /// Nobody says: a thing of its own.
    Suite(u64),
}

impl RunOf {
    /// What tells it from others in the origin of a check.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Workflow(id, event) => format!("workflow {id} {event}"),
            Self::Suite(id) => format!("suite {id}"),
        }
    }
}

/// The suites of a commit, by their ids.
#[derive(Debug, Default)]
pub(super) struct Suites {
    all: BTreeMap<u64, wire::CheckSuite>,
    runs: BTreeMap<u64, wire::WorkflowRun>,
}

impl Suites {
    pub(super) fn new(suites: Vec<wire::CheckSuite>) -> Self {
        Self { all: suites.into_iter().map(|suite| (suite.id, suite)).collect(), runs: BTreeMap::new() }
    }

    pub(super) fn get(&self, id: u64) -> Option<&wire::CheckSuite> {
        self.all.get(&id)
    }

    pub(super) fn run_of(&self, suite: u64) -> RunOf {
        self.runs.get(&suite).map_or(RunOf::Suite(suite), |run| RunOf::Workflow(run.workflow_id, run.event.clone()))
    }

    /// Whether it matters what they are runs of.
    fn is_asked(&self, runs: &[&wire::CheckRun]) -> bool {
        let mut of: BTreeMap<(&str, Option<u64>, Option<&str>), u64> = BTreeMap::new();
        let twice = runs.iter().filter_map(|run| Some((run, run.check_suite.as_ref()?.id))).any(|(run, suite)| {
            let branch = self.get(suite).and_then(|suite| suite.head_branch.as_deref());
            let key = (run.name.as_str(), run.app.as_ref().map(|app| app.id), branch);
            *of.entry(key).or_insert(suite) != suite
        });
        twice || self.stillborn(runs).next().is_some()
    }

    /// Those that ended badly before they had any check: a workflow that GitHub could not read, or one that was
    /// cancelled before its first job.
    fn stillborn(&self, runs: &[&wire::CheckRun]) -> impl Iterator<Item = &wire::CheckSuite> {
        let with: BTreeSet<u64> =
            runs.iter().filter_map(|run| run.check_suite.as_ref()).map(|suite| suite.id).collect();
        self.all.values().filter(move |suite| {
            let badly = matches!(
                suite.conclusion.as_deref(),
                Some("startup_failure" | "failure" | "timed_out" | "cancelled")
            );
            badly && !with.contains(&suite.id)
        })
    }

    /// What the stillborn ones come to: red, unless a newer run of the same thing on the same branch is there.
    pub(super) fn stillborn_checks(&self, runs: &[&wire::CheckRun]) -> Vec<CheckSeen> {
        let mut newest: BTreeMap<(RunOf, Option<&str>), u64> = BTreeMap::new();
        for suite in self.all.values() {
            newest.insert((self.run_of(suite.id), suite.head_branch.as_deref()), suite.id);
        }
        let counts = |suite: &&wire::CheckSuite| {
            newest.get(&(self.run_of(suite.id), suite.head_branch.as_deref())) == Some(&suite.id)
        };
        let seen = |suite: &wire::CheckSuite| {
            let run = self.runs.get(&suite.id);
            let app = suite.app.as_ref().map_or("check suite", |app| app.slug.as_str());
            let name = run.and_then(|run| run.name.as_deref()).filter(|name| !name.is_empty()).unwrap_or(app);
            CheckSeen {
                name: CheckName::new(name),
                origin: format!("{} {}", app_origin(suite.app.as_ref()), self.run_of(suite.id).words()),
                on: suite.head_branch.as_deref().map(BranchName::new),
                state: CiState::Red,
                finished_ago: None,
                url: run.and_then(|run| run.html_url.clone()),
            }
        };
        self.stillborn(runs).filter(counts).map(seen).collect()
    }
}

/// Who reported a check run: `app ID SLUG`. What a rule names is how it begins: `app ID`.
pub(super) fn app_origin(app: Option<&wire::App>) -> String {
    let origin = app.map_or_else(|| "check".to_owned(), |app| format!("app {} {}", app.id, app.slug));
    origin.trim_end().to_owned()
}

impl GitHub {
    /// The suites of a commit, and where it matters what they are runs of.
    pub(super) async fn suites_of(
        &self,
        repo: &RepoPath,
        sha: &str,
        suites: Vec<wire::CheckSuite>,
        runs: &[&wire::CheckRun],
    ) -> Result<Suites, Fault> {
        let mut suites = Suites::new(suites);
        if !suites.is_asked(runs) {
            return Ok(suites);
        }
        let query = [("head_sha", sha), ("per_page", &PER_PAGE.to_string())];
        let url = self.repo_url(repo, &["actions", "runs"], &query)?;
        let found = self
            .all("workflow-runs", url, |answer| {
                let page: wire::WorkflowRuns = answer.json()?;
                Ok(Page { items: page.workflow_runs, total: Some(page.total_count) })
            })
            .await;
        match found {
            Ok(found) => {
                let own = found.into_iter().filter(|run| run.head_sha == sha);
                suites.runs = own.filter_map(|run| Some((run.check_suite_id?, run))).collect();
                Ok(suites)
            }
            Err(Fault::Said { status: 403 | 404, .. }) => Ok(suites),
            Err(fault) => Err(fault),
        }
    }
}
