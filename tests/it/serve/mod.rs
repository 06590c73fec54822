//! The service as people run it: the real binary, real git, real SQLite, real HTTP.

pub(crate) mod place;
mod reload;
mod surface;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use place::{Place, SECRET, Service, wait};
use rustix::process::Signal;
use towpath::clock::Clock;
use towpath::store::{Create, SqliteStore};
use towpath_core::model::{Actor, Change, FlowName, Instant, OrderId, Pause, PauseKind, Scope, Until};

/// Three environments; production behind a lag.
fn flow(name: &str, staging: &str, production: &str) -> String {
    format!(
        "[[flow]]\nrepository = \"{name}.git\"\nname = \"shop/{name}\"\n\
         [[flow.environment]]\nname = \"develop\"\n\
         [[flow.environment]]\nname = \"staging\"\n{staging}\n\
         [[flow.environment]]\nname = \"production\"\nbranch = \"master\"\n{production}\n"
    )
}

const CI: &str = "gates.ci = { checks = [\"build\"] }";

#[test]
fn hooks_reports_and_lags_move_branches_without_the_schedule() {
    let place =
        Place::new(&["a", "b"], &(flow("a", CI, "gates.lag = \"1s\"") + &flow("b", "", "gates.lag = \"1d\"")));
    let service = place.serve();
    service.says(&["shop/b", "production", "up to date"]);
    let (a, b) = (place.push("a", "2"), place.push("b", "2"));
    service.hook("shop/a", b"{}");
    service.says(&["shop/a", "staging", "check-missing"]);
    assert_ne!(place.repo("b").tip("staging"), Some(b), "only the flow that was named is looked at");
    // Another process writes into the store; the service sees it.
    place.ok(&["report", "shop/a", &a.to_string(), "build", "success"]);
    place.arrives("a", "staging", a);
    // Nobody calls: the lag ends, and that is enough.
    place.arrives("a", "master", a);
    service.hook("shop/b", b"other");
    place.arrives("b", "staging", b);
    wait("two moves of a, one of b", || place.effects() == 3);
    // A pass is counted once it has ended, a moment after its moves.
    let moved =
        "towpath_moves_total{flow=\"shop/a\",environment=\"production\",kind=\"fast-forward\",result=\"landed\"}";
    let waiting = "towpath_edge_waiting_commits{flow=\"shop/b\",environment=\"production\"}";
    for name in [moved, waiting] {
        wait(name, || service.metric(name) == Some(1.0));
    }
}

#[test]
fn a_pause_that_is_about_to_end_is_told_of_without_the_schedule() {
    let place = Place::new(&["a"], &flow("a", "", ""));
    place.ok(&["run"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let path = place.path().join("towpath.db");
    let name = FlowName::new("shop/a");
    // Ten seconds before its last quarter; nothing but that instant can bring the service to look again by then.
    let wall = Clock::System.reading().wall;
    let pause = Pause {
        id: "short".into(),
        kind: PauseKind::Pause,
        scope: Scope::All,
        by: Actor::new("olga"),
        reason: "lunch".to_owned(),
        at: Instant(wall.0 - 170_000),
        until: Until::At(Instant(wall.0 + 70_000)),
        cause: None,
        began: None,
    };
    let reminded = || {
        runtime.block_on(async {
            let store = SqliteStore::open(&path, Create::No).await.unwrap();
            let ledger = store.load(&name, &["staging".into(), "production".into()]).await.unwrap();
            store.close().await.unwrap();
            ledger.reminded.contains(&OrderId::new("short"))
        })
    };
    runtime.block_on(async {
        let store = SqliteStore::open(&path, Create::No).await.unwrap();
        store.commit(None, None, &[Change::Pause(pause)]).await.unwrap();
        store.close().await.unwrap();
    });
    let service = place.serve();
    service.says(&["shop/a", "production", "up to date"]);
    wait("the reminder", reminded);
    let status = place.ok(&["status"]);
    assert!(status.contains("is paused"), "it has not ended: {status}");
}

#[test]
fn an_order_of_one_flow_wakes_that_flow_alone_and_a_pause_that_is_over_is_told() {
    let place = Place::new(&["a", "b"], &(flow("a", "", "") + &flow("b", "", "")));
    let service = Service::start_with(place.path(), &[("TOWPATH_LOG", "towpath=debug")]);
    for name in ["shop/a", "shop/b"] {
        service.says(&[name, "production", "up to date"]);
    }
    let passes = |flow: &str| {
        let begun = ["a pass begins", "Command", flow];
        service.log().iter().filter(|line| begun.iter().all(|word| line.contains(word))).count()
    };
    // None of these is about b, and the last two are about no flow.
    for args in [
        &["pause", "shop/a", "--for", "2s", "--reason", "a test"][..],
        &["resume", "shop/a"],
        &["pause", "shop/a", "production", "--for", "2s", "--reason", "another"],
        &["token", "create", "ci", "--scope", "read"],
    ] {
        place.ok(args);
    }
    assert!(!place.run(&["resume", "shop/b"]).status.success());
    wait("a is woken", || passes("shop/a") > 0);
    place.ok(&["pause", "shop/b", "--until", "resumed", "--reason", "a test"]);
    wait("b is woken", || passes("shop/b") > 0);
    assert_eq!(passes("shop/b"), 1, "{:#?}", service.log());
    // The pause of a ends by itself, and the pass that is due then says so.
    let told = || place.ok(&["history", "shop/a"]);
    wait("the end of the pause", || told().contains("towpath: pause shop/a production (expired)"));
    assert!(!place.ok(&["history", "shop/b"]).contains("expired"));
    assert_eq!(told().matches("(expired)").count(), 1, "what somebody resumed did not expire");
    let all = place.ok(&["history"]);
    assert!(all.contains("no flow  os:") && !all.contains("all flows"), "{all}");
    assert!(place.ok(&["history", "--export"]).contains("\"concerns\":{\"flows\":[\"shop/a\"]}"));
}

#[test]
fn a_flow_that_falls_behind_is_told_when_that_is_and_not_at_the_next_look() {
    let place = Place::new(&["a"], &flow("a", "", "behind_alarm = \"3s\"\ngates.lag = \"1d\""));
    let service = place.serve();
    service.says(&["shop/a", "production", "up to date"]);
    let name = "towpath_edge_behind_alarm{flow=\"shop/a\",environment=\"production\"}";
    wait("the pass is counted", || service.metric(name) == Some(0.0));
    place.push("a", "2");
    service.hook("shop/a", b"1");
    // Nobody calls again: the alarm is due, and that is enough.
    wait("the alarm", || service.metric(name) == Some(1.0));
    let told = || place.ok(&["history"]).lines().filter(|line| line.contains("is behind")).count();
    assert_eq!(told(), 1);
    assert!(place.ok(&["status"]).contains("behind:"), "status says so");
    place.ok(&["promote", "shop/a", "production", "--reason", "a test"]);
    wait("its end", || service.metric(name) == Some(0.0));
    assert!(place.ok(&["history"]).contains("no longer behind"));
}

#[test]
fn only_a_signed_fresh_hook_of_a_known_flow_is_taken() {
    let place = Place::new(&["a"], &flow("a", "", "gates.lag = \"1d\""));
    let service = place.serve();
    let wall = towpath::clock::Clock::System.reading().wall;
    let signed = towpath::server::hooks::sign(SECRET.as_bytes(), wall, b"body");
    let table = [
        (
            "unsigned",
            service.ask(
                "POST /hooks/git/shop/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                b"",
            ),
            401,
        ),
        ("nonsense", service.hook_signed("shop/a", "t=now,v1=ff", b""), 401),
        ("another key", service.hook_as("shop/a", "guess", 0, b""), 401),
        ("another body", service.hook_signed("shop/a", &signed, b"bodY"), 401),
        ("too old", service.hook_as("shop/a", SECRET, 301, b""), 401),
        ("from the future", service.hook_as("shop/a", SECRET, -301, b""), 401),
        ("no such flow", service.hook_as("shop/nobody", SECRET, 0, b"1"), 404),
        ("too large", service.hook_as("shop/a", SECRET, 0, &vec![b'x'; 70_000]), 413),
        ("a path", service.hook_as("../../etc/passwd", SECRET, 0, b"2"), 404),
        ("not a call of a hook", service.get("/hooks/git/shop/a"), 405),
        ("good", service.hook_signed("shop/a", &signed, b"body"), 202),
        ("good again", service.hook_signed("shop/a", &signed, b"body"), 202),
    ];
    for (what, answer, status) in table {
        assert_eq!(answer.status, status, "{what}: {answer:?}");
    }
    for (result, count) in
        [("unsigned", 2.0), ("forged", 2.0), ("out-of-time", 2.0), ("taken", 1.0), ("repeated", 1.0)]
    {
        let name = format!("towpath_hooks_total{{source=\"git\",result=\"{result}\"}}");
        assert_eq!(service.metric(&name), Some(count), "{result}");
    }
}

#[test]
fn the_same_call_for_another_flow_or_once_more_is_not_lost() {
    let place =
        Place::new(&["a", "b"], &(flow("a", "", "gates.lag = \"1d\"") + &flow("b", "", "gates.lag = \"1d\"")));
    let service = place.serve();
    service.says(&["shop/b", "production", "up to date"]);
    let wall = towpath::clock::Clock::System.reading().wall;
    let signed = towpath::server::hooks::sign(SECRET.as_bytes(), wall, b"");
    let call = |name: &str| assert_eq!(service.hook_signed(name, &signed, b"").status, 202);
    let (a, b) = (place.push("a", "2"), place.push("b", "2"));
    call("shop/a");
    call("shop/b");
    place.arrives("a", "staging", a);
    place.arrives("b", "staging", b);
    let again = place.push("a", "3");
    call("shop/a");
    place.arrives("a", "staging", again);
    assert_eq!(service.metric("towpath_hooks_total{source=\"git\",result=\"repeated\"}"), Some(1.0));
    assert_eq!(service.metric("towpath_hooks_total{source=\"git\",result=\"taken\"}"), Some(2.0));
}

#[test]
fn without_secrets_no_hook_is_taken() {
    let service = "[service]\nlook = \"0 0 1 1 *\"\n";
    let place = Place::new(&["a"], &format!("{service}{}", flow("a", "", "")));
    let running = place.serve();
    assert_eq!(running.hook_as("shop/a", "", 0, b"").status, 401);
    assert_eq!(running.hook_as("shop/a", SECRET, 0, b"").status, 401);
}

#[test]
fn a_pause_of_another_process_holds_and_its_end_is_seen() {
    let place = Place::new(&["a"], &flow("a", "", "gates.lag = \"1d\""));
    let service = place.serve();
    service.says(&["shop/a", "production"]);
    place.ok(&["pause", "shop/a", "staging", "--for", "2s", "--reason", "a test"]);
    let new = place.push("a", "2");
    service.hook("shop/a", b"1");
    service.says(&["shop/a", "staging", "\"reason\":\"paused\""]);
    place.arrives("a", "staging", new);
    let text = place.ok(&["history"]);
    assert!(text.contains("pause"), "{text}");
}

#[test]
fn a_reload_names_what_it_loosens_and_a_bad_file_changes_nothing() {
    let strict = flow("a", "", "gates.lag = \"1d\"") + &flow("b", "", "");
    let place = Place::new(&["a", "b"], &strict);
    let service = place.serve();
    let new = place.push("a", "2");
    service.hook("shop/a", b"1");
    place.arrives("a", "staging", new);
    service.says(&["shop/a", "production", "lag-not-over"]);

    place.config("this is no config");
    service.says(&["ERROR", "the old one stays in force"]);
    wait("the refusal is shown", || service.metric("towpath_config_reload_good") == Some(0.0));
    wait("the refusal is told", || {
        service.get("/readyz").body.contains("was refused and the old config is in force")
    });
    assert_eq!(service.get("/readyz").status, 200, "the service works on under the old config");

    // One flow goes, the other one's lag is gone: both are named, and the commit moves at once.
    place.config(&flow("a", "", ""));
    service.says(&["WARN", "gates.lag", "loosens"]);
    service.says(&["WARN", "shop/b", "nothing looks after it"]);
    place.arrives("a", "master", new);
    assert_eq!(service.metric("towpath_config_reload_good"), Some(1.0));
    assert!(!service.get("/readyz").body.contains("refused"));
    assert_eq!(service.hook_as("shop/b", SECRET, 0, b"2").status, 404);
    assert_eq!(service.metric("towpath_edge_stopped{flow=\"shop/b\",environment=\"staging\"}"), None);
    let audit = place.ok(&["history", "--export"]);
    assert!(audit.contains("\"command\":\"reload\"") && audit.contains("(loosens)"), "{audit}");
    assert!(audit.contains("\"allowed\":false"), "the refused one is in the audit, too: {audit}");

    // SIGHUP reads the file again, changed or not.
    service.signal(Signal::HUP);
    service.says(&["nothing in it has changed"]);
}

#[test]
fn a_stop_in_the_middle_of_a_push_waits_for_it() {
    let place = Place::new(&["a"], &flow("a", "", "gates.lag = \"1d\""));
    let repo = place.repo("a");
    repo.hook("pre-receive", "touch begun; sleep 3; exit 0");
    let mut service = place.serve();
    service.says(&["shop/a", "production"]);
    let new = place.push("a", "2");
    service.hook("shop/a", b"1");
    wait("the push has begun", || place.repo_dir("a").join("begun").exists());
    service.signal(Signal::TERM);
    service.says(&["waiting for what is under way"]);
    assert_eq!(service.get("/livez").status, 0, "nothing new is taken");
    assert_eq!(service.ends(), Some(0));
    assert_eq!(repo.tip("staging"), Some(new));
    assert_eq!(place.effects(), 1, "and it is recorded");
}

#[test]
fn without_its_store_the_service_moves_nothing_and_says_so() {
    let place = Place::new(&["a"], &flow("a", "", "gates.lag = \"1d\""));
    let service = place.serve();
    service.says(&["shop/a", "production", "up to date"]);
    for end in ["", "-wal", "-shm"] {
        fs::remove_file(place.path().join(format!("towpath.db{end}"))).unwrap();
    }
    // A pause goes into the new file, which the service does not read: so it must not go on.
    place.ok(&["run"]);
    place.ok(&["pause", "all", "--reason", "a test"]);
    let before = place.repo("a").tip("staging");
    place.push("a", "2");
    service.hook("shop/a", b"1");
    service.says(&["a pass failed", "removed or replaced"]);
    assert_eq!(service.get("/readyz").status, 503);
    assert_eq!(place.repo("a").tip("staging"), before);
}

#[test]
fn a_second_signal_does_not_wait_and_the_next_start_does_not_push_again() {
    let place = Place::new(&["a"], &flow("a", "", "gates.lag = \"1d\""));
    let repo = place.repo("a");
    repo.hook("pre-receive", "echo once >> begun; sleep 30; exit 1");
    let mut service = place.serve();
    service.says(&["shop/a", "production"]);
    place.push("a", "2");
    service.hook("shop/a", b"1");
    let begun = || fs::read_to_string(place.repo_dir("a").join("begun")).unwrap_or_default();
    wait("the push has begun", || begun() == "once\n");
    service.signal(Signal::TERM);
    service.says(&["waiting for what is under way"]);
    service.signal(Signal::TERM);
    assert_eq!(service.ends(), Some(0));
    drop(service);
    // What came of the push is not known before its deadline: it is waited for, and said.
    let again = place.serve();
    again.says(&["shop/a", "staging", "\"verdict\":\"wait\""]);
    again.hook("shop/a", b"2");
    place.ok(&["report", "shop/a", &repo.tip("develop").unwrap().to_string(), "build", "success"]);
    wait("two more passes", || again.metric("towpath_ticks_total{result=\"good\"}") >= Some(3.0));
    assert_eq!(begun(), "once\n");
    assert_eq!(place.effects(), 0);
}

#[test]
fn kill_nine_and_two_services_on_one_store_record_every_move_once() {
    let place =
        Place::new(&["a", "b"], &(flow("a", "", "gates.lag = \"1s\"") + &flow("b", "", "gates.lag = \"1s\"")));
    let mut services = vec![place.serve(), place.serve()];
    let mut last = None;
    for round in 0..4 {
        let (a, b) = (place.push("a", &format!("r{round}")), place.push("b", &format!("r{round}")));
        for (at, service) in services.iter().enumerate() {
            service.hook("shop/a", format!("{round}{at}").as_bytes());
            service.hook("shop/b", format!("{round}{at}").as_bytes());
        }
        services.remove(0);
        place.arrives("a", "staging", a);
        place.arrives("b", "staging", b);
        services.push(place.serve());
        last = Some((a, b));
    }
    let (a, b) = last.unwrap();
    place.arrives("a", "master", a);
    place.arrives("b", "master", b);
    wait("what was moved is recorded", || {
        let text = place.ok(&["history", "--export"]);
        let effects: Vec<&str> = text.lines().filter(|line| line.contains("\"what\":\"effect\"")).collect();
        let onto = |flow: &str, commit: &str| {
            effects.iter().filter(|l| l.contains(flow) && l.contains(&format!("\"new\":\"{commit}\""))).count()
        };
        // Into staging and into production, once each.
        onto("shop/a", &a.to_string()) == 2 && onto("shop/b", &b.to_string()) == 2
    });
}

#[test]
fn a_dead_remote_rests_and_holds_nobody_up_until_it_is_asked_for() {
    let place = Place::new(&["a", "b"], &(flow("a", "", "") + &flow("b", "", "")));
    let (gone, away) = (place.repo_dir("b"), place.path().join("away"));
    fs::rename(&gone, &away).unwrap();
    let service = place.serve();
    wait("the dead flow is seen", || service.metric("towpath_flows_failing") == Some(1.0));
    let new = place.push("a", "2");
    service.hook("shop/a", b"1");
    place.arrives("a", "master", new);
    fs::rename(&away, &gone).unwrap();
    let b = place.push("b", "2");
    // A hook does not end its rest, a command does.
    place.ok(&["report", "shop/b", &b.to_string(), "build", "success"]);
    place.arrives("b", "master", b);
    wait("it is well again", || service.metric("towpath_flows_failing") == Some(0.0));
    assert_eq!(service.get("/livez").status, 200);
}

#[test]
fn the_heartbeat_is_called_after_a_good_look() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ping", listener.local_addr().unwrap());
    let calls = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").unwrap();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    });
    let service = format!("[service]\nlook = \"0 0 1 1 *\"\nheartbeat = \"{url}\"\n");
    let place = Place::new(&["a", "b"], &(service + &flow("a", "", "") + &flow("b", "", "")));
    let running = place.serve();
    assert!(calls.join().unwrap().starts_with("GET /ping "));
    wait("it is counted", || running.metric("towpath_heartbeats_total{result=\"good\"}") == Some(1.0));
}

#[test]
fn it_starts_only_where_it_may_and_says_why_not() {
    let place = Place::new(&["a"], &flow("a", "", ""));
    let refused = place.run(&["serve", "--listen", "0.0.0.0:0"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{words}");
    assert!(words.contains("open to other machines") && words.contains("towpath token create"), "{words}");
    let service = place.serve();
    let taken = place.run(&["serve", "--listen", &format!("127.0.0.1:{}", service.port())]);
    let words = String::from_utf8_lossy(&taken.stderr).into_owned();
    assert_eq!(taken.status.code(), Some(1), "{words}");
    assert!(words.contains("cannot listen on") && words.contains("listen"), "{words}");
}

#[test]
fn the_schedule_itself_looks() {
    // The only test that has to wait for a minute to begin.
    let config = "[service]\nlook = \"* * * * *\"\n";
    let place = Place::new(&["a"], &format!("{config}{}", flow("a", "", "gates.lag = \"1d\"")));
    let service = Service::start(place.path());
    service.says(&["shop/a", "production"]);
    let new = place.push("a", "2");
    let repo = place.repo("a");
    let mut left = 90;
    while repo.tip("staging") != Some(new) {
        assert!(left > 0, "no look came: {:?}", service.log());
        left -= 1;
        thread::sleep(Duration::from_secs(1));
    }
}
