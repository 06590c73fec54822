//! The program as a script meets it: what it prints where, and how it ends.

// In tests a surprise is a failure with a line number, which is what `unwrap` gives.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A bare repository with `develop` two commits before `staging`, and a config for it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.git(&["init", "-q", "--bare", "-b", "develop", "shop.git"]);
        let tree = place.git(&["-C", "shop.git", "hash-object", "-w", "-t", "tree", "/dev/null"]);
        let mut tip = place.git(&["-C", "shop.git", "commit-tree", &tree, "-m", "zero"]);
        place.git(&["-C", "shop.git", "update-ref", "refs/heads/staging", &tip]);
        for subject in ["one", "two"] {
            tip = place.git(&["-C", "shop.git", "commit-tree", &tree, "-m", subject, "-p", &tip]);
        }
        place.git(&["-C", "shop.git", "update-ref", "refs/heads/develop", &tip]);
        let env = "[[flow.environment]]\nname = ";
        let config = format!(
            "[service]\nstore = \"sqlite:towpath.db\"\n[[flow]]\nname = \"shop\"\nrepository = \"shop.git\"\n\
             {env}\"develop\"\n{env}\"staging\"\ngates.ci = {{ checks = [\"build\"] }}\n"
        );
        fs::write(place.path().join("towpath.toml"), config).unwrap();
        assert!(place.run(&["run"]).status.success());
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Ana").env(format!("GIT_{who}_EMAIL"), "ana@example.com");
        }
        let output = git.args(args).current_dir(self.path()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.args(args).current_dir(self.path()).env_remove("TOWPATH_CONFIG").stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_wrong_command_line_is_json_for_those_who_read_json() {
    let place = Place::new();
    for (args, code) in [
        (&["-o", "json", "pause", "shop"][..], "usage"),
        (&["--output=json", "promte"], "usage"),
        (&["-ojson", "status", "--what"], "usage"),
        // The words are there, but say nothing that can be ordered.
        (&["-o", "json", "pause", "shop", "--for", "soon", "--reason", "x"], "bad-command"),
    ] {
        let ran = place.run(args);
        assert_eq!(ran.status.code(), Some(2), "{args:?}");
        let said: serde_json::Value = serde_json::from_str(&out(&ran)).unwrap_or_else(|e| panic!("{args:?}: {e}"));
        assert_eq!(said["schema_version"], 1, "{args:?}");
        assert_eq!(said["code"], code, "{args:?}");
        assert!(!said["message"].as_str().unwrap().is_empty(), "{args:?}");
        assert_eq!(err(&ran), "", "{args:?}");
    }
}

#[test]
fn what_cannot_be_printed_is_an_error_and_no_panic() {
    let place = Place::new();
    for args in [
        &["completions", "bash"][..],
        &["config", "schema"],
        &["config", "show"],
        &["config", "validate"],
        &["status"],
        &["status", "-o", "json"],
        &["plan"],
        &["explain", "shop", "staging"],
        &["diff", "shop", "staging"],
        &["history"],
        &["doctor"],
        &["run"],
        &["pause", "shop", "--reason", "a demo"],
        &["--help"],
        &["--version"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ran = place.command(args).stdout(full).output().unwrap();
        let said = err(&ran);
        assert_eq!(ran.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("towpath: not everything could be printed: No space left"), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
        // Whoever reads no further wants no more.
        let mut child = place.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = child.wait_with_output().unwrap();
        assert_eq!((ran.status.code(), err(&ran).as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn orders_and_views_work_without_git() {
    let place = Place::new();
    let tip = place.git(&["-C", "shop.git", "rev-parse", "develop"]);
    for args in [
        &["pause", "shop", "--reason", "a demo"][..],
        &["status"],
        &["resume", "shop"],
        &["hold", &tip, "shop", "--reason", "not yet"],
        &["history"],
        &["unhold", &tip, "shop"],
    ] {
        let ran = place.command(args).env("PATH", place.path()).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{args:?}: {}", err(&ran));
        assert!(err(&ran).contains("cannot start the git program"), "{args:?}: {}", err(&ran));
    }
    let ran = place.command(&["run"]).env("PATH", place.path()).output().unwrap();
    assert_eq!(ran.status.code(), Some(1), "{}", err(&ran));
}

#[test]
fn a_saved_plan_names_its_remote_and_is_asked_for_one_environment() {
    let place = Place::new();
    let two = place.git(&["-C", "shop.git", "rev-parse", "develop"]);
    assert!(place.run(&["report", "shop", &two, "build", "failure"]).status.success());
    let saved = place.run(&["plan", "--save", "seen.json"]);
    let again = place.run(&["plan", "--from", "seen.json", "shop", "staging"]);
    let first = out(&saved)
        .lines()
        .filter(|line| !line.contains("seen.json"))
        .map(|l| format!("{l}\n"))
        .collect::<String>();
    assert_eq!(out(&again), first);
    assert!(!out(&again).contains("origin"), "{}", out(&again));
    let none = place.run(&["plan", "--from", "seen.json", "shop", "nowhere"]);
    assert_eq!(none.status.code(), Some(1), "{}", out(&none));
}

#[test]
fn history_tells_as_many_things_as_were_asked_for() {
    let place = Place::new();
    let two = place.git(&["-C", "shop.git", "rev-parse", "develop"]);
    assert!(place.run(&["report", "shop", &two, "build", "success"]).status.success());
    assert!(place.run(&["run"]).status.success());
    // A landing is an intent, an effect and an event, of which one is told.
    for count in [1, 2] {
        let told = out(&place.run(&["history", "-n", &count.to_string()]));
        assert_eq!(told.lines().filter(|line| !line.starts_with(' ')).count(), count, "{told}");
    }
}

#[test]
fn a_broken_config_is_json_with_one_version() {
    let place = Place::new();
    fs::write(place.path().join("towpath.toml"), "no config").unwrap();
    let ran = place.run(&["-o", "json", "status"]);
    assert_eq!(ran.status.code(), Some(1));
    assert_eq!(out(&ran).matches("schema_version").count(), 1, "{}", out(&ran));
    // The way that is left to whoever has to stop things; nothing is said where it is none.
    let way = "`--server http://127.0.0.1:8080`";
    assert!(out(&ran).contains(way), "{}", out(&ran));
    for args in [&["status"][..], &["pause", "all", "--reason", "x"], &["resume", "all"], &["token", "list"]] {
        assert!(err(&place.run(args)).contains(way), "{args:?}");
    }
    for args in [&["config", "validate"][..], &["doctor"], &["token", "revoke", "x"], &["history", "--export"]] {
        assert!(!err(&place.run(args)).contains(way), "{args:?}");
    }
}

#[test]
fn a_level_that_is_none_is_refused_and_not_taken_for_a_module() {
    let place = Place::new();
    let run = |level: &str, args: &[&str]| place.command(args).env("TOWPATH_LOG", level).output().unwrap();
    for level in ["verbose", "info,towpath=loud"] {
        let ran = run(level, &["status"]);
        assert_eq!(ran.status.code(), Some(2), "{level}");
        assert!(
            err(&ran).contains("`TOWPATH_LOG` holds") && err(&ran).contains("write one of off, error"),
            "{ran:?}"
        );
        assert!(out(&run(level, &["status", "-o", "json"])).contains("\"code\": \"usage\""));
    }
    for level in ["", "debug", "off", "warn,towpath::store=trace"] {
        assert!(run(level, &["status"]).status.success(), "{level}");
    }
}

/// The two commands of README's first screen, in a clone that Towpath knows nothing of.
#[test]
fn init_writes_a_config_that_plan_answers_truly_on_and_leaves_what_is_there() {
    let place = Place::new();
    place.git(&["clone", "-q", "shop.git", "clone"]);
    let clone = place.path().join("clone");
    let at = |args: &[&str]| place.command(args).current_dir(&clone).output().unwrap();
    let made = at(&["init", "--yes"]);
    assert!(made.status.success(), "{}", err(&made));
    assert!(out(&made).contains("for develop -> staging"), "{}", out(&made));
    let plan = at(&["plan"]);
    assert!(plan.status.success(), "{}", err(&plan));
    for said in ["staging: waits for the lag of 30m", "\"two\" (Ana)", "2 commits wait"] {
        assert!(out(&plan).contains(said), "{said}: {}", out(&plan));
    }
    // Who wrote the config by hand, and has no ledger yet, is told of what makes one and moves nothing.
    let config = fs::read_to_string(clone.join("towpath.toml")).unwrap();
    for entry in fs::read_dir(&clone).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with("towpath.db") && entry.file_type().unwrap().is_file() {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    for args in [&["plan"][..], &["doctor"], &["status"]] {
        let said = err(&at(args));
        assert!(said.contains("`towpath init` makes it, and leaves your config as it is"), "{args:?}: {said}");
    }
    assert!(out(&at(&["init", "--yes"])).contains("was left as it is; made its store"));
    assert!(at(&["plan"]).status.success());
    assert_eq!(at(&["init", "--yes"]).status.code(), Some(1));
    assert_eq!(fs::read_to_string(clone.join("towpath.toml")).unwrap(), config);
}
