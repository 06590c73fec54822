//! Alerts and dashboard name only metrics that a running service has, and the runbook knows every
//! alert.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use super::service::{Service, until};
use crate::support::git_fixture::Repo;

fn read(name: &str) -> String {
    std::fs::read_to_string(super::file(name)).unwrap()
}

/// Every word that begins as our metrics do.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("towpath_")).map(str::to_owned).collect()
}

/// Takes calls and is content with each.
fn listener() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    format!("http://{address}/")
}

/// A service to which everything has happened that it counts: a name is in `/metrics` only once it
/// has a value.
fn service() -> (tempfile::TempDir, Service) {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::init(folder.path().join("shop.git"));
    let first = repo.commit(&[], "develop", &[("a", "1")]);
    repo.set("staging", first);
    repo.set("production", first);
    repo.commit(&[first], "develop", &[("a", "2")]);
    let config = folder.path().join("towpath.toml");
    let text = format!(
        r#"
[service]
look = "0 0 1 1 *"
heartbeat = "{}"
[[flow]]
repository = "shop.git"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
[[flow.environment]]
name = "production"
gates.lag = "1d"
"#,
        listener()
    );
    std::fs::write(&config, text).unwrap();
    let service = Service::start(&config);
    until("staging was moved", || service.metric("towpath_moves_total{").is_some());
    let mut pause = Command::new(env!("CARGO_BIN_EXE_towpath"));
    pause.args(["pause", "production", "--for", "2h", "--reason", "a test", "--yes", "--config"]).arg(&config);
    assert!(pause.output().unwrap().status.success());
    until("the pause is seen", || service.metric("towpath_edge_stop_ends_timestamp_seconds{").is_some());
    let mut stream = TcpStream::connect(service.address).unwrap();
    let call = "POST /hooks/git/shop HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(call.as_bytes()).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    until("a heartbeat", || service.metric("towpath_heartbeats_total{").is_some());
    until("a commit waits", || service.metric("towpath_edge_oldest_waiting_timestamp_seconds{").is_some());
    (folder, service)
}

#[test]
fn every_metric_that_alerts_and_dashboard_name_is_there() {
    let (_folder, service) = service();
    let page = service.get("/metrics");
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let mut names: BTreeSet<String> =
        lines.flat_map(|line| metrics(line.split(['{', ' ']).next().unwrap())).collect();
    // This one has no forge; that they are there is tested where one is.
    names.extend(crate::forge::e2e::METRICS.map(str::to_owned));
    // Nor a sink; there it is tested, too.
    names.extend([crate::tell::METRIC, crate::tell::GIVEN_UP].map(str::to_owned));
    let promised = &(&metrics(&read("prometheus/alerts.yml")) | &metrics(&read("prometheus/alerts_test.yml")))
        | &metrics(&read("grafana/dashboard.json"));
    let missing: Vec<_> = promised.difference(&names).collect();
    assert!(missing.is_empty(), "not in /metrics: {missing:?}; there are {names:?}");
    assert!(promised.len() >= 15, "{promised:?}");
}

#[test]
fn every_alert_has_words_a_test_and_a_section_in_the_runbook() {
    let alerts = read("prometheus/alerts.yml");
    let tests = read("prometheus/alerts_test.yml");
    let runbook = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbook.md");
    let runbook = std::fs::read_to_string(runbook).unwrap();
    let mut names = Vec::new();
    for alert in alerts.split("- alert: ").skip(1) {
        let name = alert.lines().next().unwrap().trim();
        for field in ["summary: ", "description: ", "severity: "] {
            assert!(alert.contains(field), "{name} lacks {field}");
        }
        let link = format!("runbook_url: docs/runbook.md#{}\n", name.to_lowercase());
        assert!(alert.contains(&link), "{name} lacks {link}");
        assert!(tests.contains(&format!("alertname: {name}")), "{name} has no test");
        names.push(name.to_owned());
    }
    let sections: Vec<_> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .filter(|name| name.starts_with("Towpath"))
        .collect();
    assert_eq!(sections, names, "the sections of the runbook, in the order of the alerts");
}
