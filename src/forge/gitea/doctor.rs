//! What on the forge's side is not as Towpath needs it.
//!
//! Everything here is advice for `doctor`; no decision is made from it. What may not be seen is said
//! to be unseen, never taken for good.

use towpath_core::model::BranchName;
use towpath_core::text::one_line;

use super::api::{Api, Counted};
use super::{path, started, wire};
use crate::forge::client::Fault;
use crate::forge::{Finding, RepoPath};

/// What a hook has to be sent for, by the names that the API gives. Without `status` a green check is
/// seen at the next look only; the rest matter where there are requests. What is said under a request is delivered as
/// `issue_comment`, and chosen as `pull_request_comment` (`modules/webhook/type.go`).
const EVENTS: [&str; 2] = ["push", STATUS];
const REQUEST_EVENTS: [&str; 4] =
    ["pull_request", "pull_request_review_approved", "pull_request_review_rejected", COMMENTS];
const COMMENTS: &str = "pull_request_comment";
/// Not every server has it ([`Version::tells_statuses`](super::version::Version::tells_statuses)).
const STATUS: &str = "status";

/// See `Forge::findings`.
pub(super) async fn findings(api: &Api, repo: &RepoPath, targets: &[(BranchName, bool)]) -> Vec<Finding> {
    let mut found = Vec::new();
    server(api, &mut found).await;
    let by_request = targets.iter().any(|(_, by_request)| *by_request);
    let answer = api.get("repository", &path(repo, &[]), &[]).await.and_then(|answer| answer.json());
    let settings: wire::Repository = match answer {
        Ok(settings) => settings,
        Err(fault) => {
            found.push(unreached(repo, &fault));
            return found;
        }
    };
    found.extend(repository(&settings, by_request));
    let rules = protections(api, repo).await;
    let mut tips = Vec::new();
    for (name, by_request) in targets {
        let at = path(repo, &["branches", name.as_str()]);
        match api.get("branch", &at, &[]).await.and_then(|answer| answer.json::<wire::Branch>()) {
            Ok(read) => {
                found.extend(branch(&read, rules.as_deref(), *by_request));
                tips.extend(read.commit.and_then(|tip| tip.id).map(|tip| (name.clone(), tip)));
            }
            Err(fault) => found.push(Finding {
                stops: true,
                what: format!("the branch `{name}` cannot be read: {fault}"),
                mend: "create it, or correct `branch` in the config".to_owned(),
            }),
        }
    }
    found.extend(started::actions(api, repo, &settings, &tips).await);
    let at = path(repo, &["hooks"]);
    let hooks = api.list::<wire::Hook>("hooks", &at, &[], Counted::Exactly).await.map(|(hooks, _)| hooks);
    let tells = api.server().await.version.is_some_and(|version| version.tells_statuses());
    found.extend(webhook(hooks, by_request, tells));
    found
}

/// The server and the token.
async fn server(api: &Api, found: &mut Vec<Finding>) {
    match api.version().await {
        Ok(Some(version)) if !version.pins_heads() => found.push(Finding {
            stops: true,
            what: format!("{version} merges a request whatever its head is by then"),
            mend: "upgrade to Gitea 1.17 or newer, or to Forgejo".to_owned(),
        }),
        Ok(Some(_)) => {}
        Ok(None) => found.push(Finding {
            stops: false,
            what: "the server tells a version that is neither Gitea's nor Forgejo's".to_owned(),
            mend: "see that `kind` and `url` of the forge are right".to_owned(),
        }),
        Err(fault) if fault.status() == Some(403) => found.push(Finding {
            stops: false,
            what: format!("the token may not ask for the server's version: {fault}"),
            mend: "add the scope read:misc to it".to_owned(),
        }),
        Err(fault) => found.push(Finding {
            stops: true,
            what: format!("the server does not tell its version: {fault}"),
            mend: "see that `url` of the forge is its start page, and that it can be reached from here".to_owned(),
        }),
    }
    if let Err(fault) = api.whoami().await {
        found.push(Finding {
            stops: true,
            what: format!("the token does not tell whose it is: {fault}"),
            mend: "make a token with the scopes write:repository, write:issue, read:organization, read:user and read:misc"
                .to_owned(),
        });
    }
}

fn unreached(repo: &RepoPath, fault: &Fault) -> Finding {
    Finding {
        stops: true,
        what: format!("`{repo}` cannot be read: {fault}"),
        mend: "see that the path is right, and that Towpath's user is a collaborator with the right to write"
            .to_owned(),
    }
}

/// The repository's settings.
fn repository(settings: &wire::Repository, by_request: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |stops, what: &str, mend: &str| {
        found.push(Finding { stops, what: what.to_owned(), mend: mend.to_owned() });
    };
    if settings.archived == Some(true) {
        say(true, "the repository is archived", "unarchive it, or take its flow out of the config");
    }
    if settings.mirror == Some(true) {
        say(true, "the repository is a mirror: nobody can push to it", "name the repository that it mirrors");
    }
    match settings.permissions.as_ref().and_then(|permissions| permissions.push) {
        Some(true) => {}
        Some(false) => say(
            true,
            "Towpath's user may not write to the repository",
            "add the user as a collaborator with `write`, or to a team that has it",
        ),
        None => {
            say(false, "the server does not say what Towpath's user may do", "see that the token is its user's");
        }
    }
    if !by_request {
        return found;
    }
    // `GET /repos/{owner}/{repo}/collaborators/{user}/permission` is for administrators and for oneself.
    if settings.permissions.as_ref().and_then(|permissions| permissions.admin) != Some(true) {
        say(
            false,
            "Towpath's user is no administrator of the repository, so it may not ask what others may do: commands in comments \
             are refused, and \"request changes\" of anybody who can read the repository holds a request up",
            "make it one (\"Administrator\" among the collaborators), if people are to say commands under pull requests, or \
             strangers can see the repository",
        );
    }
    if settings.has_pull_requests == Some(false) {
        say(true, "pull requests are switched off", "switch them on in the repository's settings");
        return found;
    }
    merges(settings, &mut found);
    found
}

/// How the repository lets requests be merged.
fn merges(settings: &wire::Repository, found: &mut Vec<Finding>) {
    let mut say = |stops, what: &str, mend: &str| {
        found.push(Finding { stops, what: what.to_owned(), mend: mend.to_owned() });
    };
    let fast_forward = settings.allow_fast_forward_only_merge == Some(true);
    match (settings.allow_merge_commits, fast_forward) {
        (Some(_), false) if settings.allow_fast_forward_only_merge.is_none() => say(
            false,
            "the server cannot merge by fast-forward: what is approved is pushed where Towpath may push to the target and the \
             server wants no approvals there, and its request closed; else each promotion makes a merge commit, if the \
             repository allows those",
            "Gitea 1.22 and Forgejo 7 can; with them requests are shown as merged",
        ),
        (Some(false), false) => say(
            true,
            "the repository allows neither merge commits nor fast-forward merges",
            "allow \"create merge commit\" or \"fast-forward only\" in its settings; squash and rebase make other \
             commits, which can never be recognised as the promoted ones",
        ),
        (Some(false), true) => say(
            false,
            "the repository allows fast-forward merges only: a request whose base has commits of its own cannot be \
             merged",
            "allow \"create merge commit\", too, if people may commit to the target",
        ),
        (_, true) => {}
        (_, false) => say(
            false,
            "the repository does not allow fast-forward merges: each promotion makes a merge commit",
            "allow \"fast-forward only\" (Gitea 1.22, Forgejo 7) to have the very commit promoted",
        ),
    }
    if matches!(settings.default_merge_style.as_deref(), Some("squash" | "rebase" | "rebase-merge")) {
        say(
            false,
            "the merge button makes other commits unless somebody chooses: a promotion merged so blocks its flow",
            "set the default merge style to merge commits or fast-forward",
        );
    }
}

/// The protection rules; none where only administrators may see them.
pub(super) async fn protections(api: &Api, repo: &RepoPath) -> Option<Vec<wire::Protection>> {
    let at = path(repo, &["branch_protections"]);
    let answer = api.get("branch-protections", &at, &[]).await.ok()?;
    answer.json::<Option<Vec<wire::Protection>>>().ok().map(Option::unwrap_or_default)
}

/// The rule that covers a branch, where it may be seen.
pub(super) fn rule_of<'a>(
    branch: &wire::Branch,
    rules: Option<&'a [wire::Protection]>,
) -> Option<&'a wire::Protection> {
    let rule = branch.effective_branch_protection_name.as_deref().filter(|name| !name.is_empty())?;
    rules?.iter().find(|had| had.rule_name.as_deref() == Some(rule))
}

/// A target branch, and the rule that covers it.
fn branch(branch: &wire::Branch, rules: Option<&[wire::Protection]>, by_request: bool) -> Vec<Finding> {
    let name = one_line(&branch.name, 100);
    let mut found = Vec::new();
    let mut say = |stops, what: String, mend: &str| found.push(Finding { stops, what, mend: mend.to_owned() });
    if by_request && branch.user_can_merge == Some(false) {
        let mend = "add Towpath's user to the rule's merge list, or to the people who may write";
        say(true, format!("Towpath's user may not merge into `{name}`"), mend);
    }
    if !by_request && branch.user_can_push == Some(false) {
        let mend = "add Towpath's user to the rule's push list (\"whitelist restricted push\")";
        say(true, format!("the protection of `{name}` refuses Towpath's push"), mend);
    }
    if !by_request && branch.protected == Some(false) {
        let mend = "protect it, with Towpath's user alone on the push list, if people shall not push to it";
        say(false, format!("`{name}` is not protected: everybody who may write can move it past Towpath"), mend);
    }
    if branch.protected != Some(true) {
        return found;
    }
    let Some(rule) = rule_of(branch, rules) else {
        if by_request {
            let mend = "look at it as an administrator: \"block merge if pull request is outdated\" has to be off";
            say(false, format!("the protection rule of `{name}` can be seen by administrators only"), mend);
        }
        return found;
    };
    if by_request && rule.block_on_outdated_branch == Some(true) {
        let mend = "switch off \"block merge if pull request is outdated\" in the rule";
        let what = format!(
            "requests into `{name}` must be up to date with it: after the first merge commit no promotion ever is"
        );
        say(true, what, mend);
    }
    if by_request && rule.require_signed_commits == Some(true) {
        let mend = "see that the server can sign merges (`[repository.signing]`)";
        say(false, format!("commits on `{name}` must be signed, merges too"), mend);
    }
    found
}

/// The repository's webhooks.
fn webhook(hooks: Result<Vec<wire::Hook>, Fault>, by_request: bool, tells_statuses: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |what: String, mend: &str| found.push(Finding { stops: false, what, mend: mend.to_owned() });
    let hooks = match hooks {
        Ok(hooks) => hooks,
        // Administrators alone may see them; an organisation's hook cannot be seen here either.
        Err(_) => {
            let mend = "look at the repository's webhooks as an administrator, or see that deliveries arrive";
            say("whether there is a webhook can be seen by administrators only".to_owned(), mend);
            return found;
        }
    };
    let of = |hook: &wire::Hook, key: &str| hook.config.as_ref().and_then(|config| config.get(key)).cloned();
    let ours: Vec<&wire::Hook> =
        hooks.iter().filter(|hook| of(hook, "url").is_some_and(|url| url.contains("/hooks/"))).collect();
    let Some(hook) = ours.iter().find(|hook| hook.active == Some(true)).or(ours.first()) else {
        let mend =
            "make one: type Gitea or Forgejo, POST, application/json, to Towpath's /hooks/FORGE, with the secret";
        say("there is no webhook: Towpath notices changes at its next look".to_owned(), mend);
        return found;
    };
    if hook.active != Some(true) {
        say("the webhook is switched off".to_owned(), "switch it on in the repository's settings");
    }
    if of(hook, "content_type").is_some_and(|kind| kind != "json") {
        let mend = "set its content type to application/json";
        say("the webhook sends forms, which are signed in a way that cannot be verified".to_owned(), mend);
    }
    let events = hook.events.clone().unwrap_or_default();
    let wanted = EVENTS.iter().filter(|event| tells_statuses || **event != STATUS);
    let wanted = wanted.chain(if by_request { REQUEST_EVENTS.as_slice() } else { &[] });
    let missing: Vec<&str> = wanted.copied().filter(|event| !has(&events, event)).collect();
    if !missing.is_empty() {
        let mend = "choose them in the webhook's settings, or all events";
        let comments = missing.contains(&COMMENTS).then_some(": commands in comments are not heard");
        say(format!("the webhook is not sent for {}{}", missing.join(", "), comments.unwrap_or_default()), mend);
    }
    found
}

/// Whether the list holds the event, or the group that it is one of. Servers name groups and their
/// members both, and not all versions the same.
fn has(events: &[String], wanted: &str) -> bool {
    let group = wanted.strip_suffix("_approved").or(wanted.strip_suffix("_rejected")).unwrap_or(wanted);
    events.iter().any(|event| event == wanted || event == group)
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn texts(found: Vec<Finding>) -> Vec<(bool, String)> {
        found.into_iter().map(|finding| (finding.stops, finding.what)).collect()
    }

    fn stops(found: Vec<Finding>, words: &str) -> bool {
        texts(found).iter().any(|(stops, what)| *stops && what.contains(words))
    }

    fn says(found: Vec<Finding>, words: &str) -> bool {
        texts(found).iter().any(|(stops, what)| !stops && what.contains(words))
    }

    #[test]
    fn settings_that_stop_a_promotion_are_found() {
        let of = |more: Value, by_request: bool| {
            let mut value = json!({
                "permissions": {"admin": true, "push": true, "pull": true}, "archived": false, "mirror": false,
                "has_pull_requests": true, "allow_merge_commits": true, "allow_fast_forward_only_merge": true,
                "default_merge_style": "merge",
            });
            for (key, is) in more.as_object().unwrap() {
                value[key] = is.clone();
            }
            repository(&serde_json::from_value(value).unwrap(), by_request)
        };
        assert_eq!(texts(of(json!({}), true)), []);
        for no in [json!({"permissions": {"admin": false, "push": true}}), json!({"permissions": {"push": true}})] {
            assert!(says(of(no.clone(), true), "commands in comments are refused"), "{no}");
            assert_eq!(texts(of(no, false)), []);
        }
        assert!(stops(of(json!({"archived": true}), false), "archived"));
        assert!(stops(of(json!({"mirror": true}), false), "mirror"));
        assert!(stops(of(json!({"permissions": {"push": false}}), false), "may not write"));
        assert!(says(of(json!({"permissions": null}), false), "does not say"));
        assert!(stops(of(json!({"has_pull_requests": false}), true), "switched off"));
        assert_eq!(texts(of(json!({"has_pull_requests": false}), false)), []);
        let neither = json!({"allow_merge_commits": false, "allow_fast_forward_only_merge": false});
        assert!(stops(of(neither, true), "neither"));
        assert!(says(of(json!({"allow_fast_forward_only_merge": false}), true), "makes a merge commit"));
        assert!(says(of(json!({"allow_fast_forward_only_merge": null}), true), "is pushed"));
        assert!(says(of(json!({"allow_merge_commits": false}), true), "only"));
        assert!(says(of(json!({"default_merge_style": "squash"}), true), "other commits"));
    }

    #[test]
    fn rules_that_refuse_us_are_found() {
        let rule = |more: Value| {
            let mut value = json!({"rule_name": "master", "block_on_outdated_branch": false});
            for (key, is) in more.as_object().unwrap() {
                value[key] = is.clone();
            }
            vec![serde_json::from_value::<wire::Protection>(value).unwrap()]
        };
        let of = |more: Value, rules: Option<&[wire::Protection]>, by_request: bool| {
            let mut value = json!({
                "name": "master", "protected": true, "user_can_push": true, "user_can_merge": true,
                "effective_branch_protection_name": "master",
            });
            for (key, is) in more.as_object().unwrap() {
                value[key] = is.clone();
            }
            branch(&serde_json::from_value(value).unwrap(), rules, by_request)
        };
        let good = rule(json!({}));
        assert_eq!(texts(of(json!({}), Some(&good), true)), []);
        assert!(stops(of(json!({"user_can_merge": false}), Some(&good), true), "may not merge"));
        assert!(stops(of(json!({"user_can_push": false}), Some(&good), false), "refuses Towpath's push"));
        assert_eq!(texts(of(json!({"user_can_push": false}), Some(&good), true)), []);
        assert!(says(of(json!({"protected": false}), Some(&good), false), "not protected"));
        let outdated = rule(json!({"block_on_outdated_branch": true, "require_signed_commits": true}));
        assert!(stops(of(json!({}), Some(&outdated), true), "must be up to date"));
        assert!(says(of(json!({}), Some(&outdated), true), "signed"));
        assert_eq!(texts(of(json!({}), Some(&outdated), false)), []);
        assert!(says(of(json!({}), None, true), "administrators only"));
        let unnamed = json!({"effective_branch_protection_name": ""});
        assert!(says(of(unnamed, Some(&outdated), true), "administrators only"));
    }

    #[test]
    fn the_hook_is_looked_for() {
        let hook = |more: Value| {
            let mut value = json!({
                "id": 1, "active": true, "config": {"url": "https://towpath.example/hooks/git", "content_type": "json"},
                "events": ["push", "status", "pull_request", "pull_request_review", "pull_request_comment"],
            });
            for (key, is) in more.as_object().unwrap() {
                value[key] = is.clone();
            }
            Ok(vec![serde_json::from_value::<wire::Hook>(value).unwrap()])
        };
        assert_eq!(texts(webhook(hook(json!({})), true, true)), []);
        assert!(says(webhook(Ok(Vec::new()), true, true), "no webhook"));
        assert!(says(
            webhook(hook(json!({"config": {"url": "https://chat.example/x"}})), true, true),
            "no webhook"
        ));
        assert!(says(webhook(hook(json!({"active": false})), true, true), "switched off"));
        let form = json!({"config": {"url": "https://towpath.example/hooks/git", "content_type": "form"}});
        assert!(says(webhook(hook(form), true, true), "sends forms"));
        assert!(says(webhook(hook(json!({"events": ["push"]})), false, true), "not sent for status"));
        assert_eq!(texts(webhook(hook(json!({"events": ["push", "status"]})), false, true)), []);
        // An older server has no such event, and nobody could choose it.
        assert_eq!(texts(webhook(hook(json!({"events": ["push"]})), false, false)), []);
        assert!(says(webhook(hook(json!({"events": ["status"]})), false, false), "not sent for push"));
        let of_issues =
            json!({"events": ["push", "status", "pull_request", "pull_request_review", "issue_comment"]});
        assert!(says(webhook(hook(of_issues), true, true), "not sent for pull_request_comment"));
        let refused = Err(Fault::Said { status: 403, words: String::new() });
        assert!(says(webhook(refused, true, true), "administrators only"));
    }
}
