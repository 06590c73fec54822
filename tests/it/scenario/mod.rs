//! Scenarios: what happens to a repository and what Towpath must do about it, a verb a line, with
//! letters for commits. The same file runs on the simulator (`sim_stage`) and on the program's own
//! world over real git and a real store (`real_stage`, `real_world`, `server`); both must give the
//! same transcript. The language is described in `tests/it/scenarios/README.md`.

pub mod parse;
mod plain_forge;
pub mod real_stage;
pub mod real_world;
pub mod run;
pub mod server;
pub mod sim_stage;
