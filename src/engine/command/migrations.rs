//! What orders have to do with the gate on migrations: what an `override` of it accepts, and whether a
//! rollback leaves code behind that can live with the database.
//!
//! Not here: what is judged (the core).

use std::collections::BTreeSet;

use towpath_core::decide::gates::migrations::{self, Asks};
use towpath_core::model::{CommitId, Edge, Gate, GateKind, MigrationsGate, Override};

use super::moves::pointless;
use super::{Giving, Refusal};
use crate::engine::observe;
use crate::engine::tick::Planned;
use crate::engine::world::World;

fn gate<'f>(edge: &Edge<'f>) -> Option<&'f MigrationsGate> {
    match edge.target.gate(GateKind::Migrations)? {
        Gate::Migrations(gate) => Some(gate),
        _ => None,
    }
}

/// What stands against a commit now; nothing where there is no such gate.
pub(super) async fn against<W: World>(
    giving: &Giving<'_, W>,
    edge: &Edge<'_>,
    planned: &Planned,
    commit: CommitId,
    asks: Asks,
) -> BTreeSet<String> {
    let Some(gate) = gate(edge) else { return BTreeSet::new() };
    let mut seen = planned.seen.clone();
    let found = observe::asked(giving.world, edge.flow, &planned.look, &mut seen, edge, |look| {
        migrations::stands_against(gate, edge, commit, asks, look)
    })
    .await;
    found.unwrap_or_else(|| BTreeSet::from(["nothing could be asked".to_owned()]))
}

/// Refuses to go back to code that cannot live with what the database has by now, unless an `override` was
/// given for exactly that.
pub(super) async fn lets_back<W: World>(
    giving: &Giving<'_, W>,
    edge: &Edge<'_>,
    planned: &Planned,
    to: CommitId,
) -> Result<(), Refusal> {
    let Some(gate) = gate(edge) else { return Ok(()) };
    let mut seen = planned.seen.clone();
    let verdict = observe::asked(giving.world, edge.flow, &planned.look, &mut seen, edge, |look| {
        migrations::judge_back(gate, edge, to, look)
    })
    .await;
    let Some(verdict) = verdict.filter(|verdict| !verdict.passes()) else { return Ok(()) };
    let (flow, env) = (&edge.flow.name, &edge.target.name);
    let given = |order: &&Override| {
        order.gate == GateKind::Migrations
            && (&order.flow, &order.env, order.commit) == (flow, env, to)
            && giving.now.wall < order.until
    };
    if let Some(order) = planned.ledger.standing.overrides.iter().find(given) {
        let stands = against(giving, edge, planned, to, Asks::Back).await;
        if stands.iter().all(|one| order.accepts.contains(one)) {
            return Ok(());
        }
    }
    let why = giving.words(edge.flow).reason(verdict.why());
    pointless(format!(
        "`{env}` is not put back to {}. {}. To go there all the same: `towpath override migrations {flow} {env} {to} \
         --reason 'WHY'`, then the rollback again",
        to.short(),
        why.trim_end_matches('.')
    ))
}
