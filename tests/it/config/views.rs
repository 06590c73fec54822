//! `config show`, the schema and the reference.

use std::path::Path;

use towpath::config::{Config, SecretRef, reference, schema, to_json};

use super::{load, root, valid};

/// Compares a generated file with what stands in the repository; writes it where
/// `INSTA_UPDATE=always` says so.
fn fresh(file: &str, made: &str) {
    let path = root().join(file);
    if std::env::var("INSTA_UPDATE").is_ok_and(|v| v == "always") {
        std::fs::write(&path, made).expect("written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == made,
        "{file} is older than the table of keys: INSTA_UPDATE=always cargo nextest run --test it config"
    );
}

#[test]
fn the_reference_is_fresh() {
    fresh("docs/config.md", &reference());
}

#[test]
fn the_schema_is_fresh() {
    let text = serde_json::to_string_pretty(&schema()).expect("JSON");
    fresh("docs/towpath.schema.json", &format!("{text}\n"));
}

#[test]
fn show_names_the_origin_of_each_value() {
    let path = root().join("config/many.toml");
    let text = std::fs::read_to_string(path).expect("readable");
    let config = valid(&text);
    insta::assert_snapshot!(config.show_toml(None));
    let one = config.flow("search").expect("a flow");
    insta::assert_json_snapshot!(config.show_json(Some(one)));
}

#[test]
fn where_the_token_of_a_gate_is_is_shown_and_nothing_of_it() {
    let gate = "gates.http = { url = \"https://gate.example.com/towpath\", token = { file = \"gate-token\" } }";
    let config = valid(&format!("{}{gate}\n", super::FLOW));
    let shown = config.show_toml(None);
    assert!(shown.contains("gates.http.url = \"https://gate.example.com/towpath\""), "{shown}");
    assert!(shown.contains("gates.http.token = { file = \"gate-token\" }"), "{shown}");
    super::properties::same_when_shown(&config);
    let places = &config.flows[0].gate_tokens;
    assert_eq!(places.get(&"staging".into()), Some(&SecretRef::File("/etc/towpath/gate-token".into())));
    assert_eq!(places.len(), 1);
}

#[test]
fn what_is_shown_means_the_same_when_loaded() {
    for file in ["minimal", "docplanner", "docplanner-gitea", "gitlab-flow", "plain-git-cron", "many", "migrations"]
    {
        let path = root().join(format!("config/{file}.toml"));
        super::properties::same_when_shown(&Config::load(&path).expect("valid"));
    }
}

#[test]
fn what_is_shown_holds_no_raw_control_characters() {
    let config =
        valid(&format!("{}branch = \"a\\u202eb\\u200b\\u0085'\\\"c\"\ndeployed = \"\\u202e\\\"x\"", super::FLOW));
    let shown = config.show_toml(None);
    assert!(!shown.contains(['\u{202e}', '\u{85}', '\u{200b}']), "{shown:?}");
    super::properties::same_when_shown(&config);
}

#[test]
fn problems_as_json_carry_line_column_and_hint() {
    let problems = load("[[flow]]\nrepo = \"/srv/a.git\"\n").expect_err("a fault");
    insta::assert_json_snapshot!(to_json(&problems));
    let missing = Config::load(Path::new("/nowhere/towpath.toml")).expect_err("not there");
    insta::assert_json_snapshot!(to_json(&missing));
}
