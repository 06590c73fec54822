//! Forms and payloads, whole and broken.

use proptest::prelude::*;
use reqwest::Url;
use serde_json::{Value, json};
use towpath_core::people::Platform;

use crate::chat::hostile;
use crate::chat::incoming::{AnswerAt, BODY_MAX, Incoming, MessageAt, Proof, Refused, What};
use crate::chat::message::{Button, ButtonStyle, Message, Press};
use crate::chat::slack::read::{Place, Read, read, read_socket};
use crate::chat::slack::render;

const ANSWER: &str = "https://hooks.slack.com/commands/T0/1/abc";

fn api() -> Url {
    Url::parse("https://slack.com/api/").unwrap()
}

fn read_in(body: &[u8], teams: &[&str]) -> Result<Read, Refused> {
    let teams: Vec<String> = teams.iter().map(|team| (*team).to_owned()).collect();
    read(body, Place { teams: &teams, api: &api() })
}

fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
}

const SLASH: [(&str, &str); 9] = [
    ("token", "gIkuvaNzQIHg97ATvDxqgjtO"),
    ("team_id", "T0"),
    ("channel_id", "C2147483705"),
    ("user_id", "U2147483697"),
    ("user_name", "Steve"),
    ("command", "/towpath"),
    ("text", "pause &lt;all&gt; for <@U1|ana>"),
    ("response_url", ANSWER),
    ("trigger_id", "13345224609.738474920.8088930838d88f008e0"),
];

/// The form with one field changed, or without it.
fn slash(name: &str, value: Option<&str>) -> Vec<u8> {
    let others = SLASH.iter().copied().filter(|(had, _)| *had != name);
    form(&others.chain(value.map(|value| (name, value))).collect::<Vec<_>>())
}

#[test]
fn a_slash_command_is_read() {
    let Ok(Read::Incoming(incoming)) = read_in(&form(&SLASH), &["T9", "T0"]) else { panic!() };
    assert_eq!(incoming.answer_at.as_ref().map(AnswerAt::expose), Some(ANSWER));
    assert_eq!(format!("{:?}", incoming.answer_at), "Some(AnswerAt(hooks.slack.com/…))");
    assert_eq!(incoming.identity().unwrap().to_string(), "slack:T0/U2147483697");
    let expected = Incoming {
        platform: Platform::Slack,
        team: Some("T0".into()),
        user: "U2147483697".into(),
        user_name: "Steve".into(),
        proof: Proof::Request,
        channel: "C2147483705".into(),
        once: "13345224609.738474920.8088930838d88f008e0".into(),
        what: What::Said("pause <all> for @ana".into()),
        answer_at: incoming.answer_at.clone(),
        message: None,
    };
    assert_eq!(incoming, expected);
    // As it will be stored.
    let stored = serde_json::to_string(&incoming).unwrap();
    assert_eq!(serde_json::from_str::<Incoming>(&stored).unwrap(), incoming);
}

#[test]
fn a_slash_command_that_is_not_whole_is_refused() {
    let long = "x".repeat(4_001);
    for (name, value, wanted) in [
        ("team_id", None, Refused::Unreadable),
        ("team_id", Some("T1"), Refused::WrongTeam),
        ("team_id", Some("t0"), Refused::WrongTeam),
        ("team_id", Some("T0/U1"), Refused::Unreadable),
        ("user_id", None, Refused::Unreadable),
        ("user_id", Some("U1 "), Refused::Unreadable),
        ("user_id", Some("U1|boss"), Refused::Unreadable),
        ("channel_id", None, Refused::Unreadable),
        ("channel_id", Some("../x"), Refused::Unreadable),
        ("trigger_id", None, Refused::Unreadable),
        ("response_url", None, Refused::Elsewhere),
        ("response_url", Some("http://169.254.169.254/latest/meta-data"), Refused::Elsewhere),
        ("text", Some(&long), Refused::TooLarge),
    ] {
        assert_eq!(read_in(&slash(name, value), &["T0"]), Err(wanted), "{name} {value:?}");
    }
    assert_eq!(read_in(&form(&SLASH), &[]), Err(Refused::WrongTeam));
    assert_eq!(read_in(&vec![b'a'; BODY_MAX + 1], &["T0"]), Err(Refused::TooLarge));
    for body in [&b""[..], b"&&&===", b"\xff\xfe=\xff", b"payload=", b"payload=%7B", b"payload=null"] {
        assert_eq!(read_in(body, &["T0"]), Err(Refused::Unreadable), "{body:?}");
    }
    let mut twice = form(&SLASH);
    twice.extend_from_slice(b"&user_id=U1");
    assert_eq!(read_in(&twice, &["T0"]), Err(Refused::Unreadable));
    // Without a text it is a request, too; what nobody asked for does not matter.
    for body in [slash("text", None), [form(&SLASH), b"&new=1&new=2&%00=%ff".to_vec()].concat()] {
        assert!(matches!(read_in(&body, &["T0"]), Ok(Read::Incoming(_))));
    }
}

#[test]
fn a_probe_is_a_probe() {
    assert_eq!(read_in(b"ssl_check=1&token=x", &["T0"]), Ok(Read::Probe));
    assert_eq!(read_in(b"ssl_check=0", &["T0"]), Err(Refused::Unreadable));
}

/// Slack's own example of a pressed button, with ours in it.
fn payload() -> Value {
    json!({
        "type": "block_actions",
        "user": { "id": "U0CA5", "username": "amy.mcgee", "name": "amy", "team_id": "T0" },
        "api_app_id": "A0CA5",
        "token": "Shh_its_a_seekrit",
        "container": {
            "type": "message", "message_ts": "1548261231.000200", "channel_id": "CBR2V3XEX", "is_ephemeral": false,
            "is_app_unfurl": false
        },
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        "team": { "id": "T0", "domain": "pocket-calculator" },
        "enterprise": null,
        "channel": { "id": "CBR2V3XEX", "name": "review-updates" },
        "message": { "text": "x", "blocks": [{ "type": "divider" }] },
        "response_url": "https://hooks.slack.com/actions/T0/1/abc",
        "actions": [{
            "action_id": "towpath-0", "block_id": "=qXel", "type": "button", "action_ts": "1548426417.840180",
            "value": "{\"say\":\"status\"}"
        }]
    })
}

fn pressed(payload: &Value) -> Result<Incoming, Refused> {
    let body = form(&[("payload", &payload.to_string())]);
    let over_http = read_in(&body, &["T0", "E0"]).map(|read| match read {
        Read::Incoming(incoming) => incoming,
        Read::Probe => panic!(),
    });
    let teams = ["T0".to_owned(), "E0".to_owned()];
    let by_socket = read_socket("interactive", payload.clone(), Place { teams: &teams, api: &api() });
    assert_eq!(over_http, by_socket);
    over_http
}

#[test]
fn a_pressed_button_is_read() {
    let incoming = pressed(&payload()).unwrap();
    assert_eq!(incoming.what, What::Pressed(Press::Say("status".into())));
    let at = MessageAt { channel: "CBR2V3XEX".into(), id: "1548261231.000200".into() };
    assert_eq!((incoming.message, incoming.user_name.as_str()), (Some(at), "amy.mcgee"));
    assert_eq!((incoming.user.as_str(), incoming.team.as_deref()), ("U0CA5", Some("T0")));
    assert_eq!(incoming.once, "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3");
}

#[test]
fn a_button_in_odd_places_is_read_as_far_as_it_is_known() {
    let with = |path: &str, value: Value| {
        let mut payload = payload();
        *payload.pointer_mut(path).unwrap() = value;
        pressed(&payload)
    };
    assert_eq!(with("/container/is_ephemeral", json!(true)).unwrap().message, None);
    assert_eq!(with("/container/message_ts", json!(null)).unwrap().message, None);
    assert_eq!(with("/response_url", json!(null)).unwrap().answer_at, None);
    assert_eq!(with("/channel", json!(null)).unwrap().channel, "CBR2V3XEX");
    assert_eq!(with("/team", json!(null)).unwrap().team.as_deref(), Some("T0"));
    assert_eq!(with("/user/team_id", json!(null)).unwrap().team.as_deref(), Some("T0"));
    assert_eq!(with("/user/team_id", json!("E0")).unwrap().team.as_deref(), Some("E0"));
    for (path, value, wanted) in [
        // Somebody of another workspace, in a channel that both share.
        ("/user/team_id", json!("T7"), Refused::WrongTeam),
        ("/team/id", json!("T7"), Refused::WrongTeam),
        ("/type", json!("view_submission"), Refused::NotOurs),
        ("/type", json!("shortcut"), Refused::NotOurs),
        ("/type", json!(1), Refused::Unreadable),
        ("/user", json!(null), Refused::Unreadable),
        ("/user/id", json!("U0 CA5"), Refused::Unreadable),
        ("/channel/id", json!("C/1"), Refused::Unreadable),
        ("/container/message_ts", json!("1548261231"), Refused::Unreadable),
        ("/container/message_ts", json!("../1.2"), Refused::Unreadable),
        ("/trigger_id", json!(""), Refused::Unreadable),
        ("/response_url", json!("https://hooks.slack.com.evil.example/x"), Refused::Elsewhere),
        ("/actions", json!([]), Refused::Unreadable),
        ("/actions/0/action_id", json!("other-0"), Refused::NotOurs),
        ("/actions/0/value", json!(null), Refused::Unreadable),
        ("/actions/0/value", json!("{}"), Refused::Unreadable),
        ("/actions/0/value", json!("{\"say\":1}"), Refused::Unreadable),
        ("/actions/0/value", json!("x".repeat(2_001)), Refused::TooLarge),
    ] {
        assert_eq!(with(path, value.clone()), Err(wanted), "{path} {value}");
    }
    let mut no_place = payload();
    no_place["channel"] = json!(null);
    no_place["container"] = json!(null);
    assert_eq!(pressed(&no_place), Err(Refused::Unreadable));
    let mut no_team = payload();
    no_team["team"] = json!(null);
    no_team["user"]["team_id"] = json!(null);
    assert_eq!(pressed(&no_team), Err(Refused::Unreadable));
    let mut two = payload();
    two["actions"] = json!([two["actions"][0], two["actions"][0]]);
    assert_eq!(pressed(&two), Err(Refused::Unreadable));
    let deep = format!("payload={}", "[".repeat(200_000));
    assert_eq!(read_in(deep.as_bytes(), &["T0"]), Err(Refused::Unreadable));
}

#[test]
fn what_the_socket_brings_is_the_same_request() {
    let payload: Value = SLASH.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let teams = ["T0".to_owned()];
    let place = |teams| Place { teams, api: Box::leak(Box::new(api())) };
    let over_http = read_in(&form(&SLASH), &["T0"]);
    assert_eq!(read_socket("slash_commands", payload.clone(), place(&teams)).map(Read::Incoming), over_http);
    assert_eq!(read_socket("slash_commands", payload.clone(), place(&[])), Err(Refused::WrongTeam));
    assert_eq!(read_socket("slash_commands", json!([1]), place(&teams)), Err(Refused::Unreadable));
    assert_eq!(read_socket("slash_commands", json!({ "team_id": 1 }), place(&teams)), Err(Refused::Unreadable));
    assert_eq!(read_socket("events_api", payload, place(&teams)), Err(Refused::NotOurs));
}

#[test]
fn what_a_button_was_given_comes_back_when_it_is_pressed() {
    let presses = hostile::TEXTS.iter().map(|text| Press::Say((*text).to_owned())).chain([Press::HoldMine {
        flow: towpath_core::model::FlowName::new("checkout"),
        env: towpath_core::model::EnvName::new("production"),
        newest: "3f9c2d1a".repeat(5).parse().unwrap(),
    }]);
    for press in presses {
        let button = Button { label: "x".into(), press: press.clone(), style: ButtonStyle::Plain, confirm: None };
        let made = render(&Message { lines: vec![], buttons: vec![button; 2], in_short: None });
        for at in 0..2 {
            let element = &made["blocks"][0]["elements"][at];
            let mut payload = payload();
            payload["actions"][0]["action_id"] = element["action_id"].clone();
            payload["actions"][0]["value"] = element["value"].clone();
            assert_eq!(pressed(&payload).unwrap().what, What::Pressed(press.clone()));
        }
    }
    // Too long for a button, and so none.
    let press = Press::Say("x".repeat(2_000));
    let button = Button { label: "x".into(), press, style: ButtonStyle::Plain, confirm: None };
    assert_eq!(render(&Message { lines: vec![], buttons: vec![button], in_short: None })["blocks"], json!([]));
}

proptest! {
    #[test]
    fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
        let _ = read_in(&body, &["T0"]);
        let _ = read_in(&form(&[("payload", &text)]), &["T0"]);
        let _ = read_in(&slash("text", Some(&text)), &["T0"]);
    }
}
