//! The calls, against a server of our own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Url;
use serde_json::json;

use super::{NOW, clock};
use crate::chat::fake::Fake;
use crate::chat::incoming::{AnswerAt, MessageAt};
use crate::chat::mattermost::keys::{Keys, Rests};
use crate::chat::mattermost::trigger::tests::Server;
use crate::chat::mattermost::trigger::{Trigger, TriggerKey};
use crate::chat::mattermost::{Buttons, Mattermost, People};
use crate::chat::message::{Button, ButtonStyle, Line, LineKind, Message, Press, Span};
use crate::chat::sent::{Sent, Visible};
use crate::forge::client::TokenPlace;
use crate::secret::Secret;

fn mattermost(fake: &Fake) -> Mattermost {
    let token = TokenPlace::from(Some(&Secret::new("bot-token")));
    Mattermost::new(fake.url.join("mm").unwrap(), token, clock()).unwrap()
}

fn message() -> Message {
    let lines = vec![Line { kind: LineKind::Text, spans: vec![Span::Text("3 @all".to_owned())] }];
    let press = Press::Say("status".to_owned());
    let buttons = vec![Button { label: "Status".into(), press, style: ButtonStyle::Primary, confirm: None }];
    Message { lines, buttons, in_short: None }
}

const POST: &str = r#"{"id":"p1","channel_id":"c1","message":"x","props":{}}"#;

fn at() -> MessageAt {
    MessageAt { channel: "c1".into(), id: "p1".into() }
}

#[tokio::test]
async fn a_message_is_posted_and_changed() {
    let fake = Fake::always(201, "", POST).await;
    let server = mattermost(&fake);
    let secret = Secret::new("seal");
    let buttons = Buttons { url: "https://t.example/press", secret: &secret, channel: "c1", wall: NOW };
    assert_eq!(server.post("c1", &message(), &People::new(), Some(buttons)).await, Sent::Posted(at()));
    assert_eq!(server.update(&at(), &message(), &People::new(), None).await, Sent::Posted(at()));
    let odd = MessageAt { channel: "c1".into(), id: "../users/me".into() };
    assert_eq!(server.update(&odd, &message(), &People::new(), None).await, Sent::Gone);
    let [posted, changed] = fake.asked().try_into().unwrap();
    assert_eq!(
        (posted.line.as_str(), changed.line.as_str()),
        ("POST /mm/api/v4/posts", "PUT /mm/api/v4/posts/p1/patch")
    );
    assert_eq!(posted.header("authorization"), Some("Bearer bot-token"));
    let body = posted.json();
    assert_eq!((&body["channel_id"], &body["message"]), (&json!("c1"), &json!("3 &#64;\u{200b}all")));
    assert_eq!(body["props"]["attachments"][0]["actions"][0]["name"], "Status");
    assert_eq!(changed.json()["props"], json!({ "attachments": [] }));
}

#[tokio::test]
async fn what_the_server_says_no_to_is_sorted() {
    let words = r#"{"id":"api.x","message":"bot-token may not","status_code":403}"#;
    for (status, headers, body, post, update) in [
        (400, "", words, "never", "gone"),
        (401, "", words, "never", "never"),
        (403, "", words, "never", "gone"),
        (404, "", words, "never", "gone"),
        (413, "", words, "never", "never"),
        (429, "retry-after: 7\r\n", "", "later in 7s", "later in 7s"),
        // The server's own form: seconds until the window ends.
        (
            429,
            "x-ratelimit-limit: 10\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1\r\n",
            "",
            "later in 1s",
            "later in 1s",
        ),
        (500, "", words, "later", "later"),
        (502, "", "<html>", "later", "later"),
        (200, "", "<html>", "later", "later"),
        (200, "", r#"{"id":"../x","channel_id":"c1"}"#, "later", "later"),
        (301, "location: http://127.0.0.1:1/\r\n", "", "never", "never"),
    ] {
        let fake = Fake::always(status, headers, body).await;
        let kind = |sent: Sent| match sent {
            Sent::Gone => "gone".to_owned(),
            Sent::Later { after: None, .. } => "later".to_owned(),
            Sent::Later { after: Some(after), .. } => format!("later in {after}"),
            Sent::Never { words } => {
                assert!(!words.contains("bot-token"), "{words}");
                "never".to_owned()
            }
            other => format!("{other:?}"),
        };
        let (server, other) = (mattermost(&fake), mattermost(&fake));
        assert_eq!(kind(server.post("c1", &message(), &People::new(), None).await), post, "{status} {headers}");
        assert_eq!(kind(other.update(&at(), &message(), &People::new(), None).await), update, "{status} {headers}");
        assert_eq!(fake.asked().len(), 2, "what acts is sent once, and nowhere else");
    }
}

#[tokio::test]
async fn an_answer_goes_to_the_server_and_nowhere_else() {
    let fake = Fake::start(|asked| match asked.line.as_str() {
        "POST /mm/hooks/commands/good" => (200, "", "ok".to_owned()),
        "POST /mm/hooks/commands/used" => (400, "", String::new()),
        _ => (500, "", String::new()),
    })
    .await;
    let server = mattermost(&fake);
    let answer = |name: &str| {
        let url = format!("{}/hooks/commands/{name}", server.server());
        AnswerAt::mattermost(&url, server.server()).unwrap()
    };
    let respond = async |at: AnswerAt| server.respond(&at, Visible::Person, &message(), &People::new(), None).await;
    assert_eq!(respond(answer("good")).await, Sent::Answered);
    assert_eq!(respond(answer("used")).await, Sent::Gone);
    assert!(matches!(respond(answer("fault")).await, Sent::Later { .. }));
    let stored: AnswerAt = serde_json::from_value(json!(fake.url.join("other").unwrap().as_str())).unwrap();
    assert!(matches!(respond(stored).await, Sent::Never { .. }));
    let asked = fake.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0].json()["skip_slack_parsing"], true);
    assert!(asked.iter().all(|asked| asked.header("authorization").is_none()));
}

#[tokio::test]
async fn names_are_looked_up() {
    let fake = Fake::start(|asked| {
        let user = |id: &str, name: &str, deleted: i64| {
            (200, "", json!({ "id": id, "username": name, "delete_at": deleted, "email": "x" }).to_string())
        };
        match asked.line.as_str() {
            "GET /mm/api/v4/users/u1" => user("u1", "marek.k", 0),
            "GET /mm/api/v4/users/u2" => user("u2", "all", 0),
            "GET /mm/api/v4/users/u3" => user("u1", "ana", 0),
            "GET /mm/api/v4/users/u4" => user("u4", "ana", 1_790_000_000_000),
            "GET /mm/api/v4/users/u5" => (404, "", String::new()),
            _ => (403, "", String::new()),
        }
    })
    .await;
    let server = mattermost(&fake);
    assert_eq!(server.username("u1").await, Ok(Some("marek.k".to_owned())));
    for id in ["u2", "u3", "u4", "u5", "../u1", ""] {
        assert_eq!(server.username(id).await, Ok(None), "{id}");
    }
    assert_eq!(server.username("u6").await.map_err(|fault| fault.status()), Err(Some(403)));
}

#[tokio::test]
async fn the_servers_key_is_read_where_it_is_told() {
    let told = Server::new().told();
    let (with, key) = (json!({ "AsymmetricSigningPublicKey": told, "Version": "11" }), TriggerKey::read(&told));
    for (status, body, wanted) in [
        (200, with.to_string(), Ok(key)),
        (200, "{}".to_owned(), Ok(None)),
        (200, json!({ "AsymmetricSigningPublicKey": "x" }).to_string(), Ok(None)),
        (501, String::new(), Err(())),
        (200, "<html>".to_owned(), Err(())),
    ] {
        let fake = Fake::always(status, "", &body).await;
        assert_eq!(mattermost(&fake).trigger_key().await.map_err(|_| ()), wanted, "{body}");
        assert_eq!(fake.asked()[0].line, "GET /mm/api/v4/config/client?format=old");
    }
    let nobody = Mattermost::new(Url::parse("http://127.0.0.1:1/").unwrap(), TokenPlace::Nowhere, clock()).unwrap();
    assert!(nobody.trigger_key().await.is_err());
}

#[tokio::test]
async fn a_key_is_asked_for_when_it_is_needed_once_and_anew_where_something_does_not_fit() {
    let servers = [Server::new(), Server::new()];
    let told = servers.each_ref().map(|server| json!({ "AsymmetricSigningPublicKey": server.told() }).to_string());
    let keys = servers.each_ref().map(|server| TriggerKey::read(&server.told()));
    let by = servers.each_ref().map(|server| Trigger::read(&server.trigger("ana", NOW.0)).unwrap());
    let now = Arc::new(AtomicUsize::new(0));
    let which = Arc::clone(&now);
    let fake = Fake::start(move |_| match which.load(Ordering::Relaxed) {
        9 => (500, "", String::new()),
        nth => (200, "", told[nth].clone()),
    })
    .await;
    let (server, count) = (mattermost(&fake), || fake.asked().len());
    let soon = Duration::from_millis(1);
    // Many at once: one asks.
    let patient = Keys::default();
    let all = join_all((0..20).map(|_| patient.for_trigger(&server, Some(&by[0])))).await;
    assert!(all.iter().all(|key| *key == keys[0]) && count() == 1, "{}", count());
    // What does not fit has it asked anew, but not so soon after the last time.
    now.store(1, Ordering::Relaxed);
    for _ in 0..5 {
        assert_eq!(patient.for_trigger(&server, Some(&by[1])).await, keys[0]);
    }
    assert_eq!(count(), 1);
    let quick = Keys::new(Rests { without: Duration::from_secs(600), with: soon });
    now.store(0, Ordering::Relaxed);
    assert_eq!(quick.for_trigger(&server, None).await, keys[0]);
    tokio::time::sleep(2 * soon).await;
    // What fits, and what is not worth a look, asks nothing.
    for trigger in [Some(&by[0]), None] {
        assert_eq!(quick.for_trigger(&server, trigger).await, keys[0]);
    }
    assert_eq!(count(), 2);
    now.store(1, Ordering::Relaxed);
    assert_eq!(quick.for_trigger(&server, Some(&by[1])).await, keys[1], "the server has another key now");
    assert_eq!(count(), 3);
    // A server that does not answer leaves the key that was known.
    now.store(9, Ordering::Relaxed);
    tokio::time::sleep(2 * soon).await;
    assert_eq!(quick.for_trigger(&server, Some(&by[0])).await, keys[1]);
    let before = count();
    assert!(before > 3);
    // Without any it is asked again, but not at once.
    let none = Keys::new(Rests { without: Duration::from_secs(600), with: soon });
    for _ in 0..3 {
        assert_eq!(none.for_trigger(&server, Some(&by[0])).await, None);
    }
    let asked = count() - before;
    let again = Keys::new(Rests { without: soon, with: soon });
    assert_eq!(again.for_trigger(&server, None).await, None);
    now.store(0, Ordering::Relaxed);
    tokio::time::sleep(2 * soon).await;
    assert_eq!(again.for_trigger(&server, None).await, keys[0]);
    assert_eq!(count() - before, 2 * asked + 1, "as many tries of the client's own for each");
}
