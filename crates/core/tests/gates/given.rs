//! What the tables share: the given, and how a decision is written in one line.

use serde_json::Value;
use towpath_core::model::{
    Action, BranchName, Candidate, Check, CiItem, CiState, Decision, EdgeKey, Fact, Facts, Flow, Gate, Graph,
    HttpVerdict, Instant, Judged, Observation, Own, Reason, StrayKind, Trusted, Verdict, Waiting,
};

use crate::kit::{
    Answered, NOW, answering, c, edge_seen, environment, flow, knowing, minutes, number, observation,
};

/// One edge, `develop` -> `staging`, whose every fact is given.
#[derive(Debug, Clone)]
pub struct Given {
    pub flow: Flow,
    pub seen: Observation,
    pub all: Facts,
}

impl Given {
    /// With these gates on `staging` and these commits waiting, newest first.
    pub fn new(gates: Vec<Gate>, waiting: Vec<Waiting>) -> Self {
        let flow = flow(vec![environment("develop", Vec::new()), environment("staging", gates)]);
        Self { flow, seen: observation(vec![edge_seen("staging", waiting)]), all: Facts::default() }
    }

    /// The CI results of a commit; those not given are known to be none.
    pub fn ci(mut self, commit: u32, items: Vec<CiItem>) -> Self {
        self.all.ci.insert(c(commit), Fact::Known(items));
        self
    }

    /// Whatever else is different.
    pub fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn graph(&mut self) -> &mut Graph {
        match &mut self.seen.edges[0].graph {
            Fact::Known(graph) => graph,
            Fact::Unknown(_) => panic!("the graph is known here"),
        }
    }

    pub fn own(mut self, own: Vec<Own>) -> Self {
        self.graph().own_total = u32::try_from(own.len()).expect("few");
        self.graph().own = own;
        self
    }
}

/// A result of `name` on a branch, or on none if `on` is empty; green since ten minutes ago.
pub fn item(name: &str, on: &str, state: CiState) -> CiItem {
    CiItem {
        name: name.into(),
        origin: "ci".to_owned(),
        on: (!on.is_empty()).then(|| BranchName::from(on)),
        state,
        green_since: (state == CiState::Green).then(|| minutes(-10).trusted),
        at: minutes(-10).wall,
        url: None,
    }
}

/// A result that turned green that many minutes ago.
pub fn green(name: &str, minutes_ago: i64) -> CiItem {
    CiItem { green_since: Some(since(minutes_ago)), ..item(name, "", CiState::Green) }
}

pub fn since(minutes_ago: i64) -> Trusted {
    minutes(-minutes_ago).trusted
}

pub fn key(env: &str, commit: u32) -> EdgeKey {
    EdgeKey { env: env.into(), commit: c(commit) }
}

/// Decides in both ways, and compares with what is expected.
pub fn check(name: &str, given: &Given, expect: &str) {
    let decision = decided(given);
    assert_eq!(told(&decision), expect, "{name}");
}

/// The decision, reached by questions and with everything given.
pub fn decided(given: &Given) -> Decision {
    let Answered { plan, .. } = asked(given);
    plan.decisions.into_iter().next().expect("the one edge")
}

/// The same, with what was asked on the way.
pub fn asked(given: &Given) -> Answered {
    let answered = answering(&given.flow, &given.seen, &given.all);
    let Answered { plan, rounds, asked } = &answered;
    assert!(*rounds <= 16 && asked.ci.len() <= given.flow.look_back.max(1) as usize, "{rounds} rounds, {asked:?}");
    assert_eq!(plan, &knowing_all(given));
    answered
}

fn knowing_all(given: &Given) -> towpath_core::model::Plan {
    let mut all = given.all.clone();
    all.requests.entry("staging".into()).or_insert_with(|| Fact::Known(crate::kit::no_requests()));
    // As `answering` does: what is not given is known to be nothing.
    if let Fact::Known(graph) = &given.seen.edges[0].graph {
        for waiting in &graph.waiting {
            all.ci.entry(waiting.id).or_insert(Fact::Known(Vec::new()));
            all.authors.entry(key("staging", number(waiting.id))).or_insert(Fact::Known(Default::default()));
            let waits = crate::kit::said(HttpVerdict::Wait { until: None });
            all.http.entry(key("staging", number(waiting.id))).or_insert(Fact::Known(waits));
        }
        for own in &graph.own {
            all.picks.entry(key("staging", number(own.id))).or_insert(Fact::Known(None));
        }
    }
    knowing(&given.flow, &given.seen, &all)
}

/// A decision in one line: `1 moves`, or the lead with every check that fails, and what is beside.
pub fn told(decision: &Decision) -> String {
    let mut line = match (&decision.lead, &decision.action) {
        (Some(lead), Some(Action::FastForward { old, new, promote, overrides, merge })) => {
            assert_eq!((*old, *new), (c(900), lead.commit));
            assert!(decision.verdict.passes());
            let orders: Vec<String> = promote.iter().chain(overrides).map(|order| format!(" by {order}")).collect();
            let request = merge.map_or_else(String::new, |merge| format!(" by request {}", merge.number));
            format!("{} moves{request}{}", number(*new), orders.concat())
        }
        (Some(lead), Some(Action::Propose { head, request, .. })) => {
            let into = request.map_or_else(|| "a new request".to_owned(), |number| format!("request {number}"));
            format!("{} into {into} | {}", number(*head), failing(lead))
        }
        (Some(lead), None) => {
            assert_eq!(Some(&decision.verdict), lead.verdict());
            failing(lead)
        }
        (None, None) => brief(&decision.verdict),
        (None, Some(action)) => panic!("{action:?} for no candidate"),
    };
    if !decision.beside.is_empty() {
        let beside: Vec<String> = decision.beside.iter().map(failing).collect();
        line += &format!(" | beside {}", beside.join(" | "));
    }
    if let Some(unproven) = &decision.unproven {
        line += &format!(" | unproven {}", number(unproven.commit));
    }
    line
}

fn failing(candidate: &Candidate) -> String {
    let failing = candidate.judged.iter().filter(|j| !j.verdict.passes());
    let failing: Vec<String> = failing.map(judged).collect();
    format!("{} {}", number(candidate.commit), failing.join(", "))
}

fn judged(judged: &Judged) -> String {
    format!("{} {}", judged.check.key(), brief(&judged.verdict))
}

/// The lead's verdict on one check.
pub fn lead_says(given: &Given, check: Check) -> String {
    let lead = decided(given).lead.expect("a lead");
    lead.judged.iter().find(|j| j.check == check).map_or_else(|| "-".to_owned(), |j| brief(&j.verdict))
}

/// A verdict in few words: its reason by name, on whom, and until when from now.
pub fn brief(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass { why } => format!("pass {}", reason(why)),
        Verdict::Wait { why, on, until } => {
            let until = until.map(|at| format!(" until {}", from_now(at))).unwrap_or_default();
            format!("wait {} on {}{until}", reason(why), written(on))
        }
        Verdict::Block { why, who } => format!("block {} on {}", reason(why), written(who)),
    }
}

/// Minutes from now, and seconds where it is no whole minute.
pub fn from_now(at: Instant) -> String {
    let secs = (at.0 - NOW.wall.0) / 1_000;
    if secs % 60 == 0 { format!("{:+}m", secs / 60) } else { format!("{secs:+}s") }
}

fn reason(reason: &Reason) -> String {
    let Reason::Diverged { commits, total } = reason else { return tag(reason) };
    let kind = |kind: &StrayKind| match kind {
        StrayKind::Squash { of } | StrayKind::CherryPick { of } => format!("{} of {}", tag(kind), number(*of)),
        StrayKind::OnItsWay { env, brought_by } => format!("on-its-way from {env} by {}", number(*brought_by)),
        other => tag(other),
    };
    let commits: Vec<String> =
        commits.iter().map(|stray| format!("{} {}", number(stray.commit), kind(&stray.kind))).collect();
    format!("diverged [{}] of {total}", commits.join(", "))
}

/// The name that a variant has in JSON.
fn tag(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value).expect("it can be written") {
        Value::String(tag) => tag,
        Value::Object(map) => map.keys().next().expect("a variant").clone(),
        other => panic!("{other} is no variant"),
    }
}

/// A variant with its content.
fn written(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value).expect("it can be written") {
        Value::String(tag) => tag,
        Value::Object(map) => {
            let (tag, content) = map.into_iter().next().expect("a variant");
            match content {
                Value::String(text) => format!("{tag} {text}"),
                Value::Array(texts) => {
                    let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
                    format!("{tag} [{}]", texts.join(" "))
                }
                other => panic!("{other} in {tag}"),
            }
        }
        other => panic!("{other} is no variant"),
    }
}
