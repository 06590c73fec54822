//! Laws of `decide` and `judge`.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use towpath_core::decide::{Depth, Look, Next, candidates, decide, divergence, judge};
use towpath_core::model::{
    Action, ApprovalsGate, ArrivalHow, AuthorsMay, Check, CheckRef, Checks, CiGate, CiItem, CiState, CommitId,
    Decision, EdgeKey, EnvName, Fact, Facts, Flow, Gate, GateKind, Graph, HttpVerdict, LagGate, Mode, NamedCheck,
    Observation, Pause, Plan, Reason, Tip, Unknown, Verdict, Via,
};

use crate::cases::{Case, any_pause, any_unknown, case, sized};
use crate::kit::{
    Answered, NOW, answering, arrived, c, edge_seen, environment, flow, http, knowing, mins, minutes, number,
    observation, waiting,
};

/// The rounds that a tick gives a decision.
const ROUNDS_MAX: usize = 16;

/// Every candidate of every edge that passes everything, judged by itself.
fn passing(flow: &Flow, seen: &Observation) -> BTreeSet<(EnvName, CommitId)> {
    let mut all = BTreeSet::new();
    for edge in flow.edges() {
        let on_edge = seen.edges.iter().find(|e| e.env == edge.target.name).expect("every edge is seen");
        let mut look = Look::new(seen, on_edge);
        let branches = divergence::branches(&edge, on_edge, &mut look).expect("every fact is given");
        if !matches!(branches, Verdict::Pass { why: Reason::Nothing }) {
            continue;
        }
        for candidate in candidates(&edge, on_edge, seen) {
            let judged = judge(&edge, candidate, &mut look, Depth::Whole).expect("every fact is given");
            if judged.iter().all(|j| j.verdict.passes()) {
                all.insert((edge.target.name.clone(), candidate.id));
            }
        }
    }
    all
}

/// What moves, by edge.
fn moves(plan: &Plan) -> BTreeSet<(EnvName, CommitId)> {
    let to = |d: &Decision| d.action.as_ref().and_then(Action::moves).map(|(_, new)| (d.env.clone(), new));
    plan.decisions.iter().filter_map(to).collect()
}

/// One fact taken away.
#[derive(Debug, Clone)]
enum Loss {
    Ci(Index, Unknown),
    Authors(Index, Unknown),
    Pick(Index, Unknown),
    Http(Index, Unknown),
    Compat(Index, Unknown),
    Source(Index, Unknown),
    Target(Index, Unknown),
    Graph(Index, Unknown),
    Arrival(Index, Index),
}

fn any_loss() -> impl Strategy<Value = Loss> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), any_unknown()).prop_map(|(at, why)| Loss::Ci(at, why)),
        2 => (at(), any_unknown()).prop_map(|(at, why)| Loss::Authors(at, why)),
        1 => (at(), any_unknown()).prop_map(|(at, why)| Loss::Pick(at, why)),
        3 => (at(), any_unknown()).prop_map(|(at, why)| Loss::Http(at, why)),
        3 => (at(), any_unknown()).prop_map(|(at, why)| Loss::Compat(at, why)),
        1 => (at(), any_unknown()).prop_map(|(at, why)| Loss::Source(at, why)),
        1 => (at(), any_unknown()).prop_map(|(at, why)| Loss::Target(at, why)),
        1 => (at(), any_unknown()).prop_map(|(at, why)| Loss::Graph(at, why)),
        4 => (at(), at()).prop_map(|(edge, at)| Loss::Arrival(edge, at)),
    ]
}

fn forget<K: Ord + Clone, T>(map: &mut std::collections::BTreeMap<K, Fact<T>>, at: &Index, why: &Unknown) {
    if let Some(key) = map.keys().nth(at.index(map.len().max(1))).cloned() {
        map.insert(key, Fact::Unknown(why.clone()));
    }
}

impl Loss {
    fn take(&self, seen: &mut Observation) {
        let edges = seen.edges.len();
        match self {
            Self::Ci(at, why) => forget(&mut seen.facts.ci, at, why),
            Self::Authors(at, why) => forget(&mut seen.facts.authors, at, why),
            Self::Pick(at, why) => forget(&mut seen.facts.picks, at, why),
            Self::Http(at, why) => forget(&mut seen.facts.http, at, why),
            Self::Compat(at, why) => forget(&mut seen.facts.compat, at, why),
            Self::Source(at, why) => seen.edges[at.index(edges)].source = Tip::Unknown(why.clone()),
            Self::Target(at, why) => seen.edges[at.index(edges)].target = Tip::Unknown(why.clone()),
            Self::Graph(at, why) => seen.edges[at.index(edges)].graph = Fact::Unknown(why.clone()),
            Self::Arrival(edge, at) => {
                if let Fact::Known(graph) = &mut seen.edges[edge.index(edges)].graph
                    && !graph.waiting.is_empty()
                {
                    let at = at.index(graph.waiting.len());
                    graph.waiting[at].arrival = None;
                }
            }
        }
    }
}

fn plan_of(flow: &Flow, seen: &Observation) -> Plan {
    match decide(flow, seen) {
        Next::Done(plan) => plan,
        Next::Ask(missing) => panic!("every fact is given, and yet: {missing:?}"),
    }
}

proptest! {
    #![proptest_config(crate::cases::times(300))]

    /// Answering round by round gives the plan that every fact at once gives, also when some of
    /// the facts, or facts about strangers, are there from the start.
    #[test]
    fn asking_changes_nothing(case in case(), early in any::<u64>()) {
        let eager = knowing(&case.flow, &case.seen, &case.all);
        let lazy = answering(&case.flow, &case.seen, &case.all);
        prop_assert_eq!(&lazy.plan, &eager);
        prop_assert!(lazy.rounds <= ROUNDS_MAX);

        let mut some = case.all.clone();
        let keep = |n: usize| early >> (n % 64) & 1 == 1;
        let mut n = 0;
        some.ci.retain(|_, _| { n += 1; keep(n) });
        some.authors.retain(|_, _| { n += 1; keep(n) });
        some.picks.retain(|_, _| { n += 1; keep(n) });
        some.http.retain(|_, _| { n += 1; keep(n) });
        some.compat.retain(|_, _| { n += 1; keep(n) });
        some.ci.insert(c(4_000), Fact::Known(Vec::new()));
        let seen = Observation { facts: some, ..case.seen.clone() };
        prop_assert_eq!(answering(&case.flow, &seen, &case.all).plan, eager);
    }

    /// What is said of what time lets in bears on no verdict, and reads as it says it does.
    #[test]
    fn telling_before_changes_no_decision(case in case()) {
        let mut quiet = case.flow.clone();
        quiet.environments.iter_mut().for_each(|environment| environment.heads_up = None);
        let (plan, quiet) = (plan_of(&case.flow, &case.whole()), plan_of(&quiet, &case.whole()));
        for (loud, quiet) in plan.decisions.iter().zip(&quiet.decisions) {
            prop_assert_eq!(&loud.action, &quiet.action);
            prop_assert_eq!(&loud.verdict, &quiet.verdict);
            prop_assert_eq!(&loud.lead, &quiet.lead);
            prop_assert!(quiet.ahead.is_none());
            let Some(ahead) = &loud.ahead else { continue };
            let before = case.flow.environment(&loud.env).and_then(|environment| environment.heads_up).expect("one");
            let horizon = plan.now.wall + before;
            prop_assert!(ahead.soon.iter().all(|soon| plan.now.wall < soon.at && soon.at <= horizon));
            prop_assert!(ahead.soon.windows(2).all(|pair| pair[0].at > pair[1].at), "{:?}", ahead.soon);
            prop_assert!(ahead.next.is_none_or(|next| next > plan.now.wall));
        }
    }

    /// Whether an edge is acted on or only observed is no fact of a decision: what `compare` tells
    /// of an observed flow is what it would have done.
    #[test]
    fn observing_changes_no_decision(case in case()) {
        let with = |mode| {
            let mut flow = case.flow.clone();
            flow.environments.iter_mut().for_each(|environment| environment.mode = mode);
            knowing(&flow, &case.seen, &case.all)
        };
        prop_assert_eq!(with(Mode::Act), with(Mode::Observe));
    }

    /// What moves passes everything by itself, is a candidate, and no newer candidate that was
    /// looked at passes too.
    #[test]
    fn the_newest_that_passes_moves(case in case()) {
        let plan = knowing(&case.flow, &case.seen, &case.all);
        let whole = case.whole();
        let pass = passing(&case.flow, &whole);
        let moves = moves(&plan);
        prop_assert!(moves.is_subset(&pass), "{moves:?} moves, {pass:?} passes");
        for decision in &plan.decisions {
            let mover = moves.iter().find(|(env, _)| env == &decision.env).map(|(_, new)| *new);
            // Waiting commits are numbered from the newest.
            let newest = pass.iter().filter(|(env, _)| env == &decision.env).map(|(_, id)| *id).min();
            if case.flow.look_back == 50 {
                prop_assert_eq!(mover, newest, "{}", decision.env);
            }
            prop_assert_eq!(mover.is_some(), decision.verdict.passes() && decision.verdict.why() == &Reason::Ready);
            // One promote and any override may be looked at beyond it.
            let ordered = u32::try_from(whole.standing.promotes.len() + whole.standing.overrides.len()).unwrap_or(0);
            // So is what a newer one waits for before its migrations may follow; nothing else is.
            let awaits =
                case.flow.environment(&decision.env).is_some_and(|env| env.gate(GateKind::Migrations).is_some());
            prop_assert!(awaits || decision.looked_at <= case.flow.look_back + ordered);
            let lead = decision.lead.as_ref().map(|lead| lead.commit);
            prop_assert!(mover.is_none() || lead == mover);
        }
    }

    /// The verdict is that of the candidate that can move soonest, the newest of equals; those
    /// named beside it are newer.
    #[test]
    fn the_lead_is_the_soonest(case in case()) {
        let case = Case { flow: Flow { look_back: 50, ..case.flow }, ..case };
        let whole = case.whole();
        let plan = knowing(&case.flow, &case.seen, &case.all);
        for (edge, decision) in case.flow.edges().zip(&plan.decisions) {
            // What a request is for leads there, as far as it goes: `laws/requests.rs`.
            let Some(lead) = decision.lead.as_ref().filter(|_| edge.target.via == Via::FastForward) else { continue };
            let on_edge = whole.edges.iter().find(|e| e.env == decision.env).expect("seen");
            let mut look = Look::new(&whole, on_edge);
            let soonest = candidates(&edge, on_edge, &whole)
                .into_iter()
                .map(|candidate| {
                    let judged = judge(&edge, candidate, &mut look, Depth::Whole).expect("every fact is given");
                    (judged.iter().map(|j| j.verdict.distance()).max(), candidate.id)
                })
                .min()
                .expect("the lead is one");
            prop_assert_eq!(lead.commit, soonest.1);
            prop_assert_eq!(lead.judged.iter().map(|j| j.verdict.distance()).max(), soonest.0);
            prop_assert_eq!(Some(decision.verdict.distance()), soonest.0);
            prop_assert!(decision.beside.len() <= Decision::BESIDE_MAX);
            prop_assert!(decision.beside.iter().all(|beside| beside.commit < lead.commit));
            prop_assert!(lead.judged.is_sorted_by(|a, b| a.check < b.check));
        }
    }

    /// Somebody's server is asked only about what everything else lets move, or into a request; and what
    /// moves was let pass by it.
    #[test]
    fn what_an_http_gate_is_asked_about_hangs_on_it_alone(case in case()) {
        let answered = answering(&case.flow, &case.seen, &case.all);
        let whole = case.whole();
        let is_http = |check: Check| check == Check::Gate(GateKind::Http);
        for key in &answered.asked.http {
            let edge = case.flow.edge(&key.env).expect("a target");
            let on_edge = whole.edges.iter().find(|e| e.env == key.env).expect("seen");
            let candidate = candidates(&edge, on_edge, &whole).into_iter().find(|w| w.id == key.commit);
            let mut look = Look::new(&whole, on_edge);
            let candidate = candidate.expect("a candidate");
            let judged = judge(&edge, candidate, &mut look, Depth::Whole).expect("every fact is given");
            let opened_later = |check: Check| {
                let later = [Check::Request, Check::Gate(GateKind::Ci), Check::Gate(GateKind::Approvals)];
                let calendar = [Check::Gate(GateKind::Window), Check::Gate(GateKind::Schedule)];
                edge.target.via == Via::MergeRequest && (later.contains(&check) || calendar.contains(&check))
            };
            for item in judged {
                prop_assert!(item.verdict.passes() || is_http(item.check) || opened_later(item.check), "{item:?}");
            }
        }
        for (env, new) in moves(&answered.plan) {
            let edge = case.flow.edge(&env).expect("a target");
            if edge.target.gate(GateKind::Http).is_none() {
                continue;
            }
            let said = case.all.http.get(&EdgeKey { env: env.clone(), commit: new }).and_then(Fact::known);
            let passes = said.is_some_and(|said| said.verdict == HttpVerdict::Pass);
            let overridden = whole.standing.overrides.iter().any(|o| {
                (&o.env, o.commit, o.gate) == (&env, new, GateKind::Http) && whole.now.wall < o.until
            });
            prop_assert!(passes || overridden, "{env} {new}: {said:?}");
        }
    }

    /// Taking facts away never lets a candidate pass that did not; what moves then passed before.
    #[test]
    fn less_evidence_never_moves_more(case in case(), losses in prop::collection::vec(any_loss(), 1..4)) {
        let before = case.whole();
        let mut after = before.clone();
        losses.iter().for_each(|loss| loss.take(&mut after));
        let (had, has) = (passing(&case.flow, &before), passing(&case.flow, &after));
        prop_assert!(has.is_subset(&had), "now pass too: {:?}", has.difference(&had).collect::<Vec<_>>());
        let moves = moves(&plan_of(&case.flow, &after));
        prop_assert!(moves.is_subset(&had));
    }

    /// Giving up on every open question, at any round, is taking facts away too.
    #[test]
    fn giving_up_never_moves_more(case in case(), rounds in 0..4usize, unknown in any_unknown()) {
        let had = passing(&case.flow, &case.whole());
        let mut seen = case.seen.clone();
        for round in 0.. {
            match decide(&case.flow, &seen) {
                Next::Done(plan) => {
                    prop_assert!(moves(&plan).is_subset(&had));
                    break;
                }
                Next::Ask(missing) if round >= rounds => seen.facts.give_up_on(&missing, &unknown),
                Next::Ask(missing) => {
                    let mut all = case.all.clone();
                    all.ci.retain(|key, _| missing.ci.contains(key));
                    all.authors.retain(|key, _| missing.authors.contains(key));
                    all.picks.retain(|key, _| missing.picks.contains(key));
                    all.http.retain(|key, _| missing.http.contains(key));
                    seen.facts.absorb(all);
                }
            }
            prop_assert!(round <= ROUNDS_MAX);
        }
    }

    /// A pause, freeze or hold more never lets anything pass or move that did not.
    #[test]
    fn a_stop_never_moves_anything(
        case in case(),
        pauses in prop::collection::vec(any_pause(), 0..3),
        held in prop::collection::vec((any::<Index>(), 0..12usize, 0..3usize), 0..3),
    ) {
        let case = Case { flow: Flow { look_back: 50, ..case.flow }, ..case };
        let before = case.whole();
        let mut after = before.clone();
        after.standing.pauses.extend(pauses);
        for (edge, from, hold) in held {
            let edge = edge.index(after.edges.len());
            if let Fact::Known(graph) = &mut after.edges[edge].graph {
                // A hold covers a commit and all that are newer.
                let id = after.standing.holds[hold].id.clone();
                graph.waiting.iter_mut().take(from).for_each(|w| w.holds.push(id.clone()));
            }
        }
        let (had, has) = (passing(&case.flow, &before), passing(&case.flow, &after));
        prop_assert!(has.is_subset(&had));
        let (moved, moves) = (moves(&plan_of(&case.flow, &before)), moves(&plan_of(&case.flow, &after)));
        for (env, new) in &moves {
            prop_assert!(had.contains(&(env.clone(), *new)));
            prop_assert!(moved.iter().any(|(moved, _)| moved == env), "{env} did not move before");
        }
    }

    /// The same input gives the same plan, and everything survives being written and read back.
    #[test]
    fn decisions_can_be_saved_and_replayed(case in case()) {
        let whole = case.whole();
        let plan = plan_of(&case.flow, &whole);
        let text = serde_json::to_string(&(&case.flow, &whole, &plan)).expect("it can be written");
        let read: (Flow, Observation, Plan) = serde_json::from_str(&text).expect("it can be read");
        prop_assert_eq!(&read.0, &case.flow);
        prop_assert_eq!(&read.1, &whole);
        prop_assert_eq!(&read.2, &plan);
        prop_assert_eq!(serde_json::to_string(&read).expect("it can be written again"), text);
        prop_assert_eq!(plan_of(&read.0, &read.1), plan);
    }
}

proptest! {
    #![proptest_config(crate::cases::times(24))]

    /// Up to 500 commits wait on each edge, and sixteen rounds are enough. No more candidates are
    /// asked about than may be looked at.
    #[test]
    fn rounds_are_bounded(case in sized(0..=500)) {
        let case = Case { flow: Flow { look_back: 50, ..case.flow }, ..case };
        let answered = answering(&case.flow, &case.seen, &case.all);
        prop_assert!(answered.rounds <= ROUNDS_MAX, "{} rounds", answered.rounds);
        prop_assert_eq!(&answered.plan, &knowing(&case.flow, &case.seen, &case.all));
        prop_assert!(answered.asked.ci.len() <= 50 * case.seen.edges.len());
        prop_assert!(answered.asked.http.len() <= 50 * case.seen.edges.len());
    }
}

/// The gates that need dear facts, all at once.
fn dear_gates() -> Vec<Gate> {
    let named = |name: &str| NamedCheck { name: name.into(), on: CheckRef::Any };
    vec![
        Gate::Ci(CiGate { checks: Checks::Named(vec![named("build"), named("test")]), missing_after: None }),
        Gate::Lag(LagGate { length: mins(30), since: Some("deploy".into()) }),
        Gate::Quiet(mins(10)),
        Gate::Approvals(ApprovalsGate { required: 1, from: Default::default(), authors: AuthorsMay::Refuse }),
        http(),
    ]
}

fn results(green: bool) -> Fact<Vec<CiItem>> {
    let item = |name: &str| CiItem {
        name: name.into(),
        origin: "ci".to_owned(),
        on: None,
        state: if green { CiState::Green } else { CiState::Red },
        green_since: green.then_some(NOW.trusted),
        at: NOW.wall,
        url: None,
    };
    Fact::Known(vec![item("build"), item("test"), item("deploy")])
}

/// `count` waiting commits, of which `green` has green checks and the others red ones.
fn long(count: u32, gates: Vec<Gate>, green: Option<u32>) -> (Flow, Observation, Facts) {
    let flow = flow(vec![environment("develop", Vec::new()), environment("staging", gates)]);
    let mut commits: Vec<_> = (1..=count).map(waiting).collect();
    for commit in &mut commits {
        // Every third is not ripe for a while, each at its own time.
        if number(commit.id).is_multiple_of(3) {
            commit.arrival = Some(arrived(i64::from(number(commit.id) % 29), ArrivalHow::Seen));
        }
    }
    let facts =
        Facts { ci: (1..=count).map(|id| (c(id), results(green == Some(id)))).collect(), ..Facts::default() };
    (flow, observation(vec![edge_seen("staging", commits)]), facts)
}

#[test]
fn no_more_is_asked_than_may_be_looked_at() {
    let lag = Gate::Lag(LagGate { length: mins(30), since: None });
    for gates in [dear_gates(), vec![dear_gates().remove(0), lag.clone()], vec![dear_gates().remove(0)]] {
        for (count, look_back) in [(500, 50), (500, 7), (500, 1), (49, 50), (51, 50), (3, 2)] {
            let (flow, seen, facts) = long(count, gates.clone(), None);
            let flow = Flow { look_back, ..flow };
            let Answered { plan, rounds, asked } = answering(&flow, &seen, &facts);
            let at_most = look_back.min(count) as usize;
            assert!(asked.http.len() <= at_most);
            assert!(rounds <= ROUNDS_MAX, "{count} waiting, look_back {look_back}: {rounds} rounds");
            assert!(
                asked.ci.len() <= at_most,
                "{count} waiting, look_back {look_back}: {} asked, {} looked at",
                asked.ci.len(),
                plan.decisions[0].looked_at
            );
        }
    }
}

/// Were any part of deciding quadratic, this would take minutes and not a moment.
#[test]
fn work_is_linear_in_waiting_commits() {
    let count = 100_000;
    let lag = Gate::Lag(LagGate { length: mins(30), since: None });
    let quiet = Gate::Quiet(mins(10));
    for gates in [dear_gates(), vec![dear_gates().remove(0), lag, quiet.clone()], vec![quiet]] {
        let (flow, seen, facts) = long(count, gates, Some(7));
        let few = Facts { ci: facts.ci.into_iter().filter(|(id, _)| *id <= c(60)).collect(), ..Facts::default() };
        let answered = answering(&flow, &seen, &few);
        let decision = &answered.plan.decisions[0];
        assert!(decision.looked_at <= 50);
        assert_eq!(decision.waiting, count);
    }
}

/// The generator is worth something: every kind of outcome is common enough.
#[test]
fn cases_reach_every_kind_of_decision() {
    let mut runner = TestRunner::deterministic();
    let mut seen: std::collections::BTreeMap<String, u32> = Default::default();
    for _ in 0..1200 {
        let case = case().new_tree(&mut runner).expect("a case").current();
        let answered = answering(&case.flow, &case.seen, &case.all);
        let mut note = |what: String| *seen.entry(what).or_default() += 1;
        if answered.rounds > 2 {
            note("several rounds".to_owned());
        }
        for decision in &answered.plan.decisions {
            note(format!("verdict {}", decision.verdict.word()));
            let judged = decision.lead.iter().flat_map(|lead| &lead.judged);
            for item in judged {
                note(format!("{} {}", item.check.key(), item.verdict.word()));
            }
            let Some(Action::FastForward { promote, overrides, .. }) = &decision.action else { continue };
            note("moves".to_owned());
            if !decision.beside.is_empty() {
                note("moves an older one".to_owned());
            }
            if promote.is_some() {
                note("moves by promote".to_owned());
            }
            if !overrides.is_empty() {
                note("moves by override".to_owned());
            }
        }
        if answered.plan.decisions.iter().any(|d| d.unproven.is_some()) {
            note("unproven".to_owned());
        }
    }
    let mut wanted: Vec<String> = ["pass", "wait", "block"].iter().map(|w| format!("verdict {w}")).collect();
    wanted.extend(["several rounds", "moves", "moves an older one", "moves by promote"].map(str::to_owned));
    wanted.extend(["moves by override", "unproven"].map(str::to_owned));
    let gates = GateKind::ALL.map(GateKind::key);
    for check in ["push", "freeze", "pause", "hold"].into_iter().chain(gates) {
        wanted.push(format!("{check} pass"));
        wanted.push(format!("{check} {}", if check == "hold" { "block" } else { "wait" }));
    }
    for what in wanted {
        assert!(seen.get(&what).is_some_and(|n| *n >= 3), "`{what}` is too rare: {seen:#?}");
    }
}

/// An expired pause is as good as none.
#[test]
fn a_pause_ends_at_its_instant() {
    let (flow, mut seen, facts) = long(1, Vec::new(), Some(1));
    let pause = |minutes_from_now: i64| Pause {
        until: towpath_core::model::Until::At(minutes(minutes_from_now).wall),
        id: "pause-1".into(),
        kind: towpath_core::model::PauseKind::Pause,
        scope: towpath_core::model::Scope::All,
        by: "os:ana@a".into(),
        reason: "r".to_owned(),
        at: minutes(-60).wall,
        cause: None,
        began: None,
    };
    for (end, stands) in [(-1, false), (0, false), (1, true)] {
        seen.standing.pauses = vec![pause(end)];
        assert_eq!(moves(&knowing(&flow, &seen, &facts)).is_empty(), stands, "ends {end} minutes from now");
    }
}

/// A graph without commits, and edges that were not seen at all, decide to nothing.
#[test]
fn nothing_seen_is_nothing_done() {
    let (flow, seen, facts) = long(0, dear_gates(), None);
    let plan = knowing(&flow, &seen, &facts);
    assert_eq!(plan.decisions[0].verdict, Verdict::Pass { why: Reason::UpToDate });
    let blind = Observation { edges: Vec::new(), ..seen.clone() };
    assert!(knowing(&flow, &blind, &facts).decisions.is_empty());
    let mut unreached = seen;
    let lone = towpath_core::model::Waiting { reaches: false, ..waiting(1) };
    unreached.edges[0].graph = Fact::Known(Graph { waiting: vec![lone], ..Graph::default() });
    let decision = knowing(&flow, &unreached, &facts).decisions.remove(0);
    assert_eq!((decision.action, decision.verdict.word()), (None, "wait"));
}
