//! Each file in `config/` is run: with local repositories in the place of those it names, a commit
//! on the first branch, and its checks reported, the commit moves exactly where it should.
//!
//! Those whose repository is on a forge run against the forge of the tests: `forge::e2e`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use towpath::config::{Config, FlowConfig, ForgeKind, Origin};
use towpath_core::model::{Checks, CommitId, Environment, Gate, GateKind, Mode};

use crate::forge::e2e::EXAMPLES;
use crate::support::git_fixture::Repo;

/// Runs towpath, which has to succeed.
fn towpath(dir: &Path, args: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_towpath"))
        .args(["--config", "towpath.toml"])
        .args(args)
        .current_dir(dir)
        .env("WORK_GIT_TOKEN", "unused")
        .output()
        .unwrap();
    let (text, words) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{args:?}: {text}{words}");
    text.into_owned()
}

/// The example's text with local repositories.
fn localised(text: &str, flows: &[FlowConfig], dir: &Path) -> String {
    let mut at = 0;
    let lines = text.lines().map(|line| {
        let Some(rest) = line.strip_prefix("repository = ") else { return line.to_owned() };
        let found = &flows[at];
        let local = dir.join(format!("{at}.git"));
        at += 1;
        let named = found.origins.get("name").is_some_and(|origin| *origin != Origin::Default);
        let name = if named { String::new() } else { format!("\nname = \"{}\"", found.flow.name) };
        assert!(rest.starts_with('"'), "{line}");
        format!("repository = \"{}\"{name}", local.display())
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(at, flows.len(), "one repository a flow");
    text
}

fn checks(environment: &Environment) -> BTreeSet<String> {
    match environment.gate(GateKind::Ci) {
        Some(Gate::Ci(ci)) => match &ci.checks {
            Checks::Named(named) => named.iter().map(|check| check.name.to_string()).collect(),
            Checks::All | Checks::Required => ["anything".to_owned()].into(),
        },
        _ => BTreeSet::new(),
    }
}

#[test]
fn every_example_runs() {
    let examples = fs::read_dir(super::root().join("config")).unwrap();
    let (mut ran, mut on_forges) = (0, BTreeSet::new());
    for file in examples {
        let path = file.unwrap().path();
        let config = Config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        if !config.forges.values().all(|forge| forge.kind == ForgeKind::Git) {
            on_forges.insert(path.file_name().unwrap().to_str().unwrap().to_owned());
            continue;
        }
        ran += 1;
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let text = localised(&fs::read_to_string(&path).unwrap(), &config.flows, dir);
        fs::write(dir.join("towpath.toml"), text).unwrap();
        let fresh: Vec<(Repo, CommitId)> =
            config.flows.iter().enumerate().map(|(at, found)| push(dir, at, found)).collect();
        for (found, (repo, new)) in config.flows.iter().zip(&fresh) {
            runs(dir, &path, found, repo, *new);
        }
    }
    assert_eq!(ran, 4);
    assert_eq!(on_forges, EXAMPLES.map(str::to_owned).into());
}

/// A repository with all branches at one commit, looked at once, then a new commit on the first.
fn push(dir: &Path, at: usize, found: &FlowConfig) -> (Repo, CommitId) {
    let repo = Repo::init(dir.join(format!("{at}.git")));
    let first = &found.flow.environments[0].branch;
    let base = repo.commit(&[], first.as_str(), &[("a", "1")]);
    for environment in &found.flow.environments[1..] {
        repo.set(environment.branch.as_str(), base);
    }
    let new = repo.commit(&[base], first.as_str(), &[("a", "2")]);
    (repo, new)
}

fn runs(dir: &Path, example: &Path, found: &FlowConfig, repo: &Repo, new: CommitId) {
    let (name, second) = (found.flow.name.as_str(), &found.flow.environments[1]);
    let shown = format!("{} {name}", example.display());
    let before = repo.tip(second.branch.as_str());
    towpath(dir, &["run", name]);
    let gated = !checks(second).is_empty();
    if gated {
        assert_eq!(repo.tip(second.branch.as_str()), before, "{shown}: moved without its checks");
    }
    let all: BTreeSet<String> = found.flow.environments.iter().flat_map(checks).collect();
    for check in &all {
        towpath(dir, &["report", name, &new.to_string(), check, "success"]);
    }
    towpath(dir, &["run", name]);
    let moved = repo.tip(second.branch.as_str()) == Some(new);
    assert_eq!(moved, second.mode == Mode::Act, "{shown}");
    let plan: Json = serde_json::from_str(&towpath(dir, &["plan", name, "-o", "json"])).unwrap();
    let decisions = plan["plans"][0]["plan"]["decisions"].as_array().unwrap().clone();
    assert_eq!(decisions.len(), found.flow.environments.len() - 1, "{shown}");
    for decision in decisions.iter().skip(1) {
        let environment = found.flow.environments.iter().find(|e| decision["env"] == e.name.as_str()).unwrap();
        // Further on the commit has only just come to the environment before, or not yet.
        let gated = environment.gates.iter().any(|gate| !matches!(gate, Gate::Ci(_)));
        if moved && gated && decision["waiting"] != 0 {
            assert!(decision["action"].is_null(), "{shown}: {decision}");
            let verdict = decision["verdict"].as_object().unwrap();
            assert!(verdict.contains_key("wait") || verdict.contains_key("block"), "{shown}: {decision}");
        }
    }
}
