//! Gitea and Forgejo.
//!
//! One adapter for both: Forgejo still speaks Gitea's API, and says which version of it. What differs
//! is asked of the server ([`version`]) or seen in its answers, never taken from the config's `kind`.
//!
//! | file | what it is about |
//! |---|---|
//! | [`api`] | calls, lists to their last page, what the server is |
//! | [`wire`] | the JSON, as far as it is read |
//! | [`checks`] | commit statuses, and the table of what their words mean |
//! | [`required`] | what a branch requires, and the branches |
//! | [`moves`] | branches moved forward |
//! | [`requests`], [`asking`], [`reviews`], [`merge`] | pull requests |
//! | [`talk`] | our comment and statuses, teams |
//! | [`authors`] | who wrote commits |
//! | [`said`] | comments of people, their rights, our reactions |
//! | [`repositories`] | which repositories there are |
//! | [`hook`] | webhooks |
//! | [`doctor`], [`force`], [`started`] | what is not as Towpath needs it |
//!
//! Gitea 1.26 and newer have a call that moves a branch; older ones and Forgejo have none, and branches are moved by
//! `git push` with a lease there. The server itself makes a push of the call, so both obey the same protections.
//!
//! Facts come from the source of go-gitea/gitea and from Forgejo's `swagger.v1.json`; each is noted
//! where it is used, and `docs/gitea.md` says what was never tried against a real server.
//!
//! Not here: HTTP (`forge::client`), git, policy, sentences for people.

mod api;
mod asking;
mod authors;
mod checks;
mod doctor;
mod force;
mod hook;
mod merge;
mod moves;
mod repositories;
mod requests;
mod required;
mod reviews;
mod said;
mod started;
mod talk;
mod version;
mod wire;

use async_trait::async_trait;
use towpath_core::act::PushAnswer;
use towpath_core::model::{AuthorLogins, BranchName, CommitId, Span, Unknown, UnknownWhy};

use super::client::{Client, Fault, TokenPlace};
use super::{
    CallFault, CheckSeen, Finding, Forge, HookRefused, HookSeen, MergeHow, Permission, Proposal, Reaction,
    RepoPath, RepoSeen, RequestSeen, Required, StatusLine, Ways, carries,
};
use api::Api;
use merge::Ends;

/// A Gitea or Forgejo server, as one user.
#[derive(Debug)]
pub struct Gitea {
    api: Api,
}

impl Gitea {
    /// The server at `url` (where its start page is, `https://git.example.com` or with a path), as the
    /// user of `token`. Calls nothing.
    ///
    /// # Errors
    /// [`Fault::Credential`] if `url` is none.
    pub fn new(url: &str, token: impl Into<TokenPlace>, client: Client) -> Result<Self, Fault> {
        // <https://docs.gitea.com/development/api-usage>: `Authorization: token …`.
        Ok(Self { api: Api::new(url, token.into(), client)? })
    }

    /// Every branch of a repository and its tip.
    ///
    /// # Errors
    /// If the list could not be read to its last page. Right after a push Gitea may answer `null`;
    /// that is not an empty repository.
    pub async fn branches(&self, repo: &RepoPath) -> Result<Vec<(BranchName, CommitId)>, Unknown> {
        required::branches(&self.api, repo).await
    }
}

#[async_trait]
impl Forge for Gitea {
    fn git_url(&self, repo: &RepoPath) -> String {
        format!("{}/{repo}.git", self.api.base())
    }

    async fn checks(&self, repo: &RepoPath, commit: CommitId) -> Result<Vec<CheckSeen>, Unknown> {
        checks::read(&self.api, repo, commit).await.map_err(Fault::unknown)
    }

    async fn required(&self, repo: &RepoPath, branch: &BranchName) -> Result<Required, Unknown> {
        required::required(&self.api, repo, branch).await
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

    async fn ask_reviewers(&self, repo: &RepoPath, number: u64, reviewers: &[String]) -> Result<(), CallFault> {
        asking::ask(&self.api, repo, number, reviewers).await
    }

    async fn describe(&self, repo: &RepoPath, number: u64, proposal: &Proposal) -> Result<(), CallFault> {
        requests::describe(&self.api, repo, number, proposal).await
    }

    async fn ways(&self, repo: &RepoPath, base: &BranchName) -> Result<Ways, Unknown> {
        merge::ways(&self.api, repo, base).await.map_err(Fault::unknown)
    }

    async fn authors(&self, repo: &RepoPath, commits: &[CommitId]) -> Result<AuthorLogins, Unknown> {
        authors::authors(&self.api, repo, commits).await
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

    async fn advance(
        &self,
        repo: &RepoPath,
        branch: &BranchName,
        from: CommitId,
        to: CommitId,
    ) -> Option<PushAnswer> {
        moves::advance(&self.api, repo, branch, from, to).await
    }

    async fn close(&self, repo: &RepoPath, number: u64, head: CommitId) -> Result<(), CallFault> {
        requests::close(&self.api, repo, number, head).await
    }

    async fn comment(&self, repo: &RepoPath, number: u64, marker: &str, body: &str) -> Result<(), CallFault> {
        talk::comment(&self.api, repo, number, marker, body).await
    }

    async fn permission(&self, repo: &RepoPath, login: &str) -> Result<Permission, Unknown> {
        said::permission(&self.api, repo, login).await.map_err(Fault::unknown)
    }

    async fn react(&self, repo: &RepoPath, _: u64, comment: u64, reaction: Reaction) -> Result<(), CallFault> {
        said::react(&self.api, repo, comment, reaction).await.map_err(Fault::call)
    }

    async fn whoami(&self) -> Result<String, Unknown> {
        let name = self.api.whoami().await.map_err(Fault::unknown)?;
        let words = "user: it has no login".to_owned();
        name.ok_or_else(|| Unknown::passing(UnknownWhy::Unreadable { words }))
    }

    async fn status(&self, repo: &RepoPath, commit: CommitId, line: &StatusLine) -> Result<(), CallFault> {
        talk::status(&self.api, repo, commit, line).await
    }

    async fn members(&self, repo: &RepoPath, team: &str) -> Result<Vec<String>, Unknown> {
        talk::members(&self.api, repo, team).await
    }

    async fn findings(&self, repo: &RepoPath, targets: &[(BranchName, bool)]) -> Vec<Finding> {
        doctor::findings(&self.api, repo, targets).await
    }

    async fn against_rollback(&self, repo: &RepoPath, branch: &BranchName) -> Option<Finding> {
        force::against(&self.api, repo, branch).await
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
        hook::verify(headers, body, secrets)
    }
}

/// `repos/OWNER/NAME/…`. A path with other than two parts is no repository here, and the server says so.
fn path<'a>(repo: &'a RepoPath, rest: &[&'a str]) -> Vec<&'a str> {
    std::iter::once("repos").chain(repo.parts()).chain(rest.iter().copied()).collect()
}
