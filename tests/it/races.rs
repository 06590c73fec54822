//! Orders that stop, raced with moves on purpose (`sim::races`): a part of the campaign for CI, the whole of it for
//! `scripts/campaign races`, and the planted bugs that prove that its check can find something.

use std::collections::BTreeMap;

use crate::sim::races_count::{NO_CRASH, ORDERS, PARTS, Races, table};
use crate::sim::swarm::{About, Outcome};
use crate::sim::{Plant, swarm};

/// Seeds in which a planted bug is looked for: each has some forty races.
const SEEDS: u64 = 60;

fn run(seed: u64, plant: Option<Plant>) -> Outcome {
    swarm::run_about(About::Races, seed, 0, plant)
}

fn sound(seed: u64) -> Races {
    let outcome = run(seed, None);
    assert!(
        outcome.violations.is_empty(),
        "seed {seed}: {:#?}\nreplay: TOWPATH_ABOUT=races TOWPATH_SEED={seed} TOWPATH_TRACE=1 cargo nextest run --test it \
         replay --no-capture",
        outcome.violations
    );
    outcome.races
}

fn add(all: &mut Races, more: Races) {
    for (race, count) in more {
        *all.entry(race).or_default() += count;
    }
}

fn total(races: &Races) -> u64 {
    races.values().sum()
}

fn print(races: &Races) {
    for parts in [(0, 1), (2, 1), (2, 3), (3, 4), (0, 4)] {
        println!("{}", table(races, parts));
    }
}

/// By each of its parts, how many races there were.
fn by_part(races: &Races, part: usize) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for (race, count) in races {
        *counts.entry((PARTS[part].1)(race)).or_default() += count;
    }
    counts
}

#[test]
fn a_part_of_the_campaign() {
    let mut races = Races::new();
    for seed in 0..100 {
        add(&mut races, sound(seed));
    }
    println!("{} races", total(&races));
    print(&races);
    struck(&races);
}

/// What has to be among some thousand races, by its part, and how often at least.
const LEAST: [(usize, &[&str], u64); 4] = [
    (1, &["fast-forward", "merge", "request"], 20),
    (
        2,
        &[
            "saved, which is not answered",
            "saved, being judged again",
            "saved, to be marked",
            "saved, left to the next pass",
            "marked, to be pushed",
            "landed, which is not answered",
            "on the wire, left to the next pass",
            "pushed, the branch to be read",
            "pushed, to be recorded",
        ],
        10,
    ),
    (
        3,
        &[
            NO_CRASH,
            "the mover, before the order",
            "the mover, at a crash point",
            "the mover, in mid pass",
            "who ordered, before it was written",
            "who ordered, once it was written",
            "everybody",
        ],
        10,
    ),
    (
        4,
        &[
            "stopped before the push",
            "named, and landed later",
            "named, had landed and was not recorded",
            "not meant, and it landed",
            "never answered, not written",
            "never answered, and stands",
            "lifted",
            "refused: nothing to lift there",
        ],
        10,
    ),
];

/// Everything that is to be raced with was, often enough.
fn struck(races: &Races) {
    let counts: Vec<BTreeMap<&str, u64>> = (0..PARTS.len()).map(|part| by_part(races, part)).collect();
    let least = |part: usize, name: &str, times: u64| {
        let count = counts[part].get(name).copied().unwrap_or(0);
        assert!(count >= times, "{}: {name}: only {count} times", PARTS[part].0);
    };
    assert!(total(races) >= 2_000, "only {} races", total(races));
    for order in ORDERS {
        least(0, order, 30);
    }
    for (part, names, times) in LEAST {
        names.iter().for_each(|name| least(part, name, times));
    }
}

/// `TOWPATH_RACES=100000 TOWPATH_SEED=0`: as many races as that, from that seed on.
#[test]
fn campaign() {
    let Ok(wanted) = std::env::var("TOWPATH_RACES") else { return };
    let number = |text: String| text.parse::<u64>().expect("a number");
    let (wanted, first) = (number(wanted), std::env::var("TOWPATH_SEED").map_or(0, number));
    let (mut races, mut seed) = (Races::new(), first);
    while total(&races) < wanted {
        let batch: Vec<u64> = (seed..seed + 50).collect();
        seed += 50;
        let halves: Vec<Races> = std::thread::scope(|scope| {
            let half = |seeds: &[u64]| {
                let seeds = seeds.to_vec();
                scope.spawn(move || {
                    let mut races = Races::new();
                    seeds.into_iter().for_each(|seed| add(&mut races, sound(seed)));
                    races
                })
            };
            let both: Vec<_> = batch.chunks(25).map(half).collect();
            both.into_iter().map(|half| half.join().expect("its races are sound")).collect()
        });
        halves.into_iter().for_each(|half| add(&mut races, half));
    }
    println!("{} races in the seeds {first}..{seed}, no violation", total(&races));
    print(&races);
}

#[test]
fn a_seed_replays_bit_equal() {
    for seed in 0..5 {
        let (one, other) = (run(seed, None), run(seed, None));
        assert_eq!((one.hash, one.races), (other.hash, other.races), "seed {seed}");
    }
}

/// In how many seeds a planted bug was found, and after how many races on an average.
fn finds(plant: Plant, words: &str) {
    finds_any(plant, &[words]);
}

fn finds_any(plant: Plant, words: &[&str]) {
    let (mut found, mut races, mut first) = (0, 0, None);
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        let outcome = run(seed, Some(plant));
        races += total(&outcome.races);
        if let Some(said) = outcome
            .violations
            .iter()
            .find(|said| said.contains("I4") && words.iter().any(|words| said.contains(words)))
        {
            found += 1;
            first.get_or_insert_with(|| (seed, races, said.clone()));
        }
        for said in outcome.violations {
            let kind = said.split(": ").nth(1).unwrap_or_default().to_owned();
            *kinds.entry(kind).or_default() += 1;
        }
    }
    println!("{plant:?}: found in {found} of {SEEDS} seeds, {races} races; {kinds:?}; first {first:?}");
    assert!(found > 0, "{plant:?} was not found in {races} races: {kinds:?}");
}

#[test]
fn a_pause_that_is_not_looked_at_before_the_push_is_found() {
    finds(Plant::MarkInAPause, "began to move");
}

#[test]
fn a_hold_that_is_looked_at_once_is_found() {
    finds(Plant::HoldOnlyWhenDeciding, "began to move");
}

#[test]
fn an_answer_that_keeps_a_push_to_itself_is_found() {
    finds(Plant::AnswerWithoutPushes, "did not name it");
}

#[test]
fn an_answer_that_names_too_short_a_time_is_found() {
    finds(Plant::NameTooSoon, "ms after it could");
}

#[test]
fn an_order_that_is_lost_after_its_answer_is_found() {
    finds(Plant::LoseTheOrder, "began to move");
}

#[test]
fn a_freeze_that_another_resume_lifts_is_found() {
    finds(Plant::LiftEveryFreeze, "began to move");
}

#[test]
fn a_hold_that_another_unhold_lifts_is_found() {
    finds_any(
        Plant::LiftEveryHold,
        &["began to move", "begins to be put into a request", "was answered and is lost"],
    );
}

#[test]
fn a_forgotten_pause_is_found() {
    finds(Plant::ForgetThePause, "began to move");
}

#[test]
fn a_request_opened_in_a_pause_is_found() {
    finds(Plant::ProposeInAPause, "begins to be put into a request");
}
