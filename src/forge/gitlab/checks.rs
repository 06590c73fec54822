//! Results of checks: jobs and reported statuses, by pipeline; and what the project requires.
//!
//! GitLab hangs every result into a pipeline, and one commit may have many: of a push, a schedule, a merge
//! request, by hand, or made for a status that came from outside (`external`). No combined state is read.
//! All pipelines of the commit are listed, and all newest statuses (jobs, trigger jobs, reported ones) of
//! the commit; of several pipelines of one source and reference the newest counts. The source is the
//! origin of a check, so a green schedule does not hide the red push. Pipelines of merge requests keep
//! their own reference (`refs/merge-requests/N/head`), and those on a merged result are of another commit.
//!
//! What a job's or status's words mean
//! (<https://docs.gitlab.com/api/jobs/>, <https://docs.gitlab.com/ci/jobs/job_control/>):
//!
//! | word | here | why |
//! |---|---|---|
//! | `success` | green | |
//! | `failed`, `canceled` | red | |
//! | the same with `allow_failure` | left out | for GitLab the pipeline passed "with warnings" (#457578); green it was not, so a check that is named is missed |
//! | `skipped` | left out | it ran nothing: an earlier job failed, or nothing failed for `on_failure` to clean up |
//! | `manual` with `allow_failure` | left out | an offer that nobody has to take |
//! | `manual` without | running | the pipeline is blocked until a person plays it |
//! | `created`, `pending`, `running`, `preparing`, `waiting_for_resource`, `scheduled`, `canceling` | running | |
//! | anything else, or nothing | running | not understood is never green |
//!
//! A pipeline that shows no job at all is a check `pipeline` itself: red where it `failed` (its file could
//! not be read) or was `canceled`, running otherwise; where it was `skipped` (`[skip ci]`), or all its jobs
//! are left out, it is no check. Without this a status from outside could make a commit green whose own
//! CI never began (#535437).
//!
//! Child pipelines count by the job that triggers them, as in GitLab itself: with `strategy: depend` it is
//! as green as they are.
//!
//! Pipelines of sources that GitLab calls dangling ([`DANGLING`]) affect no branch, and are none here. The list of
//! pipelines has them and that of statuses has not, so they would look as if they never began.
//!
//! **Our own statuses** are left out by name. They are posted into a pipeline of their own (see `talk`), so they
//! do not make, hold up or recolour any that is read here.
//!
//! **A limit.** Whoever may post statuses (a developer) can post one under the name of a job and into its
//! pipeline, and GitLab then lists that one instead of the job, for its own merge check as for us.
//!
//! Not here: which checks are wanted.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{BranchName, CheckName, CiState, CommitId, Instant, Unknown, UnknownWhy};

use super::api::{Api, Listed, path};
use super::wire;
use crate::forge::client::{Fault, ago, stamp};
use crate::forge::{CheckSeen, RepoPath, Required};

/// Names that begin with this are Towpath's own.
const OURS: &str = "towpath/";

/// What a pipeline without jobs is called as a check.
const PIPELINE: &str = "pipeline";

/// The sources of pipelines that affect no branch: `dangling_sources` in
/// `app/models/enums/ci/pipeline.rb` of gitlabhq/gitlabhq. (What comes new there waits as a `pipeline` that never
/// began, until it is listed here.)
const DANGLING: [&str; 8] = [
    "webide",
    "parent_pipeline",
    "ondemand_dast_scan",
    "ondemand_dast_validation",
    "security_orchestration_policy",
    "container_registry_push",
    "duo_workflow",
    "pipeline_execution_policy_schedule",
];

/// What a word means; none where it is left out. See the module's table.
fn state(word: Option<&str>, may_fail: bool) -> Option<CiState> {
    match word {
        Some("success") => Some(CiState::Green),
        Some("failed" | "canceled") => (!may_fail).then_some(CiState::Red),
        Some("manual") => (!may_fail).then_some(CiState::Running),
        Some("skipped") => None,
        _ => Some(CiState::Running),
    }
}

/// What a pipeline comes to that shows no jobs.
fn empty(word: Option<&str>) -> Option<CiState> {
    match word {
        Some("failed" | "canceled") => Some(CiState::Red),
        Some("skipped") => None,
        _ => Some(CiState::Running),
    }
}

/// See `Forge::checks`.
pub(super) async fn read(api: &Api, repo: &RepoPath, commit: CommitId) -> Result<Vec<CheckSeen>, Fault> {
    let sha = commit.to_string();
    // The pipelines first: one that begins between the two reads is then seen by its jobs, and at the next
    // look by itself. Oldest first, so that new ones come at the end of the list.
    let query = [("sha", sha.as_str()), ("order_by", "id"), ("sort", "asc")];
    let pipelines = api.list::<wire::Pipeline>("pipelines", &path(repo, &["pipelines"]), &query).await?;
    let at = path(repo, &["repository", "commits", &sha, "statuses"]);
    let statuses = api.list::<wire::Status>("statuses", &at, &[("order_by", "id"), ("sort", "asc")]).await?;
    Ok(fold(&pipelines.items, statuses))
}

/// Where a result belongs: source and reference.
type Place = (String, String);

fn fold(pipelines: &[wire::Pipeline], mut statuses: Listed<wire::Status>) -> Vec<CheckSeen> {
    // Versions that do not know `order_by` have an order of their own.
    statuses.items.sort_by_key(|row| row.id);
    let place = |pipeline: &wire::Pipeline| -> Place {
        (pipeline.source.clone().unwrap_or_default(), pipeline.reference.clone().unwrap_or_default())
    };
    let dangles =
        |pipeline: &&wire::Pipeline| pipeline.source.as_deref().is_some_and(|source| DANGLING.contains(&source));
    let mut newest: BTreeMap<Place, &wire::Pipeline> = BTreeMap::new();
    for pipeline in pipelines.iter().filter(|pipeline| !dangles(pipeline)) {
        let had = newest.entry(place(pipeline)).or_insert(pipeline);
        if had.id < pipeline.id {
            *had = pipeline;
        }
    }
    let known: BTreeMap<u64, &wire::Pipeline> = pipelines.iter().map(|pipeline| (pipeline.id, pipeline)).collect();
    let mut with_jobs: BTreeSet<Place> = BTreeSet::new();
    let mut kept: BTreeMap<(String, Place), (CiState, wire::Status)> = BTreeMap::new();
    for row in statuses.items {
        let of = match row.pipeline_id.map(|id| (id, known.get(&id))) {
            Some((_, Some(pipeline))) if dangles(pipeline) => continue,
            Some((id, Some(pipeline))) => {
                let of = place(pipeline);
                // Of an older run of the same, which the newer one has replaced.
                if newest.get(&of).is_some_and(|newest| newest.id != id) {
                    continue;
                }
                of
            }
            // One that began after the pipelines were read; or a version that does not say.
            _ => origin_unsaid(&row, &newest),
        };
        with_jobs.insert(of.clone());
        let name = row.name.clone().unwrap_or_default();
        if name.starts_with(OURS) {
            continue;
        }
        let key = (name, of);
        match state(row.status.as_deref(), row.allow_failure == Some(true)) {
            Some(state) => drop(kept.insert(key, (state, row))),
            None => drop(kept.remove(&key)),
        }
    }
    let date = statuses.date;
    let mut all: Vec<CheckSeen> = kept.into_iter().map(|(key, (state, row))| seen(key, state, row, date)).collect();
    let bare = newest.into_iter().filter(|(of, _)| !with_jobs.contains(of));
    all.extend(bare.filter_map(|(of, pipeline)| {
        let state = empty(pipeline.status.as_deref())?;
        Some(CheckSeen {
            name: CheckName::new(PIPELINE),
            origin: of.0,
            on: on(of.1),
            state,
            finished_ago: None,
            url: pipeline.web_url.clone(),
        })
    }));
    all
}

/// The place of a status that does not say its pipeline: that of the only source that its reference has,
/// else one of its own.
fn origin_unsaid(row: &wire::Status, newest: &BTreeMap<Place, &wire::Pipeline>) -> Place {
    let reference = row.reference.clone().unwrap_or_default();
    let mut sources = newest.keys().filter(|(_, on)| *on == reference).map(|(source, _)| source);
    match (sources.next(), sources.next()) {
        (Some(only), None) => (only.clone(), reference),
        _ => (String::new(), reference),
    }
}

fn on(reference: String) -> Option<BranchName> {
    (!reference.is_empty()).then(|| BranchName::new(reference))
}

fn seen((name, of): (String, Place), state: CiState, row: wire::Status, date: Option<Instant>) -> CheckSeen {
    let finished = matches!(state, CiState::Green | CiState::Red);
    CheckSeen {
        name: CheckName::new(name),
        origin: of.0,
        on: on(of.1),
        state,
        finished_ago: ago(date, row.finished_at.as_deref().and_then(stamp)).filter(|_| finished),
        url: row.target_url.filter(|url| !url.is_empty()),
    }
}

/// See `Forge::required`. GitLab names no checks: a project wants its pipelines to succeed, or does not.
pub(super) async fn required(api: &Api, repo: &RepoPath) -> Result<Required, Unknown> {
    let project = api.project(repo).await.map_err(Fault::unknown)?;
    match project.only_allow_merge_if_pipeline_succeeds {
        Some(true) => Ok(Required::Everything),
        Some(false) => Ok(Required::Checks(Vec::new())),
        None => {
            let words =
                "the project does not say whether pipelines must succeed; the token may not see its settings";
            Err(Unknown::lasting(UnknownWhy::Unreadable { words: words.to_owned() }))
        }
    }
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};
    use towpath_core::model::Span;

    use super::*;

    fn pipeline(id: u64, source: &str, on: &str, status: &str) -> Value {
        json!({"id": id, "source": source, "ref": on, "status": status, "web_url": format!("https://g/{id}")})
    }

    fn job(id: u64, pipeline: u64, name: &str, status: &str, may_fail: bool) -> Value {
        json!({
            "id": id, "pipeline_id": pipeline, "name": name, "ref": "develop", "status": status,
            "allow_failure": may_fail, "finished_at": "2026-11-21T09:59:00.000Z", "target_url": "https://g/j",
        })
    }

    fn read(pipelines: Value, statuses: Value) -> Vec<CheckSeen> {
        let pipelines: Vec<wire::Pipeline> = serde_json::from_value(pipelines).unwrap();
        let items = serde_json::from_value(statuses).unwrap();
        fold(&pipelines, Listed { items, date: stamp("2026-11-21T10:00:00Z") })
    }

    fn told(checks: &[CheckSeen]) -> Vec<(String, String, String, CiState)> {
        let on = |check: &CheckSeen| check.on.as_ref().map(|on| on.as_str().to_owned()).unwrap_or_default();
        checks.iter().map(|c| (c.name.as_str().to_owned(), c.origin.clone(), on(c), c.state)).collect()
    }

    fn one(name: &str, origin: &str, on: &str, state: CiState) -> (String, String, String, CiState) {
        (name.to_owned(), origin.to_owned(), on.to_owned(), state)
    }

    #[test]
    fn every_word_is_what_the_table_says() {
        use CiState::{Green, Red, Running};
        let table = [
            ("success", Some(Green), Some(Green)),
            ("failed", Some(Red), None),
            ("canceled", Some(Red), None),
            ("skipped", None, None),
            ("manual", Some(Running), None),
            ("created", Some(Running), Some(Running)),
            ("waiting_for_resource", Some(Running), Some(Running)),
            ("preparing", Some(Running), Some(Running)),
            ("pending", Some(Running), Some(Running)),
            ("running", Some(Running), Some(Running)),
            ("scheduled", Some(Running), Some(Running)),
            ("canceling", Some(Running), Some(Running)),
            ("Success", Some(Running), Some(Running)),
            ("splendid", Some(Running), Some(Running)),
        ];
        for (word, strict, may_fail) in table {
            assert_eq!((state(Some(word), false), state(Some(word), true)), (strict, may_fail), "{word}");
        }
        assert_eq!(state(None, false), Some(Running));
        let bare = |word| empty(Some(word));
        assert_eq!([bare("failed"), bare("canceled")], [Some(Red), Some(Red)]);
        assert_eq!([bare("success"), bare("running"), bare("new")], [Some(Running); 3]);
        assert_eq!((bare("skipped"), empty(None)), (None, Some(Running)));
    }

    #[test]
    fn sources_are_told_apart_and_the_newest_of_one_counts() {
        use CiState::{Green, Red, Running};
        let pipelines = json!([
            pipeline(1, "push", "develop", "failed"),
            pipeline(4, "schedule", "develop", "success"),
            pipeline(3, "push", "develop", "running"),
            pipeline(5, "merge_request_event", "refs/merge-requests/7/head", "success"),
        ]);
        let statuses = json!([
            job(10, 1, "build", "success", false),
            job(11, 1, "old", "failed", false),
            job(30, 3, "build", "running", false),
            job(31, 3, "test", "failed", false),
            job(40, 4, "test", "success", false),
            job(50, 5, "test", "success", false),
        ]);
        let expected = [
            one("build", "push", "develop", Running),
            one("test", "merge_request_event", "refs/merge-requests/7/head", Green),
            one("test", "push", "develop", Red),
            one("test", "schedule", "develop", Green),
        ];
        assert_eq!(told(&read(pipelines, statuses)), expected);
    }

    #[test]
    fn a_pipeline_that_affects_no_branch_is_none() {
        let mut pipelines = vec![pipeline(1, "push", "develop", "success")];
        let mut statuses = vec![job(10, 1, "build", "success", false)];
        for (at, source) in (2..).zip(DANGLING) {
            pipelines.push(pipeline(at, source, "develop", "running"));
            // GitLab lists none of their jobs; were it to, they would be none.
            statuses.push(job(10 + at, at, "scan", "failed", false));
        }
        for statuses in [statuses[..1].to_vec(), statuses] {
            let checks = read(json!(pipelines), json!(statuses));
            assert_eq!(told(&checks), [one("build", "push", "develop", CiState::Green)]);
        }
    }

    #[test]
    fn the_newest_result_of_a_name_counts_and_ours_never() {
        let checks = read(
            json!([pipeline(1, "push", "develop", "success")]),
            json!([
                job(12, 1, "build", "success", false),
                job(11, 1, "build", "failed", false),
                job(13, 1, "towpath/shop/staging", "pending", false),
                job(15, 1, "test", "skipped", false),
                job(14, 1, "test", "success", false),
            ]),
        );
        assert_eq!(told(&checks), [one("build", "push", "develop", CiState::Green)]);
        assert_eq!(checks[0].finished_ago, Some(Span::from_secs(60)));
    }

    #[test]
    fn a_version_that_names_no_pipeline_is_read_by_reference() {
        let mut alone = job(10, 0, "build", "success", false);
        alone.as_object_mut().unwrap().remove("pipeline_id");
        let push = pipeline(1, "push", "develop", "success");
        let checks = read(json!([push.clone()]), json!([alone.clone()]));
        assert_eq!(told(&checks), [one("build", "push", "develop", CiState::Green)]);
        let both = json!([push, pipeline(2, "schedule", "develop", "failed")]);
        let checks = read(both, json!([alone]));
        // Whose it is cannot be told: then both pipelines are without jobs.
        let expected = [
            one("build", "", "develop", CiState::Green),
            one("pipeline", "push", "develop", CiState::Running),
            one("pipeline", "schedule", "develop", CiState::Red),
        ];
        assert_eq!(told(&checks), expected);
    }

    #[test]
    fn a_pipeline_that_never_began_is_not_hidden_by_a_status_from_outside() {
        let pipelines = |word: &str| {
            json!([pipeline(1, "push", "develop", word), pipeline(2, "external", "develop", "success")])
        };
        let status = json!([job(20, 2, "jenkins", "success", false)]);
        let green = one("jenkins", "external", "develop", CiState::Green);
        let with = |state| vec![green.clone(), one("pipeline", "push", "develop", state)];
        assert_eq!(told(&read(pipelines("failed"), status.clone())), with(CiState::Red));
        assert_eq!(told(&read(pipelines("created"), status.clone())), with(CiState::Running));
        assert_eq!(told(&read(pipelines("skipped"), status)), [green]);
        // All of its jobs are left out: it began, and found nothing to do.
        let left_out = json!([job(10, 1, "deploy", "manual", true)]);
        assert_eq!(told(&read(json!([pipeline(1, "push", "develop", "success")]), left_out)), []);
    }
}
