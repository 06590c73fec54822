//! `compare`: where people moved a branch earlier than Towpath would have, later, or against it.

use serde::Serialize;
use towpath_core::compare::{Compared, Comparison, compare};
use towpath_core::explain::{ComparisonWords, Line, Mark, Words};
use towpath_core::model::{Instant, Span};

use super::ViewError;
use crate::engine::World as _;
use crate::setup::Setup;

/// People beside Towpath, with the sentences that tell of it.
#[derive(Debug, Clone, Serialize)]
pub struct Compare {
    /// What was found.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// The same in words.
    pub words: ComparisonWords,
}

/// Compares the moves of a flow by hand of the last `since`.
///
/// # Errors
/// If the word names no flow, or the store cannot be read.
pub async fn make(setup: &Setup, flow: &str, since: Span, within: Span) -> Result<Compare, ViewError> {
    let found = setup.config.flow(flow)?;
    let now = setup.world.now().await?;
    let since = Instant(now.wall.0.saturating_sub(since.ms()));
    let ledger = setup.world.load(&found.flow).await?;
    let moves = setup.world.store().moves_since(&found.flow.name, since).await?;
    let (hands, own) = (&moves.by_hand[..], &moves.own[..]);
    let comparison = compare(&Compared { flow: &found.flow, ledger: &ledger, hands, own, since, within, now });
    let words = Words { zone: found.flow.zone, now: now.wall, flow: &found.flow, remote_word: &found.remote };
    Ok(Compare { words: words.comparison(&comparison), comparison })
}

impl Compare {
    /// The text layout: the summary, then each environment with its moves, oldest first.
    pub fn lines(&self, sign: impl Fn(Mark) -> String) -> Vec<String> {
        lines(&self.words, sign)
    }
}

/// The text layout of the words alone.
pub fn lines(words: &ComparisonWords, sign: impl Fn(Mark) -> String) -> Vec<String> {
    let signed = |indent: &str, line: &Line| format!("{indent}{} {}", sign(line.mark), line.text);
    let mut lines = vec![words.summary.text.clone(), format!("  {}", words.note.text)];
    for edge in &words.edges {
        lines.push(signed("  ", &edge.head));
        lines.extend(edge.moves.iter().map(|line| signed("      ", line)));
    }
    lines
}
