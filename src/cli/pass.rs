//! `run` and `plan`: a pass over flows, shown.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use towpath_core::decide::{self, Next};
use towpath_core::model::{Flow, IntentRow, IntentState, Observation, Plan, Unknown, UnknownWhy};

use super::Failure;
use super::exit::Exit;
use super::out::{Out, complain};
use super::session::{Session, words};
use super::view::mark;
use crate::config::FlowConfig;
use crate::engine::{Fault, Pass, Ticked, plan as plan_flow, tick};

/// How many flows are worked on at once.
const AT_ONCE: usize = 4;

/// A plan with what it was made from: enough to decide it again anywhere.
#[derive(Serialize, Deserialize)]
struct Saved {
    schema_version: u32,
    flows: Vec<SavedFlow>,
}

#[derive(Serialize, Deserialize)]
struct SavedFlow {
    flow: Flow,
    seen: Observation,
    /// What stands for the repository in commands to copy.
    #[serde(default = "origin")]
    remote: String,
}

/// The remote of what was saved without one.
fn origin() -> String {
    "origin".to_owned()
}

/// One pass. A flow that fails does not keep the others from theirs.
pub async fn run(session: Session, word: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let flows: Vec<FlowConfig> = session.flows(word)?.into_iter().cloned().collect();
    let session = Arc::new(session);
    let mut tasks = tokio::task::JoinSet::new();
    let mut results: Vec<Option<Result<Ticked, Fault>>> = flows.iter().map(|_| None).collect();
    let mut next = flows.iter().enumerate();
    loop {
        while tasks.len() < AT_ONCE
            && let Some((at, found)) = next.next()
        {
            let (session, flow) = (session.clone(), found.flow.clone());
            tasks.spawn(async move { (at, tick(&session.world, &flow).await) });
        }
        match tasks.join_next().await {
            None => break,
            Some(Ok((at, result))) => results[at] = Some(result),
            // A panic in one flow: the slot stays empty, and is reported below.
            Some(Err(_)) => {}
        }
    }
    let mut exits = Vec::new();
    let mut shown = Vec::new();
    for (found, result) in flows.iter().zip(results) {
        exits.push(show(found, result, out, &mut shown));
    }
    if out.json() {
        out.value(serde_json::json!({ "flows": shown }));
    }
    Ok(Exit::worst(exits))
}

fn show(
    found: &FlowConfig,
    result: Option<Result<Ticked, Fault>>,
    out: Out,
    shown: &mut Vec<serde_json::Value>,
) -> Exit {
    let name = &found.flow.name;
    let mut failed = |what: String, exit: Exit| {
        if out.json() {
            shown.push(serde_json::json!({ "flow": name, "error": what }));
        } else {
            complain(format!("towpath: {name}: {what}"));
        }
        exit
    };
    match result {
        None => failed("the pass ended by a mistake in Towpath; the other flows went on".to_owned(), Exit::Error),
        Some(Err(fault)) => {
            let retry = matches!(fault, Fault::Store { retry: true, .. });
            failed(fault.to_string(), if retry { Exit::Unreachable } else { Exit::Error })
        }
        Some(Ok(Ticked::Leased)) => {
            if out.json() {
                shown.push(serde_json::json!({ "flow": name, "leased": true }));
            } else {
                out.line(format!("{name}: another process is at work on this flow; it was left alone"));
            }
            Exit::CannotTell
        }
        Some(Ok(Ticked::Done(pass))) => show_pass(found, &pass, out, shown),
    }
}

fn show_pass(found: &FlowConfig, pass: &Pass, out: Out, shown: &mut Vec<serde_json::Value>) -> Exit {
    let words = words(&found.flow, &found.remote, pass.plan.now.wall);
    let rows: Vec<&IntentRow> = pass.acted.iter().map(|acted| &acted.row).collect();
    if out.json() {
        let sentences: Vec<String> = pass.plan.decisions.iter().map(|d| words.headline(d)).collect();
        shown.push(serde_json::json!({ "flow": found.flow.name, "plan": pass.plan, "sentences": sentences,
            "intents": rows }));
    } else {
        out.line(found.flow.name.as_str());
        for decision in &pass.plan.decisions {
            let row = rows.iter().find(|row| row.env == decision.env && decision.action.is_some());
            match row {
                Some(row) => {
                    for line in words.intent(row).lines() {
                        out.line(format!("  {} {line}", out.sign(mark_of(row))));
                    }
                }
                None => out.line(format!("  {} {}", out.sign(mark(&decision.verdict)), words.headline(decision))),
            }
        }
        for acted in pass.acted.iter().filter(|acted| acted.recovered) {
            for line in words.intent(&acted.row).lines() {
                out.line(format!("    from an earlier pass: {line}"));
            }
        }
    }
    let unsettled = |decision: &&towpath_core::model::Decision| {
        // What has just landed is done, not ready.
        !rows.iter().any(|row| row.env == decision.env && row.state == IntentState::Landed)
    };
    let refused = rows.iter().any(|row| row.state == IntentState::Refused).then_some(Exit::Blocked);
    let untried = |decision: &towpath_core::model::Decision| !rows.iter().any(|row| row.env == decision.env);
    let open = pass.plan.decisions.iter().filter(unsettled);
    let exits = open.map(|d| if untried(d) { Exit::of(d) } else { Exit::WaitsForTime });
    Exit::worst(exits.chain(refused))
}

const fn mark_of(row: &IntentRow) -> towpath_core::explain::Mark {
    use towpath_core::explain::Mark;
    match row.state {
        IntentState::Landed | IntentState::Overtaken => Mark::Pass,
        IntentState::Saved | IntentState::Pushing | IntentState::Superseded | IntentState::Abandoned => Mark::Wait,
        IntentState::Refused => Mark::Block,
    }
}

/// Observes and decides afresh, and stores nothing.
pub async fn plan(
    session: &Session,
    word: Option<&str>,
    env: Option<&str>,
    save: Option<&Path>,
    out: Out,
) -> Result<Exit, Failure> {
    let mut exits = Vec::new();
    let mut saved = Saved { schema_version: super::out::SCHEMA_VERSION, flows: Vec::new() };
    let mut plans = Vec::new();
    for found in session.flows(word)? {
        if let Some(env) = env {
            let env = &found.environment(env)?.name;
            if found.flow.edge(env).is_none() {
                let what =
                    format!("`{env}` is the first environment: people push there, and nothing is decided on it");
                return Err(Failure::Plain(Exit::Error, what));
            }
        }
        let planned = plan_flow(&session.world, &found.flow).await?;
        let plan = only(planned.plan, env);
        exits.extend(plan.decisions.iter().map(Exit::of));
        show_plan(&found.flow, &found.remote, &plan, out, &mut plans);
        let remote = found.remote.clone();
        saved.flows.push(SavedFlow { flow: found.flow.clone(), seen: planned.seen, remote });
    }
    if out.json() {
        out.value(serde_json::json!({ "plans": plans }));
    }
    if let Some(file) = save {
        let text = serde_json::to_string_pretty(&saved).unwrap_or_default();
        std::fs::write(file, text).map_err(|error| {
            Failure::Plain(Exit::Error, format!("`{}` cannot be written: {error}", file.display()))
        })?;
        if !out.json() {
            out.line(format!("What was observed is in {}", file.display()));
        }
    }
    Ok(Exit::worst(exits))
}

/// Decides on a saved observation, of one flow or environment if only that is asked for.
pub fn replay(file: &Path, word: Option<&str>, env: Option<&str>, out: Out) -> Result<Exit, Failure> {
    let fail = |what: String| Failure::Plain(Exit::Error, format!("`{}`: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| fail(error.to_string()))?;
    let saved: Saved = serde_json::from_str(&text)
        .map_err(|error| fail(format!("this is not what `plan --save` writes: {error}")))?;
    let mut exits = Vec::new();
    let mut plans = Vec::new();
    let asked = |flow: &Flow| {
        let environment = |env: &str| flow.edges().any(|edge| edge.target.name.as_str() == env);
        word.is_none_or(|word| flow.name.as_str() == word) && env.is_none_or(environment)
    };
    if !saved.flows.iter().any(|saved| asked(&saved.flow)) {
        let names: Vec<&str> = saved.flows.iter().map(|saved| saved.flow.name.as_str()).collect();
        return Err(fail(format!("it has no such flow or environment; it has the flows {}", names.join(", "))));
    }
    for SavedFlow { flow, mut seen, remote } in saved.flows.into_iter().filter(|saved| asked(&saved.flow)) {
        let plan = loop {
            match decide::decide(&flow, &seen) {
                Next::Done(plan) => break plan,
                // Another build may ask for more than was saved.
                Next::Ask(missing) => {
                    seen.facts.give_up_on(&missing, &Unknown::passing(UnknownWhy::NotAnswered));
                }
            }
        };
        let plan = only(plan, env);
        exits.extend(plan.decisions.iter().map(Exit::of));
        show_plan(&flow, &remote, &plan, out, &mut plans);
    }
    if out.json() {
        out.value(serde_json::json!({ "plans": plans }));
    }
    Ok(Exit::worst(exits))
}

fn only(mut plan: Plan, env: Option<&str>) -> Plan {
    if let Some(env) = env {
        plan.decisions.retain(|decision| decision.env.as_str() == env);
    }
    plan
}

fn show_plan(flow: &Flow, remote: &str, plan: &Plan, out: Out, plans: &mut Vec<serde_json::Value>) {
    let words = words(flow, remote, plan.now.wall);
    if out.json() {
        let sentences: Vec<String> = plan.decisions.iter().map(|d| words.headline(d)).collect();
        plans.push(serde_json::json!({ "plan": plan, "sentences": sentences }));
        return;
    }
    out.line(flow.name.as_str());
    for decision in &plan.decisions {
        let explanation = words.explain(decision);
        out.line(format!("  {} {}", out.sign(mark(&decision.verdict)), explanation.headline));
        for line in &explanation.lines {
            out.line(format!("      {} {}", out.sign(line.mark), line.text));
        }
        for todo in &explanation.todo {
            out.line(format!("      > {}", todo.say));
            for command in &todo.commands {
                out.line(format!("          {command}"));
            }
        }
    }
}
