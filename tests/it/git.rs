//! The git adapter against real repositories.

mod closed;
mod dag;
mod https;
mod push;
mod read;
mod transport;

use std::path::Path;
use std::time::Duration;

use towpath_core::model::{BranchName, CommitId};

fn branch(name: &str) -> BranchName {
    BranchName::from(name)
}

fn nowhere() -> CommitId {
    "0123456789012345678901234567890123456789".parse().unwrap()
}

/// Waits until `done`, at most ten seconds.
async fn eventually(what: &str, done: impl Fn() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never happened: {what}");
}

/// Whether a process is running (a zombie is not).
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
