//! The calls, against a server of our own.

use std::time::Duration;

use reqwest::Url;
use serde_json::json;
use towpath_core::model::Span as Time;

use super::clock;
use crate::chat::fake::Fake;
use crate::chat::incoming::{AnswerAt, MessageAt, Refused};
use crate::chat::message::{Line, LineKind, Message, Span};
use crate::chat::sent::{Sent, Visible};
use crate::chat::slack::Slack;
use crate::forge::client::TokenPlace;
use crate::secret::Secret;

fn slack(fake: &Fake) -> Slack {
    let token = TokenPlace::from(Some(&Secret::new("xoxb-token")));
    Slack::new(fake.url.join("api/").unwrap(), token, clock()).unwrap()
}

fn message() -> Message {
    let spans = vec![Span::Text("<!channel> 3 & 4".to_owned())];
    Message { lines: vec![Line { kind: LineKind::Text, spans }], buttons: vec![], in_short: None }
}

const OK: &str = r#"{"ok":true,"channel":"C1","ts":"1503435956.000247"}"#;

fn at() -> MessageAt {
    MessageAt { channel: "C1".into(), id: "1503435956.000247".into() }
}

#[tokio::test]
async fn a_message_is_posted_and_changed() {
    let fake = Fake::always(200, "", OK).await;
    let slack = slack(&fake);
    assert_eq!(slack.post("C1", &message()).await, Sent::Posted(at()));
    assert_eq!(slack.update(&at(), &message()).await, Sent::Posted(at()));
    let [posted, changed] = fake.asked().try_into().unwrap();
    assert_eq!(posted.line, "POST /api/chat.postMessage");
    assert_eq!(changed.line, "POST /api/chat.update");
    assert_eq!(changed.json()["ts"], "1503435956.000247");
    for asked in [&posted, &changed] {
        assert_eq!(asked.header("authorization"), Some("Bearer xoxb-token"));
        assert_eq!(asked.header("content-type"), Some("application/json; charset=utf-8"));
        let body = asked.json();
        assert_eq!(body["channel"], "C1");
        assert_eq!(body["text"], "&lt;!channel&gt; 3 &amp; 4");
        assert_eq!(body["blocks"][0]["elements"][0]["elements"][0]["text"], "<!channel> 3 & 4");
        assert_eq!((&body["parse"], &body["link_names"]), (&json!("none"), &json!(false)));
    }
    assert_eq!(posted.json()["mrkdwn"], false);
    assert_eq!((&posted.json()["unfurl_links"], &posted.json()["unfurl_media"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn what_slack_says_no_to_is_sorted() {
    let no = |error: &str| format!(r#"{{"ok":false,"error":"{error}"}}"#);
    let huge = "x".repeat(600_000);
    for (status, headers, body, post, update) in [
        (200, "", no("channel_not_found"), "never", "never"),
        (200, "", no("message_not_found"), "later", "gone"),
        (200, "", no("internal_error"), "later", "later"),
        (429, "retry-after: 30\r\n", no("ratelimited"), "later in 30s", "later in 30s"),
        (429, "retry-after: 0\r\n", String::new(), "later in 1s", "later in 1s"),
        (500, "", String::new(), "later", "later"),
        (503, "", "<html>".to_owned(), "later", "later"),
        (404, "", String::new(), "never", "never"),
        (302, "location: http://127.0.0.1:1/\r\n", String::new(), "never", "never"),
        (200, "", "<html>".to_owned(), "later", "later"),
        (200, "", huge, "later", "later"),
    ] {
        let fake = Fake::always(status, headers, &body).await;
        let kind = |sent: Sent| match sent {
            Sent::Gone => "gone".to_owned(),
            Sent::Later { after: None, .. } => "later".to_owned(),
            Sent::Later { after: Some(after), .. } => format!("later in {after}"),
            Sent::Never { words } => {
                assert!(!words.contains("xoxb"), "{words}");
                "never".to_owned()
            }
            other => format!("{other:?}"),
        };
        let (slack, other) = (slack(&fake), slack(&fake));
        assert_eq!(kind(slack.post("C1", &message()).await), post, "{status} {headers}");
        assert_eq!(kind(other.update(&at(), &message()).await), update, "{status} {headers}");
        assert_eq!(fake.asked().len(), 2, "what acts is sent once, and nowhere else");
    }
}

#[tokio::test]
async fn nobody_there_is_later() {
    let gone = { Fake::always(200, "", OK).await.url.clone() };
    tokio::time::sleep(Duration::from_millis(50)).await;
    let slack = Slack::new(gone, TokenPlace::Nowhere, clock()).unwrap();
    assert!(matches!(slack.post("C1", &message()).await, Sent::Later { after: None, .. }));
}

#[tokio::test]
async fn an_answer_goes_where_slack_said_and_nowhere_else() {
    let fake = Fake::start(|asked| match asked.line.as_str() {
        "POST /commands/good" => (200, "", "ok".to_owned()),
        "POST /commands/used" => (404, "", "used_url".to_owned()),
        "POST /commands/on" => (307, "location: /commands/good\r\n", String::new()),
        _ => (500, "", "https://secret".to_owned()),
    })
    .await;
    let slack = slack(&fake);
    let answer =
        |name: &str| AnswerAt::slack(fake.url.join(&format!("commands/{name}")).unwrap().as_str(), slack.api());
    let good = answer("good").unwrap();
    assert_eq!(slack.respond(&good, Visible::Person, true, &message()).await, Sent::Answered);
    assert_eq!(slack.respond(&answer("used").unwrap(), Visible::Channel, false, &message()).await, Sent::Gone);
    let on = slack.respond(&answer("on").unwrap(), Visible::Channel, false, &message()).await;
    assert!(matches!(on, Sent::Never { .. }), "redirects are not followed: {on:?}");
    let fault = slack.respond(&answer("fault").unwrap(), Visible::Channel, false, &message()).await;
    assert!(matches!(&fault, Sent::Later { words, .. } if !words.contains("secret")), "{fault:?}");
    let asked = fake.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0].json()["response_type"], "ephemeral");
    assert_eq!(asked[0].json()["replace_original"], true);
    assert_eq!(asked[1].json()["response_type"], "in_channel");
    assert!(asked.iter().all(|asked| asked.header("authorization").is_none()), "the token is Slack's API's");
    // One that comes from a store, and would not be taken today.
    let other = Fake::always(200, "", "ok").await;
    let stored: AnswerAt = serde_json::from_value(json!(other.url.as_str())).unwrap();
    assert!(matches!(slack.respond(&stored, Visible::Person, false, &message()).await, Sent::Never { .. }));
    assert_eq!(other.asked().len(), 0);
}

#[test]
fn an_answer_is_slacks_or_none() {
    let api = Url::parse(Slack::API).unwrap();
    for (url, taken) in [
        ("https://hooks.slack.com/commands/T1/2/x", true),
        ("https://hooks.slack-gov.com/commands/T1/2/x", true),
        ("https://HOOKS.Slack.com/x", true),
        ("https://slack.com/x", true),
        ("http://hooks.slack.com/x", false),
        ("https://hooks.slack.com:8443/x", false),
        ("https://hooks.slack.com@evil.example/x", false),
        ("https://u:p@hooks.slack.com/x", false),
        ("https://hooks.slack.com.evil.example/x", false),
        ("https://evilslack.com/x", false),
        ("https://.slack.com/x", false),
        ("https://hooks.slack.com\\@evil.example/x", false),
        ("https://evil.example/hooks.slack.com", false),
        ("https://hooks.slack.com/x#y", false),
        ("https://hooks.slack.com/x\n", false),
        ("ftp://hooks.slack.com/x", false),
        ("//hooks.slack.com/x", false),
        ("https://127.0.0.1/x", false),
        ("https://[::1]/x", false),
        ("https://169.254.169.254/latest", false),
        ("file:///etc/passwd", false),
        ("", false),
    ] {
        let at = AnswerAt::slack(url, &api);
        assert_eq!(at.is_ok(), taken, "{url}: {at:?}");
        assert!(taken || at == Err(Refused::Elsewhere));
    }
    assert_eq!(Time::from_secs(30).to_string(), "30s", "as the tables above write it");
}
