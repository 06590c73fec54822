//! Whether the server lets a branch go back, as a rollback does.
//!
//! Gitea and Forgejo refuse a push that is no fast-forward on each branch that a rule covers, whoever is on its push list
//! (`preReceiveBranch` in `routers/private/hook_pre_receive.go`). Gitea since 1.23 has a setting of the rule that allows
//! it, and a list of who may (`CanUserForcePush` in `models/git/protected_branch.go`); Forgejo has none.
//!
//! Not here: everything else that `doctor` says (`doctor`).

use towpath_core::model::BranchName;

use super::api::Api;
use super::version::Version;
use super::{doctor, path, wire};
use crate::forge::{Finding, RepoPath};

/// See `Forge::against_rollback`. A branch that cannot be read is said by `Forge::findings`.
pub(super) async fn against(api: &Api, repo: &RepoPath, name: &BranchName) -> Option<Finding> {
    let answer = api.get("branch", &path(repo, &["branches", name.as_str()]), &[]).await.ok()?;
    let branch: wire::Branch = answer.json().ok()?;
    if branch.protected != Some(true) {
        return None;
    }
    let rules = doctor::protections(api, repo).await;
    let rule = doctor::rule_of(&branch, rules.as_deref());
    let can = api.server().await.version.as_ref().is_some_and(Version::lets_force);
    let me = api.whoami().await.ok().flatten();
    finding(name, rule, can, me.as_deref())
}

/// What the rule of a protected branch says, or that it cannot be seen.
fn finding(
    name: &BranchName,
    rule: Option<&wire::Protection>,
    can_be_allowed: bool,
    me: Option<&str>,
) -> Option<Finding> {
    let refuses = format!("the protection of `{name}` refuses to let it go back, so a rollback there is refused");
    let (what, mend) = match rule {
        Some(rule) if rule.enable_force_push == Some(true) => {
            let listed = rule.force_push_allowlist_usernames.iter().flatten();
            if rule.enable_force_push_allowlist != Some(true)
                || listed.into_iter().any(|login| Some(&**login) == me)
            {
                return None;
            }
            let what = format!(
                "`{name}` may be pushed to with force by those alone who are listed, and Towpath's user is not by name"
            );
            (
                what,
                "add Towpath's user to \"Allowlist for force push\" in the rule, or see that a team of it is there",
            )
        }
        // The field is there, or the server has it and the rule cannot be seen.
        Some(rule) if rule.enable_force_push.is_some() => (
            refuses,
            "choose \"Allowlist restricted force push\" in the rule, with Towpath's user alone, or set `rollback = false`",
        ),
        None if can_be_allowed => (
            format!(
                "whether `{name}` may be pushed to with force, as a rollback does, can be seen by administrators only"
            ),
            "look at its protection rule as one: \"Allowlist restricted force push\" with Towpath's user alone",
        ),
        _ => (
            refuses,
            "this server has no exception from it: take the protection off that branch, or somebody lifts it for the time of \
             a rollback; Gitea 1.23 and newer can allow force push in the rule",
        ),
    };
    Some(Finding { stops: false, what, mend: mend.to_owned() })
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_rule_lets_a_branch_go_back_or_the_finding_says_what_would() {
        let of = |rule: Option<Value>, can: bool| {
            let rule: Option<wire::Protection> = rule.map(|rule| serde_json::from_value(rule).unwrap());
            let found = finding(&BranchName::new("staging"), rule.as_ref(), can, Some("towpath"));
            found.map(|found| {
                assert!(!found.stops, "a note");
                format!("{}; {}", found.what, found.mend)
            })
        };
        let force = |on: bool, list: bool, names: &[&str]| {
            let rule = json!({
                "enable_force_push": on, "enable_force_push_allowlist": list, "force_push_allowlist_usernames": names,
            });
            of(Some(rule), true)
        };
        assert_eq!(force(true, false, &[]), None);
        assert_eq!(force(true, true, &["ana", "towpath"]), None);
        for (found, words) in [
            (force(true, true, &["ana"]), "not by name"),
            (force(true, true, &[]), "not by name"),
            (force(false, false, &["towpath"]), "Allowlist restricted force push"),
            (force(false, true, &["towpath"]), "refuses to let it go back"),
            (of(Some(json!({"rule_name": "staging"})), false), "has no exception"),
            (of(Some(json!({"enable_force_push": null})), false), "has no exception"),
            (of(None, false), "has no exception"),
            (of(None, true), "administrators only"),
        ] {
            assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{words}: {found:?}");
        }
    }
}
