//! A source and a target over time, and what is told on the way.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::dag::{Dag, Node};
use towpath_core::model::{
    Action, Candidates, Change, CiItem, CiState, EnvName, Environment, Event, Fact, Facts, Flow, Gate, Instant,
    Ledger, Mode, Now, Observation, Plan, Span, Tip, TreeId, Trusted,
};
use towpath_core::see::{Tips, edges, heads_up, heads_up_due, note};

use crate::kit::{c, environment, flow, knowing, minutes, number};

pub const TARGET: &str = "staging";

/// A heads-up as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// In seconds.
    pub when: i64,
    pub newest: u32,
    pub old: u32,
    pub at: i64,
    pub commits: Vec<u32>,
    pub more: u32,
    pub instead_of: Option<u32>,
}

/// A heads-up that was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// In seconds.
    pub when: i64,
    pub newest: u32,
    pub at: i64,
    /// How many had been told by then.
    pub told: usize,
}

/// A source with a target, in seconds from the beginning.
pub struct World {
    pub flow: Flow,
    pub ledger: Ledger,
    pub tips: Tips,
    pub nodes: Vec<Node>,
    /// When CI of a commit turned green; at once where it is not here.
    pub green: BTreeMap<u32, i64>,
    pub clock: i64,
    pub told: Vec<Told>,
    pub backs: Vec<Back>,
    /// When the target was moved to what.
    pub moved: Vec<(i64, u32)>,
    pub plan: Option<Plan>,
}

pub fn secs(at: i64) -> Now {
    let now = minutes(0);
    Now { wall: Instant(now.wall.0 + at * 1_000), trusted: Trusted(now.trusted.0 + at * 1_000) }
}

pub fn back(at: Instant) -> i64 {
    (at.0 - minutes(0).wall.0) / 1_000
}

pub fn commit(n: u32, parents: &[u32]) -> Node {
    Node {
        id: c(n),
        tree: TreeId::from_bytes([u8::try_from(n).expect("small"); 20]),
        parents: parents.iter().map(|n| c(*n)).collect(),
        merged: None,
        author: ["Ana", "Marek"][n as usize % 2].to_owned(),
        email: ["ana@example.com", "marek@example.com"][n as usize % 2].to_owned(),
        co_authors: Vec::new(),
        subject: format!("change {n}"),
    }
}

impl World {
    /// Source and target are at commit 0.
    pub fn new(gates: Vec<Gate>, before: i64) -> Self {
        let target = Environment {
            heads_up: Some(Span::from_secs(before)),
            candidates: Candidates::Commits,
            ..environment(TARGET, gates)
        };
        let mut world = Self {
            flow: flow(vec![environment("develop", Vec::new()), target]),
            ledger: Ledger::default(),
            tips: Tips::new(),
            nodes: vec![commit(0, &[])],
            green: BTreeMap::new(),
            clock: 0,
            told: Vec::new(),
            backs: Vec::new(),
            moved: Vec::new(),
            plan: None,
        };
        world.tips = [("develop", 0), (TARGET, 0)].map(|(env, n)| (env.into(), Tip::At(c(n)))).into();
        world
    }

    pub fn before(&self) -> Span {
        self.flow.environments[1].heads_up.expect("one")
    }

    /// Whether something is to enter within the notice.
    pub fn ahead(&self) -> bool {
        let ahead = self.plan.as_ref().and_then(|plan| plan.decisions[0].ahead.as_ref());
        ahead.is_some_and(|ahead| !ahead.soon.is_empty())
    }

    /// The next commit, on top of the source.
    pub fn push(&mut self) -> u32 {
        let n = u32::try_from(self.nodes.len()).expect("few");
        self.nodes.push(commit(n, &[n - 1]));
        self.tips.insert("develop".into(), Tip::At(c(n)));
        n
    }

    pub fn target(&self) -> u32 {
        self.tips[&EnvName::from(TARGET)].commit().map(number).expect("a tip")
    }

    pub fn dag(&self) -> Dag {
        Dag::new(self.nodes.clone(), BTreeSet::new())
    }

    pub fn apply(&mut self, changes: &[Change]) {
        changes.iter().for_each(|change| self.ledger.apply(&self.flow.name, &[TARGET.into()], change));
    }

    pub fn decide(&mut self) -> Plan {
        let (now, dag) = (secs(self.clock), self.dag());
        let noted = note(&self.flow, &self.ledger, &self.tips, &dag, now);
        self.apply(&noted);
        let green = |n: u32| self.green.get(&n).copied().unwrap_or(-1_000_000);
        let item = |n: u32| CiItem {
            name: "build".into(),
            origin: "ci".to_owned(),
            on: None,
            state: if green(n) <= self.clock { CiState::Green } else { CiState::Running },
            green_since: (green(n) <= self.clock).then(|| secs(green(n)).trusted),
            at: now.wall,
            url: None,
        };
        let ci = self.nodes.iter().map(|node| (node.id, Fact::Known(vec![item(number(node.id))]))).collect();
        let seen = Observation {
            now,
            edges: edges(&self.flow, &self.ledger, &self.tips, &Fact::Known(dag.clone())),
            standing: self.ledger.standing.clone(),
            facts: Facts::default(),
            code: Default::default(),
        };
        let plan = knowing(&self.flow, &seen, &Facts { ci, ..Facts::default() });
        let told = heads_up(&self.flow, &self.ledger, &plan, &dag);
        assert!(told.len() <= 1, "one edge: {told:?}");
        self.apply(&told);
        assert_eq!(heads_up(&self.flow, &self.ledger, &plan, &dag), [], "told again in the same look");
        if let Some(due) = heads_up_due(&self.flow, &self.ledger, &plan) {
            assert!(due > now.wall, "the service would spin");
        }
        for change in &told {
            match change {
                Change::TakeBack { .. } => self.backs.push(self.seen_back(change)),
                told => self.told.push(self.seen_told(told)),
            }
        }
        plan
    }

    fn seen_back(&self, change: &Change) -> Back {
        let Change::TakeBack { env, row, at, message } = change else { panic!("{change:?}") };
        let Event::TakenBack { newest, at: was, .. } = &message.event else { panic!() };
        assert_eq!((env.as_str(), &message.env, *at), (TARGET, env, secs(self.clock)));
        assert_eq!((row.newest, row.at), (*newest, *was));
        let last = self.told.last().expect("it was told");
        assert_eq!((last.newest, last.at), (number(*newest), back(*was)), "{self:?}");
        Back { when: self.clock, newest: number(*newest), at: back(*was), told: self.told.len() }
    }

    pub fn seen_told(&self, change: &Change) -> Told {
        let Change::HeadsUp { env, row, message } = change else { panic!("{change:?}") };
        let Event::HeadsUp { commits, more, newest, old, at, instead_of } = &message.event else { panic!() };
        assert_eq!((env.as_str(), &message.env, message.at), (TARGET, env, secs(self.clock).wall));
        assert_eq!((row.newest, row.at, row.told), (*newest, *at, secs(self.clock)));
        assert!(secs(self.clock).wall < *at && *at <= secs(self.clock).wall + self.before(), "{self:?}");
        Told {
            when: self.clock,
            newest: number(*newest),
            old: number(*old),
            at: back(*at),
            commits: commits.iter().map(|one| number(one.id)).collect(),
            more: *more,
            instead_of: instead_of.map(number),
        }
    }

    /// A pass: note, decide, tell, move, and look again.
    pub fn look(&mut self, at: i64) {
        self.clock = at;
        let mut plan = self.decide();
        let to = plan.decisions[0].action.as_ref().and_then(Action::moves).map(|(_, new)| new);
        if let Some(to) = to.filter(|_| self.flow.environments[1].mode == Mode::Act) {
            self.tips.insert(TARGET.into(), Tip::At(to));
            self.moved.push((at, number(to)));
            plan = self.decide();
        }
        self.plan = Some(plan);
    }

    /// When the service looks again by itself.
    pub fn wake(&self) -> Option<i64> {
        let plan = self.plan.as_ref()?;
        let due = heads_up_due(&self.flow, &self.ledger, plan);
        // An instant within a second is met at its end.
        due.into_iter().chain(plan.decisions[0].next).min().map(|at| back(Instant(at.0 + 999)))
    }

    /// Looks whenever the service would, up to `end`, and at the pushes.
    pub fn serve(&mut self, pushes: &[i64], end: i64) {
        let mut pushes = pushes.to_vec();
        pushes.sort_unstable();
        self.look(0);
        loop {
            let push = pushes.first().copied();
            let Some(at) = self.wake().into_iter().chain(push).min().filter(|at| *at <= end) else { break };
            if push == Some(at) {
                pushes.remove(0);
                self.push();
            }
            self.look(at);
        }
    }

    /// In few words: `600: 2 1 at 1200`, with what was moved.
    pub fn story(&self) -> String {
        let mut lines: Vec<(i64, String)> = Vec::new();
        for told in &self.told {
            let instead = told.instead_of.map(|n| format!(" instead of {n}")).unwrap_or_default();
            let more = if told.more > 0 { format!(" +{}", told.more) } else { String::new() };
            let commits: Vec<String> = told.commits.iter().map(ToString::to_string).collect();
            lines.push((told.when, format!("{}..{}{more} at {}{instead}", told.old, commits.join(" "), told.at)));
        }
        lines.extend(self.backs.iter().map(|back| (back.when, format!("{} is taken back", back.newest))));
        lines.extend(self.moved.iter().map(|(at, to)| (*at, format!("moved to {to}"))));
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(at, line)| format!("{at}: {line}")).collect::<Vec<_>>().join("; ")
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {}: {}", self.clock, self.story())
    }
}
