//! What sinks are told: signed, once under one id, again until they take it, and what they never take can be seen and
//! sent again. The receiver is a server of the tests; everything before it is the real thing.

mod late;

use std::collections::VecDeque;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use towpath::clock::{Clock, ManualClock};
use towpath::config::Config;
use towpath::serve::{Shared, run};
use towpath::setup::{Need, Setup};
use towpath::store::NoticeState;
use towpath::tell::events::ROWS;
use towpath::tell::notice::FIELDS;
use towpath::tell::post::{Delivered, deliver};
use towpath::tell::presets::NAMES;
use towpath::tell::sign::{Headers, Key, verify};
use towpath::tell::{Besides, Sinks};
use towpath_core::model::{CommitId, Event, Instant, Message, MoveKind, Span};

use crate::support::git_fixture::Repo;

/// What is counted of them.
pub const METRIC: &str = "towpath_notices_total";
pub const GIVEN_UP: &str = "towpath_notices_given_up";

/// `whsec_` and base64 of 32 bytes.
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OLD_SECRET: &str = "whsec_Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// What came to a receiver.
#[derive(Debug, Clone)]
struct Came {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Came {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    fn signed_by(&self, secret: &str) -> bool {
        let headers = Headers {
            id: self.header("webhook-id").to_owned(),
            timestamp: self.header("webhook-timestamp").to_owned(),
            signature: self.header("webhook-signature").to_owned(),
        };
        verify(&Key::parse(secret.as_bytes()).expect("a key"), &headers, &self.body)
    }
}

/// A status, and what `Retry-After` asks for.
type Reply = (u16, Option<&'static str>);

/// A receiver, and what it answers next; 204 when nothing is planned.
#[derive(Clone, Default)]
struct Receiver {
    came: Arc<Mutex<Vec<Came>>>,
    answers: Arc<Mutex<VecDeque<Reply>>>,
    url: String,
}

impl Receiver {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let receiver = Self { url, ..Self::default() };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn came(&self) -> Vec<Came> {
        self.came.lock().expect("came").clone()
    }

    fn answers(&self, answers: &[u16]) {
        self.answers.lock().expect("answers").extend(answers.iter().map(|status| (*status, None)));
    }
}

/// What frameworks say of an address that they do not know.
fn quoted(status: u16, uri: &Uri) -> String {
    if status < 400 { String::new() } else { format!("{{\"message\":\"Route POST:{uri} not found\"}}") }
}

async fn take(
    State(receiver): State<Receiver>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    receiver.came.lock().expect("came").push(Came { path: uri.to_string(), headers, body });
    let (status, later) = receiver.answers.lock().expect("answers").pop_front().unwrap_or((204, None));
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().expect("a header"));
    if let Some(later) = later {
        headers.insert("retry-after", later.parse().expect("a header"));
    }
    (StatusCode::from_u16(status).expect("a status"), headers, quoted(status, &uri))
}

/// A repository with `develop` and `production`, and a config with sinks.
pub struct Place {
    pub dir: TempDir,
    pub repo: Repo,
    pub zero: CommitId,
}

impl Place {
    pub fn new(sinks: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let repo = Repo::init(dir.path().join("shop.git"));
        let zero = repo.commit(&[], "develop", &[("f", "0")]);
        repo.set("production", zero);
        for (name, text) in [("secret", SECRET), ("old", OLD_SECRET), ("token", "t0ken")] {
            std::fs::write(dir.path().join(name), text).expect("written");
        }
        let config = format!(
            "[service]\nlook = \"0 0 1 1 *\"\n[[flow]]\nname = \"shop\"\nrepository = \"shop.git\"\n\
             [[flow.environment]]\nname = \"develop\"\n[[flow.environment]]\nname = \"production\"\n{sinks}"
        );
        std::fs::write(dir.path().join("towpath.toml"), config).expect("written");
        Self { dir, repo, zero }
    }

    pub fn push(&self, file: &str) -> CommitId {
        let parent = self.repo.tip("develop").expect("a branch");
        self.repo.commit(&[parent], "develop", &[(file, file)])
    }

    pub fn config(&self) -> Config {
        Config::load(&self.dir.path().join("towpath.toml")).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The program; what it says, and how it ends.
    pub async fn towpath(&self, words: &[&str]) -> (Option<i32>, String) {
        self.towpath_with(words, None).await
    }

    async fn towpath_with(&self, words: &[&str], crash: Option<&str>) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.args(words).current_dir(self.dir.path()).stdin(Stdio::null());
        command.env_remove("TOWPATH_CONFIG").env_remove("TOWPATH_SERVER");
        if let Some(crash) = crash {
            command.env("TOWPATH_CRASH_AT", crash);
        }
        let out = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        let said = [out.stdout, out.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
        (out.status.code(), said)
    }

    pub async fn runs(&self) -> String {
        let (code, said) = self.towpath(&["run"]).await;
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

fn sink(name: &str, url: &str, more: &str) -> String {
    format!("[sink.{name}]\nkind = \"webhook\"\nurl = \"{url}\"\n{more}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_is_told_once_signed_and_with_the_token() {
    let receiver = Receiver::new().await;
    let more = "secrets = [{ file = \"secret\" }, { file = \"old\" }]\ntoken = { file = \"token\" }";
    let place = Place::new(&sink("deploys", &format!("{}/{{{{ flow }}}}/{{{{ event }}}}", receiver.url), more));
    place.runs().await;
    assert_eq!(receiver.came().len(), 0, "nothing has happened");
    let one = place.push("one");
    place.runs().await;
    place.runs().await;
    let came = receiver.came();
    let [came] = &*came else { panic!("not once: {came:#?}") };
    assert_eq!(came.path, "/shop/promoted");
    assert_eq!(came.header("authorization"), "Bearer t0ken");
    assert_eq!(came.header("content-type"), "application/json");
    assert!(came.signed_by(SECRET) && came.signed_by(OLD_SECRET), "{came:?}");
    let body = came.json();
    for (field, is) in [
        ("event", "promoted"),
        ("severity", "info"),
        ("flow", "shop"),
        ("environment", "production"),
        ("old", &place.zero.to_string()),
        ("new", &one.to_string()),
        ("id", came.header("webhook-id")),
    ] {
        assert_eq!(body[field], is, "{body:#}");
    }
    let (_, said) = place.towpath(&["outbox"]).await;
    assert_eq!(said, "Every sink took what it was told.\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_says_no_stops_no_move_and_is_told_again_when_somebody_says_so() {
    let receiver = Receiver::new().await;
    let place = Place::new(&sink("deploys", &receiver.url, ""));
    place.runs().await;
    let one = place.push("one");
    receiver.answers(&[410]);
    place.runs().await;
    assert_eq!(place.repo.tip("production"), Some(one));
    let (code, said) = place.towpath(&["outbox"]).await;
    assert_eq!(code, Some(0));
    assert!(said.contains("given up at ") && said.contains("it answered 410"), "{said}");
    let again = said.lines().last().expect("a command").trim();
    let words: Vec<&str> = again.split_whitespace().skip(1).collect();
    let (code, said) = place.towpath(&words).await;
    assert!(code == Some(0) && said.starts_with("1 notice will be sent again"), "{again}: {said}");
    let (code, said) = place.towpath(&["outbox", "again", "--all"]).await;
    assert!(code == Some(1) && said.contains("nothing of that was given up"), "{said}");
    place.runs().await;
    let came = receiver.came();
    assert_eq!(came.len(), 2);
    assert_eq!(came[0].header("webhook-id"), came[1].header("webhook-id"));
    assert_eq!(came[0].body, came[1].body);
    let (_, said) = place.towpath(&["outbox"]).await;
    assert_eq!(said, "Every sink took what it was told.\n");
    let (_, audit) = place.towpath(&["history", "--export"]).await;
    assert!(audit.contains("outbox again"), "it is on record: {audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_between_handing_out_and_noting_it_tells_nobody_twice() {
    let receiver = Receiver::new().await;
    let place = Place::new(&sink("deploys", &receiver.url, ""));
    place.runs().await;
    place.push("one");
    for crash in ["after:Send:1", "before:MarkSent:1"] {
        let (code, _) = place.towpath_with(&["run"], Some(crash)).await;
        assert_eq!(code, None, "killed at {crash}");
    }
    place.runs().await;
    place.runs().await;
    assert_eq!(receiver.came().len(), 1, "{:#?}", receiver.came());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_a_secret_is_told_to_nobody_and_a_sink_that_is_gone_is_named() {
    let receiver = Receiver::new().await;
    let place = Place::new("[sink.deploys]\nkind = \"webhook\"\nurl = { file = \"url\" }\n");
    std::fs::write(place.dir.path().join("url"), format!("{}/services/S3CRET\n", receiver.url)).expect("written");
    place.runs().await;
    place.push("one");
    receiver.answers(&[410]);
    let mut said = place.runs().await;
    assert_eq!(receiver.came()[0].path, "/services/S3CRET");
    said += &place.towpath(&["outbox"]).await.1;
    assert!(said.contains("it answered 410") && !said.contains("S3CRET"), "{said}");
    // What is wrong with it is not quoted either.
    std::fs::write(place.dir.path().join("url"), "http://ana:S3CRET@127.0.0.1:9/{{ S3CRET }}").expect("written");
    place.towpath(&["outbox", "again", "--all"]).await;
    let mut said = place.runs().await;
    said += &place.towpath(&["outbox"]).await.1;
    assert!(said.contains("makes no address") && !said.contains("S3CRET"), "{said}");
    // Taken out of the config.
    let config = place.dir.path().join("towpath.toml");
    let text = std::fs::read_to_string(&config).expect("a config");
    std::fs::write(&config, text.replace("[sink.deploys]", "[sink.other]")).expect("written");
    let store = Setup::open(place.config(), Clock::System, Need::Order).await.expect("a setup");
    let row = store.world.store().notices(None, 1).await.expect("read").remove(0);
    let waits = towpath::store::NoticeRow { id: "again".to_owned(), next: Instant(0), ..row };
    store.world.store().add_notices(&[waits]).await.expect("added");
    place.runs().await;
    let (_, said) = place.towpath(&["outbox"]).await;
    assert!(said.contains("there is no `[sink.deploys]` in the config any more"), "{said}");
}

/// A store with notices of so many moves for the sinks of a config, and a clock that stands.
struct Held {
    setup: Setup,
    clock: ManualClock,
    sinks: Sinks,
    _place: Place,
}

impl Held {
    async fn new(sinks: &str, moves: u8) -> Self {
        let place = Place::new(sinks);
        let clock = ManualClock::new(Instant(1_795_255_200_000));
        let setup = Setup::open(place.config(), Clock::Manual(clock.clone()), Need::Create).await.expect("a setup");
        let sinks = Sinks::of(&setup.config, &Clock::Manual(clock.clone()));
        let held = Self { setup, clock, sinks, _place: place };
        for n in 0..moves {
            held.moves(n).await;
        }
        held
    }

    fn now(&self) -> Instant {
        Clock::Manual(self.clock.clone()).reading().wall
    }

    async fn moves(&self, n: u8) {
        let commit = |n: u8| CommitId::from_bytes([n; 20]);
        let event = Event::Landed { kind: MoveKind::FastForward, old: commit(n), new: commit(n + 1) };
        self.happens(&format!("m{n}"), event).await;
    }

    async fn happens(&self, id: &str, event: Event) {
        let flow = &self.setup.config.flows[0].flow;
        let (id, at) = (format!("{id}/log"), self.now());
        let message = Message { id, sink: "log".to_owned(), env: "production".into(), at, event };
        self.setup
            .world
            .store()
            .add_notices(&self.sinks.rows(flow, &message, &Besides::default()))
            .await
            .expect("added");
    }

    async fn deliver(&self) -> Delivered {
        let clock = Clock::Manual(self.clock.clone());
        deliver(self.setup.world.store(), &self.sinks, &clock).await.expect("the store works")
    }

    async fn count(&self, state: NoticeState) -> usize {
        self.setup.world.store().notices(Some(state), 1_000).await.expect("read").len()
    }
}

#[tokio::test]
async fn what_is_not_taken_is_tried_for_a_day_and_then_given_up() {
    let receiver = Receiver::new().await;
    let held = Held::new(&sink("deploys", &receiver.url, ""), 1).await;
    receiver.answers(&[500; 100]);
    let begun = held.now();
    let mut tries = 0;
    while held.count(NoticeState::Waiting).await > 0 {
        let delivered = held.deliver().await;
        tries += 1;
        assert_eq!(receiver.came().len(), tries);
        // Nothing is sent before it is due.
        if let Some(next) = delivered.next {
            assert!(next > held.now());
            held.deliver().await;
            assert_eq!(receiver.came().len(), tries);
            held.clock.advance(next.since(held.now()));
        }
        assert!(tries < 100);
    }
    let took = held.now().since(begun);
    assert!(took > Span::from_mins(20 * 60) && took < Span::from_mins(36 * 60), "{took} and {tries} tries");
    assert_eq!(held.count(NoticeState::Dead).await, 1);
    let ids: Vec<String> = receiver.came().iter().map(|came| came.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "each try has one id");
}

#[tokio::test]
async fn a_sink_that_is_gone_is_tried_once_and_one_that_refuses_one_thing_gets_the_others() {
    let receiver = Receiver::new().await;
    let held = Held::new(&sink("deploys", &receiver.url, ""), 5).await;
    receiver.answers(&[503]);
    held.deliver().await;
    assert_eq!(receiver.came().len(), 1, "the others are not tried now");
    held.clock.advance(Span::from_mins(2));
    receiver.answers(&[204, 400]);
    let delivered = held.deliver().await;
    assert_eq!(receiver.came().len(), 6);
    assert_eq!(delivered.sent["deploys"], 4);
    assert_eq!((held.count(NoticeState::Sent).await, held.count(NoticeState::Waiting).await), (4, 1));
}

#[tokio::test]
async fn one_sink_that_does_not_answer_keeps_no_other_waiting_and_a_wish_to_wait_is_kept() {
    let (busy, good) = (Receiver::new().await, Receiver::new().await);
    let gone = sink("gone", "http://127.0.0.1:9", "");
    let held = Held::new(&(gone + &sink("busy", &busy.url, "") + &sink("good", &good.url, "")), 2).await;
    busy.answers.lock().expect("answers").push_back((429, Some("1800")));
    let delivered = held.deliver().await;
    assert_eq!((good.came().len(), busy.came().len()), (2, 1));
    assert!(delivered.failed.contains_key("gone") && delivered.failed.contains_key("busy"));
    held.clock.advance(Span::from_mins(25));
    held.deliver().await;
    assert_eq!(busy.came().len(), 1, "it asked for half an hour");
    held.clock.advance(Span::from_mins(15));
    held.deliver().await;
    assert_eq!(busy.came().len(), 3);
}

#[tokio::test]
async fn who_is_told_of_what_goes_by_event_environment_and_flow() {
    let url = "https://hooks.example.com";
    let config = [
        sink("all", url, ""),
        sink("rollbacks", url, "events = [\"rolled-back\"]"),
        sink("elsewhere", url, "environments = [\"staging\"]"),
        sink("here", url, "environments = [\"staging\", \"production\"]"),
        sink("others", url, "flows = [\"other/*\"]"),
        sink("shops", url, "flows = [\"other/*\", \"sh?p\"]"),
        sink("quiet", url, "events = [\"proposed\"]"),
        sink("problems", url, "severity = [\"problem\"]"),
        sink("news", url, "severity = [\"info\", \"quiet\"]"),
        sink("both", url, "events = [\"promoted\", \"refused\"]\nseverity = [\"problem\"]"),
        "[[flow]]\nname = \"other/x\"\nrepository = \"x.git\"\n[[flow.environment]]\nname = \"develop\"\n\
         [[flow.environment]]\nname = \"staging\"\n"
            .to_owned(),
    ]
    .concat();
    let held = Held::new(&config, 1).await;
    let told = async || {
        let rows = held.setup.world.store().notices(None, 100).await.expect("read");
        let mut told: Vec<String> = rows.into_iter().map(|row| row.sink).collect();
        told.sort_unstable();
        told
    };
    assert_eq!(told().await, ["all", "here", "news", "shops"]);
    let words = "remote: no".to_owned();
    held.happens("r", Event::Refused { kind: MoveKind::FastForward, new: CommitId::from_bytes([9; 20]), words })
        .await;
    let both = ["all", "all", "both", "here", "here", "news", "problems", "shops", "shops"];
    assert_eq!(told().await, both, "what is a problem goes to who wants problems");
}

#[tokio::test]
async fn the_form_is_the_template_s_or_the_preset_s() {
    let receiver = Receiver::new().await;
    let place = Place::new("");
    let template = place.dir.path().join("t.j2");
    std::fs::write(&template, "{\"say\": {{ text | tojson }}, \"to\": {{ environment | tojson }}}")
        .expect("written");
    let own = sink("own", &receiver.url, &format!("template = \"{}\"", template.display()));
    let grafana = sink("grafana", &receiver.url, "preset = \"grafana\"");
    let docker = sink("docker", &receiver.url, "preset = \"docker-hub\"\nimage = \"shop\"\ntag = \"production\"");
    let held = Held::new(&(own + &grafana + &docker), 1).await;
    held.deliver().await;
    let mut bodies: Vec<Value> = receiver.came().iter().map(Came::json).collect();
    bodies.sort_by_key(ToString::to_string);
    assert_eq!(bodies.len(), 3, "{bodies:#?}");
    assert!(
        bodies.iter().any(|body| body["to"] == "production"
            && body["say"].as_str().is_some_and(|s| s.starts_with("Towpath moved")))
    );
    assert!(bodies.iter().any(|body| body["tags"][0] == "towpath" && body["time"] == 1_795_255_200_000_i64));
    assert!(bodies.iter().any(|body| body["push_data"]["tag"] == "production"));
}

#[test]
fn what_is_wrong_with_a_sink_is_said_when_the_config_is_read() {
    let place = Place::new("");
    let file = |name: &str, text: &str| {
        let path = place.dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let url = "https://hooks.example.com";
    let base = std::fs::read_to_string(place.dir.path().join("towpath.toml")).expect("a config");
    let unquoted = file("unquoted", "{\"say\": \"{{ text }}\"}");
    let misspelt = file("misspelt", "{\"say\": {{ txet | tojson }}}");
    for (sink, says) in [
        (sink("a", url, "events = [\"promote\"]"), "promoted"),
        (sink("a", url, "severity = [\"problems\"]"), "did you mean `\"problem\"`?"),
        (sink("a", url, "severity = [\"quiet\"]"), "none is of that severity"),
        (sink("a", url, "events = [\"promoted\"]\nseverity = [\"problem\"]"), "none is of that severity"),
        (sink("a", url, "severity = \"problem\""), "severity"),
        (sink("a", url, "preset = \"docker-hub\""), "needs `image`"),
        (sink("a", url, "preset = \"nagios\""), "sentry"),
        (sink("a", url, &format!("template = \"{unquoted}\"")), "tojson"),
        (sink("a", url, &format!("template = \"{misspelt}\"")), "there is no field `txet`"),
        (sink("a", url, "template = \"nowhere\""), "cannot be read"),
        (sink("a", "https://{{ flow }}.example.com", ""), "host"),
        (sink("a", "https://ana:secret@hooks.example.com", ""), "may not hold a user"),
        (sink("a", "ftp://hooks.example.com", ""), "no way to call a sink"),
        (sink("a", url, "").replace("webhook", "slack"), "a sink of kind `slack` has no `url`"),
    ] {
        let problems = Config::from_text(&(base.clone() + &sink), Path::new("towpath.toml")).expect_err(&sink);
        let said = problems.to_string();
        assert!(said.contains(says), "{says}: {said}");
        assert!(!said.contains("ana:secret"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_tells_by_itself() {
    let receiver = Receiver::new().await;
    let place = Place::new(&sink("deploys", &receiver.url, ""));
    let setup = Setup::open(place.config(), Clock::System, Need::Create).await.expect("a setup");
    let (shared, stop) = (Arc::new(Shared::new(setup)), CancellationToken::new());
    let running = tokio::spawn(run(shared.clone(), stop.clone()));
    let until = async |what: &str, holds: &dyn Fn() -> bool| {
        for _ in 0..600 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what}: not within half a minute");
    };
    until("the first look", &|| shared.queue(|queue| !queue.is_busy() && queue.waiting() == 0)).await;
    place.push("one");
    shared.wake_all(towpath::serve::Wake::Hook);
    until("it is told", &|| receiver.came().len() == 1).await;
    let counted = || shared.metrics.text(&[]).lines().any(|line| line.starts_with(METRIC) && line.ends_with(" 1"));
    until("it is counted", &counted).await;
    let given_up = |count: &str| {
        let row = format!("{GIVEN_UP}{{sink=\"deploys\"}} {count}");
        shared.metrics.text(&[]).lines().any(|line| line == row)
    };
    until("nothing was given up", &|| given_up("0")).await;
    receiver.answers(&[410]);
    place.push("two");
    shared.wake_all(towpath::serve::Wake::Hook);
    until("one was given up", &|| given_up("1")).await;
    stop.cancel();
    running.await.expect("it ends").expect("well");
    assert_eq!(receiver.came()[0].json()["event"], "promoted");
}

#[test]
fn the_page_names_every_event_field_and_preset() {
    let page = std::fs::read_to_string(crate::config::root().join("docs/tell.md")).expect("the page");
    for row in ROWS {
        let severity = format!("{:?}", row.severity).to_lowercase();
        assert!(page.contains(&format!("| `{}` | {severity} | ", row.word)), "{}", row.word);
    }
    for (field, _) in FIELDS {
        assert!(
            page.lines().any(|line| line.starts_with("| `") && line.contains(&format!("`{field}`"))),
            "{field}"
        );
    }
    for preset in NAMES {
        assert!(page.contains(&format!("| `{preset}` | ")), "{preset}");
    }
}
