//! What people say under requests, and how the server's hooks tell of it (`IssueCommentPayload` in
//! `modules/structs/hook.go`, `services/webhook/notifier.go`).

use serde_json::{Value, json};

use super::state::{Comment, NAME, OWNER, Pull, State};
use super::{Place, hooks, show};

impl State {
    /// Somebody writes a comment under a request; answers its number.
    pub fn say(&mut self, by: &str, number: u64, body: &str) -> i64 {
        let id = self.id();
        let comment = Comment::new(id, by, body, self.now);
        self.pull(number).comments.push(comment);
        self.tell_comment("created", by, number, id);
        id
    }

    /// Somebody has that right from now on, and an account if they had none.
    pub fn grant(&mut self, login: &str, rights: &'static str) {
        match self.people.iter_mut().find(|person| person.login == login) {
            Some(person) => person.rights = rights,
            None => self.account(login, rights),
        }
    }

    /// Somebody edits a comment.
    pub fn edit(&mut self, by: &str, id: i64, body: &str) {
        body.clone_into(&mut self.comment(id).expect("a comment").1.body);
        self.tell_edit(by, id);
    }

    pub fn tell_edit(&mut self, by: &str, id: i64) {
        let number = self.comment(id).expect("a comment").0;
        self.tell_comment("edited", by, number, id);
    }

    /// Somebody takes a comment away.
    pub fn unsay(&mut self, by: &str, id: i64) {
        let number = self.comment(id).expect("a comment").0;
        self.tell_comment("deleted", by, number, id);
        self.pull(number).comments.retain(|comment| comment.id != id);
    }

    /// A comment, and the number of its request.
    pub fn comment(&mut self, id: i64) -> Option<(u64, &mut Comment)> {
        let mut all = self.pulls.iter_mut().flat_map(|pull| {
            let number = pull.number;
            pull.comments.iter_mut().map(move |comment| (number, comment))
        });
        all.find(|(_, comment)| comment.id == id)
    }

    pub fn tell_comment(&mut self, action: &str, by: &str, number: u64, id: i64) {
        let pull = self.pull(number).clone();
        let comment = pull.comments.iter().find(|comment| comment.id == id).expect("a comment");
        let mut payload = json!({
            "action": action, "issue": issue(self, &pull), "comment": comment_of(self, &pull, comment),
            "repository": show::repository(self, by), "sender": show::user(self, by), "is_pull": true,
        });
        if action == "edited" {
            payload["changes"] = json!({ "body": { "from": "what was there" } });
        }
        self.outbox.push(("issue_comment".to_owned(), payload));
    }
}

fn page(state: &State, pull: &Pull) -> String {
    format!("{}/{OWNER}/{NAME}/pulls/{}", state.url, pull.number)
}

fn comment_of(state: &State, pull: &Pull, comment: &Comment) -> Value {
    let mut value = show::comment(state, comment);
    value["html_url"] = json!(format!("{}#issuecomment-{}", page(state, pull), comment.id));
    value["pull_request_url"] = json!(page(state, pull));
    value
}

/// A request as an issue, as `services/convert/issue.go` writes it.
fn issue(state: &State, pull: &Pull) -> Value {
    json!({
        "id": 100 + pull.number, "url": format!("{}/api/v1/repos/{OWNER}/{NAME}/issues/{}", state.url, pull.number),
        "html_url": page(state, pull), "number": pull.number, "user": show::user(state, &pull.by), "original_author": "",
        "original_author_id": 0, "title": pull.title, "body": pull.body, "ref": "", "assets": [], "labels": [],
        "milestone": null, "assignee": null, "assignees": null, "state": if pull.closed { "closed" } else { "open" },
        "is_locked": false, "comments": pull.comments.len(), "created_at": show::stamp(pull.updated),
        "updated_at": show::stamp(state.now), "closed_at": pull.closed.then(|| show::stamp(pull.updated)),
        "due_date": null, "pin_order": 0,
        "pull_request": {
            "merged": pull.merged.is_some(), "merged_at": null, "draft": pull.title.starts_with("WIP:"),
            "html_url": page(state, pull),
        },
        "repository": { "id": 1, "name": NAME, "owner": OWNER, "full_name": format!("{OWNER}/{NAME}") },
    })
}

impl Place {
    /// What hooks have yet to tell of comments; each is given once. What they have to tell of else waits on.
    pub fn told(&self) -> Vec<(String, Value)> {
        let told: Vec<_> = self.state().outbox.extract_if(.., |(event, _)| event == "issue_comment").collect();
        if let Some(api) = self.watch.api() {
            for (_, payload) in &told {
                for (part, kind) in
                    [("issue", "Issue"), ("comment", "Comment"), ("repository", "Repository"), ("sender", "User")]
                {
                    let wrong = api.check_value(&format!("#/definitions/{kind}"), &payload[part]);
                    assert_eq!(wrong, Vec::<String>::new(), "{part} of a hook");
                }
            }
        }
        told
    }

    /// A delivery as the server sends it.
    pub fn signed(&self, event: &str, payload: &Value, secret: &str) -> hooks::Delivery {
        self.delivered.set(self.delivered.get() + 1);
        let forgejo = self.state().version.contains("+gitea-");
        hooks::deliver(self.delivered.get(), event, payload, secret, forgejo)
    }
}
