//! The layer against a server that answers, byte by byte, what a test wants: also what no HTTP
//! library would send.

mod server;

use std::time::Duration;

use http::{HeaderValue, Method};
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use towpath_core::act::PushAnswer;
use towpath_core::model::{Instant, Mends, Span, Verdict};

use self::server::{Do, Server, whole};
use super::*;
use crate::clock::ManualClock;
use crate::forge::CallFault;

fn options() -> Options {
    Options {
        deadline: Duration::from_secs(5),
        backoff: Duration::from_millis(5),
        body_max: 10_000,
        ..Options::default()
    }
}

fn client(options: Options) -> (Client, ManualClock) {
    let clock = ManualClock::new(Instant(1_800_000_000_000));
    (Client::new(options, Clock::Manual(clock.clone())).expect("a client"), clock)
}

fn auth() -> Auth {
    Auth::scheme("someone", "Bearer", b"tok_very_secret").expect("a header")
}

#[derive(Debug, Deserialize, PartialEq)]
struct Small {
    ok: u32,
}

#[tokio::test]
async fn an_answer_is_read_and_the_credential_is_sent() {
    let server =
        Server::new(|_, _| whole("200 OK", "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\n", r#"{"ok":1}"#)).await;
    let (client, _) = client(options());
    let answer = client.send(&Call::get("look", server.url("a?b=c")), &auth()).await.expect("answered");
    assert_eq!(answer.json::<Small>(), Ok(Small { ok: 1 }));
    assert_eq!(answer.date, stamp("2026-11-21T10:00:00Z"));
    let asked = &server.asked()[0];
    assert_eq!(asked.line, "GET /a?b=c HTTP/1.1");
    assert_eq!(asked.header("authorization"), Some("Bearer tok_very_secret"));
    assert!(asked.header("user-agent").is_some_and(|agent| agent.starts_with("towpath/")));
    assert_eq!(client.counted(), [Counted { operation: "look", ended: Ended::Status(200), times: 1 }]);
}

#[tokio::test]
async fn a_body_that_trickles_is_given_up_at_the_deadline() {
    let server = Server::new(|_, _| {
        let mut steps = vec![Do::Say(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8000\r\n\r\n".to_owned(),
        )];
        for _ in 0..200 {
            steps.extend([Do::Say(" ".to_owned()), Do::Wait(20)]);
        }
        steps
    })
    .await;
    let (client, _) = client(Options { deadline: Duration::from_millis(250), ..options() });
    let fault = client.send(&Call::get("look", server.url("a")), &auth()).await.expect_err("no end");
    assert_eq!(fault, Fault::TimedOut { after: Span::from_ms(250) });
    assert_eq!(client.counted()[0].ended, Ended::TimedOut);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn what_only_reads_is_tried_again_and_not_for_ever() {
    let server = Server::new(|n, asked| match (asked.line.contains("/once"), n) {
        (true, 0) => whole("502 Bad Gateway", "Content-Type: text/html\r\n", "<html>"),
        (true, _) => whole("200 OK", "", r#"{"ok":2}"#),
        _ => whole("500 Oops", "", r#"{"message":"oh"}"#),
    })
    .await;
    let (client, _) = client(options());
    let answer = client.send(&Call::get("look", server.url("once")), &auth()).await.expect("the second try");
    assert_eq!(answer.json::<Small>(), Ok(Small { ok: 2 }));
    let fault = client.send(&Call::get("look", server.url("never")), &auth()).await.expect_err("three tries");
    assert_eq!(fault, Fault::Said { status: 500, words: "oh".to_owned() });
    assert_eq!(fault.clone().unknown().mends, Mends::Itself);
    assert_eq!(server.asked().len(), 2 + 3);
    // A body does not make it an act.
    let query = Call::query("ask", server.url("never"), &json!({}));
    client.send(&query, &auth()).await.expect_err("three tries");
    assert_eq!(server.asked().len(), 2 + 3 + 3);
}

#[tokio::test]
async fn the_deadline_ends_the_tries_and_the_first_fault_is_told() {
    let server = Server::new(|_, _| whole("503 Busy", "", r#"{"message":"busy"}"#)).await;
    let (client, _) =
        client(Options { deadline: Duration::from_millis(200), backoff: Duration::from_secs(60), ..options() });
    let fault = client.send(&Call::get("look", server.url("a")), &auth()).await.expect_err("no time");
    assert_eq!(fault, Fault::Said { status: 503, words: "busy".to_owned() });
}

#[tokio::test]
async fn what_acts_is_sent_once_whatever_happens() {
    let server = Server::new(|_, asked| {
        if asked.line.contains("/cut") {
            vec![Do::Cut]
        } else if asked.line.contains("/half") {
            vec![
                Do::Say(
                    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{".into(),
                ),
                Do::Cut,
            ]
        } else {
            whole("502 Bad Gateway", "", "{}")
        }
    })
    .await;
    let (client, _) = client(options());
    for path in ["cut", "half", "gateway"] {
        let call = Call::act("open", Method::POST, server.url(path), &json!({"title": "x"}));
        let fault = client.send(&call, &auth()).await.expect_err(path);
        assert!(matches!(fault.clone().call(), CallFault::NoAnswer { .. }), "{path}: {fault:?}");
        assert!(matches!(fault.push(), PushAnswer::NoAnswer { .. }), "{path}");
    }
    assert_eq!(server.asked().len(), 3);
    assert_eq!(server.asked()[0].body, r#"{"title":"x"}"#);
    // The same cut hits something that reads: tried again.
    client.send(&Call::get("look", server.url("cut")), &auth()).await.expect_err("cut each time");
    assert_eq!(server.asked().len(), 6);
}

#[tokio::test]
async fn nobody_there_is_told_from_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = Url::parse(&format!("http://{}/", listener.local_addr().expect("bound"))).expect("a URL");
    drop(listener);
    let (client, _) = client(options());
    let call = Call::act("open", Method::POST, url, &json!({}));
    let fault = client.send(&call, &auth()).await.expect_err("nobody");
    let Fault::NotSent { words } = &fault else { panic!("{fault:?}") };
    assert!(words.contains("refused"), "{words}");
    assert!(matches!(fault.push(), PushAnswer::NotSent { .. }));
}

#[tokio::test]
async fn a_limit_is_answered_and_not_slept_out() {
    let server = Server::new(|n, _| match n {
        0 => whole("429 Too Many Requests", "Retry-After: 120\r\n", r#"{"message":"slow down"}"#),
        _ => whole("200 OK", "", r#"{"ok":1}"#),
    })
    .await;
    let (client, clock) = client(options());
    let (look, open) =
        (Call::get("look", server.url("a")), Call::act("open", Method::POST, server.url("a"), &json!({})));
    let (again_in, words) = (Span::from_secs(120), "429 slow down".to_owned());
    let until = Instant((clock.reading().wall.0 + 120_000 + 999) / 1_000 * 1_000);
    let limited = Fault::Limited { again_in, until, words };
    assert_eq!(client.send(&look, &auth()).await.expect_err("limited"), limited);
    let Verdict::Wait { until: told, .. } = Verdict::unknown(limited.unknown()) else {
        panic!("it passes by itself")
    };
    assert_eq!(told, Some(until), "whoever waits for it knows until when");
    assert_eq!(client.rests("someone"), Some(Span::from_secs(120)));
    // Neither reading nor acting calls out meanwhile.
    clock.advance(Span::from_secs(100));
    for call in [&look, &open] {
        let fault = client.send(call, &auth()).await.expect_err("held");
        assert!(matches!(&fault, Fault::Limited { again_in, .. } if *again_in == Span::from_secs(20)), "{fault:?}");
    }
    let fault = client.send(&open, &auth()).await.expect_err("held");
    assert!(matches!(fault.call(), CallFault::NotSent { retry_after: Some(_), .. }));
    assert_eq!(server.asked().len(), 1);
    assert!(client.counted().contains(&Counted { operation: "open", ended: Ended::Held, times: 2 }));
    clock.advance(Span::from_secs(20));
    assert_eq!(client.rests("someone"), None);
    client.send(&look, &auth()).await.expect("it is over");
}

#[tokio::test]
async fn a_proxy_that_is_busy_says_nothing_of_what_acts() {
    let server = Server::new(|_, _| whole("503 Busy", "Retry-After: 7\r\n", r#"{"message":"busy"}"#)).await;
    let act = Call::act("merge", Method::PUT, server.url("a"), &json!({}));
    let (sent, _) = client(options());
    let fault = sent.send(&act, &auth()).await.expect_err("503");
    assert_eq!(fault, Fault::Said { status: 503, words: "busy".to_owned() });
    assert!(matches!(fault.push(), PushAnswer::NoAnswer { .. }), "it may have been done behind the proxy");
    let json = HeaderValue::from_static("application/json");
    for call in [Call::get("look", server.url("a")), Call::post("tell", server.url("a"), json, Vec::new())] {
        let (sent, _) = client(options());
        let fault = sent.send(&call, &auth()).await.expect_err("503");
        assert!(
            matches!(fault, Fault::Limited { .. }),
            "what may be sent again comes when it is wanted: {fault:?}"
        );
    }
}

#[tokio::test]
async fn the_reserve_is_for_acting() {
    let server = Server::new(|_, _| {
        let headers = "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\nX-RateLimit-Limit: 5000\r\n\
                       X-RateLimit-Remaining: 500\r\nX-RateLimit-Reset: 1795255500\r\n";
        whole("200 OK", headers, r#"{"ok":1}"#)
    })
    .await;
    let (client, _) = client(options());
    let look = Call::get("look", server.url("a"));
    client.send(&look, &auth()).await.expect("nothing known yet");
    let fault = client.send(&look, &auth()).await.expect_err("only the reserve is left");
    assert!(matches!(fault, Fault::Limited { .. }), "{fault:?}");
    client.send(&look.clone().urgent(), &auth()).await.expect("a move hangs on it");
    let (read, other) =
        urgently(async { (client.send(&look, &auth()).await, client.send(&look, &auth()).await) }).await;
    assert!(read.is_ok() && other.is_ok(), "what is read again before a move");
    client.send(&look, &auth()).await.expect_err("and nothing after it");
    client.send(&Call::act("open", Method::POST, server.url("a"), &json!({})), &auth()).await.expect("acts");
    assert_eq!(server.asked().len(), 5);
    let seen = BudgetSeen { account: "someone".into(), resource: "core".into(), limit: 5_000, left: 500 };
    assert_eq!(client.budgets(), [seen]);
}

#[tokio::test]
async fn a_large_body_is_not_read_whether_it_says_so_or_not() {
    let server = Server::new(|_, asked| {
        if asked.line.contains("/said") {
            whole("200 OK", "", &"x".repeat(10_001))
        } else {
            let chunk = "x".repeat(5_000);
            let mut steps = vec![Do::Say(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                    .to_owned(),
            )];
            steps.extend((0..1_000).map(|_| Do::Say(format!("1388\r\n{chunk}\r\n"))));
            steps
        }
    })
    .await;
    let (client, _) = client(options());
    for path in ["said", "unsaid"] {
        let fault = client.send(&Call::get("look", server.url(path)), &auth()).await.expect_err(path);
        assert_eq!(fault, Fault::TooLarge { bytes_max: 10_000 }, "{path}");
    }
    assert_eq!(server.asked().len(), 2, "not tried again");
}

#[tokio::test]
async fn what_is_no_json_or_the_wrong_json_is_said_with_its_place() {
    let server = Server::new(|_, asked| {
        if asked.line.contains("/html") {
            whole("200 OK", "Content-Type: text/html\r\n", r#"{"ok":1}"#)
        } else if asked.line.contains("/type") {
            whole("200 OK", "", r#"{"ok":"tok_very_secret"}"#)
        } else {
            whole("200 OK", "", r#"{"ok":"#)
        }
    })
    .await;
    let (client, _) = client(options());
    for (path, said) in [("html", "no JSON"), ("type", "at `ok`: invalid type"), ("cut", "EOF")] {
        let answer = client.send(&Call::get("look", server.url(path)), &auth()).await.expect("200");
        let Err(Fault::Unreadable { words }) = answer.json::<Small>() else { panic!("{path}") };
        assert!(words.contains(said) && !words.contains("very"), "{path}: {words}");
    }
    let quiet = Call::act("mint", Method::POST, server.url("type"), &json!({})).quiet();
    let answer = client.send(&quiet, &Auth::none()).await.expect("200");
    let Err(fault) = answer.json::<Small>() else { panic!("it is a text") };
    assert_eq!(fault.to_string(), "the answer cannot be read: mint: at `ok`: [not shown]");
}

#[tokio::test]
async fn a_redirect_to_another_host_does_not_carry_the_credential() {
    let other = Server::new(|_, _| whole("200 OK", "", r#"{"ok":9}"#)).await;
    let to = other.url("stolen").to_string();
    let server = Server::new(move |_, asked| {
        if asked.line.contains("/away") {
            whole("302 Found", &format!("Location: {to}\r\n"), "")
        } else if asked.line.contains("/renamed") {
            whole("301 Moved Permanently", "Location: /repositories/1\r\n", "")
        } else if asked.line.contains("/kept") {
            whole("307 Temporary Redirect", "Location: /repositories/1\r\n", "")
        } else if asked.line.contains("/round") {
            whole("302 Found", "Location: /round\r\n", "")
        } else {
            whole("200 OK", "", r#"{"ok":3}"#)
        }
    })
    .await;
    let (client, _) = client(options());
    let fault = client.send(&Call::get("look", server.url("away")), &auth()).await.expect_err("elsewhere");
    assert_eq!(fault, Fault::Elsewhere { host: other.base.as_str().trim_end_matches('/').to_owned() });
    assert!(other.asked().is_empty(), "not even without it");
    // Within its host a renamed repository is followed.
    let answer = client.send(&Call::get("look", server.url("renamed")), &auth()).await.expect("followed");
    assert_eq!(answer.json::<Small>(), Ok(Small { ok: 3 }));
    let last = server.asked().pop().expect("asked");
    assert_eq!(
        (last.line.as_str(), last.header("authorization")),
        ("GET /repositories/1 HTTP/1.1", Some("Bearer tok_very_secret"))
    );
    let act = |path: &str| Call::act("open", Method::POST, server.url(path), &json!({"a": 1}));
    client.send(&act("kept"), &auth()).await.expect("307 keeps the method");
    let last = server.asked().pop().expect("asked");
    assert_eq!((last.line.as_str(), last.body.as_str()), ("POST /repositories/1 HTTP/1.1", r#"{"a":1}"#));
    let fault = client.send(&act("renamed"), &auth()).await.expect_err("301 does not");
    assert!(matches!(fault.call(), CallFault::Refused { .. }));
    let fault = client.send(&Call::get("look", server.url("round")), &auth()).await.expect_err("round");
    assert!(matches!(fault, Fault::Unreadable { .. }));
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again_and_only_to_whom_it_was_shown() {
    let server = Server::new(|n, asked| {
        let known = asked.header("if-none-match") == Some("\"v1\"");
        match (known, n) {
            (true, _) => whole("304 Not Modified", "Date: Sat, 21 Nov 2026 11:00:00 GMT\r\n", ""),
            (false, _) if asked.line.contains("/gone") && n > 0 => whole("404 Not Found", "ETag: \"v1\"\r\n", "{}"),
            _ => whole("200 OK", "ETag: \"v1\"\r\nDate: Sat, 21 Nov 2026 10:00:00 GMT\r\n", r#"{"ok":4}"#),
        }
    })
    .await;
    let (client, _) = client(options());
    let look = Call::get("look", server.url("a"));
    let first = client.send(&look, &auth()).await.expect("200");
    let second = client.send(&look, &auth()).await.expect("304");
    assert!(!first.kept && second.kept);
    assert_eq!((second.status, second.json::<Small>()), (200, Ok(Small { ok: 4 })));
    assert_eq!(second.date, stamp("2026-11-21T11:00:00Z"), "the age of things is that of the later answer");
    let asked_with = |n: usize| server.asked()[n].header("if-none-match").map(str::to_owned);
    assert_eq!((asked_with(0), asked_with(1)), (None, Some("\"v1\"".to_owned())));
    // Neither another credential nor nobody gets it.
    let other = Auth::scheme("someone", "Bearer", b"tok_other").expect("a header");
    assert!(!client.send(&look, &other).await.expect("200").kept);
    assert!(!client.send(&look, &Auth::none()).await.expect("200").kept);
    assert_eq!((asked_with(2), asked_with(3)), (None, None));
    // Nor does a POST to the same place, and what says no is never kept.
    client.send(&Call::act("open", Method::POST, server.url("a"), &json!({})), &auth()).await.expect("200");
    assert_eq!(asked_with(4), None);
    for _ in 0..2 {
        let fault = client.send(&Call::get("look", server.url("gone")), &auth()).await.expect_err("404");
        assert_eq!(fault.status(), Some(404));
    }
    assert_eq!((asked_with(5), asked_with(6)), (None, None));
}

#[tokio::test]
async fn half_a_body_is_never_kept() {
    let server = Server::new(|n, _| match n {
        0 => vec![
            Do::Say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"v1\"\r\nContent-Length: 8\r\n\r\n{\"ok".into()),
            Do::Cut,
        ],
        _ => whole("200 OK", "", r#"{"ok":5}"#),
    })
    .await;
    let (client, _) = client(options());
    let answer = client.send(&Call::get("look", server.url("a")), &auth()).await.expect("the second try");
    assert_eq!(answer.json::<Small>(), Ok(Small { ok: 5 }));
    assert_eq!(server.asked()[1].header("if-none-match"), None);
}

#[tokio::test]
async fn lists_are_read_to_the_last_page_or_not_at_all() {
    // Six items, two a page. `linked` has links to a host that is not there; `bare` has none; `short`
    // lacks its last page; `circle` goes round.
    let server = Server::new(|_, asked| {
        let path = asked.line.split(' ').nth(1).unwrap_or_default();
        let page: u32 = path.split("page=").nth(2).and_then(|n| n.parse().ok()).unwrap_or(1);
        let link = |to: u32| format!("Link: <http://elsewhere.invalid/x?per_page=2&page={to}>; rel=\"next\"\r\n");
        let items = if page <= 3 { format!("[{},{}]", page * 2 - 1, page * 2) } else { "[]".to_owned() };
        if path.starts_with("/linked") {
            whole("200 OK", &if page < 3 { link(page + 1) } else { String::new() }, &items)
        } else if path.starts_with("/short") {
            let total = format!("X-Total: 6\r\n{}", if page < 2 { link(page + 1) } else { String::new() });
            whole("200 OK", &total, if page == 2 { "[3]" } else { &items })
        } else if path.starts_with("/circle") {
            whole("200 OK", &link(1), &items)
        } else {
            whole("200 OK", "", &items)
        }
    })
    .await;
    let (client, _) = client(options());
    let all = async |path: &str, total: Option<u64>| {
        let call = Call::get("list", server.url(&format!("{path}?per_page=2")));
        client.pages(&call, &auth(), 2, |answer| Ok(Page { items: answer.json::<Vec<u32>>()?, total })).await
    };
    assert_eq!(all("linked", None).await, Ok(vec![1, 2, 3, 4, 5, 6]));
    assert_eq!(all("bare", None).await, Ok(vec![1, 2, 3, 4, 5, 6]));
    assert_eq!(all("bare", Some(6)).await, Ok(vec![1, 2, 3, 4, 5, 6]));
    let said = |result: Result<Vec<u32>, Fault>| result.expect_err("not whole").to_string();
    assert!(said(all("short", Some(6)).await).contains("only 3 of 6 came"));
    assert!(said(all("circle", None).await).contains("circles"));
    assert!(said(all("bare", Some(9)).await).contains("only 6 of 9 came"));
}

#[tokio::test]
async fn no_more_are_under_way_than_allowed() {
    let server = Server::new(|_, _| {
        let mut steps = vec![Do::Wait(30)];
        steps.extend(whole("200 OK", "", r#"{"ok":1}"#));
        steps
    })
    .await;
    let (client, _) = client(Options { at_once: 3, ..options() });
    let look = Call::get("look", server.url("a"));
    let calls: Vec<_> = (0..12)
        .map(|_| {
            let (client, look) = (client.clone(), look.clone());
            tokio::spawn(async move { client.send(&look, &Auth::none()).await.is_ok() })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(15)).await;
    assert_eq!(server.asked().len(), 3);
    for call in calls {
        assert!(call.await.expect("ran"));
    }
}

#[test]
fn nothing_that_is_printed_shows_a_secret() {
    let call = Call::act(
        "open",
        Method::POST,
        Url::parse("http://h/x?private_token=abc").expect("a URL"),
        &json!({"k": "tok_very_secret"}),
    )
    .header(http::header::COOKIE, http::HeaderValue::from_static("tok_very_secret"));
    let (client, _) = client(options());
    let shown = format!("{:?} {call:?} {client:?} {:?}", auth(), Token { auth: auth(), lives: Span::ZERO });
    assert!(!shown.contains("very") && !shown.contains("abc"), "{shown}");
    assert!(Auth::scheme("x", "Bearer", b"two\nlines").is_err());
}
