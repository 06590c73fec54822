//! Who is slow: a body that comes in drops is given up in time and counted, and a store that somebody else writes to
//! keeps no platform waiting longer than it waits.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use towpath::chat::slack::sign;

use super::{Platform, SIGNING, now, place, shown, slack, slash};

#[test]
fn a_body_that_comes_in_drops_is_given_up() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    let body = slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", "pause all --for 1h --reason r");
    let stamp = now().to_string();
    let signature = sign(SIGNING.as_bytes(), &stamp, body.as_bytes());
    let head = format!(
        "POST /chat/work HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: \
         {signature}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", service.port())).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut hears = stream.try_clone().unwrap();
    let answer = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = hears.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    // Never silent for long, and never whole.
    for byte in body.as_bytes().chunks(1).take(body.len() - 1) {
        if answer.is_finished() || stream.write_all(byte).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    let answer = answer.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("too slowly"), "{answer}");
    let count =
        |result: &str| service.metric(&format!("towpath_hooks_total{{source=\"chat\",result=\"{result}\"}}"));
    assert_eq!((count("too-slow"), count("taken")), (Some(1.0), None));
    // The same whole is taken: nothing of it was kept.
    assert_eq!(slack(&service, &body, SIGNING, 0).status, 200);
    assert!(shown(&platform.tells(1)).contains("is paused until"), "{:?}", platform.told());
}

#[test]
fn a_store_that_is_written_to_for_two_seconds_is_waited_for() {
    let platform = Platform::new();
    let place = place(&platform);
    let service = place.serve();
    service.says(&["production", "up to date"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut conn = runtime.block_on(async {
        let path = place.path().join("towpath.db");
        let mut conn = sqlx::sqlite::SqliteConnectOptions::new().filename(path).connect().await.unwrap();
        conn.execute("BEGIN IMMEDIATE").await.unwrap();
        conn
    });
    let is_free = Arc::new(AtomicBool::new(false));
    let frees = is_free.clone();
    let locked = thread::spawn(move || {
        thread::sleep(Duration::from_secs(2));
        frees.store(true, Ordering::SeqCst);
        runtime.block_on(async {
            conn.execute("ROLLBACK").await.unwrap();
            conn.close().await.unwrap();
        });
    });
    let text = "pause checkout production --for 1h --reason r";
    let ack = slack(&service, &slash(&platform, ("T1", "UOLGA", "CSHOP"), "1.a", text), SIGNING, 0);
    assert_eq!(ack.status, 200, "{ack:?}");
    assert!(is_free.load(Ordering::SeqCst), "it was locked, so nothing durable could be said");
    locked.join().unwrap();
    assert!(shown(&platform.tells(1)).contains("is paused until"), "{:?}", platform.told());
    assert_eq!(super::rows(&place).len(), 1);
}
