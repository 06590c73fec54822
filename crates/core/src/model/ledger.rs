//! The ledger as plain values: what is durable, and the changes that make it.
//!
//! A store keeps exactly these rows. [`Ledger::apply`] says what a change means; a store that
//! loads something else after committing the same changes is wrong (there is a contract test).
//!
//! Not here: SQL, leases, and who may change what.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::audit::AuditRow;
use super::beside::{HandMove, WouldMove};
use super::heads_up::{Coming, HeadsUpTold};
use super::id::{Actor, BranchName, CheckName, CommitId, EnvName, FlowName, IntentId, OrderId, PolicyDigest};
use super::plan::Decision;
use super::request::{MergeHow, Merging, Proposed};
use super::seen::{Arrival, CiItem, CiState};
use super::standing::{Approval, Backoff, Hold, Override, Pause, PauseKind, Promote, Scope, Standing};
use super::time::{Instant, Now, Trusted};
use super::verdict::{Reason, Verdict};

/// Everything durable that bears on one flow and that a tick needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Where each environment's branch was last seen.
    pub branches: BTreeMap<EnvName, BranchSeen>,
    /// When commits came onto each environment's branch, as far as they are still there.
    pub arrivals: BTreeMap<EnvName, BTreeMap<CommitId, Arrival>>,
    /// The tips each environment held, oldest first, the newest [`Ledger::HELD_MAX`].
    pub held: BTreeMap<EnvName, Vec<TipHeld>>,
    /// What people ordered.
    pub standing: Standing,
    /// Intents that are saved or pushing, and those abandoned (their push may land late), oldest first.
    pub intents: Vec<IntentRow>,
    /// When something last entered each environment by our hand.
    pub last_moves: BTreeMap<EnvName, Instant>,
    /// Messages not yet sent, oldest first.
    pub outbox: Vec<Message>,
    /// Pauses and freezes, of any flow, of whose end people have been reminded.
    #[serde(default)]
    pub reminded: BTreeSet<OrderId>,
    /// The last stored decision for each environment.
    pub decisions: BTreeMap<EnvName, DecisionRow>,
    /// The moves that were decided on while each target has been where it is, in the order in
    /// which they last began, the newest [`Ledger::WOULD_MAX`].
    #[serde(default)]
    pub would: BTreeMap<EnvName, Vec<WouldMove>>,
    /// What we put onto the request branch of each edge.
    #[serde(default)]
    pub proposed: BTreeMap<EnvName, Proposed>,
    /// The environments that are behind for longer than their alarm; each was told once.
    #[serde(default)]
    pub behind: BTreeMap<EnvName, Behind>,
    /// The environments that are blocked, also those of which nobody was told yet.
    #[serde(default)]
    pub blocked: BTreeMap<EnvName, Blocked>,
    /// The last heads-up that was told of each environment.
    #[serde(default)]
    pub heads_up: BTreeMap<EnvName, HeadsUpTold>,
    /// When a tick last finished looking at this flow.
    pub looked: Option<Now>,
    /// What stands under names that this flow had before, until it has been taken over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<FormerName>,
}

/// A flow that is no longer configured and had the branches of this one: its former name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerName {
    /// The name.
    pub flow: FlowName,
    /// Which branch each environment had.
    pub branches: BTreeMap<EnvName, BranchName>,
    /// What stands there: pauses and freezes of that flow.
    pub pauses: Vec<Pause>,
    /// Holds of that flow.
    pub holds: Vec<Hold>,
}

impl FormerName {
    /// What stands of `standing`, which is that of the former name, for that flow alone. (What was
    /// ordered for all flows stands for this one anyhow.)
    pub fn of(flow: FlowName, branches: BTreeMap<EnvName, BranchName>, standing: Standing) -> Self {
        let its_own = |scope: &Scope| match scope {
            Scope::Flow(name) | Scope::Edge(name, _) => name == &flow,
            Scope::All | Scope::Environment(_) => false,
        };
        let pauses = standing.pauses.into_iter().filter(|pause| its_own(&pause.scope)).collect();
        let holds = standing.holds.into_iter().filter(|hold| hold.flow.as_ref() == Some(&flow)).collect();
        Self { flow, branches, pauses, holds }
    }
}

/// That an environment is behind for longer than its alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// The commit that had waited longest when that began.
    pub oldest: CommitId,
    /// Since when that had waited.
    pub since: Instant,
    /// At which look it was found.
    pub at: Now,
}

/// That nothing enters an environment until somebody mends something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The first look that found it so, without a break since.
    pub since: Now,
    /// When it was told last; nothing while it has not been so for as long as the alarm says.
    pub told: Option<Trusted>,
    /// What stands in the way, as it was told last, or found first.
    pub verdict: Verdict,
}

/// Where a branch was last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchSeen {
    /// The branch; a row for another branch than the configured one is as good as none.
    pub branch: BranchName,
    /// The repository, likewise.
    pub repository: String,
    /// The tip.
    pub tip: CommitId,
    /// When it was first seen at that tip.
    pub at: Now,
}

/// A commit that an environment held as its tip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipHeld {
    /// The commit.
    pub commit: CommitId,
    /// Since when.
    pub from: Now,
    /// When it was replaced, unless it is the tip now.
    pub until: Option<Now>,
    /// Whether the branch has since lost it.
    pub lost: bool,
    /// How it came.
    pub how: TipHow,
}

/// How a tip came to be where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TipHow {
    /// There at our first look.
    FirstSight,
    /// Pushed by somebody else.
    Pushed,
    /// Moved by us.
    Landed(IntentId),
}

/// What kind of movement an intent wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MoveKind {
    /// Forward along history.
    FastForward,
    /// Back to a commit the environment held before, ordered by a person.
    Rollback,
}

/// A movement that was decided on, durable before anything leaves the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentRow {
    /// A hash over flow, edge, old, new, kind, policy and attempt.
    pub id: IntentId,
    /// The flow.
    pub flow: FlowName,
    /// The target environment.
    pub env: EnvName,
    /// Its branch.
    pub branch: BranchName,
    /// Forward or back.
    pub kind: MoveKind,
    /// Where the branch must be.
    pub old: CommitId,
    /// Where it goes.
    pub new: CommitId,
    /// The config it was decided under.
    pub policy: PolicyDigest,
    /// Tells intents apart whose other values are the same.
    pub attempt: u32,
    /// Who wants it: `towpath`, or the person who ordered a rollback.
    pub by: Actor,
    /// Why, for a rollback or a promote.
    pub reason: Option<String>,
    /// The `promote` order it rests on.
    pub promote: Option<OrderId>,
    /// The `override` orders it rests on.
    pub overrides: Vec<OrderId>,
    /// The holds that bore on the edge when it was judged. Another set at the last moment means
    /// that the judgement is stale.
    pub holds: Vec<(OrderId, Option<CommitId>)>,
    /// How far it has come.
    pub state: IntentState,
    /// When it was saved.
    pub saved: Now,
    /// Until when a push under way may still land.
    pub deadline: Option<Trusted>,
    /// What the server or the judge said, where it did not land.
    pub words: Option<String>,
    /// The request that is merged instead of a push.
    #[serde(default)]
    pub merge: Option<Merging>,
}

impl IntentRow {
    /// Whether a forge merges a request for it. Where the head of a request is pushed, nobody does.
    pub fn is_merged_by_forge(&self) -> bool {
        self.merge.is_some_and(|merge| merge.how != MergeHow::Push)
    }
}

/// How far an intent has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntentState {
    /// Durable; nothing has left the process.
    Saved,
    /// A push may be under way.
    Pushing,
    /// It moved the branch; the effect is recorded.
    Landed,
    /// The branch is beyond it; whether our push had a part in that is not known.
    Overtaken,
    /// Something it rested on changed before it was pushed, or the branch went elsewhere.
    Superseded,
    /// The server refused it.
    Refused,
    /// The push deadline passed and the branch had not moved.
    Abandoned,
}

impl IntentState {
    /// Whether nothing more will be done about it.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Saved | Self::Pushing)
    }

    /// The word in the store, in history and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Pushing => "pushing",
            Self::Landed => "landed",
            Self::Overtaken => "overtaken",
            Self::Superseded => "superseded",
            Self::Refused => "refused",
            Self::Abandoned => "abandoned",
        }
    }

    /// The state with that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::Saved,
            Self::Pushing,
            Self::Landed,
            Self::Overtaken,
            Self::Superseded,
            Self::Refused,
            Self::Abandoned,
        ]
        .into_iter()
        .find(|state| state.word() == word)
    }
}

/// A movement that happened by our hand: one row for each, and never a second one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectRow {
    /// The intent it fulfils; unique.
    pub intent: IntentId,
    /// The target environment.
    pub env: EnvName,
    /// Forward or back.
    pub kind: MoveKind,
    /// Where the branch was.
    pub old: CommitId,
    /// Where it is since.
    pub new: CommitId,
    /// When it was confirmed.
    pub at: Now,
    /// Whether it landed after its intent had been abandoned.
    pub late: bool,
}

/// Something that happened without us, or that people should find in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// One of our moves landed.
    Landed {
        /// Forward or back.
        kind: MoveKind,
        /// Where the branch was.
        old: CommitId,
        /// Where it is.
        new: CommitId,
    },
    /// Somebody else moved a target forward.
    Moved {
        /// From.
        old: CommitId,
        /// To.
        new: CommitId,
    },
    /// A target moved other than forward, not by us: a person's rollback.
    Rewound {
        /// The tip before.
        lost: CommitId,
        /// The tip after.
        kept: CommitId,
        /// The hold that covers what was lost.
        hold: Option<OrderId>,
        /// Whether the edge is paused, too: not where it is only observed.
        #[serde(default = "yes")]
        paused: bool,
    },
    /// A rewound target was put back; hold and pause are lifted.
    PutBack {
        /// The tip that was lost and is back.
        lost: CommitId,
        /// The tip now.
        now: CommitId,
    },
    /// A first environment's branch lost commits: they count as withdrawn.
    Withdrawn {
        /// The tip before.
        lost: CommitId,
        /// The tip after.
        kept: CommitId,
    },
    /// A pause or freeze is about to end by itself.
    EndsSoon {
        /// Which of the two.
        kind: PauseKind,
        /// Where.
        scope: Scope,
        /// By whom.
        by: Actor,
        /// Why.
        reason: String,
        /// When it ends.
        until: Instant,
    },
    /// A server refused a push.
    Refused {
        /// Forward or back.
        kind: MoveKind,
        /// What was pushed.
        new: CommitId,
        /// The server's words.
        words: String,
    },
    /// A person's rollback was not begun: something it rested on had changed by then.
    CalledOff {
        /// Where the branch is, and stays.
        old: CommitId,
        /// What was to be gone back to.
        new: CommitId,
        /// What had changed.
        why: Box<Reason>,
    },
    /// A candidate was put into a request: opened, or its head moved.
    Proposed {
        /// The request.
        number: u64,
        /// Its page.
        url: String,
        /// The candidate.
        head: CommitId,
    },
    /// A push whose answer was lost turned out to have been passed by somebody else's.
    Overtaken {
        /// What we had pushed, or tried to.
        new: CommitId,
        /// The tip now.
        now: CommitId,
    },
    /// A target is behind its source for longer than its alarm.
    Behind {
        /// The commit that has waited longest.
        oldest: CommitId,
        /// Since when.
        since: Instant,
    },
    /// A target is no longer behind for longer than its alarm.
    CaughtUp {
        /// The commit that had waited longest when it fell behind.
        oldest: CommitId,
        /// Since when that had waited.
        since: Instant,
    },
    /// A target has been blocked for longer than its alarm.
    Blocked {
        /// The commit that stands in the way, or the candidate that could enter first.
        commit: Option<CommitId>,
        /// What has to be mended, and who can.
        verdict: Box<Verdict>,
        /// Since when.
        since: Instant,
    },
    /// A target of which that was told is no longer blocked.
    Unblocked {
        /// Since when it had been.
        since: Instant,
    },
    /// Commits are about to enter by time alone.
    HeadsUp {
        /// What enters, newest first, at most [`Event::COMING_MAX`].
        commits: Vec<Coming>,
        /// How many more enter.
        more: u32,
        /// The newest of them: where the branch goes.
        newest: CommitId,
        /// Where the branch is before: its tip now, or what enters before these, of which was told already.
        old: CommitId,
        /// When the first of them enter.
        at: Instant,
        /// The newest commit of the heads-up whose place this one takes: more came to it, or it was put off.
        instead_of: Option<CommitId>,
    },
    /// What a heads-up announced does not enter as it said.
    TakenBack {
        /// The newest commit that it named.
        newest: CommitId,
        /// When that was to enter.
        at: Instant,
        /// What stands against it now.
        why: Box<Reason>,
    },
}

/// What is meant where an older version did not say.
const fn yes() -> bool {
    true
}

/// An event with its place and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// The environment.
    pub env: EnvName,
    /// When it was recorded.
    pub at: Now,
    /// What.
    pub event: Event,
}

/// Something to tell, durable in the same transaction as what it tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Unique, and the idempotency key at the sink.
    pub id: String,
    /// The sink.
    pub sink: String,
    /// The environment.
    pub env: EnvName,
    /// When it was written.
    pub at: Instant,
    /// What happened.
    pub event: Event,
}

/// A stored decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRow {
    /// What was decided.
    pub decision: Decision,
    /// Since when it reads like this.
    pub since: Instant,
}

/// A CI result, where no forge has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The commit.
    pub commit: CommitId,
    /// The check.
    pub name: CheckName,
    /// The branch it ran on, if said.
    pub on: Option<BranchName>,
    /// The result.
    pub state: CiState,
    /// Where to read more.
    pub url: Option<String>,
    /// Who reported it.
    pub by: Actor,
    /// When.
    pub at: Now,
}

/// One change of the ledger. A batch of them is one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A tick finished looking at the flow.
    Looked(Now),
    /// An environment's branch was seen at another tip than before, or for the first time.
    Tip {
        /// The environment.
        env: EnvName,
        /// Its branch, repository and tip.
        seen: BranchSeen,
        /// How it came.
        how: TipHow,
    },
    /// What is known of an environment's branch belongs to another branch or repository.
    ForgetBranch(EnvName),
    /// Commits came onto an environment's branch.
    Arrived {
        /// The environment.
        env: EnvName,
        /// Which and when.
        commits: Vec<(CommitId, Arrival)>,
    },
    /// Commits are no longer on an environment's branch, or their arrival no longer matters.
    Left {
        /// The environment.
        env: EnvName,
        /// Which.
        commits: Vec<CommitId>,
    },
    /// Whether a branch has lost tips it once held.
    Lost {
        /// The environment.
        env: EnvName,
        /// Which.
        commits: Vec<CommitId>,
        /// Lost, or back again.
        lost: bool,
    },
    /// A pause or freeze begins.
    Pause(Pause),
    /// Pauses and freezes end.
    Lift(Vec<OrderId>),
    /// A hold begins.
    Hold(Hold),
    /// A hold ends, or from now on lets candidates with the fix pass.
    Unhold {
        /// The hold.
        hold: OrderId,
        /// The fix, if it does not end altogether.
        fixed_by: Option<CommitId>,
    },
    /// A `promote` order begins.
    Promote(Promote),
    /// An `override` begins.
    Override(Override),
    /// While its hour lasted, a request was for the commit of an override.
    OverrideFor {
        /// The override.
        order: OrderId,
        /// The request's number.
        request: u64,
    },
    /// An approval is given.
    Approve(Approval),
    /// `promote` and `override` orders are spent.
    Spend(Vec<OrderId>),
    /// A CI result.
    Report(Report),
    /// A push was refused.
    Backoff(Backoff),
    /// The back-off on an edge ends.
    ClearBackoff(EnvName),
    /// An intent is saved.
    Intent(IntentRow),
    /// An intent reaches a final state. A conflict if it is in one already.
    Finish {
        /// The intent.
        intent: IntentId,
        /// The final state.
        state: IntentState,
        /// What the server or the judge said.
        words: Option<String>,
    },
    /// One of our moves happened. A conflict if its intent has an effect already, unless `late`.
    Effect(EffectRow),
    /// Something for the history.
    Event(EventRow),
    /// Something to tell.
    Tell(Message),
    /// People are reminded that a pause or freeze is about to end; nothing if somebody was faster.
    Remind {
        /// Which.
        pause: OrderId,
        /// The flow whose look it was.
        flow: FlowName,
        /// The reminder.
        message: Message,
    },
    /// A pause or freeze is over by itself; nothing if somebody was faster.
    Expire {
        /// Which.
        pause: OrderId,
        /// What the audit says of it.
        audit: AuditRow,
    },
    /// The changes after it in the same transaction are what somebody asked for in a chat or in a comment, and with them
    /// that is done. None of it if that is no longer the turn of whoever carries it out.
    Asked {
        /// The number of what was said.
        request: i64,
        /// The how manieth time it was begun.
        turn: i64,
    },
    /// A message was sent.
    Told {
        /// Its id.
        message: String,
    },
    /// A decision reads differently from the stored one.
    Decided {
        /// The environment.
        env: EnvName,
        /// The row.
        row: Box<DecisionRow>,
    },
    /// From here on a target would be moved; where it would be already, it begins again.
    Would {
        /// The environment.
        env: EnvName,
        /// Where the target is.
        old: CommitId,
        /// Where it would go.
        new: CommitId,
        /// The look.
        at: Now,
    },
    /// From here on a target would no longer be moved.
    WouldNot {
        /// The environment.
        env: EnvName,
        /// The look.
        at: Now,
    },
    /// A target is no longer where it would have been moved from: that record is closed.
    WouldBeOver {
        /// The environment.
        env: EnvName,
        /// The look.
        at: Now,
    },
    /// Somebody else moved a target.
    ByHand(Box<HandMove>),
    /// An environment is behind for longer than its alarm.
    Behind {
        /// The environment.
        env: EnvName,
        /// Since when, and for which commit.
        row: Behind,
    },
    /// It no longer is.
    CaughtUp(EnvName),
    /// Nothing enters an environment until somebody mends something.
    Blocked {
        /// The environment.
        env: EnvName,
        /// Since when, by what, and whether that is told.
        row: Blocked,
    },
    /// It no longer is so.
    Unblocked(EnvName),
    /// People are told before commits enter; nothing if a later heads-up of the environment was told already.
    HeadsUp {
        /// The environment.
        env: EnvName,
        /// What is told.
        row: HeadsUpTold,
        /// The message; its event goes into the history, too.
        message: Message,
    },
    /// People are told that what a heads-up announced does not enter; nothing if another one was told since, or this
    /// was taken back already.
    TakeBack {
        /// The environment.
        env: EnvName,
        /// The heads-up.
        row: HeadsUpTold,
        /// When that was seen.
        at: Now,
        /// The message; its event goes into the history, too.
        message: Message,
    },
    /// What we put onto the request branch of an edge, or that it was seen there.
    Proposed {
        /// The environment.
        env: EnvName,
        /// The row.
        row: Proposed,
    },
    /// A closed request is passed over from now on. Of what is known of the edge nothing else changes: a pass may be putting
    /// a head there meanwhile.
    PassOver {
        /// The environment.
        env: EnvName,
        /// With the number in `passed_over`; the rest of it holds where nothing was known.
        row: Proposed,
    },
    /// A command was given.
    Audit(AuditRow),
}

impl Ledger {
    /// How many held tips of an environment are loaded.
    pub const HELD_MAX: usize = 1_000;

    /// How many moves that would have been made from one tip are loaded.
    pub const WOULD_MAX: usize = 100;

    /// What committing `change` does to a loaded ledger of `flow`, whose target environments are
    /// `targets` (a pause of `production` everywhere concerns it only if it has a `production`).
    pub fn apply(&mut self, flow: &FlowName, targets: &[EnvName], change: &Change) {
        match change {
            Change::Looked(now) => {
                self.looked = Some(*now);
                self.before.clear();
            }
            Change::Tip { env, seen, how } => self.apply_tip(env, seen, how),
            Change::ForgetBranch(env) => {
                self.branches.remove(env);
                self.arrivals.remove(env);
                self.held.remove(env);
            }
            Change::Arrived { env, commits } => {
                self.arrivals.entry(env.clone()).or_default().extend(commits.iter().copied());
            }
            Change::Left { env, commits } => {
                if let Some(arrivals) = self.arrivals.get_mut(env) {
                    for commit in commits {
                        arrivals.remove(commit);
                    }
                }
            }
            Change::Lost { env, commits, lost } => self.apply_lost(env, commits, *lost),
            Change::Pause(_)
            | Change::Lift(_)
            | Change::Hold(_)
            | Change::Unhold { .. }
            | Change::Promote(_)
            | Change::Override(_)
            | Change::OverrideFor { .. }
            | Change::Approve(_)
            | Change::Spend(_)
            | Change::Backoff(_)
            | Change::ClearBackoff(_) => self.standing.apply(flow, targets, change),
            Change::Intent(row) => self.intents.push(row.clone()),
            Change::Finish { intent, state, words } => self.finish(intent, *state, words.as_ref()),
            Change::Effect(effect) => {
                self.last_moves.insert(effect.env.clone(), effect.at.wall);
                // An abandoned intent that landed late is settled by its effect.
                self.intents.retain(|row| row.id != effect.intent);
            }
            Change::Tell(message) => self.outbox.push(message.clone()),
            Change::Remind { pause, flow: of, message } => self.apply_remind(pause, of == flow, message),
            Change::Expire { pause, .. } => self.standing.pauses.retain(|standing| &standing.id != pause),
            Change::Told { message } => self.outbox.retain(|m| &m.id != message),
            Change::Decided { env, row } => {
                self.decisions.insert(env.clone(), (**row).clone());
            }
            Change::Would { env, old, new, at } => self.apply_would(env, (*old, *new), *at),
            Change::WouldNot { env, at } => {
                for row in self.would.get_mut(env).into_iter().flatten().filter(|row| row.ended.is_none()) {
                    row.ended = Some(*at);
                }
            }
            Change::WouldBeOver { env, .. } => {
                self.would.remove(env);
            }
            Change::Behind { env, row } => drop(self.behind.insert(env.clone(), *row)),
            Change::CaughtUp(env) => drop(self.behind.remove(env)),
            Change::Blocked { env, row } => drop(self.blocked.insert(env.clone(), row.clone())),
            Change::Unblocked(env) => drop(self.blocked.remove(env)),
            Change::HeadsUp { env, row, message } => self.apply_heads_up(env, *row, message),
            Change::TakeBack { env, row, message, .. } => self.apply_take_back(env, *row, message),
            Change::Proposed { env, row } => drop(self.proposed.insert(env.clone(), row.clone())),
            Change::PassOver { env, row } => {
                self.proposed.entry(env.clone()).or_insert_with(|| row.clone()).passed_over = row.passed_over;
            }
            Change::Report(_) | Change::Event(_) | Change::ByHand(_) | Change::Audit(_) | Change::Asked { .. } => {}
        }
    }

    fn apply_remind(&mut self, pause: &OrderId, is_here: bool, message: &Message) {
        if self.reminded.insert(pause.clone()) && is_here {
            self.outbox.push(message.clone());
        }
    }

    fn apply_heads_up(&mut self, env: &EnvName, row: HeadsUpTold, message: &Message) {
        if self.heads_up.get(env).is_none_or(|told| told.told.trusted < row.told.trusted) {
            self.heads_up.insert(env.clone(), row);
            self.outbox.push(message.clone());
        }
    }

    fn apply_take_back(&mut self, env: &EnvName, row: HeadsUpTold, message: &Message) {
        if self.heads_up.get(env) == Some(&row) {
            self.heads_up.remove(env);
            self.outbox.push(message.clone());
        }
    }

    fn apply_would(&mut self, env: &EnvName, (old, new): (CommitId, CommitId), at: Now) {
        let rows = self.would.entry(env.clone()).or_default();
        let row = match rows.iter().position(|row| (row.old, row.new) == (old, new)) {
            Some(known) => {
                let row = rows.remove(known);
                WouldMove { ended: None, times: row.times.saturating_add(1), ..row }
            }
            None => WouldMove { old, new, began: at, ended: None, times: 1 },
        };
        rows.push(row);
        if rows.len() > Self::WOULD_MAX {
            rows.remove(0);
        }
    }

    fn apply_tip(&mut self, env: &EnvName, seen: &BranchSeen, how: &TipHow) {
        let tips = self.held.entry(env.clone()).or_default();
        if let Some(last) = tips.last_mut().filter(|tip| tip.until.is_none()) {
            last.until = Some(seen.at);
        }
        tips.push(TipHeld { commit: seen.tip, from: seen.at, until: None, lost: false, how: how.clone() });
        if tips.len() > Self::HELD_MAX {
            tips.remove(0);
        }
        self.branches.insert(env.clone(), seen.clone());
    }

    fn apply_lost(&mut self, env: &EnvName, commits: &[CommitId], lost: bool) {
        for tip in self.held.get_mut(env).into_iter().flatten().filter(|tip| commits.contains(&tip.commit)) {
            tip.lost = lost;
        }
    }

    fn finish(&mut self, intent: &IntentId, state: IntentState, words: Option<&String>) {
        if let Some(row) = self.intents.iter_mut().find(|row| &row.id == intent) {
            row.state = state;
            row.words = words.cloned();
        }
        self.intents.retain(|row| !row.state.is_final() || row.state == IntentState::Abandoned);
    }
}

impl Standing {
    fn apply(&mut self, flow: &FlowName, targets: &[EnvName], change: &Change) {
        match change {
            Change::Pause(pause) if pause.scope.touches(flow, targets.iter()) => self.pauses.push(pause.clone()),
            Change::Lift(ids) => self.pauses.retain(|pause| !ids.contains(&pause.id)),
            Change::Hold(hold) if hold.flow.as_ref().is_none_or(|f| f == flow) => self.holds.push(hold.clone()),
            Change::Unhold { hold, fixed_by: None } => self.holds.retain(|h| &h.id != hold),
            Change::Unhold { hold, fixed_by } => {
                for held in self.holds.iter_mut().filter(|h| &h.id == hold) {
                    held.fixed_by = *fixed_by;
                }
            }
            Change::Promote(promote) => {
                // One standing promote for each edge: the newest word counts.
                self.promotes.retain(|p| p.env != promote.env);
                self.promotes.push(promote.clone());
            }
            Change::Override(order) => {
                self.overrides.retain(|o| (o.gate, &o.env, o.commit) != (order.gate, &order.env, order.commit));
                self.overrides.push(order.clone());
            }
            Change::OverrideFor { order, request } => {
                for standing in self.overrides.iter_mut().filter(|o| &o.id == order) {
                    standing.request = Some(*request);
                }
            }
            Change::Approve(approval) => {
                self.approvals
                    .retain(|a| (&a.env, a.commit, &a.by) != (&approval.env, approval.commit, &approval.by));
                self.approvals.push(approval.clone());
            }
            Change::Spend(ids) => {
                self.promotes.retain(|p| !ids.contains(&p.id));
                self.overrides.retain(|o| !ids.contains(&o.id));
            }
            Change::Backoff(backoff) => {
                self.backoffs.retain(|b| b.env != backoff.env);
                self.backoffs.push(backoff.clone());
            }
            Change::ClearBackoff(env) => self.backoffs.retain(|b| &b.env != env),
            _ => {}
        }
    }
}

impl Change {
    /// Whether losing it in a power cut would break a promise: intents, effects, orders and what
    /// is told. Observations may be made again.
    pub const fn must_be_durable(&self) -> bool {
        !matches!(
            self,
            Self::Looked(_)
                | Self::Arrived { .. }
                | Self::Left { .. }
                | Self::Decided { .. }
                | Self::Expire { .. }
                | Self::Would { .. }
                | Self::WouldNot { .. }
                | Self::WouldBeOver { .. }
                | Self::Told { .. }
        )
    }

    /// The scope a change of standing orders has, for counting the pushes it does not stop.
    pub fn scope(&self) -> Option<Scope> {
        match self {
            Self::Pause(pause) => Some(pause.scope.clone()),
            Self::Hold(Hold { flow: None, .. }) => Some(Scope::All),
            Self::Hold(Hold { flow: Some(flow), env: None, .. }) => Some(Scope::Flow(flow.clone())),
            Self::Hold(Hold { flow: Some(flow), env: Some(env), .. }) => {
                Some(Scope::Edge(flow.clone(), env.clone()))
            }
            _ => None,
        }
    }
}

impl Report {
    /// The newest result for each name and reference, from reports of one commit in the order in
    /// which they were made. A result turned green with the first of its newest unbroken greens.
    pub fn fold<'a>(reports: impl IntoIterator<Item = &'a Self>) -> Vec<CiItem> {
        let mut newest: BTreeMap<(&CheckName, Option<&BranchName>), CiItem> = BTreeMap::new();
        for report in reports {
            let key = (&report.name, report.on.as_ref());
            let before = newest.get(&key).and_then(|item| item.green_since);
            let green_since = (report.state == CiState::Green).then(|| before.unwrap_or(report.at.trusted));
            let item = CiItem {
                name: report.name.clone(),
                origin: "report".to_owned(),
                on: report.on.clone(),
                state: report.state,
                green_since,
                at: report.at.wall,
                url: report.url.clone(),
            };
            newest.insert(key, item);
        }
        newest.into_values().collect()
    }
}
