//! Forges: each adapter against a forge of ours that is held, exchange by exchange, against the
//! forge's own official description.

mod authority;
mod authors;
pub mod backend;
mod called;
mod co_authors;
mod comments;
mod cost;
mod discover;
mod doctor;
pub mod e2e;
pub mod fill;
pub mod gitea;
pub mod github;
pub mod gitlab;
pub mod graphql;
mod hooks;
pub mod hosts;
mod moves;
mod orders;
mod pushed;
mod roles;
pub mod scenes;
pub mod schema;
pub mod talk;
