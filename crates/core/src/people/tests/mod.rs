//! Who is who, and who may what.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod authors;
mod cards;
mod coming;
mod laws;
mod mailmap;
mod table;
