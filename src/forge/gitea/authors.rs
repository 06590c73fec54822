//! Whose accounts the authors of commits have.
//!
//! A commit's `author` is the account that has its address, null where nobody has. Many are read from the list of a
//! branch's commits, which may begin at any commit and goes by date, a page for each fifty; only the last few are
//! asked for one by one. `routers/api/v1/repo/commits.go` of go-gitea/gitea.
//!
//! Not here: what it means that an author is not known.

use std::collections::BTreeSet;

use towpath_core::model::{Actor, AuthorLogins, CommitId, Stranger, Unknown};

use super::api::Api;
use super::{path, wire};
use crate::forge::client::Fault;
use crate::forge::{AUTHORS_MAX, RepoPath, few_enough};

/// So many are asked for one by one: a page costs the server more.
const FEW: usize = 3;

/// What would cost the server a diff and a look at a signature, and is not read. Older versions pass it over.
const WITHOUT: [(&str, &str); 3] = [("stat", "false"), ("verification", "false"), ("files", "false")];

/// See `Forge::authors`.
pub(super) async fn authors(api: &Api, repo: &RepoPath, commits: &[CommitId]) -> Result<AuthorLogins, Unknown> {
    few_enough(commits, AUTHORS_MAX)?;
    let mut search = Search { found: AuthorLogins::default(), left: commits.iter().copied().collect() };
    let limit = api.server().await.page.max(1);
    // Lists that have to be begun in many places cost as much as asking for each commit.
    let mut pages = 2 * (commits.len() as u64).div_ceil(limit) + 2;
    for commit in commits {
        if !search.left.contains(commit) {
            continue;
        }
        if search.left.len() > FEW {
            search.list(api, repo, *commit, limit, &mut pages).await.map_err(Fault::unknown)?;
        }
        if search.left.contains(commit) {
            search.one(api, repo, *commit).await.map_err(Fault::unknown)?;
        }
    }
    Ok(search.found)
}

struct Search {
    found: AuthorLogins,
    /// Whose authors are not known yet.
    left: BTreeSet<CommitId>,
}

impl Search {
    /// Reads the list that begins at a commit, as long as it brings what is sought.
    async fn list(
        &mut self,
        api: &Api,
        repo: &RepoPath,
        from: CommitId,
        limit: u64,
        pages: &mut u64,
    ) -> Result<(), Fault> {
        let (from, at) = (from.to_string(), path(repo, &["commits"]));
        let mut query = vec![("sha", from.as_str())];
        query.extend(WITHOUT);
        for page in 1.. {
            let Some(rest) = pages.checked_sub(1) else { break };
            *pages = rest;
            let before = self.left.len();
            let (listed, _) = api.page::<wire::Commit>("commits", &at, &query, (page, limit)).await?;
            for commit in listed {
                if let Ok(id) = commit.sha.parse() {
                    self.take(id, commit.author);
                }
            }
            if self.left.len() <= FEW || self.left.len() == before {
                break;
            }
        }
        Ok(())
    }

    async fn one(&mut self, api: &Api, repo: &RepoPath, commit: CommitId) -> Result<(), Fault> {
        let sha = commit.to_string();
        let at = path(repo, &["git", "commits", &sha]);
        let told: wire::Commit = api.get("commit", &at, &WITHOUT).await?.json()?;
        self.take(commit, told.author);
        Ok(())
    }

    fn take(&mut self, commit: CommitId, author: Option<wire::User>) {
        if !self.left.remove(&commit) {
            return;
        }
        match author.and_then(|user| user.login).filter(|login| !login.is_empty()) {
            Some(login) => drop(self.found.logins.insert(Actor::new(login))),
            None => {
                self.found.unlinked = true;
                self.found.strangers.push(Stranger { commit, email: None, co_author: false });
            }
        }
    }
}
