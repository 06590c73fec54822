//! From what people write for a commit to the commit itself, stored whole.

use std::collections::BTreeSet;

use towpath_core::command::CommitWord;
use towpath_core::model::{CommitId, Flow};

use super::{Giving, Refusal};
use crate::engine::world::World;

/// The commit of one flow that a word names.
pub async fn find<W: World>(giving: &Giving<'_, W>, flow: &Flow, word: &CommitWord) -> Result<CommitId, Refusal> {
    find_in(giving, &[flow], word, &format!("flow `{}`", flow.name)).await
}

/// The commit that a word names in any of the flows.
pub async fn find_in<W: World>(
    giving: &Giving<'_, W>,
    flows: &[&Flow],
    word: &CommitWord,
    place: &str,
) -> Result<CommitId, Refusal> {
    let mut found = BTreeSet::new();
    for flow in flows {
        found.extend(giving.world.commits(flow, word.as_str()).await?);
    }
    let mut found: Vec<CommitId> = found.into_iter().collect();
    if let ([one], _) | ([], Some(one)) = (&found[..], &whole(word)) {
        return Ok(*one);
    }
    found.truncate(10);
    Err(Refusal::Commit { word: word.to_string(), found, place: place.to_owned() })
}

/// A whole id needs not be known yet: CI may report on a commit before anybody looked.
fn whole(word: &CommitWord) -> Option<CommitId> {
    word.as_str().parse().ok()
}

/// What is said of a word that names no commit, or several.
pub fn sentence(word: &str, found: &[CommitId], place: &str) -> String {
    let word = towpath_core::text::one_line(word, 60);
    if found.is_empty() {
        return format!(
            "no commit of {place} begins with `{word}`; it was looked for on its branches and in the ledger. \
             Write at least 7 digits of a commit that was pushed"
        );
    }
    let list: Vec<String> = found.iter().map(ToString::to_string).collect();
    format!("`{word}` could be any of these commits of {place}: {}; write more digits", list.join(", "))
}
