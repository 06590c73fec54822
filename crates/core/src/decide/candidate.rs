//! Which commits of the source may enter the target.

use crate::model::{Candidates, Edge, EdgeSeen, Fact, Observation, Promote, Via, Waiting};

/// The candidates of an edge, newest first: the source's tips or all of its first-parent commits,
/// as configured, whichever commit a person ordered to be promoted, and the one that is in the request;
/// less those that a fast-forward cannot reach, or whose merge would be something that was never on
/// the source.
pub fn candidates<'a>(edge: &Edge<'_>, on_edge: &'a EdgeSeen, seen: &Observation) -> Vec<&'a Waiting> {
    let Some(graph) = on_edge.graph.known() else { return Vec::new() };
    let promote = standing_promote(edge, seen);
    let by_request = edge.target.via == Via::MergeRequest;
    let requests = seen.facts.requests.get(&edge.target.name).and_then(Fact::known).filter(|_| by_request);
    let head = requests.and_then(|requests| requests.open.as_ref()).map(|open| open.head);
    // What was ordered stays in the request when the order is over.
    let head = head.filter(|head| on_edge.proposed.as_ref().is_some_and(|row| row.head == *head));
    let may_enter = |commit: &&Waiting| {
        let ordered = promote.is_some_and(|p| p.commit == commit.id) && commit.on_chain;
        match edge.target.candidates {
            Candidates::Commits => commit.on_chain || commit.was_tip,
            Candidates::Tips => commit.was_tip || ordered || (head == Some(commit.id) && commit.on_chain),
        }
    };
    let reached = |commit: &&Waiting| match edge.target.via {
        Via::FastForward => commit.reaches,
        Via::MergeRequest => commit.carries,
    };
    graph.waiting.iter().filter(may_enter).filter(reached).collect()
}

/// The `promote` order that stands on an edge now.
pub fn standing_promote<'a>(edge: &Edge<'_>, seen: &'a Observation) -> Option<&'a Promote> {
    let here = |p: &&Promote| p.flow == edge.flow.name && p.env == edge.target.name && seen.now.wall < p.until;
    seen.standing.promotes.iter().find(here)
}
