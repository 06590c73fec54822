//! The requests of a forge that is not there: their state, and what people do to them. No HTTP: the
//! fakes of real forges have that. Whose the git is, the stage knows.

use towpath::forge::{ApprovalSeen, CallFault, HeadBound, RequestSeen, RequestState};
use towpath_core::model::{BranchName, CommitId, Ways};

/// What a person does to the newest request of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Approve,
    Object,
    Close,
    Reopen,
    Merge,
    Squash,
    Draft,
    Ready,
}

pub const DEEDS: [(&str, Deed); 8] = [
    ("approved", Deed::Approve),
    ("objected", Deed::Object),
    ("closed", Deed::Close),
    ("reopened", Deed::Reopen),
    ("merged", Deed::Merge),
    ("squashed", Deed::Squash),
    ("drafted", Deed::Draft),
    ("readied", Deed::Ready),
];

/// Teams, for `from = ["@release"]`. Nobody of the last one writes commits.
pub const TEAMS: [(&str, &[&str]); 3] =
    [("release", &["olga", "marek"]), ("docs", &["ana"]), ("keepers", &["eva", "filip"])];

#[derive(Debug, Clone)]
pub struct Request {
    pub branch: BranchName,
    pub base: BranchName,
    pub seen: RequestSeen,
}

/// A forge that merges with merge commits alone.
pub const BY_MERGE: Ways = Ways { push: false, fast_forward: false, merge_commit: true };

/// Every request of one repository, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Book {
    pub requests: Vec<Request>,
}

impl Book {
    /// Brings heads up to where their branches are, and counts as merged what its base contains.
    pub fn refresh(
        &mut self,
        tip: impl Fn(&BranchName) -> Option<CommitId>,
        contains: impl Fn(CommitId, CommitId) -> bool,
    ) {
        for request in self.requests.iter_mut().filter(|r| r.seen.state == RequestState::Open) {
            if let Some(head) = tip(&request.branch) {
                request.seen.head = head;
            }
            if let Some(base) = tip(&request.base).filter(|base| contains(*base, request.seen.head)) {
                request.seen.state = RequestState::Merged;
                request.seen.merged_as = Some(base);
            }
        }
    }

    /// Every request of that pair, newest first.
    pub fn find(&self, branch: &BranchName, base: &BranchName) -> Vec<RequestSeen> {
        let of = |r: &&Request| &r.branch == branch && &r.base == base;
        self.requests.iter().rev().filter(of).map(|r| r.seen.clone()).collect()
    }

    pub fn open(
        &mut self,
        branch: &BranchName,
        base: &BranchName,
        head: CommitId,
        words: (&str, &str),
    ) -> Result<u64, CallFault> {
        if self.find(branch, base).iter().any(|r| r.state == RequestState::Open) {
            return Err(CallFault::Exists { words: "a request is open".into() });
        }
        Ok(self.open_another(branch, base, head, words))
    }

    /// Opens one although another may be open, as no forge does.
    pub fn open_another(
        &mut self,
        branch: &BranchName,
        base: &BranchName,
        head: CommitId,
        words: (&str, &str),
    ) -> u64 {
        let number = self.requests.len() as u64 + 1;
        let seen = RequestSeen {
            number,
            url: format!("https://forge.test/shop/{number}"),
            state: RequestState::Open,
            head,
            title: words.0.to_owned(),
            body: words.1.to_owned(),
            approvals: Vec::new(),
            objections: Vec::new(),
            draft: false,
            ended_by: None,
            merged_as: None,
        };
        self.requests.push(Request { branch: branch.clone(), base: base.clone(), seen });
        number
    }

    /// A deed that needs no git; answers the request.
    pub fn does(&mut self, base: &BranchName, deed: Deed, by: &str) -> Result<Request, String> {
        let request = self.requests.iter_mut().rev().find(|r| &r.base == base).ok_or("there is no request")?;
        let (seen, by) = (&mut request.seen, by.to_owned());
        let wanted = if deed == Deed::Reopen { RequestState::Closed } else { RequestState::Open };
        if seen.state != wanted {
            return Err(format!("request {} is {:?}", seen.number, seen.state));
        }
        seen.approvals.retain(|a| deed != Deed::Approve && deed != Deed::Object || a.by != by);
        seen.objections.retain(|who| deed != Deed::Approve || who != &by);
        match deed {
            Deed::Approve => {
                seen.approvals.push(ApprovalSeen { by, email: None, head: HeadBound::Commit(seen.head) });
            }
            Deed::Object => seen.objections.push(by),
            Deed::Draft => seen.draft = true,
            Deed::Ready => seen.draft = false,
            Deed::Close => {
                (seen.state, seen.ended_by) = (RequestState::Closed, Some(by));
            }
            Deed::Reopen => (seen.state, seen.ended_by) = (RequestState::Open, None),
            Deed::Merge | Deed::Squash => {
                (seen.state, seen.ended_by) = (RequestState::Merged, Some(by));
            }
        }
        Ok(request.clone())
    }
}
