//! The seeds of the fuzz targets, and every input that once broke a law, through the same laws.
//!
//! `fuzz/laws` says what holds; `scripts/fuzz` looks for what breaks it.
#![allow(clippy::print_stdout)]

#[path = "../fuzz/laws/mod.rs"]
mod laws;

use std::path::{Path, PathBuf};

use laws::TARGETS;
use towpath_compat::frameworks::rows;

/// The inputs of a directory beside the targets, ordered by name.
fn inputs(directory: &str, target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(directory).join(target);
    let Ok(entries) = std::fs::read_dir(&directory) else { return vec![] };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(&path).expect("an input"))).collect()
}

fn replay(target: &str) {
    let target = TARGETS.iter().find(|known| known.name == target).expect("a target");
    let (hold, target, seeds) = (target.hold, target.name, inputs("seeds", target.seeds));
    assert!(seeds.len() >= 20, "{} seeds of {target}", seeds.len());
    for (path, bytes) in seeds.into_iter().chain(inputs("crashes", target)) {
        println!("{}", path.display());
        hold(&bytes);
    }
}

#[test]
fn sql() {
    replay("sql");
}

#[test]
fn extract() {
    replay("extract");
}

#[test]
fn evidence() {
    replay("evidence");
}

#[test]
fn question() {
    replay("question");
}

/// A framework that is new needs no target, and seeds.
#[test]
fn every_framework_has_a_seed() {
    let seeds = inputs("seeds", "trees");
    for row in rows() {
        let found = seeds.iter().any(|(_, bytes)| laws::extract::found_by(row.id, bytes) > 0);
        assert!(found, "fuzz/seeds/trees has no tree with a migration of {}", row.id);
    }
}

/// Together the seeds stay small: what is in a repository stays in it for ever.
#[test]
fn the_seeds_are_small() {
    let bytes = |target: &str| inputs("seeds", target).iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    let all: usize = ["sql", "evidence", "trees"].into_iter().map(bytes).sum();
    assert!(all <= 2 << 20, "{all} bytes of seeds");
}
