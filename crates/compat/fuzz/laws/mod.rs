//! What holds of any input, however strange: the fuzz targets, one per kind of reader.
//!
//! Each is a function that panics where a law is broken, and is called by three: libFuzzer
//! (`fuzz_targets`), the mutator that needs no nightly (`examples/fuzz`), and the replay of seeds and of
//! what once broke a law (`tests/fuzz.rs`). A framework or a dialect is covered by its row: no target
//! names one.

// Not every one of the three calls everything.
#![allow(dead_code, missing_docs)]

pub mod evidence;
pub mod extract;
pub mod input;
pub mod question;
pub mod sql;

/// A fuzz target.
pub struct Target {
    /// Its name, and that of its directory of crashes.
    pub name: &'static str,
    /// Its directory of seeds.
    pub seeds: &'static str,
    /// Panics where a law is broken.
    pub hold: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "sql", seeds: "sql", hold: sql::hold },
    Target { name: "extract", seeds: "trees", hold: extract::hold },
    Target { name: "evidence", seeds: "evidence", hold: evidence::hold },
    Target { name: "question", seeds: "trees", hold: question::hold },
];

/// Longer inputs are cut, in bytes: what is slow for its length is found with less.
pub const LONGEST: usize = 64 << 10;
