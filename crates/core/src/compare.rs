//! Towpath beside people: where their moves agree with what it would have done, and where not.
//!
//! The records are made by the ticks (`see::would`, `HandMove`); here they are only read, so the
//! answer is about what Towpath knew then and not about what it would say today. All instants are
//! those of looks: a move is seen at the first look after it was made.
//!
//! Not here: sentences (`explain`).

use serde::{Deserialize, Serialize};

use crate::model::{
    EnvName, Flow, FlowName, HandMove, Instant, Ledger, Mode, Now, Reason, Span, Stood, Unknown, UnknownWhy,
    Verdict, Wanted, Way, WouldMove,
};

/// How a move by hand relates to what Towpath would have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "class")]
pub enum Class {
    /// This very move, about then.
    Agreed {
        /// By how much people were before (negative) or after it.
        after_ms: i64,
    },
    /// Before Towpath would have: what stood against it could have passed with time.
    Earlier,
    /// After Towpath would have.
    Later {
        /// Since when it would have.
        since: Instant,
        /// For how long.
        after_ms: i64,
    },
    /// Back, aside, or where Towpath would not have gone at all.
    Against,
}

/// Relates a move to what was decided before it and said of it. `within` is how far apart the two
/// may be and still agree.
pub fn class(hand: &HandMove, within: Span) -> Class {
    if hand.way != Way::Forward {
        return Class::Against;
    }
    let at = hand.at.wall;
    let further = hand.would.further.map(|wanted| wanted.since);
    if let Some(since) = hand.would.same.into_iter().chain(further).min() {
        let after_ms = at.since(since).ms();
        // Where it would have gone further, people did something else, however soon.
        return match hand.would.same {
            Some(_) if after_ms <= within.ms() => Class::Agreed { after_ms },
            _ => Class::Later { since, after_ms },
        };
    }
    match &hand.stood {
        Stood::Nothing => Class::Agreed { after_ms: 0 },
        Stood::Against { of, verdict: Verdict::Wait { until: Some(until), why, .. } }
            if *of == hand.new && !is_a_stop(why) && until.since(at) <= within =>
        {
            Class::Agreed { after_ms: -until.since(at).ms() }
        }
        Stood::Against { verdict, .. } if !is_a_stop(verdict.why()) => Class::Earlier,
        Stood::Against { .. } | Stood::NotOnSource | Stood::NeverTip | Stood::NotForward => Class::Against,
    }
}

/// Whether time and CI alone do not lift it: people ordered it, or the branches do not allow it.
const fn is_a_stop(why: &Reason) -> bool {
    matches!(
        why,
        Reason::Held { .. }
            | Reason::Frozen { .. }
            | Reason::Paused { .. }
            | Reason::Diverged { .. }
            | Reason::RequestClosed { .. }
            | Reason::RequestDraft { .. }
            | Reason::ChangesRequested { .. }
            | Reason::NoWayToMerge { .. }
            | Reason::SourceAbsent { .. }
            | Reason::TargetAbsent { .. }
            | Reason::Unknown(Unknown { why: UnknownWhy::NoCommonAncestor, .. })
    )
}

/// A flow's people beside Towpath.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The flow.
    pub flow: FlowName,
    /// From when on: what was asked for, or the first look, if that was later.
    pub since: Instant,
    /// Whether the first look was later than what was asked for.
    pub since_first_look: bool,
    /// When it was last looked at.
    pub looked: Option<Instant>,
    /// How far apart two moves may be and still agree.
    pub within: Span,
    /// Of all environments.
    pub counts: Counts,
    /// One for each edge, source-most first.
    pub edges: Vec<EdgeCompared>,
}

/// One environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeCompared {
    /// The environment.
    pub env: EnvName,
    /// Whether it is only observed now.
    pub observed: bool,
    /// How many moves were Towpath's own.
    pub by_towpath: u64,
    /// How its moves by hand compare.
    pub counts: Counts,
    /// The moves by hand, oldest first.
    pub moves: Vec<MoveCompared>,
    /// What Towpath would move and nobody has moved yet.
    pub not_yet: Option<NotYet>,
}

/// A move by hand with its class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveCompared {
    /// How it relates to what Towpath would have done.
    #[serde(flatten)]
    pub class: Class,
    /// What was recorded of it.
    pub moved: HandMove,
}

/// What Towpath would move and nobody has moved yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotYet {
    /// What it would move to now, and since when.
    pub now: Wanted,
    /// What it would have moved to first, if that was earlier.
    pub first: Option<Wanted>,
}

/// How many moves there are of each class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All moves by hand.
    pub moves: u64,
    /// [`Class::Agreed`].
    pub agreed: u64,
    /// [`Class::Earlier`].
    pub earlier: u64,
    /// [`Class::Later`].
    pub later: u64,
    /// [`Class::Against`].
    pub against: u64,
    /// Environments with a [`NotYet`].
    pub not_yet: u64,
}

impl Counts {
    fn add(&mut self, class: Class) {
        self.moves += 1;
        *match class {
            Class::Agreed { .. } => &mut self.agreed,
            Class::Earlier => &mut self.earlier,
            Class::Later { .. } => &mut self.later,
            Class::Against => &mut self.against,
        } += 1;
    }

    fn absorb(&mut self, other: Self) {
        self.moves += other.moves;
        self.agreed += other.agreed;
        self.earlier += other.earlier;
        self.later += other.later;
        self.against += other.against;
        self.not_yet += other.not_yet;
    }
}

/// What is compared: `hands` are the recorded moves by hand since `since`, in any order, `own` counts
/// Towpath's own for each environment.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// The flow.
    pub flow: &'a Flow,
    /// Its ledger.
    pub ledger: &'a Ledger,
    /// Moves by hand.
    pub hands: &'a [HandMove],
    /// Towpath's own moves.
    pub own: &'a [(EnvName, u64)],
    /// From when on.
    pub since: Instant,
    /// How far apart two moves may be and still agree.
    pub within: Span,
    /// Now.
    pub now: Now,
}

/// Puts the two records next to each other.
pub fn compare(given: &Compared<'_>) -> Comparison {
    let first = given.ledger.held.values().filter_map(|tips| tips.first()).map(|tip| tip.from.wall).min();
    let since = first.map_or(given.since, |first| first.max(given.since));
    let mut counts = Counts::default();
    let mut edges = Vec::new();
    for edge in given.flow.edges() {
        let compared = edge_compared(given, &edge.target.name, edge.target.mode == Mode::Observe);
        counts.absorb(compared.counts);
        edges.push(compared);
    }
    Comparison {
        flow: given.flow.name.clone(),
        since,
        since_first_look: since > given.since,
        looked: given.ledger.looked.map(|looked| looked.wall),
        within: given.within,
        counts,
        edges,
    }
}

fn edge_compared(given: &Compared<'_>, env: &EnvName, observed: bool) -> EdgeCompared {
    let mut counts = Counts::default();
    let here = given.hands.iter().filter(|hand| &hand.env == env && hand.at.wall >= given.since);
    let mut moves: Vec<MoveCompared> =
        here.map(|hand| MoveCompared { class: class(hand, given.within), moved: hand.clone() }).collect();
    moves.sort_by_key(|compared| compared.moved.at.trusted);
    moves.iter().for_each(|compared| counts.add(compared.class));
    let rows = given.ledger.would.get(env).map_or(&[][..], Vec::as_slice);
    // Where Towpath acts, what it is about to do is no disagreement until it has taken its time.
    let slow = |wanted: &NotYet| observed || given.now.wall.since(wanted.now.since) > given.within;
    let not_yet = not_yet(rows).filter(slow);
    counts.not_yet = u64::from(not_yet.is_some());
    let by_towpath = given.own.iter().filter(|(of, _)| of == env).map(|(_, count)| count).sum();
    EdgeCompared { env: env.clone(), observed, by_towpath, counts, moves, not_yet }
}

fn not_yet(rows: &[WouldMove]) -> Option<NotYet> {
    let wanted = |row: &WouldMove| Wanted { new: row.new, since: row.began.wall };
    let now = rows.iter().find(|row| row.ended.is_none()).map(wanted)?;
    let first = rows.iter().map(wanted).min_by_key(|wanted| wanted.since);
    Some(NotYet { now, first: first.filter(|first| first.since < now.since) })
}
