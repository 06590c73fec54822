//! A server's state: one repository on disk, and everything that is not git in one struct.
//!
//! Branches are moved by `git update-ref` with the old value, merges are made by git. People act
//! through the methods here, as if they sat before the server's pages.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use towpath_core::model::CommitId;

use super::show;
use crate::forge::backend::Other;
use crate::support::git_fixture::{Repo, git_command};

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: i64,
    pub login: String,
    pub hides_email: bool,
    /// `none`, `read`, `write`, `admin`.
    pub rights: &'static str,
    pub token: String,
}

/// A commit status.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: i64,
    pub index: i64,
    pub sha: CommitId,
    pub context: String,
    /// Rows of one group replace each other in the combined status.
    pub group: String,
    pub state: String,
    pub by: Option<String>,
    pub url: String,
    pub description: String,
    pub at: i64,
}

#[derive(Debug, Clone)]
pub struct Review {
    pub id: i64,
    pub by: String,
    pub state: &'static str,
    pub commit: CommitId,
    pub official: bool,
    pub stale: bool,
    pub dismissed: bool,
}

#[derive(Debug, Clone)]
pub struct Comment {
    pub id: i64,
    pub by: String,
    pub body: String,
    pub at: i64,
    /// Who, and what.
    pub reactions: Vec<(String, String)>,
}

impl Comment {
    pub fn new(id: i64, by: &str, body: &str, at: i64) -> Self {
        Self { id, by: by.to_owned(), body: body.to_owned(), at, reactions: Vec::new() }
    }
}

#[derive(Debug, Clone)]
pub struct Pull {
    pub number: u64,
    pub by: String,
    pub title: String,
    pub body: String,
    pub head: String,
    pub base: String,
    /// Which repository the head is in; the server's own is 1.
    pub head_repo: i64,
    /// `refs/pull/N/head`.
    pub head_seen: CommitId,
    pub closed: bool,
    pub merged: Option<(String, CommitId)>,
    pub labels: Vec<i64>,
    pub reviews: Vec<Review>,
    pub comments: Vec<Comment>,
    pub asked: Vec<String>,
    pub created: i64,
    pub updated: i64,
}

/// A protection rule, for the branch of its name.
#[derive(Debug, Clone)]
pub struct Rule {
    pub branch: String,
    pub pushers: Vec<String>,
    pub mergers: Vec<String>,
    /// None: no status check is required.
    pub checks: Option<Vec<String>>,
    pub approvals: usize,
    pub up_to_date: bool,
}

/// The repository's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    pub archived: bool,
    pub merge_commits: bool,
    /// None: a version that has no such style.
    pub fast_forward: Option<bool>,
    pub default_style: &'static str,
    /// Whether its own CI is switched on.
    pub actions: bool,
}

pub struct State {
    pub repo: Repo,
    /// Further repositories that the list has.
    pub others: Vec<Other>,
    pub url: String,
    pub version: String,
    pub page_max: usize,
    /// Counts are right on the first page only, as in older versions.
    pub forgetful: bool,
    /// Epoch milliseconds; each thing that happens is a step later.
    pub now: i64,
    /// Milliseconds.
    pub step: i64,
    pub people: Vec<Person>,
    pub rows: Vec<Row>,
    pub pulls: Vec<Pull>,
    pub labels: Vec<(i64, String)>,
    pub org_labels: Vec<(i64, String)>,
    pub teams: Vec<(i64, String, Vec<String>)>,
    pub rules: Vec<Rule>,
    pub settings: Settings,
    pub hooks: Vec<Value>,
    /// Whose account the author's address is, where it is not that of whoever is called so; nobody's is `None`.
    pub authors: BTreeMap<CommitId, Option<String>>,
    /// Whether the hook is to be sent for comments that are made over the API, ours above all.
    pub comment_hooks: bool,
    /// What the server has yet to tell: event and payload.
    pub outbox: Vec<(String, Value)>,
    /// How often merges are answered "Please try again later" from now on.
    pub computing: u32,
    /// The base moves here at the last moment before a merge moves it.
    pub race: Option<CommitId>,
    /// Every call, `METHOD /path?query`.
    pub calls: Vec<String>,
    tips: BTreeMap<String, String>,
    last: i64,
}

pub const OWNER: &str = "shop";
pub const NAME: &str = "checkout";

impl State {
    pub fn new(repo: Repo, url: String) -> Self {
        let settings = Settings {
            archived: false,
            merge_commits: true,
            fast_forward: Some(true),
            default_style: "merge",
            actions: true,
        };
        let mut state = Self {
            repo,
            others: Vec::new(),
            url,
            version: "17.0.0-dev-609-a14eb80977+gitea-1.22.0".to_owned(),
            page_max: 50,
            forgetful: false,
            now: 1_795_255_200_000,
            step: 1_000,
            people: Vec::new(),
            rows: Vec::new(),
            pulls: Vec::new(),
            labels: Vec::new(),
            org_labels: Vec::new(),
            teams: Vec::new(),
            rules: Vec::new(),
            settings,
            hooks: Vec::new(),
            authors: BTreeMap::new(),
            comment_hooks: false,
            outbox: Vec::new(),
            computing: 0,
            race: None,
            calls: Vec::new(),
            tips: BTreeMap::new(),
            last: 0,
        };
        for (login, rights) in [("towpath", "write"), ("ana", "write"), ("bo", "write"), ("eve", "read")] {
            state.account(login, rights);
        }
        state
    }

    pub fn id(&mut self) -> i64 {
        self.now += self.step;
        self.last += 1;
        self.last
    }

    pub fn account(&mut self, login: &str, rights: &'static str) {
        let (id, token) = (self.id(), format!("token-of-{login}"));
        self.people.push(Person { id, login: login.to_owned(), hides_email: false, rights, token });
    }

    pub fn person(&self, login: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.login == login)
    }

    pub fn may_write(&self, login: &str) -> bool {
        self.person(login).is_some_and(|person| matches!(person.rights, "write" | "admin"))
    }

    /// Whether somebody is in a team of the organisation, and so a member of it.
    pub fn belongs(&self, login: &str) -> bool {
        self.teams.iter().any(|(_, _, members)| members.iter().any(|member| member == login))
    }

    /// Whether somebody owns the organisation: its team of that name does.
    pub fn owns(&self, login: &str) -> bool {
        self.teams.iter().any(|(_, name, members)| name == "Owners" && members.iter().any(|member| member == login))
    }

    pub fn rule(&self, branch: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.branch == branch)
    }

    /// Puts a rule there; git's own hook keeps it for pushes.
    pub fn protect(&mut self, rule: Rule) {
        self.rules.retain(|had| had.branch != rule.branch);
        self.rules.push(rule);
        let lines =
            self.rules.iter().flat_map(|rule| rule.pushers.iter().map(|by| format!("{} {by}\n", rule.branch)));
        let known = self.rules.iter().map(|rule| format!("{} -\n", rule.branch));
        std::fs::write(self.repo.dir.join("protected"), known.chain(lines).collect::<String>()).unwrap();
    }

    pub fn branches(&self) -> Vec<(String, CommitId)> {
        self.tips.iter().filter_map(|(name, tip)| Some((name.clone(), tip.parse().ok()?))).collect()
    }

    pub fn pull(&mut self, number: u64) -> &mut Pull {
        self.pulls.iter_mut().find(|pull| pull.number == number).expect("that request")
    }

    /// Where a branch was when the server last looked, which it does before each answer.
    pub fn tip(&self, branch: &str) -> Option<CommitId> {
        self.tips.get(branch)?.parse().ok()
    }

    /// Notices what moved since it last looked: what a push sets off on a real server.
    pub fn notice(&mut self) {
        let now = self.repo.branches();
        let before = std::mem::replace(&mut self.tips, now.clone());
        let zero = "0".repeat(40);
        for name in before.keys().chain(now.keys()).collect::<std::collections::BTreeSet<_>>() {
            let (old, new) = (before.get(name).unwrap_or(&zero), now.get(name).unwrap_or(&zero));
            if old == new {
                continue;
            }
            let what = json!({
                "ref": format!("refs/heads/{name}"), "before": old, "after": new, "repository": show::hook_repo(self),
            });
            self.outbox.push(("push".to_owned(), what));
            let Some(tip) = new.parse::<CommitId>().ok().filter(|_| *new != zero) else { continue };
            for pull in self.pulls.iter_mut().filter(|pull| !pull.closed && &pull.head == name) {
                pull.head_seen = tip;
                pull.reviews.iter_mut().for_each(|review| review.stale = review.commit != tip);
            }
        }
    }

    pub fn tell_pull(&mut self, event: &str, action: &str, number: u64) {
        let what = json!({ "action": action, "number": number, "repository": show::hook_repo(self) });
        self.outbox.push((event.to_owned(), what));
    }

    /// A status, as CI or anybody with a token writes it.
    pub fn report(&mut self, by: Option<&str>, sha: CommitId, context: &str, state: &str) -> i64 {
        self.report_of(by, sha, context, state, context, "")
    }

    /// A status of one of several workflows.
    pub fn report_of(
        &mut self,
        by: Option<&str>,
        sha: CommitId,
        context: &str,
        state: &str,
        group: &str,
        url: &str,
    ) -> i64 {
        let (id, at) = (self.id(), self.now);
        let index = 1 + self.rows.iter().filter(|row| row.sha == sha).count() as i64;
        self.rows.push(Row {
            id,
            index,
            sha,
            context: context.to_owned(),
            group: group.to_owned(),
            state: state.to_owned(),
            by: by.map(str::to_owned),
            url: url.to_owned(),
            description: String::new(),
            at,
        });
        let what = json!({ "sha": sha.to_string(), "context": context, "state": state, "repository": show::hook_repo(self) });
        self.outbox.push(("status".to_owned(), what));
        id
    }

    /// Somebody reviews: `APPROVED`, `REQUEST_CHANGES`, `COMMENT`, `PENDING`.
    pub fn review(&mut self, by: &str, number: u64, state: &'static str) -> i64 {
        self.notice();
        let (id, official) = (self.id(), self.may_write(by));
        let decides = matches!(state, "APPROVED" | "REQUEST_CHANGES");
        let pull = self.pull(number);
        for had in pull.reviews.iter_mut().filter(|had| had.by == by && decides) {
            had.official = false;
            had.dismissed |= matches!(had.state, "APPROVED" | "REQUEST_CHANGES");
        }
        let commit = pull.head_seen;
        let official = official && decides;
        pull.reviews.push(Review {
            id,
            by: by.to_owned(),
            state,
            commit,
            official,
            stale: false,
            dismissed: false,
        });
        let event = match state {
            "APPROVED" => "pull_request_review_approved",
            "REQUEST_CHANGES" => "pull_request_review_rejected",
            _ => return id,
        };
        self.tell_pull(event, "reviewed", number);
        id
    }

    pub fn dismiss(&mut self, number: u64, review: i64) {
        let pull = self.pull(number);
        pull.reviews.iter_mut().filter(|had| had.id == review).for_each(|had| had.dismissed = true);
    }

    pub fn close(&mut self, number: u64) {
        self.set_closed(number, true);
    }

    pub fn reopen(&mut self, number: u64) {
        self.set_closed(number, false);
    }

    fn set_closed(&mut self, number: u64, closed: bool) {
        self.id();
        let now = self.now;
        let pull = self.pull(number);
        (pull.closed, pull.updated) = (closed, now);
        self.tell_pull("pull_request", if closed { "closed" } else { "reopened" }, number);
    }

    /// Opens a request, whatever it is; the server's rules for it are in `server.rs`.
    pub fn open(&mut self, by: &str, head: &str, base: &str, title: &str, body: &str) -> u64 {
        self.notice();
        self.id();
        let number = self.pulls.len() as u64 + 1;
        let head_seen = self.repo.tip(head).expect("the head");
        self.pulls.push(Pull {
            number,
            by: by.to_owned(),
            title: title.to_owned(),
            body: body.to_owned(),
            head: head.to_owned(),
            base: base.to_owned(),
            head_repo: 1,
            head_seen,
            closed: false,
            merged: None,
            labels: Vec::new(),
            reviews: Vec::new(),
            comments: Vec::new(),
            asked: Vec::new(),
            created: self.now,
            updated: self.now,
        });
        self.tell_pull("pull_request", "opened", number);
        number
    }

    /// Merges, as git does it. Styles are the server's words.
    ///
    /// # Errors
    /// `conflict`, `diverging`, or `race`.
    pub fn merge(&mut self, by: &str, number: u64, style: &str) -> Result<CommitId, &'static str> {
        let pull = self.pull(number).clone();
        let base = self.repo.tip(&pull.base).expect("the base");
        let head = self.repo.tip(&pull.head).unwrap_or(pull.head_seen);
        let made = match style {
            "fast-forward-only" => {
                if !self.repo.contains(head, base) {
                    return Err("diverging");
                }
                head.to_string()
            }
            _ => {
                let args = ["merge-tree", "--write-tree", &base.to_string(), &head.to_string()];
                let output = git_command(&self.repo.dir).args(args).output().expect("git runs");
                if !output.status.success() {
                    return Err("conflict");
                }
                let tree = String::from_utf8(output.stdout).expect("an id").trim().to_owned();
                let message = format!("{} (#{number})", pull.title);
                let (base, head) = (base.to_string(), head.to_string());
                let mut args = vec!["commit-tree", &tree, "-p", &base];
                if style == "merge" {
                    args.extend(["-p", &head]);
                }
                args.extend(["-m", &message]);
                let output = git_command(&self.repo.dir)
                    .args(args)
                    .envs([("GIT_AUTHOR_NAME", by), ("GIT_COMMITTER_NAME", by)])
                    .envs([("GIT_AUTHOR_EMAIL", "forge@example.com"), ("GIT_COMMITTER_EMAIL", "forge@example.com")])
                    .output()
                    .expect("git runs");
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                String::from_utf8(output.stdout).expect("an id").trim().to_owned()
            }
        };
        if let Some(to) = self.race.take() {
            self.repo.set(&pull.base, to);
        }
        let name = format!("refs/heads/{}", pull.base);
        let args = ["update-ref", &name, &made, &base.to_string()];
        if !git_command(&self.repo.dir).args(args).output().expect("git runs").status.success() {
            return Err("race");
        }
        let made: CommitId = made.parse().expect("an id");
        if style != "fast-forward-only" {
            self.authors.insert(made, Some(by.to_owned()));
        }
        let now = self.now;
        let pull = self.pull(number);
        (pull.closed, pull.merged, pull.updated) = (true, Some((by.to_owned(), made)), now);
        self.tell_pull("pull_request", "closed", number);
        self.notice();
        Ok(made)
    }
}
