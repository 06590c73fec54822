//! The units' config is one that is accepted, their times fit the service's, and the manual has a
//! page for every command.

use std::path::Path;
use std::process::Command;

use towpath::config::{Config, Store};
use towpath::serve::patience;

use super::service::Service;
use crate::support::git_fixture::Repo;

fn unit(name: &str, key: &str) -> Vec<String> {
    let text = std::fs::read_to_string(super::file("systemd").join(name)).unwrap();
    let found = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    found.map(str::to_owned).collect()
}

fn towpath(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_towpath")).args(args).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn the_config_of_the_units_keeps_everything_where_the_service_may_write() {
    let text = std::fs::read_to_string(super::file("systemd/towpath.toml")).unwrap();
    let config = Config::from_text(&text, Path::new("/etc/towpath/towpath.toml")).unwrap();
    let Store::Sqlite(store) = &config.service.store;
    assert_eq!(unit("towpath.service", "StateDirectory"), ["towpath"]);
    assert!(store.starts_with("/var/lib/towpath"), "{store:?}");
    assert_eq!(towpath::config::cache_of(store), Path::new("/var/lib/towpath/towpath.db.cache"));
}

#[test]
fn the_unit_waits_longer_than_the_service_takes_to_stop() {
    let stop: u64 = unit("towpath.service", "TimeoutStopSec")[0].parse().unwrap();
    assert!(stop > patience().as_secs() + 5, "{stop}");
    assert_eq!(unit("towpath.service", "KillMode"), ["mixed"], "git must not be killed before the service");
}

#[test]
fn the_unit_allows_more_files_than_there_may_be_connections() {
    let files: usize = unit("towpath.service", "LimitNOFILE")[0].parse().unwrap();
    assert!(files >= 16 * towpath::server::Limits::default().connections, "{files}");
}

#[test]
fn the_unit_restarts_what_hangs() {
    let seconds: u64 = unit("towpath.service", "WatchdogSec")[0].parse().unwrap();
    assert!(seconds >= 10, "{seconds}: a busy machine is not a dead one");
    // A watchdog that has run out is one of the failures.
    assert_eq!(unit("towpath.service", "Restart"), ["on-failure"]);
}

#[test]
fn both_services_are_locked_up_alike() {
    let sandbox = |name: &str| {
        let path = super::file("systemd").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        let begin = text.find("\nCapabilityBoundingSet=").unwrap();
        text[begin..].split("\n[Install]").next().unwrap().trim().to_owned()
    };
    assert_eq!(sandbox("towpath.service"), sandbox("towpath-run.service"));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = towpath(&["man", folder.path().join("man1").to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    let page = |name: &str| std::fs::read_to_string(folder.path().join("man1").join(name)).unwrap();
    let (_, help) = towpath(&["--help"]);
    let commands = help.split("Commands:").nth(1).unwrap().lines().skip(1).take_while(|line| !line.is_empty());
    // A long line goes on further right.
    let names: Vec<&str> = commands
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|name| !name.is_empty()))
        .collect();
    assert!(names.contains(&"serve") && names.contains(&"rollback"), "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        assert!(page(&format!("towpath-{name}.1")).contains(".SH SYNOPSIS"), "{name}");
        // A hyphen is written so that nobody takes it for one where a line may break.
        let listed = format!("towpath\\-{}(1)", name.replace('-', "\\-"));
        assert!(page("towpath.1").contains(&listed), "{name}");
    }
    assert!(!folder.path().join("man1/towpath-probe.1").exists(), "hidden commands have no page");
}

#[test]
fn a_probe_says_how_the_service_is_and_that_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::init(folder.path().join("shop.git"));
    let commit = repo.commit(&[], "develop", &[("a", "1")]);
    repo.set("staging", commit);
    let config = folder.path().join("towpath.toml");
    let text = "[[flow]]\nrepository = \"shop.git\"\n[[flow.environment]]\nname = \"develop\"\n\
                [[flow.environment]]\nname = \"staging\"\n";
    std::fs::write(&config, text).unwrap();
    let service = Service::start(&config);
    let address = service.address.to_string();
    for args in [&["probe", "--address", &address][..], &["probe", "--ready", "--address", &address]] {
        let (code, said) = towpath(args);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("\"ok\":true"), "{said}");
    }
    drop(service);
    let (code, said) = towpath(&["probe", "--address", &address]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("nobody answers"), "{said}");
}
