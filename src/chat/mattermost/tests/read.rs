//! Forms and presses, whole, broken and forged.

use http::HeaderMap;
use proptest::prelude::*;
use reqwest::Url;
use serde_json::{Value, json};
use towpath_core::model::Instant;
use towpath_core::people::Platform;

use super::NOW;
use crate::chat::incoming::{AnswerAt, BODY_MAX, Incoming, MessageAt, Proof, Refused, Unproven, What};
use crate::chat::mattermost::seal::{LASTS, seal};
use crate::chat::mattermost::trigger::TriggerKey;
use crate::chat::mattermost::trigger::tests::Server;
use crate::chat::mattermost::{Place, pressed, typed};
use crate::chat::message::Press;
use crate::secret::Secret;

const TEAM: &str = "team1team1team1team1team11";
const USER: &str = "user1user1user1user1user11";
const CHANNEL: &str = "chan1chan1chan1chan1chan11";
const POST: &str = "post1post1post1post1post11";
const ANSWER: &str = "https://chat.example/mm/hooks/commands/hook1hook1hook1hook1hook11";

/// What is configured.
struct Config {
    teams: Vec<String>,
    server: Url,
    tokens: Vec<Secret>,
    seals: Vec<Secret>,
    key: Option<TriggerKey>,
}

impl Config {
    fn new() -> Self {
        Self {
            teams: vec![TEAM.to_owned()],
            server: Url::parse("https://chat.example/mm/").unwrap(),
            tokens: vec![Secret::new("token-of-a"), Secret::new("token-of-b")],
            seals: vec![Secret::new("new"), Secret::new("old")],
            key: None,
        }
    }

    fn place(&self) -> Place<'_> {
        let Self { teams, server, tokens, seals, .. } = self;
        Place { teams, server, tokens, seals }
    }
}

/// What was typed, judged by the key of the config.
fn typing(headers: &HeaderMap, body: &[u8], config: &Config) -> Result<Incoming, Refused> {
    typed(headers, body, config.place(), NOW)?.judged(config.key.as_ref())
}

fn headers(values: &[&str]) -> HeaderMap {
    values.iter().map(|value| (http::header::AUTHORIZATION, value.parse().unwrap())).collect()
}

const SLASH: [(&str, &str); 11] = [
    ("token", "token-of-b"),
    ("team_id", TEAM),
    ("team_domain", "ops"),
    ("channel_id", CHANNEL),
    ("channel_name", "town-square"),
    ("user_id", USER),
    ("user_name", "ana"),
    ("command", "/towpath"),
    ("text", "pause <!channel> &amp; all"),
    ("response_url", ANSWER),
    ("trigger_id", "emFxOmFuYTox"),
];

fn form(name: &str, value: Option<&str>) -> Vec<u8> {
    let others = SLASH.iter().copied().filter(|(had, _)| *had != name);
    let pairs = others.chain(value.map(|value| (name, value)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
}

#[test]
fn a_slash_command_is_read_as_it_was_typed() {
    let config = Config::new();
    let incoming = typing(&HeaderMap::new(), &form("", None), &config).unwrap();
    let expected = Incoming {
        platform: Platform::Mattermost,
        team: Some(TEAM.into()),
        user: USER.into(),
        user_name: "ana".into(),
        proof: Proof::Token(Unproven::NoKey),
        channel: CHANNEL.into(),
        once: "emFxOmFuYTox".into(),
        what: What::Said("pause <!channel> &amp; all".into()),
        answer_at: Some(AnswerAt::mattermost(ANSWER, &config.server).unwrap()),
        message: None,
    };
    assert_eq!(incoming, expected);
    assert_eq!(incoming.identity().unwrap().to_string(), format!("mattermost:{TEAM}/{USER}"));
}

#[test]
fn a_token_proves_wherever_it_stands() {
    let config = Config::new();
    for (why, header, token, wanted) in [
        ("both", &["Token token-of-a"][..], Some("token-of-a"), Ok(())),
        ("the header", &["Token token-of-a"], None, Ok(())),
        ("the header, in other case", &["token  token-of-a"], None, Ok(())),
        ("the form", &[], Some("token-of-a"), Ok(())),
        ("OAuth in its place", &["Bearer eyJhbGciOi"], Some("token-of-a"), Ok(())),
        ("OAuth and no token", &["Bearer token-of-a"], None, Err(Refused::Unsigned)),
        ("none", &[], None, Err(Refused::Unsigned)),
        ("empty ones", &["Token "], Some(""), Err(Refused::Unsigned)),
        ("two headers", &["Token token-of-a", "Token token-of-a"], None, Err(Refused::Unsigned)),
        ("another", &["Token other"], Some("other"), Err(Refused::Forged)),
        ("the beginning of one", &[], Some("token-of-"), Err(Refused::Forged)),
        ("more than one", &[], Some("token-of-ab"), Err(Refused::Forged)),
        ("in other case", &[], Some("TOKEN-OF-A"), Err(Refused::Forged)),
    ] {
        let came = typing(&headers(header), &form("token", token), &config).map(|_| ());
        assert_eq!(came, wanted, "{why}");
    }
    for tokens in [vec![], vec![Secret::new("")]] {
        let none = Config { tokens, ..Config::new() };
        assert_eq!(typing(&HeaderMap::new(), &form("token", Some("")), &none), Err(Refused::NoSecrets));
    }
}

#[test]
fn a_slash_command_that_is_not_whole_is_refused() {
    let config = Config::new();
    let long = "x".repeat(4_001);
    for (name, value, wanted) in [
        ("team_id", None, Refused::Unreadable),
        ("team_id", Some("other"), Refused::WrongTeam),
        ("user_id", Some("../me"), Refused::Unreadable),
        ("user_id", None, Refused::Unreadable),
        ("channel_id", Some(""), Refused::Unreadable),
        ("trigger_id", None, Refused::Unreadable),
        ("text", Some(&long), Refused::TooLarge),
        ("response_url", None, Refused::Elsewhere),
        ("response_url", Some("https://chat.example/hooks/commands/x"), Refused::Elsewhere),
        ("response_url", Some("http://127.0.0.1:9090/-/reload"), Refused::Elsewhere),
    ] {
        assert_eq!(typing(&HeaderMap::new(), &form(name, value), &config), Err(wanted), "{name} {value:?}");
    }
    let mut twice = form("", None);
    twice.extend_from_slice(b"&user_id=other");
    assert_eq!(typing(&HeaderMap::new(), &twice, &config), Err(Refused::Unreadable));
    let large = vec![b'a'; BODY_MAX + 1];
    assert_eq!(typing(&HeaderMap::new(), &large, &config), Err(Refused::TooLarge));
    assert_eq!(typing(&HeaderMap::new(), b"", &config), Err(Refused::Unsigned));
}

#[test]
fn an_answer_is_the_servers_or_none() {
    let server = Url::parse("https://chat.example/mm").unwrap();
    for (url, taken) in [
        (ANSWER, true),
        ("https://CHAT.example:443/mm/hooks/commands/abc", true),
        ("http://chat.example/mm/hooks/commands/abc", false),
        ("https://chat.example:8443/mm/hooks/commands/abc", false),
        ("https://chat.example.evil.example/mm/hooks/commands/abc", false),
        ("https://chat.example@evil.example/mm/hooks/commands/abc", false),
        ("https://chat.example/mm/hooks/commands/", false),
        ("https://chat.example/mm/hooks/commands/a/b", false),
        ("https://chat.example/mm/hooks/commands/..%2f..%2fapi", false),
        ("https://chat.example/mm/hooks/commands/../../api/v4/users", false),
        ("https://chat.example/mm/../hooks/commands/abc", false),
        ("https://chat.example/mmx/hooks/commands/abc", false),
        ("https://chat.example/mm/hooks/commands/abc?x=1", false),
        ("https://chat.example/mm/hooks/commands/abc#x", false),
        ("https://chat.example/mm/api/v4/posts", false),
        ("https://hooks.slack.com/commands/T0/1/x", false),
        ("", false),
    ] {
        assert_eq!(AnswerAt::mattermost(url, &server).is_ok(), taken, "{url}");
    }
    let root = Url::parse("http://localhost:8065").unwrap();
    assert!(AnswerAt::mattermost("http://localhost:8065/hooks/commands/abc", &root).is_ok());
}

fn press() -> Press {
    Press::Say("promote checkout production --reason x".into())
}

fn button(sealed_with: &str, at: Instant) -> Value {
    let sealed = seal(&Secret::new(sealed_with), &press(), CHANNEL, at).unwrap();
    json!({
        "user_id": USER, "user_name": "ana", "channel_id": CHANNEL, "channel_name": "x", "team_id": TEAM,
        "team_domain": "ops", "post_id": POST, "trigger_id": "emFxOmFuYTox", "type": "button", "data_source": "",
        "context": { "towpath": sealed }
    })
}

fn read(button: &Value, config: &Config) -> Result<Incoming, Refused> {
    pressed(button.to_string().as_bytes(), config.place(), NOW)?.judged(config.key.as_ref())
}

#[test]
fn a_press_without_the_servers_word_is_nobodys() {
    let incoming = read(&button("old", NOW), &Config::new()).unwrap();
    let expected = Incoming {
        platform: Platform::Mattermost,
        team: Some(TEAM.into()),
        user: USER.into(),
        user_name: "ana".into(),
        proof: Proof::Nobody,
        channel: CHANNEL.into(),
        once: "emFxOmFuYTox".into(),
        what: What::Pressed(press()),
        answer_at: None,
        message: Some(MessageAt { channel: CHANNEL.into(), id: POST.into() }),
    };
    assert_eq!(incoming, expected);
}

#[test]
fn a_press_with_the_servers_word_is_that_persons() {
    let server = Server::new();
    let config = Config { key: TriggerKey::read(&server.told()), ..Config::new() };
    let with = |trigger: &str, user: &str| {
        let mut button = button("new", NOW);
        button["trigger_id"] = json!(trigger);
        button["user_id"] = json!(user);
        read(&button, &config)
    };
    let own = server.trigger(USER, NOW.0 - 2_000);
    let incoming = with(&own, USER).unwrap();
    assert_eq!(incoming.proof, Proof::Trigger);
    assert_eq!(incoming.once.len(), 64, "a trigger is long, and odd");
    assert_eq!(with(&own, USER).unwrap().once, incoming.once);
    assert_ne!(with(&server.trigger(USER, NOW.0), USER).unwrap().once, incoming.once);
    // Who saw the seal, and is somebody else.
    assert_eq!(with(&own, "boss1boss1boss1boss1boss11"), Err(Refused::Forged));
    assert_eq!(with(&Server::new().trigger(USER, NOW.0), USER), Err(Refused::Forged));
    assert_eq!(with(&server.trigger(USER, NOW.0 - 301_000), USER), Err(Refused::OutOfTime));
    assert_eq!(with("emFxOmFuYTox", USER), Err(Refused::Unsigned));
    assert_eq!(with("", USER), Err(Refused::Unreadable), "nothing tells it from the next one");
}

#[test]
fn what_is_typed_is_that_persons_by_the_servers_word_and_else_nobodys() {
    let server = Server::new();
    let config = Config { key: TriggerKey::read(&server.told()), ..Config::new() };
    let with = |trigger: &str, config: &Config| {
        typing(&HeaderMap::new(), &form("trigger_id", Some(trigger)), config).map(|incoming| incoming.proof)
    };
    let good = server.trigger(USER, NOW.0 - 2_000);
    for (why, trigger, wanted) in [
        ("the server's", good.clone(), Proof::Trigger),
        ("of somebody else", server.trigger("boss1boss1boss1boss1boss11", NOW.0), Proof::Token(Unproven::Forged)),
        ("of another server", Server::new().trigger(USER, NOW.0), Proof::Token(Unproven::Forged)),
        ("late", server.trigger(USER, NOW.0 - 301_000), Proof::Token(Unproven::OutOfTime)),
        ("early", server.trigger(USER, NOW.0 + 301_000), Proof::Token(Unproven::OutOfTime)),
        ("no trigger", "emFxOmFuYTox".to_owned(), Proof::Token(Unproven::Unsigned)),
        ("odd", "x".repeat(5_000), Proof::Token(Unproven::Unsigned)),
    ] {
        assert_eq!(with(&trigger, &config), Ok(wanted), "{why}");
    }
    assert_eq!(with(&good, &Config::new()), Ok(Proof::Token(Unproven::NoKey)), "no key");
    let reasons = [Unproven::NoKey, Unproven::Unsigned, Unproven::Forged, Unproven::OutOfTime];
    let words: std::collections::BTreeSet<_> = reasons.into_iter().map(Unproven::words).collect();
    assert_eq!(words.len(), reasons.len());
    // It is kept in the store, and read from there.
    for proof in reasons.map(Proof::Token) {
        let text = serde_json::to_string(&proof).unwrap();
        assert_eq!(serde_json::from_str::<Proof>(&text).unwrap(), proof, "{text}");
    }
}

#[test]
fn a_press_that_is_not_whole_or_not_ours_is_refused() {
    let config = Config::new();
    let with = |path: &str, value: Value| {
        let mut button = button("new", NOW);
        *button.pointer_mut(path).unwrap() = value;
        read(&button, &config)
    };
    for (path, value, wanted) in [
        ("/context", json!({}), Refused::Unsigned),
        ("/context/towpath", json!(null), Refused::Unsigned),
        ("/context/towpath", json!("x"), Refused::Unreadable),
        ("/context/towpath/code", json!("0".repeat(64)), Refused::Forged),
        ("/context/towpath/press", json!("{\"say\":\"resume all\"}"), Refused::Forged),
        ("/channel_id", json!("chan2chan2chan2chan2chan22"), Refused::WrongChannel),
        ("/channel_id", json!("chan/2"), Refused::Unreadable),
        ("/team_id", json!("team2team2team2team2team22"), Refused::WrongTeam),
        ("/user_id", json!("@all"), Refused::Unreadable),
        ("/user_id", json!(null), Refused::Unreadable),
        ("/post_id", json!("../../users"), Refused::Unreadable),
        ("/trigger_id", json!(""), Refused::Unreadable),
    ] {
        assert_eq!(with(path, value.clone()), Err(wanted), "{path} {value}");
    }
    // A direct message belongs to no team, and so nobody is known by it.
    let direct = with("/team_id", json!("")).unwrap();
    assert_eq!((direct.team.clone(), direct.identity()), (None, None));
    assert_eq!(with("/post_id", json!("")).unwrap().message, None);
    for body in [&b""[..], b"{}", b"[]", b"null", b"\xff"] {
        assert_eq!(pressed(body, config.place(), NOW).unwrap_err(), Refused::Unreadable, "{body:?}");
    }
    assert_eq!(pressed(&vec![b' '; BODY_MAX + 1], config.place(), NOW).unwrap_err(), Refused::TooLarge);
    let old = button("new", Instant(NOW.0 - LASTS.ms() - 1_000));
    assert_eq!(read(&old, &config), Err(Refused::Expired));
    assert_eq!(read(&button("stolen", NOW), &config), Err(Refused::Forged));
    let none = Config { seals: vec![], ..Config::new() };
    assert_eq!(read(&button("new", NOW), &none), Err(Refused::NoSecrets));
}

proptest! {
    #[test]
    fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
        let config = Config::new();
        let _ = typing(&HeaderMap::new(), &body, &config);
        let _ = typing(&HeaderMap::new(), &form("text", Some(&text)), &config);
        let _ = typing(&HeaderMap::new(), &form("trigger_id", Some(&text)), &config);
        let _ = pressed(&body, config.place(), NOW);
        let _ = pressed(text.as_bytes(), config.place(), NOW);
    }
}
