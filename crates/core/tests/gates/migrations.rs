//! `gates.migrations`: whose code breaks on what is brought, what is waited for, and what blocks.
//!
//! The facts come from a made-up history: which names each commit's migrations make and take away, and
//! which names its code uses. Nothing is read here; the reading has tests of its own.

use std::collections::{BTreeMap, BTreeSet};

use towpath_core::decide::gates::migrations::Asks;
use towpath_core::decide::{self, Next};
use towpath_core::model::{
    BranchSeen, CiItem, CiState, CompatFinding, CompatKey, CompatSaid, EdgeSeen, Environment, Fact, Flow, Gate,
    GateKind, Graph, Ledger, MigrationsGate, Mode, Now, Observation, Override, Plan, Reason, Review, Tip, TipHeld,
    TipHow, Unknown, UnknownWhy, Verdict, Waiting, Who,
};
use towpath_core::see;

use crate::kit::{c, environment, flow, intent, mins, minutes, number, waiting};

/// What a commit is: its migrations, all of them, and the names that its code uses.
#[derive(Debug, Clone, Default)]
struct Made {
    migrations: BTreeSet<&'static str>,
    uses: BTreeSet<&'static str>,
}

/// A repository and its environments, played minute by minute.
#[derive(Debug, Clone)]
struct Play {
    commits: BTreeMap<u32, Made>,
    flow: Flow,
    ledger: Ledger,
    tips: BTreeMap<&'static str, u32>,
    /// What cannot be learned, by the commit that brings.
    unknown: BTreeSet<u32>,
    /// Since which minute the check `deploy` is green.
    deployed: BTreeMap<u32, i64>,
    /// On which branch it ran.
    deployed_on: &'static str,
    minute: i64,
}

fn migrations(review: Review) -> Gate {
    Gate::Migrations(MigrationsGate { review, framework: None, dialect: None, schema: None, paths: Vec::new() })
}

fn on_main(name: &str, gates: Vec<Gate>) -> Environment {
    Environment { database: Some("main".to_owned()), ..environment(name, gates) }
}

impl Play {
    /// develop without a database, staging and production on one; commits are numbered from 1, in order.
    fn new(commits: &[(&[&'static str], &[&'static str])]) -> Self {
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
            minute: -1_000,
        }
        .at(-1_000)
    }

    fn at(mut self, minute: i64) -> Self {
        self.minute = minute;
        self
    }

    /// A branch comes to be at a commit, now.
    fn moves(mut self, env: &'static str, commit: u32) -> Self {
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

    fn edge(&self, source: &str, target: &str) -> EdgeSeen {
        let (from, to) = (self.tips[target], self.tips[source]);
        let waiting: Vec<Waiting> = ((from + 1)..=to).rev().map(waiting).collect();
        EdgeSeen {
            env: target.into(),
            source: Tip::At(c(to)),
            target: Tip::At(c(from)),
            graph: Fact::Known(Graph { promoted: Some(c(from)), waiting, own: Vec::new(), own_total: 0 }),
            in_flight: None,
            last_move: None,
            proposed: None,
        }
    }

    /// What reading the two commits' files would find.
    fn said(&self, key: &CompatKey) -> Fact<CompatSaid> {
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

    fn seen(&self) -> Observation {
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

    fn plan(&self) -> Plan {
        let mut seen = self.seen();
        for _ in 0..16 {
            match decide::decide(&self.flow, &seen) {
                Next::Done(plan) => return plan,
                Next::Ask(missing) => {
                    for commit in missing.ci {
                        let green = self.deployed.get(&number(commit)).filter(|at| **at <= self.minute);
                        let items = green.map(|at| deploy(*at, self.deployed_on)).into_iter().collect();
                        assert!(seen.facts.ci.insert(commit, Fact::Known(items)).is_none(), "asked twice");
                    }
                    for key in missing.compat {
                        let fact = self.said(&key);
                        assert!(seen.facts.compat.insert(key, fact).is_none(), "asked twice");
                    }
                }
            }
        }
        panic!("more than 16 rounds");
    }

    /// Each edge's decision in a line.
    fn told(&self) -> String {
        let plan = self.plan();
        let told = plan.decisions.iter().map(|decision| match (&decision.action, &decision.lead) {
            (Some(_), Some(lead)) => format!("{} <- {}", decision.env, number(lead.commit)),
            (_, None) => format!("{} up to date", decision.env),
            (None, Some(lead)) => format!("{}: {} {}", decision.env, number(lead.commit), brief(&decision.verdict)),
        });
        told.collect::<Vec<_>>().join("; ")
    }
}

fn deploy(minute: i64, on: &str) -> CiItem {
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

fn brief(verdict: &Verdict) -> String {
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
        Reason::MigrationsBreak { env, running, finding, more } => {
            let object = finding.as_ref().map_or("?", |finding| finding.object.as_str());
            format!("{object} breaks {} in {env}, {more} more", number(*running))
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
fn docplanner() -> Play {
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

#[test]
fn a_range_of_add_switch_and_drop_splits_itself() {
    let start = docplanner();
    assert_eq!(start.told(), "staging <- 2; production up to date");
    let play = start.moves("staging", 2);
    let waits =
        "staging: 3 waits on production: nick used by 0 in staging for its end and 0 in production for 2, 0 behind";
    assert_eq!(play.told(), format!("{waits}; production <- 2"));
    // Staging's old code has ended; production has the lag, which is no part of this.
    let play = play.at(20);
    assert_eq!(
        play.told(),
        "staging: 3 waits on production: nick used by 0 in production for 2, 0 behind; production <- 2"
    );
    let play = play.at(30).moves("production", 2);
    assert_eq!(
        play.told(),
        "staging: 3 waits on time until +45m: nick used by 0 in production for its end, 0 behind; production up to date"
    );
    let play = play.at(44);
    assert!(play.told().starts_with("staging: 3 waits on time until +45m"), "{}", play.told());
    let play = play.at(45);
    assert_eq!(play.told(), "staging <- 3; production up to date");
    let play = play.moves("staging", 3).at(75);
    // The database has it already, and it is not judged again.
    assert_eq!(play.told(), "staging up to date; production <- 3");
}

#[test]
fn what_stands_behind_a_contract_waits_and_is_counted() {
    let mut play = docplanner().moves("staging", 2);
    play.commits.insert(4, play.commits[&3].clone());
    play.commits.insert(5, play.commits[&3].clone());
    let play = play.moves("develop", 5);
    let told = play.told();
    assert!(told.starts_with("staging: 5 waits on production: nick used by"), "{told}");
    let told = Play { flow: Flow { look_back: 1, ..play.flow.clone() }, ..play }.told();
    assert!(told.contains("0 behind"), "{told}");
}

#[test]
fn a_drop_that_no_coming_code_makes_harmless_blocks() {
    // The code goes on using it: the drop itself stops nothing from using it.
    let play = Play::new(&[(&["add nick"], &["nick"]), (&["drop nick"], &["nick"])])
        .moves("develop", 0)
        .moves("staging", 0)
        .moves("production", 0)
        .moves("develop", 1)
        .at(0);
    assert_eq!(play.told(), "staging: 1 is blocked: nick breaks 0 in staging, 0 more; production up to date");
    // Switched and dropped in one commit: nothing below it takes the place of what runs.
    let mut one = play.clone();
    one.commits.insert(1, Made { uses: BTreeSet::new(), ..one.commits[&1].clone() });
    assert_eq!(one.told(), "staging: 1 is blocked: nick breaks 0 in staging, 0 more; production up to date");
}

#[test]
fn code_that_lacks_what_the_database_lost_is_not_let_in() {
    // d1 adds and uses a column, d2 stops using it, d3 drops it; staging went through all of them before
    // production had any.
    let play = Play::new(&[(&[], &[]), (&["add token"], &["token"]), (&[], &[]), (&["drop token"], &[])])
        .moves("develop", 0)
        .moves("staging", 0)
        .moves("production", 0)
        .moves("develop", 3)
        .moves("staging", 1)
        .moves("staging", 3)
        .at(0);
    assert_eq!(play.told(), "staging up to date; production <- 3");
    // Held back, the newest cannot go; the one that uses the column must not, the one between may.
    let plan = |held: &[u32]| {
        let mut play = play.clone();
        let allowed = |at: &u32| !held.contains(at);
        let mut edge = play.edge("staging", "production");
        if let Fact::Known(graph) = &mut edge.graph {
            graph.waiting.retain(|one| allowed(&number(one.id)));
        }
        play.tips.insert("staging", 3);
        (play, edge)
    };
    let (play, edge) = plan(&[2, 3]);
    let seen = |edge: EdgeSeen| {
        let tips = play.tips.iter().map(|(env, commit)| ((*env).into(), Tip::At(c(*commit)))).collect();
        Observation {
            now: minutes(0),
            edges: vec![edge],
            standing: Default::default(),
            facts: Default::default(),
            code: see::code(&play.flow, &play.ledger, &tips, minutes(0)),
        }
    };
    let mut seen = seen(edge);
    let plan = loop {
        match decide::decide(&play.flow, &seen) {
            Next::Done(plan) => break plan,
            Next::Ask(missing) => {
                for commit in &missing.ci {
                    let green = play.deployed.get(&number(*commit)).map(|at| deploy(*at, play.deployed_on));
                    seen.facts.ci.insert(*commit, Fact::Known(green.into_iter().collect()));
                }
                seen.facts.compat.extend(missing.compat.into_iter().map(|key| (key.clone(), play.said(&key))));
            }
        }
    };
    assert_eq!(brief(&plan.decisions[0].verdict), "is blocked: 3 has taken token away");
}

#[test]
fn what_breaks_whatever_code_runs_blocks_and_review_is_a_choice() {
    let play = |what: &'static str| {
        Play::new(&[(&["add name"], &["name"]), (Box::leak(Box::new([what])), &["name"])])
            .moves("develop", 0)
            .moves("staging", 0)
            .moves("production", 0)
            .moves("develop", 1)
            .at(0)
    };
    assert!(play("break name").told().starts_with("staging: 1 is blocked: name breaks 0 in staging"));
    assert!(play("review name").told().starts_with("staging: 1 is blocked: name breaks 0 in staging"));
    let mut lax = play("review name");
    for env in &mut lax.flow.environments[1..] {
        env.gates = vec![migrations(Review::Allow)];
    }
    assert_eq!(lax.told(), "staging <- 1; production up to date");
    let mut lax = play("break name");
    for env in &mut lax.flow.environments[1..] {
        env.gates = vec![migrations(Review::Allow)];
    }
    assert!(lax.told().starts_with("staging: 1 is blocked"), "{}", lax.told());
}

#[test]
fn what_cannot_be_judged_waits_and_what_is_older_may_move() {
    let mut play = Play::new(&[(&[], &[]), (&["add a"], &[]), (&["add b"], &[])])
        .moves("develop", 0)
        .moves("staging", 0)
        .moves("production", 0)
        .moves("develop", 2)
        .at(0);
    assert_eq!(play.told(), "staging <- 2; production up to date");
    play.unknown.insert(2);
    assert_eq!(play.told(), "staging <- 1; production up to date");
    play.unknown.insert(1);
    let told = play.told();
    assert!(told.starts_with("staging: 2 waits on towpath: unknown: Migrations"), "{told}");
}

#[test]
fn a_store_that_is_new_waits_for_what_it_did_not_see() {
    let play = Play::new(&[(&["add a"], &[]), (&["drop a"], &[]), (&["add b"], &[])]).at(-5);
    let play = play.moves("develop", 1).moves("staging", 0).moves("production", 0).at(0);
    assert_eq!(
        play.told(),
        "staging: 1 waits on time until +10m: staging was not seen before; production up to date"
    );
    assert_eq!(play.clone().at(10).told(), "staging <- 1; production up to date");
    // What takes nothing away need not wait.
    let play = Play::new(&[(&["add a"], &[]), (&["add b"], &[])]).at(-5);
    let play = play.moves("develop", 1).moves("staging", 0).moves("production", 0).at(0);
    assert_eq!(play.told(), "staging <- 1; production up to date");
}

#[test]
fn environments_without_a_common_database_do_not_wait_for_each_other() {
    let mut play = docplanner();
    play.flow.environments[2].database = None;
    let play = play.moves("staging", 2).at(20);
    assert_eq!(play.told(), "staging <- 3; production <- 2");
}

#[test]
fn the_code_of_an_environment_that_only_watches_counts() {
    let mut play = docplanner();
    play.flow.environments[2].mode = Mode::Observe;
    let play = play.moves("staging", 2).at(20);
    assert!(play.told().starts_with("staging: 3 waits on production"), "{}", play.told());
}

#[test]
fn what_a_rollback_took_off_a_branch_stays_in_the_database() {
    // Staging had the drop and was taken back: the code before it must not come to production now.
    let play = docplanner().moves("staging", 3).moves("staging", 1).at(100);
    let told = play.told();
    assert!(told.contains("production: 1 is blocked: 3 has taken nick away"), "{told}");
}

#[test]
fn a_tip_nobody_can_tell_is_no_proof() {
    let play = docplanner();
    let tips = [("staging".into(), Tip::At(c(0)))].into();
    let code = see::code(&play.flow, &play.ledger, &tips, minutes(0));
    assert_eq!(code[&"staging".into()].unknown, Some("production".into()));
    assert_eq!(code.len(), 2);
    assert_eq!(mins(15), play.flow.environments[1].settle);
}

#[test]
fn many_that_wait_for_the_same_take_few_rounds() {
    // Sixty commits above a drop that production's code and staging's still use.
    let mut play = docplanner().moves("staging", 2);
    for commit in 4..64 {
        play.commits.insert(commit, play.commits[&3].clone());
    }
    let play = play.moves("develop", 63);
    let told = play.told();
    let waits = "0 in staging for its end and 0 in production for 2, 0 behind";
    assert!(told.starts_with(&format!("staging: 63 waits on production: nick used by {waits}")), "{told}");
}

#[test]
fn a_commit_that_is_not_let_in_itself_takes_nobodys_place() {
    // c1 drops what it no longer uses itself: nothing that comes before it stops using the name.
    let play = Play::new(&[(&["add a"], &["a"]), (&["drop a"], &[]), (&[], &[])]);
    let play = play.moves("develop", 0).moves("staging", 0).moves("production", 0).moves("develop", 2).at(0);
    assert_eq!(play.told(), "staging: 2 is blocked: a breaks 0 in staging, 0 more; production up to date");
}

#[test]
fn where_a_check_says_what_is_deployed_that_code_runs_and_not_the_tips() {
    // Production is at c2 for hours, and c0 is what is deployed there.
    let mut play = docplanner();
    play.flow.environments[2].deployed = Some("deploy".into());
    play.deployed = [(0, -500)].into();
    let play = play.at(-400).moves("production", 2).at(-300).moves("staging", 2).at(100);
    let waits = "staging: 3 waits on production: nick used by 0 in production for 2, 0 behind";
    assert_eq!(play.told(), format!("{waits}; production up to date"));
    // Deployed now: c0 may run on for `settle`, and no longer.
    let mut play = play;
    play.deployed.insert(2, 110);
    let told = |at| play.clone().at(at).told();
    assert_eq!(
        told(120),
        "staging: 3 waits on time until +125m: nick used by 0 in production for its end, 0 behind; production up to date"
    );
    assert_eq!(told(125), "staging <- 3; production up to date");
    // Nothing that is known was deployed: no proof.
    play.deployed.clear();
    let unknown = "none of the last 2 tips of `production` has a green check `deploy` on its branch, so it is not known what runs there";
    assert!(play.told().contains(unknown), "{}", play.told());
}

#[test]
fn deployments_are_in_the_order_in_which_they_were_made() {
    let mut play = docplanner();
    play.flow.environments[2].deployed = Some("deploy".into());
    let play = play.at(-400).moves("production", 1).at(-300).moves("production", 2).moves("staging", 2).at(100);
    let told = |deployed: &[(u32, i64)], on, at| {
        let deployed = deployed.iter().copied().collect();
        Play { deployed, deployed_on: on, ..play.clone() }.at(at).told()
    };
    assert_eq!(told(&[(0, -500), (2, -200)], "production", 100), "staging <- 3; production up to date");
    // The job of c0 was run once more.
    let waits =
        "staging: 3 waits on production: nick used by 0 in production for 2, 0 behind; production up to date";
    assert_eq!(told(&[(2, -200), (0, 90)], "production", 100), waits);
    // Three in a short time: the first runs on as long as any.
    let three = told(&[(0, -500), (1, 95), (2, 96)], "production", 100);
    assert!(three.contains("nick used by 0 in production for its end and 1 in production for its end"), "{three}");
    assert!(three.contains("until +111m"), "{three}");
    // The same check on another branch says nothing of production.
    let other = told(&[(0, -500), (2, -200)], "develop", 100);
    assert!(other.contains("has a green check `deploy` on its branch"), "{other}");
}

#[test]
fn what_is_under_way_to_another_environment_runs_and_a_branch_that_is_gone_is_no_proof() {
    let play = docplanner().moves("staging", 2).at(100);
    let mut tips: see::Tips = play.tips.iter().map(|(env, at)| ((*env).into(), Tip::At(c(*at)))).collect();
    let mut ledger = play.ledger.clone();
    ledger.intents.push(intent("production", 1, None));
    let runs = |env: &str, tips: &see::Tips| {
        let code = see::code(&play.flow, &ledger, tips, minutes(100)).remove(&env.into()).expect("a gate");
        let running: Vec<_> = code.running.iter().map(|one| (one.env.to_string(), number(one.commit))).collect();
        (running, code.unknown.map(|env| env.to_string()))
    };
    let on = |env: &str, commit| (env.to_owned(), commit);
    let both = vec![on("staging", 2), on("production", 0), on("production", 1)];
    assert_eq!(runs("staging", &tips), (both, None));
    // What is on its way there itself is what is being judged.
    assert_eq!(runs("production", &tips), (vec![on("staging", 2), on("production", 0)], None));
    tips.insert("production".into(), Tip::Absent);
    assert_eq!(runs("staging", &tips).1, Some("production".to_owned()));
}

/// The order that accepts what stands against a commit in an environment now.
fn accepted(play: &Play, env: &'static str, commit: u32) -> Override {
    let plan = play.plan();
    let edge = play.flow.edge(&env.into()).expect("a target");
    let Some(Gate::Migrations(gate)) = edge.target.gate(GateKind::Migrations) else { panic!("no gate") };
    assert!(plan.decisions.iter().any(|decision| decision.env == edge.target.name));
    let (mut seen, on_edge) = (play.seen(), play.edge(if env == "staging" { "develop" } else { "staging" }, env));
    let accepts = loop {
        let mut look = decide::Look::new(&seen, &on_edge);
        if let Some(found) =
            decide::gates::migrations::stands_against(gate, &edge, c(commit), Asks::Both, &mut look)
        {
            break found;
        }
        let missing = look.missing;
        for commit in &missing.ci {
            let green = play.deployed.get(&number(*commit)).map(|at| deploy(*at, play.deployed_on));
            seen.facts.ci.insert(*commit, Fact::Known(green.into_iter().collect()));
        }
        seen.facts.compat.extend(missing.compat.into_iter().map(|key| (key.clone(), play.said(&key))));
    };
    Override {
        id: "override-1".into(),
        gate: GateKind::Migrations,
        flow: play.flow.name.clone(),
        env: env.into(),
        commit: c(commit),
        by: "os:ana@a".into(),
        reason: "r".to_owned(),
        at: minutes(play.minute).wall,
        until: minutes(play.minute + 1_000).wall,
        request: None,
        accepts: accepts.into_iter().collect(),
    }
}

#[test]
fn an_override_accepts_what_is_deployed_too() {
    let mut play = docplanner();
    play.flow.environments[2].deployed = Some("deploy".into());
    play.deployed = [(0, -500)].into();
    let play = play.at(-400).moves("production", 2).moves("staging", 2).at(100);
    let mut given = play.clone();
    given.ledger.standing.overrides.push(accepted(&play, "staging", 3));
    assert_eq!(given.told(), "staging <- 3; production up to date");
    given.ledger.standing.overrides[0].accepts.clear();
    assert_eq!(given.told(), play.told());
    // Given while nothing was known, it passes nothing that is known by now.
    let mut blind = play.clone();
    blind.deployed.clear();
    let order = accepted(&blind, "staging", 3);
    given.ledger.standing.overrides = vec![order];
    assert_eq!(given.told(), play.told());
}

#[test]
fn an_override_passes_what_was_found_when_it_was_given_and_nothing_else() {
    let play = Play::new(&[(&["add a"], &["a"]), (&[], &["a"]), (&["drop a"], &["a"])]);
    let play = play.moves("develop", 0).moves("staging", 0).moves("production", 0).moves("develop", 2).at(0);
    let blocked = |running| format!("staging: 2 is blocked: a breaks {running} in staging, 0 more");
    let waits = "staging <- 1; production up to date";
    assert_eq!(play.told(), waits, "an older one may go");
    // Its place is taken, and for a while both run.
    let play = play.moves("staging", 1).at(5);
    assert!(play.told().starts_with(&blocked(1)), "{}", play.told());
    let mut given = play.clone();
    given.ledger.standing.overrides.push(accepted(&play, "staging", 2));
    assert!(given.told().starts_with("staging <- 2"), "{}", given.told());
    // It was given for less than is found.
    let mut less = given.clone();
    less.ledger.standing.overrides[0].accepts.pop();
    assert!(less.told().starts_with(&blocked(1)), "{}", less.told());
    // Code that ended since needs no new order; code that came does, and so does another database.
    assert!(given.clone().at(100).told().starts_with("staging <- 2"), "{}", given.told());
    let mut other = given.clone();
    other.tips.insert("production", 1);
    assert!(other.told().starts_with(&blocked(1)), "{}", other.told());
}
