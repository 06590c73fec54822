//! What people say under requests, how GitLab's hooks tell of it (`lib/gitlab/data_builder/note.rb`,
//! `lib/gitlab/hook_data/note_builder.rb`; <https://docs.gitlab.com/user/project/integrations/webhook_events/>), and
//! the emojis on it.

use chrono::DateTime;
use serde_json::{Value, json};

use super::server::{Ask, Reply};
use super::state::{Note, PATH, Request, State};
use super::{Place, hooks, show};

/// As hooks write times.
fn time(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).expect("a time").format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

impl State {
    /// Somebody writes a comment under a request; answers its number.
    pub fn say(&mut self, by: &str, iid: u64, body: &str) -> u64 {
        let id = self.note(by, iid, body, false).id;
        self.tell_note("create", by, iid, id);
        id
    }

    /// Somebody edits a comment.
    pub fn edit(&mut self, by: &str, id: u64, body: &str) {
        self.id();
        let (iid, note) = self.noted(id);
        body.clone_into(&mut note.body);
        self.tell_note("update", by, iid, id);
    }

    /// Somebody takes a comment away. GitLab tells nobody.
    pub fn unsay(&mut self, id: u64) {
        let iid = self.noted(id).0;
        self.request(iid).notes.retain(|note| note.id != id);
    }

    /// A comment, and the number of its request.
    pub fn noted(&mut self, id: u64) -> (u64, &mut Note) {
        let mut all = self.requests.iter_mut().flat_map(|request| {
            let iid = request.iid;
            request.notes.iter_mut().map(move |note| (iid, note))
        });
        all.find(|(_, note)| note.id == id).expect("a note")
    }

    pub fn tell_note(&mut self, action: &str, by: &str, iid: u64, id: u64) {
        let request = self.request(iid).clone();
        let note = request.notes.iter().find(|note| note.id == id).expect("a note");
        let page = format!("{}/{PATH}", self.url);
        let author = self.person(&note.by).map(|person| person.id);
        let who = self.person(by).expect("somebody");
        let kind = if note.internal { "confidential_note" } else { "note" };
        let updated = if action == "create" { note.at } else { self.now };
        let payload = json!({
            "object_kind": "note", "event_type": kind,
            "user": {
                "id": who.id, "name": by, "username": by, "avatar_url": "https://www.gravatar.com/avatar/x",
                "email": "[REDACTED]",
            },
            "project_id": 1,
            "object_attributes": {
                "attachment": null, "author_id": author, "change_position": null, "commit_id": null,
                "created_at": time(note.at), "discussion_id": format!("{:040x}", note.id), "id": note.id,
                "internal": note.internal, "line_code": null, "note": note.body, "noteable_id": 100 + iid,
                "noteable_type": "MergeRequest", "original_position": null, "position": null, "project_id": 1,
                "resolved_at": null, "resolved_by_id": null, "resolved_by_push": null, "st_diff": null,
                "system": note.system, "type": note.kind, "updated_at": time(updated), "updated_by_id": null,
                "description": note.body, "url": format!("{page}/-/merge_requests/{iid}#note_{}", note.id),
                "action": action,
            },
            "repository": {
                "name": "checkout", "url": format!("{page}.git"), "description": "", "homepage": page,
            },
            "merge_request": merge_request(self, &request),
        });
        self.tell(if note.internal { "Confidential Note Hook" } else { "Note Hook" }, payload);
    }
}

/// `lib/gitlab/hook_data/merge_request_builder.rb`.
fn merge_request(state: &State, request: &Request) -> Value {
    let author = state.person(&request.by).map(|person| person.id);
    let project = show::hook_project(state);
    json!({
        "assignee_id": null, "author_id": author, "created_at": time(0), "description": request.body, "draft": false,
        "head_pipeline_id": null, "id": 100 + request.iid, "iid": request.iid, "last_edited_at": null,
        "merge_commit_sha": null, "merge_error": null, "merge_status": "can_be_merged", "milestone_id": null,
        "source_branch": request.source, "source_project_id": request.source_project, "state_id": 1,
        "target_branch": request.target, "target_project_id": 1, "title": request.title, "updated_at": time(request.updated),
        "url": format!("{}/{PATH}/-/merge_requests/{}", state.url, request.iid), "source": project, "target": project,
        "last_commit": { "id": request.head_seen.to_string(), "message": "Change", "title": "Change" },
        "work_in_progress": false, "assignee_ids": [], "reviewer_ids": [], "labels": [], "state": request.state,
        "blocking_discussions_resolved": true, "detailed_merge_status": "mergeable",
    })
}

/// `lib/api/award_emoji.rb`: one that is there already is answered as one that is not found.
pub fn awards(state: &mut State, ask: &Ask<'_>, iid: u64, note: &str) -> Reply {
    let (name, number) = (ask.text("name"), state.id());
    let found = state.request(iid).notes.iter_mut().find(|had| had.id.to_string() == note);
    let Some(note) = found.filter(|note| !note.system) else {
        return Reply::error(404, "404 Award Emoji Not Found");
    };
    if ask.method == "GET" {
        let note = note.clone();
        return ask.list(state, note.awards.iter().map(|award| show::award(state, note.id, award)).collect());
    }
    // Names of emojis; there are two thousand more.
    if !["eyes", "white_check_mark", "no_entry", "thumbsup"].contains(&name.as_str()) {
        return Reply::error(404, "404 Award Emoji Name is not a valid emoji name Not Found");
    }
    if note.awards.iter().any(|(_, by, had)| *by == ask.name && *had == name) {
        return Reply::error(404, "404 Award Emoji Name has already been taken Not Found");
    }
    let award = (number, ask.name.clone(), name);
    note.awards.push(award.clone());
    let id = note.id;
    Reply::new(201, show::award(state, id, &award))
}

impl Place {
    /// What hooks have yet to tell of comments; each is given once. What they have to tell of else waits on.
    pub fn told(&self) -> Vec<(String, Value)> {
        self.state().outbox.extract_if(.., |(event, _)| event.ends_with("Note Hook")).collect()
    }

    /// A delivery as GitLab sends it.
    pub fn signed(&self, event: &str, payload: &Value, secret: &str) -> hooks::Delivery {
        self.delivered.set(self.delivered.get() + 1);
        let now = self.state().now;
        hooks::deliver(self.delivered.get(), event, payload, secret, now)
    }
}
