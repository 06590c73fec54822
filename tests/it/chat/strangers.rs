//! Who is linked to no person, in a chat that answers people alone.

use serde_json::{Value as Json, json};

use super::{Platform, SIGNING, place, pressed, rows, shown, slack, slash};
use crate::serve::place::wait;

#[test]
fn a_chat_may_answer_nobody_but_people() {
    let platform = Platform::new();
    let place = place(&platform);
    let text = std::fs::read_to_string(place.path().join("towpath.toml")).unwrap();
    let open = text.clone();
    place.config(&text.replace("teams = [\"T1\"]", "teams = [\"T1\"]\nstrangers = \"none\""));
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let said = [
        "status",
        "status checkout",
        "history",
        "",
        "help",
        "whoami",
        "where HEAD",
        "explain checkout production",
        "puase checkout",
        "status nosuchflow",
        "pause production --for 1h --reason r",
    ];
    for (at, text) in said.iter().enumerate() {
        slack(&service, &slash(&platform, ("T1", "UX", "CSHOP"), &format!("{at}.t"), text), SIGNING, 0);
        let told = platform.tells(at + 1);
        let words = shown(&told).replace('`', "");
        assert_eq!(told["response_type"], "ephemeral");
        assert!(words.starts_with("slack:T1/UX is linked to no person") && words.contains("identities"), "{words}");
        for secret in ["production", "staging", "up to date", "olga", "pause TARGET"] {
            assert!(!words.contains(secret), "{text}: {words}");
        }
    }
    // Nor by a button, whatever it shows.
    let tip = place.repo("checkout").tip("develop").unwrap();
    let hold = towpath::chat::message::Press::HoldMine {
        flow: "shop/checkout".into(),
        env: "production".into(),
        newest: tip,
    };
    let say = towpath::chat::message::Press::Say("status".to_owned());
    for (at, press) in [hold, say].iter().enumerate() {
        slack(&service, &pressed(&platform, "UX", &format!("{at}.p"), press), SIGNING, 0);
        let words = shown(&platform.tells(said.len() + at + 1));
        assert!(words.contains("is linked to no person") && !words.contains("production"), "{words}");
    }
    // What was ordered is on record, and what people ask is answered.
    let on_record: Vec<Json> = rows(&place).iter().map(|row| row["allowed"].clone()).collect();
    assert_eq!(on_record, [json!(false)]);
    slack(&service, &slash(&platform, ("T1", "UEVE", "CSHOP"), "1.e", "status"), SIGNING, 0);
    assert!(shown(&platform.tells(said.len() + 3)).contains("production"), "{:?}", platform.told());
    // The config says otherwise, at once.
    place.config(&open);
    service.signal(rustix::process::Signal::HUP);
    wait("the reload", || service.log().iter().any(|line| line.contains("strangers")));
    wait("it is in force", || service.metric("towpath_config_reload_good") == Some(1.0));
    std::thread::sleep(std::time::Duration::from_millis(300));
    slack(&service, &slash(&platform, ("T1", "UX", "CSHOP"), "2.e", "status"), SIGNING, 0);
    assert!(shown(&platform.tells(said.len() + 4)).contains("production"), "{:?}", platform.told());
}
