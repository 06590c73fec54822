//! Death within the `rollback` command: the hold and the pause stand, and the next pass completes it.

use super::{Gates, Place};
use crate::crash::place::DEADLINE;

const POINTS: [&str; 7] = ["Reread", "MarkPushing", "Push", "ReadRef", "Record", "Send", "MarkSent"];

fn case(at: &str) {
    let place = Place::new(Gates::Ci);
    let [_, c1, c2] = place.c.clone();
    place.settle();
    place.dies(&["rollback", "shop", "production", "--reason", "it burns"], at);
    let stands = |when: &str| {
        let standing = place.standing();
        assert_eq!(standing["holds"].as_array().unwrap().len(), 1, "{at}, {when}: {standing}");
        assert_eq!(standing["pauses"].as_array().unwrap().len(), 1, "{at}, {when}: {standing}");
    };
    stands("after the death");
    place.ok(&["run"]);
    place.ok(&["run"]);
    if at == "after:MarkPushing:1" || at == "before:Push:1" {
        place.age(DEADLINE);
        place.ok(&["run"]);
        place.ok(&["run"]);
    }
    stands("after two passes");
    assert_eq!(place.tip("production"), c1, "{at}");
    let (old, new) = place.moves("production").pop().unwrap();
    assert_eq!((old, new), (c2, c1), "{at}");
    assert_eq!(place.moves("production").len(), 3, "{at}: back once, and not forward again");
    let twice = at == "after:Send:1" || at == "before:MarkSent:1";
    place.sound(usize::from(twice));
}

#[test]
fn early_in_a_rollback() {
    for point in &POINTS[..3] {
        case(&format!("before:{point}:1"));
        case(&format!("after:{point}:1"));
    }
}

#[test]
fn late_in_a_rollback() {
    for point in &POINTS[3..] {
        case(&format!("before:{point}:1"));
        case(&format!("after:{point}:1"));
    }
}

#[test]
fn a_refused_rollback_leaves_hold_and_pause() {
    let place = Place::new(Gates::Ci);
    place.settle();
    place.hook("pre-receive", "echo 'nobody goes back on a Friday' >&2; exit 1");
    let ran = place.run(&["rollback", "shop", "production", "--reason", "it burns"]);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("nobody goes back on a Friday") && said.contains("hold and the pause stay"), "{said}");
    let standing = place.standing();
    assert_eq!(standing["holds"].as_array().unwrap().len(), 1, "{standing}");
    assert_eq!(standing["pauses"].as_array().unwrap().len(), 1, "{standing}");
    place.ok(&["run"]);
    assert_eq!(place.tip("production"), place.c[2]);
    place.sound(0);
}
