//! A config file that is gone, no file, or written at a bad moment.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio_util::sync::CancellationToken;
use towpath::clock::Clock;
use towpath::config::Config;
use towpath::serve::{Shared, run};
use towpath::setup::{Need, Setup};

use super::place::{Place, Service, wait};
use super::{CI, flow};

fn is_refused(service: &Service) -> bool {
    service.metric("towpath_config_reload_good") == Some(0.0)
}

/// The refused reloads of the audit, as anybody may read it who may ask.
fn refusals(service: &Service) -> Vec<String> {
    let audit: serde_json::Value = serde_json::from_str(&service.get("/api/v1/audit").body).unwrap();
    let rows = audit["audit"].as_array().unwrap();
    rows.iter()
        .filter(|row| row["command"] == "reload" && row["allowed"] == false)
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_config_that_is_gone_is_said_until_it_is_back() {
    let place = Place::new(&["a"], &flow("a", CI, ""));
    let service = place.serve();
    let (file, away) = (place.path().join("towpath.toml"), place.path().join("away"));
    fs::rename(&file, &away).unwrap();
    service.says(&["ERROR", "there is no file", "the old one stays in force"]);
    wait("it is shown", || is_refused(&service));
    let ready = service.get("/readyz");
    assert!(ready.status == 200 && ready.body.contains("there is no file"), "{ready:?}");
    fs::rename(&away, &file).unwrap();
    service.says(&["nothing in it has changed"]);
    wait("it is no longer shown", || !is_refused(&service));
    assert!(!service.get("/readyz").body.contains("refused"));
}

#[test]
fn a_config_that_nobody_writes_into_keeps_nothing_waiting() {
    let place = Place::new(&["a"], &flow("a", "", "gates.lag = \"1d\""));
    let service = place.serve();
    let file = place.path().join("towpath.toml");
    fs::remove_file(&file).unwrap();
    let (pipe, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &file, pipe, mode, 0).unwrap();
    service.signal(Signal::HUP);
    service.says(&["ERROR", "is not a regular file"]);
    let new = place.push("a", "2");
    service.hook("shop/a", b"1");
    place.arrives("a", "staging", new);
}

#[test]
fn one_mistake_is_audited_once_however_often_the_config_is_read() {
    let place = Place::new(&["a"], &flow("a", CI, ""));
    let service = place.serve();
    place.config("this is no config");
    service.says(&["ERROR", "the old one stays in force"]);
    let again = || service.log().iter().filter(|line| line.contains("for the same reason as before")).count();
    for round in 1..4 {
        service.signal(Signal::HUP);
        wait("it is read again", || again() >= round);
    }
    assert_eq!(refusals(&service).len(), 1);
    place.config("another mistake");
    wait("another mistake is another row", || refusals(&service).len() == 2);
}

#[test]
fn whoever_asks_learns_where_the_config_is_wrong_and_not_what_it_says() {
    let place = Place::new(&["a"], &flow("a", CI, ""));
    let service = place.serve();
    for (line, told) in [
        ("heartbeat = \"hc-ping.example/0c7de1\"", "`service.heartbeat` on line 2"),
        ("heartbeat = \"https://hc-ping.example/0c7de1", "line 2 is not TOML"),
        ("https_hc-ping_example_0c7de1 = 1", "a key on line 2"),
    ] {
        place.config(&format!("[service]\n{line}\n{}", flow("a", CI, "")));
        wait(told, || service.get("/readyz").body.contains(told));
        let ready = service.get("/readyz").body;
        assert!(ready.contains("towpath.toml") && !ready.contains("0c7de1"), "{ready}");
        // The log is for whoever may read the config as well.
        service.says(&["ERROR", "0c7de1"]);
    }
    let audit = refusals(&service);
    assert!(audit.len() == 3 && !audit.concat().contains("0c7de1"), "{audit:?}");
}

/// What a service does between reading its config and its first look at the file may take long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_that_is_written_while_the_service_starts_is_read() {
    let place = Place::new(&["a"], &flow("a", "", "gates.lag = \"1d\""));
    let config = Config::load(&place.path().join("towpath.toml")).unwrap();
    place.config(&flow("a", "", "gates.lag = \"2d\""));
    let setup = Setup::open(config, Clock::System, Need::Create).await.unwrap();
    let (shared, stop) = (Arc::new(Shared::new(setup)), CancellationToken::new());
    let running = tokio::spawn(run(shared.clone(), stop.clone()));
    tokio::task::spawn_blocking(move || wait("it is read", || shared.pulse.last_reload().is_some())).await.unwrap();
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(60), running).await.unwrap().unwrap().unwrap();
}
