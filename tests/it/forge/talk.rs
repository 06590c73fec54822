//! The forges of the tests as people talk on them: comments and the hooks that tell of them, rights, reactions.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use serde_json::{Value, json};
use towpath::clock::{Clock, ManualClock};
use towpath::forge::client::{Client, Options};
use towpath::forge::{Forge, Permission, Proposal, RepoPath};
use towpath::secret::Secret;
use towpath_core::model::BranchName;

use super::gitea::faults::Fault as Broken;
use super::github::state::Fault;
use super::hosts::{GitHub, GitLab, Gitea, Host};
use super::scenes::Scene;

/// A change of a hook: its event, and its payload.
pub type Change = fn(&mut String, &mut Value);

/// A forge on which people talk.
pub trait Talk: Scene {
    /// Every right that it has a word for, in its own words, and what that comes to.
    const RIGHTS: &[(&str, Permission)];
    /// Its words for our reactions, in the order in which [`towpath::forge::Reaction`] has them.
    const REACTIONS: [&str; 3];
    /// The secret that signs its hooks' bodies.
    const SECRET: &str = "s3cret";
    /// The call that asks for a right, a part of `METHOD path`.
    const ASKS: &str = "/permission";
    /// What turns the hook of a new comment into one that tells of nothing to be listened to.
    const SILENCED: &[(&str, Change)];
    /// Where in a payload the request's number, the comment's, its author and its text are.
    const PLACES: [&str; 4];
    /// What changes nothing.
    const STILL: &[(&str, Change)];

    /// The adapter, as Towpath's user, who may ask for rights.
    fn adapter(&self) -> Arc<dyn Forge>;
    /// Somebody writes a comment under a request; answers its number.
    fn say(&self, by: &str, number: u64, body: &str) -> u64;
    /// Somebody edits a comment.
    fn edit(&self, by: &str, comment: u64, body: &str);
    /// Somebody takes a comment away.
    fn unsay(&self, by: &str, comment: u64);
    /// Somebody has that right from now on, in the forge's words.
    fn grant_word(&self, login: &str, word: &'static str);
    /// Who reacted to a comment, and how, oldest first.
    fn reactions(&self, comment: u64) -> Vec<(String, String)>;
    /// Somebody reacts by that word.
    fn react(&self, by: &str, comment: u64, word: &str);
    /// What hooks have yet to tell of comments: event and whole payload; each is given once.
    fn told(&self) -> Vec<(String, Value)>;
    /// A delivery as the forge sends it.
    fn signed(&self, event: &str, payload: &Value, secret: &str) -> (HeaderMap, Vec<u8>);
    /// Hooks tell of what Towpath writes from now on, too.
    fn hears_us(&self);
    /// So many calls that hold this are answered with that status.
    fn breaks(&self, part: &'static str, status: u16, times: u32);
    /// The next answer to a call that holds this is spoiled.
    fn spoils(&self, part: &'static str, change: fn(&mut Value));
    /// How many calls held this.
    fn asked(&self, part: &str) -> usize;
    /// Every call so far, `METHOD path`, in order.
    fn calls(&self) -> Vec<String>;

    /// Somebody has that right from now on.
    fn grant(&self, login: &str, right: Permission) {
        let word = Self::RIGHTS.iter().find(|(_, is)| *is == right).expect("it has a word for it");
        self.grant_word(login, word.0);
    }

    fn repo(&self) -> RepoPath {
        RepoPath::new(Self::PATH)
    }

    /// A request; answers its number.
    async fn opened(&self) -> u64 {
        let (head, base) = (format!("towpath/{}/x", Self::FLOW), Self::BRANCHES[1]);
        let made = self.with(|repo| {
            let tip = repo.tip(Self::BRANCHES[0]).expect("a branch");
            repo.commit(&[tip], &head, &[("new", "new")])
        });
        self.pushed(made);
        let proposal = Proposal {
            head: BranchName::new(&head),
            base: BranchName::new(base),
            title: "Promote".to_owned(),
            body: "<!-- towpath -->".to_owned(),
            labels: Vec::new(),
            reviewers: Vec::new(),
        };
        self.adapter().open(&self.repo(), &proposal).await.expect("opened")
    }
}

/// An HTTP layer with bounds for tests, and a clock that stands where the forge's is.
fn client<H: Host>(host: &H) -> (Client, Clock) {
    let options =
        Options { deadline: Duration::from_secs(20), backoff: Duration::from_millis(1), ..Options::default() };
    let clock = Clock::Manual(ManualClock::new(host.now()));
    (Client::new(options, clock.clone()).expect("a client"), clock)
}

/// Puts a value somewhere in a payload.
fn put(payload: &mut Value, place: &str, is: Value) {
    let (at, key) = place.rsplit_once('/').expect("a place");
    payload.pointer_mut(at).expect("it is there")[key] = is;
}

/// Takes a field out of a payload.
fn take(payload: &mut Value, place: &str) {
    let (at, key) = place.rsplit_once('/').expect("a place");
    let had = payload.pointer_mut(at).and_then(Value::as_object_mut).and_then(|fields| fields.remove(key));
    assert!(had.is_some(), "{place} was there");
}

/// A table of changes: what it is, and what is put where (`=`), taken (`-`), or which event it is (`event`).
macro_rules! changes {
    ($([$($does:tt)*]),* $(,)?) => { &[$(changes!(@one $($does)*)),*] };
    (@one event $name:literal) => { (concat!("event ", $name), |event, _| *event = $name.to_owned()) };
    (@one - $place:literal) => { (concat!("without ", $place), |_, payload| take(payload, $place)) };
    (@one $($place:literal = $is:tt),+) => {
        (concat!($($place, " ", stringify!($is), " "),+), |_, payload| { $(put(payload, $place, json!($is));)+ })
    };
}

impl Talk for GitHub {
    const RIGHTS: &[(&str, Permission)] = &[
        ("none", Permission::None),
        ("read", Permission::Read),
        ("triage", Permission::Read),
        ("write", Permission::Write),
        ("maintain", Permission::Maintain),
        ("admin", Permission::Admin),
        ("write/deployer", Permission::Write),
        ("read/Admin", Permission::Read),
        ("read/admin", Permission::Read),
    ];
    const REACTIONS: [&str; 3] = ["eyes", "+1", "-1"];
    const SILENCED: &[(&str, Change)] = changes![
        [event "pull_request_review_comment"],
        [event "pull_request_review"],
        [event "issues"],
        [event "commit_comment"],
        ["/action" = "edited"],
        ["/action" = "deleted"],
        ["/action" = "Created"],
        ["/action" = null],
        [- "/action"],
        [- "/issue/pull_request"],
        ["/issue/pull_request" = null],
        ["/issue/state" = "closed"],
        ["/issue/number" = 0],
        ["/issue/number" = "7"],
        ["/issue/repository_url" = "https://github.test/api/v3/repos/shop/other"],
        ["/issue/repository_url" = "https://github.test/api/v3/repos/eve/checkout"],
        [- "/issue/repository_url"],
        ["/comment/user/type" = "Bot"],
        ["/comment/user/type" = "Organization"],
        [- "/comment/user/type"],
        ["/comment/user" = null],
        ["/comment/user/id" = 0, "/sender/id" = 0],
        ["/comment/user/login" = ".."],
        ["/comment/user/login" = ""],
        ["/comment/id" = 0],
        ["/comment/id" = null],
        ["/comment/body" = null],
        ["/comment/body" = ["x"]],
        ["/sender/id" = 1],
        [- "/sender"],
        [- "/comment"],
        [- "/issue"],
    ];
    const PLACES: [&str; 4] = ["/issue/number", "/comment/id", "/comment/user/login", "/comment/body"];
    const STILL: &[(&str, Change)] = changes![
        ["/comment/author_association" = "NONE"],
        ["/comment/performed_via_github_app" = null],
        ["/issue/repository_url" = "https://api.github.com/repos/Shop/Checkout"],
        ["/new" = { "field": 1 }],
        [- "/comment/html_url"],
        [- "/comment/created_at"],
    ];

    fn adapter(&self) -> Arc<dyn Forge> {
        use towpath::config::SecretRef;
        use towpath::forge::github::{Credential, GitHub};
        let (client, clock) = client(self);
        let file = self.0.file("token", &self.token());
        let credential = Credential::Token(SecretRef::File(file));
        Arc::new(GitHub::new(self.url(), credential, client, clock).expect("a forge"))
    }

    fn say(&self, by: &str, number: u64, body: &str) -> u64 {
        self.0.state().say(by, number, body)
    }

    fn edit(&self, by: &str, comment: u64, body: &str) {
        self.0.state().edit(by, comment, body);
    }

    fn unsay(&self, by: &str, comment: u64) {
        self.0.state().unsay(by, comment);
    }

    fn grant_word(&self, login: &str, word: &'static str) {
        self.0.state().rights.insert(login.to_owned(), word.to_owned());
    }

    fn reactions(&self, comment: u64) -> Vec<(String, String)> {
        let state = self.0.state();
        let of = state.reactions.iter().filter(|(on, ..)| *on == comment);
        of.map(|(_, by, word)| (by.clone(), word.clone())).collect()
    }

    fn react(&self, by: &str, comment: u64, word: &str) {
        self.0.state().reactions.push((comment, by.to_owned(), word.to_owned()));
    }

    fn told(&self) -> Vec<(String, Value)> {
        self.0.told()
    }

    fn signed(&self, event: &str, payload: &Value, secret: &str) -> (HeaderMap, Vec<u8>) {
        self.0.signed(event, payload, secret)
    }

    fn hears_us(&self) {
        self.0.state().comment_hooks = true;
    }

    fn breaks(&self, part: &'static str, status: u16, times: u32) {
        for _ in 0..times {
            self.0.fault(part, Fault::Say(status, Vec::new(), json!({ "message": "no" })));
        }
    }

    fn spoils(&self, part: &'static str, change: fn(&mut Value)) {
        self.0.fault(part, Fault::Spoil(change));
    }

    fn asked(&self, part: &str) -> usize {
        self.0.asked(part)
    }

    fn calls(&self) -> Vec<String> {
        self.0.state().asked.clone()
    }
}

impl Talk for Gitea {
    const RIGHTS: &[(&str, Permission)] = &[
        ("none", Permission::None),
        ("read", Permission::Read),
        ("write", Permission::Write),
        ("admin", Permission::Admin),
        ("owner", Permission::Admin),
    ];
    const REACTIONS: [&str; 3] = ["eyes", "+1", "-1"];
    const SILENCED: &[(&str, Change)] = changes![
        [event "pull_request_comment"],
        [event "pull_request_approved"],
        [event "issues"],
        ["/action" = "edited"],
        ["/action" = "deleted"],
        ["/action" = "reviewed"],
        [- "/action"],
        ["/is_pull" = false],
        [- "/is_pull"],
        ["/issue/state" = "closed"],
        ["/issue/number" = 0],
        ["/issue/repository/full_name" = "shop/other"],
        ["/comment/user" = null],
        // Actions, and "ghost".
        ["/comment/user/id" = (-2), "/sender/id" = (-2)],
        ["/comment/user/id" = (-1), "/sender/id" = (-1)],
        ["/comment/user/id" = 0, "/sender/id" = 0],
        ["/comment/user/login" = ""],
        ["/comment/user/login" = "a/b"],
        ["/comment/id" = 0],
        ["/comment/id" = (-5)],
        ["/comment/body" = null],
        ["/sender/id" = 99],
        [- "/sender"],
        [- "/comment"],
        [- "/issue"],
    ];
    const PLACES: [&str; 4] = ["/issue/number", "/comment/id", "/comment/user/login", "/comment/body"];
    const STILL: &[(&str, Change)] = changes![
        ["/issue/repository" = null],
        [- "/issue/repository"],
        ["/issue/repository/full_name" = "Shop/Checkout"],
        ["/pull_request" = { "number": 1 }],
        ["/commit_id" = ""],
        [- "/comment/html_url"],
        [- "/comment/created_at"],
    ];

    /// Only administrators of the repository are told what others may do.
    fn adapter(&self) -> Arc<dyn Forge> {
        use towpath::forge::gitea::Gitea;
        self.0.state().grant("towpath", "admin");
        let token = Secret::new(self.token().trim());
        Arc::new(Gitea::new(self.url(), Some(&token), client(self).0).expect("a forge"))
    }

    fn say(&self, by: &str, number: u64, body: &str) -> u64 {
        self.0.state().say(by, number, body).unsigned_abs()
    }

    fn edit(&self, by: &str, comment: u64, body: &str) {
        self.0.state().edit(by, comment.cast_signed(), body);
    }

    fn unsay(&self, by: &str, comment: u64) {
        self.0.state().unsay(by, comment.cast_signed());
    }

    fn grant_word(&self, login: &str, word: &'static str) {
        self.0.state().grant(login, word);
    }

    fn reactions(&self, comment: u64) -> Vec<(String, String)> {
        let mut state = self.0.state();
        state.comment(comment.cast_signed()).expect("a comment").1.reactions.clone()
    }

    fn react(&self, by: &str, comment: u64, word: &str) {
        let mut state = self.0.state();
        let (_, comment) = state.comment(comment.cast_signed()).expect("a comment");
        comment.reactions.push((by.to_owned(), word.to_owned()));
    }

    fn told(&self) -> Vec<(String, Value)> {
        self.0.told()
    }

    fn signed(&self, event: &str, payload: &Value, secret: &str) -> (HeaderMap, Vec<u8>) {
        let delivery = self.0.signed(event, payload, secret);
        (delivery.headers, delivery.body)
    }

    fn hears_us(&self) {
        self.0.state().comment_hooks = true;
    }

    fn breaks(&self, part: &'static str, status: u16, times: u32) {
        self.0.faults.plan(part, Broken::Status(status, "no"), times);
    }

    fn spoils(&self, part: &'static str, change: fn(&mut Value)) {
        self.0.faults.plan(part, Broken::changed(change), 1);
    }

    fn asked(&self, part: &str) -> usize {
        self.0.calls(part)
    }

    fn calls(&self) -> Vec<String> {
        self.0.state().calls.clone()
    }
}

impl Talk for GitLab {
    const RIGHTS: &[(&str, Permission)] = &[
        ("0", Permission::None),
        ("5", Permission::None),
        ("10", Permission::Read),
        ("15", Permission::Read),
        ("20", Permission::Read),
        ("30", Permission::Write),
        ("40", Permission::Maintain),
        ("50", Permission::Admin),
    ];
    const REACTIONS: [&str; 3] = ["eyes", "white_check_mark", "no_entry"];
    /// A signing token: a secret token would not show that a body was changed.
    const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const ASKS: &str = "/members/all";
    const SILENCED: &[(&str, Change)] = changes![
        [event "Confidential Note Hook"],
        [event "Issue Hook"],
        [event "System Hook"],
        [event "Emoji Hook"],
        ["/object_kind" = "emoji"],
        ["/event_type" = "confidential_note"],
        ["/object_attributes/action" = "update"],
        ["/object_attributes/action" = "destroy"],
        // Before 16.11 the two times tell.
        ["/object_attributes/action" = null, "/object_attributes/updated_at" = "2027-01-01 00:00:00 UTC"],
        ["/object_attributes/internal" = true],
        ["/object_attributes/confidential" = true],
        ["/object_attributes/system" = true],
        [- "/object_attributes/system"],
        ["/object_attributes/type" = "DiffNote"],
        ["/object_attributes/noteable_type" = "Issue"],
        ["/object_attributes/noteable_type" = "Commit"],
        ["/object_attributes/noteable_type" = "Snippet"],
        ["/object_attributes/project_id" = 2],
        ["/object_attributes/author_id" = 99],
        ["/object_attributes/id" = 0],
        ["/object_attributes/note" = null],
        ["/project_id" = 2],
        ["/user/id" = 99],
        ["/user/username" = "project_1_bot_8b2c"],
        ["/user/username" = "group_7_bot"],
        ["/user/username" = "service_account_group_7_x"],
        ["/user/username" = ""],
        [- "/user"],
        [- "/merge_request"],
        ["/merge_request/iid" = 0],
        ["/merge_request/state" = "merged"],
        ["/merge_request/state" = "closed"],
        ["/merge_request/state" = "locked"],
        ["/merge_request/target_project_id" = 2],
        [- "/object_attributes"],
    ];
    const PLACES: [&str; 4] =
        ["/merge_request/iid", "/object_attributes/id", "/user/username", "/object_attributes/note"];
    const STILL: &[(&str, Change)] = changes![
        ["/object_attributes/type" = "DiscussionNote"],
        [-"/object_attributes/internal"],
        [-"/object_attributes/action"],
        [-"/event_type"],
        // A request from a fork.
        ["/merge_request/source_project_id" = 2],
        [-"/object_attributes/url"],
        ["/object_attributes/created_at" = "2026-11-23T09:00:00.000Z"],
        ["/object_attributes/created_at" = "some day"],
    ];

    fn adapter(&self) -> Arc<dyn Forge> {
        use towpath::forge::gitlab::GitLab;
        let (client, clock) = client(self);
        let token = Secret::new(self.token().trim());
        Arc::new(GitLab::new(self.url(), Some(&token), client, clock).expect("a forge"))
    }

    fn say(&self, by: &str, number: u64, body: &str) -> u64 {
        self.0.state().say(by, number, body)
    }

    fn edit(&self, by: &str, comment: u64, body: &str) {
        self.0.state().edit(by, comment, body);
    }

    fn unsay(&self, _: &str, comment: u64) {
        self.0.state().unsay(comment);
    }

    fn grant_word(&self, login: &str, word: &'static str) {
        let mut state = self.0.state();
        let role = word.parse().expect("a role");
        match state.people.iter_mut().find(|person| person.name == login) {
            Some(person) => person.role = role,
            None => state.account(login, role),
        }
    }

    fn reactions(&self, comment: u64) -> Vec<(String, String)> {
        let mut state = self.0.state();
        let awards = &state.noted(comment).1.awards;
        awards.iter().map(|(_, by, name)| (by.clone(), name.clone())).collect()
    }

    fn react(&self, by: &str, comment: u64, word: &str) {
        let mut state = self.0.state();
        let number = state.id();
        state.noted(comment).1.awards.push((number, by.to_owned(), word.to_owned()));
    }

    fn told(&self) -> Vec<(String, Value)> {
        self.0.told()
    }

    fn signed(&self, event: &str, payload: &Value, secret: &str) -> (HeaderMap, Vec<u8>) {
        let delivery = self.0.signed(event, payload, secret);
        (delivery.headers, delivery.body)
    }

    fn hears_us(&self) {
        self.0.state().comment_hooks = true;
    }

    fn breaks(&self, part: &'static str, status: u16, times: u32) {
        self.0.faults.plan(part, Broken::Status(status, "no"), times);
    }

    fn spoils(&self, part: &'static str, change: fn(&mut Value)) {
        self.0.faults.plan(part, Broken::changed(change), 1);
    }

    fn asked(&self, part: &str) -> usize {
        self.0.calls(part)
    }

    fn calls(&self) -> Vec<String> {
        self.0.state().calls.clone()
    }
}
