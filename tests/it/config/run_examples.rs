//! Each file in `config/` is run: with local repositories in the place of those it names, a commit
//! on the first branch, and its checks reported, the commit moves exactly where it should.
//!
//! Those whose repository is on a forge run against the forge of the tests: `forge::e2e`. In those with a chat what moved
//! is told to a platform of the tests, and people steer from there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use towpath::config::{Config, FlowConfig, ForgeKind, Origin};
use towpath_core::model::{Checks, CommitId, Environment, Gate, GateKind, Mode};
use towpath_core::people::Identity;

use crate::chat::matter::Server;
use crate::chat::{Platform, encoded, post, shown, slack, slash};
use crate::forge::e2e::EXAMPLES;
use crate::serve::place::{Service, wait};
use crate::support::git_fixture::Repo;

/// What stands in the place of every secret that an example names.
const SECRET: &str = "a secret of the tests";

/// The variables of the examples that hold one.
const SECRETS: [(&str, &str); 6] = [
    ("WORK_GIT_TOKEN", SECRET),
    ("SLACK_BOT_TOKEN", SECRET),
    ("SLACK_SIGNING_SECRET", SECRET),
    ("MATTERMOST_BOT_TOKEN", SECRET),
    ("MATTERMOST_SLASH_TOKEN", SECRET),
    ("TOWPATH_BUTTONS", SECRET),
];

/// Runs towpath, which has to succeed.
fn towpath(dir: &Path, args: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_towpath"))
        .args(["--config", "towpath.toml"])
        .args(args)
        .current_dir(dir)
        .envs(SECRETS)
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
    let (mut ran, mut on_forges, mut told) = (0, BTreeSet::new(), Vec::new());
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
        let platform = Platform::new();
        let text = localised(&fs::read_to_string(&path).unwrap(), &config.flows, dir);
        let text = with_platform(&text, &config, &platform);
        fs::write(dir.join("towpath.toml"), text).unwrap();
        let fresh: Vec<(Repo, CommitId)> =
            config.flows.iter().enumerate().map(|(at, found)| push(dir, at, found)).collect();
        for (found, (repo, new)) in config.flows.iter().zip(&fresh) {
            runs(dir, &path, found, repo, *new);
        }
        if !config.chats.is_empty() {
            told.push(is_told(dir, &config, &platform));
            is_steered(dir, &config, &platform);
        }
    }
    assert_eq!(ran, 6);
    told.sort();
    assert_eq!(told, ["/api/chat.postMessage", "/api/v4/posts"]);
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

/// The example with the platform of the tests in the place of its chat.
fn with_platform(text: &str, config: &Config, platform: &Platform) -> String {
    let mut text = text.to_owned();
    for chat in config.chats.values() {
        let here = format!("http://127.0.0.1:{}", platform.port);
        let written = format!("url = \"{}\"", chat.url);
        let head = format!("[chat.{}]\n", chat.name);
        assert!(text.contains(&head));
        text = match text.contains(&written) {
            true => text.replace(&written, &format!("url = \"{here}\"")),
            false => text.replace(&head, &format!("{head}url = \"{here}/api\"\n")),
        };
    }
    text
}

/// What moved was told in the sink's channel; answers where it was posted to.
fn is_told(dir: &Path, config: &Config, platform: &Platform) -> String {
    let to = config.sinks.values().find_map(|sink| sink.chat.as_ref()).expect("a sink that is a chat");
    towpath(dir, &["run"]);
    let told = platform.told();
    let key = if told.iter().any(|(_, body)| body["channel_id"].is_string()) { "channel_id" } else { "channel" };
    let posted = told.iter().find(|(_, body)| body[key] == to.channel && body.to_string().contains("staging"));
    posted.unwrap_or_else(|| panic!("{told:#?}")).0.clone()
}

/// Each person may from the chat what the example says, in the channel of the flow.
fn is_steered(dir: &Path, config: &Config, platform: &Platform) {
    let chat = &config.chats["work"];
    let (team, channel) = (chat.teams[0].as_str(), chat.channels[0].id.as_str());
    // What is typed in Mattermost steers by its signature alone.
    let server = Server::of(platform);
    let service = Service::start_with(dir, &SECRETS);
    service.says(&["production"]);
    let said = [
        ("ana", "pause production --for 1h --reason busy", "is paused until"),
        ("marek", "resume production", "takes an operator"),
        ("marek", "promote production --reason release", "production"),
        ("marek", "pause staging --for 1h --reason busy", "is paused until"),
        ("ola", "status", "is paused until"),
        ("ola", "resume staging", "takes a developer"),
        ("nobody", "whoami", "is linked to no person"),
        ("nobody", "resume staging", "is linked to no person"),
    ];
    for (at, (name, text, wanted)) in said.into_iter().enumerate() {
        let user = user_of(config, name);
        let (body, before) =
            (slash(platform, (team, &user, channel), &format!("{at}.a"), text), platform.told().len());
        let answer = match chat.platform {
            towpath_core::people::Platform::Slack => slack(&service, &body, SECRET, 0),
            _ => {
                let back = format!("http://127.0.0.1:{}/hooks/commands/{at}", platform.port);
                let body = encoded(&[
                    ("channel_id", channel),
                    ("command", "/towpath"),
                    ("response_url", &back),
                    ("team_id", team),
                    ("text", text),
                    ("token", SECRET),
                    ("trigger_id", &server.trigger(&at.to_string(), &user, 0)),
                    ("user_id", &user),
                    ("user_name", "somebody"),
                ]);
                post(&service, "/chat/work", &[("Content-Type", "application/x-www-form-urlencoded")], &body)
            }
        };
        assert_eq!(answer.status, 200, "{name}: {text}");
        let answers = || -> Vec<String> {
            platform.told()[before..]
                .iter()
                .filter(|(path, _)| path.contains("/commands/"))
                .map(|(_, body)| shown(body))
                .collect()
        };
        wait(&format!("an answer to {name}: {text}"), || !answers().is_empty());
        let words = answers().concat().replace(['`', '\\'], "");
        assert!(words.contains(wanted), "{name}: {text}: {words}");
        assert_eq!(words.contains("takes a"), wanted.contains("takes a"), "{name}: {text}: {words}");
    }
}

/// The id of a person's user in the chat of the example.
fn user_of(config: &Config, name: &str) -> String {
    let card = config.laws.people.cards().iter().find(|card| card.name == name);
    let user = card.into_iter().flat_map(|card| &card.identities).find_map(|identity| match identity {
        Identity::Chat { user, .. } => Some(user.clone()),
        _ => None,
    });
    user.unwrap_or_else(|| "usernobodyknowshereatall12".to_owned())
}
