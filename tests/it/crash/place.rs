//! The stage of every case: remote, config, store, and what has to hold at the end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value as Json;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

/// The environments that commits enter, and their branches.
pub const TARGETS: [&str; 2] = ["staging", "production"];

/// Longer than a push may still land after it began.
pub const DEADLINE: i64 = 121;

/// From where to where a branch moved.
pub type Move = (String, String);

/// Whether commits need checks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Gates {
    /// `build` and `test` have to be green.
    Ci,
    /// Everything passes.
    None,
}

/// How a process ended and what it said.
pub struct Ran {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

pub struct Place {
    folder: TempDir,
    /// The ids of messages told, with repetitions.
    told: RefCell<Vec<String>>,
    /// How many lines the reflogs had when the stage was set.
    before: BTreeMap<String, usize>,
    /// The commits of the start.
    pub c: [String; 3],
}

impl Place {
    pub fn new(gates: Gates) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Self { folder, told: RefCell::default(), before: BTreeMap::new(), c: Default::default() };
        let remote = place.remote();
        git(place.path(), &["init", "-q", "--bare", "-b", "develop", remote.to_str().unwrap()]);
        place.git(&["config", "core.logAllRefUpdates", "always"]);
        for at in 0..3 {
            place.c[at] = place.commit(&format!("Commit {at}"));
        }
        for (branch, at) in [("staging", 1), ("production", 0)] {
            place.git(&["update-ref", &format!("refs/heads/{branch}"), &place.c[at]]);
        }
        fs::write(place.path().join("towpath.toml"), config(gates)).unwrap();
        place.before = TARGETS.iter().map(|b| ((*b).to_owned(), place.reflog(b).len())).collect();
        if gates == Gates::Ci {
            place.ok(&["run"]);
            assert!(place.moves("staging").is_empty(), "nothing moves before CI was reported");
            for commit in place.c.clone() {
                place.green(&commit);
            }
        }
        place
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn remote(&self) -> PathBuf {
        self.path().join("shop.git")
    }

    pub fn git(&self, args: &[&str]) -> String {
        git(&self.remote(), args)
    }

    /// A new commit at the tip of `develop`.
    pub fn commit(&self, subject: &str) -> String {
        let tree = self.git(&["hash-object", "-w", "-t", "tree", "/dev/null"]);
        let tip = self.git(&["for-each-ref", "--format=%(objectname)", "refs/heads/develop"]);
        let mut args = vec!["commit-tree", &tree, "-m", subject];
        if !tip.is_empty() {
            args.extend(["-p", &tip]);
        }
        let commit = self.git(&args);
        self.git(&["update-ref", "refs/heads/develop", &commit]);
        commit
    }

    pub fn green(&self, commit: &str) {
        for check in ["build", "test"] {
            self.ok(&["report", "shop", commit, check, "success"]);
        }
    }

    /// Puts an executable hook into the remote.
    pub fn hook(&self, name: &str, script: &str) {
        let path = self.remote().join("hooks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
    }

    /// How many lines a hook has written to this file in the remote.
    pub fn lines(&self, name: &str) -> usize {
        fs::read_to_string(self.remote().join(name)).map_or(0, |text| text.lines().count())
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_towpath"));
        command.args(args);
        self.dress(&mut command);
        command
    }

    /// Gives a command our folder, its variables, and pipes to read.
    pub fn dress(&self, command: &mut Command) {
        command.current_dir(self.path()).env("TOWPATH_LOG", "info");
        command.env_remove("TOWPATH_CONFIG").env_remove("TOWPATH_CRASH_AT");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    pub fn ended(&self, child: Child) -> Ran {
        self.heard(&child.wait_with_output().unwrap())
    }

    fn heard(&self, output: &Output) -> Ran {
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        let told = err.lines().filter(|line| line.contains(": told ") && line.contains("landed"));
        let id = |line: &str| line.split_once("id=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        self.told.borrow_mut().extend(told.map(id));
        Ran { status: output.status, out: String::from_utf8_lossy(&output.stdout).into_owned(), err }
    }

    /// Runs it to its end, whatever that is.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.ended(self.start(args))
    }

    /// Runs it; it must succeed.
    pub fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert!(ran.status.success(), "{args:?}: {}\n{}\n{}", ran.status, ran.out, ran.err);
        ran
    }

    /// Runs it; it must die at this crash point, by SIGKILL. One that is never reached is a failure.
    pub fn dies(&self, args: &[&str], at: &str) {
        let child = self.command(args).env("TOWPATH_CRASH_AT", at).spawn().unwrap();
        let ran = self.ended(child);
        let (out, err) = (&ran.out, &ran.err);
        assert_eq!(ran.status.signal(), Some(9), "{at} was not reached by {args:?}\n{out}\n{err}");
    }

    pub fn tip(&self, branch: &str) -> String {
        self.git(&["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{branch}")])
    }

    fn reflog(&self, branch: &str) -> Vec<Move> {
        let text = fs::read_to_string(self.remote().join("logs/refs/heads").join(branch)).unwrap();
        let of = |line: &str| (line[..40].to_owned(), line[41..81].to_owned());
        text.lines().map(of).collect()
    }

    /// How the branch moved since the stage was set, as the remote has it.
    pub fn moves(&self, branch: &str) -> Vec<Move> {
        self.reflog(branch).split_off(self.before[branch])
    }

    /// The rows of the export, oldest first.
    pub fn export(&self) -> Vec<Json> {
        let out = self.ok(&["history", "--export"]).out;
        out.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The standing orders as the store has them.
    pub fn standing(&self) -> Json {
        let out = self.ok(&["status", "-o", "json"]).out;
        let status: Json = serde_json::from_str(&out).unwrap();
        status["flows"][0]["standing"].clone()
    }

    /// The intents that have not ended.
    pub fn open(&self) -> Vec<Json> {
        let open = |row: &Json| matches!(row["row"]["state"].as_str(), Some("saved" | "pushing"));
        self.export().into_iter().filter(|row| row["what"] == "intent" && open(row)).collect()
    }

    /// Waits until no process of this case runs any more: a push outlives its killed caller.
    pub fn quiet(&self) {
        let mark = self.path().to_str().unwrap().as_bytes().to_owned();
        let busy = || {
            fs::read_dir("/proc").unwrap().flatten().any(|entry| {
                let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                line.windows(mark.len()).any(|window| window == mark)
            })
        };
        for _ in 0..1_000 {
            if !busy() {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("processes of {} do not end", self.path().display());
    }

    /// Lets the store's trusted clock pass, so that what waits for it need not be waited for.
    pub fn age(&self, seconds: i64) {
        self.quiet();
        self.age_now(seconds);
    }

    /// The same while a push is still under way.
    pub fn age_now(&self, seconds: i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let file = SqliteConnectOptions::new().filename(self.path().join("towpath.db"));
            let mut store = file.connect().await.unwrap();
            let sql = "UPDATE clock SET trusted = trusted + ?1";
            let done = sqlx::query(sql).bind(seconds * 1_000).execute(&mut store).await.unwrap();
            assert_eq!(done.rows_affected(), 1);
            sqlx::Connection::close(store).await.unwrap();
        });
    }

    /// Passes until every branch is where `develop` is.
    pub fn settle(&self) {
        let develop = self.tip("develop");
        let arrived = || TARGETS.iter().all(|branch| self.tip(branch) == develop);
        for _ in 0..8 {
            self.quiet();
            if !self.open().is_empty() {
                self.age(DEADLINE);
            }
            for env in TARGETS {
                // Where nothing was refused, this is refused.
                self.run(&["retry", "shop", env]);
            }
            let ran = self.ok(&["run"]);
            assert!(!ran.out.contains("another process"), "a dead process's lease stands: {}", ran.out);
            if arrived() && self.open().is_empty() {
                // What landed in the last pass was told in it; nothing more may happen now.
                self.ok(&["run"]);
                return;
            }
        }
        panic!("it does not settle: {}", self.ok(&["status"]).out);
    }

    /// Everything that always holds once nothing runs. `twice`: how many messages may have been
    /// told two times.
    pub fn sound(&self, twice: usize) {
        let export = self.export();
        let rows = |what: &str| -> Vec<Json> {
            export.iter().filter(|row| row["what"] == what).map(|row| row["row"].clone()).collect()
        };
        let (intents, effects) = (rows("intent"), rows("effect"));
        for branch in TARGETS {
            let text = |row: &Json, key: &str| row[key].as_str().unwrap().to_owned();
            let recorded: Vec<Move> = effects
                .iter()
                .filter(|row| row["env"] == branch)
                .map(|row| (text(row, "old"), text(row, "new")))
                .collect();
            let moved = self.moves(branch);
            assert_eq!(moved, recorded, "moves and effects of {branch} differ: {export:#?}");
            for pair in moved.windows(2) {
                assert_eq!(pair[0].1, pair[1].0, "{branch} moved without a trace");
            }
            if let Some(last) = moved.last() {
                assert_eq!(last.1, self.tip(branch), "{branch} moved without a trace");
            }
        }
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for id in self.told.borrow().iter() {
            *told.entry(id.clone()).or_default() += 1;
        }
        for effect in &effects {
            let id = effect["intent"].as_str().unwrap();
            let of: Vec<&Json> = intents.iter().filter(|row| row["id"] == id).collect();
            assert_eq!(of.len(), 1, "{effect}");
            assert_eq!(of[0]["state"], "landed", "{effect}");
            assert!(told.contains_key(&format!("{id}/log")), "never told: {effect}");
        }
        let landed = intents.iter().filter(|row| row["state"] == "landed").count();
        assert_eq!(landed, effects.len(), "a landing for each effect: {intents:#?}");
        assert_eq!(told.len(), effects.len(), "a message for each effect: {told:?}");
        assert!(told.values().all(|count| *count <= 2), "{told:?}");
        assert_eq!(told.values().filter(|count| **count == 2).count(), twice, "{told:?}");
        let open = |row: &&Json| matches!(row["state"].as_str(), Some("saved" | "pushing"));
        assert_eq!(intents.iter().filter(open).count(), 0, "{intents:#?}");
    }

    /// How many messages were told more than once, where chance decides.
    pub fn doubled(&self) -> usize {
        let told = self.told.borrow();
        let mut unique: Vec<&String> = told.iter().collect();
        unique.sort();
        unique.dedup();
        told.len() - unique.len()
    }
}

fn config(gates: Gates) -> String {
    let gate = if gates == Gates::Ci { "gates.ci = { checks = [\"build\", \"test\"] }\n" } else { "" };
    let env = |name: &str| format!("[[flow.environment]]\nname = \"{name}\"\nrollback = true\n{gate}\n");
    format!(
        "[service]\nstore = \"sqlite:towpath.db\"\n\n[[flow]]\nrepository = \"shop.git\"\nname = \"shop\"\n\
         zone = \"UTC\"\n\n[[flow.environment]]\nname = \"develop\"\n\n{}{}",
        env("staging"),
        env("production")
    )
}

pub fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ana").env(format!("GIT_{who}_EMAIL"), "ana@example.com");
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A small generator; the same seed gives the same numbers.
pub struct Seed(pub u64);

impl Seed {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    pub fn sleep(&mut self, max_ms: u64) {
        sleep(Duration::from_millis(self.below(max_ms)));
    }
}
