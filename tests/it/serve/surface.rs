//! What probes and metrics say, and to whom.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use towpath::clock::Clock;
use towpath::config::Config;
use towpath::serve::{Shared, Wake, run};
use towpath::server::{self, Limits};
use towpath::setup::{Need, Setup};
use towpath_core::model::FlowName;

use super::flow;
use super::place::{Place, Service, get, wait};

#[test]
fn what_names_flows_answers_to_our_hosts_alone() {
    let place = Place::new(&["a"], &flow("a", "", ""));
    let service = place.serve();
    let ask = |path: &str, host: &str| {
        service.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), b"").status
    };
    for path in ["/readyz", "/metrics", "/api/v1/flows"] {
        for (host, status) in [("evil.example", 421), ("10.0.0.1", 421), ("localhost:80", 200), ("127.0.0.1", 200)]
        {
            assert_eq!(ask(path, host), status, "{path} {host}");
        }
    }
    assert_eq!(ask("/livez", "evil.example"), 200);
}

#[test]
fn whoever_listens_everywhere_answers_to_every_address_and_to_no_other_name() {
    let service = "[service]\nlook = \"0 0 1 1 *\"\nlisten = \"0.0.0.0:0\"\nhosts = [\"towpath.internal\"]\n";
    let place = Place::new(&["a"], &format!("{service}{}", flow("a", "", "")));
    place.ok(&["run"]);
    place.ok(&["token", "create", "x", "--scope", "read"]);
    let service = place.serve_at("0.0.0.0:0");
    let ask = |path: &str, host: &str| {
        service.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), b"").status
    };
    for path in ["/readyz", "/metrics"] {
        for (host, status) in
            [("10.0.0.1:8080", 200), ("[fd00::1]:8080", 200), ("towpath.internal", 200), ("evil.example", 421)]
        {
            assert_eq!(ask(path, host), status, "{path} {host}");
        }
    }
    // An address opens nothing that needs a token.
    assert_eq!(ask("/api/v1/flows", "10.0.0.1:8080"), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_takes_nothing_is_not_ready() {
    let place = Place::new(&["a"], &flow("a", "", "gates.lag = \"1d\""));
    let config = Config::load(&place.path().join("towpath.toml")).unwrap();
    let setup = Setup::open(config, Clock::System, Need::Create).await.unwrap();
    let (shared, stop) = (Arc::new(Shared::new(setup)), CancellationToken::new());
    let running = tokio::spawn(run(shared.clone(), stop.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let web = tokio::spawn(server::serve(listener, shared.clone(), Limits::default(), stop.clone()));
    let ready = async move |holds: fn(&str) -> bool| {
        let holds = move || holds(&format!("{:?}", get(port, "/readyz")));
        tokio::task::spawn_blocking(move || wait("readyz", holds)).await.unwrap();
    };
    let a = FlowName::new("shop/a");
    let setup = shared.setup();
    let decided = async || !setup.world.store().load(&a, &[]).await.unwrap().decisions.is_empty();
    while !decided().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ready(|said| said.contains("status: 200")).await;

    setup.world.store().limit_pages(Some(1)).await.unwrap(); // SQLite takes the file's present size
    let repo = place.repo("a");
    // Each is an arrival, and together they are more than what is left of the last pages.
    let mut tip = repo.tip("develop").unwrap();
    for n in 0..400 {
        tip = repo.commit(&[tip], "develop", &[("a", &n.to_string())]);
    }
    shared.wake(&a, Wake::Hook);
    ready(|said| said.contains("status: 503") && said.contains("no space is left for the store")).await;

    setup.world.store().limit_pages(None).await.unwrap();
    // It rests after the failure; an order ends that.
    shared.wake(&a, Wake::Command);
    ready(|said| said.contains("status: 200")).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    web.await.unwrap().unwrap();
}

#[test]
fn the_service_manager_hears_that_it_is_ready_and_then_that_it_lives() {
    let place = Place::new(&["a"], &flow("a", "", ""));
    let path = place.path().join("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let hears = || {
        let mut bytes = [0; 64];
        let length = manager.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let env = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "20000")];
    let mut service = Service::start_with(place.path(), &env);
    assert_eq!(hears(), "READY=1");
    for _ in 0..3 {
        assert_eq!(hears(), "WATCHDOG=1");
    }
    service.signal(rustix::process::Signal::TERM);
    while hears() != "STOPPING=1" {}
    assert_eq!(service.ends(), Some(0));
}
