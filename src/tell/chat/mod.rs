//! What a chat is told of what happens: one message for each promotion and each problem, found again and changed in
//! place, also after a restart; a storm is one summary; once a day a digest.
//!
//! Pure, but for `deliver` and `day`: notices and what was said before in, steps out. `deliver` carries a step out: it calls the platform, and then has the
//! store remember what it says now, in one transaction with the notices that it covers. A crash in between has the same
//! said once more, and nothing counted twice.
//!
//! | file | what it is about |
//! |---|---|
//! | [`told`] | one thing to tell: the notice, and what only chats want to know |
//! | [`kept`] | a message of ours in a chat, as the store keeps it; by which key it is found |
//! | [`plan`] | which messages are posted and which changed |
//! | `fold` | what one notice means to what was said before |
//! | [`storm`] | many flows at once: one summary |
//! | [`words`] | lines, in the order of reading |
//! | [`buttons`] | what can be pressed |
//! | [`mention`] | who is called, and who only named |
//! | [`digest`] | the last day in one message |
//! | `day` | the same, read from the store |
//! | `deliver` | carries out what is to be said |
//!
//! Not here: sentences about events (`explain` of the core), what a platform makes of a message (`crate::chat`), and rows
//! (`store::messages`).

pub mod buttons;
mod day;
pub(super) mod deliver;
pub mod digest;
mod fold;
pub mod kept;
pub mod mention;
pub mod plan;
pub mod storm;
#[cfg(test)]
mod tests;
pub mod told;
pub mod words;

use chrono_tz::Tz;
use towpath_core::people::{Mention, People, Platform};

pub use kept::{Kept, Key, Saying, State};
pub use plan::{Due, Step, Why, say};
pub use told::{Announced, AnnouncedCommit, Told, Wrote};

/// How many flows may be told of within a minute before a summary takes the place of their messages, where the config
/// does not say.
pub const STORM: u32 = 10;

/// How one sink tells.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Everybody that the config knows.
    pub people: &'a People,
    /// Whose ids people are called by.
    pub platform: Platform,
    /// The workspace, team or server that those ids belong to, if it is known.
    pub team: Option<&'a str>,
    /// For what somebody is called whose card does not say.
    pub mention: Mention,
    /// More flows than this within a minute are a storm.
    pub storm: u32,
    /// In which zone a summary of several flows tells the time.
    pub zone: Tz,
}
