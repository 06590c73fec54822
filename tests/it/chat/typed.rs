//! What is shown first is confirmed by typing its code: where there are no buttons, and beside them.

use super::matter::{Server, typed};
use super::{Platform, SIGNING, button, place, pressed, rows, shown, slack, slash};
use crate::serve::place::{Place, Service};

/// The same place without what buttons of Mattermost need.
fn without_buttons(place: &Place) {
    let path = place.path().join("towpath.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let less = text.replace("public_url = \"https://towpath.example.com\"\n", "");
    assert_ne!(less, text);
    place.config(&less);
}

/// The code that an answer names.
fn code(words: &str) -> String {
    let plain = words.replace(['`', '\\', '\u{200b}'], "");
    let (_, rest) = plain.split_once("/towpath confirm ").unwrap_or_else(|| panic!("no code: {words}"));
    rest.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Somebody of Mattermost says something; what is answered.
struct Talk<'a> {
    server: &'a Server,
    service: &'a Service,
    platform: &'a Platform,
}

impl Talk<'_> {
    fn says(&self, user: &str, at: &str, text: &str) -> String {
        self.says_by(&self.server.trigger(&format!("x{at}"), user, 0), user, at, text)
    }

    fn says_by(&self, trigger: &str, user: &str, at: &str, text: &str) -> String {
        let ack = typed((self.service, self.platform), (SIGNING, user), (trigger, at), text);
        assert_eq!((ack.status, ack.body.as_str()), (200, "{}"), "{text}");
        shown(&self.platform.tells_at(at))
    }
}

fn commands(place: &Place, allowed: bool) -> Vec<String> {
    let of = rows(place).into_iter().filter(|row| row["allowed"] == allowed && row["came"]["dry_run"] != true);
    of.map(|row| row["command"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn where_there_are_no_buttons_its_code_does_exactly_what_was_shown_once() {
    let platform = Platform::new();
    let server = Server::of(&platform);
    let place = place(&platform);
    without_buttons(&place);
    let service = place.serve();
    let tip = place.push("checkout", "2");
    place.ok(&["run"]);
    place.arrives("checkout", "staging", tip);
    let talk = Talk { server: &server, service: &service, platform: &platform };
    let tried = talk.says("uolga", "a1", "promote checkout production --reason \"customers wait\"");
    let plain = tried.replace("&#58;", ":").replace('`', "");
    assert!(plain.contains("Nothing was done yet: /towpath confirm "), "{tried}");
    assert!(!plain.contains("Do it"), "there is no such button: {tried}");
    let code = code(&tried);
    assert_eq!(code.len(), 6, "{tried}");
    // Something newer comes; what was shown is what is done.
    let newer = place.push("checkout", "3");
    // The service may be looking at the flow just then, and a run leaves it to it.
    for _ in 0..20 {
        place.ok(&["run"]);
        if place.repo("checkout").tip("staging") == Some(newer) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(250));
    }
    place.arrives("checkout", "staging", newer);
    // Nobody else's code, and none that nobody was shown.
    for (user, at, text) in [
        ("udan", "b1", format!("confirm {code}")),
        ("uolga", "b2", "confirm bbbbbb".to_owned()),
        ("uolga", "b3", "confirm".to_owned()),
        ("uolga", "b4", format!("confirm {code} now")),
    ] {
        let words = talk.says(user, at, &text);
        assert!(words.contains("you were shown"), "{user} {text}: {words}");
    }
    // Nor does it do anything without the server's word of who typed it, or use up hers.
    let unproven = talk.says_by("unsigned", "uolga", "b5", &format!("confirm {code}"));
    assert!(unproven.contains("Nothing is done"), "{unproven}");
    assert_eq!(commands(&place, true), Vec::<String>::new());
    assert_ne!(place.repo("checkout").tip("master"), Some(tip));
    let done = talk.says("uolga", "c1", &format!("  Confirm {}", code.to_uppercase()));
    assert!(done.replace('\\', "").contains("Recorded as command"), "{done}");
    place.arrives("checkout", "master", tip);
    assert_ne!(place.repo("checkout").tip("master"), Some(newer), "exactly what was shown");
    let carried = commands(&place, true);
    assert_eq!(carried, [format!("promote shop/checkout production to {tip} --reason \"customers wait\"")]);
    let again = talk.says("uolga", "c2", &format!("confirm {code}"));
    assert!(again.contains("you have confirmed this already"), "{again}");
    assert_eq!(commands(&place, true).len(), 1);
}

#[test]
fn a_code_is_of_the_store_and_holds_the_tip_that_was_shown() {
    let platform = Platform::new();
    let server = Server::of(&platform);
    let place = place(&platform);
    without_buttons(&place);
    let text = std::fs::read_to_string(place.path().join("towpath.toml")).unwrap();
    place.config(&text.replace("gates.lag = \"1d\"", "rollback = true"));
    let mut tips = Vec::new();
    for n in 2..5 {
        tips.push(place.push("checkout", &n.to_string()));
        place.ok(&["run"]);
        place.ok(&["run"]);
        assert_eq!(place.repo("checkout").tip("master"), tips.last().copied());
    }
    let (first, second) = {
        let service = place.serve();
        service.says(&["production", "up to date"]);
        let talk = Talk { server: &server, service: &service, platform: &platform };
        let say = |at: &str| code(&talk.says("uolga", at, "rollback checkout production --reason bad"));
        (say("a1"), say("a2"))
    };
    assert_ne!(first, second, "each showing has its own");
    // Another process hears it.
    let service = place.serve();
    let talk = Talk { server: &server, service: &service, platform: &platform };
    let done = talk.says("uolga", "b1", &format!("confirm {first}"));
    assert!(done.contains("goes back"), "{done}");
    place.arrives("checkout", "master", tips[1]);
    // The other one was for where the branch was then.
    let late = talk.says("uolga", "b2", &format!("confirm {second}"));
    assert!(late.contains("say it again") || late.contains("already"), "{late}");
    assert_eq!(place.repo("checkout").tip("master"), Some(tips[1]));
}

#[test]
fn in_slack_a_code_is_the_button_and_replaces_nothing() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    let tip = place.push("checkout", "2");
    place.ok(&["run"]);
    place.arrives("checkout", "staging", tip);
    let say = |at: usize, user: &str, trigger: &str, text: &str| {
        slack(&service, &slash(&platform, ("T1", user, "CSHOP"), trigger, text), SIGNING, 0);
        platform.tells(at)
    };
    // Longer than a button can hold: only its code is left.
    let long = format!("promote production --reason \"{}\"", "\u{1f600}".repeat(490));
    let tried = say(1, "UOLGA", "1.a", &long);
    assert!(!tried["blocks"].to_string().contains("\"actions\""), "{tried:#}");
    let of_long = code(&shown(&tried));
    let tried = say(2, "UOLGA", "1.b", "promote production --reason short");
    let (_, press) = button(&tried);
    let of_short = code(&shown(&tried));
    let done = say(3, "UOLGA", "1.c", &format!("confirm {of_short}"));
    assert!(shown(&done).contains("Recorded as command-"), "{done}");
    assert_ne!(done["replace_original"], true, "there is no message in whose place it stands: {done}");
    assert_eq!(done["response_type"], "in_channel");
    // The button of the same showing is spent with it.
    slack(&service, &pressed(&platform, "UOLGA", "1.d", &press), SIGNING, 0);
    assert!(shown(&platform.tells(4)).contains("you have confirmed this already"), "{:?}", platform.told());
    place.arrives("checkout", "master", tip);
    let late = say(5, "UOLGA", "1.e", &format!("confirm {of_long}"));
    assert!(!shown(&late).contains("you were shown nothing"), "it is known: {late}");
}
