//! Clients that take their time: how many connections there are, and who gives way to whom.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use towpath::server::Limits;

use super::place::{CONFIG, Place, Server};

/// Longer than any test runs: what happens does not happen because of it.
const NEVER: Duration = Duration::from_secs(3_600);

/// How long an answer may take before the test gives up. Nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

fn few() -> Limits {
    Limits { connections: 4, head: NEVER, ..Limits::default() }
}

fn place() -> Place {
    let place = Place::with(&CONFIG.replace("listen = ", "webhook_secrets = [{ file = \"secret\" }]\nlisten = "));
    std::fs::write(place.path().join("secret"), "key").unwrap();
    place
}

/// A connection over which that was sent.
fn client(server: &Server, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    stream
}

/// Reads until the other side closes; fails where it does not.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        // What was closed with something of ours unread.
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        done => _ = done.unwrap(),
    }
    String::from_utf8(bytes).unwrap()
}

/// Reads one answer over a connection that stays open.
fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.contains("\r\n\r\n") {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "closed after {text:?}");
        text.push(char::from(byte[0]));
    }
    let length = text.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}

fn hook(server: &Server, body: &str) -> String {
    let wall = server.shared.setup().world.clock().reading().wall;
    let signed = towpath::server::hooks::sign(b"key", wall, body.as_bytes());
    format!(
        "POST /hooks/git/shop/basket HTTP/1.1\r\nHost: x\r\nTowpath-Signature: {signed}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
}

fn get(path: &str, close: bool) -> String {
    let close = if close { "Connection: close\r\n" } else { "" };
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{close}\r\n")
}

#[test]
fn slow_clients_keep_out_neither_probes_nor_hooks() {
    let place = place();
    let server = place.serve_within(few());
    // Far more than there may be, each of them slow in its own way, and none goes away.
    let mut slow: Vec<TcpStream> = Vec::new();
    for _ in 0..10 {
        slow.push(client(&server, ""));
        slow.push(client(&server, "GET /livez HTTP/1.1\r\nHost: local"));
        slow.push(client(&server, &hook(&server, "a body that does not come")));
        let mut idle = client(&server, &get("/livez", false));
        assert!(answer(&mut idle).starts_with("HTTP/1.1 200 "));
        slow.push(idle);
    }
    for path in ["/livez", "/readyz", "/metrics", "/api/v1/flows"] {
        let heard = rest(client(&server, &get(path, true)));
        assert!(heard.starts_with("HTTP/1.1 200 "), "{path}: {heard}");
    }
    let mut called = client(&server, &hook(&server, "pushed"));
    called.write_all(b"pushed").unwrap();
    assert!(answer(&mut called).starts_with("HTTP/1.1 202 "));
    // Who came first gave way first.
    assert_eq!(rest(slow.remove(0)), "");
    let metrics = rest(client(&server, &get("/metrics", true)));
    assert!(!metrics.contains("towpath_connections_closed_total 0\n"), "{metrics}");
}

#[test]
fn what_is_idle_stays_open_while_there_is_room() {
    let place = place();
    let server = place.serve_within(few());
    let mut clients: Vec<TcpStream> = (0..4).map(|_| client(&server, "")).collect();
    for _ in 0..3 {
        for stream in &mut clients {
            stream.write_all(get("/livez", false).as_bytes()).unwrap();
            assert!(answer(stream).starts_with("HTTP/1.1 200 "));
        }
    }
    clients[0].write_all(get("/metrics", true).as_bytes()).unwrap();
    assert!(rest(clients.remove(0)).contains("towpath_connections_closed_total 0\n"));
}

#[test]
fn the_head_of_a_request_has_to_come_in_time() {
    let place = place();
    let server = place.serve_within(Limits { head: Duration::from_millis(200), ..Limits::default() });
    for sent in ["", "GET /livez HTTP/1.1\r\nHost: local"] {
        let heard = rest(client(&server, sent));
        assert!(!heard.contains(" 200 "), "{heard}");
    }
    // Neither is one kept that asks nothing more.
    assert!(rest(client(&server, &get("/livez", false))).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_stop_answers_what_was_begun_and_closes_what_is_idle() {
    let place = place();
    let server = place.serve_within(Limits { head: NEVER, ..Limits::default() });
    let mut idle = client(&server, &get("/livez", false));
    assert!(answer(&mut idle).starts_with("HTTP/1.1 200 "));
    let silent = client(&server, "");
    let mut begun = client(&server, &hook(&server, "pushed").replace("Host", "Expect: 100-continue\r\nHost"));
    // The service says that it awaits the body: the request has begun.
    assert!(answer(&mut begun).starts_with("HTTP/1.1 100 "));
    server.stop();
    assert_eq!(rest(idle), "");
    assert_eq!(rest(silent), "");
    begun.write_all(b"pushed").unwrap();
    let heard = rest(begun);
    assert!(heard.starts_with("HTTP/1.1 202 "), "{heard}");
}

#[test]
fn nothing_but_http_1_is_spoken() {
    let place = place();
    let server = place.serve_within(Limits { head: NEVER, ..Limits::default() });
    let heard = rest(client(&server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    assert!(!heard.contains(" 200 "), "{heard}");
}

#[tokio::test]
async fn a_listener_that_is_none_any_more_ends_the_service_with_an_error() {
    let place = place();
    let server = place.serve();
    // A connected socket in place of a listening one: taking connections from it is an error for good.
    let there = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let here = TcpStream::connect(there.local_addr().unwrap()).unwrap();
    here.set_nonblocking(true).unwrap();
    let (mut other, _) = there.accept().unwrap();
    other.write_all(b"something to wake for").unwrap();
    let listener = tokio::net::TcpListener::from_std(std::os::fd::OwnedFd::from(here).into()).unwrap();
    let serving = towpath::server::serve(listener, server.shared.clone(), Limits::default(), Default::default());
    assert!(tokio::time::timeout(PATIENCE, serving).await.unwrap().is_err());
}
