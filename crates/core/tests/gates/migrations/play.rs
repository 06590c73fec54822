//! A made-up repository, its environments and their database, played minute by minute.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::decide::{self, Next};
use towpath_core::model::{
    BranchSeen, Check, CiItem, CiState, CompatFinding, CompatKey, CompatSaid, EdgeSeen, Environment, Fact, Facts,
    Flow, Gate, GateKind, Graph, Held, Hold, Ledger, MigrationsGate, Missing, Now, Observation, Own, Plan, Reason,
    Review, Tip, TipHeld, TipHow, Unknown, UnknownWhy, Verdict, Waiting, Who,
};
use towpath_core::see;

use crate::divergence::own;
use crate::kit::{c, environment, flow, minutes, number, waiting};

/// What a commit is: its migrations, all of them, and the names that its code uses.
#[derive(Debug, Clone, Default)]
pub(super) struct Made {
    pub(super) migrations: BTreeSet<&'static str>,
    pub(super) uses: BTreeSet<&'static str>,
}

/// A repository and its environments, played minute by minute.
#[derive(Debug, Clone)]
pub(super) struct Play {
    pub(super) commits: BTreeMap<u32, Made>,
    pub(super) flow: Flow,
    pub(super) ledger: Ledger,
    pub(super) tips: BTreeMap<&'static str, u32>,
    /// What cannot be learned, by the commit that brings.
    pub(super) unknown: BTreeSet<u32>,
    /// Since which minute the check `deploy` is green.
    pub(super) deployed: BTreeMap<u32, i64>,
    /// On which branch it ran.
    pub(super) deployed_on: &'static str,
    /// Commits that a hold covers.
    pub(super) holds: BTreeSet<u32>,
    /// Commits that no CI ran for, as they were never a branch's tip.
    pub(super) untested: BTreeSet<u32>,
    /// Commits whose check `test` is red; it is green for all others.
    pub(super) red: BTreeSet<u32>,
    pub(super) minute: i64,
}

pub(super) fn migrations(review: Review) -> Gate {
    Gate::Migrations(MigrationsGate { review, framework: None, dialect: None, schema: None, paths: Vec::new() })
}

pub(super) fn on_main(name: &str, gates: Vec<Gate>) -> Environment {
    Environment { database: Some("main".to_owned()), ..environment(name, gates) }
}

impl Play {
    /// develop without a database, staging and production on one; commits are numbered from 1, in order.
    pub(super) fn new(commits: &[(&[&'static str], &[&'static str])]) -> Self {
        let mut all = BTreeSet::new();
        let commits = (0..).zip(commits).map(|(at, (brings, uses))| {
            all.extend(brings.iter().copied());
            (at, Made { migrations: all.clone(), uses: uses.iter().copied().collect() })
        });
        let commits = commits.collect();
        let gates = || vec![migrations(Review::Block)];
        let environments =
            vec![environment("develop", vec![]), on_main("staging", gates()), on_main("production", gates())];
        Self {
            commits,
            flow: flow(environments),
            ledger: Ledger::default(),
            tips: BTreeMap::new(),
            unknown: BTreeSet::new(),
            deployed: BTreeMap::new(),
            deployed_on: "production",
            holds: BTreeSet::new(),
            untested: BTreeSet::new(),
            red: BTreeSet::new(),
            minute: -1_000,
        }
        .at(-1_000)
    }

    pub(super) fn at(mut self, minute: i64) -> Self {
        self.minute = minute;
        self
    }

    /// A branch comes to be at a commit, now.
    pub(super) fn moves(mut self, env: &'static str, commit: u32) -> Self {
        let how = if self.tips.contains_key(env) { TipHow::Pushed } else { TipHow::FirstSight };
        let at = minutes(self.minute);
        let held = self.ledger.held.entry(env.into()).or_default();
        if let Some(last) = held.last_mut() {
            last.until = Some(at);
            // Commits lie on one line: what is above the tip now is lost.
            held.iter_mut().for_each(|tip| tip.lost = number(tip.commit) > commit);
        }
        held.push(TipHeld { commit: c(commit), from: at, until: None, lost: false, how });
        let branch = BranchSeen { branch: env.into(), repository: String::new(), tip: c(commit), at };
        self.ledger.branches.insert(env.into(), branch);
        self.tips.insert(env, commit);
        self
    }

    /// Somebody holds a commit.
    pub(super) fn hold(&mut self, commit: u32) {
        self.holds.insert(commit);
        self.ledger.standing.holds.push(Hold {
            id: "h".into(),
            what: Held::Commit(c(commit)),
            flow: None,
            env: None,
            by: "ana".into(),
            reason: "not yet".to_owned(),
            at: minutes(self.minute).wall,
            fixed_by: None,
        });
    }

    pub(super) fn edge(&self, source: &str, target: &str) -> EdgeSeen {
        let (from, to) = (self.tips[target], self.tips[source]);
        let mut waiting: Vec<Waiting> = ((from + 1)..=to).rev().map(waiting).collect();
        for one in waiting.iter_mut().filter(|one| self.holds.contains(&number(one.id))) {
            one.holds.push("h".into());
        }
        for one in waiting.iter_mut().filter(|one| self.untested.contains(&number(one.id))) {
            one.was_tip = false;
        }
        // One line: what the target has beyond the source.
        let own: Vec<Own> = ((to + 1)..=from).rev().map(own).collect();
        let own_total = u32::try_from(own.len()).expect("few");
        EdgeSeen {
            env: target.into(),
            source: Tip::At(c(to)),
            target: Tip::At(c(from)),
            graph: Fact::Known(Graph { promoted: Some(c(from.min(to))), waiting, own, own_total }),
            in_flight: None,
            last_move: None,
            proposed: None,
        }
    }

    /// What reading the two commits' files would find.
    pub(super) fn said(&self, key: &CompatKey) -> Fact<CompatSaid> {
        if self.unknown.contains(&number(key.brings)) {
            let why = UnknownWhy::Migrations { words: "it was killed".to_owned() };
            return Fact::Unknown(Unknown::passing(why));
        }
        let made = |commit| &self.commits[&number(commit)];
        let had: BTreeSet<_> = key.has.iter().flat_map(|commit| made(*commit).migrations.iter().copied()).collect();
        // What every commit has that the database took its migrations from, and this one has not.
        let missing = |migration: &&'static str| {
            key.has.iter().all(|had| made(*had).migrations.contains(migration))
                && !made(key.brings).migrations.contains(migration)
        };
        let gone: Vec<_> = had.iter().copied().filter(|migration| missing(migration)).collect();
        let brought: Vec<_> = made(key.brings).migrations.difference(&had).copied().collect();
        let mut said = CompatSaid { migrations: brought.len() as u32, ..CompatSaid::default() };
        for migration in brought {
            let (verb, object) = migration.split_once(' ').expect("a verb and an object");
            let used = made(key.running).uses.contains(object);
            let finding = |breaks, by_use| CompatFinding {
                breaks,
                by_use,
                history: false,
                rule: verb.to_owned(),
                object: object.to_owned(),
                path: format!("migrations/{object}.sql"),
                line: 1,
                message: migration.to_owned(),
                used_at: by_use.then(|| "app.rb:1".to_owned()),
            };
            match verb {
                "drop" if used => said.findings.push(finding(true, true)),
                "drop" => said.unused += 1,
                "break" => said.findings.push(finding(true, false)),
                "review" => said.findings.push(finding(false, false)),
                "add" => {}
                other => panic!("{other}?"),
            }
        }
        for migration in gone {
            said.findings.push(CompatFinding {
                breaks: false,
                by_use: false,
                history: true,
                rule: "deleted-migration".to_owned(),
                object: String::new(),
                path: format!("migrations/{migration}.sql"),
                line: 1,
                message: "is gone, and databases have it".to_owned(),
                used_at: None,
            });
        }
        Fact::Known(said)
    }

    pub(super) fn seen(&self) -> Observation {
        let now: Now = minutes(self.minute);
        let tips = self.tips.iter().map(|(env, commit)| ((*env).into(), Tip::At(c(*commit)))).collect();
        Observation {
            now,
            edges: vec![self.edge("develop", "staging"), self.edge("staging", "production")],
            standing: self.ledger.standing.clone(),
            facts: Default::default(),
            code: see::code(&self.flow, &self.ledger, &tips, now),
        }
    }

    pub(super) fn plan(&self) -> Plan {
        let mut seen = self.seen();
        for _ in 0..16 {
            match decide::decide(&self.flow, &seen) {
                Next::Done(plan) => return plan,
                Next::Ask(missing) => self.answer(missing, &mut seen.facts),
            }
        }
        panic!("more than 16 rounds");
    }

    /// Answers what is missing, nothing twice.
    pub(super) fn answer(&self, missing: Missing, facts: &mut Facts) {
        for commit in missing.ci {
            let green = self.deployed.get(&number(commit)).filter(|at| **at <= self.minute);
            let mut items: Vec<CiItem> = green.map(|at| deploy(*at, self.deployed_on)).into_iter().collect();
            let state = if self.red.contains(&number(commit)) { CiState::Red } else { CiState::Green };
            if !self.untested.contains(&number(commit)) {
                items.push(CiItem { name: "test".into(), state, on: None, ..deploy(self.minute, "develop") });
            }
            assert!(facts.ci.insert(commit, Fact::Known(items)).is_none(), "asked twice");
        }
        facts.picks.extend(missing.picks.into_iter().map(|key| (key, Fact::Known(None))));
        for key in missing.compat {
            let fact = self.said(&key);
            assert!(facts.compat.insert(key, fact).is_none(), "asked twice");
        }
    }

    /// Each edge's decision in a line.
    pub(super) fn told(&self) -> String {
        let plan = self.plan();
        let told = plan.decisions.iter().map(|decision| match (&decision.action, &decision.lead) {
            (Some(_), Some(lead)) => format!("{} <- {}", decision.env, number(lead.commit)),
            (_, None) => format!("{} up to date", decision.env),
            (None, Some(lead)) => format!("{}: {} {}", decision.env, number(lead.commit), brief(&decision.verdict)),
        });
        told.collect::<Vec<_>>().join("; ")
    }

    /// What the gate says of one commit, also where another moves.
    pub(super) fn of(&self, env: &str, commit: u32) -> String {
        let plan = self.plan();
        let decision = plan.decisions.iter().find(|decision| decision.env.as_str() == env).expect("an edge");
        let mut all = decision.lead.iter().chain(&decision.beside);
        let one = all.find(|one| one.commit == c(commit)).expect("it was looked at");
        let gate = one.judged.iter().find(|one| one.check == Check::Gate(GateKind::Migrations)).expect("the gate");
        format!("{commit} {}", brief(&gate.verdict))
    }
}

pub(super) fn deploy(minute: i64, on: &str) -> CiItem {
    CiItem {
        name: "deploy".into(),
        origin: "report".to_owned(),
        on: Some(on.into()),
        state: CiState::Green,
        green_since: Some(minutes(minute).trusted),
        at: minutes(minute).wall,
        url: None,
    }
}

pub(super) fn brief(verdict: &Verdict) -> String {
    let why = match verdict.why() {
        Reason::MigrationsWait { finding, still, behind } => {
            let still: Vec<_> = still
                .iter()
                .map(|one| {
                    let by = one.by.map_or_else(|| "its end".to_owned(), |by| number(by).to_string());
                    format!("{} in {} for {by}", number(one.commit), one.env)
                })
                .collect();
            format!("{} used by {}, {behind} behind", finding.object, still.join(" and "))
        }
        Reason::MigrationsBreak { env, running, finding, more, kept_out, .. } => {
            let object = finding.as_ref().map_or("?", |finding| finding.object.as_str());
            let kept_out = kept_out.as_ref().map(|out| format!(", {} is kept out", number(out.commit)));
            format!("{object} breaks {} in {env}, {more} more{}", number(*running), kept_out.unwrap_or_default())
        }
        Reason::MigrationsLacked { had, finding, .. } => {
            let object = finding.as_ref().map_or("?", |finding| finding.object.as_str());
            format!("{} has taken {object} away", number(*had))
        }
        Reason::MigrationsUnseen { env } => format!("{env} was not seen before"),
        Reason::Unknown(unknown) => format!("unknown: {:?}", unknown.why),
        other => format!("{other:?}"),
    };
    match verdict {
        Verdict::Pass { .. } => format!("passes: {why}"),
        Verdict::Wait { on, until, .. } => {
            let on = match on {
                Who::Time => "time".to_owned(),
                Who::Towpath => "towpath".to_owned(),
                Who::Environment(env) => env.to_string(),
                other => format!("{other:?}"),
            };
            let until = until.map(|until| format!(" until +{}m", (until.0 - minutes(0).wall.0) / 60_000));
            format!("waits on {on}{}: {why}", until.unwrap_or_default())
        }
        Verdict::Block { .. } => format!("is blocked: {why}"),
    }
}

/// c0 uses `nick`; c1 adds `name`, c2 switches the code, c3 drops `nick`.
pub(super) fn docplanner() -> Play {
    Play::new(&[
        (&["add nick"], &["nick"]),
        (&["add name"], &["nick"]),
        (&[], &["name"]),
        (&["drop nick"], &["name"]),
    ])
    .moves("develop", 0)
    .moves("staging", 0)
    .moves("production", 0)
    .moves("develop", 3)
    .at(0)
}
