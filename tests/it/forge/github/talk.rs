//! What people say under requests on a GitHub of the tests, how its hooks tell of it, and reactions.
//!
//! A payload is filled as answers are: what is said, over the least that GitHub's description of the same things in
//! its REST API wants. (Its description of webhooks is another one, which is not fetched; the recorded examples of
//! `examples.rs` stand beside.)

use axum::http::{HeaderMap, HeaderValue};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::answers::person;
use super::server::Server;
use super::state::{Comment, State};

impl State {
    /// Somebody writes a comment under a request; answers its number.
    pub fn say(&mut self, by: &str, pull: u64, body: &str) -> u64 {
        let id = self.id();
        self.comments.push(Comment { id, pull, by: by.to_owned(), body: body.to_owned() });
        self.tell("created", by, id);
        id
    }

    /// Somebody edits a comment.
    pub fn edit(&mut self, by: &str, id: u64, body: &str) {
        let comment = self.comments.iter_mut().find(|comment| comment.id == id).expect("a comment");
        body.clone_into(&mut comment.body);
        self.tell("edited", by, id);
    }

    /// Somebody takes a comment away.
    pub fn unsay(&mut self, by: &str, id: u64) {
        self.tell("deleted", by, id);
        self.comments.retain(|comment| comment.id != id);
    }

    /// What the hook will say of a comment.
    pub fn tell(&mut self, action: &str, by: &str, id: u64) {
        let comment = self.comments.iter().find(|comment| comment.id == id).expect("a comment");
        let pull = &self.pulls[&comment.pull];
        let page = format!("https://github.test/{}/{}/pull/{}", self.owner, self.name, pull.number);
        let api = format!("https://github.test/api/v3/repos/{}/{}", self.owner, self.name);
        let mut payload = json!({
            "action": action,
            "issue": {
                "number": pull.number, "state": if pull.open { "open" } else { "closed" }, "title": pull.title,
                "body": pull.body, "user": person(&pull.by), "locked": false, "draft": pull.draft,
                "url": format!("{api}/issues/{}", pull.number), "repository_url": api, "html_url": page,
                "pull_request": {
                    "url": format!("{api}/pulls/{}", pull.number), "html_url": page, "diff_url": format!("{page}.diff"),
                    "patch_url": format!("{page}.patch"), "merged_at": null,
                },
            },
            "comment": {
                "id": id, "body": comment.body, "user": person(&comment.by), "created_at": Self::at(self.now),
                "updated_at": Self::at(self.now), "html_url": format!("{page}#issuecomment-{id}"),
                "issue_url": format!("{api}/issues/{}", pull.number), "url": format!("{api}/issues/comments/{id}"),
                "author_association": "MEMBER", "performed_via_github_app": null,
            },
            "repository": {
                "id": 1, "name": self.name, "full_name": format!("{}/{}", self.owner, self.name),
                "owner": person(&self.owner),
            },
            "sender": person(by),
        });
        if action == "edited" {
            payload["changes"] = json!({ "body": { "from": "what was there" } });
        }
        self.said.push(payload);
    }
}

impl Server {
    /// What hooks have yet to tell of comments, whole; each is given once.
    pub fn told(&self) -> Vec<(String, Value)> {
        let said = std::mem::take(&mut self.state().said);
        said.into_iter().map(|says| ("issue_comment".to_owned(), self.whole(says))).collect()
    }

    fn whole(&self, mut payload: Value) -> Value {
        let Some(api) = self.watch.api() else { return payload };
        for (part, method, below, status) in [
            ("issue", "GET", "/issues/{issue_number}", 200),
            ("comment", "POST", "/issues/{issue_number}/comments", 201),
            ("repository", "GET", "", 200),
        ] {
            payload[part] = api.fill(method, &format!("/repos/{{owner}}/{{repo}}{below}"), status, &payload[part]);
        }
        let members = "/orgs/{org}/teams/{team_slug}/members";
        payload["sender"] = api.fill("GET", members, 200, &json!([payload["sender"]]))[0].take();
        payload
    }

    /// A delivery as GitHub sends it.
    pub fn signed(&self, event: &str, payload: &Value, secret: &str) -> (HeaderMap, Vec<u8>) {
        let delivery = format!("72d3162e-cc78-11e3-81ab-{:012x}", self.state().id());
        signed(event, &delivery, payload, secret)
    }
}

/// See [`Server::signed`].
pub fn signed(event: &str, delivery: &str, payload: &Value, secret: &str) -> (HeaderMap, Vec<u8>) {
    let body = payload.to_string().into_bytes();
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key").chain_update(&body);
    let signature = format!("sha256={}", towpath_core::text::hex(&mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-github-event", event),
        ("x-github-delivery", delivery),
        ("x-hub-signature-256", &signature),
    ] {
        headers.insert(name, HeaderValue::from_str(value).expect("a value"));
    }
    (headers, body)
}

/// A reaction of somebody to a comment: 201, or 200 where it is there already.
pub fn react(state: &mut State, by: &str, comment: u64, content: &str) -> (u16, Value) {
    let given = (comment, by.to_owned(), content.to_owned());
    let status = if state.reactions.contains(&given) { 200 } else { 201 };
    if status == 201 {
        state.reactions.push(given);
    }
    (status, json!({ "user": person(by), "content": content, "created_at": State::at(state.now) }))
}

/// What an account may do, in the two words that GitHub has for it: `write`, or with a role of its own
/// `write/deployer`.
pub fn words(right: &str) -> (&str, &str) {
    match right {
        "maintain" => ("write", "maintain"),
        "triage" => ("read", "triage"),
        right => right.split_once('/').unwrap_or((right, right)),
    }
}

/// The number of an account.
pub fn number(login: &str) -> u64 {
    login.bytes().fold(5_381, |all, byte| (all * 33 + u64::from(byte)) % 1_000_003)
}
