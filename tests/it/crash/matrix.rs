//! Death before and after each effect, of the first and of the second move of a pass; and twice in
//! a row. What a request adds is in `requests`.

use towpath::engine::run::CRASH_POINTS;

use super::{Gates, Place, requests};
use crate::crash::place::{DEADLINE, Move, TARGETS};

/// Between the mark and the push: the branch is where it was, and a push may be under way.
fn in_doubt(at: &str) -> bool {
    at.starts_with("after:MarkPushing:") || at.starts_with("before:Push:")
}

/// The sink has it, and the store does not know.
fn tells_twice(at: &str) -> bool {
    at.starts_with("after:Send:") || at.starts_with("before:MarkSent:")
}

/// Restart, two passes, and everything is as if nothing had happened.
fn case(at: &str) {
    let place = Place::new(Gates::Ci);
    let [c0, c1, c2] = place.c.clone();
    place.dies(&["run"], at);
    let first = place.ok(&["run"]);
    assert!(!first.out.contains("another process"), "{at}: the dead one's lease stands\n{}", first.out);
    place.ok(&["run"]);
    let doubt = in_doubt(at);
    if doubt {
        assert_eq!(place.open().len(), 1, "{at}");
        let (env, old) = if at.ends_with(":1") { ("production", &c0) } else { ("staging", &c1) };
        assert_eq!(&place.tip(env), old, "{at}: nothing is pushed while an earlier push may land");
        let status = place.ok(&["status"]).out;
        let line = status.lines().find(|line| line.contains(env)).unwrap();
        assert!(line.contains("may still land"), "{at}: the reason is to be seen: {status}");
        place.age(DEADLINE);
        place.ok(&["run"]);
        place.ok(&["run"]);
        assert_eq!(&place.tip(env), old, "{at}: what may have been taken back by a person is not pushed again");
        let explained = place.ok(&["explain", "shop", env]).out;
        assert!(explained.contains(&format!("towpath retry shop {env}")), "{at}: the way out: {explained}");
        place.ok(&["retry", "shop", env]);
        place.ok(&["run"]);
        place.ok(&["run"]);
    }
    let go = |a: &String, b: &String| -> Move { (a.clone(), b.clone()) };
    let production =
        if doubt && at.ends_with(":1") { vec![go(&c0, &c2)] } else { vec![go(&c0, &c1), go(&c1, &c2)] };
    assert_eq!(place.moves("production"), production, "{at}");
    assert_eq!(place.moves("staging"), vec![go(&c1, &c2)], "{at}");
    place.sound(usize::from(tells_twice(at)));
}

fn effect(name: &str) {
    assert!(CRASH_POINTS.contains(&name));
    for count in [1, 2] {
        for side in ["before", "after"] {
            case(&format!("{side}:{name}:{count}"));
        }
    }
}

macro_rules! effects {
    ($($test:ident => $effect:literal,)*) => {
        $(#[test] fn $test() { effect($effect); })*

        #[test]
        fn every_effect_has_its_test() {
            let mut tested = EFFECTS.to_vec();
            let mut points = CRASH_POINTS.to_vec();
            tested.extend(requests::OPENING.into_iter().chain(requests::PUSHING));
            tested.sort_unstable();
            tested.dedup();
            points.sort_unstable();
            assert_eq!(tested, points);
        }

        /// The effects of a move and of telling of it.
        const EFFECTS: &[&str] = &[$($effect),*];
    };
}

effects! {
    save_intent => "SaveIntent",
    reread => "Reread",
    mark_pushing => "MarkPushing",
    push => "Push",
    read_ref => "ReadRef",
    record => "Record",
    send => "Send",
    mark_sent => "MarkSent",
}

/// Death, and death again while the next process mends it.
fn twice_after(first: &str) {
    for point in EFFECTS {
        for side in ["before", "after"] {
            let second = format!("{side}:{point}:1");
            let place = Place::new(Gates::Ci);
            place.dies(&["run"], first);
            place.dies(&["run"], &second);
            place.ok(&["run"]);
            place.ok(&["run"]);
            if in_doubt(&second) {
                place.age(DEADLINE);
                place.ok(&["run"]);
                for env in TARGETS {
                    place.run(&["retry", "shop", env]);
                }
                place.ok(&["run"]);
                place.ok(&["run"]);
            }
            for branch in ["staging", "production"] {
                assert_eq!(place.tip(branch), place.c[2], "{first}, {second}");
            }
            place.sound(usize::from(tells_twice(&second)));
        }
    }
}

#[test]
fn twice_in_a_row_after_saving() {
    twice_after("after:SaveIntent:1");
}

#[test]
fn twice_in_a_row_after_pushing() {
    twice_after("after:Push:1");
}
