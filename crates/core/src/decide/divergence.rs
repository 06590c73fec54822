//! Whether the branches of an edge can be judged at all, and what the target's own commits are.

use crate::decide::Look;
use crate::model::{
    BranchName, Edge, EdgeKey, EdgeSeen, Fact, Graph, Own, Reason, Stray, StrayKind, Tip, Verdict, Via, Who,
};

/// The verdict on the edge itself: up to date, something waits (`Pass { Nothing }`), or stuck.
/// `None` when patch-ids are needed to tell what a commit is.
pub fn branches(edge: &Edge<'_>, on_edge: &EdgeSeen, look: &mut Look<'_>) -> Option<Verdict> {
    if let Some(verdict) = tip(&on_edge.source, &edge.source.branch, Side::Source) {
        return Some(verdict);
    }
    if let Some(verdict) = tip(&on_edge.target, &edge.target.branch, Side::Target) {
        return Some(verdict);
    }
    let graph = match &on_edge.graph {
        Fact::Known(graph) => graph,
        Fact::Unknown(unknown) => return Some(Verdict::unknown(unknown.clone())),
    };
    let strays = strays(edge, graph, look)?;
    if !strays.is_empty() {
        return Some(diverged(edge, graph, strays));
    }
    if graph.waiting.is_empty() {
        return Some(Verdict::Pass { why: Reason::UpToDate });
    }
    Some(Verdict::Pass { why: Reason::Nothing })
}

#[derive(Clone, Copy)]
enum Side {
    Source,
    Target,
}

fn tip(tip: &Tip, branch: &BranchName, side: Side) -> Option<Verdict> {
    match tip {
        Tip::At(_) => None,
        Tip::Unknown(unknown) => Some(Verdict::unknown(unknown.clone())),
        Tip::Absent => {
            let why = match side {
                Side::Source => Reason::SourceAbsent { branch: branch.clone() },
                Side::Target => Reason::TargetAbsent { branch: branch.clone() },
            };
            Some(Verdict::Block { why, who: Who::Pushers(branch.clone()) })
        }
    }
}

/// The target's own commits that are divergence on this edge, each with its kind.
fn strays(edge: &Edge<'_>, graph: &Graph, look: &mut Look<'_>) -> Option<Vec<Stray>> {
    let mut complete = true;
    let mut strays = Vec::new();
    for own in &graph.own {
        match kind(edge, own, look) {
            Some(StrayKind::PromotionMerge) if edge.target.via == Via::MergeRequest => {}
            Some(kind) => strays.push(Stray {
                commit: own.id,
                author: own.author.clone(),
                subject: own.subject.clone(),
                kind,
            }),
            None => complete = false,
        }
    }
    complete.then_some(strays)
}

fn kind(edge: &Edge<'_>, own: &Own, look: &mut Look<'_>) -> Option<StrayKind> {
    if own.lost_by_source {
        return Some(StrayKind::Withdrawn);
    }
    if let Some((env, brought_by)) = &own.earlier {
        // What somebody holds back is not on its way.
        let kind = if own.held {
            StrayKind::HeldBack { env: env.clone() }
        } else {
            StrayKind::OnItsWay { env: env.clone(), brought_by: *brought_by }
        };
        return Some(kind);
    }
    if own.promotion_merge {
        return Some(StrayKind::PromotionMerge);
    }
    if own.empty_merge {
        return Some(StrayKind::EmptyMerge);
    }
    if own.parents > 1 {
        return Some(StrayKind::Content);
    }
    if let Some(of) = own.same_tree {
        return Some(StrayKind::Squash { of });
    }
    let key = EdgeKey { env: edge.target.name.clone(), commit: own.id };
    match look.seen.facts.picks.get(&key) {
        Some(Fact::Known(Some(of))) => Some(StrayKind::CherryPick { of: *of }),
        // Unknown: a change made here is the reading that asks for the most care.
        Some(Fact::Known(None) | Fact::Unknown(_)) => Some(StrayKind::Content),
        None => {
            look.missing.picks.insert(key);
            None
        }
    }
}

fn diverged(edge: &Edge<'_>, graph: &Graph, strays: Vec<Stray>) -> Verdict {
    let all_described = graph.own_total as usize == graph.own.len();
    let on_their_way = all_described && strays.iter().all(|s| matches!(s.kind, StrayKind::OnItsWay { .. }));
    // The promotion merges of a merge-request edge are none.
    let no_strays = u32::try_from(graph.own.len() - strays.len()).unwrap_or(u32::MAX);
    let total = graph.own_total.saturating_sub(no_strays);
    let why = Reason::Diverged { commits: strays, total };
    if on_their_way {
        let on = Who::Environment(edge.source.name.clone());
        return Verdict::Wait { why, on, until: None };
    }
    // The way out is a back-merge into the first branch; only what was withdrawn or is held back is
    // mended on the target itself.
    let taken_back = |stray: &Stray| matches!(stray.kind, StrayKind::Withdrawn | StrayKind::HeldBack { .. });
    let withdrawn = matches!(&why, Reason::Diverged { commits, .. } if commits.iter().any(taken_back));
    let first = edge.flow.environments.first().unwrap_or(edge.source);
    let branch = if withdrawn { &edge.target.branch } else { &first.branch };
    Verdict::Block { why, who: Who::Pushers(branch.clone()) }
}
