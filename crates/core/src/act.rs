//! Acting on a decision, as a state machine without I/O.
//!
//! [`next`] says which effect comes after which input; a runner (`src/engine/run.rs`) performs
//! them one by one and crashes anywhere without harm: recovery is the same function, started from
//! the stored row with [`Input::Found`]. Nothing here chooses what to move; that is `decide`.

use serde::{Deserialize, Serialize};

use crate::model::{
    CommitId, Edge, Gate, Held, IntentRow, IntentState, MoveKind, Now, PauseKind, PolicyDigest, Reason, Span,
    Standing, Tip, Verdict,
};

/// How long a push may take before its process is killed.
pub const PUSH_TIMEOUT: Span = Span::from_secs(60);

/// How long after a push began it may still land: the timeout and as much again for a server that
/// goes on when its client is gone.
pub const PUSH_DEADLINE: Span = Span::from_secs(120);

/// What a push came to, as told by the server's status line (never by an exit code).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushAnswer {
    /// The server says that it moved the reference from old to new.
    Moved,
    /// The server says that the reference was there already.
    UpToDate,
    /// The server said no: a hook, a protected branch, a missing permission.
    Refused {
        /// Its words.
        words: String,
    },
    /// The reference was not where it had to be.
    LostRace {
        /// The server's or git's words.
        words: String,
    },
    /// Nothing reached the server: git could not start, connect or log in.
    NotSent {
        /// What git said.
        words: String,
    },
    /// Something may have reached the server, and there is no answer.
    NoAnswer {
        /// What git said, if anything.
        words: String,
    },
}

/// What happened last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A new intent, not yet stored.
    New,
    /// It is stored now, by this process.
    Saved,
    /// The row was found in the store: what an earlier tick or process left.
    Found,
    /// Everything outside was read again and judged: still passing, or why not.
    Reread(Result<(), Reason>),
    /// The last check in the store: now marked as pushing, or why not.
    Marked(Result<(), Reason>),
    /// The push was answered.
    Pushed(PushAnswer),
    /// The reference was read after a push, whose answer is given unless this is recovery.
    Read {
        /// Where the branch is, in relation to the intent.
        place: Place,
        /// What the push came to; none after a crash.
        answer: Option<PushAnswer>,
        /// When it was read.
        now: Now,
    },
    /// The outcome is durable.
    Recorded,
}

/// Where the target branch is, in relation to an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Where the move began.
    Old,
    /// Where it was to go.
    New,
    /// At a merge of the old and the new commit: what merging the request makes.
    Merged(CommitId),
    /// At a commit that contains the new one.
    Beyond(CommitId),
    /// At a commit that contains the old one but not the new one.
    Aside(CommitId),
    /// At a commit that does not contain the old one.
    Elsewhere(CommitId),
    /// Gone.
    Absent,
    /// The remote does not tell.
    Unknown,
}

impl Place {
    /// Where a tip is in relation to a forward move; `contains(a, b)` tells whether `a` contains `b`,
    /// `merges(a)` what `a` is a merge of, in order.
    pub fn of(
        row: &IntentRow,
        tip: &Tip,
        contains: impl Fn(CommitId, CommitId) -> bool,
        merges: impl Fn(CommitId) -> Vec<CommitId>,
    ) -> Self {
        match tip {
            Tip::Absent => Self::Absent,
            Tip::Unknown(_) => Self::Unknown,
            Tip::At(at) if *at == row.new => Self::New,
            Tip::At(at) if *at == row.old => Self::Old,
            Tip::At(at) if row.is_merged_by_forge() && merges(*at) == [row.old, row.new] => Self::Merged(*at),
            // Every descendant of `old` contains a rollback's `new`: that proves nothing.
            Tip::At(at) if row.kind == MoveKind::FastForward && contains(*at, row.new) => Self::Beyond(*at),
            Tip::At(at) if contains(*at, row.old) => Self::Aside(*at),
            Tip::At(at) => Self::Elsewhere(*at),
        }
    }
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Store the intent.
    SaveIntent,
    /// Read again, from outside, every fact that the decision rests on, and judge once more.
    Reread,
    /// In one transaction: check what may have been ordered meanwhile, and mark as pushing.
    MarkPushing,
    /// Compare-and-swap the branch.
    Push,
    /// Read where the branch is.
    ReadRef,
    /// In one transaction: the final state, the effect, and what is to be told.
    Record(Outcome),
    /// Leave it as it is: a later tick goes on from the stored row.
    Leave,
    /// Nothing more.
    Done,
}

/// How an intent ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The branch is where we moved it; one effect.
    Landed,
    /// The request was merged with a commit of its own, at which the branch is; one effect.
    LandedAs {
        /// That commit.
        at: CommitId,
    },
    /// We moved it, and it has moved on since; one effect.
    LandedAndPassed {
        /// The tip now.
        now: CommitId,
    },
    /// It is beyond, and whether by our push cannot be told; no effect of ours.
    Overtaken {
        /// The tip now.
        now: CommitId,
    },
    /// What it rested on changed.
    Superseded(Why),
    /// The server said no.
    Refused {
        /// Its words.
        words: String,
    },
    /// Nothing reached the server.
    NotSent {
        /// What git said.
        words: String,
    },
    /// The branch has not moved and the push can no longer land.
    Abandoned,
}

/// Why an intent was superseded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It no longer passes.
    Judged(Reason),
    /// The branch went elsewhere.
    Moved(Place),
    /// The process that saved it died before it pushed; it is planned afresh.
    Forgotten,
}

impl Outcome {
    /// The state to store.
    pub const fn state(&self) -> IntentState {
        match self {
            Self::Landed | Self::LandedAs { .. } | Self::LandedAndPassed { .. } => IntentState::Landed,
            Self::Overtaken { .. } => IntentState::Overtaken,
            Self::Superseded(_) | Self::NotSent { .. } => IntentState::Superseded,
            Self::Refused { .. } => IntentState::Refused,
            Self::Abandoned => IntentState::Abandoned,
        }
    }
}

/// The next effect for an intent, from its row and what happened last.
pub fn next(row: &IntentRow, input: Input) -> Effect {
    match input {
        Input::New => Effect::SaveIntent,
        Input::Saved => Effect::Reread,
        Input::Found => match row.state {
            // A rollback is a person's word and is carried through; a forward move that was not
            // begun is forgotten, because the facts it rested on are.
            IntentState::Saved if row.kind == MoveKind::Rollback => Effect::Reread,
            IntentState::Saved => Effect::Record(Outcome::Superseded(Why::Forgotten)),
            IntentState::Pushing => Effect::ReadRef,
            _ => Effect::Done,
        },
        Input::Reread(Ok(())) => Effect::MarkPushing,
        Input::Marked(Ok(())) => Effect::Push,
        Input::Reread(Err(why)) | Input::Marked(Err(why)) => Effect::Record(Outcome::Superseded(Why::Judged(why))),
        // Whatever was answered, only the reference itself is believed.
        Input::Pushed(_) => Effect::ReadRef,
        Input::Read { place, answer, now } => after_read(row, place, answer, now),
        Input::Recorded => Effect::Done,
    }
}

fn after_read(row: &IntentRow, place: Place, answer: Option<PushAnswer>, now: Now) -> Effect {
    let moved = answer == Some(PushAnswer::Moved);
    // After a crash, or when the answer was lost, the branch at `new` is taken as our landing; an
    // answer that says we moved nothing makes it somebody else's.
    let ours = matches!(answer, None | Some(PushAnswer::Moved | PushAnswer::NoAnswer { .. }));
    match place {
        Place::New if ours => Effect::Record(Outcome::Landed),
        Place::New => Effect::Record(Outcome::Overtaken { now: row.new }),
        Place::Merged(at) if ours => Effect::Record(Outcome::LandedAs { at }),
        Place::Merged(at) => Effect::Record(Outcome::Overtaken { now: at }),
        Place::Beyond(at) if moved => Effect::Record(Outcome::LandedAndPassed { now: at }),
        Place::Beyond(at) => Effect::Record(Outcome::Overtaken { now: at }),
        Place::Old => match answer {
            // The server said yes, and somebody has put the branch back already.
            Some(PushAnswer::Moved) => Effect::Record(Outcome::LandedAndPassed { now: row.old }),
            Some(PushAnswer::Refused { words }) => Effect::Record(Outcome::Refused { words }),
            Some(PushAnswer::NotSent { words }) => Effect::Record(Outcome::NotSent { words }),
            Some(PushAnswer::LostRace { .. }) => Effect::Record(Outcome::Superseded(Why::Moved(place))),
            _ if row.deadline.is_none_or(|deadline| now.trusted >= deadline) => Effect::Record(Outcome::Abandoned),
            _ => Effect::Leave,
        },
        // The server said yes, and then somebody moved the branch back or away.
        Place::Aside(at) | Place::Elsewhere(at) if moved => Effect::Record(Outcome::LandedAndPassed { now: at }),
        Place::Aside(_) | Place::Elsewhere(_) | Place::Absent => {
            Effect::Record(Outcome::Superseded(Why::Moved(place)))
        }
        Place::Unknown => Effect::Leave,
    }
}

/// The last check, inside the transaction that marks an intent as pushing: nothing that was
/// ordered between the decision and this instant forbids it.
///
/// Pauses and holds are written in such a transaction too; so after an acknowledged pause no
/// automatic move begins, by construction.
///
/// # Errors
/// The reason why the push may not begin.
pub fn may_begin(
    row: &IntentRow,
    edge: &Edge<'_>,
    policy: &PolicyDigest,
    standing: &Standing,
    now: Now,
) -> Result<(), Reason> {
    if row.kind == MoveKind::Rollback {
        // Whoever lifts its hold calls it off.
        let what = Held::Range { lost: row.old, kept: row.new };
        let stands = standing.holds.iter().any(|h| h.env.as_ref() == Some(&row.env) && h.what == what);
        return if stands { Ok(()) } else { Err(Reason::OrderGone) };
    }
    if &row.policy != policy {
        return Err(Reason::ConfigChanged);
    }
    let stands = |kind: PauseKind| {
        standing.pauses.iter().find(|p| p.kind == kind && p.stands_on(&row.flow, &row.env, now.wall))
    };
    if let Some(freeze) = stands(PauseKind::Freeze) {
        return Err(crate::decide::pause_reason(freeze));
    }
    let promoted = match &row.promote {
        Some(id) => {
            let order = standing.promotes.iter().find(|p| &p.id == id && now.wall < p.until);
            order.ok_or(Reason::OrderGone)?;
            true
        }
        None => false,
    };
    for id in &row.overrides {
        // Of a request it stands as long as the request is for that head, and what is merged is the head.
        let stands = |order: &&crate::model::Override| row.merge.is_some() || now.wall < order.until;
        let order = standing.overrides.iter().find(|order| &order.id == id).filter(stands);
        order.ok_or(Reason::OrderGone)?;
    }
    if !promoted && let Some(pause) = stands(PauseKind::Pause) {
        return Err(crate::decide::pause_reason(pause));
    }
    if holds_on(standing, edge) != row.holds {
        return Err(Reason::HoldsChanged);
    }
    let overridden =
        |gate: &Gate| standing.overrides.iter().any(|o| row.overrides.contains(&o.id) && o.gate == gate.kind());
    for gate in &edge.target.gates {
        if let Gate::Window(windows) = gate
            && !promoted
            && !overridden(gate)
        {
            let verdict = crate::decide::gates::window::judge(windows, now);
            if let Verdict::Wait { why, .. } | Verdict::Block { why, .. } = verdict {
                return Err(why);
            }
        }
    }
    Ok(())
}

/// The same for what moves no environment, a request that is opened or whose head is moved: what people ordered is
/// as it was when the candidate was judged, at `judged.1` by the wall. A pause that was over then and is not, because
/// the wall was set back, stops it, too. Where this says no the next pass decides anew.
pub fn may_propose(judged: (&Standing, crate::model::Instant), standing: &Standing, now: Now) -> bool {
    let again = standing.pauses.iter().any(|p| p.until.is_over(judged.1) && !p.until.is_over(now.wall));
    standing == judged.0 && !again
}

/// Whether a push that begins now is over before its deadline, however long it may take.
pub fn in_time(row: &IntentRow, now: Now) -> bool {
    row.deadline.is_some_and(|deadline| is_in_time(deadline, now))
}

/// The same for anything that is over [`PUSH_TIMEOUT`] after it began.
pub fn is_in_time(deadline: crate::model::Trusted, now: Now) -> bool {
    now.trusted + PUSH_TIMEOUT <= deadline
}

/// The holds that bear on an edge, with their fixes: what a judgement of its candidates saw.
pub fn holds_on(standing: &Standing, edge: &Edge<'_>) -> Vec<(crate::model::OrderId, Option<CommitId>)> {
    let mut holds: Vec<_> = standing
        .holds
        .iter()
        .filter(|hold| hold.bears_on(&edge.flow.name, &edge.target.name))
        .map(|hold| (hold.id.clone(), hold.fixed_by))
        .collect();
    holds.sort();
    holds
}
