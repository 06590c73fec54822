//! Whether what Towpath pushes starts CI, for `doctor`.
//!
//! Actions are started by whoever pushes, unless it is the token of a running job. Where they are switched off another CI
//! may be told by webhooks; it has written statuses then, and nothing is said.
//!
//! Not here: what the results are (`checks`).

use towpath_core::model::BranchName;

use super::api::Api;
use super::{checks, wire};
use crate::forge::{Finding, RepoPath};

/// What is to be said of a repository to whose branches, at these tips, Towpath pushes.
pub(super) async fn actions(
    api: &Api,
    repo: &RepoPath,
    settings: &wire::Repository,
    tips: &[(BranchName, String)],
) -> Option<Finding> {
    if settings.has_actions != Some(false) {
        return None;
    }
    let (name, _) = tips.first()?;
    for (_, tip) in tips {
        // Why they cannot be read is said where they decide.
        if !checks::read(api, repo, tip.parse().ok()?).await.ok()?.is_empty() {
            return None;
        }
    }
    Some(Finding {
        stops: false,
        what: format!(
            "pushes to `{name}` seem to start no CI: Actions are switched off in the repository, and no newest commit of a \
             target has a status"
        ),
        mend: "switch Actions on in the repository's settings, or see that your CI is told of pushes by a webhook of its own \
               and writes commit statuses; without CI, leave it"
            .to_owned(),
    })
}
