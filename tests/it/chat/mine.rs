//! The button by which whoever wrote a commit holds it.

use serde_json::Value as Json;
use towpath::chat::message::Press;
use towpath_core::model::CommitId;

use super::{Place, Platform, SIGNING, place, pressed, rows, shown, slack, slash};

#[test]
fn hold_mine_holds_what_its_author_wrote_whatever_their_role() {
    let platform = Platform::new();
    let place = place(&platform);
    let repo = place.repo("checkout");
    let first = repo.tip("develop").unwrap();
    let theirs = repo.commit_as(&[first], "develop", &[("b", "1")], "Of Zoe", "Zoe <zoe@example.com>");
    let own = repo.commit_as(&[theirs], "develop", &[("c", "1")], "Of Ana", "Ana <Ana@Example.com>");
    let later = repo.commit_as(&[own], "develop", &[("d", "1")], "Of Ana, later", "Ana <ana@example.com>");
    let service = place.serve();
    place.arrives("checkout", "staging", later);
    let press = Press::HoldMine { flow: "shop/checkout".into(), env: "production".into(), newest: later };
    slack(&service, &pressed(&platform, "UEVE", "1.a", &press), SIGNING, 0);
    assert!(shown(&platform.tells(1)).contains("is yours as far as their addresses tell"), "{:?}", platform.told());
    slack(&service, &pressed(&platform, "UX", "1.b", &press), SIGNING, 0);
    assert!(shown(&platform.tells(2)).contains("is linked to no person"), "{:?}", platform.told());
    assert!(!place.ok(&["status"]).contains("is held"));
    let refused: Vec<Json> = rows(&place).into_iter().filter(|row| row["allowed"] == false).collect();
    assert_eq!(refused.len(), 2, "who tried it is on record: {refused:?}");
    assert!(refused.iter().all(|row| row["command"].as_str().unwrap().starts_with("hold mine ")), "{refused:?}");
    slack(&service, &pressed(&platform, "UDAN", "1.c", &press), SIGNING, 0);
    let done = shown(&platform.tells(3));
    assert!(done.contains("held back") && done.contains(&own.short()), "{done}");
    let rows = rows(&place);
    assert_eq!(rows.last().unwrap()["came"]["rule"], "author");
    assert_eq!(rows.last().unwrap()["by"], "dan");
    let explained = place.ok(&["explain", "checkout", "production"]);
    assert!(explained.contains("held by its author"), "{explained}");
    assert!(explained.contains("whoever may `unhold` there can lift it"), "{explained}");
    // Pressed again it holds the same, and is shown once.
    slack(&service, &pressed(&platform, "UDAN", "1.e", &press), SIGNING, 0);
    assert!(shown(&platform.tells(4)).contains("held back"), "{:?}", platform.told());
    let status = place.ok(&["status"]);
    let standing: Vec<&str> =
        status.lines().filter(|line| line.contains("is held") && !line.contains("blocked:")).collect();
    assert!(standing.len() == 1 && standing[0].ends_with("(2 times)"), "{status}");
    // What they held so they may let go, and nothing else.
    let unhold = |commit: &CommitId| format!("unhold {commit} checkout production");
    place.ok(&["hold", &theirs.to_string(), "shop/checkout", "production", "--reason", "another's"]);
    slack(&service, &slash(&platform, ("T1", "UDAN", "CSHOP"), "1.f", &unhold(&theirs)), SIGNING, 0);
    assert!(shown(&platform.tells(5)).contains("takes an operator"), "{:?}", platform.told());
    slack(&service, &slash(&platform, ("T1", "UDAN", "CSHOP"), "1.g", &unhold(&own)), SIGNING, 0);
    let lifted = shown(&platform.tells(6));
    assert!(lifted.contains("is lifted"), "{lifted}");
    assert_eq!(self::rows(&place).last().unwrap()["came"]["rule"], "author");
    let status = place.ok(&["status"]);
    let standing: Vec<&str> =
        status.lines().filter(|line| line.contains("is held") && !line.contains("blocked:")).collect();
    assert!(standing.len() == 1 && standing[0].contains("another's"), "that of another stays: {status}");
    // The same said as a command takes the role.
    let text = format!("hold {} production --reason mine", own);
    slack(&service, &slash(&platform, ("T1", "UDAN", "CSHOP"), "1.d", &text), SIGNING, 0);
    assert!(shown(&platform.tells(7)).contains("takes an operator"), "{:?}", platform.told());
}

/// What they held they may let go, also where they wrote it under an address that only `.mailmap` says is theirs.
#[test]
fn what_was_written_under_an_old_address_is_held_and_let_go_by_the_same_person() {
    let platform = Platform::new();
    let place = place(&platform);
    let repo = place.repo("checkout");
    let first = repo.tip("develop").unwrap();
    let file = [(".mailmap", "Ana <ana@example.com> <ana@old.example>\n")];
    let names = repo.commit_as(&[first], "develop", &file, "Names", "Zoe <zoe@example.com>");
    for branch in ["staging", "master"] {
        repo.set(branch, names);
    }
    let own = repo.commit_as(&[names], "develop", &[("c", "1")], "Of Ana", "A. N. <ana@old.example>");
    let service = place.serve();
    place.arrives("checkout", "staging", own);
    let press = Press::HoldMine { flow: "shop/checkout".into(), env: "production".into(), newest: own };
    slack(&service, &pressed(&platform, "UDAN", "1.a", &press), SIGNING, 0);
    assert!(shown(&platform.tells(1)).contains("held back"), "{:?}", platform.told());
    let unhold = format!("unhold {own} checkout production");
    slack(&service, &slash(&platform, ("T1", "UEVE", "CSHOP"), "1.b", &unhold), SIGNING, 0);
    assert!(shown(&platform.tells(2)).contains("takes an operator"), "{:?}", platform.told());
    slack(&service, &slash(&platform, ("T1", "UDAN", "CSHOP"), "1.c", &unhold), SIGNING, 0);
    let lifted = shown(&platform.tells(3));
    assert!(lifted.contains("is lifted"), "{lifted}");
    assert!(!place.ok(&["status"]).contains("is held"));
}

/// Production's lines in the config get one more.
fn also(place: &Place, line: &str) {
    let text = std::fs::read_to_string(place.path().join("towpath.toml")).unwrap();
    let lag = "gates.lag = \"1d\"\n";
    assert!(text.contains(lag), "{text}");
    place.config(&text.replace(lag, &format!("{lag}{line}\n")));
}

#[test]
fn hold_mine_goes_by_what_was_announced_where_the_branches_cannot_be_read() {
    let platform = Platform::new();
    let place = place(&platform);
    also(&place, "heads_up = \"1d\"");
    let repo = place.repo("checkout");
    let first = repo.tip("develop").unwrap();
    let ana = "Ana <ana@example.com>";
    let theirs = repo.commit_as(&[first], "develop", &[("b", "1")], "Of Zoe", "Zoe <zoe@example.com>");
    let own = repo.commit_as(&[theirs], "develop", &[("c", "1")], "Of Ana", "Ana <Ana@Example.com>");
    let later = repo.commit_as(&[own], "develop", &[("d", "1")], "Of Ana, later", ana);
    let service = place.serve();
    place.arrives("checkout", "staging", later);
    service.says(&["told", "heads-up-shop/checkout-production", &later.to_string()]);
    let (there, away) = (place.repo_dir("checkout"), place.path().join("away"));
    std::fs::rename(&there, &away).unwrap();
    let press = |newest| Press::HoldMine { flow: "shop/checkout".into(), env: "production".into(), newest };
    // Whoever wrote none of it holds none of it, nor is anything held that was not announced.
    slack(&service, &pressed(&platform, "UEVE", "1.a", &press(later)), SIGNING, 0);
    let said = shown(&platform.tells(1));
    assert!(said.contains("cannot be read now") && said.contains("is yours as far as their"), "{said}");
    slack(&service, &pressed(&platform, "UDAN", "1.b", &press(own)), SIGNING, 0);
    let said = shown(&platform.tells(2));
    assert!(said.contains("no heads-up is on record"), "{said}");
    assert!(!place.ok(&["status"]).contains("is held"));
    slack(&service, &pressed(&platform, "UDAN", "1.c", &press(later)), SIGNING, 0);
    let said = shown(&platform.tells(3));
    assert!(said.contains("held back") && said.contains(&own.short()), "{said}");
    assert!(!said.contains(&later.short()), "the oldest of theirs has it, as the mirror knows: {said}");
    assert!(said.contains("so this was done from what was announced at"), "{said}");
    let status = place.ok(&["status"]);
    assert!(status.contains(&format!("{} is held", own.short())) && !status.contains(&theirs.short()), "{status}");
    // It counts once they can be read again.
    std::fs::rename(&away, &there).unwrap();
    slack(&service, &pressed(&platform, "UDAN", "1.d", &press(later)), SIGNING, 0);
    let said = shown(&platform.tells(4));
    assert!(said.contains("held back") && !said.contains("announced"), "{said}");
}

#[test]
fn hold_mine_says_that_it_is_there_already_and_what_takes_it_back() {
    let platform = Platform::new();
    let place = place(&platform);
    let repo = place.repo("checkout");
    let first = repo.tip("develop").unwrap();
    let ana = "Ana <ana@example.com>";
    let own = repo.commit_as(&[first], "develop", &[("c", "1")], "Of Ana", ana);
    let later = repo.commit_as(&[own], "develop", &[("d", "1")], "Of Zoe", "Zoe <zoe@example.com>");
    let service = place.serve();
    place.arrives("checkout", "staging", later);
    let press = Press::HoldMine { flow: "shop/checkout".into(), env: "production".into(), newest: own };
    place.ok(&["promote", "checkout", "production", "to", &later.to_string(), "--reason", "now", "--yes"]);
    place.arrives("checkout", "master", later);
    slack(&service, &pressed(&platform, "UDAN", "1.a", &press), SIGNING, 0);
    let said = shown(&platform.tells(1));
    let there = format!("{} is in production of shop/checkout already, since ", own.short());
    let said = said.replace('`', "");
    assert!(said.contains(&there), "{said}");
    assert!(said.contains("rollback is not set up there: ask whoever may push to master"), "{said}");
    assert!(!said.contains("hold SHA") && !place.ok(&["status"]).contains("is held"), "{said}");
    drop(service);
    also(&place, "rollback = true");
    let service = place.serve();
    for (user, n, says) in
        [("UDAN", 2, "takes an operator"), ("UOLGA", 3, "rollback shop/checkout production --reason")]
    {
        slack(&service, &pressed(&platform, user, &format!("1.{n}"), &press), SIGNING, 0);
        let said = shown(&platform.tells(n)).replace('`', "");
        assert!(said.contains(&there) && said.contains(says), "{user}: {said}");
    }
}

#[test]
fn hold_mine_holds_each_of_theirs_where_histories_were_merged() {
    let platform = Platform::new();
    let place = place(&platform);
    let repo = place.repo("checkout");
    let first = repo.tip("develop").unwrap();
    let ana = "Ana <ana@example.com>";
    let one = repo.commit_as(&[first], "one", &[("b", "1")], "One", ana);
    let other = repo.commit_as(&[first], "other", &[("c", "1")], "Other", ana);
    let merged = repo.commit_as(&[first, one], "develop", &[("b", "1")], "Merge one", "Zoe <zoe@example.com>");
    let both = repo.commit_as(
        &[merged, other],
        "develop",
        &[("b", "1"), ("c", "1")],
        "Merge other",
        "Zoe <zoe@example.com>",
    );
    let service = place.serve();
    place.arrives("checkout", "staging", both);
    let press = Press::HoldMine { flow: "shop/checkout".into(), env: "production".into(), newest: both };
    slack(&service, &pressed(&platform, "UDAN", "1.a", &press), SIGNING, 0);
    let done = shown(&platform.tells(1));
    assert!(done.contains(&one.short()) && done.contains(&other.short()), "{done}");
    let status = place.ok(&["status"]);
    for commit in [one, other] {
        assert!(status.contains(&format!("{} is held", commit.short())), "{status}");
    }
}
