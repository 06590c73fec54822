//! Each file in `config/` loads without a warning, and means what its comments say.

use std::collections::BTreeSet;

use towpath::config::Config;
use towpath_core::command::Verb;
use towpath_core::model::{Candidates, Gate, GateKind, Mode, Span};
use towpath_core::people::{Asked, Place as RulePlace, Platform, Surface};

fn example(name: &str) -> Config {
    let path = super::root().join("config").join(name);
    match Config::load(&path) {
        Ok(config) => config,
        Err(problems) => panic!("{problems}"),
    }
}

fn names(config: &Config) -> Vec<&str> {
    config.flows.iter().map(|f| f.flow.name.as_str()).collect()
}

#[test]
fn every_example_loads_without_a_warning() {
    let dir = std::fs::read_dir(super::root().join("config")).expect("examples");
    let files: BTreeSet<String> =
        dir.map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let config = example(&file);
        assert!(config.warnings.is_empty(), "{}", config.warnings);
    }
}

#[test]
fn minimal_is_two_branches_without_gates() {
    let config = example("minimal.toml");
    assert_eq!(names(&config), ["shop/checkout"]);
    let flow = &config.flows[0].flow;
    assert!(flow.environments.iter().all(|e| e.gates.is_empty()));
    assert_eq!(flow.environments[1].candidates, Candidates::Commits);
}

#[test]
fn docplanner_is_three_branches_with_half_an_hour_between() {
    let config = example("docplanner.toml");
    assert_eq!(config.service.look, "*/5 * * * *");
    let flow = &config.flows[0].flow;
    let branches: Vec<&str> = flow.environments.iter().map(|e| e.branch.as_str()).collect();
    assert_eq!(branches, ["develop", "staging", "master"]);
    let production = &flow.environments[2];
    let Some(Gate::Lag(lag)) = production.gate(GateKind::Lag) else { panic!("no lag") };
    assert_eq!(lag.length, Span::from_mins(30));
    assert_eq!(production.candidates, Candidates::Tips);
    assert_eq!(production.settle, Span::from_mins(15));
    assert!(production.gate(GateKind::Schedule).is_none());
}

#[test]
fn docplanners_three_times_a_day_can_be_uncommented() {
    let path = super::root().join("config/docplanner.toml");
    let text = std::fs::read_to_string(&path).expect("readable").replace("# gates.schedule", "gates.schedule");
    let config = Config::from_text(&text, &path).expect("valid");
    assert!(config.flows[0].flow.environments[2].gate(GateKind::Schedule).is_some());
}

#[test]
fn plain_git_takes_its_name_from_the_repository() {
    let config = example("plain-git-cron.toml");
    assert_eq!(names(&config), ["tool"]);
    let kinds: Vec<GateKind> = config.flows[0].flow.environments[2].gates.iter().map(Gate::kind).collect();
    assert_eq!(kinds, [GateKind::Ci, GateKind::Quiet, GateKind::Window, GateKind::Approvals]);
}

#[test]
fn migrations_are_judged_for_two_environments_on_one_database() {
    let flow = &example("migrations.toml").flows[0].flow;
    let databases: Vec<Option<&str>> = flow.environments.iter().map(|env| env.database.as_deref()).collect();
    assert_eq!(databases, [None, Some("main"), Some("main")]);
    for env in &flow.environments[1..] {
        let Some(Gate::Migrations(gate)) = env.gate(GateKind::Migrations) else { panic!("no gate") };
        assert_eq!(gate.dialect.as_deref(), Some("postgres"));
        assert!(env.rollback);
    }
    assert_eq!(flow.environments[2].settle, Span::from_mins(30));
}

#[test]
fn what_the_example_on_migrations_leaves_out_can_be_uncommented() {
    let path = super::root().join("config/migrations.toml");
    let text = std::fs::read_to_string(&path).expect("readable");
    let other = text.lines().find_map(|line| line.strip_prefix("# gates.migrations = ")).expect("another gate");
    // The same in both: it is one database.
    let given =
        text.replace("gates.migrations = { dialect = \"postgres\" }", &format!("gates.migrations = {other}"));
    let text = given.replace(&format!("# gates.migrations = {other}"), "");
    assert!(text.contains("# deployed = "));
    let text = text.replace("# deployed = ", "deployed = ");
    let config = Config::from_text(&text, &path).expect("valid");
    let production = &config.flows[0].flow.environments[2];
    let Some(Gate::Migrations(gate)) = production.gate(GateKind::Migrations) else { panic!("no gate") };
    assert!(production.deployed.is_some() && gate.schema.is_some() && gate.framework.is_some());
}

#[test]
fn many_merges_defaults_groups_and_flows() {
    let config = example("many.toml");
    assert_eq!(names(&config), ["shop/checkout", "shop/search", "tools/ci/images"]);
    let environments =
        |at: usize| -> Vec<&str> { config.flows[at].flow.environments.iter().map(|e| e.name.as_str()).collect() };
    assert_eq!(environments(0), ["develop", "staging", "production"]);
    assert_eq!(environments(1), ["develop", "staging", "canary", "production"]);
    let kinds = |at: usize| -> Vec<GateKind> {
        let environments = &config.flows[at].flow.environments;
        environments.last().expect("some").gates.iter().map(Gate::kind).collect()
    };
    assert_eq!(kinds(0), [GateKind::Ci, GateKind::Lag, GateKind::Window]);
    assert_eq!(kinds(2), [GateKind::Ci]);
    assert!(config.flows[2].flow.environments.iter().all(|e| e.mode == Mode::Observe));
    assert!(config.flows[0].flow.environments.iter().all(|e| e.mode == Mode::Act));
    assert_eq!(config.flows[0].remote, "https://git.example.com/shop/checkout");
    assert_eq!(config.flows[0].forge.as_deref(), Some("work"));
}

#[test]
fn what_the_examples_with_a_chat_say_is_so() {
    for (file, platform) in [("slack.toml", Platform::Slack), ("mattermost.toml", Platform::Mattermost)] {
        let config = example(file);
        let (chat, sink) = (&config.chats["work"], config.sinks["deploys"].chat.as_ref().expect("a chat"));
        assert_eq!((chat.platform, sink.platform, &*sink.chat), (platform, platform, "work"));
        assert_eq!(chat.channels[0].id, sink.channel, "one channel for both");
        assert!(sink.digest.is_some() && config.service.public_url.is_some());
        let production = &config.flows[0].flow.environments[2];
        assert_eq!(production.heads_up, Some(Span::from_mins(10)));
        let law = config.laws.law();
        let may = |name: &str, verb, env: &str, surface| {
            let user =
                law.people.cards().iter().find(|card| card.name == name).expect("a person").identities[0].clone();
            let place = RulePlace { flow: "checkout".into(), env: env.into(), production: env == "production" };
            law.may(law.asker(&user), &Asked { verb, reach: &[place], surface }).is_allowed()
        };
        for (name, verb, env, wanted) in [
            ("ana", Verb::Rollback, "production", true),
            ("marek", Verb::Pause, "staging", true),
            ("marek", Verb::Pause, "production", false),
            ("marek", Verb::Promote, "production", true),
            ("ola", Verb::Pause, "staging", false),
        ] {
            assert_eq!(may(name, verb, env, Surface::Chat), wanted, "{file}: {name} {verb:?} {env}");
        }
        assert!(!may("marek", Verb::Promote, "production", Surface::Comment), "the rule is for the chat");
    }
}

#[test]
fn socket_mode_can_be_uncommented() {
    let path = super::root().join("config/slack.toml");
    let text = std::fs::read_to_string(&path).expect("readable");
    let secrets = "secrets = [{ env = \"SLACK_SIGNING_SECRET\" }]\n";
    assert!(text.contains(secrets) && text.contains("# app_token = "));
    let config = Config::from_text(&text.replace(secrets, "").replace("# app_token = ", "app_token = "), &path);
    assert!(config.expect("valid").chats["work"].app_token.is_some());
}
