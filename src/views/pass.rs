//! `run`: one pass over flows, and what came of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use towpath_core::explain::Mark;
use towpath_core::model::{Decision, FlowName, IntentRow, IntentState, Plan};
use utoipa::ToSchema;

use super::banner::{self, Banner, banners};
use super::exit::Exit;
use super::page::{Line, words};
use super::text::Marked;
use crate::config::FlowConfig;
use crate::engine::{Fault, Pass, Ticked, tick};
use crate::setup::Setup;

/// What came of a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Passes {
    /// One for each flow, in the order of the config.
    pub flows: Vec<FlowPass>,
    /// Where the list goes on, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What `--detailed-exitcode` would end with.
    #[schema(value_type = u8, example = 0)]
    pub exit: Exit,
}

/// What came of a pass over one flow: `error`, `leased`, or the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowPass {
    /// The flow.
    #[schema(value_type = String, example = "shop/checkout")]
    pub flow: FlowName,
    /// Why there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether another process was at work on the flow, so that it was left alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leased: bool,
    /// The pauses and freezes that stand on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<Banner>,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub plan: Option<Plan>,
    /// Each decision in one line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sentences: Vec<String>,
    /// What came of each intent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub intents: Vec<IntentRow>,
    /// What was done or not, edge by edge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Marked>,
    /// What came of intents that an earlier pass had left open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
}

impl FlowPass {
    fn without(flow: FlowName) -> Self {
        Self {
            flow,
            error: None,
            leased: false,
            paused: Vec::new(),
            plan: None,
            sentences: Vec::new(),
            intents: Vec::new(),
            lines: Vec::new(),
            earlier: Vec::new(),
        }
    }
}

/// One pass over each. A flow that fails does not keep the others from theirs.
pub async fn run(setup: Arc<Setup>, flows: Vec<FlowConfig>) -> Passes {
    let mut tasks = tokio::task::JoinSet::new();
    let mut results: Vec<Option<Result<Ticked, Fault>>> = flows.iter().map(|_| None).collect();
    let mut next = flows.iter().enumerate();
    loop {
        while tasks.len() < setup.config.service.at_once
            && let Some((at, found)) = next.next()
        {
            let (setup, flow) = (setup.clone(), found.flow.clone());
            tasks.spawn(async move { (at, tick(&setup.world, &flow).await) });
        }
        match tasks.join_next().await {
            None => break,
            Some(Ok((at, result))) => results[at] = Some(result),
            // A panic in one flow: the slot stays empty, and is reported below.
            Some(Err(_)) => {}
        }
    }
    let (flows, exits): (Vec<FlowPass>, Vec<Exit>) =
        flows.iter().zip(results).map(|(found, result)| of_flow(found, result)).unzip();
    Passes { flows, next: None, exit: Exit::worst(exits) }
}

fn of_flow(found: &FlowConfig, result: Option<Result<Ticked, Fault>>) -> (FlowPass, Exit) {
    let nothing = FlowPass::without(found.flow.name.clone());
    match result {
        None => {
            let what = "the pass ended by a mistake in Towpath; the other flows went on".to_owned();
            (FlowPass { error: Some(what), ..nothing }, Exit::Error)
        }
        Some(Err(fault)) => {
            let retry = matches!(fault, Fault::Store { retry: true, .. });
            let exit = if retry { Exit::Unreachable } else { Exit::Error };
            (FlowPass { error: Some(fault.to_string()), ..nothing }, exit)
        }
        Some(Ok(Ticked::Leased)) => (FlowPass { leased: true, ..nothing }, Exit::CannotTell),
        Some(Ok(Ticked::Done(pass))) => done(found, nothing, *pass),
    }
}

fn done(found: &FlowConfig, nothing: FlowPass, pass: Pass) -> (FlowPass, Exit) {
    let words = words(&found.flow, &found.remote, pass.plan.now.wall);
    let rows: Vec<&IntentRow> = pass.acted.iter().map(|acted| &acted.row).collect();
    let exit = exit(&pass.plan, &rows);
    let mut lines = Vec::new();
    for decision in &pass.plan.decisions {
        match rows.iter().find(|row| row.env == decision.env && decision.action.is_some()) {
            Some(row) => {
                lines.extend(words.intent(row).lines().map(|line| Marked::new(mark_of(row), line)));
            }
            None => lines.push(Marked::new(Mark::of(&decision.verdict), words.headline(decision))),
        }
    }
    let recovered = pass.acted.iter().filter(|acted| acted.recovered);
    let told = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let view = FlowPass {
        sentences: pass.plan.decisions.iter().map(|d| words.headline(d)).collect(),
        intents: rows.into_iter().cloned().collect(),
        paused: banners(&found.flow, &pass.ledger.standing, &words, None),
        lines,
        earlier: recovered.flat_map(|acted| told(words.intent(&acted.row))).collect(),
        plan: Some(pass.plan),
        ..nothing
    };
    (view, exit)
}

fn exit(plan: &Plan, rows: &[&IntentRow]) -> Exit {
    // What has just landed is done, not ready.
    let unsettled =
        |decision: &&Decision| !rows.iter().any(|row| row.env == decision.env && row.state == IntentState::Landed);
    let refused = rows.iter().any(|row| row.state == IntentState::Refused).then_some(Exit::Blocked);
    let untried = |decision: &Decision| !rows.iter().any(|row| row.env == decision.env);
    let open = plan.decisions.iter().filter(unsettled);
    let exits = open.map(|d| if untried(d) { Exit::of(d) } else { Exit::WaitsForTime });
    Exit::worst(exits.chain(refused))
}

const fn mark_of(row: &IntentRow) -> Mark {
    match row.state {
        IntentState::Landed | IntentState::Overtaken => Mark::Pass,
        IntentState::Saved | IntentState::Pushing | IntentState::Superseded | IntentState::Abandoned => Mark::Wait,
        IntentState::Refused => Mark::Block,
    }
}

impl Passes {
    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for pass in &self.flows {
            let flow = &pass.flow;
            if let Some(error) = &pass.error {
                lines.push(Line::aside(format!("towpath: {flow}: {error}")));
            } else if pass.leased {
                let what = "another process is at work on this flow; it was left alone";
                lines.push(Line::plain(0, format!("{flow}: {what}")));
            } else {
                lines.push(Line::plain(0, flow.as_str()));
                lines.extend(banner::lay_out(&pass.paused));
                lines.extend(pass.lines.iter().map(|line| Line::marked(2, line.mark, &line.text)));
                lines.extend(
                    pass.earlier.iter().map(|line| Line::plain(4, format!("from an earlier pass: {line}"))),
                );
            }
        }
        lines
    }
}
