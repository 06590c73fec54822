//! The long-running service: keeps many flows moving.
//!
//! A wake-up only says that a flow is worth looking at; what is done about it is decided by the
//! tick, from a fresh look. Not here: what is decided (`towpath_core`), how a pass is made
//! (`engine`), and the web surfaces (`server`).

mod queue;
mod shared;

pub use queue::{Ended, Queue, Row, Wake};
pub use shared::Shared;
