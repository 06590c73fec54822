//! Which words name flows and environments on the command line.

use towpath::config::Config;
use towpath_core::model::Scope;

fn config() -> Config {
    let flow = |name: &str, last: &str| {
        format!(
            "[[flow]]\nrepository = \"/srv/{name}.git\"\nname = \"{name}\"\nenvironment = [{{ name = \"develop\" }}, {{ name = \"{last}\" }}]\n"
        )
    };
    super::valid(&format!(
        "{}{}{}{}",
        flow("shop/checkout", "staging"),
        flow("shop/search", "staging"),
        flow("bank/search", "live"),
        flow("search-ui", "live")
    ))
}

#[test]
fn a_flow_is_named_whole_or_by_an_end_that_only_it_has() {
    let config = config();
    let flow = |word: &str| config.flow(word).map(|f| f.flow.name.to_string()).map_err(|e| e.to_string());
    assert_eq!(flow("shop/checkout").as_deref(), Ok("shop/checkout"));
    assert_eq!(flow("checkout").as_deref(), Ok("shop/checkout"));
    assert_eq!(flow("bank/search").as_deref(), Ok("bank/search"));
    insta::assert_debug_snapshot!(
        ["search", "out", "", "chekout", "shop/chekout", "\u{1b}[2J"].map(|word| flow(word).expect_err("no flow"))
    );
}

#[test]
fn a_target_is_all_a_flow_an_edge_or_an_environment_of_every_flow() {
    let config = config();
    let target = |words: &[&str]| config.target(words).expect("a target");
    assert_eq!(target(&["all"]), Scope::All);
    assert_eq!(target(&["staging"]), Scope::Environment("staging".into()));
    assert_eq!(target(&["checkout"]), Scope::Flow("shop/checkout".into()));
    assert_eq!(target(&["checkout", "staging"]), Scope::Edge("shop/checkout".into(), "staging".into()));
    let reached = |words: &[&str]| config.reach(&target(words)).len();
    assert_eq!(reached(&["all"]), 4);
    assert_eq!(reached(&["live"]), 2);
    assert_eq!(reached(&["checkout"]), 1);
    insta::assert_debug_snapshot!(
        [&["search"][..], &["stagin"], &["checkout", "live"], &["nope"], &[], &["a", "b", "c"]]
            .map(|words| config.target(words).map_err(|e| e.to_string()).expect_err("no target"))
    );
}
