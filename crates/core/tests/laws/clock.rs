//! The trusted clock: never back, never faster than time.

use proptest::prelude::*;
use towpath_core::model::{ClockRow, Instant, Reading};

/// What happens between two looks.
#[derive(Debug, Clone)]
enum Step {
    /// Time passes.
    Pass(i64),
    /// Somebody sets the wall of a host.
    SetWall(usize, i64),
    /// A host starts again.
    Reboot(usize),
    /// A host reads its clocks.
    Read(usize),
    /// A host reads, and is stopped before it hands the reading in.
    ReadAndStall(usize),
    /// The oldest stalled reading is handed in.
    Wake,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..7_200_000i64).prop_map(Step::Pass),
        1 => (0..3usize, -7_200_000..7_200_000i64).prop_map(|(host, by)| Step::SetWall(host, by)),
        1 => (0..3usize).prop_map(Step::Reboot),
        6 => (0..3usize).prop_map(Step::Read),
    ]
}

fn any_stalling_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..7_200_000i64).prop_map(Step::Pass),
        4 => Just(Step::Read(0)),
        2 => Just(Step::ReadAndStall(0)),
        2 => Just(Step::Wake),
    ]
}

/// Runs the steps and checks the law at each reading.
fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    const START: i64 = 1_000_000_000_000;
    let mut truth = 0i64;
    let mut wall_off = [0i64, 3_600_000, -60_000];
    let mut booted = [0i64; 3];
    let mut boots = [0u32; 3];
    let mut stalled = std::collections::VecDeque::new();
    let read = |host: usize, truth: i64, wall_off: &[i64; 3], booted: &[i64; 3], boots: &[u32; 3]| Reading {
        wall: Instant(START + truth + wall_off[host]),
        boottime_ms: truth - booted[host],
        boot: format!("host-{host}-boot-{}", boots[host]),
    };
    let mut row = ClockRow::start(read(0, 0, &wall_off, &booted, &boots));
    let start = row.trusted.0;
    // What boots that were not seen before added, on the word of their wall alone.
    let mut on_trust = 0i64;
    for step in steps {
        let reading = match step {
            Step::Pass(ms) => {
                truth += ms;
                continue;
            }
            Step::SetWall(host, by) => {
                wall_off[*host] += by;
                continue;
            }
            Step::Reboot(host) => {
                booted[*host] = truth;
                boots[*host] += 1;
                continue;
            }
            Step::ReadAndStall(host) => {
                stalled.push_back(read(*host, truth, &wall_off, &booted, &boots));
                continue;
            }
            Step::Wake => match stalled.pop_front() {
                Some(reading) => reading,
                None => continue,
            },
            Step::Read(host) => read(*host, truth, &wall_off, &booted, &boots),
        };
        let known = row.boots.iter().any(|(last, _)| last.boot == reading.boot);
        let next = row.advance(reading);
        let added = next.trusted.0 - row.trusted.0;
        prop_assert!(added >= 0, "it went back by {}", -added);
        if !known {
            on_trust += added;
        }
        let elapsed = next.trusted.0 - start - on_trust;
        prop_assert!(elapsed <= truth, "{elapsed} ms counted, {truth} ms passed");
        prop_assert!(next.boots.len() <= ClockRow::BOOTS_MAX);
        prop_assert_eq!(next.now().trusted, next.trusted);
        row = next;
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::cases::times(300))]

    /// Whatever people do to the walls of three hosts that take turns and reboot.
    #[test]
    fn trusted_time_has_passed(steps in prop::collection::vec(any_step(), 1..40)) {
        run(&steps)?;
    }

    /// Readings of one host handed in late and out of order, where its wall runs as it should.
    /// (Not of several: a late reading of one host after a newer one of another counts twice what
    /// lies between; they would have to share a store, and one of them to stop between reading and
    /// writing.)
    #[test]
    fn late_readings_count_nothing_twice(steps in prop::collection::vec(any_stalling_step(), 1..40)) {
        run(&steps)?;
    }

    /// On one host whose wall nobody touches, the trusted clock is the time.
    #[test]
    fn undisturbed_it_loses_nothing(steps in prop::collection::vec(0..7_200_000i64, 1..20)) {
        let read = |at: i64| Reading { wall: Instant(at), boottime_ms: at, boot: "b".to_owned() };
        let mut row = ClockRow::start(read(0));
        let mut at = 0;
        for step in steps {
            at += step;
            row = row.advance(read(at));
            prop_assert_eq!(row.trusted.0, at);
        }
        let text = serde_json::to_string(&row).expect("it can be written");
        prop_assert_eq!(serde_json::from_str::<ClockRow>(&text).expect("it can be read"), row);
    }
}

#[test]
fn many_boots_forget_the_oldest_and_never_hasten() {
    let read = |boot: i64, at: i64| Reading { wall: Instant(at), boottime_ms: at, boot: format!("b{boot}") };
    let mut row = ClockRow::start(read(0, 0));
    for boot in 1..40 {
        row = row.advance(read(boot, boot * 1_000));
        assert_eq!(row.trusted.0, boot * 1_000);
    }
    assert_eq!(row.boots.len(), ClockRow::BOOTS_MAX);
    // The first boot is forgotten; its wall is behind, and so it adds nothing.
    assert_eq!(row.advance(read(0, 2_000)).trusted, row.trusted);
}
