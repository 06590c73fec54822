//! Laravel.

use super::{Edited, Found, Framework, Read};
use crate::migration::{Context, History};
use crate::tree::Tree;

/// The row.
pub const ROW: Framework =
    Framework { id: "laravel", title: "Laravel", read: Read::Detected, edited: Edited::Unnoticed, find, history };

fn find(_tree: &dyn Tree) -> Vec<Found> {
    vec![]
}

fn history(_context: &Context<'_>, _found: &Found) -> History {
    History::default()
}
