//! Whose code may be running on a database and whose migrations it has, from what environments held.
//!
//! Not here: what of it bears on a candidate (`decide/gates/migrations.rs`).

use std::collections::{BTreeMap, BTreeSet};

use super::Tips;
use crate::model::{
    CodeRunning, CodeSeen, CommitId, Deployed, Edge, EnvName, Environment, Flow, GateKind, Instant, Ledger, Now,
    Tip, TipHow, Unseen, settles,
};

/// The code of every edge whose target has a gate on migrations; `ledger` has noted these tips already.
pub fn code(flow: &Flow, ledger: &Ledger, tips: &Tips, now: Now) -> BTreeMap<EnvName, CodeSeen> {
    let gated = |edge: &Edge<'_>| edge.target.gate(GateKind::Migrations).is_some();
    flow.edges()
        .filter(gated)
        .map(|edge| {
            let beside = flow.environments.iter().filter(|env| shares(env, edge.target));
            let mut code = seen(beside.clone(), ledger, tips, now);
            for env in beside.filter(|env| env.name != edge.target.name) {
                under_way(env, ledger, &mut code);
            }
            (edge.target.name.clone(), code)
        })
        .collect()
}

/// Whether two environments use one database; an environment that names none has its own.
fn shares(one: &Environment, other: &Environment) -> bool {
    one.name == other.name || (one.database.is_some() && one.database == other.database)
}

fn running(env: &Environment, commit: CommitId, until: Option<Instant>) -> CodeRunning {
    CodeRunning { env: env.name.clone(), commit, until, next: None }
}

/// What is being moved into another environment, or may still come to be: its code may run there, and the
/// database may have its migrations, before anybody sees it.
fn under_way(env: &Environment, ledger: &Ledger, code: &mut CodeSeen) {
    for row in ledger.intents.iter().filter(|row| row.env == env.name) {
        if !code.has.contains(&row.new) && !code.coming.contains(&row.new) {
            code.coming.push(row.new);
        }
        if !code.running.iter().any(|other| other.env == row.env && other.commit == row.new) {
            code.running.push(running(env, row.new, None));
        }
    }
}

fn seen<'a>(
    environments: impl Iterator<Item = &'a Environment>,
    ledger: &Ledger,
    tips: &Tips,
    now: Now,
) -> CodeSeen {
    let mut code = CodeSeen::default();
    // In the order of the environments, as people read them.
    let mut has: Vec<CommitId> = Vec::new();
    for env in environments {
        match tips.get(&env.name) {
            Some(Tip::At(tip)) => {
                has.push(*tip);
                if env.deployed.is_none() {
                    code.running.push(running(env, *tip, None));
                }
            }
            // What ran on a branch that is gone may go on running; a branch that was never there is a slip.
            Some(Tip::Absent | Tip::Unknown(_)) | None => code.unknown = Some(env.name.clone()),
        }
        let held = ledger.held.get(&env.name).map_or(&[][..], Vec::as_slice);
        // What a branch has lost it may have brought to the database first; the rest its tip contains.
        has.extend(held.iter().filter(|tip| tip.lost).map(|tip| tip.commit));
        if let Some(check) = &env.deployed {
            let mut newest: Vec<CommitId> = tips.get(&env.name).and_then(Tip::commit).into_iter().collect();
            for tip in held.iter().rev().map(|tip| tip.commit) {
                if newest.len() < Deployed::TIPS_MAX && !newest.contains(&tip) {
                    newest.push(tip);
                }
            }
            let (name, branch) = (env.name.clone(), env.branch.clone());
            let (check, settle) = (check.clone(), env.settle);
            code.deployed.push(Deployed { env: name, branch, check, settle, tips: newest });
        }
        for tip in held.iter().rev().filter(|_| env.deployed.is_none()) {
            let Some(until) = tip.until.and_then(|replaced| settles(replaced, env.settle, now)) else { continue };
            let row = running(env, tip.commit, Some(until));
            if !code.running.iter().any(|other| other.env == row.env && other.commit == row.commit) {
                code.running.push(row);
            }
        }
        if let Some(first) = held.first().filter(|tip| tip.how == TipHow::FirstSight)
            && let Some(until) = settles(first.from, env.settle, now)
            && code.unseen.as_ref().is_none_or(|other| other.until < until)
        {
            code.unseen = Some(Unseen { env: env.name.clone(), until });
        }
    }
    let mut once = BTreeSet::new();
    has.retain(|commit| once.insert(*commit));
    code.has = has;
    code
}
