//! The grammar: tables of texts, laws over generated ones, and words for time.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod laws;
mod said;
mod tables;
mod times;
