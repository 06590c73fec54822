//! Who moved a branch when, as GitHub keeps it.

use towpath_core::model::{BranchName, CommitId};

use super::{GitHub, PER_PAGE, headed, wire};
use crate::forge::client::{Call, Fault, ago, stamp};
use crate::forge::{Pushed, RepoPath};

impl GitHub {
    /// See `Forge::pushes`. One page, the newest hundred.
    /// <https://docs.github.com/en/rest/repos/repos#list-repository-activities>
    pub(super) async fn activity_of(&self, repo: &RepoPath, branch: &BranchName) -> Result<Vec<Pushed>, Fault> {
        let of = format!("refs/heads/{branch}");
        let url = self.repo_url(repo, &["activity"], &[("ref", &of), ("per_page", &PER_PAGE.to_string())])?;
        let answer = self.send(&headed(Call::get("activity", url))).await?;
        let all: Vec<wire::Activity> = answer.json()?;
        if all.iter().any(|one| one.of != of) {
            return Err(Fault::Unreadable { words: format!("activity: it is not of `{branch}` alone") });
        }
        let seen = |one: &wire::Activity| {
            let ago = ago(answer.date, one.timestamp.as_deref().and_then(stamp))?;
            Some(Pushed { before: commit(&one.before), after: commit(&one.after), ago })
        };
        // What has no age breaks the record off.
        Ok(all.iter().map_while(seen).collect())
    }
}

/// None for the id of zeros, which stands for no branch.
fn commit(id: &str) -> Option<CommitId> {
    id.parse().ok().filter(|_| id.bytes().any(|digit| digit != b'0'))
}
