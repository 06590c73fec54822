//! Every webhook in the collection of examples that Octokit keeps (`@octokit/webhooks-examples`, which
//! `scripts/forge-specs` fetches, pinned), sent to the service's own address as GitHub sends it: signed over the very
//! bytes, as JSON and as a form.
//!
//! They were recorded from github.com and from Enterprise Server 3.1 to 3.5 and are older than the present description:
//! what is read of them has to stay little.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::forge::client::{Client, Options, stamp};
use towpath::forge::github::{Credential, GitHub};
use towpath::forge::{Forge as _, HookRefused, RepoPath};
use towpath::serve::{Ended, Shared};
use towpath::server::{self, Limits};
use towpath::setup::{Need, Setup};
use towpath_core::model::Instant;
use towpath_core::text::hex;

use crate::forge::schema::spec;

/// What the App or the repository's webhook is to send, as `docs/github.md` and `doctor` ask for it.
const SUBSCRIBED: [&str; 6] =
    ["check_run", "issue_comment", "pull_request", "pull_request_review", "push", "status"];

/// How many examples there are of each of those, in the order above, and in all.
const EXAMPLES: [usize; 6] = [18, 20, 46, 11, 14, 11];
const ALL: usize = 726;

const SECRET: &str = "It's a Secret to Everybody";

/// One example.
struct Example {
    /// Of github.com or of which Enterprise Server.
    of: String,
    event: String,
    payload: Value,
}

impl Example {
    /// The repository it is about, if it is about one.
    fn repo(&self) -> Option<&str> {
        self.payload["repository"]["full_name"].as_str()
    }

    /// Whether it is of an event that Towpath asks for.
    fn is_subscribed(&self) -> bool {
        SUBSCRIBED.contains(&&*self.event)
    }

    /// As it was written, with line ends: a body that is read and written anew would be another one.
    fn json(&self, delivery: &str) -> (HeaderMap, Vec<u8>) {
        let body = serde_json::to_vec_pretty(&self.payload).expect("JSON");
        (signed(&self.event, delivery, "application/json", &body), body)
    }

    /// As GitHub sends unless it is told otherwise.
    fn form(&self, delivery: &str) -> (HeaderMap, Vec<u8>) {
        let mut url = reqwest::Url::parse("http://form/").expect("a URL");
        url.query_pairs_mut().append_pair("payload", &self.payload.to_string());
        let body = url.query().expect("a query").as_bytes().to_vec();
        (signed(&self.event, delivery, "application/x-www-form-urlencoded", &body), body)
    }
}

/// All of them; nothing where the descriptions could not be had, which is said.
fn examples() -> Vec<Example> {
    let Some(text) = spec("github-webhooks.json") else { return Vec::new() };
    let sets: BTreeMap<String, Vec<Value>> = serde_json::from_str(&text).expect("the examples are JSON");
    let mut all = Vec::new();
    for (of, events) in sets {
        for mut event in events {
            let name = event["name"].as_str().expect("a name").to_owned();
            let Value::Array(payloads) = event["examples"].take() else { panic!("no examples of {name}") };
            all.extend(payloads.into_iter().map(|payload| Example {
                of: of.clone(),
                event: name.clone(),
                payload,
            }));
        }
    }
    assert_eq!(all.len(), ALL);
    let of = |event: &&str| all.iter().filter(|example| example.event == **event).count();
    assert_eq!(SUBSCRIBED.iter().map(of).collect::<Vec<_>>(), EXAMPLES);
    all
}

fn signed(event: &str, delivery: &str, content_type: &str, body: &[u8]) -> HeaderMap {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key").chain_update(body);
    let signature = format!("sha256={}", hex(&mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    let mut put =
        |name: &'static str, value: &str| headers.insert(name, HeaderValue::from_str(value).expect("a value"));
    put("content-type", content_type);
    put("user-agent", "GitHub-Hookshot/044aadd");
    put("x-github-event", event);
    put("x-github-delivery", delivery);
    put("x-github-hook-id", "292430182");
    put("x-hub-signature-256", &signature);
    headers
}

/// Ids as GitHub makes them: each delivery has its own.
fn delivery(number: usize) -> String {
    format!("72d3162e-cc78-11e3-81ab-{number:012x}")
}

#[test]
fn the_events_are_those_that_the_docs_ask_for() {
    let docs = std::fs::read_to_string(crate::config::root().join("docs/github.md")).expect("docs/github.md");
    let line = docs.lines().find_map(|line| line.strip_prefix("Events: ")).expect("a line of events");
    let named = line.split(". ").next().unwrap_or_default().split(", ");
    let mut named: Vec<String> = named.map(|name| name.replace(' ', "_")).collect();
    named.sort_unstable();
    assert_eq!(named, SUBSCRIBED);
}

#[test]
fn each_is_verified_over_its_bytes_and_says_its_repository() {
    let clock = Clock::Manual(ManualClock::new(Instant(0)));
    let client = Client::new(Options::default(), clock.clone()).expect("a client");
    let forge = GitHub::new("https://github.com", Credential::None, client, clock).expect("an adapter");
    let secrets = ["of last year".to_owned(), SECRET.to_owned()];
    for (number, example) in examples().iter().enumerate() {
        let id = delivery(number);
        for (mut headers, mut body) in [example.json(&id), example.form(&id)] {
            let what = format!("{} {} {number}", example.of, example.event);
            let seen = forge.hook(&headers, &body, &secrets).unwrap_or_else(|why| panic!("{what}: {why}"));
            assert_eq!(seen.repo, example.repo().map(RepoPath::new), "{what}");
            assert!(seen.repo.is_some() || !example.is_subscribed(), "{what}: about nothing");
            assert_eq!((&*seen.event, seen.delivery.as_deref()), (&*example.event, Some(&*id)), "{what}");
            // All of them were made on issues that are no requests.
            assert_eq!(seen.said, None, "{what}");
            // Hashing takes its time in a build for tests.
            if !example.is_subscribed() {
                continue;
            }
            // Space at the end means nothing to a reader of JSON.
            body.push(b' ');
            assert_eq!(forge.hook(&headers, &body, &secrets), Err(HookRefused::Forged), "{what}");
            headers.remove("x-hub-signature-256");
            assert_eq!(forge.hook(&headers, &body, &secrets), Err(HookRefused::Unsigned), "{what}");
        }
    }
}

/// Those of comments, as if each had been made under a request: all that GitHub says beside that is as it was recorded.
#[test]
fn each_comment_that_was_made_is_read_if_it_is_under_a_request() {
    let clock = Clock::Manual(ManualClock::new(Instant(0)));
    let client = Client::new(Options::default(), clock.clone()).expect("a client");
    let forge = GitHub::new("https://github.com", Credential::None, client, clock).expect("an adapter");
    let all = examples();
    let (mut made, mut others) = (0, 0);
    for (number, mut example) in all.into_iter().filter(|example| example.event == "issue_comment").enumerate() {
        example.payload["issue"]["pull_request"] = serde_json::json!({ "url": "https://api.github.com/x" });
        for (headers, body) in [example.json(&delivery(number)), example.form(&delivery(number))] {
            let seen = forge.hook(&headers, &body, &[SECRET.to_owned()]).expect("verified");
            let (payload, what) = (&example.payload, format!("{} {number}", example.of));
            if payload["action"] != serde_json::json!("created") {
                others += 1;
                assert_eq!(seen.said, None, "{what}");
                continue;
            }
            made += 1;
            let said = seen.said.expect(&what);
            let comment = &payload["comment"];
            assert_eq!(Some(said.number), payload["issue"]["number"].as_u64(), "{what}");
            assert_eq!(Some(said.id), comment["id"].as_u64(), "{what}");
            assert_eq!(Some(&*said.body), comment["body"].as_str(), "{what}");
            assert_eq!(Some(&*said.author), comment["user"]["login"].as_str(), "{what}");
            assert_eq!(said.author_id, comment["user"]["id"].as_u64(), "{what}");
            assert_eq!(Some(&*said.url), comment["html_url"].as_str(), "{what}");
            assert_eq!(said.at, comment["created_at"].as_str().and_then(stamp), "{what}");
            assert!(said.at.is_some(), "{what}");
        }
    }
    assert!((made, others) == (24, 16) || spec("github-webhooks.json").is_none(), "{made} and {others}");
}

/// A service with a flow for each of those repositories, which nobody looks at: what was woken can be seen.
struct Service {
    shared: Arc<Shared>,
    url: String,
    client: reqwest::Client,
    stop: CancellationToken,
    _dir: tempfile::TempDir,
}

impl Service {
    async fn new(repos: &BTreeSet<&str>) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut text = "[forge.github]\nkind = \"github\"\nwebhook_secrets = [{ file = \"secret\" }]\n".to_owned();
        for repo in repos {
            // A flow's name and its repository are written in lower case; GitHub tells a name as it was first written.
            let name = repo.to_lowercase();
            text += &format!("[[flow]]\nrepository = \"github:{name}\"\n");
            text += "[[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\nname = \"staging\"\n";
        }
        std::fs::write(dir.path().join("secret"), format!("{SECRET}\n")).expect("written");
        std::fs::write(dir.path().join("towpath.toml"), text).expect("written");
        let config = Config::load(&dir.path().join("towpath.toml")).unwrap_or_else(|problems| panic!("{problems}"));
        let setup = Setup::open(config, Clock::System, Need::Create).await.expect("a setup");
        let (shared, stop) = (Arc::new(Shared::new(setup)), CancellationToken::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hooks/github", listener.local_addr().expect("bound"));
        tokio::spawn(server::serve(listener, Arc::clone(&shared), Limits::default(), stop.clone()));
        Self { shared, url, client: reqwest::Client::new(), stop, _dir: dir }
    }

    /// Its answer, and which flows it then wants to look at.
    async fn send(&self, (headers, body): (HeaderMap, Vec<u8>)) -> (u16, Vec<String>) {
        let answer = self.client.post(&self.url).headers(headers).body(body).send().await.expect("an answer");
        let status = answer.status().as_u16();
        let mut woken = Vec::new();
        while let Some((flow, _)) = self.shared.queue(|queue| queue.take(Instant(0))) {
            self.shared.queue(|queue| queue.end(&flow, Ended::Well { due: None }, Instant(0)));
            woken.push(flow.to_string());
        }
        (status, woken)
    }

    /// What its metrics say of the hooks that came: how many of each result.
    fn counted(&self) -> BTreeMap<String, usize> {
        let text = self.shared.metrics.text(&[]);
        let lines =
            text.lines().filter_map(|line| line.strip_prefix("towpath_hooks_total{source=\"forge\",result=\""));
        lines
            .map(|line| {
                let (result, count) = line.split_once("\"} ").expect("a count");
                (result.to_owned(), count.parse().expect("a number"))
            })
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_that_is_asked_for_wakes_its_flow_once() {
    let all = examples();
    if all.is_empty() {
        return;
    }
    let asked: Vec<&Example> = all.iter().filter(|example| example.is_subscribed()).collect();
    let repos: BTreeSet<&str> = asked.iter().filter_map(|example| example.repo()).collect();
    let service = Service::new(&repos).await;
    for (number, example) in asked.iter().enumerate() {
        let what = format!("{} {} {number}", example.of, example.event);
        let flow = example.repo().expect("a repository").to_lowercase();
        let (json, form) = (delivery(2 * number), delivery(2 * number + 1));
        assert_eq!(service.send(example.json(&json)).await, (202, vec![flow.clone()]), "{what}");
        assert_eq!(service.send(example.form(&form)).await, (202, vec![flow]), "{what}");
        // Somebody presses "Redeliver", or sends what was recorded on its way.
        assert_eq!(service.send(example.json(&json)).await, (202, Vec::new()), "{what}: twice");
    }
    assert_eq!(asked.len(), 120);
    assert_eq!(service.counted(), BTreeMap::from([("repeated".to_owned(), 120), ("taken".to_owned(), 240)]));
    service.stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_else_github_sends_is_taken_and_wakes_nobody_elses_flow() {
    let all = examples();
    if all.is_empty() {
        return;
    }
    let ours = "codertocat/hello-world";
    let service = Service::new(&BTreeSet::from([ours])).await;
    for (number, example) in all.iter().enumerate() {
        let what = format!("{} {} {number}", example.of, example.event);
        let wakes = example.repo().is_some_and(|repo| repo.to_lowercase() == ours);
        let woken = if wakes { vec![ours.to_owned()] } else { Vec::new() };
        assert_eq!(service.send(example.json(&delivery(number))).await, (202, woken), "{what}");
    }
    let counted = service.counted();
    assert_eq!(counted.values().sum::<usize>(), all.len(), "{counted:?}");
    let known = ["taken", "not-ours", "no-repository"];
    assert!(counted.keys().all(|result| known.contains(&&**result)), "{counted:?}");
    service.stop.cancel();
}
