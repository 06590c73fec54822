//! GitLab's API, as far as the adapter calls it (`lib/api` of gitlabhq/gitlabhq).

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use towpath_core::model::CommitId;

use super::super::schema::decode;
use super::show;
use super::state::{Job, PATH, State};

/// What is answered.
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, body, headers: Vec::new() }
    }

    fn json(body: Value) -> Self {
        Self::new(200, body)
    }

    pub fn error(status: u16, words: &str) -> Self {
        Self::new(status, json!({ "message": words }))
    }

    pub fn missing() -> Self {
        Self::error(404, "404 Not found")
    }

    /// As HTTP, at the server's own time.
    pub fn response(self, now: i64) -> Response {
        let date = chrono::DateTime::from_timestamp_millis(now).expect("a time");
        let mut response = Response::builder()
            .status(StatusCode::from_u16(self.status).expect("a status"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::DATE, date.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(self.body.to_string())).expect("a response")
    }
}

/// A question, taken apart.
pub struct Ask<'a> {
    pub method: &'a Method,
    /// Below `/api`, still escaped.
    pub path: &'a str,
    pub query: Vec<(String, String)>,
    pub body: Value,
    pub name: String,
}

impl Ask<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(had, _)| had == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    /// One page of a list, with what GitLab says of the others.
    pub fn list(&self, state: &State, items: Vec<Value>) -> Reply {
        let number = |name: &str| self.query(name).and_then(|text| text.parse::<usize>().ok());
        let (page, total) = (number("page").unwrap_or(1).max(1), items.len());
        let size = number("per_page").unwrap_or(20).min(state.page_max);
        let mut reply = Reply::json(items.into_iter().skip((page - 1) * size).take(size).collect());
        if state.tells.totals {
            reply.headers.push(("x-total", total.to_string()));
        }
        let mut others = self.query.clone();
        others.retain(|(name, _)| name != "page");
        let link = |page: usize, rel: &str| {
            let mut url = reqwest::Url::parse(&format!("{}/api{}", state.url, self.path)).expect("a URL");
            url.query_pairs_mut().extend_pairs(&others).append_pair("page", &page.to_string());
            format!("<{url}>; rel=\"{rel}\"")
        };
        if state.tells.links {
            let next = (page * size < total).then(|| link(page + 1, "next"));
            let all: Vec<String> = next.into_iter().chain([link(1, "first")]).collect();
            reply.headers.push(("link", all.join(", ")));
        }
        reply
    }

    fn sorted<T>(&self, items: &mut [T], by: impl Fn(&T) -> i64) {
        items.sort_by_key(|item| if self.query("sort") == Some("asc") { by(item) } else { -by(item) });
    }
}

/// Answers a call.
pub fn answer(state: &mut State, ask: &Ask<'_>) -> Reply {
    state.notice();
    let parts: Vec<String> = ask.path.split('/').filter(|part| !part.is_empty()).map(decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (ask.method.as_str(), parts.as_slice()) {
        ("POST", ["graphql"]) => authors(state, ask),
        ("GET", ["v4", "personal_access_tokens", "self"]) => Reply::json(show::token(state, &ask.name)),
        ("GET", ["v4", "user"]) => Reply::json(show::me(state, &ask.name)),
        ("GET", ["v4", "projects"]) => {
            let own = (state.role(&ask.name) > 0).then(|| show::project(state, &ask.name));
            let others = state.others.iter().map(|other| show::other(state, other, &ask.name));
            let mut all: Vec<Value> = own.into_iter().chain(others).collect();
            ask.sorted(&mut all, |project| project["id"].as_i64().unwrap_or_default());
            ask.list(state, all)
        }
        ("GET", ["v4", "users"]) => {
            let shown = ask.query("public_email").and_then(|email| {
                state.shown.iter().find(|(_, had)| had.eq_ignore_ascii_case(email)).map(|(name, _)| name.as_str())
            });
            let found = ask.query("username").or(shown).map(|name| show::user(state, name));
            ask.list(state, found.into_iter().filter(|user| !user.is_null()).collect())
        }
        ("GET", ["v4", "groups", path, "members", "all"]) => match state.groups.get(*path) {
            Some(all) => ask.list(state, all.iter().map(|of| show::member(state, of)).collect()),
            None => Reply::error(404, "404 Group Not Found"),
        },
        (_, ["v4", "projects", path, rest @ ..]) if *path == PATH || *path == "1" => project(state, ask, rest),
        _ => Reply::error(404, "404 Project Not Found"),
    }
}

fn authors(state: &State, ask: &Ask<'_>) -> Reply {
    let query = ask.text("query");
    // A query that does not fit the schema is answered 200 and not begun: there is no `data` at all.
    if !state.tells.graph_commits {
        let words = "Field 'commit' doesn't exist on type 'Repository'";
        let at = json!([{ "line": 1, "column": 90 }]);
        return Reply::json(json!({ "errors": [{ "message": words, "locations": at }] }));
    }
    if !query.starts_with("query ($project: ID!") || ask.body["variables"]["project"] != json!(PATH) {
        return Reply::json(json!({ "data": { "project": null } }));
    }
    let mut told = serde_json::Map::new();
    for (name, sha) in ask.body["variables"].as_object().expect("variables") {
        let commit = sha.as_str().and_then(|sha| state.knows(sha));
        if query.contains(&format!(" {name}: commit(ref: ${name})")) {
            let author = commit.and_then(|commit| state.authors.get(&commit)).map(|by| json!({ "username": by }));
            told.insert(name.clone(), commit.map_or(Value::Null, |_| json!({ "author": author })));
        }
    }
    Reply::json(json!({ "data": { "project": { "repository": told } } }))
}

fn project(state: &mut State, ask: &Ask<'_>, rest: &[&str]) -> Reply {
    let role = state.role(&ask.name);
    match (ask.method.as_str(), rest) {
        _ if role == 0 => Reply::error(404, "404 Project Not Found"),
        ("GET", []) => Reply::json(show::project(state, &ask.name)),
        ("GET", ["pipelines"]) => {
            let sha = ask.query("sha").unwrap_or_default();
            let mut all: Vec<_> = state.pipelines.iter().filter(|p| p.sha.to_string() == sha).collect();
            ask.sorted(&mut all, |pipeline| pipeline.id as i64);
            ask.list(state, all.into_iter().map(|pipeline| show::pipeline(state, pipeline)).collect())
        }
        ("GET", ["repository", "commits", sha, "statuses"]) => statuses(state, ask, sha),
        ("POST", ["statuses", sha]) => report(state, ask, sha),
        ("GET", ["repository", "branches", name]) => match state.tip(name) {
            Some(tip) => Reply::json(show::branch(state, name, tip, &ask.name)),
            None => Reply::error(404, "404 Branch Not Found"),
        },
        ("GET", ["protected_branches", name]) => match state.rule(name) {
            Some(rule) => Reply::json(show::protection(state, rule)),
            None => Reply::missing(),
        },
        ("GET", ["members", "all", id]) => {
            let found = state.people.iter().find(|person| person.id.to_string() == *id && person.role > 0);
            found.map_or_else(Reply::missing, |person| Reply::json(show::membership(state, person)))
        }
        ("GET", ["hooks"]) if role < 40 => Reply::error(403, "403 Forbidden"),
        ("GET", ["hooks"]) => ask.list(state, state.hooks.clone()),
        ("GET", ["events"]) if ask.query("action") == Some("pushed") => {
            ask.list(state, state.pushes.iter().map(|push| show::push(state, push)).collect())
        }
        ("GET", ["merge_requests"]) => requests(state, ask),
        ("POST", ["merge_requests"]) => open(state, ask),
        (_, ["merge_requests", iid, rest @ ..]) => {
            match iid.parse().ok().filter(|iid| state.requests.iter().any(|had| had.iid == *iid)) {
                Some(iid) => request(state, ask, iid, rest),
                None => Reply::missing(),
            }
        }
        _ => Reply::missing(),
    }
}

fn statuses(state: &State, ask: &Ask<'_>, sha: &str) -> Reply {
    if state.knows(sha).is_none() {
        return Reply::error(404, "404 Commit Not Found");
    }
    let of = state.ci_pipelines().filter(|pipeline| pipeline.sha.to_string() == sha);
    let of = of.filter(|pipeline| ask.query("ref").is_none_or(|on| on == pipeline.on));
    let mut all: Vec<&Job> = of.flat_map(|pipeline| state.jobs_of(pipeline.id)).collect();
    all.retain(|job| ask.query("name").is_none_or(|name| name == job.name));
    ask.sorted(&mut all, |job| job.id as i64);
    ask.list(state, all.into_iter().map(|job| show::status(state, job)).collect())
}

/// `app/services/ci/create_commit_status_service.rb`: into the newest pipeline of commit and reference, or a
/// new one.
fn report(state: &mut State, ask: &Ask<'_>, sha: &str) -> Reply {
    let Some(commit) = state.knows(sha) else { return Reply::error(404, "404 Commit Not Found") };
    if state.role(&ask.name) < 30 {
        return Reply::error(403, "403 Forbidden");
    }
    let on = ask.body["ref"].as_str().map(str::to_owned);
    let matching = state.ci_pipelines().filter(|p| p.sha == commit && on.as_ref().is_none_or(|on| *on == p.on));
    let pipeline = match matching.max_by_key(|pipeline| pipeline.id) {
        Some(pipeline) => pipeline.id,
        None => {
            let id = state.id();
            let (on, source) = (on.unwrap_or_else(|| "develop".to_owned()), "external".to_owned());
            state.pipelines.push(super::state::Pipeline { id, sha: commit, on, source, bare: "created" });
            id
        }
    };
    let (name, status, by) = (ask.text("name"), ask.text("state"), ask.name.clone());
    let had = state.jobs.iter().position(|job| {
        let open = matches!(job.status.as_str(), "pending" | "running");
        open && (job.pipeline, &job.name, job.by.as_ref()) == (pipeline, &name, Some(&by))
    });
    let at = match had {
        Some(at) if status == "pending" => {
            let words = "Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via \
                         \"enqueue\")";
            assert!(state.jobs[at].status == "pending" || state.jobs[at].status == "running");
            return Reply::error(400, words);
        }
        Some(at) => at,
        None => {
            state.job(pipeline, &name, &status, false);
            state.jobs.len() - 1
        }
    };
    let job = &mut state.jobs[at];
    (job.status, job.by) = (status, Some(by));
    job.description = ask.body["description"].as_str().map(str::to_owned);
    job.url = ask.body["target_url"].as_str().map(str::to_owned);
    let job = job.clone();
    Reply::new(201, show::status(state, &job))
}

fn requests(state: &State, ask: &Ask<'_>) -> Reply {
    let is = |name: &str, had: &str| ask.query(name).is_none_or(|wanted| wanted == had);
    let mut all: Vec<_> = state
        .requests
        .iter()
        .filter(|request| is("source_branch", &request.source) && is("target_branch", &request.target))
        .filter(|request| is("author_username", &request.by))
        .filter(|request| ask.query("state") == Some("all") || is("state", request.state))
        .collect();
    ask.sorted(&mut all, |request| request.iid as i64);
    ask.list(state, all.into_iter().map(|request| show::request(state, request)).collect())
}

fn open(state: &mut State, ask: &Ask<'_>) -> Reply {
    if state.role(&ask.name) < 30 || state.settings.archived {
        return Reply::error(403, "403 Forbidden");
    }
    let (source, target) = (ask.text("source_branch"), ask.text("target_branch"));
    if state.tip(&source).is_none() || state.tip(&target).is_none() {
        let what = json!({ "message": [format!("Source branch \"{source}\" does not exist")] });
        return Reply::new(400, what);
    }
    let same = |had: &&super::state::Request| had.state == "opened" && had.source == source && had.target == target;
    if let Some(had) = state.requests.iter().find(same) {
        let words = format!("Another open merge request already exists for this source branch: !{}", had.iid);
        return Reply::new(409, json!({ "message": [words] }));
    }
    let iid = state.open(&ask.name, &source, &target, &ask.text("title"), ask.text("description").trim());
    let request = state.request(iid);
    request.squash = ask.body["squash"].as_bool().unwrap_or(request.squash);
    request.labels = ask.text("labels").split(',').filter(|l| !l.is_empty()).map(str::to_owned).collect();
    let ids = ask.body["reviewer_ids"].as_array().into_iter().flatten().filter_map(Value::as_u64);
    request.reviewers = ids.map(|id| (id, "unreviewed")).collect();
    let request = request.clone();
    Reply::new(201, show::request(state, &request))
}

fn request(state: &mut State, ask: &Ask<'_>, iid: u64, rest: &[&str]) -> Reply {
    let found = state.request(iid).clone();
    match (ask.method.as_str(), rest) {
        ("GET", []) => {
            let reply = Reply::json(show::request(state, &found));
            state.checking = state.checking.saturating_sub(1);
            reply
        }
        ("PUT", []) => {
            let text = |name: &str| ask.body[name].as_str().map(|text| text.trim().to_owned());
            let (title, body, labels) = (text("title"), text("description"), ask.text("add_labels"));
            let request = state.request(iid);
            request.title = title.unwrap_or(found.title);
            request.body = body.unwrap_or(found.body);
            request.squash = ask.body["squash"].as_bool().unwrap_or(found.squash);
            if let Some(ids) = ask.body["reviewer_ids"].as_array() {
                let word =
                    |id| found.reviewers.iter().find(|(had, _)| *had == id).map_or("unreviewed", |(_, word)| word);
                request.reviewers = ids.iter().filter_map(Value::as_u64).map(|id| (id, word(id))).collect();
            }
            request.labels.extend(labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned));
            let request = request.clone();
            Reply::json(show::request(state, &request))
        }
        ("GET", ["approvals"]) => Reply::json(show::approvals(state, &found)),
        ("GET", ["reviewers"]) => ask.list(state, show::reviewers(state, &found)),
        // `merge_request.merge_request_diffs.order_id_desc`.
        ("GET", ["versions"]) => {
            let all = found.versions.iter().rev();
            ask.list(state, all.map(|version| show::version(&found, version)).collect())
        }
        ("GET", ["notes"]) => {
            let mut all: Vec<_> = found.notes.iter().collect();
            ask.sorted(&mut all, |note| note.at);
            ask.list(state, all.into_iter().map(|note| show::note(state, iid, note)).collect())
        }
        ("GET" | "POST", ["notes", id, "award_emoji"]) => super::talk::awards(state, ask, iid, id),
        ("POST", ["notes"]) => {
            let note = state.note(&ask.name, iid, ask.text("body").trim(), false);
            if state.comment_hooks {
                state.tell_note("create", &ask.name, iid, note.id);
            }
            Reply::new(201, show::note(state, iid, &note))
        }
        ("PUT", ["notes", id]) => {
            let body = ask.text("body").trim().to_owned();
            let notes = &mut state.request(iid).notes;
            let Some(note) = notes.iter_mut().find(|note| note.id.to_string() == *id) else {
                return Reply::missing();
            };
            if note.by != ask.name {
                return Reply::error(403, "403 Forbidden");
            }
            note.body = body;
            let note = note.clone();
            if state.comment_hooks {
                state.tell_note("update", &ask.name, iid, note.id);
            }
            Reply::json(show::note(state, iid, &note))
        }
        ("PUT", ["merge"]) => merge(state, ask, iid),
        _ => Reply::missing(),
    }
}

fn merge(state: &mut State, ask: &Ask<'_>, iid: u64) -> Reply {
    let found = state.request(iid).clone();
    let allowed = match state.rule(&found.target) {
        Some(rule) => rule.mergers.contains(&ask.name),
        None => state.role(&ask.name) >= 30,
    };
    if !allowed {
        return Reply::error(401, "401 Unauthorized");
    }
    let head: Option<CommitId> = ask.text("sha").parse().ok();
    match state.mergeable(&found) {
        "mergeable" => {}
        "conflict" => return Reply::error(422, "Branch cannot be merged"),
        _ => return Reply::error(405, "405 Method Not Allowed"),
    }
    if head.is_some() && head != Some(found.head_seen) {
        let words = format!("SHA does not match HEAD of source branch: {}", found.head_seen);
        return Reply::error(409, &words);
    }
    if !state.lazy {
        // Where it fails at the last moment GitLab still answers 200, with the request open and the error in it.
        // `merge_request.update(squash: params[:squash]) if params[:squash]`: `false` unticks nothing.
        if ask.body["squash"] == json!(true) {
            state.request(iid).squash = true;
        }
        let found = state.request(iid).clone();
        let squash = state.squashes(&found);
        let done = state.merge(&ask.name.clone(), iid, squash);
        // Unless the caller says otherwise, it does as the project's settings say.
        if done.is_ok() && ask.body["should_remove_source_branch"] != json!(false) {
            state.repo.delete(&found.source);
        }
    }
    let found = state.request(iid).clone();
    Reply::json(show::request(state, &found))
}
