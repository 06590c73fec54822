//! The config: what is accepted, what is refused and in which words, and that its views agree.

mod discover;
mod examples;
mod faults;
mod files;
mod layers;
mod people;
mod properties;
mod run_examples;
mod views;
mod words;

use std::path::{Path, PathBuf};

use towpath::config::{Config, FlowConfig, Problems};

/// A flow that is valid, to which tests add.
const FLOW: &str = r#"
[[flow]]
repository = "/srv/git/shop.git"

[[flow.environment]]
name = "develop"

[[flow.environment]]
name = "staging"
"#;

/// Loads a text as if it stood in `/etc/towpath/towpath.toml`.
fn load(text: &str) -> Result<Config, Problems> {
    Config::from_text(text, Path::new("/etc/towpath/towpath.toml"))
}

/// Loads a text that must be valid.
#[track_caller]
fn valid(text: &str) -> Config {
    match load(text) {
        Ok(config) => config,
        Err(problems) => panic!("{problems}"),
    }
}

/// What is said about a text that must not be valid.
#[track_caller]
fn refused(text: &str) -> String {
    match load(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(problems) => problems.to_string(),
    }
}

/// The sentences alone, each with its hint, without file, line and caret.
#[track_caller]
fn sentences(text: &str) -> Vec<String> {
    let problems = match load(text) {
        Ok(config) => config.warnings,
        Err(problems) => problems,
    };
    problems
        .list
        .iter()
        .map(|p| if p.hint.is_empty() { p.what.clone() } else { format!("{} -> {}", p.what, p.hint) })
        .collect()
}

/// What is said about a staging environment with these lines added.
#[track_caller]
fn staging(lines: &str) -> Vec<String> {
    sentences(&format!("{FLOW}{lines}\n"))
}

/// The only flow.
fn only(config: &Config) -> &FlowConfig {
    assert_eq!(config.flows.len(), 1);
    &config.flows[0]
}

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
