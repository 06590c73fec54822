//! Migrations for the cases of the laws: gates, running code, and an answer to every question they can ask.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{
    CodeRunning, CodeSeen, CommitId, CompatFinding, CompatKey, CompatSaid, EdgeSeen, EnvName, Fact, Facts, Flow,
    Gate, MigrationsGate, Review, Unknown, UnknownWhy, Unseen,
};

use crate::kit::{c, minutes};

/// Gives some edges a gate on migrations, and `all` an answer to whatever it asks. The same seed gives the
/// same.
pub fn give(flow: &mut Flow, edges: &[EdgeSeen], all: &mut Facts, seed: u64) -> BTreeMap<EnvName, CodeSeen> {
    let waiting: BTreeSet<CommitId> =
        edges.iter().flat_map(|edge| edge.graph.known()).flat_map(|graph| &graph.waiting).map(|w| w.id).collect();
    let mut seen = BTreeMap::new();
    for (at, environment) in (0..).zip(&mut flow.environments).skip(1) {
        let chance = mixed(seed, &[at]);
        if chance % 10 >= 4 {
            continue;
        }
        let review = if chance & 64 == 0 { Review::Block } else { Review::Allow };
        let (framework, dialect, schema, paths) = (None, None, None, Vec::new());
        environment.gates.push(Gate::Migrations(MigrationsGate { review, framework, dialect, schema, paths }));
        environment.gates.sort_by_key(Gate::kind);
        let code = code(&environment.name, at, chance);
        answer(&environment.name, &code, &waiting, all, seed);
        seen.insert(environment.name.clone(), code);
    }
    seen
}

/// The tip, sometimes one before it, sometimes one of an environment further on.
fn code(env: &EnvName, at: u64, chance: u64) -> CodeSeen {
    let running =
        |env: &EnvName, commit, until| CodeRunning { env: env.clone(), commit: c(commit), until, next: None };
    let mut code = CodeSeen { running: vec![running(env, 900, None)], has: vec![c(900)], ..CodeSeen::default() };
    if chance & 128 == 0 {
        code.running.push(running(env, 901, Some(minutes(7).wall)));
    }
    if chance & 256 == 0 {
        code.running.push(running(&EnvName::from(crate::cases::ENVS[(at as usize + 1).min(3)]), 902, None));
        code.has.push(c(902));
    }
    if chance.is_multiple_of(7) {
        code.unseen = Some(Unseen { env: env.clone(), until: minutes(3).wall });
    }
    code
}

fn answer(env: &EnvName, code: &CodeSeen, waiting: &BTreeSet<CommitId>, all: &mut Facts, seed: u64) {
    let mut give = |has: Vec<CommitId>, brings, running| {
        let key = CompatKey { env: env.clone(), has, brings, running };
        let fact = fact(mixed(seed, &[number(brings), number(running), key.has.len() as u64]));
        all.compat.insert(key, fact);
    };
    for brings in waiting {
        for running in code.running.iter().map(|code| code.commit).chain(waiting.iter().copied()) {
            give(code.has.clone(), *brings, running);
        }
        for had in &code.has {
            give(vec![*brings], *had, *brings);
        }
    }
}

fn fact(chance: u64) -> Fact<CompatSaid> {
    let finding = |breaks, by_use| CompatFinding {
        breaks,
        by_use,
        history: false,
        rule: "drop-column".to_owned(),
        object: "users.nick_name".to_owned(),
        path: "migrations/7.sql".to_owned(),
        line: 3,
        message: "drops column users.nick_name".to_owned(),
        used_at: by_use.then(|| "app.rb:1".to_owned()),
    };
    let findings = match chance % 20 {
        0..10 => vec![],
        10..16 => vec![finding(true, true)],
        16 => vec![finding(true, true), finding(true, false)],
        17 => vec![finding(false, false)],
        18 => vec![finding(false, true)],
        _ => {
            let why = UnknownWhy::Migrations { words: "it was killed".to_owned() };
            return Fact::Unknown(Unknown::passing(why));
        }
    };
    Fact::Known(CompatSaid { findings, more: 0, unused: u32::from(chance & 512 == 0), migrations: 2 })
}

fn number(commit: CommitId) -> u64 {
    u64::from(crate::kit::number(commit))
}

fn mixed(seed: u64, with: &[u64]) -> u64 {
    let mix = |hash: u64, one: &u64| {
        let hash = (hash ^ one).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^ (hash >> 29)
    };
    with.iter().fold(mix(0x51ed_270b, &seed), mix) >> 3
}
