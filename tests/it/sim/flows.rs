//! Flows for the simulator, built by hand: `config` has its own tests.

use std::ops::Range;

use chrono_tz::Tz;
use towpath_core::calendar::Windows;
use towpath_core::model::{
    ApprovalsGate, AuthorsMay, Candidates, CheckRef, Checks, CiGate, Environment, Flow, FlowName, Gate, HttpGate,
    LagGate, MergeBy, MigrationsGate, Mode, NamedCheck, OpenWhen, PolicyDigest, RequestRules, Review, Span, Via,
};

use super::REQUIRED;
use super::rng::Rng;

/// The hours, in the flow's zone, in which a window is open.
pub const OPEN: Range<u32> = 6..20;

const ZONE: Tz = Tz::Europe__Warsaw;

pub fn environment(name: &str, gates: Vec<Gate>, candidates: Candidates) -> Environment {
    Environment {
        name: name.into(),
        branch: name.into(),
        via: Via::FastForward,
        request: RequestRules::default(),
        candidates,
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

pub fn ci(checks: &[&str]) -> Gate {
    let named = |name: &&str| NamedCheck { name: (*name).into(), on: CheckRef::Any };
    Gate::Ci(CiGate { checks: Checks::Named(checks.iter().map(named).collect()), missing_after: None })
}

pub fn lag(minutes: i64) -> Gate {
    Gate::Lag(LagGate { length: Span::from_mins(minutes), since: None })
}

/// The gate that a server of ours guards.
pub fn http() -> Gate {
    Gate::Http(HttpGate { url: "https://gate.test/swarm".to_owned() })
}

/// develop -> staging -> production: CI on both, a server of ours before the staging of `alpha`, half an hour of
/// lag before production.
pub fn three(name: &str, read: usize) -> Flow {
    let checks = &REQUIRED[..read];
    let staging = if name == "alpha" { vec![ci(checks), http()] } else { vec![ci(checks)] };
    Flow {
        name: FlowName::new(name),
        repository: format!("/repos/{name}"),
        zone: ZONE,
        look_back: 50,
        environments: vec![
            environment("develop", vec![], Candidates::Commits),
            environment("staging", staging, Candidates::Commits),
            Environment {
                behind_alarm: Some(Span::from_mins(60)),
                ..environment("production", vec![ci(checks), lag(30)], Candidates::Tips)
            },
        ],
        policy: PolicyDigest::new(format!("policy of {name}")),
    }
}

/// The same environments, of which staging and production use one database.
pub fn on_a_database(name: &str, read: usize) -> Flow {
    let mut flow = three(name, read);
    for target in &mut flow.environments[1..] {
        // Told of here: migrations are what blocks for long.
        target.blocked_alarm = Some(Span::from_mins(10));
        target.database = Some("main".to_owned());
        target.gates.push(Gate::Migrations(MigrationsGate {
            review: Review::Block,
            framework: None,
            dialect: None,
            schema: None,
            paths: Vec::new(),
        }));
    }
    flow
}

/// The same environments, where commits enter by request into one or both.
pub fn by_request(rng: &mut Rng, name: &str, read: usize) -> Flow {
    let mut flow = three(name, read);
    let which = 1 + rng.below(3);
    for at in [1, 2] {
        if which & at == 0 {
            continue;
        }
        let target = &mut flow.environments[at];
        target.via = Via::MergeRequest;
        target.request.open = if rng.percent(50) { OpenWhen::AtOnce } else { OpenWhen::Ready };
        target.request.merge = if rng.percent(25) { MergeBy::Person } else { MergeBy::Towpath };
        target.candidates = if rng.percent(50) { Candidates::Tips } else { Candidates::Commits };
        if rng.percent(30) {
            let hours = format!("{:02}:00-{:02}:00", OPEN.start, OPEN.end);
            target.gates.push(Gate::Window(Windows::parse(&[hours], &[], ZONE).expect("a window")));
        }
        if rng.percent(70) {
            target.gates.push(Gate::Approvals(approvals(rng)));
        }
    }
    flow
}

/// Where orders race with moves: nothing but CI and a short lag, so that a move is soon under way; by push or by
/// request; on some a fourth environment, so that one commit crosses several borders.
pub fn to_race(rng: &mut Rng, name: &str, read: usize) -> Flow {
    let mut flow = three(name, read);
    let checks = &REQUIRED[..read];
    flow.environments[1].gates = vec![ci(checks)];
    flow.environments[2].gates = vec![ci(checks), lag(RACED_LAG)];
    if rng.percent(40) {
        flow.environments.push(environment("customers", vec![ci(checks)], Candidates::Tips));
    }
    for target in &mut flow.environments[1..] {
        if rng.percent(65) {
            continue;
        }
        target.via = Via::MergeRequest;
        target.request.open = if rng.percent(50) { OpenWhen::AtOnce } else { OpenWhen::Ready };
        if rng.percent(30) {
            let (required, from, authors) = (1, Default::default(), AuthorsMay::Refuse);
            target.gates.push(Gate::Approvals(ApprovalsGate { required, from, authors }));
        }
    }
    flow
}

/// The lag before production where orders race with moves, in minutes.
const RACED_LAG: i64 = 2;

/// Approvals that at least one person can give who writes no commits.
fn approvals(rng: &mut Rng) -> ApprovalsGate {
    let lists: [&[&str]; 4] = [&[], &["@keepers"], &["eva", "filip", "olga"], &["@release", "@keepers"]];
    let from = lists[rng.below(lists.len())].iter().map(|name| (*name).to_owned()).collect();
    let authors = if rng.percent(60) { AuthorsMay::Refuse } else { AuthorsMay::Allow };
    ApprovalsGate { required: if rng.percent(70) { 1 } else { 2 }, from, authors }
}
