//! Verdicts and their reasons. Reasons carry numbers and names, never sentences: the words are in
//! [`crate::explain`], in one place, under snapshot.
//!
//! Texts in here that came from outside (server words, check names, people's reasons) are kept as
//! they came and are hostile until shown.

use serde::{Deserialize, Serialize};

use super::flow::GateKind;
use super::http::HttpInstead;
use super::id::{Actor, BranchName, CheckName, CommitId, EnvName, FlowName, IntentId, OrderId};
use super::migrations::{CompatFinding, KeptOut, StillUsed};
use super::request::Stranger;
use super::standing::{Held, Scope, Until};
use super::time::{Instant, Span};

/// The answer of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing against it.
    Pass {
        /// Why.
        why: Reason,
    },
    /// The expected course of things: time, CI, a person who was asked.
    Wait {
        /// Why.
        why: Reason,
        /// On whom.
        on: Who,
        /// Until when, where that is known.
        until: Option<Instant>,
    },
    /// Nothing moves until somebody mends something.
    Block {
        /// Why.
        why: Reason,
        /// Who can mend it.
        who: Who,
    },
}

/// On whom something waits, or who can mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// Nobody: time does it.
    Time,
    /// Whoever runs the checks.
    Ci,
    /// Towpath itself, at its next look.
    Towpath,
    /// Whoever may push to that branch.
    Pushers(BranchName),
    /// The people who may approve; empty means anybody who may run `approve`.
    Approvers(Vec<String>),
    /// That person, or whoever may undo what that person ordered.
    Person(Actor),
    /// Whoever administers the repository's server.
    Remote,
    /// Whoever runs Towpath.
    Operator,
    /// An earlier edge of the flow, which has to move first.
    Environment(EnvName),
    /// Whoever runs what an `http` gate asks at that host.
    Service(String),
}

/// Why something could not be learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// What stood in the way.
    pub why: UnknownWhy,
    /// Whether looking again may help, or a person has to act.
    pub mends: Mends,
}

/// Whether an unknown fact becomes known by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mends {
    /// Looking again may help.
    Itself,
    /// A person has to act first.
    Person,
}

/// What stood in the way of learning a fact. `words` are the server's or the program's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownWhy {
    /// The tick's rounds or time were over before it was answered.
    NotAnswered,
    /// The remote did not answer.
    Unreachable {
        /// What git or the network said.
        words: String,
    },
    /// The forge wants no calls, or what is left of its allowance is kept for acting.
    Limited {
        /// Until when.
        until: Instant,
        /// The forge's words, or ours.
        words: String,
    },
    /// The remote refused our credentials, or we have none.
    CredentialsRefused {
        /// What the remote said.
        words: String,
    },
    /// The remote refused the token that the config names for it.
    TokenRefused {
        /// The `X` of the `[forge.X]` whose token it is.
        forge: String,
        /// What the remote said, which may be nothing.
        words: String,
    },
    /// The token that the config names cannot be read, or is none.
    TokenUnusable {
        /// The `X` of the `[forge.X]` whose token it is.
        forge: String,
        /// What is wrong with it; nothing of the token itself.
        words: String,
    },
    /// The remote's certificate is none that we trust.
    NotTrusted {
        /// What git said.
        words: String,
    },
    /// There is no repository there, or we may not know of it.
    NoRepository {
        /// What the remote said.
        words: String,
    },
    /// The forge does not tell who is in a team.
    NoTeam {
        /// The team as the config names it, without the `@`.
        team: String,
        /// What the forge said, and what mends it.
        words: String,
    },
    /// No answer within the deadline.
    TimedOut {
        /// The deadline.
        after: Span,
    },
    /// The repository is on no forge that has what was asked for: requests, required checks, teams.
    NoForge,
    /// The two branches share no commit.
    NoCommonAncestor,
    /// The repository's history is cut off.
    Shallow,
    /// The repository uses SHA-256 object ids, which this build cannot read.
    Sha256,
    /// More commits between the branches than this build is willing to load.
    TooLarge {
        /// The limit.
        commits_max: u64,
    },
    /// More commits would enter than a forge is asked for the authors of.
    ManyAuthors {
        /// How many they are.
        commits: u64,
        /// Of how many it is asked.
        most: u64,
    },
    /// A commit that history names is not there.
    MissingCommit {
        /// Which.
        commit: CommitId,
    },
    /// Our mirror, or what git printed, could not be read.
    Unreadable {
        /// What was wrong.
        words: String,
    },
    /// What an `http` gate asks gave no verdict.
    HttpGate {
        /// Its host.
        host: String,
        /// What came instead.
        instead: HttpInstead,
    },
    /// Migrations could not be judged: the program that reads them failed.
    Migrations {
        /// What was the matter.
        words: String,
    },
}

/// Why a verdict is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The target has everything the source has.
    UpToDate,
    /// Every check passes; this is the commit that moves.
    Ready,
    /// No check of this kind stands in the way.
    Nothing,
    /// The source branch does not exist.
    SourceAbsent {
        /// The branch.
        branch: BranchName,
    },
    /// The target branch does not exist. Towpath never creates it.
    TargetAbsent {
        /// The branch.
        branch: BranchName,
    },
    /// A fact could not be learned.
    Unknown(Unknown),
    /// The target has commits that the source lacks.
    Diverged {
        /// Some of them, newest first, each with its kind.
        commits: Vec<Stray>,
        /// How many there are.
        total: u32,
    },
    /// The open request is for this candidate.
    RequestOpen {
        /// Its number.
        number: u64,
        /// Its page.
        url: String,
    },
    /// The candidate is in no request yet.
    NotProposed {
        /// The request that is open for another one.
        open: Option<u64>,
    },
    /// Somebody else moved the request branch; Towpath puts it back.
    ForeignHead {
        /// The request.
        number: u64,
        /// Where the branch was moved to.
        head: CommitId,
    },
    /// Somebody closed the request without merging it.
    RequestClosed {
        /// Its number.
        number: u64,
        /// Its page.
        url: String,
        /// Who closed it, where the forge says so.
        by: Option<Actor>,
    },
    /// Somebody marked the request as not ready.
    RequestDraft {
        /// The request.
        number: u64,
    },
    /// Reviewers want something changed first.
    ChangesRequested {
        /// The request.
        number: u64,
        /// Who.
        by: Vec<Actor>,
    },
    /// Every gate passes, and people merge here themselves.
    ForPeopleToMerge {
        /// The request.
        number: u64,
        /// Its page.
        url: String,
    },
    /// The forge's project permits no way of merging that keeps the commit.
    NoWayToMerge {
        /// Whether fast-forward is permitted, which cannot reach the candidate.
        fast_forward: bool,
    },
    /// A push of an earlier tick may still land.
    InFlight {
        /// Its intent.
        intent: IntentId,
        /// What it moves to.
        to: CommitId,
    },
    /// The last push of this very move failed: refused by the server, or it never got there.
    PushRefused {
        /// The server's or git's words.
        words: String,
        /// How many times in a row.
        count: u32,
    },
    /// Whether an earlier push landed and was taken back by somebody cannot be told.
    PushInDoubt {
        /// Where the branch was before, and is.
        old: CommitId,
        /// What was pushed.
        to: CommitId,
        /// What git said, if anything.
        words: String,
    },
    /// Automation is paused here.
    Paused {
        /// How far it reaches.
        scope: Scope,
        /// By whom.
        by: Actor,
        /// Why.
        reason: String,
        /// Since when.
        at: Instant,
        /// Until when.
        until: Until,
        /// Whether it keeps back what a rollback or a push from outside took back: lifting it takes what a freeze takes.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keeps_back: bool,
    },
    /// Nobody may move anything here.
    Frozen {
        /// How far it reaches.
        scope: Scope,
        /// By whom.
        by: Actor,
        /// Why.
        reason: String,
        /// Since when.
        at: Instant,
        /// Until when.
        until: Until,
    },
    /// The range contains a held commit.
    Held {
        /// The hold.
        hold: OrderId,
        /// What it covers.
        what: Held,
        /// Only in that flow; none means in every flow.
        flow: Option<FlowName>,
        /// Only on entry to that environment.
        env: Option<EnvName>,
        /// By whom.
        by: Actor,
        /// Why.
        reason: String,
        /// The commit that a candidate must contain to pass all the same.
        fixed_by: Option<CommitId>,
    },
    /// `promote` passes this check.
    Promoted {
        /// By whom.
        by: Actor,
        /// Until when the order stands.
        until: Instant,
    },
    /// `override` passes this gate.
    Overridden {
        /// By whom.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Every required check is green.
    ChecksGreen {
        /// How many.
        count: u32,
    },
    /// A required check has no result.
    CheckMissing {
        /// Which, or none when nothing at all was reported.
        name: Option<CheckName>,
        /// Whether the commit was ever a push tip; one that was not usually gets no CI.
        push_tip: bool,
        /// Where a look back could not tell: since when it has been there.
        since: Option<Instant>,
    },
    /// No CI ever came, and by now it should have.
    NoCiCame {
        /// Which check.
        name: Option<CheckName>,
        /// Since when the commit has been there.
        since: Instant,
        /// After how long this is a block.
        after: Span,
    },
    /// A required check has not finished.
    CheckRunning {
        /// Which.
        name: CheckName,
        /// On which reference.
        on: Option<BranchName>,
    },
    /// A required check failed.
    CheckRed {
        /// Which.
        name: CheckName,
        /// On which reference.
        on: Option<BranchName>,
        /// Where to read more.
        url: Option<String>,
    },
    /// The lag is over.
    LagOver {
        /// Since when it counted.
        since: Instant,
    },
    /// The commit has not been on the source for long enough.
    LagNotOver {
        /// The configured lag.
        length: Span,
        /// Since when it counts.
        since: Instant,
        /// What it counts from.
        from: LagFrom,
    },
    /// The lag counts from a check that has not turned green.
    LagNotBegun {
        /// The check.
        check: CheckName,
    },
    /// Nothing arrived on the source for long enough.
    QuietOver {
        /// When the newest commit arrived.
        since: Instant,
    },
    /// Something arrived on the source too recently.
    NotQuiet {
        /// The configured quiet time.
        length: Span,
        /// When the newest commit arrived.
        since: Instant,
    },
    /// Entry is open.
    WindowOpen {
        /// Until when.
        closes: Option<Instant>,
    },
    /// Entry is closed.
    WindowClosed {
        /// When it opens, within two years.
        opens: Option<Instant>,
    },
    /// A slot of the schedule is open.
    SlotOpen {
        /// The slot's instant.
        slot: Instant,
    },
    /// Between slots.
    NoSlot {
        /// The next one.
        next: Option<Instant>,
        /// The slot that an earlier promotion has used, if one is open now.
        used: Option<Instant>,
    },
    /// Enough people approved.
    Approved {
        /// Who.
        by: Vec<Actor>,
    },
    /// Not enough people approved.
    ApprovalsMissing {
        /// How many count so far.
        have: u32,
        /// How many are needed.
        need: u32,
        /// Approvals that were given and do not count.
        not_counted: Vec<NotCounted>,
    },
    /// What the `http` gate asks lets the candidate pass.
    HttpPasses {
        /// Its host.
        host: String,
        /// Its reason, which may be empty.
        words: String,
    },
    /// What the `http` gate asks says to wait.
    HttpWaits {
        /// Its host.
        host: String,
        /// Its reason, which may be empty.
        words: String,
    },
    /// What the `http` gate asks does not let the candidate pass.
    HttpBlocks {
        /// Its host.
        host: String,
        /// Its reason, which may be empty.
        words: String,
    },
    /// What the candidate brings to the database breaks nothing that runs there.
    MigrationsPass {
        /// How many migrations it brings.
        brought: u32,
    },
    /// What it brings breaks code that runs, or nobody can tell.
    MigrationsBreak {
        /// Where that code runs.
        env: EnvName,
        /// The commit that runs.
        running: CommitId,
        /// The worst that was found.
        finding: Option<CompatFinding>,
        /// How many findings more.
        more: u32,
        /// The commits whose migrations the database has.
        #[serde(default)]
        has: Vec<CommitId>,
        /// A commit that would take that code's place, and what keeps it out.
        #[serde(default)]
        kept_out: Option<KeptOut>,
    },
    /// What it takes away is used by code that will be replaced by code that does not use it.
    MigrationsWait {
        /// The worst that was found.
        finding: CompatFinding,
        /// That code.
        still: Vec<StillUsed>,
        /// How many commits wait behind this one.
        behind: u32,
    },
    /// The candidate's own code breaks on migrations that the database has and it lacks, or nobody can tell.
    MigrationsLacked {
        /// A commit that has them.
        had: CommitId,
        /// The worst that was found.
        finding: Option<CompatFinding>,
        /// How many findings more.
        more: u32,
    },
    /// It takes names away that no known code uses, and what an environment held before it was first seen
    /// may still run.
    MigrationsUnseen {
        /// Which environment.
        env: EnvName,
    },
    /// The branch is not where it was when this was decided, or the commit is no longer a
    /// candidate.
    BranchesMoved,
    /// The config changed between the decision and the push.
    ConfigChanged,
    /// Holds were placed or lifted between the decision and the push.
    HoldsChanged,
    /// The `promote` or `override` that it rested on is spent or over.
    OrderGone,
    /// More candidates wait than may be looked at in one tick.
    NotLookedAt {
        /// How many were looked at.
        looked_at: u32,
        /// How many wait.
        waiting: u32,
    },
}

/// What a lag counts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LagFrom {
    /// The commit's arrival on the source, seen when it happened.
    Arrival,
    /// The first time Towpath looked; the commit may have been there before.
    FirstSight,
    /// The named check turned green.
    Check(CheckName),
}

/// An approval that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCounted {
    /// Who gave it.
    pub by: Actor,
    /// Why it does not count.
    pub why: NotCountedWhy,
    /// The commit whose author may be them, where that is why and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stranger: Option<Stranger>,
}

/// Why an approval does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotCountedWhy {
    /// They wrote a commit in the range.
    Author,
    /// Authors do not count, and their e-mail is not known.
    EmailUnknown,
    /// A commit's author has no account that the forge knows of, so it may be theirs.
    AuthorUnknown,
    /// They are not in `from`.
    NotListed,
    /// It was given for another head of the request.
    OtherHead,
    /// It was given before the head was seen in place, and the forge does not say for which one.
    TooEarly,
    /// The forge does not say for which head, and it is not known to be of this one.
    HeadUnknown,
}

/// A commit of the target that the source lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// The commit.
    pub commit: CommitId,
    /// Its author's name, as written in it.
    pub author: String,
    /// Its first line.
    pub subject: String,
    /// What it is, which decides the advice.
    pub kind: StrayKind,
}

/// What a commit of the target that the source lacks is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrayKind {
    /// A merge of the source with the source's own tree.
    PromotionMerge,
    /// One commit with the tree of a source commit: a squashed promotion.
    Squash {
        /// That source commit.
        of: CommitId,
    },
    /// A merge that changes nothing.
    EmptyMerge,
    /// The same change as a source commit, under another id.
    CherryPick {
        /// That source commit.
        of: CommitId,
    },
    /// The source had it and lost it.
    Withdrawn,
    /// An earlier environment has it, but a hold keeps it from coming.
    HeldBack {
        /// Which environment.
        env: EnvName,
    },
    /// An earlier environment has it, so it will come.
    OnItsWay {
        /// Which environment.
        env: EnvName,
        /// The commit there that will bring it.
        brought_by: CommitId,
    },
    /// A change made here: a hotfix.
    Content,
}

/// One thing that is checked of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The branches exist, can be read, and the target has nothing of its own.
    Branches,
    /// No push is under way here, and the server did not just refuse this move.
    Push,
    /// Nobody froze it.
    Freeze,
    /// Nobody paused it.
    Pause,
    /// Nothing in the range is held.
    Hold,
    /// It is what the open request is for, and nobody objects.
    Request,
    /// A configured gate.
    Gate(GateKind),
}

impl Check {
    /// The word in verdicts, on the command line and in scenarios.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Branches => "branches",
            Self::Push => "push",
            Self::Freeze => "freeze",
            Self::Pause => "pause",
            Self::Hold => "hold",
            Self::Request => "request",
            Self::Gate(kind) => kind.key(),
        }
    }
}

/// A check and its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What was checked.
    pub check: Check,
    /// The answer.
    pub verdict: Verdict,
}

impl Verdict {
    /// The verdict on a fact that could not be learned: waits if that may mend itself.
    pub fn unknown(unknown: Unknown) -> Self {
        match unknown.mends {
            Mends::Itself => {
                let until = match unknown.why {
                    UnknownWhy::Limited { until, .. } => Some(until),
                    _ => None,
                };
                Self::Wait { why: Reason::Unknown(unknown), on: Who::Towpath, until }
            }
            Mends::Person => {
                let who = match unknown.why {
                    UnknownWhy::CredentialsRefused { .. }
                    | UnknownWhy::TokenRefused { .. }
                    | UnknownWhy::TokenUnusable { .. }
                    | UnknownWhy::NotTrusted { .. }
                    | UnknownWhy::NoForge
                    | UnknownWhy::NoRepository { .. }
                    | UnknownWhy::NoTeam { .. }
                    | UnknownWhy::Sha256
                    | UnknownWhy::TooLarge { .. }
                    | UnknownWhy::ManyAuthors { .. }
                    // Mostly a wrong `branch` in the config.
                    | UnknownWhy::NoCommonAncestor
                    | UnknownWhy::HttpGate { instead: HttpInstead::NoToken { .. }, .. }
                    | UnknownWhy::Migrations { .. }
                    | UnknownWhy::Unreadable { .. } => Who::Operator,
                    UnknownWhy::HttpGate { ref host, .. } => Who::Service(host.clone()),
                    UnknownWhy::NotAnswered
                    | UnknownWhy::Unreachable { .. }
                    | UnknownWhy::Limited { .. }
                    | UnknownWhy::TimedOut { .. }
                    | UnknownWhy::Shallow
                    | UnknownWhy::MissingCommit { .. } => Who::Remote,
                };
                Self::Block { why: Reason::Unknown(unknown), who }
            }
        }
    }

    /// The reason, whichever verdict it is.
    pub const fn why(&self) -> &Reason {
        match self {
            Self::Pass { why } | Self::Wait { why, .. } | Self::Block { why, .. } => why,
        }
    }

    /// Whether it passes.
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Pass { .. })
    }

    /// How far from moving: pass, then waits by their time, then waits without one, then blocks.
    pub fn distance(&self) -> Distance {
        match self {
            Self::Pass { .. } => Distance::Now,
            Self::Wait { until: Some(at), .. } => Distance::At(*at),
            Self::Wait { until: None, .. } => Distance::Sometime,
            Self::Block { .. } => Distance::Blocked,
        }
    }

    /// `pass`, `wait` or `block`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "pass",
            Self::Wait { .. } => "wait",
            Self::Block { .. } => "block",
        }
    }
}

/// How far something is from moving, nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Distance {
    /// It may move now.
    Now,
    /// At that instant.
    At(Instant),
    /// When somebody or something has done its part; no time is known.
    Sometime,
    /// Not until somebody mends something.
    Blocked,
}

impl Unknown {
    /// Looking again may help.
    pub const fn passing(why: UnknownWhy) -> Self {
        Self { why, mends: Mends::Itself }
    }

    /// A person has to act.
    pub const fn lasting(why: UnknownWhy) -> Self {
        Self { why, mends: Mends::Person }
    }
}
