//! `http` gates over real HTTP: what is sent, what a server may answer, and what is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value as Json, json};
use towpath::clock::Clock;
use towpath::config::Config;
use towpath::gate::Gates;
use towpath_core::dag::{Dag, Node};
use towpath_core::model::{
    CommitId, EdgeKey, Fact, Flow, HttpInstead, HttpSaid, HttpVerdict, Instant, Mends, Span, Tip, TreeId,
    UnknownWhy,
};
use towpath_core::see::Tips;

use crate::support::gate::{Asked, Do, GateServer, json_says, whole};
use crate::support::git_fixture::Repo;

/// Long enough for whatever is answered at once, on a machine with other things to do.
const PATIENT: Duration = Duration::from_secs(10);

/// What is never answered is waited for this long.
const IMPATIENT: Duration = Duration::from_millis(400);

fn commit(n: u8) -> CommitId {
    CommitId::from_bytes([n; 20])
}

/// Flows from develop to staging whose gates are at these URLs, and commits 1 to 40 on develop.
struct Place {
    config: Config,
    gates: Gates,
    dag: Dag,
    tips: Tips,
}

impl Place {
    fn new(urls: &[&str], more: &str, deadline: Duration) -> Self {
        let flow = |(at, url): (usize, &&str)| {
            format!(
                "[[flow]]\nrepository = \"ssh://git@git.example.com/shop/{at}.git\"\nname = \"shop-{at}\"\n\
                 [[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\nname = \"staging\"\n\
                 branch = \"release\"\ngates.http = {{ url = \"{url}/gate/of-the-shop\"{more} }}\n"
            )
        };
        let text: String = urls.iter().enumerate().map(flow).collect();
        let config = Config::from_text(&text, Path::new("/etc/towpath/towpath.toml"))
            .unwrap_or_else(|problems| panic!("{problems}"));
        let gates = Gates::with(&config, &Clock::System, deadline);
        let node = |n: u8| Node {
            id: commit(n),
            tree: TreeId::from_bytes([n; 20]),
            parents: if n == 0 { Vec::new() } else { vec![commit(n - 1)] },
            merged: None,
            author: "Ana \"A.\" Nowak".to_owned(),
            email: "ana@example.com".to_owned(),
            co_authors: Vec::new(),
            subject: format!("change {n}"),
        };
        let dag = Dag::new((0..=40).map(node).collect(), BTreeSet::new());
        let tips = [("develop", 40), ("staging", 0)].map(|(env, at)| (env.into(), Tip::At(commit(at))));
        Self { config, gates, dag, tips: tips.into() }
    }

    fn flow(&self, at: usize) -> &Flow {
        &self.config.flows[at].flow
    }

    async fn ask(&self, flow: usize, commits: std::ops::RangeInclusive<u8>) -> BTreeMap<EdgeKey, Fact<HttpSaid>> {
        let keys: BTreeSet<EdgeKey> =
            commits.map(|n| EdgeKey { env: "staging".into(), commit: commit(n) }).collect();
        let facts = self.gates.ask(self.flow(flow), &self.dag, &self.tips, &keys).await;
        assert_eq!(facts.keys().collect::<BTreeSet<_>>(), keys.iter().collect(), "each key is answered");
        facts
    }

    /// What comes of one question.
    async fn asks(&self) -> Result<HttpSaid, HttpInstead> {
        match self.ask(0, 1..=1).await.into_values().next().unwrap() {
            Fact::Known(said) => Ok(said),
            Fact::Unknown(unknown) => {
                let UnknownWhy::HttpGate { host, instead } = unknown.why else { panic!("{:?}", unknown.why) };
                assert!(!host.contains('/') && host.starts_with("127.0.0.1:"), "{host}");
                let lasts = matches!(instead, HttpInstead::NoToken { .. });
                assert_eq!(unknown.mends, if lasts { Mends::Person } else { Mends::Itself });
                Err(instead)
            }
        }
    }
}

/// What is made of one answer.
async fn made_of(answer: Do, deadline: Duration) -> Result<HttpSaid, HttpInstead> {
    let server = GateServer::start(move |_, _| answer.clone());
    let made = Place::new(&[&server.url], "", deadline).asks().await;
    assert_eq!(server.asked().len(), 1, "it is asked once, whatever it says");
    made
}

fn said(verdict: HttpVerdict, words: &str) -> Result<HttpSaid, HttpInstead> {
    Ok(HttpSaid { verdict, words: words.to_owned() })
}

#[tokio::test]
async fn a_verdict_is_pass_wait_or_block_with_a_reason() {
    use HttpVerdict::{Block, Pass, Wait};
    let never = Wait { until: None };
    for (body, expect) in [
        (r#"{"verdict":"pass","reason":"CHG-7"}"#, said(Pass, "CHG-7")),
        (r#"{"verdict":"pass"}"#, said(Pass, "")),
        (r#" {"verdict":"pass","reason":null,"until":null,"more":[1,{"verdict":"block"}]} "#, said(Pass, "")),
        // Of a pass and a block no time is read.
        (r#"{"verdict":"pass","until":"some day"}"#, said(Pass, "")),
        (r#"{"verdict":"wait","reason":"not yet"}"#, said(never, "not yet")),
        (r#"{"verdict":"block","reason":"no ticket"}"#, said(Block, "no ticket")),
        (
            r#"{"verdict":"wait","reason":"lunch","until":"2026-03-23T10:30:00+01:00"}"#,
            said(Wait { until: Some(Instant(1_774_258_200_000)) }, "lunch"),
        ),
        (
            r#"{"verdict":"block","reason":"one\n  two\tthree\u0007\u202e"}"#,
            said(Block, r"one two three\x07\u{202e}"),
        ),
    ] {
        assert_eq!(made_of(json_says(body), PATIENT).await, expect, "{body}");
    }
    let long = json!({ "verdict": "block", "reason": "é".repeat(20_000) }).to_string();
    let kept = format!("{}…", "é".repeat(HttpSaid::WORDS_MAX - 1));
    assert_eq!(made_of(json_says(&long), PATIENT).await, said(Block, &kept));
    let charset = whole("200 OK", "Content-Type: Application/JSON; charset=utf-8\r\n", r#"{"verdict":"pass"}"#);
    assert_eq!(made_of(charset, PATIENT).await, said(Pass, ""));
}

#[tokio::test]
async fn anything_else_is_told_and_is_no_verdict() {
    let pass = r#"{"verdict":"pass"}"#;
    let status =
        |status: &str, headers: &str| whole(status, &format!("Content-Type: application/json\r\n{headers}"), pass);
    let is = |status| Err(HttpInstead::Status { status });
    for (answer, expect) in [
        (status("201 Created", ""), is(201)),
        (whole("204 No Content", "", ""), is(204)),
        (status("301 Moved Permanently", "Location: /elsewhere\r\n"), is(301)),
        (status("302 Found", "Location: https://evil.example/\r\n"), is(302)),
        (status("307 Temporary Redirect", "Location: /elsewhere\r\n"), is(307)),
        (status("308 Permanent Redirect", ""), is(308)),
        (status("400 Bad Request", ""), is(400)),
        (status("401 Unauthorized", ""), is(401)),
        (status("403 Forbidden", ""), is(403)),
        (status("404 Not Found", ""), is(404)),
        (status("500 Internal Server Error", ""), is(500)),
        (status("503 Service Unavailable", ""), is(503)),
        (status("429 Too Many Requests", ""), Err(HttpInstead::Limited { again_in: Span::from_mins(1) })),
        (
            status("503 Service Unavailable", "Retry-After: 30\r\n"),
            Err(HttpInstead::Limited { again_in: Span::from_secs(30) }),
        ),
        (whole("200 OK", "Content-Type: text/html\r\n", "<html>"), Err(HttpInstead::NotJson)),
        (whole("200 OK", "Content-Type: text/plain\r\n", pass), Err(HttpInstead::NotJson)),
        (whole("200 OK", "", pass), Err(HttpInstead::NotJson)),
        (json_says(""), Err(HttpInstead::NotJson)),
        (json_says(r#"{"verdict":"pass""#), Err(HttpInstead::NotJson)),
        (json_says(r#"{"verdict":"pass"} {}"#), Err(HttpInstead::NotJson)),
        (json_says("{\"verdict\":\"pass\",\"reason\":\"\u{7}\"}"), Err(HttpInstead::NotJson)),
    ] {
        assert_eq!(made_of(answer.clone(), PATIENT).await, expect, "{answer:?}");
    }
    for (body, word) in [
        (r#"{"verdict":"PASS"}"#, "PASS"),
        (r#"{"verdict":""}"#, ""),
        (r#"{"verdict":"ok\u001b[2J"}"#, r"ok\x1b[2J"),
    ] {
        let expect = Err(HttpInstead::UnknownVerdict { word: word.to_owned() });
        assert_eq!(made_of(json_says(body), PATIENT).await, expect, "{body}");
    }
    let mut malformed = Vec::new();
    for body in [
        "[]",
        r#"["pass"]"#,
        r#""pass""#,
        "null",
        "{}",
        r#"{"reason":"pass"}"#,
        r#"{"verdict":true}"#,
        r#"{"verdict":null}"#,
        r#"{"verdict":["pass"]}"#,
        r#"{"verdict":"pass","reason":7}"#,
        r#"{"verdict":"block","verdict":"pass"}"#,
        r#"{"verdict":"wait","until":"tomorrow\u0007"}"#,
        r#"{"verdict":"wait","until":1774258200}"#,
    ] {
        match made_of(json_says(body), PATIENT).await {
            Err(HttpInstead::Malformed { words }) => malformed.push(format!("{body}  {words}")),
            other => panic!("{body}: {other:?}"),
        }
    }
    insta::assert_snapshot!(malformed.join("\n"));
}

#[tokio::test]
async fn no_more_is_read_than_a_verdict_may_be_long() {
    let large = Err(HttpInstead::TooLarge { bytes_max: 65_536 });
    let body = json!({ "verdict": "pass", "reason": "x".repeat(70_000) }).to_string();
    assert_eq!(made_of(json_says(&body), PATIENT).await, large);
    // One that only says that it will be long, and says no more.
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let promised = format!("{head}Content-Length: 100000000000\r\n\r\n{{");
    assert_eq!(made_of(Do::SayAndHold(promised.into()), PATIENT).await, large);
    // One that does not say how long it will be.
    let chunk = format!("2000\r\n{}\r\n", " ".repeat(0x2000));
    let endless = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(20));
    assert_eq!(made_of(Do::SayAndHold(endless.into()), PATIENT).await, large);
}

#[tokio::test]
async fn what_does_not_answer_in_time_is_given_up() {
    let late = Err(HttpInstead::TimedOut { after: Span::from_ms(400) });
    for begun in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{\"verdict\":",
    ] {
        assert_eq!(made_of(Do::SayAndHold(begun.into()), IMPATIENT).await, late, "{begun}");
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cut = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{\"verdict\":";
    for (answer, url) in
        [(Some(""), None), (Some(cut), None), (Some("SSH-2.0-OpenSSH_9.6\r\n"), None), (None, Some(nobody))]
    {
        let server = GateServer::start(move |_, _| Do::Say(answer.unwrap_or_default().into()));
        let url = url.map_or_else(|| server.url.clone(), |nobody| format!("http://{nobody}"));
        let made = Place::new(&[&url], "", PATIENT).asks().await;
        let Err(HttpInstead::Nothing { words }) = made else { panic!("{answer:?}: {made:?}") };
        assert!(!words.is_empty() && !words.contains("of-the-shop"), "{words}");
    }
}

/// The question and the answers of the documentation are those that are sent and understood.
#[tokio::test]
async fn the_documentation_is_right() {
    let text = std::fs::read_to_string(crate::config::root().join("docs/http-gate.md")).unwrap();
    let blocks: Vec<Json> = text
        .split("```json\n")
        .skip(1)
        .map(|rest| serde_json::from_str(rest.split("```").next().unwrap()).unwrap())
        .collect();
    let [question, answers @ ..] = &blocks[..] else { panic!("no question") };
    let server = GateServer::start(|_, _| json_says(r#"{"verdict":"pass"}"#));
    let place = Place::new(&[&server.url], "", PATIENT);
    place.asks().await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!(asked.line, "POST /gate/of-the-shop HTTP/1.1");
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.header("accept"), Some("application/json"));
    assert_eq!(asked.header("authorization"), None);
    assert!(asked.header("user-agent").is_some_and(|agent| agent.starts_with("towpath/")));
    let sent = asked.json();
    let candidate = json!({ "commit": commit(1), "author": "Ana \"A.\" Nowak", "subject": "change 1" });
    assert_eq!(sent["candidate"], candidate);
    assert_eq!(sent["target"], json!({ "branch": "release", "commit": commit(0) }));
    assert_eq!(sent["repository"], "ssh://git@git.example.com/shop/0.git");
    assert_eq!(shape(&sent), shape(question));
    assert!(answers.len() >= 2);
    for answer in answers {
        let made = made_of(json_says(&answer.to_string()), PATIENT).await.unwrap();
        let word = match made.verdict {
            HttpVerdict::Pass => "pass",
            HttpVerdict::Wait { until } => {
                assert_eq!(until.is_some(), answer.get("until").is_some());
                "wait"
            }
            HttpVerdict::Block => "block",
        };
        assert_eq!((json!(word), json!(made.words)), (answer["verdict"].clone(), answer["reason"].clone()));
    }
}

/// A value with every text left out, and numbers as they are.
fn shape(value: &Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(map.iter().map(|(key, value)| (key.clone(), shape(value))).collect()),
        Json::String(_) => json!("text"),
        other => other.clone(),
    }
}

#[tokio::test]
async fn the_token_goes_to_the_gate_and_nowhere_else() {
    const SECRET: &str = "s3cret-of-the-gate";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let more = format!(", token = {{ file = \"{}\" }}", path.display());
    let elsewhere = GateServer::start(|_, _| json_says(r#"{"verdict":"pass"}"#));
    let there = elsewhere.url.clone();
    let server = GateServer::start(move |nth, asked| {
        let sent = asked.header("authorization").unwrap_or_default().to_owned();
        match nth {
            0 => json_says(&json!({ "verdict": "block", "reason": format!("you sent {sent}") }).to_string()),
            1 => json_says(&json!({ "verdict": sent }).to_string()),
            2 => json_says(&json!({ "verdict": "wait", "until": sent }).to_string()),
            3 => json_says(&json!({ "verdict": { sent: 1 } }).to_string()),
            4 => whole("307 Temporary Redirect", &format!("Location: {there}/{sent}\r\n"), ""),
            _ => whole("500 Oh No", "Content-Type: application/json\r\n", &json!({ "message": sent }).to_string()),
        }
    });
    let place = Place::new(&[&server.url], &more, PATIENT);
    let Err(HttpInstead::NoToken { words }) = place.asks().await else { panic!("there is no token yet") };
    assert!(words.contains("cannot be read"), "{words}");
    assert_eq!(server.asked().len(), 0);
    // What is put there counts at once.
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    for _ in 0..6 {
        let made = format!("{:?}", place.ask(0, 1..=1).await);
        assert!(!made.contains(SECRET), "{made}");
    }
    assert_eq!(server.asked().len(), 6);
    for asked in server.asked() {
        assert_eq!(asked.header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
    }
    assert_eq!(elsewhere.asked().len(), 0, "no redirect is followed");
    assert!(!format!("{:?}", place.gates).contains(SECRET));
    std::fs::write(&path, "two\nlines").unwrap();
    assert!(matches!(place.asks().await, Err(HttpInstead::NoToken { .. })));
    assert_eq!(server.asked().len(), 6);
}

/// Forty candidates: one that answers is asked about each, one that does not costs one deadline and few
/// questions a look, and is asked again in the next; what one does changes nothing for another.
#[tokio::test]
async fn a_dead_server_is_asked_once_in_a_look() {
    let dead = GateServer::start(|_, _| Do::SayAndHold(Vec::new()));
    let lives = GateServer::start(|_, _| json_says(r#"{"verdict":"pass"}"#));
    let place = Place::new(&[&dead.url, &lives.url], "", IMPATIENT);
    let unknown = |facts: &BTreeMap<EdgeKey, Fact<HttpSaid>>| facts.values().all(|fact| fact.known().is_none());
    assert!(unknown(&place.ask(0, 1..=40).await));
    let asked = dead.asked().len();
    assert!((1..=8).contains(&asked), "{asked}");
    assert!(unknown(&place.ask(0, 1..=40).await), "what is silent says nothing");
    assert_eq!(dead.asked().len(), asked, "it was asked again in the same look");
    let slow = Place::new(&[&lives.url], "", PATIENT);
    assert!(slow.ask(0, 1..=40).await.values().all(|fact| fact.known().is_some()));
    assert_eq!(lives.asked().len(), 40);
    place.gates.look_begins(&place.flow(1).name);
    assert!(unknown(&place.ask(0, 1..=1).await));
    assert_eq!(dead.asked().len(), asked, "that was another flow's look");
    place.gates.look_begins(&place.flow(0).name);
    assert!(unknown(&place.ask(0, 1..=1).await));
    assert_eq!(dead.asked().len(), asked + 1);
    // One that answers badly is not silent: it is asked about each.
    let odd = GateServer::start(|_, _| whole("500 Oh No", "", ""));
    let place = Place::new(&[&odd.url], "", PATIENT);
    assert!(unknown(&place.ask(0, 1..=40).await));
    assert_eq!(odd.asked().len(), 40);
}

/// The program itself: asked when it decides and again before it pushes, and only then moved.
#[test]
fn run_asks_before_it_moves() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::init(folder.path().join("shop.git"));
    let base = repo.commit(&[], "develop", &[("a", "1")]);
    repo.set("staging", base);
    let new = repo.commit(&[base], "develop", &[("a", "2")]);
    std::fs::write(folder.path().join("token"), "s3cret-of-the-gate\n").unwrap();
    let verdict = |nth: usize, _: &Asked| {
        json_says(match nth {
            0 => r#"{"verdict":"wait","reason":"CHG-7 is not yet approved"}"#,
            // Between the decision and the push it changes its mind.
            2 => r#"{"verdict":"block","reason":"CHG-7 was taken back"}"#,
            3 => r#"{"verdict":"block","reason":"CHG-7 was taken back"}"#,
            _ => r#"{"verdict":"pass","reason":"CHG-7 is approved"}"#,
        })
    };
    let server = GateServer::start(verdict);
    let config = format!(
        "[[flow]]\nrepository = \"shop.git\"\n[[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\n\
         name = \"staging\"\ngates.http = {{ url = \"{}/g\", token = {{ file = \"token\" }} }}\n",
        server.url
    );
    std::fs::write(folder.path().join("towpath.toml"), config).unwrap();
    let towpath = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        // A proxy that leads nowhere: what is on this machine is asked on it.
        command
            .args(args)
            .current_dir(folder.path())
            .env("TOWPATH_LOG", "trace")
            .env("HTTP_PROXY", "http://127.0.0.1:1");
        let out = command.output().unwrap();
        let (text, words) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success(), "{args:?}: {text}{words}");
        assert!(!text.contains("s3cret") && !words.contains("s3cret"), "{args:?}: {text}{words}");
        text.into_owned()
    };
    let said = towpath(&["run"]);
    assert!(said.contains("which says \"CHG-7 is not yet approved\""), "{said}");
    assert_eq!((repo.tip("staging"), server.asked().len()), (Some(base), 1));
    let said = towpath(&["run"]);
    assert!(said.contains("CHG-7 was taken back"), "{said}");
    assert_eq!((repo.tip("staging"), server.asked().len()), (Some(base), 4));
    // Looking at what is stored asks nobody; a plan asks, and moves nothing.
    towpath(&["status"]);
    let said = towpath(&["explain", "shop", "staging"]);
    assert!(said.contains("does not let it pass: \"CHG-7 was taken back\""), "{said}");
    assert_eq!(server.asked().len(), 4);
    towpath(&["plan"]);
    assert_eq!((repo.tip("staging"), server.asked().len()), (Some(base), 5));
    towpath(&["run"]);
    assert_eq!((repo.tip("staging"), server.asked().len()), (Some(new), 7));
    let history = towpath(&["history"]);
    assert!(history.contains("CHG-7 was taken back"), "{history}");
}
