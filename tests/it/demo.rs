//! The demo, as a newcomer starts it: the real program, told fast, and what it leaves checked in
//! the plain repository and in the ledger.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

/// The program as on a machine that has nothing but git: no home, no config, nothing of ours.
fn towpath(dir: &Path, temp: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towpath"))
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TMPDIR", temp)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn ok(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(said, "", "nothing is complained of");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = crate::support::git_fixture::git_command(&dir.join("demo.git")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The subjects of the tips that a branch has had, oldest first, by the repository's own memory.
fn tips(dir: &Path, branch: &str) -> Vec<String> {
    let log = std::fs::read_to_string(dir.join("demo.git/logs/refs/heads").join(branch)).unwrap();
    let ids = log.lines().map(|line| line.split(' ').nth(1).unwrap());
    ids.map(|id| git(dir, &["log", "-1", "--format=%s", id])).collect()
}

fn kept() -> (tempfile::TempDir, std::path::PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("kept");
    let temp = folder.path().join("temp");
    std::fs::create_dir(&temp).unwrap();
    let said = ok(&towpath(folder.path(), &temp, &["demo", "--fast", "--keep", dir.to_str().unwrap()]));
    assert_eq!(std::fs::read_dir(&temp).unwrap().count(), 0, "nothing is left elsewhere");
    (folder, dir, said)
}

#[test]
fn the_story_is_what_the_repository_and_the_ledger_say() {
    let (folder, dir, said) = kept();
    // A red commit is never the tip; the hotfix is never lost but by the rollback's own way.
    assert_eq!(
        tips(&dir, "staging"),
        [
            "The shop opens",
            "Show delivery dates",
            "Search: wait for the third letter",
            "Gift cards",
            "Merge master back into develop",
            "Gift cards: accept old codes",
            "Pay with BLIK",
        ]
    );
    assert_eq!(
        tips(&dir, "master"),
        [
            "The shop opens",
            "Show delivery dates",
            "Search: wait for the third letter",
            "Hotfix: charge cards once",
            "Merge master back into develop",
            "Hotfix: charge cards once",
            "Gift cards: accept old codes",
        ]
    );
    let contains = git(&dir, &["log", "--format=%s", "staging"]);
    assert!(contains.contains("Search as you type"), "what was red came with its repair");
    assert!(git(&dir, &["log", "--format=%an", "develop"]).contains("Łukasz"));
    assert_eq!(git(&dir, &["for-each-ref", "--format=%(refname)"]).lines().count(), 3, "no branch was made");

    let json = |args: &[&str]| -> Json { serde_json::from_str(&ok(&towpath(&dir, folder.path(), args))).unwrap() };
    let rows = json(&["history", "-n", "500", "-o", "json"]);
    let rows = rows["history"].as_array().unwrap();
    let effects: Vec<&Json> = rows.iter().filter(|row| row["what"] == "effect").map(|row| &row["row"]).collect();
    let count = |env: &str, kind: &str| effects.iter().filter(|e| e["env"] == env && e["kind"] == kind).count();
    assert_eq!((count("staging", "fast-forward"), count("staging", "rollback")), (6, 0));
    assert_eq!((count("production", "fast-forward"), count("production", "rollback")), (4, 1));

    // The pause kept production for its ten minutes, and not a minute longer.
    let at = |row: &Json| row["at"].as_i64().unwrap() / 60_000;
    let paused = rows.iter().find(|row| row["row"]["command"].as_str().is_some_and(|c| c.starts_with("pause")));
    let mended = git(&dir, &["log", "-1", "--format=%H", "--grep", "third letter", "staging"]);
    let arrived = |env: &str| {
        let row =
            rows.iter().find(|r| r["what"] == "effect" && r["row"]["env"] == env && r["row"]["new"] == *mended);
        at(row.unwrap())
    };
    assert_eq!(arrived("production"), at(paused.unwrap()) + 10);
    assert!(arrived("production") > arrived("staging") + 10, "its own ten minutes were over before");

    let status = json(&["status", "-o", "json"]);
    let standing = &status["flows"][0]["standing"];
    assert_eq!(standing["holds"].as_array().unwrap().len(), 1, "{standing}");
    for beat in ["a pause, with reason and end", "a hotfix on production", "a rollback held"] {
        assert!(said.contains(beat), "{beat}");
    }
}

#[test]
fn a_kept_sandbox_takes_real_commands() {
    let (folder, dir, said) = kept();
    assert!(said.contains("The sandbox stays in"));
    let run = |args: &[&str]| ok(&towpath(&dir, folder.path(), args));
    assert!(run(&["config", "validate"]).contains("is valid"));
    assert!(run(&["status"]).contains("production: waits for the lag of 10m"));
    assert!(run(&["explain", "demo", "production"]).contains("towpath promote demo production"));
    assert!(run(&["plan"]).contains("staging: up to date"));
    assert!(run(&["history"]).contains("Towpath moved `staging`"));
    run(&["doctor"]);
    run(&["promote", "demo", "production", "--reason", "cannot wait"]);
    assert!(run(&["run"]).contains("landed"));
    assert_eq!(git(&dir, &["log", "-1", "--format=%s", "master"]), "Pay with BLIK");
}

#[test]
fn it_leaves_nothing_and_takes_no_folder_that_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let temp = folder.path().join("temp");
    std::fs::create_dir(&temp).unwrap();
    let used = towpath(folder.path(), &temp, &["demo", "--fast", "--keep", "."]);
    assert_eq!(used.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&used.stderr).contains("is not empty"));

    let said = ok(&towpath(folder.path(), &temp, &["demo", "--fast"]));
    assert_eq!(std::fs::read_dir(&temp).unwrap().count(), 0);
    assert!(!said.contains('\u{1b}'), "a pipe gets no escape codes");
    insta::assert_snapshot!(normal(&said));
}

#[test]
fn a_signal_ends_it_and_nothing_stays() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_towpath"))
        .args(["demo"])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let begun = lines.any(|line| line.unwrap().contains("Three branches of a shop"));
    assert!(begun);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success());
    assert!(rest.iter().any(|line| line.contains("The sandbox is removed")), "{rest:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Ids by the order in which they are met, times as minutes from the beginning.
fn normal(text: &str) -> String {
    let mut ids: Vec<String> = Vec::new();
    let mut start = None;
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let before_is_word = out.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
        let word: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let is_id = [9, 16, 40].contains(&word.len()) && word.chars().all(|c| c.is_ascii_hexdigit());
        if !before_is_word && is_id {
            let at = ids.iter().position(|id| *id == word).unwrap_or_else(|| {
                ids.push(word.clone());
                ids.len() - 1
            });
            out.push_str(&format!("ID{at}"));
            rest = &rest[word.len()..];
        } else if !before_is_word && let Some(minute) = clock(rest) {
            let passed = (minute - *start.get_or_insert(minute)).rem_euclid(1_440);
            out.push_str(&format!("+{passed:02}"));
            rest = &rest[5..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    // Beyond midnight a time has its day.
    for day in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] {
        while let Some(at) = out.find(&format!(" {day} ")) {
            let end = out[at + 1..].find('+').unwrap() + at;
            out.replace_range(at..end, "");
        }
    }
    out
}

/// `06:29` at the beginning of a text, as minutes.
fn clock(text: &str) -> Option<i32> {
    let (hours, minutes) = text.get(..5)?.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<i32>().ok()).flatten();
    Some(number(hours)? * 60 + number(minutes)?)
}
