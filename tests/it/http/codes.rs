//! Every code of the table is brought about, with the status or exit code that the table says.
//!
//! [`ASKED`] are those that one server says, [`APART`] those that need a place of their own. A code that is in neither
//! has to be in [`NOT_MET`], with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};
use towpath::clock::{Clock, ManualClock};
use towpath::server::Limits;
use towpath::views::CODES;

use super::place::{CONFIG, Heard, Place, Ran, Server};
use super::seats::Deaf;

/// How a code was met: by an answer, or at the end of a command.
#[derive(Debug)]
enum Met {
    Answer(Heard),
    Command(Ran),
}

impl Met {
    /// The code that was said, and whether all that goes with it is as in the table.
    #[track_caller]
    fn check(&self, code: &str) {
        let row =
            CODES.iter().find(|row| row.word == code).unwrap_or_else(|| panic!("`{code}` is not in the table"));
        match self {
            Self::Answer(heard) => {
                assert_eq!((heard.code().as_str(), heard.status), (row.word, row.status), "{heard:?}");
                let head = heard.head.to_lowercase();
                assert!(head.contains("content-type: application/problem+json"), "{heard:?}");
                assert_eq!(head.contains("retry-after: "), row.status == 503, "{heard:?}");
                assert_eq!(head.contains("www-authenticate: bearer"), row.status == 401, "{heard:?}");
            }
            Self::Command(ran) => {
                let said: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
                assert_eq!((said["code"].as_str(), ran.code), (Some(row.word), Some(row.exit as i32)), "{ran:?}");
            }
        }
    }
}

/// One server, and tokens for it.
struct Stage {
    place: Place,
    server: Server,
    steer: String,
    read: String,
    limited: String,
}

impl Stage {
    fn get(&self, path: &str) -> Met {
        Met::Answer(self.server.get(path))
    }

    fn post(&self, token: Option<&str>, body: &str) -> Met {
        Met::Answer(self.server.call("POST", "/commands", token, Some(body)))
    }

    fn command(&self, token: &str, text: &str) -> Met {
        self.post(Some(token), &format!("{{\"command\": {text:?}}}"))
    }

    fn with(&self, method: &str, path: &str, header: (&str, &str)) -> Met {
        let (token, body) = if method == "POST" { (Some(&*self.steer), Some("{}")) } else { (None, None) };
        Met::Answer(self.server.call_with(method, path, token, body, &[header]))
    }

    fn client(&self, args: &[&str]) -> Met {
        let args: Vec<&str> = args.iter().chain(&["-o", "json"]).copied().collect();
        Met::Command(self.place.run(&args, &[]))
    }
}

/// A code, and how to meet it.
type AskedRow = (&'static str, fn(&Stage) -> Met);
type ApartRow = (&'static str, fn() -> Met);

/// What one server says.
const ASKED: &[AskedRow] = &[
    ("bad-request", |s| s.post(Some(&s.steer), "{}")),
    ("bad-query", |s| s.get("/flows?x=1")),
    ("bad-path", |s| s.get("/flows/%ff")),
    ("bad-cursor", |s| s.get("/flows?after=x")),
    ("bad-command", |s| s.command(&s.steer, "dance")),
    ("bad-commit", |s| s.get("/commits/x")),
    ("token-missing", |s| s.post(None, "{}")),
    ("token-unknown", |s| s.command("tow_x", "resume all")),
    ("token-expired", |s| {
        let (brief, _) = s.place.token(&["brief", "--scope", "read", "--expires", "1ms"]);
        Met::Answer(s.server.call("GET", "/flows", Some(&brief), None))
    }),
    ("token-revoked", |s| {
        let (gone, id) = s.place.token(&["gone", "--scope", "read"]);
        assert_eq!(s.place.run(&["token", "revoke", &id], &[]).code, Some(0));
        Met::Answer(s.server.call("GET", "/flows", Some(&gone), None))
    }),
    ("scope-too-small", |s| s.command(&s.read, "resume all")),
    ("other-flow", |s| s.command(&s.limited, "resume all")),
    ("not-permitted", |s| s.command(&s.steer, "rollback basket staging --reason x")),
    ("cross-site", |s| s.with("POST", "/commands", ("Origin", "https://x.example"))),
    ("no-such-route", |s| s.get("/nothing")),
    ("unknown-name", |s| s.get("/flows/nothing")),
    ("unknown-commit", |s| s.get("/commits/1111111")),
    ("unknown-token", |s| s.client(&["token", "revoke", "nothing"])),
    ("method-not-allowed", |s| Met::Answer(s.server.call("PUT", "/flows", None, None))),
    ("ambiguous-name", |s| s.get("/flows/checkout")),
    ("first-environment", |s| s.get("/flows/basket/edges/develop")),
    ("refused", |s| s.command(&s.steer, "retry basket staging")),
    ("body-too-large", |s| s.post(Some(&s.steer), &" ".repeat(70_000))),
    ("not-json", |s| s.with("POST", "/commands", ("Content-Type", "text/plain"))),
    ("host-not-allowed", |s| s.with("GET", "/flows", ("Host", "x.example"))),
    ("server-unreachable", |s| s.client(&["status", "--server", "http://127.0.0.1:9"])),
    ("server-unknown", |s| {
        // Something else that speaks HTTP.
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", other.local_addr().unwrap());
        let answering = std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            let mut stream = other.accept().unwrap().0;
            _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").unwrap();
        });
        let met = s.client(&["status", "--server", &url]);
        answering.join().unwrap();
        met
    }),
];

/// What needs a place of its own.
const APART: &[ApartRow] = &[
    ("ambiguous-commit", alike),
    ("not-decided", || not_looked_at("/flows/new/edges/fresh")),
    ("unreadable", || not_looked_at("/flows/basket/edges/staging/diff")),
    ("conflict", twice_at_once),
    ("needs-yes", many),
    ("internal", panicked),
    ("store", replaced),
    ("store-busy", locked),
    ("cannot-tell", damaged),
    ("busy", || deaf(Limits { turn: Duration::from_millis(200), ..Limits::default() }, 4)),
    ("took-too-long", || deaf(Limits { work: Duration::from_millis(200), ..Limits::default() }, 0)),
];

/// Codes that no test brings about, and why.
const NOT_MET: &[(&str, &str)] = &[];

#[test]
fn every_code_of_the_table_is_met_or_it_is_said_why_not() {
    let asked = ASKED.iter().map(|(code, _)| *code);
    let apart = APART.iter().map(|(code, _)| *code);
    let listed: Vec<&str> = asked.chain(apart).chain(NOT_MET.iter().map(|(code, _)| *code)).collect();
    let once: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(once.len(), listed.len(), "one of them is listed twice");
    let table: BTreeSet<&str> = CODES.iter().map(|row| row.word).collect();
    assert_eq!(once, table);
    assert!(NOT_MET.iter().all(|(_, why)| !why.is_empty()));
}

#[test]
fn what_one_server_says_is_as_in_the_table() {
    let more = "\n[[flow]]\nrepository = \"basket.git\"\nname = \"other/checkout\"\n[[flow.environment]]\nname = \"develop\"\n\
                [[flow.environment]]\nname = \"production\"\n";
    let place = Place::with(&format!("{CONFIG}{more}"));
    let server = place.serve();
    let (steer, _) = place.token(&["ops", "--scope", "steer"]);
    let (read, _) = place.token(&["reader", "--scope", "read"]);
    let (limited, _) = place.token(&["limited", "--scope", "steer", "--flow", "basket"]);
    let stage = Stage { place, server, steer, read, limited };
    for (code, meet) in ASKED {
        meet(&stage).check(code);
    }
}

#[test]
fn what_needs_a_place_of_its_own_is_as_in_the_table() {
    let met: BTreeMap<&str, _> = APART.iter().map(|(code, meet)| (*code, std::thread::spawn(*meet))).collect();
    for (code, meeting) in met {
        meeting.join().unwrap_or_else(|_| panic!("{code}")).check(code);
    }
}

/// Two commits that begin alike: some ten thousand tries for seven digits.
fn alike() -> Met {
    let place = Place::new();
    let repo = place.repo("basket.git");
    let tip = repo.tip("develop").unwrap();
    let tree = repo.git(["rev-parse", &format!("{tip}^{{tree}}")]);
    let text = |n: u32| {
        format!("tree {tree}\nparent {tip}\nauthor A <a@x> {n} +0000\ncommitter A <a@x> {n} +0000\n\nx\n")
            .into_bytes()
    };
    let id = |n: u32| git2::Oid::hash_object(git2::ObjectType::Commit, &text(n)).unwrap().to_string();
    let mut seen = BTreeMap::new();
    let (one, other) =
        (1_u32..).find_map(|n| Some((seen.insert(id(n)[..7].to_owned(), n)?, n))).expect("they are finite");
    let raw = git2::Repository::open_bare(&repo.dir).unwrap();
    for n in [one, other] {
        raw.odb().unwrap().write(git2::ObjectType::Commit, &text(n)).unwrap();
    }
    repo.promotion_merge(id(one).parse().unwrap(), id(other).parse().unwrap(), "develop");
    assert_eq!(place.run(&["run", "basket"], &[]).code, Some(0));
    Met::Answer(place.serve().get(&format!("/commits/{}", &id(one)[..7])))
}

/// A flow that nobody has looked at, and one whose remote is gone.
fn not_looked_at(path: &str) -> Met {
    let place = Place::new();
    let config = CONFIG.replace("basket.git", "gone.git");
    let fresh = "\n[[flow]]\nrepository = \"checkout.git\"\nname = \"brand/new\"\n[[flow.environment]]\nname = \"develop\"\n\
                 [[flow.environment]]\nname = \"fresh\"\n";
    std::fs::write(place.path().join("towpath.toml"), format!("{config}{fresh}")).unwrap();
    Met::Answer(place.serve().get(path))
}

/// The very same order twice at one instant.
fn twice_at_once() -> Met {
    let place = Place::new();
    let (token, _) = place.token(&["ops", "--scope", "steer"]);
    let server = place.serve_at(&ManualClock::new(Clock::System.reading().wall));
    let pause = || {
        let body = "{\"command\": \"pause basket --reason x\"}";
        server.call("POST", "/commands", Some(&token), Some(body))
    };
    let first = pause();
    assert_eq!(first.status, 200, "{first:?}");
    Met::Answer(pause())
}

/// More flows than are stopped without being asked.
fn many() -> Met {
    let mut config = CONFIG.to_owned();
    for n in 0..21 {
        config.push_str(&format!(
            "\n[[flow]]\nrepository = \"more-{n}.git\"\nname = \"more-{n}\"\n[[flow.environment]]\nname = \"develop\"\n\
             [[flow.environment]]\nname = \"staging\"\n"
        ));
    }
    let place = Place::new();
    std::fs::write(place.path().join("towpath.toml"), config).unwrap();
    let server = place.serve();
    let (token, _) = place.token(&["ops", "--scope", "steer"]);
    let body = "{\"command\": \"pause all --reason x\"}";
    let heard = server.call("POST", "/commands", Some(&token), Some(body));
    let url = server.url();
    let args = ["pause", "all", "--reason", "x", "--server", &url];
    let asked = place.run(&args, &[("TOWPATH_TOKEN", &token)]);
    assert!(asked.code == Some(2) && asked.err.contains("this reaches 23 flows; add `--yes`"), "{asked:?}");
    let yes: Vec<&str> = args.iter().copied().chain(["--yes"]).collect();
    assert_eq!(place.run(&yes, &[("TOWPATH_TOKEN", &token)]).code, Some(0));
    Met::Answer(heard)
}

/// What the routes are wrapped in, with a route that panics inside.
fn panicked() -> Met {
    use axum::Router;
    use axum::routing::get;
    use tower_http::catch_panic::CatchPanicLayer;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mistake = || async {
        if true {
            panic!("a mistake with a secret in it");
        }
    };
    let router: Router =
        Router::new().route("/", get(mistake)).layer(CatchPanicLayer::custom(towpath::server::api::panicked));
    runtime.spawn(async move {
        axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
    });
    let heard = super::place::raw(at, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(!heard.text.contains("secret"), "{heard:?}");
    Met::Answer(heard)
}

/// A store that was taken away under the service.
fn replaced() -> Met {
    let place = Place::new();
    let server = place.serve();
    assert_eq!(server.get("/flows").status, 200);
    std::fs::remove_file(place.path().join("towpath.db")).unwrap();
    Met::Answer(server.get("/flows"))
}

/// Another process that keeps the store locked. Takes the busy timeout: five seconds.
fn locked() -> Met {
    let place = Place::new();
    let server = place.serve();
    let (token, _) = place.token(&["ops", "--scope", "steer"]);
    let resume = || server.call("POST", "/commands", Some(&token), Some("{\"command\": \"resume all\"}"));
    // From now on it is known on which day the token was used last.
    assert_eq!(resume().code(), "refused");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(place.path().join("towpath.db"));
        let mut other = options.connect().await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        let met = Met::Answer(resume());
        other.close().await.unwrap();
        met
    })
}

/// A mirror that is lost, and a remote that still has its branches and no longer what they hold.
fn damaged() -> Met {
    let place = Place::new();
    let repo = place.repo("basket.git");
    let tip = repo.tip("develop").unwrap();
    let tree = repo.git(["rev-parse", &format!("{tip}^{{tree}}")]);
    std::fs::remove_dir_all(place.path().join("towpath.db.cache/mirrors")).unwrap();
    std::fs::remove_file(repo.dir.join("objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    // The ledger knows the commit all the same.
    Met::Answer(place.serve().get(&format!("/commits/{tip}")))
}

/// A look at a remote that says nothing, beside others that look at it already.
fn deaf(limits: Limits, beside: usize) -> Met {
    let place = Place::new();
    let deaf = Deaf::new(&place);
    let server = place.serve_within(limits);
    let _others: Vec<_> = (0..beside).map(|_| deaf.look(&server, None)).collect();
    Met::Answer(server.get("/plan?flow=deaf"))
}
