//! What is shipped beside the program: the hook, the alerts, the dashboard, the units, the manual.
//!
//! Not here: what needs a tool of its own, such as `promtool` (`scripts/contrib`).

mod hook;
mod promised;
mod service;
mod shipped;

use std::path::PathBuf;

/// A file below `contrib/`.
fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("contrib").join(name)
}
