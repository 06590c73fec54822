//! Every rule's own examples, and the page made of them.

use super::report;
use crate::Verdict;
use crate::rules::{RULES, document};

#[test]
fn the_examples_of_every_rule_are_judged_as_it_says() {
    for rule in RULES {
        let Some(examples) = rule.examples else { continue };
        let accepted = report(examples.dialect, &[examples.base], &[examples.accepted]);
        assert_eq!(accepted.verdict(), Verdict::Compatible, "{}: {:#?}", rule.id, accepted.findings);
        let refused = report(examples.dialect, &[examples.base], &[examples.refused]);
        let mut found: Vec<&str> = refused.findings.iter().map(|finding| finding.rule.as_str()).collect();
        found.dedup();
        assert_eq!(found, [rule.id], "{:#?}", refused.findings);
        assert_ne!(refused.verdict(), Verdict::Compatible, "{}", rule.id);
    }
}

#[test]
fn ids_are_unique_and_every_rule_has_a_way_out() {
    let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
    assert!(RULES.iter().all(|rule| !rule.recipe.is_empty() && rule.recipe.len() <= 4));
}

#[test]
fn the_page_of_rules_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
    if std::env::var_os("TOWPATH_WRITE_DOCS").is_some() {
        std::fs::write(path, document()).expect("docs/rules.md is written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == document(),
        "docs/rules.md is not what the rules say: TOWPATH_WRITE_DOCS=1 cargo nextest run -p towpath-compat page_of_rules"
    );
}
