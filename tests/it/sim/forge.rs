//! The forge of a simulated repository: its requests, asked through the trait of the adapters of real
//! forges, so that what looks for a request before it opens one is the engine's own code.
//!
//! Whose the git is, the universe knows: it tells where branches are, and makes the merges. What was
//! ever to be seen of a request is kept for the checks (`check_requests`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use towpath::config::Moves;
use towpath::engine::forges::OnForge;
use towpath::forge::{
    CallFault, CheckSeen, Finding, Forge, HeadBound, HookRefused, HookSeen, MergeHow, Proposal, RepoPath,
    RequestSeen, RequestState, Required, StatusLine, Ways,
};
use towpath_core::act::PushAnswer;
use towpath_core::model::{AuthorLogins, BranchName, CommitId, Instant, Span, Unknown, UnknownWhy};

use super::Plant;
use super::rng::Rng;
use super::universe::Counts;
use super::world::Breath;
use crate::support::book::{Book, Deed, Request};

/// How long after a change an answer may still be without it, in true milliseconds.
const LATE: i64 = 60_000;

/// What forges and projects do differently.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    pub ways: Ways,
    /// Of an approval only the time is told, not the commit.
    pub dated: bool,
    /// A request whose branch is deleted is closed.
    pub closes_without_branch: bool,
    /// The branch of a request that is merged is deleted.
    pub deletes_merged: bool,
}

impl Default for Manners {
    fn default() -> Self {
        let ways = Ways { push: false, fast_forward: false, merge_commit: true };
        Self { ways, dated: false, closes_without_branch: false, deletes_merged: false }
    }
}

/// How often (per cent) each fault strikes.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForgeFaults {
    pub unknown: u32,
    pub late: u32,
    pub not_sent: u32,
    pub refused: u32,
    pub lost_answer: u32,
}

#[derive(Debug, Clone, Default)]
pub struct SimForge(Arc<Mutex<State>>);

#[derive(Debug)]
pub struct State {
    pub book: Book,
    pub manners: Manners,
    pub faults: ForgeFaults,
    pub plant: Option<Plant>,
    /// True time.
    pub truth: i64,
    /// Each request as it was after each change, or as a late answer showed it; without its words.
    pub log: Vec<RequestSeen>,
    pub counts: Counts,
    pub violations: Vec<String>,
    rng: Rng,
    tips: BTreeMap<BranchName, CommitId>,
    /// As it was before its last change, and when that was.
    before: Book,
    changed: i64,
    /// When each approval of a commit was given.
    given: BTreeMap<(u64, String, CommitId), i64>,
    /// Requests that were opened and whose answer was lost.
    unheard: BTreeSet<u64>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            book: Book::default(),
            manners: Manners::default(),
            faults: ForgeFaults::default(),
            plant: None,
            truth: 0,
            log: Vec::new(),
            counts: Counts::new(),
            violations: Vec::new(),
            rng: Rng::new(0),
            tips: BTreeMap::new(),
            before: Book::default(),
            changed: 0,
            given: BTreeMap::new(),
            unheard: BTreeSet::new(),
        }
    }
}

impl SimForge {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with it")
    }

    /// As the engine is told of it.
    pub fn on(&self) -> OnForge {
        OnForge { forge: Arc::new(self.clone()), repo: RepoPath::new("shop"), moves: Moves::Api }
    }

    /// Where branches are since one of them moved: `gone` is one that was deleted. Heads follow, and what its
    /// base contains is merged.
    pub fn moved(
        &self,
        branches: &BTreeMap<BranchName, CommitId>,
        gone: Option<&BranchName>,
        contains: impl Fn(CommitId, CommitId) -> bool,
    ) {
        let mut it = self.state();
        it.tips.clone_from(branches);
        let closes = it.manners.closes_without_branch;
        // Where pushing ends no request, only a merge does.
        let notices = !it.manners.ways.push;
        it.change(|book| {
            book.refresh(|branch| branches.get(branch).copied(), |a, b| notices && contains(a, b));
            let without = |r: &&mut Request| Some(&r.branch) == gone && r.seen.state == RequestState::Open;
            for request in book.requests.iter_mut().filter(without).filter(|_| closes) {
                (request.seen.state, request.seen.ended_by) = (RequestState::Closed, Some("ana".to_owned()));
            }
        });
    }

    /// The forge merged a request as that commit.
    pub fn merged(&self, number: u64, to: CommitId) {
        self.state().change(|book| {
            for request in book.requests.iter_mut().filter(|r| r.seen.number == number) {
                (request.seen.state, request.seen.merged_as) = (RequestState::Merged, Some(to));
            }
        });
    }

    /// The head of the newest request into a branch.
    pub fn head(&self, base: &BranchName) -> Option<CommitId> {
        self.state().book.requests.iter().rev().find(|r| &r.base == base).map(|r| r.seen.head)
    }

    /// What a person does that needs no git; answers the request.
    pub fn does(&self, base: &BranchName, deed: Deed, by: &str) -> Result<Request, String> {
        let mut it = self.state();
        let done = it.change(|book| book.does(base, deed, by))?;
        if deed == Deed::Approve {
            let truth = it.truth;
            it.given.insert((done.seen.number, by.to_owned(), done.seen.head), truth);
        }
        Ok(done)
    }
}

impl State {
    /// The open request with that number into a branch.
    pub fn open_request(&self, number: u64, base: &BranchName) -> Option<&RequestSeen> {
        let of = |r: &&Request| r.seen.number == number && &r.base == base && r.seen.state == RequestState::Open;
        self.book.requests.iter().find(of).map(|request| &request.seen)
    }

    pub fn seed(&mut self, rng: Rng) {
        self.rng = rng;
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Book) -> T) -> T {
        let before = self.book.clone();
        let done = change(&mut self.book);
        let old = |at: usize| before.requests.get(at).map(|r| &r.seen);
        let changed = self.book.requests.iter().enumerate().filter(|(at, r)| old(*at) != Some(&r.seen));
        let changed: Vec<RequestSeen> = changed.map(|(_, r)| wordless(&r.seen)).collect();
        if !changed.is_empty() {
            self.log.extend(changed);
            (self.before, self.changed) = (before, self.truth);
        }
        done
    }

    fn strikes(&mut self, percent: u32, name: &'static str) -> bool {
        let strikes = self.rng.percent(percent);
        if strikes {
            *self.counts.entry(name).or_default() += 1;
        }
        strikes
    }

    /// What is told of requests: by a replica that lags behind, what was so a moment ago.
    fn found(&mut self, head: &BranchName, base: &BranchName) -> Vec<RequestSeen> {
        let recent = self.truth - self.changed < LATE;
        let late = recent && self.strikes(self.faults.late, "request fault: told late");
        let book = if late { &self.before } else { &self.book };
        let mut found = book.find(head, base);
        if late {
            // Nobody can tell it from what is so now, so it counts as having been so.
            self.log.extend(found.iter().map(wordless));
            self.log.extend(self.book.find(head, base).iter().map(wordless));
        }
        if self.plant == Some(Plant::OpenAgainUnheard) {
            found.retain(|request| !self.unheard.contains(&request.number));
        }
        for request in found.iter_mut().filter(|_| self.manners.dated) {
            for approval in &mut request.approvals {
                let HeadBound::Commit(commit) = approval.head else { continue };
                let at = self.given.get(&(request.number, approval.by.clone(), commit)).copied().unwrap_or(0);
                let ago = Span::from_ms((self.truth - at).max(0));
                approval.head = HeadBound::Ago { at: Instant(at), ago };
            }
        }
        found
    }

    fn opened(&mut self, wanted: &Proposal, head: CommitId) -> Result<u64, CallFault> {
        let words = (wanted.title.as_str(), wanted.body.as_str());
        let again = self.plant == Some(Plant::OpenAgainUnheard);
        let number = self.change(|book| match book.open(&wanted.head, &wanted.base, head, words) {
            Err(CallFault::Exists { .. }) if again => {
                Ok(book.open_another(&wanted.head, &wanted.base, head, words))
            }
            done => done,
        })?;
        let found = self.book.find(&wanted.head, &wanted.base);
        let open = found.iter().filter(|r| r.state == RequestState::Open).count();
        if open > 1 {
            self.violations.push(format!("I6: {open} requests from {} are open", wanted.head));
        }
        Ok(number)
    }
}

fn wordless(seen: &RequestSeen) -> RequestSeen {
    RequestSeen { title: String::new(), body: String::new(), url: String::new(), ..seen.clone() }
}

fn no_answer() -> CallFault {
    CallFault::NoAnswer { words: "connection reset".to_owned() }
}

#[async_trait]
impl Forge for SimForge {
    fn git_url(&self, _: &RepoPath) -> String {
        "https://forge.test/shop.git".to_owned()
    }

    async fn requests(
        &self,
        _: &RepoPath,
        head: &BranchName,
        base: &BranchName,
    ) -> Result<Vec<RequestSeen>, Unknown> {
        Breath::new().await;
        let mut it = self.state();
        let percent = it.faults.unknown;
        if it.strikes(percent, "request fault: not told") {
            return Err(Unknown::passing(UnknownWhy::TimedOut { after: Span::from_secs(10) }));
        }
        Ok(it.found(head, base))
    }

    async fn open(&self, _: &RepoPath, wanted: &Proposal) -> Result<u64, CallFault> {
        Breath::new().await;
        let mut it = self.state();
        let faults = it.faults;
        if it.strikes(faults.not_sent, "request fault: opening not sent") {
            return Err(CallFault::NotSent { words: "no route to host".to_owned(), retry_after: None });
        }
        let Some(head) = it.tips.get(&wanted.head).copied() else {
            return Err(CallFault::Refused { words: "there is no such branch".to_owned() });
        };
        if it.strikes(faults.refused, "request fault: opening refused") {
            return Err(CallFault::Refused { words: "only maintainers may".to_owned() });
        }
        let number = it.opened(wanted, head)?;
        if it.strikes(faults.lost_answer, "request fault: opened and not answered") {
            it.unheard.insert(number);
            return Err(no_answer());
        }
        Ok(number)
    }

    async fn describe(&self, _: &RepoPath, number: u64, wanted: &Proposal) -> Result<(), CallFault> {
        Breath::new().await;
        let mut it = self.state();
        for request in it.book.requests.iter_mut().filter(|r| r.seen.number == number) {
            (request.seen.title, request.seen.body) = (wanted.title.clone(), wanted.body.clone());
        }
        let percent = it.faults.lost_answer;
        if it.strikes(percent, "request fault: described and not answered") { Err(no_answer()) } else { Ok(()) }
    }

    async fn ways(&self, _: &RepoPath, _: &BranchName) -> Result<Ways, Unknown> {
        Ok(self.state().manners.ways)
    }

    // What the universe answers itself, because it is git's to know or to do.

    async fn checks(&self, _: &RepoPath, _: CommitId) -> Result<Vec<CheckSeen>, Unknown> {
        Err(Unknown::passing(UnknownWhy::NotAnswered))
    }

    async fn required(&self, _: &RepoPath, _: &BranchName) -> Result<Required, Unknown> {
        Err(Unknown::passing(UnknownWhy::NotAnswered))
    }

    async fn authors(&self, _: &RepoPath, _: &[CommitId]) -> Result<AuthorLogins, Unknown> {
        Err(Unknown::passing(UnknownWhy::NotAnswered))
    }

    async fn members(&self, _: &RepoPath, _: &str) -> Result<Vec<String>, Unknown> {
        Err(Unknown::passing(UnknownWhy::NotAnswered))
    }

    async fn merge(
        &self,
        _: &RepoPath,
        _: u64,
        _: &BranchName,
        _: CommitId,
        _: CommitId,
        _: MergeHow,
    ) -> PushAnswer {
        PushAnswer::NotSent { words: "the universe merges".to_owned() }
    }

    async fn close(&self, _: &RepoPath, number: u64, head: CommitId) -> Result<(), CallFault> {
        Breath::new().await;
        let mut it = self.state();
        let faults = it.faults;
        if it.strikes(faults.not_sent, "request fault: closing not sent") {
            return Err(CallFault::NotSent { words: "no route to host".to_owned(), retry_after: None });
        }
        if it.strikes(faults.refused, "request fault: closing refused") {
            return Err(CallFault::Refused { words: "only its author may".to_owned() });
        }
        let is_it = |r: &&mut Request| r.seen.number == number && r.seen.state == RequestState::Open;
        let closed = it.change(|book| match book.requests.iter_mut().find(is_it) {
            Some(request) if request.seen.head != head => false,
            Some(request) => {
                (request.seen.state, request.seen.ended_by) = (RequestState::Closed, Some("towpath".to_owned()));
                true
            }
            None => true,
        });
        if !closed {
            return Err(CallFault::NotSent { words: "the head has moved".to_owned(), retry_after: None });
        }
        if it.strikes(faults.lost_answer, "request fault: closed and not answered") {
            Err(no_answer())
        } else {
            Ok(())
        }
    }

    async fn comment(&self, _: &RepoPath, _: u64, _: &str, _: &str) -> Result<(), CallFault> {
        Ok(())
    }

    async fn status(&self, _: &RepoPath, _: CommitId, _: &StatusLine) -> Result<(), CallFault> {
        Ok(())
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
