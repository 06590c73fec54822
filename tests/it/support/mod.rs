//! What several tests share.

pub mod git_fixture;
pub mod https;
