//! `POST /hooks/NAME` as strangers and forges meet it: what is refused before it is read, what there is no address
//! for, and what is taken once whichever process is asked. And what `doctor` says of hooks that come or do not.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use towpath::clock::Clock;
use towpath_core::model::{Instant, Span};

use super::doctor::doctor;
use super::e2e::{Day, served, settled};
use super::github::server::send_hook;
use super::hosts::{GitHub, GitLab, Gitea, Host};

/// The largest body that a forge sends.
const MOST: usize = 25 * 1024 * 1024;

/// A day whose forge has a secret for hooks, and looks at the start alone.
async fn with_hooks<H: Host>(example: &str) -> Day<H> {
    let day = Day::<H>::new(example, |text| {
        let text = text.replace("*/5 * * * *", "0 0 1 1 *");
        text.replace("token = ", "webhook_secrets = [{ file = \"hook\" }]\ntoken = ")
    })
    .await;
    std::fs::write(day.dir.path().join("hook"), "of this year\n").expect("written");
    day
}

/// The status of what is answered to these bytes, if anything is within that time.
async fn answered(url: &str, path: &str, headers: &str, body: &[u8], within: Duration) -> Option<u16> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    // Whoever has answered does not read on.
    let _ = timeout(within, stream.write_all(body)).await;
    let mut first = [0; 12];
    timeout(within, stream.read_exact(&mut first)).await.ok()?.ok()?;
    std::str::from_utf8(&first).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

async fn too_large<H: Host>(example: &str, path: &str, signature: &str) {
    let day = with_hooks::<H>(example).await;
    let (url, stop, _) = served(&day, Clock::System).await;
    let (soon, long) = (Duration::from_millis(700), Duration::from_secs(8));
    let sized = |length: usize| format!("{signature}: x\r\nContent-Length: {length}\r\n");
    // Nothing of the body was sent: it is refused for what it says of itself.
    assert_eq!(answered(&url, path, &sized(MOST + 1), b"", long).await, Some(413), "{path}");
    assert_eq!(answered(&url, path, &sized(MOST), b"{", soon).await, None, "{path}: it is read");
    // One that does not say how long it is, to where it is too long.
    let chunk = vec![b' '; 1024 * 1024];
    let mut body = Vec::with_capacity(MOST + 2 * chunk.len());
    while body.len() <= MOST {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(&chunk);
        body.extend_from_slice(b"\r\n");
    }
    let chunked = format!("{signature}: x\r\nTransfer-Encoding: chunked\r\n");
    let long_one = answered(&url, path, &chunked, &body, long).await;
    // It may be cut off before the answer is read, and is taken in no case.
    assert!(matches!(long_one, Some(413) | None), "{path}: {long_one:?}");
    // What bears nothing like a signature is refused before a byte of it is read, however small.
    assert_eq!(answered(&url, path, "Content-Length: 9\r\n", b"", long).await, Some(401), "{path}");
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    too_large::<GitHub>("docplanner.toml", "/hooks/github", "X-Hub-Signature-256").await;
    too_large::<Gitea>("docplanner-gitea.toml", "/hooks/forgejo", "X-Gitea-Signature").await;
    too_large::<GitLab>("gitlab-flow.toml", "/hooks/gitlab", "X-Gitlab-Token").await;
}

async fn nowhere<H: Host>(example: &str, name: &str) {
    let day = Day::<H>::new(example, |text| text).await;
    let (url, stop, _) = served(&day, Clock::System).await;
    let statuses = async |name: &str| {
        let response = reqwest::Client::new()
            .post(format!("{url}/hooks/{name}"))
            .header("x-hub-signature-256", format!("sha256={}", "0".repeat(64)))
            .header("x-gitea-signature", "0".repeat(64))
            .header("x-gitlab-token", "a guess")
            .body("{}")
            .send()
            .await
            .expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a text"))
    };
    let configured = statuses(name).await;
    assert_eq!(configured.0, 404, "{name}");
    assert_eq!(configured, statuses("nobody").await, "nobody is told which forges there are");
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forge_without_a_secret_has_no_address_for_hooks() {
    nowhere::<GitHub>("docplanner.toml", "github").await;
    nowhere::<Gitea>("docplanner-gitea.toml", "forgejo").await;
    nowhere::<GitLab>("gitlab-flow.toml", "gitlab").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_another_process_took_wakes_nobody() {
    let day = with_hooks::<GitHub>("docplanner.toml").await;
    let move_to = |file: &str| {
        let commit = day.push(file);
        day.green(commit);
        commit
    };
    let one = move_to("one");
    let (url, stop, shared) = served(&day, Clock::System).await;
    settled("the look at the start", &shared, || day.host.tip("staging") == one).await;
    let two = move_to("two");
    let hook = async |url: &str, delivery: &str| {
        send_hook(&format!("{url}/hooks/github"), "of this year", "push", ("shop/checkout", delivery))
            .await
            .as_u16()
    };
    assert_eq!(hook(&url, "7").await, 202);
    settled("a move", &shared, || day.host.tip("staging") == two).await;
    stop.cancel();
    drop(shared);

    let three = move_to("three");
    let (url, stop, shared) = served(&day, Clock::System).await;
    settled("the look at the start", &shared, || day.host.tip("staging") == three).await;
    let four = move_to("four");
    assert_eq!(hook(&url, "7").await, 202, "taken, and it wakes nobody");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(day.host.tip("staging"), three);
    let page = reqwest::get(format!("{url}/metrics")).await.expect("an answer").text().await.expect("a text");
    let count = |result: &str| {
        let name = format!("towpath_hooks_total{{source=\"forge\",result=\"{result}\"}} ");
        page.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse::<f64>().ok()).unwrap_or_default()
    };
    assert!(count("repeated") == 1.0 && count("taken") == 0.0, "{page}");
    assert_eq!(hook(&url, "8").await, 202);
    settled("a move", &shared, || day.host.tip("staging") == four).await;
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_when_the_last_hook_came_and_when_none_has_for_days() {
    let day = with_hooks::<Gitea>("docplanner-gitea.toml").await;
    let says = |words: &str| {
        let (lines, _) = tokio::task::block_in_place(|| doctor(&day));
        let found = lines.iter().any(|line| line.contains("`[forge.forgejo]`") && line.contains(words));
        assert!(found, "{words}: {lines:#?}");
    };
    let (none, came) = ("no webhook about a flow came in the last three days", "the last webhook came at ");
    let store = day.setup.world.store();
    let now = Clock::System.reading().wall;
    let ago = |span: Span| Instant(now.0 - span.ms());
    says(none);
    store.take_delivery("another", "1", ago(Span::from_mins(1))).await.expect("noted");
    says(none);
    store.take_delivery("forgejo", "1", ago(Span::from_mins(3 * 24 * 60 + 1))).await.expect("noted");
    says(none);
    let lately = ago(Span::from_mins(3 * 24 * 60 - 30));
    store.take_delivery("forgejo", "2", lately).await.expect("noted");
    says(&format!("{came}{lately}"));
    // Where there is no secret nothing comes, and nothing is missed.
    let quiet = Day::<Gitea>::new("docplanner-gitea.toml", |text| text).await;
    let (lines, _) = tokio::task::block_in_place(|| doctor(&quiet));
    assert!(!lines.iter().any(|line| line.contains(none) || line.contains(came)), "{lines:#?}");
}
