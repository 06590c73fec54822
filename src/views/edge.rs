//! `explain FLOW ENV`: why something has not moved, as of the last pass.

use serde::{Deserialize, Serialize};
use towpath_core::explain::Mark;
use towpath_core::model::{Decision, EnvName, FlowName, Instant, Now};
use utoipa::ToSchema;

use super::banner::{self, Banner, banners};
use super::page::{Line, words};
use super::problem::{Code, Problem};
use super::text::Explained;
use crate::config::FlowConfig;
use crate::engine::World as _;
use crate::setup::Setup;

/// One edge, with everything that was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EdgeView {
    /// The flow.
    #[schema(value_type = String, example = "shop/checkout")]
    pub flow: FlowName,
    /// The environment that commits enter.
    #[schema(value_type = String, example = "production")]
    pub env: EnvName,
    /// Since when the decision reads like this, in epoch milliseconds.
    #[schema(value_type = i64)]
    pub since: Instant,
    /// When a pass last finished looking.
    #[schema(value_type = Option<Object>)]
    pub looked: Option<Now>,
    /// The same in words; empty if none did.
    pub looked_text: String,
    /// The pauses and freezes that stand on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<Banner>,
    /// What was decided.
    #[schema(value_type = Object)]
    pub decision: Decision,
    /// How it stands: `pass`, `wait` or `block`.
    #[schema(value_type = String, example = "wait")]
    pub mark: Mark,
    /// The decision in words.
    pub explanation: Explained,
}

/// A flow and one of its target environments, by the words that people use.
pub(super) fn target<'s>(
    setup: &'s Setup,
    flow: &str,
    env: &str,
    so: &str,
) -> Result<(&'s FlowConfig, EnvName), Problem> {
    let found = setup.config.flow(flow)?;
    let env = &found.environment(env)?.name;
    if found.flow.edge(env).is_none() {
        return Err(Problem::new(Code::FirstEnvironment, format!("`{env}` is the first environment{so}")));
    }
    Ok((found, env.clone()))
}

/// Makes it.
///
/// # Errors
/// Without such an edge, before the first decision, or if the store cannot be read.
pub async fn edge(setup: &Setup, flow: &str, env: &str) -> Result<EdgeView, Problem> {
    let (found, env) = target(setup, flow, env, ": people push there, and nothing guards it")?;
    let now = setup.world.now().await?;
    let mut ledger = setup.world.load(&found.flow).await?;
    let Some(row) = ledger.decisions.remove(&env) else {
        let what = format!("`{env}` of `{}` has not been decided on yet; `towpath run` does", found.flow.name);
        return Err(Problem::new(Code::NotDecided, what));
    };
    let words = words(&found.flow, &found.remote, now.wall);
    Ok(EdgeView {
        flow: found.flow.name.clone(),
        since: row.since,
        paused: banners(&found.flow, &ledger.standing, &words, Some(&env)),
        looked: ledger.looked,
        looked_text: ledger.looked.map_or_else(String::new, |looked| format!("as of {}", words.at(looked.wall))),
        mark: Mark::of(&row.decision.verdict),
        explanation: words.explain(&row.decision).into(),
        decision: row.decision,
        env,
    })
}

impl EdgeView {
    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        let looked = if self.looked_text.is_empty() { String::new() } else { format!(" ({})", self.looked_text) };
        let mut lines = vec![Line::plain(0, format!("{}{looked}", self.flow))];
        lines.extend(banner::lay_out(&self.paused));
        self.explanation.lay_out(self.mark, &mut lines);
        lines
    }
}
