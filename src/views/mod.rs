//! What can be looked at, as values: each view is a struct made by one function from a
//! [`crate::setup::Setup`], with one layout for text. They record nothing.
//!
//! Not here: arguments, colours and exit codes (`cli`).

pub mod compare;

use crate::config::WordFault;
use crate::engine::Fault;
use crate::store::StoreError;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// A word names no flow, or several.
    #[error("{0}")]
    Word(#[from] WordFault),
    /// The world could not be asked.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The store could not be read.
    #[error("{0}")]
    Store(#[from] StoreError),
}
