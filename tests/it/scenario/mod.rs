//! Scenarios: what happens to a repository and what Towpath must do about it, a verb a line, with
//! letters for commits. The same file runs on the simulator (`sim_stage`) and on the program's own
//! world over real git and a real store (`real_stage`, `real_world`, `server`), with requests in a book (`plain_forge`)
//! or on one of the forges of the tests, through its adapter (`on_forge`); all must give the same transcript. The language is described in `tests/it/scenarios/README.md`.

mod hosting;
mod line;
pub mod on_forge;
pub mod parse;
pub mod plain_forge;
pub mod real_stage;
pub mod real_world;
pub mod run;
pub mod server;
pub mod sim_stage;
