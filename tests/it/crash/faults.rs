//! A full disk, stood in for by a limit on the size of files (`ulimit -f`): the store's log may grow
//! by a few KiB more in each round, so that each write of a pass is once the one that fails. No move without its record, and all is well once there is space.

use std::fs;
use std::process::Command;

use super::{Gates, Place};
use crate::crash::place::TARGETS;

/// One pass under a limit, in KiB.
fn limited(place: &Place, limit: u64, ignore: bool) -> bool {
    // Ignored, the signal becomes an error of the write; otherwise it ends the process there.
    let trap = if ignore { "trap '' XFSZ; " } else { "" };
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{trap}ulimit -c 0; ulimit -f {limit}; exec \"$0\" run")]);
    command.arg(env!("CARGO_BIN_EXE_towpath"));
    place.dress(&mut command);
    let ran = place.ended(command.spawn().unwrap());
    if !ran.status.success() && ignore {
        assert!(ran.err.contains("towpath:"), "{limit} KiB: a failure says why: {} {}", ran.status, ran.err);
    }
    ran.status.success()
}

fn full(ignore: bool, step: usize) {
    let place = Place::new(Gates::None);
    place.ok(&["run"]);
    place.settle();
    let (mut failed, mut passed) = (0, 0);
    // The last has room for everything, the store's tidying up at its end included.
    for room in (0..=120).step_by(step).chain([4_096]) {
        // SQLite takes the log away where the last connection had the time to close.
        let log = fs::metadata(place.path().join("towpath.db-wal")).map_or(0, |file| file.len());
        let limit = log / 1024 + room;
        place.commit(&format!("With {limit} KiB"));
        if limited(&place, limit, ignore) {
            passed += 1;
        } else {
            failed += 1;
        }
        place.quiet();
        let export = place.export();
        for branch in TARGETS {
            for (old, new) in place.moves(branch) {
                let recorded = export.iter().any(|row| {
                    row["what"] == "intent"
                        && row["row"]["env"] == branch
                        && row["row"]["old"] == old.as_str()
                        && row["row"]["new"] == new.as_str()
                        && matches!(row["row"]["state"].as_str(), Some("pushing" | "landed"))
                });
                assert!(recorded, "{limit} KiB: {branch} moved to {new} and nothing says so");
            }
        }
        place.settle();
    }
    assert!(failed > 2 && passed > 0, "{failed} failed, {passed} passed: the limits miss the point");
    place.sound(place.doubled());
}

#[test]
fn a_full_disk_is_an_error() {
    full(true, 8);
}

#[test]
fn a_full_disk_ends_the_process() {
    full(false, 12);
}
