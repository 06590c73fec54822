//! Crashes, lost answers and races with the real binary, real git and real SQLite.
//!
//! Every case starts from the same [`Place`]: a bare remote with `develop` at c2, `staging` at c1
//! and `production` at c0, every check green. The next pass therefore moves two branches
//! (production to c1, staging to c2), and the one after it a third (production to c2). Whatever
//! went wrong in between, [`Place::sound`] has to hold: every move in the remote's reflog has
//! exactly one effect record and the other way round, every intent has ended, every landing was
//! told.
//!
//! A process that died after marking a push as begun leaves a push that may still land for two
//! minutes. These are not waited for: [`Place::age`] moves the trusted clock of the store on,
//! after every process of the case has ended.

// In tests a surprise is a failure with a line number, which is what `unwrap` gives.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "crash-points")]
mod faults;
#[cfg(feature = "crash-points")]
mod hooks;
#[cfg(feature = "crash-points")]
mod matrix;
#[cfg(feature = "crash-points")]
mod orders;
#[cfg(feature = "crash-points")]
mod place;
#[cfg(feature = "crash-points")]
mod races;
#[cfg(feature = "crash-points")]
mod requests;
#[cfg(feature = "crash-points")]
mod rollback;

#[cfg(feature = "crash-points")]
use place::{Gates, Place, Seed};

#[cfg(not(feature = "crash-points"))]
#[test]
fn the_crash_points_are_compiled_in() {
    panic!("the crash tests need the crash points: cargo nextest run --features crash-points");
}
