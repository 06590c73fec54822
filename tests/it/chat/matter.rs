//! Mattermost: what is typed and what is pressed is done by the word of the server, and by nothing less.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use towpath::chat::mattermost::seal;
use towpath::chat::message::Press;
use towpath::clock::Clock;
use towpath::secret::Secret;

use super::{Platform, SIGNING, encoded, place, post, shown};
use crate::serve::place::{Answer, Service};

const CONFIG: &str = "/api/v4/config/client?format=old";
const CHANNEL: &str = "channelofshop";

/// A server's key (RFC 5480: what stands before the point of P-256), and what it signs.
pub(crate) struct Server(EcdsaKeyPair);

impl Server {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// One whose key this platform tells.
    pub(crate) fn of(platform: &Platform) -> Self {
        let server = Self::new();
        platform.answers(CONFIG, server.told());
        server
    }

    fn told(&self) -> String {
        let before = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
            0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        let key = STANDARD.encode([&before[..], self.0.public_key().as_ref()].concat());
        json!({ "AsymmetricSigningPublicKey": key, "Version": "11.1.0" }).to_string()
    }

    /// That this user did something so many seconds ago.
    pub(crate) fn trigger(&self, id: &str, user: &str, late: i64) -> String {
        let text = format!("{id}:{user}:{}:", Clock::System.reading().wall.0 - late * 1_000);
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        STANDARD.encode(format!("{text}{}", STANDARD.encode(signature.as_ref())))
    }
}

pub(crate) fn typed(
    (service, platform): (&Service, &Platform),
    (token, user): (&str, &str),
    (trigger, hook): (&str, &str),
    text: &str,
) -> Answer {
    let body = encoded(&[
        ("channel_id", CHANNEL),
        ("channel_name", "shop"),
        ("command", "/towpath"),
        ("response_url", &format!("http://127.0.0.1:{}/hooks/commands/{hook}", platform.port)),
        ("team_domain", "example"),
        ("team_id", "M1"),
        ("text", text),
        ("token", token),
        ("trigger_id", trigger),
        ("user_id", user),
        ("user_name", "somebody"),
    ]);
    post(service, "/chat/matter", &[("Content-Type", "application/x-www-form-urlencoded")], &body)
}

fn pressed(service: &Service, secret: &str, user: &str, trigger: &str, press: &Press) -> Answer {
    let key = Secret::new(secret.as_bytes().to_vec());
    let sealed = seal::seal(&key, press, CHANNEL, Clock::System.reading().wall).unwrap();
    let body = json!({ "user_id": user, "user_name": "x", "channel_id": CHANNEL, "team_id": "M2", "post_id": "p1",
        "trigger_id": trigger, "type": "button", "context": { "towpath": sealed } });
    post(service, "/chat/matter/press", &[("Content-Type", "application/json")], &body.to_string())
}

#[test]
fn what_is_typed_is_done_by_the_servers_word_and_asked_without() {
    let platform = Platform::new();
    let server = Server::of(&platform);
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let say = |trigger: &str, hook: &str, text: &str| {
        let ack = typed((&service, &platform), (SIGNING, "uolga"), (trigger, hook), text);
        assert_eq!((ack.status, ack.body.as_str()), (200, "{}"), "{text}");
        shown(&platform.tells_at(hook))
    };
    let pause = "pause checkout production --for 1h --reason \"a @all b\"";
    for (why, trigger, hook, wanted) in [
        ("none", "t1".to_owned(), "a1", "sent no signed"),
        ("of another user", server.trigger("x2", "udan", 0), "a2", "did not sign that you typed it"),
        ("of another server", Server::new().trigger("x3", "uolga", 0), "a3", "did not sign that you typed it"),
        ("old", server.trigger("x4", "uolga", 301), "a4", "more than 5 minutes"),
    ] {
        let words = say(&trigger, hook, pause).replace(['`', '\\'], "");
        assert!(words.contains("Nothing is done") && words.contains(wanted), "{why}: {words}");
        let asked = say(&format!("{trigger}x"), &format!("{hook}b"), "status checkout");
        assert!(asked.contains("production") && !asked.contains("Nothing is done"), "{why}: {asked}");
    }
    assert!(!place.ok(&["status"]).contains("paused"));
    let done = say(&server.trigger("x5", "uolga", 2), "a5", pause);
    assert!(done.contains("paused until") && !done.contains("@all"), "{done}");
    // Known by the id of another team of the same server.
    assert!(place.ok(&["status"]).contains("by `olga`"));
    let asked = platform.told().iter().filter(|(path, _)| path == CONFIG).count();
    // One when it was needed first; the one of another server came too soon after that.
    assert_eq!(asked, 1);
    assert_eq!(typed((&service, &platform), ("wrong", "uolga"), ("t", "h"), "resume all").status, 401);
}

#[test]
fn a_press_is_done_by_the_servers_word_and_asks_nothing_without_our_seal() {
    let platform = Platform::new();
    let server = Server::of(&platform);
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let pause = Press::Say("pause checkout production --for 1h --reason r".to_owned());
    let good = server.trigger("y1", "uolga", 0);
    for (secret, status) in [("guessed", 401), ("other", 401)] {
        assert_eq!(pressed(&service, secret, "uolga", &good, &pause).status, status);
    }
    assert_eq!(post(&service, "/chat/matter/press", &[], "{}").status, 400);
    assert_eq!(typed((&service, &platform), ("guessed", "uolga"), (&good, "h"), "pause all").status, 401);
    assert_eq!(platform.told(), [], "nobody makes us ask the server who has neither a seal nor a token");
    let ours = "buttons of the tests";
    assert_eq!(pressed(&service, ours, "uolga", &server.trigger("y2", "udan", 0), &pause).status, 401);
    assert_eq!(pressed(&service, ours, "uolga", &Server::new().trigger("y3", "uolga", 0), &pause).status, 401);
    assert_eq!(pressed(&service, ours, "uolga", &good, &pause).status, 200);
    crate::serve::place::wait("the pause", || place.ok(&["status"]).contains("is paused"));
    assert_eq!(platform.told().iter().filter(|(path, _)| path == CONFIG).count(), 1);
}

#[test]
fn where_the_server_tells_no_key_only_questions_are_answered() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let trigger = Server::new().trigger("z", "uolga", 0);
    for (hook, text, wanted) in [
        ("b1", "pause checkout production --for 1h --reason r", "tells no key"),
        ("b2", "status checkout", "production"),
        ("b3", "whoami", "olga"),
    ] {
        let ack = typed((&service, &platform), (SIGNING, "uolga"), (&format!("{trigger}{hook}"), hook), text);
        assert_eq!(ack.status, 200);
        let words = shown(&platform.tells_at(hook));
        assert!(words.contains(wanted), "{text}: {words}");
    }
    assert!(!place.ok(&["status"]).contains("is paused"), "nothing was done");
    let refused = super::rows(&place);
    assert_eq!((refused.len(), &refused[0]["allowed"]), (1, &json!(false)), "and it is on record");
}
