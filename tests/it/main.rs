//! All integration tests in one binary: one link, and nextest runs each test in its own process.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod config;
mod contrib;
mod crash;
mod git;
mod scenario;
mod scenarios;
mod sim;
mod store;
mod support;
mod swarm;
