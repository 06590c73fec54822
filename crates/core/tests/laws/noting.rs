//! What the ledger learns from random movements of branches.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use towpath_core::model::{
    Actor, BranchName, Change, EnvName, Environment, Event, Fact, Flow, FlowName, FormerName, Held, Hold, Instant,
    Ledger, Mode, Now, OrderId, Pause, PauseKind, Scope, Standing, Tip, Trusted, Unknown, UnknownWhy, Until,
};
use towpath_core::see::{Tips, edges, is_rewind, note, reminder_due, wanted};

use crate::history::{Parents, any_history, dag, id, reach};
use crate::kit::{environment, flow, minutes, number};

const ENVS: [&str; 3] = ["develop", "staging", "production"];

/// Where a branch is at a look.
#[derive(Debug, Clone)]
enum Seen {
    Stays,
    At(Index),
    Absent,
    Unknown,
}

/// One look: where the branches are, and how many minutes after the last.
#[derive(Debug, Clone)]
struct Moment {
    tips: Vec<Seen>,
    later: i64,
    /// From now on another branch is configured for this environment.
    renamed: Option<usize>,
}

fn any_moment() -> impl Strategy<Value = Moment> {
    let seen = prop_oneof![
        3 => Just(Seen::Stays),
        6 => any::<Index>().prop_map(Seen::At),
        1 => Just(Seen::Absent),
        1 => Just(Seen::Unknown),
    ];
    let later = prop_oneof![8 => 1..120i64, 1 => 10_000..30_000i64];
    let renamed = prop::option::weighted(0.05, 0..ENVS.len());
    (prop::collection::vec(seen, ENVS.len()), later, renamed).prop_map(|(tips, later, renamed)| Moment {
        tips,
        later,
        renamed,
    })
}

struct Run {
    parents: Parents,
    flow: Flow,
    ledger: Ledger,
    tips: BTreeMap<usize, usize>,
    /// Since when each branch has had each commit without a break, as far as was seen.
    since: BTreeMap<(usize, usize), Trusted>,
    now: Now,
    minute: i64,
}

fn apply(flow: &Flow, ledger: &mut Ledger, changes: &[Change]) {
    let targets: Vec<EnvName> = flow.environments.iter().skip(1).map(|e| e.name.clone()).collect();
    changes.iter().for_each(|change| ledger.apply(&flow.name, &targets, change));
}

impl Run {
    fn new(parents: Parents, observing: [bool; 3]) -> Self {
        let environments = ENVS
            .iter()
            .zip(observing)
            .map(|(name, observing)| Environment {
                mode: if observing { Mode::Observe } else { Mode::Act },
                ..environment(name, Vec::new())
            })
            .collect();
        Self {
            parents,
            flow: flow(environments),
            ledger: Ledger::default(),
            tips: BTreeMap::new(),
            since: BTreeMap::new(),
            now: minutes(0),
            minute: 0,
        }
    }

    fn env(&self, at: usize) -> EnvName {
        self.flow.environments[at].name.clone()
    }

    /// Looks, notes and checks every law.
    fn look(&mut self, moment: &Moment) -> Result<(), TestCaseError> {
        self.minute += moment.later;
        self.now = minutes(self.minute);
        if let Some(at) = moment.renamed {
            let branch = format!("{}-{}", ENVS[at], self.minute);
            self.flow.environments[at].branch = BranchName::new(branch);
            self.since.retain(|(env, _), _| *env != at);
        }
        let before = self.tips.clone();
        let mut tips = Tips::new();
        let mut known = BTreeSet::new();
        for (at, seen) in moment.tips.iter().enumerate() {
            let tip = match seen {
                Seen::At(index) => {
                    let tip = index.index(self.parents.len());
                    self.tips.insert(at, tip);
                    known.insert(at);
                    Tip::At(id(tip))
                }
                Seen::Stays => match self.tips.get(&at) {
                    Some(tip) => {
                        known.insert(at);
                        Tip::At(id(*tip))
                    }
                    None => Tip::Absent,
                },
                Seen::Absent => Tip::Absent,
                Seen::Unknown => Tip::Unknown(Unknown::passing(UnknownWhy::NotAnswered)),
            };
            tips.insert(self.env(at), tip);
        }
        for at in &known {
            let has = reach(&self.parents, self.tips[at]);
            self.since.retain(|(env, commit), _| env != at || has.contains(commit));
            for commit in has {
                self.since.entry((*at, commit)).or_insert(self.now.trusted);
            }
        }
        let dag = dag(&self.parents);
        prop_assert!(wanted(&self.flow, &self.ledger).iter().all(|commit| dag.knows(*commit)));

        let standing = self.ledger.standing.clone();
        let changes = note(&self.flow, &self.ledger, &tips, &dag, self.now);
        apply(&self.flow, &mut self.ledger, &changes);
        prop_assert_eq!(note(&self.flow, &self.ledger, &tips, &dag, self.now), vec![], "noted twice");

        self.stops(&known, &before, &standing, &changes)?;
        for at in &known {
            self.arrivals(*at, &known)?;
            self.held(*at)?;
        }
        self.related(&tips, &known)
    }

    /// Rewinds make one hold each, and one pause where it is acted on; put-backs lift them; nothing else does either.
    fn stops(
        &self,
        known: &BTreeSet<usize>,
        before: &BTreeMap<usize, usize>,
        old: &towpath_core::model::Standing,
        changes: &[Change],
    ) -> Result<(), TestCaseError> {
        let now = &self.ledger.standing;
        for at in known.iter().filter(|at| **at > 0) {
            let env = self.env(*at);
            let has = reach(&self.parents, self.tips[at]);
            // Another branch than at the last look is seen for the first time, also where it was
            // configured while it could not be seen: that is no movement.
            let fresh = changes.iter().any(|change| matches!(change, Change::ForgetBranch(of) if of == &env));
            let rewound = before.get(at).filter(|tip| !fresh && !has.contains(tip)).copied();
            let acts = self.flow.environments[*at].mode == Mode::Act;
            let made: Vec<_> = now
                .holds
                .iter()
                .filter(|h| h.env.as_ref() == Some(&env) && !old.holds.iter().any(|o| o.id == h.id))
                .collect();
            prop_assert_eq!(made.len(), usize::from(rewound.is_some()), "holds made on {}", env);
            if let Some(hold) = made.first() {
                prop_assert!(is_rewind(&hold.id));
                let lost = id(rewound.expect("one was made"));
                prop_assert_eq!(hold.what, Held::Range { lost, kept: id(self.tips[at]) });
                let caused: Vec<_> = now.pauses.iter().filter(|p| p.cause.as_ref() == Some(&hold.id)).collect();
                // What is only observed is held, too, for the day on which it is acted on.
                prop_assert_eq!(caused.len(), usize::from(acts), "pauses made on {}", env);
                for pause in caused {
                    prop_assert_eq!(pause.until, Until::Resumed);
                    prop_assert_eq!(&pause.scope, &Scope::Edge(self.flow.name.clone(), env.clone()));
                }
            }
            let events = |wanted: &dyn Fn(&Event) -> bool| {
                let rows = changes.iter().filter_map(|change| match change {
                    Change::Event(row) if row.env == env => Some(&row.event),
                    _ => None,
                });
                rows.filter(|event| wanted(event)).count()
            };
            prop_assert_eq!(events(&|e| matches!(e, Event::Rewound { .. })), usize::from(rewound.is_some()));
            // What is there again is not held, what is not is; a branch that stayed changes nothing.
            let moved = !fresh && before.get(at) != self.tips.get(at);
            for hold in old.holds.iter().filter(|h| h.env.as_ref() == Some(&env)) {
                let Held::Range { lost, .. } = hold.what else { continue };
                let back = has.contains(&(number(lost) as usize));
                let stands = now.holds.iter().any(|h| h.id == hold.id);
                if moved {
                    prop_assert_eq!(stands, !back, "the hold over {} on {}", number(lost), env);
                } else if !moved {
                    prop_assert!(stands);
                }
            }
        }
        let causes: BTreeSet<_> = now.pauses.iter().map(|p| p.cause.clone()).collect();
        let acted = |hold: &&Hold| {
            let environment = hold.env.as_ref().and_then(|env| self.flow.environment(env));
            environment.is_some_and(|environment| environment.mode == Mode::Act)
        };
        let holds: BTreeSet<_> = now.holds.iter().filter(acted).map(|h| Some(h.id.clone())).collect();
        prop_assert_eq!(&causes, &holds, "each hold has its pause, but where it is only observed");
        prop_assert_eq!(now.pauses.len(), causes.len());
        let ids: BTreeSet<_> = now.holds.iter().map(|h| &h.id).collect();
        prop_assert_eq!(ids.len(), now.holds.len(), "two holds have one id");
        let ids: BTreeSet<_> = now.pauses.iter().map(|p| &p.id).collect();
        prop_assert_eq!(ids.len(), now.pauses.len(), "two pauses have one id");
        Ok(())
    }

    /// Arrivals are of commits on the branch, never earlier than the commit's unbroken stay; every
    /// commit of the chain that the next environment lacks has one.
    fn arrivals(&self, at: usize, known: &BTreeSet<usize>) -> Result<(), TestCaseError> {
        let none = BTreeMap::new();
        let arrivals = self.ledger.arrivals.get(&self.env(at)).unwrap_or(&none);
        let has = reach(&self.parents, self.tips[&at]);
        for (commit, arrival) in arrivals {
            let commit = number(*commit) as usize;
            prop_assert!(has.contains(&commit), "{} has no {commit}, and yet an arrival", ENVS[at]);
            let since = self.since[&(at, commit)];
            prop_assert!(arrival.trusted >= since, "{commit} arrived on {} before it was there", ENVS[at]);
        }
        if at + 1 == ENVS.len() {
            prop_assert!(arrivals.is_empty(), "nobody waits for arrivals on the last environment");
            return Ok(());
        }
        let next = known.contains(&(at + 1)).then(|| reach(&self.parents, self.tips[&(at + 1)]));
        let mut commit = Some(self.tips[&at]);
        while let Some(n) = commit.filter(|n| next.as_ref().is_none_or(|next| !next.contains(n))) {
            prop_assert!(arrivals.contains_key(&id(n)), "{n} waits on {} without an arrival", ENVS[at]);
            commit = self.parents[n].first().copied();
        }
        Ok(())
    }

    /// The tips held: the last is the tip, all others ended, and each is lost that is not there.
    fn held(&self, at: usize) -> Result<(), TestCaseError> {
        let env = self.env(at);
        let has = reach(&self.parents, self.tips[&at]);
        let held = &self.ledger.held[&env];
        let (last, before) = held.split_last().expect("a tip was seen");
        prop_assert_eq!((last.commit, last.until, last.lost), (id(self.tips[&at]), None, false));
        prop_assert!(before.iter().all(|tip| tip.until.is_some()));
        for tip in held {
            prop_assert_eq!(tip.lost, !has.contains(&(number(tip.commit) as usize)), "{} on {}", tip.commit, env);
        }
        let seen = &self.ledger.branches[&env];
        prop_assert_eq!((seen.tip, &seen.branch), (id(self.tips[&at]), &self.flow.environments[at].branch));
        Ok(())
    }

    /// What `edges` tells of source and target, against walking history.
    fn related(&self, tips: &Tips, known: &BTreeSet<usize>) -> Result<(), TestCaseError> {
        let history = Fact::Known(dag(&self.parents));
        for (at, edge) in edges(&self.flow, &self.ledger, tips, &history).iter().enumerate() {
            if !known.contains(&at) || !known.contains(&(at + 1)) {
                continue;
            }
            let (s, t) = (reach(&self.parents, self.tips[&at]), reach(&self.parents, self.tips[&(at + 1)]));
            let Fact::Known(graph) = &edge.graph else {
                prop_assert!(s.is_disjoint(&t), "related, and yet unknown");
                continue;
            };
            let chain: Vec<usize> =
                std::iter::successors(Some(self.tips[&at]), |n| self.parents[*n].first().copied()).collect();
            let promoted = chain.iter().find(|n| t.contains(n)).map(|n| id(*n));
            prop_assert_eq!(graph.promoted, promoted);
            let above: Vec<_> = chain.iter().take_while(|n| !t.contains(n)).map(|n| id(*n)).collect();
            let on_chain: Vec<_> = graph.waiting.iter().filter(|w| w.on_chain).map(|w| w.id).collect();
            prop_assert_eq!(on_chain, above);
            prop_assert_eq!(graph.own_total as usize, t.difference(&s).count());
            prop_assert_eq!(graph.own.len(), graph.own_total as usize);
            let lost: BTreeSet<usize> = self.ledger.held[&self.env(at)]
                .iter()
                .filter(|tip| tip.lost)
                .flat_map(|tip| reach(&self.parents, number(tip.commit) as usize))
                .collect();
            for own in &graph.own {
                prop_assert_eq!(own.lost_by_source, lost.contains(&(number(own.id) as usize)));
            }
            let ids: BTreeSet<_> = graph.waiting.iter().map(|w| w.id).collect();
            prop_assert_eq!(ids.len(), graph.waiting.len(), "a commit waits twice");
            for waiting in &graph.waiting {
                let n = number(waiting.id) as usize;
                prop_assert!(s.contains(&n) && !t.contains(&n));
                prop_assert_eq!(waiting.reaches, reach(&self.parents, n).contains(&self.tips[&(at + 1)]));
                prop_assert!(waiting.on_chain || waiting.was_tip);
                let mine = reach(&self.parents, n);
                for hold in self.ledger.standing.holds.iter().filter(|h| h.env.as_ref() == Some(&edge.env)) {
                    let Held::Range { lost, kept } = hold.what else { continue };
                    let lost = reach(&self.parents, number(lost) as usize);
                    let kept = reach(&self.parents, number(kept) as usize);
                    let covered = lost.difference(&kept).any(|m| mine.contains(m) && !t.contains(m));
                    prop_assert_eq!(waiting.holds.contains(&hold.id), covered, "{} under {}", n, hold.id);
                }
            }
            // A child stands before its parent.
            for (newer, older) in graph.waiting.iter().zip(graph.waiting.iter().skip(1)) {
                let older = reach(&self.parents, number(older.id) as usize);
                prop_assert!(!older.contains(&(number(newer.id) as usize)), "{:?}", ids);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(crate::cases::times(400))]

    #[test]
    fn the_ledger_follows_the_branches(
        parents in any_history(12),
        observing in any::<[bool; 3]>(),
        mostly_act in prop::bool::weighted(0.8),
        moments in prop::collection::vec(any_moment(), 1..12),
    ) {
        let mut run = Run::new(parents, if mostly_act { [false; 3] } else { observing });
        for moment in &moments {
            run.look(moment)?;
        }
    }
}

/// A line of commits 0..8 and the branches at these; returns the run after it.
fn line(moves: &[[usize; 3]]) -> Run {
    let parents: Parents = (0..8usize).map(|n| n.checked_sub(1).into_iter().collect()).collect();
    let mut run = Run::new(parents, [false; 3]);
    for tips in moves {
        let tips: Vec<Seen> = tips.iter().map(|n| Seen::At(index(*n, 8))).collect();
        run.look(&Moment { tips, later: 5, renamed: None }).expect("every law holds");
    }
    run
}

/// The index that picks `n` out of `len`.
fn index(n: usize, len: usize) -> Index {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    loop {
        let index = any::<Index>().new_tree(&mut runner).expect("an index").current();
        if index.index(len) == n {
            return index;
        }
    }
}

#[test]
fn two_environments_rewound_from_one_tip_are_held_each_by_itself() {
    let run = line(&[[7, 5, 5], [7, 2, 2]]);
    assert_eq!(run.ledger.standing.holds.len(), 2);
    assert_eq!(run.ledger.standing.pauses.len(), 2);
    // One put back lifts its own hold only.
    let run = line(&[[7, 5, 5], [7, 2, 2], [7, 5, 2]]);
    let left: Vec<_> = run.ledger.standing.holds.iter().map(|h| h.env.clone()).collect();
    assert_eq!(left, [Some("production".into())]);
    assert_eq!(run.ledger.standing.pauses.len(), 1);
}

#[test]
fn rewinds_one_after_the_other_are_each_lifted_when_their_tip_is_back() {
    assert_eq!(line(&[[7, 7, 6], [7, 7, 4], [7, 7, 2]]).ledger.standing.holds.len(), 2);
    assert_eq!(line(&[[7, 7, 6], [7, 7, 4], [7, 7, 2], [7, 7, 5]]).ledger.standing.holds.len(), 1);
    assert_eq!(line(&[[7, 7, 6], [7, 7, 4], [7, 7, 2], [7, 7, 7]]).ledger.standing.holds.len(), 0);
}

#[test]
fn a_commit_pushed_off_and_on_again_arrives_anew() {
    let run = line(&[[7, 0, 0], [3, 0, 0], [7, 0, 0]]);
    let arrivals = &run.ledger.arrivals[&"develop".into()];
    assert_eq!(arrivals[&id(3)].trusted, minutes(5).trusted);
    assert_eq!(arrivals[&id(4)].trusted, minutes(15).trusted);
}

/// The flow has another name now, one environment too, and one is gone: what was ordered stands on
/// the branch that it was ordered for, or on the whole flow.
#[test]
fn orders_under_a_former_name_are_taken_over() {
    let mut flow = flow(ENVS.iter().map(|name| environment(name, Vec::new())).collect());
    flow.environments[2].name = "live".into();
    let (was, by) = (FlowName::from("old"), Actor::from("os:olga@desk"));
    let hold = |env: &str| Hold {
        id: OrderId::new(format!("hold-{env}")),
        what: Held::Commit(id(1)),
        flow: Some(was.clone()),
        env: Some(env.into()),
        by: by.clone(),
        reason: String::new(),
        at: minutes(0).wall,
        fixed_by: None,
    };
    let pause = |scope: Scope, minute: i64| Pause {
        id: OrderId::new(format!("pause-{minute}")),
        kind: PauseKind::Freeze,
        scope,
        by: by.clone(),
        reason: String::new(),
        at: minutes(0).wall,
        until: Until::At(minutes(minute).wall),
        cause: None,
        began: None,
    };
    let standing = Standing {
        holds: vec![hold("production"), hold("gone"), Hold { flow: None, ..hold("staging") }],
        pauses: vec![
            pause(Scope::Flow(was.clone()), 9),
            pause(Scope::Edge(was.clone(), "staging".into()), 8),
            pause(Scope::Edge(was.clone(), "staging".into()), -1),
            pause(Scope::All, 7),
        ],
        ..Standing::default()
    };
    let branches = [("production", "production"), ("gone", "elsewhere")];
    let branches = branches.map(|(env, branch)| (EnvName::from(env), BranchName::from(branch))).into();
    let mut ledger = Ledger { before: vec![FormerName::of(was, branches, standing)], ..Ledger::default() };
    let targets = ["staging".into(), "live".into()];
    for change in note(&flow, &ledger.clone(), &Tips::new(), &dag(&Vec::new()), minutes(1)) {
        ledger.apply(&flow.name, &targets, &change);
    }
    let holds: Vec<_> = ledger.standing.holds.iter().map(|h| (h.flow.clone(), h.env.clone())).collect();
    let shop = || FlowName::from("shop");
    assert_eq!(holds, [(Some(shop()), Some("live".into())), (Some(shop()), None)]);
    let scopes: Vec<_> = ledger.standing.pauses.iter().map(|p| p.scope.clone()).collect();
    assert_eq!(scopes, [Scope::Flow(shop()), Scope::Edge(shop(), "staging".into())]);
    assert!(ledger.before.is_empty(), "only once");
}

/// What is ended does not come back, so both clocks have to say that it is over.
#[test]
fn a_pause_that_is_over_is_ended_once_and_not_by_a_wall_that_jumps() {
    let flow = flow(ENVS.iter().map(|name| environment(name, Vec::new())).collect());
    let targets = ["staging".into(), "production".into()];
    let pause = |name: &str, scope: Scope, until: Until, began: Option<Trusted>| Pause {
        id: OrderId::new(name),
        kind: PauseKind::Pause,
        scope,
        by: Actor::from("os:olga@desk"),
        reason: "lunch".to_owned(),
        at: minutes(0).wall,
        until,
        cause: None,
        began,
    };
    let (hour, now) = (Until::At(minutes(60).wall), minutes(61));
    let began = Some(minutes(0).trusted);
    let edge = Scope::Edge("shop".into(), "production".into());
    let mut ledger = Ledger::default();
    ledger.standing.pauses = vec![
        pause("all", Scope::All, hour, began),
        pause("edge", edge, hour, began),
        pause("old", Scope::Environment("staging".into()), hour, None),
        pause("later", Scope::All, Until::At(minutes(62).wall), began),
        pause("resumed", Scope::All, Until::Resumed, began),
        pause("jumped", Scope::All, hour, Some(Trusted(now.trusted.0 - 60_000))),
    ];
    let mut said = Vec::new();
    for change in note(&flow, &ledger.clone(), &Tips::new(), &dag(&Vec::new()), now) {
        if let Change::Expire { pause, audit } = &change {
            said.push(format!("{pause}: {} {} {:?}", audit.by, audit.command, audit.concerns.single()));
        }
        ledger.apply(&flow.name, &targets, &change);
    }
    assert_eq!(
        said,
        [
            "all: towpath pause all (expired) None",
            "edge: towpath pause shop production (expired) Some(\"shop\")",
            "old: towpath pause staging (expired) None",
        ]
    );
    let left: Vec<&str> = ledger.standing.pauses.iter().map(|pause| pause.id.as_str()).collect();
    assert_eq!(left, ["later", "resumed", "jumped"]);
}

/// Whoever wakes at the instant that is named tells the reminder then, and neither before nor twice.
#[test]
fn a_reminder_is_told_at_the_instant_that_is_named_for_it() {
    let of_mode = |mode| {
        let named = |name: &&'static str| Environment { mode, ..environment(name, Vec::new()) };
        flow(ENVS.iter().map(named).collect())
    };
    let (acted, observed) = (of_mode(Mode::Act), of_mode(Mode::Observe));
    let targets = ["staging".into(), "production".into()];
    let (second, minute) = (1_000, 60_000);
    let pause = |until: Until| Pause {
        id: OrderId::new("p"),
        kind: PauseKind::Pause,
        scope: Scope::All,
        by: Actor::from("os:olga@desk"),
        reason: "lunch".to_owned(),
        at: minutes(0).wall,
        until,
        cause: None,
        began: Some(minutes(0).trusted),
    };
    let later =
        |ms: i64| Now { wall: Instant(minutes(0).wall.0 + ms), trusted: Trusted(minutes(0).trusted.0 + ms) };
    // How long it is, and how long before its end people are reminded.
    for (length, before) in [
        (2 * minute, 30 * second),
        (3 * minute, 45 * second),
        (20 * minute, 5 * minute),
        (239 * minute, 239 * minute / 4),
        (240 * minute, 60 * minute),
        (24 * 60 * minute, 60 * minute),
    ] {
        let mut ledger = Ledger::default();
        ledger.standing.pauses = vec![pause(Until::At(later(length).wall))];
        let due = reminder_due(&acted, &ledger, later(0));
        assert_eq!(due, Some(later(length - before).wall), "{length}");
        assert_eq!(reminder_due(&observed, &ledger, later(0)), None);
        let told = |ledger: &Ledger, ms: i64| -> Vec<Change> {
            let all = note(&acted, ledger, &Tips::new(), &dag(&Vec::new()), later(ms));
            all.into_iter().filter(|change| matches!(change, Change::Remind { .. })).collect()
        };
        assert_eq!(told(&ledger, length - before - 1), []);
        let now = told(&ledger, length - before);
        assert_eq!(now.len(), 1, "{length}");
        assert_eq!(reminder_due(&acted, &ledger, later(length - before)), None, "it is due");
        ledger.apply(&acted.name, &targets, &now[0]);
        assert_eq!(told(&ledger, length - 1), []);
        assert_eq!(reminder_due(&acted, &ledger, later(0)), None, "it was told");
    }
    let mut ledger = Ledger::default();
    ledger.standing.pauses = vec![pause(Until::Resumed)];
    assert_eq!(reminder_due(&acted, &ledger, later(0)), None);
}
