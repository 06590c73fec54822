//! Facts of the migration gate: what bringing one commit's migrations does to another's code.
//!
//! Not here: how a repository is read (`migrations`), and which questions are asked (the core).

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::model::{
    CompatKey, CompatSaid, Fact, Flow, Gate, GateKind, MigrationsGate, Reading, Tip, Unknown, UnknownWhy,
};
use towpath_core::see::Tips;

use super::real::blocking;
use crate::git::Mirror;
use crate::migrations::{Accepted, Checker, Question, Unanswered, said};

/// Answers every key. What the flow's first branch accepts is accepted; it is read anew each time, as the
/// reports behind the answers need not be.
pub async fn answer(
    checker: &Checker,
    flow: &Flow,
    mirror: Result<Mirror, Unknown>,
    tips: &Tips,
    keys: &BTreeSet<CompatKey>,
    now: Reading,
) -> BTreeMap<CompatKey, Fact<CompatSaid>> {
    let all = |unknown: &Unknown| keys.iter().map(|key| (key.clone(), Fact::Unknown(unknown.clone()))).collect();
    let mirror = match mirror {
        Ok(mirror) => mirror,
        Err(unknown) => return all(&unknown),
    };
    let accepted = match accepted(flow, mirror.clone(), tips).await {
        Ok(accepted) => accepted,
        Err(unknown) => return all(&unknown),
    };
    let mut facts = BTreeMap::new();
    let (mut asked, mut questions) = (Vec::new(), Vec::new());
    for key in keys {
        let gate = flow.environment(&key.env).and_then(|env| env.gate(GateKind::Migrations));
        if let Some(Gate::Migrations(gate)) = gate {
            asked.push(key);
            questions.push(question(key, gate));
        } else {
            let unknown = Unknown::passing(UnknownWhy::NotAnswered);
            facts.insert(key.clone(), Fact::Unknown(unknown));
        }
    }
    let told = checker.ask(mirror.dir(), &questions, now.boottime_ms).await;
    for (key, told) in asked.into_iter().zip(told) {
        let fact = match told {
            Ok(report) => Fact::Known(said(report, &accepted, now.wall)),
            Err(why) => Fact::Unknown(unread(key, &why)),
        };
        facts.insert(key.clone(), fact);
    }
    facts
}

/// The question behind a key.
fn question(key: &CompatKey, gate: &MigrationsGate) -> Question {
    Question {
        base: key.has.iter().map(ToString::to_string).collect(),
        head: key.brings.to_string(),
        running: key.running.to_string(),
        framework: gate.framework.clone(),
        dialect: gate.dialect.clone(),
        schema: gate.schema.clone(),
        paths: gate.paths.clone(),
    }
}

/// What the tip of the flow's first branch accepts.
async fn accepted(flow: &Flow, mirror: Mirror, tips: &Tips) -> Result<Accepted, Unknown> {
    let first = flow.environments.first().and_then(|env| tips.get(&env.name));
    match first {
        Some(Tip::At(tip)) => {
            let tip = *tip;
            blocking(move || mirror.open().map(|repository| Accepted::at(&repository, tip))).await
        }
        Some(Tip::Unknown(unknown)) => Err(unknown.clone()),
        Some(Tip::Absent) | None => Ok(Accepted::default()),
    }
}

fn unread(key: &CompatKey, why: &Unanswered) -> Unknown {
    let (brings, running) = (key.brings.short(), key.running.short());
    let words = format!("those of {brings} against the code of {running}: {}", why.words);
    let unknown = UnknownWhy::Migrations { words };
    if why.lasting { Unknown::lasting(unknown) } else { Unknown::passing(unknown) }
}
