//! The card for whoever is on call: every command on it, as it stands there, in the order in which it stands there.

use std::path::Path;
use std::process::{Command, Stdio};

use towpath_core::model::CommitId;

use crate::config::root;
use crate::serve::place::{Service, wait};
use crate::support::git_fixture::Repo;

/// What each command answers, in the order of the card.
const ANSWERS: [(&str, &[&str]); 6] = [
    ("towpath status", &["production: up to date"]),
    ("towpath explain shop production", &["has everything that `develop` has"]),
    ("towpath pause all --reason", &["is paused until", "checkout fails"]),
    ("towpath hold ", &["are held back", "charges twice"]),
    (
        "towpath rollback shop production --reason",
        &["goes back from", "towpath unhold", "towpath resume shop production"],
    ),
    ("towpath resume all", &["Lifted the pause of every flow", "Lifted the pause of `production`"]),
];

fn towpath(folder: &Path, words: &[String]) -> (Option<i32>, String) {
    towpath_with(folder, words, "")
}

/// The same with a token.
fn towpath_with(folder: &Path, words: &[String], token: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
    command.args(words).current_dir(folder).env_remove("TOWPATH_CONFIG").env_remove("TOWPATH_SERVER");
    command.env_remove("TOWPATH_TOKEN");
    if !token.is_empty() {
        command.env("TOWPATH_TOKEN", token);
    }
    let out = command.stdin(Stdio::null()).output().expect("it runs");
    let said = [out.stdout, out.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat();
    (out.status.code(), said)
}

/// A line of a shell: words, and text in double quotes.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

/// A flow whose production has moved once: from where, and to where.
fn moved(more: &str) -> (tempfile::TempDir, Repo, [CommitId; 2]) {
    let place = tempfile::tempdir().expect("a folder");
    let repo = Repo::init(place.path().join("shop.git"));
    let zero = repo.commit(&[], "develop", &[("f", "0")]);
    repo.set("production", zero);
    let config = "[[flow]]\nname = \"shop\"\nrepository = \"shop.git\"\n[[flow.environment]]\nname = \"develop\"\n\
                  [[flow.environment]]\nname = \"production\"\nrollback = true\n";
    std::fs::write(place.path().join("towpath.toml"), format!("{more}{config}")).expect("written");
    let run = || assert_eq!(towpath(place.path(), &["run".to_owned()]).0, Some(0));
    run();
    let one = repo.commit(&[zero], "develop", &[("f", "1")]);
    run();
    assert_eq!(repo.tip("production"), Some(one));
    (place, repo, [zero, one])
}

#[test]
fn every_command_of_the_card_does_what_it_says() {
    let card = std::fs::read_to_string(root().join("docs/on-call.md")).expect("the card");
    assert!(card.contains("Killing the process is always safe"));
    assert!(card.lines().count() <= 60, "it is one screen");
    let commands: Vec<&str> = card.lines().filter(|line| line.starts_with("towpath ")).collect();

    let (place, repo, [zero, one]) = moved("");
    let run = || assert_eq!(towpath(place.path(), &["run".to_owned()]).0, Some(0));

    assert_eq!(commands.len(), ANSWERS.len(), "{commands:#?}");
    for (line, (begins, answers)) in commands.iter().zip(ANSWERS) {
        assert!(line.starts_with(begins), "{line}");
        let here = line.replace("3f9c2d1", &one.to_string()[..7]);
        let (code, said) = towpath(place.path(), &words(&here)[1..]);
        assert_eq!(code, Some(0), "{here}: {said}");
        for answer in answers {
            assert!(said.contains(answer), "{here} does not say {answer:?}: {said}");
        }
    }
    assert_eq!(repo.tip("production"), Some(zero), "it was rolled back");
    // What the card says of afterwards: what was taken back and what was held stay where they are.
    run();
    assert_eq!(repo.tip("production"), Some(zero));
}

/// From elsewhere, as the card says: with `--server` and a token. Whoever is on call is an operator; a developer looks,
/// and is told whom to ask.
#[test]
fn the_card_holds_from_elsewhere_for_an_operator_and_for_nobody_below() {
    let card = std::fs::read_to_string(root().join("docs/on-call.md")).expect("the card");
    assert!(card.contains("`--server") && card.contains("`TOWPATH_TOKEN`") && card.contains("**operator**"));
    let people = "[service]\nlook = \"0 0 1 1 *\"\n[people.olga]\nrole = \"operator\"\nidentities = [\"token:olga\"]\n\
                  [people.dan]\nrole = \"developer\"\nidentities = [\"token:dan\"]\n";
    let (place, repo, [zero, one]) = moved(people);
    let token = |name: &str| {
        let words = ["token", "create", name, "--scope", "steer"].map(str::to_owned);
        let (code, said) = towpath(place.path(), &words);
        assert_eq!(code, Some(0), "{said}");
        said.lines()
            .find_map(|line| line.trim().starts_with("tow_").then(|| line.trim().to_owned()))
            .expect("a token")
    };
    let (olga, dan) = (token("olga"), token("dan"));
    let service = Service::start(place.path());
    let elsewhere = tempfile::tempdir().expect("a folder without a config");
    let server = format!("http://127.0.0.1:{}", service.port());
    let commands = card.lines().filter(|line| line.starts_with("towpath "));
    for (line, (_, answers)) in commands.zip(ANSWERS) {
        let here = line.replace("3f9c2d1", &one.to_string()[..7]);
        let all: Vec<String> =
            words(&here)[1..].iter().cloned().chain(["--server".to_owned(), server.clone()]).collect();
        let looks = ["status", "explain"].contains(&all[0].as_str());
        let (code, said) = towpath_with(elsewhere.path(), &all, &dan);
        assert_eq!(code, Some(if looks { 0 } else { 4 }), "{here}: {said}");
        assert_eq!(said.contains("takes an operator: ask `olga`"), !looks, "{here}: {said}");
        let (code, said) = towpath_with(elsewhere.path(), &all, &olga);
        assert_eq!(code, Some(0), "{here}: {said}");
        for answer in answers {
            assert!(said.contains(answer), "{here} does not say {answer:?}: {said}");
        }
    }
    wait("the rollback", || repo.tip("production") == Some(zero));
}

/// On the store of a place, as somebody else would.
fn on_the_store(place: &Path, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(place.join("towpath.db"));
        let mut store = sqlx::ConnectOptions::connect(&file).await.expect("a store");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut store).await.expect("done");
        sqlx::Connection::close(store).await.expect("closed");
    });
}

/// The store fails after the order is in it, before and after the push: what stands is said, and done later.
#[test]
fn a_rollback_that_breaks_off_says_what_stands_and_goes_on_later() {
    for (fails, is_pushed) in [("UPDATE ON intents", false), ("INSERT ON effects", true)] {
        let (place, repo, [zero, one]) = moved("");
        let full =
            format!("CREATE TRIGGER full BEFORE {fails} BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END");
        on_the_store(place.path(), &full);
        let (code, said) = towpath(place.path(), &words("rollback shop production --reason \"double charges\""));
        assert_eq!(code, Some(0), "{said}");
        for part in ["goes back from", "broke off: ", "disk is full", "stand all the same", "towpath run"] {
            assert!(said.contains(part), "{fails}: not {part:?}: {said}");
        }
        assert_eq!(repo.tip("production"), Some(if is_pushed { zero } else { one }), "{fails}");
        on_the_store(place.path(), "DROP TRIGGER full");
        let (_, status) = towpath(place.path(), &["status".to_owned()]);
        assert!(status.contains("double charges"), "{status}");
        assert_eq!(towpath(place.path(), &["run".to_owned()]).0, Some(0));
        assert_eq!(repo.tip("production"), Some(zero), "{fails}");
        let (_, history) = towpath(place.path(), &words("history shop"));
        assert_eq!(history.matches("was rolled back from").count(), 1, "{fails}: {history}");
    }
}

/// A refusal that is on record says where, in words and as JSON; what was only tried out, and what is no command, is on
/// none.
#[test]
fn a_recorded_refusal_carries_the_id_of_its_row() {
    let (place, _repo, [_, one]) = moved("");
    let rows = || -> Vec<String> {
        towpath(place.path(), &words("history --export")).1.lines().map(str::to_owned).collect()
    };
    let is_there = |id: &str| rows().iter().any(|row| row.contains(&format!("\"{id}\"")));
    let said = |line: &str| towpath(place.path(), &words(line)).1;
    for line in ["hold 0000000 shop --reason \"double charges\"", "approve shop nowhere 1234567"] {
        let before = rows().len();
        let text = said(line);
        let id = text.split("Recorded as ").nth(1).unwrap_or_else(|| panic!("{line}: {text}")).trim().to_owned();
        assert_eq!((rows().len(), is_there(&id)), (before + 1, true), "{line}: {id} {:#?}", rows());
        let json = said(&format!("{line} -o json"));
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert!(json["audit"].as_str().is_some_and(is_there), "{line}: {json}");
    }
    for line in ["hold 0000000 shop --reason \"double charges\" --dry-run", "hold x"] {
        let before = rows();
        assert!(!said(line).contains("Recorded as"), "{line}: {}", said(line));
        assert_eq!(rows(), before, "{line}");
    }
    let done = said(&format!("hold {} shop --reason \"double charges\"", &one.to_string()[..7]));
    assert_eq!(done.matches("Recorded as ").count(), 1, "{done}");
}
