//! Forges: each adapter against a forge of ours that is held, exchange by exchange, against the
//! forge's own official description.

pub mod backend;
pub mod fill;
mod github;
pub mod graphql;
pub mod schema;
