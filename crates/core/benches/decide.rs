//! How long `see::edges` and `decide` take over 100, 1,000 and 10,000 waiting commits.
//!
//! A plain program without a framework: each case runs in rounds, and the table has the fastest and
//! the median round. The fastest is the one to compare on a machine that does other work too.
//!
//! `cargo bench -p towpath-core --bench decide`; `scripts/bench` runs it with the rest.
#![allow(missing_docs, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::{Duration, Instant as Stopwatch};

use chrono_tz::Tz;
use towpath_core::dag::{Dag, Node};
use towpath_core::decide::{Next, decide};
use towpath_core::model::{
    Arrival, ArrivalHow, Candidates, CheckRef, Checks, CiGate, CiItem, CiState, CommitId, EnvName, Environment,
    Fact, Facts, Flow, FlowName, Gate, Instant, LagGate, Ledger, Missing, Mode, NamedCheck, Now, Observation, Plan,
    PolicyDigest, Span, Tip, TipHeld, TipHow, TreeId, Trusted, Via,
};
use towpath_core::see::{self, Tips};

const SIZES: [usize; 3] = [100, 1_000, 10_000];
const ROUNDS: usize = 15;
const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 24 * 3_600_000;

/// What the gates of the one edge are, and how the commits fare.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// All green and old enough: the newest moves.
    Ripe,
    /// All arrived a minute ago: the lag holds them up.
    Lag,
    /// The newest fifty are red, the rest is green: the look-back is used up.
    Red,
    /// A quiet time as well, not over.
    Quiet,
    /// Every commit was a push tip.
    Tips,
}

impl Case {
    const ALL: [Self; 5] = [Self::Ripe, Self::Lag, Self::Red, Self::Quiet, Self::Tips];

    const fn name(self) -> &'static str {
        match self {
            Self::Ripe => "all ripe",
            Self::Lag => "all wait for lag",
            Self::Red => "50 red on top",
            Self::Quiet => "not quiet",
            Self::Tips => "all were push tips",
        }
    }
}

struct Given {
    flow: Flow,
    ledger: Ledger,
    tips: Tips,
    history: Fact<Dag>,
    state: fn(usize) -> CiState,
    at: BTreeMap<CommitId, usize>,
}

fn id(at: usize) -> CommitId {
    // Ids are spread like real ones: maps keyed by them must not profit from order.
    let mut bytes = [0; 20];
    let spread = (at as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bytes[..8].copy_from_slice(&spread.to_be_bytes());
    bytes[12..].copy_from_slice(&(at as u64).to_be_bytes());
    CommitId::from_bytes(bytes)
}

fn environment(name: &str, gates: Vec<Gate>) -> Environment {
    Environment {
        name: name.into(),
        branch: name.into(),
        via: Via::FastForward,
        request: towpath_core::model::RequestRules::default(),
        candidates: Candidates::Commits,
        mode: Mode::Act,
        database: None,
        settle: Span::from_mins(15),
        deployed: None,
        rollback: true,
        behind_alarm: None,
        blocked_alarm: None,
        heads_up: None,
        gates,
    }
}

fn given(case: Case, waiting: usize) -> Given {
    let checks = Checks::Named(vec![NamedCheck { name: "build".into(), on: CheckRef::Any }]);
    let mut gates = vec![
        Gate::Ci(CiGate { checks, missing_after: None }),
        Gate::Lag(LagGate { length: Span::from_mins(30), since: None }),
    ];
    if case == Case::Quiet {
        gates.push(Gate::Quiet(Span::from_mins(60)));
    }
    let flow = Flow {
        name: FlowName::new("bench"),
        repository: "/repos/bench".to_owned(),
        zone: Tz::UTC,
        look_back: 50,
        environments: vec![environment("develop", vec![]), environment("production", gates)],
        policy: PolicyDigest::new("policy"),
    };
    let nodes = (0..=waiting).map(|at| Node {
        id: id(at),
        tree: TreeId::from_bytes(*id(at).as_bytes()),
        parents: at.checked_sub(1).map(id).into_iter().collect(),
        merged: None,
        author: "Ana".to_owned(),
        email: "ana@example.com".to_owned(),
        co_authors: Vec::new(),
        subject: format!("Commit number {at} of this branch"),
    });
    let age = if case == Case::Lag { 60_000 } else { DAY };
    let newest = if case == Case::Quiet { 30 * 60_000 } else { age };
    let arrivals = (1..=waiting).map(|at| {
        let ms = NOW - if at == waiting { newest } else { age };
        (id(at), Arrival { trusted: Trusted(ms), wall: Instant(ms), how: ArrivalHow::Seen })
    });
    let develop = EnvName::new("develop");
    let mut ledger = Ledger::default();
    ledger.arrivals.insert(develop.clone(), arrivals.collect());
    let then = Now { wall: Instant(NOW - DAY), trusted: Trusted(NOW - DAY) };
    let held = |at| TipHeld { commit: id(at), from: then, until: None, lost: false, how: TipHow::Pushed };
    let tips = if case == Case::Tips { (1..=waiting).map(held).collect() } else { vec![held(waiting)] };
    ledger.held.insert(develop.clone(), tips);
    let tips = [(develop, Tip::At(id(waiting))), (EnvName::new("production"), Tip::At(id(0)))].into();
    let state = if case == Case::Red {
        |from_top| if from_top < 50 { CiState::Red } else { CiState::Green }
    } else {
        |_| CiState::Green
    };
    let at = (0..=waiting).map(|at| (id(at), waiting - at)).collect();
    Given { flow, ledger, tips, history: Fact::Known(Dag::new(nodes.collect(), BTreeSet::new())), state, at }
}

impl Given {
    fn observe(&self) -> Observation {
        Observation {
            now: Now { wall: Instant(NOW), trusted: Trusted(NOW) },
            edges: see::edges(&self.flow, &self.ledger, &self.tips, &self.history),
            standing: self.ledger.standing.clone(),
            facts: Facts::default(),
            code: Default::default(),
        }
    }

    /// Decides as the engine does: round after round, until nothing is missing.
    fn decide(&self, seen: &mut Observation) -> (Plan, usize) {
        for round in 1.. {
            match decide(&self.flow, seen) {
                Next::Done(plan) => return (plan, round),
                Next::Ask(missing) => self.answer(&mut seen.facts, &missing),
            }
        }
        unreachable!("every asked key is answered")
    }

    fn answer(&self, facts: &mut Facts, missing: &Missing) {
        for commit in &missing.ci {
            let from_top = self.at.get(commit).copied().unwrap_or_default();
            let item = CiItem {
                name: "build".into(),
                origin: "bench".to_owned(),
                on: None,
                state: (self.state)(from_top),
                green_since: Some(Trusted(NOW - DAY)),
                at: Instant(NOW - DAY),
                url: None,
            };
            facts.ci.insert(*commit, Fact::Known(vec![item]));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time, and decides nothing by it")]
fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Stopwatch::now();
    black_box(work());
    start.elapsed()
}

/// The fastest and the median of some rounds, in milliseconds.
fn rounds(mut round: impl FnMut() -> Duration) -> (f64, f64) {
    round();
    let mut took: Vec<Duration> = (0..ROUNDS).map(|_| round()).collect();
    took.sort();
    (took[0].as_secs_f64() * 1e3, took[ROUNDS / 2].as_secs_f64() * 1e3)
}

fn main() {
    println!(
        "| case | waiting | see::edges ms (least / median) | decide, all rounds ms (least / median) | rounds | moves |"
    );
    println!("|---|--:|--:|--:|--:|---|");
    for case in Case::ALL {
        for waiting in SIZES {
            let given = given(case, waiting);
            let (see_least, see_median) = rounds(|| timed(|| given.observe()));
            let seen = given.observe();
            let (least, median) = rounds(|| {
                let mut seen = seen.clone();
                timed(|| given.decide(&mut seen))
            });
            let (plan, asked) = given.decide(&mut seen.clone());
            let moves = plan.decisions.iter().any(|d| d.action.is_some());
            let name = case.name();
            println!(
                "| {name} | {waiting} | {see_least:.2} / {see_median:.2} | {least:.2} / {median:.2} | {asked} | {} |",
                if moves { "yes" } else { "no" }
            );
        }
    }
}
