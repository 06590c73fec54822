//! The server's API, as far as the adapter calls it (`routers/api/v1` of go-gitea/gitea and Forgejo).

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use towpath_core::model::CommitId;

use super::super::schema::{ON_PURPOSE, decode};
use super::show;
use super::state::{Comment, NAME, OWNER, Row, State};
use crate::support::git_fixture::git_command;

/// What is answered.
pub struct Reply {
    pub status: u16,
    pub body: Option<Value>,
    /// `X-Total-Count`.
    pub total: Option<usize>,
    pub link: Option<String>,
    /// Known not to follow the description.
    pub on_purpose: bool,
}

impl Reply {
    fn new(status: u16, body: Option<Value>) -> Self {
        Self { status, body, total: None, link: None, on_purpose: false }
    }

    fn json(body: Value) -> Self {
        Self::new(200, Some(body))
    }

    fn made(body: Value) -> Self {
        Self::new(201, Some(body))
    }

    fn error(status: u16, words: &str) -> Self {
        Self::new(status, Some(json!({ "message": words, "url": "https://git.example/api/swagger" })))
    }

    fn missing() -> Self {
        let body = json!({ "errors": null, "message": "The target couldn't be found.", "url": "" });
        Self::new(404, Some(body))
    }

    /// As HTTP, at the server's own time.
    pub fn response(self, now: i64) -> Response {
        let date = chrono::DateTime::from_timestamp_millis(now).expect("a time");
        let mut response = Response::builder()
            .status(StatusCode::from_u16(self.status).expect("a status"))
            .header(header::DATE, date.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        if let Some(total) = self.total {
            response = response.header("x-total-count", total);
        }
        if let Some(link) = self.link {
            response = response.header(header::LINK, link);
        }
        if self.on_purpose {
            response = response.header(ON_PURPOSE, "known");
        }
        match self.body {
            Some(body) => {
                let response = response.header(header::CONTENT_TYPE, "application/json;charset=utf-8");
                response.body(Body::from(body.to_string())).expect("a response")
            }
            None => response.body(Body::empty()).expect("a response"),
        }
    }
}

/// A question, taken apart.
pub struct Ask<'a> {
    pub method: &'a Method,
    /// Below `/api/v1`, still escaped.
    pub path: &'a str,
    pub query: Vec<(String, String)>,
    pub body: Value,
    pub login: String,
}

impl Ask<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(had, _)| had == name).map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    /// One page of a list; `total` may be of more than is listed.
    fn page(&self, state: &State, items: Vec<Value>, total: usize) -> Reply {
        let number = |name: &str| self.query(name).and_then(|text| text.parse::<usize>().ok());
        let page = number("page").unwrap_or(1).max(1);
        let limit = number("limit").filter(|limit| *limit > 0).unwrap_or(state.page_max).min(state.page_max);
        let mut reply = Reply::json(items.into_iter().skip((page - 1) * limit).take(limit).collect());
        reply.total = Some(if state.forgetful && page > 1 { 0 } else { total });
        reply
    }

    fn list(&self, state: &State, items: Vec<Value>) -> Reply {
        let total = items.len();
        self.page(state, items, total)
    }
}

/// Answers a call.
pub fn answer(state: &mut State, ask: &Ask<'_>) -> Reply {
    state.notice();
    let parts: Vec<String> = ask.path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (ask.method.as_str(), parts.as_slice()) {
        ("GET", ["version"]) => Reply::json(json!({ "version": state.version })),
        ("GET", ["settings", "api"]) => Reply::json(json!({
            "max_response_items": state.page_max, "default_paging_num": 30.min(state.page_max),
            "default_git_trees_per_page": 1000, "default_max_blob_size": 10_485_760,
        })),
        ("GET", ["user", "repos"]) => {
            let own = std::iter::once(show::repository(state, &ask.login));
            let others: Vec<Value> =
                own.chain(state.others.iter().map(|other| show::other(state, other, &ask.login))).collect();
            ask.list(state, others)
        }
        ("GET", ["user"]) => Reply::json(show::user(state, &ask.login)),
        ("GET", ["orgs", owner, rest @ ..]) => organisation(state, ask, owner, rest),
        ("GET", ["teams", id, "members"]) => match state.teams.iter().find(|team| team.0.to_string() == *id) {
            // reqTeamMembership in routers/api/v1/api.go.
            Some(team) if !team.2.contains(&ask.login) && !state.owns(&ask.login) => {
                if state.belongs(&ask.login) {
                    Reply::error(403, "Must be a team member")
                } else {
                    Reply::missing()
                }
            }
            Some(team) => {
                let members = team.2.iter().map(|login| show::user(state, login)).collect();
                ask.list(state, members)
            }
            None => Reply::missing(),
        },
        (_, ["repos", owner, name, rest @ ..]) if (*owner, *name) == (OWNER, NAME) => repository(state, ask, rest),
        _ => Reply::missing(),
    }
}

fn organisation(state: &State, ask: &Ask<'_>, owner: &str, rest: &[&str]) -> Reply {
    match rest {
        // reqOrgMembership in routers/api/v1/api.go.
        ["teams"] if owner == OWNER && !state.belongs(&ask.login) => {
            Reply::error(403, "Must be an organization member")
        }
        ["teams"] if owner == OWNER => ask.list(state, state.teams.iter().map(show::team).collect()),
        ["labels"] if owner == OWNER => ask.list(state, state.org_labels.iter().map(show::label).collect()),
        _ => Reply::missing(),
    }
}

fn repository(state: &mut State, ask: &Ask<'_>, rest: &[&str]) -> Reply {
    let admin = state.person(&ask.login).is_some_and(|person| person.rights == "admin");
    let number = |text: &str| text.parse::<u64>().ok();
    match (ask.method.as_str(), rest) {
        ("GET", []) => Reply::json(show::repository(state, &ask.login)),
        ("GET", ["branches"]) => {
            let all = state.branches();
            let all = all.iter().map(|(name, tip)| show::branch(state, name, *tip, &ask.login)).collect();
            ask.list(state, all)
        }
        ("GET", ["branches", name]) => match state.tip(name) {
            Some(tip) => Reply::json(show::branch(state, name, tip, &ask.login)),
            None => Reply::missing(),
        },
        ("PUT", ["branches", name]) => update(state, ask, name),
        ("GET", ["branch_protections" | "hooks"]) if !admin => {
            Reply::error(403, "user should be an owner or admin")
        }
        ("GET", ["branch_protections"]) => Reply::json(state.rules.iter().map(show::protection).collect()),
        ("GET", ["hooks"]) => ask.list(state, state.hooks.clone()),
        ("GET", ["statuses", sha]) => statuses(state, ask, sha),
        ("POST", ["statuses", sha]) => report(state, ask, sha),
        ("GET", ["commits", sha, "status"]) => combined(state, ask, sha),
        ("GET", ["git", "commits", sha]) => match history(state, sha, 1).and_then(|mut found| found.pop()) {
            Some(commit) => Reply::json(commit),
            None => Reply::missing(),
        },
        ("GET", ["commits"]) => match history(state, ask.query("sha").unwrap_or("develop"), usize::MAX) {
            Some(all) => ask.list(state, all),
            None => Reply::missing(),
        },
        ("GET", ["collaborators", login, "permission"]) => match state.person(login) {
            None => Reply::missing(),
            Some(_) if !admin && *login != ask.login => Reply::error(403, "Only admins can query all permissions"),
            Some(person) => Reply::json(json!({
                "permission": person.rights, "role_name": person.rights, "user": show::user(state, login),
            })),
        },
        ("GET", ["labels"]) => ask.list(state, state.labels.iter().map(show::label).collect()),
        ("POST", ["labels"]) => {
            let label = (state.id(), ask.text("name"));
            state.labels.push(label.clone());
            Reply::made(show::label(&label))
        }
        ("GET", ["pulls"]) => pulls(state, ask),
        ("POST", ["pulls"]) => open(state, ask),
        (_, ["pulls" | "issues", at, rest @ ..])
            if number(at).is_some_and(|at| state.pulls.iter().any(|pull| pull.number == at)) =>
        {
            pull(state, ask, number(at).unwrap_or_default(), rest)
        }
        ("PATCH", ["issues", "comments", id]) => edit_comment(state, ask, id),
        ("POST", ["issues", "comments", id, "reactions"]) => react(state, ask, id),
        _ => Reply::missing(),
    }
}

/// A commit and those that it contains, the newest by date first; none if it is not there.
fn history(state: &State, from: &str, most: usize) -> Option<Vec<Value>> {
    let most = most.min(1_000_000).to_string();
    let args = ["log", "--format=%H %ae", "--max-count", &most, "--end-of-options", from, "--"];
    let output = git_command(&state.repo.dir).args(args).output().expect("git runs");
    let text = output.status.success().then(|| String::from_utf8(output.stdout).expect("a text"))?;
    let shown = |line: &str| {
        let (id, email) = line.split_once(' ').unwrap_or((line, ""));
        show::commit(state, id.parse().expect("an id"), email)
    };
    Some(text.lines().map(shown).collect())
}

fn statuses(state: &State, ask: &Ask<'_>, sha: &str) -> Reply {
    let mut rows: Vec<&Row> = state.rows.iter().filter(|row| row.sha.to_string() == sha).collect();
    match ask.query("sort") {
        Some("highestindex") => rows.sort_by_key(|row| row.index),
        Some("leastindex") => rows.sort_by_key(|row| std::cmp::Reverse(row.index)),
        // By time, which rows share: those of one second come in any order.
        _ => rows.sort_by_key(|row| (std::cmp::Reverse(row.at), row.context.clone())),
    }
    ask.list(state, rows.into_iter().map(|row| show::status(state, row)).collect())
}

fn combined(state: &State, ask: &Ask<'_>, sha: &str) -> Reply {
    let mut newest: Vec<&Row> = Vec::new();
    for row in state.rows.iter().filter(|row| row.sha.to_string() == sha) {
        newest.retain(|had| had.group != row.group);
        newest.push(row);
    }
    newest.sort_by_key(|row| std::cmp::Reverse(row.id));
    let number = |name: &str, or: usize| ask.query(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(or);
    let (page, limit) = (number("page", 1).max(1), number("limit", state.page_max).min(state.page_max));
    let rows: Vec<&Row> = newest.into_iter().skip((page - 1) * limit).take(limit).collect();
    Reply::json(show::combined(state, sha, &rows))
}

fn report(state: &mut State, ask: &Ask<'_>, sha: &str) -> Reply {
    if !state.may_write(&ask.login) {
        return Reply::error(403, "user should have a permission to write to a repo");
    }
    let Some(commit) = sha.parse::<CommitId>().ok().filter(|commit| state.repo.has(*commit)) else {
        return Reply::missing();
    };
    let id = state.report(Some(&ask.login), commit, &ask.text("context"), &ask.text("state"));
    let row = state.rows.iter_mut().find(|row| row.id == id).expect("the row");
    (row.description, row.url) = (ask.text("description"), ask.text("target_url"));
    let row = row.clone();
    Reply::made(show::status(state, &row))
}

fn pulls(state: &State, ask: &Ask<'_>) -> Reply {
    let wanted = ask.query("state").unwrap_or("open");
    let forgejo = state.version.contains("+gitea-");
    // A filter that a version does not know is ignored.
    let base = ask.query(if forgejo { "base" } else { "base_branch" });
    let head = ask.query("head").filter(|_| forgejo);
    let mut found: Vec<_> = state
        .pulls
        .iter()
        .filter(|pull| wanted == "all" || (wanted == "closed") == pull.closed)
        .filter(|pull| base.is_none_or(|base| base == pull.base) && head.is_none_or(|head| head == pull.head))
        .collect();
    match ask.query("sort") {
        Some("oldest") => found.sort_by_key(|pull| pull.number),
        Some("recentupdate") => found.sort_by_key(|pull| std::cmp::Reverse((pull.updated, pull.number))),
        _ => found.sort_by_key(|pull| std::cmp::Reverse(pull.number)),
    }
    ask.list(state, found.into_iter().map(|pull| show::pull(state, pull)).collect())
}

fn open(state: &mut State, ask: &Ask<'_>) -> Reply {
    if state.settings.archived {
        return Reply::error(423, "Repo is archived");
    }
    let (head, base) = (ask.text("head"), ask.text("base"));
    if state.tip(&head).is_none() || state.tip(&base).is_none() {
        return Reply::missing();
    }
    if let Some(had) = state.pulls.iter().find(|had| !had.closed && had.head == head && had.base == base) {
        let words = format!("pull request already exists for these targets [id: {0}, issue_id: {0}]", had.number);
        return Reply::error(409, &words);
    }
    let number = state.open(&ask.login, &head, &base, &ask.text("title"), &ask.text("body"));
    let labels = ask.body["labels"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    state.pull(number).labels = labels;
    let pull = state.pull(number).clone();
    Reply::made(show::pull(state, &pull))
}

/// Closes or opens a request; what is answered where it cannot be.
fn ends(state: &mut State, number: u64, to: Option<&str>) -> Option<Reply> {
    match to {
        Some(_) if state.pull(number).merged.is_some() => {
            return Some(Reply::error(412, "cannot change state of this pull request, it was already merged"));
        }
        Some("closed") => state.close(number),
        Some("open") => state.reopen(number),
        _ => {}
    }
    None
}

fn pull(state: &mut State, ask: &Ask<'_>, number: u64, rest: &[&str]) -> Reply {
    let found = state.pull(number).clone();
    match (ask.method.as_str(), rest) {
        ("GET", []) => Reply::json(show::pull(state, &found)),
        ("PATCH", []) => {
            let (title, body) = (ask.body["title"].as_str(), ask.body["body"].as_str());
            let pull = state.pull(number);
            pull.title = title.filter(|title| !title.is_empty()).unwrap_or(&pull.title).to_owned();
            pull.body = body.unwrap_or(&pull.body).to_owned();
            if let Some(refused) = ends(state, number, ask.body["state"].as_str()) {
                return refused;
            }
            let pull = state.pull(number).clone();
            Reply::made(show::pull(state, &pull))
        }
        ("GET", ["reviews"]) => {
            // Other people's unfinished reviews are counted and not shown.
            let visible = found.reviews.iter().filter(|r| r.state != "PENDING" || r.by == ask.login);
            let mut shown: Vec<Value> = visible.map(|review| show::review(state, review)).collect();
            // Who was asked, until they say something.
            let said = |name: &&String| found.reviews.iter().any(|review| &review.by == *name);
            let asked: Vec<Value> = found
                .asked
                .iter()
                .filter(|name| !said(name))
                .map(|name| show::asked(state, &found, name))
                .collect();
            let total = found.reviews.len() + asked.len();
            shown.extend(asked);
            ask.page(state, shown, total)
        }
        ("POST", ["requested_reviewers"]) => {
            let names = |key: &str| {
                let all = ask.body[key].as_array().into_iter().flatten();
                all.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
            };
            let (people, teams) = (names("reviewers"), names("team_reviewers"));
            if people.iter().any(|login| state.person(login).is_none()) {
                return Reply::missing();
            }
            if teams.iter().any(|name| !state.teams.iter().any(|team| &team.1 == name)) {
                return Reply::missing();
            }
            let teams = teams.into_iter().map(|team| format!("@{team}"));
            state.pull(number).asked.extend(people.into_iter().chain(teams));
            Reply::made(json!([]))
        }
        ("GET", ["comments"]) => {
            let all: Vec<Value> = found.comments.iter().map(|comment| show::comment(state, comment)).collect();
            let mut reply = Reply::json(Value::Array(all));
            reply.total = Some(found.comments.len());
            reply
        }
        ("POST", ["comments"]) => {
            let (id, hooks) = (state.id(), state.comment_hooks);
            let comment = Comment::new(id, &ask.login, &ask.text("body"), state.now);
            state.pull(number).comments.push(comment.clone());
            if hooks {
                state.tell_comment("created", &ask.login, number, id);
            }
            Reply::made(show::comment(state, &comment))
        }
        ("POST", ["labels"]) => {
            let ids: Vec<i64> =
                ask.body["labels"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
            state.pull(number).labels.extend(ids);
            let had = state.pull(number).labels.clone();
            let all = state.labels.iter().chain(&state.org_labels).filter(|label| had.contains(&label.0));
            Reply::json(all.map(show::label).collect())
        }
        ("POST", ["merge"]) => merge(state, ask, number),
        _ => Reply::missing(),
    }
}

fn edit_comment(state: &mut State, ask: &Ask<'_>, id: &str) -> Reply {
    let admin = state.person(&ask.login).is_some_and(|person| person.rights == "admin");
    let body = ask.text("body");
    let mut all = state.pulls.iter_mut().flat_map(|pull| pull.comments.iter_mut());
    let Some(comment) = all.find(|comment| comment.id.to_string() == id) else { return Reply::missing() };
    if comment.by != ask.login && !admin {
        return Reply::error(403, "");
    }
    comment.body = body;
    let comment = comment.clone();
    if state.comment_hooks {
        state.tell_edit(&ask.login, comment.id);
    }
    Reply::json(show::comment(state, &comment))
}

/// `routers/api/v1/repo/issue_reaction.go`: 200 for one that is there already.
fn react(state: &mut State, ask: &Ask<'_>, id: &str) -> Reply {
    let (content, by) = (ask.text("content"), ask.login.clone());
    let Some((_, comment)) = state.comment(id.parse().unwrap_or_default()) else { return Reply::missing() };
    // `[ui] REACTIONS`, as it is unless somebody changes it.
    let known = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"];
    if !known.contains(&content.as_str()) {
        return Reply::error(403, &format!("'{content}' is not an allowed reaction"));
    }
    let given = (by.clone(), content.clone());
    let had = comment.reactions.contains(&given);
    if !had {
        comment.reactions.push(given);
    }
    let says = json!({ "user": show::user(state, &by), "content": content, "created_at": show::stamp(state.now) });
    Reply::new(if had { 200 } else { 201 }, Some(says))
}

/// `UpdateBranch` in `routers/api/v1/repo/branch.go` and `services/repository/branch.go` of Gitea 1.26.
fn update(state: &mut State, ask: &Ask<'_>, name: &str) -> Reply {
    let version: Vec<u32> = state.version.split('.').map_while(|part| part.parse().ok()).collect();
    if state.version.contains("+gitea-") || version < vec![1, 26] {
        // The path is there for other methods.
        return Reply { on_purpose: true, ..Reply::new(405, None) };
    }
    if !state.may_write(&ask.login) {
        return Reply::error(403, "user should have a permission to write to a repo");
    }
    if state.settings.archived {
        return Reply::error(423, "Repo is archived");
    }
    let Some(recorded) = state.tip(name) else { return Reply::missing() };
    let (old, new) = (ask.text("old_commit_id"), ask.text("new_commit_id"));
    if !old.is_empty() && old != recorded.to_string() {
        let words = format!("branch commit does not match [expected: {old}, given: {recorded}]");
        return Reply::error(422, &words);
    }
    let Ok(to) = new.parse::<CommitId>() else { return Reply::missing() };
    if to == recorded {
        return Reply::new(204, None);
    }
    if ask.body["force"] != json!(true) && !state.repo.contains(to, recorded) {
        return Reply::error(422, &format!("Force push {name} need a confirm force parameter"));
    }
    // The pre-receive hook's words.
    if state.rule(name).is_some_and(|rule| !rule.pushers.contains(&ask.login)) {
        return Reply::error(403, &format!("Not allowed to push to protected branch {name}"));
    }
    if let Some(to) = state.race.take() {
        state.repo.set(name, to);
    }
    // `--force-with-lease` of a push to its own repository.
    let args = ["update-ref", &format!("refs/heads/{name}"), &new, &old];
    let done = git_command(&state.repo.dir).args(args).output().expect("git runs").status.success();
    state.notice();
    // In production the words are kept from everybody but administrators.
    if done { Reply::new(204, None) } else { Reply::error(500, "") }
}

fn merge(state: &mut State, ask: &Ask<'_>, number: u64) -> Reply {
    let pull = state.pull(number).clone();
    let style = ask.text("Do");
    if state.settings.archived {
        return Reply::error(423, "Repo is archived");
    }
    if pull.merged.is_some() {
        return Reply::error(405, "");
    }
    if pull.closed {
        return Reply::missing();
    }
    let rule = state.rule(&pull.base).cloned();
    let allowed = rule.as_ref().map_or(state.may_write(&ask.login), |rule| rule.mergers.contains(&ask.login));
    if !allowed {
        return Reply::error(405, "User not allowed to merge PR");
    }
    if state.computing > 0 {
        state.computing -= 1;
        return Reply::error(405, "Please try again later");
    }
    if let Some(words) = rule.and_then(|rule| not_ready(state, &pull, &rule)) {
        return Reply::error(405, &words);
    }
    let allowed = match style.as_str() {
        "merge" => state.settings.merge_commits,
        "fast-forward-only" => state.settings.fast_forward == Some(true),
        _ => true,
    };
    if !allowed {
        return Reply::error(405, &format!("{style} is not allowed an allowed merge style for this repository"));
    }
    let head = state.repo.tip(&pull.head).map(|id| id.to_string()).unwrap_or_default();
    let named = ask.text("head_commit_id");
    if !named.is_empty() && named != head {
        return Reply::error(409, "head out of date");
    }
    let by = ask.login.clone();
    let done = state.merge(&by, number, &style);
    // Unless the caller says otherwise, newer versions do as the repository's settings say.
    if done.is_ok() && ask.body["delete_branch_after_merge"] != json!(false) {
        state.repo.delete(&pull.head);
    }
    match done {
        Ok(_) => Reply::new(200, None),
        Err("race") => Reply::error(409, "PushRejected without remote error message"),
        // Git's own words, and not in the form that is described.
        Err("conflict") => Reply {
            on_purpose: true,
            ..Reply::new(409, Some(json!({ "Style": style, "StdOut": "CONFLICT", "StdErr": "", "Err": {} })))
        },
        // Not told from a broken server, and hidden in production.
        Err(_) => Reply::error(500, ""),
    }
}

fn not_ready(state: &State, pull: &super::state::Pull, rule: &super::state::Rule) -> Option<String> {
    let counts = |r: &&super::state::Review| r.state == "APPROVED" && r.official && !r.dismissed;
    if pull.reviews.iter().filter(counts).count() < rule.approvals {
        return Some("Does not have enough approvals".to_owned());
    }
    let (head, base) = (state.repo.tip(&pull.head)?.to_string(), state.repo.tip(&pull.base)?.to_string());
    let args = ["merge-base", "--is-ancestor", &base, &head];
    let behind = !git_command(&state.repo.dir).args(args).status().expect("git runs").success();
    (rule.up_to_date && behind).then(|| "The head branch is behind the base branch".to_owned())
}
