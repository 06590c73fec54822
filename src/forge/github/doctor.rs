//! What on GitHub's side is not as Towpath needs it.

use towpath_core::model::BranchName;

use super::auth::Personal;
use super::{GitHub, headed, wire};
use crate::forge::client::{Call, Fault, http_date};
use crate::forge::{Finding, RepoPath};

/// What an App has to be allowed, each with what it is for.
/// <https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps>
const APP_RIGHTS: [(&str, &str, &str); 6] = [
    ("contents", "write", "moving branches"),
    ("pull_requests", "write", "opening and merging pull requests, and comments on them"),
    ("statuses", "write", "commit statuses, ours and others'"),
    ("checks", "read", "results of checks"),
    ("metadata", "read", "anything at all"),
    ("members", "read", "teams in `from`"),
];

/// What tells of comments under requests. <https://docs.github.com/en/webhooks/webhook-events-and-payloads>
const COMMENTS: &str = super::said::EVENT;

/// What a webhook has to be sent for, and what besides where there are requests.
const EVENTS: [&str; 3] = ["push", "status", "check_run"];
const REQUEST_EVENTS: [&str; 3] = ["pull_request", "pull_request_review", COMMENTS];

/// Below this many days a token's end is said.
const EXPIRY_DAYS: i64 = 14;

impl GitHub {
    pub(super) async fn find(&self, repo: &RepoPath, targets: &[(BranchName, bool)]) -> Vec<Finding> {
        let mut found = Vec::new();
        match self.of_repository(repo, targets, &mut found).await {
            Ok(()) => {}
            Err(fault) => {
                found.push(stops(
                    format!("GitHub does not tell of `{repo}`: {fault}"),
                    "check its name, and that the token or app may see it",
                ));
                return found;
            }
        }
        let by_request = targets.iter().any(|(_, by_request)| *by_request);
        if self.auth.is_app() {
            self.of_app(repo, by_request, &mut found).await;
        } else {
            let asked = async { self.list::<wire::Hook>("hooks", self.repo_url(repo, &["hooks"], &[])?).await };
            found.extend(of_hooks(asked.await, by_request));
        }
        for (branch, by_request) in targets {
            // Of rules that we may go around nothing is to be mended.
            let asked = async {
                let (rules, classic) = self.rules_of(repo, branch).await?;
                Ok::<_, Fault>((self.binding(repo, rules).await?, classic))
            };
            match asked.await {
                Ok((rules, classic)) => {
                    let hidden = classic.as_ref().is_some_and(|classic| classic.enabled);
                    let strict = classic.and_then(|classic| classic.required_status_checks);
                    let strict = strict.is_some_and(|classic| classic.strict);
                    of_rules(branch, *by_request, &rules, strict, &mut found);
                    if hidden {
                        found.push(note(
                            format!(
                                "`{branch}` has a classic protection, of which GitHub shows all but the required checks to \
                                 administrators only"
                            ),
                            "see in the repository's settings under Branches that it lets our app or user through; a \
                             ruleset says the same and can be read here",
                        ));
                    }
                }
                Err(fault) => found.push(stops(
                    format!("the rules of `{branch}` cannot be read: {fault}"),
                    "check that the branch exists, and that the token or app may read the repository",
                )),
            }
        }
        found
    }

    async fn of_repository(
        &self,
        repo: &RepoPath,
        targets: &[(BranchName, bool)],
        found: &mut Vec<Finding>,
    ) -> Result<(), Fault> {
        let answer = self.send(&headed(Call::get("repository", self.repo_url(repo, &[], &[])?))).await?;
        let is: wire::Repository = answer.json()?;
        if is.archived {
            found.push(stops(format!("`{repo}` is archived"), "unarchive it: nothing in it can be moved"));
        }
        // Of an App it is always false: its rights are asked for by themselves.
        let of_app = self.auth.is_app() || self.auth.personal() == Some(Personal::Installation);
        if !of_app && is.permissions.is_some_and(|rights| !rights.push) {
            found.push(stops(
                format!("our credential may not push to `{repo}`"),
                "give its owner the role Write, or the token `contents: write`",
            ));
        }
        if is.allow_merge_commit == Some(false) && targets.iter().any(|(_, by_request)| *by_request) {
            found.push(note(
                "merge commits are switched off in the repository's settings".to_owned(),
                "allow them if a target cannot always be fast-forwarded: squash and rebase are never asked for",
            ));
        }
        if let Some(kind) = self.auth.personal() {
            of_token(kind, answer.header("x-oauth-scopes"), is.private, found);
        }
        // Only with personal tokens that end. <https://docs.github.com/en/rest/authentication>
        let ends = answer.header("github-authentication-token-expiration").map(str::to_owned);
        if let (Some(date), Some(ends)) = (answer.date, ends.as_deref().and_then(expiry)) {
            let days = ends.since(date).ms() / 86_400_000;
            if days < EXPIRY_DAYS {
                found.push(note(
                    format!("the token ends in {days} days"),
                    "make a new one, and put it where the config says",
                ));
            }
        }
        Ok(())
    }

    async fn of_app(&self, repo: &RepoPath, by_request: bool, found: &mut Vec<Finding>) {
        let asked = async {
            let url = self.repo_url(repo, &["installation"], &[])?;
            self.client.send(&headed(Call::get("installation", url)), &self.auth.as_app()?).await?.json()
        };
        let is: wire::Installation = match asked.await {
            Ok(is) => is,
            Err(fault) => {
                found.push(stops(
                    format!("the app is not installed on `{repo}`: {fault}"),
                    "install it there, in the app's settings under Install App",
                ));
                return;
            }
        };
        if is.suspended_at.is_some() {
            found.push(stops(
                "the app's installation is suspended".to_owned(),
                "lift it, in the settings of the account",
            ));
        }
        for (right, level, why) in APP_RIGHTS {
            let has = is.permissions.get(right).map(String::as_str);
            if has.is_none() || (level == "write" && has == Some("read")) {
                let what = format!("the app lacks `{right}: {level}`, for {why}");
                let mend = "add it in the app's settings under Permissions, then accept it where it is installed";
                // Without teams in the config nothing hangs on them.
                found.push(if right == "members" { note(what, mend) } else { stops(what, mend) });
            }
        }
        if !is.permissions.contains_key("workflows") {
            found.push(note(
                "the app lacks `workflows: write`".to_owned(),
                "add it if promoted commits may change `.github/workflows`: GitHub refuses such pushes without it",
            ));
        }
        if !is.events.iter().any(|event| event == "push") {
            found.push(note(
                "the app does not send `push` events".to_owned(),
                "subscribe to push, status, check_run, pull_request and pull_request_review: without them a change is seen at the next look",
            ));
        }
        if by_request && !is.events.iter().any(|event| event == COMMENTS) {
            found.push(note(
                format!("the app does not send `{COMMENTS}` events: commands in comments are not heard"),
                "give it `issues: read` and subscribe to them, if people are to say commands under pull requests",
            ));
        }
    }
}

/// What a token is good for, and what a personal one may do: GitHub says it of classic ones, in this header, and of fine-grained ones not.
/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps>,
/// <https://docs.github.com/en/actions/concepts/security/github_token>
fn of_token(kind: Personal, scopes: Option<&str>, private: bool, found: &mut Vec<Finding>) {
    if kind == Personal::FineGrained {
        found.push(note(
            "GitHub does not tell what a fine-grained token may do, but at the first refusal; and none of them may read \
             check runs, which is what Actions report"
                .to_owned(),
            "see in its settings that it has Contents, Pull requests and Commit statuses to write, and Members to read for \
             teams in `from`; where checks are of Actions or another App, use an App, or a classic token with `repo`",
        ));
        return;
    }
    if kind == Personal::Installation {
        found.push(note(
            "the token is one of an installation, as the `GITHUB_TOKEN` of a job of Actions is: it ends with the job, or \
             after an hour, and what a job pushes with it starts no workflows, so no CI runs on what is promoted"
                .to_owned(),
            "give Towpath an App (`app = { … }`), whose pushes start workflows and which makes its tokens itself, or a \
             personal token",
        ));
        return;
    }
    let Some(scopes) = scopes else { return };
    let has: Vec<&str> = scopes.split(',').map(str::trim).collect();
    if !has.contains(&"repo") && (private || !has.contains(&"public_repo")) {
        found.push(stops(
            "the token lacks the scope `repo`, for all that Towpath does".to_owned(),
            "make one that has it",
        ));
    }
    if !has.contains(&"workflow") {
        found.push(note(
            "the token lacks the scope `workflow`".to_owned(),
            "add it if promoted commits may change `.github/workflows`: GitHub refuses such pushes without it",
        ));
    }
    if !["read:org", "write:org", "admin:org"].iter().any(|scope| has.contains(scope)) {
        found.push(note("the token lacks the scope `read:org`".to_owned(), "add it if `from` names teams"));
    }
}

/// The repository's webhooks, which a personal token needs and administrators alone may see.
/// <https://docs.github.com/en/rest/repos/webhooks>
fn of_hooks(hooks: Result<Vec<wire::Hook>, Fault>, by_request: bool) -> Option<Finding> {
    let Ok(hooks) = hooks else {
        return Some(note(
            "whether there is a webhook can be seen by administrators only".to_owned(),
            "look at the repository's webhooks as one, or see that deliveries arrive",
        ));
    };
    let ours = hooks.iter().filter(|hook| hook.config.url.as_deref().is_some_and(|url| url.contains("/hooks/")));
    let Some(hook) = ours.min_by_key(|hook| !hook.active) else {
        return Some(note(
            "there is no webhook: Towpath notices changes at its next look, and hears no commands in comments"
                .to_owned(),
            "make one to Towpath's /hooks/FORGE with the secret; one of an organisation cannot be seen here",
        ));
    };
    if !hook.active {
        return Some(note("the webhook is switched off".to_owned(), "switch it on in the repository's settings"));
    }
    let wanted = EVENTS.iter().chain(if by_request { REQUEST_EVENTS.as_slice() } else { &[] });
    let sent = |event: &str| hook.events.iter().any(|had| had == event || had == "*");
    let missing: Vec<&str> = wanted.copied().filter(|event| !sent(event)).collect();
    let comments = if missing.contains(&COMMENTS) { ": commands in comments are not heard" } else { "" };
    (!missing.is_empty()).then(|| {
        note(
            format!("the webhook is not sent for {}{comments}", missing.join(", ")),
            "choose them in the webhook's settings",
        )
    })
}

fn of_rules(branch: &BranchName, by_request: bool, rules: &[wire::Rule], strict: bool, found: &mut Vec<Finding>) {
    for rule in rules {
        match rule.kind.as_str() {
            "pull_request" if !by_request => found.push(note(
                format!("a rule of `{branch}` wants a pull request for every change"),
                "let our app or user bypass that rule, or set `via = \"merge-request\"`",
            )),
            "pull_request" => {
                let methods = &rule.parameters.allowed_merge_methods;
                if !methods.is_empty() && !methods.iter().any(|method| method == "merge") {
                    found.push(note(
                        format!("a rule of `{branch}` allows no merge commits"),
                        "allow `merge` in it, or let our app or user bypass it to fast-forward",
                    ));
                }
            }
            "update" => found.push(note(
                format!("a rule of `{branch}` restricts who updates it"),
                "let our app or user bypass that rule",
            )),
            "merge_queue" => found.push(stops(
                format!("`{branch}` has a merge queue"),
                "take it off this branch: what a queue merges is another commit than the one that was tested",
            )),
            "required_linear_history" if by_request => found.push(note(
                format!("a rule of `{branch}` refuses merge commits"),
                "keep the branch in a state that can be fast-forwarded, or take the rule off",
            )),
            "required_deployments" => found.push(note(
                format!("a rule of `{branch}` wants deployments first"),
                "see that a commit can be deployed there before it is on the branch, or take the rule off",
            )),
            _ => {}
        }
    }
    let strict = strict || rules.iter().any(|rule| rule.parameters.strict_required_status_checks_policy);
    if strict && by_request {
        found.push(note(
            format!("`{branch}` wants requests to be up to date with it"),
            "switch that off (\"Require branches to be up to date\") where merge commits are made: their sources never have them",
        ));
    }
}

/// What is against moving a branch back. Of a classic protection only administrators see whether it allows force pushes
/// (`allow_force_pushes`); it does not, unless somebody chose that.
/// <https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/available-rules-for-rulesets#block-force-pushes>
pub(super) fn of_force(branch: &BranchName, rules: &[wire::Rule], classic: bool) -> Option<Finding> {
    if rules.iter().any(|rule| rule.kind == "non_fast_forward") {
        return Some(note(
            format!("a rule of `{branch}` refuses force pushes, and so a rollback there"),
            "let our app or user bypass that rule, in a ruleset of its own, or set `rollback = false`",
        ));
    }
    classic.then(|| {
        note(
            format!(
                "`{branch}` has a classic protection, which refuses force pushes, and so a rollback there, unless it was told \
                 otherwise: GitHub shows that to administrators only"
            ),
            "allow force pushes in it for our app or user alone, or use a ruleset instead, with a bypass",
        )
    })
}

/// `2026-12-01 10:00:00 UTC`, or with an offset.
fn expiry(text: &str) -> Option<towpath_core::model::Instant> {
    let text = text.trim();
    let iso = text.strip_suffix(" UTC").map(|text| format!("{}Z", text.replacen(' ', "T", 1)));
    iso.and_then(|text| crate::forge::client::stamp(&text))
        .or_else(|| {
            chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z")
                .ok()
                .map(|at| towpath_core::model::Instant(at.timestamp_millis()))
        })
        .or_else(|| http_date(text))
}

fn stops(what: String, mend: &str) -> Finding {
    Finding { stops: true, what, mend: mend.to_owned() }
}

fn note(what: String, mend: &str) -> Finding {
    Finding { stops: false, what, mend: mend.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::client::stamp;

    #[test]
    fn a_tokens_end_is_read_in_both_forms() {
        assert_eq!(expiry("2026-12-01 10:00:00 UTC"), stamp("2026-12-01T10:00:00Z"));
        assert_eq!(expiry("2026-12-01 10:00:00 +0100"), stamp("2026-12-01T09:00:00Z"));
        assert_eq!(expiry("soon"), None);
    }

    #[test]
    fn what_a_token_may_do_is_said_of_classic_ones_alone() {
        let told = |kind, scopes, private| {
            let mut found = Vec::new();
            of_token(kind, scopes, private, &mut found);
            found.into_iter().map(|finding| (finding.stops, finding.what)).collect::<Vec<_>>()
        };
        let fine = told(Personal::FineGrained, None, true);
        assert!(
            fine.len() == 1 && !fine[0].0 && fine[0].1.contains("none of them may read check runs"),
            "{fine:?}"
        );
        let of_job = told(Personal::Installation, None, true);
        let [(false, job)] = &of_job[..] else { panic!("{of_job:?}") };
        assert!(job.contains("ends with the job") && job.contains("starts no workflows"), "{job}");
        assert_eq!(told(Personal::Installation, Some("repo"), true), of_job, "it has no scopes");
        // A proxy has taken the header away.
        assert_eq!(told(Personal::Classic, None, true), []);
        assert_eq!(told(Personal::Classic, Some("public_repo, workflow, read:org"), false), []);
        let private = told(Personal::Classic, Some("public_repo, workflow, read:org"), true);
        assert!(private.len() == 1 && private[0].0, "{private:?}");
    }

    #[test]
    fn a_hook_that_is_missing_or_misses_comments_is_told() {
        let all = ["push", "status", "check_run", "pull_request", "pull_request_review", "issue_comment"];
        let hook = |events: &[&str], url: &str, active: bool| -> wire::Hook {
            let value = serde_json::json!({ "active": active, "events": events, "config": { "url": url } });
            serde_json::from_value(value).expect("a hook")
        };
        let ours = "https://towpath.example/hooks/github";
        let told = |hooks: Vec<wire::Hook>, by_request| of_hooks(Ok(hooks), by_request).map(|one| one.what);
        assert_eq!(told(vec![hook(&all, ours, true)], true), None);
        assert_eq!(told(vec![hook(&["*"], ours, true)], true), None);
        assert_eq!(told(vec![hook(&all[..3], ours, true)], false), None);
        for (hooks, says) in [
            (vec![hook(&all[..5], ours, true)], "not sent for issue_comment: commands in comments are not heard"),
            (
                vec![hook(&["push"], ours, true)],
                "not sent for status, check_run, pull_request, pull_request_review, issue_comment",
            ),
            (vec![hook(&all, ours, false)], "switched off"),
            (vec![hook(&all, "https://chat.example/x", true)], "there is no webhook"),
            (vec![], "there is no webhook"),
        ] {
            let what = told(hooks, true).expect("a finding");
            assert!(what.contains(says), "{what}");
        }
        // A good one beside one that is off.
        assert_eq!(told(vec![hook(&[], ours, false), hook(&all, ours, true)], true), None);
        let unseen = of_hooks(Err(Fault::Said { status: 404, words: String::new() }), true).expect("a finding");
        assert!(!unseen.stops && unseen.what.contains("administrators only"), "{unseen:?}");
    }

    #[test]
    fn rules_that_stand_in_the_way_are_told_with_the_fix() {
        let rule = |text: &str| serde_json::from_str::<wire::Rule>(text).expect("a rule");
        let told = |by_request: bool, rules: &[wire::Rule]| {
            let mut found = Vec::new();
            of_rules(&BranchName::new("main"), by_request, rules, false, &mut found);
            found.into_iter().map(|finding| finding.what).collect::<Vec<String>>()
        };
        let pull = rule(r#"{"type":"pull_request","parameters":{"allowed_merge_methods":["squash"]}}"#);
        assert_eq!(told(false, &[pull]), ["a rule of `main` wants a pull request for every change"]);
        let pull = rule(r#"{"type":"pull_request","parameters":{"allowed_merge_methods":["squash"]}}"#);
        assert_eq!(told(true, &[pull]), ["a rule of `main` allows no merge commits"]);
        let strict =
            rule(r#"{"type":"required_status_checks","parameters":{"strict_required_status_checks_policy":true}}"#);
        assert_eq!(told(true, &[strict]), ["`main` wants requests to be up to date with it"]);
        assert_eq!(told(true, &[rule(r#"{"type":"a_new_one","parameters":null}"#)]).len(), 0);
    }
}
