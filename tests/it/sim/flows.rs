//! Flows for the simulator, built by hand: `config` has its own tests.

use chrono_tz::Tz;
use towpath_core::model::{
    Candidates, CheckRef, Checks, CiGate, Environment, Flow, FlowName, Gate, HttpGate, LagGate, Mode, NamedCheck,
    PolicyDigest, RequestRules, Span, Via,
};

use super::REQUIRED;

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
        zone: Tz::Europe__Warsaw,
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
