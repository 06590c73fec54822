//! Who a commit says wrote it besides its author.
//!
//! Not here: how that is read of a message, and which people they are (`people::authors`).

use serde::{Deserialize, Serialize};

/// Somebody whom a `Co-authored-by:` in a commit's message names. The texts are whatever somebody pushed: nobody is
/// proven by them, no more than by the author of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoAuthor {
    /// The name as written there, cut; it may be empty.
    pub name: String,
    /// The e-mail address as written there, lower-cased.
    pub email: String,
}
