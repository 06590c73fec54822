//! A GitLab's state: one repository on disk, and everything that is not git in one struct.
//!
//! Branches are moved by `git update-ref` with the old value, merges are made by git. People act
//! through the methods here, as if they sat before GitLab's pages.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use towpath_core::model::CommitId;

use super::show;
use crate::forge::backend::Other;
use crate::support::git_fixture::{Repo, git_command};

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: u64,
    pub name: String,
    /// In the project: 10 guest, 20 reporter, 30 developer, 40 maintainer.
    pub role: u64,
    pub state: &'static str,
    /// When the membership ends: a day.
    pub ends: Option<&'static str>,
    pub token: String,
}

#[derive(Debug, Clone)]
pub struct Pipeline {
    pub id: u64,
    pub sha: CommitId,
    pub on: String,
    pub source: String,
    /// Worked out from its jobs, where it has any.
    pub bare: &'static str,
}

/// A job, or a status from outside.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: u64,
    pub pipeline: u64,
    pub name: String,
    pub status: String,
    pub may_fail: bool,
    pub by: Option<String>,
    pub description: Option<String>,
    pub url: Option<String>,
    pub at: i64,
}

#[derive(Debug, Clone)]
pub struct Note {
    pub id: u64,
    pub by: String,
    pub body: String,
    pub system: bool,
    /// For members alone.
    pub internal: bool,
    /// `DiffNote` on lines of code.
    pub kind: Option<&'static str>,
    pub at: i64,
    /// Number, who, and which emoji.
    pub awards: Vec<(u64, String, String)>,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub iid: u64,
    pub by: String,
    pub title: String,
    pub body: String,
    pub source: String,
    pub target: String,
    /// Whose branch the source is; the project's own number is 1.
    pub source_project: u64,
    pub head_seen: CommitId,
    /// Number, head and time of each diff that was made of it, oldest first.
    pub versions: Vec<(u64, CommitId, i64)>,
    pub state: &'static str,
    pub ended_by: Option<String>,
    pub made: Option<CommitId>,
    /// Whether "Squash commits" is ticked.
    pub squash: bool,
    pub squashed: bool,
    pub labels: Vec<String>,
    /// Who was asked, and their word.
    pub reviewers: Vec<(u64, &'static str)>,
    /// Who approved, and when.
    pub approvals: Vec<(String, i64)>,
    pub notes: Vec<Note>,
    /// Why GitLab would not merge it, instead of what it works out.
    pub says: Option<&'static str>,
    pub error: Option<String>,
    pub updated: i64,
}

/// A protection rule, for the branch of its name. Both lists hold people.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    pub branch: String,
    pub pushers: Vec<String>,
    pub mergers: Vec<String>,
}

/// A push, as events tell of it.
#[derive(Debug, Clone)]
pub struct Push {
    /// None where one event stands for several.
    pub on: Option<&'static str>,
    pub kind: &'static str,
    pub before: Option<CommitId>,
    pub after: Option<CommitId>,
    pub at: i64,
}

/// The project's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    pub method: &'static str,
    pub squash: &'static str,
    pub must_succeed: bool,
    pub archived: bool,
}

/// What older versions leave out.
#[derive(Debug, Clone, Copy)]
pub struct Tells {
    pub pipeline_of_status: bool,
    pub approved_at: bool,
    pub detailed_merge_status: bool,
    /// `Repository.commit` of GraphQL.
    pub graph_commits: bool,
    /// `X-Total`: not beyond 10,000 items.
    pub totals: bool,
    /// `Link`: some proxies drop it.
    pub links: bool,
}

pub struct State {
    pub repo: Repo,
    /// Further repositories that the list has.
    pub others: Vec<Other>,
    pub url: String,
    pub page_max: usize,
    pub tells: Tells,
    /// Epoch milliseconds; each thing that happens is a step later.
    pub now: i64,
    /// Milliseconds.
    pub step: i64,
    pub people: Vec<Person>,
    pub pipelines: Vec<Pipeline>,
    pub jobs: Vec<Job>,
    pub requests: Vec<Request>,
    /// By full path: member, role, state of the membership.
    pub groups: BTreeMap<String, Vec<(String, u64, &'static str)>>,
    pub rules: Vec<Rule>,
    pub settings: Settings,
    pub hooks: Vec<Value>,
    /// What its events tell, newest first.
    pub pushes: Vec<Push>,
    /// Whose confirmed e-mail a commit bears.
    pub authors: BTreeMap<CommitId, String>,
    /// The addresses that people show to everybody.
    pub shown: BTreeMap<String, String>,
    pub scopes: Vec<&'static str>,
    /// Whether the hook is to be sent for notes that are made over the API, ours above all.
    pub comment_hooks: bool,
    /// What GitLab has yet to tell: event and payload.
    pub outbox: Vec<(String, Value)>,
    /// For how many reads of a request GitLab is still working out whether it can be merged.
    pub checking: u32,
    /// The target moves here at the last moment before a merge moves it.
    pub race: Option<CommitId>,
    /// Merges are answered 200 and left open (#299188).
    pub lazy: bool,
    /// Every call, `METHOD /path?query`.
    pub calls: Vec<String>,
    tips: BTreeMap<String, String>,
    last: u64,
}

/// Pipelines that affect no branch (`Enums::Ci::Pipeline.dangling_sources`): `Project#ci_pipelines` is without them,
/// and with it all that reads or writes statuses; the list of pipelines is not.
pub const DANGLING: [&str; 8] = [
    "webide",
    "parent_pipeline",
    "ondemand_dast_scan",
    "ondemand_dast_validation",
    "security_orchestration_policy",
    "container_registry_push",
    "duo_workflow",
    "pipeline_execution_policy_schedule",
];

pub const PATH: &str = "shop/back/checkout";

impl State {
    pub fn new(repo: Repo, url: String) -> Self {
        let mut state = Self {
            repo,
            others: Vec::new(),
            url,
            page_max: 100,
            tells: Tells {
                pipeline_of_status: true,
                approved_at: true,
                detailed_merge_status: true,
                graph_commits: true,
                totals: true,
                links: true,
            },
            now: 1_795_255_200_000,
            step: 1_000,
            people: Vec::new(),
            pipelines: Vec::new(),
            jobs: Vec::new(),
            requests: Vec::new(),
            groups: BTreeMap::new(),
            rules: Vec::new(),
            settings: Settings { method: "ff", squash: "default_off", must_succeed: false, archived: false },
            hooks: Vec::new(),
            pushes: Vec::new(),
            authors: BTreeMap::new(),
            shown: BTreeMap::new(),
            scopes: vec!["api"],
            comment_hooks: false,
            outbox: Vec::new(),
            checking: 0,
            race: None,
            lazy: false,
            calls: Vec::new(),
            tips: BTreeMap::new(),
            last: 0,
        };
        for (name, role) in [("towpath", 40), ("ana", 30), ("bo", 30), ("eve", 20)] {
            state.account(name, role);
        }
        state
    }

    pub fn account(&mut self, name: &str, role: u64) {
        let (id, token) = (self.id(), format!("token-of-{name}"));
        self.people.push(Person { id, name: name.to_owned(), role, state: "active", ends: None, token });
    }

    pub fn id(&mut self) -> u64 {
        self.now += self.step;
        self.last += 1;
        self.last
    }

    pub fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.name == name)
    }

    pub fn role(&self, name: &str) -> u64 {
        self.person(name).map_or(0, |person| person.role)
    }

    pub fn rule(&self, branch: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.branch == branch)
    }

    /// Puts a rule there; git's own hook keeps it for pushes.
    pub fn protect(&mut self, branch: &str, pushers: &[&str], mergers: &[&str]) {
        let all = |of: &[&str]| of.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        self.rules.retain(|had| had.branch != branch);
        self.rules.push(Rule { branch: branch.to_owned(), pushers: all(pushers), mergers: all(mergers) });
        let lines =
            self.rules.iter().flat_map(|rule| rule.pushers.iter().map(|by| format!("{} {by}\n", rule.branch)));
        let known = self.rules.iter().map(|rule| format!("{} -\n", rule.branch));
        std::fs::write(self.repo.dir.join("protected"), known.chain(lines).collect::<String>()).unwrap();
    }

    pub fn request(&mut self, iid: u64) -> &mut Request {
        self.requests.iter_mut().find(|request| request.iid == iid).expect("that request")
    }

    /// Where a branch was when GitLab last looked, which it does before each answer.
    pub fn tip(&self, branch: &str) -> Option<CommitId> {
        self.tips.get(branch)?.parse().ok()
    }

    pub fn contains(&self, in_: CommitId, what: CommitId) -> bool {
        self.repo.contains(in_, what)
    }

    pub fn knows(&self, sha: &str) -> Option<CommitId> {
        sha.parse().ok().filter(|commit| self.repo.has(*commit))
    }

    /// Notices what moved since it last looked: what a push sets off.
    pub fn notice(&mut self) {
        let now = self.repo.branches();
        let before = std::mem::replace(&mut self.tips, now.clone());
        let zero = "0".repeat(40);
        for name in before.keys().chain(now.keys()).collect::<std::collections::BTreeSet<_>>() {
            let (old, new) = (before.get(name).unwrap_or(&zero), now.get(name).unwrap_or(&zero));
            if old == new {
                continue;
            }
            let what =
                json!({ "object_kind": "push", "ref": format!("refs/heads/{name}"), "before": old, "after": new });
            self.tell("Push Hook", what);
            let Some(tip) = new.parse::<CommitId>().ok().filter(|_| *new != zero) else { continue };
            let version = (self.id(), tip, self.now);
            // Approvals stay: nothing binds them to a commit.
            for request in self.requests.iter_mut().filter(|r| r.state == "opened" && &r.source == name) {
                request.head_seen = tip;
                request.versions.push(version);
            }
            if let Some(old) = old.parse().ok().filter(|_| *old != zero) {
                self.target_moved(name, old, tip);
            }
        }
    }

    /// `app/services/merge_requests/refresh_service.rb`: a new diff of the same head, if the target was pushed with
    /// force, or commits of the request came to it.
    fn target_moved(&mut self, name: &str, old: CommitId, new: CommitId) {
        let listed = |repo: &Repo, to: CommitId| repo.git(["rev-list", &format!("{old}..{to}")]);
        let (pushed, forced) = (listed(&self.repo, new), !self.contains(new, old));
        let of = |request: &Request| listed(&self.repo, request.head_seen).lines().any(|id| pushed.contains(id));
        let to = self.requests.iter().filter(|request| request.state == "opened" && request.target == name);
        let again: Vec<u64> = to.filter(|request| forced || of(request)).map(|request| request.iid).collect();
        let (number, at) = (self.id(), self.now);
        for iid in again {
            let request = self.request(iid);
            request.versions.push((number, request.head_seen, at));
        }
    }

    pub fn tell(&mut self, event: &str, mut what: Value) {
        what["project"] = show::hook_project(self);
        self.outbox.push((event.to_owned(), what));
    }

    fn tell_request(&mut self, action: &str, iid: u64) {
        let what = json!({ "object_kind": "merge_request", "object_attributes": { "iid": iid, "action": action } });
        self.tell("Merge Request Hook", what);
    }

    /// A run of CI; none of its jobs exists yet.
    pub fn pipeline(&mut self, source: &str, sha: CommitId, on: &str, bare: &'static str) -> u64 {
        let id = self.id();
        self.pipelines.push(Pipeline { id, sha, on: on.to_owned(), source: source.to_owned(), bare });
        self.tell("Pipeline Hook", json!({ "object_kind": "pipeline", "object_attributes": { "id": id } }));
        id
    }

    /// A job of it. The newest of a name is the one that GitLab shows.
    pub fn job(&mut self, pipeline: u64, name: &str, status: &str, may_fail: bool) -> u64 {
        let (id, at) = (self.id(), self.now);
        let (name, status) = (name.to_owned(), status.to_owned());
        let url = Some(format!("{}/{PATH}/-/jobs/{id}", self.url));
        self.jobs.push(Job { id, pipeline, name, status, may_fail, by: None, description: None, url, at });
        id
    }

    /// The pipeline of a push, with one job.
    pub fn ran(&mut self, sha: CommitId, on: &str, name: &str, status: &str) -> u64 {
        let pipeline = self.pipeline("push", sha, on, "created");
        self.job(pipeline, name, status, false);
        pipeline
    }

    /// The pipelines that affect branches.
    pub fn ci_pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.pipelines.iter().filter(|pipeline| !DANGLING.contains(&pipeline.source.as_str()))
    }

    /// The newest jobs of a pipeline.
    pub fn jobs_of(&self, pipeline: u64) -> Vec<&Job> {
        let of = |job: &&Job| job.pipeline == pipeline;
        let newest = |job: &&Job| !self.jobs.iter().any(|o| of(&o) && o.name == job.name && o.id > job.id);
        self.jobs.iter().filter(of).filter(newest).collect()
    }

    /// GitLab's word for a whole pipeline.
    pub fn status_of(&self, pipeline: &Pipeline) -> &'static str {
        let jobs = self.jobs_of(pipeline.id);
        let counts = |word: &str| jobs.iter().any(|job| job.status == word && !job.may_fail);
        let any = |words: &[&str]| jobs.iter().any(|job| words.contains(&job.status.as_str()));
        match () {
            () if jobs.is_empty() => pipeline.bare,
            () if any(&["created", "pending", "running", "preparing"]) => "running",
            () if counts("failed") => "failed",
            () if counts("canceled") => "canceled",
            () if counts("manual") => "manual",
            () if any(&["success", "failed"]) => "success",
            () => "skipped",
        }
    }

    /// Somebody approves, or takes it back. A second approval of one person is none.
    pub fn approve(&mut self, by: &str, iid: u64) {
        self.notice();
        let had = self.request(iid).approvals.iter().any(|(name, _)| name == by);
        if had {
            return;
        }
        self.note(by, iid, "approved this merge request", true);
        let now = self.now;
        self.request(iid).approvals.push((by.to_owned(), now));
        self.tell_request("approved", iid);
    }

    pub fn unapprove(&mut self, by: &str, iid: u64) {
        self.request(iid).approvals.retain(|(name, _)| name != by);
        self.note(by, iid, "unapproved this merge request", true);
        self.tell_request("unapproved", iid);
    }

    /// Somebody's word as a reviewer.
    pub fn review(&mut self, by: &str, iid: u64, word: &'static str) {
        let id = self.person(by).expect("them").id;
        let request = self.request(iid);
        request.reviewers.retain(|(had, _)| *had != id);
        request.reviewers.push((id, word));
    }

    pub fn note(&mut self, by: &str, iid: u64, body: &str, system: bool) -> Note {
        let (id, at) = (self.id(), self.now);
        let (by, body) = (by.to_owned(), body.to_owned());
        let note = Note { id, by, body, system, internal: false, kind: None, at, awards: Vec::new() };
        self.request(iid).notes.push(note.clone());
        note
    }

    pub fn close(&mut self, by: &str, iid: u64) {
        self.id();
        let now = self.now;
        let request = self.request(iid);
        (request.state, request.ended_by, request.updated) = ("closed", Some(by.to_owned()), now);
        self.tell_request("close", iid);
    }

    pub fn reopen(&mut self, iid: u64) {
        // `app/services/merge_requests/reopen_service.rb` makes a new diff.
        let (number, at) = (self.id(), self.now);
        let source = self.request(iid).source.clone();
        let tip = self.repo.tip(&source).expect("the source");
        let request = self.request(iid);
        (request.state, request.ended_by, request.head_seen) = ("opened", None, tip);
        request.versions.push((number, tip, at));
        self.tell_request("reopen", iid);
    }

    /// Opens a request, whatever it is; GitLab's rules for it are in `server.rs`.
    pub fn open(&mut self, by: &str, source: &str, target: &str, title: &str, body: &str) -> u64 {
        self.notice();
        let number = self.id();
        let iid = self.requests.len() as u64 + 1;
        let head_seen = self.repo.tip(source).expect("the source");
        let version = (number, head_seen, self.now);
        self.requests.push(Request {
            iid,
            by: by.to_owned(),
            title: title.to_owned(),
            body: body.to_owned(),
            source: source.to_owned(),
            target: target.to_owned(),
            source_project: 1,
            head_seen,
            versions: vec![version],
            state: "opened",
            ended_by: None,
            made: None,
            squash: matches!(self.settings.squash, "always" | "default_on"),
            squashed: false,
            labels: Vec::new(),
            reviewers: Vec::new(),
            approvals: Vec::new(),
            notes: Vec::new(),
            says: None,
            error: None,
            updated: self.now,
        });
        self.tell_request("open", iid);
        iid
    }

    /// Whether a merge of it squashes (`MergeRequest#squash_on_merge?`).
    pub fn squashes(&self, request: &Request) -> bool {
        match self.settings.squash {
            "always" => true,
            "never" => false,
            _ => request.squash,
        }
    }

    /// Why it cannot be merged, in GitLab's word; `mergeable` if it can.
    pub fn mergeable(&self, request: &Request) -> &'static str {
        let target = self.repo.tip(&request.target).expect("the target");
        let behind = !self.contains(request.head_seen, target);
        let ran = |p: &&Pipeline| p.sha == request.head_seen && p.on == request.source;
        let pipeline = self.ci_pipelines().filter(ran).max_by_key(|pipeline| pipeline.id);
        match pipeline.map(|pipeline| self.status_of(pipeline)) {
            _ if request.state != "opened" => "not_open",
            _ if request.says.is_some() => request.says.expect("some"),
            _ if self.checking > 0 => "checking",
            _ if request.title.starts_with("Draft:") => "draft_status",
            _ if behind && self.tree(target, request.head_seen).is_none() => "conflict",
            _ if behind && self.settings.method != "merge" => "need_rebase",
            Some("running" | "created" | "pending") if self.settings.must_succeed => "ci_still_running",
            Some("success") => "mergeable",
            _ if self.settings.must_succeed => "ci_must_pass",
            _ => "mergeable",
        }
    }

    /// The tree of a merge, unless it conflicts.
    fn tree(&self, base: CommitId, head: CommitId) -> Option<String> {
        let args = ["merge-tree", "--write-tree", &base.to_string(), &head.to_string()];
        let output = git_command(&self.repo.dir).args(args).output().expect("git runs");
        output.status.success().then(|| String::from_utf8(output.stdout).expect("an id").trim().to_owned())
    }

    /// Merges by the project's method, as git does it.
    ///
    /// # Errors
    /// GitLab's words.
    pub fn merge(&mut self, by: &str, iid: u64, squash: bool) -> Result<CommitId, String> {
        let request = self.request(iid).clone();
        let base = self.repo.tip(&request.target).expect("the target");
        let head = request.head_seen;
        let ff = self.settings.method == "ff";
        let made = if ff && !squash {
            head
        } else {
            let tree = self.tree(base, head).ok_or("Branch cannot be merged")?;
            let message = format!("Merge branch '{}' into '{}'", request.source, request.target);
            let (base, head) = (base.to_string(), head.to_string());
            let mut args = vec!["commit-tree", &tree, "-p", &base];
            if !squash {
                args.extend(["-p", &head]);
            }
            args.extend(["-m", &message]);
            let output = git_command(&self.repo.dir)
                .args(args)
                .envs([("GIT_AUTHOR_NAME", by), ("GIT_COMMITTER_NAME", by)])
                .envs([("GIT_AUTHOR_EMAIL", "lab@example.com"), ("GIT_COMMITTER_EMAIL", "lab@example.com")])
                .output()
                .expect("git runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("an id").trim().parse().expect("an id")
        };
        if let Some(to) = self.race.take() {
            self.repo.set(&request.target, to);
        }
        let name = format!("refs/heads/{}", request.target);
        let args = ["update-ref", &name, &made.to_string(), &base.to_string()];
        if !git_command(&self.repo.dir).args(args).output().expect("git runs").status.success() {
            let words = format!("9:Could not update {name}. Please refresh and try again.");
            self.request(iid).error = Some(words.clone());
            return Err(words);
        }
        if made != head {
            self.authors.insert(made, by.to_owned());
        }
        let now = self.now;
        let request = self.request(iid);
        (request.state, request.ended_by, request.updated) = ("merged", Some(by.to_owned()), now);
        (request.made, request.squashed) = ((made != head).then_some(made), squash);
        self.tell_request("merge", iid);
        self.notice();
        Ok(made)
    }
}
