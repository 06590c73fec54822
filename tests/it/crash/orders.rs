//! Orders from a second process while a pass is under way.

use serde_json::Value as Json;

use super::{Gates, Place, Seed};
use crate::crash::place::TARGETS;

/// Which place in the store's order the newest command of this kind has.
fn ordered(export: &[Json], verb: &str) -> i64 {
    let is = |row: &&Json| row["what"] == "audit" && row["row"]["command"].as_str().unwrap().starts_with(verb);
    export.iter().rev().find(is).unwrap()["seq"].as_i64().unwrap()
}

/// After an acknowledged pause no push begins: what lands later had begun before, and the
/// acknowledgement named it.
#[test]
fn a_pause_during_a_pass() {
    let place = Place::new(Gates::None);
    // Long enough that pauses meet pushes that are under way.
    place.hook("pre-receive", "sleep 0.04");
    let mut seed = Seed(7_919);
    let (mut named, mut stopped) = (0, 0);
    for round in 0..24 {
        place.commit(&format!("Round {round}"));
        let pass = place.start(&["run"]);
        seed.sleep(260);
        let paused = place.ok(&["pause", "shop", "--reason", "a race", "-o", "json"]);
        let at_reply: Vec<usize> = TARGETS.iter().map(|branch| place.moves(branch).len()).collect();
        let reply: Json = serde_json::from_str(&paused.out).unwrap();
        let may_land: Vec<&str> =
            reply["may_still_land"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
        let ran = place.ended(pass);
        assert!(ran.status.success(), "round {round}: {}\n{}", ran.out, ran.err);
        place.ok(&["run"]);
        let export = place.export();
        let pause = ordered(&export, "pause");
        let after: Vec<&Json> =
            export.iter().filter(|row| row["what"] == "effect" && row["seq"].as_i64().unwrap() > pause).collect();
        for effect in &after {
            let intent = effect["row"]["intent"].as_str().unwrap();
            assert!(may_land.contains(&intent), "round {round}: {effect} began after the pause {reply}");
        }
        for (branch, before) in TARGETS.iter().zip(at_reply) {
            let since = place.moves(branch).split_off(before);
            for (old, new) in since {
                let by =
                    after.iter().any(|row| row["row"]["old"] == old.as_str() && row["row"]["new"] == new.as_str());
                assert!(by, "round {round}: {branch} moved to {new} after the pause was acknowledged");
            }
        }
        named += may_land.len();
        stopped += usize::from(place.tip("staging") != place.tip("develop"));
        place.ok(&["resume", "shop"]);
    }
    assert!(named > 0, "no pause met a push; the race was not there");
    assert!(stopped > 0, "no pause came in time; the race was not there");
    place.settle();
    place.sound(0);
}

/// Reports arrive while a pass is under way; none is lost and no pass fails of it.
#[test]
fn reports_during_a_pass() {
    let place = Place::new(Gates::Ci);
    place.settle();
    let mut seed = Seed(104_729);
    for round in 0..10 {
        let commit = place.commit(&format!("Round {round}"));
        place.ok(&["run"]);
        let mut at_once = vec![place.start(&["run"])];
        seed.sleep(80);
        at_once.push(place.start(&["report", "shop", &commit, "build", "success"]));
        at_once.push(place.start(&["report", "shop", &commit, "test", "success"]));
        seed.sleep(80);
        at_once.push(place.start(&["run"]));
        for child in at_once {
            let ran = place.ended(child);
            assert!(ran.status.success(), "round {round}: {}\n{}\n{}", ran.status, ran.out, ran.err);
        }
        place.ok(&["run"]);
        place.ok(&["run"]);
        for branch in TARGETS {
            assert_eq!(place.tip(branch), commit, "round {round}");
        }
    }
    place.sound(0);
}

/// The flow gets another name in the config: what people ordered under the old one stands.
#[test]
fn a_renamed_flow_keeps_its_holds_and_pauses() {
    let place = Place::new(Gates::None);
    let [c0, c1, _] = place.c.clone();
    place.ok(&["run"]);
    assert_eq!(place.tip("production"), c1);
    let c3 = place.commit("not yet");
    place.ok(&["pause", "shop", "production", "--reason", "a demo", "--for", "2h"]);
    place.ok(&["hold", &c3, "shop", "staging", "--reason", "not yet"]);
    let config = place.path().join("towpath.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("name = \"shop\"", "name = \"store\"")).unwrap();
    for _ in 0..3 {
        place.ok(&["run"]);
        assert_eq!(place.tip("staging"), place.c[2], "{c3} is held");
        assert_eq!(place.tip("production"), c1, "paused at {c1}, which came after {c0}");
    }
    let standing = place.standing();
    assert_eq!(standing["pauses"].as_array().unwrap().len(), 1, "{standing}");
    assert_eq!(standing["holds"].as_array().unwrap().len(), 1, "{standing}");
    place.ok(&["resume", "store", "production"]);
    place.ok(&["unhold", &c3, "store", "staging"]);
    place.ok(&["run"]);
    place.ok(&["run"]);
    assert_eq!(place.tip("production"), c3, "lifted under the new name, they do not come back");
}
