//! The process of its own that answers the gate's questions: what it answers, and what is told when it dies,
//! hangs, talks nonsense or wants too much.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use towpath::migrations::{Bounds, Checker, Question, Told};
use towpath_compat::Verdict;
use towpath_core::model::CommitId;

use crate::support::git_fixture::Repo;

const BOUNDS: Bounds = Bounds { memory: 1 << 30, processor: 60 };

const PATIENT: Duration = Duration::from_secs(60);

const START: (&str, &str) =
    ("db/migration/V1__users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, nick text);\n");

const USES: (&str, &str) = ("app/users.py", "cursor.execute(\"SELECT nick FROM users\")\n");

const DROPS: (&str, &str) = ("db/migration/V2__drop.sql", "ALTER TABLE users DROP COLUMN nick;\n");

struct Place {
    folder: TempDir,
    repo: Repo,
    base: CommitId,
    head: CommitId,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::init(folder.path().join("shop.git"));
        let base = repo.commit(&[], "develop", &[START, USES]);
        let head = repo.commit(&[base], "develop", &[DROPS]);
        Self { folder, repo, base, head }
    }

    fn question(&self, head: CommitId) -> Question {
        Question {
            base: vec![self.base.to_string()],
            head: head.to_string(),
            running: self.base.to_string(),
            framework: None,
            dialect: Some("postgres".to_owned()),
            schema: None,
            paths: Vec::new(),
        }
    }

    /// A program that is not ours. What it is asked comes in on its input; `started` gets a line each time.
    fn program(&self, script: &str) -> PathBuf {
        let path = self.folder.path().join("program");
        let started = self.folder.path().join("started");
        let towpath = env!("CARGO_BIN_EXE_towpath");
        let text = format!("#!/bin/sh\nTOWPATH={towpath}\necho x >> {}\n{script}\n", started.display());
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn started(&self) -> usize {
        fs::read_to_string(self.folder.path().join("started")).unwrap_or_default().lines().count()
    }

    async fn ask(&self, checker: &Checker, questions: &[Question], now: i64) -> Vec<String> {
        checker.ask(&self.repo.dir, questions, now).await.iter().map(brief).collect()
    }
}

fn brief(told: &Told) -> String {
    match told {
        Ok(report) => match report.verdict() {
            Verdict::Compatible => "compatible".to_owned(),
            Verdict::NeedsReview => "review".to_owned(),
            Verdict::Incompatible => format!("breaks {}", report.findings[0].object),
        },
        Err(why) => {
            if why.lasting {
                format!("lasting: {}", why.words)
            } else {
                why.words.clone()
            }
        }
    }
}

fn towpath() -> PathBuf {
    env!("CARGO_BIN_EXE_towpath").into()
}

#[tokio::test]
async fn several_questions_are_answered_in_order_and_once() {
    let place = Place::new();
    let script = "exec \"$TOWPATH\" \"$@\"";
    let checker = Checker::with(place.program(script), PATIENT, BOUNDS);
    let nothing = Question { framework: Some("rails".to_owned()), ..place.question(place.head) };
    let gone = Question { head: "1".repeat(40), ..place.question(place.head) };
    let questions =
        [place.question(place.head), place.question(place.base), nothing, gone, place.question(place.head)];
    let told = place.ask(&checker, &questions, 0).await;
    let missing = format!("lasting: `{}` is no commit of this repository", "1".repeat(40));
    let none = "lasting: `framework = \"rails\"` of `gates.migrations` finds no migrations";
    assert_eq!(told, ["breaks users.nick", "compatible", none, &missing, "breaks users.nick"]);
    assert_eq!(place.started(), 1);
    // Known by now; what could not be answered is asked again after a while.
    fs::remove_file(place.folder.path().join("program")).unwrap();
    assert_eq!(place.ask(&checker, &questions, 599_999).await, told);
    let later = place.ask(&checker, &questions, 600_000).await;
    assert_eq!((&later[..2], &later[4..]), (&told[..2], &told[4..]));
    assert!(later[2].starts_with("it could not be started: ") && later[3] == later[2], "{later:?}");
}

#[tokio::test]
async fn a_process_that_dies_takes_one_question_along_and_no_other() {
    let place = Place::new();
    // It answers one question and is killed over the next.
    let script = "read bounds; read one; printf '%s\\n%s\\n' \"$bounds\" \"$one\" | \"$TOWPATH\" \"$@\"; read two && kill -9 $$";
    let checker = Checker::with(place.program(script), PATIENT, BOUNDS);
    let (head, base) = (place.question(place.head), place.question(place.base));
    let third = Question { dialect: Some("mysql".to_owned()), ..place.question(place.head) };
    let told = place.ask(&checker, &[head, base.clone(), third], 0).await;
    assert_eq!(told, ["breaks users.nick", "it was ended by signal 9", "breaks users.nick"]);
    assert_eq!(place.started(), 2);
    assert_eq!(place.ask(&checker, &[base], 1).await, ["it was ended by signal 9"]);
    assert_eq!(place.started(), 2, "it rests");
}

#[tokio::test]
async fn what_hangs_talks_nonsense_or_complains_is_told_as_such() {
    let place = Place::new();
    for (script, says) in [
        ("sleep 600", "it took longer than 1 s and was stopped"),
        ("echo nonsense", "its answer cannot be read: expected"),
        ("echo '{\"report\":{\"schema_version\":9}}'", "its answer cannot be read: missing field"),
        ("head -c 20000000 /dev/zero", "lasting: what it found is longer than 16 MiB"),
        ("exit 0", "it ended with exit code 0"),
        ("echo one >&2; echo 'error: two' >&2; exit 3", "it ended with exit code 3: error: two"),
        ("kill -s ABRT $$", "it gave up, perhaps for want of memory (signal 6)"),
        ("kill -s XCPU $$", "it needed more processor time than it may"),
    ] {
        let deadline = if script.starts_with("sleep") { Duration::from_secs(1) } else { PATIENT };
        let checker = Checker::with(place.program(script), deadline, BOUNDS);
        let told = place.ask(&checker, &[place.question(place.head)], 0).await;
        assert!(told[0].starts_with(says), "{script}: {told:?}");
    }
    let checker = Checker::with(Path::new("/nowhere/towpath").into(), PATIENT, BOUNDS);
    let told = place.ask(&checker, &[place.question(place.head)], 0).await;
    assert!(told[0].starts_with("it could not be started: "), "{told:?}");
}

#[tokio::test]
async fn it_may_use_so_much_and_no_more() {
    let place = Place::new();
    let mut text = String::new();
    for n in 0..30_000 {
        text.push_str(&format!("INSERT INTO users (id, nick) VALUES ({n}, 'somebody');\n"));
    }
    let many = place.repo.commit(&[place.base], "develop", &[("db/migration/V2__many.sql", &text)]);
    let question = [place.question(many)];
    let told = |bounds| {
        let (place, question) = (&place, &question);
        async move { place.ask(&Checker::with(towpath(), PATIENT, bounds), question, 0).await.remove(0) }
    };
    assert_eq!(told(BOUNDS).await, "compatible");
    let little = told(Bounds { memory: 16 << 20, ..BOUNDS }).await;
    assert!(little.starts_with("it gave up, perhaps for want of memory"), "{little}");
    // A second is the least that can be said; the processor is kept busy by forty such files.
    let more: Vec<(String, &str)> =
        (0..40).map(|n| (format!("db/migration/V{}__many.sql", n + 3), &*text)).collect();
    let files: Vec<(&str, &str)> = more.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let busy = place.repo.commit(&[many], "develop", &files);
    let checker = Checker::with(towpath(), PATIENT, Bounds { processor: 1, ..BOUNDS });
    let told = place.ask(&checker, &[place.question(busy)], 0).await;
    assert_eq!(told, ["it needed more processor time than it may"]);
}

/// A config that names the gate, and the program itself: it is found and asked without a word in the config.
#[test]
fn the_program_asks_itself() {
    let place = Place::new();
    place.repo.set("production", place.base);
    let env = "[[flow.environment]]\nname = ";
    let config = format!(
        "[[flow]]\nname = \"shop\"\nrepository = \"shop.git\"\n{env}\"develop\"\n{env}\"production\"\n\
         database = \"main\"\nsettle = \"0s\"\ngates.migrations = {{ dialect = \"postgres\" }}\n"
    );
    fs::write(place.folder.path().join("towpath.toml"), config).unwrap();
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(towpath());
        command.args(args).current_dir(place.folder.path()).env_remove("TOWPATH_CONFIG");
        let ran = command.output().unwrap();
        String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap()
    };
    let said = run(&["run"]);
    assert!(said.contains("V2__drop.sql:1") && said.contains("app/users.py:1"), "{said}");
    assert_eq!(place.repo.tip("production"), Some(place.base));
    let head = place.head.to_string();
    let said = run(&["override", "migrations", "shop", "production", &head, "--reason", "nobody opens the page"]);
    assert!(
        said.contains(
            "It accepts this, and whatever else is found is judged anew:\n- `db/migration/V2__drop.sql:1`"
        ),
        "{said}"
    );
    let said = run(&["run"]);
    assert_eq!(place.repo.tip("production"), Some(place.head), "{said}");
}
