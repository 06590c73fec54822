//! Promotions: recorded attempts and what came of them, newest first.

use serde::{Deserialize, Serialize};
use towpath_core::model::{EnvName, FlowName, IntentRow, IntentState};
use utoipa::ToSchema;

use super::cursor::Cursor;
use super::page::words;
use super::problem::Problem;
use crate::engine::World as _;
use crate::setup::Setup;

/// Recorded attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Promotions {
    /// Newest first.
    pub promotions: Vec<Promotion>,
    /// Where the list goes on, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Promotion {
    /// Its place in the order in which things were recorded.
    pub seq: i64,
    /// `id`, `flow`, `env`, `branch`, `kind`, `old`, `new`, `by`, `state` and more.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub row: IntentRow,
    /// The same in words.
    pub lines: Vec<String>,
}

/// Which attempts are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Of this flow.
    pub flow: Option<FlowName>,
    /// Into this environment.
    pub env: Option<EnvName>,
    /// With this outcome.
    pub state: Option<IntentState>,
}

/// Makes it: at most `limit` attempts behind `before`.
///
/// # Errors
/// If the store cannot be read.
pub async fn promotions(
    setup: &Setup,
    which: &Which,
    before: Option<i64>,
    limit: usize,
) -> Result<Promotions, Problem> {
    let now = setup.world.now().await?;
    let Which { flow, env, state } = which;
    let store = setup.world.store();
    let rows = store.intents_before(flow.as_ref(), env.as_ref(), *state, before, limit.saturating_add(1)).await?;
    let mut promotions: Vec<Promotion> = rows
        .into_iter()
        .map(|(seq, row)| {
            let flow = setup.flow(&row.flow).or(setup.config.flows.first().map(|found| &found.flow));
            let text = flow.map_or_else(String::new, |flow| words(flow, "origin", now.wall).intent(&row));
            Promotion { seq, lines: text.lines().map(str::to_owned).collect(), row }
        })
        .collect();
    let next = (promotions.len() > limit && limit > 0).then(|| Cursor::Row(promotions[limit - 1].seq).to_string());
    promotions.truncate(limit);
    Ok(Promotions { promotions, next })
}
