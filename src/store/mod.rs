//! The ledger on disk: what must outlive the process, in one SQLite file.
//!
//! A store keeps the rows of `towpath_core::model::Ledger` and holds no policy: what a change
//! means is said by `Ledger::apply`, what may begin by `act::may_begin`, which is handed in.
//! Everything that changes it is one transaction: [`SqliteStore::commit`],
//! [`SqliteStore::begin_push`], [`SqliteStore::now`] or a lease.
//!
//! A second store (PostgreSQL) is the time for a `trait Store` here, with these same methods; the
//! statements in `sql.rs` are written for both. Until then there is one type and no trait.
//!
//! Not here: deciding, reading a clock (`crate::clock`), and what commands may do.

mod apply;
mod asked;
mod deliveries;
mod discovered;
mod error;
mod holder;
mod lease;
mod load;
mod messages;
mod notices;
mod push;
mod rows;
mod schema;
mod sql;
mod sqlite;
mod tokens;
mod views;

pub use asked::{AskedRow, AskedState, NewAsked, Room, Taken, UNSURE};
pub use discovered::DiscoveredRow;
pub use error::{Conflict, StoreError};
pub use holder::Holder;
pub use lease::Lease;
pub use load::{APPROVALS_MAX, MAY_LAND_WITHIN, SHOWN_AFTER_OVER};
pub use messages::MessageRow;
pub use notices::{NoticeRow, NoticeState};
pub use push::Check;
pub use sqlite::SqliteStore;
pub use tokens::{NewToken, PREFIX as TOKEN_PREFIX, TokenRow, TokenScope};
pub use views::{COMMITS_KNOWN_MAX, HistoryItem, KnownFlow, Moves, Orders, What};

use towpath_core::model::{IntentRow, Underway};

/// Whether a store that is not there is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// Yes: `init`, `run`, `serve`, `demo`.
    Yes,
    /// No: everything that only looks or steers; a store made by a mistyped path would hide the
    /// real one.
    No,
}

/// What an acknowledged change could not stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Every intent of every flow that was `pushing` when the change became durable, oldest first.
    /// Those in the change's scope may still land, until their deadline.
    pub pushing: Vec<IntentRow>,
    /// Every request of every flow that was being opened then, or whose head was being moved, also those whose time
    /// is over: a process that died there says no more.
    pub proposing: Vec<Underway>,
}
