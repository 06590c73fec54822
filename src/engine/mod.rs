//! The engine: observe, decide, act, record, tell, over any `World`.
//!
//! Policy is in `towpath-core`; how a remote is read and how a row is stored is behind the
//! `World`. What is here only carries values from one to the other, in the order that makes a
//! crash anywhere harmless.

pub mod beside;
mod closing;
mod co_authors;
pub mod command;
pub mod compat;
pub mod crash;
mod crowd;
pub mod forges;
pub mod observe;
pub mod propose;
pub(crate) mod reach;
pub mod real;
pub mod run;
pub mod say;
pub mod tick;
pub mod voice;
pub mod world;

pub use reach::in_words;
pub use real::RealWorld;
pub use tick::{Acted, Pass, Planned, Ticked, plan, tick};
pub use world::{Closing, Committed, Fault, Proposal, Proposing, Side, World};
