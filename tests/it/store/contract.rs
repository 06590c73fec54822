//! What is loaded equals what `Ledger::apply` of the same changes yields.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};
use towpath::store::{Lease, SqliteStore};
use towpath_core::model::{
    Actor, Approval, Arrival, ArrivalHow, Backoff, Behind, Blocked, BranchName, BranchSeen, Change, CheckName,
    CiState, CommitId, Decision, DecisionRow, EnvName, Event, EventRow, FlowName, GateKind, HandMove, HeadsUpTold,
    Held, Hold, Instant, IntentId, IntentState, Ledger, Message, OrderId, Override, Pause, PauseKind, PolicyDigest,
    Promote, Reason, Report, Scope, Stood, Tip, TipHow, Trusted, Until, Verdict, Wanted, Way, Who, Would,
};

use super::{Place, at, audit, commit, effect, finish, flow, intent};

/// One step, as numbers that `Model` makes sense of.
type Step = (u8, u8, u8, u8);

/// The two flows and their targets. `production` is in both, so a pause of it concerns both.
fn flows() -> [(FlowName, Vec<EnvName>); 2] {
    [(flow("web"), vec!["staging".into(), "production".into()]), (flow("api"), vec!["production".into()])]
}

/// The ledgers by the core's rules, and what is needed to make up sensible changes.
struct Model {
    ledgers: BTreeMap<FlowName, Ledger>,
    made: u32,
    pauses: Vec<OrderId>,
    holds: Vec<OrderId>,
    orders: Vec<OrderId>,
    messages: Vec<String>,
    /// With the flow, so that a batch stays within its own.
    intents: Vec<(FlowName, IntentId)>,
}

impl Model {
    fn new() -> Self {
        let ledgers = flows().into_iter().map(|(name, _)| (name, Ledger::default())).collect();
        let (pauses, holds, orders, messages, intents) = Default::default();
        Self { ledgers, made: 0, pauses, holds, orders, messages, intents }
    }

    fn id(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}-{}", self.made)
    }

    /// Changes of `of`, and whether they concern every flow.
    fn changes(&mut self, of: &FlowName, (kind, a, b, c): Step) -> (Vec<Change>, bool) {
        let env: EnvName = if b % 2 == 0 { "staging".into() } else { "production".into() };
        match kind {
            0..=5 => (vec![observed(kind, env, a, c)], false),
            6..=11 | 35 | 36 => (self.ordered_everywhere(kind, of, env, (a, b, c)), true),
            // Ids are unique over all flows, so what is spent or told may be another flow's.
            12..=16 => (self.ordered_here(kind, of, env, (a, b, c)), kind == 15),
            17..=21 => (self.moved(kind, of, (a, b, c)), false),
            29..=34 | 39 | 40 => (vec![beside(kind, env, (a, b, c))], false),
            _ => (self.told(kind, env, (a, b, c)), kind == 25),
        }
    }

    fn ordered_everywhere(
        &mut self,
        kind: u8,
        of: &FlowName,
        env: EnvName,
        (a, b, c): (u8, u8, u8),
    ) -> Vec<Change> {
        match kind {
            6 | 7 => {
                let id = OrderId::from(self.id("pause").as_str());
                self.pauses.push(id.clone());
                vec![Change::Pause(some_pause(&id, of, env, (a, b, c)))]
            }
            8 => vec![Change::Lift(pick(&self.pauses, a).into_iter().chain(pick(&self.pauses, c)).collect())],
            9 | 10 => {
                let id = OrderId::from(self.id("hold").as_str());
                self.holds.push(id.clone());
                vec![Change::Hold(some_hold(id, of, env, (a, b, c)))]
            }
            35 => {
                let pause = OrderId::from(format!("pause-{}", a % 5).as_str());
                let (id, sink) = (format!("remind-{pause}/chat"), "chat".to_owned());
                let event = Event::Moved { old: commit(b), new: commit(c) };
                let message = Message { id, sink, env, at: at(a.into()).wall, event };
                vec![Change::Remind { pause, flow: of.clone(), message }]
            }
            36 => {
                let Some(pause) = pick(&self.pauses, a) else { return Vec::new() };
                // Said by several at once: the first one counts.
                let id = self.id("expired");
                vec![Change::Expire { pause, audit: super::audit(&id) }]
            }
            _ => {
                let fixed_by = (b > 100).then(|| commit(c));
                pick(&self.holds, a).map(|hold| Change::Unhold { hold, fixed_by }).into_iter().collect()
            }
        }
    }

    fn ordered_here(&mut self, kind: u8, of: &FlowName, env: EnvName, (a, b, c): (u8, u8, u8)) -> Vec<Change> {
        let (id, by) =
            (OrderId::from(self.id("order").as_str()), Actor::from(["os:a@b", "os:c@d"][usize::from(c % 2)]));
        let (flow, at, until, reason) = (of.clone(), Instant(a.into()), Instant(i64::from(b) + 9), "r".to_owned());
        let commit = commit(a % 3);
        match kind {
            12 => {
                self.orders.push(id.clone());
                vec![Change::Promote(Promote { id, flow, env, commit, by, reason, at, until })]
            }
            13 => {
                self.orders.push(id.clone());
                let gate = GateKind::ALL[usize::from(c % 3)];
                vec![Change::Override(Override {
                    id,
                    gate,
                    flow,
                    env,
                    commit,
                    by,
                    reason,
                    at,
                    until,
                    request: None,
                    accepts: (0..b % 3).map(|n| format!("a finding, {n}")).collect(),
                })]
            }
            14 => {
                vec![Change::Approve(Approval {
                    id,
                    flow,
                    env,
                    commit,
                    by,
                    email: (b > 9).then_some(reason),
                    also: (0..c % 3).map(|n| format!("{n}@example.com")).collect(),
                    at,
                })]
            }
            15 if c % 4 == 0 => {
                let order = pick(&self.orders, a).into_iter();
                order.map(|order| Change::OverrideFor { order, request: b.into() }).collect()
            }
            15 => vec![Change::Spend(pick(&self.orders, a).into_iter().chain(pick(&self.orders, b)).collect())],
            _ if b < 60 => vec![Change::ClearBackoff(env)],
            _ => {
                let (old, policy, words) =
                    (super::commit(c), PolicyDigest::from("p"), "denied\n\u{1b}[31m".to_owned());
                vec![Change::Backoff(Backoff {
                    flow,
                    env,
                    words,
                    count: c.into(),
                    until,
                    old,
                    new: commit,
                    policy,
                })]
            }
        }
    }

    fn moved(&mut self, kind: u8, of: &FlowName, (a, b, c): (u8, u8, u8)) -> Vec<Change> {
        let open = self.ledgers[of].intents.clone();
        let row = (!open.is_empty()).then(|| open[usize::from(a) % open.len()].clone());
        match (kind, row) {
            (17 | 18, _) | (_, None) => {
                let mut row = intent(&self.id("intent"), of.as_str(), a, c);
                row.attempt = b.into();
                row.promote = row.promote.filter(|_| b % 2 == 0);
                self.intents.push((of.clone(), row.id.clone()));
                vec![Change::Intent(row)]
            }
            // Landed, late or not.
            (19, Some(row)) => {
                let late = row.state == IntentState::Abandoned;
                vec![effect(&row, c.into(), late), finish(&row, IntentState::Landed)]
            }
            (_, Some(row)) if row.state == IntentState::Abandoned => vec![],
            (20, Some(row)) => vec![finish(&row, IntentState::Abandoned)],
            (_, Some(row)) => {
                vec![finish(&row, [IntentState::Refused, IntentState::Superseded][usize::from(b % 2)])]
            }
        }
    }

    fn told(&mut self, kind: u8, env: EnvName, (a, b, c): (u8, u8, u8)) -> Vec<Change> {
        let (now, event) = (at(a.into()), Event::Moved { old: commit(b), new: commit(c) });
        match kind {
            22 => vec![Change::Event(EventRow { env, at: now, event })],
            23 | 24 => {
                let id = self.id("message");
                self.messages.push(id.clone());
                vec![Change::Tell(Message { id, sink: "chat".to_owned(), env, at: now.wall, event })]
            }
            25 => pick(&self.messages, a).map(|message| Change::Told { message }).into_iter().collect(),
            26 => vec![Change::Decided { env, row: Box::new(some_decision(a, b)) }],
            27 => vec![Change::Audit(audit(&self.id("audit")))],
            37 => {
                let row = HeadsUpTold { newest: commit(b), at: Instant(c.into()), told: now };
                let message = Message {
                    id: self.id("heads-up"),
                    sink: "chat".to_owned(),
                    env: env.clone(),
                    at: now.wall,
                    event,
                };
                vec![Change::HeadsUp { env, row, message }]
            }
            38 => {
                let told = self.ledgers.values().find_map(|ledger| ledger.heads_up.get(&env).copied());
                let row = told.unwrap_or(HeadsUpTold { newest: commit(b), at: Instant(c.into()), told: now });
                let id = self.id("taken-back");
                let message = Message { id, sink: "chat".to_owned(), env: env.clone(), at: now.wall, event };
                vec![Change::TakeBack { env, row, at: now, message }]
            }
            _ => {
                let (name, by) = (CheckName::from("build"), Actor::from("ci"));
                let report =
                    Report { commit: commit(c), name, on: None, state: CiState::Green, url: None, by, at: now };
                vec![Change::Report(report)]
            }
        }
    }

    fn apply(&mut self, of: &FlowName, everywhere: bool, changes: &[Change]) {
        for (name, targets) in flows() {
            let ledger = self.ledgers.entry(name.clone()).or_default();
            for change in changes.iter().filter(|_| everywhere || &name == of) {
                ledger.apply(&name, &targets, change);
            }
        }
    }
}

fn pick<T: Clone>(from: &[T], at: u8) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(at) % from.len()].clone())
}

fn observed(kind: u8, env: EnvName, a: u8, c: u8) -> Change {
    let now = at(i64::from(a) * 1_000);
    let commits = vec![commit(a % 7), commit(c % 7)];
    match kind {
        0 => Change::Looked(now),
        1 => {
            let how = [TipHow::FirstSight, TipHow::Pushed, TipHow::Landed(IntentId::from("x"))];
            let (branch, repository) = (BranchName::from("a/b'; <b>"), "group/web".to_owned());
            let seen = BranchSeen { branch, repository, tip: commit(c % 7), at: now };
            Change::Tip { env, seen, how: how[usize::from(c % 3)].clone() }
        }
        2 if a < 20 => Change::ForgetBranch(env),
        2 | 3 => {
            let how = [ArrivalHow::Landed, ArrivalHow::Seen, ArrivalHow::FirstSight][usize::from(c % 3)];
            let arrival = Arrival { trusted: now.trusted, wall: now.wall, how };
            Change::Arrived { env, commits: commits.into_iter().map(|commit| (commit, arrival)).collect() }
        }
        4 => Change::Left { env, commits },
        _ => Change::Lost { env, commits, lost: c.is_multiple_of(2) },
    }
}

fn beside(kind: u8, env: EnvName, (a, b, c): (u8, u8, u8)) -> Change {
    let (at, old, new) = (at(i64::from(a) * 1_000), commit(b % 3), commit(c % 5));
    match kind {
        29 | 30 => Change::Would { env, old, new, at },
        31 if a < 99 => Change::WouldNot { env, at },
        31 => Change::WouldBeOver { env, at },
        33 => Change::Behind { env, row: Behind { oldest: old, since: at.wall, at } },
        34 => Change::CaughtUp(env),
        39 => {
            let why = Reason::CheckRed { name: "b\u{1b}".into(), on: None, url: Some("\"".to_owned()) };
            let verdict = Verdict::Block { why, who: Who::Pushers("develop".into()) };
            Change::Blocked { env, row: Blocked { since: at, told: (b > 99).then_some(at.trusted), verdict } }
        }
        40 => Change::Unblocked(env),
        _ => {
            let wanted = Wanted { new, since: at.wall };
            let would = Would { same: (a > 99).then_some(at.wall), further: Some(wanted), part: None };
            let (way, stood, after) = (Way::Forward, Stood::NeverTip, (b > 99).then_some(at.wall));
            Change::ByHand(Box::new(HandMove { env, at, after, old, new, way, would, stood }))
        }
    }
}

fn some_pause(id: &OrderId, of: &FlowName, env: EnvName, (a, b, c): (u8, u8, u8)) -> Pause {
    let scope = match a % 4 {
        0 => Scope::All,
        1 => Scope::Flow(of.clone()),
        2 => Scope::Edge(of.clone(), env),
        _ => Scope::Environment(env),
    };
    let until = if b > 99 { Until::Resumed } else { Until::At(Instant(b.into())) };
    let kind = [PauseKind::Pause, PauseKind::Freeze][usize::from(c % 2)];
    let cause = (c > 200).then(|| OrderId::from("cause"));
    Pause { kind, until, cause, began: (c > 99).then(|| Trusted(c.into())), ..super::pause(id.as_str(), scope) }
}

fn some_hold(id: OrderId, of: &FlowName, env: EnvName, (a, b, c): (u8, u8, u8)) -> Hold {
    let what = match a % 2 {
        0 => Held::Commit(commit(b)),
        _ => Held::Range { lost: commit(b), kept: commit(c) },
    };
    Hold {
        id,
        what,
        flow: (b % 3 != 0).then(|| of.clone()),
        env: (c % 3 != 0).then_some(env),
        by: Actor::from("git:x@y"),
        reason: String::new(),
        at: Instant(i64::from(a) - 100),
        fixed_by: (c > 200).then(|| commit(a)),
    }
}

fn some_decision(a: u8, b: u8) -> DecisionRow {
    let decision = Decision {
        env: "production".into(),
        source: Tip::At(commit(a)),
        target: Tip::Absent,
        action: None,
        verdict: Verdict::Pass { why: Reason::UpToDate },
        lead: None,
        beside: vec![],
        unproven: None,
        oldest: None,
        ahead: None,
        next: Some(Instant(b.into())),
        looked_at: a.into(),
        waiting: b.into(),
    };
    DecisionRow { decision, since: Instant(a.into()) }
}

/// An environment without arrivals is as good as none.
fn normal(ledger: &Ledger) -> Ledger {
    let mut ledger = ledger.clone();
    ledger.arrivals.retain(|_, arrivals: &mut BTreeMap<CommitId, Arrival>| !arrivals.is_empty());
    ledger
}

/// Marks an intent as pushing in both, as a tick does between changes.
async fn push(store: &SqliteStore, model: &mut Model, lease: &Lease, pick: u8) {
    let ledger = model.ledgers.get_mut(&lease.flow).unwrap();
    let saved: Vec<_> = ledger.intents.iter_mut().filter(|row| row.state == IntentState::Saved).collect();
    if saved.is_empty() {
        return;
    }
    let count = saved.len();
    let row = saved.into_iter().nth(usize::from(pick) % count).unwrap();
    let begun = store.begin_push(lease, &row.id, Trusted(77), &mut |_, _| Ok(())).await.unwrap();
    assert_eq!(begun, Ok(()));
    row.state = IntentState::Pushing;
    row.deadline = Some(Trusted(77));
}

#[tokio::test]
async fn the_newest_held_tips_are_loaded_in_order() {
    let (place, web, targets) = (Place::new(), flow("web"), ["production".into()]);
    let store = place.open().await;
    let tips: Vec<_> = (0..Ledger::HELD_MAX + 7)
        .map(|n| observed(1, "production".into(), u8::try_from(n % 251).unwrap(), u8::try_from(n % 200).unwrap()))
        .collect();
    let mut model = Ledger::default();
    tips.iter().for_each(|tip| model.apply(&web, &targets, tip));
    store.commit(None, Some(&web), &tips).await.unwrap();
    assert_eq!(store.load(&web, &targets).await.unwrap(), model);
}

/// Batches of steps, each of one flow and one transaction, with a push begun after some.
async fn check(batches: &[(bool, Vec<Step>, Option<u8>)]) -> Result<(), TestCaseError> {
    let place = Place::new();
    let mut store = place.open().await;
    let leases = [super::lease(&store, "web").await, super::lease(&store, "api").await];
    let mut model = Model::new();
    for (at, (which, steps, pushed)) in batches.iter().enumerate() {
        let lease = &leases[usize::from(*which)];
        let mut batch = Vec::new();
        for step in steps {
            let (changes, everywhere) = model.changes(&lease.flow, *step);
            model.apply(&lease.flow, everywhere, &changes);
            batch.extend(changes);
        }
        let receipt = store.commit(Some(lease), Some(&lease.flow), &batch).await.unwrap();
        let pushing = |ledger: &Ledger| ledger.intents.iter().filter(|r| r.state == IntentState::Pushing).count();
        prop_assert_eq!(receipt.pushing.len(), model.ledgers.values().map(pushing).sum::<usize>());
        if let Some(pick) = pushed {
            push(&store, &mut model, lease, *pick).await;
        }
        if at == batches.len() / 2 {
            store.close().await.unwrap();
            store = place.open().await;
        }
    }
    for (name, targets) in flows() {
        let loaded = store.load(&name, &targets).await.unwrap();
        prop_assert_eq!(loaded, normal(&model.ledgers[&name]));
    }
    store.verify().await.unwrap();
    Ok(())
}

#[test]
fn loading_equals_applying_every_change() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let step = (0_u8..41, any::<u8>(), any::<u8>(), any::<u8>());
    let batch = (any::<bool>(), proptest::collection::vec(step, 0..12), any::<Option<u8>>());
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    proptest!(config, |(batches in proptest::collection::vec(batch, 1..12))| {
        runtime.block_on(check(&batches))?;
    });
}
