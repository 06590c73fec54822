//! Facts in, never a decision: tips, history and ledger become an `Observation`, and the facts
//! that a decision lacks are answered round by round.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::dag::{Dag, Node};
use towpath_core::decide::{self, Depth, Next};
use towpath_core::model::{
    Change, CommitId, Edge, EdgeKey, Fact, Facts, Flow, Judged, Ledger, Missing, Now, Observation, OrderId, Plan,
    Reason, Tip, Unknown, UnknownWhy, Verdict, Who,
};
use towpath_core::see::{self, Tips};

use super::world::{Fault, World};

/// After how many rounds of questions the rest is unknown.
const ROUNDS_MAX: usize = 16;

/// What one look found, before any dear fact.
#[derive(Debug, Clone)]
pub struct Look {
    /// When.
    pub now: Now,
    /// Where the branches are.
    pub tips: Tips,
    /// The history that was loaded.
    pub history: Fact<Dag>,
    nothing: Dag,
}

impl Look {
    /// The loaded history, or an empty piece that proves nothing.
    pub fn dag(&self) -> &Dag {
        self.history.known().unwrap_or(&self.nothing)
    }

    /// This look as it would be with other tips.
    #[must_use]
    pub fn with(&self, tips: Tips, history: Fact<Dag>) -> Self {
        Self { now: self.now, tips, history, nothing: Dag::default() }
    }
}

/// Reads tips and history.
///
/// The clock is read *after* the tips: what is first seen in them has arrived by then, whatever
/// stopped the process in between. Read before, it would date an arrival too early and end its lag
/// too soon.
///
/// # Errors
/// When the store cannot advance the clock.
pub async fn look<W: World>(world: &W, flow: &Flow, ledger: &Ledger) -> Result<Look, Fault> {
    let tips = world.tips(flow).await;
    let now = world.now().await?;
    let any = tips.values().any(|tip| tip.commit().is_some());
    let history = if any {
        world.history(flow, &tips, &see::wanted(flow, ledger)).await
    } else {
        Fact::Known(Dag::default())
    };
    Ok(Look { now, tips, history, nothing: Dag::default() })
}

/// What the ledger has to learn from a look.
pub fn note(flow: &Flow, ledger: &Ledger, look: &Look) -> Vec<Change> {
    match &look.history {
        Fact::Known(dag) => see::note(flow, ledger, &look.tips, dag, look.now),
        Fact::Unknown(_) => Vec::new(),
    }
}

/// The same, with what came dated by the forge's record of pushes where that proves it older.
pub async fn note_dated<W: World>(world: &W, flow: &Flow, ledger: &Ledger, look: &Look) -> Vec<Change> {
    let mut changes = note(flow, ledger, look);
    let mut pushes = BTreeMap::new();
    for env in see::pushes_wanted(flow, &changes) {
        let told = world.pushes(flow, &env).await;
        pushes.insert(env, told);
    }
    see::date_by_pushes(&mut changes, &pushes, (ledger, &look.tips), look.dag(), look.now);
    changes
}

/// The observation without dear facts; `ledger` has noted the look already.
pub fn observation(flow: &Flow, ledger: &Ledger, look: &Look) -> Observation {
    Observation {
        now: look.now,
        edges: see::edges(flow, ledger, &look.tips, &look.history),
        standing: ledger.standing.clone(),
        facts: Facts::default(),
        code: see::code(flow, ledger, &look.tips, look.now),
    }
}

/// Decides, answering what is missing until nothing is. Fills `seen.facts`.
pub async fn decide<W: World>(world: &W, flow: &Flow, look: &Look, seen: &mut Observation) -> Plan {
    for round in 0.. {
        match decide::decide(flow, seen) {
            Next::Done(plan) => return plan,
            Next::Ask(missing) => answer(world, flow, look, seen, &missing, round >= ROUNDS_MAX).await,
        }
    }
    unreachable!("every asked key is answered, and there are finitely many")
}

/// Answers every missing key, known or unknown.
pub async fn answer<W: World>(
    world: &W,
    flow: &Flow,
    look: &Look,
    seen: &mut Observation,
    missing: &Missing,
    give_up: bool,
) {
    if !give_up {
        seen.facts.absorb(from_graph(world, flow, look, missing).await);
        let facts = world.answer(flow, look.dag(), &look.tips, missing).await;
        seen.facts.absorb(facts);
    }
    seen.facts.give_up_on(missing, &Unknown::passing(UnknownWhy::NotAnswered));
}

/// Judges one commit for one edge whole, answering what is missing: the branches of the edge, its
/// being a candidate, and every check.
///
/// # Errors
/// The verdict that stands against it, the worst of all.
pub async fn judge<W: World>(
    world: &W,
    flow: &Flow,
    look: &Look,
    seen: &mut Observation,
    edge: &Edge<'_>,
    commit: CommitId,
) -> Result<(), Verdict> {
    let judged = judged(world, flow, look, seen, edge, commit).await?;
    worst(judged).map_or(Ok(()), Err)
}

/// Judges whether a target may be put back to a commit, and names the `override` without which it may not.
///
/// # Errors
/// The verdict that stands against it.
pub async fn judge_back<W: World>(
    world: &W,
    flow: &Flow,
    look: &Look,
    seen: &mut Observation,
    edge: &Edge<'_>,
    to: CommitId,
) -> Result<Option<OrderId>, Verdict> {
    let judged = asked(world, flow, look, seen, edge, |look| decide::judge_back(edge, to, look)).await;
    judged.unwrap_or(Err(Verdict::Wait { why: Reason::BranchesMoved, on: Who::Towpath, until: None }))
}

/// Every check of one commit for one edge, whatever comes of it.
///
/// # Errors
/// The verdict that stands against judging it at all: the branches are in the way, or it is no candidate.
pub async fn judged<W: World>(
    world: &W,
    flow: &Flow,
    look: &Look,
    seen: &mut Observation,
    edge: &Edge<'_>,
    commit: CommitId,
) -> Result<Vec<Judged>, Verdict> {
    let moved = || Verdict::Wait { why: Reason::BranchesMoved, on: Who::Towpath, until: None };
    let result = asked(world, flow, look, seen, edge, |look| judge_once(edge, commit, look)).await;
    result.flatten().unwrap_or_else(|| Err(moved()))
}

/// Has one question about an edge answered, which asks for facts until it has them. None if the edge was not
/// looked at.
pub async fn asked<W: World, T>(
    world: &W,
    flow: &Flow,
    look: &Look,
    seen: &mut Observation,
    edge: &Edge<'_>,
    question: impl Fn(&mut decide::Look<'_>) -> Option<T>,
) -> Option<T> {
    let on_edge = seen.edges.iter().find(|e| e.env == edge.target.name).cloned()?;
    for round in 0.. {
        let mut asking = decide::Look::new(seen, &on_edge);
        if let Some(answer) = question(&mut asking) {
            return Some(answer);
        }
        let missing = asking.missing;
        answer(world, flow, look, seen, &missing, round >= ROUNDS_MAX).await;
    }
    unreachable!("every asked key is answered, and there are finitely many")
}

/// `None` when facts are missing; `Some(None)` when the commit is no candidate.
fn judge_once(
    edge: &Edge<'_>,
    commit: CommitId,
    look: &mut decide::Look<'_>,
) -> Option<Option<Result<Vec<Judged>, Verdict>>> {
    match decide::divergence::branches(edge, look.on_edge, look)? {
        Verdict::Pass { why: Reason::Nothing } => {}
        Verdict::Pass { .. } => return Some(None),
        stuck => return Some(Some(Err(stuck))),
    }
    if decide::request::by_request(edge) {
        // What is in the request is a candidate.
        decide::request::seen(edge, look)?;
    }
    let candidates = decide::candidates(edge, look.on_edge, look.seen);
    let Some(candidate) = candidates.into_iter().find(|c| c.id == commit) else { return Some(None) };
    let judged = decide::judge(edge, candidate, look, Depth::Whole)?;
    Some(Some(Ok(judged)))
}

/// The verdict that stands most against a candidate; none where every check passes.
pub fn worst(judged: Vec<Judged>) -> Option<Verdict> {
    judged.into_iter().map(|one| one.verdict).filter(|verdict| !verdict.passes()).max_by_key(Verdict::distance)
}

/// What the loaded history answers by itself: the authors of `target..candidate`.
async fn from_graph<W: World>(world: &W, flow: &Flow, look: &Look, missing: &Missing) -> Facts {
    let mut facts = Facts::default();
    for key in &missing.authors {
        if let Some(authors) = authors(world, flow, look, key).await {
            facts.authors.insert(key.clone(), authors);
        }
    }
    facts
}

/// The e-mails of whoever wrote a commit of `target..candidate`, its co-authors too, and their other ones; none if the
/// history does not tell, and unknown if only `.mailmap` cannot be read.
pub async fn authors<W: World>(
    world: &W,
    flow: &Flow,
    look: &Look,
    key: &EdgeKey,
) -> Option<Fact<BTreeSet<String>>> {
    let dag = look.dag();
    flow.edge(&key.env)?;
    let target = look.tips.get(&key.env).and_then(Tip::commit)?;
    dag.node(target)?;
    dag.node(key.commit)?;
    let (there, range) = (dag.ancestors([target]), dag.ancestors([key.commit]));
    let wrote = dag.written(&range, &there).flat_map(Node::wrote);
    let wrote = wrote.map(|(name, email)| (name.to_owned(), email.to_owned())).collect();
    Some(world.addresses(flow, target, wrote).await)
}
