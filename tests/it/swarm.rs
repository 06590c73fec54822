//! The simulation campaign of CI, and the planted bugs that prove it can find something.

use std::collections::BTreeMap;

use towpath::engine::run::CRASH_POINTS;

use crate::sim::swarm::About;
use crate::sim::{KILLED, Plant, swarm};

const STEPS: u64 = 1_500;

/// Seeds in which a planted bug has to show: the rarest, a head that moves just while it is merged, takes hundreds.
const FOUND_WITHIN: u64 = 2_000;

/// `TOWPATH_SEED=7 cargo nextest run --test it replay` runs that seed twice and prints what it found; with
/// `TOWPATH_TRACE=1` once, with everything that happens; `TOWPATH_SEED=1000..2000` runs many.
#[test]
fn replay() {
    let Ok(text) = std::env::var("TOWPATH_SEED") else { return };
    let number = |text: &str| text.parse::<u64>().expect("a seed is a number");
    let about = match std::env::var("TOWPATH_ABOUT").as_deref() {
        Ok("databases") => About::Databases,
        Ok("races") => About::Races,
        _ => About::Moves,
    };
    let run = |seed| swarm::run_about(about, seed, STEPS, None);
    if let Some((from, to)) = text.split_once("..") {
        let found: Vec<(u64, Vec<String>)> =
            (number(from)..number(to)).map(|seed| (seed, run(seed).violations)).collect();
        let bad: Vec<_> = found.into_iter().filter(|(_, violations)| !violations.is_empty()).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        return;
    }
    let first = run(number(&text));
    if std::env::var_os("TOWPATH_TRACE").is_none() {
        assert_eq!(first.hash, run(number(&text)).hash, "a seed replays bit-equal");
    }
    assert_eq!(first.violations, Vec::<String>::new());
}

/// What may go wrong with a request, beyond what may with a push.
const OF_REQUESTS: [&str; 17] = [
    "not told",
    "told late",
    "opening not sent",
    "opening refused",
    "opened and not answered",
    "described and not answered",
    "head not read",
    "head not sent",
    "head refused",
    "head not answered",
    "merge not sent",
    "merge refused",
    "merge delayed",
    "merge not answered",
    "closing not sent",
    "closing refused",
    "closed and not answered",
];

/// Everything that is to strike struck often enough in each half, or the swarm tests nothing: about as often as was
/// seen.
fn struck(counts: &BTreeMap<&'static str, u64>) {
    let least = |name: &str, times: u64| {
        let count = counts.get(name).copied().unwrap_or(0);
        assert!(count >= times, "{name}: only {count} times");
    };
    for what in counts.keys().filter(|what| what.starts_with("fault")) {
        least(what, if *what == "fault: crash in mid command" { 20 } else { 300 });
    }
    for what in OF_REQUESTS {
        // Only where a forge takes no push for a merge is something closed.
        least(&format!("request fault: {what}"), if what.starts_with("clos") { 3 } else { 15 });
    }
    assert_eq!(KILLED.map(|(name, ..)| name), CRASH_POINTS);
    for (name, before, after) in KILLED {
        if name == "Close" {
            // Some two hundred of them: it dies at one now and then. `crash::requests` dies at each.
            let died = |name: &str| counts.get(name).copied().unwrap_or(0);
            assert!(died(before) + died(after) >= 1, "nobody died at a close");
            continue;
        }
        least(before, 20);
        least(after, 20);
    }
    least("effect: close", 200);
    least("effect: propose", 2_000);
    least("effect: merge", 900);
    least("request fault: pushed while it is merged", 1);
    for what in counts.keys().filter(|what| what.starts_with("person")) {
        least(what, 15);
    }
}

fn campaign(seeds: std::ops::Range<u64>) {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut calls, mut moved, total) = (0, 0, seeds.end - seeds.start);
    for seed in seeds {
        let outcome = swarm::run(seed, STEPS, None);
        assert!(
            outcome.violations.is_empty(),
            "seed {seed}: {:#?}\nreplay: TOWPATH_SEED={seed} cargo nextest run --test it replay --no-capture",
            outcome.violations
        );
        calls += outcome.calls;
        moved += u64::from(outcome.moved);
        for (what, count) in outcome.counts {
            *counts.entry(what).or_default() += count;
        }
    }
    println!("seeds {total}, of which {moved} moved a commit; {calls} effects and faults");
    for (what, count) in &counts {
        println!("{count:>9}  {what}");
    }
    assert!(moved * 2 >= total, "most seeds move something, or the swarm tests nothing");
    struck(&counts);
    assert!(calls >= 1_000_000, "only {calls} effects and faults");
}

#[test]
fn campaign_first_half() {
    campaign(0..400);
}

#[test]
fn campaign_second_half() {
    campaign(400..820);
}

/// Two environments on one database, and people who add, use, leave and drop names.
#[test]
fn campaign_of_databases() {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut moved, total) = (0, 200);
    for seed in 0..total {
        let outcome = swarm::run_about(About::Databases, seed, STEPS, None);
        assert!(
            outcome.violations.is_empty(),
            "seed {seed}: {:#?}\nreplay: TOWPATH_ABOUT=databases TOWPATH_SEED={seed} cargo nextest run --test it replay \
             --no-capture",
            outcome.violations
        );
        moved += u64::from(outcome.moved);
        for (what, count) in outcome.counts {
            *counts.entry(what).or_default() += count;
        }
    }
    println!("seeds {total}, of which {moved} moved a commit: {counts:#?}");
    assert!(moved * 4 >= total * 3, "most seeds move something, or the swarm tests nothing");
    for (what, least) in
        [("person: answers for migrations", 50), ("person: rollback", 50), ("fault: stale read", 200)]
    {
        assert!(counts.get(what).is_some_and(|count| *count >= least), "{what}: {:?}", counts.get(what));
    }
}

#[test]
fn code_of_another_environment_that_nobody_looks_at_is_found() {
    finds_about(About::Databases, Plant::JudgeOnlyItsOwnCode, "I12");
}

#[test]
fn what_the_database_lost_and_nobody_looks_at_is_found() {
    finds_about(About::Databases, Plant::ForgetWhatTheDatabaseLost, "I12");
}

#[test]
fn a_seed_replays_bit_equal() {
    for seed in 0..20 {
        assert_eq!(swarm::run(seed, STEPS, None).hash, swarm::run(seed, STEPS, None).hash, "seed {seed}");
    }
}

fn finds(plant: Plant, invariant: &str) {
    finds_about(About::Moves, plant, invariant);
}

fn finds_about(about: About, plant: Plant, invariant: &str) {
    let found = (0..FOUND_WITHIN).find_map(|seed| {
        let violations = swarm::run_about(about, seed, STEPS, Some(plant)).violations;
        violations.iter().any(|v| v.contains(invariant)).then_some((seed, violations))
    });
    let (seed, violations) = found.unwrap_or_else(|| panic!("{plant:?} was not found in {FOUND_WITHIN} seeds"));
    println!("{plant:?} found at seed {seed}: {violations:?}");
}

#[test]
fn a_dropped_lease_is_found() {
    finds(Plant::DropTheLease, "I1");
}

#[test]
fn a_skipped_reread_is_found() {
    finds(Plant::SkipTheReread, "I2");
}

#[test]
fn one_check_of_three_is_found() {
    finds(Plant::ReadOneCheckOfThree, "I2");
}

#[test]
fn a_gate_that_is_believed_once_is_found() {
    finds(Plant::BelieveTheGateOnce, "its gate did not let it pass");
}

#[test]
fn a_record_of_pushes_that_is_believed_too_far_is_found() {
    finds(Plant::DateByTheFirstPush, "I2");
}

#[test]
fn a_forgotten_pause_is_found() {
    finds(Plant::ForgetThePause, "I4");
}

#[test]
fn a_request_opened_in_a_pause_is_found() {
    finds(Plant::ProposeInAPause, "I4");
}

#[test]
fn an_approval_of_another_head_is_found() {
    finds(Plant::CountAnyApproval, "I16");
}

#[test]
fn a_merge_of_another_head_is_found() {
    finds(Plant::MergeWithoutThePin, "I16");
}

#[test]
fn a_merged_head_of_others_is_found() {
    finds(Plant::TakeAnyHeadForOurs, "I16");
}

#[test]
fn a_second_request_after_a_lost_answer_is_found() {
    finds(Plant::OpenAgainUnheard, "I6");
}

#[test]
fn what_is_only_observed_is_never_touched() {
    let (mut ticks, mut seed) = (0, 0);
    while ticks < 10_000 {
        ticks += swarm::observe(seed, STEPS);
        seed += 1;
        assert!(seed < 1_000, "{ticks} passes in {seed} seeds are too few to tell anything");
    }
}
