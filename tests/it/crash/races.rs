//! Kills at any time, and two passes at once. The seeds are fixed; `TOWPATH_SEED=N` sets another.

use super::{Gates, Place, Seed};

// Shown when a test fails, so that it can be run again.
#[allow(clippy::print_stderr)]
fn seed() -> Seed {
    let number = std::env::var("TOWPATH_SEED").ok().and_then(|text| text.parse().ok());
    let number: u64 = number.unwrap_or(20_261_121);
    eprintln!("TOWPATH_SEED={number}");
    Seed(number.max(1))
}

#[allow(clippy::disallowed_methods, reason = "it measures how long a pass takes, for nothing but when to kill")]
fn killed_at_any_time(mut seed: Seed, rounds: u32) {
    let place = Place::new(Gates::None);
    place.ok(&["run"]);
    // As long as a pass with a move takes on this machine, as busy as it is.
    place.commit("Measured");
    let begun = std::time::Instant::now();
    place.ok(&["run"]);
    let pass = u64::try_from(begun.elapsed().as_millis()).unwrap_or(250).clamp(10, 1_000);
    let mut killed = 0;
    for round in 0..rounds {
        place.commit(&format!("Round {round}"));
        let mut child = place.start(&["run"]);
        seed.sleep(pass);
        child.kill().unwrap();
        killed += usize::from(place.ended(child).status.code().is_none());
        if seed.below(3) == 0 {
            place.age(crate::crash::place::DEADLINE);
        }
    }
    assert!(killed * 4 >= rounds as usize, "only {killed} of {rounds} died");
    place.settle();
    place.quiet();
    assert!(place.doubled() <= killed);
    place.sound(place.doubled());
}

#[test]
fn killed_at_any_time_one() {
    killed_at_any_time(seed(), 30);
}

#[test]
fn killed_at_any_time_two() {
    let Seed(number) = seed();
    killed_at_any_time(Seed(number ^ 0x9e37_79b9_7f4a_7c15), 30);
}

#[test]
fn two_passes_at_once() {
    let place = Place::new(Gates::None);
    let mut seed = seed();
    for round in 0..20 {
        place.commit(&format!("Round {round}"));
        let one = place.start(&["run"]);
        seed.sleep(60);
        let two = place.start(&["run"]);
        for child in [one, two] {
            let ran = place.ended(child);
            assert!(ran.status.success(), "round {round}: {}\n{}\n{}", ran.status, ran.out, ran.err);
        }
    }
    place.settle();
    place.sound(0);
}

#[test]
fn twelve_first_passes_at_once() {
    for _ in 0..3 {
        let place = Place::new(Gates::None);
        let children: Vec<_> = (0..12).map(|_| place.start(&["run"])).collect();
        for child in children {
            let ran = place.ended(child);
            assert!(ran.status.success(), "{}\n{}\n{}", ran.status, ran.out, ran.err);
        }
        place.settle();
        place.sound(0);
    }
}
