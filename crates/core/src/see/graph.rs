//! How source and target of one edge relate: promoted point, what waits, what the target has of
//! its own. Linear in the loaded commits for each hold and each own commit.

use std::collections::HashSet;

use crate::dag::{Dag, Marks, Node};
use crate::model::{
    CommitId, Edge, EnvName, Fact, Graph, Held, Hold, Ledger, Own, Tip, Unknown, UnknownWhy, Via, Waiting,
};
use crate::see::Tips;

/// The graph of an edge whose source is at `s` and whose target is at `t`.
pub fn relate(edge: &Edge<'_>, ledger: &Ledger, tips: &Tips, dag: &Dag, s: CommitId, t: CommitId) -> Fact<Graph> {
    for tip in [s, t] {
        if dag.node(tip).is_none() {
            return Fact::Unknown(Unknown::passing(UnknownWhy::MissingCommit { commit: tip }));
        }
    }
    let sides = Sides { source: dag.ancestors([s]), target: dag.ancestors([t]), over_target: dag.descendants(t) };
    let related = dag.nodes().iter().any(|n| dag.has(&sides.source, n.id) && dag.has(&sides.target, n.id));
    if !related {
        return Fact::Unknown(Unknown::lasting(UnknownWhy::NoCommonAncestor));
    }
    let promoted = dag.chain(s).find(|node| dag.has(&sides.target, node.id)).map(|node| node.id);
    let chain: HashSet<CommitId> = dag.chain(t).map(|node| node.id).collect();
    let is_promotion = |node: &Node| chain.contains(&node.id) && brings_source(dag, &sides, node);
    // Where requests are merged, each leaves one behind, for ever: they are no divergence there, and
    // would hide what is.
    let by_request = edge.target.via == Via::MergeRequest;
    let strays: Vec<&Node> =
        dag.minus(&sides.target, &sides.source).filter(|node| !(by_request && is_promotion(node))).collect();
    // Where something of the target's own stands in the way, nothing is merged.
    let base = if by_request && strays.is_empty() { dag.newest(&sides.target, is_promotion) } else { vec![t] };
    let over_base: Vec<Marks> = base.into_iter().map(|id| dag.descendants(id)).collect();
    Fact::Known(Graph {
        promoted,
        waiting: waiting(edge, ledger, dag, (&sides, &over_base), s),
        own_total: u32::try_from(strays.len()).unwrap_or(u32::MAX),
        own: own(edge, ledger, tips, dag, &sides, &strays[..strays.len().min(Graph::OWN_MAX)], is_promotion),
    })
}

/// Whether a commit of the target's chain is a merge of a source commit with that one's own tree.
fn brings_source(dag: &Dag, sides: &Sides, node: &Node) -> bool {
    let [_, second] = node.parents[..] else { return false };
    match dag.node(second) {
        Some(merged) => dag.has(&sides.source, second) && merged.tree == node.tree,
        // Outside the loaded piece is below its floor: contained in every environment.
        None => dag.takes_the_second(node),
    }
}

struct Sides {
    source: Marks,
    target: Marks,
    over_target: Marks,
}

/// Which commits a hold covers, and which of them contain its fix.
struct Cover {
    covered: Marks,
    fixed: Option<Marks>,
}

impl Cover {
    /// The cover of a hold over `target..candidate`, given what the target contains.
    fn of(hold: &Hold, dag: &Dag, target: &Marks) -> Self {
        let above = |id: &CommitId| !dag.is_below(*id) && !dag.has(target, *id);
        let covered = match hold.what {
            Held::Commit(commit) => dag.descendants_of_any(Some(commit).filter(above)),
            Held::Range { lost, kept } if dag.knows(lost) => {
                let (lost, kept) = (dag.ancestors([lost]), dag.ancestors([kept]));
                let removed: Vec<CommitId> = dag.minus(&lost, &kept).map(|n| n.id).filter(above).collect();
                dag.descendants_of_any(removed)
            }
            // What was lost is no longer to be had, so what it contained cannot be told: a hold
            // whose reach is unknown covers everything.
            Held::Range { .. } => dag.ancestors(dag.nodes().iter().map(|n| n.id)),
        };
        Self { covered, fixed: hold.fixed_by.map(|fix| dag.descendants(fix)) }
    }

    fn covers(&self, dag: &Dag, id: CommitId) -> bool {
        dag.has(&self.covered, id) && !self.fixed.as_ref().is_some_and(|fixed| dag.has(fixed, id))
    }
}

/// What the target lacks; `over_base` are the descendants of each of the commits that have to be contained.
fn waiting(
    edge: &Edge<'_>,
    ledger: &Ledger,
    dag: &Dag,
    (sides, over_base): (&Sides, &[Marks]),
    s: CommitId,
) -> Vec<Waiting> {
    let chain: Vec<&Node> = dag.chain(s).take_while(|node| !dag.has(&sides.target, node.id)).collect();
    let on_chain: HashSet<CommitId> = chain.iter().map(|node| node.id).collect();
    let held: Vec<CommitId> = ledger
        .held
        .get(&edge.source.name)
        .into_iter()
        .flatten()
        .filter(|tip| !tip.lost)
        .map(|tip| tip.commit)
        .collect();
    let was_tip: HashSet<CommitId> = held.iter().copied().collect();

    let mut order: Vec<&Node> = chain.clone();
    let mut beside = HashSet::new();
    for tip in held {
        let off_chain = dag.has(&sides.source, tip) && !dag.has(&sides.target, tip) && !on_chain.contains(&tip);
        if off_chain
            && beside.insert(tip)
            && let Some(node) = dag.node(tip)
        {
            // A tip that a later merge took in as its second parent: it stands just below the
            // oldest commit of the chain that contains it, after those held later.
            let over = dag.descendants(tip);
            let at = order.iter().position(|n| n.id != tip && !dag.has(&over, n.id)).unwrap_or(order.len());
            order.insert(at, node);
        }
    }

    let covers: Vec<(&Hold, Cover)> = ledger
        .standing
        .holds
        .iter()
        .filter(|hold| hold.bears_on(&edge.flow.name, &edge.target.name))
        .map(|hold| (hold, Cover::of(hold, dag, &sides.target)))
        .collect();
    let arrivals = ledger.arrivals.get(&edge.source.name);
    order
        .into_iter()
        .map(|node| Waiting {
            id: node.id,
            author: node.author.clone(),
            subject: node.subject.clone(),
            on_chain: on_chain.contains(&node.id),
            was_tip: was_tip.contains(&node.id),
            reaches: dag.has(&sides.over_target, node.id),
            carries: over_base.iter().all(|over| dag.has(over, node.id)),
            arrival: arrivals.and_then(|a| a.get(&node.id)).copied(),
            holds: covers
                .iter()
                .filter(|(_, cover)| cover.covers(dag, node.id))
                .map(|(hold, _)| hold.id.clone())
                .collect(),
        })
        .collect()
}

fn own(
    edge: &Edge<'_>,
    ledger: &Ledger,
    tips: &Tips,
    dag: &Dag,
    sides: &Sides,
    strays: &[&Node],
    is_promotion: impl Fn(&Node) -> bool,
) -> Vec<Own> {
    if strays.is_empty() {
        return Vec::new();
    }
    let by_tree = dag.by_tree();
    let lost = ledger.held.get(&edge.source.name).into_iter().flatten().filter(|tip| tip.lost);
    let lost = dag.ancestors(lost.map(|tip| tip.commit));
    let covers = covers_up_to(edge, ledger, dag);
    let tree = |id: &CommitId| dag.node(*id).map(|node| node.tree);
    strays
        .iter()
        .map(|node| {
            let merge = node.parents.len() > 1;
            let earlier = earlier(edge, tips, dag, node.id);
            let brought_by = earlier.as_ref().map(|(_, commit)| *commit);
            Own {
                id: node.id,
                author: node.author.clone(),
                subject: node.subject.clone(),
                parents: u32::try_from(node.parents.len()).unwrap_or(u32::MAX),
                promotion_merge: is_promotion(node),
                empty_merge: merge
                    && (dag.takes_the_second(node) || node.parents.iter().any(|p| tree(p) == Some(node.tree))),
                same_tree: by_tree
                    .get(&node.tree)
                    .and_then(|ids| ids.iter().rev().find(|id| dag.has(&sides.source, **id)))
                    .copied(),
                lost_by_source: dag.has(&lost, node.id),
                earlier,
                held: covers.iter().any(|cover| {
                    cover.covers(dag, node.id) || brought_by.is_some_and(|commit| cover.covers(dag, commit))
                }),
            }
        })
        .collect()
}

/// The covers of all holds on this edge and those before it, as if no target had anything yet.
fn covers_up_to(edge: &Edge<'_>, ledger: &Ledger, dag: &Dag) -> Vec<Cover> {
    let nothing = dag.ancestors([]);
    let bears = |hold: &&Hold| {
        let mut targets = edge.flow.environments.iter().skip(1).take(edge.at + 1);
        targets.any(|target| hold.bears_on(&edge.flow.name, &target.name))
    };
    ledger.standing.holds.iter().filter(bears).map(|hold| Cover::of(hold, dag, &nothing)).collect()
}

/// The nearest environment before the source that has the commit, and the oldest commit on its
/// chain that contains it.
fn earlier(edge: &Edge<'_>, tips: &Tips, dag: &Dag, id: CommitId) -> Option<(EnvName, CommitId)> {
    let before = edge.flow.environments.get(..edge.at)?;
    let over = dag.descendants(id);
    before.iter().rev().find_map(|environment| {
        let tip = tips.get(&environment.name).and_then(Tip::commit).filter(|tip| dag.has(&over, *tip))?;
        let brings = dag.chain(tip).take_while(|node| dag.has(&over, node.id)).last()?;
        Some((environment.name.clone(), brings.id))
    })
}
