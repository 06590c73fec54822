//! Tables: for each gate, stop and way of choosing, what is given and what is decided.

mod ahead;
mod at_once;
mod choosing;
mod ci;
mod divergence;
mod given;
mod http;
#[path = "../kit/mod.rs"]
mod kit;
mod migrations;
mod people;
mod people_on_forges;
mod pushed;
mod stops;
mod strangers;
mod time;
