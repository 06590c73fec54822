//! `gates.migrations`: whose code breaks on what is brought, what is waited for, and what blocks.
//!
//! The facts come from a made-up history: which names each commit's migrations make and take away, and
//! which names its code uses. Nothing is read here; the reading has tests of its own.

use std::collections::BTreeSet;

use towpath_core::decide::gates::migrations::{Asks, stands_against};
use towpath_core::decide::{self, Look, Next};
use towpath_core::model::{
    Candidates, CheckRef, Checks, CiGate, EdgeSeen, Fact, Flow, Gate, GateKind, Mode, NamedCheck, Observation,
    Override, Review, Tip,
};
use towpath_core::see;

use crate::kit::{c, intent, mins, minutes, number};

mod play;

use play::{Made, Play, brief, deploy, docplanner, migrations};

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
fn what_an_environment_has_already_takes_nobodys_place_there() {
    // 1 does not use the name and 2 does; production was moved ahead to 2 by hand, and staging is at 0.
    let play = Play::new(&[(&["add nick"], &[]), (&[], &[]), (&[], &["nick"]), (&["drop nick"], &[])])
        .moves("develop", 3)
        .moves("staging", 0)
        .moves("production", 2)
        .at(0);
    let told = play.told();
    assert!(told.starts_with("staging <- 2;"), "{told}");
    assert_eq!(play.of("staging", 3), "3 is blocked: nick breaks 2 in production, 0 more");
    // One above what it has does.
    let mut with = play.clone();
    with.commits.insert(4, with.commits[&3].clone());
    with.commits.insert(3, Made { migrations: with.commits[&2].migrations.clone(), uses: BTreeSet::new() });
    let with = with.moves("develop", 4);
    assert_eq!(with.of("staging", 4), "4 waits on production: nick used by 2 in production for 3, 0 behind");
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

fn ci(name: &str) -> Gate {
    let check = NamedCheck { name: name.into(), on: CheckRef::Any };
    Gate::Ci(CiGate { checks: Checks::Named(vec![check]), missing_after: None })
}

#[test]
fn what_is_kept_out_by_something_else_takes_nobodys_place_and_is_named() {
    let mut play = docplanner();
    play.flow.environments[1].gates.insert(0, ci("test"));
    assert_eq!(play.told(), "staging <- 2; production up to date");
    // The commit that switches the code is red: the one that drops waits for nobody.
    play.red.insert(2);
    let kept = "nick breaks 0 in staging, 0 more, 2 is kept out";
    assert!(
        play.plan().decisions[0].beside.is_empty() || play.told().starts_with("staging <- 1"),
        "{}",
        play.told()
    );
    let play = play.moves("staging", 1).at(100);
    let kept = kept.replace("breaks 0", "breaks 1");
    assert_eq!(play.told(), format!("staging: 3 is blocked: {kept}; production <- 1"));
    // Another that does not use the name may come in its place.
    let mut mended = play.clone();
    let made = mended.commits[&2].clone();
    let drops = mended.commits.insert(3, made).expect("the drop");
    mended.commits.insert(4, drops);
    let mended = mended.moves("develop", 4);
    assert!(mended.told().starts_with("staging <- 3"), "{}", mended.told());
    // Held, it is the same.
    let mut held = docplanner();
    held.hold(2);
    let told = held.told();
    assert!(told.starts_with("staging <- 1"), "{told}");
    let held = held.moves("staging", 1).at(100);
    assert_eq!(held.told(), format!("staging: 3 is blocked: {kept}; production <- 1"));
}

#[test]
fn what_the_database_keeps_out_takes_nobodys_place_either() {
    let start: &[&'static str] = &["add nick", "add old"];
    let mut play = Play::new(&[(start, &["nick"]), (&["drop old"], &["nick"]), (&[], &[]), (&[], &[])])
        .moves("develop", 0)
        .moves("staging", 0)
        .moves("production", 0);
    // c2 and c3 were made beside c1, which staging had for a while: `old` is gone.
    let made = |more: &[&'static str], uses: &[&'static str]| Made {
        migrations: start.iter().chain(more).copied().collect(),
        uses: uses.iter().copied().collect(),
    };
    play.commits.insert(2, made(&[], &["old"]));
    play.commits.insert(3, made(&["drop nick"], &[]));
    let play = play.at(-900).moves("staging", 1).at(-800).moves("staging", 0).at(-700).moves("develop", 3).at(0);
    let told = play.told();
    assert_eq!(told, "staging <- 1; production up to date", "it is in the database already");
    let mut held = play.clone();
    held.hold(1);
    let kept = "staging: 3 is blocked: nick breaks 0 in staging, 0 more, 2 is kept out; production up to date";
    assert_eq!(held.told(), kept);
}

#[test]
fn what_is_waited_for_and_has_no_ci_is_shown_to_whoever_can_give_it_some() {
    let mut play = docplanner();
    play.flow.environments[1].gates.insert(0, ci("test"));
    play.flow.environments[1].candidates = Candidates::Commits;
    // Pushed at once: CI ran for the tip alone.
    play.untested = [1, 2].into();
    let told = play.told();
    assert!(told.starts_with("staging: 3 is blocked: nick breaks 0 in staging, 0 more, 2 is kept out"), "{told}");
    let decision = play.plan().decisions.remove(0);
    assert_eq!(decision.unproven.map(|one| number(one.commit)), Some(2));
    play.untested.clear();
    assert_eq!(play.told(), "staging <- 2; production up to date");
}

#[test]
fn what_a_newer_one_waits_for_is_looked_at_however_far_down_it_is() {
    let mut play = docplanner();
    for commit in 4..64 {
        play.commits.insert(commit, play.commits[&3].clone());
    }
    let mut play = play.moves("develop", 63);
    for look_back in [1, 2, 50, 100] {
        play.flow.look_back = look_back;
        assert!(play.told().starts_with("staging <- 2"), "{look_back}: {}", play.told());
    }
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
    accepted_as(play, env, commit, Asks::Both)
}

/// The order that somebody gives who was shown what stands against a commit.
fn accepted_as(play: &Play, env: &'static str, commit: u32, asks: Asks) -> Override {
    let edge = play.flow.edge(&env.into()).expect("a target");
    let Some(Gate::Migrations(gate)) = edge.target.gate(GateKind::Migrations) else { panic!("no gate") };
    let (mut seen, on_edge) = (play.seen(), play.edge(if env == "staging" { "develop" } else { "staging" }, env));
    let accepts = loop {
        let mut look = decide::Look::new(&seen, &on_edge);
        if let Some(found) = stands_against(gate, &edge, c(commit), asks, &mut look) {
            break found;
        }
        let missing = look.missing;
        play.answer(missing, &mut seen.facts);
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
        accepts: accepts.into_iter().map(|(one, _)| one).collect::<BTreeSet<_>>().into_iter().collect(),
    }
}

/// What is said to somebody who wants to put production back.
fn back(play: &Play, to: u32) -> Result<Option<String>, String> {
    let mut seen = play.seen();
    let edge = play.flow.edges().last().expect("an edge");
    loop {
        let on_edge = seen.edges[1].clone();
        let mut look = Look::new(&seen, &on_edge);
        let judged = decide::judge_back(&edge, c(to), &mut look);
        let missing = look.missing;
        match judged {
            Some(judged) => {
                return judged.map(|order| order.map(|id| id.to_string())).map_err(|verdict| brief(&verdict));
            }
            None => play.answer(missing, &mut seen.facts),
        }
    }
}

#[test]
fn going_back_is_judged_by_what_the_database_has_and_may_get_at_any_moment() {
    let play = docplanner().moves("staging", 2).at(20).moves("production", 2).at(100);
    assert_eq!(back(&play, 0), Ok(None));
    // The drop is on its way to the other environment.
    let mut coming = play.clone();
    coming.ledger.intents.push(intent("staging", 3, None));
    let taken = "is blocked: 3 has taken nick away".to_owned();
    assert_eq!(back(&coming, 0), Err(taken.clone()));
    // It is there.
    let there = play.clone().moves("staging", 3).at(120);
    assert_eq!(back(&there, 0), Err(taken.clone()));
    // An override passes what it was given for, and that is told; for another it is nothing.
    let mut given = there.clone();
    given.ledger.standing.overrides.push(accepted_as(&there, "production", 0, Asks::Back));
    assert_eq!(back(&given, 0), Ok(Some("override-1".to_owned())));
    assert_eq!(back(&given, 1), Err(taken.clone()));
    given.ledger.standing.overrides[0].accepts.clear();
    assert_eq!(back(&given, 0), Err(taken));
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
