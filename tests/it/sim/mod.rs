//! The simulator: the real engine over a world in memory, with faults, several replicas and
//! people, from one seed.

pub mod check;
pub mod check_requests;
mod compat;
mod deeds;
pub mod flows;
pub mod forge;
mod heal;
mod made;
mod people;
mod races;
mod races_check;
pub mod races_count;
mod races_orders;
pub mod rng;
mod serve;
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
    /// Pauses are neither decided on nor looked at before a candidate is put into a request.
    ProposeInAPause,
    /// An approval counts for whatever head the request has now.
    CountAnyApproval,
    /// The forge merges the head that the request has, not the one that was decided on.
    MergeWithoutThePin,
    /// Nobody asks who put the head onto the request branch.
    TakeAnyHeadForOurs,
    /// A request whose opening was not answered is not looked for, and the forge opens another.
    OpenAgainUnheard,
    /// The check of migrations looks at no code of the other environments on the database.
    JudgeOnlyItsOwnCode,
    /// The check does not look at what the database has and a commit lacks.
    ForgetWhatTheDatabaseLost,
    /// What the forge tells of pushes is not asked whether the commit stayed.
    DateByTheFirstPush,
    /// A push is marked as begun without a look at what is paused or frozen by then.
    MarkInAPause,
    /// Holds are looked at when it is decided, and never again.
    HoldOnlyWhenDeciding,
    /// The answer to an order does not count the pushes that have begun.
    AnswerWithoutPushes,
    /// The answer to an order says that what has begun is over sooner than it is.
    NameTooSoon,
    /// A process that dies takes an order with it that was answered.
    LoseTheOrder,
    /// Whatever is resumed, every freeze is lifted.
    LiftEveryFreeze,
    /// Whatever is let go, every hold is lifted.
    LiftEveryHold,
}

macro_rules! killed {
    ($($effect:literal)*) => {
        [$(($effect, concat!("killed: before ", $effect), concat!("killed: after ", $effect))),*]
    };
}

/// Where a process is killed, and how that is counted.
pub const KILLED: [(&str, &str, &str); 11] = killed! {
    "SaveIntent" "Reread" "MarkPushing" "Push" "ReadRef" "Record" "SaveProposal" "Propose" "Close" "Send" "MarkSent"
};
