//! Which repositories there are.

use super::api::{Api, Counted, PAGE};
use super::wire;
use crate::forge::client::{Fault, OrOdd};
use crate::forge::{Aside, REPOSITORIES_MAX, RepoPath, RepoSeen};

/// See `Forge::repositories`. In spite of its summary ("repos that the authenticated user owns") the call lists those
/// that the user has by an organisation's team or as a collaborator, too: `ListMyRepos` in
/// `routers/api/v1/user/repo.go` of go-gitea/gitea ("the repositories you own or have access to").
pub(super) async fn listed(api: &Api) -> Result<Vec<RepoSeen>, Fault> {
    let pages = (REPOSITORIES_MAX as u64).div_ceil(PAGE);
    let (all, _) = api
        .list_up_to::<OrOdd<wire::Listed>>(pages, "repositories", &["user", "repos"], &[], Counted::Exactly)
        .await?;
    Ok(all.iter().map(either).collect())
}

fn either(listed: &OrOdd<wire::Listed>) -> RepoSeen {
    match listed {
        OrOdd::Sound(listed) => seen(listed),
        OrOdd::Odd(item) => RepoSeen::odd(item, "full_name"),
    }
}

fn seen(listed: &wire::Listed) -> RepoSeen {
    let aside = if listed.archived {
        Some(Aside::Archived)
    } else if listed.mirror {
        Some(Aside::Mirror)
    } else {
        listed.fork.then_some(Aside::Fork)
    };
    RepoSeen { id: listed.id.to_string(), path: RepoPath::new(&listed.full_name), aside }
}
