//! Whether what Towpath pushes starts pipelines, for `doctor`.
//!
//! What is pushed with the token of a CI job starts none, and `workflow` or `rules` may leave a branch out. Only a
//! branch to which commits come by push is looked at, and only where the commit at its tip ran elsewhere: of a project
//! without CI nothing is said.
//! <https://docs.gitlab.com/ci/jobs/ci_job_token/#allow-git-push-requests-to-your-project-repository>
//!
//! Not here: what the results are (`checks`).

use towpath_core::model::BranchName;
use towpath_core::text::one_line;

use super::api::{Api, path};
use super::wire;
use crate::forge::{Finding, RepoPath};

/// What is to be said of the pipelines of a branch at whose tip that commit is.
pub(super) async fn pipelines(api: &Api, repo: &RepoPath, name: &BranchName, tip: &str) -> Option<Finding> {
    let query = [("sha", tip)];
    // Why they cannot be read is said where they decide.
    let listed = api.list::<wire::Pipeline>("pipelines", &path(repo, &["pipelines"]), &query).await.ok()?;
    let on = |pipeline: &&wire::Pipeline| pipeline.reference.as_deref() == Some(name.as_str());
    let elsewhere = listed.items.iter().filter_map(|pipeline| pipeline.reference.as_deref()).next()?;
    if listed.items.iter().any(|pipeline| on(&pipeline)) {
        return None;
    }
    let short: String = tip.chars().take(9).collect();
    Some(Finding {
        stops: false,
        what: format!(
            "pushes to `{name}` seem to start no CI: its newest commit `{short}` has a pipeline of `{}`, and none of \
             `{name}`",
            one_line(elsewhere, 100)
        ),
        mend: "if one should run there (a deployment), see that `workflow` and `rules` of `.gitlab-ci.yml` have the branch, \
               and that the token is a project's, a group's or a user's: what is pushed with a CI job's token starts none"
            .to_owned(),
    })
}
