//! What the server writes: its state as the JSON of `modules/structs`, null and all.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use towpath_core::model::CommitId;

use super::state::{Comment, NAME, OWNER, Person, Pull, Review, Row, Rule, State};

pub fn stamp(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).expect("a time").to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub fn user(state: &State, login: &str) -> Value {
    let Some(person) = state.person(login) else { return Value::Null };
    let hidden = format!("{login}@noreply.git.example");
    let email = if person.hides_email { hidden } else { format!("{login}@example.com") };
    json!({
        "id": person.id, "login": login, "login_name": "", "full_name": "", "email": email,
        "avatar_url": "", "language": "", "is_admin": false, "last_login": "0001-01-01T00:00:00Z",
        "created": stamp(state.now), "restricted": false, "active": false, "prohibit_login": false, "location": "",
        "website": "", "description": "", "visibility": "public", "followers_count": 0, "following_count": 0,
        "starred_repos_count": 0,
    })
}

/// As hooks have it: more than is read.
pub fn hook_repo(state: &State) -> Value {
    json!({ "id": 1, "name": NAME, "full_name": format!("{OWNER}/{NAME}"), "html_url": format!("{}/{OWNER}/{NAME}", state.url) })
}

pub fn repository(state: &State, login: &str) -> Value {
    let rights = state.person(login).map_or("none", |person| person.rights);
    let settings = &state.settings;
    let mut value = json!({
        "id": 1, "owner": null, "name": NAME, "full_name": format!("{OWNER}/{NAME}"), "description": "",
        "empty": false, "private": true, "fork": false, "template": false, "parent": null, "mirror": false,
        "html_url": format!("{}/{OWNER}/{NAME}", state.url), "clone_url": format!("{}/{OWNER}/{NAME}.git", state.url),
        "default_branch": "develop", "archived": settings.archived, "has_pull_requests": true, "has_actions": settings.actions,
        "permissions": {
            "admin": rights == "admin", "push": matches!(rights, "write" | "admin"), "pull": rights != "none",
        },
        "allow_merge_commits": settings.merge_commits, "allow_rebase": true, "allow_rebase_explicit": true,
        "allow_squash_merge": true, "allow_rebase_update": true, "default_merge_style": settings.default_style,
        "default_delete_branch_after_merge": true,
    });
    if let Some(allowed) = settings.fast_forward {
        value["allow_fast_forward_only_merge"] = json!(allowed);
    }
    value
}

/// One of the others, in a list.
pub fn other(state: &State, other: &crate::forge::backend::Other, login: &str) -> Value {
    let mut value = repository(state, login);
    let name = other.path.rsplit('/').next().unwrap_or_default();
    let says = [
        ("id", json!(other.id)),
        ("name", json!(name)),
        ("full_name", json!(other.path)),
        ("archived", json!(other.archived)),
        ("fork", json!(other.fork)),
        ("mirror", json!(other.mirror)),
        ("html_url", json!(format!("{}/{}", state.url, other.path))),
        ("clone_url", json!(format!("{}/{}.git", state.url, other.path))),
    ];
    says.into_iter().for_each(|(key, is)| value[key] = is);
    value
}

pub fn status(state: &State, row: &Row) -> Value {
    json!({
        "id": row.id, "status": row.state, "target_url": row.url, "description": row.description,
        "url": format!("{}/api/v1/repos/{OWNER}/{NAME}/statuses/{}", state.url, row.sha), "context": row.context,
        "creator": row.by.as_deref().map(|by| user(state, by)), "created_at": stamp(row.at),
        "updated_at": stamp(row.at),
    })
}

/// The combined status of a page of rows.
pub fn combined(state: &State, sha: &str, rows: &[&Row]) -> Value {
    let worst = ["error", "failure", "pending", "warning", "success", "skipped"];
    let word = worst.iter().find(|word| rows.iter().any(|row| row.state == **word)).copied().unwrap_or_default();
    let statuses: Vec<Value> = rows.iter().map(|row| status(state, row)).collect();
    json!({
        "state": word, "sha": sha, "total_count": rows.len(),
        "statuses": if rows.is_empty() { Value::Null } else { Value::Array(statuses) },
        "repository": null, "commit_url": "", "url": "",
    })
}

/// A commit whose author has that address by git: whose account that is goes by it, unless it was said.
pub fn commit(state: &State, id: CommitId, email: &str) -> Value {
    let of_address = || {
        let has = |person: &&Person| format!("{}@example.com", person.login).eq_ignore_ascii_case(email);
        state.people.iter().find(has).map(|person| person.login.clone())
    };
    let by = state.authors.get(&id).cloned().unwrap_or_else(of_address);
    let by = by.map_or(Value::Null, |login| user(state, &login));
    let who = json!({ "name": "Ana", "email": email, "date": stamp(state.now) });
    json!({
        "sha": id.to_string(), "url": "", "html_url": "", "created": stamp(state.now), "author": by,
        "committer": by, "parents": [], "commit": {
            "url": "", "message": "Change", "author": who, "committer": who, "tree": { "url": "", "sha": id.to_string() },
        },
    })
}

pub fn branch(state: &State, name: &str, tip: CommitId, login: &str) -> Value {
    let (rule, writes) = (state.rule(name), state.may_write(login));
    let admin = state.person(login).is_some_and(|person| person.rights == "admin");
    let listed = |who: &Vec<String>| who.iter().any(|had| had == login);
    json!({
        "name": name,
        "commit": {
            "id": tip.to_string(), "message": "", "url": "", "author": null, "committer": null,
            "verification": null, "timestamp": stamp(state.now), "added": null, "removed": null, "modified": null,
        },
        "protected": rule.is_some(), "required_approvals": rule.map_or(0, |rule| rule.approvals),
        "enable_status_check": rule.is_some_and(|rule| rule.checks.is_some()),
        "status_check_contexts": rule.map_or(json!([]), |rule| json!(rule.checks)),
        "user_can_push": rule.map_or(writes, |rule| listed(&rule.pushers)),
        "user_can_merge": rule.map_or(writes, |rule| listed(&rule.mergers)),
        "effective_branch_protection_name": rule.filter(|_| admin).map_or("", |rule| &rule.branch),
    })
}

pub fn protection(rule: &Rule) -> Value {
    json!({
        "branch_name": rule.branch, "rule_name": rule.branch, "enable_push": true, "enable_push_whitelist": true,
        "push_whitelist_usernames": rule.pushers, "push_whitelist_teams": [], "push_whitelist_deploy_keys": false,
        "enable_merge_whitelist": true, "merge_whitelist_usernames": rule.mergers, "merge_whitelist_teams": [],
        "enable_status_check": rule.checks.is_some(), "status_check_contexts": rule.checks,
        "required_approvals": rule.approvals, "enable_approvals_whitelist": false,
        "approvals_whitelist_username": [], "approvals_whitelist_teams": [], "block_on_rejected_reviews": true,
        "block_on_official_review_requests": false, "block_on_outdated_branch": rule.up_to_date,
        "dismiss_stale_approvals": false, "ignore_stale_approvals": false, "require_signed_commits": false,
        "protected_file_patterns": "", "unprotected_file_patterns": "", "apply_to_admins": false,
    })
}

pub fn label(label: &(i64, String)) -> Value {
    json!({
        "id": label.0, "name": label.1, "exclusive": false, "is_archived": false, "color": "cccccc",
        "description": "", "url": "",
    })
}

pub fn pull(state: &State, pull: &Pull) -> Value {
    let tip = |name: &str| state.tip(name).map(|id| id.to_string());
    let here = pull.head_repo == 1;
    let head = tip(&pull.head).filter(|_| here);
    let known: Vec<Value> =
        state.labels.iter().chain(&state.org_labels).filter(|l| pull.labels.contains(&l.0)).map(label).collect();
    json!({
        "id": 100 + pull.number, "url": page(state, pull), "number": pull.number, "user": user(state, &pull.by),
        "title": pull.title, "body": pull.body, "labels": known, "milestone": null, "assignee": null,
        "assignees": null, "requested_reviewers": null, "requested_reviewers_teams": null,
        "state": if pull.closed { "closed" } else { "open" }, "draft": pull.title.starts_with("WIP:"), "is_locked": false,
        "comments": pull.comments.len(), "html_url": page(state, pull), "diff_url": "", "patch_url": "",
        "mergeable": state.computing == 0, "merged": pull.merged.is_some(),
        "merged_at": pull.merged.as_ref().map(|_| stamp(pull.updated)),
        "merge_commit_sha": pull.merged.as_ref().map(|(_, made)| made.to_string()),
        "merged_by": pull.merged.as_ref().map(|(by, _)| user(state, by)), "allow_maintainer_edit": false,
        "base": {
            "label": pull.base, "ref": pull.base, "sha": tip(&pull.base).unwrap_or_default(), "repo_id": 1, "repo": null,
        },
        "head": {
            "label": pull.head,
            "ref": if head.is_some() || !here { pull.head.clone() } else { format!("refs/pull/{}/head", pull.number) },
            "sha": head.unwrap_or_else(|| pull.head_seen.to_string()), "repo_id": pull.head_repo, "repo": null,
        },
        "merge_base": "", "due_date": null, "created_at": stamp(pull.created), "updated_at": stamp(pull.updated),
        "closed_at": pull.closed.then(|| stamp(pull.updated)), "pin_order": 0,
    })
}

fn page(state: &State, pull: &Pull) -> String {
    format!("{}/{OWNER}/{NAME}/pulls/{}", state.url, pull.number)
}

pub fn review(state: &State, review: &Review) -> Value {
    json!({
        "id": review.id, "user": user(state, &review.by), "team": null, "state": review.state, "body": "",
        "commit_id": review.commit.to_string(), "stale": review.stale, "official": review.official,
        "dismissed": review.dismissed, "comments_count": 0, "submitted_at": stamp(state.now),
        "updated_at": stamp(state.now), "html_url": "", "pull_request_url": "",
    })
}

/// Somebody, or a team with its `@`, who was asked for a review.
pub fn asked(state: &State, pull: &Pull, name: &str) -> Value {
    let at = pull.asked.iter().position(|had| had == name).unwrap_or_default() as i64;
    let found = name.strip_prefix('@').and_then(|name| state.teams.iter().find(|team| team.1 == name));
    let mut value = review(
        state,
        &Review {
            id: 100_000 + at,
            by: name.to_owned(),
            state: "REQUEST_REVIEW",
            commit: pull.head_seen,
            official: true,
            stale: false,
            dismissed: false,
        },
    );
    if let Some(found) = found {
        (value["user"], value["team"]) = (Value::Null, team(found));
    }
    value
}

pub fn comment(state: &State, comment: &Comment) -> Value {
    json!({
        "id": comment.id, "html_url": "", "pull_request_url": "", "issue_url": "", "user": user(state, &comment.by),
        "original_author": "", "original_author_id": 0, "body": comment.body, "assets": null,
        "created_at": stamp(comment.at), "updated_at": stamp(comment.at),
    })
}

pub fn team(team: &(i64, String, Vec<String>)) -> Value {
    json!({
        "id": team.0, "name": team.1, "description": "", "organization": null, "includes_all_repositories": false,
        "permission": "write", "units": null, "units_map": null, "can_create_org_repo": false,
    })
}
