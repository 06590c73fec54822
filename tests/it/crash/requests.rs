//! Death on the way of a merge request: while it is opened, and while it is merged. On a forge that
//! speaks HTTP, with the real git behind it.
//!
//! Whenever the process dies, there is one request, people are told of it under one id, and it is
//! merged once.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::runtime::Runtime;

use super::place::DEADLINE;
use crate::forge::hosts::{Gitea, Host};

/// What happens while a request is opened and told of.
pub const OPENING: [&str; 4] = ["SaveProposal", "Propose", "Send", "MarkSent"];

/// What happens while it is pushed, closed and told of, on a server that has no merge by fast-forward.
pub const PUSHING: [&str; 9] =
    ["SaveIntent", "Reread", "MarkPushing", "Push", "ReadRef", "Record", "Close", "Send", "MarkSent"];

/// What happens while it is merged and told of.
const MERGING: [&str; 8] = ["SaveIntent", "Reread", "MarkPushing", "Push", "ReadRef", "Record", "Send", "MarkSent"];

const CONFIG: &str = r#"
[service]
store = "sqlite:towpath.db"

[forge.gitea]
kind = "gitea"
url = "URL"
token = { file = "token" }

[[flow]]
repository = "gitea:shop/checkout"
name = "shop"
zone = "UTC"

[[flow.environment]]
name = "develop"

[[flow.environment]]
name = "staging"
via = "merge-request"
gates.ci = { checks = ["build"] }
gates.approvals = { required = 1 }
"#;

/// A forge, a folder with the config, and what was told.
struct Day {
    runtime: Runtime,
    host: Gitea,
    folder: tempfile::TempDir,
    told: BTreeMap<String, usize>,
}

impl Day {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let host = runtime.block_on(Gitea::new());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), host.token()).unwrap();
        std::fs::write(folder.path().join("towpath.toml"), CONFIG.replace("URL", host.url())).unwrap();
        Self { runtime, host, folder, told: BTreeMap::new() }
    }

    /// Runs it; whether it died by a signal, and what it printed.
    fn run(&mut self, args: &[&str], crash: Option<&str>) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.args(args).current_dir(self.folder.path()).env("TOWPATH_LOG", "info").stdin(Stdio::null());
        command.env_remove("TOWPATH_CONFIG").env_remove("TOWPATH_CRASH_AT");
        if let Some(at) = crash {
            command.env("TOWPATH_CRASH_AT", at);
        }
        let output = command.output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        for line in err.lines().filter(|line| line.contains(": told ")) {
            let id = line.split_once("id=\"").unwrap().1.split_once('"').unwrap().0;
            *self.told.entry(id.to_owned()).or_default() += 1;
        }
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let died = output.status.signal() == Some(9);
        assert!(died || output.status.success(), "{args:?}: {}\n{out}\n{err}", output.status);
        (died, format!("{out}{err}"))
    }

    fn passes(&mut self, times: usize) {
        for _ in 0..times {
            let (died, said) = self.run(&["run"], None);
            assert!(!died && !said.contains("another process"), "{said}");
        }
    }

    fn dies(&mut self, at: &str) {
        let (died, said) = self.run(&["run"], Some(at));
        assert!(died, "{at} was not reached\n{said}");
    }

    fn rows(&mut self, what: &str) -> Vec<Json> {
        let (_, out) = self.run(&["history", "--export"], None);
        let rows = out.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        rows.filter(|row| row["what"] == what).map(|row| row["row"].clone()).collect()
    }

    /// Lets the store's trusted clock pass.
    fn age(&self, seconds: i64) {
        self.runtime.block_on(async {
            let file = SqliteConnectOptions::new().filename(self.folder.path().join("towpath.db"));
            let mut store = file.connect().await.unwrap();
            let sql = "UPDATE clock SET trusted = trusted + ?1";
            sqlx::query(sql).bind(seconds * 1_000).execute(&mut store).await.unwrap();
            sqlx::Connection::close(store).await.unwrap();
        });
    }

    /// How often a message was told whose id has this in it.
    fn heard(&self, part: &str) -> Vec<usize> {
        self.told.iter().filter(|(id, _)| id.contains(part)).map(|(_, times)| *times).collect()
    }
}

/// The sink has it, and the store does not know.
fn tells_twice(at: &str) -> usize {
    if at.starts_with("after:Send:") || at.starts_with("before:MarkSent:") { 2 } else { 1 }
}

fn opened(at: Option<&str>) -> Day {
    let mut day = Day::new();
    let one = day.host.push("develop", "one");
    day.host.green(one, "develop", &["build"]);
    if let Some(at) = at {
        day.dies(at);
    }
    day.passes(2);
    assert_eq!(day.host.requests(), 1, "{at:?}: no second one");
    assert_eq!(day.host.tip("towpath/shop/staging"), one, "{at:?}");
    assert_eq!(day.heard("proposed-shop-staging"), [at.map_or(1, tells_twice)], "{at:?}: {:?}", day.told);
    day
}

fn merged(mut day: Day, at: &str) -> Day {
    let (root, one) = (day.host.tip("staging"), day.host.tip("develop"));
    day.passes(2);
    assert_eq!(day.host.tip("staging"), one, "{at}");
    assert_eq!(day.host.requests(), 1, "{at}");
    assert_eq!(day.host.open_requests(), [], "{at}");
    let effects = day.rows("effect");
    assert_eq!(effects.len(), 1, "{at}: {effects:#?}");
    assert_eq!(effects[0]["new"], one.to_string(), "{at}");
    assert!(root == one || effects[0]["old"] == root.to_string(), "{at}");
    let open = |row: &&Json| matches!(row["state"].as_str(), Some("saved" | "pushing"));
    assert_eq!(day.rows("intent").iter().filter(open).count(), 0, "{at}");
    let id = effects[0]["intent"].as_str().unwrap().to_owned();
    assert_eq!(day.heard(&id), [tells_twice(at)], "{at}: {:?}", day.told);
    assert_eq!(day.heard("proposed-shop-staging").len(), 1, "{at}: {:?}", day.told);
    day
}

#[test]
fn dies_while_it_is_opened() {
    for point in OPENING {
        for side in ["before", "after"] {
            let at = format!("{side}:{point}:1");
            let day = opened(Some(&at));
            day.host.approve("bo", day.host.number(1));
            merged(day, "");
        }
    }
}

fn dies_while_it_is_merged(points: &[&str]) {
    for point in points {
        for side in ["before", "after"] {
            let at = format!("{side}:{point}:1");
            let mut day = opened(None);
            day.host.approve("bo", day.host.number(1));
            day.dies(&at);
            day.passes(1);
            if at == "after:MarkPushing:1" || at == "before:Push:1" {
                assert_ne!(day.host.tip("staging"), day.host.tip("develop"), "{at}: a merge may be under way");
                day.age(DEADLINE);
                day.passes(2);
                day.run(&["retry", "shop", "staging"], None);
            }
            merged(day, &at);
        }
    }
}

fn dies_while_it_is_pushed(points: &[&str]) {
    for point in points {
        for side in ["before", "after"] {
            let at = format!("{side}:{point}:1");
            let mut day = opened(None);
            {
                let mut state = day.host.0.state();
                (state.version, state.settings.fast_forward) = ("1.21.11".to_owned(), None);
            }
            let before = day.host.0.calls("PATCH /api/v1/repos/shop/checkout/pulls/");
            day.host.approve("bo", day.host.number(1));
            day.dies(&at);
            day.passes(1);
            if at == "after:MarkPushing:1" || at == "before:Push:1" {
                assert_ne!(day.host.tip("staging"), day.host.tip("develop"), "{at}: a push may be under way");
                let number = day.host.number(1);
                assert!(!day.host.0.state().pull(number).closed, "{at}: nothing is closed for it");
                day.age(DEADLINE);
                day.passes(2);
                day.run(&["retry", "shop", "staging"], None);
            }
            let day = merged(day, &at);
            assert_eq!(
                day.host.0.calls("PATCH /api/v1/repos/shop/checkout/pulls/"),
                before + 1,
                "{at}: it is closed once"
            );
        }
    }
}

#[test]
fn dies_early_while_it_is_pushed() {
    dies_while_it_is_pushed(&PUSHING[..4]);
}

#[test]
fn dies_late_while_it_is_pushed() {
    dies_while_it_is_pushed(&PUSHING[4..]);
}

#[test]
fn dies_early_while_it_is_merged() {
    dies_while_it_is_merged(&MERGING[..4]);
}

#[test]
fn dies_late_while_it_is_merged() {
    dies_while_it_is_merged(&MERGING[4..]);
}
