//! Hooks in the remote: they kill processes in the middle of git's own transaction, sleep so that
//! the answer is lost, and refuse.
//!
//! The killing hook finds its victims by walking up its parents in `/proc`: receive-pack is its
//! parent; the child of `towpath` in that chain is `git push`, which leads a process group of its
//! own that receive-pack and the hook belong to; `towpath` itself is outside of that group.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::{Gates, Place};
use crate::crash::place::{DEADLINE, Ran};

/// Kills `victims` when git is at `state` of its first transaction on `staging`.
fn killer(state: &str, victims: &str) -> String {
    format!(
        r#"hit=
while read -r old new ref; do [ "$ref" = refs/heads/staging ] && hit=1; done
[ "$1" = {state} ] && [ -n "$hit" ] && [ ! -e killed ] || exit 0
: > killed
up() {{ sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f2; }}
server=$PPID; client=; towpath=; at=$PPID
while [ "$at" -gt 1 ]; do
  if [ "$(cat "/proc/$at/comm")" = towpath ]; then towpath=$at; break; fi
  client=$at; at=$(up "$at")
done
[ -n "$towpath" ] || {{ echo 'no towpath above this hook' >&2; exit 1; }}
{victims}
exit 0"#
    )
}

const TOWPATH: &str = "kill -9 $towpath";
const CLIENT: &str = "kill -9 $client";
const SERVER: &str = "kill -9 $server";
const PUSH: &str = "kill -9 -$client";
const ALL: &str = "kill -9 $towpath; kill -9 -$client";

fn locks(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(locks(&entry.path()));
        } else if entry.file_name().to_string_lossy().ends_with(".lock") {
            found.push(entry.path());
        }
    }
    found
}

fn killed(state: &str, victims: &str) -> (Place, Ran) {
    let place = Place::new(Gates::Ci);
    place.hook("reference-transaction", &killer(state, victims));
    let ran = place.run(&["run"]);
    assert!(place.remote().join("killed").exists(), "{victims} at {state}: the hook did not come to it");
    let dies = victims.contains("$towpath");
    assert_eq!(ran.status.code().is_none(), dies, "{victims} at {state}: {}", ran.status);
    place.quiet();
    (place, ran)
}

/// What is killed at `committed` has landed; so has what only loses its client.
#[test]
fn killed_where_it_lands_all_the_same() {
    for (state, victims) in [
        ("prepared", TOWPATH),
        ("prepared", CLIENT),
        ("committed", TOWPATH),
        ("committed", CLIENT),
        ("committed", SERVER),
        ("committed", PUSH),
        ("committed", ALL),
    ] {
        let (place, _) = killed(state, victims);
        assert_eq!(place.tip("staging"), place.c[2], "{victims} at {state}");
        place.ok(&["run"]);
        place.ok(&["run"]);
        assert_eq!(place.tip("production"), place.c[2], "{victims} at {state}");
        assert_eq!(place.moves("staging").len(), 1, "{victims} at {state}");
        place.sound(0);
    }
}

/// What is killed at `prepared` leaves git's lock file: the verdict shows git's words, nothing else
/// is held up, and with the lock gone `retry` is all it takes.
#[test]
fn killed_with_the_lock_taken() {
    for victims in [SERVER, PUSH, ALL] {
        let (place, _) = killed("prepared", victims);
        let stale = locks(&place.remote());
        assert_eq!(stale.len(), 1, "{victims}: {stale:?}");
        assert_eq!(place.tip("staging"), place.c[1], "{victims}");
        place.ok(&["run"]);
        assert!(place.ok(&["status"]).out.contains("may still land"), "{victims}");
        place.age(DEADLINE);
        place.ok(&["run"]);
        place.ok(&["run"]);
        let explained = || place.ok(&["explain", "shop", "staging"]).out;
        assert!(explained().contains("towpath retry shop staging"), "{victims}: {}", explained());
        place.ok(&["retry", "shop", "staging"]);
        place.ok(&["run"]);
        assert!(explained().contains("staging.lock"), "{victims}: {}", explained());
        assert_eq!(place.tip("production"), place.c[1], "{victims}: the other edge goes on");
        fs::remove_file(&stale[0]).unwrap();
        place.ok(&["retry", "shop", "staging"]);
        place.ok(&["run"]);
        place.ok(&["run"]);
        assert_eq!(place.tip("staging"), place.c[2], "{victims}");
        assert_eq!(place.tip("production"), place.c[2], "{victims}");
        place.sound(0);
    }
}

/// Waits until this is so, for ten seconds.
fn until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if so() {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("{what} did not come");
}

/// The branch has moved, the server is still busy, and nobody is there to hear its answer.
#[test]
fn the_answer_is_lost() {
    let place = Place::new(Gates::Ci);
    place.hook("post-receive", "sleep 3");
    let mut child = place.start(&["run"]);
    until("the first move", || place.tip("production") == place.c[1]);
    child.kill().unwrap();
    place.ended(child);
    // The old push is still alive here.
    fs::remove_file(place.remote().join("hooks/post-receive")).unwrap();
    place.ok(&["run"]);
    place.ok(&["run"]);
    for branch in ["staging", "production"] {
        assert_eq!(place.tip(branch), place.c[2]);
    }
    place.quiet();
    place.sound(0);
}

/// The push lands long after its caller was killed and others have looked: it is waited for, not
/// repeated, and recorded once.
#[test]
fn the_push_lands_later() {
    let place = Place::new(Gates::Ci);
    place.hook("pre-receive", "read -r old new ref; echo \"$ref\" >> begun; sleep 3");
    let mut child = place.start(&["run", "shop"]);
    until("the push", || place.lines("begun") == 1);
    child.kill().unwrap();
    place.ended(child);
    place.hook("pre-receive", "read -r old new ref; echo \"$ref\" >> begun");
    place.ok(&["run"]);
    assert_eq!(place.tip("production"), place.c[0], "it has not landed yet");
    assert_eq!(place.open().len(), 1);
    let begun = fs::read_to_string(place.remote().join("begun")).unwrap();
    assert_eq!(begun, "refs/heads/production\nrefs/heads/staging\n", "no second push on the same edge");
    until("the landing", || place.tip("production") == place.c[1]);
    place.ok(&["run"]);
    assert_eq!(place.tip("production"), place.c[2]);
    place.quiet();
    place.ok(&["run"]);
    place.sound(0);
}

/// It lands even after it was given up: recorded all the same.
#[test]
fn it_lands_after_it_was_given_up() {
    let place = Place::new(Gates::None);
    place.hook("pre-receive", "echo x >> begun; while [ ! -e go ]; do sleep 0.1; done");
    let mut child = place.start(&["run"]);
    until("the push", || place.lines("begun") == 1);
    child.kill().unwrap();
    place.ended(child);
    place.hook("pre-receive", "echo no >&2; exit 1");
    place.age_now(DEADLINE);
    let given_up = place.ok(&["run"]);
    let export = place.export();
    let state = |row: &&serde_json::Value| row["what"] == "intent" && row["row"]["env"] == "production";
    let first = export.iter().find(state).unwrap();
    assert_eq!(first["row"]["state"], "abandoned", "{}", given_up.out);
    assert_eq!(place.tip("production"), place.c[0]);
    fs::write(place.remote().join("go"), "").unwrap();
    until("the late landing", || place.tip("production") == place.c[1]);
    fs::remove_file(place.remote().join("hooks/pre-receive")).unwrap();
    place.settle();
    let late = place.export().iter().filter(|row| row["what"] == "effect" && row["row"]["late"] == true).count();
    assert_eq!(late, 1);
    place.sound(0);
}

/// The server's words are shown, it is not asked again before its time, and `retry` asks at once.
#[test]
fn the_server_refuses() {
    let place = Place::new(Gates::Ci);
    place.hook(
        "pre-receive",
        "read -r old new ref; [ \"$ref\" = refs/heads/staging ] || exit 0\n\
         echo x >> asked; echo 'Friday is no day for this' >&2; exit 1",
    );
    let words = "Friday is no day for this";
    let ran = place.ok(&["run"]);
    assert!(ran.out.contains(words), "{}", ran.out);
    for _ in 0..3 {
        place.ok(&["run"]);
    }
    assert_eq!(place.lines("asked"), 1, "it is not asked again before its time");
    let shown = place.ok(&["explain", "shop", "staging"]).out;
    assert!(shown.contains(words), "{shown}");
    place.ok(&["retry", "shop", "staging"]);
    place.ok(&["run"]);
    assert_eq!(place.lines("asked"), 2, "`retry` asks at once");
    fs::remove_file(place.remote().join("hooks/pre-receive")).unwrap();
    place.ok(&["retry", "shop", "staging"]);
    place.ok(&["run"]);
    place.ok(&["run"]);
    for branch in ["staging", "production"] {
        assert_eq!(place.tip(branch), place.c[2]);
    }
    place.sound(0);
}
