//! The one border between the engine and everything else.
//!
//! Two implementations exist: `RealWorld` (git, the store, the clock) and the simulated world of
//! the tests, which replays the same scenarios with faults. What is here is what both must be able
//! to do; a method that only one of them needs belongs to that one.

use std::collections::BTreeSet;

use towpath_core::act::PushAnswer;
use towpath_core::dag::Dag;
use towpath_core::model::{
    BranchName, Change, CommitId, EnvName, Fact, Facts, Flow, FlowName, Instant, IntentId, IntentRow, Ledger,
    Message, Missing, Now, Proposed, PushedRequest, Reason, Standing, Tip, Underway,
};
use towpath_core::people::accounts::{Accounts, Signature};
use towpath_core::see::{PushSeen, Tips};

use super::say::Saying;

/// Why the store did not do what it was asked to. Nothing was half done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another process has taken over the flow.
    #[error("another process has taken over this flow")]
    TakenOver,
    /// This very thing is recorded already.
    #[error("this is recorded already")]
    Conflict,
    /// The store did not take the change: locked, full, gone, damaged.
    #[error("{words}")]
    Store {
        /// What, where and how to mend it.
        words: String,
        /// Whether trying again may help.
        retry: bool,
        /// Whether it is the store as a whole, so that nothing else can be recorded either.
        whole: bool,
    },
    /// A planned crash of the tests. Never in a release build.
    #[error("crashed as planned")]
    Crashed,
}

/// What a commit tells besides having happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// The intents, of every flow, whose push may be under way at that very moment.
    pub pushing: Vec<IntentRow>,
    /// The requests, of every flow, that may be being opened at that very moment, or whose head may be being moved.
    pub proposing: Vec<Underway>,
}

/// A place where the tests kill the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before the effect.
    Before,
    /// After it.
    After,
}

/// What is to be in the request of an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The target environment.
    pub env: EnvName,
    /// The candidate.
    pub head: CommitId,
    /// Where the request branch was seen; none where it did not exist.
    pub from: Option<CommitId>,
    /// The request's title, one line.
    pub title: String,
    /// The request's body in Markdown, everything from outside escaped.
    pub body: String,
}

/// What came of proposing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposing {
    /// The request is as wanted.
    Done {
        /// Its number.
        number: u64,
        /// Its page.
        url: String,
    },
    /// The forge or its git said no.
    Refused {
        /// Its words.
        words: String,
    },
    /// Its git said no to the head: what is there is as it was.
    NotPut {
        /// Its words.
        words: String,
    },
    /// Somebody else was faster, nothing was reached, or the answer was lost: the next look tells.
    Unsure {
        /// What was said.
        words: String,
    },
}

/// What came of closing a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// It is not open any more.
    Done,
    /// The forge said no.
    Refused {
        /// Its words.
        words: String,
    },
    /// Nothing was reached, or the answer was lost: the next look tells.
    Unsure {
        /// What was said.
        words: String,
    },
}

/// Everything outside the engine.
pub trait World {
    /// Proof that this process alone works on a flow, as far as processes keep to it. Safety does
    /// not rest on it: the store's epochs and git's compare-and-swap do that.
    type Lease;

    /// Both clocks; advances the trusted one.
    fn now(&self) -> impl Future<Output = Result<Now, Fault>>;

    /// Takes the flow's lease; `None` while another live process has it.
    fn lease(&self, flow: &FlowName) -> impl Future<Output = Result<Option<Self::Lease>, Fault>>;

    /// Gives it back.
    fn release(&self, lease: Self::Lease) -> impl Future<Output = ()>;

    /// Everything durable that bears on the flow.
    fn load(&self, flow: &Flow) -> impl Future<Output = Result<Ledger, Fault>>;

    /// Commits all changes in one transaction, or none. With a lease: only while it is ours.
    fn commit(
        &self,
        lease: Option<&Self::Lease>,
        flow: Option<&FlowName>,
        changes: &[Change],
    ) -> impl Future<Output = Result<Committed, Fault>>;

    /// The last check, and the mark that a push may be under way, in one transaction
    /// ([`towpath_core::act::may_begin`]).
    fn begin_push(
        &self,
        lease: &Self::Lease,
        flow: &Flow,
        intent: &IntentId,
    ) -> impl Future<Output = Result<Result<IntentRow, Reason>, Fault>>;

    /// The last check before a request is opened or its head moved, and the mark that this may be under way, in
    /// one transaction ([`towpath_core::act::may_propose`]): what stood when the candidate was judged, and when that
    /// was. Answers what was stored; none if something was ordered since, or another config is in force.
    fn begin_proposal(
        &self,
        lease: &Self::Lease,
        flow: &Flow,
        wanted: (&EnvName, Proposed),
        judged: (&Standing, Instant),
    ) -> impl Future<Output = Result<Option<Proposed>, Fault>>;

    /// Where the flow's branches are, from the remote itself.
    fn tips(&self, flow: &Flow) -> impl Future<Output = Tips>;

    /// The piece of history that holds the tips and the wanted commits.
    fn history(&self, flow: &Flow, tips: &Tips, wanted: &BTreeSet<CommitId>) -> impl Future<Output = Fact<Dag>>;

    /// The movements of an environment's branch that the forge keeps, newest first; none where it keeps none or
    /// was not reached. Only that a commit came earlier than it was seen is ever taken from them.
    fn pushes(&self, flow: &Flow, env: &EnvName) -> impl Future<Output = Vec<PushSeen>>;

    /// Answers every missing key that the graph cannot answer.
    fn answer(&self, flow: &Flow, dag: &Dag, tips: &Tips, missing: &Missing) -> impl Future<Output = Facts>;

    /// The addresses of these names and addresses in lower case, and every other one of the people who have them, where
    /// it is known who has what: by the config, and by the `.mailmap` at `target`, the tip of the branch that they are
    /// on their way to (what they bring themselves never bears on who they are).
    fn addresses(
        &self,
        flow: &Flow,
        target: CommitId,
        of: BTreeSet<(String, String)>,
    ) -> impl Future<Output = Fact<BTreeSet<String>>> {
        let _ = (flow, target);
        async { Fact::Known(of.into_iter().map(|(_, email)| email).collect()) }
    }

    /// Which accounts on the flow's forge the addresses in commits belong to, as far as nothing else tells whose they are
    /// and the forge tells it soon; `target` as for [`World::addresses`].
    fn accounts(
        &self,
        flow: &Flow,
        target: Option<CommitId>,
        signed: Vec<Signature>,
    ) -> impl Future<Output = Accounts> {
        let _ = (flow, target, signed);
        async { Accounts::default() }
    }

    /// The commits of the flow that a word names: the first digits of an id, at least seven.
    fn commits(&self, flow: &Flow, word: &str) -> impl Future<Output = Result<Vec<CommitId>, Fault>>;

    /// Moves the branch by compare-and-swap from `row.old` to `row.new`, or merges the request that
    /// the row names, whose head is `row.new`.
    fn push(&self, flow: &Flow, row: &IntentRow) -> impl Future<Output = PushAnswer>;

    /// Puts a candidate into the request of its edge: moves the request branch by compare-and-swap,
    /// finds the open request or opens one, and brings its words up to date. Doing it again does
    /// nothing more.
    fn propose(&self, flow: &Flow, proposal: &Proposal) -> impl Future<Output = Proposing>;

    /// Asks the reviewers of an edge's request who neither are asked nor have reviewed. Answers whether the forge has
    /// answered for each of them; doing it again asks nobody twice.
    fn ask_reviewers(&self, _: &Flow, _: &EnvName, _: u64) -> impl Future<Output = bool> {
        std::future::ready(true)
    }

    /// Closes the request of an edge, whose head is in the target. Doing it again does nothing more.
    fn close(&self, _: &Flow, _: &EnvName, _: PushedRequest) -> impl Future<Output = Closing> {
        std::future::ready(Closing::Refused { words: "no request can be closed here".to_owned() })
    }

    /// The page on which the forge compares two commits, if the flow is on one.
    fn compare(&self, flow: &Flow, from: CommitId, to: CommitId) -> Option<String>;

    /// Puts what should stand on the forge there, as far as it does not. Nothing rests on it.
    fn say(&self, flow: &Flow, sayings: &[Saying], dag: &Dag) -> impl Future<Output = ()>;

    /// Where the branch is now, from the remote itself.
    fn read_ref(&self, flow: &Flow, branch: &BranchName) -> impl Future<Output = Tip>;

    /// Delivers a message; `false` when the sink did not take it.
    fn send(&self, flow: &Flow, message: &Message) -> impl Future<Output = bool>;

    /// A planned crash, if the tests want one here.
    ///
    /// # Errors
    /// [`Fault::Crashed`] in the simulated world; the real one does not return.
    fn crash_point(&self, side: Side, effect: &'static str) -> Result<(), Fault>;
}
