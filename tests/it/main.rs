//! x

mod config;
mod crash;
