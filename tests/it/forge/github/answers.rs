//! What a GitHub of the tests answers to each operation that the adapter calls.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use towpath_core::model::CommitId;
use towpath_core::people::authors::co_authors;

use super::state::{Comment, Pull, Push, State, Suite};
use super::talk;
use crate::forge::schema::{Api, decode};

const REPO: &str = "/repos/{owner}/{repo}";

pub struct Call<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub token: &'a str,
    pub body: Value,
    pub app_key: &'a [u8],
}

pub struct Reply {
    pub status: u16,
    pub body: Option<Value>,
    pub headers: Vec<(String, String)>,
}

impl Reply {
    pub fn empty(status: u16) -> Self {
        Self { status, body: None, headers: Vec::new() }
    }

    fn says(status: u16, message: &str) -> Self {
        let body = json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string() });
        Self { status, body: Some(body), headers: Vec::new() }
    }
}

impl Call<'_> {
    fn asked(&self, name: &str) -> Option<String> {
        let find = |part: &str| part.split_once('=').filter(|(k, _)| *k == name).map(|(_, v)| decode(v));
        self.query.split('&').find_map(find)
    }

    fn word(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }
}

/// Answers with the least that the description wants around what is said.
struct Made<'a> {
    api: Option<&'a Api>,
    method: &'a str,
}

impl Made<'_> {
    fn says(&self, template: &str, status: u16, says: &Value) -> Reply {
        let body = self.api.map_or_else(|| says.clone(), |api| api.fill(self.method, template, status, says));
        Reply { status, body: Some(body), headers: Vec::new() }
    }

    /// One page of a list that stands alone, or under `key` beside `total_count`.
    fn page(&self, call: &Call<'_>, state: &State, template: &str, key: Option<&str>, items: Vec<Value>) -> Reply {
        let number = |name: &str, or: usize| call.asked(name).and_then(|n| n.parse().ok()).unwrap_or(or);
        let (per_page, page) = (number("per_page", 30).min(state.page_max), number("page", 1).max(1));
        let total = items.len();
        let shown: Vec<Value> = items.into_iter().skip((page - 1) * per_page).take(per_page).collect();
        let says = match key {
            Some(key) => json!({ "total_count": total, key: shown }),
            None => Value::Array(shown),
        };
        let mut reply = self.says(template, 200, &says);
        if page * per_page < total {
            let others: Vec<&str> = call.query.split('&').filter(|part| !part.starts_with("page=")).collect();
            // GitHub's own links have the repository's number instead of its name.
            let link = format!(
                "<https://api.github.com/repositories/1?{}&page={}>; rel=\"next\"",
                others.join("&"),
                page + 1
            );
            reply.headers.push(("link".to_owned(), link));
        }
        reply
    }
}

pub fn answer(state: &mut State, api: Option<&Api>, call: &Call<'_>) -> Reply {
    let made = Made { api, method: call.method };
    let decoded: Vec<String> = call.path.trim_start_matches('/').split('/').map(decode).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let as_app = by_app(call, state.now);
    match (call.method, &*parts) {
        ("POST", ["app", "installations", "9", "access_tokens"]) if as_app => return mint(state, &made),
        ("GET", ["app"]) if as_app => {
            return made.says("/app", 200, &json!({ "id": 7, "slug": "towpath" }));
        }
        ("GET", ["repos", _, _, "installation"]) if as_app => {
            let says =
                json!({ "id": 9, "permissions": state.app_rights, "events": state.app_events, "account": null });
            return made.says(&format!("{REPO}/installation"), 200, &says);
        }
        _ => {}
    }
    let Some(user) = user(state, call.token) else { return Reply::says(401, "Bad credentials") };
    match (call.method, &*parts) {
        ("GET", ["user", "repos"]) => made.page(call, state, "/user/repos", None, listed(state)),
        ("GET", ["installation", "repositories"]) => {
            made.page(call, state, "/installation/repositories", Some("repositories"), listed(state))
        }
        ("GET", ["user"]) => made.says("/user", 200, &json!({ "login": user, "type": "User" })),
        ("GET", ["apps", slug]) => match state.apps.get(*slug) {
            Some(id) => made.says("/apps/{app_slug}", 200, &json!({ "id": id, "slug": slug })),
            None => Reply::says(404, "Not Found"),
        },
        ("GET", ["orgs", org, "teams", slug, "members"]) if *org == state.owner => match state.teams.get(*slug) {
            Some(members) => {
                let members = members.iter().map(|login| person(login)).collect();
                made.page(call, state, "/orgs/{org}/teams/{team_slug}/members", None, members)
            }
            None => Reply::says(404, "Not Found"),
        },
        (_, ["repos", owner, name, rest @ ..]) if *owner == state.owner && *name == state.name => {
            state.notice();
            in_repository(state, &made, call, rest, &user)
        }
        _ => Reply::says(404, "Not Found"),
    }
}

fn activity(push: &Push) -> Value {
    let id = |id: Option<CommitId>| id.unwrap_or(CommitId::from_bytes([0; 20])).to_string();
    json!({
        "id": push.at, "node_id": "x", "before": id(push.before), "after": id(push.after),
        "ref": format!("refs/heads/{}", push.on), "timestamp": State::at(push.at), "activity_type": push.kind,
        "actor": person("ana"),
    })
}

/// What ran for a commit.
fn ran(state: &State, made: &Made<'_>, call: &Call<'_>, rest: &[&str]) -> Reply {
    match rest {
        ["commits", sha, "check-runs"] => {
            let runs = state.runs.iter().filter(|run| run.sha.to_string() == *sha).map(run).collect();
            made.page(call, state, &format!("{REPO}/commits/{{ref}}/check-runs"), Some("check_runs"), runs)
        }
        ["commits", sha, "check-suites"] => {
            let suites = state.suites.iter().filter(|suite| suite.sha.to_string() == *sha);
            let suites = suites
                .map(|s| json!({ "id": s.id, "head_branch": s.branch, "conclusion": s.conclusion, "head_sha": *sha, "status": "completed", "app": { "id": 15_368, "slug": "github-actions" } }))
                .collect();
            made.page(call, state, &format!("{REPO}/commits/{{ref}}/check-suites"), Some("check_suites"), suites)
        }
        ["actions", "runs"] if !state.actions => Reply::says(403, "Resource not accessible by integration"),
        _ => {
            let sha = call.asked("head_sha").unwrap_or_default();
            let runs = state.suites.iter().filter(|suite| suite.sha.to_string() == sha);
            let run = |s: &Suite| {
                let (workflow, event) = s.workflow?;
                let name = format!("Workflow {workflow}");
                Some(
                    json!({ "id": s.id + 5_000, "check_suite_id": s.id, "workflow_id": workflow, "event": event, "head_sha": sha, "name": name, "head_branch": s.branch }),
                )
            };
            let runs = runs.filter_map(run).collect();
            made.page(call, state, &format!("{REPO}/actions/runs"), Some("workflow_runs"), runs)
        }
    }
}

fn in_repository(state: &mut State, made: &Made<'_>, call: &Call<'_>, rest: &[&str], user: &str) -> Reply {
    match (call.method, rest) {
        ("GET", []) => {
            let mut says = repository(state);
            // Of an App `push` is always false.
            let push = !call.token.starts_with("ghs_");
            says["permissions"] = json!({ "push": push, "admin": false, "pull": true });
            says["allow_merge_commit"] = json!(state.merge_commits);
            says["archived"] = json!(state.archived);
            made.says(REPO, 200, &says)
        }
        ("GET", ["activity"]) => {
            let of = call.asked("ref").unwrap_or_default();
            let of = of.strip_prefix("refs/heads/").unwrap_or(&of);
            let pushes = state.pushes.iter().filter(|push| push.on == of);
            let items = pushes.map(activity).collect();
            made.page(call, state, &format!("{REPO}/activity"), None, items)
        }
        ("GET", ["commits", _, "check-runs" | "check-suites"] | ["actions", "runs"]) => {
            ran(state, made, call, rest)
        }
        ("GET", ["commits", sha, "statuses"]) => {
            let all = state.statuses.iter().rev().filter(|status| status.sha.to_string() == *sha);
            let all = all.map(status).collect();
            made.page(call, state, &format!("{REPO}/commits/{{ref}}/statuses"), None, all)
        }
        ("POST", ["statuses", sha]) => set_status(state, made, call, sha, user),
        ("GET", ["hooks"]) if state.rights.get(user).map(String::as_str) == Some("admin") => {
            made.page(call, state, &format!("{REPO}/hooks"), None, state.hooks.clone())
        }
        ("GET", ["rules", "branches", branch]) => {
            let rules = state.rules.get(*branch).cloned().unwrap_or_default();
            made.page(call, state, &format!("{REPO}/rules/branches/{{branch}}"), None, rules)
        }
        ("GET", ["rulesets", id]) => {
            let can = if state.bypass { "always" } else { "never" };
            let id: u64 = id.parse().expect("a number");
            let says = json!({ "id": id, "name": "main", "enforcement": "active", "current_user_can_bypass": can });
            made.says(&format!("{REPO}/rulesets/{{ruleset_id}}"), 200, &says)
        }
        ("GET", ["branches", branch]) => match state.repo.tip(branch) {
            Some(tip) => {
                let protection = state.classic.get(*branch).cloned().unwrap_or_else(|| json!({ "enabled": false }));
                let says = json!({ "name": branch, "commit": { "sha": tip.to_string() }, "protection": protection, "protected": state.classic.contains_key(*branch) });
                made.says(&format!("{REPO}/branches/{{branch}}"), 200, &says)
            }
            None => Reply::says(404, "Branch not found"),
        },
        ("GET", ["git", "ref", "heads", branch]) => match state.repo.tip(branch) {
            Some(tip) => {
                let says = json!({ "ref": format!("refs/heads/{branch}"), "object": { "type": "commit", "sha": tip.to_string() } });
                made.says(&format!("{REPO}/git/ref/{{ref}}"), 200, &says)
            }
            None => Reply::says(404, "Not Found"),
        },
        ("GET", ["collaborators", login, "permission"]) => match state.rights.get(*login) {
            Some(right) => {
                let (permission, role) = talk::words(right);
                let says = json!({ "permission": permission, "role_name": role, "user": person(login) });
                made.says(&format!("{REPO}/collaborators/{{username}}/permission"), 200, &says)
            }
            None => Reply::says(404, "Not Found"),
        },
        (_, ["pulls", ..]) => super::pulls::answer(state, &Pulls { made, call, user }, &rest[1..]),
        (_, ["issues", ..]) => in_issues(state, made, call, &rest[1..], user),
        _ => Reply::says(404, "Not Found"),
    }
}

/// What answers about requests need.
pub struct Pulls<'a> {
    made: &'a Made<'a>,
    pub call: &'a Call<'a>,
    pub user: &'a str,
}

impl Pulls<'_> {
    pub fn says(&self, below: &str, status: u16, says: &Value) -> Reply {
        self.made.says(&format!("{REPO}/pulls{below}"), status, says)
    }

    pub fn page(&self, state: &State, below: &str, items: Vec<Value>) -> Reply {
        self.made.page(self.call, state, &format!("{REPO}/pulls{below}"), None, items)
    }

    pub fn asked(&self, name: &str) -> Option<String> {
        self.call.asked(name)
    }

    pub fn word(&self, name: &str) -> String {
        self.call.word(name)
    }

    pub fn refuses(&self, status: u16, message: &str) -> Reply {
        Reply::says(status, message)
    }
}

fn in_issues(state: &mut State, made: &Made<'_>, call: &Call<'_>, rest: &[&str], user: &str) -> Reply {
    let at = |below: &str| format!("{REPO}/issues{below}");
    let number = |text: &str| text.parse::<u64>().ok();
    match (call.method, rest) {
        ("GET", [n]) => match number(n).and_then(|n| state.pulls.get(&n)) {
            Some(pull) => {
                let says = json!({ "number": pull.number, "closed_by": pull.closed_by.as_deref().map(person), "state": "closed" });
                made.says(&at("/{issue_number}"), 200, &says)
            }
            None => Reply::says(404, "Not Found"),
        },
        ("POST", [n, "labels"]) => {
            let labels = call.body["labels"].as_array().into_iter().flatten();
            let labels: Vec<String> = labels.filter_map(|label| label.as_str().map(str::to_owned)).collect();
            let Some(pull) = number(n).and_then(|n| state.pulls.get_mut(&n)) else {
                return Reply::says(404, "Not Found");
            };
            pull.labels.extend(labels);
            let all: Vec<Value> = pull.labels.iter().map(|name| json!({ "name": name })).collect();
            made.says(&at("/{issue_number}/labels"), 200, &Value::Array(all))
        }
        ("GET", [n, "comments"]) => {
            let of = state.comments.iter().filter(|comment| Some(comment.pull) == number(n)).map(comment).collect();
            made.page(call, state, &at("/{issue_number}/comments"), None, of)
        }
        ("POST", [n, "comments"]) => {
            let id = state.id();
            let made_one =
                Comment { id, pull: number(n).unwrap_or(0), by: user.to_owned(), body: call.word("body") };
            let says = comment(&made_one);
            state.comments.push(made_one);
            if state.comment_hooks {
                state.tell("created", user, id);
            }
            made.says(&at("/{issue_number}/comments"), 201, &says)
        }
        ("PATCH", ["comments", id]) => {
            let Some(had) = state.comments.iter_mut().find(|comment| Some(comment.id) == number(id)) else {
                return Reply::says(404, "Not Found");
            };
            if had.by != user {
                return Reply::says(403, "Must have admin rights to Repository.");
            }
            had.body = call.word("body");
            let (id, says) = (had.id, comment(had));
            if state.comment_hooks {
                state.tell("edited", user, id);
            }
            made.says(&at("/comments/{comment_id}"), 200, &says)
        }
        ("POST", ["comments", id, "reactions"]) => match state.comments.iter().find(|c| Some(c.id) == number(id)) {
            Some(comment) => {
                let id = comment.id;
                let (status, says) = talk::react(state, user, id, &call.word("content"));
                made.says(&at("/comments/{comment_id}/reactions"), status, &says)
            }
            None => Reply::says(404, "Not Found"),
        },
        _ => Reply::says(404, "Not Found"),
    }
}

fn set_status(state: &mut State, made: &Made<'_>, call: &Call<'_>, sha: &str, user: &str) -> Reply {
    let Ok(sha) = sha.parse::<CommitId>() else { return Reply::says(404, "Not Found") };
    if call.word("description").chars().count() > 140 {
        return Reply::says(422, "Validation Failed: description is too long (maximum is 140 characters)");
    }
    state.status(sha, &call.word("context"), &call.word("state"), user);
    let last = state.statuses.last_mut().expect("just made");
    last.description = call.body["description"].as_str().map(str::to_owned);
    last.url = call.body["target_url"].as_str().map(str::to_owned);
    let says = status(last);
    made.says(&format!("{REPO}/statuses/{{sha}}"), 201, &says)
}

/// `updateRefs` and the query for the repository's id.
pub fn graph(state: &mut State, token: &str, sent: &Value) -> Reply {
    let reply = |body: Value| Reply { status: 200, body: Some(body), headers: Vec::new() };
    if user(state, token).is_none() {
        return Reply::says(401, "Bad credentials");
    }
    let query = sent["query"].as_str().unwrap_or_default();
    let variables = &sent["variables"];
    if query.contains("repository(") {
        if variables["owner"] == json!(state.owner) && variables["name"] == json!(state.name) {
            if query.contains("object(") {
                return reply(json!({ "data": { "repository": authors(state, query) } }));
            }
            return reply(json!({ "data": { "repository": { "id": "R_1" } } }));
        }
        let error =
            json!({ "type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve to a Repository" });
        return reply(json!({ "data": { "repository": null }, "errors": [error] }));
    }
    let fails = |message: String| {
        let error = json!({ "type": "UNPROCESSABLE", "path": ["updateRefs"], "message": message });
        reply(json!({ "data": { "updateRefs": null }, "errors": [error] }))
    };
    let id = |value: &Value| value.as_str().and_then(|text| text.parse::<CommitId>().ok());
    for update in variables["input"]["refUpdates"].as_array().into_iter().flatten() {
        let branch = update["name"].as_str().and_then(|name| name.strip_prefix("refs/heads/")).unwrap_or_default();
        let (Some(old), Some(new)) = (id(&update["beforeOid"]), id(&update["afterOid"])) else {
            return fails("a reference needs a beforeOid and an afterOid".to_owned());
        };
        if let Err(why) = state.move_branch(branch, old, new, update["force"] == json!(true)) {
            return fails(why);
        }
    }
    reply(json!({ "data": { "updateRefs": { "clientMutationId": null } } }))
}

/// Who wrote the commits that a query names, under the names that it gives them.
fn authors(state: &State, query: &str) -> Value {
    let one = |line: &str| {
        let (alias, rest) = line.trim().split_once(": object(oid: \"")?;
        let commit: CommitId = rest.split('"').next()?.parse().ok()?;
        let users = state.authors.get(&commit).cloned().unwrap_or_else(|| vec![Some("ana".to_owned())]);
        let total = users.len();
        let known = state.repo.has(commit);
        let mut addresses = if known { addresses(state, commit) } else { Vec::new() }.into_iter();
        let mut node = |user: Option<String>| json!({ "email": addresses.next(), "user": user.map(|login| json!({ "login": login })) });
        let nodes: Vec<Value> = users.into_iter().take(20).map(&mut node).collect();
        Some((
            alias.to_owned(),
            if known { json!({ "authors": { "totalCount": total, "nodes": nodes } }) } else { Value::Null },
        ))
    };
    Value::Object(query.lines().filter_map(one).collect())
}

/// The addresses in a commit: the author's, then those of co-authors.
fn addresses(state: &State, commit: CommitId) -> Vec<String> {
    let text = state.repo.git(["show", "-s", "--format=%ae%n%B", &commit.to_string()]);
    let (author, message) = text.split_once('\n').expect("a message");
    let others = co_authors(message).into_iter().map(|(_, email)| email.to_owned());
    std::iter::once(author.to_owned()).chain(others).collect()
}

fn mint(state: &mut State, made: &Made<'_>) -> Reply {
    state.minted += 1;
    let (token, until) = (format!("ghs_minted_{}", state.minted), state.now + 3_600_000);
    state.tokens.insert(token.clone(), Some(until));
    let says = json!({ "token": token, "expires_at": State::at(until), "permissions": state.app_rights });
    made.says("/app/installations/{installation_id}/access_tokens", 201, &says)
}

/// Whether a call carries a JWT of the App 7 that is signed, not over, and not for too long.
fn by_app(call: &Call<'_>, now: i64) -> bool {
    let Some(jwt) = call.token.strip_prefix("Bearer ") else { return false };
    let Some((signed, signature)) = jwt.rsplit_once('.') else { return false };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, call.app_key);
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    if key.verify(signed.as_bytes(), &signature).is_err() {
        return false;
    }
    let claims = signed.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
    let (now, exp) = (now / 1_000, claims["exp"].as_i64().unwrap_or(0));
    claims["iss"] == json!("7")
        && claims["iat"].as_i64().is_some_and(|iat| iat <= now)
        && exp > now
        && exp <= now + 600
}

fn user(state: &State, token: &str) -> Option<String> {
    let token = token.strip_prefix("Bearer ")?;
    let until = state.tokens.get(token)?;
    if until.is_some_and(|until| until <= state.now) {
        return None;
    }
    Some(if token.starts_with("ghs_") { "towpath[bot]" } else { "towpath" }.to_owned())
}

pub fn person(login: &str) -> Value {
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    json!({ "login": login, "id": talk::number(login), "type": kind })
}

/// As its lists have them.
fn listed(state: &State) -> Vec<Value> {
    let own = json!({
        "id": 1, "name": state.name, "full_name": format!("{}/{}", state.owner, state.name), "archived": state.archived,
        "disabled": false, "fork": false, "owner": person(&state.owner),
    });
    let other = |other: &crate::forge::backend::Other| {
        let (owner, name) = other.path.split_once('/').expect("two parts");
        json!({
            "id": other.id, "name": name, "full_name": other.path, "archived": other.archived, "disabled": false,
            "fork": other.fork, "owner": person(owner),
        })
    };
    std::iter::once(own).chain(state.others.iter().map(other)).collect()
}

fn repository(state: &State) -> Value {
    json!({ "name": state.name, "full_name": format!("{}/{}", state.owner, state.name), "owner": person(&state.owner) })
}

fn run(run: &super::state::Run) -> Value {
    json!({
        "id": run.id, "head_sha": run.sha.to_string(), "name": run.name, "status": run.status,
        "conclusion": run.conclusion, "completed_at": run.completed.map(State::at),
        "html_url": format!("https://github.test/runs/{}", run.id),
        "app": { "id": run.app, "slug": "github-actions" }, "check_suite": { "id": run.suite },
    })
}

fn status(status: &super::state::Status) -> Value {
    json!({
        "id": status.id, "context": status.context, "state": status.state, "description": status.description,
        "target_url": status.url, "updated_at": State::at(status.at), "creator": person(&status.by),
    })
}

fn comment(comment: &Comment) -> Value {
    json!({ "id": comment.id, "body": comment.body, "user": person(&comment.by) })
}

/// A request as lists have it; a single one has more.
pub fn pull(state: &State, pull: &Pull, single: bool) -> Value {
    let repo = repository(state);
    let labels: Vec<Value> = pull.labels.iter().map(|name| json!({ "name": name })).collect();
    let base = state.repo.tip(&pull.base).map_or_else(|| "0".repeat(40), |tip| tip.to_string());
    let ended = (!pull.open).then(|| State::at(state.now));
    let mut says = json!({
        "number": pull.number, "html_url": format!("https://github.test/pull/{}", pull.number),
        "state": if pull.open { "open" } else { "closed" }, "title": pull.title, "body": pull.body,
        "draft": pull.draft,
        "head": { "ref": pull.head, "sha": state.head(pull).to_string(), "repo": repo.clone() },
        "base": { "ref": pull.base, "sha": base, "repo": repo },
        "user": person(&pull.by), "labels": labels, "closed_at": ended.clone(),
        "merged_at": ended.filter(|_| pull.merged.is_some()),
        "merge_commit_sha": pull.merged.as_ref().map(|(commit, _)| commit.to_string()),
    });
    // Until they have reviewed.
    let said =
        |name: &&String| state.reviews.iter().any(|review| review.pull == pull.number && &review.by == *name);
    let (teams, people): (Vec<&String>, Vec<&String>) =
        pull.reviewers.iter().filter(|name| !said(name)).partition(|name| name.starts_with('@'));
    says["requested_reviewers"] = people.into_iter().map(|login| person(login)).collect();
    says["requested_teams"] =
        teams.into_iter().map(|team| json!({ "slug": team.trim_start_matches('@') })).collect();
    if single {
        says["merged"] = json!(pull.merged.is_some());
        says["merged_by"] = pull.merged.as_ref().map_or(Value::Null, |(_, by)| person(by));
    }
    says
}
