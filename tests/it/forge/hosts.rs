//! The forges of the tests as the days of `e2e.rs` use them: the same few things that people do on each.

use towpath_core::model::{CommitId, Instant, Span};

use super::gitea::Place;
use super::github::{self, server::Server};
use super::gitlab;
use crate::support::git_fixture::Repo;

/// A forge with one repository, whose three branches are at one commit.
pub trait Host: Sized {
    /// The repository's path.
    const PATH: &str = "shop/checkout";
    /// Its branches, in the order in which commits move along them.
    const BRANCHES: [&str; 3] = ["develop", "staging", "master"];
    /// The flow.
    const FLOW: &str = "monolith";
    /// Whether production wants an approval.
    const APPROVED: bool;

    async fn new() -> Self;
    /// What goes into the config: its address, and the bot's token.
    fn url(&self) -> &str;
    fn token(&self) -> String;
    fn now(&self) -> Instant;
    /// Its clock goes on.
    fn pass(&self, span: Span);
    /// The repository, for as long as nothing is awaited.
    fn with<T>(&self, look: impl FnOnce(&Repo) -> T) -> T;
    /// CI says that checks of the commit are green, in a run on that branch.
    fn green(&self, commit: CommitId, on: &str, checks: &[&str]);
    fn approve(&self, by: &str, number: u64);
    fn merge_by_a_person(&self, by: &str, number: u64) -> CommitId;
    /// The numbers of all requests, in the order in which they were opened, and whether they are open.
    fn numbers(&self) -> Vec<(u64, bool)>;
    /// Every status of a commit, oldest first: context, state, description.
    fn statuses(&self, of: CommitId) -> Vec<[String; 3]>;
    /// What Towpath wrote under a request.
    fn comments(&self, number: u64) -> Vec<String>;
    /// Title and description of a request.
    fn described(&self, number: u64) -> (String, String);
    /// Somebody archives the repository.
    fn archive(&self);
    /// Every exchange was as described, and there were at least so many.
    fn assert_good(&self, exchanges: usize);
    /// It allows so many calls an hour, where it counts them.
    fn allow(&self, _: u64) {}
    /// Ana pushed that commit.
    fn pushed(&self, _: CommitId) {}
    /// The address of the commit's author is that of this account's, or of nobody's.
    fn attributes(&self, author_of: CommitId, login: Option<&str>);
    /// How often it was asked for the authors of commits.
    fn asked_for_authors(&self) -> usize;

    fn tip(&self, branch: &str) -> CommitId {
        self.with(|repo| repo.tip(branch)).expect("a branch")
    }

    fn push(&self, branch: &str, file: &str) -> CommitId {
        let made = self.with(|repo| {
            let parent = repo.tip(branch).expect("a branch");
            repo.commit(&[parent], branch, &[(file, file)])
        });
        self.pushed(made);
        made
    }

    fn parents(&self, commit: CommitId) -> Vec<CommitId> {
        let line = self.with(|repo| repo.git(["rev-list", "--parents", "-n1", &commit.to_string()]));
        line.split_whitespace().skip(1).map(|id| id.parse().expect("an id")).collect()
    }

    /// What Towpath says of a commit and an environment: state and description.
    fn says(&self, of: CommitId, env: &str) -> (String, String) {
        let context = format!("towpath/{}/{env}", Self::FLOW);
        let mut all = self.statuses(of).into_iter().filter(|[on, ..]| *on == context);
        all.next_back().map_or_else(Default::default, |[_, state, text]| (state, text))
    }

    /// How many requests there ever were.
    fn requests(&self) -> usize {
        self.numbers().len()
    }

    /// The number of the n-th request.
    fn number(&self, nth: usize) -> u64 {
        self.numbers()[nth - 1].0
    }

    /// The open ones: which it is, counted from one, and where the request branch is.
    fn open_requests(&self) -> Vec<(usize, CommitId)> {
        let numbers = self.numbers();
        let open = numbers.iter().enumerate().filter(|(_, (_, open))| *open);
        open.map(|(at, _)| (at + 1, self.tip(&format!("towpath/{}/production", Self::FLOW)))).collect()
    }
}

/// GitHub.
pub struct GitHub(pub(super) Server);

impl GitHub {
    /// How many tokens of an hour the App was given.
    pub fn minted(&self) -> u32 {
        self.0.state().minted
    }
}

impl Host for GitHub {
    const APPROVED: bool = false;

    async fn new() -> Self {
        let server = Server::new(github::key_of_the_app()).await;
        {
            let state = server.state();
            let root = state.repo.commit(&[], "develop", &[("README", "one")]);
            state.repo.set("staging", root);
            state.repo.set("master", root);
        }
        Self(server)
    }

    fn url(&self) -> &str {
        &self.0.url
    }

    fn token(&self) -> String {
        "ghp_test\n".to_owned()
    }

    fn now(&self) -> Instant {
        Instant(self.0.state().now)
    }

    fn pass(&self, span: Span) {
        self.0.state().now += span.ms();
    }

    fn with<T>(&self, look: impl FnOnce(&Repo) -> T) -> T {
        look(&self.0.state().repo)
    }

    fn green(&self, commit: CommitId, on: &str, checks: &[&str]) {
        let mut state = self.0.state();
        let suite = state.suite(commit, Some(on), Some("success"));
        for check in checks {
            state.run(suite, check, Some("success"));
        }
    }

    fn approve(&self, by: &str, number: u64) {
        self.0.state().review(number, by, "APPROVED");
    }

    fn merge_by_a_person(&self, by: &str, number: u64) -> CommitId {
        self.0.state().merge(number, by)
    }

    fn numbers(&self) -> Vec<(u64, bool)> {
        self.0.state().pulls.values().map(|pull| (pull.number, pull.open)).collect()
    }

    fn statuses(&self, of: CommitId) -> Vec<[String; 3]> {
        let state = self.0.state();
        let of = state.statuses.iter().filter(|status| status.sha == of);
        of.map(|s| [s.context.clone(), s.state.clone(), s.description.clone().unwrap_or_default()]).collect()
    }

    fn comments(&self, number: u64) -> Vec<String> {
        let state = self.0.state();
        let ours = state
            .comments
            .iter()
            .filter(|comment| comment.pull == number && comment.by.trim_end_matches("[bot]") == "towpath");
        ours.map(|comment| comment.body.clone()).collect()
    }

    fn described(&self, number: u64) -> (String, String) {
        let state = self.0.state();
        let pull = &state.pulls[&number];
        (pull.title.clone(), pull.body.clone())
    }

    fn archive(&self) {
        self.0.state().archived = true;
    }

    fn allow(&self, calls: u64) {
        let mut state = self.0.state();
        (state.limit, state.left) = (calls, calls);
    }

    fn assert_good(&self, exchanges: usize) {
        self.0.assert_good(exchanges, 1);
    }

    fn attributes(&self, author_of: CommitId, login: Option<&str>) {
        self.0.state().authors.insert(author_of, vec![login.map(str::to_owned)]);
    }

    fn asked_for_authors(&self) -> usize {
        self.0.asked("object(")
    }
}

/// Gitea and Forgejo.
pub struct Gitea(pub Place);

impl Host for Gitea {
    const APPROVED: bool = true;

    async fn new() -> Self {
        Self(Place::new().await)
    }

    fn url(&self) -> &str {
        &self.0.url
    }

    fn token(&self) -> String {
        "token-of-towpath\n".to_owned()
    }

    fn now(&self) -> Instant {
        Instant(self.0.state().now)
    }

    fn pass(&self, span: Span) {
        self.0.state().now += span.ms();
    }

    fn with<T>(&self, look: impl FnOnce(&Repo) -> T) -> T {
        look(&self.0.state().repo)
    }

    fn green(&self, commit: CommitId, _: &str, checks: &[&str]) {
        for check in checks {
            self.0.state().report(Some("ana"), commit, check, "success");
        }
    }

    fn approve(&self, by: &str, number: u64) {
        self.0.state().review(by, number, "APPROVED");
    }

    fn merge_by_a_person(&self, by: &str, number: u64) -> CommitId {
        self.0.state().merge(by, number, "merge").expect("merged")
    }

    fn numbers(&self) -> Vec<(u64, bool)> {
        self.0.state().pulls.iter().map(|pull| (pull.number, !pull.closed)).collect()
    }

    fn statuses(&self, of: CommitId) -> Vec<[String; 3]> {
        let state = self.0.state();
        let of = state.rows.iter().filter(|row| row.sha == of);
        of.map(|row| [row.context.clone(), row.state.clone(), row.description.clone()]).collect()
    }

    fn comments(&self, number: u64) -> Vec<String> {
        let mut state = self.0.state();
        let ours = state.pull(number).comments.iter().filter(|comment| comment.by == "towpath");
        ours.map(|comment| comment.body.clone()).collect()
    }

    fn described(&self, number: u64) -> (String, String) {
        let mut state = self.0.state();
        let pull = state.pull(number);
        (pull.title.clone(), pull.body.clone())
    }

    fn archive(&self) {
        self.0.state().settings.archived = true;
    }

    fn assert_good(&self, exchanges: usize) {
        self.0.watch.assert_good(exchanges);
    }

    fn pushed(&self, _: CommitId) {
        self.0.state().notice();
    }

    fn attributes(&self, author_of: CommitId, login: Option<&str>) {
        self.0.state().authors.insert(author_of, login.map(str::to_owned));
    }

    fn asked_for_authors(&self) -> usize {
        self.0.calls("/git/commits/")
    }
}

/// GitLab.
pub struct GitLab(pub(super) gitlab::Place);

impl GitLab {
    /// What its webhook has to deliver, signed now or carrying the token; forgotten if nobody wants it.
    pub fn deliveries(&self, secret: &str, wanted: bool) -> Vec<gitlab::Delivery> {
        let now = self.0.state().now;
        self.0.state().now = towpath::clock::Clock::System.reading().wall.0;
        let all = self.0.deliveries(secret);
        self.0.state().now = now;
        if wanted { all } else { Vec::new() }
    }
}

impl Host for GitLab {
    const PATH: &str = gitlab::state::PATH;
    const BRANCHES: [&str; 3] = ["main", "pre-production", "production"];
    const FLOW: &str = "web";
    const APPROVED: bool = true;

    async fn new() -> Self {
        let place = gitlab::Place::new().await;
        for branch in Self::BRANCHES {
            place.set(branch, place.root);
        }
        // A Monday, ten in the morning in Warsaw: the window is open.
        place.state().now = 1_795_424_400_000;
        Self(place)
    }

    fn url(&self) -> &str {
        &self.0.url
    }

    fn token(&self) -> String {
        "token-of-towpath\n".to_owned()
    }

    fn now(&self) -> Instant {
        Instant(self.0.state().now)
    }

    fn pass(&self, span: Span) {
        self.0.state().now += span.ms();
    }

    fn with<T>(&self, look: impl FnOnce(&Repo) -> T) -> T {
        look(&self.0.state().repo)
    }

    fn green(&self, commit: CommitId, on: &str, checks: &[&str]) {
        let mut state = self.0.state();
        let pipeline = state.pipeline("push", commit, on, "created");
        for check in checks {
            state.job(pipeline, check, "success", false);
        }
    }

    fn approve(&self, by: &str, number: u64) {
        self.0.state().approve(by, number);
    }

    fn merge_by_a_person(&self, by: &str, number: u64) -> CommitId {
        let mut state = self.0.state();
        // The project's method is what it is for everybody.
        state.settings.method = "merge";
        state.merge(by, number, false).expect("merged")
    }

    fn numbers(&self) -> Vec<(u64, bool)> {
        self.0.state().requests.iter().map(|request| (request.iid, request.state == "opened")).collect()
    }

    fn statuses(&self, of: CommitId) -> Vec<[String; 3]> {
        let state = self.0.state();
        let on: Vec<u64> = state.pipelines.iter().filter(|p| p.sha == of).map(|p| p.id).collect();
        let of = state.jobs.iter().filter(|job| on.contains(&job.pipeline) && job.by.is_some());
        of.map(|job| [job.name.clone(), job.status.clone(), job.description.clone().unwrap_or_default()]).collect()
    }

    fn comments(&self, number: u64) -> Vec<String> {
        let mut state = self.0.state();
        let ours = state.request(number).notes.iter().filter(|note| note.by == "towpath" && !note.system);
        ours.map(|note| note.body.clone()).collect()
    }

    fn described(&self, number: u64) -> (String, String) {
        let mut state = self.0.state();
        let request = state.request(number);
        (request.title.clone(), request.body.clone())
    }

    fn archive(&self) {
        self.0.state().settings.archived = true;
    }

    fn assert_good(&self, exchanges: usize) {
        self.0.watch.assert_good(exchanges);
    }

    fn pushed(&self, commit: CommitId) {
        let mut state = self.0.state();
        state.authors.insert(commit, "ana".to_owned());
        state.notice();
    }

    fn attributes(&self, author_of: CommitId, login: Option<&str>) {
        let authors = &mut self.0.state().authors;
        match login {
            Some(login) => drop(authors.insert(author_of, login.to_owned())),
            None => drop(authors.remove(&author_of)),
        }
    }

    fn asked_for_authors(&self) -> usize {
        self.0.calls("/api/graphql")
    }
}
