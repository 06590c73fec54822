//! `plan`: decided afresh, and nothing stored.

use serde::{Deserialize, Serialize};
use towpath_core::decide::{self, Next};
use towpath_core::explain::Mark;
use towpath_core::model::{Decision, EnvName, Flow, Observation, Plan, Standing, Unknown, UnknownWhy};
use utoipa::ToSchema;

use super::SCHEMA_VERSION;
use super::banner::{self, Banner, banners};
use super::exit::Exit;
use super::page::{Line, words};
use super::problem::{Code, Problem};
use super::text::Explained;
use crate::config::FlowConfig;
use crate::engine::plan as plan_flow;
use crate::setup::Setup;

/// What would be done now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plans {
    /// One for each flow, in the order of the config.
    pub plans: Vec<FlowPlan>,
    /// Where the list goes on, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What `--detailed-exitcode` would end with.
    #[schema(value_type = u8, example = 10)]
    pub exit: Exit,
}

/// What would be done in one flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowPlan {
    /// The decisions.
    #[schema(value_type = Object)]
    pub plan: Plan,
    /// The pauses and freezes that stand on what is planned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<Banner>,
    /// One line for each.
    pub sentences: Vec<String>,
    /// Each in words.
    pub explanations: Vec<Explained>,
}

/// A plan with what it was made from: enough to decide it again anywhere.
#[derive(Debug, Serialize, Deserialize)]
pub struct Saved {
    schema_version: u32,
    flows: Vec<SavedFlow>,
}

#[derive(Debug, Serialize, Deserialize)]
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

/// Observes and decides afresh, and stores nothing.
///
/// # Errors
/// If an environment is named that a flow lacks or that is its first, or the store cannot be read.
pub async fn plan(setup: &Setup, flows: &[&FlowConfig], env: Option<&str>) -> Result<(Plans, Saved), Problem> {
    let mut saved = Saved { schema_version: SCHEMA_VERSION, flows: Vec::new() };
    let mut plans = Vec::new();
    for found in flows {
        if let Some(env) = env {
            let env = &found.environment(env)?.name;
            if found.flow.edge(env).is_none() {
                let what =
                    format!("`{env}` is the first environment: people push there, and nothing is decided on it");
                return Err(Problem::new(Code::FirstEnvironment, what));
            }
        }
        let planned = plan_flow(&setup.world, &found.flow).await?;
        let standing = &planned.seen.standing;
        plans.push(of_flow(&found.flow, &found.remote, only(planned.plan, env), standing, env));
        saved.flows.push(SavedFlow { flow: found.flow.clone(), seen: planned.seen, remote: found.remote.clone() });
    }
    Ok((all(plans), saved))
}

/// Decides on what was saved, of one flow or environment if only that is asked for.
///
/// # Errors
/// If nothing of the kind was saved.
pub fn replay(saved: Saved, word: Option<&str>, env: Option<&str>) -> Result<Plans, String> {
    let asked = |flow: &Flow| {
        let environment = |env: &str| flow.edges().any(|edge| edge.target.name.as_str() == env);
        word.is_none_or(|word| flow.name.as_str() == word) && env.is_none_or(environment)
    };
    if !saved.flows.iter().any(|saved| asked(&saved.flow)) {
        let names: Vec<&str> = saved.flows.iter().map(|saved| saved.flow.name.as_str()).collect();
        return Err(format!("it has no such flow or environment; it has the flows {}", names.join(", ")));
    }
    let again = |SavedFlow { flow, mut seen, remote }| loop {
        match decide::decide(&flow, &seen) {
            Next::Done(plan) => break of_flow(&flow, &remote, only(plan, env), &seen.standing, env),
            // Another build may ask for more than was saved.
            Next::Ask(missing) => seen.facts.give_up_on(&missing, &Unknown::passing(UnknownWhy::NotAnswered)),
        }
    };
    Ok(all(saved.flows.into_iter().filter(|saved| asked(&saved.flow)).map(again).collect()))
}

fn only(mut plan: Plan, env: Option<&str>) -> Plan {
    if let Some(env) = env {
        plan.decisions.retain(|decision| decision.env.as_str() == env);
    }
    plan
}

fn all(plans: Vec<FlowPlan>) -> Plans {
    let exit = Exit::worst(plans.iter().flat_map(|plan| &plan.plan.decisions).map(Exit::of));
    Plans { plans, next: None, exit }
}

fn of_flow(flow: &Flow, remote: &str, plan: Plan, standing: &Standing, env: Option<&str>) -> FlowPlan {
    let words = words(flow, remote, plan.now.wall);
    let sentence = |decision: &Decision| words.headline(decision);
    FlowPlan {
        paused: banners(flow, standing, &words, env.map(EnvName::from).as_ref()),
        sentences: plan.decisions.iter().map(sentence).collect(),
        explanations: plan.decisions.iter().map(|decision| words.explain(decision).into()).collect(),
        plan,
    }
}

impl Plans {
    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for flow in &self.plans {
            lines.push(Line::plain(0, flow.plan.flow.as_str()));
            lines.extend(banner::lay_out(&flow.paused));
            for (decision, explanation) in flow.plan.decisions.iter().zip(&flow.explanations) {
                explanation.lay_out(Mark::of(&decision.verdict), &mut lines);
            }
        }
        lines
    }
}
