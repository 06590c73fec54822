//! Towpath beside a team's script, with the real binary, real git and a real store: passes in observe
//! mode, a shell script that moves the branches, and then what `compare` says.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;
use towpath_core::model::CommitId;

use crate::support::git_fixture::Repo;

const CONFIG: &str = r#"
[service]
mode = "MODE"

[[flow]]
repository = "shop.git"
name = "shop"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
[[flow.environment]]
name = "production"
branch = "master"
gates.lag = "30m"
"#;

/// What a team has: a script that cron calls. Two arguments: a branch and where it goes.
const SCRIPT: &str = "#!/bin/sh\nset -e\ngit --git-dir=shop.git update-ref \"refs/heads/$1\" \"$2\"\n";

struct Place {
    folder: TempDir,
    repo: Repo,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::init(folder.path().join("shop.git"));
        let place = Self { folder, repo };
        let root = place.repo.commit(&[], "develop", &[("a", "1")]);
        place.repo.set("staging", root);
        place.repo.set("master", root);
        fs::write(place.path().join("promote.sh"), SCRIPT).unwrap();
        place.mode("observe");
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn mode(&self, mode: &str) {
        fs::write(self.path().join("towpath.toml"), CONFIG.replace("MODE", mode)).unwrap();
    }

    fn commit(&self, text: &str) -> CommitId {
        let tip = self.repo.tip("develop").unwrap();
        self.repo.commit(&[tip], "develop", &[("a", text)])
    }

    /// The team's script.
    fn script(&self, branch: &str, to: CommitId) {
        let ran = Command::new("sh")
            .args(["promote.sh", branch, &to.to_string()])
            .current_dir(self.path())
            .stdin(Stdio::null())
            .status();
        assert!(ran.unwrap().success());
    }

    fn towpath(&self, args: &[&str]) -> String {
        let out = Command::new(env!("CARGO_BIN_EXE_towpath")).args(args).current_dir(self.path()).output().unwrap();
        let (text, words) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success(), "{args:?}: {text}{words}");
        text.into_owned()
    }

    fn tips(&self) -> [Option<CommitId>; 3] {
        ["develop", "staging", "master"].map(|branch| self.repo.tip(branch))
    }
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Letters for commits, and one word for every time and span.
fn normal(text: &str, commits: &[CommitId]) -> String {
    let mut text = text.to_owned();
    for (at, commit) in commits.iter().enumerate() {
        let letter = char::from(b'A' + u8::try_from(at).unwrap());
        text = text.replace(&commit.short(), &letter.to_string());
    }
    let words = text.split(' ').map(|word| {
        let body = word.trim_matches(|c: char| "();,:\n".contains(c));
        let clock = body.len() == 5 && body.as_bytes()[2] == b':';
        let span = body.len() > 1
            && body.ends_with(['s', 'm'])
            && body[..body.len() - 1].bytes().all(|b| b.is_ascii_digit());
        match () {
            () if clock => word.replace(body, "TIME"),
            () if span => word.replace(body, "SPAN"),
            () => word.to_owned(),
        }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    // Near midnight a time of tomorrow has its day.
    let text = DAYS.iter().fold(text, |mut text, day| {
        while let Some((before, after)) = text.split_once(&format!("at {day} ")) {
            text = format!("{before}at {}", after.splitn(3, ' ').nth(2).unwrap_or_default());
        }
        text
    });
    // What is of this very second reads otherwise.
    text.replace("(now)", "(SPAN ago)")
}

#[test]
fn a_week_beside_a_script_is_told_move_by_move() {
    let place = Place::new();
    let run = || place.towpath(&["run"]);
    run();
    let a = place.repo.tip("develop").unwrap();
    let b = place.commit("2");
    run();
    place.script("staging", b);
    run();
    // Production half an hour too early.
    place.script("master", b);
    run();
    // A hotfix on production alone, and back again.
    let hotfix = place.repo.commit(&[b], "master", &[("b", "fix")]);
    run();
    place.script("master", b);
    run();
    // Two commits that nobody moves.
    let c = place.commit("3");
    let d = place.commit("4");
    let before = place.tips();
    run();
    assert_eq!(place.tips(), before, "a pass in observe mode moves nothing");
    let said = place.towpath(&["compare", "shop"]);
    insta::assert_snapshot!(normal(&said, &[a, b, hotfix, c, d]), @r"
    shop: in SPAN since the first look: 4 moves by hand, 1 as Towpath would have, 1 earlier, 2 against it; 1 not yet made
      Times are those of looks: a move is seen at the first look after it; the last was at TIME UTC (SPAN ago). Moves within SPAN of each other agree
      ~ staging (observing only): 1 move by hand, 1 as Towpath would have; 1 not yet made
          + agreed TIME UTC (SPAN ago): `A` -> `B`, as Towpath would have SPAN before that look
          ~ NOT YET Towpath would move to `E` since TIME UTC (SPAN ago); nobody has
      ! production (observing only): 3 moves by hand, 1 earlier, 2 against it
          ~ EARLIER TIME UTC (SPAN ago): `A` -> `B`; at that look: the lag of SPAN counts from TIME UTC (SPAN ago), when the commit came onto `staging`; it is over at TIME UTC (in SPAN)
          ! AGAINST TIME UTC (SPAN ago): `B` -> `C`; `staging` does not have that commit
          ! AGAINST TIME UTC (SPAN ago): `C` -> `B`, back; Towpath goes back only when told to
    ");

    let json: Json = serde_json::from_str(&place.towpath(&["compare", "shop", "-o", "json"])).unwrap();
    assert_eq!(json["counts"]["moves"], 4);
    assert_eq!(json["counts"]["against"], 2);
    assert_eq!(json["edges"][1]["moves"][0]["class"], "earlier");
    assert_eq!(json["edges"][1]["moves"][0]["moved"]["new"], b.to_string());
    assert_eq!(json["edges"][0]["not_yet"]["now"]["new"], d.to_string());
    // What a server sends is read back whole, whatever the class of a move.
    let mut sent = json.clone();
    sent.as_object_mut().unwrap().remove("schema_version");
    let read: towpath::views::Compare = serde_json::from_value(json).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), sent);
    let history = place.towpath(&["history", "--export"]);
    assert!(!history.contains("\"what\":\"intent\"") && !history.contains("\"what\":\"effect\""), "{history}");

    // From here on it acts, and does not bring back what people took away.
    let kept = place.repo.tip("master");
    place.mode("act");
    run();
    assert_eq!(place.repo.tip("staging"), Some(d));
    assert_eq!(place.repo.tip("master"), kept);
    let after = place.towpath(&["compare", "shop"]);
    assert!(after.contains("4 moves by hand") && after.contains("Towpath itself moved it once"), "{after}");
}
