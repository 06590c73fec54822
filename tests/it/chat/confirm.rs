//! What moves a branch is shown first, and done when it is confirmed: exactly that, once, by whoever may.

use serde_json::{Value as Json, json};
use towpath::chat::message::Press;
use towpath::clock::Clock;
use towpath_core::model::Instant;

use super::{Platform, SIGNING, button, place, pressed, shown, slack, slash};

#[test]
fn what_moves_a_branch_is_shown_first_and_done_when_it_is_confirmed() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    let tip = place.push("checkout", "2");
    place.ok(&["run"]);
    place.arrives("checkout", "staging", tip);
    let text = "promote production --reason \"customers wait\"";
    slack(&service, &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", text), SIGNING, 0);
    let tried = platform.tells(1);
    assert_eq!(tried["response_type"], "ephemeral");
    let words = shown(&tried);
    let how = words.rsplit("Nothing was done yet: ").next().unwrap_or_default();
    assert!(
        how.starts_with("Do it below, or /towpath confirm ") && how.contains(", does exactly this, until "),
        "{words}"
    );
    assert!(how.ends_with(" CET.") || how.ends_with(" CEST."), "in the flow's zone: {words}");
    assert!(!words.contains("dry run") && !words.contains("ten minutes"), "{words}");
    let (label, press) = button(&tried);
    assert_eq!(label, "Do it");
    assert_ne!(place.repo("checkout").tip("master"), Some(tip));
    // Somebody else may press it, and may no more for it.
    slack(&service, &pressed(&platform, "UDAN", "2.a", &press), SIGNING, 0);
    assert!(shown(&platform.tells(2)).contains("takes an operator"), "{:?}", platform.told());
    slack(&service, &pressed(&platform, "UOLGA", "2.b", &press), SIGNING, 0);
    // What was shown to one person can be replaced for that person alone, so everybody is told apart.
    let own = platform.tells(3);
    assert_eq!((&own["response_type"], &own["replace_original"]), (&json!("ephemeral"), &json!(true)), "{own}");
    assert!(
        shown(&own).starts_with("Confirmed: ") && own.to_string().find("towpath-0").is_none(),
        "no button: {own}"
    );
    let done = platform.tells(4);
    assert!(shown(&done).contains("Recorded as command-"), "{done}");
    assert_eq!(
        (&done["response_type"], &done["replace_original"]),
        (&json!("in_channel"), &json!(false)),
        "{done}"
    );
    place.arrives("checkout", "master", tip);
    // A second press, however it comes, does nothing.
    slack(&service, &pressed(&platform, "UOLGA", "2.c", &press), SIGNING, 0);
    let again = platform.tells(5);
    assert!(shown(&again).contains("you have confirmed this already"), "{:?}", platform.told());
    assert_eq!(
        (&again["response_type"], &again["replace_original"]),
        (&json!("ephemeral"), &json!(true)),
        "{again}"
    );
    assert_eq!(platform.all_at("2.b").len(), 2);
}

#[test]
fn what_everybody_is_to_be_told_is_said_again_where_it_was_not_taken() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    let tip = place.push("checkout", "2");
    place.ok(&["run"]);
    place.arrives("checkout", "staging", tip);
    let text = "promote production --reason \"customers wait\"";
    slack(&service, &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", text), SIGNING, 0);
    let (_, press) = button(&platform.tells(1));
    platform.stumbles("response_type", "in_channel");
    slack(&service, &pressed(&platform, "UOLGA", "2.a", &press), SIGNING, 0);
    let last = platform.tells_so_many_at("2.a", 3);
    assert_eq!(last["response_type"], "in_channel");
    assert!(shown(&last).contains("Recorded as command-"), "{last}");
    let kinds: Vec<Json> = platform.all_at("2.a").iter().map(|said| said["response_type"].clone()).collect();
    assert_eq!(kinds, ["ephemeral", "in_channel", "in_channel"], "what was taken is not said again");
}

#[test]
fn what_is_confirmed_is_what_was_shown_and_nothing_else() {
    let platform = Platform::new();
    let place = place(&platform);
    let text = std::fs::read_to_string(place.path().join("towpath.toml")).unwrap();
    place.config(&text.replace("gates.lag = \"1d\"", "rollback = true"));
    let service = place.serve();
    let mut tips = Vec::new();
    for n in 2..5 {
        tips.push(place.push("checkout", &n.to_string()));
        place.ok(&["run"]);
        place.arrives("checkout", "staging", tips[tips.len() - 1]);
        place.ok(&["run"]);
        place.arrives("checkout", "master", tips[tips.len() - 1]);
    }
    slack(
        &service,
        &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", "rollback production --reason bad"),
        SIGNING,
        0,
    );
    let (_, press) = button(&platform.tells(1));
    let Press::Confirm { command, tip, .. } = &press else { panic!("{press:?}") };
    assert!(command.contains(&tips[1].to_string()) && *tip == Some(tips[2]), "{press:?}");
    // What is behind a showing of somebody else's, on another day.
    for (at, (user, wanted)) in
        [("UDAN", "takes an operator"), ("UOLGA", "goes back"), ("UOLGA", "confirmed this already")]
            .iter()
            .enumerate()
    {
        let end = format!("{at}.p");
        slack(&service, &pressed(&platform, user, &end, &press), SIGNING, 0);
        let words = shown(&platform.tells_so_many_at(&end, if *wanted == "goes back" { 2 } else { 1 }));
        assert!(words.contains(wanted), "{words}");
    }
    place.arrives("checkout", "master", tips[1]);
    // From where the branch is now it is not what was shown.
    let late = match press.clone() {
        Press::Confirm { command, tip, .. } => Press::Confirm {
            command: command.replace(&tips[1].to_string(), &tips[0].to_string()),
            tip,
            once: "another".to_owned(),
            until: Instant(Clock::System.reading().wall.0 + 60_000),
            told: None,
        },
        other => other,
    };
    slack(&service, &pressed(&platform, "UOLGA", "9.a", &late), SIGNING, 0);
    assert!(shown(&platform.tells_at("9.a")).contains("say it again"), "{:?}", platform.told());
    let old = match press {
        Press::Confirm { command, tip, once, .. } => {
            Press::Confirm { command, tip, once, until: Instant(1_700_000_000_000), told: None }
        }
        other => other,
    };
    slack(&service, &pressed(&platform, "UOLGA", "9.b", &old), SIGNING, 0);
    assert!(shown(&platform.tells_at("9.b")).contains("too long ago"), "{:?}", platform.told());
    assert_eq!(place.repo("checkout").tip("master"), Some(tips[1]));
}

/// Nothing came of it because something failed: the same press does it when that is over.
#[test]
fn what_failed_can_be_confirmed_again() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    let tip = place.push("checkout", "2");
    place.ok(&["run"]);
    place.arrives("checkout", "staging", tip);
    let text = "promote production --reason \"customers wait\"";
    slack(&service, &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", text), SIGNING, 0);
    let (_, press) = button(&platform.tells(1));
    let (there, away) = (place.repo("checkout").dir.clone(), place.path().join("away.git"));
    std::fs::rename(&there, &away).unwrap();
    slack(&service, &pressed(&platform, "UOLGA", "2.a", &press), SIGNING, 0);
    let failed = shown(&platform.tells_at("2.a"));
    assert!(failed.contains("Recorded as refused-") && !failed.contains("confirmed this already"), "{failed}");
    std::fs::rename(&away, &there).unwrap();
    slack(&service, &pressed(&platform, "UOLGA", "2.b", &press), SIGNING, 0);
    let done = shown(&platform.tells_so_many_at("2.b", 2));
    assert!(done.contains("Recorded as command-"), "{done}");
    place.arrives("checkout", "master", tip);
    slack(&service, &pressed(&platform, "UOLGA", "2.c", &press), SIGNING, 0);
    assert!(shown(&platform.tells_at("2.c")).contains("you have confirmed this already"), "{:?}", platform.told());
}
