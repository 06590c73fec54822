//! "Hold mine" of somebody whom only a trailer of the commit names.

use towpath::chat::message::Press;

use super::{Platform, SIGNING, place, pressed, rows, shown, slack, slash};

#[test]
fn who_a_trailer_names_holds_the_commit_and_lets_it_go_as_its_author_does() {
    let platform = Platform::new();
    let place = place(&platform);
    let repo = place.repo("checkout");
    let first = repo.tip("develop").unwrap();
    let zoe = "Zoe <zoe@example.com>";
    let of_zoe = repo.commit_as(&[first], "develop", &[("b", "1")], "Of Zoe", zoe);
    // Dan's address is Ana's; the text of a trailer gives nobody more than their own commit.
    let message = "Squash (#7)\n\n* one\n\nCo-authored-by: Dan <ANA@example.com>\nCo-authored-by: eve\n\
        Co-authored-by: eve <slack:T1/UEVE>\nCo-authored-by: x-bot <x-bot@example.com>";
    let squash = repo.commit_as(&[of_zoe], "develop", &[("c", "1")], message, zoe);
    let later = repo.commit_as(&[squash], "develop", &[("d", "1")], "Later", zoe);
    let service = place.serve();
    place.arrives("checkout", "staging", later);
    let press = Press::HoldMine { flow: "shop/checkout".into(), env: "production".into(), newest: later };
    // What is no address of theirs makes it nobody's.
    slack(&service, &pressed(&platform, "UEVE", "1.a", &press), SIGNING, 0);
    assert!(shown(&platform.tells(1)).contains("is yours as far as their addresses tell"), "{:?}", platform.told());
    slack(&service, &pressed(&platform, "UDAN", "1.b", &press), SIGNING, 0);
    let done = shown(&platform.tells(2));
    assert!(done.contains("held back") && done.contains(&squash.short()), "{done}");
    assert!(!done.contains(&of_zoe.short()), "{done}");
    let row = rows(&place).pop().unwrap();
    assert_eq!((&row["came"]["rule"], &row["by"]), (&"author".into(), &"dan".into()));
    let status = place.ok(&["status"]);
    assert!(status.contains(&format!("{} is held", squash.short())), "{status}");
    let unhold = format!("unhold {squash} checkout production");
    slack(&service, &slash(&platform, ("T1", "UEVE", "CSHOP"), "1.c", &unhold), SIGNING, 0);
    assert!(shown(&platform.tells(3)).contains("takes an operator"), "{:?}", platform.told());
    slack(&service, &slash(&platform, ("T1", "UDAN", "CSHOP"), "1.d", &unhold), SIGNING, 0);
    let lifted = shown(&platform.tells(4));
    assert!(lifted.contains("is lifted"), "{lifted}");
    assert_eq!(rows(&place).pop().unwrap()["came"]["rule"], "author");
    assert!(!place.ok(&["status"]).contains("is held"));
}
