//! What the core's tests share: short names for values, and answering a decision's questions.

use chrono_tz::Tz;
use towpath_core::decide::{self, Next};
use towpath_core::model::{
    Arrival, ArrivalHow, Candidates, CommitId, EdgeSeen, EnvName, Environment, Fact, Facts, Flow, Gate, Graph,
    HttpGate, HttpSaid, HttpVerdict, Instant, IntentRow, IntentState, Missing, Mode, MoveKind, Now, Observation,
    Plan, PolicyDigest, RequestRules, Requests, RequiredChecks, Span, Standing, Tip, Trusted, Via, Waiting, Ways,
};

/// Tuesday 2026-03-03 10:00Z. The trusted clock is far from the wall, so that a mix-up shows.
pub const NOW: Now = Now { wall: Instant(1_772_532_000_000), trusted: Trusted(5_000_000_000) };

/// The zone of every flow here.
pub const ZONE: Tz = chrono_tz::UTC;

/// The commit with that number.
pub fn c(number: u32) -> CommitId {
    let mut bytes = [0u8; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    CommitId::from_bytes(bytes)
}

/// Its number.
pub fn number(id: CommitId) -> u32 {
    let bytes = id.as_bytes();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Both clocks, that many minutes from [`NOW`].
pub fn minutes(from_now: i64) -> Now {
    let ms = from_now * 60_000;
    Now { wall: Instant(NOW.wall.0 + ms), trusted: Trusted(NOW.trusted.0 + ms) }
}

pub fn mins(count: i64) -> Span {
    Span::from_mins(count)
}

/// An arrival that many minutes ago.
pub fn arrived(minutes_ago: i64, how: ArrivalHow) -> Arrival {
    let at = minutes(-minutes_ago);
    Arrival { trusted: at.trusted, wall: at.wall, how }
}

pub fn environment(name: &str, gates: Vec<Gate>) -> Environment {
    Environment {
        name: EnvName::from(name),
        branch: name.into(),
        via: Via::FastForward,
        request: RequestRules::default(),
        candidates: Candidates::Tips,
        mode: Mode::Act,
        database: None,
        settle: mins(15),
        deployed: None,
        rollback: false,
        behind_alarm: None,
        blocked_alarm: None,
        heads_up: None,
        gates,
    }
}

pub fn flow(environments: Vec<Environment>) -> Flow {
    Flow {
        name: "shop".into(),
        repository: "git@example.com:shop.git".to_owned(),
        zone: ZONE,
        look_back: 50,
        environments,
        policy: PolicyDigest::from("p1"),
    }
}

/// A commit that waits: a former tip, on the chain, reachable, an hour old.
pub fn waiting(id: u32) -> Waiting {
    Waiting {
        id: c(id),
        author: "Ana".to_owned(),
        subject: format!("change {id}"),
        on_chain: true,
        was_tip: true,
        reaches: true,
        carries: true,
        arrival: Some(arrived(60, ArrivalHow::Seen)),
        holds: Vec::new(),
    }
}

/// An edge into `env` with these commits waiting, newest first. The target is at commit 900.
pub fn edge_seen(env: &str, waiting: Vec<Waiting>) -> EdgeSeen {
    let tip = waiting.first().map_or(c(900), |newest| newest.id);
    EdgeSeen {
        env: env.into(),
        source: Tip::At(tip),
        target: Tip::At(c(900)),
        graph: Fact::Known(Graph { promoted: Some(c(900)), waiting, own: Vec::new(), own_total: 0 }),
        in_flight: None,
        last_move: None,
        proposed: None,
    }
}

pub fn observation(edges: Vec<EdgeSeen>) -> Observation {
    Observation {
        now: NOW,
        edges,
        standing: Standing::default(),
        facts: Facts::default(),
        code: Default::default(),
    }
}

/// What answering a decision's questions round by round came to.
pub struct Answered {
    pub plan: Plan,
    pub rounds: usize,
    pub asked: Missing,
}

/// Decides; whatever is asked is looked up in `all`, and every key must be there. No key is asked
/// twice, and no question is empty.
pub fn answering(flow: &Flow, seen: &Observation, all: &Facts) -> Answered {
    let mut seen = seen.clone();
    let mut asked = Missing::default();
    for rounds in 1.. {
        let missing = match decide::decide(flow, &seen) {
            Next::Done(plan) => return Answered { plan, rounds, asked },
            Next::Ask(missing) => missing,
        };
        assert!(!missing.is_empty(), "a question without a key");
        let before = asked.len();
        asked.absorb(missing.clone());
        assert_eq!(asked.len(), before + missing.len(), "a key was asked twice: {missing:?}");
        macro_rules! answer {
            ($($kind:ident or $nothing:expr;)*) => { $(
                for key in missing.$kind {
                    let fact = all.$kind.get(&key).cloned().unwrap_or_else(|| Fact::Known($nothing));
                    let was = seen.facts.$kind.insert(key, fact);
                    assert!(was.is_none(), concat!(stringify!($kind), " were asked although they are given"));
                }
            )* };
        }
        answer! {
            ci or Vec::new();
            authors or Default::default();
            picks or None;
            logins or Default::default();
            requests or no_requests();
            required or RequiredChecks::All;
            teams or Default::default();
            http or said(HttpVerdict::Wait { until: None });
            compat or Default::default();
        }
        assert!(rounds < 10_000, "the questions never end");
    }
    unreachable!("the loop returns")
}

/// What a forge shows where nothing was ever proposed.
pub fn no_requests() -> Requests {
    let ways = Ways { push: false, fast_forward: false, merge_commit: true };
    Requests { branch: Tip::Absent, open: None, closed: None, ways }
}

/// What the server of an `http` gate says.
pub fn said(verdict: HttpVerdict) -> HttpSaid {
    HttpSaid { verdict, words: "so it is".to_owned() }
}

/// The `http` gate of every table and case.
pub fn http() -> Gate {
    Gate::Http(HttpGate { url: "https://gate.example.com/towpath".to_owned() })
}

/// Decides with everything given: a single round.
pub fn knowing(flow: &Flow, seen: &Observation, all: &Facts) -> Plan {
    let seen = Observation { facts: all.clone(), ..seen.clone() };
    match decide::decide(flow, &seen) {
        Next::Done(plan) => plan,
        Next::Ask(missing) => panic!("asked although everything is given: {missing:?}"),
    }
}

/// A pushing intent from commit 900 to `new`.
pub fn intent(env: &str, new: u32, deadline: Option<i64>) -> IntentRow {
    IntentRow {
        id: "intent-1".into(),
        flow: "shop".into(),
        env: env.into(),
        branch: env.into(),
        kind: MoveKind::FastForward,
        old: c(900),
        new: c(new),
        policy: "p1".into(),
        attempt: 0,
        by: "towpath".into(),
        reason: None,
        promote: None,
        overrides: Vec::new(),
        holds: Vec::new(),
        state: IntentState::Pushing,
        saved: minutes(-1),
        deadline: deadline.map(|at| minutes(at).trusted),
        words: None,
        merge: None,
    }
}
