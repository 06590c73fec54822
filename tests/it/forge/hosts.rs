//! The forges of the tests as the days of `e2e.rs` use them: the same few things that people do on each.

use towpath_core::model::{CommitId, Instant, Span};

use super::gitea::Place;
use super::github::{self, server::Server};
use crate::support::git_fixture::Repo;

/// A forge with the repository `shop/checkout`: `develop`, `staging` and `master` at one commit.
pub trait Host: Sized {
    async fn new() -> Self;
    /// What goes into the config: its address, and the bot's token.
    fn url(&self) -> &str;
    fn token(&self) -> String;
    fn now(&self) -> Instant;
    /// Its clock goes on.
    fn pass(&self, span: Span);
    /// The repository, for as long as nothing is awaited.
    fn with<T>(&self, look: impl FnOnce(&Repo) -> T) -> T;
    /// CI says that a check of the commit is green.
    fn green(&self, commit: CommitId, check: &str);
    fn approve(&self, by: &str, number: u64);
    fn merge_by_a_person(&self, by: &str, number: u64) -> CommitId;
    /// The numbers of all requests, in the order in which they were opened, and whether they are open.
    fn numbers(&self) -> Vec<(u64, bool)>;
    /// Every exchange was as described, and there were at least so many.
    fn assert_good(&self, exchanges: usize);
    /// Notices a push.
    fn pushed(&self) {}

    fn tip(&self, branch: &str) -> CommitId {
        self.with(|repo| repo.tip(branch)).expect("a branch")
    }

    fn push(&self, branch: &str, file: &str) -> CommitId {
        let made = self.with(|repo| {
            let parent = repo.tip(branch).expect("a branch");
            repo.commit(&[parent], branch, &[(file, file)])
        });
        self.pushed();
        made
    }

    fn parents(&self, commit: CommitId) -> Vec<CommitId> {
        let line = self.with(|repo| repo.git(["rev-list", "--parents", "-n1", &commit.to_string()]));
        line.split_whitespace().skip(1).map(|id| id.parse().expect("an id")).collect()
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
        open.map(|(at, _)| (at + 1, self.tip("towpath/monolith/production"))).collect()
    }
}

/// GitHub.
pub struct GitHub(Server);

impl Host for GitHub {
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

    fn green(&self, commit: CommitId, check: &str) {
        let mut state = self.0.state();
        let suite = state.suite(commit, Some("develop"), Some("success"));
        state.run(suite, check, Some("success"));
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

    fn assert_good(&self, exchanges: usize) {
        self.0.assert_good(exchanges, 1);
    }
}

/// Gitea and Forgejo.
pub struct Gitea(Place);

impl Host for Gitea {
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

    fn green(&self, commit: CommitId, check: &str) {
        self.0.state().report(Some("ana"), commit, check, "success");
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

    fn assert_good(&self, exchanges: usize) {
        self.0.watch.assert_good(exchanges);
    }

    fn pushed(&self) {
        self.0.state().notice();
    }
}
