//! What is said of a flow's first environment, into which nothing is ever moved.

use super::{Platform, SIGNING, place, shown, slack, slash};

#[test]
fn of_the_first_environment_the_truth_is_said_whatever_is_ordered_there() {
    let platform = Platform::new();
    let place = place(&platform);
    place.ok(&["run"]);
    let tip = place.repo("checkout").tip("develop").unwrap().to_string();
    let reason = ["--reason", "r"];
    let nothing = "people push there";
    for (args, wanted) in [
        (vec!["pause", "checkout", "develop", "--for", "1h"], "nothing to pause"),
        (vec!["freeze", "checkout", "develop", "--for", "1h"], "nothing to freeze"),
        (vec!["pause", "develop", "--for", "1h"], "nothing to pause"),
        (vec!["promote", "checkout", "develop"], "nothing is moved into it"),
        (vec!["rollback", "checkout", "develop"], "nothing is moved into it"),
        (vec!["override", "ci", "checkout", "develop", &tip], "nothing is moved into it"),
        (vec!["hold", &tip, "checkout", "develop"], "nothing is moved into it"),
    ] {
        let ran = place.run(&[&args[..], &reason[..]].concat());
        let words = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(!ran.status.success() && words.contains(nothing) && words.contains(wanted), "{args:?}: {words}");
    }
    for args in [vec!["approve", "checkout", "develop", &tip], vec!["retry", "checkout", "develop"]] {
        let ran = place.run(&args);
        let words = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(!ran.status.success() && words.contains(nothing), "{args:?}: {words}");
    }
    let ran = place.run(&["resume", "checkout", "develop"]);
    let words = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(!ran.status.success() && words.contains("nothing is paused or frozen"), "{words}");
    assert!(!place.ok(&["status"]).contains("paused"));
    // In a chat, with what to say instead, which does it.
    let service = place.serve();
    slack(
        &service,
        &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", "pause develop --for 1h --reason r"),
        SIGNING,
        0,
    );
    let words = shown(&platform.tells(1)).replace('`', "");
    assert!(words.contains("pause shop/checkout staging"), "{words}");
    let text = "pause shop/checkout staging --for 1h --reason r";
    slack(&service, &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.b", text), SIGNING, 0);
    assert!(shown(&platform.tells(2)).contains("staging"), "{:?}", platform.told());
    assert!(place.ok(&["status"]).contains("is paused until"));
}
