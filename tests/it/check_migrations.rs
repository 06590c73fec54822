//! `check-migrations` on real git repositories, by the program itself.
//!
//! What is compatible has its own tests and cases in `towpath-compat`; here: that the right commits are
//! asked about, and that answers come out whole in every format.

use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;
use towpath_core::model::CommitId;

use crate::support::git_fixture::Repo;

/// A repository with a Diesel-less, plain history of sqlx: a table with a nickname that code shows.
struct Place {
    _folder: TempDir,
    repo: Repo,
}

const START: &[(&str, &str)] = &[
    ("Cargo.toml", "[dependencies]\nsqlx = { version = \"0.8\", features = [\"postgres\"] }\n"),
    (
        "migrations/20250101000000_users.sql",
        "CREATE TABLE users (\n  id bigserial PRIMARY KEY,\n  full_name text NOT NULL,\n  nick_name varchar(40)\n);\n",
    ),
    ("src/main.rs", "fn main() {\n    sqlx::query(\"SELECT id, full_name, nick_name FROM users\");\n}\n"),
];

const DROP: (&str, &str) =
    ("migrations/20250102000000_drop.sql", "-- no longer shown\nALTER TABLE users\n  DROP COLUMN nick_name;\n");

const UNUSED: (&str, &str) =
    ("src/main.rs", "fn main() {\n    sqlx::query(\"SELECT id, full_name FROM users\");\n}\n");

impl Place {
    fn new() -> (Self, CommitId) {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::init(folder.path().join("shop.git"));
        let start = repo.commit(&[], "develop", START);
        (Self { _folder: folder, repo }, start)
    }

    fn commit(&self, on: CommitId, files: &[(&str, &str)]) -> CommitId {
        self.repo.commit(&[on], "develop", files)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.arg("check-migrations").args(args).arg("--repo").arg(&self.repo.dir);
        command.env_remove("TOWPATH_CONFIG").env_remove("TOWPATH_SERVER").stdin(Stdio::null()).output().unwrap()
    }

    /// The code it ended with, and what it printed; commits by their names.
    fn between(&self, base: CommitId, head: CommitId, more: &[&str]) -> (Option<i32>, String) {
        let (base, head) = (base.to_string(), head.to_string());
        let ran = self.run(&[&["--base", &base, "--head", &head], more].concat());
        let text = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
        (ran.status.code(), text.replace(&base[..8], "BASE").replace(&head[..8], "HEAD"))
    }
}

#[test]
fn a_drop_of_what_running_code_uses_is_shown_as_a_compiler_shows_an_error() {
    let (place, start) = Place::new();
    let head = place.commit(start, &[DROP, UNUSED]);
    let (code, text) = place.between(start, head, &[]);
    assert_eq!(code, Some(11), "{text}");
    assert_snapshot!(text);
}

#[test]
fn what_no_running_code_uses_may_go() {
    let (place, start) = Place::new();
    let switched = place.commit(start, &[UNUSED]);
    let head = place.commit(switched, &[DROP]);
    let (code, text) = place.between(switched, head, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("fine: migrations/20250102000000_drop.sql:3 "), "{text}");
    assert!(text.ends_with("compatible: 1 new migration; the code of BASE goes on working\n"), "{text}");
    // The same drop while the older code runs somewhere too.
    let old = start.to_string();
    let (code, text) = place.between(switched, head, &["--running", &switched.to_string(), "--running", &old]);
    assert_eq!(code, Some(11), "{text}");
    assert!(text.contains("src/main.rs:2"), "{text}");
}

#[test]
fn exit_codes_tell_the_verdicts_apart() {
    let (place, start) = Place::new();
    let file = |text| ("migrations/20250103000000_x.sql", text);
    for (sql, expected) in [
        ("ALTER TABLE users ADD COLUMN email text;\n", 0),
        ("ALTER TABLE users ADD COLUMN email text NOT NULL;\n", 11),
        ("DELETE FROM users WHERE id < 0;\n", 12),
        ("ALTER TABL users FROBNICATE;\n", 14),
        ("ALTER TABL users FROBNICATE;\nDELETE FROM users;\n", 14),
        ("ALTER TABL users FROBNICATE;\nALTER TABLE users RENAME TO people;\n", 11),
        ("", 0),
    ] {
        let head = place.commit(start, &[file(sql)]);
        let (code, text) = place.between(start, head, &[]);
        assert_eq!(code, Some(expected), "{sql}\n{text}");
    }
    let (code, text) = place.between(start, start, &[]);
    assert_eq!(
        (code, text.as_str()),
        (Some(0), "compatible: no new migrations; the code of BASE goes on working\n")
    );
}

#[test]
fn every_format_has_the_line_of_the_diff() {
    let (place, start) = Place::new();
    let head = place.commit(start, &[DROP, UNUSED]);
    let json = |format| -> Value {
        let (code, text) = place.between(start, head, &["-o", format]);
        assert_eq!(code, Some(11), "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    let report = json("json");
    assert_eq!((&report["schema_version"], &report["verdict"]), (&1.into(), &"incompatible".into()));
    let finding = &report["findings"][0];
    assert_eq!((&finding["rule"], &finding["line"]), (&"drop-column".into(), &3.into()));
    assert_eq!(finding["path"], DROP.0);
    assert_eq!(finding["evidence"][0]["hits"][0]["at"]["path"], "src/main.rs");

    let sarif = json("sarif");
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    let place_of = &result["locations"][0]["physicalLocation"];
    assert_eq!((&result["ruleId"], &result["level"]), (&"drop-column".into(), &"error".into()));
    assert_eq!(place_of["artifactLocation"]["uri"], DROP.0);
    assert_eq!(place_of["region"]["startLine"], 3);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));

    let gitlab = json("gitlab");
    assert_eq!(gitlab[0]["location"], serde_json::json!({ "path": DROP.0, "lines": { "begin": 3 } }));
    assert_eq!((&gitlab[0]["check_name"], &gitlab[0]["severity"]), (&"drop-column".into(), &"blocker".into()));
    assert_eq!(gitlab[0]["fingerprint"], result["partialFingerprints"]["towpath/v1"]);

    let (_, text) = place.between(start, head, &["-o", "github"]);
    let line = format!("::error file={},line=3,title=towpath%3A drop-column::", DROP.0);
    assert!(text.starts_with(&line) && text.lines().count() == 1, "{text}");
}

#[test]
fn a_branchs_past_is_judged_step_by_step() {
    let (place, start) = Place::new();
    let safe = place
        .commit(start, &[("migrations/20250101500000_email.sql", "ALTER TABLE users ADD COLUMN email text;\n")]);
    let code = place.commit(safe, &[("src/lib.rs", "// nothing\n")]);
    let early = place.commit(code, &[DROP, UNUSED]);
    let last = place.commit(
        early,
        &[("migrations/20250104000000_truncate.sql", "TRUNCATE users;\n"), ("README.md", "Hello\n")],
    );
    let ran = place.run(&["--history", "develop"]);
    let text = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0));
    let named = text.replace(&early.to_string()[..8], "EARLY").replace(&last.to_string()[..8], "LAST");
    assert!(named.starts_with("review: LAST 2023-11-14 Change "), "{named}");
    assert!(named.contains("refused: EARLY 2023-11-14 Change "), "{named}");
    assert!(named.contains("src/main.rs:2"), "{named}");
    let end = "3 of 4 steps changed migrations; 1 would have been refused, 1 would have needed review\n";
    assert!(named.ends_with(end), "{named}");
    let ran = place.run(&["--history", "develop", "--since", "90d"]);
    let text = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(text, "0 of 0 steps changed migrations; 0 would have been refused, 0 would have needed review\n");
    let ran = place.run(&["--history", "develop", "-o", "json"]);
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((&told["refused"], &told["steps"][1]["verdict"]), (&1.into(), &"incompatible".into()));
    assert_eq!(told["schema_version"], 1);
}

#[test]
fn what_is_asked_wrongly_is_said_with_what_would_be_right() {
    let (place, start) = Place::new();
    let at = start.to_string();
    for (args, code, says) in [
        (&["--base", "nowhere", "--head", &at][..], 1, "`nowhere` is no commit of this repository"),
        (&["--base", &at, "--head", "develop\u{1b}[31m"], 1, "is no commit of this repository"),
        (&["--base", &at], 2, "--head"),
        (&[], 2, "--base"),
        (&["--base", &at, "--head", &at, "--framework", "hibernate"], 2, "flyway"),
        (&["--base", &at, "--head", &at, "--dialect", "db2"], 2, "postgres, mysql, sqlite, mssql, oracle"),
        (&["--base", &at, "--head", &at, "--schema", "/nowhere.sql"], 1, "`/nowhere.sql` cannot be read"),
        (&["--base", &at, "--head", &at, "--framework", "rails"], 1, "`--framework rails` finds no migrations"),
        (&["--base", &at, "--head", &at, "--path", "db/mig"], 1, "`--path db/mig` finds no migrations"),
        (&["--history", "develop", "-o", "sarif"], 2, "prints text or JSON"),
        (&["--history", "develop", "--base", &at], 2, "cannot be used with"),
    ] {
        let ran = place.run(args);
        let text = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(code), "{args:?}: {text}");
        assert!(text.contains(says) && !text.contains('\u{1b}'), "{args:?}: {text}");
    }
    let nothing = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
    let folder = nothing.path().to_str().unwrap();
    let ran = command.args(["check-migrations", "--history", "--repo", folder]).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let text = String::from_utf8(ran.stderr).unwrap();
    assert!(text.contains("is no git repository") && text.contains("--repo DIR"), "{text}");
}

#[test]
fn hostile_names_and_texts_act_on_no_terminal() {
    let (place, start) = Place::new();
    let name = "migrations/20250105000000_\u{202e}\u{1b}[31mx.sql";
    let sql = "ALTER TABLE users DROP COLUMN nick_name; -- \u{1b}]0;owned\u{7} \u{202e}\n";
    let head = place.commit(start, &[(&format!("\"{}\"", name.replace('\u{1b}', "\\033")), sql)]);
    for format in ["text", "github"] {
        let (_, text) = place.between(start, head, &["-o", format]);
        assert!(text.contains("drop-column"), "{text:?}");
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
}

#[test]
fn the_rules_are_listed_with_their_reasons() {
    let (place, _) = Place::new();
    let ran =
        Command::new(env!("CARGO_BIN_EXE_towpath")).args(["check-migrations", "--list-rules"]).output().unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(text.starts_with("drop-column: ") && text.contains("    > "), "{text}");
    drop(place);
}

#[test]
fn what_people_accepted_passes_and_the_entry_for_it_is_printed() {
    let (place, start) = Place::new();
    let head = place.commit(start, &[DROP, UNUSED]);
    let (code, entry) = place.between(start, head, &["--acceptances"]);
    assert_eq!(code, Some(11), "{entry}");
    assert_snapshot!(entry);
    let filled = entry
        .replace("reason = \"\"", "reason = \"the page that showed it is gone\"")
        .replace("who = \"\"", "who = \"ana\"")
        .replace("until =", "until = 2099-01-31");
    let accepted = |text: &str| place.commit(head, &[(".towpath/accepted.toml", text)]);
    let (code, text) = place.between(start, accepted(&filled), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(" (accepted by ana: the page that showed it is gone)\n"), "{text}");
    // A day that is over, another content, an entry that cannot be read.
    for (changed, says) in [
        (filled.replace("2099", "2019"), ""),
        (filled.replace("blob = \"", "blob = \"0"), ""),
        (
            filled.replace("who = \"ana\"\n", ""),
            ".towpath/accepted.toml:2: nothing in it is accepted: missing field `who`\n",
        ),
    ] {
        let (code, text) = place.between(start, accepted(&changed), &[]);
        assert!(code == Some(11) && text.ends_with(says), "{code:?} {text}");
    }
}
