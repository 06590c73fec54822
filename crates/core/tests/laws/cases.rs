//! Generated flows, observations and facts: 3-4 environments, 0-12 waiting commits an edge, several
//! checks, references, pauses, holds and orders, gates in any combination.

use proptest::collection::{btree_set, vec};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use towpath_core::calendar::{Schedule, Windows};
use towpath_core::model::{
    Actor, Approval, ApprovalsGate, Arrival, ArrivalHow, AuthorLogins, AuthorsMay, Backoff, BranchName, Candidates,
    CheckName, CheckRef, Checks, CiGate, CiItem, CiState, ClosedRequest, EdgeKey, EdgeSeen, EnvName, Environment,
    Fact, Facts, Flow, Gate, GateKind, Given, Graph, Held, Hold, HttpVerdict, Instant, LagGate, NamedCheck,
    Observation, OpenRequest, OrderId, Override, Own, Pause, PauseKind, Promote, Proposed, RequestApproval,
    Requests, RequiredCheck, RequiredChecks, Scope, Standing, Tip, Trusted, Unknown, UnknownWhy, Until, Via,
    Waiting, Ways,
};

use crate::compat;
use crate::kit::{NOW, ZONE, arrived, c, environment, flow, http, intent, mins, minutes, said, waiting};

pub const ENVS: [&str; 4] = ["develop", "staging", "preprod", "production"];
const CHECKS: [&str; 3] = ["build", "test", "deploy"];
const PEOPLE: [&str; 4] = ["os:ana@a", "os:ben@b", "os:eva@e", "os:jan@j"];
const EMAILS: [&str; 3] = ["ana@example.com", "ben@example.com", "eva@example.com"];
/// More commits than wait on any edge, so that orders name strangers too.
const COMMITS: u32 = 14;

/// A flow, what is seen of it without dear facts, and the answer to every question it can ask.
#[derive(Debug, Clone)]
pub struct Case {
    pub flow: Flow,
    pub seen: Observation,
    pub all: Facts,
}

impl Case {
    /// Seen with every fact given.
    pub fn whole(&self) -> Observation {
        Observation { facts: self.all.clone(), ..self.seen.clone() }
    }
}

/// Any case.
pub fn case() -> impl Strategy<Value = Case> {
    sized(0..=12)
}

/// A case whose every edge has a number of waiting commits out of `many`.
pub fn sized(many: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Case> {
    (3..=4usize).prop_flat_map(move |count| {
        let many = many.clone();
        let environments: Vec<_> = (0..count).map(any_environment).collect();
        let edges: Vec<_> = (1..count).map(|at| any_edge(at, many.clone())).collect();
        let facts = any_facts(count, u32::try_from(*many.end()).unwrap_or(u32::MAX).max(COMMITS));
        let look_back = prop_oneof![1 => 1..4u32, 4 => Just(50u32)];
        // Of hundreds of commits not every question about two of them is answered beforehand.
        let compat =
            (any::<u64>(), weighted(0.5, any::<u8>()).prop_map(move |one| one.filter(|_| *many.end() <= 12)));
        (environments, edges, any_standing(count), facts, look_back, compat).prop_map(
            |(environments, edges, standing, mut all, look_back, (seed, gated))| {
                let mut flow = Flow { look_back, ..flow(environments) };
                let code = gated.map(|_| compat::give(&mut flow, &edges, &mut all, seed)).unwrap_or_default();
                Case { flow, seen: Observation { now: NOW, edges, standing, facts: Facts::default(), code }, all }
            },
        )
    })
}

fn rarely(percent: u32) -> impl Strategy<Value = bool> {
    prop::bool::weighted(f64::from(percent) / 100.0)
}

fn any_environment(at: usize) -> impl Strategy<Value = Environment> {
    let candidates = select(&[Candidates::Tips, Candidates::Commits][..]);
    let heads_up = weighted(0.5, (1..60i64).prop_map(mins));
    let parts = (any_gates(), candidates, rarely(10), heads_up);
    parts.prop_map(move |(gates, candidates, by_request, heads_up)| Environment {
        heads_up,
        gates: if at == 0 { Vec::new() } else { gates },
        candidates,
        via: if by_request { Via::MergeRequest } else { Via::FastForward },
        ..environment(ENVS[at], Vec::new())
    })
}

fn any_check() -> impl Strategy<Value = NamedCheck> {
    let on = select(&[CheckRef::Any, CheckRef::Source][..]);
    (select(&CHECKS[..]), on).prop_map(|(name, on)| NamedCheck { name: name.into(), on })
}

fn any_gates() -> impl Strategy<Value = Vec<Gate>> {
    let checks = prop_oneof![
        6 => vec(any_check(), 1..4).prop_map(Checks::Named),
        2 => Just(Checks::All),
        1 => Just(Checks::Required),
    ];
    let missing_after = weighted(0.4, (1..90i64).prop_map(mins));
    let ci = (checks, missing_after).prop_map(|(checks, missing_after)| Gate::Ci(CiGate { checks, missing_after }));
    let since = weighted(0.4, select(&CHECKS[..]).prop_map(CheckName::from));
    let lag = ((0..40i64).prop_map(mins), since).prop_map(|(length, since)| Gate::Lag(LagGate { length, since }));
    let quiet = (0..20i64).prop_map(|length| Gate::Quiet(mins(length)));
    let window = select(&[("Mon-Fri 09:00-16:00", None), ("Mon-Fri 12:00-16:00", None), ("", Some("Tue"))][..])
        .prop_map(|(allow, deny)| Gate::Window(windows(&[allow], deny)));
    let schedule = select(&["0 10 * * *", "55 9 * * *", "30 9,13 * * *"][..])
        .prop_map(|cron| Gate::Schedule(Schedule::parse(cron, Some(mins(20)), ZONE).expect("a cron")));
    let approvals =
        (0..3u32, subsequence(&PEOPLE[..], 0..4), prop::bool::ANY).prop_map(|(required, from, refuse)| {
            Gate::Approvals(ApprovalsGate {
                required,
                from: from.into_iter().map(str::to_owned).collect(),
                authors: if refuse { AuthorsMay::Refuse } else { AuthorsMay::Allow },
            })
        });
    (
        weighted(0.6, ci),
        weighted(0.4, lag),
        weighted(0.25, quiet),
        weighted(0.25, window),
        weighted(0.2, schedule),
        weighted(0.3, approvals),
        weighted(0.25, Just(http())),
    )
        .prop_map(|(a, b, c, d, e, f, g)| [a, b, c, d, e, f, g].into_iter().flatten().collect())
}

pub fn windows(allow: &[&str], deny: Option<&str>) -> Windows {
    let texts = |texts: &[&str]| texts.iter().filter(|t| !t.is_empty()).map(|t| (*t).to_owned()).collect();
    let allow: Vec<String> = texts(allow);
    let deny: Vec<String> = deny.map(str::to_owned).into_iter().collect();
    Windows::parse(&allow, &deny, ZONE).expect("a window")
}

pub fn any_arrival() -> impl Strategy<Value = Arrival> {
    let how = select(&[ArrivalHow::Landed, ArrivalHow::Seen, ArrivalHow::FirstSight][..]);
    (0..90i64, how).prop_map(|(ago, how)| arrived(ago, how))
}

fn any_waiting() -> impl Strategy<Value = Waiting> {
    let flags = (rarely(75), rarely(85), rarely(85));
    let holds = (rarely(15), subsequence(vec!["hold-0", "hold-1", "hold-2"], 1..3));
    (flags, weighted(0.95, any_arrival()), holds).prop_map(
        |((was_tip, on_chain, reaches), arrival, (held, holds))| {
            let holds = if held { holds } else { Vec::new() };
            let holds = holds.into_iter().map(OrderId::from).collect();
            Waiting { was_tip, on_chain, reaches, arrival, holds, ..waiting(0) }
        },
    )
}

pub fn any_unknown() -> impl Strategy<Value = Unknown> {
    prop::bool::ANY.prop_map(|passes| {
        let why = UnknownWhy::Unreachable { words: "no route".to_owned() };
        if passes { Unknown::passing(why) } else { Unknown::lasting(why) }
    })
}

fn any_tip(at: u32) -> impl Strategy<Value = Tip> {
    prop_oneof![40 => Just(Tip::At(c(at))), 1 => Just(Tip::Absent), 1 => any_unknown().prop_map(Tip::Unknown)]
}

fn any_own() -> impl Strategy<Value = Own> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let earlier = weighted(0.4, Just(("develop".into(), c(1))));
    (800..810u32, 1..3u32, flags, weighted(0.3, Just(c(2))), earlier).prop_map(
        |(id, parents, (promotion_merge, empty_merge, lost_by_source, held), same_tree, earlier)| Own {
            id: c(id),
            author: "Ben".to_owned(),
            subject: "hotfix".to_owned(),
            parents,
            promotion_merge,
            empty_merge,
            same_tree,
            lost_by_source,
            earlier,
            held,
        },
    )
}

fn any_edge(at: usize, many: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = EdgeSeen> {
    let own = prop_oneof![8 => Just(Vec::new()), 1 => vec(any_own(), 1..4)];
    let graph =
        (vec(any_waiting(), many), own, weighted(0.03, any_unknown())).prop_map(|(mut waiting, own, unknown)| {
            for (id, commit) in (1..).zip(waiting.iter_mut()) {
                commit.id = c(id);
            }
            let own_total = u32::try_from(own.len()).unwrap_or(u32::MAX);
            let graph = Graph { promoted: Some(c(900)), waiting, own, own_total };
            unknown.map_or(Fact::Known(graph), Fact::Unknown)
        });
    let in_flight = weighted(0.05, (1..COMMITS, weighted(0.5, -5..5i64)));
    let last_move = weighted(0.5, -60..0i64);
    (any_tip(1), any_tip(900), graph, in_flight, last_move, any_proposed()).prop_map(
        move |(source, target, graph, in_flight, last_move, proposed)| EdgeSeen {
            env: ENVS[at].into(),
            source,
            target,
            graph,
            in_flight: in_flight.map(|(new, deadline)| intent(ENVS[at], new, deadline)),
            last_move: last_move.map(|at| minutes(at).wall),
            proposed,
        },
    )
}

/// What was put onto a request branch: mostly what the requests of [`any_requests`] are for.
fn any_proposed() -> impl Strategy<Value = Option<Proposed>> {
    let row = (1..4u32, weighted(0.3, (1..4u32).prop_map(c)), weighted(0.8, -60..0i64), weighted(0.2, 1..3u64));
    let row = row.prop_map(|(head, before, confirmed, passed_over)| Proposed {
        pushed: None,
        asked: None,
        head: c(head),
        before,
        at: minutes(-90),
        confirmed: confirmed.map(minutes),
        passed_over,
        announced: None,
        until: None,
    });
    weighted(0.85, row)
}

fn any_requests() -> impl Strategy<Value = Requests> {
    let given = prop_oneof![
        4 => (1..4u32).prop_map(|head| Given::For(c(head))),
        2 => (-90..0i64).prop_map(|at| Given::At(minutes(at).trusted)),
        1 => Just(Given::Unbound),
    ];
    let approval =
        (select(&PEOPLE[..]), weighted(0.5, select(&EMAILS[..])), given).prop_map(|(by, email, given)| {
            RequestApproval { by: by.into(), email: email.map(str::to_owned), given, person: None }
        });
    let open = (1..4u32, vec(approval, 0..3), rarely(10)).prop_map(|(head, approvals, objects)| OpenRequest {
        number: 7,
        url: "https://forge.example/7".to_owned(),
        head: c(head),
        approvals,
        draft: false,
        objections: if objects { vec![PEOPLE[0].into()] } else { Vec::new() },
    });
    let closed = (1..3u64, 1..4u32).prop_map(|(number, head)| ClosedRequest {
        number,
        url: String::new(),
        head: c(head),
        by: None,
    });
    (weighted(0.8, open), weighted(0.2, closed), rarely(85), rarely(80), (any::<bool>(), rarely(90), any::<bool>()))
        .prop_map(|(open, closed, follows, there, (fast_forward, merge_commit, push))| {
            let at = open.as_ref().filter(|_| follows).map_or(c(2), |open| open.head);
            let branch = if there { Tip::At(at) } else { Tip::Absent };
            Requests { branch, open, closed, ways: Ways { fast_forward, merge_commit, push } }
        })
}

pub fn any_pause() -> impl Strategy<Value = Pause> {
    let kind = select(&[PauseKind::Pause, PauseKind::Freeze][..]);
    let env = select(&ENVS[1..]);
    let scope = prop_oneof![
        1 => Just(Scope::All),
        1 => select(&["shop", "other"][..]).prop_map(|flow| Scope::Flow(flow.into())),
        3 => env.clone().prop_map(|env| Scope::Edge("shop".into(), env.into())),
        2 => env.prop_map(|env| Scope::Environment(env.into())),
    ];
    let until =
        prop_oneof![4 => (-30..60i64).prop_map(|at| Until::At(minutes(at).wall)), 1 => Just(Until::Resumed)];
    (0..100u32, kind, scope, select(&PEOPLE[..]), until).prop_map(|(id, kind, scope, by, until)| Pause {
        id: OrderId::new(format!("pause-{id}")),
        kind,
        scope,
        by: by.into(),
        reason: "because".to_owned(),
        at: minutes(-40).wall,
        until,
        cause: None,
        began: None,
    })
}

fn hold(id: usize, env: Option<&str>) -> Hold {
    Hold {
        id: OrderId::new(format!("hold-{id}")),
        what: Held::Commit(c(3)),
        flow: Some("shop".into()),
        env: env.map(Into::into),
        by: PEOPLE[0].into(),
        reason: "bad".to_owned(),
        at: minutes(-10).wall,
        fixed_by: None,
    }
}

fn any_until() -> impl Strategy<Value = Instant> {
    (-10..50i64).prop_map(|at| minutes(at).wall)
}

fn any_standing(count: usize) -> impl Strategy<Value = Standing> {
    let env = move || select(&ENVS[1..count]);
    let who = || select(&PEOPLE[..]);
    let commit = || (1..8u32).prop_map(c);
    let pauses = prop_oneof![3 => Just(Vec::new()), 2 => vec(any_pause(), 1..4)];
    let promote =
        (0..100u32, env(), commit(), who(), any_until()).prop_map(|(id, env, commit, by, until)| Promote {
            id: OrderId::new(format!("promote-{id}")),
            flow: "shop".into(),
            env: env.into(),
            commit,
            by: by.into(),
            reason: "now".to_owned(),
            at: minutes(-10).wall,
            until,
        });
    let gate = select(&GateKind::ALL[..]);
    let order =
        (0..100u32, gate, env(), commit(), who(), any_until()).prop_map(|(id, gate, env, commit, by, until)| {
            Override {
                id: OrderId::new(format!("override-{id}")),
                gate,
                flow: "shop".into(),
                env: env.into(),
                commit,
                by: by.into(),
                reason: "flaky".to_owned(),
                at: minutes(-10).wall,
                until,
                request: None,
                accepts: Vec::new(),
            }
        });
    let email = weighted(0.7, select(&EMAILS[..]).prop_map(str::to_owned));
    let approval = (0..100u32, env(), commit(), who(), email).prop_map(|(id, env, commit, by, email)| Approval {
        id: OrderId::new(format!("approve-{id}")),
        flow: "shop".into(),
        env: env.into(),
        commit,
        by: by.into(),
        email,
        also: [].into(),
        at: minutes(-3).wall,
    });
    let backoff = (env(), commit(), select(&["p1", "p0"][..]), select(&[900u32, 899][..]), any_until()).prop_map(
        |(env, new, policy, old, until)| Backoff {
            flow: "shop".into(),
            env: env.into(),
            words: "protected".to_owned(),
            count: 1,
            until,
            old: c(old),
            new,
            policy: policy.into(),
        },
    );
    let hold_envs = (weighted(0.7, env()), weighted(0.7, env()), weighted(0.7, env()));
    (pauses, hold_envs, vec(promote, 0..3), vec(order, 0..5), vec(approval, 0..16), vec(backoff, 0..3)).prop_map(
        |(pauses, (a, b, c), promotes, overrides, approvals, backoffs)| Standing {
            pauses,
            holds: [a, b, c].into_iter().enumerate().map(|(id, env)| hold(id, env)).collect(),
            promotes,
            overrides,
            approvals,
            backoffs,
        },
    )
}

fn any_item() -> impl Strategy<Value = CiItem> {
    let on = prop_oneof![
        2 => Just(None),
        6 => select(&["develop", "staging", "preprod", "feature", "towpath/shop/production"][..])
            .prop_map(|on| Some(BranchName::from(on))),
    ];
    let state = prop_oneof![6 => Just(CiState::Green), 1 => Just(CiState::Running), 1 => Just(CiState::Red)];
    (select(&CHECKS[..]), on, state, 0..90i64).prop_map(|(name, on, state, ago)| CiItem {
        name: name.into(),
        origin: "ci".to_owned(),
        on,
        state,
        green_since: (state == CiState::Green).then(|| Trusted(NOW.trusted.0 - ago * 60_000)),
        at: minutes(-ago).wall,
        url: None,
    })
}

fn any_fact<T: std::fmt::Debug + Clone>(known: impl Strategy<Value = T>) -> impl Strategy<Value = Fact<T>> {
    prop_oneof![12 => known.prop_map(Fact::Known), 1 => any_unknown().prop_map(Fact::Unknown)]
}

/// Facts for commits `1..commits` and every key that an observation of `count` environments asks.
fn any_facts(count: usize, commits: u32) -> impl Strategy<Value = Facts> {
    let many = commits as usize;
    let ci = vec(any_fact(vec(any_item(), 0..7)), many);
    let emails = || btree_set(select(&EMAILS[..]).prop_map(str::to_owned), 0..3);
    let authors = vec(any_fact(emails()), many * (count - 1));
    let picks = vec(any_fact(weighted(0.5, (1..COMMITS).prop_map(c))), 10 * (count - 1));
    let logins = (btree_set(select(&PEOPLE[..]).prop_map(Actor::from), 0..3), any::<bool>())
        .prop_map(|(logins, unlinked)| AuthorLogins { logins, unlinked, strangers: Vec::new() });
    let logins = vec(any_fact(logins), many * (count - 1));
    let requests = vec(any_fact(any_requests()), count - 1);
    let names = select(&["build", "te*", "deploy", "other"][..]).prop_map(str::to_owned);
    let by = weighted(0.2, select(&["ci", "ci", "ci", "c"][..]).prop_map(str::to_owned));
    let rules = btree_set((names, by).prop_map(|(name, by)| RequiredCheck { name, by }), 0..3);
    let required = prop_oneof![4 => rules.prop_map(RequiredChecks::Named), 1 => Just(RequiredChecks::All)];
    let required = vec(any_fact(required), count - 1);
    let until = weighted(0.5, (-30..60i64).prop_map(|at| minutes(at).wall));
    let verdict = prop_oneof![
        8 => Just(HttpVerdict::Pass),
        2 => until.prop_map(|until| HttpVerdict::Wait { until }),
        1 => Just(HttpVerdict::Block),
    ];
    let http = vec(any_fact(verdict.prop_map(said)), many * (count - 1));
    (ci, authors, picks, logins, requests, required, http).prop_map(
        move |(ci, authors, picks, logins, requests, required, http)| {
            let envs = || ENVS[1..count].iter().map(|env| EnvName::from(*env));
            let keys = |ids: std::ops::RangeInclusive<u32>| {
                let ids: Vec<u32> = ids.collect();
                ENVS[1..count].iter().flat_map(move |env| {
                    ids.clone().into_iter().map(move |id| EdgeKey { env: (*env).into(), commit: c(id) })
                })
            };
            Facts {
                ci: (1..=commits).map(c).zip(ci).collect(),
                authors: keys(1..=commits).zip(authors).collect(),
                picks: keys(800..=809).zip(picks).collect(),
                logins: keys(1..=commits).zip(logins).collect(),
                requests: envs().zip(requests).collect(),
                required: envs().zip(required).collect(),
                teams: Default::default(),
                http: keys(1..=commits).zip(http).collect(),
                compat: Default::default(),
            }
        },
    )
}

/// That many cases; `TOWPATH_TEST_FACTOR` times as many where it is set.
pub fn times(cases: u32) -> ProptestConfig {
    let factor = std::env::var("TOWPATH_TEST_FACTOR").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    ProptestConfig { cases: cases * factor, failure_persistence: None, ..ProptestConfig::default() }
}
