//! What a GitHub of the tests holds: a real bare repository, and everything beside git.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};
use towpath::forge::client::stamp;
use towpath_core::model::CommitId;

use crate::forge::backend::Other;
use crate::support::git_fixture::{Repo, git_command};

/// The time that it begins at.
pub const BEGIN: &str = "2026-11-21T10:00:00Z";

pub struct Run {
    pub id: u64,
    pub sha: CommitId,
    pub name: String,
    pub status: String,
    pub conclusion: Option<String>,
    pub app: u64,
    pub suite: u64,
    pub completed: Option<i64>,
}

pub struct Suite {
    pub id: u64,
    pub sha: CommitId,
    pub branch: Option<String>,
    pub conclusion: Option<String>,
    /// The workflow that it is a run of, and what set it off; none of an App other than Actions.
    pub workflow: Option<(u64, &'static str)>,
}

#[derive(Clone)]
pub struct Status {
    pub id: u64,
    pub sha: CommitId,
    pub context: String,
    pub state: String,
    pub description: Option<String>,
    pub url: Option<String>,
    pub by: String,
    pub at: i64,
}

#[derive(Clone)]
pub struct Pull {
    pub number: u64,
    pub head: String,
    pub base: String,
    pub title: String,
    pub body: String,
    pub by: String,
    pub labels: Vec<String>,
    pub reviewers: Vec<String>,
    pub open: bool,
    pub draft: bool,
    /// Where the head was when it ended.
    pub head_at_end: Option<CommitId>,
    pub merged: Option<(CommitId, String)>,
    pub closed_by: Option<String>,
}

pub struct Review {
    pub id: u64,
    pub pull: u64,
    pub by: String,
    pub state: String,
    pub commit: CommitId,
}

#[derive(Clone)]
pub struct Comment {
    pub id: u64,
    pub pull: u64,
    pub by: String,
    pub body: String,
}

/// A movement of a branch, as activity tells of it.
#[derive(Clone)]
pub struct Push {
    pub on: &'static str,
    pub kind: &'static str,
    pub before: Option<CommitId>,
    pub after: Option<CommitId>,
    pub at: i64,
}

/// Something that goes wrong, once for each time it was ordered.
#[derive(Clone)]
pub enum Fault {
    /// This status, these headers, this body; nothing is done.
    Say(u16, Vec<(&'static str, String)>, Value),
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// Nothing is done, and there is no answer.
    LoseRequest,
    /// The answer ends in the middle.
    Truncate,
    /// The answer comes a byte at a time, so many milliseconds apart.
    Trickle(u64),
    /// What was answered the time before.
    Stale,
    /// The JSON of the answer is changed.
    Spoil(fn(&mut Value)),
    /// A page of HTML, with 200.
    Html,
    /// Without its `Link`.
    NoLink,
}

pub struct State {
    pub owner: String,
    pub name: String,
    pub repo: Repo,
    /// Further repositories that the list has.
    pub others: Vec<Other>,
    pub next: u64,
    /// Milliseconds, on its own clock.
    pub now: i64,
    pub runs: Vec<Run>,
    pub suites: Vec<Suite>,
    pub statuses: Vec<Status>,
    pub pulls: BTreeMap<u64, Pull>,
    pub reviews: Vec<Review>,
    /// Branches with a classic protection that wants pull requests, which nobody but an administrator sees.
    pub by_request: BTreeSet<String>,
    /// Who wrote a commit, where it was not Ana alone; nobody's address is `None`.
    pub authors: BTreeMap<CommitId, Vec<Option<String>>>,
    pub comments: Vec<Comment>,
    /// Comment, who, and what.
    pub reactions: Vec<(u64, String, String)>,
    /// What no hook has told of comments yet: the payloads, as far as they say something.
    pub said: Vec<Value>,
    /// Whether the hook is to be sent for comments that are made over the API, ours above all.
    pub comment_hooks: bool,
    /// What its activity tells, newest first.
    pub pushes: Vec<Push>,
    pub rules: BTreeMap<String, Vec<Value>>,
    pub classic: BTreeMap<String, Value>,
    pub teams: BTreeMap<String, Vec<String>>,
    pub rights: BTreeMap<String, String>,
    /// Whether rules that want a request let us through.
    pub bypass: bool,
    pub merge_commits: bool,
    pub archived: bool,
    /// Whether we may see the runs of Actions.
    pub actions: bool,
    /// Apps by their names.
    pub apps: BTreeMap<String, u64>,
    pub app_rights: Value,
    /// What the App's one webhook is sent for.
    pub app_events: Vec<&'static str>,
    /// The repository's own webhooks.
    pub hooks: Vec<Value>,
    /// Of the personal token; none where it is a fine-grained one.
    pub scopes: Option<&'static str>,
    /// A branch is here at the last moment before it is moved.
    pub race: Option<CommitId>,
    /// So many reads pass before a request is seen to be merged by a move of its base.
    pub indirect_lag: u32,
    pub limit: u64,
    pub left: u64,
    /// Tokens and until when they are good, on `now`.
    pub tokens: BTreeMap<String, Option<i64>>,
    pub minted: u32,
    /// Operation (a part of `METHOD path`) and what happens to it.
    pub faults: VecDeque<(String, Fault)>,
    /// `METHOD path?query` of everything that came.
    pub asked: Vec<String>,
    /// Where hooks go, and the secret that signs them.
    pub hook: Option<(String, String)>,
    /// Changes of which no hook was sent yet.
    pub events: Vec<&'static str>,
    /// Per page, whatever was asked for, so that few items make pages.
    pub page_max: usize,
}

impl State {
    pub fn new(dir: &std::path::Path) -> Self {
        let text = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<String, String>>()
        };
        Self {
            owner: "shop".to_owned(),
            name: "checkout".to_owned(),
            repo: Repo::init(dir.join("shop/checkout.git")),
            others: Vec::new(),
            next: 100,
            now: stamp(BEGIN).expect("a time").0,
            runs: Vec::new(),
            suites: Vec::new(),
            statuses: Vec::new(),
            pulls: BTreeMap::new(),
            reviews: Vec::new(),
            by_request: BTreeSet::new(),
            authors: BTreeMap::new(),
            comments: Vec::new(),
            reactions: Vec::new(),
            said: Vec::new(),
            comment_hooks: false,
            pushes: Vec::new(),
            rules: BTreeMap::new(),
            classic: BTreeMap::new(),
            teams: BTreeMap::from([("release".to_owned(), vec!["ana".to_owned(), "bo".to_owned()])]),
            rights: text(&[("ana", "write"), ("bo", "admin"), ("towpath", "write")]),
            bypass: true,
            merge_commits: true,
            archived: false,
            actions: true,
            apps: BTreeMap::from([("circle".to_owned(), 77)]),
            app_rights: json!({"contents":"write","pull_requests":"write","statuses":"write","checks":"read","metadata":"read","actions":"read","members":"read","workflows":"write"}),
            app_events: vec!["push", "status", "check_run", "pull_request", "pull_request_review", "issue_comment"],
            hooks: Vec::new(),
            scopes: Some("read:org, repo, workflow"),
            race: None,
            indirect_lag: 0,
            limit: 5_000,
            left: 5_000,
            tokens: BTreeMap::from([("ghp_test".to_owned(), None), ("ghp_other".to_owned(), None)]),
            minted: 0,
            faults: VecDeque::new(),
            asked: Vec::new(),
            hook: None,
            events: Vec::new(),
            page_max: 100,
        }
    }

    pub fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub fn at(ms: i64) -> String {
        towpath_core::model::Instant(ms).utc().expect("a time").format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// A suite of checks of an App, on a branch.
    pub fn suite(&mut self, sha: CommitId, branch: Option<&str>, conclusion: Option<&str>) -> u64 {
        let id = self.id();
        let (branch, conclusion) = (branch.map(str::to_owned), conclusion.map(str::to_owned));
        self.suites.push(Suite { id, sha, branch, conclusion, workflow: Some((1, "push")) });
        id
    }

    /// Says what a suite is a run of.
    pub fn is_run_of(&mut self, suite: u64, workflow: Option<(u64, &'static str)>) {
        self.suites.iter_mut().find(|s| s.id == suite).expect("a suite").workflow = workflow;
    }

    /// A check run; `conclusion` ends it now.
    pub fn run(&mut self, suite: u64, name: &str, conclusion: Option<&str>) {
        let sha = self.suites.iter().find(|s| s.id == suite).expect("a suite").sha;
        let status = if conclusion.is_some() { "completed" } else { "in_progress" }.to_owned();
        self.events.push("check_run");
        let (id, completed) = (self.id(), conclusion.map(|_| self.now));
        let conclusion = conclusion.map(str::to_owned);
        self.runs.push(Run { id, sha, name: name.to_owned(), status, conclusion, app: 15_368, suite, completed });
    }

    /// A run whose conclusion is none that GitHub describes.
    pub fn run_of_a_wrong_kind(&mut self, sha: CommitId) {
        let suite = self.suite(sha, None, None);
        self.run(suite, "odd", Some("splendid"));
    }

    pub fn status(&mut self, sha: CommitId, context: &str, state: &str, by: &str) {
        self.events.push("status");
        let (id, at) = (self.id(), self.now);
        let (context, state, by) = (context.to_owned(), state.to_owned(), by.to_owned());
        self.statuses.push(Status { id, sha, context, state, description: None, url: None, by, at });
    }

    pub fn review(&mut self, pull: u64, by: &str, state: &str) {
        self.events.push("pull_request_review");
        let (id, commit) = (self.id(), self.head(&self.pulls[&pull]));
        self.reviews.push(Review { id, pull, by: by.to_owned(), state: state.to_owned(), commit });
    }

    pub fn head(&self, pull: &Pull) -> CommitId {
        pull.head_at_end.or_else(|| self.repo.tip(&pull.head)).unwrap_or(CommitId::from_bytes([0; 20]))
    }

    /// Moves a branch by compare-and-swap, forward only; else GitHub's words for it.
    pub fn move_branch(&mut self, branch: &str, old: CommitId, new: CommitId, force: bool) -> Result<(), String> {
        let (old_text, new_text) = (old.to_string(), new.to_string());
        if let Some(to) = self.race.take() {
            self.repo.set(branch, to);
        }
        if !force && !self.contains(new, old) {
            return Err(format!("Update is not a fast forward: refs/heads/{branch}"));
        }
        let wants_request =
            self.rules.get(branch).is_some_and(|rules| rules.iter().any(|r| r["type"] == "pull_request"));
        if self.by_request.contains(branch) {
            return Err("Protected branch update failed for refs/heads/staging.\n\nChanges must be made through a pull request.".to_owned());
        }
        if wants_request && !self.bypass {
            return Err(
                "Repository rule violations found\n\nChanges must be made through a pull request.".to_owned()
            );
        }
        let full = format!("refs/heads/{branch}");
        let args = ["update-ref", &full, &new_text, &old_text];
        let done = git_command(&self.repo.dir).args(args).output().expect("git runs").status.success();
        if done {
            self.events.push("push");
        }
        if done { Ok(()) } else { Err(format!("Expected {full} to point to {old_text}")) }
    }

    pub fn contains(&self, tip: CommitId, commit: CommitId) -> bool {
        self.repo.contains(tip, commit)
    }

    /// What GitHub does by itself when a base has come to contain a head: the request is merged.
    pub fn notice(&mut self) {
        if self.indirect_lag > 0 {
            self.indirect_lag -= 1;
            return;
        }
        let found: Vec<(u64, CommitId)> = self
            .pulls
            .values()
            .filter(|pull| pull.open)
            .filter_map(|pull| {
                let (head, base) = (self.repo.tip(&pull.head)?, self.repo.tip(&pull.base)?);
                self.contains(base, head).then_some((pull.number, head))
            })
            .collect();
        for (number, head) in found {
            self.end(number, head, Some((head, "towpath".to_owned())), None);
        }
    }

    fn end(&mut self, number: u64, head: CommitId, merged: Option<(CommitId, String)>, closed_by: Option<String>) {
        self.events.push("pull_request");
        let pull = self.pulls.get_mut(&number).expect("a request");
        (pull.open, pull.head_at_end, pull.merged, pull.closed_by) = (false, Some(head), merged, closed_by);
    }

    /// Somebody merges it on GitHub's page, or our call does.
    pub fn merge(&mut self, number: u64, by: &str) -> CommitId {
        self.join(number, by, false)
    }

    /// Somebody squashes it there.
    pub fn squash(&mut self, number: u64, by: &str) -> CommitId {
        self.join(number, by, true)
    }

    /// What GitHub writes into the commit of a merge.
    pub fn subject_of(&self, pull: &Pull) -> String {
        format!("Merge pull request #{} from {}/{}", pull.number, self.owner, pull.head)
    }

    fn join(&mut self, number: u64, by: &str, squash: bool) -> CommitId {
        let pull = self.pulls[&number].clone();
        let (head, base) = (self.head(&pull), self.repo.tip(&pull.base).expect("a base"));
        let (base_text, head_text) = (base.to_string(), head.to_string());
        let tree = self.repo.git(["merge-tree", "--write-tree", &base_text, &head_text]);
        let message = self.subject_of(&pull);
        let (name, email) = (format!("author.name={by}"), format!("author.email={by}@users.noreply.github.com"));
        let who =
            ["-c", &name, "-c", &email, "-c", "committer.name=GitHub", "-c", "committer.email=noreply@github.com"];
        let mut commit = vec!["commit-tree", "-m", &message, "-p", &base_text];
        if !squash {
            commit.extend(["-p", &head_text]);
        }
        commit.push(&tree);
        let merge: CommitId = self.repo.git(who.iter().chain(&commit)).parse().expect("a commit");
        self.authors.insert(merge, vec![Some(by.to_owned())]);
        self.repo.git(["update-ref", &format!("refs/heads/{}", pull.base), &merge.to_string(), &base_text]);
        self.end(number, head, Some((merge, by.to_owned())), None);
        merge
    }

    /// Somebody opens it again.
    pub fn reopen(&mut self, number: u64) {
        self.events.push("pull_request");
        let pull = self.pulls.get_mut(&number).expect("a request");
        (pull.open, pull.head_at_end, pull.closed_by) = (true, None, None);
    }

    /// Somebody makes it a draft, or says that it is ready.
    pub fn drafted(&mut self, number: u64, draft: bool) {
        self.events.push("pull_request");
        self.pulls.get_mut(&number).expect("a request").draft = draft;
    }

    /// Somebody closes it.
    pub fn close(&mut self, number: u64, by: &str) {
        let head = self.head(&self.pulls[&number].clone());
        self.end(number, head, None, Some(by.to_owned()));
    }
}
