//! `where SHA`: which environments have a commit, and since when.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use towpath_core::explain::Mark;
use towpath_core::model::{CommitId, EnvName, Environment, FlowName, Instant, Ledger};
use utoipa::ToSchema;

use super::banner::{self, FlowBanners, banners};
use super::commit::{find, has, history_of};
use super::page::{Line, words};
use super::problem::Problem;
use super::text::Marked;
use crate::engine::plan as plan_flow;
use crate::setup::Setup;

/// One commit in every environment of the flows that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Where {
    /// The whole id.
    #[schema(value_type = String, example = "3f9c2d1a7e5b4c6d8f0a1b2c3d4e5f6071829304")]
    pub commit: CommitId,
    /// One for each environment, flow by flow.
    pub environments: Vec<CommitHere>,
    /// The pauses and freezes that stand on these flows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<FlowBanners>,
}

/// A commit in one environment, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommitHere {
    /// The flow.
    #[schema(value_type = String, example = "shop/checkout")]
    pub flow: FlowName,
    /// The environment.
    #[schema(value_type = String, example = "staging")]
    pub env: EnvName,
    /// Whether it has the commit.
    pub has: bool,
    /// Since when, in epoch milliseconds, if that is recorded.
    #[schema(value_type = Option<i64>)]
    pub since: Option<Instant>,
    /// The same in words.
    #[serde(flatten)]
    pub line: Marked,
}

/// Makes it.
///
/// # Errors
/// If no single commit is meant, or the store or the mirror cannot be read.
pub async fn where_is(setup: &Setup, word: &str) -> Result<Where, Problem> {
    let (commit, flows) = find(setup, word).await?;
    let (mut environments, mut paused) = (Vec::new(), Vec::new());
    for found in flows {
        let planned = plan_flow(&setup.world, &found.flow).await?;
        let dag = history_of(setup, found, &planned.look, commit).await?;
        let words = words(&found.flow, &found.remote, planned.look.now.wall);
        let stand = banners(&found.flow, &planned.ledger.standing, &words, None);
        paused.extend(FlowBanners::of(&found.flow, stand));
        for environment in &found.flow.environments {
            let env = &environment.name;
            let here = has(&planned.look, &dag, env, commit);
            let since = since(&planned.ledger, environment, commit);
            let line = match (here, since) {
                (true, Some(at)) => Marked::new(Mark::Pass, format!("`{env}` has it since {}", words.at(at))),
                (true, None) => Marked::new(Mark::Pass, format!("`{env}` has it")),
                (false, _) => Marked::new(Mark::Note, format!("`{env}` does not have it")),
            };
            let (flow, env) = (found.flow.name.clone(), env.clone());
            environments.push(CommitHere { flow, env, has: here, since, line });
        }
    }
    // A whole id is a commit's wherever one asks: flows that never had it are not what was asked for.
    let having: BTreeSet<FlowName> =
        environments.iter().filter(|here| here.has).map(|here| here.flow.clone()).collect();
    environments.retain(|here| having.is_empty() || having.contains(&here.flow));
    paused.retain(|of| having.is_empty() || having.contains(&of.flow));
    Ok(Where { commit, environments, paused })
}

fn since(ledger: &Ledger, environment: &Environment, commit: CommitId) -> Option<Instant> {
    let arrived = ledger.arrivals.get(&environment.name).and_then(|a| a.get(&commit)).map(|a| a.wall);
    let held = ledger.held.get(&environment.name).into_iter().flatten().find(|t| t.commit == commit);
    arrived.or(held.map(|tip| tip.from.wall))
}

impl Where {
    /// For people.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for flow in self.environments.chunk_by(|a, b| a.flow == b.flow) {
            lines.extend(flow.first().map(|env| Line::plain(0, env.flow.as_str())));
            let of_flow = self.paused.iter().filter(|of| flow.first().is_some_and(|env| env.flow == of.flow));
            lines.extend(of_flow.flat_map(|of| banner::lay_out(&of.paused)));
            lines.extend(flow.iter().map(|env| Line::marked(2, env.line.mark, &env.line.text)));
        }
        lines
    }
}
