//! Who paused it, why and until when stands in every view, in its text and in its JSON.

use serde_json::Value as Json;

use crate::serve::place::Place;

const CONFIG: &str = r#"
[[flow]]
repository = "checkout.git"
name = "shop/checkout"
zone = "Europe/Warsaw"
[[flow.environment]]
name = "develop"
[[flow.environment]]
name = "staging"
[[flow.environment]]
name = "production"
branch = "master"
gates.lag = "1d"
"#;

const WHY: &str = "database failover at dawn";

/// Every pause in it, wherever it stands.
fn paused<'j>(value: &'j Json, out: &mut Vec<&'j Json>) {
    match value {
        Json::Array(list) => list.iter().for_each(|one| paused(one, out)),
        Json::Object(table) => {
            if table.contains_key("reason") && table.contains_key("environments") && table.contains_key("until") {
                out.push(value);
            }
            table.values().for_each(|one| paused(one, out));
        }
        _ => {}
    }
}

#[test]
fn a_pause_stands_in_every_view_with_who_why_and_until_when() {
    let place = Place::new(&["checkout"], CONFIG);
    let commit = place.push("checkout", "2").to_string();
    place.ok(&["run"]);
    let views: [&[&str]; 10] = [
        &["status"],
        &["status", "checkout"],
        &["explain", "checkout", "production"],
        &["explain", &commit],
        &["where", &commit],
        &["diff", "checkout", "production"],
        &["history"],
        &["history", "checkout"],
        &["plan"],
        &["run"],
    ];
    // By whom: the account of this machine, as orders of the command line are recorded.
    for (order, word) in [("pause", "paused"), ("freeze", "frozen")] {
        for (scope, until) in [
            (vec!["checkout", "production"], vec!["--for", "2h"]),
            (vec!["checkout"], vec!["--until", "resumed"]),
            (vec!["all"], vec!["--for", "90m"]),
        ] {
            let said = place.ok(&[&[order][..], &scope, &until, &["--reason", WHY]].concat());
            let by = said.split("by `").nth(1).and_then(|rest| rest.split('`').next()).map(str::to_owned);
            for args in views {
                let about = format!("{order} {scope:?} {args:?}");
                let text = place.ok(args);
                let line =
                    text.lines().find(|line| line.contains(WHY)).unwrap_or_else(|| panic!("{about}: {text}"));
                assert!(line.contains(word) && line.contains("by `os:"), "{about}: {line}");
                assert!(by.as_ref().is_none_or(|by| line.contains(by.as_str())), "{about}: {line}");
                assert!(line.contains(if until[0] == "--for" { "until " } else { "resume" }), "{about}: {line}");
                let json = place.ok(&[args, &["--output", "json"]].concat());
                let json: Json =
                    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{about}: {error}: {json}"));
                let mut found = Vec::new();
                paused(&json, &mut found);
                let found = found.into_iter().find(|one| one["reason"] == WHY);
                let found = found.unwrap_or_else(|| panic!("{about}: {json:#}"));
                assert!(found["by"].as_str().is_some_and(|by| by.starts_with("os:")), "{about}: {found:#}");
                assert_eq!(found["until"].is_i64(), until[0] == "--for", "{about}: {found:#}");
            }
            place.ok(&[&["resume"][..], &scope].concat());
        }
    }
    for args in views {
        assert!(!place.ok(args).lines().next().unwrap_or_default().contains(WHY), "{args:?}: it is over");
    }
}
