//! Towpath moves commits along a repository's environment branches, one careful step at a time.
//! See `ARCHITECTURE.md` for the map.

pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod discover;
pub mod engine;
pub mod forge;
pub mod gate;
pub mod git;
pub mod migrations;
pub mod secret;
pub mod serve;
pub mod server;
pub mod setup;
pub mod store;
pub mod tell;
pub mod views;
