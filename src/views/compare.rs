//! `compare`: where people moved a branch earlier than Towpath would have, later, or against it.

use serde::{Deserialize, Serialize};
use towpath_core::compare::{self, Compared, Comparison};
use towpath_core::explain::ComparisonWords;
use towpath_core::model::{Instant, Span};
use utoipa::ToSchema;

use super::page::{Line, words};
use super::problem::Problem;
use crate::engine::World as _;
use crate::setup::Setup;

/// How far back it looks where nobody says.
pub const SINCE: &str = "7d";

/// How far apart two moves may be and still agree, where nobody says.
pub const WITHIN: &str = "10m";

/// People beside Towpath, with the sentences that tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Compare {
    /// `flow`, `since`, `looked`, `within`, `counts`, and `edges` with their `moves`, each with its `class`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub comparison: Comparison,
    /// The same in words: `summary`, `note`, and one of `edges` for each environment.
    #[schema(value_type = Object)]
    pub words: ComparisonWords,
}

/// Compares the moves of a flow by hand of the last `since`.
///
/// # Errors
/// If the word names no flow, or the store cannot be read.
pub async fn compare(setup: &Setup, flow: &str, since: Span, within: Span) -> Result<Compare, Problem> {
    let found = setup.config.flow(flow)?;
    let now = setup.world.now().await?;
    let since = Instant(now.wall.0.saturating_sub(since.ms()));
    let ledger = setup.world.load(&found.flow).await?;
    let moves = setup.world.store().moves_since(&found.flow.name, since).await?;
    let (hands, own) = (&moves.by_hand[..], &moves.own[..]);
    let comparison =
        compare::compare(&Compared { flow: &found.flow, ledger: &ledger, hands, own, since, within, now });
    let words = words(&found.flow, &found.remote, now.wall);
    Ok(Compare { words: words.comparison(&comparison), comparison })
}

impl Compare {
    /// For people: the summary, then each environment with its moves, oldest first.
    pub fn lines(&self) -> Vec<Line> {
        lines(&self.words)
    }
}

/// The layout of the words alone.
pub fn lines(words: &ComparisonWords) -> Vec<Line> {
    let mut lines = vec![Line::plain(0, &words.summary.text), Line::plain(2, &words.note.text)];
    for edge in &words.edges {
        lines.push(Line::marked(2, edge.head.mark, &edge.head.text));
        lines.extend(edge.moves.iter().map(|line| Line::marked(6, line.mark, &line.text)));
    }
    lines
}
