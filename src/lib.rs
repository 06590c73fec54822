//! x
pub mod git;
