//! Defaults, groups and flows over one another, and where each value came from.

use towpath_core::model::{Gate, GateKind, Mode, Span};

use super::{sentences, valid};

const LAYERS: &str = r#"[defaults]
zone = "Europe/Warsaw"
look_back = 10
[[defaults.environment]]
name = "develop"
[[defaults.environment]]
name = "staging"
settle = "1m"
gates.ci = { checks = ["build"], missing_after = "1h" }
gates.lag = "30m"

[[group]]
match = ["shop/*"]
look_back = 20
[[group.environment]]
name = "staging"
settle = "2m"

[[group]]
match = ["nothing", "**/checkout"]
look_back = 30
[[group.environment]]
name = "staging"
gates.lag = { for = "2h", since = "deploy" }

[[flow]]
repository = "git@example.com:shop/checkout.git"
[[flow.environment]]
name = "staging"
gates.ci = { checks = "all" }

[[flow]]
repository = "git@example.com:shop/search.git"
zone = "UTC"
[[flow.environment]]
name = "live"
after = "staging"
[[flow.environment]]
name = "canary"
after = "develop"
[[flow.environment]]
name = "staging"
gates.lag = false

[[flow]]
repository = "git@example.com:other.git"
"#;

#[test]
fn later_layers_go_before_earlier_ones_key_by_key() {
    let config = valid(LAYERS);
    let flow = |at: usize| &config.flows[at].flow;
    assert_eq!([0, 1, 2].map(|at| flow(at).look_back), [30, 20, 10]);
    assert_eq!([0, 1, 2].map(|at| flow(at).zone.name()), ["Europe/Warsaw", "UTC", "Europe/Warsaw"]);
    let staging = |at: usize| flow(at).environments.iter().find(|e| e.name.as_str() == "staging").expect("staging");
    assert_eq!([0, 1, 2].map(|at| staging(at).settle), [2, 2, 1].map(Span::from_mins));
    let lag = |at: usize| match staging(at).gate(GateKind::Lag) {
        Some(Gate::Lag(lag)) => Some((lag.length, lag.since.as_ref().map(ToString::to_string))),
        _ => None,
    };
    assert_eq!(lag(0), Some((Span::from_mins(120), Some("deploy".into()))));
    assert_eq!(lag(1), None, "`false` removes it");
    assert_eq!(lag(2), Some((Span::from_mins(30), None)));
}

#[test]
fn a_gate_written_later_replaces_the_whole_gate() {
    let config = valid(LAYERS);
    let Some(Gate::Ci(ci)) = config.flows[0].flow.environments[1].gate(GateKind::Ci) else { panic!("no ci") };
    assert_eq!(ci.missing_after, Some(Span::from_mins(30)), "the default again, not the hour of [defaults]");
}

#[test]
fn a_new_environment_stands_directly_after_the_one_it_names() {
    let config = valid(LAYERS);
    let names: Vec<&str> = config.flows[1].flow.environments.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["develop", "canary", "staging", "live"]);
}

#[test]
fn each_value_says_where_it_came_from() {
    let config = valid(LAYERS);
    let origin = |at: usize, key: &str| config.flows[at].origins.get(key).map(ToString::to_string);
    assert_eq!(origin(0, "zone").as_deref(), Some("[defaults] line 2"));
    assert_eq!(origin(1, "zone").as_deref(), Some("line 34"));
    assert_eq!(origin(0, "look_back").as_deref(), Some("group \"**/checkout\" line 21"));
    assert_eq!(origin(0, "mode").as_deref(), Some("default"));
    assert_eq!(origin(0, "environment.staging.settle").as_deref(), Some("group \"shop/*\" line 17"));
    assert_eq!(origin(0, "environment.staging.gates.lag.for").as_deref(), Some("group \"**/checkout\" line 24"));
    assert_eq!(origin(0, "environment.staging.gates.ci.checks").as_deref(), Some("line 30"));
    assert_eq!(origin(0, "environment.staging.gates.ci.missing_after").as_deref(), Some("default"));
    assert_eq!(origin(1, "environment.staging.gates.lag"), None);
}

#[test]
fn environments_out_of_place_are_errors() {
    let base = "[[defaults.environment]]\nname = \"develop\"\n[[defaults.environment]]\nname = \"staging\"\n[[flow]]\nrepository = \"/srv/a.git\"\n";
    let environment = |lines: &str| sentences(&format!("{base}[[flow.environment]]\n{lines}\n"));
    insta::assert_debug_snapshot!([
        environment("name = \"live\""),
        environment("name = \"stagign\""),
        environment("name = \"live\"\nafter = \"stagign\""),
        environment("name = \"live\"\nafter = \"production\""),
        environment("name = \"staging\"\nafter = \"develop\""),
        sentences(&super::FLOW.replacen("name = \"develop\"", "name = \"develop\"\nafter = \"staging\"", 1)),
    ]);
}

#[test]
fn a_repository_or_a_name_is_no_default() {
    insta::assert_debug_snapshot!(sentences(&format!(
        "[defaults]\nrepository = \"/srv/a.git\"\nname = \"x\"\n[[group]]\nname = \"x\"\n{}",
        super::FLOW
    )));
}

#[test]
fn observe_above_rules_what_is_below() {
    let modes = |service: &str, flow: &str, environment: &str| -> Vec<Mode> {
        let text = format!(
            "[service]\nmode = \"{service}\"\n[[flow]]\nrepository = \"/srv/a.git\"\nmode = \"{flow}\"\nenvironment = [{{ name = \"develop\" }}, {{ name = \"staging\", mode = \"{environment}\" }}]\n"
        );
        valid(&text).flows[0].flow.environments.iter().map(|e| e.mode).collect()
    };
    use Mode::{Act, Observe};
    assert_eq!(modes("act", "act", "act"), [Act, Act]);
    assert_eq!(modes("act", "act", "observe"), [Act, Observe]);
    assert_eq!(modes("act", "observe", "act"), [Observe, Observe]);
    assert_eq!(modes("observe", "act", "act"), [Observe, Observe]);
}

#[test]
fn the_policy_changes_with_what_it_covers_and_with_nothing_else() {
    let policy = |text: &str| valid(text).flows[0].flow.policy.clone();
    let plain = policy(super::FLOW);
    assert_eq!(plain.as_str().len(), 32);
    assert_eq!(plain, policy(&format!("# a comment\n{}\n", super::FLOW)));
    assert_eq!(plain, policy(&format!("{}\nvia = \"fast-forward\"\nsettle = \"900s\"\n", super::FLOW)));
    assert_ne!(plain, policy(&format!("{}\ngates.lag = \"30m\"\n", super::FLOW)));
    assert_ne!(plain, policy(&format!("{}\nrollback = true\n", super::FLOW)));
}
