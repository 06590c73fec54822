//! The forge of a scenario on real parts without any forge: a [`Book`] over the scenario's server. It is asked
//! through the same trait as the adapters of real forges.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use git2::{Oid, Repository, Signature, Time};
use tokio::runtime::Runtime;
use towpath::clock::{Clock, ManualClock};
use towpath::config::{Config, Moves};
use towpath::engine::RealWorld;
use towpath::engine::forges::OnForge;
use towpath::forge::{
    CallFault, CheckSeen, Finding, Forge, HookRefused, HookSeen, MergeHow, Proposal, RepoPath, RequestSeen,
    Required, StatusLine, Ways,
};
use towpath::git::Git;
use towpath::store::{Create, SqliteStore};
use towpath_core::act::PushAnswer;
use towpath_core::model::{AuthorLogins, BranchName, CommitId, Instant, RequiredCheck, Unknown};

use super::hosting::{Hosting, checker};
use super::real_stage::store_of;
use super::run::{FORGE, REPOSITORY};
use super::server::{NOBODY_THERE, Server};
use crate::support::book::{BY_MERGE, Book, Deed, Request, TEAMS};

/// A server of git and a [`Book`] of requests, behind an `ssh` of the test.
pub struct Plain {
    git: Git,
    forge: PlainForge,
}

impl Hosting for Plain {
    fn begin(runtime: &Runtime, _: Instant, ways: Ways) -> (Server, Self) {
        assert_eq!(ways, BY_MERGE, "the book of requests makes merge commits");
        let server = Server::new();
        let home = server.folder().join("cache/home");
        let git = Git::with_environment(&home, [("PATH".into(), server.path())]);
        let git = runtime.block_on(git).expect("git");
        let forge = PlainForge::new(server.repository().to_owned());
        (server, Self { git, forge })
    }

    fn named(&self, server: &Server, toml: &str) -> String {
        toml.replace(FORGE, &server.forge_url()).replace(REPOSITORY, &server.url())
    }

    fn world(&self, runtime: &Runtime, server: &Server, config: &Config, clock: &ManualClock) -> RealWorld {
        let store = runtime.block_on(SqliteStore::open(&store_of(server), Create::No)).expect("the store opens");
        let clock = Clock::Manual(clock.clone());
        let cache = server.folder().join("cache");
        let flow = config.flows[0].flow.name.clone();
        let forge = OnForge { forge: Arc::new(self.forge.clone()), repo: RepoPath::new("shop"), moves: Moves::Api };
        let world = RealWorld::new(config, store, clock, self.git.clone(), &cache, false);
        world.on(vec![(flow, Ok(forge))]).checked_by(checker())
    }

    fn person(&self, _: &Server, base: &str, deed: Deed, by: &str) -> Result<(), String> {
        self.forge.person(&base.into(), deed, by)
    }

    fn cut(&self, server: &Server, down: bool) {
        server.cut(down);
    }

    fn plain(&self, server: &Server, text: String) -> String {
        text.replace(&server.url(), REPOSITORY)
            .replace(&server.forge_url(), FORGE)
            .replace(NOBODY_THERE, "no route to host")
    }
}

#[derive(Debug, Clone)]
struct PlainForge {
    book: Arc<Mutex<Book>>,
    repository: PathBuf,
}

impl PlainForge {
    fn new(repository: PathBuf) -> Self {
        Self { book: Arc::default(), repository }
    }

    fn git(&self) -> Repository {
        Repository::open_bare(&self.repository).expect("the server's repository")
    }

    fn tip(&self, branch: &BranchName) -> Option<CommitId> {
        self.git().refname_to_id(&branch.full_ref()).ok().map(|oid| oid.to_string().parse().expect("an id"))
    }

    fn refreshed<T>(&self, then: impl FnOnce(&mut Book) -> T) -> T {
        let git = self.git();
        let oid = |id: CommitId| Oid::from_str(&id.to_string()).expect("an id");
        let contains =
            |a: CommitId, b: CommitId| a == b || git.graph_descendant_of(oid(a), oid(b)).unwrap_or(false);
        let mut book = self.book.lock().expect("nobody panics with it");
        book.refresh(|branch| self.tip(branch), contains);
        then(&mut book)
    }

    /// Puts a commit with the head's tree onto the base: a merge, or a squash.
    fn make(
        &self,
        base: &BranchName,
        head: CommitId,
        squash: bool,
        by: &str,
    ) -> Result<(CommitId, CommitId), git2::Error> {
        let git = self.git();
        let old = git.refname_to_id(&base.full_ref())?;
        let (target, head) = (git.find_commit(old)?, git.find_commit(Oid::from_str(&head.to_string())?)?);
        let who = Signature::new(by, &format!("{by}@example.com"), &Time::new(head.time().seconds() + 1, 0))?;
        let parents = if squash { vec![&target] } else { vec![&target, &head] };
        let made = git.commit(None, &who, &who, "promotion\n", &head.tree()?, &parents)?;
        git.reference(&base.full_ref(), made, true, "a request")?;
        let id = |oid: Oid| oid.to_string().parse().expect("an id");
        Ok((id(old), id(made)))
    }

    /// What a person does on the forge.
    fn person(&self, base: &BranchName, deed: Deed, by: &str) -> Result<(), String> {
        let request = self.refreshed(|book| book.does(base, deed, by))?;
        if let Deed::Merge | Deed::Squash = deed {
            let made = self.make(base, request.seen.head, deed == Deed::Squash, by);
            made.map_err(|why| why.to_string())?;
        }
        Ok(())
    }
}

#[async_trait]
impl Forge for PlainForge {
    fn git_url(&self, _: &RepoPath) -> String {
        self.repository.display().to_string()
    }

    async fn checks(&self, _: &RepoPath, _: CommitId) -> Result<Vec<CheckSeen>, Unknown> {
        Ok(Vec::new())
    }

    async fn required(&self, _: &RepoPath, _: &BranchName) -> Result<Required, Unknown> {
        Ok(Required::Checks(vec![RequiredCheck::of_anybody("build")]))
    }

    async fn requests(
        &self,
        _: &RepoPath,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Vec<RequestSeen>, Unknown> {
        Ok(self.refreshed(|book| book.find(head, base)))
    }

    async fn open(&self, _: &RepoPath, wanted: &Proposal) -> Result<u64, CallFault> {
        let Some(head) = self.tip(&wanted.head) else {
            return Err(CallFault::Refused { words: "there is no such branch".into() });
        };
        self.refreshed(|book| book.open(&wanted.head, &wanted.base, head, (&wanted.title, &wanted.body)))
    }

    async fn describe(&self, _: &RepoPath, number: u64, wanted: &Proposal) -> Result<(), CallFault> {
        let mut book = self.book.lock().expect("nobody panics with it");
        for request in book.requests.iter_mut().filter(|r| r.seen.number == number) {
            (request.seen.title, request.seen.body) = (wanted.title.clone(), wanted.body.clone());
        }
        Ok(())
    }

    async fn ways(&self, _: &RepoPath, _: &BranchName) -> Result<Ways, Unknown> {
        Ok(BY_MERGE)
    }

    async fn authors(&self, _: &RepoPath, commits: &[CommitId]) -> Result<AuthorLogins, Unknown> {
        let git = self.git();
        let mut authors = AuthorLogins::default();
        for commit in commits {
            let found =
                Oid::from_str(&commit.to_string()).and_then(|oid| git.find_commit(oid)).expect("the commit");
            authors.logins.insert(found.author().name().unwrap_or("nobody").into());
        }
        Ok(authors)
    }

    async fn merge(
        &self,
        _: &RepoPath,
        number: u64,
        base: &BranchName,
        onto: CommitId,
        head: CommitId,
        _: MergeHow,
    ) -> PushAnswer {
        let found = self.refreshed(|book| book.requests.iter().find(|r| r.seen.number == number).cloned());
        let there = |r: &Request| r.seen.head == head && &r.base == base && self.tip(base) == Some(onto);
        let Some(request) = found.filter(there) else {
            return PushAnswer::LostRace { words: "the head has moved".into() };
        };
        let (old, new) = match self.make(&request.base, head, false, "towpath") {
            Ok(made) => made,
            Err(why) => return PushAnswer::Refused { words: why.to_string() },
        };
        // Hands go past the hook that notes moves, and this one is Towpath's.
        let line = format!("{old} {new} {}\n", request.base);
        let file = self.repository.join("moves");
        let before = std::fs::read_to_string(&file).unwrap_or_default();
        std::fs::write(file, before + &line).expect("the note of moves");
        let merged = self.refreshed(|book| book.does(&request.base, Deed::Merge, "towpath").map(|_| ()));
        drop(merged);
        PushAnswer::Moved
    }

    async fn comment(&self, _: &RepoPath, _: u64, _: &str, _: &str) -> Result<(), CallFault> {
        Ok(())
    }

    async fn status(&self, _: &RepoPath, _: CommitId, _: &StatusLine) -> Result<(), CallFault> {
        Ok(())
    }

    async fn members(&self, _: &RepoPath, team: &str) -> Result<Vec<String>, Unknown> {
        let found = TEAMS.iter().find(|(name, _)| *name == team);
        Ok(found.map_or_else(Vec::new, |(_, members)| members.iter().map(|m| (*m).to_owned()).collect()))
    }

    async fn findings(&self, _: &RepoPath, _: &[(BranchName, bool)]) -> Vec<Finding> {
        Vec::new()
    }

    fn is_signed(&self, _: &http::HeaderMap) -> bool {
        false
    }

    fn hook(&self, _: &http::HeaderMap, _: &[u8], _: &[String]) -> Result<HookSeen, HookRefused> {
        Err(HookRefused::Unsigned)
    }
}
