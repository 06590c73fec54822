//! What several tests share.

pub mod book;
pub mod gate;
pub mod git_fixture;
pub mod https;
