//! People talk to the real service from a chat: real git, real SQLite, real HTTP, requests signed as the platforms sign
//! them. What stands in for the platform is a server that keeps what it is told.

mod confirm;
mod died;
mod first;
pub(crate) mod matter;
mod mine;
mod platform;
mod private;
mod room;
mod slow;
mod socket;
mod strangers;
mod typed;
mod written;

use serde_json::{Value as Json, json};
use towpath::chat::mattermost::seal;
use towpath::chat::message::Press;
use towpath::chat::slack::sign;
use towpath::clock::Clock;
use towpath::secret::Secret;

use crate::serve::place::{Answer, Place, Service, wait};

pub(crate) use platform::Platform;

pub(crate) const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// Everything that is shown of a message, as one text.
pub(crate) fn shown(message: &Json) -> String {
    // Where mark-up is read, a colon that could begin an emoji is another sign.
    message["text"].as_str().unwrap_or_default().replace('\u{2236}', ":")
}

/// Three environments, an operator, a developer who wrote the newest commit, and the two chats.
pub(crate) fn place(platform: &Platform) -> Place {
    let url = format!("http://127.0.0.1:{}", platform.port);
    let place = Place::new(
        &["checkout"],
        &format!(
            r#"
[service]
look = "0 0 1 1 *"
public_url = "https://towpath.example.com"

[chat.work]
kind = "slack"
teams = ["T1"]
url = "{url}/api"
token = {{ file = "secret" }}
secrets = [{{ file = "old-signing" }}, {{ file = "signing" }}]
channels = [{{ id = "CSHOP", flow = "checkout" }}, {{ id = "CPROD", environment = "production" }}]

[chat.matter]
kind = "mattermost"
teams = ["M1", "M2"]
url = "{url}"
token = {{ file = "secret" }}
secrets = [{{ file = "signing" }}]
button_secrets = [{{ file = "buttons" }}]

[people.olga]
role = "operator"
identities = ["slack:T1/UOLGA", "mattermost:M2/uolga"]

[people.dan]
role = "developer"
identities = ["slack:T1/UDAN", "mail:ana@example.com"]

[people.eve]
role = "developer"
identities = ["slack:T1/UEVE"]

[[flow]]
repository = "checkout.git"
name = "shop/checkout"
zone = "Europe/Warsaw"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
[[flow.environment]]
name = "production"
branch = "master"
gates.lag = "1d"
"#
        ),
    );
    for (name, secret) in [("signing", SIGNING), ("old-signing", "another"), ("buttons", "buttons of the tests")] {
        std::fs::write(place.path().join(name), secret).unwrap();
    }
    place
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn now() -> i64 {
    Clock::System.reading().wall.0 / 1_000
}

pub(crate) fn post(service: &Service, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    service.ask(&head, body.as_bytes())
}

/// A request of Slack's, signed so many seconds ago.
pub(crate) fn slack(service: &Service, body: &str, key: &str, late: i64) -> Answer {
    let stamp = (now() - late).to_string();
    let signature = sign(key.as_bytes(), &stamp, body.as_bytes());
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Slack-Request-Timestamp", stamp.as_str()),
        ("X-Slack-Signature", signature.as_str()),
    ];
    post(service, "/chat/work", &headers, body)
}

/// A slash command as Slack's documentation shows one.
pub(crate) fn slash(
    platform: &Platform,
    (team, user, channel): (&str, &str, &str),
    trigger: &str,
    text: &str,
) -> String {
    encoded(&[
        ("token", "deprecated"),
        ("team_id", team),
        ("team_domain", "example"),
        ("channel_id", channel),
        ("channel_name", "shop"),
        ("user_id", user),
        ("user_name", "somebody"),
        ("command", "/towpath"),
        ("text", text),
        ("response_url", &format!("http://127.0.0.1:{}/commands/1234/{trigger}", platform.port)),
        ("trigger_id", trigger),
        ("api_app_id", "A1"),
    ])
}

pub(crate) fn pressed(platform: &Platform, user: &str, trigger: &str, press: &Press) -> String {
    let payload = json!({
        "type": "block_actions",
        "user": { "id": user, "username": "somebody", "team_id": "T1" },
        "team": { "id": "T1", "domain": "example" },
        "channel": { "id": "CSHOP", "name": "shop" },
        "container": { "type": "message", "message_ts": "1.1", "channel_id": "CSHOP" },
        "trigger_id": trigger,
        "response_url": format!("http://127.0.0.1:{}/actions/1234/{trigger}", platform.port),
        "actions": [{ "type": "button", "action_id": "towpath-0", "block_id": "b",
            "value": serde_json::to_string(press).unwrap(), "action_ts": "1.2" }],
    });
    encoded(&[("payload", &payload.to_string())])
}

/// What the button of an answer does.
pub(crate) fn button(message: &Json) -> (String, Press) {
    let blocks = message["blocks"].as_array().unwrap();
    let action = blocks.iter().find(|block| block["type"] == "actions").expect("buttons");
    let one = &action["elements"][0];
    (
        one["text"]["text"].as_str().unwrap().to_owned(),
        serde_json::from_str(one["value"].as_str().unwrap()).unwrap(),
    )
}

pub(crate) fn rows(place: &Place) -> Vec<Json> {
    let export = place.ok(&["history", "--export"]);
    let rows =
        export.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str::<Json>(line).unwrap());
    rows.filter(|row| row["what"] == "audit" && !row["row"]["came"].is_null())
        .map(|row| row["row"].clone())
        .collect()
}

#[test]
fn a_pause_from_slack_is_acknowledged_carried_out_answered_and_on_record() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let text = "pause production —for 2h —reason “database &amp; failover”";
    let body = slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", text);
    let ack = slack(&service, &body, SIGNING, 0);
    assert_eq!((ack.status, ack.body.as_str()), (200, ""), "nothing is shown yet");
    let answer = platform.tells(1);
    assert_eq!(answer["response_type"], "in_channel", "what was done concerns everybody there");
    let words = shown(&answer);
    assert!(words.contains("is paused until") && words.contains("Recorded as command-"), "{words}");
    let status = place.ok(&["status"]);
    assert!(status.contains("by `olga`: database & failover"), "{status}");
    // The platform sends it once more: it was taken.
    assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
    let body = slash(&platform, ("T1", "UOLGA", "CELSE"), "1.b", "status checkout");
    assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
    let asked = platform.tells(2);
    assert_eq!(asked["response_type"], "ephemeral", "what was asked is shown to whoever asked");
    assert!(shown(&asked).contains("is paused until"), "{asked}");
    assert_eq!(platform.told().len(), 2, "one answer to what came twice");
    let rows = rows(&place);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let (row, came) = (&rows[0], &rows[0]["came"]);
    assert_eq!((&row["by"], &row["allowed"]), (&json!("olga"), &json!(true)));
    assert_eq!(row["command"], "pause shop/checkout production --for 2h --reason \"database & failover\"");
    assert_eq!(came["surface"], "chat");
    assert_eq!(came["identity"], "slack:T1/UOLGA");
    assert_eq!(came["place"], "work:CSHOP");
    assert_eq!(came["said"], "pause production —for 2h —reason “database & failover”");
    assert_eq!(came["rule"], "role operator");
    for (result, times) in [("taken", 2.0), ("repeated", 1.0)] {
        let name = format!("towpath_hooks_total{{source=\"chat\",result=\"{result}\"}}");
        assert_eq!(service.metric(&name), Some(times), "{name}");
    }
}

#[test]
fn what_is_not_the_platforms_is_refused_counted_and_not_stored() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    let good = slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", "freeze all --reason now");
    let stamp = now().to_string();
    let signature = sign(SIGNING.as_bytes(), &stamp, good.as_bytes());
    let cases: Vec<(&str, Answer, u16)> = vec![
        ("forged", slack(&service, &good, "not the secret", 0), 401),
        ("out-of-time", slack(&service, &good, SIGNING, 400), 401),
        ("out-of-time", slack(&service, &good, SIGNING, -400), 401),
        ("unsigned", post(&service, "/chat/work", &[], &good), 401),
        (
            "forged",
            post(
                &service,
                "/chat/work",
                &[("X-Slack-Request-Timestamp", &stamp), ("X-Slack-Signature", &signature)],
                &good.replace("now", "nox"),
            ),
            401,
        ),
        ("wrong-team", slack(&service, &good.replace("team_id=T1", "team_id=T2"), SIGNING, 0), 403),
        (
            "elsewhere",
            slack(&service, &good.replace(&format!("{}%2Fcommands", platform.port), "1%2Fcommands"), SIGNING, 0),
            400,
        ),
        ("unreadable", slack(&service, "text=freeze+all", SIGNING, 0), 400),
        ("unreadable", slack(&service, "payload=%7B", SIGNING, 0), 400),
        ("too-large", slack(&service, &"x".repeat(600_000), SIGNING, 0), 413),
    ];
    for (what, answer, status) in &cases {
        assert_eq!(answer.status, *status, "{what}: {answer:?}");
        assert!(!answer.body.contains(SIGNING) && !answer.body.contains(&signature), "{answer:?}");
    }
    assert_eq!(post(&service, "/chat/nobody", &[], &good).status, 404);
    assert_eq!(post(&service, "/chat/work/press", &[], &good).status, 401);
    for (result, times) in [("forged", 2.0), ("out-of-time", 2.0), ("unsigned", 2.0), ("wrong-team", 1.0)] {
        let name = format!("towpath_hooks_total{{source=\"chat\",result=\"{result}\"}}");
        assert_eq!(service.metric(&name), Some(times), "{name}");
    }
    let log = service.log().join("\n");
    assert!(log.contains("wrong-team") && !log.contains(SIGNING) && !log.contains(&signature), "{log}");
    assert!(!place.ok(&["status"]).contains("frozen"));
    assert_eq!(rows(&place), Vec::<Json>::new());
    // Slack looks whether somebody is there.
    assert_eq!(slack(&service, "ssl_check=1&token=x", SIGNING, 0).status, 200);
    assert_eq!(platform.told(), Vec::new());
}

#[test]
fn who_is_linked_to_nobody_may_ask_and_is_told_how_to_be_linked() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let said = [
        ("UX", "where HEAD", "is no commit"),
        ("UX", "status production", "production"),
        ("UX", "whoami", "is linked to no person: have it added to your identities"),
        (
            "UX",
            "pause production --for 1h --reason r",
            "slack:T1/UX is linked to no person here and so may only ask",
        ),
        ("UX", "", "pause TARGET"),
        ("UX", "puase all --reason x", "pause"),
        ("UDAN", "pause production --for 1h --reason r", "takes an operator: ask olga"),
        ("UDAN", "pause staging --for 1h --reason r", "is paused until"),
        ("UDAN", "help hold", "hold SHA"),
        ("UDAN", "history", "pause shop/checkout staging"),
    ];
    for (at, (user, text, wanted)) in said.iter().enumerate() {
        let body = slash(&platform, ("T1", user, "CSHOP"), &format!("{at}.t"), text);
        assert_eq!(slack(&service, &body, SIGNING, 0).status, 200, "{text}");
        let words = shown(&platform.tells(at + 1)).replace('`', "");
        assert!(words.contains(wanted), "{text}: {words}");
    }
    // In a channel of an environment that word need not be said, and in no channel of ours all must be.
    for (at, (channel, text, wanted)) in [
        ("CPROD", "explain checkout", "production"),
        ("CSHOP", "explain production", "production"),
        ("CELSE", "explain production", "ENV"),
    ]
    .iter()
    .enumerate()
    {
        let body = slash(&platform, ("T1", "UOLGA", channel), &format!("{at}.c"), text);
        assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
        let words = shown(&platform.tells(said.len() + at + 1));
        assert!(words.contains(wanted), "{channel} {text}: {words}");
    }
}

#[test]
fn a_platform_that_takes_no_answer_keeps_no_pause_waiting() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    platform.limits();
    for n in 0..8 {
        let body = slash(&platform, ("T1", "UX", "CSHOP"), &format!("{n}.a"), "status");
        assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
    }
    let text = "pause all --for 1h --reason urgent";
    slack(&service, &slash(&platform, ("T1", "UOLGA", "CSHOP"), "9.a", text), SIGNING, 0);
    wait("the pause", || place.ok(&["status"]).contains("every flow is paused"));
    // And in the order in which they are said.
    for n in 0..6 {
        for (at, text) in ["resume all", "freeze all --for 1h --reason again"].iter().enumerate() {
            let body = slash(&platform, ("T1", "UOLGA", "CSHOP"), &format!("{n}{at}.b"), text);
            slack(&service, &body, SIGNING, 0);
        }
        if n == 0 {
            // `resume all` sets more than one flow going only where there is more than one.
            wait("the freeze", || place.ok(&["status"]).contains("every flow is frozen"));
        }
    }
    wait("all twelve", || rows(&place).len() >= 13);
    assert!(place.ok(&["status"]).contains("every flow is frozen"), "the last word counts");
    let commands: Vec<String> = rows(&place)
        .iter()
        .map(|row| row["command"].as_str().unwrap().split(' ').next().unwrap().to_owned())
        .collect();
    assert!(commands[1..].chunks(2).all(|pair| pair == ["resume", "freeze"]), "{commands:?}");
}

#[test]
fn what_is_for_one_person_is_never_said_to_all() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    // The address for the answer is over.
    slack(&service, &slash(&platform, ("T1", "UX", "CSHOP"), "gone", "status"), SIGNING, 0);
    platform.tells(2);
    let told = platform.told();
    assert_eq!(told[1].0, "/api/chat.postEphemeral", "{told:?}");
    assert_eq!((&told[1].1["user"], &told[1].1["channel"]), (&json!("UX"), &json!("CSHOP")));
    assert!(!told.iter().any(|(path, _)| path.ends_with("chat.postMessage")), "{told:?}");
}

#[test]
fn a_button_of_mattermost_is_good_for_its_channel_and_does_nothing_unproven() {
    let platform = Platform::new();
    let place = place(&platform);
    place.ok(&["run"]);
    place.ok(&["pause", "checkout", "production", "--for", "1h", "--reason", "r"]);
    let service = place.serve();
    // A button of ours, pressed by whoever wrote that name: this server tells no key.
    let wall = Clock::System.reading().wall;
    let press = Press::Say("resume checkout production".to_owned());
    let key = Secret::new(b"buttons of the tests".to_vec());
    let sealed = seal::seal(&key, &press, "channelofshop", wall).unwrap();
    let action = |channel: &str, sealed: &seal::Sealed| {
        json!({ "user_id": "uolga", "user_name": "olga", "channel_id": channel, "team_id": "M2", "post_id": "p1",
            "trigger_id": "t4", "type": "button", "context": { "towpath": sealed } })
        .to_string()
    };
    let json = [("Content-Type", "application/json")];
    assert_eq!(post(&service, "/chat/matter/press", &json, &action("otherchannel", &sealed)).status, 403);
    let forged = seal::seal(&Secret::new(b"guessed".to_vec()), &press, "channelofshop", wall).unwrap();
    assert_eq!(post(&service, "/chat/matter/press", &json, &action("channelofshop", &forged)).status, 401);
    let said = post(&service, "/chat/matter/press", &json, &action("channelofshop", &sealed));
    assert_eq!(said.status, 200);
    let said: Json = serde_json::from_str(&said.body).unwrap();
    assert!(said["ephemeral_text"].as_str().unwrap().contains("does not prove who pressed"), "{said}");
    assert!(place.ok(&["status"]).contains("is paused"), "nothing was done");
}

#[test]
fn the_app_and_the_steps_are_printed() {
    let place = Place::new(&[], "");
    let app: Json =
        serde_json::from_str(&place.ok(&["chat", "manifest", "slack", "--url", "https://t.example/chat/work"]))
            .unwrap();
    assert_eq!(app["features"]["slash_commands"][0]["url"], "https://t.example/chat/work");
    let socket: Json = serde_json::from_str(&place.ok(&["chat", "manifest", "slack"])).unwrap();
    assert_eq!(socket["settings"]["socket_mode_enabled"], true);
    let steps = place.ok(&["chat", "manifest", "mattermost", "--url", "https://t.example/chat/m"]);
    assert!(steps.contains("mmctl command create") && steps.contains("https://t.example/chat/m"), "{steps}");
    for args in [&["chat", "manifest", "mattermost"][..], &["chat", "manifest", "slack", "--url", "t.example"]] {
        let ran = place.run(args);
        let words = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.code() == Some(2) && words.contains("--url https://"), "{words}");
    }
}
