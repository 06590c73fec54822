//! Which projects there are.

use super::api::{Api, PER_PAGE};
use super::wire;
use crate::forge::client::{Fault, OrOdd};
use crate::forge::{Aside, REPOSITORIES_MAX, RepoPath, RepoSeen};

/// See `Forge::repositories`: the projects that the token's user is a member of, by a group or by itself. The token
/// of a project or group has a user of its own, who is a member of exactly that.
/// <https://docs.gitlab.com/api/projects/#list-all-projects>
pub(super) async fn listed(api: &Api) -> Result<Vec<RepoSeen>, Fault> {
    // By number, which nothing changes while pages are read.
    let query = [("membership", "true"), ("order_by", "id"), ("sort", "asc")];
    let pages = REPOSITORIES_MAX / PER_PAGE;
    let all = api.list_up_to::<OrOdd<wire::Listed>>(pages, "repositories", &["v4", "projects"], &query).await?;
    Ok(all.items.iter().map(either).collect())
}

fn either(listed: &OrOdd<wire::Listed>) -> RepoSeen {
    match listed {
        OrOdd::Sound(listed) => seen(listed),
        OrOdd::Odd(item) => RepoSeen::odd(item, "path_with_namespace"),
    }
}

fn seen(listed: &wire::Listed) -> RepoSeen {
    let aside = if listed.marked_for_deletion_on.is_some() || listed.marked_for_deletion_at.is_some() {
        Some(Aside::Doomed)
    } else if listed.archived {
        Some(Aside::Archived)
    } else if listed.mirror.unwrap_or(false) {
        Some(Aside::Mirror)
    } else {
        let says = listed.forked_from_project.is_some() || listed.mr_default_target_self.is_some();
        says.then_some(Aside::Fork)
    };
    RepoSeen { id: listed.id.to_string(), path: RepoPath::new(&listed.path_with_namespace), aside }
}
