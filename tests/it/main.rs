//! All integration tests in one binary: one link, and nextest runs each test in its own process.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod banners;
mod beside;
mod chat;
mod chat_look;
mod check_migrations;
mod checker;
mod cli;
mod config;
mod contrib;
mod crash;
mod demo;
mod five;
mod forge;
mod gate;
mod git;
mod http;
mod on_call;
mod races;
mod roles;
mod scenario;
mod scenarios;
mod serve;
mod sim;
mod store;
mod stuck;
mod support;
mod swarm;
mod tell;
mod tell_chat;
mod turns;
mod whole;
