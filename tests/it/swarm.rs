//! The simulation campaign of CI, and the planted bugs that prove it can find something.

use std::collections::BTreeMap;

use crate::sim::{Plant, swarm};

const STEPS: u64 = 1_500;

/// `TOWPATH_SEED=7 cargo nextest run --test it replay` runs that seed twice and prints what it found.
#[test]
fn replay() {
    let Some(seed) = std::env::var("TOWPATH_SEED").ok().and_then(|s| s.parse().ok()) else { return };
    let (first, second) = (swarm::run(seed, STEPS, None), swarm::run(seed, STEPS, None));
    assert_eq!(first.hash, second.hash, "a seed replays bit-equal");
    assert_eq!(first.violations, Vec::<String>::new());
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
    for (what, count) in counts.iter().filter(|(what, _)| what.starts_with("fault")) {
        assert!(*count >= 500, "{what} struck only {count} times");
    }
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

#[test]
fn a_seed_replays_bit_equal() {
    for seed in 0..20 {
        assert_eq!(swarm::run(seed, STEPS, None).hash, swarm::run(seed, STEPS, None).hash, "seed {seed}");
    }
}

fn finds(plant: Plant, invariant: &str) {
    let found = (0..400).find_map(|seed| {
        let violations = swarm::run(seed, STEPS, Some(plant)).violations;
        violations.iter().any(|v| v.contains(invariant)).then_some((seed, violations))
    });
    let (seed, violations) = found.unwrap_or_else(|| panic!("{plant:?} was not found in 400 seeds"));
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
fn a_forgotten_pause_is_found() {
    finds(Plant::ForgetThePause, "I4");
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
