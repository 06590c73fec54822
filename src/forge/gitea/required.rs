//! What the forge itself requires on a branch, and which branches there are.
//!
//! Read from the branch and not from the protection rules: only administrators may see those, and
//! which of several patterns rules a branch is the server's business.

use towpath_core::model::{BranchName, CommitId, RequiredCheck, Unknown, UnknownWhy};

use super::api::{Api, Counted};
use super::{path, wire};
use crate::forge::client::Fault;
use crate::forge::{RepoPath, Required};

/// See `Forge::required`.
pub(super) async fn required(api: &Api, repo: &RepoPath, name: &BranchName) -> Result<Required, Unknown> {
    let at = path(repo, &["branches", name.as_str()]);
    let answer = api.get("branch", &at, &[]).await.and_then(|answer| answer.json());
    fold(answer.map_err(Fault::unknown)?)
}

fn fold(branch: wire::Branch) -> Result<Required, Unknown> {
    let unreadable = |words: String| Unknown::lasting(UnknownWhy::Unreadable { words });
    match (branch.protected, branch.enable_status_check) {
        (Some(false), _) | (Some(true), Some(false)) => return Ok(Required::Checks(Vec::new())),
        (Some(true), Some(true)) => {}
        _ => return Err(unreadable("the branch does not say whether it is protected".to_owned())),
    }
    let patterns = branch.status_check_contexts.unwrap_or_default();
    if patterns.is_empty() {
        return Ok(Required::Everything);
    }
    // The server's globs (github.com/gobwas/glob, without separators) know more than `*`. Taking such a
    // pattern for a name, or a wider one for it, could let a commit pass that the server refuses.
    match patterns.iter().find(|pattern| pattern.contains(['?', '[', ']', '{', '}', '\\'])) {
        Some(odd) => Err(unreadable(format!(
            "the required check `{}` is a pattern with more than `*` in it, which Towpath does not read",
            odd.escape_debug()
        ))),
        None => Ok(Required::Checks(
            patterns.into_iter().map(|pattern| RequiredCheck::of_anybody(pattern.replace("**", "*"))).collect(),
        )),
    }
}

/// Every branch and its tip.
pub(super) async fn branches(api: &Api, repo: &RepoPath) -> Result<Vec<(BranchName, CommitId)>, Unknown> {
    let at = path(repo, &["branches"]);
    let listed = api.list::<wire::Branch>("branches", &at, &[], Counted::Exactly).await;
    let (branches, _) = listed.map_err(Fault::unknown)?;
    let tip = |branch: wire::Branch| {
        let id = branch.commit.and_then(|tip| tip.id).and_then(|id| id.parse().ok());
        let words = || format!("the branch `{}` has no commit", branch.name.escape_debug());
        let id = id.ok_or_else(|| Unknown::passing(UnknownWhy::Unreadable { words: words() }))?;
        Ok((BranchName::new(branch.name), id))
    };
    branches.into_iter().map(tip).collect()
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(more: Value) -> Option<Required> {
        let mut value = json!({"name": "staging"});
        for (key, is) in more.as_object().unwrap() {
            value[key] = is.clone();
        }
        fold(serde_json::from_value(value).unwrap()).ok()
    }

    #[test]
    fn rules_are_read_and_what_is_not_said_is_not_known() {
        let none = Some(Required::Checks(Vec::new()));
        assert_eq!(read(json!({"protected": false, "enable_status_check": false})), none);
        assert_eq!(read(json!({"protected": true, "enable_status_check": false})), none);
        let on = |contexts: Value| {
            read(json!({"protected": true, "enable_status_check": true, "status_check_contexts": contexts}))
        };
        assert_eq!(on(json!(null)), Some(Required::Everything));
        assert_eq!(on(json!([])), Some(Required::Everything));
        let two = ["build", "CI / *"].map(RequiredCheck::of_anybody).to_vec();
        assert_eq!(on(json!(["build", "CI / **"])), Some(Required::Checks(two)));
        assert_eq!(on(json!(["CI / {a,b}"])), None);
        assert_eq!(on(json!(["CI / te?t"])), None);
        assert_eq!(read(json!({})), None);
        assert_eq!(read(json!({"protected": true})), None);
    }
}
