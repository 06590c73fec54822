//! What on GitLab's side is not as Towpath needs it.
//!
//! Everything here is advice for `doctor`; no decision is made from it. What may not be seen is said to be
//! unseen, never taken for good.
//!
//! Not here: which merge methods keep commits ([`super::merge`]).

use chrono::NaiveDate;
use towpath_core::model::{BranchName, Instant};
use towpath_core::text::one_line;

use super::api::{Api, path};
use super::{merge, started, wire};
use crate::forge::client::Fault;
use crate::forge::{Finding, MergeHow, RepoPath};

/// Developers may push to branches that no rule covers, and open requests.
const DEVELOPER: u64 = 30;
/// Maintainers see webhooks.
const MAINTAINER: u64 = 40;

/// From so many days before its end on a token is a finding.
const EXPIRY_DAYS: i64 = 30;

/// See `Forge::findings`.
pub(super) async fn findings(api: &Api, repo: &RepoPath, targets: &[(BranchName, bool)]) -> Vec<Finding> {
    let mut found =
        token(api.get("token", &["v4", "personal_access_tokens", "self"]).await, api.clock.reading().wall);
    let me = match api.whoami().await {
        Ok(me) => me,
        Err(fault) => {
            let mend = "make a token with the scope `api`: of the project (role Maintainer or Developer), of its group, or \
                        of a user of its own";
            found.push(stops(format!("the token does not tell whose it is: {fault}"), mend));
            return found;
        }
    };
    let by_request = targets.iter().any(|(_, by_request)| *by_request);
    let project = match api.project(repo).await {
        Ok(project) => project,
        Err(fault) => {
            let mend = "see that the path is right, and that Towpath's user is a member of the project";
            found.push(stops(format!("`{repo}` cannot be read: {fault}"), mend));
            return found;
        }
    };
    let role = role(&project);
    found.extend(settings(&project, role, by_request));
    for (name, by_request) in targets {
        let read = api.get::<wire::Branch>("branch", &path(repo, &["repository", "branches", name.as_str()])).await;
        match read {
            Ok(read) => {
                let rule = match read.protected {
                    Some(true) if *by_request => {
                        api.get("protected-branch", &path(repo, &["protected_branches", name.as_str()])).await.ok()
                    }
                    _ => None,
                };
                found.extend(branch(name, &read, rule.as_ref(), &me, role, *by_request));
                let tip = read.commit.and_then(|tip| tip.id).filter(|_| !by_request);
                if let Some(tip) = tip {
                    found.extend(started::pipelines(api, repo, name, &tip).await);
                }
            }
            Err(fault) => found.push(stops(
                format!("the branch `{name}` cannot be read: {fault}"),
                "create it, or correct `branch` in the config",
            )),
        }
    }
    let hooks = api.list::<wire::Hook>("hooks", &path(repo, &["hooks"]), &[]).await;
    found.extend(webhook(hooks.map(|hooks| hooks.items), by_request));
    found
}

/// See `Forge::against_rollback`. A branch that cannot be read is said by [`findings`].
/// <https://docs.gitlab.com/user/project/repository/branches/protected/#allow-force-push>
pub(super) async fn against_rollback(api: &Api, repo: &RepoPath, name: &BranchName) -> Option<Finding> {
    let at = path(repo, &["repository", "branches", name.as_str()]);
    let read: wire::Branch = api.get("branch", &at).await.ok()?;
    if read.protected != Some(true) {
        return None;
    }
    let at = path(repo, &["protected_branches", name.as_str()]);
    let rule: Option<wire::Protection> = api.get("protected-branch", &at).await.ok();
    of_force(name, read.can_push, rule.as_ref())
}

fn of_force(name: &BranchName, can_push: Option<bool>, rule: Option<&wire::Protection>) -> Option<Finding> {
    let mend = "switch on \"Allowed to force push\" in the branch's rule, with Towpath's user alone under \"Allowed to push and \
                merge\", or set `rollback = false`";
    match rule.and_then(|rule| rule.allow_force_push) {
        Some(true) if can_push == Some(true) => None,
        Some(true) => {
            Some(says(format!("Towpath's user may not push to `{name}`, so a rollback there is refused"), mend))
        }
        Some(false) => {
            let what = format!("the rule of `{name}` refuses to let it go back, so a rollback there is refused");
            Some(says(what, mend))
        }
        None => {
            let what = format!("whether `{name}` may be pushed to with force, as a rollback does, cannot be seen");
            Some(says(what, "look at its rule as a maintainer: \"Allowed to force push\" has to be on"))
        }
    }
}

fn stops(what: String, mend: &str) -> Finding {
    Finding { stops: true, what, mend: mend.to_owned() }
}

fn says(what: String, mend: &str) -> Finding {
    Finding { stops: false, what, mend: mend.to_owned() }
}

/// The token, as it sees itself.
fn token(token: Result<wire::Token, Fault>, now: Instant) -> Vec<Finding> {
    let token = match token {
        Ok(token) => token,
        // Tokens of OAuth applications do not know; what is missing shows in the other calls.
        Err(fault) => {
            let mend = "see under \"Access tokens\" that it has the scope `api` and when it ends";
            return vec![says(format!("the token does not tell its scopes and its end: {fault}"), mend)];
        }
    };
    let mut found = Vec::new();
    let scopes = token.scopes.unwrap_or_default();
    if !scopes.iter().any(|scope| scope == "api") {
        let has = one_line(&scopes.join(", "), 200);
        let mend = "make one with the scope `api`; `read_api` with `write_repository` can read and push, and neither \
                    open nor merge requests nor post statuses";
        found.push(stops(format!("the token lacks the scope `api` (it has: {has})"), mend));
    }
    let end = token.expires_at.as_deref().and_then(|day| day.get(..10)?.parse::<NaiveDate>().ok());
    let today = chrono::DateTime::from_timestamp_millis(now.0).map(|now| now.date_naive());
    if let (Some(end), Some(today)) = (end, today) {
        let days = (end - today).num_days();
        if days <= EXPIRY_DAYS {
            let mend = "rotate it (`POST /personal_access_tokens/self/rotate`, or under \"Access tokens\") and write the \
                        new one where the config says";
            found.push(says(format!("the token ends on {end}, in {} days", days.max(0)), mend));
        }
    }
    found
}

/// The highest role that Towpath's user has; none where GitLab does not say.
fn role(project: &wire::Project) -> Option<u64> {
    let permissions = project.permissions.as_ref()?;
    let of = |role: &Option<wire::Role>| role.as_ref().and_then(|role| role.access_level);
    of(&permissions.project_access).max(of(&permissions.group_access))
}

/// The project's settings.
fn settings(project: &wire::Project, role: Option<u64>, by_request: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    if project.archived == Some(true) {
        found.push(stops("the project is archived".to_owned(), "unarchive it, or take its flow out of the config"));
    }
    if project.mirror == Some(true) {
        let mend = "name the repository that it mirrors";
        found.push(stops("the project is a mirror, which takes back what is pushed to it".to_owned(), mend));
    }
    match role {
        Some(role) if role < DEVELOPER => found.push(stops(
            "Towpath's user may not write to the project".to_owned(),
            "give it the role Maintainer, or Developer and a place on the target branches' lists",
        )),
        Some(_) => {}
        None => found.push(says(
            "GitLab does not say what role Towpath's user has; a public project lets anybody read it".to_owned(),
            "see under \"Members\" that it is Maintainer, or Developer",
        )),
    }
    if by_request {
        found.extend(for_requests(project));
    }
    found
}

/// What matters where flows merge by request.
fn for_requests(project: &wire::Project) -> Vec<Finding> {
    let mut found = Vec::new();
    if project.merge_requests_enabled == Some(false) {
        let mend = "switch them on in the project's settings";
        return vec![stops("merge requests are switched off".to_owned(), mend)];
    }
    match (merge::method(project), project.merge_method.as_deref()) {
        (Err(words), _) => {
            let mend = "set \"Squash commits when merging\" to \"Do not allow\", and the merge method to \"Merge commit\" or \
                        \"Fast-forward merge\"";
            found.push(stops(words, mend));
        }
        (Ok(_), Some("rebase_merge")) => found.push(stops(
            "the project merges semi-linearly: after the first merge commit on a target no promotion contains it, and \
             GitLab wants a rebase, which makes other commits"
                .to_owned(),
            "set the merge method to \"Merge commit\", or to \"Fast-forward merge\"",
        )),
        (Ok(MergeHow::FastForward), _) => found.push(says(
            "the project fast-forwards only: a request whose target has commits of its own cannot be merged".to_owned(),
            "set the merge method to \"Merge commit\" if people may commit to the targets",
        )),
        (Ok(MergeHow::MergeCommit | MergeHow::Push), _) => found.push(says(
            "the project makes a merge commit of each promotion".to_owned(),
            "set the merge method to \"Fast-forward merge\" to have the very commit promoted; it is that of all requests",
        )),
    }
    if project.squash_option.as_deref() == Some("default_on") {
        let mend = "set \"Squash commits when merging\" to \"Do not allow\", or to \"Allow\"";
        let what =
            "the merge button squashes unless somebody says otherwise: a promotion merged so blocks its flow";
        found.push(says(what.to_owned(), mend));
    }
    if project.only_allow_merge_if_all_discussions_are_resolved == Some(true) {
        let mend = "know it: an open thread on a promotion's request keeps it waiting";
        found.push(says("GitLab merges no request with unresolved threads".to_owned(), mend));
    }
    if project.only_allow_merge_if_pipeline_succeeds == Some(true) {
        let mend = "see that pipelines run for branches `towpath/*` or for merge requests, or switch \"Pipelines must succeed\" off: \
                    `gates.ci` looks at the same";
        found.push(says("GitLab merges no request without a pipeline that succeeded".to_owned(), mend));
    }
    found
}

/// A target branch, and the rule that covers it.
fn branch(
    name: &BranchName,
    branch: &wire::Branch,
    rule: Option<&wire::Protection>,
    me: &wire::User,
    role: Option<u64>,
    by_request: bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    if branch.protected == Some(false) {
        let mend = "protect it, with Towpath's user alone allowed to push or merge, if people shall not move it";
        let what = format!("`{name}` is not protected: everybody who may write can move it past Towpath");
        found.push(says(what, mend));
    }
    if !by_request {
        if branch.can_push != Some(true) {
            let mend = "add Towpath's user to \"Allowed to push and merge\" of the branch's rule, or its role";
            found.push(stops(format!("Towpath's user may not push to `{name}`"), mend));
        }
        return found;
    }
    if branch.protected != Some(true) {
        return found;
    }
    let levels = rule.and_then(|rule| rule.merge_access_levels.as_deref());
    let Some(levels) = levels else {
        let mend = "look at it as a maintainer: Towpath's user has to be allowed to merge";
        found.push(says(format!("the rule of `{name}` cannot be seen"), mend));
        return found;
    };
    let lets = |access: &wire::Access| {
        let by_role = access.user_id.is_none()
            && access.group_id.is_none()
            && access.access_level.is_some_and(|level| level > 0 && role.is_some_and(|role| role >= level));
        by_role || (access.user_id.is_some() && access.user_id == me.id)
    };
    if levels.iter().any(lets) {
        return found;
    }
    let mend = "add Towpath's user, or its role, to \"Allowed to merge\" of the branch's rule";
    found.push(if levels.iter().any(|access| access.group_id.is_some()) {
        says(format!("only members of groups may merge into `{name}`; see that Towpath's user is one"), mend)
    } else {
        stops(format!("Towpath's user may not merge into `{name}`"), mend)
    });
    found
}

/// Whether a webhook goes to what may be a Towpath, `…/hooks/NAME`. Others have such URLs too: Mattermost with an
/// id of its own for the name (26 lower-case letters and digits), Zapier and Rocket.Chat with more behind it.
fn is_ours(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut from_the_end = path.trim_end_matches('/').rsplit('/');
    let (name, before) = (from_the_end.next().unwrap_or_default(), from_the_end.next());
    let an_id = name.len() == 26 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    before == Some("hooks") && !name.is_empty() && !an_id
}

/// The project's webhooks.
fn webhook(hooks: Result<Vec<wire::Hook>, Fault>, by_request: bool) -> Vec<Finding> {
    let Ok(hooks) = hooks else {
        let mend = "look at the project's webhooks as a maintainer, or see that deliveries arrive";
        let what = format!("whether there is a webhook can be seen by maintainers only (role {MAINTAINER})");
        return vec![says(what, mend)];
    };
    let ours = hooks.iter().filter(|hook| hook.url.as_deref().is_some_and(is_ours));
    let Some(hook) = ours.min_by_key(|hook| hook.alert_status.as_deref() != Some("executable")) else {
        let mend = "make one to Towpath's /hooks/FORGE with a signing token or a secret token; one of a group cannot be seen here";
        return vec![says("there is no webhook: Towpath notices changes at its next look".to_owned(), mend)];
    };
    let mut found = Vec::new();
    let mut say = |what: String, mend: &str| found.push(says(what, mend));
    match hook.alert_status.as_deref() {
        Some("disabled") => {
            say(
                "GitLab switched the webhook off after failures".to_owned(),
                "mend what failed, and send it a test",
            );
        }
        Some("temporarily_disabled") => {
            let until = one_line(hook.disabled_until.as_deref().unwrap_or("later"), 40);
            say(format!("GitLab sends the webhook nothing until {until}, after failures"), "mend what failed");
        }
        _ => {}
    }
    let wanted = [("push", hook.push_events, true), ("pipeline", hook.pipeline_events, true)];
    let wanted = wanted.into_iter().chain([("merge request", hook.merge_requests_events, by_request)]);
    let missing: Vec<&str> =
        wanted.filter(|(_, sent, wanted)| *wanted && *sent != Some(true)).map(|(name, _, _)| name).collect();
    if !missing.is_empty() {
        let mend = "choose them in the webhook's settings";
        say(format!("the webhook is not sent for {} events", missing.join(", ")), mend);
    }
    if by_request && hook.note_events != Some(true) {
        let mend =
            "choose \"Comments\" in the webhook's settings, if people are to say commands under merge requests";
        say("the webhook is not sent for comments: commands in them are not heard".to_owned(), mend);
    }
    if hook.push_events_branch_filter.as_deref().is_some_and(|filter| !filter.is_empty()) {
        say(
            "the webhook is sent for pushes to some branches only".to_owned(),
            "see that the flow's are among them",
        );
    }
    let encrypted = hook.url.as_deref().is_some_and(|url| url.starts_with("https://"));
    if encrypted && hook.enable_ssl_verification == Some(false) {
        let mend = "switch on \"SSL verification\" in the webhook's settings";
        say("the webhook looks at no certificate, and a secret token is sent as it is".to_owned(), mend);
    }
    found
}

#[cfg(test)]
// JSON is written where it is used.
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn over(mut value: Value, more: Value) -> Value {
        for (key, is) in more.as_object().unwrap() {
            value[key] = is.clone();
        }
        value
    }

    fn has(found: &[Finding], stops: bool, words: &str) -> bool {
        found.iter().any(|finding| finding.stops == stops && finding.what.contains(words))
    }

    #[test]
    fn a_token_that_can_too_little_or_ends_is_found() {
        let now = Instant(1_795_255_200_000); // 2026-11-21
        let of = |value: Value| token(Ok(serde_json::from_value(value).unwrap()), now);
        assert_eq!(of(json!({"scopes": ["api"], "expires_at": "2027-06-01"})), []);
        assert_eq!(of(json!({"scopes": ["api"], "expires_at": null})), []);
        assert!(has(&of(json!({"scopes": ["read_api", "write_repository"]})), true, "lacks the scope `api`"));
        assert!(has(&of(json!({})), true, "lacks the scope"));
        assert!(has(&of(json!({"scopes": ["api"], "expires_at": "2026-12-21"})), false, "in 30 days"));
        assert_eq!(of(json!({"scopes": ["api"], "expires_at": "2026-12-22"})), []);
        let unsaid = token(Err(Fault::Said { status: 404, words: String::new() }), now);
        assert!(has(&unsaid, false, "does not tell"));
    }

    #[test]
    fn settings_that_stop_a_promotion_are_found() {
        let of = |more: Value, by_request: bool| {
            let all = json!({
                "merge_method": "ff", "squash_option": "never", "archived": false, "mirror": false,
                "merge_requests_enabled": true, "only_allow_merge_if_pipeline_succeeds": false,
                "only_allow_merge_if_all_discussions_are_resolved": false,
                "permissions": {"project_access": {"access_level": 40}, "group_access": null},
            });
            let project: wire::Project = serde_json::from_value(over(all, more)).unwrap();
            settings(&project, role(&project), by_request)
        };
        assert_eq!(of(json!({}), false), []);
        assert!(has(&of(json!({}), true), false, "fast-forwards only"));
        assert!(has(&of(json!({"merge_method": "merge"}), true), false, "merge commit of each"));
        assert!(has(&of(json!({"merge_method": "rebase_merge"}), true), true, "semi-linearly"));
        assert!(has(&of(json!({"squash_option": "always"}), true), true, "squashes every"));
        assert_eq!(of(json!({"squash_option": "always"}), false), []);
        assert!(has(&of(json!({"squash_option": "default_on"}), true), false, "squashes unless"));
        assert!(has(&of(json!({"merge_method": null}), true), true, "does not tell its merge method"));
        assert!(has(&of(json!({"archived": true}), false), true, "archived"));
        assert!(has(&of(json!({"mirror": true}), false), true, "mirror"));
        assert!(has(&of(json!({"merge_requests_enabled": false}), true), true, "switched off"));
        assert!(has(
            &of(json!({"only_allow_merge_if_pipeline_succeeds": true}), true),
            false,
            "without a pipeline"
        ));
        let threads = json!({"only_allow_merge_if_all_discussions_are_resolved": true});
        assert!(has(&of(threads, true), false, "threads"));
        let level = |project: Value, group: Value| json!({"permissions": {"project_access": project, "group_access": group}});
        assert!(has(&of(level(json!({"access_level": 20}), json!(null)), false), true, "may not write"));
        assert_eq!(of(level(json!({"access_level": 20}), json!({"access_level": 30})), false), []);
        assert!(has(&of(json!({"permissions": null}), false), false, "does not say what role"));
    }

    #[test]
    fn rules_that_refuse_us_are_found() {
        let me = wire::User { id: Some(7), ..wire::User::default() };
        let of = |more: Value, levels: Value, by_request: bool| {
            let all = json!({"protected": true, "can_push": true});
            let read = serde_json::from_value(over(all, more)).unwrap();
            let rule: wire::Protection = serde_json::from_value(json!({"merge_access_levels": levels})).unwrap();
            let rule = rule.merge_access_levels.is_some().then_some(rule);
            branch(&BranchName::new("master"), &read, rule.as_ref(), &me, Some(30), by_request)
        };
        let none = json!(null);
        assert_eq!(of(json!({}), none.clone(), false), []);
        assert!(has(&of(json!({"can_push": false}), none.clone(), false), true, "may not push"));
        assert!(has(&of(json!({"can_push": null}), none.clone(), false), true, "may not push"));
        assert!(has(&of(json!({"protected": false}), none.clone(), true), false, "not protected"));
        assert!(has(&of(json!({}), none, true), false, "cannot be seen"));
        assert_eq!(of(json!({}), json!([{"access_level": 30}]), true), []);
        assert_eq!(of(json!({}), json!([{"access_level": 40}, {"access_level": 40, "user_id": 7}]), true), []);
        for no in [json!([{"access_level": 40}]), json!([{"access_level": 0}]), json!([{"user_id": 8}]), json!([])]
        {
            assert!(has(&of(json!({}), no.clone(), true), true, "may not merge"), "{no}");
        }
        assert!(has(
            &of(json!({}), json!([{"access_level": 30, "group_id": 3}]), true),
            false,
            "members of groups"
        ));
    }

    #[test]
    fn a_rule_lets_a_branch_go_back_or_it_is_said() {
        let of = |force: Value, can_push: Option<bool>| {
            let rule: wire::Protection = serde_json::from_value(json!({"allow_force_push": force})).unwrap();
            of_force(&BranchName::new("staging"), can_push, Some(&rule)).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(of(json!(true), Some(true)), []);
        assert!(has(&of(json!(true), Some(false)), false, "may not push to `staging`"));
        assert!(has(&of(json!(false), Some(true)), false, "refuses to let it go back"));
        assert!(has(&of(json!(null), Some(true)), false, "cannot be seen"));
        let unseen: Vec<_> = of_force(&BranchName::new("staging"), Some(true), None).into_iter().collect();
        assert!(has(&unseen, false, "cannot be seen"));
    }

    #[test]
    fn a_hook_that_is_missing_or_misses_something_is_found() {
        let of = |more: Value, by_request: bool| {
            let all = json!({
                "id": 1, "url": "https://towpath.example/hooks/lab", "push_events": true, "pipeline_events": true,
                "merge_requests_events": true, "note_events": true, "push_events_branch_filter": "", "alert_status": "executable",
                "disabled_until": null, "enable_ssl_verification": true,
            });
            webhook(Ok(vec![serde_json::from_value(over(all, more)).unwrap()]), by_request)
        };
        assert_eq!(of(json!({}), true), []);
        for url in ["https://chat.example/x", "https://chat.example/hooks/xkq9tu7w5ifb3ydpe8srm1o4ha"] {
            assert!(has(&of(json!({"url": url}), true), false, "no webhook"), "{url}");
        }
        assert!(has(&of(json!({"pipeline_events": false}), false), false, "for pipeline events"));
        assert!(has(&of(json!({"merge_requests_events": null}), true), false, "for merge request events"));
        assert_eq!(of(json!({"merge_requests_events": null}), false), []);
        for without in [json!({"note_events": false}), json!({"note_events": null})] {
            assert!(has(&of(without.clone(), true), false, "commands in them are not heard"), "{without}");
            assert_eq!(of(without, false), []);
        }
        assert!(has(&of(json!({"alert_status": "disabled"}), true), false, "switched the webhook off"));
        let later = json!({"alert_status": "temporarily_disabled", "disabled_until": "2026-11-22T10:00:00Z"});
        assert!(has(&of(later, true), false, "until 2026-11-22"));
        assert!(has(&of(json!({"push_events_branch_filter": "main"}), true), false, "some branches"));
        assert!(has(&of(json!({"enable_ssl_verification": false}), true), false, "no certificate"));
        let unseen = webhook(Err(Fault::Said { status: 403, words: String::new() }), true);
        assert!(has(&unseen, false, "maintainers only"));
    }
}
