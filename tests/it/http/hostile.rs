//! What nobody means well sends: refused with a code, and never with 500.

use super::place::{HOSTILE, Place};

#[test]
fn browsers_of_other_sites_are_refused() {
    let place = Place::new();
    let server = place.serve();
    let at = server.at.to_string();
    for host in [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.nip.io",
        "localhost.evil.example",
        "",
        "localhost:80@x",
        "[::1",
    ] {
        let heard = server.call_with("GET", "/flows", None, None, &[("Host", host)]);
        assert_eq!((heard.status, heard.code().as_str()), (421, "host-not-allowed"), "{host}: {heard:?}");
        let heard = server.call_with("GET", "/openapi.json", None, None, &[("Host", host)]);
        assert_eq!(heard.status, 421, "{host}");
    }
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8080", "127.9.9.9:1"] {
        assert_eq!(server.call_with("GET", "/flows", None, None, &[("Host", host)]).status, 200, "{host}");
    }
    let two = server
        .raw(b"GET /api/v1/flows HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nHost: evil.example\r\n\r\n");
    assert!(matches!(two.status, 400 | 421), "{two:?}");
    let none = server.raw(b"GET /api/v1/flows HTTP/1.0\r\n\r\n");
    assert_eq!(none.status, 421, "{none:?}");
    let (token, _) = place.token(&["ops", "--scope", "steer"]);
    let own = format!("http://{at}");
    for (name, value, refused) in [
        ("Origin", "https://evil.example", true),
        ("Origin", "null", true),
        ("Origin", "http://127.0.0.1:1", true),
        ("Origin", own.as_str(), false),
        ("Sec-Fetch-Site", "cross-site", true),
        ("Sec-Fetch-Site", "same-site", true),
        ("Sec-Fetch-Site", "same-origin", false),
        ("Sec-Fetch-Site", "none", false),
    ] {
        let body = Some("{\"command\": \"resume all\"}");
        let heard = server.call_with("POST", "/commands", Some(&token), body, &[(name, value)]);
        assert_eq!(heard.code() == "cross-site", refused, "{name}: {value}: {heard:?}");
    }
}

#[test]
fn no_body_is_too_much() {
    let place = Place::new();
    let server = place.serve();
    let (token, _) = place.token(&["ops", "--scope", "admin"]);
    let post = |body: &str| server.call("POST", "/commands", Some(&token), Some(body));
    let deep = format!("{{\"command\": {}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    for (body, code) in [
        (String::new(), "bad-request"),
        ("{".to_owned(), "bad-request"),
        ("null".to_owned(), "bad-request"),
        ("[]".to_owned(), "bad-request"),
        ("{}".to_owned(), "bad-request"),
        (deep, "bad-request"),
        ("{\"command\": \"resume all\", \"who\": \"me\"}".to_owned(), "bad-request"),
        ("{\"command\": \"resume all\", \"command\": \"resume all\"}".to_owned(), "bad-request"),
        ("{\"command\": 7}".to_owned(), "bad-request"),
        ("{\"command\": \"\"}".to_owned(), "bad-command"),
        ("{\"command\": \"\\u0000\"}".to_owned(), "bad-command"),
        ("{\"command\": \"shutdown\"}".to_owned(), "bad-command"),
        (format!("{{\"command\": \"{}\"}}", "a".repeat(5_000)), "bad-command"),
        (format!("{{\"command\": \"{}\"}}", "a".repeat(70_000)), "body-too-large"),
    ] {
        let heard = post(&body);
        assert_eq!(heard.code(), code, "{}: {heard:?}", &body[..body.len().min(60)]);
    }
    let kind = |kind: &str| {
        server
            .call_with(
                "POST",
                "/commands",
                Some(&token),
                Some("{\"command\": \"resume all\"}"),
                &[("Content-Type", kind)],
            )
            .code()
    };
    assert_eq!(kind("text/plain"), "not-json");
    assert_eq!(kind("application/x-www-form-urlencoded"), "not-json");
    assert_eq!(kind("Application/JSON; charset=utf-8"), "refused");
    // No UTF-8; and a length that nobody means.
    let head = format!(
        "POST /api/v1/commands HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    );
    let mut bad = format!("{head}Content-Length: 11\r\n\r\n").into_bytes();
    bad.extend(b"{\"c\": \"\xff\xfe\"}");
    assert_eq!(server.raw(&bad).code(), "bad-request");
    let huge = format!("{head}Content-Length: 99999999999\r\n\r\n{{}}");
    assert_eq!(server.raw(huge.as_bytes()).code(), "body-too-large");
}

#[test]
fn no_address_leads_anywhere_else() {
    let place = Place::new();
    let server = place.serve();
    for (path, code) in [
        ("/flows/..%2F..%2Fetc%2Fpasswd", "unknown-name"),
        ("/flows/%2e%2e", "unknown-name"),
        ("/flows/shop/checkout", "no-such-route"),
        ("/flows/%00", "unknown-name"),
        ("/flows/%1b%5b31m", "unknown-name"),
        ("/flows/%ff%fe", "bad-path"),
        ("/flows/checkout/edges/%2e%2e%2f", "unknown-name"),
        ("/flows/checkout/edges/production%00", "unknown-name"),
        ("/commits/..%2f..%2fHEAD", "bad-commit"),
        ("/commits/HEAD", "bad-commit"),
        ("/commits/--help1", "bad-commit"),
        ("/commits/1234567%20", "bad-commit"),
        ("/nothing", "no-such-route"),
        ("/flows?limit=0", "bad-query"),
        ("/flows?limit=101", "bad-query"),
        ("/flows?limit=-1", "bad-query"),
        ("/flows?limit=99999999999999999999", "bad-query"),
        ("/flows?limit=1&limit=2", "bad-query"),
        ("/flows?nothing=1", "bad-query"),
        ("/flows/checkout?limit=1", "bad-query"),
        ("/flows?after=r1", "bad-cursor"),
        ("/flows?after=%ff", "bad-cursor"),
        ("/flows?after=", "bad-cursor"),
        ("/history?after=f61", "bad-cursor"),
        ("/history?after=rffffffffffffffffffffff", "bad-cursor"),
        ("/promotions?state=lost", "bad-query"),
        ("/promotions?env=", "bad-query"),
        ("/plan?env=staging", "bad-query"),
        ("/plan?flow=checkout&env=develop", "first-environment"),
    ] {
        let heard = server.get(path);
        assert_eq!(heard.code(), code, "{path}: {heard:?}");
        assert!(heard.status < 500 && !heard.text.contains('\u{1b}') && !heard.text.contains('\0'), "{heard:?}");
        assert!(heard.head.contains("application/problem+json") && heard.head.contains("no-store"), "{heard:?}");
    }
    let long = server.get(&format!("/flows/{}", "a".repeat(2_000)));
    assert_eq!(long.code(), "bad-path");
    for slash in ["/flows/shop%2Fcheckout", "/flows/shop%2fcheckout/edges/staging", "/flows/checkout"] {
        assert_eq!(server.get(slash).status, 200, "{slash}");
    }
    assert_eq!(server.call("DELETE", "/flows", None, None).code(), "method-not-allowed");
}

#[test]
fn texts_of_a_repository_do_not_act() {
    let place = Place::new();
    let server = place.serve();
    for path in ["/flows/checkout/edges/production/diff", "/plan", "/flows", "/history"] {
        let heard = server.get(path);
        assert_eq!(heard.status, 200);
        assert!(!heard.text.contains('\u{1b}') && !heard.text.contains('\u{202e}'), "{}", heard.text);
        assert!(heard.head.to_lowercase().contains("x-content-type-options: nosniff"));
    }
    let diff = server.get("/flows/checkout/edges/production/diff").json();
    let subjects: Vec<&str> =
        diff["commits"].as_array().unwrap().iter().map(|commit| commit["subject"].as_str().unwrap()).collect();
    assert!(subjects.contains(&HOSTILE), "{subjects:?}");
}

#[test]
fn lists_go_on_where_they_ended() {
    let place = Place::new();
    for n in 0..7 {
        place.run(&["pause", "checkout", "--reason", &n.to_string()], &[]);
    }
    let server = place.serve();
    for (path, key) in [("/history", "history"), ("/audit", "audit"), ("/flows", "flows"), ("/plan", "plans")] {
        let limit = if key == "flows" || key == "plans" { 20 } else { 200 };
        let whole = server.get(&format!("{path}?limit={limit}")).json();
        let mut pieces = Vec::new();
        let mut after = String::new();
        loop {
            let piece = server.get(&format!("{path}?limit=1{after}")).json();
            pieces.extend(piece[key].as_array().unwrap().iter().cloned());
            match piece["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(pieces.len(), whole[key].as_array().unwrap().len(), "{path}");
        let ids = |list: &[serde_json::Value]| -> Vec<String> {
            list.iter().map(|e| format!("{}{}{}", e["seq"], e["flow"], e["plan"]["flow"])).collect()
        };
        assert_eq!(ids(&pieces), ids(whole[key].as_array().unwrap()), "{path}");
    }
}
