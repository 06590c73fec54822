//! Which repositories there are.

use super::{GitHub, PER_PAGE, wire};
use crate::forge::client::{Fault, OrOdd, Page};
use crate::forge::{Aside, REPOSITORIES_MAX, RepoPath, RepoSeen};

impl GitHub {
    /// See `Forge::repositories`. A person's token sees what its owner owns, was invited to, or has as a member of an
    /// organisation; an installation of an App what it was installed on.
    /// <https://docs.github.com/en/rest/repos/repos#list-repositories-for-the-authenticated-user>,
    /// <https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation>
    pub(super) async fn listed(&self) -> Result<Vec<RepoSeen>, Fault> {
        let (pages, query) = (REPOSITORIES_MAX / PER_PAGE, [("per_page", &*PER_PAGE.to_string())]);
        let all = if self.auth.is_app() {
            let url = self.url(&["installation", "repositories"], &query);
            let take = |answer: &crate::forge::client::Answer| {
                let page: wire::Repositories = answer.json()?;
                Ok(Page { items: page.repositories, total: Some(page.total_count) })
            };
            self.all_up_to(pages, "repositories", url, take).await?
        } else {
            // By name, which no push changes while pages are read.
            let url = self.url(&["user", "repos"], &[query[0], ("sort", "full_name")]);
            self.all_up_to(pages, "repositories", url, |answer| Ok(Page { items: answer.json()?, total: None }))
                .await?
        };
        Ok(all.iter().map(either).collect())
    }
}

fn either(listed: &OrOdd<wire::Listed>) -> RepoSeen {
    match listed {
        OrOdd::Sound(listed) => seen(listed),
        OrOdd::Odd(item) => RepoSeen::odd(item, "full_name"),
    }
}

fn seen(listed: &wire::Listed) -> RepoSeen {
    // A disabled one is as good as archived: nothing can be pushed to it.
    let aside = match (listed.archived || listed.disabled, listed.fork) {
        (true, _) => Some(Aside::Archived),
        (_, true) => Some(Aside::Fork),
        _ => None,
    };
    RepoSeen { id: listed.id.to_string(), path: RepoPath::new(&listed.full_name), aside }
}
