//! `approve`: whose approval it is, and whether the gate will count it.
//!
//! Not here: the gate's rule (`decide::gates::approvals` of the core), and approvals of requests, which are the forge's.

use std::collections::BTreeSet;

use towpath_core::command::CommitWord;
use towpath_core::decide::gates::approvals;
use towpath_core::model::{
    Actor, Approval, ApprovalsGate, Change, EdgeKey, Fact, Flow, Gate, GateKind, NotCounted, Via,
};
use towpath_core::people::Identity;

use super::orders::edge;
use super::{Giving, Refusal, Reply, commits};
use crate::engine::observe;
use crate::engine::world::World;

/// `approve`.
pub async fn approve<W: World>(
    giving: &Giving<'_, W>,
    flow: &str,
    env: &str,
    word: &CommitWord,
) -> Result<Reply, Refusal> {
    let (flow, env) = edge(giving, flow, env)?;
    let gate = flow.environment(&env).and_then(|e| e.gate(GateKind::Approvals));
    let Some(Gate::Approvals(gate)) = gate else {
        let why = format!("`{env}` of `{}` asks for no approvals", flow.name);
        return Err(Refusal::Pointless { why });
    };
    if flow.environment(&env).is_some_and(|e| e.via == Via::MergeRequest) {
        let why = format!("`{env}` of `{}` is entered by request: approve its request on the forge", flow.name);
        return Err(Refusal::Pointless { why });
    }
    let Some(by) = listed(giving, gate) else {
        let names: Vec<&str> = gate.from.iter().map(String::as_str).collect();
        let why =
            format!("`{}` may not approve for `{env}` of `{}`; {} may", giving.by, flow.name, names.join(", "));
        return Err(Refusal::NotPermitted { why });
    };
    let commit = commits::find(giving, flow, word).await?;
    let mut emails = giving.emails().into_iter();
    let email = emails.next();
    let row = Approval {
        id: giving.id("approval"),
        flow: flow.name.clone(),
        env: env.clone(),
        commit,
        by,
        email,
        also: emails.collect(),
        at: giving.now.wall,
    };
    let place = format!("for `{env}` of `{}`", flow.name);
    let short = commit.short();
    let lines = match whether_it_counts(giving, flow, gate, &row).await? {
        Counts::Yes => vec![format!("Approved exactly {short} {place}.")],
        Counts::No(why) => vec![format!("The approval of exactly {short} {place} is recorded."), why],
        Counts::Unknown => vec![
            format!("The approval of exactly {short} {place} is recorded."),
            "Authors may not approve here, and the branches cannot be read now to tell who they are; it counts \
             unless you are one."
                .to_owned(),
        ],
    };
    giving.settle(Some(&flow.name), None, vec![Change::Approve(row)], lines).await
}

/// The name under which somebody's approval counts: their person's, or the one of their identities that the gate
/// lists; one for each person, so that nobody approves twice. None if it lists none of them.
fn listed<W: World>(giving: &Giving<'_, W>, gate: &ApprovalsGate) -> Option<Actor> {
    let identities = giving.card().into_iter().flat_map(|card| &card.identities);
    let mut names = [giving.by.clone()].into_iter().chain(identities.map(Identity::actor));
    if gate.from.is_empty() { names.next() } else { names.find(|name| gate.from.contains(name.as_str())) }
}

/// What becomes of an approval.
enum Counts {
    Yes,
    /// And why not, as a sentence.
    No(String),
    Unknown,
}

/// Whether the gate will count it, by the gate's own rule.
async fn whether_it_counts<W: World>(
    giving: &Giving<'_, W>,
    flow: &Flow,
    gate: &ApprovalsGate,
    row: &Approval,
) -> Result<Counts, Refusal> {
    let authors = if approvals::asks_for_authors(gate, row) {
        let ledger = giving.world.load(flow).await?;
        let look = observe::look(giving.world, flow, &ledger).await?;
        let key = EdgeKey { env: row.env.clone(), commit: row.commit };
        match observe::authors(giving.world, flow, &look, &key).await {
            Some(Fact::Known(authors)) => authors,
            Some(Fact::Unknown(_)) | None => return Ok(Counts::Unknown),
        }
    } else {
        BTreeSet::new()
    };
    Ok(match approvals::why_not(gate, row, &authors) {
        None => Counts::Yes,
        Some(why) => {
            let one = NotCounted { by: row.by.clone(), why, stranger: None };
            Counts::No(giving.words(flow).approved_in_vain(&one))
        }
    })
}
