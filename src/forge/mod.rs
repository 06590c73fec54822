//! What a forge tells and does beyond git: results of checks, merge requests, approvals, statuses.
//!
//! A forge is one folder or file here and one row of the table of kinds. An adapter turns the forge's answers
//! into the values of [`seen`] and [`said`], and our wishes into its calls, over one HTTP layer (`client`); the tables of what a
//! forge's words mean (is `skipped` green?) are part of it, each beside its source.
//!
//! What does not belong here: policy (an adapter never says whether something may move), git (it
//! moves branches wherever a forge has no compare-and-swap of its own, or the config says so), the store, and sentences
//! for people. Adapters know neither each other nor anything else of this package but `secret` and
//! `clock`.

pub mod client;
pub mod gitea;
pub mod github;
pub mod gitlab;
pub mod said;
pub mod seen;

use std::fmt::Debug;

use async_trait::async_trait;
use towpath_core::act::PushAnswer;
use towpath_core::model::{BranchName, CommitId, Span, Unknown, UnknownWhy};
pub use towpath_core::model::{MergeHow, Ways};

use crate::secret::Secret;

pub use said::{CommentSeen, Permission, Reaction, SAID_MAX};
pub use seen::{
    ApprovalSeen, Aside, CallFault, CheckSeen, Finding, HeadBound, HookRefused, HookSeen, Proposal, Pushed,
    RepoPath, RepoSeen, RequestSeen, RequestState, Required, StatusLine, StatusState,
};

/// How many repositories a list may have; one that has more is not read to its end, and nothing of it counts.
pub const REPOSITORIES_MAX: usize = 20_000;

/// Of how many commits a forge is asked for the authors at once.
pub const AUTHORS_MAX: usize = 2_000;

/// Whether these are no more commits than a forge is asked for the authors of.
///
/// # Errors
/// How many too many they are, which a person has to mend.
pub fn few_enough(commits: &[CommitId], most: usize) -> Result<(), Unknown> {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    if commits.len() <= most {
        return Ok(());
    }
    Err(Unknown::lasting(UnknownWhy::ManyAuthors { commits: number(commits.len()), most: number(most) }))
}

/// What every forge can be asked, and asked to do. Reads answer [`Unknown`] where the forge did not
/// tell: an adapter never guesses, and a list that it could not read to its last page is unknown.
///
/// Calls that change something may have been carried out although their answer was lost; whoever
/// calls them looks for the effect before calling again.
#[async_trait]
pub trait Forge: Debug + Send + Sync {
    /// Where git finds the repository.
    fn git_url(&self, repo: &RepoPath) -> String;

    /// Name and password for git over https, where only the adapter can make them; elsewhere the config
    /// has a token.
    async fn git_login(&self) -> Result<(String, Secret), client::Fault> {
        Err(client::Fault::Credential { words: "there is none for git".to_owned() })
    }

    /// Git was refused with what [`Forge::git_login`] gave: where the adapter makes tokens, the next one is another.
    async fn git_refused(&self) {}

    /// The page on which two commits are compared.
    fn compare_url(&self, repo: &RepoPath, from: CommitId, to: CommitId) -> String {
        let page = self.git_url(repo);
        format!("{}/compare/{from}...{to}", page.strip_suffix(".git").unwrap_or(&page))
    }

    /// Every result of a check of exactly that commit, to the last page, raw: the newest for each
    /// name, origin and reference. Statuses that Towpath wrote (`towpath/…`) are left out.
    async fn checks(&self, repo: &RepoPath, commit: CommitId) -> Result<Vec<CheckSeen>, Unknown>;

    /// The checks that the forge itself requires on the branch.
    async fn required(&self, repo: &RepoPath, branch: &BranchName) -> Result<Required, Unknown>;

    /// Every request from `head` into `base`, of whatever state, newest first; the closed ones may be
    /// limited to the newest.
    async fn requests(
        &self,
        repo: &RepoPath,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Vec<RequestSeen>, Unknown>;

    /// Opens a request; answers its number. Who is to review is asked by [`Forge::ask_reviewers`], but where one call does both.
    async fn open(&self, repo: &RepoPath, proposal: &Proposal) -> Result<u64, CallFault>;

    /// Asks those for a review who neither are asked nor have reviewed: login names, and teams with an `@`. Whom the forge
    /// refuses is logged and left, so that one wrong name keeps nobody else from being asked. Nothing where
    /// [`Forge::open`] asks in the call that opens.
    ///
    /// # Errors
    /// If not each of them was answered for; whoever calls calls again, and nobody is asked twice.
    async fn ask_reviewers(&self, _: &RepoPath, _: u64, _: &[String]) -> Result<(), CallFault> {
        Ok(())
    }

    /// Brings title, body and labels of a request up to date; calls nothing where they are.
    async fn describe(&self, repo: &RepoPath, number: u64, proposal: &Proposal) -> Result<(), CallFault>;

    /// Which ways of merging the project permits into `base`, so that the commit stays the same.
    async fn ways(&self, repo: &RepoPath, base: &BranchName) -> Result<Ways, Unknown>;

    /// The movements of a branch that the forge keeps, the newest first, as many as it tells at once; none where
    /// it keeps none that say where the branch was.
    async fn pushes(&self, _: &RepoPath, _: &BranchName) -> Result<Vec<Pushed>, Unknown> {
        Ok(Vec::new())
    }

    /// The login names of the authors of these commits, children before parents, and whether the forge knows some of
    /// them not. Of more than it asks for at once, [`AUTHORS_MAX`] or fewer, nothing is known.
    async fn authors(
        &self,
        repo: &RepoPath,
        commits: &[CommitId],
    ) -> Result<towpath_core::model::AuthorLogins, Unknown>;

    /// The login name of the account that the forge shows as the author of a commit, or as that one of its co-authors
    /// whom the commit names by this address. None where it shows none, which proves nothing. Whose address it is the
    /// forge says, who wrote the commit only the commit: it names people, and proves nothing of them.
    ///
    /// # Errors
    /// If it could not be asked.
    async fn author(
        &self,
        repo: &RepoPath,
        commit: CommitId,
        co_author: Option<&str>,
    ) -> Result<Option<String>, Unknown> {
        if let Some(address) = co_author {
            return self.account(address).await;
        }
        let told = self.authors(repo, &[commit]).await?;
        let mut logins = told.logins.into_iter();
        let only = logins.next().filter(|_| !told.unlinked && logins.next().is_none());
        Ok(only.map(|login| login.to_string()))
    }

    /// Whether [`Forge::authors`] has the accounts of `Co-authored-by:` lines, too.
    fn tells_co_authors(&self) -> bool {
        false
    }

    /// The login name of the account that has this address, lower-cased, confirmed by the forge; none where it does not
    /// tell, which proves nothing.
    ///
    /// # Errors
    /// If it could not be asked.
    async fn account(&self, _: &str) -> Result<Option<String>, Unknown> {
        Ok(None)
    }

    /// Merges a request whose head must be exactly `head` into `base`, which must be exactly at `onto`,
    /// or does nothing. A fast-forward is a compare-and-swap from `onto`; no forge has one for merge
    /// commits, so there `onto` is looked at just before. Whatever it answers, only the branch itself
    /// is believed afterwards.
    async fn merge(
        &self,
        repo: &RepoPath,
        number: u64,
        base: &BranchName,
        onto: CommitId,
        head: CommitId,
        how: MergeHow,
    ) -> PushAnswer;

    /// Moves a branch forward from exactly `from` to `to`, or does nothing: one compare-and-swap of the forge's own, never
    /// forced. Whoever calls it has proven that `to` is a descendant of `from`. Whatever it answers, only the branch
    /// itself is believed afterwards.
    ///
    /// None where this forge, or the version that runs there, has no such call: then nothing was asked to change, and
    /// git may push. A refusal is none, and neither is an answer that leaves a doubt.
    async fn advance(&self, _: &RepoPath, _: &BranchName, _: CommitId, _: CommitId) -> Option<PushAnswer> {
        None
    }

    /// Closes a request whose head is exactly `head` without merging it; nothing where it is merged or closed already. Only
    /// where a push of its head to its base leaves it open ([`Ways::push`]).
    async fn close(&self, _: &RepoPath, _: u64, _: CommitId) -> Result<(), CallFault> {
        Err(CallFault::Refused { words: "Towpath closes no requests on this forge".to_owned() })
    }

    /// Writes our one comment on a request that begins with `marker`: edits it where it exists. A marker that is
    /// the beginning of another one finds that one's comment, too: let each end in `-->`.
    async fn comment(&self, repo: &RepoPath, number: u64, marker: &str, body: &str) -> Result<(), CallFault>;

    /// What somebody may do in the repository, asked of the forge now: nothing is remembered. An account that
    /// there is not, or that the forge blocks, may do nothing; whatever else the forge does not tell is unknown, and
    /// whoever asked refuses.
    async fn permission(&self, _: &RepoPath, _: &str) -> Result<Permission, Unknown> {
        let words = "this forge cannot be asked what somebody may do".to_owned();
        Err(Unknown::lasting(UnknownWhy::Unreadable { words }))
    }

    /// Puts a reaction of ours on a comment (its number is [`CommentSeen::id`]) under the request of that number.
    /// Where it stands already all is well. Nothing depends on it.
    async fn react(&self, _: &RepoPath, _: u64, _: u64, _: Reaction) -> Result<(), CallFault> {
        Err(CallFault::Refused { words: "this forge has no reactions".to_owned() })
    }

    /// The login name that we have there: what that account says is no command, whatever it reads like.
    async fn whoami(&self) -> Result<String, Unknown> {
        let words = "this forge cannot be asked who we are".to_owned();
        Err(Unknown::lasting(UnknownWhy::Unreadable { words }))
    }

    /// Sets a commit status of ours.
    async fn status(&self, repo: &RepoPath, commit: CommitId, line: &StatusLine) -> Result<(), CallFault>;

    /// The login names of a team's members. `team` is written as in the config, without the `@`.
    async fn members(&self, repo: &RepoPath, team: &str) -> Result<Vec<String>, Unknown>;

    /// What on the forge's side is not as Towpath needs it, for `doctor`: `targets` are the branches
    /// that it is to move, and whether by request.
    async fn findings(&self, repo: &RepoPath, targets: &[(BranchName, bool)]) -> Vec<Finding>;

    /// What the forge says against a rollback of that branch, for `doctor`: it goes back, which a forge takes for a push
    /// with force and mostly refuses on a protected branch. Nothing where it says nothing against it.
    async fn against_rollback(&self, _: &RepoPath, _: &BranchName) -> Option<Finding> {
        None
    }

    /// Every repository that our credential was given a right to, to the last page, in no certain order, and some
    /// perhaps twice. Not the public ones of others. A list of more than [`REPOSITORIES_MAX`] is a fault.
    ///
    /// # Errors
    /// If the list could not be read whole, or there is none.
    async fn repositories(&self) -> Result<Vec<RepoSeen>, client::Fault> {
        Err(client::Fault::Credential { words: "there is no list of repositories".to_owned() })
    }

    /// How long from now the forge wants no calls that only read: the flows on it rest until then. None
    /// where it wants them.
    fn rests(&self) -> Option<Span> {
        None
    }

    /// Whether headers carry anything like a signature: of what does not, nothing of the body is read.
    fn is_signed(&self, headers: &::http::HeaderMap) -> bool;

    /// Verifies a webhook over its raw bytes, in constant time and before anything is parsed, against
    /// any of the secrets, and says which repository it is about.
    ///
    /// # Errors
    /// Why it is refused.
    fn hook(&self, headers: &::http::HeaderMap, body: &[u8], secrets: &[String]) -> Result<HookSeen, HookRefused>;
}

/// The word in a title that says that a request is not ready, if it begins with one of these.
fn not_ready<'t>(title: &'t str, words: &[&str]) -> Option<&'t str> {
    let starts = |word: &&str| title.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word));
    words.iter().find_map(starts)
}

/// A title that keeps the mark of the one that was there: "not ready" is theirs to take away who said it.
fn keeps_mark(had: Option<&str>, wanted: &str, words: &[&str]) -> String {
    match had.and_then(|had| not_ready(had, words)) {
        Some(word) if not_ready(wanted, words).is_none() => format!("{word} {wanted}"),
        _ => wanted.to_owned(),
    }
}

/// Whether one of these headers is there and not empty.
fn carries(headers: &::http::HeaderMap, names: &[&str]) -> bool {
    names.iter().any(|name| headers.get(*name).is_some_and(|value| !value.is_empty()))
}
