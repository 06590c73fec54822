//! What orders have to do with the gate on migrations: what an `override` of it accepts, and whether a
//! rollback leaves code behind that can live with the database.
//!
//! Not here: what is judged (the core).

use towpath_core::decide::gates::migrations::{self, Against, Asks};
use towpath_core::explain::Words;
use towpath_core::model::{CommitId, Edge, Gate, GateKind, MigrationsGate, OrderId};

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
) -> Vec<(String, Against)> {
    let Some(gate) = gate(edge) else { return Vec::new() };
    let mut seen = planned.seen.clone();
    let found = observe::asked(giving.world, edge.flow, &planned.look, &mut seen, edge, |look| {
        migrations::stands_against(gate, edge, commit, asks, look)
    })
    .await;
    found.unwrap_or_else(|| vec![("nothing could be asked".to_owned(), Against::NotKnown)])
}

/// Refuses to go back to code that cannot live with what the database has by now, unless an `override` was
/// given for exactly that: then the order is named.
pub(super) async fn lets_back<W: World>(
    giving: &Giving<'_, W>,
    edge: &Edge<'_>,
    planned: &Planned,
    to: CommitId,
) -> Result<Option<OrderId>, Refusal> {
    let mut seen = planned.seen.clone();
    let judged = observe::judge_back(giving.world, edge.flow, &planned.look, &mut seen, edge, to).await;
    let verdict = match judged {
        Ok(order) => return Ok(order),
        Err(verdict) => verdict,
    };
    let (flow, env) = (&edge.flow.name, &edge.target.name);
    let why = giving.words(edge.flow).reason(verdict.why());
    pointless(format!(
        "`{env}` is not put back to {}. {}. To go there all the same: `towpath override migrations {flow} {env} {to} \
         --reason 'WHY'`, then the rollback again",
        to.short(),
        why.trim_end_matches('.')
    ))
}

/// How many of the findings that an order accepts are named in its receipt.
const NAMED_MAX: usize = 12;

/// What an `override` of this gate says of what it accepts.
pub(super) fn receipt(words: &Words<'_>, against: &[(String, Against)]) -> Vec<String> {
    if against.is_empty() {
        return vec![
            "Nothing stands against it now, so it accepts nothing: what is found later is judged.".to_owned(),
        ];
    }
    let found = words.against(against.iter().map(|(_, one)| one));
    let mut lines = vec!["It accepts this, and whatever else is found is judged anew:".to_owned()];
    lines.extend(found.iter().take(NAMED_MAX).map(|line| format!("- {line}")));
    if let Some(more) = found.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        lines.push(format!("- and {more} more"));
    }
    lines
}
