//! The simulator: the real engine over a world in memory, with faults, several replicas and
//! people, from one seed.

pub mod check;
pub mod flows;
pub mod rng;
pub mod swarm;
pub mod universe;
pub mod world;

/// The checks that every simulated staging and production require, by the truth. (A planted bug
/// makes the engine read fewer.)
pub const REQUIRED: [&str; 3] = ["build", "lint", "test"];

/// Bugs planted to see that the simulator finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// The push does not compare the branch with the old commit.
    DropTheLease,
    /// What was read before the decision is taken for what is so now.
    SkipTheReread,
    /// Only the first of the required checks is read.
    ReadOneCheckOfThree,
    /// What the server of the `http` gate said first in a pass is taken for what it says now.
    BelieveTheGateOnce,
    /// Pauses are neither decided on nor looked at before the push.
    ForgetThePause,
}
