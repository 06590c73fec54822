//! Would this range of schema migrations break the code that is running?
//!
//! `tree` is what is read, `frameworks` find and extract, `sql` reads statements, `operation` is what
//! they do, `schema` replays them, `rules` judge, `evidence` looks whether running code still uses a
//! name, `check` asks it all.
//!
//! Not here, ever: I/O. Strings come in, values go out, and the user's code is never run.

pub mod check;
pub mod evidence;
pub mod frameworks;
pub mod migration;
pub mod operation;
mod report;
pub mod rules;
pub mod schema;
pub mod sql;
pub mod tree;

pub use report::{
    Acceptance, AcceptedBy, CompatReport, Finding, Grade, Place, RULES_VERSION, RunningEvidence, SCHEMA_VERSION,
    Verdict,
};
