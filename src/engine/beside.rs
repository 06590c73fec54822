//! Moves that people made beside Towpath, judged as it would have judged them: for `compare`.
//!
//! A move is judged at the look that sees it, with the target where it was and everything else as
//! it is now: what Towpath would say, had nobody moved it. Nothing is acted on, and nothing here
//! bears on a decision. Not here: how the two compare (`towpath_core::compare`).

use towpath_core::decide::candidates;
use towpath_core::model::{Change, Edge, Fact, Flow, HandMove, Ledger, Reason, Stood, Tip, Verdict, Way};
use towpath_core::see::{self, Hand};

use super::observe::{self, Look};
use super::world::World;

/// The records of the moves by others that `changes`, about to be noted, tell of. `ledger` has not
/// noted them yet.
pub async fn hands<W: World>(
    world: &W,
    flow: &Flow,
    ledger: &Ledger,
    look: &Look,
    changes: &[Change],
) -> Vec<Change> {
    let mut records = Vec::new();
    for hand in see::by_hand(changes, look.dag()) {
        let Some(edge) = flow.edge(&hand.env) else { continue };
        let stood = match hand.way {
            Way::Forward => stood(world, &edge, ledger, look, &hand).await,
            Way::Back | Way::Aside => Stood::NotForward,
        };
        let would = see::would_have(ledger, &hand, look.dag());
        let after = ledger.looked.map(|looked| looked.wall);
        let Hand { env, old, new, way } = hand;
        let record = HandMove { env, at: look.now, after, old, new, way, would, stood };
        records.push(Change::ByHand(Box::new(record)));
    }
    records
}

/// What stood against a move forward.
async fn stood<W: World>(world: &W, edge: &Edge<'_>, ledger: &Ledger, look: &Look, hand: &Hand) -> Stood {
    let flow = edge.flow;
    let mut tips = look.tips.clone();
    tips.insert(hand.env.clone(), Tip::At(hand.old));
    let mut wanted = see::wanted(flow, ledger);
    wanted.extend([hand.old, hand.new]);
    // The loaded piece ends where the branches meet, which is further down with the target back.
    let history = world.history(flow, &tips, &wanted).await;
    if let (Fact::Known(dag), Some(source)) = (&history, tips.get(&edge.source.name).and_then(Tip::commit))
        && !dag.contains(source, hand.new)
    {
        return Stood::NotOnSource;
    }
    let before = look.with(tips, history);
    let mut noted = ledger.clone();
    let targets = super::tick::targets(flow);
    for change in observe::note(flow, ledger, &before) {
        noted.apply(&flow.name, &targets, &change);
    }
    // What people had ordered until then, not what their move has lifted or caused.
    noted.standing = ledger.standing.clone();
    let mut seen = observe::observation(flow, &noted, &before);
    let of = seen
        .edges
        .iter()
        .find(|on_edge| on_edge.env == hand.env)
        .and_then(|on_edge| see::judged_for(&candidates(edge, on_edge, &seen), before.dag(), hand.new));
    let judged = observe::judge(world, flow, &before, &mut seen, edge, of.unwrap_or(hand.new)).await;
    match (judged, of) {
        (Ok(()), _) => Stood::Nothing,
        (Err(verdict), None) if is_no_candidate(&verdict) => Stood::NeverTip,
        (Err(verdict), of) => Stood::Against { of: of.unwrap_or(hand.new), verdict },
    }
}

/// What `observe::judge` says of a commit that is no candidate.
const fn is_no_candidate(verdict: &Verdict) -> bool {
    matches!(verdict.why(), Reason::BranchesMoved)
}
