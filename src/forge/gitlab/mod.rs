//! GitLab: gitlab.com and self-managed.
//!
//! | file | what it is about |
//! |---|---|
//! | [`api`] | URLs, calls, lists to their last page |
//! | [`wire`] | the JSON, as far as it is read |
//! | [`checks`] | pipelines, jobs and statuses, and the table of what their words mean; what is required |
//! | [`requests`], [`approvals`], [`merge`] | merge requests |
//! | [`talk`] | our comment and statuses |
//! | [`said`] | comments of people, their rights, our reactions |
//! | [`people`] | groups, authors |
//! | [`repositories`] | which repositories there are |
//! | [`events`] | when branches moved |
//! | [`hook`] | webhooks |
//! | [`doctor`], [`started`] | what is not as Towpath needs it |
//!
//! Branches are moved by `git push` with a lease: GitLab's API has no call that moves one (it makes,
//! deletes and protects them).
//!
//! **Why not the crate `gitlab`.** It was wanted for its builders of calls. Without its client
//! (`client_api` switched off: that one sleeps in the thread between tries, repeats what we would not, and
//! does not know 429) a builder yields a method, a path and parameters. Here that is one function for paths and a
//! list of pairs, which the two other adapters have already; the structs of answers and of bodies are ours
//! in any case, because they decide. It would cost a second `base64`, `derive_builder` and its macros, and a third
//! way of writing calls beside the two that are read here. (0.1905.0, read in its source.)
//!
//! Facts come from <https://docs.gitlab.com/api/>, from the source of gitlabhq/gitlabhq where a file is
//! named, and from issues of gitlab-org/gitlab by number; `docs/gitlab.md` says what was never tried
//! against a real server.
//!
//! Not here: HTTP (`forge::client`), git, policy, sentences for people.

mod api;
mod approvals;
mod checks;
mod doctor;
mod events;
mod hook;
mod merge;
mod people;
mod repositories;
mod requests;
mod said;
mod started;
mod talk;
mod wire;

use async_trait::async_trait;
use towpath_core::act::PushAnswer;
use towpath_core::model::{AuthorLogins, BranchName, CommitId, Span, Unknown, UnknownWhy};

use super::client::{Client, Fault, TokenPlace};
use super::{
    CallFault, CheckSeen, Finding, Forge, HookRefused, HookSeen, MergeHow, Permission, Proposal, Pushed, Reaction,
    RepoPath, RepoSeen, RequestSeen, Required, StatusLine, Ways, carries,
};
use crate::clock::Clock;
use api::Api;
use merge::Ends;

/// A GitLab, as one user.
#[derive(Debug)]
pub struct GitLab {
    api: Api,
    authors: people::Kept,
}

impl GitLab {
    /// The GitLab at `url` (where its start page is, `https://gitlab.com` or with a path), as the user of
    /// `token`. Calls nothing. `clock` says whether a signed webhook is fresh.
    ///
    /// # Errors
    /// [`Fault::Credential`] if `url` is none.
    pub fn new(url: &str, token: impl Into<TokenPlace>, client: Client, clock: Clock) -> Result<Self, Fault> {
        // <https://docs.gitlab.com/api/rest/authentication/>: personal, project, group and OAuth tokens alike.
        Ok(Self { api: Api::new(url, token.into(), client, clock)?, authors: people::Kept::default() })
    }
}

#[async_trait]
impl Forge for GitLab {
    fn git_url(&self, repo: &RepoPath) -> String {
        format!("{}/{repo}.git", self.api.base())
    }

    fn compare_url(&self, repo: &RepoPath, from: CommitId, to: CommitId) -> String {
        format!("{}/{repo}/-/compare/{from}...{to}", self.api.base())
    }

    async fn checks(&self, repo: &RepoPath, commit: CommitId) -> Result<Vec<CheckSeen>, Unknown> {
        checks::read(&self.api, repo, commit).await.map_err(Fault::unknown)
    }

    async fn required(&self, repo: &RepoPath, _: &BranchName) -> Result<Required, Unknown> {
        checks::required(&self.api, repo).await
    }

    async fn requests(
        &self,
        repo: &RepoPath,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Vec<RequestSeen>, Unknown> {
        requests::find(&self.api, repo, head, base).await.map_err(Fault::unknown)
    }

    async fn open(&self, repo: &RepoPath, proposal: &Proposal) -> Result<u64, CallFault> {
        requests::open(&self.api, repo, proposal).await
    }

    async fn ask_reviewers(&self, repo: &RepoPath, number: u64, names: &[String]) -> Result<(), CallFault> {
        requests::ask_reviewers(&self.api, repo, number, names).await
    }

    async fn describe(&self, repo: &RepoPath, number: u64, proposal: &Proposal) -> Result<(), CallFault> {
        requests::describe(&self.api, repo, number, proposal).await
    }

    async fn ways(&self, repo: &RepoPath, _: &BranchName) -> Result<Ways, Unknown> {
        merge::ways(&self.api, repo).await
    }

    async fn pushes(&self, repo: &RepoPath, branch: &BranchName) -> Result<Vec<Pushed>, Unknown> {
        events::pushes(&self.api, repo, branch).await.map_err(Fault::unknown)
    }

    async fn authors(&self, repo: &RepoPath, commits: &[CommitId]) -> Result<AuthorLogins, Unknown> {
        people::authors(&self.api, &self.authors, repo, commits).await
    }

    async fn account(&self, address: &str) -> Result<Option<String>, Unknown> {
        people::account(&self.api, address).await.map_err(Fault::unknown)
    }

    async fn merge(
        &self,
        repo: &RepoPath,
        number: u64,
        base: &BranchName,
        onto: CommitId,
        head: CommitId,
        how: MergeHow,
    ) -> PushAnswer {
        merge::merge(&self.api, repo, number, &Ends { base, onto, head }, how).await
    }

    async fn comment(&self, repo: &RepoPath, number: u64, marker: &str, body: &str) -> Result<(), CallFault> {
        talk::comment(&self.api, repo, number, marker, body).await
    }

    async fn permission(&self, repo: &RepoPath, login: &str) -> Result<Permission, Unknown> {
        said::permission(&self.api, repo, login).await.map_err(Fault::unknown)
    }

    async fn react(&self, repo: &RepoPath, number: u64, comment: u64, reaction: Reaction) -> Result<(), CallFault> {
        said::react(&self.api, repo, number, comment, reaction).await
    }

    async fn whoami(&self) -> Result<String, Unknown> {
        let name = self.api.whoami().await.map_err(Fault::unknown)?.username;
        let words = "user: it has no username".to_owned();
        name.ok_or_else(|| Unknown::passing(UnknownWhy::Unreadable { words }))
    }

    async fn status(&self, repo: &RepoPath, commit: CommitId, line: &StatusLine) -> Result<(), CallFault> {
        talk::status(&self.api, repo, commit, line).await
    }

    async fn members(&self, repo: &RepoPath, team: &str) -> Result<Vec<String>, Unknown> {
        people::members(&self.api, repo, team).await
    }

    async fn findings(&self, repo: &RepoPath, targets: &[(BranchName, bool)]) -> Vec<Finding> {
        doctor::findings(&self.api, repo, targets).await
    }

    async fn against_rollback(&self, repo: &RepoPath, branch: &BranchName) -> Option<Finding> {
        doctor::against_rollback(&self.api, repo, branch).await
    }

    async fn repositories(&self) -> Result<Vec<RepoSeen>, Fault> {
        repositories::listed(&self.api).await
    }

    fn rests(&self) -> Option<Span> {
        self.api.rests()
    }

    fn is_signed(&self, headers: &::http::HeaderMap) -> bool {
        carries(headers, &hook::SIGNATURES)
    }

    fn hook(&self, headers: &::http::HeaderMap, body: &[u8], secrets: &[String]) -> Result<HookSeen, HookRefused> {
        hook::verify(headers, body, secrets, self.api.clock.reading().wall)
    }
}
